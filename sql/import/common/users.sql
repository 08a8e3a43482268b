-- Writes staged_users: accounts with settings, names to log in with, password hashes and second factors. A user with a row that cannot
-- be one is refused whole; what is wrong with a part of a row is changed and reported.
UPDATE staged_users s SET email = nullif(btrim(s.email), ''), username = nullif(btrim(s.username), ''),
  display_name = nullif(btrim(s.display_name), ''), avatar_url = nullif(btrim(s.avatar_url), ''), totp_secret = nullif(btrim(s.totp_secret), ''),
  password_hash = btrim(s.password_hash, E' \n\r\t');

UPDATE staged_users s SET state = 'there', new_id = m.new_id
FROM chat.import_map m WHERE m.system = :'system' AND m.source_table = s.source_table AND m.old_id = s.old_id;

-- Who has a username to log in with can come without an address that is none, or is another's.
CREATE TEMP TABLE dropped_emails ON COMMIT DROP AS
SELECT u.source_table, u.old_id, u.email, CASE WHEN u.is_email THEN 'email_taken' ELSE 'email_invalid' END AS reason
FROM (SELECT e.*, row_number() OVER (PARTITION BY e.is_email, chat_private.fold_name(CASE WHEN e.is_email THEN e.email END) ORDER BY e.created_at NULLS LAST, length(e.old_id), e.old_id COLLATE "C") AS place,
        row_number() OVER (PARTITION BY chat_private.fold_name(e.username) ORDER BY e.created_at NULLS LAST, length(e.old_id), e.old_id COLLATE "C") AS username_place
      FROM (SELECT s.*, pg_temp.is_email(s.email) AS is_email FROM staged_users s WHERE s.state = 'new' AND s.email IS NOT NULL) e) u
WHERE u.username_place = 1 AND pg_temp.is_username(u.username) AND u.username IS NOT NULL
  AND NOT EXISTS (SELECT FROM chat_private.login_names n WHERE n.kind = 'username' AND n.name = chat_private.fold_name(u.username))
  AND NOT EXISTS (SELECT FROM staged_users o WHERE o.state = 'new' AND o.email IS NULL AND chat_private.fold_name(o.username) = chat_private.fold_name(u.username))
  AND (NOT u.is_email OR u.place > 1 OR EXISTS (SELECT FROM chat_private.login_names n WHERE n.kind = 'email' AND n.name = chat_private.fold_name(u.email)));
UPDATE staged_users s SET email = NULL FROM dropped_emails d WHERE d.source_table = s.source_table AND d.old_id = s.old_id;

UPDATE staged_users s SET state = 'refused', reason = r.reason
FROM (SELECT u.source_table, u.old_id, CASE
        WHEN u.email IS NULL AND u.username IS NULL THEN 'email_missing'
        WHEN u.email IS NOT NULL AND NOT pg_temp.is_email(u.email) THEN 'email_invalid'
        WHEN u.email IS NULL AND NOT pg_temp.is_username(u.username) THEN 'username_invalid' END AS reason
      FROM staged_users u WHERE u.state = 'new') r
WHERE s.source_table = r.source_table AND s.old_id = r.old_id AND r.reason IS NOT NULL;

-- A name that is taken here: by an elder of the same system, or by somebody else.
UPDATE staged_users s SET state = 'refused', reason = CASE WHEN EXISTS (
    SELECT FROM chat.import_map m WHERE m.user_id = n.user_id AND m.system = :'system' AND m.source_table = s.source_table)
  THEN 'duplicate_' ELSE 'taken_' END || n.kind
FROM chat_private.login_names n
WHERE s.state = 'new' AND n.kind = CASE WHEN s.email IS NULL THEN 'username' ELSE 'email' END
  AND n.name = chat_private.fold_name(coalesce(s.email, s.username));

-- Of those that come now with one name, the oldest.
UPDATE staged_users s SET state = 'refused', reason = 'duplicate_' || r.kind
FROM (SELECT u.source_table, u.old_id, CASE WHEN u.email IS NULL THEN 'username' ELSE 'email' END AS kind,
        row_number() OVER (PARTITION BY u.email IS NULL, chat_private.fold_name(coalesce(u.email, u.username))
                           ORDER BY u.created_at NULLS LAST, length(u.old_id), u.old_id COLLATE "C") AS place
      FROM staged_users u WHERE u.state = 'new') r
WHERE s.source_table = r.source_table AND s.old_id = r.old_id AND r.place > 1;

INSERT INTO found (source_table, old_id, kind, reason, details)
SELECT s.source_table, s.old_id, 'refused', s.reason, jsonb_strip_nulls(jsonb_build_object('email', left(s.email, 300), 'username', left(s.username, 300)))
FROM staged_users s WHERE s.state = 'refused';

-- Their UUIDs are kept, where they are some and nobody's here.
UPDATE staged_users s SET new_id = i.new_id
FROM (SELECT o.source_table, o.old_id,
        CASE WHEN o.kept IS NULL OR EXISTS (SELECT FROM chat.users x WHERE x.id = o.kept) THEN chat.uuid_v7() ELSE o.kept END AS new_id
      FROM (SELECT u.source_table, u.old_id, pg_temp.as_uuid(u.old_id) AS kept
            FROM staged_users u WHERE u.state = 'new'
            ORDER BY u.created_at NULLS LAST, length(u.old_id), u.old_id COLLATE "C") o) i
WHERE s.source_table = i.source_table AND s.old_id = i.old_id;

-- What of a row cannot be used, and what is used instead.
CREATE TEMP TABLE user_parts ON COMMIT DROP AS
SELECT u.source_table, u.old_id, u.new_id, p.*
FROM staged_users u
LEFT JOIN chat_private.login_names n ON u.email IS NOT NULL AND n.kind = 'username' AND n.name = chat_private.fold_name(u.username)
LEFT JOIN (SELECT t.source_table, t.old_id, row_number() OVER (PARTITION BY chat_private.fold_name(t.username)
             ORDER BY t.email IS NOT NULL, t.created_at NULLS LAST, length(t.old_id), t.old_id COLLATE "C") AS place
           FROM staged_users t WHERE t.state = 'new' AND t.username IS NOT NULL) d ON d.source_table = u.source_table AND d.old_id = u.old_id
CROSS JOIN LATERAL (SELECT
  CASE WHEN u.username IS NULL THEN NULL WHEN NOT pg_temp.is_username(u.username) THEN 'username_invalid'
       WHEN n.name IS NOT NULL OR d.place > 1 THEN 'username_taken' END AS username_problem,
  u.avatar_url IS NOT NULL AND (octet_length(u.avatar_url) > 2000 OR u.avatar_url !~ '^https?://[^[:space:][:cntrl:]<>"]+$') AS avatar_is_bad,
  pg_temp.as_json(u.preferences) AS preferences,
  pg_temp.time_problem(u.created_at, u.updated_at, u.last_login_at, u.consent_at) AS time_problem,
  -- Above a cost of 17 a login would take longer than a minute.
  coalesce(u.password_hash ~ '^\$2[aby]\$(0[4-9]|1[0-7])\$[./A-Za-z0-9]{53}$', false) AS has_password,
  u.totp_secret IS NOT NULL AND pg_temp.is_totp_secret(u.totp_secret) AS has_factor) p
WHERE u.state = 'new';

INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT u.source_table, u.old_id, u.new_id, f.kind, f.reason, f.details
FROM staged_users u JOIN user_parts p ON p.source_table = u.source_table AND p.old_id = u.old_id,
LATERAL (VALUES
  (p.username_problem IS NOT NULL, 'changed', p.username_problem, jsonb_build_object('username', left(u.username, 300))),
  (char_length(u.display_name) > 200, 'changed', 'display_name_cut', jsonb_build_object('display_name', left(u.display_name, 10000))),
  (p.avatar_is_bad, 'changed', 'avatar_url_invalid', jsonb_build_object('avatar_url', left(u.avatar_url, 2000))),
  (u.role IS NULL AND u.given_role IS NOT NULL, 'changed', 'role_unknown', jsonb_build_object('role', left(u.given_role, 300), 'became', 'user')),
  (u.is_active IS NULL, 'changed', 'active_missing', jsonb_build_object('became', false)),
  (u.preferences IS NOT NULL AND p.preferences IS NULL, 'kept_aside', 'json_invalid', jsonb_build_object('preferences', left(u.preferences, 100000))),
  (jsonb_typeof(p.preferences) NOT IN ('object', 'null'), 'kept_aside', 'preferences_no_object', jsonb_build_object('preferences', p.preferences)),
  (NOT p.has_password AND u.password_hash <> '', 'changed', 'password_hash_unusable', '{}'),
  (u.password_hash = '', 'changed', 'password_hash_missing', '{}'),
  (u.totp_enabled AND NOT p.has_factor, 'changed', CASE WHEN u.totp_secret IS NULL THEN 'totp_secret_missing' ELSE 'totp_secret_unusable' END,
   jsonb_build_object('password', 'left out')),
  (u.totp_enabled IS NOT TRUE AND u.totp_secret IS NOT NULL AND NOT p.has_factor, 'changed', 'totp_secret_unusable', '{}'),
  (u.created_at IS NULL OR NOT isfinite(u.created_at), 'changed', 'time_missing', '{}'),
  (p.time_problem IS NOT NULL, 'changed', p.time_problem, jsonb_strip_nulls(jsonb_build_object('created_at', u.created_at, 'updated_at', u.updated_at,
   'last_login_at', u.last_login_at, 'consent_at', u.consent_at)))
) f (applies, kind, reason, details)
WHERE f.applies;

INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT d.source_table, d.old_id, s.new_id, 'changed', d.reason, jsonb_build_object('email', left(d.email, 300))
FROM dropped_emails d JOIN staged_users s ON s.source_table = d.source_table AND s.old_id = d.old_id AND s.state = 'new';

INSERT INTO chat.users (id, email, username, display_name, avatar_url, role, plan, is_active, token_version, email_verified_at, consent_at,
                        metadata, created_at, updated_at, last_login_at)
SELECT u.new_id, u.email, CASE WHEN p.username_problem IS NULL THEN u.username END, left(u.display_name, 200),
  CASE WHEN NOT p.avatar_is_bad THEN u.avatar_url END, coalesce(u.role, 'user'),
  CASE WHEN EXISTS (SELECT FROM chat.plans x WHERE x.code = u.plan) THEN u.plan ELSE chat_private.setting_text('default_plan') END,
  coalesce(u.is_active, false), coalesce(u.token_version, 1),
  coalesce(u.email_verified_at, CASE WHEN :'emails_verified' AND u.email IS NOT NULL THEN now() END), chat_private.time_within(u.consent_at, now(), NULL), u.metadata,
  chat_private.time_within(u.created_at, now(), now()),
  chat_private.time_within(u.updated_at, now(), chat_private.time_within(u.created_at, now(), now())),
  chat_private.time_within(u.last_login_at, now(), NULL)
FROM staged_users u JOIN user_parts p ON p.source_table = u.source_table AND p.old_id = u.old_id
ORDER BY u.new_id;

INSERT INTO chat.user_settings (user_id, preferences)
SELECT p.new_id, CASE WHEN jsonb_typeof(p.preferences) = 'object' THEN p.preferences ELSE '{}' END FROM user_parts p;

INSERT INTO chat_private.login_names (kind, name, user_id)
SELECT l.kind, chat_private.fold_name(l.name), u.id
FROM chat.users u JOIN user_parts p ON p.new_id = u.id, LATERAL (VALUES ('email', u.email), ('username', u.username)) l (kind, name)
WHERE l.name IS NOT NULL;

-- Not where a second factor was asked for and there is none any more: then a password alone must not open the account.
INSERT INTO chat_private.credentials (user_id, password_hash)
SELECT u.new_id, u.password_hash FROM staged_users u JOIN user_parts p ON p.source_table = u.source_table AND p.old_id = u.old_id
WHERE p.has_password AND (u.totp_enabled IS NOT TRUE OR p.has_factor);

-- One that was not in use yet can be confirmed here.
INSERT INTO chat_private.totp_factors (user_id, id, sealed_key, created_at, confirmed_at)
SELECT f.new_id, f.factor_id, chat_private.seal_totp(f.new_id, f.factor_id, f.totp_secret), now(), CASE WHEN f.totp_enabled THEN now() END
FROM (SELECT u.new_id, u.totp_secret, u.totp_enabled, chat.uuid_v7() AS factor_id
      FROM staged_users u JOIN user_parts p ON p.source_table = u.source_table AND p.old_id = u.old_id WHERE p.has_factor OFFSET 0) f;

INSERT INTO chat.import_map (user_id, system, source_table, old_id, new_id)
SELECT u.new_id, :'system', u.source_table, u.old_id, u.new_id FROM staged_users u WHERE u.state = 'new';

INSERT INTO counted (source_table, read, written, already_there, refused, kept_aside)
SELECT s.source_table, count(*), count(*) FILTER (WHERE s.state = 'new'), count(*) FILTER (WHERE s.state = 'there'),
       count(*) FILTER (WHERE s.state = 'refused'), 0 FROM staged_users s GROUP BY s.source_table;
ANALYZE staged_users;
