-- Messages sent twice: by key, by text, and the list of them.

CREATE OR REPLACE FUNCTION chat_private.turn_options(options jsonb) RETURNS chat_private.turn_options
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  own chat_private.turn_options := ROW(turn_options.options ->> 'when_busy', turn_options.options ->> 'on_duplicate');
BEGIN
  PERFORM chat_private.check_options(turn_options.options);
  IF turn_options.options ? 'when_busy' AND own.when_busy IN ('refuse', 'queue') IS NOT TRUE THEN
    RAISE EXCEPTION 'option when_busy is not valid' USING ERRCODE = 'PC002', HINT = 'It is "refuse" or "queue".';
  ELSIF turn_options.options ? 'on_duplicate' AND own.on_duplicate IN ('allow', 'refuse', 'return') IS NOT TRUE THEN
    RAISE EXCEPTION 'option on_duplicate is not valid' USING ERRCODE = 'PC002', HINT = 'It is "allow", "refuse" or "return".';
  END IF;
  RETURN own;
END
$$;
COMMENT ON FUNCTION chat_private.turn_options(jsonb) IS
'The options of a turn that no model is told of. Errors: PC002 options is no object, or one of these has no value it can have.';

CREATE OR REPLACE FUNCTION chat_private.recent_duplicate(user_id uuid, conversation_id uuid, content text) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  since timestamptz := greatest(clock_timestamp() - chat_private.setting_text('duplicate_window')::interval, timestamptz 'epoch');
  hash bytea := chat.content_hash(recent_duplicate.content);
BEGIN
  -- By the key, in which ids follow time: what is read is what the user sent lately, and not the conversation.
  RETURN (SELECT m.id FROM chat.messages m
          WHERE m.user_id = recent_duplicate.user_id AND m.id >= chat_private.id_at(since) AND m.role = 'user'
            AND m.conversation_id = recent_duplicate.conversation_id AND m.content_hash = hash AND m.created_at >= since
            AND m.attachment_count = 0
          ORDER BY m.id DESC LIMIT 1);
END
$$;
COMMENT ON FUNCTION chat_private.recent_duplicate(uuid, uuid, text) IS
'The newest message of the user with this text in this conversation, without files, sent within the setting duplicate_window.';

CREATE OR REPLACE FUNCTION chat_private.turn_of(user_id uuid, message_id uuid,
  OUT user_message_id uuid, OUT assistant_message_id uuid, OUT request_id uuid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
  SELECT turn_of.message_id, r.id, q.id
  FROM (SELECT) one
  LEFT JOIN chat.messages r ON r.user_id = turn_of.user_id AND r.parent_id = turn_of.message_id AND r.role = 'assistant'
  LEFT JOIN chat_private.llm_requests q ON q.user_id = r.user_id AND q.message_id = r.id
  ORDER BY r.id DESC LIMIT 1
$$;
COMMENT ON FUNCTION chat_private.turn_of(uuid, uuid) IS 'A message, its newest reply and the request for that; NULLs where there is none.';

CREATE OR REPLACE FUNCTION chat_private.earlier_turn(user_id uuid, conversation_id uuid, idempotency_key text, on_duplicate text,
  content text, OUT user_message_id uuid, OUT assistant_message_id uuid, OUT request_id uuid)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  earlier uuid;
BEGIN
  IF earlier_turn.idempotency_key IS NOT NULL THEN
    SELECT t.* INTO earlier_turn.user_message_id, earlier_turn.assistant_message_id, earlier_turn.request_id
    FROM chat_private.find_turn(earlier_turn.user_id, earlier_turn.conversation_id, earlier_turn.idempotency_key) t;
  END IF;
  IF earlier_turn.user_message_id IS NOT NULL OR coalesce(earlier_turn.on_duplicate, 'allow') = 'allow' THEN
    RETURN;
  END IF;
  earlier := chat_private.recent_duplicate(earlier_turn.user_id, earlier_turn.conversation_id, earlier_turn.content);
  IF earlier IS NOT NULL AND earlier_turn.on_duplicate = 'refuse' THEN
    RAISE EXCEPTION 'the same message was sent a short while ago' USING ERRCODE = 'PC309',
      HINT = 'chat.list_messages shows it; chat.retry_message or chat.regenerate_message asks again, options {"on_duplicate": "allow"} sends it twice.';
  ELSIF earlier IS NOT NULL THEN
    SELECT t.* INTO earlier_turn.user_message_id, earlier_turn.assistant_message_id, earlier_turn.request_id
    FROM chat_private.turn_of(earlier_turn.user_id, earlier) t;
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.earlier_turn(uuid, uuid, text, text, text) IS
'The ids of the turn that was stored with this key, or lately with this text where on_duplicate is return; NULLs: of none.
Errors: PC309 there is one of this text, and on_duplicate is refuse.';

CREATE OR REPLACE FUNCTION chat.find_duplicates(conversation_id uuid DEFAULT NULL, role text DEFAULT 'user')
RETURNS TABLE (content text, content_hash bytea, count bigint, first_at timestamptz, last_at timestamptz, message_ids uuid[])
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  IF find_duplicates.role IS NULL THEN
    RAISE EXCEPTION 'role must not be null' USING ERRCODE = '22004';
  ELSIF find_duplicates.role NOT IN ('system', 'user', 'assistant', 'tool') THEN
    RAISE EXCEPTION 'role is not valid' USING ERRCODE = '22023', HINT = 'It is system, user, assistant or tool.';
  END IF;
  IF find_duplicates.conversation_id IS NOT NULL THEN
    PERFORM FROM chat.conversations c WHERE c.user_id = caller_id AND c.id = find_duplicates.conversation_id;
    IF NOT FOUND THEN
      PERFORM chat_private.conversation_not_found();
    END IF;
  END IF;
  RETURN QUERY
    SELECT first.content, g.content_hash, g.times, g.first_at, g.last_at, g.ids
    FROM (SELECT m.content_hash, count(*) AS times, min(m.created_at) AS first_at, max(m.created_at) AS last_at,
                 array_agg(m.id ORDER BY m.created_at, m.id) AS ids
          -- What a fork copied has the time of the original, and was not sent again.
          FROM (SELECT DISTINCT ON (s.content_hash, s.created_at) s.content_hash, s.created_at, s.id
                FROM chat.messages s
                WHERE s.user_id = caller_id AND s.role = find_duplicates.role AND s.content_hash IS NOT NULL AND s.content <> ''
                  AND (find_duplicates.conversation_id IS NULL OR s.conversation_id = find_duplicates.conversation_id)
                ORDER BY s.content_hash, s.created_at, s.id) m
          GROUP BY m.content_hash HAVING count(*) > 1) g
    JOIN chat.messages first ON first.user_id = caller_id AND first.id = g.ids[1]
    ORDER BY g.times DESC, g.last_at DESC, g.content_hash;
END
$$;
COMMENT ON FUNCTION chat.find_duplicates(uuid, text) IS
'The texts that more than one of my messages has, to the letter: the text, its SHA-256, how many have it, when the first and the last
was sent, and their ids, the oldest first; the most frequent text first. conversation_id: only within this one. role: whose messages,
by default those of the user. Replies without text are left out, and so are copies that a fork has made.
Errors: 28000 nobody is authenticated; 22004 role is NULL; 22023 no such role; P0002 no such conversation of mine.';
