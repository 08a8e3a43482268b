-- Where messages are filed for searching: derived from chat.messages, and made anew from them at any time.

CREATE TABLE chat_private.search_progress (
  user_id uuid PRIMARY KEY REFERENCES chat.users (id) ON DELETE CASCADE,
  filed_to uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  late uuid[] NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE chat_private.search_progress IS 'How far the messages of each user are filed in chat_private.search_chunks; no row: none is';
COMMENT ON COLUMN chat_private.search_progress.filed_to IS 'The messages up to this id are filed, but for those in late';
COMMENT ON COLUMN chat_private.search_progress.late IS 'Messages up to filed_to that are not filed: replies that had not ended, and those that came from another user';

CREATE TABLE chat_private.search_chunks (
  user_id uuid NOT NULL REFERENCES chat.users (id) ON DELETE CASCADE,
  id uuid NOT NULL DEFAULT chat.uuid_v7(),
  language text NOT NULL,
  head bytea NOT NULL,
  conversation_ids uuid[] NOT NULL,
  words bytea NOT NULL,
  grams bytea NOT NULL,
  is_stale boolean NOT NULL DEFAULT false,
  PRIMARY KEY (user_id, id)
) WITH (toast_tuple_target = 4080, fillfactor = 90);
-- The head is read with every search, of the others a few bytes, where they are not compressed.
ALTER TABLE chat_private.search_chunks ALTER COLUMN head SET STORAGE MAIN, ALTER COLUMN conversation_ids SET STORAGE MAIN,
  ALTER COLUMN words SET STORAGE EXTERNAL, ALTER COLUMN grams SET STORAGE EXTERNAL;
COMMENT ON TABLE chat_private.search_chunks IS 'Up to 128 messages of a user in each row, by the words and n-grams (as hashes) that they have';
COMMENT ON COLUMN chat_private.search_chunks.language IS 'The text search configuration of pg_catalog whose forms of words were filed';
COMMENT ON COLUMN chat_private.search_chunks.head IS 'The messages: id, conversation, role, length';
COMMENT ON COLUMN chat_private.search_chunks.conversation_ids IS 'Where the messages are; head has an index of it for each';
COMMENT ON COLUMN chat_private.search_chunks.words IS 'Which messages have a word, and how often; and in which two common words follow each other';
COMMENT ON COLUMN chat_private.search_chunks.grams IS 'Which messages have three characters in a row, or one and two of scripts without spaces';
COMMENT ON COLUMN chat_private.search_chunks.is_stale IS 'Some of the messages have gone; the engine makes the row anew';

CREATE TYPE chat.found_message AS (
  conversation_id uuid,
  conversation_title text,
  message_id uuid,
  role text,
  snippet text,
  rank real,
  created_at timestamptz
);
COMMENT ON TYPE chat.found_message IS 'A row of chat.search_messages';
