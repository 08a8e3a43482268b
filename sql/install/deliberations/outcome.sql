-- How a step of a deliberation ends: its cost is counted, what it brought is stored, and its request removed.

CREATE OR REPLACE FUNCTION chat_private.recover_steps(reason jsonb, is_restored boolean) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  recovered integer;
BEGIN
  UPDATE chat_private.llm_requests q
  SET state = 'error', error = recover_steps.reason, finished_at = clock_timestamp(), started_at = nullif(q.started_at, '-infinity'),
      result = jsonb_build_object('is_estimated', true, 'usage', jsonb_build_object('input_tokens', e.tokens, 'output_tokens', 0, 'cached_tokens', 0),
                                  'cost', trim_scale(e.tokens * coalesce(e.price, 0) / 1000000))
  FROM (SELECT r.user_id, r.id, (SELECT m.input_price FROM chat.models m WHERE m.name = r.model) AS price,
               (octet_length(r.messages::text) + coalesce(octet_length(r.system_prompt), 0)) / 3 AS tokens
        FROM chat_private.llm_requests r WHERE r.state = 'running' AND r.purpose = 'deliberation'
          AND (r.started_at = '-infinity' OR NOT recover_steps.is_restored)) e
  WHERE q.user_id = e.user_id AND q.id = e.id;
  GET DIAGNOSTICS recovered = ROW_COUNT;
  RETURN recovered;
END
$$;
COMMENT ON FUNCTION chat_private.recover_steps(jsonb, boolean) IS
'Ends, for this reason, the requests of steps that an engine which died has left running, or is_restored those that a restored dump
has brought as running. What they used is estimated, three bytes a
token, and counted when they are applied, so that a deliberation''s total is that of its usage at any time. Returns how many there were.';

CREATE OR REPLACE FUNCTION chat_private.record_estimate(request chat_private.llm_requests, deliberation_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO chat.usage_events (user_id, request_id, deliberation_id, model, provider, input_tokens, output_tokens, cached_tokens, cost,
                                 is_estimated, outcome, error_code)
  SELECT (request).user_id, (request).id, record_estimate.deliberation_id, (request).model,
         (SELECT p.name FROM chat.models m JOIN chat.providers p ON p.id = m.provider_id WHERE m.name = (request).model),
         ((request).result #>> '{usage,input_tokens}')::integer, 0, 0, ((request).result ->> 'cost')::numeric, true, 'error',
         (request).error ->> 'code'
  WHERE (request).result -> 'is_estimated' = 'true';
END
$$;
COMMENT ON FUNCTION chat_private.record_estimate(chat_private.llm_requests, uuid) IS
'Records the usage of a request that chat_private.recover_steps has ended; that of others is recorded already. deliberation_id: NULL
where that is gone.';

CREATE OR REPLACE FUNCTION chat_private.record_step(request chat_private.llm_requests, deliberation_id uuid, state text, error jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  result CONSTANT jsonb := record_step.request.result;
  step chat.deliberation_steps;
BEGIN
  UPDATE chat.deliberation_steps s
  SET state = record_step.state, error = record_step.error, model = coalesce(result ->> 'model', s.model),
      input_tokens = (result #>> '{usage,input_tokens}')::integer, output_tokens = (result #>> '{usage,output_tokens}')::integer,
      cached_tokens = (result #>> '{usage,cached_tokens}')::integer, cost = coalesce((result ->> 'cost')::numeric, 0),
      latency_ms = (result ->> 'latency_ms')::integer, finished_at = clock_timestamp()
  WHERE s.user_id = record_step.request.user_id AND s.id = record_step.request.id
  RETURNING s.* INTO step;
  UPDATE chat.deliberations d
  SET total_cost = d.total_cost + step.cost,
      total_tokens = d.total_tokens + coalesce(step.input_tokens, 0) + coalesce(step.output_tokens, 0)
  WHERE d.user_id = record_step.request.user_id AND d.id = record_step.deliberation_id;
  PERFORM chat_private.record_estimate(record_step.request, record_step.deliberation_id);
  DELETE FROM chat_private.llm_requests q WHERE q.user_id = record_step.request.user_id AND q.id = record_step.request.id;
END
$$;
COMMENT ON FUNCTION chat_private.record_step(chat_private.llm_requests, uuid, text, jsonb) IS
'Ends an open step with what its request, which has ended and is removed, used and cost, and adds that to the deliberation''s totals.
state: complete, failed or cancelled. error: why.';

CREATE OR REPLACE FUNCTION chat_private.seat_personas(user_id uuid, deliberation_id uuid, persona_codes text[], seq integer) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO chat.deliberation_participants (user_id, deliberation_id, persona_code, seat, name, expertise, category, system_prompt,
                                              model, seq)
  SELECT seat_personas.user_id, seat_personas.deliberation_id, p.code, row_number() OVER (ORDER BY c.n), p.name, p.expertise,
         p.category, p.system_prompt, p.model, seat_personas.seq
  FROM unnest(seat_personas.persona_codes) WITH ORDINALITY c (code, n)
  CROSS JOIN LATERAL chat_private.find_persona(seat_personas.user_id, c.code) p
  WHERE p.code IS NOT NULL;
END
$$;
COMMENT ON FUNCTION chat_private.seat_personas(uuid, uuid, text[], integer) IS
'Has these personas deliberate, in this order, as they are now. seq: the checkpoint with which they appear.';

CREATE OR REPLACE FUNCTION chat_private.seat_moderator(user_id uuid, deliberation_id uuid, seq integer) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO chat.deliberation_participants (user_id, deliberation_id, persona_code, seat, name, expertise, system_prompt, seq)
  SELECT seat_moderator.user_id, seat_moderator.deliberation_id, 'moderator', 0, 'Moderator', 'Keeps the discussion on course',
         coalesce((SELECT p.system_prompt FROM chat.deliberation_prompts p WHERE p.code = 'moderate_stalling'),
                  'You moderate a board of experts.'), seat_moderator.seq
  WHERE NOT EXISTS (SELECT FROM chat.deliberation_participants p
                    WHERE p.user_id = seat_moderator.user_id AND p.deliberation_id = seat_moderator.deliberation_id AND p.seat = 0);
END
$$;
COMMENT ON FUNCTION chat_private.seat_moderator(uuid, uuid, integer) IS 'Adds the moderator to a deliberation that has none.';

CREATE OR REPLACE FUNCTION chat_private.own_sub_problem(problem text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN jsonb_build_array(jsonb_build_object('id', 'p1', 'title', left(problem, 200), 'description', problem));
COMMENT ON FUNCTION chat_private.own_sub_problem(text) IS 'The sub-problems of a problem that is not taken apart: itself.';

CREATE OR REPLACE FUNCTION chat_private.store_said(d chat.deliberations, step chat.deliberation_steps, answer jsonb, thinking text,
                                                   seq integer) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  tokens CONSTANT bigint := coalesce(step.input_tokens, 0)::bigint + coalesce(step.output_tokens, 0);
BEGIN
  IF step.kind IN ('initial', 'contribute', 'moderate') THEN
    INSERT INTO chat.contributions (user_id, deliberation_id, persona_code, round_number, phase, content, thinking, cost, tokens, model,
                                    latency_ms, step_id, seq)
    VALUES ((d).user_id, (d).id, step.persona_code, step.round_number, step.phase, store_said.answer ->> 'content',
            store_said.thinking, step.cost, tokens, step.model, step.latency_ms, step.id, store_said.seq);
  ELSIF step.kind = 'vote' THEN
    INSERT INTO chat.votes (user_id, deliberation_id, persona_code, choice, ranking, approvals, reasoning, confidence, is_abstention,
                            error, cost, tokens, model, latency_ms, step_id, seq)
    SELECT (d).user_id, (d).id, step.persona_code, v.choice,
           CASE WHEN v.choice IS NULL THEN '{}' ELSE coalesce(v.ranking, '{}') END,
           CASE WHEN v.choice IS NULL THEN '{}' ELSE coalesce(v.approvals, '{}') END,
           coalesce(v.reasoning, ''), v.confidence, v.choice IS NULL,
           step.error, step.cost, tokens, step.model, step.latency_ms, step.id, store_said.seq
    FROM jsonb_to_record(coalesce(store_said.answer, '{}')) AS v (choice text, ranking text[], approvals text[], reasoning text,
                                                                  confidence numeric);
  ELSIF step.kind = 'select' THEN
    PERFORM chat_private.seat_personas((d).user_id, (d).id, ARRAY(
      SELECT c.code FROM jsonb_array_elements_text(store_said.answer -> 'persona_codes') WITH ORDINALITY c (code, n) ORDER BY c.n),
      store_said.seq);
    PERFORM chat_private.seat_moderator((d).user_id, (d).id, store_said.seq);
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.store_said(chat.deliberations, chat.deliberation_steps, jsonb, text, integer) IS
'Stores what a step brought that has rows of its own. answer: as chat_private.read_answer gives it; NULL for a vote that was given
up, which is an abstention. seq: the step''s checkpoint.';

CREATE OR REPLACE FUNCTION chat_private.store_answer(d chat.deliberations, step_id uuid, answer jsonb, thinking text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  step chat.deliberation_steps;
  is_given_up boolean;
  seq integer;
BEGIN
  SELECT s.* INTO step FROM chat.deliberation_steps s WHERE s.user_id = (d).user_id AND s.id = store_answer.step_id;
  is_given_up := step.state = 'failed'
    AND (SELECT t.standing FROM chat_private.step_standing(d, step.kind, step.persona_code) t) = 'given_up';
  UPDATE chat.deliberations t
  SET sub_problems = CASE WHEN step.kind <> 'decompose' THEN t.sub_problems
                          WHEN is_given_up THEN chat_private.own_sub_problem(t.problem_statement)
                          ELSE coalesce(store_answer.answer -> 'sub_problems', t.sub_problems) END,
      choices = CASE step.kind WHEN 'choices' THEN coalesce(store_answer.answer -> 'choices', t.choices) ELSE t.choices END,
      synthesis = CASE step.kind WHEN 'synthesize' THEN coalesce(store_answer.answer, t.synthesis) ELSE t.synthesis END
  WHERE t.user_id = (d).user_id AND t.id = (d).id AND step.kind IN ('decompose', 'choices', 'synthesize');
  -- Before the rows, which carry its number.
  seq := chat_private.add_checkpoint((d).user_id, (d).id, 'step', step.id);
  IF store_answer.answer IS NOT NULL OR is_given_up AND step.kind = 'vote' THEN
    PERFORM chat_private.store_said(d, step, store_answer.answer, store_answer.thinking, seq);
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.store_answer(chat.deliberations, uuid, jsonb, text) IS
'Stores what a step that has ended brought, with a checkpoint. answer NULL: nothing.';

CREATE OR REPLACE FUNCTION chat_private.step_failure(request chat_private.llm_requests) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN CASE
  WHEN (request).state = 'complete'
    THEN jsonb '{"code": "provider_bad_response", "sqlstate": "PC107", "message": "the model''s answer is not what was asked for"}'
  ELSE coalesce((request).error, jsonb '{"code": "internal", "sqlstate": "XX000", "message": "the call ended without a reason"}') END;
COMMENT ON FUNCTION chat_private.step_failure(chat_private.llm_requests) IS 'Why a request that has ended brought a step nothing.';

CREATE OR REPLACE FUNCTION chat_private.pause_for(error jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE error ->> 'code' WHEN 'budget_exhausted' THEN 'limit' WHEN 'token_limit_reached' THEN 'limit' WHEN 'cancelled' THEN 'cancelled' END;
COMMENT ON FUNCTION chat_private.pause_for(jsonb) IS 'The pause_reason of a deliberation whose call ended with this error; NULL: it goes on.';

CREATE OR REPLACE FUNCTION chat_private.apply_step(request chat_private.llm_requests, deliberation_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  d chat.deliberations;
  step chat.deliberation_steps;
  answer jsonb;
  failure jsonb;
  reason text;
BEGIN
  SELECT t.* INTO d FROM chat.deliberations t WHERE t.user_id = (request).user_id AND t.id = apply_step.deliberation_id;
  SELECT s.* INTO step FROM chat.deliberation_steps s WHERE s.user_id = (request).user_id AND s.id = (request).id;
  IF d.status = 'killed' THEN
    failure := coalesce((request).error, jsonb '{"code": "cancelled", "sqlstate": "57014", "message": "the deliberation was killed"}');
  ELSE
    IF (request).state = 'complete' THEN
      answer := chat_private.read_answer(d, step.kind, step.persona_code, (request).result ->> 'content');
      IF answer ->> 'content' = '' THEN
        answer := NULL;
      END IF;
    END IF;
    failure := CASE WHEN answer IS NULL THEN chat_private.step_failure(request) END;
    reason := coalesce(chat_private.pause_for(failure), CASE WHEN failure ->> 'code' = 'permission_denied'
                         AND NOT EXISTS (SELECT FROM chat.users u WHERE u.id = (request).user_id AND u.is_active) THEN 'cancelled' END);
  END IF;
  PERFORM chat_private.record_step(request, d.id, CASE WHEN failure IS NULL THEN 'complete'
    WHEN d.status = 'killed' OR reason IS NOT NULL THEN 'cancelled' ELSE 'failed' END, failure);
  PERFORM chat_private.store_answer(d, step.id, answer, (request).result ->> 'thinking');
  IF reason IS NOT NULL AND d.status = 'active' THEN
    PERFORM chat_private.stop_steps(d.user_id, d.id, false, wait => false);
    PERFORM chat_private.halt_deliberation(d.user_id, d.id, 'paused', reason, NULL);
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.apply_step(chat_private.llm_requests, uuid) IS
'Ends the open step of a request that has ended. What a killed deliberation is told is only paid for. A call that was refused for the
account''s limits, or called off by others, pauses the deliberation.';
