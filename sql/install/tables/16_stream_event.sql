-- The row type of everything that streams.

CREATE TYPE chat.stream_event AS (seq integer, kind text, delta text, request_id uuid);
COMMENT ON TYPE chat.stream_event IS
'One event of a reply. seq counts from 1 without gaps, the same for every reader. kind: content, thinking or tool_calls
(delta extends that part of the reply), then exactly one of done (delta NULL), incomplete, cancelled or error (delta says why).
snapshot replaces all content read so far: it is sent where single deltas are no longer held.';
