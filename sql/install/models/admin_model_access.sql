-- Who may use which model. For administrators and pgchat_service.

CREATE OR REPLACE FUNCTION chat.admin_set_model_open(model text, is_open boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known chat.models;
BEGIN
  PERFORM chat_private.require_admin();
  known := chat_private.require_model(admin_set_model_open.model);
  UPDATE chat.models m SET is_open = admin_set_model_open.is_open, updated_at = now() WHERE m.id = known.id;
  PERFORM chat_private.audit('admin.set_model_open', 'model:' || known.id,
                             jsonb_build_object('is_open', admin_set_model_open.is_open));
END
$$;
COMMENT ON FUNCTION chat.admin_set_model_open(text, boolean) IS
'Opens a model to everybody, or closes it to all but those to whom chat.admin_grant_model gave it. NULL: as the setting
models_open_by_default says.
Errors: 42501 not an administrator; 22004 model is NULL; 42704 no such model; 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat_private.check_grantee(user_id uuid, role text, plan text) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF num_nonnulls(check_grantee.user_id, check_grantee.role, check_grantee.plan) <> 1 THEN
    RAISE EXCEPTION 'exactly one of user_id, role and plan must be given' USING ERRCODE = '22023',
      HINT = 'For example chat.admin_grant_model(''gpt'', role => ''worker'').';
  ELSIF check_grantee.role NOT IN ('admin', 'supervisor', 'worker', 'user', 'guest') THEN
    RAISE EXCEPTION 'role "%" does not exist', left(check_grantee.role, 100) USING ERRCODE = '22023',
      HINT = 'It is admin, supervisor, worker, user or guest.';
  ELSIF NOT EXISTS (SELECT FROM chat.plans p WHERE p.code = check_grantee.plan) AND check_grantee.plan IS NOT NULL THEN
    RAISE EXCEPTION 'plan "%" does not exist', left(check_grantee.plan, 100) USING ERRCODE = '42704',
      HINT = 'SELECT code FROM chat.plans lists the plans; chat.admin_save_plan adds one.';
  END IF;
  RETURN coalesce('user:' || check_grantee.user_id, 'role:' || check_grantee.role, 'plan:' || check_grantee.plan);
END
$$;
COMMENT ON FUNCTION chat_private.check_grantee(uuid, text, text) IS
'Who a grant is for, as the audit log names it. Errors: 22023 not exactly one, or no such role; 42704 no such plan.';

CREATE OR REPLACE FUNCTION chat.admin_grant_model(model text, user_id uuid DEFAULT NULL, role text DEFAULT NULL,
                                                  plan text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  giver_id uuid := chat.current_user_id();
  previous chat_private.identity := chat_private.open_gate();
  known chat.models := chat_private.require_model(admin_grant_model.model);
  grantee text := chat_private.check_grantee(admin_grant_model.user_id, admin_grant_model.role, admin_grant_model.plan);
BEGIN
  IF admin_grant_model.user_id IS NOT NULL THEN
    PERFORM chat_private.require_account(admin_grant_model.user_id);
    INSERT INTO chat.user_model_access (user_id, model_id, granted_by) VALUES (admin_grant_model.user_id, known.id, giver_id)
    ON CONFLICT (user_id, model_id) DO UPDATE SET granted_by = excluded.granted_by, granted_at = excluded.granted_at, is_active = true
      WHERE NOT user_model_access.is_active;
  ELSIF admin_grant_model.role IS NOT NULL THEN
    INSERT INTO chat.group_model_access (model_id, role, granted_by) VALUES (known.id, admin_grant_model.role, giver_id)
    ON CONFLICT (model_id, role) DO UPDATE SET granted_by = excluded.granted_by, granted_at = excluded.granted_at, is_active = true
      WHERE NOT group_model_access.is_active;
  ELSE
    INSERT INTO chat.group_model_access (model_id, plan, granted_by) VALUES (known.id, admin_grant_model.plan, giver_id)
    ON CONFLICT (model_id, plan) DO UPDATE SET granted_by = excluded.granted_by, granted_at = excluded.granted_at, is_active = true
      WHERE NOT group_model_access.is_active;
  END IF;
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit('admin.grant_model', 'model:' || known.id, jsonb_build_object('to', grantee));
END
$$;
COMMENT ON FUNCTION chat.admin_grant_model(text, uuid, text, text) IS
'Gives a model to a user, or to all users of a role or a plan: exactly one of the three. It counts where the model is not open
(chat.admin_set_model_open, the setting models_open_by_default). Giving again changes nothing.
Errors: 42501 not an administrator; 22004 model is NULL; 22023 not exactly one of user_id, role and plan, or no such role; 42704
no such model or plan; P0002 no such user; 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat.admin_revoke_model(model text, user_id uuid DEFAULT NULL, role text DEFAULT NULL,
                                                   plan text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.open_gate();
  known chat.models := chat_private.require_model(admin_revoke_model.model);
  grantee text := chat_private.check_grantee(admin_revoke_model.user_id, admin_revoke_model.role, admin_revoke_model.plan);
  was_given boolean;
BEGIN
  IF admin_revoke_model.user_id IS NOT NULL THEN
    DELETE FROM chat.user_model_access a WHERE a.user_id = admin_revoke_model.user_id AND a.model_id = known.id;
  ELSE
    DELETE FROM chat.group_model_access a
    WHERE a.model_id = known.id AND (a.role = admin_revoke_model.role OR a.plan = admin_revoke_model.plan);
  END IF;
  was_given := FOUND;
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit('admin.revoke_model', 'model:' || known.id, jsonb_build_object('from', grantee));
  RETURN was_given;
END
$$;
COMMENT ON FUNCTION chat.admin_revoke_model(text, uuid, text, text) IS
'Takes back what chat.admin_grant_model gave to this user, role or plan; false where it was not given. It takes effect at the
next call; what the user has through another grant, or because the model is open, stays.
Errors: 42501 not an administrator; 22004 model is NULL; 22023 not exactly one of user_id, role and plan, or no such role; 42704
no such model or plan; 57P03 no engine.';

CREATE OR REPLACE FUNCTION chat.admin_list_model_access(model text)
RETURNS TABLE (user_id uuid, role text, plan text, granted_by uuid, granted_at timestamptz, is_active boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.open_gate();
  known chat.models := chat_private.require_model(admin_list_model_access.model);
BEGIN
  RETURN QUERY
    SELECT a.user_id, a.role, a.plan, a.granted_by, a.granted_at, a.is_active FROM chat.model_access a
    WHERE a.model_id = known.id ORDER BY a.role, a.plan, a.granted_at, a.user_id;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat.admin_list_model_access(text) IS
'To whom a model was given: one of user_id, role and plan in each row. is_active: false gives nothing.
Errors: 42501 not an administrator; 22004 model is NULL; 42704 no such model.';

CREATE OR REPLACE FUNCTION chat_private.leave_models(user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous chat_private.identity := chat_private.enter_gate();
BEGIN
  UPDATE chat.user_model_access a SET granted_by = NULL WHERE a.granted_by = leave_models.user_id;
  UPDATE chat.group_model_access a SET granted_by = NULL WHERE a.granted_by = leave_models.user_id;
  -- Looked for first, because any UPDATE has the engine read all providers anew.
  IF EXISTS (SELECT FROM chat_private.provider_endpoints e WHERE e.created_by = leave_models.user_id) THEN
    UPDATE chat_private.provider_endpoints e SET created_by = NULL WHERE e.created_by = leave_models.user_id;
  END IF;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat_private.leave_models(uuid) IS
'Takes a user who is being removed from the providers and grants that they made; these stay.';
