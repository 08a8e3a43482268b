-- Messages sent twice: refused, answered with the earlier one, allowed; and the list of them.
BEGIN;
\ir setup.psql
SELECT plan(36);
SELECT pg_temp.value(:'alice', 'SELECT chat.create_conversation()') AS conv, pg_temp.value(:'alice', 'SELECT chat.create_conversation()') AS other,
       pg_temp.value(:'bob', 'SELECT chat.create_conversation()') AS bobs \gset
CREATE FUNCTION pg_temp.sends(person uuid, conversation uuid, content text, options text, more text DEFAULT '') RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.outcome(person, format('SELECT chat.send_message(%L, %L, options => %L%s)', conversation, content, options, more)) $$;
CREATE FUNCTION pg_temp.finish(conversation uuid) RETURNS void LANGUAGE sql AS $$
  UPDATE chat.messages SET status = 'complete', content = 'fine', content_hash = chat.content_hash('fine')
  WHERE conversation_id = conversation AND status = 'pending' $$;

SELECT chat_private.set_identity(:'alice', 'user', NULL, true);
SELECT * FROM chat.send_message(:'conv', 'Hello', options => '{"on_duplicate": "refuse", "seed": 2}') \gset s_
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
SELECT is((SELECT options FROM chat_private.llm_requests WHERE id = :'s_request_id'), '{"seed": 2}', 'the option is not for the model');
SELECT pg_temp.finish(:'conv');
SELECT is(pg_temp.sends(:'alice', :'conv', 'Hello', '{"on_duplicate": "refuse"}'), 'PC309', 'a second one is refused');
SELECT isnt(pg_temp.hint(:'alice', format('SELECT chat.send_message(%L, $$Hello$$, options => ''{"on_duplicate": "refuse"}'')', :'conv')), NULL, 'with a hint');
SELECT is(pg_temp.sends(:'alice', :'conv', 'Hello', '{"on_duplicate": "refuse"}', format(', parent_id => %L', :'s_assistant_message_id')), 'PC309', 'wherever it goes in the conversation');
SELECT is(pg_temp.sends(:'alice', :'conv', 'hello', '{"on_duplicate": "refuse"}'), '1 rows', 'other letters are another text');
SELECT is(pg_temp.sends(:'alice', :'other', 'Hello', '{"on_duplicate": "refuse"}'), '1 rows', 'another conversation has its own');
SELECT is(pg_temp.sends(:'bob', :'bobs', 'Hello', '{"on_duplicate": "refuse"}'), '1 rows', 'and another person');
SELECT pg_temp.finish(id) FROM unnest(ARRAY[:'conv', :'other', :'bobs']::uuid[]) id;
SELECT count(*) AS messages FROM chat.messages \gset
SELECT is((SELECT s::text FROM chat_private.set_identity(:'alice', 'user', NULL, true), chat.send_message(:'conv', 'Hello', options => '{"on_duplicate": "return"}') s),
          format('(%s,%s,%s)', :'s_user_message_id', :'s_assistant_message_id', :'s_request_id'), 'or the earlier one is returned');
SELECT assistant_message_id AS newer FROM chat.regenerate_message(:'s_assistant_message_id') \gset
SELECT is((SELECT assistant_message_id::text FROM chat.send_message(:'conv', 'Hello', options => '{"on_duplicate": "return"}')), :'newer', 'with its newest reply');
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
SELECT pg_temp.finish(:'conv');
SELECT is((SELECT count(*) FROM chat.messages), :messages::bigint + 1, 'and nothing is stored');
SELECT is(pg_temp.sends(:'alice', :'conv', 'Hello', '{"on_duplicate": "return"}', ', idempotency_key => $$k$$'), '1 rows', 'a new key makes it no new one');
SELECT is((SELECT count(*) FROM chat.messages), :messages::bigint + 1, 'nor stores it');
SELECT is(pg_temp.sends(:'alice', :'conv', 'Keyed', '{"on_duplicate": "refuse"}', ', idempotency_key => $$k1$$'), '1 rows', 'a message with a key');
SELECT is(pg_temp.sends(:'alice', :'conv', 'Keyed', '{"on_duplicate": "refuse"}', ', idempotency_key => $$k1$$'), '1 rows', 'is the same one with that key');
SELECT pg_temp.finish(:'conv');
SELECT is(pg_temp.sends(:'alice', :'conv', 'Keyed', '{"on_duplicate": "refuse"}', ', idempotency_key => $$k2$$'), 'PC309', 'and with another one a duplicate');
SELECT is(pg_temp.sends(:'alice', :'conv', 'fine', '{"on_duplicate": "refuse"}'), '1 rows', 'the text of a reply is nobody''s message');
SELECT pg_temp.finish(:'conv');
SELECT is(pg_temp.sends(:'alice', :'conv', 'Hello', options), state, 'on_duplicate ' || options)
FROM (VALUES ('{"on_duplicate": "drop"}', 'PC002'), ('{"on_duplicate": null}', 'PC002'), ('{"on_duplicate": true}', 'PC002'), ('["on_duplicate"]', 'PC002')) t (options, state);
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.ask(%L, $$Hello$$, options => ''{"on_duplicate": "refuse"}'')', :'conv')), 'PC309', 'ask refuses, too');
SELECT is(pg_temp.value(:'alice', format('SELECT chat.ask(%L, $$Hello$$, options => ''{"on_duplicate": "return"}'')', :'conv')), 'fine', 'or returns the reply there was');
UPDATE chat.messages SET attachment_count = 1 WHERE id = :'s_user_message_id';
SELECT is(pg_temp.sends(:'alice', :'conv', 'Hello', '{"on_duplicate": "refuse"}'), '1 rows', 'a message with files is not the same as one without');
SELECT pg_temp.finish(:'conv');
SELECT is(pg_temp.sends(:'alice', :'conv', 'Hello', '{"on_duplicate": "allow"}'), '1 rows', 'allowed as told');
SELECT pg_temp.finish(:'conv');
SELECT is(pg_temp.sends(:'alice', :'conv', 'Hello', '{}'), '1 rows', 'and by default');
SELECT pg_temp.finish(:'conv');
UPDATE chat.messages SET created_at = created_at - interval '11 minutes' WHERE content = 'Hello';
SELECT is(pg_temp.sends(:'alice', :'conv', 'Hello', '{"on_duplicate": "refuse"}'), '1 rows', 'after ten minutes it is no duplicate');
SELECT pg_temp.finish(:'conv');
UPDATE chat.messages SET created_at = created_at - interval '11 minutes' WHERE content = 'Hello';
SELECT chat.admin_set_setting('duplicate_window', '"100 years"');
SELECT is(pg_temp.sends(:'alice', :'conv', 'Hello', '{"on_duplicate": "refuse"}'), 'PC309', 'unless the setting says so');

-- find_duplicates
SELECT is(pg_temp.value(:'alice', format('SELECT (content, count, cardinality(message_ids), message_ids[1], first_at < last_at, content_hash)::text FROM chat.find_duplicates(%L)', :'conv')),
          ('Hello', 5, 5, :'s_user_message_id'::uuid, true, sha256('Hello'))::text, 'what was sent more than once in a conversation');
SELECT is(pg_temp.value(:'alice', 'SELECT string_agg(content || count, $$ $$) FROM chat.find_duplicates()'), 'Hello6', 'and in all of them');
SELECT is(pg_temp.value(:'alice', 'SELECT string_agg(content || (count > 5), $$ $$) FROM chat.find_duplicates(role => $$assistant$$)'), 'finetrue', 'or what was replied');
SELECT is(pg_temp.value(:'bob', 'SELECT count(*) FROM chat.find_duplicates()'), '0', 'of one''s own');
SELECT pg_temp.value(:'alice', format('SELECT chat.fork_conversation(%L)', :'conv')) AS fork \gset
SELECT is(pg_temp.value(:'alice', 'SELECT string_agg(content || count, $$ $$) FROM chat.find_duplicates()'), 'Hello6', 'a fork sends nothing again');
SELECT is(pg_temp.outcome(:'alice', 'SELECT * FROM chat.find_duplicates(role => $$king$$)'), '22023', 'a role that is none');
SELECT is(pg_temp.outcome(:'alice', 'SELECT * FROM chat.find_duplicates(role => NULL)'), '22004', 'role NULL');
SELECT is(pg_temp.outcome(NULL, 'SELECT * FROM chat.find_duplicates()'), '28000', 'nobody');
SELECT is(pg_temp.outcome(:'alice', format('SELECT * FROM chat.find_duplicates(%L)', :'bobs')), 'P0002', 'another''s conversation');
SELECT * FROM finish();
ROLLBACK;
