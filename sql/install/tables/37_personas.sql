-- Personas: the experts that deliberate, those shipped with pgchat or made by an administrator for all, and each user's own.

CREATE TABLE chat.personas (
  -- The nil UUID owns what is for all, so no foreign key.
  user_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT chat.uuid_v7(),
  code text NOT NULL CHECK (code ~ '^[a-z][a-z0-9_]{0,49}$' AND code <> 'moderator'),
  name text NOT NULL CHECK (name <> '' AND char_length(name) <= 255),
  expertise text NOT NULL CHECK (expertise <> '' AND char_length(expertise) <= 500),
  category text NOT NULL CHECK (category ~ '^[a-z][a-z0-9_]{0,49}$'),
  system_prompt text NOT NULL CHECK (system_prompt <> ''),
  model text,
  is_active boolean NOT NULL DEFAULT true,
  is_default boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, id),
  UNIQUE (user_id, code),
  CHECK (NOT is_default OR user_id = '00000000-0000-0000-0000-000000000000')
);
COMMENT ON TABLE chat.personas IS 'Experts that deliberate: those of the nil UUID are for all, others for their owner. A deliberation keeps the text it began with';
COMMENT ON COLUMN chat.personas.code IS 'By which a deliberation names it; a user''s own goes before one for all of the same code';
COMMENT ON COLUMN chat.personas.expertise IS 'What it knows, in a sentence: by this a model chooses who deliberates';
COMMENT ON COLUMN chat.personas.model IS 'The model that speaks for it unless the deliberation says otherwise; NULL: the deliberation''s';
COMMENT ON COLUMN chat.personas.is_active IS 'False: it cannot be chosen for new deliberations';
COMMENT ON COLUMN chat.personas.is_default IS 'True: the row is as pgchat installed it, so an update of pgchat may change it, and a dump leaves it out';
