-- Bad input: each with its SQLSTATE and, where the user can act, a hint; nothing is stored half done.
BEGIN;
\ir setup.psql
SELECT plan(5);
SELECT pg_temp.value(:'alice', 'SELECT chat.create_conversation()') AS conv \gset
CREATE TEMP TABLE bad (statement text, sqlstate text, has_hint boolean) ON COMMIT DROP;
INSERT INTO bad
  SELECT replace(replace(call, 'CALL', f), 'CONV', quote_literal(:'conv')), sqlstate, has_hint
  FROM unnest(ARRAY['chat.send_message', 'chat.ask']) f, (VALUES
    ('CALL(NULL, $$x$$)', '22004', false),
    ('CALL(CONV, NULL)', '22004', false),
    ('CALL(CONV, $$$$)', '2200F', true),
    ('CALL(CONV, E'' \t\r\n'')', '2200F', true),
    ('CALL(CONV, repeat($$ $$, 500))', '2200F', true),
    ('CALL(CONV, repeat($$x$$, 1048577))', '54000', true),
    ('CALL(CONV, repeat($$é$$, 524289))', '54000', true),
    ('CALL(CONV, $$x$$, model => $$nothing$$)', '42704', true),
    ('CALL(CONV, $$x$$, model => $$$$)', '42704', true),
    ('CALL(CONV, $$x$$, options => $$[]$$)', 'PC002', true),
    ('CALL(CONV, $$x$$, options => $$"x"$$)', 'PC002', true),
    ('CALL(CONV, $$x$$, attachments => $${}$$)', '22023', true),
    ('CALL(CONV, $$x$$, attachments => $$[{"data": "!"}]$$)', '22023', true),
    ('CALL(CONV, $$x$$, idempotency_key => $$$$)', '22023', false),
    ('CALL(CONV, $$x$$, idempotency_key => repeat($$x$$, 256))', '22023', false),
    ('CALL(CONV, $$x$$, parent_id => chat.uuid_v7())', 'P0002', true),
    ('CALL(chat.uuid_v7(), $$x$$)', 'P0002', true)) v (call, sqlstate, has_hint);
INSERT INTO bad VALUES
  ('chat.ask(' || quote_literal(:'conv') || ', $$x$$, timeout_ms => 0)', '22023', true),
  ('chat.llm_submit(NULL::text)', '22004', false),
  ('chat.llm_submit(NULL::jsonb)', '22004', false),
  ('chat.llm_submit($$$$)', '2200F', true),
  ('chat.llm_submit(repeat($$x$$, 1048577))', '54000', true),
  ('chat.llm_submit($$x$$, system_prompt => repeat($$x$$, 1048577))', '54000', true),
  ('chat.llm_submit($$x$$, model => $$nothing$$)', '42704', true),
  ('chat.llm_submit($$x$$, timeout_ms => -1)', '22023', true),
  ('chat.llm_submit($$x$$, timeout_ms => 0)', '22023', true),
  ('chat.llm_submit($$x$$, options => $$1$$)', 'PC002', true),
  ('chat.llm_submit($$[]$$::jsonb)', 'PC001', true),
  ('chat.llm_submit($${}$$::jsonb)', 'PC001', true),
  ('chat.llm_submit($$"x"$$::jsonb)', 'PC001', true),
  ('chat.llm_submit($$[1]$$::jsonb)', 'PC001', true),
  ('chat.llm_submit($$[{"role": "user"}]$$::jsonb)', 'PC001', true),
  ('chat.llm_submit($$[{"content": "x"}]$$::jsonb)', 'PC001', true),
  ('chat.llm_submit($$[{"role": "king", "content": "x"}]$$::jsonb)', 'PC001', true),
  ('chat.llm_submit($$[{"role": "user", "content": "x"}, {"role": "assistant"}]$$::jsonb)', 'PC001', true),
  ('chat.llm_submit($$[{"role": "user", "content": ""}]$$::jsonb)', '2200F', true),
  ('chat.llm_submit(jsonb_build_array(jsonb_build_object($$role$$, $$user$$, $$content$$, repeat($$x$$, 1048577))))', '54000', true),
  ('chat.llm_result(NULL)', '22004', false),
  ('chat.llm_result(chat.uuid_v7(), NULL)', '22004', false),
  ('chat.llm_result(chat.uuid_v7(), -1)', '22023', true),
  ('chat.list_messages(chat.uuid_v7())', 'P0002', true),
  ('chat.conversation_cost(chat.uuid_v7())', 'P0002', true),
  ('chat.llm_result(chat.uuid_v7())', 'P0002', true),
  ('chat.llm_cancel(NULL)', '22004', false),
  ('chat.llm_cancel(chat.uuid_v7())', 'P0002', true);
SELECT is_empty(format($$SELECT statement, o, sqlstate FROM bad, LATERAL pg_temp.outcome(%L, 'SELECT ' || statement) o WHERE o <> sqlstate$$, :'alice'),
                'each bad input gets its SQLSTATE');
SELECT is_empty(format($$SELECT statement FROM bad WHERE has_hint AND coalesce(pg_temp.hint(%L, 'SELECT ' || statement), '') = ''$$, :'alice'),
                'with a hint where the user can act');
SELECT is((SELECT count(*)::int FROM chat.messages WHERE conversation_id = :'conv'), 0, 'no message was stored');
SELECT is((SELECT count(*)::int FROM chat_private.llm_requests), 0, 'no request was queued');
SELECT is((SELECT (active_leaf_id, last_message_at = created_at)::text FROM chat.conversations WHERE id = :'conv'), '(,t)', 'the conversation is as it was');
SELECT * FROM finish();
ROLLBACK;
