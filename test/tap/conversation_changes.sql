-- Conversations that exist: changing them, marking them as read, removing them, and paging through them.
BEGIN;
\ir people.psql
SELECT plan(82);
SELECT pg_temp.value(:'alice', $$SELECT chat.create_conversation('Trip', 'test-model', 'Be brief.', 'To Rome')$$) AS trip \gset
CREATE FUNCTION pg_temp.told(conversation uuid) RETURNS text LANGUAGE sql AS $$
  SELECT (title, title_source, description, model, system_prompt, is_pinned, is_archived)::text FROM chat.conversations WHERE id = conversation
$$;

-- update_conversation
SELECT is(pg_temp.value(:'alice', format('SELECT (c.title, c.description, c.model, c.system_prompt)::text FROM chat.update_conversation(%L) c', :'trip')),
          '(Trip,"To Rome",test-model,"Be brief.")', 'NULL leaves everything as it is, and the row is returned');
SELECT is(pg_temp.value(:'alice', format($$SELECT c.title FROM chat.update_conversation(%L, 'Journey', 'To Oslo', NULL, 'Be long.', true, true) c$$, :'trip')),
          'Journey', 'changing it');
SELECT is(pg_temp.told(:'trip'), '(Journey,given,"To Oslo",test-model,"Be long.",t,t)', 'what was given is stored');
SELECT ok((SELECT updated_at > created_at FROM chat.conversations WHERE id = :'trip'), 'with the time');
SELECT is(pg_temp.outcome(:'alice', format($$SELECT chat.update_conversation(%L, '', '', '', '', false, false)$$, :'trip')), '1 rows', 'emptying it');
SELECT is(pg_temp.told(:'trip'), '("New Conversation",rule,,,,f,f)', 'empty is none, and the title that of the rule');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.update_conversation(%L, %s)', :'trip', argument)), sqlstate, what)
FROM (VALUES ('repeat($$x$$, 501)', '54000', 'a title of 501 characters'),
             ('description => repeat($$x$$, 10001)', '54000', 'a description of 10001'),
             ('system_prompt => repeat($$x$$, 2000000)', '54000', 'a system prompt of 2 MB'),
             ('model => $$nothing$$', '42704', 'no such model')) t (argument, sqlstate, what);
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.update_conversation(NULL)'), '22004', 'id NULL');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.update_conversation(chat.uuid_v7())'), 'P0002', 'no such conversation');
SELECT is(pg_temp.outcome(:'bob', format($$SELECT chat.update_conversation(%L, 'mine')$$, :'trip')), 'P0002', 'nor somebody else''s');
SELECT is(pg_temp.outcome(NULL, format($$SELECT chat.update_conversation(%L, 'mine')$$, :'trip')), '28000', 'nor by nobody');
SELECT is(pg_temp.told(:'trip'), '("New Conversation",rule,,,,f,f)', 'after which nothing has changed');
SELECT chat.admin_register_model('test-provider', 'closed-model', options => '{"is_open": false}') \g /dev/null
SELECT is(pg_temp.outcome(:'alice', format($$SELECT chat.update_conversation(%L, model => 'closed-model')$$, :'trip')), '42501', 'a model that is not open to the user');

-- titles that clients change themselves
SELECT is(pg_temp.outcome(:'alice', format($$UPDATE chat.conversations SET title = 'Mine' WHERE id = %L$$, :'trip')), '1 rows', 'a client updates the title');
SELECT is((SELECT title_source FROM chat.conversations WHERE id = :'trip'), 'given', 'which is then given');
UPDATE chat.conversations SET title_source = 'rule' WHERE id = :'trip';
SELECT is(pg_temp.outcome(:'alice', format($$UPDATE chat.conversations SET title = title, is_pinned = true WHERE id = %L$$, :'trip')), '1 rows', 'an ORM writes all columns');
SELECT is((SELECT title_source FROM chat.conversations WHERE id = :'trip'), 'rule', 'a title that stays the same is not given by that');
SELECT is(pg_temp.outcome(NULL, format($$UPDATE chat.conversations SET title = 'Ours' WHERE id = %L$$, :'trip'), 'pgchat_service'), '1 rows', 'an operator updates the title');
SELECT is((SELECT title_source FROM chat.conversations WHERE id = :'trip'), 'given', 'given, too');
SELECT is(pg_temp.outcome(:'alice', format($$UPDATE chat.conversations SET title_source = 'default' WHERE id = %L$$, :'trip')), '42501', 'clients do not change where it comes from');

-- read and unread
CREATE FUNCTION pg_temp.unread(conversation uuid) RETURNS boolean LANGUAGE sql AS $$ SELECT is_unread FROM chat.conversations WHERE id = conversation $$;
SELECT is(pg_temp.unread(:'trip'), false, 'a new conversation is not unread');
SELECT pg_temp.value(:'alice', format('SELECT request_id FROM chat.send_message(%L, $$x$$)', :'trip')) AS request \gset
SELECT is(pg_temp.unread(:'trip'), false, 'nor one that was written to');
SELECT chat_private.touch_conversations(ARRAY[:'alice'::uuid], ARRAY[:'trip'::uuid], ARRAY[true]) \g /dev/null
SELECT is(pg_temp.unread(:'trip'), true, 'once a reply has ended it is');
SELECT is(pg_temp.outcome(:'bob', format('SELECT chat.mark_conversation_read(%L)', :'trip')), 'P0002', 'somebody else does not read it');
SELECT is(pg_temp.outcome(NULL, format('SELECT chat.mark_conversation_read(%L)', :'trip')), '28000', 'nor does nobody');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.mark_conversation_read(NULL)'), '22004', 'reading NULL');
SELECT is(pg_temp.unread(:'trip'), true, 'so it stays unread');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.mark_conversation_read(%L)', :'trip')), '1 rows', 'its owner reads it');
SELECT is(pg_temp.unread(:'trip'), false, 'then it is read');
SELECT chat_private.touch_conversations(ARRAY[:'alice'::uuid], ARRAY[:'trip'::uuid], ARRAY[true]) \g /dev/null
SELECT is(pg_temp.unread(:'trip'), true, 'until the next reply');
SELECT is_empty($$SELECT i.indexrelid::regclass FROM pg_index i, unnest(i.indkey) k JOIN pg_attribute a ON a.attnum = k
  WHERE i.indrelid = 'chat.conversations'::regclass AND a.attrelid = i.indrelid AND a.attname IN ('updated_at', 'last_reply_at', 'last_read_at', 'is_unread')$$,
  'no index has what the end of a reply changes');

-- delete_conversation
SELECT pg_temp.value(:'alice', 'SELECT chat.create_conversation()') AS other \gset
INSERT INTO chat_private.llm_requests (user_id, conversation_id, purpose, model, messages) VALUES (:'alice', :'trip', 'title', 'test-model', '[]'), (:'alice', :'other', 'title', 'test-model', '[]');
INSERT INTO chat_private.llm_requests (user_id, conversation_id, purpose, model, messages, state, queued_at, waits_for)
  VALUES (:'alice', :'trip', 'summary', 'test-model', '[]', 'waiting', NULL, :'request');
INSERT INTO chat.usage_events (user_id, conversation_id, outcome) VALUES (:'alice', :'trip', 'complete');
SELECT is(pg_temp.outcome(:'bob', format('SELECT chat.delete_conversation(%L)', :'trip')), 'P0002', 'somebody else does not remove it');
SELECT is(pg_temp.outcome(NULL, format('SELECT chat.delete_conversation(%L)', :'trip')), '28000', 'nor does nobody');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.delete_conversation(NULL)'), '22004', 'removing NULL');
SELECT is((SELECT count(*)::int FROM chat.messages WHERE conversation_id = :'trip'), 2, 'so it is still there');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.delete_conversation(%L)', :'trip')), '1 rows', 'its owner removes it');
SELECT is((SELECT count(*)::int FROM chat.conversations WHERE id = :'trip') + (SELECT count(*)::int FROM chat.messages WHERE conversation_id = :'trip')
          + (SELECT count(*)::int FROM chat_private.llm_requests WHERE conversation_id = :'trip'), 0, 'with its messages and requests, those that wait, too');
SELECT is((SELECT count(*)::int FROM chat_private.llm_requests WHERE conversation_id = :'other'), 1, 'not with those of another');
SELECT is((SELECT count(*)::int FROM chat.usage_events WHERE conversation_id = :'trip'), 1, 'nor with its usage');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.delete_conversation(%L)', :'trip')), 'P0002', 'it is gone');

-- What is an owner's is nobody else's, whoever they are; and a guest is an owner, too.
SELECT is(pg_temp.try(token, format('SELECT chat.%s', format(call, :'other'))), 'P0002', who || ': ' || call)
FROM (VALUES (:'supa_token', 'a supervisor'), (:'admin_token', 'an administrator'), (:'guest_token', 'a guest')) w (token, who),
     (VALUES ('update_conversation(%L, $$x$$)'), ('mark_conversation_read(%L)'), ('delete_conversation(%L)')) c (call);
SELECT is((SELECT (title, is_unread)::text FROM chat.conversations WHERE id = :'other'), '("New Conversation",f)', 'so it is as it was');
SELECT pg_temp.got(:'guest_token', 'SELECT chat.create_conversation()') AS guests \gset
SELECT is(pg_temp.try(:'guest_token', format('SELECT chat.%s', format(call, :'guests'))), '1 rows', 'a guest''s own: ' || call)
FROM (VALUES ('update_conversation(%L, $$x$$)'), ('mark_conversation_read(%L)')) c (call);
SELECT is(pg_temp.got(:'guest_token', 'SELECT string_agg(title, $$ $$) FROM chat.find_conversations()'), 'x', 'a guest finds it');
SELECT is(pg_temp.got(:'admin_token', 'SELECT count(*) FROM chat.find_conversations()'), '0', 'an administrator finds their own alone');
SELECT is(pg_temp.got(:'supa_token', 'SELECT count(*) FROM chat.list_conversations()'), '0', 'as a supervisor lists them');
SELECT is(pg_temp.try(:'guest_token', format('SELECT chat.delete_conversation(%L)', :'guests')), '1 rows', 'and removes it');

-- list_conversations: pinned ones first, on the first page only
DELETE FROM chat.conversations;
INSERT INTO chat.conversations (user_id, title, is_pinned, is_archived, last_message_at)
SELECT :'bob', 'c' || n, n IN (2, 5), n > 8, timestamptz '2026-02-01' + n * interval '1 day' FROM generate_series(1, 9) n;
SELECT is(pg_temp.value(:'bob', $$SELECT string_agg(title, ' ') FROM chat.list_conversations()$$), 'c5 c2 c8 c7 c6 c4 c3 c1', 'pinned ones first');
SELECT is(pg_temp.value(:'bob', $$SELECT string_agg(title, ' ') FROM chat.list_conversations(4)$$), 'c5 c2 c8 c7', 'they count to the page');
SELECT is(pg_temp.value(:'bob', $$SELECT string_agg(title, ' ') FROM chat.list_conversations(3, '2026-02-08')$$), 'c6 c4 c3', 'and do not come again');
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  line text;
  plan text := '';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
    plan := plan || line || E'\n';
  END LOOP;
  RETURN plan;
END
$$;
INSERT INTO chat.conversations (user_id, last_message_at) SELECT :'alice', now() - n * interval '1 minute' FROM generate_series(1, 5000) n;
ANALYZE chat.conversations;
CREATE TEMP TABLE plans ON COMMIT DROP AS
  SELECT pg_temp.value(:'alice', format('SELECT pg_temp.plan_of(%L)', 'SELECT * FROM ' || call)) AS plan
  FROM (VALUES ('chat.list_conversations()'), ('chat.list_conversations(20, now())'), ('chat.list_conversations(20, archived => true)')) t (call);
SELECT is_empty($$SELECT plan FROM plans WHERE plan LIKE '%Sort%' OR plan LIKE '%Function Scan%'
  OR plan !~ 'Index Scan using conversations_recent_idx.*Index Cond: .*is_archived.*user_id.*ROW\(is_pinned, last_message_at\)'$$,
  'each page is one range of the index, in its order');

-- find_conversations
DELETE FROM chat.conversations;
INSERT INTO chat.folders (user_id, id, name) VALUES (:'bob', :'bob', 'Work'), (:'alice', :'alice', 'Play');
INSERT INTO chat.conversations (user_id, id, title, description, is_pinned, is_archived, tags, folder_id, last_message_at, last_reply_at, last_read_at)
SELECT :'bob', ('00000000-0000-7000-8000-00000000000' || n)::uuid, 'c' || n, CASE n WHEN 3 THEN 'About Rome' END, n = 2, n = 9,
       CASE WHEN n IN (3, 4, 9) THEN ARRAY['red', 'blue'] ELSE '{}' END, CASE WHEN n IN (4, 5) THEN :'bob'::uuid END,
       -- All but two at the same time, as after an import.
       CASE WHEN n = 1 THEN timestamptz '2026-03-01' ELSE '2026-02-01' END,
       timestamptz '2026-02-01' + n * interval '1 day', CASE WHEN n IN (4, 6) THEN timestamptz '2026-02-02' ELSE '2026-04-01' END
FROM generate_series(1, 9) n;
CREATE FUNCTION pg_temp.found(person uuid, arguments text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.value(person, format('SELECT string_agg(title, %L) FROM chat.find_conversations(%s)', ' ', arguments))
$$;
SELECT is(pg_temp.found(:'bob', arguments), wanted, what)
FROM (VALUES ('', 'c1 c8 c7 c6 c5 c4 c3 c2', 'all, by time and id'),
             (format('folder_id => %L', :'bob'), 'c5 c4', 'a folder'),
             ('folder_id => ''00000000-0000-0000-0000-000000000000'', is_pinned => false', 'c1 c8 c7 c6 c3', 'none, and not pinned'),
             ('tag => '' RED ''', 'c4 c3', 'a tag'),
             ('tag => ''red'', archived => true', 'c9', 'archived ones'),
             ('is_unread => true', 'c6 c4', 'unread ones'),
             ('is_unread => false, search => ''rome''', 'c3', 'read ones, with a text'),
             ('unread_since => ''2026-02-06''', 'c6', 'unread since'),
             ('is_pinned => true', 'c2', 'pinned ones'),
             ('tag => ''none''', NULL, 'a tag that there is not')) t (arguments, wanted, what);
CREATE FUNCTION pg_temp.pages(size integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  titles text[] := '{}';
  page record;
  last_time timestamptz;
  last_id uuid;
  got integer;
BEGIN
  LOOP
    got := 0;
    FOR page IN SELECT c.title, c.last_message_at, c.id FROM chat.find_conversations(page_size => size, before => last_time, before_id => last_id) c LOOP
      titles := titles || page.title;
      last_time := page.last_message_at;
      last_id := page.id;
      got := got + 1;
    END LOOP;
    EXIT WHEN got = 0;
  END LOOP;
  RETURN array_to_string(titles, ' ');
END
$$;
SELECT is(pg_temp.value(:'bob', format('SELECT pg_temp.pages(%s)', size)), 'c1 c8 c7 c6 c5 c4 c3 c2', format('pages of %s', size))
FROM unnest(ARRAY[1, 3, 4]) size;
SELECT is(pg_temp.outcome(:'bob', format('SELECT * FROM chat.find_conversations(%s)', arguments)), sqlstate, what)
FROM (VALUES (format('folder_id => %L', :'alice'), 'P0002', 'a folder of somebody else'),
             ('page_size => 0', '22023', 'a page of 0'),
             ('page_size => NULL', '22004', 'a page of NULL'),
             ('archived => NULL', '22004', 'archived NULL'),
             ('before_id => chat.uuid_v7()', '22004', 'before_id without before')) t (arguments, sqlstate, what);
SELECT is(pg_temp.outcome(NULL, 'SELECT * FROM chat.find_conversations()'), '28000', 'finding needs somebody');
SELECT * FROM finish();
ROLLBACK;
