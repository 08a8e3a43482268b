-- Identities at other services, as far as no provider is needed: who may do what, and what is refused before one is asked.
BEGIN;
\ir setup.psql
SELECT plan(46);
SELECT chat.admin_register_oidc_provider('idp', 'https://127.0.0.1:1', 'client');

-- registering providers
SELECT is(pg_temp.outcome(:'bob', statement, 'pgchat_client'), '42501', 'a client may not: ' || statement)
FROM unnest(ARRAY[$$SELECT chat.admin_register_oidc_provider('a', 'https://a.example', 'c')$$, 'SELECT * FROM chat_private.oidc_providers',
                  $$SELECT chat_private.verify_id_token('', '', '', '', '', '', '')$$, 'SELECT chat_private.add_identity(NULL, NULL)',
                  $$INSERT INTO chat.identities (user_id, provider, subject) VALUES (chat.current_user_id(), 'idp', 'x')$$,
                  'UPDATE chat.identities SET email_verified = true', 'DELETE FROM chat.identities']) statement;
SELECT is(pg_temp.outcome(NULL, $$SELECT chat.admin_register_oidc_provider('a', 'https://a.example', 'c')$$, 'pgchat_service'), '1 rows', 'pgchat_service may');
SELECT is(pg_temp.outcome(NULL, format('SELECT chat.admin_register_oidc_provider(%s)', arguments), 'pgchat_service'), sqlstate, arguments)
FROM (VALUES ($$NULL, 'https://a.example', 'c'$$, '22004'), ($$'a', NULL, 'c'$$, '22004'), ($$'a', 'https://a.example', NULL$$, '22004'),
             ($$'A b', 'https://a.example', 'c'$$, '22023'), ($$'a', 'ftp://a.example', 'c'$$, '22023'), ($$'a', 'https://u@a.example', 'c'$$, '22023'),
             ($$'a', 'https://a.example/#x', 'c'$$, '22023'), ($$'a', 'https://a.example', ''$$, '22023'),
             ($$'a', 'https://a.example', 'c', jwks_url => 'file:///etc/passwd'$$, '22023'),
             ($$'a', 'https://a.example', 'c', algorithms => '{HS256}'$$, '22023'), ($$'a', 'https://a.example', 'c', algorithms => '{none}'$$, '22023'),
             ($$'a', 'https://a.example', 'c', algorithms => '{}'$$, '22023'), ($$'a', 'https://a.example', 'c', linking => 'always'$$, '22023'),
             ($$'a', 'https://a.example', 'c', organisations => '{x}'$$, '22023'),
             ($$'a', 'https://b.example', 'd', organisation_claim => 'hd', organisations => '{x}', is_active => false$$, '1 rows')) t (arguments, sqlstate);
SELECT is((SELECT (issuer, client_id, organisations, is_active)::text FROM chat_private.oidc_providers WHERE name = 'a'), '(https://b.example,d,{x},f)',
          'registering again changes it');

-- logging in
SELECT is(pg_temp.outcome(NULL, format('SELECT chat.login_oidc(%s)', arguments)), sqlstate, 'login_oidc ' || left(arguments, 40))
FROM (VALUES ($$NULL, 'x', 'n'$$, '22004'), ($$'idp', NULL, 'n'$$, '22004'), ($$'idp', 'x', NULL$$, '22004'), ($$'unknown', 'x', 'n'$$, 'P0002'),
             ($$'a', 'x', 'n'$$, 'P0002'), ($$'idp', 'x', 'n'$$, '28000'), ($$'idp', repeat('x', 1000000), 'n'$$, '28000'),
             ($$'idp', 'x', repeat('n', 1000000)$$, '28000'), ($$'idp', chat.jwks()::text, 'n'$$, '28000')) t (arguments, sqlstate);
SELECT is(pg_temp.outcome(NULL, 'SELECT chat.link_identity(''idp'', ''x'', ''n'')'), '28000', 'joining needs somebody');
SELECT is(pg_temp.outcome(NULL, 'SELECT chat.unlink_identity(NULL)'), '28000', 'and so does removing');
SELECT is(pg_temp.outcome(NULL, 'SELECT chat.set_password(''new-password-1'')'), '28000', 'and a password');

-- the ways into an account
SELECT chat_private.act_as(:'bob');
SELECT chat_private.add_identity(:'bob', ROW(NULL, NULL, 'idp', 'bob', NULL, NULL, false, NULL, NULL)::chat.identities) AS identity \gset
SELECT throws_ok(format('SELECT chat_private.add_identity(%L, ROW(NULL, NULL, ''idp'', ''bob'', NULL, NULL, false, NULL, NULL)::chat.identities)', :'bob'),
                 '23505', NULL, 'an identity is somebody''s once');
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
SELECT is(pg_temp.outcome(:'bob', 'SELECT * FROM chat.identities'), '1 rows', 'its owner sees it');
SELECT is(pg_temp.outcome(:'alice', 'SELECT * FROM chat.identities'), '0 rows', 'nobody else does');
SELECT is(pg_temp.outcome(:'alice', format('SELECT chat.unlink_identity(%L)', :'identity')), 'P0002', 'nor can remove it');
SELECT is(pg_temp.outcome(:'bob', 'SELECT chat.set_password(''new-password-1'')'), '55000', 'bob has a password');
DELETE FROM chat_private.credentials WHERE user_id = :'bob';
SELECT is(pg_temp.outcome(:'bob', format('SELECT chat.unlink_identity(%L)', :'identity')), '55000', 'without one it is the only way in');
SELECT is(pg_temp.outcome(:'bob', 'SELECT chat.set_password(''short'')'), '22023', 'a password like any other');
SELECT is(pg_temp.outcome(:'bob', 'SELECT chat.set_password(''new-password-1'')'), '1 rows', 'is added');
SELECT is((SELECT user_id FROM chat.login('bob', 'new-password-1')), :'bob'::uuid, 'and lets him in');
SELECT is(pg_temp.outcome(:'bob', format('SELECT chat.unlink_identity(%L)', :'identity')), '1 rows', 'so that the identity may go');

SELECT * FROM finish();
ROLLBACK;
