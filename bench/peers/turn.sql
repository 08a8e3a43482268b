-- bench.turn: what chat.ask checks, reads and writes, as one plpgsql function that asks no model. Owned by pgchat_owner, so
-- that the same row policies bind it. with_usage: also the row of chat.usage_events, which the engine writes for chat.ask in
-- a transaction of its own.
CREATE OR REPLACE FUNCTION bench.turn(conversation_id uuid, content text, with_usage boolean) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat.current_user_id();
  asked_at timestamptz := clock_timestamp();
  question_id uuid := chat.uuid_v7();
  reply_id uuid := chat.uuid_v7();
  reply CONSTANT text := 'w0 w1 w2 w3 w4 w5 w6 w7 ';
  conversation record;
  input_tokens integer;
  answered_at timestamptz;
  title_source text;
BEGIN
  IF caller_id IS NULL THEN
    RAISE EXCEPTION 'no user is authenticated' USING ERRCODE = '28000';
  ELSIF turn.conversation_id IS NULL OR turn.content IS NULL THEN
    RAISE EXCEPTION 'an argument is null' USING ERRCODE = '22004';
  ELSIF btrim(left(turn.content, 100), E' \t\r\n') = '' AND turn.content !~ '\S' THEN
    RAISE EXCEPTION 'the message is empty' USING ERRCODE = '2200F';
  ELSIF octet_length(turn.content) > pg_size_bytes(current_setting('pgchat.max_message_bytes')) THEN
    RAISE EXCEPTION 'the message is too long' USING ERRCODE = '54000';
  END IF;
  SELECT c.leaf_id, c.system_prompt, c.answering_model, b.messages, b.is_plain AND c.is_usable AND NOT c.is_limited AS is_usual
  INTO conversation
  FROM (SELECT c.user_id, c.id, c.active_leaf_id AS leaf_id, c.system_prompt, f.name AS answering_model, f.context_window,
               f.is_usable, l.is_limited
        FROM chat.conversations c, LATERAL chat_private.find_model(c.user_id, c.model) f,
             LATERAL chat_private.message_limits(c.user_id) l
        WHERE c.user_id = caller_id AND c.id = turn.conversation_id OFFSET 0) c,
       LATERAL chat_private.plain_branch(c.user_id, CASE WHEN c.is_usable AND NOT c.is_limited THEN c.id END, c.leaf_id,
                                         c.context_window, chat_private.fixed_tokens(c.system_prompt, '{}', turn.content), true) b;
  IF conversation.is_usual IS NOT TRUE THEN
    RAISE EXCEPTION 'the turn is not a usual one, for which this function is made' USING ERRCODE = '0A000';
  END IF;
  input_tokens := coalesce(json_array_length(conversation.messages), 0) + 1;
  answered_at := clock_timestamp();
  INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, content, content_hash, created_at, updated_at,
                             model, finish_reason, input_tokens, output_tokens, cached_tokens, latency_ms, first_token_ms)
  VALUES (caller_id, question_id, turn.conversation_id, conversation.leaf_id, 'user', turn.content,
          chat.content_hash(turn.content), asked_at, asked_at, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
         (caller_id, reply_id, turn.conversation_id, question_id, 'assistant', reply, chat.content_hash(reply),
          answered_at, answered_at, conversation.answering_model, 'stop', input_tokens, 8, 0, 1, 1);
  UPDATE chat.conversations c
  SET active_leaf_id = reply_id, last_message_at = answered_at, updated_at = answered_at, last_reply_at = answered_at,
      last_read_at = answered_at
  WHERE c.user_id = caller_id AND c.id = turn.conversation_id
  RETURNING c.title_source INTO title_source;
  IF title_source = 'default' THEN
    RAISE EXCEPTION 'the conversation has no title, which this function does not give' USING ERRCODE = '0A000';
  END IF;
  IF turn.with_usage THEN
    INSERT INTO chat.usage_events (user_id, request_id, conversation_id, message_id, model, provider, input_tokens,
                                   output_tokens, cached_tokens, outcome, latency_ms, first_token_ms)
    VALUES (caller_id, chat.uuid_v7(), turn.conversation_id, reply_id, conversation.answering_model, 'mock', input_tokens, 8, 0,
            'complete', 1, 1);
  END IF;
  RETURN reply;
END
$$;
GRANT CREATE ON SCHEMA bench TO pgchat_owner;
ALTER FUNCTION bench.turn(uuid, text, boolean) OWNER TO pgchat_owner;
REVOKE CREATE ON SCHEMA bench FROM pgchat_owner;
GRANT INSERT ON chat.usage_events TO pgchat_owner;
GRANT EXECUTE ON FUNCTION bench.turn(uuid, text, boolean) TO bench_app;
