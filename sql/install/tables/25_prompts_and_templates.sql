-- System prompts and templates to begin conversations with: an administrator's, for all, and each user's own.

CREATE TABLE chat.system_prompts (
  -- The nil UUID owns what is for all, so no foreign key.
  user_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT chat.uuid_v7(),
  name text NOT NULL CHECK (name <> '' AND char_length(name) <= 255),
  description text CHECK (char_length(description) <= 10000),
  content text NOT NULL CHECK (content <> ''),
  is_default boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, id),
  UNIQUE (user_id, name),
  CHECK (NOT is_default OR user_id = '00000000-0000-0000-0000-000000000000')
);
CREATE UNIQUE INDEX system_prompts_default_idx ON chat.system_prompts (user_id) WHERE is_default;
COMMENT ON TABLE chat.system_prompts IS 'System prompts to choose from: those of the nil UUID are for all, others for their owner. A conversation keeps the text it was given';
COMMENT ON COLUMN chat.system_prompts.is_default IS 'Whether new conversations begin with it; where there are any for all, exactly one is';

CREATE TABLE chat.conversation_templates (
  user_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT chat.uuid_v7(),
  name text NOT NULL CHECK (name <> '' AND char_length(name) <= 255),
  description text CHECK (char_length(description) <= 10000),
  title text CHECK (char_length(title) <= 500),
  system_prompt text,
  model text,
  messages jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(messages) = 'array'),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, id),
  UNIQUE (user_id, name)
);
COMMENT ON TABLE chat.conversation_templates IS 'What a conversation can begin with: those of the nil UUID are for all, others for their owner';
COMMENT ON COLUMN chat.conversation_templates.messages IS 'The first messages, an array of {role, content}; {{name}} in these, the title and the system prompt stands for a value given at use';
