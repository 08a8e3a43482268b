-- Following a deliberation while it runs, and waiting for its end.

CREATE OR REPLACE FUNCTION chat_private.watched_deliberation(user_id uuid, deliberation_id uuid, OUT status text, OUT last_seq integer,
                                                             OUT open_steps text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  SELECT d.status, d.last_seq,
         (SELECT string_agg(s.id::text, ',') FROM chat.deliberation_steps s
          WHERE s.user_id = d.user_id AND s.deliberation_id = d.id AND s.state = 'open')
  INTO watched_deliberation.status, watched_deliberation.last_seq, watched_deliberation.open_steps
  FROM chat.deliberations d
  WHERE d.user_id = watched_deliberation.user_id AND d.id = watched_deliberation.deliberation_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'deliberation not found' USING ERRCODE = 'P0002',
      HINT = 'Pass the id of one of your deliberations; one that was deleted has none any more.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.watched_deliberation(uuid, uuid) IS
'Where a deliberation stands, for those who wait for it; open_steps: the ids of its calls under way, separated by commas.
Errors: P0002 this user has no such deliberation.';

CREATE OR REPLACE FUNCTION chat_private.item_names(items jsonb, member text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT string_agg(i.item ->> item_names.member, E'\n' ORDER BY i.place)
  FROM jsonb_array_elements(CASE WHEN jsonb_typeof(item_names.items) = 'array' THEN item_names.items ELSE '[]' END)
       WITH ORDINALITY i (item, place)
$$;
COMMENT ON FUNCTION chat_private.item_names(jsonb, text) IS
'A member of each object of an array, one a line; NULL where there is none.';

CREATE OR REPLACE FUNCTION chat_private.choice_label(choices jsonb, choice text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce((SELECT i.item ->> 'label'
                   FROM jsonb_array_elements(CASE WHEN jsonb_typeof(choice_label.choices) = 'array' THEN choice_label.choices ELSE '[]' END) i (item)
                   WHERE i.item ->> 'id' = choice_label.choice LIMIT 1), choice_label.choice)
$$;
COMMENT ON FUNCTION chat_private.choice_label(jsonb, text) IS 'The label of a choice among choices; its id where it is not among them.';

CREATE OR REPLACE FUNCTION chat_private.decision_text(d chat.deliberations) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  winner text := d.outcome ->> 'winner';
  tied text;
BEGIN
  IF winner IS NOT NULL THEN
    RETURN format('%s (%s, %s votes, %s abstentions)', chat_private.choice_label(d.choices, winner),
                  d.outcome ->> 'method', coalesce(d.outcome ->> 'voters', '0'), coalesce(d.outcome ->> 'abstentions', '0'));
  ELSIF d.outcome IS NULL OR d.choices IS NULL OR d.outcome ->> 'reason' = 'no_choices' THEN
    RETURN 'none, for there was nothing to vote on';
  ELSIF d.outcome -> 'quorum_reached' = 'false' THEN
    RETURN 'none, for too few voted';
  END IF;
  SELECT string_agg(chat_private.choice_label(d.choices, t.choice), ', ' ORDER BY t.place) INTO tied
  FROM jsonb_array_elements_text(CASE WHEN jsonb_typeof(d.outcome -> 'tie') = 'array' THEN d.outcome -> 'tie' ELSE '[]' END)
       WITH ORDINALITY t (choice, place);
  RETURN coalesce('a tie: ' || tied, 'none');
END
$$;
COMMENT ON FUNCTION chat_private.decision_text(chat.deliberations) IS 'How the vote of a completed deliberation ended, in a line.';

CREATE OR REPLACE FUNCTION chat_private.deliberation_news(user_id uuid, deliberation_id uuid, after_seq integer, up_to integer)
  RETURNS TABLE (seq integer, event text, kind text, phase text, round_number integer, persona_code text, name text, content text,
                 created_at timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  d chat.deliberations;
BEGIN
  SELECT x.* INTO d FROM chat.deliberations x
  WHERE x.user_id = deliberation_news.user_id AND x.id = deliberation_news.deliberation_id;
  RETURN QUERY
  SELECT k.seq, k.event, coalesce(k.kind, said.kind), coalesce(said.phase, k.phase), coalesce(said.round_number, k.round_number),
         coalesce(said.persona_code, k.persona_code), p.name,
         CASE
           WHEN said.kind IS NOT NULL THEN said.content
           WHEN k.event = 'completed' THEN chat_private.decision_text(d)
           WHEN k.event = d.status AND NOT EXISTS (
             SELECT FROM chat.deliberation_checkpoints l
             WHERE l.user_id = k.user_id AND l.deliberation_id = k.deliberation_id AND l.seq > k.seq AND l.event = k.event)
             THEN coalesce(d.pause_reason, d.kill_reason, d.error ->> 'message')
           WHEN k.kind = 'decompose' THEN chat_private.item_names(k.state -> 'sub_problems', 'title')
           WHEN k.kind = 'select' THEN
             (SELECT string_agg(m.name, E'\n' ORDER BY m.seat) FROM chat.deliberation_participants m
              WHERE m.user_id = k.user_id AND m.deliberation_id = k.deliberation_id AND m.seq = k.seq AND m.seat > 0)
           WHEN k.kind = 'choices' THEN chat_private.item_names(k.state -> 'choices', 'label')
           WHEN k.kind = 'synthesize' THEN k.state -> 'synthesis' ->> 'summary'
         END,
         k.created_at
  FROM chat.deliberation_checkpoints k
  LEFT JOIN LATERAL (
    SELECT CASE c.phase WHEN 'initial_round' THEN 'initial' WHEN 'deliberation' THEN 'contribute' ELSE 'moderate' END AS kind,
           c.phase, c.round_number, c.persona_code, c.content
    FROM chat.contributions c
    WHERE c.user_id = k.user_id AND c.deliberation_id = k.deliberation_id AND c.seq = k.seq
    UNION ALL
    SELECT 'vote', 'voting', NULL, v.persona_code,
           concat_ws(': ', CASE WHEN v.is_abstention THEN 'abstains' ELSE chat_private.choice_label(d.choices, v.choice) END,
                     nullif(v.reasoning, ''))
    FROM chat.votes v
    WHERE v.user_id = k.user_id AND v.deliberation_id = k.deliberation_id AND v.seq = k.seq) said ON true
  LEFT JOIN chat.deliberation_participants p
    ON p.user_id = k.user_id AND p.deliberation_id = k.deliberation_id AND p.persona_code = coalesce(said.persona_code, k.persona_code)
  WHERE k.user_id = deliberation_news.user_id AND k.deliberation_id = deliberation_news.deliberation_id
    AND k.seq > deliberation_news.after_seq AND k.seq <= deliberation_news.up_to
  ORDER BY k.seq, said.round_number, said.phase = 'moderator_intervention', p.seat;
END
$$;
COMMENT ON FUNCTION chat_private.deliberation_news(uuid, uuid, integer, integer) IS
'The checkpoints of a deliberation after after_seq and up to up_to, as chat.follow_deliberation shows them.';

CREATE OR REPLACE FUNCTION chat.follow_deliberation(id uuid, after_seq integer DEFAULT 0)
  RETURNS TABLE (seq integer, event text, kind text, phase text, round_number integer, persona_code text, name text, content text,
                 created_at timestamptz)
LANGUAGE c VOLATILE COST 100000 ROWS 100 AS 'MODULE_PATHNAME', 'pgchat_follow_deliberation';
COMMENT ON FUNCTION chat.follow_deliberation(uuid, integer) IS
'The history of one of my deliberations after after_seq, then what happens as it happens, until it is completed, failed, killed or
paused; of one that is not running, what there is. Each checkpoint is a row: event, of a step its kind, the phase and round it belongs
to, who spoke, and in content what came with it: a contribution; a vote as its choice and reason; the summary of the synthesis; the
sub-problems, the names of the board or the choices, one a line; of the last row the decision or why it ended; else NULL. A
checkpoint of a fork that copied several contributions is a row for each. Call it in the select list (in FROM the server gathers all
rows first). Needs the engine only to hear of news at once: without it, it looks twice a second.
Errors: 28000 nobody is authenticated; 22004 id is NULL; 22023 after_seq is negative; P0002 no such deliberation of mine, or it was
deleted meanwhile; 0A000 the transaction''s isolation level is REPEATABLE READ or above.';

CREATE OR REPLACE FUNCTION chat_private.begin_run(user_id uuid, deliberation_id uuid) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  d chat.deliberations;
BEGIN
  -- Locked, so that nobody else starts it meanwhile.
  SELECT x.* INTO d FROM chat.deliberations x
  WHERE x.user_id = begin_run.user_id AND x.id = begin_run.deliberation_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'deliberation not found' USING ERRCODE = 'P0002', HINT = 'Pass the id of one of your deliberations.';
  ELSIF d.status <> 'active' OR d.started_at IS NOT NULL THEN
    -- Where it stands is told first.
    RETURN greatest(0, d.last_seq - 1);
  END IF;
  PERFORM chat.start_deliberation(begin_run.deliberation_id);
  RETURN d.last_seq;
END
$$;
COMMENT ON FUNCTION chat_private.begin_run(uuid, uuid) IS
'Starts a deliberation that was not started yet. Returns the checkpoint after which chat.run_deliberation tells what happens.
Errors: P0002 this user has no such deliberation; those of chat.start_deliberation.';

CREATE OR REPLACE FUNCTION chat_private.stage_notice(user_id uuid, deliberation_id uuid, seq integer, is_first boolean) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  d chat.deliberations;
  k chat.deliberation_checkpoints;
  calls record;
  done integer;
BEGIN
  SELECT x.* INTO k FROM chat.deliberation_checkpoints x
  WHERE x.user_id = stage_notice.user_id AND x.deliberation_id = stage_notice.deliberation_id AND x.seq = stage_notice.seq;
  IF k.status IS DISTINCT FROM 'active' OR k.event = 'created' OR k.event <> 'started' AND NOT stage_notice.is_first AND EXISTS (
    SELECT FROM chat.deliberation_checkpoints b
    WHERE b.user_id = k.user_id AND b.deliberation_id = k.deliberation_id AND b.seq = k.seq - 1 AND b.event <> 'created'
      AND b.phase = k.phase AND b.round_number = k.round_number) THEN
    RETURN NULL;
  END IF;
  SELECT x.* INTO d FROM chat.deliberations x WHERE x.user_id = k.user_id AND x.id = k.deliberation_id;
  calls := chat_private.progress_of(d);
  SELECT count(*) INTO done FROM chat.deliberation_checkpoints b
  WHERE b.user_id = k.user_id AND b.deliberation_id = k.deliberation_id AND b.seq <= k.seq AND b.event = 'step';
  RETURN format('%s%s: %s of %s calls, cost %s', replace(k.phase, '_', ' '),
                CASE WHEN k.round_number > 0 THEN format(', round %s of %s', k.round_number, d.max_rounds) END,
                done, calls.total_calls, trim_scale(k.total_cost));
END
$$;
COMMENT ON FUNCTION chat_private.stage_notice(uuid, uuid, integer, boolean) IS
'What chat.run_deliberation tells where a phase or a round begins with this checkpoint; NULL: none does. is_first: nothing was told
yet.';

CREATE OR REPLACE FUNCTION chat_private.end_of_run(user_id uuid, deliberation_id uuid) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  d chat.deliberations;
  failure text;
BEGIN
  SELECT x.* INTO d FROM chat.deliberations x WHERE x.user_id = end_of_run.user_id AND x.id = end_of_run.deliberation_id;
  IF d.status = 'paused' THEN
    RAISE EXCEPTION 'the deliberation is paused: %', d.pause_reason USING ERRCODE = '55000',
      HINT = 'chat.resume_deliberation goes on, where a cap was reached with a higher one; then call run_deliberation again.';
  ELSIF d.status = 'killed' THEN
    RAISE EXCEPTION 'the deliberation was killed%', coalesce(': ' || d.kill_reason, '') USING ERRCODE = '57014',
      HINT = 'It is final; chat.fork_deliberation goes on from any of its checkpoints.';
  ELSIF d.status = 'failed' THEN
    failure := d.error ->> 'sqlstate';
    IF failure IS NULL OR failure !~ '^[0-9A-Z]{5}$' OR failure ~ '^0[0-2]' THEN
      failure := 'XX000';
    END IF;
    RAISE EXCEPTION 'the deliberation failed: %', coalesce(d.error ->> 'message', 'no reason is known') USING ERRCODE = failure,
      HINT = concat_ws(' ', d.error ->> 'hint', 'chat.resume_deliberation tries again what failed; then call run_deliberation again.');
  END IF;
  RETURN 'decision: ' || chat_private.decision_text(d);
END
$$;
COMMENT ON FUNCTION chat_private.end_of_run(uuid, uuid) IS
'What chat.run_deliberation tells of a deliberation that has ended, where it was completed.
Errors: 55000 it is paused; 57014 it was killed; that of the call for which it failed, or XX000.';

CREATE OR REPLACE PROCEDURE chat.run_deliberation(id uuid)
LANGUAGE c AS 'MODULE_PATHNAME', 'pgchat_run_deliberation';
COMMENT ON PROCEDURE chat.run_deliberation(uuid) IS
'Starts one of my deliberations, where that was not done yet, commits, and returns when it is completed. Meanwhile no transaction is
open on the data, and a NOTICE tells of each phase and round, the calls done and expected, and the cost so far; the last one of the
decision. Cancelling it leaves the deliberation running, and another CALL waits for it again. It resumes nothing.
Errors: 28000 nobody is authenticated; 22004 id is NULL; 22023 inside a transaction block; P0002 no such deliberation of mine; 55000 it
is paused, or is paused meanwhile; 57014 it was killed; where it failed, the SQLSTATE of the call for which it did.';
