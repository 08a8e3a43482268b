-- Rows for the tables of schema/vibebot.sql, always the same: as many users and messages as the variables of that name say, and with
-- numbers from 900000 a set of rows as no database should have. The id of row n of a kind is made of md5(kind || n). Everybody's
-- password is old-password-1.
SET search_path = :"source";
SET timezone = 'UTC';
\set hash '$2b$10$abcdefghijklmnopqrstuu9oGNsh4bRo/eyZS1gXkYk5eO9iE6zEK'
CREATE FUNCTION pg_temp.cuid(kind text, n integer) RETURNS text LANGUAGE sql AS $$ SELECT 'c' || left(md5(kind || n), 24) $$;

-- User 1 is an administrator, each tenth a guest.
INSERT INTO "User" ("id", "email", "password", "name", "role", "createdAt", "updatedAt")
SELECT pg_temp.cuid('user', n), format('vibe%s@example.com', n), :'hash', CASE WHEN n % 3 > 0 THEN 'Vibe ' || n END,
  (CASE WHEN n = 1 THEN 'ADMIN' WHEN n % 10 = 9 THEN 'GUEST' ELSE 'USER' END)::"UserRole", timestamp '2023-02-01' + n * interval '1 hour', timestamp '2024-02-01' + n * interval '1 hour'
FROM generate_series(1, :users) n;

-- Each second has a key of each provider; of those each second is encrypted, as programs do it: in parts, or in base64.
INSERT INTO "ApiKey" ("id", "userId", "provider", "encryptedKey", "name", "createdAt", "updatedAt")
SELECT pg_temp.cuid('key', n * 10 + k), pg_temp.cuid('user', n), (CASE k WHEN 1 THEN 'CLAUDE' ELSE 'OPENAI' END)::"ApiKeyProvider",
  CASE WHEN n % 4 = 0 THEN CASE k WHEN 1 THEN 'sk-ant-api03-' ELSE 'sk-proj-' END || md5('key' || n * 10 + k) || 'AbC4' ELSE
    CASE k WHEN 1 THEN left(md5('iv' || n), 24) || ':' || md5('tag' || n) || ':' || md5('data' || n) || md5('more' || n) ELSE encode(sha256(('key' || n)::bytea), 'base64') END END,
  CASE k WHEN 1 THEN 'My Claude' END, timestamp '2024-01-01' + n * interval '1 hour', timestamp '2024-01-02' + n * interval '1 hour'
FROM generate_series(1, :users) n, generate_series(1, 2) k WHERE n % 2 = 0;

INSERT INTO "Conversation" ("id", "userId", "title", "model", "systemPrompt", "createdAt", "updatedAt")
SELECT pg_temp.cuid('conversation', n), pg_temp.cuid('user', 1 + n % :users), CASE n % 3 WHEN 0 THEN 'New Conversation' ELSE 'Talk ' || n END,
  CASE n % 4 WHEN 0 THEN 'claude-3-5-sonnet' WHEN 1 THEN 'gpt-4' WHEN 2 THEN 'gpt-4o' END, CASE n % 5 WHEN 0 THEN 'You vibe like person ' || n END,
  timestamp '2024-03-01' + n * interval '1 minute', timestamp '2024-03-01' + (n + n * 37 % 100000) * interval '1 minute'
FROM generate_series(1, :messages / 20) n;

-- 20 messages each. What replies used is told in several words; half way each conversation with n % 6 = 0 has switched its model.
INSERT INTO "Message" ("id", "conversationId", "userId", "role", "content", "metadata", "createdAt")
SELECT pg_temp.cuid('message', n), pg_temp.cuid('conversation', c), CASE role WHEN 'USER' THEN pg_temp.cuid('user', 1 + c % :users) END, role::"MessageRole",
  format('Message %s: ', n) || repeat(substr(md5(n::text), 1, 12) || ' ', 5 + n * 13 % 60),
  CASE WHEN role = 'ASSISTANT' THEN jsonb_strip_nulls(CASE n % 3
    WHEN 0 THEN jsonb_build_object('tokens', 10 + n % 90, 'cost', (n % 50) / 10000.0, 'temperature', 0.7)
    WHEN 1 THEN jsonb_build_object('tokens', jsonb_build_object('prompt', 100 + n % 90, 'completion', 10 + n % 90), 'cost', (n % 50) / 10000.0)
    ELSE jsonb_build_object('inputTokens', 100 + n % 90, 'outputTokens', 10 + n % 90, 'latencyMs', n % 3000, 'finishReason', 'stop') END
    || jsonb_build_object('model', CASE WHEN c % 6 = 0 AND p > 10 THEN 'gpt-4o' END)) END,
  timestamp '2024-03-01' + c * interval '1 minute' + p * interval '2 seconds'
FROM (SELECT n, 1 + (n - 1) / 20 AS c, (n - 1) % 20 AS p, CASE WHEN (n - 1) % 20 = 0 THEN 'SYSTEM' WHEN n % 2 = 0 THEN 'USER' ELSE 'ASSISTANT' END AS role
      FROM generate_series(1, :messages) n) m;

-- As no database should have them: foreign keys do not look, and enums and JSON are text.
SET session_replication_role = replica;
ALTER TABLE "User" ALTER "role" DROP DEFAULT, ALTER "role" TYPE text, ALTER "role" DROP NOT NULL, ALTER "email" DROP NOT NULL, ALTER "createdAt" DROP NOT NULL, ALTER "updatedAt" DROP NOT NULL;
ALTER TABLE "ApiKey" ALTER "provider" TYPE text, ALTER "encryptedKey" DROP NOT NULL, ALTER "userId" DROP NOT NULL, ALTER "createdAt" DROP NOT NULL, ALTER "updatedAt" DROP NOT NULL;
ALTER TABLE "Conversation" ALTER "userId" DROP NOT NULL, ALTER "title" DROP NOT NULL, ALTER "createdAt" DROP NOT NULL, ALTER "updatedAt" DROP NOT NULL;
ALTER TABLE "Message" ALTER "role" TYPE text, ALTER "role" DROP NOT NULL, ALTER "metadata" TYPE text, ALTER "content" DROP NOT NULL, ALTER "conversationId" DROP NOT NULL,
  ALTER "createdAt" DROP NOT NULL;
INSERT INTO "User" ("id", "email", "password", "name", "role", "createdAt", "updatedAt")
SELECT pg_temp.cuid('user', n), email, hash, name, role, at::timestamp, at::timestamp FROM (VALUES
  (900001, 'VIBE1@Example.com', :'hash', 'younger twin', 'USER', '2024-01-01'), (900002, 'no address', :'hash', NULL, 'USER', '2024-01-01'),
  (900003, NULL, :'hash', NULL, 'USER', '2024-01-01'), (900004, 'odd@example.com', 'plaintext!', repeat('n', 300), 'OWNER', NULL),
  (900005, 'fine@example.com', :'hash', NULL, NULL, '2024-01-01')) t (n, email, hash, name, role, at);
INSERT INTO "ApiKey" ("id", "userId", "provider", "encryptedKey", "name", "createdAt", "updatedAt")
SELECT pg_temp.cuid('key', n), pg_temp.cuid('user', person), provider, key, name, at::timestamp, at::timestamp FROM (VALUES
  (900001, 900001, 'OPENAI', 'sk-proj-of-a-refused-user-0001', NULL, '2024-01-01'), (900002, 999999, 'OPENAI', 'sk-proj-of-nobody-0000000001', NULL, '2024-01-01'),
  (900003, 900005, 'GEMINI', 'sk-proj-of-an-unknown-one-0001', NULL, '2024-01-01'), (900004, 900005, 'OPENAI', '  ', NULL, '2024-01-01'),
  (900005, 900005, 'OPENAI', 'sk-proj-older-000000000000-OLD1', 'work', '2024-01-01'), (900006, 900005, 'OPENAI', E'sk-proj-newer-000000000000-NEW1\n', 'work', '2024-02-01'),
  (900007, 900005, 'CLAUDE', 'sk-ant-untimed-00000000000-TIM1', repeat('k', 200), NULL), (900008, 900005, 'OPENAI', 'sk-proj pasted with a blank 0001', NULL, '2024-01-01'),
  (900009, 900005, 'OPENAI', 'sk-short', NULL, '2024-01-01')) t (n, person, provider, key, name, at);
INSERT INTO "Conversation" ("id", "userId", "title", "model", "systemPrompt", "createdAt", "updatedAt")
SELECT pg_temp.cuid('conversation', n), pg_temp.cuid('user', person), title, model, prompt, at::timestamp, at::timestamp FROM (VALUES
  (900001, 900001, 'of a refused user', 'gpt-4', NULL, '2024-06-01'), (900002, 999999, 'of nobody', 'gpt-4', NULL, '2024-06-01'), (900003, NULL, 'of NULL', NULL, NULL, '2024-06-01'),
  (900004, 900005, repeat('t', 600), 'home-made', NULL, '2024-06-01'), (900005, 900005, NULL, 'gpt-4', repeat('p', 1100000), NULL), (900006, 900005, 'of parts', 'gpt-4', NULL, '2024-06-01'))
  t (n, person, title, model, prompt, at);
INSERT INTO "Message" ("id", "conversationId", "userId", "role", "content", "metadata", "createdAt")
SELECT pg_temp.cuid('message', n), pg_temp.cuid('conversation', conversation), pg_temp.cuid('user', person), role, content, metadata,
       timestamp '2024-06-01' + (n - 900000) * interval '1 minute' FROM (VALUES
  (900001, 900001, 900001, 'USER', 'of a refused user', NULL), (900002, 999999, 900005, 'USER', 'of no conversation', NULL), (900003, NULL, 900005, 'USER', 'of NULL', NULL),
  (900004, 900002, 900005, 'USER', 'of a refused conversation', NULL), (900010, 900006, 900005, 'USER', 'first', NULL), (900011, 900006, NULL, 'FUNCTION', 'of an unknown role', NULL),
  (900012, 900006, NULL, 'ASSISTANT', '', NULL), (900013, 900006, 2, 'USER', 'of a guest in the house', NULL), (900014, 900006, 999999, 'USER', 'of who is gone', NULL),
  (900015, 900006, NULL, 'ASSISTANT', 'bad metadata', '{"tokens": '), (900016, 900006, NULL, 'ASSISTANT', 'list', '[1, 2]'),
  (900017, 900006, NULL, 'ASSISTANT', 'unreadable', '{"tokens": "many", "cost": "cheap", "mood": "good"}'), (900018, 900006, NULL, 'ASSISTANT', 'negative', '{"tokens": -3, "cost": "$0.25"}'),
  (900019, 900006, NULL, 'ASSISTANT', repeat('m', 1100000), NULL), (900020, 900006, NULL, NULL, 'of no role', NULL), (900021, 900006, NULL, 'SYSTEM', 'no time', '"text"'))
  t (n, conversation, person, role, content, metadata);
UPDATE "Message" SET "createdAt" = NULL WHERE "id" = pg_temp.cuid('message', 900021);
SET session_replication_role = origin;
RESET search_path;
