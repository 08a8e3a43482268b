#!/usr/bin/python3
"""Moving in what no database should have: each column as everything that it must not be, other types, no rows at all, and an import that ends on its way."""

import os
import pathlib
import re
import subprocess

from psycopg import sql

from support.database import connect, rows, value
from support.tap import diag, equal, run, test, wait_until

SOURCE = pathlib.Path(os.environ["PGCHAT_SOURCE"])
SYSTEMS = ("energyapp", "uru", "rovertchat", "vibebot", "board_of_one")
TEXTS = ["", "\t\n", "A" * 300, "Ä" * 1200, "m" * 1100000, "\x01\x02\x7f", "\u202e\u200bword", "'; DROP TABLE users; --", "-1", "9" * 40, "NaN", '{"a": 1}', "[1, 2", '{"a": "\\u0000"}', '"text"', "[null]", "null",
         "[" * 9000, '{"a":' * 7000 + "1" + "}" * 7000, "data:image/png;base64,", "a@b", "\\x00ff", "system", "ADMIN ", "$2b$04$abcdefghijklmnopqrstuuyaj3/3I0gzt3bGyRB7AbXWcmYRm3w4u\n", "ß" * 130, "sk-of-my-own-0123456789",
         '{"tokens": {"prompt": [1], "completion": {}}, "cost": 1e30, "model": {"a": 1}}', '[{"function": {"name": "f", "arguments": [1]}}]', '[{"data": {"x": 1}}, {"source": {"data": ["a"]}}, {"url": 7}, null, 3]',
         '{"capabilities": ["A", "b"], "context_window": 99999999999, "tool_call_id": {"a": []}}']
NUMBERS = ["-1", "0", "2147483647", "-2147483648"]
TIMES = ["infinity", "-infinity", "0001-01-01 BC", "294276-12-31"]
# Rows that hang on a row, so that what is made of that one is made use of.
CHILDREN = {"energyapp": {"users": ["conversations.user_id"], "conversations": ["messages.conversation_id"]}, "uru": {"users": ["conversations.user_id"], "conversations": ["messages.conversation_id"]},
            "rovertchat": {"Users": ["Chats.user_id"], "Chats": ["Messages.chat_id"], "ModelProviders": ["Models.provider_id"]},
            "vibebot": {"User": ["Conversation.userId", "ApiKey.userId"], "Conversation": ["Message.conversationId"]},
            "board_of_one": {"users": ["sessions.user_id"], "sessions": ["contributions.session_id", "votes.session_id"]}}


def psql(*files, **variables):
    """Runs files; gives the exit status and what was printed."""
    arguments = [word for name, given in variables.items() for word in ("-v", f"{name}={given}")]
    arguments += [word for file in files for word in ("-f", str(SOURCE / file))]
    done = subprocess.run(["psql", "-Xq", *arguments], capture_output=True, text=True, timeout=200, check=False)
    return done.returncode, done.stdout + done.stderr


def make_source(system, schema, clean=False):
    """A small database of that system; clean: without the rows that no database should have, and as typed as there."""
    generate = SOURCE / f"test/systems/generate/{system}.sql"
    if clean:
        text = generate.read_text()
        generate = SOURCE / "build" / f"clean-{system}.sql"
        generate.write_text(text[:text.index("-- As no database should have")])
    status, output = psql(f"test/systems/schema/{system}.sql", generate, ON_ERROR_STOP=1, source=schema, users=12, messages=400)
    if clean:
        generate.unlink()
    assert status == 0, output


def import_from(system, schema, **variables):
    """Moves it in; gives the report: {source_table: {column: rows}}."""
    status, output = psql(f"sql/import/{system}.sql", source=schema, **variables)
    assert status == 0, output
    lines = [[cell.strip() for cell in line.split("|")] for line in output.splitlines() if "|" in line]
    last = next(n for n, line in enumerate(lines) if line[:2] == ["source_table", "kind"])
    return {line[0]: dict(zip(lines[0][1:], map(int, line[1:]))) for line in lines[1:last]}


class Soil:
    """A source whose rows can be copied with a column changed: nothing is required, unique or typed any more but primary keys."""

    def __init__(self, system, schema):
        make_source(system, schema)
        self.system, self.schema, self.count, self.tables = system, schema, 0, {}
        self.admin = connect()
        self.admin.execute("SET session_replication_role = replica")
        names = [name for name, in rows(self.admin, "SELECT tablename FROM pg_tables WHERE schemaname = %s AND tablename <> 'supervisors'", schema)]
        for policy, table in rows(self.admin, "SELECT policyname, tablename FROM pg_policies WHERE schemaname = %s", schema):
            self.run("DROP POLICY {} ON {}", sql.Identifier(policy), self.of(table))
        for name in names:
            for kind, listed in (("CONSTRAINT", "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype <> 'p'"),):
                for constraint, in rows(self.admin, listed, self.text(name)):
                    self.run("ALTER TABLE {} DROP " + kind + " {} CASCADE", self.of(name), sql.Identifier(constraint))
            for index, in rows(self.admin, "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = %s::regclass AND NOT indisprimary", self.text(name)):
                self.admin.execute(f"DROP INDEX {index}")
        for name in names:
            self.tables[name] = self.loosen(name)

    def of(self, table):
        return sql.Identifier(self.schema, table)

    def text(self, table):
        return self.of(table).as_string(self.admin)

    def run(self, statement, *names):
        self.admin.execute(sql.SQL(statement).format(*names))

    def loosen(self, table):
        """Gives the primary key, and the types of all columns."""
        key = value(self.admin, "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) WHERE i.indisprimary AND i.indrelid = %s::regclass", self.text(table))
        types = {}
        for column, type_name, kind in rows(self.admin, "SELECT a.attname, format_type(a.atttypid, NULL), t.typtype::text FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
                                                        " WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum", self.text(table)):
            if type_name in ("json", "jsonb", "character varying") or kind == "e":
                self.run("ALTER TABLE {} ALTER {} DROP DEFAULT, ALTER {} TYPE text", self.of(table), *[sql.Identifier(column)] * 2)
                type_name = "text"
            if column != key:
                self.run("ALTER TABLE {} ALTER {} DROP NOT NULL", self.of(table), sql.Identifier(column))
            types[column] = type_name
        return key, types

    def copy(self, table, **changed):
        """Copies the first row with a key of its own, and its children; gives the key."""
        key, types = self.tables[table]
        self.count += 1
        n = self.count
        new_key = self.copy("Users") if table == "UserSettings" else 1000000 + n if types[key] == "integer" else f"00000000-0000-4000-a000-{n:012}" if types[key] == "uuid" else f"dirt-{n}"
        own = {key: new_key, "email": f"{self.system}{n}@dirt.example", "username": f"{self.system}{n}", "session_token": f"a session of a browser {self.system} {n}"} | changed
        row = [sql.SQL("{}::" + types[c]).format(sql.Literal(own[c])) if c in own else sql.Identifier(c) for c in types]
        self.run("INSERT INTO {} SELECT {} FROM (SELECT * FROM {} ORDER BY ctid LIMIT 1) first", self.of(table), sql.SQL(", ").join(row), self.of(table))
        for child in CHILDREN[self.system].get(table, []):
            child_table, column = child.split(".")
            self.copy(child_table, **{column: new_key})
        return new_key

    def spoil(self):
        """A row for each thing that each column must not be."""
        for table, (key, types) in self.tables.items():
            for column, type_name in types.items():
                if column != key:
                    for dirt in [None] + (TEXTS if type_name == "text" else TIMES if type_name.startswith("timestamp") else NUMBERS if type_name in ("integer", "numeric") else []):
                        if not (type_name == "numeric" and len(dirt or "") > 2):
                            self.copy(table, **{column: dirt})

    def lost(self, table):
        """Rows that are neither here nor reported, or both here and refused."""
        key = sql.Identifier(self.tables[table][0])
        query = sql.SQL("SELECT s.{}::text FROM {} s WHERE EXISTS (SELECT FROM chat.import_map m WHERE (m.system, m.source_table, m.old_id) = (%s, %s, s.{}::text)) ="
                        " EXISTS (SELECT FROM chat.import_findings f WHERE (f.system, f.source_table, f.old_id) = (%s, %s, s.{}::text)"
                        " AND (f.kind = 'refused' OR f.reason IN ('session_expired', 'key_encrypted')))").format(key, self.of(table), key, key)
        return [old_id for old_id, in self.admin.execute(query, (self.system, table) * 2).fetchall()]


@test("whatever a column has, an import goes on to its end, and each row is here or refused")
def _():
    for system in SYSTEMS:
        soil = Soil(system, f'{system}; "quoted" Schema')
        soil.spoil()
        report = import_from(system, soil.schema, apply_rules="true")
        equal({table: soil.lost(table) for table in soil.tables}, {table: [] for table in soil.tables}, system)
        for table, counts in report.items():
            equal(counts["read"], counts["written"] + counts["refused"] + counts["kept_aside"], f"{system} {table}")
        again = import_from(system, soil.schema)
        equal({table: counts["written"] for table, counts in again.items()}, dict.fromkeys(report, 0), system)
        soil.admin.close()
        diag(f"{system}: {soil.count} rows")


TYPES = {
    "energyapp": ["CREATE TYPE r AS ENUM ('admin', 'supervisor', 'trabajador', 'user'); CREATE TYPE mr AS ENUM ('user', 'assistant')",
                  "ALTER TABLE users ALTER role DROP DEFAULT, ALTER role TYPE r USING role::r, ALTER created_at TYPE timestamptz, ALTER password_hash TYPE char(100), ALTER email TYPE char(120)",
                  "ALTER TABLE messages ALTER role TYPE mr USING role::mr, ALTER id TYPE bigint; ALTER TABLE sessions ALTER ip_address TYPE inet USING ip_address::inet, ALTER expires_at TYPE timestamptz"],
    "uru": ["CREATE TYPE s AS ENUM ('user', 'ai', 'system'); ALTER TABLE messages DROP CONSTRAINT messages_conversation_id_fkey; ALTER TABLE conversations DROP CONSTRAINT conversations_user_id_fkey",
            "ALTER TABLE messages ALTER sender TYPE s USING sender::s, ALTER content_hash TYPE bytea USING decode(content_hash, 'hex'), ALTER error_details TYPE jsonb, ALTER created_at TYPE timestamp",
            "ALTER TABLE messages ALTER id DROP DEFAULT, ALTER id TYPE uuid USING md5('m' || id)::uuid, ALTER conversation_id TYPE uuid USING md5('c' || conversation_id)::uuid",
            "ALTER TABLE conversations ALTER id DROP DEFAULT, ALTER id TYPE uuid USING md5('c' || id)::uuid, ALTER user_id TYPE uuid USING md5('u' || user_id)::uuid",
            "ALTER TABLE users ALTER id DROP DEFAULT, ALTER id TYPE uuid USING md5('u' || id)::uuid, ALTER preferences TYPE jsonb"],
    "rovertchat": ['ALTER TABLE "Messages" ALTER tool_calls TYPE jsonb, ALTER images TYPE jsonb, ALTER extended_metadata TYPE jsonb, ALTER created_at TYPE timestamptz',
                   "CREATE TYPE mr AS ENUM ('user', 'assistant', 'system', 'tool')", 'ALTER TABLE "Messages" ALTER role TYPE mr USING role::mr',
                   "CREATE TYPE at AS ENUM ('none', 'bearer', 'api_key', 'api-key')", 'ALTER TABLE "ModelProviders" ALTER auth_type TYPE at USING auth_type::at'],
    "vibebot": ['ALTER TABLE "Message" ALTER metadata TYPE json, ALTER "createdAt" TYPE timestamptz'],
    "board_of_one": ["CREATE TYPE st AS ENUM ('active', 'paused', 'completed', 'failed', 'killed'); CREATE TYPE rt AS ENUM ('session', 'user', 'persona')",
                     "ALTER TABLE sessions ALTER status DROP DEFAULT, ALTER status TYPE st USING status::st, ALTER total_cost TYPE double precision, ALTER problem_context TYPE jsonb",
                     "ALTER TABLE contributions ALTER cost TYPE double precision, ALTER tokens TYPE bigint; ALTER TABLE votes ALTER confidence TYPE real",
                     "ALTER TABLE audit_log ALTER ip_address TYPE inet USING ip_address::inet, ALTER details TYPE jsonb, ALTER resource_type TYPE rt USING resource_type::rt"]}


@test("columns may have other types, and tables no rows")
def _():
    for system in SYSTEMS:
        schema = f"typed_{system}"
        make_source(system, schema, clean=True)
        with connect() as admin:
            admin.execute(f"SET timezone = 'UTC'; SET search_path = {schema}")
            # Others than those that came before.
            for table, column in rows(admin, "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s AND column_name IN ('email', 'username', 'session_token') AND table_name <> 'supervisors'", schema):
                admin.execute(f'UPDATE "{table}" SET "{column}" = \'typed-\' || "{column}"')
            for statement in TYPES[system]:
                admin.execute(statement)
            # What an earlier import brought under the same ids is there, in all but its users.
            script = re.sub(f"system {system}$", f"system typed_{system}", (SOURCE / f"sql/import/{system}.sql").read_text(), flags=re.M).replace("\\ir ", f"\\i {SOURCE}/sql/import/")
            done = subprocess.run(["psql", "-Xq", "-v", f"source={schema}"], input=script, capture_output=True, text=True, timeout=200, check=False)
            equal(done.returncode, 0, done.stderr)
            refused = rows(admin, "SELECT source_table, old_id, reason FROM chat.import_findings WHERE system = %s AND kind = 'refused'", f"typed_{system}")
            equal(refused, [], system)
            for table, in rows(admin, "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = %s", schema):
                admin.execute(f"TRUNCATE {table} CASCADE")
        report = import_from(system, schema)
        assert len(report) > 2 and not any(count for counts in report.values() for count in counts.values()), report


@test("an import that is ended on its way leaves nothing behind, and can be begun again")
def _():
    with connect() as admin, connect() as holder:
        for system, tables in (("vibebot", ("chat.user_settings", "chat_private.api_key_secrets", "chat.messages", "chat.usage_events", "chat.import_findings")),
                               ("board_of_one", ("chat.identities", "chat.contributions", "chat.deliberation_checkpoints", "chat.usage_events"))):
            schema = f"ended_{system}"
            make_source(system, schema)
            admin.execute("SET session_replication_role = replica")
            for table, column in (("User", "email"),) if system == "vibebot" else (("users", "email"),):
                admin.execute(f'UPDATE {schema}."{table}" SET "{column}" = \'ended-\' || "{column}"')
            script = re.sub(f"system {system}$", f"system {schema}", (SOURCE / f"sql/import/{system}.sql").read_text(), flags=re.M).replace("\\ir ", f"\\i {SOURCE}/sql/import/")

            def begin():
                process = subprocess.Popen(["psql", "-Xq", "-v", f"source={schema}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                           env=os.environ | {"PGAPPNAME": schema})
                process.stdin.write(script)
                process.stdin.close()
                return process

            def count():
                return {table: value(admin, f"SELECT count(*) FROM {table}") for table in ("chat.users", "chat.messages", "chat.contributions", "chat.usage_events", "chat.import_map", "chat.import_findings")}

            before = count()
            for table in tables:
                # It waits for the table, and is ended there.
                with holder.transaction():
                    holder.execute(f"LOCK TABLE {table} IN SHARE MODE")
                    process = begin()
                    wait_until(lambda: value(admin, "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'", schema) == 1, f"it waits for {table}", 60)
                    value(admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", schema)
                    output = process.stdout.read()
                    assert process.wait() != 0, output
                equal(count(), before, table)
            process = begin()
            output = process.stdout.read()
            equal(process.wait(), 0, output)
            after = count()
            assert after["chat.import_map"] > before["chat.import_map"] + 400, (before, after)
            equal(rows(admin, "SELECT first_bad_id FROM chat.verify_audit_log()"), [(None,)])


run()
