-- What shared and supervised conversations look like to others, and shares to their owners.

CREATE TYPE chat.shared_message AS (
  id uuid,
  parent_id uuid,
  role text,
  status text,
  content text,
  thinking text,
  tool_calls jsonb,
  tool_call_id text,
  model text,
  author_id uuid,
  author_name text,
  sibling_ids uuid[],
  attachments jsonb,
  created_at timestamptz
);
COMMENT ON TYPE chat.shared_message IS 'A message of a shared conversation. For who has a link, parent_id, thinking, tool_calls, tool_call_id, author_id, author_name and sibling_ids are NULL. author_name: the display name, else the username. sibling_ids: the messages beside it, itself included, the oldest first. attachments: an array of {position, name, media_type, byte_size, width, height}';

CREATE TYPE chat.listed_share AS (
  share_id uuid,
  conversation_id uuid,
  title text,
  kind text,
  grantee_name text,
  permission text,
  leaf_id uuid,
  includes_later boolean,
  requires_login boolean,
  allows_fork boolean,
  created_at timestamptz,
  expires_at timestamptz,
  is_expired boolean
);
COMMENT ON TYPE chat.listed_share IS 'A share as its owner sees it in lists. title: as it is shown. grantee_name: as it was given; NULL for a link';

CREATE TYPE chat.supervised_conversation AS (
  id uuid,
  user_id uuid,
  email text,
  username text,
  display_name text,
  title text,
  description text,
  model text,
  is_archived boolean,
  reassigned_from uuid,
  created_at timestamptz,
  last_message_at timestamptz
);
COMMENT ON TYPE chat.supervised_conversation IS 'A conversation, with its owner, as those above them and administrators see it in lists';
