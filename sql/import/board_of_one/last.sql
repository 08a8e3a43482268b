-- Writes usage and audit log, for which the engine waits that writes them otherwise: last, when nothing is asked of it any more.

-- Held until the end, so that nothing is rolled up past events which are not there yet.
INSERT INTO chat_private.usage_progress (rolled_up_to)
SELECT 0 WHERE EXISTS (SELECT FROM calls) AND NOT EXISTS (SELECT FROM chat_private.usage_progress) ON CONFLICT DO NOTHING;
SELECT FROM chat_private.usage_progress p FOR UPDATE \g /dev/null
SELECT chat_private.add_usage_partition(m.month_start)
FROM (SELECT DISTINCT date_trunc('month', l.created_at AT TIME ZONE 'UTC')::date AS month_start FROM calls l) m ORDER BY m.month_start \g /dev/null
INSERT INTO chat.usage_events (user_id, request_id, deliberation_id, model, provider, output_tokens, cost, is_estimated, outcome, created_at)
SELECT l.user_id, l.id, l.deliberation_id, l.model, (SELECT p.name FROM chat.models m JOIN chat.providers p ON p.id = m.provider_id WHERE m.name = l.model),
  -- The sum is as it was; how it divides into prompt and reply is not known.
  l.tokens, l.cost, true, 'complete', l.created_at
FROM calls l WHERE l.cost <> 0 OR l.tokens <> 0 OR l.kind <> 'imported' ORDER BY l.created_at;

-- The chain of the audit log goes on with rows that have the time and the origin of then; their order says when they were written.
CREATE OR REPLACE FUNCTION pg_temp.append_imported_audit(system text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  head chat_private.audit_head;
  entry record;
  new_row chat.audit_log;
BEGIN
  SELECT h.* INTO head FROM chat_private.audit_head h ORDER BY h.last_id DESC LIMIT 1 FOR UPDATE;
  new_row.id := head.last_id;
  new_row.hash := head.last_hash;
  FOR entry IN
    SELECT s.*, CASE coalesce(jsonb_typeof(s.details), 'null') WHEN 'object' THEN s.details WHEN 'null' THEN '{}' ELSE jsonb_build_object('details', s.details) END AS told
    FROM pg_temp.staged_audit s WHERE s.state = 'new' ORDER BY s.created_at, length(s.old_id), s.old_id COLLATE "C"
  LOOP
    new_row := ROW(new_row.id + 1, entry.created_at, entry.user_id, left(entry.action, 100),
      left(coalesce(entry.resource_here, entry.resource_type || coalesce(':' || entry.resource_id, '')), 500),
      entry.told || jsonb_build_object('imported', jsonb_build_object('system', system, 'id', entry.old_id, 'resource_type', entry.resource_type, 'resource_id', entry.resource_id)),
      'success', entry.ip_address, left(entry.user_agent, 512), NULL, uuid_send(gen_random_uuid()), NULL, new_row.hash, NULL);
    new_row.origin_hash := chat_private.audit_origin_hash(new_row.origin_salt, new_row.ip_address, new_row.user_agent);
    new_row.hash := chat_private.audit_hash(new_row.prev_hash, new_row.id, new_row.created_at, new_row.user_id, new_row.action, new_row.resource, new_row.details,
      new_row.outcome, new_row.transaction_id, new_row.origin_hash);
    INSERT INTO chat.audit_log VALUES (new_row.*);
  END LOOP;
  -- Rows of the audit log have a number.
  INSERT INTO chat.import_map (user_id, system, source_table, old_id, new_id)
  SELECT coalesce(a.user_id, '00000000-0000-0000-0000-000000000000'), system, 'audit_log', a.details #>> '{imported,id}',
         ('00000000-0000-0000-0000-' || lpad(to_hex(a.id), 12, '0'))::uuid
  FROM chat.audit_log a WHERE a.id > head.last_id;
  UPDATE chat_private.audit_head h SET last_id = new_row.id, last_hash = new_row.hash WHERE h.last_id = head.last_id;
END
$$;
SELECT pg_temp.append_imported_audit(:'system') \g /dev/null
