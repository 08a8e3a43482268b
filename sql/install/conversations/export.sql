-- Taking conversations out: one in a format of choice, or all, one row each.

CREATE OR REPLACE FUNCTION chat_private.active_branch(user_id uuid, conversation_id uuid) RETURNS TABLE (id uuid, depth integer)
LANGUAGE plpgsql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    WITH RECURSIVE branch (id, parent_id, depth) AS (
      SELECT l.id, l.parent_id, 1
      FROM chat.conversations c,
           LATERAL (SELECT m.id, m.parent_id FROM chat.messages m WHERE m.user_id = c.user_id AND m.id = c.active_leaf_id OFFSET 0) l
      WHERE c.user_id = active_branch.user_id AND c.id = active_branch.conversation_id
      UNION ALL
      SELECT p.id, p.parent_id, b.depth + 1
      FROM branch b, LATERAL (SELECT m.id, m.parent_id FROM chat.messages m
                              WHERE m.user_id = active_branch.user_id AND m.id = b.parent_id OFFSET 0) p
    )
    SELECT b.id, b.depth FROM branch b;
END
$$;
COMMENT ON FUNCTION chat_private.active_branch(uuid, uuid) IS
'The ids of the messages of a conversation''s active branch; depth counts from its leaf, which has 1.';

CREATE OR REPLACE FUNCTION chat_private.export_openai(user_id uuid, conversation_id uuid, include_attachments boolean) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  opening jsonb;
  messages jsonb;
BEGIN
  SELECT CASE WHEN c.system_prompt <> '' THEN jsonb_build_array(jsonb_build_object('role', 'system', 'content', c.system_prompt))
         ELSE '[]' END INTO opening
  FROM chat.conversations c WHERE c.user_id = export_openai.user_id AND c.id = export_openai.conversation_id;
  SELECT jsonb_agg(jsonb_build_object('role', m.role, 'content', CASE WHEN m.attachment_count = 0 THEN to_jsonb(m.content)
                     ELSE chat_private.content_parts(m.user_id, m.id, m.content, export_openai.include_attachments) END)
                   || CASE WHEN m.tool_calls IS NULL THEN '{}' ELSE jsonb_build_object('tool_calls', m.tool_calls) END
                   || CASE WHEN m.tool_call_id IS NULL THEN '{}' ELSE jsonb_build_object('tool_call_id', m.tool_call_id) END
                   ORDER BY b.depth DESC) INTO messages
  FROM chat_private.active_branch(export_openai.user_id, export_openai.conversation_id) b
  JOIN LATERAL (SELECT m.* FROM chat.messages m WHERE m.user_id = export_openai.user_id AND m.id = b.id OFFSET 0) m ON true
  WHERE chat_private.is_context(m.role, m.content, m.tool_calls);
  RETURN opening || coalesce(messages, '[]');
END
$$;
COMMENT ON FUNCTION chat_private.export_openai(uuid, uuid, boolean) IS
'The active branch of a conversation as an array of {role, content, tool_calls, tool_call_id}, with the system prompt first;
NULL: there is no conversation with this id.';

CREATE OR REPLACE FUNCTION chat_private.export_one(user_id uuid, conversation_id uuid, format text, include_attachments boolean) RETURNS text
LANGUAGE plpgsql STABLE COST 10000 SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET jit = off AS $$
BEGIN
  RETURN CASE export_one.format
    WHEN 'json' THEN chat_private.export_json(export_one.user_id, export_one.conversation_id, export_one.include_attachments)
    WHEN 'markdown' THEN chat_private.export_markdown(export_one.user_id, export_one.conversation_id)
    ELSE chat_private.export_openai(export_one.user_id, export_one.conversation_id, export_one.include_attachments) END;
END
$$;
COMMENT ON FUNCTION chat_private.export_one(uuid, uuid, text, boolean) IS
'A conversation in one of the formats json, markdown and openai; NULL: there is none with this id. Times are those of UTC, so
that the same conversation always gives the same text.';

CREATE OR REPLACE FUNCTION chat_private.export_caller(format text, include_attachments boolean) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  IF export_caller.format IS NULL OR export_caller.include_attachments IS NULL THEN
    RAISE EXCEPTION 'format and include_attachments must not be null' USING ERRCODE = '22004';
  ELSIF export_caller.format NOT IN ('json', 'markdown', 'openai') THEN
    RAISE EXCEPTION 'format "%" does not exist', left(export_caller.format, 100) USING ERRCODE = '22023',
      HINT = 'There are json, markdown and openai.';
  END IF;
  RETURN caller_id;
END
$$;
COMMENT ON FUNCTION chat_private.export_caller(text, boolean) IS
'Who exports, after a look at the arguments. Errors: 28000 nobody is authenticated; 22004 NULL; 22023 format.';

CREATE OR REPLACE FUNCTION chat.export_conversation(id uuid, format text DEFAULT 'json', include_attachments boolean DEFAULT true)
RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER COST 10000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller_id uuid := chat_private.export_caller(export_conversation.format, export_conversation.include_attachments);
  result text;
BEGIN
  IF export_conversation.id IS NULL THEN
    RAISE EXCEPTION 'id must not be null' USING ERRCODE = '22004';
  END IF;
  result := chat_private.export_one(caller_id, export_conversation.id, export_conversation.format, export_conversation.include_attachments);
  IF result IS NULL THEN
    PERFORM chat_private.conversation_not_found();
  END IF;
  RETURN result;
END
$$;
COMMENT ON FUNCTION chat.export_conversation(uuid, text, boolean) IS
'A conversation of the current user as text. format: json, all of it as an object that chat.import_conversations takes, with every
branch, errors, ratings, costs, summaries, tags, the folders it lies in and its files in base64; markdown, the active branch to
read; openai, the active branch as the array of messages that a chat completions API takes. include_attachments: false leaves
out the files'' bytes. A reply in progress is exported as incomplete. Who else wrote in it is not told.
Errors: 28000 nobody is authenticated; 22004 an argument is NULL; 22023 no such format; P0002 no such conversation of mine;
54000 it is longer than a text can be (1 GB): leave the files out.';

-- LATERAL and OFFSET 0 have the arguments looked at before any row, and also where there is none.
CREATE OR REPLACE FUNCTION chat.export_conversations(format text DEFAULT 'json', archived boolean DEFAULT NULL, since timestamptz DEFAULT NULL,
                                                     include_attachments boolean DEFAULT true)
RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100 COST 10000 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
  SELECT chat_private.export_one(caller.id, c.id, export_conversations.format, export_conversations.include_attachments)
  FROM (SELECT chat_private.export_caller(export_conversations.format, export_conversations.include_attachments) AS id OFFSET 0) caller,
    LATERAL (SELECT o.id FROM chat.conversations o
             WHERE o.user_id = caller.id
               AND (export_conversations.archived IS NULL OR o.is_archived = export_conversations.archived)
               AND (export_conversations.since IS NULL
                    OR greatest(o.last_message_at, o.updated_at) >= export_conversations.since)
             ORDER BY o.id OFFSET 0) c
$$;
COMMENT ON FUNCTION chat.export_conversations(text, boolean, timestamptz, boolean) IS
'The current user''s conversations as chat.export_conversation has them, one row each, oldest first. Called in a SELECT list it
makes a row when that is fetched, so that COPY (SELECT chat.export_conversations()) TO STDOUT holds one conversation at a time.
archived: only those that are, or are not; NULL: all. since: only those that changed then or later; NULL: all.
Errors: 28000 nobody is authenticated; 22004 format or include_attachments is NULL; 22023 no such format.';
