-- Folders, one within another, and which conversations lie in them.

CREATE OR REPLACE FUNCTION chat_private.check_folder(user_id uuid, folder_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM FROM chat.folders f WHERE f.user_id = check_folder.user_id AND f.id = check_folder.folder_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'folder not found' USING ERRCODE = 'P0002', HINT = 'chat.list_folders() lists yours.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_folder(uuid, uuid) IS 'Errors: P0002 the user has no such folder.';

CREATE OR REPLACE FUNCTION chat_private.folder_name(name text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF btrim(folder_name.name) = '' OR folder_name.name ~ '[[:cntrl:]]' THEN
    RAISE EXCEPTION 'the name of a folder must not be empty nor have control characters' USING ERRCODE = '22023';
  ELSIF char_length(btrim(folder_name.name)) > 255 THEN
    RAISE EXCEPTION 'the name of a folder has more than 255 characters' USING ERRCODE = '54000', HINT = 'Shorten it.';
  END IF;
  RETURN btrim(folder_name.name);
END
$$;
COMMENT ON FUNCTION chat_private.folder_name(text) IS
'A name without spaces around it. Errors: 22023 empty, or with control characters; 54000 more than 255 characters. NULL passes.';

CREATE OR REPLACE FUNCTION chat_private.check_folder_name(user_id uuid, parent_id uuid, name text, except_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  IF EXISTS (SELECT FROM chat.folders f
             WHERE f.user_id = check_folder_name.user_id AND f.parent_id IS NOT DISTINCT FROM check_folder_name.parent_id
               AND f.name = check_folder_name.name AND f.id IS DISTINCT FROM check_folder_name.except_id) THEN
    RAISE EXCEPTION 'there is a folder with this name already' USING ERRCODE = '23505', HINT = 'Choose another name, or another place.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_folder_name(uuid, uuid, text, uuid) IS
'Errors: 23505 another folder than except_id has this name in the same place.';

CREATE OR REPLACE FUNCTION chat.create_folder(name text, parent_id uuid DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  new_id uuid := chat.uuid_v7();
  new_name text := chat_private.folder_name(create_folder.name);
BEGIN
  IF new_name IS NULL THEN
    RAISE EXCEPTION 'name must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM chat_private.lock_user(caller_id);
  IF create_folder.parent_id IS NOT NULL THEN
    PERFORM chat_private.check_folder(caller_id, create_folder.parent_id);
  END IF;
  PERFORM chat_private.check_folder_name(caller_id, create_folder.parent_id, new_name, NULL);
  INSERT INTO chat.folders (user_id, id, parent_id, name) VALUES (caller_id, new_id, create_folder.parent_id, new_name);
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION chat.create_folder(text, uuid) IS
'Makes a folder of the current user and returns its id. name: 1 to 255 characters, once in each place. parent_id: the folder it
lies in; NULL: in none.
Errors: 28000 nobody is authenticated; 22004 name is NULL; 22023 it is empty or has control characters; 54000 it is too long;
23505 there is one with this name; P0002 no such folder of mine to put it in.';

CREATE OR REPLACE FUNCTION chat_private.check_folder_place(user_id uuid, folder_id uuid, parent_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  above uuid := check_folder_place.parent_id;
BEGIN
  PERFORM chat_private.check_folder(check_folder_place.user_id, check_folder_place.parent_id);
  WHILE above IS NOT NULL LOOP
    IF above = check_folder_place.folder_id THEN
      RAISE EXCEPTION 'a folder cannot lie within itself' USING ERRCODE = '22023',
        HINT = 'Move it into a folder that is not below it.';
    END IF;
    SELECT f.parent_id INTO above FROM chat.folders f WHERE f.user_id = check_folder_place.user_id AND f.id = above;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chat_private.check_folder_place(uuid, uuid, uuid) IS
'Errors: P0002 there is no such folder to move one into; 22023 it is the folder itself, or below it.';

CREATE OR REPLACE FUNCTION chat.update_folder(id uuid, name text DEFAULT NULL, parent_id uuid DEFAULT NULL) RETURNS chat.folders
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  new_name text := chat_private.folder_name(update_folder.name);
  changed chat.folders;
BEGIN
  IF update_folder.id IS NULL THEN
    RAISE EXCEPTION 'id must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM chat_private.lock_user(caller_id);
  PERFORM chat_private.check_folder(caller_id, update_folder.id);
  SELECT f.* INTO changed FROM chat.folders f WHERE f.user_id = caller_id AND f.id = update_folder.id;
  IF update_folder.parent_id IS NOT NULL THEN
    changed.parent_id := nullif(update_folder.parent_id, uuid '00000000-0000-0000-0000-000000000000');
    IF changed.parent_id IS NOT NULL THEN
      PERFORM chat_private.check_folder_place(caller_id, changed.id, changed.parent_id);
    END IF;
  END IF;
  changed.name := coalesce(new_name, changed.name);
  PERFORM chat_private.check_folder_name(caller_id, changed.parent_id, changed.name, changed.id);
  UPDATE chat.folders f SET name = changed.name, parent_id = changed.parent_id, updated_at = clock_timestamp()
  WHERE f.user_id = caller_id AND f.id = changed.id
  RETURNING f.* INTO changed;
  RETURN changed;
END
$$;
COMMENT ON FUNCTION chat.update_folder(uuid, text, uuid) IS
'Renames or moves a folder of the current user with all that lies in it, and returns its row. NULL: as it is. name: as for
chat.create_folder. parent_id: the folder to put it in; the nil UUID (all zeros): into none.
Errors: 28000 nobody is authenticated; 22004 id is NULL; P0002 no such folder of mine; 22023 the name, or parent_id is the folder
itself or below it; 54000 the name is too long; 23505 there is one with this name.';

CREATE OR REPLACE FUNCTION chat_private.empty_folder(user_id uuid, folder_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  above uuid := (SELECT f.parent_id FROM chat.folders f WHERE f.user_id = empty_folder.user_id AND f.id = empty_folder.folder_id);
  inner_folder record;
  free_name text;
  n integer;
BEGIN
  UPDATE chat.conversations c SET folder_id = above
  WHERE c.user_id = empty_folder.user_id AND c.folder_id = empty_folder.folder_id;
  FOR inner_folder IN
    SELECT f.id, f.name FROM chat.folders f
    WHERE f.user_id = empty_folder.user_id AND f.parent_id = empty_folder.folder_id ORDER BY f.id
  LOOP
    free_name := inner_folder.name;
    n := 1;
    -- The folder that is being emptied goes, so its own name is free.
    WHILE EXISTS (SELECT FROM chat.folders f WHERE f.user_id = empty_folder.user_id AND f.parent_id IS NOT DISTINCT FROM above
                    AND f.name = free_name) LOOP
      n := n + 1;
      free_name := left(inner_folder.name, 240) || format(' (%s)', n);
    END LOOP;
    UPDATE chat.folders f SET parent_id = above, name = free_name, updated_at = clock_timestamp()
    WHERE f.user_id = empty_folder.user_id AND f.id = inner_folder.id;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chat_private.empty_folder(uuid, uuid) IS
'Moves what lies in a folder to the place where the folder lies; a folder whose name is taken there gets a number after it.';

CREATE OR REPLACE FUNCTION chat_private.delete_folders_below(user_id uuid, folder_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  doomed uuid[];
  conversations uuid[];
BEGIN
  WITH RECURSIVE below (id) AS (
    SELECT delete_folders_below.folder_id
    UNION ALL
    SELECT f.id FROM below b, LATERAL (SELECT i.id FROM chat.folders i
                                       WHERE i.user_id = delete_folders_below.user_id AND i.parent_id = b.id OFFSET 0) f
  )
  SELECT array_agg(b.id) INTO doomed FROM below b;
  conversations := ARRAY(SELECT c.id FROM chat.conversations c
                         WHERE c.user_id = delete_folders_below.user_id AND c.folder_id = ANY (doomed) ORDER BY c.id FOR UPDATE);
  PERFORM chat_private.call_off_conversations(delete_folders_below.user_id, conversations);
  DELETE FROM chat.conversations c WHERE c.user_id = delete_folders_below.user_id AND c.id = ANY (conversations);
  DELETE FROM chat.folders f WHERE f.user_id = delete_folders_below.user_id AND f.id = ANY (doomed);
END
$$;
COMMENT ON FUNCTION chat_private.delete_folders_below(uuid, uuid) IS
'Removes a folder, all folders in it, and all their conversations. Errors: 57P03 a call is under way, and no engine.';

CREATE OR REPLACE FUNCTION chat.delete_folder(id uuid, with_conversations boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  IF delete_folder.id IS NULL OR delete_folder.with_conversations IS NULL THEN
    RAISE EXCEPTION 'id and with_conversations must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM chat_private.lock_user(caller_id);
  PERFORM chat_private.check_folder(caller_id, delete_folder.id);
  IF delete_folder.with_conversations THEN
    PERFORM chat_private.delete_folders_below(caller_id, delete_folder.id);
  ELSE
    PERFORM chat_private.empty_folder(caller_id, delete_folder.id);
    DELETE FROM chat.folders f WHERE f.user_id = caller_id AND f.id = delete_folder.id;
  END IF;
END
$$;
COMMENT ON FUNCTION chat.delete_folder(uuid, boolean) IS
'Removes a folder of the current user. What lies in it moves to where the folder lay, and a folder whose name is taken there gets a
number after it. with_conversations: instead, all folders in it are removed too, and all conversations in these, as by
chat.delete_conversation.
Errors: 28000 nobody is authenticated; 22004 an argument is NULL; P0002 no such folder of mine; 57P03 a call is under way, and no
engine.';

CREATE OR REPLACE FUNCTION chat.list_folders()
RETURNS TABLE (id uuid, parent_id uuid, name text, depth integer, conversations bigint, archived bigint, unread bigint,
               created_at timestamptz, updated_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  RETURN QUERY
    WITH RECURSIVE tree (id, depth, path) AS (
      SELECT f.id, 0, ARRAY[lower(f.name), f.id::text] FROM chat.folders f WHERE f.user_id = caller_id AND f.parent_id IS NULL
      UNION ALL
      SELECT f.id, t.depth + 1, t.path || ARRAY[lower(f.name), f.id::text]
      FROM tree t JOIN chat.folders f ON f.user_id = caller_id AND f.parent_id = t.id
    ), held (folder_id, open, archived, unread) AS (
      SELECT c.folder_id, count(*) FILTER (WHERE NOT c.is_archived), count(*) FILTER (WHERE c.is_archived),
             count(*) FILTER (WHERE c.is_unread AND NOT c.is_archived)
      FROM chat.conversations c WHERE c.user_id = caller_id AND c.folder_id IS NOT NULL GROUP BY c.folder_id
    )
    SELECT f.id, f.parent_id, f.name, t.depth, coalesce(h.open, 0), coalesce(h.archived, 0), coalesce(h.unread, 0),
           f.created_at, f.updated_at
    FROM tree t JOIN chat.folders f ON f.user_id = caller_id AND f.id = t.id LEFT JOIN held h ON h.folder_id = t.id
    ORDER BY t.path;
END
$$;
COMMENT ON FUNCTION chat.list_folders() IS
'The current user''s folders, each before those in it, by name. depth: 0 where it lies in none. How many conversations lie
directly in it: conversations (not archived), archived, and unread of those that are not archived.
Errors: 28000 nobody is authenticated.';

CREATE OR REPLACE FUNCTION chat.move_conversation(conversation_id uuid, folder_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  IF move_conversation.conversation_id IS NULL THEN
    RAISE EXCEPTION 'conversation_id must not be null' USING ERRCODE = '22004';
  END IF;
  IF move_conversation.folder_id IS NOT NULL THEN
    -- So that the folder is not removed meanwhile: conversations have no foreign key to it.
    PERFORM chat_private.lock_user(caller_id);
    PERFORM chat_private.check_folder(caller_id, move_conversation.folder_id);
  END IF;
  UPDATE chat.conversations c SET folder_id = move_conversation.folder_id, updated_at = clock_timestamp()
  WHERE c.user_id = caller_id AND c.id = move_conversation.conversation_id;
  IF NOT FOUND THEN
    PERFORM chat_private.conversation_not_found();
  END IF;
END
$$;
COMMENT ON FUNCTION chat.move_conversation(uuid, uuid) IS
'Puts a conversation of the current user into a folder; folder_id NULL: into none.
Errors: 28000 nobody is authenticated; 22004 conversation_id is NULL; P0002 no such conversation, or no such folder, of mine.';
