-- Reports of usage: sums by day and model, of one's own and of all, and what a conversation cost.
--
-- Without just-in-time compilation: over many partitions it takes longer than the queries.

CREATE OR REPLACE FUNCTION chat_private.usage_watermark() RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN coalesce((SELECT p.rolled_up_to FROM chat_private.usage_progress p), 0);
END
$$;
COMMENT ON FUNCTION chat_private.usage_watermark() IS 'The seq of the last usage event that is in the roll-ups; 0: none is.';

CREATE OR REPLACE FUNCTION chat_private.utc_day(moment timestamptz) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (moment AT TIME ZONE 'UTC')::date;
COMMENT ON FUNCTION chat_private.utc_day(timestamptz) IS 'The day of a moment, in UTC.';

CREATE OR REPLACE VIEW chat.usage_by_model WITH (security_invoker = true) AS
  SELECT u.user_id, u.day, u.model, u.provider, sum(u.attempts)::bigint AS attempts, sum(u.failed)::bigint AS failed,
         sum(u.estimated)::bigint AS estimated, sum(u.input_tokens)::bigint AS input_tokens,
         sum(u.output_tokens)::bigint AS output_tokens, sum(u.cached_tokens)::bigint AS cached_tokens, sum(u.cost) AS cost
  FROM (SELECT r.user_id, r.day, r.model, r.provider, r.attempts, r.failed, r.estimated, r.input_tokens, r.output_tokens,
               r.cached_tokens, r.cost
        FROM chat.usage_rollups r
        UNION ALL
        SELECT e.user_id, chat_private.utc_day(e.created_at), coalesce(e.model, ''), coalesce(e.provider, ''), 1,
               (e.outcome <> 'complete')::integer, e.is_estimated::integer, coalesce(e.input_tokens, 0),
               coalesce(e.output_tokens, 0), coalesce(e.cached_tokens, 0), coalesce(e.cost, 0)
        FROM chat.usage_events e WHERE e.seq > chat_private.usage_watermark()) u
  GROUP BY u.user_id, u.day, u.model, u.provider;
COMMENT ON VIEW chat.usage_by_model IS 'Usage of each user by day (UTC), model and provider: attempts, failed ones, those estimated, tokens, cost. Each sees their own, pgchat_service all. Equals the sums over chat.usage_events exactly, and keeps days whose events are dropped';
COMMENT ON COLUMN chat.usage_by_model.user_id IS 'Whose; the nil UUID: calls of pgchat_service without a user; that of only ones: removed accounts';
COMMENT ON COLUMN chat.usage_by_model.day IS 'In UTC';
COMMENT ON COLUMN chat.usage_by_model.model IS 'Empty where the event has none';
COMMENT ON COLUMN chat.usage_by_model.provider IS 'Empty where the event has none';
COMMENT ON COLUMN chat.usage_by_model.attempts IS 'Requests to the provider, retries and kept replies included';
COMMENT ON COLUMN chat.usage_by_model.failed IS 'Attempts whose outcome is not complete';
COMMENT ON COLUMN chat.usage_by_model.estimated IS 'Attempts whose tokens are estimated';
COMMENT ON COLUMN chat.usage_by_model.input_tokens IS 'Tokens of prompts, those that providers had cached included';
COMMENT ON COLUMN chat.usage_by_model.output_tokens IS 'Tokens of replies';
COMMENT ON COLUMN chat.usage_by_model.cached_tokens IS 'The part of input_tokens that providers had cached';
COMMENT ON COLUMN chat.usage_by_model.cost IS 'In the currency of the models'' prices';

CREATE OR REPLACE VIEW chat.usage_by_day WITH (security_invoker = true) AS
  SELECT m.user_id, m.day, sum(m.attempts)::bigint AS attempts, sum(m.failed)::bigint AS failed,
         sum(m.estimated)::bigint AS estimated, sum(m.input_tokens)::bigint AS input_tokens,
         sum(m.output_tokens)::bigint AS output_tokens, sum(m.cached_tokens)::bigint AS cached_tokens, sum(m.cost) AS cost
  FROM chat.usage_by_model m GROUP BY m.user_id, m.day;
COMMENT ON VIEW chat.usage_by_day IS 'chat.usage_by_model without regard to the model';
COMMENT ON COLUMN chat.usage_by_day.user_id IS 'Whose; the nil UUID: calls of pgchat_service without a user; that of only ones: removed accounts';
COMMENT ON COLUMN chat.usage_by_day.day IS 'In UTC';
COMMENT ON COLUMN chat.usage_by_day.attempts IS 'Requests to the provider, retries and kept replies included';
COMMENT ON COLUMN chat.usage_by_day.failed IS 'Attempts whose outcome is not complete';
COMMENT ON COLUMN chat.usage_by_day.estimated IS 'Attempts whose tokens are estimated';
COMMENT ON COLUMN chat.usage_by_day.input_tokens IS 'Tokens of prompts, those that providers had cached included';
COMMENT ON COLUMN chat.usage_by_day.output_tokens IS 'Tokens of replies';
COMMENT ON COLUMN chat.usage_by_day.cached_tokens IS 'The part of input_tokens that providers had cached';
COMMENT ON COLUMN chat.usage_by_day.cost IS 'In the currency of the models'' prices';

CREATE OR REPLACE FUNCTION chat.my_usage(since date DEFAULT NULL, until date DEFAULT NULL)
RETURNS TABLE (model text, provider text, attempts bigint, failed bigint, estimated bigint, input_tokens bigint,
               output_tokens bigint, cached_tokens bigint, cost numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  first_day date := coalesce(my_usage.since, date_trunc('month', chat_private.utc_day(clock_timestamp()))::date);
  last_day date := coalesce(my_usage.until, chat_private.utc_day(clock_timestamp()));
BEGIN
  RETURN QUERY
    SELECT u.model, u.provider, sum(u.attempts)::bigint, sum(u.failed)::bigint, sum(u.estimated)::bigint,
           sum(u.input_tokens)::bigint, sum(u.output_tokens)::bigint, sum(u.cached_tokens)::bigint, sum(u.cost)
    FROM chat.usage_by_model u WHERE u.user_id = caller_id AND u.day BETWEEN first_day AND last_day
    GROUP BY u.model, u.provider ORDER BY sum(u.cost) DESC, u.model, u.provider;
END
$$;
COMMENT ON FUNCTION chat.my_usage(date, date) IS
'What the current user has used, by model, the dearest first. since, until: days in UTC, both included; by default from the
first of this month until today. cost is in the currency of the models'' prices.
Errors: 28000 nobody is authenticated.';

CREATE OR REPLACE FUNCTION chat.conversation_cost(conversation_id uuid) RETURNS numeric
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  payers uuid[];
  result numeric;
  previous chat_private.identity;
BEGIN
  IF conversation_cost.conversation_id IS NULL THEN
    RAISE EXCEPTION 'conversation_id must not be null' USING ERRCODE = '22004';
  END IF;
  SELECT c.former_owner_ids || caller_id INTO payers
  FROM chat.conversations c WHERE c.user_id = caller_id AND c.id = conversation_cost.conversation_id;
  IF NOT FOUND THEN
    PERFORM chat_private.conversation_not_found();
  END IF;
  previous := chat_private.enter_gate();
  SELECT coalesce(sum(e.cost), 0) INTO result FROM chat.usage_events e
  WHERE e.user_id = ANY (payers) AND e.conversation_id = conversation_cost.conversation_id;
  PERFORM chat_private.switch_identity(previous);
  RETURN result;
END
$$;
COMMENT ON FUNCTION chat.conversation_cost(uuid) IS
'What a conversation of the current user has cost: all its calls, failed and repeated ones included, whose events are still
kept (setting usage_retention); also those of users who had it before it was reassigned, as long as their accounts exist.
Errors: 28000 nobody is authenticated; 22004 conversation_id is NULL; P0002 no such conversation of mine.';

CREATE OR REPLACE FUNCTION chat.admin_usage(from_time timestamptz DEFAULT NULL, to_time timestamptz DEFAULT NULL,
                                            group_by text DEFAULT 'day')
RETURNS TABLE (key text, attempts bigint, failed bigint, estimated bigint, input_tokens bigint, output_tokens bigint,
               cached_tokens bigint, cost numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  first_day date := chat_private.utc_day(coalesce(admin_usage.from_time, date_trunc('month', clock_timestamp(), 'UTC')));
  last_day date := chat_private.utc_day(coalesce(admin_usage.to_time, clock_timestamp()));
  wanted_kind text := CASE WHEN admin_usage.group_by IN ('day', 'month') THEN 'all' ELSE admin_usage.group_by END;
  previous chat_private.identity;
BEGIN
  PERFORM chat_private.require_admin();
  IF coalesce(admin_usage.group_by, '') NOT IN ('day', 'month', 'user', 'model', 'provider', 'outcome') THEN
    RAISE EXCEPTION 'group_by is not valid' USING ERRCODE = '22023',
      HINT = 'It is day, month, user, model, provider or outcome.';
  END IF;
  previous := chat_private.enter_gate();
  RETURN QUERY
    SELECT CASE admin_usage.group_by WHEN 'day' THEN u.day::text WHEN 'month' THEN to_char(u.day, 'YYYY-MM') ELSE u.key END,
           sum(u.attempts)::bigint, sum(u.failed)::bigint, sum(u.estimated)::bigint, sum(u.input_tokens)::bigint,
           sum(u.output_tokens)::bigint, sum(u.cached_tokens)::bigint, sum(u.cost)
    FROM (SELECT t.day, t.key, t.attempts, t.failed, t.estimated, t.input_tokens, t.output_tokens, t.cached_tokens, t.cost
          FROM chat_private.usage_totals t WHERE t.kind = wanted_kind AND t.day BETWEEN first_day AND last_day
          UNION ALL
          SELECT chat_private.utc_day(e.created_at),
                 CASE wanted_kind WHEN 'user' THEN e.user_id::text WHEN 'model' THEN coalesce(e.model, '')
                                  WHEN 'provider' THEN coalesce(e.provider, '') WHEN 'outcome' THEN e.outcome ELSE '' END,
                 1, (e.outcome <> 'complete')::integer, e.is_estimated::integer, coalesce(e.input_tokens, 0),
                 coalesce(e.output_tokens, 0), coalesce(e.cached_tokens, 0), coalesce(e.cost, 0)
          FROM chat.usage_events e
          WHERE e.seq > chat_private.usage_watermark()
            AND chat_private.utc_day(e.created_at) BETWEEN first_day AND last_day) u
    GROUP BY 1 ORDER BY 1;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat.admin_usage(timestamptz, timestamptz, text) IS
'What all users have used, in sums: exactly those of chat.usage_events. from_time, to_time: the whole days in UTC that these
moments are in, and those between; by default from the first of this month until today. group_by: day, month, user (key is
the id; that of only ones is all removed accounts), model, provider or outcome.
Errors: 42501 not an administrator; 22023 group_by.';
