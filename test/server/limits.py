#!/usr/bin/python3
# The limits of accounts under concurrency: however many calls come at once, by whatever path, no more are sent than fit.
import json
import re
import time

import psycopg

from support import mock
from support.database import Person, connect, fails, service, value
from support.databases import kill_engine
from support.tap import Task, diag, equal, run, test, wait_until

admin = connect()
operator = service()


def priced(scenario):
    """The name of a model that plays the scenario, at 0.1 a token."""
    mock.model()
    name = "priced?" + scenario
    mock.register_model("mock-openai", name, provider_model="mock?" + scenario, input_price=100_000, output_price=100_000)
    return name


# A call with one word and max_tokens 9 is estimated at 10 tokens, and that is what it uses: it costs 1.
MODEL = priced("tokens=9")


def limited(name, **limits):
    """A new person with these limits."""
    person = Person(f"{name}-{time.monotonic_ns()}")
    value(operator, "SELECT chat.admin_set_limits(%s, %s)", person.id, json.dumps(limits))
    return person


def sent():
    return mock.stats()["requests"]


def events(person):
    return value(admin, "SELECT count(*) FROM chat.usage_events WHERE user_id = %s", person.id)


def spent(person):
    return value(admin, "SELECT coalesce(sum(cost), 0) FROM chat.usage_events WHERE user_id = %s", person.id)


def outcomes_of(statements):
    """Runs each (connection, statement, arguments) in a thread of its own; how many gave each SQLSTATE, '' for success."""
    def attempt(connection, statement, arguments):
        try:
            connection.execute(statement, arguments).fetchall()
            return ""
        except psycopg.Error as error:
            return error.sqlstate

    tasks = [Task(attempt, *one) for one in statements]
    counts = {}
    for task in tasks:
        outcome = task.result()
        counts[outcome] = counts.get(outcome, 0) + 1
    return counts


OPTIONS = json.dumps({"max_tokens": 9})
PATHS = {
    "llm_complete": "SELECT chat.llm_complete('x', %(model)s, options => %(options)s)",
    "llm_stream": "SELECT chat.llm_stream('x', %(model)s, options => %(options)s)",
    "ask": "SELECT chat.ask(chat.create_conversation(model => %(model)s), 'x', options => %(options)s)",
}


@test("200 parallel calls against a budget for 10 send 10, by each immediate path")
def immediate_paths():
    for path, statement in PATHS.items():
        person = limited(path, cost_per_month=10)
        before = sent()
        connections = [person.connect() for _ in range(40)]
        counts = {}
        for _ in range(5):
            got = outcomes_of([(connection, statement, {"model": MODEL, "options": OPTIONS}) for connection in connections])
            counts = {key: counts.get(key, 0) + got.get(key, 0) for key in counts.keys() | got.keys()}
        for connection in connections:
            connection.close()
        diag(f"{path}: {counts}, {sent() - before} requests")
        equal(sent() - before, 10, path)
        equal(counts, {"": 10, "PC307": 190}, path)
        wait_until(lambda: events(person) == 10, "each has its event")
        equal(spent(person), 10)


@test("a batch of 200 prompts against a budget for 10 sends 10, and the other rows say why not")
def batches():
    person = limited("batch", cost_per_month=10)
    before = sent()
    rows = person.rows("SELECT response IS NOT NULL, error ->> 'sqlstate' FROM chat.llm_complete_batch(array_fill('x'::text, ARRAY[200]), %s, options => %s)",
                       MODEL, OPTIONS)
    equal((sent() - before, rows.count((True, None)), rows.count((False, "PC307"))), (10, 10, 190))
    wait_until(lambda: events(person) == 10, "each has its event")
    equal(spent(person), 10)


@test("200 durable requests against a budget for 10 send 10, submitted or as messages")
def durable_paths():
    for path in "llm_submit", "send_message":
        person = limited(path, cost_per_month=10)
        before = sent()
        with person.connection.transaction():
            if path == "llm_submit":
                requests = [row[0] for row in person.rows("SELECT chat.llm_submit('x', %s, options => %s) FROM generate_series(1, 200)", MODEL, OPTIONS)]
            else:
                requests = [row[0] for row in person.rows(
                    "SELECT (chat.send_message(c.id, 'x', options => %s)).request_id FROM (SELECT chat.create_conversation(model => %s) AS id"
                    " FROM generate_series(1, 200) OFFSET 0) c", OPTIONS, MODEL)]
        wait_until(lambda: value(admin, "SELECT NOT EXISTS (SELECT FROM chat_private.llm_requests WHERE user_id = %s AND state IN ('queued', 'running'))",
                                 person.id), "all have ended")
        refused = value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE user_id = %s AND error ->> 'sqlstate' = 'PC307'", person.id)
        diag(f"{path}: {sent() - before} requests, {refused} refused")
        equal((sent() - before, refused), (10, 190), path)
        equal(len(set(requests)), 200)


@test("a refusal says which limit, and when it begins anew, in UTC")
def refusals():
    month = value(admin, "SELECT to_char((date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month'), 'YYYY-MM-DD') || ' 00:00:00 UTC'")
    day = value(admin, "SELECT to_char(date_trunc('day', now() AT TIME ZONE 'UTC') + interval '1 day', 'YYYY-MM-DD') || ' 00:00:00 UTC'")
    for limits, state, message, reset in [
            ({"cost_per_month": 0.5}, "PC307", "budget of 0.5 a month", month), ({"tokens_per_day": 5}, "PC306", "5 tokens a day", day),
            ({"requests_per_minute": 0}, "PC304", "0 requests a minute", ""), ({"concurrent_calls": 0}, "PC305", "0 calls at once", "")]:
        person = limited("refused", **limits)
        before = sent()
        error = fails(state, person.value, "SELECT chat.llm_complete('x', %s, options => %s)", MODEL, OPTIONS)
        assert message in error.diag.message_primary, error.diag.message_primary
        assert error.diag.message_hint and reset in error.diag.message_hint, error.diag.message_hint
        diag(f"{error.diag.message_primary}. {error.diag.message_hint}")
        equal(sent(), before, "requests")
    person = limited("minute", requests_per_minute=3)
    for _ in range(3):
        person.value("SELECT chat.llm_complete('x', %s)", MODEL)
    error = fails("PC304", person.value, "SELECT chat.llm_complete('x', %s)", MODEL)
    moment = re.search(r"at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC)", error.diag.message_hint)
    assert moment, error.diag.message_hint
    assert 50 < value(admin, "SELECT extract(epoch FROM %s::timestamptz - clock_timestamp())::float8", moment.group(1)) <= 61, moment.group(1)


@test("a guest may make 60 requests a minute, a user any number")
def guests():
    token, = admin.execute("SELECT session_token FROM chat.register_guest()").fetchone()
    user = Person(f"many-{time.monotonic_ns()}")
    with user.connect() as connection:
        connection.execute("SELECT chat.authenticate(%s, false)", (token,))
        done = 0
        try:
            for done in range(61):
                connection.execute("SELECT chat.llm_complete('x', %s)", (MODEL,))
        except psycopg.Error as error:
            equal(error.sqlstate, "PC304")
        equal(done, 60, "calls of a guest")
    for _ in range(61):
        user.value("SELECT chat.llm_complete('x', %s)", MODEL)


@test("calls at once: immediate ones are refused, durable ones wait, and others do not wait for them")
def concurrency():
    person, other = limited("at-once", concurrent_calls=2), Person(f"other-{time.monotonic_ns()}")
    slow = mock.model("latency_ms=400")
    connections = [person.connect() for _ in range(5)]
    counts = outcomes_of([(connection, "SELECT chat.llm_complete('x', %s)", (slow,)) for connection in connections])
    for connection in connections:
        connection.close()
    equal(counts, {"": 2, "PC305": 3})
    begin = time.monotonic()
    requests = [row[0] for row in person.rows("SELECT chat.llm_submit('x', %s) FROM generate_series(1, 60)", mock.model("latency_ms=50"))]
    mine = other.value("SELECT chat.llm_submit('x', %s)", MODEL)
    wait_until(lambda: other.value("SELECT chat.llm_result(%s) ->> 'status'", mine) == "complete", "another's request")
    passed = time.monotonic() - begin
    assert passed < 1.2, passed
    wait_until(lambda: value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE id = ANY (%s) AND state = 'complete'", requests) == 60, "all of them")
    seconds = time.monotonic() - begin
    diag(f"60 calls of 50 ms, 2 at once: {seconds:.2f} s; another's after {passed:.3f} s")
    assert seconds >= 1.4, seconds


@test("a call whose transaction rolls back is charged; so is one whose caller goes away")
def rolled_back():
    person = limited("rollback", cost_per_month=2)
    with person.connection.transaction(force_rollback=True):
        person.value("SELECT chat.llm_complete('x', %s, options => %s)", MODEL, OPTIONS)
    wait_until(lambda: spent(person) == 1, "it is charged")
    person.value("SELECT chat.llm_complete('x', %s, options => %s)", MODEL, OPTIONS)
    fails("PC307", person.value, "SELECT chat.llm_complete('x', %s, options => %s)", MODEL, OPTIONS)
    cut = limited("cut", cost_per_month=1000)
    with cut.connect() as connection:
        connection.execute("SET statement_timeout = 300")
        fails("57014", connection.execute, "SELECT chat.llm_complete('x', %s)", (priced("hang=head"),))
    wait_until(lambda: events(cut) == 1, "it is recorded")
    row = admin.execute("SELECT outcome, is_estimated, error_code, cost > 0 FROM chat.usage_events WHERE user_id = %s", (cut.id,)).fetchone()
    equal(row, ("cancelled", True, "cancelled", True))


@test("a limit holds from the next call on: changed for the user, the plan or the role's plan")
def changed():
    with connect() as fresh, service() as root:
        person = Person(f"changed-{time.monotonic_ns()}")
        person.value("SELECT chat.llm_complete('x', %s)", MODEL)
        for change, back in [
                (f"SELECT chat.admin_set_budget('{person.id}', 0)", f"SELECT chat.admin_set_budget('{person.id}', NULL)"),
                ("SELECT chat.admin_save_plan('free', limits => '{\"cost_per_month\": 0}')", "SELECT chat.admin_save_plan('free', limits => '{}')"),
                ("SELECT chat.admin_set_setting('cost_per_month', '0')", "SELECT chat.admin_set_setting('cost_per_month', NULL)")]:
            root.execute(change)
            fails("PC307", person.value, "SELECT chat.llm_complete('x', %s)", MODEL)
            root.execute(back)
            person.value("SELECT chat.llm_complete('x', %s)", MODEL)
        metrics = value(root, "SELECT chat.metrics()")
        assert re.search(r'pgchat_refused_total\{limit="cost_per_month"\} ([3-9]|\d\d+)\n', metrics), metrics
        wait_until(lambda: value(fresh, "SELECT count(*) > 0 FROM pg_inherits WHERE inhparent = 'chat.usage_events'::regclass AND inhrelid::regclass::text ~ '_\\d{4}_\\d\\d$'"),
                   "the engine has made partitions")


@test("after kill -9 of the engine, what was spent still counts")
def killed():
    person = limited("killed", cost_per_month=3)
    for _ in range(2):
        person.value("SELECT chat.llm_complete('x', %s, options => %s)", MODEL, OPTIONS)
    wait_until(lambda: spent(person) == 2, "both are recorded")
    # Usage is flushed to disk within three times wal_writer_delay.
    time.sleep(1)
    kill_engine()
    person.connection = person.connect()
    person.value("SELECT chat.llm_complete('x', %s, options => %s)", MODEL, OPTIONS)
    fails("PC307", person.value, "SELECT chat.llm_complete('x', %s, options => %s)", MODEL, OPTIONS)


run()
