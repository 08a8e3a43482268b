-- Reports of deliberations: what each has cost, in what time it got where, and who agreed with whom.

-- Three views of one form.
DO $views$
DECLARE
  per record;
BEGIN
  FOR per IN
    SELECT * FROM (VALUES
      ('phase', 'phase', 'in each phase: the exact sums of chat.deliberation_steps. Each sees their own, pgchat_service all', 'The phase the call was made in'),
      ('persona', 'persona_code', NULL, 'Who spoke: a persona, or moderator; NULL: calls for the whole board, such as the synthesis'),
      ('model', 'model', 'of each model, as chat.deliberation_cost_by_phase', 'The model that answered, or was asked where none did')) v (name, key, about, about_key)
  LOOP
    EXECUTE format($view$
      CREATE OR REPLACE VIEW chat.deliberation_cost_by_%1$s WITH (security_invoker = true) AS
        SELECT s.user_id, s.deliberation_id, s.%2$I, count(*) AS calls, count(*) FILTER (WHERE s.state = 'failed') AS failed,
               count(*) FILTER (WHERE s.state = 'cancelled') AS cancelled, coalesce(sum(s.input_tokens), 0)::bigint AS input_tokens,
               coalesce(sum(s.output_tokens), 0)::bigint AS output_tokens, coalesce(sum(s.cached_tokens), 0)::bigint AS cached_tokens,
               sum(s.cost) AS cost
        FROM chat.deliberation_steps s GROUP BY s.user_id, s.deliberation_id, s.%2$I;
      COMMENT ON VIEW chat.deliberation_cost_by_%1$s IS %3$L;
      COMMENT ON COLUMN chat.deliberation_cost_by_%1$s.user_id IS 'Whose';
      COMMENT ON COLUMN chat.deliberation_cost_by_%1$s.%2$I IS %4$L;
      COMMENT ON COLUMN chat.deliberation_cost_by_%1$s.calls IS 'Calls to models, open, failed and repeated ones included';
      COMMENT ON COLUMN chat.deliberation_cost_by_%1$s.failed IS 'Of these, those that failed';
      COMMENT ON COLUMN chat.deliberation_cost_by_%1$s.cancelled IS 'Of these, those that were not sent, or called off';
      COMMENT ON COLUMN chat.deliberation_cost_by_%1$s.input_tokens IS 'Tokens of prompts';
      COMMENT ON COLUMN chat.deliberation_cost_by_%1$s.output_tokens IS 'Tokens of replies';
      COMMENT ON COLUMN chat.deliberation_cost_by_%1$s.cached_tokens IS 'The part of input_tokens that providers had cached';
      COMMENT ON COLUMN chat.deliberation_cost_by_%1$s.cost IS 'In the currency of the models'' prices; the sum over a deliberation is its total_cost'
      $view$, per.name, per.key,
      coalesce('What each deliberation has used ' || per.about, 'What each persona of each deliberation has used, as chat.deliberation_cost_by_phase'), per.about_key);
  END LOOP;
END
$views$;

CREATE OR REPLACE VIEW chat.deliberation_metrics WITH (security_invoker = true) AS
  SELECT d.user_id, d.id AS deliberation_id, d.status, d.phase, d.round_number AS rounds, d.rounds_ended_by,
         (SELECT count(*) FROM chat.deliberation_participants p
          WHERE p.user_id = d.user_id AND p.deliberation_id = d.id AND p.seat > 0) AS personas,
         c.contributions, c.interventions, v.votes, v.abstentions, s.calls, s.failed_calls, s.cancelled_calls,
         make_interval(secs => chat_private.active_ms_of(d) / 1000.0) AS active_time,
         coalesce(t.phase_times, '{}') AS phase_times, r.round_number AS measured_round, r.agreement, r.stability, r.focus, r.verdict,
         d.total_cost, d.total_tokens
  FROM chat.deliberations d
  CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE c.phase <> 'moderator_intervention') AS contributions,
           count(*) FILTER (WHERE c.phase = 'moderator_intervention') AS interventions
    FROM chat.contributions c WHERE c.user_id = d.user_id AND c.deliberation_id = d.id) c
  CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE NOT v.is_abstention) AS votes, count(*) FILTER (WHERE v.is_abstention) AS abstentions
    FROM chat.votes v WHERE v.user_id = d.user_id AND v.deliberation_id = d.id) v
  CROSS JOIN LATERAL (
    SELECT count(*) AS calls, count(*) FILTER (WHERE s.state = 'failed') AS failed_calls,
           count(*) FILTER (WHERE s.state = 'cancelled') AS cancelled_calls
    FROM chat.deliberation_steps s WHERE s.user_id = d.user_id AND s.deliberation_id = d.id) s
  CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(p.phase, p.seconds) AS phase_times
    FROM (SELECT k.phase, round(extract(epoch FROM sum(k.until - k.created_at)), 3) AS seconds
          FROM (SELECT h.phase, h.status, h.created_at,
                       lead(h.created_at, 1, CASE WHEN d.active_since IS NOT NULL THEN clock_timestamp() ELSE h.created_at END)
                         OVER (ORDER BY h.seq) AS until
                FROM chat.deliberation_checkpoints h WHERE h.user_id = d.user_id AND h.deliberation_id = d.id) k
          WHERE k.status = 'active' AND k.created_at >= d.started_at
          GROUP BY k.phase) p) t
  LEFT JOIN LATERAL (
    SELECT r.round_number, r.agreement, r.stability, r.focus, r.verdict
    FROM chat.deliberation_rounds r WHERE r.user_id = d.user_id AND r.deliberation_id = d.id
    ORDER BY r.round_number DESC LIMIT 1) r ON true;
COMMENT ON VIEW chat.deliberation_metrics IS 'How each deliberation went, in figures: one row each. Each sees their own, pgchat_service all';
COMMENT ON COLUMN chat.deliberation_metrics.user_id IS 'Whose';
COMMENT ON COLUMN chat.deliberation_metrics.status IS 'As in chat.deliberations, phase likewise';
COMMENT ON COLUMN chat.deliberation_metrics.rounds IS 'Rounds begun, the initial one included';
COMMENT ON COLUMN chat.deliberation_metrics.rounds_ended_by IS 'Why the rounds ended: converged, stalled, max_rounds; NULL: they have not';
COMMENT ON COLUMN chat.deliberation_metrics.personas IS 'Who deliberate, without the moderator';
COMMENT ON COLUMN chat.deliberation_metrics.contributions IS 'What personas said; in a fork with those copied from where it was forked, which cost nothing here';
COMMENT ON COLUMN chat.deliberation_metrics.interventions IS 'What the moderator said';
COMMENT ON COLUMN chat.deliberation_metrics.votes IS 'Votes for a choice';
COMMENT ON COLUMN chat.deliberation_metrics.abstentions IS 'Votes for none, invalid ones included';
COMMENT ON COLUMN chat.deliberation_metrics.calls IS 'Calls to models, open, failed and repeated ones included';
COMMENT ON COLUMN chat.deliberation_metrics.failed_calls IS 'Of these, those that failed';
COMMENT ON COLUMN chat.deliberation_metrics.cancelled_calls IS 'Of these, those that were not sent, or called off';
COMMENT ON COLUMN chat.deliberation_metrics.active_time IS 'How long it has run; time in which it was paused, or the server was down, does not count';
COMMENT ON COLUMN chat.deliberation_metrics.phase_times IS 'How many seconds passed in each phase while it was not paused, by its checkpoints: {"initial_round": 12.345}';
COMMENT ON COLUMN chat.deliberation_metrics.measured_round IS 'The last round that has been measured, to which the next four columns belong';
COMMENT ON COLUMN chat.deliberation_metrics.agreement IS 'As in chat.deliberation_rounds, stability, focus and verdict likewise';
COMMENT ON COLUMN chat.deliberation_metrics.total_cost IS 'In the currency of the models'' prices';
COMMENT ON COLUMN chat.deliberation_metrics.total_tokens IS 'Input and output';

-- In a view, a client may call what it cannot name; each round's texts are read once.
CREATE OR REPLACE VIEW chat.deliberation_agreement WITH (security_invoker = true) AS
  SELECT p.user_id, p.deliberation_id, p.round_number, p.persona_a, p.persona_b, p.agreement,
         p.agreement - lag(p.agreement) OVER (PARTITION BY p.user_id, p.deliberation_id, p.persona_a, p.persona_b
                                              ORDER BY p.round_number) AS change
  FROM (SELECT r.user_id, r.deliberation_id, r.round_number, r.personas[i] AS persona_a, r.personas[j] AS persona_b,
               r.alike[i][j] AS agreement
        FROM (SELECT c.user_id, c.deliberation_id, c.round_number, array_agg(c.persona_code ORDER BY c.persona_code) AS personas,
                     chat_private.text_similarities(array_agg(c.content ORDER BY c.persona_code)) AS alike
              FROM chat.contributions c WHERE c.phase IN ('initial_round', 'deliberation')
              GROUP BY c.user_id, c.deliberation_id, c.round_number) r
        CROSS JOIN LATERAL generate_series(1, cardinality(r.personas)) i
        CROSS JOIN LATERAL generate_series(i + 1, cardinality(r.personas)) j) p;
COMMENT ON VIEW chat.deliberation_agreement IS 'How alike each two personas of a deliberation spoke in each round; the mean of a round is chat.deliberation_rounds.agreement. Each sees their own, pgchat_service all. Give a deliberation_id: texts are compared when the view is read';
COMMENT ON COLUMN chat.deliberation_agreement.user_id IS 'Whose';
COMMENT ON COLUMN chat.deliberation_agreement.persona_a IS 'Each pair is there once: persona_a sorts before persona_b';
COMMENT ON COLUMN chat.deliberation_agreement.agreement IS '0 to 1';
COMMENT ON COLUMN chat.deliberation_agreement.change IS 'By how much agreement has grown since the last round in which both spoke; below 0: they moved apart; NULL: in the first';

CREATE OR REPLACE VIEW chat.deliberation_votes_agreement WITH (security_invoker = true) AS
  SELECT a.user_id, a.deliberation_id, a.persona_code AS persona_a, b.persona_code AS persona_b, a.choice AS choice_a, b.choice AS choice_b,
         a.choice = b.choice AS is_same
  FROM chat.votes a JOIN chat.votes b
    ON b.user_id = a.user_id AND b.deliberation_id = a.deliberation_id AND b.persona_code > a.persona_code;
COMMENT ON VIEW chat.deliberation_votes_agreement IS 'Whether each two personas of a deliberation voted for the same. Each sees their own, pgchat_service all';
COMMENT ON COLUMN chat.deliberation_votes_agreement.user_id IS 'Whose';
COMMENT ON COLUMN chat.deliberation_votes_agreement.persona_a IS 'Each pair is there once: persona_a sorts before persona_b';
COMMENT ON COLUMN chat.deliberation_votes_agreement.choice_a IS 'What persona_a voted for; NULL: it abstained; choice_b likewise';
COMMENT ON COLUMN chat.deliberation_votes_agreement.is_same IS 'NULL: one of the two abstained';
