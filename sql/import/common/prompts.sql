-- Writes system prompts for all, from a table source_prompts (old_id, name, description, content, is_default, created_at, updated_at)
-- of the table system_prompts, and leaves staged_prompts: what conversations that name one were told, whether it was written or not.
CREATE TEMP TABLE staged_prompts ON COMMIT DROP AS
SELECT t.*, CASE WHEN t.there_id IS NOT NULL THEN 'there' WHEN t.reason IS NULL THEN 'new' ELSE 'refused' END AS state,
       coalesce(t.there_id, CASE WHEN t.reason IS NULL THEN chat.uuid_v7() END) AS new_id
FROM (SELECT p.*, m.new_id AS there_id,
        CASE WHEN coalesce(p.name, '') = '' THEN 'name_missing' WHEN coalesce(p.content, '') = '' THEN 'content_empty'
             WHEN octet_length(p.content) > chat_private.max_message_bytes() THEN 'content_too_long' END AS reason,
        -- One is the default: of several the one changed last, and of none the oldest.
        row_number() OVER (ORDER BY p.content <> '' DESC NULLS LAST, p.is_default DESC, p.is_default AND p.updated_at IS NULL,
          CASE WHEN p.is_default THEN p.updated_at END DESC NULLS LAST, length(p.old_id), p.old_id COLLATE "C") AS place
      FROM source_prompts p
      LEFT JOIN chat.import_map m ON m.system = :'system' AND m.source_table = 'system_prompts' AND m.old_id = p.old_id
      ORDER BY p.created_at NULLS LAST, length(p.old_id), p.old_id COLLATE "C") t;

SELECT set_config('import.system', :'system', true) AS ignored \gset ignored_
-- One after the other, for a name can be taken by another of them, too.
DO $$
DECLARE
  given staged_prompts;
  free_name text;
  n integer;
BEGIN
  FOR given IN SELECT s.* FROM staged_prompts s WHERE s.state = 'new' ORDER BY s.place LOOP
    free_name := left(given.name, 255);
    n := 1;
    WHILE EXISTS (SELECT FROM chat.system_prompts s WHERE s.user_id = '00000000-0000-0000-0000-000000000000' AND s.name = free_name) LOOP
      free_name := left(given.name, 180) || ' (' || current_setting('import.system') || CASE WHEN n > 1 THEN ' ' || n ELSE '' END || ')';
      n := n + 1;
    END LOOP;
    INSERT INTO chat.system_prompts (user_id, id, name, description, content, is_default, created_at, updated_at)
    SELECT '00000000-0000-0000-0000-000000000000', given.new_id, free_name, left(given.description, 10000), given.content, given.is_default AND given.place = 1, t.since,
      chat_private.time_within(given.updated_at, now(), t.since)
    FROM (SELECT chat_private.time_within(given.created_at, now(), now()) AS since) t;
  END LOOP;
END
$$;

INSERT INTO found (source_table, old_id, kind, reason, details)
SELECT 'system_prompts', p.old_id, f.kind, f.reason, f.details
FROM staged_prompts p LEFT JOIN chat.system_prompts s ON s.user_id = '00000000-0000-0000-0000-000000000000' AND s.id = p.new_id,
LATERAL (VALUES
  (p.state = 'refused', 'refused', p.reason, jsonb_build_object('name', left(p.name, 300))),
  (p.state = 'new' AND s.name <> p.name, 'changed', 'name_taken', jsonb_build_object('name', left(p.name, 300), 'became', s.name)),
  (p.state = 'new' AND char_length(p.description) > 10000, 'changed', 'description_cut', jsonb_build_object('description', left(p.description, 1000000))),
  (p.state = 'new' AND (p.created_at IS NULL OR NOT isfinite(p.created_at)), 'changed', 'time_missing', '{}'),
  (p.state = 'new' AND pg_temp.time_problem(p.created_at, p.updated_at) IS NOT NULL, 'changed', pg_temp.time_problem(p.created_at, p.updated_at),
   jsonb_strip_nulls(jsonb_build_object('created_at', p.created_at, 'updated_at', p.updated_at))),
  (p.state = 'new' AND p.is_default AND NOT s.is_default, 'changed', 'second_default', '{}'),
  (p.state = 'new' AND NOT p.is_default AND s.is_default, 'changed', 'became_default', '{}')
) f (applies, kind, reason, details)
WHERE f.applies;

INSERT INTO chat.import_map (user_id, system, source_table, old_id, new_id)
SELECT '00000000-0000-0000-0000-000000000000', :'system', 'system_prompts', p.old_id, p.new_id FROM staged_prompts p WHERE p.state = 'new';
INSERT INTO counted (source_table, read, written, already_there, refused, kept_aside)
SELECT 'system_prompts', count(*), count(*) FILTER (WHERE p.state = 'new'), count(*) FILTER (WHERE p.state = 'there'),
       count(*) FILTER (WHERE p.state = 'refused'), 0 FROM staged_prompts p;
