-- Giving a conversation to another user: everything that hangs on it, in one transaction.

CREATE OR REPLACE FUNCTION chat_private.moved_constraints() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT string_agg(format('%I.%I', n.nspname, c.conname), ', ' ORDER BY c.conname)
  FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
  WHERE c.contype = 'f' AND c.condeferrable AND n.nspname IN ('chat', 'chat_private')
    AND c.confrelid IN ('chat.conversations'::regclass, 'chat.messages'::regclass, 'chat.attachments'::regclass,
                        'chat.conversation_shares'::regclass)
$$;
COMMENT ON FUNCTION chat_private.moved_constraints() IS
'The foreign keys that do not hold between the steps of a move, for SET CONSTRAINTS.';

CREATE OR REPLACE FUNCTION chat_private.move_attachments(from_user uuid, to_user uuid, conversation_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.act_as(move_attachments.from_user);
  uses chat.message_attachments[] := ARRAY(
    SELECT a FROM chat.messages m JOIN chat.message_attachments a ON a.user_id = m.user_id AND a.message_id = m.id
    WHERE m.user_id = move_attachments.from_user AND m.conversation_id = move_attachments.conversation_id AND m.attachment_count > 0
    ORDER BY a.attachment_id);
  used chat.message_attachments;
  copied_from uuid;
  copy_id uuid;
BEGIN
  FOREACH used IN ARRAY uses LOOP
    IF copied_from IS DISTINCT FROM used.attachment_id THEN
      copied_from := used.attachment_id;
      copy_id := chat_private.copy_attachment(move_attachments.from_user, copied_from, move_attachments.to_user);
    END IF;
    -- Not an UPDATE: what counts the uses of files looks at rows that come and go.
    DELETE FROM chat.message_attachments a
    WHERE a.user_id = used.user_id AND a.message_id = used.message_id AND a.position = used.position;
    PERFORM chat_private.act_as(move_attachments.to_user);
    used.user_id := move_attachments.to_user;
    used.attachment_id := copy_id;
    INSERT INTO chat.message_attachments SELECT used.*;
    PERFORM chat_private.act_as(move_attachments.from_user);
  END LOOP;
  -- What is used nowhere else goes with the conversation.
  DELETE FROM chat.attachments f
  WHERE f.user_id = move_attachments.from_user AND f.id IN (SELECT u.attachment_id FROM unnest(uses) u)
    AND NOT EXISTS (SELECT FROM chat.message_attachments a WHERE a.user_id = f.user_id AND a.attachment_id = f.id);
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat_private.move_attachments(uuid, uuid, uuid) IS
'Gives the new owner the files of a conversation''s messages, each once by its hash, and takes from the old one those that no other
message of theirs uses.';

CREATE OR REPLACE FUNCTION chat_private.move_shares(from_user uuid, to_user uuid, conversation_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  DELETE FROM chat.conversation_shares s
  WHERE s.user_id = move_shares.from_user AND s.conversation_id = move_shares.conversation_id AND s.grantee_id = move_shares.to_user;
  UPDATE chat_private.share_tokens t SET user_id = move_shares.to_user
  WHERE t.user_id = move_shares.from_user AND t.share_id IN (
    SELECT s.id FROM chat.conversation_shares s
    WHERE s.user_id = move_shares.from_user AND s.conversation_id = move_shares.conversation_id);
  -- The new owner has allowed nobody to spend what is theirs.
  UPDATE chat.conversation_shares s SET user_id = move_shares.to_user, permission = 'read'
  WHERE s.user_id = move_shares.from_user AND s.conversation_id = move_shares.conversation_id;
END
$$;
COMMENT ON FUNCTION chat_private.move_shares(uuid, uuid, uuid) IS
'Gives the new owner a conversation''s shares, whose links go on working; a grant to the new owner ends, and those for writing are for
reading from now on. For callers in the gate.';

CREATE OR REPLACE FUNCTION chat_private.move_conversation_row(from_user uuid, to_user uuid, conversation_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  UPDATE chat_private.gate_conversations c
  SET user_id = move_conversation_row.to_user, reassigned_from = move_conversation_row.from_user,
      former_owner_ids = array_append(array_remove(array_remove(c.former_owner_ids, move_conversation_row.to_user),
                                                   move_conversation_row.from_user), move_conversation_row.from_user),
      -- Folders and prompts of the old owner stay there; the text of the prompt goes along.
      folder_id = NULL, is_pinned = false,
      system_prompt_id = (SELECT p.id FROM chat.system_prompts p
                          WHERE p.user_id = '00000000-0000-0000-0000-000000000000' AND p.id = c.system_prompt_id),
      updated_at = clock_timestamp()
  WHERE c.user_id = move_conversation_row.from_user AND c.id = move_conversation_row.conversation_id;
END
$$;
COMMENT ON FUNCTION chat_private.move_conversation_row(uuid, uuid, uuid) IS
'The conversation''s own row, as its new owner has it. For callers in the gate.';

CREATE OR REPLACE FUNCTION chat_private.move_conversation(from_user uuid, to_user uuid, conversation_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  constraints CONSTANT text := chat_private.moved_constraints();
  previous chat_private.identity;
BEGIN
  EXECUTE format('SET CONSTRAINTS %s DEFERRED', constraints);
  PERFORM chat_private.move_attachments(move_conversation.from_user, move_conversation.to_user, move_conversation.conversation_id);
  previous := chat_private.enter_gate();
  PERFORM chat_private.move_shares(move_conversation.from_user, move_conversation.to_user, move_conversation.conversation_id);
  PERFORM chat_private.move_conversation_row(move_conversation.from_user, move_conversation.to_user, move_conversation.conversation_id);
  UPDATE chat_private.gate_messages m
  SET user_id = move_conversation.to_user,
      author_id = CASE WHEN m.role = 'user' THEN nullif(coalesce(m.author_id, m.user_id), move_conversation.to_user) END
  WHERE m.user_id = move_conversation.from_user AND m.conversation_id = move_conversation.conversation_id;
  UPDATE chat.conversation_summaries s SET user_id = move_conversation.to_user
  WHERE s.user_id = move_conversation.from_user AND s.conversation_id = move_conversation.conversation_id;
  UPDATE chat_private.gate_requests q SET user_id = move_conversation.to_user
  WHERE q.user_id = move_conversation.from_user AND q.conversation_id = move_conversation.conversation_id;
  -- The new owner may have imported the same conversation.
  DELETE FROM chat.conversation_imports i
  WHERE i.user_id = move_conversation.from_user AND i.conversation_id = move_conversation.conversation_id
    AND EXISTS (SELECT FROM chat.conversation_imports o
                WHERE o.user_id = move_conversation.to_user AND o.source = i.source AND o.source_id = i.source_id);
  UPDATE chat.conversation_imports i SET user_id = move_conversation.to_user
  WHERE i.user_id = move_conversation.from_user AND i.conversation_id = move_conversation.conversation_id;
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.move_search_rows(move_conversation.from_user, move_conversation.to_user, move_conversation.conversation_id);
  EXECUTE format('SET CONSTRAINTS %s IMMEDIATE', constraints);
END
$$;
COMMENT ON FUNCTION chat_private.move_conversation(uuid, uuid, uuid) IS
'Makes a conversation, which the caller has locked, another user''s, with all that hangs on it but what was spent. Looks at nobody''s
rights.';

CREATE OR REPLACE FUNCTION chat_private.refuse_in_progress(user_id uuid, conversation_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.enter_gate();
BEGIN
  PERFORM FROM chat_private.gate_requests q
  WHERE q.user_id = refuse_in_progress.user_id AND q.conversation_id = refuse_in_progress.conversation_id
    AND q.state IN ('waiting', 'queued', 'running');
  IF FOUND THEN
    RAISE EXCEPTION 'a reply in this conversation is still being generated' USING ERRCODE = '55006',
      HINT = 'Wait for it, or have its owner call chat.cancel_message on it.';
  END IF;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat_private.refuse_in_progress(uuid, uuid) IS 'Errors: 55006 a model works, or is to work, for the conversation.';

CREATE OR REPLACE FUNCTION chat_private.check_new_owner(user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous chat_private.identity := chat_private.enter_gate();
  account chat.users := chat_private.require_account(check_new_owner.user_id);
BEGIN
  PERFORM chat_private.switch_identity(previous);
  IF NOT account.is_active OR account.role = 'guest' THEN
    RAISE EXCEPTION 'this account cannot be given a conversation' USING ERRCODE = '55000',
      HINT = 'It is a guest''s, or it is disabled: chat.admin_set_active enables it.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_new_owner(uuid) IS 'Locks the account. Errors: P0002 there is none; 55000 a guest''s or a disabled one.';

CREATE OR REPLACE FUNCTION chat_private.lock_conversation(user_id uuid, conversation_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.act_as(lock_conversation.user_id);
  is_there boolean;
BEGIN
  PERFORM FROM chat.conversations c
  WHERE c.user_id = lock_conversation.user_id AND c.id = lock_conversation.conversation_id FOR UPDATE;
  is_there := FOUND;
  PERFORM chat_private.switch_identity(previous);
  RETURN is_there;
END
$$;
COMMENT ON FUNCTION chat_private.lock_conversation(uuid, uuid) IS
'Locks a conversation against everything that adds to it, moves or deletes it; false: it is not this user''s, or not any more.';

CREATE OR REPLACE FUNCTION chat_private.reassignable_people() RETURNS uuid[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller_id CONSTANT uuid := chat.current_user_id();
BEGIN
  IF caller_id IS NOT NULL AND chat.current_user_role() = 'admin' OR chat_private.caller_is_service() THEN
    RETURN NULL;
  -- A role that the identity does not name is looked up: a backend may have set the user alone.
  ELSIF caller_id IS NOT NULL
        AND EXISTS (SELECT FROM chat.users u WHERE u.id = caller_id AND u.role IN ('supervisor', 'admin') AND u.is_active) THEN
    RETURN chat_private.subordinates(caller_id) || caller_id;
  END IF;
  PERFORM chat_private.require_admin();
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION chat_private.reassignable_people() IS
'Between whom the caller may move conversations: NULL, everybody, for administrators and pgchat_service; a supervisor and all under them.
Errors: 42501 neither.';

CREATE OR REPLACE FUNCTION chat_private.confirm_people(people uuid[]) RETURNS uuid[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity;
BEGIN
  IF confirm_people.people IS NULL THEN
    RETURN NULL;
  END IF;
  previous := chat_private.enter_gate();
  PERFORM FROM chat.users u WHERE u.id = ANY (confirm_people.people) ORDER BY u.id FOR NO KEY UPDATE;
  PERFORM chat_private.switch_identity(previous);
  RETURN chat_private.reassignable_people();
END
$$;
COMMENT ON FUNCTION chat_private.confirm_people(uuid[]) IS
'chat_private.reassignable_people once more, with the accounts that it gave locked, so that nobody leaves them before this transaction ends.
Errors: 42501 the caller is no supervisor any more; 40001 one has changed, in a transaction that sees an earlier state.';

CREATE OR REPLACE FUNCTION chat.admin_reassign_conversation(conversation_id uuid, new_user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  people uuid[] := chat_private.reassignable_people();
  moved CONSTANT uuid := admin_reassign_conversation.conversation_id;
  target CONSTANT uuid := admin_reassign_conversation.new_user_id;
  owner_id uuid;
BEGIN
  IF num_nulls(moved, target) > 0 THEN
    RAISE EXCEPTION 'conversation_id and new_user_id must not be null' USING ERRCODE = '22004';
  END IF;
  -- Again where somebody else moved it first: the last of two that move it has it.
  LOOP
    owner_id := chat_private.owner_of(moved);
    IF owner_id IS NULL OR owner_id <> ALL (people) THEN
      PERFORM chat_private.refuse_supervision('admin.reassign_conversation', 'conversation:' || moved, 'conversation');
    END IF;
    EXIT WHEN chat_private.lock_conversation(owner_id, moved);
  END LOOP;
  people := chat_private.confirm_people(people);
  IF owner_id <> ALL (people) THEN
    PERFORM chat_private.refuse_supervision('admin.reassign_conversation', 'conversation:' || moved, 'conversation');
  END IF;
  IF target <> ALL (people) THEN
    PERFORM chat_private.refuse_supervision('admin.reassign_conversation', 'conversation:' || moved, 'user');
  END IF;
  PERFORM chat_private.check_new_owner(target);
  PERFORM chat_private.refuse_in_progress(owner_id, moved);
  IF target = owner_id THEN
    RETURN;
  END IF;
  PERFORM chat_private.move_conversation(owner_id, target, moved);
  PERFORM chat_private.audit('admin.reassign_conversation', 'conversation:' || moved,
                             jsonb_build_object('from', owner_id, 'to', target));
END
$$;
COMMENT ON FUNCTION chat.admin_reassign_conversation(uuid, uuid) IS
'Gives a conversation to another user, with its messages, files, summaries, requests, shares and links; reassigned_from says who had it,
author_id who wrote each message. What was spent stays with who spent it, and chat.conversation_cost adds it up. A grant to the new
owner ends; others, for reading alone, and links go on. The conversation leaves its folder and is no longer pinned. Administrators and
pgchat_service move any; a supervisor those of themselves and everybody under them, to one of these. Nothing is done where it is
the user''s already. Audited.
Errors: 42501 not an administrator, pgchat_service or supervisor; 22004 an argument is NULL; P0002 no such conversation or user, or a
supervisor may not move it from or to them; 55000 a guest''s or a disabled account; 55006 a reply is still being generated; 57P03 no
engine.';
