-- What was spent stays known when a person goes: their usage becomes nobody's.

CREATE OR REPLACE FUNCTION chat_private.anonymise_rollups(user_id uuid, nobody uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  taken chat.usage_rollups[];
  previous chat_private.identity;
BEGIN
  WITH removed AS (DELETE FROM chat.usage_rollups r WHERE r.user_id = anonymise_rollups.user_id RETURNING r.*)
  SELECT array_agg(x::chat.usage_rollups) INTO taken FROM removed x;
  previous := chat_private.act_as(anonymise_rollups.nobody);
  INSERT INTO chat.usage_rollups AS r
  SELECT anonymise_rollups.nobody, t.day, t.model, t.provider, t.attempts, t.failed, t.estimated, t.input_tokens, t.output_tokens,
         t.cached_tokens, t.cost, t.own_key_cost
  FROM unnest(taken) t
  ON CONFLICT (user_id, day, model, provider) DO UPDATE SET attempts = r.attempts + excluded.attempts,
    failed = r.failed + excluded.failed, estimated = r.estimated + excluded.estimated,
    input_tokens = r.input_tokens + excluded.input_tokens, output_tokens = r.output_tokens + excluded.output_tokens,
    cached_tokens = r.cached_tokens + excluded.cached_tokens, cost = r.cost + excluded.cost,
    own_key_cost = r.own_key_cost + excluded.own_key_cost;
  PERFORM chat_private.switch_identity(previous);
  WITH removed AS (
    DELETE FROM chat_private.usage_totals t WHERE t.kind = 'user' AND t.key = anonymise_rollups.user_id::text RETURNING t.*)
  INSERT INTO chat_private.usage_totals AS r
  SELECT x.kind, x.day, anonymise_rollups.nobody::text, x.attempts, x.failed, x.estimated, x.input_tokens, x.output_tokens,
         x.cached_tokens, x.cost, x.own_key_cost
  FROM removed x
  ON CONFLICT (kind, day, key) DO UPDATE SET attempts = r.attempts + excluded.attempts, failed = r.failed + excluded.failed,
    estimated = r.estimated + excluded.estimated, input_tokens = r.input_tokens + excluded.input_tokens,
    output_tokens = r.output_tokens + excluded.output_tokens, cached_tokens = r.cached_tokens + excluded.cached_tokens,
    cost = r.cost + excluded.cost, own_key_cost = r.own_key_cost + excluded.own_key_cost;
END
$$;
COMMENT ON FUNCTION chat_private.anonymise_rollups(uuid, uuid) IS
'chat_private.anonymise_usage for the sums; the caller holds the lock on chat_private.usage_progress.';

CREATE OR REPLACE FUNCTION chat_private.anonymise_usage(user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  nobody CONSTANT uuid := uuid 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  batch chat.usage_events[];
  previous chat_private.identity;
BEGIN
  -- The engine adds nothing to the sums meanwhile.
  PERFORM FROM chat_private.usage_progress p FOR UPDATE;
  PERFORM chat_private.anonymise_rollups(anonymise_usage.user_id, nobody);
  LOOP
    WITH taken AS (
      DELETE FROM chat.usage_events e
      WHERE e.user_id = anonymise_usage.user_id
        AND e.id IN (SELECT f.id FROM chat.usage_events f WHERE f.user_id = anonymise_usage.user_id ORDER BY f.id LIMIT 1000)
      RETURNING e.*
    )
    SELECT array_agg(t::chat.usage_events) INTO batch FROM taken t;
    EXIT WHEN batch IS NULL;
    previous := chat_private.act_as(nobody);
    INSERT INTO chat.usage_events (user_id, id, seq, attempt, model, provider, input_tokens, output_tokens, cached_tokens, cost,
                                   is_estimated, is_cached, is_own_key, outcome, error_code, latency_ms, first_token_ms, created_at)
    SELECT nobody, b.id, b.seq, b.attempt, b.model, b.provider, b.input_tokens, b.output_tokens, b.cached_tokens, b.cost,
           b.is_estimated, b.is_cached, b.is_own_key, b.outcome, b.error_code, b.latency_ms, b.first_token_ms, b.created_at
    FROM unnest(batch) b;
    PERFORM chat_private.switch_identity(previous);
  END LOOP;
END
$$;
COMMENT ON FUNCTION chat_private.anonymise_usage(uuid) IS
'Makes a user''s usage, as whom the caller acts, that of the UUID of only ones, and removes what leads to a conversation: what
was spent stays known.';

CREATE OR REPLACE FUNCTION chat_private.anonymise_late_usage(max_accounts integer) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity;
  former_user_ids uuid[];
  former_user_id uuid;
BEGIN
  -- The engine waits for nobody who removes an account.
  PERFORM FROM chat_private.usage_progress p FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
  previous := chat_private.enter_gate();
  former_user_ids := ARRAY(
    SELECT r.former_user_id FROM chat_private.audit_erasures r
    WHERE r.created_at > clock_timestamp() - interval '1 hour'
      AND EXISTS (SELECT FROM chat.usage_events e WHERE e.user_id = r.former_user_id)
    LIMIT anonymise_late_usage.max_accounts);
  FOREACH former_user_id IN ARRAY former_user_ids LOOP
    PERFORM chat_private.act_as(former_user_id);
    PERFORM chat_private.anonymise_usage(former_user_id);
  END LOOP;
  PERFORM chat_private.switch_identity(previous);
  RETURN cardinality(former_user_ids);
END
$$;
COMMENT ON FUNCTION chat_private.anonymise_late_usage(integer) IS
'chat_private.anonymise_usage for calls that were under way when their account was removed, of at most so many accounts: the engine records
what a call used after it has ended. For the engine; returns how many accounts there were.';
