#!/usr/bin/python3
"""What is not there is said plainly: a library that was not preloaded, and engines beyond pgchat.max_engines."""

import contextlib
import os
import time

from support import mock
from support.cluster import control, start
from support.database import connect, fails, value
from support.databases import cluster, complete, database, use, wait_for_engine
from support.tap import diag, equal, run, skip_all, test


def log_lines(part):
    with open(os.environ["PGCHAT_SERVER_LOG"]) as log:
        return [line for line in log if part in line]


@test("without shared_preload_libraries, CREATE EXTENSION fails with 57P03 and the hint, and leaves nothing")
def _():
    with database("bare", extension=False), connect() as admin:
        error = fails("57P03", admin.execute, "CREATE EXTENSION pgchat", hint=True)
        diag(f"{error.diag.message_primary}; {error.diag.message_hint}")
        assert "shared_preload_libraries" in error.diag.message_hint
        equal(value(admin, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'chat%%'"), 0)


@test("a database beyond pgchat.max_engines: the log and the error say so, and it gets its engine when there is room")
def _():
    with connect() as admin:
        admin.execute("ALTER SYSTEM SET shared_preload_libraries = 'pgchat'")
    control("stop", FOLDER)
    start(FOLDER)
    with database("with_engine") as first:
        first_pid, _ = wait_for_engine()
        with database("without_engine") as second:
            began = time.monotonic()
            error = fails("57P03", complete, "", hint=True)
            diag(f"after {time.monotonic() - began:.1f} s: {error.diag.message_primary}; {error.diag.message_hint}")
            assert "pgchat.max_engines" in error.diag.message_hint
            line = log_lines("no place for pgchat engine")[0]
            diag(line.strip())
            assert second in line, line
            assert any("pgchat.max_engines" in hint for hint in log_lines("HINT")), "the log has no hint"
            said = len(log_lines("no place for pgchat engine"))
            diag(f"the log says it {said} times in {time.monotonic() - began:.1f} s")
            assert said <= 2, "the log is flooded"
            use(first)
            equal(complete("text=here"), "here", "the database that has an engine")
            with connect() as admin:
                admin.execute("DROP EXTENSION pgchat CASCADE")
            use(second)
            _, seconds = wait_for_engine()
            diag(f"an engine {seconds:.3f} s after the other had gone")
            equal(complete("text=now"), "now")


@test("a database for whose engine no process is left: the log says so once, by name, and it gets its engine when there is one")
def _():
    with connect(dbname="postgres") as admin:
        for setting in "max_worker_processes = 2", "max_logical_replication_workers = 0", "pgchat.max_engines = 4":
            admin.execute(f"ALTER SYSTEM SET {setting}")
    control("stop", FOLDER)
    start(FOLDER)
    with database("has_a_process") as first:
        wait_for_engine()
        with database("has_none") as second:
            error = fails("57P03", complete, "", hint=True)
            assert "max_worker_processes" in error.diag.message_hint
            # The launcher tries again each second, which this is to outlast.
            time.sleep(3)
            equal(len(log_lines(f'no background worker is free for the engine of database "{second}"')), 1, "how often it is said")
            assert any("max_worker_processes" in hint for hint in log_lines("HINT")), "the log has no hint"
            use(first)
            with connect() as admin:
                admin.execute("DROP EXTENSION pgchat CASCADE")
            use(second)
            wait_for_engine()
            equal(complete("text=now"), "now")


if not mock.PORT:
    skip_all("no mock provider")
stack = contextlib.ExitStack()
FOLDER = stack.enter_context(cluster("engines", "--no-preload", "--set", "pgchat.max_engines=1"))
run(stack.close)
