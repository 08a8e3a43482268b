-- What the engine reads of accounts, many at once: limits, and what has been used of them.

CREATE OR REPLACE FUNCTION chat_private.engine_accounts(user_ids uuid[])
RETURNS TABLE (user_id uuid, role text, plan text, requests_per_minute bigint, concurrent_calls bigint, tokens_per_day bigint,
               cost_per_month_pico bigint, tokens_today bigint, cost_this_month_pico bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT a.user_id, u.role, u.plan, (l.limits ->> 'requests_per_minute')::bigint, (l.limits ->> 'concurrent_calls')::bigint,
           (l.limits ->> 'tokens_per_day')::bigint, chat_private.pico_cost((l.limits ->> 'cost_per_month')::numeric),
           0::bigint, 0::bigint
    FROM unnest(engine_accounts.user_ids) a (user_id)
    LEFT JOIN chat.users u ON u.id = a.user_id
    LEFT JOIN chat.plans p ON p.code = u.plan
    LEFT JOIN chat.user_limits o ON o.user_id = a.user_id
    CROSS JOIN LATERAL (SELECT coalesce(p.limits, '{}') || coalesce(o.limits, '{}') AS limits) l;
END
$$;
COMMENT ON FUNCTION chat_private.engine_accounts(uuid[]) IS
'A row for each of these users: role, plan, limits (NULL: not limited) and what was used of them today and this month, in UTC.
Costs in units of 10^-12. The nil user stands for the whole installation.';

CREATE OR REPLACE FUNCTION chat_private.pico_cost(cost numeric) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN least(round(cost * 1000000000000), 9223372036854775807)::bigint;
COMMENT ON FUNCTION chat_private.pico_cost(numeric) IS 'A cost in units of 10^-12, as the engine counts; the largest there is where it is larger.';
