#!/usr/bin/python3
"""What came with an earlier version is brought up to this one: nothing of the data is lost, the catalogue is that of a new
installation, and a library never works with SQL of another version."""

import contextlib
import lzma
import os
import pathlib
import re
import subprocess

from support.belongings import Owner
from support.catalogue import catalogue, checksums, columns, differences, shipped
from support.cluster import ROOT
from support.database import connect, engine, fails, rows, value
from support.databases import cluster, database, use, wait_for_engine
from support.keyed import KeyedProvider
from support.tap import diag, equal, run, test, wait_until

SCRIPTS = pathlib.Path(subprocess.run([os.environ.get("PG_CONFIG", "pg_config"), "--sharedir"], check=True, stdout=subprocess.PIPE,
                                      text=True).stdout.strip()) / "extension"
FROZEN = sorted((ROOT / "test/upgrade").glob("pgchat--*.sql.xz"))
LATER = "99.0.0"


def as_owner(*command, data=None):
    """Runs a command that changes the server's folder of scripts, with sudo only where that is another's."""
    prefix = [] if os.access(SCRIPTS, os.W_OK) else ["sudo", "-n"]
    subprocess.run([*prefix, *map(str, command)], input=data, check=True, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def script(versions, content):
    """The server has the script of that name meanwhile."""
    file = SCRIPTS / f"pgchat--{versions}.sql"
    before = file.read_bytes() if file.exists() else None
    as_owner("tee", file, data=content)
    try:
        yield
    finally:
        if before is None:
            as_owner("rm", "-f", file)
        else:
            as_owner("tee", file, data=before)


@contextlib.contextmanager
def frozen(file):
    """The install script of an earlier version; gives the version."""
    version = re.fullmatch(r"pgchat--(.*)\.sql\.xz", file.name)[1]
    with script(version, lzma.decompress(file.read_bytes())):
        yield version


def current(admin):
    return value(admin, "SELECT default_version FROM pg_available_extensions WHERE name = 'pgchat'")


def installed(admin):
    return value(admin, "SELECT extversion FROM pg_extension WHERE extname = 'pgchat'")


def update(admin, version=None):
    admin.execute("ALTER EXTENSION pgchat UPDATE" + (f" TO '{version}'" if version else ""))


def copied_columns(connection):
    """{table: columns} of what can be written; parts of a partitioned table are reached through it."""
    found = {}
    for table, column in rows(connection, """SELECT c.oid::regclass::text, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace IN ('chat'::regnamespace, 'chat_private'::regnamespace) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY 1, a.attnum"""):
        found.setdefault(table, []).append(column)
    return found


def copy_rows(source, target):
    """The rows of what both have; the earlier version's functions need the earlier library, but its rows were the same."""
    wanted = copied_columns(target)
    there = copied_columns(source)
    target.execute("SET session_replication_role = replica")
    with source.transaction(), target.transaction():
        source.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        for table, names in wanted.items():
            equal([name for name in names if name not in there[table]], [], f"columns of {table} that there are no more")
            listed = ", ".join(f'"{name}"' for name in names)
            target.execute(f"DELETE FROM {table}")
            with source.cursor().copy(f"COPY (SELECT {listed} FROM {table}) TO STDOUT") as given, \
                    target.cursor().copy(f"COPY {table} ({listed}) FROM STDIN") as taken:
                for block in given:
                    taken.write(block)
        for name, last in rows(target, """SELECT format('%I.%I', schemaname, sequencename), 1 FROM pg_sequences WHERE schemaname IN ('chat', 'chat_private')"""):
            last, called = rows(source, f"SELECT last_value, is_called FROM {name}")[0]
            target.execute("SELECT setval(%s, %s, %s)", (name, last, called))
    target.execute("RESET session_replication_role")


@test("an earlier version without rows becomes what a new installation is, in every catalogue and in what comes with it")
def _():
    assert FROZEN, "no earlier version is kept"
    with database("upgrade_fresh"), connect() as admin:
        wanted, rows_wanted = catalogue(admin), shipped(admin)
    diag(f"{len(wanted)} facts")
    for file in FROZEN:
        with frozen(file) as version, database("upgrade_empty", extension=False), connect() as admin:
            admin.execute(f"CREATE EXTENSION pgchat VERSION '{version}'")
            assert differences(catalogue(admin), wanted), "the versions differ"
            update(admin)
            equal(installed(admin), current(admin))
            found = differences(catalogue(admin), wanted)
            assert not found, f"{version} and an update are not {current(admin)}:\n{found}"
            equal(shipped(admin), rows_wanted, "what comes with pgchat")


@test("an update keeps every row, and logins, sessions, keys, files, shares and conversations go on")
def _():
    with KeyedProvider() as provider, database("upgrade_made"), database("upgrade_fresh_2"):
        with connect() as admin:
            wanted = catalogue(admin)
        use("upgrade_made")
        owner = Owner(provider)
        for file in FROZEN:
            with frozen(file) as version, database("upgrade_old", extension=False), connect() as admin:
                admin.execute(f"CREATE EXTENSION pgchat VERSION '{version}'")
                with connect(dbname="upgrade_made") as source:
                    copy_rows(source, admin)
                names = columns(admin)
                before = checksums(admin, names)
                refused = fails("55000", owner.connect, hint=True)
                equal(refused.diag.message_hint, f"Run ALTER EXTENSION pgchat UPDATE TO '{current(admin)}' as a superuser.")
                with admin.transaction():
                    update(admin)
                    after = checksums(admin, names)
                equal({t: c for t, c in after.items() if c != before[t]}, {}, "tables that are not what they were")
                equal(after["chat.plans"][0], 1, "the edited plan")
                assert sum(count for count, _ in after.values()) > 40, "there were rows"
                diag(f"{sum(count for count, _ in after.values())} rows, {sum(1 for count, _ in after.values() if count)} tables with rows")
                found = differences(catalogue(admin), wanted)
                assert not found, found
                owner.check(provider)
            use("upgrade_made")


@test("a library and SQL of different versions refuse each other, in sessions that are open too, until they are one again")
def _():
    with database("upgrade_later"), connect() as admin, connect() as other:
        this = current(admin)
        with script(f"{this}--{LATER}", b"-- nothing\n"), script(f"{LATER}--{this}", b"-- nothing\n"):
            pid, _ = wait_for_engine()
            assert value(other, "SELECT chat.uuid_v7()")
            update(admin, LATER)
            for session in other, admin:
                error = fails("55000", value, session, "SELECT chat.uuid_v7()", hint=True)
                assert LATER in str(error) and this in str(error), error
                equal(error.diag.message_hint, f"Install pgchat {LATER} on the server and restart it.")
            with connect() as new:
                fails("55000", value, new, "SELECT chat.llm_complete('x')", hint=True)
                fails("55000", value, new, "SELECT chat.register('a@example.com', 'correct-horse-9')", hint=True)
            wait_until(lambda: value(admin, "SELECT true FROM pg_stat_activity WHERE pid = %s", pid) is None, "the engine has left")
            status = engine(admin)
            equal(status.pop("state"), "wrong version")
            equal({fact for fact in status.values()}, {None})
            log = pathlib.Path(os.environ["PGCHAT_SERVER_LOG"])
            line = f'no engine for database "upgrade_later": its SQL is of version {LATER}, the library of version {this}'
            wait_until(lambda: line in log.read_text(errors="replace"), "the log says so")
            update(admin, this)
            assert value(other, "SELECT chat.uuid_v7()")
            wait_for_engine(other_than=pid)


@test("what an update that is undone would have changed is not taken for changed")
def _():
    with database("upgrade_undone"), connect() as admin:
        this = current(admin)
        with script(f"{this}--{LATER}", b"-- nothing\n"):
            for undo in "ROLLBACK", "ROLLBACK TO before":
                assert value(admin, "SELECT chat.uuid_v7()")
                admin.execute("BEGIN")
                admin.execute("SAVEPOINT before")
                update(admin, LATER)
                admin.execute("SAVEPOINT within")
                fails("55000", value, admin, "SELECT chat.uuid_v7()", hint=True)
                admin.execute(undo)
                assert value(admin, "SELECT chat.uuid_v7()"), undo
                admin.execute("ROLLBACK")
            # And the other way round: what was right within the transaction alone.
            admin.execute("UPDATE pg_extension SET extversion = %s WHERE extname = 'pgchat'", (LATER,))
            with script(f"{LATER}--{this}", b"-- nothing\n"), connect() as late:
                late.execute("BEGIN")
                update(late, this)
                assert value(late, "SELECT chat.uuid_v7()")
                late.execute("ROLLBACK")
                fails("55000", value, late, "SELECT chat.uuid_v7()", hint=True)


@test("a script says when the library that is loaded is too old for it, also one that cannot be asked")
def _():
    check = (ROOT / "sql/library_check.sql.in").read_text()
    with database("upgrade_script"), connect() as admin:
        this = current(admin)
        for asked in "pgchat_library_version", "pgchat_not_there":
            text = check.replace("@VERSION@", LATER).replace("'pgchat_library_version'", f"'{asked}'")
            with script(f"{this}--{LATER}", text.encode()):
                error = fails("55000", update, admin, LATER, hint=True)
                assert LATER in str(error), error
            equal(installed(admin), this)
        text = check.replace("@VERSION@", this)
        with script(f"{this}--{LATER}", text.encode()):
            update(admin, LATER)
            equal(installed(admin), LATER)
        equal(value(admin, "SELECT to_regproc('pg_catalog.pgchat_library_version')"), None)


run(around=cluster("upgrade"))
