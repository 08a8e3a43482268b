-- Moves the database of a VibeBot in: users, their keys of providers, conversations, messages with what they used.
--
--   psql -d app -v source=SCHEMA -f sql/import/vibebot.sql
--
-- It reads the schema and changes nothing there; what it needs and what becomes of it is in docs/systems.md. It may be run again: then
-- it brings what has come since. The variables are those of common/begin.sql.
\set system vibebot
\ir common/begin.sql
\ir common/tables.sql
\ir common/message_parts.sql

SELECT pg_temp.open_table(t.name, t.columns)
FROM (VALUES
  ('User', '{id,email,password,name,role,createdAt,updatedAt}'::text[]),
  ('ApiKey', '{id,userId,provider,encryptedKey,name,createdAt,updatedAt}'),
  ('Conversation', '{id,userId,title,model,systemPrompt,createdAt,updatedAt}'),
  ('Message', '{id,conversationId,userId,role,content,metadata,createdAt}')) t (name, columns) \g /dev/null

-- Who is a guest has the limits of one here; nobody can be switched off there.
INSERT INTO staged_users (source_table, old_id, email, display_name, given_role, role, plan, is_active, password_hash, created_at, updated_at)
SELECT 'User', u.id, u.email, u.name, u.role, r.role, CASE r.role WHEN 'guest' THEN 'guest' END, true, coalesce(u.password, ''), u.created_at, u.updated_at
FROM source_user u LEFT JOIN (VALUES ('admin'), ('user'), ('guest')) r (role) ON r.role = lower(btrim(u.role::text));
\ir common/users.sql
\ir vibebot/keys.sql

-- Its lists are in the order of updatedAt.
INSERT INTO staged_conversations (source_table, old_id, user_old_id, title, model, system_prompt, created_at, updated_at, last_message_at)
SELECT 'Conversation', c.id, c.user_id, c.title, nullif(btrim(c.model), ''), c.system_prompt, c.created_at, c.updated_at, c.updated_at FROM source_conversation c;
\ir common/conversations.sql
\ir vibebot/messages.sql
\set usage_table Message.metadata
\set own_keys true
\ir common/usage.sql

\if :apply_rules
SELECT chat.admin_set_setting(r.key, r.value::jsonb) FROM (VALUES ('user_keys_allowed', 'true'), ('title_rule', '"new_conversation"')) r (key, value) \g /dev/null
\endif
\ir common/report.sql
