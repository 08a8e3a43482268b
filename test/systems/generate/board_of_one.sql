-- Rows for the tables of schema/board_of_one.sql, always the same: as many users and contributions as the variables users and messages
-- say, for each 40 contributions a session with 5 votes and 20 audit rows, and with ids from 900000 a set of rows as no database should have.
SET search_path = :"source";
SET timezone = 'UTC';

INSERT INTO users (id, email, auth_provider, subscription_tier, gdpr_consent_at, created_at, updated_at)
SELECT md5('user' || n)::uuid, format('member%s@board.example', n), (ARRAY['supabase', 'google', 'linkedin', 'github'])[1 + n % 4],
  (ARRAY['free', 'pro', 'enterprise'])[1 + n % 3], CASE WHEN n % 5 > 0 THEN timestamptz '2025-01-01' + n * interval '1 hour' END,
  timestamptz '2025-01-01' + n * interval '1 hour', timestamptz '2025-02-01' + n * interval '1 hour'
FROM generate_series(1, :users) n;

-- growth_hacker is a code that pgchat has, too.
INSERT INTO personas (id, code, name, expertise, system_prompt, created_at)
SELECT n, CASE n WHEN 1 THEN 'growth_hacker' ELSE 'expert_' || n END, 'Expert Nº ' || n, 'Knows all about subject ' || n,
  'You are expert ' || n || E'.\nYou speak of subject ' || n || '.', '2025-01-01'
FROM generate_series(1, 10) n;

-- Each has 40 contributions of 5 experts in 8 rounds, but for those that still have to get there. In every sixth a moderator speaks.
INSERT INTO sessions (id, user_id, problem_statement, problem_context, status, phase, total_cost, total_tokens, round_number, max_rounds,
                      created_at, updated_at, completed_at, killed_at, killed_by, kill_reason)
SELECT md5('session' || n)::uuid, md5('user' || 1 + n * 7919 % :users)::uuid, format('Should we open office %s?', n),
  CASE n % 3 WHEN 0 THEN json_build_object('budget', n * 1000, 'city', 'Ulm') END, s.status,
  CASE s.status WHEN 'completed' THEN 'synthesis' WHEN 'failed' THEN 'voting' ELSE 'deliberation' END,
  0, 0, 8, 10, t.began, t.began + interval '50 minutes',
  CASE s.status WHEN 'completed' THEN t.began + interval '50 minutes' END, CASE s.status WHEN 'killed' THEN t.began + interval '50 minutes' END,
  CASE WHEN s.status = 'killed' THEN CASE n % 40 WHEN 9 THEN 'admin' ELSE md5('user' || 1 + n * 7919 % :users)::uuid::text END END,
  CASE s.status WHEN 'killed' THEN 'It went in circles, ' || n END
FROM generate_series(1, :messages / 40) n,
  LATERAL (SELECT CASE n % 10 WHEN 7 THEN 'active' WHEN 8 THEN 'paused' WHEN 9 THEN CASE n % 20 WHEN 9 THEN 'killed' ELSE 'failed' END ELSE 'completed' END) s (status),
  LATERAL (SELECT timestamptz '2025-03-01' + n * interval '83 minutes') t (began);

INSERT INTO contributions (id, session_id, persona_code, content, round_number, phase, cost, tokens, model, created_at)
SELECT n, md5('session' || i.session)::uuid,
  CASE WHEN i.moderates THEN 'expert_10' WHEN (i.session + i.place % 5) % 9 = 0 THEN 'growth_hacker' ELSE 'expert_' || 1 + (i.session + i.place % 5) % 9 END,
  format('Contribution %s: ', n) || repeat(substr(md5(n::text), 1, 12) || ' ', 10 + n * 13 % 60), 1 + i.place / 5,
  CASE WHEN i.moderates THEN 'moderator_intervention' WHEN i.place < 5 THEN 'initial_round' ELSE 'deliberation' END,
  (n % 97) * 0.0007, 100 + n % 900, (ARRAY['claude-sonnet-4', 'claude-haiku-4'])[1 + n % 2],
  timestamptz '2025-03-01' + i.session * interval '83 minutes' + (1 + i.place) * interval '1 minute'
FROM generate_series(1, :messages) n, LATERAL (SELECT 1 + (n - 1) / 40, (n - 1) % 40) j (session, place),
  LATERAL (SELECT j.session, j.place, j.place = 19 AND j.session % 6 = 0) i (session, place, moderates);

INSERT INTO votes (id, session_id, persona_code, vote_choice, reasoning, confidence, created_at)
SELECT n, s.id, c.persona_code, (ARRAY['open', 'wait', 'sell'])[1 + (n * 7) % 3], 'Because of ' || n, CASE n % 4 WHEN 0 THEN NULL ELSE (n % 101) / 100.0 END,
  s.created_at + interval '45 minutes'
FROM (SELECT row_number() OVER (ORDER BY s.created_at, c.id) AS n, s.id, s.created_at, s.status, c.persona_code
      FROM sessions s JOIN contributions c ON c.session_id = s.id AND c.round_number = 1) c, LATERAL (SELECT c.id, c.created_at) s
WHERE c.status IN ('completed', 'failed');

-- Totals: those of the contributions, and where the number can be divided by 4 what taking apart, voting and summing up cost, too.
UPDATE sessions s SET total_cost = t.cost + t.rest, total_tokens = t.tokens + t.rest * 10000
FROM (SELECT c.session_id, sum(c.cost) AS cost, sum(c.tokens) AS tokens, CASE WHEN (min(c.id) / 40) % 4 = 0 THEN 0.05 ELSE 0 END AS rest
      FROM contributions c GROUP BY c.session_id) t
WHERE t.session_id = s.id;

INSERT INTO audit_log (id, user_id, action, resource_type, resource_id, details, ip_address, user_agent, "timestamp")
SELECT n, u.id, a.action, a.resource_type, CASE a.resource_type WHEN 'session' THEN md5('session' || 1 + n % (:messages / 40))::uuid::text
    WHEN 'user' THEN u.id WHEN 'persona' THEN 'expert_2' END,
  CASE n % 3 WHEN 0 THEN json_build_object('n', n) END, CASE n % 2 WHEN 0 THEN '192.0.2.' || n % 250 ELSE '2001:db8::' || n % 250 END,
  'Browser/' || n % 7, timestamptz '2025-03-01' + n * interval '4 minutes'
FROM generate_series(1, :messages / 2) n, LATERAL (SELECT CASE WHEN n % 11 > 0 THEN md5('user' || 1 + n % :users)::uuid::text END) u (id),
  LATERAL (SELECT (ARRAY['session_created', 'session_killed', 'user_login', 'persona_viewed'])[1 + n % 4],
                  (ARRAY['session', 'session', 'user', 'persona'])[1 + n % 4]) a (action, resource_type);

-- As no database should have them: foreign keys do not look, nothing is required or unique.
SET session_replication_role = replica;
ALTER TABLE users ALTER email DROP NOT NULL, ALTER auth_provider DROP NOT NULL, ALTER subscription_tier DROP NOT NULL, ALTER created_at DROP NOT NULL,
  DROP CONSTRAINT users_email_key;
ALTER TABLE personas ALTER name DROP NOT NULL, ALTER expertise DROP NOT NULL, ALTER system_prompt DROP NOT NULL;
ALTER TABLE sessions ALTER user_id DROP NOT NULL, ALTER problem_statement DROP NOT NULL, ALTER created_at DROP NOT NULL, ALTER status DROP NOT NULL,
  ALTER phase DROP NOT NULL, ALTER total_cost DROP NOT NULL, ALTER max_rounds DROP NOT NULL, ALTER round_number DROP NOT NULL;
ALTER TABLE contributions ALTER session_id DROP NOT NULL, ALTER persona_code DROP NOT NULL, ALTER content DROP NOT NULL, ALTER phase DROP NOT NULL,
  ALTER round_number DROP NOT NULL, ALTER cost DROP NOT NULL, ALTER tokens DROP NOT NULL, ALTER model DROP NOT NULL, ALTER created_at DROP NOT NULL;
ALTER TABLE votes ALTER session_id DROP NOT NULL, ALTER persona_code DROP NOT NULL, ALTER vote_choice DROP NOT NULL, ALTER reasoning DROP NOT NULL,
  ALTER created_at DROP NOT NULL;
ALTER TABLE audit_log ALTER action DROP NOT NULL, ALTER resource_type DROP NOT NULL, ALTER "timestamp" DROP NOT NULL;

INSERT INTO users (id, email, auth_provider, subscription_tier, gdpr_consent_at, created_at) VALUES
  ('twin', 'MEMBER1@Board.Example', 'google', 'pro', NULL, '2025-06-01'),
  ('no-address', 'no address', 'google', 'pro', NULL, '2025-06-01'),
  ('null-address', NULL, 'google', 'pro', NULL, '2025-06-01'),
  ('myspace', 'myspace@board.example', 'MySpace', 'platinum', NULL, '2025-06-01'),
  ('nowhere', 'nowhere@board.example', NULL, NULL, NULL, '2025-06-01'),
  ('not a name', 'blank@board.example', 'no name!', 'free', NULL, NULL),
  ('dirty', 'dirty@board.example', 'GitHub', ' PRO ', '2025-06-01', '2025-06-01');
INSERT INTO personas (id, code, name, expertise, system_prompt)
SELECT 900001, p.code, p.name, p.expertise, p.system_prompt FROM chat.personas p WHERE p.code = 'brand_storyteller';
INSERT INTO personas (id, code, name, expertise, system_prompt) VALUES
  (900002, 'Über Expert', 'Odd code', 'Codes', 'You have an odd code.'),
  (900003, 'moderator', 'Reserved', 'Codes', 'You have a reserved code.'),
  (900004, 'speechless', 'Speechless', 'Nothing', ''),
  (900005, 'nameless', NULL, NULL, 'You have no name.');

-- dirty-01 and so on: what is wrong is in the problem statement.
INSERT INTO sessions (id, user_id, problem_statement, status, phase, total_cost, total_tokens, round_number, max_rounds, created_at, updated_at,
                      completed_at, killed_at, killed_by, kill_reason) VALUES
  ('dirty-01', 'twin', 'of a refused user', 'completed', 'synthesis', 0, 0, 1, 10, '2025-07-01', '2025-07-01', '2025-07-01', NULL, NULL, NULL),
  ('dirty-02', 'nobody', 'of nobody', 'completed', 'synthesis', 0, 0, 1, 10, '2025-07-01', '2025-07-01', '2025-07-01', NULL, NULL, NULL),
  ('dirty-03', NULL, 'of NULL', 'completed', 'synthesis', 0, 0, 1, 10, '2025-07-01', '2025-07-01', '2025-07-01', NULL, NULL, NULL),
  ('dirty-04', 'dirty', '   ', 'active', 'deliberation', 0, 0, 1, 10, '2025-07-01', '2025-07-01', NULL, NULL, NULL, NULL),
  ('dirty-05', 'dirty', 'unknown status and phase', 'sleeping', 'pondering', 0, 0, 1, 10, '2025-07-01', '2025-07-01', NULL, NULL, NULL, NULL),
  ('dirty-06', 'dirty', 'a killer nobody knows', 'killed', 'deliberation', 0, 0, 1, 10, '2025-07-01', '2025-07-01', NULL, NULL, 'stranger', 'why not'),
  ('dirty-07', 'dirty', 'completed and killed without a time', 'completed', 'voting', NULL, 0, 1, 0, '2025-07-01', '2025-07-01', NULL, '2025-07-01', NULL, NULL),
  ('dirty-08', 'dirty', 'less than the sum, rounds from 0', 'paused', 'initial_round', 0.0001, 1, 0, 10, '2025-07-01', '2025-07-01', NULL, NULL, NULL, NULL),
  ('dirty-09', 'dirty', 'bad parts', 'paused', 'deliberation', 1.5, 500, 2, 1, '2025-07-01', '2025-07-01', NULL, NULL, NULL, NULL),
  ('dirty-10', 'dirty', 'nobody spoke', 'paused', 'deliberation', 0, 0, 3, 10, '2025-07-01', '2025-07-01', NULL, NULL, NULL, NULL),
  ('dirty-11', 'dirty', 'no time at all', 'active', 'problem_decomposition', 0, 0, 0, 10, NULL, '2999-01-01', NULL, NULL, NULL, NULL),
  ('dirty-12', 'dirty', 'paused in the middle of a round', 'paused', 'deliberation', 0.6, 60, 2, 3, '2025-07-01', '2025-07-01', NULL, NULL, NULL, NULL),
  ('dirty-13', 'dirty', 'NULL wherever it can be', NULL, NULL, NULL, 0, NULL, NULL, '2025-07-01', '2025-07-01', NULL, NULL, NULL, NULL),
  ('dirty-14', 'dirty', 'not a number', 'completed', 'synthesis', 'NaN', -5, 1, 10, '2025-07-01', '2025-07-01', '2025-07-02', NULL, NULL, NULL);
UPDATE sessions SET problem_context = '"\u0000"' WHERE id = 'dirty-05';
INSERT INTO contributions (id, session_id, persona_code, content, round_number, phase, cost, tokens, model, created_at) VALUES
  (900001, 'dirty-01', 'expert_2', 'of a refused user', 1, 'initial_round', 0, 0, 'm', '2025-07-01'),
  (900002, 'dirty-99', 'expert_2', 'of no session', 1, 'initial_round', 0, 0, 'm', '2025-07-01'),
  (900003, NULL, 'expert_2', 'of NULL', 1, 'initial_round', 0, 0, 'm', '2025-07-01'),
  (900004, 'dirty-04', 'expert_2', 'of a refused session', 1, 'initial_round', 0, 0, 'm', '2025-07-01'),
  (900010, 'dirty-08', 'expert_2', 'the first', 0, 'initial_round', 0.5, 50, 'm', '2025-07-01 10:00'),
  (900011, 'dirty-08', 'expert_3', 'the second', 0, 'initial_round', 0.25, 25, 'm', '2025-07-01 10:01'),
  (900020, 'dirty-09', 'expert_2', '', 1, 'initial_round', 0.1, 10, 'm', '2025-07-01 10:00'),
  (900021, 'dirty-09', 'expert_2', 'what she said', 1, 'initial_round', 0.1, 10, 'm', '2025-07-01 10:01'),
  (900022, 'dirty-09', 'expert_2', 'and said again', 1, 'initial_round', 0.1, 10, 'm', '2025-07-01 10:02'),
  (900023, 'dirty-09', 'vanished', 'of a persona that is gone', 1, 'initial_round', 0.1, 10, 'm', '2025-07-01 10:03'),
  (900024, 'dirty-09', NULL, 'of NULL', 1, 'initial_round', 0.1, 10, 'm', '2025-07-01 10:04'),
  (900025, 'dirty-09', 'Über Expert', 'with a rare phase', 2, 'monologue', 0.1, 10, 'm', '2025-07-01 10:05'),
  (900026, 'dirty-09', 'speechless', 'with bad figures', NULL, 'deliberation', -1, -10, ' ', NULL),
  (900027, 'dirty-09', 'nameless', 'of the future', 2, NULL, 'NaN', NULL, NULL, '2999-01-01'),
  (900028, 'dirty-09', 'expert_3', repeat('m', 1100000), 2, 'deliberation', 0.1, 10, 'm', '2025-07-01 10:06'),
  (900029, 'dirty-09', 'moderator', 'of a first moderator', 2, 'moderator_intervention', 0.1, 10, 'm', '2025-07-01 10:07'),
  (900030, 'dirty-09', 'expert_9', 'of a second moderator', 2, 'moderator_intervention', 0.1, 10, 'm', '2025-07-01 10:08'),
  (900031, 'dirty-07', 'expert_2', 'alone', 1, 'initial_round', 0.1, 10, 'm', '2025-07-01 10:08'),
  (900040, 'dirty-12', 'expert_2', 'I would begin small.', 1, 'initial_round', 0.1, 10, 'm', '2025-07-01 10:00'),
  (900041, 'dirty-12', 'expert_3', 'I would begin large.', 1, 'initial_round', 0.2, 20, 'm', '2025-07-01 10:01'),
  (900042, 'dirty-12', 'expert_2', 'Small, I said.', 2, 'deliberation', 0.3, 30, 'm', '2025-07-01 10:02');
INSERT INTO votes (id, session_id, persona_code, vote_choice, reasoning, confidence, created_at) VALUES
  (900001, 'dirty-01', 'expert_2', 'open', 'of a refused user', NULL, '2025-07-01'),
  (900002, 'dirty-99', 'expert_2', 'open', 'of no session', NULL, '2025-07-01'),
  (900003, NULL, 'expert_2', 'open', 'of NULL', NULL, '2025-07-01'),
  (900010, 'dirty-07', 'expert_2', 'open', 'the first vote', 0.5, '2025-07-01 11:00'),
  (900011, 'dirty-07', 'expert_2', 'wait', 'another one', 0.5, '2025-07-01 11:01'),
  (900012, 'dirty-07', 'expert_3', '', 'for nothing', 0.5, '2025-07-01 11:02'),
  (900013, 'dirty-07', 'expert_4', 'wait', NULL, 7.5, NULL),
  (900014, 'dirty-07', 'vanished', 'wait', 'of a persona that is gone', -1, '2025-07-01 11:03'),
  (900015, 'dirty-07', NULL, 'wait', 'of NULL', NULL, '2025-07-01 11:03');
INSERT INTO audit_log (id, user_id, action, resource_type, resource_id, details, ip_address, user_agent, "timestamp") VALUES
  (900001, 'twin', 'user_login', 'user', 'twin', NULL, '192.0.2.1', 'of a refused user', '2025-07-01'),
  (900002, 'nobody', 'user_login', 'user', 'nobody', NULL, '192.0.2.1', 'of nobody', '2025-07-01'),
  (900003, 'dirty', NULL, 'user', 'dirty', NULL, '192.0.2.1', 'no action', '2025-07-01'),
  (900004, 'dirty', 'session_killed', NULL, NULL, '["a list"]', 'localhost', NULL, NULL),
  (900005, 'dirty', 'session_killed', 'session', 'dirty-04', '"\u0000"', NULL, NULL, '2999-01-01'),
  (900006, 'dirty', 'session_killed', 'session', 'dirty-06', '{"why": "not"}', '2001:db8::6', 'a browser', '2025-07-02');
SET session_replication_role = origin;
