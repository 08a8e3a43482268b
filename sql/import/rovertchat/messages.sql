-- rovertChat's messages: models by name, calls of tools with their results, images, and what was counted.
SELECT chat_private.max_message_bytes() AS max_bytes \gset
-- Most have none of these.
CREATE TEMP TABLE given_parts ON COMMIT DROP AS
SELECT m.old_id, m.chat_old_id, m.role, m.created_at, m.tool_calls AS calls_text, nullif(nullif(m.calls, 'null'), '[]') AS given_calls, NULL::jsonb AS tool_calls,
  m.images AS images_text, nullif(nullif(m.pictures, 'null'), '[]') AS images, m.extended_metadata AS metadata_text, nullif(m.metadata, 'null') AS metadata,
  m.tool_calls IS NOT NULL AND m.calls IS NULL AS calls_are_bad, m.images IS NOT NULL AND m.pictures IS NULL AS images_are_bad,
  m.extended_metadata IS NOT NULL AND m.metadata IS NULL AS metadata_is_bad,
  coalesce(octet_length(m.extended_metadata) > :max_bytes, false) AS metadata_is_long
FROM (SELECT s.id::text AS old_id, s.chat_id::text AS chat_old_id, lower(btrim(s.role::text)) AS role, s.created_at::timestamptz AS created_at,
        s.tool_calls::text AS tool_calls, s.images::text AS images, s.extended_metadata::text AS extended_metadata,
        pg_temp.as_json(s.tool_calls::text) AS calls, pg_temp.as_json(s.images::text) AS pictures, pg_temp.as_json(s.extended_metadata::text) AS metadata
      FROM source_messages s WHERE num_nonnulls(s.tool_calls, s.images, s.extended_metadata) > 0 OR lower(btrim(s.role::text)) = 'tool' OFFSET 0) m;
UPDATE given_parts g SET tool_calls = c.calls
FROM (SELECT o.old_id, pg_temp.as_tool_calls(o.given_calls) AS calls FROM given_parts o WHERE o.given_calls IS NOT NULL AND o.role = 'assistant') c
WHERE c.old_id = g.old_id AND octet_length(c.calls::text) <= :max_bytes;
ANALYZE given_parts;

-- A result names its call, or is that of the call in its place.
CREATE TEMP TABLE tool_results ON COMMIT DROP AS
SELECT t.old_id, coalesce(t.named, c.tool_calls -> (t.place - 1)::integer ->> 'id') AS call_id
FROM (SELECT g.old_id, g.chat_old_id, g.turn, coalesce(g.metadata ->> 'tool_call_id', g.metadata ->> 'toolCallId') AS named,
        row_number() OVER (PARTITION BY g.chat_old_id, g.turn ORDER BY g.created_at, length(g.old_id), g.old_id COLLATE "C") AS place
      FROM (SELECT m.*, count(m.tool_calls) OVER (PARTITION BY m.chat_old_id ORDER BY m.created_at, length(m.old_id), m.old_id COLLATE "C") AS turn
            FROM given_parts m WHERE m.role = 'tool' OR m.tool_calls IS NOT NULL) g
      WHERE g.role = 'tool') t
LEFT JOIN (SELECT m.chat_old_id, m.tool_calls,
             row_number() OVER (PARTITION BY m.chat_old_id ORDER BY m.created_at, length(m.old_id), m.old_id COLLATE "C") AS turn
           FROM given_parts m WHERE m.tool_calls IS NOT NULL) c ON c.chat_old_id = t.chat_old_id AND c.turn = t.turn;

CREATE TEMP TABLE given_images ON COMMIT DROP AS
SELECT g.old_id AS message_old_id, i.* FROM given_parts g CROSS JOIN LATERAL pg_temp.as_images(g.images) i WHERE g.images IS NOT NULL;
CREATE TEMP TABLE image_links ON COMMIT DROP AS
SELECT i.message_old_id, jsonb_agg(i.link ORDER BY i.n) AS links FROM given_images i WHERE i.link IS NOT NULL GROUP BY i.message_old_id;

INSERT INTO staged_messages (source_table, old_id, conversation_old_id, role, given_role, content, can_be_empty, thinking, tool_calls, tool_call_id, model,
                             input_tokens, output_tokens, metadata, created_at)
SELECT 'Messages', s.id, s.chat_id, r.role, s.role, s.content, g.images IS NOT NULL OR s.thinking <> '' IS TRUE OR r.role = 'tool' IS TRUE, nullif(s.thinking, ''), g.tool_calls,
  t.call_id, coalesce(o.here_name, o.name),
  CASE WHEN r.role <> 'assistant' THEN pg_temp.as_count(s.tokens_used::text) END, CASE WHEN r.role = 'assistant' THEN pg_temp.as_count(s.tokens_used::text) END,
  CASE WHEN g.metadata IS NULL OR g.metadata_is_long THEN '{}' WHEN jsonb_typeof(g.metadata) = 'object' THEN g.metadata ELSE jsonb_build_object('extended_metadata', g.metadata) END
  || CASE WHEN o.old_id IS NULL AND s.model_id IS NOT NULL OR g.given_calls IS NOT NULL AND g.tool_calls IS NULL OR l.links IS NOT NULL
            OR s.tokens_used IS NOT NULL AND pg_temp.as_count(s.tokens_used::text) IS NULL
     THEN jsonb_strip_nulls(jsonb_build_object('model_id', CASE WHEN o.old_id IS NULL THEN s.model_id::text END,
            'tool_calls', CASE WHEN g.tool_calls IS NULL AND octet_length(g.calls_text) <= :max_bytes THEN g.given_calls END,
            'tokens_used', CASE WHEN pg_temp.as_count(s.tokens_used::text) IS NULL THEN s.tokens_used::text END, 'images', l.links)) ELSE '{}' END, s.created_at
FROM source_messages s
LEFT JOIN (VALUES ('user'), ('assistant'), ('system'), ('tool')) r (role) ON r.role = lower(btrim(s.role::text))
LEFT JOIN staged_models o ON o.old_id = s.model_id::text
LEFT JOIN given_parts g ON g.old_id = s.id::text
LEFT JOIN tool_results t ON t.old_id = g.old_id
LEFT JOIN image_links l ON l.message_old_id = g.old_id;
\ir ../common/messages.sql

INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT 'Messages', p.old_id, p.user_id, f.kind, f.reason, f.details
FROM source_messages s
JOIN placed_messages p ON p.source_table = 'Messages' AND p.old_id = s.id::text AND p.state = 'new'
LEFT JOIN staged_models o ON o.old_id = s.model_id::text
LEFT JOIN given_parts g ON g.old_id = s.id::text
LEFT JOIN tool_results t ON t.old_id = g.old_id
LEFT JOIN image_links l ON l.message_old_id = g.old_id,
LATERAL (VALUES
  (o.old_id IS NULL AND s.model_id IS NOT NULL, 'changed', 'model_missing', jsonb_build_object('model', left(s.model_id::text, 300))),
  (g.calls_are_bad, 'kept_aside', 'tool_calls_invalid', jsonb_build_object('tool_calls', left(g.calls_text, 100000))),
  (g.given_calls IS NOT NULL AND g.tool_calls IS NULL, 'changed', 'tool_calls_unusable', jsonb_build_object('tool_calls', left(g.calls_text, 100000))),
  (g.role = 'tool' AND t.call_id IS NULL, 'changed', 'tool_call_missing', '{}'),
  (g.images_are_bad, 'kept_aside', 'images_invalid', jsonb_build_object('images', left(g.images_text, 100000))),
  (l.links IS NOT NULL, 'changed', 'image_is_link', jsonb_build_object('images', l.links)),
  (g.metadata_is_bad, 'kept_aside', 'json_invalid', jsonb_build_object('extended_metadata', left(g.metadata_text, 100000))),
  (g.metadata_is_long, 'kept_aside', 'metadata_too_long', jsonb_build_object('extended_metadata', g.metadata)),
  (jsonb_typeof(g.metadata) <> 'object', 'changed', 'metadata_no_object', '{}'),
  (s.tokens_used IS NOT NULL AND pg_temp.as_count(s.tokens_used::text) IS NULL, 'changed', 'tokens_unreadable', jsonb_build_object('tokens_used', left(s.tokens_used::text, 300)))
) f (applies, kind, reason, details)
-- Most have nothing to be found.
WHERE (o.old_id IS NULL AND s.model_id IS NOT NULL OR g.given_calls IS NOT NULL AND g.tool_calls IS NULL OR g.role = 'tool' AND t.call_id IS NULL
       OR l.links IS NOT NULL OR g.calls_are_bad OR g.images_are_bad OR g.metadata_is_bad OR g.metadata_is_long OR jsonb_typeof(g.metadata) <> 'object'
       OR s.tokens_used IS NOT NULL AND pg_temp.as_count(s.tokens_used::text) IS NULL) AND f.applies;

INSERT INTO staged_attachments (source_table, old_id, message_table, message_old_id, position, data, name, media_type)
SELECT 'Messages.images', i.message_old_id || ':' || i.n, 'Messages', i.message_old_id, i.n, i.data, i.name, i.media_type
FROM given_images i WHERE i.link IS NULL;
\ir ../common/attachments.sql
