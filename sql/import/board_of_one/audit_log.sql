-- Stages the audit log: who and what its rows tell of are named as they are here, and as they were there.
CREATE TEMP TABLE persona_names ON COMMIT DROP AS
SELECT DISTINCT ON (n.name) n.name, x.code FROM staged_personas x, LATERAL (VALUES (1, x.given_code), (2, x.old_id)) n (place, name)
WHERE x.state <> 'refused' AND n.name IS NOT NULL ORDER BY n.name, n.place, x.old_id;
CREATE TEMP TABLE addresses ON COMMIT DROP AS
SELECT a.given, pg_temp.as_inet(a.given) AS address FROM (SELECT DISTINCT x.ip_address::text AS given FROM :"source".audit_log x) a;
CREATE TEMP TABLE staged_audit ON COMMIT DROP AS
SELECT a.id::text AS old_id, a.user_id::text AS user_old_id, u.new_id AS user_id, btrim(a.action::text) AS action, a.ip_address::text AS given_address, i.address AS ip_address,
  nullif(btrim(a.user_agent::text), '') AS user_agent, a."timestamp"::timestamptz AS given_at, chat_private.time_within(a."timestamp"::timestamptz, now(), now()) AS created_at,
  a.details::text AS given_details, pg_temp.as_json(a.details::text) AS details, lower(btrim(a.resource_type::text)) AS resource_type, a.resource_id::text AS resource_id,
  coalesce('deliberation:' || d.new_id, 'user:' || r.new_id, 'persona:' || p.code) AS resource_here, 'new' AS state, NULL::text AS reason
FROM :"source".audit_log a
LEFT JOIN addresses i ON i.given = a.ip_address::text
LEFT JOIN staged_users u ON u.old_id = a.user_id::text AND u.state <> 'refused'
LEFT JOIN board d ON lower(btrim(a.resource_type::text)) = 'session' AND d.old_id = a.resource_id::text AND d.state <> 'refused'
LEFT JOIN staged_users r ON lower(btrim(a.resource_type::text)) = 'user' AND r.old_id = a.resource_id::text AND r.state <> 'refused'
LEFT JOIN persona_names p ON lower(btrim(a.resource_type::text)) = 'persona' AND p.name = a.resource_id::text;
UPDATE staged_audit s SET state = 'there' FROM chat.import_map m WHERE m.system = :'system' AND m.source_table = 'audit_log' AND m.old_id = s.old_id;
UPDATE staged_audit s SET state = 'refused', reason = 'action_missing' WHERE s.state = 'new' AND coalesce(s.action, '') = '';

INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT 'audit_log', s.old_id, s.user_id, f.kind, f.reason, f.details
FROM (SELECT x.* FROM staged_audit x
      WHERE x.state = 'refused' OR x.state = 'new' AND (x.user_old_id IS NOT NULL AND x.user_id IS NULL OR x.resource_id IS NOT NULL AND x.resource_here IS NULL
        OR x.given_address IS NOT NULL AND x.ip_address IS NULL OR x.given_details IS NOT NULL AND x.details IS NULL OR (x.given_at BETWEEN '1970-01-01 00:00+00' AND now()) IS NOT TRUE
        OR char_length(x.action) > 100 OR char_length(x.user_agent) > 512)) s,
LATERAL (VALUES
  (s.state = 'refused', 'refused', s.reason, jsonb_build_object('resource_type', s.resource_type, 'resource_id', s.resource_id, 'details', s.details)),
  (s.state = 'new' AND s.user_old_id IS NOT NULL AND s.user_id IS NULL, 'changed', 'user_unknown', jsonb_build_object('user', s.user_old_id)),
  (s.state = 'new' AND s.resource_id IS NOT NULL AND s.resource_here IS NULL, 'changed', 'resource_unknown', jsonb_build_object('resource_type', s.resource_type, 'resource_id', s.resource_id)),
  (s.state = 'new' AND s.given_address IS NOT NULL AND s.ip_address IS NULL, 'changed', 'ip_address_invalid', jsonb_build_object('ip_address', s.given_address)),
  (s.state = 'new' AND s.given_details IS NOT NULL AND s.details IS NULL, 'kept_aside', 'json_invalid', jsonb_build_object('details', left(s.given_details, 100000))),
  (s.state = 'new' AND (s.given_at IS NULL OR NOT isfinite(s.given_at)), 'changed', 'time_missing', '{}'),
  (s.state = 'new' AND pg_temp.time_problem(s.given_at) IS NOT NULL, 'changed', pg_temp.time_problem(s.given_at), jsonb_build_object('timestamp', s.given_at)),
  (s.state = 'new' AND char_length(s.action) > 100, 'changed', 'action_cut', jsonb_build_object('action', left(s.action, 100000))),
  (s.state = 'new' AND char_length(s.user_agent) > 512, 'changed', 'user_agent_cut', jsonb_build_object('user_agent', left(s.user_agent, 100000)))
) f (applies, kind, reason, details)
WHERE f.applies;

INSERT INTO counted (source_table, read, written, already_there, refused, kept_aside)
SELECT 'audit_log', count(*), count(*) FILTER (WHERE s.state = 'new'), count(*) FILTER (WHERE s.state = 'there'), count(*) FILTER (WHERE s.state = 'refused'), 0 FROM staged_audit s;
