-- Writes system prompts for all, from a table source_prompts (old_id, name, description, content, is_default, created_at, updated_at)
-- of the table system_prompts, and leaves staged_prompts: what conversations that name one were told, whether it was written or not.
CREATE TEMP TABLE staged_prompts ON COMMIT DROP AS
SELECT t.*, CASE WHEN t.there_id IS NOT NULL THEN 'there' WHEN t.reason IS NULL THEN 'new' ELSE 'refused' END AS state,
       coalesce(t.there_id, CASE WHEN t.reason IS NULL THEN chat.uuid_v7() END) AS new_id
FROM (SELECT p.*, m.new_id AS there_id,
        CASE WHEN coalesce(p.name, '') = '' THEN 'name_missing' WHEN coalesce(p.content, '') = '' THEN 'content_empty'
             WHEN octet_length(p.content) > chat_private.max_message_bytes() THEN 'content_too_long' END AS reason,
        n.id IS NOT NULL AS name_is_taken,
        -- One is the default: of several the one changed last, and of none the oldest.
        row_number() OVER (ORDER BY p.content <> '' DESC NULLS LAST, p.is_default DESC, p.is_default AND p.updated_at IS NULL,
          CASE WHEN p.is_default THEN p.updated_at END DESC NULLS LAST, length(p.old_id), p.old_id COLLATE "C") AS place
      FROM source_prompts p
      LEFT JOIN chat.import_map m ON m.system = :'system' AND m.source_table = 'system_prompts' AND m.old_id = p.old_id
      LEFT JOIN chat.system_prompts n ON n.user_id = '00000000-0000-0000-0000-000000000000' AND n.name = left(p.name, 255)
      ORDER BY p.created_at NULLS LAST, length(p.old_id), p.old_id COLLATE "C") t;

INSERT INTO chat.system_prompts (user_id, id, name, description, content, is_default, created_at, updated_at)
SELECT '00000000-0000-0000-0000-000000000000', p.new_id, CASE WHEN p.name_is_taken THEN left(p.name, 200) || ' (' || :'system' || ')' ELSE left(p.name, 255) END,
  left(p.description, 10000), p.content, p.is_default AND p.place = 1, chat_private.time_within(p.created_at, now(), now()),
  chat_private.time_within(p.updated_at, now(), chat_private.time_within(p.created_at, now(), now()))
FROM staged_prompts p WHERE p.state = 'new' ORDER BY p.place;

INSERT INTO found (source_table, old_id, kind, reason, details)
SELECT 'system_prompts', p.old_id, f.kind, f.reason, f.details
FROM staged_prompts p LEFT JOIN chat.system_prompts s ON s.user_id = '00000000-0000-0000-0000-000000000000' AND s.id = p.new_id,
LATERAL (VALUES
  (p.state = 'refused', 'refused', p.reason, jsonb_build_object('name', left(p.name, 300))),
  (p.state = 'new' AND p.name_is_taken, 'changed', 'name_taken', jsonb_build_object('name', left(p.name, 300), 'became', s.name)),
  (p.state = 'new' AND char_length(p.description) > 10000, 'changed', 'description_cut', jsonb_build_object('description', left(p.description, 1000000))),
  (p.state = 'new' AND p.is_default AND NOT s.is_default, 'changed', 'second_default', '{}'),
  (p.state = 'new' AND NOT p.is_default AND s.is_default, 'changed', 'became_default', '{}')
) f (applies, kind, reason, details)
WHERE f.applies;

INSERT INTO chat.import_map (user_id, system, source_table, old_id, new_id)
SELECT '00000000-0000-0000-0000-000000000000', :'system', 'system_prompts', p.old_id, p.new_id FROM staged_prompts p WHERE p.state = 'new';
INSERT INTO counted (source_table, read, written, already_there, refused, kept_aside)
SELECT 'system_prompts', count(*), count(*) FILTER (WHERE p.state = 'new'), count(*) FILTER (WHERE p.state = 'there'),
       count(*) FILTER (WHERE p.state = 'refused'), 0 FROM staged_prompts p;
