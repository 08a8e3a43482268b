-- The library of this SQL: the first one does not ask which SQL it serves, so this SQL asks it before it does any work.

CREATE OR REPLACE FUNCTION chat_private.library_version() RETURNS text
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pgchat_library_version';
COMMENT ON FUNCTION chat_private.library_version() IS
'The version of the library that the server has loaded. Errors: 42883 that is the first one, which does not say.';

CREATE OR REPLACE FUNCTION chat_private.require_library() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wanted CONSTANT text := (SELECT e.extversion FROM pg_extension e WHERE e.extname = 'pgchat');
BEGIN
  PERFORM chat_private.library_version();
EXCEPTION WHEN undefined_function THEN
  RAISE EXCEPTION 'the library of pgchat that the server has loaded is older than the SQL of this database, version %', wanted
    USING ERRCODE = '55000', HINT = format('Install pgchat %s on the server and restart it.', wanted);
END
$$;
COMMENT ON FUNCTION chat_private.require_library() IS
'Keeps the first version''s engine from calls whose outcome it could not record here. Errors: 55000 the library is that old; later ones look
themselves.';
