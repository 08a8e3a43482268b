-- The personas for all, which the nil UUID owns: an administrator's, and those that come with pgchat. For administrators and pgchat_service.

CREATE OR REPLACE FUNCTION chat.admin_save_persona(code text, name text DEFAULT NULL, expertise text DEFAULT NULL, system_prompt text DEFAULT NULL,
                                                   category text DEFAULT NULL, model text DEFAULT NULL) RETURNS chat.personas
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  for_all CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
  previous chat_private.identity := chat_private.act_for_all();
  persona chat.personas;
BEGIN
  SELECT p.* INTO persona FROM chat.personas p WHERE p.user_id = for_all AND p.code = admin_save_persona.code FOR UPDATE;
  persona.user_id := for_all;
  persona.code := admin_save_persona.code;
  persona.name := coalesce(admin_save_persona.name, persona.name);
  persona.expertise := coalesce(admin_save_persona.expertise, persona.expertise);
  persona.category := coalesce(admin_save_persona.category, persona.category, 'general');
  persona.system_prompt := coalesce(admin_save_persona.system_prompt, persona.system_prompt);
  persona.model := nullif(coalesce(admin_save_persona.model, persona.model), '');
  persona := chat_private.store_persona(persona);
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit('admin.save_persona', 'persona:' || persona.code);
  RETURN persona;
END
$$;
COMMENT ON FUNCTION chat.admin_save_persona(text, text, text, text, text, text) IS
'Adds a persona for all, or changes the one with this code, and returns it. What is NULL stays as it is; of a new one name, expertise
and system_prompt are needed, and its category is else "general". model: empty: the deliberation''s; a user who may not use it cannot
choose the persona. One that came with pgchat is from then on left as it is by updates. Arguments else as for chat.save_persona.
Errors: 42501 not an administrator; those of chat.save_persona, but there may be any number.';

CREATE OR REPLACE FUNCTION chat.admin_set_persona_active(code text, is_active boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.act_for_all();
BEGIN
  IF admin_set_persona_active.code IS NULL OR admin_set_persona_active.is_active IS NULL THEN
    RAISE EXCEPTION 'code and is_active must not be null' USING ERRCODE = '22004';
  END IF;
  -- Only a change is an edit, which updates leave alone.
  UPDATE chat.personas p
  SET is_active = admin_set_persona_active.is_active, is_default = p.is_default AND p.is_active = admin_set_persona_active.is_active,
      updated_at = CASE WHEN p.is_active = admin_set_persona_active.is_active THEN p.updated_at ELSE clock_timestamp() END
  WHERE p.user_id = uuid '00000000-0000-0000-0000-000000000000' AND p.code = admin_set_persona_active.code;
  IF NOT FOUND THEN
    PERFORM chat_private.persona_not_found();
  END IF;
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit('admin.set_persona_active', 'persona:' || admin_set_persona_active.code,
                             jsonb_build_object('is_active', admin_set_persona_active.is_active));
END
$$;
COMMENT ON FUNCTION chat.admin_set_persona_active(text, boolean) IS
'Has a persona for all be chosen for new deliberations or not; those that it takes part in go on. One that came with pgchat is from a
change on left as it is by updates.
Errors: 42501 not an administrator; 22004 an argument is NULL; P0002 no such persona for all.';

CREATE OR REPLACE FUNCTION chat.admin_delete_persona(code text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.act_for_all();
  was_there boolean;
  is_shipped boolean;
BEGIN
  IF admin_delete_persona.code IS NULL THEN
    RAISE EXCEPTION 'code must not be null' USING ERRCODE = '22004';
  END IF;
  DELETE FROM chat.personas p
  WHERE p.user_id = uuid '00000000-0000-0000-0000-000000000000' AND p.code = admin_delete_persona.code;
  was_there := FOUND;
  is_shipped := chat_private.ship_personas(admin_delete_persona.code) > 0;
  IF NOT was_there AND NOT is_shipped THEN
    PERFORM chat_private.persona_not_found();
  END IF;
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit('admin.delete_persona', 'persona:' || admin_delete_persona.code, jsonb_build_object('as_shipped', is_shipped));
END
$$;
COMMENT ON FUNCTION chat.admin_delete_persona(text) IS
'Removes a persona for all; deliberations that it takes part in keep its text. One that comes with pgchat is instead made what it was
when it came, and active; chat.admin_set_persona_active(code, false) takes it out of the catalogue.
Errors: 42501 not an administrator; 22004 code is NULL; P0002 no such persona for all.';
