-- Administration of the installation: its settings, plans and mail templates. For administrators and pgchat_service.

CREATE OR REPLACE FUNCTION chat.admin_settings()
RETURNS TABLE (key text, value jsonb, default_value jsonb, kind text, choices text[], description text, updated_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 40 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  PERFORM chat_private.require_admin();
  RETURN QUERY
    SELECT d.key, coalesce(s.value, d.default_value), d.default_value, d.kind, d.choices, d.description, s.updated_at
    FROM chat_private.setting_definitions() d LEFT JOIN chat.settings s ON s.key = d.key ORDER BY d.key;
END
$$;
COMMENT ON FUNCTION chat.admin_settings() IS
'Every setting of the installation: its value, its default, what it may be, what it means, and when it was last changed (NULL:
it has its default).
Errors: 42501 not an administrator.';

CREATE OR REPLACE FUNCTION chat_private.demand_second_factors() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  own_session_id CONSTANT uuid := chat_private.current_session_id();
  required CONSTANT jsonb := chat_private.setting('totp_required_roles');
  previous chat_private.identity := chat_private.enter_gate();
  account_id uuid;
BEGIN
  FOREACH account_id IN ARRAY ARRAY(SELECT u.id FROM chat.users u WHERE required ? u.role) LOOP
    PERFORM chat_private.demand_second_factor(account_id, CASE WHEN account_id = previous.user_id THEN own_session_id END);
  END LOOP;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat_private.demand_second_factors() IS
'chat_private.demand_second_factor for every account whose role must have one; the caller''s own session stays, to enrol.';

CREATE OR REPLACE FUNCTION chat.admin_set_setting(key text, value jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  before jsonb;
BEGIN
  PERFORM chat_private.require_admin();
  IF admin_set_setting.key IS NULL THEN
    RAISE EXCEPTION 'key must not be null' USING ERRCODE = '22004';
  END IF;
  before := chat_private.setting(admin_set_setting.key);
  IF admin_set_setting.value IS NULL THEN
    DELETE FROM chat.settings s WHERE s.key = admin_set_setting.key;
  ELSE
    PERFORM chat_private.check_setting(admin_set_setting.key, admin_set_setting.value);
    INSERT INTO chat.settings (key, value) VALUES (admin_set_setting.key, admin_set_setting.value)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at;
  END IF;
  PERFORM chat_private.audit('admin.set_setting', 'setting:' || admin_set_setting.key,
    CASE WHEN admin_set_setting.key LIKE 'common\_passwords\_%' THEN '{}'
         ELSE jsonb_build_object('from', before, 'to', chat_private.setting(admin_set_setting.key)) END);
  IF admin_set_setting.key = 'totp_required_roles' THEN
    PERFORM chat_private.demand_second_factors();
  END IF;
END
$$;
COMMENT ON FUNCTION chat.admin_set_setting(text, jsonb) IS
'Changes a setting of the installation, for all calls from the next statement on. value: as chat.admin_settings() says; NULL
(not the JSON null): the default again. totp_required_roles ends the sessions of users of these roles who have no second
factor; the caller''s own can then only enrol one.
Errors: 42501 not an administrator; 22004 key is NULL; 42704 there is no such setting, or no such model; 22023 value.';

CREATE OR REPLACE FUNCTION chat.admin_save_plan(code text, name text DEFAULT NULL, description text DEFAULT NULL,
  limits jsonb DEFAULT NULL, is_active boolean DEFAULT NULL) RETURNS chat.plans
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  saved chat.plans;
BEGIN
  PERFORM chat_private.require_admin();
  IF admin_save_plan.code IS NULL THEN
    RAISE EXCEPTION 'code must not be null' USING ERRCODE = '22004';
  ELSIF admin_save_plan.code !~ '^[a-z0-9][a-z0-9_-]{0,49}$' OR char_length(admin_save_plan.name) NOT BETWEEN 1 AND 100
        OR char_length(admin_save_plan.description) > 1000 THEN
    RAISE EXCEPTION 'code, name or description is not valid' USING ERRCODE = '22023',
      HINT = 'code: 1 to 50 of a-z, 0-9, _ and -; name: 1 to 100 characters; description: at most 1000.';
  END IF;
  PERFORM chat_private.check_limits(admin_save_plan.limits);
  IF admin_save_plan.is_active IS FALSE AND admin_save_plan.code IN ('guest', chat_private.setting_text('default_plan')) THEN
    RAISE EXCEPTION 'new accounts are given this plan' USING ERRCODE = '55000', HINT = 'Change the setting default_plan first; guest stays.';
  END IF;
  UPDATE chat.plans p
  SET name = coalesce(admin_save_plan.name, p.name), description = coalesce(admin_save_plan.description, p.description),
      limits = coalesce(admin_save_plan.limits, p.limits), is_active = coalesce(admin_save_plan.is_active, p.is_active),
      is_default = false, updated_at = now()
  WHERE p.code = admin_save_plan.code
  RETURNING p.* INTO saved;
  IF NOT FOUND THEN
    INSERT INTO chat.plans AS p (code, name, description, limits, is_active)
    VALUES (admin_save_plan.code, coalesce(admin_save_plan.name, admin_save_plan.code), admin_save_plan.description,
            coalesce(admin_save_plan.limits, '{}'), coalesce(admin_save_plan.is_active, true))
    RETURNING p.* INTO saved;
  END IF;
  PERFORM chat_private.audit('admin.save_plan', 'plan:' || saved.code, jsonb_build_object('limits', saved.limits, 'is_active', saved.is_active));
  RETURN saved;
END
$$;
COMMENT ON FUNCTION chat.admin_save_plan(text, text, text, jsonb, boolean) IS
'Adds a plan, or changes the one with this code; what is NULL stays as it is. limits: conversations, deliberations,
messages_per_day, messages_per_minute, requests_per_minute, concurrent_calls, tokens_per_day and attachment_bytes, each a whole number, and
cost_per_month, a number; absent where there is no limit; other members are the application''s. is_active:
false: no further account is given it.
Errors: 42501 not an administrator; 22004 code is NULL; 22023 code, name, description or limits; 55000 new accounts are given
a plan that is to be inactive.';

CREATE OR REPLACE FUNCTION chat_private.check_template(template text, placeholders text[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM unnest((string_to_array(check_template.template, '{{'))[2:]) p
  WHERE strpos(p, '}}') = 0 OR split_part(p, '}}', 1) <> ALL (check_template.placeholders);
  IF FOUND THEN
    RAISE EXCEPTION 'the template has a placeholder that its kind does not know' USING ERRCODE = '22023',
      HINT = format('It may have {{%s}}.', array_to_string(check_template.placeholders, '}}, {{'));
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_template(text, text[]) IS 'Errors: 22023 a placeholder that is not one of these.';

CREATE OR REPLACE FUNCTION chat.admin_set_mail_template(kind text, language text, subject text, body text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  known text[];
BEGIN
  PERFORM chat_private.require_admin();
  IF num_nulls(admin_set_mail_template.kind, admin_set_mail_template.language, admin_set_mail_template.subject, admin_set_mail_template.body) > 0 THEN
    RAISE EXCEPTION 'kind, language, subject and body must not be null' USING ERRCODE = '22004';
  END IF;
  SELECT k.placeholders INTO known FROM chat_private.mail_kinds() k WHERE k.kind = admin_set_mail_template.kind;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there are no mails of kind "%"', left(admin_set_mail_template.kind, 100) USING ERRCODE = '22023',
      HINT = (SELECT format('It is one of %s.', string_agg(k.kind, ', ' ORDER BY k.kind)) FROM chat_private.mail_kinds() k);
  ELSIF admin_set_mail_template.language !~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$' OR admin_set_mail_template.subject ~ '[[:cntrl:]]'
        OR char_length(admin_set_mail_template.subject) NOT BETWEEN 1 AND 500
        OR octet_length(admin_set_mail_template.body) NOT BETWEEN 1 AND 100000 THEN
    RAISE EXCEPTION 'language, subject or body is not valid' USING ERRCODE = '22023',
      HINT = 'language: a tag such as en or pt-BR; subject: one line of 1 to 500 characters; body: 1 to 100000 bytes.';
  END IF;
  PERFORM chat_private.check_template(admin_set_mail_template.subject, array_remove(known, 'token'));
  PERFORM chat_private.check_template(admin_set_mail_template.body, known);
  IF 'token' = ANY (known) AND strpos(admin_set_mail_template.body, '{{token}}') = 0 THEN
    RAISE EXCEPTION 'a mail of this kind is of no use without {{token}}' USING ERRCODE = '22023', HINT = 'Put it into the body.';
  END IF;
  INSERT INTO chat.mail_templates (kind, language, subject, body)
  VALUES (admin_set_mail_template.kind, admin_set_mail_template.language, admin_set_mail_template.subject, admin_set_mail_template.body)
  ON CONFLICT (kind, language) DO UPDATE SET subject = excluded.subject, body = excluded.body, is_default = false,
    updated_at = excluded.updated_at;
  PERFORM chat_private.audit('admin.set_mail_template', format('mail_template:%s/%s', admin_set_mail_template.kind, admin_set_mail_template.language));
END
$$;
COMMENT ON FUNCTION chat.admin_set_mail_template(text, text, text, text) IS
'Sets the text of a kind of mail in a language, for mails that are sent from now on. kind: verify_email, reset_password,
set_password, password_changed or invitation. language: a tag such as en or pt-BR. subject: one line. body: plain text.
Placeholders: {{app_name}}, {{app_url}}, {{email}}; {{display_name}}, but {{inviter}} in an invitation; {{token}}, in the body
only, and {{expires_at}}, but not in password_changed.
Errors: 42501 not an administrator; 22004 an argument is NULL; 22023 an argument, or a placeholder that the kind does not have.';

CREATE OR REPLACE FUNCTION chat_private.replace_default() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_TABLE_NAME = 'plans' THEN
    DELETE FROM chat.plans p WHERE p.code = to_jsonb(NEW) ->> 'code' AND p.is_default;
  ELSIF TG_TABLE_NAME = 'deliberation_prompts' THEN
    DELETE FROM chat.deliberation_prompts p WHERE p.code = to_jsonb(NEW) ->> 'code' AND p.is_default;
  ELSIF TG_TABLE_NAME = 'personas' THEN
    DELETE FROM chat.personas p
    WHERE p.user_id = (to_jsonb(NEW) ->> 'user_id')::uuid AND p.code = to_jsonb(NEW) ->> 'code' AND p.is_default;
  ELSE
    DELETE FROM chat.mail_templates t
    WHERE t.kind = to_jsonb(NEW) ->> 'kind' AND t.language = to_jsonb(NEW) ->> 'language' AND t.is_default;
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION chat_private.replace_default() IS
'Row trigger of tables with rows that pgchat installs: a row that an administrator has edited, coming out of a dump, takes the
place of the one that CREATE EXTENSION has just made.';

CREATE OR REPLACE TRIGGER replace_default BEFORE INSERT ON chat.plans
  FOR EACH ROW WHEN (NOT NEW.is_default) EXECUTE FUNCTION chat_private.replace_default();
CREATE OR REPLACE TRIGGER replace_default BEFORE INSERT ON chat.deliberation_prompts
  FOR EACH ROW WHEN (NOT NEW.is_default) EXECUTE FUNCTION chat_private.replace_default();
CREATE OR REPLACE TRIGGER replace_default BEFORE INSERT ON chat.personas
  FOR EACH ROW WHEN (NOT NEW.is_default) EXECUTE FUNCTION chat_private.replace_default();
CREATE OR REPLACE TRIGGER replace_default BEFORE INSERT ON chat.mail_templates
  FOR EACH ROW WHEN (NOT NEW.is_default) EXECUTE FUNCTION chat_private.replace_default();
