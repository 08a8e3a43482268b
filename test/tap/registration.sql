-- Registration: its modes, which passwords are refused, verifying the address, settings.
BEGIN;
\ir people.psql
SELECT plan(107);

-- modes
CREATE FUNCTION pg_temp.enter(address text, more text DEFAULT '') RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.try(NULL, format('SELECT chat.register(%L, ''entering-9-now''%s)', address, more))
$$;
SELECT is(pg_temp.enter('one@example.com'), '1 rows', 'registration is open at first');
SELECT is((SELECT (role, plan, supervisor_id, email_verified_at, consent_at, token_version)::text FROM chat.users WHERE email = 'one@example.com'),
          '(user,free,,,,1)', 'for users of the default plan');
SELECT is(pg_temp.audited('account.register', 'user:' || (SELECT id FROM chat.users WHERE email = 'one@example.com')), 1, 'which is audited');
SELECT chat.admin_set_setting('registration', '"closed"');
SELECT pg_temp.audited('account.register', NULL, 'refused') AS refusals \gset
SELECT is(pg_temp.enter('two@example.com'), '42501', 'closed to everybody');
SELECT cmp_ok(pg_temp.audited('account.register', NULL, 'refused'), '>', :refusals, 'a refusal is audited, though it was rolled back');
SELECT ok(pg_temp.hint_of(NULL, $$SELECT chat.register('two@example.com', 'entering-9-now')$$) IS NOT NULL, 'with a hint');
SELECT chat.admin_set_setting('registration', '"invitation"');
SELECT is(pg_temp.enter('two@example.com'), '42501', 'closed without an invitation');
SELECT chat.admin_set_setting('registration', '"domains"');
SELECT is(pg_temp.enter('two@example.com'), '42501', 'closed to all domains at first');
SELECT chat.admin_set_setting('registration_domains', '["example.org", "почта.рф"]');
SELECT is(pg_temp.enter(address), outcome, 'by domain: ' || address)
FROM (VALUES ('two@example.com', '42501'), ('two@example.org', '1 rows'), ('TWO2@Example.ORG', '1 rows'), ('two@sub.example.org', '42501'),
             ('two@example.org.evil.com', '42501'), ('a@ПОЧТА.рф', '1 rows'),
             -- What compares as @ makes one domain of two.
             (U&'two\FF20example.org@evil.com', '22023'), (U&'two\FE6Bexample.org@evil.com', '22023')) t (address, outcome);
SELECT is((SELECT count(*)::int FROM chat.users WHERE email = 'two@example.com'), 0, 'a refusal leaves nothing');
SELECT chat.admin_set_setting('registration', NULL), chat.admin_set_setting('consent_required', 'true');
SELECT is(pg_temp.enter('mask@example.com', format(', %L, consent => true', name)), '22023', 'no username compares as an address or as two words')
FROM (VALUES (U&'root\FF20example.com'), (U&'root\00A8x')) t (name);
SELECT is(pg_temp.enter('three@example.com'), '22023', 'consent can be required');
SELECT is(pg_temp.enter('three@example.com', ', consent => NULL'), '22023', 'and is not NULL');
SELECT is(pg_temp.enter('three@example.com', ', consent => true'), '1 rows', 'with it there is an account');
SELECT ok((SELECT consent_at IS NOT NULL FROM chat.users WHERE email = 'three@example.com'), 'which keeps the time');
SELECT chat.admin_set_setting('consent_required', NULL), chat.admin_set_setting('default_plan', '"pro"');
SELECT is(pg_temp.got(NULL, format('SELECT plan FROM chat.users WHERE id = %L', chat.register('four@example.com', 'entering-9-now')), 'pgchat_service'), 'pro', 'another default plan');
SELECT chat.admin_set_setting('default_plan', NULL);

-- passwords
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  hint text;
BEGIN
  EXECUTE statement;
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN SQLERRM || '|' || hint;
END $$;
CREATE FUNCTION pg_temp.password_outcome(password text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM chat_private.check_password(password, 'jonathan.smythe@example.com', 'jonnysmythe');
  RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END $$;
SELECT is(pg_temp.password_outcome(p), '22023', 'refused: ' || p)
FROM unnest(ARRAY['password', 'Password', 'PASSWORD1', 'password123', 'Passw0rd!', 'p@ssw0rd', 'P@$$w0rd1', '12345678', '123456789', '87654321', 'qwertyui',
  'qwertyuiop', 'asdfghjk', '1qaz2wsx', '1q2w3e4r', 'zaq12wsx', 'qwerty123', 'iloveyou', 'iloveyou2', 'aaaaaaaa', '11111111', 'abcabcabc', '12121212',
  'abcd1234', 'a1b2c3d4', 'letmein1', 'welcome1', 'football', 'princess1', 'Summer2024', 'summer2024!', '01011990', '19900101', '31121999', '19841984',
  'michael1', 'jennifer', 'trustno1', 'adminadmin', 'rootpassword', 'changeme', '1password', 'Jonathan1', 'jonathan.smythe@example.com', 'Jonathan.Smythe',
  'jonnysmythe', 'JONNYSMYTHE', 'short-7', '        ', repeat('é', 37)]) p;
SELECT is(pg_temp.password_outcome(p), 'ok', 'taken: ' || p)
FROM unnest(ARRAY['alice-password', 'correct horse battery', 'correct-horse-9', 'password-2', 'eight-by', 'пароль моего дома', repeat('é', 35) || 'xy', 'MyPasswordIsLong']) p;
SELECT cmp_ok((SELECT count(DISTINCT lower(w || n)) FROM unnest(chat_private.common_password_words()) w, unnest(ARRAY['', '1', '123', '2024', '!']) n
               WHERE octet_length(w || n) >= 8 AND chat_private.is_common_password(w || n))::int, '>=', 1000, 'more than a thousand are refused');
SELECT is_empty($$SELECT w FROM unnest(chat_private.common_password_words()) w GROUP BY w HAVING count(*) > 1 OR w !~ '^[a-z0-9]+$'$$, 'the words are words, once each');
SELECT chat.admin_set_setting('common_passwords_extra', '["Acme-Corp-1"]'), chat.admin_set_setting('common_passwords_allowed', '["summer2024"]');
SELECT is(pg_temp.password_outcome('acme-corp-1'), '22023', 'an administrator adds one');
SELECT is(pg_temp.password_outcome('Summer2024'), 'ok', 'and takes one away');
SELECT is((SELECT details::text FROM chat.audit_log WHERE action = 'admin.set_setting' AND resource = 'setting:common_passwords_extra' ORDER BY id DESC LIMIT 1), '{}',
          'which the audit log does not repeat');
SELECT is(pg_temp.error_of($$SELECT chat.register('s@example.com', 'Iloveyou1!')$$),
          'the password is one of the most common ones|Attackers try these first. A few unrelated words make a good password.', 'a refusal does not repeat the password');

-- verifying the address
SELECT is((SELECT count(*)::int FROM chat_private.outbox WHERE kind = 'verify_email'), 0, 'no mail goes out where none is needed');
SELECT chat.admin_set_setting('email_verification_required', 'true');
SELECT chat.register('vera@example.com', 'vera-password-1', 'vera') AS vera \gset
SELECT is(pg_temp.login_outcome('vera', 'vera-password-1'), 'PC302', 'the address must be verified first');
SELECT is(pg_temp.login_outcome('vera', 'wrong-password-1'), '28P01', 'which only the right password tells');
SELECT ok(pg_temp.hint_of(NULL, $$SELECT chat.login('vera', 'vera-password-1')$$) LIKE '%request_email_verification%', 'and what to do');
SELECT pg_temp.mail_token('vera@example.com') AS token \gset
SELECT is(:'token' ~ '^pgt_', true, 'the mail has a token');
SELECT is((SELECT count(*)::int FROM chat_private.account_tokens t WHERE encode(t.token_hash, 'escape') LIKE '%' || right(:'token', 20) || '%'), 0, 'which is not stored');
SELECT is(pg_temp.try(NULL, format('SELECT chat.verify_email(%L)', overlay(:'token' PLACING CASE substr(:'token', 50, 1) WHEN 'A' THEN 'B' ELSE 'A' END FROM 50))), 'PC301', 'another token does not verify');
SELECT is(pg_temp.try(NULL, format('SELECT chat.reset_password(%L, $$a new password$$)', :'token')), 'PC301', 'nor does it reset a password');
SELECT is(pg_temp.try(NULL, format('SELECT chat.verify_email(%L)', :'token')), '1 rows', 'the token verifies');
SELECT is(pg_temp.try(NULL, format('SELECT chat.verify_email(%L)', :'token')), 'PC301', 'once');
SELECT is(pg_temp.login_outcome('vera', 'vera-password-1'), 'ok', 'and the login is free');
SELECT is(pg_temp.audited('email.verify', 'user:' || :'vera'), 1, 'which is audited');
SELECT is(pg_temp.login_outcome('alice', 'alice-password'), 'PC302', 'older accounts must, too');
SELECT is(pg_temp.try(NULL, 'SELECT chat.request_email_verification($$Alice@example.com$$)'), '1 rows', 'anybody may ask for the mail');
SELECT pg_temp.mail_token('alice@example.com') AS token \gset
UPDATE chat_private.account_tokens SET expires_at = clock_timestamp() WHERE user_id = :'alice';
SELECT is(pg_temp.try(NULL, format('SELECT chat.verify_email(%L)', :'token')), 'PC301', 'an expired token does nothing');
SELECT is(pg_temp.try(NULL, 'SELECT chat.request_email_verification($$nobody@example.com$$)'), '1 rows', 'with the same answer where there is no account');
SELECT is(pg_temp.try(NULL, 'SELECT chat.request_email_verification($$vera@example.com$$)'), '1 rows', 'or nothing to verify');
SELECT is((SELECT count(*)::int FROM chat.outbox_claim(100)), 0, 'and no mail');
SELECT is(pg_temp.try(NULL, 'SELECT chat.verify_email(NULL)'), '22004', 'no token');
SELECT * FROM finish();
ROLLBACK;
