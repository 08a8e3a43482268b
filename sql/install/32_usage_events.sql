-- Usage: what every call to a model used and cost.

CREATE TABLE chat.usage_events (
  -- No foreign key: what was spent stays known when the account is gone. The nil UUID is an operator without an identity.
  user_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT chat.uuid_v7(),
  request_id uuid,
  conversation_id uuid,
  message_id uuid,
  model text,
  provider text,
  input_tokens integer,
  output_tokens integer,
  cached_tokens integer,
  cost numeric,
  is_estimated boolean NOT NULL DEFAULT false,
  outcome text NOT NULL CHECK (outcome IN ('complete', 'incomplete', 'error', 'cancelled')),
  latency_ms integer,
  first_token_ms integer,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (user_id, id)
);
COMMENT ON TABLE chat.usage_events IS 'One row for each call to a model, failed ones included, written by the engine whatever becomes of the caller''s transaction';
COMMENT ON COLUMN chat.usage_events.cost IS 'In the currency of the model''s prices; NULL where the model has no prices';
COMMENT ON COLUMN chat.usage_events.is_estimated IS 'True where the provider did not report tokens and pgchat counted them itself';
