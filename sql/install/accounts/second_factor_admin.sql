-- Recovery codes, what there is of a second factor, and what administrators do with it.

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
  PERFORM chat_private.hold_account(caller_id);
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
  FROM (SELECT u.id FROM chat.users u WHERE u.id = admin_import_totp.user_id FOR KEY SHARE) u
  WHERE NOT EXISTS (SELECT FROM chat_private.totp_factors f WHERE f.user_id = u.id);
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
