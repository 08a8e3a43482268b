-- Writes staged_providers and staged_models, which the script has made and filled with users.sql already run. A provider or model that
-- is here under its name is used as it is; a name that something else has here gets an addition, and models then keep the provider's
-- own name in config. Models come closed: who may use them is told by grants. What a name became is staged_models.here_name.
SELECT set_config('import.system', :'system', true) AS ignored \gset ignored_

CREATE OR REPLACE FUNCTION pg_temp.is_provider(kind text, base_url text, auth_type text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.check_provider(kind, base_url, auth_type, '{}');
  RETURN true;
EXCEPTION WHEN data_exception THEN
  RETURN false;
END
$$;

-- What can be told of an address without telling a secret.
CREATE OR REPLACE FUNCTION pg_temp.host_of(url text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT left(regexp_replace(url, '^(?:[a-zA-Z]+:/*)?(?:[^/@]*@)?([^/?#]*).*$', '\1'), 300) $$;

UPDATE staged_providers s SET state = 'there', new_id = m.new_id
FROM chat.import_map m WHERE m.system = :'system' AND m.source_table = s.source_table AND m.old_id = s.old_id;
UPDATE staged_providers s SET state = 'refused', reason = 'name_missing' WHERE s.state = 'new' AND coalesce(s.name, '') = '';
UPDATE staged_providers s SET address_is_bad = s.base_url IS NULL OR NOT pg_temp.is_provider(s.kind, s.base_url, s.auth_type) WHERE s.state = 'new';

CREATE OR REPLACE FUNCTION pg_temp.add_provider(given staged_providers) RETURNS uuid
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  provider_id uuid := pg_temp.as_uuid(given.old_id);
  free_name text := left(given.name, 100);
  n integer := 1;
BEGIN
  WHILE EXISTS (SELECT FROM chat.providers p WHERE lower(p.name) = lower(free_name)) LOOP
    free_name := left(given.name, 70) || ' (' || current_setting('import.system') || CASE WHEN n > 1 THEN ' ' || n ELSE '' END || ')';
    n := n + 1;
  END LOOP;
  IF provider_id IS NULL OR EXISTS (SELECT FROM chat.providers p WHERE p.id = provider_id) THEN
    provider_id := chat.uuid_v7();
  END IF;
  -- Without an address it would be asked where its kind is at home.
  INSERT INTO chat.providers (id, name, kind, is_active, created_at, updated_at)
  VALUES (provider_id, free_name, given.kind, coalesce(given.is_active, false) AND NOT given.address_is_bad,
          chat_private.time_within(given.created_at, now(), now()), chat_private.time_within(given.created_at, now(), now()));
  INSERT INTO chat_private.provider_endpoints (provider_id, base_url, auth_type, created_by)
  VALUES (provider_id, CASE WHEN NOT given.address_is_bad THEN given.base_url END, given.auth_type,
          (SELECT u.new_id FROM staged_users u WHERE u.old_id = given.created_by_old_id AND u.state <> 'refused'));
  RETURN provider_id;
END
$$;

-- One that is here with the same protocol and address is the same.
UPDATE staged_providers s SET new_id = p.id, is_same = true
FROM chat.providers p JOIN chat_private.provider_endpoints e ON e.provider_id = p.id
WHERE s.state = 'new' AND lower(p.name) = lower(s.name) AND p.kind = s.kind AND rtrim(e.base_url, '/') = s.base_url;
-- In order of age, one by one: each looks for a name that those before have left.
WITH added AS MATERIALIZED (
  SELECT (o.given).old_id, pg_temp.add_provider(o.given) AS new_id
  FROM (SELECT s AS given FROM staged_providers s WHERE s.state = 'new' AND s.new_id IS NULL
        ORDER BY s.created_at NULLS LAST, length(s.old_id), s.old_id COLLATE "C" OFFSET 0) o)
UPDATE staged_providers s SET new_id = a.new_id FROM added a WHERE s.old_id = a.old_id;

INSERT INTO found (source_table, old_id, kind, reason, details)
SELECT s.source_table, s.old_id, f.kind, f.reason, f.details
FROM staged_providers s LEFT JOIN chat.providers p ON p.id = s.new_id LEFT JOIN staged_users u ON u.old_id = s.created_by_old_id AND u.state <> 'refused',
LATERAL (VALUES
  (s.state = 'refused', 'refused', s.reason, jsonb_build_object('address', pg_temp.host_of(s.given_url))),
  (s.state = 'new' AND s.is_same, 'changed', 'provider_is_here', jsonb_build_object('name', s.name)),
  (s.state = 'new' AND NOT s.is_same AND p.name <> s.name, 'changed', 'name_taken', jsonb_build_object('name', left(s.name, 300), 'became', p.name)),
  (s.state = 'new' AND s.address_is_bad, 'changed', 'address_invalid', jsonb_build_object('address', pg_temp.host_of(s.given_url), 'is_active', false)),
  (s.state = 'new' AND (s.created_at IS NULL OR NOT isfinite(s.created_at)), 'changed', 'time_missing', '{}'),
  (s.state = 'new' AND pg_temp.time_problem(s.created_at) IS NOT NULL, 'changed', pg_temp.time_problem(s.created_at), jsonb_build_object('created_at', s.created_at)),
  (s.state = 'new' AND s.auth_is_unknown, 'changed', 'auth_type_unknown', jsonb_build_object('auth_type', left(s.given_auth, 300), 'became', s.auth_type)),
  (s.state = 'new' AND s.is_active IS NULL, 'changed', 'active_missing', jsonb_build_object('became', false)),
  (s.state = 'new' AND s.created_by_old_id IS NOT NULL AND u.old_id IS NULL, 'changed', 'creator_missing', jsonb_build_object('created_by', left(s.created_by_old_id, 300)))
) f (applies, kind, reason, details)
WHERE f.applies;
INSERT INTO chat.import_map (user_id, system, source_table, old_id, new_id)
SELECT '00000000-0000-0000-0000-000000000000', :'system', s.source_table, s.old_id, s.new_id FROM staged_providers s WHERE s.state = 'new';
INSERT INTO counted (source_table, read, written, already_there, refused, kept_aside)
SELECT s.source_table, count(*), count(*) FILTER (WHERE s.state = 'new'), count(*) FILTER (WHERE s.state = 'there'),
       count(*) FILTER (WHERE s.state = 'refused'), 0 FROM staged_providers s GROUP BY s.source_table;

-- Models.
UPDATE staged_models s SET state = 'there', new_id = m.new_id
FROM chat.import_map m WHERE m.system = :'system' AND m.source_table = s.source_table AND m.old_id = s.old_id;
UPDATE staged_models s SET state = CASE WHEN r.reason IS NULL THEN 'new' ELSE 'refused' END, reason = r.reason, provider_id = r.provider_id
FROM (SELECT o.old_id, p.new_id AS provider_id, CASE
        WHEN p.old_id IS NULL THEN 'provider_missing' WHEN p.state = 'refused' THEN 'provider_refused'
        WHEN v.id IS NULL THEN 'provider_gone'
        WHEN coalesce(o.name, '') = '' THEN 'name_missing' WHEN char_length(o.name) > 200 OR o.name ~ '[[:cntrl:]]' THEN 'name_invalid' END AS reason
      FROM staged_models o LEFT JOIN staged_providers p ON p.old_id = o.provider_old_id LEFT JOIN chat.providers v ON v.id = p.new_id
      WHERE o.state = 'new') r
WHERE s.old_id = r.old_id AND s.state = 'new';

CREATE OR REPLACE FUNCTION pg_temp.add_model(given staged_models) RETURNS uuid
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  model_id uuid := pg_temp.as_uuid(given.old_id);
  config jsonb := pg_temp.as_json(given.config);
  free_name text := given.name;
  n integer := 1;
BEGIN
  WHILE EXISTS (SELECT FROM chat.models m WHERE m.name = free_name) LOOP
    free_name := left(given.name, 90) || ' (' || (SELECT p.name FROM chat.providers p WHERE p.id = given.provider_id) || CASE WHEN n > 1 THEN ' ' || n ELSE '' END || ')';
    n := n + 1;
  END LOOP;
  IF model_id IS NULL OR EXISTS (SELECT FROM chat.models m WHERE m.id = model_id) THEN
    model_id := chat.uuid_v7();
  END IF;
  IF jsonb_typeof(config) IS DISTINCT FROM 'object' THEN
    config := '{}';
  END IF;
  INSERT INTO chat.models (id, provider_id, name, display_name, description, capabilities, is_active, is_open, context_window, config, created_at, updated_at)
  SELECT model_id, given.provider_id, free_name, coalesce(nullif(left(chat_private.one_line(given.display_name), 200), ''), given.name),
    left(given.description, 2000),
    CASE WHEN chat_private.are_texts(config -> 'capabilities', '^[a-z][a-z0-9_]{0,49}$') AND jsonb_array_length(config -> 'capabilities') <= 50
         THEN ARRAY(SELECT DISTINCT c.word FROM jsonb_array_elements_text(config -> 'capabilities') c (word) ORDER BY 1) ELSE '{}' END,
    coalesce(given.is_active, false), false,
    CASE WHEN config ->> 'context_window' ~ '^[1-9][0-9]{0,8}$' THEN (config ->> 'context_window')::integer END,
    config || CASE WHEN free_name <> given.name THEN jsonb_build_object('provider_model', given.name) ELSE '{}' END,
    t.since, chat_private.time_within(given.updated_at, now(), t.since)
  FROM (SELECT chat_private.time_within(given.created_at, now(), now()) AS since) t;
  RETURN model_id;
END
$$;

UPDATE staged_models s SET new_id = m.id, is_same = true
FROM chat.models m WHERE s.state = 'new' AND m.name = s.name AND m.provider_id = s.provider_id;
WITH added AS MATERIALIZED (
  SELECT (o.given).old_id, pg_temp.add_model(o.given) AS new_id
  FROM (SELECT s AS given FROM staged_models s WHERE s.state = 'new' AND s.new_id IS NULL
        ORDER BY s.created_at NULLS LAST, length(s.old_id), s.old_id COLLATE "C" OFFSET 0) o)
UPDATE staged_models s SET new_id = a.new_id FROM added a WHERE s.old_id = a.old_id;
-- NULL: it was imported and has been removed here since.
UPDATE staged_models s SET here_name = m.name FROM chat.models m WHERE m.id = s.new_id;

INSERT INTO found (source_table, old_id, kind, reason, details)
SELECT s.source_table, s.old_id, f.kind, f.reason, f.details
FROM staged_models s, LATERAL (SELECT pg_temp.as_json(s.config) AS config) j,
LATERAL (VALUES
  (s.state = 'refused', 'refused', s.reason, jsonb_build_object('name', left(s.name, 300), 'provider', left(s.provider_old_id, 300))),
  (s.state = 'new' AND s.is_same, 'changed', 'model_is_here', jsonb_build_object('name', s.name)),
  (s.state = 'new' AND s.here_name <> s.name, 'changed', 'name_taken', jsonb_build_object('name', s.name, 'became', s.here_name)),
  (s.state = 'new' AND (s.created_at IS NULL OR NOT isfinite(s.created_at)), 'changed', 'time_missing', '{}'),
  (s.state = 'new' AND pg_temp.time_problem(s.created_at, s.updated_at) IS NOT NULL, 'changed', pg_temp.time_problem(s.created_at, s.updated_at),
   jsonb_strip_nulls(jsonb_build_object('created_at', s.created_at, 'updated_at', s.updated_at))),
  (s.state = 'new' AND char_length(s.display_name) > 200, 'changed', 'display_name_cut', jsonb_build_object('display_name', left(s.display_name, 100000))),
  (s.state = 'new' AND char_length(s.description) > 2000, 'changed', 'description_cut', jsonb_build_object('description', left(s.description, 100000))),
  (s.state = 'new' AND s.config IS NOT NULL AND j.config IS NULL, 'kept_aside', 'json_invalid', jsonb_build_object('config', left(s.config, 100000))),
  (s.state = 'new' AND jsonb_typeof(j.config) NOT IN ('object', 'null'), 'kept_aside', 'config_no_object', jsonb_build_object('config', j.config)),
  (s.state = 'new' AND s.is_active IS NULL, 'changed', 'active_missing', jsonb_build_object('became', false))
) f (applies, kind, reason, details)
WHERE f.applies;
INSERT INTO chat.import_map (user_id, system, source_table, old_id, new_id)
SELECT '00000000-0000-0000-0000-000000000000', :'system', s.source_table, s.old_id, s.new_id FROM staged_models s WHERE s.state = 'new';
INSERT INTO counted (source_table, read, written, already_there, refused, kept_aside)
SELECT s.source_table, count(*), count(*) FILTER (WHERE s.state = 'new'), count(*) FILTER (WHERE s.state = 'there'),
       count(*) FILTER (WHERE s.state = 'refused'), 0 FROM staged_models s GROUP BY s.source_table;
