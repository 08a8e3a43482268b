-- Logging in with a password: one answer, in one time, for everything that is wrong.

CREATE OR REPLACE FUNCTION chat_private.find_login(identifier text) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT n.user_id FROM chat_private.login_names n
          WHERE n.kind = CASE WHEN strpos(find_login.identifier, '@') > 0 THEN 'email' ELSE 'username' END
            AND n.name = chat_private.fold_name(btrim(find_login.identifier)));
END
$$;
COMMENT ON FUNCTION chat_private.find_login(text) IS 'The user an e-mail address or username leads to, or NULL.';

CREATE OR REPLACE FUNCTION chat_private.check_login(user_id uuid, password text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  hash text;
  -- Belongs to no password; checking it takes as long as a real one of today's cost.
  dummy_hash text := format('$2b$%s$%s', lpad(current_setting('pgchat.bcrypt_cost'), 2, '0'), repeat('.', 53));
  is_right boolean;
BEGIN
  SELECT c.password_hash INTO hash
  FROM chat_private.credentials c JOIN chat.users u ON u.id = c.user_id
  WHERE c.user_id = check_login.user_id AND u.is_active;
  -- Of a password that is too long, none of which is looked at, the time must not tell either.
  is_right := chat.bcrypt_verify(CASE WHEN octet_length(check_login.password) <= 72 THEN check_login.password ELSE '' END,
                                 coalesce(hash, dummy_hash));
  IF hash IS NULL OR octet_length(check_login.password) > 72 OR NOT is_right THEN
    RAISE EXCEPTION 'wrong user name or password' USING ERRCODE = '28P01';
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.check_login(uuid, text) IS
'Returns if the password is the user''s; the caller must act as the user already. A NULL user_id takes as long as any.
Errors: 28P01 it is not, there is no such user, the user has no password or is not active.';

CREATE OR REPLACE FUNCTION chat_private.open_session(user_id uuid, ip_address inet, user_agent text, lifetime interval,
                                                     OUT token text, OUT expires_at timestamptz)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  new_id uuid := chat.uuid_v7();
  hash bytea;
BEGIN
  expires_at := clock_timestamp() + open_session.lifetime;
  SELECT t.token, t.token_hash INTO open_session.token, hash FROM chat_private.new_session_token(open_session.user_id) t;
  INSERT INTO chat.sessions (user_id, id, expires_at, ip_address, user_agent)
  VALUES (open_session.user_id, new_id, open_session.expires_at, open_session.ip_address, left(open_session.user_agent, 512));
  INSERT INTO chat_private.session_tokens (user_id, token_hash, session_id) VALUES (open_session.user_id, hash, new_id);
END
$$;
COMMENT ON FUNCTION chat_private.open_session(uuid, inet, text, interval) IS
'A new session of the user and its token; the caller must act as the user already.';

CREATE OR REPLACE FUNCTION chat.login(identifier text, password text, totp_code text DEFAULT NULL,
                                      ip_address inet DEFAULT NULL, user_agent text DEFAULT NULL,
                                      OUT session_token text, OUT user_id uuid, OUT expires_at timestamptz,
                                      OUT mfa_required boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER COST 100000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  previous chat_private.identity;
BEGIN
  IF login.identifier IS NULL OR login.password IS NULL THEN
    RAISE EXCEPTION 'identifier and password must not be null' USING ERRCODE = '22004';
  END IF;
  user_id := chat_private.find_login(login.identifier);
  previous := chat_private.act_as(login.user_id);
  PERFORM chat_private.check_login(login.user_id, login.password);
  PERFORM chat_private.require_verified_email(login.user_id);
  SELECT s.token, s.expires_at INTO login.session_token, login.expires_at
  FROM chat_private.open_session(login.user_id, login.ip_address, login.user_agent, '30 days') s;
  UPDATE chat.users u SET last_login_at = clock_timestamp() WHERE u.id = login.user_id;
  PERFORM chat_private.switch_identity(previous);
  mfa_required := false;
END
$$;
COMMENT ON FUNCTION chat.login(text, text, text, inet, text) IS
'Opens a session of 30 days and returns its token, which chat.authenticate takes; the token is stored nowhere. The
transaction that logs in is not authenticated by it. identifier: the e-mail address or the username, in any case.
ip_address, user_agent: kept with the session, the latter cut at 512 characters. mfa_required: whether the session must
still prove a second factor; totp_code: that factor, not looked at for an account without one.
Errors: 22004 identifier or password is NULL; 28P01 wrong user name or password, whichever it is; PC302
both are right, but the address must be verified first.';
