-- Titles by rule: of the installation, of a user, at the beginning and from the first message.
BEGIN;
\ir setup.psql
SELECT plan(42);
CREATE FUNCTION pg_temp.titled(conversation uuid) RETURNS text LANGUAGE sql AS $$ SELECT title || '/' || title_source FROM chat.conversations WHERE id = conversation $$;
CREATE FUNCTION pg_temp.opened(person uuid, title text DEFAULT NULL) RETURNS uuid LANGUAGE sql AS $$
  SELECT pg_temp.value(person, format('SELECT chat.create_conversation(%L)', title))::uuid
$$;
CREATE FUNCTION pg_temp.sent(person uuid, conversation uuid, content text) RETURNS uuid LANGUAGE sql AS $$
  SELECT pg_temp.value(person, format('SELECT assistant_message_id FROM chat.send_message(%L, %L)', conversation, content))::uuid
$$;

-- The first words.
SELECT is(chat_private.first_words(content), wanted, what)
FROM (VALUES ('How do rivers form?', 'How do rivers form?', 'a short line is left as it is'),
             (E'\n\n  \t Two   spaces\tand a tab  \nsecond line', 'Two spaces and a tab', 'the first line that is not blank, with single spaces'),
             (E'one\r\ntwo', 'one', 'a line that ends as on Windows'),
             (repeat('a', 60), repeat('a', 60), '60 characters are kept'),
             ('Please explain in simple words how the water cycle works, and why it matters to everybody', 'Please explain in simple words how the water cycle works…', 'cut after a word, without the comma'),
             ('Please explain in simple words how this water cycle does work out', 'Please explain in simple words how this water cycle does…', 'the word that does not fit whole is left out'),
             ('Please explain in simple words how that water cycle does goes on', 'Please explain in simple words how that water cycle does…', 'also where it does by its first letters'),
             (repeat('水循環', 30), repeat('水循環', 20) || '…', 'a language without spaces is cut between characters'),
             (repeat('x', 100), repeat('x', 60) || '…', 'as is a word without an end'),
             (repeat('x', 58) || 'e' || U&'\0301' || 'e' || U&'\0301' || 'zzzz', repeat('x', 58) || 'e' || U&'\0301' || '…', 'an accent stays with its letter'),
             (repeat(U&'\0301', 61), repeat(U&'\0301', 60) || '…', 'nothing but accents is cut as it comes'),
             (E' \n\t ', NULL, 'blank text has none')) t (content, wanted, what);

-- new_conversation, the default
SELECT pg_temp.opened(:'alice') AS plain \gset
SELECT is(pg_temp.titled(:'plain'), 'New Conversation/rule', 'by default all begin with the same title');
SELECT ok(pg_temp.sent(:'alice', :'plain', 'How do rivers form?') IS NOT NULL, 'a message is sent');
SELECT is(pg_temp.titled(:'plain'), 'New Conversation/rule', 'which keep it');
SELECT is(pg_temp.titled(pg_temp.opened(:'alice', 'Mine')), 'Mine/given', 'one that is given');

-- numbered
SELECT chat.admin_set_setting('title_rule', '"numbered"') \g /dev/null
SELECT is(pg_temp.titled(pg_temp.opened(:'alice')), 'Untitled 1/rule', 'the first number');
SELECT pg_temp.opened(:'alice', 'Other') AS other \gset
SELECT is(pg_temp.titled(pg_temp.opened(:'alice')), 'Untitled 2/rule', 'the second, those with titles not counted');
DELETE FROM chat.conversations WHERE title LIKE 'Untitled %';
SELECT is(pg_temp.titled(pg_temp.opened(:'alice')), 'Untitled 3/rule', 'no number comes twice, even when its conversation is gone');
INSERT INTO chat.conversations (user_id, title) VALUES (:'bob', 'Untitled 41'), (:'bob', 'Untitled'), (:'bob', 'Untitled 7x');
SELECT is(pg_temp.titled(pg_temp.opened(:'bob')), 'Untitled 42/rule', 'each user has numbers of their own, after those that came from elsewhere');
SELECT is(pg_temp.value(:'alice', format($$SELECT title FROM chat.update_conversation(%L, '')$$, :'other')), 'Untitled 4', 'emptying a title brings a number, too');
SELECT is(pg_temp.titled(:'other'), 'Untitled 4/rule', 'which is no title that was given');

-- first_words
SELECT chat.admin_set_setting('title_rule', '"first_words"') \g /dev/null
SELECT pg_temp.opened(:'alice') AS words, pg_temp.opened(:'alice', 'Mine') AS named, pg_temp.opened(:'alice') AS renamed \gset
SELECT is(pg_temp.titled(:'words'), 'New Conversation/default', 'none until the first message');
SELECT pg_temp.sent(:'alice', :'words', E'How do rivers form?\nPlease.') AS reply \gset
SELECT is(pg_temp.titled(:'words'), 'How do rivers form?/rule', 'then its first words');
SELECT pg_temp.sent(:'alice', :'named', 'How do lakes form?') \g /dev/null
SELECT is(pg_temp.titled(:'named'), 'Mine/given', 'a title that was given stays');
SELECT pg_temp.outcome(:'alice', format($$UPDATE chat.conversations SET title = 'Renamed' WHERE id = %L$$, :'renamed')) \g /dev/null
SELECT pg_temp.sent(:'alice', :'renamed', 'How do seas form?') \g /dev/null
SELECT is(pg_temp.titled(:'renamed'), 'Renamed/given', 'also one that a client updated directly');
UPDATE chat.messages SET status = 'complete', content = 'y' WHERE id = :'reply';
SELECT pg_temp.sent(:'alice', :'words', 'And oceans?') \g /dev/null
SELECT is(pg_temp.titled(:'words'), 'How do rivers form?/rule', 'a second message changes nothing');
SELECT pg_temp.value(:'alice', format($$SELECT title FROM chat.update_conversation(%L, '')$$, :'named')) \g /dev/null
SELECT is(pg_temp.titled(:'named'), 'New Conversation/default', 'emptying a title waits for the next message');

-- of a user
SELECT is(pg_temp.outcome(:'bob', $$SELECT chat.update_settings(preferences => '{"title_rule": "numbered"}')$$), '1 rows', 'a user chooses a rule');
SELECT is(pg_temp.titled(pg_temp.opened(:'bob')), 'Untitled 43/rule', 'which goes before the setting');
SELECT is(pg_temp.titled(pg_temp.opened(:'alice')), 'New Conversation/default', 'for that user alone');
SELECT is(pg_temp.outcome(:'bob', $$UPDATE chat.user_settings SET preferences = '{"title_rule": ["odd"]}'$$), '1 rows', 'what is no rule');
SELECT is(pg_temp.titled(pg_temp.opened(:'bob')), 'New Conversation/default', 'is passed over');
SELECT is(pg_temp.outcome(NULL, $$SELECT chat.admin_set_setting('title_rule', '"odd"')$$, 'pgchat_service'), '22023', 'an administrator cannot set it');

-- A rule that is changed between opening and the first message.
SELECT pg_temp.opened(:'alice') AS first, pg_temp.opened(:'alice') AS second \gset
SELECT chat.admin_set_setting('title_rule', '"new_conversation"') \g /dev/null
SELECT pg_temp.sent(:'alice', :'first', 'How do rivers form?') \g /dev/null
SELECT is(pg_temp.titled(:'first'), 'New Conversation/rule', 'the new rule leaves it, and is not asked again');
SELECT chat.admin_set_setting('title_rule', '"numbered"') \g /dev/null
SELECT pg_temp.sent(:'alice', :'second', 'How do rivers form?') \g /dev/null
SELECT is(pg_temp.titled(:'second'), 'Untitled 5/rule', 'the new rule gives it a number');

-- model: the first words at once, and a request that waits for the reply.
CREATE OR REPLACE FUNCTION chat_private.queue_side_request(user_id uuid, conversation_id uuid, purpose text, waits_for uuid, model text,
                                                           about jsonb DEFAULT '{}') RETURNS uuid
LANGUAGE sql AS $$ SELECT set_config('test.side', concat_ws(' ', user_id, conversation_id, purpose, waits_for, model), true) IS NULL; SELECT NULL::uuid $$;
SELECT chat.admin_set_setting('title_rule', '"model"'), chat.admin_register_model('test-provider', 'small-model') \g /dev/null
SELECT pg_temp.opened(:'alice') AS written, pg_temp.opened(:'alice') AS small \gset
SELECT pg_temp.sent(:'alice', :'written', 'How do rivers form?') AS reply \gset
SELECT is(pg_temp.titled(:'written'), 'How do rivers form?/rule', 'first words at once');
SELECT is(current_setting('test.side'), concat_ws(' ', :'alice', :'written', 'title', :'reply', 'test-model'), 'and a title is asked for, of the model that replies');
SELECT set_config('test.side', '', true) \g /dev/null
UPDATE chat.messages SET status = 'complete', content = 'y' WHERE id = :'reply';
SELECT pg_temp.sent(:'alice', :'written', 'And lakes?') \g /dev/null
SELECT is(current_setting('test.side'), '', 'once');
INSERT INTO chat.settings (key, value) VALUES ('title_model', '"small-model"');
SELECT pg_temp.sent(:'alice', :'small', 'How do rivers form?') AS reply \gset
SELECT is(current_setting('test.side'), concat_ws(' ', :'alice', :'small', 'title', :'reply', 'small-model'), 'or of the setting title_model');

SELECT is(pg_temp.outcome(NULL, format($$SELECT chat_private.title_from_first_message(%L, %L, 'x', NULL)$$, :'alice', :'small')), '42501', 'clients do not reach the machinery');
SELECT is((SELECT title FROM chat.conversations WHERE id = :'small'), 'How do rivers form?', 'nor what it keeps');
SELECT * FROM finish();
ROLLBACK;
