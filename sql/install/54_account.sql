-- The current user's own account: who they are, and logging out.

CREATE OR REPLACE FUNCTION chat.me() RETURNS chat.users
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller_id uuid := chat_private.require_user();
  account chat.users;
BEGIN
  SELECT u.* INTO account FROM chat.users u WHERE u.id = caller_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the account of the current user no longer exists' USING ERRCODE = '28000';
  END IF;
  RETURN account;
END
$$;
COMMENT ON FUNCTION chat.me() IS 'The current user''s row of chat.users.
Errors: 28000 nobody is authenticated, or the account is gone.';

CREATE OR REPLACE FUNCTION chat.logout(all_sessions boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller_id uuid := chat_private.require_user();
  session_id uuid := chat_private.current_session_id();
BEGIN
  IF logout.all_sessions IS NULL THEN
    RAISE EXCEPTION 'all_sessions must not be null' USING ERRCODE = '22004';
  END IF;
  DELETE FROM chat.sessions s WHERE s.user_id = caller_id AND (logout.all_sessions OR s.id = session_id);
  -- Not local: an identity that was set for the whole connection must not come back when this transaction ends.
  PERFORM chat_private.set_identity(NULL, NULL, NULL, false);
END
$$;
COMMENT ON FUNCTION chat.logout(boolean) IS
'Ends the current session, or all sessions of the current user, and clears the identity of this connection.
Errors: 28000 nobody is authenticated; 22004 all_sessions is NULL.';
