-- Sharing one's own conversations: by link, or with a user; changing, ending and listing what one shares.

CREATE OR REPLACE FUNCTION chat_private.share_end(expires_in interval) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF share_end.expires_in NOT BETWEEN interval '1 second' AND interval '100 years' THEN
    RAISE EXCEPTION 'expires_in must be 1 second to 100 years' USING ERRCODE = '22023',
      HINT = 'Leave it out for a share that does not expire.';
  END IF;
  RETURN clock_timestamp() + share_end.expires_in;
END
$$;
COMMENT ON FUNCTION chat_private.share_end(interval) IS 'When a share ends that lasts so long from now; NULL: never. Errors: 22023.';

CREATE OR REPLACE FUNCTION chat_private.conversation_to_share(conversation_id uuid) RETURNS chat.conversations
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  conversation chat.conversations;
BEGIN
  IF conversation_to_share.conversation_id IS NULL THEN
    RAISE EXCEPTION 'conversation_id must not be null' USING ERRCODE = '22004';
  END IF;
  SELECT c.* INTO conversation FROM chat.conversations c
  WHERE c.user_id = chat_private.require_user() AND c.id = conversation_to_share.conversation_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    PERFORM chat_private.conversation_not_found();
  END IF;
  RETURN conversation;
END
$$;
COMMENT ON FUNCTION chat_private.conversation_to_share(uuid) IS
'A conversation of the current user, locked. Errors: 28000 nobody is authenticated; 22004 NULL; P0002 there is none.';

CREATE OR REPLACE FUNCTION chat_private.leaf_to_share(conversation chat.conversations, leaf_id uuid) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  leaf uuid := chat_private.final_leaf(conversation.user_id, conversation.id, coalesce(leaf_id, conversation.active_leaf_id));
BEGIN
  IF leaf IS NULL THEN
    RAISE EXCEPTION 'there is nothing to share yet' USING ERRCODE = '55000',
      HINT = 'Send a message first, or share the conversation with includes_later.';
  END IF;
  RETURN leaf;
END
$$;
COMMENT ON FUNCTION chat_private.leaf_to_share(chat.conversations, uuid) IS
'The last message of a share that shows nothing later. Errors: 55000 there is no message before the first reply in progress.';

CREATE OR REPLACE FUNCTION chat.share_conversation(conversation_id uuid, leaf_id uuid DEFAULT NULL, expires_in interval DEFAULT NULL,
  requires_login boolean DEFAULT false, includes_later boolean DEFAULT false, allows_fork boolean DEFAULT false,
  OUT share_id uuid, OUT token text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  conversation chat.conversations := chat_private.conversation_to_share(share_conversation.conversation_id);
  ends_at timestamptz := chat_private.share_end(share_conversation.expires_in);
  last_id uuid := share_conversation.leaf_id;
  hash bytea;
BEGIN
  IF num_nulls(share_conversation.requires_login, share_conversation.includes_later, share_conversation.allows_fork) > 0 THEN
    RAISE EXCEPTION 'requires_login, includes_later and allows_fork must not be null' USING ERRCODE = '22004';
  ELSIF chat_private.setting_text('share_links') = 'nobody' THEN
    RAISE EXCEPTION 'links to conversations are switched off' USING ERRCODE = '42501',
      HINT = 'An administrator can change the setting share_links; chat.grant_conversation shares with a user.';
  ELSIF last_id IS NOT NULL AND NOT EXISTS (SELECT FROM chat.messages m WHERE m.user_id = conversation.user_id
      AND m.id = last_id AND m.conversation_id = conversation.id) THEN
    RAISE EXCEPTION 'message not found in this conversation' USING ERRCODE = 'P0002',
      HINT = 'chat.list_messages shows the messages there are; NULL shares the active branch.';
  END IF;
  IF NOT share_conversation.includes_later THEN
    last_id := chat_private.leaf_to_share(conversation, last_id);
  END IF;
  share_id := chat.uuid_v7();
  INSERT INTO chat.conversation_shares (user_id, id, conversation_id, kind, leaf_id, title, includes_later, requires_login,
                                        allows_fork, expires_at)
  VALUES (conversation.user_id, share_id, conversation.id, 'link', last_id,
          CASE WHEN NOT share_conversation.includes_later THEN conversation.title END, share_conversation.includes_later,
          share_conversation.requires_login, share_conversation.allows_fork, ends_at);
  SELECT t.token, t.token_hash INTO share_conversation.token, hash FROM chat_private.new_share_token(share_id) t;
  INSERT INTO chat_private.share_tokens (user_id, share_id, token_hash) VALUES (conversation.user_id, share_id, hash);
  PERFORM chat_private.audit('share.create', 'conversation:' || conversation.id, jsonb_build_object(
    'share', share_id, 'kind', 'link', 'requires_login', share_conversation.requires_login,
    'includes_later', share_conversation.includes_later, 'allows_fork', share_conversation.allows_fork, 'expires_at', ends_at));
END
$$;
COMMENT ON FUNCTION chat.share_conversation(uuid, uuid, interval, boolean, boolean, boolean) IS
'Makes a link: token is what chat.read_share takes; it is stored nowhere, and cannot be had again. It shows one branch, that which
ends at leaf_id, by default the active one, as it is now: nothing added later, no later title, and no reply that is still being
generated. includes_later: what is added is shown, too: the branch through leaf_id to its end, or the active one, whichever it is then.
expires_in: 1 second to 100 years from now; NULL: until it is revoked. requires_login: only for who has an account, guests not
included. allows_fork: who has the link may copy what it shows with chat.fork_shared. Audited.
Errors: 28000 nobody is authenticated; 22004 conversation_id or a boolean is NULL; P0002 no such conversation of mine, or no such message
in it; 22023 expires_in; 55000 there is nothing to share yet; 42501 the setting share_links is nobody; 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat_private.find_grantee(name text) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  caller_id CONSTANT uuid := chat_private.require_user();
  -- What looks like an id is one: a username of that form leads nowhere.
  named uuid := CASE WHEN name ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN name::uuid
                     ELSE chat_private.find_login(left(name, 400)) END;
  previous chat_private.identity := chat_private.enter_gate();
  is_guest boolean := (SELECT u.role = 'guest' FROM chat.users u WHERE u.id = caller_id);
  -- Locked, so that no grant to somebody stays who is being removed.
  found_id uuid := (SELECT u.id FROM chat.users u WHERE u.id = named AND u.is_active AND u.role <> 'guest' FOR KEY SHARE);
BEGIN
  PERFORM chat_private.switch_identity(previous);
  IF is_guest THEN
    RAISE EXCEPTION 'guests share with nobody by name' USING ERRCODE = '42501',
      HINT = 'Register with chat.upgrade_guest, or share a link.';
  ELSIF found_id IS NULL THEN
    PERFORM chat_private.audit('share.grant', outcome => 'refused', details => jsonb '{"reason": "unknown"}');
    RAISE EXCEPTION 'nobody of that name can be shared with' USING ERRCODE = 'P0002',
      HINT = 'Pass the e-mail address, the username or the id of an account.';
  ELSIF found_id = caller_id THEN
    RAISE EXCEPTION 'a conversation is not shared with its owner' USING ERRCODE = '22023', HINT = 'Name somebody else.';
  END IF;
  RETURN found_id;
END
$$;
COMMENT ON FUNCTION chat_private.find_grantee(text) IS
'The active account, no guest''s, of that address, username or id. A name that leads to none is noted in the audit log, without the name.
Errors: P0002 there is none; 22023 it is the caller; 42501 the caller is a guest.';

CREATE OR REPLACE FUNCTION chat.grant_conversation(conversation_id uuid, grantee text, permission text DEFAULT 'read',
  expires_in interval DEFAULT NULL, includes_later boolean DEFAULT true) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  conversation chat.conversations := chat_private.conversation_to_share(grant_conversation.conversation_id);
  ends_at timestamptz := chat_private.share_end(grant_conversation.expires_in);
  named uuid;
  last_id uuid;
  granted_id uuid;
BEGIN
  IF num_nulls(grant_conversation.grantee, grant_conversation.permission, grant_conversation.includes_later) > 0 THEN
    RAISE EXCEPTION 'grantee, permission and includes_later must not be null' USING ERRCODE = '22004';
  ELSIF grant_conversation.permission NOT IN ('read', 'write') THEN
    RAISE EXCEPTION 'permission is not valid' USING ERRCODE = '22023', HINT = 'It is read or write.';
  ELSIF grant_conversation.permission = 'write' AND NOT grant_conversation.includes_later THEN
    RAISE EXCEPTION 'who may write is also shown what is added' USING ERRCODE = '22023', HINT = 'Leave includes_later true.';
  END IF;
  named := chat_private.find_grantee(btrim(grant_conversation.grantee));
  IF NOT grant_conversation.includes_later THEN
    last_id := chat_private.leaf_to_share(conversation, NULL);
  END IF;
  INSERT INTO chat.conversation_shares AS s (user_id, conversation_id, kind, grantee_id, grantee_name, permission, leaf_id, title,
                                             includes_later, expires_at)
  VALUES (conversation.user_id, conversation.id, 'grant', named, left(btrim(grant_conversation.grantee), 400),
          grant_conversation.permission, last_id, CASE WHEN last_id IS NOT NULL THEN conversation.title END,
          grant_conversation.includes_later, ends_at)
  ON CONFLICT (user_id, conversation_id, grantee_id) WHERE grantee_id IS NOT NULL AND revoked_at IS NULL
  DO UPDATE SET grantee_name = excluded.grantee_name, permission = excluded.permission, leaf_id = excluded.leaf_id,
    title = excluded.title, includes_later = excluded.includes_later, expires_at = excluded.expires_at
  RETURNING s.id INTO granted_id;
  PERFORM chat_private.audit('share.grant', 'conversation:' || conversation.id, jsonb_build_object(
    'share', granted_id, 'user_id', named, 'permission', grant_conversation.permission,
    'includes_later', grant_conversation.includes_later, 'expires_at', ends_at));
  RETURN granted_id;
END
$$;
COMMENT ON FUNCTION chat.grant_conversation(uuid, text, text, interval, boolean) IS
'Shares a conversation with a user, and returns the share''s id. grantee: the e-mail address, username or id of an active account.
permission: read, or write, with which they also send messages: at the cost of the owner, whose plan, limits, keys and models count.
expires_in: 1 second to 100 years from now; NULL: until it is revoked. includes_later: true shows the whole conversation, all its branches and
replies in progress; false the active branch as it is now. A second grant to the same user takes the first one''s place. Audited.
Errors: 28000 nobody is authenticated; 22004 an argument but expires_in is NULL; P0002 no such conversation of mine, or no such user, a
guest or a disabled account included; 22023 permission, expires_in, or it is one''s own account; 55000 there is nothing to share yet;
42501 the caller is a guest; 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat_private.own_share(share_id uuid) RETURNS chat.conversation_shares
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  share chat.conversation_shares;
BEGIN
  IF own_share.share_id IS NULL THEN
    RAISE EXCEPTION 'share_id must not be null' USING ERRCODE = '22004';
  END IF;
  SELECT s.* INTO share FROM chat.conversation_shares s
  WHERE s.user_id = caller_id AND s.id = own_share.share_id AND s.revoked_at IS NULL FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'share not found' USING ERRCODE = 'P0002', HINT = 'chat.list_my_shares() lists yours.';
  END IF;
  RETURN share;
END
$$;
COMMENT ON FUNCTION chat_private.own_share(uuid) IS
'A share that the current user made and has not revoked, locked. Errors: 28000; 22004 NULL; P0002 there is none.';

CREATE OR REPLACE FUNCTION chat.update_share(share_id uuid, expires_in interval DEFAULT NULL, never_expires boolean DEFAULT false,
  permission text DEFAULT NULL, includes_later boolean DEFAULT NULL, requires_login boolean DEFAULT NULL,
  allows_fork boolean DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  share chat.conversation_shares := chat_private.own_share(update_share.share_id);
  conversation chat.conversations;
BEGIN
  IF update_share.permission NOT IN ('read', 'write') OR update_share.permission IS NOT NULL AND share.kind = 'link' THEN
    RAISE EXCEPTION 'permission is not valid' USING ERRCODE = '22023', HINT = 'It is read or write, and a link''s is always read.';
  ELSIF num_nonnulls(update_share.requires_login, update_share.allows_fork) > 0 AND share.kind = 'grant' THEN
    RAISE EXCEPTION 'requires_login and allows_fork are of links' USING ERRCODE = '22023', HINT = 'Leave them out for a grant.';
  ELSIF update_share.expires_in IS NOT NULL AND update_share.never_expires THEN
    RAISE EXCEPTION 'a share that never expires has no expires_in' USING ERRCODE = '22023', HINT = 'Pass one of the two.';
  END IF;
  IF update_share.includes_later IS DISTINCT FROM share.includes_later AND update_share.includes_later IS NOT NULL THEN
    conversation := chat_private.conversation_to_share(share.conversation_id);
    IF update_share.includes_later THEN
      share.title := NULL;
      share.leaf_id := CASE share.kind WHEN 'link' THEN share.leaf_id END;
    ELSE
      share.title := conversation.title;
      share.leaf_id := chat_private.leaf_to_share(conversation, chat_private.shown_leaf(share));
    END IF;
    share.includes_later := update_share.includes_later;
  END IF;
  share.permission := coalesce(update_share.permission, share.permission);
  IF share.permission = 'write' AND NOT share.includes_later THEN
    RAISE EXCEPTION 'who may write is also shown what is added' USING ERRCODE = '22023', HINT = 'Pass permission => ''read'', too.';
  END IF;
  IF update_share.expires_in IS NOT NULL OR update_share.never_expires THEN
    share.expires_at := chat_private.share_end(update_share.expires_in);
  END IF;
  UPDATE chat.conversation_shares s SET permission = share.permission, leaf_id = share.leaf_id, title = share.title,
    includes_later = share.includes_later, expires_at = share.expires_at,
    requires_login = coalesce(update_share.requires_login, s.requires_login),
    allows_fork = coalesce(update_share.allows_fork, s.allows_fork)
  WHERE s.user_id = share.user_id AND s.id = share.id;
  PERFORM chat_private.audit('share.update', 'conversation:' || share.conversation_id, jsonb_build_object(
    'share', share.id, 'permission', share.permission, 'includes_later', share.includes_later, 'expires_at', share.expires_at));
END
$$;
COMMENT ON FUNCTION chat.update_share(uuid, interval, boolean, text, boolean, boolean, boolean) IS
'Changes a share of the current user, also one that has expired, from the next statement of who reads it on. expires_in: from now;
never_expires: until it is revoked. permission: of a grant; requires_login, allows_fork: of a link. includes_later: false
shows what the share shows now, and nothing later. What is NULL stays as it is. Audited.
Errors: 28000 nobody is authenticated; 22004 share_id is NULL; P0002 no such share of mine, or it is revoked; 22023 an argument that is
not for this kind of share, or not valid; 55000 there is nothing to share yet; 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat.revoke_share(share_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  share chat.conversation_shares := chat_private.own_share(revoke_share.share_id);
BEGIN
  UPDATE chat.conversation_shares s SET revoked_at = clock_timestamp() WHERE s.user_id = share.user_id AND s.id = share.id;
  DELETE FROM chat_private.share_tokens t WHERE t.user_id = share.user_id AND t.share_id = share.id;
  -- Nothing is to stand in the way of it, a missing engine neither.
  PERFORM chat_private.audit('share.revoke', 'conversation:' || share.conversation_id, jsonb_build_object('share', share.id), wait => false);
END
$$;
COMMENT ON FUNCTION chat.revoke_share(uuid) IS
'Ends a share of the current user for good: from the commit on, the next statement of who has it finds nothing. Audited.
Errors: 28000 nobody is authenticated; 22004 share_id is NULL; P0002 no such share of mine, or it is revoked already.';

CREATE OR REPLACE FUNCTION chat.list_my_shares(conversation_id uuid DEFAULT NULL)
RETURNS SETOF chat.listed_share
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  wanted CONSTANT uuid := list_my_shares.conversation_id;
BEGIN
  PERFORM FROM chat.conversations c WHERE c.user_id = caller_id AND c.id = wanted;
  IF NOT FOUND AND wanted IS NOT NULL THEN
    PERFORM chat_private.conversation_not_found();
  END IF;
  RETURN QUERY
    SELECT s.id, s.conversation_id, coalesce(s.title, c.title), s.kind, s.grantee_name, s.permission, s.leaf_id, s.includes_later,
           s.requires_login, s.allows_fork, s.created_at, s.expires_at, coalesce(s.expires_at <= clock_timestamp(), false)
    FROM chat.conversation_shares s JOIN chat.conversations c ON c.user_id = s.user_id AND c.id = s.conversation_id
    WHERE s.user_id = caller_id AND s.revoked_at IS NULL AND (wanted IS NULL OR s.conversation_id = wanted)
    ORDER BY s.created_at DESC, s.id DESC;
END
$$;
COMMENT ON FUNCTION chat.list_my_shares(uuid) IS
'What the current user shares and has not revoked, expired shares included, of one conversation or of all, the latest first.
Errors: 28000 nobody is authenticated; P0002 no such conversation of mine.';

CREATE OR REPLACE FUNCTION chat_private.leave_shares(user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  previous chat_private.identity := chat_private.enter_gate();
BEGIN
  DELETE FROM chat.conversation_shares s WHERE s.grantee_id = leave_shares.user_id;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat_private.leave_shares(uuid) IS 'Removes the grants to a user who is being removed.';
