-- Requests that wait for another one to end: what they wait for, and letting them go, so that a branch has one reply in
-- progress at a time and no request waits for ever.

CREATE OR REPLACE FUNCTION chat_private.busy_reply(user_id uuid, message_id uuid) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  busy_id uuid;
BEGIN
  -- Below a reply in progress there are only replies that wait, or were cancelled while they did: so the walk goes up past
  -- cancelled ones and stops at any other.
  WITH RECURSIVE above (id, parent_id, role, status) AS (
    SELECT m.id, m.parent_id, m.role, m.status FROM chat.messages m
    WHERE m.user_id = busy_reply.user_id AND m.id = busy_reply.message_id
    UNION ALL
    SELECT p.id, p.parent_id, p.role, p.status
    FROM above a, LATERAL (SELECT m.* FROM chat.messages m
                           WHERE m.user_id = busy_reply.user_id AND m.id = a.parent_id OFFSET 0) p
    WHERE a.role <> 'assistant' OR a.status = 'cancelled'
  )
  SELECT a.id INTO busy_id FROM above a WHERE a.status IN ('pending', 'streaming') LIMIT 1;
  RETURN busy_id;
END
$$;
COMMENT ON FUNCTION chat_private.busy_reply(uuid, uuid) IS
'The reply in progress on the branch that ends with a message, the lowest where others wait for it; NULL: there is none.';

CREATE OR REPLACE FUNCTION chat_private.hold_open(user_id uuid, waits_for uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM FROM chat.messages m
  WHERE m.user_id = hold_open.user_id AND m.id = hold_open.waits_for AND m.status IN ('pending', 'streaming') FOR SHARE;
  IF FOUND THEN
    RETURN true;
  END IF;
  PERFORM FROM chat_private.llm_requests q
  WHERE q.user_id = hold_open.user_id AND q.id = hold_open.waits_for AND q.state IN ('waiting', 'queued', 'running') FOR SHARE;
  RETURN FOUND;
END
$$;
COMMENT ON FUNCTION chat_private.hold_open(uuid, uuid) IS
'Whether this message, or else request, is in progress; if so it cannot end before the transaction does, so that whoever ends it
sees the row that waits for it.';

CREATE OR REPLACE FUNCTION chat_private.release_waiting(user_ids uuid[], message_ids uuid[], request_ids uuid[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
  -- A row that somebody has locked is being cancelled or deleted; should that be undone, chat_private.release_stranded finds it.
  UPDATE chat_private.llm_requests q SET state = 'queued', queued_at = clock_timestamp(), waits_for = NULL
  WHERE q.ctid = ANY (ARRAY(
    SELECT w.ctid
    FROM unnest(release_waiting.user_ids || release_waiting.user_ids, release_waiting.message_ids || release_waiting.request_ids)
         u (user_id, ended)
    JOIN chat_private.llm_requests w ON w.user_id = u.user_id AND w.waits_for = u.ended
    FOR NO KEY UPDATE OF w SKIP LOCKED));
  IF FOUND THEN
    PERFORM chat_private.wake_engine();
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.release_waiting(uuid[], uuid[], uuid[]) IS
'Queues the requests that wait for these messages or requests, which have ended: arrays of equal length, one element a request.';

CREATE OR REPLACE FUNCTION chat_private.release_stranded() RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  released integer;
BEGIN
  UPDATE chat_private.llm_requests q SET state = 'queued', queued_at = clock_timestamp(), waits_for = NULL
  WHERE q.ctid = ANY (ARRAY(
    SELECT w.ctid FROM chat_private.llm_requests w
    WHERE w.waits_for IS NOT NULL
      AND NOT EXISTS (SELECT FROM chat.messages m
                      WHERE m.user_id = w.user_id AND m.id = w.waits_for AND m.status IN ('pending', 'streaming'))
      AND NOT EXISTS (SELECT FROM chat_private.llm_requests r
                      WHERE r.user_id = w.user_id AND r.id = w.waits_for AND r.state IN ('waiting', 'queued', 'running'))
    FOR NO KEY UPDATE OF w SKIP LOCKED));
  GET DIAGNOSTICS released = ROW_COUNT;
  IF released > 0 THEN
    PERFORM chat_private.wake_engine();
  END IF;
  RETURN released;
END
$$;
COMMENT ON FUNCTION chat_private.release_stranded() IS
'Queues the requests that wait for what has ended or is gone without telling them: what they waited for was deleted, or an engine
died. Called by the engine at its start and every minute. Returns how many there were.';

CREATE OR REPLACE FUNCTION chat_private.cancel_waiting(user_id uuid, request_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  awaited uuid;
  is_held boolean;
  reply_id uuid;
BEGIN
  LOOP
    SELECT q.waits_for INTO awaited FROM chat_private.llm_requests q
    WHERE q.user_id = cancel_waiting.user_id AND q.id = cancel_waiting.request_id AND q.waits_for IS NOT NULL;
    IF NOT FOUND THEN
      RETURN false;
    END IF;
    -- What it waits for is held first: else it could end unseen by those who are made to wait for it below.
    is_held := chat_private.hold_open(cancel_waiting.user_id, awaited);
    UPDATE chat_private.llm_requests q
    SET state = 'cancelled', waits_for = NULL, finished_at = clock_timestamp(), error = chat_private.not_sent()
    WHERE q.user_id = cancel_waiting.user_id AND q.id = cancel_waiting.request_id AND q.waits_for = awaited
    RETURNING q.message_id INTO reply_id;
    -- Else it was let go meanwhile, or waits for another one.
    EXIT WHEN FOUND;
  END LOOP;
  PERFORM chat_private.close_unsent(cancel_waiting.user_id, reply_id);
  IF is_held THEN
    UPDATE chat_private.llm_requests q SET waits_for = awaited
    WHERE q.user_id = cancel_waiting.user_id AND q.waits_for IN (reply_id, cancel_waiting.request_id);
  ELSE
    PERFORM chat_private.release_waiting(ARRAY[cancel_waiting.user_id], ARRAY[reply_id], ARRAY[cancel_waiting.request_id]);
  END IF;
  RETURN true;
END
$$;
COMMENT ON FUNCTION chat_private.cancel_waiting(uuid, uuid) IS
'Calls off a request that waits; those that wait for it wait for what it waited for. False: it does not wait, or no more.';
