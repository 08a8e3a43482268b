-- Opening a conversation from a template, with its first messages.

CREATE OR REPLACE FUNCTION chat_private.add_first_messages(user_id uuid, conversation_id uuid, messages jsonb, placeholder_values jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  member jsonb;
  filled text;
  above uuid;
  new_id uuid;
BEGIN
  FOR member IN SELECT e.value FROM jsonb_array_elements(add_first_messages.messages) WITH ORDINALITY e (value, n) ORDER BY e.n LOOP
    filled := chat_private.fill_placeholders(member ->> 'content', add_first_messages.placeholder_values);
    PERFORM chat_private.check_content(filled);
    new_id := chat.uuid_v7();
    INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, content, content_hash, created_at, updated_at)
    VALUES (add_first_messages.user_id, new_id, add_first_messages.conversation_id, above, member ->> 'role', filled,
            chat.content_hash(filled), clock_timestamp(), clock_timestamp());
    above := new_id;
  END LOOP;
  IF above IS NOT NULL THEN
    UPDATE chat.conversations c SET active_leaf_id = above, last_message_at = clock_timestamp(), updated_at = clock_timestamp()
    WHERE c.user_id = add_first_messages.user_id AND c.id = add_first_messages.conversation_id;
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.add_first_messages(uuid, uuid, jsonb, jsonb) IS
'Stores the messages of a template, filled in, one below the other, in an empty conversation.
Errors: 22023 a value is missing; 2200F a message is empty once filled in; 54000 it is too long.';

CREATE OR REPLACE FUNCTION chat.create_from_template(template_id uuid, placeholder_values jsonb DEFAULT '{}', title text DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  given jsonb := coalesce(create_from_template.placeholder_values, '{}');
  template chat.conversation_templates;
  new_id uuid;
BEGIN
  IF create_from_template.template_id IS NULL THEN
    RAISE EXCEPTION 'template_id must not be null' USING ERRCODE = '22004';
  ELSIF jsonb_typeof(given) <> 'object' OR EXISTS (SELECT FROM jsonb_each(given) v WHERE jsonb_typeof(v.value) IN ('object', 'array')) THEN
    RAISE EXCEPTION 'placeholder_values must be a JSON object of texts, numbers and booleans' USING ERRCODE = '22023',
      HINT = 'For example {"topic": "rivers"}.';
  END IF;
  SELECT t.* INTO template FROM chat.conversation_templates t
  WHERE t.user_id = ANY (ARRAY[caller_id, uuid '00000000-0000-0000-0000-000000000000']) AND t.id = create_from_template.template_id;
  IF NOT FOUND THEN
    PERFORM chat_private.template_not_found();
  END IF;
  new_id := chat_private.open_conversation(
    caller_id, CASE WHEN create_from_template.title <> '' THEN create_from_template.title
                    ELSE chat_private.fill_placeholders(template.title, given) END,
    template.model, chat_private.fill_placeholders(template.system_prompt, given), NULL);
  PERFORM chat_private.add_first_messages(caller_id, new_id, template.messages, given);
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION chat.create_from_template(uuid, jsonb, text) IS
'Opens a conversation of the current user as a template says and returns its id: its first messages are there, and no model is asked
yet. template_id: one of chat.list_templates(). placeholder_values: an object with a value for each placeholder, put in as it is;
others are passed over. title: instead of the template''s; where neither has one, by the setting title_rule.
Errors: 28000 nobody is authenticated; 22004 template_id is NULL; P0002 no such template; 22023 placeholder_values, or one is
missing; 2200F a message is empty once filled in; 54000 a text is too long; 42704 its model is gone; 42501 the user may not use it;
PC303 the plan allows no more conversations.';
