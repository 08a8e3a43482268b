-- VibeBot's messages. What they used is in metadata, in words that programs choose; members that are read become columns, the rest stays.
SELECT chat_private.max_message_bytes() AS max_bytes \gset
CREATE TEMP TABLE given_messages ON COMMIT DROP AS
SELECT m.old_id, m.conversation_old_id, m.author_old_id, lower(btrim(m.given_role)) AS role, m.given_role, m.content, m.created_at, m.metadata_text,
  nullif(m.parsed, 'null') AS metadata, m.metadata_text IS NOT NULL AND m.parsed IS NULL AS metadata_is_bad, coalesce(octet_length(m.metadata_text) > :max_bytes, false) AS metadata_is_long
FROM (SELECT s.id::text AS old_id, s.conversation_id::text AS conversation_old_id, s.user_id::text AS author_old_id, s.role::text AS given_role, s.content,
        s.created_at::timestamptz AS created_at, s.metadata::text AS metadata_text, pg_temp.as_json(s.metadata::text) AS parsed FROM source_message s OFFSET 0) m;

-- One word alone counts where the tokens are: those of the reply, or of what was asked.
CREATE TEMP TABLE read_metadata ON COMMIT DROP AS
SELECT g.old_id, g.role, g.metadata,
  coalesce(pg_temp.as_count(coalesce(o ->> 'inputTokens', o ->> 'input_tokens', o ->> 'promptTokens', o ->> 'prompt_tokens', t ->> 'input', t ->> 'prompt',
    t ->> 'inputTokens', t ->> 'promptTokens', t ->> 'input_tokens', t ->> 'prompt_tokens')), CASE WHEN g.role <> 'assistant' THEN pg_temp.as_count(a.total) END) AS input_tokens,
  coalesce(pg_temp.as_count(coalesce(o ->> 'outputTokens', o ->> 'output_tokens', o ->> 'completionTokens', o ->> 'completion_tokens', t ->> 'output', t ->> 'completion',
    t ->> 'outputTokens', t ->> 'completionTokens', t ->> 'output_tokens', t ->> 'completion_tokens')), CASE WHEN g.role = 'assistant' THEN pg_temp.as_count(a.total) END) AS output_tokens,
  a.total IS NOT NULL AND pg_temp.as_count(a.total) IS NULL AS tokens_unreadable,
  a.cost AS given_cost, pg_temp.as_cost(a.cost) AS cost, pg_temp.as_count(coalesce(o ->> 'latencyMs', o ->> 'latency_ms', o ->> 'durationMs', o ->> 'duration_ms')) AS latency_ms,
  left(CASE jsonb_typeof(o -> 'model') WHEN 'string' THEN nullif(btrim(o ->> 'model'), '') END, 500) AS model,
  left(coalesce(o ->> 'finishReason', o ->> 'finish_reason', o ->> 'stopReason', o ->> 'stop_reason'), 500) AS finish_reason
FROM given_messages g,
LATERAL (SELECT CASE jsonb_typeof(g.metadata) WHEN 'object' THEN g.metadata END AS o) j,
LATERAL (SELECT CASE WHEN jsonb_typeof(o -> 'tokens') = 'object' THEN o -> 'tokens' WHEN jsonb_typeof(o -> 'usage') = 'object' THEN o -> 'usage' END AS t) u,
LATERAL (SELECT CASE WHEN jsonb_typeof(o -> 'tokens') IN ('number', 'string') THEN o ->> 'tokens' ELSE coalesce(o ->> 'tokenCount', o ->> 'token_count', o ->> 'totalTokens', o ->> 'total_tokens') END AS total,
           CASE WHEN jsonb_typeof(o -> 'cost') = 'object' THEN coalesce(o #>> '{cost,total}', o #>> '{cost,amount}')
                ELSE coalesce(o ->> 'cost', o ->> 'totalCost', o ->> 'total_cost', o ->> 'costUsd', o ->> 'cost_usd', t ->> 'cost') END AS cost) a
WHERE g.metadata IS NOT NULL;
ANALYZE read_metadata;

INSERT INTO staged_messages (source_table, old_id, conversation_old_id, role, given_role, content, model, finish_reason, input_tokens, output_tokens, cost, latency_ms, metadata, created_at)
SELECT 'Message', g.old_id, g.conversation_old_id, r.role, g.given_role, g.content,
  -- A conversation can have gone from model to model; without a word of which it was, it is the one it has.
  CASE WHEN g.role = 'assistant' THEN coalesce(m.model, nullif(btrim(c.model), '')) END, CASE WHEN g.role = 'assistant' THEN m.finish_reason END,
  m.input_tokens, m.output_tokens, m.cost, CASE WHEN g.role = 'assistant' THEN m.latency_ms END,
  CASE WHEN m.metadata IS NULL OR g.metadata_is_long THEN '{}'
       WHEN jsonb_typeof(m.metadata) = 'object' THEN m.metadata - coalesce(w.used, '{}')
       ELSE jsonb_build_object('metadata', m.metadata) END, g.created_at
FROM given_messages g
LEFT JOIN (VALUES ('user'), ('assistant'), ('system')) r (role) ON r.role = g.role
LEFT JOIN source_conversation c ON c.id::text = g.conversation_old_id
LEFT JOIN read_metadata m ON m.old_id = g.old_id
-- Only plain members that a column has whole.
LEFT JOIN LATERAL (SELECT array_agg(k.word) AS used FROM (VALUES
    (m.input_tokens::text, 'inputTokens'), (m.input_tokens::text, 'input_tokens'), (m.input_tokens::text, 'promptTokens'), (m.input_tokens::text, 'prompt_tokens'),
    (m.output_tokens::text, 'outputTokens'), (m.output_tokens::text, 'output_tokens'), (m.output_tokens::text, 'completionTokens'), (m.output_tokens::text, 'completion_tokens'),
    (CASE WHEN g.role = 'assistant' THEN m.output_tokens ELSE m.input_tokens END::text, 'tokens'), (CASE WHEN m.cost IS NOT NULL THEN m.given_cost END, 'cost'),
    (CASE WHEN g.role = 'assistant' THEN m.latency_ms END::text, 'latencyMs'), (CASE WHEN g.role = 'assistant' THEN m.model END, 'model'),
    (CASE WHEN g.role = 'assistant' THEN m.finish_reason END, 'finishReason')) k (value, word)
  WHERE jsonb_typeof(m.metadata -> k.word) IN ('number', 'string') AND m.metadata ->> k.word = k.value) w ON jsonb_typeof(m.metadata) = 'object';
\ir ../common/messages.sql

-- Who wrote in a conversation of somebody else.
UPDATE chat.messages m SET author_id = u.new_id
FROM given_messages g
JOIN placed_messages p ON p.source_table = 'Message' AND p.old_id = g.old_id AND p.state = 'new'
JOIN staged_users u ON u.old_id = g.author_old_id AND u.state <> 'refused'
WHERE g.role = 'user' AND u.new_id <> p.user_id AND m.user_id = p.user_id AND m.id = p.new_id;

INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT 'Message', p.old_id, p.user_id, f.kind, f.reason, f.details
FROM given_messages g
JOIN placed_messages p ON p.source_table = 'Message' AND p.old_id = g.old_id AND p.state = 'new'
LEFT JOIN read_metadata m ON m.old_id = g.old_id
LEFT JOIN staged_users u ON u.old_id = g.author_old_id AND u.state <> 'refused',
LATERAL (VALUES
  (g.author_old_id IS NOT NULL AND u.old_id IS NULL, 'changed', 'author_missing', jsonb_build_object('user', left(g.author_old_id, 300))),
  (g.metadata_is_bad, 'kept_aside', 'json_invalid', jsonb_build_object('metadata', left(g.metadata_text, 100000))),
  (g.metadata_is_long, 'kept_aside', 'metadata_too_long', jsonb_build_object('metadata', g.metadata)),
  (jsonb_typeof(g.metadata) <> 'object', 'changed', 'metadata_no_object', '{}'),
  (m.tokens_unreadable, 'changed', 'tokens_unreadable', jsonb_build_object('metadata', g.metadata)),
  (m.given_cost IS NOT NULL AND m.cost IS NULL, 'changed', 'cost_unreadable', jsonb_build_object('cost', left(m.given_cost, 300)))
) f (applies, kind, reason, details)
-- Most have nothing to be found.
WHERE (g.author_old_id IS NOT NULL AND u.old_id IS NULL OR g.metadata_is_bad OR g.metadata_is_long OR jsonb_typeof(g.metadata) <> 'object' OR m.tokens_unreadable
       OR m.given_cost IS NOT NULL AND m.cost IS NULL) AND f.applies;
