-- Reading what models answered in the steps of a deliberation: whatever the text is, it becomes something usable or NULL, never an error.

CREATE OR REPLACE FUNCTION chat_private.answer_text(content text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  most_characters CONSTANT integer := 1000000;
  told text := chat_private.clean_answer(left(answer_text.content, most_characters));
BEGIN
  -- Some servers keep the mark that opens the thinking, and send the one that ends it.
  IF strpos(told, '</think') > 0 THEN
    told := regexp_replace(told, '^.*</think(ing)?>', '');
  END IF;
  RETURN nullif(btrim(told, E' \t\r\n\f\v\u0085\u00a0\u200b\u2028\u2029\ufeff'), '');
END
$$;
COMMENT ON FUNCTION chat_private.answer_text(text) IS 'What a model said, without its thinking and blanks around it; NULL where nothing is left.';

CREATE OR REPLACE FUNCTION chat_private.answer_json(content text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  told CONSTANT text := chat_private.answer_text(answer_json.content);
  -- From the first brace to the last one: models put JSON between fences or explanations.
  inner_text CONSTANT text := substr(told, strpos(told, '{'), greatest(char_length(told) - strpos(told, '{') - strpos(reverse(told), '}') + 2, 0));
  candidate text;
  answer jsonb;
BEGIN
  -- JSON can name characters that no text of PostgreSQL holds; the last attempt is without them.
  FOREACH candidate IN ARRAY ARRAY[left(answer_json.content, 1000000), told, inner_text, regexp_replace(regexp_replace(inner_text,
      '\\u0000|\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})', '', 'g'),
      '(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}', '', 'g')] LOOP
    BEGIN
      answer := candidate::jsonb;
      IF jsonb_typeof(answer) = 'object' THEN
        RETURN answer;
      END IF;
    EXCEPTION WHEN OTHERS THEN
      -- It is no JSON, or nests deeper than the server's stack; then the next one may do.
      answer := NULL;
    END;
  END LOOP;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION chat_private.answer_json(text) IS 'The JSON object that a model answered with; NULL where there is none.';

CREATE OR REPLACE FUNCTION chat_private.answer_line(value jsonb, most_characters integer) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE WHEN jsonb_typeof(answer_line.value) = 'string'
         THEN nullif(btrim(left(btrim(answer_line.value #>> '{}', E' \t\r\n\f\v\u00a0\u200b\u2028\u2029\ufeff'), answer_line.most_characters)), '') END;
END
$$;
COMMENT ON FUNCTION chat_private.answer_line(jsonb, integer) IS 'A string of an answer, cut to so many characters; NULL where it is none, or blank.';

CREATE OR REPLACE FUNCTION chat_private.answer_items(value jsonb) RETURNS TABLE (item jsonb, n bigint)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
  SELECT e.item, e.n
  FROM jsonb_array_elements(CASE WHEN jsonb_typeof(answer_items.value) = 'array' THEN answer_items.value ELSE '[]' END) WITH ORDINALITY e (item, n)
  WHERE e.n <= 200
$$;
COMMENT ON FUNCTION chat_private.answer_items(jsonb) IS 'The first 200 items of an array of an answer; none where it is no array.';

CREATE OR REPLACE FUNCTION chat_private.answer_lines(value jsonb, most integer, most_characters integer) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT coalesce(jsonb_agg(l.said ORDER BY l.n), '[]')
    FROM (SELECT chat_private.answer_line(i.item, answer_lines.most_characters) AS said, i.n FROM chat_private.answer_items(answer_lines.value) i) l
    WHERE l.said IS NOT NULL AND l.n <= answer_lines.most);
END
$$;
COMMENT ON FUNCTION chat_private.answer_lines(jsonb, integer, integer) IS 'The strings among the first so many items of an array of an answer, each cut.';

CREATE OR REPLACE FUNCTION chat_private.answer_codes(value jsonb, known text[]) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT coalesce(array_agg(u.code ORDER BY u.n), '{}')
    FROM (SELECT k.code, min(i.n) AS n
          FROM chat_private.answer_items(answer_codes.value) i JOIN unnest(answer_codes.known) k (code)
            ON k.code = chat_private.answer_line(i.item, 200)
          GROUP BY k.code) u);
END
$$;
COMMENT ON FUNCTION chat_private.answer_codes(jsonb, text[]) IS 'Those of an array of an answer that are known, each once, in its order.';

CREATE OR REPLACE FUNCTION chat_private.read_sub_problems(answer jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT CASE WHEN count(*) > 0 THEN jsonb_build_object('sub_problems',
             jsonb_agg(jsonb_build_object('id', 'sub_problem_' || r.id, 'title', r.title, 'description', r.description) ORDER BY r.id)) END
    FROM (SELECT row_number() OVER (ORDER BY i.n) AS id, t.title, coalesce(t.description, '') AS description
          FROM chat_private.answer_items(read_sub_problems.answer -> 'sub_problems') i,
               LATERAL (SELECT coalesce(chat_private.answer_line(i.item -> 'title', 200), chat_private.answer_line(i.item -> 'description', 200)) AS title,
                               chat_private.answer_line(i.item -> 'description', 2000) AS description) t
          WHERE t.title IS NOT NULL ORDER BY i.n LIMIT 12) r);
END
$$;
COMMENT ON FUNCTION chat_private.read_sub_problems(jsonb) IS 'The answer to decompose, at most 12 sub-problems, with ids; NULL: it is unusable.';

CREATE OR REPLACE FUNCTION chat_private.read_selection(d chat.deliberations, answer jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  codes CONSTANT text[] := chat_private.answer_codes(read_selection.answer -> 'persona_codes',
    ARRAY(SELECT p.code FROM chat_private.persona_catalogue((read_selection.d).user_id) p));
BEGIN
  RETURN CASE WHEN cardinality(codes) >= 2
         THEN jsonb_build_object('persona_codes', to_jsonb(codes[1:chat_private.board_size(read_selection.d)])) END;
END
$$;
COMMENT ON FUNCTION chat_private.read_selection(chat.deliberations, jsonb) IS
'The answer to select: active personas that the owner sees, no more than are wanted; NULL: fewer than two are left.';

CREATE OR REPLACE FUNCTION chat_private.read_choices(answer jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT CASE WHEN count(*) >= 2 THEN jsonb_build_object('choices',
             jsonb_agg(jsonb_build_object('id', r.id, 'label', r.label, 'description', r.description) ORDER BY r.n)) END
    FROM (SELECT CASE WHEN s.slug ~ '^[a-z]' AND s.slug !~ '^choice_[0-9]+$' AND count(*) OVER (PARTITION BY s.slug) = 1 THEN s.slug
                      -- Which no other is then.
                      ELSE 'choice_' || s.n END AS id, s.n, s.label, s.description
          FROM (SELECT row_number() OVER (ORDER BY i.n) AS n, t.label, coalesce(t.description, '') AS description,
                       left(regexp_replace(regexp_replace(lower(chat_private.answer_line(i.item -> 'id', 200)), '[^a-z0-9_]+', '_', 'g'), '^[_0-9]+|_+$', '', 'g'), 50) AS slug
                FROM chat_private.answer_items(read_choices.answer -> 'choices') i,
                     LATERAL (SELECT coalesce(chat_private.answer_line(i.item -> 'label', 200), chat_private.answer_line(i.item -> 'description', 200)) AS label,
                                     chat_private.answer_line(i.item -> 'description', 2000) AS description) t
                WHERE t.label IS NOT NULL ORDER BY i.n LIMIT 6) s) r);
END
$$;
COMMENT ON FUNCTION chat_private.read_choices(jsonb) IS
'The answer to choices: at most six, each with an id of its own, which is made from the one given; NULL: fewer than two are left.';

CREATE OR REPLACE FUNCTION chat_private.read_vote(d chat.deliberations, answer jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known CONSTANT text[] := chat_private.known_choices(read_vote.d);
  chosen CONSTANT text := chat_private.answer_line(read_vote.answer -> 'choice', 200);
  abstains CONSTANT boolean := coalesce(jsonb_typeof(read_vote.answer -> 'choice') = 'null', false);
  confidence CONSTANT numeric := CASE WHEN jsonb_typeof(read_vote.answer -> 'confidence') = 'number' AND NOT abstains
                                 THEN (read_vote.answer ->> 'confidence')::numeric END;
BEGIN
  IF (abstains OR chosen = ANY (known)) IS NOT TRUE THEN
    RETURN NULL;
  END IF;
  RETURN jsonb_build_object(
    'choice', chosen,
    'ranking', CASE WHEN abstains THEN '[]' ELSE
      to_jsonb(chosen || array_remove(chat_private.answer_codes(read_vote.answer -> 'ranking', known), chosen)) END,
    'approvals', CASE WHEN abstains THEN '[]' ELSE
      to_jsonb(chosen || array_remove(chat_private.answer_codes(read_vote.answer -> 'approvals', known), chosen)) END,
    'reasoning', coalesce(chat_private.answer_line(read_vote.answer -> 'reasoning', 10000), ''),
    'confidence', CASE WHEN confidence BETWEEN 0 AND 1 THEN round(confidence, 2) END);
END
$$;
COMMENT ON FUNCTION chat_private.read_vote(chat.deliberations, jsonb) IS
'The answer to vote. choice null: it abstains, then all else but reasoning is empty. The choice is first in ranking, and among
approvals. A confidence that is not from 0 to 1 is null. NULL: the choice is none of those that are voted on.';

CREATE OR REPLACE FUNCTION chat_private.read_synthesis(d chat.deliberations, answer jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  most CONSTANT integer := 30;
  most_characters CONSTANT integer := 20000;
  summary CONSTANT text := chat_private.answer_line(read_synthesis.answer -> 'summary', most_characters);
  board CONSTANT text[] := ARRAY(SELECT p.persona_code FROM chat.deliberation_participants p
                                 WHERE p.user_id = d.user_id AND p.deliberation_id = d.id AND p.seat > 0);
BEGIN
  IF summary IS NULL THEN
    RETURN NULL;
  END IF;
  RETURN jsonb_build_object(
    'summary', summary,
    'majority_view', coalesce(chat_private.answer_line(read_synthesis.answer -> 'majority_view', most_characters), ''),
    'dissent', (SELECT coalesce(jsonb_agg(jsonb_build_object('position', s.said, 'personas', to_jsonb(chat_private.answer_codes(i.item -> 'personas', board)),
                  'reasoning', coalesce(chat_private.answer_line(i.item -> 'reasoning', most_characters), '')) ORDER BY i.n), '[]')
                FROM chat_private.answer_items(read_synthesis.answer -> 'dissent') i,
                     LATERAL (SELECT chat_private.answer_line(i.item -> 'position', most_characters) AS said) s
                WHERE s.said IS NOT NULL AND i.n <= most),
    'open_risks', chat_private.answer_lines(read_synthesis.answer -> 'open_risks', most, most_characters),
    'recommendations', chat_private.answer_lines(read_synthesis.answer -> 'recommendations', most, most_characters));
END
$$;
COMMENT ON FUNCTION chat_private.read_synthesis(chat.deliberations, jsonb) IS
'The answer to synthesize, personas only by codes of the board; NULL: it has no summary.';

CREATE OR REPLACE FUNCTION chat_private.read_text_synthesis(content text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  most_characters CONSTANT integer := 20000;
BEGIN
  RETURN (SELECT jsonb_build_object('summary', chat_private.plain_lines(left(t.said, most_characters)), 'majority_view', NULL, 'dissent', NULL,
                                    'open_risks', NULL, 'recommendations', NULL, 'is_text', true)
          FROM chat_private.answer_text(read_text_synthesis.content) t (said) WHERE t.said IS NOT NULL);
END
$$;
COMMENT ON FUNCTION chat_private.read_text_synthesis(text) IS
'The conclusion where it was asked for as text: all of it is the summary, and what is not told apart is null. NULL: nothing was said.';

CREATE OR REPLACE FUNCTION chat_private.read_answer(d chat.deliberations, kind text, persona_code text, content text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  most_characters CONSTANT integer := 50000;
  answer jsonb;
BEGIN
  IF read_answer.kind IN ('initial', 'contribute', 'moderate') THEN
    RETURN (SELECT jsonb_build_object('content', chat_private.plain_lines(left(t.said, most_characters))) FROM chat_private.answer_text(read_answer.content) t (said)
            WHERE t.said IS NOT NULL);
  END IF;
  answer := chat_private.answer_json(read_answer.content);
  RETURN CASE read_answer.kind
    WHEN 'decompose' THEN chat_private.read_sub_problems(answer)
    WHEN 'select' THEN chat_private.read_selection(read_answer.d, answer)
    WHEN 'choices' THEN chat_private.read_choices(answer)
    WHEN 'vote' THEN chat_private.read_vote(read_answer.d, answer)
    WHEN 'synthesize' THEN coalesce(chat_private.read_synthesis(read_answer.d, answer),
      CASE WHEN chat_private.text_wanted_since(read_answer.d) IS NOT NULL THEN chat_private.read_text_synthesis(read_answer.content) END) END;
END
$$;
COMMENT ON FUNCTION chat_private.read_answer(chat.deliberations, text, text, text) IS
'What a step of a deliberation brought: decompose {sub_problems}, select {persona_codes}, initial, contribute and moderate {content},
choices {choices}, vote {choice, ranking, approvals, reasoning, confidence}, synthesize {summary, majority_view, dissent, open_risks,
recommendations}, which has is_text where it was asked for as text; checked, and cut to what there is room for. NULL: the answer is unusable. It has no errors, whatever content is.';
