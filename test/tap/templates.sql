-- Templates: keeping them for oneself and for all, and conversations made from them.
BEGIN;
\ir people.psql
SELECT plan(83);
\set messages '[{"role": "system", "content": "Be {{tone}}."}, {"role": "user", "content": "Explain {{topic}} to {{ reader }}. {{topic}}!"}, {"role": "assistant", "content": "What of {{ it? }} {{1x}} {x}?"}]'
SELECT pg_temp.got(:'admin_token', format($$SELECT chat.admin_save_template('Lesson', 'Teach {{topic}}.', 'test-model', %L, 'On {{topic}}', 'For pupils')$$, :'messages')) AS lesson,
       pg_temp.got(:'alice_token', $$SELECT chat.save_template('Mine')$$) AS mine \gset

-- fill_placeholders
SELECT is(chat_private.fill_placeholders(template, vals), wanted, what)
FROM (VALUES ('{{a}} and {{ b }}{{a}}', jsonb '{"a": "x", "b": 2}', 'x and 2x', 'each is filled in'),
             ('{{a}}', '{"a": "{{b}}", "b": "no"}', '{{b}}', 'a value is not filled in again'),
             ('{{a}}', '{"a": "\\1 & $1 %s"}', '\1 & $1 %s', 'and is put in as it is'),
             ('{{{a}}} {{a b}} {{}} {a}', '{"a": "x"}', '{x} {{a b}} {{}} {a}', 'what is no placeholder stays'),
             ('', '{}', '', 'an empty text'), (NULL, '{}', NULL, 'none')) t (template, vals, wanted, what);

-- Keeping them.
SELECT is(pg_temp.got(:'alice_token', $$SELECT string_agg(concat_ws('|', name, description, title, system_prompt, model, jsonb_array_length(messages), placeholders, is_personal), ' ') FROM chat.list_templates()$$),
          'Lesson|For pupils|On {{topic}}|Teach {{topic}}.|test-model|3|{reader,tone,topic}|f Mine|0|{}|t', 'those for all, then one''s own');
SELECT is(pg_temp.got(:'bob_token', 'SELECT count(*) FROM chat.list_templates()'), '1', 'and nobody else''s');
SELECT is(pg_temp.try(NULL, 'SELECT * FROM chat.list_templates()'), '28000', 'nobody lists them');
SELECT is(pg_temp.got(:'alice_token', format($$SELECT chat.save_template('Ours', 'x', NULL, '[{"role": "user", "content": "x"}]', id => %L)$$, :'mine')), :'mine', 'replacing one');
SELECT is((SELECT (name, system_prompt, messages)::text FROM chat.conversation_templates WHERE id = :'mine'), '(Ours,x,"[{""role"": ""user"", ""content"": ""x""}]")', 'as a whole');
SELECT is(pg_temp.try(:'guest_token', $$SELECT chat.save_template('Ours')$$), '1 rows', 'a guest has names of their own');
SELECT chat.admin_register_model('test-provider', 'closed-model', options => '{"is_open": false}') \g /dev/null
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.save_template(%s)', arguments)), sqlstate, what)
FROM (VALUES ('NULL', '22004', 'no name'), (''' ''', '22023', 'an empty name'), ('repeat(''x'', 256)', '54000', 'a long name'), ('''Ours''', '23505', 'a name that is taken'),
             ('''x'', title => repeat(''x'', 501)', '54000', 'a long title'), ('''x'', repeat(''x'', 2000000)', '54000', 'a system prompt of 2 MB'), ('''x'', description => repeat(''x'', 10001)', '54000', 'a long description'),
             ('''x'', model => ''nothing''', '42704', 'no such model'), ('''x'', model => ''closed-model''', '42501', 'a model that is not open'),
             ('''x'', id => chat.uuid_v7()', 'P0002', 'replacing what there is not'), (format('''x'', id => %L', :'lesson'), 'P0002', 'replacing one for all'),
             ('''x'', messages => (SELECT jsonb_agg(jsonb ''{"role": "user", "content": "x"}'') FROM generate_series(1, 101))', '54000', '101 messages'),
             ('''x'', messages => jsonb_build_array(jsonb_build_object(''role'', ''user'', ''content'', repeat(''x'', 2000000)))', '54000', 'messages of 2 MB')) t (arguments, sqlstate, what);
SELECT is(pg_temp.try(:'alice_token', format($$SELECT chat.save_template('x', messages => %L)$$, messages)), 'PC001', 'messages ' || messages)
FROM unnest(ARRAY['{}', '1', 'null', '["x"]', '[{}]', '[{"role": "user"}]', '[{"role": "tool", "content": "x"}]', '[{"role": "user", "content": 1}]', '[{"role": "user", "content": " "}]', '[{"role": "user", "content": "x", "more": 1}]']) messages;
SELECT is(pg_temp.try(token, format($$SELECT chat.save_template('x', id => %L)$$, :'mine')), sqlstate, 'replaced by ' || who)
FROM (VALUES (:'bob_token', 'P0002', 'somebody else'), (:'admin_token', 'P0002', 'an administrator'), (NULL, '28000', 'nobody')) t (token, sqlstate, who);
SELECT is(pg_temp.try(token, statement), '42501', who || ' does not ' || statement)
FROM (VALUES (:'alice_token', 'a user'), (:'guest_token', 'a guest'), (NULL, 'nobody')) w (token, who),
     (VALUES ($$SELECT chat.admin_save_template('x')$$), (format('SELECT chat.admin_delete_template(%L)', :'lesson'))) s (statement);
SELECT is(pg_temp.audited('admin.save_template', 'template:' || :'lesson'), 1, 'one for all is audited');

-- create_from_template
SELECT pg_temp.got(:'alice_token', format('SELECT chat.create_from_template(%L, %L)', :'lesson', '{"topic": "rivers", "reader": "{{tone}}", "tone": "kind", "more": 1}')) AS conv \gset
SELECT is((SELECT (title, title_source, system_prompt, model)::text FROM chat.conversations WHERE id = :'conv' AND user_id = :'alice'), '("On rivers",given,"Teach rivers.",test-model)', 'a conversation as the template says');
SELECT is(pg_temp.got(:'alice_token', format($$SELECT string_agg(role || ':' || content, ' / ') FROM chat.list_messages(%L)$$, :'conv')),
          'system:Be kind. / user:Explain rivers to {{tone}}. rivers! / assistant:What of {{ it? }} {{1x}} {x}?', 'with its first messages, one branch');
SELECT is_empty(format($$SELECT FROM chat.messages WHERE conversation_id = %L AND (content_hash IS DISTINCT FROM chat.content_hash(content) OR status <> 'complete')$$, :'conv'), 'which have hashes and are complete');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.send_message(%L, $$x$$)', :'conv')), '1 rows', 'and is continued');
SELECT is((SELECT count(*)::int FROM chat_private.llm_requests WHERE conversation_id = :'conv'), 1, 'no model was asked before');
SELECT pg_temp.got(:'alice_token', format($$SELECT chat.create_from_template(%L, '{"topic": "x", "reader": "x", "tone": "x"}', 'Own title')$$, :'lesson')) AS titled \gset
SELECT is((SELECT title FROM chat.conversations WHERE id = :'titled'), 'Own title', 'a title of one''s own');
SELECT is(pg_temp.try(:'guest_token', format('SELECT chat.create_from_template(%L, %L)', :'lesson', '{"topic": "x", "reader": "x", "tone": true}')), '1 rows', 'a guest uses one for all');
SELECT count(*) AS conversations FROM chat.conversations \gset
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.create_from_template(%s)', arguments)), sqlstate, what)
FROM (VALUES ('NULL', '22004', 'a template NULL'), ('chat.uuid_v7()', 'P0002', 'no such template'), (format('%L', :'lesson'), '22023', 'no values'),
             (format('%L, NULL', :'lesson'), '22023', 'values NULL'), (format('%L, ''[]''', :'lesson'), '22023', 'values in an array'),
             (format('%L, %L', :'lesson', '{"topic": {}, "reader": "x", "tone": "x"}'), '22023', 'a value that is an object'),
             (format('%L, %L', :'lesson', '{"topic": null, "reader": "x", "tone": "x"}'), '22023', 'a value that is null'),
             (format('%L, jsonb_build_object(''topic'', repeat(''x'', 600), ''reader'', 1, ''tone'', 1)', :'lesson'), '54000', 'a title that gets too long'),
             (format('%L, jsonb_build_object(''topic'', 1, ''reader'', repeat(''x'', 2000000), ''tone'', 1)', :'lesson'), '54000', 'a message that gets too long')) t (arguments, sqlstate, what);
SELECT throws_like(format('SELECT pg_temp.got(%L, %L)', :'alice_token', format('SELECT chat.create_from_template(%L, %L)', :'lesson', '{"topic": "x", "reader": "x"}')), '%placeholder "tone"%', 'a missing value is named');
SELECT is(pg_temp.try(:'bob_token', format('SELECT chat.create_from_template(%L)', :'mine')), 'P0002', 'somebody else''s template');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.create_from_template(%L)', :'mine')), 'P0002', 'by an administrator');
SELECT is(pg_temp.try(NULL, format('SELECT chat.create_from_template(%L)', :'lesson')), '28000', 'by nobody');
SELECT pg_temp.got(:'admin_token', $$SELECT chat.admin_save_template('Closed', model => 'closed-model')$$) AS closed,
       pg_temp.got(:'admin_token', $$SELECT chat.admin_save_template('Empty', messages => '[{"role": "user", "content": "{{x}}"}]')$$) AS empty \gset
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.create_from_template(%L)', :'closed')), '42501', 'a model that is not open to the user');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.create_from_template(%L, %L)', :'empty', '{"x": " "}')), '2200F', 'a message that is empty once filled in');
SELECT is((SELECT count(*) FROM chat.conversations), :conversations::bigint, 'what fails leaves no conversation');

-- The default prompt, and none.
SELECT pg_temp.got(:'admin_token', $$SELECT chat.admin_create_system_prompt('Default', 'Be brief.')$$),
       pg_temp.got(:'alice_token', $$SELECT chat.save_template('Plain')$$) AS plain, pg_temp.got(:'alice_token', $$SELECT chat.save_template('None', '')$$) AS none \gset
SELECT pg_temp.got(:'alice_token', format('SELECT chat.create_from_template(%L)', :'plain')) AS prompted \gset
SELECT is((SELECT system_prompt FROM chat.conversations WHERE id = :'prompted'), 'Be brief.', 'a template without a system prompt gives the default');
SELECT pg_temp.got(:'alice_token', format('SELECT chat.create_from_template(%L)', :'none')) AS bare \gset
SELECT is((SELECT system_prompt FROM chat.conversations WHERE id = :'bare'), NULL, 'and one with an empty one none');

-- Plan limits hold for each way to make a conversation.
SELECT pg_temp.outcome(NULL, $$SELECT chat.admin_save_plan('guest', 'Guest', NULL, '{"conversations": 2}')$$, 'pgchat_service') \g /dev/null
SELECT is(pg_temp.try(:'guest_token', 'SELECT chat.create_conversation()'), '1 rows', 'as many as the plan allows');
SELECT is(pg_temp.try(:'guest_token', statement), 'PC303', 'and no more: ' || statement)
FROM (VALUES ('SELECT chat.create_conversation()'), (format('SELECT chat.create_from_template(%L, %L)', :'lesson', '{"topic": "x", "reader": "x", "tone": 1}'))) t (statement);

-- Removing.
SELECT is(pg_temp.try(token, format('SELECT chat.%s', call)), sqlstate, what)
FROM (VALUES (:'bob_token', format('delete_template(%L)', :'mine'), 'P0002', 'somebody else does not remove it'), (:'admin_token', format('delete_template(%L)', :'mine'), 'P0002', 'nor does an administrator'),
             (:'alice_token', format('delete_template(%L)', :'lesson'), 'P0002', 'nor a user one for all'), (NULL, format('delete_template(%L)', :'mine'), '28000', 'nor does nobody'),
             (:'alice_token', 'delete_template(NULL)', '22004', 'NULL'), (:'alice_token', format('delete_template(%L)', :'mine'), '1 rows', 'its owner does'),
             (:'admin_token', 'admin_delete_template(NULL)', '22004', 'NULL for all'), (:'admin_token', format('admin_delete_template(%L)', :'bare'), 'P0002', 'what there is not'),
             (:'admin_token', format('admin_delete_template(%L)', :'lesson'), '1 rows', 'an administrator removes one for all')) t (token, call, sqlstate, what);
SELECT is((SELECT count(*)::int FROM chat.messages WHERE conversation_id = :'conv'), 5, 'which leaves the conversations made from it');
SELECT * FROM finish();
ROLLBACK;
