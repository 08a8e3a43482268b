-- The system prompts for all, which the nil UUID owns, and that exactly one of them is the default. For administrators and pgchat_service.

CREATE OR REPLACE FUNCTION chat_private.act_for_all() RETURNS chat_private.identity
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.require_admin();
  RETURN chat_private.act_as(uuid '00000000-0000-0000-0000-000000000000');
END
$$;
COMMENT ON FUNCTION chat_private.act_for_all() IS
'chat_private.act_as the nil UUID, for administrators. Errors: 42501 the caller is neither an administrator nor pgchat_service.';

CREATE OR REPLACE FUNCTION chat_private.choose_default_prompt(id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  for_all CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
  -- Two statements, for the index that allows one default looks at each row by itself. Between them there is none.
  SET CONSTRAINTS chat.require_default_after_update DEFERRED;
  UPDATE chat.system_prompts p SET is_default = false
  WHERE p.user_id = for_all AND p.is_default AND p.id <> choose_default_prompt.id;
  UPDATE chat.system_prompts p SET is_default = true
  WHERE p.user_id = for_all AND NOT p.is_default AND p.id = choose_default_prompt.id;
END
$$;
COMMENT ON FUNCTION chat_private.choose_default_prompt(uuid) IS 'Makes a prompt for all the default, and every other one not; for callers that act for all.';

CREATE OR REPLACE FUNCTION chat_private.lock_prompts_for_all() RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  SELECT pg_advisory_xact_lock('chat.system_prompts'::regclass::oid::bigint)
$$;
COMMENT ON FUNCTION chat_private.lock_prompts_for_all() IS 'Lets one transaction after the other change which prompts for all there are.';

-- row_security: pg_dump's scripts switch it off, and then a policy would be an error.
CREATE OR REPLACE FUNCTION chat_private.settle_default_prompt() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = on SET enable_seqscan = off AS $$
DECLARE
  previous chat_private.identity;
BEGIN
  PERFORM chat_private.lock_prompts_for_all();
  previous := chat_private.act_as(NEW.user_id);
  IF NEW.is_default THEN
    PERFORM chat_private.choose_default_prompt(NEW.id);
  ELSE
    NEW.is_default := NOT EXISTS (SELECT FROM chat.system_prompts p WHERE p.user_id = NEW.user_id AND p.is_default);
  END IF;
  PERFORM chat_private.switch_identity(previous);
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION chat_private.settle_default_prompt() IS
'Row trigger: the first prompt for all is the default, and one that comes as the default takes the place of another. So a restore
may bring them in any order, each in a transaction of its own.';

CREATE OR REPLACE FUNCTION chat_private.require_default_prompt() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = on SET enable_seqscan = off AS $$
DECLARE
  for_all CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
  previous chat_private.identity := chat_private.act_as(for_all);
  others boolean;
BEGIN
  -- An update and no mere look, so that of two transactions that rely on different defaults the second waits, or fails.
  UPDATE chat.system_prompts p SET description = p.description WHERE p.user_id = for_all AND p.is_default;
  IF NOT FOUND THEN
    SELECT EXISTS (SELECT FROM chat.system_prompts p WHERE p.user_id = for_all) INTO others;
    IF others THEN
      RAISE EXCEPTION 'one of the system prompts for all must be the default' USING ERRCODE = '23514',
        HINT = 'chat.admin_set_default_system_prompt(id) chooses it.';
    END IF;
  END IF;
  PERFORM chat_private.switch_identity(previous);
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION chat_private.require_default_prompt() IS
'Constraint trigger, at the end of a transaction. Errors: 23514 there are prompts for all, and none of them is the default.';

CREATE OR REPLACE TRIGGER settle_default BEFORE INSERT ON chat.system_prompts FOR EACH ROW
  WHEN (NEW.user_id = '00000000-0000-0000-0000-000000000000') EXECUTE FUNCTION chat_private.settle_default_prompt();
DROP TRIGGER IF EXISTS require_default_after_update ON chat.system_prompts;
CREATE CONSTRAINT TRIGGER require_default_after_update AFTER UPDATE OF is_default, user_id ON chat.system_prompts
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (OLD.user_id = '00000000-0000-0000-0000-000000000000' OR NEW.user_id = '00000000-0000-0000-0000-000000000000')
  EXECUTE FUNCTION chat_private.require_default_prompt();
DROP TRIGGER IF EXISTS require_default_after_delete ON chat.system_prompts;
CREATE CONSTRAINT TRIGGER require_default_after_delete AFTER DELETE ON chat.system_prompts
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (OLD.user_id = '00000000-0000-0000-0000-000000000000') EXECUTE FUNCTION chat_private.require_default_prompt();
DROP TRIGGER IF EXISTS require_default_after_insert ON chat.system_prompts;
CREATE CONSTRAINT TRIGGER require_default_after_insert AFTER INSERT ON chat.system_prompts
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (NEW.user_id = '00000000-0000-0000-0000-000000000000') EXECUTE FUNCTION chat_private.require_default_prompt();

CREATE OR REPLACE FUNCTION chat.admin_create_system_prompt(name text, content text, description text DEFAULT NULL,
                                                           is_default boolean DEFAULT false) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.act_for_all();
  for_all CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
  new_id uuid := chat.uuid_v7();
BEGIN
  IF admin_create_system_prompt.name IS NULL OR admin_create_system_prompt.is_default IS NULL THEN
    RAISE EXCEPTION 'name and is_default must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM chat_private.check_saved_text(admin_create_system_prompt.name, admin_create_system_prompt.description);
  PERFORM chat_private.check_content(admin_create_system_prompt.content);
  PERFORM chat_private.lock_prompts_for_all();
  PERFORM chat_private.check_prompt_name(for_all, admin_create_system_prompt.name, NULL);
  INSERT INTO chat.system_prompts (user_id, id, name, content, description, is_default)
  VALUES (for_all, new_id, admin_create_system_prompt.name, admin_create_system_prompt.content,
          nullif(admin_create_system_prompt.description, ''), admin_create_system_prompt.is_default);
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit('admin.create_system_prompt', 'system_prompt:' || new_id,
                             jsonb_build_object('is_default', admin_create_system_prompt.is_default));
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION chat.admin_create_system_prompt(text, text, text, boolean) IS
'Adds a system prompt for all and returns its id. name: 1 to 255 characters, once among those for all. content: at most
pgchat.max_message_bytes. description: at most 10000 characters. is_default: conversations that are opened from now on without a
system prompt get its text; the first one is the default in any case.
Errors: 42501 not an administrator; 22004 name, content or is_default is NULL; 22023 name; 2200F content is empty; 54000 a text is
too long; 23505 there is one with this name.';

CREATE OR REPLACE FUNCTION chat.admin_update_system_prompt(id uuid, name text DEFAULT NULL, content text DEFAULT NULL,
                                                           description text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.act_for_all();
  for_all CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
  IF admin_update_system_prompt.id IS NULL THEN
    RAISE EXCEPTION 'id must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM chat_private.check_saved_text(admin_update_system_prompt.name, admin_update_system_prompt.description);
  IF admin_update_system_prompt.content IS NOT NULL THEN
    PERFORM chat_private.check_content(admin_update_system_prompt.content);
  END IF;
  PERFORM chat_private.lock_prompts_for_all();
  PERFORM chat_private.check_prompt_name(for_all, admin_update_system_prompt.name, admin_update_system_prompt.id);
  UPDATE chat.system_prompts p
  SET name = coalesce(admin_update_system_prompt.name, p.name), content = coalesce(admin_update_system_prompt.content, p.content),
      description = CASE WHEN admin_update_system_prompt.description IS NULL THEN p.description
                    ELSE nullif(admin_update_system_prompt.description, '') END,
      updated_at = clock_timestamp()
  WHERE p.user_id = for_all AND p.id = admin_update_system_prompt.id;
  IF NOT FOUND THEN
    PERFORM chat_private.prompt_not_found();
  END IF;
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit('admin.update_system_prompt', 'system_prompt:' || admin_update_system_prompt.id);
END
$$;
COMMENT ON FUNCTION chat.admin_update_system_prompt(uuid, text, text, text) IS
'Changes a system prompt for all; conversations keep the text they have. NULL: as it is; description empty: none.
Errors: 42501 not an administrator; 22004 id is NULL; P0002 no such prompt for all; 22023 name; 2200F content is empty; 54000 a text
is too long; 23505 there is one with this name.';

CREATE OR REPLACE FUNCTION chat.admin_set_default_system_prompt(id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.act_for_all();
  for_all CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
  IF admin_set_default_system_prompt.id IS NULL THEN
    RAISE EXCEPTION 'id must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM chat_private.lock_prompts_for_all();
  PERFORM FROM chat.system_prompts p WHERE p.user_id = for_all AND p.id = admin_set_default_system_prompt.id;
  IF NOT FOUND THEN
    PERFORM chat_private.prompt_not_found();
  END IF;
  PERFORM chat_private.choose_default_prompt(admin_set_default_system_prompt.id);
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit('admin.set_default_system_prompt', 'system_prompt:' || admin_set_default_system_prompt.id);
END
$$;
COMMENT ON FUNCTION chat.admin_set_default_system_prompt(uuid) IS
'Makes a system prompt for all the default, in place of the one that is: conversations that are opened from now on without a system
prompt get its text.
Errors: 42501 not an administrator; 22004 id is NULL; P0002 no such prompt for all.';

CREATE OR REPLACE FUNCTION chat.admin_delete_system_prompt(id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.act_for_all();
  for_all CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
  was_default boolean;
BEGIN
  PERFORM chat_private.lock_prompts_for_all();
  was_default := chat_private.remove_prompt(for_all, admin_delete_system_prompt.id);
  -- A statement of its own, which sees that it is gone.
  IF was_default AND EXISTS (SELECT FROM chat.system_prompts p WHERE p.user_id = for_all) THEN
    RAISE EXCEPTION 'the default system prompt stays while there are others' USING ERRCODE = '55000',
      HINT = 'Choose another default first, with chat.admin_set_default_system_prompt(id).';
  END IF;
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit('admin.delete_system_prompt', 'system_prompt:' || admin_delete_system_prompt.id);
END
$$;
COMMENT ON FUNCTION chat.admin_delete_system_prompt(uuid) IS
'Removes a system prompt for all; conversations that use it keep its text.
Errors: 42501 not an administrator; 22004 id is NULL; P0002 no such prompt for all; 55000 it is the default, and there are others.';
