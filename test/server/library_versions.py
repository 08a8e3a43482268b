#!/usr/bin/python3
"""Servers that load another version of the library than the SQL of their databases is of, older and newer: each attempt says so and what to
do, nothing is half done, and with the right library all goes on."""

import contextlib
import json
import lzma
import os
import pathlib
import re
import tempfile
import time

import psycopg

from support.belongings import Owner
from support.catalogue import catalogue, differences
from support.cluster import ROOT, control, start
from support.database import Person, connect, engine, fails, role, rows, value
from support.databases import cluster, use, wait_for_engine
from support.keyed import KeyedProvider
from support.server_copy import build_library, server_copy
from support.tap import diag, equal, run, test, wait_until

THIS = json.loads((ROOT / "META.json").read_text())["version"]
OLDER, NEWER = ("0.1.0", "0.9.0"), ("2.0.0",)
FIRST = "0.1.0"
ASKING = ("SELECT chat.uuid_v7()", "SELECT chat.login('nobody@example.com', 'correct-horse-9')", "SELECT chat.llm_complete('x')",
          "SELECT chat.create_conversation('x')")


def log():
    return pathlib.Path(os.environ["PGCHAT_SERVER_LOG"]).read_text(errors="replace")


def switch(library):
    """Restarts the server with another library; gives what its log held before."""
    control("stop", folder)
    server.load(library)
    before = len(log())
    start(folder)
    return before


def with_ours():
    switch(server.own_library)


def make_databases(*names):
    with connect(dbname="postgres") as admin:
        for name in names:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            admin.execute(f"CREATE DATABASE {name}")


def installed(admin):
    return value(admin, "SELECT extversion FROM pg_extension WHERE extname = 'pgchat'")


def traces(admin):
    """How many schemas, functions and tables there are in a database beside the server's own."""
    return value(admin, "SELECT (SELECT count(*) FROM pg_namespace) + (SELECT count(*) FROM pg_proc) + (SELECT count(*) FROM pg_class)")


def refused_everywhere(hint):
    """Whatever is asked of the database in use is refused with that hint, whoever asks."""
    with connect() as admin, connect(user=role("pgchat_client")) as client:
        for connection in admin, client:
            for query in ASKING:
                error = fails("55000", value, connection, query)
                equal(error.diag.message_hint, hint, query)
        # Policies bind it, not the superuser.
        fails("55000", value, client, "SELECT count(*) FROM chat.messages", hint=True)
        equal(engine(admin)["state"], "wrong version")


def quiet(since, version, *names):
    """That the engines of these databases were not started is said once for each look at one; and the server has lost no process."""
    lines = [f'no engine for database "{name}": its SQL is of version {THIS}, the library of version {version}' for name in names]
    wait_until(lambda: all(line in log()[since:] for line in lines), f"the log says: {lines}")
    said = [log()[since:].count(line) for line in lines]
    # Some times as long as the launcher waits before it starts an engine that has failed again.
    time.sleep(3.5)
    equal([log()[since:].count(line) for line in lines], said, "no engine is started again and again")
    assert not re.search(r"terminated by signal|PANIC|TRAP:", log()[since:])
    with connect(dbname="postgres") as admin:
        equal(value(admin, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'pgchat engine' AND datname = ANY (%s)", list(names)), 0)


def queue_a_call(owner):
    """A message whose call waits in the queue, as while no engine runs."""
    with connect() as admin:
        admin.execute("ALTER TABLE chat_private.llm_requests ADD CONSTRAINT waits CHECK (state <> 'running') NOT VALID")
    owner.connection = owner.connect()
    reply = owner.value("SELECT assistant_message_id FROM chat.send_message(%s, 'queued')", owner.value("SELECT chat.create_conversation('Queue', 'kept')"))
    owner.connection.close()
    return reply


def states(reply):
    with connect() as admin:
        return rows(admin, "SELECT m.status, q.state FROM chat.messages m LEFT JOIN chat_private.llm_requests q ON q.message_id = m.id WHERE m.id = %s", reply)


def answered(owner, reply):
    with connect() as admin:
        admin.execute("ALTER TABLE chat_private.llm_requests DROP CONSTRAINT waits")
    owner.connection = owner.connect()
    wait_until(lambda: owner.message(reply)["status"] == "complete", "what was queued is sent", 30)
    owner.cost = owner.value("SELECT count(*) FROM chat.usage_events")
    owner.connection.close()


@contextlib.contextmanager
def other_library(library):
    """A server with that library meanwhile, whose database `kept` has SQL of this version, somebody's data and a call that is queued. Then
    with the right library: all of it works."""
    make_databases("kept", "fresh", "old")
    use("kept")
    with connect() as admin:
        admin.execute("CREATE EXTENSION pgchat")
    wait_for_engine(seconds=30)
    with KeyedProvider() as provider:
        owner = Owner(provider)
        wait_until(lambda: value_of("SELECT count(*) FROM chat_private.llm_requests WHERE state IN ('queued', 'running')") == 0, "nothing is under way")
        reply = queue_a_call(owner)
        since = switch(library)
        try:
            yield since
            use("kept")
            equal(states(reply), [("pending", "queued")], "a call that was queued")
        finally:
            with_ours()
        use("kept")
        wait_for_engine(seconds=30)
        answered(owner, reply)
        owner.check(provider)


def value_of(query):
    with connect() as admin:
        return value(admin, query)


@test("an older library: SQL of this version is refused, and so is installing it and updating to it; then it all goes on")
def older():
    for version in OLDER:
        with other_library(libraries[version]) as since:
            hint = f"Install pgchat {THIS} on the server and restart it."
            refused_everywhere(hint)
            quiet(since, version, "kept")
            with connect() as admin:
                # Nothing there is to be updated, and nobody is told that it was.
                admin.execute("ALTER EXTENSION pgchat UPDATE")
                equal(installed(admin), THIS)
            use("fresh")
            with connect() as admin:
                before = traces(admin)
                error = fails("55000", admin.execute, "CREATE EXTENSION pgchat", hint=True)
                equal(error.diag.message_hint, f"Install pgchat {THIS} on the server, restart it, and try again.")
                equal((installed(admin), traces(admin)), (None, before), "what a refused CREATE EXTENSION leaves")
            use("old")
            with connect() as admin:
                admin.execute(f"CREATE EXTENSION pgchat VERSION '{FIRST}'")
                before = catalogue(admin)
                error = fails("55000", admin.execute, "ALTER EXTENSION pgchat UPDATE", hint=True)
                equal(error.diag.message_hint, f"Install pgchat {THIS} on the server, restart it, and try again.")
                found = differences(catalogue(admin), before)
                assert not found, f"what a refused update leaves:\n{found}"
        for name in "fresh", "old":
            use(name)
            with connect() as admin:
                admin.execute("CREATE EXTENSION pgchat" if name == "fresh" else "ALTER EXTENSION pgchat UPDATE")
            wait_for_engine(seconds=30)
            assert Person("anna").value("SELECT chat.create_conversation('x')")


@test("a newer library: SQL of this version is refused, also when it was installed or updated with that library; then it all goes on")
def newer():
    for version in NEWER:
        with other_library(libraries[version]) as since:
            hint = f"Run ALTER EXTENSION pgchat UPDATE TO '{version}' as a superuser."
            refused_everywhere(hint)
            with connect() as admin:
                # Its files are not there.
                error = fails("22023", admin.execute, f"ALTER EXTENSION pgchat UPDATE TO '{version}'")
                assert THIS in str(error) and version in str(error), error
                equal(installed(admin), THIS)
            for name, statements in (("fresh", ["CREATE EXTENSION pgchat"]),
                                     ("old", [f"CREATE EXTENSION pgchat VERSION '{FIRST}'", "ALTER EXTENSION pgchat UPDATE"])):
                use(name)
                with connect() as admin:
                    for statement in statements:
                        admin.execute(statement)
                    equal(installed(admin), THIS)
                refused_everywhere(hint)
            quiet(since, version, "kept", "fresh", "old")
        for name in "fresh", "old":
            use(name)
            wait_for_engine(seconds=30)
            assert Person("anna").value("SELECT chat.create_conversation('x')")


@test("a library that looks at nothing, as the first one: its engine says why it sends nothing, and sends nothing")
def first():
    with other_library(libraries["first"]) as since:
        line = f"the library of pgchat that the server has loaded is older than the SQL of this database, version {THIS}"
        wait_until(lambda: line in log()[since:], "the log says so")
        assert f"Install pgchat {THIS} on the server and restart it." in log()[since:]
        with connect() as admin, connect(user=role("pgchat_client")) as client:
            equal(engine(admin)["state"], "starting")
            fails("57P03", value, admin, "SELECT chat.llm_complete('x', 'kept')", hint=True)
            fails("57P03", value, client, "SELECT chat.login('nobody@example.com', 'correct-horse-9')", hint=True)
        use("fresh")
        with connect() as admin:
            fails("55000", admin.execute, "CREATE EXTENSION pgchat", hint=True)
            equal(installed(admin), None)
        assert not re.search(r"terminated by signal|PANIC|TRAP:", log()[since:])


stack = contextlib.ExitStack()
began = time.monotonic()
built = stack.enter_context(tempfile.TemporaryDirectory(prefix="pgchat-libraries."))
libraries = {version: build_library(built, version) for version in (*OLDER, *NEWER)}
libraries["first"] = build_library(built, THIS, hidden=["pgchat_library_version"])
diag(f"the libraries were built in {time.monotonic() - began:.1f} s")
server = stack.enter_context(server_copy())
(server.scripts / f"pgchat--{FIRST}.sql").write_bytes(lzma.decompress((ROOT / f"test/upgrade/pgchat--{FIRST}.sql.xz").read_bytes()))
folder = stack.enter_context(cluster("library-versions"))
run(stack.close)
