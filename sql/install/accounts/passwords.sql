-- Passwords: which are refused, changing one's own, and resetting one that is forgotten.

CREATE OR REPLACE FUNCTION chat_private.check_password(password text, email text DEFAULT NULL, username text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  folded text;
BEGIN
  IF check_password.password IS NULL THEN
    RAISE EXCEPTION 'password must not be null' USING ERRCODE = '22004';
  END IF;
  -- The length comes first: nothing else looks at a password that is too long.
  IF octet_length(check_password.password) NOT BETWEEN 8 AND 72 THEN
    RAISE EXCEPTION 'the password must have 8 to 72 bytes' USING ERRCODE = '22023',
      HINT = 'bcrypt reads no more than 72 bytes, so a longer password would be cut without a word; choose a shorter one.';
  END IF;
  folded := chat_private.fold_name(check_password.password);
  IF folded IN (chat_private.fold_name(check_password.email), chat_private.fold_name(check_password.username))
     OR folded = split_part(chat_private.fold_name(check_password.email), '@', 1) THEN
    RAISE EXCEPTION 'the password is the e-mail address or the username' USING ERRCODE = '22023', HINT = 'Choose another one.';
  END IF;
  IF chat_private.is_common_password(check_password.password) THEN
    RAISE EXCEPTION 'the password is one of the most common ones' USING ERRCODE = '22023',
      HINT = 'Attackers try these first. A few unrelated words make a good password.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_password(text, text, text) IS
'Errors: 22004 NULL; 22023 not 8 to 72 bytes, the address, the part of it before the @, the username, or a common password.';

CREATE OR REPLACE FUNCTION chat_private.set_password(user_id uuid, password text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO chat_private.credentials (user_id, password_hash)
  VALUES (set_password.user_id, chat_private.hash_password(set_password.password))
  ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash, updated_at = excluded.updated_at;
  DELETE FROM chat_private.account_tokens t WHERE t.user_id = set_password.user_id AND t.purpose = 'reset_password';
  PERFORM chat_private.finish_mail(o.user_id, o.id, 'dropped') FROM chat_private.outbox o
  WHERE o.user_id = set_password.user_id AND o.kind IN ('reset_password', 'set_password') AND o.state = 'queued';
END
$$;
COMMENT ON FUNCTION chat_private.set_password(uuid, text) IS
'Stores the hash of a checked password of the user, as whom the caller acts; tokens that reset it end, and mails that would
bring one are not sent.';

CREATE OR REPLACE FUNCTION chat.change_password(old_password text, new_password text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller_id uuid := chat_private.require_user();
  account chat.users := chat.me();
BEGIN
  IF change_password.old_password IS NULL THEN
    RAISE EXCEPTION 'old_password must not be null' USING ERRCODE = '22004',
      HINT = 'An account without a password gets one through chat.request_password_reset.';
  END IF;
  IF NOT chat_private.domain_is_in(account.email, 'password_change_domains') THEN
    PERFORM chat_private.audit('password.change', 'user:' || caller_id, jsonb '{"reason": "domain"}', 'refused');
    RAISE EXCEPTION 'users of this e-mail domain do not change their password here' USING ERRCODE = '42501',
      HINT = 'Ask an administrator.';
  END IF;
  PERFORM chat_private.check_password(change_password.new_password, account.email, account.username);
  PERFORM chat_private.reauthenticate(change_password.old_password);
  PERFORM chat_private.hold_account(caller_id);
  PERFORM chat_private.set_password(caller_id, change_password.new_password);
  PERFORM chat_private.end_sessions(caller_id, chat_private.current_session_id());
  IF chat_private.setting('security_mails') = 'true' THEN
    PERFORM chat_private.queue_mail(caller_id, 'password_changed', account.email);
  END IF;
  PERFORM chat_private.audit('password.change', 'user:' || caller_id);
END
$$;
COMMENT ON FUNCTION chat.change_password(text, text) IS
'Changes the current user''s password, ends their other sessions and all signed tokens, and queues a mail that says so.
new_password: as for chat.register.
Errors: 28000 nobody is authenticated; 22004 a password is NULL; 22023 new_password is not valid; 28P01 old_password is
wrong; 42501 the setting password_change_domains does not name the user''s domain.';

CREATE OR REPLACE FUNCTION chat.request_password_reset(email text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF request_password_reset.email IS NULL THEN
    RAISE EXCEPTION 'email must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM chat_private.queue_requested_mail('reset_password', request_password_reset.email);
END
$$;
COMMENT ON FUNCTION chat.request_password_reset(text) IS
'Queues a mail with a token for chat.reset_password to the account of this address. The answer and the work are the same
where there is no such account, where it may not reset its password, and where the setting mails_per_hour is used up.
Errors: 22004 email is NULL.';

CREATE OR REPLACE FUNCTION chat.reset_password(token text, new_password text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  owner_id uuid;
  account chat.users;
  previous chat_private.identity;
BEGIN
  IF reset_password.token IS NULL OR reset_password.new_password IS NULL THEN
    RAISE EXCEPTION 'token and new_password must not be null' USING ERRCODE = '22004';
  END IF;
  owner_id := chat_private.use_token(reset_password.token, 'reset_password');
  previous := chat_private.act_as(owner_id);
  SELECT u.* INTO account FROM chat.users u WHERE u.id = owner_id;
  PERFORM chat_private.check_password(reset_password.new_password, account.email, account.username);
  PERFORM chat_private.set_password(owner_id, reset_password.new_password);
  PERFORM chat_private.end_sessions(owner_id);
  UPDATE chat.users u SET email_verified_at = coalesce(u.email_verified_at, clock_timestamp()) WHERE u.id = owner_id;
  IF chat_private.setting('security_mails') = 'true' THEN
    PERFORM chat_private.queue_mail(owner_id, 'password_changed', account.email);
  END IF;
  PERFORM chat_private.switch_identity(previous);
  -- Who has the account's mail need not wait for the failures of whoever guessed.
  PERFORM chat_private.settle_login(owner_id, NULL, NULL);
  PERFORM chat_private.audit('password.reset', 'user:' || owner_id, user_id => owner_id);
END
$$;
COMMENT ON FUNCTION chat.reset_password(text, text) IS
'Gives the account that a token belongs to a new password, ends all its sessions and signed tokens, and lifts a lock after
failed logins. The token, from chat.request_password_reset or chat.admin_reset_password, works once; who holds it has the
account''s mail, so the address counts as verified. A second factor is still asked for at the next login. new_password: as for
chat.register.
Errors: 22004 an argument is NULL; PC301 the token is unknown, used or expired; 22023 new_password is not valid.';

CREATE OR REPLACE FUNCTION chat_private.require_verified_email(user_id uuid) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF chat_private.setting('email_verification_required') = 'true'
     AND EXISTS (SELECT FROM chat.users u
                 WHERE u.id = require_verified_email.user_id AND u.email IS NOT NULL AND u.email_verified_at IS NULL) THEN
    RAISE EXCEPTION 'the e-mail address must be verified first' USING ERRCODE = 'PC302',
      HINT = 'Open the link in the mail that was sent; chat.request_email_verification(email) sends another one.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.require_verified_email(uuid) IS
'For login, once the password has been found right; the caller must act as the user already.
Errors: PC302 the setting email_verification_required is on and the user''s address is not verified.';

CREATE OR REPLACE FUNCTION chat.request_email_verification(email text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.queue_requested_mail('verify_email', coalesce(request_email_verification.email, (chat.me()).email, ''));
END
$$;
COMMENT ON FUNCTION chat.request_email_verification(text) IS
'Queues a mail with a token for chat.verify_email to the account of this address, by default the current user''s. The answer
is the same where there is no such account, where it is verified already, and where the setting mails_per_hour is used up.
Errors: 28000 no address is given and nobody is authenticated.';

CREATE OR REPLACE FUNCTION chat.verify_email(token text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  owner_id uuid;
  previous chat_private.identity;
BEGIN
  IF verify_email.token IS NULL THEN
    RAISE EXCEPTION 'token must not be null' USING ERRCODE = '22004';
  END IF;
  owner_id := chat_private.use_token(verify_email.token, 'verify_email');
  previous := chat_private.act_as(owner_id);
  UPDATE chat.users u SET email_verified_at = coalesce(u.email_verified_at, clock_timestamp()) WHERE u.id = owner_id;
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit('email.verify', 'user:' || owner_id, user_id => owner_id);
END
$$;
COMMENT ON FUNCTION chat.verify_email(text) IS
'Notes that the address of the account that a token belongs to is the user''s; logs nobody in.
Errors: 22004 token is NULL; PC301 it is unknown, used or expired.';
