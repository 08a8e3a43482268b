-- What hangs on conversations and messages: summaries of older parts, files, shares, and where imported ones came from.

CREATE TABLE chat.conversation_summaries (
  user_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT chat.uuid_v7(),
  conversation_id uuid NOT NULL,
  last_message_id uuid NOT NULL,
  content text NOT NULL,
  model text,
  request_id uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, id),
  FOREIGN KEY (user_id, conversation_id) REFERENCES chat.conversations (user_id, id) ON DELETE CASCADE DEFERRABLE,
  FOREIGN KEY (user_id, last_message_id) REFERENCES chat.messages (user_id, id) ON DELETE CASCADE DEFERRABLE
);
CREATE INDEX conversation_summaries_conversation_idx ON chat.conversation_summaries (user_id, conversation_id);
CREATE INDEX conversation_summaries_message_idx ON chat.conversation_summaries (user_id, last_message_id);
COMMENT ON TABLE chat.conversation_summaries IS 'Summaries that stand for the older part of a branch in what a model is told';
COMMENT ON COLUMN chat.conversation_summaries.last_message_id IS 'The last message of the part: it and all above it are told by the summary';

CREATE TABLE chat.attachments (
  user_id uuid NOT NULL REFERENCES chat.users (id) ON DELETE CASCADE,
  id uuid NOT NULL DEFAULT chat.uuid_v7(),
  sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
  media_type text NOT NULL CHECK (char_length(media_type) <= 255),
  byte_size bigint NOT NULL CHECK (byte_size >= 0),
  width integer,
  height integer,
  created_at timestamptz NOT NULL DEFAULT now(),
  unused_since timestamptz,
  PRIMARY KEY (user_id, id),
  UNIQUE (user_id, sha256)
);
-- Those that the engine looks for: without it, it would have to read the files of all users.
CREATE INDEX attachments_unused_idx ON chat.attachments (unused_since, user_id) WHERE unused_since IS NOT NULL;
COMMENT ON TABLE chat.attachments IS 'The files of a user, each stored once; their bytes are elsewhere and are read with chat.attachment_content';
COMMENT ON COLUMN chat.attachments.sha256 IS 'SHA-256 of the bytes';
COMMENT ON COLUMN chat.attachments.media_type IS 'As told when it was first stored, where the bytes do not contradict that, else as the bytes tell';
COMMENT ON COLUMN chat.attachments.width IS 'Pixels; NULL where it is no image';
COMMENT ON COLUMN chat.attachments.unused_since IS 'When it was uploaded, where no message has used it yet, or when the last message that used it was removed; NULL: one uses it';

CREATE TABLE chat_private.attachment_data (
  user_id uuid NOT NULL,
  attachment_id uuid NOT NULL,
  data bytea NOT NULL,
  PRIMARY KEY (user_id, attachment_id),
  FOREIGN KEY (user_id, attachment_id) REFERENCES chat.attachments (user_id, id) ON DELETE CASCADE DEFERRABLE
);
-- Images are compressed already, and a part is read without the whole.
ALTER TABLE chat_private.attachment_data ALTER COLUMN data SET STORAGE EXTERNAL;
COMMENT ON TABLE chat_private.attachment_data IS 'The bytes of chat.attachments';

CREATE TABLE chat.message_attachments (
  user_id uuid NOT NULL,
  message_id uuid NOT NULL,
  position smallint NOT NULL,
  attachment_id uuid NOT NULL,
  name text CHECK (char_length(name) <= 255),
  PRIMARY KEY (user_id, message_id, position),
  FOREIGN KEY (user_id, message_id) REFERENCES chat.messages (user_id, id) ON DELETE CASCADE DEFERRABLE,
  FOREIGN KEY (user_id, attachment_id) REFERENCES chat.attachments (user_id, id) DEFERRABLE
);
CREATE INDEX message_attachments_attachment_idx ON chat.message_attachments (user_id, attachment_id);
COMMENT ON TABLE chat.message_attachments IS 'Which files go with a message, in their order, under the name each was sent with';

CREATE TABLE chat.conversation_shares (
  user_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT chat.uuid_v7(),
  conversation_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('link', 'grant')),
  grantee_id uuid,
  grantee_name text CHECK (char_length(grantee_name) <= 400),
  permission text NOT NULL DEFAULT 'read' CHECK (permission IN ('read', 'write')),
  leaf_id uuid,
  title text CHECK (char_length(title) <= 500),
  includes_later boolean NOT NULL DEFAULT false,
  requires_login boolean NOT NULL DEFAULT false,
  allows_fork boolean NOT NULL DEFAULT false,
  expires_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, id),
  FOREIGN KEY (user_id, conversation_id) REFERENCES chat.conversations (user_id, id) ON DELETE CASCADE DEFERRABLE,
  CHECK ((kind = 'grant') = (grantee_id IS NOT NULL)),
  CHECK (permission = 'read' OR kind = 'grant' AND includes_later)
);
CREATE INDEX conversation_shares_conversation_idx ON chat.conversation_shares (user_id, conversation_id);
CREATE INDEX conversation_shares_grantee_idx ON chat.conversation_shares (grantee_id, id) WHERE grantee_id IS NOT NULL;
-- One grant in force for each user; the foreign key's cascade and the look-up by conversation use the other index.
CREATE UNIQUE INDEX conversation_shares_grant_idx ON chat.conversation_shares (user_id, conversation_id, grantee_id)
  WHERE grantee_id IS NOT NULL AND revoked_at IS NULL;
COMMENT ON TABLE chat.conversation_shares IS 'With whom conversations are shared: by a link, whose token is kept only as a hash elsewhere, or with a user';
COMMENT ON COLUMN chat.conversation_shares.kind IS 'link: with whoever has its token; grant: with the user grantee_id';
COMMENT ON COLUMN chat.conversation_shares.grantee_name IS 'How the owner named the user, and no more than that';
COMMENT ON COLUMN chat.conversation_shares.permission IS 'read, or write: also sending messages, at the owner''s cost';
COMMENT ON COLUMN chat.conversation_shares.title IS 'The title that is shown; NULL: the conversation''s, whatever it is then';
COMMENT ON COLUMN chat.conversation_shares.leaf_id IS 'The last message that is shown, or with includes_later the message whose continuation is; NULL: the active branch''s, whatever it is then';
COMMENT ON COLUMN chat.conversation_shares.requires_login IS 'Whether a link is only for who has an account';
COMMENT ON COLUMN chat.conversation_shares.allows_fork IS 'Whether who has the link may copy the conversation into an account';
COMMENT ON COLUMN chat.conversation_shares.revoked_at IS 'When its owner ended it; NULL: it is in force until expires_at';
COMMENT ON COLUMN chat.conversation_shares.includes_later IS 'Whether what is added after the share was made is shown too';

CREATE TABLE chat_private.share_tokens (
  user_id uuid NOT NULL,
  share_id uuid NOT NULL,
  token_hash bytea NOT NULL CHECK (octet_length(token_hash) = 32),
  PRIMARY KEY (user_id, share_id),
  FOREIGN KEY (user_id, share_id) REFERENCES chat.conversation_shares (user_id, id) ON DELETE CASCADE DEFERRABLE
);
-- A token carries the id of its share, not of an owner: it outlives a change of owners, and tells nobody who that is.
CREATE INDEX share_tokens_share_idx ON chat_private.share_tokens (share_id, user_id);
COMMENT ON TABLE chat_private.share_tokens IS 'SHA-256 of the tokens of shared links';

CREATE TABLE chat.conversation_imports (
  user_id uuid NOT NULL,
  source text NOT NULL CHECK (source IN ('pgchat', 'chatgpt', 'openwebui')),
  source_id text NOT NULL CHECK (char_length(source_id) <= 255),
  conversation_id uuid NOT NULL,
  imported_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, source, source_id),
  FOREIGN KEY (user_id, conversation_id) REFERENCES chat.conversations (user_id, id) ON DELETE CASCADE DEFERRABLE
);
CREATE INDEX conversation_imports_conversation_idx ON chat.conversation_imports (user_id, conversation_id);
COMMENT ON TABLE chat.conversation_imports IS 'Which conversation each imported one has become, so that a second import adds nothing';
