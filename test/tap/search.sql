-- Searching: who finds what, how it is ranked and shown, and what is filed in the background.
BEGIN;
\ir people.psql
SELECT plan(86);
SET LOCAL TIME ZONE 'UTC';

-- Messages of alice in two conversations; the second has two branches.
SELECT pg_temp.value(:'alice', $$SELECT chat.create_conversation('Garden')$$) AS garden,
       pg_temp.value(:'alice', $$SELECT chat.create_conversation('Code')$$) AS code,
       pg_temp.value(:'bob', $$SELECT chat.create_conversation('Bob''s')$$) AS bobs \gset
CREATE FUNCTION pg_temp.say(person uuid, conversation uuid, role text, content text, parent uuid DEFAULT NULL) RETURNS uuid LANGUAGE sql AS $$
  INSERT INTO chat.messages (user_id, conversation_id, role, content, parent_id) VALUES (person, conversation, role, content, parent) RETURNING id
$$;
SELECT pg_temp.say(:'alice', :'garden', 'user', 'How do I grow tomatoes on a small balcony?') AS m1,
       pg_temp.say(:'alice', :'garden', 'assistant', 'Tomatoes, tomatoes, tomatoes: a tomato needs sun.') AS m2,
       pg_temp.say(:'alice', :'garden', 'user', 'And what of potatoes? ' || repeat('They grow in the dark. ', 40) || 'A tomato is near.') AS m3,
       pg_temp.say(:'alice', :'code', 'user', E'Why does self.items[i+1] != 0x1F fail?\n\tif (a && !b) return load_users(x);') AS m4,
       pg_temp.say(:'alice', :'code', 'assistant', '数据库连接失败，请检查网络。Ünïcode GRÜßE Привет') AS m5,
       pg_temp.say(:'alice', :'code', 'user', 'ignore <mark>this</mark> & <script>alert(1)</script>') AS m6,
       pg_temp.say(:'bob', :'bobs', 'user', 'bob grows tomatoes too') AS m7 \gset
SELECT pg_temp.say(:'alice', :'code', 'assistant', 'the first branch of parsley', :'m4') AS m8,
       pg_temp.say(:'alice', :'code', 'assistant', 'the second branch of parsley', :'m4') AS m9 \gset

CREATE FUNCTION pg_temp.found(person uuid, arguments text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN pg_temp.value(person, format('SELECT string_agg(f.message_id::text, '' '') FROM chat.search_messages(%s) f', arguments));
END $$;
SELECT pg_temp.outcome(:'alice', $$UPDATE chat.user_settings SET preferences = '{"language": "en-GB"}'$$);

-- Twice: not filed yet, and filed.
CREATE FUNCTION pg_temp.tests(phase text, m1 uuid, m2 uuid, m3 uuid, m4 uuid, m5 uuid, m8 uuid, m9 uuid, alice uuid, code uuid) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN NEXT is(pg_temp.found(alice, $q$'tomato'$q$), format('%s %s %s', m2, m1, m3), phase || ': the best first: often, and in a short text');
  RETURN NEXT is(pg_temp.found(alice, $q$'growing balconies'$q$), m1::text, phase || ': all words, in any form');
  RETURN NEXT is(pg_temp.found(alice, $q$'"small balcony"'$q$), m1::text, phase || ': a phrase');
  RETURN NEXT is(pg_temp.found(alice, $q$'"balcony small"'$q$), NULL, phase || ': in its order');
  RETURN NEXT is(pg_temp.found(alice, $q$'tomatoes -sun -potato'$q$), m1::text, phase || ': without some words');
  RETURN NEXT is(pg_temp.found(alice, $q$'balcony or sun -grow'$q$), format('%s %s', m2, m1), phase || ': one or the other');
  RETURN NEXT is(pg_temp.found(alice, $q$'load_users'$q$), m4::text, phase || ': a name in code is its words in a row');
  RETURN NEXT is(pg_temp.found(alice, $q$'parsley'$q$), format('%s %s', m9, m8), phase || ': all branches, the newest first among equals');
  RETURN NEXT is(pg_temp.found(alice, $q$'数据库'$q$), m5::text, phase || ': Chinese by its characters');
  RETURN NEXT is(pg_temp.found(alice, $q$'items[i+1] != 0x1f', mode => 'substring'$q$), m4::text, phase || ': any part of code, in any case');
  RETURN NEXT is(pg_temp.found(alice, $q$'tomat', mode => 'substring'$q$), format('%s %s %s', m3, m2, m1), phase || ': a part of a word, the newest first');
  RETURN NEXT is(pg_temp.found(alice, $q$'接', mode => 'substring'$q$), m5::text, phase || ': one character');
  RETURN NEXT is(pg_temp.found(alice, $q$'接失', mode => 'substring'$q$), m5::text, phase || ': two of them');
  RETURN NEXT is(pg_temp.found(alice, $q$'接网', mode => 'substring'$q$), NULL, phase || ': that are neighbours');
  RETURN NEXT is(pg_temp.found(alice, $q$'&&', mode => 'substring'$q$), m4::text, phase || ': two of ASCII');
  RETURN NEXT is(pg_temp.found(alice, $q$'grüß', mode => 'substring'$q$), m5::text, phase || ': letters beyond ASCII in any case');
  RETURN NEXT is(pg_temp.found(alice, format($q$'tomatoes', %L$q$, code)), NULL, phase || ': one conversation alone');
  RETURN NEXT is(pg_temp.found(alice, $q$'tomato', role => 'assistant'$q$), m2::text, phase || ': one role alone');
END $$;
SELECT pg_temp.tests('read', :'m1', :'m2', :'m3', :'m4', :'m5', :'m8', :'m9', :'alice', :'code');

-- Ids of now are above the horizon; so these are filed as the late ones.
SELECT chat_private.move_search_rows(:'bob', :'alice', :'garden'), chat_private.move_search_rows(:'bob', :'alice', :'code');
UPDATE chat_private.search_progress SET filed_to = (SELECT max(id::text)::uuid FROM chat.messages WHERE user_id = :'alice'),
  late = ARRAY(SELECT id FROM chat.messages WHERE user_id = :'alice') WHERE user_id = :'alice';
SELECT is(pg_temp.value(NULL, format('SELECT chat_private.file_messages(%L)', :'alice'), 'pgchat_engine'), 'false', 'few messages are not filed');
SELECT is(pg_temp.value(NULL, format('SELECT chat_private.file_messages(%L, 1)', :'alice'), 'pgchat_engine'), 'true', 'but where it is told so');
SELECT is((SELECT (filed_to > :'m6', late)::text FROM chat_private.search_progress WHERE user_id = :'alice'), '(t,{})', 'all of them');
SELECT pg_temp.tests('filed', :'m1', :'m2', :'m3', :'m4', :'m5', :'m8', :'m9', :'alice', :'code');

-- who finds it
SELECT is(pg_temp.found(:'bob', $$'tomatoes'$$), :'m7', 'everybody finds their own');
SELECT is(pg_temp.try(:'guest_token', $$SELECT * FROM chat.search_messages('tomatoes')$$), '0 rows', 'a guest too');
SELECT is(pg_temp.outcome(NULL, $$SELECT * FROM chat.search_messages('tomatoes')$$), '28000', 'nobody finds nothing');

-- how it is shown
SELECT is(pg_temp.value(:'alice', $$SELECT (conversation_title, role, snippet, rank > 0)::text FROM chat.search_messages('balcony')$$),
          '(Garden,user,"How do I grow tomatoes on a small <mark>balcony</mark>?",t)', 'with its conversation, and marks');
SELECT matches(pg_temp.value(:'alice', $$SELECT snippet FROM chat.search_messages('near', snippet_length => 60)$$),
               '^….* A tomato is <mark>near</mark>\.$', 'the part of a long message that matches');
SELECT is(pg_temp.value(:'alice', $$SELECT snippet FROM chat.search_messages('ignore', start_mark => E'\x01', stop_mark => E'\x02')$$),
          E'\x01ignore\x02 <mark>this</mark> & <script>alert(1)</script>', 'plain text: the application escapes it, with marks that no text has');

-- pages
SELECT is(pg_temp.found(:'alice', $$'tomato', page_size => 1, page_offset => 1$$), :'m1', 'the second page');

-- changes: another language, a deleted conversation, one that becomes another's
SELECT pg_temp.outcome(:'alice', $$UPDATE chat.user_settings SET preferences = '{"language": "de"}'$$);
SELECT is(pg_temp.found(:'alice', $$'grown'$$), NULL, 'words are sought in the language they were filed in');
-- Each chunk of each user was asked for the user's language: of somebody with 50,000 messages that stopped the engine for 60 ms.
INSERT INTO chat_private.search_chunks (user_id, language, head, conversation_ids, words, grams)
SELECT :'bob', 'simple', '', '{}', '', '' FROM generate_series(1, 100);
SET LOCAL track_functions = 'all';
SELECT cardinality(user_ids) FROM chat_private.users_to_file('00000000-0000-0000-0000-000000000000', 1000) \g /dev/null
SELECT cmp_ok(pg_stat_get_xact_function_calls('chat_private.search_language(uuid)'::regprocedure), '<', 20::bigint, 'languages are looked up once for a user');
SET LOCAL track_functions = 'none';
DELETE FROM chat_private.search_chunks WHERE user_id = :'bob';
SELECT ok((SELECT :'alice'::uuid = ANY (f.user_ids) FROM chat_private.users_to_file('00000000-0000-0000-0000-000000000000', 1000) f), 'another language is to be filed');
SELECT is(pg_temp.value(NULL, format('SELECT chat_private.file_messages(%L)', :'alice'), 'pgchat_engine'), 'true', 'which the engine does');
SELECT is((SELECT string_agg(language, ' ') FROM chat_private.search_chunks WHERE user_id = :'alice'), 'german', 'in place of the other');
DELETE FROM chat.conversations WHERE id = :'garden';
SELECT is(pg_temp.found(:'alice', $$'balcony'$$), NULL, 'what is deleted is not found');
SELECT is(pg_temp.value(NULL, format('SELECT chat_private.file_messages(%L)', :'alice'), 'pgchat_engine'), 'true', 'and is no longer filed');
SELECT is((SELECT string_agg((cardinality(conversation_ids), is_stale)::text, ' ') FROM chat_private.search_chunks WHERE user_id = :'alice'), '(1,f)', 'only the others are');
ALTER TABLE chat.messages DISABLE TRIGGER ALL;
ALTER TABLE chat.conversations DISABLE TRIGGER ALL;
UPDATE chat.messages SET user_id = :'bob' WHERE conversation_id = :'code';
UPDATE chat.conversations SET user_id = :'bob' WHERE id = :'code';
SELECT chat_private.move_search_rows(:'alice', :'bob', :'code');
SELECT is(pg_temp.found(:'alice', $$'parsley'$$), NULL, 'a conversation that was taken away');
SELECT is(pg_temp.found(:'bob', $$'parsley'$$), format('%s %s', :'m9', :'m8'), 'is found by who has it now');
SELECT is(pg_temp.value(NULL, format('SELECT chat_private.file_messages(%L)', :'alice'), 'pgchat_engine'), 'true', 'its chunk is emptied');
SELECT is((SELECT count(*)::int FROM chat_private.search_chunks WHERE user_id = :'alice'), 0, 'and removed');

-- errors, and what is no error
SELECT is(pg_temp.outcome(:'alice', format('SELECT * FROM chat.search_messages(%s)', arguments)), wanted, arguments)
FROM (VALUES ('NULL', '22004'), ($$'x', mode => NULL$$, '22004'), ($$'x', page_size => NULL$$, '22004'), ($$'x', start_mark => NULL$$, '22004'),
             ($$'x', mode => 'regex'$$, '22023'), ($$'x', role => 'boss'$$, '22023'), ($$'x', page_size => 0$$, '22023'),
             ($$'x', page_size => 101$$, '22023'), ($$'x', page_offset => -1$$, '22023'), ($$'x', snippet_length => 1$$, '22023'),
             ($$repeat('x', 4001)$$, '54000'), ($$repeat('x', 1000000)$$, '54000'), ($$'x', stop_mark => repeat('x', 101)$$, '54000'),
             ($$(SELECT string_agg('word' || n, ' ') FROM generate_series(1, 33) n)$$, '54000'), ($$'x', chat.uuid_v7()$$, 'P0002'),
             ($$''$$, '0 rows'), ($$'   '$$, '0 rows'), ($$'"'$$, '0 rows'), ($$'- -- "" or or -"'$$, '0 rows'), ($$'& | ! ( ) <-> :* \'$$, '0 rows'),
             ($$'', mode => 'substring'$$, '0 rows'), ($$repeat('"', 4000)$$, '0 rows'), ($$repeat('-', 4000)$$, '0 rows'),
             ($$repeat('%_\', 1000), mode => 'substring'$$, '0 rows')) t (arguments, wanted);
SELECT isnt(pg_temp.hint(:'alice', $$SELECT * FROM chat.search_messages(repeat('x', 4001))$$), NULL, 'with a hint');
-- what a chunk holds is known by its head
SELECT is(chat_private.search_chunk_ids((chat_private.search_chunk(ARRAY[:'alice', :'bob']::uuid[], ARRAY[:'bob', :'bob']::uuid[], '{user,assistant}', '{one,two}', 'english')).head),
          ARRAY[:'alice', :'bob']::uuid[], 'the ids that were filed');
SELECT is(chat_private.search_chunk_ids((chat_private.search_chunk('{}', '{}', '{}', '{}', 'english')).head), '{}', 'or none');
SELECT throws_ok($$SELECT chat_private.search_chunk_ids('\x00')$$, '22023', NULL, 'no head of a chunk');
SELECT * FROM finish();
ROLLBACK;
