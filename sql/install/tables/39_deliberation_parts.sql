-- What a deliberation consists of: who takes part, every call to a model, what was said, how it was voted, and its history.

CREATE TABLE chat.deliberation_participants (
  user_id uuid NOT NULL,
  deliberation_id uuid NOT NULL,
  persona_code text NOT NULL,
  seat integer NOT NULL CHECK (seat >= 0),
  name text NOT NULL,
  expertise text NOT NULL,
  category text,
  system_prompt text NOT NULL,
  model text,
  seq integer NOT NULL,
  PRIMARY KEY (user_id, deliberation_id, persona_code),
  UNIQUE (user_id, deliberation_id, seat),
  FOREIGN KEY (user_id, deliberation_id) REFERENCES chat.deliberations (user_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE chat.deliberation_participants IS 'Who deliberates: a copy of each persona as it was when it was chosen, and the moderator';
COMMENT ON COLUMN chat.deliberation_participants.persona_code IS 'The persona''s code, or moderator';
COMMENT ON COLUMN chat.deliberation_participants.seat IS 'The order in which they are told of, from 1; 0 is the moderator';
COMMENT ON COLUMN chat.deliberation_participants.model IS 'Its own model, before which the option models of the deliberation goes; NULL: the deliberation''s';
COMMENT ON COLUMN chat.deliberation_participants.seq IS 'The checkpoint with which it appeared';

CREATE TABLE chat.deliberation_steps (
  user_id uuid NOT NULL,
  id uuid NOT NULL,
  deliberation_id uuid NOT NULL,
  kind text NOT NULL
    CHECK (kind IN ('decompose', 'select', 'initial', 'contribute', 'moderate', 'choices', 'vote', 'synthesize', 'imported')),
  phase text NOT NULL,
  round_number integer NOT NULL,
  persona_code text,
  attempt integer NOT NULL DEFAULT 1 CHECK (attempt > 0),
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'complete', 'failed', 'cancelled')),
  model text NOT NULL,
  reserved_cost numeric NOT NULL DEFAULT 0,
  input_tokens integer,
  output_tokens integer,
  cached_tokens integer,
  cost numeric NOT NULL DEFAULT 0,
  latency_ms integer,
  error jsonb,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz,
  PRIMARY KEY (user_id, id),
  FOREIGN KEY (user_id, deliberation_id) REFERENCES chat.deliberations (user_id, id) ON DELETE CASCADE,
  CHECK ((state = 'open') = (finished_at IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX deliberation_steps_deliberation_idx ON chat.deliberation_steps (user_id, deliberation_id, id);
-- For the administrator's report of some days, of all users: rows are added in this order.
CREATE INDEX deliberation_steps_created_idx ON chat.deliberation_steps USING brin (created_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX deliberation_steps_open_idx ON chat.deliberation_steps (user_id, deliberation_id) WHERE state = 'open';
COMMENT ON TABLE chat.deliberation_steps IS 'Every call to a model that a deliberation made, failed and repeated ones included; their sums are its totals';
COMMENT ON COLUMN chat.deliberation_steps.id IS 'The id of the request, as in chat.usage_events.request_id';
COMMENT ON COLUMN chat.deliberation_steps.kind IS 'What was asked for; imported: what calls have cost in another system that says no more of them, then phase is imported, too';
COMMENT ON COLUMN chat.deliberation_steps.persona_code IS 'Who speaks; NULL where none of the board does';
COMMENT ON COLUMN chat.deliberation_steps.attempt IS 'Counts the calls for the same thing, from 1';
COMMENT ON COLUMN chat.deliberation_steps.state IS 'open: queued or under way; complete; failed: error says why; cancelled: it was not sent, or called off';
COMMENT ON COLUMN chat.deliberation_steps.model IS 'The model asked, then the one that answered';
COMMENT ON COLUMN chat.deliberation_steps.reserved_cost IS 'The most it was expected to cost, while it is open set aside from max_cost';
COMMENT ON COLUMN chat.deliberation_steps.cost IS 'Of all its attempts, retries and repairs included';
COMMENT ON COLUMN chat.deliberation_steps.latency_ms IS 'Milliseconds from sending it to its end';

CREATE TABLE chat.contributions (
  user_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT chat.uuid_v7(),
  deliberation_id uuid NOT NULL,
  persona_code text NOT NULL,
  round_number integer NOT NULL,
  phase text NOT NULL CHECK (phase IN ('initial_round', 'deliberation', 'moderator_intervention')),
  content text NOT NULL CHECK (content <> ''),
  thinking text,
  cost numeric NOT NULL DEFAULT 0,
  tokens bigint NOT NULL DEFAULT 0,
  model text NOT NULL,
  latency_ms integer,
  step_id uuid,
  seq integer NOT NULL,
  copied_from uuid,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (user_id, id),
  UNIQUE (user_id, deliberation_id, round_number, phase, persona_code),
  FOREIGN KEY (user_id, deliberation_id, persona_code)
    REFERENCES chat.deliberation_participants (user_id, deliberation_id, persona_code) ON DELETE CASCADE
);
CREATE INDEX contributions_seq_idx ON chat.contributions (user_id, deliberation_id, seq);
COMMENT ON TABLE chat.contributions IS 'What personas, and the moderator, said';
COMMENT ON COLUMN chat.contributions.cost IS 'That of the step which brought it; 0 where it is copied. Earlier attempts that failed are in chat.deliberation_steps alone';
COMMENT ON COLUMN chat.contributions.tokens IS 'Input and output of that step; 0 where it is copied';
COMMENT ON COLUMN chat.contributions.thinking IS 'What the model thought, at most the first 100000 characters';
COMMENT ON COLUMN chat.contributions.step_id IS 'The step; NULL where it is copied';
COMMENT ON COLUMN chat.contributions.seq IS 'The checkpoint with which it appeared';
COMMENT ON COLUMN chat.contributions.copied_from IS 'In a fork, the contribution it is a copy of; it was paid for there';

CREATE TABLE chat.votes (
  user_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT chat.uuid_v7(),
  deliberation_id uuid NOT NULL,
  persona_code text NOT NULL,
  choice text CHECK (choice <> '' AND char_length(choice) <= 100),
  ranking text[] NOT NULL DEFAULT '{}',
  approvals text[] NOT NULL DEFAULT '{}',
  reasoning text NOT NULL DEFAULT '',
  confidence numeric(3, 2) CHECK (confidence BETWEEN 0 AND 1),
  is_abstention boolean NOT NULL DEFAULT false,
  error jsonb,
  cost numeric NOT NULL DEFAULT 0,
  tokens bigint NOT NULL DEFAULT 0,
  model text,
  latency_ms integer,
  step_id uuid,
  seq integer NOT NULL,
  copied_from uuid,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (user_id, id),
  UNIQUE (user_id, deliberation_id, persona_code),
  FOREIGN KEY (user_id, deliberation_id, persona_code)
    REFERENCES chat.deliberation_participants (user_id, deliberation_id, persona_code) ON DELETE CASCADE,
  CHECK (is_abstention = (choice IS NULL)),
  CHECK (choice IS NOT NULL OR (ranking = '{}' AND approvals = '{}'))
);
COMMENT ON TABLE chat.votes IS 'How each persona voted on the choices of its deliberation';
COMMENT ON COLUMN chat.votes.choice IS 'The id of the choice it prefers; NULL: it abstained';
COMMENT ON COLUMN chat.votes.ranking IS 'Ids of choices, the best first; those it did not rank come after all others';
COMMENT ON COLUMN chat.votes.approvals IS 'Ids of the choices that it could live with';
COMMENT ON COLUMN chat.votes.confidence IS 'From 0 to 1';
COMMENT ON COLUMN chat.votes.is_abstention IS 'True where it said so, or gave no valid vote, for the reason in error';
COMMENT ON COLUMN chat.votes.cost IS 'As in chat.contributions, tokens likewise';
COMMENT ON COLUMN chat.votes.seq IS 'The checkpoint with which it appeared';
COMMENT ON COLUMN chat.votes.copied_from IS 'As in chat.contributions';

CREATE TABLE chat.deliberation_rounds (
  user_id uuid NOT NULL,
  deliberation_id uuid NOT NULL,
  round_number integer NOT NULL,
  speakers integer NOT NULL,
  agreement double precision CHECK (agreement BETWEEN 0 AND 1),
  stability double precision CHECK (stability BETWEEN 0 AND 1),
  focus double precision CHECK (focus BETWEEN 0 AND 1),
  verdict text NOT NULL CHECK (verdict IN ('continue', 'converged', 'stalling', 'drift', 'one_sided')),
  seq integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (user_id, deliberation_id, round_number),
  FOREIGN KEY (user_id, deliberation_id) REFERENCES chat.deliberations (user_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE chat.deliberation_rounds IS 'What was measured of each round when it had ended';
COMMENT ON COLUMN chat.deliberation_rounds.speakers IS 'Personas who contributed';
COMMENT ON COLUMN chat.deliberation_rounds.agreement IS 'How alike the contributions of the round are: the mean over all pairs of personas, 0 to 1; NULL: fewer than two spoke';
COMMENT ON COLUMN chat.deliberation_rounds.stability IS 'How alike each contribution is to the same persona''s in the round before: the mean, 0 to 1; NULL: in the first round';
COMMENT ON COLUMN chat.deliberation_rounds.focus IS 'How much the contributions have of the words of the problem, its context and its parts: the mean, 0 to 1';
COMMENT ON COLUMN chat.deliberation_rounds.verdict IS 'What follows from that: continue; converged: the vote comes next; stalling, drift, one_sided: the moderator intervenes';
COMMENT ON COLUMN chat.deliberation_rounds.seq IS 'The checkpoint with which it appeared';

CREATE TABLE chat.deliberation_checkpoints (
  user_id uuid NOT NULL,
  deliberation_id uuid NOT NULL,
  seq integer NOT NULL CHECK (seq > 0),
  event text NOT NULL CHECK (event IN ('created', 'started', 'step', 'phase', 'paused', 'resumed', 'killed', 'failed', 'completed', 'changed')),
  step_id uuid,
  kind text,
  persona_code text,
  phase text NOT NULL,
  round_number integer NOT NULL,
  status text NOT NULL,
  state jsonb NOT NULL,
  total_cost numeric NOT NULL,
  total_tokens bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (user_id, deliberation_id, seq),
  FOREIGN KEY (user_id, deliberation_id) REFERENCES chat.deliberations (user_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE chat.deliberation_checkpoints IS 'The history of each deliberation: its state after every step and every change; chat.fork_deliberation goes on from any of them';
COMMENT ON COLUMN chat.deliberation_checkpoints.event IS 'What happened: step: a call ended; phase: another phase or round began; changed: its owner changed it';
COMMENT ON COLUMN chat.deliberation_checkpoints.kind IS 'Of the step';
COMMENT ON COLUMN chat.deliberation_checkpoints.phase IS 'Of the deliberation from then on, as round_number and status';
COMMENT ON COLUMN chat.deliberation_checkpoints.state IS 'What else the deliberation consists of and has no rows of its own: {sub_problems, choices, outcome, synthesis, rounds_ended_by}';
