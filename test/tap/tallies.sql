-- Votes of a board: each method of counting, quorum, ties, and what is recorded of them.
BEGIN;
\ir people.psql
SELECT plan(69);

-- A deliberation with choices a, b, c ... and a board of p1, p2 ...; the moderator is none of it.
CREATE FUNCTION pg_temp.board(person uuid, members integer, choice_count integer, options jsonb DEFAULT '{}') RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  made uuid;
BEGIN
  INSERT INTO chat.deliberations (user_id, problem_statement, options, choices)
  VALUES (person, 'Which way?', options, (SELECT jsonb_agg(jsonb_build_object('id', chr(96 + i), 'label', 'Way ' || chr(64 + i), 'description', '')) FROM generate_series(1, choice_count) i))
  RETURNING id INTO made;
  INSERT INTO chat.deliberation_participants (user_id, deliberation_id, persona_code, seat, name, expertise, system_prompt, seq)
  SELECT person, made, CASE i WHEN 0 THEN 'moderator' ELSE 'p' || i END, i, 'Person ' || i, 'e', 's', 1 FROM generate_series(0, members) i;
  RETURN made;
END $$;
-- Replaces the votes: one line a persona, 'a>b>c' for a ranking, '-' for an abstention, '' for no row; approvals after a slash, confidence after @.
CREATE FUNCTION pg_temp.cast_votes(deliberation uuid, VARIADIC lines text[]) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM chat.votes WHERE deliberation_id = deliberation;
  INSERT INTO chat.votes (user_id, deliberation_id, persona_code, choice, ranking, approvals, confidence, is_abstention, seq)
  SELECT d.user_id, d.id, 'p' || n, r.ranking[1], CASE WHEN cardinality(r.ranking) > 1 THEN r.ranking ELSE '{}' END,
         coalesce(string_to_array(substring(line FROM '/([a-z,]*)'), ','), '{}'), substring(line FROM '@(.*)$')::numeric, r.ranking[1] IS NULL, 1
  FROM chat.deliberations d, unnest(lines) WITH ORDINALITY l (line, n), LATERAL (SELECT string_to_array(substring(line FROM '^[a-z>]+'), '>') AS ranking) r
  WHERE d.id = deliberation AND line <> '';
  RETURN deliberation;
END $$;
CREATE FUNCTION pg_temp.tally_of(deliberation uuid, method text) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('%s:%s/%s#%s%s', t.choice, t.votes, t.score, t.rank, CASE WHEN t.is_winner THEN '!' ELSE '' END), ' ')
  FROM chat.deliberations d, chat_private.tally(d.user_id, d.id, method) t WHERE d.id = deliberation
$$;
CREATE FUNCTION pg_temp.outcome_of(deliberation uuid) RETURNS jsonb LANGUAGE sql AS $$
  SELECT chat_private.vote_outcome(d) FROM chat.deliberations d WHERE d.id = deliberation
$$;
SELECT pg_temp.board(:'alice', 7, 3) AS way \gset

-- The example of docs/voting.md.
SELECT pg_temp.cast_votes(:'way', 'a>b/a,b@0.9', 'a>b/a@0.8', 'a/a@0.6', 'b>c/b,c@0.5', 'b>c/b@0.6', 'c>b/b,c@1', 'c>b/b,c') \g /dev/null
SELECT is(pg_temp.tally_of(:'way', method), counted, 'the example, by ' || method)
FROM (VALUES ('plurality', 'a:3/3#1! b:2/2#2 c:2/2#2'), ('approval', 'b:5/5#1! a:3/3#2 c:3/3#2'), ('ranked', 'b:2/4#1 c:2/4#1 a:3/3#3'),
             ('confidence', 'a:3/2.30#1! c:2/1.50#2 b:2/1.10#3'), (NULL, 'a:3/3#1! b:2/2#2 c:2/2#2')) t (method, counted);

-- Plurality
SELECT is(pg_temp.tally_of(pg_temp.cast_votes(:'way', 'b', 'b', 'a', 'c', 'b', 'a', '-'), 'plurality'), 'b:3/3#1! a:2/2#2 c:1/1#3', 'the most votes win; an abstention is none');
SELECT is(pg_temp.tally_of(pg_temp.cast_votes(:'way', 'b', 'b', 'a', 'c', 'a', '', ''), 'plurality'), 'a:2/2#1 b:2/2#1 c:1/1#3', 'two that are first together: neither wins');
SELECT is(pg_temp.tally_of(pg_temp.cast_votes(:'way', '-', '-'), method), 'a:0/0#1 b:0/0#1 c:0/0#1', 'nobody wins without votes: ' || method)
FROM unnest(ARRAY['plurality', 'approval', 'ranked', 'confidence']) method;

-- Approval
SELECT is(pg_temp.tally_of(pg_temp.cast_votes(:'way', 'a/b,c', 'a/a,b', 'b/', 'c/c,c,b', '-', 'c'), 'approval'), 'b:4/4#1! c:3/3#2 a:2/2#3', 'a vote approves of its own choice, and of each once');

-- Confidence
SELECT is(pg_temp.tally_of(pg_temp.cast_votes(:'way', 'a@0.3', 'a@0.3', 'a@0.3', 'b@1', 'c'), 'confidence'), 'b:1/1.00#1! a:3/0.90#2 c:1/0.5#3', 'one who is sure outweighs three who are not; none given is a half');
SELECT is(pg_temp.tally_of(pg_temp.cast_votes(:'way', 'b@0', 'b@0', 'b@0', 'b@0'), 'confidence'), 'b:4/0.00#1! a:0/0#2 c:0/0#2', 'a vote without confidence is more than no vote');
SELECT is(pg_temp.tally_of(pg_temp.cast_votes(:'way', 'a@0.1', 'a@0.2', 'b@0.3', 'c@0'), 'confidence'), 'a:2/0.30#1 b:1/0.30#1 c:1/0.00#3', 'sums are exact, so 0.1 and 0.2 are 0.3');

-- Ranked
SELECT is(pg_temp.tally_of(pg_temp.cast_votes(:'way', 'a>b', 'a>c', 'a', 'b>c', 'b>c', 'c>b'), 'ranked'), 'a:3/3#1 b:2/3#1 c:1/1#3', 'half is no majority, and a tie at the end is one');
SELECT is(pg_temp.tally_of(pg_temp.cast_votes(:'way', 'a>b', 'a>c', 'a', 'b>c', 'b>c', 'c>b', 'c>b'), 'ranked'), 'b:2/4#1 c:2/4#1 a:3/3#3', 'either can win, by who of them is left out first; the one ahead at first cannot');
SELECT is(pg_temp.tally_of(pg_temp.cast_votes(:'way', 'a', 'a', 'a', 'b', 'b', 'c>b', 'c>b'), 'ranked'), 'a:3/3#1 b:2/4#1 c:2/2#3', 'here the other way: a wins where b, whose votes are exhausted, is left out');
SELECT is(pg_temp.tally_of(pg_temp.cast_votes(:'way', 'a', 'a', 'a', 'b>c', 'b>a', 'c>b', ''), 'ranked'), 'a:3/3#1 b:2/3#1 c:1/1#3', 'the last one''s votes are transferred');
SELECT is(pg_temp.tally_of(pg_temp.cast_votes(:'way', 'a', 'a', 'a', 'b', 'b', 'c', ''), 'ranked'), 'a:3/3#1! b:2/2#2 c:1/1#3', 'more than half of those that are not exhausted win');
SELECT is(pg_temp.outcome_of(:'way') -> 'method', '"plurality"', 'the method is plurality where none is chosen');
UPDATE chat.deliberations SET options = '{"tally": "ranked"}' WHERE id = :'way';
SELECT is(pg_temp.outcome_of(:'way') -> 'counts', '[{"last": ["c"], "votes": {"a": 3, "b": 2, "c": 1}, "exhausted": 0}, {"votes": {"a": 3, "b": 2}, "winner": "a", "exhausted": 1}]', 'every count is recorded, with the exhausted ballots');
SELECT is(pg_temp.tally_of(:'way', NULL), pg_temp.tally_of(:'way', 'ranked'), 'NULL is the deliberation''s method');
SELECT is(pg_temp.outcome_of(pg_temp.cast_votes(:'way', 'a>b', 'a>c', 'a>c', 'a')) -> 'counts', '[{"votes": {"a": 4, "b": 0, "c": 0}, "winner": "a", "exhausted": 0}]', 'a majority at once ends it');
SELECT is(pg_temp.outcome_of(pg_temp.cast_votes(:'way', 'a', 'b', 'c')) -> 'tie', '["a", "b", "c"]', 'all alike');
-- A ranking that contradicts the choice, repeats itself, or has what is no choice.
SELECT pg_temp.cast_votes(:'way', 'a', 'a', 'b', 'b', 'c') \g /dev/null
UPDATE chat.votes SET ranking = '{x,b,c,b,c}' WHERE persona_code = 'p5' AND deliberation_id = :'way';
SELECT is(pg_temp.tally_of(:'way', 'ranked'), 'b:2/3#1! a:2/2#2 c:1/1#3', 'the choice is first whatever the ranking says, each counts once, and what is no choice not at all');
UPDATE chat.votes SET choice = 'x', ranking = '{a}', approvals = '{a}', confidence = 1 WHERE persona_code = 'p5' AND deliberation_id = :'way';
SELECT is(pg_temp.tally_of(:'way', method), counted, 'a vote for what is no choice does not count: ' || method)
FROM (VALUES ('plurality', 'a:2/2#1 b:2/2#1 c:0/0#3'), ('approval', 'a:2/2#1 b:2/2#1 c:0/0#3'), ('ranked', 'a:2/2#1 b:2/2#1 c:0/0#3'), ('confidence', 'a:2/1.0#1 b:2/1.0#1 c:0/0#3')) t (method, counted);
SELECT is(pg_temp.outcome_of(:'way') - 'counts' - 'tally', '{"tie": ["a", "b"], "method": "ranked", "quorum": 0.5, "reason": "tie", "voters": 4, "winner": null, "abstentions": 1, "count_total": 2, "participants": 7, "quorum_reached": true}', 'and is recorded as an abstention');

-- Quorum
UPDATE chat.deliberations SET options = '{"quorum": 0.5}' WHERE id = :'way';
SELECT is(pg_temp.outcome_of(pg_temp.cast_votes(:'way', 'a', 'a', 'a', '-')) - 'tally', '{"tie": [], "method": "plurality", "quorum": 0.5, "reason": "no_quorum", "voters": 3, "winner": null, "abstentions": 1, "participants": 7, "quorum_reached": false}', 'three of seven are less than half, the moderator not counted');
SELECT is(pg_temp.tally_of(:'way', 'plurality'), 'a:3/3#1 b:0/0#2 c:0/0#2', 'so that nobody is the winner');
SELECT is(pg_temp.outcome_of(pg_temp.cast_votes(:'way', 'a', 'a', 'a', 'b')) ->> 'winner', 'a', 'four are enough');
UPDATE chat.deliberations SET options = jsonb_build_object('quorum', quorum) FROM (VALUES (0.57::numeric)) q (quorum) WHERE id = :'way';
SELECT is(pg_temp.outcome_of(:'way') ->> 'winner', 'a', '4 of 7 are 0.571');
UPDATE chat.deliberations SET options = '{"quorum": 0.58}' WHERE id = :'way';
SELECT is(pg_temp.outcome_of(:'way') ->> 'reason', 'no_quorum', 'and not 0.58');
UPDATE chat.deliberations SET options = '{"quorum": 0}' WHERE id = :'way';
SELECT is(pg_temp.outcome_of(pg_temp.cast_votes(:'way', 'b')) ->> 'winner', 'b', 'without a quorum one vote is enough');
SELECT is(pg_temp.outcome_of(pg_temp.cast_votes(:'way', '-', '-')) - 'tally', '{"tie": [], "method": "plurality", "quorum": 0, "reason": "no_votes", "voters": 0, "winner": null, "abstentions": 2, "participants": 7, "quorum_reached": false}', 'but none is not');
SELECT pg_temp.cast_votes(:'way', 'b', 'b') \g /dev/null
INSERT INTO chat.votes (user_id, deliberation_id, persona_code, choice, seq) VALUES (:'alice', :'way', 'moderator', 'a', 1);
SELECT is(pg_temp.tally_of(:'way', 'plurality'), 'b:2/2#1! a:0/0#2 c:0/0#2', 'the moderator has no vote');

-- Nothing to vote on, and rows as they should not be: the engine counts them without an error.
UPDATE chat.deliberations SET choices = NULL WHERE id = :'way';
SELECT is(pg_temp.outcome_of(:'way') - 'quorum' - 'participants', '{"tie": [], "tally": [], "method": "plurality", "reason": "no_choices", "voters": 0, "winner": null, "abstentions": 2, "quorum_reached": false}', 'no choices');
SELECT is(pg_temp.tally_of(:'way', 'ranked'), NULL, 'and no rows of a tally');
UPDATE chat.deliberations SET choices = bad, options = '{"tally": 7, "quorum": "x"}' FROM (VALUES (jsonb '{"a": 1}')) b (bad) WHERE id = :'way';
SELECT is(pg_temp.outcome_of(:'way') ->> 'reason', 'no_choices', 'what is no array is none');
UPDATE chat.deliberations SET choices = '[{"id": "b"}, {"label": "L"}, "text", null]' WHERE id = :'way';
SELECT is(pg_temp.outcome_of(:'way') #>> '{tally,0,label}', 'b', 'a choice without a label has its id');
SELECT alike(pg_temp.tally_of(:'way', method), 'b:2/_#1 :0/0#2 :0/0#2 :0/0#2', 'what has no id is behind all: ' || method) FROM unnest(ARRAY['plurality', 'approval', 'ranked']) method;
SELECT is((SELECT count(*) FROM chat_private.tally(:'alice', :'bob', NULL)), 0::bigint, 'no rows for what does not exist');
SELECT is(pg_temp.outcome(NULL, format('SELECT chat_private.vote_outcome(d), chat_private.tally(d.user_id, d.id, m) FROM chat.deliberations d, unnest(ARRAY[$$plurality$$, $$approval$$, $$ranked$$, $$confidence$$]) m WHERE d.id = %L',
          pg_temp.board(:'alice', 2, 2, '{"tally": "ranked"}')), 'pgchat_engine'), '8 rows', 'the engine may count');
SELECT ok(clock_timestamp() - began < interval '5 s' AND outcome ->> 'count_total' = '4083' AND jsonb_array_length(outcome -> 'counts') = 100 AND jsonb_array_length(outcome -> 'tie') = 12, 'the worst that a board of twelve can do')
FROM (SELECT clock_timestamp() AS began, pg_temp.cast_votes(pg_temp.board(:'alice', 12, 12, '{"tally": "ranked"}'), VARIADIC ARRAY(SELECT chr(96 + i) FROM generate_series(1, 12) i)) AS board OFFSET 0) b, LATERAL (SELECT pg_temp.outcome_of(b.board) AS outcome OFFSET 0) o;

-- Random votes against plain SQL over chat.votes, and against a runoff that is written otherwise: it follows every order of leaving.
CREATE FUNCTION pg_temp.can_win(remaining text[], persons text[], rankings jsonb) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  won integer[] := array_fill(0, ARRAY[cardinality(remaining)]);
  person text;
  found text[] := '{}';
  at integer;
BEGIN
  IF cardinality(remaining) = 1 THEN
    RETURN remaining;
  END IF;
  FOREACH person IN ARRAY persons LOOP
    FOR i IN 0 .. jsonb_array_length(rankings -> person) - 1 LOOP
      at := array_position(remaining, rankings -> person ->> i);
      IF at IS NOT NULL THEN
        won[at] := won[at] + 1;
        EXIT;
      END IF;
    END LOOP;
  END LOOP;
  FOR i IN 1 .. cardinality(remaining) LOOP
    IF won[i] = (SELECT min(w) FROM unnest(won) w) THEN
      found := found || pg_temp.can_win(array_remove(remaining, remaining[i]), persons, rankings);
    END IF;
  END LOOP;
  RETURN ARRAY(SELECT DISTINCT f FROM unnest(found) f ORDER BY f);
END $$;
CREATE FUNCTION pg_temp.random_votes(deliberation uuid) RETURNS void LANGUAGE sql AS $$
  DELETE FROM chat.votes WHERE deliberation_id = deliberation;
  INSERT INTO chat.votes (user_id, deliberation_id, persona_code, choice, ranking, approvals, confidence, is_abstention, seq)
  SELECT p.user_id, p.deliberation_id, p.persona_code, r.ids[1], CASE WHEN r.ids[1] IS NULL OR r.dice < 0.2 THEN '{}' ELSE r.ids END,
         CASE WHEN r.ids[1] IS NULL OR r.dice > 0.8 THEN '{}' ELSE r.approved END, CASE WHEN r.dice < 0.7 THEN round(r.sure::numeric, 1) END, r.ids[1] IS NULL, 1
  FROM chat.deliberation_participants p, LATERAL (
    SELECT random() AS dice, random() AS sure,
           ARRAY(SELECT c ->> 'id' FROM chat.deliberations d, jsonb_array_elements(d.choices) c WHERE d.id = p.deliberation_id ORDER BY random() LIMIT floor(random() * 6)) AS ids,
           ARRAY(SELECT c ->> 'id' FROM chat.deliberations d, jsonb_array_elements(d.choices) c WHERE d.id = p.deliberation_id AND random() < 0.4) AS approved) r
  WHERE p.deliberation_id = deliberation AND p.seat > 0 AND random() < 0.9
$$;
CREATE FUNCTION pg_temp.expected(deliberation uuid) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object(
    'plurality', (SELECT jsonb_object_agg(c ->> 'id', (SELECT count(*) FROM chat.votes v WHERE v.deliberation_id = d.id AND v.choice = c ->> 'id')) FROM jsonb_array_elements(d.choices) c),
    'approval', (SELECT jsonb_object_agg(c ->> 'id', (SELECT count(*) FROM chat.votes v WHERE v.deliberation_id = d.id AND (v.choice = c ->> 'id' OR c ->> 'id' = ANY (v.approvals)))) FROM jsonb_array_elements(d.choices) c),
    'confidence', (SELECT jsonb_object_agg(c ->> 'id', (SELECT coalesce(sum(coalesce(v.confidence, 0.5)), 0)::float8 FROM chat.votes v WHERE v.deliberation_id = d.id AND v.choice = c ->> 'id')) FROM jsonb_array_elements(d.choices) c),
    'ranked', (SELECT CASE WHEN count(*) = 0 THEN ARRAY(SELECT c ->> 'id' FROM jsonb_array_elements(d.choices) c) ELSE
                 pg_temp.can_win(ARRAY(SELECT c ->> 'id' FROM jsonb_array_elements(d.choices) c), array_agg(v.persona_code), jsonb_object_agg(v.persona_code, CASE WHEN v.ranking = '{}' THEN ARRAY[v.choice] ELSE v.ranking END)) END
               FROM chat.votes v WHERE v.deliberation_id = d.id AND NOT v.is_abstention))
  FROM chat.deliberations d WHERE d.id = deliberation
$$;
CREATE FUNCTION pg_temp.counted(deliberation uuid) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_object_agg(m.method, CASE m.method
    WHEN 'ranked' THEN (SELECT jsonb_agg(t.choice ORDER BY t.choice) FROM chat_private.tally(d.user_id, d.id, m.method) t WHERE t.rank = 1)
    ELSE (SELECT jsonb_object_agg(t.choice, t.score::float8) FROM chat_private.tally(d.user_id, d.id, m.method) t) END)
  FROM chat.deliberations d, unnest(ARRAY['plurality', 'approval', 'ranked', 'confidence']) m (method) WHERE d.id = deliberation
$$;
CREATE FUNCTION pg_temp.ranks_wrong(deliberation uuid) RETURNS bigint LANGUAGE sql AS $$
  SELECT count(*) FROM chat.deliberations d, unnest(ARRAY['plurality', 'approval', 'confidence', 'ranked']) m (method),
    LATERAL (SELECT t.*, count(*) FILTER (WHERE t.rank = 1) OVER () AS firsts, lag(t.score) OVER () AS score_before, lag(t.rank) OVER () AS rank_before, sum(t.votes) OVER () AS all_votes
             FROM chat_private.tally(d.user_id, d.id, m.method) t) t
  WHERE d.id = deliberation AND ((m.method <> 'ranked' AND t.score > t.score_before) OR t.rank < t.rank_before OR (t.is_winner AND (t.rank > 1 OR t.firsts > 1)) OR (t.rank = 1 AND t.firsts = 1 AND t.all_votes > 0 AND NOT t.is_winner))
$$;
CREATE FUNCTION pg_temp.trials(deliberation uuid, trials integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. trials LOOP
    PERFORM pg_temp.random_votes(deliberation);
    IF pg_temp.expected(deliberation) <> pg_temp.counted(deliberation) OR pg_temp.ranks_wrong(deliberation) > 0 THEN
      RETURN NEXT format('%s: %s, counted %s', (SELECT string_agg(format('%s %s %s %s', choice, ranking, approvals, confidence), '; ') FROM chat.votes WHERE deliberation_id = deliberation),
                         pg_temp.expected(deliberation), pg_temp.counted(deliberation));
    END IF;
  END LOOP;
END $$;
SELECT setseed(0.6) \g /dev/null
SELECT is_empty(format('SELECT pg_temp.trials(pg_temp.board(%L, %s, %s, ''{"quorum": 0}''), 40)', :'alice', members, choices), format('40 random votes of %s on %s choices', members, choices))
FROM (VALUES (2, 2), (3, 3), (5, 4), (8, 5), (12, 3)) t (members, choices);

-- Clients: the owner sees it, nobody else learns that it exists.
SELECT pg_temp.cast_votes(pg_temp.board(:'alice', 3, 2), 'a', 'b/b,a', 'b@1') AS counted \gset
SELECT is(pg_temp.try(token, format('SELECT * FROM chat.deliberation_tally(%L)', :'counted'), db_role), outcome, 'a tally for ' || name)
FROM (VALUES ('its owner', :'alice_token', 'pgchat_client', '2 rows'), ('somebody else', :'bob_token', 'pgchat_client', 'P0002'), ('a guest', :'guest_token', 'pgchat_client', 'P0002'), ('an administrator', :'admin_token', 'pgchat_client', 'P0002'),
             ('a supervisor', :'supa_token', 'pgchat_client', 'P0002'), ('nobody', NULL, 'pgchat_client', '28000'), ('an operator', NULL, 'pgchat_service', '28000')) t (name, token, db_role, outcome);
SELECT is(pg_temp.try(:'alice_token', 'SELECT * FROM chat.deliberation_tally(' || arguments || ')'), outcome, arguments)
FROM (VALUES ('NULL', '22004'), (quote_literal(:'bob'), 'P0002'), (quote_literal(:'counted') || ', $$borda$$', '22023'), (quote_literal(:'counted') || ', $$ranked$$', '2 rows'), (quote_literal(:'counted') || ', $$$$', '22023')) t (arguments, outcome);
SELECT is(pg_temp.got(:'alice_token', format('SELECT string_agg(format($$%%s %%s %%s %%s %%s %%s$$, choice, label, votes, score, rank, is_winner), $$; $$) FROM chat.deliberation_tally(%L, $$approval$$)', :'counted')),
          'a Way A 2 2 1 f; b Way B 2 2 1 f', 'counted by another method');
SELECT is(pg_temp.got(:'alice_token', format('SELECT string_agg(choice, $$$$) FROM chat.deliberation_tally(%L) WHERE is_winner', :'counted')), 'b', 'and by its own');
SELECT is(pg_temp.hint_of(:'bob_token', format('SELECT * FROM chat.deliberation_tally(%L)', :'counted')), 'chat.list_deliberations() lists yours.', 'who has none is told where to look');
SELECT * FROM finish();
ROLLBACK;
