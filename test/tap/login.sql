-- Counting and locking as the tables show them, what the audit log says of it, and the sessions that come of it.
BEGIN;
\ir setup.psql
SELECT plan(43);
CREATE FUNCTION pg_temp.refusal(identifier text, password text, address inet DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  hint text;
BEGIN
  PERFORM chat.login(identifier, password, NULL, address);
  RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN SQLSTATE || ' ' || SQLERRM || ' (' || hint || ')';
END $$;
CREATE FUNCTION pg_temp.failures(person uuid) RETURNS integer LANGUAGE sql AS $$
  SELECT failures FROM chat_private.login_attempts WHERE kind = 'account' AND key = uuid_send(person)
$$;
-- What the log says of the latest login: action, outcome, reason.
CREATE FUNCTION pg_temp.noted(person uuid) RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(' ', action, outcome, details ->> 'reason') FROM chat.audit_log WHERE user_id = person ORDER BY id DESC LIMIT 1
$$;

-- Refusals: one answer, and in the log the reason
SELECT pg_temp.refusal('alice', 'wrong-password') AS refusal \gset
SELECT is(:'refusal'::text, '28P01 wrong user name or password (After several failures, further attempts are refused for a while, right ones too.)',
          'a refusal');
SELECT is(pg_temp.noted(:'alice'), 'login refused wrong', 'why, for those who may know');
SELECT is(pg_temp.failures(:'alice'), 1, 'it counts');
SELECT is(pg_temp.refusal('alice', repeat('x', 73)), :'refusal'::text, 'too long');
SELECT is(pg_temp.failures(:'alice'), 1, 'counts for nothing, for it was not tried');
SELECT is(pg_temp.refusal('nobody', 'wrong-password'), :'refusal'::text, 'unknown');
UPDATE chat.users SET is_active = false WHERE id = :'bob';
SELECT is(pg_temp.refusal('bob', 'bob-password'), :'refusal'::text, 'disabled');
SELECT is(pg_temp.noted(:'bob'), 'login refused disabled', 'which the log tells');
UPDATE chat.users SET is_active = true WHERE id = :'bob';
DELETE FROM chat_private.credentials WHERE user_id = :'bob';
SELECT is(pg_temp.refusal('bob', 'bob-password'), :'refusal'::text, 'without a password');
SELECT is(pg_temp.noted(:'bob'), 'login refused no_password', 'as well');
SELECT is(pg_temp.refusal(repeat('x', 1000000), 'wrong-password'), :'refusal'::text, 'a name of a megabyte');

-- A right one forgets them
SELECT is(pg_temp.refusal('alice', 'alice-password'), 'accepted', 'a right one');
SELECT is(pg_temp.failures(:'alice'), NULL, 'forgets the failures before it');
SELECT is(pg_temp.noted(:'alice'), 'login success', 'and is noted');

-- Five and no more
SELECT is(array_agg(DISTINCT pg_temp.refusal('alice', 'wrong-password', '198.51.100.1')), ARRAY[:'refusal'], 'seven wrong ones') FROM generate_series(1, 7);
SELECT is(pg_temp.failures(:'alice'), 5, 'of which five were tried');
SELECT is(pg_temp.refusal('alice', 'alice-password'), :'refusal'::text, 'a right one is refused as they are');
SELECT is(pg_temp.noted(:'alice'), 'login refused locked', 'because it was locked');
SELECT is((SELECT array_agg(((details ->> 'kind'), details ->> 'failures', (details ->> 'seconds')::int BETWEEN 50 AND 60)::text) FROM chat.audit_log
           WHERE user_id = :'alice' AND action = 'login.lock'), ARRAY['(account,5,t)'], 'the lock is in the log');
SELECT is(pg_temp.refusal('alice@example.com', 'alice-password'), :'refusal'::text, 'by whatever name');
SELECT is(chat.admin_unlock_user(:'alice'), true, 'an administrator unlocks it');
SELECT is((SELECT concat_ws(' ', action, resource) FROM chat.audit_log ORDER BY id DESC LIMIT 1), 'admin.unlock_user user:' || :'alice', 'which is noted');
SELECT is(pg_temp.refusal('alice', 'alice-password'), 'accepted', 'and lets in again');
SELECT throws_ok('SELECT chat.admin_unlock_user(NULL)', '22004', NULL, 'unlocking nobody');

-- What locks how long
SELECT set_config('role', 'pgchat_engine', true);
SELECT is((SELECT array_agg((chat_private.count_attempt('account', 'test-key'), (SELECT round(extract(epoch FROM locked_until - clock_timestamp()) / 60)
             FROM chat_private.login_attempts WHERE key = 'test-key'))::text) FROM generate_series(1, 4)), array_fill('(t,)'::text, ARRAY[4]),
          'four failures lock nothing');
CREATE FUNCTION pg_temp.next_lock() RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
  UPDATE chat_private.login_attempts SET locked_until = NULL WHERE key = 'test-key';
  PERFORM chat_private.count_attempt('account', 'test-key');
  RETURN (SELECT round(extract(epoch FROM locked_until - clock_timestamp()) / 60) FROM chat_private.login_attempts WHERE key = 'test-key');
END $$;
SELECT is(array_agg(pg_temp.next_lock()), ARRAY[1, 2, 4, 8, 16, 32, 60, 60]::numeric[], 'minutes of the locks that follow') FROM generate_series(1, 8);
SELECT is(chat_private.count_attempt('account', 'test-key'), false, 'while it lasts nothing is tried');
UPDATE chat_private.login_attempts SET first_failed_at = now() - interval '25 hours', locked_until = NULL WHERE key = 'test-key';
SELECT chat_private.count_attempt('account', 'test-key');
SELECT is((SELECT failures FROM chat_private.login_attempts WHERE key = 'test-key'), 1, 'a day later it begins anew');
SELECT is((SELECT array_agg((kind, convert_from(key, 'UTF8'))::text) FROM chat_private.attempt_keys('{"ip_address": "2001:db8:1:2:3::4/128"}')),
          ARRAY['(address,2001:db8:1:2::/64)'], 'an IPv6 address counts as its network');
SELECT is((SELECT array_agg((kind, convert_from(key, 'UTF8'))::text) FROM chat_private.attempt_keys('{"ip_address": "192.0.2.1/24"}')),
          ARRAY['(address,192.0.2.1/32)'], 'an IPv4 address as itself');
SELECT set_config('role', 'none', true);

-- Settings
INSERT INTO chat.settings (key, value) VALUES ('session_lifetime', '"2 days"'), ('session_idle_timeout', '"1 hour"');
SELECT pg_temp.refusal('alice', 'alice-password');
SELECT ok((SELECT expires_at - now() BETWEEN '47 hours' AND '49 hours' AND idle_expires_at - now() BETWEEN '59 minutes' AND '61 minutes' FROM chat.sessions
           WHERE user_id = :'alice' ORDER BY id DESC LIMIT 1), 'sessions last as the settings say');
SELECT ok((SELECT count(*) = 1 FROM chat_private.login_attempts WHERE kind = 'address' AND key = '198.51.100.1/32'), 'addresses are counted');

-- An unverified address: the password was right, and is no failure
INSERT INTO chat.settings (key, value) VALUES ('email_verification_required', 'true');
SELECT is(array_agg(DISTINCT left(pg_temp.refusal('alice', 'alice-password'), 5)), ARRAY['PC302'], 'right passwords, but no verified address')
FROM generate_series(1, 7);
SELECT is(pg_temp.failures(:'alice'), NULL, 'are not counted');
SELECT is(pg_temp.noted(:'alice'), 'login refused email_not_verified', 'but noted');
DELETE FROM chat.settings WHERE key = 'email_verification_required';

-- Re-authenticating
SELECT chat_private.set_identity(:'alice', 'user', NULL, true);
SELECT lives_ok($$SELECT chat_private.reauthenticate('alice-password')$$, 'the current user''s password');
SELECT throws_ok($$SELECT chat_private.reauthenticate('wrong-password')$$, '28P01', NULL, 'another');
SELECT is(pg_temp.noted(:'alice'), 'reauthenticate refused wrong', 'which is noted');
SELECT throws_ok('SELECT chat_private.reauthenticate(NULL)', '22004', NULL, 'none given');
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
SELECT throws_ok($$SELECT chat_private.reauthenticate('x')$$, '28000', NULL, 'nobody''s');

-- Hashes
SELECT ok(chat_private.verify_password('a password', chat_private.hash_password('a password')), 'a hash and its password');
SELECT throws_ok($$SELECT chat_private.hash_password(repeat('x', 73))$$, '22023', NULL, 'a password too long to hash');
SELECT is(chat_private.check_password_evenly('', NULL), false, 'no hash fits nothing');
SELECT * FROM finish();
ROLLBACK;
