-- Identities of people at other services (OpenID Connect), and the services whose word is taken.

CREATE TABLE chat_private.oidc_providers (
  name text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
  issuer text NOT NULL,
  client_id text NOT NULL CHECK (client_id <> ''),
  jwks_url text,
  algorithms text[] NOT NULL CHECK (algorithms <@ '{RS256,ES256,EdDSA}' AND algorithms <> '{}'),
  organisation_claim text,
  organisations text[],
  linking text NOT NULL CHECK (linking IN ('verified_email', 'never')),
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE chat_private.oidc_providers IS 'OpenID providers that people may log in with';
COMMENT ON COLUMN chat_private.oidc_providers.issuer IS 'Exactly as the claim iss of its tokens, and its discovery document, have it';
COMMENT ON COLUMN chat_private.oidc_providers.jwks_url IS 'Where its keys are; NULL: as its discovery document says';
COMMENT ON COLUMN chat_private.oidc_providers.organisation_claim IS 'The claim that names a person''s organisation, such as hd or tid';
COMMENT ON COLUMN chat_private.oidc_providers.organisations IS 'Those that may log in; NULL: all';
COMMENT ON COLUMN chat_private.oidc_providers.linking IS 'Whether an identity may be joined by itself to the account that has the same verified address';

-- Who has which identity is in chat_private.login_names, kind identity, where it is unique over all users.
CREATE TABLE chat.identities (
  user_id uuid NOT NULL REFERENCES chat.users (id) ON DELETE CASCADE,
  id uuid NOT NULL DEFAULT chat.uuid_v7(),
  provider text NOT NULL,
  subject text NOT NULL CHECK (octet_length(subject) <= 255),
  organisation text,
  email text,
  email_verified boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_login_at timestamptz,
  PRIMARY KEY (user_id, id),
  UNIQUE (user_id, provider, subject)
);
COMMENT ON TABLE chat.identities IS 'One row for each identity at another service that a user logs in with; a user sees their own';
COMMENT ON COLUMN chat.identities.provider IS 'The name under which chat.admin_register_oidc_provider knows it';
COMMENT ON COLUMN chat.identities.subject IS 'The provider''s own id of the person (claim sub)';
COMMENT ON COLUMN chat.identities.email IS 'What the provider said at the last login';
