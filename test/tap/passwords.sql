-- Passwords: changing one's own, resetting a forgotten one, and an administrator taking one away.
BEGIN;
\ir people.psql
SELECT plan(73);

-- change_password
SELECT pg_temp.log_in('bob', 'bob-password') AS bobs_other \gset
SELECT token_version AS version FROM chat.users WHERE id = :'bob' \gset
SELECT is(pg_temp.try(:'bob_token', 'SELECT chat.change_password($$wrong-password$$, $$a brand new one$$)'), '28P01', 'the old password must be right');
SELECT is(pg_temp.try(:'bob_token', statement), outcome, statement)
FROM (VALUES ('SELECT chat.change_password(NULL, $$a brand new one$$)', '22004'), ('SELECT chat.change_password($$bob-password$$, NULL)', '22004'),
             ('SELECT chat.change_password($$bob-password$$, $$short$$)', '22023'), ('SELECT chat.change_password($$bob-password$$, $$Password123$$)', '22023'),
             ('SELECT chat.change_password($$bob-password$$, $$BOB@example.com$$)', '22023'),
             ('SELECT chat.change_password($$bob-password$$, repeat($$xy$$, 500000))', '22023')) t (statement, outcome);
SELECT is(pg_temp.try(:'bobs_other', 'SELECT 1'), '1 rows', 'a change that is refused ends nothing');
SELECT is(pg_temp.try(:'bob_token', 'SELECT chat.change_password($$bob-password$$, $$a brand new one$$)'), '1 rows', 'a password is changed');
SELECT is(pg_temp.login_outcome('bob', 'bob-password'), '28P01', 'the old one no longer logs in');
SELECT is(pg_temp.login_outcome('bob', 'a brand new one'), 'ok', 'the new one does');
SELECT is(pg_temp.try(:'bob_token', 'SELECT 1'), '1 rows', 'the session that changed it goes on');
SELECT is(pg_temp.try(:'bobs_other', 'SELECT 1'), '28000', 'the others have ended');
SELECT cmp_ok((SELECT token_version FROM chat.users WHERE id = :'bob'), '>', :version, 'and so have signed tokens');
SELECT is(pg_temp.audited('password.change', 'user:' || :'bob'), 1, 'which is audited');
SELECT ok(pg_temp.mail_token('bob@example.com') LIKE 'Hello bob,%was changed%', 'and mailed');
SELECT chat.admin_set_setting('security_mails', 'false');
SELECT is(pg_temp.try(:'bob_token', 'SELECT chat.change_password($$a brand new one$$, $$another new one$$)'), '1 rows', 'a change');
SELECT is((SELECT count(*)::int FROM chat.outbox_claim(10)), 0, 'without a mail where they are off');
SELECT is(pg_temp.try(NULL, 'SELECT chat.change_password($$a$$, $$b$$)'), '28000', 'nobody has no password');

-- chosen domains
SELECT chat.admin_set_setting('password_change_domains', '["example.org"]');
SELECT is(pg_temp.try(:'bob_token', 'SELECT chat.change_password($$another new one$$, $$a third new one$$)'), '42501', 'only users of chosen domains change theirs');
SELECT is(pg_temp.login_outcome('bob', 'another new one'), 'ok', 'a refusal is no change');
SELECT is(pg_temp.audited('password.change', 'user:' || :'bob', 'refused'), 1, 'and is audited, though it was rolled back');
SELECT chat.request_password_reset('bob@example.com');
SELECT is((SELECT count(*)::int FROM chat.outbox_claim(10)), 0, 'nor reset it');
SELECT chat.admin_set_setting('password_change_domains', '["example.org", "example.com"]');
SELECT is(pg_temp.try(:'bob_token', 'SELECT chat.change_password($$another new one$$, $$a third new one$$)'), '1 rows', 'with the domain they do');
SELECT chat.request_password_reset('bob@example.com');
SELECT is(pg_temp.try(:'bob_token', 'SELECT chat.change_password($$a third new one$$, $$a fourth new one$$)'), '1 rows', 'a change while a mail waits');
SELECT is((SELECT count(*)::int FROM chat.outbox_claim(10)), 0, 'makes it bring no token any more');
SELECT chat.admin_set_setting('password_change_domains', NULL);

-- request_password_reset: one answer for all, few mails
SELECT is(pg_temp.try(NULL, format('SELECT chat.request_password_reset(%L)', address)), '1 rows', 'the same answer: ' || address)
FROM unnest(ARRAY['alice@example.com', 'nobody@example.com', 'no address at all', '', 'alice']) address;
SELECT is(pg_temp.try(NULL, 'SELECT chat.request_password_reset(NULL)'), '22004', 'but not for NULL');
SELECT is((SELECT string_agg(recipient, ',') FROM chat.outbox_claim(100)), 'alice@example.com', 'one mail, to the one account');
SELECT is((SELECT count(*)::int FROM chat_private.outbox WHERE recipient IS NULL), 0, 'of the others nothing is left');
SELECT count(chat.request_password_reset('alice@example.com')) FROM generate_series(1, 9);
SELECT is((SELECT count(*)::int FROM chat.outbox_claim(100)), 2, 'at most three mails an hour');
UPDATE chat_private.outbox SET created_at = created_at - interval '61 minutes' WHERE user_id = :'alice';
SELECT chat.request_password_reset('ALICE@example.com ');
SELECT pg_temp.mail_token('alice@example.com') AS token \gset
SELECT is(:'token' ~ '^pgt_[A-Za-z0-9_-]{64}$', true, 'an hour later there is another');
SELECT is(pg_temp.audited('password.reset_request', 'user:' || :'alice'), 4, 'each mail is audited');
SELECT is(pg_temp.audited('password.reset_request', NULL, 'refused') >= 4, true, 'and so are requests for nobody');

-- reset_password
SELECT is(pg_temp.try(NULL, statement), outcome, 'reset: ' || left(statement, 60))
FROM (VALUES (format('SELECT chat.reset_password(%L, $$short$$)', :'token'), '22023'),
             (format('SELECT chat.reset_password(%L, $$Password123$$)', :'token'), '22023'),
             (format('SELECT chat.reset_password(%L, NULL)', :'token'), '22004'),
             ('SELECT chat.reset_password(NULL, $$long enough now$$)', '22004'),
             ('SELECT chat.reset_password($$$$, $$long enough now$$)', 'PC301'),
             (format('SELECT chat.reset_password(%L, $$long enough now$$)', repeat('x', 1000000)), 'PC301'),
             (format('SELECT chat.reset_password(%L, $$long enough now$$)', :'alice_token'), 'PC301'),
             (format('SELECT chat.reset_password(%L, $$long enough now$$)', overlay(:'token' PLACING CASE substr(:'token', 50, 1) WHEN 'A' THEN 'B' ELSE 'A' END FROM 50)), 'PC301'),
             (format('SELECT chat.authenticate(%L)', :'token'), '28000'),
             (format('SELECT chat.authenticate(%L)', 'pgc_' || substr(:'token', 5)), '28000'),
             (format('SELECT chat.verify_email(%L)', :'token'), 'PC301')) t (statement, outcome);
SELECT is(pg_temp.login_outcome('alice', 'alice-password'), 'ok', 'asking changes nothing yet');
SELECT count(pg_temp.login_outcome('alice', 'wrong-password')) FROM generate_series(1, 6);
SELECT is(pg_temp.login_outcome('alice', 'alice-password'), '28P01', 'somebody guesses, and the account is locked');
SELECT is(pg_temp.try(NULL, format('SELECT chat.reset_password(%L, $$long enough now$$)', :'token')), '1 rows', 'the token resets the password');
SELECT is(pg_temp.login_outcome('alice', 'long enough now'), 'ok', 'to the new one, and lifts the lock');
SELECT is(pg_temp.login_outcome('alice', 'alice-password'), '28P01', 'from the old one');
SELECT is(pg_temp.try(:'alice_token', 'SELECT 1'), '28000', 'all sessions have ended');
SELECT is(pg_temp.try(NULL, format('SELECT chat.reset_password(%L, $$long enough too$$)', :'token')), 'PC301', 'once');
SELECT is((SELECT count(*)::int FROM chat_private.account_tokens WHERE user_id = :'alice'), 0, 'the tokens of other mails have gone with it');
SELECT ok((SELECT email_verified_at IS NOT NULL FROM chat.users WHERE id = :'alice'), 'the address counts as verified');
SELECT is(pg_temp.audited('password.reset', 'user:' || :'alice'), 1, 'which is audited');
SELECT is((chat.current_user_id()), NULL, 'nobody is logged in by it');

-- expired, disabled
UPDATE chat_private.outbox SET created_at = created_at - interval '61 minutes' WHERE user_id = :'alice';
SELECT chat.request_password_reset('alice@example.com');
SELECT pg_temp.mail_token('alice@example.com') AS token \gset
SELECT ok((SELECT expires_at - clock_timestamp() BETWEEN '59 minutes' AND '61 minutes' FROM chat_private.account_tokens WHERE user_id = :'alice'), 'a token works for an hour');
UPDATE chat_private.account_tokens SET expires_at = clock_timestamp() WHERE user_id = :'alice';
SELECT is(pg_temp.try(NULL, format('SELECT chat.reset_password(%L, $$long enough too$$)', :'token')), 'PC301', 'then it does not');
SELECT chat.request_password_reset('alice@example.com');
SELECT pg_temp.mail_token('alice@example.com') AS token \gset
SELECT chat.admin_set_active(:'alice', false);
SELECT is(pg_temp.try(NULL, format('SELECT chat.reset_password(%L, $$long enough too$$)', :'token')), 'PC301', 'nor for a disabled account');
SELECT chat.request_password_reset('alice@example.com');
SELECT is((SELECT count(*)::int FROM chat.outbox_claim(10)), 0, 'which gets no mail');

-- admin_reset_password
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_reset_password(%L)', :'worker')), '1 rows', 'an administrator takes a password away');
SELECT is(pg_temp.login_outcome('wendy', 'wendy-password-1'), '28P01', 'it no longer logs in');
SELECT is(pg_temp.try(:'worker_token', 'SELECT 1'), '28000', 'the sessions have ended');
SELECT pg_temp.mail_token('wendy@example.com') AS token \gset
SELECT pg_temp.got(:'admin_token', format('SELECT chat.admin_reset_password(%L, false)', :'worker')) AS second \gset
SELECT is(pg_temp.try(NULL, format('SELECT chat.reset_password(%L, $$long enough too$$)', :'token')), 'PC301', 'a second time ends the token of the first');
SELECT is(pg_temp.try(NULL, format('SELECT chat.reset_password(%L, $$long enough too$$)', :'second')), '1 rows', 'an operator without mail gets the token');
SELECT is(pg_temp.login_outcome('wendy', 'long enough too'), 'ok', 'with which the user chooses another');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_reset_password(%L)', :'guest')), '55000', 'a guest has none');
SELECT is(pg_temp.try(:'admin_token', format('SELECT chat.admin_reset_password(%L)', :'alice')), '55000', 'a disabled account gets none');
SELECT is(pg_temp.try(:'admin_token', 'SELECT chat.admin_reset_password(chat.uuid_v7())'), 'P0002', 'nor does one that is not there');
SELECT * FROM finish();
ROLLBACK;
