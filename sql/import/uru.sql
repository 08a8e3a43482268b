-- Moves the database of an Uru chatbot in: users, conversations, messages.
--
--   psql -d app -v source=SCHEMA -f sql/import/uru.sql
--
-- It reads the schema and changes nothing there; what it needs and what becomes of it is in docs/systems.md. It may be run again: then
-- it brings what has come since. The variables are those of common/begin.sql.
\set system uru
\ir common/begin.sql

SELECT pg_temp.require_columns(t.name, t.columns)
FROM (VALUES
  ('users', '{id,email,password_hash,name,is_active,preferences,last_login,created_at,updated_at}'::text[]),
  ('conversations', '{id,user_id,title,ai_model,system_prompt,is_archived,is_pinned,created_at,updated_at,last_message_at}'),
  ('messages', '{id,conversation_id,sender,content,content_hash,ai_model,is_error,error_details,created_at}')) t (name, columns) \g /dev/null

-- A default model is one of the preferences, under a name of the application's choice.
INSERT INTO staged_users (old_id, email, display_name, password_hash, role, is_active, preferences, default_model, created_at, updated_at, last_login_at)
SELECT u.id, u.email, u.name, coalesce(u.password_hash, ''), 'user', u.is_active, u.preferences::text,
       coalesce(p.given ->> 'default_model', p.given ->> 'defaultModel'), u.created_at, u.updated_at, u.last_login
FROM :"source".users u, LATERAL (SELECT pg_temp.as_json(u.preferences::text) AS given) p;
\ir common/users.sql

INSERT INTO staged_conversations (old_id, user_old_id, title, model, system_prompt, is_archived, is_pinned, created_at, updated_at, last_message_at)
SELECT c.id, c.user_id, c.title, nullif(btrim(c.ai_model::text), ''), c.system_prompt, c.is_archived, c.is_pinned, c.created_at, c.updated_at, c.last_message_at
FROM :"source".conversations c;
\ir common/conversations.sql

INSERT INTO staged_messages (old_id, conversation_old_id, role, given_role, status, content, content_hash, can_be_empty, model, error, metadata, created_at)
SELECT m.id, m.conversation_id, r.role, m.sender, CASE WHEN m.is_error AND r.role = 'assistant' THEN 'error' ELSE 'complete' END,
  m.content, m.content_hash, coalesce(m.is_error, false), nullif(btrim(m.ai_model::text), ''),
  CASE WHEN r.role = 'assistant' AND (m.is_error OR e.given IS NOT NULL) THEN e.error END,
  -- Only replies fail here; what the other system noted of a question stays with it.
  CASE WHEN r.role <> 'assistant' AND m.is_error THEN jsonb_build_object('error', e.error) ELSE '{}' END, m.created_at
FROM :"source".messages m
LEFT JOIN (VALUES ('user', 'user'), ('ai', 'assistant'), ('system', 'system')) r (name, role) ON r.name = lower(btrim(m.sender::text)),
LATERAL (SELECT d.given, jsonb_strip_nulls(jsonb_build_object('code', coalesce(d.given ->> 'code', d.given ->> 'type', 'imported'),
           'message', coalesce(d.given ->> 'message', d.given ->> 'error', d.given ->> 'detail', left(m.error_details::text, 1000), 'it failed before the move'),
           'details', d.given)) AS error
         FROM (SELECT CASE WHEN jsonb_typeof(j.value) <> 'null' THEN j.value END AS given
               FROM (SELECT pg_temp.as_json(m.error_details::text) AS value) j) d) e;
\ir common/messages.sql
INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT 'messages', p.old_id, p.user_id, f.kind, f.reason, f.details
FROM :"source".messages m JOIN placed_messages p ON p.old_id = m.id::text AND p.state = 'new',
LATERAL (VALUES
  (m.error_details IS NOT NULL AND pg_temp.as_json(m.error_details::text) IS NULL, 'changed', 'json_invalid', jsonb_build_object('error_details', left(m.error_details::text, 100000))),
  (m.is_error AND lower(btrim(m.sender::text)) <> 'ai', 'changed', 'error_of_no_reply', jsonb_build_object('error', 'is in metadata'))
) f (applies, kind, reason, details)
WHERE (m.is_error OR m.error_details IS NOT NULL) AND f.applies;

\if :apply_rules
SELECT chat.admin_set_setting(r.key, r.value::jsonb) FROM (VALUES ('registration', '"open"'), ('title_rule', '"numbered"')) r (key, value) \g /dev/null
\endif
\ir common/report.sql
