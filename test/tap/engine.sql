-- The engine's half of the queue: claiming, checkpoints, finishing, recovering; and what a person then reads.
BEGIN;
\ir setup.psql
SELECT plan(46);
SELECT chat_private.set_identity(:'alice', 'user', NULL, true);
SELECT chat.create_conversation(system_prompt => 'Be brief.') AS conv \gset
INSERT INTO chat.messages (user_id, conversation_id, id, parent_id, role, status, content, tool_calls, tool_call_id)
SELECT :'alice', :'conv', ('00000000-0000-7000-8000-00000000000' || id)::uuid, ('00000000-0000-7000-8000-00000000000' || parent)::uuid,
       role, status, content, calls::jsonb, call_id
FROM (VALUES (1, NULL, 'user', 'complete', 'one', NULL, NULL), (2, 1, 'assistant', 'error', '', NULL, NULL),
             (3, 2, 'assistant', 'complete', '', '[{"id": "c1"}]', NULL), (4, 3, 'tool', 'complete', '42', NULL, 'c1'),
             (5, 4, 'assistant', 'incomplete', 'tw', NULL, NULL)) t (id, parent, role, status, content, calls, call_id);
UPDATE chat.conversations SET active_leaf_id = '00000000-0000-7000-8000-000000000005' WHERE id = :'conv';
SELECT * FROM chat.send_message(:'conv', 'three', options => '{"seed": 7}') \gset a_
SELECT chat.llm_submit('[{"role": "user", "content": "hello"}]'::jsonb, system_prompt => 'Sing.', response_format => '{"type": "json_object"}',
                       timeout_ms => 5000) AS submitted \gset
SELECT chat_private.set_identity(:'bob', 'user', NULL, true);
SELECT chat.create_conversation() AS bobs \gset
SELECT * FROM chat.send_message(:'bobs', 'hi') \gset b_
SELECT chat.llm_submit('later') AS last \gset
SELECT chat_private.set_identity(NULL, NULL, NULL, true);

-- claim
CREATE TEMP TABLE claimed ON COMMIT DROP AS SELECT * FROM chat_private.claim_requests(0);
GRANT ALL ON claimed TO pgchat_engine;
SET LOCAL ROLE pgchat_engine;
INSERT INTO claimed SELECT * FROM chat_private.claim_requests(3);
INSERT INTO claimed SELECT * FROM chat_private.claim_requests(1);
RESET ROLE;
SELECT is((SELECT array_agg(request_id ORDER BY request_id) FROM claimed), ARRAY[:'a_request_id', :'submitted', :'b_request_id']::uuid[],
          'the oldest of each user are claimed, no more than asked for');
SELECT is((SELECT to_jsonb(c) - '{has_more,next_model,next_user,is_refused}'::text[] FROM claimed c WHERE request_id = :'a_request_id'), jsonb_build_object(
  'user_id', :'alice', 'request_id', :'a_request_id', 'message_id', :'a_assistant_message_id', 'conversation_id', :'conv', 'model', 'test-model',
  'messages', jsonb '[{"role": "user", "content": "one"}, {"role": "assistant", "content": "", "tool_calls": [{"id": "c1"}]},
    {"role": "tool", "content": "42", "tool_call_id": "c1"}, {"role": "assistant", "content": "tw"}, {"role": "user", "content": "three"}]',
  'system_prompt', 'Be brief.', 'response_format', NULL, 'options', jsonb '{"seed": 7}', 'timeout_ms', NULL),
  'a reply''s request carries its branch, without the reply that came to nothing');
SELECT is((SELECT to_jsonb(c) - '{request_id,has_more,next_model,next_user,is_refused}'::text[] FROM claimed c WHERE request_id = :'submitted'), jsonb_build_object(
  'user_id', :'alice', 'message_id', NULL, 'conversation_id', NULL, 'model', 'test-model',
  'messages', jsonb '[{"role": "user", "content": "hello"}]', 'system_prompt', 'Sing.',
  'response_format', jsonb '{"type": "json_object"}', 'options', jsonb '{}', 'timeout_ms', 5000), 'a submitted request carries what it was given');
SELECT is((SELECT messages::jsonb FROM claimed WHERE request_id = :'b_request_id'), '[{"role": "user", "content": "hi"}]', 'branches do not mix');
SELECT is((SELECT string_agg(state || (queued_at IS NULL) || (started_at IS NOT NULL), ' ' ORDER BY id) FROM chat_private.llm_requests),
          'runningtruetrue runningtruetrue runningtruetrue queuedfalsefalse', 'claimed rows are running');
SELECT is(pg_temp.value(:'alice', format('SELECT chat.llm_result(%L) IS NULL', :'submitted')), 'true', 'there is no answer yet');
SELECT is(chat_private.context_of(:'alice', :'conv', :'a_user_message_id', 'test-model', NULL, '{}'), (SELECT messages::jsonb FROM claimed WHERE request_id = :'a_request_id'),
          'chat.ask builds the same context');

-- checkpoint
SET LOCAL ROLE pgchat_engine;
SELECT chat_private.checkpoint_messages(ARRAY[:'alice', :'bob']::uuid[], ARRAY[:'a_assistant_message_id', :'b_assistant_message_id']::uuid[],
                                        ARRAY['par', ''], ARRAY['hm', NULL]);
SELECT chat_private.checkpoint_messages(ARRAY[:'alice', :'alice']::uuid[], ARRAY[:'a_user_message_id', :'b_assistant_message_id']::uuid[],
                                        ARRAY['wrong', 'wrong'], ARRAY[NULL, NULL]);
RESET ROLE;
SELECT is((SELECT (status, content, thinking)::text FROM chat.messages WHERE id = :'a_assistant_message_id'), '(streaming,par,hm)',
          'a checkpoint saves the text so far');
SELECT is((SELECT string_agg(content, ' ') FROM chat.messages WHERE id IN (:'a_user_message_id', :'b_assistant_message_id') AND content <> ''), 'three',
          'of replies in progress, and of their owner only');

-- finish: a reply, a submitted request, a reply that failed, an immediate call, a request that is gone
CREATE FUNCTION pg_temp.finish(user_ids uuid[], request_ids uuid[], message_ids uuid[], conversation_ids uuid[], statuses text[],
                               contents text[], durable boolean[]) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
  n int := cardinality(user_ids);
  busy uuid[];
BEGIN
  SET LOCAL ROLE pgchat_engine;
  busy := f.busy_ids FROM chat_private.finish_requests(user_ids, request_ids, message_ids, conversation_ids, array_fill('test-model-1'::text, ARRAY[n]),
    statuses, contents, array_fill(NULL::text, ARRAY[n]), array_fill('[{"id": "t"}]'::text, ARRAY[n]),
    array_fill('stop'::text, ARRAY[n]), ARRAY(SELECT CASE s WHEN 'error' THEN '{"code": "provider_failed"}' END FROM unnest(statuses) s),
    array_fill(10::bigint, ARRAY[n]), array_fill(2::bigint, ARRAY[n]), array_fill(NULL::bigint, ARRAY[n]), array_fill(1234500000::bigint, ARRAY[n]),
    array_fill(120, ARRAY[n]), array_fill(30, ARRAY[n]), array_fill(9, ARRAY[n]),
    ARRAY(SELECT s = 'complete' FROM unnest(statuses) s), durable) f;
  PERFORM chat_private.record_usage(user_ids, request_ids, array_fill(1, ARRAY[n]), conversation_ids, message_ids,
    array_fill('test-model-1'::text, ARRAY[n]), array_fill('test-provider'::text, ARRAY[n]), array_fill(10::bigint, ARRAY[n]),
    array_fill(2::bigint, ARRAY[n]), array_fill(NULL::bigint, ARRAY[n]), array_fill(1234500000::bigint, ARRAY[n]), array_fill(false, ARRAY[n]),
    array_fill(false, ARRAY[n]), array_fill(false, ARRAY[n]), statuses,
    ARRAY(SELECT CASE s WHEN 'error' THEN 'provider_failed' END FROM unnest(statuses) s), array_fill(120, ARRAY[n]), array_fill(30, ARRAY[n]), false);
  RESET ROLE;
  RETURN busy;
END $$;
SELECT is(pg_temp.finish(
  ARRAY[:'alice', :'alice', :'bob', '00000000-0000-0000-0000-000000000000', :'alice']::uuid[],
  ARRAY[:'a_request_id', :'submitted', :'b_request_id', '00000000-0000-7000-8000-0000000000aa', '00000000-0000-7000-8000-0000000000bb']::uuid[],
  ARRAY[:'a_assistant_message_id', NULL, :'b_assistant_message_id', NULL, NULL]::uuid[], ARRAY[:'conv', NULL, :'bobs', NULL, NULL]::uuid[],
  ARRAY['complete', 'complete', 'error', 'complete', 'cancelled'], ARRAY['partial no more', 'la la', NULL, 'x', NULL],
  ARRAY[true, true, true, false, true]), '{}', 'everything could be recorded');
SELECT is((SELECT (status, content, thinking, tool_calls, content_hash = sha256('partial no more'), model, finish_reason, input_tokens, output_tokens,
                   cached_tokens, cost, latency_ms, first_token_ms, last_seq, error)::text FROM chat.messages WHERE id = :'a_assistant_message_id'),
          '(complete,"partial no more",hm,"[{""id"": ""t""}]",t,test-model-1,stop,10,2,,0.0012345,120,30,9,)', 'the reply has its outcome');
SELECT is((SELECT (status, content, error ->> 'code')::text FROM chat.messages WHERE id = :'b_assistant_message_id'), '(error,"",provider_failed)',
          'a reply that failed says why');
SELECT ok((SELECT updated_at > (SELECT created_at FROM chat.messages WHERE id = :'a_assistant_message_id') FROM chat.conversations WHERE id = :'conv'),
          'the conversation has moved on');
SELECT is((SELECT string_agg(state, ' ' ORDER BY id) FROM chat_private.llm_requests), 'complete complete error queued', 'the queue too');
SELECT is(pg_temp.value(:'alice', format('SELECT chat.llm_result(%L)', :'submitted'))::jsonb, jsonb_build_object(
  'content', 'la la', 'thinking', NULL, 'tool_calls', jsonb '[{"id": "t"}]', 'finish_reason', 'stop', 'model', 'test-model-1',
  'usage', jsonb '{"input_tokens": 10, "output_tokens": 2, "cached_tokens": null}', 'cost', 0.0012345, 'latency_ms', 120, 'request_id', :'submitted',
  'status', 'complete', 'json', NULL), 'the answer to a submitted request');
SELECT is(pg_temp.value(:'alice', format('SELECT chat.llm_result(%L) ->> $$content$$', :'a_request_id')), 'partial no more', 'and to a message');
SELECT is(pg_temp.value(:'bob', format('SELECT chat.llm_result(%L) #>> $${error,code}$$', :'b_request_id')), 'provider_failed', 'and why there is none');
SELECT is((SELECT string_agg(concat_ws(',', u.display_name, e.outcome, e.cost, e.model, e.provider, e.input_tokens), ' ' ORDER BY e.id)
           FROM chat.usage_events e LEFT JOIN chat.users u ON u.id = e.user_id),
          'Alice,complete,0.0012345,test-model-1,test-provider,10 Alice,complete,0.0012345,test-model-1,test-provider,10 '
          || 'error,0.0012345,test-model-1,test-provider,10 complete,0.0012345,test-model-1,test-provider,10 '
          || 'Alice,cancelled,0.0012345,test-model-1,test-provider,10', 'each call is a usage event');
SELECT is(pg_temp.value(:'alice', 'SELECT count(*) FROM chat.usage_events'), '3', 'of which people see their own');
SELECT pg_temp.finish(ARRAY[:'alice']::uuid[], ARRAY[:'a_request_id']::uuid[], ARRAY[:'a_assistant_message_id']::uuid[], ARRAY[:'conv']::uuid[],
                      ARRAY['error'], ARRAY['no'], ARRAY[true]);
SELECT is((SELECT status || content FROM chat.messages WHERE id = :'a_assistant_message_id'), 'completepartial no more', 'what has ended does not end again');
SELECT is(chat_private.exact_cost(9223372036854775807), 9223372.036854775807, 'costs are exact');
SELECT is(chat_private.exact_cost(NULL), NULL, 'an unknown cost stays unknown');

-- llm_cancel
SELECT is(pg_temp.value(:'bob', format('SELECT chat.llm_cancel(%L)', :'last')), 'true', 'a queued request is called off');
SELECT is(pg_temp.value(:'bob', format('SELECT chat.llm_result(%L) ->> $$status$$', :'last')), 'cancelled', 'and says so');
SELECT is(pg_temp.value(:'bob', format('SELECT chat.llm_cancel(%L)', :'last')), 'false', 'once');
SELECT is((SELECT count(*)::int FROM chat_private.claim_requests(10)), 0, 'and is never sent');

-- recover
SELECT chat_private.set_identity(:'bob', 'user', NULL, true);
SELECT * FROM chat.retry_message(:'b_assistant_message_id') \gset c_
SELECT chat.create_conversation() AS third \gset
SELECT * FROM chat.send_message(:'third', 'x') \gset d_
SELECT chat.llm_submit('x') AS lost \gset
SELECT count(*) FROM chat_private.claim_requests(10);
SELECT chat.llm_submit('y') AS waiting \gset
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
SET LOCAL ROLE pgchat_engine;
SELECT chat_private.checkpoint_messages(ARRAY[:'bob']::uuid[], ARRAY[:'d_assistant_message_id']::uuid[], ARRAY['some'], ARRAY[NULL]);
SELECT chat_private.recover_requests() AS recovered \gset
RESET ROLE;
SELECT is(:'recovered'::int, 3, 'what an engine left running is recovered');
SELECT is((SELECT (status, error ->> 'sqlstate')::text FROM chat.messages WHERE id = :'c_assistant_message_id'), '(error,08007)', 'a reply without text');
SELECT is((SELECT (status, content, error ->> 'code')::text FROM chat.messages WHERE id = :'d_assistant_message_id'), '(incomplete,some,outcome_unknown)',
          'a reply with some text keeps it');
SELECT is(pg_temp.value(:'bob', format('SELECT chat.llm_result(%L) #>> $${error,sqlstate}$$', :'lost')), '08007', 'a submitted request');
SELECT is((SELECT array_agg(request_id) FROM chat_private.claim_requests(10)), ARRAY[:'waiting']::uuid[], 'what was only queued is still sent, the rest never');
SELECT is((SELECT count(*)::int FROM chat.usage_events WHERE user_id = :'bob' AND outcome = 'error'), 4, 'and is on the usage record');
SELECT is((SELECT string_agg(concat_ws(',', error_code, is_estimated, input_tokens > 0, output_tokens), ' ' ORDER BY output_tokens, input_tokens) FROM chat.usage_events
           WHERE user_id = :'bob' AND error_code = 'outcome_unknown'), 'outcome_unknown,t,f,0 outcome_unknown,t,t,0 outcome_unknown,t,f,1', 'with an estimate');
SELECT is(pg_temp.outcome(:'bob', format('SELECT chat.retry_message(%L)', :'d_assistant_message_id')), '1 rows', 'people can retry it');

-- A dump that is restored while the engine is there.
SELECT chat_private.set_identity(:'bob', 'user', NULL, true);
SELECT chat.llm_submit('under way') AS under_way \gset
SELECT count(*) FROM chat_private.claim_requests(10);
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
CREATE TEMP TABLE dumped ON COMMIT DROP AS SELECT * FROM chat_private.llm_requests WHERE user_id = :'bob' AND id = :'lost';
UPDATE dumped SET id = chat.uuid_v7(), state = 'running', started_at = now(), finished_at = NULL, error = NULL;
INSERT INTO chat_private.llm_requests SELECT * FROM dumped;
SELECT is((SELECT q.started_at::text FROM chat_private.llm_requests q JOIN dumped d USING (user_id, id)), '-infinity', 'a request that comes as running is marked');
SET LOCAL ROLE pgchat_engine;
SELECT chat_private.tidy(100);
RESET ROLE;
SELECT is((SELECT concat_ws(' ', q.state, q.error ->> 'code', q.started_at) FROM chat_private.llm_requests q JOIN dumped d USING (user_id, id)),
          'error outcome_unknown', 'and ends with the tidying');
SELECT is((SELECT state FROM chat_private.llm_requests WHERE id = :'under_way'), 'running', 'what the engine has under way does not');

-- What is kept of chat.llm_submit.
CREATE FUNCTION pg_temp.prune(most int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  pruned int;
BEGIN
  PERFORM set_config('role', 'pgchat_engine', true);
  pruned := chat_private.prune_requests(most);
  PERFORM set_config('role', 'none', true);
  RETURN pruned;
END $$;
DELETE FROM chat_private.llm_requests WHERE message_id IS NULL;
INSERT INTO chat_private.llm_requests (user_id, id, message_id, purpose, state, queued_at, model, messages, created_at, finished_at)
SELECT :'bob', chat.uuid_v7(), CASE WHEN state = 'reply' THEN :'d_assistant_message_id'::uuid END, CASE WHEN state = 'step' THEN 'deliberation' END,
       CASE WHEN state IN ('reply', 'step') THEN 'complete' ELSE state END, CASE WHEN state = 'queued' THEN now() - age * interval '1 day' END, 'm',
       CASE WHEN state <> 'reply' THEN jsonb '[]' END, now() - age * interval '1 day', now() - ended * interval '1 day'
FROM (VALUES ('complete', 9, 8), ('error', 9, 8), ('cancelled', 9, 7.5), ('complete', 9, 1), ('queued', 9, NULL), ('running', 9, NULL),
             ('reply', 9, 8), ('step', 9, 8)) t (state, age, ended);
SELECT is(pg_temp.prune(100), 0, 'what chat.llm_submit asked is kept for ever');
SELECT chat.admin_set_setting('request_retention', '"7 days"');
SELECT is(pg_temp.prune(2), 2, 'or for a time, of which an end comes in small pieces');
SELECT is(pg_temp.prune(100), 1, 'until all is gone');
SELECT is(pg_temp.prune(100), 0, 'and that once');
SELECT is((SELECT string_agg(q.state, ' ' ORDER BY q.state, q.message_id) FROM chat_private.llm_requests q WHERE q.model = 'm' AND q.user_id = :'bob'),
          'complete complete complete queued running', 'but for what ended lately, has not, is a reply''s, or pgchat''s own');
UPDATE chat_private.llm_requests SET finished_at = now() - interval '8 days' WHERE state = 'complete' AND message_id IS NULL AND purpose IS NULL;
SET LOCAL ROLE pgchat_engine;
SELECT chat_private.tidy(100);
RESET ROLE;
SELECT is((SELECT count(*)::int FROM chat_private.llm_requests q WHERE q.model = 'm' AND q.message_id IS NULL AND q.purpose IS NULL AND q.state = 'complete'), 0,
          'the tidying does it');

-- What the engine may not do.
SELECT is(pg_temp.outcome(NULL, statement, 'pgchat_engine'), '42501', 'refused to the engine: ' || statement)
FROM unnest(ARRAY['SELECT * FROM chat_private.credentials', 'DELETE FROM chat.messages', 'SELECT chat.login($$a$$, $$b$$)']) statement;
SELECT * FROM finish();
ROLLBACK;
