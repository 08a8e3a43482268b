-- Reading conversations by link: with a token, and with or without an account.

CREATE OR REPLACE FUNCTION chat_private.new_share_token(share_id uuid, OUT token text, OUT token_hash bytea)
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'pgl_' || substr(t.token, 5), t.token_hash FROM chat_private.new_session_token(new_share_token.share_id) t
$$;
COMMENT ON FUNCTION chat_private.new_share_token(uuid) IS
'A new token of 256 random bits, which carries the id of the share it is for, and the hash that is stored of it.';

CREATE OR REPLACE FUNCTION chat_private.refuse_share() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'shared conversation not found' USING ERRCODE = 'P0002',
    HINT = 'It may have expired, or been revoked or deleted; ask who shared it.';
END
$$;
COMMENT ON FUNCTION chat_private.refuse_share() IS 'Errors: P0002, always: the one answer to whatever is wrong with a share.';

CREATE OR REPLACE FUNCTION chat_private.share_now(user_id uuid, share_id uuid) RETURNS text
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pgchat_share_now';
COMMENT ON FUNCTION chat_private.share_now(uuid, uuid) IS
'The permission of a share that is in force by what is committed now, also where the transaction sees an earlier state; NULL: it is not,
or an argument is NULL. Looks at nobody''s rights.';

CREATE OR REPLACE FUNCTION chat_private.open_link(token text) RETURNS chat.conversation_shares
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  opened_by CONSTANT text := chat_private.setting_text('share_links');
  given record;
  reader_role text;
  share chat.conversation_shares;
  previous chat_private.identity;
BEGIN
  IF open_link.token IS NULL THEN
    RAISE EXCEPTION 'token must not be null' USING ERRCODE = '22004';
  END IF;
  SELECT p.* INTO given
  FROM chat_private.parse_token(CASE WHEN starts_with(open_link.token, 'pgl_') THEN 'pgt_' || substr(open_link.token, 5) END) p;
  previous := chat_private.enter_gate();
  SELECT u.role INTO reader_role FROM chat.users u WHERE u.id = previous.user_id AND u.is_active;
  SELECT s.* INTO share
  FROM chat_private.share_tokens t
  JOIN chat.conversation_shares s ON s.user_id = t.user_id AND s.id = t.share_id
  JOIN chat.users u ON u.id = t.user_id
  WHERE t.share_id = coalesce(given.owner_id, uuid '00000000-0000-0000-0000-000000000000') AND t.token_hash = given.token_hash
    AND s.revoked_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > clock_timestamp())
    AND u.is_active AND opened_by <> 'nobody';
  PERFORM chat_private.switch_identity(previous);
  IF chat_private.share_now(share.user_id, share.id) IS NULL THEN
    PERFORM chat_private.refuse_share();
  ELSIF (share.requires_login OR opened_by = 'login') AND coalesce(reader_role, 'guest') = 'guest' THEN
    RAISE EXCEPTION 'this conversation is shared with who is logged in' USING ERRCODE = '28000',
      HINT = 'Call chat.authenticate(session_token) first, in the same transaction; guests register with chat.upgrade_guest.';
  END IF;
  RETURN share;
END
$$;
COMMENT ON FUNCTION chat_private.open_link(text) IS
'The share that a token opens, now and for the current user or nobody. What is no token, unknown, expired, revoked, of a deleted
conversation or of a disabled account gets one answer after the same look-ups, each in an index.
Errors: 22004 NULL; P0002 it opens none; 28000 it is right, but needs a login.';

CREATE OR REPLACE FUNCTION chat.shared_conversation(token text, OUT share_id uuid, OUT title text, OUT shared_at timestamptz,
  OUT expires_at timestamptz, OUT requires_login boolean, OUT includes_later boolean, OUT allows_fork boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  share chat.conversation_shares := chat_private.open_link(shared_conversation.token);
  previous chat_private.identity := chat_private.act_as(share.user_id);
BEGIN
  title := chat_private.shown_title(share);
  PERFORM chat_private.switch_identity(previous);
  share_id := share.id;
  shared_at := share.created_at;
  expires_at := share.expires_at;
  requires_login := share.requires_login;
  includes_later := share.includes_later;
  allows_fork := share.allows_fork;
END
$$;
COMMENT ON FUNCTION chat.shared_conversation(text) IS
'What a link leads to: its title, when it was shared and until when, and how. Who shared it is not told. Needs no login, unless the
share does.
Errors: 22004 token is NULL; P0002 the token is wrong, or the share expired, revoked or deleted; 28000 it is right, but needs a login.';

CREATE OR REPLACE FUNCTION chat.read_share(token text) RETURNS SETOF chat.shared_message
LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  share chat.conversation_shares := chat_private.open_link(read_share.token);
  previous chat_private.identity := chat_private.act_as(share.user_id);
BEGIN
  RETURN QUERY SELECT m.* FROM chat_private.link_messages(share) m;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat.read_share(text) IS
'The messages of the branch that a link shows, root first: what users and models said, with the list of their files; no thinking, tools,
system prompts, costs, metadata, nor who wrote it. A reply in progress is only there where the share shows what is added later. Needs
no login, unless the share does.
Errors: as chat.shared_conversation.';

CREATE OR REPLACE FUNCTION chat.shared_attachment_content(token text, message_id uuid, at_position integer) RETURNS bytea
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  share chat.conversation_shares := chat_private.open_link(shared_attachment_content.token);
  previous chat_private.identity := chat_private.act_as(share.user_id);
  content bytea;
BEGIN
  IF EXISTS (SELECT FROM chat_private.link_messages(share) m WHERE m.id = shared_attachment_content.message_id) THEN
    content := chat_private.file_of_message(share.user_id, shared_attachment_content.message_id, shared_attachment_content.at_position);
  END IF;
  IF content IS NULL THEN
    RAISE EXCEPTION 'attachment not found' USING ERRCODE = 'P0002', HINT = 'chat.read_share lists the files of each message.';
  END IF;
  PERFORM chat_private.switch_identity(previous);
  RETURN content;
END
$$;
COMMENT ON FUNCTION chat.shared_attachment_content(text, uuid, integer) IS
'The bytes of a file of a message that a link shows. message_id, at_position: as chat.read_share gives them in id and attachments.
Errors: as chat.shared_conversation; P0002 also where there is no such file.';
