-- How a conversation is fitted to a context window, as its owner sees it: the strategy, the summaries, and what would be told.

CREATE OR REPLACE FUNCTION chat.set_context_strategy(conversation_id uuid, strategy text, reserve integer DEFAULT NULL,
                                                     summary_model text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id CONSTANT uuid := chat_private.require_user();
BEGIN
  IF set_context_strategy.conversation_id IS NULL THEN
    RAISE EXCEPTION 'conversation_id must not be null' USING ERRCODE = '22004';
  ELSIF set_context_strategy.strategy NOT IN ('truncate_oldest', 'summarize', 'error') THEN
    RAISE EXCEPTION 'strategy is not valid' USING ERRCODE = '22023',
      HINT = 'It is truncate_oldest, summarize or error; NULL stands for the setting context_strategy.';
  ELSIF set_context_strategy.reserve < 1 THEN
    RAISE EXCEPTION 'reserve must be positive' USING ERRCODE = '22023', HINT = 'It is a number of tokens, such as 2000; NULL: what is usual.';
  END IF;
  IF set_context_strategy.summary_model IS NOT NULL THEN
    PERFORM chat_private.resolve_model(caller_id, set_context_strategy.summary_model);
  END IF;
  UPDATE chat.conversations c
  SET context_strategy = set_context_strategy.strategy, context_reserve = set_context_strategy.reserve,
      summary_model = set_context_strategy.summary_model, updated_at = clock_timestamp()
  WHERE c.user_id = caller_id AND c.id = set_context_strategy.conversation_id;
  IF NOT FOUND THEN
    PERFORM chat_private.conversation_not_found();
  END IF;
END
$$;
COMMENT ON FUNCTION chat.set_context_strategy(uuid, text, integer, text) IS
'Says what is done where one of my conversations does not fit its model''s context window; in force for the next message.
strategy: truncate_oldest (the oldest messages are not told), summarize (a summary that a model writes is told in their place),
error (the message is refused); NULL: as the setting context_strategy says. reserve: tokens of the window that are kept for the
answer, of which never more than half is; NULL: max_tokens of the call, else what the model or its provider is known to write at most,
else the setting context_reserve. summary_model: who writes summaries; NULL: the setting summary_model, else the model that replies.
Errors: 28000 nobody is authenticated; 22004 conversation_id is NULL; 22023 strategy or reserve; P0002 no such conversation of mine;
42704 no such model; 42501 it is not open to the user.';

CREATE OR REPLACE FUNCTION chat.list_summaries(conversation_id uuid)
RETURNS TABLE (id uuid, last_message_id uuid, content text, model text, created_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  conversation CONSTANT chat.conversations := chat_private.own_conversation(chat_private.require_user(), list_summaries.conversation_id);
BEGIN
  RETURN QUERY
    SELECT s.id, s.last_message_id, s.content, s.model, s.created_at FROM chat.conversation_summaries s
    WHERE s.user_id = conversation.user_id AND s.conversation_id = conversation.id ORDER BY s.id;
END
$$;
COMMENT ON FUNCTION chat.list_summaries(uuid) IS
'The summaries of parts of one of my conversations, the oldest first. last_message_id: each tells of this message and all above it,
and is used on the branches that go through it.
Errors: 28000 nobody is authenticated; 22004 conversation_id is NULL; P0002 no such conversation of mine.';

CREATE OR REPLACE FUNCTION chat.context_preview(conversation_id uuid, leaf_id uuid DEFAULT NULL, model text DEFAULT NULL)
RETURNS TABLE ("position" integer, message_id uuid, role text, tokens bigint, source text, is_truncated boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  unlimited CONSTANT bigint := 1000000000000;
  conversation CONSTANT chat.conversations := chat_private.own_conversation(chat_private.require_user(), context_preview.conversation_id);
  leaf CONSTANT uuid := coalesce(context_preview.leaf_id, conversation.active_leaf_id);
  asked CONSTANT text := chat_private.resolve_model(conversation.user_id, coalesce(context_preview.model, conversation.model));
  summary chat.conversation_summaries;
  fit record;
BEGIN
  IF context_preview.leaf_id IS NOT NULL AND NOT EXISTS (SELECT FROM chat.messages m
       WHERE m.user_id = conversation.user_id AND m.id = leaf AND m.conversation_id = context_preview.conversation_id) THEN
    RAISE EXCEPTION 'message not found in this conversation' USING ERRCODE = 'P0002',
      HINT = 'chat.list_messages shows the messages there are; NULL is the end of the active branch.';
  END IF;
  SELECT f.* INTO fit FROM chat_private.context_fit(conversation.user_id, conversation.id, leaf, asked, NULL, '{}', NULL) f;
  IF fit.is_refused THEN
    PERFORM chat_private.refuse_context();
  END IF;
  IF NOT fit.is_whole AND fit.strategy = 'summarize' THEN
    summary := chat_private.nearest_summary(conversation.user_id, conversation.id, leaf);
    IF fit.messages -> 0 IS DISTINCT FROM chat_private.summary_message(summary.content) THEN
      summary := NULL;
    END IF;
  END IF;
  RETURN QUERY
    WITH branch AS (
      SELECT b.*, max(b.depth) FILTER (WHERE b.role = 'user') OVER () AS first_depth
      FROM chat_private.branch_upwards(conversation.user_id, leaf,
             coalesce(fit.room, unlimited) - coalesce(chat_private.summary_tokens(summary.content), 0), summary.last_message_id) b
      WHERE b.room >= 0
    ), told AS (
      SELECT 0 AS part, 0 AS place, NULL::uuid AS id, 'system' AS role, chat_private.text_tokens(octet_length(fit.system_prompt)) AS tokens,
             'system_prompt' AS source
      WHERE fit.system_prompt <> ''
      UNION ALL
      SELECT 1, 0, summary.last_message_id, 'system', chat_private.summary_tokens(summary.content), 'summary' WHERE summary.id IS NOT NULL
      UNION ALL
      SELECT 2, -b.depth, b.id, b.role, b.tokens, 'message' FROM branch b
      WHERE (fit.is_whole OR b.depth <= b.first_depth) AND chat_private.is_context(b.role, b.content, b.tool_calls)
    )
    SELECT (row_number() OVER (ORDER BY t.part, t.place))::integer, t.id, t.role, t.tokens, t.source, NOT fit.is_whole
    FROM told t ORDER BY t.part, t.place;
END
$$;
COMMENT ON FUNCTION chat.context_preview(uuid, uuid, text) IS
'What a model would be told of one of my conversations as it is now, in order. leaf_id: the end of the branch, by default of the active
one. model: by default the conversation''s, else the user''s, else the installation''s. source: system_prompt, summary (message_id is then
the last message that it tells of) or message. tokens: as they are counted here, known or guessed. is_truncated: whether messages
are left out, with or without a summary in their place.
Errors: 28000 nobody is authenticated; 22004 conversation_id is NULL; P0002 no such conversation of mine, or no such leaf in it; 42704 no
such model; 42501 it is not open to the user; PC003 there is none; PC110 the strategy is error and not all fits, or nothing does.';
