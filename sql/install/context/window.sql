-- What a model is told of a conversation: its branch, fitted to the model's context window.

-- These are bound at creation and inlined where used, so that a claim of many conversations stays one statement.
CREATE OR REPLACE FUNCTION chat_private.branch_upwards(user_id uuid, leaf_id uuid, room bigint, stop_id uuid)
RETURNS TABLE (depth integer, id uuid, parent_id uuid, role text, content text, tool_calls jsonb, tool_call_id text,
               attachment_count smallint, tokens bigint, room bigint, image_bytes bigint)
LANGUAGE sql STABLE ROWS 20
BEGIN ATOMIC
  WITH RECURSIVE branch AS (
    SELECT 0 AS depth, NULL::uuid AS id, branch_upwards.leaf_id AS parent_id, NULL::text AS role, NULL::text AS content,
           NULL::jsonb AS tool_calls, NULL::text AS tool_call_id, 0::smallint AS attachment_count, 0::bigint AS tokens,
           branch_upwards.room AS room, 0::bigint AS image_bytes, 0::bigint AS bytes
    UNION ALL
    SELECT b.depth + 1, t.id, t.parent_id, t.role, t.content, t.tool_calls, t.tool_call_id, t.attachment_count, t.tokens,
           -- Whatever the window is, and whatever numbers of tokens an import tells: one call must not stop the engine for all.
           CASE WHEN b.bytes + t.bytes > 33554432 THEN -1 ELSE b.room - t.tokens END, b.image_bytes + t.image_bytes, b.bytes + t.bytes
    FROM branch b, LATERAL (
      SELECT m.id, m.parent_id, m.role, m.content, m.tool_calls, m.tool_call_id, m.attachment_count,
             CASE WHEN b.room IS NULL THEN NULL
                  WHEN NOT chat_private.is_context(m.role, m.content, m.tool_calls) THEN 0
                  ELSE 8 + CASE WHEN m.attachment_count > 0 THEN chat_private.attachment_tokens(m.user_id, m.id) ELSE 0 END
                       + chat_private.reply_tokens(octet_length(m.content)::bigint + coalesce(octet_length(m.tool_calls::text), 0),
                           CASE m.status WHEN 'complete' THEN m.output_tokens END, m.thinking IS NOT NULL) END AS tokens,
             CASE WHEN m.attachment_count > 0 THEN chat_private.image_bytes(m.user_id, m.id) ELSE 0 END AS image_bytes,
             -- With something for the row itself, so that not too many of them are read either.
             500 + octet_length(m.content)::bigint + coalesce(octet_length(m.tool_calls::text), 0)
               + CASE WHEN m.attachment_count > 0 THEN 3 * chat_private.attachment_tokens(m.user_id, m.id) ELSE 0 END AS bytes
      FROM chat.messages m WHERE m.user_id = branch_upwards.user_id AND m.id = b.parent_id OFFSET 0) t
    WHERE (b.room < 0) IS NOT TRUE AND (branch_upwards.stop_id IS NULL OR b.parent_id <> branch_upwards.stop_id)
  )
  SELECT b.depth, b.id, b.parent_id, b.role, b.content, b.tool_calls, b.tool_call_id, b.attachment_count, b.tokens, b.room, b.image_bytes
  FROM branch b WHERE b.depth > 0;
END;
COMMENT ON FUNCTION chat_private.branch_upwards(uuid, uuid, bigint, uuid) IS
'The messages from leaf_id up, until one does not fit into so many tokens of room, or to that below stop_id, or to the root.
tokens: of the message; room: what is left with it, negative for one that does not fit;
image_bytes: of the images of it and all after it. room NULL:
no tokens are counted. Of more than 32 MB of texts and quoted files what is beyond does not fit, whatever room there is. To be used where enable_seqscan is off.';

CREATE OR REPLACE FUNCTION chat_private.from_first_question(messages jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT jsonb_agg(e.message ORDER BY e.n)
          FROM jsonb_array_elements(from_first_question.messages) WITH ORDINALITY e (message, n)
          WHERE e.n >= (SELECT min(u.n) FROM jsonb_array_elements(from_first_question.messages) WITH ORDINALITY u (message, n)
                        WHERE u.message ->> 'role' = 'user'));
END
$$;
COMMENT ON FUNCTION chat_private.from_first_question(jsonb) IS 'The messages from the first of a user on; NULL where there is none.';

CREATE OR REPLACE FUNCTION chat_private.fitted_branch(user_id uuid, leaf_id uuid, room bigint, stop_id uuid, takes_images boolean)
RETURNS TABLE (messages jsonb, is_whole boolean)
LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
  SELECT CASE WHEN w.is_whole THEN w.messages ELSE chat_private.from_first_question(w.messages) END, w.is_whole
  FROM (SELECT jsonb_agg(CASE WHEN b.attachment_count > 0
                 THEN jsonb_build_object('role', b.role, 'content',
                        chat_private.content_parts(fitted_branch.user_id, b.id, b.content,
                          fitted_branch.takes_images AND b.image_bytes <= chat_private.image_budget()))
                 ELSE chat_private.context_message(b.role, b.content, b.tool_calls, b.tool_call_id) END ORDER BY b.depth DESC)
                 FILTER (WHERE (b.room < 0) IS NOT TRUE AND chat_private.is_context(b.role, b.content, b.tool_calls)) AS messages,
               coalesce(bool_or(b.parent_id IS NULL AND (b.room < 0) IS NOT TRUE), fitted_branch.leaf_id IS NULL) AS is_whole
        FROM chat_private.branch_upwards(fitted_branch.user_id, fitted_branch.leaf_id, fitted_branch.room, fitted_branch.stop_id) b
        OFFSET 0) w;
END;
COMMENT ON FUNCTION chat_private.fitted_branch(uuid, uuid, bigint, uuid, boolean) IS
'The branch that ends at leaf_id as a model is told of it, root first: all of it (is_whole), or from the first user''s message
on with which the rest fits into so many tokens of room, so that nothing begins with an answer or with the result of a call
that is not told. messages NULL: there is nothing to tell, or not even the message that is answered fits.
stop_id: nothing from it up is told. To be used where enable_seqscan is off.';

CREATE OR REPLACE FUNCTION chat_private.context_fit(user_id uuid, conversation_id uuid, leaf_id uuid, model text, system_prompt text,
                                                    options jsonb, content text)
RETURNS TABLE (messages jsonb, is_whole boolean, is_refused boolean, system_prompt text, strategy text, room bigint,
               takes_images boolean, context_window integer)
LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
  SELECT CASE WHEN context_fit.content IS NULL AND t.messages -> -1 ->> 'role' = 'assistant'
           THEN t.messages || jsonb_build_array(jsonb_build_object('role', 'user', 'content',
                  coalesce((SELECT s.value #>> '{}' FROM chat.settings s WHERE s.key = 'continue_prompt'),
                           'Continue exactly where you stopped. Do not repeat anything.')))
           ELSE t.messages END,
         f.is_whole,
         coalesce(r.room < 0, false) OR NOT f.is_whole AND (v.strategy = 'error' OR f.messages IS NULL AND context_fit.content IS NULL),
         v.system_prompt, v.strategy, r.room, w.takes_images, w.context_window
  FROM (SELECT coalesce(context_fit.system_prompt, c.system_prompt) AS system_prompt, c.context_reserve,
               coalesce(c.context_strategy, (SELECT s.value #>> '{}' FROM chat.settings s WHERE s.key = 'context_strategy'),
                        'truncate_oldest') AS strategy
        FROM chat.conversations c
        WHERE c.user_id = context_fit.user_id AND c.id = context_fit.conversation_id OFFSET 0) v
  LEFT JOIN LATERAL chat_private.model_window(context_fit.model) w ON true
  CROSS JOIN LATERAL (
    SELECT chat_private.context_room(w.context_window,
             coalesce(v.context_reserve, chat_private.json_count(context_fit.options -> 'max_tokens'), w.reserve,
                      (SELECT chat_private.json_count(s.value) FROM chat.settings s WHERE s.key = 'context_reserve'), 4096),
             chat_private.fixed_tokens(v.system_prompt, context_fit.options, context_fit.content)) AS room OFFSET 0) r
  CROSS JOIN LATERAL chat_private.fitted_branch(context_fit.user_id, context_fit.leaf_id, r.room, NULL, w.takes_images) f
  CROSS JOIN LATERAL (
    SELECT CASE WHEN f.is_whole OR v.strategy <> 'summarize' THEN f.messages
           ELSE coalesce(chat_private.summarized_branch(context_fit.user_id, context_fit.conversation_id, context_fit.leaf_id, r.room,
                                                        w.takes_images), f.messages) END AS messages OFFSET 0) t;
END;
COMMENT ON FUNCTION chat_private.context_fit(uuid, uuid, uuid, text, text, jsonb, text) IS
'What a model is told for a reply below leaf_id, by the conversation''s strategy: messages, root first, NULL where there are none;
the system prompt, which is the conversation''s where none is given, and is not among them; is_whole: it is the whole branch;
is_refused: it does not fit and cannot be made to. room: tokens that there are for messages. content: a message that comes
after leaf_id and is not stored yet. The defaults of the settings are written out, because chat_private.setting would cost each
reply more than all the rest of this. To be used where enable_seqscan is off.';

CREATE OR REPLACE FUNCTION chat_private.refuse_context() RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'the conversation does not fit the model''s context window' USING ERRCODE = 'PC110',
    HINT = 'Send a shorter message, ask a model with a larger window, or choose another strategy with chat.set_context_strategy.';
END
$$;
COMMENT ON FUNCTION chat_private.refuse_context() IS 'Errors: PC110, always.';

CREATE OR REPLACE FUNCTION chat_private.context_of(user_id uuid, conversation_id uuid, parent_id uuid, model text, system_prompt text,
                                                   options jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  told record;
BEGIN
  SELECT f.messages, f.is_refused INTO told
  FROM chat_private.context_fit(context_of.user_id, context_of.conversation_id, context_of.parent_id, context_of.model,
                                context_of.system_prompt, context_of.options, NULL) f;
  IF told.is_refused THEN
    PERFORM chat_private.refuse_context();
  END IF;
  RETURN coalesce(told.messages, '[]');
END
$$;
COMMENT ON FUNCTION chat_private.context_of(uuid, uuid, uuid, text, text, jsonb) IS
'The messages that a model is told for a reply below parent_id, root first, as chat_private.context_fit makes them; the system
prompt, NULL for the conversation''s, is counted and is not among them.
Errors: PC110 not even the message that is answered fits, or the strategy is error and not all does.';
