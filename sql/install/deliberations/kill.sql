-- Ending a deliberation for good: by its owner, or by an administrator as its owner; and removing it.

CREATE OR REPLACE FUNCTION chat_private.deliberation_owner(id uuid) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  owner_id uuid;
  previous chat_private.identity := chat_private.enter_gate();
BEGIN
  SELECT d.user_id INTO owner_id FROM chat.deliberations d WHERE d.id = deliberation_owner.id;
  PERFORM chat_private.switch_identity(previous);
  RETURN owner_id;
END
$$;
COMMENT ON FUNCTION chat_private.deliberation_owner(uuid) IS
'Whose a deliberation is; NULL: there is none. For callers that have looked at the rights of who asks.';

CREATE OR REPLACE FUNCTION chat_private.end_deliberation(user_id uuid, id uuid, killed_by uuid, reason text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  deliberation chat.deliberations := chat_private.lock_deliberation(end_deliberation.user_id, end_deliberation.id);
BEGIN
  PERFORM chat_private.require_state(deliberation, '{not started,running,paused,failed}');
  UPDATE chat.deliberations d
  SET status = 'killed', pause_reason = NULL, killed_at = clock_timestamp(), killed_by = end_deliberation.killed_by,
      kill_reason = nullif(end_deliberation.reason, ''), active_ms = chat_private.active_ms_of(d), active_since = NULL,
      updated_at = clock_timestamp()
  WHERE d.user_id = deliberation.user_id AND d.id = deliberation.id;
  PERFORM chat_private.stop_steps(deliberation.user_id, deliberation.id, true);
  PERFORM chat_private.add_checkpoint(deliberation.user_id, deliberation.id, 'killed');
END
$$;
COMMENT ON FUNCTION chat_private.end_deliberation(uuid, uuid, uuid, text) IS
'Kills a deliberation of the user as whom the caller acts. Errors: P0002; 55000 it has ended.';

CREATE OR REPLACE FUNCTION chat.kill_deliberation(id uuid, reason text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id CONSTANT uuid := chat.current_user_id();
  is_admin CONSTANT boolean := coalesce(CASE WHEN caller_id IS NULL THEN chat_private.caller_is_service()
                                        ELSE chat.current_user_role() = 'admin' END, false);
  owner_id uuid := caller_id;
  previous chat_private.identity;
BEGIN
  IF NOT is_admin THEN
    PERFORM chat_private.require_user();
  END IF;
  IF kill_deliberation.id IS NULL THEN
    RAISE EXCEPTION 'id must not be null' USING ERRCODE = '22004';
  ELSIF char_length(kill_deliberation.reason) > 500 THEN
    RAISE EXCEPTION 'the reason has more than 500 characters' USING ERRCODE = '54000', HINT = 'Shorten it.';
  END IF;
  IF is_admin THEN
    owner_id := coalesce(chat_private.deliberation_owner(kill_deliberation.id), caller_id, uuid '00000000-0000-0000-0000-000000000000');
  END IF;
  IF owner_id IS DISTINCT FROM caller_id THEN
    previous := chat_private.act_as(owner_id);
    PERFORM chat_private.end_deliberation(owner_id, kill_deliberation.id, caller_id, kill_deliberation.reason);
    PERFORM chat_private.switch_identity(previous);
    PERFORM chat_private.audit('admin.kill_deliberation', 'deliberation:' || kill_deliberation.id, jsonb_build_object('user_id', owner_id));
  ELSE
    PERFORM chat_private.end_deliberation(owner_id, kill_deliberation.id, caller_id, kill_deliberation.reason);
    PERFORM chat_private.audit('deliberation.kill', 'deliberation:' || kill_deliberation.id, wait => false);
  END IF;
END
$$;
COMMENT ON FUNCTION chat.kill_deliberation(uuid, text) IS
'Ends a deliberation for good: calls that are not sent are called off, those under way are aborted, even if the transaction is rolled back, and
what they used counts. For its owner, for administrators, and for pgchat_service where no user is authenticated. reason: at most 500 characters; with who
did it, it is in the row, which its owner sees. What was said stays, and chat.fork_deliberation can go on from it.
Errors: 28000 nobody is authenticated; 22004 id is NULL; P0002 no such deliberation of mine, or for administrators of anybody; 55000 it was completed or
killed before; 54000 reason is too long; 57P03 it is another''s, and no engine.';

CREATE OR REPLACE FUNCTION chat.delete_deliberation(id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  -- The lock comes before the look at its requests, so that no step is queued in between.
  deliberation chat.deliberations := chat_private.lock_deliberation(caller_id, delete_deliberation.id);
BEGIN
  PERFORM chat_private.stop_steps(caller_id, deliberation.id, true);
  DELETE FROM chat_private.llm_requests q
  WHERE q.user_id = caller_id AND q.purpose = 'deliberation'
    AND q.id = ANY (ARRAY(SELECT s.id FROM chat.deliberation_steps s
                          WHERE s.user_id = caller_id AND s.deliberation_id = deliberation.id));
  DELETE FROM chat.deliberations d WHERE d.user_id = caller_id AND d.id = deliberation.id;
  PERFORM chat_private.audit('deliberation.delete', 'deliberation:' || deliberation.id, wait => false);
END
$$;
COMMENT ON FUNCTION chat.delete_deliberation(uuid) IS
'Removes a deliberation of the current user for good, in whichever state it is, with all that was said and its history. Its requests are called off, and
calls under way are aborted, even if the transaction is rolled back. What it used stays in chat.usage_events; its forks stay.
Errors: 28000 nobody is authenticated; 22004 id is NULL; P0002 no such deliberation of mine.';
