-- What was said in a deliberation, as a model is told of it: quoted, so that it is not taken for instructions, and within a budget.

CREATE OR REPLACE FUNCTION chat_private.text_clip(content text, most_bytes integer) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF octet_length(text_clip.content) <= text_clip.most_bytes THEN
    RETURN text_clip.content;
  END IF;
  RETURN chat_private.text_start(convert_to(left(text_clip.content, greatest(text_clip.most_bytes, 0)), 'UTF8'), greatest(text_clip.most_bytes - 3, 0))
         || CASE WHEN text_clip.most_bytes >= 3 THEN '…' ELSE '' END;
END
$$;
COMMENT ON FUNCTION chat_private.text_clip(text, integer) IS 'A text cut to so many bytes; what is cut ends with an ellipsis.';

-- Bound at creation and inlined, as are those that follow: a round quotes hundreds of texts.
CREATE OR REPLACE FUNCTION chat_private.text_line(content text, most_characters integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN nullif(left(btrim(regexp_replace(left(content, 4 * most_characters), '[[:cntrl:][:space:]]+', ' ', 'g')), most_characters), '');
COMMENT ON FUNCTION chat_private.text_line(text, integer) IS 'A text as one line of at most so many characters; NULL where nothing is left.';

CREATE OR REPLACE FUNCTION chat_private.plain_lines(content text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN replace(replace(replace(replace(replace(content, E'\r\n', E'\n'), E'\r', E'\n'), E'\u2028', E'\n'), E'\u2029', E'\n'), E'\u0085', E'\n');
COMMENT ON FUNCTION chat_private.plain_lines(text) IS 'A text whose lines end with a line feed, whatever they ended with.';

CREATE OR REPLACE FUNCTION chat_private.quoted_lines(content text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '> ' || replace(content, E'\n', E'\n> ');
COMMENT ON FUNCTION chat_private.quoted_lines(text) IS 'A text of chat_private.plain_lines as a quotation: > before each line, so that nothing in it ends the quotation.';

CREATE OR REPLACE FUNCTION chat_private.fair_share(sizes integer[], room integer) RETURNS integer
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  left_over integer := greatest(fair_share.room, 0);
  waiting integer := cardinality(fair_share.sizes);
  size integer;
BEGIN
  FOR size IN SELECT s FROM unnest(fair_share.sizes) s ORDER BY s LOOP
    IF size > left_over / waiting THEN
      RETURN left_over / waiting;
    END IF;
    left_over := left_over - size;
    waiting := waiting - 1;
  END LOOP;
  RETURN coalesce(size, 0);
END
$$;
COMMENT ON FUNCTION chat_private.fair_share(integer[], integer) IS
'The size to which the larger ones are cut so that all fit into room together, and what the smaller ones leave goes to the larger.';

CREATE OR REPLACE FUNCTION chat_private.told_rounds(d chat.deliberations) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (d).phase IN ('initial_round', 'deliberation') THEN (d).round_number - 1 ELSE (d).round_number END;
COMMENT ON FUNCTION chat_private.told_rounds(chat.deliberations) IS
'The last round that is told of: not the one under way, so that all who speak in it know the same, whoever is asked again.';

CREATE OR REPLACE FUNCTION chat_private.record_openings(d chat.deliberations, room integer) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  most_characters CONSTANT integer := 160;
  -- A shorter one says nothing any more; then the oldest rounds are left out.
  fewest_characters CONSTANT integer := 48;
  last_round CONSTANT integer := chat_private.told_rounds(record_openings.d);
  contributions integer;
  characters integer;
BEGIN
  SELECT count(*) INTO contributions FROM chat.contributions c
  WHERE c.user_id = d.user_id AND c.deliberation_id = d.id AND c.round_number < last_round;
  IF contributions = 0 THEN
    RETURN NULL;
  END IF;
  characters := least(most_characters, greatest(fewest_characters, record_openings.room / contributions - 24));
  RETURN (
    WITH speaker AS MATERIALIZED (
      SELECT p.persona_code, p.seat, chat_private.text_line(p.name, 40) AS name FROM chat.deliberation_participants p
      WHERE p.user_id = d.user_id AND p.deliberation_id = d.id),
    opening AS (
      SELECT c.round_number, p.seat, p.name || ': '
             || split_part(ltrim(left(c.content, characters), E' \t\n#*_>-'), E'\n', 1) AS said
      FROM chat.contributions c JOIN speaker p ON p.persona_code = c.persona_code
      WHERE c.user_id = d.user_id AND c.deliberation_id = d.id AND c.round_number < last_round),
    line AS (
      SELECT o.round_number, '> Round ' || o.round_number || ': '
             || string_agg(o.said, ' · ' ORDER BY nullif(o.seat, 0) NULLS LAST) AS said
      FROM opening o GROUP BY o.round_number),
    fitted AS (
      SELECT l.round_number, l.said, sum(octet_length(l.said) + 1) OVER (ORDER BY l.round_number DESC) AS bytes FROM line l)
    SELECT string_agg(f.said, E'\n' ORDER BY f.round_number) FROM fitted f WHERE f.bytes <= record_openings.room);
END
$$;
COMMENT ON FUNCTION chat_private.record_openings(chat.deliberations, integer) IS
'The rounds before the last, a line each with how every contribution begins, in at most room bytes: the newest, where not all fit.
NULL: there are none. Personas are asked to begin with their position in one sentence.';

CREATE OR REPLACE FUNCTION chat_private.record_latest(d chat.deliberations, persona_code text, room integer) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  last_round CONSTANT integer := chat_private.told_rounds(record_latest.d);
BEGIN
  RETURN (
    -- Kept as they are stored: only as much of each content is read as is told.
    WITH latest AS MATERIALIZED (
      SELECT DISTINCT ON (c.persona_code) c.persona_code, c.round_number, c.content FROM chat.contributions c
      WHERE c.user_id = d.user_id AND c.deliberation_id = d.id AND c.round_number <= last_round
      ORDER BY c.persona_code, c.round_number DESC),
    told AS MATERIALIZED (
      SELECT nullif(p.seat, 0) AS place, l.content,
             CASE WHEN p.seat = 0 THEN 'The chair, after round ' || l.round_number
                  ELSE chat_private.text_line(p.name, 100) || ' (' || p.persona_code || '), round ' || l.round_number
                       || CASE WHEN p.persona_code = record_latest.persona_code THEN ', you yourself' ELSE '' END END || E':\n' AS head
      FROM latest l JOIN chat.deliberation_participants p
        ON p.user_id = d.user_id AND p.deliberation_id = d.id AND p.persona_code = l.persona_code),
    cut AS MATERIALIZED (
      SELECT chat_private.fair_share(array_agg(octet_length(t.content) * 21 / 20 + 4),
                                     (record_latest.room - sum(octet_length(t.head) + 2))::integer) AS share FROM told t)
    SELECT string_agg(t.head || chat_private.text_clip(chat_private.quoted_lines(left(t.content, c.share)), c.share), E'\n\n'
                      ORDER BY t.place NULLS LAST)
    FROM told t, cut c);
END
$$;
COMMENT ON FUNCTION chat_private.record_latest(chat.deliberations, text, integer) IS
'What each last said, the moderator at the end, in at most room bytes, as far as the names leave any: the long ones are cut.
persona_code: who is told. NULL: nobody has spoken.';

CREATE OR REPLACE FUNCTION chat_private.record(d chat.deliberations, persona_code text, budget integer) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  -- The bytes that chat_private.text_tokens counts as so many tokens.
  room CONSTANT integer := 3 * least(greatest(coalesce(record.budget, 0), 0), 1000000);
  earlier_head CONSTANT text := E'Earlier rounds, by the words with which each contribution began:\n';
  latest_head CONSTANT text := E'What each said last:\n\n';
  latest text;
  earlier text;
BEGIN
  latest := chat_private.record_latest(record.d, record.persona_code,
    (CASE WHEN chat_private.told_rounds(record.d) > 1 THEN room - room / 4 ELSE room END) - octet_length(latest_head));
  IF latest IS NULL THEN
    RETURN chat_private.text_clip('(Nobody has spoken yet.)', room);
  END IF;
  earlier := chat_private.record_openings(record.d, room - octet_length(latest_head || latest || earlier_head) - 2);
  RETURN chat_private.text_clip(coalesce(earlier_head || earlier || E'\n\n', '') || latest_head || latest, room);
END
$$;
COMMENT ON FUNCTION chat_private.record(chat.deliberations, text, integer) IS
'The compact record of the rounds so far, for a model: what each persona, and the moderator, last said, and a line for each round before.
persona_code: who is told, NULL: nobody on the board. budget: tokens that it may have at most, as chat_private.text_tokens counts.
While a round is under way, nothing of it is told.';
