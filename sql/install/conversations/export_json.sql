-- A conversation as a JSON document that has all of it and can be imported again.

CREATE OR REPLACE FUNCTION chat_private.export_messages(user_id uuid, conversation_id uuid) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  result json;
BEGIN
  -- A reply in progress has no hash yet, and is one that was cut off wherever it is read from the document.
  SELECT json_agg(json_build_object(
      'id', m.id, 'parent_id', m.parent_id, 'role', m.role,
      'status', CASE WHEN m.status IN ('pending', 'streaming') THEN 'incomplete' ELSE m.status END,
      'content', m.content, 'content_hash', encode(coalesce(m.content_hash, chat.content_hash(m.content)), 'hex'),
      'thinking', m.thinking, 'tool_calls', m.tool_calls, 'tool_call_id', m.tool_call_id,
      'model', m.model, 'finish_reason', m.finish_reason, 'error', m.error,
      'input_tokens', m.input_tokens, 'output_tokens', m.output_tokens, 'cached_tokens', m.cached_tokens, 'cost', m.cost,
      'latency_ms', m.latency_ms, 'first_token_ms', m.first_token_ms, 'rating', m.rating, 'feedback', m.feedback,
      'attachments', CASE WHEN m.attachment_count > 0 THEN
        (SELECT json_agg(json_build_object('sha256', encode(a.sha256, 'hex'), 'name', f.name) ORDER BY f.position)
         FROM chat.message_attachments f JOIN chat.attachments a ON a.user_id = f.user_id AND a.id = f.attachment_id
         WHERE f.user_id = m.user_id AND f.message_id = m.id) END,
      'metadata', m.metadata, 'created_at', m.created_at, 'updated_at', m.updated_at) ORDER BY m.id)
  INTO result
  FROM chat.messages m
  WHERE m.user_id = export_messages.user_id AND m.conversation_id = export_messages.conversation_id;
  RETURN coalesce(result, '[]');
END
$$;
COMMENT ON FUNCTION chat_private.export_messages(uuid, uuid) IS
'All messages of a conversation, of every branch, parents before children, as chat.export_conversation has them.';

CREATE OR REPLACE FUNCTION chat_private.export_attachments(user_id uuid, conversation_id uuid, include_data boolean) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  result json;
BEGIN
  SELECT json_agg(json_build_object(
      'sha256', encode(a.sha256, 'hex'), 'media_type', a.media_type, 'byte_size', a.byte_size, 'width', a.width, 'height', a.height,
      'data', CASE WHEN export_attachments.include_data THEN
        (SELECT translate(encode(d.data, 'base64'), E'\n', '') FROM chat_private.attachment_data d
         WHERE d.user_id = a.user_id AND d.attachment_id = a.id) END) ORDER BY a.sha256)
  INTO result
  FROM chat.attachments a
  WHERE a.user_id = export_attachments.user_id
    AND a.id IN (SELECT f.attachment_id FROM chat.messages m
                 JOIN chat.message_attachments f ON f.user_id = m.user_id AND f.message_id = m.id
                 WHERE m.user_id = export_attachments.user_id AND m.conversation_id = export_attachments.conversation_id
                   AND m.attachment_count > 0);
  RETURN coalesce(result, '[]');
END
$$;
COMMENT ON FUNCTION chat_private.export_attachments(uuid, uuid, boolean) IS
'The files of a conversation''s messages, each once; data in base64, NULL where it is not wanted.';

CREATE OR REPLACE FUNCTION chat_private.folder_path(user_id uuid, folder_id uuid) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  path text[] := '{}';
  here record;
  next_id uuid := folder_path.folder_id;
BEGIN
  WHILE next_id IS NOT NULL AND cardinality(path) < 100 LOOP
    SELECT f.name, f.parent_id INTO here FROM chat.folders f WHERE f.user_id = folder_path.user_id AND f.id = next_id;
    EXIT WHEN NOT FOUND;
    path := here.name || path;
    next_id := here.parent_id;
  END LOOP;
  RETURN path;
END
$$;
COMMENT ON FUNCTION chat_private.folder_path(uuid, uuid) IS
'The names of the folders that lead to one, its own last; at most the last 100. Empty for NULL.';

CREATE OR REPLACE FUNCTION chat_private.export_json(user_id uuid, conversation_id uuid, include_attachments boolean) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  result text;
BEGIN
  SELECT json_build_object(
      'format', 'pgchat', 'version', 1,
      'id', c.id, 'title', c.title, 'title_source', c.title_source, 'description', c.description,
      'is_pinned', c.is_pinned, 'is_archived', c.is_archived, 'model', c.model, 'system_prompt', c.system_prompt,
      'folder', chat_private.folder_path(c.user_id, c.folder_id), 'tags', c.tags,
      'context_strategy', c.context_strategy, 'context_reserve', c.context_reserve, 'summary_model', c.summary_model,
      'metadata', c.metadata, 'created_at', c.created_at, 'updated_at', c.updated_at, 'last_message_at', c.last_message_at,
      'last_reply_at', c.last_reply_at, 'last_read_at', c.last_read_at, 'active_leaf_id', c.active_leaf_id,
      'messages', chat_private.export_messages(c.user_id, c.id),
      'summaries', coalesce(
        (SELECT json_agg(json_build_object('last_message_id', s.last_message_id, 'content', s.content, 'model', s.model,
                                           'created_at', s.created_at) ORDER BY s.id)
         FROM chat.conversation_summaries s WHERE s.user_id = c.user_id AND s.conversation_id = c.id), '[]'),
      'attachments', chat_private.export_attachments(c.user_id, c.id, export_json.include_attachments))::text
  INTO result
  FROM chat.conversations c WHERE c.user_id = export_json.user_id AND c.id = export_json.conversation_id;
  RETURN result;
END
$$;
COMMENT ON FUNCTION chat_private.export_json(uuid, uuid, boolean) IS
'A conversation with all that belongs to it, as a JSON object of format pgchat; NULL: there is none with this id.';
