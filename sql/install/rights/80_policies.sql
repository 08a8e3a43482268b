-- Row isolation: whose rows each role sees. Forced, so that it binds pgchat's own functions too.

DO $policies$
DECLARE
  owned record;
BEGIN
  FOR owned IN
    SELECT t.name, t.owner_column, t.name LIKE 'chat.%' AS is_visible
    FROM (VALUES ('chat.users', 'id'),
                 ('chat.user_settings', 'user_id'),
                 ('chat.sessions', 'user_id'),
                 ('chat.conversations', 'user_id'),
                 ('chat.messages', 'user_id'),
                 ('chat.folders', 'user_id'),
                 ('chat.system_prompts', 'user_id'),
                 ('chat.conversation_templates', 'user_id'),
                 ('chat.conversation_summaries', 'user_id'),
                 ('chat.attachments', 'user_id'),
                 ('chat_private.attachment_data', 'user_id'),
                 ('chat.message_attachments', 'user_id'),
                 ('chat.conversation_shares', 'user_id'),
                 ('chat_private.share_tokens', 'user_id'),
                 ('chat.conversation_imports', 'user_id'),
                 ('chat_private.search_progress', 'user_id'),
                 ('chat_private.search_chunks', 'user_id'),
                 ('chat.personas', 'user_id'),
                 ('chat.deliberations', 'user_id'),
                 ('chat.deliberation_participants', 'user_id'),
                 ('chat.deliberation_steps', 'user_id'),
                 ('chat.contributions', 'user_id'),
                 ('chat.votes', 'user_id'),
                 ('chat.deliberation_rounds', 'user_id'),
                 ('chat.deliberation_checkpoints', 'user_id'),
                 ('chat.import_map', 'user_id'),
                 ('chat.import_findings', 'user_id'),
                 ('chat.usage_events', 'user_id'),
                 ('chat.user_model_access', 'user_id'),
                 ('chat.usage_rollups', 'user_id'),
                 ('chat.user_limits', 'user_id'),
                 ('chat.subscriptions', 'user_id'),
                 ('chat.payments', 'user_id'),
                 ('chat_private.billing_customers', 'user_id'),
                 ('chat_private.credentials', 'user_id'),
                 ('chat_private.session_tokens', 'user_id'),
                 ('chat_private.imported_tokens', 'user_id'),
                 ('chat_private.refresh_tokens', 'user_id'),
                 ('chat.identities', 'user_id'),
                 ('chat.api_keys', 'user_id'),
                 ('chat_private.api_key_secrets', 'user_id'),
                 ('chat_private.totp_factors', 'user_id'),
                 ('chat_private.totp_steps', 'user_id'),
                 ('chat_private.recovery_codes', 'user_id'),
                 ('chat_private.used_recovery_codes', 'user_id'),
                 ('chat_private.account_tokens', 'user_id'),
                 ('chat_private.outbox', 'user_id'),
                 ('chat_private.llm_requests', 'user_id')) t (name, owner_column)
  LOOP
    EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', owned.name);
    EXECUTE pg_catalog.format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', owned.name);
    EXECUTE pg_catalog.format('DROP POLICY IF EXISTS own_rows ON %s', owned.name);
    EXECUTE pg_catalog.format(
      'CREATE POLICY own_rows ON %s TO pgchat_owner, pgchat_client USING (%I = chat.current_user_id())',
      owned.name, owned.owner_column);
    EXECUTE pg_catalog.format('DROP POLICY IF EXISTS engine_rows ON %s', owned.name);
    EXECUTE pg_catalog.format('CREATE POLICY engine_rows ON %s TO pgchat_engine USING (true)', owned.name);
    IF owned.is_visible THEN
      EXECUTE pg_catalog.format('DROP POLICY IF EXISTS service_rows ON %s', owned.name);
      EXECUTE pg_catalog.format('CREATE POLICY service_rows ON %s TO pgchat_service USING (true)', owned.name);
    END IF;
  END LOOP;
END
$policies$;

-- What the nil UUID owns is for all.
DO $shared$
DECLARE
  shared text;
BEGIN
  FOREACH shared IN ARRAY ARRAY['chat.system_prompts', 'chat.conversation_templates', 'chat.personas'] LOOP
    EXECUTE pg_catalog.format('DROP POLICY IF EXISTS shared_rows ON %s', shared);
    EXECUTE pg_catalog.format(
      'CREATE POLICY shared_rows ON %s FOR SELECT TO pgchat_owner, pgchat_client USING (user_id = uuid %L)',
      shared, '00000000-0000-0000-0000-000000000000');
  END LOOP;
END
$shared$;

DROP POLICY IF EXISTS grantee_rows ON chat.conversation_shares;
CREATE POLICY grantee_rows ON chat.conversation_shares FOR SELECT TO pgchat_owner, pgchat_client
  USING (grantee_id = chat.current_user_id() AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp()));

-- Read before there is an identity, by pgchat's own functions only.
ALTER TABLE chat_private.login_names ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat_private.login_names FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS functions_only ON chat_private.login_names;
CREATE POLICY functions_only ON chat_private.login_names TO pgchat_owner USING (true);

-- Written by the engine alone. Read by pgchat's own functions, which look at who asks, by operators, and each person's own
-- rows by them.
ALTER TABLE chat.audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat.audit_log FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS own_rows ON chat.audit_log;
CREATE POLICY own_rows ON chat.audit_log FOR SELECT TO pgchat_client USING (user_id = chat.current_user_id());
DROP POLICY IF EXISTS all_rows ON chat.audit_log;
CREATE POLICY all_rows ON chat.audit_log FOR SELECT TO pgchat_owner, pgchat_service USING (true);
DROP POLICY IF EXISTS engine_rows ON chat.audit_log;
CREATE POLICY engine_rows ON chat.audit_log TO pgchat_engine USING (true);

ALTER TABLE chat_private.audit_erasures ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat_private.audit_erasures FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS functions_only ON chat_private.audit_erasures;
CREATE POLICY functions_only ON chat_private.audit_erasures TO pgchat_owner, pgchat_engine USING (true);

-- A supervisor sees the accounts of their workers.
DROP POLICY IF EXISTS supervisor_rows ON chat.users;
CREATE POLICY supervisor_rows ON chat.users FOR SELECT TO pgchat_owner, pgchat_client USING (supervisor_id = chat.current_user_id());

-- What pgchat's own functions see and change behind chat_private.enter_gate.
DROP POLICY IF EXISTS gate_rows ON chat.users;
CREATE POLICY gate_rows ON chat.users FOR SELECT TO pgchat_owner USING (chat.current_user_role() = 'gate');
DROP POLICY IF EXISTS gate_updates ON chat.users;
CREATE POLICY gate_updates ON chat.users FOR UPDATE TO pgchat_owner USING (chat.current_user_role() = 'gate');
DROP POLICY IF EXISTS gate_rows ON chat_private.outbox;
CREATE POLICY gate_rows ON chat_private.outbox TO pgchat_owner USING (chat.current_user_role() = 'gate');


-- Shares are found by their token or their grantee, and go, as do the parts of a conversation, with it to another owner.
DO $gate$
DECLARE
  gated text;
BEGIN
  FOREACH gated IN ARRAY ARRAY['chat.conversation_shares', 'chat_private.share_tokens', 'chat.conversation_summaries',
                               'chat.conversation_imports'] LOOP
    EXECUTE pg_catalog.format('DROP POLICY IF EXISTS gate_rows ON %s', gated);
    EXECUTE pg_catalog.format('CREATE POLICY gate_rows ON %s TO pgchat_owner USING (chat.current_user_role() = %L)', gated, 'gate');
  END LOOP;
END
$gate$;

DROP POLICY IF EXISTS gate_rows ON chat.api_keys;
CREATE POLICY gate_rows ON chat.api_keys TO pgchat_owner USING (chat.current_user_role() = 'gate');
-- An administrator's functions find a deliberation by its id, and then act as its owner.
DROP POLICY IF EXISTS gate_rows ON chat.deliberations;
CREATE POLICY gate_rows ON chat.deliberations TO pgchat_owner USING (chat.current_user_role() = 'gate');
-- Their reports add up what all deliberations have used.
DROP POLICY IF EXISTS gate_rows ON chat.deliberation_steps;
CREATE POLICY gate_rows ON chat.deliberation_steps FOR SELECT TO pgchat_owner USING (chat.current_user_role() = 'gate');
ALTER TABLE chat.deliberation_prompts ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat.deliberation_prompts FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS all_rows ON chat.deliberation_prompts;
CREATE POLICY all_rows ON chat.deliberation_prompts TO pgchat_owner, pgchat_service, pgchat_engine USING (true);

DROP POLICY IF EXISTS gate_rows ON chat.usage_events;
CREATE POLICY gate_rows ON chat.usage_events FOR SELECT TO pgchat_owner USING (chat.current_user_role() = 'gate');

-- Sums of all users together, and how far they go. Partitions of usage are reached through their table, whose policies count.
ALTER TABLE chat_private.usage_totals ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat_private.usage_totals FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS functions_only ON chat_private.usage_totals;
CREATE POLICY functions_only ON chat_private.usage_totals TO pgchat_owner, pgchat_engine USING (true);
ALTER TABLE chat_private.usage_progress ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat_private.usage_progress FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS functions_only ON chat_private.usage_progress;
CREATE POLICY functions_only ON chat_private.usage_progress TO pgchat_owner, pgchat_engine USING (true);
ALTER TABLE chat_private.usage_events_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat_private.usage_events_default FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS functions_only ON chat_private.usage_events_default;
CREATE POLICY functions_only ON chat_private.usage_events_default TO pgchat_owner USING (true);

-- Invitations belong to nobody yet: pgchat's own functions look at who asks.
ALTER TABLE chat.invitations ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat.invitations FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS functions_only ON chat.invitations;
CREATE POLICY functions_only ON chat.invitations TO pgchat_owner USING (true);
DROP POLICY IF EXISTS service_rows ON chat.invitations;
CREATE POLICY service_rows ON chat.invitations FOR SELECT TO pgchat_service USING (true);
ALTER TABLE chat_private.invitation_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat_private.invitation_tokens FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS functions_only ON chat_private.invitation_tokens;
CREATE POLICY functions_only ON chat_private.invitation_tokens TO pgchat_owner USING (true);

ALTER TABLE chat_private.login_attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat_private.login_attempts FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS engine_rows ON chat_private.login_attempts;
CREATE POLICY engine_rows ON chat_private.login_attempts TO pgchat_engine USING (true);

-- Shared tables: everybody sees what is in use, operators all.
ALTER TABLE chat.providers ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat.providers FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS active_rows ON chat.providers;
CREATE POLICY active_rows ON chat.providers FOR SELECT TO pgchat_client USING (is_active);
DROP POLICY IF EXISTS all_rows ON chat.providers;
CREATE POLICY all_rows ON chat.providers TO pgchat_owner, pgchat_service, pgchat_engine USING (true);

ALTER TABLE chat.models ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat.models FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS usable_rows ON chat.models;
-- The sub-select has the function called once a query and not for each row.
CREATE POLICY usable_rows ON chat.models FOR SELECT TO pgchat_client
  USING (id = ANY ((SELECT chat_private.usable_models())::uuid[]));
DROP POLICY IF EXISTS all_rows ON chat.models;
CREATE POLICY all_rows ON chat.models TO pgchat_owner, pgchat_service, pgchat_engine USING (true);

-- A user's grants are that user's; administrators' functions reach them through the gate.
DROP POLICY IF EXISTS gate_rows ON chat.user_model_access;
CREATE POLICY gate_rows ON chat.user_model_access TO pgchat_owner USING (chat.current_user_role() = 'gate');
ALTER TABLE chat.group_model_access ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat.group_model_access FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS all_rows ON chat.group_model_access;
CREATE POLICY all_rows ON chat.group_model_access TO pgchat_owner, pgchat_service, pgchat_engine USING (true);

ALTER TABLE chat.plans ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat.plans FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS active_rows ON chat.plans;
CREATE POLICY active_rows ON chat.plans FOR SELECT TO pgchat_client USING (is_active);
DROP POLICY IF EXISTS all_rows ON chat.plans;
CREATE POLICY all_rows ON chat.plans TO pgchat_owner, pgchat_service, pgchat_engine USING (true);

-- Sealed; the engine opens them.
ALTER TABLE chat_private.provider_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat_private.provider_keys FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS functions_only ON chat_private.provider_keys;
CREATE POLICY functions_only ON chat_private.provider_keys TO pgchat_owner, pgchat_engine USING (true);

-- Private halves are sealed; the engine opens them, pgchat's own functions show the public ones.
ALTER TABLE chat_private.signing_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat_private.signing_keys FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS functions_only ON chat_private.signing_keys;
CREATE POLICY functions_only ON chat_private.signing_keys TO pgchat_owner, pgchat_engine USING (true);

ALTER TABLE chat_private.oidc_providers ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat_private.oidc_providers FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS functions_only ON chat_private.oidc_providers;
CREATE POLICY functions_only ON chat_private.oidc_providers TO pgchat_owner USING (true);

-- What belongs to the installation and to nobody. Row security, so that roles which may read or write all tables, such as
-- pg_read_all_data, neither see the headers of providers nor change the rules.
DO $installation$
DECLARE
  shared text;
BEGIN
  FOREACH shared IN ARRAY ARRAY['chat.settings', 'chat.mail_templates', 'chat_private.provider_endpoints', 'chat_private.audit_head'] LOOP
    EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', shared);
    EXECUTE pg_catalog.format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', shared);
    EXECUTE pg_catalog.format('DROP POLICY IF EXISTS all_rows ON %s', shared);
    EXECUTE pg_catalog.format('CREATE POLICY all_rows ON %s TO pgchat_owner, pgchat_engine%s USING (true)', shared,
                              CASE WHEN shared LIKE 'chat.%' THEN ', pgchat_service' END);
  END LOOP;
END
$installation$;

-- Reports add up all payments, and a price that is saved looks for those who pay it.
DROP POLICY IF EXISTS gate_rows ON chat.payments;
CREATE POLICY gate_rows ON chat.payments FOR SELECT TO pgchat_owner USING (chat.current_user_role() = 'gate');
DROP POLICY IF EXISTS gate_rows ON chat.subscriptions;
CREATE POLICY gate_rows ON chat.subscriptions FOR SELECT TO pgchat_owner USING (chat.current_user_role() = 'gate');
-- A customer is found by its id at the payment provider, before it is known whose it is.
DROP POLICY IF EXISTS gate_rows ON chat_private.billing_customers;
CREATE POLICY gate_rows ON chat_private.billing_customers TO pgchat_owner USING (chat.current_user_role() = 'gate');
ALTER TABLE chat_private.billing_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat_private.billing_events FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS functions_only ON chat_private.billing_events;
CREATE POLICY functions_only ON chat_private.billing_events TO pgchat_owner USING (true);
ALTER TABLE chat.plan_prices ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat.plan_prices FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS active_rows ON chat.plan_prices;
CREATE POLICY active_rows ON chat.plan_prices FOR SELECT TO pgchat_client USING (is_active);
DROP POLICY IF EXISTS all_rows ON chat.plan_prices;
CREATE POLICY all_rows ON chat.plan_prices TO pgchat_owner, pgchat_service USING (true);
-- Sealed; the engine opens them.
ALTER TABLE chat_private.webhook_secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat_private.webhook_secrets FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS functions_only ON chat_private.webhook_secrets;
CREATE POLICY functions_only ON chat_private.webhook_secrets TO pgchat_owner, pgchat_engine USING (true);
