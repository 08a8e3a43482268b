-- One reply in progress on a branch: messages that are refused, or wait for it, and what lets them go.
BEGIN;
\ir setup.psql
SELECT plan(49);
SELECT pg_temp.value(:'alice', 'SELECT chat.create_conversation()') AS conv \gset
CREATE TEMP TABLE sent (name text PRIMARY KEY, question uuid, reply uuid, request uuid) ON COMMIT DROP;
CREATE FUNCTION pg_temp.send(name text, conversation uuid, below uuid DEFAULT NULL, options jsonb DEFAULT '{"when_busy": "queue", "seed": 1}') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM chat_private.set_identity((SELECT user_id FROM chat.conversations WHERE id = conversation), 'user', NULL, true);
  INSERT INTO sent SELECT send.name, s.* FROM chat.send_message(conversation, send.name, below, options => send.options) s;
  PERFORM chat_private.set_identity(NULL, NULL, NULL, true);
END $$;
CREATE FUNCTION pg_temp.reply(of text) RETURNS uuid LANGUAGE sql AS $$ SELECT reply FROM sent WHERE name = of $$;
-- What the engine does with a call.
CREATE FUNCTION pg_temp.claim() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(s.name, ' ' ORDER BY s.name) FROM chat_private.claim_requests(100) c JOIN sent s ON s.request = c.request_id $$;
CREATE FUNCTION pg_temp.finish(of text, status text DEFAULT 'complete') RETURNS void LANGUAGE sql AS $$
  SELECT chat_private.finish_requests(ARRAY[m.user_id], ARRAY[s.request], ARRAY[s.reply], ARRAY[m.conversation_id], ARRAY['test-model'], ARRAY[finish.status],
    ARRAY['done'], ARRAY[NULL::text], ARRAY[NULL::text], ARRAY['stop'], ARRAY[NULL::text], ARRAY[1::bigint], ARRAY[1::bigint], ARRAY[0::bigint], ARRAY[0::bigint],
    ARRAY[1], ARRAY[1], ARRAY[1], ARRAY[false], ARRAY[true])
  FROM sent s JOIN chat.messages m ON m.id = s.reply WHERE s.name = of $$;
CREATE FUNCTION pg_temp.states() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(s.name || ':' || q.state || coalesce('<' || w.name, ''), ' ' ORDER BY s.name)
  FROM sent s JOIN chat_private.llm_requests q ON q.id = s.request LEFT JOIN sent w ON w.reply = q.waits_for $$;
CREATE FUNCTION pg_temp.cancel(person uuid, of text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.value(person, format('SELECT chat.cancel_message(%L)', pg_temp.reply(of))) $$;

-- a chain
SELECT pg_temp.send('a', :'conv');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.send_message(%L, $$x$$%s)', :'conv', more)), state, 'below a reply in progress: ' || what)
FROM (VALUES ('', '55006', 'by default'), (', options => ''{"when_busy": "refuse"}''', '55006', 'refused as told'),
             (', options => ''{"when_busy": "wait"}''', 'PC002', 'no such choice'), (', options => ''{"when_busy": null}''', 'PC002', 'null'),
             (', options => ''{"when_busy": 1}''', 'PC002', 'a number'), (', options => ''["when_busy"]''', 'PC002', 'no object')) t (more, state, what);
SELECT isnt(pg_temp.hint(:'alice', format('SELECT chat.send_message(%L, $$x$$, options => ''{"when_busy": "wait"}'')', :'conv')), NULL, 'with a hint');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.ask(%L, $$x$$%s)', :'conv', more)), state, 'ask: ' || what)
FROM (VALUES ('', '55006', 'by default'), (', options => ''{"when_busy": "refuse"}''', '55006', 'refused as told'),
             (', options => ''{"when_busy": "queue"}''', '22023', 'it cannot wait')) t (more, state, what);
SELECT pg_temp.send('b', :'conv');
SELECT pg_temp.send('c', :'conv');
SELECT is(pg_temp.states(), 'a:queued b:waiting<a c:waiting<b', 'each waits for the one before');
SELECT is((SELECT (q.options, q.queued_at)::text FROM chat_private.llm_requests q JOIN sent s ON s.request = q.id WHERE s.name = 'b'),
          '("{""seed"": 1}",)', 'without the option, and not in the queue');
SELECT is((SELECT m.parent_id FROM chat.messages m JOIN sent s ON s.question = m.id WHERE s.name = 'b'), pg_temp.reply('a'), 'below the reply in progress');
SELECT is((SELECT active_leaf_id FROM chat.conversations WHERE id = :'conv'), pg_temp.reply('c'), 'and the last is the end of the branch');
SELECT is(pg_temp.value(:'alice', format('SELECT string_agg(content || $s$:$s$ || status, $s$ $s$) FROM chat.list_messages(%L)', :'conv')),
          'a:complete :pending b:complete :pending c:complete :pending', 'all are listed');
SELECT is(pg_temp.value(:'alice', format('SELECT chat.llm_result(%L)', (SELECT request FROM sent WHERE name = 'b'))), NULL, 'a waiting one has no result yet');
SELECT is(pg_temp.claim(), 'a', 'the engine takes the first alone');
SELECT is(pg_temp.claim(), NULL, 'and no other');
SELECT pg_temp.finish('a');
SELECT is(pg_temp.states(), 'a:complete b:queued c:waiting<b', 'its end lets the next one go');
SELECT is((SELECT q.queued_at IS NOT NULL AND q.waits_for IS NULL FROM chat_private.llm_requests q JOIN sent s ON s.request = q.id WHERE s.name = 'b'), true, 'into the queue');
SELECT is(pg_temp.claim(), 'b', 'which the engine takes');
SELECT pg_temp.finish('b', 'error');
SELECT is(pg_temp.states(), 'a:complete b:error c:queued', 'so does a failure');
SELECT is(pg_temp.cancel(:'alice', 'c'), 'true', 'the last is called off');

-- cancelling
SELECT pg_temp.send('d', :'conv');
SELECT pg_temp.send('e', :'conv');
SELECT pg_temp.send('f', :'conv');
SELECT pg_temp.send('g', :'conv');
SELECT is(pg_temp.outcome(:'bob', format('SELECT chat.cancel_message(%L)', pg_temp.reply('e'))), 'P0002', 'another cancels nothing');
SELECT is(pg_temp.cancel(:'alice', 'e'), 'true', 'a waiting one is cancelled');
SELECT is((SELECT (m.status, m.error ->> 'code')::text FROM chat.messages m WHERE m.id = pg_temp.reply('e')), '(cancelled,cancelled)', 'and says so');
SELECT is(pg_temp.cancel(:'alice', 'e'), 'false', 'once');
DELETE FROM sent WHERE name IN ('a', 'b', 'c');
SELECT is(pg_temp.states(), 'd:queued e:cancelled f:waiting<d g:waiting<f', 'what waited for it waits for what it waited for');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.%s', call)), '55006', 'while one above is in progress, not: ' || call)
FROM (SELECT format(c, pg_temp.reply('e')) FROM unnest(ARRAY['retry_message(%L)', 'regenerate_message(%L)']) c
      UNION ALL SELECT format('send_message(%L, $$x$$, %L)', :'conv', pg_temp.reply('e'))
      UNION ALL SELECT format('send_message(%L, $$x$$, %L)', :'conv', (SELECT question FROM sent WHERE name = 'f'))
      UNION ALL SELECT format('edit_message(%L, $$x$$)', pg_temp.reply('e'))) t (call);
SELECT pg_temp.send('h', :'conv', pg_temp.reply('e'));
SELECT is(pg_temp.states(), 'd:queued e:cancelled f:waiting<d g:waiting<f h:waiting<d', 'below a cancelled one, one waits for that above it');
SELECT pg_temp.value(:'alice', format('SELECT request_id FROM chat.edit_message(%L, $$F$$)', (SELECT question FROM sent WHERE name = 'f'))) AS edited \gset
SELECT is((SELECT (state, waits_for)::text FROM chat_private.llm_requests WHERE id = :'edited'), format('(waiting,%s)', pg_temp.reply('d')),
          'a waiting message is edited to one that waits');
SELECT is(pg_temp.value(:'alice', format('SELECT chat.llm_cancel(%L)', :'edited')), 'true', 'which is cancelled by its request, too');
SELECT is(pg_temp.cancel(:'alice', 'd'), 'true', 'the first, which is queued, is cancelled');
SELECT is(pg_temp.states(), 'd:cancelled e:cancelled f:queued g:waiting<f h:queued', 'and those that wait for it go');
SELECT chat_private.set_identity(:'alice', 'user', NULL, true);
SELECT chat_private.cancel_requests(:'alice');
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
SELECT is((SELECT count(*)::int FROM chat_private.llm_requests WHERE user_id = :'alice' AND state IN ('waiting', 'queued', 'running')), 0, 'all are called off together');
SELECT is((SELECT count(*)::int FROM chat.messages WHERE user_id = :'alice' AND status IN ('pending', 'streaming')), 0, 'with their replies');

-- an engine that died, and what is waited for being gone
DELETE FROM sent;
SELECT pg_temp.send('i', :'conv', options => '{}');
SELECT pg_temp.send('j', :'conv');
SELECT pg_temp.claim();
SELECT is(chat_private.release_stranded(), 0, 'nothing is let go while it is waited for');
SELECT chat_private.recover_requests();
SELECT is(pg_temp.states(), 'i:error j:queued', 'after a crash the waiting go on');
SELECT pg_temp.send('k', :'conv');
UPDATE chat_private.llm_requests SET waits_for = chat.uuid_v7(), state = 'waiting' WHERE id = (SELECT request FROM sent WHERE name = 'k');
SELECT is(chat_private.release_stranded(), 1, 'what waits for nothing');
SELECT is(pg_temp.states(), 'i:error j:queued k:queued', 'is let go');
UPDATE chat_private.llm_requests SET waits_for = (SELECT request FROM sent WHERE name = 'j'), state = 'waiting', queued_at = NULL
WHERE id = (SELECT request FROM sent WHERE name = 'k');
SELECT is(chat_private.release_stranded(), 0, 'a request may be waited for, too');
SELECT pg_temp.claim();
SELECT pg_temp.finish('j', 'cancelled');
SELECT is(pg_temp.states(), 'i:error j:cancelled k:queued', 'and lets go');

-- chat.send_tool_results and who may not
UPDATE chat.messages SET tool_calls = '[{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]' WHERE id = pg_temp.reply('k');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.send_tool_results(%L, $$[{"tool_call_id": "c1", "content": "x"}]$$)', pg_temp.reply('k'))), '55006',
          'tools are not answered below a reply in progress');
SELECT is(has_function_privilege('pgchat_client', 'chat_private.release_stranded()', 'EXECUTE'), false, 'clients let nothing go');
SELECT is(has_function_privilege('pgchat_engine', 'chat_private.release_ended(bigint[], uuid[], uuid[], uuid[], boolean[])', 'EXECUTE'), true, 'the engine does');
SELECT * FROM finish();
ROLLBACK;
