-- Lists of deliberations: one's own, and for administrators those of all.

CREATE OR REPLACE FUNCTION chat_private.check_deliberation_list(status text, page_size integer) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.check_page_size(check_deliberation_list.page_size);
  IF check_deliberation_list.status NOT IN ('active', 'paused', 'completed', 'failed', 'killed') THEN
    RAISE EXCEPTION 'there is no such status' USING ERRCODE = '22023', HINT = 'One of active, paused, completed, failed and killed.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_deliberation_list(text, integer) IS
'Errors: 22004 page_size is NULL; 22023 page_size is out of range, or no such status.';

-- Planned anew for each call: which of the arguments are given makes the plan.
CREATE OR REPLACE FUNCTION chat.list_deliberations(status text DEFAULT NULL, page_size integer DEFAULT 50, before_id uuid DEFAULT NULL)
RETURNS SETOF chat.deliberations
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
  SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  PERFORM chat_private.check_deliberation_list(list_deliberations.status, list_deliberations.page_size);
  RETURN QUERY
    SELECT d.* FROM chat.deliberations d
    WHERE d.user_id = caller_id
      AND (list_deliberations.before_id IS NULL OR d.id < list_deliberations.before_id)
      AND (list_deliberations.status IS NULL OR d.status = list_deliberations.status)
    ORDER BY d.id DESC LIMIT list_deliberations.page_size;
END
$$;
COMMENT ON FUNCTION chat.list_deliberations(text, integer, uuid) IS
'The current user''s deliberations, the newest first. status: only those that are active, paused, completed, failed or killed. page_size: 1 to 1000.
before_id: pass the id of a page''s last row to get the next page; none is left out or comes twice.
Errors: 28000 nobody is authenticated; 22004 page_size is NULL; 22023 it is out of range, or there is no such status.';

CREATE OR REPLACE FUNCTION chat.admin_list_deliberations(user_id uuid DEFAULT NULL, status text DEFAULT NULL, page_size integer DEFAULT 50,
                                                         before_id uuid DEFAULT NULL)
RETURNS SETOF chat.listed_deliberation
LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
  SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.open_gate();
BEGIN
  PERFORM chat_private.check_deliberation_list(admin_list_deliberations.status, admin_list_deliberations.page_size);
  IF admin_list_deliberations.user_id IS NOT NULL
     AND NOT EXISTS (SELECT FROM chat.users u WHERE u.id = admin_list_deliberations.user_id) THEN
    RAISE EXCEPTION 'user not found' USING ERRCODE = 'P0002', HINT = 'chat.admin_list_users() lists the accounts.';
  END IF;
  RETURN QUERY
    SELECT u.id, u.email, u.username, o.id, left(o.problem_statement, 200), o.status, o.phase, o.round_number, o.max_rounds, o.total_cost,
           o.total_tokens, o.max_cost, o.pause_reason, o.error ->> 'code', o.created_at, o.started_at, o.updated_at, o.completed_at,
           o.killed_at, o.killed_by, o.kill_reason
    FROM chat.users u, LATERAL (
      SELECT d.* FROM chat.deliberations d
      WHERE d.user_id = u.id
        AND (admin_list_deliberations.before_id IS NULL OR d.id < admin_list_deliberations.before_id)
        AND (admin_list_deliberations.status IS NULL OR d.status = admin_list_deliberations.status)
      ORDER BY d.id DESC LIMIT admin_list_deliberations.page_size) o
    WHERE admin_list_deliberations.user_id IS NULL OR u.id = admin_list_deliberations.user_id
    ORDER BY o.id DESC LIMIT admin_list_deliberations.page_size;
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit('admin.list_deliberations', 'user:' || admin_list_deliberations.user_id);
END
$$;
COMMENT ON FUNCTION chat.admin_list_deliberations(uuid, text, integer, uuid) IS
'The deliberations of a user, or of all, the newest first, without what was said: problem has at most the first 200 characters. Arguments as of
chat.list_deliberations; chat.kill_deliberation ends one. For administrators and pgchat_service. Audited.
Errors: 42501 not an administrator; 22004 page_size is NULL; 22023 it is out of range, or there is no such status; P0002 no such user; 57P03 no engine.';
