-- How far a deliberation is, and what is still to come: an estimate from what its phases need.

CREATE OR REPLACE FUNCTION chat_private.planned_personas(d chat.deliberations) RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  seats integer;
BEGIN
  SELECT count(*) INTO seats FROM chat.deliberation_participants p
  WHERE p.user_id = d.user_id AND p.deliberation_id = d.id AND p.seat > 0;
  IF seats > 0 THEN
    RETURN seats;
  END IF;
  RETURN CASE WHEN jsonb_typeof(d.options -> 'persona_count') = 'number' THEN (d.options ->> 'persona_count')::numeric::integer ELSE 5 END;
END
$$;
COMMENT ON FUNCTION chat_private.planned_personas(chat.deliberations) IS
'How many personas deliberate; before they are chosen, how many will at most.';

CREATE OR REPLACE FUNCTION chat_private.planned_calls(d chat.deliberations, phase text, personas integer) RETURNS integer
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE planned_calls.phase
    WHEN 'problem_decomposition' THEN
      CASE WHEN d.sub_problems IS NULL AND d.options -> 'sub_problems' IS NULL AND d.options -> 'decompose' IS DISTINCT FROM 'false' THEN 1 ELSE 0 END
    WHEN 'initial_round' THEN planned_calls.personas
    WHEN 'deliberation' THEN planned_calls.personas
    WHEN 'voting' THEN
      planned_calls.personas + CASE WHEN d.choices IS NULL AND d.options -> 'choices' IS NULL THEN 1 ELSE 0 END
    ELSE 1 END
$$;
COMMENT ON FUNCTION chat_private.planned_calls(chat.deliberations, text, integer) IS
'How many calls a phase of a deliberation of so many personas needs from its begin, when none fails; of one round, where a phase
consists of rounds.';

CREATE OR REPLACE FUNCTION chat_private.later_calls(d chat.deliberations, personas integer, is_chosen boolean) RETURNS integer
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN d.phase = 'synthesis' THEN 0 ELSE 1 END
    + CASE WHEN d.phase IN ('voting', 'synthesis') THEN 0
           ELSE chat_private.planned_calls(d, 'voting', later_calls.personas)
                + later_calls.personas * greatest(0, d.max_rounds - CASE d.phase WHEN 'initial_round' THEN greatest(1, d.round_number) ELSE d.round_number END)
           END
    + CASE WHEN d.phase = 'problem_decomposition' AND NOT later_calls.is_chosen THEN 1 ELSE 0 END
$$;
COMMENT ON FUNCTION chat_private.later_calls(chat.deliberations, integer, boolean) IS
'How many calls the phases and rounds after the present one need, if all rounds are held. is_chosen: the personas are known.';

CREATE OR REPLACE FUNCTION chat_private.progress_of(d chat.deliberations, OUT done_calls integer, OUT total_calls integer,
  OUT running_calls integer, OUT round_time interval, OUT stage_time interval)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  personas integer := chat_private.planned_personas(d);
  is_chosen boolean;
  chooses boolean;
  answered integer;
  left_now integer;
BEGIN
  is_chosen := EXISTS (SELECT FROM chat.deliberation_participants p
                       WHERE p.user_id = d.user_id AND p.deliberation_id = d.id AND p.seat > 0);
  SELECT count(*) FILTER (WHERE s.state IN ('complete', 'failed')), count(*) FILTER (WHERE s.state = 'open'),
         coalesce(bool_or(s.state = 'open' AND s.kind = 'choices'), false),
         count(DISTINCT coalesce(s.persona_code, s.kind)) FILTER (
           WHERE s.state = 'complete' AND s.phase = d.phase AND s.round_number = d.round_number AND s.kind <> 'choices'),
         clock_timestamp() - min(s.created_at) FILTER (WHERE s.phase = d.phase AND s.round_number = d.round_number)
  INTO done_calls, running_calls, chooses, answered, stage_time
  FROM chat.deliberation_steps s WHERE s.user_id = d.user_id AND s.deliberation_id = d.id;
  SELECT avg(r.took) INTO round_time
  FROM (SELECT max(s.finished_at) - min(s.created_at) AS took
        FROM chat.deliberation_rounds m
        JOIN chat.deliberation_steps s ON s.user_id = m.user_id AND s.deliberation_id = m.deliberation_id
          AND s.round_number = m.round_number AND s.phase IN ('initial_round', 'deliberation')
        WHERE m.user_id = d.user_id AND m.deliberation_id = d.id GROUP BY m.round_number) r;
  -- In a fork some have spoken whose calls were made elsewhere.
  IF d.phase = 'voting' THEN
    answered := greatest(answered, (SELECT count(*) FROM chat.votes v WHERE v.user_id = d.user_id AND v.deliberation_id = d.id));
  ELSIF d.phase IN ('initial_round', 'deliberation') THEN
    answered := greatest(answered, (SELECT count(*) FROM chat.contributions c
                                    WHERE c.user_id = d.user_id AND c.deliberation_id = d.id AND c.round_number = d.round_number
                                      AND c.phase = d.phase));
  END IF;
  IF d.status IN ('completed', 'killed') THEN
    total_calls := done_calls + running_calls;
    RETURN;
  END IF;
  IF d.phase = 'persona_selection' AND is_chosen THEN
    left_now := running_calls;
  ELSIF running_calls > 0 THEN
    left_now := running_calls + CASE WHEN chooses THEN personas ELSE 0 END;
  ELSE
    left_now := greatest(0, chat_private.planned_calls(d, d.phase, personas) - answered);
  END IF;
  total_calls := done_calls + left_now + chat_private.later_calls(d, personas, is_chosen);
END
$$;
COMMENT ON FUNCTION chat_private.progress_of(chat.deliberations) IS
'The calls of a deliberation as chat.deliberation_progress tells them; round_time: the mean duration of the rounds so far, NULL before
the first has ended; stage_time: since when its present phase or round asks.';

CREATE OR REPLACE FUNCTION chat_private.estimated_time(d chat.deliberations, round_time interval, stage_time interval) RETURNS interval
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  stages integer;
BEGIN
  IF d.status IN ('completed', 'killed') THEN
    RETURN '0';
  ELSIF estimated_time.round_time IS NULL THEN
    RETURN NULL;
  ELSIF d.phase IN ('voting', 'synthesis') THEN
    stages := CASE d.phase WHEN 'voting' THEN 2 ELSE 1 END;
  ELSE
    SELECT greatest(0, d.max_rounds - count(*)) + 2 INTO stages FROM chat.deliberation_rounds m
    WHERE m.user_id = d.user_id AND m.deliberation_id = d.id;
  END IF;
  RETURN greatest('0', estimated_time.round_time * stages
                       - CASE WHEN d.active_since IS NULL THEN '0' ELSE least(estimated_time.round_time, coalesce(estimated_time.stage_time, '0')) END);
END
$$;
COMMENT ON FUNCTION chat_private.estimated_time(chat.deliberations, interval, interval) IS
'The time that a deliberation still needs, from what chat_private.progress_of found; NULL where no round has ended.';

CREATE OR REPLACE FUNCTION chat.deliberation_progress(id uuid)
  RETURNS TABLE (status text, phase text, round_number integer, max_rounds integer, done_calls integer, total_calls integer,
                 running_calls integer, total_cost numeric, total_tokens bigint, elapsed interval, estimated_remaining interval)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  d chat.deliberations;
  calls record;
BEGIN
  IF deliberation_progress.id IS NULL THEN
    RAISE EXCEPTION 'id must not be null' USING ERRCODE = '22004';
  END IF;
  SELECT x.* INTO d FROM chat.deliberations x WHERE x.user_id = caller_id AND x.id = deliberation_progress.id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'deliberation not found' USING ERRCODE = 'P0002', HINT = 'Pass the id of one of your deliberations.';
  END IF;
  calls := chat_private.progress_of(d);
  RETURN QUERY SELECT d.status, d.phase, d.round_number, d.max_rounds, calls.done_calls, calls.total_calls, calls.running_calls,
    d.total_cost, d.total_tokens,
    make_interval(secs => chat_private.active_ms_of(d) / 1000.0),
    chat_private.estimated_time(d, calls.round_time, calls.stage_time);
END
$$;
COMMENT ON FUNCTION chat.deliberation_progress(uuid) IS
'How far one of my deliberations is, in one row. done_calls: calls to models that have ended, failed and repeated ones included;
running_calls: queued or under way. total_calls is an estimate: done_calls, what the present phase or round still needs, and what
comes after it if every round up to max_rounds is held, each with a call for every persona; the vote with one for each and one for
the choices where none are given; and the synthesis. Before the personas are chosen they count as many as the option persona_count
(5). A moderator''s calls and repeated ones count only when they are asked for, and rounds that are not held, as the board agrees,
make it smaller. elapsed: the time it was active. estimated_remaining: the mean duration of its rounds so far for each round up
to max_rounds, and once each for the vote and the synthesis, less the time that the present one has taken; of a deliberation that is
paused or has failed, what it would need if it went on; NULL before the first round has ended.
Errors: 28000 nobody is authenticated; 22004 id is NULL; P0002 no such deliberation of mine.';
