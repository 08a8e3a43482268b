-- The tables of a Board of One as its documentation has them, in the schema that the variable source names.
CREATE SCHEMA :"source";
SET search_path = :"source";

CREATE TABLE users (
  id varchar(255) PRIMARY KEY,
  email varchar(255) NOT NULL UNIQUE,
  auth_provider varchar(50) NOT NULL,
  subscription_tier varchar(50) NOT NULL DEFAULT 'free',
  gdpr_consent_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE personas (
  id serial PRIMARY KEY,
  code varchar(50) NOT NULL UNIQUE,
  name varchar(255) NOT NULL,
  expertise varchar(500) NOT NULL,
  system_prompt text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE sessions (
  id varchar(255) PRIMARY KEY,
  user_id varchar(255) NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  problem_statement text NOT NULL,
  problem_context json,
  status varchar(50) NOT NULL DEFAULT 'active',
  phase varchar(50) NOT NULL DEFAULT 'problem_decomposition',
  total_cost numeric(10, 4) NOT NULL DEFAULT 0.0,
  total_tokens integer NOT NULL DEFAULT 0,
  round_number integer NOT NULL DEFAULT 0,
  max_rounds integer NOT NULL DEFAULT 10,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  completed_at timestamptz,
  killed_at timestamptz,
  killed_by varchar(255),
  kill_reason varchar(500)
);
CREATE TABLE contributions (
  id serial PRIMARY KEY,
  session_id varchar(255) NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  persona_code varchar(50) NOT NULL REFERENCES personas (code),
  content text NOT NULL,
  round_number integer NOT NULL,
  phase varchar(50) NOT NULL,
  cost numeric(10, 4) NOT NULL DEFAULT 0.0,
  tokens integer NOT NULL DEFAULT 0,
  model varchar(100) NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE votes (
  id serial PRIMARY KEY,
  session_id varchar(255) NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  persona_code varchar(50) NOT NULL REFERENCES personas (code),
  vote_choice varchar(100) NOT NULL,
  reasoning text NOT NULL,
  confidence numeric(3, 2),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE audit_log (
  id serial PRIMARY KEY,
  user_id varchar(255) REFERENCES users (id) ON DELETE SET NULL,
  action varchar(100) NOT NULL,
  resource_type varchar(50) NOT NULL,
  resource_id varchar(255),
  details json,
  ip_address varchar(45),
  user_agent varchar(500),
  "timestamp" timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_sessions_user_id ON sessions (user_id);
CREATE INDEX idx_sessions_status ON sessions (status);
CREATE INDEX idx_sessions_created_at ON sessions (created_at);
CREATE INDEX idx_contributions_session_id ON contributions (session_id);
CREATE INDEX idx_contributions_round_number ON contributions (round_number);
CREATE INDEX idx_votes_session_id ON votes (session_id);
CREATE INDEX idx_audit_log_user_id ON audit_log (user_id);
CREATE INDEX idx_audit_log_timestamp ON audit_log ("timestamp");
CREATE INDEX idx_audit_log_resource ON audit_log (resource_type, resource_id);

ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE contributions ENABLE ROW LEVEL SECURITY;
ALTER TABLE votes ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY sessions_user_isolation ON sessions USING (user_id = current_setting('app.current_user_id'));
CREATE POLICY contributions_user_isolation ON contributions
  USING (session_id IN (SELECT id FROM sessions WHERE user_id = current_setting('app.current_user_id')));
CREATE POLICY votes_user_isolation ON votes
  USING (session_id IN (SELECT id FROM sessions WHERE user_id = current_setting('app.current_user_id')));
CREATE POLICY audit_log_user_isolation ON audit_log USING (user_id = current_setting('app.current_user_id'));
