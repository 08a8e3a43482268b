-- The requests that the engine takes from the queue.
--
-- The functions of the engine never wait for a row that a client's open transaction has locked, or one idle client would stop
-- all replies: they skip it, or give up within some milliseconds. They join by index look-up only, for their plans are kept while the tables grow.

CREATE OR REPLACE FUNCTION chat_private.claim_requests(max_requests integer, after_model text = '',
  after_user uuid = '00000000-0000-0000-0000-000000000000', full_models text[] = '{}', full_users uuid[] = '{}')
RETURNS TABLE (user_id uuid, request_id uuid, message_id uuid, conversation_id uuid, model text, messages jsonb,
               system_prompt text, response_format jsonb, options jsonb, timeout_ms integer, has_more boolean,
               next_model text, next_user uuid)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  last_user CONSTANT uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
BEGIN
  RETURN QUERY
    -- Each step is one look-up in the index, however much is queued: the next user who waits for a model, or the next model.
    -- One lane more than can be served tells whether there are others.
    WITH RECURSIVE lanes AS (
      SELECT claim_requests.after_model AS model, claim_requests.after_user AS user_id, false AS is_open, 0 AS lane
      UNION ALL
      SELECT n.model, n.user_id, n.is_open, l.lane + n.is_open::integer
      FROM lanes l, LATERAL (
        SELECT q.model, q.user_id,
               q.model <> ALL (claim_requests.full_models) AND q.user_id <> ALL (claim_requests.full_users) AS is_open
        FROM chat_private.llm_requests q
        WHERE q.queued_at IS NOT NULL AND (q.model, q.user_id) >
          (l.model, CASE WHEN l.is_open OR l.model <> ALL (claim_requests.full_models) THEN l.user_id ELSE last_user END)
        ORDER BY q.model, q.user_id LIMIT 1) n
      WHERE l.lane <= claim_requests.max_requests
    ), shares AS (
      SELECT max(l.lane) > claim_requests.max_requests AS is_cut,
             claim_requests.max_requests / greatest(least(max(l.lane), claim_requests.max_requests), 1) AS share
      FROM lanes l
    ), chosen AS (
      SELECT w.place, l.lane
      FROM lanes l, LATERAL (
        SELECT q.ctid AS place FROM chat_private.llm_requests q
        WHERE q.queued_at IS NOT NULL AND q.model = l.model AND q.user_id = l.user_id
        ORDER BY q.queued_at LIMIT (SELECT s.share FROM shares s) FOR NO KEY UPDATE SKIP LOCKED) w
      WHERE l.is_open AND l.lane <= claim_requests.max_requests
    ), claimed AS (
      UPDATE chat_private.llm_requests q
      SET state = 'running', started_at = clock_timestamp(), queued_at = NULL
      WHERE q.ctid = ANY (ARRAY(SELECT c.place FROM chosen c))
      RETURNING q.*
    ), branch AS (
      SELECT c.user_id, c.id AS request_id, reply.parent_id, 0 AS depth, NULL::text AS role, NULL::text AS content,
             NULL::jsonb AS tool_calls, NULL::text AS tool_call_id, NULL::uuid AS id, c.model, 0::smallint AS attachment_count,
             0::bigint AS image_bytes
      FROM claimed c, LATERAL (SELECT m.parent_id FROM chat.messages m
                               WHERE m.user_id = c.user_id AND m.id = c.message_id OFFSET 0) reply
      UNION ALL
      SELECT b.user_id, b.request_id, p.parent_id, b.depth + 1, p.role, p.content, p.tool_calls, p.tool_call_id, p.id, b.model,
             p.attachment_count,
             b.image_bytes + CASE WHEN p.attachment_count > 0 THEN chat_private.image_bytes(p.user_id, p.id) ELSE 0 END
      FROM branch b, LATERAL (SELECT m.* FROM chat.messages m
                              WHERE m.user_id = b.user_id AND m.id = b.parent_id OFFSET 0) p
    ), context AS (
      SELECT b.request_id,
             jsonb_agg(CASE WHEN b.attachment_count > 0
                            THEN chat_private.context_with_files(b.user_id, b.id, b.role, b.content, b.model, b.image_bytes)
                            ELSE chat_private.context_message(b.role, b.content, b.tool_calls, b.tool_call_id) END
                       ORDER BY b.depth DESC) AS messages
      FROM branch b WHERE b.depth > 0 AND chat_private.is_context(b.role, b.content, b.tool_calls)
      GROUP BY b.request_id
    ), place AS (
      SELECT s.is_cut OR EXISTS (SELECT FROM chosen c GROUP BY c.lane HAVING count(*) >= s.share) AS has_more,
             CASE WHEN s.is_cut THEN l.model END AS model, CASE WHEN s.is_cut THEN l.user_id END AS user_id
      FROM shares s, LATERAL (SELECT l.* FROM lanes l WHERE l.is_open AND l.lane <= claim_requests.max_requests
                              ORDER BY l.lane DESC LIMIT 1) l
    )
    SELECT c.user_id, c.id, c.message_id, c.conversation_id, c.model, coalesce(c.messages, x.messages, '[]'),
           coalesce(c.system_prompt, v.system_prompt), c.response_format, c.options, c.timeout_ms,
           p.has_more, p.model, p.user_id
    FROM claimed c
    CROSS JOIN place p
    LEFT JOIN context x ON x.request_id = c.id
    LEFT JOIN LATERAL (SELECT v.system_prompt FROM chat.conversations v
                       WHERE v.user_id = c.user_id AND v.id = c.conversation_id OFFSET 0) v ON true
    ORDER BY c.created_at, c.id;
END
$$;
COMMENT ON FUNCTION chat_private.claim_requests(integer, text, uuid, text[], uuid[]) IS
'Takes up to max_requests from the queue and marks them running: of each user who waits for a model alike many, the oldest
first, beginning after the given model and user. full_models, full_users: of whom none is taken now. messages: what is stored
with the request, or for a conversation''s reply the branch that leads to it, root first. has_more: there may be others.
next_model, next_user: where the next claim is to begin; NULL: from the start. A row that somebody has locked is left for later.';
