#!/usr/bin/python3
"""Neither the engine nor a session grows with what it has done: calls, failures, durable requests, readers, connections."""

import contextlib
import os
import time


from support import mock
from support.database import Person, connect, engine, role, service, value
from support.databases import cluster, database, open_replies, wait_for_engine, wait_until_final
from support.process import rss_kib
from support.tap import diag, equal, run, skip_all, test, wait_until

# What a first use adds (code paths, pools, plans) is over by the tenth part of each test.
MOST_GROWTH = 0.05
TAIL = "SELECT count(*) FROM chat.usage_events WHERE seq > chat_private.usage_watermark()"


def descriptors(pid):
    """How many descriptors the process has, without those of tables and logs: PostgreSQL keeps files open on purpose, up to a
    limit, and opens more of them as time goes by."""
    count = 0
    for descriptor in os.scandir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            link = os.readlink(descriptor.path)
            count += not link.startswith("/") or link.startswith("/dev/shm/")
    return count


def segments(pid):
    """How many dynamic shared memory segments the process has; one that nobody has is gone."""
    with open(f"/proc/{pid}/maps") as maps:
        return len({line.split()[5] for line in maps if "/dev/shm/PostgreSQL." in line})


def grew(what, before, pid, in_flight=0):
    """By how much the process has grown. What it has for a moment only, it gives back after a call; a leak stays."""
    after = rss_kib(pid)
    for _ in range(4):
        if after < before * (1 + MOST_GROWTH):
            break
        with operator() as caller:
            value(caller, "SELECT chat.llm_complete('x', %s)", mock.model("tokens=1"))
        settle(in_flight)
        after = min(after, rss_kib(pid))
    growth = (after - before) / before
    diag(f"{what}: {before} to {after} KiB, {growth:+.1%}")
    return growth


def steady(what, pids, step, first, last):
    """Runs step(n) to `first` repetitions and on to `last`: from there to there, no process may grow by 5%. A leak grows each
    time; what does not grow when the same is done once more was the most memory needed at once, on a machine with others on it."""
    in_flight = engine()["calls_in_flight"]
    step(first)
    with connect() as admin:
        wait_until(lambda: value(admin, TAIL) == 0, "usage is summed up, which takes the engine some memory, too", 60)
    settle(in_flight)
    for _ in range(2):
        before = {name: rss_kib(pid) for name, pid in pids.items()}
        began = time.monotonic()
        step(last - first)
        seconds = time.monotonic() - began
        settle(in_flight)
        growths = [grew(f"{name}, {what} {first:,} to {last:,}", before[name], pid, in_flight) for name, pid in pids.items()]
        diag(f"{(last - first) / seconds:,.0f} a second")
        if max(growths) < MOST_GROWTH:
            return
        first, last = last, 2 * last - first
    assert max(growths) < MOST_GROWTH, f"grew by {max(growths):.1%}, twice"


def settle(in_flight=0):
    """Waits until the engine has no calls but so many."""

    def is_idle():
        status = engine()
        return (status["calls_in_flight"], status["calls_waiting"], status["queue_depth"]) == (in_flight, 0, 0)

    wait_until(is_idle, "the engine is idle", 60)
    time.sleep(1.2)  # A second of quiet, and the engine gives back what it does not need.


def operator():
    """A session for many calls: the server would compile such a query, and LLVM alone takes tens of MB."""
    connection = service()
    connection.execute("SET jit = off")
    return connection


@test("a session's first 1,000 calls add at most 200 KiB to its memory")
def _():
    with operator() as caller:
        # The library's own pages, and what any session has after its first statement.
        value(caller, "SELECT count(chat.uuid_v7()) FROM generate_series(1, 10)")
        before = rss_kib(caller.info.backend_pid)
        value(caller, "SELECT count(chat.llm_complete('x', %s)) FROM generate_series(1, 1000)", mock.model("tokens=1"))
        added = rss_kib(caller.info.backend_pid) - before
    diag(f"added by 1,000 calls: {added} KiB")
    assert added <= 200, added


@test("100,000 immediate calls: engine and session are as large as after 10,000")
def _():
    with operator() as caller:
        name = mock.model("tokens=1")

        def calls(count):
            equal(value(caller, "SELECT count(chat.llm_complete('x', %s)) FROM generate_series(1, %s)", name, count), count)

        steady("calls", {"engine": engine()["pid"], "session": caller.info.backend_pid},
               lambda count: [calls(10000) for _ in range(count // 10000)], 10000, 100000)


@test("20,000 failing calls")
def _():
    with operator() as caller:
        caller.execute("""
            CREATE FUNCTION pg_temp.fail(model text, times int) RETURNS int LANGUAGE plpgsql AS $$
            DECLARE
              failed int := 0;
            BEGIN
              FOR n IN 1 .. times LOOP
                BEGIN
                  PERFORM chat.llm_complete('x', model);
                EXCEPTION WHEN SQLSTATE 'PC103' THEN
                  failed := failed + 1;
                END;
              END LOOP;
              RETURN failed;
            END $$""")
        name = mock.model("status=400")

        def fail(count):
            for _ in range(count // 2000):
                equal(value(caller, "SELECT pg_temp.fail(%s, 2000)", name), 2000)

        steady("failures", {"engine": engine()["pid"], "session": caller.info.backend_pid}, fail, 4000, 20000)


@test("10,000 durable requests")
def _():
    with operator() as caller:
        name = mock.model("tokens=1")

        def submit(count):
            for _ in range(count // 1000):
                value(caller, "SELECT count(chat.llm_submit('x', %s)) FROM generate_series(1, 1000)", name)
                # How many are under way at once must not differ, or the most memory ever needed would.
                settle()

        steady("requests", {"engine": engine()["pid"], "session": caller.info.backend_pid}, submit, 4000, 14000)
        with connect() as admin:
            wait_until(lambda: value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE state <> 'complete'") == 0,
                       "all requests are complete")


@test("5,000 readers that come and go, and 5,000 that read to the end")
def _():
    person = Person()
    person.connection.execute("SET jit = off")
    live, = open_replies(person, 1, "tokens=100000&rate=5")
    ended, = open_replies(person, 1, "tokens=20")
    wait_until_final([ended])
    # In the select list, a reader is left after its first row.
    reading = "SELECT count(*) FROM generate_series(1, %s) n, LATERAL (SELECT chat.{call} OFFSET 0 LIMIT 1) s"

    def read(count):
        for _ in range(count // 500):
            person.value(reading.format(call="read_stream(%s, n %% 2)"), 500, live)
            person.value(reading.format(call="stream_message(%s, n %% 2)"), 500, live)
            person.value(reading.format(call="stream_message(%s, n %% 2)"), 500, ended)

    try:
        steady("readers", {"engine": engine()["pid"], "session": person.connection.info.backend_pid}, read, 1000, 5000)
        wait_until(lambda: engine()["readers"] == 0, "no reader is left")
    finally:
        person.value("SELECT chat.cancel_message(%s)", live)
        wait_until_final([live])


@test("2,000 connections that come and go leave no memory, segment or descriptor")
def _():
    name, login_role = mock.model("tokens=1"), role("pgchat_service")

    def connections(count):
        for _ in range(count):
            with connect(user=login_role) as caller:
                value(caller, "SELECT chat.llm_complete('x', %s)", name)

    pid = engine()["pid"]
    # What calls need of the engine, of which connections are to add nothing.
    with operator() as caller:
        value(caller, "SELECT count(chat.llm_complete('x', %s)) FROM generate_series(1, 10000)", name)
    connections(200)
    settle()
    before = descriptors(pid), segments(pid), rss_kib(pid)
    connections(1800)
    settle()
    wait_until(lambda: segments(pid) <= before[1], "the segments of ended sessions are gone")
    after = descriptors(pid), segments(pid)
    diag(f"(descriptors, segments) of the engine after 200 connections: {before[:2]}, after 2,000: {after}")
    assert after[0] <= before[0] + 2, "the engine's descriptors grow"
    assert grew("engine, connections 200 to 2,000", before[2], pid) < MOST_GROWTH


if not mock.PORT:
    skip_all("no mock provider")
stack = contextlib.ExitStack()
# What is kept of ended streams on purpose would hide what is kept by mistake.
stack.enter_context(cluster("leaks", "--set", "pgchat.stream_retention=0"))
stack.enter_context(database("leaks"))
wait_for_engine()
run(stack.close)
