#!/usr/bin/python3
"""An engine comes and goes with its extension, its database and its server, in seconds, and nothing hangs or is left half done."""

import contextlib
import os
import signal
import time

import psycopg

from support import mock
from support.cluster import control, start
from support.database import Person, connect, engine, events, fails, rows, value
from support.databases import (cluster, complete, database, engine_pid, open_replies, outcomes, running_pid, statuses, use, wait_for_engine,
                               wait_for_server, wait_for_status)
from support.tap import Task, diag, equal, run, skip_all, test, wait_until

MOST_SECONDS = 5.0
STREAM = "tokens=200&rate=20"


def timed(function, *arguments):
    """Calls the function, which must return soon; gives how long it took."""
    began = time.monotonic()
    function(*arguments)
    seconds = time.monotonic() - began
    assert seconds < MOST_SECONDS, f"it took {seconds:.2f} s"
    return seconds


def wait_until_gone(name, pid):
    """Waits until the engine's process has ended; gives the seconds."""
    return timed(lambda: wait_until(lambda: engine_pid(name) != pid and not os.path.exists(f"/proc/{pid}"),
                                    f"the engine of {name} is gone", MOST_SECONDS))


def drain(reader, *arguments):
    """Reads a stream to its end; gives how it ended: the last kind, or the SQLSTATE it failed with."""
    kind = None
    try:
        for _, kind, *_ in events(reader, *arguments):
            pass
    except psycopg.Error as error:
        return error.sqlstate
    return kind


def call_in_flight(scenario="latency_ms=30000"):
    """A call that waits in another thread; returns once the engine has it."""
    before = engine()["calls_in_flight"]
    task = Task(complete, scenario)
    wait_until(lambda: engine()["calls_in_flight"] > before, "the call is in flight")
    return task


@test("CREATE EXTENSION starts the engine, and a call right after it is answered")
def _():
    with database("made", extension=False) as name:
        with connect() as admin:
            admin.execute("CREATE EXTENSION pgchat")
            pid, seconds = wait_for_engine()
            diag(f"CREATE EXTENSION to a running engine: {seconds:.3f} s")
            assert seconds < MOST_SECONDS
            equal(complete("text=here"), "here")
            admin.execute("DROP EXTENSION pgchat")
            admin.execute("CREATE EXTENSION pgchat")
        use(name)
        began = time.monotonic()
        equal(complete("text=again"), "again", "a call at once after DROP and CREATE EXTENSION")
        diag(f"DROP and CREATE EXTENSION to the first answer: {time.monotonic() - began:.3f} s")


@test("CREATE EXTENSION that is rolled back leaves no engine")
def _():
    with database("undone", extension=False) as name:
        with connect() as admin, contextlib.suppress(psycopg.errors.RaiseException), admin.transaction():
            admin.execute("CREATE EXTENSION pgchat")
            raise psycopg.errors.RaiseException()
        with connect() as admin:
            fails("3F000", value, admin, "SELECT chat.engine_status()")
        equal(engine_pid(name), None)


@test("DROP EXTENSION ends the engine, also with CASCADE")
def _():
    for cascade in "", " CASCADE":
        with database("dropped") as name:
            pid, _ = wait_for_engine()
            with connect() as admin:
                if cascade:
                    admin.execute("CREATE VIEW public.mine AS SELECT title FROM chat.conversations")
                    fails("2BP01", admin.execute, "DROP EXTENSION pgchat")
                    equal(running_pid(), pid, "the engine after a DROP that failed")
                statement = timed(admin.execute, "DROP EXTENSION pgchat" + cascade)
                diag(f"DROP EXTENSION{cascade}: {statement:.3f} s, engine gone {wait_until_gone(name, pid):.3f} s later")


@test("DROP EXTENSION with streams open ends the engine and the streams")
def _():
    with database("dropped") as name:
        pid, _ = wait_for_engine()
        person = Person()
        replies = open_replies(person, 20, STREAM)
        wait_for_status("streaming", 20)
        readers = [Task(drain, person.connect(), reply) for reply in replies[:5]]
        immediate = [call_in_flight(STREAM) for _ in range(3)]
        wait_until(lambda: engine()["readers"] == 5, "five sessions read")
        with connect() as admin:
            statement = timed(admin.execute, "DROP EXTENSION pgchat CASCADE")
        diag(f"DROP EXTENSION: {statement:.3f} s, engine gone {wait_until_gone(name, pid):.3f} s later")
        diag(f"readers ended with {sorted(set(reader.result(MOST_SECONDS) for reader in readers))}")
        for task in immediate:
            fails("08007", task.result, MOST_SECONDS)


@test("DROP EXTENSION that is rolled back changes nothing")
def _():
    with database("kept") as name:
        pid, _ = wait_for_engine()
        with connect() as admin:
            admin.execute("BEGIN")
            admin.execute("DROP EXTENSION pgchat")
            admin.execute("ROLLBACK")
        equal(complete("text=still"), "still")
        equal(running_pid(), pid, "the engine's process")


@test("DROP DATABASE ends its engine, with streams open too")
def _():
    with database("ended") as name:
        pid, _ = wait_for_engine()
        person = Person()
        open_replies(person, 20, STREAM)
        wait_for_status("streaming", 20)
        person.connection.close()
        with connect(dbname="postgres") as admin:
            seconds = timed(admin.execute, f"DROP DATABASE {name}")
        diag(f"DROP DATABASE with 20 streams: {seconds:.3f} s")
        assert not os.path.exists(f"/proc/{pid}"), "the engine is still there"
        wait_until(lambda: mock.stats()["in_flight"] == 0, "the provider has no request left")
    with database("ended") as name:
        pid, _ = wait_for_engine()
        person = Person()
        reader = Task(drain, person.connect(), open_replies(person, 1, STREAM)[0])
        wait_for_status("streaming", 1)
        task = call_in_flight()
        with connect(dbname="postgres") as admin:
            fails("55006", admin.execute, f"DROP DATABASE {name}")
            found, seconds = wait_for_engine(other_than=pid)
            diag(f"DROP DATABASE that failed because of sessions: the engine is back {seconds:.3f} s later")
            equal(complete("text=back"), "back")
            seconds = timed(admin.execute, f"DROP DATABASE {name} WITH (FORCE)")
            diag(f"DROP DATABASE WITH (FORCE) with sessions: {seconds:.3f} s")
        assert not os.path.exists(f"/proc/{found}"), "the engine is still there"
        fails("08007", task.result)
        diag(f"the reader ended with {reader.result()}")


@test("ALTER DATABASE RENAME and CREATE DATABASE TEMPLATE succeed, and the engines are back")
def _():
    with database("first") as name:
        wait_for_engine()
        equal(complete("text=one"), "one")
        with connect(dbname="postgres") as admin:
            seconds = timed(admin.execute, "ALTER DATABASE first RENAME TO second")
            use("second")
            pid, back = wait_for_engine()
            diag(f"RENAME: {seconds:.3f} s, engine back {back:.3f} s later")
            equal(complete("text=two"), "two")
            seconds = timed(admin.execute, "CREATE DATABASE first TEMPLATE second")
            pid, back = wait_for_engine()
            use("first")
            copy, back_in_copy = wait_for_engine()
            diag(f"CREATE DATABASE TEMPLATE: {seconds:.3f} s, engine back {back:.3f} s, engine of the copy {back_in_copy:.3f} s later")
            assert copy != pid
            equal(complete("text=three"), "three")
            admin.execute("DROP DATABASE second")


@test("two databases have two engines, each named after its database")
def _():
    with database("left_one"), contextlib.ExitStack() as stack:
        left, _ = wait_for_engine()
        stack.enter_context(database("right_one"))
        right, _ = wait_for_engine()
        equal(complete("text=right"), "right")
        use("left_one")
        equal(complete("text=left"), "left")
        with connect() as admin:
            found = rows(admin, "SELECT pid, datname, backend_type, application_name, wait_event_type, wait_event FROM pg_stat_activity"
                         " WHERE backend_type LIKE 'pgchat%%' AND (datname IS NULL OR datname ~ '_one') ORDER BY datname")
        for row in found:
            with open(f"/proc/{row[0]}/cmdline") as title:
                shown = title.read().strip("\0 ")
            diag(f"{row[1:]} {shown!r}")
            if row[1]:
                equal(row[2:4], ("pgchat engine", "pgchat engine"))
                assert "pgchat engine" in shown and row[1] in shown, shown
        equal([row[0] for row in found], [left, right, found[-1][0]])
        equal(found[-1][2], "pgchat launcher")


@test("pg_terminate_backend: the engine is back in 3 s, what was in flight is interrupted, new calls work")
def _():
    with database("terminated"):
        pid, _ = wait_for_engine()
        replies = open_replies(Person(), 5, STREAM)
        wait_for_status("streaming", 5)
        task = call_in_flight()
        with connect() as admin:
            began = time.monotonic()
            value(admin, "SELECT pg_terminate_backend(%s)", pid)
            fails("08007", task.result, 3.0, hint=True)
            wait_for_engine(other_than=pid)
            seconds = time.monotonic() - began
        diag(f"terminated to running again: {seconds:.3f} s")
        assert seconds < 3
        equal(complete("text=new"), "new")
        for status, code, length in outcomes(replies):
            assert (status, code) == ("incomplete", "outcome_unknown") and length > 0, (status, code, length)


@test("an engine that cannot look for its extension for a lock stays, or comes, and serves once the lock is gone")
def _():
    with database("locked"):
        pid, _ = wait_for_engine()
        reply = open_replies(Person(), 1, STREAM)[0]
        wait_for_status("streaming", 1)
        with connect() as holder, connect() as admin:
            admin.execute("BEGIN")
            value(admin, "SELECT count(*) FROM chat.models")
            admin.execute("PREPARE TRANSACTION 'any'")
            holder.execute("BEGIN")
            holder.execute("LOCK TABLE pg_catalog.pg_extension")
            # Nobody here knows what a transaction did that was prepared, so the engine looks for the extension again.
            admin.execute("COMMIT PREPARED 'any'")
            time.sleep(0.3)
            equal(engine_pid("locked"), pid, "it stays")
            equal(statuses(), {"streaming": 1})
            value(admin, "SELECT pg_terminate_backend(%s)", pid)
            time.sleep(1.5)
            holder.execute("ROLLBACK")
        began = time.monotonic()
        wait_for_engine(other_than=pid)
        diag(f"it serves {time.monotonic() - began:.3f} s after the lock went")
        equal(outcomes([reply])[0][:2], ("incomplete", "outcome_unknown"))


@test("kill -9 of the engine: the server recovers and works, what was in flight is final")
def _():
    with database("killed"):
        pid, _ = wait_for_engine()
        replies = open_replies(Person(), 5, STREAM)
        wait_for_status("streaming", 5)
        task = call_in_flight()
        began = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        try:
            task.result(MOST_SECONDS)
            raise AssertionError("the call in flight has succeeded")
        except psycopg.Error as error:
            diag(f"a call in flight: {error.sqlstate} {error}")
        wait_for_server()
        wait_for_engine(other_than=pid)
        diag(f"killed to running again: {time.monotonic() - began:.3f} s")
        equal(complete("text=new"), "new")
        for status, code, length in outcomes(replies):
            assert (status, code) == ("incomplete", "outcome_unknown") and length > 0, (status, code, length)


@test("pg_ctl stop -m fast with 50 streams takes less than 5 s; the replies are final, and can be retried")
def _():
    with database("stopped"):
        wait_for_engine()
        person = Person()
        replies = open_replies(person, 50, "tokens=120&rate=20")
        wait_for_status("streaming", 50)
        readers = [Task(drain, person.connect(), reply) for reply in replies[:10]]
        task = call_in_flight()
        seconds = timed(control, "stop", FOLDER, "fast")
        diag(f"pg_ctl stop -m fast: {seconds:.3f} s")
        assert set(reader.result(MOST_SECONDS) for reader in readers) <= {"57P01", "08007", "incomplete", None}
        try:
            task.result(MOST_SECONDS)
            raise AssertionError("the call in flight has succeeded")
        except psycopg.Error as error:
            assert isinstance(error, psycopg.OperationalError) or error.sqlstate == "08007", error
        start(FOLDER)
        wait_for_engine()
        found = outcomes(replies)
        diag(f"replies: {set(row[:2] for row in found)}, {min(row[2] for row in found)} to {max(row[2] for row in found)} characters")
        equal(set(row[:2] for row in found), {("incomplete", "outcome_unknown")})
        assert min(row[2] for row in found) > 0, "a text is lost"
        person.connection = person.connect()
        retried = person.value("SELECT assistant_message_id FROM chat.retry_message(%s)", replies[0])
        wait_until(lambda: person.message(retried)["status"] == "complete", "the retried reply is complete")


if not mock.PORT:
    skip_all("no mock provider")
stack = contextlib.ExitStack()
FOLDER = stack.enter_context(cluster("lifecycle", "--set", "max_worker_processes=16", "--set", "max_prepared_transactions=2"))
run(stack.close)
