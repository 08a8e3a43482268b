-- Triggers, where nothing else serves: the time of a change that a client makes by a plain UPDATE, and what the engine keeps in memory.

CREATE OR REPLACE FUNCTION chat_private.touch_updated_at() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.updated_at := clock_timestamp();
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION chat_private.touch_updated_at() IS 'Row trigger: sets updated_at.';

-- Only for the columns that clients update, so that no statement of pgchat's own pays for it.
CREATE OR REPLACE TRIGGER touch_updated_at BEFORE UPDATE OF title, description, is_pinned, is_archived
  ON chat.conversations FOR EACH ROW EXECUTE FUNCTION chat_private.touch_updated_at();
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
