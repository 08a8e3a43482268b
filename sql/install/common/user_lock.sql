-- One at a time: what a user does that depends on the rest of what is theirs, such as counting it.

CREATE OR REPLACE FUNCTION chat_private.lock_user(user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  -- An update and no mere lock, so that in a transaction that sees an older state the second fails with 40001.
  INSERT INTO chat.user_settings AS s (user_id) VALUES (lock_user.user_id)
  ON CONFLICT (user_id) DO UPDATE SET untitled_count = s.untitled_count;
END
$$;
COMMENT ON FUNCTION chat_private.lock_user(uuid) IS
'Lets one transaction after the other go on for a user, as whom the caller acts; what follows sees what the one before did.';
