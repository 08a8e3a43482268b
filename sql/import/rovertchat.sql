-- Moves the database of a rovertChat in: users with their settings, providers, models, who may use which, chats, messages with images.
--
--   psql -d app -v source=SCHEMA -f sql/import/rovertchat.sql
--
-- It reads the schema and changes nothing there; what it needs and what becomes of it is in docs/systems.md. It may be run again: then
-- it brings what has come since. The variables are those of common/begin.sql.
\set system rovertchat
\ir common/begin.sql
\ir common/tables.sql
\ir common/message_parts.sql

SELECT pg_temp.open_table(t.name, t.columns)
FROM (VALUES
  ('Users', '{id,username,email,password_hash,role,created_at,last_login,is_active,token_version}'::text[]),
  ('ModelProviders', '{id,name,api_url,auth_type,created_by,created_at,is_active}'),
  ('Models', '{id,provider_id,name,display_name,description,config,created_at,updated_at,is_active}'),
  ('Chats', '{id,user_id,title,created_at,updated_at,is_archived}'),
  ('Messages', '{id,chat_id,role,content,thinking,tool_calls,images,model_id,created_at,tokens_used,extended_metadata}'),
  ('UserSettings', '{user_id,default_model_id,display_name,avatar_url,preferences}'),
  ('UserModelAccess', '{id,user_id,model_id,granted_by,granted_at,is_active}')) t (name, columns) \g /dev/null

INSERT INTO staged_users (source_table, old_id, email, username, display_name, avatar_url, given_role, role, plan, is_active, token_version, password_hash,
                          preferences, created_at, last_login_at)
SELECT 'Users', u.id, u.email, u.username, s.display_name, s.avatar_url, u.role, r.role, CASE r.role WHEN 'guest' THEN 'guest' END, u.is_active,
       u.token_version, coalesce(u.password_hash, ''), s.preferences, u.created_at, u.last_login
FROM source_users u
LEFT JOIN source_user_settings s ON s.user_id = u.id
LEFT JOIN (VALUES ('admin'), ('user'), ('guest')) r (role) ON r.role = lower(btrim(u.role::text));
\ir common/users.sql
INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT u.source_table, u.old_id, u.new_id, 'changed', 'token_version_missing', jsonb_build_object('became', 1)
FROM staged_users u WHERE u.state = 'new' AND u.token_version IS NULL;
\ir rovertchat/models.sql

-- Lists are in the order of updated_at, which messages renew.
INSERT INTO staged_conversations (source_table, old_id, user_old_id, title, is_archived, created_at, updated_at, last_message_at)
SELECT 'Chats', c.id, c.user_id, c.title, c.is_archived, c.created_at, c.updated_at, c.updated_at FROM source_chats c;
\ir common/conversations.sql
\ir rovertchat/messages.sql
\set usage_table Messages.tokens_used
\set own_keys false
\ir common/usage.sql

\if :apply_rules
SELECT chat.admin_set_setting('models_open_by_default', 'false') \g /dev/null
\endif
\ir common/report.sql
