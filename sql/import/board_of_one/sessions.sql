-- Stages sessions, which become deliberations, as they are there.
--
-- can_take: more may be brought to it: it is new, or nobody has gone on with it here. base_*: where its history here stands.
CREATE TEMP TABLE board ON COMMIT DROP AS
SELECT s.id::text AS old_id, s.user_id::text AS user_old_id, s.problem_statement::text, s.problem_context::text AS problem_context,
  s.status::text AS given_status, s.phase::text AS given_phase, s.total_cost::numeric AS given_cost, s.total_tokens::bigint AS given_tokens,
  s.round_number AS given_round, CASE WHEN s.round_number BETWEEN 0 AND 1000 THEN s.round_number END AS round_there, s.max_rounds AS given_max_rounds,
  s.created_at::timestamptz AS given_created_at, s.updated_at::timestamptz AS given_updated_at,
  s.completed_at::timestamptz AS given_completed_at, s.killed_at::timestamptz AS given_killed_at, s.killed_by::text AS given_killed_by, s.kill_reason::text,
  pg_temp.as_json(s.problem_context::text) AS context,
  chat_private.time_within(s.created_at::timestamptz, now(), chat_private.time_within(s.updated_at::timestamptz, now(), now())) AS since,
  NULL::uuid AS new_id, NULL::uuid AS user_id, 'new' AS state, NULL::text AS reason, true AS can_take,
  0 AS base_seq, 0::numeric AS base_cost, 0::bigint AS base_tokens, NULL::text AS base_status, 'problem_decomposition' AS base_phase, 0 AS base_round
FROM :"source".sessions s;

UPDATE board s SET state = 'there', new_id = m.new_id, user_id = m.user_id, can_take = d.id IS NOT NULL AND NOT EXISTS (
    SELECT FROM chat.deliberation_checkpoints c WHERE c.user_id = m.user_id AND c.deliberation_id = m.new_id AND c.created_at > m.imported_at),
  reason = CASE WHEN d.id IS NULL THEN 'session_gone' ELSE 'session_went_on' END,
  base_seq = coalesce(d.last_seq, 0), base_cost = coalesce(d.total_cost, 0), base_tokens = coalesce(d.total_tokens, 0), base_status = d.status,
  base_phase = coalesce(d.phase, s.base_phase), base_round = coalesce(d.round_number, 0)
FROM chat.import_map m LEFT JOIN chat.deliberations d ON d.user_id = m.user_id AND d.id = m.new_id
WHERE m.system = :'system' AND m.source_table = 'sessions' AND m.old_id = s.old_id;

UPDATE board s SET user_id = r.user_id, reason = r.reason, can_take = r.reason IS NULL, state = CASE WHEN r.reason IS NULL THEN 'new' ELSE 'refused' END
FROM (SELECT b.old_id, CASE WHEN u.state <> 'refused' THEN u.new_id END AS user_id, CASE
        WHEN u.old_id IS NULL THEN 'owner_missing'
        WHEN u.state = 'refused' THEN 'owner_refused'
        WHEN coalesce(btrim(b.problem_statement), '') = '' THEN 'problem_empty'
        WHEN octet_length(b.problem_statement) > chat_private.max_message_bytes() THEN 'problem_too_long' END AS reason
      FROM board b LEFT JOIN staged_users u ON u.old_id = b.user_old_id WHERE b.state = 'new') r
WHERE s.old_id = r.old_id;

UPDATE board s SET new_id = i.new_id
FROM (SELECT o.old_id, CASE WHEN o.kept IS NULL OR EXISTS (SELECT FROM chat.deliberations x WHERE x.id = o.kept) THEN chat.uuid_v7() ELSE o.kept END AS new_id
      FROM (SELECT b.old_id, pg_temp.as_uuid(b.old_id) AS kept FROM board b WHERE b.state = 'new' ORDER BY b.since, b.old_id COLLATE "C") o) i
WHERE s.old_id = i.old_id;
ANALYZE board;
