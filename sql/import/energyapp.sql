-- Moves the database of an EnergyApp in: users, sessions, system prompts, conversations, messages.
--
--   psql -d app -v source=SCHEMA -f sql/import/energyapp.sql
--
-- It reads the schema and changes nothing there; what it needs and what becomes of it is in docs/systems.md. It may be run again: then
-- it brings what has come since. Beside the variables of common/begin.sql:
--   supervisors  a table with columns user_email and supervisor_email, for EnergyApp does not store who supervises whom
\set system energyapp
\ir common/begin.sql
\if :{?supervisors}
\else
  \set supervisors ''
\endif

SELECT pg_temp.require_columns(t.name, t.columns)
FROM (VALUES
  ('users', '{id,email,full_name,password_hash,role,active,totp_secret,totp_enabled,created_at,updated_at}'::text[]),
  ('sessions', '{id,user_id,session_token,ip_address,user_agent,expires_at,created_at,last_activity}'),
  ('system_prompts', '{id,name,description,content,is_default,created_at,updated_at}'),
  ('conversations', '{id,user_id,title,description,system_prompt_id,created_at,updated_at,is_pinned}'),
  ('messages', '{id,conversation_id,role,content,created_at,updated_at}')) t (name, columns) \g /dev/null

INSERT INTO staged_users (old_id, email, display_name, password_hash, given_role, role, is_active, totp_secret, totp_enabled, created_at, updated_at)
SELECT u.id, u.email, u.full_name, coalesce(u.password_hash, ''), u.role, r.role, u.active, u.totp_secret, u.totp_enabled, u.created_at, u.updated_at
FROM :"source".users u
LEFT JOIN (VALUES ('admin', 'admin'), ('supervisor', 'supervisor'), ('trabajador', 'worker'), ('user', 'user')) r (name, role)
  ON r.name = lower(btrim(u.role::text));
\ir common/users.sql

INSERT INTO staged_sessions (old_id, user_old_id, token, ip_address, user_agent, created_at, expires_at, last_activity_at)
SELECT s.id, s.user_id, s.session_token, s.ip_address, s.user_agent, s.created_at, s.expires_at, s.last_activity FROM :"source".sessions s;
\ir common/sessions.sql

CREATE TEMP TABLE source_prompts ON COMMIT DROP AS
SELECT p.id::text AS old_id, chat_private.one_line(btrim(p.name)) AS name, p.description, p.content, coalesce(p.is_default, false) AS is_default,
       p.created_at::timestamptz AS created_at, p.updated_at::timestamptz AS updated_at
FROM :"source".system_prompts p;
\ir common/prompts.sql

INSERT INTO staged_conversations (old_id, user_old_id, title, description, system_prompt, system_prompt_id, is_pinned, created_at, updated_at,
                                  last_message_at)
SELECT c.id, c.user_id, c.title, c.description, p.content, p.new_id, c.is_pinned, c.created_at, c.updated_at,
       -- Its lists are in the order of updated_at, which messages renew.
       c.updated_at
FROM :"source".conversations c LEFT JOIN staged_prompts p ON p.old_id = c.system_prompt_id::text;
\ir common/conversations.sql
INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT 'conversations', s.old_id, s.user_id, 'changed', 'prompt_missing', jsonb_build_object('system_prompt', c.system_prompt_id)
FROM :"source".conversations c JOIN staged_conversations s ON s.old_id = c.id::text AND s.state = 'new'
WHERE c.system_prompt_id IS NOT NULL AND NOT EXISTS (SELECT FROM staged_prompts p WHERE p.old_id = c.system_prompt_id::text);

INSERT INTO staged_messages (old_id, conversation_old_id, role, given_role, content, created_at, updated_at)
SELECT m.id, m.conversation_id, r.role, m.role, m.content, m.created_at, m.updated_at
FROM :"source".messages m LEFT JOIN (VALUES ('user'), ('assistant')) r (role) ON r.role = lower(btrim(m.role::text));
\ir common/messages.sql
\ir common/supervisors.sql

\if :apply_rules
SELECT chat.admin_set_setting(r.key, r.value::jsonb)
FROM (VALUES ('registration', '"domains"'), ('registration_domains', '["alvaradomazzei.cl", "inacapmail.cl"]'),
             ('password_change_domains', '["inacapmail.cl"]'), ('totp_domains', '["inacapmail.cl"]')) r (key, value) \g /dev/null
\endif
\ir common/report.sql
