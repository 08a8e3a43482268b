"""Databases that come and go, and their engines, in a private cluster of one test."""

import contextlib
import os
import signal
import time

import psycopg

from support import mock
from support.cluster import ROOT, control, start
from support.database import connect, engine, rows, service, value
from support.tap import diag, wait_until

# What a reply may still become.
OPEN = ("pending", "streaming")


@contextlib.contextmanager
def cluster(name, *options):
    """A running, empty cluster, to which PGHOST and the like point meanwhile; options are those of cluster.sh create."""
    folder = ROOT / "build" / f"check-{name}"
    before = dict(os.environ)
    control("remove", folder)
    try:
        control("create", folder, "--set", "pgchat.bcrypt_cost=4", "--set", "fsync=off", *options)
        start(folder)
        for line in control("env", folder).removeprefix("export ").split():
            key, _, wanted = line.partition("=")
            os.environ[key] = wanted
        yield folder
    finally:
        control("remove", folder)
        os.environ.clear()
        os.environ.update(before)


def use(name):
    """Has connections and the mock's models go to the database of that name."""
    os.environ["PGDATABASE"] = name
    mock._registered.clear()


@contextlib.contextmanager
def database(name, extension=True):
    """A new database, in use meanwhile; dropped afterwards where it is still there."""
    with connect(dbname="postgres") as admin:
        admin.execute(f"CREATE DATABASE {name}")
    use(name)
    try:
        if extension:
            with connect() as admin:
                admin.execute("CREATE EXTENSION pgchat")
        yield name
    finally:
        use("postgres")
        with connect(dbname="postgres") as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def engine_pid(name):
    """The process of a database's engine, or None."""
    with connect(dbname="postgres") as admin:
        return value(admin, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'pgchat engine' AND datname = %s", name)


def running_pid():
    """The process of this database's engine once it serves, or None; also while the server is not up."""
    try:
        with connect() as admin:
            status = engine(admin)
    except psycopg.OperationalError:
        return None
    return status["pid"] if status["state"] == "running" else None


def wait_for_engine(other_than=None, seconds=60.0):
    """Waits for this database's engine, but not for the process given; gives its process and the seconds it took."""
    began = time.monotonic()
    try:
        pid = wait_until(lambda: (found := running_pid()) != other_than and found, "an engine that serves", seconds)
    except AssertionError:
        with contextlib.suppress(psycopg.Error), connect() as admin:
            diag(engine(admin))
            for row in rows(admin, "SELECT pid, backend_type, datname, state, wait_event_type, wait_event, backend_start, query FROM pg_stat_activity"):
                diag(row)
        raise
    return pid, time.monotonic() - began


def wait_for_server(seconds=30.0):
    """Waits until the server takes connections again after a crash."""

    def is_up():
        with contextlib.suppress(psycopg.Error), connect() as admin:
            return value(admin, "SELECT true")

    wait_until(is_up, "the server takes connections", seconds)


def crash_server(pid):
    """kill -9 of a process of the server, which takes it down to recover; waits until it takes connections again."""
    witness = connect()

    def is_down():
        try:
            value(witness, "SELECT true")
        except psycopg.OperationalError:
            return True
        return False

    try:
        os.kill(pid, signal.SIGKILL)
        # A connection that is made before the postmaster has noticed is taken down with the others.
        wait_until(is_down, "the server has noticed", 30)
    finally:
        witness.close()
    wait_for_server()


def kill_engine():
    """crash_server with this database's engine; waits for the next one, and gives the old one's pid."""
    pid = engine()["pid"]
    crash_server(pid)
    wait_for_engine(other_than=pid)
    return pid


def complete(scenario="", **options):
    """The reply of an immediate call of the mock, on a connection of its own."""
    with service() as operator:
        return value(operator, "SELECT chat.llm_complete('hello', %s)", mock.model(scenario, **options))


def open_replies(person, count, scenario, mark="key:"):
    """Sends a message in each of so many new conversations; gives the replies' ids. Their texts are the mark and a number."""
    found = person.rows(
        "SELECT s.assistant_message_id FROM (SELECT n, chat.create_conversation(n::text, %s) AS id FROM generate_series(1, %s) n"
        " OFFSET 0) c, LATERAL chat.send_message(c.id, %s || c.n) s", mock.model(scenario), count, mark)
    return [reply for reply, in found]


def statuses():
    """How many replies have each status, over all users."""
    with connect() as admin:
        return dict(rows(admin, "SELECT status, count(*) FROM chat.messages WHERE role = 'assistant' GROUP BY status"))


def wait_for_status(status, count, seconds=20.0):
    wait_until(lambda: statuses().get(status, 0) >= count, f"{count} replies are {status}", seconds, 0.05)


def wait_until_final(replies, seconds=30.0):
    """Waits until none of the replies is in progress."""

    def is_final():
        open_now = sum(status in OPEN for status, _, _ in outcomes(replies))
        return open_now == 0

    wait_until(is_final, f"all {len(replies)} replies are final", seconds, 0.05)


def outcomes(replies):
    """(status, error code, length of the text) of each of the replies."""
    with connect() as admin:
        return rows(admin, "SELECT status, error ->> 'code', char_length(content) FROM chat.messages WHERE id = ANY (%s)", replies)
