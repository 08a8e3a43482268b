-- The tables of a rovertChat as its documentation has them, in the schema that the variable source names.
CREATE SCHEMA :"source";
SET search_path = :"source";

CREATE TYPE user_role AS ENUM ('guest', 'user', 'admin');
CREATE TABLE "Users" (
  id uuid PRIMARY KEY,
  username varchar(100) NOT NULL UNIQUE,
  email varchar(255) NOT NULL,
  password_hash varchar(255) NOT NULL,
  role user_role NOT NULL DEFAULT 'user',
  created_at timestamp NOT NULL DEFAULT now(),
  last_login timestamp,
  is_active boolean NOT NULL DEFAULT true,
  token_version integer NOT NULL DEFAULT 1
);
CREATE TABLE "ModelProviders" (
  id uuid PRIMARY KEY,
  name varchar(100) NOT NULL,
  api_url varchar(255) NOT NULL,
  auth_type varchar(50),
  created_by uuid REFERENCES "Users" (id),
  created_at timestamp NOT NULL DEFAULT now(),
  is_active boolean NOT NULL DEFAULT true
);
CREATE TABLE "Models" (
  id uuid PRIMARY KEY,
  provider_id uuid NOT NULL REFERENCES "ModelProviders" (id),
  name varchar(100) NOT NULL,
  display_name varchar(100),
  description text,
  config json,
  created_at timestamp NOT NULL DEFAULT now(),
  updated_at timestamp NOT NULL DEFAULT now(),
  is_active boolean NOT NULL DEFAULT true
);
CREATE TABLE "Chats" (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES "Users" (id),
  title varchar(255),
  created_at timestamp NOT NULL DEFAULT now(),
  updated_at timestamp NOT NULL DEFAULT now(),
  is_archived boolean NOT NULL DEFAULT false
);
CREATE TABLE "Messages" (
  id uuid PRIMARY KEY,
  chat_id uuid NOT NULL REFERENCES "Chats" (id),
  role varchar(50) NOT NULL,
  content text NOT NULL,
  thinking text,
  tool_calls json,
  images json,
  model_id uuid REFERENCES "Models" (id),
  created_at timestamp NOT NULL DEFAULT now(),
  tokens_used integer,
  extended_metadata json
);
CREATE TABLE "UserSettings" (
  user_id uuid PRIMARY KEY REFERENCES "Users" (id),
  default_model_id uuid REFERENCES "Models" (id),
  display_name varchar(100),
  avatar_url varchar(255),
  preferences json
);
CREATE TABLE "UserModelAccess" (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES "Users" (id),
  model_id uuid NOT NULL REFERENCES "Models" (id),
  granted_by uuid REFERENCES "Users" (id),
  granted_at timestamp NOT NULL DEFAULT now(),
  is_active boolean NOT NULL DEFAULT true
);
CREATE INDEX messages_chat ON "Messages" (chat_id);
CREATE INDEX chats_user ON "Chats" (user_id);
