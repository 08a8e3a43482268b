-- Durable requests without a conversation: submitted now, sent after commit, collected later.

CREATE OR REPLACE FUNCTION chat_private.check_timeout(timeout_ms integer) RETURNS void
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgchat_check_timeout';
COMMENT ON FUNCTION chat_private.check_timeout(integer) IS 'Errors: 22023 zero or negative. NULL passes.';

CREATE OR REPLACE FUNCTION chat_private.check_messages(messages jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  hint CONSTANT text := 'For example [{"role": "user", "content": "Hello"}]; roles are system, user, assistant and tool.';
BEGIN
  IF check_messages.messages IS NULL THEN
    RAISE EXCEPTION 'messages must not be null' USING ERRCODE = '22004', HINT = hint;
  END IF;
  IF jsonb_typeof(check_messages.messages) <> 'array' OR check_messages.messages = '[]' THEN
    RAISE EXCEPTION 'messages must be an array that is not empty' USING ERRCODE = 'PC001', HINT = hint;
  END IF;
  PERFORM FROM jsonb_array_elements(check_messages.messages) m
  WHERE jsonb_typeof(m) <> 'object'
     OR coalesce(m ->> 'role', '') NOT IN ('system', 'user', 'assistant', 'tool')
     OR jsonb_typeof(m -> 'role') <> 'string'
     OR (coalesce(jsonb_typeof(m -> 'content'), 'null') NOT IN ('string', 'array')
         AND (m ->> 'role' <> 'assistant' OR coalesce(jsonb_typeof(m -> 'tool_calls'), 'null') <> 'array'));
  IF FOUND THEN
    RAISE EXCEPTION 'each of messages must be an object with role and content' USING ERRCODE = 'PC001', HINT = hint;
  END IF;
  PERFORM chat_private.check_content(m ->> 'content') FROM jsonb_array_elements(check_messages.messages) m
  WHERE jsonb_typeof(m -> 'content') = 'string'
    AND (m ->> 'role' = 'user' OR octet_length(m ->> 'content') > chat_private.max_message_bytes());
END
$$;
COMMENT ON FUNCTION chat_private.check_messages(jsonb) IS
'Errors: 22004 NULL; PC001 not an array of messages; 2200F a user''s text is empty; 54000 a text is longer than
pgchat.max_message_bytes.';

CREATE OR REPLACE FUNCTION chat_private.submit_request(messages jsonb, model text, system_prompt text, response_format jsonb,
                                                       timeout_ms integer, options jsonb) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  owner_id uuid := chat_private.acting_user();
  previous chat_private.identity;
  new_id uuid := chat.uuid_v7();
BEGIN
  PERFORM chat_private.check_timeout(submit_request.timeout_ms);
  PERFORM chat_private.check_call_options(submit_request.options, submit_request.response_format);
  IF octet_length(submit_request.system_prompt) > chat_private.max_message_bytes() THEN
    RAISE EXCEPTION 'the system prompt has more than % bytes', chat_private.max_message_bytes() USING ERRCODE = '54000',
      HINT = 'Shorten it, or have an administrator raise pgchat.max_message_bytes.';
  END IF;
  IF owner_id = chat.current_user_id() THEN
    PERFORM chat_private.hold_account(owner_id);
  END IF;
  PERFORM chat_private.check_message_limit(owner_id);
  previous := chat_private.act_as(owner_id);
  INSERT INTO chat_private.llm_requests (user_id, id, model, messages, system_prompt, response_format, timeout_ms, options)
  VALUES (owner_id, new_id, chat_private.resolve_model(owner_id, submit_request.model), submit_request.messages,
          submit_request.system_prompt, submit_request.response_format, submit_request.timeout_ms,
          coalesce(submit_request.options, '{}'));
  PERFORM chat_private.wake_engine();
  PERFORM chat_private.switch_identity(previous);
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION chat_private.submit_request(jsonb, text, text, jsonb, integer, jsonb) IS
'Queues a request of the current user, or of pgchat_service, and returns its id.
Errors: 28000, 22023, PC002, 54000, 42704, 42501, PC003 as chat.llm_submit.';

CREATE OR REPLACE FUNCTION chat.llm_submit(prompt text, model text DEFAULT NULL, system_prompt text DEFAULT NULL,
  response_format jsonb DEFAULT NULL, timeout_ms integer DEFAULT NULL, options jsonb DEFAULT '{}') RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.check_content(llm_submit.prompt);
  RETURN chat_private.submit_request(
    jsonb_build_array(jsonb_build_object('role', 'user', 'content', llm_submit.prompt)), llm_submit.model,
    llm_submit.system_prompt, llm_submit.response_format, llm_submit.timeout_ms, llm_submit.options);
END
$$;
COMMENT ON FUNCTION chat.llm_submit(text, text, text, jsonb, integer, jsonb) IS
'Queues a prompt for a model and returns the request''s id at once; it is sent when the transaction commits, and its answer
is read with chat.llm_result. model: by default the user''s, else the installation''s. response_format: a JSON Schema, or
{"type": "json_object"}. timeout_ms: milliseconds for the whole call, by default pgchat.request_timeout. options: as for
chat.llm_complete.
Errors: 28000 nobody is authenticated; 22004 prompt is NULL; 2200F empty; 54000 longer than pgchat.max_message_bytes;
42704 no such model; 42501 it is not open to the user; PC003 no default model; 22023 timeout_ms is not positive; PC002 options or
response_format; PC303 the plan allows no more calls now.';

CREATE OR REPLACE FUNCTION chat.llm_submit(messages jsonb, model text DEFAULT NULL, system_prompt text DEFAULT NULL,
  response_format jsonb DEFAULT NULL, timeout_ms integer DEFAULT NULL, options jsonb DEFAULT '{}') RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.check_messages(llm_submit.messages);
  RETURN chat_private.submit_request(llm_submit.messages, llm_submit.model, llm_submit.system_prompt,
                                     llm_submit.response_format, llm_submit.timeout_ms, llm_submit.options);
END
$$;
COMMENT ON FUNCTION chat.llm_submit(jsonb, text, text, jsonb, integer, jsonb) IS
'The same for a whole exchange: messages is an array of {"role", "content"}, of type jsonb (a literal needs ::jsonb, else it
is taken for a prompt).
Errors: as for the prompt, and PC001 messages is not an array of messages.';
