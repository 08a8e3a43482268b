-- Replies that failed or are no longer wanted: trying again, and stopping.

CREATE OR REPLACE FUNCTION chat_private.cancel_request(user_id uuid, request_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  reason CONSTANT jsonb := jsonb '{"code": "cancelled", "sqlstate": "57014", "message": "cancelled before it was sent"}';
  reply_id uuid;
BEGIN
  UPDATE chat_private.llm_requests q
  SET state = 'cancelled', queued_at = NULL, finished_at = clock_timestamp(), error = reason
  WHERE q.user_id = cancel_request.user_id AND q.id = cancel_request.request_id AND q.queued_at IS NOT NULL
  RETURNING q.message_id INTO reply_id;
  IF NOT FOUND THEN
    RETURN chat_private.cancel_call(cancel_request.user_id, cancel_request.request_id);
  END IF;
  UPDATE chat.messages m
  SET status = 'cancelled', error = reason, content_hash = chat.content_hash(m.content), updated_at = clock_timestamp()
  WHERE m.user_id = cancel_request.user_id AND m.id = reply_id;
  RETURN true;
END
$$;
COMMENT ON FUNCTION chat_private.cancel_request(uuid, uuid) IS
'Takes a request out of the queue, or has the engine abort it. False: it has ended already.';

CREATE OR REPLACE FUNCTION chat_private.cancel_requests(user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM chat_private.cancel_request(q.user_id, q.id) FROM chat_private.llm_requests q
  WHERE q.user_id = cancel_requests.user_id AND q.state IN ('queued', 'running');
END
$$;
COMMENT ON FUNCTION chat_private.cancel_requests(uuid) IS
'Calls off all durable requests of a user, queued or under way, as whom the caller acts.
Errors: 57P03 one is under way, and no engine.';

CREATE OR REPLACE FUNCTION chat.cancel_message(id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  found_status text;
  pending_request uuid;
BEGIN
  IF cancel_message.id IS NULL THEN
    RAISE EXCEPTION 'id must not be null' USING ERRCODE = '22004';
  END IF;
  SELECT m.status, q.id INTO found_status, pending_request
  FROM chat.messages m
  LEFT JOIN chat_private.llm_requests q ON q.user_id = caller_id AND q.message_id = m.id
  WHERE m.user_id = caller_id AND m.id = cancel_message.id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'message not found' USING ERRCODE = 'P0002';
  END IF;
  RETURN found_status IN ('pending', 'streaming') AND pending_request IS NOT NULL
         AND chat_private.cancel_request(caller_id, pending_request);
END
$$;
COMMENT ON FUNCTION chat.cancel_message(uuid) IS
'Stops the reply with this id: a queued one is not sent, one in progress is aborted and keeps the text it has. True if it
was stopped, false if it had ended already.
Errors: 28000 nobody is authenticated; 22004 id is NULL; P0002 no such message of mine.';

CREATE OR REPLACE FUNCTION chat_private.check_retry(user_id uuid, message chat.messages) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  IF check_retry.message.role <> 'assistant' THEN
    RAISE EXCEPTION 'only a reply can be retried' USING ERRCODE = '22023', HINT = 'Pass the id of an assistant message.';
  ELSIF check_retry.message.status = 'complete' THEN
    RAISE EXCEPTION 'the reply is complete' USING ERRCODE = '55000', HINT = 'Only a failed or stopped reply is retried.';
  END IF;
  PERFORM FROM chat.messages m
  WHERE m.user_id = check_retry.user_id AND m.parent_id = check_retry.message.parent_id
    AND m.status IN ('pending', 'streaming');
  IF FOUND THEN
    RAISE EXCEPTION 'a reply to this message is still being generated' USING ERRCODE = '55006',
      HINT = 'Wait for it, or call chat.cancel_message on it first.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_retry(uuid, chat.messages) IS
'Errors: 22023 not a reply; 55000 a complete one; 55006 it, or a sibling of it, is in progress.';

CREATE OR REPLACE FUNCTION chat.retry_message(id uuid, OUT assistant_message_id uuid, OUT request_id uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  failed chat.messages;
  used_model text;
  used_options jsonb;
BEGIN
  IF retry_message.id IS NULL THEN
    RAISE EXCEPTION 'id must not be null' USING ERRCODE = '22004';
  END IF;
  -- The lock comes before the look, so that two simultaneous retries do not both find nothing in progress.
  PERFORM FROM chat.conversations c
  WHERE c.user_id = caller_id
    AND c.id = (SELECT m.conversation_id FROM chat.messages m WHERE m.user_id = caller_id AND m.id = retry_message.id)
  FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'message not found' USING ERRCODE = 'P0002';
  END IF;
  SELECT m.* INTO failed FROM chat.messages m WHERE m.user_id = caller_id AND m.id = retry_message.id;
  PERFORM chat_private.check_retry(caller_id, failed);
  PERFORM chat_private.check_message_limit(caller_id);
  SELECT q.model, q.options INTO used_model, used_options FROM chat_private.llm_requests q
  WHERE q.user_id = caller_id AND q.message_id = retry_message.id;
  used_model := chat_private.resolve_model(caller_id, coalesce(used_model, failed.model));
  assistant_message_id := chat.uuid_v7();
  INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, status, model, created_at, updated_at)
  VALUES (caller_id, assistant_message_id, failed.conversation_id, failed.parent_id, 'assistant', 'pending', used_model,
          clock_timestamp(), clock_timestamp());
  request_id := chat_private.queue_reply(caller_id, failed.conversation_id, assistant_message_id, used_model, used_options);
END
$$;
COMMENT ON FUNCTION chat.retry_message(uuid) IS
'Asks again for the reply with this id, which ended as error, incomplete or cancelled: with the same model and options, as a
new message beside it, which becomes the end of the active branch. Sent when the transaction commits.
Errors: 28000 nobody is authenticated; 22004 id is NULL; P0002 no such message of mine; 22023 not a reply; 55000 the reply
is complete; 55006 a reply is still being generated; PC303 the user''s plan allows no more messages now; 42704 its model is gone;
42501 the user may not use it any more.';
