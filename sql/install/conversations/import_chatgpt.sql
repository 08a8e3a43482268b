-- ChatGPT's export: a mapping of nodes, many of which are not shown, to the form that pgchat exports.

CREATE OR REPLACE FUNCTION chat_private.chatgpt_part(part jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kind text := chatgpt_part.part ->> 'content_type';
BEGIN
  RETURN CASE
    WHEN jsonb_typeof(part) <> 'object' THEN part #>> '{}'
    WHEN jsonb_typeof(part -> 'text') = 'string' THEN part ->> 'text'
    WHEN kind = 'image_asset_pointer' THEN format('[image: %s]', regexp_replace(coalesce(part ->> 'asset_pointer', '?'), '^.*[:/]', ''))
    WHEN kind LIKE '%audio%' OR kind LIKE '%video%' THEN NULL
    ELSE format('[%s]', coalesce(kind, 'unknown')) END;
END
$$;
COMMENT ON FUNCTION chat_private.chatgpt_part(jsonb) IS
'A part of a message of ChatGPT as text: images, which the export has as files of their own, by name; sound, beside which its
text stands, NULL.';

CREATE OR REPLACE FUNCTION chat_private.chatgpt_text(content jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kind text := chatgpt_text.content ->> 'content_type';
  parts jsonb := CASE jsonb_typeof(content -> 'parts') WHEN 'array' THEN content -> 'parts' ELSE '[]' END;
  joined text := (SELECT string_agg(chat_private.chatgpt_part(p.part), E'\n\n' ORDER BY p.n)
                  FROM jsonb_array_elements(parts) WITH ORDINALITY p (part, n) WHERE p.part NOT IN ('""', 'null'));
BEGIN
  RETURN CASE
    WHEN kind = 'code' THEN chat_private.fenced(coalesce(content ->> 'text', joined, ''), nullif(content ->> 'language', 'unknown'))
    WHEN kind = 'execution_output' THEN chat_private.fenced(coalesce(content ->> 'text', joined, ''))
    WHEN kind = 'tether_quote' THEN concat_ws(E'\n\n', nullif(content ->> 'title', ''), nullif(content ->> 'url', ''), nullif(content ->> 'text', ''))
    WHEN kind = 'thoughts' THEN
      (SELECT string_agg(concat_ws(E'\n\n', nullif(t.thought ->> 'summary', ''), nullif(t.thought ->> 'content', '')), E'\n\n' ORDER BY t.n)
       FROM jsonb_array_elements(CASE jsonb_typeof(content -> 'thoughts') WHEN 'array' THEN content -> 'thoughts' ELSE '[]' END)
         WITH ORDINALITY t (thought, n))
    WHEN kind = 'system_error' THEN concat_ws(': ', content ->> 'name', content ->> 'text')
    WHEN kind IN ('text', 'multimodal_text') THEN coalesce(joined, '')
    ELSE coalesce(joined, content ->> 'text', content ->> 'result', content ->> 'content',
                  CASE WHEN kind NOT IN ('reasoning_recap') THEN format('[%s]', kind) END, '') END;
END
$$;
COMMENT ON FUNCTION chat_private.chatgpt_text(jsonb) IS
'What a message of ChatGPT says, as Markdown; a kind of content that is not known by its text, or by its name.';

CREATE OR REPLACE FUNCTION chat_private.chatgpt_nodes(mapping jsonb)
RETURNS TABLE (id text, parent_id text, place bigint, role text, kind text, content text, message jsonb, is_shown boolean)
LANGUAGE plpgsql IMMUTABLE ROWS 1000 SET search_path = pg_catalog, pg_temp SET enable_nestloop = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    WITH node AS MATERIALIZED (
      SELECT n.key AS id, n.value ->> 'parent' AS parent_id, n.value -> 'children' AS children,
             CASE jsonb_typeof(n.value -> 'message') WHEN 'object' THEN n.value -> 'message' END AS message
      FROM jsonb_each(chatgpt_nodes.mapping) n WHERE jsonb_typeof(n.value) = 'object'
    ), listed AS (
      SELECT DISTINCT ON (c.child) c.child, n.id AS parent_id, c.place
      FROM node n, jsonb_array_elements_text(CASE jsonb_typeof(n.children) WHEN 'array' THEN n.children ELSE '[]' END)
        WITH ORDINALITY c (child, place)
      ORDER BY c.child, n.id
    )
    SELECT n.id, coalesce(n.parent_id, l.parent_id), l.place, n.message #>> '{author,role}', n.message #>> '{content,content_type}',
           chat_private.chatgpt_text(n.message -> 'content'), n.message,
           (n.message #>> '{author,role}') IN ('user', 'assistant', 'tool', 'system')
           AND coalesce(n.message #>> '{metadata,is_visually_hidden_from_conversation}', '') <> 'true'
           AND coalesce(n.message #>> '{metadata,is_user_system_message}', '') <> 'true'
           AND coalesce(n.message #>> '{content,content_type}', '') NOT IN ('thoughts', 'reasoning_recap', 'user_editable_context', 'model_editable_context')
    FROM node n LEFT JOIN listed l ON l.child = n.id;
END
$$;
COMMENT ON FUNCTION chat_private.chatgpt_nodes(jsonb) IS
'The nodes of a conversation of ChatGPT. A node''s own word on its parent counts, and else the list of children it is in, where
place is its number. is_shown: it has a message that users are shown.';

CREATE OR REPLACE FUNCTION chat_private.chatgpt_messages(mapping jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp SET enable_nestloop = off AS $$
DECLARE
  result jsonb;
BEGIN
  -- A call of a tool stays one where the tool answers below it: a model can be told only of both together.
  WITH node AS MATERIALIZED (SELECT n.* FROM chat_private.chatgpt_nodes(chatgpt_messages.mapping) n
  ), answered AS (
    SELECT n.parent_id AS id FROM node n WHERE n.parent_id IS NOT NULL GROUP BY n.parent_id HAVING bool_and(n.role = 'tool')
  ), linked AS MATERIALIZED (
    SELECT n.*, p.kind AS above_kind, p.content AS above_content, g.kind AS higher_kind, g.content AS higher_content,
           chat_private.json_time(n.message -> 'create_time') AS created_at,
           a.id IS NOT NULL AND n.is_shown AND n.role = 'assistant' AND coalesce(n.message ->> 'recipient', 'all') <> 'all' AS is_call,
           b.id IS NOT NULL AND p.is_shown AND p.role = 'assistant' AND coalesce(p.message ->> 'recipient', 'all') <> 'all' AS is_answer,
           (SELECT string_agg(format(E'[file: %s]', f ->> 'name'), E'\n')
            FROM jsonb_array_elements(CASE jsonb_typeof(n.message #> '{metadata,attachments}') WHEN 'array'
                                      THEN n.message #> '{metadata,attachments}' ELSE '[]' END) f
            WHERE f ->> 'name' <> '' AND coalesce(f ->> 'mime_type', '') NOT LIKE 'image/%') AS files
    FROM node n LEFT JOIN node p ON p.id = n.parent_id LEFT JOIN node g ON g.id = p.parent_id
    LEFT JOIN answered a ON a.id = n.id LEFT JOIN answered b ON b.id = n.parent_id
  )
  SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
      'id', n.id, 'parent_id', n.parent_id,
      'dropped', NOT coalesce(n.is_shown AND (n.content <> '' OR n.files <> '' OR n.is_call) OR n.is_answer, false),
      'role', CASE WHEN n.role = 'tool' AND n.is_answer IS NOT TRUE THEN 'assistant' ELSE n.role END,
      'status', CASE WHEN n.message ->> 'status' IN ('in_progress', 'finished_partial_completion')
                       OR n.message #>> '{metadata,finish_details,type}' IN ('interrupted', 'max_tokens') THEN 'incomplete' ELSE 'complete' END,
      'content', CASE WHEN n.is_call THEN '' ELSE concat_ws(E'\n\n', nullif(n.content, ''), n.files) END,
      'thinking', CASE WHEN n.role = 'assistant' THEN CASE WHEN n.above_kind = 'thoughts' THEN n.above_content
                                                           WHEN n.above_kind = 'reasoning_recap' AND n.higher_kind = 'thoughts' THEN n.higher_content END END,
      'tool_calls', CASE WHEN n.is_call THEN jsonb_build_array(jsonb_build_object('id', left(n.id, 200), 'type', 'function', 'function',
          jsonb_build_object('name', left(regexp_replace(n.message ->> 'recipient', '[^A-Za-z0-9_-]', '_', 'g'), 64),
                             'arguments', jsonb_build_object('input', coalesce(n.message #>> '{content,text}', n.content))::text))) END,
      'tool_call_id', CASE WHEN n.is_answer THEN left(n.parent_id, 200) END,
      'model', CASE WHEN n.role <> 'user' THEN left(n.message #>> '{metadata,model_slug}', 255) END,
      'metadata', CASE WHEN n.role = 'tool' OR n.kind NOT IN ('text', 'multimodal_text') THEN jsonb_build_object('chatgpt', jsonb_build_object(
          'role', n.role, 'name', n.message #> '{author,name}', 'content_type', n.kind)) END,
      'created_at', n.created_at, 'updated_at', chat_private.json_time(n.message -> 'update_time')))
    ORDER BY coalesce(n.created_at, '-infinity'), n.place, n.id)
  INTO result FROM linked n;
  RETURN coalesce(result, '[]');
END
$$;
COMMENT ON FUNCTION chat_private.chatgpt_messages(jsonb) IS
'The messages of a mapping in the form of pgchat. Nodes that are not shown, or empty, are marked as dropped; the thoughts before
an answer are its thinking; what a tool says without having been called is said by the assistant.';

CREATE OR REPLACE FUNCTION chat_private.from_chatgpt(item jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  origin jsonb := jsonb_strip_nulls(jsonb_build_object('gizmo_id', item -> 'gizmo_id', 'conversation_template_id', item -> 'conversation_template_id',
                                                       'default_model_slug', item -> 'default_model_slug'));
BEGIN
  RETURN jsonb_strip_nulls(jsonb_build_object(
    'title', nullif(btrim(item ->> 'title'), ''), 'is_archived', coalesce(item ->> 'is_archived' = 'true', false),
    'is_pinned', coalesce(item ->> 'is_starred' = 'true', false),
    'metadata', CASE WHEN origin <> '{}' THEN jsonb_build_object('chatgpt', origin) END,
    'created_at', chat_private.json_time(item -> 'create_time'), 'updated_at', chat_private.json_time(item -> 'update_time'),
    'last_message_at', coalesce(chat_private.json_time(item -> 'update_time'), chat_private.json_time(item -> 'create_time')),
    'active_leaf_id', item ->> 'current_node'))
    || jsonb_build_object('messages', chat_private.chatgpt_messages(item -> 'mapping'));
END
$$;
COMMENT ON FUNCTION chat_private.from_chatgpt(jsonb) IS
'A conversation of ChatGPT''s conversations.json in the form of pgchat. Its files are not in that document.';
