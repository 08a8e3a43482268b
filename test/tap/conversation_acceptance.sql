-- What users of chat products expect of a history, where no test of one part holds it: a picture sent without a word, a share left by
-- whom it is with, a chat of Open WebUI that goes on with its model.
BEGIN;
\ir people.psql
SELECT plan(26);
CREATE FUNCTION pg_temp.picture() RETURNS text LANGUAGE sql AS $$
  SELECT 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==' $$;
CREATE FUNCTION pg_temp.text_file() RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('data', encode('a,b', 'base64'), 'media_type', 'text/csv', 'name', 'a.csv') $$;
CREATE FUNCTION pg_temp.settle(conversation uuid) RETURNS void LANGUAGE sql AS $$
  UPDATE chat.messages SET status = 'complete', content = 'fine', content_hash = chat.content_hash('fine')
  WHERE conversation_id = conversation AND status = 'pending' $$;

-- Files without text.
SELECT pg_temp.got(:'alice_token', 'SELECT chat.update_settings(preferences => ''{"title_rule": "first_words"}'')') \gset p_
SELECT pg_temp.got(:'alice_token', 'SELECT chat.create_conversation()') AS conv \gset
SELECT pg_temp.got(:'alice_token', format('SELECT user_message_id FROM chat.send_message(%L, $$$$, attachments => %L)', :'conv', jsonb_build_array(pg_temp.picture()))) AS message \gset
SELECT results_eq(format('SELECT content, content_hash = chat.content_hash(''''), attachment_count::integer FROM chat.messages WHERE id = %L', :'message'),
                  $$VALUES ('', true, 1)$$, 'a picture alone is a message');
SELECT is((SELECT title || ', ' || title_source FROM chat.conversations WHERE id = :'conv'), 'New Conversation, rule', 'there are no first words of it');
SELECT pg_temp.settle(:'conv');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.send_message(%L, %L, attachments => %L)', :'conv', c.content, c.attachments)), c.outcome, c.what)
FROM (VALUES ('', '[]', '2200F', 'an empty list of files is none'), ('', NULL, '2200F', 'no file and no text'), ('', 'null', '2200F', 'JSON null is no file'),
             ('', '{"data": "x"}', '2200F', 'an object is no list'), (NULL, jsonb_build_array(pg_temp.picture())::text, '22004', 'NULL is no text')) c (content, attachments, outcome, what);
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.ask(%L, $$ $$, attachments => $$[]$$)', :'conv')), '2200F', 'nor for chat.ask');
SELECT is(chat_private.joined_parts(c.content, ARRAY[c.part]::jsonb[]), c.told, c.what)
FROM (VALUES (E' \n', '{"type": "image_url"}'::jsonb, '[{"text": "", "type": "text"}, {"type": "image_url"}]'::jsonb, 'blank text is not told with an image'),
             ('', '{"type": "text", "text": "quoted"}', '"quoted"', 'nor with a text file'),
             (E'see\n', '{"type": "text", "text": "quoted"}', '"see\n\n\nquoted"', 'other text is, as it is')) c (content, part, told, what);
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.edit_message(%L, $$$$)', :'message')), '1 rows', 'its new version needs no text');
SELECT pg_temp.settle(:'conv');
SELECT pg_temp.got(:'alice_token', format('SELECT user_message_id FROM chat.send_message(%L, $$words$$)', :'conv')) AS plain \gset
SELECT pg_temp.settle(:'conv');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.edit_message(%L, $$$$)', :'plain')), '2200F', 'that of a message without files does');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.edit_message((SELECT id FROM chat.messages WHERE parent_id = %L), $$$$)', :'plain')), '2200F', 'and so does a reply');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.search_messages($$words$$)')), '1 rows', 'searches pass over it');
SELECT alike(pg_temp.got(:'alice_token', format('SELECT chat.export_conversation(%L, $$markdown$$)', :'conv')), '%- Image: %', 'Markdown names the picture');

-- Leaving what is shared.
SELECT pg_temp.got(:'worker_token', 'SELECT chat.create_conversation($$Plans$$)') AS plans \gset
SELECT pg_temp.got(:'worker_token', format('SELECT chat.grant_conversation(%L, $$bob$$)', :'plans')) AS share \gset
UPDATE chat.users SET display_name = NULL, username = NULL WHERE id = :'worker';
SELECT is(pg_temp.got(:'bob_token', 'SELECT owner_name FROM chat.list_shared_with_me()'), 'wendy@example.com', 'an owner without names is known by address');
SELECT is(pg_temp.try(t.token, format('SELECT chat.leave_shared(%L)', :'share')), t.outcome, t.who || ' cannot leave it')
FROM (VALUES (:'alice_token', 'P0002', 'another user'), (:'worker_token', 'P0002', 'the owner'), (NULL, '28000', 'nobody')) t (token, outcome, who);
SELECT is(pg_temp.try(:'bob_token', 'SELECT chat.leave_shared(NULL)'), '22004', 'NULL');
SELECT is(pg_temp.try(:'bob_token', format('SELECT chat.leave_shared(%L)', :'share')), '1 rows', 'whom it is with can');
SELECT is(pg_temp.try(:'bob_token', 'SELECT * FROM chat.list_shared_with_me()')
          || ', ' || pg_temp.try(:'bob_token', format('SELECT * FROM chat.read_shared_conversation(%L)', :'share')), '0 rows, P0002', 'and has it no more');
SELECT is(pg_temp.try(:'worker_token', 'SELECT * FROM chat.list_my_shares()'), '0 rows', 'nor does the owner list it');

-- An imported chat goes on with its model, where the user can ask it.
CREATE FUNCTION pg_temp.chat(model text) RETURNS text LANGUAGE sql AS $$
  SELECT jsonb_build_array(jsonb_build_object('id', model, 'title', 'Imported', 'chat', jsonb_build_object('models', jsonb_build_array(model), 'history',
    '{"messages": {"m": {"id": "m", "role": "user", "content": "hello"}}, "currentId": "m"}'::jsonb)))::text $$;
SELECT pg_temp.got(:'bob_token', format('SELECT conversation_id FROM chat.import_conversations(%L::text)', pg_temp.chat('test-model'))) AS imported \gset
SELECT is((SELECT model FROM chat.conversations WHERE id = :'imported'), 'test-model', 'the model of a chat of Open WebUI is kept');
SELECT is(pg_temp.got(:'bob_token', format('SELECT (status, reason) FROM chat.import_conversations(%L::text)', pg_temp.chat('llama3:8b'))),
          '(imported,"model ""llama3:8b"" is not available")', 'or it is told that it is not there');
SELECT * FROM finish();
ROLLBACK;
