-- Tokens that come by mail: made, found by what is stored of them, and used up.

CREATE OR REPLACE FUNCTION chat_private.new_token(owner_id uuid, OUT token text, OUT token_hash bytea)
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'pgt_' || substr(t.token, 5), t.token_hash FROM chat_private.new_session_token(new_token.owner_id) t
$$;
COMMENT ON FUNCTION chat_private.new_token(uuid) IS
'A new token of 256 random bits, which carries the id of the user or invitation it is for, and the hash that is stored of
it. It has the form of a session''s, with another prefix.';

CREATE OR REPLACE FUNCTION chat_private.parse_token(token text, OUT owner_id uuid, OUT token_hash bytea)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  bytes bytea;
BEGIN
  IF parse_token.token ~ '^pgt_[A-Za-z0-9_-]{64}$' THEN
    bytes := decode(translate(substr(parse_token.token, 5), '-_', '+/'), 'base64');
    owner_id := encode(substr(bytes, 1, 16), 'hex')::uuid;
    token_hash := sha256(substr(bytes, 17));
  END IF;
END
$$;
COMMENT ON FUNCTION chat_private.parse_token(text) IS
'The id that a token carries and the hash that is stored of it; NULLs for what is not the form of a token.';

CREATE OR REPLACE FUNCTION chat_private.refuse_token(action text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM chat_private.audit(refuse_token.action, details => jsonb '{"reason": "token"}', outcome => 'refused');
  RAISE EXCEPTION 'the token is not valid' USING ERRCODE = 'PC301',
    HINT = 'Tokens work once and for a limited time; ask for a new one.';
END
$$;
COMMENT ON FUNCTION chat_private.refuse_token(text) IS 'Notes a refused token. Errors: PC301, always.';

CREATE OR REPLACE FUNCTION chat_private.store_token(user_id uuid, purpose text, lifetime interval) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  fresh record;
  previous chat_private.identity := chat_private.act_as(store_token.user_id);
BEGIN
  SELECT t.* INTO fresh FROM chat_private.new_token(store_token.user_id) t;
  DELETE FROM chat_private.account_tokens t WHERE t.user_id = store_token.user_id AND t.expires_at <= clock_timestamp();
  INSERT INTO chat_private.account_tokens (user_id, token_hash, purpose, expires_at)
  VALUES (store_token.user_id, fresh.token_hash, store_token.purpose, clock_timestamp() + store_token.lifetime);
  PERFORM chat_private.switch_identity(previous);
  RETURN fresh.token;
END
$$;
COMMENT ON FUNCTION chat_private.store_token(uuid, text, interval) IS
'A new token of a user for verify_email or reset_password. Earlier ones work until they expire or one of them is used, so
that asking again does not spoil the mail that is on its way.';

CREATE OR REPLACE FUNCTION chat_private.use_token(token text, purpose text) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  parsed record;
  previous chat_private.identity;
  is_valid boolean;
BEGIN
  SELECT p.* INTO parsed FROM chat_private.parse_token(use_token.token) p;
  previous := chat_private.act_as(parsed.owner_id);
  -- As chat_private.hold_account, but whoever has no account has no token either.
  PERFORM FROM chat.users u WHERE u.id = parsed.owner_id FOR KEY SHARE;
  DELETE FROM chat_private.account_tokens t
  WHERE t.user_id = parsed.owner_id AND t.token_hash = parsed.token_hash AND t.purpose = use_token.purpose
    AND t.expires_at > clock_timestamp();
  is_valid := FOUND AND EXISTS (SELECT FROM chat.users u WHERE u.id = parsed.owner_id AND u.is_active);
  DELETE FROM chat_private.account_tokens t WHERE is_valid AND t.user_id = parsed.owner_id AND t.purpose = use_token.purpose;
  PERFORM chat_private.switch_identity(previous);
  IF NOT is_valid THEN
    PERFORM chat_private.refuse_token(CASE use_token.purpose WHEN 'verify_email' THEN 'email.verify' ELSE 'password.reset' END);
  END IF;
  RETURN parsed.owner_id;
END
$$;
COMMENT ON FUNCTION chat_private.use_token(text, text) IS
'The active user whom a token belongs to; it and the user''s others of that purpose are used up with the transaction.
Errors: PC301 it is unknown, used or expired, or the account is not active.';
