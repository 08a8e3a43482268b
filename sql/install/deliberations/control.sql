-- Setting a deliberation going, stopping it and going on: which of its states allows what, decided with its row locked.

CREATE OR REPLACE FUNCTION chat_private.lock_deliberation(user_id uuid, id uuid) RETURNS chat.deliberations
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  deliberation chat.deliberations;
BEGIN
  IF lock_deliberation.id IS NULL THEN
    RAISE EXCEPTION 'id must not be null' USING ERRCODE = '22004';
  END IF;
  SELECT d.* INTO deliberation FROM chat.deliberations d
  WHERE d.user_id = lock_deliberation.user_id AND d.id = lock_deliberation.id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'deliberation not found' USING ERRCODE = 'P0002', HINT = 'chat.list_deliberations() lists yours.';
  END IF;
  RETURN deliberation;
END
$$;
COMMENT ON FUNCTION chat_private.lock_deliberation(uuid, uuid) IS
'A deliberation of this user, locked: the engine applies none of its steps meanwhile. Errors: 22004 id is NULL; P0002 no such deliberation of theirs.';

CREATE OR REPLACE FUNCTION chat_private.deliberation_state(d chat.deliberations) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (d).status <> 'active' THEN (d).status WHEN (d).started_at IS NULL THEN 'not started' ELSE 'running' END;
COMMENT ON FUNCTION chat_private.deliberation_state(chat.deliberations) IS 'Its status, where active is told apart: not started, or running.';

CREATE OR REPLACE FUNCTION chat_private.require_state(d chat.deliberations, allowed text[]) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  state CONSTANT text := chat_private.deliberation_state(require_state.d);
BEGIN
  IF state = ANY (require_state.allowed) THEN
    RETURN;
  END IF;
  RAISE EXCEPTION 'the deliberation is %', state USING ERRCODE = '55000', HINT = CASE state
    WHEN 'not started' THEN 'chat.start_deliberation starts it.'
    WHEN 'running' THEN 'It runs by itself; chat.pause_deliberation pauses it.'
    WHEN 'paused' THEN 'chat.resume_deliberation goes on with it.'
    WHEN 'failed' THEN 'chat.resume_deliberation tries again what failed.'
    ELSE 'This is final; chat.fork_deliberation goes on from any of its checkpoints.' END;
END
$$;
COMMENT ON FUNCTION chat_private.require_state(chat.deliberations, text[]) IS
'Errors: 55000 the deliberation is in none of these states, which are those of chat_private.deliberation_state.';

CREATE OR REPLACE FUNCTION chat.start_deliberation(id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  deliberation chat.deliberations := chat_private.lock_deliberation(caller_id, start_deliberation.id);
BEGIN
  PERFORM chat_private.require_state(deliberation, '{not started}');
  PERFORM chat_private.check_message_limit(caller_id);
  UPDATE chat.deliberations d SET started_at = clock_timestamp(), active_since = clock_timestamp(), updated_at = clock_timestamp()
  WHERE d.user_id = caller_id AND d.id = deliberation.id;
  PERFORM chat_private.add_checkpoint(caller_id, deliberation.id, 'started');
  PERFORM chat_private.audit('deliberation.start', 'deliberation:' || deliberation.id, wait => false);
  PERFORM chat_private.drive_deliberation(caller_id, deliberation.id);
END
$$;
COMMENT ON FUNCTION chat.start_deliberation(uuid) IS
'Sets a deliberation of the current user going, also one that was forked; returns at once. Its first calls are sent when the transaction
commits, and the engine does the rest. chat.follow_deliberation and chat.deliberation_progress show how it goes.
Errors: 28000 nobody is authenticated; 22004 id is NULL; P0002 no such deliberation of mine; 55000 it was started before; PC303 the plan
allows no more calls now.';

CREATE OR REPLACE FUNCTION chat.pause_deliberation(id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  deliberation chat.deliberations := chat_private.lock_deliberation(caller_id, pause_deliberation.id);
BEGIN
  PERFORM chat_private.require_state(deliberation, '{running}');
  PERFORM chat_private.stop_steps(caller_id, deliberation.id, false);
  PERFORM chat_private.halt_deliberation(caller_id, deliberation.id, 'paused', 'requested', NULL);
  PERFORM chat_private.audit('deliberation.pause', 'deliberation:' || deliberation.id, wait => false);
END
$$;
COMMENT ON FUNCTION chat.pause_deliberation(uuid) IS
'Pauses a deliberation of the current user: calls that are not sent are called off, those under way end and count, and no further one is made
until chat.resume_deliberation.
Errors: 28000 nobody is authenticated; 22004 id is NULL; P0002 no such deliberation of mine; 55000 it does not run.';

CREATE OR REPLACE FUNCTION chat_private.suspend_deliberations(user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET lock_timeout = '200ms' AS $$
#variable_conflict use_column
DECLARE
  deliberation_id uuid;
BEGIN
  FOR deliberation_id IN
    SELECT d.id FROM chat.deliberations d WHERE d.user_id = suspend_deliberations.user_id AND d.active_since IS NOT NULL ORDER BY d.id
  LOOP
    BEGIN
      PERFORM FROM chat.deliberations d
      WHERE d.user_id = suspend_deliberations.user_id AND d.id = deliberation_id AND d.active_since IS NOT NULL FOR NO KEY UPDATE;
      IF FOUND THEN
        PERFORM chat_private.stop_steps(suspend_deliberations.user_id, deliberation_id, false);
        PERFORM chat_private.halt_deliberation(suspend_deliberations.user_id, deliberation_id, 'paused', 'cancelled', NULL);
      END IF;
    EXCEPTION WHEN lock_not_available THEN
      -- Its owner has it locked and cannot be waited for; the engine pauses it when its calls are refused.
      NULL;
    END;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chat_private.suspend_deliberations(uuid) IS
'Pauses the deliberations of a user that run, as whom the caller acts, but for those that somebody keeps locked.';

CREATE OR REPLACE FUNCTION chat_private.check_resumed(d chat.deliberations) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF check_resumed.d.max_cost <= check_resumed.d.total_cost THEN
    RAISE EXCEPTION 'the deliberation has cost %, and max_cost is %', check_resumed.d.total_cost, check_resumed.d.max_cost
      USING ERRCODE = '22023', HINT = 'Pass a higher max_cost to chat.resume_deliberation.';
  ELSIF check_resumed.d.max_duration <= check_resumed.d.active_ms * interval '1 ms' THEN
    RAISE EXCEPTION 'the deliberation was active for as long as max_duration allows' USING ERRCODE = '22023',
      HINT = 'Pass a longer max_duration to chat.resume_deliberation.';
  ELSIF check_resumed.d.max_rounds < check_resumed.d.round_number THEN
    RAISE EXCEPTION 'the deliberation is in round %', check_resumed.d.round_number USING ERRCODE = '22023',
      HINT = 'max_rounds cannot be less.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_resumed(chat.deliberations) IS
'Errors: 22023 a cap, as it is to be, is reached already, or max_rounds is behind the round that it is in.';

CREATE OR REPLACE FUNCTION chat.resume_deliberation(id uuid, max_cost numeric DEFAULT NULL, max_duration interval DEFAULT NULL,
                                                    max_rounds integer DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  deliberation chat.deliberations := chat_private.lock_deliberation(caller_id, resume_deliberation.id);
BEGIN
  PERFORM chat_private.check_caps(resume_deliberation.max_cost, resume_deliberation.max_duration, resume_deliberation.max_rounds);
  PERFORM chat_private.require_state(deliberation, '{paused,failed}');
  deliberation.max_cost := coalesce(resume_deliberation.max_cost, deliberation.max_cost);
  deliberation.max_duration := coalesce(resume_deliberation.max_duration, deliberation.max_duration);
  deliberation.max_rounds := coalesce(resume_deliberation.max_rounds, deliberation.max_rounds);
  PERFORM chat_private.check_resumed(deliberation);
  PERFORM chat_private.check_message_limit(caller_id);
  UPDATE chat.deliberations d
  SET status = 'active', pause_reason = NULL, error = NULL, active_since = clock_timestamp(), updated_at = clock_timestamp(),
      max_cost = deliberation.max_cost, max_duration = deliberation.max_duration, max_rounds = deliberation.max_rounds
  WHERE d.user_id = caller_id AND d.id = deliberation.id;
  PERFORM chat_private.add_checkpoint(caller_id, deliberation.id, 'resumed');
  PERFORM chat_private.audit('deliberation.resume', 'deliberation:' || deliberation.id, wait => false);
  PERFORM chat_private.drive_deliberation(caller_id, deliberation.id);
END
$$;
COMMENT ON FUNCTION chat.resume_deliberation(uuid, numeric, interval, integer) IS
'Goes on with a deliberation of the current user that was paused, for whatever reason, or that failed: what is there stays, and what is missing
is asked for, also that which failed. max_cost, max_duration, max_rounds: new caps, as chat.create_deliberation takes them; NULL: as it was.
Errors: 28000 nobody is authenticated; 22004 id is NULL; P0002 no such deliberation of mine; 55000 it is neither paused nor failed; 22023 a cap is
out of range, or reached already; PC303 the plan allows no more calls now.';
