-- Another reply: what functions share that ask a model again, at a place in the tree where there are messages already.

CREATE OR REPLACE FUNCTION chat_private.lock_message(user_id uuid, message_id uuid) RETURNS chat.messages
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  message chat.messages;
BEGIN
  IF lock_message.message_id IS NULL THEN
    RAISE EXCEPTION 'id must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM FROM chat.conversations c
  WHERE c.user_id = lock_message.user_id
    AND c.id = (SELECT m.conversation_id FROM chat.messages m
                WHERE m.user_id = lock_message.user_id AND m.id = lock_message.message_id)
  FOR NO KEY UPDATE;
  -- The lock comes before the look, so that of two simultaneous callers the second sees what the first has added.
  SELECT m.* INTO message FROM chat.messages m WHERE m.user_id = lock_message.user_id AND m.id = lock_message.message_id;
  IF NOT FOUND THEN
    PERFORM chat_private.message_not_found();
  END IF;
  RETURN message;
END
$$;
COMMENT ON FUNCTION chat_private.lock_message(uuid, uuid) IS
'A message of this user, with its conversation locked. Errors: 22004 message_id is NULL; P0002 no such message of theirs.';

CREATE OR REPLACE FUNCTION chat_private.refuse_busy(user_id uuid, parent_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM FROM chat.messages m
  WHERE m.user_id = refuse_busy.user_id AND m.parent_id = refuse_busy.parent_id AND m.role = 'assistant'
    AND m.status IN ('pending', 'streaming');
  IF FOUND THEN
    RAISE EXCEPTION 'a reply to this message is still being generated' USING ERRCODE = '55006',
      HINT = 'Wait for it, or call chat.cancel_message on it first.';
  END IF;
  PERFORM chat_private.wait_for_branch(refuse_busy.user_id, refuse_busy.parent_id, false);
END
$$;
COMMENT ON FUNCTION chat_private.refuse_busy(uuid, uuid) IS
'Errors: 55006 a reply to this message is in progress, or one above it.';

CREATE OR REPLACE FUNCTION chat_private.source_of(user_id uuid, reply chat.messages) RETURNS chat_private.reply_source
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  source chat_private.reply_source;
BEGIN
  SELECT q.model, q.options INTO source FROM chat_private.llm_requests q
  WHERE q.user_id = source_of.user_id AND q.message_id = source_of.reply.id;
  RETURN ROW(coalesce(source.model, source_of.reply.model), coalesce(source.options, '{}'))::chat_private.reply_source;
END
$$;
COMMENT ON FUNCTION chat_private.source_of(uuid, chat.messages) IS
'The model that was asked for a reply and the options it was asked with; where its request is gone, the model that wrote it and none.';

CREATE OR REPLACE FUNCTION chat_private.reusable_model(user_id uuid, conversation_id uuid, wanted text, used text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  IF reusable_model.wanted IS NULL AND reusable_model.used IS NOT NULL AND EXISTS (
       SELECT FROM chat_private.find_model(reusable_model.user_id, reusable_model.used) f WHERE f.is_usable) THEN
    RETURN reusable_model.used;
  END IF;
  RETURN chat_private.resolve_model(reusable_model.user_id, coalesce(reusable_model.wanted,
    (SELECT c.model FROM chat.conversations c WHERE c.user_id = reusable_model.user_id AND c.id = reusable_model.conversation_id)));
END
$$;
COMMENT ON FUNCTION chat_private.reusable_model(uuid, uuid, text, text) IS
'The model wanted; else the one used before, if it can still be asked; else the conversation''s, as for a new message.
Errors: 42704 no such model; 42501 it is not open to the user; PC003 there is none.';

CREATE OR REPLACE FUNCTION chat_private.newest_reply(user_id uuid, parent_id uuid) RETURNS chat.messages
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  reply chat.messages;
BEGIN
  SELECT m.* INTO reply FROM chat.messages m
  WHERE m.user_id = newest_reply.user_id AND m.parent_id = newest_reply.parent_id AND m.role = 'assistant'
  ORDER BY m.id DESC LIMIT 1;
  RETURN reply;
END
$$;
COMMENT ON FUNCTION chat_private.newest_reply(uuid, uuid) IS 'The newest reply to a message; NULL: it has none.';

CREATE OR REPLACE FUNCTION chat_private.add_reply(user_id uuid, conversation_id uuid, parent_id uuid, model text, options jsonb,
  waits_for uuid DEFAULT NULL, OUT assistant_message_id uuid, OUT request_id uuid)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  add_reply.assistant_message_id := chat.uuid_v7();
  INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, status, model, created_at, updated_at)
  VALUES (add_reply.user_id, add_reply.assistant_message_id, add_reply.conversation_id, add_reply.parent_id, 'assistant', 'pending',
          add_reply.model, clock_timestamp(), clock_timestamp());
  add_reply.request_id := chat_private.queue_reply(add_reply.user_id, add_reply.conversation_id, add_reply.assistant_message_id,
                                                   add_reply.model, add_reply.options, add_reply.waits_for);
END
$$;
COMMENT ON FUNCTION chat_private.add_reply(uuid, uuid, uuid, text, jsonb, uuid) IS
'Stores a pending reply to a message, as the end of the active branch, and queues its request, or has it wait.';

CREATE OR REPLACE FUNCTION chat_private.ask_again(user_id uuid, conversation_id uuid, parent_id uuid, earlier chat.messages,
  model text DEFAULT NULL, same_model boolean DEFAULT false, OUT assistant_message_id uuid, OUT request_id uuid)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  source chat_private.reply_source;
BEGIN
  PERFORM chat_private.refuse_busy(ask_again.user_id, ask_again.parent_id);
  PERFORM chat_private.check_message_limit(ask_again.user_id);
  source := chat_private.source_of(ask_again.user_id, ask_again.earlier);
  SELECT r.* INTO ask_again.assistant_message_id, ask_again.request_id
  FROM chat_private.add_reply(ask_again.user_id, ask_again.conversation_id, ask_again.parent_id,
    CASE WHEN ask_again.same_model THEN chat_private.resolve_model(ask_again.user_id, source.model)
         ELSE chat_private.reusable_model(ask_again.user_id, ask_again.conversation_id, ask_again.model, source.model) END,
    source.options) r;
END
$$;
COMMENT ON FUNCTION chat_private.ask_again(uuid, uuid, uuid, chat.messages, text, boolean) IS
'Asks for a reply below parent_id as was asked for the reply earlier: with its options, and with the model given, else with its own;
same_model: with no other, where that is gone, either. The caller holds the conversation.
Errors: 55006 a reply is being generated; PC303 the plan allows no more; 42704, 42501, PC003 the model; PC110 as for chat.send_message.';
