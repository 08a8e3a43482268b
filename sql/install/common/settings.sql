-- The installation's settings: which there are, what each may be, and reading one.

-- Bound at creation and inlined where used, or each look at a default would plan the whole list.
CREATE OR REPLACE FUNCTION chat_private.setting_definitions()
RETURNS TABLE (key text, kind text, default_value jsonb, choices text[], description text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 40
BEGIN ATOMIC
  VALUES
    ('default_model', 'model or null', jsonb 'null', NULL::text[], 'The model that is asked where neither call, conversation nor user names one'),
    ('models_open_by_default', 'boolean', 'true', NULL, 'Whether a model is open to everybody where its is_open is null; else it must be granted'),
    ('default_embedding_model', 'model or null', 'null', NULL, 'The model of chat.llm_embed where the call names none'),
    ('app_name', 'text', '"Chat"', NULL, 'The name of the application, in mails'),
    ('app_url', 'text', '""', NULL, 'The address of the application, with which links in mails begin'),
    ('registration', 'choice', '"open"', '{open,invitation,domains,closed}', 'Who may register: anybody, the invited, the invited and addresses of registration_domains, or nobody'),
    ('registration_domains', 'domains', '[]', NULL, 'The e-mail domains of registration mode domains'),
    ('default_plan', 'plan', '"free"', NULL, 'The plan of a new account'),
    ('billing_signature_tolerance', 'interval', '"5 minutes"', NULL, 'How old the signature of a payment provider''s webhook may be, and how far ahead its clock; at most a day'),
    ('billing_event_retention', 'interval', '"90 days"', NULL, 'How long it is known which events of payment providers were received'),
    ('billing_waiting_events', 'count', '10000', NULL, 'How many events of customers whom no account is known for wait for one; the oldest go first'),
    ('consent_required', 'boolean', 'false', NULL, 'Whether registering needs consent => true'),
    ('guest_access', 'boolean', 'true', NULL, 'Whether chat.register_guest opens accounts'),
    ('guest_session_lifetime', 'interval', '"30 days"', NULL, 'How long a guest''s session lasts'),
    ('email_verification_required', 'boolean', 'false', NULL, 'Whether an account can log in only once its address is verified'),
    ('email_verification_lifetime', 'interval', '"1 day"', NULL, 'How long the token of a mail to verify an address works'),
    ('password_reset_lifetime', 'interval', '"1 hour"', NULL, 'How long the token of a mail to reset a password works'),
    ('password_change_domains', 'domains or null', 'null', NULL, 'The e-mail domains whose users may change and reset their password themselves; null: all'),
    ('common_passwords_extra', 'texts', '[]', NULL, 'Passwords refused as common beside those of the built-in list, in any case'),
    ('common_passwords_allowed', 'texts', '[]', NULL, 'Passwords of the built-in list that are not refused'),
    ('security_mails', 'boolean', 'true', NULL, 'Whether users get a mail when their password was changed'),
    ('mail_language', 'language', '"en"', NULL, 'The language of mails to users who have set none in preferences -> language'),
    ('mails_per_hour', 'count', '3', NULL, 'How many mails of one kind an account can ask for in an hour'),
    ('mail_max_attempts', 'count', '6', NULL, 'How often a mail is tried before it is given up'),
    ('session_lifetime', 'interval', '"30 days"', NULL, 'How long a session lasts at most'),
    ('session_idle_timeout', 'interval', '"7 days"', NULL, 'How long a session lasts without being used'),
    ('lockout_account_failures', 'count', '5', NULL, 'How many failed logins of an account, or of a name without one, lock it'),
    ('lockout_address_failures', 'count', '50', NULL, 'How many failed logins from an address lock it'),
    ('lockout_first', 'interval', '"1 minute"', NULL, 'How long the first lock lasts; each that follows twice as long'),
    ('lockout_longest', 'interval', '"1 hour"', NULL, 'How long a lock lasts at most'),
    ('lockout_decay', 'interval', '"24 hours"', NULL, 'After how long failed logins are forgotten'),
    ('totp_domains', 'domains or null', 'null', NULL, 'The e-mail domains whose users may enrol a second factor; null: all'),
    ('totp_required_roles', 'roles', '[]', NULL, 'The roles that need a second factor'),
    ('user_keys_allowed', 'boolean', 'true', NULL, 'Whether users may set and use keys of providers of their own'),
    ('audit_retention', 'interval or null', 'null', NULL, 'How long rows of the audit log are kept; null: for ever'),
    ('jwt_issuer', 'text', '"pgchat"', NULL, 'The claim iss of signed tokens'),
    ('jwt_audience', 'text', '"pgchat"', NULL, 'The claim aud of signed tokens'),
    ('jwt_database_role', 'text', '"pgchat_client"', NULL, 'The claim role of signed tokens, which PostgREST takes for the database role; empty: none'),
    ('jwt_algorithm', 'choice', '"EdDSA"', '{EdDSA,ES256,RS256,HS256}', 'What signs tokens'),
    ('jwt_ttl', 'interval', '"15 minutes"', NULL, 'How long a signed token works where its issuer names no time'),
    ('cost_per_month', 'amount or null', 'null', NULL, 'What all calls to models together may cost in a month in UTC, in the currency of the models'' prices; null: not limited'),
    ('own_keys_exempt_from_budget', 'boolean', 'true', NULL, 'Whether calls with a key of the user''s own cost nothing of the user''s and the installation''s budget'),
    ('usage_retention', 'count or null', 'null', NULL, 'For how many months, the current one not counted, usage events are kept; sums by day stay; null: for ever'),
    ('request_retention', 'interval or null', 'null', NULL, 'How long requests of chat.llm_submit are kept once they have ended, with prompt and answer; null: for ever'),
    ('refresh_token_lifetime', 'interval', '"30 days"', NULL, 'How long a refresh token works'),
    ('context_strategy', 'choice', '"truncate_oldest"', '{truncate_oldest,summarize,error}', 'What is done where a conversation does not fit the model''s context window, and does not say so itself'),
    ('context_reserve', 'count', '4096', NULL, 'Tokens of the context window kept for the answer where neither conversation, call, model nor provider says how long it may be'),
    ('continue_prompt', 'prompt', '"Continue exactly where you stopped. Do not repeat anything."', NULL, 'What a model is told to go on with a reply that was cut off'),
    ('summary_model', 'model or null', 'null', NULL, 'The model that writes summaries of conversations that name none; null: the one that replies'),
    ('summary_prompt', 'prompt', '"You keep the memory of a conversation between a user and an assistant. Write a summary of what you are given that can stand in its place: facts, names, numbers, decisions, preferences of the user, open questions, and code or text that is still needed. If an earlier summary is given, write one that covers both. Write in the language of the conversation. Answer with the summary only."', NULL, 'The system prompt of requests for summaries'),
    ('title_model', 'model or null', 'null', NULL, 'The model that writes titles; null: the one that replies'),
    ('title_prompt', 'prompt', '"Write a title of at most six words for the conversation that you are given, in its language. Answer with the title only: no quotation marks, no explanation."', NULL, 'The system prompt of requests for titles'),
    ('duplicate_window', 'interval', '"10 minutes"', NULL, 'For how long a message is taken for one sent twice, where the sender asks with options -> on_duplicate'),
    ('title_rule', 'choice', '"new_conversation"', '{new_conversation,numbered,first_words,model}', 'What titles conversations that are given none: always the same, Untitled and a number, the first words of the first message, or these until a model has written one'),
    ('attachment_max_bytes', 'size', '20971520', NULL, 'The largest file that can be uploaded, in bytes'),
    ('attachment_quota_bytes', 'size', '1073741824', NULL, 'How many bytes of files a user can have, where the plan has no limit attachment_bytes'),
    ('attachment_unused_lifetime', 'interval', '"1 day"', NULL, 'How long a file is kept that no message uses'),
    ('attachment_text_bytes', 'size', '102400', NULL, 'How much of a text file a model is told, in bytes; at most 1048576'),
    ('image_max_dimension', 'count', '8192', NULL, 'How many pixels a side of an image can have'),
    ('image_max_pixels', 'size', '50000000', NULL, 'How many pixels an image can have in all'),
    ('image_max_bytes', 'size', '5242880', NULL, 'The largest image that can be sent with a message, in bytes: models are sent the whole of it'),
    ('image_context_bytes', 'size', '20971520', NULL, 'How many bytes of images a model is sent for one reply, the newest first; at most 41943040'),
    ('share_links', 'choice', '"anyone"', '{anyone,login,nobody}', 'Who may open links to shared conversations: anyone who has one, of these who has an account, or nobody'),
    ('personas_per_user', 'count', '100', NULL, 'How many personas of their own a user can have'),
    ('deliberation_agreement', 'share', '0.40', NULL, 'How alike the contributions of a round must be for a board to agree, from 0 to 1'),
    ('deliberation_stability', 'share', '0.50', NULL, 'How alike contributions must be to those of the round before for a board to have settled, from 0 to 1'),
    ('deliberation_focus', 'share', '0.18', NULL, 'How much contributions must have of the problem''s words not to have drifted away from it, from 0 to 1'),
    ('deliberation_one_sided', 'share', '0.55', NULL, 'How alike contributions of the first round may be before a board counts as one-sided, from 0 to 1'),
    ('deliberation_record_tokens', 'count', '6000', NULL, 'How many tokens of what was said before are told in each call of a deliberation'),
    ('deliberation_context_tokens', 'count', '8000', NULL, 'How many tokens of the context of its problem are told in each call of a deliberation'),
    ('deliberation_answer_tokens', 'count', '3000', NULL, 'How long an answer in a deliberation can be, thinking included, where its options do not say; the conclusion can have twice that');
END;
COMMENT ON FUNCTION chat_private.setting_definitions() IS
'Every key of chat.settings: kind (as chat_private.check_setting knows them), default, choices for kind choice, meaning.';

CREATE OR REPLACE FUNCTION chat_private.setting(key text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  result jsonb;
BEGIN
  SELECT s.value INTO result FROM chat.settings s WHERE s.key = setting.key;
  IF NOT FOUND THEN
    SELECT d.default_value INTO result FROM chat_private.setting_definitions() d WHERE d.key = setting.key;
  END IF;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'setting "%" does not exist', left(setting.key, 100) USING ERRCODE = '42704',
      HINT = 'chat.admin_settings() lists the settings there are.';
  END IF;
  RETURN result;
END
$$;
COMMENT ON FUNCTION chat_private.setting(text) IS
'The value of a setting of this installation: what an administrator has set, else the default.
Errors: 42704 there is no such setting.';

CREATE OR REPLACE FUNCTION chat_private.setting_text(key text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN chat_private.setting(setting_text.key) #>> '{}';
END
$$;
COMMENT ON FUNCTION chat_private.setting_text(text) IS 'chat_private.setting as text; a null is NULL. Errors: 42704 as there.';

CREATE OR REPLACE FUNCTION chat_private.domain_of(email text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT nullif(split_part(chat_private.fold_name(domain_of.email), '@', 2), '')
$$;
COMMENT ON FUNCTION chat_private.domain_of(text) IS 'The domain of an e-mail address as domains are compared.';

CREATE OR REPLACE FUNCTION chat_private.domain_is_in(email text, key text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT jsonb_typeof(d.domains) = 'null' OR coalesce(d.domains ? chat_private.domain_of(domain_is_in.email), false)
  FROM chat_private.setting(domain_is_in.key) AS d (domains)
$$;
COMMENT ON FUNCTION chat_private.domain_is_in(text, text) IS
'Whether the domain of an e-mail address is in the list that a setting holds; a null there stands for all.';

CREATE OR REPLACE FUNCTION chat_private.is_interval(value text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN is_interval.value::interval BETWEEN interval '1 second' AND interval '100 years';
EXCEPTION WHEN invalid_datetime_format OR datetime_field_overflow OR interval_field_overflow THEN
  RETURN false;
END
$$;
COMMENT ON FUNCTION chat_private.is_interval(text) IS 'Whether a text is a length of time from 1 second to 100 years.';

CREATE OR REPLACE FUNCTION chat_private.are_texts(value jsonb, form text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF jsonb_typeof(are_texts.value) IS DISTINCT FROM 'array' THEN
    RETURN false;
  END IF;
  RETURN NOT EXISTS (SELECT FROM jsonb_array_elements(are_texts.value) e
                     WHERE jsonb_typeof(e) <> 'string' OR e #>> '{}' !~ are_texts.form);
END
$$;
COMMENT ON FUNCTION chat_private.are_texts(jsonb, text) IS 'Whether a value is an array of strings that all match a regular expression.';

CREATE OR REPLACE FUNCTION chat_private.is_amount(value jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN coalesce(jsonb_typeof(is_amount.value), '') = 'number' AND (is_amount.value #>> '{}')::numeric BETWEEN 0 AND 1000000;
END
$$;
COMMENT ON FUNCTION chat_private.is_amount(jsonb) IS 'Whether a value is an amount of money that can be a limit: a number from 0 to 1000000.';

CREATE OR REPLACE FUNCTION chat_private.setting_hint(kind text, value jsonb, choices text[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  base text := split_part(setting_hint.kind, ' or ', 1);
  given text := CASE jsonb_typeof(setting_hint.value) WHEN 'string' THEN setting_hint.value #>> '{}' END;
BEGIN
  IF setting_hint.kind LIKE '% or null' AND jsonb_typeof(setting_hint.value) = 'null' THEN
    RETURN NULL;
  END IF;
  RETURN CASE base
    WHEN 'boolean' THEN CASE WHEN jsonb_typeof(setting_hint.value) <> 'boolean' THEN 'It is true or false.' END
    WHEN 'text' THEN CASE WHEN coalesce(char_length(given) > 500 OR given ~ '[[:cntrl:]]', true)
                     THEN 'It is a string of one line and at most 500 characters.' END
    WHEN 'prompt' THEN CASE WHEN coalesce(char_length(given) NOT BETWEEN 1 AND 10000, true) THEN 'It is a string of 1 to 10000 characters.' END
    WHEN 'choice' THEN CASE WHEN given = ANY (setting_hint.choices) IS NOT TRUE
                       THEN format('It is one of %s.', array_to_string(setting_hint.choices, ', ')) END
    WHEN 'language' THEN CASE WHEN given ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$' IS NOT TRUE
                         THEN 'It is a language tag such as "en" or "pt-BR".' END
    WHEN 'interval' THEN CASE WHEN chat_private.is_interval(given) IS NOT TRUE
                         THEN 'It is a length of time such as "30 days" or "15 minutes", from 1 second to 100 years.' END
    WHEN 'count' THEN CASE WHEN setting_hint.value::text ~ '^[1-9][0-9]{0,5}$' IS NOT TRUE THEN 'It is a whole number from 1 to 999999.' END
    WHEN 'size' THEN CASE WHEN setting_hint.value::text ~ '^[1-9][0-9]{0,14}$' IS NOT TRUE THEN 'It is a whole number from 1 to 999999999999999.' END
    WHEN 'amount' THEN CASE WHEN NOT chat_private.is_amount(setting_hint.value) THEN 'It is a number from 0 to 1000000.' END
    WHEN 'share' THEN CASE WHEN NOT coalesce(jsonb_typeof(setting_hint.value) = 'number' AND (setting_hint.value #>> '{}')::numeric BETWEEN 0 AND 1, false)
                      THEN 'It is a number from 0 to 1.' END
    WHEN 'domains' THEN CASE WHEN NOT chat_private.are_texts(setting_hint.value, '^[^][:space:][:cntrl:][:upper:]@,]{1,253}$')
                        THEN 'It is an array of domains in lower case, such as ["example.com"].' END
    WHEN 'roles' THEN CASE WHEN NOT chat_private.are_texts(setting_hint.value, '^(admin|supervisor|worker|user|guest)$')
                      THEN 'It is an array of admin, supervisor, worker, user and guest.' END
    WHEN 'texts' THEN CASE WHEN NOT chat_private.are_texts(setting_hint.value, '^.{1,100}$')
                      THEN 'It is an array of strings of 1 to 100 characters.' END
    WHEN 'plan' THEN CASE WHEN NOT EXISTS (SELECT FROM chat.plans p WHERE p.code = given AND p.is_active)
                     THEN 'It is the code of an active row of chat.plans.' END
    WHEN 'model' THEN CASE WHEN given IS NULL THEN 'It is the name of a model, or null.' END
  END;
END
$$;
COMMENT ON FUNCTION chat_private.setting_hint(text, jsonb, text[]) IS
'What a value of this kind of setting must be, where the one given is not; NULL where it is. Kinds: boolean, text, prompt, choice,
language, interval, count, size, amount, share, domains, roles, texts, plan, model; followed by "or null" where null is one.';

CREATE OR REPLACE FUNCTION chat_private.check_setting(key text, value jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  definition record;
  hint text;
BEGIN
  SELECT d.* INTO definition FROM chat_private.setting_definitions() d WHERE d.key = check_setting.key;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'setting "%" does not exist', left(check_setting.key, 100) USING ERRCODE = '42704',
      HINT = 'chat.admin_settings() lists the settings there are.';
  END IF;
  hint := chat_private.setting_hint(definition.kind, check_setting.value, definition.choices);
  IF hint IS NOT NULL THEN
    RAISE EXCEPTION 'the value is not one for setting "%"', check_setting.key USING ERRCODE = '22023', HINT = hint;
  END IF;
  IF definition.kind = 'model or null' AND jsonb_typeof(check_setting.value) = 'string' THEN
    PERFORM chat_private.resolve_model(NULL, check_setting.value #>> '{}');
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_setting(text, jsonb) IS
'Errors: 42704 there is no such setting, or no such model; 22023 the value is not of its kind.';
