-- Keys of providers: what may be seen of them, and the keys themselves, sealed, to be opened by the engine alone.

CREATE TABLE chat.api_keys (
  user_id uuid NOT NULL REFERENCES chat.users (id) ON DELETE CASCADE,
  id uuid NOT NULL DEFAULT chat.uuid_v7(),
  -- No foreign key, as keys of users' rows lead with the owner: removing a provider removes them by a trigger.
  provider_id uuid NOT NULL,
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
  last_four text CHECK (char_length(last_four) = 4),
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_used_at timestamptz,
  PRIMARY KEY (user_id, id),
  UNIQUE (user_id, provider_id, name)
) WITH (fillfactor = 90);
CREATE UNIQUE INDEX api_keys_active_idx ON chat.api_keys (user_id, provider_id) WHERE is_active;
COMMENT ON TABLE chat.api_keys IS 'What a user may see of their own keys of providers; the keys themselves are readable by nobody';
COMMENT ON COLUMN chat.api_keys.id IS 'New whenever the key is set; the sealed key is bound to it, to user_id and to provider_id';
COMMENT ON COLUMN chat.api_keys.last_four IS 'The last four characters of the key; NULL for one shorter than 8';
COMMENT ON COLUMN chat.api_keys.is_active IS 'The one that the user''s calls to this provider use; at most one of a provider';
COMMENT ON COLUMN chat.api_keys.last_used_at IS 'When a call last used it, to the minute; NULL: never';

CREATE TABLE chat_private.api_key_secrets (
  user_id uuid NOT NULL,
  id uuid NOT NULL,
  provider_id uuid NOT NULL,
  sealed_key bytea NOT NULL,
  PRIMARY KEY (user_id, id),
  FOREIGN KEY (user_id, id) REFERENCES chat.api_keys (user_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE chat_private.api_key_secrets IS 'Users'' keys of providers, each encrypted with the engine''s master key and bound to provider, user and id: of no use in another row';

CREATE TABLE chat_private.provider_keys (
  provider_id uuid PRIMARY KEY REFERENCES chat.providers (id) ON DELETE CASCADE,
  sealed_key bytea NOT NULL,
  last_four text CHECK (char_length(last_four) = 4),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE chat_private.provider_keys IS 'The key of each provider that all use who have none of their own, encrypted with the engine''s master key and bound to the provider';
COMMENT ON COLUMN chat_private.provider_keys.last_four IS 'As in chat.api_keys';
