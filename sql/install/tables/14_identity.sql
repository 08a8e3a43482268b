-- Ids and the current user, which column defaults and row policies are made of.

CREATE FUNCTION chat.uuid_v7() RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_uuid_v7';
COMMENT ON FUNCTION chat.uuid_v7() IS
'A new UUID version 7 (RFC 9562): sorts by creation time, increasing within a session.';

CREATE FUNCTION chat.content_hash(content text) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_content_hash';
COMMENT ON FUNCTION chat.content_hash(text) IS
'The SHA-256 digest (32 bytes, FIPS 180-4) of the text''s UTF-8 bytes.';

CREATE FUNCTION chat.current_user_id() RETURNS uuid
    LANGUAGE c STABLE LEAKPROOF PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_current_user_id';
COMMENT ON FUNCTION chat.current_user_id() IS
'The id of the user that chat.authenticate set, or NULL. Row policies compare with it.
Errors: 57P03 the library was not preloaded.';

CREATE FUNCTION chat.current_user_role() RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_current_user_role';
COMMENT ON FUNCTION chat.current_user_role() IS
'The in-app role of the current user (admin, supervisor, worker, user, guest), or NULL.
Errors: 57P03 the library was not preloaded.';

CREATE FUNCTION chat_private.current_session_id() RETURNS uuid
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_current_session_id';
COMMENT ON FUNCTION chat_private.current_session_id() IS
'The id of the session through which the current user was authenticated, or NULL.';

CREATE FUNCTION chat_private.pending_user_id() RETURNS uuid
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_pending_user_id';
COMMENT ON FUNCTION chat_private.pending_user_id() IS
'The user whose password was right and whose second factor is still to be proved, or NULL. It is nobody for anything else.';

CREATE FUNCTION chat_private.pending_session_id() RETURNS uuid
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgchat_pending_session_id';
COMMENT ON FUNCTION chat_private.pending_session_id() IS
'The session of chat_private.pending_user_id(), or NULL.';

CREATE FUNCTION chat_private.set_identity(user_id uuid, role text, session_id uuid, is_local boolean) RETURNS void
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgchat_set_identity';
COMMENT ON FUNCTION chat_private.set_identity(uuid, text, uuid, boolean) IS
'Sets app.current_user_id, app.current_user_role and app.current_session_id until the end of the transaction (is_local)
or of the session. A NULL user_id clears the identity.';

CREATE FUNCTION chat_private.new_session_token(user_id uuid, OUT token text, OUT token_hash bytea)
    LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pgchat_new_session_token';
COMMENT ON FUNCTION chat_private.new_session_token(uuid) IS
'A new session token for the user (256 random bits) and the SHA-256 hash that is stored of it.';

CREATE FUNCTION chat.bcrypt_hash(password text, cost integer DEFAULT 12) RETURNS text
    LANGUAGE c VOLATILE STRICT PARALLEL SAFE COST 100000 AS 'MODULE_PATHNAME', 'pgchat_bcrypt_hash';
COMMENT ON FUNCTION chat.bcrypt_hash(text, integer) IS
'A bcrypt hash ($2b$) of the password with a random salt. cost: 4 to 31, the power of two of the key expansions.
For pgchat_service: nothing stops it while it hashes.
Errors: 22023 a password over 72 bytes (never truncated) or a cost out of range.';

CREATE FUNCTION chat.bcrypt_verify(password text, hash text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS 'MODULE_PATHNAME', 'pgchat_bcrypt_verify';
COMMENT ON FUNCTION chat.bcrypt_verify(text, text) IS
'Whether the password belongs to the bcrypt hash ($2a$, $2b$, $2y$). False for a password over 72 bytes.
For pgchat_service: nothing stops it while it hashes.
Errors: 22023 the hash is malformed.';

-- Fails, with the hint what to do, where the library was not preloaded.
SELECT chat.current_user_id();
DO $$
BEGIN
  IF pg_catalog.current_setting('server_encoding') <> 'UTF8' THEN
    RAISE EXCEPTION 'pgchat needs a database in UTF8' USING ERRCODE = '0A000',
      HINT = 'CREATE DATABASE … ENCODING ''UTF8'' TEMPLATE template0.';
  END IF;
END
$$;
