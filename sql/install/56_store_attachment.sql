-- Storing a file of a user once, whoever brings it.

CREATE OR REPLACE FUNCTION chat_private.store_attachment(user_id uuid, data bytea, media_type text) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  hash bytea := sha256(store_attachment.data);
  stored_id uuid;
BEGIN
  INSERT INTO chat.attachments (user_id, sha256, media_type, byte_size)
  VALUES (store_attachment.user_id, hash, store_attachment.media_type, octet_length(store_attachment.data))
  ON CONFLICT (user_id, sha256) DO NOTHING RETURNING id INTO stored_id;
  IF stored_id IS NOT NULL THEN
    INSERT INTO chat_private.attachment_data (user_id, attachment_id, data)
    VALUES (store_attachment.user_id, stored_id, store_attachment.data);
    RETURN stored_id;
  END IF;
  SELECT a.id INTO stored_id FROM chat.attachments a WHERE a.user_id = store_attachment.user_id AND a.sha256 = hash;
  RETURN stored_id;
END
$$;
COMMENT ON FUNCTION chat_private.store_attachment(uuid, bytea, text) IS
'The id of a user''s file with these bytes, which is stored unless the user has it already.';
