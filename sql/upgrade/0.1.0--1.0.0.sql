-- From the accounts, conversations and calls of the first version to deliberations, personas and what other systems brought.

COMMENT ON COLUMN chat.plans.limits IS 'conversations, deliberations: how many at once; messages_per_day, messages_per_minute: how many are sent, calls of chat.llm_complete and the like included (for guests, and chat.llm_submit for all). requests_per_minute: calls to models in any 60 seconds; concurrent_calls: calls at once; tokens_per_day: input and output tokens of a day in UTC; cost_per_month: money of a month in UTC; attachment_bytes: bytes of files at once, in place of the setting attachment_quota_bytes. What is absent is not limited; other members are the application''s';
-- A plan that an administrator has edited stays as it is.
UPDATE chat.plans SET limits = '{"conversations": 10, "deliberations": 5, "messages_per_day": 100, "requests_per_minute": 60}'
WHERE code = 'guest' AND is_default;

ALTER TABLE chat.users
  ADD CONSTRAINT users_id_is_somebodys CHECK (id NOT IN ('00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'));

ALTER TABLE chat_private.llm_requests DROP CONSTRAINT llm_requests_purpose_check, DROP CONSTRAINT llm_requests_state_check,
  ADD CONSTRAINT llm_requests_purpose_check CHECK (purpose = ANY ('{title,summary,deliberation}')),
  ADD CONSTRAINT llm_requests_state_check CHECK (state = ANY ('{waiting,queued,running,complete,incomplete,error,cancelled}'));
-- The same, in a form that statements prepare faster.
ALTER TABLE chat.messages DROP CONSTRAINT messages_role_check, DROP CONSTRAINT messages_status_check, DROP CONSTRAINT messages_rating_check,
  ADD CONSTRAINT messages_role_check CHECK (role = ANY ('{system,user,assistant,tool}')),
  ADD CONSTRAINT messages_status_check CHECK (status = ANY ('{pending,streaming,complete,incomplete,error,cancelled}')),
  ADD CONSTRAINT messages_rating_check CHECK (rating = ANY ('{-1,1}'));
ALTER TABLE chat.conversations DROP CONSTRAINT conversations_title_source_check, DROP CONSTRAINT conversations_context_strategy_check,
  ADD CONSTRAINT conversations_title_source_check CHECK (title_source = ANY ('{default,given,rule,model}')),
  ADD CONSTRAINT conversations_context_strategy_check CHECK (context_strategy = ANY ('{truncate_oldest,summarize,error}'));
ALTER TABLE chat.usage_events DROP CONSTRAINT usage_events_outcome_check,
  ADD CONSTRAINT usage_events_outcome_check CHECK (outcome = ANY ('{complete,incomplete,error,cancelled}'));
COMMENT ON COLUMN chat_private.llm_requests.purpose IS 'What a request of pgchat''s own is for: the title, or a summary, of conversation_id, or the step of a deliberation that has the same id; NULL: somebody asked';
CREATE INDEX llm_requests_retention_idx ON chat_private.llm_requests (created_at) WHERE message_id IS NULL AND purpose IS NULL;
CREATE INDEX llm_requests_restored_idx ON chat_private.llm_requests (user_id, id) WHERE started_at = '-infinity';
COMMENT ON COLUMN chat_private.llm_requests.started_at IS 'When the engine took it; -infinity: a restored dump brought it as running, which it is not here';

-- include tables/37_deliberation_prompts.sql
-- include tables/37_personas.sql
-- include tables/38_deliberations.sql
-- include tables/39_deliberation_parts.sql
-- include tables/40_system_imports.sql
-- include tables/41_billing.sql

-- What is called otherwise now, or not at all.
DROP FUNCTION chat_private.claim_requests(integer, text, uuid, text[], uuid[]);
DROP FUNCTION chat_private.complete_reply(uuid, uuid, jsonb, text, text, text, jsonb, integer);
DROP FUNCTION chat_private.finish_requests(uuid[], uuid[], uuid[], uuid[], text[], text[], text[], text[], text[], text[], text[],
  bigint[], bigint[], bigint[], bigint[], integer[], integer[], integer[], boolean[], boolean[]);
DROP FUNCTION chat_private.apply_ended_side_requests(uuid[], uuid[]);
DROP FUNCTION chat_private.find_model(uuid, text);
DROP FUNCTION chat_private.record_usage(uuid[], uuid[], integer[], uuid[], uuid[], text[], text[], bigint[], bigint[], bigint[], bigint[],
  boolean[], boolean[], boolean[], text[], text[], integer[], integer[]);
