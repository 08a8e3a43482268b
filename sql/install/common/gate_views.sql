-- What the gate shows of tables on the path of every message. A policy gate_rows there would put an OR into each query of
-- theirs and spoil its estimates; these views belong to pgchat_engine, whose policy shows all rows, and are empty outside the gate.

CREATE OR REPLACE VIEW chat_private.gate_conversations AS
  SELECT c.* FROM chat.conversations c WHERE chat.current_user_role() = 'gate';
COMMENT ON VIEW chat_private.gate_conversations IS 'All conversations, for pgchat''s own functions that have entered the gate; no rows for others';

CREATE OR REPLACE VIEW chat_private.gate_messages AS
  SELECT m.user_id, m.id, m.conversation_id, m.role, m.author_id FROM chat.messages m WHERE chat.current_user_role() = 'gate';
COMMENT ON VIEW chat_private.gate_messages IS 'Whose all messages are, without their text, as chat_private.gate_conversations';

CREATE OR REPLACE VIEW chat_private.gate_requests AS
  SELECT q.user_id, q.id, q.conversation_id, q.message_id, q.state FROM chat_private.llm_requests q
  WHERE chat.current_user_role() = 'gate';
COMMENT ON VIEW chat_private.gate_requests IS 'Whose all requests are, as chat_private.gate_conversations';

CREATE OR REPLACE FUNCTION chat_private.owner_of(conversation_id uuid) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  owner_id uuid;
  previous chat_private.identity := chat_private.enter_gate();
BEGIN
  SELECT c.user_id INTO owner_id FROM chat_private.gate_conversations c WHERE c.id = owner_of.conversation_id;
  PERFORM chat_private.switch_identity(previous);
  RETURN owner_id;
END
$$;
COMMENT ON FUNCTION chat_private.owner_of(uuid) IS
'Whose a conversation is, or NULL. Looks at nobody''s rights: its caller does, and tells nobody else.';
