-- A whole turn in the caller's transaction: ask, wait, store both messages or nothing.

CREATE OR REPLACE FUNCTION chat_private.store_turn(user_id uuid, conversation_id uuid, parent_id uuid, content text,
  idempotency_key text, asked_at timestamptz, reply_id uuid, reply chat_private.completion) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  question_id uuid := chat.uuid_v7();
  answered_at timestamptz := clock_timestamp();
BEGIN
  INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, content, content_hash, idempotency_key,
                             created_at, updated_at, thinking, tool_calls, model, finish_reason,
                             input_tokens, output_tokens, cached_tokens, cost, latency_ms, first_token_ms)
  VALUES (store_turn.user_id, question_id, store_turn.conversation_id, store_turn.parent_id, 'user', store_turn.content,
          chat.content_hash(store_turn.content), store_turn.idempotency_key,
          store_turn.asked_at, store_turn.asked_at, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
         (store_turn.user_id, store_turn.reply_id, store_turn.conversation_id, question_id, 'assistant',
          coalesce((store_turn.reply).content, ''), chat.content_hash(coalesce((store_turn.reply).content, '')), NULL,
          answered_at, answered_at, (store_turn.reply).thinking, (store_turn.reply).tool_calls, (store_turn.reply).model,
          (store_turn.reply).finish_reason, (store_turn.reply).input_tokens, (store_turn.reply).output_tokens,
          (store_turn.reply).cached_tokens, (store_turn.reply).cost, (store_turn.reply).latency_ms,
          (store_turn.reply).first_token_ms);
  UPDATE chat.conversations c
  SET active_leaf_id = store_turn.reply_id, last_message_at = answered_at, updated_at = answered_at
  WHERE c.user_id = store_turn.user_id AND c.id = store_turn.conversation_id;
END
$$;
COMMENT ON FUNCTION chat_private.store_turn(uuid, uuid, uuid, text, text, timestamptz, uuid, chat_private.completion) IS
'Stores a question and its finished reply below parent_id, and makes the reply the conversation''s active leaf.';

CREATE OR REPLACE FUNCTION chat_private.earlier_answer(user_id uuid, conversation_id uuid, idempotency_key text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  turn record;
  answer record;
BEGIN
  SELECT t.* INTO turn FROM chat_private.find_turn(earlier_answer.user_id, earlier_answer.conversation_id,
                                                   earlier_answer.idempotency_key) t;
  IF turn.user_message_id IS NULL THEN
    RETURN NULL;
  END IF;
  SELECT m.content, m.status INTO answer FROM chat.messages m
  WHERE m.user_id = earlier_answer.user_id AND m.id = turn.assistant_message_id;
  IF answer.status IS DISTINCT FROM 'complete' THEN
    RAISE EXCEPTION 'the message with this idempotency_key has no complete reply' USING ERRCODE = '55006',
      HINT = 'Wait for its reply, or call chat.retry_message on it.';
  END IF;
  RETURN answer.content;
END
$$;
COMMENT ON FUNCTION chat_private.earlier_answer(uuid, uuid, text) IS
'The reply to the message that was stored with this key; NULL where there is no such message.
Errors: 55006 the reply is not complete.';

CREATE OR REPLACE FUNCTION chat.ask(conversation_id uuid, content text, parent_id uuid DEFAULT NULL,
  model text DEFAULT NULL, attachments jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL, options jsonb DEFAULT '{}',
  timeout_ms integer DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  asked_at timestamptz := clock_timestamp();
  reply_id uuid;
  branch chat_private.branch;
  messages jsonb := jsonb '[]';
  reply chat_private.completion;
  earlier text;
BEGIN
  PERFORM chat_private.check_turn(ask.conversation_id, ask.content, ask.attachments, ask.idempotency_key, ask.options);
  PERFORM chat_private.check_timeout(ask.timeout_ms);
  IF ask.idempotency_key IS NOT NULL THEN
    earlier := chat_private.earlier_answer(caller_id, ask.conversation_id, ask.idempotency_key);
    IF earlier IS NOT NULL THEN
      RETURN earlier;
    END IF;
  END IF;
  -- Nothing is locked or written until the reply is there.
  branch := chat_private.open_branch(caller_id, ask.conversation_id, ask.parent_id, false);
  PERFORM chat_private.check_message_limit(caller_id);
  IF branch.parent_id IS NOT NULL THEN
    messages := chat_private.build_context(caller_id, branch.parent_id);
  END IF;
  reply_id := chat.uuid_v7();
  reply := chat_private.complete_reply(
    ask.conversation_id, reply_id, messages || jsonb_build_object('role', 'user', 'content', ask.content),
    chat_private.resolve_model(caller_id, ask.model, branch.model), branch.system_prompt, coalesce(ask.options, '{}'),
    ask.timeout_ms);
  PERFORM chat_private.store_turn(caller_id, ask.conversation_id, branch.parent_id, ask.content, ask.idempotency_key,
                                  asked_at, reply_id, reply);
  RETURN reply.content;
END
$$;
COMMENT ON FUNCTION chat.ask(uuid, text, uuid, text, jsonb, text, jsonb, integer) IS
'Sends a message, waits for the reply and returns it, all in the caller''s transaction: a failure is raised, and then
nothing is stored. timeout_ms: milliseconds for the whole call, by default pgchat.request_timeout. The other arguments and
errors are those of chat.send_message; with an idempotency_key used before, the reply stored then is returned.
Errors besides: 22023 timeout_ms is not positive; 55006 the earlier reply to this key is not complete; 08001, 57014,
PC101 to PC110 as the call to the model fails.';
