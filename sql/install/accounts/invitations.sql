-- Invitations: made, sent again and revoked by administrators, accepted by registering.

CREATE OR REPLACE FUNCTION chat_private.find_invitation(token text, email text) RETURNS chat.invitations
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  parsed record;
  found_one chat.invitations;
BEGIN
  SELECT p.* INTO parsed FROM chat_private.parse_token(find_invitation.token) p;
  SELECT i.* INTO found_one
  FROM chat.invitations i
  WHERE i.id = parsed.owner_id AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > clock_timestamp()
    AND chat_private.fold_name(i.email) = chat_private.fold_name(find_invitation.email)
    AND EXISTS (SELECT FROM chat_private.invitation_tokens t WHERE t.invitation_id = i.id AND t.token_hash = parsed.token_hash)
  FOR UPDATE;
  IF NOT FOUND THEN
    PERFORM chat_private.refuse_token('account.register');
  END IF;
  RETURN found_one;
END
$$;
COMMENT ON FUNCTION chat_private.find_invitation(text, text) IS
'The open invitation of this address to which a token belongs, locked.
Errors: PC301 it is unknown, accepted, revoked, expired or for another address.';

CREATE OR REPLACE FUNCTION chat_private.accept_invitation(invitation_id uuid, user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE chat.invitations i SET accepted_at = clock_timestamp(), accepted_by = accept_invitation.user_id
  WHERE i.id = accept_invitation.invitation_id;
  DELETE FROM chat_private.invitation_tokens t WHERE t.invitation_id = accept_invitation.invitation_id;
END
$$;
COMMENT ON FUNCTION chat_private.accept_invitation(uuid, uuid) IS 'Notes who accepted an invitation; its tokens end.';

CREATE OR REPLACE FUNCTION chat_private.new_invitation_token(invitation_id uuid) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  fresh record;
BEGIN
  SELECT t.* INTO fresh FROM chat_private.new_token(new_invitation_token.invitation_id) t;
  INSERT INTO chat_private.invitation_tokens (invitation_id, token_hash)
  VALUES (new_invitation_token.invitation_id, fresh.token_hash);
  UPDATE chat.invitations i SET sent_count = i.sent_count + 1, last_sent_at = clock_timestamp()
  WHERE i.id = new_invitation_token.invitation_id;
  RETURN fresh.token;
END
$$;
COMMENT ON FUNCTION chat_private.new_invitation_token(uuid) IS 'A new token of an invitation, which counts as sent by it.';

CREATE OR REPLACE FUNCTION chat_private.open_invitation(invitation_id uuid) RETURNS chat.invitations
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found_one chat.invitations;
BEGIN
  SELECT i.* INTO found_one FROM chat.invitations i WHERE i.id = open_invitation.invitation_id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'invitation not found' USING ERRCODE = 'P0002', HINT = 'chat.admin_list_invitations() lists them.';
  ELSIF found_one.accepted_at IS NOT NULL OR found_one.revoked_at IS NOT NULL THEN
    RAISE EXCEPTION 'the invitation is % already', CASE WHEN found_one.accepted_at IS NULL THEN 'revoked' ELSE 'accepted' END
      USING ERRCODE = '55000', HINT = 'Invite the address anew with chat.admin_invite.';
  END IF;
  RETURN found_one;
END
$$;
COMMENT ON FUNCTION chat_private.open_invitation(uuid) IS
'An invitation that is neither accepted nor revoked, locked. Errors: P0002 no such invitation; 55000 it is.';

CREATE OR REPLACE FUNCTION chat_private.check_invited(email text, role text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.check_email(check_invited.email);
  PERFORM chat_private.check_role(check_invited.role);
  IF chat_private.find_login(check_invited.email) IS NOT NULL THEN
    RAISE EXCEPTION 'this e-mail address is already registered' USING ERRCODE = '23505',
      HINT = 'chat.admin_set_role, chat.admin_set_plan and chat.admin_set_supervisor change an account.';
  END IF;
  UPDATE chat.invitations i SET revoked_at = i.expires_at
  WHERE lower(normalize(i.email, NFKC)) = lower(normalize(check_invited.email, NFKC)) AND i.accepted_at IS NULL
    AND i.revoked_at IS NULL AND i.expires_at <= clock_timestamp();
  PERFORM FROM chat.invitations i
  WHERE lower(normalize(i.email, NFKC)) = lower(normalize(check_invited.email, NFKC)) AND i.accepted_at IS NULL
    AND i.revoked_at IS NULL;
  IF FOUND THEN
    RAISE EXCEPTION 'this e-mail address has an open invitation' USING ERRCODE = '23505',
      HINT = 'Send it again with chat.admin_resend_invitation, or revoke it first.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_invited(text, text) IS
'Errors: 22004, 22023 the address or the role; 23505 the address has an account or an open invitation.';

CREATE OR REPLACE FUNCTION chat.admin_invite(email text, role text DEFAULT 'user', plan text DEFAULT NULL,
  supervisor_id uuid DEFAULT NULL, expires_in interval DEFAULT '7 days') RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  address text := btrim(admin_invite.email);
  previous chat_private.identity := chat_private.open_gate();
  new_id uuid := chat.uuid_v7();
BEGIN
  PERFORM chat_private.check_invited(address, admin_invite.role);
  IF admin_invite.expires_in IS NULL OR admin_invite.expires_in NOT BETWEEN interval '1 minute' AND interval '1 year' THEN
    RAISE EXCEPTION 'expires_in must be 1 minute to 1 year' USING ERRCODE = '22023', HINT = 'For example interval ''7 days''.';
  END IF;
  IF admin_invite.supervisor_id IS NOT NULL THEN
    PERFORM chat_private.check_supervisor(admin_invite.supervisor_id);
  END IF;
  PERFORM chat_private.switch_identity(previous);
  INSERT INTO chat.invitations (id, email, role, plan, supervisor_id, invited_by, expires_at)
  VALUES (new_id, address, admin_invite.role,
          chat_private.check_plan_code(coalesce(admin_invite.plan, chat_private.setting_text('default_plan'))),
          admin_invite.supervisor_id, chat.current_user_id(), clock_timestamp() + admin_invite.expires_in);
  PERFORM chat_private.queue_mail(NULL, 'invitation', address, new_id);
  PERFORM chat_private.audit('invitation.create', 'invitation:' || new_id, jsonb_build_object('role', admin_invite.role));
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION chat.admin_invite(text, text, text, uuid, interval) IS
'Invites an address to register with a role, a plan (by default the setting default_plan) and a supervisor, queues the mail
with the token, and returns the invitation''s id. expires_in: 1 minute to 1 year. An operator without mail gets the token from
chat.admin_resend_invitation(id, by_mail => false).
Errors: 42501 not an administrator; 22004 email or role is NULL; 22023 email, role or expires_in; 23505 the address has an
account or an open invitation; 42704 no such plan; P0002 no such supervisor; 55000 the supervisor cannot be one.';

CREATE OR REPLACE FUNCTION chat.admin_resend_invitation(invitation_id uuid, by_mail boolean DEFAULT true) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  invitation chat.invitations;
  token text;
BEGIN
  PERFORM chat_private.require_admin();
  invitation := chat_private.open_invitation(admin_resend_invitation.invitation_id);
  DELETE FROM chat_private.invitation_tokens t WHERE t.invitation_id = invitation.id;
  -- It works as long as it first did, from now on.
  UPDATE chat.invitations i
  SET expires_at = greatest(i.expires_at, clock_timestamp() + (i.expires_at - coalesce(i.last_sent_at, i.created_at)))
  WHERE i.id = invitation.id;
  IF admin_resend_invitation.by_mail IS NOT FALSE THEN
    PERFORM chat_private.queue_mail(NULL, 'invitation', invitation.email, invitation.id);
  ELSE
    token := chat_private.new_invitation_token(invitation.id);
  END IF;
  PERFORM chat_private.audit('invitation.resend', 'invitation:' || invitation.id);
  RETURN token;
END
$$;
COMMENT ON FUNCTION chat.admin_resend_invitation(uuid, boolean) IS
'Gives an invitation a new token and as much time as it had at first; earlier tokens end. by_mail: queues the mail and returns
NULL; false: returns the token, for an operator who hands it over.
Errors: 42501 not an administrator; P0002 no such invitation; 55000 it is accepted or revoked.';

CREATE OR REPLACE FUNCTION chat.admin_revoke_invitation(invitation_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  invitation chat.invitations;
BEGIN
  PERFORM chat_private.require_admin();
  invitation := chat_private.open_invitation(admin_revoke_invitation.invitation_id);
  UPDATE chat.invitations i SET revoked_at = clock_timestamp() WHERE i.id = invitation.id;
  DELETE FROM chat_private.invitation_tokens t WHERE t.invitation_id = invitation.id;
  PERFORM chat_private.audit('invitation.revoke', 'invitation:' || invitation.id);
END
$$;
COMMENT ON FUNCTION chat.admin_revoke_invitation(uuid) IS
'Ends an invitation and its tokens.
Errors: 42501 not an administrator; P0002 no such invitation; 55000 it is accepted or revoked.';

CREATE OR REPLACE FUNCTION chat.admin_list_invitations(page_size integer DEFAULT 50, before uuid DEFAULT NULL)
RETURNS SETOF chat.invitations
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.require_admin();
  PERFORM chat_private.check_page_size(admin_list_invitations.page_size);
  RETURN QUERY
    SELECT i.* FROM chat.invitations i
    WHERE admin_list_invitations.before IS NULL OR i.id < admin_list_invitations.before
    ORDER BY i.id DESC LIMIT admin_list_invitations.page_size;
END
$$;
COMMENT ON FUNCTION chat.admin_list_invitations(integer, uuid) IS
'The invitations, the latest first. page_size: 1 to 1000. before: pass the id of a page''s last row to get the next page.
Errors: 42501 not an administrator; 22004 page_size is NULL; 22023 it is out of range.';
