-- What models are asked in deliberations: rows that an administrator may edit.

CREATE TABLE chat.deliberation_prompts (
  code text PRIMARY KEY CHECK (code ~ '^[a-z][a-z_]{0,49}$'),
  system_prompt text CHECK (system_prompt <> ''),
  prompt text NOT NULL CHECK (prompt <> ''),
  description text NOT NULL,
  is_default boolean NOT NULL DEFAULT false,
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE chat.deliberation_prompts IS 'What a model is asked in each kind of step of a deliberation; edited with chat.admin_set_deliberation_prompt';
COMMENT ON COLUMN chat.deliberation_prompts.system_prompt IS 'NULL: the persona''s alone';
COMMENT ON COLUMN chat.deliberation_prompts.prompt IS 'The message; {{name}} stands for a part of the deliberation that the description names';
COMMENT ON COLUMN chat.deliberation_prompts.is_default IS 'True: the row is as pgchat installed it, so an update of pgchat may change it, and a dump leaves it out';
