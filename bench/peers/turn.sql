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
  parent record;
  history jsonb := '[]';
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
  SELECT c.active_leaf_id, c.system_prompt, f.name, f.is_usable, l.is_limited INTO conversation
  FROM chat.conversations c, LATERAL chat_private.find_model(c.user_id, c.model) f,
       LATERAL chat_private.message_limits(c.user_id) l
  WHERE c.user_id = caller_id AND c.id = turn.conversation_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'conversation not found' USING ERRCODE = 'P0002';
  ELSIF conversation.is_limited THEN
    RAISE EXCEPTION 'the plan limits messages, which this function does not count' USING ERRCODE = '0A000';
  ELSIF conversation.is_usable IS NOT TRUE THEN
    RAISE EXCEPTION 'no such model' USING ERRCODE = '42704';
  END IF;
  IF conversation.active_leaf_id IS NOT NULL THEN
    SELECT m.status, m.conversation_id INTO parent FROM chat.messages m
    WHERE m.user_id = caller_id AND m.id = conversation.active_leaf_id;
    IF parent.conversation_id IS DISTINCT FROM turn.conversation_id OR parent.status IN ('pending', 'streaming') THEN
      RAISE EXCEPTION 'the message before this one is not usable' USING ERRCODE = '55006';
    END IF;
    WITH RECURSIVE branch AS (
      SELECT m.parent_id, m.role, m.content, m.tool_calls, m.tool_call_id, 1 AS depth FROM chat.messages m
      WHERE m.user_id = caller_id AND m.id = conversation.active_leaf_id
      UNION ALL
      SELECT p.parent_id, p.role, p.content, p.tool_calls, p.tool_call_id, b.depth + 1
      FROM branch b, LATERAL (SELECT m.* FROM chat.messages m WHERE m.user_id = caller_id AND m.id = b.parent_id OFFSET 0) p
    )
    SELECT coalesce(jsonb_agg(jsonb_build_object('role', b.role, 'content', b.content) ORDER BY b.depth DESC), '[]')
    INTO history FROM branch b WHERE b.role <> 'assistant' OR b.content <> '' OR b.tool_calls IS NOT NULL;
  END IF;
  INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, content, content_hash, created_at, updated_at,
                             model, finish_reason, input_tokens, output_tokens, cached_tokens, latency_ms, first_token_ms)
  VALUES (caller_id, question_id, turn.conversation_id, conversation.active_leaf_id, 'user', turn.content,
          chat.content_hash(turn.content), asked_at, asked_at, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
         (caller_id, reply_id, turn.conversation_id, question_id, 'assistant', reply, chat.content_hash(reply),
          clock_timestamp(), clock_timestamp(), conversation.name, 'stop', jsonb_array_length(history) + 1, 8, 0, 1, 1);
  UPDATE chat.conversations c
  SET active_leaf_id = reply_id, last_message_at = clock_timestamp(), updated_at = clock_timestamp()
  WHERE c.user_id = caller_id AND c.id = turn.conversation_id;
  IF turn.with_usage THEN
    INSERT INTO chat.usage_events (user_id, request_id, conversation_id, message_id, model, provider, input_tokens,
                                   output_tokens, cached_tokens, outcome, latency_ms, first_token_ms)
    VALUES (caller_id, chat.uuid_v7(), turn.conversation_id, reply_id, conversation.name, 'mock', jsonb_array_length(history) + 1, 8, 0,
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
