-- Rows for the tables of schema/energyapp.sql, always the same: as many users and messages as the variables of that name say, and with
-- ids from 900000 a set of rows as no database should have. Everybody's password is old-password-1.
SET search_path = :"source";
SET timezone = 'UTC';

INSERT INTO system_prompts (id, name, description, content, is_default, created_at, updated_at) VALUES
  (1, 'default', 'For everybody', 'You are the assistant of an energy company.', true, '2023-01-01', '2023-01-02'),
  (2, 'spanish', NULL, 'Responde siempre en español.', false, '2023-01-03', '2023-01-03'),
  (3, 'technical', 'For engineers', 'Answer with formulas and units.', false, '2023-01-04', '2023-01-04');

-- User 1 is an administrator, 2 and 3 are supervisors, of the others each second a trabajador; each fifth has a second factor.
INSERT INTO users (id, email, full_name, password_hash, role, active, totp_secret, totp_enabled, created_at, updated_at)
SELECT n, format('user%s@%s', n, CASE n % 2 WHEN 0 THEN 'inacapmail.cl' ELSE 'alvaradomazzei.cl' END), 'Persona Nº ' || n,
  CASE n % 3 WHEN 0 THEN '$2a$' WHEN 1 THEN '$2b$' ELSE '$2y$' END || '04$abcdefghijklmnopqrstuuyaj3/3I0gzt3bGyRB7AbXWcmYRm3w4u',
  CASE WHEN n = 1 THEN 'admin' WHEN n <= 3 THEN 'supervisor' WHEN n % 2 = 0 THEN 'trabajador' ELSE 'user' END, n % 40 <> 39,
  CASE WHEN n % 5 = 0 THEN upper(translate(md5('totp' || n), '0189', 'wxyz')) END, n % 5 = 0,
  timestamp '2023-02-01' + n * interval '1 hour', timestamp '2024-02-01' + n * interval '1 hour'
FROM generate_series(1, :users) n;

INSERT INTO conversations (id, user_id, title, description, system_prompt_id, created_at, updated_at, is_pinned)
SELECT n, 1 + n * 7919 % :users, CASE WHEN n % 10 > 0 THEN 'Consulta ' || n END, CASE n % 4 WHEN 0 THEN 'Descripción ' || n END,
  CASE n % 4 WHEN 0 THEN NULL ELSE n % 4 END, timestamp '2024-03-01' + n * interval '1 minute',
  timestamp '2024-03-01' + n * 37 % 100000 * interval '1 minute', n % 9 = 0
FROM generate_series(1, :messages / 20) n;

INSERT INTO messages (id, conversation_id, role, content, created_at, updated_at)
SELECT n, 1 + (n - 1) / 20, CASE n % 2 WHEN 1 THEN 'user' ELSE 'assistant' END,
  format('Mensaje %s: ', n) || repeat(substr(md5(n::text), 1, 12) || ' ', 5 + n * 13 % 60),
  timestamp '2024-03-01' + (1 + (n - 1) / 20) * interval '1 minute' + (n - 1) % 20 * interval '2 seconds',
  timestamp '2024-03-01' + (1 + (n - 1) / 20) * interval '1 minute' + (n - 1) % 20 * interval '2 seconds'
FROM generate_series(1, :messages) n;

INSERT INTO sessions (id, user_id, session_token, ip_address, user_agent, expires_at, created_at, last_activity)
SELECT n, n, 'tok' || md5('session' || n) || md5('x' || n), CASE n % 2 WHEN 0 THEN '192.0.2.' || n % 250 ELSE '2001:db8::' || n % 250 END,
  'Browser/' || n, timestamp '2099-01-01', timestamp '2024-05-01' + n * interval '1 minute', timestamp '2024-05-02'
FROM generate_series(1, :users) n WHERE n % 2 = 0;

-- What whoever moves in tells: the supervisor of users 4 to 20.
CREATE TABLE supervisors (user_email text, supervisor_email text);
INSERT INTO supervisors
SELECT u.email, s.email FROM users u JOIN users s ON s.id = 2 + u.id % 2 WHERE u.id BETWEEN 4 AND 20
UNION ALL VALUES ('stranger@inacapmail.cl', 'user2@inacapmail.cl'), ('user22@inacapmail.cl', 'stranger@inacapmail.cl'),
  ('user24@inacapmail.cl', 'user4@inacapmail.cl');

-- As no database should have them: foreign keys do not look, and nothing is required.
SET session_replication_role = replica;
ALTER TABLE users ALTER email DROP NOT NULL;
ALTER TABLE system_prompts ALTER name DROP NOT NULL;
ALTER TABLE conversations ALTER user_id DROP NOT NULL;
ALTER TABLE messages ALTER conversation_id DROP NOT NULL, ALTER content DROP NOT NULL, ALTER role DROP NOT NULL;
ALTER TABLE sessions ALTER expires_at DROP NOT NULL;
INSERT INTO users (id, email, full_name, password_hash, role, active, totp_secret, totp_enabled, created_at) VALUES
  (900001, 'USER1@AlvaradoMazzei.cl', 'younger twin of user 1', 'x', 'admin', true, NULL, false, '2024-01-01'),
  (900002, 'no address', NULL, 'x', 'user', true, NULL, false, '2024-01-01'),
  (900003, NULL, NULL, 'x', 'user', true, NULL, false, '2024-01-01'),
  (900004, 'gerente@inacapmail.cl', NULL, '$2b$04$abcdefghijklmnopqrstuuyaj3/3I0gzt3bGyRB7AbXWcmYRm3w4u', 'gerente', true, NULL, false, '2024-01-01'),
  (900005, 'md5@inacapmail.cl', NULL, md5('old-password-1'), 'user', true, NULL, false, '2024-01-01'),
  (900006, 'broken2fa@inacapmail.cl', NULL, '$2b$04$abcdefghijklmnopqrstuuyaj3/3I0gzt3bGyRB7AbXWcmYRm3w4u', 'user', true, 'no base32 at all!', true, '2024-01-01'),
  (900007, 'begun2fa@inacapmail.cl', NULL, '$2b$04$abcdefghijklmnopqrstuuyaj3/3I0gzt3bGyRB7AbXWcmYRm3w4u', 'user', true, 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', false, '2024-01-01'),
  (900008, 'longname@inacapmail.cl', repeat('ñ', 250), '$2b$04$abcdefghijklmnopqrstuuyaj3/3I0gzt3bGyRB7AbXWcmYRm3w4u', 'user', true, NULL, false, '2024-01-01'),
  (900009, 'timeless@inacapmail.cl', NULL, '$2b$04$abcdefghijklmnopqrstuuyaj3/3I0gzt3bGyRB7AbXWcmYRm3w4u', 'user', true, NULL, false, NULL),
  (900010, 'future@inacapmail.cl', NULL, '$2b$04$abcdefghijklmnopqrstuuyaj3/3I0gzt3bGyRB7AbXWcmYRm3w4u', 'user', true, NULL, false, '2999-01-01'),
  (900011, 'neither@inacapmail.cl', NULL, '$2b$04$abcdefghijklmnopqrstuuyaj3/3I0gzt3bGyRB7AbXWcmYRm3w4u', 'user', NULL, NULL, false, '2024-01-01'),
  (900012, 'TWIN@inacapmail.cl', 'younger', '$2b$04$abcdefghijklmnopqrstuuyaj3/3I0gzt3bGyRB7AbXWcmYRm3w4u', 'user', true, NULL, false, '2021-01-01'),
  (900013, 'Twin@inacapmail.cl', 'elder', '$2b$04$abcdefghijklmnopqrstuuyaj3/3I0gzt3bGyRB7AbXWcmYRm3w4u', 'user', true, NULL, false, '2020-01-01'),
  (900014, 'cost14@inacapmail.cl', NULL, '$2a$14$abcdefghijklmnopqrstuuB9hn7ySES4PCrF6tm7i5zJjDOIg3K.W', 'user', true, NULL, false, '2024-01-01'),
  (900015, 'cost12@inacapmail.cl', NULL, E'$2y$12$abcdefghijklmnopqrstuuYrY9kqrJtKpRnBNRLgSBkOn0T1JIiha \n', ' Trabajador ', true, NULL, false, '2024-01-01'),
  (900016, 'nohash@inacapmail.cl', NULL, '', 'user', true, NULL, false, '2024-01-01'),
  (900017, 'oldest@inacapmail.cl', NULL, '$2x$04$abcdefghijklmnopqrstuuyaj3/3I0gzt3bGyRB7AbXWcmYRm3w4u', 'user', true, NULL, false, '0001-01-01');
INSERT INTO system_prompts (id, name, content, is_default, created_at, updated_at) VALUES
  (900001, 'also default', 'An older default.', true, '2022-01-01', '2022-01-01'),
  (900002, 'empty', '', false, '2022-01-01', '2022-01-01'),
  (900003, NULL, 'No name.', false, '2022-01-01', '2022-01-01'),
  (900004, E'default\n', 'Another of that name.', false, '2024-01-01', '2024-01-01');
INSERT INTO conversations (id, user_id, title, description, system_prompt_id, created_at, updated_at) VALUES
  (900001, 900001, 'of a refused user', NULL, NULL, '2024-06-01', '2024-06-01'),
  (900002, 999999, 'of nobody', NULL, NULL, '2024-06-01', '2024-06-01'),
  (900003, NULL, 'of NULL', NULL, NULL, '2024-06-01', '2024-06-01'),
  (900004, 900013, 'of a prompt that is gone', NULL, 999999, '2024-06-01', '2024-06-01'),
  (900005, 900013, 'long', repeat('d', 12000), 900003, '2024-06-01', '2024-06-01'),
  (900006, 900013, 'timeless', NULL, NULL, NULL, NULL),
  (900007, 900013, 'disorder', NULL, NULL, '2024-06-01', '2024-06-03');
INSERT INTO messages (id, conversation_id, role, content, created_at) VALUES
  (900001, 900001, 'user', 'of a refused user', '2024-06-01'),
  (900002, 999999, 'user', 'of no conversation', '2024-06-01'),
  (900003, NULL, 'user', 'of NULL', '2024-06-01'),
  (900004, 900002, 'user', 'of a refused conversation', '2024-06-01'),
  (900010, 900007, 'user', 'first', '2024-06-01 10:00'),
  (900011, 900007, 'robot', 'of an unknown role', '2024-06-01 10:01'),
  (900012, 900007, 'assistant', '', '2024-06-01 10:02'),
  (900013, 900007, 'assistant', NULL, '2024-06-01 10:03'),
  (900014, 900007, 'assistant', repeat('m', 1100000), '2024-06-01 10:04'),
  (900015, 900007, 'assistant', 'third', '2024-06-01 10:06'),
  (900016, 900007, 'user', 'second', '2024-06-01 10:05'),
  (900017, 900007, 'user', 'fourth', NULL),
  (900018, 900007, 'assistant', 'fifth', '2999-01-01'),
  (900019, 900007, NULL, 'of no role', '2024-06-01 10:07'),
  (900020, 900006, 'user', 'in a timeless one', NULL),
  (900021, 900006, 'assistant', 'before computers', '1815-12-10');
INSERT INTO sessions (id, user_id, session_token, ip_address, expires_at, created_at) VALUES
  (900001, 900001, 'of-a-refused-user-0123456789', NULL, '2099-01-01', '2024-06-01'),
  (900002, 999999, 'of-nobody-01234567890123456789', NULL, '2099-01-01', '2024-06-01'),
  (900003, 900013, 'expired-0123456789012345678901', '192.0.2.9', '2024-07-01', '2024-06-01'),
  (900004, 900013, 'short', NULL, '2099-01-01', '2024-06-01'),
  (900005, 900013, 'strange-place-0123456789012345', 'no address', '2099-01-01', '2024-06-01'),
  (900006, 900013, 'endless-0123456789012345678901', NULL, NULL, '2024-06-01'),
  (900007, 900013, 'pgc_' || repeat('A', 64), NULL, '2099-01-01', '2024-06-01');
SET session_replication_role = origin;
RESET search_path;
