-- Conversations: opening one, listing one's own.

CREATE OR REPLACE FUNCTION chat_private.max_message_bytes() RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_size_bytes(current_setting('pgchat.max_message_bytes'));
COMMENT ON FUNCTION chat_private.max_message_bytes() IS 'The setting pgchat.max_message_bytes as a number.';

CREATE OR REPLACE FUNCTION chat_private.check_conversation_texts(title text, description text, system_prompt text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF char_length(check_conversation_texts.title) > 500 OR char_length(check_conversation_texts.description) > 10000 THEN
    RAISE EXCEPTION 'the title has more than 500 characters or the description more than 10000' USING ERRCODE = '54000',
      HINT = 'Shorten it.';
  END IF;
  IF octet_length(check_conversation_texts.system_prompt) > chat_private.max_message_bytes() THEN
    RAISE EXCEPTION 'the system prompt has more than % bytes', chat_private.max_message_bytes() USING ERRCODE = '54000',
      HINT = 'Shorten it, or have an administrator raise pgchat.max_message_bytes.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_conversation_texts(text, text, text) IS 'Errors: 54000 a text is too long. NULL passes.';

CREATE OR REPLACE FUNCTION chat_private.own_conversation(user_id uuid, conversation_id uuid) RETURNS chat.conversations
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  conversation chat.conversations;
BEGIN
  IF own_conversation.conversation_id IS NULL THEN
    RAISE EXCEPTION 'conversation_id must not be null' USING ERRCODE = '22004';
  END IF;
  SELECT c.* INTO conversation FROM chat.conversations c
  WHERE c.user_id = own_conversation.user_id AND c.id = own_conversation.conversation_id;
  IF NOT FOUND THEN
    PERFORM chat_private.conversation_not_found();
  END IF;
  RETURN conversation;
END
$$;
COMMENT ON FUNCTION chat_private.own_conversation(uuid, uuid) IS
'A conversation of this user. Errors: 22004 conversation_id is NULL; P0002 no such conversation of theirs.';

CREATE OR REPLACE FUNCTION chat_private.open_conversation(user_id uuid, title text, model text, system_prompt text,
                                                          description text) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  new_id uuid := chat.uuid_v7();
  first chat_private.title_choice;
  prompt record;
BEGIN
  PERFORM chat_private.check_conversation_texts(open_conversation.title, open_conversation.description,
                                                open_conversation.system_prompt);
  PERFORM chat_private.hold_account(open_conversation.user_id);
  PERFORM chat_private.check_conversation_limit(open_conversation.user_id);
  IF open_conversation.model IS NOT NULL THEN
    PERFORM chat_private.resolve_model(open_conversation.user_id, open_conversation.model);
  END IF;
  first := chat_private.first_title(open_conversation.user_id, open_conversation.title);
  IF open_conversation.system_prompt IS NULL THEN
    SELECT p.id, p.content INTO prompt FROM chat.system_prompts p
    WHERE p.user_id = uuid '00000000-0000-0000-0000-000000000000' AND p.is_default;
  ELSE
    SELECT NULL::uuid AS id, nullif(open_conversation.system_prompt, '') AS content INTO prompt;
  END IF;
  INSERT INTO chat.conversations (user_id, id, title, title_source, model, system_prompt, system_prompt_id, description)
  VALUES (open_conversation.user_id, new_id, first.title, first.source, open_conversation.model,
          prompt.content, prompt.id, open_conversation.description);
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION chat_private.open_conversation(uuid, text, text, text, text) IS
'chat.create_conversation for the user as whom the caller acts. Errors: as there.';

CREATE OR REPLACE FUNCTION chat.create_conversation(title text DEFAULT NULL, model text DEFAULT NULL,
                                                    system_prompt text DEFAULT NULL, description text DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN chat_private.open_conversation(chat_private.require_user(), create_conversation.title, create_conversation.model,
                                        create_conversation.system_prompt, create_conversation.description);
END
$$;
COMMENT ON FUNCTION chat.create_conversation(text, text, text, text) IS
'Opens a conversation of the current user and returns its id. title: at most 500 characters; NULL or empty: by the setting
title_rule. model: asked for its replies; NULL: the default at the time of each message. system_prompt: pinned to the
conversation; NULL: the text of the default of chat.system_prompts, if there is one; empty: none. description: at most 10000
characters.
Errors: 28000 nobody is authenticated; 42704 no such model; 42501 the user may not use it; 54000 a text is too long; PC303 the plan allows no more.';

CREATE OR REPLACE FUNCTION chat_private.list_limit(page_size integer, archived boolean) RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF chat.current_user_id() IS NULL THEN
    RAISE EXCEPTION 'no user is authenticated' USING ERRCODE = '28000',
      HINT = 'Call chat.authenticate(session_token) first, in the same transaction.';
  ELSIF list_limit.page_size IS NULL OR list_limit.archived IS NULL THEN
    RAISE EXCEPTION 'page_size and archived must not be null' USING ERRCODE = '22004';
  ELSIF list_limit.page_size NOT BETWEEN 1 AND 1000 THEN
    RAISE EXCEPTION 'page_size must be 1 to 1000' USING ERRCODE = '22023', HINT = 'Ask for further rows with before.';
  END IF;
  RETURN list_limit.page_size;
END
$$;
COMMENT ON FUNCTION chat_private.list_limit(integer, boolean) IS
'Checks the arguments of chat.list_conversations and returns page_size. Errors: 28000, 22004, 22023.';

-- Runs as the caller, alone of the API: so it is inlined, runs under the caller's own policy, and costs what the bare query
-- does (as a function of its own it took a quarter more). The objects in its body were bound when it was created.
-- The comparison of rows is one range of the index for the first page and for each further one. CASE, because row security
-- takes COALESCE for leaky and would not let it into the index condition.
CREATE OR REPLACE FUNCTION chat.list_conversations(page_size integer DEFAULT 50, before timestamptz DEFAULT NULL,
                                                   archived boolean DEFAULT false, search text DEFAULT NULL)
RETURNS SETOF chat.conversations
LANGUAGE sql STABLE ROWS 50
BEGIN ATOMIC
  SELECT c.* FROM chat.conversations c
  WHERE c.user_id = chat.current_user_id() AND c.is_archived = archived
    AND (c.is_pinned, c.last_message_at)
        < (before IS NULL, CASE WHEN before IS NULL THEN timestamptz 'infinity' ELSE before END)
    AND (search IS NULL OR strpos(lower(c.title), lower(search)) > 0 OR strpos(lower(c.description), lower(search)) > 0)
  ORDER BY c.is_pinned DESC, c.last_message_at DESC
  -- Called only to refuse: a call would cost a tenth of the rest.
  LIMIT CASE WHEN page_size BETWEEN 1 AND 1000 AND archived IS NOT NULL AND chat.current_user_id() IS NOT NULL THEN page_size
             ELSE chat_private.list_limit(page_size, archived) END;
END;
COMMENT ON FUNCTION chat.list_conversations(integer, timestamptz, boolean, text) IS
'The current user''s conversations: pinned ones first, then those with the latest message (an empty one counts from its
creation). page_size: 1 to 1000, the pinned ones included. before: only what is older and not pinned; pass last_message_at of
a page''s last row to get the next page, which lacks what has the very same time: chat.find_conversations lacks nothing.
archived: the archived ones instead of the others. search: only those whose title or description has this text, in any
case.
Errors: 28000 nobody is authenticated; 22004 page_size or archived is NULL; 22023 page_size out of range.';
