-- Who may use the models that are not open to everybody: single users, and all who have a role or a plan.

-- A grant to a user is a row of that user's, so it has no foreign key to the model: chat.admin_delete_model removes it.
CREATE TABLE chat.user_model_access (
  user_id uuid NOT NULL,
  model_id uuid NOT NULL,
  granted_by uuid,
  granted_at timestamptz NOT NULL DEFAULT now(),
  is_active boolean NOT NULL DEFAULT true,
  PRIMARY KEY (user_id, model_id)
);
CREATE INDEX user_model_access_model_idx ON chat.user_model_access (model_id, user_id);
CREATE INDEX user_model_access_granted_by_idx ON chat.user_model_access (granted_by, user_id) WHERE granted_by IS NOT NULL;
COMMENT ON TABLE chat.user_model_access IS 'One row for each model that a user was given; it counts where the model is not open. Removed with the account.';
COMMENT ON COLUMN chat.user_model_access.granted_by IS 'The administrator who gave it; NULL: pgchat_service, or the account is gone';
COMMENT ON COLUMN chat.user_model_access.is_active IS 'False: it gives nothing, and is kept to be seen';

CREATE TABLE chat.group_model_access (
  id uuid PRIMARY KEY DEFAULT chat.uuid_v7(),
  model_id uuid NOT NULL REFERENCES chat.models (id) ON DELETE CASCADE,
  role text CHECK (role IN ('admin', 'supervisor', 'worker', 'user', 'guest')),
  plan text,
  granted_by uuid,
  granted_at timestamptz NOT NULL DEFAULT now(),
  is_active boolean NOT NULL DEFAULT true,
  CHECK (num_nonnulls(role, plan) = 1),
  UNIQUE (model_id, role),
  UNIQUE (model_id, plan)
);
COMMENT ON TABLE chat.group_model_access IS 'One row for each model that all users of a role, or of a plan, were given; it counts where the model is not open';
COMMENT ON COLUMN chat.group_model_access.plan IS 'The code of a row of chat.plans';
COMMENT ON COLUMN chat.group_model_access.granted_by IS 'The administrator who gave it; NULL: pgchat_service, or the account is gone';
COMMENT ON COLUMN chat.group_model_access.is_active IS 'False: it gives nothing, and is kept to be seen';

CREATE VIEW chat.model_access WITH (security_invoker = true) AS
  SELECT u.model_id, u.user_id, NULL::text AS role, NULL::text AS plan, u.granted_by, u.granted_at, u.is_active
  FROM chat.user_model_access u
  UNION ALL
  SELECT g.model_id, NULL, g.role, g.plan, g.granted_by, g.granted_at, g.is_active
  FROM chat.group_model_access g;
COMMENT ON VIEW chat.model_access IS 'All grants of models, each to a user, a role or a plan; for pgchat_service';
COMMENT ON COLUMN chat.model_access.model_id IS 'The row of chat.models';
COMMENT ON COLUMN chat.model_access.user_id IS 'The user it was given to; NULL: a role or a plan';
COMMENT ON COLUMN chat.model_access.role IS 'The role it was given to; NULL: a user or a plan';
COMMENT ON COLUMN chat.model_access.plan IS 'The code of the plan it was given to; NULL: a user or a role';
COMMENT ON COLUMN chat.model_access.granted_by IS 'The administrator who gave it; NULL: pgchat_service, or the account is gone';
COMMENT ON COLUMN chat.model_access.granted_at IS 'When it was given';
COMMENT ON COLUMN chat.model_access.is_active IS 'False: it gives nothing, and is kept to be seen';
