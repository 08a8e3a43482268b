-- Branches as a whole: showing another one, and making a conversation of one.

CREATE OR REPLACE FUNCTION chat_private.newest_leaf(user_id uuid, message_id uuid) RETURNS uuid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
  WITH RECURSIVE below (id, depth) AS (
    SELECT newest_leaf.message_id, 1
    UNION ALL
    SELECT n.id, b.depth + 1
    FROM below b, LATERAL (SELECT m.id FROM chat.messages m
                           WHERE m.user_id = newest_leaf.user_id AND m.parent_id = b.id ORDER BY m.id DESC LIMIT 1) n
  )
  SELECT b.id FROM below b ORDER BY b.depth DESC LIMIT 1
$$;
COMMENT ON FUNCTION chat_private.newest_leaf(uuid, uuid) IS
'The message at which one arrives from this one, going to the newest of those that follow at each step.';

CREATE OR REPLACE FUNCTION chat.select_branch(conversation_id uuid, message_id uuid) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  leaf uuid;
BEGIN
  IF select_branch.conversation_id IS NULL OR select_branch.message_id IS NULL THEN
    RAISE EXCEPTION 'conversation_id and message_id must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM FROM chat.conversations c
  WHERE c.user_id = caller_id AND c.id = select_branch.conversation_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    PERFORM chat_private.conversation_not_found();
  END IF;
  PERFORM FROM (SELECT m.conversation_id FROM chat.messages m
                WHERE m.user_id = caller_id AND m.id = select_branch.message_id OFFSET 0) m
  WHERE m.conversation_id = select_branch.conversation_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'message not found in this conversation' USING ERRCODE = 'P0002',
      HINT = 'Pass the id of any message of the branch.';
  END IF;
  leaf := chat_private.newest_leaf(caller_id, select_branch.message_id);
  UPDATE chat.conversations c SET active_leaf_id = leaf, updated_at = clock_timestamp()
  WHERE c.user_id = caller_id AND c.id = select_branch.conversation_id AND c.active_leaf_id IS DISTINCT FROM leaf;
  RETURN leaf;
END
$$;
COMMENT ON FUNCTION chat.select_branch(uuid, uuid) IS
'Makes the branch that goes through a message the one that is shown and continued: below the message it follows the newest at each
step. Returns its last message, the active leaf now. The ids of siblings are those of chat.messages with the same parent_id.
Errors: 28000 nobody is authenticated; 22004 an argument is NULL; P0002 no such conversation of mine, or no such message in it.';

CREATE OR REPLACE FUNCTION chat_private.forkable_branch(user_id uuid, conversation_id uuid, at_message uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  ids uuid[];
  first_open integer;
BEGIN
  WITH RECURSIVE branch (id, parent_id, status, depth) AS (
    SELECT l.id, l.parent_id, l.status, 1
    FROM (SELECT m.* FROM chat.messages m WHERE m.user_id = forkable_branch.user_id AND m.id = forkable_branch.at_message OFFSET 0) l
    WHERE l.conversation_id = forkable_branch.conversation_id
    UNION ALL
    SELECT p.id, p.parent_id, p.status, b.depth + 1
    FROM branch b, LATERAL (SELECT m.* FROM chat.messages m
                            WHERE m.user_id = forkable_branch.user_id AND m.id = b.parent_id OFFSET 0) p
  )
  SELECT array_agg(b.id ORDER BY b.depth DESC), min(b.place) FILTER (WHERE b.status IN ('pending', 'streaming')) INTO ids, first_open
  FROM (SELECT r.id, r.status, r.depth, row_number() OVER (ORDER BY r.depth DESC)::integer AS place FROM branch r) b;
  RETURN CASE WHEN first_open IS NULL THEN ids ELSE ids[:first_open - 1] END;
END
$$;
COMMENT ON FUNCTION chat_private.forkable_branch(uuid, uuid, uuid) IS
'The ids of the branch that ends with a message, root first, as far as no reply in progress; NULL: it is not in this conversation.';

CREATE OR REPLACE FUNCTION chat_private.copy_messages(user_id uuid, ids uuid[], to_conversation uuid) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  -- In their order, so that a copy's id is above its parent's.
  new_ids uuid[] := ARRAY(SELECT chat.uuid_v7() FROM generate_series(1, cardinality(copy_messages.ids)));
BEGIN
  INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, status, content, content_hash, thinking, tool_calls,
                             tool_call_id, model, finish_reason, error, input_tokens, output_tokens, cached_tokens, cost,
                             latency_ms, first_token_ms, last_seq, attachment_count, author_id, metadata, created_at, updated_at)
  SELECT m.user_id, new_ids[u.n], copy_messages.to_conversation, new_ids[u.n - 1], m.role, m.status, m.content, m.content_hash,
         m.thinking, m.tool_calls, m.tool_call_id, m.model, m.finish_reason, m.error, m.input_tokens, m.output_tokens,
         -- What was paid was paid for the original.
         m.cached_tokens, CASE WHEN m.cost IS NOT NULL THEN 0 END, m.latency_ms, m.first_token_ms, m.last_seq, m.attachment_count,
         m.author_id, m.metadata, m.created_at, m.updated_at
  FROM unnest(copy_messages.ids) WITH ORDINALITY u (id, n)
  JOIN chat.messages m ON m.user_id = copy_messages.user_id AND m.id = u.id
  ORDER BY u.n;
  INSERT INTO chat.message_attachments (user_id, message_id, position, attachment_id, name)
  SELECT a.user_id, new_ids[u.n], a.position, a.attachment_id, a.name
  FROM unnest(copy_messages.ids) WITH ORDINALITY u (id, n)
  JOIN chat.message_attachments a ON a.user_id = copy_messages.user_id AND a.message_id = u.id;
  INSERT INTO chat.conversation_summaries (user_id, conversation_id, last_message_id, content, model, created_at)
  SELECT s.user_id, copy_messages.to_conversation, new_ids[u.n], s.content, s.model, s.created_at
  FROM unnest(copy_messages.ids) WITH ORDINALITY u (id, n)
  JOIN chat.conversation_summaries s ON s.user_id = copy_messages.user_id AND s.last_message_id = u.id;
  RETURN new_ids[cardinality(new_ids)];
END
$$;
COMMENT ON FUNCTION chat_private.copy_messages(uuid, uuid[], uuid) IS
'Copies a branch, root first, with its files and summaries into an empty conversation of the same user; returns the last copy''s id.';

CREATE OR REPLACE FUNCTION chat.fork_conversation(id uuid, at_message uuid DEFAULT NULL, title text DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  new_id uuid := chat.uuid_v7();
  origin chat.conversations;
  leaf uuid;
  ids uuid[];
BEGIN
  IF fork_conversation.id IS NULL THEN
    RAISE EXCEPTION 'id must not be null' USING ERRCODE = '22004';
  ELSIF char_length(fork_conversation.title) > 500 THEN
    RAISE EXCEPTION 'the title has more than 500 characters' USING ERRCODE = '54000', HINT = 'Shorten it.';
  END IF;
  origin := chat_private.own_conversation(caller_id, fork_conversation.id);
  leaf := coalesce(fork_conversation.at_message, origin.active_leaf_id);
  ids := chat_private.forkable_branch(caller_id, origin.id, leaf);
  IF ids IS NULL AND leaf IS NOT NULL THEN
    RAISE EXCEPTION 'message not found in this conversation' USING ERRCODE = 'P0002',
      HINT = 'chat.list_messages shows the messages there are.';
  ELSIF fork_conversation.at_message <> ids[cardinality(ids)] IS NOT FALSE AND fork_conversation.at_message IS NOT NULL THEN
    RAISE EXCEPTION 'the message is a reply that is still being generated, or follows one' USING ERRCODE = '55006',
      HINT = 'Wait for it, or fork at a message above.';
  END IF;
  PERFORM chat_private.hold_account(caller_id);
  PERFORM chat_private.check_conversation_limit(caller_id);
  INSERT INTO chat.conversations (user_id, id, title, title_source, description, model, system_prompt, system_prompt_id, folder_id,
                                  tags, context_strategy, context_reserve, summary_model, metadata, forked_from_id,
                                  forked_at_message_id)
  VALUES (caller_id, new_id, coalesce(fork_conversation.title, origin.title),
          CASE WHEN fork_conversation.title IS NULL THEN origin.title_source ELSE 'given' END, origin.description, origin.model,
          origin.system_prompt, origin.system_prompt_id, origin.folder_id, origin.tags, origin.context_strategy,
          origin.context_reserve, origin.summary_model, origin.metadata, origin.id, ids[cardinality(ids)]);
  IF cardinality(ids) > 0 THEN
    leaf := chat_private.copy_messages(caller_id, ids, new_id);
    UPDATE chat.conversations c SET active_leaf_id = leaf WHERE c.user_id = caller_id AND c.id = new_id;
  END IF;
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION chat.fork_conversation(uuid, uuid, text) IS
'A new conversation of mine with a copy of one branch of another one: of the messages up to at_message, by default of the active branch
as far as it is not still being generated. The copy has settings, system prompt, folder, tags, files, summaries, texts, times, models
and token numbers of the original, and forked_from_id and forked_at_message_id say where it comes from; it has no ratings, and its
messages have cost nothing. title: at most 500 characters, by default that of the original. Returns the new conversation''s id.
Errors: 28000 nobody is authenticated; 22004 id is NULL; 54000 title; P0002 no such conversation of mine, or no such message in it;
55006 at_message is a reply in progress or follows one; PC303 the plan allows no more conversations.';

CREATE OR REPLACE FUNCTION chat.rate_message(id uuid, rating integer, comment text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  message record;
BEGIN
  IF rate_message.id IS NULL THEN
    RAISE EXCEPTION 'id must not be null' USING ERRCODE = '22004';
  ELSIF rate_message.rating NOT IN (-1, 1) THEN
    RAISE EXCEPTION 'rating is not valid' USING ERRCODE = '22023', HINT = 'It is 1 for good, -1 for bad, NULL for none.';
  ELSIF char_length(rate_message.comment) > 10000 THEN
    RAISE EXCEPTION 'the comment has more than 10000 characters' USING ERRCODE = '54000', HINT = 'Shorten it.';
  END IF;
  SELECT m.role, m.status INTO message FROM chat.messages m WHERE m.user_id = caller_id AND m.id = rate_message.id;
  IF NOT FOUND THEN
    PERFORM chat_private.message_not_found();
  ELSIF message.role <> 'assistant' THEN
    RAISE EXCEPTION 'only a reply can be rated' USING ERRCODE = '22023', HINT = 'Pass the id of an assistant message.';
  ELSIF message.status IN ('pending', 'streaming') THEN
    RAISE EXCEPTION 'the reply is still being generated' USING ERRCODE = '55006',
      HINT = 'Wait for it, or call chat.cancel_message on it first.';
  END IF;
  UPDATE chat.messages m SET rating = rate_message.rating, feedback = nullif(rate_message.comment, ''), updated_at = clock_timestamp()
  WHERE m.user_id = caller_id AND m.id = rate_message.id;
END
$$;
COMMENT ON FUNCTION chat.rate_message(uuid, integer, text) IS
'Says what I think of a reply: rating 1 for good, -1 for bad, and a comment of at most 10000 characters. Each call replaces both: with
rating NULL and no comment it takes them back.
Errors: 28000 nobody is authenticated; 22004 id is NULL; 22023 rating is none of these, or the message no reply; 54000 the comment is too
long; P0002 no such message of mine; 55006 the reply is still being generated.';
