-- Making room: what is done about a turn that does not fit its model's context window before it is sent.

CREATE OR REPLACE FUNCTION chat_private.tell_turn(turn chat_private.turn, user_id uuid, conversation_id uuid, content text, options jsonb)
RETURNS chat_private.turn
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  told chat_private.turn := tell_turn.turn;
  fit record;
BEGIN
  SELECT f.messages, f.is_refused INTO fit
  FROM chat_private.context_fit(tell_turn.user_id, tell_turn.conversation_id, told.parent_id, told.model, told.system_prompt,
                                tell_turn.options, tell_turn.content) f;
  IF fit.is_refused THEN
    PERFORM chat_private.refuse_context();
  END IF;
  told.messages := fit.messages;
  RETURN told;
END
$$;
COMMENT ON FUNCTION chat_private.tell_turn(chat_private.turn, uuid, uuid, text, jsonb) IS
'A turn of an immediate call with what its model is told before content: an array of messages, root first, NULL where there are none.
Errors: PC110 content alone does not fit, or the strategy is error and not all does.';
