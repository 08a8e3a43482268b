-- Board of One's workflows, access patterns, constraints and rules, in a database that was imported from one of its own.
BEGIN;
\ir people.psql
SELECT no_plan();

-- Nothing is lost: each row is here or reported, and as it was.
SELECT is_empty(format('SELECT * FROM pg_temp.lost(%L)', t), 'each row of ' || t || ' is here or refused')
FROM unnest(ARRAY['users', 'personas', 'sessions', 'contributions', 'votes', 'audit_log']) t;
SELECT is_empty($$
  SELECT o.id FROM old.users o JOIN chat.import_map i ON i.source_table = 'users' AND i.old_id = o.id JOIN chat.users u ON u.id = i.new_id
  WHERE o.email ~ '^member' AND (u.id::text, u.email, u.plan, u.consent_at, u.role, u.is_active, u.created_at, u.updated_at) IS DISTINCT FROM
    (o.id, o.email, o.subscription_tier, o.gdpr_consent_at, 'user', true, o.created_at, o.updated_at)$$, 'users are as they were: id, tier as plan, consent');
SELECT is_empty($$
  SELECT o.id FROM old.personas o JOIN chat.import_map i ON i.source_table = 'personas' AND i.old_id = o.id::text JOIN chat.personas p ON p.id = i.new_id
  WHERE o.id < 900000 AND (p.user_id, p.code, p.name, p.expertise, p.system_prompt, p.is_default) IS DISTINCT FROM
    ('00000000-0000-0000-0000-000000000000'::uuid, o.code, o.name, o.expertise, o.system_prompt, false)$$, 'personas are for all, and as they were');
SELECT is_empty($$
  SELECT o.id FROM old.sessions o JOIN chat.import_map i ON i.source_table = 'sessions' AND i.old_id = o.id JOIN chat.deliberations d ON d.user_id = i.user_id AND d.id = i.new_id
  WHERE o.id !~ '^dirty' AND (d.id::text, d.user_id::text, d.problem_statement, d.problem_context, d.status, d.phase, d.total_cost, d.total_tokens, d.round_number, d.max_rounds, d.created_at,
      d.updated_at, d.completed_at, d.killed_at, d.killed_by::text, d.kill_reason) IS DISTINCT FROM
    (o.id, o.user_id, o.problem_statement, o.problem_context::jsonb, CASE o.status WHEN 'active' THEN 'paused' ELSE o.status END, o.phase, o.total_cost, o.total_tokens::bigint, o.round_number, o.max_rounds,
      o.created_at, o.updated_at, o.completed_at, o.killed_at, nullif(o.killed_by, 'admin'), o.kill_reason)$$, 'sessions are as they were; those that ran are paused');
SELECT is_empty($$
  SELECT o.id FROM old.contributions o JOIN chat.import_map i ON i.source_table = 'contributions' AND i.old_id = o.id::text
  JOIN chat.contributions c ON c.user_id = i.user_id AND c.id = i.new_id
  WHERE o.id < 900000 AND (c.deliberation_id::text, c.persona_code, c.content, c.round_number, c.phase, c.cost, c.tokens, c.model, c.created_at) IS DISTINCT FROM
    (o.session_id, o.persona_code, o.content, o.round_number, o.phase, o.cost, o.tokens::bigint, o.model, o.created_at)$$, 'contributions are as they were');
SELECT is_empty($$
  SELECT o.id FROM old.votes o JOIN chat.import_map i ON i.source_table = 'votes' AND i.old_id = o.id::text JOIN chat.votes v ON v.user_id = i.user_id AND v.id = i.new_id
  WHERE o.id < 900000 AND (v.deliberation_id::text, v.persona_code, v.choice, v.reasoning, v.confidence, v.is_abstention, v.created_at) IS DISTINCT FROM
    (o.session_id, o.persona_code, o.vote_choice, o.reasoning, o.confidence, false, o.created_at)$$, 'votes are as they were');
SELECT is_empty($$
  SELECT o.id FROM old.audit_log o JOIN chat.import_map i ON i.source_table = 'audit_log' AND i.old_id = o.id::text
  JOIN chat.audit_log a ON a.id = ('x' || right(i.new_id::text, 12))::bit(48)::bigint
  WHERE o.id < 900000 AND (a.user_id::text, a.action, a.ip_address, a.user_agent, a.created_at, a.details - 'imported', a.details #>> '{imported,resource_id}', a.outcome) IS DISTINCT FROM
    (o.user_id, o.action, o.ip_address::inet, o.user_agent, o."timestamp", coalesce(o.details::jsonb, '{}'), o.resource_id, 'success')$$, 'audit rows are as they were, with time, address and user agent');
SELECT results_eq($$SELECT first_bad_id, rows_checked FROM chat.verify_audit_log()$$, $$SELECT NULL::bigint, count(*) FROM chat.audit_log$$, 'and links of the chain');

-- The dirty rows, one by one.
SELECT is(pg_temp.findings(t.source_table, t.old_id), t.expected, format('%s %s: %s', t.source_table, t.old_id, coalesce(t.expected, 'nothing')))
FROM (VALUES
  ('users', 'twin', 'refused duplicate_email'), ('users', 'no-address', 'refused email_invalid'), ('users', 'null-address', 'refused email_missing'),
  ('users', 'myspace', 'changed plan_unknown, changed provider_unknown'), ('users', 'nowhere', 'changed plan_unknown, changed provider_unknown'),
  ('users', 'not a name', 'changed provider_unknown, changed time_missing'), ('users', 'dirty', NULL),
  ('personas', '1', 'changed replaces_shipped'), ('personas', '900001', 'changed same_as_here'), ('personas', '900002', 'changed code_changed'), ('personas', '900003', 'changed code_changed'),
  ('personas', '900004', 'refused system_prompt_empty'), ('personas', '900005', 'changed expertise_missing, changed name_missing'),
  ('sessions', 'dirty-01', 'refused owner_refused'), ('sessions', 'dirty-02', 'refused owner_missing'), ('sessions', 'dirty-03', 'refused owner_missing'), ('sessions', 'dirty-04', 'refused problem_empty'),
  ('sessions', 'dirty-05', 'changed phase_unknown, changed round_changed, changed status_unknown, kept_aside json_invalid'),
  ('sessions', 'dirty-06', 'changed killed_by_unknown, changed phase_changed, changed round_changed, changed time_missing'),
  ('sessions', 'dirty-07', 'changed max_rounds_changed, changed phase_changed, changed time_missing, changed total_differs, kept_aside end_of_another_status'),
  ('sessions', 'dirty-08', 'changed rounds_renumbered, changed total_differs'), ('sessions', 'dirty-09', 'changed max_rounds_changed, changed total_differs'),
  ('sessions', 'dirty-10', 'changed phase_changed, changed round_changed'), ('sessions', 'dirty-11', 'changed active_is_paused, changed time_in_future, changed time_missing'),
  ('sessions', 'dirty-12', NULL), ('sessions', 'dirty-13', 'changed max_rounds_changed, changed phase_unknown, changed status_unknown, changed total_differs'), ('sessions', 'dirty-14', 'changed total_differs'),
  ('contributions', '900001', 'refused owner_refused'), ('contributions', '900002', 'refused session_missing'), ('contributions', '900003', 'refused session_missing'), ('contributions', '900004', 'refused session_refused'),
  ('contributions', '900020', 'refused content_empty'), ('contributions', '900021', NULL), ('contributions', '900022', 'changed contribution_joined'), ('contributions', '900023', 'changed persona_unknown'),
  ('contributions', '900024', 'refused persona_missing'), ('contributions', '900025', 'changed phase_unknown'),
  ('contributions', '900026', 'changed cost_invalid, changed model_missing, changed round_missing, changed time_missing, changed tokens_invalid'),
  ('contributions', '900027', 'changed cost_invalid, changed model_missing, changed phase_unknown, changed time_in_future, changed tokens_invalid'),
  ('contributions', '900028', 'refused content_too_long'), ('contributions', '900029', NULL), ('contributions', '900030', 'changed second_moderator'),
  ('votes', '900001', 'refused owner_refused'), ('votes', '900002', 'refused session_missing'), ('votes', '900003', 'refused session_missing'), ('votes', '900010', 'refused duplicate_vote'), ('votes', '900011', NULL),
  ('votes', '900012', 'changed choice_empty'), ('votes', '900013', 'changed confidence_out_of_range, changed time_missing'), ('votes', '900014', 'changed confidence_out_of_range, changed persona_unknown'),
  ('votes', '900015', 'refused persona_missing'),
  ('audit_log', '900001', 'changed resource_unknown, changed user_unknown'), ('audit_log', '900002', 'changed resource_unknown, changed user_unknown'), ('audit_log', '900003', 'refused action_missing'),
  ('audit_log', '900004', 'changed ip_address_invalid, changed time_missing'), ('audit_log', '900005', 'changed resource_unknown, changed time_in_future, kept_aside json_invalid'), ('audit_log', '900006', NULL)
) t (source_table, old_id, expected);
SELECT is_empty($$SELECT * FROM chat.import_findings f WHERE f.old_id !~ '^(dirty|9000..|twin|no-address|null-address|myspace|nowhere|not a name|[0-9])' AND f.reason NOT IN ('active_is_paused', 'total_differs')$$,
  'of clean rows there is nothing else to say');
SELECT is((SELECT string_agg(c.content, '|') FROM chat.contributions c WHERE c.id = pg_temp.here('contributions', '900022')), E'what she said\n\nand said again', 'who spoke twice in a round is heard once, and whole');
SELECT is((SELECT d.status || ' ' || d.killed_by IS NULL || ' ' || d.kill_reason FROM chat.deliberations d WHERE d.id = pg_temp.here('sessions', 'dirty-06')) IS NOT NULL, true, 'a killer whom nobody knows is nobody');
SELECT is((SELECT array_agg(c.round_number) FROM chat.contributions c WHERE c.deliberation_id = pg_temp.here('sessions', 'dirty-08')), '{1,1}', 'the first round is number 1');
SELECT is((SELECT p.persona_code FROM chat.deliberation_participants p WHERE p.deliberation_id = pg_temp.here('sessions', 'dirty-09') AND p.seat = 0), 'persona_moderator', 'who only intervened is the moderator');
SELECT is((SELECT p.system_prompt FROM chat.deliberation_participants p WHERE p.deliberation_id = pg_temp.here('sessions', 'dirty-09') AND p.persona_code = 'vanished'), 'You are vanished.',
          'who is not known any more has a place all the same');

-- Logging in: no passwords, but identities.
SELECT is_empty($$
  SELECT o.id FROM old.users o JOIN chat.import_map i ON i.source_table = 'users' AND i.old_id = o.id
  WHERE o.email ~ '^member' AND (chat_private.identity_owner(ROW(NULL, NULL, o.auth_provider, o.id, NULL, NULL, false, NULL, NULL)::chat.identities) IS DISTINCT FROM i.new_id
    OR chat_private.identity_owner(ROW(NULL, NULL, 'supabase', o.id, NULL, NULL, false, NULL, NULL)::chat.identities) IS DISTINCT FROM i.new_id)$$,
  'login_oidc finds everybody by the provider and the id');
SELECT is((SELECT count(*)::int FROM chat_private.credentials), 0, 'nobody has a password');
SELECT is(pg_temp.log_in('member1@board.example'), '28P01', 'nor gets in with one');
SELECT (SELECT i.user_id FROM chat.import_map i WHERE i.source_table = 'users' AND i.old_id = s.user_id) AS owner_id, s.id AS done_id FROM old.sessions s WHERE s.status = 'completed' ORDER BY s.created_at LIMIT 1 \gset
SELECT u.id AS other_id FROM old.users u WHERE u.id <> :'owner_id' AND u.email ~ '^member' ORDER BY u.created_at LIMIT 1 \gset
SELECT o.token AS owner, x.token AS other, d.token AS dirty
FROM chat_private.open_session(:'owner_id', NULL, NULL, NULL, false) o, chat_private.open_session(:'other_id', NULL, NULL, NULL, false) x,
  chat_private.open_session(pg_temp.here('users', 'dirty'), NULL, NULL, NULL, false) d \gset

-- Row security by app.current_user_id, which chat.authenticate sets.
SELECT is(pg_temp.got(:'owner', 'SELECT count(*) FROM chat.deliberations'), (SELECT count(*)::text FROM old.sessions WHERE user_id = :'owner_id'), 'one sees one''s own sessions');
SELECT is(pg_temp.got(:'owner', 'SELECT count(*) FROM chat.contributions'), (SELECT count(*)::text FROM old.contributions c JOIN old.sessions s ON s.id = c.session_id WHERE s.user_id = :'owner_id'), 'their contributions');
SELECT is(pg_temp.got(:'owner', 'SELECT count(*) FROM chat.votes'), (SELECT count(*)::text FROM old.votes c JOIN old.sessions s ON s.id = c.session_id WHERE s.user_id = :'owner_id'), 'their votes');
SELECT is(pg_temp.got(:'owner', $$SELECT count(*) FROM chat.audit_log WHERE details ? 'imported'$$), (SELECT count(*)::text FROM old.audit_log WHERE user_id = :'owner_id'), 'and one''s own audit rows');
SELECT is(pg_temp.got(:'other', format('SELECT count(*) FROM chat.deliberations WHERE id = %L', :'done_id')), '0', 'nobody else''s');
SELECT is(pg_temp.try(:'other', format('SELECT chat.deliberation_result(%L)', :'done_id')), 'P0002', 'nor what came of it');
SELECT is(pg_temp.try(:'other', format('SELECT chat.kill_deliberation(%L)', :'done_id')), 'P0002', 'and cannot kill it');
SELECT is(pg_temp.got(:'owner', $$SELECT current_setting('app.current_user_id')$$), :'owner_id', 'it is the id of then');
SELECT is(pg_temp.try(NULL, format('SET LOCAL app.current_user_id = %L', :'owner_id')), '42501', 'clients cannot set it themselves');
SELECT is(pg_temp.got(NULL, 'SELECT count(*) FROM chat.deliberations'), '0', 'and are nobody until they authenticate');
SELECT is(pg_temp.try(NULL, format('SELECT chat.deliberation_result(%L)', :'done_id')), '28000', 'to whom nothing is said');
CREATE ROLE check_trusted_backend IN ROLE pgchat_client;
GRANT SET ON PARAMETER app.current_user_id TO check_trusted_backend;
SET LOCAL ROLE check_trusted_backend;
SELECT set_config('app.current_user_id', :'owner_id', true) AS ignored \gset
SELECT count(*) AS seen, count(*) FILTER (WHERE user_id <> :'owner_id') AS foreign_ones FROM chat.deliberations \gset
RESET ROLE;
SELECT set_config('app.current_user_id', '', true) AS ignored \gset
SELECT is(:'seen' || ' ' || :'foreign_ones', (SELECT count(*) || ' 0' FROM old.sessions WHERE user_id = :'owner_id'), 'a backend that was trusted with it goes on as before');

-- Sessions: lists, one whole, results and reports.
SELECT is(pg_temp.got(:'owner', $$SELECT count(*) FROM chat.list_deliberations(page_size => 100)$$), (SELECT least(count(*), 100)::text FROM old.sessions WHERE user_id = :'owner_id'), 'sessions are listed');
SELECT pg_temp.got(:'owner', format('SELECT chat.deliberation_result(%L)', :'done_id')) AS result \gset
SELECT is(:'result'::jsonb ->> 'status', 'completed', 'a completed one has a result');
SELECT is(jsonb_array_length(:'result'::jsonb -> 'votes'), (SELECT count(*)::int FROM old.votes WHERE session_id = :'done_id'), 'with its votes');
SELECT is((SELECT array_agg(c ->> 'id' ORDER BY c ->> 'id' COLLATE "C") FROM jsonb_array_elements(:'result'::jsonb -> 'choices') c),
          (SELECT array_agg(DISTINCT vote_choice::text COLLATE "C") FROM old.votes WHERE session_id = :'done_id'), 'its choices are what was voted for');
SELECT is((SELECT jsonb_object_agg(t ->> 'choice', t -> 'votes') FROM jsonb_array_elements(:'result'::jsonb #> '{outcome,tally}') t),
          (SELECT jsonb_object_agg(v.vote_choice, v.n) FROM (SELECT vote_choice, count(*) AS n FROM old.votes WHERE session_id = :'done_id' GROUP BY 1) v), 'which are counted');
SELECT is((:'result'::jsonb #>> '{totals,cost}')::numeric, (SELECT total_cost FROM old.sessions WHERE id = :'done_id'), 'and what it cost');
SELECT matches(pg_temp.got(:'owner', format('SELECT chat.export_deliberation(%L)', :'done_id')), (SELECT 'Expert Nº(.|\n)*' || left(content, 30) FROM old.contributions WHERE session_id = :'done_id' ORDER BY id LIMIT 1),
               'the report tells what was said');
SELECT is(jsonb_array_length(pg_temp.got(:'owner', format($$SELECT chat.export_deliberation(%L, 'json')$$, :'done_id'))::jsonb -> 'contributions'), 40, 'and as JSON all of it is there');
SELECT is_empty($$
  SELECT d.id FROM chat.deliberations d LEFT JOIN (SELECT s.deliberation_id, sum(s.cost) AS cost, sum(coalesce(s.input_tokens, 0) + coalesce(s.output_tokens, 0)) AS tokens FROM chat.deliberation_steps s GROUP BY 1) s ON s.deliberation_id = d.id
  WHERE (d.total_cost, d.total_tokens) IS DISTINCT FROM (coalesce(s.cost, 0), coalesce(s.tokens, 0)::bigint)$$, 'totals are the sums of the steps, of all of them');
SELECT is_empty($$
  SELECT d.id FROM chat.deliberations d
  LEFT JOIN (SELECT v.deliberation_id, sum(v.cost) AS cost FROM chat.deliberation_cost_by_phase v GROUP BY 1) p ON p.deliberation_id = d.id
  LEFT JOIN (SELECT v.deliberation_id, sum(v.cost) AS cost FROM chat.deliberation_cost_by_persona v GROUP BY 1) w ON w.deliberation_id = d.id
  LEFT JOIN (SELECT v.deliberation_id, sum(v.cost) AS cost FROM chat.deliberation_cost_by_model v GROUP BY 1) m ON m.deliberation_id = d.id
  LEFT JOIN (SELECT v.deliberation_id, sum(v.cost) AS cost FROM chat.usage_events v GROUP BY 1) e ON e.deliberation_id = d.id
  WHERE (d.total_cost, d.total_cost, d.total_cost, d.total_cost) IS DISTINCT FROM (coalesce(p.cost, 0), coalesce(w.cost, 0), coalesce(m.cost, 0), coalesce(e.cost, 0))$$,
  'and so are those of the views by phase, persona and model, and of the usage');
SELECT is((SELECT sum(u.cost) FROM chat.usage_by_model u), (SELECT sum(d.total_cost) FROM chat.deliberations d), 'usage by day and model adds up to it');
SELECT is_empty($$SELECT e.id FROM chat.usage_events e WHERE e.tableoid = 'chat_private.usage_events_default'::regclass$$, 'each month has its partition');
SELECT is_empty($$
  SELECT s.id FROM chat.deliberations s JOIN chat.import_map i ON i.new_id = s.id AND i.source_table = 'sessions' JOIN old.sessions o ON o.id = i.old_id
  WHERE i.old_id !~ '^dirty' AND s.total_cost IS DISTINCT FROM o.total_cost$$, 'which is what the sessions had cost there');
SELECT ok((SELECT bool_and(s.phase = 'imported' AND s.persona_code IS NULL AND s.cost = 0.05) AND count(*) > 5 FROM chat.deliberation_steps s JOIN chat.import_map i ON i.new_id = s.deliberation_id
           WHERE s.kind = 'imported' AND i.old_id !~ '^dirty'), 'calls that were in no contribution are a step of their own');

-- History: every checkpoint follows, and each can be forked.
SELECT is_empty($$
  SELECT d.id FROM chat.deliberations d LEFT JOIN LATERAL (
    SELECT count(*) AS n, max(c.seq) AS last_seq, (array_agg(c.event ORDER BY c.seq))[1] AS first_event, (array_agg((c.event, c.status, c.phase, c.round_number, trim_scale(c.total_cost), c.total_tokens)::text ORDER BY c.seq DESC))[1] AS last_one,
      bool_and(c.created_at >= c.before AND c.total_cost >= c.cost_before) IS NOT FALSE AS goes_on
    FROM (SELECT k.*, lag(k.created_at) OVER (ORDER BY k.seq) AS before, lag(k.total_cost) OVER (ORDER BY k.seq) AS cost_before
          FROM chat.deliberation_checkpoints k WHERE k.user_id = d.user_id AND k.deliberation_id = d.id) c) h ON true
  WHERE (h.n, h.last_seq, h.first_event, h.last_one, h.goes_on) IS DISTINCT FROM
    (d.last_seq::bigint, d.last_seq, 'created', (d.status, d.status, d.phase, d.round_number, trim_scale(d.total_cost), d.total_tokens)::text, true)$$, 'each history is whole, and ends where its deliberation stands');
SELECT is(pg_temp.got(:'owner', format('SELECT count(*) FROM chat.follow_deliberation(%L) f WHERE f.content <> %L', :'done_id', '')) >= '40', true, 'it can be followed from its beginning');
SELECT pg_temp.got(:'owner', format('SELECT chat.fork_deliberation(%L)', :'done_id')) AS fork_id \gset
SELECT is((SELECT d.phase || ' ' || d.round_number || ' ' || d.total_cost || ' ' || (d.outcome IS NOT NULL) FROM chat.deliberations d WHERE d.id = :'fork_id'), 'synthesis 8 0 true', 'a fork of a completed one goes on with its synthesis');
SELECT is((SELECT count(*)::int FROM chat.contributions c WHERE c.deliberation_id = :'fork_id' AND c.copied_from IS NOT NULL), 40, 'and has what was said');
SELECT pg_temp.got(:'owner', format('SELECT chat.fork_deliberation(%L, %s)', :'done_id', (SELECT c.seq FROM chat.deliberation_checkpoints c WHERE c.deliberation_id = :'done_id' AND c.round_number = 2 ORDER BY c.seq DESC LIMIT 1))) AS early_fork \gset
SELECT is((SELECT count(*)::int FROM chat.contributions c WHERE c.deliberation_id = :'early_fork'), 10, 'one of its second round has two rounds');
SELECT is((SELECT d.phase || d.round_number FROM chat.deliberations d WHERE d.id = :'early_fork'), 'deliberation2', 'and is in it');

-- Killed ones are killed for good; those that ran wait until somebody resumes them.
SELECT s.id AS killed_id, s.user_id AS killed_owner FROM old.sessions s WHERE s.status = 'killed' AND s.id !~ '^dirty' ORDER BY s.created_at LIMIT 1 \gset
SELECT token AS victim FROM chat_private.open_session(:'killed_owner', NULL, NULL, NULL, false) \gset
SELECT is(pg_temp.try(:'victim', format('SELECT chat.resume_deliberation(%L)', :'killed_id')), '55000', 'a killed one cannot go on');
SELECT is(pg_temp.try(:'victim', format('SELECT chat.start_deliberation(%L)', :'killed_id')), '55000', 'nor begin again');
SELECT is(pg_temp.got(:'victim', format($$SELECT chat.deliberation_result(%L) #>> '{killed,reason}'$$, :'killed_id')), (SELECT kill_reason::text FROM old.sessions WHERE id = :'killed_id'), 'it is known why');
SELECT is((SELECT count(*)::int FROM chat.deliberations d WHERE d.status = 'active' AND d.forked_from IS NULL), 0, 'nothing runs by itself');
SELECT is((SELECT count(*)::int FROM chat_private.llm_requests), 0, 'no model is asked');
SELECT is((SELECT d.pause_reason FROM chat.deliberations d WHERE d.id = (SELECT id::uuid FROM old.sessions WHERE status = 'active' AND id !~ '^dirty' LIMIT 1)), 'requested', 'those that ran are paused');
SELECT pg_temp.here('sessions', 'dirty-12') AS half_id \gset
SELECT is(pg_temp.try(:'dirty', format('SELECT chat.resume_deliberation(%L)', :'half_id')), '1 rows', 'and are resumed');
SELECT results_eq(format($$SELECT s.kind, s.persona_code, s.round_number FROM chat.deliberation_steps s WHERE s.deliberation_id = %L AND s.state = 'open'$$, :'half_id'), $$VALUES ('contribute', 'expert_3', 2)$$,
  'in the middle of a round only who has not spoken is asked');
SELECT is(pg_temp.try(:'dirty', format($$SELECT chat.kill_deliberation(%L, 'enough')$$, :'half_id')), '1 rows', 'and can be killed by their owner');
SELECT is((SELECT d.status || ' ' || d.kill_reason || ' ' || (d.killed_by = d.user_id) FROM chat.deliberations d WHERE d.id = :'half_id'), 'killed enough true', 'with who and why');
SELECT is(pg_temp.try(:'dirty', format('SELECT chat.resume_deliberation(%L)', pg_temp.here('sessions', t))), '1 rows', t || ' can be resumed') FROM unnest(ARRAY['dirty-05', 'dirty-08', 'dirty-09', 'dirty-10', 'dirty-11', 'dirty-13']) t;

-- Personas and plans.
SELECT is(pg_temp.got(:'owner', $$SELECT count(*) FROM chat.list_personas() WHERE code ~ '^expert_'$$), '9', 'everybody can choose the personas of then');
SELECT is(pg_temp.got(:'owner', $$SELECT name FROM chat.list_personas() WHERE code = 'growth_hacker'$$), 'Expert Nº 1', 'the text of then goes before that which came with pgchat');
SELECT is(pg_temp.try(:'owner', $$UPDATE chat.personas SET name = 'me' WHERE code = 'expert_2'$$), '42501', 'and cannot change them');
SELECT is((SELECT string_agg(DISTINCT plan, ',' ORDER BY plan) FROM chat.users), 'enterprise,free,pro', 'tiers are plans');

-- Payments, which were planned there: the tier of then is what a subscription gives, and takes when it ends.
SELECT chat.admin_save_plan_price('stripe', 'price_of_' || code, code) FROM unnest(ARRAY['pro', 'enterprise']) code;
SELECT u.id AS payer FROM chat.users u WHERE u.plan = 'pro' ORDER BY u.id LIMIT 1 \gset
SELECT chat.admin_set_billing_customer(:'payer', 'stripe', 'cus_of_then');
CREATE FUNCTION pg_temp.told(at text, status text, price text) RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(' ', a.outcome, a.detail) FROM chat.admin_apply_billing_event('stripe', jsonb_build_object('id', 'evt_' || at, 'type', 'told', 'occurred_at', at, 'customer', 'cus_of_then',
    'subscription', jsonb_build_object('id', 'sub_1', 'status', status, 'price', price, 'started_at', '2025-01-01'))) a $$;
CREATE FUNCTION pg_temp.plan_of(person uuid) RETURNS text LANGUAGE sql AS $$ SELECT plan FROM chat.users WHERE id = person $$;
SELECT is(pg_temp.told(at, status, price) || ' ' || pg_temp.plan_of(:'payer'), 'applied ' || plan, 'a payer who is ' || status || ' has ' || plan)
FROM (VALUES ('2026-01-01', 'active', 'price_of_pro', 'pro'), ('2026-01-02', 'active', 'price_of_enterprise', 'enterprise'), ('2026-01-03', 'past_due', 'price_of_enterprise', 'enterprise'),
             ('2026-01-04', 'canceled', 'price_of_enterprise', 'free')) v (at, status, price, plan);

-- Planned there: sessions of browsers, payments, mail.
SELECT is(pg_temp.got(:'owner', $$SELECT count(*) FROM chat.list_sessions() WHERE is_current$$), '1', 'sessions of browsers are listed');
SELECT is(pg_temp.try(:'owner', 'SELECT chat.logout()'), '1 rows', 'and end');
SELECT is(pg_temp.try(:'owner', 'SELECT chat.me()'), '28000', 'for good');
SELECT token AS owner FROM chat_private.open_session(:'owner_id', NULL, NULL, NULL, false) \gset
SELECT lives_ok(format($$SELECT chat.admin_set_plan(%L, 'enterprise')$$, :'owner_id'), 'who pays gets another plan');
SELECT is(pg_temp.got(:'owner', 'SELECT plan FROM chat.me()'), 'enterprise', 'with its limits');
SELECT is(pg_temp.try(:'owner', $$SELECT chat.admin_set_plan(chat.current_user_id(), 'pro')$$), '42501', 'nobody gives it to themselves');
SELECT lives_ok($$SELECT chat.admin_set_mail_template('set_password', 'de', 'Willkommen', 'Guten Tag {{display_name}}, hier entlang: {{app_url}} {{token}}')$$, 'mails have templates');

-- The audit log: by user, by resource, by time; nobody changes it.
SELECT is((SELECT count(*)::int FROM chat.admin_list_audit_log(user_id => :'other_id', page_size => 1000) a WHERE a.details ? 'imported'), (SELECT least(count(*), 1000)::int FROM old.audit_log WHERE user_id = :'other_id'), 'administrators ask by user');
SELECT is((SELECT count(*)::int FROM chat.admin_list_audit_log(since => '2025-03-01 02:00+00', until => '2025-03-01 04:00+00')), (SELECT count(*)::int FROM old.audit_log WHERE "timestamp" >= '2025-03-01 02:00+00' AND "timestamp" < '2025-03-01 04:00+00'), 'by the time of then');
SELECT is((SELECT count(*)::int FROM chat.audit_log a WHERE a.resource = 'deliberation:' || :'done_id' AND a.details ? 'imported'), (SELECT count(*)::int FROM old.audit_log WHERE resource_type = 'session' AND resource_id = :'done_id'), 'and by resource');
SELECT is((SELECT count(*)::int FROM chat.admin_list_audit_log(action => 'session_killed', page_size => 1000)), (SELECT least(count(*), 1000)::int FROM old.audit_log WHERE action = 'session_killed'), 'or action');
SELECT is(pg_temp.got(:'owner', format('SELECT count(*) FROM chat.audit_log WHERE user_id <> %L', :'owner_id')), '0', 'users see no rows of others');
SELECT is(pg_temp.try(:'owner', $$DELETE FROM chat.audit_log$$), '42501', 'and remove none');
SELECT is(pg_temp.try(:'owner', $$SELECT * FROM chat.admin_list_audit_log()$$), '42501', 'nor list those of all');

SELECT * FROM finish();
ROLLBACK;
