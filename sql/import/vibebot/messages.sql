-- VibeBot's messages. What they used is in metadata, in words that programs choose; members that are read become columns, the rest stays.
SELECT chat_private.max_message_bytes() AS max_bytes \gset
CREATE TEMP TABLE given_metadata ON COMMIT DROP AS
SELECT s.old_id, s.is_reply, s.given, nullif(s.parsed, 'null') AS metadata, CASE jsonb_typeof(s.parsed) WHEN 'object' THEN s.parsed END AS o,
  s.parsed IS NULL AS is_bad, octet_length(s.given) > :max_bytes AS is_long
FROM (SELECT m.id::text AS old_id, lower(btrim(m.role::text)) = 'assistant' AS is_reply, m.metadata::text AS given, pg_temp.as_json(m.metadata::text) AS parsed
      FROM source_message m WHERE m.metadata IS NOT NULL OFFSET 0) s;

-- A number of tokens alone is that of the reply, or of what was asked.
CREATE TEMP TABLE read_metadata ON COMMIT DROP AS
SELECT r.*, (SELECT array_agg(k.word) FROM (VALUES
    -- Only plain members that a column has whole.
    (r.input_tokens::text, 'inputTokens'), (r.input_tokens::text, 'input_tokens'), (r.input_tokens::text, 'promptTokens'), (r.input_tokens::text, 'prompt_tokens'),
    (r.output_tokens::text, 'outputTokens'), (r.output_tokens::text, 'output_tokens'), (r.output_tokens::text, 'completionTokens'), (r.output_tokens::text, 'completion_tokens'),
    (CASE WHEN r.is_reply THEN r.output_tokens ELSE r.input_tokens END::text, 'tokens'), (CASE WHEN r.cost IS NOT NULL THEN r.given_cost END, 'cost'),
    (CASE WHEN r.is_reply THEN r.latency_ms END::text, 'latencyMs'), (CASE WHEN r.is_reply THEN r.model END, 'model'), (CASE WHEN r.is_reply THEN r.finish_reason END, 'finishReason')) k (value, word)
  WHERE r.metadata ->> k.word = k.value AND jsonb_typeof(r.metadata -> k.word) IN ('number', 'string')) AS used
FROM (SELECT g.*,
        coalesce(pg_temp.as_count(coalesce(o ->> 'inputTokens', o ->> 'input_tokens', o ->> 'promptTokens', o ->> 'prompt_tokens', t ->> 'input', t ->> 'prompt',
          t ->> 'inputTokens', t ->> 'promptTokens', t ->> 'input_tokens', t ->> 'prompt_tokens')), CASE WHEN NOT g.is_reply THEN pg_temp.as_count(a.total) END) AS input_tokens,
        coalesce(pg_temp.as_count(coalesce(o ->> 'outputTokens', o ->> 'output_tokens', o ->> 'completionTokens', o ->> 'completion_tokens', t ->> 'output', t ->> 'completion',
          t ->> 'outputTokens', t ->> 'completionTokens', t ->> 'output_tokens', t ->> 'completion_tokens')), CASE WHEN g.is_reply THEN pg_temp.as_count(a.total) END) AS output_tokens,
        a.total IS NOT NULL AND pg_temp.as_count(a.total) IS NULL AS tokens_unreadable, a.cost AS given_cost, pg_temp.as_cost(a.cost) AS cost,
        pg_temp.as_count(coalesce(o ->> 'latencyMs', o ->> 'latency_ms', o ->> 'durationMs', o ->> 'duration_ms')) AS latency_ms,
        left(CASE jsonb_typeof(o -> 'model') WHEN 'string' THEN nullif(btrim(o ->> 'model'), '') END, 500) AS model,
        left(coalesce(o ->> 'finishReason', o ->> 'finish_reason', o ->> 'stopReason', o ->> 'stop_reason'), 500) AS finish_reason
      FROM given_metadata g,
      LATERAL (SELECT CASE WHEN jsonb_typeof(o -> 'tokens') = 'object' THEN o -> 'tokens' WHEN jsonb_typeof(o -> 'usage') = 'object' THEN o -> 'usage' END AS t) u,
      LATERAL (SELECT CASE WHEN jsonb_typeof(o -> 'tokens') IN ('number', 'string') THEN o ->> 'tokens' ELSE coalesce(o ->> 'tokenCount', o ->> 'token_count', o ->> 'totalTokens', o ->> 'total_tokens') END AS total,
                 CASE WHEN jsonb_typeof(o -> 'cost') = 'object' THEN coalesce(o #>> '{cost,total}', o #>> '{cost,amount}')
                      ELSE coalesce(o ->> 'cost', o ->> 'totalCost', o ->> 'total_cost', o ->> 'costUsd', o ->> 'cost_usd', t ->> 'cost') END AS cost) a
      OFFSET 0) r;
ANALYZE read_metadata;

INSERT INTO staged_messages (source_table, old_id, conversation_old_id, role, given_role, content, model, finish_reason, input_tokens, output_tokens, cost, latency_ms, metadata, created_at)
SELECT 'Message', s.id, s.conversation_id, r.role, s.role, s.content,
  -- A conversation can have gone from model to model; without a word of which it was, it is the one it has.
  CASE WHEN r.role = 'assistant' THEN coalesce(m.model, nullif(btrim(c.model), '')) END, CASE WHEN m.is_reply THEN m.finish_reason END,
  m.input_tokens, m.output_tokens, m.cost, CASE WHEN m.is_reply THEN m.latency_ms END,
  CASE WHEN m.metadata IS NULL OR m.is_long THEN '{}' WHEN jsonb_typeof(m.metadata) <> 'object' THEN jsonb_build_object('metadata', m.metadata)
       WHEN m.used IS NULL THEN m.metadata ELSE m.metadata - m.used END, s.created_at
FROM source_message s
LEFT JOIN (VALUES ('user'), ('assistant'), ('system')) r (role) ON r.role = lower(btrim(s.role::text))
LEFT JOIN source_conversation c ON c.id = s.conversation_id
LEFT JOIN read_metadata m ON m.old_id = s.id::text;
\ir ../common/messages.sql

-- Who wrote in a conversation of somebody else.
UPDATE chat.messages m SET author_id = u.new_id
FROM source_message s
JOIN source_conversation c ON c.id = s.conversation_id AND c.user_id <> s.user_id
JOIN placed_messages p ON p.source_table = 'Message' AND p.old_id = s.id::text AND p.state = 'new'
JOIN staged_users u ON u.old_id = s.user_id::text AND u.state <> 'refused'
WHERE lower(btrim(s.role::text)) = 'user' AND u.new_id <> p.user_id AND m.user_id = p.user_id AND m.id = p.new_id;

INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT 'Message', p.old_id, p.user_id, f.kind, f.reason, f.details
FROM source_message s
JOIN placed_messages p ON p.source_table = 'Message' AND p.old_id = s.id::text AND p.state = 'new'
LEFT JOIN read_metadata m ON m.old_id = s.id::text
LEFT JOIN staged_users u ON u.old_id = s.user_id::text AND u.state <> 'refused',
LATERAL (VALUES
  (s.user_id IS NOT NULL AND u.old_id IS NULL, 'changed', 'author_missing', jsonb_build_object('user', left(s.user_id::text, 300))),
  (m.is_bad, 'kept_aside', 'json_invalid', jsonb_build_object('metadata', left(m.given, 100000))),
  (m.is_long, 'kept_aside', 'metadata_too_long', jsonb_build_object('metadata', m.metadata)),
  (jsonb_typeof(m.metadata) <> 'object', 'changed', 'metadata_no_object', '{}'),
  (m.tokens_unreadable, 'changed', 'tokens_unreadable', jsonb_build_object('metadata', m.metadata)),
  (m.given_cost IS NOT NULL AND m.cost IS NULL, 'changed', 'cost_unreadable', jsonb_build_object('cost', left(m.given_cost, 300)))
) f (applies, kind, reason, details)
-- Most have nothing to be found.
WHERE (s.user_id IS NOT NULL AND u.old_id IS NULL OR m.is_bad OR m.is_long OR jsonb_typeof(m.metadata) <> 'object' OR m.tokens_unreadable
       OR m.given_cost IS NOT NULL AND m.cost IS NULL) AND f.applies;
