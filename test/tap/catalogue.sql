-- What must hold of every object there is: keys, rights, pinned search paths, comments, dumps.
BEGIN;
\ir setup.psql
SELECT plan(17);
CREATE TEMP VIEW functions AS
  SELECT p.* FROM pg_proc p WHERE p.pronamespace IN ('chat'::regnamespace, 'chat_private'::regnamespace);
CREATE TEMP VIEW tables AS
  SELECT c.* FROM pg_class c WHERE c.relnamespace IN ('chat'::regnamespace, 'chat_private'::regnamespace) AND c.relkind IN ('r', 'p')
    -- Partitions of a month are made by the engine, and no part of the extension: pg_dump takes them by themselves.
    AND NOT (c.relispartition AND c.relname ~ '^usage_events_[0-9]');
-- Tables of users' rows; login_names, imported_tokens and billing_customers are what finds the user, and so are led by something else, and the audit log is one chain.
CREATE TEMP VIEW owned AS
  SELECT c.oid, a.attnum AS owner FROM tables c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = CASE c.oid WHEN 'chat.users'::regclass THEN 'id' ELSE 'user_id' END
  WHERE c.oid NOT IN ('chat_private.login_names'::regclass, 'chat_private.imported_tokens'::regclass, 'chat_private.billing_customers'::regclass,
                      'chat.audit_log'::regclass);

SELECT cmp_ok((SELECT count(*)::int FROM functions), '>', 50, 'the functions are found');
SELECT is_empty($$SELECT oid::regprocedure FROM functions WHERE prosecdef
  AND NOT coalesce(proconfig @> ARRAY['search_path=pg_catalog, pg_temp'], false)$$, 'SECURITY DEFINER pins search_path');
SELECT is_empty($$SELECT p.oid::regprocedure FROM functions p JOIN pg_language l ON l.oid = p.prolang
  WHERE l.lanname NOT IN ('c', 'internal') AND p.prosqlbody IS NULL
    AND NOT coalesce(p.proconfig @> ARRAY['search_path=pg_catalog, pg_temp'], false)$$,
  'every function in SQL or PL/pgSQL pins search_path, or was bound to its objects when created');
SELECT is_empty($$SELECT oid::regprocedure FROM functions WHERE proowner <> 'pgchat_owner'::regrole$$, 'pgchat_owner owns all functions');
SELECT is_empty($$SELECT oid::regclass FROM tables WHERE relowner <> 'pgchat_owner'::regrole$$, 'pgchat_owner owns all tables');
SELECT is((SELECT count(*)::int FROM pg_roles WHERE rolname LIKE 'pgchat\_%' AND rolname IN
             ('pgchat_owner', 'pgchat_client', 'pgchat_service', 'pgchat_engine')
             AND NOT (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication OR rolcanlogin)), 4,
          'the roles have no power of their own');
SELECT is_empty($$SELECT oid::regprocedure FROM functions p, aclexplode(coalesce(proacl, acldefault('f', proowner))) a WHERE a.grantee = 0$$,
                'PUBLIC may call nothing');
SELECT is_empty($$SELECT oid::regclass FROM tables, aclexplode(coalesce(relacl, acldefault('r', relowner))) a WHERE a.grantee = 0$$,
                'PUBLIC may read nothing');
SELECT is_empty($$SELECT p.oid::regprocedure FROM functions p
  WHERE pronamespace = 'chat_private'::regnamespace AND p.proname NOT IN ('list_limit', 'usable_models', 'usage_watermark', 'utc_day', 'text_similarities', 'active_ms_of')
    AND (has_function_privilege('pgchat_client', p.oid, 'EXECUTE') OR has_function_privilege('pgchat_service', p.oid, 'EXECUTE'))$$,
  'clients may call nothing in chat_private, but what is inlined into their query or part of a policy or view');
SELECT ok(NOT has_schema_privilege('pgchat_client', 'chat_private', 'USAGE') AND NOT has_schema_privilege('pgchat_service', 'chat_private', 'USAGE'),
          'nor name anything in it');
SELECT is_empty($$SELECT p.oid::regprocedure FROM functions p
  WHERE pronamespace = 'chat'::regnamespace AND NOT has_function_privilege('pgchat_service', p.oid, 'EXECUTE')$$,
  'no function of the API was forgotten in the grants');
SELECT is_empty($$
  SELECT p.oid::regprocedure, c.oid::regprocedure
  FROM functions p, LATERAL regexp_matches(CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END, '\m(chat|chat_private)\.(\w+)\(', 'g') called,
       -- Hints name administrators' functions.
       LATERAL (SELECT f.oid FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace WHERE n.nspname = called[1] AND f.proname = called[2] AND f.proname NOT LIKE 'admin%') c
  WHERE has_function_privilege('pgchat_engine', p.oid, 'EXECUTE') AND NOT p.prosecdef AND p.prolang <> (SELECT oid FROM pg_language WHERE lanname = 'c')
    AND NOT has_function_privilege('pgchat_engine', c.oid, 'EXECUTE')$$, 'the engine may call what its functions call');
SELECT is_empty($$SELECT oid::regprocedure FROM functions p WHERE coalesce(obj_description(oid, 'pg_proc'), '') = ''$$, 'each function has a comment');
SELECT is_empty($$SELECT oid::regclass FROM tables WHERE coalesce(obj_description(oid, 'pg_class'), '') = ''$$, 'each table has a comment');
SELECT is_empty($$SELECT c.conrelid::regclass, c.conname FROM pg_constraint c JOIN owned o ON o.oid = c.conrelid
  WHERE c.contype IN ('p', 'u', 'f') AND c.conkey[1] <> o.owner$$, 'every key and foreign key of users'' rows leads with the owner');
SELECT is_empty($$SELECT i.indexrelid::regclass FROM pg_index i JOIN owned o ON o.oid = i.indrelid
  WHERE i.indkey[0] <> o.owner AND i.indkey[1] <> o.owner AND i.indexrelid <> 'chat_private.llm_requests_queue_idx'::regclass
    AND i.indexrelid NOT IN ('chat_private.usage_events_default_seq_idx'::regclass, 'chat.conversation_shares_grantee_idx'::regclass,
                             'chat.conversations_id_idx'::regclass)$$,
  'and every index, those of the queue, of usage, of who is granted a share and of who knows no owner apart, serves the owner''s rows');
SELECT is_empty($$SELECT oid::regclass FROM tables WHERE oid <> ALL ((SELECT extconfig FROM pg_extension WHERE extname = 'pgchat')::oid[])$$,
                'pg_dump takes every table');
SELECT * FROM finish();
ROLLBACK;
