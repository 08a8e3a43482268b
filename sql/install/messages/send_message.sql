-- Sending a message: what is checked first, and the turn that is stored and queued in the caller's transaction.

CREATE OR REPLACE FUNCTION chat_private.check_content(content text, has_files boolean DEFAULT false) RETURNS void
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgchat_check_content';
COMMENT ON FUNCTION chat_private.check_content(text, boolean) IS
'Errors: 22004 NULL; 2200F empty or blank, unless the message has files; 54000 longer than pgchat.max_message_bytes.';

CREATE OR REPLACE FUNCTION chat_private.check_options(options jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF jsonb_typeof(check_options.options) <> 'object' THEN
    RAISE EXCEPTION 'options must be a JSON object' USING ERRCODE = 'PC002',
      HINT = 'For example {"temperature": 0.2, "max_tokens": 500}.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_options(jsonb) IS 'Errors: PC002 not a JSON object. NULL passes.';

CREATE OR REPLACE FUNCTION chat_private.has_files(attachments jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(jsonb_typeof(attachments) = 'array' AND attachments <> '[]', false);
COMMENT ON FUNCTION chat_private.has_files(jsonb) IS 'Whether the argument attachments of a turn names a file, so that its text may be blank.';

CREATE OR REPLACE FUNCTION chat_private.check_turn(conversation_id uuid, content text, idempotency_key text, options jsonb,
                                                   timeout_ms integer DEFAULT NULL, has_files boolean DEFAULT false) RETURNS void
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgchat_check_turn';
COMMENT ON FUNCTION chat_private.check_turn(uuid, text, text, jsonb, integer, boolean) IS
'The checks of a turn that need no table. has_files: content may be blank.
Errors: 22004, 2200F, 54000, PC002, 22023.';

CREATE OR REPLACE FUNCTION chat_private.wait_for_branch(user_id uuid, message_id uuid, may_wait boolean) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  busy_id uuid := chat_private.busy_reply(wait_for_branch.user_id, wait_for_branch.message_id);
BEGIN
  IF busy_id IS NOT NULL AND NOT wait_for_branch.may_wait THEN
    RAISE EXCEPTION 'the reply before this message is still being generated' USING ERRCODE = '55006',
      HINT = 'Wait for it, or call chat.cancel_message on it first; chat.send_message with options {"when_busy": "queue"} waits by itself.';
  END IF;
  -- It may end while its row is waited for, and let one above it be seen: a waiting one that was cancelled.
  WHILE busy_id IS NOT NULL AND NOT chat_private.hold_open(wait_for_branch.user_id, busy_id) LOOP
    busy_id := chat_private.busy_reply(wait_for_branch.user_id, wait_for_branch.message_id);
  END LOOP;
  RETURN busy_id;
END
$$;
COMMENT ON FUNCTION chat_private.wait_for_branch(uuid, uuid, boolean) IS
'The reply in progress on the branch that ends with a message, held so that it cannot end before the transaction; NULL: none is.
Errors: 55006 there is one, and may_wait is false.';

CREATE OR REPLACE FUNCTION chat_private.open_turn(user_id uuid, conversation_id uuid, parent_id uuid, model text,
                                                  is_durable boolean, may_wait boolean DEFAULT false)
RETURNS chat_private.turn
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  turn chat_private.turn;
  model_is_usable boolean;
  is_limited boolean;
  parent record;
BEGIN
  IF open_turn.is_durable THEN
    SELECT coalesce(open_turn.parent_id, c.active_leaf_id), c.system_prompt, f.name, f.is_usable, l.is_limited
    INTO turn.parent_id, turn.system_prompt, turn.model, model_is_usable, is_limited
    -- Locked before its model is looked up: who changed it while this waited is followed.
    FROM (SELECT c.user_id, c.active_leaf_id, c.system_prompt, c.model FROM chat.conversations c
          WHERE c.user_id = open_turn.user_id AND c.id = open_turn.conversation_id
          FOR NO KEY UPDATE) c, LATERAL chat_private.find_model(c.user_id, coalesce(open_turn.model, c.model)) f,
         LATERAL chat_private.message_limits(c.user_id) l;
  ELSE
    SELECT coalesce(open_turn.parent_id, c.active_leaf_id), c.system_prompt, f.name, f.is_usable, l.is_limited
    INTO turn.parent_id, turn.system_prompt, turn.model, model_is_usable, is_limited
    FROM chat.conversations c, LATERAL chat_private.find_model(c.user_id, coalesce(open_turn.model, c.model)) f,
         LATERAL chat_private.message_limits(c.user_id) l
    WHERE c.user_id = open_turn.user_id AND c.id = open_turn.conversation_id;
  END IF;
  IF NOT FOUND THEN
    PERFORM chat_private.conversation_not_found();
  END IF;
  IF turn.parent_id IS NOT NULL THEN
    -- Its conversation is compared afterwards, so that only the key can find the row.
    SELECT m.role, m.status, m.conversation_id INTO parent FROM chat.messages m
    WHERE m.user_id = open_turn.user_id AND m.id = turn.parent_id;
    IF parent.conversation_id IS DISTINCT FROM open_turn.conversation_id THEN
      RAISE EXCEPTION 'parent message not found in this conversation' USING ERRCODE = 'P0002',
        HINT = 'chat.list_messages shows the messages there are; NULL continues after the last.';
    ELSIF parent.role <> 'assistant' OR parent.status IN ('pending', 'streaming', 'cancelled') THEN
      -- Below a reply in progress there are questions, and replies that wait or were cancelled while they did: no others.
      turn.waits_for := chat_private.wait_for_branch(open_turn.user_id, turn.parent_id, open_turn.may_wait);
    END IF;
  END IF;
  IF is_limited THEN
    PERFORM chat_private.check_message_limit(open_turn.user_id);
  END IF;
  IF model_is_usable IS NOT TRUE THEN
    PERFORM chat_private.resolve_model(open_turn.user_id, turn.model);
  END IF;
  RETURN turn;
END
$$;
COMMENT ON FUNCTION chat_private.open_turn(uuid, uuid, uuid, text, boolean, boolean) IS
'Where a message goes that continues the active branch, or parent_id where given, and the model that answers it: the one
given, else the conversation''s, else the user''s, else the installation''s. is_durable: the conversation is locked, so that
its turns are stored one after the other. Its messages are left NULL. may_wait: where a reply above is in progress, it is waits_for,
and cannot end before this transaction; else that is refused. The caller must have switched enable_seqscan off.
Errors: P0002 no such conversation, or no such parent in it; 55006 a reply above is in progress; 42704 the model does
not exist or is not active; 42501 the user may not use it; PC003 there is none; PC303 the user''s plan allows no more messages now.';

CREATE OR REPLACE FUNCTION chat_private.queue_reply(user_id uuid, conversation_id uuid, message_id uuid, model text,
                                                    options jsonb, waits_for uuid DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  new_id uuid := chat.uuid_v7();
  title_source text;
  strategy text;
BEGIN
  UPDATE chat.conversations c
  SET active_leaf_id = queue_reply.message_id, last_message_at = clock_timestamp(), updated_at = clock_timestamp(),
      last_read_at = clock_timestamp()
  WHERE c.user_id = queue_reply.user_id AND c.id = queue_reply.conversation_id
  RETURNING c.title_source, coalesce(c.context_strategy, (SELECT s.value #>> '{}' FROM chat.settings s WHERE s.key = 'context_strategy'))
  INTO title_source, strategy;
  IF strategy <> 'truncate_oldest' THEN
    queue_reply.waits_for := chat_private.make_room(queue_reply.user_id, queue_reply.conversation_id, queue_reply.message_id,
                                                    queue_reply.model, queue_reply.options, queue_reply.waits_for);
  END IF;
  INSERT INTO chat_private.llm_requests (user_id, id, message_id, conversation_id, model, options, state, queued_at, waits_for)
  VALUES (queue_reply.user_id, new_id, queue_reply.message_id, queue_reply.conversation_id, queue_reply.model,
          coalesce(queue_reply.options, '{}'), CASE WHEN queue_reply.waits_for IS NULL THEN 'queued' ELSE 'waiting' END,
          CASE WHEN queue_reply.waits_for IS NULL THEN clock_timestamp() END, queue_reply.waits_for);
  IF title_source = 'default' THEN
    PERFORM chat_private.title_from_turn(queue_reply.user_id, queue_reply.conversation_id, queue_reply.message_id);
  END IF;
  PERFORM chat_private.wake_engine();
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION chat_private.queue_reply(uuid, uuid, uuid, text, jsonb, uuid) IS
'Queues the request for a reply whose pending row exists, or has it wait for another message, or for a summary, to end, and makes
that row the conversation''s active leaf, which counts as read so far and, if it has no title yet, gets one by its rule.
Errors: PC110 the model''s context window is too small, where the conversation''s strategy is error or summarize.';

CREATE OR REPLACE FUNCTION chat_private.find_turn(user_id uuid, conversation_id uuid, idempotency_key text,
  OUT user_message_id uuid, OUT assistant_message_id uuid, OUT request_id uuid)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  SELECT m.id, r.id, q.id INTO find_turn.user_message_id, find_turn.assistant_message_id, find_turn.request_id
  FROM chat.messages m
  LEFT JOIN chat.messages r ON r.user_id = m.user_id AND r.parent_id = m.id AND r.role = 'assistant'
  LEFT JOIN chat_private.llm_requests q ON q.user_id = r.user_id AND q.message_id = r.id
  WHERE m.user_id = find_turn.user_id AND m.conversation_id = find_turn.conversation_id
    AND m.idempotency_key = find_turn.idempotency_key
  ORDER BY r.id LIMIT 1;
END
$$;
COMMENT ON FUNCTION chat_private.find_turn(uuid, uuid, text) IS
'The ids of the turn that was stored with this key, or NULLs.';

CREATE OR REPLACE FUNCTION chat.send_message(conversation_id uuid, content text, parent_id uuid DEFAULT NULL,
  model text DEFAULT NULL, attachments jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL, options jsonb DEFAULT '{}',
  OUT user_message_id uuid, OUT assistant_message_id uuid, OUT request_id uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  sent_at timestamptz := clock_timestamp();
  turn chat_private.turn;
  own chat_private.turn_options;
BEGIN
  IF send_message.options ?| ARRAY['when_busy', 'on_duplicate'] THEN
    own := chat_private.turn_options(send_message.options);
    send_message.options := send_message.options - ARRAY['when_busy', 'on_duplicate'];
  END IF;
  PERFORM chat_private.check_turn(send_message.conversation_id, send_message.content, send_message.idempotency_key,
                                  send_message.options, has_files => chat_private.has_files(send_message.attachments));
  IF send_message.idempotency_key IS NOT NULL OR own.on_duplicate <> 'allow' THEN
    -- The lock comes before the look, so that the second of two simultaneous calls sees what the first stored.
    PERFORM FROM chat.conversations c
    WHERE c.user_id = caller_id AND c.id = send_message.conversation_id FOR NO KEY UPDATE;
    SELECT t.* INTO send_message.user_message_id, send_message.assistant_message_id, send_message.request_id
    FROM chat_private.earlier_turn(caller_id, send_message.conversation_id, send_message.idempotency_key,
                                   CASE WHEN send_message.attachments IS NULL THEN own.on_duplicate END, send_message.content) t;
    IF user_message_id IS NOT NULL THEN
      RETURN;
    END IF;
  END IF;
  turn := chat_private.open_turn(caller_id, send_message.conversation_id, send_message.parent_id, send_message.model, true,
                                 coalesce(own.when_busy = 'queue', false));
  user_message_id := chat.uuid_v7();
  assistant_message_id := chat.uuid_v7();
  INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, status, content, content_hash, model,
                             idempotency_key, created_at, updated_at)
  VALUES (caller_id, user_message_id, send_message.conversation_id, turn.parent_id, 'user', 'complete',
          send_message.content, chat.content_hash(send_message.content), NULL,
          send_message.idempotency_key, sent_at, sent_at),
         (caller_id, assistant_message_id, send_message.conversation_id, user_message_id, 'assistant', 'pending',
          '', NULL, turn.model,
          NULL, sent_at + '1 microsecond', sent_at + '1 microsecond');
  IF send_message.attachments IS NOT NULL THEN
    PERFORM chat_private.attach(caller_id, user_message_id, send_message.attachments);
  END IF;
  request_id := chat_private.queue_reply(caller_id, send_message.conversation_id, assistant_message_id, turn.model,
                                         send_message.options, turn.waits_for);
END
$$;
COMMENT ON FUNCTION chat.send_message(uuid, text, uuid, text, jsonb, text, jsonb) IS
'Stores a message and a pending reply to it, and queues the request, which is sent when the transaction commits; the reply
is then read with chat.stream_message, chat.read_stream or chat.list_messages, and carries status error if the model fails.
parent_id: the message to continue from, by default the end of the active branch. model: by default the conversation''s,
else the user''s, else the installation''s. idempotency_key: 1 to 255 characters; a second call with the same key in the
same conversation stores nothing and returns the ids of the first. options: temperature, max_tokens, … as for
chat.llm_complete, and two that no model is told of: when_busy, what is done while the reply before it is still being generated
("refuse" it, or "queue" it: message and reply are stored, and the reply is sent once the one before has ended, in any way), and
on_duplicate, what is done where the conversation has a message of the same text, without files, sent within the setting
duplicate_window ("allow", "refuse", or "return" the ids of that message and its newest reply). attachments: an array of at most
20 files, each {"attachment_id"} as chat.add_attachment gave it, {"data": base64 or a data URL, "media_type"}, both with "name", or a data URL
alone. A model is sent images where it takes them, and quoted texts.
Errors: 28000 nobody is authenticated; 22004 conversation_id or content is NULL; 2200F empty, and without files; 54000 longer than
pgchat.max_message_bytes; P0002 no such conversation of mine, or no such parent in it; 42704 no such model; 42501 it
is not open to the user; PC003 no default model; PC002 options; 22023 idempotency_key; 55006 the reply before it is still being generated; PC303 the plan
allows no more messages now; PC309 on_duplicate is refuse, and there is such a message; PC110 the
conversation''s strategy is error, or summarize, and the model''s context window is too small; for attachments 22023 not of the
form, damaged or not of the type said, 54000 too many or too large, P0002 no such file of mine, PC308 no room for a new one.';
