-- Storing one imported conversation, from a document of format pgchat.

CREATE OR REPLACE FUNCTION chat_private.place_messages(messages jsonb, is_lenient boolean,
  OUT old_ids text[], OUT nodes integer[], OUT parents integer[], OUT new_ids uuid[])
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  given record;
BEGIN
  SELECT coalesce(array_agg(m.id ORDER BY m.n), '{}') AS ids, coalesce(array_agg(m.parent_id ORDER BY m.n), '{}') AS parents,
         coalesce(array_agg((m.dropped IS NOT TRUE OR NOT place_messages.is_lenient)::text ORDER BY m.n), '{}') AS kept
  INTO given
  FROM ROWS FROM (jsonb_to_recordset(place_messages.messages) AS (id text, parent_id text, dropped boolean)) WITH ORDINALITY
    AS m (id, parent_id, dropped, n);
  SELECT coalesce(array_agg(t.id), '{}'), coalesce(array_agg(t.node), '{}'), coalesce(array_agg(t.parent), '{}'),
         coalesce(array_agg(CASE WHEN t.is_kept THEN chat.uuid_v7() END), '{}')
  INTO place_messages.old_ids, place_messages.nodes, place_messages.parents, place_messages.new_ids
  FROM chat_private.order_tree(given.ids, given.parents, given.kept, place_messages.is_lenient) t;
END
$$;
COMMENT ON FUNCTION chat_private.place_messages(jsonb, boolean) IS
'New ids for the messages of a document, in an order in which parents come before children: id in the document, subscript there,
subscript of the parent, id to store it under, which is NULL for one that is dropped.
Errors: 22023 the messages are no tree.';

-- Without nested loops, whatever a plan thinks of the number of messages.
CREATE OR REPLACE FUNCTION chat_private.store_messages(user_id uuid, conversation_id uuid, messages jsonb, nodes integer[], parents integer[],
                                                       new_ids uuid[], since timestamptz) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_nestloop = off AS $$
#variable_conflict use_column
DECLARE
  latest CONSTANT timestamptz := clock_timestamp();
  stored integer;
BEGIN
  INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, status, content, content_hash, thinking, tool_calls,
    tool_call_id, model, finish_reason, error, input_tokens, output_tokens, cached_tokens, cost, latency_ms, first_token_ms, rating,
    feedback, metadata, created_at, updated_at)
  SELECT store_messages.user_id, p.id, store_messages.conversation_id, above.id, m.role,
    CASE WHEN m.status IN ('pending', 'streaming') THEN 'incomplete' ELSE coalesce(m.status, 'complete') END,
    coalesce(m.content, ''), chat.content_hash(coalesce(m.content, '')), m.thinking, m.tool_calls, m.tool_call_id, m.model, m.finish_reason,
    m.error, m.input_tokens, m.output_tokens, m.cached_tokens, m.cost, m.latency_ms, m.first_token_ms, m.rating, m.feedback,
    coalesce(m.metadata, '{}'), t.created_at, chat_private.time_within(m.updated_at, latest, t.created_at)
  FROM unnest(store_messages.nodes, store_messages.parents, store_messages.new_ids) WITH ORDINALITY AS p (node, parent, id, place)
  JOIN ROWS FROM (jsonb_to_recordset(store_messages.messages) AS (
      role text, status text, content text, thinking text, tool_calls jsonb, tool_call_id text, model text, finish_reason text, error jsonb,
      metadata jsonb, rating smallint, feedback text, input_tokens integer, output_tokens integer, cached_tokens integer,
      latency_ms integer, first_token_ms integer, cost numeric, created_at timestamptz, updated_at timestamptz)) WITH ORDINALITY
    AS m (role, status, content, thinking, tool_calls, tool_call_id, model, finish_reason, error, metadata, rating, feedback, input_tokens,
          output_tokens, cached_tokens, latency_ms, first_token_ms, cost, created_at, updated_at, n) ON m.n = p.node
  LEFT JOIN unnest(store_messages.nodes, store_messages.new_ids) AS above (node, id) ON above.node = p.parent,
  LATERAL (SELECT chat_private.time_within(m.created_at, latest, store_messages.since) AS created_at) t
  WHERE p.id IS NOT NULL
  ORDER BY p.place;
  GET DIAGNOSTICS stored = ROW_COUNT;
  RETURN stored;
END
$$;
COMMENT ON FUNCTION chat_private.store_messages(uuid, uuid, jsonb, integer[], integer[], uuid[], timestamptz) IS
'Stores the messages of a document, as chat_private.place_messages has placed them, and returns how many. since: the time of
those that have none. A reply that was in progress is incomplete; what was spent for it elsewhere is only shown.';

CREATE OR REPLACE FUNCTION chat_private.store_file(user_id uuid, label text, media_type text, base64 text, OUT file_id uuid, OUT problem text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF store_file.base64 IS NOT NULL THEN
    file_id := chat_private.store_attachment(store_file.user_id, decode(store_file.base64, 'base64'), store_file.media_type);
  ELSIF store_file.label ~ '^[0-9a-f]{64}$' THEN
    file_id := chat_private.find_attachment(store_file.user_id, decode(store_file.label, 'hex'));
  END IF;
EXCEPTION WHEN invalid_parameter_value OR program_limit_exceeded THEN
  problem := left(SQLERRM, 200);
END
$$;
COMMENT ON FUNCTION chat_private.store_file(uuid, text, text, text) IS
'The id of a user''s file: stored from its bytes, or one with this hash that is there already; else NULL, with the problem where the
bytes are none or no file that is accepted. Errors: PC308 no room.';

CREATE OR REPLACE FUNCTION chat_private.store_files(user_id uuid, document jsonb, old_ids text[], new_ids uuid[],
                                                    OUT missing integer, OUT problem text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  file record;
  stored record;
  hashes text[] := '{}';
  ids uuid[] := '{}';
BEGIN
  FOR file IN SELECT a.* FROM jsonb_to_recordset(store_files.document -> 'attachments') a (sha256 text, media_type text, data text) LOOP
    stored := chat_private.store_file(store_files.user_id, file.sha256, file.media_type, file.data);
    problem := coalesce(problem, stored.problem);
    hashes := hashes || file.sha256;
    ids := ids || stored.file_id;
  END LOOP;
  WITH wanted AS MATERIALIZED (
    SELECT p.new_id AS message_id, f.place, h.file_id, left(f.file ->> 'name', 255) AS name
    FROM jsonb_to_recordset(store_files.document -> 'messages') m (id text, attachments jsonb, dropped boolean)
    JOIN unnest(store_files.old_ids, store_files.new_ids) p (old_id, new_id) ON p.old_id = m.id AND p.new_id IS NOT NULL
    CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(m.attachments) WHEN 'array' THEN m.attachments ELSE '[]' END)
      WITH ORDINALITY f (file, place)
    LEFT JOIN unnest(hashes, ids) h (sha256, file_id) ON h.sha256 = f.file ->> 'sha256'
  ), linked AS (
    INSERT INTO chat.message_attachments (user_id, message_id, position, attachment_id, name)
    SELECT store_files.user_id, w.message_id, row_number() OVER (PARTITION BY w.message_id ORDER BY w.place), w.file_id, w.name
    FROM wanted w WHERE w.file_id IS NOT NULL
    RETURNING message_id
  ), counted AS (
    UPDATE chat.messages m SET attachment_count = l.files
    FROM (SELECT message_id, count(*) AS files FROM linked GROUP BY message_id) l
    WHERE m.user_id = store_files.user_id AND m.id = l.message_id
  )
  SELECT count(*) FILTER (WHERE w.file_id IS NULL) INTO missing FROM wanted w;
END
$$;
COMMENT ON FUNCTION chat_private.store_files(uuid, jsonb, text[], uuid[]) IS
'Stores the files of a document and puts them to its messages. missing: how many are neither in it nor stored already, or cannot be
stored, of which problem tells why. Which message and file belong together is told by the labels in sha256; what the bytes hash to
is computed. Errors: PC308 no room.';

CREATE OR REPLACE FUNCTION chat_private.store_folder(user_id uuid, path jsonb) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  folder text;
  found_id uuid;
  last_id uuid;
BEGIN
  IF jsonb_typeof(store_folder.path) IS DISTINCT FROM 'array' THEN
    RETURN NULL;
  END IF;
  FOR folder IN SELECT btrim(left(chat_private.one_line(p.name), 255)) FROM jsonb_array_elements_text(store_folder.path) WITH ORDINALITY p (name, n)
                WHERE chat_private.one_line(p.name) <> '' ORDER BY p.n LIMIT 20 LOOP
    INSERT INTO chat.folders (user_id, parent_id, name) VALUES (store_folder.user_id, last_id, folder)
    ON CONFLICT (user_id, parent_id, name) DO NOTHING RETURNING id INTO found_id;
    IF found_id IS NULL THEN
      SELECT f.id INTO found_id FROM chat.folders f
      WHERE f.user_id = store_folder.user_id AND f.parent_id IS NOT DISTINCT FROM last_id AND f.name = folder;
    END IF;
    last_id := found_id;
  END LOOP;
  RETURN last_id;
END
$$;
COMMENT ON FUNCTION chat_private.store_folder(uuid, jsonb) IS
'The folder to which an array of names leads, made where it is not there; NULL for none. At most 20 levels.';

CREATE OR REPLACE FUNCTION chat_private.imported_tags(tags jsonb) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF jsonb_typeof(imported_tags.tags) IS DISTINCT FROM 'array' THEN
    RETURN '{}';
  END IF;
  RETURN ARRAY(
    SELECT f.tag
    FROM (SELECT rtrim(left(chat_private.fold_tag(e.value #>> '{}'), 50)) AS tag, min(e.n) AS n
          FROM jsonb_array_elements(imported_tags.tags) WITH ORDINALITY e (value, n)
          WHERE jsonb_typeof(e.value) = 'string' GROUP BY 1) f
    WHERE f.tag <> '' ORDER BY f.n LIMIT 50);
END
$$;
COMMENT ON FUNCTION chat_private.imported_tags(jsonb) IS
'The tags that an import gives in the form in which tags are stored: in lower case, with single spaces, each once, at most 50 of at
most 50 characters. What is no string is left out.';

CREATE OR REPLACE FUNCTION chat_private.usable_model(user_id uuid, model text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
BEGIN
  RETURN (SELECT f.name FROM chat_private.find_model(usable_model.user_id, usable_model.model) f
          WHERE usable_model.model IS NOT NULL AND f.is_usable);
END
$$;
COMMENT ON FUNCTION chat_private.usable_model(uuid, text) IS 'The name of a model where the user can ask it, else NULL.';

CREATE OR REPLACE FUNCTION chat_private.store_conversation(user_id uuid, conversation_id uuid, document jsonb, active_leaf_id uuid)
RETURNS timestamptz
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  latest CONSTANT timestamptz := clock_timestamp();
  given record;
  since timestamptz;
BEGIN
  SELECT d.* INTO given FROM jsonb_to_record(store_conversation.document) d (
    title text, title_source text, description text, is_pinned boolean, is_archived boolean, model text, system_prompt text, folder jsonb,
    tags jsonb, context_strategy text, context_reserve integer, summary_model text, metadata jsonb, created_at timestamptz,
    updated_at timestamptz, last_message_at timestamptz, last_reply_at timestamptz, last_read_at timestamptz);
  IF greatest(octet_length(given.system_prompt), octet_length(given.metadata::text)) > chat_private.max_message_bytes() THEN
    RAISE EXCEPTION 'the system prompt or the metadata has more than % bytes', chat_private.max_message_bytes() USING ERRCODE = '54000';
  END IF;
  since := chat_private.time_within(given.created_at, latest, latest);
  INSERT INTO chat.conversations (user_id, id, title, title_source, description, is_pinned, is_archived, model, system_prompt, folder_id,
    tags, context_strategy, context_reserve, summary_model, metadata, created_at, updated_at, last_message_at, last_reply_at, last_read_at,
    active_leaf_id)
  VALUES (store_conversation.user_id, store_conversation.conversation_id, coalesce(left(given.title, 500), 'New Conversation'),
    coalesce(given.title_source, CASE WHEN given.title IS NULL THEN 'default' ELSE 'given' END), left(given.description, 10000),
    coalesce(given.is_pinned, false), coalesce(given.is_archived, false),
    chat_private.usable_model(store_conversation.user_id, given.model), given.system_prompt,
    chat_private.store_folder(store_conversation.user_id, given.folder),
    chat_private.imported_tags(given.tags),
    given.context_strategy, given.context_reserve, chat_private.usable_model(store_conversation.user_id, given.summary_model),
    coalesce(given.metadata, '{}'), since, chat_private.time_within(given.updated_at, latest, since),
    chat_private.time_within(given.last_message_at, latest, since), chat_private.time_within(given.last_reply_at, latest, NULL),
    chat_private.time_within(given.last_read_at, latest, latest), store_conversation.active_leaf_id);
  RETURN since;
END
$$;
COMMENT ON FUNCTION chat_private.store_conversation(uuid, uuid, jsonb, uuid) IS
'Stores the row of an imported conversation and returns the time of its creation. Titles and descriptions that are too long are
cut, and models that the user cannot ask are left out. Errors: 54000 the system prompt is too long; classes 22 and 23.';

CREATE OR REPLACE FUNCTION chat_private.store_document(user_id uuid, source text, source_id text, document jsonb,
  OUT conversation_id uuid, OUT messages integer, OUT notes text[])
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  given jsonb := store_document.document -> 'messages';
  placed record;
  leaf_id uuid;
  since timestamptz;
  files record;
BEGIN
  PERFORM chat_private.check_conversation_limit(store_document.user_id);
  PERFORM chat_private.check_imported_messages(given);
  store_document.conversation_id := chat.uuid_v7();
  placed := chat_private.place_messages(given, store_document.source <> 'pgchat');
  -- The leaf, or where that is dropped the nearest above it; else the last message, below which there is none.
  SELECT coalesce(placed.new_ids[p.place], placed.new_ids[array_position(placed.nodes, placed.parents[p.place])]) INTO leaf_id
  FROM unnest(placed.old_ids) WITH ORDINALITY p (old_id, place) WHERE p.old_id = store_document.document ->> 'active_leaf_id';
  IF leaf_id IS NULL THEN
    SELECT p.id INTO leaf_id FROM unnest(placed.new_ids) WITH ORDINALITY p (id, place) WHERE p.id IS NOT NULL ORDER BY p.place DESC LIMIT 1;
  END IF;
  since := chat_private.store_conversation(store_document.user_id, store_document.conversation_id, store_document.document, leaf_id);
  INSERT INTO chat.conversation_imports (user_id, source, source_id, conversation_id)
  VALUES (store_document.user_id, store_document.source, store_document.source_id, store_document.conversation_id);
  store_document.messages := chat_private.store_messages(store_document.user_id, store_document.conversation_id, given, placed.nodes,
                                                         placed.parents, placed.new_ids, since);
  SELECT f.missing, f.problem INTO files
  FROM chat_private.store_files(store_document.user_id, store_document.document, placed.old_ids, placed.new_ids) f
  WHERE jsonb_typeof(store_document.document -> 'attachments') = 'array';
  IF jsonb_typeof(store_document.document -> 'summaries') = 'array' THEN
    INSERT INTO chat.conversation_summaries (user_id, conversation_id, last_message_id, content, model, created_at)
    SELECT store_document.user_id, store_document.conversation_id, p.new_id, left(s.content, 1000000), left(s.model, 500),
           chat_private.time_within(s.created_at, clock_timestamp(), since)
    FROM jsonb_to_recordset(store_document.document -> 'summaries') s (last_message_id text, content text, model text, created_at timestamptz)
    JOIN unnest(placed.old_ids, placed.new_ids) p (old_id, new_id) ON p.old_id = s.last_message_id AND p.new_id IS NOT NULL
    WHERE s.content <> '';
  END IF;
  notes := array_remove(ARRAY[
    CASE WHEN files.missing > 0 THEN format('%s files are left out: %s', files.missing, coalesce(files.problem, 'they are not in the data')) END,
    CASE WHEN store_document.document ->> 'model' IS NOT NULL
           AND chat_private.usable_model(store_document.user_id, store_document.document ->> 'model') IS NULL
      THEN format('model "%s" is not available', left(store_document.document ->> 'model', 100)) END], NULL);
END
$$;
COMMENT ON FUNCTION chat_private.store_document(uuid, text, text, jsonb) IS
'Stores a document of format pgchat as a new conversation: its id, how many messages it has, and what was left out. source: where
it came from; of others than pgchat a message may be dropped, and then leads to the nearest above it.
Errors: PC303 the plan allows no more conversations; 23505 it was imported meanwhile; classes 22, 23 and 54, PC308.';
