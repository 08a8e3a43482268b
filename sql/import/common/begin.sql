-- Begins an import: who may run it, what the other parts share, and the tables into which a system's script stages its rows.
--
-- A script sets the variable system, includes this, calls pg_temp.require_columns for each table that it reads, stages its rows
-- (timestamps: a bare one is taken in the time zone of the variable timezone), and includes the parts that write them, in this
-- order, as far as the system has them: users; sessions; prompts or providers; conversations; messages, and attachments; supervisors or
-- usage; report. Where they are used, tables and message_parts come right after this. Variables of psql for who runs it:
--   source           the schema that holds the other system's tables
--   timezone         of timestamps without one; UTC where it is not given
--   emails_verified  true: count the addresses as verified; else they are not, which only matters where settings ask for it
--   apply_rules      true: also make the settings of this installation those that the other system has in its code
--
-- All staged tables have: source_table, the name reported and mapped; old_id, the primary key there as text; and, set by the part
-- that writes them, new_id, the id here; state: new, there (an earlier run brought it), refused, or aside (reported, not written);
-- reason: why it was refused. After its part has run, a script may look at these, for rows of its own that hang on them.
\set ON_ERROR_STOP on
\set QUIET on
\if :{?source}
\else
  \set source ''
\endif
\if :{?timezone}
\else
  \set timezone UTC
\endif
\if :{?emails_verified}
\else
  \set emails_verified false
\endif
\if :{?apply_rules}
\else
  \set apply_rules false
\endif
\pset footer off
\pset null ''

-- The audit log goes on after what others write meanwhile.
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL client_min_messages = warning;
SET LOCAL jit = off;
SET LOCAL work_mem = '64MB';
-- For staged rows; report.sql wants more.
SET LOCAL default_statistics_target = 20;
-- Staged rows stay in memory. A session that has used temporary tables before keeps what it has.
DO $$
BEGIN
  PERFORM set_config('temp_buffers', '256MB', true);
EXCEPTION WHEN invalid_parameter_value THEN
  NULL;
END
$$;
SET LOCAL timezone = :'timezone';
SET LOCAL bytea_output = hex;
SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0;
SELECT set_config('import.source', :'source', true) AS source \gset ignored_

DO $$
BEGIN
  IF NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) THEN
    RAISE EXCEPTION 'an import must be run by a superuser' USING ERRCODE = '42501',
      HINT = 'It writes rows of all users at once, and row security lets nobody else do that.';
  ELSIF to_regclass('chat.import_map') IS NULL THEN
    RAISE EXCEPTION 'this database has no extension pgchat' USING ERRCODE = '42P01', HINT = 'Run CREATE EXTENSION pgchat first.';
  ELSIF current_setting('import.source') = '' THEN
    RAISE EXCEPTION 'the variable source is not set' USING ERRCODE = '22004', HINT = 'Run psql -v source=SCHEMA -f FILE.';
  ELSIF to_regnamespace(quote_ident(current_setting('import.source'))) IS NULL THEN
    RAISE EXCEPTION 'schema "%" does not exist', current_setting('import.source') USING ERRCODE = '3F000',
      HINT = 'The variable source names the schema with the tables of the other system.';
  END IF;
  -- What is written last needs the engine; that there is none should be known first.
  FOR tenths IN 1..300 LOOP
    EXIT WHEN (SELECT e.state FROM chat.engine_status() e) = 'running';
    PERFORM pg_sleep(0.1);
  END LOOP;
  IF (SELECT e.state FROM chat.engine_status() e) <> 'running' THEN
    RAISE EXCEPTION 'the pgchat engine of this database is not running' USING ERRCODE = '57P03', HINT = 'See the server log, and chat.engine_status().';
  END IF;
END
$$;
-- Two imports at once would not see each other's rows.
LOCK TABLE chat.import_map IN SHARE ROW EXCLUSIVE MODE;

-- The report has a line for each table, also for an empty one.
CREATE TEMP TABLE expected_tables (n serial, source_table text PRIMARY KEY) ON COMMIT DROP;
CREATE OR REPLACE FUNCTION pg_temp.expect_table(table_name text) RETURNS void
LANGUAGE sql AS $$ INSERT INTO pg_temp.expected_tables (source_table) VALUES (table_name) $$;

CREATE OR REPLACE FUNCTION pg_temp.require_columns(table_name text, columns text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  relation regclass := to_regclass(format('%I.%I', current_setting('import.source'), table_name));
  missing text;
BEGIN
  IF relation IS NULL THEN
    RAISE EXCEPTION 'table "%" is missing in schema "%"', table_name, current_setting('import.source') USING ERRCODE = '42P01',
      HINT = 'docs/systems.md lists the tables and columns that the import reads.';
  END IF;
  PERFORM pg_temp.expect_table(table_name);
  SELECT string_agg(quote_ident(c.name), ', ') INTO missing FROM unnest(columns) c (name)
  WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped);
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'table "%" has no column %', table_name, missing USING ERRCODE = '42703',
      HINT = 'docs/systems.md lists the tables and columns that the import reads.';
  END IF;
END
$$;

-- What a value is where it is one, else NULL.
CREATE OR REPLACE FUNCTION pg_temp.as_json(value text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN value::jsonb;
EXCEPTION WHEN data_exception OR program_limit_exceeded OR statement_too_complex THEN
  RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION pg_temp.as_inet(value text) RETURNS inet
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN host(value::inet)::inet;
EXCEPTION WHEN data_exception THEN
  RETURN NULL;
END
$$;
-- The nil UUID is nobody's, for it owns what is for all, as is that of only ones, whose is what removed accounts leave.
CREATE OR REPLACE FUNCTION pg_temp.as_uuid(value text) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT CASE WHEN value ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
    THEN nullif(nullif(value::uuid, '00000000-0000-0000-0000-000000000000'), 'ffffffff-ffff-ffff-ffff-ffffffffffff') END
$$;
CREATE OR REPLACE FUNCTION pg_temp.as_bytes(value text) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN decode(value, 'base64');
EXCEPTION WHEN data_exception THEN
  RETURN NULL;
END
$$;

-- What chat_private.time_within makes another time of, and a finding tells.
CREATE OR REPLACE FUNCTION pg_temp.time_problem(VARIADIC times timestamptz[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  given timestamptz;
BEGIN
  FOREACH given IN ARRAY times LOOP
    IF isfinite(given) AND given NOT BETWEEN '1970-01-01 00:00+00' AND now() THEN
      RETURN CASE WHEN given > now() THEN 'time_in_future' ELSE 'time_before_1970' END;
    END IF;
  END LOOP;
  RETURN NULL;
END
$$;

-- Whether pgchat would take a value.
CREATE OR REPLACE FUNCTION pg_temp.is_email(value text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.check_email(value);
  RETURN true;
EXCEPTION WHEN data_exception THEN
  RETURN false;
END
$$;
CREATE OR REPLACE FUNCTION pg_temp.is_username(value text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.check_username(value);
  RETURN true;
EXCEPTION WHEN data_exception THEN
  RETURN false;
END
$$;
CREATE OR REPLACE FUNCTION pg_temp.is_totp_secret(value text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat.totp_generate(value);
  RETURN value <> '';
EXCEPTION WHEN data_exception THEN
  RETURN false;
END
$$;

-- password_hash: NULL: the system has no passwords; '': there is none. email: with the username NULL, too, the account has no name and is
-- refused. role: admin, supervisor, worker, user or guest; NULL:
-- given_role is none that is known. plan: NULL or none that there is: the setting default_plan. preferences: JSON, as text.
-- default_model: looked at by conversations.sql, so that models and grants can come in between. metadata: what has no column here.
CREATE TEMP TABLE staged_users (
  source_table text NOT NULL DEFAULT 'users', old_id text NOT NULL,
  email text, username text, display_name text, avatar_url text, role text, given_role text, plan text, is_active boolean,
  token_version integer, password_hash text, totp_secret text, totp_enabled boolean, email_verified_at timestamptz,
  consent_at timestamptz, preferences text, default_model text, metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz, updated_at timestamptz, last_login_at timestamptz,
  new_id uuid, state text NOT NULL DEFAULT 'new', reason text
) ON COMMIT DROP;

-- token: in the clear, as the other system's clients present it.
CREATE TEMP TABLE staged_sessions (
  source_table text NOT NULL DEFAULT 'sessions', old_id text NOT NULL, user_old_id text,
  token text, ip_address text, user_agent text, created_at timestamptz, expires_at timestamptz, last_activity_at timestamptz,
  new_id uuid, user_id uuid, state text NOT NULL DEFAULT 'new', reason text
) ON COMMIT DROP;

-- title: NULL or blank: New Conversation. model: a name. last_message_at: NULL: the time of the last message. user_id: the owner now.
CREATE TEMP TABLE staged_conversations (
  source_table text NOT NULL DEFAULT 'conversations', old_id text NOT NULL, user_old_id text,
  title text, description text, model text, system_prompt text, system_prompt_id uuid, is_pinned boolean, is_archived boolean,
  metadata jsonb NOT NULL DEFAULT '{}', created_at timestamptz, updated_at timestamptz, last_message_at timestamptz,
  new_id uuid, user_id uuid, state text NOT NULL DEFAULT 'new', reason text
) ON COMMIT DROP;

-- role: system, user, assistant or tool; NULL: given_role is none that is known. status: complete, incomplete, error or cancelled.
-- content_hash: hex, as the other system has it; NULL: it has none. can_be_empty: there is something else in it, such as files.
-- What messages.sql sets of them is in placed_messages, by source_table and old_id: user_id, conversation_id, created_at, and as above.
CREATE TEMP TABLE staged_messages (
  source_table text NOT NULL DEFAULT 'messages', old_id text NOT NULL, conversation_old_id text,
  role text, given_role text, status text NOT NULL DEFAULT 'complete', content text, content_hash text, can_be_empty boolean NOT NULL DEFAULT false,
  thinking text, tool_calls jsonb, tool_call_id text, model text, finish_reason text, error jsonb,
  input_tokens integer, output_tokens integer, cached_tokens integer, cost numeric, latency_ms integer,
  metadata jsonb NOT NULL DEFAULT '{}', created_at timestamptz, updated_at timestamptz
) ON COMMIT DROP;

-- One row for each file of a message. data: base64, also as a data URL. name, media_type: NULL: none, and what the bytes tell.
CREATE TEMP TABLE staged_attachments (
  source_table text NOT NULL DEFAULT 'messages.images', old_id text NOT NULL, message_table text NOT NULL DEFAULT 'messages',
  message_old_id text NOT NULL, position integer NOT NULL, data text, name text, media_type text,
  new_id uuid, user_id uuid, state text NOT NULL DEFAULT 'new', reason text
) ON COMMIT DROP;

-- What becomes chat.import_findings. user_id NULL: it is nobody's here. Never a secret in details.
CREATE TEMP TABLE found (
  source_table text NOT NULL, old_id text NOT NULL, user_id uuid, kind text NOT NULL, reason text NOT NULL, details jsonb NOT NULL DEFAULT '{}'
);

-- One row for each table of the source, in the order of the report, which fills in changed.
CREATE TEMP TABLE counted (
  n serial, source_table text NOT NULL, read bigint, written bigint, already_there bigint, refused bigint, kept_aside bigint, changed bigint
);
