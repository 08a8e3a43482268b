-- Everything held about a person: handing it out, and removing it.

CREATE OR REPLACE FUNCTION chat_private.personal_tables()
RETURNS TABLE (name text, owner_column text, secrets text[], at_removal text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
  VALUES
    ('chat.users', 'id', '{}'::text[], 'last'),
    ('chat.user_settings', 'user_id', '{}', 'delete'),
    ('chat_private.search_chunks', 'user_id', '{head,words,grams}', 'delete'),
    ('chat_private.search_progress', 'user_id', '{}', 'delete'),
    ('chat.sessions', 'user_id', '{}', 'delete'),
    ('chat.conversations', 'user_id', '{}', 'delete'),
    ('chat.messages', 'user_id', '{}', 'delete'),
    ('chat.conversation_summaries', 'user_id', '{}', 'delete'),
    ('chat.message_attachments', 'user_id', '{}', 'delete'),
    ('chat_private.attachment_data', 'user_id', '{data}', 'delete'),
    ('chat.attachments', 'user_id', '{}', 'delete'),
    ('chat_private.share_tokens', 'user_id', '{token_hash}', 'delete'),
    ('chat.conversation_shares', 'user_id', '{}', 'delete'),
    ('chat.conversation_imports', 'user_id', '{}', 'delete'),
    ('chat.votes', 'user_id', '{}', 'delete'),
    ('chat.contributions', 'user_id', '{}', 'delete'),
    ('chat.deliberation_rounds', 'user_id', '{}', 'delete'),
    ('chat.deliberation_checkpoints', 'user_id', '{}', 'delete'),
    ('chat.deliberation_steps', 'user_id', '{}', 'delete'),
    ('chat.deliberation_participants', 'user_id', '{}', 'delete'),
    ('chat.deliberations', 'user_id', '{}', 'delete'),
    ('chat.personas', 'user_id', '{}', 'delete'),
    ('chat.import_map', 'user_id', '{}', 'delete'),
    ('chat.import_findings', 'user_id', '{}', 'delete'),
    ('chat.folders', 'user_id', '{}', 'delete'),
    ('chat.system_prompts', 'user_id', '{}', 'delete'),
    ('chat.conversation_templates', 'user_id', '{}', 'delete'),
    ('chat.usage_events', 'user_id', '{}', 'anonymise'),
    ('chat.user_model_access', 'user_id', '{granted_by}', 'delete'),
    ('chat.usage_rollups', 'user_id', '{}', 'anonymise'),
    ('chat.user_limits', 'user_id', '{}', 'delete'),
    ('chat.subscriptions', 'user_id', '{}', 'delete'),
    ('chat.payments', 'user_id', '{}', 'anonymise'),
    ('chat_private.billing_customers', 'user_id', '{}', 'anonymise'),
    ('chat.invitations', 'accepted_by', '{}', 'delete'),
    ('chat.audit_log', 'user_id', '{hash,prev_hash,origin_hash,origin_salt}', 'keep'),
    ('chat_private.credentials', 'user_id', '{password_hash}', 'delete'),
    ('chat_private.login_names', 'user_id', '{}', 'delete'),
    ('chat_private.session_tokens', 'user_id', '{token_hash}', 'delete'),
    ('chat_private.imported_tokens', 'user_id', '{token_hash}', 'delete'),
    ('chat_private.refresh_tokens', 'user_id', '{token_hash,successor_hash}', 'delete'),
    ('chat.identities', 'user_id', '{}', 'delete'),
    ('chat_private.api_key_secrets', 'user_id', '{sealed_key}', 'delete'),
    ('chat.api_keys', 'user_id', '{}', 'delete'),
    ('chat_private.account_tokens', 'user_id', '{token_hash}', 'delete'),
    ('chat_private.totp_factors', 'user_id', '{sealed_key}', 'delete'),
    ('chat_private.totp_steps', 'user_id', '{}', 'delete'),
    ('chat_private.recovery_codes', 'user_id', '{code_hash}', 'delete'),
    ('chat_private.used_recovery_codes', 'user_id', '{code_hash}', 'delete'),
    ('chat_private.outbox', 'user_id', '{}', 'delete'),
    ('chat_private.llm_requests', 'user_id', '{}', 'delete')
$$;
COMMENT ON FUNCTION chat_private.personal_tables() IS
'Every table with rows about a person, the column that says whose they are, the columns that are nobody''s to read, and what
becomes of the rows when the account is removed: delete, anonymise, keep, or last, for the account itself.';

CREATE OR REPLACE FUNCTION chat.export_my_data() RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  account chat.users := chat.me();
  held record;
  found_rows jsonb;
  tables jsonb := jsonb '{}';
BEGIN
  FOR held IN SELECT t.* FROM chat_private.personal_tables() t LOOP
    EXECUTE format('SELECT coalesce(jsonb_agg(to_jsonb(t) - $2), ''[]'') FROM %s t WHERE t.%I = $1', held.name, held.owner_column)
      INTO found_rows USING account.id, held.secrets;
    tables := jsonb_set(tables, ARRAY[held.name], found_rows);
  END LOOP;
  RETURN jsonb_build_object('user_id', account.id, 'exported_at', clock_timestamp(), 'tables', tables);
END
$$;
COMMENT ON FUNCTION chat.export_my_data() IS
'Everything held about the current user, as an object: user_id, exported_at, and tables with the rows of each; without
password and token hashes, and without the bytes of files, which chat.attachment_content gives.
Errors: 28000 nobody is authenticated.';

CREATE OR REPLACE FUNCTION chat_private.leave_workers(supervisor_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous chat_private.identity := chat_private.enter_gate();
BEGIN
  UPDATE chat.users u SET supervisor_id = NULL, updated_at = clock_timestamp()
  WHERE u.supervisor_id = leave_workers.supervisor_id;
  UPDATE chat.invitations i SET supervisor_id = NULL WHERE i.supervisor_id = leave_workers.supervisor_id;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat_private.leave_workers(uuid) IS 'Takes the supervisor from all users, and all who are invited, who have this one.';

CREATE OR REPLACE FUNCTION chat_private.leave_deliberations(user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity := chat_private.enter_gate();
BEGIN
  UPDATE chat.deliberations d SET killed_by = NULL
  WHERE d.killed_by = leave_deliberations.user_id AND d.user_id <> leave_deliberations.user_id;
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat_private.leave_deliberations(uuid) IS 'Takes the name of this user from the deliberations of others that they killed.';

CREATE OR REPLACE FUNCTION chat_private.remove_account(user_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held record;
  address text;
  previous chat_private.identity;
BEGIN
  -- Before all else of theirs, so that whoever adds to it has done so, or waits and holds nothing (chat_private.hold_account).
  PERFORM FROM chat.users u WHERE u.id = remove_account.user_id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'user not found' USING ERRCODE = 'P0002', HINT = 'chat.admin_list_users() lists the accounts.';
  END IF;
  PERFORM chat_private.anonymise_billing(remove_account.user_id);
  PERFORM chat_private.leave_workers(remove_account.user_id);
  PERFORM chat_private.leave_models(remove_account.user_id);
  PERFORM chat_private.leave_shares(remove_account.user_id);
  PERFORM chat_private.leave_deliberations(remove_account.user_id);
  previous := chat_private.act_as(remove_account.user_id);
  -- They are held first, so that the engine queues and stores nothing more for them.
  PERFORM FROM chat.deliberations d WHERE d.user_id = remove_account.user_id ORDER BY d.id FOR UPDATE;
  PERFORM chat_private.cancel_requests(remove_account.user_id);
  SELECT u.email INTO address FROM chat.users u WHERE u.id = remove_account.user_id;
  PERFORM chat_private.anonymise_usage(remove_account.user_id);
  FOR held IN SELECT t.* FROM chat_private.personal_tables() t WHERE t.at_removal = 'delete' LOOP
    EXECUTE format('DELETE FROM %s t WHERE t.%I = $1', held.name, held.owner_column) USING remove_account.user_id;
  END LOOP;
  DELETE FROM chat.invitations i WHERE chat_private.fold_name(i.email) = chat_private.fold_name(address);
  UPDATE chat.invitations i SET invited_by = NULL WHERE i.invited_by = remove_account.user_id;
  DELETE FROM chat.users u WHERE u.id = remove_account.user_id;
  PERFORM chat_private.switch_identity(previous);
  INSERT INTO chat_private.audit_erasures (former_user_id) VALUES (remove_account.user_id) ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION chat_private.remove_account(uuid) IS
'Removes an account and all rows about it but its audit log, in which only the id is left of it; its usage and payments become nobody''s.
Its calls that are under way are aborted, even if the transaction is rolled back.
Addresses and user agents in the audit log are erased once it is committed. Errors: P0002 no such account.';

CREATE OR REPLACE FUNCTION chat.delete_my_account(password text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  account chat.users := chat.me();
BEGIN
  IF delete_my_account.password IS NOT NULL OR EXISTS (SELECT FROM chat_private.credentials c WHERE c.user_id = account.id) THEN
    PERFORM chat_private.reauthenticate(delete_my_account.password);
  END IF;
  PERFORM chat_private.hold_billing_customers(account.id);
  PERFORM chat_private.keep_an_admin(account.id);
  PERFORM chat_private.audit('account.delete', 'user:' || account.id);
  PERFORM chat_private.remove_account(account.id);
  PERFORM chat_private.set_identity(NULL, NULL, NULL, false);
END
$$;
COMMENT ON FUNCTION chat.delete_my_account(text) IS
'Removes the current user''s account with everything held about it, at once and for good, calls off its requests, and clears the
identity of this connection. password: NULL only for an account that has none. The audit log keeps its rows, with an id that leads to nobody;
usage stays, as nobody''s, and so do amounts and times of payments.
Errors: 28000 nobody is authenticated; 22004 password is NULL; 28P01 it is wrong; 55000 the last active administrator stays.';

CREATE OR REPLACE FUNCTION chat.admin_remove_lost_guests(idle interval DEFAULT '30 days', max_rows integer DEFAULT 1000) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous chat_private.identity := chat_private.open_gate();
  guests uuid[];
  guest_id uuid;
  removed integer := 0;
BEGIN
  IF admin_remove_lost_guests.idle IS NULL OR admin_remove_lost_guests.max_rows IS NULL THEN
    RAISE EXCEPTION 'idle and max_rows must not be null' USING ERRCODE = '22004';
  END IF;
  guests := ARRAY(SELECT u.id FROM chat.users u
                  WHERE u.role = 'guest' AND u.created_at < clock_timestamp() - admin_remove_lost_guests.idle ORDER BY u.id);
  FOREACH guest_id IN ARRAY guests LOOP
    EXIT WHEN removed >= admin_remove_lost_guests.max_rows;
    PERFORM chat_private.act_as(guest_id);
    IF NOT EXISTS (SELECT FROM chat.sessions s WHERE s.user_id = guest_id AND s.expires_at > clock_timestamp()
                     AND s.last_activity_at > clock_timestamp() - admin_remove_lost_guests.idle) THEN
      -- So that a payment under way is seen below, and so is that the guest has registered.
      PERFORM chat_private.hold_billing_customers(guest_id);
      PERFORM FROM chat.users u WHERE u.id = guest_id AND u.role = 'guest' FOR UPDATE;
      IF FOUND AND NOT EXISTS (SELECT FROM chat.subscriptions b WHERE b.user_id = guest_id AND chat_private.is_paid_for(b.status)) THEN
        PERFORM chat_private.remove_account(guest_id);
        removed := removed + 1;
      END IF;
    END IF;
  END LOOP;
  PERFORM chat_private.switch_identity(previous);
  PERFORM chat_private.audit('admin.remove_lost_guests', details => jsonb_build_object('removed', removed));
  RETURN removed;
END
$$;
COMMENT ON FUNCTION chat.admin_remove_lost_guests(interval, integer) IS
'Removes guests who came longer ago than idle, have no session that was used since, and pay for nothing: nothing leads to them any more. At most
max_rows, oldest first; returns how many. Have it called now and then.
Errors: 42501 not an administrator; 22004 an argument is NULL.';
