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

CREATE TYPE chat_private.turn AS (parent_id uuid, system_prompt text, model text, messages jsonb);
COMMENT ON TYPE chat_private.turn IS 'Where a new message goes, what answers it and, for an immediate call, what it is told';

CREATE TYPE chat_private.title_choice AS (title text, source text);
COMMENT ON TYPE chat_private.title_choice IS 'A title, and what chat.conversations.title_source says of it';
