-- The second half of a report on a deliberation: the discussion round by round, how it was measured, and what it took.

CREATE OR REPLACE FUNCTION chat_private.report_round(d chat.deliberations, round_number integer) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT string_agg(CASE c.phase WHEN 'moderator_intervention' THEN '#### The moderator intervened' ELSE '#### ' || chat_private.markdown_word(p.name) END
                      || E'\n\n' || chat_private.markdown_quote(c.content), E'\n\n' ORDER BY c.phase = 'moderator_intervention', p.seat)
    FROM chat.contributions c
    JOIN chat.deliberation_participants p
      ON p.user_id = c.user_id AND p.deliberation_id = c.deliberation_id AND p.persona_code = c.persona_code
    WHERE c.user_id = d.user_id AND c.deliberation_id = d.id AND c.round_number = report_round.round_number);
END
$$;
COMMENT ON FUNCTION chat_private.report_round(chat.deliberations, integer) IS
'What was said in a round, in the order of seats, and what the moderator answered.';

CREATE OR REPLACE FUNCTION chat_private.report_discussion(d chat.deliberations) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT E'## The discussion\n\n' || string_agg(format('### Round %s%s', r.n, CASE r.n WHEN 1 THEN ', in which nobody saw what the others said' ELSE '' END)
             || E'\n\n' || chat_private.report_round(d, r.n), E'\n\n' ORDER BY r.n)
           || coalesce(E'\n\n' || CASE d.rounds_ended_by WHEN 'converged' THEN '*The rounds ended because the board had converged.*'
                                    WHEN 'stalled' THEN '*The rounds ended because nothing new was said.*'
                                    WHEN 'max_rounds' THEN '*The rounds ended because there were as many as allowed.*' END, '')
    FROM (SELECT DISTINCT c.round_number AS n FROM chat.contributions c WHERE c.user_id = d.user_id AND c.deliberation_id = d.id) r);
END
$$;
COMMENT ON FUNCTION chat_private.report_discussion(chat.deliberations) IS 'The part of a report with each contribution; NULL: there is none.';

CREATE OR REPLACE FUNCTION chat_private.report_interventions(d chat.deliberations) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT E'## Interventions\n\n' || string_agg(format('- After round %s%s: %s', c.round_number,
             CASE r.verdict WHEN 'stalling' THEN ', as it was stalling' WHEN 'drift' THEN ', as it drifted from the question'
               WHEN 'one_sided' THEN ', as it was one-sided' ELSE '' END,
             chat_private.markdown_word(CASE WHEN char_length(c.content) > 200 THEN left(c.content, 199) || '…' ELSE c.content END)), E'\n' ORDER BY c.round_number)
    FROM chat.contributions c
    LEFT JOIN chat.deliberation_rounds r ON r.user_id = c.user_id AND r.deliberation_id = c.deliberation_id AND r.round_number = c.round_number
    WHERE c.user_id = d.user_id AND c.deliberation_id = d.id AND c.phase = 'moderator_intervention');
END
$$;
COMMENT ON FUNCTION chat_private.report_interventions(chat.deliberations) IS
'The part of a report on when and why the moderator spoke; NULL: they did not.';

CREATE OR REPLACE FUNCTION chat_private.report_measures(d chat.deliberations) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT E'## Measures\n\n| Round | Spoke | Agreement | Stability | Focus | Verdict |\n|---:|---:|---:|---:|---:|---|\n'
           || string_agg(format('| %s | %s | %s | %s | %s | %s |', r.round_number, r.speakers, coalesce(round(r.agreement::numeric, 2)::text, '–'),
                                coalesce(round(r.stability::numeric, 2)::text, '–'), coalesce(round(r.focus::numeric, 2)::text, '–'),
                                replace(r.verdict, '_', '-')), E'\n' ORDER BY r.round_number)
           || E'\n\nFrom 0 to 1, by likeness of words: of the contributions to each other, to those of the round before, and to the question.'
    FROM chat.deliberation_rounds r WHERE r.user_id = d.user_id AND r.deliberation_id = d.id);
END
$$;
COMMENT ON FUNCTION chat_private.report_measures(chat.deliberations) IS 'The part of a report with the measures of each round; NULL: there are none.';

CREATE OR REPLACE FUNCTION chat_private.report_costs(d chat.deliberations) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  head CONSTANT text := E' | Calls | Failed | Tokens | Cost |\n|---|---:|---:|---:|---:|\n';
  by_phase text;
  by_persona text;
BEGIN
  WITH parts AS (
    SELECT s.phase, s.persona_code, count(*) AS calls, count(*) FILTER (WHERE s.state = 'failed') AS failed,
           coalesce(sum(s.input_tokens), 0) + coalesce(sum(s.output_tokens), 0) AS tokens, sum(s.cost) AS cost, min(s.id::text) AS first_id
    FROM chat.deliberation_steps s WHERE s.user_id = d.user_id AND s.deliberation_id = d.id GROUP BY 1, 2),
  phases AS (
    SELECT upper(left(p.phase, 1)) || replace(substr(p.phase, 2), '_', ' ') AS name, sum(p.calls) AS calls, sum(p.failed) AS failed, sum(p.tokens) AS tokens, sum(p.cost) AS cost, min(p.first_id) AS place
    FROM parts p GROUP BY p.phase),
  personas AS (
    SELECT coalesce(chat_private.markdown_word(m.name), '*none of the board*') AS name, sum(p.calls) AS calls, sum(p.failed) AS failed, sum(p.tokens) AS tokens,
           sum(p.cost) AS cost, m.seat
    FROM parts p LEFT JOIN chat.deliberation_participants m ON m.user_id = d.user_id AND m.deliberation_id = d.id AND m.persona_code = p.persona_code
    GROUP BY m.name, m.seat)
  SELECT (SELECT string_agg(format('| %s | %s | %s | %s | %s |', p.name, p.calls, p.failed, p.tokens, trim_scale(p.cost)), E'\n' ORDER BY p.place) FROM phases p),
         (SELECT string_agg(format('| %s | %s | %s | %s | %s |', p.name, p.calls, p.failed, p.tokens, trim_scale(p.cost)), E'\n' ORDER BY p.seat) FROM personas p)
  INTO by_phase, by_persona;
  RETURN E'## What it took\n\n' || format('Active for %s; %s tokens; cost %s.', make_interval(secs => round(chat_private.active_ms_of(d) / 1000.0)),
                                        d.total_tokens, trim_scale(d.total_cost))
    || E'\n\n| Phase' || head || by_phase || E'\n\n| Persona' || head || by_persona;
END
$$;
COMMENT ON FUNCTION chat_private.report_costs(chat.deliberations) IS
'The part of a report on calls, tokens and cost, by phase and by persona; NULL: there were no calls.';

CREATE OR REPLACE FUNCTION chat_private.deliberation_report(d chat.deliberations) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN concat_ws(E'\n\n',
    chat_private.report_head(d),
    E'## In short\n\n' || nullif(concat_ws(E'\n\n',
      CASE jsonb_typeof(d.outcome) WHEN 'object' THEN '**The vote:** ' || chat_private.markdown_word(chat_private.outcome_text(d.outcome)) END,
      nullif(chat_private.markdown_prose(d.synthesis ->> 'summary'), ''),
      CASE d.synthesis -> 'is_text' WHEN 'true' THEN '*The model gave the conclusion as one text: majority view, dissent, open risks and recommendations are not set apart.*' END), ''),
    chat_private.report_question(d), chat_private.report_board(d), chat_private.report_decision(d), chat_private.report_conclusion(d),
    chat_private.report_discussion(d), chat_private.report_interventions(d), chat_private.report_measures(d), chat_private.report_costs(d),
    E'---\n\n*The personas are played by language models: they can be wrong together, agreement among them is no evidence, and no figure here was checked. '
    'The decision is for people.*') || E'\n';
END
$$;
COMMENT ON FUNCTION chat_private.deliberation_report(chat.deliberations) IS 'A deliberation as a report in Markdown. Acts as the owner.';
