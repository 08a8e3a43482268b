-- Rows for the tables of schema/uru.sql, always the same: as many users and messages as the variables of that name say, and with ids
-- from 900000 a set of rows as no database should have. Everybody's password is old-password-1.
SET search_path = :"source";
SET timezone = 'UTC';

INSERT INTO users (id, email, password_hash, name, is_active, preferences, last_login, created_at, updated_at)
SELECT n, format('person%s@example.com', n), '$2b$04$abcdefghijklmnopqrstuuyaj3/3I0gzt3bGyRB7AbXWcmYRm3w4u', 'Person ' || n, n % 20 <> 19,
  json_build_object('theme', CASE n % 2 WHEN 0 THEN 'dark' ELSE 'light' END, 'default_model', CASE n % 3 WHEN 0 THEN 'gpt-4o' ELSE 'no-longer-there' END),
  CASE WHEN n % 4 > 0 THEN timestamptz '2024-08-01' + n * interval '1 hour' END,
  timestamptz '2023-02-01' + n * interval '1 hour', timestamptz '2024-02-01' + n * interval '1 hour'
FROM generate_series(1, :users) n;

-- Each user's untitled ones are numbered.
INSERT INTO conversations (id, user_id, title, ai_model, system_prompt, is_archived, is_pinned, created_at, updated_at, last_message_at)
SELECT n, 1 + n % :users, CASE n % 3 WHEN 0 THEN 'Topic ' || n ELSE 'Untitled ' || 1 + n / :users END,
  CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN 'o1-preview' ELSE 'gpt-4o' END, CASE n % 5 WHEN 0 THEN 'Speak like person ' || n END, n % 7 = 0, n % 11 = 0,
  timestamptz '2024-03-01' + n * interval '1 minute', timestamptz '2024-03-02' + n * interval '1 minute',
  CASE WHEN n % 6 > 0 THEN timestamptz '2024-03-01' + (n * 37 % 100000) * interval '1 minute' END
FROM generate_series(1, :messages / 20) n;

-- A reply in fifty failed; the hash of one in a hundred is of another text; each tenth question was asked before.
INSERT INTO messages (id, conversation_id, sender, content, content_hash, ai_model, is_error, error_details, created_at)
SELECT n, c, sender, content, encode(sha256(convert_to(CASE n % 100 WHEN 7 THEN 'another ' ELSE '' END || content, 'UTF8')), 'hex'),
  CASE sender WHEN 'ai' THEN CASE n % 4 WHEN 0 THEN 'gpt-4o' ELSE 'o1-preview' END END, n % 50 = 0,
  CASE n % 50 WHEN 0 THEN json_build_object('code', 'rate_limited', 'message', 'Too many requests', 'status', 429) END,
  timestamptz '2024-03-01' + c * interval '1 minute' + (n - 1) % 20 * interval '2 seconds'
FROM (SELECT n, 1 + (n - 1) / 20 AS c, CASE WHEN n % 20 = 1 THEN 'system' WHEN n % 2 = 1 THEN 'user' ELSE 'ai' END AS sender,
        CASE WHEN n % 10 = 3 THEN 'What is the answer?' ELSE format('Message %s: ', n) || repeat(substr(md5(n::text), 1, 12) || ' ', 5 + n * 13 % 60) END AS content
      FROM generate_series(1, :messages) n) m;

-- As no database should have them: foreign keys do not look, and JSON is text.
SET session_replication_role = replica;
ALTER TABLE users ALTER preferences TYPE text, ALTER email DROP NOT NULL, ALTER is_active DROP NOT NULL;
ALTER TABLE conversations ALTER user_id DROP NOT NULL, ALTER title DROP NOT NULL;
ALTER TABLE conversations ALTER title TYPE text;
ALTER TABLE messages ALTER error_details TYPE text, ALTER conversation_id DROP NOT NULL, ALTER content DROP NOT NULL,
  ALTER created_at DROP NOT NULL;
INSERT INTO users (id, email, password_hash, name, is_active, preferences, created_at) VALUES
  (900001, 'PERSON1@example.com', 'x', 'younger twin of person 1', true, NULL, '2024-01-01'),
  (900002, 'at@two@signs', 'x', NULL, true, NULL, '2024-01-01'),
  (900003, NULL, 'x', NULL, true, NULL, '2024-01-01'),
  (900004, 'badjson@example.com', '$2b$04$abcdefghijklmnopqrstuuyaj3/3I0gzt3bGyRB7AbXWcmYRm3w4u', 'Bad', true, '{"theme": "dark"', '2024-01-01'),
  (900005, 'arrayjson@example.com', '$2b$04$abcdefghijklmnopqrstuuyaj3/3I0gzt3bGyRB7AbXWcmYRm3w4u', 'Array', true, '["dark"]', '2024-01-01'),
  (900006, 'sha1@example.com', 'sha1$salt$0123456789abcdef', 'Sha', true, NULL, '2024-01-01'),
  (900007, 'null@example.com', '$2b$04$abcdefghijklmnopqrstuuyaj3/3I0gzt3bGyRB7AbXWcmYRm3w4u', NULL, NULL, NULL, '2024-01-01');
INSERT INTO conversations (id, user_id, title, ai_model, created_at) VALUES
  (900001, 900001, 'of a refused user', 'gpt-4o', '2024-06-01'),
  (900002, 999999, 'of nobody', 'gpt-4o', '2024-06-01'),
  (900003, NULL, 'of NULL', 'gpt-4o', '2024-06-01'),
  (900004, 900004, repeat('t', 600), 'gpt-4o', '2024-06-01'),
  (900005, 900004, NULL, 'never heard of', '2024-06-01');
INSERT INTO messages (id, conversation_id, sender, content, content_hash, is_error, error_details, created_at) VALUES
  (900001, 900001, 'user', 'of a refused user', NULL, false, NULL, '2024-06-01'),
  (900002, 999999, 'user', 'of no conversation', NULL, false, NULL, '2024-06-01'),
  (900003, NULL, 'user', 'of NULL', NULL, false, NULL, '2024-06-01'),
  (900004, 900002, 'user', 'of a refused conversation', NULL, false, NULL, '2024-06-01'),
  (900010, 900005, 'user', 'first', 'no hash', false, NULL, '2024-06-01 10:00'),
  (900011, 900005, 'bot', 'of an unknown sender', NULL, false, NULL, '2024-06-01 10:01'),
  (900012, 900005, 'ai', '', NULL, false, NULL, '2024-06-01 10:02'),
  (900013, 900005, 'ai', '', NULL, true, '{"message": "broken', '2024-06-01 10:03'),
  (900014, 900005, 'user', 'not sent', NULL, true, '{"error": "offline"}', '2024-06-01 10:04'),
  (900015, 900005, 'ai', repeat('m', 1100000), NULL, false, NULL, '2024-06-01 10:05'),
  (900016, 900005, 'ai', 'fails without a reason', NULL, true, NULL, NULL);
SET session_replication_role = origin;
RESET search_path;
