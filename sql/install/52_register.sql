-- Opening an account, and the checks of the names and passwords that people choose.

CREATE OR REPLACE FUNCTION chat_private.fold_name(name text) RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN lower(normalize(fold_name.name, NFKC));
END
$$;
COMMENT ON FUNCTION chat_private.fold_name(text) IS 'A login name as it is compared: Unicode form NFKC, lower case.';

CREATE OR REPLACE FUNCTION chat_private.check_email(email text) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  -- RFC 5321 lengths; the dot-atom form of RFC 5322 with letters beyond ASCII (RFC 6531); no quoted or literal forms.
  atom CONSTANT text := '[^][:space:][:cntrl:]@."(),:;<>[\\]+';
  label CONSTANT text := '[^][:space:][:cntrl:]!-,./:-@[\\^_`{-~]{1,63}';
BEGIN
  IF check_email.email IS NULL THEN
    RAISE EXCEPTION 'email must not be null' USING ERRCODE = '22004';
  END IF;
  IF octet_length(check_email.email) > 254
     OR octet_length(split_part(check_email.email, '@', 1)) > 64
     OR check_email.email !~ format('^%s(\.%s)*@%s(\.%s)*$', atom, atom, label, label)
     OR check_email.email ~ '@.*(@|\.)-|@-|-(\.|$)' THEN
    RAISE EXCEPTION 'the e-mail address is not valid' USING ERRCODE = '22023',
      HINT = 'An address looks like name@example.com and has at most 254 bytes.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_email(text) IS 'Errors: 22004 NULL, 22023 not the form of an e-mail address.';

CREATE OR REPLACE FUNCTION chat_private.check_username(username text) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- No @: so that a username is never another person's e-mail address.
  IF check_username.username !~ '^[^[:space:][:cntrl:]@]{1,100}$' THEN
    RAISE EXCEPTION 'the username is not valid' USING ERRCODE = '22023',
      HINT = 'A username has 1 to 100 characters, without spaces and without @.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_username(text) IS 'Errors: 22023 not the form of a username. NULL passes.';

CREATE OR REPLACE FUNCTION chat_private.check_password(password text) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF check_password.password IS NULL THEN
    RAISE EXCEPTION 'password must not be null' USING ERRCODE = '22004';
  END IF;
  IF octet_length(check_password.password) NOT BETWEEN 8 AND 72 THEN
    RAISE EXCEPTION 'the password must have 8 to 72 bytes' USING ERRCODE = '22023',
      HINT = 'bcrypt reads no more than 72 bytes, so a longer password would be cut without a word; choose a shorter one.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_password(text) IS 'Errors: 22004 NULL, 22023 not 8 to 72 bytes.';

CREATE OR REPLACE FUNCTION chat_private.claim_login_name(kind text, name text, user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO chat_private.login_names (kind, name, user_id)
  VALUES (claim_login_name.kind, chat_private.fold_name(claim_login_name.name), claim_login_name.user_id)
  ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'this % is already registered', CASE claim_login_name.kind WHEN 'email' THEN 'e-mail address' ELSE 'username' END
      USING ERRCODE = '23505', HINT = 'Log in with it, or choose another one.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.claim_login_name(text, text, uuid) IS
'Makes a name lead to a user. kind: email or username. Errors: 23505 it leads to somebody already.';

CREATE OR REPLACE FUNCTION chat.register(email text, password text, username text DEFAULT NULL,
                                         display_name text DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  new_id uuid := chat.uuid_v7();
  address text := btrim(register.email);
  login_name text := btrim(register.username);
  previous chat_private.identity;
BEGIN
  PERFORM chat_private.check_email(address);
  PERFORM chat_private.check_username(login_name);
  PERFORM chat_private.check_password(register.password);
  IF char_length(register.display_name) > 200 THEN
    RAISE EXCEPTION 'the display name has more than 200 characters' USING ERRCODE = '22023', HINT = 'Choose a shorter one.';
  END IF;
  previous := chat_private.act_as(new_id);
  INSERT INTO chat.users (id, email, username, display_name)
  VALUES (new_id, address, login_name, register.display_name);
  PERFORM chat_private.claim_login_name('email', address, new_id);
  IF login_name IS NOT NULL THEN
    PERFORM chat_private.claim_login_name('username', login_name, new_id);
  END IF;
  INSERT INTO chat.user_settings (user_id) VALUES (new_id);
  INSERT INTO chat_private.credentials (user_id, password_hash)
  VALUES (new_id, chat_private.hash_password(register.password));
  PERFORM chat_private.switch_identity(previous);
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION chat.register(text, text, text, text) IS
'Opens an account with role user and returns its id; does not log in. email: at most 254 bytes, compared without regard to
case. password: 8 to 72 bytes. username: optional, 1 to 100 characters without spaces and @. display_name: at most 200
characters.
Errors: 22004 email or password is NULL; 22023 one of them is not valid; 23505 the e-mail address or username is taken.';
