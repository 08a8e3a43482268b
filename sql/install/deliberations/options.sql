-- Options of a deliberation: what chat.create_deliberation takes, checked before anything is stored.

CREATE OR REPLACE FUNCTION chat_private.is_whole(given jsonb, lowest numeric, highest numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN jsonb_typeof(given) = 'number' THEN given::numeric BETWEEN lowest AND highest AND given::numeric = trunc(given::numeric) ELSE false END;
COMMENT ON FUNCTION chat_private.is_whole(jsonb, numeric, numeric) IS 'Whether a JSON value is a whole number from lowest to highest.';

CREATE OR REPLACE FUNCTION chat_private.is_share(given jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN jsonb_typeof(given) = 'number' THEN given::numeric BETWEEN 0 AND 1 ELSE false END;
COMMENT ON FUNCTION chat_private.is_share(jsonb) IS 'Whether a JSON value is a number from 0 to 1.';

CREATE OR REPLACE FUNCTION chat_private.is_said(given jsonb, most integer) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN jsonb_typeof(given) IS NOT DISTINCT FROM 'string' AND btrim(given #>> '{}', E' \t\r\n') <> '' AND char_length(given #>> '{}') <= most;
COMMENT ON FUNCTION chat_private.is_said(jsonb, integer) IS 'Whether a JSON value is a text that is not blank, of at most so many characters.';

CREATE OR REPLACE FUNCTION chat_private.option_parts(given jsonb, named text, prefix text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  parts jsonb;
BEGIN
  IF jsonb_typeof(option_parts.given) <> 'array' OR jsonb_array_length(option_parts.given) > 20
     OR EXISTS (SELECT FROM jsonb_array_elements(option_parts.given) e
                WHERE NOT CASE jsonb_typeof(e)
                  WHEN 'string' THEN chat_private.is_said(e, 500)
                  WHEN 'object' THEN
                    e - ARRAY['id', option_parts.named, 'description'] = '{}' AND chat_private.is_said(e -> option_parts.named, 500)
                    AND (NOT e ? 'id' OR jsonb_typeof(e -> 'id') = 'string' AND e ->> 'id' ~ '^[a-z][a-z0-9_]{0,99}$')
                    AND (NOT e ? 'description' OR jsonb_typeof(e -> 'description') = 'string' AND char_length(e ->> 'description') <= 5000)
                  ELSE false END) THEN
    RETURN NULL;
  END IF;
  SELECT jsonb_agg(jsonb_build_object('id', p.id, option_parts.named, p.name, 'description', p.description) ORDER BY p.n) INTO parts
  FROM (SELECT e.n, coalesce(e.part ->> 'id', option_parts.prefix || '_' || e.n) AS id,
               CASE jsonb_typeof(e.part) WHEN 'string' THEN e.part #>> '{}' ELSE e.part ->> option_parts.named END AS name,
               coalesce(e.part ->> 'description', '') AS description
        FROM jsonb_array_elements(option_parts.given) WITH ORDINALITY e (part, n)) p
  HAVING count(DISTINCT p.id) = count(*);
  RETURN parts;
END
$$;
COMMENT ON FUNCTION chat_private.option_parts(jsonb, text, text) IS
'The options sub_problems and choices written out: each element, a text or an object, as {id, NAMED, description}. prefix: of the ids of those
that have none. NULL: it is not of this form, has more than 20 elements or none, or an id comes twice.';

CREATE OR REPLACE FUNCTION chat_private.is_deliberation_option(name text, given jsonb) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE is_deliberation_option.name
    WHEN 'models' THEN jsonb_typeof(given) = 'object' AND NOT EXISTS (
      SELECT FROM jsonb_each(CASE jsonb_typeof(given) WHEN 'object' THEN given ELSE '{}' END) m WHERE NOT chat_private.is_said(m.value, 200))
    WHEN 'moderator_model' THEN chat_private.is_said(given, 200)
    WHEN 'persona_count' THEN chat_private.is_whole(given, 2, 12)
    WHEN 'sub_problems' THEN chat_private.option_parts(given, 'title', 'sub_problem') IS NOT NULL
    WHEN 'choices' THEN coalesce(jsonb_array_length(chat_private.option_parts(given, 'label', 'choice')) >= 2, false)
    WHEN 'decompose' THEN jsonb_typeof(given) = 'boolean'
    WHEN 'moderator' THEN jsonb_typeof(given) = 'boolean'
    WHEN 'tally' THEN given IN ('"plurality"', '"approval"', '"ranked"', '"confidence"')
    WHEN 'quorum' THEN chat_private.is_share(given)
    WHEN 'min_rounds' THEN chat_private.is_whole(given, 1, 100)
    WHEN 'max_interventions' THEN chat_private.is_whole(given, 0, 100)
    WHEN 'convergence' THEN given = 'false' OR jsonb_typeof(given) = 'object' AND NOT EXISTS (
      SELECT FROM jsonb_each(CASE jsonb_typeof(given) WHEN 'object' THEN given ELSE '{}' END) c
      WHERE c.key NOT IN ('agreement', 'stability', 'focus') OR NOT chat_private.is_share(c.value))
    WHEN 'call_options' THEN jsonb_typeof(given) = 'object' AND NOT given ?| ARRAY['tools', 'tool_choice', 'images']
      -- Nor what would make an answer longer, or more of it, than is set aside for a call.
      AND NOT coalesce(given -> 'extra', '{}') ?| ARRAY['tools', 'tool_choice', 'functions', 'n', 'best_of', 'max_tokens', 'max_completion_tokens',
                                                        'max_output_tokens']
    WHEN 'call_timeout_ms' THEN chat_private.is_whole(given, 1, 86400000)
  END;
END
$$;
COMMENT ON FUNCTION chat_private.is_deliberation_option(text, jsonb) IS
'Whether a member of the options of chat.create_deliberation may have this value; NULL: there is no such member.';

CREATE OR REPLACE FUNCTION chat_private.deliberation_option_hint(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE name
  WHEN 'models' THEN 'An object of model names by persona code, such as {"growth_hacker": "a-model"}.'
  WHEN 'moderator_model' THEN 'The name of a model; chat.list_models() lists them.'
  WHEN 'persona_count' THEN 'A whole number from 2 to 12.'
  WHEN 'sub_problems' THEN 'An array of 1 to 20 texts or {"id", "title", "description"}; ids are of a to z, 0 to 9 and _, and each comes once.'
  WHEN 'choices' THEN 'An array of 2 to 20 texts or {"id", "label", "description"}; ids are of a to z, 0 to 9 and _, and each comes once.'
  WHEN 'tally' THEN 'One of "plurality", "approval", "ranked" and "confidence".'
  WHEN 'quorum' THEN 'A number from 0 to 1: the part of the personas that must speak or vote.'
  WHEN 'min_rounds' THEN 'A whole number from 1 to 100.'
  WHEN 'max_interventions' THEN 'A whole number from 0 to 100.'
  WHEN 'convergence' THEN 'false, or an object of agreement, stability and focus, each a number from 0 to 1.'
  WHEN 'call_options' THEN 'An object as chat.llm_submit takes it, without tools, tool_choice and images, and without these, n and max_tokens in extra.'
  WHEN 'call_timeout_ms' THEN 'Milliseconds, a whole number from 1 to 86400000.'
  WHEN 'decompose' THEN 'true or false.'
  WHEN 'moderator' THEN 'true or false.'
  ELSE 'There are models, moderator_model, persona_count, sub_problems, choices, decompose, moderator, tally, quorum, min_rounds, '
       'max_interventions, convergence, call_options and call_timeout_ms.' END;
COMMENT ON FUNCTION chat_private.deliberation_option_hint(text) IS 'What a member of the options of chat.create_deliberation may be.';

CREATE OR REPLACE FUNCTION chat_private.deliberation_options(options jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  given jsonb := coalesce(deliberation_options.options, '{}');
  member record;
BEGIN
  IF jsonb_typeof(given) <> 'object' THEN
    RAISE EXCEPTION 'options must be a JSON object' USING ERRCODE = 'PC002', HINT = 'For example {"tally": "approval", "persona_count": 5}.';
  ELSIF octet_length(given::text) > chat_private.max_message_bytes() THEN
    RAISE EXCEPTION 'options have more than % bytes', chat_private.max_message_bytes() USING ERRCODE = '54000', HINT = 'Shorten them.';
  END IF;
  FOR member IN SELECT o.key, chat_private.is_deliberation_option(o.key, o.value) AS is_valid FROM jsonb_each(given) o ORDER BY o.key LOOP
    IF member.is_valid IS NULL THEN
      RAISE EXCEPTION 'options has no member "%"', left(member.key, 100) USING ERRCODE = 'PC002',
        HINT = chat_private.deliberation_option_hint(member.key);
    ELSIF NOT member.is_valid THEN
      RAISE EXCEPTION 'options.% is not valid', member.key USING ERRCODE = 'PC002',
        HINT = chat_private.deliberation_option_hint(member.key);
    END IF;
  END LOOP;
  PERFORM chat_private.check_call_options(given -> 'call_options');
  IF given ? 'sub_problems' THEN
    given := jsonb_set(given, '{sub_problems}', chat_private.option_parts(given -> 'sub_problems', 'title', 'sub_problem'));
  END IF;
  IF given ? 'choices' THEN
    given := jsonb_set(given, '{choices}', chat_private.option_parts(given -> 'choices', 'label', 'choice'));
  END IF;
  RETURN given;
END
$$;
COMMENT ON FUNCTION chat_private.deliberation_options(jsonb) IS
'The options of chat.create_deliberation, checked, with sub_problems and choices written out as objects. NULL: none.
Errors: PC002 not an object, an unknown member or one that is not valid; 54000 longer than pgchat.max_message_bytes.';
