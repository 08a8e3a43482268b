-- Text of models inside a report in Markdown: it reads as it was meant, and changes nothing around it.

CREATE OR REPLACE FUNCTION chat_private.markdown_word(content text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN regexp_replace(regexp_replace(chat_private.one_line(markdown_word.content), '([\\`*_{}\[\]<>#|~&!$])', '\\\1', 'g'),
                        '^([0-9]*)([-+=.)])', '\1\\\2');
END
$$;
COMMENT ON FUNCTION chat_private.markdown_word(text) IS
'A text on one line in which Markdown sees nothing but text: for headings, lists and cells of tables.';

CREATE OR REPLACE FUNCTION chat_private.markdown_lines(content text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  result text := markdown_lines.content;
BEGIN
  -- Headings become bold lines, or keep their signs where they have emphasis of their own; also inside lists and quotations.
  result := regexp_replace(result, '^((?:[ \t]|[-*+>](?=[ \t>])|[0-9]{1,9}[.)](?=[ \t]))*)#{1,6}[ \t]+([^*_`]*[^*_`#[:space:]])[ \t#]*$', '\1**\2**', 'gn');
  result := regexp_replace(result, '^((?:[ \t]|[-*+>](?=[ \t>])|[0-9]{1,9}[.)](?=[ \t]))*)(#{1,6}(?=[ \t]|$))', '\1\\\2', 'gn');
  result := regexp_replace(result, '^([ \t>]*)(=+[ \t]*)$', '\1\\\2', 'gn');
  -- A line of dashes under text would make a heading of it.
  result := regexp_replace(result, '^([ \t]*-+[ \t]*)$', E'\n\\1', 'gn');
  -- What would define a link for the whole document.
  RETURN regexp_replace(result, '^( {0,3})\[([^\n]*\]:)', '\1\\[\2', 'gn');
END
$$;
COMMENT ON FUNCTION chat_private.markdown_lines(text) IS 'A text of several lines that has no code blocks, without headings and definitions of links.';

CREATE OR REPLACE FUNCTION chat_private.markdown_harmless(content text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  result text := translate(replace(markdown_harmless.content, E'\r\n', E'\n'), E'\r\f\x0b', E'\n\n\n');
BEGIN
  -- In code, too: where code begins and ends is for each renderer to say, and a wrong guess would let HTML through.
  result := regexp_replace(result, '<(?=[A-Za-z/!?])', '&lt;', 'g');
  -- A picture would be fetched from where its author likes as soon as the report is looked at.
  RETURN replace(result, '![', '!\[');
END
$$;
COMMENT ON FUNCTION chat_private.markdown_harmless(text) IS 'A text whose HTML and pictures Markdown shows as text.';

CREATE OR REPLACE FUNCTION chat_private.markdown_prose(content text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  result text := chat_private.markdown_lines(chat_private.markdown_harmless(markdown_prose.content));
BEGIN
  result := replace(replace(result, '```', '\`\`\`'), '~~~', '\~\~\~');
  RETURN btrim(result, E' \t\n');
END
$$;
COMMENT ON FUNCTION chat_private.markdown_prose(text) IS
'A text of several paragraphs for the body of a report: emphasis, lists and links are kept; headings, code blocks, HTML and pictures are
not.';

CREATE OR REPLACE FUNCTION chat_private.markdown_quote(content text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  result text := chat_private.markdown_harmless(btrim(markdown_quote.content, E' \t\r\n'));
  line text;
  lines text[] := '{}';
  prose text[] := '{}';
  open_fence text;
  found text[];
BEGIN
  IF strpos(result, '```') = 0 AND strpos(result, '~~~') = 0 THEN
    result := chat_private.markdown_lines(result);
  ELSE
    FOREACH line IN ARRAY string_to_array(chat_private.close_fence(result), E'\n') LOOP
      found := regexp_match(line, '^ {0,3}(`{3,}|~{3,})(.*)$');
      IF open_fence IS NULL AND (found IS NULL OR (found[1] LIKE '`%' AND strpos(found[2], '`') > 0)) THEN
        prose := prose || line;
        CONTINUE;
      END IF;
      IF cardinality(prose) > 0 THEN
        lines := lines || chat_private.markdown_lines(array_to_string(prose, E'\n'));
        prose := '{}';
      END IF;
      lines := lines || line;
      IF open_fence IS NULL THEN
        open_fence := found[1];
      ELSIF left(found[1], 1) = left(open_fence, 1) AND length(found[1]) >= length(open_fence) AND btrim(found[2], E' \t') = '' THEN
        open_fence := NULL;
      END IF;
    END LOOP;
    result := array_to_string(lines || CASE WHEN cardinality(prose) > 0 THEN ARRAY[chat_private.markdown_lines(array_to_string(prose, E'\n'))] END, E'\n');
  END IF;
  RETURN '> ' || replace(result, E'\n', E'\n> ');
END
$$;
COMMENT ON FUNCTION chat_private.markdown_quote(text) IS
'A text as a quotation, which ends where the text does: its headings become bold lines, its code blocks are closed, its HTML and pictures
are shown as text.';
