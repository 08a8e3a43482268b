-- Rights: nothing for PUBLIC, and for each role what it needs.

REVOKE ALL ON SCHEMA chat, chat_private FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA chat, chat_private FROM PUBLIC;
REVOKE ALL ON ALL ROUTINES IN SCHEMA chat, chat_private FROM PUBLIC;

GRANT USAGE ON SCHEMA chat TO pgchat_client, pgchat_service, pgchat_engine;
GRANT USAGE ON SCHEMA chat_private TO pgchat_engine;

GRANT SELECT ON chat.users, chat.user_settings, chat.sessions, chat.identities, chat.api_keys, chat.conversations, chat.messages, chat.usage_events, chat.usage_rollups,
  chat.usage_by_model, chat.usage_by_day, chat.user_limits,
  chat.providers, chat.models, chat.plans, chat.audit_log TO pgchat_client, pgchat_service;
GRANT SELECT ON chat.settings, chat.invitations, chat.mail_templates, chat.deliberation_prompts TO pgchat_service;
GRANT SELECT ON chat.personas, chat.deliberations, chat.deliberation_participants, chat.deliberation_steps, chat.contributions, chat.votes,
  chat.deliberation_rounds, chat.deliberation_checkpoints, chat.import_map, chat.import_findings TO pgchat_client, pgchat_service;
GRANT SELECT ON chat.deliberation_cost_by_phase, chat.deliberation_cost_by_persona, chat.deliberation_cost_by_model,
  chat.deliberation_metrics, chat.deliberation_agreement, chat.deliberation_votes_agreement TO pgchat_client, pgchat_service;
GRANT SELECT ON chat.folders, chat.system_prompts, chat.conversation_templates, chat.conversation_summaries, chat.attachments,
  chat.message_attachments, chat.conversation_shares, chat.conversation_imports TO pgchat_client, pgchat_service;
GRANT SELECT ON chat.user_model_access TO pgchat_client, pgchat_service;
GRANT SELECT ON chat.plan_prices, chat.subscriptions, chat.payments TO pgchat_client, pgchat_service;
GRANT SELECT ON chat.group_model_access, chat.model_access TO pgchat_service;
GRANT UPDATE (title, description, is_pinned, is_archived) ON chat.conversations TO pgchat_client, pgchat_service;
GRANT UPDATE (preferences) ON chat.user_settings TO pgchat_client, pgchat_service;
GRANT UPDATE (display_name) ON chat.users TO pgchat_client, pgchat_service;

GRANT SELECT, UPDATE ON chat.messages, chat.conversations, chat_private.llm_requests TO pgchat_engine;
-- Their rows are those that their owner sees.
ALTER VIEW chat_private.gate_conversations OWNER TO pgchat_engine;
ALTER VIEW chat_private.gate_messages OWNER TO pgchat_engine;
ALTER VIEW chat_private.gate_requests OWNER TO pgchat_engine;
GRANT SELECT, UPDATE ON chat_private.gate_conversations, chat_private.gate_messages, chat_private.gate_requests TO pgchat_owner;
GRANT SELECT, INSERT ON chat.conversation_summaries TO pgchat_engine;
GRANT SELECT ON chat.personas, chat.deliberation_prompts TO pgchat_engine;
GRANT SELECT, UPDATE ON chat.deliberations TO pgchat_engine;
GRANT SELECT, INSERT, UPDATE ON chat.deliberation_steps TO pgchat_engine;
GRANT SELECT, INSERT ON chat.deliberation_participants, chat.contributions, chat.votes, chat.deliberation_rounds,
  chat.deliberation_checkpoints TO pgchat_engine;
GRANT SELECT ON chat.attachments, chat.message_attachments TO pgchat_engine;
GRANT INSERT, DELETE ON chat_private.llm_requests TO pgchat_engine;
GRANT SELECT, INSERT ON chat.usage_events TO pgchat_engine;
GRANT USAGE ON SEQUENCE chat_private.usage_seq TO pgchat_engine;
GRANT SELECT, INSERT, UPDATE ON chat.usage_rollups, chat_private.usage_totals, chat_private.usage_progress TO pgchat_engine;
GRANT SELECT, INSERT, UPDATE, DELETE ON chat_private.login_attempts TO pgchat_engine;
GRANT SELECT, DELETE, UPDATE (last_activity_at, idle_expires_at) ON chat.sessions TO pgchat_engine;
GRANT SELECT, INSERT, DELETE ON chat.audit_log TO pgchat_engine;
GRANT UPDATE (ip_address, user_agent, origin_salt) ON chat.audit_log TO pgchat_engine;
GRANT SELECT, INSERT, UPDATE ON chat_private.audit_head TO pgchat_engine;
GRANT SELECT, DELETE ON chat_private.audit_erasures TO pgchat_engine;
GRANT SELECT, INSERT, DELETE ON chat_private.totp_steps TO pgchat_engine;
GRANT SELECT, INSERT ON chat_private.used_recovery_codes TO pgchat_engine;
GRANT SELECT (id, role, plan, is_active) ON chat.users TO pgchat_engine;
GRANT SELECT ON chat.plans, chat.user_limits TO pgchat_engine;
GRANT SELECT (user_id, preferences, default_model) ON chat.user_settings TO pgchat_engine;
GRANT SELECT, INSERT, UPDATE ON chat_private.search_progress TO pgchat_engine;
GRANT SELECT, INSERT, UPDATE, DELETE ON chat_private.search_chunks TO pgchat_engine;
GRANT SELECT ON chat.providers, chat.models, chat.settings, chat_private.provider_endpoints TO pgchat_engine;
GRANT SELECT ON chat.user_model_access, chat.group_model_access TO pgchat_engine;
GRANT SELECT, DELETE, UPDATE (unused_since) ON chat.attachments TO pgchat_engine;
GRANT SELECT ON chat.message_attachments, chat_private.attachment_data TO pgchat_engine;
GRANT SELECT, INSERT ON chat_private.signing_keys TO pgchat_engine;
GRANT SELECT ON chat.api_keys, chat_private.api_key_secrets, chat_private.provider_keys, chat_private.totp_factors TO pgchat_engine;
GRANT UPDATE (last_used_at) ON chat.api_keys TO pgchat_engine;
GRANT UPDATE (sealed_key) ON chat_private.api_key_secrets, chat_private.provider_keys, chat_private.totp_factors TO pgchat_engine;
GRANT UPDATE (sealed_private) ON chat_private.signing_keys TO pgchat_engine;
GRANT SELECT, UPDATE (sealed_secret) ON chat_private.webhook_secrets TO pgchat_engine;

-- By name, for all forms of each: a function that is not named here can be called by nobody.
DO $functions$
DECLARE
  for_clients CONSTANT text[] := ARRAY[
    'uuid_v7', 'content_hash', 'totp_generate', 'totp_check', 'current_user_id', 'current_user_role',
    'totp_enroll', 'totp_verify', 'totp_disable', 'generate_recovery_codes', 'mfa_status',
    'register', 'login', 'authenticate', 'logout', 'me', 'register_guest', 'upgrade_guest',
    'request_email_verification', 'verify_email', 'change_password', 'request_password_reset', 'reset_password',
    'update_profile', 'update_settings', 'accept_terms', 'list_sessions', 'revoke_session', 'list_supervised_users',
    'export_my_data', 'delete_my_account',
    'issue_jwt', 'authenticate_jwt', 'jwt_verify', 'jwks', 'issue_refresh_token', 'refresh_jwt', 'pre_request',
    'login_oidc', 'link_identity', 'unlink_identity', 'set_password',
    'create_conversation', 'list_conversations', 'list_messages', 'send_message', 'send_tool_results', 'ask', 'send_and_wait', 'retry_message',
    'edit_message', 'regenerate_message', 'continue_message', 'select_branch', 'fork_conversation', 'find_duplicates', 'rate_message',
    'set_context_strategy', 'list_summaries', 'context_preview',
    'update_conversation', 'delete_conversation', 'mark_conversation_read', 'find_conversations', 'set_conversation_tags', 'list_tags',
    'set_conversation_metadata', 'set_message_metadata',
    'create_folder', 'update_folder', 'delete_folder', 'list_folders', 'move_conversation',
    'list_system_prompts', 'use_system_prompt', 'save_system_prompt', 'delete_system_prompt',
    'list_templates', 'save_template', 'delete_template', 'create_from_template',
    'list_personas', 'save_persona', 'delete_persona',
    'search_messages',
    'add_attachment', 'list_attachments', 'attachment_content', 'delete_attachment', 'attachment_quota', 'list_message_attachments',
    'share_conversation', 'grant_conversation', 'update_share', 'revoke_share', 'list_my_shares', 'list_shared_with_me', 'leave_shared',
    'read_share', 'read_shared_conversation', 'shared_conversation', 'fork_shared', 'send_to_shared', 'read_shared_stream', 'cancel_shared_message', 'shared_attachment_content',
    'list_supervised_conversations', 'read_supervised_conversation',
    'export_conversation', 'export_conversations', 'import_conversations',
    'cancel_message', 'stream_message', 'read_stream', 'my_usage', 'my_limits', 'conversation_cost', 'my_subscription',
    'set_api_key', 'list_api_keys', 'activate_api_key', 'delete_api_key',
    'deliberation_tally', 'deliberation_result', 'export_deliberation',
    'list_models', 'llm_complete', 'llm_complete_json', 'llm_complete_batch', 'llm_embed', 'llm_stream', 'llm_submit', 'llm_result', 'llm_cancel',
    'create_deliberation', 'start_deliberation', 'pause_deliberation', 'resume_deliberation', 'kill_deliberation', 'fork_deliberation',
    'delete_deliberation', 'list_deliberations',
    'deliberation_progress', 'follow_deliberation', 'run_deliberation',
    -- These look at who calls, and refuse all but administrators and pgchat_service.
    'admin_register_provider', 'admin_set_provider_active', 'admin_delete_provider', 'admin_list_providers',
    'admin_register_model', 'admin_set_model_active', 'admin_delete_model', 'admin_list_models', 'admin_set_default_model',
    'admin_set_model_open', 'admin_grant_model', 'admin_revoke_model', 'admin_list_model_access', 'admin_sync_models',
    'admin_remove_second_factor', 'admin_import_totp', 'verify_audit_log',
    'admin_create_user', 'admin_list_users', 'admin_set_role', 'admin_set_active', 'admin_set_supervisor', 'admin_set_plan',
    'admin_reset_password', 'admin_delete_user', 'admin_invite', 'admin_resend_invitation', 'admin_revoke_invitation',
    'admin_list_invitations', 'admin_remove_lost_guests', 'admin_settings', 'admin_set_setting', 'admin_save_plan', 'admin_set_mail_template',
    'admin_unlock_user', 'admin_list_audit_log',
    'admin_set_provider_key', 'admin_delete_provider_key', 'admin_rotate_master_key', 'admin_master_key_status',
    'admin_usage', 'admin_deliberation_usage', 'admin_set_limits', 'admin_set_budget',
    'admin_save_plan_price', 'admin_set_billing_customer', 'admin_set_webhook_secret', 'admin_apply_billing_event', 'admin_list_billing_events', 'admin_payments',
    'admin_list_deliberations',
    'admin_reassign_conversation', 'admin_list_conversations', 'admin_read_conversation',
    'admin_read_deliberation',
    'admin_create_system_prompt', 'admin_update_system_prompt', 'admin_set_default_system_prompt', 'admin_delete_system_prompt',
    'admin_save_template', 'admin_delete_template', 'admin_save_persona', 'admin_set_persona_active', 'admin_delete_persona',
    'admin_list_deliberation_prompts', 'admin_set_deliberation_prompt',
    'admin_rotate_signing_key', 'admin_import_signing_key', 'admin_revoke_signing_key', 'admin_list_signing_keys', 'admin_register_oidc_provider'];
  -- What the one function and the views run that are inlined into the caller's query, and what a policy compares with; without
  -- USAGE on their schema nobody can name them.
  inlined CONSTANT text[] := ARRAY['chat_private.list_limit', 'chat_private.usable_models', 'chat_private.usage_watermark', 'chat_private.utc_day', 'chat_private.text_similarities', 'chat_private.active_ms_of'];
  -- The first two take as long as they are told to, and nothing can stop them.
  for_service CONSTANT text[] := ARRAY['bcrypt_hash', 'bcrypt_verify', 'stream_gateway', 'engine_status', 'metrics', 'outbox_claim', 'outbox_sent', 'outbox_failed', 'jwt_sign', 'billing_webhook'];
  for_engine CONSTANT text[] := ARRAY['chat.uuid_v7', 'chat.content_hash', 'chat.current_user_id',
    'chat_private.is_context', 'chat_private.context_message',
    'chat_private.text_tokens', 'chat_private.json_count', 'chat_private.attachment_tokens', 'chat_private.reply_tokens', 'chat_private.fixed_tokens',
    'chat_private.context_room', 'chat_private.model_window', 'chat_private.branch_upwards', 'chat_private.from_first_question', 'chat_private.fitted_branch',
    'chat_private.context_fit', 'chat_private.branch_messages', 'chat_private.plain_branch', 'chat_private.other_context',
    'chat_private.content_parts', 'chat_private.summary_message', 'chat_private.summary_tokens', 'chat_private.nearest_summary', 'chat_private.has_summary',
    'chat_private.summarized_branch', 'chat_private.side_request_text',
    'chat_private.transcript', 'chat_private.summary_text', 'chat_private.summary_room', 'chat_private.summary_size', 'chat_private.title_text',
    'chat_private.clean_answer', 'chat_private.clean_title', 'chat_private.apply_title', 'chat_private.apply_summary',
    'chat_private.apply_side_requests', 'chat_private.tidy_side_requests', 'chat_private.result_json', 'chat_private.exact_cost',
    'chat_private.active_ms_of', 'chat_private.clock_from_now', 'chat_private.skip_downtime', 'chat_private.add_checkpoint', 'chat_private.enter_phase', 'chat_private.halt_deliberation',
    'chat_private.wanted_steps', 'chat_private.may_pass', 'chat_private.must_rest', 'chat_private.counted_since', 'chat_private.text_wanted_since', 'chat_private.step_standing', 'chat_private.step_model', 'chat_private.stop_steps',
    'chat_private.find_model', 'chat_private.has_model', 'chat_private.not_sent', 'chat_private.cancel_call',
    'chat_private.step_reserve', 'chat_private.time_left', 'chat_private.cap_reached', 'chat_private.queue_missing_steps',
    'chat_private.recover_steps', 'chat_private.record_estimate', 'chat_private.record_step', 'chat_private.seat_personas', 'chat_private.seat_moderator', 'chat_private.own_sub_problem',
    'chat_private.store_said', 'chat_private.store_answer', 'chat_private.step_failure', 'chat_private.pause_for', 'chat_private.apply_step',
    'chat_private.spoke_in_round', 'chat_private.fail_for_steps', 'chat_private.ended_round', 'chat_private.rounds_end',
    'chat_private.may_intervene', 'chat_private.leave_round', 'chat_private.given_choices', 'chat_private.leave_phase',
    'chat_private.close_lost_steps', 'chat_private.open_steps', 'chat_private.tend_phase', 'chat_private.drive_deliberation',
    'chat_private.break_off', 'chat_private.move_deliberation', 'chat_private.hold_deliberations', 'chat_private.apply_deliberation_steps',
    'chat_private.tidy_deliberations', 'chat_private.reached_message_limit', 'chat_private.id_at',
    'chat_private.step_request', 'chat_private.read_answer', 'chat_private.find_persona', 'chat_private.measure_round', 'chat_private.vote_outcome',
    'chat_private.engine_accounts', 'chat_private.used_by', 'chat_private.usage_tail_from', 'chat_private.pico_cost', 'chat_private.charged_cost', 'chat_private.utc_day',
    'chat_private.usage_watermark', 'chat_private.record_usage', 'chat_private.token_count', 'chat_private.roll_up_usage', 'chat_private.anonymise_late_usage', 'chat_private.prepare_usage_partitions', 'chat_private.drop_old_usage',
    'chat_private.engine_providers', 'chat_private.engine_models', 'chat_private.engine_grants',
    'chat_private.content_parts', 'chat_private.told_file', 'chat_private.joined_parts', 'chat_private.quoted',
    'chat_private.data_url', 'chat_private.text_start', 'chat_private.is_told_as_image', 'chat_private.is_told_as_text',
    'chat_private.takes_images', 'chat_private.image_bytes', 'chat_private.image_budget', 'chat_private.max_image_bytes', 'chat_private.max_quoted_bytes',
    'chat_private.remove_unused_attachments',
    'chat_private.claim_requests', 'chat_private.checkpoint_messages',
    'chat_private.lock_requests', 'chat_private.busy_requests', 'chat_private.finish_messages',
    'chat_private.close_requests', 'chat_private.finish_durable', 'chat_private.touch_conversations', 'chat_private.finish_requests',
    'chat_private.recover_requests', 'chat_private.close_lost_requests', 'chat_private.library_version', 'chat_private.require_library', 'chat_private.queue_depth', 'chat_private.wake_engine',
    'chat_private.release_ended', 'chat_private.release_waiting', 'chat_private.release_stranded',
    'chat_private.ledger_use_totp_step', 'chat_private.ledger_use_recovery_code',
    'chat_private.ledger_audit', 'chat_private.append_audit', 'chat_private.audit_hash', 'chat_private.audit_origin_hash',
    'chat_private.ledger_charge_login', 'chat_private.ledger_settle_login', 'chat_private.ledger_refuse_login',
    'chat_private.ledger_unlock_login', 'chat_private.attempt_keys', 'chat_private.count_attempt', 'chat_private.attempt_limit', 'chat_private.setting', 'chat_private.setting_text', 'chat_private.setting_definitions',
    'chat_private.ledger_touch_session', 'chat_private.erase_audit_origins', 'chat_private.prune_audit_log', 'chat_private.prune_requests', 'chat_private.tidy',
    'chat_private.engine_keys', 'chat_private.engine_provider_keys', 'chat_private.api_keys_used',
    'chat_private.sealed_columns', 'chat_private.sealed_page', 'chat_private.replace_sealed', 'chat_private.count_sealed',
    'chat_private.databases_with_secrets', 'chat_private.holds_secrets',
    'chat_private.engine_signing_keys', 'chat_private.ledger_signing_key', 'chat_private.ledger_refresh_reuse',
    'chat_private.choices_of', 'chat_private.valid_votes', 'chat_private.tally_method', 'chat_private.quorum_of', 'chat_private.has_quorum',
    'chat_private.ballots_of', 'chat_private.runoff', 'chat_private.tally_of', 'chat_private.tally', 'chat_private.vote_outcome',
    'chat_private.search_configuration', 'chat_private.search_language', 'chat_private.search_chunk', 'chat_private.search_chunk_ids', 'chat_private.search_horizon',
    'chat_private.refile_chunk', 'chat_private.file_messages', 'chat_private.users_to_file',
    'chat_private.find_persona', 'chat_private.persona_catalogue',
    'chat_private.text_similarity', 'chat_private.text_similarities', 'chat_private.text_overlaps', 'chat_private.round_threshold',
    'chat_private.round_verdict', 'chat_private.deliberation_topic', 'chat_private.round_measures', 'chat_private.measure_round',
    'chat_private.text_clip', 'chat_private.text_line', 'chat_private.plain_lines', 'chat_private.quoted_lines', 'chat_private.fair_share', 'chat_private.told_rounds',
    'chat_private.record_openings', 'chat_private.record_latest', 'chat_private.record', 'chat_private.choosable_personas', 'chat_private.board_size',
    'chat_private.known_choices', 'chat_private.schema_object', 'chat_private.schema_array', 'chat_private.schema_enum', 'chat_private.vote_schema',
    'chat_private.step_schema', 'chat_private.step_window', 'chat_private.told_list', 'chat_private.told_json', 'chat_private.told_people', 'chat_private.told_votes',
    'chat_private.told_catalogue', 'chat_private.step_values', 'chat_private.step_texts', 'chat_private.step_request',
    'chat_private.fill_prompt',
    'chat_private.answer_text', 'chat_private.answer_json', 'chat_private.answer_line', 'chat_private.answer_items', 'chat_private.answer_lines',
    'chat_private.answer_codes', 'chat_private.read_sub_problems', 'chat_private.read_selection', 'chat_private.read_choices', 'chat_private.read_vote',
    'chat_private.read_synthesis', 'chat_private.read_text_synthesis', 'chat_private.read_answer'];
  f record;
BEGIN
  FOR f IN
    SELECT p.oid::pg_catalog.regprocedure AS signature, n.nspname AS schema, p.proname AS name
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname IN ('chat', 'chat_private')
  LOOP
    IF f.schema = 'chat' AND f.name = ANY (for_clients) OR f.schema || '.' || f.name = ANY (inlined) THEN
      EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO pgchat_client, pgchat_service', f.signature);
    ELSIF f.schema = 'chat' AND f.name = ANY (for_service) THEN
      EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO pgchat_service', f.signature);
    END IF;
    IF f.schema || '.' || f.name = ANY (for_engine) THEN
      EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO pgchat_engine', f.signature);
    END IF;
  END LOOP;
END
$functions$;
