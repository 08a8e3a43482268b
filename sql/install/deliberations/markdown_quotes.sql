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

CREATE OR REPLACE FUNCTION chat_private.markdown_prose(content text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_markdown_prose';
COMMENT ON FUNCTION chat_private.markdown_prose(text) IS
'A text of several paragraphs for the body of a report: emphasis, lists and links to pages are kept; headings, code blocks, HTML, pictures
and links that a program would run, such as javascript:, are not.';

CREATE OR REPLACE FUNCTION chat_private.markdown_quote(content text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_markdown_quote';
COMMENT ON FUNCTION chat_private.markdown_quote(text) IS
'A text as a quotation, which ends where the text does: its headings become bold lines, its code blocks are closed, its HTML and pictures
are shown as text.';
