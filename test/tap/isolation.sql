-- Isolation: every user-owned table there is, found in the catalogue, so that a new one cannot be forgotten.
BEGIN;
\ir setup.psql
SELECT plan(17);

-- Rows of both people in every user-owned table.
SELECT chat.login('alice', 'alice-password'), chat.login('bob', 'bob-password');
CREATE TEMP TABLE things ON COMMIT DROP AS
  SELECT person, pg_temp.value(person, $$SELECT chat.create_conversation('secret of ' || chat.current_user_id())$$)::uuid AS conversation,
         NULL::uuid AS message, NULL::uuid AS reply, NULL::uuid AS chat_request, pg_temp.value(person, 'SELECT chat.llm_submit($$secret$$)')::uuid AS request
  FROM (VALUES (:'alice'::uuid), (:'bob')) t (person);
UPDATE things SET message = split_part(ids, ',', 1)::uuid, reply = split_part(ids, ',', 2)::uuid, chat_request = split_part(ids, ',', 3)::uuid
FROM (SELECT person AS owner, btrim(pg_temp.value(person, format('SELECT chat.send_message(%L, $$secret$$)', conversation)), '()') AS ids
      FROM things) s WHERE owner = person;
INSERT INTO chat.usage_events (user_id, outcome) VALUES (:'alice', 'complete'), (:'bob', 'complete');
INSERT INTO chat.usage_rollups SELECT person, now(), 'm', 'p', 1, 0, 0, 1, 1, 0, 0.5, 0 FROM things;
INSERT INTO chat.user_limits (user_id, limits) VALUES (:'alice', '{"cost_per_month": 1}'), (:'bob', '{}');
INSERT INTO chat.audit_log (id, created_at, user_id, action, outcome, origin_hash, prev_hash, hash)
  VALUES (-1, now(), :'alice', 'test', 'success', '', '', ''), (-2, now(), :'bob', 'test', 'success', '', '', '');

INSERT INTO chat.user_model_access (user_id, model_id) VALUES (:'alice', :'model'), (:'bob', :'model');
INSERT INTO chat_private.totp_factors (user_id, sealed_key) VALUES (:'alice', 'sealed'), (:'bob', 'sealed');
INSERT INTO chat_private.totp_steps (user_id, factor_id, step) VALUES (:'alice', :'alice', 1), (:'bob', :'bob', 1);
INSERT INTO chat_private.recovery_codes (user_id, code_hash) VALUES (:'alice', 'hash'), (:'bob', 'hash');
INSERT INTO chat_private.used_recovery_codes (user_id, code_hash) VALUES (:'alice', 'hash'), (:'bob', 'hash');
INSERT INTO chat.identities (user_id, provider, subject) VALUES (:'alice', 'p', 'a'), (:'bob', 'p', 'b');
INSERT INTO chat.api_keys (user_id, id, provider_id, name) VALUES (:'alice', :'alice', :'provider', 'k'), (:'bob', :'bob', :'provider', 'k');
INSERT INTO chat_private.api_key_secrets (user_id, id, provider_id, sealed_key) SELECT user_id, id, provider_id, 'sealed' FROM chat.api_keys;
INSERT INTO chat_private.refresh_tokens (user_id, token_hash, session_id, expires_at)
  SELECT user_id, 'hash', id, expires_at FROM chat.sessions;
INSERT INTO chat_private.imported_tokens (token_hash, user_id, session_id) SELECT sha256(uuid_send(id)), user_id, id FROM chat.sessions;
INSERT INTO chat.folders (user_id, name) SELECT person, 'f' FROM things;
INSERT INTO chat.system_prompts (user_id, name, content) SELECT person, 'p', 'secret' FROM things;
INSERT INTO chat.conversation_templates (user_id, name) SELECT person, 't' FROM things;
INSERT INTO chat.conversation_summaries (user_id, conversation_id, last_message_id, content) SELECT person, conversation, message, 'secret' FROM things;
INSERT INTO chat.attachments (user_id, id, sha256, media_type, byte_size) SELECT person, person, sha256('secret'), 'text/plain', 6 FROM things;
INSERT INTO chat_private.attachment_data (user_id, attachment_id, data) SELECT person, person, 'secret' FROM things;
INSERT INTO chat.message_attachments (user_id, message_id, position, attachment_id) SELECT person, message, 1, person FROM things;
INSERT INTO chat.conversation_shares (user_id, id, conversation_id, kind) SELECT person, person, conversation, 'link' FROM things;
INSERT INTO chat_private.share_tokens (user_id, share_id, token_hash) SELECT person, person, sha256('secret') FROM things;
INSERT INTO chat.conversation_imports (user_id, source, source_id, conversation_id) SELECT person, 'pgchat', 'x', conversation FROM things;
INSERT INTO chat_private.search_progress (user_id) SELECT person FROM things;
INSERT INTO chat_private.search_chunks (user_id, language, head, conversation_ids, words, grams) SELECT person, 'simple', '', '{}', '', '' FROM things;
INSERT INTO chat.personas (user_id, code, name, expertise, category, system_prompt) SELECT person, 'p', 'P', 'secret', 'own', 'secret' FROM things;
INSERT INTO chat.deliberations (user_id, id, problem_statement) SELECT person, person, 'secret' FROM things;
INSERT INTO chat.deliberation_participants (user_id, deliberation_id, persona_code, seat, name, expertise, system_prompt, seq) SELECT person, person, 'p', 1, 'P', 'secret', 'secret', 1 FROM things;
INSERT INTO chat.deliberation_steps (user_id, id, deliberation_id, kind, phase, round_number, model) SELECT person, person, person, 'initial', 'initial_round', 1, 'm' FROM things;
INSERT INTO chat.contributions (user_id, deliberation_id, persona_code, round_number, phase, content, model, seq) SELECT person, person, 'p', 1, 'initial_round', 'secret', 'm', 1 FROM things;
INSERT INTO chat.votes (user_id, deliberation_id, persona_code, choice, seq) SELECT person, person, 'p', 'secret', 1 FROM things;
INSERT INTO chat.deliberation_rounds (user_id, deliberation_id, round_number, speakers, verdict, seq) SELECT person, person, 1, 1, 'continue', 1 FROM things;
INSERT INTO chat.deliberation_checkpoints (user_id, deliberation_id, seq, event, phase, round_number, status, state, total_cost, total_tokens) SELECT person, person, 1, 'created', 'initial_round', 1, 'active', '{}', 0, 0 FROM things;
INSERT INTO chat.import_map (user_id, system, source_table, old_id, new_id) SELECT person, 'other', 'users', person, person FROM things;
INSERT INTO chat.subscriptions (user_id, provider, external_id, customer, status, started_at, event_at) SELECT person, 'stripe', 'sub_' || person, 'cus_' || person, 'active', now(), now() FROM things;
INSERT INTO chat.payments (user_id, provider, external_id, kind, customer, subscription, status, amount, currency, event_at, invoice_url)
SELECT person, 'stripe', 'in_' || person, 'payment', 'cus_' || person, 'sub_' || person, 'succeeded', 9.99, 'EUR', now(), 'https://example.com/' || person FROM things;
INSERT INTO chat_private.billing_customers (provider, customer_id, user_id) SELECT 'stripe', 'cus_' || person, person FROM things;
INSERT INTO chat.import_findings (user_id, system, source_table, old_id, kind, reason) SELECT person, 'other', 'users', person, 'changed', 'name_cut' FROM things;
SELECT chat.request_password_reset('alice@example.com'), chat.request_password_reset('bob@example.com');
SELECT count(*) FROM chat.outbox_claim(10);

CREATE TEMP TABLE owned ON COMMIT DROP AS
  SELECT c.oid::regclass AS name, a.attname AS owner, n.nspname AS schema
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = CASE c.oid WHEN 'chat.users'::regclass THEN 'id' ELSE 'user_id' END
  WHERE n.nspname IN ('chat', 'chat_private') AND c.relkind IN ('r', 'p') AND NOT a.attisdropped
    AND NOT c.relispartition;
CREATE FUNCTION pg_temp.rows_of(person uuid, name regclass, owner name) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM %s WHERE %I = %L', name, owner, person) INTO n;
  RETURN n;
END $$;
SELECT cmp_ok((SELECT count(*)::int FROM owned), '>=', 10, 'the user-owned tables are found');
SELECT is_empty(format('SELECT name FROM owned WHERE pg_temp.rows_of(%L, name, owner) = 0 OR pg_temp.rows_of(%L, name, owner) = 0',
                       :'alice', :'bob'), 'both people have rows in every one of them');
SELECT is_empty($$SELECT name FROM owned JOIN pg_class c ON c.oid = name WHERE NOT (relrowsecurity AND relforcerowsecurity)$$,
                'row security is enabled and forced on every one of them');

-- Each statement, on the other's rows, as the client role and as the role that pgchat's functions run as.
CREATE FUNCTION pg_temp.a_row(name regclass, owner name, person uuid) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  found jsonb;
BEGIN
  EXECUTE format('SELECT to_jsonb(t) FROM %s t WHERE %I = %L LIMIT 1', name, owner, person) INTO found;
  RETURN found;
END $$;
CREATE FUNCTION pg_temp.columns_of(name regclass) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
  WHERE a.attrelid = name AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
$$;
CREATE TEMP TABLE attempts ON COMMIT DROP AS
  SELECT o.name, role, kind, victim.person AS victim, thief.person AS thief, pg_temp.outcome(thief.person, statement, role) AS outcome
  FROM owned o, (VALUES ('pgchat_client'), ('pgchat_owner')) roles (role), things victim, things thief,
       LATERAL (VALUES
         ('select', format('SELECT * FROM %s WHERE %I = %L', o.name, o.owner, victim.person)),
         ('update', format('UPDATE %s SET %2$I = %2$I WHERE %2$I = %3$L', o.name, o.owner, victim.person)),
         ('delete', format('DELETE FROM %s WHERE %I = %L', o.name, o.owner, victim.person)),
         ('insert', format('INSERT INTO %1$s (%3$s) SELECT %3$s FROM jsonb_populate_record(NULL::%1$s, %2$L)', o.name,
                           pg_temp.a_row(o.name, o.owner, victim.person), pg_temp.columns_of(o.name)))) s (kind, statement)
  WHERE victim.person <> thief.person
    -- Read by functions that have no identity yet, or look at who asks; clients are refused below.
    AND (o.name NOT IN ('chat_private.login_names'::regclass, 'chat.audit_log'::regclass) OR role = 'pgchat_client');
SELECT is((SELECT count(*) FROM attempts), (SELECT (count(*) * 2 - 2) * 4 * 2 FROM owned), 'every table, role and statement was tried');
SELECT is_empty($$SELECT * FROM attempts WHERE outcome NOT IN ('0 rows', '42501')$$, 'nobody touches a row of another');
SELECT is_empty($$SELECT * FROM attempts WHERE kind = 'insert' AND outcome <> '42501'$$, 'nor adds one in another''s name');
SELECT is_empty($$SELECT * FROM attempts WHERE role = 'pgchat_client' AND name::text LIKE 'chat\_private.%' AND outcome <> '42501'$$,
                'clients do not even read chat_private');

-- The columns that clients may update, and no other.
SELECT is_empty(format($$SELECT o.name, a.attname FROM owned o JOIN pg_attribute a ON a.attrelid = o.name AND a.attnum > 0
  WHERE has_column_privilege('pgchat_client', o.name, a.attname, 'UPDATE')
    AND pg_temp.outcome(%L, format('UPDATE %%s SET %%2$I = %%2$I WHERE %%3$I = %%4$L', o.name, a.attname, o.owner, %L)) <> '0 rows'$$,
  :'bob', :'alice'), 'an allowed update reaches nobody else''s row');

-- Without an identity, and one's own rows, which shows that the attempts above could have succeeded. What the nil UUID owns is for all to read.
SELECT is_empty($$SELECT name, role FROM owned, (VALUES ('pgchat_client'), ('pgchat_owner')) roles (role)
  WHERE pg_temp.outcome(NULL, format('SELECT * FROM %s WHERE %I <> uuid %L', name, owner, '00000000-0000-0000-0000-000000000000'), role) NOT IN ('0 rows', '42501')
    AND NOT (name IN ('chat_private.login_names'::regclass, 'chat.audit_log'::regclass) AND role = 'pgchat_owner')$$, 'without an identity there are no rows');
SELECT is_empty(format($$SELECT name FROM owned WHERE schema = 'chat' AND name <> 'chat_private.login_names'::regclass
  AND pg_temp.outcome(%L, format('SELECT * FROM %%s WHERE %%I <> uuid %%L', name, owner, '00000000-0000-0000-0000-000000000000')) <> pg_temp.rows_of(%L, name, owner) || ' rows'$$, :'alice', :'alice'),
  'one''s own rows are all there, and nothing but them');
SELECT is(pg_temp.outcome(:'alice', 'TRUNCATE chat.messages'), '42501', 'clients cannot empty a table');

-- Nor does a right to all tables lead to rows: every table has row security, those that belong to nobody included.
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname IN ('chat', 'chat_private') AND c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity AND c.relforcerowsecurity)$$,
                'row security is enabled and forced on every table');
CREATE ROLE check_reader_of_all NOLOGIN IN ROLE pg_read_all_data, pg_write_all_data;
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname IN ('chat', 'chat_private') AND c.relkind IN ('r', 'p')
    AND pg_temp.outcome(NULL, format('SELECT * FROM %s', c.oid::regclass), 'check_reader_of_all') NOT IN ('0 rows', '42501')$$,
                'a role that may read all tables sees no row of them');
SELECT is(pg_temp.outcome(NULL, $$INSERT INTO chat.settings (key, value) VALUES ('registration', '"open"')$$, 'check_reader_of_all'), '42501',
          'nor does one that may write them change a setting');

-- Nor do the planner's estimates, which are made from everybody's rows, tell what others write.
INSERT INTO chat.conversations (user_id, id, title) SELECT :'alice', chat.uuid_v7(), 'a common title' FROM generate_series(1, 300);
ANALYZE chat.users, chat.conversations, chat.messages;
SELECT is_empty($$SELECT tablename, attname FROM pg_stats WHERE schemaname = 'chat'
  AND attname IN ('title', 'description', 'email', 'display_name', 'content', 'thinking', 'metadata', 'tags')$$, 'there are no statistics of what people write');
SELECT isnt_empty($$SELECT FROM pg_stats WHERE schemaname = 'chat' AND tablename = 'conversations' AND attname = 'user_id'$$, 'and there are of owners');
SELECT is(pg_temp.value(:'bob', $$EXPLAIN (FORMAT JSON) SELECT FROM chat.conversations WHERE title = 'a common title'$$)::json #>> '{0,Plan,Plan Rows}',
          pg_temp.value(:'bob', $$EXPLAIN (FORMAT JSON) SELECT FROM chat.conversations WHERE title = 'a title of nobody'$$)::json #>> '{0,Plan,Plan Rows}',
          'a title that is common is estimated like one that is not there');
SELECT * FROM finish();
ROLLBACK;
