-- Conversations: opening, listing, the branch of messages that is shown.
BEGIN;
\ir setup.psql
SELECT plan(28);

-- create_conversation
SELECT pg_temp.value(:'alice', 'SELECT chat.create_conversation()') AS plain,
       pg_temp.value(:'alice', $$SELECT chat.create_conversation('Trip', 'test-model', 'Be brief.', 'To Rome')$$) AS trip \gset
SELECT is((SELECT (user_id, title, model, system_prompt, description, is_pinned, is_archived)::text
           FROM chat.conversations WHERE id = :'plain'),
          format('(%s,"New Conversation",,,,f,f)', :'alice'), 'what a conversation is by default');
SELECT is((SELECT (title, model, system_prompt, description)::text FROM chat.conversations WHERE id = :'trip'),
          '(Trip,test-model,"Be brief.","To Rome")', 'what it is given');
SELECT is(pg_temp.outcome(:'alice', $$SELECT chat.create_conversation(model => 'nothing')$$), '42704', 'an unknown model');
SELECT is(pg_temp.outcome(:'alice', $$SELECT chat.create_conversation(repeat('x', 501))$$), '54000', 'a title of 501 characters');
SELECT is(pg_temp.outcome(:'alice', $$SELECT chat.create_conversation(system_prompt => repeat('x', 2000000))$$), '54000',
          'a system prompt of 2 MB');
SELECT is(pg_temp.outcome(NULL, 'SELECT chat.create_conversation()'), '28000', 'opening one needs somebody');

-- list_conversations
INSERT INTO chat.conversations (user_id, title, description, is_archived, created_at, last_message_at)
SELECT :'bob', 'c' || n, CASE n WHEN 7 THEN 'About 100% Of it' END, n > 8, now(), CASE n % 2 WHEN 0 THEN timestamptz '2026-02-01' ELSE '2026-01-01' END + n * interval '1 day'
FROM generate_series(1, 10) n;
SELECT is(pg_temp.value(:'bob', $$SELECT string_agg(title, ' ') FROM chat.list_conversations()$$), 'c8 c6 c4 c2 c7 c5 c3 c1',
          'the latest message first');
SELECT is(pg_temp.value(:'bob', $$SELECT string_agg(title, ' ') FROM chat.list_conversations(3)$$), 'c8 c6 c4', 'a page');
SELECT is(pg_temp.value(:'bob', $$SELECT string_agg(title, ' ') FROM chat.list_conversations(3, '2026-02-05')$$), 'c2 c7 c5',
          'the next page');
SELECT is(pg_temp.value(:'bob', $$SELECT string_agg(title, ' ') FROM chat.list_conversations(archived => true)$$), 'c10 c9',
          'the archived ones');
SELECT is(pg_temp.value(:'bob', $$SELECT string_agg(title, ' ') FROM chat.list_conversations(search => '100% of')$$), 'c7',
          'search in the description, without case, % being nothing special');
SELECT is(pg_temp.value(:'bob', $$SELECT string_agg(title, ' ') FROM chat.list_conversations(search => 'C2')$$), 'c2', 'search in the title');
SELECT is(pg_temp.outcome(:'bob', 'SELECT * FROM chat.list_conversations(0)'), '22023', 'a page of 0');
SELECT is(pg_temp.outcome(:'bob', 'SELECT * FROM chat.list_conversations(NULL)'), '22004', 'a page of NULL');
SELECT is(pg_temp.outcome(:'bob', 'SELECT * FROM chat.list_conversations(archived => NULL)'), '22004', 'archived NULL');
SELECT is(pg_temp.outcome(NULL, 'SELECT * FROM chat.list_conversations()'), '28000', 'listing needs somebody');

-- what clients may change themselves
SELECT is(pg_temp.outcome(:'alice', format($$UPDATE chat.conversations SET title = 'New', is_pinned = true WHERE id = %L$$, :'trip')),
          '1 rows', 'the owner renames and pins');
SELECT ok((SELECT updated_at > created_at FROM chat.conversations WHERE id = :'trip'), 'which is a change in time too');
SELECT is(pg_temp.outcome(:'alice', 'UPDATE chat.conversations SET system_prompt = $$x$$'), '42501', 'but not the system prompt');
SELECT is(pg_temp.outcome(:'alice', $$UPDATE chat.user_settings SET preferences = '{"theme": "dark"}'$$), '1 rows', 'preferences');
SELECT is(pg_temp.outcome(:'alice', $$UPDATE chat.users SET display_name = 'A.'$$), '1 rows', 'the display name');

-- list_messages: a tree  1 ─ 2 ─ 3 ─ 4
--                             └─ 5 ─ 6 (active)
INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, content)
SELECT :'alice', ('00000000-0000-7000-8000-00000000000' || id)::uuid, :'plain',
       ('00000000-0000-7000-8000-00000000000' || parent)::uuid, role, 'm' || id
FROM (VALUES (1, NULL, 'user'), (2, 1, 'assistant'), (3, 2, 'user'), (4, 3, 'assistant'), (5, 2, 'user'), (6, 5, 'assistant'))
     t (id, parent, role);
UPDATE chat.conversations SET active_leaf_id = '00000000-0000-7000-8000-000000000006' WHERE id = :'plain';
SELECT is(pg_temp.value(:'alice', format('SELECT string_agg(content, $$ $$) FROM chat.list_messages(%L)', :'plain')),
          'm1 m2 m5 m6', 'the active branch, root first');
SELECT is(pg_temp.value(:'alice', format('SELECT string_agg(content, $$ $$) FROM chat.list_messages(%L, %L)', :'plain',
                                         '00000000-0000-7000-8000-000000000004')), 'm1 m2 m3 m4', 'another branch');
SELECT is(pg_temp.outcome(:'alice', format('SELECT * FROM chat.list_messages(%L)', :'trip')), '0 rows', 'an empty conversation');
SELECT is(pg_temp.outcome(:'alice', format('SELECT * FROM chat.list_messages(%L, %L)', :'trip',
                                           '00000000-0000-7000-8000-000000000004')), 'P0002', 'a leaf of another conversation');
SELECT is(pg_temp.outcome(:'alice', 'SELECT * FROM chat.list_messages(chat.uuid_v7())'), 'P0002', 'no such conversation');
SELECT is(pg_temp.outcome(:'alice', 'SELECT * FROM chat.list_messages(NULL)'), '22004', 'conversation NULL');
DELETE FROM chat.messages WHERE id = '00000000-0000-7000-8000-000000000005';
SELECT is((SELECT string_agg(content, ' ' ORDER BY id) FROM chat.messages WHERE conversation_id = :'plain'), 'm1 m2 m3 m4',
          'what hangs on a message goes with it');
SELECT * FROM finish();
ROLLBACK;
