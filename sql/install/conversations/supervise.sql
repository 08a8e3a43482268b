-- Looking at conversations of others: a supervisor at those of their people, administrators at all. Each look is audited.

CREATE OR REPLACE FUNCTION chat_private.subordinates(supervisor_id uuid) RETURNS uuid[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  people uuid[];
  previous chat_private.identity := chat_private.enter_gate();
BEGIN
  -- UNION, so that even a circle that somebody made by hand ends.
  WITH RECURSIVE below AS (
    SELECT u.id FROM chat.users s JOIN chat.users u ON u.supervisor_id = s.id
    WHERE s.id = subordinates.supervisor_id AND s.role IN ('supervisor', 'admin') AND s.is_active
    UNION
    SELECT u.id FROM below b JOIN chat.users u ON u.supervisor_id = b.id
  )
  SELECT array_agg(b.id) INTO people FROM below b WHERE b.id <> subordinates.supervisor_id;
  PERFORM chat_private.switch_identity(previous);
  RETURN coalesce(people, '{}');
END
$$;
COMMENT ON FUNCTION chat_private.subordinates(uuid) IS
'Everybody under an active supervisor or administrator, directly or through others, as accounts are now.';

CREATE OR REPLACE FUNCTION chat_private.conversations_of(people uuid[], page_size integer, before timestamptz, before_id uuid)
RETURNS SETOF chat.supervised_conversation
LANGUAGE plpgsql VOLATILE ROWS 50 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  latest CONSTANT timestamptz := coalesce(conversations_of.before, 'infinity');
  last_id CONSTANT uuid := coalesce(conversations_of.before_id, uuid '00000000-0000-0000-0000-000000000000');
  previous chat_private.identity := chat_private.enter_gate();
BEGIN
  RETURN QUERY
    SELECT c.id, u.id, u.email, u.username, u.display_name, c.title, c.description, c.model, c.is_archived, c.reassigned_from,
           c.created_at, c.last_message_at
    FROM (SELECT r.* FROM unnest(conversations_of.people) p (id), (VALUES (false), (true)) a (is_archived), LATERAL (
            SELECT g.* FROM chat_private.gate_conversations g
            WHERE g.is_archived = a.is_archived AND g.user_id = p.id AND g.last_message_at <= latest
              AND (g.last_message_at, g.id) < (latest, last_id)
            ORDER BY g.last_message_at DESC, g.id DESC LIMIT conversations_of.page_size) r
          ORDER BY r.last_message_at DESC, r.id DESC LIMIT conversations_of.page_size) c
    JOIN chat.users u ON u.id = c.user_id
    ORDER BY c.last_message_at DESC, c.id DESC;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat_private.conversations_of(uuid[], integer, timestamptz, uuid) IS
'A page of these people''s conversations, archived ones included, those with the latest message first. Looks at nobody''s rights.';

CREATE OR REPLACE FUNCTION chat_private.refuse_supervision(action text, resource text, what text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.audit(refuse_supervision.action, refuse_supervision.resource, outcome => 'refused', wait => false);
  RAISE EXCEPTION '% not found', refuse_supervision.what USING ERRCODE = 'P0002',
    HINT = 'Supervisors see what belongs to those under them; chat.list_supervised_conversations() lists it.';
END
$$;
COMMENT ON FUNCTION chat_private.refuse_supervision(text, text, text) IS 'Notes an attempt to look at what is not under one. Errors: P0002, always.';

CREATE OR REPLACE FUNCTION chat.list_supervised_conversations(user_id uuid DEFAULT NULL, page_size integer DEFAULT 50,
  before timestamptz DEFAULT NULL, before_id uuid DEFAULT NULL)
RETURNS SETOF chat.supervised_conversation
LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  people uuid[] := chat_private.subordinates(chat_private.require_user());
BEGIN
  PERFORM chat_private.check_page_size(list_supervised_conversations.page_size);
  IF list_supervised_conversations.user_id IS NOT NULL THEN
    IF list_supervised_conversations.user_id <> ALL (people) THEN
      PERFORM chat_private.refuse_supervision('supervision.list', 'user:' || list_supervised_conversations.user_id, 'user');
    END IF;
    people := ARRAY[list_supervised_conversations.user_id];
  END IF;
  IF cardinality(people) > 0 THEN
    PERFORM chat_private.audit('supervision.list', 'user:' || list_supervised_conversations.user_id,
                               jsonb_build_object('people', cardinality(people)));
  END IF;
  RETURN QUERY SELECT c.* FROM chat_private.conversations_of(people, list_supervised_conversations.page_size,
    list_supervised_conversations.before, list_supervised_conversations.before_id) c;
END
$$;
COMMENT ON FUNCTION chat.list_supervised_conversations(uuid, integer, timestamptz, uuid) IS
'The conversations of everybody under the current user, an active supervisor or administrator, directly or through other supervisors;
those with the latest message first, archived ones included; none for who supervises nobody. user_id: only those of this person. page_size: 1 to
1000. before, before_id: last_message_at and id of a page''s last row give the next page. Each look is audited.
Errors: 28000 nobody is authenticated; 22004 page_size is NULL; 22023 it is out of range; P0002 user_id is not under the current user;
57P03 no engine.';

CREATE OR REPLACE FUNCTION chat_private.read_as_owner(owner_id uuid, conversation_id uuid, leaf_id uuid) RETURNS SETOF chat.messages
LANGUAGE plpgsql VOLATILE ROWS 50 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.act_as(read_as_owner.owner_id);
  leaf uuid := coalesce(read_as_owner.leaf_id, (SELECT c.active_leaf_id FROM chat.conversations c
    WHERE c.user_id = read_as_owner.owner_id AND c.id = read_as_owner.conversation_id));
BEGIN
  RETURN QUERY SELECT m.* FROM chat_private.branch_of(read_as_owner.owner_id, read_as_owner.conversation_id, leaf) m;
  IF NOT FOUND AND read_as_owner.leaf_id IS NOT NULL THEN
    RAISE EXCEPTION 'message not found in this conversation' USING ERRCODE = 'P0002', HINT = 'NULL shows the active branch.';
  END IF;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat_private.read_as_owner(uuid, uuid, uuid) IS
'The messages of a branch of somebody''s conversation, root first. Looks at nobody''s rights. Errors: P0002 no such leaf.';

CREATE OR REPLACE FUNCTION chat.read_supervised_conversation(conversation_id uuid, leaf_id uuid DEFAULT NULL) RETURNS SETOF chat.messages
LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  owner_id uuid;
BEGIN
  IF read_supervised_conversation.conversation_id IS NULL THEN
    RAISE EXCEPTION 'conversation_id must not be null' USING ERRCODE = '22004';
  END IF;
  owner_id := chat_private.owner_of(read_supervised_conversation.conversation_id);
  IF owner_id = ANY (chat_private.subordinates(caller_id)) IS NOT TRUE THEN
    PERFORM chat_private.refuse_supervision('supervision.read', 'conversation:' || read_supervised_conversation.conversation_id, 'conversation');
  END IF;
  PERFORM chat_private.audit('supervision.read', 'conversation:' || read_supervised_conversation.conversation_id,
                             jsonb_build_object('user_id', owner_id));
  RETURN QUERY SELECT m.* FROM chat_private.read_as_owner(owner_id, read_supervised_conversation.conversation_id,
                                                          read_supervised_conversation.leaf_id) m;
END
$$;
COMMENT ON FUNCTION chat.read_supervised_conversation(uuid, uuid) IS
'The messages of a conversation of somebody under the current user, as for chat.list_supervised_conversations: the active branch, or the
one that ends at leaf_id, root first. Each look is audited, also one that is refused.
Errors: 28000 nobody is authenticated; 22004 conversation_id is NULL; P0002 no such conversation of anybody under the current user, or no
such leaf; 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat.admin_list_conversations(user_id uuid DEFAULT NULL, page_size integer DEFAULT 50,
  before timestamptz DEFAULT NULL, before_id uuid DEFAULT NULL)
RETURNS SETOF chat.supervised_conversation
LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.open_gate();
  people uuid[] := ARRAY(SELECT u.id FROM chat.users u
                         WHERE admin_list_conversations.user_id IS NULL OR u.id = admin_list_conversations.user_id);
BEGIN
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.check_page_size(admin_list_conversations.page_size);
  IF cardinality(people) = 0 AND admin_list_conversations.user_id IS NOT NULL THEN
    RAISE EXCEPTION 'user not found' USING ERRCODE = 'P0002', HINT = 'chat.admin_list_users() lists the accounts.';
  END IF;
  PERFORM chat_private.audit('admin.list_conversations', 'user:' || admin_list_conversations.user_id);
  RETURN QUERY SELECT c.* FROM chat_private.conversations_of(people, admin_list_conversations.page_size,
    admin_list_conversations.before, admin_list_conversations.before_id) c;
END
$$;
COMMENT ON FUNCTION chat.admin_list_conversations(uuid, integer, timestamptz, uuid) IS
'The conversations of a user, or of all, as chat.list_supervised_conversations lists them. Audited.
Errors: 42501 not an administrator; 22004 page_size is NULL; 22023 it is out of range; P0002 no such user; 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat.admin_read_conversation(conversation_id uuid, leaf_id uuid DEFAULT NULL) RETURNS SETOF chat.messages
LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  owner_id uuid;
BEGIN
  PERFORM chat_private.require_admin();
  IF admin_read_conversation.conversation_id IS NULL THEN
    RAISE EXCEPTION 'conversation_id must not be null' USING ERRCODE = '22004';
  END IF;
  owner_id := chat_private.owner_of(admin_read_conversation.conversation_id);
  IF owner_id IS NULL THEN
    RAISE EXCEPTION 'conversation not found' USING ERRCODE = 'P0002', HINT = 'chat.admin_list_conversations() lists them.';
  END IF;
  PERFORM chat_private.audit('admin.read_conversation', 'conversation:' || admin_read_conversation.conversation_id,
                             jsonb_build_object('user_id', owner_id));
  RETURN QUERY SELECT m.* FROM chat_private.read_as_owner(owner_id, admin_read_conversation.conversation_id,
                                                          admin_read_conversation.leaf_id) m;
END
$$;
COMMENT ON FUNCTION chat.admin_read_conversation(uuid, uuid) IS
'The messages of anybody''s conversation: the active branch, or the one that ends at leaf_id, root first. Audited.
Errors: 42501 not an administrator; 22004 conversation_id is NULL; P0002 no such conversation or leaf; 57P03 no engine.';
