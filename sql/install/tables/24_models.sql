-- Providers and models (shared by all users), and the installation's settings.

CREATE TABLE chat.providers (
  id uuid PRIMARY KEY DEFAULT chat.uuid_v7(),
  name text NOT NULL UNIQUE CHECK (name <> '' AND char_length(name) <= 100),
  kind text NOT NULL CHECK (kind IN ('openai', 'anthropic', 'ollama', 'echo')),
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE chat.providers IS 'Where models are served; clients see the active ones. Address, headers and options are in chat_private.provider_endpoints.';
COMMENT ON COLUMN chat.providers.kind IS 'The protocol it speaks: openai (chat completions), anthropic (messages), ollama (/api/chat), echo (built in, no network)';

CREATE TABLE chat_private.provider_endpoints (
  provider_id uuid PRIMARY KEY REFERENCES chat.providers (id) ON DELETE CASCADE,
  base_url text,
  auth_type text NOT NULL CHECK (auth_type IN ('none', 'bearer', 'x_api_key', 'api_key', 'query')),
  headers jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(headers) = 'object'),
  options jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(options) = 'object'),
  -- No foreign key: shared tables never point at users' rows. What removes the account clears it.
  created_by uuid,
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE chat_private.provider_endpoints IS 'How each provider is reached; apart from chat.providers because addresses and headers may carry secrets';
COMMENT ON COLUMN chat_private.provider_endpoints.base_url IS 'NULL: the provider''s own public address';
COMMENT ON COLUMN chat_private.provider_endpoints.created_by IS 'The administrator who registered it; NULL: pgchat_service, or the account is gone';

CREATE TABLE chat.models (
  id uuid PRIMARY KEY DEFAULT chat.uuid_v7(),
  provider_id uuid NOT NULL REFERENCES chat.providers (id) ON DELETE CASCADE,
  name text NOT NULL UNIQUE CHECK (name <> '' AND char_length(name) <= 200),
  display_name text NOT NULL CHECK (char_length(display_name) <= 200),
  description text CHECK (char_length(description) <= 2000),
  capabilities text[] NOT NULL DEFAULT '{}',
  is_active boolean NOT NULL DEFAULT true,
  is_open boolean,
  context_window integer CHECK (context_window > 0),
  input_price numeric(18, 6) CHECK (input_price >= 0),
  output_price numeric(18, 6) CHECK (output_price >= 0),
  cached_price numeric(18, 6) CHECK (cached_price >= 0),
  config jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(config) = 'object'),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX models_provider_id_idx ON chat.models (provider_id);
COMMENT ON TABLE chat.models IS 'The models that can be asked, by unique name; clients see those that the current user may use';
COMMENT ON COLUMN chat.models.capabilities IS 'What it can do: tools, vision, thinking, json, embeddings, and the application''s own words';
COMMENT ON COLUMN chat.models.is_open IS 'True: everybody may use it; false: those to whom chat.admin_grant_model gave it; NULL: as the setting models_open_by_default says';
COMMENT ON COLUMN chat.models.config IS 'provider_model: the provider''s own name for it, where that differs; max_output_tokens: how long its answers may become; other members are the application''s';
COMMENT ON COLUMN chat.models.context_window IS 'Tokens';
COMMENT ON COLUMN chat.models.input_price IS 'Per million input tokens';
COMMENT ON COLUMN chat.models.output_price IS 'Per million output tokens';
COMMENT ON COLUMN chat.models.cached_price IS 'Per million input tokens that the provider read from its cache';

CREATE TABLE chat.settings (
  key text PRIMARY KEY CHECK (key <> ''),
  value jsonb NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE chat.settings IS 'One row for each setting of this installation that an administrator has changed (default_model, …)';
