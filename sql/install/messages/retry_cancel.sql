-- Replies that failed or are no longer wanted: trying again, and stopping.

CREATE OR REPLACE FUNCTION chat_private.not_sent() RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN jsonb '{"code": "cancelled", "sqlstate": "57014", "message": "cancelled before it was sent"}';
COMMENT ON FUNCTION chat_private.not_sent() IS 'The error of a request that was cancelled before it was sent.';

CREATE OR REPLACE FUNCTION chat_private.close_unsent(user_id uuid, message_id uuid) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
  UPDATE chat.messages m
  SET status = 'cancelled', error = chat_private.not_sent(), content_hash = chat.content_hash(m.content), updated_at = clock_timestamp()
  WHERE m.user_id = close_unsent.user_id AND m.id = close_unsent.message_id
$$;
COMMENT ON FUNCTION chat_private.close_unsent(uuid, uuid) IS 'Ends a reply whose request was cancelled before it was sent. NULL: nothing.';

CREATE OR REPLACE FUNCTION chat_private.cancel_request(user_id uuid, request_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  reply_id uuid;
BEGIN
  -- One that waits may be queued by the time it is held.
  IF chat_private.cancel_waiting(cancel_request.user_id, cancel_request.request_id) THEN
    RETURN true;
  END IF;
  UPDATE chat_private.llm_requests q
  SET state = 'cancelled', queued_at = NULL, finished_at = clock_timestamp(), error = chat_private.not_sent()
  WHERE q.user_id = cancel_request.user_id AND q.id = cancel_request.request_id AND q.queued_at IS NOT NULL
  RETURNING q.message_id INTO reply_id;
  IF NOT FOUND THEN
    RETURN chat_private.cancel_call(cancel_request.user_id, cancel_request.request_id);
  END IF;
  PERFORM chat_private.close_unsent(cancel_request.user_id, reply_id);
  PERFORM chat_private.release_waiting(ARRAY[cancel_request.user_id], ARRAY[reply_id], ARRAY[cancel_request.request_id]);
  RETURN true;
END
$$;
COMMENT ON FUNCTION chat_private.cancel_request(uuid, uuid) IS
'Takes a request out of the queue, or from those that wait, or has the engine abort it. False: it has ended already.';

CREATE OR REPLACE FUNCTION chat_private.cancel_requests(user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  request_id uuid;
BEGIN
  -- The waiting ones first and the newest of them before those that it waits for, so that none is let go only to be cancelled.
  FOR request_id IN
    SELECT q.id FROM chat_private.llm_requests q
    WHERE q.user_id = cancel_requests.user_id AND q.state IN ('waiting', 'queued', 'running')
    ORDER BY q.state <> 'waiting', q.id DESC
  LOOP
    PERFORM chat_private.cancel_request(cancel_requests.user_id, request_id);
  END LOOP;
END
$$;
COMMENT ON FUNCTION chat_private.cancel_requests(uuid) IS
'Calls off all durable requests of a user, waiting, queued or under way, as whom the caller acts.
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
    PERFORM chat_private.message_not_found();
  END IF;
  RETURN found_status IN ('pending', 'streaming') AND pending_request IS NOT NULL
         AND chat_private.cancel_request(caller_id, pending_request);
END
$$;
COMMENT ON FUNCTION chat.cancel_message(uuid) IS
'Stops the reply with this id: a queued or waiting one is not sent, one in progress is aborted and keeps the text it has. What
waits for it goes on. True if it was stopped, false if it had ended already.
Errors: 28000 nobody is authenticated; 22004 id is NULL; P0002 no such message of mine; 57P03 it is under way, and no engine.';

CREATE OR REPLACE FUNCTION chat_private.check_retry(message chat.messages) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
BEGIN
  IF check_retry.message.role <> 'assistant' THEN
    RAISE EXCEPTION 'only a reply can be retried' USING ERRCODE = '22023', HINT = 'Pass the id of an assistant message.';
  ELSIF check_retry.message.status = 'complete' THEN
    RAISE EXCEPTION 'the reply is complete' USING ERRCODE = '55000',
      HINT = 'Only a failed or stopped reply is retried; chat.regenerate_message asks for another one.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_retry(chat.messages) IS 'Errors: 22023 not a reply; 55000 a complete one.';

CREATE OR REPLACE FUNCTION chat.retry_message(id uuid, OUT assistant_message_id uuid, OUT request_id uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  failed chat.messages := chat_private.lock_message(caller_id, retry_message.id);
BEGIN
  PERFORM chat_private.check_retry(failed);
  SELECT a.* INTO retry_message.assistant_message_id, retry_message.request_id
  FROM chat_private.ask_again(caller_id, failed.conversation_id, failed.parent_id, failed, same_model => true) a;
END
$$;
COMMENT ON FUNCTION chat.retry_message(uuid) IS
'Asks again for the reply with this id, which ended as error, incomplete or cancelled: with the same model and options, as a
new message beside it, which becomes the end of the active branch. Sent when the transaction commits.
Errors: 28000 nobody is authenticated; 22004 id is NULL; P0002 no such message of mine; 22023 not a reply; 55000 the reply
is complete; 55006 a reply is still being generated; PC303 the user''s plan allows no more messages now; 42704 its model is gone;
42501 the user may not use it any more; PC110 as for chat.send_message.';
