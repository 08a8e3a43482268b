#!/usr/bin/python3
# What a provider can do wrong: each gets its SQLSTATE and reason, and loses nothing that should be kept.
import http.server
import json
import socket
import threading
import time

import psycopg

from support import mock
from support.database import EVENTS, Person, connect, engine, fails, read, rows, settings, text_of, value
from support.process import rss_kib
from support.tap import Task, diag, equal, run, test, wait_until

alice = Person("alice")
admin = connect()
WORDS = "w0 w1 w2 w3 w4 w5 w6 w7"
REPLACED = "\N{REPLACEMENT CHARACTER}"

# Each: what the provider does, the SQLSTATE, that of a call which is not streamed where it differs, the status of the reply's row.
FAULTS = (
    ("429", "status=429", "PC105", None, "error"),
    ("500", "status=500", "PC106", None, "error"),
    ("400", "status=400", "PC103", None, "error"),
    ("401", "status=401", "PC104", None, "error"),
    ("silence before the head", "hang=head", "PC101", None, "error"),
    ("silence in the body", "hang=body", "PC101", None, "incomplete"),
    ("a truncated stream", "truncate=3", "PC109", None, "incomplete"),
    ("a truncated stream without chunks", "truncate=3&content_length=0", "PC109", None, "incomplete"),
    ("a connection reset in the stream", "truncate=3&reset=1", "PC109", None, "incomplete"),
    ("a connection reset before the head", "reset=1", "08007", None, "error"),
    ("garbage", "garbage=1", "PC107", None, "error"),
    ("an HTML page with 200", "html=1", "PC107", None, "error"),
    ("an error event in the stream", "error_mid=1", "PC106", "none", "incomplete"),
    ("a body without end", "endless=1", "PC108", None, "incomplete"),
    ("a redirect", "redirect=http://127.0.0.1:1/elsewhere", "PC106", None, "error"),
    ("a connection refused", "refused", "08001", None, "error"),
)


def scenario(fault):
    if fault != "refused":
        return mock.model(fault)
    mock.register_provider("refused", "http://127.0.0.1:1/v1")
    mock.register_model("refused", "refused")
    return "refused"


def finished(reply, seconds=30.0):
    wait_until(lambda: value(admin, "SELECT status FROM chat.messages WHERE id = %s", reply) not in ("pending", "streaming"),
               f"{reply} has ended", seconds)
    return alice.message(reply)


def usage(reply):
    return alice.rows("SELECT outcome, input_tokens, output_tokens FROM chat.usage_events WHERE message_id = %s ORDER BY attempt", reply)


def count(table, conversation):
    return value(admin, f"SELECT count(*) FROM {table} WHERE conversation_id = %s", conversation)


def quick(**more):
    """No retries and short time-outs, so that a fault shows at once."""
    return settings(**{"pgchat__max_retries": "0", "pgchat__idle_timeout": "700ms", "pgchat__request_timeout": "2s",
                       "pgchat__max_response_bytes": "2MB", **more})


@test("llm_complete and llm_stream raise each fault with its SQLSTATE, within the time-outs, and the session goes on")
def immediate():
    with quick():
        for name, fault, sqlstate, unstreamed, _ in FAULTS:
            model, begin = scenario(fault), time.monotonic()
            if unstreamed == "none":
                equal(alice.value("SELECT chat.llm_complete('x', %s)", model), WORDS)
            else:
                error = fails(sqlstate, alice.value, "SELECT chat.llm_complete('x', %s)", model)
                diag(f"{sqlstate} {name}: {str(error).splitlines()[0][:110]} ({time.monotonic() - begin:.2f} s)")
            fails(sqlstate, alice.rows, EVENTS.format(call="chat.llm_stream('x', %s)"), model)
            assert time.monotonic() - begin < 10, f"{name} took {time.monotonic() - begin:.1f} s"
            equal(alice.value("SELECT 1"), 1, name)
    equal(engine(admin)["calls_in_flight"], 0, "calls in flight")


@test("ask raises each fault and stores nothing")
def asking():
    with quick():
        for name, fault, sqlstate, unstreamed, _ in FAULTS:
            if unstreamed == "none":
                continue
            conversation = alice.conversation(scenario(fault))
            fails(sqlstate, alice.value, "SELECT chat.ask(%s, 'hello there')", conversation)
            equal(count("chat.messages", conversation), 0, f"messages after {name}")


@test("send_message keeps the row with status and reason, and retry_message then succeeds")
def sending():
    with quick():
        for number, (name, fault, sqlstate, _, status) in enumerate(FAULTS):
            # Whom fail_times does not heal is healed by another registration below.
            once = {"refused": "refused", "endless=1": "endless=1&key=send"}.get(fault, f"{fault}&fail_times=1&key=send{number}")
            conversation = alice.conversation(scenario(once))
            question, reply, request = alice.send(conversation)
            row = finished(reply)
            diag(f"{name}: {row['status']} {row['error']} {row['content'][:40]!r}")
            equal((row["status"], row["error"]["sqlstate"]), (status, sqlstate), name)
            assert row["error"]["message"] and row["error"]["code"], row
            equal(row["content"] != "", status == "incomplete", f"text kept after {name}")
            equal(usage(reply)[0][0], status, name)
            answer = alice.value("SELECT chat.llm_result(%s)", request)
            equal((answer["status"], answer["error"]["sqlstate"]), (status, sqlstate), name)
            equal(alice.message(question)["status"], "complete", f"the message after {name}")
            if fault == "refused":
                mock.register_provider("refused", mock.BASE_URL + "/v1")
            if fault == "endless=1":
                mock.register_model("mock-openai", scenario(once), provider_model="mock")
            again = alice.value("SELECT assistant_message_id FROM chat.retry_message(%s)", reply)
            retried = finished(again)
            equal((retried["status"], retried["parent_id"], retried["error"]), ("complete", str(question), None), name)
            equal(retried["content"], WORDS, name)
            equal([m[0] for m in alice.rows("SELECT id FROM chat.list_messages(%s)", conversation)], [question, again], name)


@test("send_and_wait raises, and keeps the message and the reason")
def sending_and_waiting():
    with quick():
        for name, fault, sqlstate, _, status in FAULTS:
            conversation = alice.conversation(scenario(fault))
            error = fails(sqlstate, alice.rows, "CALL chat.send_and_wait(%s, 'hello')",
                          conversation, hint=True)
            kept = alice.rows("SELECT role, status, error ->> 'sqlstate' FROM chat.list_messages(%s)", conversation)
            equal(kept, [("user", "complete", None), ("assistant", status, sqlstate)], name)
            assert str(error).strip(), name
    conversation = alice.conversation(mock.model("tokens=8"))
    equal(alice.value("CALL chat.send_and_wait(%s, 'hello')", conversation), WORDS)
    with alice.connection.transaction():
        fails("22023", alice.rows, "CALL chat.send_and_wait(%s, 'again')", alice.conversation(), hint=True)


@test("429 with Retry-After in seconds, as a date, or unreadable, and 500, are retried after that time; only the last attempt used something")
def retries():
    for name, fault, fewest, most in (
            ("seconds", "status=429&retry_after=2&fail_times=1", 2.0, 8), ("date", "status=429&retry_after_date=3&fail_times=1", 1.9, 9),
            ("unreadable", "status=429&retry_after=soon&fail_times=1", 0.2, 5), ("500 twice", "status=500&fail_times=2", 0.7, 8),
            ("503", "status=503&fail_times=1", 0.2, 5), ("408", "status=408&fail_times=1", 0.2, 5)):
        key = "retry-" + name.replace(" ", "-")
        mock.reset()
        reply = alice.reply_to(f"key:{key}", mock.model(f"{fault}&key={key}"))
        begin = time.monotonic()
        row = finished(reply)
        seconds = time.monotonic() - begin
        requests = mock.stats()["by_key"][f"key:{key}"]
        diag(f"{name}: {requests} requests, {seconds:.2f} s, usage {usage(reply)}")
        equal((row["status"], row["content"]), ("complete", WORDS), name)
        equal(requests, 3 if "twice" in name else 2, name)
        assert fewest <= seconds < most, f"{name}: {seconds:.2f} s"
        equal(usage(reply), [("error", None, None)] * (requests - 1) + [("complete", 1, 8)], "only the last attempt used something")
    for query in ("SELECT chat.llm_complete('x', %s)", "SELECT chat.ask(chat.create_conversation(model => %s), 'x')"):
        key = mock.model(f"status=429&retry_after=1&fail_times=1&key={hash(query)}")
        equal(alice.value(query, key), WORDS)


@test("a Retry-After beyond the call's time fails at once, and retries end after pgchat.max_retries")
def retries_end():
    begin = time.monotonic()
    fails("PC105", alice.value, "SELECT chat.llm_complete('x', %s, timeout_ms => 20000)", mock.model("status=429&retry_after=3600"))
    seconds = time.monotonic() - begin
    diag(f"Retry-After: 3600 failed after {seconds:.2f} s")
    assert seconds < 5, seconds
    mock.reset()
    with settings(pgchat__max_retries="2"):
        fails("PC106", alice.value, "SELECT chat.llm_complete('key:ends', %s)", mock.model("status=500"))
    equal(mock.stats()["by_key"]["key:ends"], 3, "requests with two retries")


@test("no retry once the request may have been served: after the first token, and after a reset before it")
def no_retry():
    for number, fault in enumerate(("truncate=1", "truncate=2&reset=1", "reset=1", "error_mid=1", "garbage=1", "html=1")):
        mock.reset()
        row = finished(alice.reply_to(f"key:none{number}", mock.model(fault)))
        diag(f"{fault}: {row['status']}, {mock.stats()['by_key']}")
        equal(mock.stats()["by_key"][f"key:none{number}"], 1, fault)
        assert row["status"] in ("error", "incomplete"), row


class Late(http.server.BaseHTTPRequestHandler):
    """A provider that begins to listen late."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        reply = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "at last"}, "finish_reason": "stop"}]}
        body = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@test("a connection refused is tried again, and served once the provider listens")
def refused_then_served():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Late, bind_and_activate=False)
    server.server_bind()
    mock.register_provider("late", f"http://127.0.0.1:{server.server_address[1]}/v1")
    mock.register_model("late", "late")
    before = engine(admin)["calls_total"]
    call = Task(alice.value, "SELECT chat.llm_complete('x', 'late')")
    wait_until(lambda: engine(admin)["calls_total"] > before, "the call has begun")
    time.sleep(0.1)  # long enough for the first attempt to be refused; were it not, the reply would still be right
    server.server_activate()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    equal(call.result(), "at last")
    diag(f"served after {call.seconds:.2f} s")
    server.shutdown()


@test("timeout_ms ends a silent call at its time, and leaves the rest of the engine alone")
def time_out():
    for timeout_ms in (300, 1500):
        begin = time.monotonic()
        fails("PC101", alice.value, "SELECT chat.llm_complete('x', %s, timeout_ms => %s)", mock.model("hang=head"), timeout_ms)
        seconds = time.monotonic() - begin
        diag(f"{timeout_ms} ms: {seconds:.3f} s")
        assert timeout_ms / 1000 <= seconds < timeout_ms / 1000 + 1, seconds
    fails("PC101", alice.value, "SELECT chat.ask(%s, 'x', timeout_ms => 300)", alice.conversation(mock.model("hang=body")))
    submitted = alice.value("SELECT chat.llm_submit('x', %s, timeout_ms => 300)", mock.model("hang=head"))
    equal(alice.value("SELECT chat.llm_result(%s, 20000)", submitted)["error"]["sqlstate"], "PC101")


@test("an endless body is cut at the cap, and the engine's memory stays flat")
def endless():
    with quick(pgchat__max_response_bytes="8MB", pgchat__request_timeout="30s"):
        model, pid = mock.model("endless=1"), engine(admin)["pid"]

        def cut_off(times):
            for _ in range(times):
                fails("PC108", alice.value, "SELECT chat.llm_complete('x', %s)", model)
                fails("PC108", alice.rows, EVENTS.format(call="chat.llm_stream('x', %s)"), model)

        def at_rest():
            time.sleep(1.2)  # A second of quiet, and the engine gives back what it does not need.
            return rss_kib(pid)

        cut_off(6)  # As much as is kept of streams that have ended: 32 MB.
        before, most = at_rest(), [0]
        work = Task(cut_off, 15)
        while work.is_alive():
            most[0] = max(most[0], rss_kib(pid))
            time.sleep(0.02)
        work.result()
        after = at_rest()
    diag(f"30 bodies of 8 MB: engine {before} KiB before, {most[0]} at most, {after} after; the same process: {engine(admin)['pid'] == pid}")
    equal(engine(admin)["pid"], pid, "the engine's process")
    assert after - before < 16 * 1024, f"grew by {after - before} KiB"
    # 32 MB of ended streams, and some copies of the body under way.
    assert most[0] - before < (32 + 4 * 8) * 1024, f"needed {most[0] - before} KiB"


@test("invalid UTF-8, also split across chunks, NUL and lone surrogates become U+FFFD in the text, and are valid everywhere")
def hostile_text():
    for fault, begin, end in (("badutf8=1", "ok ", " \N{GRINNING FACE} w5 w6 w7"), ("nul=1", "w0 a", "b w2 w3 w4 w5 w6 w7"),
                              ("surrogate=1", "w0 a", "b w2 w3 w4 w5 w6 w7")):
        for kind in ("openai", "anthropic", "ollama"):
            model = mock.model(fault, kind)
            text = alice.value("SELECT chat.llm_complete('x', %s)", model)
            reply = alice.reply_to("x", model)
            streamed = text_of(read(alice.connection, reply))
            row = alice.message(reply)
            for got in (text, streamed, row["content"]):
                assert got.startswith(begin) and got.endswith(end) and REPLACED in got, f"{fault} {kind}: {got!r}"
                assert "\0" not in got, got
            equal(streamed, row["content"], fault)
            equal(row["status"], "complete")
            equal(row["metadata"], {"sanitized": True}, "and is flagged")
            asked = alice.conversation(model)
            equal(alice.value("SELECT chat.ask(%s, 'x')", asked), text)
            equal(alice.value("SELECT metadata FROM chat.list_messages(%s) WHERE role = 'assistant'", asked), {"sanitized": True})
            equal(alice.value("SELECT chat.llm_complete_json('x', %s) -> 'sanitized'", model), True)
    equal(alice.message(alice.reply_to("x", mock.model("tokens=3")))["metadata"], {}, "a clean reply")


@test("one byte every 5 s beside 100 healthy streams delays none of them")
def slow_beside_healthy():
    healthy = mock.model("tokens=20&rate=20")

    def crowd():
        with alice.connection.transaction():
            replies = [alice.reply_to(f"healthy {i}", healthy) for i in range(100)]
        latencies = sorted(finished(reply, 60)["latency_ms"] for reply in replies)
        equal(value(admin, "SELECT count(*) FROM chat.messages WHERE id = ANY (%s) AND status = 'complete'", replies), 100)
        return latencies

    alone = crowd()
    slow = alice.reply_to("slow", mock.model("slow_bytes_ms=5000&tokens=20"))
    wait_until(lambda: engine(admin)["calls_in_flight"] == 1, "the slow one is under way")
    beside = crowd()
    diag(f"100 streams of 1 s, alone: median {alone[49]} ms, slowest {alone[-1]} ms; beside the slow one: median {beside[49]} ms, "
         f"slowest {beside[-1]} ms")
    equal(alice.message(slow)["status"] in ("pending", "streaming"), True, "the slow one is still under way")
    assert beside[-1] < 2 * alone[-1] + 500, beside[-5:]
    equal(alice.value("SELECT chat.cancel_message(%s)", slow), True)
    equal(finished(slow)["status"], "cancelled")


@test("a redirect is not followed")
def redirect():
    mock.reset()
    target = f"{mock.BASE_URL}/v1/chat/completions?followed"
    for status in (301, 302, 307, 308):
        fails("PC106", alice.value, "SELECT chat.llm_complete('x', %s)", mock.model(f"status={status}&redirect={target}"), hint=True)
    targets = [request["target"] for request in mock.requests()]
    diag(targets)
    assert len(targets) == 4 and not any("followed" in target for target in targets), targets


@test("an unreachable provider: no such name, nobody listening, an address that is not allowed, a listener that never accepts")
def unreachable():
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    waiting = [socket.socket() for _ in range(4)]
    for one in waiting:
        one.setblocking(False)
        one.connect_ex(full.getsockname())
    with quick(pgchat__connect_timeout="500ms"):
        for name, url, sqlstate in (("name", "https://nowhere.invalid/v1", "08001"), ("closed", "http://127.0.0.1:1/v1", "08001"),
                                    ("blackhole", f"http://127.0.0.1:{full.getsockname()[1]}/v1", "08001"),
                                    ("private", "https://10.255.255.1/v1", "PC102"), ("no-tls", mock.BASE_URL.replace("http", "https"), "08001")):
            mock.register_provider("unreachable-" + name, url)
            mock.register_model("unreachable-" + name, "unreachable-" + name)
            begin = time.monotonic()
            error = fails(sqlstate, alice.value, "SELECT chat.llm_complete('x', %s)", "unreachable-" + name, hint=True)
            diag(f"{name}: {str(error).splitlines()[0]} ({time.monotonic() - begin:.2f} s)")
            row = finished(alice.reply_to("x", "unreachable-" + name))
            equal((row["status"], row["error"]["sqlstate"]), ("error", sqlstate), name)
    for one in [full, *waiting]:
        one.close()


run()
