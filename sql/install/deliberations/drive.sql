-- What moves deliberations on: after each step that has ended, when somebody starts or resumes one, and after a crash.
--
-- Whoever changes a deliberation locks its row first, and then those of its requests. The engine never waits for that lock.

CREATE OR REPLACE FUNCTION chat_private.close_lost_steps(user_id uuid, deliberation_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  UPDATE chat.deliberation_steps s SET state = 'cancelled', error = chat_private.not_sent(), finished_at = clock_timestamp()
  WHERE s.user_id = close_lost_steps.user_id AND s.deliberation_id = close_lost_steps.deliberation_id AND s.state = 'open'
    AND NOT EXISTS (SELECT FROM chat_private.llm_requests q WHERE q.user_id = s.user_id AND q.id = s.id);
END
$$;
COMMENT ON FUNCTION chat_private.close_lost_steps(uuid, uuid) IS
'Ends open steps of a deliberation that have no request, as a dump that was restored leaves them.';

CREATE OR REPLACE FUNCTION chat_private.open_steps(d chat.deliberations) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN (SELECT count(*) FROM chat.deliberation_steps s
          WHERE s.user_id = (d).user_id AND s.deliberation_id = (d).id AND s.state = 'open');
END
$$;
COMMENT ON FUNCTION chat_private.open_steps(chat.deliberations) IS 'How many steps of a deliberation are queued or under way.';

CREATE OR REPLACE FUNCTION chat_private.tend_phase(d chat.deliberations) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  cap text := chat_private.cap_reached(d);
  verdict text;
  is_open boolean;
BEGIN
  IF cap IS NOT NULL THEN
    PERFORM chat_private.stop_steps((d).user_id, (d).id, false, wait => false);
  END IF;
  is_open := chat_private.open_steps(d) > 0;
  IF NOT EXISTS (SELECT FROM chat_private.wanted_steps(d) w, LATERAL chat_private.step_standing(d, w.kind, w.persona_code) t
                 WHERE t.standing = 'missing') THEN
    IF NOT is_open THEN
      PERFORM chat_private.leave_phase(d);
    END IF;
    RETURN NOT is_open;
  END IF;
  -- What is queued has been counted, and is not called off for that.
  IF cap IS NULL AND (chat_private.reached_message_limit((d).user_id)).name IS NOT NULL THEN
    cap := 'limit';
  END IF;
  IF cap IS NULL THEN
    verdict := chat_private.queue_missing_steps(d);
    IF verdict = 'queued' THEN
      RETURN false;
    ELSIF verdict = 'max_cost' THEN
      cap := verdict;
    END IF;
  END IF;
  -- What is under way is waited for.
  IF is_open THEN
    RETURN false;
  ELSIF cap IS NULL THEN
    PERFORM chat_private.halt_deliberation((d).user_id, (d).id, 'failed', NULL,
      jsonb '{"code": "unknown_model", "sqlstate": "42704", "message": "there is no model that this deliberation can ask"}');
  ELSE
    PERFORM chat_private.halt_deliberation((d).user_id, (d).id, 'paused', cap, NULL);
  END IF;
  RETURN true;
END
$$;
COMMENT ON FUNCTION chat_private.tend_phase(chat.deliberations) IS
'Queues the steps of a deliberation''s phase that are missing, or goes on where none is, or pauses it at a cap or at
the plan''s limit of messages. False: steps are open,
so there is nothing more to do now.';

CREATE OR REPLACE FUNCTION chat_private.drive_deliberation(user_id uuid, deliberation_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  d chat.deliberations;
BEGIN
  PERFORM chat_private.close_lost_steps(drive_deliberation.user_id, drive_deliberation.deliberation_id);
  LOOP
    SELECT t.* INTO d FROM chat.deliberations t
    WHERE t.user_id = drive_deliberation.user_id AND t.id = drive_deliberation.deliberation_id;
    EXIT WHEN d.active_since IS NULL;
    EXIT WHEN NOT chat_private.tend_phase(d);
  END LOOP;
END
$$;
COMMENT ON FUNCTION chat_private.drive_deliberation(uuid, uuid) IS
'Moves a deliberation on, whose row the caller has locked, until steps are open or it does not run any more. It looks at what is
there, so it may be called at any time.';

CREATE OR REPLACE FUNCTION chat_private.break_off(user_id uuid, deliberation_id uuid, request_ids uuid[], error jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  request chat_private.llm_requests;
  step_id uuid;
BEGIN
  FOREACH step_id IN ARRAY break_off.request_ids LOOP
    SELECT q.* INTO request FROM chat_private.llm_requests q WHERE q.user_id = break_off.user_id AND q.id = step_id;
    PERFORM chat_private.record_step(request, break_off.deliberation_id, 'failed', break_off.error);
    PERFORM chat_private.add_checkpoint(break_off.user_id, break_off.deliberation_id, 'step', step_id);
  END LOOP;
  PERFORM FROM chat.deliberations d
  WHERE d.user_id = break_off.user_id AND d.id = break_off.deliberation_id AND d.status = 'active';
  IF FOUND THEN
    PERFORM chat_private.stop_steps(break_off.user_id, break_off.deliberation_id, false, wait => false);
    PERFORM chat_private.halt_deliberation(break_off.user_id, break_off.deliberation_id, 'failed', NULL, break_off.error);
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.break_off(uuid, uuid, uuid[], jsonb) IS
'Ends a deliberation as failed that could not be moved on, and counts what these requests of it have cost.';

CREATE OR REPLACE FUNCTION chat_private.move_deliberation(user_id uuid, deliberation_id uuid, request_ids uuid[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  request chat_private.llm_requests;
  step_id uuid;
BEGIN
  FOREACH step_id IN ARRAY move_deliberation.request_ids LOOP
    SELECT q.* INTO request FROM chat_private.llm_requests q WHERE q.user_id = move_deliberation.user_id AND q.id = step_id;
    PERFORM chat_private.apply_step(request, move_deliberation.deliberation_id);
  END LOOP;
  PERFORM chat_private.drive_deliberation(move_deliberation.user_id, move_deliberation.deliberation_id);
EXCEPTION
  WHEN lock_not_available OR deadlock_detected THEN
    -- That passes, and nobody else is to blame: the engine brings the whole again.
    RAISE;
  WHEN OTHERS THEN
    RAISE LOG 'pgchat: deliberation % could not go on: % (%)', move_deliberation.deliberation_id, SQLERRM, SQLSTATE;
    PERFORM chat_private.break_off(move_deliberation.user_id, move_deliberation.deliberation_id, move_deliberation.request_ids,
      jsonb_build_object('code', 'internal', 'sqlstate', SQLSTATE, 'message', 'the deliberation could not go on: ' || SQLERRM));
END
$$;
COMMENT ON FUNCTION chat_private.move_deliberation(uuid, uuid, uuid[]) IS
'Applies the steps of these requests, which have ended, to a deliberation whose row the caller has locked, and moves it on. What goes
wrong ends this deliberation alone.';

CREATE OR REPLACE FUNCTION chat_private.hold_deliberations(user_ids uuid[], request_ids uuid[], most_steps bigint DEFAULT NULL)
RETURNS uuid[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  wanted record;
  held_up uuid[] := '{}';
  room bigint := hold_deliberations.most_steps;
  open_steps bigint;
  taken bigint;
BEGIN
  FOR wanted IN
    SELECT s.user_id, s.deliberation_id, array_agg(s.id) AS step_ids
    FROM unnest(hold_deliberations.user_ids, hold_deliberations.request_ids) u (user_id, request_id)
    JOIN chat_private.llm_requests q ON q.user_id = u.user_id AND q.id = u.request_id AND q.purpose = 'deliberation'
    JOIN chat.deliberation_steps s ON s.user_id = q.user_id AND s.id = q.id
    -- Whoever is put off this time is not the next time.
    GROUP BY s.user_id, s.deliberation_id ORDER BY random()
  LOOP
    PERFORM FROM chat.deliberations d WHERE d.user_id = wanted.user_id AND d.id = wanted.deliberation_id FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
      held_up := held_up || wanted.step_ids;
      CONTINUE;
    END IF;
    CONTINUE WHEN hold_deliberations.most_steps IS NULL;
    SELECT count(*) INTO open_steps FROM chat.deliberation_steps s
    WHERE s.user_id = wanted.user_id AND s.deliberation_id = wanted.deliberation_id AND s.state = 'open';
    taken := least(cardinality(wanted.step_ids), room);
    -- What follows on the last one is as much work as all the rest.
    room := CASE WHEN taken = open_steps THEN 0 ELSE room - taken END;
    held_up := held_up || wanted.step_ids[taken + 1:];
  END LOOP;
  RETURN held_up;
END
$$;
COMMENT ON FUNCTION chat_private.hold_deliberations(uuid[], uuid[], bigint) IS
'Locks the deliberations of the steps among these requests, without waiting; returns the requests of those that somebody else has
locked. Arrays of equal length, one element a request. most_steps: that one transaction is to apply, and the last one of only one phase; those
above are returned, too. NULL: any number.';

CREATE OR REPLACE FUNCTION chat_private.apply_deliberation_steps(user_ids uuid[], request_ids uuid[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  held_up CONSTANT uuid[] := chat_private.hold_deliberations(user_ids, request_ids);
  moved record;
  ended bigint;
BEGIN
  FOR moved IN
    SELECT s.user_id, s.deliberation_id, array_agg(s.id ORDER BY q.finished_at, s.id) AS step_ids
    FROM unnest(apply_deliberation_steps.user_ids, apply_deliberation_steps.request_ids) u (user_id, request_id)
    JOIN chat_private.llm_requests q ON q.user_id = u.user_id AND q.id = u.request_id
    JOIN chat.deliberation_steps s ON s.user_id = q.user_id AND s.id = q.id
    WHERE q.purpose = 'deliberation' AND q.state NOT IN ('waiting', 'queued', 'running') AND s.state = 'open' AND q.id <> ALL (held_up)
    GROUP BY s.user_id, s.deliberation_id
  LOOP
    PERFORM chat_private.move_deliberation(moved.user_id, moved.deliberation_id, moved.step_ids);
  END LOOP;
  -- Of a deliberation that is gone.
  WITH gone AS (
    DELETE FROM chat_private.llm_requests q
    USING unnest(apply_deliberation_steps.user_ids, apply_deliberation_steps.request_ids) u (user_id, request_id)
    WHERE q.user_id = u.user_id AND q.id = u.request_id AND q.purpose = 'deliberation'
      AND q.state NOT IN ('waiting', 'queued', 'running')
      AND NOT EXISTS (SELECT FROM chat.deliberation_steps s WHERE s.user_id = q.user_id AND s.id = q.id AND s.state = 'open')
    RETURNING q.*
  )
  SELECT count(chat_private.record_estimate(g, NULL)) INTO ended FROM gone g;
END
$$;
COMMENT ON FUNCTION chat_private.apply_deliberation_steps(uuid[], uuid[]) IS
'Moves on the deliberations of the steps among these requests that have ended: arrays of equal length, one element a request. Those
that somebody has locked stay for chat_private.tidy_deliberations.';

CREATE OR REPLACE FUNCTION chat_private.tidy_deliberations(max_rows integer) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET lock_timeout = '10ms' AS $$
#variable_conflict use_column
DECLARE
  stuck record;
  ended record;
BEGIN
  FOR ended IN
    SELECT q.user_id, q.id FROM chat_private.llm_requests q
    WHERE q.purpose = 'deliberation' AND q.state NOT IN ('waiting', 'queued', 'running')
    ORDER BY q.finished_at, q.id LIMIT tidy_deliberations.max_rows
  LOOP
    BEGIN
      PERFORM chat_private.apply_deliberation_steps(ARRAY[ended.user_id], ARRAY[ended.id]);
    EXCEPTION WHEN lock_not_available THEN
      -- The next time.
      NULL;
    END;
  END LOOP;
  FOR stuck IN
    SELECT d.user_id, d.id FROM chat.deliberations d
    WHERE d.active_since IS NOT NULL AND NOT EXISTS (
      SELECT FROM chat.deliberation_steps s
      WHERE s.user_id = d.user_id AND s.deliberation_id = d.id AND s.state = 'open'
        AND EXISTS (SELECT FROM chat_private.llm_requests q WHERE q.user_id = s.user_id AND q.id = s.id))
    LIMIT tidy_deliberations.max_rows FOR NO KEY UPDATE OF d SKIP LOCKED
  LOOP
    BEGIN
      PERFORM chat_private.move_deliberation(stuck.user_id, stuck.id, '{}');
    EXCEPTION WHEN lock_not_available THEN
      NULL;
    END;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chat_private.tidy_deliberations(integer) IS
'Applies at most so many steps that have ended and were left, in the order in which they ended, and moves on as many deliberations that run and have no call under way,
as after a crash or a restored dump. Waits for nobody''s lock.';
