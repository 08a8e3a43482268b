-- How each session went: who takes part, and its history, checkpoint by checkpoint, with the totals after each.
CREATE TEMP TABLE seats ON COMMIT DROP AS
SELECT x.deliberation_id, x.user_id, x.code, x.given_code, x.has_voice, x.first_n, NOT x.has_voice AND x.chair_place = 1 AND NOT x.has_chair AS is_chair,
  x.seats_before + count(*) FILTER (WHERE x.has_voice OR x.chair_place > 1 OR x.has_chair) OVER (PARTITION BY x.deliberation_id ORDER BY x.first_n) AS seat
FROM (SELECT w.*, row_number() OVER (PARTITION BY w.deliberation_id, w.has_voice ORDER BY w.first_n) AS chair_place
      FROM (SELECT p.deliberation_id, p.user_id, p.code, min(p.given_code) AS given_code, bool_or(p.phase <> 'moderator_intervention') AS has_voice, min(p.n) AS first_n,
              (SELECT coalesce(max(d.seat), 0) FROM chat.deliberation_participants d WHERE d.user_id = p.user_id AND d.deliberation_id = p.deliberation_id) AS seats_before,
              EXISTS (SELECT FROM chat.deliberation_participants d WHERE d.user_id = p.user_id AND d.deliberation_id = p.deliberation_id AND d.seat = 0) AS has_chair
            FROM parts p WHERE p.n IS NOT NULL
              AND NOT EXISTS (SELECT FROM chat.deliberation_participants d
                              WHERE d.user_id = p.user_id AND d.deliberation_id = p.deliberation_id AND d.persona_code = p.code)
            GROUP BY p.deliberation_id, p.user_id, p.code) w) x;
ANALYZE seats;

-- place: what comes before its parts is below 1; part n is at 2 n, and the phase or round that it begins just before it.
CREATE TEMP TABLE course ON COMMIT DROP AS
WITH steps AS (
  SELECT p.deliberation_id, p.n, p.new_id, p.source_table, p.code, p.phase, CASE p.phase WHEN 'voting' THEN s.round_number ELSE p.round_number END AS round_number,
    p.cost, p.tokens, p.created_at
  FROM parts p JOIN standing s ON s.new_id = p.deliberation_id WHERE p.n IS NOT NULL
), turns AS (
  SELECT t.*, (t.phase, t.round_number) IS DISTINCT FROM (lag(t.phase, 1, b.base_phase) OVER w, lag(t.round_number, 1, b.base_round) OVER w) AS is_turn
  FROM steps t JOIN board b ON b.new_id = t.deliberation_id WINDOW w AS (PARTITION BY t.deliberation_id ORDER BY t.n)
), events AS (
  SELECT s.new_id AS deliberation_id, e.place, e.event, NULL::uuid AS part_id, NULL AS kind, NULL AS code, 'problem_decomposition' AS phase, 0 AS round_number,
    'active' AS status, 0::numeric AS cost, 0::bigint AS tokens, s.since AS at
  FROM standing s, (VALUES (-2, 'created'), (-1, 'started')) e (place, event) WHERE s.state = 'new'
  UNION ALL
  SELECT t.deliberation_id, 2 * t.n - 1, 'phase', NULL, NULL, NULL, t.phase, t.round_number, 'active', 0, 0, t.created_at FROM turns t WHERE t.is_turn
  UNION ALL
  SELECT t.deliberation_id, 2 * t.n, 'step', t.new_id, CASE t.phase WHEN 'voting' THEN 'vote' WHEN 'initial_round' THEN 'initial' WHEN 'deliberation' THEN 'contribute' ELSE 'moderate' END,
    t.code, t.phase, t.round_number, 'active', t.cost, t.tokens, t.created_at FROM turns t
  UNION ALL
  SELECT s.new_id, 1000000, 'step', s.rest_id, 'imported', NULL, s.phase, s.round_number, 'active', s.rest_cost, s.rest_tokens, NULL
  FROM standing s WHERE s.rest_cost <> 0 OR s.rest_tokens <> 0
  UNION ALL
  SELECT s.new_id, 1000001, s.status, NULL, NULL, NULL, s.phase, s.round_number, s.status, 0, 0,
    coalesce(s.completed_at, s.killed_at, chat_private.time_within(b.given_updated_at, now(), NULL))
  FROM standing s JOIN board b ON b.new_id = s.new_id
)
SELECT b.user_id, e.deliberation_id, e.event, e.place, e.part_id, e.kind, e.code, e.phase, e.round_number, e.status, e.cost, e.tokens,
  b.base_seq + row_number() OVER w::integer AS seq, b.base_cost + sum(e.cost) OVER w AS total_cost, b.base_tokens + sum(e.tokens) OVER w AS total_tokens,
  greatest(max(e.at) OVER w, b.since) AS created_at
FROM events e JOIN board b ON b.new_id = e.deliberation_id
WINDOW w AS (PARTITION BY e.deliberation_id ORDER BY e.place ROWS UNBOUNDED PRECEDING);
ANALYZE course;
CREATE TEMP TABLE course_ends ON COMMIT DROP AS
SELECT c.deliberation_id, min(c.seq) FILTER (WHERE c.place > 0) AS first_seq, max(c.seq) AS last_seq FROM course c GROUP BY c.deliberation_id;
ANALYZE course_ends;
