-- Finding conversations: by where they lie, what they are tagged with, and what is unread in them.

-- Planned anew for each call: which of the arguments are given, and whose rows they are, makes the plan.
CREATE OR REPLACE FUNCTION chat.find_conversations(folder_id uuid DEFAULT NULL, tag text DEFAULT NULL, is_unread boolean DEFAULT NULL,
  is_pinned boolean DEFAULT NULL, archived boolean DEFAULT false, search text DEFAULT NULL, unread_since timestamptz DEFAULT NULL,
  page_size integer DEFAULT 50, before timestamptz DEFAULT NULL, before_id uuid DEFAULT NULL)
RETURNS SETOF chat.conversations
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
  SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
  nowhere CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
  wanted_tag text := chat_private.fold_tag(find_conversations.tag);
  since timestamptz := coalesce(find_conversations.unread_since, '-infinity');
  only_unread boolean := CASE WHEN find_conversations.unread_since IS NULL THEN find_conversations.is_unread ELSE true END;
  until timestamptz := coalesce(find_conversations.before, 'infinity');
BEGIN
  PERFORM chat_private.list_limit(find_conversations.page_size, find_conversations.archived);
  IF find_conversations.before IS NULL AND find_conversations.before_id IS NOT NULL THEN
    RAISE EXCEPTION 'before_id needs before' USING ERRCODE = '22004', HINT = 'Pass last_message_at and id of the last row of the page.';
  ELSIF find_conversations.folder_id <> nowhere THEN
    PERFORM chat_private.check_folder(caller_id, find_conversations.folder_id);
  END IF;
  -- Each kind, pinned or not, is one range of conversations_recent_idx, in its order.
  RETURN QUERY
    SELECT o.* FROM (VALUES (true), (false)) kind (is_pinned), LATERAL (
      SELECT c.* FROM chat.conversations c
      WHERE c.user_id = caller_id AND c.is_archived = find_conversations.archived AND c.is_pinned = kind.is_pinned
        AND c.last_message_at <= until
        AND (find_conversations.before IS NULL OR c.last_message_at < until OR c.id < find_conversations.before_id)
        AND (find_conversations.folder_id IS NULL OR coalesce(c.folder_id, nowhere) = find_conversations.folder_id)
        AND (wanted_tag IS NULL OR wanted_tag = ANY (c.tags))
        AND (only_unread IS NULL OR c.is_unread = only_unread AND coalesce(c.last_reply_at, '-infinity') >= since)
        AND (find_conversations.search IS NULL OR strpos(lower(c.title), lower(find_conversations.search)) > 0
             OR strpos(lower(c.description), lower(find_conversations.search)) > 0)
      ORDER BY c.last_message_at DESC, c.id DESC LIMIT find_conversations.page_size) o
    WHERE find_conversations.is_pinned IS NULL OR kind.is_pinned = find_conversations.is_pinned
    ORDER BY o.last_message_at DESC, o.id DESC LIMIT find_conversations.page_size;
END
$$;
COMMENT ON FUNCTION chat.find_conversations(uuid, text, boolean, boolean, boolean, text, timestamptz, integer, timestamptz, uuid) IS
'The current user''s conversations that all arguments given fit, those with the latest message first, pinned or not. folder_id: that
lie directly in this folder; the nil UUID (all zeros): in none. tag: that have it, in any case. is_unread: that have, or have not,
a reply that was not read. unread_since: that have such a reply which ended then or later. is_pinned: that are pinned, or are not.
archived: the archived ones instead of the others. search: whose title or description has this text, in any case. page_size: 1 to
1000. before, before_id: pass last_message_at and id of a page''s last row to get the next page; none is left out or comes
twice, also where many have the same time.
Errors: 28000 nobody is authenticated; 22004 page_size or archived is NULL, or before is where before_id is given; 22023 page_size
out of range; P0002 no such folder of mine.';
