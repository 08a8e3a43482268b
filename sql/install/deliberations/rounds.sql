-- What follows when all steps of a deliberation's phase have ended: the next phase or round, or its end.

CREATE OR REPLACE FUNCTION chat_private.spoke_in_round(d chat.deliberations, OUT personas integer, OUT speakers integer)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  SELECT count(*), count(c.id) INTO spoke_in_round.personas, spoke_in_round.speakers
  FROM chat.deliberation_participants p
  LEFT JOIN chat.contributions c ON c.user_id = p.user_id AND c.deliberation_id = p.deliberation_id
    AND c.round_number = (d).round_number AND c.phase = (d).phase AND c.persona_code = p.persona_code
  WHERE p.user_id = (d).user_id AND p.deliberation_id = (d).id AND p.seat > 0;
END
$$;
COMMENT ON FUNCTION chat_private.spoke_in_round(chat.deliberations) IS 'How many personas deliberate, and how many of them spoke in this round.';

CREATE OR REPLACE FUNCTION chat_private.fail_for_steps(d chat.deliberations) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM chat_private.halt_deliberation((d).user_id, (d).id, 'failed', NULL, coalesce((
    SELECT s.error FROM chat.deliberation_steps s
    WHERE s.user_id = (d).user_id AND s.deliberation_id = (d).id AND s.state = 'failed' ORDER BY s.id DESC LIMIT 1),
    jsonb '{"code": "internal", "sqlstate": "XX000", "message": "nobody deliberates"}'));
END
$$;
COMMENT ON FUNCTION chat_private.fail_for_steps(chat.deliberations) IS 'Ends a deliberation as failed, for the reason of its last failed step.';

CREATE OR REPLACE FUNCTION chat_private.ended_round(d chat.deliberations, OUT measured chat.deliberation_rounds)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  SELECT r.* INTO ended_round.measured FROM chat.deliberation_rounds r
  WHERE r.user_id = (d).user_id AND r.deliberation_id = (d).id AND r.round_number = (d).round_number;
  IF NOT FOUND THEN
    SELECT r.* INTO ended_round.measured
    FROM chat_private.measure_round((d).user_id, (d).id, (d).round_number, (d).last_seq + 1) r;
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.ended_round(chat.deliberations) IS
'What is measured of the round that has ended; it appears with the next checkpoint.';

CREATE OR REPLACE FUNCTION chat_private.rounds_end(d chat.deliberations, verdict text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  may_end_early CONSTANT boolean := (d).options -> 'convergence' IS DISTINCT FROM 'false';
  min_rounds CONSTANT bigint := coalesce(chat_private.json_count((d).options -> 'min_rounds'), 2);
BEGIN
  RETURN CASE
    WHEN may_end_early AND rounds_end.verdict = 'converged' AND (d).round_number >= min_rounds THEN 'converged'
    WHEN may_end_early AND rounds_end.verdict = 'stalling' AND EXISTS (
      SELECT FROM chat.contributions c
      WHERE c.user_id = (d).user_id AND c.deliberation_id = (d).id AND c.round_number = (d).round_number - 1
        AND c.phase = 'moderator_intervention') THEN 'stalled'
    WHEN (d).round_number >= (d).max_rounds THEN 'max_rounds' END;
END
$$;
COMMENT ON FUNCTION chat_private.rounds_end(chat.deliberations, text) IS
'Why a round with this verdict is the last one, as rounds_ended_by; NULL: it is not. It stalls for good where the moderator has
intervened before it already.';

CREATE OR REPLACE FUNCTION chat_private.may_intervene(d chat.deliberations) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  most CONSTANT numeric := CASE jsonb_typeof((d).options -> 'max_interventions') WHEN 'number' THEN ((d).options ->> 'max_interventions')::numeric ELSE 2 END;
BEGIN
  RETURN (d).options -> 'moderator' IS DISTINCT FROM 'false' AND most > (
    SELECT count(*) FROM chat.contributions c
    WHERE c.user_id = (d).user_id AND c.deliberation_id = (d).id AND c.phase = 'moderator_intervention');
END
$$;
COMMENT ON FUNCTION chat_private.may_intervene(chat.deliberations) IS 'Whether the moderator may intervene once more.';

CREATE OR REPLACE FUNCTION chat_private.leave_round(d chat.deliberations) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  spoke CONSTANT record := chat_private.spoke_in_round(d);
  quorum CONSTANT numeric := CASE jsonb_typeof((d).options -> 'quorum') WHEN 'number' THEN ((d).options ->> 'quorum')::numeric ELSE 0.5 END;
  verdict text;
  ended_by text;
BEGIN
  IF spoke.speakers < greatest(quorum * spoke.personas, 1) THEN
    PERFORM chat_private.fail_for_steps(d);
    RETURN;
  END IF;
  verdict := (chat_private.ended_round(d)).verdict;
  ended_by := chat_private.rounds_end(d, verdict);
  IF ended_by IS NOT NULL THEN
    UPDATE chat.deliberations t
    SET rounds_ended_by = ended_by, choices = coalesce(t.choices, chat_private.given_choices(t.options -> 'choices'))
    WHERE t.user_id = (d).user_id AND t.id = (d).id;
    PERFORM chat_private.enter_phase((d).user_id, (d).id, 'voting', (d).round_number);
  ELSIF verdict IN ('stalling', 'drift', 'one_sided') AND chat_private.may_intervene(d) THEN
    PERFORM chat_private.enter_phase((d).user_id, (d).id, 'moderator_intervention', (d).round_number);
  ELSE
    PERFORM chat_private.enter_phase((d).user_id, (d).id, 'deliberation', (d).round_number + 1);
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.leave_round(chat.deliberations) IS
'Measures a round that has ended and begins what follows: the vote, the moderator''s intervention, or the next round. Where too few
spoke the deliberation has failed.';

CREATE OR REPLACE FUNCTION chat_private.given_choices(choices jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT jsonb_agg(CASE jsonb_typeof(c.choice) WHEN 'string' THEN jsonb_build_object('id', 'choice_' || c.n, 'label', c.choice, 'description', '')
                                               ELSE c.choice END ORDER BY c.n)
  FROM jsonb_array_elements(CASE jsonb_typeof(given_choices.choices) WHEN 'array' THEN given_choices.choices ELSE '[]' END)
       WITH ORDINALITY c (choice, n)
$$;
COMMENT ON FUNCTION chat_private.given_choices(jsonb) IS 'The choices of a deliberation from those in its options, where they may be texts; NULL: none.';

CREATE OR REPLACE FUNCTION chat_private.leave_phase(d chat.deliberations) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  told jsonb;
BEGIN
  CASE (d).phase
    WHEN 'problem_decomposition' THEN
      UPDATE chat.deliberations t SET sub_problems = chat_private.own_sub_problem(t.problem_statement)
      WHERE t.user_id = (d).user_id AND t.id = (d).id AND t.sub_problems IS NULL;
      PERFORM chat_private.enter_phase((d).user_id, (d).id, 'persona_selection', 0);
    WHEN 'persona_selection' THEN
      IF (chat_private.spoke_in_round(d)).personas = 0 THEN
        PERFORM chat_private.fail_for_steps(d);
      ELSE
        PERFORM chat_private.seat_moderator((d).user_id, (d).id, (d).last_seq + 1);
        PERFORM chat_private.enter_phase((d).user_id, (d).id, 'initial_round', 1);
      END IF;
    WHEN 'moderator_intervention' THEN
      PERFORM chat_private.enter_phase((d).user_id, (d).id, 'deliberation', (d).round_number + 1);
    WHEN 'voting' THEN
      told := chat_private.vote_outcome(d);
      UPDATE chat.deliberations t SET outcome = told WHERE t.user_id = (d).user_id AND t.id = (d).id;
      PERFORM chat_private.enter_phase((d).user_id, (d).id, 'synthesis', (d).round_number);
    WHEN 'synthesis' THEN
      IF (d).synthesis IS NULL THEN
        PERFORM chat_private.fail_for_steps(d);
      ELSE
        PERFORM chat_private.halt_deliberation((d).user_id, (d).id, 'completed', NULL, NULL);
      END IF;
    ELSE
      PERFORM chat_private.leave_round(d);
  END CASE;
END
$$;
COMMENT ON FUNCTION chat_private.leave_phase(chat.deliberations) IS
'Goes on from a phase or round whose steps have all ended or been given up.';
