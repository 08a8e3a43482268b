-- Conversations of other products, and files that are broken or made to do harm.
BEGIN;
\ir people.psql
SELECT plan(71);

CREATE FUNCTION pg_temp.import(person uuid, document text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.value(person, format('SELECT string_agg(concat_ws('' '', idx, status, messages, reason), E''\n'' ORDER BY idx) FROM chat.import_conversations(%L::text)', document))
$$;
CREATE FUNCTION pg_temp.latest(person uuid) RETURNS chat.conversations LANGUAGE sql AS $$
  SELECT c FROM chat.conversations c WHERE user_id = person ORDER BY id DESC LIMIT 1
$$;
-- The active branch: role:content, with thinking in parentheses.
CREATE FUNCTION pg_temp.branch(person uuid) RETURNS text LANGUAGE sql AS $$
  WITH RECURSIVE b AS (
    SELECT m.*, 0 AS above FROM chat.messages m WHERE m.user_id = person AND m.id = (pg_temp.latest(person)).active_leaf_id
    UNION ALL SELECT m.*, above + 1 FROM b JOIN chat.messages m ON m.user_id = b.user_id AND m.id = b.parent_id)
  SELECT string_agg(role || coalesce('(' || thinking || ')', '') || ':' || content, '|' ORDER BY above DESC) FROM b
$$;

-- ChatGPT: hidden, empty and system nodes, two roots' worth of history, branches, thoughts, tools, pictures, code.
SELECT $json$[{
  "title": "A chat", "create_time": 1700000000.123456, "update_time": 1700000500.5, "conversation_id": "gpt-1", "id": "gpt-1", "current_node": "n9", "is_archived": true, "is_starred": null,
  "gizmo_id": "g-custom", "default_model_slug": "gpt-4o", "moderation_results": [], "voice": null,
  "mapping": {
    "client-created-root": {"id": "client-created-root", "message": null, "parent": null, "children": ["n1"]},
    "n1": {"id": "n1", "parent": "client-created-root", "children": ["n2"], "message": {"id": "n1", "author": {"role": "system"}, "create_time": null,
           "content": {"content_type": "text", "parts": [""]}, "metadata": {"is_visually_hidden_from_conversation": true}}},
    "n2": {"id": "n2", "parent": "n1", "children": ["n3"], "message": {"id": "n2", "author": {"role": "user"}, "content": {"content_type": "user_editable_context", "user_profile": "secret me"}, "metadata": {"is_user_system_message": true}}},
    "n3": {"id": "n3", "parent": "n2", "children": ["n4", "n10"], "message": {"id": "n3", "author": {"role": "user"}, "create_time": 1700000001.5,
           "content": {"content_type": "multimodal_text", "parts": [{"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-abc", "width": 1}, "What is this?", {"content_type": "audio_transcription", "text": "spoken"}, {"content_type": "audio_asset_pointer", "asset_pointer": "x"}, {"content_type": "novelty"}]},
           "metadata": {"attachments": [{"id": "file-abc", "name": "cat.png", "mime_type": "image/png"}, {"id": "f2", "name": "notes.pdf", "mime_type": "application/pdf"}]}}},
    "n4": {"id": "n4", "parent": "n3", "children": ["n5"], "message": {"id": "n4", "author": {"role": "assistant"}, "create_time": 1700000002, "content": {"content_type": "thoughts", "thoughts": [{"summary": "Looking", "content": "It has ears"}]}, "recipient": "all"}},
    "n5": {"id": "n5", "parent": "n4", "children": ["n6"], "message": {"id": "n5", "author": {"role": "assistant"}, "create_time": 1700000003, "content": {"content_type": "reasoning_recap", "content": "Thought for 3s"}}},
    "n6": {"id": "n6", "parent": "n5", "children": ["n7"], "message": {"id": "n6", "author": {"role": "assistant"}, "create_time": 1700000004, "recipient": "python", "content": {"content_type": "code", "language": "unknown", "text": "print(1)"}, "metadata": {"model_slug": "gpt-4o"}}},
    "n7": {"id": "n7", "parent": "n6", "children": ["n8"], "message": {"id": "n7", "author": {"role": "tool", "name": "python"}, "create_time": 1700000005, "content": {"content_type": "execution_output", "text": "1"}}},
    "n8": {"id": "n8", "parent": "n7", "children": ["n9"], "message": {"id": "n8", "author": {"role": "tool", "name": "browser"}, "create_time": 1700000006, "content": {"content_type": "tether_quote", "url": "http://x", "title": "X", "text": "quoted"}}},
    "n9": {"id": "n9", "parent": "n8", "children": [], "message": {"id": "n9", "author": {"role": "assistant"}, "create_time": 1700000007, "status": "finished_successfully", "content": {"content_type": "text", "parts": ["A cat."]}, "metadata": {"model_slug": "gpt-4o"}, "recipient": "all"}},
    "n10": {"id": "n10", "parent": "n3", "children": [], "message": {"id": "n10", "author": {"role": "assistant"}, "create_time": 1700000008, "status": "in_progress", "content": {"content_type": "brand_new", "result": "A dog"}}},
    "lost": {"id": "lost", "parent": "nowhere", "children": [], "message": {"id": "lost", "author": {"role": "user"}, "create_time": 1700000009, "content": {"content_type": "text", "parts": ["Another root", null]}}}
  }},
  {"title": null, "create_time": null, "mapping": {}, "conversation_id": "gpt-2", "current_node": "gone"},
  {"title": "Junk nodes", "mapping": {"a": null, "b": 5, "c": {"message": {"author": null, "content": null}}, "d": {"message": {"author": {"role": "critic"}, "content": {"content_type": "text", "parts": ["x"]}}}, "e": {"parent": "c", "message": {"author": {"role": "user"}, "create_time": "yesterday", "content": {"parts": ["kept"]}}}}, "id": "gpt-3"}
]$json$ AS chatgpt \gset
SELECT is(pg_temp.import(:'alice', :'chatgpt'), E'1 imported 7\n2 imported 0\n3 imported 1', 'ChatGPT''s conversations are imported');
SELECT is(pg_temp.branch(:'alice'), 'user:kept', 'what is no message is left out');
DELETE FROM chat.conversations WHERE user_id = :'alice' AND title <> 'A chat';
SELECT is(pg_temp.branch(:'alice'), E'user:[image: file-abc]\n\nWhat is this?\n\nspoken\n\n[novelty]\n\n[file: notes.pdf]|assistant(Looking\n\nIt has ears):|tool:```\n1\n```|assistant:X\n\nhttp://x\n\nquoted|assistant:A cat.', 'the branch that was shown, without what was hidden');
SELECT is((SELECT tool_calls FROM chat.messages WHERE user_id = :'alice' AND tool_calls IS NOT NULL), '[{"id": "n6", "type": "function", "function": {"name": "python", "arguments": "{\"input\": \"print(1)\"}"}}]', 'a call of a tool is one');
SELECT is((SELECT tool_call_id FROM chat.messages WHERE user_id = :'alice' AND role = 'tool'), 'n6', 'which the tool answers');
SELECT is((SELECT thinking FROM chat.messages WHERE user_id = :'alice' AND tool_calls IS NOT NULL), E'Looking\n\nIt has ears', 'thoughts are the thinking of what follows');
SELECT is((SELECT count(DISTINCT parent_id) || ' ' || count(*) FILTER (WHERE parent_id IS NULL) FROM chat.messages WHERE user_id = :'alice'), '4 2', 'branches and roots are kept');
SELECT is((SELECT status || ' ' || content FROM chat.messages WHERE user_id = :'alice' AND created_at = to_timestamp(1700000008)), 'incomplete A dog', 'so are kinds of content that are new, and what was cut off');
SELECT is((pg_temp.latest(:'alice')).created_at::text, '2023-11-14 22:13:20.123456+00', 'with their times');
SELECT is((SELECT concat_ws(' ', title, title_source, is_archived, is_pinned, model, metadata) FROM chat.conversations WHERE user_id = :'alice'),
          'A chat given t f {"chatgpt": {"gizmo_id": "g-custom", "default_model_slug": "gpt-4o"}}', 'and the rest of the conversation');
SELECT is(pg_temp.import(:'alice', :'chatgpt'), E'1 unchanged 0\n2 imported 0\n3 imported 1', 'a second time adds only what was deleted');
SELECT is(pg_temp.import(:'alice', :'chatgpt'::jsonb ->> 0), '1 unchanged 0', 'one alone is recognised, too');
SELECT is((SELECT string_agg(title || ' ' || title_source, ', ' ORDER BY id) FROM chat.conversations WHERE user_id = :'alice' AND title <> 'A chat'), 'New Conversation default, Junk nodes given', 'titles are made where there are none');
SELECT lives_ok(format('SELECT chat_private.check_imported_messages(%L::jsonb -> ''messages'')', chat_private.from_chatgpt(:'chatgpt'::jsonb -> 0)), 'what comes of it is of the form of pgchat');

-- Open WebUI: a tree, an old list, pictures in the chat and elsewhere, thinking, errors, ratings.
SELECT $json$[{"id": "ow-1", "user_id": "forged", "title": "Owls", "created_at": 1700000000, "updated_at": 1700000100, "share_id": null, "archived": false, "pinned": true, "meta": {"tags": ["birds", "night"]}, "folder_id": "f",
  "chat": {"id": "", "title": "inner", "models": ["llama3"], "params": {"system": "Be wise"}, "files": [], "timestamp": 1700000000123, "messages": [],
    "history": {"currentId": "c", "messages": {
      "a": {"id": "a", "parentId": null, "childrenIds": ["b", "c"], "role": "user", "content": "Who?", "timestamp": 1700000001, "models": ["llama3"],
            "files": [{"type": "image", "url": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="}, {"type": "file", "name": "owl.pdf", "url": "/api/v1/files/1", "file": {"filename": "x"}}, 7]},
      "c": {"id": "c", "parentId": "a", "childrenIds": [], "role": "assistant", "content": "<details type=\"reasoning\" done=\"true\" duration=\"2\">\n<summary>Thought for 2 seconds</summary>\n> a &lt; b\n> c\n</details>\nAn owl.", "model": "llama3", "modelName": "Llama", "timestamp": 1700000003, "done": true,
            "usage": {"prompt_tokens": 11, "completion_tokens": 5}, "annotation": {"rating": 1, "comment": "wise"}},
      "odd": {"role": "narrator", "content": "x", "parentId": "c"}, "b": {"id": "b", "parentId": "a", "childrenIds": [], "role": "assistant", "content": "", "model": "llama3", "timestamp": 1700000002, "error": {"content": "CUDA out of memory"}}
    }}}},
  {"title": "Old", "chat": {"title": "Old", "messages": [{"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="}}]}, {"role": "assistant", "content": "two", "done": false}], "tags": [{"name": "t"}]}},
  {"history": {"messages": {"x": {"role": "user", "content": null, "parentId": null}}, "currentId": "y"}, "title": ""}
]$json$ AS openwebui \gset
SELECT is(pg_temp.import(:'bob', :'openwebui'), E'1 imported 3 model "llama3" is not available\n2 imported 2\n3 imported 1', 'Open WebUI''s chats are imported');
SELECT is(pg_temp.import(:'bob', :'openwebui'), E'1 unchanged 0\n2 unchanged 0\n3 unchanged 0', 'once, also where they have no id');
DELETE FROM chat.conversations WHERE user_id = :'bob' AND title NOT IN ('Owls', 'Old');
SELECT is(pg_temp.branch(:'bob'), 'user:one|assistant:two', 'a list is a branch');
SELECT is((SELECT string_agg(status || attachment_count, ' ' ORDER BY id) FROM chat.messages WHERE user_id = :'bob' AND conversation_id = (pg_temp.latest(:'bob')).id), 'complete1 incomplete0', 'with pictures and what was cut off');
DELETE FROM chat.conversations WHERE user_id = :'bob' AND title = 'Old';
SELECT is(pg_temp.branch(:'bob'), E'user:Who?\n\n[file: owl.pdf]|assistant(a < b\nc):An owl.', 'a tree has its active branch, and thinking apart');
SELECT is((SELECT concat_ws(' ', status, error, model) FROM chat.messages WHERE user_id = :'bob' AND status = 'error'), 'error {"message": "CUDA out of memory"} llama3', 'errors are kept');
SELECT is((SELECT concat_ws(' ', rating, feedback, input_tokens, output_tokens) FROM chat.messages WHERE user_id = :'bob' AND rating IS NOT NULL), '1 wise 11 5', 'ratings and tokens, too');
SELECT is((SELECT concat_ws(' ', is_pinned, is_archived, tags, system_prompt, created_at, last_message_at) FROM chat.conversations WHERE user_id = :'bob'),
          't f {birds,night} Be wise 2023-11-14 22:13:20+00 2023-11-14 22:13:23+00', 'and the rest of the chat');
SELECT is((SELECT string_agg(octet_length(d.data)::text, ',') FROM chat_private.attachment_data d WHERE d.user_id = :'bob'), '70', 'a picture in two chats is stored once');

-- One that is broken spoils no other, and leaves nothing.
CREATE FUNCTION pg_temp.mine(id text, messages text, more text DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
  SELECT format('{"format": "pgchat", "version": 1, "id": "%s", "title": "%s", "messages": %s}', id, id, messages)::jsonb || more::jsonb
$$;
SELECT '{"id": "1", "role": "user", "content": "x"}' AS m \gset
SELECT is(pg_temp.import(:'supa', format('[%s, {"no": 1}, 5, null, %s, {"broken": , %s]', pg_temp.mine('a', '[' || :'m' || ']'), pg_temp.mine('b', '[{"role": "user"}]'), pg_temp.mine('c', '[]'))),
          E'1 imported 1\n2 failed 0 it is no conversation that pgchat, ChatGPT or Open WebUI exports\n3 failed 0 it is no conversation that pgchat, ChatGPT or Open WebUI exports\n4 failed 0 it is no conversation that pgchat, ChatGPT or Open WebUI exports\n5 failed 0 a message has no id (22023)\n6 failed 0 it is not valid JSON, or nested too deeply, or larger than a jsonb can be',
          'each item has its row');
CREATE TEMP TABLE hostile (messages text, more text, reason text) ON COMMIT DROP;
INSERT INTO hostile VALUES
  ('[{"id": "1", "parent_id": "2", "role": "user"}, {"id": "2", "parent_id": "1", "role": "user"}]', '{}', 'a message is its own ancestor: "1"'),
  ('[{"id": "1", "parent_id": "1", "role": "user"}]', '{}', 'a message is its own ancestor: "1"'),
  ('[{"id": "1", "role": "user"}, {"id": "1", "role": "user"}]', '{}', 'two messages have the id "1"'),
  ('[{"id": "1", "parent_id": "9", "role": "user"}]', '{}', 'no message has the id of the parent "9"'),
  ('[5]', '{}', 'message 1 is no object'),
  ('[{"id": "1"}]', '{}', 'message 1 has no role that messages have'),
  ('[{"id": "1", "role": "root"}]', '{}', 'message 1 has no role that messages have'),
  ('[{"id": "1", "role": "user", "status": "running"}]', '{}', 'message 1 has no status that messages have'),
  ('[{"id": "1", "role": "user"}, {"id": "2", "role": "assistant", "tool_calls": [{"id": "x"}]}]', '{}', 'message 2 has tool_calls of another form'),
  ('[{"id": "1", "role": "assistant", "tool_calls": {}}]', '{}', 'message 1 has tool_calls of another form'),
  ('[{"id": "1", "role": "user", "metadata": []}]', '{}', 'message 1 has metadata that is no object'),
  ('[{"id": "1", "role": "assistant", "rating": 5}]', '{}', 'message 1 has a rating other than 1 and -1'),
  ('[{"id": "1", "role": "assistant", "cost": -5}]', '{}', 'message 1 has a number that is out of range'),
  ('[{"id": "1", "role": "assistant", "output_tokens": 99999999999}]', '{}', '%out of range%'),
  ('[{"id": "1", "role": "assistant", "created_at": "soon"}]', '{}', 'invalid input syntax%'),
  (format('[{"id": "1", "role": "user", "content": "%s"}]', repeat('x', 1048577)), '{}', 'message 1 has more than 1048576 bytes'),
  (format('[{"id": "1", "role": "user", "model": "%s"}]', repeat('x', 5000)), '{}', 'message 1 has a name that is too long'),
  ('[]', format('{"system_prompt": "%s"}', repeat('x', 1048577)), 'the system prompt or the metadata has more than 1048576 bytes'),
  ('[]', '{"context_strategy": "magic"}', '%check constraint%'),
  ('[]', '{"is_pinned": "perhaps"}', 'invalid input syntax%');
INSERT INTO hostile SELECT format('[{"id": "1", "role": "user", "thinking": "%s"}]', repeat('x', 1048577)), '{}', 'message 1 has more than 1048576 bytes';
SELECT ok(pg_temp.import(:'supa', pg_temp.mine('h' || n, messages, more)) LIKE '1 failed 0 ' || reason || ' (_____)', 'refused: ' || left(reason, 60)) FROM (SELECT *, row_number() OVER () AS n FROM hostile) h;
SELECT is(pg_temp.import(:'supa', pg_temp.mine('file' || length(data), '[{"id": "1", "role": "user", "attachments": [{"sha256": "x"}, {"sha256": "y"}, 5]}]', format('{"attachments": [{"sha256": "x", "media_type": "image/png", "data": %s}, {"sha256": "y", "data": null}]}', data))),
  '1 imported 1 3 files are left out: ' || problem, 'a file that is none is left out') FROM (VALUES ('"?"', 'invalid symbol "?" found while decoding base64 sequence'), ('"eHh4"', 'the bytes are not image/png but text/plain')) v (data, problem);
SELECT is((SELECT string_agg(title, ',' ORDER BY id) FROM chat.conversations WHERE user_id = :'supa'), 'a,file3,file6', 'nothing of it is stored');
SELECT is((SELECT count(*)::int FROM chat.attachments WHERE user_id = :'supa'), 0, 'no file either');

-- What is forged or too much is not believed.
SELECT is(pg_temp.import(:'supa', pg_temp.mine(:'alice', '[{"id": "1", "user_id": "' || :'bob' || '", "conversation_id": "' || :'bob' || '", "role": "user", "content": "x", "content_hash": "00", "author_id": "' || :'bob' || '", "idempotency_key": "k", "cost": 5000, "created_at": "2999-01-01T00:00:00Z", "status": "pending"}]',
  jsonb_build_object('user_id', :'bob', 'title', repeat('t', 1000000), 'description', repeat('d', 20000), 'last_message_at', 'infinity', 'folder', jsonb_build_array(repeat('f', 9999), '', 'g'), 'tags', jsonb_build_array('a', E' A\t', '', 5, NULL, repeat('x', 1000), repeat('y', 49) || ' y'), 'reassigned_from', :'bob')::text)),
  '1 imported 1', 'forged fields are no obstacle');
SELECT is((SELECT concat_ws(' ', char_length(c.title), char_length(c.description), c.last_message_at <= clock_timestamp(), array_length(c.tags, 1), char_length(c.tags[2]), char_length(c.tags[3]), c.reassigned_from, m.status, m.author_id, m.idempotency_key, m.content_hash = chat.content_hash('x'), m.created_at <= clock_timestamp())
           FROM chat.conversations c JOIN chat.messages m ON m.user_id = c.user_id AND m.conversation_id = c.id WHERE c.id = (pg_temp.latest(:'supa')).id), '500 10000 t 3 50 49 incomplete t t', 'and are not taken over');
SELECT is((SELECT count(*)::int FROM chat.conversations WHERE user_id = :'bob'), 1, 'nobody else gets anything');
SELECT is((SELECT string_agg(char_length(name)::text, ',' ORDER BY char_length(name)) FROM chat.folders WHERE user_id = :'supa'), '1,255', 'folders have names of their length');
SELECT is(pg_temp.got(:'supa_token', 'SELECT used FROM chat.my_limits() WHERE name = ''cost_per_month'''), '0', 'no cost counts');

-- Text that jsonb refuses.
SELECT is(pg_temp.import(:'supb', pg_temp.mine('clean', '[' || :'m' || ']') || E'\n' || replace(pg_temp.mine('nul', '[{"id": "1", "role": "user", "content": "a@b"}]'), '@', '\u0000\ud83d\\u0000\ud83d\ude00')),
          E'1 imported 1\n2 imported 1 characters that text cannot hold were replaced', 'U+0000 and lone surrogates are replaced');
SELECT is((SELECT content FROM chat.messages WHERE user_id = :'supb' ORDER BY id DESC LIMIT 1), 'a' || chr(65533) || chr(65533) || '\u0000😀b', 'and nothing else is');
SELECT is(pg_temp.outcome(:'supb', 'SELECT * FROM chat.import_conversations(''[]'')'), '0 rows', 'a literal of no type is taken');
SELECT is(pg_temp.import(:'supb', repeat('[', 100000)), '1 failed 0 it is not valid JSON, or nested too deeply, or larger than a jsonb can be', 'what is nested too deeply fails');
SELECT is(pg_temp.import(:'supb', '{"format": "pgchat", "version": 1, "conversations": [' || pg_temp.mine('e', '[]') || ']}'), '1 imported 0', 'conversations may be a member of an object');
SELECT is(pg_temp.value(:'supb', format('SELECT string_agg(status, '','') FROM chat.import_conversations(%L::jsonb)', '[' || pg_temp.mine('e', '[]') || ',' || pg_temp.mine('f', '[]') || ', 7]')), 'unchanged,imported,failed', 'jsonb is taken, too');

-- Bad arguments, and limits of plans.
SELECT is(pg_temp.outcome(:'alice', 'SELECT * FROM ' || call), sqlstate, call) FROM (VALUES
  ('chat.import_conversations(NULL::jsonb)', '22004'), ('chat.import_conversations(NULL::text)', '22004'), ('chat.import_conversations(E'' \n'')', '22023'),
  ('chat.export_conversation(NULL)', '22004'), ('chat.export_conversation(chat.uuid_v7(), NULL)', '22004'), ('chat.export_conversation(chat.uuid_v7(), ''pdf'')', '22023'),
  ('chat.export_conversation(chat.uuid_v7())', 'P0002'), ('chat.export_conversations(NULL)', '22004'), ('chat.export_conversations(''pdf'')', '22023')) v (call, sqlstate);
UPDATE chat.plans SET limits = '{"conversations": 2, "messages_per_day": 2}' WHERE code = (SELECT plan FROM chat.users WHERE id = :'guest');
SELECT is(pg_temp.import(:'guest', '[' || pg_temp.mine('1', '[{"id": "1", "role": "user", "content": "x", "created_at": "2020-01-01T00:00:00Z"}, {"id": "2", "role": "user", "content": "x", "created_at": "2020-01-01T00:00:00Z"}]') || ',' || pg_temp.mine('2', '[]') || ',' || pg_temp.mine('3', '[]') || ']'),
          E'1 imported 2\n2 imported 0\n3 failed 0 the plan allows 2 conversations (PC303)', 'a plan''s limit is told where it is reached');
SELECT is(pg_temp.outcome(:'guest', format('SELECT chat.send_message(%L, ''x'')', (pg_temp.latest(:'guest')).id)), '1 rows', 'old messages count as none that were sent today');
SELECT * FROM finish();
ROLLBACK;
