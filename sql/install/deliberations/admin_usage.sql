-- The administrator's report of what all deliberations use.

CREATE OR REPLACE FUNCTION chat.admin_deliberation_usage(from_time timestamptz DEFAULT NULL, to_time timestamptz DEFAULT NULL,
                                                         group_by text DEFAULT 'user')
RETURNS TABLE (key text, deliberations bigint, calls bigint, failed bigint, cancelled bigint, input_tokens bigint, output_tokens bigint,
               cached_tokens bigint, cost numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  first_day date := chat_private.utc_day(coalesce(admin_deliberation_usage.from_time, date_trunc('month', clock_timestamp(), 'UTC')));
  last_day date := chat_private.utc_day(coalesce(admin_deliberation_usage.to_time, clock_timestamp()));
  previous chat_private.identity;
BEGIN
  PERFORM chat_private.require_admin();
  IF coalesce(admin_deliberation_usage.group_by, '') NOT IN ('user', 'model', 'persona', 'phase', 'status') THEN
    RAISE EXCEPTION 'group_by is not valid' USING ERRCODE = '22023', HINT = 'It is user, model, persona, phase or status.';
  END IF;
  previous := chat_private.enter_gate();
  RETURN QUERY
    SELECT CASE admin_deliberation_usage.group_by WHEN 'user' THEN s.user_id::text WHEN 'model' THEN s.model
             WHEN 'persona' THEN coalesce(s.persona_code, '') WHEN 'phase' THEN s.phase
             -- No join, which the planner would begin with, as it takes the gate for a filter that lets little through.
             ELSE (SELECT d.status FROM chat.deliberations d WHERE d.user_id = s.user_id AND d.id = s.deliberation_id) END,
           count(DISTINCT s.deliberation_id), count(*), count(*) FILTER (WHERE s.state = 'failed'),
           count(*) FILTER (WHERE s.state = 'cancelled'), coalesce(sum(s.input_tokens), 0)::bigint,
           coalesce(sum(s.output_tokens), 0)::bigint, coalesce(sum(s.cached_tokens), 0)::bigint, sum(s.cost)
    FROM chat.deliberation_steps s
    WHERE s.created_at >= first_day::timestamp AT TIME ZONE 'UTC' AND s.created_at < (least(last_day, date '9999-12-31') + 1)::timestamp AT TIME ZONE 'UTC'
    GROUP BY 1 ORDER BY 1;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat.admin_deliberation_usage(timestamptz, timestamptz, text) IS
'What the deliberations of all users have used, in sums: exactly those of chat.deliberation_steps; deleted ones are not in it, but
in chat.admin_usage. from_time, to_time: the calls made on the days in UTC that these moments are in, and those between; by default
from the first of this month until today. group_by: user (key is the id), model, persona (empty: calls for the whole board), phase
of the calls, or status of their deliberations.
Errors: 42501 not an administrator; 22023 group_by.';
