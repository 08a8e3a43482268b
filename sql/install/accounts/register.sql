-- Opening an account, and the checks of the names that people choose.

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
  folded text;
BEGIN
  IF check_email.email IS NULL THEN
    RAISE EXCEPTION 'email must not be null' USING ERRCODE = '22004';
  END IF;
  IF octet_length(check_email.email) <= 254 THEN
    -- As it is compared, too: a full-width @ becomes one there, and another domain would follow it.
    folded := chat_private.fold_name(check_email.email);
  END IF;
  IF folded IS NULL
     OR octet_length(split_part(check_email.email, '@', 1)) > 64
     OR check_email.email !~ format('^%s(\.%s)*@%s(\.%s)*$', atom, atom, label, label)
     OR folded !~ format('^%s(\.%s)*@%s(\.%s)*$', atom, atom, label, label)
     OR folded ~ '@.*(@|\.)-|@-|-(\.|$)' THEN
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
  IF check_username.username !~ '^[^[:space:][:cntrl:]@]{1,100}$'
     OR chat_private.fold_name(check_username.username) ~ '[[:space:][:cntrl:]@]' THEN
    RAISE EXCEPTION 'the username is not valid' USING ERRCODE = '22023',
      HINT = 'A username has 1 to 100 characters, without spaces and without @.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_username(text) IS 'Errors: 22023 not the form of a username. NULL passes.';

CREATE OR REPLACE FUNCTION chat_private.check_display_name(display_name text) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF char_length(check_display_name.display_name) > 200 THEN
    RAISE EXCEPTION 'the display name has more than 200 characters' USING ERRCODE = '22023', HINT = 'Choose a shorter one.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_display_name(text) IS 'Errors: 22023 more than 200 characters. NULL passes.';

CREATE OR REPLACE FUNCTION chat_private.check_plan_code(code text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM chat.plans p WHERE p.code = check_plan_code.code AND p.is_active;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'plan "%" does not exist or is not active', left(check_plan_code.code, 100) USING ERRCODE = '42704',
      HINT = 'SELECT code FROM chat.plans lists the plans; chat.admin_save_plan adds one.';
  END IF;
  RETURN check_plan_code.code;
END
$$;
COMMENT ON FUNCTION chat_private.check_plan_code(text) IS 'The code. Errors: 42704 no active plan has it.';

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

CREATE OR REPLACE FUNCTION chat_private.give_names(user_id uuid, email text, username text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.claim_login_name('email', give_names.email, give_names.user_id);
  IF give_names.username IS NOT NULL THEN
    PERFORM chat_private.claim_login_name('username', give_names.username, give_names.user_id);
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.give_names(uuid, text, text) IS
'Makes an address and, where there is one, a username lead to a user. Errors: 23505 one leads to somebody already.';

CREATE OR REPLACE FUNCTION chat_private.open_account(account chat.users, password text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous chat_private.identity := chat_private.act_as(account.id);
BEGIN
  INSERT INTO chat.users (id, email, username, display_name, role, plan, supervisor_id, email_verified_at, consent_at)
  VALUES (account.id, account.email, account.username, account.display_name, account.role, account.plan,
          account.supervisor_id, account.email_verified_at, account.consent_at);
  IF account.email IS NOT NULL THEN
    PERFORM chat_private.give_names(account.id, account.email, account.username);
  END IF;
  INSERT INTO chat.user_settings (user_id) VALUES (account.id);
  IF open_account.password IS NOT NULL THEN
    PERFORM chat_private.set_password(account.id, open_account.password);
  END IF;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat_private.open_account(chat.users, text) IS
'Stores an account, whose names and password have been checked, its settings and its password; NULL: it has none.
Errors: 23505 a name is taken.';

CREATE OR REPLACE FUNCTION chat_private.refuse_registration(reason text, hint text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.audit('account.register', details => jsonb_build_object('reason', refuse_registration.reason),
                             outcome => 'refused');
  RAISE EXCEPTION 'registration is not open to this address' USING ERRCODE = '42501', HINT = refuse_registration.hint;
END
$$;
COMMENT ON FUNCTION chat_private.refuse_registration(text, text) IS 'Notes a refused registration. Errors: 42501, always.';

CREATE OR REPLACE FUNCTION chat_private.check_registration(email text, is_invited boolean, consent boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  mode text := chat_private.setting_text('registration');
BEGIN
  IF mode = 'closed' THEN
    PERFORM chat_private.refuse_registration('closed', 'Ask an administrator for an account.');
  ELSIF mode = 'invitation' AND NOT check_registration.is_invited THEN
    PERFORM chat_private.refuse_registration('no invitation', 'Ask an administrator for an invitation, and pass its invitation_token.');
  ELSIF mode = 'domains' AND NOT check_registration.is_invited
        AND NOT chat_private.domain_is_in(check_registration.email, 'registration_domains') THEN
    PERFORM chat_private.refuse_registration('domain', 'Use an address of your organisation, or ask an administrator for an invitation.');
  END IF;
  IF chat_private.setting('consent_required') = 'true' AND check_registration.consent IS NOT TRUE THEN
    RAISE EXCEPTION 'registering needs consent' USING ERRCODE = '22023',
      HINT = 'Pass consent => true once the user has agreed to the terms.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_registration(text, boolean, boolean) IS
'Errors: 42501 the setting registration does not let this address in; 22023 consent is required and missing.';

CREATE OR REPLACE FUNCTION chat.register(email text, password text, username text DEFAULT NULL,
  display_name text DEFAULT NULL, invitation_token text DEFAULT NULL, consent boolean DEFAULT false)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  account chat.users;
  invitation chat.invitations;
BEGIN
  account.id := chat.uuid_v7();
  account.email := btrim(register.email);
  account.username := btrim(register.username);
  account.display_name := register.display_name;
  PERFORM chat_private.check_email(account.email);
  PERFORM chat_private.check_username(account.username);
  PERFORM chat_private.check_password(register.password, account.email, account.username);
  PERFORM chat_private.check_display_name(account.display_name);
  IF register.invitation_token IS NOT NULL THEN
    invitation := chat_private.find_invitation(register.invitation_token, account.email);
  END IF;
  PERFORM chat_private.check_registration(account.email, invitation.id IS NOT NULL, register.consent);
  account.role := coalesce(invitation.role, 'user');
  account.plan := coalesce(invitation.plan, chat_private.setting_text('default_plan'));
  account.supervisor_id := invitation.supervisor_id;
  -- The token of an invitation came by mail to this address.
  account.email_verified_at := CASE WHEN invitation.id IS NOT NULL THEN clock_timestamp() END;
  account.consent_at := CASE WHEN register.consent THEN clock_timestamp() END;
  PERFORM chat_private.open_account(account, register.password);
  IF invitation.id IS NOT NULL THEN
    PERFORM chat_private.accept_invitation(invitation.id, account.id);
  ELSIF chat_private.setting('email_verification_required') = 'true' THEN
    PERFORM chat_private.queue_mail(account.id, 'verify_email', account.email);
  END IF;
  PERFORM chat_private.audit('account.register', 'user:' || account.id,
    jsonb_strip_nulls(jsonb_build_object('role', account.role, 'plan', account.plan, 'invitation', invitation.id)),
    user_id => account.id);
  RETURN account.id;
END
$$;
COMMENT ON FUNCTION chat.register(text, text, text, text, text, boolean) IS
'Opens an account and returns its id; does not log in. email: at most 254 bytes, compared without regard to case. password:
8 to 72 bytes, neither a common one nor the address or username. username: optional, 1 to 100 characters without spaces and
@. display_name: at most 200 characters. invitation_token: from the mail that invited this address; gives the account the
role, plan and supervisor of the invitation. consent: whether the user agrees to the application''s terms, noted with the
time. Who may register says the setting registration. Where email_verification_required is set, a mail with a token for
chat.verify_email is queued.
Errors: 22004 email or password is NULL; 22023 one of them is not valid, or consent is required; 23505 the e-mail address or
username is taken; 42501 registration is not open to this address; PC301 the invitation cannot be accepted.';
