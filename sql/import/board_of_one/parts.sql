-- Stages contributions and votes, which are the parts of a session, with what of them cannot be as it is there. Their texts are read again
-- when they are written.
CREATE TEMP TABLE spoken_codes ON COMMIT DROP AS
SELECT c.given_code, pg_temp.persona_code(c.given_code) AS code
FROM (SELECT DISTINCT x.persona_code::text AS given_code FROM :"source".contributions x UNION SELECT DISTINCT v.persona_code::text FROM :"source".votes v) c;
-- The first round is number 1 here; where it was 0 there, all are one more.
CREATE TEMP TABLE shifted ON COMMIT DROP AS
SELECT DISTINCT c.session_id::text AS session_old_id, 1 AS shift FROM :"source".contributions c WHERE c.round_number = 0 AND lower(btrim(c.phase::text)) = 'initial_round';
SELECT chat_private.max_message_bytes() AS max_bytes \gset
CREATE TEMP TABLE given_parts ON COMMIT DROP AS
WITH given AS (
  SELECT 'contributions' AS source_table, c.id::text AS old_id, c.session_id::text AS session_old_id, c.persona_code::text AS given_code,
    coalesce(btrim(c.content), '') = '' AS is_empty, octet_length(c.content) AS bytes, NULL::text AS choice, NULL::numeric AS given_confidence,
    CASE WHEN c.round_number BETWEEN 0 AND 1000 THEN c.round_number END AS given_round, c.round_number AS raw_round,
    lower(btrim(c.phase::text)) AS given_phase, c.cost::numeric AS given_cost, c.tokens::bigint AS given_tokens,
    nullif(btrim(c.model::text), '') AS model, c.created_at::timestamptz AS given_at
  FROM :"source".contributions c
  UNION ALL
  SELECT 'votes', v.id::text, v.session_id::text, v.persona_code::text, false, octet_length(v.reasoning), nullif(btrim(v.vote_choice::text), ''), v.confidence::numeric,
    NULL, NULL, NULL, 0, 0, NULL, v.created_at::timestamptz
  FROM :"source".votes v
), judged AS (
  SELECT g.*, k.code, b.new_id AS deliberation_id, b.user_id, b.since, b.round_there AS session_round, m.new_id AS there_id, coalesce(z.shift, 0) AS shift,
    CASE WHEN m.new_id IS NOT NULL THEN NULL
         WHEN b.old_id IS NULL THEN 'session_missing'
         WHEN b.reason IN ('owner_missing', 'owner_refused') THEN 'owner_refused'
         WHEN b.state = 'refused' THEN 'session_refused'
         WHEN NOT b.can_take THEN b.reason
         WHEN k.code IS NULL THEN 'persona_missing'
         WHEN g.is_empty THEN 'content_empty'
         WHEN g.bytes > :max_bytes THEN 'content_too_long' END AS reason
  FROM given g
  LEFT JOIN board b ON b.old_id = g.session_old_id LEFT JOIN spoken_codes k ON k.given_code = g.given_code
  LEFT JOIN shifted z ON z.session_old_id = g.session_old_id
  LEFT JOIN chat.import_map m ON m.system = :'system' AND m.source_table = g.source_table AND m.old_id = g.old_id
)
SELECT j.*, coalesce(j.there_id, chat.uuid_v7()) AS new_id, CASE WHEN j.there_id IS NOT NULL THEN 'there' WHEN j.reason IS NOT NULL THEN 'refused' ELSE 'new' END AS state,
  -- Rounds and phases that are none: from what the session says, and the round.
  r.round_number, CASE WHEN j.reason IS NOT NULL THEN NULL WHEN j.source_table = 'votes' THEN 'voting'
    WHEN j.given_phase IN ('initial_round', 'deliberation', 'moderator_intervention') THEN j.given_phase
    WHEN r.round_number <= 1 THEN 'initial_round' ELSE 'deliberation' END AS phase,
  CASE WHEN j.given_cost >= 0 AND j.given_cost <> 'NaN' THEN j.given_cost ELSE 0 END AS cost, CASE WHEN j.given_tokens BETWEEN 0 AND 100000000 THEN j.given_tokens ELSE 0 END AS tokens,
  chat_private.time_within(j.given_at, now(), NULL) AS created_at, NULL::uuid AS joined_to
FROM judged j, LATERAL (SELECT CASE WHEN j.given_round >= 0 THEN j.given_round + j.shift WHEN j.source_table = 'votes' OR j.reason IS NOT NULL THEN NULL
                                    WHEN j.given_phase = 'initial_round' THEN 1 ELSE greatest(j.session_round, 1) END AS round_number) r;
ANALYZE given_parts;
-- Without a time: that of the neighbour before it.
UPDATE given_parts p SET created_at = w.created_at
FROM (SELECT x.source_table, x.old_id, x.created_at IS NULL AS is_missing, coalesce(max(x.created_at) OVER (
        PARTITION BY x.source_table, x.session_old_id ORDER BY length(x.old_id), x.old_id COLLATE "C"), x.since, now()) AS created_at
      FROM given_parts x
      WHERE x.session_old_id IN (SELECT t.session_old_id FROM given_parts t WHERE t.created_at IS NULL)) w
WHERE w.is_missing AND p.source_table = w.source_table AND p.old_id = w.old_id;

-- A persona speaks once in a round, and votes once: what it said more is joined, and its last vote counts.
CREATE TEMP TABLE repeated_parts ON COMMIT DROP AS
SELECT x.source_table, x.old_id, x.new_id, x.created_at, x.cost, x.tokens, first_value(x.new_id) OVER w AS first_id, count(*) OVER w = g.n AS is_last
FROM given_parts x
JOIN (SELECT r.source_table, r.deliberation_id, r.round_number, r.phase, r.code, count(*) AS n FROM given_parts r WHERE r.state = 'new' GROUP BY 1, 2, 3, 4, 5 HAVING count(*) > 1) g
  ON (g.source_table, g.deliberation_id, g.phase, g.code) = (x.source_table, x.deliberation_id, x.phase, x.code) AND g.round_number IS NOT DISTINCT FROM x.round_number
WHERE x.state = 'new'
WINDOW w AS (PARTITION BY x.source_table, x.deliberation_id, x.round_number, x.phase, x.code ORDER BY x.created_at, length(x.old_id), x.old_id COLLATE "C" ROWS UNBOUNDED PRECEDING);
UPDATE given_parts p SET joined_to = r.first_id
FROM repeated_parts r WHERE r.source_table = 'contributions' AND r.first_id <> r.new_id AND p.source_table = r.source_table AND p.old_id = r.old_id;
UPDATE given_parts p SET state = 'refused', reason = 'duplicate_vote'
FROM repeated_parts r WHERE r.source_table = 'votes' AND NOT r.is_last AND p.source_table = r.source_table AND p.old_id = r.old_id;
CREATE TEMP TABLE joined_parts ON COMMIT DROP AS
SELECT r.first_id AS id, string_agg(c.content, E'\n\n' ORDER BY r.created_at, length(r.old_id), r.old_id COLLATE "C") AS content, sum(r.cost) AS cost, sum(r.tokens)::bigint AS tokens
FROM repeated_parts r JOIN :"source".contributions c ON c.id::text = r.old_id WHERE r.source_table = 'contributions' GROUP BY 1;
UPDATE given_parts p SET cost = j.cost, tokens = j.tokens FROM joined_parts j WHERE p.source_table = 'contributions' AND p.new_id = j.id;
-- Those that an earlier run brought are here already.
UPDATE given_parts p SET state = 'refused', reason = CASE p.source_table WHEN 'votes' THEN 'duplicate_vote' ELSE 'duplicate_contribution' END
FROM board b
WHERE p.state = 'new' AND b.old_id = p.session_old_id AND b.state = 'there' AND CASE p.source_table
  WHEN 'votes' THEN EXISTS (SELECT FROM chat.votes v WHERE v.user_id = p.user_id AND v.deliberation_id = p.deliberation_id AND v.persona_code = p.code)
  ELSE EXISTS (SELECT FROM chat.contributions c WHERE c.user_id = p.user_id AND c.deliberation_id = p.deliberation_id
                 AND c.round_number = p.round_number AND c.phase = p.phase AND c.persona_code = p.code) END;

-- n: in the order in which a session went, from 1.
CREATE TEMP TABLE parts ON COMMIT DROP AS
SELECT p.*, CASE WHEN p.state = 'new' AND p.joined_to IS NULL THEN row_number() OVER (PARTITION BY p.state = 'new' AND p.joined_to IS NULL, p.deliberation_id
  ORDER BY p.phase = 'voting', p.round_number, p.created_at, length(p.old_id), p.old_id COLLATE "C")::integer END AS n
FROM given_parts p;
DROP TABLE given_parts;
ANALYZE parts;

INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT p.source_table, p.old_id, CASE WHEN p.reason IS DISTINCT FROM 'session_missing' THEN p.user_id END, f.kind, f.reason, f.details
FROM (SELECT x.*, v.reasoning FROM parts x LEFT JOIN :"source".votes v ON x.reason = 'duplicate_vote' AND x.source_table = 'votes' AND v.id::text = x.old_id
      WHERE x.state = 'refused' OR x.state = 'new' AND (x.joined_to IS NOT NULL
        OR (x.given_cost >= 0 AND x.given_cost <> 'NaN' AND x.given_tokens BETWEEN 0 AND 100000000 AND x.given_at BETWEEN '1970-01-01 00:00+00' AND now()) IS NOT TRUE
        OR x.source_table = 'contributions' AND (x.given_round >= 0 AND x.phase = x.given_phase AND x.model IS NOT NULL) IS NOT TRUE
        OR x.source_table = 'votes' AND (x.choice IS NULL OR char_length(x.choice) > 100 OR x.given_confidence NOT BETWEEN 0 AND 1 OR x.given_confidence = 'NaN'))) p,
LATERAL (VALUES
  (p.state = 'refused', 'refused', p.reason, CASE p.reason WHEN 'duplicate_vote'
     THEN jsonb_build_object('session', p.session_old_id, 'choice', p.choice, 'reasoning', left(p.reasoning, 10000))
     ELSE jsonb_build_object('session', p.session_old_id, 'persona', p.given_code) END),
  (p.state = 'new' AND p.joined_to IS NOT NULL, 'changed', 'contribution_joined', jsonb_build_object('cost', p.given_cost, 'tokens', p.given_tokens)),
  (p.state = 'new' AND p.source_table = 'contributions' AND (p.given_round >= 0) IS NOT TRUE, 'changed', 'round_missing', jsonb_build_object('round_number', p.raw_round, 'became', p.round_number)),
  (p.state = 'new' AND p.source_table = 'contributions' AND p.phase IS DISTINCT FROM p.given_phase, 'changed', 'phase_unknown', jsonb_build_object('phase', p.given_phase, 'became', p.phase)),
  (p.state = 'new' AND (p.given_cost IS NULL OR p.given_cost < 0 OR p.given_cost = 'NaN'), 'changed', 'cost_invalid', jsonb_build_object('cost', p.given_cost::text)),
  (p.state = 'new' AND (p.given_tokens BETWEEN 0 AND 100000000) IS NOT TRUE, 'changed', 'tokens_invalid', jsonb_build_object('tokens', p.given_tokens)),
  (p.state = 'new' AND p.source_table = 'contributions' AND p.model IS NULL, 'changed', 'model_missing', '{}'),
  (p.state = 'new' AND char_length(p.choice) > 100, 'changed', 'choice_cut', jsonb_build_object('vote_choice', left(p.choice, 100000))),
  (p.state = 'new' AND p.source_table = 'votes' AND p.choice IS NULL, 'changed', 'choice_empty', jsonb_build_object('became', 'abstention')),
  (p.state = 'new' AND (p.given_confidence NOT BETWEEN 0 AND 1 OR p.given_confidence = 'NaN'), 'changed', 'confidence_out_of_range', jsonb_build_object('confidence', p.given_confidence::text)),
  (p.state = 'new' AND (p.given_at IS NULL OR NOT isfinite(p.given_at)), 'changed', 'time_missing', '{}'),
  (p.state = 'new' AND pg_temp.time_problem(p.given_at) IS NOT NULL, 'changed', pg_temp.time_problem(p.given_at), jsonb_build_object('created_at', p.given_at))
) f (applies, kind, reason, details)
WHERE f.applies;
