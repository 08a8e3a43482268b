-- Models: which one answers, which the current user may use, and their list.

CREATE OR REPLACE FUNCTION chat_private.has_model(user_id uuid, model_id uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN coalesce(has_model.user_id, uuid '00000000-0000-0000-0000-000000000000') = uuid '00000000-0000-0000-0000-000000000000'
    OR EXISTS (SELECT FROM chat.user_model_access a
               WHERE a.user_id = has_model.user_id AND a.model_id = has_model.model_id AND a.is_active)
    OR EXISTS (SELECT FROM chat.group_model_access a JOIN chat.users u ON a.role = u.role OR a.plan = u.plan
               WHERE u.id = has_model.user_id AND a.model_id = has_model.model_id AND a.is_active);
END
$$;
COMMENT ON FUNCTION chat_private.has_model(uuid, uuid) IS
'Whether the user, as whom the caller acts, was given a model, directly or through role or plan. NULL and the nil UUID, which
stand for no user at all, have every model.';

-- Bound at creation and inlined into the query that uses it, so that opening a turn is one statement. The default of the
-- setting is written out, because chat_private.setting would cost each turn more than all the rest of this.
CREATE OR REPLACE FUNCTION chat_private.find_model(user_id uuid, wanted text)
RETURNS TABLE (name text, is_usable boolean, context_window integer)
LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
  SELECT chosen.name, coalesce(usable.is_usable, false), usable.context_window
  FROM (SELECT coalesce(find_model.wanted,
                        (SELECT s.default_model FROM chat.user_settings s WHERE s.user_id = find_model.user_id),
                        (SELECT s.value #>> '{}' FROM chat.settings s WHERE s.key = 'default_model')) AS name OFFSET 0) chosen
       LEFT JOIN LATERAL (
         SELECT m.context_window,
                m.is_active AND p.is_active
                  AND CASE WHEN coalesce(m.is_open, (SELECT s.value <> 'false' FROM chat.settings s
                                                     WHERE s.key = 'models_open_by_default'), true)
                      THEN true ELSE chat_private.has_model(find_model.user_id, m.id) END AS is_usable
         FROM chat.models m JOIN chat.providers p ON p.id = m.provider_id
         WHERE m.name = chosen.name OFFSET 0) usable ON true;
END;
COMMENT ON FUNCTION chat_private.find_model(uuid, text) IS
'The model wanted, else the user''s default, else the installation''s, whether the user can ask it, and its window in tokens;
name NULL: there is none.';

CREATE OR REPLACE FUNCTION chat_private.resolve_model(user_id uuid, wanted text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  found record;
BEGIN
  SELECT f.name, f.is_usable INTO found FROM chat_private.find_model(resolve_model.user_id, resolve_model.wanted) f;
  IF found.is_usable THEN
    RETURN found.name;
  ELSIF found.name IS NULL THEN
    RAISE EXCEPTION 'no default model is set' USING ERRCODE = 'PC003',
      HINT = 'Name a model in the call, or have an administrator call chat.admin_set_default_model(model).';
  ELSIF EXISTS (SELECT FROM chat.models m JOIN chat.providers p ON p.id = m.provider_id
                WHERE m.name = found.name AND m.is_active AND p.is_active) THEN
    RAISE EXCEPTION 'model "%" is not open to this user', left(found.name, 200) USING ERRCODE = '42501',
      HINT = 'chat.list_models() lists the models you may use; an administrator gives one with chat.admin_grant_model.';
  END IF;
  RAISE EXCEPTION 'model "%" does not exist or is not active', left(found.name, 200) USING ERRCODE = '42704',
    HINT = 'chat.list_models() lists the models; an administrator adds one with chat.admin_register_model.';
END
$$;
COMMENT ON FUNCTION chat_private.resolve_model(uuid, text) IS
'The model to ask: the one wanted, else the user''s default, else the installation''s. user_id: NULL asks for nobody, who may
use every model.
Errors: 42704 it does not exist or is not active; 42501 the user may not use it; PC003 there is none.';

CREATE OR REPLACE FUNCTION chat_private.usable_models() RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
    SELECT coalesce(array_agg(m.id), '{}')
    FROM chat.models m JOIN chat.providers p ON p.id = m.provider_id
    WHERE m.is_active AND p.is_active
      AND (coalesce(m.is_open, chat_private.setting('models_open_by_default') = 'true')
           OR m.id IN (SELECT a.model_id FROM chat.user_model_access a WHERE a.user_id = chat.current_user_id() AND a.is_active)
           OR m.id IN (SELECT a.model_id FROM chat.group_model_access a JOIN chat.users u ON a.role = u.role OR a.plan = u.plan
                       WHERE u.id = chat.current_user_id() AND a.is_active)));
END
$$;
COMMENT ON FUNCTION chat_private.usable_models() IS
'The active models that the current user may use; without one, those that are open. The policy of chat.models compares with
it, once a query.';

CREATE OR REPLACE FUNCTION chat.list_models()
RETURNS TABLE (name text, display_name text, description text, provider text, capabilities text[], context_window integer,
               input_price numeric, output_price numeric, cached_price numeric, is_default boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  asker_id uuid := chat_private.acting_user();
  usable uuid[] := chat_private.usable_models();
  default_name text := (SELECT f.name FROM chat_private.find_model(asker_id, NULL) f);
BEGIN
  RETURN QUERY
    SELECT m.name, m.display_name, m.description, p.name, m.capabilities, m.context_window, m.input_price, m.output_price,
           m.cached_price, m.name IS NOT DISTINCT FROM default_name
    FROM chat.models m JOIN chat.providers p ON p.id = m.provider_id
    WHERE m.id = ANY (usable)
       OR m.is_active AND p.is_active AND asker_id = uuid '00000000-0000-0000-0000-000000000000'
    ORDER BY m.display_name, m.name;
END
$$;
COMMENT ON FUNCTION chat.list_models() IS
'The models that the current user may use; pgchat_service without a user sees all that are active. Prices are per million tokens,
NULL: not known. capabilities: tools, vision, thinking, json, embeddings, …, as far as they are known. is_default: asked where
neither the call nor the conversation names one.
Errors: 28000 nobody is authenticated.';
