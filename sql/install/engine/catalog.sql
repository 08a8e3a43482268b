-- What the engine reads of providers, models and grants, to keep it until it changes.

CREATE OR REPLACE FUNCTION chat_private.engine_providers()
RETURNS TABLE (provider_id uuid, provider text, kind text, base_url text, auth_type text, headers jsonb, options jsonb)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.id, p.name, p.kind, e.base_url, e.auth_type, e.headers, e.options
  FROM chat.providers p JOIN chat_private.provider_endpoints e ON e.provider_id = p.id
  WHERE p.is_active
  ORDER BY p.name
$$;
COMMENT ON FUNCTION chat_private.engine_providers() IS 'The active providers and how each is reached.';

CREATE OR REPLACE FUNCTION chat_private.engine_models()
RETURNS TABLE (model_id uuid, model text, is_default boolean, is_open boolean, provider_id uuid, provider_model text,
               input_price numeric, output_price numeric, cached_price numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  default_model text := chat_private.setting_text('default_model');
  open_by_default boolean := chat_private.setting('models_open_by_default') = 'true';
BEGIN
  RETURN QUERY
    SELECT m.id, m.name, m.name IS NOT DISTINCT FROM default_model, coalesce(m.is_open, open_by_default), p.id,
           coalesce(m.config ->> 'provider_model', m.name), m.input_price, m.output_price, m.cached_price
    FROM chat.models m JOIN chat.providers p ON p.id = m.provider_id
    WHERE m.is_active AND p.is_active
    ORDER BY m.name;
END
$$;
COMMENT ON FUNCTION chat_private.engine_models() IS
'The active models of active providers; provider_model: the provider''s own name; prices per million tokens.';

CREATE OR REPLACE FUNCTION chat_private.engine_grants(user_ids uuid[]) RETURNS TABLE (user_id uuid, model_id uuid)
-- In PL/pgSQL, which keeps its plan: a function in SQL is planned anew for each account.
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT a.user_id, a.model_id
    FROM unnest(engine_grants.user_ids) w (user_id) JOIN chat.user_model_access a ON a.user_id = w.user_id AND a.is_active
    UNION
    SELECT u.id, a.model_id
    FROM unnest(engine_grants.user_ids) w (user_id) JOIN chat.users u ON u.id = w.user_id
    JOIN chat.group_model_access a ON a.is_active AND (a.role = u.role OR a.plan = u.plan);
END
$$;
COMMENT ON FUNCTION chat_private.engine_grants(uuid[]) IS
'The models that each of these users was given, directly or through role or plan.';
