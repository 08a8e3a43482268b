-- The state machine of deliberations step by step, with what models are told and how rounds are judged put in the place of the real
-- functions: what is queued when, what each end of a call leads to, caps, and that costs add up.
BEGIN;
\ir setup.psql
SELECT plan(47);
UPDATE chat.models SET input_price = 1, output_price = 10, config = '{}' WHERE name = 'test-model';
CREATE OR REPLACE FUNCTION chat_private.step_request(d chat.deliberations, kind text, persona_code text)
RETURNS TABLE (messages jsonb, system_prompt text, response_format jsonb, options jsonb) LANGUAGE sql ROWS 1 AS $$
  SELECT jsonb_build_array(jsonb_build_object('role', 'user', 'content', kind)), NULL::text, NULL::jsonb, jsonb '{"max_tokens": 100}' $$;
CREATE OR REPLACE FUNCTION chat_private.read_answer(d chat.deliberations, kind text, persona_code text, content text) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
  IF content = 'raise' THEN
    RAISE EXCEPTION 'unreadable';
  END IF;
  RETURN CASE WHEN content = 'nonsense' THEN NULL WHEN kind IN ('initial', 'contribute', 'moderate') THEN jsonb_build_object('content', content)
              WHEN kind = 'decompose' THEN '{"sub_problems": [{"id": "a", "title": "A", "description": ""}]}'
              WHEN kind = 'choices' THEN '{"choices": [{"id": "go", "label": "Go"}, {"id": "stay", "label": "Stay"}]}'
              WHEN kind = 'vote' THEN '{"choice": "go", "ranking": ["go"], "approvals": ["go"], "reasoning": "", "confidence": 0.5}'
              ELSE '{"summary": "Go"}' END::jsonb;
END $$;
CREATE TEMP TABLE verdicts (round_number integer PRIMARY KEY, verdict text) ON COMMIT DROP;
GRANT SELECT ON verdicts TO pgchat_engine;
CREATE OR REPLACE FUNCTION chat_private.measure_round(user_id uuid, deliberation_id uuid, round_number integer, seq integer)
RETURNS chat.deliberation_rounds LANGUAGE sql AS $$
  INSERT INTO chat.deliberation_rounds (user_id, deliberation_id, round_number, speakers, verdict, seq)
  VALUES ($1, $2, $3, 3, coalesce((SELECT v.verdict FROM pg_temp.verdicts v WHERE v.round_number = $3), 'continue'), $4) RETURNING * $$;
CREATE OR REPLACE FUNCTION chat_private.vote_outcome(d chat.deliberations) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb '{"winner": "go"}' $$;

-- A deliberation that runs, of three personas.
CREATE FUNCTION pg_temp.open(options jsonb DEFAULT '{"decompose": false}', max_rounds integer DEFAULT 3, max_cost numeric DEFAULT NULL,
                             max_duration interval DEFAULT NULL) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  alice uuid := (SELECT u.id FROM chat.users u WHERE u.email = 'alice@example.com');
  made uuid;
BEGIN
  INSERT INTO chat.deliberations (user_id, problem_statement, model, options, max_rounds, max_cost, max_duration, started_at, active_since)
  VALUES (alice, 'Where to?', 'test-model', open.options, open.max_rounds, open.max_cost, open.max_duration, clock_timestamp(), clock_timestamp())
  RETURNING id INTO made;
  INSERT INTO chat.deliberation_participants (user_id, deliberation_id, persona_code, seat, name, expertise, system_prompt, seq)
  SELECT alice, made, 'p' || n, n, 'P', 'P', 'P', 1 FROM generate_series(1, 3) n;
  PERFORM chat_private.add_checkpoint(alice, made, 'started');
  PERFORM chat_private.drive_deliberation(alice, made);
  RETURN made;
END $$;
-- What the engine does: takes all that is queued, and ends each call with the content, or the error where it is one of the wanted kind.
CREATE FUNCTION pg_temp.play(content text DEFAULT 'said', error text DEFAULT NULL, wanted text DEFAULT '%') RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  c record;
  calls bigint := 0;
  failed boolean;
  has_steps boolean;
BEGIN
  SET LOCAL ROLE pgchat_engine;
  FOR c IN SELECT s.* FROM chat_private.claim_requests(100) r JOIN chat.deliberation_steps s ON s.user_id = r.user_id AND s.id = r.request_id ORDER BY s.id LOOP
    calls := calls + 1;
    failed := play.error IS NOT NULL AND coalesce(c.persona_code, c.kind) LIKE play.wanted;
    SELECT f.has_steps INTO has_steps FROM chat_private.finish_requests(ARRAY[c.user_id], ARRAY[c.id], ARRAY[NULL::uuid], ARRAY[NULL::uuid], ARRAY['test-model'],
      ARRAY[CASE WHEN failed THEN 'error' ELSE 'complete' END], ARRAY[CASE WHEN failed THEN '' WHEN coalesce(c.persona_code, c.kind) LIKE play.wanted THEN play.content ELSE 'said' END], ARRAY[play.content], ARRAY[NULL::text], ARRAY['stop'],
      ARRAY[CASE WHEN failed THEN jsonb_build_object('code', play.error, 'sqlstate', 'XX000', 'message', 'x')::text END],
      ARRAY[10::bigint], ARRAY[5::bigint], ARRAY[0::bigint], ARRAY[60000000::bigint], ARRAY[7], ARRAY[1], ARRAY[1], ARRAY[false], ARRAY[true]) f;
    PERFORM chat_private.record_usage(ARRAY[c.user_id], ARRAY[c.id], ARRAY[1], ARRAY[NULL::uuid], ARRAY[NULL::uuid], ARRAY['test-model'], ARRAY['test-provider'],
      ARRAY[10::bigint], ARRAY[5::bigint], ARRAY[0::bigint], ARRAY[60000000::bigint], ARRAY[false], ARRAY[false], ARRAY[false],
      ARRAY[CASE WHEN failed THEN 'error' ELSE 'complete' END], ARRAY[play.error], ARRAY[7], ARRAY[1], has_steps);
  END LOOP;
  RESET ROLE;
  RETURN calls;
END $$;
CREATE FUNCTION pg_temp.stands(of uuid) RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(' ', d.status, d.pause_reason, d.phase, d.round_number) FROM chat.deliberations d WHERE d.id = of $$;
CREATE FUNCTION pg_temp.open_steps(of uuid) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(s.kind || coalesce('/' || s.persona_code, '') || '/' || s.attempt, ' ' ORDER BY s.kind, s.persona_code)
  FROM chat.deliberation_steps s JOIN chat_private.llm_requests q ON q.user_id = s.user_id AND q.id = s.id AND q.state = 'queued' AND q.purpose = 'deliberation'
  WHERE s.deliberation_id = of AND s.state = 'open' $$;
CREATE FUNCTION pg_temp.adds_up(of uuid) RETURNS boolean LANGUAGE sql AS $$
  SELECT d.total_cost = (SELECT coalesce(sum(s.cost), 0) FROM chat.deliberation_steps s WHERE s.deliberation_id = d.id)
     AND d.total_cost = (SELECT coalesce(sum(u.cost), 0) FROM chat.usage_events u WHERE u.deliberation_id = d.id)
     AND d.total_cost = (SELECT c.total_cost FROM chat.deliberation_checkpoints c WHERE c.deliberation_id = d.id AND c.seq = d.last_seq)
     AND d.total_tokens = (SELECT coalesce(sum(s.input_tokens + s.output_tokens), 0) FROM chat.deliberation_steps s WHERE s.deliberation_id = d.id)
  FROM chat.deliberations d WHERE d.id = of $$;

-- a whole run
SELECT pg_temp.open('{}') AS run \gset
SELECT is(pg_temp.open_steps(:'run'), 'decompose/1', 'it begins with taking the problem apart');
SELECT is(pg_temp.value(:'alice', format('SELECT count(*) FROM chat.deliberation_steps WHERE deliberation_id = %L', :'run')), '1', 'its owner sees the step');
SELECT is(pg_temp.value(:'bob', format('SELECT count(*) FROM chat.deliberation_steps WHERE deliberation_id = %L', :'run')), '0', 'another one does not');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.llm_result(%L)', (SELECT id FROM chat.deliberation_steps WHERE deliberation_id = :'run'))), 'P0002',
          'a step is no request that llm_result shows');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.llm_cancel(%L)', (SELECT id FROM chat.deliberation_steps WHERE deliberation_id = :'run'))) <> '1 rows', true,
          'and none that llm_cancel ends');
SELECT pg_temp.play();
SELECT is(pg_temp.stands(:'run'), 'active initial_round 1', 'the board is there already, so the first round follows');
SELECT is(pg_temp.open_steps(:'run'), 'initial/p1/1 initial/p2/1 initial/p3/1', 'all are asked at once');
SELECT is((SELECT sub_problems -> 0 ->> 'id' FROM chat.deliberations WHERE id = :'run'), 'a', 'the sub-problems are kept');
SELECT is((SELECT count(*) FROM chat.deliberation_participants WHERE deliberation_id = :'run' AND seat = 0), 1::bigint, 'the moderator has come');
SELECT is(pg_temp.play(), 3::bigint, 'three speak');
SELECT is(pg_temp.open_steps(:'run'), 'contribute/p1/1 contribute/p2/1 contribute/p3/1', 'then once more');
SELECT ok(pg_temp.adds_up(:'run'), 'the sums are right in between');
SELECT pg_temp.play();
SELECT pg_temp.play();
SELECT is(pg_temp.stands(:'run') || ' ' || pg_temp.open_steps(:'run'), 'active voting 3 choices/1', 'after the last round choices are asked for');
SELECT pg_temp.play();
SELECT is(pg_temp.open_steps(:'run'), 'vote/p1/1 vote/p2/1 vote/p3/1', 'then votes');
SELECT pg_temp.play();
SELECT is(pg_temp.open_steps(:'run'), 'synthesize/1', 'then the conclusion');
SELECT pg_temp.play();
SELECT is(pg_temp.stands(:'run'), 'completed synthesis 3', 'and it is complete');
SELECT is((SELECT (rounds_ended_by, outcome ->> 'winner', synthesis ->> 'summary', active_since IS NULL, completed_at IS NOT NULL)::text
           FROM chat.deliberations WHERE id = :'run'), '(max_rounds,go,Go,t,t)', 'with its outcome');
SELECT ok(pg_temp.adds_up(:'run'), 'the sums are right at the end');
SELECT is((SELECT count(*) FROM chat_private.llm_requests WHERE purpose = 'deliberation'), 0::bigint, 'no request stays');
SELECT is((SELECT count(*) FROM chat.contributions c JOIN chat.deliberation_checkpoints k ON k.deliberation_id = c.deliberation_id AND k.seq = c.seq
           AND k.step_id = c.step_id AND k.persona_code = c.persona_code WHERE c.deliberation_id = :'run'), 9::bigint, 'each contribution appears with its checkpoint');

-- what ends the rounds
INSERT INTO verdicts VALUES (1, 'converged'), (2, 'converged');
SELECT pg_temp.open('{"decompose": false, "choices": ["Go", "Stay"]}') AS run \gset
SELECT pg_temp.play();
SELECT is(pg_temp.stands(:'run'), 'active deliberation 2', 'one round is too few to have converged');
SELECT pg_temp.play();
SELECT is(pg_temp.stands(:'run') || ' ' || pg_temp.open_steps(:'run'), 'active voting 2 vote/p1/1 vote/p2/1 vote/p3/1', 'two are enough; the choices are given');
DELETE FROM chat_private.llm_requests WHERE purpose = 'deliberation';
UPDATE chat.deliberations SET status = 'paused', pause_reason = 'requested', active_since = NULL WHERE id = :'run';
UPDATE verdicts SET verdict = 'stalling';
SELECT pg_temp.open() AS run \gset
SELECT pg_temp.play();
SELECT is(pg_temp.stands(:'run') || ' ' || pg_temp.open_steps(:'run'), 'active moderator_intervention 1 moderate/moderator/1', 'it stalls: the moderator');
SELECT pg_temp.play();
SELECT pg_temp.play();
SELECT is(pg_temp.stands(:'run') || (SELECT ' ' || rounds_ended_by FROM chat.deliberations WHERE id = :'run'), 'active voting 2 stalled', 'it stalls again: the vote');
DELETE FROM verdicts;
SELECT pg_temp.play('nonsense', wanted => 'choices');
SELECT is(pg_temp.open_steps(:'run'), 'choices/2', 'an answer that is unusable is asked for once more');
SELECT pg_temp.play('nonsense', wanted => 'choices');
SELECT is(pg_temp.open_steps(:'run'), 'synthesize/1', 'then given up: nothing is voted on');
SELECT pg_temp.play();

-- failures
SELECT pg_temp.open(max_rounds => 1) AS run \gset
SELECT pg_temp.play(error => 'request_timeout', wanted => 'p2');
SELECT is(pg_temp.open_steps(:'run'), 'initial/p2/2', 'what may pass is tried again');
SELECT pg_temp.play(error => 'request_timeout', wanted => 'p2');
SELECT is(pg_temp.stands(:'run') || ' ' || (SELECT count(*) FROM chat.contributions WHERE deliberation_id = :'run'), 'active voting 1 2', 'then the others go on');
SELECT pg_temp.play();
SELECT pg_temp.play(error => 'provider_rejected_request', wanted => 'p3');
SELECT is((SELECT (is_abstention, choice, error ->> 'code', seq > 0)::text FROM chat.votes WHERE deliberation_id = :'run' AND persona_code = 'p3'),
          '(t,,provider_rejected_request,t)', 'who cannot vote abstains, and it says why');
SELECT pg_temp.play();
SELECT ok(pg_temp.stands(:'run') = 'completed synthesis 1' AND pg_temp.adds_up(:'run'), 'failed calls count in the sums');
SELECT pg_temp.open() AS run \gset
SELECT pg_temp.play(error => 'provider_rejected_key');
SELECT is(pg_temp.stands(:'run') || (SELECT ' ' || (error ->> 'code') FROM chat.deliberations WHERE id = :'run'), 'failed initial_round 1 provider_rejected_key', 'nobody speaks: it fails');
SELECT pg_temp.open() AS run \gset
SELECT pg_temp.play('raise', wanted => 'p1');
SELECT is((SELECT (status, error ->> 'code')::text FROM chat.deliberations WHERE id = :'run'), '(failed,internal)', 'an error inside ends that deliberation');
SELECT ok(pg_temp.adds_up(:'run'), 'and what it cost is known');
SELECT pg_temp.open() AS run \gset
SELECT pg_temp.play(error => 'budget_exhausted', wanted => 'p1');
SELECT is(pg_temp.stands(:'run'), 'paused limit initial_round 1', 'a limit of the account pauses it');
UPDATE chat.deliberations SET status = 'active', pause_reason = NULL, active_since = now() WHERE id = :'run';
SELECT chat_private.drive_deliberation(:'alice', :'run');
SELECT is(pg_temp.open_steps(:'run'), 'initial/p1/1', 'resumed, the same attempt is made');

-- called off, lost, and left by a crash
SELECT chat_private.stop_steps(:'alice', :'run', false);
SELECT is((SELECT count(*) FILTER (WHERE state = 'cancelled') || ' ' || count(*) FILTER (WHERE state = 'open') || ' ' || sum(cost) FILTER (WHERE state = 'cancelled')
           FROM chat.deliberation_steps WHERE deliberation_id = :'run'), '2 0 0.00006', 'what is not sent ends at once');
SELECT is((SELECT count(*) FROM chat_private.llm_requests WHERE purpose = 'deliberation'), 0::bigint, 'and leaves the queue');
SET LOCAL ROLE pgchat_engine;
SELECT chat_private.tidy_side_requests(100);
RESET ROLE;
SELECT is(pg_temp.open_steps(:'run'), 'initial/p1/1', 'one that runs and has no call is moved on by the engine');
DELETE FROM chat_private.llm_requests WHERE purpose = 'deliberation';
SET LOCAL ROLE pgchat_engine;
SELECT chat_private.tidy_side_requests(100);
SELECT count(*) FROM chat_private.claim_requests(100) \gset claimed_
SELECT chat_private.recover_requests();
RESET ROLE;
SELECT is(:claimed_count || ' ' || pg_temp.open_steps(:'run'), '1 initial/p1/2', 'a request that is gone is made anew; after a crash what was under way is asked once more');
SELECT ok(pg_temp.adds_up(:'run') AND (SELECT bool_or(cost > 0) FROM chat.deliberation_steps WHERE deliberation_id = :'run' AND error ->> 'code' = 'outcome_unknown'),
          'and paid for');
DELETE FROM chat.deliberations;
SELECT pg_temp.play();
SELECT is((SELECT count(*) FROM chat_private.llm_requests WHERE purpose = 'deliberation' AND state <> 'running'), 0::bigint, 'of a deliberation that is gone nothing ends in the queue');

-- caps
SELECT is(chat_private.step_reserve('test-model', '[]', NULL, NULL, '{"max_tokens": 100}'), 0.001001, 'set aside: all that may be said, and a token of input');
SELECT is(chat_private.step_reserve('test-model', '[]', NULL, '{}', '{"max_tokens": 100}'), 0.002104, 'and a repair of what is structured');
SELECT pg_temp.open(max_cost => 0.001) AS run \gset
SELECT is(pg_temp.stands(:'run') || ' ' || (SELECT count(*) FROM chat.deliberation_steps WHERE deliberation_id = :'run'), 'paused max_cost initial_round 1 0',
          'what would be too dear is not asked, not even in part');
SELECT pg_temp.open(max_duration => '1 microsecond') AS run \gset
SELECT is(pg_temp.stands(:'run'), 'paused max_duration initial_round 1', 'nor what would be too late');
SELECT pg_temp.open(max_duration => '1 hour', options => '{"decompose": false, "call_timeout_ms": 5000}') AS run \gset
SELECT is((SELECT (min(timeout_ms), max(timeout_ms))::text FROM chat_private.llm_requests WHERE purpose = 'deliberation' AND state = 'queued'), '(5000,5000)', 'calls have their time-out');
SELECT pg_temp.play(repeat('é', 1500000));
SELECT is((SELECT (max(length(content)), max(length(thinking)))::text FROM chat.contributions WHERE deliberation_id = :'run'), '(1000000,100000)', 'of an answer no more is kept than can be used');
SELECT * FROM finish();
ROLLBACK;
