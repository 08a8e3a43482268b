-- Writes what imported replies used, as far as their system noted it, into usage_events at the time of each reply, so that reports and
-- the cost of a conversation go on from before. The last part before the report: it makes the engine wait. Variables:
--   usage_table  the name in the report, such as messages.tokens
--   own_keys     true: users paid with keys of their own
--
-- The engine takes events to be committed in the order of seq; while this row is locked it sums none up.
INSERT INTO chat_private.usage_progress (rolled_up_to) VALUES (0) ON CONFLICT DO NOTHING;
SELECT count(*) AS ignored FROM (SELECT FROM chat_private.usage_progress FOR UPDATE) p \gset ignored_

CREATE TEMP TABLE replies_used ON COMMIT DROP AS
SELECT p.user_id, p.conversation_id, p.new_id AS message_id, left(m.model, 500) AS model, m.input_tokens, m.output_tokens, m.cached_tokens, m.cost,
       m.status, m.error ->> 'code' AS error_code, m.latency_ms, p.created_at
FROM placed_messages p JOIN staged_messages m ON m.source_table = p.source_table AND m.old_id = p.old_id
WHERE p.state = 'new' AND m.role = 'assistant' AND num_nonnulls(m.input_tokens, m.output_tokens, m.cost) > 0;

-- A month of many gets its partition: once the default one is large, the engine could make no more.
SELECT count(chat_private.add_usage_partition(u.month)) AS ignored
FROM (SELECT date_trunc('month', r.created_at AT TIME ZONE 'UTC')::date AS month FROM replies_used r GROUP BY 1 HAVING count(*) > 100) u \gset ignored_

INSERT INTO chat.usage_events (user_id, conversation_id, message_id, model, provider, input_tokens, output_tokens, cached_tokens, cost, is_own_key,
                               outcome, error_code, latency_ms, created_at)
SELECT r.user_id, r.conversation_id, r.message_id, r.model, v.name, r.input_tokens, r.output_tokens, r.cached_tokens, coalesce(r.cost, 0), :'own_keys',
       r.status, r.error_code, r.latency_ms, r.created_at
FROM replies_used r LEFT JOIN chat.models o ON o.name = r.model LEFT JOIN chat.providers v ON v.id = o.provider_id
ORDER BY r.created_at;

INSERT INTO counted (source_table, read, written, already_there, refused, kept_aside)
SELECT :'usage_table', count(*), count(*) FILTER (WHERE p.state = 'new'), count(*) FILTER (WHERE p.state = 'there'), count(*) FILTER (WHERE p.state = 'refused'), 0
FROM staged_messages m JOIN placed_messages p ON p.source_table = m.source_table AND p.old_id = m.old_id
WHERE m.role = 'assistant' AND num_nonnulls(m.input_tokens, m.output_tokens, m.cost) > 0;
