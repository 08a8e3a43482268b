-- Counting the votes of a deliberation, by four methods; what none of them decides is recorded as a tie.

CREATE OR REPLACE FUNCTION chat_private.valid_votes(d chat.deliberations)
RETURNS TABLE (persona_code text, choice text, ballot text[], approvals text[], confidence numeric)
LANGUAGE plpgsql STABLE ROWS 12 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  known CONSTANT text[] := ARRAY(SELECT c ->> 'id' FROM jsonb_array_elements(chat_private.choices_of(d)) c);
BEGIN
  RETURN QUERY
    SELECT v.persona_code, v.choice,
           ARRAY(SELECT b.id FROM unnest(v.choice || v.ranking) WITH ORDINALITY b (id, place) WHERE b.id = ANY (known)
                 GROUP BY b.id ORDER BY min(b.place)),
           ARRAY(SELECT DISTINCT a.id FROM unnest(v.choice || v.approvals) a (id) WHERE a.id = ANY (known)),
           coalesce(v.confidence, 0.5)
    FROM chat.votes v
    JOIN chat.deliberation_participants p
      ON p.user_id = v.user_id AND p.deliberation_id = v.deliberation_id AND p.persona_code = v.persona_code AND p.seat > 0
    WHERE v.user_id = d.user_id AND v.deliberation_id = d.id AND v.choice = ANY (known)
    ORDER BY p.seat;
END
$$;
COMMENT ON FUNCTION chat_private.valid_votes(chat.deliberations) IS
'The votes that count: of personas of the board, for one of the choices. ballot: the choice, then what else was ranked, each id once.
approvals: the choice is one of them. confidence: 0.5 where none was given.';

CREATE OR REPLACE FUNCTION chat_private.choices_of(d chat.deliberations) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE jsonb_typeof(d.choices) WHEN 'array' THEN d.choices ELSE '[]' END;
END
$$;
COMMENT ON FUNCTION chat_private.choices_of(chat.deliberations) IS 'What is voted on, an array; empty where it is not known yet.';

CREATE OR REPLACE FUNCTION chat_private.tally_method(d chat.deliberations) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE WHEN d.options ->> 'tally' IN ('approval', 'ranked', 'confidence') THEN d.options ->> 'tally' ELSE 'plurality' END;
END
$$;
COMMENT ON FUNCTION chat_private.tally_method(chat.deliberations) IS 'How a deliberation counts its votes: options.tally, or plurality.';

CREATE OR REPLACE FUNCTION chat_private.quorum_of(d chat.deliberations) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE jsonb_typeof(d.options -> 'quorum') WHEN 'number' THEN (d.options ->> 'quorum')::numeric ELSE 0.5 END;
END
$$;
COMMENT ON FUNCTION chat_private.quorum_of(chat.deliberations) IS 'The share of the board, from 0 to 1, that has to vote: options.quorum, or 0.5.';

CREATE OR REPLACE FUNCTION chat_private.has_quorum(d chat.deliberations) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  voters CONSTANT bigint := (SELECT count(*) FROM chat_private.valid_votes(d));
BEGIN
  RETURN voters > 0 AND voters >= chat_private.quorum_of(d) * (
    SELECT count(*) FROM chat.deliberation_participants p
    WHERE p.user_id = d.user_id AND p.deliberation_id = d.id AND p.seat > 0);
END
$$;
COMMENT ON FUNCTION chat_private.has_quorum(chat.deliberations) IS
'Whether the share of the board whose votes count reaches the quorum. Without any vote it does not.';

-- Where several choices have the fewest votes, each of them is left out in turn, and whoever wins in any of these courses can win: "parallel
-- universes" of V. Conitzer, M. Rognlie and L. Xia, Preference Functions That Score Rankings and Maximum Likelihood Estimation,
-- IJCAI 2009. What then follows depends only on which choices are left, so each set of them is counted once.
CREATE OR REPLACE FUNCTION chat_private.runoff(choices text[], ballots jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  voter integer[];
  preferred text[];
  pending jsonb := jsonb_build_array(to_jsonb(runoff.choices));
  remaining jsonb;
  votes jsonb;
  ballot_count bigint;
  fewest bigint;
  most bigint;
  last_ones jsonb;
  counts jsonb := '[]';
  winners text[] := '{}';
BEGIN
  SELECT array_agg(b.n ORDER BY b.n, p.place), array_agg(p.id ORDER BY b.n, p.place) INTO voter, preferred
  FROM jsonb_array_elements(runoff.ballots) WITH ORDINALITY b (ballot, n),
       jsonb_array_elements_text(b.ballot) WITH ORDINALITY p (id, place);
  WHILE voter IS NOT NULL AND jsonb_array_length(pending) > 0 LOOP
    remaining := pending -> 0;
    pending := pending - 0;
    SELECT jsonb_object_agg(c.id, c.n), sum(c.n), min(c.n), max(c.n),
           jsonb_agg(c.id ORDER BY c.place) FILTER (WHERE c.n = c.least)
    INTO votes, ballot_count, fewest, most, last_ones
    FROM (SELECT r.id, r.place, count(f.id) AS n, min(count(f.id)) OVER () AS least
          FROM jsonb_array_elements_text(remaining) WITH ORDINALITY r (id, place)
          LEFT JOIN (SELECT DISTINCT ON (b.n) b.id FROM unnest(voter, preferred) WITH ORDINALITY b (n, id, place)
                     WHERE remaining ? b.id ORDER BY b.n, b.place) f ON f.id = r.id
          GROUP BY r.id, r.place) c;
    counts := counts || jsonb_build_object('votes', votes, 'exhausted', jsonb_array_length(runoff.ballots) - ballot_count);
    IF most * 2 > ballot_count THEN
      winners := winners || (SELECT v.key FROM jsonb_each_text(votes) v WHERE v.value::bigint = most);
      counts := jsonb_set(counts, '{-1,winner}', to_jsonb(winners[cardinality(winners)]));
      CONTINUE;
    END IF;
    counts := jsonb_set(counts, '{-1,last}', last_ones);
    IF jsonb_array_length(remaining) = 2 THEN
      winners := winners || ARRAY(SELECT jsonb_array_elements_text(remaining));
      CONTINUE;
    END IF;
    -- Who has no vote at all leaves without changing anybody else's.
    IF fewest = 0 THEN
      last_ones := jsonb_build_array(last_ones);
    END IF;
    SELECT pending || coalesce(jsonb_agg(n.next_set ORDER BY n.place)
                                 FILTER (WHERE n.next_set NOT IN (SELECT p FROM jsonb_array_elements(pending) p)), '[]')
    INTO pending
    FROM (SELECT l.place, (SELECT jsonb_agg(r.id ORDER BY r.place)
                           FROM jsonb_array_elements_text(remaining) WITH ORDINALITY r (id, place) WHERE NOT l.leaving ? r.id) AS next_set
          FROM jsonb_array_elements(last_ones) WITH ORDINALITY l (leaving, place)) n;
  END LOOP;
  RETURN jsonb_build_object('counts', counts, 'winners', ARRAY(SELECT c FROM unnest(runoff.choices) c WHERE c = ANY (winners)));
END
$$;
COMMENT ON FUNCTION chat_private.runoff(text[], jsonb) IS
'An instant runoff. choices: ids; ballots: an array of arrays of ids, the best first, no id twice. Each ballot counts for the first of its
choices that is left, and is exhausted when none is. More than half of the ballots that are not exhausted win; until then who has the
fewest leaves, and two that are left with as many can both win. {"winners": ids of all that can win, "counts": an array, the first count first, of {votes: {id: number}, exhausted,
winner, or last: ids of those who have the fewest, which leave together where they have none, else each in turn}}.';

CREATE OR REPLACE FUNCTION chat_private.ranked_scores(choices text[], ballots jsonb)
RETURNS TABLE (choice text, score numeric, place bigint)
LANGUAGE plpgsql IMMUTABLE ROWS 6 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  counted CONSTANT jsonb := chat_private.runoff(ranked_scores.choices, ranked_scores.ballots);
BEGIN
  RETURN QUERY
    SELECT s.id, s.votes, rank() OVER (ORDER BY s.can_win DESC, s.lasted, CASE WHEN s.can_win THEN 0 ELSE -s.votes END)
    FROM (SELECT DISTINCT ON (v.key) v.key AS id, v.value::numeric AS votes, counted -> 'winners' ? v.key AS can_win,
                 CASE WHEN counted -> 'winners' ? v.key THEN 0 ELSE n.size END AS lasted
          FROM jsonb_array_elements(counted -> 'counts') c,
               LATERAL (SELECT count(*) AS size FROM jsonb_object_keys(c -> 'votes')) n,
               jsonb_each_text(c -> 'votes') v
          ORDER BY v.key, n.size, v.value::numeric DESC) s;
END
$$;
COMMENT ON FUNCTION chat_private.ranked_scores(text[], jsonb) IS
'An instant runoff as a table. score: the votes in the last count that a choice was in. place: 1 for all that can win; then who stayed
longer, then who had more votes in that count. Without ballots there are no rows.';

CREATE OR REPLACE FUNCTION chat_private.tally_of(d chat.deliberations, method text)
RETURNS TABLE (choice text, label text, votes integer, score numeric, rank integer, is_winner boolean)
LANGUAGE plpgsql STABLE ROWS 6 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  has_quorum CONSTANT boolean := chat_private.has_quorum(d);
  ids CONSTANT text[] := ARRAY(SELECT c ->> 'id' FROM jsonb_array_elements(chat_private.choices_of(d)) c);
BEGIN
  RETURN QUERY
    WITH valid AS MATERIALIZED (SELECT v.* FROM chat_private.valid_votes(d) v),
    counted AS (
      SELECT c.choice ->> 'id' AS id, coalesce(c.choice ->> 'label', c.choice ->> 'id') AS label, c.place,
             count(v.choice) FILTER (WHERE v.choice = c.choice ->> 'id' OR tally_of.method = 'approval') AS votes,
             coalesce(sum(v.confidence) FILTER (WHERE v.choice = c.choice ->> 'id'), 0) AS confidence
      FROM jsonb_array_elements(chat_private.choices_of(d)) WITH ORDINALITY c (choice, place)
      LEFT JOIN valid v ON c.choice ->> 'id' = ANY (v.approvals)
      GROUP BY c.choice, c.place),
    scored AS (
      SELECT n.id, n.label, n.place, n.votes,
             CASE tally_of.method WHEN 'ranked' THEN coalesce(r.score, 0) WHEN 'confidence' THEN n.confidence ELSE n.votes END AS score,
             CASE tally_of.method WHEN 'ranked' THEN coalesce(r.place, 1)
               WHEN 'confidence' THEN rank() OVER (ORDER BY n.confidence DESC, (n.votes > 0) DESC)
               ELSE rank() OVER (ORDER BY n.votes DESC) END AS rank
      FROM counted n
      LEFT JOIN chat_private.ranked_scores(ids, CASE WHEN tally_of.method = 'ranked' THEN
                  (SELECT coalesce(jsonb_agg(to_jsonb(v.ballot)), '[]') FROM valid v) ELSE '[]' END) r ON r.choice = n.id)
    SELECT s.id, s.label, s.votes::integer, s.score, s.rank::integer,
           has_quorum AND s.rank = 1 AND count(*) FILTER (WHERE s.rank = 1) OVER () = 1
    FROM scored s
    ORDER BY s.rank, s.place;
END
$$;
COMMENT ON FUNCTION chat_private.tally_of(chat.deliberations, text) IS
'The votes of a deliberation counted by a method, as chat.deliberation_tally returns them. Choices are those of d, votes those stored.';

CREATE OR REPLACE FUNCTION chat_private.tally(user_id uuid, deliberation_id uuid, method text)
RETURNS TABLE (choice text, label text, votes integer, score numeric, rank integer, is_winner boolean)
LANGUAGE plpgsql STABLE ROWS 6 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  d chat.deliberations;
BEGIN
  SELECT t.* INTO d FROM chat.deliberations t WHERE t.user_id = tally.user_id AND t.id = tally.deliberation_id;
  RETURN QUERY SELECT t.* FROM chat_private.tally_of(d, coalesce(tally.method, chat_private.tally_method(d))) t;
END
$$;
COMMENT ON FUNCTION chat_private.tally(uuid, uuid, text) IS
'chat_private.tally_of for the stored row of a deliberation; method NULL: its own. No rows where there is none.';

CREATE OR REPLACE FUNCTION chat_private.vote_outcome(d chat.deliberations) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  method CONSTANT text := chat_private.tally_method(d);
  is_quorate CONSTANT boolean := chat_private.has_quorum(d);
  members integer;
  cast_votes integer;
  voters integer;
  lines jsonb;
  leaders jsonb;
BEGIN
  SELECT count(*), count(v.persona_code) INTO members, cast_votes
  FROM chat.deliberation_participants p
  LEFT JOIN chat.votes v ON v.user_id = p.user_id AND v.deliberation_id = p.deliberation_id AND v.persona_code = p.persona_code
  WHERE p.user_id = d.user_id AND p.deliberation_id = d.id AND p.seat > 0;
  SELECT count(*) INTO voters FROM chat_private.valid_votes(d);
  SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.place), '[]'), coalesce(jsonb_agg(t.choice ORDER BY t.place) FILTER (WHERE t.rank = 1), '[]')
  INTO lines, leaders
  FROM (SELECT t.*, row_number() OVER () AS place FROM chat_private.tally_of(d, method) t) t;
  RETURN jsonb_build_object(
      'method', method, 'quorum', chat_private.quorum_of(d), 'quorum_reached', is_quorate, 'participants', members,
      'voters', voters, 'abstentions', cast_votes - voters,
      'winner', CASE WHEN is_quorate AND jsonb_array_length(leaders) = 1 THEN leaders -> 0 END,
      'tie', CASE WHEN voters > 0 AND jsonb_array_length(leaders) > 1 THEN leaders ELSE '[]' END,
      'tally', (SELECT coalesce(jsonb_agg(l - 'place' ORDER BY n), '[]') FROM jsonb_array_elements(lines) WITH ORDINALITY e (l, n)),
      'reason', CASE WHEN jsonb_array_length(lines) = 0 THEN 'no_choices' WHEN voters = 0 THEN 'no_votes'
                     WHEN NOT is_quorate THEN 'no_quorum' WHEN jsonb_array_length(leaders) > 1 THEN 'tie' END)
    || CASE WHEN method = 'ranked' AND voters > 0 THEN jsonb_build_object('counts', chat_private.runoff(
         ARRAY(SELECT c ->> 'id' FROM jsonb_array_elements(chat_private.choices_of(d)) c),
         (SELECT jsonb_agg(to_jsonb(v.ballot)) FROM chat_private.valid_votes(d) v)) -> 'counts') ELSE '{}' END;
END
$$;
COMMENT ON FUNCTION chat_private.vote_outcome(chat.deliberations) IS
'How the vote of a deliberation ended, for its column outcome: {method, quorum (share), quorum_reached, participants, voters (whose votes
count), abstentions (recorded votes that do not count), winner (an id; null: reason says why), tie (ids of those who are first together),
tally (as chat.deliberation_tally), reason (no_choices, no_votes, no_quorum or tie; null: there is a winner), and for ranked counts, as of
chat_private.runoff}.';

CREATE OR REPLACE FUNCTION chat.deliberation_tally(id uuid, method text DEFAULT NULL)
RETURNS TABLE (choice text, label text, votes integer, score numeric, rank integer, is_winner boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 6 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  d CONSTANT chat.deliberations := chat_private.deliberation_to_read(deliberation_tally.id);
BEGIN
  IF deliberation_tally.method NOT IN ('plurality', 'approval', 'ranked', 'confidence') THEN
    RAISE EXCEPTION 'method "%" does not exist', left(deliberation_tally.method, 100) USING ERRCODE = '22023',
      HINT = 'There are plurality, approval, ranked and confidence.';
  END IF;
  RETURN QUERY SELECT t.* FROM chat_private.tally_of(d, coalesce(deliberation_tally.method, chat_private.tally_method(d))) t;
END
$$;
COMMENT ON FUNCTION chat.deliberation_tally(uuid, text) IS
'The votes of one''s own deliberation that there are so far, counted; one row for each choice, the best first, none before the choices are known.
method: plurality (votes for it), approval (who could live with it; a vote approves of its own choice), ranked (an instant runoff), confidence
(the sum of the confidences of its votes, 0.5 where none was given); NULL: the deliberation''s. votes: those that prefer it; by approval, that
approve of it. score: what is compared; by ranked, the votes in the last count that it was in. rank: equal ones have the same. is_winner: it
alone is first, and the quorum is reached.
Errors: 28000 nobody is authenticated; 22004 id is NULL; P0002 no such deliberation of one''s own; 22023 there is no such method.';

CREATE OR REPLACE FUNCTION chat_private.deliberation_to_read(id uuid) RETURNS chat.deliberations
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id CONSTANT uuid := chat_private.require_user();
  d chat.deliberations;
BEGIN
  IF deliberation_to_read.id IS NULL THEN
    RAISE EXCEPTION 'id must not be null' USING ERRCODE = '22004';
  END IF;
  SELECT t.* INTO d FROM chat.deliberations t WHERE t.user_id = caller_id AND t.id = deliberation_to_read.id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'deliberation not found' USING ERRCODE = 'P0002', HINT = 'chat.list_deliberations() lists yours.';
  END IF;
  RETURN d;
END
$$;
COMMENT ON FUNCTION chat_private.deliberation_to_read(uuid) IS
'The row of a deliberation of the current user. Errors: 28000 nobody is authenticated; 22004 NULL; P0002 there is none.';
