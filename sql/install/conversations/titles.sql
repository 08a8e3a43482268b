-- Titles by rule: for a new conversation, and from its first message.

CREATE OR REPLACE FUNCTION chat_private.title_rule(user_id uuid) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  chosen text;
BEGIN
  SELECT s.preferences ->> 'title_rule' INTO chosen FROM chat.user_settings s WHERE s.user_id = title_rule.user_id;
  IF chosen IN ('new_conversation', 'numbered', 'first_words', 'model') THEN
    RETURN chosen;
  END IF;
  RETURN chat_private.setting_text('title_rule');
END
$$;
COMMENT ON FUNCTION chat_private.title_rule(uuid) IS
'The rule that titles a user''s conversations: the member title_rule of their preferences where it is one, else the setting.';

CREATE OR REPLACE FUNCTION chat_private.next_untitled(user_id uuid) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  number integer;
BEGIN
  -- Simultaneous calls for one user wait here for each other, so that no number comes twice.
  INSERT INTO chat.user_settings AS s (user_id, untitled_count) VALUES (next_untitled.user_id, 1)
  ON CONFLICT (user_id) DO UPDATE SET untitled_count = s.untitled_count + 1
  RETURNING s.untitled_count INTO number;
  IF number = 1 THEN
    -- Conversations that came from elsewhere may have such titles already.
    SELECT coalesce(max(substring(c.title FROM '^Untitled ([0-9]{1,8})$')::integer), 0) + 1 INTO number
    FROM chat.conversations c WHERE c.user_id = next_untitled.user_id;
    UPDATE chat.user_settings s SET untitled_count = number WHERE s.user_id = next_untitled.user_id;
  END IF;
  RETURN 'Untitled ' || number;
END
$$;
COMMENT ON FUNCTION chat_private.next_untitled(uuid) IS
'The next title of the rule numbered; the first follows the highest number that a title of the user has.';

CREATE OR REPLACE FUNCTION chat_private.first_title(user_id uuid, given text) RETURNS chat_private.title_choice
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  chosen chat_private.title_choice := ROW(first_title.given, text 'given');
BEGIN
  IF first_title.given <> '' THEN
    RETURN chosen;
  END IF;
  CASE chat_private.title_rule(first_title.user_id)
    WHEN 'numbered' THEN
      chosen := ROW(chat_private.next_untitled(first_title.user_id), text 'rule');
    WHEN 'new_conversation' THEN
      chosen := ROW(text 'New Conversation', text 'rule');
    ELSE
      chosen := ROW(text 'New Conversation', text 'default');
  END CASE;
  RETURN chosen;
END
$$;
COMMENT ON FUNCTION chat_private.first_title(uuid, text) IS
'The title of a conversation before its first message: the one given, or where it is NULL or empty by the user''s rule.';

CREATE OR REPLACE FUNCTION chat_private.first_words(content text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  longest CONSTANT integer := 60;
  line text := btrim(left(regexp_replace(left(first_words.content, 20000), '^\s+', ''), 1000));
  words text;
BEGIN
  line := btrim(regexp_replace(split_part(regexp_replace(line, '[\n\r\u2028\u2029].*', ''), E'\n', 1), '[\s[:cntrl:]]+', ' ', 'g'));
  IF char_length(line) <= longest THEN
    RETURN nullif(line, '');
  END IF;
  words := left(line, longest);
  IF substr(line, longest + 1, 1) <> ' ' AND strpos(right(words, longest / 2), ' ') > 0 THEN
    -- The word that the limit would cut is left out, unless it is as long as those of languages without spaces.
    words := regexp_replace(words, '\s\S*$', '');
  END IF;
  WHILE words <> '' AND (substr(line, char_length(words) + 1, 1) ~ '[\u0300-\u036f\u200d\u3099\u309a\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]' OR right(words, 1) = U&'\200d') LOOP
    words := left(words, -1);
  END LOOP;
  -- Nothing but marks: they are cut anywhere.
  RETURN regexp_replace(coalesce(nullif(words, ''), left(line, longest)), '[\s.,;:!?、。，；：！？-]+$', '') || '…';
END
$$;
COMMENT ON FUNCTION chat_private.first_words(text) IS
'The first line of a text, cut at the end of a word within 60 characters, or where no word ends in the second half of these
at the last that is whole; NULL: it has no line that is not blank.';

CREATE OR REPLACE FUNCTION chat_private.title_from_first_message(user_id uuid, conversation_id uuid, content text, reply_id uuid)
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  rule text := chat_private.title_rule(title_from_first_message.user_id);
  new_title text := CASE rule
    WHEN 'numbered' THEN chat_private.next_untitled(title_from_first_message.user_id)
    WHEN 'new_conversation' THEN NULL
    ELSE chat_private.first_words(title_from_first_message.content) END;
BEGIN
  UPDATE chat.conversations c SET title = coalesce(new_title, c.title), title_source = 'rule'
  WHERE c.user_id = title_from_first_message.user_id AND c.id = title_from_first_message.conversation_id
    AND c.title_source = 'default';
  IF FOUND AND rule = 'model' THEN
    PERFORM chat_private.queue_side_request(title_from_first_message.user_id, title_from_first_message.conversation_id,
      'title', title_from_first_message.reply_id, coalesce(
        (SELECT s.value #>> '{}' FROM chat.settings s WHERE s.key = 'title_model'),
        (SELECT m.model FROM chat.messages m
         WHERE m.user_id = title_from_first_message.user_id AND m.id = title_from_first_message.reply_id)));
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.title_from_first_message(uuid, uuid, text, uuid) IS
'Titles a conversation whose title_source is default, by the user''s rule, from the content of its first message. For the rule
model that is its first words, and a request is queued for the title that replaces them, with the setting title_model, else
the model of the reply; it waits for the reply with reply_id, NULL: for none.';

CREATE OR REPLACE FUNCTION chat_private.title_from_turn(user_id uuid, conversation_id uuid, reply_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  question text;
BEGIN
  SELECT q.content INTO question
  FROM chat.messages r, LATERAL (SELECT m.* FROM chat.messages m WHERE m.user_id = r.user_id AND m.id = r.parent_id OFFSET 0) q
  WHERE r.user_id = title_from_turn.user_id AND r.id = title_from_turn.reply_id AND q.role = 'user';
  IF FOUND THEN
    PERFORM chat_private.title_from_first_message(title_from_turn.user_id, title_from_turn.conversation_id, question,
                                                  title_from_turn.reply_id);
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.title_from_turn(uuid, uuid, uuid) IS
'chat_private.title_from_first_message with the message that the reply with this id answers.';
