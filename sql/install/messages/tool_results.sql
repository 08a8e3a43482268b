-- Tools in a conversation: the results of the calls that a reply asks for, and the reply that goes on from them.

CREATE OR REPLACE FUNCTION chat_private.check_tool_results(tool_calls jsonb, results jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  hint CONSTANT text := 'For example [{"tool_call_id": "call_1", "content": "-3 degrees"}]; one for each call.';
  wrong text;
BEGIN
  IF jsonb_typeof(check_tool_results.results) IS DISTINCT FROM 'array' THEN
    RAISE EXCEPTION 'results must be an array' USING ERRCODE = '22023', HINT = hint;
  END IF;
  PERFORM FROM jsonb_array_elements(check_tool_results.results) r
  WHERE jsonb_typeof(r) <> 'object' OR jsonb_typeof(r -> 'tool_call_id') IS DISTINCT FROM 'string'
     OR jsonb_typeof(r -> 'content') IS DISTINCT FROM 'string';
  IF FOUND THEN
    RAISE EXCEPTION 'each of results must have tool_call_id and content, both strings' USING ERRCODE = '22023', HINT = hint;
  END IF;
  SELECT left(r ->> 'tool_call_id', 100) INTO wrong FROM jsonb_array_elements(check_tool_results.results) r
  WHERE octet_length(r ->> 'content') > chat_private.max_message_bytes();
  IF FOUND THEN
    RAISE EXCEPTION 'the result of call "%" has more than % bytes', wrong, chat_private.max_message_bytes() USING ERRCODE = '54000',
      HINT = 'Shorten it, or have an administrator raise pgchat.max_message_bytes.';
  END IF;
  SELECT left(coalesce(c.id, r.id), 100) INTO wrong
  FROM (SELECT e ->> 'id' AS id, count(*) FROM jsonb_array_elements(check_tool_results.tool_calls) e GROUP BY 1) c
  FULL JOIN (SELECT e ->> 'tool_call_id' AS id, count(*) FROM jsonb_array_elements(check_tool_results.results) e GROUP BY 1) r
    ON r.id = c.id
  WHERE c.count IS DISTINCT FROM r.count;
  IF FOUND THEN
    RAISE EXCEPTION 'results must have one for each call of the message; "%" has none, or is no call of it', wrong
      USING ERRCODE = '22023', HINT = 'The calls are in the message''s tool_calls.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_tool_results(jsonb, jsonb) IS
'Errors: 22023 results is not an array of {tool_call_id, content} with one for each of tool_calls; 54000 a content is too long.';

CREATE OR REPLACE FUNCTION chat.send_tool_results(message_id uuid, results jsonb, model text DEFAULT NULL, options jsonb DEFAULT '{}',
  OUT tool_message_ids uuid[], OUT assistant_message_id uuid, OUT request_id uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  sent_at timestamptz := clock_timestamp();
  caller_message record;
  turn chat_private.turn;
  result record;
  parent uuid := send_tool_results.message_id;
  new_id uuid;
BEGIN
  IF send_tool_results.message_id IS NULL OR send_tool_results.results IS NULL THEN
    RAISE EXCEPTION 'message_id and results must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM chat_private.check_call_options(send_tool_results.options);
  SELECT m.conversation_id, m.role, m.tool_calls, m.model INTO caller_message FROM chat.messages m
  WHERE m.user_id = caller_id AND m.id = send_tool_results.message_id;
  IF NOT FOUND THEN
    PERFORM chat_private.message_not_found();
  END IF;
  -- Its status is looked at under the lock of its conversation.
  turn := chat_private.open_turn(caller_id, caller_message.conversation_id, send_tool_results.message_id,
                                 coalesce(send_tool_results.model, caller_message.model), true);
  IF caller_message.role <> 'assistant' OR caller_message.tool_calls IS NULL THEN
    RAISE EXCEPTION 'the message calls no tools' USING ERRCODE = '22023', HINT = 'Pass the id of a reply that has tool_calls.';
  END IF;
  PERFORM chat_private.check_tool_results(caller_message.tool_calls, send_tool_results.results);
  FOR result IN
    SELECT r.value ->> 'tool_call_id' AS call_id, r.value ->> 'content' AS content, r.ordinality AS n
    FROM jsonb_array_elements(send_tool_results.results) WITH ORDINALITY r ORDER BY r.ordinality
  LOOP
    new_id := chat.uuid_v7();
    INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, content, content_hash, tool_call_id, created_at, updated_at)
    VALUES (caller_id, new_id, caller_message.conversation_id, parent, 'tool', result.content, chat.content_hash(result.content),
            result.call_id, sent_at + result.n * interval '1 microsecond', sent_at + result.n * interval '1 microsecond');
    tool_message_ids := tool_message_ids || new_id;
    parent := new_id;
  END LOOP;
  assistant_message_id := chat.uuid_v7();
  INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, status, model, created_at, updated_at)
  SELECT caller_id, assistant_message_id, caller_message.conversation_id, parent, 'assistant', 'pending', turn.model, later.at, later.at
  FROM (VALUES (sent_at + (cardinality(tool_message_ids) + 1) * interval '1 microsecond')) later (at);
  request_id := chat_private.queue_reply(caller_id, caller_message.conversation_id, assistant_message_id, turn.model,
                                         send_tool_results.options);
END
$$;
COMMENT ON FUNCTION chat.send_tool_results(uuid, jsonb, text, jsonb) IS
'Stores the results of the tools that one of my replies calls, as messages of role tool below it, and a pending reply that goes on from
them, whose request is sent when the transaction commits; it is read as after chat.send_message. message_id: the reply with tool_calls.
results: an array of {"tool_call_id", "content"}, one for each call, in the order in which they are to be told. model: by default the one
that made the calls. options: as for chat.send_message; the tools must be given again where the model may call more.
Errors: 28000 nobody is authenticated; 22004 message_id or results is NULL; P0002 no such message of mine; 22023 the message calls no
tools, or results is not one for each call; 54000 a content is longer than pgchat.max_message_bytes; PC002 options; 42704 no such
model; 55006 the message is still being generated; PC303 the plan allows no more messages now; PC110 as for chat.send_message.';
