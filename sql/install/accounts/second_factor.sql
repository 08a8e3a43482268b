-- The second factor of an account: enrolling an authenticator app, proving it at a login, removing it.

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
  PERFORM chat_private.hold_account(caller_id);
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
