-- Setting an installation up: providers, models, the default model. For administrators and pgchat_service.

CREATE OR REPLACE FUNCTION chat_private.check_provider(kind text, base_url text, auth_type text, options jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF check_provider.kind NOT IN ('openai', 'anthropic', 'ollama', 'echo') THEN
    RAISE EXCEPTION 'kind "%" is not known', left(check_provider.kind, 100) USING ERRCODE = '22023',
      HINT = 'It is openai (and all that speak its protocol), anthropic, ollama or echo.';
  ELSIF check_provider.base_url !~ '^https?://[^][:space:][:cntrl:]@/?#\\]+([/?][^[:space:][:cntrl:]#]*)?$'
        AND check_provider.base_url !~ '^https?://\[[0-9a-fA-F:.]+\](:[0-9]+)?([/?][^[:space:][:cntrl:]#]*)?$' THEN
    RAISE EXCEPTION 'base_url is not valid' USING ERRCODE = '22023',
      HINT = 'It is an http or https URL without a user name, for example https://api.example.com/v1.';
  ELSIF check_provider.auth_type NOT IN ('none', 'bearer', 'x_api_key', 'api_key', 'query') THEN
    RAISE EXCEPTION 'auth_type "%" is not known', left(check_provider.auth_type, 100) USING ERRCODE = '22023',
      HINT = 'It is none, bearer, x_api_key, api_key or query.';
  END IF;
  PERFORM chat_private.check_options(check_provider.options);
  IF jsonb_typeof(check_provider.options -> 'headers') <> 'object' THEN
    RAISE EXCEPTION 'options -> headers must be an object' USING ERRCODE = 'PC002', HINT = 'For example {"X-Team": "chat"}.';
  END IF;
  PERFORM FROM jsonb_each(check_provider.options -> 'headers') h
  WHERE h.key !~ '^[-!#$%&''*+.^_`|~0-9A-Za-z]+$' OR jsonb_typeof(h.value) <> 'string' OR h.value #>> '{}' ~ '[\r\n]';
  IF FOUND THEN
    RAISE EXCEPTION 'options -> headers holds a header that is not valid' USING ERRCODE = 'PC002',
      HINT = 'Names are tokens of HTTP, values are strings of one line.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_provider(text, text, text, jsonb) IS
'Errors: 22023 kind, base_url or auth_type; PC002 options or its headers.';

CREATE OR REPLACE FUNCTION chat.admin_register_provider(name text, kind text, base_url text DEFAULT NULL,
  auth_type text DEFAULT NULL, options jsonb DEFAULT '{}') RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  given jsonb := coalesce(admin_register_provider.options, '{}');
  provider_id uuid;
BEGIN
  PERFORM chat_private.require_admin();
  IF admin_register_provider.name IS NULL OR admin_register_provider.kind IS NULL THEN
    RAISE EXCEPTION 'name and kind must not be null' USING ERRCODE = '22004';
  ELSIF char_length(btrim(admin_register_provider.name)) NOT BETWEEN 1 AND 100 THEN
    RAISE EXCEPTION 'name must have 1 to 100 characters' USING ERRCODE = '22023';
  END IF;
  PERFORM chat_private.check_provider(admin_register_provider.kind, admin_register_provider.base_url,
                                      admin_register_provider.auth_type, given);
  INSERT INTO chat.providers (name, kind) VALUES (btrim(admin_register_provider.name), admin_register_provider.kind)
  ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, is_active = true, updated_at = excluded.updated_at
  RETURNING id INTO provider_id;
  INSERT INTO chat_private.provider_endpoints (provider_id, base_url, auth_type, headers, options)
  VALUES (provider_id, admin_register_provider.base_url,
          coalesce(admin_register_provider.auth_type,
                   CASE admin_register_provider.kind WHEN 'openai' THEN 'bearer' WHEN 'anthropic' THEN 'x_api_key' ELSE 'none' END),
          coalesce(given -> 'headers', '{}'), given - 'headers')
  ON CONFLICT (provider_id) DO UPDATE SET base_url = excluded.base_url, auth_type = excluded.auth_type,
    headers = excluded.headers, options = excluded.options, updated_at = excluded.updated_at;
  RETURN provider_id;
END
$$;
COMMENT ON FUNCTION chat.admin_register_provider(text, text, text, text, jsonb) IS
'Adds a provider and returns its id; one of that name is given the new settings, and made active. name: 1 to 100
characters. kind: openai (and all that speak its protocol), anthropic, ollama or echo. base_url: by default the kind''s own
public address; plain http and private addresses only for hosts in pgchat.trusted_hosts. auth_type: how the key is sent:
none, bearer, x_api_key, api_key or query; by default as the kind wants it. options: headers, an object of further HTTP
headers; api_key_env, the name of an environment variable of the server that holds the key; settings of the kind.
Errors: 42501 not an administrator; 22004 name or kind is NULL; 22023 name, kind, base_url or auth_type; PC002 options.';

CREATE OR REPLACE FUNCTION chat_private.number_option(options jsonb, name text) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kind text := coalesce(jsonb_typeof(number_option.options -> number_option.name), 'null');
BEGIN
  IF kind = 'null' THEN
    RETURN NULL;
  ELSIF kind <> 'number' OR (number_option.options ->> number_option.name)::numeric NOT BETWEEN 0 AND 1e9 THEN
    RAISE EXCEPTION 'options -> % must be a number from 0 to 1e9', number_option.name USING ERRCODE = 'PC002';
  END IF;
  RETURN (number_option.options ->> number_option.name)::numeric;
END
$$;
COMMENT ON FUNCTION chat_private.number_option(jsonb, text) IS
'A member of options that must be a number; NULL where there is none. Errors: PC002 not a number from 0 to 1e9.';

CREATE OR REPLACE FUNCTION chat.admin_register_model(provider text, name text, display_name text DEFAULT NULL,
                                                     options jsonb DEFAULT '{}') RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  given jsonb := coalesce(admin_register_model.options, '{}');
  served_by uuid;
  model_id uuid;
BEGIN
  PERFORM chat_private.require_admin();
  IF admin_register_model.provider IS NULL OR admin_register_model.name IS NULL THEN
    RAISE EXCEPTION 'provider and name must not be null' USING ERRCODE = '22004';
  ELSIF char_length(admin_register_model.name) NOT BETWEEN 1 AND 200 OR char_length(admin_register_model.display_name) > 200 THEN
    RAISE EXCEPTION 'name must have 1 to 200 characters, and display_name at most 200' USING ERRCODE = '22023';
  END IF;
  PERFORM chat_private.check_options(given);
  SELECT p.id INTO served_by FROM chat.providers p WHERE p.name = admin_register_model.provider;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'provider "%" does not exist', left(admin_register_model.provider, 100) USING ERRCODE = '42704',
      HINT = 'Add it with chat.admin_register_provider.';
  END IF;
  INSERT INTO chat.models (provider_id, name, display_name, context_window, input_price, output_price, cached_price, options)
  VALUES (served_by, admin_register_model.name, coalesce(admin_register_model.display_name, admin_register_model.name),
          nullif(chat_private.number_option(given, 'context_window'), 0)::integer,
          chat_private.number_option(given, 'input_price'), chat_private.number_option(given, 'output_price'),
          chat_private.number_option(given, 'cached_price'),
          given - ARRAY['context_window', 'input_price', 'output_price', 'cached_price'])
  ON CONFLICT (name) DO UPDATE SET display_name = excluded.display_name, is_active = true,
    context_window = excluded.context_window, input_price = excluded.input_price, output_price = excluded.output_price,
    cached_price = excluded.cached_price, options = excluded.options, updated_at = excluded.updated_at
  WHERE models.provider_id = excluded.provider_id
  RETURNING id INTO model_id;
  IF model_id IS NULL THEN
    RAISE EXCEPTION 'model "%" is served by another provider already', admin_register_model.name USING ERRCODE = '42710',
      HINT = 'Model names are unique over all providers.';
  END IF;
  RETURN model_id;
END
$$;
COMMENT ON FUNCTION chat.admin_register_model(text, text, text, jsonb) IS
'Adds a model of a provider and returns its id; the provider''s model of that name is given the new settings, and made
active. name: unique over all providers, 1 to 200 characters. display_name: by default the name. options: context_window in
tokens; input_price, output_price and cached_price per million tokens; provider_model, the provider''s own name for it where that differs; other members are kept.
Errors: 42501 not an administrator; 22004 provider or name is NULL; 22023 a name is too long or empty; 42704 no such
provider; 42710 another provider serves a model of that name; PC002 options.';

CREATE OR REPLACE FUNCTION chat.admin_set_default_model(model text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.require_admin();
  IF admin_set_default_model.model IS NULL THEN
    RAISE EXCEPTION 'model must not be null' USING ERRCODE = '22004';
  END IF;
  INSERT INTO chat.settings (key, value)
  VALUES ('default_model', to_jsonb(chat_private.resolve_model(NULL, admin_set_default_model.model)))
  ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at;
END
$$;
COMMENT ON FUNCTION chat.admin_set_default_model(text) IS
'Sets the model that is asked where neither the call, the conversation nor the user names one.
Errors: 42501 not an administrator; 22004 model is NULL; 42704 no such model, or not active.';
