#!/usr/bin/python3
# Who waits for a model can stop waiting at any moment: by cancel, statement_timeout, termination or by going away.
import contextlib
import os
import socket
import time

import psycopg

from support import cluster, mock
from support.database import EVENTS, Person, connect, engine, events, fails, read_new, rows, text_of, value
from support.tap import Task, diag, equal, run, skip_all, test, wait_until

SLOW_DNS = cluster.ROOT / "build/servers/slow_dns.so"
if not SLOW_DNS.exists():
    skip_all(f"{SLOW_DNS.name} is not built")
MOST_SECONDS = 1.0
WAYS = ("cancel", "statement_timeout", "terminate", "disconnect")


def silent_listener(backlog):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(backlog)
    return listener


# A listener whose queue is full answers no further connection; one with room accepts, and then says nothing.
blackhole, mute = silent_listener(0), silent_listener(100)
fillers = [socket.socket() for _ in range(4)]
for filler in fillers:
    filler.setblocking(False)
    filler.connect_ex(blackhole.getsockname())
PHASES = {"dns": "https://name.slow.test/v1", "connect": f"http://127.0.0.1:{blackhole.getsockname()[1]}/v1",
          "tls": f"https://127.0.0.1:{mute.getsockname()[1]}/v1"}
TIMEOUT_MS = 400


def models():
    """The model of each phase, by its name."""
    for phase, url in PHASES.items():
        mock.register_provider(phase, url)
        mock.register_model(phase, phase)
    return {**{phase: phase for phase in PHASES}, "headers": mock.model("hang=head"), "body": mock.model("hang=body")}


class Waiter:
    """A session in which a statement waits, and what ends it."""

    def __init__(self, person, query, *arguments, way):
        self.connection = person.connect()
        self.pid = self.connection.info.backend_pid
        self.way = way
        if way == "statement_timeout":
            self.connection.execute(f"SET statement_timeout = {TIMEOUT_MS}")
        self.began = time.monotonic()
        if way == "disconnect":
            # Sent without libpq's own thread, so that the socket can be closed under the statement.
            self.connection.pgconn.send_query(psycopg.ClientCursor(self.connection).mogrify(query, arguments).encode())
            self.connection.pgconn.flush()
        else:
            self.task = Task(rows, self.connection, query, *arguments)

    def is_gone(self):
        return value(admin, "SELECT count(*) FROM pg_stat_activity WHERE pid = %s", self.pid) == 0

    def end(self):
        """Ends the wait; gives the seconds that took."""
        begin = time.monotonic()
        if self.way == "statement_timeout":
            begin = self.began + TIMEOUT_MS / 1000
        if self.way == "cancel":
            equal(value(admin, "SELECT pg_cancel_backend(%s)", self.pid), True)
        if self.way == "terminate":
            equal(value(admin, "SELECT pg_terminate_backend(%s)", self.pid), True)
        if self.way == "disconnect":
            with socket.socket(fileno=os.dup(self.connection.fileno())) as client:
                client.shutdown(socket.SHUT_RDWR)
            wait_until(self.is_gone, "the backend has noticed that its client went away", 15, 0.002)
        else:
            # libpq gives no SQLSTATE where the server closes the connection.
            fails(None if self.way == "terminate" else "57014", self.task.result, 15)
        return time.monotonic() - begin

    def check_session(self):
        if self.way in ("cancel", "statement_timeout"):
            self.connection.execute("SET statement_timeout = '60s'")
            equal(value(self.connection, "SELECT 1"), 1, "the session goes on")
        self.connection.close()


def in_flight():
    return engine(admin)["calls_in_flight"]


def immediate(phase, model, query):
    """Ends one call in each way; gives the seconds until the session, the engine, and the provider were free of it."""
    taken = {}
    for way in WAYS:
        mock.reset()
        waiter = Waiter(alice, query, model, way=way)
        wait_until(lambda: in_flight() == 1, f"{phase}: the call is under way", 10, 0.002)
        if phase in ("headers", "body"):
            wait_until(lambda: mock.stats()["in_flight"] == 1, f"{phase}: the mock has the request", 10, 0.002)
        if way != "statement_timeout":
            # Past the point where a phase would end by itself, were it not what it is meant to be.
            time.sleep(0.15)
        equal(in_flight(), 1, f"{phase}, {way}: calls in flight before")
        session = waiter.end()
        begin = time.monotonic()
        wait_until(lambda: in_flight() == 0, f"{phase}, {way}: the engine has let go", 15, 0.002)
        if phase in ("headers", "body"):
            wait_until(lambda: mock.stats()["in_flight"] == 0, f"{phase}, {way}: the HTTP request is aborted", 15, 0.002)
            equal(mock.stats()["aborted_by_client"], 1, f"{phase}, {way}: requests aborted")
        taken[way] = (session, time.monotonic() - begin)
        waiter.check_session()
    diag(f"{phase:8}" + ", ".join(f"{way} {s * 1000:.0f}+{e * 1000:.0f} ms" for way, (s, e) in taken.items()))
    return max(s + e for s, e in taken.values())


def check_all_phases(query):
    diag("ms until the session was free, and then the engine (and the HTTP request aborted)")
    slowest = {phase: immediate(phase, model, query) for phase, model in MODELS.items()}
    too_slow = {phase: f"{seconds:.2f} s" for phase, seconds in slowest.items() if seconds >= MOST_SECONDS}
    assert not too_slow, f"took {MOST_SECONDS} s or more: {too_slow}"


@test("llm_complete ends in under 1 s in every phase, and its HTTP request is aborted")
def complete():
    check_all_phases("SELECT chat.llm_complete('x', %s)")


@test("llm_stream ends in under 1 s in every phase, and its HTTP request is aborted")
def stream():
    check_all_phases("SELECT chat.llm_stream('x', %s)")


@test("ask ends in under 1 s in every phase, its HTTP request is aborted, and it stores nothing")
def ask():
    stored = value(admin, "SELECT count(*) FROM chat.messages")
    check_all_phases("SELECT chat.ask(chat.create_conversation(model => %s), 'x')")
    equal(value(admin, "SELECT count(*) FROM chat.messages"), stored)


def durable(query, make):
    """Ends who waits for a durable reply, in each way; the reply must go on to its end."""
    taken = {}
    for way in WAYS:
        wait_until(lambda: in_flight() == 0, "nothing is under way", 10)
        mock.reset()
        arguments, reply_of = make()
        waiter = Waiter(alice, query, *arguments, way=way)
        wait_until(lambda: mock.stats()["in_flight"] == 1, "the mock has the request", 10, 0.002)
        if way != "statement_timeout":
            time.sleep(0.15)
        taken[way] = waiter.end()
        equal((in_flight(), mock.stats()["in_flight"], mock.stats()["aborted_by_client"]), (1, 1, 0), f"{way}: the call goes on")
        waiter.check_session()
        wait_until(lambda: engine(admin)["readers"] == 0, f"{way}: the reader is gone")
        done = wait_until(lambda: (lambda m: m if m["status"] not in ("pending", "streaming") else None)(reply_of()), "the reply has ended")
        equal((done["status"], done["content"]), ("complete", " ".join(f"w{i}" for i in range(20))), way)
    diag(", ".join(f"{way} {seconds * 1000:.0f} ms" for way, seconds in taken.items()))
    assert max(taken.values()) < MOST_SECONDS, taken


def last_message(conversation):
    found = rows(admin, "SELECT id FROM chat.messages WHERE conversation_id = %s AND role = 'assistant'", conversation)
    return alice.message(found[0][0]) if found else {"status": "pending"}


@test("durable replies: who reads stream_message ends alone, and the reply goes on")
def reader():
    def make():
        reply = alice.reply_to("x", mock.model("tokens=20&rate=10"))
        return (reply,), lambda: alice.message(reply)

    durable("SELECT chat.stream_message(%s)", make)


@test("durable replies: who waits in send_and_wait ends alone, and the reply goes on")
def send_and_wait():
    def make():
        conversation = alice.conversation(mock.model("tokens=20&rate=10"))
        return (conversation,), lambda: last_message(conversation)

    durable("CALL chat.send_and_wait(%s, 'x')", make)


@test("durable replies: who waits in llm_result or read_stream ends alone, and the reply goes on")
def result():
    def make():
        reply, request = alice.send(alice.conversation(mock.model("tokens=20&rate=10")), "x")[1:]
        return (request,), lambda: alice.message(reply)

    durable("SELECT chat.llm_result(%s, 30000)", make)


@test("durable replies are cancelled in every phase, too, by cancel_message, at once")
def cancel_message():
    for phase, model in MODELS.items():
        mock.reset()
        reply = alice.reply_to("x", model)
        wait_until(lambda: in_flight() == 1, f"{phase}: under way", 10, 0.002)
        time.sleep(0.1)
        begin = time.monotonic()
        equal(alice.value("SELECT chat.cancel_message(%s)", reply), True, phase)
        wait_until(lambda: alice.message(reply)["status"] == "cancelled" and in_flight() == 0, f"{phase}: cancelled", 15, 0.002)
        seconds = time.monotonic() - begin
        diag(f"{phase}: {seconds * 1000:.0f} ms")
        assert seconds < MOST_SECONDS, f"{phase}: {seconds:.2f} s"


@test("a call that is rolled back to a savepoint, or whose transaction fails, is over; the engine is idle at the end")
def idle():
    model = mock.model("hang=head")
    with alice.connection.transaction():
        with contextlib.suppress(psycopg.Error), alice.connection.transaction():
            alice.value("SELECT chat.llm_complete('x', %s, timeout_ms => 200)", model)
        equal(alice.value("SELECT 1"), 1)
    status = wait_until(lambda: (lambda s: s if s["calls_in_flight"] == 0 else None)(engine(admin)), "the engine is idle")
    equal((status["calls_waiting"], status["readers"], status["state"]), (0, 0, "running"))
    diag(status)


@contextlib.contextmanager
def surroundings():
    global admin, alice, MODELS
    with cluster.private("cancel", {"LD_PRELOAD": str(SLOW_DNS)}, max_connections=100,
                         pgchat__trusted_hosts="localhost,127.0.0.0/8,::1,*.slow.test"):
        admin, alice, MODELS = connect(), Person("alice"), models()
        yield


run(around=surroundings())
