-- Logging in with a password: one answer, in one time, for everything that is wrong.

CREATE OR REPLACE FUNCTION chat_private.hash_password(password text) RETURNS text
LANGUAGE c VOLATILE STRICT COST 100000 AS 'MODULE_PATHNAME', 'pgchat_hash_password';
COMMENT ON FUNCTION chat_private.hash_password(text) IS
'The bcrypt hash of a password at pgchat.bcrypt_cost. Waits for one of pgchat.max_concurrent_hashes slots.
Errors: 22023 over 72 bytes.';

CREATE OR REPLACE FUNCTION chat_private.verify_password(password text, hash text) RETURNS boolean
LANGUAGE c VOLATILE STRICT COST 100000 AS 'MODULE_PATHNAME', 'pgchat_verify_password';
COMMENT ON FUNCTION chat_private.verify_password(text, text) IS
'Whether the password belongs to the bcrypt hash. Waits for one of pgchat.max_concurrent_hashes slots.
Errors: 22023 the hash is malformed.';

CREATE OR REPLACE FUNCTION chat_private.check_password_evenly(password text, hash text) RETURNS boolean
LANGUAGE c VOLATILE COST 100000 AS 'MODULE_PATHNAME', 'pgchat_check_password_evenly';
COMMENT ON FUNCTION chat_private.check_password_evenly(text, text) IS
'As chat_private.verify_password, in the time of one hash at pgchat.bcrypt_cost also where the hash is cheaper, or NULL, which
no password fits. Errors: 22023 the hash is malformed.';

CREATE OR REPLACE FUNCTION chat_private.hash_is_outdated(hash text) RETURNS boolean
LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'pgchat_hash_is_outdated';
COMMENT ON FUNCTION chat_private.hash_is_outdated(text) IS
'Whether the hash was made at another cost than pgchat.bcrypt_cost, so that it is to be made anew once the password is known.';

CREATE OR REPLACE FUNCTION chat_private.find_login(identifier text) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT n.user_id FROM chat_private.login_names n
          WHERE n.kind = CASE WHEN strpos(find_login.identifier, '@') > 0 THEN 'email' ELSE 'username' END
            AND n.name = chat_private.fold_name(btrim(find_login.identifier)));
END
$$;
COMMENT ON FUNCTION chat_private.find_login(text) IS 'The user an e-mail address or username leads to, or NULL.';

-- What the engine does: counting attempts, each in a transaction that the client cannot undo.

CREATE OR REPLACE FUNCTION chat_private.attempt_keys(payload jsonb, OUT kind text, OUT key bytea) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN payload ->> 'user_id' IS NULL THEN 'name' ELSE 'account' END,
         coalesce(uuid_send((payload ->> 'user_id')::uuid), decode(payload ->> 'name_hash', 'hex'))
  WHERE num_nonnulls(payload ->> 'user_id', payload ->> 'name_hash') > 0
  UNION ALL
  -- Who has one IPv6 address has a /64 of them, but for those that stand for one of IPv4, as sockets for both name it.
  SELECT 'address', convert_to(network(set_masklen(a.address, CASE family(a.address) WHEN 6 THEN 64 ELSE 32 END))::text, 'UTF8')
  FROM (SELECT CASE WHEN given.address << inet '::ffff:0:0/96' THEN inet '0.0.0.0' + (given.address - inet '::ffff:0.0.0.0')
                    ELSE given.address END AS address
        FROM (SELECT host((payload ->> 'ip_address')::inet)::inet AS address) given) a
  WHERE a.address IS NOT NULL
$$;
COMMENT ON FUNCTION chat_private.attempt_keys(jsonb) IS
'Under what a login is counted: the account, or the name that leads to none, and the address it comes from.';

CREATE OR REPLACE FUNCTION chat_private.attempt_limit(kind text) RETURNS integer
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT (CASE attempt_limit.kind WHEN 'address' THEN chat_private.setting_text('lockout_address_failures')
          ELSE chat_private.setting_text('lockout_account_failures') END)::integer
$$;
COMMENT ON FUNCTION chat_private.attempt_limit(text) IS 'How many failures lock an account, name or address.';

CREATE OR REPLACE FUNCTION chat_private.count_attempt(kind text, key bytea) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  now CONSTANT timestamptz := clock_timestamp();
  limit_of_kind CONSTANT integer := chat_private.attempt_limit(count_attempt.kind);
  attempt chat_private.login_attempts;
BEGIN
  SELECT a.* INTO attempt FROM chat_private.login_attempts a
  WHERE a.kind = count_attempt.kind AND a.key = count_attempt.key FOR UPDATE;
  IF attempt.locked_until > now THEN
    RETURN false;
  END IF;
  IF attempt.kind IS NULL OR attempt.first_failed_at < now - chat_private.setting_text('lockout_decay')::interval THEN
    attempt := ROW(count_attempt.kind, count_attempt.key, 0, now, NULL);
  END IF;
  attempt.failures := attempt.failures + 1;
  IF attempt.failures >= limit_of_kind THEN
    -- In force at once, so that attempts made at the same time cannot all pass; lifted again when this one is right.
    attempt.locked_until := now + least(chat_private.setting_text('lockout_longest')::interval,
      chat_private.setting_text('lockout_first')::interval * 2 ^ least(attempt.failures - limit_of_kind, 20));
  END IF;
  INSERT INTO chat_private.login_attempts SELECT attempt.*
  ON CONFLICT (kind, key) DO UPDATE SET failures = excluded.failures, first_failed_at = excluded.first_failed_at,
    locked_until = excluded.locked_until;
  RETURN true;
END
$$;
COMMENT ON FUNCTION chat_private.count_attempt(text, bytea) IS
'Counts an attempt that may be made; false, and not counted, while it may not.';

CREATE OR REPLACE FUNCTION chat_private.ledger_charge_login(payload jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- All of them are counted, whatever the first says.
  RETURN (SELECT to_jsonb(bool_and(chat_private.count_attempt(k.kind, k.key))) FROM chat_private.attempt_keys(payload) k);
END
$$;
COMMENT ON FUNCTION chat_private.ledger_charge_login(jsonb) IS 'The ledger''s act behind chat_private.charge_login.';

CREATE OR REPLACE FUNCTION chat_private.ledger_settle_login(payload jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- The failures of an address, and of an account whose second factor is still open, stay: one who knows one password must
  -- not thereby get further guesses at others.
  DELETE FROM chat_private.login_attempts a USING chat_private.attempt_keys(payload) k
  WHERE a.kind = k.kind AND a.key = k.key
    AND (a.failures <= 1 OR a.kind <> 'address' AND (payload -> 'is_complete')::boolean);
  UPDATE chat_private.login_attempts a SET failures = a.failures - 1,
    locked_until = CASE WHEN a.failures > chat_private.attempt_limit(a.kind) THEN a.locked_until END
  FROM chat_private.attempt_keys(payload) k WHERE a.kind = k.kind AND a.key = k.key;
  IF payload -> 'audit' IS NOT NULL THEN
    PERFORM chat_private.ledger_audit(payload -> 'audit');
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION chat_private.ledger_settle_login(jsonb) IS
'The ledger''s act behind chat_private.settle_login: takes back the attempt that was right, and where is_complete the account''s
failures before it; writes the audit row that comes with it.';

CREATE OR REPLACE FUNCTION chat_private.ledger_refuse_login(payload jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  lock record;
  entry CONSTANT jsonb := payload -> 'audit';
BEGIN
  PERFORM chat_private.ledger_audit(entry);
  IF NOT (payload -> 'was_allowed')::boolean THEN
    RETURN NULL;
  END IF;
  FOR lock IN
    SELECT a.kind, a.failures, a.locked_until FROM chat_private.login_attempts a JOIN chat_private.attempt_keys(payload) k
      ON a.kind = k.kind AND a.key = k.key WHERE a.locked_until > clock_timestamp()
  LOOP
    PERFORM chat_private.ledger_audit(entry || jsonb_build_object('action', 'login.lock', 'details', jsonb_build_object(
      'kind', lock.kind, 'failures', lock.failures,
      'seconds', ceil(extract(epoch FROM lock.locked_until - clock_timestamp()))::integer)));
  END LOOP;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION chat_private.ledger_refuse_login(jsonb) IS
'Writes the audit row of a refused login, and one for each lock that it led to.';

CREATE OR REPLACE FUNCTION chat_private.ledger_unlock_login(payload jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  removed integer;
BEGIN
  DELETE FROM chat_private.login_attempts a USING chat_private.attempt_keys(payload) k WHERE a.kind = k.kind AND a.key = k.key;
  GET DIAGNOSTICS removed = ROW_COUNT;
  RETURN to_jsonb(removed > 0);
END
$$;
COMMENT ON FUNCTION chat_private.ledger_unlock_login(jsonb) IS 'Forgets the failures under these keys; answers whether there were any.';

-- What functions of the API call.

CREATE OR REPLACE FUNCTION chat_private.login_payload(user_id uuid, name_hash bytea, ip_address inet) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT jsonb_build_object('user_id', login_payload.user_id, 'name_hash', encode(login_payload.name_hash, 'hex'),
                            'ip_address', login_payload.ip_address)
$$;
COMMENT ON FUNCTION chat_private.login_payload(uuid, bytea, inet) IS 'What the ledger is told of a login.';

CREATE OR REPLACE FUNCTION chat_private.charge_login(user_id uuid, name_hash bytea, ip_address inet) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN chat_private.ask_ledger('charge_login', chat_private.login_payload(
    charge_login.user_id, charge_login.name_hash, charge_login.ip_address))::boolean;
END
$$;
COMMENT ON FUNCTION chat_private.charge_login(uuid, bytea, inet) IS
'Counts an attempt before a password or code is looked at, through the engine, so that nothing the caller does takes it back;
false: this account, name or address is locked now, and no password may be right. name_hash counts where user_id is NULL.
Errors: 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat_private.settle_login(user_id uuid, name_hash bytea, ip_address inet) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.ask_ledger('settle_login', chat_private.login_payload(
    settle_login.user_id, settle_login.name_hash, settle_login.ip_address) || '{"is_complete": true}');
END
$$;
COMMENT ON FUNCTION chat_private.settle_login(uuid, bytea, inet) IS
'Takes back an attempt that chat_private.charge_login counted and that was right, and forgets the account''s failures.
Errors: 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat_private.audit_payload(action text, user_id uuid, details jsonb, outcome text, ip_address inet,
                                                      user_agent text) RETURNS jsonb
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  SELECT jsonb_build_object(
    'user_id', audit_payload.user_id, 'action', audit_payload.action, 'resource', 'user:' || audit_payload.user_id,
    'details', audit_payload.details, 'outcome', audit_payload.outcome, 'ip_address', audit_payload.ip_address,
    'user_agent', left(audit_payload.user_agent, 512), 'transaction_id', pg_current_xact_id_if_assigned()::text)
$$;
COMMENT ON FUNCTION chat_private.audit_payload(text, uuid, jsonb, text, inet, text) IS 'What the ledger''s acts take as an audit row.';

CREATE OR REPLACE FUNCTION chat_private.refuse_password(action text, reason text, attempt jsonb, was_allowed boolean,
                                                        user_agent text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  payload CONSTANT jsonb := refuse_password.attempt || jsonb_build_object(
    'was_allowed', refuse_password.was_allowed,
    'audit', chat_private.audit_payload(refuse_password.action, (refuse_password.attempt ->> 'user_id')::uuid,
      jsonb_build_object('reason', refuse_password.reason), 'refused', (refuse_password.attempt ->> 'ip_address')::inet,
      refuse_password.user_agent));
BEGIN
  -- What was not even tried is noted, too, but is to cost next to nothing.
  IF refuse_password.reason = 'too_long' THEN
    PERFORM chat_private.tell_ledger('refuse_login', payload);
  ELSE
    PERFORM chat_private.ask_ledger('refuse_login', payload);
  END IF;
  RAISE EXCEPTION 'wrong user name or password' USING ERRCODE = '28P01',
    HINT = 'After several failures, further attempts are refused for a while, right ones too.';
END
$$;
COMMENT ON FUNCTION chat_private.refuse_password(text, text, jsonb, boolean, text) IS
'Notes in the audit log why a password was refused, and tells the caller nothing of it. Errors: 28P01 always; 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat_private.try_password(action text, user_id uuid, name_hash bytea, password text, ip_address inet,
                                                     user_agent text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  attempt CONSTANT jsonb := chat_private.login_payload(try_password.user_id, try_password.name_hash, try_password.ip_address);
  hash text;
  is_active boolean;
  is_right boolean;
  was_allowed boolean;
BEGIN
  -- No hash can stand for it, so nothing of the account shows in how fast this is.
  IF octet_length(try_password.password) > 72 THEN
    PERFORM chat_private.refuse_password(try_password.action, 'too_long', attempt, false, try_password.user_agent);
  END IF;
  SELECT u.is_active, c.password_hash INTO is_active, hash
  FROM chat.users u LEFT JOIN chat_private.credentials c ON c.user_id = u.id WHERE u.id = try_password.user_id;
  was_allowed := chat_private.ask_ledger('charge_login', attempt)::boolean;
  is_right := chat_private.check_password_evenly(try_password.password, hash);
  IF NOT (was_allowed AND is_right AND is_active) OR is_active IS NULL THEN
    PERFORM chat_private.refuse_password(try_password.action, CASE
      WHEN NOT was_allowed THEN 'locked' WHEN is_active IS NULL THEN 'unknown' WHEN NOT is_active THEN 'disabled'
      WHEN hash IS NULL THEN 'no_password' ELSE 'wrong' END, attempt, was_allowed, try_password.user_agent);
  END IF;
  IF chat_private.hash_is_outdated(hash) THEN
    -- In the order of those who remove an account.
    PERFORM FROM chat.users u WHERE u.id = try_password.user_id FOR NO KEY UPDATE;
    UPDATE chat_private.credentials c SET password_hash = chat_private.hash_password(try_password.password),
      updated_at = clock_timestamp() WHERE c.user_id = try_password.user_id;
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.try_password(text, uuid, bytea, text, inet, text) IS
'Returns if the password is the user''s; the caller must act as the user already, and settle the attempt. A NULL user_id, which
name_hash stands for, takes as long as any. action: under which a refusal is audited. Makes the hash anew at
pgchat.bcrypt_cost where it was made at another.
Errors: 28P01 it is not, there is no such user, the user has no password, is not active or is locked; 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat_private.reauthenticate(password text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  origin chat.sessions;
BEGIN
  IF reauthenticate.password IS NULL THEN
    RAISE EXCEPTION 'password must not be null' USING ERRCODE = '22004';
  END IF;
  SELECT s.* INTO origin FROM chat.sessions s WHERE s.user_id = caller_id AND s.id = chat_private.current_session_id();
  PERFORM chat_private.try_password('reauthenticate', caller_id, NULL, reauthenticate.password, origin.ip_address, origin.user_agent);
  PERFORM chat_private.settle_login(caller_id, NULL, origin.ip_address);
END
$$;
COMMENT ON FUNCTION chat_private.reauthenticate(text) IS
'Returns if this is the current user''s password. Counts and locks as logging in does.
Errors: 28000 nobody is authenticated; 22004 password is NULL; 28P01 it is not the password, or the account is locked; 57P03 no
engine.';

CREATE OR REPLACE FUNCTION chat_private.open_session(user_id uuid, ip_address inet, user_agent text, lifetime interval,
  mfa_pending boolean DEFAULT false, OUT token text, OUT session_id uuid, OUT expires_at timestamptz)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  hash bytea;
  idle_timeout interval := CASE WHEN open_session.mfa_pending THEN '10 minutes'
    ELSE chat_private.setting_text('session_idle_timeout') END;
BEGIN
  session_id := chat.uuid_v7();
  expires_at := clock_timestamp() + coalesce(open_session.lifetime, chat_private.setting_text('session_lifetime')::interval);
  SELECT t.token, t.token_hash INTO open_session.token, hash FROM chat_private.new_session_token(open_session.user_id) t;
  INSERT INTO chat.sessions (user_id, id, expires_at, idle_expires_at, mfa_pending, ip_address, user_agent)
  VALUES (open_session.user_id, open_session.session_id, open_session.expires_at, clock_timestamp() + idle_timeout,
          open_session.mfa_pending, open_session.ip_address, left(open_session.user_agent, 512));
  INSERT INTO chat_private.session_tokens (user_id, token_hash, session_id)
  VALUES (open_session.user_id, hash, open_session.session_id);
END
$$;
COMMENT ON FUNCTION chat_private.open_session(uuid, inet, text, interval, boolean) IS
'A new session of the user and its token; the caller must act as the user already. lifetime: NULL for the setting
session_lifetime. mfa_pending: for 10 minutes it can do nothing but prove the second factor, see chat_private.complete_session.';

CREATE OR REPLACE FUNCTION chat_private.complete_session(user_id uuid, session_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE chat.sessions s
  SET mfa_pending = false, last_activity_at = clock_timestamp(),
      idle_expires_at = clock_timestamp() + chat_private.setting_text('session_idle_timeout')::interval
  WHERE s.user_id = complete_session.user_id AND s.id = complete_session.session_id AND s.mfa_pending
    AND least(s.expires_at, s.idle_expires_at) > clock_timestamp();
  RETURN FOUND;
END
$$;
COMMENT ON FUNCTION chat_private.complete_session(uuid, uuid) IS
'The second factor has been proved: the session is one like any other. False where there is none that waited for it. The caller
must act as the user already.';

CREATE OR REPLACE FUNCTION chat.login(identifier text, password text, totp_code text DEFAULT NULL,
                                      ip_address inet DEFAULT NULL, user_agent text DEFAULT NULL,
                                      OUT session_token text, OUT user_id uuid, OUT expires_at timestamptz,
                                      OUT mfa_required boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  -- No name is longer; what is, is unknown, and costs no more for being long.
  name CONSTANT text := left(login.identifier, 400);
  name_hash CONSTANT bytea := sha256(convert_to(chat_private.fold_name(btrim(name)), 'UTF8'));
  factor text;
  previous chat_private.identity;
BEGIN
  IF login.identifier IS NULL OR login.password IS NULL THEN
    RAISE EXCEPTION 'identifier and password must not be null' USING ERRCODE = '22004';
  END IF;
  user_id := chat_private.find_login(name);
  previous := chat_private.act_as(login.user_id);
  PERFORM chat_private.try_password('login', login.user_id, name_hash, login.password, login.ip_address, login.user_agent);
  BEGIN
    PERFORM chat_private.require_verified_email(login.user_id);
  EXCEPTION WHEN SQLSTATE 'PC302' THEN
    -- The password was right, and is not to count as a failure.
    PERFORM chat_private.ask_ledger('settle_login', chat_private.login_payload(login.user_id, name_hash, login.ip_address)
      || jsonb_build_object('is_complete', false, 'audit', chat_private.audit_payload('login', login.user_id,
           '{"reason": "email_not_verified"}', 'refused', login.ip_address, login.user_agent)));
    RAISE;
  END;
  -- Before anything is written that refers to the account: who removes it has its row locked, and then waits for what refers to it.
  UPDATE chat.users u SET last_login_at = clock_timestamp() WHERE u.id = login.user_id AND u.is_active;
  IF NOT FOUND THEN
    PERFORM chat_private.refuse_password('login', 'disabled',
      chat_private.login_payload(login.user_id, name_hash, login.ip_address), true, login.user_agent);
  END IF;
  factor := chat_private.mfa_state(login.user_id);
  IF factor = 'enrolled' AND login.totp_code IS NOT NULL AND NOT chat_private.check_second_factor(login.user_id, login.totp_code) THEN
    PERFORM chat_private.refuse_password('login', 'wrong_code',
      chat_private.login_payload(login.user_id, name_hash, login.ip_address), true, login.user_agent);
  END IF;
  mfa_required := factor = 'required' OR factor = 'enrolled' AND login.totp_code IS NULL;
  SELECT s.token, s.expires_at INTO login.session_token, login.expires_at
  FROM chat_private.open_session(login.user_id, login.ip_address, login.user_agent, NULL, login.mfa_required) s;
  PERFORM chat_private.ask_ledger('settle_login', chat_private.login_payload(login.user_id, name_hash, login.ip_address)
    || jsonb_build_object('is_complete', NOT login.mfa_required, 'audit', chat_private.audit_payload('login', login.user_id,
         jsonb_build_object('mfa_required', login.mfa_required), 'success', login.ip_address, login.user_agent)));
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat.login(text, text, text, inet, text) IS
'Opens a session and returns its token, which chat.authenticate takes; the token is stored nowhere. The transaction that logs
in is not authenticated by it. identifier: the e-mail address or the username, in any case. ip_address, user_agent: kept with
the session, the latter cut at 512 characters. totp_code: a one-time or recovery code, for an account with a second factor.
mfa_required: the session must still prove one, within 10 minutes, and can do nothing else before. The session lasts as the
settings session_lifetime and session_idle_timeout say. After 5 failures of an account, or 50 from an address, further
attempts are refused for a while that doubles each time.
Errors: 22004 identifier or password is NULL; 28P01 wrong user name, password or code, or the account is locked, whichever it
is; PC302 all are right, but the address must be verified first; 57P03 no engine, without which nobody logs in.';

CREATE OR REPLACE FUNCTION chat.admin_unlock_user(user_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.require_admin();
  IF admin_unlock_user.user_id IS NULL THEN
    RAISE EXCEPTION 'user_id must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM chat_private.audit('admin.unlock_user', 'user:' || admin_unlock_user.user_id);
  RETURN chat_private.ask_ledger('unlock_login', chat_private.login_payload(admin_unlock_user.user_id, NULL, NULL))::boolean;
END
$$;
COMMENT ON FUNCTION chat.admin_unlock_user(uuid) IS
'Forgets the failed logins of an account, so that its owner can log in at once; false where there were none. It takes effect
even if the transaction is rolled back.
Errors: 42501 not an administrator; 22004 user_id is NULL; 57P03 no engine.';
