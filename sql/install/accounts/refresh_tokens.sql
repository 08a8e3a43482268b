-- Refresh tokens: how a client gets a new signed token without a login, and how a stolen copy is noticed.

CREATE OR REPLACE FUNCTION chat_private.new_refresh_token(user_id uuid, OUT token text, OUT token_hash bytea)
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pgchat_new_refresh_token';
COMMENT ON FUNCTION chat_private.new_refresh_token(uuid) IS
'A new refresh token for the user (256 random bits) and the SHA-256 hash that is stored of it.';

CREATE OR REPLACE FUNCTION chat_private.read_refresh_token(token text, OUT user_id uuid, OUT token_hash bytea)
LANGUAGE c IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'pgchat_read_refresh_token';
COMMENT ON FUNCTION chat_private.read_refresh_token(text) IS
'The user that a refresh token names, and its hash. Errors: 28000 not the form of one.';

CREATE OR REPLACE FUNCTION chat_private.refuse_signed_token() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.read_refresh_token('');
END
$$;
COMMENT ON FUNCTION chat_private.refuse_signed_token() IS 'Errors: 28000, in the one text that every token gets that is not accepted.';

CREATE OR REPLACE FUNCTION chat_private.add_refresh_token(user_id uuid, session_id uuid, token_hash bytea) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  DELETE FROM chat_private.refresh_tokens t
  WHERE t.user_id = add_refresh_token.user_id AND t.session_id = add_refresh_token.session_id AND t.expires_at <= clock_timestamp();
  INSERT INTO chat_private.refresh_tokens (user_id, token_hash, session_id, expires_at)
  SELECT s.user_id, add_refresh_token.token_hash, s.id,
         least(s.expires_at, clock_timestamp() + chat_private.setting_text('refresh_token_lifetime')::interval)
  FROM (SELECT s.user_id, s.id, s.expires_at, s.idle_expires_at, s.mfa_pending FROM chat.sessions s
        WHERE s.user_id = add_refresh_token.user_id AND s.id = add_refresh_token.session_id FOR KEY SHARE) s
  WHERE NOT s.mfa_pending AND least(s.expires_at, s.idle_expires_at) > clock_timestamp();
  IF NOT FOUND THEN
    PERFORM chat_private.refuse_signed_token();
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.add_refresh_token(uuid, uuid, bytea) IS
'Keeps the hash of a new refresh token of a session, and forgets expired ones; the caller must act as the user already.
Errors: 28000 the session is over.';

CREATE OR REPLACE FUNCTION chat.issue_refresh_token() RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller_id uuid := chat_private.require_user();
  session_id uuid := chat_private.current_session_id();
  made record;
BEGIN
  PERFORM chat_private.require_unsigned();
  IF session_id IS NULL THEN
    RAISE EXCEPTION 'a refresh token belongs to a session, and there is none' USING ERRCODE = '55000',
      HINT = 'Authenticate with the session token that chat.login returns.';
  END IF;
  SELECT n.* INTO made FROM chat_private.new_refresh_token(caller_id) n;
  PERFORM chat_private.add_refresh_token(caller_id, session_id, made.token_hash);
  PERFORM chat_private.audit('token.issue', 'session:' || session_id);
  RETURN made.token;
END
$$;
COMMENT ON FUNCTION chat.issue_refresh_token() IS
'A refresh token of the current session, for chat.refresh_jwt: it works once, for as long as setting refresh_token_lifetime
says and the session lasts. Only its hash is stored.
Errors: 28000 nobody is authenticated, or the session is over; 42501 the identity comes from a signed token; 55000 it comes from
no session.';

CREATE OR REPLACE FUNCTION chat_private.ledger_refresh_reuse(payload jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM chat.sessions s
  WHERE s.user_id = (payload ->> 'user_id')::uuid AND s.id = (payload ->> 'session_id')::uuid;
  PERFORM chat_private.append_audit((payload ->> 'user_id')::uuid, 'token.reuse', 'session:' || (payload ->> 'session_id'),
    jsonb_build_object('session_ended', FOUND), 'refused', NULL, NULL, NULL);
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION chat_private.ledger_refresh_reuse(jsonb) IS
'The ledger''s act that ends a session one of whose refresh tokens was used again. Run by the engine only.';

CREATE OR REPLACE FUNCTION chat_private.note_used_token(used chat_private.refresh_tokens) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- Two requests of one client that overlapped look the same, as long as the token they were given is still unused.
  IF used.used_at > clock_timestamp() - interval '10 seconds' AND EXISTS (
       SELECT FROM chat_private.refresh_tokens t
       WHERE t.user_id = used.user_id AND t.token_hash = used.successor_hash AND t.used_at IS NULL) THEN
    PERFORM chat_private.audit('token.refresh', 'session:' || used.session_id, '{"reason": "concurrent"}', 'refused', used.user_id);
  ELSE
    PERFORM chat_private.ask_ledger('refresh_reuse', jsonb_build_object('user_id', used.user_id, 'session_id', used.session_id));
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.note_used_token(chat_private.refresh_tokens) IS
'A refresh token came that was used before: ends its session, unless it is the latest one but one and was used within ten
seconds. Both are audited, and stay whatever becomes of the transaction.';

CREATE OR REPLACE FUNCTION chat_private.use_refresh_token(user_id uuid, token_hash bytea, next_hash bytea) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  known chat_private.refresh_tokens;
BEGIN
  -- Without a lock first: what the engine does about a used token must not have to wait for this transaction.
  SELECT t.* INTO known FROM chat_private.refresh_tokens t
  WHERE t.user_id = use_refresh_token.user_id AND t.token_hash = use_refresh_token.token_hash;
  IF known.used_at IS NOT NULL THEN
    PERFORM chat_private.note_used_token(known);
  ELSIF known.expires_at > clock_timestamp() THEN
    -- Waits for whoever uses it at this moment. After their COMMIT it is used, after their ROLLBACK it is not.
    UPDATE chat_private.refresh_tokens t SET used_at = clock_timestamp(), successor_hash = use_refresh_token.next_hash
    WHERE t.user_id = known.user_id AND t.token_hash = known.token_hash AND t.used_at IS NULL;
    IF FOUND THEN
      RETURN known.session_id;
    END IF;
    PERFORM chat_private.audit('token.refresh', 'session:' || known.session_id, '{"reason": "concurrent"}', 'refused', known.user_id);
  END IF;
  PERFORM chat_private.refuse_signed_token();
END
$$;
COMMENT ON FUNCTION chat_private.use_refresh_token(uuid, bytea, bytea) IS
'Marks a refresh token as used and returns its session; the caller must act as the user already.
Errors: 28000 unknown, expired, or used before.';

CREATE OR REPLACE FUNCTION chat.refresh_jwt(OUT access_token text, INOUT refresh_token text, OUT expires_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  given record;
  made record;
  session_id uuid;
  claims jsonb;
  previous chat_private.identity;
BEGIN
  IF refresh_token IS NULL THEN
    RAISE EXCEPTION 'refresh_token must not be null' USING ERRCODE = '22004';
  END IF;
  SELECT r.* INTO given FROM chat_private.read_refresh_token(refresh_token) r;
  previous := chat_private.act_as(given.user_id);
  SELECT n.* INTO made FROM chat_private.new_refresh_token(given.user_id) n;
  session_id := chat_private.use_refresh_token(given.user_id, given.token_hash, made.token_hash);
  IF NOT EXISTS (SELECT FROM chat.users u WHERE u.id = given.user_id AND u.is_active) THEN
    PERFORM chat_private.audit('token.refresh', 'session:' || session_id, '{"reason": "inactive"}', 'refused', given.user_id);
    PERFORM chat_private.refuse_signed_token();
  END IF;
  PERFORM chat_private.add_refresh_token(given.user_id, session_id, made.token_hash);
  -- A client that uses its signed tokens elsewhere only is not idle either.
  IF EXISTS (SELECT FROM chat.sessions s WHERE s.user_id = given.user_id AND s.id = session_id
               AND s.last_activity_at < clock_timestamp() - interval '1 minute') THEN
    PERFORM chat_private.ask_ledger('touch_session', jsonb_build_object('user_id', given.user_id, 'session_id', session_id));
  END IF;
  claims := chat_private.access_claims(given.user_id, session_id, chat_private.setting_text('jwt_ttl')::interval);
  access_token := chat_private.sign_token(claims, chat_private.setting_text('jwt_algorithm'));
  refresh_token := made.token;
  expires_at := to_timestamp((claims ->> 'exp')::bigint);
  PERFORM chat_private.audit('token.refresh', 'session:' || session_id, '{}', 'success', given.user_id);
  PERFORM chat_private.switch_identity(previous);
END
$$;
COMMENT ON FUNCTION chat.refresh_jwt(text) IS
'A new signed token for an unused refresh token, and the refresh token to use next time; expires_at is the signed token''s.
Nobody need be authenticated, and nobody is by it. A refresh token works once. Using it again ends its session, and with it
every refresh and signed token of it: somebody has a copy. That stands even if the caller rolls back. Of two requests that use
the same token at the same time, or the second within ten seconds while what the first was given is unused, exactly one
succeeds and the other is refused without further consequence; see docs/decisions.
Errors: 22004 refresh_token is NULL; 28000 the token is not valid, whatever is wrong with it; 57P03 no engine; 25006 on a
standby; PC201 no master key; PC202 the key was sealed with another.';
