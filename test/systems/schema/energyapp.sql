-- The tables of an EnergyApp as its documentation has them, in the schema that the variable source names.
CREATE SCHEMA :"source";
SET search_path = :"source";

CREATE TABLE users (
  id serial PRIMARY KEY,
  email varchar(255) UNIQUE NOT NULL,
  full_name varchar(255),
  password_hash varchar(255) NOT NULL,
  role varchar(50) DEFAULT 'user',
  active boolean DEFAULT true,
  totp_secret varchar(32),
  totp_enabled boolean DEFAULT false,
  created_at timestamp DEFAULT current_timestamp,
  updated_at timestamp DEFAULT current_timestamp
);
CREATE TABLE system_prompts (
  id serial PRIMARY KEY,
  name varchar(255) NOT NULL UNIQUE,
  description text,
  content text NOT NULL,
  is_default boolean DEFAULT false,
  created_at timestamp DEFAULT current_timestamp,
  updated_at timestamp DEFAULT current_timestamp
);
CREATE TABLE conversations (
  id serial PRIMARY KEY,
  user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  title varchar(255),
  description text,
  system_prompt_id integer REFERENCES system_prompts (id),
  created_at timestamp DEFAULT current_timestamp,
  updated_at timestamp DEFAULT current_timestamp,
  is_pinned boolean DEFAULT false
);
CREATE TABLE messages (
  id serial PRIMARY KEY,
  conversation_id integer NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  role varchar(50) NOT NULL,
  content text NOT NULL,
  created_at timestamp DEFAULT current_timestamp,
  updated_at timestamp DEFAULT current_timestamp
);
CREATE TABLE sessions (
  id serial PRIMARY KEY,
  user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  session_token varchar(255) UNIQUE NOT NULL,
  ip_address varchar(45),
  user_agent varchar(500),
  expires_at timestamp NOT NULL,
  created_at timestamp DEFAULT current_timestamp,
  last_activity timestamp
);
CREATE INDEX idx_conversations_user_id ON conversations (user_id);
CREATE INDEX idx_messages_conversation_id ON messages (conversation_id);
CREATE INDEX idx_sessions_user_id ON sessions (user_id);
CREATE INDEX idx_sessions_token ON sessions (session_token);
CREATE INDEX idx_users_email ON users (email);
