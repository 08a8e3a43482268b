-- Folders: where users put their conversations.

CREATE TABLE chat.folders (
  user_id uuid NOT NULL REFERENCES chat.users (id) ON DELETE CASCADE,
  id uuid NOT NULL DEFAULT chat.uuid_v7(),
  parent_id uuid,
  name text NOT NULL CHECK (name <> '' AND char_length(name) <= 255),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, id),
  UNIQUE NULLS NOT DISTINCT (user_id, parent_id, name),
  FOREIGN KEY (user_id, parent_id) REFERENCES chat.folders (user_id, id) DEFERRABLE
);
COMMENT ON TABLE chat.folders IS 'One row for each folder of a user. parent_id: the folder it lies in; NULL: in none';
