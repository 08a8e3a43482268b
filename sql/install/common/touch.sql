-- Triggers, where nothing else serves: the time of a change that a client makes by a plain UPDATE, and what the engine keeps in memory.

CREATE OR REPLACE FUNCTION chat_private.touch_updated_at() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.updated_at := clock_timestamp();
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION chat_private.touch_updated_at() IS 'Row trigger: sets updated_at.';

CREATE OR REPLACE FUNCTION chat_private.touch_conversation() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.updated_at := clock_timestamp();
  IF NEW.title <> OLD.title AND NEW.title_source = OLD.title_source AND current_user NOT IN ('pgchat_owner', 'pgchat_engine') THEN
    NEW.title_source := 'given';
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION chat_private.touch_conversation() IS
'Row trigger: sets updated_at, and notes a title as given that anybody but pgchat''s own functions has changed.';

-- Only for the columns that clients update, so that the statements of a turn do not pay for it.
CREATE OR REPLACE TRIGGER touch_updated_at BEFORE UPDATE OF title, description, is_pinned, is_archived
  ON chat.conversations FOR EACH ROW EXECUTE FUNCTION chat_private.touch_conversation();
CREATE OR REPLACE TRIGGER touch_updated_at BEFORE UPDATE OF preferences
  ON chat.user_settings FOR EACH ROW EXECUTE FUNCTION chat_private.touch_updated_at();
CREATE OR REPLACE TRIGGER touch_updated_at BEFORE UPDATE OF display_name
  ON chat.users FOR EACH ROW EXECUTE FUNCTION chat_private.touch_updated_at();

CREATE OR REPLACE TRIGGER catalog_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
  ON chat.providers FOR EACH STATEMENT EXECUTE FUNCTION chat_private.catalog_changed();
CREATE OR REPLACE TRIGGER catalog_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
  ON chat_private.provider_endpoints FOR EACH STATEMENT EXECUTE FUNCTION chat_private.catalog_changed();
CREATE OR REPLACE TRIGGER catalog_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
  ON chat.models FOR EACH STATEMENT EXECUTE FUNCTION chat_private.catalog_changed();
CREATE OR REPLACE TRIGGER catalog_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
  ON chat.settings FOR EACH STATEMENT EXECUTE FUNCTION chat_private.catalog_changed();

-- What the engine knows of users: not their coming, for one that it does not know it reads anyway.
CREATE OR REPLACE TRIGGER accounts_changed AFTER UPDATE OF role, plan, is_active OR DELETE OR TRUNCATE
  ON chat.users FOR EACH STATEMENT EXECUTE FUNCTION chat_private.accounts_changed();
CREATE OR REPLACE TRIGGER accounts_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
  ON chat.plans FOR EACH STATEMENT EXECUTE FUNCTION chat_private.accounts_changed();
CREATE OR REPLACE TRIGGER accounts_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
  ON chat.user_limits FOR EACH STATEMENT EXECUTE FUNCTION chat_private.accounts_changed();
CREATE OR REPLACE TRIGGER accounts_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
  ON chat.settings FOR EACH STATEMENT EXECUTE FUNCTION chat_private.accounts_changed();
CREATE OR REPLACE TRIGGER accounts_changed AFTER INSERT OR UPDATE OF is_active OR DELETE OR TRUNCATE
  ON chat.api_keys FOR EACH STATEMENT EXECUTE FUNCTION chat_private.accounts_changed();
CREATE OR REPLACE TRIGGER accounts_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
  ON chat.user_model_access FOR EACH STATEMENT EXECUTE FUNCTION chat_private.accounts_changed();
CREATE OR REPLACE TRIGGER accounts_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
  ON chat.group_model_access FOR EACH STATEMENT EXECUTE FUNCTION chat_private.accounts_changed();
