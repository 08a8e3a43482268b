-- A deliberation as a report in Markdown that people would like to read: what was decided first, how it came about after it.

CREATE OR REPLACE FUNCTION chat_private.report_items(items jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT string_agg('- ' || chat_private.markdown_word(CASE jsonb_typeof(i) WHEN 'string' THEN i #>> '{}' ELSE i::text END), E'\n' ORDER BY n)
          FROM jsonb_array_elements(CASE jsonb_typeof(report_items.items) WHEN 'array' THEN report_items.items ELSE '[]' END) WITH ORDINALITY e (i, n));
END
$$;
COMMENT ON FUNCTION chat_private.report_items(jsonb) IS 'An array of texts as a list; NULL: it is none, or empty.';

CREATE OR REPLACE FUNCTION chat_private.report_head(d chat.deliberations) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  title CONSTANT text := coalesce(nullif(chat_private.one_line(split_part(ltrim(d.problem_statement, E'# \t\r\n'), E'\n', 1)), ''), 'Deliberation');
  state CONSTANT text := CASE d.status
    WHEN 'completed' THEN 'Completed on ' || to_char(d.completed_at, 'YYYY-MM-DD HH24:MI "UTC"')
    WHEN 'killed' THEN 'Stopped for good on ' || to_char(d.killed_at, 'YYYY-MM-DD HH24:MI "UTC"')
      || CASE WHEN d.killed_by IS DISTINCT FROM d.user_id THEN ' by an administrator' ELSE '' END
      || coalesce(': ' || chat_private.markdown_word(nullif(d.kill_reason, '')), '')
    WHEN 'failed' THEN 'Failed: ' || coalesce(chat_private.markdown_word(nullif(left(d.error ->> 'message', 500), '')), 'no reason is known')
    WHEN 'paused' THEN 'Paused' || CASE d.pause_reason WHEN 'max_cost' THEN ': it reached its cap of cost' WHEN 'max_duration' THEN ': it reached its cap of time'
      WHEN 'limit' THEN ': it reached a limit of the account' WHEN 'cancelled' THEN ': its calls were called off' ELSE '' END
    ELSE CASE WHEN d.started_at IS NULL THEN 'Not started yet' ELSE 'In progress' END END;
BEGIN
  RETURN '# ' || chat_private.markdown_word(CASE WHEN char_length(title) > 120 THEN left(title, 119) || '…' ELSE title END)
    || E'\n\n*' || state || '*'
    || CASE WHEN d.status = 'completed' THEN '' ELSE E'\n\nThis report is of an unfinished deliberation: parts of it are missing.' END;
END
$$;
COMMENT ON FUNCTION chat_private.report_head(chat.deliberations) IS 'The title of a report, and the state of the deliberation.';

CREATE OR REPLACE FUNCTION chat_private.report_question(d chat.deliberations) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN E'## The question\n\n' || chat_private.markdown_prose(d.problem_statement)
    || CASE WHEN d.problem_context IS NULL OR d.problem_context IN ('null', '{}', '[]', '""') THEN ''
            WHEN jsonb_typeof(d.problem_context) = 'string' THEN E'\n\n### Context\n\n' || chat_private.markdown_prose(d.problem_context #>> '{}')
            ELSE E'\n\n### Context\n\n' || chat_private.fenced(chat_private.told_json(d.problem_context, 20000), 'json') END
    || coalesce(E'\n\n### Parts of it\n\n' || (
         SELECT string_agg(format('%s. **%s**%s', n, chat_private.markdown_word(coalesce(s ->> 'title', s ->> 'id')),
                                  coalesce(': ' || nullif(chat_private.markdown_word(s ->> 'description'), ''), '')), E'\n' ORDER BY n)
         -- What was not taken apart is its own only part.
         FROM jsonb_array_elements(CASE WHEN jsonb_typeof(d.sub_problems) = 'array' AND d.sub_problems <> chat_private.own_sub_problem(d.problem_statement)
                                        THEN d.sub_problems ELSE '[]' END) WITH ORDINALITY e (s, n)), '');
END
$$;
COMMENT ON FUNCTION chat_private.report_question(chat.deliberations) IS 'The part of a report on the problem: itself, its context, its parts.';

CREATE OR REPLACE FUNCTION chat_private.report_board(d chat.deliberations) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT E'## The board\n\n| Persona | Expertise | Model |\n|---|---|---|\n'
           || string_agg(format('| **%s** | %s | %s |', chat_private.markdown_word(p.name), chat_private.markdown_word(p.expertise),
                                chat_private.markdown_word(coalesce(p.model, d.model, 'default'))), E'\n' ORDER BY p.seat)
    FROM chat.deliberation_participants p WHERE p.user_id = d.user_id AND p.deliberation_id = d.id AND p.seat > 0);
END
$$;
COMMENT ON FUNCTION chat_private.report_board(chat.deliberations) IS 'The part of a report on who deliberates; NULL: nobody yet.';

CREATE OR REPLACE FUNCTION chat_private.report_votes(d chat.deliberations) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
    SELECT E'### Who voted how\n\n' || string_agg(
      format('**%s**: ', chat_private.markdown_word(v ->> 'name'))
      || CASE WHEN (v ->> 'is_abstention')::boolean THEN CASE WHEN v -> 'error' <> 'null' THEN 'gave no valid vote' || coalesce(': ' || chat_private.markdown_word(nullif(left(v #>> '{error,message}', 500), '')), '') ELSE 'abstained' END
         ELSE chat_private.markdown_word(coalesce((SELECT c ->> 'label' FROM jsonb_array_elements(chat_private.choices_of(d)) c WHERE c ->> 'id' = v ->> 'choice' LIMIT 1), v ->> 'choice')) END
      || coalesce(' (confidence ' || trim_scale((v ->> 'confidence')::numeric) || ')', '')
      || coalesce(E'\n\n' || chat_private.markdown_quote(nullif(v ->> 'reasoning', '')), ''), E'\n\n' ORDER BY n)
    FROM jsonb_array_elements(chat_private.result_votes(d)) WITH ORDINALITY e (v, n));
END
$$;
COMMENT ON FUNCTION chat_private.report_votes(chat.deliberations) IS 'The part of a report with each vote; NULL: there is none.';

CREATE OR REPLACE FUNCTION chat_private.report_counts(d chat.deliberations) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  shown CONSTANT integer := 10;
  counts CONSTANT jsonb := CASE jsonb_typeof(d.outcome -> 'counts') WHEN 'array' THEN d.outcome -> 'counts' ELSE '[]' END;
  choices CONSTANT jsonb := chat_private.choices_of(d);
BEGIN
  RETURN (
    SELECT '| Count |' || (SELECT string_agg(format(' %s |', chat_private.markdown_word(coalesce(c ->> 'label', c ->> 'id'))), '' ORDER BY n)
                           FROM jsonb_array_elements(choices) WITH ORDINALITY e (c, n)) || ' Exhausted |'
           || E'\n|---:|' || repeat('---:|', jsonb_array_length(choices) + 1) || E'\n'
           || string_agg(format('| %s |', n) || (SELECT string_agg(format(' %s |', coalesce(k.count -> 'votes' ->> (c ->> 'id'), '–')), '' ORDER BY e.n)
                                                 FROM jsonb_array_elements(choices) WITH ORDINALITY e (c, n)) || format(' %s |', k.count ->> 'exhausted'), E'\n' ORDER BY n)
           || CASE WHEN jsonb_array_length(counts) > shown THEN format(E'\n\nThese are the first %s of %s counts.', shown, d.outcome ->> 'count_total') ELSE '' END
           || CASE WHEN bool_or(jsonb_array_length(k.count -> 'last') > 1 AND jsonb_array_length(k.count -> 'last') < (SELECT count(*) FROM jsonb_object_keys(k.count -> 'votes')))
                   THEN E'\n\nWhere several had the fewest votes, each of them was left out in turn.' ELSE '' END
    FROM jsonb_array_elements(counts) WITH ORDINALITY k (count, n) WHERE n <= shown);
END
$$;
COMMENT ON FUNCTION chat_private.report_counts(chat.deliberations) IS 'The counts of a runoff as a table; NULL: there are none.';

CREATE OR REPLACE FUNCTION chat_private.report_decision(d chat.deliberations) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  outcome CONSTANT jsonb := CASE jsonb_typeof(d.outcome) WHEN 'object' THEN d.outcome END;
  own_method CONSTANT text := chat_private.tally_method(d);
  votes CONSTANT text := chat_private.report_votes(d);
  others text;
BEGIN
  IF outcome IS NULL AND votes IS NULL THEN
    RETURN NULL;
  END IF;
  SELECT string_agg(format('| %s | %s |', chat_private.method_name(m.method), chat_private.markdown_word(m.firsts)), E'\n' ORDER BY m.n) INTO others
  FROM (SELECT m.method, m.n, (SELECT string_agg(t.label, '; ') FROM chat_private.tally_of(d, m.method) t WHERE t.rank = 1 AND t.votes > 0) AS firsts
        FROM unnest(ARRAY['plurality', 'approval', 'ranked', 'confidence']) WITH ORDINALITY m (method, n)) m
  WHERE m.method <> own_method AND m.firsts IS NOT NULL;
  RETURN E'## The decision'
    || coalesce(E'\n\n**' || chat_private.markdown_word(chat_private.outcome_text(outcome)) || '**', '')
    || CASE WHEN outcome ?& ARRAY['voters', 'participants', 'quorum', 'quorum_reached'] THEN
         format(E'\n\nCounted by %s; %s of %s voted, the quorum of %s%% was %sreached.', chat_private.method_name(own_method), outcome ->> 'voters',
                outcome ->> 'participants', trim_scale(round((outcome ->> 'quorum')::numeric * 100, 2)), CASE WHEN (outcome ->> 'quorum_reached')::boolean THEN '' ELSE 'not ' END)
       ELSE '' END
    || coalesce(E'\n\n| | Choice | Votes | Score |\n|---:|---|---:|---:|\n' || (
         SELECT string_agg(format('| %s | %s%s | %s | %s |', t.rank, chat_private.markdown_word(t.label), CASE WHEN t.is_winner THEN ' ✓' ELSE '' END, t.votes, trim_scale(t.score)), E'\n' ORDER BY t.place)
         FROM (SELECT t.*, row_number() OVER () AS place FROM chat_private.tally_of(d, own_method) t) t)
         || CASE WHEN others IS NULL THEN '' ELSE E'\n\n' || chat_private.deliberation_chart(d) || coalesce(E'\n\n' || chat_private.report_counts(d), '')
         || E'\n\nFirst if the same votes are counted otherwise:\n\n| Method | First |\n|---|---|\n' || others END, '')
    || coalesce(E'\n\n' || votes, '');
END
$$;
COMMENT ON FUNCTION chat_private.report_decision(chat.deliberations) IS 'The part of a report on the vote; NULL: there is none yet.';

CREATE OR REPLACE FUNCTION chat_private.report_conclusion(d chat.deliberations) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN nullif(concat_ws(E'\n\n',
    E'## The majority''s view\n\n' || nullif(chat_private.markdown_prose(d.synthesis ->> 'majority_view'), ''),
    E'## Dissent\n\n' || (
      SELECT string_agg(format('- **%s**', chat_private.markdown_word(coalesce(e.v ->> 'position', e.v #>> '{}')))
               || coalesce(' (' || (SELECT string_agg(chat_private.markdown_word(coalesce(p.name, c.code)), ', ' ORDER BY c.n)
                                    FROM jsonb_array_elements_text(CASE jsonb_typeof(e.v -> 'personas') WHEN 'array' THEN e.v -> 'personas' ELSE '[]' END) WITH ORDINALITY c (code, n)
                                    LEFT JOIN chat.deliberation_participants p
                                      ON p.user_id = d.user_id AND p.deliberation_id = d.id AND p.persona_code = c.code) || ')', '')
               || coalesce(': ' || nullif(chat_private.markdown_word(e.v ->> 'reasoning'), ''), ''), E'\n' ORDER BY e.n)
      FROM jsonb_array_elements(CASE jsonb_typeof(d.synthesis -> 'dissent') WHEN 'array' THEN d.synthesis -> 'dissent' ELSE '[]' END) WITH ORDINALITY e (v, n)),
    E'## Open risks\n\n' || chat_private.report_items(d.synthesis -> 'open_risks'),
    E'## Recommendations\n\n' || chat_private.report_items(d.synthesis -> 'recommendations')), '');
END
$$;
COMMENT ON FUNCTION chat_private.report_conclusion(chat.deliberations) IS 'The parts of a report from the synthesis; NULL: there is none.';
