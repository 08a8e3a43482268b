-- Everything held about a person: all of it is handed out, and all of it goes with the account.
BEGIN;
\ir people.psql
SELECT plan(51);

-- The list of tables against the catalogue: a column that says user_id, or that names a user otherwise. A row of audit_erasures
-- names nobody who is still there.
CREATE TEMP TABLE personal ON COMMIT DROP AS
  SELECT c.oid::regclass AS name, a.attname AS column
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE c.relnamespace IN ('chat'::regnamespace, 'chat_private'::regnamespace) AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.atttypid = 'uuid'::regtype
    AND c.oid <> 'chat_private.audit_erasures'::regclass
    AND (a.attname ~ '(^|_)(user|owner|supervisor|worker)_id$' OR a.attname ~ '_by$' OR c.oid = 'chat.users'::regclass AND a.attname = 'id');
-- Those of the installation say who made a row; removal clears that.
SELECT is_empty($$SELECT name FROM personal WHERE name::oid NOT IN (SELECT t.name::regclass FROM chat_private.personal_tables() t)
                  AND name::text NOT IN ('chat_private.provider_endpoints', 'chat.group_model_access')$$, 'no table with a user in it is forgotten');
SELECT is_empty($$SELECT t.name FROM chat_private.personal_tables() t LEFT JOIN personal p ON p.name = t.name::regclass AND p.column = t.owner_column WHERE p.name IS NULL$$,
                'and each that is named has that column');
SELECT is_empty($$SELECT p.name, p.column FROM personal p JOIN chat_private.personal_tables() t ON t.name::regclass = p.name
                  WHERE p.column <> t.owner_column AND (p.name, p.column) NOT IN (VALUES ('chat.users'::regclass, 'supervisor_id'), ('chat.invitations', 'supervisor_id'), ('chat.invitations', 'invited_by'), ('chat.user_model_access', 'granted_by'), ('chat.deliberations', 'killed_by'))$$,
                'other columns that name a user are those that removal clears');
SELECT is_empty($$SELECT t.name, s FROM chat_private.personal_tables() t, unnest(t.secrets) s
                  WHERE t.name <> 'chat.audit_log' AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = t.name::regclass AND a.attname = s)$$, 'each secret is a column');
SELECT is_empty($$SELECT p.name, a.attname FROM (SELECT DISTINCT name FROM personal) p JOIN pg_attribute a ON a.attrelid = p.name AND a.attnum > 0
                  JOIN chat_private.personal_tables() t ON t.name::regclass = p.name
                  WHERE a.attname ~ '(hash|secret|token|salt|key)$' AND a.attname <> ALL (t.secrets || ARRAY['content_hash', 'idempotency_key', 'is_own_key'])$$, 'and what sounds like a secret is one');

-- Rows of alice and of bob in every table.
SELECT count(chat.login('alice', 'alice-password', ip_address => '192.0.2.9', user_agent => 'a browser'));
CREATE FUNCTION pg_temp.live(token text, mark text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  conversation uuid := pg_temp.got(token, format('SELECT chat.create_conversation(%L)', mark || ' title'));
BEGIN
  PERFORM pg_temp.got(token, format('SELECT chat.send_message(%L, %L)', conversation, mark || ' message'));
  PERFORM pg_temp.got(token, format('SELECT chat.llm_submit(%L)', mark || ' request'));
  PERFORM pg_temp.got(token, format('SELECT chat.update_settings(preferences => %L)', format('{"mark": "%s preference"}', mark)));
  PERFORM pg_temp.got(token, 'SELECT chat.accept_terms()');
END $$;
SELECT pg_temp.live(:'alice_token', 'canary'), pg_temp.live(:'bob_token', 'robin');
INSERT INTO chat.usage_events (user_id, request_id, conversation_id, message_id, model, provider, input_tokens, cost, outcome)
SELECT person, chat.uuid_v7(), chat.uuid_v7(), chat.uuid_v7(), 'm', 'p', 7, 0.25, 'complete' FROM (VALUES (:'alice'::uuid), (:'bob')) t (person), generate_series(1, 1500);
INSERT INTO chat.user_limits (user_id, limits) VALUES (:'alice', '{"cost_per_month": 1}'), (:'bob', '{}');
INSERT INTO chat.usage_rollups SELECT person, d, 'm', 'p', 2, 0, 0, 14, 0, 0, 0.5, 0
FROM (VALUES (:'alice'::uuid), (:'bob'), ('ffffffff-ffff-ffff-ffff-ffffffffffff')) t (person), (VALUES (date '2020-01-01'), ('2020-01-02')) v (d)
WHERE person <> 'ffffffff-ffff-ffff-ffff-ffffffffffff' OR d = '2020-01-01';
INSERT INTO chat_private.usage_totals SELECT 'user', day, user_id::text, 2, 0, 0, 14, 0, 0, 0.5, 0 FROM chat.usage_rollups WHERE day < '2020-02-01';
INSERT INTO chat.invitations (email, plan, expires_at, accepted_at, accepted_by, invited_by, supervisor_id)
VALUES ('alice@example.com', 'free', now(), now(), :'alice', :'bob', NULL), ('bob@example.com', 'free', now(), now(), :'bob', :'alice', :'alice');
INSERT INTO chat.user_model_access (user_id, model_id, granted_by) VALUES (:'alice', :'model', :'bob'), (:'bob', :'model', :'alice');
INSERT INTO chat.group_model_access (model_id, role, granted_by) VALUES (:'model', 'user', :'alice');
UPDATE chat_private.provider_endpoints SET created_by = :'alice';
INSERT INTO chat.identities (user_id, provider, subject) VALUES (:'alice', 'idp', 'a'), (:'bob', 'idp', 'b');
INSERT INTO chat.api_keys (user_id, id, provider_id, name) VALUES (:'alice', :'alice', chat.uuid_v7(), 'k'), (:'bob', :'bob', chat.uuid_v7(), 'k');
INSERT INTO chat_private.api_key_secrets (user_id, id, provider_id, sealed_key) SELECT user_id, id, provider_id, 'sealed' FROM chat.api_keys;
INSERT INTO chat_private.refresh_tokens (user_id, token_hash, session_id, expires_at)
SELECT user_id, convert_to('hash of ' || id, 'UTF8'), id, expires_at FROM chat.sessions WHERE user_id IN (:'alice', :'bob');
INSERT INTO chat_private.imported_tokens (token_hash, user_id, session_id)
SELECT sha256(uuid_send(id)), user_id, id FROM chat.sessions WHERE user_id IN (:'alice', :'bob');
INSERT INTO chat_private.totp_factors (user_id, sealed_key) VALUES (:'alice', 'sealed'), (:'bob', 'sealed');
INSERT INTO chat_private.totp_steps (user_id, factor_id, step) VALUES (:'alice', :'alice', 1), (:'bob', :'bob', 1);
INSERT INTO chat_private.recovery_codes (user_id, code_hash) VALUES (:'alice', 'hash'), (:'bob', 'hash');
INSERT INTO chat_private.used_recovery_codes (user_id, code_hash) VALUES (:'alice', 'hash'), (:'bob', 'hash');
CREATE TEMP VIEW spoken AS SELECT user_id AS person, conversation_id AS conversation, min(id::text)::uuid AS message FROM chat.messages GROUP BY 1, 2;
INSERT INTO chat.folders (user_id, name) SELECT person, 'f' FROM spoken;
INSERT INTO chat.system_prompts (user_id, name, content) SELECT person, 'p', 'text' FROM spoken;
INSERT INTO chat.conversation_templates (user_id, name) SELECT person, 't' FROM spoken;
INSERT INTO chat.conversation_summaries (user_id, conversation_id, last_message_id, content) SELECT person, conversation, message, 'text' FROM spoken;
INSERT INTO chat.attachments (user_id, id, sha256, media_type, byte_size) SELECT person, person, sha256('file'), 'text/plain', 4 FROM spoken;
INSERT INTO chat_private.attachment_data (user_id, attachment_id, data) SELECT person, person, 'file' FROM spoken;
INSERT INTO chat.message_attachments (user_id, message_id, position, attachment_id) SELECT person, message, 1, person FROM spoken;
INSERT INTO chat.conversation_shares (user_id, id, conversation_id, kind) SELECT person, person, conversation, 'link' FROM spoken;
INSERT INTO chat_private.share_tokens (user_id, share_id, token_hash) SELECT person, person, sha256('token') FROM spoken;
INSERT INTO chat.conversation_imports (user_id, source, source_id, conversation_id) SELECT person, 'pgchat', 'x', conversation FROM spoken;
INSERT INTO chat_private.search_progress (user_id) SELECT person FROM spoken;
INSERT INTO chat_private.search_chunks (user_id, language, head, conversation_ids, words, grams) SELECT person, 'simple', '', '{}', '', '' FROM spoken;
INSERT INTO chat.personas (user_id, code, name, expertise, category, system_prompt) SELECT person, 'p', 'P', 'text', 'own', 'text' FROM spoken;
INSERT INTO chat.deliberations (user_id, id, problem_statement) SELECT person, person, 'text' FROM spoken;
INSERT INTO chat.deliberation_participants (user_id, deliberation_id, persona_code, seat, name, expertise, system_prompt, seq) SELECT person, person, 'p', 1, 'P', 'text', 'text', 1 FROM spoken;
INSERT INTO chat.deliberation_steps (user_id, id, deliberation_id, kind, phase, round_number, model) SELECT person, person, person, 'initial', 'initial_round', 1, 'm' FROM spoken;
INSERT INTO chat.contributions (user_id, deliberation_id, persona_code, round_number, phase, content, model, seq) SELECT person, person, 'p', 1, 'initial_round', 'text', 'm', 1 FROM spoken;
INSERT INTO chat.votes (user_id, deliberation_id, persona_code, choice, seq) SELECT person, person, 'p', 'text', 1 FROM spoken;
INSERT INTO chat.deliberation_rounds (user_id, deliberation_id, round_number, speakers, verdict, seq) SELECT person, person, 1, 1, 'continue', 1 FROM spoken;
INSERT INTO chat.deliberation_checkpoints (user_id, deliberation_id, seq, event, phase, round_number, status, state, total_cost, total_tokens) SELECT person, person, 1, 'created', 'initial_round', 1, 'active', '{}', 0, 0 FROM spoken;
INSERT INTO chat.import_map (user_id, system, source_table, old_id, new_id) SELECT person, 'other', 'users', person, person FROM spoken;
INSERT INTO chat.subscriptions (user_id, provider, external_id, customer, status, started_at, event_at) SELECT person, 'stripe', 'sub_' || person, 'cus_' || person, 'active', now(), now() FROM spoken;
INSERT INTO chat.payments (user_id, provider, external_id, kind, customer, subscription, status, amount, currency, event_at, invoice_url)
SELECT person, 'stripe', 'in_' || person, 'payment', 'cus_' || person, 'sub_' || person, 'succeeded', 9.99, 'EUR', now(), 'https://example.com/' || person FROM spoken;
INSERT INTO chat_private.billing_customers (provider, customer_id, user_id) SELECT 'stripe', 'cus_' || person, person FROM spoken;
INSERT INTO chat.import_findings (user_id, system, source_table, old_id, kind, reason) SELECT person, 'other', 'users', person, 'changed', 'name_cut' FROM spoken;
SELECT chat.request_password_reset('alice@example.com'), chat.request_password_reset('bob@example.com');
SELECT substring(body FROM 'pgt_[A-Za-z0-9_-]{64}') AS mailed FROM chat.outbox_claim(10) WHERE recipient = 'alice@example.com' \gset

-- export_my_data
SELECT pg_temp.got(:'alice_token', 'SELECT chat.export_my_data()') AS export \gset
SELECT is(:'export'::jsonb ->> 'user_id', :'alice', 'the export says whose it is');
SELECT is_empty(format($$SELECT t.name FROM chat_private.personal_tables() t WHERE jsonb_array_length(%L::jsonb -> 'tables' -> t.name) = 0$$, :'export'), 'it has rows of every table');
SELECT is_empty(format($$SELECT DISTINCT name, r ->> t.owner_column FROM chat_private.personal_tables() t, jsonb_array_elements(%L::jsonb -> 'tables' -> t.name) r
                         WHERE r ->> t.owner_column IS DISTINCT FROM %L$$, :'export', :'alice'), 'all of them one''s own');
SELECT is(jsonb_array_length(:'export'::jsonb -> 'tables' -> 'chat.usage_events'), 1500, 'and all there are');
SELECT ok(strpos(:'export', text) > 0, 'it holds: ' || text)
FROM unnest(ARRAY['alice@example.com', 'canary title', 'canary message', 'canary request', 'canary preference', 'account.consent']) text;
SELECT is(strpos(:'export', 'robin'), 0, 'it holds nothing of another');
SELECT is_empty(format($$SELECT secret FROM (SELECT password_hash FROM chat_private.credentials UNION ALL SELECT %L UNION ALL SELECT %L UNION ALL SELECT 'alice-password'
    UNION ALL SELECT token_hash::text FROM chat_private.session_tokens UNION ALL SELECT token_hash::text FROM chat_private.imported_tokens UNION ALL SELECT token_hash::text FROM chat_private.account_tokens) s (secret)
  WHERE strpos(%L, secret) > 0$$, :'alice_token', :'mailed', :'export'), 'and no secret');
SELECT is(pg_temp.try(NULL, 'SELECT chat.export_my_data()'), '28000', 'nobody has no data');

-- delete_my_account
CREATE FUNCTION pg_temp.rows_left(person uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  p record;
  n bigint;
  result text;
BEGIN
  FOR p IN SELECT * FROM personal WHERE name <> 'chat.audit_log'::regclass ORDER BY name::text LOOP
    EXECUTE format('SELECT count(*) FROM %s WHERE %I = %L', p.name, p.column, person) INTO n;
    IF n > 0 THEN
      result := concat_ws(', ', result, format('%s.%s: %s', p.name, p.column, n));
    END IF;
  END LOOP;
  RETURN result;
END $$;
SELECT ok(pg_temp.rows_left(:'alice') LIKE '%chat.invitations.invited_by: 1%chat.messages.user_id: 2%', 'there are rows to remove');
SELECT is(pg_temp.try(:'alice_token', 'SELECT chat.delete_my_account($$wrong-password$$)'), '28P01', 'the password must be right');
SELECT is(pg_temp.try(:'alice_token', 'SELECT chat.delete_my_account()'), '22004', 'and given');
SELECT is(pg_temp.try(:'alice_token', 'SELECT chat.delete_my_account($$alice-password$$)'), '1 rows', 'an account is removed');
SELECT is(pg_temp.rows_left(:'alice'), NULL, 'with every row about it');
SELECT is((SELECT (count(*), sum(cost), count(conversation_id), count(message_id), count(request_id))::text FROM chat.usage_events WHERE user_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
          '(1500,375.00,0,0,0)', 'what was spent stays known, as nobody''s');
SELECT is((SELECT string_agg(concat_ws(' ', day, attempts, input_tokens, cost), ', ' ORDER BY day) FROM chat.usage_rollups
           WHERE user_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff' AND day < '2020-02-01'), '2020-01-01 4 28 1.0, 2020-01-02 2 14 0.5', 'in the sums, too');
SELECT is((SELECT string_agg(concat_ws(' ', key, day, attempts, cost), ', ' ORDER BY day, attempts DESC) FROM chat_private.usage_totals
           WHERE kind = 'user' AND day < '2020-02-01' AND key <> :'bob'),
          'ffffffff-ffff-ffff-ffff-ffffffffffff 2020-01-01 4 1.0, ffffffff-ffff-ffff-ffff-ffffffffffff 2020-01-02 2 0.5', 'by user');
SELECT is((SELECT count(*)::int FROM chat.usage_events WHERE user_id = :'bob'), 1500, 'that of others stays theirs');
SELECT is((SELECT to_jsonb(p) - ARRAY['created_at', 'updated_at', 'event_at'] FROM chat.payments p WHERE user_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'), format('{"user_id": "ffffffff-ffff-ffff-ffff-ffffffffffff",
  "provider": "stripe", "external_id": "in_%s#%s", "kind": "payment", "customer": null, "subscription": null, "refund_of": null, "plan": null, "status": "succeeded", "amount": 9.99, "currency": "EUR",
  "paid_at": null, "failure_reason": null, "invoice_url": null, "invoice_pdf_url": null, "event_order": 0}', :'alice', encode(substr(sha256(convert_to(format('["cus_%s", "in_%s"]', :'alice', :'alice'), 'UTF8')), 1, 16), 'hex'))::jsonb, 'what was paid is kept, without the person');
SELECT is((SELECT count(*)::int FROM chat.payments WHERE user_id = :'bob' AND invoice_url IS NOT NULL), 1, 'that of others as it was');
SELECT is((SELECT user_id::text FROM chat_private.billing_customers WHERE customer_id = 'cus_' || :'alice'), 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'and later events are nobody''s');
SELECT is((SELECT count(*)::int FROM chat.conversations WHERE user_id = :'bob'), 1, 'as do their conversations');
SELECT is((SELECT (invited_by, supervisor_id)::text FROM chat.invitations WHERE accepted_by = :'bob'), '(,)', 'who invited somebody is forgotten');
SELECT is(pg_temp.audited('account.delete', 'user:' || :'alice'), 1, 'the audit log keeps that it was removed');
SELECT is_empty(format($$SELECT a.action, a.details FROM chat.audit_log a WHERE (a.user_id = %1$L OR a.resource = 'user:' || %1$L) AND (a.details::text ~* 'alice|canary' OR a.resource ~* 'alice')$$, :'alice'),
                'and nothing that says who it was');
SELECT ok((SELECT count(ip_address) > 0 FROM chat.audit_log WHERE user_id = :'alice'), 'where from is known until the removal is committed');
SELECT set_config('role', 'pgchat_engine', true), chat_private.erase_audit_origins(10000), set_config('role', 'none', true);
SELECT is((SELECT (count(*) > 0, count(ip_address), count(user_agent))::text FROM chat.audit_log WHERE user_id = :'alice'), '(t,0,0)', 'nor from where');
SELECT is(pg_temp.try(:'alice_token', 'SELECT 1'), '28000', 'its token is refused');
SELECT is(pg_temp.login_outcome('alice', 'alice-password'), '28P01', 'its name leads nowhere');
SELECT isnt(chat.register('alice@example.com', 'alice-password', 'alice'), :'alice', 'and can be taken again, by somebody new');

-- without a password; by an administrator; a supervisor
SELECT is(pg_temp.try(:'guest_token', 'SELECT chat.delete_my_account()'), '1 rows', 'a guest needs no password');
SELECT is(pg_temp.rows_left(:'guest'), NULL, 'to be forgotten');
SELECT is(pg_temp.try(:'supa_token', format('SELECT chat.admin_delete_user(%L)', :'worker')), '42501', 'a supervisor removes nobody');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_delete_user(%L)', :'supa')), '1 rows', 'an administrator does');
SELECT is(pg_temp.rows_left(:'supa'), NULL, 'with every row');
SELECT is((SELECT supervisor_id FROM chat.users WHERE id = :'worker'), NULL, 'and the workers stay, without a supervisor');
SELECT is(pg_temp.audited('admin.delete_user', 'user:' || :'supa'), 1, 'which is audited');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_delete_user(%L)', :'supa')), 'P0002', 'once');
SELECT user_id AS lost FROM chat.register_guest() \gset
SELECT user_id AS fresh FROM chat.register_guest() \gset
SELECT user_id AS used FROM chat.register_guest() \gset
UPDATE chat.users SET created_at = created_at - interval '31 days' WHERE id IN (:'lost', :'used');
UPDATE chat.sessions SET last_activity_at = last_activity_at - interval '31 days' WHERE user_id = :'lost';
SELECT is(pg_temp.got(:'admin_token', 'SELECT chat.admin_remove_lost_guests()'), '1', 'a guest whom nothing leads to is removed');
SELECT is(pg_temp.rows_left(:'lost'), NULL, 'with every row');
SELECT is((SELECT count(*)::int FROM chat.users WHERE id IN (:'fresh', :'used')), 2, 'one who is new, or comes back, is not');
SELECT is(pg_temp.try(:'admin_token', 'SELECT chat.admin_remove_lost_guests(NULL)'), '22004', 'idle is some time');
SELECT * FROM finish();
ROLLBACK;
