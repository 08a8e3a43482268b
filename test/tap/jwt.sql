-- Signed tokens: who may have them signed, which are accepted, whom they authenticate, and what ends them.
BEGIN;
\ir setup.psql
SELECT plan(141);

-- Runs a statement as a client; gives SQLSTATE and text of its error, or what it returned.
CREATE FUNCTION pg_temp.answer(statement text, db_role text DEFAULT 'pgchat_client') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN 'accepted: ' || coalesce(pg_temp.value(NULL, statement, db_role), 'null');
EXCEPTION WHEN OTHERS THEN
  PERFORM set_config('role', 'none', true);
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE FUNCTION pg_temp.b64(bytes bytea) RETURNS text LANGUAGE sql AS
$$SELECT translate(encode(bytes, 'base64'), E'+/=\n', '-_')$$;
CREATE FUNCTION pg_temp.b64(content text) RETURNS text LANGUAGE sql AS $$SELECT pg_temp.b64(convert_to(content, 'UTF8'))$$;
CREATE FUNCTION pg_temp.part(token text, n int) RETURNS jsonb LANGUAGE sql AS
$$SELECT convert_from(decode(rpad(translate(p, '-_', '+/'), (length(p) + 3) / 4 * 4, '='), 'base64'), 'UTF8')::jsonb
  FROM split_part(token, '.', n) p$$;
-- A token with one claim changed or, by a JSON null, left out.
CREATE FUNCTION pg_temp.with_claim(name text, given jsonb) RETURNS text LANGUAGE sql AS
$$SELECT chat.jwt_sign(jsonb_strip_nulls(jsonb_build_object('exp', floor(extract(epoch FROM clock_timestamp()))::bigint + 600)
                                         || jsonb_build_object(name, given)))$$;
CREATE FUNCTION pg_temp.at(seconds int) RETURNS jsonb LANGUAGE sql AS
$$SELECT to_jsonb(floor(extract(epoch FROM clock_timestamp()))::bigint + seconds)$$;
\set refused '28000 the token is not valid'

SELECT session_token AS session FROM chat.login('alice', 'alice-password') \gset
SELECT pg_temp.value(NULL, format('SELECT chat.authenticate(%L)', :'session')) AS someone,
       (SELECT id FROM chat.sessions WHERE user_id = :'alice') AS sid \gset
-- From here on as alice, by her session.
CREATE FUNCTION pg_temp.as_session(token text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  PERFORM set_config('role', 'pgchat_client', true);
  PERFORM chat.authenticate(token);
  EXECUTE query INTO result;
  PERFORM set_config('role', 'none', true);
  PERFORM chat_private.set_identity(NULL, NULL, NULL, true);
  RETURN result;
END $$;
SELECT pg_temp.as_session(:'session', 'SELECT chat.issue_jwt()') AS jwt \gset

-- what a token says
SELECT is(pg_temp.part(:'jwt', 1) - 'kid', '{"alg": "EdDSA", "typ": "JWT"}', 'the default algorithm is EdDSA');
SELECT is((SELECT jsonb_agg(k ->> 'kid') FROM jsonb_array_elements(chat.jwks() -> 'keys') k WHERE k ->> 'kid' = pg_temp.part(:'jwt', 1) ->> 'kid'),
          jsonb_build_array(pg_temp.part(:'jwt', 1) -> 'kid'), 'chat.jwks() has the key it names');
SELECT is(chat.jwt_verify(:'jwt'), pg_temp.part(:'jwt', 2), 'jwt_verify returns its claims');
SELECT is(chat.jwt_verify(:'jwt') - ARRAY['jti', 'iat', 'nbf', 'exp'], jsonb_build_object(
            'iss', 'pgchat', 'aud', 'pgchat', 'sub', :'alice', 'sid', :'sid', 'role', 'pgchat_client', 'app_role', 'user',
            'token_version', 1), 'which name the user, the session, both roles and the version');
SELECT is((c ->> 'exp')::bigint - (c ->> 'iat')::bigint, 900::bigint, 'a token lives 15 minutes')
FROM chat.jwt_verify(:'jwt') c;
SELECT is((c ->> 'exp')::bigint - (c ->> 'iat')::bigint, 3600::bigint, 'or as long as is asked for')
FROM pg_temp.part(pg_temp.as_session(:'session', 'SELECT chat.issue_jwt(''1 hour'')'), 2) c;
SELECT isnt(pg_temp.as_session(:'session', 'SELECT chat.issue_jwt()'), :'jwt'::text, 'no two are the same');
SELECT is(pg_temp.answer(format('SELECT pg_temp.as_session(%L, %L)', :'session', format('SELECT chat.issue_jwt(%L)', ttl)), 'none'),
          '22023 ttl must be from 1 second to 1 day', 'not for ' || ttl)
FROM unnest(ARRAY['0 seconds', '-1 minutes', '1 day 1 second']) ttl;
SELECT ok(NOT chat.jwks()::text ~ '"(d|k|p|q)"', 'chat.jwks() shows no private member');

-- whom a token authenticates
SELECT is(pg_temp.value(NULL, format('SELECT chat.authenticate_jwt(%L)', :'jwt')), :'alice', 'authenticate_jwt returns the user');
SELECT chat.authenticate_jwt(:'jwt');
SELECT is((chat.current_user_id(), chat.current_user_role(), chat_private.current_session_id())::text, format('(%s,user,%s)', :'alice', :'sid'),
          'and sets user, role and session');
SET LOCAL ROLE pgchat_client;
SELECT username AS me FROM chat.me() \gset
RESET ROLE;
SELECT is(:'me'::text, 'alice', 'so that functions act for her');
SELECT is(pg_temp.answer('SELECT chat.issue_jwt()', 'none'), '28000 no user is authenticated', 'issue_jwt needs somebody');
SELECT chat.authenticate_jwt(:'jwt');
SELECT throws_ok('SELECT chat.issue_jwt()', '42501', 'a signed token cannot be used to get another one', 'a token cannot renew itself');
SELECT throws_ok('SELECT chat.issue_refresh_token()', '42501', NULL, 'nor get a refresh token');
SELECT chat.register('zoe@example.com', 'zoe-passwords', 'zoe') AS zoe \gset
SELECT chat.authenticate_jwt(:'jwt') AS again \gset
SELECT chat.login('zoe', 'zoe-passwords');
SELECT throws_ok('SELECT chat.issue_jwt()', '42501', NULL, 'not after a function that acted for another either');
SELECT chat.authenticate(:'session');
SELECT lives_ok('SELECT chat.issue_jwt()', 'authenticating by the session gives the right back');
SELECT chat_private.set_identity(NULL, NULL, NULL, true);
UPDATE chat.users SET role = 'supervisor' WHERE id = :'alice';
SELECT chat.authenticate_jwt(:'jwt');
SELECT is(chat.current_user_role(), 'supervisor', 'the role is that of the account, not of the token');
SELECT chat_private.set_identity(NULL, NULL, NULL, true);

-- what ends a token
SAVEPOINT before;
UPDATE chat.users SET token_version = 2 WHERE id = :'alice';
SELECT is(pg_temp.answer(format('SELECT chat.authenticate_jwt(%L)', :'jwt')), :'refused', 'a counted-up token_version');
SELECT alike(pg_temp.answer(format('SELECT chat.jwt_verify(%L)', :'jwt')), 'accepted: %', 'which jwt_verify does not look at');
ROLLBACK TO before;
UPDATE chat.users SET is_active = false WHERE id = :'alice';
SELECT is(pg_temp.answer(format('SELECT chat.authenticate_jwt(%L)', :'jwt')), :'refused', 'a user who is not active');
ROLLBACK TO before;
DELETE FROM chat.sessions WHERE id = :'sid';
SELECT is(pg_temp.answer(format('SELECT chat.authenticate_jwt(%L)', :'jwt')), :'refused', 'a session that was ended');
ROLLBACK TO before;
UPDATE chat.sessions SET idle_expires_at = now() - interval '1 second' WHERE id = :'sid';
SELECT is(pg_temp.answer(format('SELECT chat.authenticate_jwt(%L)', :'jwt')), :'refused', 'a session that was idle');
ROLLBACK TO before;
DELETE FROM chat.users WHERE id = :'alice';
SELECT is(pg_temp.answer(format('SELECT chat.authenticate_jwt(%L)', :'jwt')), :'refused', 'an account that is gone');
ROLLBACK TO before;
SELECT chat.authenticate_jwt(:'jwt', false);
SELECT is(chat.current_user_id()::text, :'alice', 'an identity for the connection');
UPDATE chat.users SET token_version = 2 WHERE id = :'alice';
ROLLBACK TO before;
SELECT is(pg_temp.answer(format('SELECT chat.authenticate_jwt(%L)', :'jwt')), 'accepted: ' || :'alice', 'and as it was, she gets in again');

-- claims
SELECT alike(pg_temp.answer(format('SELECT chat.jwt_verify(%L)', token)), 'accepted: %', why)
FROM (VALUES (pg_temp.with_claim('sub', '"x"'), 'any subject'), (pg_temp.with_claim('exp', pg_temp.at(-20)), 'within the skew'),
             (pg_temp.with_claim('nbf', pg_temp.at(20)), 'nbf within the skew'), (pg_temp.with_claim('iat', pg_temp.at(20)), 'iat within the skew'),
             (pg_temp.with_claim('aud', '["pgchat", "other"]'), 'one audience of several'), (pg_temp.with_claim('exp', '4000000000.5'), 'half seconds')
     ) t (token, why);
SELECT is(pg_temp.answer(format('SELECT chat.jwt_verify(%L)', token)), :'refused', why)
FROM (VALUES (pg_temp.with_claim('exp', 'null'), 'no expiry'), (pg_temp.with_claim('exp', pg_temp.at(-61)), 'expired'),
             (pg_temp.with_claim('exp', '-1'), 'a negative expiry'), (pg_temp.with_claim('exp', '1e300'), 'a huge expiry'),
             (pg_temp.with_claim('exp', '99999999999999999999'), 'an expiry beyond all integers'),
             (pg_temp.with_claim('exp', '"4000000000"'), 'an expiry in words'), (pg_temp.with_claim('exp', 'true'), 'a true expiry'),
             (pg_temp.with_claim('nbf', pg_temp.at(61)), 'not yet'), (pg_temp.with_claim('nbf', '"0"'), 'nbf in words'),
             (pg_temp.with_claim('iat', pg_temp.at(61)), 'from the future'), (pg_temp.with_claim('iss', '"other"'), 'another issuer'),
             (pg_temp.with_claim('iss', 'null'), 'another issuer'), (pg_temp.with_claim('aud', '"other"'), 'another audience'),
             (pg_temp.with_claim('aud', '[]'), 'no audience'), (pg_temp.with_claim('aud', '["pgchat", 1]'), 'an audience that is no text')
     ) t (token, why) WHERE why <> 'another issuer' OR token IS NOT NULL AND pg_temp.part(token, 2) ->> 'iss' <> 'pgchat'
UNION ALL SELECT is(pg_temp.part(pg_temp.with_claim('iss', 'null'), 2) ->> 'iss', 'pgchat', 'jwt_sign adds the issuer');
SELECT is(pg_temp.answer(format('SELECT chat.authenticate_jwt(%L)', token)), :'refused', 'no user: ' || why)
FROM (VALUES (pg_temp.with_claim('sub', to_jsonb(:'alice'::text)), 'no token_version'), (pg_temp.with_claim('token_version', '1'), 'no sub'),
             (chat.jwt_sign(jsonb_build_object('exp', 4000000000, 'sub', 'alice', 'token_version', 1)), 'sub is a name'),
             (chat.jwt_sign(jsonb_build_object('exp', 4000000000, 'sub', :'alice', 'token_version', '1')), 'token_version in words'),
             (chat.jwt_sign(jsonb_build_object('exp', 4000000000, 'sub', :'alice', 'token_version', 1.5)), 'token_version 1.5'),
             (chat.jwt_sign(jsonb_build_object('exp', 4000000000, 'sub', :'alice', 'token_version', 1, 'sid', 'x')), 'sid is no session'),
             (chat.jwt_sign(jsonb_build_object('exp', 4000000000, 'sub', :'bob', 'token_version', 1, 'sid', :'sid')), 'somebody else''s session')
     ) t (token, why);
SELECT is(pg_temp.value(NULL, format('SELECT chat.authenticate_jwt(%L)', chat.jwt_sign(jsonb_build_object('exp', 4000000000, 'sub', :'bob', 'token_version', 1)))),
          :'bob', 'jwt_sign with sub, token_version and exp makes a token that authenticates');

-- forged and malformed tokens: one answer
SELECT split_part(:'jwt', '.', 1) AS header, split_part(:'jwt', '.', 2) AS claims, split_part(:'jwt', '.', 3) AS signature,
       pg_temp.part(:'jwt', 1) ->> 'kid' AS kid \gset
SELECT is(pg_temp.answer(format('SELECT chat.authenticate_jwt(%L)', token)), :'refused', why)
FROM (VALUES
  (pg_temp.b64('{"alg":"none"}') || '.' || :'claims' || '.', 'alg none'),
  (pg_temp.b64('{"alg":"none"}') || '.' || :'claims' || '.' || :'signature', 'alg none with a signature'),
  (pg_temp.b64(format('{"alg":"HS256","kid":"%s"}', :'kid')) || '.' || :'claims' || '.' || :'signature', 'the public key as a secret'),
  (pg_temp.b64(format('{"alg":"ES256","kid":"%s"}', :'kid')) || '.' || :'claims' || '.' || :'signature', 'another algorithm'),
  (pg_temp.b64('{"alg":"EdDSA"}') || '.' || :'claims' || '.' || :'signature', 'no kid'),
  (pg_temp.b64('{"alg":"EdDSA","kid":"../../etc/passwd"}') || '.' || :'claims' || '.' || :'signature', 'a path as kid'),
  (pg_temp.b64('{"alg":"EdDSA","kid":"'' OR true --"}') || '.' || :'claims' || '.' || :'signature', 'SQL as kid'),
  (pg_temp.b64(format('{"alg":"EdDSA","kid":"%s"}', repeat('k', 1000000))) || '.' || :'claims' || '.' || :'signature', 'a kid of a megabyte'),
  (pg_temp.b64(format('{"alg":"EdDSA","kid":"%s","jku":"http://127.0.0.1/"}', :'kid')) || '.' || :'claims' || '.' || :'signature', 'jku'),
  (pg_temp.b64(format('{"alg":"EdDSA","kid":"%s","jwk":%s}', :'kid', chat.jwks() #> '{keys,0}')) || '.' || :'claims' || '.' || :'signature', 'jwk'),
  (pg_temp.b64(format('{"alg":"EdDSA","kid":"%s","crit":["exp"]}', :'kid')) || '.' || :'claims' || '.' || :'signature', 'crit'),
  (:'header' || '.' || pg_temp.b64(jsonb_set(pg_temp.part(:'jwt', 2), '{sub}', to_jsonb(:'bob'::text))::text) || '.' || :'signature', 'changed claims'),
  (:'header' || '.' || :'claims' || '.', 'no signature'), (:'header' || '.' || :'claims', 'two parts'), (:'jwt' || '.', 'four parts'),
  (:'jwt' || '=', 'padding'), (' ' || :'jwt', 'a blank before'), (:'jwt' || E'\n', 'a line after'), ('', 'nothing'), ('..', 'dots'),
  (:'session', 'a session token'), (repeat('x', 20000), 'too long'), (:'header' || '.' || repeat('A', 1000000) || '.' || :'signature', 'a megabyte')
) t (token, why);
SELECT throws_ok('SELECT chat.jwt_verify(NULL)', '22004', NULL, 'NULL is no token');
SELECT throws_ok('SELECT chat.authenticate_jwt(NULL)', '22004', NULL, 'here neither');
SELECT ok(pg_temp.hint(NULL, 'SELECT chat.jwt_verify(''x'')') LIKE '%get a new one%', 'the hint says what to do');

-- keys
SELECT is(pg_temp.outcome(:'bob', statement, db_role), '42501', db_role || ' may not: ' || statement)
FROM unnest(ARRAY['SELECT chat.admin_rotate_signing_key()', 'SELECT chat.admin_import_signing_key(''HS256'', repeat(''x'', 32))',
                  'SELECT chat.admin_import_signing_key(''HS256'', ''\x00''::bytea)', 'SELECT chat.admin_revoke_signing_key(''x'')',
                  'SELECT * FROM chat.admin_list_signing_keys()', 'SELECT chat.jwt_sign(''{}'')', 'SELECT * FROM chat_private.signing_keys',
                  'SELECT chat_private.sign_token(''{}'', ''EdDSA'')', 'SELECT chat_private.make_signing_key(''EdDSA'', NULL)',
                  'SELECT chat_private.authenticate_claims(''{}'')']) statement,
     unnest(ARRAY['pgchat_client']) db_role;
SELECT is(pg_temp.outcome(NULL, 'SELECT chat.admin_rotate_signing_key(''ES256'')', 'pgchat_service'), '1 rows', 'pgchat_service may');
SELECT ok(c ? 'crv' AND c ->> 'alg' = 'ES256', 'and others see the new key at once') FROM (SELECT chat.jwks() #> '{keys,0}' AS c) k;
SELECT chat.admin_rotate_signing_key('EdDSA') AS new_kid \gset
SELECT alike(pg_temp.answer(format('SELECT chat.jwt_verify(%L)', :'jwt')), 'accepted: %', 'a token of the key before still verifies');
SELECT is((SELECT string_agg(state, ' ' ORDER BY created_at) FROM chat.admin_list_signing_keys() WHERE algorithm = 'EdDSA'), 'retired active',
          'which is retired');
UPDATE chat_private.signing_keys SET valid_until = now() - interval '1 second' WHERE kid = :'kid';
SELECT is(pg_temp.answer(format('SELECT chat.jwt_verify(%L)', :'jwt')), :'refused', 'until its time is over');
SELECT ok(NOT chat.jwks()::text LIKE '%' || :'kid' || '%', 'when chat.jwks() does not show it any more');
ROLLBACK TO before;
SELECT chat.admin_revoke_signing_key(:'kid');
SELECT is(pg_temp.answer(format('SELECT chat.jwt_verify(%L)', :'jwt')), :'refused', 'a revoked key verifies nothing');
SELECT is((SELECT sealed_private FROM chat_private.signing_keys WHERE kid = :'kid'), NULL, 'and its private half is gone');
SELECT throws_ok(format('SELECT chat.admin_revoke_signing_key(%L)', :'kid'), 'P0002', NULL, 'it is revoked once');
ROLLBACK TO before;
SELECT throws_ok($$SELECT chat.admin_rotate_signing_key('none')$$, '22023', NULL, 'no such algorithm');
SELECT throws_ok($$SELECT chat.admin_rotate_signing_key('EdDSA', '-1 day')$$, '22023', NULL, 'an overlap before now');
SELECT throws_ok($$SELECT chat.admin_import_signing_key('HS256', repeat('x', 31))$$, '22023', NULL, 'a secret of 31 bytes');
SELECT throws_ok($$SELECT chat.admin_import_signing_key('RS256', 'no key')$$, '22023', NULL, 'no key at all');
SELECT throws_ok($$SELECT chat.admin_import_signing_key('HS256', NULL::text)$$, '22004', NULL, 'NULL');
SELECT throws_ok($$SELECT chat.jwt_sign('[]')$$, '22023', NULL, 'claims are an object');

-- refresh tokens
SELECT pg_temp.as_session(:'session', 'SELECT chat.issue_refresh_token()') AS refresh \gset
SELECT matches(:'refresh'::text, '^pgr_[A-Za-z0-9_-]{64}$', 'a refresh token');
SELECT is((SELECT count(*)::int FROM chat_private.refresh_tokens t WHERE encode(t.token_hash, 'escape') LIKE '%' || :'refresh' || '%'
             OR encode(t.token_hash, 'base64') LIKE '%' || right(:'refresh', 40) || '%'), 0, 'is not stored');
SELECT is(pg_temp.answer('SELECT chat.issue_refresh_token()'), '28000 no user is authenticated', 'nobody gets none');
SELECT is(pg_temp.outcome(:'bob', 'SELECT chat.issue_refresh_token()'), '55000', 'nor does an identity without a session');
SET LOCAL ROLE pgchat_client;
SELECT * FROM chat.refresh_jwt(:'refresh') \gset r_
RESET ROLE;
SELECT is(pg_temp.value(NULL, format('SELECT chat.authenticate_jwt(%L)', :'r_access_token')), :'alice', 'refreshing gives a token of the same user');
SELECT ok(:'r_refresh_token' <> :'refresh' AND :'r_expires_at'::timestamptz BETWEEN now() + interval '14 minutes' AND now() + interval '16 minutes',
          'another refresh token, and the time the signed one ends');
SELECT is(chat.current_user_id(), NULL, 'it authenticates nobody');
SELECT is(pg_temp.answer(format('SELECT (chat.refresh_jwt(%L)).access_token', token)), :'refused'::text, why::text)
FROM (VALUES (:'refresh', 'a token that was used'), (:'session', 'a session token'), (:'r_access_token', 'a signed token'), ('pgr_', 'a prefix'),
             (overlay(:'r_refresh_token' PLACING 'AAAA' FROM 40), 'a wrong secret')) t (token, why);
SELECT throws_ok('SELECT chat.refresh_jwt(NULL)', '22004', NULL, 'NULL is no refresh token');
SAVEPOINT refreshed;
UPDATE chat.users SET is_active = false WHERE id = :'alice';
SELECT is(pg_temp.answer(format('SELECT (chat.refresh_jwt(%L)).access_token', :'r_refresh_token')), :'refused', 'not for a user who is not active');
ROLLBACK TO refreshed;
UPDATE chat.sessions SET expires_at = now() - interval '1 second' WHERE id = :'sid';
SELECT is(pg_temp.answer(format('SELECT (chat.refresh_jwt(%L)).access_token', :'r_refresh_token')), :'refused', 'nor in a session that is over');
ROLLBACK TO refreshed;
UPDATE chat_private.refresh_tokens SET expires_at = now() - interval '1 second';
SELECT is(pg_temp.answer(format('SELECT (chat.refresh_jwt(%L)).access_token', :'r_refresh_token')), :'refused', 'nor after its time');
ROLLBACK TO refreshed;
SELECT alike(pg_temp.answer(format('SELECT (chat.refresh_jwt(%L)).access_token', :'r_refresh_token')), 'accepted: %', 'and else it works');

-- PostgREST
CREATE FUNCTION pg_temp.request(headers jsonb, cookies jsonb DEFAULT '{}', claims jsonb DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  PERFORM set_config('request.headers', headers::text, true), set_config('request.cookies', cookies::text, true),
          set_config('request.jwt.claims', coalesce(claims::text, ''), true);
  result := pg_temp.answer('SELECT coalesce(chat.pre_request()::text, '''') || coalesce(chat.current_user_id()::text, ''nobody'')');
  PERFORM chat_private.set_identity(NULL, NULL, NULL, true);
  RETURN result;
END $$;
SELECT is(pg_temp.request(jsonb_build_object('authorization', 'Bearer ' || :'jwt')), 'accepted: ' || :'alice', 'a signed token in the header');
SELECT is(pg_temp.request(jsonb_build_object('authorization', 'Session ' || :'session')), 'accepted: ' || :'alice', 'a session token there');
SELECT is(pg_temp.request('{}', jsonb_build_object('session_token', :'session')), 'accepted: ' || :'alice', 'one in the cookie');
SELECT is(pg_temp.request('{}', jsonb_build_object('session_token', :'jwt')), 'accepted: ' || :'alice', 'a signed one there');
SELECT is(pg_temp.request('{}'), 'accepted: nobody', 'without a token it is nobody');
SAVEPOINT mine;
SELECT chat.authenticate(:'session', false);
SELECT is(pg_temp.request('{}'), 'accepted: nobody', 'also on a connection that an earlier request made somebody''s');
ROLLBACK TO mine;
UPDATE chat.sessions SET mfa_pending = true WHERE id = :'sid';
SELECT is(chat.authenticate(:'session', false), NULL, 'a session whose second factor is not proved');
SELECT chat.pre_request();
SELECT is(chat_private.pending_user_id(), NULL, 'is none of the next request''s either');
ROLLBACK TO mine;
SELECT is(pg_temp.request('{"authorization": "Basic eDp5"}'), 'accepted: nobody', 'other schemes are not ours');
SELECT is(pg_temp.request('{"authorization": "Bearer forged"}', jsonb_build_object('session_token', :'session')), :'refused',
          'a forged token is refused, whatever the cookie says');
SELECT is(pg_temp.request('{}', '{}', jsonb_build_object('sub', :'alice', 'role', 'pgchat_client')), 'accepted: nobody', 'claims are not believed');
SELECT is(pg_temp.outcome(NULL, 'SET pgchat.trust_jwt_claims = on'), '42501', 'and no client can change that');
SET LOCAL pgchat.trust_jwt_claims = on;
SELECT is(pg_temp.request('{}', '{}', jsonb_build_object('sub', :'alice', 'role', 'pgchat_client')), 'accepted: ' || :'alice',
          'where the superuser wants it, they are');
SELECT is(pg_temp.request('{}', '{}', jsonb_build_object('sub', gen_random_uuid())), :'refused', 'of a user there is');
SELECT is(pg_temp.request('{}', '{}', jsonb_build_object('sub', :'alice', 'token_version', 7)), :'refused', 'and of the right version');
SELECT is(pg_temp.request('{}', '{}', '{"role": "anon"}'), 'accepted: nobody', 'claims without a user are nobody''s');

SELECT * FROM finish();
ROLLBACK;
