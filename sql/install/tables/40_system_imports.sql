-- What was moved in from another chat system: where each of its rows went, and what could not come as it was.

CREATE TABLE chat.import_map (
  -- The nil UUID owns what is for all, so no foreign key.
  user_id uuid NOT NULL,
  system text NOT NULL CHECK (system ~ '^[a-z][a-z0-9_]{0,49}$'),
  source_table text NOT NULL,
  old_id text NOT NULL,
  new_id uuid NOT NULL,
  imported_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, system, source_table, old_id)
);
COMMENT ON TABLE chat.import_map IS 'Which row here each row of a system that moved in has become; written by the scripts of sql/import';
COMMENT ON COLUMN chat.import_map.user_id IS 'Whose row it is; the nil UUID: one for all';
COMMENT ON COLUMN chat.import_map.system IS 'energyapp, uru, rovertchat, board_of_one, vibebot, or another name';
COMMENT ON COLUMN chat.import_map.source_table IS 'The table there; several rows here may come from one there, and then have names such as messages.images';
COMMENT ON COLUMN chat.import_map.old_id IS 'The primary key there, as text';
COMMENT ON COLUMN chat.import_map.new_id IS 'The id here';

CREATE TABLE chat.import_findings (
  -- The nil UUID: it is nobody's, or of somebody who was refused.
  user_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT chat.uuid_v7(),
  system text NOT NULL CHECK (system ~ '^[a-z][a-z0-9_]{0,49}$'),
  source_table text NOT NULL,
  old_id text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('refused', 'changed', 'kept_aside')),
  reason text NOT NULL,
  details jsonb NOT NULL DEFAULT '{}',
  found_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, id),
  UNIQUE (user_id, system, source_table, old_id, kind, reason)
);
COMMENT ON TABLE chat.import_findings IS 'What an import did not bring as it was, row by row: refused, changed, or kept aside because it cannot be used here';
COMMENT ON COLUMN chat.import_findings.kind IS 'refused: the row is not here; changed: it is, but not as it was; kept_aside: it is in details alone';
COMMENT ON COLUMN chat.import_findings.reason IS 'A short name such as duplicate_email or hash_differs; docs/systems.md lists them';
COMMENT ON COLUMN chat.import_findings.details IS 'What was there and what is here; never a secret in the clear';

-- Led by the token, as it is what finds the owner: other systems' tokens do not say whose they are.
CREATE TABLE chat_private.imported_tokens (
  token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
  user_id uuid NOT NULL,
  session_id uuid NOT NULL,
  FOREIGN KEY (user_id, session_id) REFERENCES chat.sessions (user_id, id) ON DELETE CASCADE
);
CREATE INDEX imported_tokens_session_idx ON chat_private.imported_tokens (user_id, session_id);
COMMENT ON TABLE chat_private.imported_tokens IS 'The hash (SHA-256 of the whole text) of each token of a session that moved in from another system, so that it goes on; ends with the session';
