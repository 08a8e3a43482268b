-- Attachments as a model is told of them.

CREATE OR REPLACE FUNCTION chat_private.content_parts(user_id uuid, message_id uuid, content text, takes_images boolean) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT to_jsonb(content_parts.content)
$$;
COMMENT ON FUNCTION chat_private.content_parts(uuid, uuid, text, boolean) IS
'The content of a message that has attachments, as a model is told of it: a string, or an array of parts.';
