-- Writes usage and audit log, for which the engine waits that writes them otherwise: last, when nothing is asked of it any more.

-- Held until the end, so that nothing is rolled up past events which are not there yet.
INSERT INTO chat_private.usage_progress (rolled_up_to)
SELECT 0 WHERE EXISTS (SELECT FROM calls) AND NOT EXISTS (SELECT FROM chat_private.usage_progress) ON CONFLICT DO NOTHING;
SELECT FROM chat_private.usage_progress p FOR UPDATE \g /dev/null
SELECT chat_private.add_usage_partition(m.month_start)
FROM (SELECT DISTINCT date_trunc('month', l.created_at AT TIME ZONE 'UTC')::date AS month_start FROM calls l) m ORDER BY m.month_start \g /dev/null
INSERT INTO chat.usage_events (user_id, request_id, deliberation_id, model, provider, output_tokens, cost, is_estimated, outcome, created_at)
SELECT l.user_id, l.id, l.deliberation_id, l.model, p.name,
  -- The sum is as it was; how it divides into prompt and reply is not known.
  l.tokens, l.cost, true, 'complete', l.created_at
FROM calls l LEFT JOIN chat.models m ON m.name = l.model LEFT JOIN chat.providers p ON p.id = m.provider_id
WHERE l.cost <> 0 OR l.tokens <> 0 OR l.kind <> 'imported' ORDER BY l.created_at;

-- The chain of the audit log goes on with rows that have the time and the origin of then; their order says when they were written.
CREATE OR REPLACE FUNCTION pg_temp.next_audit_hash(prev_hash bytea, first_hash bytea, new_row chat.audit_log) RETURNS bytea
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN chat_private.audit_hash(coalesce(prev_hash, first_hash), new_row.id, new_row.created_at, new_row.user_id, new_row.action, new_row.resource,
                                 new_row.details, new_row.outcome, new_row.transaction_id, new_row.origin_hash);
END
$$;
CREATE OR REPLACE AGGREGATE pg_temp.audit_chain(first_hash bytea, new_row chat.audit_log) (SFUNC = pg_temp.next_audit_hash, STYPE = bytea);

SELECT h.last_id AS head_id FROM chat_private.audit_head h ORDER BY h.last_id DESC LIMIT 1 FOR UPDATE \gset
INSERT INTO chat.audit_log
WITH links AS (
  SELECT ROW(h.last_id + row_number() OVER (ORDER BY s.created_at, length(s.old_id), s.old_id COLLATE "C"), s.created_at, s.user_id, left(s.action, 100),
      left(coalesce(s.resource_here, s.resource_type || coalesce(':' || s.resource_id, '')), 500),
      CASE coalesce(jsonb_typeof(s.details), 'null') WHEN 'object' THEN s.details WHEN 'null' THEN '{}' ELSE jsonb_build_object('details', s.details) END
        || jsonb_build_object('imported', jsonb_build_object('system', :'system', 'id', s.old_id, 'resource_type', s.resource_type, 'resource_id', s.resource_id)),
      'success', s.ip_address, left(s.user_agent, 512), NULL, s.salt, chat_private.audit_origin_hash(s.salt, s.ip_address, left(s.user_agent, 512)), NULL, NULL)::chat.audit_log AS entry,
    h.last_hash
  FROM (SELECT a.*, uuid_send(gen_random_uuid()) AS salt FROM staged_audit a WHERE a.state = 'new' OFFSET 0) s
  CROSS JOIN (SELECT x.last_id, x.last_hash FROM chat_private.audit_head x WHERE x.last_id = :head_id LIMIT 1) h
), chain AS (
  SELECT l.*, pg_temp.audit_chain(l.last_hash, l.entry) OVER (ORDER BY (l.entry).id ROWS UNBOUNDED PRECEDING) AS hash FROM links l
)
SELECT (c.entry).id, (c.entry).created_at, (c.entry).user_id, (c.entry).action, (c.entry).resource, (c.entry).details, (c.entry).outcome, (c.entry).ip_address,
  (c.entry).user_agent, (c.entry).transaction_id, (c.entry).origin_salt, (c.entry).origin_hash, lag(c.hash, 1, c.last_hash) OVER (ORDER BY (c.entry).id), c.hash
FROM chain c;
UPDATE chat_private.audit_head h SET last_id = a.id, last_hash = a.hash
FROM (SELECT x.id, x.hash FROM chat.audit_log x WHERE x.id > :head_id ORDER BY x.id DESC LIMIT 1) a WHERE h.last_id = :head_id;
-- Rows of the audit log have a number.
INSERT INTO chat.import_map (user_id, system, source_table, old_id, new_id)
SELECT coalesce(a.user_id, '00000000-0000-0000-0000-000000000000'), :'system', 'audit_log', a.details #>> '{imported,id}',
       ('00000000-0000-0000-0000-' || lpad(to_hex(a.id), 12, '0'))::uuid
FROM chat.audit_log a WHERE a.id > :head_id;
