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

CREATE OR REPLACE FUNCTION chat_private.ballots_of(d chat.deliberations) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN (SELECT coalesce(jsonb_agg(to_jsonb(v.ballot)), '[]') FROM chat_private.valid_votes(d) v);
END
$$;
COMMENT ON FUNCTION chat_private.ballots_of(chat.deliberations) IS 'The ballots of the votes that count, an array of arrays of ids.';

CREATE OR REPLACE FUNCTION chat_private.runoff(choices text[], ballots jsonb) RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_runoff';
COMMENT ON FUNCTION chat_private.runoff(text[], jsonb) IS
'An instant runoff. choices: ids; ballots: an array of arrays of ids, the best first, no id twice. Each ballot counts for the first of its
choices that is left, and is exhausted when none is. More than half of the ballots that are not exhausted win; until then who has the
fewest leaves: those without a vote together, of others each in turn, so that all who win in any order can win; of two that are left with as
many votes both can. {standings: for each choice {choice, can_win, left (how many were left in the last count that it was in), votes (its in
that)}, counts: the first 100 of them, each {votes: {id: number}, exhausted, winner, or last: the ids that have the fewest}, count_total}.';

CREATE OR REPLACE FUNCTION chat_private.tally_of(d chat.deliberations, method text)
RETURNS TABLE (choice text, label text, votes integer, score numeric, rank integer, is_winner boolean)
LANGUAGE plpgsql STABLE ROWS 6 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  has_quorum CONSTANT boolean := chat_private.has_quorum(d);
  ids CONSTANT text[] := ARRAY(SELECT c ->> 'id' FROM jsonb_array_elements(chat_private.choices_of(d)) c);
  ballots CONSTANT jsonb := chat_private.ballots_of(d);
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
             CASE tally_of.method WHEN 'ranked' THEN coalesce(r.votes, 0) WHEN 'confidence' THEN n.confidence ELSE n.votes END AS score,
             CASE tally_of.method
               WHEN 'ranked' THEN rank() OVER (ORDER BY coalesce(r.can_win, false) DESC, CASE WHEN NOT r.can_win THEN r.left_over END,
                                                  CASE WHEN NOT r.can_win THEN -r.votes END)
               WHEN 'confidence' THEN rank() OVER (ORDER BY n.confidence DESC, (n.votes > 0) DESC)
               ELSE rank() OVER (ORDER BY n.votes DESC) END AS rank
      FROM counted n
      LEFT JOIN (SELECT r ->> 'choice' AS id, (r ->> 'can_win')::boolean AS can_win, (r ->> 'left')::bigint AS left_over, (r ->> 'votes')::bigint AS votes
                 FROM jsonb_array_elements(CASE WHEN tally_of.method = 'ranked' THEN chat_private.runoff(ids, ballots) -> 'standings' END) r) r
        ON r.id = n.id)
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
    || CASE WHEN method = 'ranked' AND voters > 0 THEN chat_private.runoff(
         ARRAY(SELECT c ->> 'id' FROM jsonb_array_elements(chat_private.choices_of(d)) c), chat_private.ballots_of(d)) - 'standings' ELSE '{}' END;
END
$$;
COMMENT ON FUNCTION chat_private.vote_outcome(chat.deliberations) IS
'How the vote of a deliberation ended, for its column outcome: {method, quorum (share), quorum_reached, participants, voters (whose votes
count), abstentions (recorded votes that do not count), winner (an id; null: reason says why), tie (ids of those who are first together),
tally (as chat.deliberation_tally), reason (no_choices, no_votes, no_quorum or tie; null: there is a winner), and for ranked counts and
count_total, as of chat_private.runoff}.';

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
