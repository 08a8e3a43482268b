-- Copying a shared conversation into one's own account.

CREATE OR REPLACE FUNCTION chat_private.copy_attachment(from_user uuid, attachment_id uuid, to_user uuid, is_counted boolean DEFAULT false)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  file chat.attachments;
  content bytea;
  copied_id uuid;
  previous chat_private.identity := chat_private.act_as(copy_attachment.from_user);
BEGIN
  SELECT f.* INTO STRICT file FROM chat.attachments f
  WHERE f.user_id = copy_attachment.from_user AND f.id = copy_attachment.attachment_id;
  content := chat_private.attachment_bytes(copy_attachment.from_user, copy_attachment.attachment_id);
  PERFORM chat_private.act_as(copy_attachment.to_user);
  IF copy_attachment.is_counted THEN
    copied_id := chat_private.store_attachment(copy_attachment.to_user, content, file.media_type);
  ELSE
    file.user_id := copy_attachment.to_user;
    file.id := chat.uuid_v7();
    INSERT INTO chat.attachments SELECT file.* ON CONFLICT (user_id, sha256) DO NOTHING RETURNING id INTO copied_id;
    IF copied_id IS NOT NULL THEN
      INSERT INTO chat_private.attachment_data (user_id, attachment_id, data) VALUES (file.user_id, file.id, content);
    ELSE
      SELECT f.id INTO STRICT copied_id FROM chat.attachments f WHERE f.user_id = copy_attachment.to_user AND f.sha256 = file.sha256;
    END IF;
  END IF;
  PERFORM chat_private.switch_identity(previous);
  RETURN copied_id;
END
$$;
COMMENT ON FUNCTION chat_private.copy_attachment(uuid, uuid, uuid, boolean) IS
'The id of a user''s copy of another''s file; the one the user has, where that has the same bytes. is_counted: only where it fits into
what the user may have; else whether it does or not. Looks at nobody''s rights.
Errors: PC308 is_counted, and there is no room.';

CREATE OR REPLACE FUNCTION chat_private.fork_attachments(share chat.conversation_shares, message_id uuid, to_user uuid, to_message uuid)
RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  owner_id CONSTANT uuid := (fork_attachments.share).user_id;
  previous chat_private.identity := chat_private.act_as(owner_id);
  files chat.message_attachments[] := ARRAY(
    SELECT a FROM chat.message_attachments a
    WHERE a.user_id = owner_id AND a.message_id = fork_attachments.message_id ORDER BY a.position);
  file chat.message_attachments;
BEGIN
  PERFORM chat_private.act_as(fork_attachments.to_user);
  FOREACH file IN ARRAY files LOOP
    file.attachment_id := chat_private.copy_attachment(owner_id, file.attachment_id, fork_attachments.to_user, true);
    file.user_id := fork_attachments.to_user;
    file.message_id := fork_attachments.to_message;
    INSERT INTO chat.message_attachments SELECT file.*;
  END LOOP;
  PERFORM chat_private.switch_identity(previous);
  RETURN cardinality(files);
END
$$;
COMMENT ON FUNCTION chat_private.fork_attachments(chat.conversation_shares, uuid, uuid, uuid) IS
'Copies the files of a shared message to another user''s message; returns how many there are.';

CREATE OR REPLACE FUNCTION chat.fork_shared(token text) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  share chat.conversation_shares := chat_private.open_link(fork_shared.token);
  new_id uuid := chat.uuid_v7();
  previous chat_private.identity;
  new_title text;
  shown chat.shared_message[];
  original chat.shared_message;
  parent uuid;
  copy_id uuid;
  files integer;
BEGIN
  IF NOT share.allows_fork THEN
    RAISE EXCEPTION 'this link allows no copy' USING ERRCODE = '42501', HINT = 'Ask who shared it for a link with allows_fork.';
  END IF;
  PERFORM chat_private.hold_account(caller_id);
  PERFORM chat_private.check_conversation_limit(caller_id);
  previous := chat_private.act_as(share.user_id);
  new_title := chat_private.shown_title(share);
  shown := ARRAY(SELECT m FROM chat_private.link_messages(share) m WHERE m.status NOT IN ('pending', 'streaming'));
  PERFORM chat_private.switch_identity(previous);
  INSERT INTO chat.conversations (user_id, id, title, title_source, metadata)
  VALUES (caller_id, new_id, new_title, 'given', jsonb_build_object('forked_share', share.id));
  FOREACH original IN ARRAY shown LOOP
    copy_id := chat.uuid_v7();
    INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, status, content, content_hash, model, created_at)
    VALUES (caller_id, copy_id, new_id, parent, original.role, original.status, original.content,
            chat.content_hash(original.content), original.model, original.created_at);
    IF original.attachments <> '[]' THEN
      files := chat_private.fork_attachments(share, original.id, caller_id, copy_id);
      UPDATE chat.messages m SET attachment_count = files WHERE m.user_id = caller_id AND m.id = copy_id;
    END IF;
    parent := copy_id;
  END LOOP;
  UPDATE chat.conversations c SET active_leaf_id = parent WHERE c.user_id = caller_id AND c.id = new_id;
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION chat.fork_shared(text) IS
'Copies what a link shows into a new conversation of the current user, files included, and returns its id; metadata -> forked_share
is the share''s. The copy has no system prompt, and the current user''s default model. A reply in progress is not copied.
Errors: 28000 nobody is authenticated; 22004 token is NULL; P0002 the token is wrong, or the share expired, revoked or deleted;
42501 the share allows no copy; PC303 the plan allows no more conversations; PC308 there is no room for the files.';
