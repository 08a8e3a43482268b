-- The second factor, by persona: nobody, a user, another user, and a session that still needs its second factor.
BEGIN;
\ir setup.psql
SELECT plan(110);
-- Three steps have a right code at any time, each of which works once. A step must not end between two uses of them.
CREATE FUNCTION pg_temp.code(secret text, steps_later integer DEFAULT 0, algorithm text DEFAULT 'SHA1', digits integer DEFAULT 6)
RETURNS text LANGUAGE sql AS
  $$SELECT chat.totp_generate(secret, clock_timestamp() + steps_later * interval '30 seconds', algorithm, digits)$$;
CREATE FUNCTION pg_temp.await_fresh_step() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF extract(epoch FROM clock_timestamp())::numeric % 30 > 20 THEN
    PERFORM pg_sleep(30.01 - extract(epoch FROM clock_timestamp())::numeric % 30);
  END IF;
END $$;
-- A client presents a session's token and runs a query: its first value, or the SQLSTATE.
CREATE FUNCTION pg_temp.in_session(token text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  PERFORM set_config('role', 'pgchat_client', true);
  BEGIN
    PERFORM chat.authenticate(token);
    EXECUTE query INTO result;
  EXCEPTION WHEN OTHERS THEN
    result := SQLSTATE;
  END;
  PERFORM set_config('role', 'none', true);
  PERFORM set_config(name, '', true) FROM pg_settings WHERE name LIKE 'app.%';
  RETURN coalesce(result, 'NULL');
END $$;
CREATE FUNCTION pg_temp.login(name text, code text DEFAULT NULL, OUT token text, OUT mfa_required boolean) LANGUAGE sql AS
  $$SELECT session_token, mfa_required FROM chat.login(name, name || '-password', code)$$;
CREATE FUNCTION pg_temp.try_login(name text, code text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT CASE WHEN l.mfa_required THEN 'half' ELSE 'full' END FROM pg_temp.login(name, code) l);
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END $$;
CREATE FUNCTION pg_temp.set(setting text, setting_value jsonb) RETURNS void LANGUAGE sql AS
  $$INSERT INTO chat.settings (key, value) VALUES (setting, setting_value) ON CONFLICT (key) DO UPDATE SET value = excluded.value$$;
CREATE FUNCTION pg_temp.status(person uuid) RETURNS text LANGUAGE sql AS
  $$SELECT pg_temp.value(person, 'SELECT s::text FROM chat.mfa_status() s')$$;
CREATE FUNCTION pg_temp.enroll(person uuid, arguments text DEFAULT '') RETURNS text LANGUAGE sql AS
  $$SELECT pg_temp.value(person, format('SELECT secret FROM chat.totp_enroll(%s)', arguments))$$;
CREATE FUNCTION pg_temp.verify(person uuid, code text) RETURNS text LANGUAGE sql AS
  $$SELECT pg_temp.outcome(person, format('SELECT chat.totp_verify(%L)', code))$$;

-- Nobody.
SELECT is(pg_temp.outcome(NULL, 'SELECT chat.' || call), '28000', 'nobody is told to authenticate: ' || call)
FROM unnest(ARRAY['totp_enroll()', 'totp_verify(''000000'')', 'totp_disable(''alice-password'')', 'generate_recovery_codes()', 'mfa_status()']) call;
SELECT is(pg_temp.outcome(:'bob', 'SELECT chat_private.' || call, db_role), '42501', db_role || ' may not call ' || call)
FROM unnest(ARRAY['seal(''totp'', NULL, NULL, NULL)', 'check_second_factor(NULL, NULL)', 'mfa_state(NULL)',
  'ledger_use_totp_step(NULL)', 'ledger_use_recovery_code(NULL)', 'new_recovery_code(NULL)']) call,
  unnest(ARRAY['pgchat_client', 'pgchat_service']) db_role;

-- Without an app.
SELECT is(pg_temp.status(:'alice'), '(none,t,0)', 'at first there is none');
SELECT is(pg_temp.verify(:'alice', '000000'), '55000', 'nothing waits for a code');
SELECT ok(pg_temp.hint(:'alice', 'SELECT chat.totp_verify($$000000$$)') LIKE '%chat.totp_enroll%', 'the hint says what to do');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.generate_recovery_codes()'), '55000', 'recovery codes stand in for an app');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.totp_disable($$alice-password$$)'), '55000', 'there is nothing to disable');
SELECT is(pg_temp.try_login('alice', '000000'), 'full', 'a code that nobody wants is not looked at');

-- Who may enrol, and how.
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.totp_enroll(' || arguments || ')'), state, 'totp_enroll(' || arguments || ')')
FROM (VALUES ('NULL', '22004'), ('digits => NULL', '22004'), ('$$MD5$$', '22023'), ('digits => 7', '22023')) t (arguments, state);
SELECT pg_temp.set('totp_domains', '["corp.example"]');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.totp_enroll()'), '42501', 'not every domain may enrol');
SELECT is(pg_temp.status(:'alice'), '(none,f,0)', 'and can know it');
SELECT pg_temp.set('totp_domains', '["example.com"]');
SELECT is(pg_temp.status(:'alice'), '(none,t,0)', 'a domain that may');

-- Enrolling.
SELECT pg_temp.set('app_name', '"My: app"');
SELECT chat_private.set_identity(:'alice', 'user', NULL, true);
SELECT secret, otpauth_uri, qr_svg FROM chat.totp_enroll() \gset first_
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
SELECT ok(:'first_secret' ~ '^[A-Z2-7]{32}$', 'a secret of 160 bits in base32');
SELECT is(:'first_otpauth_uri'::text, 'otpauth://totp/My%20%20app:alice%40example.com?secret=' || :'first_secret'
          || '&issuer=My%20%20app&algorithm=SHA1&digits=6&period=30', 'the URI that apps read');
SELECT ok(xml_is_well_formed_document(:'first_qr_svg') AND (length(:'first_qr_svg') - length(replace(:'first_qr_svg', '<path', ''))) = 5,
          'the QR code is XML, with one path');
SELECT is(pg_temp.status(:'alice'), '(none,t,0)', 'nothing is asked for before it is confirmed');
SELECT is(pg_temp.try_login('alice', NULL), 'full', 'by no login');
SELECT is((SELECT count(*)::int FROM chat_private.totp_factors f WHERE f.user_id = :'alice' AND confirmed_at IS NULL), 1, 'it is stored');
SELECT ok(NOT EXISTS (SELECT FROM chat_private.totp_factors f WHERE position(convert_to(:'first_secret', 'UTF8') IN f.sealed_key) > 0
                      OR octet_length(f.sealed_key) <> 1 + 8 + 12 + 20 + 16), 'sealed');
SELECT pg_temp.await_fresh_step();
SELECT pg_temp.enroll(:'alice') AS secret \gset
SELECT isnt(:'secret', :'first_secret'::text, 'enrolling again gives another secret');
SELECT is((SELECT count(*)::int FROM chat_private.totp_factors f WHERE f.user_id = :'alice'), 1, 'in place of the first');
SELECT is(pg_temp.verify(:'alice', pg_temp.code(:'first_secret')), '28P01', 'whose codes are wrong now');
SELECT is(pg_temp.verify(:'bob', pg_temp.code(:'secret')), '55000', 'another user confirms nothing with it');
SELECT is(pg_temp.verify(:'alice', NULL), '22004', 'a code must be given');
SELECT is(pg_temp.verify(:'alice', pg_temp.code(:'secret', -2)), '28P01', 'a code of a minute ago is too old');
SELECT is(pg_temp.verify(:'alice', pg_temp.code(:'secret', 2)), '28P01', 'one of the next minute too new');
SELECT is(pg_temp.verify(:'alice', overlay(pg_temp.code(:'secret', -1) PLACING ' ' FROM 4 FOR 0)), '1 rows', 'the code of the step before confirms');
SELECT is(pg_temp.status(:'alice'), '(enrolled,f,0)', 'the app is enrolled');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.totp_enroll()'), '55000', 'another one must wait until it is disabled');
SELECT is(pg_temp.verify(:'alice', pg_temp.code(:'secret')), '55000', 'a full session has nothing to verify');

-- Logging in: a session that still needs its second factor.
SELECT token AS half, mfa_required FROM pg_temp.login('alice') \gset
SELECT is(:'mfa_required'::text, 't', 'the password alone is half a login');
SELECT is(pg_temp.in_session(:'half', 'SELECT chat.current_user_id()'), 'NULL', 'it authenticates nobody');
SELECT is(pg_temp.in_session(:'half', 'SELECT chat.' || call), '28000', 'half a login may not call ' || call)
FROM unnest(ARRAY['me()', 'list_conversations()', 'create_conversation()', 'generate_recovery_codes()', 'totp_disable(''alice-password'')',
                  'llm_complete(''x'')', 'logout()']) call;
SELECT is(pg_temp.in_session(:'half', 'SELECT count(*) FROM chat.users'), '0', 'nor see rows');
SELECT is(pg_temp.in_session(:'half', 'SELECT s::text FROM chat.mfa_status() s'), '(enrolled,f,0)', 'it may see what is missing');
SELECT is(pg_temp.in_session(:'half', 'SELECT chat.totp_enroll()'), '55000', 'and not put another app in place of the first');
SELECT is(pg_temp.in_session(:'half', format('SELECT chat.totp_verify(%L)', pg_temp.code(:'secret', -1))), '28P01', 'a used code is wrong');
SELECT is(pg_temp.in_session(:'half', format('SELECT chat.totp_verify(%L)', pg_temp.code(:'first_secret'))), '28P01', 'as is another secret''s');
SELECT is(pg_temp.in_session(:'half', format('SELECT (chat.me()).username FROM chat.totp_verify(%L)', pg_temp.code(:'secret'))), 'alice',
          'the right code makes it a full session, at once');
SELECT is(pg_temp.in_session(:'half', 'SELECT (chat.me()).username'), 'alice', 'and from then on');
SELECT is((SELECT failures FROM chat_private.login_attempts WHERE kind = 'account' AND key = uuid_send(:'alice')), NULL, 'wrong codes before are forgotten');
SELECT is(pg_temp.try_login('alice', pg_temp.code(:'secret')), '28P01', 'its code works for no other login');
SELECT is(pg_temp.try_login('alice', pg_temp.code(:'secret', 1)), 'full', 'a fresh one is taken with the password');
SELECT is(pg_temp.try_login('alice', pg_temp.code(:'secret', 1)), '28P01', 'once');
SELECT is(pg_temp.try_login('alice', ''), '28P01', 'an empty code is none');

-- Recovery codes.
SELECT chat_private.set_identity(:'alice', 'user', NULL, true);
CREATE TEMP TABLE codes ON COMMIT DROP AS SELECT row_number() OVER ()::int AS n, code FROM chat.generate_recovery_codes() code;
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
SELECT is((SELECT count(DISTINCT code)::int FROM codes WHERE code ~ '^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}$'), 10, 'ten codes');
SELECT is((SELECT count(*)::int FROM chat_private.recovery_codes r JOIN codes c ON r.code_hash =
             sha256(uuid_send(:'alice') || convert_to(replace(c.code, '-', ''), 'UTF8'))), 10, 'of which only hashes are stored');
SELECT is(pg_temp.try_login('alice', (SELECT upper(code) FROM codes WHERE n = 1)), 'full', 'one stands in for the app');
SELECT is(pg_temp.try_login('alice', (SELECT code FROM codes WHERE n = 1)), '28P01', 'once');
SELECT is(pg_temp.status(:'alice'), '(enrolled,f,9)', 'nine are left');
SELECT token AS half FROM pg_temp.login('alice') \gset
SELECT is(pg_temp.in_session(:'half', format('SELECT (chat.me()).username FROM chat.totp_verify(%L)',
            (SELECT replace(code, '-', ' ') FROM codes WHERE n = 2))), 'alice', 'it makes half a login whole too');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.generate_recovery_codes()'), '10 rows', 'ten new ones');
SELECT is(pg_temp.try_login('alice', (SELECT code FROM codes WHERE n = 3)), '28P01', 'end the old ones');
SELECT is(pg_temp.status(:'alice'), '(enrolled,f,10)', 'and count anew');

-- Another user, with another kind of app.
SELECT pg_temp.enroll(:'bob', '$$sha512$$, 8') AS bobs \gset
SELECT is(pg_temp.verify(:'bob', pg_temp.code(:'bobs', 0, 'SHA512', 6)), '28P01', 'six digits of an app that shows eight');
SELECT is(pg_temp.verify(:'bob', pg_temp.code(:'bobs', 0, 'SHA512', 8)), '1 rows', 'SHA512 and eight digits');
SELECT is(pg_temp.try_login('bob', (SELECT code FROM codes WHERE n = 4)), '28P01', 'one''s recovery code is none of another');
SELECT chat.admin_unlock_user(:'alice'), chat.admin_unlock_user(:'bob');
SELECT is(pg_temp.try_login('bob', pg_temp.code(:'secret', 0)), '28P01', 'one''s app is none of another');

-- A sealed key is of use in its own row only.
SELECT set_config('test.sealed', encode(sealed_key, 'hex'), true) FROM chat_private.totp_factors f WHERE f.user_id = :'bob';
UPDATE chat_private.totp_factors b SET sealed_key = a.sealed_key, algorithm = 'SHA1', digits = 6
FROM chat_private.totp_factors a WHERE a.user_id = :'alice' AND b.user_id = :'bob';
SELECT is(pg_temp.try_login('bob', pg_temp.code(:'secret', 0)), 'PC202', 'in another user''s row it cannot be opened');
UPDATE chat_private.totp_factors b SET sealed_key = decode(current_setting('test.sealed'), 'hex'), algorithm = 'SHA512', digits = 8, id = chat.uuid_v7()
WHERE b.user_id = :'bob';
SELECT is(pg_temp.try_login('bob', pg_temp.code(:'bobs', 1, 'SHA512', 8)), 'PC202', 'nor in another row of the same user');
SELECT chat_private.remove_second_factor(:'bob', NULL);

-- Too many wrong codes.
SELECT chat.admin_unlock_user(:'alice');
SELECT token AS half FROM pg_temp.login('alice') \gset
SELECT pg_temp.in_session(:'half', 'SELECT chat.totp_verify($$000000$$)') FROM generate_series(1, 5);
SELECT is(pg_temp.in_session(:'half', format('SELECT chat.totp_verify(%L)', (SELECT code FROM chat_private.act_as(:'alice'),
            chat.generate_recovery_codes() code LIMIT 1))), '28P01', 'after five wrong codes a right one is refused');
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
SELECT is(pg_temp.try_login('alice', NULL), '28P01', 'and the password');
SELECT chat.admin_unlock_user(:'alice');

-- A role that must have an app.
SELECT pg_temp.set('totp_required_roles', '["supervisor"]'), pg_temp.set('totp_domains', '["corp.example"]');
UPDATE chat.users SET role = 'supervisor' WHERE id = :'bob';
SELECT token AS half, mfa_required FROM pg_temp.login('bob', '000000') \gset
SELECT is(:'mfa_required'::text, 't', 'a role that must have an app');
SELECT is(pg_temp.in_session(:'half', 'SELECT s::text FROM chat.mfa_status() s'), '(required,t,0)', 'may enrol one, whatever its domain');
SELECT is(pg_temp.in_session(:'half', 'SELECT chat.me()'), '28000', 'and nothing else');
SELECT pg_temp.in_session(:'half', 'SELECT secret FROM chat.totp_enroll()') AS bobs \gset
SELECT is(pg_temp.in_session(:'half', format('SELECT (chat.me()).username FROM chat.totp_verify(%L)', pg_temp.code(:'bobs'))), 'bob',
          'confirming it completes the login');
SELECT is(pg_temp.in_session(:'half', 'SELECT chat.totp_disable($$wrong-password$$)'), '28P01', 'disabling it takes the password');
SELECT is(pg_temp.in_session(:'half', 'SELECT chat.totp_disable(NULL)'), '22004', 'a NULL is none');
SELECT pg_temp.in_session(:'half', 'SELECT chat.totp_disable($$bob-password$$)');
SELECT is(pg_temp.in_session(:'half', 'SELECT s::text FROM chat.mfa_status() s'), '(required,t,0)', 'and makes the session half again');
SELECT is(pg_temp.in_session(:'half', 'SELECT chat.me()'), '28000', 'which may do nothing but enrol');

-- Administrators, and the end of an account.
SELECT is(pg_temp.outcome(:'bob', format('SELECT chat.admin_remove_second_factor(%L)', :'alice')), '42501', 'users remove nobody''s');
SELECT is(pg_temp.outcome(NULL, 'SELECT chat.admin_remove_second_factor(NULL)', 'pgchat_service'), '22004', 'a user must be named');
SELECT is(pg_temp.outcome(NULL, format('SELECT chat.admin_remove_second_factor(%L)', :'bob'), 'pgchat_service'), 'P0002', 'bob has none');
SELECT cmp_ok((SELECT count(*)::int FROM chat_private.totp_steps s WHERE s.user_id = :'alice'), '>=', 3, 'used steps are remembered');
SELECT is(pg_temp.outcome(NULL, format('SELECT chat.admin_remove_second_factor(%L)', :'alice'), 'pgchat_service'), '1 rows', 'operators remove one');
SELECT is(pg_temp.status(:'alice'), '(none,f,0)', 'with its recovery codes');
SELECT is(pg_temp.outcome(:'bob', format('SELECT chat.admin_import_totp(%L, %L)', :'alice', :'secret')), '42501', 'users import nothing');
SELECT is(pg_temp.outcome(NULL, format('SELECT chat.admin_import_totp(%L, %s)', coalesce(person, :'alice'), arguments), 'pgchat_service'), state,
          'admin_import_totp(' || arguments || ') gives ' || state)
FROM (VALUES (NULL, 'NULL', '22004'), (NULL, '$$not base32$$', '22023'), (NULL, '$$MFRGGZDF$$, $$MD5$$', '22023'), (NULL, '$$MFRGGZDF$$, digits => 7', '22023'),
             (chat.uuid_v7()::text, '$$MFRGGZDF$$', 'P0002'), (NULL, '$$mfrg gzdf$$, $$sha256$$, 8', '1 rows'), (NULL, '$$MFRGGZDF$$', 'P0002')) t (person, arguments, state);
SELECT pg_temp.await_fresh_step();
SELECT is(pg_temp.try_login('alice', pg_temp.code('MFRGGZDF', 0, 'SHA256', 8)), 'full', 'an app of another system goes on working');
DELETE FROM chat.users WHERE id = :'alice';
SELECT is((SELECT count(*)::int FROM chat_private.totp_steps s WHERE s.user_id = :'alice')
          + (SELECT count(*)::int FROM chat_private.used_recovery_codes c WHERE c.user_id = :'alice'), 0, 'nothing stays of a user who is deleted');
SELECT * FROM finish();
ROLLBACK;
