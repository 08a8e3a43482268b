#!/usr/bin/python3
"""Whatever kills the engine or the server, every reply becomes final, no request is paid twice, and no text saved before is lost."""

import contextlib
import time

from support import mock
from support.cluster import control, start
from support.database import Person, connect, engine, rows, value
from support.databases import (cluster, database, kill_engine, open_replies, outcomes, wait_for_engine, wait_for_status,
                               wait_until_final)
from support.tap import diag, equal, run, skip_all, test, wait_until

COUNT = 200
RATE = 10
# A checkpoint a second, its transaction written by the WAL writer within 0.6 s more, and what this busy machine adds.
MOST_LOST_SECONDS = 2.5


def stop_immediately():
    """pg_ctl stop -m immediate, and a start."""
    control("stop", FOLDER, "immediate")
    start(FOLDER)
    wait_for_engine()


def counts(mark):
    """How often the provider got each request whose text has the mark."""
    found = mock.stats()["by_key"]
    return {key: count for key, count in found.items() if key.startswith(mark)}


def crash_with_streams(name, crash):
    mark = f"key:{name}-"
    mock.reset()
    with database(name):
        wait_for_engine()
        # Each token says when it was sent.
        replies = open_replies(Person(), COUNT, f"tokens=300&rate={RATE}&stamp=1", mark)
        wait_until(lambda: min(length for _, _, length in outcomes(replies)) > 15 * len("10:1700000000000000000 "),
                   "the text of 1.5 s of every reply is saved", 60, 0.1)
        crashed_at = time.time()
        crash()
        diag(f"crash to running again: {time.time() - crashed_at:.3f} s")
        wait_until_final(replies)
        equal(set(row[:2] for row in outcomes(replies)), {("incomplete", "outcome_unknown")})
        got = counts(mark)
        equal((len(got), set(got.values())), (COUNT, {1}), "requests the provider got")
        with connect() as admin:
            contents = rows(admin, "SELECT content FROM chat.messages WHERE id = ANY (%s)", replies)
            equal(value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE state IN ('queued', 'running')"), 0, "requests left open")
            equal(value(admin, "SELECT count(*) FROM chat.usage_events"), COUNT, "usage events")
        tokens = [content.split() for content, in contents]
        assert all([token.split(":")[0] for token in text] == [str(n) for n in range(len(text))] for text in tokens), "a text has a hole"
        lost = [crashed_at - int(text[-1].split(":")[1]) / 1e9 for text in tokens]
        diag(f"kept {min(map(len, tokens))} to {max(map(len, tokens))} tokens; the last one kept was sent {min(lost):.2f} to {max(lost):.2f} s"
             " before the crash")
        assert max(lost) <= MOST_LOST_SECONDS, "text that was saved is lost"


def crash_with_queue(name, crash):
    mark = f"key:{name}-"
    mock.reset()
    with database(name):
        wait_for_engine()
        person = Person()
        # These fill the engine (pgchat.max_calls), so that the others stay in the queue.
        with connect() as admin:
            admin.execute("ALTER SYSTEM SET pgchat.max_calls = 3")
            value(admin, "SELECT pg_reload_conf()")
        try:
            blocking = open_replies(person, 3, "hang=body&tokens=3", f"key:blocking-{name}-")
            wait_for_status("streaming", 3)
            replies = open_replies(person, COUNT, "text=sent", mark)
            equal(engine()["queue_depth"], COUNT, "requests in the queue")
            equal(counts(mark), {})
            began = time.monotonic()
            crash()
        finally:
            with connect() as admin:
                admin.execute("ALTER SYSTEM RESET pgchat.max_calls")
                value(admin, "SELECT pg_reload_conf()")
        wait_until_final(replies + blocking)
        diag(f"crash to all {COUNT} answered: {time.monotonic() - began:.3f} s")
        equal(set(outcomes(replies)), {("complete", None, 4)})
        equal(set(row[1] for row in outcomes(blocking)), {"outcome_unknown"})
        got = counts(mark)
        equal((len(got), set(got.values())), (COUNT, {1}), "requests the provider got")


@test("kill -9 of the engine with 200 streams open")
def _():
    crash_with_streams("killed_streams", kill_engine)


@test("kill -9 of the engine with 200 requests queued: all are sent afterwards, each once")
def _():
    crash_with_queue("killed_queue", kill_engine)


@test("pg_ctl stop -m immediate with 200 streams open")
def _():
    crash_with_streams("stopped_streams", stop_immediately)


@test("pg_ctl stop -m immediate with 200 requests queued: all are sent afterwards, each once")
def _():
    crash_with_queue("stopped_queue", stop_immediately)


if not mock.PORT:
    skip_all("no mock provider")
stack = contextlib.ExitStack()
FOLDER = stack.enter_context(cluster("crash"))
run(stack.close)
