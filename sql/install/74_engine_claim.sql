-- The requests that the engine takes from the queue.
--
-- The functions of the engine never wait for a row that a client's open transaction has locked, or one idle client would stop
-- all replies: they skip it, or give up within some milliseconds. They join by index look-up only, for their plans are kept while the tables grow.

CREATE OR REPLACE FUNCTION chat_private.claim_requests(max_requests integer)
RETURNS TABLE (user_id uuid, request_id uuid, message_id uuid, conversation_id uuid, model text, messages jsonb,
               system_prompt text, response_format jsonb, options jsonb, timeout_ms integer)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    WITH RECURSIVE claimed AS (
      UPDATE chat_private.llm_requests q
      SET state = 'running', started_at = clock_timestamp(), queued_at = NULL
      WHERE q.ctid = ANY (ARRAY(
        SELECT w.ctid FROM chat_private.llm_requests w WHERE w.queued_at IS NOT NULL
        ORDER BY w.queued_at LIMIT claim_requests.max_requests FOR NO KEY UPDATE SKIP LOCKED))
      RETURNING q.*
    ), branch AS (
      SELECT c.user_id, c.id AS request_id, reply.parent_id, 0 AS depth, NULL::text AS role, NULL::text AS content,
             NULL::jsonb AS tool_calls, NULL::text AS tool_call_id
      FROM claimed c, LATERAL (SELECT m.parent_id FROM chat.messages m
                               WHERE m.user_id = c.user_id AND m.id = c.message_id OFFSET 0) reply
      UNION ALL
      SELECT b.user_id, b.request_id, p.parent_id, b.depth + 1, p.role, p.content, p.tool_calls, p.tool_call_id
      FROM branch b, LATERAL (SELECT m.* FROM chat.messages m
                              WHERE m.user_id = b.user_id AND m.id = b.parent_id OFFSET 0) p
    ), context AS (
      SELECT b.request_id, jsonb_agg(chat_private.context_message(b.role, b.content, b.tool_calls, b.tool_call_id)
                                     ORDER BY b.depth DESC) AS messages
      FROM branch b WHERE b.depth > 0 AND chat_private.is_context(b.role, b.content, b.tool_calls)
      GROUP BY b.request_id
    )
    SELECT c.user_id, c.id, c.message_id, c.conversation_id, c.model, coalesce(c.messages, x.messages, '[]'),
           coalesce(c.system_prompt, v.system_prompt), c.response_format, c.options, c.timeout_ms
    FROM claimed c
    LEFT JOIN context x ON x.request_id = c.id
    LEFT JOIN LATERAL (SELECT v.system_prompt FROM chat.conversations v
                       WHERE v.user_id = c.user_id AND v.id = c.conversation_id OFFSET 0) v ON true
    ORDER BY c.created_at, c.id;
END
$$;
COMMENT ON FUNCTION chat_private.claim_requests(integer) IS
'Takes up to max_requests from the queue, oldest first, and marks them running. messages: what is stored with the request,
or for a conversation''s reply the branch that leads to it, root first. A row that somebody has locked is left for later.';
