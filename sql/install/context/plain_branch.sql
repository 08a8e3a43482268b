-- The short way to what a model is told: most conversations are plain and far below the window, and the query of
-- chat_private.context_fit, which has to provide for all others, takes longer to start than they take to read.

-- Bound at creation and inlined where used, so that a claim of many conversations stays one statement. A subquery among the
-- arguments would prevent that.
CREATE OR REPLACE FUNCTION chat_private.plain_branch(user_id uuid, conversation_id uuid, leaf_id uuid, context_window integer,
                                                     fixed_tokens bigint, is_asked boolean)
RETURNS TABLE (messages json, is_plain boolean)
LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
  SELECT b.messages, r.room >= 0 AND (plain_branch.leaf_id IS NULL OR b.messages IS NOT NULL)
  -- Whatever is reserved for the answer is no more than half of the window. 500,000 tokens are less than the 32 MB that
  -- are told at most: a token is counted for three bytes or fewer, and each row, of 500 bytes, has eight of them.
  FROM (SELECT least(500000, plain_branch.context_window - plain_branch.context_window / 2) - plain_branch.fixed_tokens AS room
        OFFSET 0) r,
       LATERAL (
         SELECT chat_private.branch_messages(plain_branch.leaf_id, r.room, m.id, m.parent_id, m.role, m.content, m.output_tokens,
                  m.attachment_count = 0 AND m.tool_calls IS NULL AND m.tool_call_id IS NULL
                    AND (m.id <> plain_branch.leaf_id
                         OR (m.role = 'assistant') = plain_branch.is_asked
                            AND m.status NOT IN ('pending', 'streaming', 'cancelled'))) AS messages
         FROM (SELECT m.* FROM chat.messages m
               WHERE m.user_id = plain_branch.user_id AND m.conversation_id = plain_branch.conversation_id
               -- Each takes eight tokens or more, as chat_private.branch_messages counts. Among very many, a branch is found by
               -- following it upwards: this is to cost little where it was for nothing.
               LIMIT greatest(0, least(1000, r.room / 8))) m OFFSET 0) b;
END;
COMMENT ON FUNCTION chat_private.plain_branch(uuid, uuid, uuid, integer, bigint, boolean) IS
'The branch that ends at leaf_id as a model is told of it, root first, if it is plain: without files and calls of tools, in a
conversation of no more than 1,000 messages, and so short that all of it fits into the model''s window however its tokens are
counted and whatever is reserved. is_plain: it is, and messages are what chat_private.context_fit tells, NULL or empty where there
are none; else messages mean nothing, and that is to be asked. context_window: the model''s, NULL: not known. fixed_tokens: of the request besides these messages. is_asked: a
message follows that is not stored yet, so that the leaf is plain where it is an answer that has ended; else where it is none, for an
answer is to be continued. conversation_id NULL: no message is read. To be used where enable_seqscan is off.';

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
