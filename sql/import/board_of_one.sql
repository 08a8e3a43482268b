-- Moves the database of a Board of One in: users, personas, sessions with contributions and votes, the audit log.
--
--   psql -d app -v source=SCHEMA -f sql/import/board_of_one.sql
--
-- It reads the schema and changes nothing there; what it needs and what becomes of it is in docs/systems.md. It may be run again: then
-- it brings what has come since. The variables are those of common/begin.sql; apply_rules changes nothing here.
\set system board_of_one
\ir common/begin.sql

SELECT pg_temp.require_columns(t.name, t.columns)
FROM (VALUES
  ('users', '{id,email,auth_provider,subscription_tier,gdpr_consent_at,created_at,updated_at}'::text[]),
  ('personas', '{id,code,name,expertise,system_prompt,created_at}'),
  ('sessions', '{id,user_id,problem_statement,problem_context,status,phase,total_cost,total_tokens,round_number,max_rounds,created_at,updated_at,completed_at,killed_at,killed_by,kill_reason}'),
  ('contributions', '{id,session_id,persona_code,content,round_number,phase,cost,tokens,model,created_at}'),
  ('votes', '{id,session_id,persona_code,vote_choice,reasoning,confidence,created_at}'),
  ('audit_log', '{id,user_id,action,resource_type,resource_id,details,ip_address,user_agent,timestamp}')) t (name, columns) \g /dev/null

INSERT INTO staged_users (old_id, email, role, plan, is_active, consent_at, created_at, updated_at)
SELECT u.id, u.email, 'user', p.code, true, u.gdpr_consent_at, u.created_at, u.updated_at
FROM :"source".users u LEFT JOIN chat.plans p ON p.code = lower(btrim(u.subscription_tier::text)) AND p.is_active AND p.code <> 'guest';
\ir common/users.sql
\ir board_of_one/identities.sql
\ir board_of_one/personas.sql
\ir board_of_one/sessions.sql
\ir board_of_one/parts.sql
\ir board_of_one/standing.sql
\ir board_of_one/course.sql
\ir board_of_one/write.sql
\ir board_of_one/audit_log.sql

-- What the engine waits for is written when the engine is no longer needed, relative to report.sql.
\set last_part ../board_of_one/last.sql
\ir common/report.sql
ANALYZE chat.identities, chat.deliberations, chat.deliberation_participants, chat.deliberation_steps, chat.contributions, chat.votes,
  chat.deliberation_checkpoints, chat.audit_log;
