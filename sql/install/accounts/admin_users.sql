-- Administration of people: accounts, roles, supervisors, plans. For administrators and pgchat_service.

CREATE OR REPLACE FUNCTION chat_private.check_role(role text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF check_role.role IS NULL THEN
    RAISE EXCEPTION 'role must not be null' USING ERRCODE = '22004';
  ELSIF check_role.role NOT IN ('admin', 'supervisor', 'worker', 'user') THEN
    RAISE EXCEPTION 'role "%" cannot be given', left(check_role.role, 100) USING ERRCODE = '22023',
      HINT = 'It is admin, supervisor, worker or user.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_role(text) IS 'Errors: 22004 NULL; 22023 not a role that an account can be given.';

CREATE OR REPLACE FUNCTION chat_private.check_supervisor(supervisor_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  supervisor chat.users;
BEGIN
  supervisor := chat_private.require_account(check_supervisor.supervisor_id);
  IF supervisor.role NOT IN ('supervisor', 'admin') OR NOT supervisor.is_active THEN
    RAISE EXCEPTION 'this account cannot supervise' USING ERRCODE = '55000',
      HINT = 'A supervisor is an active account with role supervisor or admin; chat.admin_set_role gives it one.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_supervisor(uuid) IS
'For callers that have opened the gate. Errors: P0002 no such account; 55000 it is no active supervisor or administrator.';

CREATE OR REPLACE FUNCTION chat_private.keep_an_admin(user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous chat_private.identity := chat_private.enter_gate();
  admins uuid[];
BEGIN
  IF EXISTS (SELECT FROM chat.users u WHERE u.id = keep_an_admin.user_id AND u.role = 'admin') THEN
    -- Locked in one order, so that of two administrators who remove each other the second waits and then sees it.
    PERFORM FROM chat.users u WHERE u.role = 'admin' ORDER BY u.id FOR NO KEY UPDATE;
    SELECT array_agg(u.id) INTO admins FROM chat.users u WHERE u.role = 'admin' AND u.is_active;
    IF admins = ARRAY[keep_an_admin.user_id] THEN
      RAISE EXCEPTION 'the last active administrator stays' USING ERRCODE = '55000',
        HINT = 'Give another account the role admin first.';
    END IF;
  END IF;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat_private.keep_an_admin(uuid) IS
'For what takes an administrator away. Errors: 55000 this account is the only active administrator.';

CREATE OR REPLACE FUNCTION chat.admin_create_user(email text, password text DEFAULT NULL, role text DEFAULT 'user',
  username text DEFAULT NULL, display_name text DEFAULT NULL, plan text DEFAULT NULL, supervisor_id uuid DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous chat_private.identity := chat_private.open_gate();
  account chat.users;
BEGIN
  account.id := chat.uuid_v7();
  account.email := btrim(admin_create_user.email);
  account.username := btrim(admin_create_user.username);
  account.display_name := admin_create_user.display_name;
  account.role := admin_create_user.role;
  account.supervisor_id := admin_create_user.supervisor_id;
  -- The administrator vouches for it.
  account.email_verified_at := clock_timestamp();
  PERFORM chat_private.check_email(account.email);
  PERFORM chat_private.check_username(account.username);
  PERFORM chat_private.check_display_name(account.display_name);
  PERFORM chat_private.check_role(account.role);
  account.plan := chat_private.check_plan_code(coalesce(admin_create_user.plan, chat_private.setting_text('default_plan')));
  IF admin_create_user.password IS NOT NULL THEN
    PERFORM chat_private.check_password(admin_create_user.password, account.email, account.username);
  END IF;
  IF account.supervisor_id IS NOT NULL THEN
    PERFORM chat_private.check_supervisor(account.supervisor_id);
  END IF;
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.open_account(account, admin_create_user.password);
  IF admin_create_user.password IS NULL THEN
    PERFORM chat_private.queue_mail(account.id, 'set_password', account.email);
  END IF;
  PERFORM chat_private.audit('admin.create_user', 'user:' || account.id,
                             jsonb_build_object('role', account.role, 'plan', account.plan));
  RETURN account.id;
END
$$;
COMMENT ON FUNCTION chat.admin_create_user(text, text, text, text, text, text, uuid) IS
'Opens an account and returns its id, whatever the setting registration says; its address counts as verified. password: as
for chat.register; NULL: the account has none, and a mail is queued with which the user chooses one. role: admin, supervisor,
worker or user. username, display_name: optional. plan: by default the setting default_plan. supervisor_id: an active
supervisor or administrator. The first administrator is made by pgchat_service.
Errors: 42501 not an administrator; 22004 email or role is NULL; 22023 one of them is not valid; 23505 the address or username
is taken; 42704 no such plan; P0002 no such supervisor; 55000 the supervisor cannot be one.';

CREATE OR REPLACE FUNCTION chat.admin_list_users(search text DEFAULT NULL, role text DEFAULT NULL, is_active boolean DEFAULT NULL,
  page_size integer DEFAULT 50, after uuid DEFAULT NULL)
RETURNS SETOF chat.listed_user
LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.open_gate();
  accounts chat.users[];
  account chat.users;
BEGIN
  PERFORM chat_private.check_page_size(admin_list_users.page_size);
  accounts := ARRAY(
    SELECT u FROM chat.users u
    WHERE (admin_list_users.after IS NULL OR u.id > admin_list_users.after)
      AND (admin_list_users.search IS NULL
           OR strpos(lower(concat_ws(E'\n', u.email, u.username, u.display_name)), lower(admin_list_users.search)) > 0)
      AND (admin_list_users.role IS NULL OR u.role = admin_list_users.role)
      AND (admin_list_users.is_active IS NULL OR u.is_active = admin_list_users.is_active)
    ORDER BY u.id LIMIT admin_list_users.page_size);
  FOREACH account IN ARRAY accounts LOOP
    PERFORM chat_private.act_as(account.id);
    RETURN QUERY
      SELECT account.id, account.email, account.username, account.display_name, account.role, account.plan, account.supervisor_id,
             account.is_active, account.email_verified_at, account.consent_at, account.created_at, account.last_login_at,
             (SELECT count(*) FROM chat.conversations c WHERE c.user_id = account.id);
  END LOOP;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat.admin_list_users(text, text, boolean, integer, uuid) IS
'The accounts in the order of their creation, with the number of their conversations. search: only those with this text in
address, username or display name, in any case. role, is_active: only those. page_size: 1 to 1000. after: pass the id of a
page''s last row to get the next page.
Errors: 42501 not an administrator; 22004 page_size is NULL; 22023 it is out of range.';

CREATE OR REPLACE FUNCTION chat.admin_set_role(user_id uuid, role text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous chat_private.identity := chat_private.open_gate();
  account chat.users;
BEGIN
  PERFORM chat_private.check_role(admin_set_role.role);
  IF admin_set_role.role <> 'admin' THEN
    PERFORM chat_private.keep_an_admin(admin_set_role.user_id);
  END IF;
  account := chat_private.require_account(admin_set_role.user_id);
  IF account.role = 'guest' THEN
    RAISE EXCEPTION 'a guest has no other role' USING ERRCODE = '55000', HINT = 'A guest registers with chat.upgrade_guest.';
  END IF;
  -- Signed tokens name the role, so older ones end.
  UPDATE chat.users u SET role = admin_set_role.role, token_version = u.token_version + 1, updated_at = clock_timestamp()
  WHERE u.id = account.id AND u.role <> admin_set_role.role;
  IF admin_set_role.role NOT IN ('supervisor', 'admin') THEN
    PERFORM chat_private.leave_workers(account.id);
  END IF;
  PERFORM chat_private.demand_second_factor(account.id);
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit('admin.set_role', 'user:' || account.id,
                             jsonb_build_object('from', account.role, 'to', admin_set_role.role));
END
$$;
COMMENT ON FUNCTION chat.admin_set_role(uuid, text) IS
'Gives an account the role admin, supervisor, worker or user; its sessions have it from their next chat.authenticate, signed
tokens end; all sessions end where the role must have a second factor that the account has not. The workers of a supervisor
who no longer is one are left without.
Errors: 42501 not an administrator; P0002 no such account; 22004 role is NULL; 22023 role; 55000 a guest, or the last active
administrator.';

CREATE OR REPLACE FUNCTION chat.admin_set_active(user_id uuid, is_active boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous chat_private.identity := chat_private.open_gate();
  account chat.users;
BEGIN
  IF admin_set_active.is_active IS NULL THEN
    RAISE EXCEPTION 'is_active must not be null' USING ERRCODE = '22004';
  ELSIF NOT admin_set_active.is_active THEN
    PERFORM chat_private.keep_an_admin(admin_set_active.user_id);
  END IF;
  account := chat_private.require_account(admin_set_active.user_id);
  UPDATE chat.users u SET is_active = admin_set_active.is_active, updated_at = clock_timestamp() WHERE u.id = account.id;
  IF NOT admin_set_active.is_active THEN
    PERFORM chat_private.act_as(account.id);
    PERFORM chat_private.end_sessions(account.id);
    PERFORM chat_private.suspend_deliberations(account.id);
    PERFORM chat_private.cancel_requests(account.id);
    DELETE FROM chat_private.account_tokens t WHERE t.user_id = account.id;
  END IF;
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit('admin.set_active', 'user:' || account.id, jsonb_build_object('to', admin_set_active.is_active));
END
$$;
COMMENT ON FUNCTION chat.admin_set_active(uuid, boolean) IS
'Disables an account, which ends its sessions and tokens, pauses its deliberations and calls off its requests, queued or under way; or
enables it again.
Errors: 42501 not an administrator; P0002 no such account; 22004 is_active is NULL; 55000 the last active administrator.';

CREATE OR REPLACE FUNCTION chat.admin_set_supervisor(user_id uuid, supervisor_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous chat_private.identity := chat_private.open_gate();
  account chat.users := chat_private.require_account(admin_set_supervisor.user_id);
  above uuid := admin_set_supervisor.supervisor_id;
BEGIN
  IF account.role = 'guest' THEN
    RAISE EXCEPTION 'a guest has no supervisor' USING ERRCODE = '55000', HINT = 'A guest registers with chat.upgrade_guest.';
  END IF;
  IF above IS NOT NULL THEN
    PERFORM chat_private.check_supervisor(above);
  END IF;
  WHILE above IS NOT NULL LOOP
    IF above = account.id THEN
      RAISE EXCEPTION 'nobody supervises themselves, not even through others' USING ERRCODE = '55000',
        HINT = 'Take the supervisor away from one of those between them first.';
    END IF;
    -- The lock makes a simultaneous change further up wait, or fail as a deadlock, instead of closing a circle.
    SELECT u.supervisor_id INTO above FROM chat.users u WHERE u.id = above FOR NO KEY UPDATE;
  END LOOP;
  UPDATE chat.users u SET supervisor_id = admin_set_supervisor.supervisor_id, updated_at = clock_timestamp() WHERE u.id = account.id;
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit('admin.set_supervisor', 'user:' || account.id,
    jsonb_build_object('from', account.supervisor_id, 'to', admin_set_supervisor.supervisor_id));
END
$$;
COMMENT ON FUNCTION chat.admin_set_supervisor(uuid, uuid) IS
'Puts an account under an active supervisor or administrator, who then sees its row of chat.users; NULL: under nobody.
Errors: 42501 not an administrator; P0002 no such account; 55000 a guest, no supervisor, or a circle.';

CREATE OR REPLACE FUNCTION chat_private.give_plan(account chat.users, plan text, action text, wait boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous chat_private.identity := chat_private.enter_gate();
BEGIN
  UPDATE chat.users u SET plan = give_plan.plan, updated_at = clock_timestamp() WHERE u.id = account.id;
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit(give_plan.action, 'user:' || account.id, jsonb_build_object('from', account.plan, 'to', give_plan.plan),
                             wait => give_plan.wait);
END
$$;
COMMENT ON FUNCTION chat_private.give_plan(chat.users, text, text, boolean) IS
'Gives an account, which the caller has locked, another plan, and audits it as this action. wait: as chat_private.audit. Errors: 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat.admin_set_plan(user_id uuid, plan text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous chat_private.identity := chat_private.open_gate();
  account chat.users := chat_private.require_account(admin_set_plan.user_id);
BEGIN
  PERFORM chat_private.check_plan_code(admin_set_plan.plan);
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.give_plan(account, admin_set_plan.plan, 'admin.set_plan');
END
$$;
COMMENT ON FUNCTION chat.admin_set_plan(uuid, text) IS
'Gives an account another plan, the code of an active row of chat.plans.
Errors: 42501 not an administrator; P0002 no such account; 42704 no such plan.';

CREATE OR REPLACE FUNCTION chat.admin_reset_password(user_id uuid, by_mail boolean DEFAULT true) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous chat_private.identity := chat_private.open_gate();
  account chat.users := chat_private.require_account(admin_reset_password.user_id);
  token text;
BEGIN
  IF account.email IS NULL OR NOT account.is_active THEN
    RAISE EXCEPTION 'this account cannot have a new password' USING ERRCODE = '55000',
      HINT = 'It is a guest''s, or it is disabled: chat.admin_set_active enables it.';
  END IF;
  PERFORM chat_private.act_as(account.id);
  DELETE FROM chat_private.credentials c WHERE c.user_id = account.id;
  DELETE FROM chat_private.account_tokens t WHERE t.user_id = account.id AND t.purpose = 'reset_password';
  PERFORM chat_private.end_sessions(account.id);
  IF admin_reset_password.by_mail IS NOT FALSE THEN
    PERFORM chat_private.queue_mail(account.id, 'set_password', account.email);
  ELSE
    token := chat_private.store_token(account.id, 'reset_password', chat_private.setting_text('password_reset_lifetime')::interval);
  END IF;
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit('admin.reset_password', 'user:' || account.id);
  RETURN token;
END
$$;
COMMENT ON FUNCTION chat.admin_reset_password(uuid, boolean) IS
'Takes an account''s password away and ends its sessions. by_mail: queues the mail with which the user chooses a new one, and
returns NULL; false: returns the token for chat.reset_password, for an operator who hands it over.
Errors: 42501 not an administrator; P0002 no such account; 55000 it is a guest''s or disabled.';

CREATE OR REPLACE FUNCTION chat.admin_delete_user(user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous chat_private.identity := chat_private.open_gate();
BEGIN
  PERFORM chat_private.hold_billing_customers(admin_delete_user.user_id);
  PERFORM chat_private.keep_an_admin(admin_delete_user.user_id);
  PERFORM chat_private.remove_account(admin_delete_user.user_id);
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit('admin.delete_user', 'user:' || admin_delete_user.user_id);
END
$$;
COMMENT ON FUNCTION chat.admin_delete_user(uuid) IS
'Removes an account with everything held about it, as chat.delete_my_account does.
Errors: 42501 not an administrator; P0002 no such account; 55000 the last active administrator.';
