-- A user's own keys of providers: set, listed, chosen and removed, and never shown.

CREATE OR REPLACE FUNCTION chat_private.check_api_key(api_key text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF check_api_key.api_key IS NULL THEN
    RAISE EXCEPTION 'api_key must not be null' USING ERRCODE = '22004';
  ELSIF length(check_api_key.api_key) > 4096 OR check_api_key.api_key !~ '^[\x21-\x7e]+$' THEN
    RAISE EXCEPTION 'api_key is not one that can be sent' USING ERRCODE = '22023',
      HINT = 'It has 1 to 4096 characters of ASCII, without white space and control characters; see that no line feed was pasted with it.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_api_key(text) IS
'Errors, which do not repeat the key: 22004 it is NULL; 22023 it is empty, too long, or has other characters than visible ASCII.';

CREATE OR REPLACE FUNCTION chat_private.last_four(api_key text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN length(last_four.api_key) >= 8 THEN right(last_four.api_key, 4) END
$$;
COMMENT ON FUNCTION chat_private.last_four(text) IS 'What may be shown of a key: nothing of one shorter than 8 characters.';

CREATE OR REPLACE FUNCTION chat_private.find_provider(provider text) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  provider_id uuid;
BEGIN
  IF find_provider.provider IS NULL THEN
    RAISE EXCEPTION 'provider must not be null' USING ERRCODE = '22004';
  END IF;
  SELECT p.id INTO provider_id FROM chat.providers p WHERE p.name = find_provider.provider;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'provider "%" does not exist', left(find_provider.provider, 100) USING ERRCODE = '42704',
      HINT = 'See chat.providers for the providers there are; an operator adds one with chat.admin_register_provider.';
  END IF;
  RETURN provider_id;
END
$$;
COMMENT ON FUNCTION chat_private.find_provider(text) IS
'The id of the provider of that name. Errors: 22004 provider is NULL; 42704 there is none.';

CREATE OR REPLACE FUNCTION chat_private.activate_api_key(user_id uuid, provider_id uuid, id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  UPDATE chat.api_keys k SET is_active = false
  WHERE k.user_id = activate_api_key.user_id AND k.provider_id = activate_api_key.provider_id AND k.is_active
    AND k.id <> activate_api_key.id;
  UPDATE chat.api_keys k SET is_active = true
  WHERE k.user_id = activate_api_key.user_id AND k.id = activate_api_key.id AND NOT k.is_active;
END
$$;
COMMENT ON FUNCTION chat_private.activate_api_key(uuid, uuid, uuid) IS
'Makes one of a user''s keys of a provider the one that is used.';

CREATE OR REPLACE FUNCTION chat.set_api_key(provider text, api_key text, name text DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  key_name text := coalesce(nullif(btrim(set_api_key.name), ''), 'default');
  new_id uuid := chat.uuid_v7();
  the_provider_id uuid;
BEGIN
  IF chat_private.setting('user_keys_allowed') <> jsonb 'true' THEN
    RAISE EXCEPTION 'users may not set keys of their own here' USING ERRCODE = '42501',
      HINT = 'An administrator allows it with the setting user_keys_allowed.';
  END IF;
  the_provider_id := chat_private.find_provider(set_api_key.provider);
  PERFORM chat_private.check_api_key(set_api_key.api_key);
  IF char_length(key_name) > 100 OR key_name ~ '[[:cntrl:]]' THEN
    RAISE EXCEPTION 'name must have at most 100 characters, and none of control' USING ERRCODE = '22023';
  END IF;
  PERFORM chat_private.hold_account(caller_id);
  DELETE FROM chat.api_keys k WHERE k.user_id = caller_id AND k.provider_id = the_provider_id AND k.name = key_name;
  INSERT INTO chat.api_keys (user_id, id, provider_id, name, last_four, is_active)
  VALUES (caller_id, new_id, the_provider_id, key_name, chat_private.last_four(set_api_key.api_key), false);
  INSERT INTO chat_private.api_key_secrets (user_id, id, provider_id, sealed_key)
  VALUES (caller_id, new_id, the_provider_id,
          chat_private.seal('api_key:' || the_provider_id, caller_id, new_id, convert_to(set_api_key.api_key, 'UTF8')));
  PERFORM chat_private.activate_api_key(caller_id, the_provider_id, new_id);
  PERFORM chat_private.audit('api_key.set', 'api_key:' || new_id, jsonb_build_object('provider', set_api_key.provider));
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION chat.set_api_key(text, text, text) IS
'Keeps a key of the current user''s own for a provider and returns its id; the user''s calls to that provider use it from then
on, in place of the provider''s key. api_key: 1 to 4096 visible characters of ASCII; it is sealed and shown to nobody again. Pass
it as a bind parameter, as literals can reach the server log. name: tells several keys of one provider apart; by default
default. A key of the same name is replaced.
Errors: 28000 nobody is authenticated; 22004 provider or api_key is NULL; 22023 api_key or name; 42501 the setting
user_keys_allowed is off; 42704 no such provider; 57P03 no engine; PC201 no master key.';

CREATE OR REPLACE FUNCTION chat_private.require_api_key(id uuid) RETURNS chat.api_keys
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller_id uuid := chat_private.require_user();
  found_key chat.api_keys;
BEGIN
  SELECT k.* INTO found_key FROM chat.api_keys k WHERE k.user_id = caller_id AND k.id = require_api_key.id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'API key not found' USING ERRCODE = 'P0002', HINT = 'chat.list_api_keys() lists your keys.';
  END IF;
  RETURN found_key;
END
$$;
COMMENT ON FUNCTION chat_private.require_api_key(uuid) IS
'The current user''s key of that id. Errors: 28000 nobody is authenticated; P0002 the user has no such key.';

CREATE OR REPLACE FUNCTION chat.activate_api_key(id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  chosen chat.api_keys := chat_private.require_api_key(activate_api_key.id);
BEGIN
  PERFORM chat_private.activate_api_key(chosen.user_id, chosen.provider_id, chosen.id);
  PERFORM chat_private.audit('api_key.activate', 'api_key:' || chosen.id);
END
$$;
COMMENT ON FUNCTION chat.activate_api_key(uuid) IS
'Makes one of the current user''s keys of a provider the one that calls use, in place of the one before.
Errors: 28000 nobody is authenticated; P0002 the user has no such key; 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat.delete_api_key(id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  chosen chat.api_keys := chat_private.require_api_key(delete_api_key.id);
BEGIN
  DELETE FROM chat.api_keys k WHERE k.user_id = chosen.user_id AND k.id = chosen.id;
  PERFORM chat_private.audit('api_key.delete', 'api_key:' || chosen.id);
END
$$;
COMMENT ON FUNCTION chat.delete_api_key(uuid) IS
'Removes one of the current user''s keys. Where it was the one in use, calls use the provider''s key, until another of the user''s is
chosen with chat.activate_api_key.
Errors: 28000 nobody is authenticated; P0002 the user has no such key; 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat.list_api_keys()
RETURNS TABLE (id uuid, provider text, name text, last_four text, created_at timestamptz, last_used_at timestamptz, is_active boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 5 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  RETURN QUERY
  SELECT k.id, p.name, k.name, k.last_four, k.created_at, k.last_used_at, k.is_active
  FROM chat.api_keys k JOIN chat.providers p ON p.id = k.provider_id
  WHERE k.user_id = caller_id
  ORDER BY p.name, k.created_at DESC, k.id DESC;
END
$$;
COMMENT ON FUNCTION chat.list_api_keys() IS
'The current user''s keys of providers, by provider and newest first. last_four: the key''s last four characters, NULL for one
shorter than 8. created_at: when it was set. last_used_at: when a call last used it, to the minute. is_active: whether calls use it.
Errors: 28000 nobody is authenticated.';

CREATE OR REPLACE FUNCTION chat_private.provider_removed() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous chat_private.identity := chat_private.enter_gate();
BEGIN
  DELETE FROM chat.api_keys k WHERE k.provider_id = old.id;
  PERFORM chat_private.switch_identity(previous);
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION chat_private.provider_removed() IS
'Removes all users'' keys of a provider that is removed, as a foreign key would, which must lead with the owner.';

CREATE OR REPLACE TRIGGER provider_removed AFTER DELETE ON chat.providers
  FOR EACH ROW EXECUTE FUNCTION chat_private.provider_removed();

CREATE OR REPLACE FUNCTION chat_private.put_keys_away(provider_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous chat_private.identity := chat_private.enter_gate();
BEGIN
  DELETE FROM chat_private.provider_keys k WHERE k.provider_id = put_keys_away.provider_id;
  UPDATE chat.api_keys k SET is_active = false WHERE k.provider_id = put_keys_away.provider_id AND k.is_active;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat_private.put_keys_away(uuid) IS
'Removes the key of a provider, and has no call use users'' own keys of it, until their owners set or choose them again.';

CREATE OR REPLACE FUNCTION chat_private.engine_keys(user_ids uuid[])
RETURNS TABLE (user_id uuid, provider_id uuid, id uuid, sealed_key bytea)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
  IF chat_private.setting('user_keys_allowed') <> jsonb 'true' THEN
    RETURN;
  END IF;
  RETURN QUERY
  SELECT k.user_id, k.provider_id, k.id, s.sealed_key
  FROM chat.api_keys k JOIN chat_private.api_key_secrets s ON s.user_id = k.user_id AND s.id = k.id
  WHERE k.user_id = ANY (engine_keys.user_ids) AND k.is_active;
END
$$;
COMMENT ON FUNCTION chat_private.engine_keys(uuid[]) IS
'The keys, sealed, that calls of these users use; none where users may have none. For pgchat_engine.';

CREATE OR REPLACE FUNCTION chat_private.api_keys_used(user_ids uuid[], ids uuid[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE chat.api_keys k SET last_used_at = clock_timestamp()
  FROM unnest(api_keys_used.user_ids, api_keys_used.ids) AS used (user_id, id)
  WHERE k.user_id = used.user_id AND k.id = used.id;
END
$$;
COMMENT ON FUNCTION chat_private.api_keys_used(uuid[], uuid[]) IS 'Notes that calls have used these keys. For pgchat_engine.';
