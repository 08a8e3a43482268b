-- Deliberations in figures: measures of rounds and what follows from them, and reports that are exact sums, each of one's own.
BEGIN;
\ir people.psql
\ir debates.psql
SELECT plan(84);

-- Similarity, as SQL has it; the rest is tested in test/unit.
SELECT is(chat_private.text_similarity('Raise the prices', 'raise THE price'), 1::float8, 'the same words are alike');
SELECT is(chat_private.text_similarity('raise prices', 'hire developers'), 0::float8, 'others are not');
SELECT is(chat_private.text_similarity('raise prices', NULL), NULL, 'nothing is known of NULL');
SELECT is(chat_private.text_similarities(ARRAY['raise prices', NULL, 'prices']),
          ARRAY[[1, 0, s], [0, 0, 0], [s, 0, 1]]::float8[], 'a matrix has each pair') FROM chat_private.text_similarity('prices', 'raise prices') s;
SELECT is(chat_private.text_similarities('{}'), '{}', 'or none');
SELECT is(chat_private.text_overlaps('raise prices', ARRAY['prices and hiring', 'hiring', NULL]), ARRAY[0.5, 0, 0]::float8[], 'overlaps are of one with many');

-- Four debates, as they would be measured round by round.
CREATE FUNCTION pg_temp.add_debate(owner uuid, deliberation uuid, name text, given jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
  INSERT INTO chat.deliberations (user_id, id, problem_statement, options, max_rounds)
  SELECT owner, deliberation, problem, given, 4 FROM debate_problems WHERE debate = name;
  INSERT INTO chat.deliberation_participants (user_id, deliberation_id, persona_code, seat, name, expertise, system_prompt, seq)
  SELECT owner, deliberation, persona_code, row_number() OVER (ORDER BY persona_code), persona_code, 'text', 'text', 1
  FROM (SELECT DISTINCT persona_code FROM debates WHERE debate = name) p
  UNION ALL SELECT owner, deliberation, 'moderator', 0, 'Moderator', 'text', 'text', 1;
  INSERT INTO chat.contributions (user_id, deliberation_id, persona_code, round_number, phase, content, model, seq)
  SELECT owner, deliberation, persona_code, round_number, CASE round_number WHEN 1 THEN 'initial_round' ELSE 'deliberation' END, content, 'm', round_number
  FROM debates WHERE debate = name
$$;
CREATE FUNCTION pg_temp.verdicts(owner uuid, deliberation uuid) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg((chat_private.measure_round(owner, deliberation, n, 10 + n)).verdict, ' ' ORDER BY n)
  FROM (SELECT DISTINCT round_number AS n FROM chat.contributions WHERE user_id = owner AND deliberation_id = deliberation ORDER BY 1) r
$$;
SELECT pg_temp.add_debate(:'alice', md5(debate)::uuid, debate) FROM debate_problems;
SET LOCAL ROLE pgchat_engine;
SELECT (chat_private.measure_round(:'alice', md5('one_sided')::uuid, 1, 5)).verdict;
RESET ROLE;
SELECT is((SELECT array_agg(r.verdict || ' ' || r.seq) FROM chat.deliberation_rounds r), '{one_sided 5}', 'the engine measures, and stores it');
SELECT is(pg_temp.verdicts(:'alice', md5(debate)::uuid), expected, 'a debate that is ' || debate)
FROM (VALUES ('converging', 'continue continue converged converged'), ('stalled', 'continue stalling stalling'),
             ('drifting', 'continue drift drift'), ('one_sided', 'one_sided')) v (debate, expected);
SELECT is((SELECT array_agg(seq ORDER BY seq) FROM chat.deliberation_rounds WHERE deliberation_id = md5('stalled')::uuid), '{11,12,13}', 'with their checkpoints');
SELECT is((SELECT count(*)::int FROM chat.deliberation_rounds WHERE speakers <> 4 OR agreement IS NULL OR focus IS NULL OR (stability IS NULL) <> (round_number = 1)), 0,
          'all is measured, but the first round has none before it');
SELECT is(count(*)::int, 1, 'agreement is the mean of the pairs') FROM chat.deliberation_rounds r
WHERE r.deliberation_id = md5('converging')::uuid AND r.round_number = 2 AND abs(r.agreement - (
  SELECT avg(chat_private.text_similarity(a.content, b.content)) FROM debates a JOIN debates b USING (debate, round_number)
  WHERE a.persona_code < b.persona_code AND debate = 'converging' AND round_number = 2)) < 1e-12;
SELECT is(count(*)::int, 1, 'stability that of each with itself') FROM chat.deliberation_rounds r
WHERE r.deliberation_id = md5('converging')::uuid AND r.round_number = 3 AND abs(r.stability - (
  SELECT avg(chat_private.text_similarity(a.content, b.content)) FROM debates a JOIN debates b USING (debate, persona_code)
  WHERE debate = 'converging' AND a.round_number = 2 AND b.round_number = 3)) < 1e-12;
SELECT is(count(*)::int, 1, 'focus that with the problem') FROM chat.deliberation_rounds r
WHERE r.deliberation_id = md5('stalled')::uuid AND r.round_number = 1 AND abs(r.focus - (
  SELECT avg((chat_private.text_overlaps(p.problem, ARRAY[d.content]))[1]) FROM debates d JOIN debate_problems p USING (debate)
  WHERE debate = 'stalled' AND d.round_number = 1)) < 1e-12;
UPDATE chat.contributions SET content = 'something else' WHERE deliberation_id = md5('converging')::uuid AND round_number = 4;
SELECT is((chat_private.measure_round(:'alice', md5('converging')::uuid, 4, 99)).seq, 14, 'a round is measured once');

-- Options and settings.
CREATE FUNCTION pg_temp.judged(name text, given jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  alice CONSTANT uuid := (SELECT id FROM chat.users WHERE username = 'alice');
BEGIN
  DELETE FROM chat.deliberations WHERE user_id = alice AND id = md5('judged')::uuid;
  PERFORM pg_temp.add_debate(alice, md5('judged')::uuid, name, given);
  RETURN pg_temp.verdicts(alice, md5('judged')::uuid);
END $$;
SELECT is(pg_temp.judged('converging', '{"convergence": false}'), 'continue continue continue continue', 'without convergence none is told');
SELECT is(pg_temp.judged('stalled', '{"convergence": false}'), 'continue stalling stalling', 'but stalling is');
SELECT is(pg_temp.judged('converging', '{"convergence": {"agreement": 0.8}}'), 'continue continue stalling converged', 'a deliberation has thresholds of its own');
SELECT is(pg_temp.judged('converging', '{"convergence": {"stability": 0.3}}'), 'continue stalling converged converged', 'for stability');
SELECT is(pg_temp.judged('drifting', '{"convergence": {"focus": 0}}'), 'continue continue continue', 'and focus');
SELECT is(pg_temp.judged('one_sided', '{"convergence": {"one_sided": 0.99}}'), 'continue', 'and the first round');
SELECT is(pg_temp.judged('converging', given), 'continue continue converged converged', 'nonsense is no threshold: ' || given::text)
FROM unnest(ARRAY['{"convergence": true}', '{"convergence": {"agreement": "high"}}', '{"convergence": [1]}', '{"convergence": null}',
                  '{"convergence": {"agreement": null, "focus": -1e400}}']::jsonb[]) given;
SELECT pg_temp.got(:'admin_token', $$SELECT chat.admin_set_setting('deliberation_agreement', '0.9')$$);
SELECT is(pg_temp.judged('converging', '{}'), 'continue continue stalling stalling', 'an administrator sets those of all others');
SELECT is(pg_temp.judged('converging', '{"convergence": {"agreement": 0.4}}'), 'continue continue converged converged', 'which give way');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_set_setting(%L, %L)', 'deliberation_' || key, value)), expected, key || ' can be ' || value)
FROM (VALUES ('focus', '1', '1 rows'), ('one_sided', '0', '1 rows'), ('stability', '1.01', '22023'), ('stability', '-0.1', '22023'), ('stability', '"0.5"', '22023'),
             ('stability', 'null', '22023')) v (key, value, expected);
SELECT is(pg_temp.hint_of(:'admin_token', $$SELECT chat.admin_set_setting('deliberation_focus', '7')$$), 'It is a number from 0 to 1.', 'a hint says what');
DELETE FROM chat.settings WHERE key LIKE 'deliberation\_%';

-- Boards that are not whole.
CREATE FUNCTION pg_temp.without(condition text, round integer) RETURNS chat.deliberation_rounds LANGUAGE plpgsql AS $$
DECLARE
  alice CONSTANT uuid := (SELECT id FROM chat.users WHERE username = 'alice');
BEGIN
  DELETE FROM chat.deliberations WHERE user_id = alice AND id = md5('judged')::uuid;
  PERFORM pg_temp.add_debate(alice, md5('judged')::uuid, 'stalled');
  EXECUTE 'DELETE FROM chat.contributions WHERE deliberation_id = md5(''judged'')::uuid AND (' || condition || ')';
  RETURN chat_private.measure_round(alice, md5('judged')::uuid, round, 1);
END $$;
SELECT is((r.speakers, r.verdict, r.agreement, r.stability IS NULL)::text, '(1,continue,,f)', 'one alone does not stall')
FROM pg_temp.without($$round_number = 2 AND persona_code <> 'parents'$$, 2) r;
SELECT is((r.speakers, r.verdict, r.agreement, r.focus)::text, '(0,continue,,)', 'nor does nobody') FROM pg_temp.without('round_number = 2', 2) r;
SELECT is((r.speakers, r.verdict, r.stability)::text, '(4,continue,)', 'without a round before nothing is settled') FROM pg_temp.without('round_number = 1', 2) r;
SELECT is((r.speakers, r.verdict)::text, '(2,stalling)', 'two of whom one was there are a board')
FROM pg_temp.without($$(round_number = 1 AND persona_code <> 'parents') OR (round_number = 2 AND persona_code NOT IN ('parents', 'merchant'))$$, 2) r;
INSERT INTO chat.contributions (user_id, deliberation_id, persona_code, round_number, phase, content, model, seq)
SELECT :'alice', md5('judged')::uuid, 'moderator', 3, 'moderator_intervention', 'A moderator speaks', 'm', 1;
SELECT is((chat_private.measure_round(:'alice', md5('judged')::uuid, 3, 1)).speakers, 4, 'the moderator is none of the board');
UPDATE chat.deliberations SET problem_statement = 'Soll die Stadtbücherei sonntags öffnen?' WHERE id = md5('judged')::uuid;
DELETE FROM chat.deliberation_rounds WHERE deliberation_id = md5('judged')::uuid;
DELETE FROM chat.contributions WHERE deliberation_id = md5('judged')::uuid;
INSERT INTO chat.contributions (user_id, deliberation_id, persona_code, round_number, phase, content, model, seq)
SELECT :'alice', md5('judged')::uuid, persona_code, round_number, CASE round_number WHEN 1 THEN 'initial_round' ELSE 'deliberation' END, content, 'm', 1
FROM debates WHERE debate = 'stalled';
SELECT is(pg_temp.verdicts(:'alice', md5('judged')::uuid), 'drift stalling stalling', 'a problem in another language hides the rest only once');
UPDATE chat.contributions SET content = repeat('数据 ', 20) || '!' WHERE deliberation_id = md5('judged')::uuid;
UPDATE chat.deliberations SET sub_problems = '[{"id": "a", "title": "数据库"}]' WHERE id = md5('judged')::uuid;
DELETE FROM chat.deliberation_rounds WHERE deliberation_id = md5('judged')::uuid;
SELECT cmp_ok((chat_private.measure_round(:'alice', md5('judged')::uuid, 1, 1)).focus, '>', 0.18::float8, 'parts of the problem belong to it');

-- What it costs. Each sum is compared with the steps.
DELETE FROM chat.deliberations WHERE id = md5('judged')::uuid;
SELECT pg_temp.add_debate(:'bob', md5('bobs')::uuid, 'stalled');
INSERT INTO chat.deliberation_steps (user_id, id, deliberation_id, kind, phase, round_number, persona_code, state, model, input_tokens, output_tokens, cached_tokens, cost, finished_at, created_at)
SELECT CASE n % 3 WHEN 0 THEN :'bob'::uuid ELSE :'alice' END, chat.uuid_v7(), md5(CASE n % 3 WHEN 0 THEN 'bobs' WHEN 1 THEN 'converging' ELSE 'stalled' END)::uuid,
       'contribute', (ARRAY['initial_round', 'deliberation', 'synthesis'])[1 + n % 3 % 2 + n % 2], n % 5, (ARRAY['growth', 'librarian', 'moderator', NULL])[1 + n % 4], s.state,
       (ARRAY['m-a', 'm-b'])[1 + n % 2], CASE WHEN n % 7 <> 0 THEN n * 13 END, CASE WHEN n % 7 <> 0 THEN n END, n % 11, (n * 7919 % 100003)::numeric / 1000000007,
       CASE WHEN s.state <> 'open' THEN now() END, timestamptz '2021-03-01 20:00Z' + n * interval '1 hour'
FROM generate_series(1, 400) n, LATERAL (SELECT (ARRAY['complete', 'failed', 'complete', 'cancelled', 'open'])[1 + n % 5] AS state) s;
UPDATE chat.deliberations d SET total_cost = s.cost FROM (SELECT deliberation_id, sum(cost) AS cost FROM chat.deliberation_steps GROUP BY 1) s WHERE s.deliberation_id = d.id;
CREATE FUNCTION pg_temp.differences(view text, key text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  result bigint;
BEGIN
  EXECUTE format('WITH e AS (SELECT user_id, deliberation_id, %2$I, count(*) AS calls, count(*) FILTER (WHERE state = ''failed'') AS failed,
      count(*) FILTER (WHERE state = ''cancelled'') AS cancelled, coalesce(sum(input_tokens), 0) AS input_tokens, coalesce(sum(output_tokens), 0) AS output_tokens,
      coalesce(sum(cached_tokens), 0) AS cached_tokens, sum(cost) AS cost FROM chat.deliberation_steps GROUP BY 1, 2, 3)
    SELECT count(*) FROM ((TABLE e EXCEPT SELECT * FROM chat.%1$I) UNION ALL (SELECT * FROM chat.%1$I EXCEPT TABLE e)) d', view, key) INTO result;
  RETURN result;
END $$;
SELECT is(pg_temp.differences('deliberation_cost_by_' || what, key), 0::bigint, 'cost by ' || what || ' is the steps')
FROM (VALUES ('phase', 'phase'), ('persona', 'persona_code'), ('model', 'model')) v (what, key);
CREATE FUNCTION pg_temp.total(what text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  EXECUTE format('SELECT count(*) || '' '' || count(*) FILTER (WHERE v.cost = d.total_cost) FROM chat.deliberations d JOIN
    (SELECT deliberation_id, sum(cost) AS cost FROM chat.deliberation_cost_by_%s GROUP BY 1) v ON v.deliberation_id = d.id', what) INTO result;
  RETURN result;
END $$;
SELECT is(pg_temp.total(what), '3 3', 'and its sum the total, to the last digit: ' || what) FROM unnest(ARRAY['phase', 'persona', 'model']) what;

-- Metrics.
INSERT INTO chat.votes (user_id, deliberation_id, persona_code, choice, is_abstention, seq)
SELECT :'alice', md5('converging')::uuid, code, choice, choice IS NULL, 20 FROM (VALUES ('growth', 'keep'), ('finance', 'keep'), ('support', 'end'), ('product', NULL)) v (code, choice);
INSERT INTO chat.contributions (user_id, deliberation_id, persona_code, round_number, phase, content, model, seq)
VALUES (:'alice', md5('converging')::uuid, 'moderator', 2, 'moderator_intervention', 'A moderator speaks', 'm', 1);
UPDATE chat.deliberations SET started_at = '2021-03-01 10:00:01Z', active_ms = 61500, round_number = 4, rounds_ended_by = 'converged', status = 'completed', completed_at = now(),
  phase = 'synthesis', total_tokens = 77
WHERE id = md5('converging')::uuid;
INSERT INTO chat.deliberation_checkpoints (user_id, deliberation_id, seq, event, phase, round_number, status, state, total_cost, total_tokens, created_at)
SELECT :'alice', md5('converging')::uuid, seq, event, phase, 1, status, '{}', 0, 0, timestamptz '2021-03-01 10:00:00Z' + seconds * interval '1 second'
FROM (VALUES (1, 'created', 'initial_round', 'active', 0), (2, 'started', 'initial_round', 'active', 1), (3, 'step', 'initial_round', 'active', 11), (4, 'phase', 'deliberation', 'active', 21.25),
             (5, 'paused', 'deliberation', 'paused', 31.25), (6, 'resumed', 'deliberation', 'active', 100), (7, 'phase', 'synthesis', 'active', 130), (8, 'completed', 'synthesis', 'completed', 131.25)) v (seq, event, phase, status, seconds);
SELECT is((m.status, m.phase, m.rounds, m.rounds_ended_by, m.personas, m.contributions, m.interventions, m.votes, m.abstentions)::text,
          '(completed,synthesis,4,converged,4,16,1,3,1)', 'metrics count what there is') FROM chat.deliberation_metrics m WHERE m.deliberation_id = md5('converging')::uuid;
SELECT is((m.calls, m.failed_calls, m.cancelled_calls, m.total_tokens)::text, (s.calls, s.failed, s.cancelled, 77)::text, 'and calls') FROM chat.deliberation_metrics m,
  LATERAL (SELECT count(*) AS calls, count(*) FILTER (WHERE state = 'failed') AS failed, count(*) FILTER (WHERE state = 'cancelled') AS cancelled
           FROM chat.deliberation_steps s WHERE s.deliberation_id = m.deliberation_id) s WHERE m.deliberation_id = md5('converging')::uuid;
SELECT is(m.active_time, interval '61.5 seconds', 'and its time') FROM chat.deliberation_metrics m WHERE m.deliberation_id = md5('converging')::uuid;
SELECT is(m.phase_times, '{"initial_round": 20.250, "deliberation": 40.000, "synthesis": 1.250}', 'by phase, without pauses') FROM chat.deliberation_metrics m
WHERE m.deliberation_id = md5('converging')::uuid;
SELECT is((m.measured_round, m.agreement, m.stability, m.focus, m.verdict)::text, (r.round_number, r.agreement, r.stability, r.focus, r.verdict)::text, 'with the last measures')
FROM chat.deliberation_metrics m JOIN chat.deliberation_rounds r USING (deliberation_id) WHERE deliberation_id = md5('converging')::uuid AND r.round_number = 4;
SELECT is((m.phase_times, m.active_time, m.votes, m.measured_round)::text, '({},00:00:00,0,)', 'one that has not begun has none') FROM chat.deliberation_metrics m WHERE m.deliberation_id = md5('bobs')::uuid;
UPDATE chat.deliberations SET started_at = now() - interval '1 hour', active_since = now() - interval '1 hour' WHERE id = md5('bobs')::uuid;
INSERT INTO chat.deliberation_checkpoints (user_id, deliberation_id, seq, event, phase, round_number, status, state, total_cost, total_tokens, created_at)
VALUES (:'bob', md5('bobs')::uuid, 1, 'started', 'voting', 1, 'active', '{}', 0, 0, now() - interval '1 hour');
SELECT ok(m.active_time >= interval '1 hour' AND (m.phase_times ->> 'voting')::numeric >= 3600, 'one that runs has what has passed') FROM chat.deliberation_metrics m WHERE m.deliberation_id = md5('bobs')::uuid;

-- Who agrees with whom.
SELECT is((SELECT count(*)::int FROM chat.deliberation_agreement WHERE deliberation_id = md5('stalled')::uuid), 18, 'each pair of each round');
SELECT is((SELECT count(*)::int FROM chat.deliberation_rounds r JOIN (SELECT user_id, deliberation_id, round_number, avg(agreement) AS mean FROM chat.deliberation_agreement GROUP BY 1, 2, 3) a
  USING (user_id, deliberation_id, round_number) WHERE abs(a.mean - r.agreement) < 1e-12), 10, 'whose mean is that of the round');
SELECT is((SELECT array_agg(round_number || ':' || (change IS NULL) || ':' || coalesce(change > 0, false) ORDER BY round_number) FROM chat.deliberation_agreement
  WHERE deliberation_id = md5('converging')::uuid AND persona_a = 'finance' AND persona_b = 'support' AND round_number < 4), '{1:true:false,2:false:true,3:false:true}', 'and how it changes');
SELECT is((SELECT string_agg(persona_a || '-' || persona_b || ':' || coalesce(is_same::text, '?'), ' ' ORDER BY persona_a, persona_b) FROM chat.deliberation_votes_agreement),
          'finance-growth:true finance-product:? finance-support:false growth-product:? growth-support:false product-support:?', 'votes are compared');

-- Whose.
SELECT is(pg_temp.got(:'bob_token', format('SELECT string_agg(DISTINCT user_id::text, '','') FROM chat.%I', name)), expected, 'people see their own ' || name)
FROM (VALUES ('deliberation_cost_by_phase', :'bob'), ('deliberation_cost_by_persona', :'bob'), ('deliberation_cost_by_model', :'bob'), ('deliberation_metrics', :'bob'),
             ('deliberation_agreement', :'bob'), ('deliberation_votes_agreement', NULL)) v (name, expected);
SELECT is(pg_temp.value(NULL, 'SELECT (SELECT count(*) FROM chat.deliberation_cost_by_phase) + (SELECT count(*) FROM chat.deliberation_cost_by_persona)
  + (SELECT count(*) FROM chat.deliberation_cost_by_model) + (SELECT count(*) FROM chat.deliberation_metrics) + (SELECT count(*) FROM chat.deliberation_agreement)
  + (SELECT count(*) FROM chat.deliberation_votes_agreement)'), '0', 'nobody sees any');
SELECT is(pg_temp.got(:'guest_token', 'SELECT count(*) FROM chat.deliberation_metrics'), '0', 'nor do guests, nor administrators by their role')
UNION ALL SELECT is(pg_temp.got(:'admin_token', 'SELECT count(*) FROM chat.deliberation_metrics'), '0', 'who have a report of their own');
SELECT is(pg_temp.value(NULL, 'SELECT count(DISTINCT user_id) FROM chat.deliberation_agreement', 'pgchat_service'), '2', 'an operator sees all');

-- The administrator's report.
CREATE FUNCTION pg_temp.report_differences(what text) RETURNS bigint LANGUAGE sql AS $$
  WITH e AS (SELECT CASE what WHEN 'user' THEN s.user_id::text WHEN 'model' THEN s.model WHEN 'persona' THEN coalesce(s.persona_code, '') WHEN 'phase' THEN s.phase ELSE d.status END AS key,
                    count(DISTINCT d.id) AS deliberations, count(*) AS calls, sum(input_tokens) AS input_tokens, sum(cost) AS cost
             FROM chat.deliberation_steps s JOIN chat.deliberations d ON d.id = s.deliberation_id WHERE s.created_at >= '2021-03-05' AND s.created_at < '2021-03-08' GROUP BY 1)
  SELECT count(*) FROM (SELECT key, deliberations, calls, input_tokens, cost FROM chat.admin_deliberation_usage('2021-03-05 23:00Z', '2021-03-07 01:00Z', what)) r
  FULL JOIN e USING (key, deliberations, calls, input_tokens, cost) WHERE r.key IS NULL OR e.key IS NULL
$$;
SELECT is(pg_temp.report_differences(what), 0::bigint, 'admin_deliberation_usage by ' || what || ' is the steps') FROM unnest(ARRAY['user', 'model', 'persona', 'phase', 'status']) what;
SELECT is(pg_temp.got(:'admin_token', $$SELECT sum(calls) FROM chat.admin_deliberation_usage('2021-01-01', '2021-12-31')$$), '400', 'for administrators');
SELECT is(pg_temp.got(:'admin_token', $$SELECT sum(calls) FROM chat.admin_deliberation_usage('-infinity', 'infinity')$$), '400', 'of all days, too');
SELECT is(pg_temp.got(:'admin_token', $$SELECT count(*) FROM chat.admin_deliberation_usage('4714-11-24 BC', '294276-12-31 23:59:59Z')$$), '2', 'and of all there can be');
-- Small tables are read as a whole where that is allowed.
SET LOCAL enable_seqscan = off;
SELECT pg_stat_get_xact_numscans('chat.deliberation_steps_created_idx'::regclass) AS scans \gset
SELECT pg_temp.got(:'admin_token', $$SELECT sum(calls) FROM chat.admin_deliberation_usage('2021-03-05', '2021-03-06')$$);
SELECT is(pg_stat_get_xact_numscans('chat.deliberation_steps_created_idx'::regclass), (:scans + 1)::bigint, 'which finds the days by an index');
RESET enable_seqscan;
SELECT is(pg_temp.try(:'alice_token', 'SELECT chat.admin_deliberation_usage()'), '42501', 'not for users');
SELECT is(pg_temp.try(:'admin_token', $$SELECT chat.admin_deliberation_usage(group_by => 'password')$$), '22023', 'nor by anything');
SELECT is(pg_temp.try(:'admin_token', $$SELECT chat.admin_deliberation_usage(group_by => NULL)$$), '22023', 'nor by nothing');
SELECT is(chat_private.round_verdict((NULL, NULL, 2, 3, 0.5, 0.5, 0.5, NULL, 1, NULL)::chat.deliberation_rounds,
  '{"convergence": {"agreement": 1e-400, "stability": 1e-1000, "focus": 1e-16000}}', 0.5), 'converged', 'a threshold may be smaller than a measure can be');
SELECT * FROM finish();
ROLLBACK;
