-- Accounts: registering, logging in, who one is, logging out.
BEGIN;
\ir setup.psql
SELECT plan(57);

-- register
SELECT is((SELECT (role, is_active, email, username, display_name)::text FROM chat.users WHERE id = :'alice'),
          '(user,t,alice@example.com,alice,Alice)', 'a new account is an active user');
SELECT ok(chat.bcrypt_verify('alice-password', (SELECT password_hash FROM chat_private.credentials WHERE user_id = :'alice')),
          'the password is kept as a bcrypt hash of it');
SELECT is((SELECT count(*)::int FROM chat.user_settings WHERE user_id = :'alice'), 1, 'settings exist from the start');
SELECT is(chat.current_user_id(), NULL, 'registering authenticates nobody');
SELECT throws_ok($$SELECT chat.register('alice@example.com', 'password-2')$$, '23505',
                 'this e-mail address is already registered', 'an e-mail address is taken once');
SELECT throws_ok($$SELECT chat.register(' ALICE@Example.COM ', 'password-2')$$, '23505', NULL,
                 'case and blanks around do not make another address');
SELECT throws_ok($$SELECT chat.register('alice2@example.com', 'password-2', 'ALICE')$$, '23505',
                 'this username is already registered', 'a username is taken once');
SELECT is((SELECT count(*)::int FROM chat.users WHERE email = 'alice2@example.com'), 0, 'a refused registration leaves nothing');
SELECT throws_ok($$SELECT chat.register(NULL, 'password-2')$$, '22004', NULL, 'no e-mail address');
SELECT throws_ok($$SELECT chat.register('x@example.com', NULL)$$, '22004', NULL, 'no password');
SELECT is(pg_temp.outcome(NULL, format('SELECT chat.register(%L, %L)', address, 'password-2')), '22023', 'not an address: ' || address)
FROM unnest(ARRAY['x', 'x@', '@example.com', 'a b@example.com', 'a@b@c', 'a..b@example.com', 'x@-example.com', 'x@example-.com',
                  repeat('x', 65) || '@example.com']) address;
SELECT is(pg_temp.outcome(NULL, format('SELECT chat.register(%L, %L)', address, 'password-2')), '1 rows', 'an address: ' || address)
FROM unnest(ARRAY['first.last+tag@sub.example.co', 'root@localhost', 'Иван@почта.рф']) address;
SELECT throws_ok($$SELECT chat.register('x@example.com', 'short-7')$$, '22023', NULL, 'a password of 7 bytes');
SELECT throws_ok($$SELECT chat.register('x@example.com', repeat('é', 37))$$, '22023', NULL, 'a password of 74 bytes in 37 characters');
SELECT throws_ok($$SELECT chat.register('x@example.com', 'password-2', 'b@b')$$, '22023', NULL, 'a username with @');

-- login
SELECT is(user_id, :'alice', 'login finds ' || identifier)
FROM unnest(ARRAY['alice@example.com', 'ALICE@example.com', 'alice', 'Alice']) identifier, chat.login(identifier, 'alice-password');
SELECT * FROM chat.login('alice', 'alice-password', NULL, '192.0.2.1', repeat('x', 600)) \gset l_
SELECT ok(:'l_expires_at'::timestamptz BETWEEN now() + interval '29 days 23 hours' AND now() + interval '30 days 1 hour'
          AND NOT :'l_mfa_required', 'a session lasts 30 days and needs no second factor');
SELECT is((SELECT (host(ip_address), char_length(user_agent))::text FROM chat.sessions
           WHERE user_id = :'alice' ORDER BY id DESC LIMIT 1), '(192.0.2.1,512)', 'address and a cut user agent are kept');
SELECT is((SELECT count(*)::int FROM chat_private.session_tokens t WHERE position(:'l_session_token'::bytea IN t.token_hash) > 0
             OR encode(t.token_hash, 'escape') = :'l_session_token'), 0, 'the token itself is not stored');
SELECT ok((SELECT last_login_at IS NOT NULL FROM chat.users WHERE id = :'alice'), 'the login is noted');
SELECT is(chat.current_user_id(), NULL, 'logging in authenticates nobody');

-- login refused: one answer for all
CREATE FUNCTION pg_temp.refusal(identifier text, password text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM chat.login(identifier, password);
  RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT chat.register('carol@example.com', 'carol-password', 'carol') AS carol \gset
UPDATE chat.users SET is_active = false WHERE id = :'carol';
SELECT chat.register('dave@example.com', 'dave-password', 'dave') AS dave \gset
DELETE FROM chat_private.credentials WHERE user_id = :'dave';
SELECT is(pg_temp.refusal(identifier, password), '28P01 wrong user name or password', why)
FROM (VALUES ('alice', 'wrong-password', 'wrong password'), ('nobody', 'alice-password', 'unknown user'),
             ('alice', repeat('x', 73), 'over-long password'), ('carol', 'carol-password', 'account not active'),
             ('dave', 'dave-password', 'account without a password'), ('', '', 'nothing')) t (identifier, password, why);
SELECT is(chat.current_user_id(), NULL, 'a refused login leaves no identity');
SELECT throws_ok('SELECT chat.login(NULL, $$x$$)', '22004', NULL, 'no identifier');
SELECT throws_ok('SELECT chat.login($$x$$, NULL)', '22004', NULL, 'no password given');

-- an identity that is there already stays
SELECT set_config('app.current_user_id', :'bob', true);
SELECT user_id FROM chat.login('alice', 'alice-password');
SELECT is(chat.current_user_id(), :'bob', 'logging in as another leaves the current identity');
SELECT set_config('app.current_user_id', '', true);

-- me
SELECT is(pg_temp.value(:'alice', 'SELECT email FROM chat.me()'), 'alice@example.com', 'me is the current user');
SELECT is(pg_temp.outcome(NULL, 'SELECT * FROM chat.me()'), '28000', 'me needs somebody');
SELECT is(pg_temp.outcome(chat.uuid_v7(), 'SELECT * FROM chat.me()'), '28000', 'me needs an account that exists');

-- logout
SELECT chat.register('erin@example.com', 'erin-password') AS erin \gset
SELECT count(chat.login('erin@example.com', 'erin-password')) FROM generate_series(1, 3);
SELECT id AS session FROM chat.sessions WHERE user_id = :'erin' ORDER BY id LIMIT 1 \gset
SELECT chat_private.set_identity(:'erin', 'user', :'session', true);
SELECT chat.logout();
SELECT is((SELECT count(*)::int FROM chat.sessions WHERE user_id = :'erin'), 2, 'logout ends one session');
SELECT is((SELECT count(*)::int FROM chat_private.session_tokens WHERE user_id = :'erin'), 2, 'and its token');
SELECT is(chat.current_user_id(), NULL, 'and clears the identity');
SELECT chat_private.set_identity(:'erin', 'user', NULL, true);
SELECT chat.logout(all_sessions => true);
SELECT is((SELECT count(*)::int FROM chat.sessions WHERE user_id = :'erin'), 0, 'logout of all sessions ends all');
SELECT ok((SELECT count(*) > 0 FROM chat.sessions WHERE user_id = :'alice'), 'and nobody else''s');
SELECT chat_private.audit('after.logout');
SELECT is((SELECT array_agg(details::text ORDER BY id) FROM chat.audit_log WHERE action = 'logout' AND user_id = :'erin'),
          '{"{\"all_sessions\": false}","{\"all_sessions\": true}"}', 'both are audited');
SELECT is(pg_temp.outcome(NULL, 'SELECT chat.logout()'), '28000', 'logout needs somebody');
SELECT is(pg_temp.outcome(:'alice', 'SELECT chat.logout(NULL)'), '22004', 'all_sessions is not NULL');
SELECT throws_ok(format('INSERT INTO chat.users (id) VALUES (%L)', id), '23514', NULL, 'an id that is nobody''s: ' || id) FROM unnest(ARRAY['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff']) id;
SELECT * FROM finish();
ROLLBACK;
