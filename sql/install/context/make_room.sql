-- Making room: what is done about a turn that does not fit its model's context window before it is sent.

CREATE OR REPLACE FUNCTION chat_private.summary_size() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 2048;
COMMENT ON FUNCTION chat_private.summary_size() IS 'How many tokens a summary may have.';

CREATE OR REPLACE FUNCTION chat_private.summary_room(model text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  -- More at once is dear, and little of it comes through, however large the window.
  most CONSTANT bigint := 60000;
BEGIN
  RETURN (SELECT least(most, greatest(chat_private.context_room(w.context_window, 2 * chat_private.summary_size(),
                                        chat_private.fixed_tokens(chat_private.setting_text('summary_prompt'), '{}') + 64), 100))
          FROM chat_private.model_window(summary_room.model) w);
END
$$;
COMMENT ON FUNCTION chat_private.summary_room(text) IS
'How many tokens of messages a model is given to summarise at once: what its window holds beside the prompt, an earlier summary and the new one.';

CREATE OR REPLACE FUNCTION chat_private.summary_model(user_id uuid, conversation_id uuid, model text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN (SELECT f.name
          FROM unnest(ARRAY[(SELECT c.summary_model FROM chat.conversations c
                             WHERE c.user_id = summary_model.user_id AND c.id = summary_model.conversation_id),
                            chat_private.setting_text('summary_model'), summary_model.model]) WITH ORDINALITY w (name, n),
               LATERAL chat_private.find_model(summary_model.user_id, w.name) f
          WHERE w.name IS NOT NULL AND f.is_usable ORDER BY w.n LIMIT 1);
END
$$;
COMMENT ON FUNCTION chat_private.summary_model(uuid, uuid, text) IS
'Who writes a conversation''s summaries: the model it names, else that of the setting, else the one given; of these the first that
the user may ask.';

CREATE OR REPLACE FUNCTION chat_private.summary_plan(user_id uuid, conversation_id uuid, leaf_id uuid, room bigint, piece bigint,
                                                     is_asked boolean) RETURNS uuid[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  unlimited CONSTANT bigint := 1000000000000;
  most_pieces CONSTANT integer := 16;
  summary CONSTANT chat.conversation_summaries := chat_private.nearest_summary(
    summary_plan.user_id, summary_plan.conversation_id, summary_plan.leaf_id);
  ends uuid[] := '{}';
  taken bigint := 0;
  message record;
BEGIN
  FOR message IN
    WITH above AS (
      SELECT b.id, b.parent_id, b.depth, b.role, b.tokens, sum(b.tokens) OVER (ORDER BY b.depth) AS below
      FROM chat_private.branch_upwards(summary_plan.user_id, summary_plan.leaf_id, unlimited, summary.last_message_id) b
    ), kept AS (
      -- Half of the room stays as it is; so the next summary is needed only when that has been filled again.
      SELECT coalesce(max(a.depth) FILTER (WHERE a.role = 'user' AND a.below <= summary_plan.room / 2),
                      CASE WHEN NOT summary_plan.is_asked THEN min(a.depth) FILTER (WHERE a.role = 'user') END, 0) AS depth,
             summary.id IS NOT NULL AND sum(a.tokens) + chat_private.summary_tokens(summary.content) <= summary_plan.room AS is_enough
      FROM above a
    )
    SELECT a.id, a.tokens, lag(a.id) OVER (ORDER BY a.depth DESC) AS previous_id
    FROM above a, kept k WHERE a.depth > k.depth AND NOT k.is_enough ORDER BY a.depth DESC
  LOOP
    IF taken > 0 AND taken + message.tokens > summary_plan.piece THEN
      ends := ends || message.previous_id;
      taken := 0;
    END IF;
    taken := taken + message.tokens;
    summary_plan.leaf_id := message.id;
  END LOOP;
  RETURN CASE WHEN taken = 0 AND ends = '{}' THEN ends
              ELSE (ends || summary_plan.leaf_id)[greatest(cardinality(ends) + 2 - most_pieces, 1):] END;
END
$$;
COMMENT ON FUNCTION chat_private.summary_plan(uuid, uuid, uuid, bigint, bigint, boolean) IS
'The messages with which the summaries end that must be written, one on the other, before a branch fits into so many tokens of
room; empty where the summary that it has is enough, or nothing can be summarised. piece: tokens that one can be written of; of a
branch that is longer than 16 pieces the oldest are left out. is_asked: a message follows that is not stored yet, so that all may
be summarised.';

CREATE OR REPLACE FUNCTION chat_private.pending_summary(user_id uuid, conversation_id uuid, last_id uuid) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  pending_id uuid;
BEGIN
  SELECT q.id INTO pending_id FROM chat_private.llm_requests q
  WHERE q.user_id = pending_summary.user_id AND q.conversation_id = pending_summary.conversation_id AND q.purpose = 'summary'
    AND q.state IN ('waiting', 'queued', 'running') AND (q.messages ->> 'last_message_id')::uuid = pending_summary.last_id
  LIMIT 1;
  RETURN CASE WHEN pending_id IS NOT NULL AND chat_private.hold_open(pending_summary.user_id, pending_id) THEN pending_id END;
END
$$;
COMMENT ON FUNCTION chat_private.pending_summary(uuid, uuid, uuid) IS
'The request for a summary to this message that is under way, held so that it cannot end before the transaction; NULL: there is none.';

CREATE OR REPLACE FUNCTION chat_private.make_room(user_id uuid, conversation_id uuid, message_id uuid, model text, options jsonb,
                                                  waits_for uuid) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  parent_id CONSTANT uuid := (SELECT m.parent_id FROM chat.messages m WHERE m.user_id = make_room.user_id AND m.id = make_room.message_id);
  awaited uuid := make_room.waits_for;
  writer text;
  fit record;
  last_id uuid;
BEGIN
  SELECT f.is_whole, f.is_refused, f.room INTO fit
  FROM chat_private.context_fit(make_room.user_id, make_room.conversation_id, parent_id, make_room.model, NULL, make_room.options, NULL) f;
  IF fit.is_refused THEN
    PERFORM chat_private.refuse_context();
  ELSIF fit.is_whole THEN
    RETURN awaited;
  END IF;
  writer := chat_private.summary_model(make_room.user_id, make_room.conversation_id, make_room.model);
  FOREACH last_id IN ARRAY chat_private.summary_plan(make_room.user_id, make_room.conversation_id, parent_id, fit.room,
                                                     chat_private.summary_room(writer), false) LOOP
    awaited := coalesce(
      chat_private.pending_summary(make_room.user_id, make_room.conversation_id, last_id),
      chat_private.queue_side_request(make_room.user_id, make_room.conversation_id, 'summary', awaited, writer,
                                      jsonb_build_object('last_message_id', last_id)),
      awaited);
  END LOOP;
  RETURN awaited;
END
$$;
COMMENT ON FUNCTION chat_private.make_room(uuid, uuid, uuid, text, jsonb, uuid) IS
'For a conversation whose strategy is error or summarize: has the summaries written that a reply needs, and returns what the reply
must wait for, the last of them; waits_for, what it waits for anyway, where it needs none.
Errors: PC110 the strategy is error and the branch does not fit, or not even the message that is answered does.';

CREATE OR REPLACE FUNCTION chat_private.write_summaries(user_id uuid, conversation_id uuid, ends uuid[], model text, timeout_ms integer)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  first CONSTANT chat.conversation_summaries := chat_private.nearest_summary(
    write_summaries.user_id, write_summaries.conversation_id, write_summaries.ends[1]);
  stop_id uuid := first.last_message_id;
  earlier text := first.content;
  reply chat_private.completion;
  last_id uuid;
  written jsonb := '[]';
BEGIN
  FOREACH last_id IN ARRAY write_summaries.ends LOOP
    BEGIN
      reply := chat_private.complete_reply(write_summaries.conversation_id, NULL, NULL,
        chat_private.summary_text(write_summaries.user_id, last_id, stop_id, earlier, write_summaries.model), write_summaries.model,
        chat_private.setting_text('summary_prompt'), jsonb_build_object('max_tokens', chat_private.summary_size()),
        write_summaries.timeout_ms);
    EXCEPTION WHEN OTHERS THEN
      -- The question can be answered without it.
      RAISE DEBUG 'no summary of conversation %: %', write_summaries.conversation_id, SQLERRM;
      EXIT;
    END;
    earlier := chat_private.clean_answer(reply.content);
    EXIT WHEN earlier IS NULL;
    stop_id := last_id;
    written := written || jsonb_build_object('last_message_id', last_id, 'content', earlier, 'model', reply.model,
                                             'request_id', reply.request_id);
  END LOOP;
  RETURN written;
END
$$;
COMMENT ON FUNCTION chat_private.write_summaries(uuid, uuid, uuid[], text, integer) IS
'Has a model write summaries that end with these messages, one on the other, in immediate calls: an array of {last_message_id,
content, model, request_id}, not stored yet. It ends with the first that fails.';

CREATE OR REPLACE FUNCTION chat_private.tell_turn(turn chat_private.turn, user_id uuid, conversation_id uuid, content text, options jsonb,
                                                  timeout_ms integer) RETURNS chat_private.turn
-- The query is long, and planning it for its values would take longer than it takes.
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  told chat_private.turn := tell_turn.turn;
  writer text;
  fit record;
BEGIN
  SELECT f.* INTO fit
  FROM chat_private.context_fit(tell_turn.user_id, tell_turn.conversation_id, told.parent_id, told.model, told.system_prompt,
                                tell_turn.options, tell_turn.content) f;
  IF fit.is_refused THEN
    PERFORM chat_private.refuse_context();
  END IF;
  told.messages := fit.messages;
  IF NOT fit.is_whole AND fit.strategy = 'summarize' THEN
    writer := chat_private.summary_model(tell_turn.user_id, tell_turn.conversation_id, told.model);
    told.summaries := chat_private.write_summaries(tell_turn.user_id, tell_turn.conversation_id,
      chat_private.summary_plan(tell_turn.user_id, tell_turn.conversation_id, told.parent_id, fit.room,
                                chat_private.summary_room(writer), true), writer, tell_turn.timeout_ms);
    IF told.summaries <> '[]' THEN
      told.messages := jsonb_build_array(chat_private.summary_message(told.summaries -> -1 ->> 'content'))
        || coalesce((SELECT f.messages FROM chat_private.fitted_branch(tell_turn.user_id, told.parent_id,
                       fit.room - chat_private.summary_tokens(told.summaries -> -1 ->> 'content'),
                       (told.summaries -> -1 ->> 'last_message_id')::uuid, fit.takes_images) f), '[]');
    END IF;
  END IF;
  RETURN told;
END
$$;
COMMENT ON FUNCTION chat_private.tell_turn(chat_private.turn, uuid, uuid, text, jsonb, integer) IS
'A turn of an immediate call with what its model is told before content: an array of messages, root first, NULL where there are none.
Where the strategy is summarize, a summary that is needed is written first, and is to be stored with the turn.
Errors: PC110 content alone does not fit, or the strategy is error and not all does.';

CREATE OR REPLACE FUNCTION chat_private.store_summaries(user_id uuid, conversation_id uuid, summaries jsonb) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO chat.conversation_summaries (user_id, id, conversation_id, last_message_id, content, model, request_id)
  SELECT store_summaries.user_id, chat.uuid_v7(), store_summaries.conversation_id, s.last_message_id, s.content, s.model, s.request_id
  FROM jsonb_to_recordset(store_summaries.summaries) s (last_message_id uuid, content text, model text, request_id uuid)
$$;
COMMENT ON FUNCTION chat_private.store_summaries(uuid, uuid, jsonb) IS 'Stores what chat_private.write_summaries wrote; NULL: nothing.';
