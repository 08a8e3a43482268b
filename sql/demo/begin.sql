-- Begins: who may run it and where, and how conversations of the past are written down.
\set QUIET on
\pset pager off
\pset footer off
\set SHOW_CONTEXT never
SET client_min_messages = warning;
\if :{?among_users}
\else
  \set among_users false
\endif
\if :{?psql}
\else
  \set psql psql
\endif
\set password only-for-the-demo
\set totp_secret JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP

SELECT set_config('demo.among_users', :'among_users', false) AS ignored \gset
DO $$
DECLARE
  waited_since CONSTANT timestamptz := clock_timestamp();
  has_demo boolean;
  others bigint;
BEGIN
  IF to_regprocedure('chat.import_conversations(jsonb)') IS NULL THEN
    RAISE EXCEPTION 'this database has no extension pgchat' USING ERRCODE = '42P01', HINT = 'Run CREATE EXTENSION pgchat first.';
  ELSIF NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) THEN
    RAISE EXCEPTION 'the demo data must be made by a superuser' USING ERRCODE = '42501', HINT = 'Usage of past weeks is written, which nobody else may do.';
  ELSIF pg_is_in_recovery() THEN
    RAISE EXCEPTION 'this server is a standby' USING ERRCODE = '25006', HINT = 'Connect to the primary.';
  END IF;
  SELECT bool_or(u.email LIKE '%@demo.example'), count(*) FILTER (WHERE u.email NOT LIKE '%@demo.example' OR u.email IS NULL) INTO has_demo, others FROM chat.users u;
  IF has_demo IS NOT TRUE AND others > 0 AND current_setting('demo.among_users') <> 'true' THEN
    RAISE EXCEPTION 'this database has users already' USING ERRCODE = '55000',
      HINT = 'Demo accounts have a password that everybody knows. Choose an empty database; or where you mean it, set PGCHAT_DEMO_AMONG_USERS=1 for make seed-demo, or -v among_users=true for psql.';
  END IF;
  -- A new database's engine starts within a moment.
  LOOP
    EXIT WHEN has_demo OR (SELECT s.state = 'running' FROM chat.engine_status() s);
    IF clock_timestamp() > waited_since + interval '15 seconds' THEN
      RAISE EXCEPTION 'no engine runs for this database' USING ERRCODE = '57P03', HINT = 'pgchat must be in shared_preload_libraries, and the server restarted since.';
    END IF;
    PERFORM pg_sleep(0.05);
  END LOOP;
END
$$;
SELECT coalesce(bool_or(u.email LIKE '%@demo.example'), false) AS is_here, count(*) = 0 AS is_empty FROM chat.users u \gset
\if :is_here
\else
BEGIN;

-- A conversation as chat.export_conversation gives it. began: how long ago. lines: each {"user" | "assistant" | "tool": text}, following the
-- one before or that which "after" names ("" for none) after a while ("gap", or at the time "at"); other members are those of messages. What
-- a reply was told and said is counted by four letters a token, and priced as its model. about: other members of the conversation.
CREATE FUNCTION pg_temp.document(id text, title text, began interval, lines jsonb, about jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  at timestamptz := now() - document.began;
  told jsonb := jsonb_build_object('', length(about ->> 'system_prompt') / 4);
  last_id text := '';
  messages jsonb := '[]';
  line record;
  price record;
  input bigint;
  output bigint;
BEGIN
  FOR line IN
    SELECT r.role, l.line ->> r.role AS content, coalesce(l.line ->> 'id', l.n::text) AS id, l.line ->> 'after' AS after, l.line ->> 'input_tokens' AS given_input,
      coalesce(l.line ->> 'model', about ->> 'model') AS model, l.line ->> 'at' AS at, coalesce(l.line ->> 'gap', CASE r.role WHEN 'user' THEN '70 seconds' ELSE '4 seconds' END) AS gap,
      l.line - ARRAY['user', 'assistant', 'tool', 'after', 'gap', 'at'] AS rest
    FROM jsonb_array_elements(document.lines) WITH ORDINALITY l (line, n), (VALUES ('user'), ('assistant'), ('tool')) r (role) WHERE l.line ? r.role ORDER BY l.n
  LOOP
    at := coalesce(line.at::timestamptz, at + line.gap::interval);
    last_id := coalesce(line.after, last_id);
    input := coalesce(line.given_input::bigint, (told ->> last_id)::bigint, 0);
    output := greatest(length(line.content) / 4 + coalesce(length(line.rest ->> 'thinking') / 4, 0), 1);
    SELECT m.input_price, m.output_price INTO price FROM chat.models m WHERE m.name = line.model;
    messages := messages || jsonb_build_array(jsonb_build_object('id', line.id, 'parent_id', nullif(last_id, ''), 'role', line.role, 'content', line.content, 'created_at', at)
      || CASE WHEN line.role = 'assistant' THEN jsonb_build_object('model', line.model, 'finish_reason', 'stop', 'input_tokens', input, 'output_tokens', output,
           'cost', trim_scale((input * coalesce(price.input_price, 0) + output * coalesce(price.output_price, 0)) / 1000000), 'latency_ms', 400 + 18 * output, 'first_token_ms', 380) ELSE '{}' END
      || line.rest);
    told := told || jsonb_build_object(line.id, coalesce((told ->> last_id)::bigint, 0) + output);
    last_id := line.id;
  END LOOP;
  RETURN jsonb_build_object('format', 'pgchat', 'version', 1, 'id', 'demo-' || document.id, 'title', document.title, 'created_at', now() - document.began,
    'updated_at', at, 'last_message_at', at, 'last_reply_at', at, 'active_leaf_id', last_id, 'messages', messages) || about;
END
$$;

-- Brings conversations in as the current user, and tells when one of them was not taken as it is.
CREATE FUNCTION pg_temp.bring(document jsonb) RETURNS uuid
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  done record;
BEGIN
  SELECT i.* INTO done FROM chat.import_conversations(bring.document) i;
  IF done.status <> 'imported' OR done.reason IS NOT NULL THEN
    RAISE EXCEPTION 'conversation "%": %, %', done.source_id, done.status, done.reason;
  END IF;
  RETURN done.conversation_id;
END
$$;
\endif
