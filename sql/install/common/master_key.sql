-- Changing the master key: which columns are sealed with it, and how the engine seals them anew.

CREATE OR REPLACE FUNCTION chat_private.sealed_columns()
RETURNS TABLE (name text, sealed_column text, purpose text, scope_column text, user_column text, row_column text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 5 SET search_path = pg_catalog, pg_temp AS $$
  VALUES
    ('chat_private.totp_factors', 'sealed_key', 'totp', NULL, 'user_id', 'id'),
    ('chat_private.signing_keys', 'sealed_private', 'signing_key', NULL, NULL, 'id'),
    ('chat_private.api_key_secrets', 'sealed_key', 'api_key', 'provider_id', 'user_id', 'id'),
    ('chat_private.provider_keys', 'sealed_key', 'provider_key', NULL, NULL, 'provider_id'),
    ('chat_private.webhook_secrets', 'sealed_secret', 'webhook_secret', NULL, NULL, 'id')
$$;
COMMENT ON FUNCTION chat_private.sealed_columns() IS
'Every column that is sealed with the master key, by its table, and what its content is bound to: purpose, followed by a colon and
scope_column where there is one; user_column (NULL: the nil UUID); row_column. The name of such a column begins with sealed.';

CREATE OR REPLACE FUNCTION chat_private.sealed_page(name text, after_user uuid, after_row uuid, page_size integer)
RETURNS TABLE (purpose text, user_id uuid, row_id uuid, sealed bytea)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  c record;
  user_value text;
BEGIN
  SELECT s.* INTO STRICT c FROM chat_private.sealed_columns() s WHERE s.name = sealed_page.name;
  user_value := coalesce('t.' || quote_ident(c.user_column), 'uuid ''00000000-0000-0000-0000-000000000000''');
  RETURN QUERY EXECUTE format(
    'SELECT %L || coalesce('':'' || %s, ''''), %s, t.%I, t.%I FROM %s t WHERE t.%I IS NOT NULL AND (%s, t.%I) > ($1, $2)
     ORDER BY 2, 3 LIMIT $3 FOR NO KEY UPDATE OF t SKIP LOCKED',
    c.purpose, coalesce('t.' || quote_ident(c.scope_column), 'NULL'), user_value, c.row_column, c.sealed_column, c.name,
    c.sealed_column, user_value, c.row_column)
  USING sealed_page.after_user, sealed_page.after_row, sealed_page.page_size;
END
$$;
COMMENT ON FUNCTION chat_private.sealed_page(text, uuid, uuid, integer) IS
'The next secrets of a table of chat_private.sealed_columns, by user and row, locked; those that somebody else has locked are
passed over. For pgchat_engine.';

CREATE OR REPLACE FUNCTION chat_private.replace_sealed(name text, user_ids uuid[], row_ids uuid[], sealed bytea[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  c record;
BEGIN
  SELECT s.* INTO STRICT c FROM chat_private.sealed_columns() s WHERE s.name = replace_sealed.name;
  EXECUTE format('UPDATE %s t SET %I = n.sealed FROM unnest($1, $2, $3) n (user_id, row_id, sealed) WHERE t.%I = n.row_id%s',
                 c.name, c.sealed_column, c.row_column, coalesce(' AND t.' || quote_ident(c.user_column) || ' = n.user_id', ''))
    USING replace_sealed.user_ids, replace_sealed.row_ids, replace_sealed.sealed;
END
$$;
COMMENT ON FUNCTION chat_private.replace_sealed(text, uuid[], uuid[], bytea[]) IS
'Stores the same secrets as they are sealed now. For pgchat_engine, which has locked their rows with chat_private.sealed_page.';

CREATE OR REPLACE FUNCTION chat_private.count_sealed(key_ids bytea[], OUT with_old_keys bigint, OUT with_other_keys bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  c record;
  found record;
BEGIN
  with_old_keys := 0;
  with_other_keys := 0;
  FOR c IN SELECT s.* FROM chat_private.sealed_columns() s LOOP
    EXECUTE format('SELECT count(*) FILTER (WHERE k.id = ANY ($1)) AS known, count(*) FILTER (WHERE k.id <> ALL ($1)) AS other
                    FROM %s t, LATERAL (SELECT substr(t.%I, 2, 8) AS id) k WHERE k.id <> $2', c.name, c.sealed_column)
      INTO found USING count_sealed.key_ids, count_sealed.key_ids[1];
    with_old_keys := with_old_keys + found.known;
    with_other_keys := with_other_keys + found.other;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chat_private.count_sealed(bytea[]) IS
'How many secrets are not sealed with the master key whose id is the first of key_ids: with_old_keys, with one of the others;
with_other_keys, with none of them. For pgchat_engine.';

CREATE OR REPLACE FUNCTION chat_private.holds_secrets() RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  c record;
  is_found boolean;
BEGIN
  FOR c IN SELECT s.* FROM chat_private.sealed_columns() s LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %s t WHERE t.%I IS NOT NULL)', c.name, c.sealed_column) INTO is_found;
    IF is_found THEN
      RETURN true;
    END IF;
  END LOOP;
  RETURN false;
END
$$;
COMMENT ON FUNCTION chat_private.holds_secrets() IS
'Whether anything is stored in this database that is sealed with a master key: then a missing one is not replaced. For pgchat_engine.';

CREATE OR REPLACE FUNCTION chat_private.databases_with_secrets() RETURNS SETOF oid
LANGUAGE sql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp AS $$
  SELECT DISTINCT d.dbid FROM pg_catalog.pg_shdepend d
  WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND d.refobjid = 'pgchat_owner'::pg_catalog.regrole
    AND d.dbid <> 0
$$;
COMMENT ON FUNCTION chat_private.databases_with_secrets() IS
'The databases of this server in which pgchat''s owner has objects, and so may have sealed secrets. For pgchat_engine.';

CREATE OR REPLACE FUNCTION chat_private.master_key_state(rotate boolean) RETURNS jsonb
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pgchat_master_key_state';
COMMENT ON FUNCTION chat_private.master_key_state(boolean) IS
'What the engine says of the master key: key_id, old_keys, rows_resealed, rows_left, rows_unreadable, is_finished. rotate: has it put a new
key in place first, unless a change is not finished yet.
Errors: PC201 no usable master key; F0000 a command gives the key, and gives one only; 57P03 no engine; 25006 on a standby.';

CREATE OR REPLACE FUNCTION chat.admin_master_key_status(OUT key_id text, OUT old_keys integer, OUT rows_resealed bigint,
                                                        OUT rows_left bigint, OUT rows_unreadable bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.require_admin();
  SELECT s.* INTO key_id, old_keys, rows_resealed, rows_left, rows_unreadable
  FROM jsonb_to_record(chat_private.master_key_state(false))
    AS s (key_id text, old_keys integer, rows_resealed bigint, rows_left bigint, rows_unreadable bigint);
END
$$;
COMMENT ON FUNCTION chat.admin_master_key_status() IS
'The master key as the engine has it, and how far its change is. key_id: tells keys apart, and gives nothing of them away. old_keys:
how many are kept beside it, because some database of the server may need them. rows_resealed: secrets sealed anew since the
change began or the engine was started; rows_left: secrets of this database still to be; rows_unreadable: those that were
sealed with a key that is not here, or that the older key which sealed them does not open, as they were damaged or moved. Makes no key. For administrators and pgchat_service.
Errors: 42501 not an administrator; PC201 no usable master key; 57P03 no engine; 25006 on a standby.';

CREATE OR REPLACE FUNCTION chat.admin_rotate_master_key(wait_ms integer DEFAULT 10000, OUT key_id text, OUT old_keys integer,
  OUT rows_resealed bigint, OUT rows_left bigint, OUT rows_unreadable bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  give_up timestamptz := clock_timestamp() + make_interval(secs => coalesce(admin_rotate_master_key.wait_ms, 0) / 1000.0);
  state jsonb;
BEGIN
  PERFORM chat_private.require_admin();
  PERFORM chat_private.audit('admin.rotate_master_key');
  state := chat_private.master_key_state(true);
  WHILE NOT (state ->> 'is_finished')::boolean AND clock_timestamp() < give_up LOOP
    PERFORM pg_sleep(0.02);
    state := chat_private.master_key_state(false);
  END LOOP;
  SELECT s.* INTO key_id, old_keys, rows_resealed, rows_left, rows_unreadable
  FROM jsonb_to_record(state) AS s (key_id text, old_keys integer, rows_resealed bigint, rows_left bigint, rows_unreadable bigint);
END
$$;
COMMENT ON FUNCTION chat.admin_rotate_master_key(integer) IS
'Makes a new master key, and has the engine seal all secrets anew with it, while everything goes on. Both keys are in the file until
no database of the server needs the older one. Where a change is not finished yet, it goes on, and no other key is made. Where
pgchat.master_key_command gives the keys, none is made: have it print the new one first and the old ones after it, one a line.
What has begun goes on by itself, whatever becomes of this call, its transaction, the engine or the server. wait_ms: how long to
wait for the end, in milliseconds; 0 returns at once. Returns what chat.admin_master_key_status() shows. Keep a copy of the new key.
Errors: 42501 not an administrator; PC201 no usable master key, or its file cannot be replaced; F0000 the command prints one key
only; 57P03 no engine; 25006 on a standby.';
