-- Files: storing them, once for each user, within what a user may have, and reading them.

CREATE OR REPLACE FUNCTION chat_private.file_type(data bytea, claimed text, max_side integer, max_pixels bigint,
  OUT media_type text, OUT width integer, OUT height integer)
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgchat_file_type';
COMMENT ON FUNCTION chat_private.file_type(bytea, text, integer, bigint) IS
'What a file is: its media type, which is the one claimed where the bytes leave that open, and the pixels of an image. Only headers are
read.
Errors: 22023 empty, a damaged image, or claimed to be what it is not; 54000 an image of too many pixels.';

CREATE OR REPLACE FUNCTION chat_private.attachment_allowance(user_id uuid) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(chat_private.plan_limit(attachment_allowance.user_id, 'attachment_bytes'),
                  chat_private.setting('attachment_quota_bytes')::bigint)
$$;
COMMENT ON FUNCTION chat_private.attachment_allowance(uuid) IS
'How many bytes of files a user may have: the plan''s limit attachment_bytes, else the setting attachment_quota_bytes.';

-- What no message uses any more does not count: it is removed as soon as its room is needed.
CREATE OR REPLACE FUNCTION chat_private.attachment_usage(user_id uuid, with_forsaken boolean) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
  SELECT coalesce(sum(a.byte_size), 0)::bigint FROM chat.attachments a
  WHERE a.user_id = attachment_usage.user_id
    AND (attachment_usage.with_forsaken OR a.unused_since IS NULL OR a.unused_since = a.created_at)
$$;
COMMENT ON FUNCTION chat_private.attachment_usage(uuid, boolean) IS
'The bytes of a user''s files that messages use, and of those that were uploaded and not used yet; with_forsaken: and of those that were
used once.';

CREATE OR REPLACE FUNCTION chat_private.check_attachment_quota(user_id uuid, more_bytes bigint, with_forsaken boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  allowed bigint := chat_private.attachment_allowance(check_attachment_quota.user_id);
  used bigint := chat_private.attachment_usage(check_attachment_quota.user_id, check_attachment_quota.with_forsaken);
BEGIN
  IF used + check_attachment_quota.more_bytes > allowed THEN
    RAISE EXCEPTION 'there is no room for a file of % bytes: % of % are used', check_attachment_quota.more_bytes, used, allowed
      USING ERRCODE = 'PC308',
        HINT = 'Delete conversations whose files are not needed, or unused files with chat.delete_attachment, or have an administrator allow more.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_attachment_quota(uuid, bigint, boolean) IS
'with_forsaken: as in chat_private.attachment_usage. Errors: PC308 the user''s files would have more bytes than are allowed.';

CREATE OR REPLACE FUNCTION chat_private.remove_forsaken_attachments(user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  forsaken uuid[] := ARRAY(
    SELECT a.id FROM chat.attachments a
    WHERE a.user_id = remove_forsaken_attachments.user_id AND a.unused_since > a.created_at FOR UPDATE SKIP LOCKED);
BEGIN
  DELETE FROM chat.attachments a
  WHERE a.user_id = remove_forsaken_attachments.user_id AND a.id = ANY (forsaken)
    AND NOT EXISTS (SELECT FROM chat.message_attachments m WHERE m.user_id = a.user_id AND m.attachment_id = a.id);
END
$$;
COMMENT ON FUNCTION chat_private.remove_forsaken_attachments(uuid) IS 'Removes a user''s files that messages used once and none uses any more.';

CREATE OR REPLACE FUNCTION chat_private.remove_unused_attachments(max_rows integer) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  owners uuid[];
  ids uuid[];
BEGIN
  SELECT array_agg(u.user_id), array_agg(u.id) INTO owners, ids FROM (
    SELECT a.user_id, a.id FROM chat.attachments a
    WHERE a.unused_since < clock_timestamp() - chat_private.setting_text('attachment_unused_lifetime')::interval
    ORDER BY a.unused_since LIMIT remove_unused_attachments.max_rows FOR UPDATE SKIP LOCKED) u;
  -- They are locked, so that nobody begins to use one between this look and the removal.
  DELETE FROM chat.attachments a USING unnest(owners, ids) o (user_id, id)
  WHERE a.user_id = o.user_id AND a.id = o.id
    AND NOT EXISTS (SELECT FROM chat.message_attachments m WHERE m.user_id = a.user_id AND m.attachment_id = a.id);
  RETURN coalesce(cardinality(ids), 0);
END
$$;
COMMENT ON FUNCTION chat_private.remove_unused_attachments(integer) IS
'Removes files of all users that no message has used for longer than the setting attachment_unused_lifetime, at most max_rows, and returns
how many it looked at. Called by the engine.';

CREATE OR REPLACE FUNCTION chat_private.check_file_size(byte_size bigint) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  most bigint := chat_private.setting('attachment_max_bytes')::bigint;
BEGIN
  IF check_file_size.byte_size > most THEN
    RAISE EXCEPTION 'the file has % bytes, and % are allowed', check_file_size.byte_size, most USING ERRCODE = '54000',
      HINT = 'Give a smaller one, or have an administrator raise the setting attachment_max_bytes.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_file_size(bigint) IS 'Errors: 54000 more than the setting attachment_max_bytes.';

CREATE OR REPLACE FUNCTION chat_private.find_attachment(user_id uuid, sha256 bytea) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  found_id uuid;
  now CONSTANT timestamptz := clock_timestamp();
BEGIN
  UPDATE chat.attachments a SET created_at = now, unused_since = now
  WHERE a.user_id = find_attachment.user_id AND a.sha256 = find_attachment.sha256 AND a.unused_since IS NOT NULL
  RETURNING a.id INTO found_id;
  IF found_id IS NULL THEN
    SELECT a.id INTO found_id FROM chat.attachments a
    WHERE a.user_id = find_attachment.user_id AND a.sha256 = find_attachment.sha256;
  END IF;
  RETURN found_id;
END
$$;
COMMENT ON FUNCTION chat_private.find_attachment(uuid, bytea) IS
'The user''s file with this hash, or NULL. One that nothing uses counts as uploaded anew.';

CREATE OR REPLACE FUNCTION chat_private.store_attachment(user_id uuid, data bytea, media_type text) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  hash bytea;
  stored_id uuid;
  kind record;
  now CONSTANT timestamptz := clock_timestamp();
BEGIN
  PERFORM chat_private.check_file_size(octet_length(store_attachment.data));
  SELECT f.* INTO kind
  FROM chat_private.file_type(store_attachment.data, store_attachment.media_type, chat_private.setting('image_max_dimension')::integer,
                              chat_private.setting('image_max_pixels')::bigint) f;
  hash := sha256(store_attachment.data);
  stored_id := chat_private.find_attachment(store_attachment.user_id, hash);
  IF stored_id IS NOT NULL THEN
    RETURN stored_id;
  END IF;
  -- One new file of a user after the other, so that the room is counted right.
  PERFORM chat_private.lock_user(store_attachment.user_id);
  stored_id := chat_private.find_attachment(store_attachment.user_id, hash);
  IF stored_id IS NOT NULL THEN
    RETURN stored_id;
  END IF;
  -- What is left after that is about to be used again, and counts.
  PERFORM chat_private.remove_forsaken_attachments(store_attachment.user_id);
  PERFORM chat_private.check_attachment_quota(store_attachment.user_id, octet_length(store_attachment.data), true);
  stored_id := chat.uuid_v7();
  INSERT INTO chat.attachments (user_id, id, sha256, media_type, byte_size, width, height, created_at, unused_since)
  VALUES (store_attachment.user_id, stored_id, hash, kind.media_type, octet_length(store_attachment.data), kind.width, kind.height, now, now);
  INSERT INTO chat_private.attachment_data (user_id, attachment_id, data)
  VALUES (store_attachment.user_id, stored_id, store_attachment.data);
  RETURN stored_id;
END
$$;
COMMENT ON FUNCTION chat_private.store_attachment(uuid, bytea, text) IS
'Stores a file of a user, who must be current, and returns its id; the id that it has where the user has the same bytes already, under
the media type of then. data: not NULL. media_type: what it is said to be; NULL: what the bytes tell.
Errors: 54000 too large, or an image of too many pixels; 22023 empty, damaged, or not what media_type says; PC308 no room; 40001 in a
transaction that sees an earlier state.';

CREATE OR REPLACE FUNCTION chat.add_attachment(data bytea, media_type text DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  IF add_attachment.data IS NULL THEN
    RAISE EXCEPTION 'data must not be null' USING ERRCODE = '22004', HINT = 'Pass the bytes of the file.';
  END IF;
  RETURN chat_private.store_attachment(caller_id, add_attachment.data, add_attachment.media_type);
END
$$;
COMMENT ON FUNCTION chat.add_attachment(bytea, text) IS
'Stores a file of the current user and returns its id, to be given to chat.send_message. The same bytes are stored once: a second call
returns the same id. media_type: what it is said to be, as text/csv, which is kept where the bytes leave it open; NULL: PNG, JPEG, GIF,
WebP, PDF and UTF-8 text are told from the bytes, others are application/octet-stream. A file that no message uses is removed after
the setting attachment_unused_lifetime.
Errors: 28000 nobody is authenticated; 22004 data is NULL; 22023 empty, a damaged image, or not what media_type says; 54000 more bytes
than attachment_max_bytes, or an image of more pixels than image_max_dimension and image_max_pixels; PC308 no room left.';

CREATE OR REPLACE FUNCTION chat.attachment_quota(OUT used bigint, OUT allowed bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  attachment_quota.used := chat_private.attachment_usage(caller_id, false);
  attachment_quota.allowed := chat_private.attachment_allowance(caller_id);
END
$$;
COMMENT ON FUNCTION chat.attachment_quota() IS
'How many bytes of files the current user has, each file counted once, and how many are allowed. What was used only by messages that are
gone does not count.
Errors: 28000 nobody is authenticated.';

CREATE OR REPLACE FUNCTION chat.list_attachments(page_size integer DEFAULT 50, before timestamptz DEFAULT NULL)
RETURNS TABLE (id uuid, name text, media_type text, byte_size bigint, width integer, height integer, sha256 bytea,
               created_at timestamptz, uses bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  PERFORM chat_private.check_page_size(list_attachments.page_size);
  RETURN QUERY
    SELECT a.id, u.name, a.media_type, a.byte_size, a.width, a.height, a.sha256, a.created_at, u.uses
    FROM (SELECT f.* FROM chat.attachments f
          WHERE f.user_id = caller_id AND (list_attachments.before IS NULL OR f.created_at < list_attachments.before)
          ORDER BY f.created_at DESC LIMIT list_attachments.page_size) a,
         LATERAL (SELECT count(*) AS uses, (array_agg(m.name ORDER BY m.message_id DESC))[1] AS name
                  FROM chat.message_attachments m WHERE m.user_id = caller_id AND m.attachment_id = a.id) u
    ORDER BY a.created_at DESC;
END
$$;
COMMENT ON FUNCTION chat.list_attachments(integer, timestamptz) IS
'The current user''s files, the newest first: name is the one that it was last sent with; uses: in how many messages it is. page_size:
1 to 1000. before: only what is older; pass created_at of a page''s last row to get the next page.
Errors: 28000 nobody is authenticated; 22004 page_size is NULL; 22023 page_size out of range.';

CREATE OR REPLACE FUNCTION chat.attachment_content(id uuid, from_byte bigint DEFAULT 0, max_bytes integer DEFAULT NULL) RETURNS bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  part bytea;
BEGIN
  IF attachment_content.id IS NULL OR attachment_content.from_byte IS NULL THEN
    RAISE EXCEPTION 'id and from_byte must not be null' USING ERRCODE = '22004';
  ELSIF attachment_content.from_byte < 0 OR attachment_content.max_bytes <= 0 THEN
    RAISE EXCEPTION 'from_byte must not be negative, and max_bytes must be positive' USING ERRCODE = '22023',
      HINT = 'The first byte is 0; max_bytes NULL reads to the end.';
  END IF;
  -- No more than the part is read; beyond the end there is nothing.
  SELECT substr(d.data, least(attachment_content.from_byte, 2147483646)::integer + 1,
                least(coalesce(attachment_content.max_bytes, 2147483647), 2147483646 - least(attachment_content.from_byte, 2147483646))::integer)
  INTO part
  FROM chat_private.attachment_data d WHERE d.user_id = caller_id AND d.attachment_id = attachment_content.id;
  IF NOT FOUND THEN
    PERFORM chat_private.attachment_not_found();
  END IF;
  RETURN part;
END
$$;
COMMENT ON FUNCTION chat.attachment_content(uuid, bigint, integer) IS
'The bytes of a file of the current user, or a part of them: max_bytes from from_byte on, which begins at 0; NULL: to the end. Past the
end it is empty. Only the part is read, so that a file can be passed on piece by piece.
Errors: 28000 nobody is authenticated; 22004 id or from_byte is NULL; 22023 from_byte is negative or max_bytes not positive; P0002 no
such file of mine.';

CREATE OR REPLACE FUNCTION chat_private.attachment_bytes(user_id uuid, attachment_id uuid) RETURNS bytea
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN (SELECT d.data FROM chat_private.attachment_data d
          WHERE d.user_id = attachment_bytes.user_id AND d.attachment_id = attachment_bytes.attachment_id);
END
$$;
COMMENT ON FUNCTION chat_private.attachment_bytes(uuid, uuid) IS 'All bytes of a file; NULL where there is none.';

CREATE OR REPLACE FUNCTION chat.delete_attachment(id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  IF delete_attachment.id IS NULL THEN
    RAISE EXCEPTION 'id must not be null' USING ERRCODE = '22004';
  END IF;
  -- Locked first, so that the look at its uses sees those of a message that is just being sent.
  PERFORM FROM chat.attachments a WHERE a.user_id = caller_id AND a.id = delete_attachment.id FOR UPDATE;
  IF NOT FOUND THEN
    PERFORM chat_private.attachment_not_found();
  END IF;
  IF EXISTS (SELECT FROM chat.message_attachments m WHERE m.user_id = caller_id AND m.attachment_id = delete_attachment.id) THEN
    RAISE EXCEPTION 'a message uses the file' USING ERRCODE = '55006', HINT = 'Delete the conversations first that it is in.';
  END IF;
  DELETE FROM chat.attachments a WHERE a.user_id = caller_id AND a.id = delete_attachment.id;
END
$$;
COMMENT ON FUNCTION chat.delete_attachment(uuid) IS
'Removes a file of the current user that no message uses.
Errors: 28000 nobody is authenticated; 22004 id is NULL; P0002 no such file of mine; 55006 a message uses it.';
