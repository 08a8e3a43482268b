-- Calling models: the immediate forms, which go through the engine at once, inside any transaction.

CREATE OR REPLACE FUNCTION chat.llm_complete(prompt text, model text DEFAULT NULL, system_prompt text DEFAULT NULL,
  response_format jsonb DEFAULT NULL, timeout_ms integer DEFAULT NULL, options jsonb DEFAULT '{}') RETURNS text
LANGUAGE c VOLATILE COST 100000 AS 'MODULE_PATHNAME', 'pgchat_llm_complete_prompt';
COMMENT ON FUNCTION chat.llm_complete(text, text, text, jsonb, integer, jsonb) IS
'Asks a model and returns its reply. model: by default the installation''s default model. response_format: a JSON Schema, or
{"type": "json_object"}; a reply that is not so is asked for once more, and what that costs is counted. timeout_ms: milliseconds for the whole call, retries included, by default pgchat.request_timeout.
options: {temperature, top_p, max_tokens, stop, seed, tools, tool_choice, thinking, images, cache, fallback_models, extra}.
Errors: 28000 nobody is authenticated; 22004 prompt is NULL; 2200F empty; 54000 too long; 42704 no such model; 42501 it is not
open to the user; PC003 no default model; 22023 timeout_ms is not positive; PC002 options; 08001 the provider cannot be reached; PC101 time is up; PC102 its address
is refused; PC103 to PC106 it refused or failed; PC107 it sent no valid reply; PC108 too large a reply; PC109 the reply broke off;
PC111 the provider is suspended; PC112 the reply is not what response_format asks for; 0A000 the provider''s API has nothing for an option;
PC304 to PC307 a limit of the account is reached;
08007 the outcome is unknown; 57P03 no engine; 25006 on a standby; PC303 a guest''s plan allows no more calls now.';

CREATE OR REPLACE FUNCTION chat.llm_complete(messages jsonb, model text DEFAULT NULL, system_prompt text DEFAULT NULL,
  response_format jsonb DEFAULT NULL, timeout_ms integer DEFAULT NULL, options jsonb DEFAULT '{}') RETURNS text
LANGUAGE c VOLATILE COST 100000 AS 'MODULE_PATHNAME', 'pgchat_llm_complete_messages';
COMMENT ON FUNCTION chat.llm_complete(jsonb, text, text, jsonb, integer, jsonb) IS
'The same for a whole exchange: messages is an array of {"role", "content", …}, of type jsonb.
Errors: as for the prompt, and PC001 messages is not an array of messages.';

CREATE OR REPLACE FUNCTION chat.llm_complete_json(prompt text, model text DEFAULT NULL, system_prompt text DEFAULT NULL,
  response_format jsonb DEFAULT NULL, timeout_ms integer DEFAULT NULL, options jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE c VOLATILE COST 100000 AS 'MODULE_PATHNAME', 'pgchat_llm_complete_json_prompt';
COMMENT ON FUNCTION chat.llm_complete_json(text, text, text, jsonb, integer, jsonb) IS
'As chat.llm_complete, with all that is known of the reply: {content, thinking, tool_calls, finish_reason, model, usage
{input_tokens, output_tokens, cached_tokens}, cost, latency_ms, request_id}; where response_format was given, json: the content''s
value, null where tools are called instead; and where a kept reply was given again, cached: true.
Errors: as chat.llm_complete.';

CREATE OR REPLACE FUNCTION chat.llm_complete_json(messages jsonb, model text DEFAULT NULL, system_prompt text DEFAULT NULL,
  response_format jsonb DEFAULT NULL, timeout_ms integer DEFAULT NULL, options jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE c VOLATILE COST 100000 AS 'MODULE_PATHNAME', 'pgchat_llm_complete_json_messages';
COMMENT ON FUNCTION chat.llm_complete_json(jsonb, text, text, jsonb, integer, jsonb) IS
'The same for a whole exchange: messages is an array of {"role", "content", …}, of type jsonb.
Errors: as chat.llm_complete, and PC001 messages is not an array of messages.';

CREATE OR REPLACE FUNCTION chat.llm_complete_batch(prompts text[], model text DEFAULT NULL, system_prompt text DEFAULT NULL,
  response_format jsonb DEFAULT NULL, timeout_ms integer DEFAULT NULL, options jsonb DEFAULT '{}', concurrency integer DEFAULT NULL)
  RETURNS TABLE (idx integer, response text, error jsonb)
LANGUAGE c VOLATILE COST 100000 ROWS 100 AS 'MODULE_PATHNAME', 'pgchat_llm_complete_batch';
COMMENT ON FUNCTION chat.llm_complete_batch(text[], text, text, jsonb, integer, jsonb, integer) IS
'Asks a model about many prompts at once: one row for each, in their order. idx: the prompt''s number, from 1, as WITH ORDINALITY counts.
response: the reply; where error is not NULL, what had arrived of it, or NULL. error: {code, sqlstate, message, hint} of the call
for this prompt, an empty or NULL prompt included; it aborts no other. timeout_ms: milliseconds for each call. concurrency: how many
calls are in flight at once, by default 256. Cancelling the statement, or reading no further, aborts what is in flight. The other
arguments are those of chat.llm_complete.
Errors: 28000 nobody is authenticated; 22004 prompts is NULL; 54000 system_prompt is too long; 22023 timeout_ms or concurrency is not
positive; PC002 options or response_format; 42704 model is the empty text; 57P03 no engine; 08007 the engine ended meanwhile; 25006 on a standby; PC303 a
guest''s plan allows no more calls now.';

CREATE OR REPLACE FUNCTION chat.llm_stream(prompt text, model text DEFAULT NULL, system_prompt text DEFAULT NULL,
  response_format jsonb DEFAULT NULL, timeout_ms integer DEFAULT NULL, options jsonb DEFAULT '{}') RETURNS SETOF chat.stream_event
LANGUAGE c VOLATILE COST 100000 ROWS 100 AS 'MODULE_PATHNAME', 'pgchat_llm_stream_prompt';
COMMENT ON FUNCTION chat.llm_stream(text, text, text, jsonb, integer, jsonb) IS
'Asks a model and returns its reply piece by piece as it comes. Call it in the select list, and read row by row: each row is sent
to the client before the next is waited for; in FROM, the server gathers all rows first. Stopping early aborts the call.
Errors: as chat.llm_complete; a failure after the first rows is raised after them.';

CREATE OR REPLACE FUNCTION chat.llm_stream(messages jsonb, model text DEFAULT NULL, system_prompt text DEFAULT NULL,
  response_format jsonb DEFAULT NULL, timeout_ms integer DEFAULT NULL, options jsonb DEFAULT '{}') RETURNS SETOF chat.stream_event
LANGUAGE c VOLATILE COST 100000 ROWS 100 AS 'MODULE_PATHNAME', 'pgchat_llm_stream_messages';
COMMENT ON FUNCTION chat.llm_stream(jsonb, text, text, jsonb, integer, jsonb) IS
'The same for a whole exchange: messages is an array of {"role", "content", …}, of type jsonb.
Errors: as chat.llm_complete, and PC001 messages is not an array of messages.';

CREATE OR REPLACE FUNCTION chat_private.check_call_options(options jsonb, response_format jsonb DEFAULT NULL) RETURNS void
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgchat_check_call_options';
COMMENT ON FUNCTION chat_private.check_call_options(jsonb, jsonb) IS
'Errors: PC002 options or response_format is not as a call to a model takes it, so that a durable request fails before it is stored.';

CREATE OR REPLACE FUNCTION chat_private.complete_reply(conversation_id uuid, message_id uuid, messages json, content text,
  model text, system_prompt text, options jsonb, timeout_ms integer) RETURNS chat_private.completion
LANGUAGE c VOLATILE COST 100000 AS 'MODULE_PATHNAME', 'pgchat_complete_reply';
COMMENT ON FUNCTION chat_private.complete_reply(uuid, uuid, json, text, text, text, jsonb, integer) IS
'The immediate call for a reply of a conversation; the ids are kept with its usage. messages: NULL or empty
where content is all. content: the last message of the user; NULL where messages have it.
Errors: as chat.llm_complete.';
