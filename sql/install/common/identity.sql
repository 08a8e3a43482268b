-- Who is calling: the checks with which the API functions begin, and acting for a user who is not current yet.

CREATE OR REPLACE FUNCTION chat_private.require_user() RETURNS uuid
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgchat_require_user';
COMMENT ON FUNCTION chat_private.require_user() IS 'The current user''s id.
Errors: 28000 nobody is authenticated.';

-- Inside a SECURITY DEFINER function current_user is the function's owner, and session_user stays what it was at login even
-- after SET ROLE gave up its rights. The role parameter is what SET ROLE last chose and cannot be set to a role that the
-- login role is not a member of, so it names the caller.
CREATE OR REPLACE FUNCTION chat_private.caller_is_service() RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN pg_has_role(
    CASE current_setting('role') WHEN 'none' THEN session_user ELSE current_setting('role')::name END,
    'pgchat_service', 'USAGE');
END
$$;
COMMENT ON FUNCTION chat_private.caller_is_service() IS
'Whether the database role that calls, after SET ROLE, has the rights of pgchat_service (a superuser has).';

CREATE OR REPLACE FUNCTION chat_private.require_admin() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  callers text;
BEGIN
  IF chat.current_user_id() IS NOT NULL AND chat.current_user_role() = 'admin' THEN
    RETURN;
  END IF;
  IF NOT chat_private.caller_is_service() THEN
    GET DIAGNOSTICS callers = PG_CONTEXT;
    PERFORM chat_private.audit('admin.' || coalesce(substring(callers FROM '\mchat\.(?:admin_)?(\w+)\('), 'call'),
                               outcome => 'refused', wait => false);
    RAISE EXCEPTION 'permission denied: an administrator is needed' USING ERRCODE = '42501',
      HINT = 'Authenticate as a user with role admin, or connect as a member of pgchat_service.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.require_admin() IS
'Returns if the current user''s role is admin or the caller has the rights of pgchat_service. A refusal is audited under the
name of the API function that asks.
Errors: 42501 neither.';

CREATE OR REPLACE FUNCTION chat_private.acting_user() RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF chat.current_user_id() IS NULL AND chat_private.caller_is_service() THEN
    RETURN uuid '00000000-0000-0000-0000-000000000000';
  END IF;
  RETURN chat_private.require_user();
END
$$;
COMMENT ON FUNCTION chat_private.acting_user() IS
'The user to whom a call to a model belongs: the current one, or the nil UUID for pgchat_service without an identity.
Errors: 28000 neither.';

CREATE OR REPLACE FUNCTION chat_private.switch_identity(target chat_private.identity) RETURNS chat_private.identity
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous chat_private.identity :=
    ROW(chat.current_user_id(), chat.current_user_role(), chat_private.current_session_id());
BEGIN
  PERFORM chat_private.set_identity(target.user_id, target.role, target.session_id, true);
  RETURN previous;
END
$$;
COMMENT ON FUNCTION chat_private.switch_identity(chat_private.identity) IS
'Acts for another user until the transaction ends or the identity that is returned is switched back to. An error needs no
switching back: the rollback of the statement restores the previous identity.';

CREATE OR REPLACE FUNCTION chat_private.act_as(user_id uuid) RETURNS chat_private.identity
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN chat_private.switch_identity(ROW(act_as.user_id, NULL, NULL)::chat_private.identity);
END
$$;
COMMENT ON FUNCTION chat_private.act_as(uuid) IS
'chat_private.switch_identity to a user without role or session.';
