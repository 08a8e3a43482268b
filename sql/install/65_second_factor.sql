-- The second factor: one-time codes of authenticator apps, and the recovery codes that stand in for a lost one.

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

CREATE OR REPLACE FUNCTION chat_private.require_half_user() RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  half_user_id uuid := chat_private.pending_user_id();
  previous chat_private.identity;
BEGIN
  IF half_user_id IS NULL OR chat.current_user_id() IS NOT NULL THEN
    RETURN chat_private.require_user();
  END IF;
  previous := chat_private.act_as(half_user_id);
  -- The connection may have known it for longer than it lasted.
  PERFORM FROM chat.sessions s JOIN chat.users u ON u.id = s.user_id
  WHERE s.user_id = half_user_id AND s.id = chat_private.pending_session_id() AND s.mfa_pending AND u.is_active
    AND least(s.expires_at, s.idle_expires_at) > clock_timestamp();
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the session that waits for a second factor has ended' USING ERRCODE = '28000',
      HINT = 'Log in again with chat.login.';
  END IF;
  PERFORM chat_private.switch_identity(previous);
  RETURN half_user_id;
END
$$;
COMMENT ON FUNCTION chat_private.require_half_user() IS
'The current user''s id, or without one the user whose session still lacks its second factor.
Errors: 28000 nobody is authenticated, or that session has ended.';

CREATE OR REPLACE FUNCTION chat.totp_enroll(algorithm text DEFAULT 'SHA1', digits integer DEFAULT 6,
                                            OUT secret text, OUT otpauth_uri text, OUT qr_svg text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_half_user();
  previous chat_private.identity := chat_private.act_as(caller_id);
  new_id uuid := chat.uuid_v7();
  account chat.users;
  sealed bytea;
BEGIN
  IF totp_enroll.algorithm IS NULL OR totp_enroll.digits IS NULL THEN
    RAISE EXCEPTION 'algorithm and digits must not be null' USING ERRCODE = '22004';
  END IF;
  IF NOT coalesce(chat_private.totp_is_allowed(caller_id), false) THEN
    RAISE EXCEPTION 'permission denied: this account may not enrol an authenticator app' USING ERRCODE = '42501',
      HINT = 'Administrators choose the e-mail domains that may, by the setting totp_domains.';
  END IF;
  SELECT u.* INTO account FROM chat.users u WHERE u.id = caller_id;
  -- Both are cut so that the URI always fits into a QR code.
  SELECT t.secret, t.otpauth_uri, t.qr_svg, t.sealed_key INTO totp_enroll.secret, totp_enroll.otpauth_uri, totp_enroll.qr_svg, sealed
  FROM chat_private.new_totp(caller_id, new_id,
    coalesce(nullif(left(btrim(translate(chat_private.setting('app_name') #>> '{}', ':', ' ')), 60), ''), 'pgchat'),
    left(translate(coalesce(account.email, account.username, caller_id::text), ':', ' '), 254),
    upper(totp_enroll.algorithm), totp_enroll.digits) t;
  INSERT INTO chat_private.totp_factors AS f (user_id, id, sealed_key, algorithm, digits)
  VALUES (caller_id, new_id, sealed, upper(totp_enroll.algorithm), totp_enroll.digits)
  ON CONFLICT (user_id) DO UPDATE SET id = excluded.id, sealed_key = excluded.sealed_key, algorithm = excluded.algorithm,
    digits = excluded.digits, created_at = excluded.created_at
  WHERE f.confirmed_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'an authenticator app is enrolled already' USING ERRCODE = '55000',
      HINT = 'Disable it with chat.totp_disable first.';
  END IF;
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit('mfa.enroll', 'user:' || caller_id, user_id => caller_id);
END
$$;
COMMENT ON FUNCTION chat.totp_enroll(text, integer) IS
'Begins to enrol an authenticator app: secret, to type in, and otpauth_uri and qr_svg, to scan. Nothing is asked for until
chat.totp_verify has had a code of it; enrolling again before that replaces it. A session that still needs its second factor
may enrol where the user''s role must have one. algorithm: SHA1, SHA256 or SHA512; digits: 6 or 8; many apps know the
defaults only. The name shown by the app is the setting app_name.
Errors: 28000 nobody is authenticated; 22004 an argument is NULL; 22023 algorithm or digits is none of these; 42501 the
account''s e-mail domain is not in totp_domains; 55000 an app is enrolled already; PC201 there is no usable master key; 57P03 no
engine; 25006 on a standby.';

CREATE OR REPLACE FUNCTION chat_private.open_factor(user_id uuid, is_login boolean) RETURNS chat_private.totp_factors
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.act_as(open_factor.user_id);
  factor chat_private.totp_factors;
BEGIN
  SELECT f.* INTO factor FROM chat_private.totp_factors f WHERE f.user_id = open_factor.user_id;
  IF factor.id IS NULL OR factor.confirmed_at IS NOT NULL AND NOT open_factor.is_login THEN
    RAISE EXCEPTION 'neither an enrolment nor a login waits for a code' USING ERRCODE = '55000',
      HINT = 'Enrol an authenticator app with chat.totp_enroll first.';
  END IF;
  PERFORM chat_private.switch_identity(previous);
  RETURN factor;
END
$$;
COMMENT ON FUNCTION chat_private.open_factor(uuid, boolean) IS
'The user''s authenticator app, where a code of it is waited for: to confirm it, or where is_login to log in.
Errors: 55000 it is not.';

CREATE OR REPLACE FUNCTION chat_private.factor_is_proved(user_id uuid, session_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.act_as(factor_is_proved.user_id);
  role_of_user text;
BEGIN
  UPDATE chat_private.totp_factors f SET confirmed_at = clock_timestamp()
  WHERE f.user_id = factor_is_proved.user_id AND f.confirmed_at IS NULL;
  IF factor_is_proved.session_id IS NOT NULL THEN
    PERFORM chat_private.complete_session(factor_is_proved.user_id, factor_is_proved.session_id);
    SELECT u.role INTO role_of_user FROM chat.users u WHERE u.id = factor_is_proved.user_id;
    previous := ROW(factor_is_proved.user_id, role_of_user, factor_is_proved.session_id)::chat_private.identity;
  END IF;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat_private.factor_is_proved(uuid, uuid) IS
'Confirms the user''s authenticator app where that was open, and makes the session, where it is not NULL, a full one, as which
this transaction then acts.';

CREATE OR REPLACE FUNCTION chat_private.session_origin(user_id uuid, session_id uuid, OUT ip_address inet, OUT user_agent text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.act_as(session_origin.user_id);
BEGIN
  SELECT s.ip_address, s.user_agent INTO session_origin.ip_address, session_origin.user_agent FROM chat.sessions s
  WHERE s.user_id = session_origin.user_id AND s.id = session_origin.session_id;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat_private.session_origin(uuid, uuid) IS 'Where a session was opened from.';

CREATE OR REPLACE FUNCTION chat.totp_verify(code text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller_id uuid := chat_private.require_half_user();
  half_session_id uuid := CASE WHEN chat.current_user_id() IS NULL THEN chat_private.pending_session_id() END;
  factor chat_private.totp_factors := chat_private.open_factor(caller_id, half_session_id IS NOT NULL);
  origin record;
  attempt jsonb;
  was_allowed boolean;
  is_right boolean;
BEGIN
  IF totp_verify.code IS NULL THEN
    RAISE EXCEPTION 'code must not be null' USING ERRCODE = '22004';
  END IF;
  SELECT o.* INTO origin
  FROM chat_private.session_origin(caller_id, coalesce(half_session_id, chat_private.current_session_id())) o;
  attempt := chat_private.login_payload(caller_id, NULL, origin.ip_address);
  -- Counted before the code is looked at, as a password is.
  was_allowed := chat_private.ask_ledger('charge_login', attempt)::boolean;
  BEGIN
    is_right := was_allowed AND CASE WHEN factor.confirmed_at IS NULL THEN chat_private.use_totp_code(factor, totp_verify.code)
                                ELSE chat_private.check_second_factor(caller_id, totp_verify.code) END;
  EXCEPTION WHEN SQLSTATE 'PC201' OR SQLSTATE 'PC202' THEN
    -- Whoever's fault it is that the key cannot be opened, the user guessed nothing.
    PERFORM chat_private.ask_ledger('settle_login', attempt);
    RAISE;
  END;
  attempt := attempt || jsonb_build_object('was_allowed', was_allowed, 'is_complete', true, 'audit', chat_private.audit_payload(
    'mfa.verify', caller_id, jsonb_build_object('confirms', factor.confirmed_at IS NULL, 'locked', NOT was_allowed),
    CASE WHEN is_right THEN 'success' ELSE 'refused' END, origin.ip_address, origin.user_agent));
  IF NOT is_right THEN
    PERFORM chat_private.ask_ledger('refuse_login', attempt);
    RAISE EXCEPTION 'the code is not right' USING ERRCODE = '28P01',
      HINT = 'Each code works once, for about a minute; after several wrong ones, further ones are refused for a while.';
  END IF;
  PERFORM chat_private.factor_is_proved(caller_id, half_session_id);
  PERFORM chat_private.ask_ledger('settle_login', attempt);
END
$$;
COMMENT ON FUNCTION chat.totp_verify(text) IS
'Shows that the user has the authenticator app. It confirms an enrolment that chat.totp_enroll began; and it makes a session that
still needed its second factor a full one, as which this transaction then goes on; chat.authenticate takes its token from then
on. code: what the app shows, or for a login also a recovery code. A code counts as used, and a wrong one as a failed login, even
if the transaction is rolled back.
Errors: 28000 nobody is authenticated; 22004 code is NULL; 28P01 the code is wrong, too old or used, or there were too many wrong
ones; 55000 nothing waits for a code; PC201, PC202 the key cannot be opened; 57P03 no engine; 25006 on a standby.';

CREATE OR REPLACE FUNCTION chat_private.demand_second_factor(user_id uuid, session_id uuid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.act_as(demand_second_factor.user_id);
BEGIN
  IF chat_private.mfa_state(demand_second_factor.user_id) = 'required' THEN
    PERFORM chat_private.end_sessions(demand_second_factor.user_id, demand_second_factor.session_id);
    UPDATE chat.sessions s SET mfa_pending = true, idle_expires_at = clock_timestamp() + interval '10 minutes'
    WHERE s.user_id = demand_second_factor.user_id AND s.id = demand_second_factor.session_id;
  END IF;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat_private.demand_second_factor(uuid, uuid) IS
'Where the user''s role must have an authenticator app and the user has none, all their sessions end but the one given, which
can from then on, for 10 minutes, only enrol one.';

CREATE OR REPLACE FUNCTION chat_private.remove_second_factor(user_id uuid, session_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.act_as(remove_second_factor.user_id);
  there_was_one boolean;
BEGIN
  DELETE FROM chat_private.totp_factors f WHERE f.user_id = remove_second_factor.user_id;
  there_was_one := FOUND;
  DELETE FROM chat_private.recovery_codes c WHERE c.user_id = remove_second_factor.user_id;
  DELETE FROM chat_private.used_recovery_codes c WHERE c.user_id = remove_second_factor.user_id;
  IF there_was_one THEN
    PERFORM chat_private.demand_second_factor(remove_second_factor.user_id, remove_second_factor.session_id);
  END IF;
  PERFORM chat_private.switch_identity(previous);
  RETURN there_was_one;
END
$$;
COMMENT ON FUNCTION chat_private.remove_second_factor(uuid, uuid) IS
'Removes the user''s authenticator app and recovery codes; false when there was no app. Where the user''s role must have one,
all their sessions end but the one given, which can from then on only enrol a new one.';

CREATE OR REPLACE FUNCTION chat.totp_disable(password text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  PERFORM chat_private.reauthenticate(totp_disable.password);
  IF NOT chat_private.remove_second_factor(caller_id, chat_private.current_session_id()) THEN
    RAISE EXCEPTION 'no authenticator app is enrolled' USING ERRCODE = '55000';
  END IF;
  PERFORM chat_private.audit('mfa.disable', 'user:' || caller_id);
END
$$;
COMMENT ON FUNCTION chat.totp_disable(text) IS
'Removes the current user''s authenticator app and recovery codes. password: the user''s own, once more. Where the user''s role
must have an app, the user''s other sessions end, and this one can from then on, for 10 minutes, only enrol a new one.
Errors: 28000 nobody is authenticated; 22004 password is NULL; 28P01 it is wrong; 55000 no app is enrolled; 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat.generate_recovery_codes() RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller_id uuid := chat_private.require_user();
  made record;
BEGIN
  IF chat_private.mfa_state(caller_id) <> 'enrolled' THEN
    RAISE EXCEPTION 'no authenticator app is enrolled' USING ERRCODE = '55000',
      HINT = 'Enrol one with chat.totp_enroll and confirm it with chat.totp_verify first.';
  END IF;
  DELETE FROM chat_private.recovery_codes c WHERE c.user_id = caller_id;
  DELETE FROM chat_private.used_recovery_codes c WHERE c.user_id = caller_id;
  FOR i IN 1 .. 10 LOOP
    SELECT n.code, n.code_hash INTO made FROM chat_private.new_recovery_code(caller_id) n;
    INSERT INTO chat_private.recovery_codes (user_id, code_hash) VALUES (caller_id, made.code_hash);
    RETURN NEXT made.code;
  END LOOP;
  PERFORM chat_private.audit('mfa.recovery_codes', 'user:' || caller_id);
END
$$;
COMMENT ON FUNCTION chat.generate_recovery_codes() IS
'Ten new recovery codes of the current user, in place of any before. Each can stand in once for a code of the authenticator app
when logging in. They are shown now and never again: only their hashes are stored.
Errors: 28000 nobody is authenticated; 55000 no app is enrolled; 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat.mfa_status(OUT state text, OUT can_enroll boolean, OUT recovery_codes_left integer)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_half_user();
  previous chat_private.identity := chat_private.act_as(caller_id);
BEGIN
  state := chat_private.mfa_state(caller_id);
  can_enroll := state <> 'enrolled' AND coalesce(chat_private.totp_is_allowed(caller_id), false);
  SELECT count(*) INTO recovery_codes_left FROM chat_private.recovery_codes c
  WHERE c.user_id = caller_id AND NOT EXISTS (
    SELECT FROM chat_private.used_recovery_codes used WHERE used.user_id = c.user_id AND used.code_hash = c.code_hash);
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat.mfa_status() IS
'The current user''s second factor, for sessions that still need it too. state: none, enrolled, or required (the user''s role must
have an authenticator app and has not). can_enroll: whether chat.totp_enroll is open to the user. recovery_codes_left: how many have not been used.
Errors: 28000 nobody is authenticated.';

CREATE OR REPLACE FUNCTION chat.admin_remove_second_factor(user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.require_admin();
  IF admin_remove_second_factor.user_id IS NULL THEN
    RAISE EXCEPTION 'user_id must not be null' USING ERRCODE = '22004';
  END IF;
  IF NOT chat_private.remove_second_factor(admin_remove_second_factor.user_id, NULL) THEN
    RAISE EXCEPTION 'this user has no authenticator app' USING ERRCODE = 'P0002';
  END IF;
  PERFORM chat_private.audit('admin.remove_second_factor', 'user:' || admin_remove_second_factor.user_id);
END
$$;
COMMENT ON FUNCTION chat.admin_remove_second_factor(uuid) IS
'Removes the authenticator app and recovery codes of a user who has lost both. Where the user''s role must have an app, their
sessions end, and the next login can only enrol a new one.
Errors: 42501 not an administrator; 22004 user_id is NULL; P0002 no such user, or no app is enrolled; 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat.admin_import_totp(user_id uuid, secret text, algorithm text DEFAULT 'SHA1', digits integer DEFAULT 6) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  new_id uuid := chat.uuid_v7();
  previous chat_private.identity;
BEGIN
  PERFORM chat_private.require_admin();
  IF num_nulls(admin_import_totp.user_id, admin_import_totp.secret, admin_import_totp.algorithm, admin_import_totp.digits) > 0 THEN
    RAISE EXCEPTION 'user_id, secret, algorithm and digits must not be null' USING ERRCODE = '22004';
  END IF;
  -- For its check of algorithm and digits.
  PERFORM chat.totp_generate(admin_import_totp.secret, algorithm => admin_import_totp.algorithm, digits => admin_import_totp.digits);
  previous := chat_private.act_as(admin_import_totp.user_id);
  INSERT INTO chat_private.totp_factors (user_id, id, sealed_key, algorithm, digits, confirmed_at)
  SELECT u.id, new_id, chat_private.seal_totp(u.id, new_id, admin_import_totp.secret), upper(admin_import_totp.algorithm),
         admin_import_totp.digits, clock_timestamp()
  FROM chat.users u
  WHERE u.id = admin_import_totp.user_id AND NOT EXISTS (SELECT FROM chat_private.totp_factors f WHERE f.user_id = u.id);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no such user without an authenticator app' USING ERRCODE = 'P0002',
      HINT = 'chat.admin_remove_second_factor(user_id) removes an app.';
  END IF;
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit('admin.import_totp', 'user:' || admin_import_totp.user_id);
END
$$;
COMMENT ON FUNCTION chat.admin_import_totp(uuid, text, text, integer) IS
'Gives a user the authenticator app that they have used with another system, already confirmed. secret: base32. Pass it as a bind
parameter, so that no log holds it.
Errors: 42501 not an administrator; 22004 an argument is NULL; 22023 the secret is not base32, or algorithm or digits is not known;
P0002 no such user, or the user has an app; PC201 there is no usable master key; 57P03 no engine.';
