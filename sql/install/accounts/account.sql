-- The current user's own account: who they are, profile and settings, sessions, logging out.

CREATE OR REPLACE FUNCTION chat.me() RETURNS chat.users
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller_id uuid := chat_private.require_user();
  account chat.users;
BEGIN
  SELECT u.* INTO account FROM chat.users u WHERE u.id = caller_id;
  IF NOT FOUND THEN
    PERFORM chat_private.account_is_gone();
  END IF;
  RETURN account;
END
$$;
COMMENT ON FUNCTION chat.me() IS 'The current user''s row of chat.users.
Errors: 28000 nobody is authenticated, or the account is gone.';

CREATE OR REPLACE FUNCTION chat.logout(all_sessions boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller_id uuid := chat_private.require_user();
  session_id uuid := chat_private.current_session_id();
BEGIN
  IF logout.all_sessions IS NULL THEN
    RAISE EXCEPTION 'all_sessions must not be null' USING ERRCODE = '22004';
  END IF;
  PERFORM chat_private.audit('logout', 'user:' || caller_id, jsonb_build_object('all_sessions', logout.all_sessions), wait => false);
  DELETE FROM chat.sessions s WHERE s.user_id = caller_id AND (logout.all_sessions OR s.id = session_id);
  -- Not local: an identity that was set for the whole connection must not come back when this transaction ends.
  PERFORM chat_private.set_identity(NULL, NULL, NULL, false);
END
$$;
COMMENT ON FUNCTION chat.logout(boolean) IS
'Ends the current session, or all sessions of the current user, and clears the identity of this connection.
Errors: 28000 nobody is authenticated; 22004 all_sessions is NULL.';

CREATE OR REPLACE FUNCTION chat_private.rename_login(user_id uuid, username text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM chat_private.login_names n WHERE n.user_id = rename_login.user_id AND n.kind = 'username';
  IF rename_login.username IS NOT NULL THEN
    PERFORM chat_private.claim_login_name('username', rename_login.username, rename_login.user_id);
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.rename_login(uuid, text) IS
'Makes a username, or none, lead to a user instead of an earlier one. Errors: 23505 it leads to somebody else.';

CREATE OR REPLACE FUNCTION chat.update_profile(display_name text DEFAULT NULL, username text DEFAULT NULL,
                                               avatar_url text DEFAULT NULL) RETURNS chat.users
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  account chat.users := chat.me();
  new_name text := nullif(btrim(update_profile.username), '');
BEGIN
  PERFORM chat_private.check_display_name(update_profile.display_name);
  PERFORM chat_private.check_username(new_name);
  IF octet_length(update_profile.avatar_url) > 2000 OR update_profile.avatar_url !~ '^(https?://[^[:space:][:cntrl:]<>"]+|)$' THEN
    RAISE EXCEPTION 'avatar_url is not valid' USING ERRCODE = '22023', HINT = 'It is an http or https URL of at most 2000 bytes.';
  END IF;
  IF update_profile.username IS NOT NULL THEN
    IF account.role = 'guest' THEN
      RAISE EXCEPTION 'a guest has no username' USING ERRCODE = '42501', HINT = 'Register with chat.upgrade_guest.';
    END IF;
    PERFORM chat_private.rename_login(account.id, new_name);
    PERFORM chat_private.audit('account.rename', 'user:' || account.id);
  END IF;
  UPDATE chat.users u
  SET display_name = CASE WHEN update_profile.display_name IS NULL THEN u.display_name ELSE nullif(update_profile.display_name, '') END,
      username = CASE WHEN update_profile.username IS NULL THEN u.username ELSE new_name END,
      avatar_url = CASE WHEN update_profile.avatar_url IS NULL THEN u.avatar_url ELSE nullif(update_profile.avatar_url, '') END,
      updated_at = clock_timestamp()
  WHERE u.id = account.id
  RETURNING u.* INTO account;
  IF NOT FOUND THEN
    PERFORM chat_private.account_is_gone();
  END IF;
  RETURN account;
END
$$;
COMMENT ON FUNCTION chat.update_profile(text, text, text) IS
'Changes the current user''s display name (at most 200 characters), username (1 to 100 characters without spaces and @) and
avatar (an http or https URL); returns the account. NULL: as it is. Empty: none.
Errors: 28000 nobody is authenticated; 22023 one is not valid; 23505 the username is taken; 42501 a guest has no username.';

CREATE OR REPLACE FUNCTION chat.update_settings(default_model text DEFAULT NULL, preferences jsonb DEFAULT NULL)
RETURNS chat.user_settings
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller_id uuid := chat_private.require_user();
  changed chat.user_settings;
BEGIN
  IF update_settings.default_model <> '' THEN
    PERFORM chat_private.resolve_model(caller_id, update_settings.default_model);
  END IF;
  IF jsonb_typeof(update_settings.preferences) <> 'object' OR octet_length(update_settings.preferences::text) > 65536 THEN
    RAISE EXCEPTION 'preferences must be a JSON object of at most 65536 bytes' USING ERRCODE = '22023',
      HINT = 'For example {"language": "en", "theme": "dark"}.';
  END IF;
  UPDATE chat.user_settings s
  SET default_model = CASE WHEN update_settings.default_model IS NULL THEN s.default_model ELSE nullif(update_settings.default_model, '') END,
      preferences = (SELECT coalesce(jsonb_object_agg(p.key, p.value), '{}')
                     FROM jsonb_each(s.preferences || coalesce(update_settings.preferences, '{}')) p
                     WHERE p.value <> 'null' OR coalesce(NOT update_settings.preferences ? p.key, true)),
      updated_at = clock_timestamp()
  WHERE s.user_id = caller_id
  RETURNING s.* INTO changed;
  IF NOT FOUND THEN
    PERFORM chat_private.account_is_gone();
  END IF;
  RETURN changed;
END
$$;
COMMENT ON FUNCTION chat.update_settings(text, jsonb) IS
'Changes the current user''s settings and returns them. default_model: the model asked where neither call nor conversation
names one; NULL: as it is; empty: none. preferences: members to set, at most 65536 bytes; one that is null is removed, others
stay. The member language chooses the language of mails, title_rule how conversations are titled, as the setting of that name.
Errors: 28000 nobody is authenticated; 42704 no such model; 42501 the user may not use it; 22023 preferences.';

CREATE OR REPLACE FUNCTION chat.accept_terms() RETURNS timestamptz
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  account chat.users := chat.me();
BEGIN
  UPDATE chat.users u SET consent_at = clock_timestamp(), updated_at = clock_timestamp() WHERE u.id = account.id
  RETURNING u.consent_at INTO account.consent_at;
  IF NOT FOUND THEN
    PERFORM chat_private.account_is_gone();
  END IF;
  PERFORM chat_private.audit('account.consent', 'user:' || account.id);
  RETURN account.consent_at;
END
$$;
COMMENT ON FUNCTION chat.accept_terms() IS
'Notes that the current user agrees to the application''s terms now, and returns the time.
Errors: 28000 nobody is authenticated.';

CREATE OR REPLACE FUNCTION chat.list_sessions()
RETURNS TABLE (id uuid, created_at timestamptz, expires_at timestamptz, last_activity_at timestamptz, ip_address inet,
               user_agent text, is_current boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  RETURN QUERY
    SELECT s.id, s.created_at, s.expires_at, s.last_activity_at, s.ip_address, s.user_agent,
           s.id IS NOT DISTINCT FROM chat_private.current_session_id()
    FROM chat.sessions s WHERE s.user_id = caller_id AND s.expires_at > clock_timestamp()
    ORDER BY s.last_activity_at DESC, s.id DESC;
END
$$;
COMMENT ON FUNCTION chat.list_sessions() IS
'The current user''s sessions that have not expired, the last used first; is_current marks that of this transaction.
Errors: 28000 nobody is authenticated.';

CREATE OR REPLACE FUNCTION chat.revoke_session(session_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  IF revoke_session.session_id IS NULL THEN
    RAISE EXCEPTION 'session_id must not be null' USING ERRCODE = '22004';
  END IF;
  DELETE FROM chat.sessions s WHERE s.user_id = caller_id AND s.id = revoke_session.session_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'session not found' USING ERRCODE = 'P0002', HINT = 'chat.list_sessions() lists yours.';
  END IF;
  PERFORM chat_private.audit('session.revoke', 'session:' || revoke_session.session_id);
END
$$;
COMMENT ON FUNCTION chat.revoke_session(uuid) IS
'Ends one session of the current user; its token is refused from then on.
Errors: 28000 nobody is authenticated; 22004 session_id is NULL; P0002 the current user has no such session.';

CREATE OR REPLACE FUNCTION chat.list_supervised_users()
RETURNS TABLE (id uuid, email text, username text, display_name text, role text, is_active boolean, created_at timestamptz,
               last_login_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  caller_id uuid := chat_private.require_user();
BEGIN
  RETURN QUERY
    SELECT u.id, u.email, u.username, u.display_name, u.role, u.is_active, u.created_at, u.last_login_at
    FROM chat.users u WHERE u.supervisor_id = caller_id ORDER BY u.id;
END
$$;
COMMENT ON FUNCTION chat.list_supervised_users() IS
'The users whose supervisor the current user is; nobody where it is none.
Errors: 28000 nobody is authenticated.';
