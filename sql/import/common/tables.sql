-- Opens tables of a source whose programs spell names in their own way: a mapper may call the documented table UserSettings
-- user_settings, and its column userId user_id. Each that is opened is a temporary view source_<name> with columns <name>, all in
-- small letters with underscores.
CREATE OR REPLACE FUNCTION pg_temp.plain_name(name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT lower(regexp_replace(name, '([a-z0-9])([A-Z])', '\1_\2', 'g'))
$$;

-- Which of some names is the documented one: spelled alike, but for case and underscores and, where may_be_plural, an s at the end.
CREATE OR REPLACE FUNCTION pg_temp.find_name(documented text, given text[], may_be_plural boolean) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT g.name FROM unnest(given) g (name), LATERAL (VALUES (lower(replace(g.name, '_', '')), lower(replace(documented, '_', '')))) l (here, wanted)
  WHERE l.here = l.wanted OR may_be_plural AND rtrim(l.here, 's') = rtrim(l.wanted, 's')
  ORDER BY g.name = documented DESC, l.here = l.wanted DESC, g.name COLLATE "C" LIMIT 1
$$;

CREATE OR REPLACE FUNCTION pg_temp.open_table(table_name text, columns text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  schema_id oid := (SELECT n.oid FROM pg_namespace n WHERE n.nspname = current_setting('import.source'));
  relation_name text := pg_temp.find_name(table_name, ARRAY(
    SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = schema_id AND c.relkind IN ('r', 'p', 'v', 'm', 'f')), true);
  spelled text[];
  missing text;
  selected text;
BEGIN
  IF relation_name IS NULL THEN
    RAISE EXCEPTION 'table "%" is missing in schema "%"', table_name, current_setting('import.source') USING ERRCODE = '42P01',
      HINT = 'docs/systems.md lists the tables and columns that the import reads.';
  END IF;
  PERFORM pg_temp.expect_table(table_name);
  spelled := ARRAY(SELECT a.attname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                   WHERE c.relnamespace = schema_id AND c.relname = relation_name AND a.attnum > 0 AND NOT a.attisdropped);
  SELECT string_agg(quote_ident(c.name), ', ') FILTER (WHERE pg_temp.find_name(c.name, spelled, false) IS NULL),
         string_agg(format('t.%I AS %I', coalesce(pg_temp.find_name(c.name, spelled, false), c.name), pg_temp.plain_name(c.name)), ', ')
  INTO missing, selected FROM unnest(columns) c (name);
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'table "%" has no column %', relation_name, missing USING ERRCODE = '42703',
      HINT = 'docs/systems.md lists the tables and columns that the import reads.';
  END IF;
  EXECUTE format('DROP VIEW IF EXISTS pg_temp.%I', 'source_' || pg_temp.plain_name(table_name));
  EXECUTE format('CREATE TEMP VIEW %I AS SELECT %s FROM %I.%I t', 'source_' || pg_temp.plain_name(table_name), selected,
                 current_setting('import.source'), relation_name);
END
$$;
