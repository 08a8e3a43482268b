-- Conversations taken out and brought in again: all formats, and nothing lost on the way there and back.
BEGIN;
\ir people.psql
\set png iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==
SELECT plan(51);

-- A document without what is new in each copy: ids become the place of the message.
CREATE FUNCTION pg_temp.canonical(document text) RETURNS jsonb LANGUAGE sql AS $$
  WITH d AS (SELECT document::jsonb AS d),
  place AS MATERIALIZED (SELECT m ->> 'id' AS id, n FROM d, jsonb_array_elements(d -> 'messages') WITH ORDINALITY e (m, n))
  SELECT d - 'id' - 'messages' - 'summaries' || jsonb_build_object(
    'active_leaf_id', (SELECT n FROM place WHERE id = d ->> 'active_leaf_id'),
    'messages', (SELECT jsonb_agg(m - 'id' || jsonb_build_object('parent_id', p.n) ORDER BY e.n)
                 FROM jsonb_array_elements(d -> 'messages') WITH ORDINALITY e (m, n) LEFT JOIN place p ON p.id = m ->> 'parent_id'),
    'summaries', (SELECT jsonb_agg(s || jsonb_build_object('last_message_id', p.n) ORDER BY e.n)
                  FROM jsonb_array_elements(d -> 'summaries') WITH ORDINALITY e (s, n) LEFT JOIN place p ON p.id = s ->> 'last_message_id'))
  FROM d
$$;
-- What a person gets for a conversation; the row that an import gives for it, as text.
CREATE FUNCTION pg_temp.export(person uuid, conversation uuid, format text DEFAULT 'json', files boolean DEFAULT true) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.value(person, format('SELECT chat.export_conversation(%L, %L, %L)', conversation, format, files))
$$;
CREATE FUNCTION pg_temp.import(person uuid, document text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.value(person, format('SELECT string_agg(concat_ws('' '', idx, status, messages, reason), E''\n'' ORDER BY idx) FROM chat.import_conversations(%L::text)', document))
$$;
CREATE FUNCTION pg_temp.latest(person uuid) RETURNS uuid LANGUAGE sql AS $$
  SELECT id FROM chat.conversations WHERE user_id = person ORDER BY id DESC LIMIT 1
$$;

-- One conversation with everything in it.
SELECT chat.admin_register_model('test-provider', 'gone-model') AS gone \gset
INSERT INTO chat.folders (user_id, id, name) VALUES (:'alice', :'alice', 'Work');
INSERT INTO chat.folders (user_id, id, parent_id, name) VALUES (:'alice', :'bob', :'alice', 'Ideas');
INSERT INTO chat.conversations (user_id, id, title, title_source, description, is_pinned, is_archived, model, system_prompt, folder_id, tags,
  context_strategy, context_reserve, summary_model, last_reply_at, last_read_at, metadata, created_at, updated_at, last_message_at)
VALUES (:'alice', '00000000-0000-7000-8000-000000000001', E'Fences\nand *trees*', 'model', 'All of it', true, true, 'test-model', 'Be brief.', :'bob', '{b,a,"ä ö"}',
  'summarize', 500, 'test-model', '2024-05-06 07:08:09.123456+02', '2024-05-06 07:00:00+00', '{"k": [1, null]}', '2024-01-01 00:00:00.000001+00',
  '2024-05-06 00:00:00+00', '2024-05-05 00:00:00+00');
INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, status, content, content_hash, thinking, tool_calls, tool_call_id, model, finish_reason,
  error, input_tokens, output_tokens, cached_tokens, cost, latency_ms, first_token_ms, rating, feedback, metadata, attachment_count, author_id, created_at)
SELECT :'alice', ('00000000-0000-7000-8000-00000000010' || n)::uuid, '00000000-0000-7000-8000-000000000001',
  ('00000000-0000-7000-8000-00000000010' || p)::uuid, role, status, content, CASE WHEN status <> 'pending' THEN chat.content_hash(content) END, thinking,
  calls::jsonb, call_id, model, finish, error::jsonb, CASE WHEN role = 'assistant' THEN 10 END, CASE WHEN role = 'assistant' THEN 7 END, 0, 0.0100, 900, 80,
  rating, CASE WHEN rating = 1 THEN 'good' END, meta::jsonb, files, CASE WHEN n = 1 THEN :'bob'::uuid END, '2024-02-01'::timestamptz + n * interval '1 second'
FROM (VALUES
  (1, NULL, 'user', 'complete', E'Look:\n```js\nlet a = 1', NULL, NULL, NULL, NULL, NULL, NULL, NULL::smallint, '{"app": {"x": null}}', 2),
  (2, 1, 'assistant', 'complete', 'First answer', 'hm', NULL, NULL, 'test-model', 'stop', NULL, 1, '{}', 0),
  (3, 1, 'assistant', 'error', '', NULL, NULL, NULL, 'gone-model', NULL, '{"code": "provider_failed", "message": "no\nluck", "hint": null}', NULL, '{}', 0),
  (4, 1, 'assistant', 'complete', '', NULL, '[{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": \"```\"}"}}]', NULL, 'test-model', 'tool_calls', NULL, NULL, '{}', 0),
  (5, 4, 'tool', 'complete', '```` is four', NULL, NULL, 'c1', NULL, NULL, NULL, NULL, '{}', 0),
  (6, 5, 'assistant', 'pending', 'so far', NULL, NULL, NULL, 'test-model', NULL, NULL, NULL, '{}', 0)
) v (n, p, role, status, content, thinking, calls, call_id, model, finish, error, rating, meta, files);
INSERT INTO chat.attachments (user_id, id, sha256, media_type, byte_size, width, height)
VALUES (:'alice', '00000000-0000-7000-8000-000000000201', sha256(decode(:'png', 'base64')), 'image/png', 70, 1, 1), (:'alice', '00000000-0000-7000-8000-000000000202', sha256('words'), 'text/plain', 5, NULL, NULL);
INSERT INTO chat_private.attachment_data (user_id, attachment_id, data)
VALUES (:'alice', '00000000-0000-7000-8000-000000000201', decode(:'png', 'base64')), (:'alice', '00000000-0000-7000-8000-000000000202', 'words');
INSERT INTO chat.message_attachments (user_id, message_id, position, attachment_id, name)
VALUES (:'alice', '00000000-0000-7000-8000-000000000101', 1, '00000000-0000-7000-8000-000000000201', 'cat`s.png'),
       (:'alice', '00000000-0000-7000-8000-000000000101', 2, '00000000-0000-7000-8000-000000000202', NULL);
INSERT INTO chat.conversation_summaries (user_id, conversation_id, last_message_id, content, model, created_at)
VALUES (:'alice', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000105', 'In short', 'test-model', '2024-03-01');
UPDATE chat.conversations SET active_leaf_id = '00000000-0000-7000-8000-000000000106' WHERE user_id = :'alice';
\set conv '00000000-0000-7000-8000-000000000001'

-- The JSON of it.
SELECT pg_temp.export(:'alice', :'conv') AS exported \gset
SELECT is(:'exported'::jsonb - 'messages' - 'attachments' - 'summaries', jsonb_build_object('format', 'pgchat', 'version', 1, 'id', :'conv', 'title', E'Fences\nand *trees*',
  'title_source', 'model', 'description', 'All of it', 'is_pinned', true, 'is_archived', true, 'model', 'test-model', 'system_prompt', 'Be brief.', 'folder', '["Work", "Ideas"]'::jsonb,
  'tags', '["b", "a", "ä ö"]'::jsonb, 'context_strategy', 'summarize', 'context_reserve', 500, 'summary_model', 'test-model', 'metadata', '{"k": [1, null]}'::jsonb,
  'created_at', '2024-01-01T00:00:00.000001+00:00', 'updated_at', '2024-05-06T00:00:00+00:00', 'last_message_at', '2024-05-05T00:00:00+00:00',
  'last_reply_at', '2024-05-06T05:08:09.123456+00:00', 'last_read_at', '2024-05-06T07:00:00+00:00', 'active_leaf_id', '00000000-0000-7000-8000-000000000106'), 'json has all of a conversation');
SELECT is(:'exported'::jsonb #> '{messages,1}', '{"id": "00000000-0000-7000-8000-000000000102", "parent_id": "00000000-0000-7000-8000-000000000101", "role": "assistant", "status": "complete",
  "content": "First answer", "content_hash": "9bcf9a2d4dd1fc96b9c3fbc8e36c9ee46bdb7a1c4bd7e0d8b0bff3e3c3b1a8aa", "thinking": "hm", "tool_calls": null, "tool_call_id": null, "model": "test-model",
  "finish_reason": "stop", "error": null, "input_tokens": 10, "output_tokens": 7, "cached_tokens": 0, "cost": 0.0100, "latency_ms": 900, "first_token_ms": 80, "rating": 1, "feedback": "good",
  "attachments": null, "metadata": {}, "created_at": "2024-02-01T00:00:02+00:00"}'::jsonb || jsonb_build_object('updated_at', :'exported'::jsonb #> '{messages,1,updated_at}',
  'content_hash', encode(sha256('First answer'), 'hex')), 'and all of a message');
SELECT is(:'exported'::jsonb #>> '{messages,5,status}', 'incomplete', 'a reply in progress is incomplete');
SELECT is(:'exported'::jsonb #> '{messages,0,attachments}', jsonb_build_array(jsonb_build_object('sha256', encode(sha256(decode(:'png', 'base64')), 'hex'), 'name', 'cat`s.png'),
  jsonb_build_object('sha256', encode(sha256('words'), 'hex'), 'name', NULL)), 'a message names its files');
SELECT is((SELECT string_agg(a ->> 'data', ' ' ORDER BY a ->> 'media_type') FROM jsonb_array_elements(:'exported'::jsonb -> 'attachments') a), concat(:'png', ' d29yZHM='), 'whose bytes are there');
SELECT is((SELECT count(*)::int FROM jsonb_array_elements(pg_temp.export(:'alice', :'conv', files => false)::jsonb -> 'attachments') a WHERE a ->> 'data' IS NULL), 2, 'unless they are not wanted');
SELECT is(strpos(:'exported', :'bob'), 0, 'who else wrote in it is not told');
SET LOCAL timezone = 'Asia/Tokyo';
SELECT is(pg_temp.export(:'alice', :'conv'), :'exported', 'the text does not depend on the session''s time zone');
SET LOCAL timezone = 'UTC';

-- For people, and for models.
SELECT is(pg_temp.export(:'alice', :'conv', 'markdown'), E'# Fences and *trees*

2024-01-01 00:00 UTC

All of it

## System prompt

Be brief.

## User, 2024-02-01 00:00

Look:
```js
let a = 1
```

- Image: `cat''s.png` (image/png, 70 bytes)
- File: `without a name` (text/plain, 5 bytes)

## Assistant (test-model), 2024-02-01 00:00

Calls `f`:

````json
{"a": "```"}
````

## Tool, 2024-02-01 00:00

`````
```` is four
`````

## Assistant (test-model), 2024-02-01 00:00

so far

*This reply is incomplete.*
', 'markdown has the active branch, with code blocks that end');
SELECT is(pg_temp.export(:'alice', :'conv', 'openai')::jsonb, jsonb_build_array('{"role": "system", "content": "Be brief."}'::jsonb,
  jsonb_build_object('role', 'user', 'content', jsonb_build_array(jsonb_build_object('type', 'text', 'text', E'Look:\n```js\nlet a = 1\n\nAttached file (text/plain, 5 bytes):\n```\nwords\n```'),
    jsonb_build_object('type', 'image_url', 'image_url', jsonb_build_object('url', 'data:image/png;base64,' || :'png')))),
  '{"role": "assistant", "content": "", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": \"```\"}"}}]}'::jsonb,
  '{"role": "tool", "content": "```` is four", "tool_call_id": "c1"}'::jsonb, '{"role": "assistant", "content": "so far"}'::jsonb), 'openai is what a chat completions API takes');
SELECT ok(pg_temp.export(:'alice', :'conv', 'openai', false)::jsonb #>> '{1,content}' LIKE '%cat`s.png%', 'images by name where they are not wanted');
SELECT is(chat_private.close_fence(content), content || added, 'an open code block is closed: ' || translate(content, E'\n', '|'))
FROM (VALUES (E'a\n```\nb\n```', ''), (E'~~~~\n~~~\n```', E'\n~~~~'), (E'```a`b', ''), (E'```\n```x', E'\n```'), (E'    ```', ''), (E'````\n`````  ', '')) v (content, added);

-- There and back, at another person's.
SELECT is(pg_temp.import(:'bob', :'exported'), '1 imported 6', 'the export can be imported by somebody else');
SELECT pg_temp.latest(:'bob') AS copy \gset
SELECT is(pg_temp.canonical(pg_temp.export(:'bob', :'copy')), pg_temp.canonical(:'exported'), 'and their export is the same but for ids');
SELECT isnt(:'copy'::text, :'conv', 'the ids are new');
SELECT is((SELECT count(*)::int FROM chat.messages WHERE user_id = :'bob' AND id > :'copy' AND content_hash = chat.content_hash(content) AND (parent_id IS NULL OR parent_id < id)), 6, 'in order, with hashes');
SELECT is((SELECT count(*)::int FROM chat.usage_events), 0, 'costs of elsewhere are nobody''s usage');
SELECT is(pg_temp.value(:'bob', format('SELECT chat.conversation_cost(%L)', :'copy')), '0', 'nor the conversation''s cost');

-- A second time.
SELECT is(pg_temp.import(:'bob', :'exported'), '1 unchanged 0', 'a second import adds nothing');
SELECT is(pg_temp.import(:'alice', :'exported'), '1 unchanged 0', 'nor does one of a conversation that is still there');
SELECT is(pg_temp.import(:'bob', pg_temp.export(:'bob', :'copy')), '1 unchanged 0', 'nor one of the copy''s own export');
DELETE FROM chat.conversations WHERE user_id = :'alice';
SELECT is(pg_temp.import(:'alice', :'exported'), '1 imported 6', 'after it was deleted, it comes back');
SELECT is(pg_temp.import(:'alice', :'exported'), '1 unchanged 0', 'once');
SELECT is((SELECT count(*)::int FROM chat.folders WHERE user_id = :'alice'), 2, 'in the folder that is still there');
SELECT is((SELECT count(*)::int FROM chat.attachments WHERE user_id = :'alice'), 2, 'with the files that are still there');
SELECT pg_temp.export(:'alice', pg_temp.latest(:'alice'), files => false) AS bare \gset
SELECT is(pg_temp.import(:'supa', :'bare'), '1 imported 6 2 files are left out: they are not in the data', 'files that are not in it are told');
UPDATE chat.models SET is_active = false WHERE name = 'test-model';
SELECT is(pg_temp.import(:'supb', :'bare'), '1 imported 6 2 files are left out: they are not in the data; model "test-model" is not available', 'and a model that cannot be asked');
SELECT is((SELECT concat(model, summary_model) FROM chat.conversations WHERE user_id = :'supb'), '', 'which is left out');
UPDATE chat.models SET is_active = true WHERE name = 'test-model';

-- Random trees.
CREATE FUNCTION pg_temp.grow(person uuid, seed double precision, size integer) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  conversation uuid := chat.uuid_v7();
  texts text[] := ARRAY['', ' ', 'plain', E'\\u0000 \\ud800 \\', E'line\nline\r\n\ttab', '𝄞 é e' || chr(769) || chr(8238) || ' 漢字', '"quoted" {"a": [1]}', chr(1) || chr(127) || chr(65533), repeat('long ', 20000)];
  ids uuid[] := '{}';
  files uuid[];
  leaf uuid;
BEGIN
  PERFORM setseed(seed);
  files := ARRAY(SELECT chat_private.store_attachment(person, convert_to('file ' || f || seed, 'UTF8'), 'text/plain') FROM generate_series(1, 3) f);
  INSERT INTO chat.conversations (user_id, id, title, system_prompt, description, is_pinned, tags, created_at)
  VALUES (person, conversation, texts[1 + floor(random() * 8)], texts[1 + floor(random() * 9)], texts[1 + floor(random() * 8)], random() < 0.5, (ARRAY['plain', 'two words', '漢字', 'ß'])[1:floor(random() * 5)::int], now() - random() * interval '9 years');
  FOR n IN 1 .. size LOOP
    leaf := chat.uuid_v7();
    INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, status, content, thinking, tool_calls, tool_call_id, error, rating, feedback, output_tokens, cost, metadata, attachment_count, created_at)
    VALUES (person, leaf, conversation, CASE WHEN random() < 0.9 THEN ids[1 + floor(random() * n)] END, (ARRAY['system', 'user', 'assistant', 'tool'])[1 + floor(random() * 4)],
      (ARRAY['complete', 'complete', 'error', 'cancelled', 'incomplete'])[1 + floor(random() * 5)], texts[1 + floor(random() * 9)], CASE WHEN random() < 0.3 THEN texts[1 + floor(random() * 9)] END,
      CASE WHEN random() < 0.2 THEN jsonb_build_array(jsonb_build_object('id', texts[4], 'type', 'function', 'function', jsonb_build_object('name', texts[6], 'arguments', texts[7]))) END,
      CASE WHEN random() < 0.2 THEN texts[4] END, CASE WHEN random() < 0.2 THEN jsonb_build_object('message', texts[5], 'hint', NULL) END, CASE WHEN random() < 0.2 THEN -1 END,
      CASE WHEN random() < 0.2 THEN texts[5] END, CASE WHEN random() < 0.5 THEN floor(random() * 1e9) END, CASE WHEN random() < 0.5 THEN random()::numeric END,
      CASE WHEN random() < 0.3 THEN jsonb_build_object(texts[7], texts[6], 'n', NULL) ELSE '{}' END, CASE WHEN n % 7 = 0 THEN 2 ELSE 0 END, now() - random() * interval '9 years');
    ids := ids || leaf;
  END LOOP;
  INSERT INTO chat.message_attachments (user_id, message_id, position, attachment_id, name)
  SELECT person, m.id, p, files[1 + floor(random() * 3)], texts[1 + floor(random() * 8)] FROM chat.messages m, generate_series(1, 2) p WHERE m.user_id = person AND m.conversation_id = conversation AND m.attachment_count = 2;
  UPDATE chat.messages SET content_hash = chat.content_hash(content) WHERE user_id = person AND conversation_id = conversation;
  UPDATE chat.conversations SET active_leaf_id = ids[1 + floor(random() * size)] WHERE user_id = person AND id = conversation;
  RETURN conversation;
END $$;
CREATE TEMP TABLE grown ON COMMIT DROP AS
  SELECT seed, pg_temp.grow(:'alice', seed / 100.0, (seed * 7) % 60) AS conversation FROM generate_series(1, 25) seed;
CREATE TEMP TABLE moved ON COMMIT DROP AS SELECT seed, pg_temp.export(:'alice', conversation) AS document, NULL::text AS result, NULL::uuid AS copy FROM grown ORDER BY seed;
UPDATE moved SET result = pg_temp.import(:'bob', document);
UPDATE moved SET copy = i.conversation_id FROM chat.conversation_imports i WHERE i.user_id = :'bob' AND i.source_id = document::jsonb ->> 'id';
SELECT is_empty('SELECT seed, result FROM moved WHERE result <> format(''1 imported %s'', (seed * 7) % 60)', 'random trees are all imported');
SELECT is_empty(format('SELECT seed FROM moved WHERE pg_temp.canonical(document) IS DISTINCT FROM pg_temp.canonical(pg_temp.export(%L, copy))', :'bob'), 'without loss');
SELECT is_empty($$SELECT m.id FROM chat.messages m LEFT JOIN chat.messages p ON p.user_id = m.user_id AND p.id = m.parent_id AND p.conversation_id = m.conversation_id
                  WHERE m.parent_id IS NOT NULL AND p.id IS NULL$$, 'every parent is in the same conversation');
SELECT is((SELECT document::jsonb -> 'messages' FROM moved WHERE seed = 13), (SELECT (pg_temp.export(:'alice', conversation)::jsonb -> 'messages') FROM grown WHERE seed = 13), 'the document is the same each time');
-- In whatever order the messages come.
SELECT is(pg_temp.import(:'supa', jsonb_set(document::jsonb, '{messages}', (SELECT jsonb_agg(m ORDER BY md5(m::text)) FROM jsonb_array_elements(document::jsonb -> 'messages') m))::text),
          '1 imported 31', 'messages may come in any order') FROM moved WHERE seed = 13;
SELECT bag_eq(format($$SELECT coalesce(p.content, ''), m.content FROM chat.messages m LEFT JOIN chat.messages p ON p.user_id = m.user_id AND p.id = m.parent_id WHERE m.user_id = %L AND m.conversation_id = pg_temp.latest(%L)$$, :'supa', :'supa'),
              format($$SELECT coalesce(p.content, ''), m.content FROM chat.messages m LEFT JOIN chat.messages p ON p.user_id = m.user_id AND p.id = m.parent_id WHERE m.conversation_id = (SELECT conversation FROM grown WHERE seed = 13)$$), 'and make the same tree');

-- A very deep one.
INSERT INTO chat.conversations (user_id, id, title) VALUES (:'alice', '00000000-0000-7000-8000-000000000002', 'deep');
INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, content)
SELECT :'alice', ('00000000-0000-7000-8001-' || lpad(n::text, 12, '0'))::uuid, '00000000-0000-7000-8000-000000000002',
  CASE WHEN n > 1 THEN ('00000000-0000-7000-8001-' || lpad((n - 1)::text, 12, '0'))::uuid END, CASE n % 2 WHEN 1 THEN 'user' ELSE 'assistant' END, 'message ' || n FROM generate_series(1, 10000) n;
UPDATE chat.conversations SET active_leaf_id = '00000000-0000-7000-8001-000000010000' WHERE id = '00000000-0000-7000-8000-000000000002';
SELECT is(pg_temp.import(:'bob', pg_temp.export(:'alice', '00000000-0000-7000-8000-000000000002')), '1 imported 10000', 'a chain of 10,000 messages moves');
SELECT is((SELECT count(*)::int FROM regexp_matches(pg_temp.export(:'bob', pg_temp.latest(:'bob'), 'markdown'), '^message \d+$', 'gn')), 10000, 'and can be read');

-- All at once.
SELECT is(pg_temp.value(:'alice', 'SELECT count(*) FROM chat.export_conversations()'), (SELECT count(*)::text FROM chat.conversations WHERE user_id = :'alice'), 'export_conversations gives one row each');
SELECT is(pg_temp.value(:'alice', 'SELECT count(*) FROM chat.export_conversations(archived => true) e WHERE (e::jsonb ->> ''is_archived'')::boolean'), '1', 'archived ones, or the others');
SELECT is(pg_temp.value(:'alice', $$SELECT count(*) FROM chat.export_conversations(since => now() + '1 day')$$), '0', 'those that changed since');
SELECT ok(pg_temp.value(:'alice', $$SELECT string_agg(e, E'\n') FROM (SELECT chat.export_conversations('markdown') AS e) s$$) LIKE '# %', 'in each format');
SELECT pg_temp.value(:'alice', 'SELECT string_agg(e, E''\n'') FROM (SELECT chat.export_conversations() AS e) s') AS lines \gset
SELECT is(pg_temp.value(:'worker', format('SELECT string_agg(DISTINCT status, '','') || count(*) FROM chat.import_conversations(%L)', :'lines')), 'imported27', 'and its rows, a line each, can be imported');

-- Others, nobody, guests.
SELECT is(pg_temp.outcome(:'bob', format('SELECT chat.export_conversation(%L)', '00000000-0000-7000-8000-000000000002')), 'P0002', 'nobody exports another''s');
SELECT is(pg_temp.outcome(NULL, statement), '28000', 'nobody: ' || statement)
FROM unnest(ARRAY['SELECT chat.export_conversation(chat.uuid_v7())', 'SELECT chat.export_conversations()', 'SELECT chat.import_conversations(''[]'')', 'SELECT chat.import_conversations(jsonb ''[]'')']) statement;
SELECT * FROM finish();
ROLLBACK;
