-- Accounts: people, their settings, and the sessions they are logged in with.

CREATE TABLE chat.users (
  id uuid PRIMARY KEY DEFAULT chat.uuid_v7(),
  email text CHECK (octet_length(email) <= 254),
  username text CHECK (char_length(username) <= 100),
  display_name text CHECK (char_length(display_name) <= 200),
  avatar_url text CHECK (octet_length(avatar_url) <= 2000),
  role text NOT NULL DEFAULT 'user' CHECK (role IN ('admin', 'supervisor', 'worker', 'user', 'guest')),
  plan text NOT NULL DEFAULT 'free',
  -- No foreign key, nor has plan one: keys of users' rows lead with the owner. What removes a supervisor clears it.
  supervisor_id uuid CHECK (supervisor_id <> id),
  is_active boolean NOT NULL DEFAULT true,
  token_version integer NOT NULL DEFAULT 1,
  email_verified_at timestamptz,
  consent_at timestamptz,
  metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  last_login_at timestamptz,
  -- The UUIDs of what is for all, and of what nobody owns any more.
  CONSTRAINT users_id_is_somebodys CHECK (id NOT IN ('00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
) WITH (fillfactor = 90);
CREATE INDEX users_supervisor_idx ON chat.users (supervisor_id, id) WHERE supervisor_id IS NOT NULL;
CREATE INDEX users_admin_idx ON chat.users (role, id) WHERE role = 'admin';
COMMENT ON TABLE chat.users IS 'One row for each account; a user sees their own, a supervisor also those of their workers. Unique names are in chat_private.login_names.';
COMMENT ON COLUMN chat.users.role IS 'The role inside the application (admin, supervisor, worker, user, guest); not a database role';
COMMENT ON COLUMN chat.users.plan IS 'The code of a row of chat.plans';
COMMENT ON COLUMN chat.users.supervisor_id IS 'The user who supervises this one, a supervisor or administrator; NULL: nobody';
COMMENT ON COLUMN chat.users.token_version IS 'Counted up by what ends all sessions; a signed token of an older version is refused';
COMMENT ON COLUMN chat.users.email_verified_at IS 'When the address was proven to be the user''s, or an administrator vouched for it; NULL: never';
COMMENT ON COLUMN chat.users.consent_at IS 'When the user agreed to the application''s terms; NULL: never';
COMMENT ON COLUMN chat.users.is_active IS 'False: the account can neither log in nor use a session';

CREATE TABLE chat.user_settings (
  user_id uuid PRIMARY KEY REFERENCES chat.users (id) ON DELETE CASCADE,
  default_model text,
  preferences jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(preferences) = 'object'),
  untitled_count integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE chat.user_settings IS 'One row for each user: what they prefer. preferences belongs to the application and may be updated directly.';
COMMENT ON COLUMN chat.user_settings.untitled_count IS 'The number in the newest title that the rule numbered made';
COMMENT ON COLUMN chat.user_settings.default_model IS 'Used where neither the call nor the conversation names a model; NULL: the installation''s default';

CREATE TABLE chat.sessions (
  user_id uuid NOT NULL REFERENCES chat.users (id) ON DELETE CASCADE,
  id uuid NOT NULL DEFAULT chat.uuid_v7(),
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  idle_expires_at timestamptz NOT NULL DEFAULT 'infinity',
  last_activity_at timestamptz NOT NULL DEFAULT now(),
  mfa_pending boolean NOT NULL DEFAULT false,
  ip_address inet,
  user_agent text CHECK (char_length(user_agent) <= 512),
  PRIMARY KEY (user_id, id)
) WITH (fillfactor = 90);
COMMENT ON TABLE chat.sessions IS 'One row for each session that a login opened; deleting the row ends it. Its token is kept only as a hash, elsewhere.';
CREATE INDEX sessions_expiry_idx ON chat.sessions (least(expires_at, idle_expires_at), user_id);
COMMENT ON COLUMN chat.sessions.idle_expires_at IS 'When the session ends for not being used; put off each time it is used';
COMMENT ON COLUMN chat.sessions.mfa_pending IS 'True: the password was right, and the session can do nothing but prove the second factor';
COMMENT ON COLUMN chat.sessions.last_activity_at IS 'When the session was last used, to the minute';

CREATE TYPE chat.listed_user AS (
  id uuid, email text, username text, display_name text, role text, plan text, supervisor_id uuid, is_active boolean,
  email_verified_at timestamptz, consent_at timestamptz, created_at timestamptz, last_login_at timestamptz, conversations bigint);
COMMENT ON TYPE chat.listed_user IS 'An account as chat.admin_list_users shows it. conversations: how many it has, archived ones included';
