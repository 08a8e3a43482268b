-- Personas for all. Where pgchat has come with one of the same code, the other system's text takes its place; where somebody here has
-- written that one, theirs stays. Deliberations keep the text that they were held with, whichever it is.
CREATE OR REPLACE FUNCTION pg_temp.persona_code(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT CASE WHEN c.code = 'moderator' THEN 'persona_moderator' WHEN c.code ~ '^[a-z]' THEN left(c.code, 50) ELSE left('p_' || c.code, 50) END
  FROM (SELECT regexp_replace(lower(btrim(value)), '[^a-z0-9_]+', '_', 'g') AS code) c WHERE c.code <> ''
$$;

CREATE TEMP TABLE staged_personas ON COMMIT DROP AS
SELECT p.id::text AS old_id, p.code AS given_code, pg_temp.persona_code(p.code) AS code, n.name AS given_name, e.expertise AS given_expertise,
  left(coalesce(n.name, p.code), 255) AS name, left(coalesce(e.expertise, n.name, p.code), 500) AS expertise,
  p.system_prompt, p.created_at::timestamptz AS created_at, NULL::uuid AS new_id, 'new' AS state, NULL::text AS reason
FROM :"source".personas p, LATERAL (SELECT nullif(chat_private.one_line(btrim(p.name)), '') AS name) n,
  LATERAL (SELECT nullif(chat_private.one_line(btrim(p.expertise)), '') AS expertise) e;

UPDATE staged_personas s SET state = 'there', new_id = m.new_id
FROM chat.import_map m WHERE m.system = :'system' AND m.source_table = 'personas' AND m.old_id = s.old_id;

UPDATE staged_personas s SET state = 'refused', reason = r.reason
FROM (SELECT p.old_id, CASE
        WHEN p.code IS NULL THEN 'code_missing'
        WHEN coalesce(btrim(p.system_prompt), '') = '' THEN 'system_prompt_empty'
        WHEN octet_length(p.system_prompt) > chat_private.max_message_bytes() THEN 'system_prompt_too_long'
        WHEN row_number() OVER (PARTITION BY p.code ORDER BY p.state DESC, length(p.old_id), p.old_id COLLATE "C") > 1 THEN 'duplicate_code' END AS reason
      FROM staged_personas p) r
WHERE s.old_id = r.old_id AND s.state = 'new' AND r.reason IS NOT NULL;

-- What there is here of the same code.
CREATE TEMP TABLE persona_twins ON COMMIT DROP AS
SELECT s.old_id, p.id, p.is_default, p.name, p.expertise,
       (p.name, p.expertise, p.system_prompt) = (s.name, s.expertise, s.system_prompt) AS is_same
FROM staged_personas s JOIN chat.personas p ON p.user_id = '00000000-0000-0000-0000-000000000000' AND p.code = s.code WHERE s.state = 'new';
UPDATE staged_personas s SET new_id = coalesce((SELECT t.id FROM persona_twins t WHERE t.old_id = s.old_id), chat.uuid_v7()) WHERE s.state = 'new';

INSERT INTO found (source_table, old_id, kind, reason, details)
SELECT 'personas', s.old_id, f.kind, f.reason, f.details
FROM staged_personas s LEFT JOIN persona_twins t ON t.old_id = s.old_id,
LATERAL (VALUES
  (s.state = 'refused', 'refused', s.reason, jsonb_build_object('code', s.given_code)),
  (s.state = 'new' AND s.code IS DISTINCT FROM s.given_code, 'changed', 'code_changed', jsonb_build_object('code', s.given_code, 'became', s.code)),
  (s.state = 'new' AND s.given_name IS NULL, 'changed', 'name_missing', '{}'),
  (s.state = 'new' AND s.given_expertise IS NULL, 'changed', 'expertise_missing', '{}'),
  (s.state = 'new' AND char_length(s.given_name) > 255, 'changed', 'name_cut', jsonb_build_object('name', left(s.given_name, 100000))),
  (s.state = 'new' AND char_length(s.given_expertise) > 500, 'changed', 'expertise_cut', jsonb_build_object('expertise', left(s.given_expertise, 100000))),
  (s.state = 'new' AND (s.created_at IS NULL OR NOT isfinite(s.created_at)), 'changed', 'time_missing', '{}'),
  (s.state = 'new' AND pg_temp.time_problem(s.created_at) IS NOT NULL, 'changed', pg_temp.time_problem(s.created_at), jsonb_build_object('created_at', s.created_at)),
  (t.is_same, 'changed', 'same_as_here', '{}'),
  (NOT t.is_same AND t.is_default, 'changed', 'replaces_shipped', jsonb_build_object('name', t.name, 'expertise', t.expertise)),
  (NOT t.is_same AND NOT t.is_default, 'kept_aside', 'edited_here',
   jsonb_build_object('name', s.name, 'expertise', s.expertise, 'system_prompt', s.system_prompt))
) f (applies, kind, reason, details)
WHERE f.applies;

UPDATE chat.personas p SET name = s.name, expertise = s.expertise, system_prompt = s.system_prompt, is_default = false, updated_at = now()
FROM staged_personas s JOIN persona_twins t ON t.old_id = s.old_id AND t.is_default AND NOT t.is_same
WHERE p.user_id = '00000000-0000-0000-0000-000000000000' AND p.id = s.new_id AND s.state = 'new';
INSERT INTO chat.personas (user_id, id, code, name, expertise, category, system_prompt, created_at)
SELECT '00000000-0000-0000-0000-000000000000', s.new_id, s.code, s.name, s.expertise, 'general', s.system_prompt,
       chat_private.time_within(s.created_at, now(), now())
FROM staged_personas s WHERE s.state = 'new' AND NOT EXISTS (SELECT FROM persona_twins t WHERE t.old_id = s.old_id);

INSERT INTO chat.import_map (user_id, system, source_table, old_id, new_id)
SELECT '00000000-0000-0000-0000-000000000000', :'system', 'personas', s.old_id, s.new_id FROM staged_personas s WHERE s.state = 'new';
INSERT INTO counted (source_table, read, written, already_there, refused, kept_aside)
SELECT 'personas', count(*), count(*) FILTER (WHERE s.state = 'new'), count(*) FILTER (WHERE s.state = 'there'),
       count(*) FILTER (WHERE s.state = 'refused'), 0 FROM staged_personas s;
