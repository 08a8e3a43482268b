-- Tokens as they are counted where a conversation is fitted to a model's context window: known numbers, else guesses that err high.

CREATE OR REPLACE FUNCTION chat_private.text_tokens(bytes bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (bytes + 2) / 3;
COMMENT ON FUNCTION chat_private.text_tokens(bigint) IS
'Tokens guessed from bytes of text, high rather than low, as the engine does: most tokenizers make one of three to four bytes.';

CREATE OR REPLACE FUNCTION chat_private.json_count(value jsonb) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN jsonb_typeof(value) = 'number' THEN least(greatest((value #>> '{}')::numeric, 1), 1000000000)::bigint END;
COMMENT ON FUNCTION chat_private.json_count(jsonb) IS 'A JSON number as a count from 1 to 10^9; NULL where it is none.';

CREATE OR REPLACE FUNCTION chat_private.attachment_tokens(user_id uuid, message_id uuid) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  -- More than any of the large providers counts for one.
  image_tokens CONSTANT bigint := 2000;
  -- The name, and what shows where a file begins and ends.
  frame_tokens CONSTANT bigint := 100;
BEGIN
  RETURN (SELECT coalesce(sum(frame_tokens + CASE WHEN chat_private.is_told_as_image(a.media_type) THEN image_tokens
                                   WHEN chat_private.is_told_as_text(a.media_type)
                                     THEN chat_private.text_tokens(least(a.byte_size, chat_private.max_quoted_bytes()))
                                   ELSE 0 END), 0)::bigint
          FROM chat.message_attachments l,
               LATERAL (SELECT f.media_type, f.byte_size FROM chat.attachments f
                        WHERE f.user_id = l.user_id AND f.id = l.attachment_id OFFSET 0) a
          WHERE l.user_id = attachment_tokens.user_id AND l.message_id = attachment_tokens.message_id);
END
$$;
COMMENT ON FUNCTION chat_private.attachment_tokens(uuid, uuid) IS
'Tokens of the files of a message: a fixed number for an image, the guess from what is quoted of a text, and room for the names.';

-- Bound at creation and inlined where used, as are those that follow: so a claim of many conversations stays one statement.
CREATE OR REPLACE FUNCTION chat_private.reply_tokens(bytes bigint, told_tokens integer, has_thinking boolean) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN told_tokens > 0
         THEN least(told_tokens::bigint, CASE WHEN has_thinking THEN (bytes + 2) / 3 ELSE bytes END)
       ELSE (bytes + 2) / 3 END;
COMMENT ON FUNCTION chat_private.reply_tokens(bigint, integer, boolean) IS
'Tokens of a message of so many bytes: the number that the provider told of the reply, else the guess. That number counts
thinking, too, which is not told again: so it is never more than the guess where there was some, nor than the bytes.';

CREATE OR REPLACE FUNCTION chat_private.fixed_tokens(system_prompt text, options jsonb, content text DEFAULT NULL) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 16 + coalesce((octet_length(system_prompt) + 2) / 3, 0) + coalesce((octet_length(content) + 2) / 3 + 8, 0)
  + CASE WHEN options IS NULL OR options = '{}' THEN 0
    ELSE coalesce((octet_length((options -> 'tools')::text) + 2) / 3, 0)
         + CASE WHEN jsonb_typeof(options -> 'images') = 'array' THEN 2000 * jsonb_array_length(options -> 'images') ELSE 0 END END;
COMMENT ON FUNCTION chat_private.fixed_tokens(text, jsonb, text) IS
'Tokens of what a request says besides the stored messages: the system prompt, tools and images among the options, and a
message that is not stored yet.';

CREATE OR REPLACE FUNCTION chat_private.context_room(context_window integer, reserve bigint, fixed_tokens bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN context_window - least(reserve, context_window / 2) - fixed_tokens;
COMMENT ON FUNCTION chat_private.context_room(integer, bigint, bigint) IS
'Tokens that are left for the messages: the window without the reserve for the answer, which is never more than half of it,
and without what is told in any case. NULL, where the window is not known: not limited.';

CREATE OR REPLACE FUNCTION chat_private.model_window(model text)
RETURNS TABLE (context_window integer, reserve bigint, takes_images boolean)
LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
  SELECT w.context_window,
         CASE WHEN w.context_window IS NOT NULL THEN
           coalesce(chat_private.json_count(w.config -> 'max_output_tokens'),
                    (SELECT coalesce(chat_private.json_count(e.options -> 'default_max_tokens'), CASE p.kind WHEN 'anthropic' THEN 4096 END)
                     FROM chat.providers p JOIN chat_private.provider_endpoints e ON e.provider_id = p.id
                     WHERE p.id = w.provider_id)) END,
         w.capabilities = '{}' OR 'vision' = ANY (w.capabilities)
  FROM (SELECT m.context_window, m.config, m.provider_id, m.capabilities FROM chat.models m
        WHERE m.name = model_window.model OFFSET 0) w;
END;
COMMENT ON FUNCTION chat_private.model_window(text) IS
'A model''s context window, in tokens, NULL where it is not known; how long its answers may become where the call does not say,
NULL where that is not known; and whether it takes images, as far as is known.';
