-- Setting an installation up: its models, and which of them is the default. For administrators and pgchat_service.

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

CREATE OR REPLACE FUNCTION chat_private.capabilities_option(options jsonb) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  given jsonb := coalesce(nullif(capabilities_option.options -> 'capabilities', 'null'), '[]');
BEGIN
  IF NOT chat_private.are_texts(given, '^[a-z][a-z0-9_]{0,49}$') OR jsonb_array_length(given) > 50 THEN
    RAISE EXCEPTION 'options -> capabilities must be an array of at most 50 words' USING ERRCODE = 'PC002',
      HINT = 'For example ["tools", "vision"]; each has small letters, digits and _.';
  END IF;
  RETURN ARRAY(SELECT DISTINCT c.word FROM jsonb_array_elements_text(given) c (word) ORDER BY c.word);
END
$$;
COMMENT ON FUNCTION chat_private.capabilities_option(jsonb) IS
'The member capabilities of options; an empty array where there is none. Errors: PC002 not an array of words.';

CREATE OR REPLACE FUNCTION chat_private.check_model(name text, display_name text, options jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF char_length(check_model.name) NOT BETWEEN 1 AND 200 OR char_length(check_model.display_name) > 200
     OR check_model.name ~ '[[:cntrl:]]' OR check_model.display_name ~ '[[:cntrl:]]' THEN
    RAISE EXCEPTION 'name must have 1 to 200 characters, display_name at most 200, and neither a control character'
      USING ERRCODE = '22023';
  END IF;
  PERFORM chat_private.check_options(check_model.options);
  IF coalesce(jsonb_typeof(check_model.options -> 'is_open'), 'null') NOT IN ('boolean', 'null') THEN
    RAISE EXCEPTION 'options -> is_open must be true, false or null' USING ERRCODE = 'PC002';
  ELSIF coalesce(jsonb_typeof(check_model.options -> 'description'), 'null') NOT IN ('string', 'null')
        OR char_length(check_model.options ->> 'description') > 2000 THEN
    RAISE EXCEPTION 'options -> description must be a string of at most 2000 characters' USING ERRCODE = 'PC002';
  ELSIF jsonb_typeof(check_model.options -> 'provider_model') <> 'string'
        OR char_length(check_model.options ->> 'provider_model') NOT BETWEEN 1 AND 200
        OR check_model.options ->> 'provider_model' ~ '[[:cntrl:]]' THEN
    RAISE EXCEPTION 'options -> provider_model must be a string of 1 to 200 characters, none of them a control character'
      USING ERRCODE = 'PC002';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_model(text, text, jsonb) IS
'Errors: 22023 name or display_name; PC002 options, or is_open, description or provider_model in it.';

CREATE OR REPLACE FUNCTION chat.admin_register_model(provider text, name text, display_name text DEFAULT NULL,
                                                     options jsonb DEFAULT '{}') RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  given jsonb := coalesce(admin_register_model.options, '{}');
  served_by chat.providers;
  model_id uuid;
BEGIN
  PERFORM chat_private.require_admin();
  IF admin_register_model.provider IS NULL OR admin_register_model.name IS NULL THEN
    RAISE EXCEPTION 'provider and name must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM chat_private.check_model(admin_register_model.name, admin_register_model.display_name, given);
  served_by := chat_private.require_provider(admin_register_model.provider);
  INSERT INTO chat.models (provider_id, name, display_name, description, capabilities, is_open, context_window, input_price,
                           output_price, cached_price, config)
  VALUES (served_by.id, admin_register_model.name, coalesce(admin_register_model.display_name, admin_register_model.name),
          given ->> 'description', chat_private.capabilities_option(given), (given ->> 'is_open')::boolean,
          nullif(chat_private.number_option(given, 'context_window'), 0)::integer,
          chat_private.number_option(given, 'input_price'), chat_private.number_option(given, 'output_price'),
          chat_private.number_option(given, 'cached_price'),
          given - ARRAY['description', 'capabilities', 'is_open', 'context_window', 'input_price', 'output_price', 'cached_price'])
  ON CONFLICT (name) DO UPDATE SET display_name = excluded.display_name, description = excluded.description,
    capabilities = excluded.capabilities, is_active = true,
    -- What was closed is opened only by who says so.
    is_open = CASE WHEN given ? 'is_open' THEN excluded.is_open ELSE models.is_open END,
    context_window = excluded.context_window, input_price = excluded.input_price, output_price = excluded.output_price,
    cached_price = excluded.cached_price, config = excluded.config, updated_at = excluded.updated_at
  WHERE models.provider_id = excluded.provider_id
  RETURNING id INTO model_id;
  IF model_id IS NULL THEN
    RAISE EXCEPTION 'model "%" is served by another provider already', admin_register_model.name USING ERRCODE = '42710',
      HINT = 'Model names are unique over all providers: choose another, and give the provider''s own as options -> provider_model.';
  END IF;
  PERFORM chat_private.audit('admin.register_model', 'model:' || model_id,
    jsonb_build_object('name', admin_register_model.name, 'provider', served_by.name), wait => false);
  RETURN model_id;
END
$$;
COMMENT ON FUNCTION chat.admin_register_model(text, text, text, jsonb) IS
'Adds a model of a provider and returns its id; the provider''s model of that name is given the new settings, and made
active. name: unique over all providers, 1 to 200 characters. display_name: by default the name. options: description;
capabilities, an array of tools, vision, thinking, json, embeddings and other words; context_window in tokens; input_price,
output_price and cached_price per million tokens; is_open, whether everybody may use it (absent: as it was, null: as the setting
models_open_by_default says); provider_model, the provider''s own name for it where that differs; max_output_tokens, how long its answers may become; other members are kept. The
audit log notes it where an engine runs.
Errors: 42501 not an administrator; 22004 provider or name is NULL; 22023 a name is not valid; 42704 no such provider; 42710
another provider serves a model of that name; PC002 options.';

CREATE OR REPLACE FUNCTION chat_private.require_model(name text) RETURNS chat.models
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known chat.models;
BEGIN
  IF require_model.name IS NULL THEN
    RAISE EXCEPTION 'model must not be null' USING ERRCODE = '22004';
  END IF;
  SELECT m.* INTO known FROM chat.models m WHERE m.name = require_model.name FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'model "%" does not exist', left(require_model.name, 200) USING ERRCODE = '42704',
      HINT = 'chat.admin_list_models() lists them; chat.admin_register_model adds one.';
  END IF;
  RETURN known;
END
$$;
COMMENT ON FUNCTION chat_private.require_model(text) IS
'The row of a model, active or not, locked. Errors: 22004 name is NULL; 42704 there is none of that name.';

CREATE OR REPLACE FUNCTION chat.admin_set_model_active(model text, is_active boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known chat.models;
BEGIN
  PERFORM chat_private.require_admin();
  IF admin_set_model_active.is_active IS NULL THEN
    RAISE EXCEPTION 'is_active must not be null' USING ERRCODE = '22004';
  END IF;
  known := chat_private.require_model(admin_set_model_active.model);
  UPDATE chat.models m SET is_active = admin_set_model_active.is_active, updated_at = now() WHERE m.id = known.id;
  PERFORM chat_private.audit('admin.set_model_active', 'model:' || known.id,
                             jsonb_build_object('is_active', admin_set_model_active.is_active));
END
$$;
COMMENT ON FUNCTION chat.admin_set_model_active(text, boolean) IS
'Lets a model be asked, or not. What is under way goes on; conversations that name it fail at their next message until it is
active again, or another is named.
Errors: 42501 not an administrator; 22004 an argument is NULL; 42704 no such model; 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat_private.remove_model(name text) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known chat.models := chat_private.require_model(remove_model.name);
  previous chat_private.identity;
BEGIN
  IF known.name = chat_private.setting_text('default_model') THEN
    RAISE EXCEPTION 'model "%" is the default', known.name USING ERRCODE = '55000',
      HINT = 'Choose another with chat.admin_set_default_model first.';
  END IF;
  previous := chat_private.enter_gate();
  DELETE FROM chat.user_model_access a WHERE a.model_id = known.id;
  PERFORM chat_private.switch_identity(previous);
  DELETE FROM chat.models m WHERE m.id = known.id;
  RETURN known.id;
END
$$;
COMMENT ON FUNCTION chat_private.remove_model(text) IS
'Removes a model and the grants of it; returns the id it had. For callers that have looked at who asks.
Errors: 22004 name is NULL; 42704 no such model; 55000 it is the default.';

CREATE OR REPLACE FUNCTION chat.admin_delete_model(model text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.require_admin();
  PERFORM chat_private.audit('admin.delete_model', 'model:' || chat_private.remove_model(admin_delete_model.model),
                             jsonb_build_object('name', admin_delete_model.model));
END
$$;
COMMENT ON FUNCTION chat.admin_delete_model(text) IS
'Removes a model and the grants of it. Messages and usage keep its name.
Errors: 42501 not an administrator; 22004 model is NULL; 42704 no such model; 55000 it is the default; 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat.admin_list_models()
RETURNS TABLE (id uuid, name text, display_name text, description text, provider text, capabilities text[], context_window integer,
               input_price numeric, output_price numeric, cached_price numeric, config jsonb, is_active boolean, is_open boolean,
               is_default boolean, created_at timestamptz, updated_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  default_model text := chat_private.setting_text('default_model');
BEGIN
  PERFORM chat_private.require_admin();
  RETURN QUERY
    SELECT m.id, m.name, m.display_name, m.description, p.name, m.capabilities, m.context_window, m.input_price, m.output_price,
           m.cached_price, m.config, m.is_active, m.is_open, m.name IS NOT DISTINCT FROM default_model, m.created_at, m.updated_at
    FROM chat.models m JOIN chat.providers p ON p.id = m.provider_id
    ORDER BY p.name, m.name;
END
$$;
COMMENT ON FUNCTION chat.admin_list_models() IS
'All models, those that are not active included. is_open: NULL: as the setting models_open_by_default says.
Errors: 42501 not an administrator.';

CREATE OR REPLACE FUNCTION chat.admin_set_default_model(model text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.require_admin();
  IF admin_set_default_model.model IS NULL THEN
    RAISE EXCEPTION 'model must not be null' USING ERRCODE = '22004',
      HINT = 'To have none: chat.admin_set_setting(''default_model'', ''null'').';
  END IF;
  INSERT INTO chat.settings (key, value)
  VALUES ('default_model', to_jsonb(chat_private.resolve_model(NULL, admin_set_default_model.model)))
  ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at;
  PERFORM chat_private.audit('admin.set_setting', 'setting:default_model',
                             jsonb_build_object('to', admin_set_default_model.model), wait => false);
END
$$;
COMMENT ON FUNCTION chat.admin_set_default_model(text) IS
'Sets the model that is asked where neither the call, the conversation nor the user names one. The audit log notes it where an
engine runs.
Errors: 42501 not an administrator; 22004 model is NULL; 42704 no such model, or not active.';
