-- Where each session stands here: status, phase, round and totals, which go with the parts that it has.
CREATE TEMP TABLE standing ON COMMIT DROP AS
WITH spoken AS (
  SELECT p.deliberation_id, count(*) FILTER (WHERE p.source_table = 'contributions') AS contributions, count(*) FILTER (WHERE p.source_table = 'votes') AS votes,
    count(*) FILTER (WHERE p.state = 'new') AS new_parts, coalesce(max(p.round_number), 0) AS last_round,
    bool_or(p.phase IN ('deliberation', 'moderator_intervention')) AS is_past_first,
    max((p.round_number - p.given_round) * (p.given_round >= 0)::integer) AS shift, max(p.created_at) AS last_at,
    sum(p.cost) FILTER (WHERE p.joined_to IS NULL) AS cost, sum(p.tokens) FILTER (WHERE p.joined_to IS NULL)::bigint AS tokens,
    coalesce(sum(p.cost) FILTER (WHERE p.joined_to IS NULL AND p.state = 'new'), 0) AS new_cost,
    coalesce(sum(p.tokens) FILTER (WHERE p.joined_to IS NULL AND p.state = 'new'), 0)::bigint AS new_tokens
  FROM parts p WHERE p.state <> 'refused' GROUP BY p.deliberation_id
), named AS (
  SELECT b.old_id, b.new_id, b.user_id, b.state, b.base_status, b.base_phase, b.base_round, b.base_cost, b.base_tokens, b.since,
    coalesce(s.contributions, 0) AS contributions, coalesce(s.votes, 0) AS votes, coalesce(s.new_parts, 0) AS new_parts, coalesce(s.last_round, 0) AS last_round,
    coalesce(s.is_past_first, false) AS is_past_first, coalesce(s.shift, 0) AS shift, s.last_at, coalesce(s.cost, 0) AS part_cost, coalesce(s.tokens, 0) AS part_tokens,
    coalesce(s.new_cost, 0) AS new_cost, coalesce(s.new_tokens, 0) AS new_tokens,
    CASE WHEN st.status IN ('paused', 'completed', 'failed', 'killed') THEN st.status ELSE 'paused' END AS status,
    k.phase AS known_phase, k.place,
    coalesce(b.round_there, 0) + coalesce(s.shift, 0) AS round_there, least(coalesce(b.given_max_rounds, 10), 1000) + coalesce(s.shift, 0) AS max_rounds_there,
    CASE WHEN b.given_cost >= 0 AND b.given_cost <> 'NaN' THEN b.given_cost ELSE 0 END AS cost_there,
    greatest(coalesce(b.given_tokens, 0), 0) AS tokens_there
  FROM board b LEFT JOIN spoken s ON s.deliberation_id = b.new_id,
  LATERAL (SELECT lower(btrim(b.given_status)) AS status) st
  LEFT JOIN LATERAL (SELECT x.* FROM (VALUES ('problem_decomposition', 1), ('persona_selection', 2), ('initial_round', 3), ('deliberation', 4),
    ('moderator_intervention', 4), ('voting', 5), ('synthesis', 6)) x (phase, place) WHERE x.phase = lower(btrim(b.given_phase))) k ON true
  WHERE b.can_take
), phased AS (
  SELECT n.*, CASE
    WHEN n.status = 'completed' THEN 'synthesis'
    -- Who would speak is not known there before somebody has.
    WHEN n.contributions + n.votes = 0 THEN CASE WHEN n.place IS NULL OR n.place = 1 THEN 'problem_decomposition' ELSE 'persona_selection' END
    WHEN n.place IS NULL OR n.place < 3 OR n.place = 3 AND n.is_past_first THEN
      CASE WHEN n.votes > 0 THEN 'voting' WHEN n.is_past_first THEN 'deliberation' ELSE 'initial_round' END
    ELSE n.known_phase END AS phase
  FROM named n
), rounded AS (
  SELECT p.*, CASE
    WHEN p.phase IN ('problem_decomposition', 'persona_selection') THEN 0
    WHEN p.phase = 'initial_round' THEN 1
    ELSE greatest(p.round_there, p.last_round, CASE WHEN p.phase = 'deliberation' THEN 2 WHEN p.contributions > 0 THEN 1 ELSE 0 END) END AS round_number,
    -- An earlier run's parts are in base_cost; what it added to them for the calls that are in no row may be less now.
    greatest(p.cost_there, p.part_cost) AS total_cost, greatest(p.tokens_there, p.part_tokens) AS total_tokens
  FROM phased p
)
SELECT r.*, least(100, greatest(r.max_rounds_there, r.round_number, 1)) AS max_rounds,
  r.total_cost - r.base_cost - r.new_cost AS rest_cost, r.total_tokens - r.base_tokens - r.new_tokens AS rest_tokens,
  r.state = 'new' OR r.new_parts > 0
    OR (r.status, r.phase, r.round_number, r.total_cost, r.total_tokens) IS DISTINCT FROM (r.base_status, r.base_phase, r.base_round, r.base_cost, r.base_tokens) AS is_due,
  chat.uuid_v7() AS rest_id,
  CASE WHEN r.status = 'completed' THEN chat_private.time_within(b.given_completed_at, now(), coalesce(chat_private.time_within(b.given_updated_at, now(), NULL), r.last_at, r.since)) END AS completed_at,
  CASE WHEN r.status = 'killed' THEN chat_private.time_within(b.given_killed_at, now(), coalesce(chat_private.time_within(b.given_updated_at, now(), NULL), r.last_at, r.since)) END AS killed_at,
  CASE WHEN r.status = 'killed' THEN k.new_id END AS killed_by
FROM rounded r JOIN board b ON b.old_id = r.old_id LEFT JOIN staged_users k ON k.old_id = b.given_killed_by AND k.state <> 'refused';
DELETE FROM standing WHERE NOT is_due;
ANALYZE standing;

INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT 'sessions', b.old_id, b.user_id, f.kind, f.reason, f.details
FROM board b LEFT JOIN standing s ON s.old_id = b.old_id,
LATERAL (SELECT pg_temp.time_problem(b.given_created_at, b.given_updated_at, CASE s.status WHEN 'completed' THEN b.given_completed_at WHEN 'killed' THEN b.given_killed_at END) AS problem) t,
LATERAL (VALUES
  (b.state = 'refused', 'refused', b.reason, jsonb_build_object('user', b.user_old_id, 'problem', left(b.problem_statement, 1000))),
  (lower(btrim(b.given_status)) = 'active' AND s.status = 'paused', 'changed', 'active_is_paused', '{}'),
  (coalesce(lower(btrim(b.given_status)), '') NOT IN ('active', 'paused', 'completed', 'failed', 'killed'), 'changed', 'status_unknown', jsonb_build_object('status', b.given_status, 'became', s.status)),
  (s.old_id IS NOT NULL AND s.known_phase IS NULL, 'changed', 'phase_unknown', jsonb_build_object('phase', b.given_phase, 'became', s.phase)),
  (s.known_phase <> s.phase, 'changed', 'phase_changed', jsonb_build_object('phase', b.given_phase, 'became', s.phase)),
  (s.shift > 0, 'changed', 'rounds_renumbered', jsonb_build_object('round_number', b.given_round, 'became', s.round_number)),
  (s.round_number <> s.round_there OR b.given_round <> 0 AND b.round_there IS NULL, 'changed', 'round_changed', jsonb_build_object('round_number', b.given_round, 'became', s.round_number)),
  (b.given_max_rounds IS NULL OR s.max_rounds <> s.max_rounds_there, 'changed', 'max_rounds_changed', jsonb_build_object('max_rounds', b.given_max_rounds, 'became', s.max_rounds)),
  (coalesce(b.given_cost, -1) <> s.part_cost OR coalesce(b.given_tokens, -1) <> s.part_tokens, 'changed', 'total_differs', jsonb_build_object('total_cost', b.given_cost::text,
     'contributions_cost', s.part_cost, 'became', s.total_cost, 'total_tokens', b.given_tokens, 'contributions_tokens', s.part_tokens, 'tokens_became', s.total_tokens)),
  (b.problem_context IS NOT NULL AND b.context IS NULL, 'kept_aside', 'json_invalid', jsonb_build_object('problem_context', left(b.problem_context, 100000))),
  (s.status = 'completed' AND (b.given_completed_at IS NULL OR NOT isfinite(b.given_completed_at)) OR s.status = 'killed' AND (b.given_killed_at IS NULL OR NOT isfinite(b.given_killed_at))
     OR b.given_created_at IS NULL OR NOT isfinite(b.given_created_at), 'changed', 'time_missing', '{}'),
  (t.problem IS NOT NULL, 'changed', t.problem, jsonb_strip_nulls(jsonb_build_object('created_at', b.given_created_at, 'updated_at', b.given_updated_at,
   'completed_at', b.given_completed_at, 'killed_at', b.given_killed_at))),
  (s.status = 'killed' AND char_length(b.kill_reason) > 500, 'changed', 'kill_reason_cut', jsonb_build_object('kill_reason', left(b.kill_reason, 100000))),
  (s.status <> 'completed' AND b.given_completed_at IS NOT NULL OR s.status <> 'killed' AND (b.given_killed_at IS NOT NULL OR b.given_killed_by IS NOT NULL OR b.kill_reason IS NOT NULL), 'kept_aside', 'end_of_another_status',
   jsonb_strip_nulls(jsonb_build_object('completed_at', b.given_completed_at, 'killed_at', b.given_killed_at, 'killed_by', b.given_killed_by, 'kill_reason', b.kill_reason))),
  (s.status = 'killed' AND s.killed_by IS NULL AND b.given_killed_by <> 'admin', 'changed', 'killed_by_unknown', jsonb_build_object('killed_by', b.given_killed_by))
) f (applies, kind, reason, details)
WHERE f.applies AND (b.state = 'refused' OR s.old_id IS NOT NULL);
