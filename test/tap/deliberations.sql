-- The life of deliberations: opening, starting, pausing, going on, killing, forking, removing and listing; who may, and in which state.
BEGIN;
\ir people.psql
SELECT plan(393);

-- Personas for all, one of alice's own, one switched off; models that are open, closed, and none.
INSERT INTO chat.personas (user_id, code, name, expertise, category, system_prompt, model, is_active)
SELECT '00000000-0000-0000-0000-000000000000', 'tap_' || n, 'Persona ' || n, 'Knows ' || n, 'tap', 'You are ' || n, NULL, n <= 12 FROM generate_series(1, 14) n;
INSERT INTO chat.personas (user_id, code, name, expertise, category, system_prompt)
VALUES (:'alice', 'tap_own', 'Own', 'Knows', 'own', 'mine'), (:'alice', 'tap_2', 'My two', 'Knows', 'own', 'mine');
SELECT chat.admin_register_model('test-provider', 'second-model'), chat.admin_register_model('test-provider', 'closed-model'),
       chat.admin_set_model_open('closed-model', false);
UPDATE chat.personas SET model = 'closed-model' WHERE code = 'tap_11';
UPDATE chat.personas SET model = 'gone-model' WHERE code = 'tap_12';

CREATE FUNCTION pg_temp.created(token text, more text DEFAULT '') RETURNS uuid LANGUAGE sql AS $$
  SELECT pg_temp.got(token, format('SELECT chat.create_deliberation($s$Shall we?$s$, persona_codes => ARRAY[$s$tap_1$s$, $s$tap_2$s$, $s$tap_3$s$]%s)', more))::uuid
$$;

-- opening one
SELECT pg_temp.got(:'alice_token', $$SELECT chat.create_deliberation('Shall we move?', '{"budget": 5}', ARRAY['tap_3', 'tap_2'], 4, 'second-model', 1.5, '5 minutes',
  '{"tally": "approval", "models": {"tap_3": "test-model"}, "moderator_model": "second-model", "choices": ["Stay", {"id": "go", "label": "Go", "description": "away"}], "sub_problems": ["When", {"title": "Where"}]}')$$) AS d \gset
SELECT is((SELECT (problem_statement, problem_context, status, phase, round_number, max_rounds, model, max_cost, max_duration, total_cost, total_tokens, last_seq, started_at, active_since)::text FROM chat.deliberations WHERE id = :'d'),
          (text 'Shall we move?', jsonb '{"budget": 5}', text 'active', text 'problem_decomposition', 0, 4, text 'second-model', 1.5, interval '5 minutes', 0, 0, 1, NULL::timestamptz, NULL::timestamptz)::text, 'a deliberation is stored, and does not run');
SELECT is((SELECT choices FROM chat.deliberations WHERE id = :'d'),
          '[{"id": "choice_1", "label": "Stay", "description": ""}, {"id": "go", "label": "Go", "description": "away"}]'::jsonb, 'choices are written out');
SELECT is((SELECT sub_problems FROM chat.deliberations WHERE id = :'d'),
          '[{"id": "sub_problem_1", "title": "When", "description": ""}, {"id": "sub_problem_2", "title": "Where", "description": ""}]'::jsonb, 'sub-problems too');
SELECT is((SELECT options -> 'choices' = choices AND options -> 'sub_problems' = sub_problems AND options ->> 'tally' = 'approval' FROM chat.deliberations WHERE id = :'d'), true, 'the options have them so');
SELECT is((SELECT string_agg(concat_ws(' ', seat, persona_code, name, system_prompt <> '', coalesce(model, '-'), seq), ', ' ORDER BY seat) FROM chat.deliberation_participants WHERE deliberation_id = :'d'),
          '0 moderator Moderator t - 1, 1 tap_3 Persona 3 t - 1, 2 tap_2 My two t - 1', 'the personas sit in the order given, one''s own before that for all, and the moderator');
SELECT is((SELECT string_agg(concat_ws(' ', seq, event, phase, round_number, status), ', ') FROM chat.deliberation_checkpoints WHERE deliberation_id = :'d'), '1 created problem_decomposition 0 active', 'the history begins');
SELECT is((SELECT count(*)::int FROM chat.deliberation_steps WHERE deliberation_id = :'d'), 0, 'nothing is asked yet');
UPDATE chat.personas SET system_prompt = 'changed' WHERE code = 'tap_3';
SELECT is((SELECT system_prompt FROM chat.deliberation_participants WHERE deliberation_id = :'d' AND persona_code = 'tap_3'), 'You are 3', 'who takes part stays as it was');
SELECT is((SELECT count(*)::int FROM chat.deliberation_participants WHERE deliberation_id = pg_temp.got(:'bob_token', 'SELECT chat.create_deliberation($$x$$)')::uuid), 0, 'without codes nobody sits there yet');

-- what nests deep enough to be gigabytes where it is told
SELECT is(pg_temp.try(:'alice_token', 'SELECT chat.create_deliberation($$x$$, (repeat($$[$$, 100) || repeat($$]$$, 100))::jsonb)'), '1 rows', 'a context may nest 100 levels');
-- what is refused, and stores nothing
SELECT count(*) AS before FROM chat.deliberations \gset
SELECT is(pg_temp.try(:'alice_token', 'SELECT chat.create_deliberation(' || arguments || ')'), outcome, arguments)
FROM (VALUES ('NULL', '22004'), ('$$ $$', '2200F'), ('repeat($$x$$, 2000000)', '54000'), ('$$x$$, max_rounds => NULL', '22004'), ('$$x$$, max_rounds => 0', '22023'), ('$$x$$, max_rounds => 101', '22023'),
             ('$$x$$, max_cost => 0', '22023'), ('$$x$$, max_cost => $$NaN$$', '22023'), ('$$x$$, max_cost => $$Infinity$$', '22023'), ('$$x$$, max_cost => -1', '22023'), ('$$x$$, max_duration => $$0$$', '22023'),
             ('$$x$$, max_duration => $$-1 s$$', '22023'), ('$$x$$, to_jsonb(repeat($$x$$, 2000000))', '54000'), ('$$x$$, (repeat($$[$$, 102) || repeat($$]$$, 102))::jsonb', '54000'), ('$$x$$, (repeat($${"a":$$, 101) || 1 || repeat($$}$$, 101))::jsonb', '54000'), ('$$x$$, model => $$no-model$$', '42704'), ('$$x$$, model => $$closed-model$$', '42501'),
             ('$$x$$, persona_codes => $${tap_1}$$', '22023'), ('$$x$$, persona_codes => $${}$$', '22023'), ('$$x$$, persona_codes => $${tap_1,tap_1}$$', '22023'), ('$$x$$, persona_codes => $${tap_1,NULL}$$', '22004'),
             ('$$x$$, persona_codes => $${{tap_1,tap_2},{tap_3,tap_4}}$$', '22023'), ('$$x$$, persona_codes => ARRAY(SELECT $$tap_$$ || n FROM generate_series(1, 13) n)', '22023'),
             ('$$x$$, persona_codes => $${tap_1,nobody}$$', '42704'), ('$$x$$, persona_codes => $${tap_1,tap_13}$$', '42704'), ('$$x$$, persona_codes => $${tap_1,moderator}$$', '42704'),
             ('$$x$$, persona_codes => $${tap_1,tap_11}$$', '42501'), ('$$x$$, persona_codes => $${tap_1,tap_12}$$', '42704')) t (arguments, outcome);
SELECT is(pg_temp.try(:'bob_token', 'SELECT chat.create_deliberation($$x$$, persona_codes => $${tap_1,tap_own}$$)'), '42704', 'another''s persona is none');
SELECT isnt(pg_temp.hint_of(:'alice_token', 'SELECT chat.create_deliberation($$x$$, persona_codes => $${tap_1,nobody}$$)'), NULL, 'where there are personas is said');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.create_deliberation($$x$$, options => %L)', options)), 'PC002', options)
FROM unnest(ARRAY['[]', '5', '{"speed": 1}', '{"models": []}', '{"models": {"tap_1": 5}}', '{"models": {"tap_1": " "}}', '{"moderator_model": 5}', '{"moderator_model": null}', '{"persona_count": 1}', '{"persona_count": 13}',
                  '{"persona_count": 2.5}', '{"persona_count": "3"}', '{"sub_problems": []}', '{"sub_problems": "x"}', '{"sub_problems": [5]}', '{"sub_problems": [""]}', '{"sub_problems": [{"title": "x", "x": 1}]}',
                  '{"sub_problems": [{"id": "a"}]}', '{"sub_problems": [{"id": "A", "title": "x"}]}', '{"sub_problems": [{"id": 1, "title": "x"}]}', '{"choices": ["one"]}', '{"choices": []}', '{"choices": {"a": 1}}',
                  '{"choices": [{"id": "a", "label": "x"}, {"id": "a", "label": "y"}]}', '{"choices": [{"id": "choice_2", "label": "x"}, "y"]}', '{"choices": [{"label": "x", "description": 5}, "y"]}', '{"choices": [null, "y"]}',
                  '{"decompose": 1}', '{"moderator": "no"}', '{"tally": "borda"}', '{"tally": 1}', '{"quorum": 1.1}', '{"quorum": -0.1}', '{"quorum": "1"}', '{"min_rounds": 0}', '{"min_rounds": 101}', '{"max_interventions": -1}',
                  '{"max_interventions": 101}', '{"convergence": true}', '{"convergence": 0.5}', '{"convergence": {"agreement": 2}}', '{"convergence": {"speed": 0.5}}', '{"call_options": []}', '{"call_options": {"tools": []}}',
                  '{"call_options": {"tool_choice": "none"}}', '{"call_options": {"temperature": "hot"}}', '{"call_options": {"fallback_models": 5}}', '{"call_options": {"bogus": 1}}', '{"call_options": {"extra": {"n": 5}}}', '{"call_options": {"extra": {"max_completion_tokens": 100000}}}', '{"call_options": {"extra": {"tools": []}}}', '{"call_timeout_ms": 0}', '{"call_timeout_ms": 1e12}']) options;
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.create_deliberation($$x$$, persona_codes => $${tap_1,tap_2}$$, options => %L)', options)), outcome, options || outcome)
FROM (VALUES ('{"models": {"tap_3": "test-model"}}', 'PC002'), ('{"models": {"tap_1": "no-model"}}', '42704'), ('{"models": {"tap_1": "closed-model"}}', '42501'), ('{"moderator_model": "no-model"}', '42704'),
             ('{"moderator_model": "closed-model"}', '42501')) t (options, outcome);
SELECT is(pg_temp.try(:'alice_token', 'SELECT chat.create_deliberation($$x$$, options => jsonb_build_object($$call_options$$, repeat($$x$$, 2000000)))'), '54000', 'options that are too long');
SELECT is(pg_temp.try(:'alice_token', 'SELECT chat.create_deliberation($$x$$, options => $${"models": {"nobody": "test-model"}}$$)'), '42704', 'a model for nobody');
SELECT isnt(pg_temp.hint_of(:'alice_token', format('SELECT chat.create_deliberation($$x$$, options => %L)', options)), NULL, 'a hint: ' || options)
FROM unnest(ARRAY['{"speed": 1}', '{"choices": 1}', '{"quorum": 2}', '[]']) options;
DELETE FROM chat.settings WHERE key = 'default_model';
SELECT is(pg_temp.try(:'alice_token', 'SELECT chat.create_deliberation($$x$$)'), 'PC003', 'without a default model');
SELECT chat.admin_set_default_model('test-model');
SELECT is((SELECT count(*) FROM chat.deliberations), :before::bigint, 'nothing of these was stored');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.create_deliberation($$x$$, options => %L)', options)), '1 rows', options)
FROM unnest(ARRAY[NULL, '{}', '{"models": {"tap_1": "second-model"}, "persona_count": 12, "decompose": false, "moderator": false, "tally": "ranked", "quorum": 0, "min_rounds": 1, "max_interventions": 0, "convergence": false,
                  "call_options": {"temperature": 0.2, "max_tokens": 50, "fallback_models": ["second-model"]}, "call_timeout_ms": 1000}', '{"convergence": {"agreement": 0.9}, "tally": "confidence", "quorum": 1}']) options;

-- every state and every function
CREATE FUNCTION pg_temp.brought_to(id uuid, state text) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
  UPDATE chat.deliberations d SET
    status = CASE WHEN state IN ('not started', 'running') THEN 'active' ELSE state END,
    started_at = CASE WHEN state <> 'not started' THEN now() END, active_since = CASE WHEN state = 'running' THEN now() END,
    pause_reason = CASE WHEN state = 'paused' THEN 'limit' END, error = CASE WHEN state = 'failed' THEN jsonb '{"code": "provider_failed"}' END,
    completed_at = CASE WHEN state = 'completed' THEN now() END, killed_at = CASE WHEN state = 'killed' THEN now() END
  WHERE d.id = brought_to.id;
  RETURN id;
END $$;
CREATE TEMP TABLE transitions ON COMMIT DROP AS
  SELECT state, call, allowed, pg_temp.brought_to(pg_temp.created(:'alice_token'), state) AS id, NULL::text AS outcome
  FROM (VALUES ('chat.start_deliberation(%L)', ARRAY['not started']), ('chat.pause_deliberation(%L)', ARRAY['running']),
               ('chat.resume_deliberation(%L)', ARRAY['paused', 'failed']), ('chat.kill_deliberation(%L)', ARRAY['not started', 'running', 'paused', 'failed']),
               ('chat.fork_deliberation(%L)', ARRAY['not started', 'running', 'paused', 'failed', 'completed', 'killed']),
               ('chat.delete_deliberation(%L)', ARRAY['not started', 'running', 'paused', 'failed', 'completed', 'killed'])) f (call, allowed),
       unnest(ARRAY['not started', 'running', 'paused', 'failed', 'completed', 'killed']) state;
UPDATE transitions SET outcome = pg_temp.try(:'alice_token', format('SELECT ' || call, id));
SELECT is(outcome, CASE WHEN state = ANY (allowed) THEN '1 rows' ELSE '55000' END, format('%s: ' || call, state, '…')) FROM transitions ORDER BY call, state;
SELECT is(count(*)::int, 36, 'each state with each function') FROM transitions;
SELECT isnt(pg_temp.hint_of(:'alice_token', format('SELECT chat.start_deliberation(%L)', id)), NULL, 'a hint where it is ' || state) FROM transitions WHERE call LIKE '%kill%' AND state <> 'not started';
SELECT is(concat_ws(' ', t.call, d.status, d.pause_reason, d.started_at IS NOT NULL, d.active_since IS NOT NULL, d.error, (SELECT string_agg(c.event, ',' ORDER BY c.seq) FROM chat.deliberation_checkpoints c WHERE c.deliberation_id = d.id AND c.event <> 'phase')), t.call || ' ' || shown, 'what has become of it: ' || t.state)
FROM (VALUES ('chat.start_deliberation(%L)', 'not started', 'active t t created,started'), ('chat.pause_deliberation(%L)', 'running', 'paused requested t f created,paused'), ('chat.resume_deliberation(%L)', 'paused', 'active t t created,resumed'),
             ('chat.resume_deliberation(%L)', 'failed', 'active t t created,resumed'), ('chat.kill_deliberation(%L)', 'not started', 'killed f f created,killed'), ('chat.kill_deliberation(%L)', 'running', 'killed t f created,killed'),
             ('chat.kill_deliberation(%L)', 'paused', 'killed t f created,killed')) w (call, state, shown)
JOIN transitions t USING (call, state) JOIN chat.deliberations d ON d.id = t.id;
SELECT is((SELECT count(*)::int FROM transitions t JOIN chat.deliberations d USING (id) WHERE t.call LIKE '%delete%'), 0, 'what is deleted is gone');
SELECT is((SELECT count(*)::int FROM chat.deliberation_participants p WHERE p.deliberation_id IN (SELECT id FROM transitions WHERE call LIKE '%delete%')), 0, 'with what it consists of');
SELECT ok((SELECT count(*) > 0 FROM chat.deliberation_steps s JOIN chat_private.llm_requests q ON q.user_id = s.user_id AND q.id = s.id AND q.purpose = 'deliberation' WHERE s.deliberation_id = (SELECT id FROM transitions WHERE call LIKE '%start%' AND state = 'not started')),
          'what is started asks a model');

-- a running one: pausing and killing call off what is not sent, deleting removes it
SELECT pg_temp.created(:'alice_token') AS p, pg_temp.created(:'alice_token') AS k, pg_temp.created(:'alice_token') AS x \gset
SELECT pg_temp.got(:'alice_token', format('SELECT chat.start_deliberation(%L)', id)) FROM unnest(ARRAY[:'p', :'k', :'x']::uuid[]) id;
CREATE FUNCTION pg_temp.open_steps(id uuid) RETURNS text LANGUAGE sql AS $$
  SELECT format('%s open, %s requests', count(*) FILTER (WHERE s.state = 'open') > 0, count(q.id) FILTER (WHERE q.queued_at IS NOT NULL) > 0)
  FROM chat.deliberation_steps s LEFT JOIN chat_private.llm_requests q ON q.user_id = s.user_id AND q.id = s.id WHERE s.deliberation_id = open_steps.id
$$;
SELECT is(pg_temp.open_steps(:'p'), 't open, t requests', 'it runs');
UPDATE chat.deliberations SET active_since = active_since - interval '90 seconds', active_ms = 10000 WHERE id = :'p';
SELECT pg_temp.got(:'alice_token', format('SELECT chat.pause_deliberation(%L)', :'p'));
SELECT is(pg_temp.open_steps(:'p'), 'f open, f requests', 'paused: nothing is to be sent');
SELECT is((SELECT active_ms / 10000 FROM chat.deliberations WHERE id = :'p'), 10::bigint, 'its time is kept');
SELECT pg_temp.got(:'alice_token', format('SELECT chat.resume_deliberation(%L)', :'p'));
SELECT is(pg_temp.open_steps(:'p'), 't open, t requests', 'resumed: it is asked again');
SELECT is((SELECT active_ms / 10000 FROM chat.deliberations WHERE id = :'p'), 10::bigint, 'its time goes on from there');
SELECT pg_temp.got(:'alice_token', format('SELECT chat.kill_deliberation(%L, $$no more$$)', :'k'));
SELECT is(pg_temp.open_steps(:'k'), 'f open, f requests', 'killed: nothing is to be sent');
SELECT is((SELECT (killed_by, kill_reason, killed_at IS NOT NULL)::text FROM chat.deliberations WHERE id = :'k'), format('(%s,"no more",t)', :'alice'), 'by whom, and why');
SELECT id AS step FROM chat.deliberation_steps WHERE deliberation_id = :'x' LIMIT 1 \gset
INSERT INTO chat.usage_events (user_id, request_id, deliberation_id, outcome, cost) VALUES (:'alice', :'step', :'x', 'complete', 0.5);
SELECT pg_temp.got(:'alice_token', format('SELECT chat.delete_deliberation(%L)', :'x'));
SELECT is((SELECT count(*)::int FROM chat_private.llm_requests WHERE id = :'step'), 0, 'deleted: its requests are gone');
SELECT is((SELECT sum(cost) FROM chat.usage_events WHERE deliberation_id = :'x'), 0.5, 'what it used stays known');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.kill_deliberation(%L, repeat($$x$$, 501))', :'p')), '54000', 'a long reason');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.%s_deliberation(NULL)', call)), '22004', call || ' NULL') FROM unnest(ARRAY['start', 'pause', 'resume', 'kill', 'fork', 'delete']) call;

-- new caps
SELECT pg_temp.created(:'alice_token', ', max_cost => 1, max_duration => $$1 minute$$') AS c \gset
SELECT pg_temp.brought_to(:'c', 'paused');
UPDATE chat.deliberations SET total_cost = 1.25, active_ms = 60000, round_number = 3 WHERE id = :'c';
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.resume_deliberation(%L%s)', :'c', caps)), '22023', 'resumed with' || caps)
FROM unnest(ARRAY['', ', max_cost => 2', ', max_duration => $$2 minutes$$', ', max_cost => 1.25, max_duration => $$2 minutes$$', ', max_cost => 2, max_duration => $$1 minute$$', ', max_cost => 0', ', max_cost => $$NaN$$', ', max_duration => $$-1 s$$',
                  ', max_cost => 2, max_duration => $$1 hour$$, max_rounds => 2', ', max_rounds => 0', ', max_rounds => 101']) caps;
SELECT isnt(pg_temp.hint_of(:'alice_token', format('SELECT chat.resume_deliberation(%L)', :'c')), NULL, 'what to pass is said');
SELECT is((SELECT status FROM chat.deliberations WHERE id = :'c'), 'paused', 'it stays paused');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.resume_deliberation(%L, 2, $$2 minutes$$, 7)', :'c')), '1 rows', 'more money, time and rounds');
SELECT is((SELECT (status, max_cost, max_duration, max_rounds)::text FROM chat.deliberations WHERE id = :'c'), '(active,2,00:02:00,7)', 'are its caps from now on');

-- forks
SELECT pg_temp.created(:'alice_token', ', max_cost => 3, model => $$second-model$$, options => $${"tally": "ranked"}$$') AS o \gset
INSERT INTO chat.contributions (user_id, deliberation_id, persona_code, round_number, phase, content, thinking, cost, tokens, model, latency_ms, step_id, seq)
SELECT :'alice', :'o', 'tap_' || p, r, CASE r WHEN 1 THEN 'initial_round' ELSE 'deliberation' END, format('round %s of %s', r, p), 'hm', 0.25, 10, 'm', 5, chat.uuid_v7(), 3 * r + p - 1 FROM generate_series(1, 2) r, generate_series(1, 3) p;
INSERT INTO chat.deliberation_rounds (user_id, deliberation_id, round_number, speakers, agreement, focus, verdict, seq) SELECT :'alice', :'o', r, 3, 0.5, 0.25, 'continue', 3 * r + 2 FROM generate_series(1, 2) r;
INSERT INTO chat.votes (user_id, deliberation_id, persona_code, choice, ranking, reasoning, confidence, cost, tokens, model, seq) VALUES (:'alice', :'o', 'tap_1', 'a', '{a,b}', 'because', 0.5, 0.5, 7, 'm', 9);
INSERT INTO chat.votes (user_id, deliberation_id, persona_code, is_abstention, error, seq) VALUES (:'alice', :'o', 'tap_2', true, '{"code": "request_timeout"}', 10);
INSERT INTO chat.deliberation_checkpoints (user_id, deliberation_id, seq, event, phase, round_number, status, state, total_cost, total_tokens)
SELECT :'alice', :'o', s, CASE s WHEN 11 THEN 'completed' ELSE 'step' END, CASE WHEN s <= 5 THEN 'initial_round' WHEN s <= 8 THEN 'deliberation' WHEN s = 11 THEN 'synthesis' ELSE 'voting' END, least(greatest(1, s / 3), 2),
       CASE s WHEN 11 THEN 'completed' ELSE 'active' END,
       jsonb_build_object('sub_problems', jsonb '[{"id": "a", "title": "A", "description": ""}]', 'choices', CASE WHEN s >= 9 THEN jsonb '[{"id": "a"}, {"id": "b"}]' END, 'outcome', CASE WHEN s = 11 THEN jsonb '{"winner": "a"}' END,
                          'synthesis', CASE WHEN s = 11 THEN jsonb '{"summary": "done"}' END, 'rounds_ended_by', CASE WHEN s >= 9 THEN 'converged' END), s * 0.25, s
FROM generate_series(2, 11) s;
UPDATE chat.deliberations SET last_seq = 11, total_cost = 2.75, total_tokens = 99, status = 'completed', completed_at = now(), started_at = now(), phase = 'synthesis', round_number = 2, synthesis = '{"summary": "done"}', outcome = '{"winner": "a"}' WHERE id = :'o';
CREATE TEMP TABLE forks ON COMMIT DROP AS SELECT s AS seq, pg_temp.got(:'alice_token', format('SELECT chat.fork_deliberation(%L, %s)', :'o', s))::uuid AS id FROM generate_series(1, 11) s;
SELECT is((SELECT concat_ws(' ', d.status, d.phase, d.round_number, d.total_cost, d.total_tokens, d.last_seq, d.started_at, d.forked_from = :'o', d.forked_from_seq, d.max_cost, d.model, d.options ->> 'tally', d.synthesis, d.outcome, d.choices IS NOT NULL, d.rounds_ended_by) FROM chat.deliberations d JOIN forks USING (id) WHERE seq = s), shown, 'a fork at ' || s)
FROM (VALUES (4, 'active initial_round 1 0 0 1 t 4 3 second-model ranked f'), (7, 'active deliberation 2 0 0 1 t 7 3 second-model ranked f'), (10, 'active voting 2 0 0 1 t 10 3 second-model ranked t converged'),
             (11, 'active synthesis 2 0 0 1 t 11 3 second-model ranked {"winner": "a"} t converged')) t (s, shown);
SELECT is_empty($$SELECT f.seq FROM forks f WHERE (SELECT count(*) FROM chat.contributions c WHERE c.deliberation_id = f.id) <> (SELECT count(*) FROM chat.contributions c, chat.deliberations d WHERE d.id = f.id AND c.deliberation_id = d.forked_from AND c.seq <= f.seq)
  OR (SELECT count(*) FROM chat.votes c WHERE c.deliberation_id = f.id) <> greatest(0, least(f.seq - 8, 2)) OR (SELECT count(*) FROM chat.deliberation_participants c WHERE c.deliberation_id = f.id) <> 4
  OR (SELECT count(*) FROM chat.deliberation_rounds c WHERE c.deliberation_id = f.id) <> (CASE WHEN f.seq >= 8 THEN 2 WHEN f.seq >= 5 THEN 1 ELSE 0 END)$$, 'each has what there was at its checkpoint, and nothing later');
SELECT is((SELECT count(*)::int FROM chat.contributions c JOIN forks f ON f.id = c.deliberation_id), 39, 'which is this much');
SELECT is_empty(format($$SELECT c.id FROM forks f JOIN chat.contributions c ON c.deliberation_id = f.id LEFT JOIN chat.contributions o ON o.id = c.copied_from AND o.deliberation_id = %L
  WHERE (c.content, c.thinking, c.persona_code, c.round_number, c.phase, c.model, c.latency_ms, c.created_at) IS DISTINCT FROM (o.content, o.thinking, o.persona_code, o.round_number, o.phase, o.model, o.latency_ms, o.created_at) OR c.cost <> 0 OR c.tokens <> 0 OR c.step_id IS NOT NULL OR c.seq <> 1$$, :'o'),
  'copies are as their originals, which they name, and cost nothing');
SELECT is_empty(format($$SELECT v.id FROM forks f JOIN chat.votes v ON v.deliberation_id = f.id LEFT JOIN chat.votes o ON o.id = v.copied_from AND o.deliberation_id = %L
  WHERE (v.choice, v.ranking, v.reasoning, v.confidence, v.is_abstention, v.error, v.model) IS DISTINCT FROM (o.choice, o.ranking, o.reasoning, o.confidence, o.is_abstention, o.error, o.model) OR v.cost <> 0 OR v.tokens <> 0 OR v.seq <> 1$$, :'o'), 'votes too');
SELECT is((SELECT count(*)::int FROM chat.deliberation_steps s JOIN forks f ON f.id = s.deliberation_id), 0, 'a fork has made no call');
SELECT is((SELECT string_agg(event, ',') FROM chat.deliberation_checkpoints c JOIN forks f ON f.id = c.deliberation_id WHERE f.seq = 7), 'created', 'its own history begins');
SELECT pg_temp.got(:'alice_token', format('SELECT chat.fork_deliberation(%L)', :'o')) AS last_fork \gset
SELECT is((SELECT forked_from_seq FROM chat.deliberations WHERE id = :'last_fork'), 11, 'by default at the last');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.fork_deliberation(%L, %s)', :'o', seq)), 'P0002', 'no checkpoint ' || seq) FROM unnest(ARRAY[0, 12, -1]) seq;
SELECT is((SELECT (total_cost, status, last_seq)::text FROM chat.deliberations WHERE id = :'o'), '(2.75,completed,11)', 'the original is as it was');

-- who may: every function, by everybody, on alice's
CREATE TEMP TABLE calls ON COMMIT DROP AS SELECT * FROM (VALUES ('start', 'not started'), ('pause', 'running'), ('resume', 'paused'), ('kill', 'running'), ('fork', 'completed'), ('delete', 'running')) t (name, state);
CREATE TEMP TABLE people ON COMMIT DROP AS SELECT * FROM (VALUES ('the owner', :'alice_token', 'pgchat_client', '1 rows'), ('another user', :'bob_token', 'pgchat_client', 'P0002'), ('a guest', :'guest_token', 'pgchat_client', 'P0002'), ('nobody', NULL, 'pgchat_client', '28000'),
  ('a supervisor', :'supa_token', 'pgchat_client', 'P0002'), ('an administrator', :'admin_token', 'pgchat_client', 'P0002'), ('the service', NULL, 'pgchat_service', '28000'), ('the service as another user', :'bob_token', 'pgchat_service', 'P0002'),
  ('the service as an administrator', :'admin_token', 'pgchat_service', 'P0002')) t (person, token, db_role, outcome);
CREATE TEMP TABLE tried ON COMMIT DROP AS
  SELECT person, name, CASE WHEN name = 'kill' AND person IN ('an administrator', 'the service', 'the service as an administrator') THEN '1 rows' ELSE outcome END AS wanted,
         token, db_role, pg_temp.brought_to(pg_temp.created(:'alice_token'), state) AS id, NULL::text AS got FROM calls, people;
UPDATE tried SET got = pg_temp.try(token, format('SELECT chat.%s_deliberation(%L)', name, id), db_role);
SELECT is(got, wanted, format('%s by %s', name, person)) FROM tried ORDER BY name, person;
SELECT is((SELECT string_agg(concat_ws(' ', person, status, coalesce(u.username, '-')), ', ' ORDER BY person COLLATE "C") FROM tried t JOIN chat.deliberations d USING (id) LEFT JOIN chat.users u ON u.id = d.killed_by WHERE name = 'kill'),
          'a guest active -, a supervisor active -, an administrator killed root, another user active -, nobody active -, the owner killed alice, the service killed -, the service as an administrator killed root, the service as another user active -', 'who killed it is known');
SELECT is(pg_temp.try(token, format('SELECT chat.kill_deliberation(%L)', chat.uuid_v7()), db_role), CASE person WHEN 'nobody' THEN '28000' ELSE 'P0002' END, 'killing what is not there: ' || person) FROM people;
SELECT is(pg_temp.try(:'worker_token', format('SELECT chat.kill_deliberation(%L)', pg_temp.created(:'supa_token'))), 'P0002', 'nobody kills upwards');
SELECT is(pg_temp.try(:'supa_token', format('SELECT chat.kill_deliberation(%L)', pg_temp.created(:'worker_token'))), 'P0002', 'a supervisor kills nothing of a worker''s');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.kill_deliberation(%L)', id)), '55000', 'an administrator neither twice') FROM tried WHERE person = 'an administrator' AND name = 'kill';
SELECT is(pg_temp.got(:'admin_token', format('SELECT chat.current_user_id() FROM chat.kill_deliberation(%L, $$spam$$)', pg_temp.created(:'bob_token'))), :'admin', 'afterwards everybody is who they were');
SELECT is((SELECT count(*)::int FROM chat.deliberations WHERE killed_by = :'admin' AND kill_reason = 'spam'), 1, 'the owner sees why');

-- the tables: one's own rows alone, and no writing
CREATE TEMP TABLE parts ON COMMIT DROP AS SELECT unnest(ARRAY['chat.deliberations', 'chat.deliberation_participants', 'chat.deliberation_steps', 'chat.contributions', 'chat.votes', 'chat.deliberation_rounds', 'chat.deliberation_checkpoints']) AS name;
SELECT is(pg_temp.got(token, format('SELECT count(*) FROM %s WHERE user_id = %L', name, :'alice'), db_role), '0', name || ': nothing for ' || person) FROM parts, people WHERE db_role = 'pgchat_client' AND person NOT IN ('the owner', 'nobody');
SELECT is(pg_temp.got(NULL, format('SELECT count(*) FROM %s', name)), '0', name || ': nothing for nobody') FROM parts;
SELECT ok(pg_temp.got(:'alice_token', format('SELECT count(*) FROM %s', name))::int > 0, name || ': one''s own are there') FROM parts;
SELECT is(pg_temp.try(:'alice_token', format(statement, name)), '42501', format(statement, name)) FROM parts, unnest(ARRAY['DELETE FROM %s', 'UPDATE %s SET user_id = user_id', 'INSERT INTO %s DEFAULT VALUES']) statement;

-- lists
SELECT pg_temp.got(:'worker_token', 'SELECT chat.create_deliberation($$w$$ || n) FROM generate_series(1, 5) n') IS NULL AS none \gset
CREATE FUNCTION pg_temp.pages(token text, call text, size integer) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
  found uuid[] := '{}';
  page uuid[];
BEGIN
  LOOP
    page := pg_temp.got(token, format('SELECT array_agg(c.id) FROM (SELECT l.id FROM %s l) c', format(call, size, found[cardinality(found)])))::uuid[];
    EXIT WHEN page IS NULL;
    found := found || page;
  END LOOP;
  RETURN found;
END $$;
SELECT is(pg_temp.pages(:'alice_token', 'chat.list_deliberations(page_size => %s, before_id => %L)', size), (SELECT array_agg(id ORDER BY id DESC) FROM chat.deliberations WHERE user_id = :'alice'), 'one''s own, the newest first, in pages of ' || size) FROM unnest(ARRAY[7, 1000]) size;
SELECT is(pg_temp.pages(:'alice_token', 'chat.list_deliberations(' || quote_literal(status) || ', %s, %L)', 3), (SELECT array_agg(id ORDER BY id DESC) FROM chat.deliberations d WHERE user_id = :'alice' AND d.status = s.status), 'those that are ' || status) FROM unnest(ARRAY['active', 'paused', 'completed', 'killed']) s (status);
SELECT is(pg_temp.try(:'alice_token', 'SELECT * FROM chat.list_deliberations(' || arguments || ')'), outcome, arguments)
FROM (VALUES ('page_size => 0', '22023'), ('page_size => 1001', '22023'), ('page_size => NULL', '22004'), ('$$asleep$$', '22023')) t (arguments, outcome);
SELECT is(pg_temp.try(:'supa_token', 'SELECT * FROM chat.list_deliberations()'), '1 rows', 'nothing of the people below');
SELECT is(pg_temp.try(token, 'SELECT * FROM chat.list_deliberations()'), outcome, outcome) FROM (VALUES (NULL, '28000'), (:'guest_token', '0 rows')) t (token, outcome);
SELECT is(pg_temp.pages(:'admin_token', 'chat.admin_list_deliberations(page_size => %s, before_id => %L)', size), (SELECT array_agg(id ORDER BY id DESC) FROM chat.deliberations), 'an administrator all, in pages of ' || size) FROM unnest(ARRAY[50, 1000]) size;
SELECT is(pg_temp.try(:'admin_token', format('SELECT * FROM chat.admin_list_deliberations(%L, $$killed$$)', :'alice')), (SELECT count(*) || ' rows' FROM chat.deliberations WHERE user_id = :'alice' AND status = 'killed'), 'of one person, in one status');
SELECT is(pg_temp.got(:'admin_token', format('SELECT (user_id, email, username, problem, status, phase) FROM chat.admin_list_deliberations(%L, page_size => 1)', :'worker')),
          format('(%s,wendy@example.com,wendy,%s,active,problem_decomposition)', :'worker', (SELECT problem_statement FROM chat.deliberations WHERE user_id = :'worker' ORDER BY id DESC LIMIT 1)), 'with whose it is');
SELECT is(pg_temp.try(token, 'SELECT * FROM chat.admin_list_deliberations(page_size => 1)', db_role), outcome, 'listing all: ' || person)
FROM (VALUES ('an administrator', :'admin_token', 'pgchat_client', '1 rows'), ('the service', NULL, 'pgchat_service', '1 rows'), ('a supervisor', :'supa_token', 'pgchat_client', '42501'), ('a user', :'alice_token', 'pgchat_client', '42501'),
             ('a guest', :'guest_token', 'pgchat_client', '42501'), ('nobody', NULL, 'pgchat_client', '42501')) t (person, token, db_role, outcome);
SELECT is(pg_temp.try(:'admin_token', 'SELECT * FROM chat.admin_list_deliberations(' || arguments || ')'), outcome, arguments)
FROM (VALUES ('page_size => 0', '22023'), ('page_size => NULL', '22004'), ('status => $$asleep$$', '22023'), ('chat.uuid_v7()', 'P0002')) t (arguments, outcome);
SELECT is(pg_temp.got(:'admin_token', 'SELECT chat.current_user_id() FROM chat.admin_list_deliberations(page_size => 1)'), :'admin', 'the gate is closed again');

-- plans
SELECT is(pg_temp.try(:'guest_token', 'SELECT chat.create_deliberation($$x$$)'), '1 rows', 'a guest may, too');
SELECT chat.admin_save_plan('guest', limits => '{"deliberations": 2, "messages_per_day": 5}');
SELECT pg_temp.created(:'guest_token') AS g \gset
SELECT is(pg_temp.try(:'guest_token', statement), 'PC303', 'no more than the plan allows: ' || statement) FROM (VALUES ('SELECT chat.create_deliberation($$x$$)'), (format('SELECT chat.fork_deliberation(%L)', :'g'))) t (statement);
INSERT INTO chat.usage_events (user_id, outcome) SELECT :'guest', 'complete' FROM generate_series(1, 5);
SELECT is(pg_temp.try(:'guest_token', format('SELECT chat.start_deliberation(%L)', :'g')), 'PC303', 'nor is one started where the plan allows no more calls');
SELECT pg_temp.brought_to(:'g', 'paused');
SELECT is(pg_temp.try(:'guest_token', format('SELECT chat.resume_deliberation(%L)', :'g')), 'PC303', 'or resumed');
SELECT is(pg_temp.try(:'admin_token', 'SELECT chat.admin_save_plan($$guest$$, limits => $${"deliberations": -1}$$)'), '22023', 'a limit is a whole number');

-- the audit log
SELECT chat_private.audit('after.all');
SELECT is(pg_temp.audited('deliberation.' || action, 'deliberation:' || :'p'), n, action || ' is noted') FROM (VALUES ('create', 1), ('start', 1), ('pause', 1), ('resume', 1), ('kill', 0)) t (action, n);
SELECT is(pg_temp.audited('deliberation.kill', 'deliberation:' || :'k'), 1, 'kill is noted');
SELECT is(pg_temp.audited('deliberation.delete', 'deliberation:' || :'x'), 1, 'delete is noted');
SELECT is(pg_temp.audited('deliberation.fork', 'deliberation:' || id), 1, 'fork is noted') FROM forks WHERE seq = 7;
SELECT is((SELECT string_agg(format('%s %s', u.username, a.details), ' ') FROM chat.audit_log a JOIN chat.users u ON u.id = a.user_id JOIN tried t ON a.resource = 'deliberation:' || t.id WHERE t.person = 'an administrator' AND a.action = 'admin.kill_deliberation'),
          format('root {"user_id": "%s"}', :'alice'), 'an administrator''s kill says whose it was');
SELECT ok(pg_temp.audited('admin.list_deliberations', 'user:' || :'alice') = 1, 'looking is noted');
SELECT ok((SELECT count(*) > 0 FROM chat.audit_log WHERE action = 'admin.list_deliberations' AND outcome = 'refused'), 'and trying to');

-- removal of an account whose deliberation runs
SELECT pg_temp.created(:'worker_token') AS w \gset
SELECT pg_temp.got(:'worker_token', format('SELECT chat.start_deliberation(%L)', :'w'));
SELECT is(pg_temp.try(:'worker_token', 'SELECT chat.delete_my_account($$wendy-password-1$$)'), '1 rows', 'an account goes, whatever runs');
SELECT is((SELECT count(*)::int FROM chat.deliberations WHERE user_id = :'worker') + (SELECT count(*)::int FROM chat_private.llm_requests WHERE user_id = :'worker'), 0, 'with its deliberations and their requests');

-- the clock stands while nobody serves a deliberation
SELECT pg_temp.created(:'admin_token') AS clock \gset
UPDATE chat.deliberations SET started_at = now() - interval '3 hours', active_ms = 1000, active_since = now() - interval '3 hours', updated_at = now() - interval '2 hours'
WHERE id = :'clock';
SELECT is((SELECT chat_private.active_ms_of(d) / 10000 FROM chat.deliberations d WHERE id = :'clock'), 1080::bigint, 'a clock that goes');
CREATE TEMP TABLE dumped ON COMMIT DROP AS SELECT * FROM chat.deliberations WHERE id = :'clock';
SELECT chat_private.skip_downtime();
SELECT is((SELECT chat_private.active_ms_of(d) / 10000 FROM chat.deliberations d WHERE id = :'clock'), 360::bigint, 'an engine that begins counts from its last sign on');
SELECT chat_private.skip_downtime();
SELECT is((SELECT chat_private.active_ms_of(d) / 10000 FROM chat.deliberations d WHERE id = :'clock'), 360::bigint, 'once');
INSERT INTO chat.deliberation_steps (user_id, id, deliberation_id, kind, phase, round_number, model) SELECT user_id, :'clock', id, 'decompose', phase, 0, 'test-model' FROM dumped;
INSERT INTO chat_private.llm_requests (user_id, id, purpose, state, model, messages, started_at) SELECT user_id, :'clock', 'deliberation', 'queued', 'test-model', '[]', now() - interval '1 hour' FROM dumped;
UPDATE chat.deliberations d SET active_ms = o.active_ms, active_since = o.active_since, updated_at = o.updated_at FROM dumped o WHERE d.id = :'clock';
SELECT chat_private.skip_downtime();
SELECT is((SELECT chat_private.active_ms_of(d) / 10000 FROM chat.deliberations d WHERE id = :'clock'), 720::bigint, 'a call that was sent is a sign');
DELETE FROM chat.deliberations WHERE id = :'clock';
INSERT INTO chat.deliberations SELECT * FROM dumped;
SELECT is((SELECT chat_private.active_ms_of(d) / 10000 FROM chat.deliberations d WHERE id = :'clock'), 360::bigint, 'and so does what a dump brings');

-- what was left is tidied in the order in which it ended
INSERT INTO chat_private.llm_requests (user_id, id, purpose, state, queued_at, model, messages, finished_at)
SELECT :'alice', md5('left' || n)::uuid, 'deliberation', 'complete', NULL, 'test-model', '[]', now() - n * interval '1 minute' FROM generate_series(1, 3) n;
SELECT chat_private.tidy_deliberations(2);
SELECT is((SELECT array_agg(id) FROM chat_private.llm_requests q WHERE user_id = :'alice' AND id IN (SELECT md5('left' || n)::uuid FROM generate_series(1, 3) n)),
          ARRAY[md5('left1')::uuid], 'the latest is left for the next time');

SELECT * FROM finish();
ROLLBACK;
