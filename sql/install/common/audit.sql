-- Writing the audit log: what a function calls, and what the engine then does; and proving that it is whole.

CREATE OR REPLACE FUNCTION chat_private.audit(action text, resource text DEFAULT NULL, details jsonb DEFAULT '{}',
  outcome text DEFAULT 'success', user_id uuid DEFAULT NULL, ip_address inet DEFAULT NULL, user_agent text DEFAULT NULL,
  wait boolean DEFAULT true)
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  origin chat.sessions;
  payload jsonb;
BEGIN
  IF audit.ip_address IS NULL AND audit.user_agent IS NULL AND chat_private.current_session_id() IS NOT NULL THEN
    SELECT s.* INTO origin FROM chat.sessions s
    WHERE s.user_id = chat.current_user_id() AND s.id = chat_private.current_session_id();
  END IF;
  payload := jsonb_build_object(
    'user_id', coalesce(audit.user_id, chat.current_user_id()), 'action', audit.action, 'resource', audit.resource,
    'details', coalesce(audit.details, '{}'), 'outcome', audit.outcome,
    'ip_address', coalesce(audit.ip_address, origin.ip_address),
    'user_agent', left(coalesce(audit.user_agent, origin.user_agent), 512),
    'transaction_id', pg_current_xact_id_if_assigned()::text);
  IF audit.wait THEN
    PERFORM chat_private.ask_ledger('audit', payload);
  ELSE
    PERFORM chat_private.tell_ledger('audit', payload);
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.audit(text, text, jsonb, text, uuid, inet, text, boolean) IS
'Writes one row of chat.audit_log through the engine, and returns once it is committed: a ROLLBACK of the caller leaves it.
outcome: success, refused or failure. user_id: who acts; by default the current user. ip_address, user_agent: by default
those of the current session. Nothing secret and nothing personal belongs into details. wait: false returns at once, for what
happens without an engine too, and is then not noted.
Errors: 57P03 no engine, so that what must be audited does not happen.';

CREATE OR REPLACE FUNCTION chat_private.ledger_audit(payload jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.append_audit(
    (payload ->> 'user_id')::uuid, payload ->> 'action', payload ->> 'resource', payload -> 'details', payload ->> 'outcome',
    (payload ->> 'ip_address')::inet, payload ->> 'user_agent', (payload ->> 'transaction_id')::xid8);
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION chat_private.ledger_audit(jsonb) IS
'The ledger''s act behind chat_private.audit; run by the engine only.';

-- Text that no setting changes: an array in JSON, of numbers and strings. It is what a dump and restore leaves as it is.
CREATE OR REPLACE FUNCTION chat_private.audit_hash(prev_hash bytea, id bigint, created_at timestamptz, user_id uuid, action text,
  resource text, details jsonb, outcome text, transaction_id xid8, origin_hash bytea) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256(convert_to(jsonb_build_array(
  encode(prev_hash, 'hex'), id, (extract(epoch FROM created_at) * 1000000)::bigint, user_id, action, resource, details, outcome,
  transaction_id::text, encode(origin_hash, 'hex'))::text, 'UTF8'));
COMMENT ON FUNCTION chat_private.audit_hash(bytea, bigint, timestamptz, uuid, text, text, jsonb, text, xid8, bytea) IS
'The hash of one row of chat.audit_log: SHA-256 of the JSON array of its columns, hashes in hex, time in microseconds since
1970.';

CREATE OR REPLACE FUNCTION chat_private.audit_origin_hash(origin_salt bytea, ip_address inet, user_agent text) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256(convert_to(jsonb_build_array(encode(origin_salt, 'hex'), ip_address::text, user_agent)::text, 'UTF8'));
COMMENT ON FUNCTION chat_private.audit_origin_hash(bytea, inet, text) IS
'What stands for the address and the user agent of an audit row in its hash.';

CREATE OR REPLACE FUNCTION chat_private.append_audit(user_id uuid, action text, resource text, details jsonb, outcome text,
                                                     ip_address inet, user_agent text, transaction_id xid8) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off AS $$
#variable_conflict use_column
DECLARE
  head chat_private.audit_head;
  new_row chat.audit_log;
BEGIN
  SELECT h.* INTO head FROM chat_private.audit_head h ORDER BY h.last_id DESC LIMIT 1 FOR UPDATE;
  IF NOT FOUND THEN
    head := ROW(0, decode(repeat('00', 32), 'hex'), 0, decode(repeat('00', 32), 'hex'));
    INSERT INTO chat_private.audit_head SELECT head.*;
  END IF;
  -- A random UUID is 122 bits from the system's generator, which is salt enough.
  new_row := ROW(head.last_id + 1, clock_timestamp(), append_audit.user_id, append_audit.action, append_audit.resource,
                 append_audit.details, append_audit.outcome, append_audit.ip_address, append_audit.user_agent,
                 append_audit.transaction_id, uuid_send(gen_random_uuid()), NULL, head.last_hash, NULL);
  new_row.origin_hash := chat_private.audit_origin_hash(new_row.origin_salt, new_row.ip_address, new_row.user_agent);
  new_row.hash := chat_private.audit_hash(new_row.prev_hash, new_row.id, new_row.created_at, new_row.user_id, new_row.action,
    new_row.resource, new_row.details, new_row.outcome, new_row.transaction_id, new_row.origin_hash);
  INSERT INTO chat.audit_log SELECT new_row.*;
  UPDATE chat_private.audit_head h SET last_id = new_row.id, last_hash = new_row.hash WHERE h.last_id = head.last_id;
END
$$;
COMMENT ON FUNCTION chat_private.append_audit(uuid, text, text, jsonb, text, inet, text, xid8) IS
'Adds a row to the audit log and its chain. For the engine''s transactions only: it is the one writer, so nobody waits.';

CREATE OR REPLACE FUNCTION chat.verify_audit_log(from_id bigint DEFAULT NULL, OUT first_bad_id bigint, OUT reason text,
                                                 OUT rows_checked bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  head chat_private.audit_head;
  expected_id bigint;
  expected_hash bytea;
  entry chat.audit_log;
BEGIN
  PERFORM chat_private.require_admin();
  rows_checked := 0;
  SELECT h.* INTO head FROM chat_private.audit_head h;
  expected_id := coalesce(head.pruned_id, 0) + 1;
  expected_hash := coalesce(head.pruned_hash, decode(repeat('00', 32), 'hex'));
  IF verify_audit_log.from_id > expected_id THEN
    SELECT a.id, a.prev_hash INTO expected_id, expected_hash FROM chat.audit_log a WHERE a.id = verify_audit_log.from_id;
    IF NOT FOUND THEN
      IF verify_audit_log.from_id <= coalesce(head.last_id, 0) THEN
        first_bad_id := verify_audit_log.from_id;
        reason := 'missing';
      END IF;
      RETURN;
    END IF;
  END IF;
  FOR entry IN SELECT a.* FROM chat.audit_log a WHERE a.id >= expected_id OR verify_audit_log.from_id IS NULL ORDER BY a.id LOOP
    reason := CASE
      WHEN entry.id < expected_id THEN 'added'
      WHEN entry.id > expected_id THEN 'missing'
      WHEN entry.id > coalesce(head.last_id, 0) THEN 'added'
      WHEN entry.prev_hash <> expected_hash THEN 'altered'
      WHEN CASE WHEN entry.origin_salt IS NULL THEN entry.ip_address IS NOT NULL OR entry.user_agent IS NOT NULL
           ELSE entry.origin_hash <> chat_private.audit_origin_hash(entry.origin_salt, entry.ip_address, entry.user_agent) END
        THEN 'altered'
      WHEN entry.hash <> chat_private.audit_hash(entry.prev_hash, entry.id, entry.created_at, entry.user_id, entry.action,
        entry.resource, entry.details, entry.outcome, entry.transaction_id, entry.origin_hash) THEN 'altered'
      WHEN entry.id = head.last_id AND entry.hash <> head.last_hash THEN 'altered'
    END;
    IF reason IS NOT NULL THEN
      first_bad_id := CASE reason WHEN 'missing' THEN expected_id ELSE entry.id END;
      RETURN;
    END IF;
    rows_checked := rows_checked + 1;
    expected_id := entry.id + 1;
    expected_hash := entry.hash;
  END LOOP;
  IF expected_id <= coalesce(head.last_id, 0) THEN
    first_bad_id := expected_id;
    reason := 'missing';
  END IF;
END
$$;
COMMENT ON FUNCTION chat.verify_audit_log(bigint) IS
'Recomputes the chain of chat.audit_log. first_bad_id: the first row that is not as it was written, or NULL where all are;
reason: altered, missing (also at the end) or added; rows_checked: how many were right before it. from_id: begins there and
trusts the row before; by default at the oldest row that retention has left. Who can change tables as their owner or as
superuser can also rebuild the chain, so keep a copy of a late hash elsewhere if that is to be noticed. For administrators
and pgchat_service.
Errors: 42501 not an administrator.';
