#!/usr/bin/python3
"""Somebody's lock or open transaction never stops the other streams, and the engine never stops vacuum."""

import time

from support import mock
from support.database import Person, connect, engine, events, fails, text_of, value
from support.databases import open_replies, outcomes, wait_for_status, wait_until_final
from support.tap import Task, diag, equal, run, skip_all, test, wait_until

# Between two tokens of a stream of 20 a second.
MOST_GAP = 0.75


def widest_gap(reader, reply):
    """Reads a stream of stamped tokens; gives (its text, the longest time between two deltas)."""
    read = list(events(reader, reply))
    times = [event[3] for event in read]
    return text_of(read), max(after - before for before, after in zip(times, times[1:]))


def stream_under(lock, seconds, ending=10):
    """Takes a lock while streams are read and others end, and lets it go by ROLLBACK after so many seconds."""
    person = Person()
    before = engine()
    long = open_replies(person, 5, f"tokens={int((seconds + 4) * 20)}&rate=20")
    wait_for_status("streaming", len(long))
    readers = [Task(widest_gap, person.connect(), reply) for reply in long]
    wait_until(lambda: engine()["readers"] == len(long), "the streams are read")
    short = open_replies(person, ending, "tokens=10&rate=10")
    with connect() as holder:
        holder.execute("BEGIN")
        lock(holder, short)
        began = time.monotonic()
        wait_until(lambda: time.monotonic() - began > seconds, "the lock is held long enough", seconds + 5, 0.1)
        holder.execute("ROLLBACK")
    wait_until_final(short + long)
    gaps = [reader.result() for reader in readers]
    diag(f"longest gap of each stream: {', '.join(f'{gap:.3f}' for _, gap in gaps)} s")
    after = engine()
    equal(after["pid"], before["pid"], "the engine's process")
    equal(set(row[:2] for row in outcomes(short + long)), {("complete", None)}, "replies once the lock is gone")
    assert min(row[2] for row in outcomes(short)) > 0, "a text is lost"
    assert max(gap for _, gap in gaps) < MOST_GAP, "streams were held up"


@test("LOCK TABLE chat.messages holds up no stream, and replies are recorded once it is gone")
def _():
    stream_under(lambda holder, _: holder.execute("LOCK TABLE chat.messages"), 8)


@test("LOCK TABLE chat.usage_events and the queue holds up no stream either")
def _():
    stream_under(lambda holder, _: holder.execute("LOCK TABLE chat.usage_events, chat_private.llm_requests"), 8)


@test("rows locked by somebody's open transaction are recorded once it ends")
def _():
    stream_under(lambda holder, short: holder.execute("SELECT FROM chat.messages WHERE id = ANY (%s) FOR UPDATE", (short,)), 3)


@test("DROP EXTENSION left open and rolled back: the engine goes on")
def _():
    stream_under(lambda holder, _: holder.execute("DROP EXTENSION pgchat CASCADE"), 8)
    with connect() as admin:
        equal(value(admin, "SELECT chat.llm_complete('x', %s)", mock.model("text=on")), "on")


@test("a reader that waits for a locked table can be stopped, and its session and transaction go on")
def _():
    person = Person()
    reply, = open_replies(person, 1, "text=read")
    wait_until_final([reply])
    with connect() as holder, person.connect() as reader:
        reader.execute("SET statement_timeout = 300")
        holder.execute("BEGIN")
        holder.execute("LOCK TABLE chat.messages")
        read = "SELECT (chat.stream_message(%s)).delta"
        fails("57014", value, reader, read, reply)
        equal(value(reader, "SELECT 1"), 1)
        reader.execute("BEGIN")
        reader.execute("SAVEPOINT s")
        fails("57014", value, reader, read, reply)
        reader.execute("ROLLBACK TO s")
        holder.execute("ROLLBACK")
        equal(value(reader, read, reply), "read")
        equal(value(reader, "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'chat.messages'::regclass"), 0,
              "locks kept on the table")
        reader.execute("COMMIT")


@test("no xmin is held while a model thinks: not by the engine, nor by a session in CALL chat.send_and_wait")
def _():
    person = Person()
    conversation = person.conversation(mock.model("latency_ms=2500&text=thought"))
    task = Task(person.value, "CALL chat.send_and_wait(%s, 'hello')", conversation)
    submitted = person.connect()
    value(submitted, "SELECT chat.llm_submit('hello', %s)", mock.model("latency_ms=2500"))
    wait_until(lambda: engine()["calls_in_flight"] == 2, "both calls are in flight")
    with connect() as admin:
        seen, held = 0, {}
        waiting = person.connection.info.backend_pid
        while engine(admin)["calls_in_flight"] == 2:
            found = admin.execute(
                "SELECT pid, backend_xmin, backend_xid FROM pg_stat_activity WHERE pid IN (%s, (chat.engine_status()).pid)",
                (waiting,)).fetchall()
            if engine(admin)["calls_in_flight"] < 2:
                break
            equal(len(found), 2, "the session and the engine")
            for pid, *held_now in found:
                if held_now == [None, None]:
                    continue
                # The engine has work of its own, in transactions of milliseconds: what it holds, it does not hold for long.
                assert pid != waiting, f"the session holds {held_now}"
                since = held.setdefault(tuple(held_now), time.monotonic())
                assert time.monotonic() - since < 1, f"the engine holds {held_now}"
            seen += 1
            time.sleep(0.02)
    diag(f"looked {seen} times in the 2.5 s that the model thought")
    assert seen >= 10, seen
    equal(task.result(), "thought")


@test("vacuum removes rows that died while a durable request waits")
def _():
    person = Person()
    request = person.value("SELECT chat.llm_submit('hello', %s)", mock.model("latency_ms=60000"))
    wait_until(lambda: engine()["calls_in_flight"] == 1, "the call is in flight")
    with connect() as admin:
        admin.execute("CREATE TABLE public.dying AS SELECT generate_series(1, 1000) AS n")
        admin.execute("DELETE FROM public.dying")
        admin.execute("VACUUM public.dying")
        equal(engine(admin)["calls_in_flight"], 1, "calls still in flight")
        equal(value(admin, "SELECT pg_relation_size('public.dying')"), 0, "bytes of the table after vacuum")
        admin.execute("DROP TABLE public.dying")
    assert person.value("SELECT chat.llm_cancel(%s)", request)
    wait_until(lambda: engine()["calls_in_flight"] == 0, "the call is over")


if not mock.PORT:
    skip_all("no mock provider")
run()
