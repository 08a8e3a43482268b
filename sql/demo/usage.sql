-- What is no API's: accounts that are some weeks old, and usage of the replies that they were brought with, at the time of each. Only the
-- engine records usage; it waits until this is committed, so nothing is asked of it any more.
UPDATE chat.users u SET created_at = now() - interval '60 days' WHERE u.email LIKE '%@demo.example' AND u.email <> 'new@demo.example';

INSERT INTO chat_private.usage_progress (rolled_up_to) VALUES (0) ON CONFLICT DO NOTHING;
SELECT count(*) AS ignored FROM (SELECT FROM chat_private.usage_progress FOR UPDATE) p \gset
CREATE TEMP TABLE replies ON COMMIT DROP AS
SELECT m.user_id, m.conversation_id, m.id AS message_id, m.model, v.name AS provider, m.input_tokens, m.output_tokens, coalesce(m.cost, 0) AS cost,
       m.model = 'demo-gpt-4o-mini' AS is_own_key, m.status, m.error ->> 'code' AS error_code, m.latency_ms, m.first_token_ms, m.created_at
FROM chat.users u JOIN chat.conversation_imports i ON i.user_id = u.id JOIN chat.messages m ON m.user_id = i.user_id AND m.conversation_id = i.conversation_id
JOIN chat.models o ON o.name = m.model JOIN chat.providers v ON v.id = o.provider_id
WHERE u.email LIKE '%@demo.example' AND i.source_id LIKE 'demo-%' AND m.role = 'assistant';
SELECT count(chat_private.add_usage_partition(u.month)) AS ignored
FROM (SELECT DISTINCT date_trunc('month', r.created_at AT TIME ZONE 'UTC')::date AS month FROM replies r) u \gset
INSERT INTO chat.usage_events (user_id, conversation_id, message_id, model, provider, input_tokens, output_tokens, cost, is_own_key, outcome, error_code, latency_ms,
                               first_token_ms, created_at)
SELECT r.* FROM replies r ORDER BY r.created_at;
