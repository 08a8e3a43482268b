-- Templates: what conversations can begin with, the same for all or each user's own, with places to fill in.

CREATE OR REPLACE FUNCTION chat_private.placeholder_pattern() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '\{\{[ ]*([[:alpha:]_][[:alnum:]_]{0,62})[ ]*\}\}';
COMMENT ON FUNCTION chat_private.placeholder_pattern() IS
'The form of a placeholder, {{name}}, as a regular expression: letters, digits and _, not a digit first, at most 63.';

CREATE OR REPLACE FUNCTION chat_private.fill_placeholders(template text, placeholder_values jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  -- The text is taken apart once, so that nothing in a value is taken for a placeholder.
  names text[] := ARRAY(SELECT m.found[1] FROM regexp_matches(fill_placeholders.template, chat_private.placeholder_pattern(), 'g') m (found));
  missing text;
BEGIN
  SELECT n.name INTO missing FROM unnest(names) WITH ORDINALITY n (name, i)
  WHERE fill_placeholders.placeholder_values ->> n.name IS NULL ORDER BY n.i LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'there is no value for the placeholder "%"', missing USING ERRCODE = '22023',
      HINT = 'chat.list_templates() names the placeholders of each template; pass placeholder_values as {"name": "value"}.';
  END IF;
  RETURN (SELECT string_agg(p.part || coalesce(fill_placeholders.placeholder_values ->> names[p.i::integer], ''), '' ORDER BY p.i)
          FROM unnest(regexp_split_to_array(fill_placeholders.template, chat_private.placeholder_pattern())) WITH ORDINALITY p (part, i));
END
$$;
COMMENT ON FUNCTION chat_private.fill_placeholders(text, jsonb) IS
'A text with the values in place of its placeholders. NULL: NULL. Errors: 22023 a value is missing.';

CREATE OR REPLACE FUNCTION chat_private.check_template_messages(messages jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  bad boolean;
BEGIN
  IF jsonb_typeof(check_template_messages.messages) IS DISTINCT FROM 'array' THEN
    bad := true;
  ELSIF jsonb_array_length(check_template_messages.messages) > 100
        OR octet_length(check_template_messages.messages::text) > chat_private.max_message_bytes() THEN
    RAISE EXCEPTION 'the messages are more than 100, or more than % bytes together', chat_private.max_message_bytes()
      USING ERRCODE = '54000', HINT = 'Shorten them.';
  ELSE
    bad := EXISTS (SELECT FROM jsonb_array_elements(check_template_messages.messages) e
                   WHERE CASE WHEN jsonb_typeof(e) <> 'object' THEN true
                         ELSE coalesce(e ->> 'role', '') NOT IN ('user', 'assistant', 'system')
                              OR jsonb_typeof(e -> 'content') IS DISTINCT FROM 'string' OR e ->> 'content' !~ '\S'
                              OR e - ARRAY['role', 'content'] <> '{}' END);
  END IF;
  IF bad THEN
    RAISE EXCEPTION 'the messages are not an array of role and content' USING ERRCODE = 'PC001',
      HINT = 'For example [{"role": "user", "content": "Explain {{topic}}."}]; a role is user, assistant or system.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_template_messages(jsonb) IS
'Errors: PC001 not an array of {role, content}; 54000 more than 100, or longer than pgchat.max_message_bytes together.';

CREATE OR REPLACE FUNCTION chat_private.template_not_found() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'template not found' USING ERRCODE = 'P0002', HINT = 'chat.list_templates() lists those there are.';
END
$$;
COMMENT ON FUNCTION chat_private.template_not_found() IS 'Errors: P0002, always.';

CREATE OR REPLACE FUNCTION chat_private.store_template(template chat.conversation_templates, is_new boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  IF template.name IS NULL THEN
    RAISE EXCEPTION 'name must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM chat_private.check_saved_text(template.name, template.description);
  PERFORM chat_private.check_conversation_texts(template.title, NULL, template.system_prompt);
  PERFORM chat_private.check_template_messages(template.messages);
  IF template.model IS NOT NULL THEN
    PERFORM chat_private.resolve_model(template.user_id, template.model);
  END IF;
  IF EXISTS (SELECT FROM chat.conversation_templates t WHERE t.user_id = template.user_id AND t.name = template.name AND t.id <> template.id) THEN
    RAISE EXCEPTION 'there is a template with this name already' USING ERRCODE = '23505', HINT = 'Choose another name, or pass its id to replace it.';
  END IF;
  IF is_new THEN
    INSERT INTO chat.conversation_templates (user_id, id, name, description, title, system_prompt, model, messages)
    VALUES (template.user_id, template.id, template.name, template.description, template.title, template.system_prompt,
            template.model, template.messages);
    RETURN;
  END IF;
  UPDATE chat.conversation_templates t
  SET name = template.name, description = template.description, title = template.title, system_prompt = template.system_prompt,
      model = template.model, messages = template.messages, updated_at = clock_timestamp()
  WHERE t.user_id = template.user_id AND t.id = template.id;
  IF NOT FOUND THEN
    PERFORM chat_private.template_not_found();
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.store_template(chat.conversation_templates, boolean) IS
'Adds a template, or replaces the one with its id, as whose owner the caller acts. Errors: as chat.save_template.';

CREATE OR REPLACE FUNCTION chat.save_template(name text, system_prompt text DEFAULT NULL, model text DEFAULT NULL,
  messages jsonb DEFAULT '[]', title text DEFAULT NULL, description text DEFAULT NULL, id uuid DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  template chat.conversation_templates;
BEGIN
  template.user_id := chat_private.require_user();
  template.id := coalesce(save_template.id, chat.uuid_v7());
  template.name := save_template.name;
  template.description := nullif(save_template.description, '');
  template.title := nullif(save_template.title, '');
  template.system_prompt := save_template.system_prompt;
  template.model := nullif(save_template.model, '');
  template.messages := coalesce(save_template.messages, '[]');
  PERFORM chat_private.lock_user(template.user_id);
  PERFORM chat_private.store_template(template, save_template.id IS NULL);
  RETURN template.id;
END
$$;
COMMENT ON FUNCTION chat.save_template(text, text, text, jsonb, text, text, uuid) IS
'Keeps a template of the current user''s own and returns its id. name: 1 to 255 characters, once for each user. title,
system_prompt, model: of conversations made from it; NULL as for chat.create_conversation. messages: their first messages, an array
of at most 100 {role, content}, role being user, assistant or system. {{name}} in title, system prompt and messages stands for a
value that is given at use. description: at most 10000 characters. id: the one to replace as a whole; NULL: a new one.
Errors: 28000 nobody is authenticated; 22004 name is NULL; 22023 name; PC001 messages; 54000 a text is too long, or there are too
many messages; 42704 no such model; 42501 the user may not use it; 23505 I have one with this name; P0002 id is none of mine.';

CREATE OR REPLACE FUNCTION chat.admin_save_template(name text, system_prompt text DEFAULT NULL, model text DEFAULT NULL,
  messages jsonb DEFAULT '[]', title text DEFAULT NULL, description text DEFAULT NULL, id uuid DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous chat_private.identity := chat_private.act_for_all();
  template chat.conversation_templates;
BEGIN
  template.user_id := uuid '00000000-0000-0000-0000-000000000000';
  template.id := coalesce(admin_save_template.id, chat.uuid_v7());
  template.name := admin_save_template.name;
  template.description := nullif(admin_save_template.description, '');
  template.title := nullif(admin_save_template.title, '');
  template.system_prompt := admin_save_template.system_prompt;
  template.model := nullif(admin_save_template.model, '');
  template.messages := coalesce(admin_save_template.messages, '[]');
  PERFORM chat_private.store_template(template, admin_save_template.id IS NULL);
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit('admin.save_template', 'template:' || template.id);
  RETURN template.id;
END
$$;
COMMENT ON FUNCTION chat.admin_save_template(text, text, text, jsonb, text, text, uuid) IS
'Keeps a template for all and returns its id; arguments as for chat.save_template. A user who may not use its model cannot use it.
Errors: 42501 not an administrator; those of chat.save_template.';

CREATE OR REPLACE FUNCTION chat_private.remove_template(owner_id uuid, id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  IF remove_template.id IS NULL THEN
    RAISE EXCEPTION 'id must not be null' USING ERRCODE = '22004';
  END IF;
  DELETE FROM chat.conversation_templates t WHERE t.user_id = remove_template.owner_id AND t.id = remove_template.id;
  IF NOT FOUND THEN
    PERFORM chat_private.template_not_found();
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.remove_template(uuid, uuid) IS
'Removes a template of this owner, as whom the caller acts. Errors: 22004 id is NULL; P0002 there is none.';

CREATE OR REPLACE FUNCTION chat.delete_template(id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.remove_template(chat_private.require_user(), delete_template.id);
END
$$;
COMMENT ON FUNCTION chat.delete_template(uuid) IS
'Removes a template of the current user''s own. Errors: 28000 nobody is authenticated; 22004 id is NULL; P0002 it is none of mine.';

CREATE OR REPLACE FUNCTION chat.admin_delete_template(id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous chat_private.identity := chat_private.act_for_all();
BEGIN
  PERFORM chat_private.remove_template('00000000-0000-0000-0000-000000000000', admin_delete_template.id);
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit('admin.delete_template', 'template:' || admin_delete_template.id);
END
$$;
COMMENT ON FUNCTION chat.admin_delete_template(uuid) IS
'Removes a template for all. Errors: 42501 not an administrator; 22004 id is NULL; P0002 no such template for all.';

CREATE OR REPLACE FUNCTION chat.list_templates()
RETURNS TABLE (id uuid, name text, description text, title text, system_prompt text, model text, messages jsonb, placeholders text[],
               is_personal boolean, created_at timestamptz, updated_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  RETURN QUERY
    SELECT t.id, t.name, t.description, t.title, t.system_prompt, t.model, t.messages,
           ARRAY(SELECT DISTINCT f.found[1]
                 FROM unnest(ARRAY[t.title, t.system_prompt]
                             || ARRAY(SELECT e ->> 'content' FROM jsonb_array_elements(t.messages) e)) part (content),
                      regexp_matches(part.content, chat_private.placeholder_pattern(), 'g') f (found) ORDER BY 1),
           t.user_id = caller_id, t.created_at, t.updated_at
    FROM chat.conversation_templates t
    WHERE t.user_id = ANY (ARRAY[caller_id, uuid '00000000-0000-0000-0000-000000000000'])
    ORDER BY t.user_id = caller_id, lower(t.name), t.id;
END
$$;
COMMENT ON FUNCTION chat.list_templates() IS
'The templates that the current user can choose from: those for all, then the user''s own (is_personal). placeholders: the names
for which chat.create_from_template needs values.
Errors: 28000 nobody is authenticated.';
