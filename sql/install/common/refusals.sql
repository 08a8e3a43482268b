-- Refusals that many functions share, so that the same thing is told in the same words.

CREATE OR REPLACE FUNCTION chat_private.account_is_gone() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'the account of the current user no longer exists' USING ERRCODE = '28000', HINT = 'It was removed; log in to another one.';
END
$$;
COMMENT ON FUNCTION chat_private.account_is_gone() IS 'Errors: 28000, always.';

CREATE OR REPLACE FUNCTION chat_private.conversation_not_found() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'conversation not found' USING ERRCODE = 'P0002',
    HINT = 'chat.list_conversations shows yours; check who is authenticated.';
END
$$;
COMMENT ON FUNCTION chat_private.conversation_not_found() IS 'Errors: P0002, always.';

CREATE OR REPLACE FUNCTION chat_private.message_not_found() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'message not found' USING ERRCODE = 'P0002',
    HINT = 'chat.list_messages shows the messages of a conversation; check who is authenticated.';
END
$$;
COMMENT ON FUNCTION chat_private.message_not_found() IS 'Errors: P0002, always.';

CREATE OR REPLACE FUNCTION chat_private.attachment_not_found() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'attachment not found' USING ERRCODE = 'P0002',
    HINT = 'chat.list_attachments shows yours, of which one that no message uses is removed after a while; check who is authenticated.';
END
$$;
COMMENT ON FUNCTION chat_private.attachment_not_found() IS 'Errors: P0002, always.';

CREATE OR REPLACE FUNCTION chat_private.check_page_size(page_size integer) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF check_page_size.page_size IS NULL THEN
    RAISE EXCEPTION 'page_size must not be null' USING ERRCODE = '22004';
  ELSIF check_page_size.page_size NOT BETWEEN 1 AND 1000 THEN
    RAISE EXCEPTION 'page_size must be 1 to 1000' USING ERRCODE = '22023', HINT = 'Ask for further rows page by page.';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_page_size(integer) IS 'Errors: 22004 NULL; 22023 not 1 to 1000.';
