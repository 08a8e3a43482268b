-- Reading the audit log as an administrator, and letting go of what need not be kept.

CREATE OR REPLACE FUNCTION chat.admin_list_audit_log(user_id uuid DEFAULT NULL, action text DEFAULT NULL, outcome text DEFAULT NULL,
  since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL, page_size integer DEFAULT 100, before_id bigint DEFAULT NULL)
RETURNS SETOF chat.audit_log
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  first_id bigint := coalesce(admin_list_audit_log.before_id, 9223372036854775807);
BEGIN
  PERFORM chat_private.require_admin();
  IF admin_list_audit_log.page_size IS NULL OR admin_list_audit_log.page_size NOT BETWEEN 1 AND 1000 THEN
    RAISE EXCEPTION 'page_size must be between 1 and 1000' USING ERRCODE = '22023';
  END IF;
  -- Two statements, so that each is planned for its own index.
  IF admin_list_audit_log.user_id IS NOT NULL THEN
    RETURN QUERY SELECT a.* FROM chat.audit_log a
      WHERE a.user_id = admin_list_audit_log.user_id AND a.id < first_id
        AND chat_private.audit_matches(a, admin_list_audit_log.action, admin_list_audit_log.outcome, admin_list_audit_log.since,
                                       admin_list_audit_log.until)
      ORDER BY a.id DESC LIMIT admin_list_audit_log.page_size;
  ELSE
    RETURN QUERY SELECT a.* FROM chat.audit_log a
      WHERE a.id < first_id
        AND chat_private.audit_matches(a, admin_list_audit_log.action, admin_list_audit_log.outcome, admin_list_audit_log.since,
                                       admin_list_audit_log.until)
      ORDER BY a.id DESC LIMIT admin_list_audit_log.page_size;
  END IF;
END
$$;
COMMENT ON FUNCTION chat.admin_list_audit_log(uuid, text, text, timestamptz, timestamptz, integer, bigint) IS
'Rows of the audit log, the latest first. user_id: who acted. action: that one and those below it (login finds login.lock,
too). outcome: success, refused or failure. since, until: from and before these times. page_size: 1 to 1000 rows. before_id:
the id of the last row of the page before.
Errors: 42501 not an administrator; 22023 page_size.';

CREATE OR REPLACE FUNCTION chat_private.audit_matches(entry chat.audit_log, action text, outcome text, since timestamptz,
                                                      until timestamptz) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (audit_matches.action IS NULL OR entry.action = audit_matches.action
        OR starts_with(entry.action, audit_matches.action || '.'))
  AND (audit_matches.outcome IS NULL OR entry.outcome = audit_matches.outcome)
  AND (audit_matches.since IS NULL OR entry.created_at >= audit_matches.since)
  AND (audit_matches.until IS NULL OR entry.created_at < audit_matches.until);
COMMENT ON FUNCTION chat_private.audit_matches(chat.audit_log, text, text, timestamptz, timestamptz) IS
'The filters of chat.admin_list_audit_log; NULL lets all pass.';

CREATE OR REPLACE FUNCTION chat_private.prune_audit_log(max_rows integer) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  oldest CONSTANT timestamptz := clock_timestamp() - chat_private.setting_text('audit_retention')::interval;
  pruned integer;
BEGIN
  IF oldest IS NULL THEN
    RETURN 0;
  END IF;
  WITH removed AS (
    DELETE FROM chat.audit_log a WHERE a.id IN (
      SELECT o.id FROM (SELECT f.id, bool_and(f.created_at < oldest) OVER (ORDER BY f.id) AS is_old
                        FROM (SELECT b.id, b.created_at FROM chat.audit_log b ORDER BY b.id LIMIT prune_audit_log.max_rows) f) o
      WHERE o.is_old)
    RETURNING a.id, a.hash
  ), anchored AS (
    UPDATE chat_private.audit_head h SET pruned_id = r.id, pruned_hash = r.hash
    FROM (SELECT id, hash FROM removed ORDER BY id DESC LIMIT 1) r
  )
  SELECT count(*) INTO pruned FROM removed;
  RETURN pruned;
END
$$;
COMMENT ON FUNCTION chat_private.prune_audit_log(integer) IS
'Removes rows of the audit log that are older than the setting audit_retention, from the oldest on and at most so many, and keeps
the last one''s id and hash, with which the chain then begins. For the engine; returns how many.';

CREATE OR REPLACE FUNCTION chat_private.erase_audit_origins(max_rows integer) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  erased integer;
BEGIN
  UPDATE chat.audit_log a SET ip_address = NULL, user_agent = NULL, origin_salt = NULL
  WHERE a.id IN (SELECT o.id FROM chat_private.audit_erasures e JOIN chat.audit_log o ON o.user_id = e.former_user_id
                 WHERE o.origin_salt IS NOT NULL LIMIT erase_audit_origins.max_rows);
  GET DIAGNOSTICS erased = ROW_COUNT;
  -- What was under way when the account went may still have been noted after it.
  DELETE FROM chat_private.audit_erasures e WHERE erased = 0 AND e.created_at < clock_timestamp() - interval '1 day';
  RETURN erased;
END
$$;
COMMENT ON FUNCTION chat_private.erase_audit_origins(integer) IS
'Erases addresses and user agents from audit rows of people whose accounts were removed, at most so many rows: what is left
names a user id that belongs to nobody. The chain stays verifiable. For the engine, which sees only removals that were
committed, so that nobody erases traces by a removal that they roll back; returns how many.';
