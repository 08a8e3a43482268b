-- The short way to what a model is told: most conversations are plain and far below the window, and the query of
-- chat_private.context_fit, which has to provide for all others, takes longer to start than they take to read.

-- Bound at creation and inlined where used, so that a claim of many conversations stays one statement.
CREATE OR REPLACE FUNCTION chat_private.plain_branch(user_id uuid, leaf_id uuid, model text, fixed_tokens bigint, is_asked boolean)
RETURNS TABLE (messages jsonb, is_plain boolean)
LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
  WITH RECURSIVE branch AS (
    SELECT 0 AS depth, plain_branch.leaf_id AS parent_id, NULL::text AS role, NULL::text AS content, true AS is_plain,
           -- Whatever is reserved for the answer is no more than half of the window. 500,000 tokens are less than the 32 MB that
           -- are told at most: a token is counted for three bytes or fewer, and each row, of 500 bytes, has eight of them.
           least(500000, (SELECT m.context_window - m.context_window / 2 FROM chat.models m WHERE m.name = plain_branch.model))
             - plain_branch.fixed_tokens AS room
    UNION ALL
    SELECT b.depth + 1, t.parent_id, t.role, t.content, t.is_plain, b.room - t.most_tokens
    FROM branch b, LATERAL (
      SELECT m.parent_id, m.role, m.content,
             m.attachment_count = 0 AND m.tool_calls IS NULL AND m.tool_call_id IS NULL
               AND (b.depth > 0 OR plain_branch.is_asked OR m.role <> 'assistant') AS is_plain,
             8 + greatest((octet_length(m.content) + 2) / 3, least(coalesce(m.output_tokens, 0), octet_length(m.content))) AS most_tokens
      FROM chat.messages m WHERE m.user_id = plain_branch.user_id AND m.id = b.parent_id OFFSET 0) t
    WHERE b.is_plain AND b.room >= 0
  )
  SELECT jsonb_agg(jsonb_build_object('role', b.role, 'content', b.content) ORDER BY b.depth DESC)
           FILTER (WHERE b.depth > 0 AND chat_private.is_context(b.role, b.content, NULL)),
         bool_and(b.is_plain AND b.room >= 0) AND bool_or(b.parent_id IS NULL)
  FROM branch b;
END;
COMMENT ON FUNCTION chat_private.plain_branch(uuid, uuid, text, bigint, boolean) IS
'The branch that ends at leaf_id as a model is told of it, root first, NULL where there is none, if it is plain: without files
and calls of tools, and so short that all of it fits into the model''s window however its tokens are counted and whatever is
reserved. is_plain: it is, and messages are what chat_private.context_fit tells; else messages mean nothing, and that is to
be asked. fixed_tokens: of the request besides these messages. is_asked: a message follows that is not stored yet; where
none does, a reply that is to be continued is not plain. To be used where enable_seqscan is off.';

CREATE OR REPLACE FUNCTION chat_private.other_context(user_id uuid, conversation_id uuid, leaf_id uuid, model text, system_prompt text,
                                                      options jsonb)
RETURNS TABLE (messages jsonb, is_refused boolean)
-- The query is long, and planning it for its values would take longer than it takes.
LANGUAGE plpgsql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT f.messages, f.is_refused
    FROM chat_private.context_fit(other_context.user_id, other_context.conversation_id, other_context.leaf_id, other_context.model,
                                  other_context.system_prompt, other_context.options, NULL) f;
END
$$;
COMMENT ON FUNCTION chat_private.other_context(uuid, uuid, uuid, text, text, jsonb) IS
'What chat_private.context_fit tells for a stored message, as a query of its own, which starts only where it is needed: for what
chat_private.plain_branch finds not plain.';
