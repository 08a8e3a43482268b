-- VibeBot's two providers, the models that its conversations name, and its users' keys.
--
-- A key goes to the provider's own address and nowhere else: a provider that is registered here counts where it has that address.
CREATE TEMP TABLE key_providers ON COMMIT DROP AS
SELECT k.*, (SELECT p.id FROM chat.providers p JOIN chat_private.provider_endpoints e ON e.provider_id = p.id
             WHERE p.kind = k.kind AND (e.base_url IS NULL OR e.base_url ~ k.address) ORDER BY p.is_active DESC, p.created_at, p.id LIMIT 1) AS provider_id
FROM (VALUES ('CLAUDE', 'anthropic', '^https://api\.anthropic\.com(/v1)?/*$', '^claude'),
             ('OPENAI', 'openai', '^https://api\.openai\.com(/v1)?/*$', '^(gpt-|chatgpt-|o[1-9](-|$)|text-)')) k (provider, kind, address, models);
INSERT INTO chat.providers (name, kind)
SELECT k.kind || CASE WHEN EXISTS (SELECT FROM chat.providers p WHERE lower(p.name) = k.kind) THEN ' (vibebot)' ELSE '' END, k.kind
FROM key_providers k WHERE k.provider_id IS NULL;
UPDATE key_providers k SET provider_id = p.id
FROM chat.providers p WHERE k.provider_id IS NULL AND p.kind = k.kind AND NOT EXISTS (SELECT FROM chat_private.provider_endpoints e WHERE e.provider_id = p.id);
INSERT INTO chat_private.provider_endpoints (provider_id, auth_type)
SELECT k.provider_id, CASE k.kind WHEN 'anthropic' THEN 'x_api_key' ELSE 'bearer' END FROM key_providers k ON CONFLICT DO NOTHING;

-- What conversations name can be asked on.
INSERT INTO chat.models (provider_id, name, display_name)
SELECT DISTINCT k.provider_id, m.name, m.name
FROM (SELECT DISTINCT btrim(c.model) AS name FROM source_conversation c) m JOIN key_providers k ON m.name ~* k.models
WHERE char_length(m.name) <= 200 AND m.name !~ '[[:cntrl:]]'
ON CONFLICT (name) DO NOTHING;

-- Keys in the clear begin like this; anything else was encrypted by who alone can read it.
CREATE TEMP TABLE staged_keys ON COMMIT DROP AS
SELECT t.*, CASE WHEN t.is_there THEN 'there' WHEN t.reason IS NULL THEN 'new' WHEN t.reason = 'key_encrypted' THEN 'aside' ELSE 'refused' END AS state,
       chat.uuid_v7() AS new_id
FROM (SELECT s.id::text AS old_id, s.user_id::text AS user_old_id, s.provider::text AS given_provider, btrim(s.encrypted_key, E' \n\r\t') AS key,
        left(nullif(chat_private.one_line(s.name), ''), 90) AS given_name, s.name::text AS whole_name, s.created_at::timestamptz AS created_at, s.updated_at::timestamptz AS updated_at,
        CASE WHEN u.state <> 'refused' THEN u.new_id END AS user_id, k.provider_id, i.old_id IS NOT NULL AS is_there,
        CASE WHEN u.old_id IS NULL THEN 'owner_missing' WHEN u.state = 'refused' THEN 'owner_refused'
             WHEN k.provider IS NULL THEN 'provider_unknown' WHEN coalesce(btrim(s.encrypted_key), '') = '' THEN 'key_missing'
             WHEN s.encrypted_key !~ '^\s*sk-' THEN 'key_encrypted'
             -- Of what may be one in the clear nothing is told.
             WHEN s.encrypted_key !~ '^\s*sk-[A-Za-z0-9_-]{13,}\s*$' OR length(s.encrypted_key) > 4096 THEN 'key_unusable' END AS reason
      FROM source_api_key s
      LEFT JOIN staged_users u ON u.old_id = s.user_id::text
      LEFT JOIN key_providers k ON k.provider = upper(btrim(s.provider::text))
      LEFT JOIN chat.import_map i ON i.system = :'system' AND i.source_table = 'ApiKey' AND i.old_id = s.id::text) t;

-- Names tell a user's keys of one provider apart; the newest is in use, unless one is here already.
CREATE TEMP TABLE new_keys ON COMMIT DROP AS
SELECT t.*, coalesce(t.given_name, 'default') || CASE WHEN t.place + t.taken > 1 THEN format(' (%s)', t.place + t.taken) ELSE '' END AS name
FROM (SELECT k.*, row_number() OVER (PARTITION BY k.user_id, k.provider_id, coalesce(k.given_name, 'default') ORDER BY k.created_at NULLS LAST, k.old_id COLLATE "C") AS place,
        (SELECT count(*) FROM chat.api_keys a WHERE a.user_id = k.user_id AND a.provider_id = k.provider_id
           AND (a.name = coalesce(k.given_name, 'default') OR a.name ~ ' \([0-9]+\)$' AND regexp_replace(a.name, ' \([0-9]+\)$', '') = coalesce(k.given_name, 'default'))) AS taken,
        row_number() OVER (PARTITION BY k.user_id, k.provider_id ORDER BY coalesce(k.updated_at, k.created_at) DESC NULLS LAST, k.old_id COLLATE "C" DESC) = 1
          AND NOT EXISTS (SELECT FROM chat.api_keys a WHERE a.user_id = k.user_id AND a.provider_id = k.provider_id AND a.is_active) AS is_active
      FROM staged_keys k WHERE k.state = 'new') t;
INSERT INTO chat.api_keys (user_id, id, provider_id, name, last_four, is_active, created_at)
SELECT k.user_id, k.new_id, k.provider_id, k.name, chat_private.last_four(k.key), k.is_active, chat_private.time_within(coalesce(k.updated_at, k.created_at), now(), now())
FROM new_keys k;
INSERT INTO chat_private.api_key_secrets (user_id, id, provider_id, sealed_key)
SELECT k.user_id, k.new_id, k.provider_id, chat_private.seal('api_key:' || k.provider_id, k.user_id, k.new_id, convert_to(k.key, 'UTF8')) FROM new_keys k;

INSERT INTO chat.import_map (user_id, system, source_table, old_id, new_id)
SELECT k.user_id, :'system', 'ApiKey', k.old_id, k.new_id FROM new_keys k;
INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT 'ApiKey', k.old_id, k.user_id, CASE k.state WHEN 'aside' THEN 'kept_aside' ELSE 'refused' END, k.reason,
  jsonb_strip_nulls(jsonb_build_object('user', left(k.user_old_id, 300), 'provider', left(k.given_provider, 300), 'name', k.given_name, 'created_at', k.created_at,
    'updated_at', k.updated_at, 'encrypted_key', CASE k.state WHEN 'aside' THEN left(k.key, 100000) END))
FROM staged_keys k WHERE k.state IN ('aside', 'refused')
UNION ALL
SELECT 'ApiKey', k.old_id, k.user_id, 'changed', 'name_taken', jsonb_build_object('name', coalesce(k.given_name, 'default'), 'became', k.name)
FROM new_keys k WHERE k.name <> coalesce(k.given_name, 'default')
UNION ALL
SELECT 'ApiKey', k.old_id, k.user_id, 'changed', f.reason, f.details
FROM new_keys k, LATERAL (SELECT pg_temp.time_problem(k.created_at, k.updated_at) AS problem) t,
LATERAL (VALUES
  (char_length(chat_private.one_line(k.whole_name)) > 90, 'name_cut', jsonb_build_object('name', left(k.whole_name, 100000))),
  (coalesce(k.updated_at, k.created_at) IS NULL, 'time_missing', '{}'),
  (t.problem IS NOT NULL, t.problem, jsonb_strip_nulls(jsonb_build_object('created_at', k.created_at, 'updated_at', k.updated_at)))) f (applies, reason, details)
WHERE f.applies;
INSERT INTO counted (source_table, read, written, already_there, refused, kept_aside)
SELECT 'ApiKey', count(*), count(*) FILTER (WHERE k.state = 'new'), count(*) FILTER (WHERE k.state = 'there'),
       count(*) FILTER (WHERE k.state = 'refused'), count(*) FILTER (WHERE k.state = 'aside') FROM staged_keys k;
