-- Files with messages: what chat.send_message is given as attachments, and which files a message has.

CREATE OR REPLACE FUNCTION chat_private.note_attachment_use() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    UPDATE chat.attachments a SET unused_since = NULL
    WHERE a.user_id = NEW.user_id AND a.id = NEW.attachment_id AND a.unused_since IS NOT NULL;
    RETURN NULL;
  END IF;
  -- The lock comes before the look: of two messages that go at once, the second sees that the first is gone.
  PERFORM FROM chat.attachments a WHERE a.user_id = OLD.user_id AND a.id = OLD.attachment_id FOR NO KEY UPDATE;
  UPDATE chat.attachments a SET unused_since = clock_timestamp()
  WHERE a.user_id = OLD.user_id AND a.id = OLD.attachment_id
    AND NOT EXISTS (SELECT FROM chat.message_attachments m WHERE m.user_id = OLD.user_id AND m.attachment_id = OLD.attachment_id);
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION chat_private.note_attachment_use() IS
'Row trigger: keeps unused_since of chat.attachments, whoever adds or removes what uses them, so that files of deleted conversations
are found.';

CREATE OR REPLACE TRIGGER note_attachment_use AFTER INSERT OR DELETE
  ON chat.message_attachments FOR EACH ROW EXECUTE FUNCTION chat_private.note_attachment_use();

CREATE OR REPLACE FUNCTION chat_private.bytes_of_base64(digits text) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN decode(bytes_of_base64.digits, 'base64');
EXCEPTION WHEN invalid_parameter_value THEN
  RAISE EXCEPTION 'the data of an attachment is not base64' USING ERRCODE = '22023',
    HINT = 'Give base64 in the usual alphabet, alone or in a data URL such as data:image/png;base64,….';
END
$$;
COMMENT ON FUNCTION chat_private.bytes_of_base64(text) IS 'Errors: 22023 not base64.';

CREATE OR REPLACE FUNCTION chat_private.given_attachment(item jsonb, OUT attachment_id uuid, OUT data bytea, OUT media_type text, OUT name text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  hint CONSTANT text := 'For example [{"attachment_id": "…", "name": "cat.png"}], [{"data": "<base64>", "name": "notes.txt"}] or ["data:image/png;base64,…"].';
  given jsonb := CASE jsonb_typeof(item) WHEN 'string' THEN jsonb_build_object('data', item) ELSE item END;
  digits text;
  head text;
BEGIN
  IF jsonb_typeof(given) <> 'object' OR given - ARRAY['attachment_id', 'data', 'media_type', 'name'] <> '{}'
     OR EXISTS (SELECT FROM jsonb_each(given) m WHERE jsonb_typeof(m.value) NOT IN ('string', 'null'))
     OR (given ->> 'attachment_id' IS NULL) = (given ->> 'data' IS NULL) THEN
    RAISE EXCEPTION 'an attachment must be an object with attachment_id or data, and otherwise media_type and name alone'
      USING ERRCODE = '22023', HINT = hint;
  END IF;
  name := nullif(given ->> 'name', '');
  IF char_length(name) > 255 THEN
    RAISE EXCEPTION 'the name of an attachment has more than 255 characters' USING ERRCODE = '54000', HINT = 'Shorten it.';
  ELSIF name ~ '[[:cntrl:]]' THEN
    RAISE EXCEPTION 'the name of an attachment has control characters' USING ERRCODE = '22023', HINT = 'Give a name of one line.';
  END IF;
  IF given ->> 'attachment_id' IS NOT NULL THEN
    IF given ->> 'attachment_id' !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
      RAISE EXCEPTION 'attachment_id is no UUID' USING ERRCODE = '22023', HINT = hint;
    END IF;
    attachment_id := given ->> 'attachment_id';
    RETURN;
  END IF;
  digits := given ->> 'data';
  media_type := given ->> 'media_type';
  IF starts_with(digits, 'data:') THEN
    head := split_part(left(digits, 1000), ',', 1);
    IF head NOT LIKE '%;base64' THEN
      RAISE EXCEPTION 'an attachment is no data URL in base64' USING ERRCODE = '22023', HINT = hint;
    END IF;
    media_type := coalesce(media_type, nullif(split_part(substr(head, 6), ';', 1), ''));
    digits := substr(digits, char_length(head) + 2);
  END IF;
  data := chat_private.bytes_of_base64(digits);
END
$$;
COMMENT ON FUNCTION chat_private.given_attachment(jsonb) IS
'Reads one element of attachments: attachment_id, or data with the type it is said to have, and its name.
Errors: 22023 not of the form; 54000 the name is too long.';

CREATE OR REPLACE FUNCTION chat_private.check_attachments(attachments jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF jsonb_typeof(check_attachments.attachments) <> 'array' THEN
    RAISE EXCEPTION 'attachments must be an array' USING ERRCODE = '22023',
      HINT = 'For example [{"attachment_id": "…", "name": "cat.png"}].';
  ELSIF jsonb_array_length(check_attachments.attachments) > 20 THEN
    RAISE EXCEPTION 'a message can have 20 attachments' USING ERRCODE = '54000', HINT = 'Send the others with another message.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_attachments(jsonb) IS 'Errors: 22023 not an array; 54000 more than 20.';

CREATE OR REPLACE FUNCTION chat_private.image_bytes_with(earlier bigint, media_type text, byte_size bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  hint CONSTANT text := 'Scale images down, or have an administrator raise the settings image_max_bytes and image_context_bytes.';
BEGIN
  IF NOT chat_private.is_told_as_image(image_bytes_with.media_type) THEN
    RETURN earlier;
  ELSIF image_bytes_with.byte_size > chat_private.max_image_bytes() THEN
    RAISE EXCEPTION 'the image has % bytes, and % can be sent to a model', image_bytes_with.byte_size, chat_private.max_image_bytes()
      USING ERRCODE = '54000', HINT = hint;
  ELSIF earlier + image_bytes_with.byte_size > chat_private.image_budget() THEN
    RAISE EXCEPTION 'the images have more than % bytes together, which is what can be sent to a model', chat_private.image_budget()
      USING ERRCODE = '54000', HINT = hint;
  END IF;
  RETURN earlier + image_bytes_with.byte_size;
END
$$;
COMMENT ON FUNCTION chat_private.image_bytes_with(bigint, text, bigint) IS
'The bytes of the images of a message with one file more; earlier: without it.
Errors: 54000 an image, or all of them, larger than models are sent.';

CREATE OR REPLACE FUNCTION chat_private.attach(user_id uuid, message_id uuid, attachments jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  item record;
  given record;
  file record;
  image_bytes bigint := 0;
BEGIN
  PERFORM chat_private.check_attachments(attach.attachments);
  IF attach.attachments = '[]' THEN
    RETURN;
  END IF;
  FOR item IN SELECT e.value, e.place FROM jsonb_array_elements(attach.attachments) WITH ORDINALITY e (value, place) LOOP
    SELECT g.* INTO given FROM chat_private.given_attachment(item.value) g;
    IF given.data IS NOT NULL THEN
      given.attachment_id := chat_private.store_attachment(attach.user_id, given.data, given.media_type);
    END IF;
    -- Locked until it is used, so that it is not removed meanwhile.
    SELECT a.media_type, a.byte_size INTO file FROM chat.attachments a
    WHERE a.user_id = attach.user_id AND a.id = given.attachment_id FOR KEY SHARE;
    IF NOT FOUND THEN
      PERFORM chat_private.attachment_not_found();
    END IF;
    image_bytes := chat_private.image_bytes_with(image_bytes, file.media_type, file.byte_size);
    INSERT INTO chat.message_attachments (user_id, message_id, position, attachment_id, name)
    VALUES (attach.user_id, attach.message_id, item.place, given.attachment_id, given.name);
  END LOOP;
  UPDATE chat.messages m SET attachment_count = jsonb_array_length(attach.attachments)
  WHERE m.user_id = attach.user_id AND m.id = attach.message_id;
END
$$;
COMMENT ON FUNCTION chat_private.attach(uuid, uuid, jsonb) IS
'Gives a message of the user, who must be current, its files: those that are there by id, others are stored. attachments: as for
chat.send_message, not NULL.
Errors: 22023 not of the form, or a file that cannot be stored; 54000 too many or too large; P0002 no such file of theirs; PC308 no room.';

CREATE OR REPLACE FUNCTION chat_private.copy_attachments(user_id uuid, from_id uuid, to_id uuid) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
  INSERT INTO chat.message_attachments (user_id, message_id, position, attachment_id, name)
  SELECT a.user_id, copy_attachments.to_id, a.position, a.attachment_id, a.name
  FROM chat.message_attachments a
  WHERE a.user_id = copy_attachments.user_id AND a.message_id = copy_attachments.from_id
$$;
COMMENT ON FUNCTION chat_private.copy_attachments(uuid, uuid, uuid) IS 'Has a message go with the files of another one.';

CREATE OR REPLACE FUNCTION chat_private.file_of_message(user_id uuid, message_id uuid, at_position integer) RETURNS bytea
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN (SELECT chat_private.attachment_bytes(a.user_id, a.attachment_id) FROM chat.message_attachments a
          WHERE a.user_id = file_of_message.user_id AND a.message_id = file_of_message.message_id
            AND a.position = file_of_message.at_position);
END
$$;
COMMENT ON FUNCTION chat_private.file_of_message(uuid, uuid, integer) IS 'The bytes of a message''s file; NULL where there is none.';

CREATE OR REPLACE FUNCTION chat_private.given_parts(user_id uuid, content text, attachments jsonb, takes_images boolean) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  item jsonb;
  given record;
  file record;
  files jsonb[] := '{}';
  new_bytes bigint := 0;
  image_bytes bigint := 0;
BEGIN
  PERFORM chat_private.check_attachments(given_parts.attachments);
  FOR item IN SELECT e.value FROM jsonb_array_elements(given_parts.attachments) e LOOP
    SELECT g.* INTO given FROM chat_private.given_attachment(item) g;
    IF given.data IS NOT NULL THEN
      PERFORM chat_private.check_file_size(octet_length(given.data));
      SELECT f.media_type, f.width, f.height, octet_length(given.data)::bigint AS byte_size, given.data AS data INTO file
      FROM chat_private.file_type(given.data, given.media_type, chat_private.setting('image_max_dimension')::integer,
                                  chat_private.setting('image_max_pixels')::bigint) f;
      IF NOT EXISTS (SELECT FROM chat.attachments a WHERE a.user_id = given_parts.user_id AND a.sha256 = sha256(given.data)) THEN
        new_bytes := new_bytes + file.byte_size;
      END IF;
    ELSE
      SELECT a.media_type, a.width, a.height, a.byte_size, d.data INTO file
      FROM chat.attachments a JOIN chat_private.attachment_data d ON d.user_id = a.user_id AND d.attachment_id = a.id
      WHERE a.user_id = given_parts.user_id AND a.id = given.attachment_id;
      IF NOT FOUND THEN
        PERFORM chat_private.attachment_not_found();
      END IF;
    END IF;
    image_bytes := chat_private.image_bytes_with(image_bytes, file.media_type, file.byte_size);
    files := files || chat_private.told_file(given.name, file.media_type, file.byte_size, file.width, file.height, file.data, given_parts.takes_images);
  END LOOP;
  IF new_bytes > 0 THEN
    PERFORM chat_private.check_attachment_quota(given_parts.user_id, new_bytes, false);
  END IF;
  RETURN chat_private.joined_parts(given_parts.content, files);
END
$$;
COMMENT ON FUNCTION chat_private.given_parts(uuid, text, jsonb, boolean) IS
'chat_private.content_parts for a message that is not stored yet; nothing is stored or locked.
Errors: those of chat_private.attach.';

CREATE OR REPLACE FUNCTION chat.list_message_attachments(message_id uuid)
RETURNS TABLE (attachment_id uuid, "position" smallint, name text, media_type text, byte_size bigint, width integer, height integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 3 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  IF list_message_attachments.message_id IS NULL THEN
    RAISE EXCEPTION 'message_id must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM FROM chat.messages m WHERE m.user_id = caller_id AND m.id = list_message_attachments.message_id;
  IF NOT FOUND THEN
    PERFORM chat_private.message_not_found();
  END IF;
  RETURN QUERY
    SELECT l.attachment_id, l.position, l.name, a.media_type, a.byte_size, a.width, a.height
    FROM chat.message_attachments l JOIN chat.attachments a ON a.user_id = l.user_id AND a.id = l.attachment_id
    WHERE l.user_id = caller_id AND l.message_id = list_message_attachments.message_id
    ORDER BY l.position;
END
$$;
COMMENT ON FUNCTION chat.list_message_attachments(uuid) IS
'The files of a message of the current user, in their order; their bytes are read with chat.attachment_content.
Errors: 28000 nobody is authenticated; 22004 message_id is NULL; P0002 no such message of mine.';
