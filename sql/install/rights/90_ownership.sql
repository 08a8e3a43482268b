-- Everything belongs to pgchat_owner, a role without power, so that functions run as it and policies bind them.

DO $ownership$
DECLARE
  command text;
BEGIN
  FOR command IN
    SELECT pg_catalog.format(
      CASE d.classid
        WHEN 'pg_catalog.pg_namespace'::pg_catalog.regclass THEN 'ALTER SCHEMA %s OWNER TO pgchat_owner'
        WHEN 'pg_catalog.pg_proc'::pg_catalog.regclass THEN 'ALTER ROUTINE %s OWNER TO pgchat_owner'
        WHEN 'pg_catalog.pg_type'::pg_catalog.regclass THEN 'ALTER TYPE %s OWNER TO pgchat_owner'
        ELSE CASE c.relkind
          WHEN 'S' THEN 'ALTER SEQUENCE %s OWNER TO pgchat_owner'
          WHEN 'v' THEN 'ALTER VIEW %s OWNER TO pgchat_owner'
          ELSE 'ALTER TABLE %s OWNER TO pgchat_owner' END
      END, i.identity)
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'pgchat'
    LEFT JOIN pg_catalog.pg_class c ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.oid = d.objid
    CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) i
    WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
      AND (d.classid IN ('pg_catalog.pg_namespace'::pg_catalog.regclass, 'pg_catalog.pg_proc'::pg_catalog.regclass)
           OR c.relkind IN ('r', 'p', 'v', 'S')
           -- Composite types of their own: a table's row type follows its table.
           OR (d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND NOT EXISTS (
                 SELECT FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_class r ON r.oid = t.typrelid
                 WHERE t.oid = d.objid AND (t.typelem <> 0 OR r.relkind IN ('r', 'p', 'v')))))
      -- A sequence that belongs to a column follows its table.
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend o
                      WHERE o.classid = d.classid AND o.objid = d.objid AND c.relkind = 'S' AND o.deptype IN ('a', 'i'))
  LOOP
    EXECUTE command;
  END LOOP;
END
$ownership$;
