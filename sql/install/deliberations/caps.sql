-- What a deliberation may cost and how long it may take: looked at before any step is queued, and after each has ended.

CREATE OR REPLACE FUNCTION chat_private.step_reserve(model text, messages jsonb, system_prompt text, response_format jsonb, options jsonb)
RETURNS numeric
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  input_tokens CONSTANT bigint := chat_private.text_tokens(
    octet_length(step_reserve.messages::text)::bigint + coalesce(octet_length(step_reserve.system_prompt), 0)
    + coalesce(octet_length(step_reserve.response_format::text), 0));
  fallbacks CONSTANT jsonb := CASE jsonb_typeof(step_reserve.options -> 'fallback_models')
                              WHEN 'array' THEN step_reserve.options -> 'fallback_models' ELSE '[]' END;
  -- A structured reply may be repaired once: then the first one is told again, and another one written.
  repairs CONSTANT integer := (step_reserve.response_format IS NOT NULL)::integer;
BEGIN
  RETURN (
    SELECT coalesce(max(trim_scale(
             (((1 + repairs) * input_tokens + repairs * o.tokens) * coalesce(m.input_price, 0)
              + (1 + repairs) * o.tokens * coalesce(m.output_price, 0)) / 1000000)), 0)
    FROM chat.models m
    CROSS JOIN LATERAL (
      SELECT coalesce(chat_private.json_count(step_reserve.options -> 'max_tokens'),
                      chat_private.json_count(m.config -> 'max_output_tokens'),
                      chat_private.json_count(chat_private.setting('context_reserve'))) AS tokens) o
    -- As an array, which an index serves.
    WHERE m.name = ANY (step_reserve.model || ARRAY(SELECT f.name FROM jsonb_array_elements_text(fallbacks) f (name))));
END
$$;
COMMENT ON FUNCTION chat_private.step_reserve(text, jsonb, text, jsonb, jsonb) IS
'The most that a call is expected to cost, of its model and its fallbacks the dearest: all output that is allowed, and the repair of a
structured reply.';

CREATE OR REPLACE FUNCTION chat_private.time_left(d chat.deliberations) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN greatest(least(extract(epoch FROM (d).max_duration) * 1000 - chat_private.active_ms_of(d), 2147483647), -1)::integer;
END
$$;
COMMENT ON FUNCTION chat_private.time_left(chat.deliberations) IS
'Milliseconds that a deliberation may still be active; zero or less: none. NULL: there is no limit.';

CREATE OR REPLACE FUNCTION chat_private.cap_reached(d chat.deliberations) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE WHEN (d).total_cost >= (d).max_cost THEN 'max_cost' WHEN chat_private.time_left(d) <= 0 THEN 'max_duration' END;
END
$$;
COMMENT ON FUNCTION chat_private.cap_reached(chat.deliberations) IS
'The cap for which no further step can be queued, max_cost or max_duration; NULL: there is room.';

CREATE OR REPLACE FUNCTION chat_private.queue_missing_steps(d chat.deliberations) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  -- The engine lets go what rests once a minute (chat_private.release_stranded).
  most_rest CONSTANT integer := 60000;
  time_left CONSTANT integer := chat_private.time_left(d);
  call_timeout CONSTANT integer := chat_private.json_count((d).options -> 'call_timeout_ms')::integer;
  may_rest CONSTANT boolean := coalesce(time_left > 2 * most_rest, true);
  room CONSTANT numeric := (d).max_cost - (d).total_cost - (
    SELECT coalesce(sum(s.reserved_cost), 0) FROM chat.deliberation_steps s
    WHERE s.user_id = (d).user_id AND s.deliberation_id = (d).id AND s.state = 'open');
  found record;
BEGIN
  -- All or none. The clock is read for each, so that they are claimed in the order of their seats.
  WITH planned AS MATERIALIZED (
    SELECT chat.uuid_v7() AS id, w.kind, w.persona_code, t.attempt, t.is_resting AND may_rest AS rests, chat_private.step_model(d, w.persona_code) AS model, r.*
    FROM chat_private.wanted_steps(d) w
    CROSS JOIN LATERAL chat_private.step_standing(d, w.kind, w.persona_code) t
    CROSS JOIN LATERAL (SELECT q.messages, q.system_prompt, q.response_format, coalesce(q.options, '{}') AS options
                        FROM chat_private.step_request(d, w.kind, w.persona_code) q WHERE t.standing = 'missing' OFFSET 0) r
  ), priced AS MATERIALIZED (
    SELECT p.*, chat_private.step_reserve(p.model, p.messages, p.system_prompt, p.response_format, p.options) AS reserve FROM planned p
  ), judged AS MATERIALIZED (
    SELECT CASE WHEN bool_or(p.model IS NULL) THEN 'no_model' WHEN sum(p.reserve) > room THEN 'max_cost' ELSE 'queued' END AS verdict
    FROM priced p
  ), steps AS (
    INSERT INTO chat.deliberation_steps (user_id, id, deliberation_id, kind, phase, round_number, persona_code, attempt, model, reserved_cost)
    SELECT (d).user_id, p.id, (d).id, p.kind, (d).phase, (d).round_number, p.persona_code, p.attempt, p.model, p.reserve
    FROM priced p, judged j WHERE j.verdict = 'queued'
  ), requests AS (
    -- One that rests waits for what is neither message nor request.
    INSERT INTO chat_private.llm_requests (user_id, id, purpose, state, queued_at, waits_for, model, messages, system_prompt, response_format,
                                           options, timeout_ms)
    SELECT (d).user_id, p.id, 'deliberation', CASE WHEN p.rests THEN 'waiting' ELSE 'queued' END,
           CASE WHEN NOT p.rests THEN clock_timestamp() END, CASE WHEN p.rests THEN (d).id END,
           p.model, p.messages, p.system_prompt, p.response_format, p.options,
           least(call_timeout, CASE WHEN p.rests THEN time_left - most_rest ELSE time_left END)
    FROM priced p, judged j WHERE j.verdict = 'queued'
  )
  SELECT j.verdict INTO found FROM judged j;
  IF found.verdict = 'queued' THEN
    PERFORM chat_private.wake_engine();
  END IF;
  RETURN found.verdict;
END
$$;
COMMENT ON FUNCTION chat_private.queue_missing_steps(chat.deliberations) IS
'Queues all steps of a deliberation''s phase and round that are missing, to be sent when the transaction commits, or up to a minute later where
a provider or the account could not take them just now; or none: queued; max_cost: together with those that are open they might cost more than is left; no_model: there is none to ask.';
