-- The gate: how an administrator's function reaches rows of others, which row security else hides from it.

CREATE OR REPLACE FUNCTION chat_private.enter_gate() RETURNS chat_private.identity
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN chat_private.switch_identity(ROW(
    coalesce(chat.current_user_id(), uuid '00000000-0000-0000-0000-000000000000'), 'gate', NULL)::chat_private.identity);
END
$$;
COMMENT ON FUNCTION chat_private.enter_gate() IS
'Lets pgchat''s own functions see all rows of the tables that have a policy gate_rows (chat.users is one), until the
identity that is returned is switched back to. No account can have the role gate. Looks at nobody''s rights.';

CREATE OR REPLACE FUNCTION chat_private.open_gate() RETURNS chat_private.identity
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.require_admin();
  RETURN chat_private.enter_gate();
END
$$;
COMMENT ON FUNCTION chat_private.open_gate() IS
'chat_private.enter_gate for administrators. What is done is audited outside the gate, as the caller.
Errors: 42501 the caller is neither an administrator nor pgchat_service.';

CREATE OR REPLACE FUNCTION chat_private.require_account(user_id uuid) RETURNS chat.users
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  account chat.users;
BEGIN
  SELECT u.* INTO account FROM chat.users u WHERE u.id = require_account.user_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'user not found' USING ERRCODE = 'P0002', HINT = 'chat.admin_list_users() lists the accounts.';
  END IF;
  RETURN account;
END
$$;
COMMENT ON FUNCTION chat_private.require_account(uuid) IS
'The row of an account, locked; for callers that have opened the gate. Errors: P0002 no such account.';
