-- Turns: sending, the once-only key, asking, retrying, stopping.
BEGIN;
\ir setup.psql
SELECT plan(45);
SELECT pg_temp.value(:'alice', 'SELECT chat.create_conversation(system_prompt => $$Be brief.$$)') AS conv,
       pg_temp.value(:'alice', 'SELECT chat.create_conversation()') AS other \gset

-- send_message
SELECT chat_private.set_identity(:'alice', 'user', NULL, true);
SELECT * FROM chat.send_message(:'conv', 'Hello', idempotency_key => 'k1', options => '{"temperature": 0}') \gset s_
SELECT is((SELECT (role, status, content, parent_id, content_hash)::text FROM chat.messages WHERE id = :'s_user_message_id'),
          ('user', 'complete', 'Hello', NULL::uuid, sha256('Hello'))::text, 'the message is stored');
SELECT is((SELECT (role, status, content, parent_id, model)::text FROM chat.messages WHERE id = :'s_assistant_message_id'),
          format('(assistant,pending,"",%s,test-model)', :'s_user_message_id'), 'and a pending reply under it');
SELECT is((SELECT (state, message_id, model, options, messages)::text FROM chat_private.llm_requests WHERE id = :'s_request_id'),
          ('queued', :'s_assistant_message_id', 'test-model', '{"temperature": 0}'::jsonb, NULL::jsonb)::text, 'and a queued request');
SELECT ok((SELECT active_leaf_id = :'s_assistant_message_id' AND last_message_at IS NOT NULL
           FROM chat.conversations WHERE id = :'conv'), 'and the conversation ends with the reply');
SELECT is((SELECT string_agg(role, ' ' ORDER BY created_at) FROM chat.messages WHERE conversation_id = :'conv'), 'user assistant',
          'the reply is later than the message');
SELECT is((SELECT s::text FROM chat.send_message(:'conv', 'Again', idempotency_key => 'k1') s),
          format('(%s,%s,%s)', :'s_user_message_id', :'s_assistant_message_id', :'s_request_id'), 'the same key gives the first ids');
SELECT is((SELECT count(*)::int FROM chat.messages WHERE conversation_id = :'conv'), 2, 'and stores nothing');
SELECT isnt((SELECT user_message_id FROM chat.send_message(:'other', 'Hello', idempotency_key => 'k1')), :'s_user_message_id',
            'a key counts within its conversation');
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.send_message(%L, $$x$$)', :'conv')), '55006', 'not below a reply in progress');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.send_message(%L, $$x$$, parent_id => %L)', :'conv', :'s_user_message_id')),
          '1 rows', 'but beside it');

-- cancel_message
SELECT is(pg_temp.value(:'alice', format('SELECT chat.cancel_message(%L)', :'s_assistant_message_id')), 'true', 'a queued reply is stopped');
SELECT is((SELECT (m.status, q.state, q.queued_at, m.error ->> 'sqlstate')::text FROM chat.messages m
           JOIN chat_private.llm_requests q ON q.message_id = m.id WHERE m.id = :'s_assistant_message_id'),
          '(cancelled,cancelled,,57014)', 'and says so');
SELECT is(pg_temp.value(:'alice', format('SELECT chat.cancel_message(%L)', :'s_assistant_message_id')), 'false', 'once');
SELECT is(pg_temp.value(:'alice', format('SELECT chat.cancel_message(%L)', :'s_user_message_id')), 'false', 'a message is no reply');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.cancel_message(chat.uuid_v7())'), 'P0002', 'no such message');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.cancel_message(NULL)'), '22004', 'message NULL');

-- retry_message
SELECT count(*) AS messages_before FROM chat.messages WHERE user_id = :'alice' \gset
SELECT chat.admin_save_plan('free', limits => '{"messages_per_day": 1}');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.retry_message(%L)', :'s_assistant_message_id')), 'PC303', 'a retry counts as a message does');
SELECT is((SELECT count(*) FROM chat.messages WHERE user_id = :'alice'), :messages_before::bigint, 'and one too many leaves nothing');
SELECT chat.admin_save_plan('free', limits => '{}');
SELECT pg_temp.value(:'alice', format('SELECT assistant_message_id FROM chat.retry_message(%L)', :'s_assistant_message_id')) AS again \gset
SELECT is((SELECT (m.parent_id, m.status, q.state, q.options, q.model)::text FROM chat.messages m
           JOIN chat_private.llm_requests q ON q.message_id = m.id WHERE m.id = :'again'),
          (:'s_user_message_id', 'pending', 'queued', '{"temperature": 0}'::jsonb, 'test-model')::text,
          'a retry is a new reply beside the old one, with its options');
SELECT is((SELECT active_leaf_id::text FROM chat.conversations WHERE id = :'conv'), :'again', 'and the end of the active branch');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.retry_message(%L)', :'again')), '55006', 'not while it is in progress');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.retry_message(%L)', :'s_assistant_message_id')), '55006', 'nor beside it');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.retry_message(%L)', :'s_user_message_id')), '22023', 'not for a message');
UPDATE chat.messages SET status = 'complete', content = 'Hi' WHERE id = :'again';
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.retry_message(%L)', :'again')), '55000', 'not for a complete reply');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.retry_message(chat.uuid_v7())'), 'P0002', 'not for one that is not there');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.retry_message(NULL)'), '22004', 'not for NULL');

-- ask, with the model's part played by a function that shows what it was given
CREATE OR REPLACE FUNCTION chat_private.complete_reply(conversation_id uuid, message_id uuid, messages json, content text,
  model text, system_prompt text, options jsonb, timeout_ms int) RETURNS chat_private.completion LANGUAGE plpgsql AS $$
BEGIN
  IF content = 'fail' THEN
    RAISE EXCEPTION 'the provider cannot be reached' USING ERRCODE = '08001';
  END IF;
  RETURN ROW(concat_ws('|', messages::jsonb, content, model, system_prompt, options, timeout_ms), 'hm', NULL, 'stop', model || '-1', 10, 2, 1,
             0.25, 12, 5, NULL, false)::chat_private.completion;
END $$;
SELECT pg_temp.value(:'alice', format('SELECT chat.ask(%L, %L, options => %L, timeout_ms => 99)', :'conv', 'Why?', '{"seed": 1}')) AS answer \gset
SELECT is(:'answer', '[{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]'
          || '|Why?|test-model|Be brief.|{"seed": 1}|99', 'the model is told the branch, the system prompt and the options');
SELECT is((SELECT string_agg(m.role || ':' || m.status, ' ') FROM chat_private.set_identity(:'alice', 'user', NULL, true),
             chat.list_messages(:'conv') m), 'user:complete assistant:complete user:complete assistant:complete', 'the turn is stored');
SELECT is((SELECT (content = :'answer', thinking, finish_reason, m.model, input_tokens, output_tokens, cached_tokens, cost, latency_ms,
                   first_token_ms, content_hash = sha256(convert_to(:'answer', 'UTF8')))::text
           FROM chat.messages m JOIN chat.conversations c ON c.active_leaf_id = m.id WHERE c.id = :'conv'),
          '(t,hm,stop,test-model-1,10,2,1,0.25,12,5,t)', 'with all that is known of the reply');
SELECT chat.admin_save_plan('free', limits => '{"messages_per_day": 1000}');
SET LOCAL track_functions = 'all';
SELECT ok(pg_temp.value(:'alice', format('SELECT chat.ask(%L, $$Well?$$)', :'conv'))
            LIKE '[{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}, {"role": "user", "content": "Why?"}, {"role"%}]|Well?|test-model|Be brief.|{}',
          'one whose plan limits messages is told the same');
SELECT ok(pg_stat_get_xact_function_calls('chat_private.open_turn'::regproc) = 1 AND pg_stat_get_xact_function_calls('chat_private.tell_turn'::regproc) IS NULL,
          'by the short way');
SELECT ok(num_nulls(pg_stat_get_xact_function_calls('chat_private.plain_branch'::regproc), pg_stat_get_xact_function_calls('chat_private.find_model'::regproc),
                    pg_stat_get_xact_function_calls('chat_private.message_limits'::regproc)) = 3, 'and what it looks up is a part of its query');
SET LOCAL track_functions = 'none';
SELECT chat.admin_save_plan('free', limits => '{}');
SELECT count(*) AS before FROM chat.messages \gset
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.ask(%L, $$fail$$)', :'conv')), '08001', 'a failure is raised');
SELECT is((SELECT count(*)::text FROM chat.messages), :'before', 'and nothing is stored');
SELECT is(pg_temp.value(:'alice', format('SELECT chat.ask(%L, $$Once$$, idempotency_key => $$k2$$)', :'conv')),
          pg_temp.value(:'alice', format('SELECT chat.ask(%L, $$Once$$, idempotency_key => $$k2$$)', :'conv')), 'the same key gives the first answer');
SELECT is((SELECT count(*)::int FROM chat.messages WHERE content = 'Once'), 1, 'and stores the message once');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.ask(%L, $$x$$, idempotency_key => $$k1$$)', :'other')), '55006',
          'a key whose reply is in progress');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.ask(%L, $$x$$, timeout_ms => -1)', :'conv')), '22023', 'a negative timeout');

-- which model
SELECT chat.admin_register_model('test-provider', m) FROM unnest(ARRAY['m-call', 'm-conversation', 'm-user']) m;
UPDATE chat.user_settings SET default_model = 'm-user' WHERE user_id = :'bob';
SELECT pg_temp.value(:'bob', 'SELECT chat.create_conversation(model => $$m-conversation$$)') AS with_model,
       pg_temp.value(:'bob', 'SELECT chat.create_conversation()') AS without \gset
SELECT pg_temp.value(:'bob', format('SELECT assistant_message_id FROM chat.send_message(%L, $$x$$, model => $$m-call$$)',
                                    :'with_model')) AS by_call,
       pg_temp.value(:'bob', format('SELECT assistant_message_id FROM chat.send_message(%L, $$x$$)', :'without')) AS by_user \gset
SELECT is((SELECT model FROM chat.messages WHERE id = :'by_call'), 'm-call', 'the call''s model');
SELECT is((SELECT model FROM chat.messages WHERE id = :'by_user'), 'm-user', 'the user''s default');
SELECT pg_temp.value(:'bob', format('SELECT assistant_message_id FROM chat.send_message(%L, $$x$$)',
                                    pg_temp.value(:'bob', 'SELECT chat.create_conversation(model => $$m-conversation$$)'))) AS by_conversation \gset
SELECT is((SELECT model FROM chat.messages WHERE id = :'by_conversation'), 'm-conversation', 'the conversation''s model');
SELECT is(chat_private.resolve_model(:'alice', NULL), 'test-model', 'the installation''s default');
UPDATE chat.models SET is_active = false WHERE name = 'm-user';
SELECT is(pg_temp.outcome(:'bob', 'SELECT chat.llm_submit($$x$$)'), '42704', 'a default that is no longer active');
DELETE FROM chat.settings WHERE key = 'default_model';
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.llm_submit($$x$$)'), 'PC003', 'no default at all');
SELECT ok(pg_temp.hint(:'alice', 'SELECT chat.llm_submit($$x$$)') IS NOT NULL, 'which says what to do');
SELECT * FROM finish();
ROLLBACK;
