#!/usr/bin/python3
# Who is served next: turns of users, caps and suspension of providers, fallback models, kept replies.
import json
import time

import psycopg

from support import mock
from support.database import EVENTS, Person, connect, engine, fails, read, rows, service, settings, text_of, value
from support.tap import Task, diag, equal, run, test, wait_until

alice, bob = Person("alice"), Person("bob")
admin = connect()
SLOW = "latency_ms=300&tokens=1"
mock.model()


def provider(name, **options):
    """A provider of its own at the mock, and the name of a model of it for a scenario."""
    mock.register_provider(name, mock.BASE_URL + "/v1", options=options)

    def model(scenario):
        full = f"{name}?{scenario}"
        mock.register_model(name, full, provider_model="mock?" + scenario)
        return full

    return model


def submit(person, model, count):
    return [row[0] for row in person.rows(
        "SELECT chat.llm_submit('x' || i, %s) FROM generate_series(1, %s) i", model, count)]


def result(person, request, wait_ms=30000):
    return person.value("SELECT chat.llm_result(%s, %s)", request, wait_ms)


def complete(person, model, prompt="hello", **options):
    return person.value("SELECT chat.llm_complete_json(%s, %s, options => %s)", prompt, model, json.dumps(options))


def idle():
    wait_until(lambda: engine(admin)["calls_in_flight"] + engine(admin)["calls_waiting"] == 0, "the engine is idle")


def cancel_all(person, requests):
    for request in requests:
        person.value("SELECT chat.llm_cancel(%s)", request)
    idle()


@test("300 queued requests of one user delay another's first, queued or immediate, by no more than a call")
def fair_queue():
    model = mock.model(SLOW)
    with settings(pgchat__max_calls=2):
        many = submit(alice, model, 300)
        wait_until(lambda: engine(admin)["calls_in_flight"] == 2, "the engine is full")
        begin = time.monotonic()
        first = submit(bob, model, 1)[0]
        equal(result(bob, first)["content"], "w0")
        queued = time.monotonic() - begin
        begin = time.monotonic()
        equal(complete(bob, model)["content"], "w0")
        immediate = time.monotonic() - begin
        diag(f"beside 300 calls of 0.3 s at 2 at once: queued {queued:.2f} s, immediate {immediate:.2f} s")
        assert queued < 1.2 and immediate < 1.2, "it waited for more than a turn"
        cancel_all(alice, many)


@test("a user's immediate calls that fill the engine leave a turn for another's queued one")
def durable_among_immediate():
    model = mock.model(SLOW)
    with settings(pgchat__max_calls=1):
        connections = [alice.connect() for _ in range(12)]
        tasks = [Task(value, connection, "SELECT chat.llm_complete('x', %s)", model) for connection in connections]
        wait_until(lambda: engine(admin)["calls_waiting"] >= 8, "many wait")
        begin = time.monotonic()
        equal(result(bob, submit(bob, model, 1)[0])["content"], "w0")
        took = time.monotonic() - begin
        diag(f"beside 12 calls of 0.3 s, one at a time: {took:.2f} s")
        assert took < 1.5, "it waited for more than its turn"
        for task in tasks:
            equal(task.result(), "w0")


@test("a provider's cap is kept, and a full provider holds up no other's calls, queued ones included")
def provider_cap():
    narrow = provider("narrow", max_concurrent_calls=3)(SLOW)
    other = mock.model("tokens=1")
    many = submit(alice, narrow, 250)
    wait_until(lambda: engine(admin)["calls_waiting"] > 0, "some wait")
    for _ in range(3):
        begin = time.monotonic()
        equal(result(alice, submit(alice, other, 1)[0])["content"], "w0")
        equal(complete(alice, other)["content"], "w0")
        took = time.monotonic() - begin
        assert took < 0.6, f"{took:.2f} s"
        assert engine(admin)["calls_in_flight"] <= 4, "the cap is exceeded"
    cancel_all(alice, many)
    begin = time.monotonic()
    for request in submit(alice, narrow, 9):
        equal(result(alice, request)["content"], "w0")
    took = time.monotonic() - begin
    diag(f"9 calls of 0.3 s at 3 at once: {took:.2f} s")
    assert 0.85 < took < 2.5


@test("a provider that fails is suspended with PC111 and a hint, not asked meanwhile, and tried again with one call")
def suspension():
    model = provider("flaky")
    broken = model("status=503")
    with settings(pgchat__max_retries=0, pgchat__breaker_failures=3, pgchat__breaker_pause="1s"):
        for _ in range(3):
            fails("PC106", complete, alice, broken)
        before = mock.stats()["requests"]
        error = fails("PC111", complete, bob, model("tokens=1"), hint=True)
        diag(error.diag.message_hint)
        request = submit(bob, broken, 1)[0]
        equal(result(bob, request)["error"]["sqlstate"], "PC111")
        equal(mock.stats()["requests"], before, "requests while it is suspended")
        with service() as operator:
            assert "\npgchat_suspended_providers 1\n" in value(operator, "SELECT chat.metrics()")
        equal(complete(bob, mock.model("tokens=1"))["content"], "w0")
        time.sleep(1.1)
        fails("PC106", complete, alice, broken)
        fails("PC111", complete, alice, broken)
        time.sleep(2.1)
        equal(complete(alice, model("tokens=1"))["content"], "w0")
        equal(complete(alice, model("tokens=1"))["content"], "w0")
        fails("PC106", complete, alice, broken)


@test("what callers do and refusals do not suspend a provider: 4xx, short time-outs, cancelled statements")
def no_suspension():
    model = provider("solid")
    with settings(pgchat__max_retries=0, pgchat__breaker_failures=2):
        for scenario in ("status=400", "status=401", "status=429", "status=404"):
            for _ in range(3):
                try:
                    complete(alice, model(scenario))
                except psycopg.Error as error:
                    assert error.sqlstate in ("PC103", "PC104", "PC105"), error
        for _ in range(4):
            fails("PC101", alice.value, "SELECT chat.llm_complete('x', %s, timeout_ms => 50)", model("hang=head"))
        for _ in range(3):
            alice.connection.execute("SET statement_timeout = '50ms'")
            fails("57014", alice.value, "SELECT chat.llm_complete('x', %s)", model("hang=head"))
            alice.connection.execute("SET statement_timeout = '60s'")
        equal(complete(alice, model("tokens=1"))["content"], "w0")


@test("fallback models are asked in order: after 429 and 5xx, unreachable, suspended; the reply and its row name the one that answered")
def fallback():
    model = provider("first")
    good, busy = mock.model("tokens=2"), mock.model("status=429")
    mock.register_provider("nobody", "http://127.0.0.1:1/v1")
    mock.register_model("nobody", "nobody")
    with settings(pgchat__max_retries=1, pgchat__breaker_failures=2, pgchat__breaker_pause="60s"):
        for first in (model("status=503"), "nobody", busy):
            got = complete(alice, first, fallback_models=[busy, good])
            equal((got["content"], got["model"]), ("w0 w1", good), first)
        fails("PC106", complete, alice, model("status=503"))
        before = mock.stats()["requests"]
        got = complete(alice, model("status=503"), fallback_models=[good])
        equal((got["model"], mock.stats()["requests"] - before), (good, 1), "a suspended provider is passed over")
        reply = alice.reply_to(model=model("status=503"), fallback_models=[good])
        equal(text_of(read(alice.connection, reply)), "w0 w1")
        row = wait_until(lambda: (m := alice.message(reply))["status"] == "complete" and m, "the reply is stored")
        equal(row["model"], good)
        equal(value(admin, "SELECT model FROM chat.usage_events WHERE message_id = %s AND outcome = 'complete'", reply), good)
        fails("PC105", lambda: complete(alice, busy, fallback_models=[busy]))
    fails("42704", lambda: complete(alice, good, fallback_models=["no such model"]))
    fails("PC002", lambda: complete(alice, good, fallback_models=["x"] * 11))


@test("no fallback once text has arrived, nor when the outcome is unknown or the request was refused")
def no_fallback():
    good = mock.model("tokens=2")
    before = mock.stats()["requests"]
    fails("08007", lambda: complete(alice, mock.model("reset=1"), fallback_models=[good]))
    fails("PC103", lambda: complete(alice, mock.model("status=400"), fallback_models=[good]))
    fails("PC101", alice.value, "SELECT chat.llm_complete('x', %s, timeout_ms => 300, options => %s)", mock.model("hang=head"),
          json.dumps({"fallback_models": [good]}))
    reply = alice.reply_to(model=mock.model("truncate=2"), fallback_models=[good])
    read(alice.connection, reply)
    row = wait_until(lambda: (m := alice.message(reply))["status"] == "incomplete" and m, "the reply is stored")
    equal(row["model"], mock.model("truncate=2"))
    equal(mock.stats()["requests"] - before, 4, "requests")


@test("options.cache: the same request is answered from memory, as text, JSON, stream or message, for the same user only")
def cache():
    model = mock.model("tokens=3&latency_ms=50")
    first = complete(alice, model, cache=True, temperature=0)
    before = mock.stats()["requests"]
    again = complete(alice, model, cache=True, temperature=0)
    equal((again["content"], again["cached"], again["cost"], again["usage"]["output_tokens"]), (first["content"], True, 0, 0))
    assert "cached" not in first
    equal(alice.value("SELECT chat.llm_complete('hello', %s, options => '{\"cache\": {\"ttl_s\": 60}, \"temperature\": 0}')", model), "w0 w1 w2")
    stream = alice.rows(EVENTS.format(call="chat.llm_stream('hello', %s, options => '{\"cache\": true, \"temperature\": 0}')"), model)
    equal((text_of(stream), stream[-1][1]), ("w0 w1 w2", "done"))
    reply = alice.reply_to("hello", model, cache=True, temperature=0)
    equal(text_of(read(alice.connection, reply)), "w0 w1 w2")
    equal(wait_until(lambda: (m := alice.message(reply))["status"] == "complete" and m, "it is stored")["cost"], 0)
    equal(mock.stats()["requests"], before, "requests")
    kept = wait_until(lambda: (found := alice.rows(
        "SELECT outcome, cost, is_cached FROM chat.usage_events WHERE model = %s ORDER BY created_at", model)) and len(found) == 5 and found,
        "all are recorded")
    equal(sorted((outcome, cost == 0, cached) for outcome, cost, cached in kept)[1:], [("complete", True, True)] * 4)
    for person, options in ((bob, {"cache": True, "temperature": 0}), (alice, {"cache": True, "temperature": 1}), (alice, {"temperature": 0})):
        complete(person, model, **options)
    equal(mock.stats()["requests"] - before, 3, "another user, another option, without cache")
    for wrong in (1, "yes", {"ttl_s": 0}, {"ttl_s": 60, "more": 1}, {"ttl": 60}):
        fails("PC002", lambda: complete(alice, model, cache=wrong))


@test("pgchat.cache_ttl, cache_shared and cache_max_bytes are obeyed")
def cache_settings():
    model = mock.model("tokens=4")
    with settings(pgchat__cache_shared="on", pgchat__cache_ttl="1s"):
        complete(alice, model, cache=True)
        equal(complete(bob, model, cache=True).get("cached"), True)
        time.sleep(1.1)
        equal(complete(bob, model, cache=True).get("cached"), None)
    equal(complete(bob, model, cache=True).get("cached"), None, "what was shared is not found by users")
    with settings(pgchat__cache_max_bytes=0):
        equal(complete(bob, model, cache=True).get("cached"), None)


@test("30 identical calls at once make one request; a cancelled leader takes nobody along, and a failing one no more than itself")
def collapse():
    model = mock.model("latency_ms=400&tokens=2")
    connections = [alice.connect() for _ in range(30)]
    query = "SELECT chat.llm_complete('together', %s, options => '{\"cache\": true}')"
    before = mock.stats()["requests"]
    tasks = [Task(value, connection, query, model) for connection in connections]
    equal([task.result() for task in tasks], ["w0 w1"] * 30)
    equal(mock.stats()["requests"] - before, 1, "requests")
    query = query.replace("together", "again")
    model = mock.model("latency_ms=2000&tokens=2")
    leader = Task(value, connections[0], query, model)
    wait_until(lambda: mock.stats()["requests"] - before == 2, "the leader is sent")
    followers = [Task(value, connection, query, model) for connection in connections[1:6]]
    wait_until(lambda: engine(admin)["calls_waiting"] == 5, "the others wait for it")
    connections[0].cancel()
    fails("57014", leader.result)
    equal([task.result() for task in followers], ["w0 w1"] * 5)
    equal(mock.stats()["requests"] - before, 3, "one more leader")
    with settings(pgchat__max_retries=0):
        failing = mock.model("latency_ms=300&fail_times=1&key=collapse&status=500&tokens=2")
        tasks = [Task(value, connection, query, failing) for connection in connections[:4]]
        outcomes = []
        for task in tasks:
            try:
                outcomes.append(task.result())
            except psycopg.Error as error:
                outcomes.append(error.sqlstate)
        equal(sorted(outcomes), ["PC106"] + ["w0 w1"] * 3)
    for connection in connections:
        connection.close()


run()
