-- rovertChat's providers, models, who may use which, and the settings of users, which name models.
CREATE TEMP TABLE staged_providers ON COMMIT DROP AS
SELECT text 'ModelProviders' AS source_table, p.id::text AS old_id, chat_private.one_line(p.name) AS name, k.kind,
  -- Its own protocol is below the root, others' versions are where they are.
  nullif(CASE WHEN k.kind = 'ollama' THEN regexp_replace(k.url, '/+(api)?/*$', '') ELSE rtrim(k.url, '/') END, '') AS base_url, p.api_url::text AS given_url,
  CASE WHEN a.auth IN ('none', 'noauth') THEN 'none'
       WHEN a.auth IN ('xapikey') THEN 'x_api_key'
       WHEN a.auth IN ('query', 'queryparam', 'queryparameter') THEN 'query'
       WHEN a.auth IN ('apikey', 'key') AND k.kind = 'openai' AND k.url ~* '^https://[^/]*\.azure\.com(/|$)' THEN 'api_key'
       WHEN a.auth IN ('bearer', 'bearertoken', 'token') THEN 'bearer'
       WHEN k.kind = 'anthropic' THEN 'x_api_key' WHEN a.auth IN ('apikey', 'key') OR k.kind = 'openai' THEN 'bearer' ELSE 'none' END AS auth_type,
  p.auth_type::text AS given_auth,
  a.auth NOT IN ('', 'none', 'noauth', 'xapikey', 'query', 'queryparam', 'queryparameter', 'apikey', 'key', 'bearer', 'bearertoken', 'token') AS auth_is_unknown,
  p.created_by::text AS created_by_old_id, p.is_active, p.created_at::timestamptz AS created_at,
  false AS address_is_bad, false AS is_same, NULL::uuid AS new_id, text 'new' AS state, NULL::text AS reason
FROM source_model_providers p,
LATERAL (SELECT regexp_replace(lower(coalesce(p.auth_type::text, '')), '[^a-z]', '', 'g') AS auth) a,
LATERAL (SELECT btrim(p.api_url::text) AS url, CASE
    WHEN p.api_url ~* '^https?://[^/]*anthropic\.com(/|$)' OR p.name ~* 'anthropic|claude' AND p.api_url !~* '/v1/*$' THEN 'anthropic'
    WHEN (p.name ~* 'ollama' OR p.api_url ~ ':11434(/|$)') AND p.api_url !~* '/v1/*$' THEN 'ollama'
    ELSE 'openai' END AS kind) k;
CREATE TEMP TABLE staged_models ON COMMIT DROP AS
SELECT text 'Models' AS source_table, m.id::text AS old_id, m.provider_id::text AS provider_old_id, btrim(m.name::text) AS name, m.display_name::text AS display_name,
  m.description, m.config::text AS config, m.is_active, m.created_at::timestamptz AS created_at, m.updated_at::timestamptz AS updated_at,
  NULL::text AS here_name, false AS is_same, NULL::uuid AS provider_id, NULL::uuid AS new_id, text 'new' AS state, NULL::text AS reason
FROM source_models m;
\ir ../common/providers.sql

-- Of several grants of one model to one user that counts which is in force, and the latest.
CREATE TEMP TABLE staged_grants ON COMMIT DROP AS
SELECT t.*, CASE WHEN t.is_there THEN 'there' WHEN t.reason IS NULL THEN 'new' ELSE 'refused' END AS state
FROM (SELECT g.id::text AS old_id, g.granted_by::text AS granted_by_old_id, g.granted_at::timestamptz AS granted_at, g.is_active,
        CASE WHEN u.state <> 'refused' THEN u.new_id END AS user_id, o.new_id AS model_id, b.new_id AS granted_by, i.old_id IS NOT NULL AS is_there,
        CASE WHEN u.old_id IS NULL THEN 'owner_missing' WHEN u.state = 'refused' THEN 'owner_refused'
             WHEN o.old_id IS NULL THEN 'model_missing' WHEN o.state = 'refused' THEN 'model_refused' WHEN o.here_name IS NULL THEN 'model_gone'
             WHEN x.user_id IS NOT NULL
               OR row_number() OVER (PARTITION BY u.new_id, o.new_id ORDER BY i.old_id IS NOT NULL DESC, g.is_active DESC NULLS LAST,
                                     g.granted_at DESC NULLS LAST, g.id::text COLLATE "C") > 1 THEN 'duplicate_grant' END AS reason
      FROM source_user_model_access g
      LEFT JOIN staged_users u ON u.old_id = g.user_id::text
      LEFT JOIN staged_models o ON o.old_id = g.model_id::text
      LEFT JOIN staged_users b ON b.old_id = g.granted_by::text AND b.state <> 'refused'
      LEFT JOIN chat.user_model_access x ON x.user_id = u.new_id AND x.model_id = o.new_id
      LEFT JOIN chat.import_map i ON i.system = :'system' AND i.source_table = 'UserModelAccess' AND i.old_id = g.id::text) t;
INSERT INTO chat.user_model_access (user_id, model_id, granted_by, granted_at, is_active)
SELECT g.user_id, g.model_id, g.granted_by, chat_private.time_within(g.granted_at, now(), now()), coalesce(g.is_active, false)
FROM staged_grants g WHERE g.state = 'new';
INSERT INTO chat.import_map (user_id, system, source_table, old_id, new_id)
SELECT g.user_id, :'system', 'UserModelAccess', g.old_id, g.model_id FROM staged_grants g WHERE g.state = 'new';
INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT 'UserModelAccess', g.old_id, g.user_id, f.kind, f.reason, f.details
FROM staged_grants g,
LATERAL (VALUES
  (g.state = 'refused', 'refused', g.reason, jsonb_build_object('is_active', g.is_active)),
  (g.state = 'new' AND g.granted_by_old_id IS NOT NULL AND g.granted_by IS NULL, 'changed', 'granter_missing', jsonb_build_object('granted_by', left(g.granted_by_old_id, 300))),
  (g.state = 'new' AND g.is_active IS NULL, 'changed', 'active_missing', jsonb_build_object('became', false)),
  (g.state = 'new' AND (g.granted_at IS NULL OR NOT isfinite(g.granted_at)), 'changed', 'time_missing', '{}'),
  (g.state = 'new' AND pg_temp.time_problem(g.granted_at) IS NOT NULL, 'changed', pg_temp.time_problem(g.granted_at), jsonb_build_object('granted_at', g.granted_at))
) f (applies, kind, reason, details)
WHERE f.applies;
INSERT INTO counted (source_table, read, written, already_there, refused, kept_aside)
SELECT 'UserModelAccess', count(*), count(*) FILTER (WHERE g.state = 'new'), count(*) FILTER (WHERE g.state = 'there'),
       count(*) FILTER (WHERE g.state = 'refused'), 0 FROM staged_grants g;

-- Settings have come with their users; a default model is looked at by conversations.sql, which wants its name here.
UPDATE staged_users u SET default_model = coalesce(o.here_name, s.default_model_id::text)
FROM source_user_settings s LEFT JOIN staged_models o ON o.old_id = s.default_model_id::text
WHERE u.state = 'new' AND s.user_id::text = u.old_id AND s.default_model_id IS NOT NULL;
CREATE TEMP TABLE staged_settings ON COMMIT DROP AS
SELECT t.*, CASE WHEN t.is_there THEN 'there' WHEN t.reason IS NULL THEN 'new' ELSE 'refused' END AS state
FROM (SELECT s.user_id::text AS old_id, CASE WHEN u.state <> 'refused' THEN u.new_id END AS user_id, i.old_id IS NOT NULL AS is_there,
        -- Who is here already may have chosen otherwise.
        CASE WHEN u.old_id IS NULL THEN 'owner_missing' WHEN u.state = 'refused' THEN 'owner_refused' WHEN u.state = 'there' THEN 'owner_there' END AS reason
      FROM source_user_settings s LEFT JOIN staged_users u ON u.old_id = s.user_id::text
      LEFT JOIN chat.import_map i ON i.system = :'system' AND i.source_table = 'UserSettings' AND i.old_id = s.user_id::text) t;
INSERT INTO chat.import_map (user_id, system, source_table, old_id, new_id)
SELECT s.user_id, :'system', 'UserSettings', s.old_id, s.user_id FROM staged_settings s WHERE s.state = 'new';
INSERT INTO found (source_table, old_id, user_id, kind, reason)
SELECT 'UserSettings', coalesce(s.old_id, ''), s.user_id, 'refused', s.reason FROM staged_settings s WHERE s.state = 'refused';
INSERT INTO counted (source_table, read, written, already_there, refused, kept_aside)
SELECT 'UserSettings', count(*), count(*) FILTER (WHERE s.state = 'new'), count(*) FILTER (WHERE s.state = 'there'),
       count(*) FILTER (WHERE s.state = 'refused'), 0 FROM staged_settings s;
