-- Summaries: where one stands for the older part of a branch, and when another is needed.

CREATE OR REPLACE FUNCTION chat_private.summary_message(content text) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN jsonb_build_object('role', 'system', 'content', 'Summary of the earlier part of this conversation:' || E'\n\n' || content);
COMMENT ON FUNCTION chat_private.summary_message(text) IS 'A summary as a model is told of it.';

CREATE OR REPLACE FUNCTION chat_private.summary_tokens(content text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN chat_private.text_tokens(octet_length(content)) + 30;
COMMENT ON FUNCTION chat_private.summary_tokens(text) IS 'Tokens of a summary as a model is told of it.';

-- Bound at creation and inlined where used.
CREATE OR REPLACE FUNCTION chat_private.has_summary(user_id uuid, message_id uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM chat.conversation_summaries s
               WHERE s.user_id = has_summary.user_id AND s.last_message_id = has_summary.message_id);
COMMENT ON FUNCTION chat_private.has_summary(uuid, uuid) IS 'Whether a summary ends with this message. To be used where enable_seqscan is off.';

CREATE OR REPLACE FUNCTION chat_private.nearest_summary(user_id uuid, conversation_id uuid, leaf_id uuid) RETURNS chat.conversation_summaries
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  summary chat.conversation_summaries;
BEGIN
  PERFORM FROM chat.conversation_summaries s
  WHERE s.user_id = nearest_summary.user_id AND s.conversation_id = nearest_summary.conversation_id LIMIT 1;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  -- One look-up a step, however many summaries there are: an import may bring thousands.
  WITH RECURSIVE branch AS (
    SELECT nearest_summary.leaf_id AS id, chat_private.has_summary(nearest_summary.user_id, nearest_summary.leaf_id) AS is_told
    UNION ALL
    SELECT p.parent_id, chat_private.has_summary(nearest_summary.user_id, p.parent_id)
    FROM branch b, LATERAL (SELECT m.parent_id FROM chat.messages m
                            WHERE m.user_id = nearest_summary.user_id AND m.id = b.id OFFSET 0) p
    WHERE NOT b.is_told
  )
  SELECT s.* INTO summary
  FROM branch b, LATERAL (SELECT x.* FROM chat.conversation_summaries x
                          WHERE x.user_id = nearest_summary.user_id AND x.last_message_id = b.id ORDER BY x.id DESC LIMIT 1) s
  WHERE b.is_told LIMIT 1;
  RETURN summary;
END
$$;
COMMENT ON FUNCTION chat_private.nearest_summary(uuid, uuid, uuid) IS
'The newest summary of the part of a branch that ends nearest above leaf_id, or with it; NULL where the branch has none. A
conversation without summaries is not walked.';

CREATE OR REPLACE FUNCTION chat_private.summarized_branch(user_id uuid, conversation_id uuid, leaf_id uuid, room bigint,
                                                          takes_images boolean) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  summary CONSTANT chat.conversation_summaries := chat_private.nearest_summary(
    summarized_branch.user_id, summarized_branch.conversation_id, summarized_branch.leaf_id);
  told jsonb;
BEGIN
  IF summary.id IS NULL THEN
    RETURN NULL;
  END IF;
  SELECT f.messages INTO told
  FROM chat_private.fitted_branch(summarized_branch.user_id, summarized_branch.leaf_id,
         summarized_branch.room - chat_private.summary_tokens(summary.content), summary.last_message_id,
         summarized_branch.takes_images) f;
  RETURN jsonb_build_array(chat_private.summary_message(summary.content)) || told;
END
$$;
COMMENT ON FUNCTION chat_private.summarized_branch(uuid, uuid, uuid, bigint, boolean) IS
'A branch as a model is told of it by a summary of the older part and what follows; NULL where it has no summary, or nothing fits
beside it.';
