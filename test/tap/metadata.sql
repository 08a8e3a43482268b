-- What an application keeps with conversations and messages: merged, limited, one's own, and kept by copies.
BEGIN;
\ir people.psql
SELECT plan(17);
SELECT pg_temp.got(:'alice_token', 'SELECT chat.create_conversation()') AS conv \gset
SELECT pg_temp.got(:'alice_token', format('SELECT user_message_id FROM chat.send_message(%L, $$hello$$)', :'conv')) AS message \gset
CREATE FUNCTION pg_temp.put(token text, kind text, id uuid, metadata text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.got(token, format('SELECT chat.set_%s_metadata(%L, %L)', kind, id, metadata)) $$;
CREATE FUNCTION pg_temp.put_fails(token text, kind text, id uuid, metadata text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.try(token, format('SELECT chat.set_%s_metadata(%L, %L)', kind, id, metadata)) $$;

SELECT is(pg_temp.put(:'alice_token', k.kind, k.id, '{"a": 1, "b": {"c": null}}'), '{"a": 1, "b": {"c": null}}', k.kind || ': members are added')
FROM (VALUES ('conversation', :'conv'::uuid), ('message', :'message')) k (kind, id);
SELECT is(pg_temp.put(:'alice_token', k.kind, k.id, '{"a": null, "d": [2]}'), '{"b": {"c": null}, "d": [2]}', k.kind || ': and removed, and others stay')
FROM (VALUES ('conversation', :'conv'::uuid), ('message', :'message')) k (kind, id);
SELECT is(pg_temp.got(:'alice_token', format('SELECT metadata FROM chat.list_messages(%L) WHERE id = %L', :'conv', :'message')),
          '{"b": {"c": null}, "d": [2]}', 'the list of messages shows it');
SELECT is(pg_temp.put_fails(:'alice_token', k.kind, k.id, k.metadata), k.state, k.kind || ': ' || k.state)
FROM (VALUES ('conversation', :'conv'::uuid, '[1]', '22023'), ('message', :'message', '[1]', '22023'),
             ('conversation', :'conv', NULL, '22004'), ('message', :'message', NULL, '22004'),
             ('conversation', NULL, '{}', '22004'), ('message', NULL, '{}', '22004'),
             ('conversation', :'conv', jsonb_build_object('x', repeat('x', 65536))::text, '54000'),
             ('message', :'message', jsonb_build_object('x', repeat('x', 65536))::text, '54000')) k (kind, id, metadata, state);
SELECT isnt(pg_temp.hint_of(:'alice_token', format('SELECT chat.set_message_metadata(%L, %L)', :'message', '[1]')), NULL, 'with a hint');

SELECT pg_temp.put(:'alice_token', 'conversation', :'conv', '{"old": true}') AS kept \gset
UPDATE chat.messages SET status = 'complete', content = 'fine', content_hash = chat.content_hash('fine') WHERE conversation_id = :'conv' AND status = 'pending';
SELECT pg_temp.got(:'alice_token', format('SELECT chat.fork_conversation(%L)', :'conv')) AS fork \gset
SELECT is((SELECT c.metadata || m.metadata FROM chat.conversations c JOIN chat.messages m ON m.conversation_id = c.id WHERE c.id = :'fork' AND m.role = 'user'),
          '{"b": {"c": null}, "d": [2], "old": true}', 'a fork has it');
SELECT pg_temp.got(:'alice_token', format('SELECT chat.export_conversation(%L)', :'conv')) AS exported \gset
SELECT pg_temp.got(:'bob_token', format('SELECT conversation_id FROM chat.import_conversations(%L::text)', :'exported')) AS imported \gset
SELECT is((SELECT c.metadata || m.metadata FROM chat.conversations c JOIN chat.messages m ON m.conversation_id = c.id WHERE c.id = :'imported' AND m.role = 'user'),
          '{"b": {"c": null}, "d": [2], "old": true}', 'and so has an export that is imported again');
-- What an import brought may be larger, and is not in the way of removing some of it.
UPDATE chat.messages SET metadata = jsonb_build_object('x', repeat('x', 70000), 'y', repeat('y', 70000)) WHERE id = :'message';
SELECT is(length(pg_temp.put(:'alice_token', 'message', :'message', '{"x": null, "y": "small"}')), length('{"y": "small"}'), 'what is too large can be made smaller');
SELECT * FROM finish();
ROLLBACK;
