-- Files: storing them once, within limits, sending them with messages, reading and removing them.
BEGIN;
\ir people.psql
SELECT plan(115);

-- The headers of images of a given size.
CREATE FUNCTION pg_temp.png(width integer, height integer, more bytea DEFAULT '') RETURNS bytea LANGUAGE sql AS $$
  SELECT '\x89504e470d0a1a0a0000000d49484452'::bytea || int4send(width) || int4send(height) || '\x080200000012345678'::bytea || more
$$;
CREATE FUNCTION pg_temp.digits(data bytea) RETURNS text LANGUAGE sql AS $$ SELECT replace(encode(data, 'base64'), chr(10), '') $$;
CREATE FUNCTION pg_temp.add(token text, data bytea, media_type text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.got(token, format('SELECT chat.add_attachment(%L, %L)', data, media_type))
$$;
CREATE FUNCTION pg_temp.add_outcome(token text, data bytea, media_type text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.try(token, format('SELECT chat.add_attachment(%L, %L)', data, media_type))
$$;
CREATE FUNCTION pg_temp.kind(id text) RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(' ', a.media_type, a.width || 'x' || a.height) FROM chat.attachments a WHERE a.id = kind.id::uuid
$$;

-- What is told from the bytes.
SELECT is(pg_temp.kind(pg_temp.add(:'alice_token', bytes, claimed)), wanted, what)
FROM (VALUES
  (pg_temp.png(640, 480), NULL, 'image/png 640x480', 'PNG'),
  ('\xffd8ffe000104a46494600010100000100010000ffc0001108000a001403012200021101031101ffda'::bytea, NULL, 'image/jpeg 20x10', 'JPEG'),
  ('\x474946383961' || '\x1400'::bytea || '\x0a00' || '\x000000' || '\x2c0000000014000a0000' || '\x02' || '\x01' || '\x00' || '\x00' || '\x3b', NULL, 'image/gif 20x10', 'GIF'),
  ('\x524946461600000057454250565038580a0000000000000013000009' || '\x0000'::bytea, 'image/webp', 'image/webp 20x10', 'WebP'),
  ('%PDF-1.7 x'::bytea, 'Application/PDF', 'application/pdf', 'PDF'),
  (convert_to('a;b' || chr(10) || 'ä;1', 'UTF8'), NULL, 'text/plain', 'text'),
  ('x,y'::bytea, 'text/csv; charset=utf-8', 'text/csv', 'a text of a kind that is told'),
  ('\x504b0304'::bytea, 'application/zip', 'application/zip', 'another file of a kind that is told'),
  ('\x00ff'::bytea, NULL, 'application/octet-stream', 'another file')) v (bytes, claimed, wanted, what);
SELECT is(pg_temp.add_outcome(:'alice_token', bytes, claimed), wanted, what)
FROM (VALUES
  (NULL::bytea, NULL, '22004', 'no bytes at all'),
  (''::bytea, NULL, '22023', 'an empty file'),
  (pg_temp.png(640, 480), 'image/jpeg', '22023', 'a type that contradicts the bytes'),
  ('text'::bytea, 'image/png', '22023', 'a text that is said to be an image'),
  ('\x00ff'::bytea, 'text/plain', '22023', 'bytes that are said to be a text'),
  ('text'::bytea, 'text', '22023', 'what is no media type'),
  (substr(pg_temp.png(640, 480), 1, 20), NULL, '22023', 'an image that is cut off'),
  (pg_temp.png(0, 480), NULL, '22023', 'an image without width'),
  (pg_temp.png(8193, 1), NULL, '54000', 'an image that is too wide'),
  (pg_temp.png(8000, 8000), NULL, '54000', 'an image of too many pixels'),
  (pg_temp.png(-1, -1), NULL, '54000', 'an image that says it is enormous')) v (bytes, claimed, wanted, what);
SELECT ok(pg_temp.hint_of(:'alice_token', format('SELECT chat.add_attachment(%L, %L)', bytes, claimed)) IS NOT NULL, 'a hint for ' || what)
FROM (VALUES (NULL::bytea, NULL, 'no bytes'), ('', NULL, 'an empty file'), ('text', 'image/png', 'a contradiction'), (pg_temp.png(8193, 1), NULL, 'a large image')) v (bytes, claimed, what);
SELECT is(pg_temp.try(NULL, 'SELECT chat.add_attachment($$x$$)'), '28000', 'nobody has no files');
SELECT is(pg_temp.try(:'guest_token', 'SELECT chat.add_attachment($$of a guest$$)'), '1 rows', 'a guest has');

-- Once for each user.
SELECT pg_temp.add(:'alice_token', 'twice') AS file \gset
SELECT is(pg_temp.add(:'alice_token', 'twice', 'text/csv'), :'file', 'the same bytes are the same file');
SELECT is(pg_temp.kind(:'file'), 'text/plain', 'of the type it had first');
SELECT isnt(pg_temp.add(:'bob_token', 'twice'), :'file', 'but not of another user');
SELECT is((SELECT count(*)::int FROM chat_private.attachment_data WHERE data = 'twice'), 2, 'stored once for each');
SELECT is((SELECT (sha256 = sha256('twice'), byte_size, unused_since = created_at)::text FROM chat.attachments WHERE id = :'file'), '(t,5,t)', 'with its hash and size, unused');

-- Reading, in parts.
SELECT is(pg_temp.got(:'alice_token', format('SELECT chat.attachment_content(%L%s)', :'file', arguments))::bytea, wanted, 'content' || arguments)
FROM (VALUES ('', 'twice'::bytea), (', 0', 'twice'), (', 2', 'ice'), (', 1, 2', 'wi'), (', 4, 100', 'e'), (', 5', ''), (', 9999999999', ''),
             (', 0, 2147483647', 'twice'), (', 3, NULL', 'ce')) v (arguments, wanted);
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.attachment_content(%s)', arguments)), wanted, 'not ' || what)
FROM (VALUES ('NULL', '22004', 'without an id'), (quote_literal(:'file') || ', NULL', '22004', 'from nowhere'), (quote_literal(:'file') || ', -1', '22023', 'from before the start'),
             (quote_literal(:'file') || ', 0, 0', '22023', 'nothing'), ('chat.uuid_v7()', 'P0002', 'what is not there')) v (arguments, wanted, what);
SELECT is(pg_temp.try(:'bob_token', format('SELECT chat.attachment_content(%L)', :'file')), 'P0002', 'not what another has');
SELECT is(pg_temp.try(NULL, format('SELECT chat.attachment_content(%L)', :'file')), '28000', 'not as nobody');
SELECT is((SELECT attstorage::text FROM pg_attribute WHERE attrelid = 'chat_private.attachment_data'::regclass AND attname = 'data'), 'e', 'a part is read without the whole');

-- Sending.
SELECT pg_temp.got(:'alice_token', 'SELECT chat.create_conversation()') AS conv \gset
CREATE FUNCTION pg_temp.send(token text, conversation text, attachments text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.try(token, format('SELECT chat.send_message(%L, $m$x$m$, attachments => %L)', conversation, attachments))
$$;
SELECT is(pg_temp.send(:'alice_token', :'conv', attachments), wanted, what)
FROM (VALUES
  ('{}', '22023', 'an object'), ('"x"', '22023', 'a text'), ('[1]', '22023', 'a number'), ('[{}]', '22023', 'nothing'), ('[{"name": "x"}]', '22023', 'a name alone'),
  ('[{"data": "eA==", "attachment_id": "x"}]', '22023', 'both'), ('[{"data": 1}]', '22023', 'data that is no text'), ('[{"data": "eA==", "size": 1}]', '22023', 'an unknown member'),
  ('[{"data": "?"}]', '22023', 'what is no base64'), ('["data:text/plain,x"]', '22023', 'a data URL without base64'), ('["https://example.com/x.png"]', '22023', 'a URL'),
  ('[{"attachment_id": "x"}]', '22023', 'what is no id'), ('[{"data": "eA==", "media_type": "image/png"}]', '22023', 'a lie'), ('["data:image/png;base64,eA=="]', '22023', 'a lie in a data URL'),
  ('[{"data": "eA==", "name": "a\nb"}]', '22023', 'a name of two lines'), (format('[{"data": "eA==", "name": "%s"}]', repeat('n', 256)), '54000', 'a long name'),
  ('[' || repeat('"data:;base64,eA==",', 20) || '"data:;base64,eA=="]', '54000', 'too many'),
  (format('[{"attachment_id": "%s"}]', chat.uuid_v7()), 'P0002', 'what is not there')) v (attachments, wanted, what);
SELECT is((SELECT count(*)::int FROM chat.messages WHERE conversation_id = :'conv'), 0, 'nothing was stored');
SELECT is((SELECT count(*)::int FROM chat_private.attachment_data WHERE data = 'x'), 0, 'no file, either');
SELECT is(pg_temp.send(:'bob_token', pg_temp.got(:'bob_token', 'SELECT chat.create_conversation()'), format('[{"attachment_id": "%s"}]', :'file')), 'P0002', 'another''s file is not found');
SELECT pg_temp.got(:'alice_token', format('SELECT user_message_id FROM chat.send_message(%L, $$Look$$, attachments => %L)', :'conv',
  format('[{"attachment_id": "%s", "name": "once.txt"}, {"data": "%s", "name": "p.png"}, "data:text/csv;base64,YSxiCg==", {"data": "data:text/plain;base64,dHdpY2U="}]',
         :'file', pg_temp.digits(pg_temp.png(3, 2))))) AS message \gset
SELECT is(pg_temp.got(:'alice_token', format($$SELECT string_agg(concat_ws(' ', a.position, a.name, a.media_type, a.byte_size, a.width), ', ') FROM chat.list_message_attachments(%L) a$$, :'message')),
          '1 once.txt text/plain 5, 2 p.png image/png 33 3, 3 text/csv 4, 4 text/plain 5', 'a message has its files, in order');
SELECT is((SELECT attachment_count::int FROM chat.messages WHERE id = :'message'), 4, 'and knows how many');
SELECT is((SELECT count(DISTINCT attachment_id)::int FROM chat.message_attachments WHERE message_id = :'message'), 3, 'of which two are one');
SELECT is((SELECT count(*)::int FROM chat.attachments a JOIN chat.message_attachments m ON m.attachment_id = a.id WHERE m.message_id = :'message' AND a.unused_since IS NOT NULL), 0, 'they are in use');
SELECT is(pg_temp.try(:'bob_token', format('SELECT * FROM chat.list_message_attachments(%L)', :'message')), 'P0002', 'another does not see which');
SELECT is(pg_temp.try(NULL, format('SELECT * FROM chat.list_message_attachments(%L)', :'message')), '28000', 'nor does nobody');
SELECT is(pg_temp.try(:'alice_token', 'SELECT * FROM chat.list_message_attachments(NULL)'), '22004', 'a message must be named');
SELECT is(pg_temp.send(:'alice_token', pg_temp.got(:'alice_token', 'SELECT chat.create_conversation()'), '[]'), '1 rows', 'no files are no error');

-- Lists and removal.
SELECT is(pg_temp.got(:'alice_token', format($$SELECT (name, uses, byte_size)::text FROM chat.list_attachments() WHERE id = %L$$, :'file')), '(once.txt,2,5)', 'the list says how often and as what');
SELECT is(pg_temp.got(:'alice_token', 'SELECT count(*) FROM chat.list_attachments()'), (SELECT count(*)::text FROM chat.attachments WHERE user_id = :'alice'), 'of all of one''s own');
SELECT is(pg_temp.got(:'alice_token', $$SELECT count(DISTINCT id) FROM (
    (SELECT id, created_at FROM chat.list_attachments(2)) UNION ALL
    SELECT id, created_at FROM chat.list_attachments(1000, (SELECT min(created_at) FROM chat.list_attachments(2)))) p$$),
  (SELECT count(*)::text FROM chat.attachments WHERE user_id = :'alice'), 'page by page');
SELECT is(pg_temp.try(:'alice_token', 'SELECT * FROM chat.list_attachments(0)'), '22023', 'pages have rows');
SELECT is(pg_temp.try(:'alice_token', 'SELECT * FROM chat.list_attachments(NULL)'), '22004', 'as many as is said');
SELECT is(pg_temp.try(NULL, 'SELECT * FROM chat.list_attachments()'), '28000', 'nobody has no list');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.delete_attachment(%L)', :'file')), '55006', 'what a message uses stays');
SELECT ok(pg_temp.hint_of(:'alice_token', format('SELECT chat.delete_attachment(%L)', :'file')) IS NOT NULL, 'with a hint');
SELECT is(pg_temp.try(:'bob_token', format('SELECT chat.delete_attachment(%L)', :'file')), 'P0002', 'another removes nothing');
SELECT is(pg_temp.try(:'alice_token', 'SELECT chat.delete_attachment(NULL)'), '22004', 'nor does one who names none');
SELECT is(pg_temp.try(:'alice_token', format('SELECT chat.delete_attachment(%L)', pg_temp.add(:'alice_token', 'unused'))), '1 rows', 'what none uses goes');
SELECT is((SELECT count(*)::int FROM chat_private.attachment_data WHERE data = 'unused'), 0, 'with its bytes');

-- The quota: what is used and what is new counts, what is no longer used does not, and goes.
SELECT is(pg_temp.got(:'alice_token', 'SELECT used FROM chat.attachment_quota()'), (SELECT sum(byte_size)::text FROM chat.attachments WHERE user_id = :'alice'), 'what one has is counted');
SELECT is(pg_temp.got(:'alice_token', 'SELECT allowed FROM chat.attachment_quota()'), '1073741824', 'against the setting');
SELECT is(pg_temp.try(NULL, 'SELECT * FROM chat.attachment_quota()'), '28000', 'nobody has no quota');
SELECT chat.admin_save_plan('free', limits => '{"attachment_bytes": 1000}');
SELECT is(pg_temp.got(:'alice_token', 'SELECT allowed FROM chat.attachment_quota()'), '1000', 'or the plan''s limit');
SELECT is(pg_temp.try(:'admin_token', 'SELECT chat.admin_save_plan($$free$$, limits => $${"attachment_bytes": -1}$$)'), '22023', 'which is a number of bytes');
SELECT is(pg_temp.add_outcome(:'alice_token', convert_to(repeat('q', 900), 'UTF8')), 'PC308', 'more is refused');
SELECT ok(pg_temp.hint_of(:'alice_token', format('SELECT chat.add_attachment(%L)', convert_to(repeat('q', 900), 'UTF8'))) IS NOT NULL, 'with a hint');
SELECT is(pg_temp.send(:'alice_token', :'conv', format('[{"data": "%s"}]', pg_temp.digits(convert_to(repeat('q', 900), 'UTF8')))), '55006', 'a busy branch comes first');
SELECT is(pg_temp.send(:'alice_token', pg_temp.got(:'alice_token', 'SELECT chat.create_conversation()'), format('[{"data": "%s"}]', pg_temp.digits(convert_to(repeat('q', 900), 'UTF8')))), 'PC308', 'with a message, too');
SELECT is(pg_temp.add(:'alice_token', 'twice'), :'file', 'what one has already takes no room');
SELECT pg_temp.got(:'bob_token', 'SELECT chat.create_conversation()') AS bobs \gset
SELECT is(pg_temp.send(:'bob_token', :'bobs', format('[{"data": "%s"}]', pg_temp.digits(convert_to(repeat('b', 900), 'UTF8')))), '1 rows', 'bob fills his');
SELECT is(pg_temp.add_outcome(:'bob_token', convert_to(repeat('c', 900), 'UTF8')), 'PC308', 'and has room for nothing else');
DELETE FROM chat.conversations WHERE id = :'bobs';
SELECT is((SELECT (unused_since > created_at)::text FROM chat.attachments WHERE user_id = :'bob' AND byte_size = 900), 'true', 'when its conversation is gone, a file is not used any more');
SELECT is(pg_temp.got(:'bob_token', 'SELECT used FROM chat.attachment_quota()'), '5', 'and does not count');
SELECT is(pg_temp.add_outcome(:'bob_token', convert_to(repeat('c', 900), 'UTF8')), '1 rows', 'its room is there again');
SELECT is((SELECT count(*)::int FROM chat.attachments WHERE user_id = :'bob' AND byte_size = 900), 1, 'for it is removed');

-- What nobody uses is removed in time, by the engine.
UPDATE chat.attachments SET unused_since = unused_since - interval '25 hours' WHERE user_id = :'bob';
UPDATE chat.attachments SET unused_since = now() - interval '25 hours' WHERE id = :'file';
SELECT set_config('role', 'pgchat_engine', true), chat_private.tidy(1000), set_config('role', 'none', true);
SELECT is((SELECT count(*)::int FROM chat.attachments WHERE user_id = :'bob'), 0, 'files that no message uses are removed');
SELECT is((SELECT count(*)::int FROM chat_private.attachment_data WHERE user_id = :'bob'), 0, 'with their bytes');
SELECT is((SELECT count(*)::int FROM chat.attachments WHERE id = :'file'), 1, 'but none that one uses');
SELECT ok((SELECT count(*) FROM chat.attachments WHERE user_id = :'guest') = 1, 'nor new ones');

-- Settings.
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_set_setting(%L, %L)', key, value)), wanted, key || ' ' || value)
FROM (VALUES ('attachment_max_bytes', '10', '1 rows'), ('attachment_max_bytes', '0', '22023'), ('attachment_max_bytes', '"x"', '22023'), ('image_max_dimension', '5', '1 rows')) v (key, value, wanted);
SELECT is(pg_temp.add_outcome(:'guest_token', '12345678901'), '54000', 'a file larger than the setting');
SELECT is(pg_temp.add_outcome(:'guest_token', '1234567890'), '1 rows', 'and one that is not');
SELECT * FROM finish();
ROLLBACK;
