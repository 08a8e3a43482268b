#!/usr/bin/env bash
# docs/reference.md, from the comments of the extension's objects in the database that PGDATABASE names.
#
#   reference.sh --check      fails where the file differs, or where an object has no comment
#   reference.sh --write      writes the file
set -euo pipefail
cd "$(dirname "$0")/../.."
page=docs/reference.md

# Objects of the extension in schema chat, as Markdown.
written=$(psql -XAtq -v ON_ERROR_STOP=1 -P recordsep=$'\n' <<'EOSQL'
SET client_min_messages = warning;
CREATE TEMP VIEW member AS
    SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON d.refobjid = e.oid AND d.refclassid = 'pg_extension'::regclass
    WHERE d.deptype = 'e' AND e.extname = 'pgchat';

SELECT '## Functions and procedures';
SELECT E'\n### ' || p.proname || E'\n\n```sql\n'
    || CASE WHEN p.prokind = 'p' THEN 'CALL ' ELSE '' END || 'chat.' || p.proname || '(' || pg_get_function_arguments(p.oid) || ')'
    || coalesce(E'\n    returns ' || pg_get_function_result(p.oid), '') || E'\n```\n\n'
    || coalesce(obj_description(p.oid, 'pg_proc'), '')
FROM pg_proc p JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
WHERE p.pronamespace = 'chat'::regnamespace AND p.prorettype <> 'trigger'::regtype
ORDER BY p.proname COLLATE "C", pg_get_function_arguments(p.oid) COLLATE "C";

SELECT E'\n## Types';
SELECT E'\n### ' || t.typname || E'\n\n' || coalesce(obj_description(t.oid, 'pg_type'), '') || E'\n'
    || (SELECT string_agg(E'\n- `' || a.attname || '` ' || format_type(a.atttypid, a.atttypmod), '' ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
FROM pg_type t JOIN member m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid JOIN pg_class c ON c.oid = t.typrelid
WHERE t.typnamespace = 'chat'::regnamespace AND c.relkind = 'c' ORDER BY t.typname COLLATE "C";

SELECT E'\n## Tables and views';
SELECT E'\n### ' || c.relname || E'\n\n' || coalesce(obj_description(c.oid, 'pg_class'), '')
    || E'\n\n| Column | Type | Meaning |\n|---|---|---|'
    || (SELECT string_agg(E'\n| `' || a.attname || '` | ' || format_type(a.atttypid, a.atttypmod)
               || CASE WHEN a.attnotnull THEN ', not null' ELSE '' END || ' | '
               || coalesce(replace(replace(col_description(c.oid, a.attnum), '|', '\|'), E'\n', ' '), '') || ' |', '' ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
FROM pg_class c JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
WHERE c.relnamespace = 'chat'::regnamespace AND c.relkind IN ('r', 'p', 'v') ORDER BY c.relname COLLATE "C";
EOSQL
)

# Every function, type, table and view, those of chat_private included.
bare=$(psql -XAtq -v ON_ERROR_STOP=1 <<'EOSQL'
SELECT pg_describe_object(d.classid, d.objid, 0)
FROM pg_depend d JOIN pg_extension e ON d.refobjid = e.oid AND d.refclassid = 'pg_extension'::regclass
LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
LEFT JOIN pg_type t ON d.classid = 'pg_type'::regclass AND t.oid = d.objid
LEFT JOIN pg_class row_of ON row_of.oid = t.typrelid
WHERE d.deptype = 'e' AND e.extname = 'pgchat'
    AND (d.classid = 'pg_proc'::regclass OR c.relkind IN ('r', 'p', 'v') OR t.typtype IN ('d', 'e') OR row_of.relkind = 'c')
    AND coalesce(obj_description(d.objid, d.classid::regclass::name), '') = ''
ORDER BY 1;
EOSQL
)

content="# Reference

Written from the comments in the database by \`make reference\`; edit them there.

$written"

if [ "${1:---check}" = --write ]; then
    printf '%s\n' "$content" >"$page"
    exit 0
fi
status=0
if [ -n "$bare" ]; then
    echo 'without a comment:'
    printf '%s\n' "$bare"
    status=1
fi
diff -u "$page" <(printf '%s\n' "$content") | head -n 60 || true
if ! diff -q "$page" <(printf '%s\n' "$content") >/dev/null; then
    echo "$page is not what the database's comments say; run \"make reference\""
    status=1
fi
exit $status
