-- Bringing conversations in: from an export of pgchat, of ChatGPT or of Open WebUI.

CREATE OR REPLACE FUNCTION chat_private.import_source(item jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE
    WHEN jsonb_typeof(import_source.item) IS DISTINCT FROM 'object' THEN NULL
    WHEN item ->> 'format' = 'pgchat' AND jsonb_typeof(item -> 'messages') = 'array' THEN 'pgchat'
    WHEN jsonb_typeof(item -> 'mapping') = 'object' THEN 'chatgpt'
    WHEN jsonb_typeof(item #> '{chat,history,messages}') = 'object' OR jsonb_typeof(item #> '{chat,messages}') = 'array'
      OR jsonb_typeof(item #> '{history,messages}') = 'object' THEN 'openwebui' END;
END
$$;
COMMENT ON FUNCTION chat_private.import_source(jsonb) IS 'What a conversation was exported from: pgchat, chatgpt or openwebui; NULL: from none of them.';

CREATE OR REPLACE FUNCTION chat_private.import_source_id(item jsonb, source text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  given text := coalesce(CASE import_source_id.source WHEN 'chatgpt' THEN nullif(item ->> 'conversation_id', '')
                                                      WHEN 'openwebui' THEN nullif(coalesce(item ->> 'id', item #>> '{chat,id}'), '') END,
                         nullif(item ->> 'id', ''));
BEGIN
  RETURN CASE WHEN char_length(given) <= 255 THEN given
              ELSE 'sha256:' || encode(sha256(convert_to(item::text, 'UTF8')), 'hex') END;
END
$$;
COMMENT ON FUNCTION chat_private.import_source_id(jsonb, text) IS
'The id of a conversation where it was exported from; a hash of all of it where it has none that can be one.';

CREATE OR REPLACE FUNCTION chat_private.find_imported(user_id uuid, source text, source_id text) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  found_id uuid;
BEGIN
  SELECT i.conversation_id INTO found_id FROM chat.conversation_imports i
  WHERE i.user_id = find_imported.user_id AND i.source = find_imported.source AND i.source_id = find_imported.source_id;
  IF found_id IS NULL AND find_imported.source = 'pgchat'
     AND find_imported.source_id ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' THEN
    SELECT c.id INTO found_id FROM chat.conversations c
    WHERE c.user_id = find_imported.user_id AND c.id = find_imported.source_id::uuid;
  END IF;
  RETURN found_id;
END
$$;
COMMENT ON FUNCTION chat_private.find_imported(uuid, text, text) IS
'The user''s conversation that one from elsewhere has become, or that an export of pgchat was made of; NULL: there is none any more.';

-- Without JIT: nothing here is worth compiling for each item, which plans without nested loops look as if they were.
CREATE OR REPLACE FUNCTION chat_private.import_item(user_id uuid, item jsonb, is_sanitized boolean,
  OUT source_id text, OUT conversation_id uuid, OUT status text, OUT messages integer, OUT reason text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  source text := chat_private.import_source(import_item.item);
  notes text[];
BEGIN
  messages := 0;
  IF source IS NULL THEN
    status := 'failed';
    reason := 'it is no conversation that pgchat, ChatGPT or Open WebUI exports';
    RETURN;
  END IF;
  source_id := chat_private.import_source_id(import_item.item, source);
  FOR attempt IN 1 .. 2 LOOP
    import_item.conversation_id := chat_private.find_imported(import_item.user_id, source, import_item.source_id);
    IF import_item.conversation_id IS NOT NULL THEN
      status := 'unchanged';
      reason := NULL;
      RETURN;
    END IF;
    BEGIN
      SELECT s.conversation_id, s.messages, s.notes INTO import_item.conversation_id, import_item.messages, notes
      FROM chat_private.store_document(import_item.user_id, source, import_item.source_id,
        CASE source WHEN 'chatgpt' THEN chat_private.from_chatgpt(import_item.item)
                    WHEN 'openwebui' THEN chat_private.from_openwebui(import_item.item)
                    ELSE import_item.item END) s;
      status := 'imported';
      reason := nullif(array_to_string(notes || CASE WHEN import_item.is_sanitized THEN ARRAY['characters that text cannot hold were replaced']
                                                ELSE '{}' END, '; '), '');
      RETURN;
    EXCEPTION WHEN OTHERS THEN
      -- What another attempt could change is the whole call's: conflicts with others, resources, the server's state.
      IF SQLSTATE !~ '^(0A|21|22|23|54|PC)' THEN
        RAISE;
      END IF;
      import_item.conversation_id := NULL;
      messages := 0;
      status := 'failed';
      reason := format('%s (%s)', left(SQLERRM, 500), SQLSTATE);
      -- Another session may have imported it meanwhile; then it is there.
      EXIT WHEN SQLSTATE <> '23505';
    END;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chat_private.import_item(uuid, jsonb, boolean) IS
'Imports one conversation, or nothing of it; what chat.import_conversations says of it. is_sanitized: that is to be said, too.';

CREATE OR REPLACE FUNCTION chat_private.document_items(data jsonb) RETURNS SETOF jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF jsonb_typeof(document_items.data) = 'array' THEN
    RETURN QUERY SELECT e FROM jsonb_array_elements(document_items.data) e;
  ELSIF jsonb_typeof(document_items.data -> 'conversations') = 'array' THEN
    RETURN QUERY SELECT e FROM jsonb_array_elements(document_items.data -> 'conversations') e;
  ELSE
    RETURN NEXT document_items.data;
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.document_items(jsonb) IS
'The conversations of a document: the elements of an array, or of the member conversations of an object; else the document is one.';

CREATE OR REPLACE FUNCTION chat.import_conversations(data jsonb)
RETURNS TABLE (idx integer, source_id text, conversation_id uuid, status text, messages integer, reason text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  item jsonb;
  done record;
BEGIN
  IF import_conversations.data IS NULL THEN
    RAISE EXCEPTION 'data must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM chat_private.hold_account(caller_id);
  idx := 0;
  FOR item IN SELECT d FROM chat_private.document_items(import_conversations.data) d LOOP
    idx := idx + 1;
    done := chat_private.import_item(caller_id, item, false);
    SELECT done.source_id, done.conversation_id, done.status, done.messages, done.reason
    INTO source_id, conversation_id, status, messages, reason;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chat.import_conversations(jsonb) IS
'Adds conversations to those of the current user. data: what chat.export_conversation gives as json, ChatGPT''s
conversations.json, or Open WebUI''s export of chats: one conversation, an array, or an object with an array conversations; told
apart one by one. Returns a row for each: idx, from 1; source_id, its id there; conversation_id, its id here; status imported,
unchanged (it is here already, and was left as it is) or failed, of which nothing is stored; messages, how many were stored;
reason, why it failed, with the SQLSTATE, or what was left out. Ids are new, and who owns it is the caller, whatever the data say; costs are kept
with the messages, and count in no usage or budget. A file may hold \u0000, which jsonb refuses: pass it as text.
Errors: 28000 nobody is authenticated; 22004 data is NULL. All else is told in its row: PC303 where the plan allows no more
conversations, class 22 or 54 for what cannot be stored.';

CREATE OR REPLACE FUNCTION chat.import_conversations(document text)
RETURNS TABLE (idx integer, source_id text, conversation_id uuid, status text, messages integer, reason text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  piece record;
  parsed jsonb;
  item jsonb;
  done record;
BEGIN
  IF import_conversations.document IS NULL THEN
    RAISE EXCEPTION 'document must not be null' USING ERRCODE = '22004';
  ELSIF import_conversations.document !~ '[^[:space:]]' THEN
    RAISE EXCEPTION 'document is empty' USING ERRCODE = '22023', HINT = 'Pass the text of a JSON file.';
  END IF;
  PERFORM chat_private.hold_account(caller_id);
  idx := 0;
  FOR piece IN SELECT p.item, p.is_sanitized FROM chat_private.json_items(import_conversations.document) p LOOP
    BEGIN
      parsed := piece.item::jsonb;
    EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
      parsed := NULL;
      SELECT idx + 1, NULL, NULL, 'failed', 0, 'it is not valid JSON, or nested too deeply, or larger than a jsonb can be'
      INTO idx, source_id, conversation_id, status, messages, reason;
      RETURN NEXT;
    END;
    FOR item IN SELECT d FROM chat_private.document_items(parsed) d WHERE parsed IS NOT NULL LOOP
      idx := idx + 1;
      done := chat_private.import_item(caller_id, item, piece.is_sanitized);
      SELECT done.source_id, done.conversation_id, done.status, done.messages, done.reason
      INTO source_id, conversation_id, status, messages, reason;
      RETURN NEXT;
    END LOOP;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chat.import_conversations(text) IS
'chat.import_conversations for the text of a file, which may be larger than a jsonb can be, may have a conversation on each
line, as chat.export_conversations gives them, and may hold what jsonb refuses: \u0000 and lone surrogates become U+FFFD,
which reason then says. A conversation that is no JSON fails alone.
Errors: 28000 nobody is authenticated; 22004 document is NULL; 22023 it is empty. All else is told in its row.';
