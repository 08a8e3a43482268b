-- Open WebUI's export of chats, to the form that pgchat exports.

CREATE OR REPLACE FUNCTION chat_private.openwebui_text(content jsonb, OUT thinking text, OUT answer text)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ends integer;
BEGIN
  answer := CASE jsonb_typeof(openwebui_text.content)
    WHEN 'string' THEN content #>> '{}'
    WHEN 'array' THEN (SELECT string_agg(p.part ->> 'text', E'\n\n' ORDER BY p.n)
                       FROM jsonb_array_elements(content) WITH ORDINALITY p (part, n) WHERE p.part ->> 'type' = 'text') END;
  answer := coalesce(answer, '');
  ends := strpos(answer, '</details>');
  IF answer LIKE '<details type="reasoning"%' AND ends > 0 THEN
    thinking := regexp_replace(left(answer, ends - 1), '^<details[^>]*>\s*(<summary>[^<]*</summary>)?\s*', '');
    thinking := btrim(regexp_replace(thinking, '^> ?|^&gt; ?', '', 'gn'), E' \n\r\t');
    thinking := replace(replace(replace(replace(replace(thinking, '&lt;', '<'), '&gt;', '>'), '&quot;', '"'), '&#x27;', ''''), '&amp;', '&');
    answer := ltrim(substr(answer, ends + length('</details>')), E' \n\r\t');
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.openwebui_text(jsonb) IS
'The text of a message of Open WebUI, and the thinking that it has in front, in a block of details.';

CREATE OR REPLACE FUNCTION chat_private.openwebui_files(message jsonb) RETURNS TABLE (label text, media_type text, data text, name text, place bigint)
LANGUAGE plpgsql IMMUTABLE ROWS 2 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF NOT message ? 'files' AND jsonb_typeof(message -> 'content') IS DISTINCT FROM 'array' THEN
    RETURN;
  END IF;
  RETURN QUERY
    SELECT CASE WHEN t.media_type IS NOT NULL THEN encode(sha256(convert_to(u.url, 'UTF8')), 'hex') END, t.media_type,
           CASE WHEN t.media_type IS NOT NULL THEN substr(u.url, strpos(u.url, ',') + 1) END,
           nullif(coalesce(f.file ->> 'name', f.file #>> '{file,filename}', f.file #>> '{file,meta,name}'), ''), f.n
    FROM jsonb_array_elements(
           CASE jsonb_typeof(message -> 'files') WHEN 'array' THEN message -> 'files' ELSE '[]' END
           || CASE jsonb_typeof(message -> 'content') WHEN 'array' THEN
                jsonb_path_query_array(message -> 'content', '$[*] ? (@.type == "image_url")') ELSE '[]' END) WITH ORDINALITY f (file, n),
         LATERAL (SELECT coalesce(f.file #>> '{image_url,url}', f.file ->> 'url', '') AS url) u,
         LATERAL (SELECT substring(left(u.url, 300) FROM '^data:([^;,]{1,255});base64,') AS media_type) t
    WHERE jsonb_typeof(f.file) = 'object';
END
$$;
COMMENT ON FUNCTION chat_private.openwebui_files(jsonb) IS
'The files of a message of Open WebUI: those that are in the export, as data URLs, with label, type and base64; others by name.';

CREATE OR REPLACE FUNCTION chat_private.openwebui_nodes(chat jsonb) RETURNS TABLE (id text, parent_id text, message jsonb, n bigint)
LANGUAGE plpgsql IMMUTABLE ROWS 1000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF jsonb_typeof(openwebui_nodes.chat #> '{history,messages}') = 'object' THEN
    RETURN QUERY SELECT m.key, m.value ->> 'parentId', m.value, NULL::bigint FROM jsonb_each(openwebui_nodes.chat #> '{history,messages}') m
                 WHERE jsonb_typeof(m.value) = 'object';
  ELSE
    -- Old exports have a list without a tree.
    RETURN QUERY SELECT m.n::text, nullif(m.n - 1, 0)::text, m.value, m.n
                 FROM jsonb_array_elements(openwebui_nodes.chat -> 'messages') WITH ORDINALITY m (value, n);
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.openwebui_nodes(jsonb) IS 'The messages of a chat of Open WebUI: of its tree, or of the list where it has none.';

CREATE OR REPLACE FUNCTION chat_private.openwebui_count(message jsonb, names text[]) RETURNS integer
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  counts jsonb := coalesce(message -> 'usage', message -> 'info');
  name text;
BEGIN
  IF jsonb_typeof(counts) = 'object' THEN
    FOREACH name IN ARRAY openwebui_count.names LOOP
      IF counts ->> name ~ '^[0-9]{1,9}$' THEN
        RETURN counts ->> name;
      END IF;
    END LOOP;
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION chat_private.openwebui_count(jsonb, text[]) IS 'A number of tokens that a message of Open WebUI tells, under one of some names.';

CREATE OR REPLACE FUNCTION chat_private.openwebui_messages(chat jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  result jsonb;
BEGIN
  SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
      'id', n.id, 'parent_id', n.parent_id, 'role', n.message -> 'role',
      'dropped', coalesce(n.message ->> 'role', '') NOT IN ('user', 'assistant', 'system', 'tool'),
      'status', CASE WHEN jsonb_typeof(n.message -> 'error') IN ('object', 'string') OR n.message ->> 'error' = 'true' THEN 'error'
                     WHEN n.message ->> 'done' = 'false' THEN 'incomplete' ELSE 'complete' END,
      'content', concat_ws(E'\n\n', nullif(t.answer, ''), f.elsewhere), 'thinking', nullif(t.thinking, ''),
      'error', CASE WHEN jsonb_typeof(n.message -> 'error') IN ('object', 'string') THEN jsonb_build_object('message',
                 left(coalesce(n.message #>> '{error,content}', n.message ->> 'error'), 2000)) END,
      'model', CASE WHEN n.message ->> 'role' = 'assistant' THEN left(n.message ->> 'model', 255) END,
      'input_tokens', chat_private.openwebui_count(n.message, '{prompt_tokens,input_tokens,prompt_eval_count}'),
      'output_tokens', chat_private.openwebui_count(n.message, '{completion_tokens,output_tokens,eval_count}'),
      'rating', CASE n.message #>> '{annotation,rating}' WHEN '1' THEN 1 WHEN '-1' THEN -1 END,
      'feedback', left(nullif(n.message #>> '{annotation,comment}', ''), 10000),
      'attachments', f.attached, 'created_at', chat_private.json_time(n.message -> 'timestamp')))
    ORDER BY coalesce(chat_private.json_time(n.message -> 'timestamp'), '-infinity'), n.n, n.id)
  INTO result
  FROM chat_private.openwebui_nodes(openwebui_messages.chat) n,
    LATERAL chat_private.openwebui_text(n.message -> 'content') t,
    LATERAL (SELECT jsonb_agg(jsonb_build_object('sha256', a.label, 'name', a.name) ORDER BY a.place) FILTER (WHERE a.label IS NOT NULL) AS attached,
                    string_agg(format('[file: %s]', a.name), E'\n' ORDER BY a.place) FILTER (WHERE a.label IS NULL AND a.name IS NOT NULL) AS elsewhere
             FROM chat_private.openwebui_files(n.message) a) f;
  RETURN coalesce(result, '[]');
END
$$;
COMMENT ON FUNCTION chat_private.openwebui_messages(jsonb) IS
'The messages of a chat of Open WebUI in the form of pgchat; those of a role that there is not are marked as dropped.';

CREATE OR REPLACE FUNCTION chat_private.from_openwebui(item jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  talk jsonb := CASE jsonb_typeof(item -> 'chat') WHEN 'object' THEN item -> 'chat' ELSE item END;
  tags jsonb := coalesce(item #> '{meta,tags}', talk -> 'tags');
  messages jsonb := chat_private.openwebui_messages(talk);
  began timestamptz := coalesce(chat_private.json_time(item -> 'created_at'), chat_private.json_time(talk -> 'timestamp'));
BEGIN
  RETURN jsonb_strip_nulls(jsonb_build_object(
    'title', nullif(btrim(coalesce(item ->> 'title', talk ->> 'title')), ''),
    'is_pinned', coalesce(item ->> 'pinned' = 'true', false), 'is_archived', coalesce(item ->> 'archived' = 'true', false),
    'model', CASE jsonb_typeof(talk #> '{models,0}') WHEN 'string' THEN nullif(left(talk #>> '{models,0}', 255), '') END,
    'system_prompt', nullif(coalesce(talk #>> '{params,system}', talk ->> 'system'), ''),
    'tags', (SELECT jsonb_agg(coalesce(t -> 'name', t)) FROM jsonb_array_elements(CASE jsonb_typeof(tags) WHEN 'array' THEN tags ELSE '[]' END) t),
    'created_at', began, 'updated_at', chat_private.json_time(item -> 'updated_at'),
    'last_message_at', coalesce((SELECT max((m ->> 'created_at')::timestamptz) FROM jsonb_array_elements(messages) m),
                                chat_private.json_time(item -> 'updated_at'), began),
    'active_leaf_id', talk #>> '{history,currentId}'))
    || jsonb_build_object('messages', messages, 'attachments', coalesce(
      (SELECT jsonb_agg(DISTINCT jsonb_build_object('sha256', f.label, 'media_type', f.media_type, 'data', f.data))
       FROM chat_private.openwebui_nodes(talk) n, LATERAL chat_private.openwebui_files(n.message) f WHERE f.label IS NOT NULL), '[]'));
END
$$;
COMMENT ON FUNCTION chat_private.from_openwebui(jsonb) IS
'A chat of Open WebUI in the form of pgchat. Files are in that export only where they were stored in the chat.';
