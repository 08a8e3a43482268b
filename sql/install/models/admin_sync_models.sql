-- Taking a provider's own list of models over. For administrators and pgchat_service.
--
-- Nothing is known of how many models an array holds, and thousands must not be compared each with each: hence enable_nestloop.

CREATE OR REPLACE FUNCTION chat_private.fetch_models(provider_id uuid, kind text) RETURNS jsonb
LANGUAGE c VOLATILE COST 100000 AS 'MODULE_PATHNAME', 'pgchat_fetch_models';
COMMENT ON FUNCTION chat_private.fetch_models(uuid, text) IS
'The models that a provider lists, each name once: an array of {name, display_name, description, context_window, capabilities,
refused}; refused says why the name cannot be a model''s.
Errors: P0002 the engine does not know the provider; 08001, PC101 to PC108 its list cannot be read; 57P03 no engine; 25006 on a
standby.';

CREATE OR REPLACE FUNCTION chat_private.refresh_models(provider_id uuid, listed jsonb)
RETURNS TABLE (model text, action text, detail text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_nestloop = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    WITH wanted AS (
      SELECT m.id, m.name, coalesce(m.context_window, l.context_window) AS context_window,
             coalesce(m.description, l.description) AS description,
             CASE WHEN m.display_name = m.name THEN coalesce(l.display_name, m.name) ELSE m.display_name END AS display_name,
             CASE WHEN m.capabilities = '{}' THEN l.capabilities ELSE m.capabilities END AS capabilities
      FROM chat.models m
      JOIN jsonb_to_recordset(refresh_models.listed)
             AS l (name text, display_name text, description text, context_window integer, capabilities text[], refused text)
        ON l.name = coalesce(m.config ->> 'provider_model', m.name) AND l.refused IS NULL
      WHERE m.provider_id = refresh_models.provider_id
    ), changed AS (
      UPDATE chat.models m
      SET context_window = w.context_window, description = w.description, display_name = w.display_name,
          capabilities = w.capabilities, updated_at = now()
      FROM wanted w
      WHERE m.id = w.id AND (m.context_window, m.description, m.display_name, m.capabilities)
                            IS DISTINCT FROM (w.context_window, w.description, w.display_name, w.capabilities)
      RETURNING m.id
    )
    SELECT w.name, CASE WHEN c.id IS NULL THEN 'unchanged' ELSE 'updated' END, NULL
    FROM wanted w LEFT JOIN changed c ON c.id = w.id
    UNION ALL
    SELECT m.name, 'missing', NULL
    FROM chat.models m
    WHERE m.provider_id = refresh_models.provider_id AND m.id NOT IN (SELECT w.id FROM wanted w);
END
$$;
COMMENT ON FUNCTION chat_private.refresh_models(uuid, jsonb) IS
'Fills in what is not known of a provider''s models from its list, and tells of each what became of it.';

CREATE OR REPLACE FUNCTION chat_private.add_models(provider_id uuid, listed jsonb, activate boolean)
RETURNS TABLE (model text, action text, detail text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_nestloop = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    WITH new AS (
      SELECT l.* FROM jsonb_to_recordset(add_models.listed)
             AS l (name text, display_name text, description text, context_window integer, capabilities text[], refused text)
      WHERE l.refused IS NULL AND NOT EXISTS (
        SELECT FROM chat.models m
        WHERE m.provider_id = add_models.provider_id AND coalesce(m.config ->> 'provider_model', m.name) = l.name)
    ), added AS (
      INSERT INTO chat.models (provider_id, name, display_name, description, context_window, capabilities, is_active)
      SELECT add_models.provider_id, n.name, coalesce(n.display_name, n.name), n.description, n.context_window,
             n.capabilities, add_models.activate
      FROM new n
      ON CONFLICT (name) DO NOTHING
      RETURNING name
    )
    SELECT n.name, CASE WHEN a.name IS NULL THEN 'refused' ELSE 'added' END,
           CASE WHEN a.name IS NULL THEN 'another model has this name: register it under one of its own, with provider_model' END
    FROM new n LEFT JOIN added a ON a.name = n.name
    UNION ALL
    SELECT l.name, 'refused', l.refused
    FROM jsonb_to_recordset(add_models.listed) AS l (name text, refused text) WHERE l.refused IS NOT NULL;
END
$$;
COMMENT ON FUNCTION chat_private.add_models(uuid, jsonb, boolean) IS
'Adds the models of a provider''s list that are not there yet, and tells of those that cannot be.';

CREATE OR REPLACE FUNCTION chat.admin_sync_models(provider text, activate boolean DEFAULT false)
RETURNS TABLE (model text, action text, detail text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  known chat.providers;
  listed jsonb;
BEGIN
  PERFORM chat_private.require_admin();
  IF admin_sync_models.provider IS NULL OR admin_sync_models.activate IS NULL THEN
    RAISE EXCEPTION 'provider and activate must not be null' USING ERRCODE = '22004';
  END IF;
  -- Locked only once the list is there: the provider may take its time.
  SELECT p.* INTO known FROM chat.providers p WHERE p.name = admin_sync_models.provider;
  IF known.kind = 'echo' THEN
    RAISE EXCEPTION 'a provider of kind echo has no list of models' USING ERRCODE = '0A000',
      HINT = 'Name its models as you like with chat.admin_register_model.';
  ELSIF known.is_active IS FALSE THEN
    RAISE EXCEPTION 'the provider is not active' USING ERRCODE = '55000', HINT = 'Call chat.admin_set_provider_active first.';
  END IF;
  IF known.id IS NOT NULL THEN
    listed := chat_private.fetch_models(known.id, known.kind);
  END IF;
  known := chat_private.require_provider(admin_sync_models.provider);
  RETURN QUERY SELECT r.* FROM chat_private.refresh_models(known.id, listed) r ORDER BY r.model;
  RETURN QUERY SELECT a.* FROM chat_private.add_models(known.id, listed, admin_sync_models.activate) a ORDER BY a.model;
  PERFORM chat_private.audit('admin.sync_models', 'provider:' || known.id,
    jsonb_build_object('listed', jsonb_array_length(listed), 'activate', admin_sync_models.activate));
END
$$;
COMMENT ON FUNCTION chat.admin_sync_models(text, boolean) IS
'Reads a provider''s own list of models (/v1/models, /api/tags) with the provider''s key, and tells of each model what became of
it. action: added; updated: something that was not known was filled in; unchanged; missing: it is here, and not in the list,
and stays as it is; refused, with the reason in detail: a name that is empty, too long or not printable, or that another model has.
What an administrator has set is never changed. activate: whether added models can be asked at once; else
chat.admin_set_model_active lets them be. Prices are not taken over. Either all of it happens, or, with an error, nothing.
Errors: 42501 not an administrator; 22004 an argument is NULL; 42704 no such provider; 55000 it is not active; 0A000 its kind has
no list; P0002 the engine does not know it yet, because its registration is not committed; 08001 it cannot be reached; PC101
it is too slow; PC102 its address is refused; PC103 to PC107 it refused, failed or sent no list; PC108 the list has more than
10000 models, or 4 MB a page; 57P03 no engine; 25006 on a standby.';
