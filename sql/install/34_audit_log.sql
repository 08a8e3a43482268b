-- The audit log: one row for each act that security hangs on.

CREATE TABLE chat.audit_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  user_id uuid,
  action text NOT NULL,
  resource text,
  details jsonb NOT NULL DEFAULT '{}',
  outcome text NOT NULL CHECK (outcome IN ('success', 'refused', 'failure')),
  ip_address inet,
  user_agent text
);
CREATE INDEX audit_log_user_idx ON chat.audit_log (user_id, id);
COMMENT ON TABLE chat.audit_log IS 'One row for each act that security hangs on, refused ones included';
