-- Conversations: a tree of messages, of which one branch is the active one.

CREATE TABLE chat.conversations (
  user_id uuid NOT NULL REFERENCES chat.users (id) ON DELETE CASCADE,
  id uuid NOT NULL DEFAULT chat.uuid_v7(),
  title text NOT NULL DEFAULT 'New Conversation' CHECK (char_length(title) <= 500),
  description text CHECK (char_length(description) <= 10000),
  is_pinned boolean NOT NULL DEFAULT false,
  is_archived boolean NOT NULL DEFAULT false,
  model text,
  system_prompt text,
  -- No foreign key: it would be circular, and cost a check for each message sent.
  active_leaf_id uuid,
  metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  last_message_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, id)
) WITH (fillfactor = 80);
-- Serves chat.list_conversations: the owner's rows, archived or not, in their order. The owner comes second, so that this
-- index never looks as good as the key for a look-up by (user_id, id): else it may be taken where a plan is made, and kept,
-- while the table is small and all its indexes cost the same.
CREATE INDEX conversations_recent_idx ON chat.conversations
  (is_archived, user_id, last_message_at DESC);
COMMENT ON TABLE chat.conversations IS 'One row for each conversation. Its owner may update title, description, is_pinned and is_archived directly.';
COMMENT ON COLUMN chat.conversations.model IS 'The model of its replies; NULL: the user''s default, else the installation''s';
COMMENT ON COLUMN chat.conversations.system_prompt IS 'The system prompt''s text, pinned: editing a shared prompt never changes a conversation''s history';
COMMENT ON COLUMN chat.conversations.active_leaf_id IS 'The last message of the branch that is shown and continued; NULL before the first message';
COMMENT ON COLUMN chat.conversations.last_message_at IS 'When a message was last added or finished; the time of creation before the first';
