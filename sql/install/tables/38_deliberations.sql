-- Deliberations: a problem that a board of personas argues over, where it stands and what it may cost.

CREATE TABLE chat.deliberations (
  user_id uuid NOT NULL REFERENCES chat.users (id) ON DELETE CASCADE,
  id uuid NOT NULL DEFAULT chat.uuid_v7(),
  problem_statement text NOT NULL CHECK (problem_statement <> ''),
  problem_context jsonb,
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'paused', 'completed', 'failed', 'killed')),
  phase text NOT NULL DEFAULT 'problem_decomposition'
    CHECK (phase IN ('problem_decomposition', 'persona_selection', 'initial_round', 'deliberation', 'moderator_intervention',
                     'voting', 'synthesis')),
  round_number integer NOT NULL DEFAULT 0 CHECK (round_number >= 0),
  max_rounds integer NOT NULL DEFAULT 10 CHECK (max_rounds BETWEEN 1 AND 100),
  model text,
  options jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(options) = 'object'),
  max_cost numeric CHECK (max_cost > 0),
  max_duration interval CHECK (max_duration > '0'),
  total_cost numeric NOT NULL DEFAULT 0,
  total_tokens bigint NOT NULL DEFAULT 0,
  sub_problems jsonb,
  choices jsonb,
  outcome jsonb,
  synthesis jsonb,
  rounds_ended_by text CHECK (rounds_ended_by IN ('converged', 'stalled', 'max_rounds')),
  pause_reason text CHECK (pause_reason IN ('requested', 'max_cost', 'max_duration', 'limit', 'cancelled')),
  error jsonb,
  last_seq integer NOT NULL DEFAULT 0,
  forked_from uuid,
  forked_from_seq integer,
  active_ms bigint NOT NULL DEFAULT 0,
  active_since timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  updated_at timestamptz NOT NULL DEFAULT now(),
  completed_at timestamptz,
  killed_at timestamptz,
  killed_by uuid,
  kill_reason text CHECK (char_length(kill_reason) <= 500),
  PRIMARY KEY (user_id, id),
  CHECK ((status = 'paused') = (pause_reason IS NOT NULL)),
  CHECK ((status = 'killed') = (killed_at IS NOT NULL)),
  CHECK ((status = 'completed') = (completed_at IS NOT NULL)),
  CHECK (active_since IS NULL OR status = 'active')
) WITH (fillfactor = 70);
-- What the engine looks after: those that run. Few at a time.
CREATE INDEX deliberations_running_idx ON chat.deliberations (user_id, id) WHERE active_since IS NOT NULL;
CREATE INDEX deliberations_killed_by_idx ON chat.deliberations (killed_by) WHERE killed_by IS NOT NULL;
COMMENT ON TABLE chat.deliberations IS 'Problems that a board of personas argues over: where each stands, and its totals';
COMMENT ON COLUMN chat.deliberations.problem_context IS 'What else the board should know, in any form';
COMMENT ON COLUMN chat.deliberations.status IS 'active: it runs, or waits to be started (started_at NULL); paused; completed; failed: chat.resume_deliberation tries again; killed: for good';
COMMENT ON COLUMN chat.deliberations.round_number IS '0 before the first round, which is number 1 and the initial one';
COMMENT ON COLUMN chat.deliberations.max_rounds IS 'The initial round included';
COMMENT ON COLUMN chat.deliberations.model IS 'The model for all that have none of their own; NULL: the user''s default';
COMMENT ON COLUMN chat.deliberations.options IS 'As given to chat.create_deliberation';
COMMENT ON COLUMN chat.deliberations.max_cost IS 'In the currency of the models'' prices; NULL: only the account''s own limits';
COMMENT ON COLUMN chat.deliberations.max_duration IS 'Of the time it is active; NULL: none';
COMMENT ON COLUMN chat.deliberations.total_cost IS 'The sum of the cost of its steps';
COMMENT ON COLUMN chat.deliberations.total_tokens IS 'The sum of the input and output tokens of its steps';
COMMENT ON COLUMN chat.deliberations.sub_problems IS 'An array of {id, title, description}; NULL until there are any';
COMMENT ON COLUMN chat.deliberations.choices IS 'What is voted on, an array of {id, label, description}; NULL until it is known';
COMMENT ON COLUMN chat.deliberations.outcome IS 'How the vote ended, as chat.deliberation_result shows it; NULL until then';
COMMENT ON COLUMN chat.deliberations.synthesis IS 'The conclusion: {summary, majority_view, dissent, open_risks, recommendations}, all null but summary where is_text is true: it came as text; NULL until then';
COMMENT ON COLUMN chat.deliberations.rounds_ended_by IS 'Why the rounds ended';
COMMENT ON COLUMN chat.deliberations.pause_reason IS 'requested; max_cost, max_duration: a cap; limit: one of the account''s limits; cancelled: its calls were called off';
COMMENT ON COLUMN chat.deliberations.error IS 'Why it failed: {code, sqlstate, message}';
COMMENT ON COLUMN chat.deliberations.last_seq IS 'The number of its last checkpoint';
COMMENT ON COLUMN chat.deliberations.forked_from IS 'The deliberation that it was forked from; no foreign key, for that may be deleted';
COMMENT ON COLUMN chat.deliberations.forked_from_seq IS 'The checkpoint of that';
COMMENT ON COLUMN chat.deliberations.active_ms IS 'Milliseconds it was active before active_since';
COMMENT ON COLUMN chat.deliberations.active_since IS 'Since when it runs; NULL: it does not';
COMMENT ON COLUMN chat.deliberations.killed_by IS 'The user who killed it, its owner or an administrator; NULL: pgchat_service';

CREATE TYPE chat.listed_deliberation AS (
  user_id uuid,
  email text,
  username text,
  id uuid,
  problem text,
  status text,
  phase text,
  round_number integer,
  max_rounds integer,
  total_cost numeric,
  total_tokens bigint,
  max_cost numeric,
  pause_reason text,
  error_code text,
  created_at timestamptz,
  started_at timestamptz,
  updated_at timestamptz,
  completed_at timestamptz,
  killed_at timestamptz,
  killed_by uuid,
  kill_reason text
);
COMMENT ON TYPE chat.listed_deliberation IS 'A deliberation as administrators see it in lists: whose it is and how it goes, not what was said. problem: at most the first 200 characters';
