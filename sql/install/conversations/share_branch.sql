-- The branch of a conversation that somebody other than its owner is shown. All act as the owner already.

CREATE OR REPLACE FUNCTION chat_private.branch_of(user_id uuid, conversation_id uuid, leaf_id uuid) RETURNS SETOF chat.messages
LANGUAGE plpgsql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    WITH RECURSIVE branch (id, parent_id, depth) AS (
      SELECT l.id, l.parent_id, 1
      FROM (SELECT m.* FROM chat.messages m WHERE m.user_id = branch_of.user_id AND m.id = branch_of.leaf_id OFFSET 0) l
      WHERE l.conversation_id = branch_of.conversation_id
      UNION ALL
      SELECT p.id, p.parent_id, b.depth + 1
      FROM branch b, LATERAL (SELECT m.id, m.parent_id FROM chat.messages m
                              WHERE m.user_id = branch_of.user_id AND m.id = b.parent_id OFFSET 0) p
    )
    SELECT f.* FROM (SELECT b.id, b.depth FROM branch b ORDER BY b.depth DESC) o,
      LATERAL (SELECT m.* FROM chat.messages m WHERE m.user_id = branch_of.user_id AND m.id = o.id OFFSET 0) f
    ORDER BY o.depth DESC;
END
$$;
COMMENT ON FUNCTION chat_private.branch_of(uuid, uuid, uuid) IS
'The messages from the root to leaf_id, in this order; none where that is no message of the conversation.';

CREATE OR REPLACE FUNCTION chat_private.final_leaf(user_id uuid, conversation_id uuid, leaf_id uuid) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT b.id FROM (
      SELECT m.id, m.ordinality, bool_and(m.status NOT IN ('pending', 'streaming')) OVER (ORDER BY m.ordinality) AS is_final
      FROM chat_private.branch_of(final_leaf.user_id, final_leaf.conversation_id, final_leaf.leaf_id) WITH ORDINALITY m) b
    WHERE b.is_final ORDER BY b.ordinality DESC LIMIT 1);
END
$$;
COMMENT ON FUNCTION chat_private.final_leaf(uuid, uuid, uuid) IS
'The last message of the branch before any reply in progress; NULL where there is none.';

CREATE OR REPLACE FUNCTION chat_private.continued_leaf(user_id uuid, conversation_id uuid, message_id uuid) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  leaf uuid;
  below uuid;
BEGIN
  SELECT c.active_leaf_id INTO leaf FROM chat.conversations c
  WHERE c.user_id = continued_leaf.user_id AND c.id = continued_leaf.conversation_id;
  IF EXISTS (SELECT FROM chat_private.branch_of(continued_leaf.user_id, continued_leaf.conversation_id, leaf) m
             WHERE m.id = continued_leaf.message_id) THEN
    RETURN leaf;
  END IF;
  SELECT m.id INTO leaf FROM chat.messages m
  WHERE m.user_id = continued_leaf.user_id AND m.id = continued_leaf.message_id
    AND m.conversation_id = continued_leaf.conversation_id;
  WHILE FOUND LOOP
    SELECT m.id INTO below FROM chat.messages m
    WHERE m.user_id = continued_leaf.user_id AND m.parent_id = leaf ORDER BY m.id DESC LIMIT 1;
    leaf := coalesce(below, leaf);
  END LOOP;
  RETURN leaf;
END
$$;
COMMENT ON FUNCTION chat_private.continued_leaf(uuid, uuid, uuid) IS
'Where the branch through a message ends: the active leaf if that is below it, else the latest of what follows it; NULL where
it is no message of the conversation.';

CREATE OR REPLACE FUNCTION chat_private.shown_leaf(share chat.conversation_shares, through_id uuid DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_variable
BEGIN
  IF share.includes_later THEN
    IF coalesce(through_id, share.leaf_id) IS NULL THEN
      RETURN (SELECT c.active_leaf_id FROM chat.conversations c WHERE c.user_id = share.user_id AND c.id = share.conversation_id);
    END IF;
    RETURN chat_private.continued_leaf(share.user_id, share.conversation_id, coalesce(through_id, share.leaf_id));
  ELSIF through_id IS NULL OR EXISTS (
    SELECT FROM chat_private.branch_of(share.user_id, share.conversation_id, share.leaf_id) m WHERE m.id = through_id) THEN
    RETURN coalesce(through_id, share.leaf_id);
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION chat_private.shown_leaf(chat.conversation_shares, uuid) IS
'The last message that a share shows now. through_id: where what is added later is shown, the branch through this message to its
end; else the branch as far as this message, NULL where that is not in it.';

CREATE OR REPLACE FUNCTION chat_private.shown_title(share chat.conversation_shares) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_variable
BEGIN
  RETURN coalesce(share.title, (SELECT c.title FROM chat.conversations c
                                WHERE c.user_id = share.user_id AND c.id = share.conversation_id));
END
$$;
COMMENT ON FUNCTION chat_private.shown_title(chat.conversation_shares) IS 'The title under which a share shows its conversation.';

CREATE OR REPLACE FUNCTION chat_private.attachments_of(user_id uuid, message_id uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT coalesce(jsonb_agg(jsonb_build_object(
      'position', a.position, 'name', a.name, 'media_type', f.media_type, 'byte_size', f.byte_size, 'width', f.width,
      'height', f.height) ORDER BY a.position), '[]')
    FROM chat.message_attachments a JOIN chat.attachments f ON f.user_id = a.user_id AND f.id = a.attachment_id
    WHERE a.user_id = attachments_of.user_id AND a.message_id = attachments_of.message_id);
END
$$;
COMMENT ON FUNCTION chat_private.attachments_of(uuid, uuid) IS 'The files of a message as chat.shared_message has them.';

CREATE OR REPLACE FUNCTION chat_private.link_messages(share chat.conversation_shares) RETURNS SETOF chat.shared_message
LANGUAGE plpgsql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT m.id, NULL::uuid, m.role, m.status, m.content, NULL, NULL::jsonb, NULL, m.model, NULL::uuid, NULL, NULL::uuid[],
           CASE WHEN m.attachment_count > 0 THEN chat_private.attachments_of(m.user_id, m.id) ELSE '[]' END, m.created_at
    FROM chat_private.branch_of((link_messages.share).user_id, (link_messages.share).conversation_id,
                                chat_private.shown_leaf(link_messages.share)) WITH ORDINALITY m
    WHERE m.role IN ('user', 'assistant')
      AND (m.content <> '' OR m.attachment_count > 0 OR m.status IN ('pending', 'streaming'))
    ORDER BY m.ordinality;
END
$$;
COMMENT ON FUNCTION chat_private.link_messages(chat.conversation_shares) IS
'What a link shows: what people and models said to each other, root first; no system prompts, tools, thinking, names or costs.';

CREATE OR REPLACE FUNCTION chat_private.sibling_ids(user_id uuid, conversation_id uuid, parent_id uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  IF sibling_ids.parent_id IS NULL THEN
    RETURN ARRAY(SELECT m.id FROM chat.messages m WHERE m.user_id = sibling_ids.user_id
                   AND m.conversation_id = sibling_ids.conversation_id AND m.parent_id IS NULL ORDER BY m.id);
  END IF;
  RETURN ARRAY(SELECT m.id FROM chat.messages m
               WHERE m.user_id = sibling_ids.user_id AND m.parent_id = sibling_ids.parent_id ORDER BY m.id);
END
$$;
COMMENT ON FUNCTION chat_private.sibling_ids(uuid, uuid, uuid) IS 'The messages below one, or at the root of a conversation, the oldest first.';

CREATE OR REPLACE FUNCTION chat_private.grant_messages(share chat.conversation_shares, leaf_id uuid) RETURNS SETOF chat.shared_message
LANGUAGE plpgsql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT m.id, m.parent_id, m.role, m.status, m.content, m.thinking, m.tool_calls, m.tool_call_id, m.model, w.id,
           coalesce(w.display_name, w.username),
           CASE WHEN (grant_messages.share).includes_later THEN chat_private.sibling_ids(m.user_id, m.conversation_id, m.parent_id) END,
           CASE WHEN m.attachment_count > 0 THEN chat_private.attachments_of(m.user_id, m.id) ELSE '[]' END, m.created_at
    FROM chat_private.branch_of((grant_messages.share).user_id, (grant_messages.share).conversation_id, grant_messages.leaf_id)
      WITH ORDINALITY m
    LEFT JOIN chat.users w ON m.role = 'user' AND w.id = coalesce(m.author_id, m.user_id)
    WHERE m.role <> 'system'
    ORDER BY m.ordinality;
END
$$;
COMMENT ON FUNCTION chat_private.grant_messages(chat.conversation_shares, uuid) IS
'What a user is shown with whom a conversation is shared; for callers that act as its owner, in the gate, where authors have names.';
