-- How far a deliberation is, by hand-made states of it; and who may ask, follow and wait.
BEGIN;
\ir setup.psql
SELECT plan(38);

CREATE FUNCTION pg_temp.step(d uuid, kind text, phase text, round_number integer, persona text, state text DEFAULT 'complete',
                             since interval DEFAULT '0', took interval DEFAULT '1 second') RETURNS void LANGUAGE sql AS $$
  INSERT INTO chat.deliberation_steps (user_id, id, deliberation_id, kind, phase, round_number, persona_code, state, model, created_at, finished_at)
  SELECT x.user_id, chat.uuid_v7(), x.id, step.kind, step.phase, step.round_number, persona, state, 'm', now() - since,
         CASE WHEN state <> 'open' THEN now() - since + took END
  FROM chat.deliberations x WHERE x.id = d $$;
CREATE FUNCTION pg_temp.stands(d uuid, phase text, round_number integer, status text DEFAULT 'active') RETURNS void LANGUAGE sql AS $$
  UPDATE chat.deliberations x SET phase = stands.phase, round_number = stands.round_number, status = stands.status,
    pause_reason = CASE stands.status WHEN 'paused' THEN 'requested' END,
    completed_at = CASE stands.status WHEN 'completed' THEN now() END,
    active_since = CASE stands.status WHEN 'active' THEN now() END WHERE x.id = d $$;
CREATE FUNCTION pg_temp.calls(person uuid, d uuid) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.value(person, format('SELECT concat_ws('' '', p.done_calls, p.running_calls, p.total_calls) FROM chat.deliberation_progress(%L) p', d)) $$;
CREATE FUNCTION pg_temp.remaining(person uuid, d uuid) RETURNS numeric LANGUAGE sql AS $$
  SELECT pg_temp.value(person, format('SELECT extract(epoch FROM p.estimated_remaining)::numeric(12, 1) FROM chat.deliberation_progress(%L) p', d))::numeric $$;
CREATE FUNCTION pg_temp.seat(d uuid, personas integer) RETURNS void LANGUAGE sql AS $$
  INSERT INTO chat.deliberation_participants (user_id, deliberation_id, persona_code, seat, name, expertise, system_prompt, seq)
  SELECT x.user_id, x.id, CASE n WHEN 0 THEN 'moderator' ELSE 'p' || n END, n, 'Persona ' || n, 'e', 's', 1
  FROM chat.deliberations x, generate_series(0, personas) n WHERE x.id = d $$;

INSERT INTO chat.deliberations (user_id, problem_statement, max_rounds) VALUES (:'alice', 'Where to dig?', 3) RETURNING id AS d \gset
SELECT pg_temp.value(:'alice', format('SELECT concat_ws('' '', p.status, p.phase, p.round_number, p.max_rounds, p.total_cost, p.total_tokens, p.elapsed)
  FROM chat.deliberation_progress(%L) p', :'d')) AS first \gset
SELECT is(:'first'::text, 'active problem_decomposition 0 3 0 0 00:00:00', 'one that was not started');
-- 1 decompose, 1 select, 3 rounds of 5, 1 choices and 5 votes, 1 synthesis.
SELECT is(pg_temp.calls(:'alice', :'d'), '0 0 24', 'before it starts, five personas are expected');
SELECT is(pg_temp.remaining(:'alice', :'d'), NULL, 'no time is known before a round has ended');
UPDATE chat.deliberations SET options = '{"persona_count": 4, "decompose": false}' WHERE id = :'d';
SELECT is(pg_temp.calls(:'alice', :'d'), '0 0 19', 'persona_count of them, and nothing to decompose');
UPDATE chat.deliberations SET options = '{"persona_count": 4, "sub_problems": ["a"], "choices": ["a", "b"]}' WHERE id = :'d';
SELECT is(pg_temp.calls(:'alice', :'d'), '0 0 18', 'sub-problems and choices are given');
UPDATE chat.deliberations SET options = '{}' WHERE id = :'d';
SELECT pg_temp.stands(:'d', 'problem_decomposition', 0), pg_temp.step(:'d', 'decompose', 'problem_decomposition', 0, NULL, 'open') \g /dev/null
SELECT is(pg_temp.calls(:'alice', :'d'), '0 1 24', 'under way');
UPDATE chat.deliberation_steps SET state = 'failed', finished_at = now() WHERE deliberation_id = :'d';
SELECT pg_temp.step(:'d', 'decompose', 'problem_decomposition', 0, NULL, 'open') \g /dev/null
SELECT is(pg_temp.calls(:'alice', :'d'), '1 1 25', 'a call that is asked again is one more');
UPDATE chat.deliberation_steps SET state = 'complete', finished_at = now() WHERE deliberation_id = :'d' AND state = 'open';
SELECT pg_temp.stands(:'d', 'persona_selection', 0), pg_temp.step(:'d', 'select', 'persona_selection', 0, NULL, 'open') \g /dev/null
SELECT is(pg_temp.calls(:'alice', :'d'), '2 1 25', 'the personas are chosen');
UPDATE chat.deliberation_steps SET state = 'complete', finished_at = now() WHERE deliberation_id = :'d' AND state = 'open';
SELECT pg_temp.seat(:'d', 2), pg_temp.stands(:'d', 'initial_round', 1) \g /dev/null
-- 3 done, 3 rounds of 2, 1 + 2 for the vote, 1.
SELECT is(pg_temp.calls(:'alice', :'d'), '3 0 13', 'two were, and the moderator counts only when it speaks');
SELECT pg_temp.step(:'d', 'initial', 'initial_round', 1, 'p1', 'complete', '60 s', '10 s'), pg_temp.step(:'d', 'initial', 'initial_round', 1, 'p2', 'open', '60 s') \g /dev/null
SELECT is(pg_temp.calls(:'alice', :'d'), '4 1 13', 'in the first round');
UPDATE chat.deliberation_steps SET state = 'cancelled', finished_at = now() WHERE deliberation_id = :'d' AND state = 'open';
SELECT pg_temp.stands(:'d', 'initial_round', 1, 'paused') \g /dev/null
SELECT is(pg_temp.calls(:'alice', :'d'), '4 0 13', 'paused: what was called off is still to come');
SELECT pg_temp.stands(:'d', 'deliberation', 2), pg_temp.step(:'d', 'initial', 'initial_round', 1, 'p2', 'complete', '60 s', '20 s') \g /dev/null
INSERT INTO chat.deliberation_rounds (user_id, deliberation_id, round_number, speakers, verdict, seq) VALUES (:'alice', :'d', 1, 2, 'continue', 5);
SELECT pg_temp.stands(:'d', 'deliberation', 2, 'paused') \g /dev/null
SELECT is(pg_temp.calls(:'alice', :'d'), '5 0 13', 'in the second round');
-- 20 s a round: 2 rounds, the vote, the synthesis. Called-off steps end when they are called off: they are of the round too.
SELECT is(pg_temp.remaining(:'alice', :'d') BETWEEN 80 AND 240, true, 'the rest, in rounds');
DELETE FROM chat.deliberation_steps WHERE deliberation_id = :'d' AND state = 'cancelled';
SELECT is(pg_temp.remaining(:'alice', :'d'), 80.0, 'the rest: two rounds, the vote, the synthesis');
SELECT pg_temp.stands(:'d', 'deliberation', 2), pg_temp.step(:'d', 'contribute', 'deliberation', 2, 'p1', 'open', '8 s') \g /dev/null
SELECT is(pg_temp.remaining(:'alice', :'d') BETWEEN 60 AND 72, true, 'less what the round has taken');
UPDATE chat.deliberation_steps SET created_at = now() - interval '90 s' WHERE deliberation_id = :'d' AND state = 'open';
SELECT is(pg_temp.remaining(:'alice', :'d'), 60.0, 'but no more than a round');
SELECT pg_temp.stands(:'d', 'moderator_intervention', 2), pg_temp.step(:'d', 'contribute', 'deliberation', 2, 'p2') \g /dev/null
UPDATE chat.deliberation_steps SET state = 'complete', finished_at = now() WHERE deliberation_id = :'d' AND state = 'open';
SELECT pg_temp.step(:'d', 'moderate', 'moderator_intervention', 2, 'moderator', 'open') \g /dev/null
SELECT is(pg_temp.calls(:'alice', :'d'), '7 1 14', 'the moderator is one more');
UPDATE chat.deliberation_steps SET state = 'complete', finished_at = now() WHERE deliberation_id = :'d' AND state = 'open';
SELECT pg_temp.stands(:'d', 'voting', 2), pg_temp.step(:'d', 'choices', 'voting', 2, NULL, 'open') \g /dev/null
SELECT is(pg_temp.calls(:'alice', :'d'), '8 1 12', 'a round that is not held makes it less; the choices first');
UPDATE chat.deliberation_steps SET state = 'complete', finished_at = now() WHERE deliberation_id = :'d' AND state = 'open';
UPDATE chat.deliberations SET choices = '[{"id": "a", "label": "Here"}, {"id": "b", "label": "There"}]' WHERE id = :'d';
SELECT pg_temp.step(:'d', 'vote', 'voting', 2, 'p1'), pg_temp.step(:'d', 'vote', 'voting', 2, 'p2', 'open') \g /dev/null
SELECT is(pg_temp.calls(:'alice', :'d'), '10 1 12', 'the vote');
UPDATE chat.deliberation_steps SET state = 'complete', finished_at = now() WHERE deliberation_id = :'d' AND state = 'open';
SELECT pg_temp.stands(:'d', 'synthesis', 2), pg_temp.step(:'d', 'synthesize', 'synthesis', 2, NULL, 'open') \g /dev/null
SELECT is(pg_temp.calls(:'alice', :'d'), '11 1 12', 'the synthesis');
UPDATE chat.deliberation_steps SET state = 'complete', finished_at = now() WHERE deliberation_id = :'d' AND state = 'open';
UPDATE chat.deliberations SET active_ms = 61500 WHERE id = :'d';
SELECT pg_temp.stands(:'d', 'synthesis', 2, 'completed') \g /dev/null
SELECT is(pg_temp.calls(:'alice', :'d'), '12 0 12', 'all calls are done at the end');
SELECT is(pg_temp.remaining(:'alice', :'d'), 0.0, 'and nothing is left');
SELECT is(pg_temp.value(:'alice', format('SELECT p.elapsed FROM chat.deliberation_progress(%L) p', :'d')), '00:01:01.5', 'it was active so long');

-- Following what has ended.
UPDATE chat.deliberations SET last_seq = 3, outcome = '{"method": "plurality", "quorum_reached": true, "voters": 2, "abstentions": 0, "winner": "b"}' WHERE id = :'d';
INSERT INTO chat.deliberation_checkpoints (user_id, deliberation_id, seq, event, kind, persona_code, phase, round_number, status, state, total_cost, total_tokens)
VALUES (:'alice', :'d', 1, 'step', 'initial', 'p1', 'initial_round', 1, 'active', '{}', 0, 0), (:'alice', :'d', 2, 'step', 'vote', 'p2', 'voting', 2, 'active', '{}', 0, 0),
       (:'alice', :'d', 3, 'completed', NULL, NULL, 'synthesis', 2, 'completed', '{}', 0, 0);
INSERT INTO chat.contributions (user_id, deliberation_id, persona_code, round_number, phase, content, model, seq) VALUES (:'alice', :'d', 'p1', 1, 'initial_round', 'Dig.', 'm', 1);
INSERT INTO chat.votes (user_id, deliberation_id, persona_code, choice, reasoning, seq) VALUES (:'alice', :'d', 'p2', 'b', 'It is softer.', 2);
SELECT is(pg_temp.value(:'alice', format($$SELECT string_agg(concat_ws('|', seq, event, kind, phase, round_number, persona_code, name, content), E'\n') FROM chat.follow_deliberation(%L)$$, :'d')),
          E'1|step|initial|initial_round|1|p1|Persona 1|Dig.\n2|step|vote|voting|2|p2|Persona 2|There: It is softer.\n3|completed|synthesis|2|There (plurality, 2 votes, 0 abstentions)',
          'all there is, with what came with it');
SELECT is(pg_temp.value(:'alice', format('SELECT string_agg(seq::text, '' '') FROM chat.follow_deliberation(%L, 1)', :'d')), '2 3', 'after a number');
SELECT is(pg_temp.outcome(:'alice', format('SELECT * FROM chat.follow_deliberation(%L, 3)', :'d')), '0 rows', 'after the last one');

-- Who may, and what is refused.
SELECT is(pg_temp.outcome(:'bob', format('SELECT * FROM chat.deliberation_progress(%L)', :'d')), 'P0002', 'progress: another user');
SELECT is(pg_temp.outcome(:'bob', format('SELECT * FROM chat.follow_deliberation(%L)', :'d')), 'P0002', 'follow: another user');
SELECT is(pg_temp.outcome(NULL, format('SELECT * FROM chat.deliberation_progress(%L)', :'d')), '28000', 'progress: nobody');
SELECT is(pg_temp.outcome(NULL, format('SELECT * FROM chat.follow_deliberation(%L)', :'d')), '28000', 'follow: nobody');
SELECT is(pg_temp.outcome(:'alice', 'SELECT * FROM chat.deliberation_progress(NULL)'), '22004', 'progress: no id');
SELECT is(pg_temp.outcome(:'alice', 'SELECT * FROM chat.follow_deliberation(NULL)'), '22004', 'follow: no id');
SELECT is(pg_temp.outcome(:'alice', format('SELECT * FROM chat.deliberation_progress(%L)', chat.uuid_v7())), 'P0002', 'progress: no such deliberation');
SELECT is(pg_temp.outcome(:'alice', format('SELECT * FROM chat.follow_deliberation(%L)', chat.uuid_v7())), 'P0002', 'follow: no such deliberation');
SELECT is(pg_temp.outcome(:'alice', format('SELECT * FROM chat.follow_deliberation(%L, -1)', :'d')), '22023', 'follow: a negative number');
SELECT is(pg_temp.outcome(:'alice', format('CALL chat.run_deliberation(%L)', :'d')), '22023', 'run: inside a transaction block');
SELECT isnt(pg_temp.hint(:'alice', format('CALL chat.run_deliberation(%L)', :'d')), NULL, 'with a hint');
SELECT is(pg_temp.outcome(:'alice', format('SELECT * FROM chat_private.deliberation_news(%L, %L, 0, 10)', :'alice', :'d')), '42501', 'the machinery is not for clients');
SELECT * FROM finish();
ROLLBACK;
