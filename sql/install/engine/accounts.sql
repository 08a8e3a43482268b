-- What the engine reads of accounts, many at once: limits, and what has been used of them.
--
-- One user and a hundred want the same plans, and making them for their number takes longer than reading one.

CREATE OR REPLACE FUNCTION chat_private.pico_cost(cost numeric) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN cost IS NOT NULL THEN least(round(cost * 1000000000000), 9223372036854775807)::bigint END;
COMMENT ON FUNCTION chat_private.pico_cost(numeric) IS 'A cost in units of 10^-12, as the engine counts; the largest there is where it is larger.';

CREATE OR REPLACE FUNCTION chat_private.charged_cost(cost numeric, own_key_cost numeric, own_keys_exempt boolean) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN own_keys_exempt THEN cost - own_key_cost ELSE cost END;
COMMENT ON FUNCTION chat_private.charged_cost(numeric, numeric, boolean) IS 'What of a cost counts against a budget.';

CREATE OR REPLACE FUNCTION chat_private.usage_tail_from(rolled_up_to bigint) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  -- How much earlier the clock of another session may be; the engine's own ids never go back.
  margin CONSTANT interval := '10 seconds';
  last_id CONSTANT uuid := (SELECT e.id FROM chat.usage_events e WHERE e.seq = usage_tail_from.rolled_up_to);
  made_ms CONSTANT bigint := ('x' || left(translate(last_id::text, '-', ''), 12))::bit(48)::bigint;
BEGIN
  RETURN coalesce(chat_private.id_at(to_timestamp(made_ms / 1000.0) - margin), '00000000-0000-0000-0000-000000000000');
END
$$;
COMMENT ON FUNCTION chat_private.usage_tail_from(bigint) IS
'An id that no usage event is below whose seq is greater than this one, as both grow with time: so one user''s events which are not in the
roll-ups yet are found by the key, however many others have. The nil UUID where the event of that seq is gone.';

CREATE OR REPLACE FUNCTION chat_private.used_by(user_ids uuid[], own_keys_exempt boolean)
RETURNS TABLE (user_id uuid, tokens_today bigint, cost_this_month numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET jit = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
  everybody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
  today CONSTANT date := chat_private.utc_day(clock_timestamp());
  month_start CONSTANT date := date_trunc('month', today)::date;
  rolled_up_to CONSTANT bigint := chat_private.usage_watermark();
  tail_from CONSTANT uuid := chat_private.usage_tail_from(rolled_up_to);
BEGIN
  RETURN QUERY
    SELECT s.user_id, sum(s.tokens) FILTER (WHERE s.day = today)::bigint, sum(s.cost)
    FROM (SELECT r.user_id, r.day, r.input_tokens + r.output_tokens AS tokens,
                 chat_private.charged_cost(r.cost, r.own_key_cost, used_by.own_keys_exempt) AS cost
          FROM unnest(used_by.user_ids) a (user_id) JOIN chat.usage_rollups r ON r.user_id = a.user_id
          WHERE r.day >= month_start AND a.user_id <> everybody
          UNION ALL
          SELECT everybody, t.day, t.input_tokens + t.output_tokens,
                 chat_private.charged_cost(t.cost, t.own_key_cost, used_by.own_keys_exempt)
          FROM chat_private.usage_totals t
          WHERE t.kind = 'all' AND t.day >= month_start AND everybody = ANY (used_by.user_ids)
          UNION ALL
          SELECT e.user_id, chat_private.utc_day(e.created_at), coalesce(e.input_tokens, 0)::bigint + coalesce(e.output_tokens, 0),
                 CASE WHEN used_by.own_keys_exempt AND e.is_own_key THEN 0 ELSE coalesce(e.cost, 0) END
          FROM (SELECT a.user_id, v.created_at, v.input_tokens, v.output_tokens, v.cost, v.is_own_key
                FROM unnest(used_by.user_ids) a (user_id) JOIN chat.usage_events v ON v.user_id = a.user_id AND v.id >= tail_from
                -- Not by seq itself, or all events since then would be read for one user's.
                WHERE a.user_id <> everybody AND v.seq + 0 > rolled_up_to
                UNION ALL
                SELECT everybody, v.created_at, v.input_tokens, v.output_tokens, v.cost, v.is_own_key
                FROM chat.usage_events v
                WHERE everybody = ANY (used_by.user_ids) AND v.seq > rolled_up_to) e (user_id, created_at, input_tokens, output_tokens, cost, is_own_key)
          WHERE chat_private.utc_day(e.created_at) >= month_start) s
    GROUP BY s.user_id;
END
$$;
COMMENT ON FUNCTION chat_private.used_by(uuid[], boolean) IS
'What these users have used: tokens today, and cost this month that counts against budgets. The nil user stands for everybody
together. No row: nothing.';

CREATE OR REPLACE FUNCTION chat_private.engine_accounts(user_ids uuid[])
RETURNS TABLE (user_id uuid, role text, plan text, requests_per_minute bigint, concurrent_calls bigint, tokens_per_day bigint,
               cost_per_month_pico bigint, own_keys_exempt boolean, tokens_today bigint, cost_this_month_pico bigint,
               is_active boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
  own_keys_exempt CONSTANT boolean := chat_private.setting('own_keys_exempt_from_budget')::boolean;
BEGIN
  RETURN QUERY
    SELECT a.user_id, u.role, u.plan, (l.limits ->> 'requests_per_minute')::bigint, (l.limits ->> 'concurrent_calls')::bigint,
           (l.limits ->> 'tokens_per_day')::bigint, chat_private.pico_cost((l.limits ->> 'cost_per_month')::numeric),
           own_keys_exempt, coalesce(s.tokens_today, 0), coalesce(chat_private.pico_cost(s.cost_this_month), 0),
           a.user_id = '00000000-0000-0000-0000-000000000000' OR coalesce(u.is_active, false)
    FROM unnest(engine_accounts.user_ids) a (user_id)
    LEFT JOIN chat.users u ON u.id = a.user_id
    LEFT JOIN chat.plans p ON p.code = u.plan
    LEFT JOIN chat.user_limits o ON o.user_id = a.user_id
    LEFT JOIN chat_private.used_by(engine_accounts.user_ids, own_keys_exempt) s ON s.user_id = a.user_id
    CROSS JOIN LATERAL (SELECT CASE a.user_id
        WHEN '00000000-0000-0000-0000-000000000000' THEN jsonb_build_object('cost_per_month', chat_private.setting('cost_per_month'))
        ELSE coalesce(p.limits, '{}') || coalesce(o.limits, '{}') END AS limits) l;
END
$$;
COMMENT ON FUNCTION chat_private.engine_accounts(uuid[]) IS
'A row for each of these users: role, plan, limits (NULL: not limited) and what was used of them today and this month, in UTC.
Costs in units of 10^-12. The nil user stands for the whole installation. is_active: false for who is disabled or not there.';
