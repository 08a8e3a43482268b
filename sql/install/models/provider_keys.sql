-- The key of a provider that all use who have none of their own. For administrators and pgchat_service.

CREATE OR REPLACE FUNCTION chat.admin_set_provider_key(provider text, api_key text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  the_provider_id uuid;
BEGIN
  PERFORM chat_private.require_admin();
  the_provider_id := chat_private.find_provider(admin_set_provider_key.provider);
  PERFORM chat_private.check_api_key(admin_set_provider_key.api_key);
  INSERT INTO chat_private.provider_keys (provider_id, sealed_key, last_four)
  VALUES (the_provider_id,
          chat_private.seal('provider_key', uuid '00000000-0000-0000-0000-000000000000', the_provider_id,
                            convert_to(admin_set_provider_key.api_key, 'UTF8')),
          chat_private.last_four(admin_set_provider_key.api_key))
  ON CONFLICT (provider_id) DO UPDATE SET sealed_key = excluded.sealed_key, last_four = excluded.last_four,
    created_at = excluded.created_at;
  PERFORM chat_private.audit('admin.set_provider_key', 'provider:' || admin_set_provider_key.provider);
END
$$;
COMMENT ON FUNCTION chat.admin_set_provider_key(text, text) IS
'Keeps the key of a provider, which the calls of all users without one of their own use, in place of what options -> api_key_env
names. api_key: 1 to 4096 visible characters of ASCII; it is sealed and shown to nobody again. Pass it as a bind parameter.
Errors: 42501 not an administrator; 22004 an argument is NULL; 22023 api_key; 42704 no such provider; 57P03 no engine; PC201
no master key.';

CREATE OR REPLACE FUNCTION chat.admin_delete_provider_key(provider text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  the_provider_id uuid;
BEGIN
  PERFORM chat_private.require_admin();
  the_provider_id := chat_private.find_provider(admin_delete_provider_key.provider);
  DELETE FROM chat_private.provider_keys k WHERE k.provider_id = the_provider_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'this provider has no key that was set' USING ERRCODE = 'P0002',
      HINT = 'A key of the environment is taken away with options -> api_key_env of chat.admin_register_provider.';
  END IF;
  PERFORM chat_private.audit('admin.delete_provider_key', 'provider:' || admin_delete_provider_key.provider);
END
$$;
COMMENT ON FUNCTION chat.admin_delete_provider_key(text) IS
'Removes the key of a provider; calls then use what options -> api_key_env names, or none.
Errors: 42501 not an administrator; 22004 provider is NULL; 42704 no such provider; P0002 it has no key; 57P03 no engine.';

CREATE OR REPLACE TRIGGER catalog_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON chat_private.provider_keys
  FOR EACH STATEMENT EXECUTE FUNCTION chat_private.catalog_changed();

CREATE OR REPLACE FUNCTION chat_private.engine_provider_keys()
RETURNS TABLE (provider_id uuid, sealed_key bytea)
LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
  SELECT k.provider_id, k.sealed_key FROM chat_private.provider_keys k
$$;
COMMENT ON FUNCTION chat_private.engine_provider_keys() IS 'The keys of providers, sealed. For pgchat_engine.';
