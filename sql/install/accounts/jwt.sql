-- Signed tokens (JWT): the keys, signing and verifying, and being authenticated by one.

CREATE OR REPLACE TRIGGER catalog_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON chat_private.signing_keys
  FOR EACH STATEMENT EXECUTE FUNCTION chat_private.catalog_changed();

CREATE OR REPLACE FUNCTION chat_private.make_signing_key(algorithm text, key bytea, OUT id uuid, OUT kid text,
                                                         OUT public_jwk jsonb, OUT sealed_private bytea)
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgchat_make_signing_key';
COMMENT ON FUNCTION chat_private.make_signing_key(text, bytea) IS
'The columns of a row of chat_private.signing_keys for a new key, or for the one given (an HS256 secret, or PKCS #8).
Errors: 22023 unknown algorithm, or a key that is not for it; 57P03 no engine; PC201 no master key.';

CREATE OR REPLACE FUNCTION chat_private.sign_token(claims jsonb, algorithm text) RETURNS text
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pgchat_sign_token';
COMMENT ON FUNCTION chat_private.sign_token(jsonb, text) IS
'A compact JWS over the claims, signed by the engine with the active key of the algorithm; the first use makes one.
Errors: 22023 unknown algorithm; 57P03 no engine; 25006 on a standby; PC201 no master key; PC202 the key was
sealed with another.';

CREATE OR REPLACE FUNCTION chat_private.token_issuer() RETURNS text
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgchat_token_issuer';
COMMENT ON FUNCTION chat_private.token_issuer() IS 'Setting jwt_issuer: the claim iss of signed tokens; by default pgchat.';

CREATE OR REPLACE FUNCTION chat_private.token_audience() RETURNS text
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgchat_token_audience';
COMMENT ON FUNCTION chat_private.token_audience() IS 'Setting jwt_audience: the claim aud of signed tokens; by default pgchat.';

CREATE OR REPLACE FUNCTION chat_private.token_database_role() RETURNS text
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgchat_token_database_role';
COMMENT ON FUNCTION chat_private.token_database_role() IS
'Setting jwt_database_role: the claim role of signed tokens, which PostgREST takes for the database role; by default
pgchat_client, and none where it is empty.';

CREATE OR REPLACE FUNCTION chat_private.is_signed_identity() RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_is_signed_identity';
COMMENT ON FUNCTION chat_private.is_signed_identity() IS
'Whether this transaction, or session, was authenticated by a signed token: such a one must not give itself a longer life.';

CREATE OR REPLACE FUNCTION chat_private.engine_signing_keys(OUT kid text, OUT id uuid, OUT algorithm text, OUT sealed_private bytea,
  OUT is_active boolean, OUT is_imported boolean, OUT valid_until timestamptz) RETURNS SETOF record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT k.kid, k.id, k.algorithm, k.sealed_private, k.state = 'active', k.is_imported, k.valid_until
  FROM chat_private.signing_keys k
  WHERE k.state = 'active' OR k.state = 'retired' AND k.algorithm = 'HS256' AND k.valid_until > clock_timestamp();
END
$$;
COMMENT ON FUNCTION chat_private.engine_signing_keys() IS
'The keys that the engine signs with, and the secrets that it verifies with; for pgchat_engine.';

CREATE OR REPLACE FUNCTION chat_private.ledger_signing_key(payload jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  sealed text := translate(payload ->> 'sealed_private', '-_', '+/');
BEGIN
  INSERT INTO chat_private.signing_keys (kid, id, algorithm, public_jwk, sealed_private)
  VALUES (payload ->> 'kid', (payload ->> 'id')::uuid, payload ->> 'algorithm', nullif(payload -> 'public_jwk', 'null'),
          decode(rpad(sealed, (length(sealed) + 3) / 4 * 4, '='), 'base64'))
  ON CONFLICT DO NOTHING;
  IF FOUND THEN
    PERFORM chat_private.append_audit(NULL, 'signing_key.create', 'signing_key:' || (payload ->> 'kid'),
      jsonb_build_object('algorithm', payload ->> 'algorithm'), 'success', NULL, NULL, NULL);
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION chat_private.ledger_signing_key(jsonb) IS
'The ledger''s act that keeps the first key of an algorithm; nothing where another session was faster. Run by the engine only.';

CREATE OR REPLACE FUNCTION chat_private.add_signing_key(algorithm text, key bytea, overlap interval) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  made record;
BEGIN
  IF add_signing_key.overlap IS NULL OR add_signing_key.overlap NOT BETWEEN interval '0' AND interval '10 years' THEN
    RAISE EXCEPTION 'overlap must be from 0 to 10 years' USING ERRCODE = '22023',
      HINT = 'It is how long the keys before still verify; 0 ends all their tokens at once.';
  END IF;
  SELECT m.* INTO made FROM chat_private.make_signing_key(add_signing_key.algorithm, add_signing_key.key) m;
  -- One rotation at a time.
  LOCK TABLE chat_private.signing_keys IN SHARE ROW EXCLUSIVE MODE;
  IF EXISTS (SELECT FROM chat_private.signing_keys k WHERE k.kid = made.kid) THEN
    RAISE EXCEPTION 'this key was imported before' USING ERRCODE = '42710', HINT = 'chat.admin_list_signing_keys() shows it.';
  END IF;
  UPDATE chat_private.signing_keys k
  SET state = 'retired', retired_at = clock_timestamp(), valid_until = clock_timestamp() + add_signing_key.overlap
  WHERE k.algorithm = add_signing_key.algorithm AND k.state = 'active';
  INSERT INTO chat_private.signing_keys (kid, id, algorithm, is_imported, public_jwk, sealed_private)
  VALUES (made.kid, made.id, add_signing_key.algorithm, add_signing_key.key IS NOT NULL, made.public_jwk, made.sealed_private);
  RETURN made.kid;
END
$$;
COMMENT ON FUNCTION chat_private.add_signing_key(text, bytea, interval) IS
'Makes a new key, or the one given, the active one of its algorithm, and retires the one before. Returns its name.
Errors: 22023 unknown algorithm, a key that is not for it, or overlap out of range; 42710 the key is there already.';

CREATE OR REPLACE FUNCTION chat.admin_rotate_signing_key(algorithm text DEFAULT NULL, overlap interval DEFAULT '1 day') RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  chosen text := coalesce(admin_rotate_signing_key.algorithm, chat_private.setting_text('jwt_algorithm'));
  kid text;
BEGIN
  PERFORM chat_private.require_admin();
  kid := chat_private.add_signing_key(chosen, NULL, admin_rotate_signing_key.overlap);
  PERFORM chat_private.audit('admin.rotate_signing_key', 'signing_key:' || kid, jsonb_build_object('algorithm', chosen));
  RETURN kid;
END
$$;
COMMENT ON FUNCTION chat.admin_rotate_signing_key(text, interval) IS
'Makes a new key that signs from the commit on, and returns its name (kid). algorithm: EdDSA, ES256, RS256 or HS256; by default
setting jwt_algorithm. overlap: how long the key before still verifies, 0 to 10 years; a day is longer than any token of
chat.issue_jwt lives, so by default none is cut short. For administrators and pgchat_service.
Errors: 42501 not an administrator; 22023 unknown algorithm, or overlap out of range; 57P03 no engine; PC201 no master key.';

CREATE OR REPLACE FUNCTION chat.admin_import_signing_key(algorithm text, key bytea, overlap interval DEFAULT '1 day') RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kid text;
BEGIN
  PERFORM chat_private.require_admin();
  IF admin_import_signing_key.algorithm IS NULL OR admin_import_signing_key.key IS NULL THEN
    RAISE EXCEPTION 'algorithm and key must not be null' USING ERRCODE = '22004';
  END IF;
  kid := chat_private.add_signing_key(admin_import_signing_key.algorithm, admin_import_signing_key.key,
                                      admin_import_signing_key.overlap);
  PERFORM chat_private.audit('admin.import_signing_key', 'signing_key:' || kid,
                             jsonb_build_object('algorithm', admin_import_signing_key.algorithm));
  RETURN kid;
END
$$;
COMMENT ON FUNCTION chat.admin_import_signing_key(text, bytea, interval) IS
'Takes over a key that others have as well, such as the HS256 secret of PostgREST or of a backend before this one, and
returns its name here (kid). It signs from the commit on where setting jwt_algorithm names its algorithm. key: for HS256 the
secret''s 32 to 1024 bytes, else PKCS #8 in DER or PEM without a password. Tokens of an imported HS256 secret need no kid, and
those signed with it here have none. Pass the key as a bind parameter, see docs/security.md. overlap: as in
chat.admin_rotate_signing_key. For administrators and pgchat_service.
Errors: 42501 not an administrator; 22004 algorithm or key is NULL; 22023 the key is not for the algorithm; 42710 it is there
already; 57P03 no engine; PC201 no master key.';

CREATE OR REPLACE FUNCTION chat.admin_import_signing_key(algorithm text, key text, overlap interval DEFAULT '1 day') RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN chat.admin_import_signing_key(admin_import_signing_key.algorithm, convert_to(admin_import_signing_key.key, 'UTF8'),
                                       admin_import_signing_key.overlap);
END
$$;
COMMENT ON FUNCTION chat.admin_import_signing_key(text, text, interval) IS
'The same with the key as text: the secret''s characters as they are, not decoded, as most configuration files have it; or PEM.
Errors: as there.';

CREATE OR REPLACE FUNCTION chat.admin_revoke_signing_key(kid text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.require_admin();
  UPDATE chat_private.signing_keys k
  SET state = 'revoked', sealed_private = NULL, valid_until = NULL, retired_at = coalesce(k.retired_at, clock_timestamp())
  WHERE k.kid = admin_revoke_signing_key.kid AND k.state <> 'revoked';
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no such key in use' USING ERRCODE = 'P0002', HINT = 'chat.admin_list_signing_keys() lists them.';
  END IF;
  PERFORM chat_private.audit('admin.revoke_signing_key', 'signing_key:' || admin_revoke_signing_key.kid);
END
$$;
COMMENT ON FUNCTION chat.admin_revoke_signing_key(text) IS
'Ends a key that may have become known: none of its tokens is accepted from the commit on, and its private half is deleted. The
next token is signed with a new key. For administrators and pgchat_service.
Errors: 42501 not an administrator; P0002 there is no such key, or it is revoked already.';

CREATE OR REPLACE FUNCTION chat.admin_list_signing_keys(OUT kid text, OUT algorithm text, OUT state text, OUT is_imported boolean,
  OUT created_at timestamptz, OUT retired_at timestamptz, OUT valid_until timestamptz) RETURNS SETOF record
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  PERFORM chat_private.require_admin();
  RETURN QUERY SELECT k.kid, k.algorithm, k.state, k.is_imported, k.created_at, k.retired_at, k.valid_until
               FROM chat_private.signing_keys k ORDER BY k.created_at, k.kid;
END
$$;
COMMENT ON FUNCTION chat.admin_list_signing_keys() IS
'The keys of signed tokens, oldest first, without their private halves. state: active (signs and verifies), retired (verifies
until valid_until) or revoked. For administrators and pgchat_service.
Errors: 42501 not an administrator.';

CREATE OR REPLACE FUNCTION chat.jwks() RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN jsonb_build_object('keys', coalesce(
    (SELECT jsonb_agg(k.public_jwk ORDER BY k.created_at DESC, k.kid) FROM chat_private.signing_keys k
     WHERE k.public_jwk IS NOT NULL AND (k.state = 'active' OR k.state = 'retired' AND k.valid_until > clock_timestamp())),
    '[]'));
END
$$;
COMMENT ON FUNCTION chat.jwks() IS
'The public keys with which other services verify this database''s tokens, as a JWK Set (RFC 7517), newest first. HS256 secrets
are not among them. Anybody may read it. There is none before the first token is signed or chat.admin_rotate_signing_key makes one.';

CREATE OR REPLACE FUNCTION chat.jwt_sign(claims jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  complete jsonb;
BEGIN
  IF jsonb_typeof(jwt_sign.claims) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION 'claims must be a JSON object' USING ERRCODE = '22023', HINT = 'For example {"sub": "42", "exp": 1893456000}.';
  END IF;
  complete := jsonb_build_object('iss', chat_private.token_issuer(), 'aud', chat_private.token_audience(),
                                 'iat', floor(extract(epoch FROM clock_timestamp()))::bigint) || jwt_sign.claims;
  RETURN chat_private.sign_token(complete, chat_private.setting_text('jwt_algorithm'));
END
$$;
COMMENT ON FUNCTION chat.jwt_sign(jsonb) IS
'Signs any claims, with the key of setting jwt_algorithm. iss, aud and iat are added where they are missing; whoever verifies
the token will want exp (seconds since 1970) as well. A token with sub, token_version and exp authenticates its user. For
pgchat_service only.
Errors: 22023 not an object; 57P03 no engine; 25006 on a standby; PC201 no master key; PC202 the key was
sealed with another.';

CREATE OR REPLACE FUNCTION chat.jwt_verify(token text) RETURNS jsonb
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgchat_jwt_verify';
COMMENT ON FUNCTION chat.jwt_verify(text) IS
'The claims of a token that a key of this database has signed, whose iss and aud are those of the settings, and for which it
is time: exp is required, nbf and iat are honoured, clocks may differ by 30 seconds. Whether the user and the session
behind it still are is not looked at: that is chat.authenticate_jwt.
Errors: 22004 token is NULL; 28000 the token is not valid, whatever is wrong with it; of HS256 tokens also 57P03 no engine, 25006
on a standby, since only the engine knows the secret.';

CREATE OR REPLACE FUNCTION chat_private.access_claims(user_id uuid, session_id uuid, ttl interval) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  issued_at bigint := floor(extract(epoch FROM clock_timestamp()));
  account chat.users;
BEGIN
  IF access_claims.ttl NOT BETWEEN interval '1 second' AND interval '1 day' THEN
    RAISE EXCEPTION 'ttl must be from 1 second to 1 day' USING ERRCODE = '22023',
      HINT = 'Let tokens be short and renew them with chat.refresh_jwt.';
  END IF;
  SELECT u.* INTO account FROM chat.users u WHERE u.id = access_claims.user_id AND u.is_active;
  IF NOT FOUND THEN
    PERFORM chat_private.account_is_gone();
  END IF;
  RETURN jsonb_strip_nulls(jsonb_build_object(
    'iss', chat_private.token_issuer(), 'aud', chat_private.token_audience(), 'sub', account.id, 'sid', access_claims.session_id,
    'jti', chat.uuid_v7(), 'iat', issued_at, 'nbf', issued_at,
    'exp', issued_at + ceil(extract(epoch FROM access_claims.ttl))::bigint,
    'role', nullif(chat_private.token_database_role(), ''), 'app_role', account.role,
    'token_version', account.token_version));
END
$$;
COMMENT ON FUNCTION chat_private.access_claims(uuid, uuid, interval) IS
'The claims of a new access token of the user, as whom the caller must act already.
Errors: 22023 ttl is not 1 second to 1 day; 28000 the user is not active.';

CREATE OR REPLACE FUNCTION chat_private.require_unsigned() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF chat_private.is_signed_identity() THEN
    RAISE EXCEPTION 'a signed token cannot be used to get another one' USING ERRCODE = '42501',
      HINT = 'Authenticate with the session token, or use chat.refresh_jwt.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.require_unsigned() IS
'Errors: 42501 the identity comes from a signed token: a stolen one would never end if it could renew itself.';

CREATE OR REPLACE FUNCTION chat.issue_jwt(ttl interval DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller_id uuid := chat_private.require_user();
  lifetime interval := coalesce(issue_jwt.ttl, chat_private.setting_text('jwt_ttl')::interval);
BEGIN
  PERFORM chat_private.require_unsigned();
  RETURN chat_private.sign_token(chat_private.access_claims(caller_id, chat_private.current_session_id(), lifetime),
                                 chat_private.setting_text('jwt_algorithm'));
END
$$;
COMMENT ON FUNCTION chat.issue_jwt(interval) IS
'A signed token that authenticates the current user, here (chat.authenticate_jwt) and at any service that has chat.jwks().
ttl: how long, 1 second to 1 day; by default setting jwt_ttl, 15 minutes. Claims: iss, aud, sub (the user''s id), sid (the
session), jti, iat, nbf, exp, role (the database role for PostgREST, setting jwt_database_role), app_role (the role inside the
application), token_version.
Errors: 28000 nobody is authenticated; 42501 the identity comes from a signed token itself; 22023 ttl out of range; 57P03 no
engine; 25006 on a standby; PC201 no master key; PC202 the key was
sealed with another.';

CREATE OR REPLACE FUNCTION chat.authenticate_jwt(token text, is_local boolean DEFAULT true) RETURNS uuid
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgchat_authenticate_jwt';
COMMENT ON FUNCTION chat.authenticate_jwt(text, boolean) IS
'Makes the user of a signed token the current user, as chat.authenticate does with a session token, and returns their id.
Beyond chat.jwt_verify, the user must be active, the claim token_version be the user''s (it is counted up when all their sessions
end: a change of password, deactivation), and the session of claim sid, where there is one, not be over. The role is that of
the account now, not of the token.
Errors: as chat.jwt_verify.';
