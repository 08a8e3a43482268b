-- The four roles of pgchat: they are shared by all databases of a cluster, so they may exist already.

DO $roles$
DECLARE
  name text;
  found pg_catalog.pg_roles;
BEGIN
  IF pg_catalog.getdatabaseencoding() <> 'UTF8' THEN
    RAISE EXCEPTION 'pgchat needs a database with encoding UTF8, and this one has %', pg_catalog.getdatabaseencoding()
      USING ERRCODE = '0A000', HINT = 'Create the database with ENCODING ''UTF8''.';
  END IF;
  FOREACH name IN ARRAY ARRAY['pgchat_owner', 'pgchat_client', 'pgchat_service', 'pgchat_engine'] LOOP
    -- Another database may create the same role at this moment: then the unique index of pg_authid says so.
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = name) THEN
      BEGIN
        EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION '
                                  'NOBYPASSRLS NOINHERIT', name);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;  -- it exists now, which is all that was wanted
      END;
    END IF;
    SELECT r.* INTO STRICT found FROM pg_catalog.pg_roles r WHERE r.rolname = name;
    IF found.rolsuper OR found.rolbypassrls THEN
      RAISE EXCEPTION 'role % must be neither superuser nor BYPASSRLS, because row isolation rests on it', name
        USING ERRCODE = '42501', HINT = pg_catalog.format('ALTER ROLE %I NOSUPERUSER NOBYPASSRLS;', name);
    END IF;
  END LOOP;
END
$roles$;
