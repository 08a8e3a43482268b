-- Side requests: what pgchat itself asks a model about a conversation, its title and summaries of its older parts.

CREATE OR REPLACE FUNCTION chat_private.queue_side_request(user_id uuid, conversation_id uuid, purpose text, waits_for uuid, model text,
                                                           about jsonb DEFAULT '{}') RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  new_id CONSTANT uuid := chat.uuid_v7();
  awaited CONSTANT uuid := CASE WHEN queue_side_request.waits_for IS NOT NULL
    AND chat_private.hold_open(queue_side_request.user_id, queue_side_request.waits_for) THEN queue_side_request.waits_for END;
  used_model text;
BEGIN
  SELECT f.name INTO used_model
  FROM unnest(ARRAY[queue_side_request.model, (SELECT c.model FROM chat.conversations c
         WHERE c.user_id = queue_side_request.user_id AND c.id = queue_side_request.conversation_id), NULL])
       WITH ORDINALITY w (name, n), LATERAL chat_private.find_model(queue_side_request.user_id, w.name) f
  WHERE f.is_usable ORDER BY w.n LIMIT 1;
  IF used_model IS NULL THEN
    RETURN NULL;
  END IF;
  INSERT INTO chat_private.llm_requests (user_id, id, conversation_id, purpose, model, messages, options, state, queued_at, waits_for)
  VALUES (queue_side_request.user_id, new_id, queue_side_request.conversation_id, queue_side_request.purpose, used_model,
          queue_side_request.about,
          jsonb_build_object('max_tokens', CASE queue_side_request.purpose WHEN 'title' THEN 1000 ELSE chat_private.summary_size() END),
          CASE WHEN awaited IS NULL THEN 'queued' ELSE 'waiting' END,
          CASE WHEN awaited IS NULL THEN clock_timestamp() END, awaited);
  PERFORM chat_private.wake_engine();
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION chat_private.queue_side_request(uuid, uuid, text, uuid, text, jsonb) IS
'Queues a request of pgchat''s own about a conversation and returns its id. purpose: title or summary. waits_for: the message or
request in progress that must end first. model: where it cannot be used, the conversation''s or a default is; NULL is returned, and
nothing queued, where none can. about: for a summary, {"last_message_id"}. Its messages are made when it is claimed, and
chat_private.apply_side_requests does with its answer what it is for. The row is removed then.';

CREATE OR REPLACE FUNCTION chat_private.transcript(user_id uuid, leaf_id uuid, stop_id uuid, room bigint) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  -- One that is too long by itself is told by its beginning, a character a token, which is enough in every script.
  RETURN (SELECT string_agg(initcap(b.role) || E':\n' || CASE WHEN b.room < 0 THEN left(t.said, greatest(transcript.room, 100)::integer) || '…'
                                                          ELSE t.said END, E'\n\n' ORDER BY b.depth DESC)
          FROM chat_private.branch_upwards(transcript.user_id, transcript.leaf_id, transcript.room, transcript.stop_id) b,
               LATERAL (SELECT concat_ws(E'\n', nullif(b.content, ''), b.tool_calls::text) AS said) t
          WHERE (b.room >= 0 OR b.depth = 1) AND chat_private.is_context(b.role, b.content, b.tool_calls));
END
$$;
COMMENT ON FUNCTION chat_private.transcript(uuid, uuid, uuid, bigint) IS
'The messages from below stop_id to leaf_id as one text, of which the oldest are left out where it would have more than room tokens.';

CREATE OR REPLACE FUNCTION chat_private.summary_text(user_id uuid, last_id uuid, stop_id uuid, earlier text, model text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
BEGIN
  RETURN concat_ws(E'\n\n', 'Earlier summary:' || E'\n' || summary_text.earlier,
    'The conversation' || CASE WHEN summary_text.earlier IS NULL THEN '' ELSE ' after it' END || ':' || E'\n\n'
    || chat_private.transcript(summary_text.user_id, summary_text.last_id, summary_text.stop_id,
                               chat_private.summary_room(summary_text.model)));
END
$$;
COMMENT ON FUNCTION chat_private.summary_text(uuid, uuid, uuid, text, text) IS
'What a model is given to summarise: an earlier summary, of all to stop_id, and the messages after it to last_id.';

CREATE OR REPLACE FUNCTION chat_private.title_text(user_id uuid, conversation_id uuid) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  most_messages CONSTANT integer := 4;
  most_characters CONSTANT integer := 2000;
BEGIN
  RETURN (
    WITH RECURSIVE opening AS (
      (SELECT m.id, m.role, m.content, 1 AS depth FROM chat.messages m
       WHERE m.user_id = title_text.user_id AND m.conversation_id = title_text.conversation_id AND m.parent_id IS NULL
       ORDER BY m.id LIMIT 1)
      UNION ALL
      SELECT n.id, n.role, n.content, o.depth + 1
      FROM opening o, LATERAL (SELECT m.id, m.role, m.content FROM chat.messages m
                               WHERE m.user_id = title_text.user_id AND m.parent_id = o.id ORDER BY m.id LIMIT 1) n
      WHERE o.depth < most_messages
    )
    SELECT string_agg(initcap(o.role) || E':\n' || left(o.content, most_characters), E'\n\n' ORDER BY o.depth)
    FROM opening o WHERE o.role IN ('user', 'assistant') AND o.content <> '');
END
$$;
COMMENT ON FUNCTION chat_private.title_text(uuid, uuid) IS 'What a model is given to write a title: how the conversation begins.';

CREATE OR REPLACE FUNCTION chat_private.side_request_text(user_id uuid, conversation_id uuid, purpose text, about jsonb, model text)
RETURNS TABLE (messages jsonb, system_prompt text)
LANGUAGE plpgsql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  last_id CONSTANT uuid := side_request_text.about ->> 'last_message_id';
  summary chat.conversation_summaries;
  asked text;
BEGIN
  IF side_request_text.purpose = 'title' THEN
    SELECT chat_private.title_text(c.user_id, c.id) INTO asked FROM chat.conversations c
    WHERE c.user_id = side_request_text.user_id AND c.id = side_request_text.conversation_id AND c.title_source IN ('default', 'rule');
  ELSIF EXISTS (SELECT FROM chat.messages m WHERE m.user_id = side_request_text.user_id AND m.id = last_id) THEN
    summary := chat_private.nearest_summary(side_request_text.user_id, side_request_text.conversation_id, last_id);
    IF summary.last_message_id IS DISTINCT FROM last_id THEN
      asked := chat_private.summary_text(side_request_text.user_id, last_id, summary.last_message_id, summary.content,
                                         side_request_text.model);
    END IF;
  END IF;
  RETURN QUERY SELECT CASE WHEN asked IS NOT NULL THEN jsonb_build_array(jsonb_build_object('role', 'user', 'content', asked)) END,
                      chat_private.setting_text(side_request_text.purpose || '_prompt');
END
$$;
COMMENT ON FUNCTION chat_private.side_request_text(uuid, uuid, text, jsonb, text) IS
'What a model is asked for a side request. messages NULL: there is nothing to ask any more, for the conversation is gone, has been
given a title, or has the summary.';

CREATE OR REPLACE FUNCTION chat_private.clean_answer(content text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  -- Some servers leave a model's thinking in its text. The first quantifier decides that the whole takes as little as it can.
  SELECT nullif(btrim(regexp_replace(clean_answer.content, '<think(ing)??>.*?(</think(ing)??>|$)', '', 'g'), E' \n\r\t'), '')
$$;
COMMENT ON FUNCTION chat_private.clean_answer(text) IS 'The answer to a side request without thinking and blanks around it; NULL where nothing is left.';

CREATE OR REPLACE FUNCTION chat_private.clean_title(content text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT nullif(rtrim(left(btrim(regexp_replace(regexp_replace(t.line, '[[:cntrl:][:space:]]+', ' ', 'g'), '^[ #*_>-]*(title:)?', '', 'i'),
                                 ' "''`*_“”„«»‘’'), 100)), '')
  FROM (SELECT (regexp_match(chat_private.clean_answer(clean_title.content), '[^\n\r]+'))[1] AS line) t
$$;
COMMENT ON FUNCTION chat_private.clean_title(text) IS
'A title from what a model wrote: its first line, without quotation marks and markup, at most 100 characters; NULL where nothing is left.';

CREATE OR REPLACE FUNCTION chat_private.apply_title(user_id uuid, conversation_id uuid, title text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM FROM chat.conversations c WHERE c.user_id = apply_title.user_id AND c.id = apply_title.conversation_id
  FOR NO KEY UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN NOT EXISTS (SELECT FROM chat.conversations c WHERE c.user_id = apply_title.user_id AND c.id = apply_title.conversation_id);
  END IF;
  UPDATE chat.conversations c SET title = apply_title.title, title_source = 'model'
  WHERE c.user_id = apply_title.user_id AND c.id = apply_title.conversation_id AND c.title_source IN ('default', 'rule');
  RETURN true;
END
$$;
COMMENT ON FUNCTION chat_private.apply_title(uuid, uuid, text) IS
'Gives a conversation the title that a model wrote, unless it has been given one. False: somebody has it locked; try again later.';

CREATE OR REPLACE FUNCTION chat_private.apply_summary(user_id uuid, conversation_id uuid, last_id uuid, content text, model text,
                                                      request_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  -- What the foreign keys lock, here without waiting.
  PERFORM FROM chat.conversations c WHERE c.user_id = apply_summary.user_id AND c.id = apply_summary.conversation_id
  FOR KEY SHARE SKIP LOCKED;
  IF FOUND THEN
    PERFORM FROM chat.messages m WHERE m.user_id = apply_summary.user_id AND m.id = apply_summary.last_id
      AND m.conversation_id = apply_summary.conversation_id FOR KEY SHARE SKIP LOCKED;
  END IF;
  IF NOT FOUND THEN
    RETURN NOT EXISTS (SELECT FROM chat.messages m WHERE m.user_id = apply_summary.user_id AND m.id = apply_summary.last_id
                       AND m.conversation_id = apply_summary.conversation_id);
  END IF;
  INSERT INTO chat.conversation_summaries (user_id, id, conversation_id, last_message_id, content, model, request_id)
  VALUES (apply_summary.user_id, chat.uuid_v7(), apply_summary.conversation_id, apply_summary.last_id, apply_summary.content,
          apply_summary.model, apply_summary.request_id);
  RETURN true;
END
$$;
COMMENT ON FUNCTION chat_private.apply_summary(uuid, uuid, uuid, text, text, uuid) IS
'Stores a summary of a branch to last_id. False: somebody has its conversation or message locked; try again later.';

CREATE OR REPLACE FUNCTION chat_private.apply_side_requests(user_ids uuid[], request_ids uuid[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  request chat_private.llm_requests;
  is_done boolean;
BEGIN
  FOR request IN
    SELECT q.* FROM unnest(apply_side_requests.user_ids, apply_side_requests.request_ids) u (user_id, request_id)
    JOIN chat_private.llm_requests q ON q.user_id = u.user_id AND q.id = u.request_id
    WHERE q.purpose IN ('title', 'summary') AND q.state NOT IN ('waiting', 'queued', 'running') FOR NO KEY UPDATE OF q SKIP LOCKED
  LOOP
    is_done := CASE
      WHEN request.state <> 'complete' OR chat_private.clean_answer(request.result ->> 'content') IS NULL THEN true
      WHEN request.purpose = 'summary' THEN chat_private.apply_summary(request.user_id, request.conversation_id,
        (request.messages ->> 'last_message_id')::uuid, chat_private.clean_answer(request.result ->> 'content'),
        request.result ->> 'model', request.id)
      ELSE chat_private.clean_title(request.result ->> 'content') IS NULL
        OR chat_private.apply_title(request.user_id, request.conversation_id, chat_private.clean_title(request.result ->> 'content')) END;
    IF is_done THEN
      DELETE FROM chat_private.llm_requests q WHERE q.user_id = request.user_id AND q.id = request.id;
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION chat_private.apply_side_requests(uuid[], uuid[]) IS
'Does with the answers of the side requests among these that have ended what they are for, and removes them: arrays of equal length,
one element a request. Those whose conversation somebody has locked stay for chat_private.tidy_side_requests.';

CREATE OR REPLACE FUNCTION chat_private.tidy_side_requests(max_rows integer) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  user_ids uuid[];
  request_ids uuid[];
BEGIN
  SELECT array_agg(l.user_id), array_agg(l.id) INTO user_ids, request_ids
  FROM (SELECT q.user_id, q.id FROM chat_private.llm_requests q
        WHERE q.purpose IN ('title', 'summary') AND q.state NOT IN ('waiting', 'queued', 'running') LIMIT tidy_side_requests.max_rows) l;
  IF request_ids IS NOT NULL THEN
    PERFORM chat_private.apply_side_requests(user_ids, request_ids);
  END IF;
  PERFORM chat_private.tidy_deliberations(tidy_side_requests.max_rows);
END
$$;
COMMENT ON FUNCTION chat_private.tidy_side_requests(integer) IS
'Applies and removes side requests that have ended and were left: cancelled, cut off by a crash, or of a conversation that was locked;
and moves on deliberations that were left.';
