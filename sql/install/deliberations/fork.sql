-- Forking a deliberation: another one that goes on from any of its checkpoints.

CREATE OR REPLACE FUNCTION chat_private.copy_deliberation_parts(user_id uuid, from_id uuid, until_seq integer, to_id uuid, new_seq integer)
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO chat.deliberation_participants (user_id, deliberation_id, persona_code, seat, name, expertise, category, system_prompt, model, seq)
  SELECT p.user_id, copy_deliberation_parts.to_id, p.persona_code, p.seat, p.name, p.expertise, p.category, p.system_prompt, p.model,
         copy_deliberation_parts.new_seq
  FROM chat.deliberation_participants p
  WHERE p.user_id = copy_deliberation_parts.user_id AND p.deliberation_id = copy_deliberation_parts.from_id
    AND p.seq <= copy_deliberation_parts.until_seq;
  -- What was paid was paid for the original.
  INSERT INTO chat.contributions (user_id, deliberation_id, persona_code, round_number, phase, content, thinking, model, latency_ms, seq,
                                  copied_from, created_at)
  SELECT c.user_id, copy_deliberation_parts.to_id, c.persona_code, c.round_number, c.phase, c.content, c.thinking, c.model, c.latency_ms,
         copy_deliberation_parts.new_seq, c.id, c.created_at
  FROM chat.contributions c
  WHERE c.user_id = copy_deliberation_parts.user_id AND c.deliberation_id = copy_deliberation_parts.from_id
    AND c.seq <= copy_deliberation_parts.until_seq
  ORDER BY c.seq, c.id;
  INSERT INTO chat.votes (user_id, deliberation_id, persona_code, choice, ranking, approvals, reasoning, confidence, is_abstention, error,
                          model, latency_ms, seq, copied_from, created_at)
  SELECT v.user_id, copy_deliberation_parts.to_id, v.persona_code, v.choice, v.ranking, v.approvals, v.reasoning, v.confidence, v.is_abstention,
         v.error, v.model, v.latency_ms, copy_deliberation_parts.new_seq, v.id, v.created_at
  FROM chat.votes v
  WHERE v.user_id = copy_deliberation_parts.user_id AND v.deliberation_id = copy_deliberation_parts.from_id
    AND v.seq <= copy_deliberation_parts.until_seq
  ORDER BY v.seq, v.id;
  INSERT INTO chat.deliberation_rounds (user_id, deliberation_id, round_number, speakers, agreement, stability, focus, verdict, seq, created_at)
  SELECT r.user_id, copy_deliberation_parts.to_id, r.round_number, r.speakers, r.agreement, r.stability, r.focus, r.verdict,
         copy_deliberation_parts.new_seq, r.created_at
  FROM chat.deliberation_rounds r
  WHERE r.user_id = copy_deliberation_parts.user_id AND r.deliberation_id = copy_deliberation_parts.from_id
    AND r.seq <= copy_deliberation_parts.until_seq;
END
$$;
COMMENT ON FUNCTION chat_private.copy_deliberation_parts(uuid, uuid, integer, uuid, integer) IS
'Copies what a deliberation had at its checkpoint until_seq, participants, contributions, votes and measures, into another one of the same user
that has none; there it appears with new_seq. Copies cost nothing.';

CREATE OR REPLACE FUNCTION chat.fork_deliberation(id uuid, seq integer DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  new_id uuid := chat.uuid_v7();
  origin chat.deliberations;
  past chat.deliberation_checkpoints;
BEGIN
  PERFORM chat_private.hold_account(caller_id);
  origin := chat_private.lock_deliberation(caller_id, fork_deliberation.id);
  SELECT c.* INTO past FROM chat.deliberation_checkpoints c
  WHERE c.user_id = caller_id AND c.deliberation_id = origin.id AND c.seq = coalesce(fork_deliberation.seq, origin.last_seq);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the deliberation has no checkpoint with this number' USING ERRCODE = 'P0002',
      HINT = 'chat.deliberation_checkpoints has them, from 1 on.';
  END IF;
  PERFORM chat_private.check_deliberation_limit(caller_id);
  INSERT INTO chat.deliberations (user_id, id, problem_statement, problem_context, phase, round_number, max_rounds, model, options, max_cost,
                                  max_duration, sub_problems, choices, outcome, rounds_ended_by, forked_from, forked_from_seq)
  VALUES (caller_id, new_id, origin.problem_statement, origin.problem_context, past.phase, past.round_number, origin.max_rounds, origin.model,
          origin.options, origin.max_cost, origin.max_duration, nullif(past.state -> 'sub_problems', 'null'),
          nullif(past.state -> 'choices', 'null'), nullif(past.state -> 'outcome', 'null'), past.state ->> 'rounds_ended_by',
          origin.id, past.seq);
  PERFORM chat_private.copy_deliberation_parts(caller_id, origin.id, past.seq, new_id,
                                               chat_private.add_checkpoint(caller_id, new_id, 'created'));
  PERFORM chat_private.audit('deliberation.fork', 'deliberation:' || new_id,
                             jsonb_build_object('forked_from', origin.id, 'seq', past.seq), wait => false);
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION chat.fork_deliberation(uuid, integer) IS
'A new deliberation of the current user that goes on where another one of theirs was at a checkpoint, whatever has become of that: with what was
said, measured and voted by then, as copies that cost nothing and name their originals in copied_from. In the middle of a round those who had spoken
are not asked again. problem, options, model and caps are those of the original; its total cost and time begin anew. seq: of
chat.deliberation_checkpoints; NULL: the last one. A synthesis is not copied: from the end of a completed one another synthesis is made. It does not run
until chat.start_deliberation.
Errors: 28000 nobody is authenticated; 22004 id is NULL; P0002 no such deliberation of mine, or no such checkpoint of it; PC303 the plan allows no more
deliberations.';
