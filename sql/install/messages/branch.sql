-- Walking the tree of messages: a branch from its leaf to the root, for people and for models.

-- LATERAL with OFFSET 0 makes each step one look-up by key, whatever the statistics say: the time is that of the rows returned
-- and not of the branch, the conversation or the table. Elsewhere, too, plans are kept while tables grow from nothing, and
-- enable_seqscan keeps a plan made for an empty table from reading a full one.
CREATE OR REPLACE FUNCTION chat_private.list_branch(user_id uuid, conversation_id uuid, leaf_id uuid, page_size integer)
RETURNS SETOF chat.listed_message
LANGUAGE plpgsql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  owner_id CONSTANT uuid := list_branch.user_id;
  leaf uuid;
BEGIN
  IF list_branch.conversation_id IS NULL THEN
    RAISE EXCEPTION 'conversation_id must not be null' USING ERRCODE = '22004';
  END IF;
  SELECT coalesce(list_branch.leaf_id, c.active_leaf_id) INTO leaf
  FROM chat.conversations c WHERE c.user_id = owner_id AND c.id = list_branch.conversation_id;
  IF NOT FOUND THEN
    PERFORM chat_private.conversation_not_found();
  END IF;
  RETURN QUERY
    WITH RECURSIVE branch (id, parent_id, depth) AS (
      SELECT l.id, l.parent_id, 1
      FROM (SELECT m.* FROM chat.messages m WHERE m.user_id = owner_id AND m.id = leaf OFFSET 0) l
      WHERE l.conversation_id = list_branch.conversation_id
      UNION ALL
      SELECT p.id, p.parent_id, b.depth + 1
      FROM branch b, LATERAL (SELECT m.id, m.parent_id FROM chat.messages m
                              WHERE m.user_id = owner_id AND m.id = b.parent_id OFFSET 0) p
      WHERE b.depth < list_branch.page_size
    )
    SELECT f.*, f.status = 'error', f.error, s.siblings, s.place
    FROM (SELECT b.id, b.depth FROM branch b ORDER BY b.depth DESC) o,
      LATERAL (SELECT m.* FROM chat.messages m WHERE m.user_id = owner_id AND m.id = o.id OFFSET 0) f,
      LATERAL (SELECT count(*)::integer AS siblings, (count(*) FILTER (WHERE t.id <= f.id))::integer AS place
               FROM (SELECT m.id FROM chat.messages m WHERE m.user_id = owner_id AND m.parent_id = f.parent_id
                     UNION ALL
                     SELECT m.id FROM chat.messages m
                     WHERE f.parent_id IS NULL AND m.user_id = owner_id AND m.conversation_id = list_branch.conversation_id
                       AND m.parent_id IS NULL) t) s
    ORDER BY o.depth DESC;
  IF NOT FOUND AND list_branch.leaf_id IS NOT NULL THEN
    RAISE EXCEPTION 'message not found in this conversation' USING ERRCODE = 'P0002',
      HINT = 'chat.list_messages without leaf_id shows the active branch.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.list_branch(uuid, uuid, uuid, integer) IS
'The last page_size messages of the branch that ends at leaf_id, NULL: the active one, root first; the caller acts as user_id.
Errors: 22004 conversation_id is NULL; P0002 no such conversation, or leaf in it.';

CREATE OR REPLACE FUNCTION chat.list_messages(conversation_id uuid, leaf_id uuid DEFAULT NULL)
RETURNS SETOF chat.listed_message
LANGUAGE sql STABLE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
  SELECT l.* FROM chat_private.list_branch(chat_private.require_user(), list_messages.conversation_id, list_messages.leaf_id, 2147483647) l
$$;
COMMENT ON FUNCTION chat.list_messages(uuid, uuid) IS
'The messages of a conversation''s active branch, root first; or of the branch that ends at leaf_id. Each row has the columns of
chat.messages and is_error, error_details (the reply''s error), sibling_count (how many messages follow the same one, itself
included; the first messages of a conversation are siblings, too) and sibling_index (which of them it is, the oldest being 1).
Errors: 28000 nobody is authenticated; 22004 conversation_id is NULL; P0002 no such conversation or leaf of mine.';

CREATE OR REPLACE FUNCTION chat.list_messages(conversation_id uuid, leaf_id uuid, page_size integer)
RETURNS SETOF chat.listed_message
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  PERFORM chat_private.check_page_size(list_messages.page_size);
  RETURN QUERY SELECT l.* FROM chat_private.list_branch(caller_id, list_messages.conversation_id, list_messages.leaf_id,
                                                        list_messages.page_size) l;
END
$$;
COMMENT ON FUNCTION chat.list_messages(uuid, uuid, integer) IS
'The last page_size messages, 1 to 1000, of the branch that ends at leaf_id, NULL: of the active one; root first. The page before
ends at the parent_id of the first row. It costs the rows that it returns, however long the branch is.
Errors: 28000 nobody is authenticated; 22004 conversation_id or page_size is NULL; 22023 page_size out of range; P0002 no such
conversation or leaf of mine.';

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
