-- Guests: accounts that nobody has registered yet, and making one a full account.

CREATE OR REPLACE FUNCTION chat.register_guest(ip_address inet DEFAULT NULL, user_agent text DEFAULT NULL,
  OUT session_token text, OUT user_id uuid, OUT expires_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  account chat.users;
  previous chat_private.identity;
BEGIN
  IF chat_private.setting('guest_access') <> 'true' THEN
    PERFORM chat_private.audit('account.register_guest', outcome => 'refused', ip_address => register_guest.ip_address,
                               user_agent => register_guest.user_agent);
    RAISE EXCEPTION 'guests are not let in' USING ERRCODE = '42501', HINT = 'Register, or log in.';
  END IF;
  account.id := chat.uuid_v7();
  account.role := 'guest';
  account.plan := 'guest';
  PERFORM chat_private.open_account(account, NULL);
  previous := chat_private.act_as(account.id);
  SELECT s.token, s.expires_at INTO register_guest.session_token, register_guest.expires_at
  FROM chat_private.open_session(account.id, register_guest.ip_address, register_guest.user_agent,
                                 chat_private.setting_text('guest_session_lifetime')::interval) s;
  PERFORM chat_private.switch_identity(previous);
  register_guest.user_id := account.id;
  PERFORM chat_private.audit('account.register_guest', 'user:' || account.id, user_id => account.id,
                             ip_address => register_guest.ip_address, user_agent => register_guest.user_agent);
END
$$;
COMMENT ON FUNCTION chat.register_guest(inet, text) IS
'Opens an account without names and password, with role guest and plan guest, and a session of the setting
guest_session_lifetime; the token is all that leads to it. ip_address, user_agent: kept with the session.
Errors: 42501 the setting guest_access is off.';

CREATE OR REPLACE FUNCTION chat.upgrade_guest(email text, password text, username text DEFAULT NULL, display_name text DEFAULT NULL,
  invitation_token text DEFAULT NULL, consent boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  account chat.users := chat.me();
  invitation chat.invitations;
BEGIN
  IF account.role <> 'guest' THEN
    RAISE EXCEPTION 'the account is no guest''s' USING ERRCODE = '55000', HINT = 'It is registered already.';
  END IF;
  account.email := btrim(upgrade_guest.email);
  account.username := btrim(upgrade_guest.username);
  PERFORM chat_private.check_email(account.email);
  PERFORM chat_private.check_username(account.username);
  PERFORM chat_private.check_password(upgrade_guest.password, account.email, account.username);
  PERFORM chat_private.check_display_name(upgrade_guest.display_name);
  IF upgrade_guest.invitation_token IS NOT NULL THEN
    invitation := chat_private.find_invitation(upgrade_guest.invitation_token, account.email);
  END IF;
  PERFORM chat_private.check_registration(account.email, invitation.id IS NOT NULL, upgrade_guest.consent);
  -- As a statement of its own, so that the one below sees a subscription that came meanwhile.
  PERFORM FROM chat.users u WHERE u.id = account.id FOR NO KEY UPDATE;
  UPDATE chat.users u
  SET email = account.email, username = account.username, display_name = coalesce(upgrade_guest.display_name, u.display_name),
      role = coalesce(invitation.role, 'user'),
      plan = coalesce(invitation.plan, (SELECT s.granted_plan FROM chat.subscriptions s WHERE s.user_id = account.id AND s.granted_plan IS NOT NULL),
                      chat_private.setting_text('default_plan')),
      supervisor_id = invitation.supervisor_id, updated_at = clock_timestamp(),
      email_verified_at = CASE WHEN invitation.id IS NOT NULL THEN clock_timestamp() END,
      consent_at = CASE WHEN upgrade_guest.consent THEN clock_timestamp() ELSE u.consent_at END
  WHERE u.id = account.id;
  PERFORM chat_private.give_names(account.id, account.email, account.username);
  PERFORM chat_private.set_password(account.id, upgrade_guest.password);
  IF invitation.id IS NOT NULL THEN
    PERFORM chat_private.accept_invitation(invitation.id, account.id);
  ELSIF chat_private.setting('email_verification_required') = 'true' THEN
    PERFORM chat_private.queue_mail(account.id, 'verify_email', account.email);
  END IF;
  PERFORM chat_private.audit('account.upgrade', 'user:' || account.id);
  PERFORM chat_private.demand_second_factor(account.id, chat_private.current_session_id());
END
$$;
COMMENT ON FUNCTION chat.upgrade_guest(text, text, text, text, text, boolean) IS
'Makes the current user, a guest, a registered one, by the rules and with the arguments of chat.register: the id, the
conversations and the session stay, and so does a plan that is paid for. Where the new role must have a second factor, the session can then only enrol one.
Errors: 28000 nobody is authenticated; 55000 the current user is no guest; those of chat.register.';

CREATE OR REPLACE FUNCTION chat_private.id_at(moment timestamptz) RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid;
COMMENT ON FUNCTION chat_private.id_at(timestamptz) IS 'A bound of the ids (UUID version 7) that were made since a moment.';

CREATE OR REPLACE FUNCTION chat_private.plan_limit(user_id uuid, name text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
    SELECT (p.limits ->> plan_limit.name)::bigint FROM chat.users u JOIN chat.plans p ON p.code = u.plan
    WHERE u.id = plan_limit.user_id);
END
$$;
COMMENT ON FUNCTION chat_private.plan_limit(uuid, text) IS 'A limit of a user''s plan; NULL: there is none.';

CREATE OR REPLACE FUNCTION chat_private.refuse_over_limit(name text, allowed bigint) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'the plan allows %', CASE refuse_over_limit.name
      WHEN 'conversations' THEN format('%s conversations', refuse_over_limit.allowed)
      WHEN 'deliberations' THEN format('%s deliberations', refuse_over_limit.allowed)
      WHEN 'messages_per_day' THEN format('%s messages a day', refuse_over_limit.allowed)
      ELSE format('%s messages a minute', refuse_over_limit.allowed) END
    USING ERRCODE = 'PC303', HINT = 'Wait, or have an administrator change the plan; a guest can register with chat.upgrade_guest.';
END
$$;
COMMENT ON FUNCTION chat_private.refuse_over_limit(text, bigint) IS 'Errors: PC303, always.';

CREATE OR REPLACE FUNCTION chat_private.check_conversation_limit(user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  allowed bigint := chat_private.plan_limit(check_conversation_limit.user_id, 'conversations');
BEGIN
  IF allowed IS NULL THEN
    RETURN;
  END IF;
  -- So that of two that are made at once the second counts the first.
  PERFORM chat_private.lock_user(check_conversation_limit.user_id);
  IF allowed <= (SELECT count(*) FROM chat.conversations c WHERE c.user_id = check_conversation_limit.user_id) THEN
    PERFORM chat_private.refuse_over_limit('conversations', allowed);
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_conversation_limit(uuid) IS
'Errors: PC303 the user has as many conversations as the plan allows.';

-- Bound at creation and inlined into the query that opens a turn: most plans limit no messages, and then nothing is counted.
CREATE OR REPLACE FUNCTION chat_private.message_limits(user_id uuid) RETURNS TABLE (is_limited boolean)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT coalesce((SELECT p.limits ?| ARRAY['messages_per_minute', 'messages_per_day'] FROM chat.plans p
                   WHERE p.code = (SELECT u.plan FROM chat.users u WHERE u.id = message_limits.user_id)), false);
END;
COMMENT ON FUNCTION chat_private.message_limits(uuid) IS 'Whether the user''s plan limits the number of messages at all.';

CREATE OR REPLACE FUNCTION chat_private.reached_message_limit(user_id uuid, OUT name text, OUT allowed bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  bound record;
  since uuid;
  sent bigint;
BEGIN
  FOR bound IN
    SELECT b.name, b.period, (p.limits ->> b.name)::bigint AS allowed
    FROM chat.users u JOIN chat.plans p ON p.code = u.plan,
         (VALUES ('messages_per_minute', interval '1 minute'), ('messages_per_day', interval '1 day')) b (name, period)
    WHERE u.id = reached_message_limit.user_id AND p.limits ? b.name
  LOOP
    since := chat_private.id_at(clock_timestamp() - bound.period);
    -- What was stored, what is queued, and what was called at once: no message is counted twice, and no side request at all.
    sent := greatest(
      (SELECT count(*) FROM chat.messages m WHERE m.user_id = reached_message_limit.user_id AND m.id >= since AND m.role = 'user'
         -- Imported ones have new ids.
         AND m.created_at >= clock_timestamp() - bound.period),
      (SELECT count(*) FROM chat_private.llm_requests q
       WHERE q.user_id = reached_message_limit.user_id AND q.id >= since AND q.purpose IS NULL),
      (SELECT count(*) FROM chat.usage_events e
       WHERE e.user_id = reached_message_limit.user_id AND e.id >= since AND (e.conversation_id IS NULL OR e.message_id IS NOT NULL)
         AND e.deliberation_id IS NULL));
    -- Of deliberations what is queued, too; and what was used stays when they are deleted.
    sent := sent + greatest(
      (SELECT count(*) FROM chat.usage_events e
       WHERE e.user_id = reached_message_limit.user_id AND e.id >= since AND e.deliberation_id IS NOT NULL),
      (SELECT count(*) FROM chat.deliberation_steps s
       WHERE s.user_id = reached_message_limit.user_id AND s.id >= since AND s.state <> 'cancelled'));
    IF sent >= bound.allowed THEN
      name := bound.name;
      allowed := bound.allowed;
      RETURN;
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chat_private.reached_message_limit(uuid) IS
'The limit of the user''s plan by which no further call can be made now, messages_per_minute or messages_per_day; NULL: there is none. Calls
of deliberations count when they are queued.';

CREATE OR REPLACE FUNCTION chat_private.check_message_limit(user_id uuid) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  reached CONSTANT record := chat_private.reached_message_limit(check_message_limit.user_id);
BEGIN
  IF reached.name IS NOT NULL THEN
    PERFORM chat_private.refuse_over_limit(reached.name, reached.allowed);
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_message_limit(uuid) IS
'Errors: PC303 the user has sent as many messages, or made as many calls to models, as the plan allows in a minute or a day.';
