-- Writing the audit log, and what proves a password and ends sessions.

ALTER TABLE chat.audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat.audit_log FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS all_rows ON chat.audit_log;
CREATE POLICY all_rows ON chat.audit_log TO pgchat_owner USING (true);

CREATE OR REPLACE FUNCTION chat_private.audit(action text, resource text DEFAULT NULL, details jsonb DEFAULT '{}',
  outcome text DEFAULT 'success', user_id uuid DEFAULT NULL, ip_address inet DEFAULT NULL, user_agent text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO chat.audit_log (user_id, action, resource, details, outcome, ip_address, user_agent)
  VALUES (coalesce(audit.user_id, chat.current_user_id()), audit.action, audit.resource, coalesce(audit.details, '{}'),
          audit.outcome, audit.ip_address, audit.user_agent);
END
$$;
COMMENT ON FUNCTION chat_private.audit(text, text, jsonb, text, uuid, inet, text) IS
'Writes one row of chat.audit_log. outcome: success, refused or failure. user_id: who acts; by default the current user.';

CREATE OR REPLACE FUNCTION chat_private.hash_password(password text) RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  SELECT chat.bcrypt_hash(password, current_setting('pgchat.bcrypt_cost')::integer)
$$;
COMMENT ON FUNCTION chat_private.hash_password(text) IS 'The bcrypt hash of a password, at the cost of pgchat.bcrypt_cost.';

CREATE OR REPLACE FUNCTION chat_private.reauthenticate(password text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF reauthenticate.password IS NULL THEN
    RAISE EXCEPTION 'password must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM chat_private.check_login(chat_private.require_user(), reauthenticate.password);
END
$$;
COMMENT ON FUNCTION chat_private.reauthenticate(text) IS 'Returns if the password is the current user''s. Errors: 28P01 it is not.';

CREATE OR REPLACE FUNCTION chat_private.end_sessions(user_id uuid, except_session_id uuid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM chat.sessions s
  WHERE s.user_id = end_sessions.user_id AND s.id IS DISTINCT FROM end_sessions.except_session_id;
  UPDATE chat.users u SET token_version = u.token_version + 1 WHERE u.id = end_sessions.user_id;
END
$$;
COMMENT ON FUNCTION chat_private.end_sessions(uuid, uuid) IS
'Ends all sessions of a user, as whom the caller acts, but one, and all signed tokens.';
