-- Searching in one's messages.

-- An expression that is inlined: it is asked for each user.
CREATE OR REPLACE FUNCTION chat_private.search_configuration(language text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(jsonb '{
    "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "da": "danish", "nl": "dutch", "en": "english",
    "fi": "finnish", "fr": "french", "de": "german", "el": "greek", "hi": "hindi", "hu": "hungarian", "id": "indonesian",
    "ga": "irish", "it": "italian", "lt": "lithuanian", "ne": "nepali", "no": "norwegian", "nb": "norwegian",
    "nn": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "es": "spanish",
    "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish", "arabic": "arabic", "armenian": "armenian",
    "basque": "basque", "catalan": "catalan", "danish": "danish", "dutch": "dutch", "english": "english",
    "finnish": "finnish", "french": "french", "german": "german", "greek": "greek", "hindi": "hindi",
    "hungarian": "hungarian", "indonesian": "indonesian", "irish": "irish", "italian": "italian",
    "lithuanian": "lithuanian", "nepali": "nepali", "norwegian": "norwegian", "portuguese": "portuguese",
    "romanian": "romanian", "russian": "russian", "serbian": "serbian", "spanish": "spanish", "swedish": "swedish",
    "tamil": "tamil", "turkish": "turkish", "yiddish": "yiddish"
  }' ->> lower(substring(language FROM '^[A-Za-z]+')), 'simple');
COMMENT ON FUNCTION chat_private.search_configuration(text) IS
'The text search configuration for a language tag such as "en" or "de-AT", or an English name of a language; simple for any other.';

CREATE OR REPLACE FUNCTION chat_private.search_language(user_id uuid) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN chat_private.search_configuration(
    (SELECT s.preferences ->> 'language' FROM chat.user_settings s WHERE s.user_id = search_language.user_id));
END
$$;
COMMENT ON FUNCTION chat_private.search_language(uuid) IS 'The text search configuration for a user, by preferences -> language.';

CREATE OR REPLACE FUNCTION chat_private.search_candidates(user_id uuid, query text, mode text, language text, conversation_id uuid,
                                                          role text, most integer, OUT ids uuid[], OUT ranks real[])
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgchat_search_candidates';
COMMENT ON FUNCTION chat_private.search_candidates(uuid, text, text, text, uuid, text, integer) IS
'The messages of a user that may match a query, best first, at most so many; whether one does, chat_private.search_snippet says.
Errors: 54000 more than 32 different words.';

CREATE OR REPLACE FUNCTION chat_private.search_snippet(content text, query text, mode text, language text, start_mark text,
                                                       stop_mark text, max_characters integer)
RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_search_snippet';
COMMENT ON FUNCTION chat_private.search_snippet(text, text, text, text, text, text, integer) IS
'The part of a text where it matches, with what matches between the marks; NULL where it does not match.';

CREATE OR REPLACE FUNCTION chat_private.check_search(query text, mode text, role text, page_size integer, page_offset integer,
                                                     start_mark text, stop_mark text, snippet_length integer)
RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF num_nulls(check_search.query, check_search.mode, check_search.page_size, check_search.page_offset, check_search.start_mark,
               check_search.stop_mark, check_search.snippet_length) > 0 THEN
    RAISE EXCEPTION 'only conversation_id and role may be null' USING ERRCODE = '22004';
  ELSIF check_search.mode NOT IN ('words', 'substring') THEN
    RAISE EXCEPTION 'mode is not valid' USING ERRCODE = '22023', HINT = 'It is words or substring.';
  ELSIF check_search.role NOT IN ('system', 'user', 'assistant', 'tool') THEN
    RAISE EXCEPTION 'role is not valid' USING ERRCODE = '22023', HINT = 'It is system, user, assistant or tool.';
  ELSIF check_search.page_size NOT BETWEEN 1 AND 100 OR check_search.page_offset NOT BETWEEN 0 AND 1000 THEN
    RAISE EXCEPTION 'page_size must be 1 to 100 and page_offset 0 to 1000' USING ERRCODE = '22023',
      HINT = 'Search for more words to find less.';
  ELSIF check_search.snippet_length NOT BETWEEN 20 AND 2000 THEN
    RAISE EXCEPTION 'snippet_length must be 20 to 2000' USING ERRCODE = '22023';
  ELSIF octet_length(check_search.start_mark) > 100 OR octet_length(check_search.stop_mark) > 100 THEN
    RAISE EXCEPTION 'a mark has more than 100 bytes' USING ERRCODE = '54000', HINT = 'Shorten it.';
  ELSIF octet_length(check_search.query) > 4000 THEN
    RAISE EXCEPTION 'the query has more than 4000 bytes' USING ERRCODE = '54000', HINT = 'Search for less.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_search(text, text, text, integer, integer, text, text, integer) IS
'Checks the arguments of chat.search_messages. Errors: 22004, 22023, 54000.';

CREATE OR REPLACE FUNCTION chat.search_messages(query text, conversation_id uuid DEFAULT NULL, mode text DEFAULT 'words',
                                                role text DEFAULT NULL, page_size integer DEFAULT 20, page_offset integer DEFAULT 0,
                                                start_mark text DEFAULT '<mark>', stop_mark text DEFAULT '</mark>',
                                                snippet_length integer DEFAULT 200)
RETURNS SETOF chat.found_message
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  -- Candidates whose text is read at most: more than any page needs but of phrases and very short parts of words.
  most CONSTANT integer := CASE search_messages.mode WHEN 'words' THEN 2000 ELSE 5000 END;
  caller_id uuid := chat_private.require_user();
  language text := chat_private.search_language(caller_id);
  candidates record;
  first integer := 1;
  -- With what is skipped; a few candidates are gone, or do not match after all.
  step integer := search_messages.page_offset + search_messages.page_size + 5;
  skip integer := search_messages.page_offset;
  wanted integer := search_messages.page_size;
  hit chat.found_message;
BEGIN
  PERFORM chat_private.check_search(search_messages.query, search_messages.mode, search_messages.role, search_messages.page_size,
    search_messages.page_offset, search_messages.start_mark, search_messages.stop_mark, search_messages.snippet_length);
  IF search_messages.conversation_id IS NOT NULL
     AND NOT EXISTS (SELECT FROM chat.conversations c WHERE c.user_id = caller_id AND c.id = search_messages.conversation_id) THEN
    PERFORM chat_private.conversation_not_found();
  END IF;
  SELECT s.ids, s.ranks INTO candidates
  FROM chat_private.search_candidates(caller_id, search_messages.query, search_messages.mode, language,
                                      search_messages.conversation_id, search_messages.role, most) s;
  WHILE first <= cardinality(candidates.ids) LOOP
    FOR hit IN
      SELECT m.conversation_id, v.title, m.id, m.role, s.snippet, c.rank, m.created_at
      FROM unnest(candidates.ids[first : first + step - 1], candidates.ranks[first : first + step - 1]) WITH ORDINALITY c (id, rank, n)
      -- The limits have each be looked up by its key, whatever the planner thinks of the number of rows.
      CROSS JOIN LATERAL (SELECT x.* FROM chat.messages x WHERE x.user_id = caller_id AND x.id = c.id LIMIT 1) m
      CROSS JOIN LATERAL (SELECT x.title FROM chat.conversations x WHERE x.user_id = caller_id AND x.id = m.conversation_id LIMIT 1) v
      CROSS JOIN LATERAL chat_private.search_snippet(m.content, search_messages.query, search_messages.mode, language,
        search_messages.start_mark, search_messages.stop_mark, search_messages.snippet_length) s (snippet)
      WHERE s.snippet IS NOT NULL
      ORDER BY c.n
    LOOP
      IF skip > 0 THEN
        skip := skip - 1;
        CONTINUE;
      END IF;
      RETURN NEXT hit;
      wanted := wanted - 1;
      IF wanted = 0 THEN
        RETURN;
      END IF;
    END LOOP;
    first := first + step;
    step := 500;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chat.search_messages(text, uuid, text, text, integer, integer, text, text, integer) IS
'The messages of the current user that match, on all branches of all conversations: conversation_id, conversation_title,
message_id, role, snippet, rank, created_at. mode words: query as for websearch_to_tsquery (all words, "a phrase", or, -not), words
in the language of the user''s preferences -> language, the best first. mode substring: any part of a text, without case, the newest
first, rank 0. query: at most 4000 bytes and 32 different words; one without a word finds nothing. conversation_id, role: only there;
NULL: everywhere. page_size: 1 to 100. page_offset: rows to leave out, at most 1000. start_mark, stop_mark: what is put around what
matches; the snippet is plain text and nothing in it is escaped. snippet_length: characters, 20 to 2000.
At most 2000 messages are read for one search, those that rank best by their words; for substrings the newest 5000.
Errors: 28000 nobody is authenticated; 22004 an argument is NULL; 22023 one is out of range; 54000 the query or a mark is too long;
P0002 no such conversation of mine.';

CREATE OR REPLACE FUNCTION chat_private.refile_after_delete() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  gone record;
  previous chat_private.identity;
BEGIN
  FOR gone IN SELECT d.user_id, array_agg(d.id) AS ids FROM deleted d GROUP BY d.user_id LOOP
    previous := chat_private.act_as(gone.user_id);
    UPDATE chat_private.search_chunks c SET is_stale = true
    WHERE c.user_id = gone.user_id AND NOT c.is_stale AND c.conversation_ids && gone.ids;
    PERFORM chat_private.switch_identity(previous);
  END LOOP;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION chat_private.refile_after_delete() IS
'Has the engine take what was filed of deleted conversations out of the chunks; searches do not find it from now on.';
CREATE OR REPLACE TRIGGER refile_after_delete AFTER DELETE ON chat.conversations
  REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION chat_private.refile_after_delete();

CREATE OR REPLACE FUNCTION chat_private.move_search_rows(old_user uuid, new_user uuid, conversation_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.act_as(old_user);
BEGIN
  UPDATE chat_private.search_chunks c SET is_stale = true
  WHERE c.user_id = move_search_rows.old_user AND c.conversation_ids @> ARRAY[move_search_rows.conversation_id];
  PERFORM chat_private.act_as(new_user);
  INSERT INTO chat_private.search_progress (user_id) VALUES (move_search_rows.new_user) ON CONFLICT DO NOTHING;
  -- Locked, so that the engine cannot file further meanwhile.
  PERFORM FROM chat_private.search_progress p WHERE p.user_id = move_search_rows.new_user FOR UPDATE;
  UPDATE chat_private.search_progress p
  SET late = p.late || ARRAY(SELECT m.id FROM chat.messages m
                             WHERE m.user_id = move_search_rows.new_user AND m.conversation_id = move_search_rows.conversation_id
                               AND m.id <= p.filed_to ORDER BY m.id)
  WHERE p.user_id = move_search_rows.new_user;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat_private.move_search_rows(uuid, uuid, uuid) IS
'Has a conversation, whose messages belong to the new user now, found by that user; the engine files them again.';
