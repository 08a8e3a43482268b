-- Tags: words that a user puts on conversations.

CREATE OR REPLACE FUNCTION chat_private.fold_tag(tag text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN lower(btrim(regexp_replace(normalize(tag, NFC), '[\s[:cntrl:]]+', ' ', 'g')));
COMMENT ON FUNCTION chat_private.fold_tag(text) IS
'A tag as it is stored and compared: Unicode form NFC, lower case, one space for any white space and none around it.';

CREATE OR REPLACE FUNCTION chat.set_conversation_tags(conversation_id uuid, tags text[]) RETURNS text[]
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  new_tags text[];
BEGIN
  IF set_conversation_tags.conversation_id IS NULL OR set_conversation_tags.tags IS NULL
     OR array_position(set_conversation_tags.tags, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'conversation_id, tags and each tag must not be null' USING ERRCODE = '22004';
  ELSIF cardinality(set_conversation_tags.tags) > 1000 THEN
    RAISE EXCEPTION 'a conversation has at most 50 tags' USING ERRCODE = '54000', HINT = 'Give fewer.';
  END IF;
  new_tags := ARRAY(SELECT f.tag FROM (SELECT chat_private.fold_tag(t.tag) AS tag, min(t.n) AS n
                                       FROM unnest(set_conversation_tags.tags) WITH ORDINALITY t (tag, n) GROUP BY 1) f ORDER BY f.n);
  IF '' = ANY (new_tags) THEN
    RAISE EXCEPTION 'a tag must not be empty' USING ERRCODE = '22023';
  ELSIF cardinality(new_tags) > 50 OR EXISTS (SELECT FROM unnest(new_tags) t (tag) WHERE char_length(t.tag) > 50) THEN
    RAISE EXCEPTION 'a conversation has at most 50 tags of at most 50 characters' USING ERRCODE = '54000', HINT = 'Give fewer, or shorter ones.';
  END IF;
  UPDATE chat.conversations c SET tags = new_tags, updated_at = clock_timestamp()
  WHERE c.user_id = caller_id AND c.id = set_conversation_tags.conversation_id;
  IF NOT FOUND THEN
    PERFORM chat_private.conversation_not_found();
  END IF;
  RETURN new_tags;
END
$$;
COMMENT ON FUNCTION chat.set_conversation_tags(uuid, text[]) IS
'Gives a conversation of the current user these tags instead of those it has, and returns them as they are stored: in lower case,
with single spaces, each once, in the order given. tags: at most 50 of at most 50 characters; an empty array: none.
Errors: 28000 nobody is authenticated; 22004 an argument or a tag is NULL; 22023 a tag is empty; 54000 too many, or too long;
P0002 no such conversation of mine.';

CREATE OR REPLACE FUNCTION chat.list_tags() RETURNS TABLE (tag text, conversations bigint, archived bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  RETURN QUERY
    SELECT t.tag, count(*) FILTER (WHERE NOT c.is_archived), count(*) FILTER (WHERE c.is_archived)
    FROM chat.conversations c, unnest(c.tags) t (tag) WHERE c.user_id = caller_id GROUP BY t.tag ORDER BY t.tag;
END
$$;
COMMENT ON FUNCTION chat.list_tags() IS
'The tags that the current user''s conversations have, by name, with how many have each: conversations (not archived), and archived.
Errors: 28000 nobody is authenticated.';
