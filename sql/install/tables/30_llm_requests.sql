-- The durable queue: requests written in the caller's transaction, which the engine sends after commit.

CREATE TABLE chat_private.llm_requests (
  -- No foreign key on the user alone: an operator without an identity is the nil UUID.
  user_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT chat.uuid_v7(),
  message_id uuid,
  conversation_id uuid,
  purpose text CHECK (purpose = ANY ('{title,summary,deliberation}')),
  waits_for uuid,
  state text NOT NULL DEFAULT 'queued'
    CHECK (state = ANY ('{waiting,queued,running,complete,incomplete,error,cancelled}')),
  queued_at timestamptz DEFAULT clock_timestamp(),
  model text NOT NULL,
  messages jsonb,
  system_prompt text,
  response_format jsonb,
  options jsonb NOT NULL DEFAULT '{}',
  timeout_ms integer CHECK (timeout_ms > 0),
  result jsonb,
  error jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  finished_at timestamptz,
  PRIMARY KEY (user_id, id),
  FOREIGN KEY (user_id, message_id) REFERENCES chat.messages (user_id, id) ON DELETE CASCADE DEFERRABLE,
  CHECK ((state = 'queued') = (queued_at IS NOT NULL)),
  CHECK ((state = 'waiting') = (waits_for IS NOT NULL)),
  CHECK ((message_id IS NULL) = (messages IS NOT NULL))
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);
-- queued_at is cleared by the claim: that leaves the index small, and makes the later update that finishes a row heap-only.
-- In the order of the claim, which goes round the users who wait for each model.
CREATE INDEX llm_requests_queue_idx ON chat_private.llm_requests (model, user_id, queued_at) WHERE queued_at IS NOT NULL;
CREATE INDEX llm_requests_message_idx ON chat_private.llm_requests (user_id, message_id) WHERE message_id IS NOT NULL;
-- Side requests are few, and their rows go when they have ended: so most probes find this empty.
CREATE INDEX llm_requests_side_idx ON chat_private.llm_requests (user_id, conversation_id) WHERE purpose IS NOT NULL;
CREATE INDEX llm_requests_waiting_idx ON chat_private.llm_requests (user_id, waits_for) WHERE waits_for IS NOT NULL;
-- Those of chat.llm_submit alone, for the setting request_retention; none of its columns is ever changed.
CREATE INDEX llm_requests_retention_idx ON chat_private.llm_requests (created_at) WHERE message_id IS NULL AND purpose IS NULL;
-- Of what a dump brought that was under way: mostly empty.
CREATE INDEX llm_requests_restored_idx ON chat_private.llm_requests (user_id, id) WHERE started_at = '-infinity';
COMMENT ON TABLE chat_private.llm_requests IS 'Requests to models that survive a crash: replies of conversations (message_id set) and those of chat.llm_submit (messages set)';
COMMENT ON COLUMN chat_private.llm_requests.queued_at IS 'When it was queued; NULL once the engine has taken it or it was cancelled';
COMMENT ON COLUMN chat_private.llm_requests.timeout_ms IS 'Milliseconds for the whole call; NULL: the engine''s default';
COMMENT ON COLUMN chat_private.llm_requests.started_at IS 'When the engine took it; -infinity: a restored dump brought it as running, which it is not here';
COMMENT ON COLUMN chat_private.llm_requests.result IS 'What chat.llm_result returns; NULL for replies of conversations, whose message row holds it';
COMMENT ON COLUMN chat_private.llm_requests.purpose IS 'What a request of pgchat''s own is for: the title, or a summary, of conversation_id, or the step of a deliberation that has the same id; NULL: somebody asked';
COMMENT ON COLUMN chat_private.llm_requests.waits_for IS 'The message, or the request, that must end before this one is queued';
