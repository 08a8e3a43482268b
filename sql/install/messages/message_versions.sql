-- Another version of a message: edited by its author, generated anew, or going on where it was cut off. Nothing is overwritten.

CREATE OR REPLACE FUNCTION chat_private.edit_question(message chat.messages, content text,
  OUT user_message_id uuid, OUT assistant_message_id uuid, OUT request_id uuid)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  owner_id CONSTANT uuid := edit_question.message.user_id;
  source chat_private.reply_source;
  model text;
  awaited uuid;
BEGIN
  PERFORM chat_private.check_message_limit(owner_id);
  source := chat_private.source_of(owner_id, chat_private.newest_reply(owner_id, edit_question.message.id));
  model := chat_private.reusable_model(owner_id, edit_question.message.conversation_id, NULL, source.model);
  -- A message that waits in the queue can be edited as well: then the new one waits, too.
  awaited := chat_private.wait_for_branch(owner_id, edit_question.message.parent_id, true);
  edit_question.user_message_id := chat.uuid_v7();
  INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, content, content_hash, attachment_count,
                             created_at, updated_at)
  VALUES (owner_id, edit_question.user_message_id, edit_question.message.conversation_id, edit_question.message.parent_id, 'user',
          edit_question.content, chat.content_hash(edit_question.content), edit_question.message.attachment_count,
          clock_timestamp(), clock_timestamp());
  IF edit_question.message.attachment_count > 0 THEN
    PERFORM chat_private.copy_attachments(owner_id, edit_question.message.id, edit_question.user_message_id);
  END IF;
  SELECT r.* INTO edit_question.assistant_message_id, edit_question.request_id
  FROM chat_private.add_reply(owner_id, edit_question.message.conversation_id, edit_question.user_message_id, model,
                              source.options, awaited) r;
END
$$;
COMMENT ON FUNCTION chat_private.edit_question(chat.messages, text) IS 'chat.edit_message for a message of role user.';

CREATE OR REPLACE FUNCTION chat_private.edit_reply(message chat.messages, content text) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  new_id uuid := chat.uuid_v7();
  edited_at timestamptz := clock_timestamp();
BEGIN
  IF edit_reply.message.status IN ('pending', 'streaming') THEN
    RAISE EXCEPTION 'the reply is still being generated' USING ERRCODE = '55006',
      HINT = 'Wait for it, or call chat.cancel_message on it first.';
  END IF;
  PERFORM chat_private.wait_for_branch(edit_reply.message.user_id, edit_reply.message.parent_id, false);
  INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, content, content_hash, model, metadata, created_at, updated_at)
  VALUES (edit_reply.message.user_id, new_id, edit_reply.message.conversation_id, edit_reply.message.parent_id, 'assistant',
          edit_reply.content, chat.content_hash(edit_reply.content), edit_reply.message.model, '{"edited": true}', edited_at, edited_at);
  UPDATE chat.conversations c SET active_leaf_id = new_id, last_message_at = edited_at, updated_at = edited_at
  WHERE c.user_id = edit_reply.message.user_id AND c.id = edit_reply.message.conversation_id;
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION chat_private.edit_reply(chat.messages, text) IS
'chat.edit_message for a reply. Errors: 55006 it, or one above it, is in progress.';

CREATE OR REPLACE FUNCTION chat.edit_message(id uuid, content text,
  OUT user_message_id uuid, OUT assistant_message_id uuid, OUT request_id uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  message chat.messages;
BEGIN
  message := chat_private.lock_message(caller_id, edit_message.id);
  PERFORM chat_private.check_content(edit_message.content, message.role = 'user' AND message.attachment_count > 0);
  IF message.role = 'user' THEN
    SELECT e.* INTO edit_message.user_message_id, edit_message.assistant_message_id, edit_message.request_id
    FROM chat_private.edit_question(message, edit_message.content) e;
  ELSIF message.role = 'assistant' THEN
    edit_message.assistant_message_id := chat_private.edit_reply(message, edit_message.content);
  ELSE
    RAISE EXCEPTION 'a message of role % cannot be edited', message.role USING ERRCODE = '22023',
      HINT = 'Pass the id of a message of role user or assistant.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat.edit_message(uuid, text) IS
'A new version of one of my messages, beside the old one, as the end of the active branch; what followed the old one stays there and
is reached with chat.select_branch. Of a message of role user: the new text with the same files, and a pending reply to it by the
model and with the options of the old one''s reply, sent when the transaction commits; where a reply above is still being
generated, it waits for that. Of a reply: the corrected text, complete, with metadata -> edited; no model is asked, and
user_message_id and request_id are NULL.
Errors: 28000 nobody is authenticated; 22004 id or content is NULL; 2200F empty, and no message with files; 54000 longer than pgchat.max_message_bytes; P0002
no such message of mine; 22023 of another role; 55006 the reply, or one above it, is still being generated; 42704, 42501, PC003 the model, where the
old one cannot be asked any more; PC303 the plan allows no more messages now; PC110 as for chat.send_message.';

CREATE OR REPLACE FUNCTION chat.regenerate_message(id uuid, model text DEFAULT NULL,
  OUT assistant_message_id uuid, OUT request_id uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  message chat.messages := chat_private.lock_message(caller_id, regenerate_message.id);
  is_reply boolean := message.role = 'assistant';
  parent_id uuid := CASE WHEN is_reply THEN message.parent_id ELSE message.id END;
BEGIN
  IF parent_id IS NULL OR message.role = 'system' THEN
    RAISE EXCEPTION 'the message is no reply, and has none' USING ERRCODE = '22023',
      HINT = 'Pass the id of a reply, or of the message that it answers.';
  END IF;
  SELECT a.* INTO regenerate_message.assistant_message_id, regenerate_message.request_id
  FROM chat_private.ask_again(caller_id, message.conversation_id, parent_id,
    CASE WHEN is_reply THEN message ELSE chat_private.newest_reply(caller_id, message.id) END, regenerate_message.model) a;
END
$$;
COMMENT ON FUNCTION chat.regenerate_message(uuid, text) IS
'Asks for another reply beside one of my conversations'' replies, however that ended; it becomes the end of the active branch, and its
request is sent when the transaction commits. id: the reply, or the message it answers, which need not have one yet. model: by
default the one that was asked before, else, where that is gone, the conversation''s. The options are those of the earlier request,
as long as that is kept.
Errors: 28000 nobody is authenticated; 22004 id is NULL; P0002 no such message of mine; 22023 it is no reply and cannot have one;
55006 a reply to the same message, or one above, is still being generated; 42704 no such model; 42501 it is not open to the user;
PC003 no default model; PC303 the plan allows no more messages now; PC110 as for chat.send_message.';

CREATE OR REPLACE FUNCTION chat_private.check_continuable(message chat.messages) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF check_continuable.message.role <> 'assistant' THEN
    RAISE EXCEPTION 'only a reply can be continued' USING ERRCODE = '22023', HINT = 'Pass the id of an assistant message.';
  ELSIF check_continuable.message.status IN ('pending', 'streaming') THEN
    RAISE EXCEPTION 'the reply is still being generated' USING ERRCODE = '55006',
      HINT = 'Wait for it, or call chat.cancel_message on it first.';
  ELSIF check_continuable.message.status NOT IN ('incomplete', 'cancelled') THEN
    RAISE EXCEPTION 'the reply was not cut off' USING ERRCODE = '55000',
      HINT = 'Only a reply with status incomplete or cancelled is continued; chat.regenerate_message asks for another one.';
  ELSIF check_continuable.message.content = '' THEN
    RAISE EXCEPTION 'the reply has no text to go on from' USING ERRCODE = '55000', HINT = 'chat.retry_message asks for it again.';
  ELSIF check_continuable.message.tool_calls IS NOT NULL THEN
    RAISE EXCEPTION 'the reply calls tools' USING ERRCODE = '55000',
      HINT = 'It goes on from their results: chat.send_tool_results. chat.retry_message asks for it again.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_continuable(chat.messages) IS
'Errors: 22023 not a reply; 55006 it is in progress; 55000 it was not cut off, has no text, or calls tools.';

CREATE OR REPLACE FUNCTION chat.continue_message(id uuid, OUT assistant_message_id uuid, OUT request_id uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  message chat.messages := chat_private.lock_message(caller_id, continue_message.id);
BEGIN
  PERFORM chat_private.check_continuable(message);
  SELECT a.* INTO continue_message.assistant_message_id, continue_message.request_id
  FROM chat_private.ask_again(caller_id, message.conversation_id, message.id, message) a;
END
$$;
COMMENT ON FUNCTION chat.continue_message(uuid) IS
'Has the model go on with one of my conversations'' replies that was cut off (incomplete), or cancelled with some text: what it adds is
a new reply below that one, which does not repeat it and becomes the end of the active branch; shown one after the other, the two
are the whole. Model and options are those of the reply. Sent when the transaction commits.
Errors: 28000 nobody is authenticated; 22004 id is NULL; P0002 no such message of mine; 22023 not a reply; 55000 it is complete, or
failed without text, or calls tools; 55006 it, or a continuation of it, is still being generated; 42704, 42501, PC003 the model, where
the earlier one cannot be asked any more; PC303 the plan allows no more messages now; PC110 as for chat.send_message.';
