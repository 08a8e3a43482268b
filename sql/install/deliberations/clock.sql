-- The clock of a deliberation: how long it has been active. It stands while the deliberation is paused, and while no engine serves it.

CREATE OR REPLACE FUNCTION chat_private.active_ms_of(d chat.deliberations) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN d.active_ms + greatest(0, coalesce(extract(epoch FROM clock_timestamp() - d.active_since) * 1000, 0))::bigint;
END
$$;
COMMENT ON FUNCTION chat_private.active_ms_of(chat.deliberations) IS 'How long a deliberation has been active until now, in milliseconds.';

CREATE OR REPLACE FUNCTION chat_private.clock_from_now(d chat.deliberations, last_sign timestamptz) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN d.active_ms + greatest(0, coalesce(extract(epoch FROM clock_from_now.last_sign - d.active_since) * 1000, 0))::bigint;
END
$$;
COMMENT ON FUNCTION chat_private.clock_from_now(chat.deliberations, timestamptz) IS
'The active_ms of a deliberation whose active_since is set to now, because after last_sign nothing was done for it.';

CREATE OR REPLACE FUNCTION chat_private.skip_downtime() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  WITH idle AS (
    SELECT d.user_id, d.id,
           greatest(d.updated_at, (SELECT max(greatest(q.started_at, q.finished_at))
                                   FROM chat.deliberation_steps s JOIN chat_private.llm_requests q ON q.user_id = s.user_id AND q.id = s.id
                                   WHERE s.user_id = d.user_id AND s.deliberation_id = d.id AND s.state = 'open')) AS last_sign
    FROM chat.deliberations d WHERE d.active_since IS NOT NULL FOR NO KEY UPDATE OF d SKIP LOCKED
  )
  UPDATE chat.deliberations d SET active_ms = chat_private.clock_from_now(d, i.last_sign), active_since = clock_timestamp()
  FROM idle i WHERE d.user_id = i.user_id AND d.id = i.id;
END
$$;
COMMENT ON FUNCTION chat_private.skip_downtime() IS
'Takes what has passed since the last sign of an engine out of the time that deliberations were active. Called by an engine that has
just begun, before it does anything: the last signs are steps that ended, and calls that were sent.';

CREATE OR REPLACE FUNCTION chat_private.skip_time_dumped() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.active_ms := chat_private.clock_from_now(NEW, NEW.updated_at);
  NEW.active_since := clock_timestamp();
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION chat_private.skip_time_dumped() IS
'Row trigger of deliberations that are added as running: only a dump that is restored does that.';
CREATE OR REPLACE TRIGGER skip_time_dumped BEFORE INSERT ON chat.deliberations
  FOR EACH ROW WHEN (NEW.active_since IS NOT NULL) EXECUTE FUNCTION chat_private.skip_time_dumped();
