-- Changing a conversation: what it is called and answered by, that it was read, and its end.

CREATE OR REPLACE FUNCTION chat.update_conversation(id uuid, title text DEFAULT NULL, description text DEFAULT NULL,
  model text DEFAULT NULL, system_prompt text DEFAULT NULL, is_pinned boolean DEFAULT NULL, is_archived boolean DEFAULT NULL)
RETURNS chat.conversations
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  named chat_private.title_choice;
  changed chat.conversations;
BEGIN
  IF update_conversation.id IS NULL THEN
    RAISE EXCEPTION 'id must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM chat_private.check_conversation_texts(update_conversation.title, update_conversation.description,
                                                update_conversation.system_prompt);
  -- What a rule counts is locked before the conversation, as elsewhere.
  IF update_conversation.title IS NOT NULL THEN
    named := chat_private.first_title(caller_id, update_conversation.title);
  END IF;
  PERFORM FROM chat.conversations c WHERE c.user_id = caller_id AND c.id = update_conversation.id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    PERFORM chat_private.conversation_not_found();
  END IF;
  IF update_conversation.model <> '' THEN
    PERFORM chat_private.resolve_model(caller_id, update_conversation.model);
  END IF;
  UPDATE chat.conversations c
  SET title = coalesce(named.title, c.title), title_source = coalesce(named.source, c.title_source),
      description = CASE WHEN update_conversation.description IS NULL THEN c.description ELSE nullif(update_conversation.description, '') END,
      model = CASE WHEN update_conversation.model IS NULL THEN c.model ELSE nullif(update_conversation.model, '') END,
      system_prompt = CASE WHEN update_conversation.system_prompt IS NULL THEN c.system_prompt ELSE nullif(update_conversation.system_prompt, '') END,
      system_prompt_id = CASE WHEN update_conversation.system_prompt IS NULL THEN c.system_prompt_id END,
      is_pinned = coalesce(update_conversation.is_pinned, c.is_pinned),
      is_archived = coalesce(update_conversation.is_archived, c.is_archived)
  WHERE c.user_id = caller_id AND c.id = update_conversation.id
  RETURNING c.* INTO changed;
  RETURN changed;
END
$$;
COMMENT ON FUNCTION chat.update_conversation(uuid, text, text, text, text, boolean, boolean) IS
'Changes a conversation of the current user and returns its row. NULL: as it is. title: at most 500 characters; empty: by the
setting title_rule again. description: at most 10000 characters; empty: none. model: asked for its replies from the next message
on; empty: the default at that time. system_prompt: told from the next message on; empty: none.
Errors: 28000 nobody is authenticated; 22004 id is NULL; P0002 no such conversation of mine; 42704 no such model; 42501 the user
may not use it; 54000 a text is too long.';

CREATE OR REPLACE FUNCTION chat.mark_conversation_read(id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  IF mark_conversation_read.id IS NULL THEN
    RAISE EXCEPTION 'id must not be null' USING ERRCODE = '22004';
  END IF;
  -- No index names what changes: a heap-only update.
  UPDATE chat.conversations c SET last_read_at = clock_timestamp()
  WHERE c.user_id = caller_id AND c.id = mark_conversation_read.id;
  IF NOT FOUND THEN
    PERFORM chat_private.conversation_not_found();
  END IF;
END
$$;
COMMENT ON FUNCTION chat.mark_conversation_read(uuid) IS
'Notes that the current user has read a conversation: is_unread is false until a further reply ends.
Errors: 28000 nobody is authenticated; 22004 id is NULL; P0002 no such conversation of mine.';

CREATE OR REPLACE FUNCTION chat_private.call_off_conversations(user_id uuid, conversation_ids uuid[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  -- Those that wait go first: the end of what they wait for would queue them.
  DELETE FROM chat_private.llm_requests q
  WHERE q.user_id = call_off_conversations.user_id AND q.conversation_id = ANY (call_off_conversations.conversation_ids)
    AND q.state = 'waiting';
  PERFORM chat_private.cancel_request(q.user_id, q.id) FROM chat_private.llm_requests q
  WHERE q.user_id = call_off_conversations.user_id AND q.conversation_id = ANY (call_off_conversations.conversation_ids)
    AND q.state IN ('queued', 'running');
  -- Those of replies go with these.
  DELETE FROM chat_private.llm_requests q
  WHERE q.user_id = call_off_conversations.user_id AND q.conversation_id = ANY (call_off_conversations.conversation_ids)
    AND q.message_id IS NULL;
END
$$;
COMMENT ON FUNCTION chat_private.call_off_conversations(uuid, uuid[]) IS
'Calls off the durable requests of conversations that are about to be removed, as whose owner the caller acts.
Errors: 57P03 one is under way, and no engine.';

CREATE OR REPLACE FUNCTION chat.delete_conversation(id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  IF delete_conversation.id IS NULL THEN
    RAISE EXCEPTION 'id must not be null' USING ERRCODE = '22004';
  END IF;
  -- The lock comes before the look at its requests, so that no message is sent in between.
  PERFORM FROM chat.conversations c WHERE c.user_id = caller_id AND c.id = delete_conversation.id FOR UPDATE;
  IF NOT FOUND THEN
    PERFORM chat_private.conversation_not_found();
  END IF;
  PERFORM chat_private.call_off_conversations(caller_id, ARRAY[delete_conversation.id]);
  DELETE FROM chat.conversations c WHERE c.user_id = caller_id AND c.id = delete_conversation.id;
END
$$;
COMMENT ON FUNCTION chat.delete_conversation(uuid) IS
'Removes a conversation of the current user for good, with its messages, summaries and shares. Its requests are called off, and
calls that are under way are aborted, even if the transaction is rolled back. What it used stays in chat.usage_events.
Errors: 28000 nobody is authenticated; 22004 id is NULL; P0002 no such conversation of mine; 57P03 a call is under way, and no
engine.';
