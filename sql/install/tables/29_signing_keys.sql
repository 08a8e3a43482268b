-- The keys that sign tokens: the public half for everybody, the private one sealed, to be opened by the engine alone.

CREATE TABLE chat_private.signing_keys (
  kid text PRIMARY KEY CHECK (char_length(kid) BETWEEN 1 AND 100),
  id uuid NOT NULL UNIQUE,
  algorithm text NOT NULL CHECK (algorithm IN ('EdDSA', 'ES256', 'RS256', 'HS256')),
  state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'retired', 'revoked')),
  is_imported boolean NOT NULL DEFAULT false,
  public_jwk jsonb CHECK (jsonb_typeof(public_jwk) = 'object'),
  sealed_private bytea,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  retired_at timestamptz,
  valid_until timestamptz,
  CHECK ((algorithm = 'HS256') = (public_jwk IS NULL)),
  CHECK ((state = 'revoked') = (sealed_private IS NULL)),
  CHECK ((state = 'retired') = (valid_until IS NOT NULL))
);
CREATE UNIQUE INDEX signing_keys_active_idx ON chat_private.signing_keys (algorithm) WHERE state = 'active';
COMMENT ON TABLE chat_private.signing_keys IS 'The keys of signed tokens: one that signs for each algorithm (active), older ones that still verify (retired), and those that no longer do (revoked)';
COMMENT ON COLUMN chat_private.signing_keys.kid IS 'The key''s name in tokens: the JWK thumbprint (RFC 7638) of its public half; random for HS256, which has none';
COMMENT ON COLUMN chat_private.signing_keys.id IS 'What the sealed half is bound to';
COMMENT ON COLUMN chat_private.signing_keys.is_imported IS 'Brought from elsewhere: an HS256 secret whose tokens name no key';
COMMENT ON COLUMN chat_private.signing_keys.public_jwk IS 'As chat.jwks() shows it; NULL: HS256';
COMMENT ON COLUMN chat_private.signing_keys.sealed_private IS 'The private key or secret under the master key; NULL once revoked';
COMMENT ON COLUMN chat_private.signing_keys.valid_until IS 'Until when a retired key verifies';
