-- The main job, as an application does it: every line below the set-up is a call of the SQL API.
-- Variables kind, base_url, auth, options and model say which provider to use; `make demo` sets them.
\set QUIET on
\pset pager off
\set SHOW_CONTEXT never
\pset footer off
SET client_min_messages = warning;

\echo
\echo '== Set-up, once, by an operator'
\set ECHO queries
CREATE EXTENSION pgchat;
SELECT chat.admin_register_provider('demo', :'kind', nullif(:'base_url', ''), :'auth', :'options');
SELECT chat.admin_register_model('demo', :'model');
SELECT chat.admin_set_default_model(:'model');
CREATE ROLE demo_app LOGIN IN ROLE pgchat_client;
\set ECHO none

\connect - demo_app
\set QUIET on
\echo
\echo '== An application connects as demo_app, which can do nothing but call the API. Two people register.'
\set ECHO queries
SELECT chat.register('ada@example.com', 'correct horse battery', 'ada', 'Ada');
SELECT chat.register('bob@example.com', 'staple seven oranges', 'bob', 'Bob');
\set ECHO none

\echo
\echo '== Ada logs in. Her token is all that the application keeps.'
\set ECHO queries
SELECT left(session_token, 12) || '…' AS session_token, user_id, expires_at, mfa_required, session_token AS token
FROM chat.login('ada', 'correct horse battery') \gset ada_
\set ECHO none
\echo 'session_token ' :ada_session_token ', expires ' :ada_expires_at
\echo

\echo '== First turn: the message is stored and the reply begins; its tokens arrive as the model writes them.'
\set ECHO queries
BEGIN;
SELECT chat.authenticate(:'ada_token') \g /dev/null
SELECT chat.create_conversation('A story') AS conversation \gset
SELECT assistant_message_id AS reply
FROM chat.send_message(:'conversation', 'Once upon a time', options => '{"temperature": 0, "max_tokens": 60}') \gset
COMMIT;

BEGIN;
SELECT chat.authenticate(:'ada_token') \g /dev/null
\set FETCH_COUNT 1
\pset tuples_only on
\pset format unaligned
\pset recordsep ''
SELECT (chat.stream_message(:'reply')).delta;
\pset recordsep '\n'
\pset format aligned
\pset tuples_only off
\unset FETCH_COUNT
\echo
COMMIT;
\set ECHO none

\echo
\echo '== Second turn: the model is sent the first one, too.'
\set ECHO queries
BEGIN;
SELECT chat.authenticate(:'ada_token') \g /dev/null
SELECT assistant_message_id AS reply
FROM chat.send_message(:'conversation', 'One day', options => '{"temperature": 0, "max_tokens": 60}') \gset
COMMIT;

BEGIN;
SELECT chat.authenticate(:'ada_token') \g /dev/null
\set FETCH_COUNT 1
\pset tuples_only on
\pset format unaligned
\pset recordsep ''
SELECT (chat.stream_message(:'reply')).delta;
\pset recordsep '\n'
\pset format aligned
\pset tuples_only off
\unset FETCH_COUNT
\echo
COMMIT;
\set ECHO none

\echo
\echo '== What is stored: the second reply''s input holds the first turn.'
\set ECHO queries
BEGIN;
SELECT chat.authenticate(:'ada_token') \g /dev/null
SELECT role, status, input_tokens, output_tokens, left(replace(content, E'\n', ' '), 60) AS content
FROM chat.list_messages(:'conversation');
COMMIT;
\set ECHO none

\echo
\echo '== Bob logs in on the same connection, and knows Ada''s conversation id.'
\set ECHO queries
SELECT session_token AS token FROM chat.login('bob@example.com', 'staple seven oranges') \gset bob_
BEGIN;
SELECT chat.authenticate(:'bob_token') \g /dev/null
SELECT count(*) AS rows_bob_sees FROM chat.messages;
\set ON_ERROR_STOP off
SELECT * FROM chat.send_message(:'conversation', 'let me in');
\set refused :SQLSTATE
\set ON_ERROR_STOP on
ROLLBACK;
\set ECHO none
\echo 'SQLSTATE' :refused

-- The demo fails where it did not show what it says.
BEGIN;
SELECT chat.authenticate(:'ada_token') \g /dev/null
SELECT count(*) = 2 AND bool_and(status = 'complete') AND max(input_tokens) > min(input_tokens) AS two_turns
FROM chat.list_messages(:'conversation') WHERE role = 'assistant' \gset
COMMIT;
SELECT :'two_turns' = 't' AND :'refused' = 'P0002' AS as_promised \gset
\if :as_promised
\else
    DO $$ BEGIN RAISE EXCEPTION 'the demo did not go as it should'; END $$;
\endif
