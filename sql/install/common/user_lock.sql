-- What a user adds, beside whoever removes the account; and one at a time, what depends on the rest of theirs, such as counting it.

CREATE OR REPLACE FUNCTION chat_private.hold_account(user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM chat.users u WHERE u.id = hold_account.user_id FOR KEY SHARE;
  IF NOT FOUND THEN
    PERFORM chat_private.account_is_gone();
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.hold_account(uuid) IS
'Has whoever removes the account of a user, as whom the caller acts, wait for the end of this transaction. What adds rows of the user calls it
before it locks others of theirs, as a removal locks the account first. Errors: 28000 the account is gone; 40001 it went while the transaction ran.';

CREATE OR REPLACE FUNCTION chat_private.try_hold_account(user_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM chat.users u WHERE u.id = try_hold_account.user_id FOR KEY SHARE SKIP LOCKED;
  RETURN FOUND;
END
$$;
COMMENT ON FUNCTION chat_private.try_hold_account(uuid) IS
'chat_private.hold_account for what has locked other rows already: false, and no waiting, where the account is gone or being removed.';

CREATE OR REPLACE FUNCTION chat_private.lock_user(user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM chat_private.hold_account(lock_user.user_id);
  -- An update and no mere lock, so that in a transaction that sees an older state the second fails with 40001.
  INSERT INTO chat.user_settings AS s (user_id) VALUES (lock_user.user_id)
  ON CONFLICT (user_id) DO UPDATE SET untitled_count = s.untitled_count;
END
$$;
COMMENT ON FUNCTION chat_private.lock_user(uuid) IS
'Lets one transaction after the other go on for a user, as whom the caller acts; what follows sees what the one before did.
Errors: 28000 the account is gone.';
