-- Limits of plans and of single users: what they may be, and setting them.

CREATE OR REPLACE FUNCTION chat_private.check_limits(limits jsonb, may_be_null boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF jsonb_typeof(check_limits.limits) <> 'object' THEN
    RAISE EXCEPTION 'limits must be a JSON object' USING ERRCODE = '22023', HINT = 'For example {"requests_per_minute": 60}.';
  END IF;
  PERFORM FROM jsonb_each(check_limits.limits) l
  WHERE NOT (check_limits.may_be_null AND jsonb_typeof(l.value) = 'null')
    AND CASE
      WHEN l.key IN ('conversations', 'deliberations', 'messages_per_day', 'messages_per_minute')
        THEN l.value #>> '{}' ~ '^(0|[1-9][0-9]{0,8})$' IS NOT TRUE
      WHEN l.key IN ('requests_per_minute', 'concurrent_calls') THEN l.value::text ~ '^(0|[1-9][0-9]{0,5})$' IS NOT TRUE
      WHEN l.key IN ('tokens_per_day', 'attachment_bytes') THEN l.value::text ~ '^(0|[1-9][0-9]{0,14})$' IS NOT TRUE
      WHEN l.key = 'cost_per_month' THEN NOT chat_private.is_amount(l.value)
      ELSE false END;
  IF FOUND THEN
    RAISE EXCEPTION 'a limit is not valid' USING ERRCODE = '22023',
      HINT = 'conversations, deliberations, messages_per_day and messages_per_minute are whole numbers up to 999999999, requests_per_minute and '
             'concurrent_calls up to 999999, tokens_per_day and attachment_bytes up to 999999999999999; cost_per_month is a number from 0 to 1000000. '
             'Leave one out where there is no limit.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_limits(jsonb, boolean) IS
'Errors: 22023 not an object, or a limit in it that is none. may_be_null: null is a limit, too. Other members pass.';

CREATE OR REPLACE FUNCTION chat.admin_set_limits(user_id uuid, limits jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity;
  given jsonb := nullif(coalesce(admin_set_limits.limits, '{}'), '{}');
BEGIN
  PERFORM chat_private.require_admin();
  IF admin_set_limits.user_id IS NULL THEN
    RAISE EXCEPTION 'user_id must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM chat_private.check_limits(given, true);
  PERFORM FROM jsonb_object_keys(given) k
  WHERE k NOT IN ('requests_per_minute', 'concurrent_calls', 'tokens_per_day', 'cost_per_month');
  IF FOUND THEN
    RAISE EXCEPTION 'limits has a member that is no limit of a user' USING ERRCODE = '22023',
      HINT = 'There are requests_per_minute, concurrent_calls, tokens_per_day and cost_per_month; others are limits of a plan.';
  END IF;
  previous := chat_private.open_gate();
  PERFORM chat_private.require_account(admin_set_limits.user_id);
  PERFORM chat_private.act_as(admin_set_limits.user_id);
  IF given IS NULL THEN
    DELETE FROM chat.user_limits l WHERE l.user_id = admin_set_limits.user_id;
  ELSE
    INSERT INTO chat.user_limits AS l (user_id, limits) VALUES (admin_set_limits.user_id, given)
    ON CONFLICT (user_id) DO UPDATE SET limits = excluded.limits, updated_at = excluded.updated_at;
  END IF;
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit('admin.set_limits', 'user:' || admin_set_limits.user_id, jsonb_build_object('limits', given));
END
$$;
COMMENT ON FUNCTION chat.admin_set_limits(uuid, jsonb) IS
'Gives a user limits in place of those of their plan: requests_per_minute, concurrent_calls, tokens_per_day, cost_per_month, of
which those left out are the plan''s, and null is no limit. NULL or {}: the plan''s again. In force for the next call.
Errors: 42501 not an administrator; 22004 user_id is NULL; 22023 limits; P0002 no such user.';

CREATE OR REPLACE FUNCTION chat.admin_set_budget(user_id uuid, monthly_cost numeric) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity;
  kept jsonb;
BEGIN
  PERFORM chat_private.require_admin();
  IF admin_set_budget.user_id IS NULL THEN
    RAISE EXCEPTION 'user_id must not be null' USING ERRCODE = '22004';
  END IF;
  previous := chat_private.open_gate();
  PERFORM chat_private.require_account(admin_set_budget.user_id);
  PERFORM chat_private.act_as(admin_set_budget.user_id);
  SELECT l.limits - 'cost_per_month' INTO kept FROM chat.user_limits l WHERE l.user_id = admin_set_budget.user_id;
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat.admin_set_limits(admin_set_budget.user_id, coalesce(kept, '{}')
    || CASE WHEN admin_set_budget.monthly_cost IS NULL THEN '{}'
            ELSE jsonb_build_object('cost_per_month', admin_set_budget.monthly_cost) END);
END
$$;
COMMENT ON FUNCTION chat.admin_set_budget(uuid, numeric) IS
'Sets what a user''s calls to models may cost in a month (UTC), in the currency of the models'' prices, in place of what their plan
says; NULL: the plan''s again. In force for the next call.
Errors: 42501 not an administrator; 22004 user_id is NULL; 22023 not from 0 to 1000000; P0002 no such user.';

CREATE OR REPLACE FUNCTION chat.my_limits()
RETURNS TABLE (name text, allowed numeric, used numeric, resets_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 4 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  limits jsonb;
  used record;
BEGIN
  SELECT coalesce(p.limits, '{}') || coalesce(o.limits, '{}') INTO limits
  FROM chat.users u LEFT JOIN chat.plans p ON p.code = u.plan LEFT JOIN chat.user_limits o ON o.user_id = u.id
  WHERE u.id = caller_id;
  SELECT s.tokens_today, s.cost_this_month INTO used
  FROM chat_private.used_by(ARRAY[caller_id], chat_private.setting('own_keys_exempt_from_budget')::boolean) s;
  RETURN QUERY
    SELECT l.name, (limits ->> l.name)::numeric, l.used, l.resets_at
    FROM (VALUES ('requests_per_minute', NULL::numeric, NULL::timestamptz), ('concurrent_calls', NULL, NULL),
                 ('tokens_per_day', coalesce(used.tokens_today, 0), date_trunc('day', clock_timestamp(), 'UTC') + interval '24 hours'),
                 ('cost_per_month', coalesce(used.cost_this_month, 0),
                  (date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC')) l (name, used, resets_at);
END
$$;
COMMENT ON FUNCTION chat.my_limits() IS
'The limits of the current user: name, allowed (NULL: not limited), and of those by day and month what is used of them, without
calls under way, and when they begin anew.
Errors: 28000 nobody is authenticated.';
