-- One-time codes: computed, sealed, and used up once each, whatever becomes of the caller's transaction.

CREATE OR REPLACE FUNCTION chat.totp_generate(secret text, at timestamptz DEFAULT clock_timestamp(),
                                              algorithm text DEFAULT 'SHA1', digits integer DEFAULT 6) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_totp_generate';
COMMENT ON FUNCTION chat.totp_generate(text, timestamptz, text, integer) IS
'The one-time code (RFC 6238, steps of 30 seconds) of a secret at a time. secret: base32, in either case, blanks and padding
ignored. algorithm: SHA1, SHA256 or SHA512. digits: 6 or 8.
Errors: 22023 the secret is not base32, the time is infinite, or algorithm or digits is none of these.';

CREATE OR REPLACE FUNCTION chat.totp_check(secret text, code text, at timestamptz DEFAULT clock_timestamp(), skew integer DEFAULT 1,
                                           algorithm text DEFAULT 'SHA1', digits integer DEFAULT 6) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_totp_check';
COMMENT ON FUNCTION chat.totp_check(text, text, timestamptz, integer, text, integer) IS
'Whether the code is that of the secret at a time, or of a step of 30 seconds up to skew (0 to 10) steps before or after it.
It remembers nothing: whoever lets people in by it must refuse a code the second time (chat.totp_verify does). secret,
algorithm and digits: as in chat.totp_generate; blanks in the code are ignored.
Errors: 22023 the secret is not base32, the time is infinite, or skew, algorithm or digits is out of range.';

CREATE OR REPLACE FUNCTION chat_private.seal(purpose text, user_id uuid, row_id uuid, plaintext bytea) RETURNS bytea
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pgchat_seal';
COMMENT ON FUNCTION chat_private.seal(text, uuid, uuid, bytea) IS
'A secret as a table may hold it: encrypted by the engine with the master key (AES-256-GCM) and bound to purpose, user and
row, so that it is of no use elsewhere. No SQL function opens it.
Errors: PC201 there is no usable master key; 57P03 no engine; 25006 on a standby.';

CREATE OR REPLACE FUNCTION chat_private.seal_totp(user_id uuid, factor_id uuid, secret text) RETURNS bytea
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pgchat_seal_totp';
COMMENT ON FUNCTION chat_private.seal_totp(uuid, uuid, text) IS
'A TOTP secret in base32, sealed for a row of totp_factors.
Errors: 22023 it is not base32; PC201, 57P03, 25006 as chat_private.seal.';

CREATE OR REPLACE FUNCTION chat_private.new_totp(user_id uuid, factor_id uuid, issuer text, account text, algorithm text,
  digits integer, OUT secret text, OUT otpauth_uri text, OUT qr_svg text, OUT sealed_key bytea)
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pgchat_new_totp';
COMMENT ON FUNCTION chat_private.new_totp(uuid, uuid, text, text, text, integer) IS
'A new TOTP key: in base32, as the URI and QR code that authenticator apps read, and sealed for a row of totp_factors.
Errors: 22023 issuer or account has a colon; PC201, 57P03, 25006 as chat_private.seal.';

CREATE OR REPLACE FUNCTION chat_private.check_totp_code(user_id uuid, factor_id uuid, sealed_key bytea, algorithm text,
                                                        digits integer, code text) RETURNS bigint
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pgchat_check_totp_code';
COMMENT ON FUNCTION chat_private.check_totp_code(uuid, uuid, bytea, text, integer, text) IS
'The step of real time, or one before or after it, that the code of a sealed key belongs to; NULL for a wrong code. The engine
compares, so that the key leaves it nowhere.
Errors: PC202 the key was sealed with another master key or for another row; PC201, 57P03, 25006 as chat_private.seal.';

CREATE OR REPLACE FUNCTION chat_private.new_recovery_code(user_id uuid, OUT code text, OUT code_hash bytea)
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pgchat_new_recovery_code';
COMMENT ON FUNCTION chat_private.new_recovery_code(uuid) IS
'A new recovery code of the user (80 random bits) and the SHA-256 hash that is stored of it.';

CREATE OR REPLACE FUNCTION chat_private.recovery_code_hash(user_id uuid, code text) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_recovery_code_hash';
COMMENT ON FUNCTION chat_private.recovery_code_hash(uuid, text) IS
'What is stored of a user''s recovery code, however it is typed; NULL for what cannot be one.';

CREATE OR REPLACE FUNCTION chat_private.ledger_use_totp_step(payload jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  the_user uuid := (payload ->> 'user_id')::uuid;
  the_step bigint := (payload ->> 'step')::bigint;
BEGIN
  -- Older codes cannot be right any more, so that nothing need remember them.
  DELETE FROM chat_private.totp_steps s WHERE s.user_id = the_user AND s.step < the_step - 20;
  INSERT INTO chat_private.totp_steps (user_id, factor_id, step)
  VALUES (the_user, (payload ->> 'factor_id')::uuid, the_step) ON CONFLICT DO NOTHING;
  RETURN to_jsonb(FOUND);
END
$$;
COMMENT ON FUNCTION chat_private.ledger_use_totp_step(jsonb) IS
'The ledger''s act that marks a step of a TOTP factor as used: true the first time, false ever after; run by the engine only.';

CREATE OR REPLACE FUNCTION chat_private.ledger_use_recovery_code(payload jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO chat_private.used_recovery_codes (user_id, code_hash)
  VALUES ((payload ->> 'user_id')::uuid, decode(payload ->> 'code_hash', 'hex')) ON CONFLICT DO NOTHING;
  RETURN to_jsonb(FOUND);
END
$$;
COMMENT ON FUNCTION chat_private.ledger_use_recovery_code(jsonb) IS
'The ledger''s act that marks a recovery code as used: true the first time, false ever after; run by the engine only.';

CREATE OR REPLACE FUNCTION chat_private.forget_used_codes() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous chat_private.identity := chat_private.act_as(OLD.id);
BEGIN
  DELETE FROM chat_private.totp_steps s WHERE s.user_id = OLD.id;
  DELETE FROM chat_private.used_recovery_codes c WHERE c.user_id = OLD.id;
  PERFORM chat_private.switch_identity(previous);
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION chat_private.forget_used_codes() IS
'Removes what no foreign key ties to a user, when the user is deleted.';

CREATE OR REPLACE TRIGGER forget_used_codes AFTER DELETE ON chat.users
  FOR EACH ROW EXECUTE FUNCTION chat_private.forget_used_codes();

CREATE OR REPLACE FUNCTION chat_private.totp_is_allowed(user_id uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT chat_private.setting('totp_required_roles') ? u.role OR chat_private.domain_is_in(u.email, 'totp_domains')
  FROM chat.users u WHERE u.id = totp_is_allowed.user_id
$$;
COMMENT ON FUNCTION chat_private.totp_is_allowed(uuid) IS
'Whether the current user''s account may enrol an authenticator app: by its domain, or because its role must.';

CREATE OR REPLACE FUNCTION chat_private.mfa_state(user_id uuid) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.act_as(mfa_state.user_id);
  state text;
BEGIN
  SELECT CASE WHEN f.confirmed_at IS NOT NULL THEN 'enrolled'
              WHEN chat_private.setting('totp_required_roles') ? u.role THEN 'required' ELSE 'none' END
  INTO state
  FROM chat.users u LEFT JOIN chat_private.totp_factors f ON f.user_id = u.id
  WHERE u.id = mfa_state.user_id;
  PERFORM chat_private.switch_identity(previous);
  RETURN coalesce(state, 'none');
END
$$;
COMMENT ON FUNCTION chat_private.mfa_state(uuid) IS
'What a login of the user needs besides the password: none; enrolled, a code; required, first of all an authenticator app,
because the user''s role must have one and has not.';

CREATE OR REPLACE FUNCTION chat_private.use_totp_code(factor chat_private.totp_factors, code text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  -- No code is longer, and the engine is not to hold what is.
  matched_step bigint := CASE WHEN octet_length(use_totp_code.code) <= 100 THEN chat_private.check_totp_code(
    factor.user_id, factor.id, factor.sealed_key, factor.algorithm, factor.digits, use_totp_code.code) END;
BEGIN
  RETURN matched_step IS NOT NULL AND chat_private.ask_ledger('use_totp_step', jsonb_build_object(
    'user_id', factor.user_id, 'factor_id', factor.id, 'step', matched_step))::boolean;
END
$$;
COMMENT ON FUNCTION chat_private.use_totp_code(chat_private.totp_factors, text) IS
'Whether the code is right now for the factor, and has not been used before: it has been from now on, whatever becomes of this
transaction.
Errors: PC201, PC202, 57P03, 25006 as chat_private.check_totp_code.';

CREATE OR REPLACE FUNCTION chat_private.check_second_factor(user_id uuid, code text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.act_as(check_second_factor.user_id);
  factor chat_private.totp_factors;
  hash bytea := chat_private.recovery_code_hash(check_second_factor.user_id, check_second_factor.code);
  is_right boolean := false;
BEGIN
  SELECT f.* INTO factor FROM chat_private.totp_factors f
  WHERE f.user_id = check_second_factor.user_id AND f.confirmed_at IS NOT NULL;
  IF FOUND AND hash IS NULL THEN
    is_right := coalesce(chat_private.use_totp_code(factor, check_second_factor.code), false);
  ELSIF FOUND AND EXISTS (SELECT FROM chat_private.recovery_codes c
                          WHERE c.user_id = check_second_factor.user_id AND c.code_hash = hash) THEN
    is_right := chat_private.ask_ledger('use_recovery_code', jsonb_build_object(
      'user_id', check_second_factor.user_id, 'code_hash', encode(hash, 'hex')))::boolean;
  END IF;
  PERFORM chat_private.switch_identity(previous);
  RETURN is_right;
END
$$;
COMMENT ON FUNCTION chat_private.check_second_factor(uuid, text) IS
'Whether the code is that of the user''s authenticator app now, or one of their recovery codes, and has not been used before; it
has been from now on. False without a confirmed app. The caller must limit how often it can be tried.
Errors: PC201, PC202, 57P03, 25006 as chat_private.check_totp_code, of an app''s code; recovery codes need no master key.';
