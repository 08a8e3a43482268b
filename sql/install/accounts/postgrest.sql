-- PostgREST and its like: who a request is from, by the parameters in which it hands over headers, cookies and claims.

CREATE OR REPLACE FUNCTION chat_private.request_json(name text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  given jsonb := nullif(current_setting(request_json.name, true), '')::jsonb;
BEGIN
  RETURN CASE jsonb_typeof(given) WHEN 'object' THEN given ELSE '{}' END;
EXCEPTION WHEN invalid_text_representation OR untranslatable_character THEN
  RETURN '{}';
END
$$;
COMMENT ON FUNCTION chat_private.request_json(text) IS
'A parameter that holds a JSON object; an empty one where it is not set or holds something else.';

CREATE OR REPLACE FUNCTION chat_private.request_token() RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  header text := chat_private.request_json('request.headers') ->> 'authorization';
BEGIN
  IF header ~* '^(bearer|session) +[^ ]+ *$' THEN
    RETURN btrim(substr(header, strpos(header, ' ')));
  END IF;
  RETURN nullif(chat_private.request_json('request.cookies') ->> 'session_token', '');
END
$$;
COMMENT ON FUNCTION chat_private.request_token() IS
'The token of the request: of the header Authorization (Bearer or Session), else of the cookie session_token; NULL: none.';

CREATE OR REPLACE FUNCTION chat_private.trusts_jwt_claims() RETURNS boolean
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgchat_trusts_jwt_claims';
COMMENT ON FUNCTION chat_private.trusts_jwt_claims() IS 'Parameter pgchat.trust_jwt_claims.';

CREATE OR REPLACE FUNCTION chat_private.authenticate_claims(claims jsonb) RETURNS uuid
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pgchat_authenticate_claims';
COMMENT ON FUNCTION chat_private.authenticate_claims(jsonb) IS
'Makes the user of claims that somebody trusted has verified the current user of this transaction. token_version and sid are
checked where they are there. Errors: 28000 sub is no active user, or one of these is over.';

CREATE OR REPLACE FUNCTION chat_private.clear_identity() RETURNS void
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgchat_clear_identity';
COMMENT ON FUNCTION chat_private.clear_identity() IS
'Nobody is authenticated for the rest of the transaction, whoever is for the connection.';

CREATE OR REPLACE FUNCTION chat.pre_request() RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  token text := chat_private.request_token();
  claims jsonb;
BEGIN
  -- The connection is somebody's, where a request before this one called chat.authenticate(token, false).
  PERFORM chat_private.clear_identity();
  IF token LIKE 'pgc\_%' THEN
    PERFORM chat.authenticate(token);
  ELSIF chat_private.trusts_jwt_claims() THEN
    claims := chat_private.request_json('request.jwt.claims');
    IF claims ? 'sub' THEN
      PERFORM chat_private.authenticate_claims(claims);
    END IF;
  ELSIF token IS NOT NULL THEN
    PERFORM chat.authenticate_jwt(token);
  END IF;
END
$$;
COMMENT ON FUNCTION chat.pre_request() IS
'For PostgREST''s db-pre-request: authenticates the transaction by the request''s token, a session token or a signed one, from
the header Authorization or the cookie session_token. Without a token nobody is authenticated, also where the connection belongs
to somebody, and row policies show nothing.
Where a superuser has set pgchat.trust_jwt_claims, the claims that PostgREST or Supabase has verified (request.jwt.claims) are
believed instead of a signed token. docs/cookbook/postgrest.md has the settings.
Errors: 28000 the token is not valid.';
