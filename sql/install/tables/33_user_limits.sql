-- Limits of single users, in place of those of their plan.

CREATE TABLE chat.user_limits (
  user_id uuid PRIMARY KEY REFERENCES chat.users (id) ON DELETE CASCADE,
  limits jsonb NOT NULL CHECK (jsonb_typeof(limits) = 'object'),
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE chat.user_limits IS 'One row for each user who has limits of their own; chat.admin_set_limits and chat.admin_set_budget write it';
COMMENT ON COLUMN chat.user_limits.limits IS 'Members as in chat.plans.limits, each in place of the plan''s; null: not limited, whatever the plan says';
