-- Steps of deliberations, each a call to a model: which are missing, queueing them, and calling them off.
--
-- A step that is open has a request of the same id in the queue. Both are written, and the request is removed, in one transaction.

CREATE OR REPLACE FUNCTION chat_private.wanted_steps(d chat.deliberations) RETURNS TABLE (kind text, persona_code text)
LANGUAGE plpgsql STABLE ROWS 12 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT w.kind, NULL::text
    FROM (VALUES ('problem_decomposition', 'decompose',
                  (d).sub_problems IS NULL AND (d).options -> 'decompose' IS DISTINCT FROM 'false'),
                 ('persona_selection', 'select', NOT EXISTS (
                    SELECT FROM chat.deliberation_participants p
                    WHERE p.user_id = (d).user_id AND p.deliberation_id = (d).id AND p.seat > 0)),
                 ('voting', 'choices', (d).choices IS NULL),
                 ('synthesis', 'synthesize', (d).synthesis IS NULL)) w (phase, kind, is_wanted)
    WHERE w.phase = (d).phase AND w.is_wanted
    UNION ALL
    SELECT CASE (d).phase WHEN 'initial_round' THEN 'initial' WHEN 'deliberation' THEN 'contribute' ELSE 'moderate' END, p.persona_code
    FROM chat.deliberation_participants p
    WHERE p.user_id = (d).user_id AND p.deliberation_id = (d).id
      AND CASE WHEN (d).phase = 'moderator_intervention' THEN p.seat = 0
               ELSE (d).phase IN ('initial_round', 'deliberation') AND p.seat > 0 END
      AND NOT EXISTS (SELECT FROM chat.contributions c
                      WHERE c.user_id = p.user_id AND c.deliberation_id = p.deliberation_id
                        AND c.round_number = (d).round_number AND c.phase = (d).phase AND c.persona_code = p.persona_code)
    UNION ALL
    SELECT 'vote', p.persona_code
    FROM chat.deliberation_participants p
    WHERE p.user_id = (d).user_id AND p.deliberation_id = (d).id AND p.seat > 0 AND (d).phase = 'voting' AND (d).choices IS NOT NULL
      AND NOT EXISTS (SELECT FROM chat.votes v
                      WHERE v.user_id = p.user_id AND v.deliberation_id = p.deliberation_id AND v.persona_code = p.persona_code);
END
$$;
COMMENT ON FUNCTION chat_private.wanted_steps(chat.deliberations) IS
'The steps of a deliberation''s phase and round that have not brought what they are for, whatever has been tried.';

CREATE OR REPLACE FUNCTION chat_private.may_pass(error jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(error ->> 'code', '') IN ('request_timeout', 'provider_unreachable', 'provider_rate_limited', 'provider_failed',
  'provider_suspended', 'incomplete_response', 'provider_bad_response', 'outcome_unknown', 'rate_limit_reached');
COMMENT ON FUNCTION chat_private.may_pass(jsonb) IS 'Whether a call that ended with this error may succeed when it is made again.';

CREATE OR REPLACE FUNCTION chat_private.counted_since(d chat.deliberations) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN coalesce((
    SELECT max(c.created_at) FROM chat.deliberation_checkpoints c
    WHERE c.user_id = (d).user_id AND c.deliberation_id = (d).id AND c.event = 'resumed'), '-infinity');
END
$$;
COMMENT ON FUNCTION chat_private.counted_since(chat.deliberations) IS
'From when on failures of a deliberation''s steps count: whoever resumes it wants what has failed tried again.';

CREATE OR REPLACE FUNCTION chat_private.text_wanted_since(d chat.deliberations) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT min(f.finished_at)
    FROM (SELECT s.finished_at, s.error ->> 'code' AS code, row_number() OVER (PARTITION BY s.error ->> 'code' ORDER BY s.finished_at, s.id) AS n
          FROM chat.deliberation_steps s
          WHERE s.user_id = (d).user_id AND s.deliberation_id = (d).id AND s.kind = 'synthesize' AND s.state = 'failed'
            AND s.finished_at > chat_private.counted_since(d)) f
    WHERE f.code = 'invalid_structured_reply' OR f.code = 'provider_bad_response' AND f.n = 2);
END
$$;
COMMENT ON FUNCTION chat_private.text_wanted_since(chat.deliberations) IS
'Since when the conclusion of a deliberation is asked for as text, because what the model gave was not of the form that was asked for;
NULL: it is not. All that went before would be lost over a form.';

CREATE OR REPLACE FUNCTION chat_private.step_standing(d chat.deliberations, kind text, persona_code text, OUT standing text,
                                                      OUT attempt integer)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  most_attempts CONSTANT integer := 2;
  counted_since CONSTANT timestamptz := greatest(chat_private.counted_since(d),
    CASE step_standing.kind WHEN 'synthesize' THEN chat_private.text_wanted_since(d) END);
BEGIN
  SELECT CASE WHEN bool_or(s.state = 'open') THEN 'open'
              WHEN count(*) FILTER (WHERE s.state = 'failed' AND s.finished_at > counted_since) >= most_attempts
                OR bool_or(s.state = 'failed' AND s.finished_at > counted_since AND NOT chat_private.may_pass(s.error)) THEN 'given_up'
              ELSE 'missing' END,
         1 + count(*) FILTER (WHERE s.state = 'failed')
  INTO step_standing.standing, step_standing.attempt
  FROM chat.deliberation_steps s
  WHERE s.user_id = (d).user_id AND s.deliberation_id = (d).id AND s.kind = step_standing.kind
    AND s.round_number = (d).round_number AND s.persona_code IS NOT DISTINCT FROM step_standing.persona_code;
END
$$;
COMMENT ON FUNCTION chat_private.step_standing(chat.deliberations, text, text) IS
'Where a wanted step of a deliberation''s round stands: open, given_up, or missing, and which attempt the next one is.';

CREATE OR REPLACE FUNCTION chat_private.step_model(d chat.deliberations, persona_code text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  -- A persona for all may name a model that this user may not ask.
  RETURN (
    SELECT f.name
    FROM (SELECT coalesce((d).options #>> ARRAY['models', step_model.persona_code],
                          CASE step_model.persona_code WHEN 'moderator' THEN (d).options ->> 'moderator_model' END,
                          (SELECT p.model FROM chat.deliberation_participants p
                           WHERE p.user_id = (d).user_id AND p.deliberation_id = (d).id AND p.persona_code = step_model.persona_code),
                          (d).model), 1
          UNION ALL SELECT (d).model, 2) w (name, n),
         LATERAL chat_private.find_model((d).user_id, w.name) f
    WHERE f.is_usable ORDER BY w.n LIMIT 1);
END
$$;
COMMENT ON FUNCTION chat_private.step_model(chat.deliberations, text) IS
'The model that is asked for a persona, or for none: its own where the owner may use it, else the deliberation''s, else the owner''s
default. NULL: there is none.';

CREATE OR REPLACE FUNCTION chat_private.stop_steps(user_id uuid, deliberation_id uuid, in_flight boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  step_id uuid;
BEGIN
  -- In the order of chat_private.cancel_requests, which may run for the account meanwhile.
  FOR step_id IN
    SELECT s.id FROM chat.deliberation_steps s
    WHERE s.user_id = stop_steps.user_id AND s.deliberation_id = stop_steps.deliberation_id AND s.state = 'open' ORDER BY s.id DESC
  LOOP
    DELETE FROM chat_private.llm_requests q
    WHERE q.user_id = stop_steps.user_id AND q.id = step_id AND q.queued_at IS NOT NULL;
    IF FOUND THEN
      UPDATE chat.deliberation_steps s SET state = 'cancelled', error = chat_private.not_sent(), finished_at = clock_timestamp()
      WHERE s.user_id = stop_steps.user_id AND s.id = step_id;
    ELSIF stop_steps.in_flight THEN
      BEGIN
        PERFORM chat_private.cancel_call(stop_steps.user_id, step_id);
      EXCEPTION WHEN cannot_connect_now THEN
        -- Without an engine nothing is under way; the next one ends the request.
        NULL;
      END;
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chat_private.stop_steps(uuid, uuid, boolean) IS
'Calls off the open steps of a deliberation, whose row the caller has locked: those that are not sent end at once and cost nothing.
in_flight: those under way too; they end, with what they cost, when the engine has recorded them.';
