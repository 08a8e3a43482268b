-- Attachments as a model is told of them: images whole, texts quoted, all else by name.
--
-- The engine calls these while it claims the requests of all users: they raise no error, whatever is stored.

CREATE OR REPLACE FUNCTION chat_private.data_url(media_type text, data bytea) RETURNS text
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_data_url';
COMMENT ON FUNCTION chat_private.data_url(text, bytea) IS 'The data URL of a file, in base64.';

CREATE OR REPLACE FUNCTION chat_private.text_start(data bytea, max_bytes integer) RETURNS text
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_text_start';
COMMENT ON FUNCTION chat_private.text_start(bytea, integer) IS
'The first max_bytes bytes of a text in UTF-8, less a character that they would cut; U+FFFD for what is none.';

CREATE OR REPLACE FUNCTION chat_private.is_told_as_image(media_type text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN media_type IN ('image/png', 'image/jpeg', 'image/gif', 'image/webp');
COMMENT ON FUNCTION chat_private.is_told_as_image(text) IS 'Whether a file is an image of a kind that models are sent.';

CREATE OR REPLACE FUNCTION chat_private.is_told_as_text(media_type text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN media_type LIKE 'text/%' OR media_type LIKE '%+json' OR media_type LIKE '%+xml' OR media_type LIKE '%yaml'
  OR media_type IN ('application/json', 'application/xml', 'application/javascript', 'application/sql', 'application/toml', 'application/x-sh');
COMMENT ON FUNCTION chat_private.is_told_as_text(text) IS 'Whether a file of this type is quoted to models.';

CREATE OR REPLACE FUNCTION chat_private.max_image_bytes() RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT least(chat_private.setting('image_max_bytes')::bigint, chat_private.image_budget())
$$;
COMMENT ON FUNCTION chat_private.max_image_bytes() IS 'The largest image that a model is sent, in bytes.';

-- What the engine takes, as base64 the larger by a third, is max_image_bytes in src/core/llm/chat_request.hpp.
CREATE OR REPLACE FUNCTION chat_private.image_budget() RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT least(chat_private.setting('image_context_bytes')::bigint, 41943040)
$$;
COMMENT ON FUNCTION chat_private.image_budget() IS 'How many bytes of images a model is sent for one reply.';

CREATE OR REPLACE FUNCTION chat_private.takes_images(model text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
  SELECT coalesce((SELECT w.takes_images FROM chat_private.model_window(takes_images.model) w), true)
$$;
COMMENT ON FUNCTION chat_private.takes_images(text) IS 'Whether a model is sent images: unless its capabilities are known without vision among them.';

CREATE OR REPLACE FUNCTION chat_private.image_bytes(user_id uuid, message_id uuid) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN (SELECT coalesce(sum(a.byte_size), 0)
          FROM chat.message_attachments m, LATERAL (
            SELECT f.byte_size FROM chat.attachments f
            WHERE f.user_id = m.user_id AND f.id = m.attachment_id AND chat_private.is_told_as_image(f.media_type) OFFSET 0) a
          WHERE m.user_id = image_bytes.user_id AND m.message_id = image_bytes.message_id);
END
$$;
COMMENT ON FUNCTION chat_private.image_bytes(uuid, uuid) IS 'The bytes of the images of a message.';

CREATE OR REPLACE FUNCTION chat_private.max_quoted_bytes() RETURNS integer
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT least(chat_private.setting('attachment_text_bytes')::bigint, 1048576)::integer
$$;
COMMENT ON FUNCTION chat_private.max_quoted_bytes() IS 'How much of a text file a model is told, in bytes.';

CREATE OR REPLACE FUNCTION chat_private.quoted(content text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  -- A fence longer than any in the text, so that nothing in it ends the quotation.
  SELECT f.fence || E'\n' || quoted.content || CASE WHEN right(quoted.content, 1) = E'\n' THEN '' ELSE E'\n' END || f.fence
  FROM (SELECT repeat('`', greatest(3, 1 + coalesce((SELECT max(char_length(r[1])) FROM regexp_matches(quoted.content, '`{3,}', 'g') r), 0)))) f (fence)
$$;
COMMENT ON FUNCTION chat_private.quoted(text) IS 'A text between fences of backticks that do not occur in it.';

CREATE OR REPLACE FUNCTION chat_private.told_file(name text, media_type text, byte_size bigint, width integer, height integer, data bytea,
                                                  takes_images boolean) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  most integer := chat_private.max_quoted_bytes();
  title text := concat_ws(' ', CASE WHEN width IS NULL THEN 'Attached file' ELSE 'Attached image' END, '"' || replace(name, '"', '''') || '"')
                || format(' (%s, %s)', media_type, CASE WHEN width IS NULL THEN byte_size || ' bytes' ELSE format('%s x %s pixels', width, height) END);
BEGIN
  IF chat_private.is_told_as_image(told_file.media_type) THEN
    IF told_file.takes_images AND told_file.byte_size <= chat_private.max_image_bytes() THEN
      RETURN jsonb_build_object('type', 'image_url', 'image_url', jsonb_build_object('url', chat_private.data_url(told_file.media_type, told_file.data)));
    END IF;
    RETURN jsonb_build_object('type', 'text', 'text', title || ': not shown to you.');
  ELSIF chat_private.is_told_as_text(told_file.media_type) THEN
    RETURN jsonb_build_object('type', 'text', 'text', title
      || CASE WHEN told_file.byte_size > most THEN format(', cut after %s bytes', most) ELSE '' END || E':\n'
      || chat_private.quoted(chat_private.text_start(substr(told_file.data, 1, most + 1), most)));
  END IF;
  RETURN jsonb_build_object('type', 'text', 'text', title || ': its content is not shown to you.');
END
$$;
COMMENT ON FUNCTION chat_private.told_file(text, text, bigint, integer, integer, bytea, boolean) IS
'What a model is told of one file: a part of a message''s content. A text beyond the setting attachment_text_bytes is cut, with a note; an image
that is too large, or that the model does not take, is named.';

CREATE OR REPLACE FUNCTION chat_private.joined_parts(content text, files jsonb[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN p.images IS NULL THEN to_jsonb(p.told)
              ELSE jsonb_build_array(jsonb_build_object('type', 'text', 'text', p.told)) || p.images END
  FROM (SELECT concat_ws(E'\n\n', CASE WHEN joined_parts.content ~ '\S' THEN joined_parts.content END, string_agg(f.part ->> 'text', E'\n\n' ORDER BY f.place) FILTER (WHERE f.part ->> 'type' = 'text')) AS told,
               jsonb_agg(f.part ORDER BY f.place) FILTER (WHERE f.part ->> 'type' = 'image_url') AS images
        FROM unnest(joined_parts.files) WITH ORDINALITY f (part, place)) p
$$;
COMMENT ON FUNCTION chat_private.joined_parts(text, jsonb[]) IS
'A message''s content, if it is not blank, with what is told of its files: one text where that is all, else parts, the text first, which is
empty where there is none, and then the images.';

CREATE OR REPLACE FUNCTION chat_private.content_parts(user_id uuid, message_id uuid, content text, takes_images boolean) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN chat_private.joined_parts(content_parts.content, ARRAY(
    SELECT chat_private.told_file(m.name, a.media_type, a.byte_size, a.width, a.height, d.data, content_parts.takes_images)
    FROM chat.message_attachments m,
         LATERAL (SELECT f.* FROM chat.attachments f WHERE f.user_id = m.user_id AND f.id = m.attachment_id OFFSET 0) a,
         LATERAL (SELECT b.data FROM chat_private.attachment_data b
                  WHERE b.user_id = m.user_id AND b.attachment_id = m.attachment_id OFFSET 0) d
    WHERE m.user_id = content_parts.user_id AND m.message_id = content_parts.message_id
    ORDER BY m.position));
END
$$;
COMMENT ON FUNCTION chat_private.content_parts(uuid, uuid, text, boolean) IS
'The content of a message that has files, as a model is told of it: a string, or an array of OpenAI''s parts. takes_images: false has the
images named only.';

CREATE OR REPLACE FUNCTION chat_private.text_of_parts(parts jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE jsonb_typeof(parts) WHEN 'string' THEN parts #>> '{}' ELSE parts -> 0 ->> 'text' END;
COMMENT ON FUNCTION chat_private.text_of_parts(jsonb) IS 'The text of what chat_private.joined_parts gives.';
