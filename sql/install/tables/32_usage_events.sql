-- Usage: what every request to a provider used and cost, in partitions of a month.

-- In the order in which the engine, which alone writes events, has committed them.
CREATE SEQUENCE chat_private.usage_seq;

CREATE TABLE chat.usage_events (
  -- No foreign key: what was spent stays known when the account is gone. The nil UUID is an operator without an identity.
  user_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT chat.uuid_v7(),
  seq bigint NOT NULL DEFAULT nextval('chat_private.usage_seq'),
  request_id uuid,
  attempt integer NOT NULL DEFAULT 1 CHECK (attempt > 0),
  conversation_id uuid,
  message_id uuid,
  deliberation_id uuid,
  model text,
  provider text,
  input_tokens integer,
  output_tokens integer,
  cached_tokens integer,
  cost numeric,
  is_estimated boolean NOT NULL DEFAULT false,
  is_cached boolean NOT NULL DEFAULT false,
  is_own_key boolean NOT NULL DEFAULT false,
  outcome text NOT NULL CHECK (outcome = ANY ('{complete,incomplete,error,cancelled}')),
  error_code text,
  latency_ms integer,
  first_token_ms integer,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
) PARTITION BY RANGE (created_at);
COMMENT ON TABLE chat.usage_events IS 'One row for each request to a provider, failed and repeated ones included, written by the engine whatever becomes of the caller''s transaction. Partitions of a month are chat_private.usage_events_YYYY_MM; the setting usage_retention drops them';
COMMENT ON COLUMN chat.usage_events.seq IS 'Grows with each event; says which are in the roll-ups already';
COMMENT ON COLUMN chat.usage_events.request_id IS 'The call, which all its attempts share';
COMMENT ON COLUMN chat.usage_events.attempt IS 'Which request of the call it was, from 1; further ones are retries and other models';
COMMENT ON COLUMN chat.usage_events.deliberation_id IS 'The deliberation that the call was made for; NULL: none';
COMMENT ON COLUMN chat.usage_events.input_tokens IS 'Tokens of the prompt, those the provider had cached included';
COMMENT ON COLUMN chat.usage_events.output_tokens IS 'Tokens of the reply, thinking included';
COMMENT ON COLUMN chat.usage_events.cached_tokens IS 'The part of input_tokens that the provider had cached';
COMMENT ON COLUMN chat.usage_events.cost IS 'In the currency of the model''s prices; 0 where the model has none';
COMMENT ON COLUMN chat.usage_events.is_estimated IS 'True where the provider did not report all tokens and pgchat estimated them';
COMMENT ON COLUMN chat.usage_events.is_cached IS 'True where an earlier reply was given again and no provider asked';
COMMENT ON COLUMN chat.usage_events.is_own_key IS 'True where the request went with a key of the user''s own';
COMMENT ON COLUMN chat.usage_events.outcome IS 'complete; incomplete: the reply broke off; error: it failed; cancelled: it was called off';
COMMENT ON COLUMN chat.usage_events.error_code IS 'Why outcome is not complete: a name of docs/errors.md';
COMMENT ON COLUMN chat.usage_events.latency_ms IS 'Milliseconds from sending this request to its end';
COMMENT ON COLUMN chat.usage_events.first_token_ms IS 'Milliseconds from sending this request to its first token';

-- Each partition has indexes of its own, and the whole table none: a dump that is restored finds the table there, made by
-- CREATE EXTENSION, and brings its partitions with their indexes, which would then be there already.
CREATE TABLE chat_private.usage_events_default PARTITION OF chat.usage_events (PRIMARY KEY (user_id, id)) DEFAULT;
CREATE INDEX usage_events_default_seq_idx ON chat_private.usage_events_default (seq);
CREATE INDEX usage_events_default_conversation_idx ON chat_private.usage_events_default (user_id, conversation_id)
  WHERE conversation_id IS NOT NULL;
COMMENT ON TABLE chat_private.usage_events_default IS 'Usage events of months that have no partition of their own';
