-- Folders and tags: who may do what with them, what they hold, and what becomes of that.
BEGIN;
\ir people.psql
SELECT plan(76);
SELECT pg_temp.got(:'alice_token', $$SELECT chat.create_folder('Work')$$) AS work \gset
SELECT pg_temp.got(:'alice_token', format($$SELECT chat.create_folder('  Rivers ', %L)$$, :'work')) AS rivers,
       pg_temp.got(:'alice_token', $$SELECT chat.create_folder('play')$$) AS play \gset
SELECT pg_temp.got(:'alice_token', format($$SELECT chat.create_folder('Rhine', %L)$$, :'rivers')) AS rhine \gset
CREATE FUNCTION pg_temp.tree(token text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.got(token, 'SELECT string_agg(concat(repeat(''-'', depth), name), '' '') FROM chat.list_folders()')
$$;
SELECT is(pg_temp.tree(:'alice_token'), 'play Work -Rivers --Rhine', 'folders, each before those in it, by name');

-- create_folder
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.create_folder(%s)', arguments)), sqlstate, what)
FROM (VALUES ('NULL', '22004', 'a folder without a name'),
             ('''  ''', '22023', 'an empty name'),
             ('E''a\nb''', '22023', 'a name of two lines'),
             ('repeat(''x'', 256)', '54000', 'a name of 256 characters'),
             ('''Work ''', '23505', 'a name that is taken'),
             (format('''Rivers'', %L', :'work'), '23505', 'also within a folder'),
             ('''x'', chat.uuid_v7()', 'P0002', 'in a folder that there is not')) t (arguments, sqlstate, what);
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.create_folder(%L, %L)', 'Work', :'work')), '1 rows', 'the same name in another place');
SELECT is(pg_temp.try(:'bob_token', format($$SELECT chat.create_folder('mine', %L)$$, :'work')), 'P0002', 'not in a folder of somebody else');
SELECT is(pg_temp.try(:'admin_token', format($$SELECT chat.create_folder('mine', %L)$$, :'work')), 'P0002', 'an administrator neither');
SELECT is(pg_temp.try(NULL, $$SELECT chat.create_folder('mine')$$), '28000', 'nobody makes one');
SELECT is(pg_temp.try(:'guest_token', $$SELECT chat.create_folder('Work')$$), '1 rows', 'a guest does, each with names of their own');

-- update_folder
SELECT is(pg_temp.got(:'alice_token', format($$SELECT f.name || coalesce(f.parent_id::text, '-') FROM chat.update_folder(%L, 'Fun') f$$, :'play')), 'Fun-', 'renaming one');
SELECT is(pg_temp.got(:'alice_token', format($$SELECT f.name || f.parent_id FROM chat.update_folder(%L, parent_id => %L) f$$, :'rivers', :'play')), 'Rivers' || :'play', 'moving one');
SELECT is(pg_temp.tree(:'alice_token'), 'Fun -Rivers --Rhine Work -Work', 'with all in it');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.update_folder(%s)', arguments)), sqlstate, what)
FROM (VALUES ('NULL', '22004', 'changing NULL'),
             ('chat.uuid_v7()', 'P0002', 'changing what there is not'),
             (format('%L, ''''', :'work'), '22023', 'an empty name'),
             (format('%L, repeat(''x'', 256)', :'work'), '54000', 'a long name'),
             (format('%L, ''Fun''', :'work'), '23505', 'a name that is taken'),
             (format('%L, parent_id => chat.uuid_v7()', :'work'), 'P0002', 'into a folder that there is not'),
             (format('%1$L, parent_id => %1$L', :'play'), '22023', 'into itself'),
             (format('%L, parent_id => %L', :'play', :'rivers'), '22023', 'into one in it'),
             (format('%L, parent_id => %L', :'play', :'rhine'), '22023', 'into one in one in it')) t (arguments, sqlstate, what);
SELECT is(pg_temp.try(:'bob_token', format($$SELECT chat.update_folder(%L, 'mine')$$, :'work')), 'P0002', 'somebody else does not change it');
SELECT is(pg_temp.try(NULL, format($$SELECT chat.update_folder(%L, 'mine')$$, :'work')), '28000', 'nor does nobody');
SELECT is(pg_temp.try(:'alice_token', format($$SELECT chat.update_folder(%L, parent_id => '00000000-0000-0000-0000-000000000000')$$, :'rhine')), '1 rows', 'the nil UUID');
SELECT is(pg_temp.tree(:'alice_token'), 'Fun -Rivers Rhine Work -Work', 'puts it into none');

-- move_conversation
SELECT pg_temp.got(:'alice_token', $$SELECT chat.create_conversation('a')$$) AS a, pg_temp.got(:'alice_token', $$SELECT chat.create_conversation('b')$$) AS b,
       pg_temp.got(:'alice_token', $$SELECT chat.create_conversation('c')$$) AS c, pg_temp.got(:'bob_token', 'SELECT chat.create_conversation()') AS bobs \gset
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.move_conversation(%L, %L)', conversation, folder)), '1 rows', 'a conversation goes into a folder')
FROM (VALUES (:'a', :'rivers'), (:'b', :'rivers'), (:'c', :'play')) t (conversation, folder);
UPDATE chat.conversations SET is_archived = true WHERE id = :'b';
UPDATE chat.conversations SET last_reply_at = 'infinity' WHERE id = :'a';
SELECT is(pg_temp.got(:'alice_token', $$SELECT string_agg(concat(name, ' ', conversations, archived, unread), ', ') FROM chat.list_folders()$$),
          'Fun 100, Rivers 111, Rhine 000, Work 000, Work 000', 'counts of what lies directly in each');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.move_conversation(%L, chat.uuid_v7())', :'a')), 'P0002', 'into a folder that there is not');
SELECT is(pg_temp.try(:'alice_token', 'SELECT chat.move_conversation(NULL, NULL)'), '22004', 'moving NULL');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.move_conversation(%L, %L)', :'bobs', :'work')), 'P0002', 'somebody else''s conversation into one''s own folder');
SELECT is(pg_temp.try(:'bob_token', format('SELECT chat.move_conversation(%L, %L)', :'bobs', :'work')), 'P0002', 'one''s own conversation into somebody else''s folder');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.move_conversation(%L, NULL)', :'a')), 'P0002', 'an administrator does not move it');
SELECT is(pg_temp.try(NULL, format('SELECT chat.move_conversation(%L, NULL)', :'a')), '28000', 'nor does nobody');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.move_conversation(%L, NULL)', :'c')), '1 rows', 'out of all folders');
SELECT is((SELECT folder_id FROM chat.conversations WHERE id = :'c'), NULL, 'in none');

-- delete_folder
SELECT pg_temp.got(:'alice_token', format($$SELECT chat.create_folder('Rivers')$$)) AS top \gset
SELECT is(pg_temp.try(:'bob_token', format('SELECT chat.delete_folder(%L, true)', :'play')), 'P0002', 'somebody else does not remove a folder');
SELECT is(pg_temp.try(NULL, format('SELECT chat.delete_folder(%L, true)', :'play')), '28000', 'nor does nobody');
SELECT is(pg_temp.try(:'alice_token', 'SELECT chat.delete_folder(NULL)'), '22004', 'removing NULL');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.delete_folder(%L, NULL)', :'play')), '22004', 'with NULL');
SELECT is(pg_temp.try(:'alice_token', 'SELECT chat.delete_folder(chat.uuid_v7())'), 'P0002', 'removing what there is not');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.delete_folder(%L)', :'play')), '1 rows', 'its owner removes it');
SELECT is(pg_temp.tree(:'alice_token'), 'Rhine Rivers Rivers (2) Work -Work', 'a folder in it moves up, with a number where its name is taken');
SELECT is((SELECT string_agg(title, ' ' ORDER BY title) FROM chat.conversations WHERE folder_id = :'rivers'), 'a b', 'which keeps its conversations');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.delete_folder(%L)', :'work')), '1 rows', 'a folder with one of the same name in it');
SELECT is(pg_temp.tree(:'alice_token'), 'Rhine Rivers Rivers (2) Work (2)', 'is replaced by that');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.delete_folder(%L)', :'rivers')), '1 rows', 'and one with conversations');
SELECT is((SELECT count(*)::int FROM chat.conversations WHERE id IN (:'a', :'b') AND folder_id IS NULL), 2, 'leaves these in none');
SELECT pg_temp.got(:'alice_token', format('SELECT f.id FROM chat.update_folder(%L, parent_id => %L) f', :'rhine', :'top')) AS moved \gset
SELECT pg_temp.got(:'alice_token', format('SELECT chat.move_conversation(%L, %L)', :'a', :'top')), pg_temp.got(:'alice_token', format('SELECT chat.move_conversation(%L, %L)', :'b', :'rhine')) \g /dev/null
SELECT pg_temp.got(:'alice_token', format('SELECT request_id FROM chat.send_message(%L, $$x$$)', :'b')) AS request \gset
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.delete_folder(%L, true)', :'top')), '1 rows', 'removed with all that is in it');
SELECT is((SELECT string_agg(title, ' ') FROM chat.conversations WHERE user_id = :'alice'), 'c', 'its conversations are gone, those of folders in it, too');
SELECT is((SELECT count(*)::int FROM chat_private.llm_requests WHERE id = :'request'), 0, 'with their requests');
SELECT is(pg_temp.tree(:'alice_token'), 'Work (2)', 'and the folders');
SELECT is(pg_temp.tree(:'guest_token'), 'Work', 'nobody else''s');
SELECT is(pg_temp.try(NULL, 'SELECT * FROM chat.list_folders()'), '28000', 'nobody lists folders');

-- tags
SELECT is(pg_temp.got(:'alice_token', format($$SELECT chat.set_conversation_tags(%L, ARRAY[' Blue ', 'red', E'dark\t red', 'BLUE', U&'cafe\0301'])$$, :'c')),
          U&'{blue,red,"dark red",caf\00e9}', 'tags are kept in one form, each once, in their order');
SELECT is((SELECT tags FROM chat.conversations WHERE id = :'c'), ARRAY['blue', 'red', 'dark red', U&'caf\00e9'], 'as is returned');
SELECT pg_temp.got(:'alice_token', $$SELECT chat.create_conversation('d')$$) AS d \gset
SELECT pg_temp.got(:'alice_token', format($$SELECT chat.set_conversation_tags(%L, '{red}')$$, :'d')) \g /dev/null
UPDATE chat.conversations SET is_archived = true WHERE id = :'d';
SELECT is(pg_temp.got(:'alice_token', $$SELECT string_agg(concat(tag, ' ', conversations, archived), ', ') FROM chat.list_tags()$$),
          U&'blue 10, caf\00e9 10, dark red 10, red 11', 'how many have each');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.set_conversation_tags(%L, %s)', :'c', tags)), sqlstate, what)
FROM (VALUES ('NULL', '22004', 'tags NULL'),
             ('ARRAY[''a'', NULL]', '22004', 'a tag that is NULL'),
             ('ARRAY[''a'', '' '']', '22023', 'an empty tag'),
             ('ARRAY[repeat(''x'', 51)]', '54000', 'a tag of 51 characters'),
             ('(SELECT array_agg(n::text) FROM generate_series(1, 51) n)', '54000', '51 tags')) t (tags, sqlstate, what);
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.set_conversation_tags(%L, (SELECT array_agg(repeat(''x'', n)) FROM generate_series(1, 50) n))', :'c')), '1 rows', '50 tags of up to 50 characters');
SELECT is(pg_temp.try(:'alice_token', $$SELECT chat.set_conversation_tags(NULL, '{}')$$), '22004', 'a conversation NULL');
SELECT is(pg_temp.try(token, format($$SELECT chat.set_conversation_tags(%L, '{}')$$, :'c')), sqlstate, 'not by ' || who)
FROM (VALUES (:'bob_token', 'P0002', 'somebody else'), (:'guest_token', 'P0002', 'a guest'), (:'admin_token', 'P0002', 'an administrator'), (NULL, '28000', 'nobody')) t (token, sqlstate, who);
SELECT is(pg_temp.got(:'alice_token', format($$SELECT chat.set_conversation_tags(%L, '{}')$$, :'c')), '{}', 'none');
SELECT is(pg_temp.try(NULL, 'SELECT * FROM chat.list_tags()'), '28000', 'nobody lists tags');
SELECT is(pg_temp.got(:'bob_token', 'SELECT count(*) FROM chat.list_tags()'), '0', 'one has one''s own tags alone');
SELECT * FROM finish();
ROLLBACK;
