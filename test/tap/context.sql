-- What a model is told: fitted to its context window by each strategy, counted, cut where a user begins to speak.
BEGIN;
\ir setup.psql
SELECT plan(67);
SELECT chat.admin_register_model('test-provider', 'small'), chat.admin_register_model('test-provider', 'open'), chat.admin_register_model('test-provider', 'blind');
UPDATE chat.models SET context_window = 1000 WHERE name = 'small';
UPDATE chat.models SET capabilities = '{tools}' WHERE name = 'blind';
SELECT pg_temp.value(:'alice', 'SELECT chat.create_conversation()') AS conv,
       pg_temp.value(:'alice', 'SELECT chat.create_conversation()') AS other \gset
-- Messages by number: a branch 1..8 of 100 tokens each (276 bytes and 8 for the message), and what a test adds.
CREATE FUNCTION pg_temp.id(n integer) RETURNS uuid LANGUAGE sql AS $$ SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid $$;
CREATE FUNCTION pg_temp.add(n integer, parent integer, role text, content text DEFAULT NULL, conversation uuid DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
  INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, content)
  SELECT c.user_id, pg_temp.id(n), c.id, pg_temp.id(parent), role, coalesce(content, rpad('m' || n, 276, '.'))
  FROM chat.conversations c WHERE c.id = coalesce(conversation, current_setting('test.conv')::uuid) $$;
SELECT set_config('test.conv', :'conv', true), set_config('test.alice', :'alice', true);
SELECT pg_temp.add(n, nullif(n - 1, 0), CASE n % 2 WHEN 1 THEN 'user' ELSE 'assistant' END) FROM generate_series(1, 9) n;
-- What is told below a message, as numbers; anything else by its role.
CREATE FUNCTION pg_temp.told(leaf integer, model text DEFAULT 'small', options jsonb DEFAULT '{"max_tokens": 184}', system_prompt text DEFAULT NULL,
                             conversation uuid DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT string_agg(coalesce(substring(m ->> 'content' FROM '^m(\d+)'), m ->> 'role'), ' ' ORDER BY n)
          FROM jsonb_array_elements(chat_private.context_of(current_setting('test.alice')::uuid, coalesce(conversation, current_setting('test.conv')::uuid),
                                    pg_temp.id(leaf), model, system_prompt, options)) WITH ORDINALITY e (m, n));
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END $$;

-- the window
SELECT is(pg_temp.told(9, 'open'), '1 2 3 4 5 6 7 8 9', 'a window that is not known limits nothing');
SELECT is(pg_temp.told(9), '3 4 5 6 7 8 9', 'what does not fit 1000 tokens without 184 for the answer and 16 for the request: cut at a user''s message');
SELECT is(pg_temp.told(8, options => '{"max_tokens": 283}'), '3 4 5 6 7 8 user', '700 tokens: seven fit, but the first of them is an answer');
SELECT is(pg_temp.told(9, options => '{"max_tokens": 185}'), '3 4 5 6 7 8 9', 'one token less than eight messages need');
SELECT is(pg_temp.told(9, options => '{"max_tokens": 5000}'), '7 8 9', 'no more than half of the window is kept for the answer');
SELECT is(pg_temp.told(9, options => '{}'), '7 8 9', 'the setting''s reserve is more than half, too');
SELECT is(pg_temp.told(7, options => '{"max_tokens": 84}'), '1 2 3 4 5 6 7', 'all of a branch that fits');
SELECT is(pg_temp.told(9, options => '{"max_tokens": 84}', system_prompt => repeat('x', 300)), '3 4 5 6 7 8 9', 'the system prompt is counted');
SELECT is(pg_temp.told(9, options => jsonb_build_object('max_tokens', 84, 'tools', jsonb_build_array(repeat('x', 300)))), '3 4 5 6 7 8 9', 'so are tools');
SELECT is(pg_temp.told(9, options => '{"max_tokens": 84, "images": ["x"]}'), 'PC110', 'and images, a fixed number each');
SELECT is(pg_temp.told(NULL), NULL, 'nothing is told before the first message');
SELECT is(chat_private.context_of(:'alice', :'conv', NULL, 'small', NULL, '{}'), '[]', 'which is an empty array');
SELECT is(chat_private.context_of(:'bob', :'conv', pg_temp.id(9), 'open', NULL, '{}'), '[]', 'and so is another''s conversation');

-- the reserve
UPDATE chat.conversations SET context_reserve = 384 WHERE id = :'conv';
SELECT is(pg_temp.told(9), '5 6 7 8 9', 'the conversation''s reserve comes first');
UPDATE chat.conversations SET context_reserve = NULL WHERE id = :'conv';
UPDATE chat.models SET config = '{"max_output_tokens": 384}' WHERE name = 'small';
SELECT is(pg_temp.told(9, options => '{}'), '5 6 7 8 9', 'then what the model is known to write');
SELECT is(pg_temp.told(9), '3 4 5 6 7 8 9', 'after max_tokens');
UPDATE chat.models SET config = '{}' WHERE name = 'small';
UPDATE chat_private.provider_endpoints SET options = '{"default_max_tokens": 384}';
SELECT is(pg_temp.told(9, options => '{}'), '5 6 7 8 9', 'or its provider');
UPDATE chat_private.provider_endpoints SET options = '{}';
SELECT chat.admin_set_setting('context_reserve', '384');
SELECT is(pg_temp.told(9, options => '{}'), '5 6 7 8 9', 'then the setting');

-- counting
UPDATE chat.messages SET output_tokens = 12 WHERE id IN (pg_temp.id(2), pg_temp.id(4), pg_temp.id(6), pg_temp.id(8));
SELECT is(pg_temp.told(9), '1 2 3 4 5 6 7 8 9', 'a reply has the size that its provider told');
UPDATE chat.messages SET output_tokens = 5000 WHERE id = pg_temp.id(8);
SELECT is(pg_temp.told(9), '3 4 5 6 7 8 9', 'never more than its bytes: the number may hold thinking that was not shown');
UPDATE chat.messages SET thinking = 'hm' WHERE id = pg_temp.id(8);
SELECT is(pg_temp.told(9), '1 2 3 4 5 6 7 8 9', 'nor more than the guess where some was');
UPDATE chat.messages SET output_tokens = NULL, thinking = NULL;
INSERT INTO chat.attachments (user_id, id, sha256, media_type, byte_size)
SELECT :'alice', pg_temp.id(100 + n), sha256(n::text::bytea), t, 300 FROM (VALUES (1, 'image/png'), (2, 'text/plain')) v (n, t);
INSERT INTO chat.message_attachments (user_id, message_id, position, attachment_id) VALUES (:'alice', pg_temp.id(5), 1, pg_temp.id(102));
UPDATE chat.messages SET attachment_count = 1 WHERE id = pg_temp.id(5);
SELECT is(pg_temp.told(9, options => '{"max_tokens": 284}'), '5 6 7 8 9', 'a file counts by its bytes');
UPDATE chat.message_attachments SET attachment_id = pg_temp.id(101);
SELECT is(pg_temp.told(9), '7 8 9', 'an image by a fixed number');
SELECT is(pg_temp.told(5), 'PC110', 'also where it is asked about');
UPDATE chat.messages SET attachment_count = 0;

-- what comes with what
SELECT pg_temp.add(20, 4, 'user'), pg_temp.add(21, 20, 'assistant', 'm21'), pg_temp.add(22, 21, 'tool'), pg_temp.add(23, 22, 'tool'), pg_temp.add(24, 23, 'assistant'),
       pg_temp.add(25, 24, 'user');
UPDATE chat.messages SET tool_calls = '[{"id": "a"}, {"id": "b"}]' WHERE id = pg_temp.id(21);
UPDATE chat.messages SET tool_call_id = 'a' WHERE id = pg_temp.id(22);
SELECT is(pg_temp.told(25, options => '{"max_tokens": 384}'), '20 21 22 23 24 25' , 'calls with their results');
SELECT is(pg_temp.told(25, options => '{"max_tokens": 484}'), '25', 'results are never told without their call');
SELECT is(pg_temp.told(23, options => '{"max_tokens": 484}'), '20 21 22 23', 'a reply that goes on from results is told the question');
SELECT pg_temp.add(26, 25, 'assistant', ''), pg_temp.add(27, 26, 'user');
SELECT is(pg_temp.told(27, options => '{"max_tokens": 284}'), '20 21 22 23 24 25 27', 'a reply that came to nothing counts nothing');
UPDATE chat.messages SET status = 'incomplete', output_tokens = 3 WHERE id = pg_temp.id(24);
SELECT is(pg_temp.told(27, options => '{"max_tokens": 284}'), '20 21 22 23 24 25 27', 'what is known of a reply that was cut off is not its size');
SELECT is(chat_private.context_of(:'alice', :'conv', pg_temp.id(24), 'open', NULL, '{}') -> -1,
          '{"role": "user", "content": "Continue exactly where you stopped. Do not repeat anything."}', 'a reply that is to be continued is followed by the request to');
SELECT chat.admin_set_setting('continue_prompt', '"Go on."');
SELECT is(chat_private.context_of(:'alice', :'conv', pg_temp.id(24), 'open', NULL, '{}') -> -1 ->> 'content', 'Go on.', 'as the setting says');
SELECT pg_temp.add(30, NULL, 'user', rpad('m30', 3000, '.'), :'other'), pg_temp.add(31, 30, 'assistant', 'm31', :'other'), pg_temp.add(32, 31, 'user', 'm32', :'other');
SELECT is(pg_temp.told(30, conversation => :'other'), 'PC110', 'a question that does not fit by itself');
SELECT is(pg_temp.told(31, conversation => :'other'), 'PC110', 'nor with the answer that is to be continued');
SELECT is(pg_temp.told(32, conversation => :'other'), '32', 'is left out later');
SELECT pg_temp.add(40, NULL, 'system', 'm40', :'other'), pg_temp.add(41, 40, 'assistant', 'm41', :'other'), pg_temp.add(42, 41, 'user', 'm42', :'other');
SELECT is(pg_temp.told(42, conversation => :'other'), '40 41 42', 'a branch that fits is told as it is, however it begins');

-- error
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.set_context_strategy(%L, $$error$$)', :'conv')), '1 rows', 'the strategy of a conversation');
SELECT is(pg_temp.told(9), 'PC110', 'error: not all fits');
SELECT is(pg_temp.told(7), '1 2 3 4 5 6 7', 'but all that fits is told');
UPDATE chat.conversations SET active_leaf_id = pg_temp.id(8), model = 'small' WHERE id = :'conv';
SELECT count(*) AS messages_before FROM chat.messages \gset
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.send_message(%L, %L, options => %L)', :'conv', 'x', '{"max_tokens": 184}')), 'PC110', 'sending is refused');
SELECT isnt(pg_temp.hint(:'alice', format('SELECT chat.send_message(%L, %L, options => %L)', :'conv', 'x', '{"max_tokens": 184}')), NULL, 'with a hint');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.ask(%L, %L, options => %L)', :'conv', 'x', '{"max_tokens": 184}')), 'PC110', 'and so is asking');
SELECT is((SELECT count(*) FROM chat.messages), :messages_before::bigint, 'nothing is stored');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.send_message(%L, %L, options => %L, parent_id => %L)', :'conv', 'x', '{"max_tokens": 184}', pg_temp.id(2))), '1 rows',
          'a shorter branch is not refused');
SELECT is((SELECT count(*)::int FROM chat_private.llm_requests WHERE purpose IS NOT NULL), 0, 'no side request is made');
UPDATE chat.conversations SET context_strategy = NULL WHERE id = :'conv';
SELECT chat.admin_set_setting('context_strategy', '"error"');
SELECT is(pg_temp.told(9), 'PC110', 'the setting counts where the conversation says nothing');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.send_message(%L, %L, parent_id => %L)', :'conv', 'x', pg_temp.id(8))), 'PC110', 'also when sending');
-- The window shrinks after the message was sent.
UPDATE chat.models SET context_window = 200 WHERE name = 'small';
SELECT is((SELECT c.is_refused FROM chat_private.claim_requests(10) c), true, 'the engine is told not to send what does not fit any more');
UPDATE chat.models SET context_window = 1000 WHERE name = 'small';
SELECT chat.admin_set_setting('context_strategy', NULL);

-- context_preview
SELECT is(pg_temp.value(:'alice', format('SELECT jsonb_agg(to_jsonb(p) ORDER BY position)::text FROM chat.context_preview(%L, %L, %L) p', :'conv', pg_temp.id(3), 'open')),
          format('[{"role": "user", "source": "message", "tokens": 100, "position": 1, "message_id": "%s", "is_truncated": false}, '
                 '{"role": "assistant", "source": "message", "tokens": 100, "position": 2, "message_id": "%s", "is_truncated": false}, '
                 '{"role": "user", "source": "message", "tokens": 100, "position": 3, "message_id": "%s", "is_truncated": false}]',
                 pg_temp.id(1), pg_temp.id(2), pg_temp.id(3))::jsonb::text, 'what would be told, with its size');
SELECT is(pg_temp.value(:'alice', format('SELECT count(*) || bool_and(is_truncated)::text FROM chat.context_preview(%L, %L)', :'conv', pg_temp.id(9))), '5true', 'and what not, by the conversation''s model');
UPDATE chat.conversations SET context_strategy = 'error', system_prompt = 'Be brief.' WHERE id = :'conv';
SELECT is(pg_temp.outcome(:'alice', format('SELECT * FROM chat.context_preview(%L, %L)', :'conv', pg_temp.id(9))), 'PC110', 'and that it would be refused');
SELECT is(pg_temp.value(:'alice', format('SELECT source || role || tokens FROM chat.context_preview(%L, %L)', :'conv', pg_temp.id(1))), 'system_promptsystem3', 'the system prompt comes first');
SELECT is(pg_temp.outcome(:'alice', format('SELECT * FROM chat.context_preview(%L, %L)', :'conv', pg_temp.id(30))), 'P0002', 'a leaf of another conversation');
SELECT is(pg_temp.outcome(:'alice', 'SELECT * FROM chat.context_preview(NULL)'), '22004', 'none');
SELECT is(pg_temp.outcome(:'alice', format('SELECT * FROM chat.context_preview(%L, model => $$nothing$$)', :'conv')), '42704', 'no such model');

-- set_context_strategy
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.set_context_strategy(%L, %L, %s, %L)', :'conv', strategy, reserve, model)), state, what)
FROM (VALUES ('forget', 'NULL', NULL, '22023', 'no such strategy'), ('error', '0', NULL, '22023', 'a reserve of nothing'), ('summarize', '5', 'nothing', '42704', 'no such model'),
             ('summarize', '5', 'open', '1 rows', 'all three'), (NULL, 'NULL', NULL, '1 rows', 'or none')) t (strategy, reserve, model, state, what);
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.set_context_strategy(NULL, $$error$$)'), '22004', 'no conversation');
SELECT is(pg_temp.outcome(:'bob', format('SELECT chat.set_context_strategy(%L, $$error$$)', :'conv')), 'P0002', 'another''s conversation');

-- What no window limits, and what tells a wrong number of tokens, is cut all the same: one claim must not stop the engine for all.
SELECT pg_temp.add(n, CASE WHEN n > 101 THEN n - 1 END, CASE n % 2 WHEN 1 THEN 'user' ELSE 'assistant' END, rpad('m' || n, 1000000, '.'), :'other') FROM generate_series(101, 141) n;
UPDATE chat.messages SET output_tokens = 1 WHERE conversation_id = :'other';
UPDATE chat.models SET context_window = 1000000000 WHERE name = 'small';
SELECT is(pg_temp.told(141, model, conversation => :'other'), (SELECT string_agg(n::text, ' ' ORDER BY n) FROM generate_series(109, 141) n),
          'a branch of more than 32 MB: ' || model) FROM unnest(ARRAY['open', 'small']) model;
UPDATE chat.messages SET content = substring(content FROM '^m[0-9]+'), tool_calls = jsonb_build_array(jsonb_build_object('id', '1', 'type', 'function', 'function',
  jsonb_build_object('name', 'f', 'arguments', repeat('x', 1900000)))) WHERE conversation_id = :'other' AND role = 'assistant';
SELECT is(pg_temp.told(141, model, conversation => :'other'), (SELECT string_agg(n::text, ' ' ORDER BY n) FROM generate_series(119, 141) n),
          'calls of tools count, however well they are compressed: ' || model) FROM unnest(ARRAY['open', 'small']) model;
INSERT INTO chat.attachments (user_id, id, sha256, media_type, byte_size) VALUES (:'alice', :'alice', sha256('much'), 'text/plain', 90000);
INSERT INTO chat_private.attachment_data (user_id, attachment_id, data) VALUES (:'alice', :'alice', convert_to(repeat('x', 90000), 'UTF8'));
SELECT pg_temp.add(201, NULL, 'user', 'm201', :'other');
INSERT INTO chat.message_attachments (user_id, message_id, position, attachment_id) SELECT :'alice', pg_temp.id(201), n, :'alice' FROM generate_series(1, 400) n;
UPDATE chat.messages SET attachment_count = 400 WHERE id = pg_temp.id(201);
SELECT is(pg_temp.told(201, model, conversation => :'other'), 'PC110', 'a message with so much of files is refused: ' || model) FROM unnest(ARRAY['open', 'small']) model;
SELECT * FROM finish();
ROLLBACK;
