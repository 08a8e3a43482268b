-- Taking a deliberation out: a report for people, everything for programs, or the chart of the vote.

CREATE OR REPLACE FUNCTION chat_private.tally_chart(title text, description text, bars jsonb) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_tally_chart';
COMMENT ON FUNCTION chat_private.tally_chart(text, text, jsonb) IS
'A bar chart as SVG, of one block without blank lines, so that Markdown takes it, too. bars: an array of {label, value (number), value_text,
is_first}, which are escaped.';

CREATE OR REPLACE FUNCTION chat_private.method_name(method text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE method_name.method WHEN 'approval' THEN 'approval' WHEN 'ranked' THEN 'instant runoff' WHEN 'confidence' THEN 'sum of confidences'
         ELSE 'plurality' END;
END
$$;
COMMENT ON FUNCTION chat_private.method_name(text) IS 'What people call a method of counting.';

CREATE OR REPLACE FUNCTION chat_private.score_text(method text, score numeric) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN trim_scale(score_text.score) || CASE score_text.method
    WHEN 'confidence' THEN ' of confidence'
    WHEN 'approval' THEN CASE WHEN score_text.score = 1 THEN ' approval' ELSE ' approvals' END
    WHEN 'ranked' THEN ' at the end'
    ELSE CASE WHEN score_text.score = 1 THEN ' vote' ELSE ' votes' END END;
END
$$;
COMMENT ON FUNCTION chat_private.score_text(text, numeric) IS 'A score with its unit.';

CREATE OR REPLACE FUNCTION chat_private.outcome_text(outcome jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  winner text;
  tied text;
BEGIN
  SELECT max(t ->> 'label') FILTER (WHERE (t ->> 'is_winner')::boolean), string_agg(t ->> 'label', '; ') FILTER (WHERE outcome -> 'tie' ? (t ->> 'choice'))
  INTO winner, tied
  FROM jsonb_array_elements(outcome_text.outcome -> 'tally') t;
  RETURN CASE
    WHEN outcome_text.outcome ->> 'reason' = 'no_choices' THEN 'There was nothing to vote on.'
    WHEN outcome_text.outcome ->> 'reason' = 'no_votes' THEN 'Nobody voted.'
    WHEN outcome_text.outcome ->> 'reason' = 'no_quorum' THEN format('No decision: %s of %s voted, which is less than the quorum.',
      outcome_text.outcome ->> 'voters', outcome_text.outcome ->> 'participants')
    WHEN outcome_text.outcome ->> 'reason' = 'tie' THEN 'A tie: ' || tied
    ELSE winner END;
END
$$;
COMMENT ON FUNCTION chat_private.outcome_text(jsonb) IS 'How a vote ended, in a line. outcome: as of chat_private.vote_outcome.';

CREATE OR REPLACE FUNCTION chat_private.deliberation_chart(d chat.deliberations) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  method CONSTANT text := chat_private.tally_method(d);
  bars jsonb;
  described text;
BEGIN
  SELECT coalesce(jsonb_agg(jsonb_build_object('label', t.label, 'value', t.score, 'is_first', t.rank = 1 AND t.votes > 0,
           'value_text', chat_private.score_text(method, t.score) || CASE WHEN t.is_winner THEN ', the winner' WHEN t.rank = 1 AND t.votes > 0 AND t.firsts > 1 THEN ', a tie' ELSE '' END)
           ORDER BY t.place), '[]'),
         string_agg(t.label || ': ' || chat_private.score_text(method, t.score), '; ' ORDER BY t.place)
  INTO bars, described
  FROM (SELECT t.*, count(*) FILTER (WHERE t.rank = 1) OVER () AS firsts, row_number() OVER () AS place FROM chat_private.tally_of(d, method) t) t;
  RETURN chat_private.tally_chart('The vote, counted by ' || chat_private.method_name(method), coalesce(described, 'There is nothing to vote on yet.'), bars);
END
$$;
COMMENT ON FUNCTION chat_private.deliberation_chart(chat.deliberations) IS
'The votes of a deliberation so far as a chart, counted by its method. Acts as the owner.';

CREATE OR REPLACE FUNCTION chat_private.export_deliberation_as(d chat.deliberations, format text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET jit = off AS $$
BEGIN
  RETURN CASE export_deliberation_as.format
    WHEN 'json' THEN chat_private.deliberation_parts(d)::text
    WHEN 'svg' THEN chat_private.deliberation_chart(d) || E'\n'
    ELSE chat_private.deliberation_report(d) END;
END
$$;
COMMENT ON FUNCTION chat_private.export_deliberation_as(chat.deliberations, text) IS
'A deliberation in one of the formats markdown, json and svg. Times are those of UTC.';

CREATE OR REPLACE FUNCTION chat.export_deliberation(id uuid, format text DEFAULT 'markdown') RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  d CONSTANT chat.deliberations := chat_private.deliberation_to_read(export_deliberation.id);
BEGIN
  IF export_deliberation.format IS NULL THEN
    RAISE EXCEPTION 'format must not be null' USING ERRCODE = '22004';
  ELSIF export_deliberation.format NOT IN ('markdown', 'json', 'svg') THEN
    RAISE EXCEPTION 'format "%" does not exist', left(export_deliberation.format, 100) USING ERRCODE = '22023',
      HINT = 'There are markdown, json and svg.';
  END IF;
  RETURN chat_private.export_deliberation_as(d, export_deliberation.format);
END
$$;
COMMENT ON FUNCTION chat.export_deliberation(uuid, text) IS
'One''s own deliberation, in whatever state it is. format: markdown, a report for people with the tally as a table and a chart; json, every row of
it, {format, version, deliberation, participants, steps, contributions, votes, rounds, checkpoints}; svg, the chart of the vote alone. Times in UTC.
Errors: 28000 nobody is authenticated; 22004 NULL; 22023 there is no such format; P0002 no such deliberation of one''s own.';
