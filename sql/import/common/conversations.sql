-- Writes staged_conversations, without their messages, and the users' default models: models, prompts and grants that a system has
-- must be here by now.
CREATE TEMP TABLE usable_models ON COMMIT DROP AS
SELECT w.user_id, w.model, chat_private.usable_model(w.user_id, w.model) IS NOT NULL AS is_usable
FROM (SELECT u.new_id AS user_id, u.default_model AS model FROM staged_users u WHERE u.state = 'new' AND u.default_model IS NOT NULL
      UNION
      SELECT u.new_id, c.model FROM staged_conversations c JOIN staged_users u ON u.old_id = c.user_old_id AND u.state <> 'refused'
      WHERE c.model IS NOT NULL) w;
ANALYZE usable_models;

UPDATE chat.user_settings s SET default_model = u.default_model
FROM staged_users u JOIN usable_models w ON w.user_id = u.new_id AND w.model = u.default_model AND w.is_usable
WHERE u.state = 'new' AND s.user_id = u.new_id;
INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT u.source_table, u.old_id, u.new_id, 'changed', 'model_unavailable', jsonb_build_object('default_model', left(u.default_model, 500))
FROM staged_users u JOIN usable_models w ON w.user_id = u.new_id AND w.model = u.default_model AND NOT w.is_usable WHERE u.state = 'new';

-- The owner is that of now: it may have been reassigned since.
UPDATE staged_conversations s SET state = 'there', new_id = m.new_id,
  user_id = (SELECT c.user_id FROM chat.conversations c WHERE c.id = m.new_id LIMIT 1)
FROM chat.import_map m WHERE m.system = :'system' AND m.source_table = s.source_table AND m.old_id = s.old_id;

UPDATE staged_conversations s SET user_id = r.user_id, reason = r.reason, state = CASE WHEN r.reason IS NULL THEN 'new' ELSE 'refused' END
FROM (SELECT c.source_table, c.old_id, CASE WHEN u.state <> 'refused' THEN u.new_id END AS user_id,
        CASE WHEN u.old_id IS NULL THEN 'owner_missing' WHEN u.state = 'refused' THEN 'owner_refused' END AS reason
      FROM staged_conversations c LEFT JOIN staged_users u ON u.old_id = c.user_old_id WHERE c.state = 'new') r
WHERE s.source_table = r.source_table AND s.old_id = r.old_id;

UPDATE staged_conversations s SET new_id = i.new_id
FROM (SELECT o.source_table, o.old_id,
        CASE WHEN o.kept IS NULL OR EXISTS (SELECT FROM chat.conversations x WHERE x.id = o.kept) THEN chat.uuid_v7() ELSE o.kept END AS new_id
      FROM (SELECT c.source_table, c.old_id, pg_temp.as_uuid(c.old_id) AS kept FROM staged_conversations c WHERE c.state = 'new'
            ORDER BY c.created_at NULLS LAST, length(c.old_id), c.old_id COLLATE "C") o) i
WHERE s.source_table = i.source_table AND s.old_id = i.old_id;

INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT c.source_table, c.old_id, c.user_id, f.kind, f.reason, f.details
FROM staged_conversations c LEFT JOIN usable_models w ON w.user_id = c.user_id AND w.model = c.model,
LATERAL (SELECT pg_temp.time_problem(c.created_at, c.updated_at, c.last_message_at) AS problem) t,
LATERAL (VALUES
  (c.state = 'refused', 'refused', c.reason, jsonb_build_object('user', c.user_old_id, 'title', left(c.title, 1000))),
  (c.state = 'new' AND char_length(c.title) > 500, 'changed', 'title_cut', jsonb_build_object('title', left(c.title, 100000))),
  (c.state = 'new' AND char_length(c.description) > 10000, 'changed', 'description_cut', jsonb_build_object('description', left(c.description, 1000000))),
  (c.state = 'new' AND octet_length(c.system_prompt) > chat_private.max_message_bytes(), 'kept_aside', 'system_prompt_too_long',
   jsonb_build_object('system_prompt', c.system_prompt)),
  (c.state = 'new' AND NOT w.is_usable, 'changed', 'model_unavailable', jsonb_build_object('model', left(c.model, 500))),
  (c.state = 'new' AND (c.created_at IS NULL OR NOT isfinite(c.created_at)), 'changed', 'time_missing', '{}'),
  (c.state = 'new' AND t.problem IS NOT NULL, 'changed', t.problem, jsonb_strip_nulls(jsonb_build_object('created_at', c.created_at, 'updated_at', c.updated_at,
   'last_message_at', c.last_message_at)))
) f (applies, kind, reason, details)
WHERE f.applies;

INSERT INTO chat.conversations (user_id, id, title, title_source, description, model, system_prompt, system_prompt_id, is_pinned, is_archived,
                                metadata, created_at, updated_at, last_message_at)
SELECT c.user_id, c.new_id, coalesce(nullif(btrim(left(c.title, 500)), ''), 'New Conversation'),
  CASE WHEN coalesce(btrim(c.title), '') IN ('', 'New Conversation') THEN 'default' ELSE 'given' END, left(c.description, 10000),
  CASE WHEN w.is_usable THEN c.model END,
  CASE WHEN octet_length(c.system_prompt) <= chat_private.max_message_bytes() THEN nullif(c.system_prompt, '') END, c.system_prompt_id,
  coalesce(c.is_pinned, false), coalesce(c.is_archived, false),
  -- What it was answered by stays known.
  CASE WHEN NOT w.is_usable THEN jsonb_build_object('model', left(c.model, 500)) ELSE '{}' END || c.metadata, t.since,
  chat_private.time_within(c.updated_at, now(), t.since), chat_private.time_within(c.last_message_at, now(), t.since)
FROM staged_conversations c LEFT JOIN usable_models w ON w.user_id = c.user_id AND w.model = c.model,
LATERAL (SELECT chat_private.time_within(coalesce(c.created_at, c.updated_at), now(), now()) AS since) t
WHERE c.state = 'new' ORDER BY c.user_id, c.new_id;

INSERT INTO chat.import_map (user_id, system, source_table, old_id, new_id)
SELECT c.user_id, :'system', c.source_table, c.old_id, c.new_id FROM staged_conversations c WHERE c.state = 'new';

INSERT INTO counted (source_table, read, written, already_there, refused, kept_aside)
SELECT s.source_table, count(*), count(*) FILTER (WHERE s.state = 'new'), count(*) FILTER (WHERE s.state = 'there'),
       count(*) FILTER (WHERE s.state = 'refused'), 0 FROM staged_conversations s GROUP BY s.source_table;
ANALYZE staged_conversations;
