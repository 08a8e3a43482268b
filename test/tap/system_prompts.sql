-- System prompts: those for all with exactly one default, personal ones, and the text that a conversation keeps.
BEGIN;
\ir people.psql
SELECT plan(106);
\set nil '''00000000-0000-0000-0000-000000000000'''
CREATE FUNCTION pg_temp.defaults() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(name, ' ' ORDER BY name) FROM chat.system_prompts WHERE is_default
$$;
CREATE FUNCTION pg_temp.pinned(conversation uuid) RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws('/', system_prompt, (SELECT name FROM chat.system_prompts p WHERE p.id = system_prompt_id)) FROM chat.conversations WHERE id = conversation
$$;

-- Without any.
SELECT pg_temp.got(:'alice_token', 'SELECT chat.create_conversation()') AS before \gset
SELECT is(pg_temp.pinned(:'before'), '', 'without prompts a conversation has none');

-- admin_create_system_prompt
SELECT pg_temp.got(:'admin_token', $$SELECT chat.admin_create_system_prompt('Brief', 'Be brief.')$$) AS brief \gset
SELECT is(pg_temp.defaults(), 'Brief', 'the first one is the default');
SELECT pg_temp.got(:'admin_token', $$SELECT chat.admin_create_system_prompt('Long', 'Be long.', 'At length')$$) AS long \gset
SELECT is(pg_temp.defaults(), 'Brief', 'the second is not');
SELECT pg_temp.got(NULL, $$SELECT chat.admin_create_system_prompt('Kind', 'Be kind.', '', true)$$, 'pgchat_service') AS kind \gset
SELECT is(pg_temp.defaults(), 'Kind', 'unless it is meant to be');
SELECT is((SELECT (user_id, description, content)::text FROM chat.system_prompts WHERE id = :'long'), '(00000000-0000-0000-0000-000000000000,"At length","Be long.")', 'what is kept');
SELECT is(pg_temp.audited('admin.create_system_prompt', 'system_prompt:' || id), 1, 'audited') FROM unnest(ARRAY[:'brief', :'long', :'kind']) id;
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_create_system_prompt(%s)', arguments)), sqlstate, what)
FROM (VALUES ('NULL, ''x''', '22004', 'no name'), ('''x'', NULL', '22004', 'no content'), ('''x'', ''x'', NULL, NULL', '22004', 'default or not'),
             (''' '', ''x''', '22023', 'an empty name'), ('E''a\nb'', ''x''', '22023', 'a name of two lines'), ('''x'', '' ''', '2200F', 'empty content'),
             ('repeat(''x'', 256), ''x''', '54000', 'a long name'), ('''x'', repeat(''x'', 2000000)', '54000', '2 MB'),
             ('''x'', ''x'', repeat(''x'', 10001)', '54000', 'a long description'), ('''Brief'', ''x''', '23505', 'a name that is taken')) t (arguments, sqlstate, what);
SELECT is(pg_temp.defaults(), 'Kind', 'a failed one changes nothing');

-- Those who administer nothing.
SELECT is(pg_temp.try(token, statement), '42501', who || ' does not ' || statement)
FROM (VALUES (:'alice_token', 'a user'), (:'supa_token', 'a supervisor'), (:'guest_token', 'a guest'), (NULL, 'nobody')) w (token, who),
     (VALUES ($$SELECT chat.admin_create_system_prompt('x', 'x')$$), (format($$SELECT chat.admin_update_system_prompt(%L, 'x')$$, :'brief')),
             (format('SELECT chat.admin_set_default_system_prompt(%L)', :'brief')), (format('SELECT chat.admin_delete_system_prompt(%L)', :'brief'))) s (statement);
SELECT is((SELECT string_agg(name, ' ' ORDER BY name) FROM chat.system_prompts WHERE user_id = :nil), 'Brief Kind Long', 'so all is as it was');

-- What conversations begin with and keep.
SELECT pg_temp.got(:'alice_token', 'SELECT chat.create_conversation()') AS conv, pg_temp.got(:'guest_token', 'SELECT chat.create_conversation()') AS guests,
       pg_temp.got(:'alice_token', $$SELECT chat.create_conversation(system_prompt => 'Mine.')$$) AS own, pg_temp.got(:'alice_token', $$SELECT chat.create_conversation(system_prompt => '')$$) AS none \gset
SELECT is(pg_temp.pinned(id::uuid), wanted, what) FROM (VALUES (:'conv', 'Be kind./Kind', 'the default'), (:'guests', 'Be kind./Kind', 'for a guest, too'),
  (:'own', 'Mine.', 'one that is given'), (:'none', '', 'none, as is told'), (:'before', '', 'and one that was there before keeps none')) t (id, wanted, what);
SELECT is(pg_temp.try(:'admin_token', format($$SELECT chat.admin_update_system_prompt(%L, 'Kinder', 'Be kinder.', 'New')$$, :'kind')), '1 rows', 'editing the prompt');
SELECT is((SELECT (name, content, description)::text FROM chat.system_prompts WHERE id = :'kind'), '(Kinder,"Be kinder.",New)', 'changes it');
SELECT is(pg_temp.pinned(:'conv'), 'Be kind./Kinder', 'and not the conversation');
SELECT is(pg_temp.try(:'admin_token', format($$SELECT chat.admin_update_system_prompt(%L, description => '')$$, :'kind')), '1 rows', 'editing a part');
SELECT is((SELECT (name, content, description)::text FROM chat.system_prompts WHERE id = :'kind'), '(Kinder,"Be kinder.",)', 'leaves the others');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_update_system_prompt(%s)', arguments)), sqlstate, what)
FROM (VALUES ('NULL', '22004', 'editing NULL'), ('chat.uuid_v7()', 'P0002', 'editing what there is not'), (format('%L, ''Brief''', :'kind'), '23505', 'a name that is taken'),
             (format('%L, content => '' ''', :'kind'), '2200F', 'emptying one'), (format('%L, '' ''', :'kind'), '22023', 'an empty name'),
             (format('%L, content => repeat(''x'', 2000000)', :'kind'), '54000', '2 MB')) t (arguments, sqlstate, what);

-- use_system_prompt
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.use_system_prompt(%L, %L)', :'conv', :'long')), '1 rows', 'choosing another');
SELECT is(pg_temp.pinned(:'conv'), 'Be long./Long', 'pins its text');
SELECT is(pg_temp.got(:'alice_token', format($$SELECT c.system_prompt FROM chat.update_conversation(%L, system_prompt => 'By hand.') c$$, :'conv')), 'By hand.', 'one written by hand');
SELECT is(pg_temp.pinned(:'conv'), 'By hand.', 'is from none');
SELECT is(pg_temp.try(token, format('SELECT chat.use_system_prompt(%s, %s)', conversation, prompt)), sqlstate, what)
FROM (VALUES (:'alice_token', 'NULL', quote_literal(:'long'), '22004', 'no conversation'), (:'alice_token', quote_literal(:'conv'), 'NULL', '22004', 'no prompt'),
             (:'alice_token', quote_literal(:'conv'), 'chat.uuid_v7()', 'P0002', 'a prompt that there is not'),
             (:'bob_token', quote_literal(:'conv'), quote_literal(:'long'), 'P0002', 'somebody else''s conversation'),
             (:'admin_token', quote_literal(:'conv'), quote_literal(:'long'), 'P0002', 'by an administrator'),
             (NULL, quote_literal(:'conv'), quote_literal(:'long'), '28000', 'by nobody')) t (token, conversation, prompt, sqlstate, what);

-- admin_set_default_system_prompt and admin_delete_system_prompt
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_set_default_system_prompt(%L)', :'brief')), '1 rows', 'another default');
SELECT is(pg_temp.defaults(), 'Brief', 'in place of the one that was');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_set_default_system_prompt(%L)', :'brief')), '1 rows', 'again');
SELECT is(pg_temp.try(:'admin_token', 'SELECT chat.admin_set_default_system_prompt(NULL)'), '22004', 'NULL');
SELECT is(pg_temp.try(:'admin_token', 'SELECT chat.admin_set_default_system_prompt(chat.uuid_v7())'), 'P0002', 'one that there is not');
SELECT is(pg_temp.defaults(), 'Brief', 'which takes no default away');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_delete_system_prompt(%L)', :'brief')), '55000', 'the default stays while there are others');
SELECT matches(pg_temp.hint_of(:'admin_token', format('SELECT chat.admin_delete_system_prompt(%L)', :'brief')), 'another default first', 'with a hint');
SELECT is(pg_temp.try(:'admin_token', 'SELECT chat.admin_delete_system_prompt(NULL)'), '22004', 'removing NULL');
SELECT is(pg_temp.try(:'admin_token', 'SELECT chat.admin_delete_system_prompt(chat.uuid_v7())'), 'P0002', 'removing what there is not');
SELECT pg_temp.got(:'alice_token', format('SELECT chat.use_system_prompt(%L, %L)', :'conv', :'kind')) \g /dev/null
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_delete_system_prompt(%L)', id)), '1 rows', 'the default goes last') FROM unnest(ARRAY[:'kind', :'long', :'brief']) id;
SELECT is(pg_temp.pinned(:'conv'), 'Be kinder.', 'the conversation keeps the text of one that is gone');
SELECT is(pg_temp.audited('admin.delete_system_prompt', 'system_prompt:' || :'brief'), 1, 'audited');

-- The database holds to one default, whoever writes.
SET CONSTRAINTS ALL IMMEDIATE;
INSERT INTO chat.system_prompts (user_id, name, content) VALUES (:nil, 'a', 'a'), (:nil, 'b', 'b');
SELECT is(pg_temp.defaults(), 'a', 'the first row is the default');
INSERT INTO chat.system_prompts (user_id, name, content, is_default) VALUES (:nil, 'c', 'c', true);
SELECT is(pg_temp.defaults(), 'c', 'a row that comes as the default takes its place: a restore may bring rows in any order');
SET CONSTRAINTS ALL IMMEDIATE;
SELECT throws_ok($$UPDATE chat.system_prompts SET is_default = false WHERE name = 'c'$$, '23514', NULL, 'none is not allowed');
SELECT throws_ok($$UPDATE chat.system_prompts SET is_default = true WHERE name = 'a'$$, '23505', NULL, 'nor are two');
SELECT throws_ok($$DELETE FROM chat.system_prompts WHERE name = 'c'$$, '23514', NULL, 'nor to remove it alone');
SELECT lives_ok($$DELETE FROM chat.system_prompts WHERE user_id = '00000000-0000-0000-0000-000000000000'$$, 'but with all others');
SET CONSTRAINTS ALL DEFERRED;

-- Personal ones.
SELECT pg_temp.got(:'admin_token', $$SELECT chat.admin_create_system_prompt('Brief', 'Be brief.')$$) AS brief,
       pg_temp.got(:'alice_token', $$SELECT chat.save_system_prompt('Brief', 'My brief.', 'Own')$$) AS mine, pg_temp.got(:'guest_token', $$SELECT chat.save_system_prompt('G', 'g')$$) AS guests_own \gset
SELECT is(pg_temp.got(:'alice_token', $$SELECT string_agg(concat_ws(',', name, content, description, is_personal, is_default), ' ') FROM chat.list_system_prompts()$$),
          'Brief,Be brief.,f,t Brief,My brief.,Own,t,f', 'those for all, then one''s own');
SELECT is(pg_temp.got(:'bob_token', 'SELECT count(*) FROM chat.list_system_prompts()'), '1', 'and nobody else''s');
SELECT is(pg_temp.try(NULL, 'SELECT * FROM chat.list_system_prompts()'), '28000', 'nobody lists them');
SELECT is(pg_temp.got(:'alice_token', format($$SELECT chat.save_system_prompt('Terse', 'Terse.', id => %L)$$, :'mine')), :'mine', 'replacing one');
SELECT is((SELECT (name, content, description)::text FROM chat.system_prompts WHERE id = :'mine'), '(Terse,Terse.,)', 'as a whole');
SELECT is(pg_temp.try(token, format('SELECT chat.%s', call)), sqlstate, what)
FROM (VALUES (:'alice_token', 'save_system_prompt(NULL, ''x'')', '22004', 'no name'), (:'alice_token', 'save_system_prompt(''x'', NULL)', '22004', 'no content'),
             (:'alice_token', 'save_system_prompt('''', ''x'')', '22023', 'an empty name'), (:'alice_token', 'save_system_prompt(''x'', '' '')', '2200F', 'empty content'),
             (:'alice_token', 'save_system_prompt(repeat(''x'', 256), ''x'')', '54000', 'a long name'), (:'alice_token', 'save_system_prompt(''Terse'', ''x'')', '23505', 'a name that is taken'),
             (:'bob_token', format('save_system_prompt(''x'', ''x'', id => %L)', :'mine'), 'P0002', 'somebody else''s'), (:'alice_token', format('save_system_prompt(''x'', ''x'', id => %L)', :'brief'), 'P0002', 'one for all'),
             (:'admin_token', format('delete_system_prompt(%L)', :'mine'), 'P0002', 'an administrator does not remove it'), (:'alice_token', format('delete_system_prompt(%L)', :'brief'), 'P0002', 'nor a user one for all'),
             (:'alice_token', 'delete_system_prompt(NULL)', '22004', 'removing NULL'), (NULL, format('delete_system_prompt(%L)', :'mine'), '28000', 'nobody removes one'), (NULL, 'save_system_prompt(''x'', ''x'')', '28000', 'nor keeps one'),
             (:'bob_token', format('use_system_prompt(%L, %L)', :'guests', :'mine'), 'P0002', 'nor uses another''s')) t (token, call, sqlstate, what);
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.use_system_prompt(%L, %L)', :'conv', :'mine')), '1 rows', 'using one''s own');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.delete_system_prompt(%L)', :'mine')), '1 rows', 'removing it');
SELECT is(pg_temp.pinned(:'conv'), 'Terse.', 'leaves the text');
SELECT is(pg_temp.try(:'alice_token', $$INSERT INTO chat.system_prompts (user_id, name, content) VALUES ('00000000-0000-0000-0000-000000000000', 'x', 'x')$$), '42501', 'clients write no prompt for all');
SELECT * FROM finish();
ROLLBACK;
