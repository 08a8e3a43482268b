-- A conversation's active branch as Markdown, for people to read.

CREATE OR REPLACE FUNCTION chat_private.close_fence(content text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  line text[];
  open_fence text;
BEGIN
  IF strpos(close_fence.content, '```') = 0 AND strpos(close_fence.content, '~~~') = 0 THEN
    RETURN close_fence.content;
  END IF;
  FOR line IN SELECT regexp_matches(close_fence.content, '^ {0,3}(`{3,}|~{3,})([^\n]*)$', 'gn') LOOP
    IF open_fence IS NULL THEN
      -- What follows the backticks of an opening fence has none.
      IF line[1] LIKE '~%' OR strpos(line[2], '`') = 0 THEN
        open_fence := line[1];
      END IF;
    ELSIF left(line[1], 1) = left(open_fence, 1) AND length(line[1]) >= length(open_fence) AND btrim(line[2], E' \t\r') = '' THEN
      open_fence := NULL;
    END IF;
  END LOOP;
  RETURN close_fence.content || coalesce(E'\n' || open_fence, '');
END
$$;
COMMENT ON FUNCTION chat_private.close_fence(text) IS
'A Markdown text with its last code block closed where that was left open, so that nothing behind it becomes code.';

CREATE OR REPLACE FUNCTION chat_private.fenced(content text, language text DEFAULT '') RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  longest integer := (SELECT coalesce(max(length(r[1])), 0) FROM regexp_matches(fenced.content, '(`{3,})', 'g') r);
  fence text := repeat('`', greatest(3, longest + 1));
BEGIN
  RETURN fence || coalesce(regexp_replace(fenced.language, '[^A-Za-z0-9_+#.-]', '', 'g'), '') || E'\n' || fenced.content || E'\n' || fence;
END
$$;
COMMENT ON FUNCTION chat_private.fenced(text, text) IS
'A text as a code block of Markdown, whose fence is longer than any in the text. language: a word for its first line.';

CREATE OR REPLACE FUNCTION chat_private.one_line(content text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN btrim(regexp_replace(content, '[[:space:][:cntrl:]]+', ' ', 'g'));
COMMENT ON FUNCTION chat_private.one_line(text) IS 'A text on one line, for headings and lists.';

CREATE OR REPLACE FUNCTION chat_private.markdown_files(user_id uuid, message_id uuid) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT string_agg(format('- %s: `%s` (%s, %s bytes)', CASE WHEN a.media_type LIKE 'image/%' THEN 'Image' ELSE 'File' END,
                             replace(chat_private.one_line(coalesce(nullif(f.name, ''), 'without a name')), '`', ''''),
                             chat_private.one_line(a.media_type), a.byte_size), E'\n' ORDER BY f.position)
    FROM chat.message_attachments f JOIN chat.attachments a ON a.user_id = f.user_id AND a.id = f.attachment_id
    WHERE f.user_id = markdown_files.user_id AND f.message_id = markdown_files.message_id);
END
$$;
COMMENT ON FUNCTION chat_private.markdown_files(uuid, uuid) IS 'The files of a message as a list of names; NULL: it has none.';

CREATE OR REPLACE FUNCTION chat_private.markdown_message(message chat.messages) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  result text := format('## %s, %s', CASE message.role WHEN 'assistant' THEN coalesce('Assistant (' || chat_private.one_line(message.model) || ')', 'Assistant')
                                     ELSE initcap(message.role) END,
                        to_char(message.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'));
  called jsonb;
BEGIN
  IF message.thinking <> '' THEN
    result := result || E'\n\n> ' || replace(chat_private.close_fence(message.thinking), E'\n', E'\n> ');
  END IF;
  IF message.role = 'tool' THEN
    result := result || E'\n\n' || chat_private.fenced(message.content);
  ELSIF message.content <> '' THEN
    result := result || E'\n\n' || chat_private.close_fence(message.content);
  END IF;
  FOR called IN SELECT t FROM jsonb_array_elements(CASE jsonb_typeof(message.tool_calls) WHEN 'array' THEN message.tool_calls ELSE '[]' END) t LOOP
    result := result || format(E'\n\nCalls `%s`:\n\n', replace(chat_private.one_line(called #>> '{function,name}'), '`', ''''))
      || chat_private.fenced(coalesce(called #>> '{function,arguments}', ''), 'json');
  END LOOP;
  IF message.attachment_count > 0 THEN
    result := result || coalesce(E'\n\n' || chat_private.markdown_files(message.user_id, message.id), '');
  END IF;
  RETURN result || CASE message.status
    WHEN 'complete' THEN ''
    WHEN 'error' THEN E'\n\n*This reply failed: ' || chat_private.one_line(coalesce(left(message.error ->> 'message', 500), 'no reason is known')) || '*'
    WHEN 'cancelled' THEN E'\n\n*This reply was cancelled.*'
    ELSE E'\n\n*This reply is incomplete.*' END;
END
$$;
COMMENT ON FUNCTION chat_private.markdown_message(chat.messages) IS
'A message as Markdown: a heading with role and time (UTC), thinking quoted, text, calls of tools, names of files.';

CREATE OR REPLACE FUNCTION chat_private.export_markdown(user_id uuid, conversation_id uuid) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  head text;
  body text;
BEGIN
  SELECT '# ' || coalesce(nullif(chat_private.one_line(c.title), ''), 'Conversation')
         || to_char(c.created_at AT TIME ZONE 'UTC', E'"\n\n"YYYY-MM-DD HH24:MI "UTC"')
         || coalesce(E'\n\n' || chat_private.close_fence(nullif(c.description, '')), '')
         || coalesce(E'\n\n## System prompt\n\n' || chat_private.close_fence(nullif(c.system_prompt, '')), '')
  INTO head
  FROM chat.conversations c WHERE c.user_id = export_markdown.user_id AND c.id = export_markdown.conversation_id;
  IF head IS NULL THEN
    RETURN NULL;
  END IF;
  SELECT string_agg(chat_private.markdown_message(m), E'\n\n' ORDER BY b.depth DESC) INTO body
  FROM chat_private.active_branch(export_markdown.user_id, export_markdown.conversation_id) b
  JOIN LATERAL (SELECT m.* FROM chat.messages m WHERE m.user_id = export_markdown.user_id AND m.id = b.id OFFSET 0) m ON true
  WHERE m.content <> '' OR m.thinking <> '' OR m.tool_calls IS NOT NULL OR m.attachment_count > 0 OR m.role = 'tool' OR m.status <> 'complete';
  RETURN head || coalesce(E'\n\n' || body, '') || E'\n';
END
$$;
COMMENT ON FUNCTION chat_private.export_markdown(uuid, uuid) IS
'The active branch of a conversation as Markdown, under its title and date; NULL: there is no conversation with this id.';
