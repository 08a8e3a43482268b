-- Stages contributions and votes, which are the parts of a session, with what of them cannot be as it is there.
CREATE TEMP TABLE spoken_codes ON COMMIT DROP AS
SELECT c.given_code, pg_temp.persona_code(c.given_code) AS code
FROM (SELECT DISTINCT x.persona_code::text AS given_code FROM :"source".contributions x UNION SELECT DISTINCT v.persona_code::text FROM :"source".votes v) c;
-- The first round is number 1 here; where it was 0 there, all are one more.
CREATE TEMP TABLE shifted ON COMMIT DROP AS
SELECT DISTINCT c.session_id::text AS session_old_id, 1 AS shift FROM :"source".contributions c WHERE c.round_number = 0 AND lower(btrim(c.phase)) = 'initial_round';
CREATE TEMP TABLE parts ON COMMIT DROP AS
SELECT p.*, k.code, b.new_id AS deliberation_id, b.user_id, chat.uuid_v7() AS new_id, 'new' AS state, NULL::text AS reason,
  p.given_round + coalesce(z.shift, 0) AS round_number,
  NULL::text AS phase, CASE WHEN p.given_cost >= 0 AND p.given_cost <> 'NaN' THEN p.given_cost ELSE 0 END AS cost,
  CASE WHEN p.given_tokens >= 0 THEN p.given_tokens ELSE 0 END AS tokens,
  chat_private.time_within(p.given_at, now(), NULL) AS created_at,
  NULL::uuid AS joined_to
FROM (SELECT 'contributions' AS source_table, c.id::text AS old_id, c.session_id::text AS session_old_id, c.persona_code::text AS given_code,
        c.content::text AS content, NULL::text AS choice, NULL::numeric AS given_confidence, c.round_number AS given_round, lower(btrim(c.phase)) AS given_phase,
        c.cost::numeric AS given_cost, c.tokens::bigint AS given_tokens, nullif(btrim(c.model), '') AS model, c.created_at::timestamptz AS given_at
      FROM :"source".contributions c
      UNION ALL
      SELECT 'votes', v.id::text, v.session_id::text, v.persona_code::text, v.reasoning, nullif(btrim(v.vote_choice), ''), v.confidence::numeric,
        NULL, NULL, 0, 0, NULL, v.created_at::timestamptz
      FROM :"source".votes v) p
LEFT JOIN board b ON b.old_id = p.session_old_id LEFT JOIN spoken_codes k ON k.given_code = p.given_code
LEFT JOIN shifted z ON z.session_old_id = p.session_old_id;
-- Without a time: that of the neighbour before it.
UPDATE parts p SET created_at = w.created_at
FROM (SELECT x.source_table, x.old_id, x.created_at IS NULL AS is_missing, coalesce(max(x.created_at) OVER (
        PARTITION BY x.source_table, x.session_old_id ORDER BY length(x.old_id), x.old_id COLLATE "C"), b.since, now()) AS created_at
      FROM parts x LEFT JOIN board b ON b.old_id = x.session_old_id
      WHERE x.session_old_id IN (SELECT t.session_old_id FROM parts t WHERE t.created_at IS NULL)) w
WHERE w.is_missing AND p.source_table = w.source_table AND p.old_id = w.old_id;
ANALYZE parts;

UPDATE parts p SET state = 'there', new_id = m.new_id
FROM chat.import_map m WHERE m.system = :'system' AND m.source_table = p.source_table AND m.old_id = p.old_id;

UPDATE parts p SET state = 'refused', reason = r.reason
FROM (SELECT x.source_table, x.old_id, CASE
        WHEN b.old_id IS NULL THEN 'session_missing'
        WHEN b.reason IN ('owner_missing', 'owner_refused') THEN 'owner_refused'
        WHEN b.state = 'refused' THEN 'session_refused'
        WHEN NOT b.can_take THEN b.reason
        WHEN x.code IS NULL THEN 'persona_missing'
        WHEN x.source_table = 'contributions' AND coalesce(btrim(x.content), '') = '' THEN 'content_empty'
        WHEN octet_length(x.content) > chat_private.max_message_bytes() THEN 'content_too_long' END AS reason
      FROM parts x LEFT JOIN board b ON b.old_id = x.session_old_id WHERE x.state = 'new') r
WHERE p.source_table = r.source_table AND p.old_id = r.old_id AND r.reason IS NOT NULL;

-- Rounds and phases that are none: from what the session says, and the round.
UPDATE parts p SET round_number = CASE WHEN p.given_round >= 0 THEN p.round_number WHEN p.given_phase = 'initial_round' THEN 1
                                       ELSE greatest((SELECT b.given_round FROM board b WHERE b.old_id = p.session_old_id), 1) END
WHERE p.source_table = 'contributions' AND p.state <> 'refused' AND (p.given_round >= 0) IS NOT TRUE;
UPDATE parts p SET phase = CASE WHEN p.source_table = 'votes' THEN 'voting'
                                WHEN p.given_phase IN ('initial_round', 'deliberation', 'moderator_intervention') THEN p.given_phase
                                WHEN p.round_number <= 1 THEN 'initial_round' ELSE 'deliberation' END
WHERE p.state <> 'refused';

-- A persona speaks once in a round, and votes once: what it said more is joined, and its last vote counts.
UPDATE parts p SET joined_to = d.first_id
FROM (SELECT x.source_table, x.old_id, x.new_id, first_value(x.new_id) OVER w AS first_id
      FROM parts x WHERE x.state = 'new' AND x.source_table = 'contributions'
      WINDOW w AS (PARTITION BY x.deliberation_id, x.round_number, x.phase, x.code ORDER BY x.created_at, length(x.old_id), x.old_id COLLATE "C")) d
WHERE p.source_table = d.source_table AND p.old_id = d.old_id AND d.first_id <> d.new_id;
UPDATE parts p SET content = j.content, cost = j.cost, tokens = j.tokens
FROM (SELECT coalesce(x.joined_to, x.new_id) AS id, string_agg(x.content, E'\n\n' ORDER BY x.created_at, length(x.old_id), x.old_id COLLATE "C") AS content,
        sum(x.cost) AS cost, sum(x.tokens)::bigint AS tokens
      FROM parts x WHERE x.state = 'new' AND x.source_table = 'contributions' GROUP BY 1 HAVING count(*) > 1) j
WHERE p.source_table = 'contributions' AND p.new_id = j.id;
UPDATE parts p SET state = 'refused', reason = 'duplicate_vote'
FROM (SELECT x.old_id, row_number() OVER (PARTITION BY x.deliberation_id, x.code ORDER BY x.created_at DESC, length(x.old_id) DESC, x.old_id COLLATE "C" DESC) AS place
      FROM parts x WHERE x.state = 'new' AND x.source_table = 'votes') d
WHERE p.source_table = 'votes' AND p.old_id = d.old_id AND d.place > 1;
-- Those that an earlier run brought are here already.
UPDATE parts p SET state = 'refused', reason = CASE p.source_table WHEN 'votes' THEN 'duplicate_vote' ELSE 'duplicate_contribution' END
FROM board b
WHERE p.state = 'new' AND b.old_id = p.session_old_id AND b.state = 'there' AND CASE p.source_table
  WHEN 'votes' THEN EXISTS (SELECT FROM chat.votes v WHERE v.user_id = p.user_id AND v.deliberation_id = p.deliberation_id AND v.persona_code = p.code)
  ELSE EXISTS (SELECT FROM chat.contributions c WHERE c.user_id = p.user_id AND c.deliberation_id = p.deliberation_id
                 AND c.round_number = p.round_number AND c.phase = p.phase AND c.persona_code = p.code) END;

INSERT INTO found (source_table, old_id, user_id, kind, reason, details)
SELECT p.source_table, p.old_id, CASE WHEN p.reason IS DISTINCT FROM 'session_missing' THEN p.user_id END, f.kind, f.reason, f.details
FROM (SELECT x.* FROM parts x
      WHERE x.state = 'refused' OR x.state = 'new' AND (x.joined_to IS NOT NULL OR (x.given_cost >= 0 AND x.given_cost <> 'NaN' AND x.given_tokens >= 0 AND x.given_at <= now() AND isfinite(x.given_at)) IS NOT TRUE
        OR x.source_table = 'contributions' AND (x.given_round >= 0 AND x.phase = x.given_phase AND x.model IS NOT NULL) IS NOT TRUE
        OR x.source_table = 'votes' AND (x.choice IS NULL OR x.given_confidence NOT BETWEEN 0 AND 1 OR x.given_confidence = 'NaN'))) p,
LATERAL (VALUES
  (p.state = 'refused', 'refused', p.reason, CASE p.reason WHEN 'duplicate_vote'
     THEN jsonb_build_object('session', p.session_old_id, 'choice', p.choice, 'reasoning', left(p.content, 10000))
     ELSE jsonb_build_object('session', p.session_old_id, 'persona', p.given_code) END),
  (p.state = 'new' AND p.joined_to IS NOT NULL, 'changed', 'contribution_joined', jsonb_build_object('cost', p.given_cost, 'tokens', p.given_tokens)),
  (p.state = 'new' AND p.source_table = 'contributions' AND (p.given_round >= 0) IS NOT TRUE, 'changed', 'round_missing', jsonb_build_object('round_number', p.given_round, 'became', p.round_number)),
  (p.state = 'new' AND p.source_table = 'contributions' AND p.phase IS DISTINCT FROM p.given_phase, 'changed', 'phase_unknown', jsonb_build_object('phase', p.given_phase, 'became', p.phase)),
  (p.state = 'new' AND (p.given_cost IS NULL OR p.given_cost < 0 OR p.given_cost = 'NaN'), 'changed', 'cost_invalid', jsonb_build_object('cost', p.given_cost::text)),
  (p.state = 'new' AND (p.given_tokens >= 0) IS NOT TRUE, 'changed', 'tokens_invalid', jsonb_build_object('tokens', p.given_tokens)),
  (p.state = 'new' AND p.source_table = 'contributions' AND p.model IS NULL, 'changed', 'model_missing', '{}'),
  (p.state = 'new' AND p.source_table = 'votes' AND p.choice IS NULL, 'changed', 'choice_empty', jsonb_build_object('became', 'abstention')),
  (p.state = 'new' AND (p.given_confidence NOT BETWEEN 0 AND 1 OR p.given_confidence = 'NaN'), 'changed', 'confidence_out_of_range', jsonb_build_object('confidence', p.given_confidence::text)),
  (p.state = 'new' AND (p.given_at IS NULL OR NOT isfinite(p.given_at)), 'changed', 'time_missing', '{}'),
  (p.state = 'new' AND isfinite(p.given_at) AND p.given_at > now(), 'changed', 'time_in_future', jsonb_build_object('created_at', p.given_at))
) f (applies, kind, reason, details)
WHERE f.applies;

-- In the order in which a session went, from 1.
ALTER TABLE parts ADD n integer;
CREATE TEMP TABLE parts_in_order ON COMMIT DROP AS
SELECT p.source_table, p.old_id, row_number() OVER (PARTITION BY p.deliberation_id ORDER BY p.phase = 'voting', p.round_number, p.created_at,
  length(p.old_id), p.old_id COLLATE "C")::integer AS n
FROM parts p WHERE p.state = 'new' AND p.joined_to IS NULL;
ANALYZE parts_in_order;
UPDATE parts p SET n = o.n FROM parts_in_order o WHERE p.source_table = o.source_table AND p.old_id = o.old_id;
ANALYZE parts;
