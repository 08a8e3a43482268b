-- Conversations that are shared with a user: listing, reading, and where the owner allows it writing, in the owner's name.

CREATE OR REPLACE FUNCTION chat_private.open_grant(share_id uuid, for_writing boolean DEFAULT false) RETURNS chat.conversation_shares
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  share chat.conversation_shares;
  previous chat_private.identity;
BEGIN
  IF open_grant.share_id IS NULL THEN
    RAISE EXCEPTION 'share_id must not be null' USING ERRCODE = '22004';
  END IF;
  previous := chat_private.enter_gate();
  SELECT s.* INTO share FROM chat.conversation_shares s JOIN chat.users u ON u.id = s.user_id
  WHERE s.grantee_id = caller_id AND s.id = open_grant.share_id AND s.revoked_at IS NULL
    AND (s.expires_at IS NULL OR s.expires_at > clock_timestamp()) AND u.is_active;
  PERFORM chat_private.switch_identity(previous);
  -- As it is now, whatever this transaction still sees: streams and what is sent are not of its snapshot either.
  share.permission := chat_private.share_now(share.user_id, share.id);
  IF share.permission IS NULL THEN
    PERFORM chat_private.refuse_share();
  ELSIF open_grant.for_writing AND share.permission <> 'write' THEN
    RAISE EXCEPTION 'this conversation is shared for reading only' USING ERRCODE = '42501',
      HINT = 'Ask its owner for permission to write.';
  END IF;
  RETURN share;
END
$$;
COMMENT ON FUNCTION chat_private.open_grant(uuid, boolean) IS
'A grant to the current user that is in force now.
Errors: 28000 nobody is authenticated; 22004 NULL; P0002 there is none: it expired, was revoked, its conversation deleted or its
owner disabled, or it is somebody else''s; 42501 it is for reading only.';

CREATE OR REPLACE FUNCTION chat.list_shared_with_me()
RETURNS TABLE (share_id uuid, owner_name text, title text, permission text, includes_later boolean, shared_at timestamptz,
               expires_at timestamptz, last_message_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 20 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  previous chat_private.identity := chat_private.enter_gate();
BEGIN
  RETURN QUERY
    SELECT s.id, coalesce(u.display_name, u.username, u.email), coalesce(s.title, c.title), s.permission, s.includes_later, s.created_at,
           s.expires_at, CASE WHEN s.includes_later THEN c.last_message_at END
    FROM chat.conversation_shares s
    JOIN chat.users u ON u.id = s.user_id
    JOIN chat_private.gate_conversations c ON c.user_id = s.user_id AND c.id = s.conversation_id
    WHERE s.grantee_id = caller_id AND s.revoked_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > clock_timestamp())
      AND u.is_active
    ORDER BY s.created_at DESC, s.id DESC;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat.list_shared_with_me() IS
'The conversations that others share with the current user, the latest share first. owner_name: the display name, else the username,
else the e-mail address.
last_message_at: NULL where what is added later is not shown.
Errors: 28000 nobody is authenticated.';

CREATE OR REPLACE FUNCTION chat.leave_shared(share_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  share chat.conversation_shares := chat_private.open_grant(leave_shared.share_id);
  previous chat_private.identity := chat_private.act_as(share.user_id);
  was_open boolean;
BEGIN
  UPDATE chat.conversation_shares s SET revoked_at = clock_timestamp()
  WHERE s.user_id = share.user_id AND s.id = share.id AND s.revoked_at IS NULL;
  was_open := FOUND;
  PERFORM chat_private.switch_identity(previous);
  IF NOT was_open THEN
    -- It was ended, or its conversation given to somebody else, at the same moment.
    PERFORM chat_private.refuse_share();
  END IF;
  -- As with chat.revoke_share, a missing engine does not stand in the way.
  PERFORM chat_private.audit('share.leave', 'conversation:' || share.conversation_id, jsonb_build_object('share', share.id), wait => false);
END
$$;
COMMENT ON FUNCTION chat.leave_shared(uuid) IS
'Ends what somebody else shares with the current user, for good, as chat.revoke_share does for its owner. Audited.
Errors: 28000 nobody is authenticated; 22004 share_id is NULL; P0002 nothing is shared under this id.';

CREATE OR REPLACE FUNCTION chat.read_shared_conversation(share_id uuid, leaf_id uuid DEFAULT NULL) RETURNS SETOF chat.shared_message
LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  share chat.conversation_shares := chat_private.open_grant(read_shared_conversation.share_id);
  previous chat_private.identity := chat_private.act_as(share.user_id);
  leaf uuid := chat_private.shown_leaf(share, read_shared_conversation.leaf_id);
BEGIN
  IF leaf IS NULL AND read_shared_conversation.leaf_id IS NOT NULL THEN
    RAISE EXCEPTION 'message not found in this conversation' USING ERRCODE = 'P0002',
      HINT = 'Pass an id that chat.read_shared_conversation has given, in id or sibling_ids.';
  END IF;
  PERFORM chat_private.enter_gate();
  RETURN QUERY SELECT m.* FROM chat_private.grant_messages(share, leaf) m;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat.read_shared_conversation(uuid, uuid) IS
'The messages of a conversation that is shared with the current user, root first, replies in progress as far as they are stored: the active
branch, or where the share shows what is added later the branch through leaf_id to its end; else the branch as it was shared, or as far as
leaf_id. Without system prompts, costs, metadata and feedback.
Errors: 28000 nobody is authenticated; 22004 share_id is NULL; P0002 nothing is shared with the current user under this id, or not any
more, or there is no such message.';

CREATE OR REPLACE FUNCTION chat_private.check_granted_message(share chat.conversation_shares, message_id uuid) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_variable
BEGIN
  IF message_id IS NULL THEN
    RAISE EXCEPTION 'the id of the message must not be null' USING ERRCODE = '22004';
  ELSIF (CASE WHEN share.includes_later
              THEN NOT EXISTS (SELECT FROM chat.messages m WHERE m.user_id = share.user_id AND m.id = message_id
                                 AND m.conversation_id = share.conversation_id)
              ELSE chat_private.shown_leaf(share, message_id) IS NULL END) THEN
    RAISE EXCEPTION 'message not found in this conversation' USING ERRCODE = 'P0002',
      HINT = 'chat.read_shared_conversation shows the messages there are.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_granted_message(chat.conversation_shares, uuid) IS
'For callers that act as the owner. Errors: 22004 NULL; P0002 the share does not show this message.';

CREATE OR REPLACE FUNCTION chat.shared_attachment_content(share_id uuid, message_id uuid, at_position integer) RETURNS bytea
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  share chat.conversation_shares := chat_private.open_grant(shared_attachment_content.share_id);
  previous chat_private.identity := chat_private.act_as(share.user_id);
  content bytea;
BEGIN
  PERFORM chat_private.check_granted_message(share, shared_attachment_content.message_id);
  content := chat_private.file_of_message(share.user_id, shared_attachment_content.message_id, shared_attachment_content.at_position);
  IF content IS NULL THEN
    RAISE EXCEPTION 'attachment not found' USING ERRCODE = 'P0002', HINT = 'chat.read_shared_conversation lists the files of each message.';
  END IF;
  PERFORM chat_private.switch_identity(previous);
  RETURN content;
END
$$;
COMMENT ON FUNCTION chat.shared_attachment_content(uuid, uuid, integer) IS
'The bytes of a file of a message that is shared with the current user. message_id, at_position: as chat.read_shared_conversation gives
them in id and attachments.
Errors: 28000 nobody is authenticated; 22004 share_id or message_id is NULL; P0002 nothing is shared under this id, or there is no such file.';

CREATE OR REPLACE FUNCTION chat_private.lend_attachments(from_user uuid, to_user uuid, attachments jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  lent jsonb := lend_attachments.attachments;
  item record;
  given uuid;
BEGIN
  PERFORM chat_private.check_attachments(lent);
  FOR item IN SELECT e.value, e.place FROM jsonb_array_elements(lend_attachments.attachments) WITH ORDINALITY e (value, place)
              WHERE jsonb_typeof(e.value) = 'object' AND e.value ? 'attachment_id' LOOP
    SELECT g.attachment_id INTO given FROM chat_private.given_attachment(item.value) g;
    IF NOT EXISTS (SELECT FROM chat.attachments a WHERE a.user_id = lend_attachments.from_user AND a.id = given) AND given IS NOT NULL THEN
      PERFORM chat_private.attachment_not_found();
    ELSIF given IS NOT NULL THEN
      lent := jsonb_set(lent, ARRAY[(item.place - 1)::text, 'attachment_id'],
                        to_jsonb(chat_private.copy_attachment(lend_attachments.from_user, given, lend_attachments.to_user, true)));
    END IF;
  END LOOP;
  RETURN lent;
END
$$;
COMMENT ON FUNCTION chat_private.lend_attachments(uuid, uuid, jsonb) IS
'Attachments as for chat.send_message by one user, who must be current, as another can send them, who is given copies of the files.
Errors: 22023 not of the form; 54000 too many; P0002 no such file of from_user; PC308 to_user has no room.';

CREATE OR REPLACE FUNCTION chat.send_to_shared(share_id uuid, content text, parent_id uuid DEFAULT NULL,
  attachments jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL, options jsonb DEFAULT '{}',
  OUT user_message_id uuid, OUT assistant_message_id uuid, OUT request_id uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  share chat.conversation_shares := chat_private.open_grant(send_to_shared.share_id, true);
  previous chat_private.identity;
  -- Ids grow, so that one above it was made by this call, and not by an earlier one with the same key.
  begun CONSTANT uuid := chat.uuid_v7();
  lent jsonb;
BEGIN
  IF send_to_shared.options ?| ARRAY['fallback_models', 'extra'] THEN
    RAISE EXCEPTION 'the model is the owner''s to choose' USING ERRCODE = '42501',
      HINT = 'Leave fallback_models and extra out of options.';
  END IF;
  IF send_to_shared.attachments IS NOT NULL THEN
    lent := chat_private.lend_attachments(caller_id, share.user_id, send_to_shared.attachments);
  END IF;
  previous := chat_private.act_as(share.user_id);
  SELECT s.user_message_id, s.assistant_message_id, s.request_id
  INTO send_to_shared.user_message_id, send_to_shared.assistant_message_id, send_to_shared.request_id
  FROM chat.send_message(share.conversation_id, send_to_shared.content, parent_id => send_to_shared.parent_id,
                         attachments => lent, idempotency_key => send_to_shared.idempotency_key, options => send_to_shared.options) s;
  UPDATE chat.messages m SET author_id = caller_id
  WHERE m.user_id = share.user_id AND m.id = send_to_shared.user_message_id AND m.id > begun;
  PERFORM chat_private.switch_identity(previous);
  -- Once more after the wait for the conversation: whose share ended meanwhile sends nothing.
  PERFORM chat_private.open_grant(send_to_shared.share_id, true);
EXCEPTION WHEN SQLSTATE 'PC303' OR SQLSTATE 'PC308' THEN
  -- How much the owner may have, and has, is the owner's to know.
  RAISE EXCEPTION 'the limits of the conversation''s owner leave no room for this' USING ERRCODE = SQLSTATE,
    HINT = 'Wait, send fewer or smaller files, or ask the owner.';
END
$$;
COMMENT ON FUNCTION chat.send_to_shared(uuid, text, uuid, jsonb, text, jsonb) IS
'chat.send_message in a conversation that is shared with the current user for writing: it acts as the owner, whose plan, limits, keys and
models count and who pays; the message''s author_id is the current user. The conversation''s own model answers; options may name no
other. The reply is read with chat.read_shared_stream or chat.read_shared_conversation.
Errors: 28000 nobody is authenticated; 22004 share_id or content is NULL; P0002 nothing is shared under this id, or no such parent; 42501
it is shared for reading only, or options has fallback_models or extra; PC303, PC308 the owner''s limits leave no room, without a word
about these; others as chat.send_message.';

CREATE OR REPLACE FUNCTION chat.read_shared_stream(share_id uuid, assistant_message_id uuid, after_seq integer DEFAULT 0,
  wait_ms integer DEFAULT 0) RETURNS SETOF chat.stream_event
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 1000 ROWS 20 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  share chat.conversation_shares := chat_private.open_grant(read_shared_stream.share_id);
  previous chat_private.identity := chat_private.act_as(share.user_id);
BEGIN
  PERFORM chat_private.check_granted_message(share, read_shared_stream.assistant_message_id);
  -- Why a call failed can tell of the owner's limits and of their account with the provider.
  RETURN QUERY SELECT e.seq, e.kind, CASE WHEN e.kind = 'error' THEN 'the reply failed; its owner can see why' ELSE e.delta END, e.request_id
               FROM chat.read_stream(read_shared_stream.assistant_message_id, read_shared_stream.after_seq,
                                     read_shared_stream.wait_ms) e;
  PERFORM chat_private.switch_identity(previous);
  -- Once more after the wait: what came once the share had ended is not told.
  PERFORM chat_private.open_grant(read_shared_stream.share_id);
END
$$;
COMMENT ON FUNCTION chat.read_shared_stream(uuid, uuid, integer, integer) IS
'chat.read_stream of a reply in a conversation that is shared with the current user: what is new after after_seq, for which it waits at
most wait_ms milliseconds. A share that ends meanwhile gives nothing. Why a reply failed is for its owner to see.
Errors: 28000 nobody is authenticated; 22004 an id is NULL; P0002 nothing is shared under this id, or not any more, or it does not show
this message; others as chat.read_stream.';

CREATE OR REPLACE FUNCTION chat.cancel_shared_message(share_id uuid, message_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  share chat.conversation_shares := chat_private.open_grant(cancel_shared_message.share_id, true);
  previous chat_private.identity := chat_private.act_as(share.user_id);
  was_stopped boolean;
BEGIN
  PERFORM chat_private.check_granted_message(share, cancel_shared_message.message_id);
  was_stopped := chat.cancel_message(cancel_shared_message.message_id);
  PERFORM chat_private.switch_identity(previous);
  RETURN was_stopped;
END
$$;
COMMENT ON FUNCTION chat.cancel_shared_message(uuid, uuid) IS
'chat.cancel_message of a reply in a conversation that is shared with the current user for writing, whoever asked for it.
Errors: 28000 nobody is authenticated; 22004 an id is NULL; P0002 nothing is shared under this id, or no such message; 42501 it is shared
for reading only; 57P03 no engine.';
