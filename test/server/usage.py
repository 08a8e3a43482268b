#!/usr/bin/python3
# Usage as it is recorded: every attempt, sums that equal the events while calls are made, partitions, dump and restore.
import os
import subprocess
import time

from support import mock
from support.database import Person, connect, rows, service, value
from support.tap import Task, diag, equal, run, test, wait_until

admin = connect()
mock.model()
mock.register_model("mock-openai", "priced", provider_model="mock?tokens=3", input_price=0.7, output_price=1.3)
mock.set_default("priced")
alice = Person("alice")

SUMS = """
  SELECT (SELECT (count(*), sum(input_tokens), sum(output_tokens), sum(cost))::text FROM chat.usage_events),
         (SELECT (sum(attempts), sum(input_tokens), sum(output_tokens), sum(cost))::text FROM chat.usage_by_day),
         (SELECT count(*) FROM chat.usage_events WHERE seq > chat_private.usage_watermark())"""


@test("each attempt is an event of its own, with what it used and why it failed")
def attempts():
    answer = alice.value("SELECT chat.llm_complete_json('two words', %s)", mock.model("tokens=3&status=503&fail_times=2&key=usage-attempts"))
    wait_until(lambda: alice.value("SELECT count(*) FROM chat.usage_events") == 3, "three events")
    got = alice.rows("SELECT attempt, outcome, error_code, input_tokens, output_tokens, is_estimated, request_id::text FROM chat.usage_events ORDER BY attempt")
    equal([row[:6] for row in got], [(1, "error", "provider_failed", None, None, False), (2, "error", "provider_failed", None, None, False),
                                     (3, "complete", None, 2, 3, False)])
    equal({row[6] for row in got}, {answer["request_id"]})


@test("a call that is not sent is no event; one whose usage is not told is estimated")
def estimated():
    before = value(admin, "SELECT count(*) FROM chat.usage_events")
    request = alice.value("SELECT chat.llm_submit('x', 'priced', timeout_ms => 1)")
    wait_until(lambda: alice.value("SELECT chat.llm_result(%s) IS NOT NULL", request), "it has ended")
    alice.value("SELECT chat.llm_complete('some words', %s)", mock.model("tokens=3&usage=0"))
    wait_until(lambda: alice.value("SELECT count(*) FROM chat.usage_events WHERE model LIKE '%%usage=0'") == 1, "the call is recorded")
    equal(alice.rows("SELECT is_estimated, input_tokens, output_tokens FROM chat.usage_events WHERE model LIKE '%%usage=0'"), [(True, 4, 3)])
    diag(f"{value(admin, 'SELECT count(*) FROM chat.usage_events') - before} events")


@test("the sums equal the events at every moment, while calls are made and rolled up")
def sums():
    people = [Person(f"many-{i}") for i in range(4)]
    stop = time.monotonic() + 12

    def call(person):
        count = 0
        while time.monotonic() < stop:
            person.value("SELECT count(chat.llm_complete('word ' || i)) FROM generate_series(1, 10) i")
            count += 10
        return count

    tasks = [Task(call, person) for person in people]
    looks, tails = 0, set()
    while time.monotonic() < stop:
        by_event, by_sum, tail = admin.execute(SUMS).fetchone()
        equal(by_sum, by_event)
        looks += 1
        tails.add(tail)
    made = sum(task.result() for task in tasks)
    diag(f"{made} calls, {looks} looks, tails of {min(tails)} to {max(tails)} events")
    assert made > 100 and looks > 20 and len(tails) > 3, (made, looks, tails)
    wait_until(lambda: admin.execute(SUMS).fetchone()[2] == 0, "all is rolled up")
    by_event, by_sum, _ = admin.execute(SUMS).fetchone()
    equal(by_sum, by_event)


@test("an account that is removed meanwhile takes nothing out of the sums")
def removed():
    person = Person("leaves")
    for _ in range(5):
        person.value("SELECT chat.llm_complete('x')")
    wait_until(lambda: person.value("SELECT sum(attempts) FROM chat.usage_by_day") == 5, "five calls")
    for wait in 0, 7:
        time.sleep(wait)
        if wait:
            person.value("SELECT chat.delete_my_account('correct-horse-9')")
        by_event, by_sum, _ = admin.execute(SUMS).fetchone()
        equal(by_sum, by_event)
    equal(value(admin, "SELECT count(*) FROM chat.usage_rollups WHERE user_id = %s", person.id), 0)
    equal(value(admin, "SELECT count(*) FROM chat.usage_by_day WHERE user_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'"), 1)


@test("the engine keeps events in partitions of a month, made ahead, and waits for nobody's lock to make them")
def partitions():
    names = wait_until(lambda: [row[0] for row in rows(
        admin, "SELECT c.relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = 'chat.usage_events'::regclass"
        " AND relname ~ '_\\d{4}_\\d{2}$' ORDER BY 1")], "there are partitions")
    equal(len(names), 2, "this month's and the next's")
    equal(value(admin, "SELECT count(*) FROM chat_private.usage_events_default"), 0, "events that are in none")
    with connect() as holder, service() as operator:
        holder.execute("BEGIN")
        holder.execute("SELECT count(*) FROM chat.usage_events")
        begin = time.monotonic()
        admin.execute("SET lock_timeout = '20ms'")
        try:
            admin.execute("SELECT chat_private.add_usage_partition('2021-03-01')")
            raise AssertionError("made in spite of a reader")
        except Exception as error:
            equal(getattr(error, "sqlstate", None), "55P03", str(error))
        finally:
            admin.execute("RESET lock_timeout")
        assert time.monotonic() - begin < 1
        events = "SELECT count(*) FROM chat.usage_events"
        recorded = value(admin, events)
        value(operator, "SELECT chat.llm_complete('x')")
        wait_until(lambda: value(admin, events) == recorded + 1, "calls are recorded all the same")


@test("dump and restore keep every event, its partition and the sums")
def dumped():
    bindir = subprocess.run([os.environ.get("PG_CONFIG", "pg_config"), "--bindir"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    wait_until(lambda: admin.execute(SUMS).fetchone()[2] == 0, "all is rolled up")
    dump = subprocess.run([f"{bindir}/pg_dump", os.environ["PGDATABASE"]], check=True, stdout=subprocess.PIPE, timeout=100).stdout
    shape = "SELECT string_agg(tableoid::regclass || ':' || n, ' ' ORDER BY 1) FROM (SELECT tableoid, count(*) AS n FROM chat.usage_events GROUP BY 1) x"
    before = (value(admin, shape), admin.execute(SUMS).fetchone())
    with connect(dbname="postgres") as maker:
        maker.execute("DROP DATABASE IF EXISTS check_usage_restored WITH (FORCE)")
        maker.execute("CREATE DATABASE check_usage_restored")
        try:
            restored = subprocess.run([f"{bindir}/psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", "check_usage_restored"], input=dump,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=200)
            equal((restored.returncode, restored.stderr), (0, b""), "psql")
            with connect(dbname="check_usage_restored") as connection:
                equal((value(connection, shape), connection.execute(SUMS).fetchone()), before)
                value(connection, "SELECT chat.llm_complete('x')")
                wait_until(lambda: connection.execute(SUMS).fetchone()[0] != before[1][0], "the next event")
                by_event, by_sum, _ = connection.execute(SUMS).fetchone()
                equal(by_sum, by_event)
        finally:
            maker.execute("DROP DATABASE check_usage_restored WITH (FORCE)")
    diag(before[0])


@test("whoever reads while events move to a partition of their own sees all of them")
def _():
    person = Person("reader")
    with connect() as mover, connect() as reader:
        admin.execute("INSERT INTO chat.usage_events (user_id, outcome, created_at) SELECT %s, 'complete', '2020-05-05' FROM generate_series(1, 5)", (person.id,))
        mover.execute("BEGIN")
        mover.execute("SELECT chat_private.add_usage_partition('2020-05-01')")
        counted = Task(value, reader, "SELECT count(*) FROM chat.usage_events WHERE user_id = %s", person.id)
        wait_until(lambda: value(admin, "SELECT cardinality(pg_blocking_pids(%s)) > 0", reader.info.backend_pid), "the reader waits")
        mover.execute("COMMIT")
        equal(counted.result(), 5)


run()
