-- The short way to what a model is told gives what the long way gives, whatever the conversation; both ways over random ones.
BEGIN;
\ir setup.psql
SELECT plan(14);
SELECT chat.admin_register_model('test-provider', 'small'), chat.admin_register_model('test-provider', 'middle'), chat.admin_register_model('test-provider', 'open');
UPDATE chat.models SET context_window = CASE name WHEN 'small' THEN 600 WHEN 'middle' THEN 4000 END;

-- 200 conversations by chance: of 0 to 12 messages of any role, size and number of tokens, a few with files or calls of tools, some
-- with a reserve, a strategy or a prompt of their own; each followed by a pending reply in the queue.
SELECT extract(epoch FROM clock_timestamp())::bigint % 100000 AS seed \gset
SELECT setseed(:seed / 100000.0);
CREATE TEMP TABLE cases ON COMMIT DROP AS
  SELECT n, chat.uuid_v7() AS conversation, floor(random() * 13)::int AS length, random() < 0.1 AS has_tools, random() < 0.1 AS has_files,
         (ARRAY['small', 'middle', 'open', 'unknown'])[1 + floor(random() * 4)::int] AS model,
         CASE WHEN random() < 0.2 THEN jsonb_build_object('max_tokens', floor(random() * 3000)) ELSE '{}' END AS options, chat.uuid_v7() AS reply
  FROM generate_series(1, 200) n;
INSERT INTO chat.conversations (user_id, id, context_strategy, context_reserve, system_prompt)
SELECT :'alice', conversation, CASE WHEN random() < 0.4 THEN (ARRAY['summarize', 'error'])[1 + floor(random() * 2)::int] END,
       CASE WHEN random() < 0.2 THEN 1 + floor(random() * 3000) END, CASE WHEN random() < 0.3 THEN repeat('p', floor(random() * 300)::int) END
FROM cases;
CREATE TEMP TABLE told ON COMMIT DROP AS
  SELECT c.n, i, c.conversation, CASE WHEN i <= c.length THEN chat.uuid_v7() ELSE c.reply END AS id,
         CASE WHEN i > c.length OR random() < 0.45 THEN 'assistant' WHEN random() < 0.9 THEN 'user' ELSE (ARRAY['system', 'tool'])[1 + floor(random() * 2)::int] END AS role,
         CASE WHEN i > c.length THEN 'pending' ELSE (ARRAY['complete', 'complete', 'complete', 'incomplete', 'error'])[1 + floor(random() * 5)::int] END AS status,
         CASE WHEN i > c.length OR random() < 0.1 THEN '' ELSE rpad('m' || i, floor(power(10, 3.2 * random()))::int, 'é "\') END AS content,
         CASE WHEN random() < 0.4 THEN floor(random() * 400)::int END AS tokens, CASE WHEN random() < 0.2 THEN 'hm' END AS thinking,
         CASE WHEN c.has_tools AND i <= c.length AND random() < 0.3 THEN jsonb '[{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]' END AS tool_calls,
         CASE WHEN c.has_tools AND i <= c.length AND random() < 0.3 THEN 'a' END AS tool_call_id, c.has_files AND i <= c.length AND random() < 0.3 AS has_file
  FROM cases c, generate_series(1, c.length + 1) i;
INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, status, content, output_tokens, thinking, tool_calls, tool_call_id, attachment_count)
SELECT :'alice', id, conversation, lag(id) OVER (PARTITION BY n ORDER BY i), role, status, content, tokens, thinking, tool_calls, tool_call_id, has_file::int FROM told;
INSERT INTO chat.attachments (user_id, id, sha256, media_type, byte_size) VALUES (:'alice', :'alice', sha256('x'), 'text/plain', 300);
INSERT INTO chat_private.attachment_data (user_id, attachment_id, data) VALUES (:'alice', :'alice', convert_to(repeat('x', 300), 'UTF8'));
INSERT INTO chat.message_attachments (user_id, message_id, position, attachment_id) SELECT :'alice', id, 1, :'alice' FROM told WHERE has_file;
INSERT INTO chat_private.llm_requests (user_id, message_id, conversation_id, model, options) SELECT :'alice', reply, conversation, model, options FROM cases;

SET LOCAL enable_seqscan = off;
CREATE TEMP TABLE both_ways ON COMMIT DROP AS
  SELECT c.n, q.content, leaf.parent_id AS leaf, p.messages AS short, p.is_plain, f.messages AS long, f.is_whole, f.is_refused
  FROM cases c
  CROSS JOIN (VALUES (NULL), ('What?')) q (content)
  JOIN chat.messages leaf ON leaf.user_id = :'alice' AND leaf.id = c.reply
  CROSS JOIN LATERAL chat_private.context_fit(:'alice', c.conversation, leaf.parent_id, c.model, NULL, c.options, q.content) f
  CROSS JOIN LATERAL chat_private.plain_branch(:'alice', c.conversation, leaf.parent_id, (SELECT w.context_window FROM chat.models w WHERE w.name = c.model),
                       chat_private.fixed_tokens(f.system_prompt, c.options, q.content), q.content IS NOT NULL) p;
SELECT is((SELECT count(*)::int FROM both_ways WHERE is_plain AND (is_refused OR NOT is_whole OR nullif(short::jsonb, '[]') IS DISTINCT FROM long)), 0,
          'what is plain is told whole, and as the long way tells it (seed ' || :seed || ')');
SELECT cmp_ok((SELECT count(*)::int FROM both_ways WHERE is_plain), '>', 40, 'that is so of many');
SELECT cmp_ok((SELECT count(*)::int FROM both_ways WHERE NOT is_plain AND NOT is_refused), '>', 40, 'many others take the long way');
SELECT is((SELECT count(*)::int FROM both_ways WHERE is_plain IS NULL), 0, 'of each it is known which');
SELECT is((SELECT count(DISTINCT b.n)::int FROM both_ways b JOIN told t ON t.n = b.n AND (t.has_file OR t.tool_calls IS NOT NULL OR t.tool_call_id IS NOT NULL) WHERE b.is_plain), 0,
          'files and calls of tools are not plain');
SELECT is((SELECT count(*)::int FROM both_ways b JOIN chat.messages m ON m.id = b.leaf WHERE b.is_plain AND b.content IS NULL AND m.role = 'assistant'), 0,
          'nor is a reply that is to be continued');

-- The engine takes either way, in one query: as a call for each request, the short way would take longer than the rest of a claim.
SET LOCAL track_functions = 'all';
SELECT bag_eq(
  'SELECT c.message_id, c.messages::jsonb, c.system_prompt, c.is_refused FROM chat_private.claim_requests(1000) c',
  format($$SELECT c.reply, coalesce(f.messages, '[]'), f.system_prompt, f.is_refused FROM cases c JOIN chat.messages m ON m.user_id = %1$L AND m.id = c.reply,
           LATERAL chat_private.context_fit(%1$L, c.conversation, m.parent_id, c.model, NULL, c.options, NULL) f$$, :'alice'),
  'a claim tells of each what the long way tells');
SELECT is(pg_stat_get_xact_function_calls('chat_private.plain_branch'::regproc), NULL, 'and the short way is a part of its query');
SET LOCAL track_functions = 'none';

-- The bounds.
CREATE FUNCTION pg_temp.is_plain(model text, fixed_tokens bigint) RETURNS boolean LANGUAGE sql AS $$
  SELECT p.is_plain FROM chat_private.plain_branch(current_setting('test.alice')::uuid, current_setting('test.conv')::uuid, current_setting('test.leaf')::uuid, (SELECT w.context_window FROM chat.models w WHERE w.name = model), fixed_tokens, true) p $$;
SELECT chat.uuid_v7() AS conv, chat.uuid_v7() AS leaf \gset
SELECT set_config('test.alice', :'alice', true), set_config('test.conv', :'conv', true), set_config('test.leaf', :'leaf', true);
INSERT INTO chat.conversations (user_id, id) VALUES (:'alice', :'conv');
INSERT INTO chat.messages (user_id, id, conversation_id, role, content) VALUES (:'alice', :'leaf', :'conv', 'assistant', repeat('x', 276));
SELECT is(ARRAY[pg_temp.is_plain('small', 200), pg_temp.is_plain('small', 201)], '{t,f}', 'half of the window is enough for 100 tokens and 200');
SELECT is(ARRAY[pg_temp.is_plain('open', 499900), pg_temp.is_plain('open', 499901)], '{t,f}', 'a window that is not known has a bound, too');
UPDATE chat.messages SET output_tokens = 150 WHERE id = :'leaf';
SELECT is(ARRAY[pg_temp.is_plain('small', 142), pg_temp.is_plain('small', 143)], '{t,f}', 'the larger number of tokens counts');
UPDATE chat.messages SET output_tokens = 5000 WHERE id = :'leaf';
SELECT is(ARRAY[pg_temp.is_plain('small', 16), pg_temp.is_plain('small', 17)], '{t,f}', 'but none of more than its bytes');
-- Among how many messages it is looked for.
UPDATE chat.messages SET output_tokens = NULL WHERE id = :'leaf';
INSERT INTO chat.messages (user_id, conversation_id, role, content) SELECT :'alice', :'conv', 'user', 'Again.' FROM generate_series(1, 999);
SELECT ok(pg_temp.is_plain('open', 16), 'a branch is found among a thousand messages');
INSERT INTO chat.messages (user_id, conversation_id, role, content) SELECT :'alice', :'conv', 'user', 'Again.' FROM generate_series(1, 1000);
UPDATE chat.conversations SET active_leaf_id = (SELECT m.id FROM chat.messages m WHERE m.user_id = :'alice' AND m.conversation_id = :'conv' ORDER BY m.id DESC LIMIT 1) WHERE id = :'conv';
SELECT is((SELECT (p.is_plain, f.is_whole, f.messages) FROM chat.conversations c,
             LATERAL chat_private.plain_branch(c.user_id, c.id, c.active_leaf_id, NULL, 16, false) p,
             LATERAL chat_private.context_fit(c.user_id, c.id, c.active_leaf_id, 'open', NULL, '{}', NULL) f WHERE c.id = :'conv'),
          (false, true, jsonb '[{"role": "user", "content": "Again."}]'), 'among more it is left to the long way');
SELECT * FROM finish();
ROLLBACK;
