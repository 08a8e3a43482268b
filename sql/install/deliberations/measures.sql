-- Measures of rounds: how alike what a board said is, by which it is told whether a deliberation gets anywhere.

CREATE OR REPLACE FUNCTION chat_private.text_similarity(a text, b text) RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'pgchat_text_similarity';
COMMENT ON FUNCTION chat_private.text_similarity(text, text) IS
'How alike two texts are by their words, 0 to 1: the cosine of how often they have them, short words counting less. 1: the same
words equally often; 0: none in common, or none at all.';

CREATE OR REPLACE FUNCTION chat_private.text_similarities(texts text[]) RETURNS double precision[]
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'pgchat_text_similarities';
COMMENT ON FUNCTION chat_private.text_similarities(text[]) IS
'chat_private.text_similarity of each text to each, as a square array: each text is read once. A NULL is a text without words.';

CREATE OR REPLACE FUNCTION chat_private.text_overlaps(text text, others text[]) RETURNS double precision[]
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'pgchat_text_overlaps';
COMMENT ON FUNCTION chat_private.text_overlaps(text, text[]) IS
'For each of others, how much of the words of the shorter of it and the text the longer has, too, 0 to 1, short words counting
less. Unlike a similarity it is not low merely because one of the two is long.';

CREATE OR REPLACE FUNCTION chat_private.round_threshold(options jsonb, name text) RETURNS numeric
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  given jsonb := round_threshold.options -> 'convergence' -> round_threshold.name;
BEGIN
  IF jsonb_typeof(given) = 'number' THEN
    -- With as many digits as measures have.
    RETURN round(least(greatest(given::numeric, 0), 1), 15);
  END IF;
  RETURN chat_private.setting('deliberation_' || round_threshold.name)::numeric;
END
$$;
COMMENT ON FUNCTION chat_private.round_threshold(jsonb, text) IS
'agreement, stability, focus or one_sided: what options -> convergence of a deliberation says, from 0 to 1, else the setting deliberation_*.';

CREATE OR REPLACE FUNCTION chat_private.round_verdict(r chat.deliberation_rounds, options jsonb, first_focus double precision) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  enough numeric := chat_private.round_threshold(round_verdict.options, 'agreement');
BEGIN
  IF r.speakers < 2 THEN
    RETURN 'continue';
  -- Some problems have few of their words in any answer, as where it is in another language: what counts then is that the board
  -- has left what it began with.
  ELSIF r.focus < least(chat_private.round_threshold(round_verdict.options, 'focus'), 0.7 * round_verdict.first_focus) THEN
    RETURN 'drift';
  ELSIF r.round_number = 1 THEN
    RETURN CASE WHEN r.agreement >= chat_private.round_threshold(round_verdict.options, 'one_sided') THEN 'one_sided' ELSE 'continue' END;
  ELSIF coalesce(r.stability < chat_private.round_threshold(round_verdict.options, 'stability'), true) THEN
    RETURN 'continue';
  ELSIF r.agreement < enough THEN
    RETURN 'stalling';
  END IF;
  RETURN CASE WHEN round_verdict.options -> 'convergence' = 'false' THEN 'continue' ELSE 'converged' END;
END
$$;
COMMENT ON FUNCTION chat_private.round_verdict(chat.deliberation_rounds, jsonb, double precision) IS
'What follows from the measures of a round, by the options of its deliberation: drift, one_sided (of the first round alone),
converged, stalling or continue; always continue where fewer than two spoke. convergence false in options: never converged.
first_focus: that of the first round, below 0.7 of which a later one must be to have drifted; NULL: this is the first.';

CREATE OR REPLACE FUNCTION chat_private.deliberation_topic(d chat.deliberations) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT concat_ws(E'\n', d.problem_statement, d.problem_context::text, d.sub_problems::text)
$$;
COMMENT ON FUNCTION chat_private.deliberation_topic(chat.deliberations) IS 'All that says what a deliberation is about: the problem, its context and its parts.';

CREATE OR REPLACE FUNCTION chat_private.round_measures(user_id uuid, deliberation_id uuid, round_number integer, topic text,
  OUT speakers integer, OUT agreement double precision, OUT stability double precision, OUT focus double precision)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  texts text[];
  earlier text[];
  alike double precision[];
BEGIN
  SELECT array_agg(c.content ORDER BY c.persona_code), array_agg(p.content ORDER BY c.persona_code), count(*)
  INTO texts, earlier, speakers
  FROM chat.contributions c
  LEFT JOIN chat.contributions p
    ON p.user_id = c.user_id AND p.deliberation_id = c.deliberation_id AND p.round_number = c.round_number - 1
       AND p.phase IN ('initial_round', 'deliberation') AND p.persona_code = c.persona_code
  WHERE c.user_id = round_measures.user_id AND c.deliberation_id = round_measures.deliberation_id
    AND c.round_number = round_measures.round_number AND c.phase IN ('initial_round', 'deliberation');
  IF speakers = 0 THEN
    RETURN;
  END IF;
  alike := chat_private.text_similarities(texts || earlier);
  SELECT avg(alike[i][j]) INTO agreement FROM generate_series(1, speakers) i, generate_series(i + 1, speakers) j;
  SELECT avg(alike[i][speakers + i]) INTO stability FROM generate_series(1, speakers) i WHERE earlier[i] IS NOT NULL;
  SELECT avg(o) INTO focus FROM unnest(chat_private.text_overlaps(round_measures.topic, texts)) o;
END
$$;
COMMENT ON FUNCTION chat_private.round_measures(uuid, uuid, integer, text) IS
'What chat.deliberation_rounds says of a round, from what personas contributed to it. topic: what they should speak about.';

CREATE OR REPLACE FUNCTION chat_private.measure_round(user_id uuid, deliberation_id uuid, round_number integer, seq integer)
RETURNS chat.deliberation_rounds
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  d chat.deliberations;
  r chat.deliberation_rounds;
  first_focus double precision;
BEGIN
  SELECT t.* INTO d FROM chat.deliberations t WHERE t.user_id = measure_round.user_id AND t.id = measure_round.deliberation_id;
  SELECT measure_round.user_id, measure_round.deliberation_id, measure_round.round_number, m.speakers, m.agreement, m.stability, m.focus,
         'continue', measure_round.seq, clock_timestamp()
  INTO r
  FROM chat_private.round_measures(measure_round.user_id, measure_round.deliberation_id, measure_round.round_number,
                                   chat_private.deliberation_topic(d)) m;
  SELECT t.focus INTO first_focus FROM chat.deliberation_rounds t
  WHERE t.user_id = measure_round.user_id AND t.deliberation_id = measure_round.deliberation_id AND t.round_number = 1;
  r.verdict := chat_private.round_verdict(r, d.options, first_focus);
  INSERT INTO chat.deliberation_rounds SELECT r.* ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    SELECT t.* INTO r FROM chat.deliberation_rounds t
    WHERE t.user_id = measure_round.user_id AND t.deliberation_id = measure_round.deliberation_id
      AND t.round_number = measure_round.round_number;
  END IF;
  RETURN r;
END
$$;
COMMENT ON FUNCTION chat_private.measure_round(uuid, uuid, integer, integer) IS
'Measures what personas said in a round that has ended, and stores that with what follows from it. seq: the checkpoint that it
appears with. A round is measured once: later calls give what is stored.';
