-- Ends an import: keeps the findings, says what was read and what became of it, and commits. The variable last_part names a
-- file for what comes last: what the engine would wait for, which the row in the audit log waits for.
-- Without knowing how many there are, what follows would be planned as for a handful.
SET LOCAL default_statistics_target = DEFAULT;
ANALYZE found;
ANALYZE chat.import_map;
INSERT INTO chat.import_findings (user_id, system, source_table, old_id, kind, reason, details)
SELECT coalesce(f.user_id, '00000000-0000-0000-0000-000000000000'), :'system', f.source_table, f.old_id, f.kind, f.reason, f.details
FROM found f ON CONFLICT DO NOTHING;

SELECT chat_private.audit('admin.import', 'system:' || :'system', (SELECT jsonb_object_agg(c.source_table, jsonb_build_object(
  'read', c.read, 'written', c.written, 'already_there', c.already_there, 'refused', c.refused, 'kept_aside', c.kept_aside)) FROM counted c)) IS NULL AS done \gset ignored_
\if :{?last_part}
\ir :last_part
\endif

-- What an earlier run refused and this one brought.
DELETE FROM chat.import_findings f USING chat.import_map m
WHERE f.system = :'system' AND f.kind = 'refused'
  AND m.system = f.system AND m.source_table = f.source_table AND m.old_id = f.old_id;

UPDATE counted c SET changed = (
  SELECT count(DISTINCT f.old_id) FROM found f JOIN chat.import_map m ON m.system = :'system' AND m.source_table = f.source_table AND m.old_id = f.old_id
  WHERE f.source_table = c.source_table AND f.kind <> 'refused');
INSERT INTO counted (source_table, read, written, already_there, refused, kept_aside, changed)
SELECT e.source_table, 0, 0, 0, 0, 0, 0 FROM expected_tables e WHERE NOT EXISTS (SELECT FROM counted c WHERE c.source_table = e.source_table) ORDER BY e.n;
-- Before anything is printed, so that a reader who goes away undoes nothing.
COMMIT;
ANALYZE chat.users, chat.sessions, chat.conversations, chat.messages;

\echo
\echo Rows of each table of the source. changed: written, but not as they were.
SELECT c.source_table, c.read, c.written, c.already_there, c.refused, c.kept_aside, c.changed FROM counted c ORDER BY c.n;
\echo What was refused, changed or kept aside, and why; chat.import_findings has each row.
SELECT f.source_table, f.kind, f.reason, count(*) AS rows, min(f.old_id) AS example FROM found f GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
BEGIN READ WRITE;
DROP TABLE counted, found;
COMMIT;
