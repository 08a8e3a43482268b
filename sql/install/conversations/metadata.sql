-- What an application keeps with conversations and messages, for which pgchat has no column.

CREATE OR REPLACE FUNCTION chat_private.merged_metadata(kept jsonb, changes jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  merged jsonb;
BEGIN
  IF merged_metadata.changes IS NULL THEN
    RAISE EXCEPTION 'metadata must not be null' USING ERRCODE = '22004';
  ELSIF jsonb_typeof(merged_metadata.changes) <> 'object' THEN
    RAISE EXCEPTION 'metadata must be a JSON object' USING ERRCODE = '22023', HINT = 'For example {"starred": true}.';
  END IF;
  merged := (SELECT coalesce(jsonb_object_agg(m.key, m.value), '{}') FROM jsonb_each(merged_metadata.kept || merged_metadata.changes) m
             WHERE m.value <> 'null' OR NOT merged_metadata.changes ? m.key);
  IF octet_length(merged::text) > 65536 AND merged <> merged_metadata.kept THEN
    RAISE EXCEPTION 'metadata has more than 65536 bytes' USING ERRCODE = '54000', HINT = 'Remove members by setting them to null.';
  END IF;
  RETURN merged;
END
$$;
COMMENT ON FUNCTION chat_private.merged_metadata(jsonb, jsonb) IS
'Metadata with the members of changes in it; one that is null there is removed.
Errors: 22004 NULL; 22023 no object; 54000 it has more than 65,536 bytes.';

CREATE OR REPLACE FUNCTION chat.set_conversation_metadata(conversation_id uuid, metadata jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  merged jsonb;
BEGIN
  IF set_conversation_metadata.conversation_id IS NULL THEN
    RAISE EXCEPTION 'conversation_id must not be null' USING ERRCODE = '22004';
  END IF;
  UPDATE chat.conversations c
  SET metadata = chat_private.merged_metadata(c.metadata, set_conversation_metadata.metadata), updated_at = clock_timestamp()
  WHERE c.user_id = caller_id AND c.id = set_conversation_metadata.conversation_id
  RETURNING c.metadata INTO merged;
  IF NOT FOUND THEN
    PERFORM chat_private.conversation_not_found();
  END IF;
  RETURN merged;
END
$$;
COMMENT ON FUNCTION chat.set_conversation_metadata(uuid, jsonb) IS
'Adds members to the metadata of a conversation of the current user, or replaces them, and returns all of it. metadata: an object; a member
that is null is removed, and others stay. All of it has at most 65,536 bytes.
Errors: 28000 nobody is authenticated; 22004 an argument is NULL; 22023 no object; 54000 too much; P0002 no such conversation of mine.';

CREATE OR REPLACE FUNCTION chat.set_message_metadata(message_id uuid, metadata jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  merged jsonb;
BEGIN
  IF set_message_metadata.message_id IS NULL THEN
    RAISE EXCEPTION 'message_id must not be null' USING ERRCODE = '22004';
  END IF;
  UPDATE chat.messages m
  SET metadata = chat_private.merged_metadata(m.metadata, set_message_metadata.metadata), updated_at = clock_timestamp()
  WHERE m.user_id = caller_id AND m.id = set_message_metadata.message_id
  RETURNING m.metadata INTO merged;
  IF NOT FOUND THEN
    PERFORM chat_private.message_not_found();
  END IF;
  RETURN merged;
END
$$;
COMMENT ON FUNCTION chat.set_message_metadata(uuid, jsonb) IS
'Adds members to the metadata of a message of the current user, or replaces them, and returns all of it. metadata: an object; a member that
is null is removed, and others stay. All of it has at most 65,536 bytes.
Errors: 28000 nobody is authenticated; 22004 an argument is NULL; 22023 no object; 54000 too much; P0002 no such message of mine.';
