-- Walking the tree of messages: a branch from its leaf to the root, for people and for models.

-- LATERAL with OFFSET 0 makes each step one look-up by key, whatever the statistics say: the time is that of the branch and
-- not of the conversation or the table. Elsewhere, too, plans are kept while tables grow from nothing, and enable_seqscan
-- keeps a plan made for an empty table from reading a full one.
CREATE OR REPLACE FUNCTION chat.list_messages(conversation_id uuid, leaf_id uuid DEFAULT NULL)
RETURNS SETOF chat.messages
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  leaf uuid;
BEGIN
  IF list_messages.conversation_id IS NULL THEN
    RAISE EXCEPTION 'conversation_id must not be null' USING ERRCODE = '22004';
  END IF;
  SELECT coalesce(list_messages.leaf_id, c.active_leaf_id) INTO leaf
  FROM chat.conversations c WHERE c.user_id = caller_id AND c.id = list_messages.conversation_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'conversation not found' USING ERRCODE = 'P0002',
      HINT = 'chat.list_conversations shows yours; check who is authenticated.';
  END IF;
  RETURN QUERY
    WITH RECURSIVE branch (id, parent_id, depth) AS (
      SELECT l.id, l.parent_id, 1
      FROM (SELECT m.* FROM chat.messages m WHERE m.user_id = caller_id AND m.id = leaf OFFSET 0) l
      WHERE l.conversation_id = list_messages.conversation_id
      UNION ALL
      SELECT p.id, p.parent_id, b.depth + 1
      FROM branch b, LATERAL (SELECT m.id, m.parent_id FROM chat.messages m
                              WHERE m.user_id = caller_id AND m.id = b.parent_id OFFSET 0) p
    )
    SELECT f.* FROM (SELECT b.id, b.depth FROM branch b ORDER BY b.depth DESC) o,
      LATERAL (SELECT m.* FROM chat.messages m WHERE m.user_id = caller_id AND m.id = o.id OFFSET 0) f
    ORDER BY o.depth DESC;
  IF NOT FOUND AND list_messages.leaf_id IS NOT NULL THEN
    RAISE EXCEPTION 'message not found in this conversation' USING ERRCODE = 'P0002';
  END IF;
END
$$;
COMMENT ON FUNCTION chat.list_messages(uuid, uuid) IS
'The messages of a conversation''s active branch, root first; or of the branch that ends at leaf_id.
Errors: 28000 nobody is authenticated; 22004 conversation_id is NULL; P0002 no such conversation or leaf of mine.';

-- Bound at creation and inlined where used: a model is told of everything but replies that came to nothing.
CREATE OR REPLACE FUNCTION chat_private.is_context(role text, content text, tool_calls jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN role <> 'assistant' OR content <> '' OR tool_calls IS NOT NULL;
COMMENT ON FUNCTION chat_private.is_context(text, text, jsonb) IS 'Whether a message is part of what a model is told.';

CREATE OR REPLACE FUNCTION chat_private.context_message(role text, content text, tool_calls jsonb, tool_call_id text)
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
  WHEN tool_calls IS NOT NULL THEN jsonb_build_object('role', role, 'content', content, 'tool_calls', tool_calls)
  WHEN tool_call_id IS NOT NULL THEN jsonb_build_object('role', role, 'content', content, 'tool_call_id', tool_call_id)
  ELSE jsonb_build_object('role', role, 'content', content)
END;
COMMENT ON FUNCTION chat_private.context_message(text, text, jsonb, text) IS 'One message as a model is told of it.';
