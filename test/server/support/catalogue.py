"""Everything that the catalogues hold about the extension, so that two ways to the same version can be compared."""

from support.database import rows

# Tables with rows that come with pgchat: a new version may change them where nobody has edited them, and a dump leaves them out.
SHIPPED = ("chat.plans", "chat.mail_templates", "chat.personas", "chat.deliberation_prompts")
_MEMBERS = """WITH members AS (
  SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'pgchat'
  WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'),
relations AS (
  SELECT c.*, c.oid::regclass::text AS name FROM pg_class c JOIN members m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid),
routines AS (
  SELECT p.*, p.oid::regprocedure::text AS name FROM pg_proc p JOIN members m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid)
"""


def _acl(acl, kind, owner):
    return f"ARRAY(SELECT a::text FROM unnest(coalesce({acl}, acldefault('{kind}', {owner}))) a ORDER BY a::text COLLATE \"C\")"


# What each kind of object is known by, and all there is to say about it.
_QUERIES = {
    "members": "SELECT (pg_identify_object(classid, objid, 0)).identity, (pg_identify_object(classid, objid, 0)).type FROM members",
    "functions": f"SELECT name, jsonb_build_array(CASE WHEN prokind <> 'a' THEN pg_get_functiondef(oid) END, pg_get_function_result(oid), "
                 f"proconfig, proleakproof, procost, prorows, provariadic, probin, prosrc, proowner::regrole, "
                 f"{_acl('proacl', 'f', 'proowner')}, obj_description(oid, 'pg_proc')) FROM routines",
    "schemas": f"SELECT n.nspname, jsonb_build_array(nspowner::regrole, {_acl('nspacl', 'n', 'nspowner')}, obj_description(n.oid, 'pg_namespace')) "
               "FROM pg_namespace n JOIN members m ON m.classid = 'pg_namespace'::regclass AND m.objid = n.oid",
    "relations": f"SELECT name, jsonb_build_array(relkind, relpersistence, relowner::regrole, reloptions, relrowsecurity, relforcerowsecurity, "
                 f"relreplident, relispartition, pg_get_expr(relpartbound, oid), CASE WHEN relkind = 'p' THEN pg_get_partkeydef(oid) END, "
                 f"CASE WHEN relkind = 'v' THEN pg_get_viewdef(oid) END, "
                 f"(SELECT jsonb_build_array(seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle) FROM pg_sequence WHERE seqrelid = oid), "
                 f"(SELECT array_agg(inhparent::regclass::text) FROM pg_inherits WHERE inhrelid = oid), "
                 f"(SELECT t.reloptions FROM pg_class t WHERE t.oid = relations.reltoastrelid), "
                 f"{_acl('relacl', 'r', 'relowner')}, obj_description(oid, 'pg_class')) FROM relations",
    "columns": "SELECT name || '.' || row_number() OVER (PARTITION BY attrelid ORDER BY attnum) || ' ' || attname, "
               "jsonb_build_array(format_type(atttypid, atttypmod), attnotnull, pg_get_expr(d.adbin, d.adrelid), attidentity, attgenerated, "
               "attcollation::regcollation, attstorage, attcompression, attstattarget, "
               # What begins with pg_ the server keeps there for itself.
               "ARRAY(SELECT o FROM unnest(attoptions) o WHERE o NOT LIKE 'pg\\_%' ORDER BY o), attislocal, attinhcount, "
               "ARRAY(SELECT a.acl::text FROM unnest(attacl) a (acl) ORDER BY a.acl::text COLLATE \"C\"), col_description(attrelid, attnum)) "
               "FROM pg_attribute JOIN relations r ON r.oid = attrelid LEFT JOIN pg_attrdef d ON d.adrelid = attrelid AND d.adnum = attnum "
               "WHERE attnum > 0 AND NOT attisdropped",
    "constraints": "SELECT r.name || ' ' || conname, jsonb_build_array(pg_get_constraintdef(c.oid), contype, condeferrable, condeferred, "
                   "convalidated, conislocal, coninhcount, connoinherit, obj_description(c.oid, 'pg_constraint')) "
                   "FROM pg_constraint c JOIN relations r ON r.oid = c.conrelid",
    "indexes": "SELECT r.name || ' ' || i.indexrelid::regclass, jsonb_build_array(pg_get_indexdef(i.indexrelid), indisvalid, indisready, "
               "indisclustered, indisreplident, indisunique, indnullsnotdistinct, x.relowner::regrole, x.reloptions, "
               "obj_description(i.indexrelid, 'pg_class')) "
               "FROM pg_index i JOIN relations r ON r.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid",
    "policies": "SELECT r.name || ' ' || polname, jsonb_build_array(polcmd, polpermissive, "
                "ARRAY(SELECT o::regrole::text FROM unnest(polroles) o ORDER BY 1), pg_get_expr(polqual, polrelid), "
                "pg_get_expr(polwithcheck, polrelid), obj_description(p.oid, 'pg_policy')) FROM pg_policy p JOIN relations r ON r.oid = p.polrelid",
    "triggers": "SELECT r.name || ' ' || tgname, "
                "jsonb_build_array(pg_get_triggerdef(t.oid), tgenabled, obj_description(t.oid, 'pg_trigger')) "
                "FROM pg_trigger t JOIN relations r ON r.oid = t.tgrelid WHERE NOT tgisinternal",
    "types": f"SELECT t.oid::regtype::text, jsonb_build_array(typtype, typcategory, typbasetype::regtype, typnotnull, typdefault, typowner::regrole, "
             f"(SELECT array_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid), "
             f"(SELECT array_agg(pg_get_constraintdef(oid) ORDER BY conname) FROM pg_constraint WHERE contypid = t.oid), "
             f"{_acl('typacl', 'T', 'typowner')}, obj_description(t.oid, 'pg_type')) "
             f"FROM pg_type t JOIN members m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid",
    "statistics": "SELECT s.stxname, jsonb_build_array(pg_get_statisticsobjdef(s.oid), stxowner::regrole) FROM pg_statistic_ext s JOIN relations r ON r.oid = s.stxrelid",
    "first rights": "SELECT (pg_identify_object(i.classoid, i.objoid, i.objsubid)).identity, "
                    "ARRAY(SELECT a::text FROM unnest(initprivs) a ORDER BY a::text COLLATE \"C\")::text "
                    "FROM pg_init_privs i JOIN members m ON m.classid = i.classoid AND m.objid = i.objoid",
    "dumped": "SELECT t::regclass::text, c FROM pg_extension, unnest(extconfig, extcondition) x (t, c) WHERE extname = 'pgchat'",
    "extension": "SELECT extname, jsonb_build_array(extversion, extrelocatable, extnamespace::regnamespace, obj_description(oid, 'pg_extension')) FROM pg_extension WHERE extname = 'pgchat'",
}


def catalogue(connection):
    """{(kind, name): what there is to say} of all that belongs to the extension."""
    found = {}
    for kind, query in _QUERIES.items():
        for name, facts in rows(connection, f"{_MEMBERS} SELECT name, facts::text FROM ({query}) q (name, facts)"):
            assert (kind, name) not in found, f"{kind} {name} is there twice"
            found[kind, name] = facts
    return found


def differences(got, wanted, most=20):
    """What is missing, too much or not the same, a line each."""
    lines = [f"missing: {kind} {name}" for kind, name in sorted(wanted.keys() - got.keys())]
    lines += [f"too much: {kind} {name}" for kind, name in sorted(got.keys() - wanted.keys())]
    lines += [f"not the same: {kind} {name}\n  got    {got[kind, name]}\n  wanted {wanted[kind, name]}"
              for kind, name in sorted(got.keys() & wanted.keys()) if got[kind, name] != wanted[kind, name]]
    return "\n".join(lines[:most]) + (f"\nand {len(lines) - most} more" if len(lines) > most else "")


def tables(connection):
    """The names of all tables of the extension's schemas that hold rows, partitions made later included."""
    return [name for name, in rows(connection, """SELECT c.oid::regclass::text FROM pg_class c
        WHERE c.relnamespace IN ('chat'::regnamespace, 'chat_private'::regnamespace) AND c.relkind = 'r' ORDER BY 1""")]


def checksums(connection, columns_of=None):
    """{table: (count of rows, checksum of all of them, but for those that come with pgchat)}; columns_of: {table: [columns]} where not all are to be looked at."""
    found = {}
    for table in columns_of or tables(connection):
        which = "WHERE NOT is_default" if table in SHIPPED else ""
        what = "(SELECT r FROM (SELECT " + ", ".join(f't."{c}"' for c in columns_of[table]) + ") r)" if columns_of else "t"
        found[table] = rows(connection, f"""SELECT count(*), md5(coalesce(string_agg(md5({what}::text), '' ORDER BY md5({what}::text)), ''))
                                            FROM {table} t {which}""")[0]
    return found


def columns(connection):
    """{table: [columns in order]} of all tables."""
    found = {}
    for table, column in rows(connection, """SELECT c.oid::regclass::text, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace IN ('chat'::regnamespace, 'chat_private'::regnamespace) AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY 1, a.attnum"""):
        found.setdefault(table, []).append(column)
    return found


def shipped(admin):
    """What came with pgchat, without what is made up for each installation."""
    return {table: sorted(str(row) for row, in rows(admin, f"SELECT to_jsonb(t) - '{{id,created_at,updated_at}}'::text[] FROM {table} t WHERE is_default"))
            for table in SHIPPED}
