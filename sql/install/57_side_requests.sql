-- Side requests: what pgchat itself asks a model about a conversation, its title and summaries of its older parts.

CREATE OR REPLACE FUNCTION chat_private.side_request_text(user_id uuid, conversation_id uuid, purpose text, about jsonb, model text)
RETURNS TABLE (messages jsonb, system_prompt text)
LANGUAGE plpgsql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
BEGIN
  RETURN QUERY SELECT NULL::jsonb, NULL::text;
END
$$;
COMMENT ON FUNCTION chat_private.side_request_text(uuid, uuid, text, jsonb, text) IS
'What a model is asked for a side request; messages NULL: there is nothing to ask any more.';
