-- Every table and sequence of the extension holds its users' data, so pg_dump must take all of it, but for the rows that
-- CREATE EXTENSION makes and nobody has edited.

DO $dump$
DECLARE
  member pg_catalog.regclass;
BEGIN
  FOR member IN
    SELECT c.oid FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'pgchat'
    JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'p', 'S')
    WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
      AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
  LOOP
    PERFORM pg_catalog.pg_extension_config_dump(member,
      CASE WHEN member IN ('chat_private.search_progress'::pg_catalog.regclass, 'chat_private.search_chunks'::pg_catalog.regclass)
           -- The engine makes their rows anew, and may have begun while the others are restored.
           THEN 'WHERE false'
           WHEN member IN ('chat.plans'::pg_catalog.regclass, 'chat.mail_templates'::pg_catalog.regclass,
                           'chat.personas'::pg_catalog.regclass, 'chat.deliberation_prompts'::pg_catalog.regclass)
           THEN 'WHERE NOT is_default' ELSE '' END);
  END LOOP;
END
$dump$;
