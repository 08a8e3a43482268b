-- Composite types that functions pass to each other.

CREATE TYPE chat_private.identity AS (user_id uuid, role text, session_id uuid);
COMMENT ON TYPE chat_private.identity IS 'Who a transaction acts for';

CREATE TYPE chat_private.completion AS (
  content text,
  thinking text,
  tool_calls jsonb,
  finish_reason text,
  model text,
  input_tokens integer,
  output_tokens integer,
  cached_tokens integer,
  cost numeric,
  latency_ms integer,
  first_token_ms integer,
  request_id uuid,
  sanitized boolean
);
COMMENT ON TYPE chat_private.completion IS 'What the engine returns for an immediate call';

CREATE TYPE chat_private.turn AS (parent_id uuid, system_prompt text, model text, messages jsonb, waits_for uuid, summaries jsonb);
COMMENT ON TYPE chat_private.turn IS 'Where a new message goes, what answers it, for an immediate call what it is told and the summaries that were written for it, and for a durable one the reply that must end first';

CREATE TYPE chat_private.reply_source AS (model text, options jsonb);
COMMENT ON TYPE chat_private.reply_source IS 'What made a reply, and what can make another one';

CREATE TYPE chat_private.turn_options AS (when_busy text, on_duplicate text);
COMMENT ON TYPE chat_private.turn_options IS 'The options of a turn that are pgchat''s own: NULL where not given';

-- The columns of chat.messages in their order, and what a list adds: a pgTAP test compares them.
CREATE TYPE chat.listed_message AS (
  user_id uuid,
  id uuid,
  conversation_id uuid,
  parent_id uuid,
  role text,
  status text,
  content text,
  content_hash bytea,
  thinking text,
  tool_calls jsonb,
  tool_call_id text,
  model text,
  finish_reason text,
  error jsonb,
  input_tokens integer,
  output_tokens integer,
  cached_tokens integer,
  cost numeric,
  latency_ms integer,
  first_token_ms integer,
  last_seq integer,
  idempotency_key text,
  attachment_count smallint,
  author_id uuid,
  rating smallint,
  feedback text,
  metadata jsonb,
  created_at timestamptz,
  updated_at timestamptz,
  is_error boolean,
  error_details jsonb,
  sibling_count integer,
  sibling_index integer
);
COMMENT ON TYPE chat.listed_message IS 'A message as chat.list_messages shows it: its row, whether it failed and why, how many messages go on from the same place, and which of them it is, by age from 1';

CREATE TYPE chat_private.title_choice AS (title text, source text);
COMMENT ON TYPE chat_private.title_choice IS 'A title, and what chat.conversations.title_source says of it';
