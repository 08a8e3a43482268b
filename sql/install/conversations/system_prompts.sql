-- System prompts to choose from: those for all, and each user's own; and pinning the text of one to a conversation.

CREATE OR REPLACE FUNCTION chat_private.check_saved_text(name text, description text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF btrim(check_saved_text.name) = '' OR check_saved_text.name ~ '[[:cntrl:]]' THEN
    RAISE EXCEPTION 'the name must not be empty nor have control characters' USING ERRCODE = '22023';
  ELSIF char_length(check_saved_text.name) > 255 OR char_length(check_saved_text.description) > 10000 THEN
    RAISE EXCEPTION 'the name has more than 255 characters or the description more than 10000' USING ERRCODE = '54000',
      HINT = 'Shorten it.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_saved_text(text, text) IS
'The name and description of a prompt or template. Errors: 22023, 54000. NULL passes.';

CREATE OR REPLACE FUNCTION chat_private.prompt_not_found() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'system prompt not found' USING ERRCODE = 'P0002', HINT = 'chat.list_system_prompts() lists those there are.';
END
$$;
COMMENT ON FUNCTION chat_private.prompt_not_found() IS 'Errors: P0002, always.';

CREATE OR REPLACE FUNCTION chat_private.check_prompt_name(user_id uuid, name text, except_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM FROM chat.system_prompts p
  WHERE p.user_id = check_prompt_name.user_id AND p.name = check_prompt_name.name AND p.id IS DISTINCT FROM check_prompt_name.except_id;
  IF FOUND THEN
    RAISE EXCEPTION 'there is a system prompt with this name already' USING ERRCODE = '23505', HINT = 'Choose another name, or change that one.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_prompt_name(uuid, text, uuid) IS 'Errors: 23505 another prompt of this owner than except_id has this name.';

CREATE OR REPLACE FUNCTION chat.save_system_prompt(name text, content text, description text DEFAULT NULL, id uuid DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  saved_id uuid := coalesce(save_system_prompt.id, chat.uuid_v7());
BEGIN
  IF save_system_prompt.name IS NULL THEN
    RAISE EXCEPTION 'name must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM chat_private.check_saved_text(save_system_prompt.name, save_system_prompt.description);
  PERFORM chat_private.check_content(save_system_prompt.content);
  PERFORM chat_private.lock_user(caller_id);
  PERFORM chat_private.check_prompt_name(caller_id, save_system_prompt.name, save_system_prompt.id);
  IF save_system_prompt.id IS NULL THEN
    INSERT INTO chat.system_prompts (user_id, id, name, content, description)
    VALUES (caller_id, saved_id, save_system_prompt.name, save_system_prompt.content, nullif(save_system_prompt.description, ''));
  ELSE
    UPDATE chat.system_prompts p
    SET name = save_system_prompt.name, content = save_system_prompt.content, description = nullif(save_system_prompt.description, ''),
        updated_at = clock_timestamp()
    WHERE p.user_id = caller_id AND p.id = saved_id;
    IF NOT FOUND THEN
      PERFORM chat_private.prompt_not_found();
    END IF;
  END IF;
  RETURN saved_id;
END
$$;
COMMENT ON FUNCTION chat.save_system_prompt(text, text, text, uuid) IS
'Keeps a system prompt of the current user''s own and returns its id. name: 1 to 255 characters, once for each user. content: at
most pgchat.max_message_bytes. description: at most 10000 characters. id: the one to replace; NULL: a new one. Conversations that
use it keep the text they have.
Errors: 28000 nobody is authenticated; 22004 name or content is NULL; 22023 name; 2200F content is empty; 54000 a text is too long;
23505 I have one with this name; P0002 id is none of mine.';

CREATE OR REPLACE FUNCTION chat_private.remove_prompt(owner_id uuid, id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  was_default boolean;
BEGIN
  IF remove_prompt.id IS NULL THEN
    RAISE EXCEPTION 'id must not be null' USING ERRCODE = '22004';
  END IF;
  DELETE FROM chat.system_prompts p WHERE p.user_id = remove_prompt.owner_id AND p.id = remove_prompt.id
  RETURNING p.is_default INTO was_default;
  IF NOT FOUND THEN
    PERFORM chat_private.prompt_not_found();
  END IF;
  RETURN was_default;
END
$$;
COMMENT ON FUNCTION chat_private.remove_prompt(uuid, uuid) IS
'Removes a system prompt of this owner, as whom the caller acts; whether it was the default. Errors: 22004 id is NULL; P0002 there is none.';

CREATE OR REPLACE FUNCTION chat.delete_system_prompt(id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.remove_prompt(chat_private.require_user(), delete_system_prompt.id);
END
$$;
COMMENT ON FUNCTION chat.delete_system_prompt(uuid) IS
'Removes a system prompt of the current user''s own. Conversations that use it keep its text.
Errors: 28000 nobody is authenticated; 22004 id is NULL; P0002 it is none of mine.';

CREATE OR REPLACE FUNCTION chat.list_system_prompts()
RETURNS TABLE (id uuid, name text, description text, content text, is_personal boolean, is_default boolean, created_at timestamptz,
               updated_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  RETURN QUERY
    SELECT p.id, p.name, p.description, p.content, p.user_id = caller_id, p.is_default, p.created_at, p.updated_at
    FROM chat.system_prompts p
    WHERE p.user_id = ANY (ARRAY[caller_id, uuid '00000000-0000-0000-0000-000000000000'])
    ORDER BY p.user_id = caller_id, p.is_default DESC, lower(p.name), p.id;
END
$$;
COMMENT ON FUNCTION chat.list_system_prompts() IS
'The system prompts that the current user can choose from: those for all, the default first, then the user''s own (is_personal).
Errors: 28000 nobody is authenticated.';

CREATE OR REPLACE FUNCTION chat.use_system_prompt(conversation_id uuid, prompt_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  chosen text;
BEGIN
  IF use_system_prompt.conversation_id IS NULL OR use_system_prompt.prompt_id IS NULL THEN
    RAISE EXCEPTION 'conversation_id and prompt_id must not be null' USING ERRCODE = '22004',
      HINT = 'chat.update_conversation(id, system_prompt => '''') takes the prompt from a conversation.';
  END IF;
  SELECT p.content INTO chosen FROM chat.system_prompts p
  WHERE p.user_id = ANY (ARRAY[caller_id, uuid '00000000-0000-0000-0000-000000000000']) AND p.id = use_system_prompt.prompt_id;
  IF NOT FOUND THEN
    PERFORM chat_private.prompt_not_found();
  END IF;
  UPDATE chat.conversations c
  SET system_prompt = chosen, system_prompt_id = use_system_prompt.prompt_id, updated_at = clock_timestamp()
  WHERE c.user_id = caller_id AND c.id = use_system_prompt.conversation_id;
  IF NOT FOUND THEN
    PERFORM chat_private.conversation_not_found();
  END IF;
END
$$;
COMMENT ON FUNCTION chat.use_system_prompt(uuid, uuid) IS
'Pins the text that a system prompt has now to a conversation of the current user, from its next message on. prompt_id: one of
chat.list_system_prompts().
Errors: 28000 nobody is authenticated; 22004 an argument is NULL; P0002 no such conversation of mine, or no such prompt.';
