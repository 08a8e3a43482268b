-- The audit log: who did what, in rows that only the engine adds and a chain of hashes binds together.

-- No foreign key and no owner in the key: its rows outlive the account, and the transaction, that they tell of.
CREATE TABLE chat.audit_log (
  id bigint PRIMARY KEY,
  created_at timestamptz NOT NULL,
  user_id uuid,
  action text NOT NULL CHECK (char_length(action) BETWEEN 1 AND 100),
  resource text CHECK (char_length(resource) <= 500),
  details jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(details) = 'object'),
  outcome text NOT NULL CHECK (outcome IN ('success', 'refused', 'failure')),
  ip_address inet,
  user_agent text CHECK (char_length(user_agent) <= 512),
  transaction_id xid8,
  origin_salt bytea,
  origin_hash bytea NOT NULL,
  prev_hash bytea NOT NULL,
  hash bytea NOT NULL
);
CREATE INDEX audit_log_user_idx ON chat.audit_log (user_id, id) WHERE user_id IS NOT NULL;
COMMENT ON TABLE chat.audit_log IS 'One row for each act that security hangs on, refused ones included; written by the engine in transactions of its own, so that a ROLLBACK of the caller leaves it. Rows are never changed; chat.verify_audit_log() proves it.';
COMMENT ON COLUMN chat.audit_log.id IS 'Counts from 1 without gaps, in the order in which rows were written';
COMMENT ON COLUMN chat.audit_log.user_id IS 'Who acted; NULL: nobody who was known. Not a foreign key: the row outlives the account';
COMMENT ON COLUMN chat.audit_log.action IS 'What was done, as dotted nouns: login, password.change, admin.set_role';
COMMENT ON COLUMN chat.audit_log.resource IS 'What it was done to, such as user:<uuid>';
COMMENT ON COLUMN chat.audit_log.outcome IS 'success, refused (the caller may not, or proved nothing) or failure (something broke)';
COMMENT ON COLUMN chat.audit_log.transaction_id IS 'The caller''s transaction where it had written something: pg_xact_status() tells what became of it, while this server remembers';
COMMENT ON COLUMN chat.audit_log.origin_salt IS 'What origin_hash begins with; NULL once address and user agent have been erased';
COMMENT ON COLUMN chat.audit_log.origin_hash IS 'SHA-256 of salt, address and user agent: stands for them in the chain, so that they can be erased from it';
COMMENT ON COLUMN chat.audit_log.prev_hash IS 'The hash of the row before; 32 zero bytes before the first';
COMMENT ON COLUMN chat.audit_log.hash IS 'SHA-256 of prev_hash and the row, see docs/security.md';

-- One row. Its key grows, so that the row is found at the end of the index, past all its earlier versions, which stay as long
-- as anybody's transaction lasts.
CREATE TABLE chat_private.audit_head (
  last_id bigint PRIMARY KEY,
  last_hash bytea NOT NULL,
  pruned_id bigint NOT NULL DEFAULT 0,
  pruned_hash bytea NOT NULL
);
COMMENT ON TABLE chat_private.audit_head IS 'Both ends of the audit log''s chain: the last row written and the last one that retention removed; without it a cut-off end would not be missed';

CREATE TABLE chat_private.audit_erasures (
  former_user_id uuid PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE chat_private.audit_erasures IS 'People whose accounts were removed lately, and from whose audit rows the engine therefore erases addresses and user agents';
