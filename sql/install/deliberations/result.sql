-- What came of a deliberation, in whatever state it is: for its owner, and with a trace in the audit log for administrators.

CREATE OR REPLACE FUNCTION chat_private.all_tallies(d chat.deliberations) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT jsonb_object_agg(m.method, (SELECT coalesce(jsonb_agg(to_jsonb(t) - 'place' ORDER BY t.place), '[]')
                                       FROM (SELECT t.*, row_number() OVER () AS place FROM chat_private.tally_of(d, m.method) t) t))
    FROM unnest(ARRAY['plurality', 'approval', 'ranked', 'confidence']) m (method));
END
$$;
COMMENT ON FUNCTION chat_private.all_tallies(chat.deliberations) IS 'The rows of chat.deliberation_tally by method.';

CREATE OR REPLACE FUNCTION chat_private.result_votes(d chat.deliberations) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'persona_code', v.persona_code, 'name', p.name, 'choice', v.choice, 'ranking', v.ranking, 'approvals', v.approvals,
        'reasoning', v.reasoning, 'confidence', v.confidence, 'is_abstention', v.is_abstention, 'error', v.error) ORDER BY p.seat), '[]')
    FROM chat.votes v
    JOIN chat.deliberation_participants p
      ON p.user_id = v.user_id AND p.deliberation_id = v.deliberation_id AND p.persona_code = v.persona_code
    WHERE v.user_id = d.user_id AND v.deliberation_id = d.id);
END
$$;
COMMENT ON FUNCTION chat_private.result_votes(chat.deliberations) IS 'The votes of a deliberation for chat.deliberation_result.';

CREATE OR REPLACE FUNCTION chat_private.result_totals(d chat.deliberations) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN (
    SELECT jsonb_build_object('cost', d.total_cost, 'tokens', d.total_tokens, 'calls', count(*),
                              'failed_calls', count(*) FILTER (WHERE s.state = 'failed'), 'open_calls', count(*) FILTER (WHERE s.state = 'open'),
                              'duration_ms', chat_private.active_ms_of(d))
    FROM chat.deliberation_steps s WHERE s.user_id = d.user_id AND s.deliberation_id = d.id);
END
$$;
COMMENT ON FUNCTION chat_private.result_totals(chat.deliberations) IS 'What a deliberation took, for chat.deliberation_result.';

CREATE OR REPLACE FUNCTION chat_private.result_of(d chat.deliberations) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET timezone = 'UTC' AS $$
#variable_conflict use_column
BEGIN
  RETURN jsonb_build_object(
      'id', d.id, 'problem', d.problem_statement, 'context', d.problem_context, 'status', d.status, 'phase', d.phase,
      'round_number', d.round_number, 'max_rounds', d.max_rounds, 'rounds_ended_by', d.rounds_ended_by,
      'rounds', (SELECT coalesce(jsonb_agg(to_jsonb(r) - ARRAY['user_id', 'deliberation_id', 'seq'] ORDER BY r.round_number), '[]')
                 FROM chat.deliberation_rounds r WHERE r.user_id = d.user_id AND r.deliberation_id = d.id),
      'participants', (SELECT coalesce(jsonb_agg(jsonb_build_object('persona_code', p.persona_code, 'seat', p.seat, 'name', p.name,
                                'expertise', p.expertise, 'category', p.category, 'model', coalesce(p.model, d.model)) ORDER BY p.seat), '[]')
                       FROM chat.deliberation_participants p WHERE p.user_id = d.user_id AND p.deliberation_id = d.id AND p.seat > 0),
      'sub_problems', d.sub_problems, 'choices', d.choices,
      'outcome', CASE jsonb_typeof(d.outcome) WHEN 'object' THEN d.outcome || jsonb_build_object('tallies', chat_private.all_tallies(d)) END,
      'votes', chat_private.result_votes(d), 'synthesis', d.synthesis, 'totals', chat_private.result_totals(d),
      'max_cost', d.max_cost, 'max_duration_ms', (extract(epoch FROM d.max_duration) * 1000)::bigint)
    || jsonb_build_object(
      'pause_reason', d.pause_reason, 'error', d.error,
      'killed', CASE WHEN d.status = 'killed' THEN jsonb_build_object('at', d.killed_at, 'reason', d.kill_reason,
        'by', CASE WHEN d.killed_by = d.user_id THEN 'owner' WHEN d.killed_by IS NULL THEN 'operator' ELSE 'administrator' END) END,
      'forked_from', d.forked_from, 'forked_from_seq', d.forked_from_seq,
      'created_at', d.created_at, 'started_at', d.started_at, 'completed_at', d.completed_at);
END
$$;
COMMENT ON FUNCTION chat_private.result_of(chat.deliberations) IS 'What chat.deliberation_result returns. Acts as the owner.';

CREATE OR REPLACE FUNCTION chat.deliberation_result(id uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  RETURN chat_private.result_of(chat_private.deliberation_to_read(deliberation_result.id));
END
$$;
COMMENT ON FUNCTION chat.deliberation_result(uuid) IS
'What came of one''s own deliberation; also of one that still runs, or ended early: what is not there yet is null, or an empty list. {id, problem,
context, status, phase, round_number, max_rounds, rounds_ended_by, rounds (the measures of each), participants, sub_problems, choices, outcome
(how the vote ended, with tallies by every method), votes (each with reasoning and confidence), synthesis {summary, majority_view, dissent,
open_risks, recommendations}, totals {cost, tokens, calls, failed_calls, open_calls, duration_ms}, max_cost, max_duration_ms, pause_reason,
error, killed {at, by: owner, administrator or operator, reason}, forked_from, forked_from_seq, created_at, started_at, completed_at}; times in UTC.
Errors: 28000 nobody is authenticated; 22004 id is NULL; P0002 no such deliberation of one''s own.';

CREATE OR REPLACE FUNCTION chat_private.deliberation_parts(d chat.deliberations) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET timezone = 'UTC' AS $$
#variable_conflict use_column
DECLARE
  owner_keys CONSTANT text[] := ARRAY['user_id', 'deliberation_id'];
BEGIN
  RETURN jsonb_build_object(
    'format', 'pgchat_deliberation', 'version', 1, 'deliberation', to_jsonb(d) - 'user_id',
    'participants', (SELECT coalesce(jsonb_agg(to_jsonb(t) - owner_keys ORDER BY t.seat), '[]')
                     FROM chat.deliberation_participants t WHERE t.user_id = d.user_id AND t.deliberation_id = d.id),
    'steps', (SELECT coalesce(jsonb_agg(to_jsonb(t) - owner_keys ORDER BY t.id), '[]')
              FROM chat.deliberation_steps t WHERE t.user_id = d.user_id AND t.deliberation_id = d.id),
    'contributions', (SELECT coalesce(jsonb_agg(to_jsonb(t) - owner_keys ORDER BY t.seq, t.id), '[]')
                      FROM chat.contributions t WHERE t.user_id = d.user_id AND t.deliberation_id = d.id),
    'votes', (SELECT coalesce(jsonb_agg(to_jsonb(t) - owner_keys ORDER BY t.seq, t.id), '[]')
              FROM chat.votes t WHERE t.user_id = d.user_id AND t.deliberation_id = d.id),
    'rounds', (SELECT coalesce(jsonb_agg(to_jsonb(t) - owner_keys ORDER BY t.round_number), '[]')
               FROM chat.deliberation_rounds t WHERE t.user_id = d.user_id AND t.deliberation_id = d.id),
    'checkpoints', (SELECT coalesce(jsonb_agg(to_jsonb(t) - owner_keys ORDER BY t.seq), '[]')
                    FROM chat.deliberation_checkpoints t WHERE t.user_id = d.user_id AND t.deliberation_id = d.id));
END
$$;
COMMENT ON FUNCTION chat_private.deliberation_parts(chat.deliberations) IS
'Every row of a deliberation with every column but its owner, by table; times in UTC. Acts as the owner.';

CREATE OR REPLACE FUNCTION chat_private.read_deliberation_as_owner(owner_id uuid, id uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.act_as(read_deliberation_as_owner.owner_id);
  d chat.deliberations;
  result jsonb;
BEGIN
  SELECT t.* INTO d FROM chat.deliberations t WHERE t.user_id = read_deliberation_as_owner.owner_id AND t.id = read_deliberation_as_owner.id;
  result := chat_private.deliberation_parts(d);
  PERFORM chat_private.switch_identity(previous);
  RETURN result;
END
$$;
COMMENT ON FUNCTION chat_private.read_deliberation_as_owner(uuid, uuid) IS
'All of somebody''s deliberation. Looks at nobody''s rights: its caller does.';

CREATE OR REPLACE FUNCTION chat.admin_read_deliberation(id uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.open_gate();
  owner_id uuid := (SELECT d.user_id FROM chat.deliberations d WHERE d.id = admin_read_deliberation.id);
BEGIN
  PERFORM chat_private.switch_identity(previous);
  IF admin_read_deliberation.id IS NULL THEN
    RAISE EXCEPTION 'id must not be null' USING ERRCODE = '22004';
  ELSIF owner_id IS NULL THEN
    RAISE EXCEPTION 'deliberation not found' USING ERRCODE = 'P0002';
  END IF;
  PERFORM chat_private.audit('admin.read_deliberation', 'deliberation:' || admin_read_deliberation.id,
                             jsonb_build_object('user_id', owner_id));
  RETURN chat_private.read_deliberation_as_owner(owner_id, admin_read_deliberation.id);
END
$$;
COMMENT ON FUNCTION chat.admin_read_deliberation(uuid) IS
'All of anybody''s deliberation, as chat.export_deliberation gives it to its owner as json. Audited.
Errors: 42501 not an administrator; 22004 id is NULL; P0002 no such deliberation; 57P03 no engine.';
