-- No statistics of what people write: the planner's estimates, which EXPLAIN shows to anybody who may read the table, are made from all
-- rows, whoever's they are. They would tell whether a title or a message is common, and between which addresses another one lies.
-- Queries look rows up by their owner, so no plan needs them.

DO $statistics$
DECLARE
  written record;
BEGIN
  FOR written IN
    SELECT c.oid AS table_id, a.attnum AS number, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, a.attname AS column_name
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'chat'
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p')
      AND EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'own_rows')
      AND a.atttypid IN ('text'::pg_catalog.regtype, 'text[]'::pg_catalog.regtype, 'jsonb'::pg_catalog.regtype,
                         'bytea'::pg_catalog.regtype, 'inet'::pg_catalog.regtype)
      -- What pgchat or an administrator names, and reports group by.
      AND NOT (a.atttypid = 'text'::pg_catalog.regtype AND a.attname IN ('model', 'provider', 'action', 'outcome', 'error_code'))
      -- One of a few words.
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                      WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum]
                        AND pg_catalog.pg_get_constraintdef(k.oid) LIKE '%= ANY (ARRAY[%')
  LOOP
    EXECUTE pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS 0', written.name, written.column_name);
    -- Those that an earlier version has gathered would stay.
    DELETE FROM pg_catalog.pg_statistic s WHERE s.starelid = written.table_id AND s.staattnum = written.number;
  END LOOP;
END
$statistics$;
