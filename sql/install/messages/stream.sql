-- Reading replies as they come.

CREATE OR REPLACE FUNCTION chat.stream_message(assistant_message_id uuid, after_seq integer DEFAULT 0) RETURNS SETOF chat.stream_event
LANGUAGE c VOLATILE COST 100000 ROWS 100 AS 'MODULE_PATHNAME', 'pgchat_stream_message';
COMMENT ON FUNCTION chat.stream_message(uuid, integer) IS
'The events of one of my replies after after_seq, to its end: those missed at once, then live. Any number of sessions may read the
same reply. Call it in the select list (in FROM the server gathers all rows first). Leaving early stops only the reading.
Errors: 28000 nobody is authenticated; 22004 assistant_message_id is NULL; 22023 after_seq is negative; P0002 no such message of mine;
57P03 no engine; 08007 the engine ended meanwhile.';

CREATE OR REPLACE FUNCTION chat.read_stream(assistant_message_id uuid, after_seq integer DEFAULT 0, wait_ms integer DEFAULT 0)
  RETURNS SETOF chat.stream_event
LANGUAGE c VOLATILE COST 1000 ROWS 20 AS 'MODULE_PATHNAME', 'pgchat_read_stream';
COMMENT ON FUNCTION chat.read_stream(uuid, integer, integer) IS
'What is new of one of my replies after after_seq, and no more: for clients that poll and hold no connection. wait_ms: milliseconds to
wait for something new where there is nothing yet.
Errors: as chat.stream_message, and 22023 wait_ms is negative.';

CREATE OR REPLACE FUNCTION chat.stream_gateway(OUT message_id uuid, OUT user_id uuid, OUT seq integer, OUT kind text, OUT delta text)
  RETURNS SETOF record
LANGUAGE c VOLATILE COST 100000 ROWS 1000 AS 'MODULE_PATHNAME', 'pgchat_stream_gateway';
COMMENT ON FUNCTION chat.stream_gateway() IS
'The events of every user''s live replies, on one connection, for a web tier that hands them on; it never ends by itself. For
pgchat_service. Call it in the select list.
Errors: 42501 not pgchat_service; 22023 this session reads it already; 57P03 no engine; 08007 the engine ended meanwhile.';

CREATE OR REPLACE PROCEDURE chat.send_and_wait(conversation_id uuid, content text, INOUT reply text DEFAULT NULL, parent_id uuid DEFAULT NULL,
  model text DEFAULT NULL, attachments jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL, options jsonb DEFAULT '{}')
LANGUAGE c AS 'MODULE_PATHNAME', 'pgchat_send_and_wait';
COMMENT ON PROCEDURE chat.send_and_wait(uuid, text, text, uuid, text, jsonb, text, jsonb) IS
'Sends a message as chat.send_message does, commits, waits for the reply with no transaction open on the data, and returns it. If the
model fails, the message stays stored, its reply row carries the error, and the failure is raised.
Errors: as chat.send_message; 22023 inside a transaction block; 08001, 57014, PC101 to PC112 as the call to the model fails.';

CREATE OR REPLACE FUNCTION chat.authenticate(session_token text, is_local boolean DEFAULT true) RETURNS uuid
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgchat_authenticate';
COMMENT ON FUNCTION chat.authenticate(text, boolean) IS
'Makes the session''s user the current user and returns the user''s id; until the end of the transaction, or with is_local false of the
database session. Can be the first statement of a pipeline. session_token: from chat.login, or that of a session which an import
brought from another system, as that system''s clients have it.
A refusal leaves the identity as it was.
Errors: 22004 session_token is NULL; 28000 the token is not valid.';
