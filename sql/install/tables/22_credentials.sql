-- The secrets of accounts: password hashes, the names that log in, the hashes of session tokens, and the attempts to guess.

CREATE TABLE chat_private.credentials (
  user_id uuid PRIMARY KEY REFERENCES chat.users (id) ON DELETE CASCADE,
  password_hash text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE chat_private.credentials IS 'The bcrypt hash of each user''s password; no row: the account has no password';

-- Not led by the owner, on purpose: it is what finds the owner, and what makes names unique over all users.
CREATE TABLE chat_private.login_names (
  kind text NOT NULL CHECK (kind IN ('email', 'username', 'identity')),
  name text NOT NULL,
  user_id uuid NOT NULL REFERENCES chat.users (id) ON DELETE CASCADE,
  PRIMARY KEY (kind, name)
);
CREATE INDEX login_names_user_id_idx ON chat_private.login_names (user_id);
COMMENT ON TABLE chat_private.login_names IS 'E-mail addresses and usernames as they are compared, NFKC and lower case; and identities, as provider, blank and subject. Read before anybody is authenticated, by pgchat''s own functions only.';

CREATE TABLE chat_private.session_tokens (
  user_id uuid NOT NULL,
  token_hash bytea NOT NULL,
  session_id uuid NOT NULL,
  PRIMARY KEY (user_id, token_hash),
  FOREIGN KEY (user_id, session_id) REFERENCES chat.sessions (user_id, id) ON DELETE CASCADE
);
-- The predicate keeps it out of look-ups by token, see chat.messages.
CREATE INDEX session_tokens_session_idx ON chat_private.session_tokens (user_id, session_id) WHERE session_id IS NOT NULL;
COMMENT ON TABLE chat_private.session_tokens IS 'The hash of each session''s token; the token itself is known to its holder only';

-- Written by the engine only, so that no transaction of a client can undo a count or hold up another login: for the same
-- reason without foreign keys.
CREATE TABLE chat_private.login_attempts (
  kind text NOT NULL CHECK (kind IN ('account', 'name', 'address')),
  key bytea NOT NULL,
  failures integer NOT NULL,
  first_failed_at timestamptz NOT NULL,
  locked_until timestamptz,
  PRIMARY KEY (kind, key)
) WITH (fillfactor = 70);
CREATE INDEX login_attempts_age_idx ON chat_private.login_attempts (first_failed_at);
COMMENT ON TABLE chat_private.login_attempts IS 'Failed logins of each account, of each name that belongs to no account (as a hash), and from each address';
COMMENT ON COLUMN chat_private.login_attempts.failures IS 'Attempts that are counted before the password is looked at, and taken back when it was right';
COMMENT ON COLUMN chat_private.login_attempts.locked_until IS 'Until then no password is right';
