-- Filing messages for searches, in slices of some milliseconds. The engine calls these when it has time.

CREATE OR REPLACE FUNCTION chat_private.search_chunk(ids uuid[], conversations uuid[], roles text[], contents text[], language text,
  OUT head bytea, OUT conversation_ids uuid[], OUT words bytea, OUT grams bytea)
LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'pgchat_search_chunk';
COMMENT ON FUNCTION chat_private.search_chunk(uuid[], uuid[], text[], text[], text) IS
'What chat_private.search_chunks holds of at most 128 messages. Errors: 22023 more of them.';

CREATE OR REPLACE FUNCTION chat_private.search_chunk_ids(head bytea) RETURNS uuid[]
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_search_chunk_ids';
COMMENT ON FUNCTION chat_private.search_chunk_ids(bytea) IS
'The ids of the messages that a chunk holds, from its head. Errors: 22023 it is no head of a chunk.';

CREATE OR REPLACE FUNCTION chat_private.search_horizon() RETURNS uuid
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgchat_search_horizon';
COMMENT ON FUNCTION chat_private.search_horizon() IS
'No transaction that still runs, but for the caller''s own, has made a message with an id below this. Look for messages with a
snapshot that is taken after it.';

CREATE OR REPLACE FUNCTION chat_private.refile_chunk(user_id uuid, chunk_id uuid, language text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  filed_head bytea;
  ids uuid[];
BEGIN
  SELECT c.head INTO filed_head FROM chat_private.search_chunks c
  WHERE c.user_id = refile_chunk.user_id AND c.id = refile_chunk.chunk_id FOR UPDATE;
  ids := chat_private.search_chunk_ids(filed_head);
  UPDATE chat_private.search_chunks c
  SET language = refile_chunk.language, head = f.head, conversation_ids = f.conversation_ids, words = f.words, grams = f.grams,
      is_stale = false
  FROM (SELECT array_agg(m.id ORDER BY m.id) AS ids, array_agg(m.conversation_id ORDER BY m.id) AS conversations,
               array_agg(m.role ORDER BY m.id) AS roles, array_agg(m.content ORDER BY m.id) AS contents
        FROM unnest(ids) i (id) JOIN chat.messages m ON m.user_id = refile_chunk.user_id AND m.id = i.id
        HAVING count(*) > 0) t
  CROSS JOIN LATERAL chat_private.search_chunk(t.ids, t.conversations, t.roles, t.contents, refile_chunk.language) f
  WHERE c.user_id = refile_chunk.user_id AND c.id = refile_chunk.chunk_id;
  IF NOT FOUND THEN
    DELETE FROM chat_private.search_chunks c WHERE c.user_id = refile_chunk.user_id AND c.id = refile_chunk.chunk_id;
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.refile_chunk(uuid, uuid, text) IS
'Makes a chunk anew, of those of its messages that are still there; without any it is removed.';

CREATE OR REPLACE FUNCTION chat_private.file_messages(user_id uuid, at_least integer DEFAULT 128) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  -- What a slice reads, and from when on fewer messages are worth a chunk.
  most_bytes CONSTANT integer := 131072;
  many_bytes CONSTANT integer := 65536;
  -- Of late ones, which may be all messages of a conversation that was reassigned.
  most_late CONSTANT integer := 512;
  horizon CONSTANT uuid := chat_private.search_horizon();
  own_language CONSTANT text := chat_private.search_language(user_id);
  progress chat_private.search_progress;
  stale_id uuid;
  next record;
BEGIN
  INSERT INTO chat_private.search_progress (user_id) VALUES (file_messages.user_id) ON CONFLICT DO NOTHING;
  SELECT p.* INTO progress FROM chat_private.search_progress p WHERE p.user_id = file_messages.user_id FOR UPDATE SKIP LOCKED;
  IF NOT FOUND OR EXISTS (SELECT FROM pg_prepared_xacts x WHERE x.database = current_database()) THEN
    RETURN false;
  END IF;
  SELECT c.id INTO stale_id FROM chat_private.search_chunks c
  WHERE c.user_id = file_messages.user_id AND (c.is_stale OR c.language <> own_language) ORDER BY c.id DESC LIMIT 1;
  IF FOUND THEN
    PERFORM chat_private.refile_chunk(file_messages.user_id, stale_id, own_language);
    RETURN true;
  END IF;
  WITH waiting AS (
    (SELECT m.id, m.conversation_id, m.role, m.content, m.status IN ('pending', 'streaming') AS is_late, false AS is_new
     FROM unnest(progress.late[:most_late]) l (id) JOIN chat.messages m ON m.user_id = file_messages.user_id AND m.id = l.id
     WHERE m.status NOT IN ('pending', 'streaming') ORDER BY m.id LIMIT 128)
    UNION ALL
    (SELECT m.id, m.conversation_id, m.role, m.content, m.status IN ('pending', 'streaming'), true
     FROM chat.messages m WHERE m.user_id = file_messages.user_id AND m.id > progress.filed_to AND m.id < horizon
     ORDER BY m.id LIMIT 128)
  ), counted AS (
    SELECT w.*, row_number() OVER o AS n, sum(octet_length(w.content)) OVER o - octet_length(w.content) AS bytes_before
    FROM waiting w WINDOW o AS (ORDER BY w.is_new, w.id)
  )
  SELECT array_agg(c.id ORDER BY c.id) FILTER (WHERE NOT c.is_late) AS ids,
         array_agg(c.conversation_id ORDER BY c.id) FILTER (WHERE NOT c.is_late) AS conversations,
         array_agg(c.role ORDER BY c.id) FILTER (WHERE NOT c.is_late) AS roles,
         array_agg(c.content ORDER BY c.id) FILTER (WHERE NOT c.is_late) AS contents,
         coalesce(array_agg(c.id) FILTER (WHERE c.is_late), '{}') AS late,
         (array_agg(c.id ORDER BY c.id DESC) FILTER (WHERE c.is_new))[1] AS filed_to, count(*) AS messages,
         sum(octet_length(c.content)) AS bytes
  INTO next FROM counted c WHERE c.n <= 128 AND c.bytes_before < most_bytes;
  IF next.ids IS NULL OR next.messages < file_messages.at_least AND next.bytes < many_bytes THEN
    RETURN false;
  END IF;
  INSERT INTO chat_private.search_chunks (user_id, language, head, conversation_ids, words, grams)
  SELECT file_messages.user_id, own_language, f.head, f.conversation_ids, f.words, f.grams
  FROM chat_private.search_chunk(next.ids, next.conversations, next.roles, next.contents, own_language) f;
  UPDATE chat_private.search_progress p
  SET filed_to = coalesce(next.filed_to, p.filed_to),
      -- Those that were looked at and have not ended go behind the others.
      late = p.late[most_late + 1:] || ARRAY(SELECT l.id FROM unnest(p.late[:most_late]) l (id)
                   WHERE l.id <> ALL (next.ids)
                     AND EXISTS (SELECT FROM chat.messages m WHERE m.user_id = file_messages.user_id AND m.id = l.id)) || next.late
  WHERE p.user_id = file_messages.user_id;
  RETURN true;
END
$$;
COMMENT ON FUNCTION chat_private.file_messages(uuid, integer) IS
'Files the next messages of a user in one chunk, if there are at_least so many or 64 KB of them, or makes one anew that is stale or
in another language than the user''s. False: there is nothing (more) to do now. Needs READ COMMITTED, for each statement must see
what has been committed since the one before.';

CREATE OR REPLACE FUNCTION chat_private.users_to_file(after_id uuid, max_users integer, OUT looked_to uuid, OUT user_ids uuid[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  SELECT (array_agg(t.id ORDER BY t.id DESC))[1],
         coalesce(array_agg(t.id) FILTER (WHERE t.is_stale OR t.messages + t.late >= 128 OR t.bytes >= 65536), '{}')
  INTO looked_to, user_ids
  FROM (
    SELECT u.id, coalesce(cardinality(p.late), 0) AS late, w.messages, w.bytes,
           EXISTS (SELECT FROM chat_private.search_chunks c WHERE c.user_id = u.id
                   AND (c.is_stale OR c.language <> l.language)) AS is_stale
    FROM (SELECT x.id FROM chat.users x WHERE x.id > users_to_file.after_id ORDER BY x.id LIMIT users_to_file.max_users) u
    -- Once for a user, and not for each of their chunks.
    CROSS JOIN LATERAL (SELECT chat_private.search_language(u.id) AS language OFFSET 0) l
    LEFT JOIN chat_private.search_progress p ON p.user_id = u.id
    CROSS JOIN LATERAL (
      SELECT count(*) AS messages, sum(octet_length(n.content)) AS bytes
      FROM (SELECT m.content FROM chat.messages m
            WHERE m.user_id = u.id AND m.id > coalesce(p.filed_to, '00000000-0000-0000-0000-000000000000')
            ORDER BY m.id LIMIT 128) n) w) t;
END
$$;
COMMENT ON FUNCTION chat_private.users_to_file(uuid, integer) IS
'Looks at the next max_users users whose id is above after_id: the id of the last of them (NULL: there is none), and those for whom
chat_private.file_messages has something to do.';
