-- Summaries and titles: which summary stands for what, what is asked for, and what becomes of the answers.
BEGIN;
\ir setup.psql
SELECT plan(48);
SELECT chat.admin_register_model('test-provider', 'small'), chat.admin_register_model('test-provider', 'large');
UPDATE chat.models SET context_window = 1000 WHERE name = 'small';
SELECT pg_temp.value(:'alice', 'SELECT chat.create_conversation(model => $$small$$)') AS conv \gset
SELECT set_config('test.conv', :'conv', true), set_config('test.alice', :'alice', true);
CREATE FUNCTION pg_temp.id(n integer) RETURNS uuid LANGUAGE sql AS $$ SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid $$;
CREATE FUNCTION pg_temp.add(n integer, parent integer, role text, content text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
  INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, content)
  SELECT c.user_id, pg_temp.id(n), c.id, pg_temp.id(parent), role, coalesce(content, rpad('m' || n, 276, '.'))
  FROM chat.conversations c WHERE c.id = current_setting('test.conv')::uuid $$;
CREATE FUNCTION pg_temp.summary(last integer, content text) RETURNS void LANGUAGE sql AS $$
  INSERT INTO chat.conversation_summaries (user_id, id, conversation_id, last_message_id, content)
  VALUES (current_setting('test.alice')::uuid, chat.uuid_v7(), current_setting('test.conv')::uuid, pg_temp.id(last), content) $$;
CREATE FUNCTION pg_temp.told(leaf integer, model text DEFAULT 'small') RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(coalesce(substring(m ->> 'content' FROM '^m(\d+)'), substring(m ->> 'content' FROM '\n(\w+)'), m ->> 'role'), ' ' ORDER BY n)
  FROM jsonb_array_elements(chat_private.context_of(current_setting('test.alice')::uuid, current_setting('test.conv')::uuid, pg_temp.id(leaf), model, NULL,
                            '{"max_tokens": 284}')) WITH ORDINALITY e (m, n) $$;
CREATE FUNCTION pg_temp.plan(leaf integer, is_asked boolean DEFAULT false, piece bigint DEFAULT 100000) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(ltrim(right(p::text, 12), '0'), ' ' ORDER BY n) FROM unnest(chat_private.summary_plan(current_setting('test.alice')::uuid,
    current_setting('test.conv')::uuid, pg_temp.id(leaf), 700, plan.piece, plan.is_asked)) WITH ORDINALITY u (p, n) $$;
-- 1 ─ … ─ 20, of 100 tokens each, and 31 ─ 32 ─ 33 below 4
SELECT pg_temp.add(n, nullif(n - 1, 0), CASE n % 2 WHEN 1 THEN 'user' ELSE 'assistant' END) FROM generate_series(1, 21) n;
SELECT pg_temp.add(31, 4, 'user'), pg_temp.add(32, 31, 'assistant'), pg_temp.add(33, 32, 'user');
UPDATE chat.conversations SET context_strategy = 'summarize', active_leaf_id = pg_temp.id(20) WHERE id = :'conv';

-- what stands for what
SELECT is(pg_temp.told(21), '15 16 17 18 19 20 21', 'without a summary the oldest are left out');
SELECT pg_temp.summary(4, 'first');
SELECT is(pg_temp.told(21), 'first 17 18 19 20 21', 'a summary is told, also where there is a gap after it');
SELECT pg_temp.summary(16, 'second'), pg_temp.summary(16, 'third');
SELECT is(pg_temp.told(21), 'third 17 18 19 20 21', 'the nearest one, and the newest of these');
SELECT is(pg_temp.told(21, 'large'), '1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21', 'none where all fits');
SELECT is(pg_temp.told(33), '1 2 3 4 31 32 33', 'nor on a branch that fits');
SELECT pg_temp.add(34, 33, 'assistant'), pg_temp.add(35, 34, 'user');
SELECT is(pg_temp.told(35), 'first 31 32 33 34 35', 'on another branch only that of the part which both have');
SELECT is(pg_temp.told(17), 'third 17', 'right below its end');
SELECT pg_temp.summary(18, repeat('long ', 600));
SELECT is(pg_temp.told(21), '15 16 17 18 19 20 21', 'one beside which nothing fits is not told');
DELETE FROM chat.conversation_summaries WHERE last_message_id = pg_temp.id(18);
UPDATE chat.conversations SET context_strategy = NULL WHERE id = :'conv';
SELECT is(pg_temp.told(21), '15 16 17 18 19 20 21', 'nor where the strategy is another one');
UPDATE chat.conversations SET context_strategy = 'summarize' WHERE id = :'conv';
SELECT is(pg_temp.value(:'alice', format('SELECT jsonb_agg(source || coalesce(right(message_id::text, 2), $$$$) ORDER BY position)::text FROM chat.context_preview(%L, %L)', :'conv', pg_temp.id(21))),
          '["summary16", "message19", "message20", "message21"]', 'a preview shows it, and the usual reserve');
SELECT is(pg_temp.value(:'alice', format('SELECT string_agg(content, $$ $$) FROM chat.list_summaries(%L)', :'conv')), 'first second third', 'they are listed');
SELECT is(pg_temp.outcome(:'alice', 'SELECT * FROM chat.list_summaries(NULL)'), '22004', 'of no conversation');
SELECT is(pg_temp.value(:'bob', 'SELECT count(*) FROM chat.conversation_summaries'), '0', 'nobody else sees them');

-- which are needed
SELECT is(pg_temp.plan(21), NULL, 'none where that at hand is enough');
DELETE FROM chat.conversation_summaries;
SELECT is(pg_temp.plan(21), '18', 'half of the room stays as it is');
SELECT is(pg_temp.plan(21, piece => 700), '7 14 18', 'in pieces that a model can be given');
SELECT is(pg_temp.plan(21, piece => 50), '3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18', 'at most 16 of them');
SELECT pg_temp.summary(10, 'half');
SELECT is(pg_temp.plan(21), '18', 'on the one before');
SELECT is(pg_temp.plan(15), NULL, 'none yet');
SELECT pg_temp.add(40, 16, 'user', rpad('m40', 1176, '.'));
SELECT is(pg_temp.plan(40), '16', 'a long question leaves room for nothing else');
SELECT pg_temp.add(41, 40, 'assistant', 'm41');
SELECT is(pg_temp.plan(41, true), '41', 'of a branch to which a message is added all may be summarised');

-- what sending asks for
UPDATE chat.models SET context_window = 984 WHERE name = 'small';
SELECT chat_private.set_identity(:'alice', 'user', NULL, true);
SELECT * FROM chat.send_message(:'conv', 'm50', pg_temp.id(20), options => '{"max_tokens": 284}') \gset s_
SELECT is((SELECT count(*)::int FROM chat_private.llm_requests q JOIN chat_private.llm_requests s ON s.id = q.waits_for AND s.purpose = 'summary' AND s.state IN ('queued', 'waiting')
           WHERE q.id = :'s_request_id' AND q.state = 'waiting'), 1, 'the reply waits for a summary');
SELECT is((SELECT (array_agg(q.state ORDER BY q.id))[:2]::text FROM chat_private.llm_requests q WHERE q.purpose = 'summary'), '{queued,waiting}', 'which waits for the one that it is built on');
SELECT is((SELECT count(*)::int FROM chat_private.llm_requests q WHERE q.purpose = 'summary' AND q.message_id IS NULL AND q.conversation_id = :'conv' AND q.user_id = :'alice'),
          (SELECT count(*)::int FROM chat_private.llm_requests q WHERE q.purpose = 'summary'), 'in the name of the user, of the conversation');
SELECT count(*) AS sides FROM chat_private.llm_requests WHERE purpose = 'summary' \gset
SELECT * FROM chat.send_message(:'conv', 'm50', pg_temp.id(20), options => '{"max_tokens": 284}') \gset t_
SELECT is((SELECT count(*) FROM chat_private.llm_requests WHERE purpose = 'summary'), :sides::bigint, 'a second branch waits for the same one');
SELECT is((SELECT count(DISTINCT waits_for)::int FROM chat_private.llm_requests WHERE id IN (:'s_request_id', :'t_request_id')), 1, 'indeed');
SELECT * FROM chat.send_message(:'conv', 'm51', :'t_assistant_message_id', options => '{"max_tokens": 284, "when_busy": "queue"}') \gset u_
SELECT is((SELECT state FROM chat_private.llm_requests WHERE id = :'u_request_id'), 'waiting', 'a message behind a reply waits');
SELECT is(chat.cancel_message(:'s_assistant_message_id'), true, 'a reply that waits for a summary can be called off');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.llm_result(%L)', (SELECT id FROM chat_private.llm_requests WHERE purpose IS NOT NULL LIMIT 1))), 'P0002', 'a side request has no result');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.send_message(%L, %L)', :'conv', repeat('x', 3000))), '55006', 'behind a reply');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.send_message(%L, %L, %L)', :'conv', repeat('x', 3000), pg_temp.id(20))), 'PC110', 'a message that cannot fit is refused');
SELECT chat_private.set_identity(NULL, NULL, NULL, true);

-- what a model is asked
DELETE FROM chat_private.llm_requests;
DELETE FROM chat.conversation_summaries;
SELECT pg_temp.add(60, NULL, 'user', 'Hi'), pg_temp.add(61, 60, 'assistant', ''), pg_temp.add(62, 61, 'user', 'Hm'), pg_temp.add(63, 62, 'tool', 'tool');
CREATE FUNCTION pg_temp.asked(purpose text, about integer, conversation uuid DEFAULT current_setting('test.conv')::uuid) RETURNS text LANGUAGE sql AS $$
  SELECT s.messages -> 0 ->> 'content' FROM chat_private.side_request_text(current_setting('test.alice')::uuid, conversation, purpose,
    jsonb_build_object('last_message_id', pg_temp.id(about)), 'large') s $$;
SELECT is(pg_temp.asked('summary', 62), E'The conversation:\n\nUser:\nHi\n\nUser:\nHm', 'the messages, without replies that came to nothing');
SELECT pg_temp.summary(60, 'They met.');
SELECT is(pg_temp.asked('summary', 62), E'Earlier summary:\nThey met.\n\nThe conversation after it:\n\nUser:\nHm', 'after the summary of those before');
SELECT pg_temp.summary(62, 'Done.');
SELECT is(pg_temp.asked('summary', 62), NULL, 'nothing where there is one meanwhile');
SELECT is(pg_temp.asked('summary', 99), NULL, 'nor where the message is gone');
SELECT is(pg_temp.asked('title', NULL, chat.uuid_v7()), NULL, 'nor where the conversation is');
SELECT is(left(pg_temp.asked('title', NULL), 8), E'User:\nm1', 'a title is of the beginning');
UPDATE chat.conversations SET title_source = 'given' WHERE id = :'conv';
SELECT is(pg_temp.asked('title', NULL), NULL, 'and none is asked for where one was given');
SELECT is(chat_private.transcript(:'alice', pg_temp.id(3), NULL, 250), E'Assistant:\n' || rpad('m2', 276, '.') || E'\n\nUser:\n' || rpad('m3', 276, '.'), 'a transcript leaves out the oldest');
SELECT is(char_length(chat_private.transcript(:'alice', pg_temp.id(40), NULL, 150)), 157, 'and tells the beginning of one that is too long by itself');

-- answers
SELECT is(chat_private.clean_title(given), wanted, 'a title from: ' || coalesce(left(given, 30), 'nothing'))
FROM (VALUES ('Title: "Rome"', 'Rome'), (E'\n\n## **Plans**\nmore', 'Plans'), ('<think>a</think> B', 'B'), ('<think>never ends', NULL), ('""', NULL), (E'tab\tin', 'tab in')) t (given, wanted);
SELECT is(char_length(chat_private.clean_title(repeat('é', 300))), 100, 'of at most 100 characters');
-- An import may bring any number of summaries. The branch was compared with each of them at each step.
SELECT pg_temp.value(:'alice', 'SELECT chat.create_conversation()') AS long \gset
INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, content)
SELECT :'alice', pg_temp.id(n), :'long', CASE WHEN n > 100001 THEN pg_temp.id(n - 1) END, 'user', 'x' FROM generate_series(100001, 120000) n;
INSERT INTO chat.messages (user_id, id, conversation_id, role, content) VALUES (:'alice', pg_temp.id(200000), :'long', 'user', 'x');
INSERT INTO chat.conversation_summaries (user_id, conversation_id, last_message_id, content)
SELECT :'alice', :'long', pg_temp.id(200000), 's' FROM generate_series(1, 40000);
SET LOCAL statement_timeout = '10s';
SELECT is((SELECT (chat_private.nearest_summary(:'alice', :'long', pg_temp.id(120000))).id), NULL, 'summaries of another branch cost a long one little');
SET LOCAL statement_timeout = 0;
SELECT * FROM finish();
ROLLBACK;
