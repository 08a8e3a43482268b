-- Rolling usage events up, and keeping their table in partitions of a month. The engine calls these now and then.

CREATE OR REPLACE FUNCTION chat_private.roll_up_usage(max_events integer) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  from_seq bigint;
  to_seq bigint;
  counted integer;
BEGIN
  INSERT INTO chat_private.usage_progress (rolled_up_to) SELECT 0
  WHERE NOT EXISTS (SELECT FROM chat_private.usage_progress) AND EXISTS (SELECT FROM chat.usage_events) ON CONFLICT DO NOTHING;
  -- Whoever removes an account has the row locked.
  SELECT p.rolled_up_to INTO from_seq FROM chat_private.usage_progress p FOR UPDATE SKIP LOCKED;
  SELECT max(t.seq), count(*) INTO to_seq, counted
  FROM (SELECT e.seq FROM chat.usage_events e WHERE e.seq > from_seq ORDER BY e.seq LIMIT roll_up_usage.max_events) t;
  IF counted = 0 THEN
    RETURN 0;
  END IF;
  -- Summed as far as all need it first, as most events of a batch are alike in this.
  WITH taken AS MATERIALIZED (
    SELECT e.user_id, chat_private.utc_day(e.created_at) AS day, coalesce(e.model, '') AS model, coalesce(e.provider, '') AS provider,
           e.outcome, e.error_code, count(*) AS attempts, count(*) FILTER (WHERE e.outcome <> 'complete') AS failed,
           count(*) FILTER (WHERE e.is_estimated) AS estimated, coalesce(sum(e.input_tokens), 0) AS input_tokens,
           coalesce(sum(e.output_tokens), 0) AS output_tokens, coalesce(sum(e.cached_tokens), 0) AS cached_tokens,
           coalesce(sum(e.cost), 0) AS cost, coalesce(sum(e.cost) FILTER (WHERE e.is_own_key), 0) AS own_key_cost
    FROM chat.usage_events e WHERE e.seq > from_seq AND e.seq <= to_seq
    GROUP BY 1, 2, 3, 4, 5, 6
  ), by_user AS (
    INSERT INTO chat.usage_rollups AS r
    SELECT t.user_id, t.day, t.model, t.provider, sum(t.attempts), sum(t.failed), sum(t.estimated), sum(t.input_tokens),
           sum(t.output_tokens), sum(t.cached_tokens), sum(t.cost), sum(t.own_key_cost)
    FROM taken t GROUP BY t.user_id, t.day, t.model, t.provider
    ORDER BY t.user_id, t.day
    ON CONFLICT (user_id, day, model, provider) DO UPDATE SET attempts = r.attempts + excluded.attempts,
      failed = r.failed + excluded.failed, estimated = r.estimated + excluded.estimated,
      input_tokens = r.input_tokens + excluded.input_tokens, output_tokens = r.output_tokens + excluded.output_tokens,
      cached_tokens = r.cached_tokens + excluded.cached_tokens, cost = r.cost + excluded.cost,
      own_key_cost = r.own_key_cost + excluded.own_key_cost
  ), total AS (
    INSERT INTO chat_private.usage_totals AS r
    SELECT k.kind, t.day, k.key, sum(t.attempts), sum(t.failed), sum(t.estimated), sum(t.input_tokens), sum(t.output_tokens),
           sum(t.cached_tokens), sum(t.cost), sum(t.own_key_cost)
    FROM taken t, LATERAL (VALUES ('all', ''), ('user', t.user_id::text), ('model', t.model), ('provider', t.provider),
                                  ('outcome', t.outcome), ('error', t.error_code)) k (kind, key)
    WHERE k.key IS NOT NULL
    GROUP BY k.kind, t.day, k.key
    -- So that reports find the rows of a day on the same pages, also after a large batch.
    ORDER BY k.kind, t.day
    ON CONFLICT (kind, day, key) DO UPDATE SET attempts = r.attempts + excluded.attempts, failed = r.failed + excluded.failed,
      estimated = r.estimated + excluded.estimated, input_tokens = r.input_tokens + excluded.input_tokens,
      output_tokens = r.output_tokens + excluded.output_tokens, cached_tokens = r.cached_tokens + excluded.cached_tokens,
      cost = r.cost + excluded.cost, own_key_cost = r.own_key_cost + excluded.own_key_cost
  )
  UPDATE chat_private.usage_progress SET rolled_up_to = to_seq;
  RETURN counted;
END
$$;
COMMENT ON FUNCTION chat_private.roll_up_usage(integer) IS
'Adds the next usage events, at most so many, to the sums. Returns how many; 0 also where somebody is changing the sums. Right
only because events are committed in the order of their seq: by the engine, one transaction after the other.';

CREATE OR REPLACE FUNCTION chat_private.add_usage_partition(month_start date) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  -- More than can be moved quickly stays where it is.
  most_bytes CONSTANT bigint := 16777216;
  name CONSTANT text := 'usage_events_' || to_char(add_usage_partition.month_start, 'YYYY_MM');
  lower_bound CONSTANT timestamptz := add_usage_partition.month_start::timestamp AT TIME ZONE 'UTC';
  upper_bound CONSTANT timestamptz := (add_usage_partition.month_start + interval '1 month') AT TIME ZONE 'UTC';
BEGIN
  IF to_regclass(format('chat_private.%I', name)) IS NOT NULL
     OR pg_relation_size('chat_private.usage_events_default') > most_bytes THEN
    RETURN false;
  END IF;
  -- Who has begun to read knows the partitions already, and would look for the moved events only where they are no more.
  -- They hold the table itself, too; what else is done to an old partition is no reason to wait.
  LOCK TABLE ONLY chat.usage_events IN ACCESS EXCLUSIVE MODE;
  EXECUTE format('CREATE TABLE chat_private.%I (LIKE chat_private.usage_events_default INCLUDING ALL)', name);
  EXECUTE format('WITH moved AS (DELETE FROM chat_private.usage_events_default e WHERE e.created_at >= %L AND e.created_at < %L '
                 'RETURNING e.*) INSERT INTO chat_private.%I SELECT m.* FROM moved m', lower_bound, upper_bound, name);
  EXECUTE format('COMMENT ON TABLE chat_private.%I IS %L', name, 'Usage events of ' || to_char(add_usage_partition.month_start, 'YYYY-MM') || ', in UTC');
  EXECUTE format('ALTER TABLE chat_private.%I ENABLE ROW LEVEL SECURITY', name);
  EXECUTE format('ALTER TABLE chat_private.%I FORCE ROW LEVEL SECURITY', name);
  EXECUTE format('ALTER TABLE chat.usage_events ATTACH PARTITION chat_private.%I FOR VALUES FROM (%L) TO (%L)',
                 name, lower_bound, upper_bound);
  RETURN true;
END
$$;
COMMENT ON FUNCTION chat_private.add_usage_partition(date) IS
'Makes the partition of chat.usage_events for the month that begins on this day, and moves what the default partition has of
that month. False: it is there, or the default partition is too large to be read meanwhile, and keeps those events.
Errors: 55P03 somebody holds a lock on the table; nothing is done then.';

CREATE OR REPLACE FUNCTION chat_private.prepare_usage_partitions() RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  this_month CONSTANT date := date_trunc('month', chat_private.utc_day(clock_timestamp()))::date;
BEGIN
  -- Not in an empty table: a dump that is being restored brings its own.
  IF pg_sequence_last_value('chat_private.usage_seq') IS NULL THEN
    RETURN false;
  END IF;
  PERFORM chat_private.add_usage_partition(this_month);
  PERFORM chat_private.add_usage_partition((this_month + interval '1 month')::date);
  RETURN true;
END
$$;
COMMENT ON FUNCTION chat_private.prepare_usage_partitions() IS
'Makes the partitions for the events of this month and the next, where they are missing. False: there has been no event yet.
Errors: 55P03 as chat_private.add_usage_partition.';

CREATE OR REPLACE FUNCTION chat_private.drop_old_usage(max_rows integer) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  months CONSTANT text := chat_private.setting_text('usage_retention');
  oldest date;
  partition text;
  removed integer := 0;
  previous chat_private.identity;
  is_pending boolean;
BEGIN
  IF months IS NULL THEN
    RETURN 0;
  END IF;
  oldest := (date_trunc('month', chat_private.utc_day(clock_timestamp())) - make_interval(months => months::integer))::date;
  previous := chat_private.enter_gate();
  is_pending := EXISTS (SELECT FROM chat.usage_events e WHERE e.seq > chat_private.usage_watermark()
                          AND e.created_at < oldest::timestamp AT TIME ZONE 'UTC');
  PERFORM chat_private.switch_identity(previous);
  IF is_pending THEN
    RETURN 0;
  END IF;
  FOR partition IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'chat.usage_events'::regclass AND c.relname ~ '^usage_events_[0-9]{4}_[0-9]{2}$'
      AND c.relname < 'usage_events_' || to_char(oldest, 'YYYY_MM') ORDER BY c.relname
  LOOP
    EXECUTE format('DROP TABLE chat_private.%I', partition);
    removed := removed + 1;
  END LOOP;
  DELETE FROM chat_private.usage_events_default e WHERE e.ctid = ANY (ARRAY(
    SELECT o.ctid FROM chat_private.usage_events_default o
    WHERE o.created_at < oldest::timestamp AT TIME ZONE 'UTC'
    LIMIT drop_old_usage.max_rows));
  RETURN removed;
END
$$;
COMMENT ON FUNCTION chat_private.drop_old_usage(integer) IS
'Drops the partitions of chat.usage_events that the setting usage_retention no longer keeps, and so many rows of the default one;
returns how many partitions. Does nothing while some of these events are not rolled up.
Errors: 55P03 somebody holds a lock on the table; nothing is done then.';
