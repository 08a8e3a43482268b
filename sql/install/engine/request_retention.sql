-- How long what was asked with chat.llm_submit is kept once it has ended: prompt and answer, which nothing else removes.

CREATE OR REPLACE FUNCTION chat_private.prune_requests(max_rows integer) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  oldest CONSTANT timestamptz := clock_timestamp() - chat_private.setting_text('request_retention')::interval;
  pruned integer;
BEGIN
  IF oldest IS NULL THEN
    RETURN 0;
  END IF;
  -- Found by when they were made, of which the index costs no update anything.
  DELETE FROM chat_private.llm_requests q WHERE q.ctid = ANY (ARRAY(
    SELECT o.ctid FROM chat_private.llm_requests o
    WHERE o.message_id IS NULL AND o.purpose IS NULL AND o.created_at < oldest
      AND o.finished_at < oldest AND o.state NOT IN ('waiting', 'queued', 'running')
    ORDER BY o.created_at LIMIT prune_requests.max_rows FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS pruned = ROW_COUNT;
  RETURN pruned;
END
$$;
COMMENT ON FUNCTION chat_private.prune_requests(integer) IS
'Removes requests of chat.llm_submit that ended longer ago than the setting request_retention says, from the oldest on and at most so many.
For the engine; returns how many.';
