-- Writes sessions with all that they consist of.
INSERT INTO chat.deliberations (user_id, id, problem_statement, problem_context, status, phase, round_number, max_rounds, pause_reason, error, created_at, started_at,
                                completed_at, killed_at)
SELECT s.user_id, s.new_id, b.problem_statement, nullif(b.context, 'null'), 'active', s.phase, s.round_number, s.max_rounds, NULL, NULL, s.since, s.since, NULL, NULL
FROM standing s JOIN board b ON b.old_id = s.old_id WHERE s.state = 'new' ORDER BY s.user_id, s.new_id;

-- Everybody is at the table from the first word on, with the text that they had there.
INSERT INTO chat.deliberation_participants (user_id, deliberation_id, persona_code, seat, name, expertise, category, system_prompt, seq)
SELECT t.user_id, t.deliberation_id, t.code, CASE WHEN t.is_chair THEN 0 ELSE t.seat END, coalesce(m.name, p.name, t.given_code), coalesce(m.expertise, p.expertise, t.given_code),
  coalesce(p.category, 'general'), coalesce(nullif(btrim(m.system_prompt), ''), p.system_prompt, 'You are ' || t.given_code || '.'), e.first_seq
FROM seats t JOIN course_ends e ON e.deliberation_id = t.deliberation_id
LEFT JOIN LATERAL (SELECT x.* FROM staged_personas x WHERE x.code = t.code ORDER BY x.given_code = t.given_code DESC, length(x.old_id), x.old_id LIMIT 1) m ON true
LEFT JOIN chat.personas p ON p.user_id = '00000000-0000-0000-0000-000000000000' AND p.code = t.code;
INSERT INTO chat.deliberation_participants (user_id, deliberation_id, persona_code, seat, name, expertise, system_prompt, seq)
SELECT DISTINCT ON (t.deliberation_id) t.user_id, t.deliberation_id, 'moderator', 0, 'Moderator', 'Keeps the discussion on course',
  coalesce((SELECT p.system_prompt FROM chat.deliberation_prompts p WHERE p.code = 'moderate_stalling'), 'You moderate a board of experts.'),
  e.first_seq
FROM seats t JOIN course_ends e ON e.deliberation_id = t.deliberation_id
WHERE NOT EXISTS (SELECT FROM chat.deliberation_participants d WHERE d.user_id = t.user_id AND d.deliberation_id = t.deliberation_id AND d.seat = 0);

INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT p.source_table, p.old_id, p.user_id, 'changed', f.reason, jsonb_build_object('persona', p.given_code)
FROM parts p JOIN seats t ON t.deliberation_id = p.deliberation_id AND t.code = p.code,
LATERAL (VALUES
  (NOT EXISTS (SELECT FROM staged_personas m WHERE m.given_code = p.given_code), 'persona_unknown'),
  (NOT t.has_voice AND NOT t.is_chair AND p.phase = 'moderator_intervention', 'second_moderator')) f (applies, reason)
WHERE p.state = 'new' AND f.applies;

-- A call for each contribution. How many of its tokens were of the prompt is not known there: all count as output.
CREATE TEMP TABLE calls ON COMMIT DROP AS
SELECT c.user_id, c.deliberation_id, chat.uuid_v7() AS id, c.part_id, c.kind, CASE c.kind WHEN 'imported' THEN 'imported' ELSE c.phase END AS phase,
  CASE c.kind WHEN 'imported' THEN 0 ELSE c.round_number END AS round_number, c.code, coalesce(p.model, 'unknown') AS model, c.tokens, c.cost,
  coalesce(p.created_at, c.created_at) AS created_at, c.seq
FROM course c LEFT JOIN parts p ON p.new_id = c.part_id AND p.source_table = 'contributions'
WHERE c.event = 'step' AND c.kind <> 'vote' ORDER BY c.user_id, c.deliberation_id, c.seq;
ANALYZE calls;
INSERT INTO chat.deliberation_steps (user_id, id, deliberation_id, kind, phase, round_number, persona_code, state, model, output_tokens, cost, created_at, finished_at)
SELECT l.user_id, l.id, l.deliberation_id, l.kind, l.phase, l.round_number, l.code, 'complete', l.model, l.tokens, l.cost, l.created_at, l.created_at FROM calls l
ORDER BY l.user_id, l.id;
INSERT INTO chat.contributions (user_id, id, deliberation_id, persona_code, round_number, phase, content, cost, tokens, model, step_id, seq, created_at)
SELECT p.user_id, p.new_id, p.deliberation_id, p.code, p.round_number, p.phase, coalesce(j.content, c.content), p.cost, p.tokens, l.model, l.id, l.seq, p.created_at
FROM parts p JOIN calls l ON l.part_id = p.new_id JOIN :"source".contributions c ON c.id::text = p.old_id LEFT JOIN joined_parts j ON j.id = p.new_id
WHERE p.source_table = 'contributions' ORDER BY p.user_id, p.new_id;
INSERT INTO chat.votes (user_id, id, deliberation_id, persona_code, choice, reasoning, confidence, is_abstention, seq, created_at)
SELECT p.user_id, p.new_id, p.deliberation_id, p.code, left(p.choice, 100), coalesce(v.reasoning, ''),
  CASE WHEN p.given_confidence BETWEEN 0 AND 1 THEN p.given_confidence END, p.choice IS NULL, c.seq, p.created_at
FROM parts p JOIN course c ON c.part_id = p.new_id JOIN :"source".votes v ON v.id::text = p.old_id WHERE p.source_table = 'votes' ORDER BY p.user_id, p.new_id;

-- Status and totals when all is there; what was voted on is what somebody voted for.
UPDATE chat.deliberations d
SET status = s.status, phase = s.phase, round_number = s.round_number, max_rounds = s.max_rounds, total_cost = s.total_cost, total_tokens = s.total_tokens,
  pause_reason = CASE s.status WHEN 'paused' THEN 'requested' END,
  error = CASE s.status WHEN 'failed' THEN jsonb '{"code": "imported", "sqlstate": "XX000", "message": "it failed before the move"}' END,
  completed_at = s.completed_at, killed_at = s.killed_at, killed_by = s.killed_by, kill_reason = CASE s.status WHEN 'killed' THEN left(b.kill_reason, 500) END,
  active_ms = greatest(extract(epoch FROM coalesce(s.completed_at, s.killed_at, s.last_at, s.since) - s.since) * 1000, 0)::bigint,
  updated_at = greatest(chat_private.time_within(b.given_updated_at, now(), s.since), s.since),
  last_seq = e.last_seq, choices = v.choices
FROM standing s JOIN board b ON b.old_id = s.old_id JOIN course_ends e ON e.deliberation_id = s.new_id
LEFT JOIN (SELECT x.deliberation_id, jsonb_agg(jsonb_build_object('id', x.choice, 'label', x.choice, 'description', '') ORDER BY x.first_at, x.choice COLLATE "C") AS choices
           FROM (SELECT w.deliberation_id, w.choice, min(w.created_at) AS first_at FROM standing t JOIN chat.votes w ON w.user_id = t.user_id AND w.deliberation_id = t.new_id
                 WHERE w.choice IS NOT NULL GROUP BY 1, 2) x GROUP BY 1) v ON v.deliberation_id = s.new_id
WHERE d.user_id = s.user_id AND d.id = s.new_id;
UPDATE chat.deliberations d SET outcome = chat_private.vote_outcome(d)
FROM standing s WHERE d.user_id = s.user_id AND d.id = s.new_id AND s.phase = 'synthesis';

CREATE TEMP TABLE states ON COMMIT DROP AS
SELECT t.deliberation_id, t.phase, jsonb_build_object('sub_problems', NULL, 'choices', CASE WHEN t.phase IN ('voting', 'synthesis') THEN d.choices END,
  'outcome', CASE WHEN t.phase = 'synthesis' THEN d.outcome END, 'synthesis', NULL, 'rounds_ended_by', NULL) AS state
FROM (SELECT DISTINCT c.user_id, c.deliberation_id, c.phase FROM course c) t JOIN chat.deliberations d ON d.user_id = t.user_id AND d.id = t.deliberation_id;
ANALYZE states;
INSERT INTO chat.deliberation_checkpoints (user_id, deliberation_id, seq, event, step_id, kind, persona_code, phase, round_number, status, state, total_cost, total_tokens, created_at)
SELECT c.user_id, c.deliberation_id, c.seq, c.event, l.id, c.kind, c.code, c.phase, c.round_number, c.status, t.state, c.total_cost, c.total_tokens, c.created_at
FROM course c JOIN states t ON t.deliberation_id = c.deliberation_id AND t.phase = c.phase LEFT JOIN calls l ON l.deliberation_id = c.deliberation_id AND l.seq = c.seq
ORDER BY c.user_id, c.deliberation_id, c.seq;

INSERT INTO chat.import_map (user_id, system, source_table, old_id, new_id)
SELECT s.user_id, :'system', 'sessions', s.old_id, s.new_id FROM standing s WHERE s.state = 'new'
UNION ALL
SELECT p.user_id, :'system', p.source_table, p.old_id, coalesce(p.joined_to, p.new_id) FROM parts p WHERE p.state = 'new';
-- Whoever goes on with one here does so after this moment.
UPDATE chat.import_map m SET imported_at = now() FROM standing s
WHERE s.state = 'there' AND m.user_id = s.user_id AND m.system = :'system' AND m.source_table = 'sessions' AND m.old_id = s.old_id;

INSERT INTO counted (source_table, read, written, already_there, refused, kept_aside)
SELECT 'sessions', count(*), count(*) FILTER (WHERE b.state = 'new'), count(*) FILTER (WHERE b.state = 'there'), count(*) FILTER (WHERE b.state = 'refused'), 0 FROM board b;
INSERT INTO counted (source_table, read, written, already_there, refused, kept_aside)
SELECT t.name, count(p.old_id), count(*) FILTER (WHERE p.state = 'new'), count(*) FILTER (WHERE p.state = 'there'), count(*) FILTER (WHERE p.state = 'refused'), 0
FROM (VALUES (1, 'contributions'), (2, 'votes')) t (place, name) LEFT JOIN parts p ON p.source_table = t.name GROUP BY t.place, t.name ORDER BY t.place;
