-- Rows for the tables of schema/rovertchat.sql, always the same: as many users and messages as the variables of that name say, and with
-- numbers from 900000 a set of rows as no database should have. The id of row n of a kind is md5(kind || n). Everybody's password is
-- old-password-1.
SET search_path = :"source";
SET timezone = 'UTC';
\set hash '$2b$04$abcdefghijklmnopqrstuuyaj3/3I0gzt3bGyRB7AbXWcmYRm3w4u'
\set png 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=='

-- User 1 is an administrator, each tenth a guest.
INSERT INTO "Users" (id, username, email, password_hash, role, created_at, last_login, is_active, token_version)
SELECT md5('user' || n)::uuid, 'Rover' || n, format('rover%s@example.com', n), :'hash',
  (CASE WHEN n = 1 THEN 'admin' WHEN n % 10 = 9 THEN 'guest' ELSE 'user' END)::user_role, timestamp '2023-02-01' + n * interval '1 hour',
  CASE WHEN n % 4 > 0 THEN timestamp '2024-08-01' + n * interval '1 hour' END, n % 20 <> 18, 1 + n % 4
FROM generate_series(1, :users) n;

INSERT INTO "ModelProviders" (id, name, api_url, auth_type, created_by, created_at, is_active)
SELECT md5('provider' || n)::uuid, name, url, auth, md5('user1')::uuid, timestamp '2023-03-01' + n * interval '1 hour', n < 4
FROM (VALUES (1, 'Ollama', 'http://localhost:11434/api/', 'none'), (2, 'OpenAI', 'https://api.openai.com/v1', 'bearer'),
             (3, 'Anthropic', 'https://api.anthropic.com', 'api_key'), (4, 'Azure', 'https://rover.openai.azure.com/openai/v1', 'api-key')) p (n, name, url, auth);
INSERT INTO "Models" (id, provider_id, name, display_name, description, config, created_at, updated_at, is_active)
SELECT md5('model' || n)::uuid, md5('provider' || p)::uuid, name, 'The ' || name, 'Model ' || n, config::json, timestamp '2023-03-02' + n * interval '1 hour',
       timestamp '2023-04-02' + n * interval '1 hour', n <> 4
FROM (VALUES (1, 1, 'llama3.2', '{"temperature": 0.7, "context_window": 8192, "capabilities": ["tools", "vision"]}'), (2, 2, 'gpt-4o', '{"max_tokens": 4096}'),
             (3, 3, 'claude-sonnet', NULL), (4, 1, 'llama2', '{}')) m (n, p, name, config);

INSERT INTO "UserSettings" (user_id, default_model_id, display_name, avatar_url, preferences)
SELECT md5('user' || n)::uuid, md5('model' || CASE n % 4 WHEN 0 THEN 1 ELSE 2 END)::uuid, 'Rover Nº ' || n, format('https://example.com/avatars/%s.png', n),
       json_build_object('theme', CASE n % 4 WHEN 0 THEN 'dark' ELSE 'light' END, 'n', n)
FROM generate_series(1, :users) n WHERE n % 2 = 0;
INSERT INTO "UserModelAccess" (id, user_id, model_id, granted_by, granted_at, is_active)
SELECT md5('grant' || n * 10 + m)::uuid, md5('user' || n)::uuid, md5('model' || m)::uuid, md5('user1')::uuid, timestamp '2023-05-01' + n * interval '1 hour', m < 3 OR n % 6 = 0
FROM generate_series(1, :users) n, generate_series(1, 3) m WHERE n % m = 0;

INSERT INTO "Chats" (id, user_id, title, created_at, updated_at, is_archived)
SELECT md5('chat' || n)::uuid, md5('user' || 1 + n % :users)::uuid, CASE WHEN n % 10 > 0 THEN 'Chat ' || n END, timestamp '2024-03-01' + n * interval '1 minute',
       timestamp '2024-03-01' + (n + n * 37 % 100000) * interval '1 minute', n % 7 = 0
FROM generate_series(1, :messages / 20) n;

-- 20 messages each: one of the system, questions, replies; in each fifth chat two tools are called, in each eighth an image is shown.
INSERT INTO "Messages" (id, chat_id, role, content, thinking, tool_calls, images, model_id, created_at, tokens_used, extended_metadata)
SELECT md5('message' || n)::uuid, md5('chat' || c)::uuid, role,
  CASE WHEN role = 'assistant' AND c % 5 = 0 AND p = 6 THEN '' ELSE format('Message %s: ', n) || repeat(substr(md5(n::text), 1, 12) || ' ', 5 + n * 13 % 60) END,
  CASE WHEN role = 'assistant' AND c % 3 = 0 THEN 'Let me think of ' || n END,
  CASE WHEN c % 5 > 0 OR p <> 6 THEN NULL
       WHEN c % 2 = 0 THEN json_build_array(json_build_object('id', 'call_w' || n, 'type', 'function', 'function', json_build_object('name', 'weather', 'arguments', '{"city": "Oslo"}')),
                                            json_build_object('id', 'call_c' || n, 'type', 'function', 'function', json_build_object('name', 'clock', 'arguments', '{}')))
       ELSE '[{"function": {"name": "weather", "arguments": {"city": "Oslo"}}}, {"function": {"name": "clock", "arguments": {}}}]'::json END,
  CASE WHEN c % 8 > 0 OR p <> 1 THEN NULL
       WHEN c / 8 % 3 = 0 THEN json_build_array('data:image/png;base64,' || :'png') WHEN c / 8 % 3 = 1 THEN json_build_array(:'png')
       ELSE json_build_array(json_build_object('data', :'png', 'media_type', 'image/png', 'name', format('picture %s.png', c))) END,
  CASE role WHEN 'assistant' THEN md5('model' || 1 + n % 3)::uuid END, timestamp '2024-03-01' + c * interval '1 minute' + p * interval '2 seconds', 10 + n % 100,
  CASE WHEN n % 4 = 0 OR role = 'tool' AND c % 2 = 0 THEN json_strip_nulls(json_build_object('temperature', 0.7, 'n', n,
    'tool_call_id', CASE WHEN role = 'tool' AND c % 2 = 0 THEN CASE p WHEN 7 THEN 'call_c' || n - 1 ELSE 'call_w' || n - 2 END END)) END
FROM (SELECT n, 1 + (n - 1) / 20 AS c, (n - 1) % 20 AS p,
        CASE WHEN (n - 1) % 20 = 0 THEN 'system' WHEN (1 + (n - 1) / 20) % 5 = 0 AND (n - 1) % 20 IN (7, 8) THEN 'tool' WHEN n % 2 = 0 THEN 'user' ELSE 'assistant' END AS role
      FROM generate_series(1, :messages) n) m;

-- As no database should have them: foreign keys do not look, and JSON and enums are text.
SET session_replication_role = replica;
ALTER TABLE "Users" ALTER role DROP DEFAULT, ALTER role TYPE text, ALTER role DROP NOT NULL, ALTER email DROP NOT NULL, ALTER username DROP NOT NULL,
  ALTER is_active DROP NOT NULL, ALTER created_at DROP NOT NULL, ALTER token_version DROP NOT NULL, ALTER username TYPE text;
ALTER TABLE "ModelProviders" ALTER name DROP NOT NULL, ALTER api_url DROP NOT NULL, ALTER is_active DROP NOT NULL;
ALTER TABLE "Models" ALTER name DROP NOT NULL, ALTER config TYPE text, ALTER is_active DROP NOT NULL;
ALTER TABLE "Chats" ALTER title TYPE text, ALTER user_id DROP NOT NULL, ALTER created_at DROP NOT NULL, ALTER updated_at DROP NOT NULL;
ALTER TABLE "Messages" ALTER tool_calls TYPE text, ALTER images TYPE text, ALTER extended_metadata TYPE text, ALTER content DROP NOT NULL, ALTER chat_id DROP NOT NULL,
  ALTER created_at DROP NOT NULL, ALTER role DROP NOT NULL;
ALTER TABLE "UserSettings" ALTER preferences TYPE text, ALTER avatar_url TYPE text;
ALTER TABLE "UserModelAccess" ALTER granted_at DROP NOT NULL, ALTER is_active DROP NOT NULL, ALTER user_id DROP NOT NULL;

INSERT INTO "Users" (id, username, email, password_hash, role, is_active, token_version, created_at)
SELECT md5('user' || n)::uuid, username, email, hash, role, is_active, version, at::timestamp FROM (VALUES
  (900001, 'younger twin', 'ROVER1@example.com', :'hash', 'user', true, 1, '2024-01-01'),
  (900002, 'rOVER2', 'namesake@example.com', :'hash', 'user', true, 1, '2024-01-01'),
  (900003, 'noaddress', NULL, :'hash', 'user', true, 1, '2024-01-01'),
  (900004, 'two@signs@here', NULL, :'hash', 'user', true, 1, '2024-01-01'),
  (900005, 'bad address', 'at@two@signs', :'hash', 'user', true, 1, '2024-01-01'),
  (900006, 'boss', 'boss@example.com', :'hash', 'superuser', true, 1, '2024-01-01'),
  (900007, 'argon', 'argon@example.com', '$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA', 'user', true, NULL, '2024-01-01'),
  (900008, 'nulls', 'nulls@example.com', :'hash', NULL, NULL, 1, NULL),
  (900009, NULL, NULL, :'hash', 'user', true, 1, '2024-01-01'), (900010, 'sibling', 'Rover2@Example.com', :'hash', 'user', true, 1, '2024-01-01'),
  (900011, 'odd_address', 'at@two@signs', :'hash', 'user', true, 1, '2024-01-01')) t (n, username, email, hash, role, is_active, version, at);
INSERT INTO "UserSettings" (user_id, default_model_id, display_name, avatar_url, preferences)
SELECT md5('user' || n)::uuid, md5('model' || model)::uuid, NULL, url, preferences FROM (VALUES
  (900001, 1, NULL, '{}'), (900006, 999999, 'javascript:alert(1)', '{"theme": '), (900008, 3, NULL, '["dark"]'), (999999, 1, NULL, '{}')) t (n, model, url, preferences);
INSERT INTO "ModelProviders" (id, name, api_url, auth_type, created_by, created_at, is_active)
SELECT md5('provider' || n)::uuid, name, url, auth, md5('user' || creator)::uuid, '2024-01-01', is_active FROM (VALUES
  (900001, 'ollama', 'http://192.168.1.5:11434', 'none', 1, true), (900002, NULL, 'https://user:secret@nameless.example.com', 'none', 1, true),
  (900003, 'Nowhere', 'ask somebody', 'none', 1, true), (900004, 'Strange', 'https://strange.example.com/v1', 'kerberos', 999999, true),
  (900005, 'Undecided', NULL, NULL, 900001, NULL)) t (n, name, url, auth, creator, is_active);
INSERT INTO "Models" (id, provider_id, name, config, is_active, description, created_at)
SELECT md5('model' || n)::uuid, md5('provider' || p)::uuid, name, config, is_active, description, '2024-01-01' FROM (VALUES
  (900001, 999999, 'orphan', '{}', true, NULL), (900002, 900002, 'of a refused one', '{}', true, NULL), (900003, 1, NULL, '{}', true, NULL),
  (900004, 900001, 'llama3.2', '{"a": 1}', true, NULL), (900005, 1, 'badjson', '{"a": ', NULL, repeat('d', 3000)), (900006, 1, 'arrayjson', '[1]', true, NULL))
  t (n, p, name, config, is_active, description);
INSERT INTO "UserModelAccess" (id, user_id, model_id, granted_by, granted_at, is_active)
SELECT md5('grant' || n)::uuid, md5('user' || person)::uuid, md5('model' || model)::uuid, md5('user' || giver)::uuid, at::timestamp, is_active FROM (VALUES
  (900001, 900001, 1, 1, '2024-01-01', true), (900002, 999999, 1, 1, '2024-01-01', true), (900003, 2, 999999, 1, '2024-01-01', true), (900004, 2, 900001, 1, '2024-01-01', true),
  (900005, 2, 1, 1, '2023-01-01', false), (900006, 900006, 1, 999999, NULL, true), (900007, 900006, 3, NULL, '2024-01-01', NULL)) t (n, person, model, giver, at, is_active);
INSERT INTO "Chats" (id, user_id, title, created_at, updated_at)
SELECT md5('chat' || n)::uuid, md5('user' || person)::uuid, title, at::timestamp, at::timestamp FROM (VALUES
  (900001, 900001, 'of a refused user', '2024-06-01'), (900002, 999999, 'of nobody', '2024-06-01'), (900003, NULL, 'of NULL', '2024-06-01'),
  (900004, 900006, repeat('t', 600), '2024-06-01'), (900005, 900006, 'timeless', NULL), (900006, 900006, 'of parts', '2024-06-01'), (900007, 900006, '  ', '2999-06-01'))
  t (n, person, title, at);
INSERT INTO "Messages" (id, chat_id, role, content, thinking, tool_calls, images, model_id, tokens_used, extended_metadata, created_at)
SELECT md5('message' || n)::uuid, md5('chat' || chat)::uuid, role, content, thinking, calls, images, md5('model' || model)::uuid, tokens, metadata,
       timestamp '2024-06-01' + (n - 900000) * interval '1 minute' FROM (VALUES
  (900001, 900001, 'user', 'of a refused user', NULL, NULL, NULL, NULL, NULL, NULL),
  (900002, 999999, 'user', 'of no chat', NULL, NULL, NULL, NULL, NULL, NULL),
  (900003, NULL, 'user', 'of NULL', NULL, NULL, NULL, NULL, NULL, NULL),
  (900004, 900002, 'user', 'of a refused chat', NULL, NULL, NULL, NULL, NULL, NULL),
  (900010, 900006, 'user', 'first', NULL, NULL, NULL, NULL, -5, NULL),
  (900011, 900006, 'robot', 'of an unknown role', NULL, NULL, NULL, NULL, NULL, NULL),
  (900012, 900006, 'assistant', '', NULL, NULL, NULL, 1, NULL, NULL),
  (900013, 900006, 'assistant', '', 'only thought', NULL, NULL, 999999, NULL, NULL),
  (900014, 900006, 'assistant', 'bad calls', NULL, '[{"function": ', NULL, 900001, NULL, NULL),
  (900015, 900006, 'assistant', 'calls of nothing', NULL, '[{"what": "weather"}]', NULL, 1, NULL, NULL),
  (900016, 900006, 'tool', 'of no call', NULL, NULL, NULL, NULL, NULL, NULL),
  (900017, 900006, 'user', 'broken image', NULL, NULL, '["iVBORw0KGgo!!!", "data:image/png;base64,iVBORw0K", "https://example.com/a.png", 7]', NULL, NULL, NULL),
  (900018, 900006, 'user', 'bad images', NULL, NULL, '["iVBORw0KGgo', NULL, NULL, NULL),
  (900019, 900006, 'user', 'one text', NULL, NULL, '"SGVsbG8sIHdvcmxkIQ"', NULL, NULL, NULL),
  (900020, 900006, 'assistant', 'array', NULL, NULL, NULL, 1, 7, '[1, 2]'),
  (900021, 900006, 'assistant', 'bad metadata', NULL, NULL, NULL, 1, 7, '{"a": "\u0000"}'),
  (900022, 900006, 'assistant', repeat('m', 1100000), NULL, NULL, NULL, 1, NULL, NULL),
  (900023, 900006, NULL, 'of no role', NULL, NULL, NULL, NULL, NULL, NULL),
  (900024, 900006, 'user', NULL, NULL, NULL, '[]', NULL, NULL, NULL)) t (n, chat, role, content, thinking, calls, images, model, tokens, metadata);
UPDATE "Messages" SET created_at = NULL WHERE id = md5('message900019')::uuid;
SET session_replication_role = origin;
RESET search_path;
