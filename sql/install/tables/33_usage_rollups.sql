-- Sums of usage events, so that reports read days and not calls. What is not in them yet is the tail: the events whose seq is
-- greater than rolled_up_to. A sum and the tail are always of one snapshot, so together they are exact.

CREATE TABLE chat.usage_rollups (
  user_id uuid NOT NULL,
  day date NOT NULL,
  model text NOT NULL,
  provider text NOT NULL,
  attempts bigint NOT NULL,
  failed bigint NOT NULL,
  estimated bigint NOT NULL,
  input_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  cached_tokens bigint NOT NULL,
  cost numeric NOT NULL,
  own_key_cost numeric NOT NULL,
  PRIMARY KEY (user_id, day, model, provider)
) WITH (fillfactor = 80);
COMMENT ON TABLE chat.usage_rollups IS 'Usage of each user by day (UTC), model and provider, without the events that are not rolled up yet: chat.usage_by_model has those, too';
COMMENT ON COLUMN chat.usage_rollups.model IS 'Empty where the event has none';
COMMENT ON COLUMN chat.usage_rollups.failed IS 'Attempts whose outcome is not complete';
COMMENT ON COLUMN chat.usage_rollups.estimated IS 'Attempts whose tokens are estimated';
COMMENT ON COLUMN chat.usage_rollups.own_key_cost IS 'The part of cost that went with a key of the user''s own';

CREATE TABLE chat_private.usage_totals (
  kind text NOT NULL CHECK (kind IN ('all', 'user', 'model', 'provider', 'outcome', 'error')),
  day date NOT NULL,
  key text NOT NULL,
  attempts bigint NOT NULL,
  failed bigint NOT NULL,
  estimated bigint NOT NULL,
  input_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  cached_tokens bigint NOT NULL,
  cost numeric NOT NULL,
  own_key_cost numeric NOT NULL,
  PRIMARY KEY (kind, day, key)
) WITH (fillfactor = 80);
COMMENT ON TABLE chat_private.usage_totals IS 'The same of all users together, by day (UTC) and one property of the events: kind says which, key is its value';

CREATE TABLE chat_private.usage_progress (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  rolled_up_to bigint NOT NULL
);
COMMENT ON TABLE chat_private.usage_progress IS 'How far events are rolled up: at most one row; none before the first time';
COMMENT ON COLUMN chat_private.usage_progress.rolled_up_to IS 'The greatest chat.usage_events.seq that is in the sums';
