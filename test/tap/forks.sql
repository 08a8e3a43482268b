-- Conversations made from a branch of another one.
BEGIN;
\ir setup.psql
SELECT plan(27);
SELECT pg_temp.value(:'alice', $$SELECT chat.create_conversation('Trip', 'test-model', 'Be brief.', 'To Rome')$$) AS conv,
       pg_temp.value(:'alice', 'SELECT chat.create_conversation()') AS empty \gset
--  1 ─ 2 ─ 3 ─ 4 ─ 5 (pending)
--       └─ 6
INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, status, content, content_hash, cost, input_tokens, rating, idempotency_key, metadata,
                           created_at)
SELECT :'alice', ('00000000-0000-7000-8000-00000000000' || id)::uuid, :'conv', ('00000000-0000-7000-8000-00000000000' || parent)::uuid, role, status,
       'm' || id, chat.content_hash('m' || id), CASE id WHEN 2 THEN 0.5 END, id, CASE id WHEN 2 THEN 1 END, CASE id WHEN 1 THEN 'k' END,
       jsonb_build_object('n', id), timestamptz '2026-01-01' + id * interval '1 hour'
FROM (VALUES (1, NULL, 'user', 'complete'), (2, 1, 'assistant', 'complete'), (3, 2, 'user', 'complete'), (4, 3, 'assistant', 'incomplete'),
             (5, 4, 'assistant', 'pending'), (6, 2, 'user', 'complete')) t (id, parent, role, status);
INSERT INTO chat.attachments (user_id, id, sha256, media_type, byte_size) VALUES (:'alice', '00000000-0000-7000-8000-0000000000aa', sha256('x'), 'text/plain', 1);
INSERT INTO chat.message_attachments (user_id, message_id, position, attachment_id, name)
SELECT :'alice', ('00000000-0000-7000-8000-00000000000' || n)::uuid, 1, '00000000-0000-7000-8000-0000000000aa', n || '.txt' FROM (VALUES (1), (6)) t (n);
UPDATE chat.messages SET attachment_count = 1 WHERE content IN ('m1', 'm6');
INSERT INTO chat.conversation_summaries (user_id, conversation_id, last_message_id, content) VALUES (:'alice', :'conv', '00000000-0000-7000-8000-000000000002', 'so far');
INSERT INTO chat.folders (user_id, id, name) VALUES (:'alice', '00000000-0000-7000-8000-0000000000ff', 'Travel');
UPDATE chat.conversations SET active_leaf_id = '00000000-0000-7000-8000-000000000005', folder_id = '00000000-0000-7000-8000-0000000000ff', tags = '{rome,2026}',
  title_source = 'given', context_strategy = 'summarize', context_reserve = 99, summary_model = 'test-model', is_pinned = true, metadata = '{"app": 1}' WHERE id = :'conv';
CREATE FUNCTION pg_temp.told(conversation uuid) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.value((SELECT user_id FROM chat.conversations WHERE id = conversation),
    format('SELECT string_agg(concat_ws($s$ $s$, content, status, cost, input_tokens, rating, idempotency_key, metadata, extract(hour FROM created_at)), $s$, $s$) FROM chat.list_messages(%L)',
           conversation)) $$;

SELECT pg_temp.value(:'alice', format('SELECT chat.fork_conversation(%L)', :'conv')) AS whole \gset
SELECT is(pg_temp.told(:'whole'), 'm1 complete 1 {"n": 1} 1, m2 complete 0 2 {"n": 2} 2, m3 complete 3 {"n": 3} 3, m4 incomplete 4 {"n": 4} 4',
          'the active branch as far as it is final: texts, tokens, times; no costs, ratings, keys');
SELECT is((SELECT (c.title, c.title_source, c.description, c.model, c.system_prompt, c.folder_id, c.tags, c.context_strategy, c.context_reserve, c.summary_model,
                   c.is_pinned, c.metadata)::text FROM chat.conversations c WHERE c.id = :'whole'),
          '(Trip,given,"To Rome",test-model,"Be brief.",00000000-0000-7000-8000-0000000000ff,"{rome,2026}",summarize,99,test-model,f,"{""app"": 1}")', 'with its settings, unpinned');
SELECT is((SELECT (c.forked_from_id, c.forked_at_message_id)::text FROM chat.conversations c WHERE c.id = :'whole'),
          format('(%s,00000000-0000-7000-8000-000000000004)', :'conv'), 'it says where it comes from');
SELECT is((SELECT count(*)::int FROM chat.messages WHERE conversation_id = :'conv'), 6, 'the original is as it was');
SELECT is((SELECT count(DISTINCT id)::int FROM chat.messages), 10, 'ids are new');
SELECT is((SELECT count(*)::int FROM chat.messages m JOIN chat.messages p ON p.id = m.parent_id WHERE m.conversation_id = :'whole' AND p.conversation_id = :'whole' AND p.id < m.id), 3,
          'and below those of the messages they follow');
SELECT is((SELECT string_agg(a.name, ' ') FROM chat.message_attachments a JOIN chat.messages m ON m.id = a.message_id WHERE m.conversation_id = :'whole'), '1.txt', 'files go with it');
SELECT is((SELECT (s.content, m.content)::text FROM chat.conversation_summaries s JOIN chat.messages m ON m.id = s.last_message_id WHERE s.conversation_id = :'whole'), '("so far",m2)', 'and summaries');
SELECT is((SELECT m.content FROM chat.conversations c JOIN chat.messages m ON m.id = c.active_leaf_id WHERE c.id = :'whole'), 'm4', 'and it goes on from there');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.send_message(%L, $$on$$)', :'whole')), '1 rows', 'as any does');

SELECT pg_temp.value(:'alice', format('SELECT chat.fork_conversation(%L, $$00000000-0000-7000-8000-000000000006$$, $$Other$$)', :'conv')) AS part \gset
SELECT is((SELECT string_agg(content, ' ' ORDER BY id) FROM chat.messages WHERE conversation_id = :'part'), 'm1 m2 m6', 'another branch');
SELECT is((SELECT (title, title_source)::text FROM chat.conversations WHERE id = :'part'), '(Other,given)', 'with a title of its own');
SELECT is((SELECT string_agg(a.name, ' ' ORDER BY a.name) FROM chat.message_attachments a JOIN chat.messages m ON m.id = a.message_id WHERE m.conversation_id = :'part'), '1.txt 6.txt', 'and its files');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.regenerate_message(%L)', (SELECT active_leaf_id FROM chat.conversations WHERE id = :'part'))), '1 rows', 'its last message can be replied to');
SELECT pg_temp.value(:'alice', format('SELECT chat.fork_conversation(%L)', :'empty')) AS nothing \gset
SELECT is((SELECT count(*)::int FROM chat.messages WHERE conversation_id = :'nothing'), 0, 'an empty conversation gives an empty one');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.fork_conversation(%L, %L, %L)', conv, id, title)), state, 'fork ' || what)
FROM (VALUES (:'conv', '00000000-0000-7000-8000-000000000005', NULL, '55006', 'at a reply in progress'), (NULL, NULL, NULL, '22004', 'NULL'),
             (:'conv', chat.uuid_v7()::text, NULL, 'P0002', 'at a message that is not there'), (:'whole', '00000000-0000-7000-8000-000000000002', NULL, 'P0002', 'at one of another conversation'),
             (chat.uuid_v7()::text, NULL, NULL, 'P0002', 'what is not there'), (:'conv', NULL, repeat('x', 501), '54000', 'with a long title')) t (conv, id, title, state, what);
UPDATE chat.messages SET status = 'pending' WHERE id = '00000000-0000-7000-8000-000000000002';
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.fork_conversation(%L, %L)', :'conv', '00000000-0000-7000-8000-000000000003')), '55006', 'fork below a reply in progress');
UPDATE chat.messages SET status = 'complete' WHERE id = '00000000-0000-7000-8000-000000000002';
SELECT count(*) AS conversations FROM chat.conversations WHERE user_id = :'alice' \gset
SELECT chat.admin_save_plan('free', limits => format('{"conversations": %s}', :conversations)::jsonb);
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.fork_conversation(%L)', :'conv')), 'PC303', 'a fork counts as a conversation does');
SELECT chat.admin_save_plan('free', limits => '{}');
SELECT is(pg_temp.outcome(:'bob', format('SELECT chat.fork_conversation(%L)', :'conv')), 'P0002', 'nobody forks what is not theirs');
SELECT is(pg_temp.outcome(NULL, format('SELECT chat.fork_conversation(%L)', :'conv')), '28000', 'nor without an identity');
DELETE FROM chat.conversations WHERE id = :'conv';
SELECT is((SELECT count(*)::int FROM chat.messages WHERE conversation_id = :'whole'), 6, 'a fork outlives the original');
SELECT is((SELECT count(*)::int FROM chat.message_attachments), 3, 'with its files');
SELECT * FROM finish();
ROLLBACK;
