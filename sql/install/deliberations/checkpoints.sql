-- The history of deliberations: a checkpoint after each change, and the changes that every part of the machine makes: a next
-- phase, a pause, an end. The caller holds the lock on the deliberation's row, which comes before those of its requests.

CREATE OR REPLACE FUNCTION chat_private.add_checkpoint(user_id uuid, deliberation_id uuid, event text, step_id uuid DEFAULT NULL)
RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  d chat.deliberations;
  step chat.deliberation_steps;
BEGIN
  UPDATE chat.deliberations t SET last_seq = t.last_seq + 1, updated_at = clock_timestamp()
  WHERE t.user_id = add_checkpoint.user_id AND t.id = add_checkpoint.deliberation_id
  RETURNING t.* INTO d;
  SELECT s.* INTO step FROM chat.deliberation_steps s
  WHERE s.user_id = add_checkpoint.user_id AND s.id = add_checkpoint.step_id;
  INSERT INTO chat.deliberation_checkpoints (user_id, deliberation_id, seq, event, step_id, kind, persona_code, phase, round_number,
                                             status, state, total_cost, total_tokens)
  VALUES (d.user_id, d.id, d.last_seq, add_checkpoint.event, step.id, step.kind, step.persona_code, d.phase, d.round_number,
          d.status, jsonb_build_object('sub_problems', d.sub_problems, 'choices', d.choices, 'outcome', d.outcome,
                                       'synthesis', d.synthesis, 'rounds_ended_by', d.rounds_ended_by),
          d.total_cost, d.total_tokens);
  IF add_checkpoint.event IN ('completed', 'failed', 'paused', 'killed') THEN
    -- Any role of the database can listen, so it tells nothing but where to look.
    PERFORM pg_notify('pgchat_deliberations', d.id::text);
  END IF;
  RETURN d.last_seq;
END
$$;
COMMENT ON FUNCTION chat_private.add_checkpoint(uuid, uuid, text, uuid) IS
'Writes a deliberation as it is now into its history and returns the number of the checkpoint. Rows that appear with it carry
that number. event: as in chat.deliberation_checkpoints. step_id: the step that has ended. Whoever listens to pgchat_deliberations is told
of a deliberation that runs no more.';

CREATE OR REPLACE FUNCTION chat_private.enter_phase(user_id uuid, deliberation_id uuid, phase text, round_number integer) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  UPDATE chat.deliberations d SET phase = enter_phase.phase, round_number = enter_phase.round_number
  WHERE d.user_id = enter_phase.user_id AND d.id = enter_phase.deliberation_id;
  PERFORM chat_private.add_checkpoint(enter_phase.user_id, enter_phase.deliberation_id, 'phase');
END
$$;
COMMENT ON FUNCTION chat_private.enter_phase(uuid, uuid, text, integer) IS 'Begins another phase or round of a deliberation.';

CREATE OR REPLACE FUNCTION chat_private.halt_deliberation(user_id uuid, deliberation_id uuid, status text, pause_reason text, error jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  UPDATE chat.deliberations d
  SET status = halt_deliberation.status, pause_reason = halt_deliberation.pause_reason, error = halt_deliberation.error,
      active_ms = chat_private.active_ms_of(d), active_since = NULL,
      completed_at = CASE WHEN halt_deliberation.status = 'completed' THEN clock_timestamp() END
  WHERE d.user_id = halt_deliberation.user_id AND d.id = halt_deliberation.deliberation_id;
  PERFORM chat_private.add_checkpoint(halt_deliberation.user_id, halt_deliberation.deliberation_id, halt_deliberation.status);
END
$$;
COMMENT ON FUNCTION chat_private.halt_deliberation(uuid, uuid, text, text, jsonb) IS
'Has a deliberation run no more. status: paused, failed or completed. pause_reason: only with paused. error: only with failed.';
