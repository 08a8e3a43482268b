-- The requests that the engine takes from the queue.
--
-- The functions of the engine never wait for a row that a client's open transaction has locked, or one idle client would stop
-- all replies: they skip it, or give up within some milliseconds. They join by index look-up only, for their plans are kept while the tables grow.

CREATE OR REPLACE FUNCTION chat_private.claim_requests(max_requests integer, after_model text = '',
  after_user uuid = '00000000-0000-0000-0000-000000000000', full_models text[] = '{}', full_users uuid[] = '{}')
RETURNS TABLE (user_id uuid, request_id uuid, message_id uuid, conversation_id uuid, model text, messages json,
               system_prompt text, response_format jsonb, options jsonb, timeout_ms integer, has_more boolean,
               next_model text, next_user uuid, is_refused boolean)
-- The query is long, and planning it for its values would take longer than it takes.
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
  last_user CONSTANT uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  places tid[];
BEGIN
  IF claim_requests.full_models = '{}' AND claim_requests.full_users = '{}'
     AND (SELECT count(*) FROM (SELECT FROM chat_private.llm_requests q WHERE q.queued_at IS NOT NULL
                                LIMIT claim_requests.max_requests + 1) q) <= claim_requests.max_requests THEN
    -- All can be taken, so that nobody's turn has to be found.
    places := ARRAY(SELECT q.ctid FROM chat_private.llm_requests q WHERE q.queued_at IS NOT NULL
                    LIMIT claim_requests.max_requests FOR NO KEY UPDATE SKIP LOCKED);
    has_more := false;
  ELSE
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
    )
    SELECT ARRAY(SELECT c.place FROM chosen c),
           s.is_cut OR EXISTS (SELECT FROM chosen c GROUP BY c.lane HAVING count(*) >= s.share),
           CASE WHEN s.is_cut THEN l.model END, CASE WHEN s.is_cut THEN l.user_id END
    INTO places, has_more, next_model, next_user
    FROM shares s, LATERAL (SELECT l.* FROM lanes l WHERE l.is_open AND l.lane <= claim_requests.max_requests
                            ORDER BY l.lane DESC LIMIT 1) l;
  END IF;
  IF coalesce(cardinality(places), 0) = 0 THEN
    RETURN;
  END IF;
  RETURN QUERY
    WITH claimed AS (
      UPDATE chat_private.llm_requests q
      SET state = 'running', started_at = clock_timestamp(), queued_at = NULL
      WHERE q.ctid = ANY (places)
      RETURNING q.*
    )
    SELECT c.user_id, c.id, c.message_id, c.conversation_id, c.model, coalesce(x.messages, t.messages::json, c.messages::json, '[]'),
           coalesce(x.system_prompt, t.system_prompt, c.system_prompt), c.response_format, c.options, c.timeout_ms,
           has_more, next_model, next_user, coalesce(x.is_refused, c.purpose IN ('title', 'summary') AND t.messages IS NULL, false)
    FROM claimed c
    LEFT JOIN LATERAL (
      SELECT CASE WHEN p.is_plain THEN p.messages ELSE f.messages::json END AS messages, v.system_prompt,
             CASE WHEN p.is_plain THEN false ELSE f.is_refused END AS is_refused
      FROM (SELECT m.parent_id, (SELECT w.context_window FROM chat.models w WHERE w.name = c.model) AS context_window
            FROM chat.messages m WHERE m.user_id = c.user_id AND m.id = c.message_id OFFSET 0) reply,
           LATERAL (SELECT coalesce(c.system_prompt, o.system_prompt) AS system_prompt FROM chat.conversations o
                    WHERE o.user_id = c.user_id AND o.id = c.conversation_id OFFSET 0) v,
           LATERAL (SELECT b.* FROM chat_private.plain_branch(c.user_id, c.conversation_id, reply.parent_id, reply.context_window,
                      chat_private.fixed_tokens(v.system_prompt, c.options), false) b OFFSET 0) p
           LEFT JOIN LATERAL (
             SELECT o.* FROM chat_private.other_context(c.user_id, c.conversation_id, reply.parent_id, c.model, c.system_prompt, c.options) o
             WHERE NOT p.is_plain OFFSET 0) f ON true
      OFFSET 0) x ON true
    LEFT JOIN LATERAL (
      SELECT s.* FROM chat_private.side_request_text(c.user_id, c.conversation_id, c.purpose, c.messages, c.model) s
      WHERE c.purpose IN ('title', 'summary') OFFSET 0) t ON true
    ORDER BY c.created_at, c.id;
END
$$;
COMMENT ON FUNCTION chat_private.claim_requests(integer, text, uuid, text[], uuid[]) IS
'Takes up to max_requests from the queue and marks them running: all, where there are no more; else of each user who waits for a model
alike many, the oldest first, beginning after the given model and user. full_models, full_users: of whom none is taken now. messages: what is stored
with the request, or for a conversation''s reply what chat_private.plain_branch or context_fit tells of the branch that leads to it, or what
chat_private.side_request_text asks. is_refused: that does not fit the model, or there is nothing to ask any more. has_more: there may be others.
next_model, next_user: where the next claim is to begin; NULL: from the start. A row that somebody has locked is left for later.';
