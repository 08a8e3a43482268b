-- Writes staged_sessions: sessions that go on with the token that their holder has, of which only the hash is stored. Those that
-- have ended are kept aside: who was logged in, from where and when.
UPDATE staged_sessions s SET state = 'there', new_id = m.new_id
FROM chat.import_map m WHERE m.system = :'system' AND m.source_table = s.source_table AND m.old_id = s.old_id;

UPDATE staged_sessions s SET user_id = r.user_id, reason = r.reason,
  state = CASE r.reason WHEN 'session_expired' THEN 'aside' ELSE CASE WHEN r.reason IS NULL THEN 'new' ELSE 'refused' END END
FROM (SELECT t.source_table, t.old_id, CASE WHEN u.state <> 'refused' THEN u.new_id END AS user_id, CASE
        WHEN u.old_id IS NULL THEN 'owner_missing'
        WHEN u.state = 'refused' THEN 'owner_refused'
        WHEN t.expires_at IS NULL OR t.expires_at = 'infinity' THEN 'expiry_missing'
        WHEN t.expires_at <= now() THEN 'session_expired'
        WHEN coalesce(t.token, '') = '' THEN 'token_missing'
        -- 128 bits in base64: what is shorter can be guessed by who has the hash.
        WHEN octet_length(t.token) < 22 THEN 'token_too_short'
        WHEN octet_length(t.token) > 1000 OR t.token ~ '^pgc_[A-Za-z0-9_-]{64}$' THEN 'token_unusable'
        WHEN t.place > 1 OR i.token_hash IS NOT NULL THEN 'duplicate_token' END AS reason
      FROM (SELECT x.*, row_number() OVER (PARTITION BY x.token ORDER BY x.state <> 'there', x.created_at, length(x.old_id), x.old_id COLLATE "C") AS place
            FROM staged_sessions x) t
      LEFT JOIN staged_users u ON u.old_id = t.user_old_id
      LEFT JOIN chat_private.imported_tokens i ON i.token_hash = sha256(convert_to(t.token, 'UTF8'))
      WHERE t.state = 'new') r
WHERE s.source_table = r.source_table AND s.old_id = r.old_id;

UPDATE staged_sessions s SET new_id = i.new_id
FROM (SELECT o.source_table, o.old_id, chat.uuid_v7() AS new_id
      FROM (SELECT t.source_table, t.old_id FROM staged_sessions t WHERE t.state = 'new'
            ORDER BY t.created_at, length(t.old_id), t.old_id COLLATE "C") o) i
WHERE s.source_table = i.source_table AND s.old_id = i.old_id;

INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT s.source_table, s.old_id, s.user_id, CASE s.state WHEN 'aside' THEN 'kept_aside' ELSE 'refused' END, s.reason,
  jsonb_strip_nulls(jsonb_build_object('user', s.user_old_id, 'ip_address', left(s.ip_address, 300), 'user_agent', left(s.user_agent, 1000),
    'created_at', s.created_at, 'expires_at', s.expires_at, 'last_activity_at', s.last_activity_at))
FROM staged_sessions s WHERE s.state IN ('refused', 'aside')
UNION ALL
SELECT s.source_table, s.old_id, s.user_id, 'changed', f.reason, f.details
FROM staged_sessions s, LATERAL (SELECT pg_temp.time_problem(s.created_at, s.last_activity_at) AS problem) t,
LATERAL (VALUES
  (s.ip_address <> '' AND pg_temp.as_inet(s.ip_address) IS NULL, 'ip_address_invalid', jsonb_build_object('ip_address', left(s.ip_address, 300))),
  (char_length(s.user_agent) > 512, 'user_agent_cut', jsonb_build_object('user_agent', left(s.user_agent, 100000))),
  (s.created_at IS NULL OR NOT isfinite(s.created_at), 'time_missing', '{}'),
  (t.problem IS NOT NULL, t.problem, jsonb_strip_nulls(jsonb_build_object('created_at', s.created_at, 'last_activity_at', s.last_activity_at)))) f (applies, reason, details)
WHERE s.state = 'new' AND f.applies;

INSERT INTO chat.sessions (user_id, id, created_at, expires_at, idle_expires_at, last_activity_at, ip_address, user_agent)
SELECT s.user_id, s.new_id, chat_private.time_within(s.created_at, now(), now()), s.expires_at,
  -- From the move on: how long nobody had used it there is no reason to end it here.
  now() + chat_private.setting_text('session_idle_timeout')::interval,
  chat_private.time_within(coalesce(s.last_activity_at, s.created_at), now(), now()), pg_temp.as_inet(s.ip_address), left(s.user_agent, 512)
FROM staged_sessions s WHERE s.state = 'new';

INSERT INTO chat_private.imported_tokens (token_hash, user_id, session_id)
SELECT sha256(convert_to(s.token, 'UTF8')), s.user_id, s.new_id FROM staged_sessions s WHERE s.state = 'new';

INSERT INTO chat.import_map (user_id, system, source_table, old_id, new_id)
SELECT s.user_id, :'system', s.source_table, s.old_id, s.new_id FROM staged_sessions s WHERE s.state = 'new';

INSERT INTO counted (source_table, read, written, already_there, refused, kept_aside)
SELECT s.source_table, count(*), count(*) FILTER (WHERE s.state = 'new'), count(*) FILTER (WHERE s.state = 'there'),
       count(*) FILTER (WHERE s.state = 'refused'), count(*) FILTER (WHERE s.state = 'aside') FROM staged_sessions s GROUP BY s.source_table;
