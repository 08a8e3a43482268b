-- What a model is asked in each step of a deliberation: the prompt of its kind, filled in, for whoever speaks.

CREATE OR REPLACE FUNCTION chat_private.step_window(d chat.deliberations, persona_code text) RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN (SELECT min(w.context_window)
          FROM (SELECT chat_private.step_model(d, step_window.persona_code) AS name
                UNION ALL SELECT f.name FROM jsonb_array_elements_text(
                  CASE WHEN jsonb_typeof(d.options #> '{call_options,fallback_models}') = 'array' THEN d.options #> '{call_options,fallback_models}'
                       ELSE '[]' END) f (name)) m,
               LATERAL chat_private.model_window(m.name) w);
END
$$;
COMMENT ON FUNCTION chat_private.step_window(chat.deliberations, text) IS
'The smallest context window, in tokens, of the models that may be asked in a step of this persona, NULL: of none; fallback
models count. NULL: none is known.';

CREATE OR REPLACE FUNCTION chat_private.told_list(items jsonb, heading text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT string_agg('> ' || CASE WHEN told_list.heading = 'id' THEN coalesce(chat_private.text_line(i.value ->> 'id', 100), '?') ELSE i.n::text || '.' END
                      || ' ' || concat_ws(': ', chat_private.text_line(coalesce(i.value ->> 'title', i.value ->> 'label',
                        CASE WHEN jsonb_typeof(i.value) = 'string' THEN i.value #>> '{}' END), 300),
                                          chat_private.text_line(i.value ->> 'description', 1000)), E'\n' ORDER BY i.n)
    FROM jsonb_array_elements(CASE WHEN jsonb_typeof(told_list.items) = 'array' THEN told_list.items ELSE '[]' END) WITH ORDINALITY i (value, n));
END
$$;
COMMENT ON FUNCTION chat_private.told_list(jsonb, text) IS
'Sub-problems or choices, quoted, a line each. heading: what a line begins with, id or number. NULL: there are none.';

CREATE OR REPLACE FUNCTION chat_private.told_people(d chat.deliberations, except_code text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN (SELECT string_agg('- ' || chat_private.text_line(p.name, 100) || ' (' || p.persona_code || '): ' || chat_private.text_line(p.expertise, 300),
                            E'\n' ORDER BY p.seat)
          FROM chat.deliberation_participants p
          WHERE p.user_id = d.user_id AND p.deliberation_id = d.id AND p.seat > 0
            AND p.persona_code IS DISTINCT FROM told_people.except_code);
END
$$;
COMMENT ON FUNCTION chat_private.told_people(chat.deliberations, text) IS
'The personas of the board but one, a line each: name, code, and what they know. NULL: there are none.';

CREATE OR REPLACE FUNCTION chat_private.told_votes(d chat.deliberations, room integer) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  share integer;
BEGIN
  SELECT chat_private.fair_share(array_agg(octet_length(v.reasoning) + 4), (told_votes.room - 200 * count(*))::integer) INTO share
  FROM chat.votes v WHERE v.user_id = d.user_id AND v.deliberation_id = d.id;
  RETURN (
    SELECT string_agg('> ' || chat_private.text_line(p.name, 40) || ' (' || p.persona_code || '): '
             || CASE WHEN v.is_abstention THEN 'abstains' ELSE v.choice || coalesce(', confidence ' || v.confidence, '') END
             || coalesce('. ' || chat_private.text_clip(chat_private.text_line(v.reasoning, greatest(share, 1)), share), ''), E'\n' ORDER BY p.seat)
    FROM chat.votes v JOIN chat.deliberation_participants p
      ON p.user_id = v.user_id AND p.deliberation_id = v.deliberation_id AND p.persona_code = v.persona_code
    WHERE v.user_id = d.user_id AND v.deliberation_id = d.id);
END
$$;
COMMENT ON FUNCTION chat_private.told_votes(chat.deliberations, integer) IS
'Who voted how and why, quoted, a line each, in about room bytes. NULL: nobody has voted.';

CREATE OR REPLACE FUNCTION chat_private.told_catalogue(user_id uuid, room integer) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT string_agg('> ' || p.code || ': ' || p.name || ' (' || p.category || '). '
                      || coalesce(chat_private.text_clip(chat_private.text_line(p.expertise, 300), greatest(told_catalogue.room / p.personas - p.bytes, 3)), ''),
                      E'\n' ORDER BY p.n)
    FROM (SELECT c.code, l.name, c.category, c.expertise, octet_length(c.code || l.name || c.category) + 9 AS bytes,
                 count(*) OVER ()::integer AS personas, row_number() OVER () AS n
          FROM chat_private.choosable_personas(told_catalogue.user_id) c, LATERAL (SELECT chat_private.text_line(c.name, 100) AS name) l) p);
END
$$;
COMMENT ON FUNCTION chat_private.told_catalogue(uuid, integer) IS
'The personas that a model can choose, quoted, a line each, in room bytes as far as names and codes leave any.';

CREATE OR REPLACE FUNCTION chat_private.told_json(value jsonb, most_bytes integer) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- Each line is indented as deep as it nests, so that some kilobytes of brackets would become gigabytes.
  RETURN CASE WHEN octet_length(told_json.value::text) <= told_json.most_bytes THEN jsonb_pretty(told_json.value) ELSE told_json.value::text END;
END
$$;
COMMENT ON FUNCTION chat_private.told_json(jsonb, integer) IS 'A JSON value as people read it, or, where it has more than so many bytes, in one line.';

CREATE OR REPLACE FUNCTION chat_private.step_values(d chat.deliberations, persona_code text, wanted text[], record_tokens integer,
                                                    context_window integer) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  -- In bytes. What the problem and its context may take of a small window, so that something is left for the record.
  most_problem CONSTANT integer := coalesce(3 * (step_values.context_window / 4), 100000000);
  most_context CONSTANT integer := least(3 * chat_private.setting('deliberation_context_tokens')::integer, most_problem / 2);
  speaker chat.deliberation_participants;
BEGIN
  SELECT p.* INTO speaker FROM chat.deliberation_participants p
  WHERE p.user_id = d.user_id AND p.deliberation_id = d.id AND p.persona_code = step_values.persona_code;
  RETURN jsonb_build_object(
    'problem', chat_private.text_clip(chat_private.quoted_lines(chat_private.plain_lines(d.problem_statement)), most_problem),
    'context', coalesce(chat_private.text_clip(chat_private.quoted_lines(chat_private.plain_lines(CASE WHEN 'context' = ANY (step_values.wanted) THEN
      CASE jsonb_typeof(d.problem_context) WHEN 'null' THEN NULL WHEN 'string' THEN nullif(d.problem_context #>> '{}', '')
           ELSE chat_private.told_json(d.problem_context, most_context) END END)), most_context), '(Nothing.)'),
    'sub_problems', coalesce(chat_private.told_list(d.sub_problems, 'number'), '(It is one question.)'),
    'round', d.round_number, 'max_rounds', d.max_rounds, 'count', chat_private.board_size(d),
    'name', coalesce(chat_private.text_line(speaker.name, 255), ''), 'expertise', coalesce(chat_private.text_line(speaker.expertise, 500), ''),
    'persona', coalesce(speaker.system_prompt, ''),
    'others', CASE WHEN 'others' = ANY (step_values.wanted) THEN coalesce(chat_private.told_people(d, step_values.persona_code), '(Nobody.)') END,
    'participants', CASE WHEN 'participants' = ANY (step_values.wanted) THEN coalesce(chat_private.told_people(d), '(Nobody.)') END,
    'catalogue', CASE WHEN 'catalogue' = ANY (step_values.wanted) THEN coalesce(chat_private.told_catalogue(d.user_id, most_problem), '(Nobody.)') END,
    'choices', CASE WHEN 'choices' = ANY (step_values.wanted) THEN coalesce(chat_private.told_list(d.choices, 'id'), '(There are none.)') END,
    'votes', CASE WHEN 'votes' = ANY (step_values.wanted) THEN coalesce(chat_private.told_votes(d, step_values.record_tokens), '(Nobody has voted.)') END,
    'outcome', CASE WHEN 'outcome' = ANY (step_values.wanted) THEN
      coalesce(chat_private.text_clip(chat_private.quoted_lines(chat_private.plain_lines(d.outcome::text)), 6000), '(There was no vote.)') END);
END
$$;
COMMENT ON FUNCTION chat_private.step_values(chat.deliberations, text, text[], integer, integer) IS
'The values of the placeholders of a step''s prompts, but for the record. wanted: the names of those that are needed; others may be
null. context_window: in tokens, NULL: not known.';

CREATE OR REPLACE FUNCTION chat_private.step_texts(d chat.deliberations, kind text)
RETURNS TABLE (frame text, system_prompt text, prompt text)
LANGUAGE plpgsql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  prompt_code text := step_texts.kind;
BEGIN
  IF step_texts.kind = 'moderate' THEN
    SELECT 'moderate_' || r.verdict INTO prompt_code FROM chat.deliberation_rounds r
    WHERE r.user_id = d.user_id AND r.deliberation_id = d.id AND r.round_number <= d.round_number
      AND r.verdict IN ('stalling', 'drift', 'one_sided')
    ORDER BY r.round_number DESC LIMIT 1;
    prompt_code := coalesce(prompt_code, 'moderate_stalling');
  ELSIF step_texts.kind = 'synthesize' AND chat_private.text_wanted_since(d) IS NOT NULL THEN
    prompt_code := 'synthesize_text';
  END IF;
  RETURN QUERY
    SELECT CASE WHEN step_texts.kind IN ('initial', 'contribute', 'vote') THEN
             (SELECT f.prompt FROM chat.deliberation_prompts f WHERE f.code = 'persona') END,
           p.system_prompt, p.prompt
    FROM chat.deliberation_prompts p WHERE p.code = prompt_code;
END
$$;
COMMENT ON FUNCTION chat_private.step_texts(chat.deliberations, text) IS
'The prompts for a kind of step before they are filled in: the frame, where a persona speaks, the system prompt and the message. The
moderator''s is that of the last verdict that called for an intervention.';

CREATE OR REPLACE FUNCTION chat_private.fill_prompt(prompt text, filled jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- Taken apart once, so that nothing in a value is taken for a placeholder, and without a regular expression, which would cost more
  -- than all the rest of a step.
  RETURN (SELECT string_agg(CASE WHEN p.n = 1 THEN p.part WHEN strpos(p.part, '}}') = 0 THEN '{{' || p.part
                      ELSE coalesce(fill_prompt.filled ->> split_part(p.part, '}}', 1), '') || substr(p.part, strpos(p.part, '}}') + 2) END, '' ORDER BY p.n)
    FROM unnest(string_to_array(fill_prompt.prompt, '{{')) WITH ORDINALITY p (part, n));
END
$$;
COMMENT ON FUNCTION chat_private.fill_prompt(text, jsonb) IS
'A prompt, as chat_private.check_prompt takes it, with the values in place of its placeholders; nothing where there is no value. NULL: NULL.';

CREATE OR REPLACE FUNCTION chat_private.step_request(d chat.deliberations, kind text, persona_code text)
RETURNS TABLE (messages jsonb, system_prompt text, response_format jsonb, options jsonb)
LANGUAGE plpgsql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  most_record CONSTANT integer := chat_private.setting('deliberation_record_tokens')::integer;
  -- A record that is shorter helps nobody; where the window has no room for it, the provider says so.
  fewest_record CONSTANT integer := 200;
  context_window CONSTANT integer := chat_private.step_window(step_request.d, step_request.persona_code);
  schema CONSTANT jsonb := chat_private.step_schema(step_request.d, step_request.kind);
  call_options CONSTANT jsonb := CASE WHEN jsonb_typeof(d.options -> 'call_options') = 'object' THEN d.options -> 'call_options' ELSE '{}' END
    -- Null is none given, and what may be written is what was set aside for it.
    - CASE WHEN d.options #> '{call_options,max_tokens}' = 'null' THEN 'max_tokens' ELSE '' END;
  answer_tokens bigint := chat_private.setting('deliberation_answer_tokens')::bigint;
  texts record;
  wanted text[];
  filled jsonb;
  room bigint;
BEGIN
  -- What is told of goes by the step, wherever the deliberation stands when it is made.
  d.phase := CASE step_request.kind WHEN 'initial' THEN 'initial_round' WHEN 'contribute' THEN 'deliberation' WHEN 'moderate' THEN 'moderator_intervention'
             WHEN 'synthesize' THEN 'synthesis' ELSE 'voting' END;
  IF step_request.kind = 'synthesize' THEN
    answer_tokens := 2 * answer_tokens;
  END IF;
  answer_tokens := coalesce(chat_private.json_count(call_options -> 'max_tokens'), least(answer_tokens, context_window / 2));
  SELECT t.* INTO texts FROM chat_private.step_texts(step_request.d, step_request.kind) t;
  wanted := ARRAY(SELECT split_part(p, '}}', 1) FROM unnest((string_to_array(concat(texts.frame, texts.system_prompt, texts.prompt), '{{'))[2:]) p);
  filled := chat_private.step_values(step_request.d, step_request.persona_code, wanted, most_record, context_window);
  room := chat_private.context_room(context_window, answer_tokens,
    chat_private.text_tokens(octet_length(concat(texts.frame, texts.system_prompt, texts.prompt, filled::text, schema::text))) + 100);
  filled := filled || jsonb_build_object('record', CASE WHEN 'record' = ANY (wanted) THEN
    chat_private.record(step_request.d, step_request.persona_code, least(most_record, greatest(coalesce(room, most_record), fewest_record))::integer) END);
  RETURN QUERY SELECT
    jsonb_build_array(jsonb_build_object('role', 'user', 'content', chat_private.fill_prompt(texts.prompt, filled))),
    nullif(concat_ws(E'\n\n', chat_private.fill_prompt(texts.frame, filled), chat_private.fill_prompt(texts.system_prompt, filled)), ''),
    CASE WHEN schema IS NOT NULL THEN jsonb_build_object('type', 'json_schema', 'json_schema',
      jsonb_build_object('name', 'deliberation_' || step_request.kind, 'strict', true, 'schema', schema)) END,
    jsonb_build_object('max_tokens', answer_tokens) || call_options;
END
$$;
COMMENT ON FUNCTION chat_private.step_request(chat.deliberations, text, text) IS
'The call for a step of a deliberation. kind: as in chat.deliberation_steps. persona_code: who speaks; NULL or moderator where
none of the board does. response_format: NULL where the answer is text. options: those of the deliberation''s calls, with max_tokens from the setting
deliberation_answer_tokens where they have none. The record is cut to the setting deliberation_record_tokens and to what the smallest
context window of the models that may be asked leaves.';
