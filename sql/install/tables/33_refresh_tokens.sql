-- Refresh tokens: each is used once and gives the next; all of one session are a family.

CREATE TABLE chat_private.refresh_tokens (
  user_id uuid NOT NULL,
  token_hash bytea NOT NULL,
  session_id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  successor_hash bytea,
  PRIMARY KEY (user_id, token_hash),
  FOREIGN KEY (user_id, session_id) REFERENCES chat.sessions (user_id, id) ON DELETE CASCADE,
  CHECK ((used_at IS NULL) = (successor_hash IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX refresh_tokens_session_idx ON chat_private.refresh_tokens (user_id, session_id);
COMMENT ON TABLE chat_private.refresh_tokens IS 'The hash of each refresh token, used ones included until they expire: they are what shows that somebody kept a copy';
COMMENT ON COLUMN chat_private.refresh_tokens.session_id IS 'The family: when one of its tokens is used again, the session ends, and with it all of them';
COMMENT ON COLUMN chat_private.refresh_tokens.successor_hash IS 'The token that was given for this one';
