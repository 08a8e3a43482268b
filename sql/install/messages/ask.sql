-- A whole turn in the caller's transaction: ask, wait, store both messages or nothing.

CREATE OR REPLACE FUNCTION chat_private.earlier_answer(user_id uuid, conversation_id uuid, idempotency_key text, on_duplicate text,
                                                       content text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  turn record;
  answer record;
BEGIN
  SELECT t.* INTO turn FROM chat_private.earlier_turn(earlier_answer.user_id, earlier_answer.conversation_id,
    earlier_answer.idempotency_key, earlier_answer.on_duplicate, earlier_answer.content) t;
  IF turn.user_message_id IS NULL THEN
    RETURN NULL;
  END IF;
  SELECT m.content, m.status INTO answer FROM chat.messages m
  WHERE m.user_id = earlier_answer.user_id AND m.id = turn.assistant_message_id;
  IF answer.status IS DISTINCT FROM 'complete' THEN
    RAISE EXCEPTION 'the message that was sent before has no complete reply' USING ERRCODE = '55006',
      HINT = 'Wait for its reply, or call chat.retry_message on it.';
  END IF;
  RETURN answer.content;
END
$$;
COMMENT ON FUNCTION chat_private.earlier_answer(uuid, uuid, text, text, text) IS
'The reply to the message that was stored with this key, or lately with this text where on_duplicate is return; NULL where there is
no such message.
Errors: 55006 the reply is not complete; PC309 there is one of this text, and on_duplicate is refuse.';

CREATE OR REPLACE FUNCTION chat.ask(conversation_id uuid, content text, parent_id uuid DEFAULT NULL,
  model text DEFAULT NULL, attachments jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL, options jsonb DEFAULT '{}',
  timeout_ms integer DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  asked_at timestamptz := clock_timestamp();
  answered_at timestamptz;
  question_id uuid;
  reply_id uuid;
  turn chat_private.turn;
  reply chat_private.completion;
  earlier text;
  told jsonb;
  own chat_private.turn_options;
  leaf_id uuid;
  prompt text;
  answering_model text;
  messages json;
  is_plain boolean;
  is_limited boolean;
  title_source text;
BEGIN
  IF ask.options ?| ARRAY['when_busy', 'on_duplicate'] THEN
    own := chat_private.turn_options(ask.options);
    IF own.when_busy = 'queue' THEN
      RAISE EXCEPTION 'chat.ask cannot wait for another reply: the option when_busy can only be refuse' USING ERRCODE = '22023',
        HINT = 'chat.send_message and chat.send_and_wait queue a message.';
    END IF;
    ask.options := ask.options - ARRAY['when_busy', 'on_duplicate'];
  END IF;
  PERFORM chat_private.check_turn(ask.conversation_id, ask.content, ask.idempotency_key, ask.options, ask.timeout_ms,
                                  chat_private.has_files(ask.attachments));
  IF ask.attachments IS NOT NULL THEN
    own.on_duplicate := NULL;
  END IF;
  IF ask.idempotency_key IS NOT NULL OR own.on_duplicate <> 'allow' THEN
    earlier := chat_private.earlier_answer(caller_id, ask.conversation_id, ask.idempotency_key, own.on_duplicate, ask.content);
    IF earlier IS NOT NULL THEN
      RETURN earlier;
    END IF;
  END IF;
  -- Nothing is locked or written until the reply is there. The usual turn takes one query: a plain branch, and a model that the
  -- user may ask as often as he likes; any other, and every error, is for the functions below it. What they refuse is not read.
  IF ask.attachments IS NULL THEN
    SELECT c.leaf_id, c.system_prompt, c.answering_model, c.is_limited, b.messages, b.is_plain AND c.is_usable AND NOT c.is_limited
    INTO leaf_id, prompt, answering_model, is_limited, messages, is_plain
    FROM (SELECT c.user_id, c.id, coalesce(ask.parent_id, c.active_leaf_id) AS leaf_id, c.system_prompt, f.name AS answering_model,
                 f.context_window, f.is_usable, l.is_limited
          FROM chat.conversations c, LATERAL chat_private.find_model(c.user_id, coalesce(ask.model, c.model)) f,
               LATERAL chat_private.message_limits(c.user_id) l
          WHERE c.user_id = caller_id AND c.id = ask.conversation_id OFFSET 0) c,
         LATERAL chat_private.plain_branch(c.user_id, CASE WHEN c.is_usable AND NOT c.is_limited THEN c.id END, c.leaf_id,
                                           c.context_window, chat_private.fixed_tokens(c.system_prompt, ask.options, ask.content),
                                           true) b;
  END IF;
  IF is_plain IS NOT TRUE THEN
    turn := chat_private.open_turn(caller_id, ask.conversation_id, ask.parent_id, ask.model, false);
    leaf_id := turn.parent_id;
    prompt := turn.system_prompt;
    answering_model := turn.model;
    IF is_limited THEN
      SELECT b.messages, b.is_plain INTO messages, is_plain
      FROM (SELECT (SELECT m.context_window FROM chat.models m WHERE m.name = answering_model) AS context_window OFFSET 0) w,
           LATERAL chat_private.plain_branch(caller_id, ask.conversation_id, leaf_id, w.context_window,
                                             chat_private.fixed_tokens(prompt, ask.options, ask.content), true) b;
    END IF;
  END IF;
  IF is_plain IS NOT TRUE THEN
    IF ask.attachments IS NOT NULL THEN
      told := chat_private.given_parts(caller_id, ask.content, ask.attachments, chat_private.takes_images(answering_model));
    END IF;
    turn := chat_private.tell_turn(turn, caller_id, ask.conversation_id,
                                   CASE WHEN told IS NULL THEN ask.content ELSE chat_private.text_of_parts(told) END, ask.options,
                                   ask.timeout_ms);
    IF told IS NOT NULL THEN
      turn.messages := coalesce(turn.messages, '[]') || jsonb_build_array(jsonb_build_object('role', 'user', 'content', told));
    END IF;
    messages := turn.messages;
  END IF;
  question_id := chat.uuid_v7();
  reply_id := chat.uuid_v7();
  reply := chat_private.complete_reply(ask.conversation_id, reply_id, messages,
                                       CASE WHEN ask.attachments IS NULL THEN ask.content END, answering_model, prompt,
                                       ask.options, ask.timeout_ms);
  answered_at := clock_timestamp();
  IF own.on_duplicate <> 'allow' THEN
    -- Again, for what was stored while the model answered; the lock keeps two from both finding nothing.
    PERFORM FROM chat.conversations c WHERE c.user_id = caller_id AND c.id = ask.conversation_id FOR NO KEY UPDATE;
    earlier := chat_private.earlier_answer(caller_id, ask.conversation_id, NULL, own.on_duplicate, ask.content);
    IF earlier IS NOT NULL THEN
      RETURN earlier;
    END IF;
  END IF;
  UPDATE chat.conversations c
  SET active_leaf_id = reply_id, last_message_at = answered_at, updated_at = answered_at, last_reply_at = answered_at,
      last_read_at = answered_at
  WHERE c.user_id = caller_id AND c.id = ask.conversation_id
  RETURNING c.title_source INTO title_source;
  IF NOT FOUND THEN
    -- It was deleted, or given away, while the model answered.
    PERFORM chat_private.conversation_not_found();
  END IF;
  INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, content, content_hash, idempotency_key,
                             created_at, updated_at, thinking, tool_calls, model, finish_reason,
                             input_tokens, output_tokens, cached_tokens, cost, latency_ms, first_token_ms,
                             metadata)
  VALUES (caller_id, question_id, ask.conversation_id, leaf_id, 'user', ask.content, chat.content_hash(ask.content),
          ask.idempotency_key, asked_at, asked_at, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}'),
         (caller_id, reply_id, ask.conversation_id, question_id, 'assistant', reply.content,
          chat.content_hash(reply.content), NULL, answered_at, answered_at, reply.thinking, reply.tool_calls, reply.model,
          reply.finish_reason, reply.input_tokens, reply.output_tokens, reply.cached_tokens, reply.cost, reply.latency_ms,
          reply.first_token_ms, CASE WHEN reply.sanitized THEN jsonb '{"sanitized": true}' ELSE '{}' END);
  IF ask.attachments IS NOT NULL THEN
    PERFORM chat_private.attach(caller_id, question_id, ask.attachments);
  END IF;
  IF turn.summaries IS NOT NULL THEN
    PERFORM chat_private.store_summaries(caller_id, ask.conversation_id, turn.summaries);
  END IF;
  IF title_source = 'default' THEN
    PERFORM chat_private.title_from_first_message(caller_id, ask.conversation_id, ask.content, NULL);
  END IF;
  RETURN reply.content;
END
$$;
COMMENT ON FUNCTION chat.ask(uuid, text, uuid, text, jsonb, text, jsonb, integer) IS
'Sends a message, waits for the reply and returns it, all in the caller''s transaction: a failure is raised, and then
nothing is stored. timeout_ms: milliseconds for the whole call, by default pgchat.request_timeout. The other arguments and
errors are those of chat.send_message; with an idempotency_key used before, the reply stored then is returned.
The option when_busy can only be refuse. Where the conversation''s strategy is summarize and a summary is needed, it is written
first, by a call of its own.
Errors besides: PC110 the model''s context window is too small; 22023 timeout_ms is not positive, or when_busy is queue; 55006 the earlier reply to this key is not complete; 08001, 57014,
PC101 to PC112 as the call to the model fails.';
