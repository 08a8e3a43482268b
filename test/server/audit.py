#!/usr/bin/python3
"""The audit log: its rows outlive whatever becomes of the caller, and no row can be changed, removed or added unnoticed."""

import os
import signal
import subprocess
import time
import uuid

import psycopg

from support.cluster import private
from support.database import PASSWORD, Person, connect, fails, rows, service, value
from support.databases import running_pid, wait_for_engine
from support.tap import Task, diag, equal, run, test, wait_until

WRITE = "SELECT chat_private.audit(%s)"


def actions(connection, like):
    """The actions of the rows whose action is like that, in their order."""
    return [action for action, in rows(connection, "SELECT action FROM chat.audit_log WHERE action LIKE %s ORDER BY id", like)]


def is_whole(connection):
    # One statement and so one snapshot, as the engine audits the ends of sessions in its own time.
    bad, reason, checked, there = rows(connection, "SELECT v.*, (SELECT count(*) FROM chat.audit_log) FROM chat.verify_audit_log() v")[0]
    equal((bad, reason), (None, None), "the chain")
    equal(checked, there, "all rows were checked")


@test("a row outlives ROLLBACK, a savepoint, an exception block, statement_timeout and the connection")
def _():
    with connect() as admin:
        with connect() as caller:
            caller.execute("BEGIN")
            caller.execute("CREATE TABLE tried ()")
            caller.execute(WRITE, ("outlives.rollback",))
            caller.execute("SAVEPOINT s")
            caller.execute(WRITE, ("outlives.savepoint",))
            caller.execute("ROLLBACK TO s")
            caller.execute("DO $$BEGIN PERFORM chat_private.audit('outlives.exception'); RAISE 'x'; EXCEPTION WHEN OTHERS THEN END$$")
            equal(actions(admin, "outlives.%"), ["outlives.rollback", "outlives.savepoint", "outlives.exception"], "before the ROLLBACK")
            caller.execute("ROLLBACK")
            status = value(admin, "SELECT pg_xact_status(transaction_id) FROM chat.audit_log WHERE action = 'outlives.rollback'")
            equal(status, "aborted", "the row tells what became of its transaction")
            caller.execute("SET statement_timeout = '300ms'")
            fails("57014", caller.execute, "SELECT chat_private.audit('outlives.timeout'), pg_sleep(10)")
            fails("22012", caller.execute, "SELECT chat_private.audit('outlives.error'), 1 / (pg_backend_pid() - pg_backend_pid())")
        caller = connect()
        caller.execute("BEGIN")
        caller.execute(WRITE, ("outlives.connection",))
        caller.close()
        equal(actions(admin, "outlives.%")[3:], ["outlives.timeout", "outlives.error", "outlives.connection"], "afterwards")
        is_whole(admin)


@test("what was sent before the caller was cancelled or terminated happens")
def _():
    with connect() as admin:
        for act in "pg_cancel_backend", "pg_terminate_backend":
            mark = f"{act}.{uuid.uuid4().hex[:8]}"
            callers = [connect() for _ in range(8)]
            with connect() as blocker:
                blocker.execute("BEGIN; LOCK TABLE chat.audit_log IN ACCESS EXCLUSIVE MODE")
                waiting = [Task(caller.execute, WRITE, (f"{mark}.sent",)) for caller in callers]
                time.sleep(0.5)
                for caller in callers:
                    value(admin, f"SELECT {act}(%s)", caller.info.backend_pid)
                for task in waiting:
                    try:
                        task.result()
                        raise AssertionError("it ended as if nothing had happened")
                    except psycopg.OperationalError as error:
                        # A terminated connection may be gone before its error is read.
                        assert error.sqlstate in ("57014" if act == "pg_cancel_backend" else "57P01", None), error
                blocker.execute("ROLLBACK")
            wait_until(lambda: len(actions(admin, f"{mark}.sent")) == 8, f"all were written, {act}")
            for caller in callers:
                caller.close()


@test("16 sessions, half of which roll back, leave a chain without gaps")
def _():
    def write(number):
        with connect() as caller:
            for turn in range(20):
                caller.execute("BEGIN")
                caller.execute(WRITE, (f"many.{number}.{turn}",))
                caller.execute("ROLLBACK" if number % 2 else "COMMIT")

    tasks = [Task(write, number) for number in range(16)]
    for task in tasks:
        task.result()
    with connect() as admin:
        equal(len(set(actions(admin, "many.%"))), 320, "rows")
        equal(value(admin, "SELECT max(id) - min(id) + 1 = count(*) FROM chat.audit_log"), True, "no gaps")
        is_whole(admin)


@test("one that fails takes none of the others with it")
def _():
    def write(number):
        with connect() as caller:
            for turn in range(10):
                if number % 4 == 0:
                    fails("XX000", caller.execute, "SELECT chat_private.audit('x', outcome => 'no such')", hint=True)
                else:
                    caller.execute(WRITE, (f"mixed.{number}.{turn}",))

    tasks = [Task(write, number) for number in range(16)]
    for task in tasks:
        task.result()
    with connect() as admin:
        equal(len(actions(admin, "mixed.%")), 120, "rows")
        is_whole(admin)


@test("a lock on the log holds up neither the engine's other work nor, for long, the caller")
def _():
    with connect() as blocker, connect() as admin:
        value(admin, "SELECT chat.admin_register_provider('audit-echo', 'echo')")
        value(admin, "SELECT chat.admin_register_model('audit-echo', 'audit-echo')")
        blocker.execute("BEGIN; LOCK TABLE chat.audit_log IN ACCESS EXCLUSIVE MODE")
        with connect() as one, connect() as two:
            first = Task(one.execute, WRITE, ("locked.first",))
            slowest = 0.0
            for _ in range(10):
                began = time.monotonic()
                equal(value(two, "SELECT chat.llm_complete('hello', 'audit-echo')") != "", True, "an answer")
                slowest = max(slowest, time.monotonic() - began)
            diag(f"slowest call beside the lock: {slowest * 1000:.0f} ms")
            assert slowest < 1, slowest
            blocker.execute("ROLLBACK")
            first.result()
            blocker.execute("BEGIN; LOCK TABLE chat.audit_log IN ACCESS EXCLUSIVE MODE")
            fails("57P03", one.execute, WRITE, ("locked.second",), hint=True)
            blocker.execute("ROLLBACK")
        equal(actions(admin, "locked.%"), ["locked.first"], "rows")
        is_whole(admin)


@test("neither a transaction that does not end nor one session's many rows slow down the others")
def _():
    def median_ms(connection):
        taken = []
        for _ in range(15):
            began = time.monotonic()
            value(connection, WRITE, "slow.alone")
            taken.append((time.monotonic() - began) * 1000)
        return sorted(taken)[7]

    tell = "SELECT count(chat_private.tell_ledger('audit', '{\"action\": \"slow.many\", \"outcome\": \"success\", \"details\": {}}'))" \
           " FROM generate_series(1, %s)"
    with connect() as old, connect() as writer, connect() as one:
        before = median_ms(one)
        old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        value(writer, tell, 6000)
        value(writer, WRITE, "slow.end")
        after = median_ms(one)
        many = Task(value, writer, tell, 6000)
        beside = median_ms(one)
        many.result()
        value(writer, WRITE, "slow.end")
        old.execute("ROLLBACK")
        diag(f"a row: {before:.1f} ms, {after:.1f} ms in the face of 6000 old ones, {beside:.1f} ms beside a session that writes many")
        assert after < 10 * max(before, 1), (before, after)
        assert beside < 250, beside
        equal(len(actions(one, "slow.many")), 12000, "rows")
        is_whole(one)


@test("removing an account erases where its rows came from, and a removal that is rolled back does not")
def _():
    from_there = "SELECT count(*) FROM chat.audit_log WHERE user_id = %s AND ip_address = '203.0.113.9'"
    thief = Person("thief")
    with connect() as admin:
        value(admin, "SELECT chat.login(%s, %s, ip_address => '203.0.113.9')", f"{thief.name}@example.com", PASSWORD)
        for end in "ROLLBACK", "COMMIT":
            thief.connection.execute("BEGIN")
            thief.value("SELECT chat.delete_my_account(%s)", PASSWORD)
            thief.connection.execute(end)
            value(admin, "SELECT chat_private.tidy(1000)")
            equal(value(admin, from_there, thief.id), 1 if end == "ROLLBACK" else 0, f"rows from there after {end}")
        is_whole(admin)


@test("clients and operators read their rows and change none")
def _():
    person, other = Person("audited"), Person("other")
    with connect() as admin, service() as operator:
        seen = person.rows("SELECT DISTINCT user_id::text, action FROM chat.audit_log")
        assert seen and all(user_id == str(person.id) for user_id, _ in seen), seen
        assert value(operator, "SELECT count(DISTINCT user_id) FROM chat.audit_log") >= 2
        for connection in person.connection, operator:
            for statement in (
                    "UPDATE chat.audit_log SET action = 'x'", "DELETE FROM chat.audit_log", "TRUNCATE chat.audit_log",
                    "INSERT INTO chat.audit_log SELECT * FROM chat.audit_log", "ALTER TABLE chat.audit_log DISABLE ROW LEVEL SECURITY",
                    "SELECT chat_private.audit('forged')", "SELECT chat_private.ask_ledger('audit', '{}')",
                    "UPDATE chat_private.audit_head SET last_id = 0"):
                fails("42501", connection.execute, statement)
        fails("42501", person.value, "SELECT chat.verify_audit_log()")
        fails("42501", person.value, "SELECT chat.admin_list_audit_log()")
        equal(value(operator, "SELECT count(*) FROM chat.admin_list_audit_log(%s)", other.id) > 0, True, "operators list")
        is_whole(admin)


@test("without an engine nothing is audited, and what needs it does not happen; it comes back by itself")
def _():
    with private("audit-engine", log_min_messages="fatal"), connect() as admin:
        with connect() as caller:
            caller.execute(WRITE, ("engine.before",))
        pid, _ = wait_for_engine()
        # Ended while 8 sessions write: each gets its row or the error.
        written, refused = [], []

        def write(number):
            with connect() as caller:
                for turn in range(200):
                    try:
                        caller.execute(WRITE, (f"engine.{number}.{turn}",))
                        written.append((number, turn))
                    except psycopg.Error as error:
                        equal(error.sqlstate, "57P03", "the error")
                        refused.append((number, turn))

        tasks = [Task(write, number) for number in range(8)]
        time.sleep(0.3)
        value(admin, "SELECT pg_terminate_backend(%s)", pid)
        for task in tasks:
            task.result()
        diag(f"{len(written)} rows written, {len(refused)} refused while the engine was replaced")
        stored = set(actions(admin, "engine.%"))
        equal([one for one in written if "engine.%d.%d" % one not in stored], [], "what was confirmed is there")
        is_whole(admin)


@test("a crash of the engine, and of the server with it, leaves what was confirmed, and a whole chain")
def _():
    with private("audit-crash", log_min_messages="fatal"):
        pid, _ = wait_for_engine()
        written = []

        def write(number):
            try:
                with connect() as caller:
                    for turn in range(10000):
                        caller.execute(WRITE, (f"crash.{number}.{turn}",))
                        written.append(f"crash.{number}.{turn}")
            except psycopg.OperationalError:
                pass

        tasks = [Task(write, number) for number in range(8)]
        wait_until(lambda: len(written) > 200, "rows are being written")
        os.kill(pid, signal.SIGKILL)
        for task in tasks:
            task.result()
        wait_until(running_pid, "an engine again", 30)
        with connect() as admin:
            stored = set(actions(admin, "crash.%"))
            diag(f"{len(written)} confirmed, {len(stored)} stored")
            equal([one for one in written if one not in stored], [], "what was confirmed is there")
            is_whole(admin)
            admin.execute(WRITE, ("crash.after",))
            is_whole(admin)


@test("the chain verifies after dump and restore, also in another time zone and style")
def _():
    with connect() as admin:
        admin.execute("SELECT chat_private.audit('dump.row', 'x', '{\"number\": 1.10, \"text\": \"Grüße\", \"when\": null}', ip_address => '2001:db8::1/64',"
                      " user_agent => 'ünïcode')")
        admin.execute("CREATE DATABASE audit_restored")
        try:
            dump = subprocess.run(["pg_dump", os.environ["PGDATABASE"]], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout
            subprocess.run(["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", "audit_restored"], input=dump, check=True,
                           stdout=subprocess.DEVNULL)
            with connect(dbname="audit_restored") as restored:
                restored.execute("SET TimeZone = 'Asia/Kathmandu'; SET DateStyle = 'German'; SET extra_float_digits = 0; SET bytea_output = 'escape';"
                                 " SET IntervalStyle = 'sql_standard'; SET lc_numeric = 'C'")
                is_whole(restored)
                wait_until(lambda: value(restored, "SELECT state FROM chat.engine_status()") == "running", "an engine there")
                restored.execute(WRITE, ("dump.after",))
                is_whole(restored)
        finally:
            admin.execute("DROP DATABASE audit_restored WITH (FORCE)")


@test("in the transaction that creates the extension, accounts can be made and used before there is an engine")
def _():
    with connect() as admin:
        admin.execute("CREATE DATABASE audit_new")
        try:
            with connect(dbname="audit_new") as owner:
                owner.execute("BEGIN; CREATE EXTENSION pgchat; SET LOCAL pgchat.bcrypt_cost = 4")
                owner.execute("SELECT chat.register('ann@example.com', 'correct-horse-9')")
                equal(value(owner, "SELECT session_token IS NOT NULL FROM chat.login('ann@example.com', 'correct-horse-9')"), True, "a login")
                is_whole(owner)
                owner.execute("COMMIT")
                value(owner, "SELECT session_token FROM chat.login('ann@example.com', 'correct-horse-9')")
                is_whole(owner)
                assert "account.register" in actions(owner, "%"), "what was noted before there was an engine stays"
        finally:
            admin.execute("DROP DATABASE audit_new WITH (FORCE)")


@test("the engine lets go of old rows by itself, and the rest still verifies")
def _():
    with private("audit-retention"), connect() as admin:
        for number in range(3):
            admin.execute(WRITE, (f"old.{number}",))
        admin.execute("INSERT INTO chat.settings VALUES ('audit_retention', '\"1 second\"')")
        time.sleep(1.2)
        admin.execute(WRITE, ("new",))
        pid, _ = wait_for_engine()
        # It looks once a minute, and when it starts.
        value(admin, "SELECT pg_terminate_backend(%s)", pid)
        wait_for_engine(other_than=pid)
        wait_until(lambda: not actions(admin, "old.%"), "old rows are gone")
        equal(rows(admin, "SELECT * FROM chat.verify_audit_log()")[0][:2], (None, None), "the chain")


run()
