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
  system_prompt_id uuid,
  -- No foreign key: it would be circular, and cost a check for each message sent.
  active_leaf_id uuid,
  folder_id uuid,
  tags text[] NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 50),
  title_source text NOT NULL DEFAULT 'default' CHECK (title_source = ANY ('{default,given,rule,model}')),
  context_strategy text CHECK (context_strategy = ANY ('{truncate_oldest,summarize,error}')),
  context_reserve integer CHECK (context_reserve > 0),
  summary_model text,
  last_reply_at timestamptz,
  last_read_at timestamptz NOT NULL DEFAULT now(),
  is_unread boolean NOT NULL GENERATED ALWAYS AS (coalesce(last_reply_at > last_read_at, false)) STORED,
  forked_from_id uuid,
  forked_at_message_id uuid,
  reassigned_from uuid,
  former_owner_ids uuid[] NOT NULL DEFAULT '{}',
  metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  last_message_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, id)
) WITH (fillfactor = 80);
-- Serves chat.list_conversations: the owner's rows, archived or not, in their order. The owner comes second, so that this
-- index never looks as good as the key for a look-up by (user_id, id): else it may be taken where a plan is made, and kept,
-- while the table is small and all its indexes cost the same. No index names what a finished reply changes.
CREATE INDEX conversations_recent_idx ON chat.conversations
  (is_archived, user_id, is_pinned DESC, last_message_at DESC);
CREATE INDEX conversations_folder_idx ON chat.conversations (user_id, folder_id) WHERE folder_id IS NOT NULL;
-- For who knows the conversation and not its owner: supervisors, administrators.
CREATE INDEX conversations_id_idx ON chat.conversations (id);
COMMENT ON TABLE chat.conversations IS 'One row for each conversation. Its owner may update title, description, is_pinned and is_archived directly.';
COMMENT ON COLUMN chat.conversations.model IS 'The model of its replies; NULL: the user''s default, else the installation''s';
COMMENT ON COLUMN chat.conversations.system_prompt IS 'The system prompt''s text, pinned: editing a shared prompt never changes a conversation''s history';
COMMENT ON COLUMN chat.conversations.system_prompt_id IS 'The row of chat.system_prompts that the text was taken from; NULL: from none. It may be gone';
COMMENT ON COLUMN chat.conversations.folder_id IS 'The row of chat.folders it lies in; NULL: in none';
COMMENT ON COLUMN chat.conversations.title_source IS 'Where the title comes from: given by its owner; rule; model; default: none yet, the first message brings one';
COMMENT ON COLUMN chat.conversations.context_strategy IS 'What is done where its messages do not fit the model''s context window; NULL: the setting context_strategy';
COMMENT ON COLUMN chat.conversations.context_reserve IS 'Tokens of the context window that are kept for the answer; NULL: the setting context_reserve';
COMMENT ON COLUMN chat.conversations.summary_model IS 'The model that writes summaries of older parts; NULL: the setting summary_model, else its own';
COMMENT ON COLUMN chat.conversations.last_reply_at IS 'When a reply last ended; NULL: none has';
COMMENT ON COLUMN chat.conversations.last_read_at IS 'When its owner last sent a message or marked it as read';
COMMENT ON COLUMN chat.conversations.is_unread IS 'Whether a reply ended since its owner last read it';
COMMENT ON COLUMN chat.conversations.forked_from_id IS 'The conversation it was copied from; NULL: none';
COMMENT ON COLUMN chat.conversations.forked_at_message_id IS 'The last message that was copied, by its id there';
COMMENT ON COLUMN chat.conversations.reassigned_from IS 'The user who owned it before it was reassigned; NULL: it never was';
COMMENT ON COLUMN chat.conversations.former_owner_ids IS 'All users who owned it before, and whose usage has a part of what it cost';
COMMENT ON COLUMN chat.conversations.active_leaf_id IS 'The last message of the branch that is shown and continued; NULL before the first message';
COMMENT ON COLUMN chat.conversations.last_message_at IS 'When a message was last added or finished; the time of creation before the first';
