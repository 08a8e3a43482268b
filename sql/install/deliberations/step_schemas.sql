-- The JSON that models answer with in the steps of a deliberation: schemas that strict modes and grammars of all providers take.

CREATE OR REPLACE FUNCTION chat_private.choosable_personas(user_id uuid) RETURNS SETOF chat.personas
LANGUAGE plpgsql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  -- With more, providers limit the length of an enum.
  most CONSTANT integer := 200;
BEGIN
  RETURN QUERY
    SELECT p.* FROM chat_private.persona_catalogue(choosable_personas.user_id) p
    ORDER BY p.user_id = uuid '00000000-0000-0000-0000-000000000000', p.category, p.code LIMIT most;
END
$$;
COMMENT ON FUNCTION chat_private.choosable_personas(uuid) IS
'The personas that a model is shown to choose from: the user''s own before those for all, at most 200.';

CREATE OR REPLACE FUNCTION chat_private.board_size(d chat.deliberations) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN least(greatest(coalesce(chat_private.json_count((d).options -> 'persona_count'), 5), 2), 12)::integer;
COMMENT ON FUNCTION chat_private.board_size(chat.deliberations) IS 'How many personas a model chooses: options -> persona_count, 5 by default.';

CREATE OR REPLACE FUNCTION chat_private.known_choices(d chat.deliberations) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT coalesce(array_agg(c.value ->> 'id' ORDER BY c.n), '{}')
    FROM jsonb_array_elements(CASE WHEN jsonb_typeof((known_choices.d).choices) = 'array' THEN (known_choices.d).choices ELSE '[]' END)
         WITH ORDINALITY c (value, n)
    WHERE c.value ->> 'id' <> '');
END
$$;
COMMENT ON FUNCTION chat_private.known_choices(chat.deliberations) IS 'The ids of what is voted on, in order.';

CREATE OR REPLACE FUNCTION chat_private.schema_object(properties jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN jsonb_build_object('type', 'object', 'properties', schema_object.properties, 'additionalProperties', false,
                            'required', (SELECT jsonb_agg(k) FROM jsonb_object_keys(schema_object.properties) k));
END
$$;
COMMENT ON FUNCTION chat_private.schema_object(jsonb) IS 'The schema of an object with exactly these members, as strict modes want it.';

CREATE OR REPLACE FUNCTION chat_private.schema_array(items jsonb, most integer, fewest integer DEFAULT 0) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN jsonb_build_object('type', 'array', 'items', schema_array.items, 'maxItems', schema_array.most)
         || CASE WHEN schema_array.fewest > 0 THEN jsonb_build_object('minItems', schema_array.fewest) ELSE '{}' END;
END
$$;
COMMENT ON FUNCTION chat_private.schema_array(jsonb, integer, integer) IS 'The schema of an array of fewest to most items.';

CREATE OR REPLACE FUNCTION chat_private.schema_enum(among text[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN jsonb '{"type": "string"}'
         || CASE WHEN cardinality(schema_enum.among) > 0 THEN jsonb_build_object('enum', to_jsonb(schema_enum.among)) ELSE '{}' END;
END
$$;
COMMENT ON FUNCTION chat_private.schema_enum(text[]) IS 'The schema of one of these strings; where there are none, of any.';

CREATE OR REPLACE FUNCTION chat_private.vote_schema(choices text[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  one CONSTANT jsonb := chat_private.schema_enum(vote_schema.choices);
  several CONSTANT jsonb := chat_private.schema_array(one, greatest(cardinality(vote_schema.choices), 1));
BEGIN
  RETURN chat_private.schema_object(jsonb_build_object(
    'choice', jsonb_build_object('anyOf', jsonb_build_array(one, jsonb '{"type": "null"}'), 'description', 'null: abstention'),
    'ranking', several || jsonb '{"description": "All choices, the best first"}',
    'approvals', several || jsonb '{"description": "Those that are acceptable"}',
    'reasoning', jsonb '{"type": "string"}',
    'confidence', jsonb '{"anyOf": [{"type": "number"}, {"type": "null"}], "description": "From 0 to 1"}'));
END
$$;
COMMENT ON FUNCTION chat_private.vote_schema(text[]) IS
'The schema of a vote on these choices. That confidence is from 0 to 1 is not in it: a vote is not lost over that.';

CREATE OR REPLACE FUNCTION chat_private.step_schema(d chat.deliberations, kind text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  line CONSTANT jsonb := '{"type": "string"}';
BEGIN
  RETURN CASE step_schema.kind
    WHEN 'decompose' THEN chat_private.schema_object(jsonb_build_object('sub_problems',
      chat_private.schema_array(chat_private.schema_object(jsonb_build_object('title', line, 'description', line)), 5, 1)))
    WHEN 'select' THEN chat_private.schema_object(jsonb_build_object('persona_codes',
      chat_private.schema_array(
        chat_private.schema_enum(ARRAY(SELECT p.code FROM chat_private.choosable_personas((step_schema.d).user_id) p)),
        chat_private.board_size(step_schema.d), 2)))
    WHEN 'choices' THEN chat_private.schema_object(jsonb_build_object('choices',
      chat_private.schema_array(chat_private.schema_object(jsonb_build_object('id', line, 'label', line, 'description', line)), 6, 2)))
    WHEN 'vote' THEN chat_private.vote_schema(chat_private.known_choices(step_schema.d))
    WHEN 'synthesize' THEN CASE WHEN chat_private.text_wanted_since(step_schema.d) IS NULL THEN chat_private.schema_object(jsonb_build_object(
      'summary', line, 'majority_view', line,
      'dissent', chat_private.schema_array(chat_private.schema_object(jsonb_build_object(
        'position', line, 'reasoning', line,
        'personas', chat_private.schema_array(chat_private.schema_enum(ARRAY(
          SELECT p.persona_code FROM chat.deliberation_participants p
          WHERE p.user_id = (step_schema.d).user_id AND p.deliberation_id = (step_schema.d).id AND p.seat > 0 ORDER BY p.seat)), 12))), 12),
      'open_risks', chat_private.schema_array(line, 12), 'recommendations', chat_private.schema_array(line, 12))) END
  END;
END
$$;
COMMENT ON FUNCTION chat_private.step_schema(chat.deliberations, text) IS
'The JSON Schema of the answer to a step, with the ids and codes that can be named; NULL where the answer is text.';
