-- Messages: the nodes of each conversation's tree, replies in progress included.

-- Lists are array constants here: the checks of a table are read and prepared by each statement that writes to it, which takes three
-- times as long for IN (…).
CREATE TABLE chat.messages (
  user_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT chat.uuid_v7(),
  conversation_id uuid NOT NULL,
  parent_id uuid,
  role text NOT NULL CHECK (role = ANY ('{system,user,assistant,tool}')),
  status text NOT NULL DEFAULT 'complete'
    CHECK (status = ANY ('{pending,streaming,complete,incomplete,error,cancelled}')),
  content text NOT NULL DEFAULT '',
  content_hash bytea,
  thinking text,
  tool_calls jsonb,
  tool_call_id text,
  model text,
  finish_reason text,
  error jsonb,
  input_tokens integer,
  output_tokens integer,
  cached_tokens integer,
  cost numeric,
  latency_ms integer,
  first_token_ms integer,
  last_seq integer,
  idempotency_key text CHECK (char_length(idempotency_key) <= 255),
  attachment_count smallint NOT NULL DEFAULT 0,
  author_id uuid,
  rating smallint CHECK (rating = ANY ('{-1,1}')),
  feedback text CHECK (char_length(feedback) <= 10000),
  metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, id),
  FOREIGN KEY (user_id, conversation_id) REFERENCES chat.conversations (user_id, id) ON DELETE CASCADE DEFERRABLE,
  FOREIGN KEY (user_id, parent_id) REFERENCES chat.messages (user_id, id) ON DELETE CASCADE DEFERRABLE
) WITH (fillfactor = 70);
-- A checkpoint writes the whole text again, and pglz took a sixteenth of the engine's time at 1,000 streams; not every
-- server is built with lz4, and one without keeps its default.
DO $$
BEGIN
  ALTER TABLE chat.messages ALTER COLUMN content SET COMPRESSION lz4, ALTER COLUMN thinking SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
  RAISE DEBUG 'chat.messages keeps the default compression: %', SQLERRM;
END
$$;
-- No index names a column that changes while a reply streams, and each page keeps room for the next version of a row:
-- so checkpoints are heap-only updates.
-- The predicates keep the planner from taking these indexes for a look-up by (user_id, id), as it does where a plan is made,
-- and kept, while the table is small and all its indexes cost the same.
CREATE INDEX messages_conversation_idx ON chat.messages (user_id, conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX messages_parent_idx ON chat.messages (user_id, parent_id) WHERE parent_id IS NOT NULL;
-- The siblings of a conversation's first message.
CREATE INDEX messages_root_idx ON chat.messages (user_id, conversation_id, id) WHERE parent_id IS NULL;
CREATE UNIQUE INDEX messages_idempotency_idx ON chat.messages (user_id, conversation_id, idempotency_key)
  WHERE idempotency_key IS NOT NULL;
COMMENT ON TABLE chat.messages IS 'One row for each message. parent_id makes a tree: editing or regenerating adds a sibling and overwrites nothing.';
COMMENT ON COLUMN chat.messages.status IS 'pending (not sent yet), streaming, complete, incomplete (cut off; the text so far is kept), error, cancelled';
COMMENT ON COLUMN chat.messages.content_hash IS 'SHA-256 of content in UTF-8; NULL while a reply is in progress';
COMMENT ON COLUMN chat.messages.tool_calls IS 'Array of {id, type, function: {name, arguments}}; NULL where there are none';
COMMENT ON COLUMN chat.messages.tool_call_id IS 'For role tool: the call that this message answers';
COMMENT ON COLUMN chat.messages.error IS 'Why a reply failed: {code, sqlstate, message, hint}';
COMMENT ON COLUMN chat.messages.input_tokens IS 'Tokens of the whole prompt, the cached part included';
COMMENT ON COLUMN chat.messages.latency_ms IS 'Milliseconds from sending the request to the end of the reply';
COMMENT ON COLUMN chat.messages.first_token_ms IS 'Milliseconds from sending the request to the first token';
COMMENT ON COLUMN chat.messages.last_seq IS 'The number of the stream''s last event';
COMMENT ON COLUMN chat.messages.metadata IS 'sanitized: true where U+FFFD stands for bytes of the provider that were no text; the rest is the application''s';
COMMENT ON COLUMN chat.messages.idempotency_key IS 'Given by the client: a second chat.send_message with it returns the first one''s ids';
COMMENT ON COLUMN chat.messages.attachment_count IS 'How many rows of chat.message_attachments it has';
COMMENT ON COLUMN chat.messages.author_id IS 'Who wrote it where that was not the owner: somebody with whom the conversation is shared, or its owner before it was reassigned';
COMMENT ON COLUMN chat.messages.rating IS 'What its owner thinks of a reply: 1 good, -1 bad, NULL not told';
COMMENT ON COLUMN chat.messages.feedback IS 'The comment to the rating';
