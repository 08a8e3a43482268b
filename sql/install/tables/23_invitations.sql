-- Invitations: addresses that may register, with the role and the plan they are to have.

-- Belongs to no user: it exists before the account does.
CREATE TABLE chat.invitations (
  id uuid PRIMARY KEY DEFAULT chat.uuid_v7(),
  email text NOT NULL CHECK (octet_length(email) <= 254),
  role text NOT NULL DEFAULT 'user' CHECK (role IN ('admin', 'supervisor', 'worker', 'user')),
  plan text NOT NULL,
  supervisor_id uuid,
  invited_by uuid,
  expires_at timestamptz NOT NULL,
  accepted_at timestamptz,
  accepted_by uuid,
  sent_count integer NOT NULL DEFAULT 0,
  last_sent_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((accepted_at IS NULL) = (accepted_by IS NULL))
);
-- One open invitation for each address.
CREATE UNIQUE INDEX invitations_open_idx ON chat.invitations (lower(normalize(email, NFKC)))
  WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX invitations_accepted_idx ON chat.invitations (accepted_by) WHERE accepted_by IS NOT NULL;
COMMENT ON TABLE chat.invitations IS 'One row for each invitation, read by administrators with chat.admin_list_invitations. Its token is kept only as a hash, elsewhere.';
COMMENT ON COLUMN chat.invitations.invited_by IS 'The administrator who invited; NULL: pgchat_service, or the account is gone';
COMMENT ON COLUMN chat.invitations.sent_count IS 'How often it was handed out, by mail or as a token';

CREATE TABLE chat_private.invitation_tokens (
  invitation_id uuid NOT NULL REFERENCES chat.invitations (id) ON DELETE CASCADE,
  token_hash bytea NOT NULL,
  PRIMARY KEY (invitation_id, token_hash)
);
COMMENT ON TABLE chat_private.invitation_tokens IS 'The hashes of the tokens that accept an invitation; sending it again removes the earlier ones';
