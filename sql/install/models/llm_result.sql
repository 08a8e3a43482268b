-- Collecting the answer of a durable request, and calling it off.

-- Bound at creation and inlined where used, by chat.llm_result and by the engine.
CREATE OR REPLACE FUNCTION chat_private.result_json(content text, thinking text, tool_calls jsonb, finish_reason text,
  model text, input_tokens integer, output_tokens integer, cached_tokens integer, cost numeric, latency_ms integer,
  request_id uuid) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN jsonb_build_object(
  'content', content, 'thinking', thinking, 'tool_calls', tool_calls, 'finish_reason', finish_reason, 'model', model,
  'usage', jsonb_build_object('input_tokens', input_tokens, 'output_tokens', output_tokens, 'cached_tokens', cached_tokens),
  'cost', cost, 'latency_ms', latency_ms, 'request_id', request_id);
COMMENT ON FUNCTION chat_private.result_json(text, text, jsonb, text, text, integer, integer, integer, numeric, integer, uuid) IS
'A model''s answer as chat.llm_complete_json and chat.llm_result show it.';

CREATE OR REPLACE FUNCTION chat_private.read_result(user_id uuid, request_id uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  request record;
  answer jsonb;
BEGIN
  SELECT q.state, q.result, q.error, q.message_id, q.response_format INTO request FROM chat_private.llm_requests q
  WHERE q.user_id = read_result.user_id AND q.id = read_result.request_id AND q.purpose IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'request not found' USING ERRCODE = 'P0002',
      HINT = 'It is an id that chat.llm_submit or chat.send_message returned; check who is authenticated.';
  ELSIF request.state IN ('waiting', 'queued', 'running') THEN
    RETURN NULL;
  END IF;
  answer := request.result;
  IF request.message_id IS NOT NULL THEN
    SELECT chat_private.result_json(m.content, m.thinking, m.tool_calls, m.finish_reason, m.model, m.input_tokens,
                                    m.output_tokens, m.cached_tokens, m.cost, m.latency_ms, read_result.request_id)
    INTO answer FROM chat.messages m WHERE m.user_id = read_result.user_id AND m.id = request.message_id;
  END IF;
  answer := coalesce(answer, jsonb_build_object('request_id', read_result.request_id))
            || jsonb_build_object('status', request.state);
  -- The engine has checked that the content is JSON.
  IF request.state = 'complete' AND request.response_format ->> 'type' IS DISTINCT FROM 'text' AND request.response_format IS NOT NULL THEN
    answer := answer || jsonb_build_object('json', CASE WHEN jsonb_typeof(answer -> 'tool_calls') = 'array' THEN NULL
                                                        ELSE (answer ->> 'content')::jsonb END);
  END IF;
  RETURN CASE WHEN request.error IS NULL THEN answer ELSE answer || jsonb_build_object('error', request.error) END;
END
$$;
COMMENT ON FUNCTION chat_private.read_result(uuid, uuid) IS
'The answer to a durable request, or NULL while there is none. VOLATILE, so that a second look sees what came meanwhile.
Errors: P0002 no such request of this user.';

CREATE OR REPLACE FUNCTION chat.llm_result(request_id uuid, wait_ms integer DEFAULT 0) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  owner_id uuid := chat_private.acting_user();
  previous chat_private.identity;
  answer jsonb;
BEGIN
  IF llm_result.request_id IS NULL OR llm_result.wait_ms IS NULL THEN
    RAISE EXCEPTION 'request_id and wait_ms must not be null' USING ERRCODE = '22004';
  ELSIF llm_result.wait_ms < 0 THEN
    RAISE EXCEPTION 'wait_ms must not be negative' USING ERRCODE = '22023', HINT = 'It is in milliseconds; 0 does not wait.';
  END IF;
  previous := chat_private.act_as(owner_id);
  answer := chat_private.read_result(owner_id, llm_result.request_id);
  IF answer IS NULL AND llm_result.wait_ms > 0 THEN
    PERFORM chat_private.wait_request(owner_id, llm_result.request_id, llm_result.wait_ms);
    answer := chat_private.read_result(owner_id, llm_result.request_id);
  END IF;
  PERFORM chat_private.switch_identity(previous);
  RETURN answer;
END
$$;
COMMENT ON FUNCTION chat.llm_result(uuid, integer) IS
'The answer to a request of chat.llm_submit or chat.send_message: {content, thinking, tool_calls, finish_reason, model,
usage {input_tokens, output_tokens, cached_tokens}, cost, latency_ms, request_id, status}, and error {code, sqlstate,
message} where it failed; where response_format was given, json with the content''s value. status is complete, incomplete, error or cancelled. NULL while there is no answer. wait_ms: how
long to wait for one, in milliseconds; it cannot come before the submitting transaction has committed, nor be seen by a
transaction whose isolation level is REPEATABLE READ or above. What chat.llm_submit asked is kept for ever, or for the time of the setting
request_retention after its end.
Errors: 28000 nobody is authenticated; 22004 an argument is NULL; 22023 wait_ms is negative; P0002 no such request of mine, or no more.';

CREATE OR REPLACE FUNCTION chat.llm_cancel(request_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  owner_id uuid := chat_private.acting_user();
  previous chat_private.identity;
  found_state text;
  is_cancelled boolean;
BEGIN
  IF llm_cancel.request_id IS NULL THEN
    RAISE EXCEPTION 'request_id must not be null' USING ERRCODE = '22004';
  END IF;
  previous := chat_private.act_as(owner_id);
  SELECT q.state INTO found_state FROM chat_private.llm_requests q
  WHERE q.user_id = owner_id AND q.id = llm_cancel.request_id AND q.purpose IS NULL;
  IF FOUND THEN
    is_cancelled := found_state IN ('waiting', 'queued', 'running') AND chat_private.cancel_request(owner_id, llm_cancel.request_id);
  ELSE
    -- An immediate call has no row: only the engine knows of it, while it is under way.
    is_cancelled := chat_private.cancel_call(owner_id, llm_cancel.request_id);
    IF NOT is_cancelled THEN
      RAISE EXCEPTION 'request not found' USING ERRCODE = 'P0002',
        HINT = 'It is an id of chat.llm_submit or chat.send_message, or of a call that still runs; check who is authenticated.';
    END IF;
  END IF;
  PERFORM chat_private.switch_identity(previous);
  RETURN is_cancelled;
END
$$;
COMMENT ON FUNCTION chat.llm_cancel(uuid) IS
'Calls off a request of chat.llm_submit or chat.send_message, or a chat.llm_stream that runs in another session (its rows carry the
id). True if it was stopped, false if it had ended already.
Errors: 28000 nobody is authenticated; 22004 request_id is NULL; P0002 no such request of mine; 57P03 it is under way, and no engine.';
