-- Plans: what kinds of accounts there are, and what each may use, as data that an administrator edits.

CREATE TABLE chat.plans (
  code text PRIMARY KEY CHECK (code ~ '^[a-z0-9][a-z0-9_-]{0,49}$'),
  name text NOT NULL CHECK (name <> '' AND char_length(name) <= 100),
  description text CHECK (char_length(description) <= 1000),
  limits jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(limits) = 'object'),
  is_active boolean NOT NULL DEFAULT true,
  is_default boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE chat.plans IS 'The plans an account can have; clients see the active ones. chat.admin_save_plan edits them.';
COMMENT ON COLUMN chat.plans.limits IS 'conversations, deliberations: how many at once; messages_per_day, messages_per_minute: how many are sent, calls of chat.llm_complete and the like included (for guests, and chat.llm_submit for all). requests_per_minute: calls to models in any 60 seconds; concurrent_calls: calls at once; tokens_per_day: input and output tokens of a day in UTC; cost_per_month: money of a month in UTC; attachment_bytes: bytes of files at once, in place of the setting attachment_quota_bytes. What is absent is not limited; other members are the application''s';
COMMENT ON COLUMN chat.plans.is_active IS 'False: no account can be given it; those that have it keep it';
COMMENT ON COLUMN chat.plans.is_default IS 'True: the row is as pgchat installed it, so a dump leaves it out and CREATE EXTENSION brings it back';

INSERT INTO chat.plans (code, name, description, limits, is_default) VALUES
  ('guest', 'Guest', 'Accounts that nobody has registered yet', '{"conversations": 10, "deliberations": 5, "messages_per_day": 100, "requests_per_minute": 60}', true),
  ('free', 'Free', 'What a new account has', '{}', true),
  ('pro', 'Pro', NULL, '{}', true),
  ('enterprise', 'Enterprise', NULL, '{}', true);
