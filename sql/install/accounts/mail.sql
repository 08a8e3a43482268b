-- Mail: queued here, rendered and handed to a sender outside the database, which reports what became of it.

CREATE OR REPLACE FUNCTION chat_private.mail_kinds() RETURNS TABLE (kind text, placeholders text[], lifetime_key text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 5 SET search_path = pg_catalog, pg_temp AS $$
  VALUES
    ('verify_email', '{app_name,app_url,email,display_name,token,expires_at}'::text[], 'email_verification_lifetime'),
    ('reset_password', '{app_name,app_url,email,display_name,token,expires_at}', 'password_reset_lifetime'),
    ('set_password', '{app_name,app_url,email,display_name,token,expires_at}', 'email_verification_lifetime'),
    ('password_changed', '{app_name,app_url,email,display_name}', 'email_verification_lifetime'),
    ('invitation', '{app_name,app_url,email,inviter,token,expires_at}', NULL)
$$;
COMMENT ON FUNCTION chat_private.mail_kinds() IS
'The kinds of mails: which placeholders their templates may use, and the setting with the time they and their token last.';

CREATE OR REPLACE FUNCTION chat_private.queue_mail(user_id uuid, kind text, recipient text, invitation_id uuid DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  owner_id uuid := coalesce(queue_mail.user_id, uuid '00000000-0000-0000-0000-000000000000');
  previous chat_private.identity := chat_private.act_as(owner_id);
  new_id uuid := chat.uuid_v7();
  until timestamptz;
BEGIN
  SELECT clock_timestamp() + chat_private.setting_text(k.lifetime_key)::interval INTO until
  FROM chat_private.mail_kinds() k WHERE k.kind = queue_mail.kind AND k.lifetime_key IS NOT NULL;
  IF queue_mail.invitation_id IS NOT NULL THEN
    SELECT i.expires_at INTO until FROM chat.invitations i WHERE i.id = queue_mail.invitation_id;
    DELETE FROM chat_private.outbox o
    WHERE o.user_id = owner_id AND o.invitation_id = queue_mail.invitation_id AND o.next_attempt_at IS NOT NULL;
  END IF;
  -- What no sender came for does not pile up.
  DELETE FROM chat_private.outbox o WHERE o.user_id = owner_id AND o.expires_at < clock_timestamp() - interval '1 hour'
    AND o.next_attempt_at IS NOT NULL;
  INSERT INTO chat_private.outbox (user_id, id, kind, recipient, language, invitation_id, expires_at)
  VALUES (owner_id, new_id, queue_mail.kind, queue_mail.recipient,
          (SELECT s.preferences ->> 'language' FROM chat.user_settings s WHERE s.user_id = owner_id),
          queue_mail.invitation_id, until);
  PERFORM chat_private.switch_identity(previous);
  PERFORM pg_notify('pgchat_outbox', new_id::text);
END
$$;
COMMENT ON FUNCTION chat_private.queue_mail(uuid, text, text, uuid) IS
'Puts a mail into the outbox and wakes the senders, when the transaction commits. user_id: whom it is about; NULL: somebody
without an account. recipient: the address; NULL: the mail is queued like any other and dropped when it is claimed.';

CREATE OR REPLACE FUNCTION chat_private.may_ask_for_mail(user_id uuid, kind text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  account chat.users;
BEGIN
  SELECT u.* INTO account FROM chat.users u WHERE u.id = may_ask_for_mail.user_id;
  RETURN account.is_active
    AND CASE may_ask_for_mail.kind WHEN 'verify_email' THEN account.email_verified_at IS NULL
        ELSE chat_private.domain_is_in(account.email, 'password_change_domains') END
    AND (SELECT count(*) FROM chat_private.outbox o
         WHERE o.user_id = may_ask_for_mail.user_id AND o.kind = may_ask_for_mail.kind
           AND o.created_at > clock_timestamp() - interval '1 hour') < chat_private.setting('mails_per_hour')::integer;
END
$$;
COMMENT ON FUNCTION chat_private.may_ask_for_mail(uuid, text) IS
'Whether a user, as whom the caller acts, may be sent a mail that anybody can ask for now.';

CREATE OR REPLACE FUNCTION chat_private.queue_requested_mail(kind text, email text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  owner_id uuid := (SELECT n.user_id FROM chat_private.login_names n
                    WHERE n.kind = 'email' AND n.name = chat_private.fold_name(btrim(queue_requested_mail.email)));
  previous chat_private.identity := chat_private.act_as(owner_id);
  address text;
BEGIN
  IF chat_private.may_ask_for_mail(owner_id, queue_requested_mail.kind) THEN
    SELECT u.email INTO address FROM chat.users u WHERE u.id = owner_id FOR KEY SHARE;
  END IF;
  PERFORM chat_private.switch_identity(previous);
  -- For nobody a row is written, too, so that neither the answer nor the time of the commit tells who has an account.
  PERFORM chat_private.queue_mail(CASE WHEN address IS NOT NULL THEN owner_id END, queue_requested_mail.kind, address);
  PERFORM chat_private.audit(CASE queue_requested_mail.kind WHEN 'verify_email' THEN 'email.verify_request' ELSE 'password.reset_request' END,
                             'user:' || owner_id, outcome => CASE WHEN address IS NULL THEN 'refused' ELSE 'success' END);
END
$$;
COMMENT ON FUNCTION chat_private.queue_requested_mail(text, text) IS
'Queues a mail that anybody can ask for to the account of an address, or does the same work for nobody.';

CREATE OR REPLACE FUNCTION chat_private.pick_template(kind text, language text) RETURNS chat.mail_templates
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT t.* FROM chat.mail_templates t
  JOIN unnest(ARRAY[pick_template.language, split_part(pick_template.language, '-', 1),
                    chat_private.setting_text('mail_language'), 'en']) WITH ORDINALITY w (language, n) ON w.language = t.language
  WHERE t.kind = pick_template.kind ORDER BY w.n LIMIT 1
$$;
COMMENT ON FUNCTION chat_private.pick_template(text, text) IS
'The template of a kind in a language, else in the language without its region, else that of the setting mail_language, else
in English.';

CREATE OR REPLACE FUNCTION chat_private.fill_in(template text, given jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  -- What is between {{ and }} at the beginning of each piece but the first; a value is not looked at again.
  SELECT string_agg(
    CASE WHEN p.n = 1 THEN p.piece
         ELSE coalesce(regexp_replace(fill_in.given ->> split_part(p.piece, '}}', 1), '[[:cntrl:]]+', ' ', 'g'), '')
              || substr(p.piece, strpos(p.piece, '}}') + 2) END, '' ORDER BY p.n)
  FROM unnest(string_to_array(fill_in.template, '{{')) WITH ORDINALITY p (piece, n)
$$;
COMMENT ON FUNCTION chat_private.fill_in(text, jsonb) IS
'A checked template with its placeholders replaced by the members of given, in which line breaks and other control
characters become spaces; one that is missing becomes nothing.';

CREATE OR REPLACE FUNCTION chat_private.mail_token(mail chat_private.outbox) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  purpose text := CASE mail.kind WHEN 'set_password' THEN 'reset_password' ELSE mail.kind END;
  is_wanted boolean;
BEGIN
  IF mail.kind = 'invitation' THEN
    PERFORM FROM chat.invitations i WHERE i.id = mail.invitation_id AND i.accepted_at IS NULL AND i.revoked_at IS NULL FOR UPDATE;
    RETURN CASE WHEN FOUND THEN chat_private.new_invitation_token(mail.invitation_id) END;
  END IF;
  SELECT u.is_active AND (purpose <> 'verify_email' OR u.email_verified_at IS NULL) INTO is_wanted
  FROM chat.users u WHERE u.id = mail.user_id;
  IF is_wanted IS NOT TRUE THEN
    RETURN NULL;
  ELSIF mail.kind = 'password_changed' THEN
    RETURN '';
  END IF;
  RETURN chat_private.store_token(mail.user_id, purpose, mail.expires_at - mail.created_at);
END
$$;
COMMENT ON FUNCTION chat_private.mail_token(chat_private.outbox) IS
'The token for a mail that is being claimed; empty where its kind has none, NULL where there is no reason to send it any more.';

CREATE OR REPLACE FUNCTION chat_private.mail_values(mail chat_private.outbox, token text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN jsonb_build_object(
    'app_name', chat_private.setting_text('app_name'), 'app_url', rtrim(chat_private.setting_text('app_url'), '/'),
    'email', mail.recipient, 'token', mail_values.token,
    'display_name', (SELECT coalesce(u.display_name, u.username, u.email) FROM chat.users u WHERE u.id = mail.user_id),
    'inviter', coalesce((SELECT coalesce(u.display_name, u.username, u.email) FROM chat.users u
                         JOIN chat.invitations i ON i.invited_by = u.id WHERE i.id = mail.invitation_id),
                        chat_private.setting_text('app_name')),
    'expires_at', to_char((CASE mail.kind WHEN 'invitation' THEN mail.expires_at
                                          ELSE clock_timestamp() + (mail.expires_at - mail.created_at) END) AT TIME ZONE 'UTC',
                          'YYYY-MM-DD HH24:MI "UTC"'));
END
$$;
COMMENT ON FUNCTION chat_private.mail_values(chat_private.outbox, text) IS 'What the placeholders of a mail stand for.';

CREATE OR REPLACE FUNCTION chat_private.finish_mail(mail_user_id uuid, mail_id uuid, state text, error text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE chat_private.outbox o
  SET state = finish_mail.state, error = finish_mail.error, next_attempt_at = NULL, finished_at = clock_timestamp()
  WHERE o.user_id = finish_mail.mail_user_id AND o.id = finish_mail.mail_id;
END
$$;
COMMENT ON FUNCTION chat_private.finish_mail(uuid, uuid, text, text) IS
'Gives a mail its last state: sent, failed, expired or dropped.';

CREATE OR REPLACE FUNCTION chat_private.take_mails(batch integer) RETURNS chat_private.outbox[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  taken chat_private.outbox[];
BEGIN
  DELETE FROM chat_private.outbox o WHERE o.finished_at < clock_timestamp() - interval '30 days';
  WITH due AS (
    SELECT q.user_id, q.id FROM chat_private.outbox q WHERE q.next_attempt_at <= clock_timestamp()
    ORDER BY q.next_attempt_at LIMIT take_mails.batch FOR UPDATE SKIP LOCKED
  ), changed AS (
    UPDATE chat_private.outbox o
    SET state = 'sending', attempts = o.attempts + 1, next_attempt_at = clock_timestamp() + interval '5 minutes'
    FROM due d WHERE o.user_id = d.user_id AND o.id = d.id
    RETURNING o.*
  )
  SELECT coalesce(array_agg(c::chat_private.outbox ORDER BY c.id), '{}') INTO taken FROM changed c;
  RETURN taken;
END
$$;
COMMENT ON FUNCTION chat_private.take_mails(integer) IS
'Takes mails that are due, not those that another sender takes at this moment, and gives their sender five minutes. Mails
that were finished 30 days ago are removed.';

CREATE OR REPLACE FUNCTION chat.outbox_claim(batch integer DEFAULT 10)
RETURNS TABLE (id uuid, kind text, recipient text, subject text, body text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.open_gate();
  mail chat_private.outbox;
  token text;
  given jsonb;
  template chat.mail_templates;
BEGIN
  IF outbox_claim.batch IS NULL OR outbox_claim.batch NOT BETWEEN 1 AND 1000 THEN
    RAISE EXCEPTION 'batch must be 1 to 1000' USING ERRCODE = '22023', HINT = 'It is the number of mails to take at once.';
  END IF;
  FOREACH mail IN ARRAY chat_private.take_mails(outbox_claim.batch) LOOP
    IF mail.recipient IS NULL THEN
      DELETE FROM chat_private.outbox o WHERE o.user_id = mail.user_id AND o.id = mail.id;
    ELSIF mail.expires_at <= clock_timestamp() THEN
      PERFORM chat_private.finish_mail(mail.user_id, mail.id, 'expired');
    ELSIF mail.attempts > chat_private.setting('mail_max_attempts')::integer THEN
      PERFORM chat_private.finish_mail(mail.user_id, mail.id, 'failed', mail.error);
    ELSIF EXISTS (SELECT FROM chat.users u WHERE u.id = mail.user_id) AND NOT chat_private.try_hold_account(mail.user_id) THEN
      -- Should the removal that is under way be undone, the mail is due again when its five minutes are over.
      CONTINUE;
    ELSE
      token := chat_private.mail_token(mail);
      IF token IS NULL THEN
        PERFORM chat_private.finish_mail(mail.user_id, mail.id, 'dropped');
        CONTINUE;
      END IF;
      given := chat_private.mail_values(mail, token);
      template := chat_private.pick_template(mail.kind, mail.language);
      outbox_claim.id := mail.id;
      outbox_claim.kind := mail.kind;
      outbox_claim.recipient := mail.recipient;
      outbox_claim.subject := chat_private.fill_in(template.subject, given);
      outbox_claim.body := chat_private.fill_in(template.body, given);
      RETURN NEXT;
    END IF;
  END LOOP;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat.outbox_claim(integer) IS
'Takes up to batch mails (1 to 1000) that are due and returns them as text to be sent; several senders get different ones.
Commit, send, then say chat.outbox_sent or chat.outbox_failed within five minutes, else a mail is given out again. A mail''s
token is made here and stored only as a hash: what was claimed cannot be read again. For pgchat_service.
Errors: 22023 batch.';

CREATE OR REPLACE FUNCTION chat_private.claimed_mail(id uuid) RETURNS chat_private.outbox
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  mail chat_private.outbox;
BEGIN
  SELECT o.* INTO mail FROM chat_private.outbox o WHERE o.id = claimed_mail.id FOR UPDATE;
  IF mail.state IS DISTINCT FROM 'sending' THEN
    RAISE EXCEPTION 'no mail with this id is being sent' USING ERRCODE = 'P0002',
      HINT = 'The id is that of a row of chat.outbox_claim(), and is finished once.';
  END IF;
  RETURN mail;
END
$$;
COMMENT ON FUNCTION chat_private.claimed_mail(uuid) IS 'A mail that a sender has, locked. Errors: P0002 there is none.';

CREATE OR REPLACE FUNCTION chat.outbox_sent(id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous chat_private.identity := chat_private.open_gate();
  mail chat_private.outbox := chat_private.claimed_mail(outbox_sent.id);
BEGIN
  PERFORM chat_private.finish_mail(mail.user_id, mail.id, 'sent');
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat.outbox_sent(uuid) IS
'Notes that a claimed mail was sent. For pgchat_service.
Errors: P0002 no claimed mail has this id.';

CREATE OR REPLACE FUNCTION chat.outbox_failed(id uuid, error text) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous chat_private.identity := chat_private.open_gate();
  mail chat_private.outbox := chat_private.claimed_mail(outbox_failed.id);
  retry_at timestamptz := clock_timestamp() + interval '30 seconds' * 4 ^ least(mail.attempts - 1, 6);
BEGIN
  IF mail.attempts >= chat_private.setting('mail_max_attempts')::integer THEN
    retry_at := NULL;
    PERFORM chat_private.finish_mail(mail.user_id, mail.id, 'failed', left(outbox_failed.error, 1000));
  ELSE
    UPDATE chat_private.outbox o SET state = 'queued', next_attempt_at = retry_at, error = left(outbox_failed.error, 1000)
    WHERE o.user_id = mail.user_id AND o.id = mail.id;
  END IF;
  PERFORM chat_private.switch_identity(previous);
  RETURN retry_at;
END
$$;
COMMENT ON FUNCTION chat.outbox_failed(uuid, text) IS
'Notes that a claimed mail could not be sent, and returns when it is given out again: after 30 seconds, then each time after
four times as long; NULL: it was given up, after the setting mail_max_attempts. error: at most 1000 characters are kept. For
pgchat_service.
Errors: P0002 no claimed mail has this id.';
