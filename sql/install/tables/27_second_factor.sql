-- The second factor of accounts: sealed TOTP keys, recovery codes, and which of their codes have been used.

CREATE TABLE chat_private.totp_factors (
  user_id uuid PRIMARY KEY REFERENCES chat.users (id) ON DELETE CASCADE,
  id uuid NOT NULL DEFAULT chat.uuid_v7(),
  sealed_key bytea NOT NULL,
  algorithm text NOT NULL DEFAULT 'SHA1' CHECK (algorithm IN ('SHA1', 'SHA256', 'SHA512')),
  digits integer NOT NULL DEFAULT 6 CHECK (digits IN (6, 8)),
  created_at timestamptz NOT NULL DEFAULT now(),
  confirmed_at timestamptz
);
COMMENT ON TABLE chat_private.totp_factors IS 'The authenticator app of each user who has enrolled one';
COMMENT ON COLUMN chat_private.totp_factors.id IS 'New with every enrolment; the sealed key and its used steps are bound to it';
COMMENT ON COLUMN chat_private.totp_factors.sealed_key IS 'The key, encrypted with the engine''s master key and bound to user_id and id: of no use in another row';
COMMENT ON COLUMN chat_private.totp_factors.confirmed_at IS 'NULL: the user has not yet shown that the app gives the right codes, so nobody is asked for them';

CREATE TABLE chat_private.recovery_codes (
  user_id uuid NOT NULL REFERENCES chat.users (id) ON DELETE CASCADE,
  code_hash bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, code_hash)
);
COMMENT ON TABLE chat_private.recovery_codes IS 'The hash of each recovery code that a user was given, used ones included';

-- The next two are written by the engine, in transactions of its own: a ROLLBACK of the caller must not make a used code
-- new. They have no foreign key, as the engine may not see yet what the caller has not committed.
CREATE TABLE chat_private.totp_steps (
  user_id uuid NOT NULL,
  factor_id uuid NOT NULL,
  step bigint NOT NULL,
  PRIMARY KEY (user_id, factor_id, step)
);
COMMENT ON TABLE chat_private.totp_steps IS 'The time steps of which a code has been accepted, while such a code could still be right';
COMMENT ON COLUMN chat_private.totp_steps.step IS 'Seconds since 1970, divided by 30';

CREATE TABLE chat_private.used_recovery_codes (
  user_id uuid NOT NULL,
  code_hash bytea NOT NULL,
  used_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, code_hash)
);
COMMENT ON TABLE chat_private.used_recovery_codes IS 'The recovery codes that have been used';
