-- Writes staged_messages: those of a conversation become one branch in the order of (created_at, old id), whose end is its active leaf. A
-- bad one is left out, and the branch goes on without it. What came to a conversation since an earlier run follows what that brought;
-- where people have gone on here meanwhile, that is a branch beside theirs, and the active one stays.
--
-- All get new ids: searches and the order of siblings rest on ids that grow with time, which those of other systems do not.
ANALYZE staged_messages;
CREATE TEMP TABLE placed_messages ON COMMIT DROP AS
SELECT o.*, coalesce(o.there_id, CASE WHEN o.state = 'new' THEN chat.uuid_v7() END) AS new_id
FROM (SELECT t.*, CASE WHEN t.there_id IS NOT NULL THEN 'there' WHEN t.reason IS NULL THEN 'new' ELSE 'refused' END AS state
FROM (SELECT m.source_table, m.old_id, CASE WHEN c.state <> 'refused' THEN c.user_id END AS user_id, c.new_id AS conversation_id,
        c.state AS conversation_state, p.new_id AS there_id, m.created_at IS NULL OR NOT isfinite(m.created_at) AS has_no_time,
        CASE WHEN isfinite(m.created_at) AND m.created_at NOT BETWEEN '1970-01-01 00:00+00' AND now() OR isfinite(m.updated_at) AND m.updated_at NOT BETWEEN '1970-01-01 00:00+00' AND now()
             THEN pg_temp.time_problem(m.created_at, m.updated_at) END AS time_problem,
        -- One without a time comes after those with smaller ids.
        chat_private.time_within(coalesce(CASE WHEN isfinite(m.created_at) THEN m.created_at END,
          max(m.created_at) FILTER (WHERE isfinite(m.created_at)) OVER (PARTITION BY m.conversation_old_id
            ORDER BY length(m.old_id), m.old_id COLLATE "C" ROWS UNBOUNDED PRECEDING), c.created_at), now(), now()) AS created_at,
        CASE WHEN c.old_id IS NULL THEN 'conversation_missing'
             WHEN c.reason = 'owner_refused' THEN 'owner_refused'
             WHEN c.state = 'refused' THEN 'conversation_refused'
             WHEN c.user_id IS NULL THEN 'conversation_gone'
             WHEN m.role IS NULL THEN 'role_unknown'
             WHEN coalesce(m.content, '') = '' AND NOT m.can_be_empty AND m.status = 'complete' AND m.tool_calls IS NULL THEN 'content_empty'
             WHEN greatest(octet_length(m.content), octet_length(m.thinking)) > chat_private.max_message_bytes() THEN 'content_too_long' END AS reason
      FROM staged_messages m
      LEFT JOIN staged_conversations c ON c.old_id = m.conversation_old_id
      LEFT JOIN chat.import_map p ON p.system = :'system' AND p.source_table = m.source_table AND p.old_id = m.old_id) t
      -- Ids grow in this order.
      ORDER BY t.user_id, t.created_at, length(t.old_id), t.old_id COLLATE "C" OFFSET 0) o;
ANALYZE placed_messages;

-- What earlier runs brought of conversations that were there.
CREATE TEMP TABLE earlier_ends ON COMMIT DROP AS
SELECT DISTINCT ON (m.user_id, m.conversation_id) m.user_id, m.conversation_id, m.id
FROM placed_messages p JOIN chat.messages m ON m.user_id = p.user_id AND m.id = p.new_id
WHERE p.state = 'there' AND p.conversation_state = 'there'
ORDER BY m.user_id, m.conversation_id, m.id DESC;

INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT m.source_table, m.old_id, p.user_id, f.kind, f.reason, f.details
FROM staged_messages m JOIN placed_messages p ON p.source_table = m.source_table AND p.old_id = m.old_id
  -- Most have nothing to be found.
  AND (p.state = 'refused' OR p.state = 'new' AND (m.content_hash IS NOT NULL OR p.has_no_time OR p.time_problem IS NOT NULL OR char_length(m.model) > 500)),
LATERAL (VALUES
  (p.state = 'refused', 'refused', p.reason, jsonb_strip_nulls(jsonb_build_object('conversation', m.conversation_old_id,
   'role', CASE WHEN p.reason = 'role_unknown' THEN left(m.given_role, 300) END, 'bytes', CASE WHEN p.reason = 'content_too_long' THEN octet_length(m.content) END))),
  (p.state = 'new' AND m.content_hash IS NOT NULL AND regexp_replace(lower(btrim(m.content_hash)), '^\\x', '') <> encode(chat.content_hash(coalesce(m.content, '')), 'hex'), 'changed',
   'hash_differs', jsonb_build_object('there', left(m.content_hash, 200), 'here', encode(chat.content_hash(coalesce(m.content, '')), 'hex'))),
  (p.state = 'new' AND p.has_no_time, 'changed', 'time_missing', jsonb_build_object('became', p.created_at)),
  (p.state = 'new' AND p.time_problem IS NOT NULL, 'changed', p.time_problem, jsonb_strip_nulls(jsonb_build_object('created_at', m.created_at, 'updated_at', m.updated_at))),
  (p.state = 'new' AND char_length(m.model) > 500, 'changed', 'model_cut', jsonb_build_object('model', left(m.model, 100000)))
) f (applies, kind, reason, details)
WHERE f.applies;

INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, status, content, content_hash, thinking, tool_calls, tool_call_id, model,
  finish_reason, error, input_tokens, output_tokens, cached_tokens, cost, latency_ms, metadata, created_at, updated_at)
SELECT p.user_id, p.new_id, p.conversation_id, p.parent_id, m.role, m.status, coalesce(m.content, ''), chat.content_hash(coalesce(m.content, '')),
  m.thinking, m.tool_calls, m.tool_call_id, left(m.model, 500), m.finish_reason, m.error, m.input_tokens, m.output_tokens, m.cached_tokens, m.cost,
  m.latency_ms, m.metadata, p.created_at, chat_private.time_within(m.updated_at, now(), p.created_at)
FROM (SELECT n.*, coalesce(lag(n.new_id) OVER (PARTITION BY n.user_id, n.conversation_id ORDER BY n.new_id), e.id) AS parent_id
      FROM placed_messages n LEFT JOIN earlier_ends e ON e.user_id = n.user_id AND e.conversation_id = n.conversation_id
      WHERE n.state = 'new') p
JOIN staged_messages m ON m.source_table = p.source_table AND m.old_id = p.old_id
ORDER BY p.new_id;

UPDATE chat.conversations c SET
  active_leaf_id = CASE WHEN c.active_leaf_id IS NULL OR c.active_leaf_id = e.id THEN l.last_id ELSE c.active_leaf_id END,
  last_message_at = CASE WHEN l.keeps_time THEN c.last_message_at ELSE greatest(c.last_message_at, l.last_at) END,
  last_reply_at = greatest(c.last_reply_at, l.last_reply_at)
FROM (SELECT p.user_id, p.conversation_id, (array_agg(p.new_id ORDER BY p.new_id DESC))[1] AS last_id, max(p.created_at) AS last_at,
        max(p.created_at) FILTER (WHERE m.role = 'assistant') AS last_reply_at, bool_or(s.state = 'new' AND s.last_message_at IS NOT NULL) AS keeps_time
      FROM placed_messages p
      JOIN staged_messages m ON m.source_table = p.source_table AND m.old_id = p.old_id
      JOIN staged_conversations s ON s.old_id = m.conversation_old_id
      WHERE p.state = 'new' GROUP BY p.user_id, p.conversation_id) l
LEFT JOIN earlier_ends e ON e.user_id = l.user_id AND e.conversation_id = l.conversation_id
WHERE c.user_id = l.user_id AND c.id = l.conversation_id;

INSERT INTO chat.import_map (user_id, system, source_table, old_id, new_id)
SELECT p.user_id, :'system', p.source_table, p.old_id, p.new_id FROM placed_messages p WHERE p.state = 'new';

INSERT INTO counted (source_table, read, written, already_there, refused, kept_aside)
SELECT s.source_table, count(*), count(*) FILTER (WHERE s.state = 'new'), count(*) FILTER (WHERE s.state = 'there'),
       count(*) FILTER (WHERE s.state = 'refused'), 0 FROM placed_messages s GROUP BY s.source_table;
