-- When a session was last used, written at most once a minute so that reading stays reading.

CREATE OR REPLACE FUNCTION chat_private.touch_session(user_id uuid, session_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE chat.sessions s SET last_activity_at = clock_timestamp()
  WHERE s.user_id = touch_session.user_id AND s.id = touch_session.session_id
    AND s.last_activity_at < clock_timestamp() - interval '1 minute';
END
$$;
COMMENT ON FUNCTION chat_private.touch_session(uuid, uuid) IS
'Notes that the session of the current user is in use; called by chat.authenticate.';
