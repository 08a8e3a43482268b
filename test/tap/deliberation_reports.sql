-- What comes out of a deliberation: its result, the report, everything as JSON, the chart, and who may have them.
BEGIN;
\ir people.psql
SELECT plan(153);
-- Each line of a text that Markdown would take for a heading, outside quotations and code.
CREATE FUNCTION pg_temp.headings(report text) RETURNS text[] LANGUAGE sql AS $$
  SELECT array_agg(l ORDER BY n) FROM (SELECT l, n, count(*) FILTER (WHERE l ~ '^```') OVER (ORDER BY n) AS fences FROM string_to_table(report, E'\n') WITH ORDINALITY t (l, n)) t
  WHERE l ~ '^#' AND fences % 2 = 0
$$;
CREATE FUNCTION pg_temp.report(deliberation uuid) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.value(user_id, format('SELECT chat.export_deliberation(%L)', id)) FROM chat.deliberations WHERE id = deliberation
$$;
CREATE FUNCTION pg_temp.result(deliberation uuid) RETURNS jsonb LANGUAGE sql AS $$
  SELECT pg_temp.value(user_id, format('SELECT chat.deliberation_result(%L)', id))::jsonb FROM chat.deliberations WHERE id = deliberation
$$;

-- Text of models.
SELECT is(chat_private.markdown_quote(given), wanted, 'quoted: ' || what)
FROM (VALUES ('text', E'One\n\ntwo', E'> One\n> \n> two'),
             ('headings', E'# One ##\n   ###### Two\n#three\n# *Four*', E'> **One**\n>    **Two**\n> #three\n> \\# *Four*'),
             ('headings in lists and quotations', E'- # a\n12. ## b\n> # c\n> > - # d', E'> - **a**\n> 12. **b**\n> > **c**\n> > > - **d**'),
             ('underlined headings', E'One\n===\nTwo\n---', E'> One\n> \\===\n> Two\n> \n> ---'),
             ('HTML', E'</div><script>x</script> 1 < 2 <!-- <?x', E'> &lt;/div>&lt;script>x&lt;/script> 1 < 2 &lt;!-- &lt;?x'),
             ('HTML behind a backslash', '\<b>', '> \&lt;b>'),
             ('pictures', '![x](http://y) [l](http://y)', '> !\[x](http://y) [l](http://y)'),
             ('links that are run', '[l](javascript:x) [m](http://y)', '> [l]\(javascript:x) [m](http://y)'),
             ('definitions of links in lists', E'- [v]: javascript:x\n\n[v]', E'> - [v]\\: javascript:x\n> \n> [v]'),
             ('definitions of links', E'[The vote]: http://y', E'> \\[The vote]: http://y'),
             ('code that was left open', E'```sql\n# no heading\nSELECT 1', E'> ```sql\n> # no heading\n> SELECT 1\n> ```'),
             ('a heading behind code', E'~~~\n```\n# c\n~~~\n# h', E'> ~~~\n> ```\n> # c\n> ~~~\n> **h**'),
             ('HTML in code', E'```\n<b>\n```', E'> ```\n> &lt;b>\n> ```'),
             ('ends of lines', E'a\r\nb\rc\fd', E'> a\n> b\n> c\n> d'),
             ('nothing', '', '> ')) t (what, given, wanted);
SELECT is(chat_private.markdown_prose(given), wanted, 'prose: ' || given)
FROM (VALUES (E'# One\n\n*two*', E'**One**\n\n*two*'), (E'```\nx\n~~~~', E'\\`\\`\\`\nx\n\\~\\~\\~~'), (E'a\n---\n<hr>', E'a\n\n---\n&lt;hr>'), (E' \n ', '')) t (given, wanted);
SELECT is(chat_private.markdown_word(given), wanted, 'one line: ' || given)
FROM (VALUES (E'a|b\n# c', 'a\|b \# c'), ('<i>*x*_y_`z`[l](u)&amp;', '\<i\>\*x\*\_y\_\`z\`\[l\](u)\&amp;'), ('- x', '\- x'), ('12. x', '12\. x'), ('+1', '\+1'), ('12', '12'), ('a-b', 'a-b')) t (given, wanted);
SELECT is(coalesce(chat_private.markdown_word(NULL), chat_private.markdown_prose(NULL), chat_private.markdown_quote(NULL)), NULL, 'nothing of nothing');

-- A deliberation that has gone all the way, whose parts try to break out.
INSERT INTO chat.deliberations (user_id, problem_statement, problem_context, model, status, phase, round_number, max_rounds, total_cost, total_tokens, active_ms, started_at, completed_at, rounds_ended_by, sub_problems, choices, options, synthesis, max_cost, max_duration)
VALUES (:'alice', E'Should we <open> a | second office?\n\n# Now?\n```\nx', '{"budget": "```", "city": "Köln"}', 'test-model', 'completed', 'synthesis', 2, 10, 0.0123, 900, 61000, now(), '2026-11-22 12:30:00+00', 'converged',
        '[{"id": "s1", "title": "Cost # 1", "description": "What it <costs>"}, {"id": "s2", "title": "People", "description": ""}]', '[{"id": "yes", "label": "Open | it", "description": ""}, {"id": "no", "label": "Do <not>", "description": ""}]',
        '{"tally": "approval"}', '{"summary": "# Summary\n\nOpen it.\n```", "majority_view": "Yes </section>", "dissent": [{"position": "Not yet", "personas": ["p3", "gone"], "reasoning": "Money | first"}], "open_risks": ["Rent # rises"], "recommendations": ["- Sign", "1. Hire"]}', 5, '1 hour')
RETURNING id AS office \gset
INSERT INTO chat.deliberation_participants (user_id, deliberation_id, persona_code, seat, name, expertise, system_prompt, seq)
VALUES (:'alice', :'office', 'moderator', 0, 'Moderator', 'e', 's', 1), (:'alice', :'office', 'p1', 1, 'Ann | One', 'Knows *costs*', 's', 1), (:'alice', :'office', 'p2', 2, 'Ben', 'e', 's', 1), (:'alice', :'office', 'p3', 3, 'Cleo', 'e', 's', 1);
INSERT INTO chat.contributions (user_id, deliberation_id, persona_code, round_number, phase, content, model, seq)
VALUES (:'alice', :'office', 'p2', 1, 'initial_round', E'# I say\n</details>\n```\nopen code', 'test-model', 2), (:'alice', :'office', 'p1', 1, 'initial_round', E'Figures\n===\n![t](http://tracker)', 'test-model', 3),
       (:'alice', :'office', 'moderator', 1, 'moderator_intervention', E'Come\n# back', 'test-model', 4), (:'alice', :'office', 'p3', 2, 'deliberation', E'## The decision\n\n**No.**', 'test-model', 5);
INSERT INTO chat.votes (user_id, deliberation_id, persona_code, choice, approvals, reasoning, confidence, is_abstention, error, seq)
VALUES (:'alice', :'office', 'p1', 'yes', '{yes}', E'# Because', 0.9, false, NULL, 6), (:'alice', :'office', 'p2', 'yes', '{yes,no}', '', NULL, false, NULL, 7), (:'alice', :'office', 'p3', NULL, '{}', '', NULL, true, '{"code": "x", "message": "cut *off*"}', 8);
INSERT INTO chat.deliberation_rounds (user_id, deliberation_id, round_number, speakers, agreement, stability, focus, verdict, seq)
VALUES (:'alice', :'office', 1, 2, 0.25, NULL, 0.5, 'one_sided', 4), (:'alice', :'office', 2, 1, NULL, 0.875, 0.4, 'converged', 5);
INSERT INTO chat.deliberation_steps (user_id, id, deliberation_id, kind, phase, round_number, persona_code, state, model, input_tokens, output_tokens, cost, finished_at)
SELECT :'alice', chat.uuid_v7(), :'office', kind, phase, 1, persona, state, 'test-model', 100, 200, 0.0041, now()
FROM (VALUES ('decompose', 'problem_decomposition', NULL, 'complete'), ('initial', 'initial_round', 'p1', 'complete'), ('initial', 'initial_round', 'p2', 'failed')) t (kind, phase, persona, state);
INSERT INTO chat.deliberation_checkpoints (user_id, deliberation_id, seq, event, phase, round_number, status, state, total_cost, total_tokens) VALUES (:'alice', :'office', 1, 'created', 'initial_round', 1, 'active', '{}', 0, 0);
UPDATE chat.deliberations d SET outcome = chat_private.vote_outcome(d) WHERE id = :'office';

-- The result
SELECT pg_temp.result(:'office') AS result \gset
SELECT is((SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(:'result'::jsonb) k), ARRAY['choices', 'completed_at', 'context', 'created_at', 'error', 'forked_from', 'forked_from_seq', 'id', 'killed', 'max_cost', 'max_duration_ms', 'max_rounds', 'outcome',
          'participants', 'pause_reason', 'phase', 'problem', 'round_number', 'rounds', 'rounds_ended_by', 'started_at', 'status', 'sub_problems', 'synthesis', 'totals', 'votes'], 'the result has a member for each thing');
SELECT is(:'result'::jsonb #> path, wanted::jsonb, 'the result: ' || path::text)
FROM (VALUES ('{totals}'::text[], '{"cost": 0.0123, "calls": 3, "tokens": 900, "open_calls": 0, "duration_ms": 61000, "failed_calls": 1}'), ('{outcome,winner}', '"yes"'), ('{outcome,method}', '"approval"'),
             ('{outcome,tallies,approval,1}', '{"rank": 2, "label": "Do <not>", "score": 1, "votes": 1, "choice": "no", "is_winner": false}'), ('{outcome,tallies,confidence,0,score}', '1.40'), ('{outcome,tallies,ranked,0,score}', '2'),
             ('{votes,0}', '{"name": "Ann | One", "error": null, "choice": "yes", "ranking": [], "approvals": ["yes"], "reasoning": "# Because", "confidence": 0.90, "persona_code": "p1", "is_abstention": false}'), ('{votes,2,error,code}', '"x"'),
             ('{participants,0,name}', '"Ann | One"'), ('{participants,3}', NULL), ('{rounds,1,stability}', '0.875'), ('{synthesis,majority_view}', '"Yes </section>"'), ('{killed}', 'null'), ('{max_duration_ms}', '3600000'), ('{completed_at}', '"2026-11-22T12:30:00+00:00"')) t (path, wanted);

-- The report
SELECT pg_temp.report(:'office') AS report \gset
SELECT is(pg_temp.headings(:'report'), ARRAY['# Should we \<open\> a \| second office?', '## In short', '## The question', '### Context', '### Parts of it', '## The board', '## The decision', '### Who voted how', '## The majority''s view', '## Dissent', '## Open risks',
          '## Recommendations', '## The discussion', '### Round 1, in which nobody saw what the others said', '#### Ann \| One', '#### Ben', '#### The moderator intervened', '### Round 2', '#### Cleo', '## Interventions', '## Measures', '## What it took'],
          'the headings of the report are its own');
SELECT ok(strpos(:'report', part) > 0, 'the report has: ' || part)
FROM unnest(ARRAY['*Completed on 2026-11-22 12:30 UTC*', E'## In short\n\n**The vote:** Open \\| it\n\n**Summary**\n\nOpen it.\n\\`\\`\\`', E'````json\n{', '1. **Cost \# 1**: What it \<costs\>', '2. **People**', '| **Ann \| One** | Knows \*costs\* | test-model |',
  E'**Open \\| it**\n\nCounted by approval; 2 of 3 voted, the quorum of 50% was reached.', E'| 1 | Open \\| it ✓ | 2 | 2 |\n| 2 | Do \\<not\\> | 1 | 1 |', E'\n\n<svg xmlns=', E'</svg>\n\n', '| sum of confidences | Open \| it |', E'**Ann \\| One**: Open \\| it (confidence 0.9)\n\n> **Because**',
  E'**Ben**: Open \\| it\n\n**Cleo**: gave no valid vote: cut \\*off\\*\n\n##', '- **Not yet** (Cleo, gone): Money \| first', '- Rent \# rises', E'- \\- Sign\n- 1\\. Hire', E'> **I say**\n> &lt;/details>\n> ```\n> open code\n> ```', E'> Come\n> **back**', '> !\[t](http://tracker)', '*The rounds ended because the board had converged.*',
  '- After round 1, as it was one-sided: Come \# back', '| 1 | 2 | 0.25 | – | 0.50 | one-sided |', '| Initial round | 2 | 1 | 600 | 0.0082 |', '| *none of the board* | 1 | 0 | 300 | 0.0041 |', 'Active for 00:01:01; 900 tokens; cost 0.0123.', 'The decision is for people.']) part;
SELECT is_empty(format($$SELECT regexp_matches(%L, '(?:^|[^\\])<(?!/?(?:svg|title|desc|style|rect|text|g)\M)[A-Za-z/!?].{0,20}', 'g')$$, :'report'), 'the only HTML is the chart''s');
SELECT is((xpath('/*/@role', substring(:'report' FROM '<svg.*</svg>')::xml))[1]::text, 'img', 'which is well-formed XML');

-- A runoff, with a tie that is followed both ways.
INSERT INTO chat.deliberations (user_id, problem_statement, options, choices)
VALUES (:'alice', 'Where?', '{"tally": "ranked"}', '[{"id": "a", "label": "A|1"}, {"id": "b", "label": "B"}, {"id": "c", "label": "C"}]') RETURNING id AS runoff \gset
INSERT INTO chat.deliberation_participants (user_id, deliberation_id, persona_code, seat, name, expertise, system_prompt, seq) SELECT :'alice', :'runoff', 'p' || i, i, 'P' || i, 'e', 's', 1 FROM generate_series(1, 7) i;
INSERT INTO chat.votes (user_id, deliberation_id, persona_code, choice, ranking, seq)
SELECT :'alice', :'runoff', 'p' || n, r[1], r, 1 FROM (VALUES (1, '{a}'::text[]), (2, '{a}'), (3, '{a}'), (4, '{b}'), (5, '{b}'), (6, '{c,b}'), (7, '{c,b}')) t (n, r);
UPDATE chat.deliberations d SET outcome = chat_private.vote_outcome(d) WHERE id = :'runoff';
SELECT ok(strpos(pg_temp.report(:'runoff'), part) > 0, 'the report of a runoff has: ' || part)
FROM unnest(ARRAY['**A tie: A\|1; B**', E'| Count | A\\|1 | B | C | Exhausted |\n|---:|---:|---:|---:|---:|\n| 1 | 3 | 2 | 2 | 0 |\n| 2 | 3 | – | 2 | 2 |\n| 3 | 3 | 4 | – | 0 |\n\nWhere several had the fewest votes, each of them was left out in turn.', '3 at the end, a tie']) part;

-- Everything, as JSON
SELECT pg_temp.value(:'alice', format('SELECT chat.export_deliberation(%L, $$json$$)', :'office')) AS document \gset
SELECT is(:'document'::jsonb -> part, (SELECT jsonb_agg(to_jsonb(t) - '{user_id,deliberation_id}'::text[] ORDER BY t.seq, t.persona_code) FROM chat.deliberation_participants t WHERE t.deliberation_id = :'office'), 'participants are all there')
FROM (VALUES ('participants')) v (part);
CREATE FUNCTION pg_temp.restored(document jsonb, part text, relation regclass, person uuid, deliberation uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  differences bigint;
  there bigint;
BEGIN
  EXECUTE format('WITH restored AS (SELECT r.* FROM jsonb_array_elements(%1$L::jsonb -> %2$L) e, jsonb_populate_record(NULL::%3$s, e || %4$L) r),
                       stored AS (SELECT t.* FROM %3$s t WHERE %5$I = %6$L)
                  SELECT (SELECT count(*) FROM (TABLE restored EXCEPT TABLE stored) a) + (SELECT count(*) FROM (TABLE stored EXCEPT TABLE restored) b), (SELECT count(*) FROM stored)',
                 document, part, relation, jsonb_build_object('user_id', person, 'deliberation_id', deliberation), CASE relation WHEN 'chat.deliberations'::regclass THEN 'id' ELSE 'deliberation_id' END, deliberation) INTO differences, there;
  RETURN CASE WHEN there = 0 THEN 'no rows' ELSE differences || ' differ' END;
END $$;
SELECT is(pg_temp.restored(jsonb_set(:'document'::jsonb, '{deliberation}', jsonb_build_array(:'document'::jsonb -> 'deliberation')), part, relation, :'alice', :'office'), '0 differ', 'rows of the document are those stored: ' || part)
FROM (VALUES ('deliberation', 'chat.deliberations'::regclass), ('participants', 'chat.deliberation_participants'), ('steps', 'chat.deliberation_steps'), ('contributions', 'chat.contributions'), ('votes', 'chat.votes'),
             ('rounds', 'chat.deliberation_rounds'), ('checkpoints', 'chat.deliberation_checkpoints')) t (part, relation);
SELECT is_empty(format($$SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'deliberation_id' WHERE c.relnamespace = 'chat'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
                         AND replace(c.relname, 'deliberation_', '') NOT IN (SELECT jsonb_object_keys(%L))$$, :'document'), 'no table of deliberations is left out');
SELECT ok(strpos(:'document', :'alice') = 0, 'who owns it is not in it');

-- The chart
SELECT pg_temp.value(:'alice', format('SELECT chat.export_deliberation(%L, $$svg$$)', :'office')) AS chart \gset
SELECT is((xpath('//*[local-name()="g"]/*[local-name()="title"]/text()', :'chart'::xml))::text[], ARRAY['Open | it: 2 approvals, the winner', 'Do &lt;not&gt;: 1 approval'], 'a bar for each choice');
SELECT is((xpath('/*/*[local-name()="desc"]/text()', :'chart'::xml))[1]::text, 'Open | it: 2 approvals; Do &lt;not&gt;: 1 approval', 'and all of it in words');
SELECT ok(strpos(:'report', btrim(:'chart', E'\n')) > 0, 'it is the one of the report');

-- Every status
CREATE FUNCTION pg_temp.made(person uuid, fields jsonb) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  made chat.deliberations := jsonb_populate_record(NULL::chat.deliberations, '{"status": "active", "phase": "problem_decomposition", "round_number": 0, "max_rounds": 10, "options": {}, "total_cost": 0, "total_tokens": 0, "last_seq": 0, "active_ms": 0}'
    || jsonb_build_object('user_id', person, 'id', chat.uuid_v7(), 'problem_statement', 'Why?', 'created_at', now(), 'updated_at', now()) || fields);
BEGIN
  INSERT INTO chat.deliberations SELECT made.*;
  RETURN made.id;
END $$;
SELECT ok(strpos(pg_temp.report(pg_temp.made(:'alice', fields)), line) > 0, 'the report says: ' || line)
FROM (VALUES (jsonb '{}', '*Not started yet*'), ('{"started_at": "2026-01-01"}', '*In progress*'), ('{"status": "paused", "pause_reason": "max_cost"}', '*Paused: it reached its cap of cost*'), ('{"status": "paused", "pause_reason": "requested"}', '*Paused*'),
             ('{"status": "failed", "error": {"message": "no <b>"}}', '*Failed: no \<b\>*'), ('{"status": "failed"}', '*Failed: no reason is known*'), ('{"status": "killed", "killed_at": "2026-01-01", "kill_reason": "too * dear"}', '*Stopped for good on 2026-01-01 00:00 UTC by an administrator: too \* dear*'),
             (jsonb_build_object('status', 'killed', 'killed_at', '2026-01-01', 'killed_by', :'alice'), '*Stopped for good on 2026-01-01 00:00 UTC*'), ('{"problem_context": "As # text"}', E'### Context\n\nAs # text'),
             ('{"synthesis": {"summary": "We go.", "majority_view": null, "dissent": null, "open_risks": null, "recommendations": null, "is_text": true}}', E'We go.\n\n*The model gave the conclusion as one text: majority view, dissent, open risks and recommendations are not set apart.*\n\n## The question'),
             (jsonb_build_object('sub_problems', chat_private.own_sub_problem('Why?')), E'## The question\n\nWhy?\n\n---'),
             ('{"choices": [{"id": "a", "label": "A"}, {"id": "b", "label": "B"}], "outcome": {"method": "plurality", "reason": "no_votes", "winner": null}}', E'| 1 | B | 0 | 0 |\n\n---'),
             ('{"outcome": {"method": "plurality", "reason": "no_choices", "tally": [], "tie": [], "winner": null}}', '**There was nothing to vote on.**'), ('{"outcome": 7, "choices": 7, "synthesis": 7, "sub_problems": 7, "problem_context": 7}', '# Why?'),
             ('{"problem_statement": "\n## Really #1?\nYes."}', E'# Really \\#1?\n'), ('{"problem_statement": "#"}', E'# Deliberation\n'), (jsonb_build_object('problem_statement', repeat('x', 121)), '# ' || repeat('x', 119) || E'…\n')) t (fields, line);
SELECT is(pg_temp.result(pg_temp.made(:'alice', fields)) -> member, wanted::jsonb, 'the result says: ' || wanted)
FROM (VALUES (jsonb '{}', 'outcome', 'null'), ('{}', 'votes', '[]'), ('{}', 'totals', '{"cost": 0, "calls": 0, "tokens": 0, "open_calls": 0, "duration_ms": 0, "failed_calls": 0}'), ('{"status": "paused", "pause_reason": "limit"}', 'pause_reason', '"limit"'),
             ('{"status": "failed", "error": {"code": "x"}}', 'error', '{"code": "x"}'), ('{"status": "killed", "killed_at": "2026-01-01", "kill_reason": "dear"}', 'killed', '{"at": "2026-01-01T00:00:00+00:00", "by": "operator", "reason": "dear"}')) t (fields, member, wanted);
SELECT alike(pg_temp.value(:'alice', format('SELECT chat.export_deliberation(%L, $$svg$$)', pg_temp.made(:'alice', '{}'))), '%<desc>There is nothing to vote on yet.</desc>%', 'a chart before there is a vote');

-- Who may have them
SELECT is(pg_temp.try(token, format(call, :'office')), outcome, call || ' for ' || name)
FROM (VALUES ('SELECT chat.deliberation_result(%L)'), ('SELECT chat.export_deliberation(%L)'), ('SELECT chat.export_deliberation(%L, $$json$$)'), ('SELECT chat.export_deliberation(%L, $$svg$$)')) c (call),
     (VALUES ('its owner', :'alice_token', '1 rows'), ('somebody else', :'bob_token', 'P0002'), ('a guest', :'guest_token', 'P0002'), ('a supervisor', :'supa_token', 'P0002'), ('an administrator', :'admin_token', 'P0002'), ('nobody', NULL, '28000')) t (name, token, outcome);
SELECT is(pg_temp.try(:'alice_token', call), outcome, call)
FROM (VALUES ('SELECT chat.deliberation_result(NULL)', '22004'), ('SELECT chat.deliberation_result(chat.uuid_v7())', 'P0002'), ('SELECT chat.export_deliberation(NULL)', '22004'), ('SELECT chat.export_deliberation(chat.uuid_v7())', 'P0002'),
             (format('SELECT chat.export_deliberation(%L, NULL)', :'office'), '22004'), (format('SELECT chat.export_deliberation(%L, $$pdf$$)', :'office'), '22023')) t (call, outcome);
SELECT is(pg_temp.try(token, format('SELECT chat.admin_read_deliberation(%L)', :'office'), db_role), outcome, 'reading for administration: ' || name)
FROM (VALUES ('an administrator', :'admin_token', 'pgchat_client', '1 rows'), ('an operator', NULL, 'pgchat_service', '1 rows'), ('its owner', :'alice_token', 'pgchat_client', '42501'), ('a supervisor', :'supa_token', 'pgchat_client', '42501'),
             ('a guest', :'guest_token', 'pgchat_client', '42501'), ('nobody', NULL, 'pgchat_client', '42501')) t (name, token, db_role, outcome);
SELECT is(pg_temp.try(:'admin_token', call), outcome, call) FROM (VALUES ('SELECT chat.admin_read_deliberation(NULL)', '22004'), ('SELECT chat.admin_read_deliberation(chat.uuid_v7())', 'P0002')) t (call, outcome);
SELECT is(pg_temp.got(:'admin_token', format('SELECT chat.admin_read_deliberation(%L)', :'office'))::jsonb, :'document'::jsonb, 'administrators read what its owner can export');
SELECT chat_private.audit('after.all');
SELECT is((SELECT string_agg(format('%s %s %s', outcome, details, count), '; ' ORDER BY outcome) FROM (SELECT outcome, details, count(*) FROM chat.audit_log WHERE resource = 'deliberation:' || :'office' GROUP BY 1, 2) s),
          format('success {"user_id": "%s"} 3', :'alice'), 'each such look is in the audit log');
SELECT cmp_ok((SELECT count(*)::int FROM chat.audit_log WHERE action = 'admin.read_deliberation' AND outcome = 'refused'), '>=', 3, 'as is each that is refused');
SELECT * FROM finish();
ROLLBACK;
