-- The life of sessions after the login: noted as used at most once a minute, and ended, at once for everybody who has one.

CREATE OR REPLACE FUNCTION chat_private.ledger_touch_session(payload jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  now CONSTANT timestamptz := clock_timestamp();
BEGIN
  -- Whoever has the row locked ends the session or changes it, and needs no note of its use.
  UPDATE chat.sessions s
  SET last_activity_at = now, idle_expires_at = now + chat_private.setting_text('session_idle_timeout')::interval
  FROM (SELECT l.user_id, l.id FROM chat.sessions l
        WHERE l.user_id = (payload ->> 'user_id')::uuid AND l.id = (payload ->> 'session_id')::uuid
          AND l.last_activity_at < now - interval '1 minute' AND NOT l.mfa_pending AND l.idle_expires_at > now
        FOR NO KEY UPDATE SKIP LOCKED) free
  WHERE s.user_id = free.user_id AND s.id = free.id;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION chat_private.ledger_touch_session(jsonb) IS
'Notes that a session is in use, which puts off its end for not being used; asked for by chat.authenticate, done by the engine, so that
no reader writes and two transactions of one session never wait for each other.';

CREATE OR REPLACE FUNCTION chat_private.end_sessions(user_id uuid, except_session_id uuid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- In this order: who ends their own session is nobody afterwards.
  UPDATE chat.users u SET token_version = u.token_version + 1 WHERE u.id = end_sessions.user_id;
  DELETE FROM chat.sessions s
  WHERE s.user_id = end_sessions.user_id AND s.id IS DISTINCT FROM end_sessions.except_session_id;
END
$$;
COMMENT ON FUNCTION chat_private.end_sessions(uuid, uuid) IS
'Ends all sessions of a user but one, and all signed tokens, from the commit on and for every connection that has them in use.
The caller must act as the user already, or see all rows.';

CREATE OR REPLACE FUNCTION chat_private.rights_revoked() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'pgchat_rights_revoked';
COMMENT ON FUNCTION chat_private.rights_revoked() IS
'Trigger: has every connection look again, from this transaction''s commit on, whether its user may still do what they do.';

CREATE OR REPLACE TRIGGER rights_revoked AFTER DELETE OR TRUNCATE
  ON chat.sessions FOR EACH STATEMENT EXECUTE FUNCTION chat_private.rights_revoked();
CREATE OR REPLACE TRIGGER session_shortened AFTER UPDATE OF expires_at, mfa_pending
  ON chat.sessions FOR EACH STATEMENT EXECUTE FUNCTION chat_private.rights_revoked();
CREATE OR REPLACE TRIGGER rights_revoked AFTER UPDATE OF is_active, role, token_version
  ON chat.users FOR EACH STATEMENT EXECUTE FUNCTION chat_private.rights_revoked();
CREATE OR REPLACE TRIGGER user_deleted AFTER DELETE OR TRUNCATE
  ON chat.users FOR EACH STATEMENT EXECUTE FUNCTION chat_private.rights_revoked();

CREATE OR REPLACE FUNCTION chat_private.tidy(max_rows integer) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  now CONSTANT timestamptz := clock_timestamp();
  removed integer;
  most integer := greatest(chat_private.prune_audit_log(tidy.max_rows), chat_private.erase_audit_origins(tidy.max_rows),
                           chat_private.remove_unused_attachments(tidy.max_rows), chat_private.prune_requests(tidy.max_rows));
BEGIN
  DELETE FROM chat.sessions s WHERE (s.user_id, s.id) IN (
    SELECT e.user_id, e.id FROM chat.sessions e WHERE least(e.expires_at, e.idle_expires_at) < now - interval '1 day'
    LIMIT tidy.max_rows FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS removed = ROW_COUNT;
  most := greatest(most, removed);
  DELETE FROM chat_private.login_attempts a WHERE (a.kind, a.key) IN (
    SELECT o.kind, o.key FROM chat_private.login_attempts o
    WHERE o.first_failed_at < now - chat_private.setting_text('lockout_decay')::interval
      AND coalesce(o.locked_until < now, true)
    LIMIT tidy.max_rows FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS removed = ROW_COUNT;
  IF EXISTS (SELECT FROM chat_private.llm_requests q WHERE q.started_at = '-infinity') THEN
    PERFORM chat_private.close_lost_requests(true);
  END IF;
  PERFORM chat_private.tidy_side_requests(tidy.max_rows);
  PERFORM chat_private.release_stranded();
  PERFORM chat_private.anonymise_late_usage(100);
  RETURN greatest(most, removed) >= tidy.max_rows;
END
$$;
COMMENT ON FUNCTION chat_private.tidy(integer) IS
'Removes what has outlived its time, at most so many rows of each kind: audit rows past their retention, addresses in those of
removed accounts, sessions that ended a
day ago, failed logins that no longer count, files that no message uses, requests past their retention; ends requests that a
restored dump brought as running; lets requests go that wait for nothing; and makes usage of removed accounts nobody''s. Called by the
engine; true where there is more.';
