-- Uru's workflows, access patterns, constraints and rules, in a database that was imported from one of its own.
BEGIN;
\ir people.psql
SELECT no_plan();

-- Nothing is lost: each row is here or reported, and as it was.
SELECT is_empty(format('SELECT * FROM pg_temp.lost(%L)', t), 'each row of ' || t || ' is here or refused') FROM unnest(ARRAY['users', 'conversations', 'messages']) t;
SELECT is_empty($$
  SELECT o.id FROM old.users o JOIN chat.import_map i ON i.source_table = 'users' AND i.old_id = o.id::text
  JOIN chat.users u ON u.id = i.new_id JOIN chat.user_settings s ON s.user_id = u.id
  WHERE o.id < 900000 AND (u.email, u.display_name, u.role, u.is_active, u.last_login_at, u.created_at, u.updated_at, s.preferences, s.default_model) IS DISTINCT FROM
    (o.email, o.name, 'user', o.is_active, o.last_login, o.created_at, o.updated_at, o.preferences::jsonb,
     nullif(o.preferences::jsonb ->> 'default_model', 'no-longer-there'))$$, 'users are as they were, with their preferences');
SELECT is_empty($$
  SELECT o.id FROM old.conversations o JOIN chat.import_map i ON i.source_table = 'conversations' AND i.old_id = o.id::text JOIN chat.conversations c ON c.id = i.new_id
  WHERE o.id < 900000 AND (c.user_id, c.title, c.title_source, c.system_prompt, c.is_archived, c.is_pinned, c.created_at, c.updated_at) IS DISTINCT FROM
    (pg_temp.here('users', o.user_id::text), o.title, 'given', o.system_prompt, o.is_archived, o.is_pinned, o.created_at, o.updated_at)$$, 'conversations are as they were');
SELECT is_empty($$
  SELECT o.id FROM old.conversations o JOIN chat.import_map i ON i.source_table = 'conversations' AND i.old_id = o.id::text JOIN chat.conversations c ON c.id = i.new_id
  WHERE o.id < 900000 AND c.last_message_at IS DISTINCT FROM coalesce(o.last_message_at, (SELECT max(m.created_at) FROM old.messages m WHERE m.conversation_id = o.id))$$,
  'and so is when they were used last');
SELECT is_empty($$
  SELECT o.id FROM old.conversations o JOIN chat.import_map i ON i.source_table = 'conversations' AND i.old_id = o.id::text JOIN chat.conversations c ON c.id = i.new_id
  WHERE (c.model, c.metadata ->> 'model', coalesce(pg_temp.findings('conversations', o.id::text) ~ 'model_unavailable', false)) IS DISTINCT FROM
    CASE WHEN o.ai_model = 'gpt-4o' THEN (text 'gpt-4o', NULL::text, false) ELSE (NULL::text, o.ai_model::text, o.ai_model IS NOT NULL) END$$,
  'a conversation has its model where that can be asked; else it is noted, and reported');
SELECT is_empty($$
  SELECT o.id FROM old.messages o JOIN chat.import_map i ON i.source_table = 'messages' AND i.old_id = o.id::text
  JOIN chat.messages m ON m.user_id = i.user_id AND m.id = i.new_id
  JOIN chat.import_map c ON c.source_table = 'conversations' AND c.old_id = o.conversation_id::text
  WHERE o.id < 900000 AND (m.conversation_id, m.user_id, m.role, m.content, m.content_hash, m.model, m.status, m.created_at) IS DISTINCT FROM
    (c.new_id, c.user_id, CASE o.sender WHEN 'ai' THEN 'assistant' ELSE o.sender END, o.content, sha256(convert_to(o.content, 'UTF8')), o.ai_model,
     CASE WHEN o.is_error THEN 'error' ELSE 'complete' END, o.created_at)$$, 'messages are as they were, with the model that each names');
SELECT is_empty($$
  SELECT t.new_id FROM (
    SELECT i.new_id, m.parent_id, lag(i.new_id) OVER (PARTITION BY o.conversation_id ORDER BY o.created_at, o.id) AS before
    FROM old.messages o JOIN chat.import_map i ON i.source_table = 'messages' AND i.old_id = o.id::text
    JOIN chat.messages m ON m.user_id = i.user_id AND m.id = i.new_id WHERE o.id < 900000) t
  WHERE t.parent_id IS DISTINCT FROM t.before$$, 'each follows the one before it');
SELECT results_eq($$SELECT f.old_id FROM chat.import_findings f WHERE f.reason = 'hash_differs' AND f.old_id::int < 900000 ORDER BY f.old_id::int$$,
  $$SELECT o.id::text FROM old.messages o WHERE o.id < 900000 AND o.content_hash <> encode(sha256(convert_to(o.content, 'UTF8')), 'hex') ORDER BY o.id$$,
  'hashes are computed anew, and those that differ are reported');
SELECT cmp_ok((SELECT count(*)::int FROM chat.import_findings f WHERE f.reason = 'hash_differs'), '>', 10, 'of which there are some');

-- The dirty rows, one by one.
SELECT is(pg_temp.findings(t.source_table, t.old_id::text), t.expected, format('%s %s: %s', t.source_table, t.old_id, coalesce(t.expected, 'nothing')))
FROM (VALUES
  ('users', 900001, 'refused duplicate_email'), ('users', 900002, 'refused email_invalid'), ('users', 900003, 'refused email_missing'),
  ('users', 900004, 'kept_aside json_invalid'), ('users', 900005, 'kept_aside preferences_no_object'), ('users', 900006, 'changed password_hash_unusable'),
  ('users', 900007, 'changed active_missing'), ('conversations', 900001, 'refused owner_refused'), ('conversations', 900002, 'refused owner_missing'),
  ('conversations', 900003, 'refused owner_missing'), ('conversations', 900004, 'changed title_cut'), ('conversations', 900005, 'changed model_unavailable'),
  ('messages', 900001, 'refused owner_refused'), ('messages', 900002, 'refused conversation_missing'), ('messages', 900003, 'refused conversation_missing'),
  ('messages', 900004, 'refused conversation_refused'), ('messages', 900010, 'changed hash_differs'), ('messages', 900011, 'refused role_unknown'),
  ('messages', 900012, 'refused content_empty'), ('messages', 900013, 'changed json_invalid'), ('messages', 900014, 'changed error_of_no_reply'),
  ('messages', 900015, 'refused content_too_long'), ('messages', 900016, 'changed time_missing')) t (source_table, old_id, expected);
SELECT is(pg_temp.branch('900005'), '{900010,900013,900014,900016}', 'a branch goes on without its bad messages');
SELECT is((SELECT f.details ->> 'preferences' FROM chat.import_findings f WHERE f.source_table = 'users' AND f.old_id = '900004'), '{"theme": "dark"', 'what is no JSON is kept as it is');
SELECT is((SELECT m.error ->> 'message' FROM chat.messages m WHERE m.id = pg_temp.here('messages', '900013')), '{"message": "broken', 'also where an error was');
SELECT is((SELECT m.metadata #>> '{error,message}' || m.status FROM chat.messages m WHERE m.id = pg_temp.here('messages', '900014')), 'offlinecomplete', 'a question that failed keeps why');
SELECT is((SELECT char_length(c.title) FROM chat.conversations c WHERE c.id = pg_temp.here('conversations', '900004')), 500, 'a title that is too long is cut');

-- Registering, logging in, and who one is, with signed tokens.
SELECT is(pg_temp.try(NULL, $$SELECT chat.register('new@example.com', 'a new password', display_name => 'New')$$), '1 rows', 'anybody registers');
SELECT is(pg_temp.try(NULL, $$SELECT chat.register('Person1@Example.com', 'a new password')$$), '23505', 'with an address of their own');
SELECT pg_temp.log_in('new@example.com', 'a new password') AS newcomer, pg_temp.log_in('person1@example.com') AS first, pg_temp.log_in('person2@example.com') AS second \gset
SELECT is(left(:'newcomer', 4), 'pgc_', 'and logs in');
SELECT is(left(:'first', 4), 'pgc_', 'who moved in logs in with the old password');
SELECT is(pg_temp.log_in('person1@example.com', 'old-password-2'), '28P01', 'and no other');
SELECT is(pg_temp.log_in('person19@example.com'), '28P01', 'who was deactivated does not');
SELECT is(pg_temp.log_in('sha1@example.com'), '28P01', 'nor whose password had no bcrypt hash');
SELECT cmp_ok((SELECT u.last_login_at FROM chat.users u WHERE u.id = pg_temp.here('users', '1')), '>', now() - interval '1 hour', 'the last login is this one');
SELECT pg_temp.got(:'first', 'SELECT chat.issue_jwt()') AS jwt \gset
CREATE FUNCTION pg_temp.with_jwt(token text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  PERFORM set_config('role', 'pgchat_client', true);
  PERFORM chat.authenticate_jwt(token);
  EXECUTE query INTO result;
  PERFORM set_config('role', 'none', true);
  PERFORM chat_private.set_identity(NULL, NULL, NULL, true);
  RETURN result;
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END $$;
SELECT is(pg_temp.with_jwt(:'jwt', 'SELECT email || display_name FROM chat.me()'), 'person1@example.comPerson 1', 'a signed token says who one is');
SELECT is(pg_temp.with_jwt(left(:'jwt', -2) || 'xx', 'SELECT chat.me()'), '28000', 'and no other does');
SELECT is(pg_temp.try(NULL, 'SELECT chat.me()'), '28000', 'without one there is nobody');

-- Planned there: logging in with an organisation's identity provider, beside passwords and without any.
SELECT lives_ok($$SELECT chat.admin_register_oidc_provider('acme', 'https://login.acme.example', 'uru', organisation_claim => 'org', organisations => '{acme}')$$, 'an identity provider is added');
CREATE FUNCTION pg_temp.said(email text, subject text) RETURNS chat.identities LANGUAGE sql AS $$ SELECT ROW(NULL, NULL, 'acme', subject, 'acme', email, true, NULL, NULL)::chat.identities $$;
SELECT throws_ok($$SELECT chat_private.account_to_link(pg_temp.said('person3@example.com', 'three'))$$, '23505', NULL, 'whose word alone opens no account whose address nobody has verified');
SELECT pg_temp.here('users', '3') AS third_id \gset
UPDATE chat.users SET email_verified_at = now() WHERE id = :'third_id';
SELECT is(chat_private.account_to_link(pg_temp.said('Person3@Example.com', 'three')), :'third_id', 'it does where both have');
SELECT chat_private.act_as(:'third_id') AS previous, chat_private.add_identity(:'third_id', pg_temp.said('person3@example.com', 'three')) AS ignored \gset
SELECT chat_private.set_identity(NULL, NULL, NULL, true) AS ignored \gset
SELECT is(chat_private.identity_owner(pg_temp.said(NULL, 'three')), :'third_id', 'and then is another way in');
SELECT is(left(pg_temp.log_in('person3@example.com'), 4), 'pgc_', 'beside the password');

-- Preferences.
SELECT is(pg_temp.got(:'second', $$SELECT preferences ->> 'theme' FROM chat.user_settings$$), 'dark', 'preferences are there');
SELECT is(pg_temp.got(:'second', $$SELECT (chat.update_settings(preferences => '{"theme": "light"}')).preferences ->> 'default_model'$$), 'no-longer-there', 'one changes, others stay');
SELECT is(pg_temp.got(pg_temp.log_in('person3@example.com'), 'SELECT default_model FROM chat.user_settings'), 'gpt-4o', 'a default model that there is, is the default');

-- Titles.
SELECT pg_temp.got(:'first', 'SELECT chat.create_conversation()') AS untitled \gset
SELECT is(pg_temp.got(:'first', format('SELECT title FROM chat.conversations WHERE id = %L', :'untitled')),
  'Untitled ' || 1 + (SELECT max(substring(c.title FROM '^Untitled (\d+)$')::int) FROM old.conversations c WHERE c.user_id = 1), 'numbers go on after those of then');
SELECT is(pg_temp.got(:'newcomer', 'SELECT chat.create_conversation()') IS NOT NULL, true, 'for who is new');
SELECT is(pg_temp.got(:'newcomer', 'SELECT title FROM chat.conversations'), 'Untitled 1', 'they begin with 1');
SELECT is(pg_temp.got(:'first', format('SELECT title FROM chat.update_conversation(%L, title => ''My own'')', :'untitled')), 'My own', 'and one''s own can take their place');

-- Models.
SELECT pg_temp.here('conversations', min(c.id)::text) AS one FROM old.conversations c WHERE c.user_id = 1 AND NOT c.is_archived \gset
SELECT is(pg_temp.got(:'first', format('SELECT model FROM chat.update_conversation(%L, model => ''gpt-4o'')', :'one')), 'gpt-4o', 'a conversation goes on with another model');
SELECT is(pg_temp.try(:'first', format('SELECT chat.update_conversation(%L, model => ''o1-preview'')', :'one')), '42704', 'of those there are');

SELECT lives_ok($$SELECT chat.admin_register_provider('one key for all', 'openai', 'https://models.example.com/v1', options => '{"api_key_env": "MODEL_API_KEY"}')$$,
  'the key of the provider is in the environment, as it was');
SELECT is(pg_temp.got(:'first', 'SELECT count(*) FROM chat.list_api_keys()'), '0', 'users have none, and need none');
SELECT is(pg_temp.try(:'first', $$SELECT chat.set_api_key('one key for all', 'sk-a-key-of-my-own-000000')$$), '1 rows', 'several providers and keys of one''s own were planned: there are');

-- Hashes and duplicates.
SELECT is(pg_temp.got(:'first', 'SELECT count FROM chat.find_duplicates() WHERE content = ''What is the answer?'''),
  (SELECT count(*)::text FROM old.messages m JOIN old.conversations c ON c.id = m.conversation_id WHERE c.user_id = 1 AND m.content = 'What is the answer?' AND m.sender = 'user'),
  'what was asked again and again is found');
SELECT pg_temp.got(:'first', format('SELECT user_message_id FROM chat.send_message(%L, $$Twice?$$)', :'untitled')) AS once \gset
SELECT is(pg_temp.got(:'first', format('SELECT user_message_id FROM chat.send_message(%L, $$Twice?$$, options => $${"on_duplicate": "return"}$$)', :'untitled')), :'once', 'what is sent twice can be stored once');

-- Replies that failed.
SELECT is((SELECT (m.error - 'details')::text FROM chat.messages m WHERE m.id = pg_temp.here('messages', '50')), '{"code": "rate_limited", "message": "Too many requests"}', 'why a reply failed is kept');
SELECT is((SELECT m.error #>> '{details,status}' FROM chat.messages m WHERE m.id = pg_temp.here('messages', '50')), '429', 'to the last detail');
SELECT u.email AS owner, pg_temp.here('conversations', c.id::text) AS failed_in, c.id AS failed_old FROM old.messages m JOIN old.conversations c ON c.id = m.conversation_id JOIN old.users u ON u.id = c.user_id WHERE m.id = 100 \gset
SELECT pg_temp.log_in(:'owner') AS owner_token, pg_temp.here('messages', '100') AS failed, pg_temp.here('messages', '50') AS failed_elsewhere \gset
SELECT pg_temp.got(:'owner_token', format('SELECT assistant_message_id FROM chat.retry_message(%L)', :'failed')) AS again \gset
SELECT is(pg_temp.got(:'owner_token', format('SELECT m.status || m.model || (m.parent_id = f.parent_id) FROM chat.messages m, chat.messages f WHERE m.id = %L AND f.id = %L', :'again', :'failed')),
          'pendinggpt-4otrue', 'and it is tried again, by the same model, beside the one that failed');
SELECT is(pg_temp.try(pg_temp.log_in(u.email), format('SELECT chat.retry_message(%L)', :'failed_elsewhere')), '42704', 'where that model is gone, it is said')
FROM old.messages m JOIN old.conversations c ON c.id = m.conversation_id JOIN old.users u ON u.id = c.user_id WHERE m.id = 50;
SELECT is(pg_temp.try(:'first', format('SELECT chat.retry_message(%L)', pg_temp.here('messages', m.id::text))), '55000', 'a good reply is not') FROM old.messages m
JOIN old.conversations c ON c.id = m.conversation_id WHERE c.user_id = 1 AND m.sender = 'ai' AND NOT m.is_error LIMIT 1;

-- Lists.
SELECT is(pg_temp.got(:'first', 'SELECT count(*) FROM chat.list_conversations(page_size => 1000, archived => true)'), (SELECT count(*)::text FROM old.conversations WHERE user_id = 1 AND is_archived), 'the archived ones');
SELECT is(pg_temp.got(:'first', format('SELECT count(*) FROM chat.list_conversations(page_size => 1000) WHERE created_at < %L', '2025-01-01')), (SELECT count(*)::text FROM old.conversations WHERE user_id = 1 AND NOT is_archived), 'and the others');
SELECT is(pg_temp.got(:'second', 'SELECT string_agg(is_pinned::text, '','') FROM chat.list_conversations(page_size => 1000)'),
          (SELECT string_agg(is_pinned::text, ',' ORDER BY is_pinned DESC) FROM old.conversations WHERE user_id = 2 AND NOT is_archived), 'pinned ones come first');
SELECT is(pg_temp.try(:'first', format('SELECT chat.update_conversation(%L, is_archived => true)', :'one')), '1 rows', 'a conversation is archived');
SELECT is(pg_temp.got(:'first', format('SELECT count(*) FROM chat.list_conversations(page_size => 1000) WHERE id = %L', :'one')), '0', 'and is not among the others then');

-- Isolation, and a turn that goes on where the old system stopped.
SELECT is(pg_temp.got(:'second', format('SELECT count(*) FROM chat.conversations WHERE id = %L', :'one')), '0', 'nobody sees another''s conversation');
SELECT is(pg_temp.try(:'second', format('SELECT chat.update_conversation(%L, title => ''mine'')', :'one')), 'P0002', 'nor changes it');
SELECT is(pg_temp.try(:'second', format('SELECT chat.delete_conversation(%L)', :'one')), 'P0002', 'nor deletes it');
SELECT ok(pg_temp.got(:'first', format('SELECT chat.ask(%L, $$And now?$$)', :'one')) <> '', 'a question is answered');
SELECT is(pg_temp.got(:'first', format('SELECT count(*) FROM chat.list_messages(%L)', :'one')), '22', 'after the messages of before');
SELECT is(pg_temp.got(:'first', format('SELECT model FROM chat.list_messages(%L) WITH ORDINALITY m ORDER BY m.ordinality DESC LIMIT 1', :'one')), 'gpt-4o', 'by the model of the conversation');

-- Deleting.
SELECT is(pg_temp.try(:'first', format('SELECT chat.delete_conversation(%L)', :'one')), '1 rows', 'a conversation is deleted');
SELECT is((SELECT count(*)::int FROM chat.messages WHERE conversation_id = :'one'), 0, 'with its messages');
SELECT is(pg_temp.try(:'second', $$SELECT chat.delete_my_account('old-password-1')$$), '1 rows', 'and so is an account');
SELECT is((SELECT count(*)::int FROM chat.conversations WHERE user_id = pg_temp.here('users', '2')), 0, 'with all that was theirs');
SELECT * FROM finish();
ROLLBACK;
