-- Setting an installation up: where models are served. For administrators and pgchat_service.

CREATE OR REPLACE FUNCTION chat_private.check_provider_headers(headers jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF jsonb_typeof(check_provider_headers.headers) <> 'object' THEN
    RAISE EXCEPTION 'options -> headers must be an object' USING ERRCODE = 'PC002', HINT = 'For example {"X-Team": "chat"}.';
  END IF;
  PERFORM FROM jsonb_each(check_provider_headers.headers) h
  WHERE h.key !~ '^[-!#$%&''*+.^_`|~0-9A-Za-z]+$' OR jsonb_typeof(h.value) <> 'string'
     OR h.value #>> '{}' ~ '[\x01-\x08\x0a-\x1f\x7f]'
     OR lower(h.key) IN ('content-length', 'transfer-encoding', 'connection', 'upgrade', 'expect', 'te');
  IF FOUND THEN
    RAISE EXCEPTION 'options -> headers holds a header that is not valid' USING ERRCODE = 'PC002',
      HINT = 'Names are tokens of HTTP and none of those that frame a message, values are strings of one line.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_provider_headers(jsonb) IS 'Errors: PC002 not headers that may be sent. NULL passes.';

CREATE OR REPLACE FUNCTION chat_private.check_provider_options(options jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.check_options(check_provider_options.options);
  PERFORM chat_private.check_provider_headers(check_provider_options.options -> 'headers');
  IF check_provider_options.options ?| ARRAY['api_key', 'key', 'token'] THEN
    RAISE EXCEPTION 'options take no key' USING ERRCODE = 'PC002',
      HINT = 'Give the name of an environment variable of the server as api_key_env; options can be read by administrators.';
  ELSIF jsonb_typeof(check_provider_options.options -> 'api_key_env') NOT IN ('string', 'array', 'null')
        OR jsonb_path_exists(check_provider_options.options, 'strict $.api_key_env[*] ? (@.type() != "string")', silent => true) THEN
    RAISE EXCEPTION 'options -> api_key_env must be the name of an environment variable, or an array of names' USING ERRCODE = 'PC002',
      HINT = 'For example ["MODEL_API_KEY", "OPENAI_API_KEY"]; the first that is there counts.';
  ELSIF jsonb_typeof(check_provider_options.options -> 'query_parameter') <> 'string'
        OR check_provider_options.options ->> 'query_parameter' !~ '^[A-Za-z0-9_.~-]{1,50}$' THEN
    RAISE EXCEPTION 'options -> query_parameter must be the name of a parameter' USING ERRCODE = 'PC002',
      HINT = 'For example "key"; 1 to 50 letters, digits and _ . ~ -.';
  ELSIF check_provider_options.options -> 'max_concurrent_calls' <> 'null'
        AND (check_provider_options.options -> 'max_concurrent_calls')::text !~ '^[1-9][0-9]{0,5}$' THEN
    RAISE EXCEPTION 'options -> max_concurrent_calls must be a whole number from 1 to 999999' USING ERRCODE = 'PC002',
      HINT = 'Leave it out where there is no limit.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_provider_options(jsonb) IS
'Errors: PC002 not an object, or one of headers, api_key_env, query_parameter and max_concurrent_calls is not valid, or a key is among them.';

CREATE OR REPLACE FUNCTION chat_private.check_provider(kind text, base_url text, auth_type text, options jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF check_provider.kind NOT IN ('openai', 'anthropic', 'ollama', 'echo') THEN
    RAISE EXCEPTION 'kind "%" is not known', left(check_provider.kind, 100) USING ERRCODE = '22023',
      HINT = 'It is openai (and all that speak its protocol), anthropic, ollama or echo.';
  ELSIF octet_length(check_provider.base_url) > 2000
        OR check_provider.base_url !~ '^https?://[^][:space:][:cntrl:]@/?#\\]+([/?][^[:space:][:cntrl:]#]*)?$'
        AND check_provider.base_url !~ '^https?://\[[0-9a-fA-F:.]+\](:[0-9]+)?([/?][^[:space:][:cntrl:]#]*)?$' THEN
    RAISE EXCEPTION 'base_url is not valid' USING ERRCODE = '22023',
      HINT = 'It is an http or https URL without a user name, for example https://api.example.com/v1.';
  ELSIF check_provider.auth_type NOT IN ('none', 'bearer', 'x_api_key', 'api_key', 'query') THEN
    RAISE EXCEPTION 'auth_type "%" is not known', left(check_provider.auth_type, 100) USING ERRCODE = '22023',
      HINT = 'It is none, bearer, x_api_key, api_key or query.';
  END IF;
  PERFORM chat_private.check_provider_options(check_provider.options);
END
$$;
COMMENT ON FUNCTION chat_private.check_provider(text, text, text, jsonb) IS
'Errors: 22023 kind, base_url or auth_type; PC002 options or its headers.';

CREATE OR REPLACE FUNCTION chat_private.check_key_variable(options jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF check_key_variable.options -> 'api_key_env' <> 'null' AND NOT chat_private.caller_is_service() THEN
    RAISE EXCEPTION 'permission denied: options -> api_key_env is for pgchat_service' USING ERRCODE = '42501',
      HINT = 'It names variables of the server. Connect as a member of pgchat_service, or set the key with chat.admin_set_provider_key.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_key_variable(jsonb) IS
'Errors: 42501 api_key_env is given, and the caller is not pgchat_service.';

CREATE OR REPLACE FUNCTION chat_private.save_provider(name text, kind text, base_url text) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  known chat.providers;
BEGIN
  INSERT INTO chat.providers (name, kind) VALUES (save_provider.name, save_provider.kind) ON CONFLICT (name) DO NOTHING;
  -- The lock comes before the look at the address, so that a simultaneous change of it is seen.
  SELECT p.* INTO known FROM chat.providers p WHERE p.name = save_provider.name FOR NO KEY UPDATE;
  PERFORM FROM chat_private.provider_endpoints e
  WHERE e.provider_id = known.id AND (known.kind <> save_provider.kind OR e.base_url IS DISTINCT FROM save_provider.base_url);
  IF FOUND THEN
    PERFORM chat_private.put_keys_away(known.id);
  END IF;
  UPDATE chat.providers p SET kind = save_provider.kind, is_active = true, updated_at = now() WHERE p.id = known.id;
  RETURN known.id;
END
$$;
COMMENT ON FUNCTION chat_private.save_provider(text, text, text) IS
'Adds the provider of that name, or changes it, locked; its id. One whose kind or base_url changes loses its keys: they were not
meant for the new address.';

CREATE OR REPLACE FUNCTION chat.admin_register_provider(name text, kind text, base_url text DEFAULT NULL,
  auth_type text DEFAULT NULL, options jsonb DEFAULT '{}') RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  given jsonb := coalesce(admin_register_provider.options, '{}');
  -- As the headers are spelled, too.
  auth text := replace(admin_register_provider.auth_type, '-', '_');
  provider_id uuid;
BEGIN
  PERFORM chat_private.require_admin();
  IF admin_register_provider.name IS NULL OR admin_register_provider.kind IS NULL THEN
    RAISE EXCEPTION 'name and kind must not be null' USING ERRCODE = '22004';
  ELSIF char_length(btrim(admin_register_provider.name)) NOT BETWEEN 1 AND 100 OR admin_register_provider.name ~ '[[:cntrl:]]' THEN
    RAISE EXCEPTION 'name must have 1 to 100 characters, none of them a control character' USING ERRCODE = '22023';
  END IF;
  PERFORM chat_private.check_provider(admin_register_provider.kind, admin_register_provider.base_url, auth, given);
  PERFORM chat_private.check_key_variable(given);
  provider_id := chat_private.save_provider(btrim(admin_register_provider.name), admin_register_provider.kind, admin_register_provider.base_url);
  INSERT INTO chat_private.provider_endpoints (provider_id, base_url, auth_type, headers, options, created_by)
  VALUES (provider_id, admin_register_provider.base_url,
          coalesce(auth, CASE admin_register_provider.kind WHEN 'openai' THEN 'bearer' WHEN 'anthropic' THEN 'x_api_key' ELSE 'none' END),
          coalesce(given -> 'headers', '{}'), given - 'headers', chat.current_user_id())
  ON CONFLICT (provider_id) DO UPDATE SET base_url = excluded.base_url, auth_type = excluded.auth_type,
    headers = excluded.headers, options = excluded.options, updated_at = excluded.updated_at;
  PERFORM chat_private.audit('admin.register_provider', 'provider:' || provider_id,
    jsonb_build_object('name', btrim(admin_register_provider.name), 'kind', admin_register_provider.kind,
                       'address', substring(admin_register_provider.base_url FROM '^[^:]+://[^/?]+')), wait => false);
  RETURN provider_id;
END
$$;
COMMENT ON FUNCTION chat.admin_register_provider(text, text, text, text, jsonb) IS
'Adds a provider and returns its id; one of that name is given the new settings, and made active. name: 1 to 100
characters. kind: openai (and all that speak its protocol), anthropic, ollama or echo. base_url: by default the kind''s own
address; plain http and private addresses are called only where the host is in pgchat.trusted_hosts. auth_type: how the key is sent:
none, bearer, x_api_key, api_key (also written x-api-key, api-key) or query; by default as the kind wants it. options: headers,
an object of further HTTP headers, which nobody can read back; api_key_env, the name of an environment variable of the server that
holds the key, or an array of names of which the first that is there counts, from pgchat_service only; query_parameter, what auth_type
query calls the key in the URL, by default key; max_concurrent_calls, how many calls it is sent at once; settings of the kind.
Options are replaced as a whole: what is left out, api_key_env included, is gone. Where kind or base_url changes, the provider''s key is
removed and users'' own keys of it are used no more, until they are set again. The audit log notes it, with scheme and host of
base_url, where an engine runs.
Errors: 42501 not an administrator, or api_key_env not from pgchat_service; 22004 name or kind is NULL; 22023 name, kind, base_url or auth_type; PC002 options.';

CREATE OR REPLACE FUNCTION chat_private.require_provider(name text) RETURNS chat.providers
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known chat.providers;
BEGIN
  IF require_provider.name IS NULL THEN
    RAISE EXCEPTION 'the provider''s name must not be null' USING ERRCODE = '22004';
  END IF;
  SELECT p.* INTO known FROM chat.providers p WHERE p.name = require_provider.name FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'provider "%" does not exist', left(require_provider.name, 100) USING ERRCODE = '42704',
      HINT = 'chat.admin_list_providers() lists them; chat.admin_register_provider adds one.';
  END IF;
  RETURN known;
END
$$;
COMMENT ON FUNCTION chat_private.require_provider(text) IS
'The row of a provider, locked. Errors: 22004 name is NULL; 42704 there is none of that name.';

CREATE OR REPLACE FUNCTION chat.admin_set_provider_active(name text, is_active boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known chat.providers;
BEGIN
  PERFORM chat_private.require_admin();
  IF admin_set_provider_active.is_active IS NULL THEN
    RAISE EXCEPTION 'is_active must not be null' USING ERRCODE = '22004';
  END IF;
  known := chat_private.require_provider(admin_set_provider_active.name);
  UPDATE chat.providers p SET is_active = admin_set_provider_active.is_active, updated_at = now() WHERE p.id = known.id;
  PERFORM chat_private.audit('admin.set_provider_active', 'provider:' || known.id,
                             jsonb_build_object('is_active', admin_set_provider_active.is_active));
END
$$;
COMMENT ON FUNCTION chat.admin_set_provider_active(text, boolean) IS
'Lets the models of a provider be asked, or not. What is under way goes on.
Errors: 42501 not an administrator; 22004 an argument is NULL; 42704 no such provider; 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat.admin_delete_provider(name text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known chat.providers;
  model text;
BEGIN
  PERFORM chat_private.require_admin();
  known := chat_private.require_provider(admin_delete_provider.name);
  FOR model IN SELECT m.name FROM chat.models m WHERE m.provider_id = known.id ORDER BY m.name LOOP
    PERFORM chat_private.remove_model(model);
  END LOOP;
  DELETE FROM chat.providers p WHERE p.id = known.id;
  PERFORM chat_private.audit('admin.delete_provider', 'provider:' || known.id, jsonb_build_object('name', known.name));
END
$$;
COMMENT ON FUNCTION chat.admin_delete_provider(text) IS
'Removes a provider with its models, grants and keys. Messages and usage keep their names.
Errors: 42501 not an administrator; 22004 name is NULL; 42704 no such provider; 55000 one of its models is the default; 57P03 no
engine.';

CREATE OR REPLACE FUNCTION chat.admin_list_providers()
RETURNS TABLE (id uuid, name text, kind text, base_url text, auth_type text, header_names text[], options jsonb, models bigint,
               is_active boolean, created_by uuid, created_at timestamptz, updated_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  PERFORM chat_private.require_admin();
  RETURN QUERY
    SELECT p.id, p.name, p.kind, regexp_replace(e.base_url, '\?.*', '?…'), e.auth_type,
           ARRAY(SELECT h.name FROM jsonb_object_keys(e.headers) h (name) ORDER BY h.name), e.options,
           (SELECT count(*) FROM chat.models m WHERE m.provider_id = p.id), p.is_active, e.created_by, p.created_at,
           greatest(p.updated_at, e.updated_at)
    FROM chat.providers p JOIN chat_private.provider_endpoints e ON e.provider_id = p.id
    ORDER BY p.name;
END
$$;
COMMENT ON FUNCTION chat.admin_list_providers() IS
'All providers. What may be secret is left out: the values of headers, and the query part of base_url. created_by: the
administrator who registered it; NULL: pgchat_service.
Errors: 42501 not an administrator.';
