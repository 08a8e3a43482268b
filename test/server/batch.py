#!/usr/bin/python3
# chat.llm_complete_batch: many prompts from one statement, at once, in order, none held up or failed by another.
import json
import time

from support import mock
from support.database import Person, connect, engine, fails, role, service, value
from support.tap import Task, diag, equal, run, test, wait_until

alice = Person("alice")
admin = connect()
mock.set_default(mock.model("echo=1"))
BATCH = "SELECT * FROM chat.llm_complete_batch(%s, model => %s"
COST = 1e-6


def idle():
    wait_until(lambda: engine(admin)["calls_in_flight"] == 0, "the engine is idle")


@test("200 prompts to a model that takes a second end in less than 1.5 s, in their order")
def at_once():
    prompts = [f"prompt {i}" for i in range(200)]
    model = mock.model("echo=1&latency_ms=1000")
    begin = time.monotonic()
    got = alice.rows(BATCH + ")", prompts, model)
    seconds = time.monotonic() - begin
    diag(f"{seconds:.3f} s")
    equal(got, [(i + 1, f"prompt {i}", None) for i in range(200)])
    assert seconds < 1.5, f"{seconds:.3f} s"


@test("rows keep the prompts' order whichever reply comes first, and concurrency bounds what is in flight")
def order():
    model = mock.model("echo=1&latency_ms=200")
    begin = time.monotonic()
    got = alice.rows(BATCH + ", concurrency => 10)", [str(i) for i in range(40)], model)
    seconds = time.monotonic() - begin
    equal([row[1] for row in got], [str(i) for i in range(40)])
    diag(f"40 calls of 0.2 s, 10 at once: {seconds:.3f} s")
    assert 0.75 < seconds < 1.6, f"{seconds:.3f} s"
    equal(len(alice.rows(BATCH + ", concurrency => 1)", ["a", "b", "c"], mock.model("echo=1"))), 3)


@test("a prompt that is NULL, empty or too long, and a call that fails, are errors of their own rows")
def row_errors():
    longest = value(admin, "SELECT chat_private.max_message_bytes()")
    got = alice.rows(BATCH + ")", ["fine", None, "", "x" * (longest + 1), "fine, too"], mock.model("echo=1"))
    equal([row[0] for row in got], [1, 2, 3, 4, 5])
    equal([row[1] for row in got], ["fine", None, None, None, "fine, too"])
    equal([row[2] and row[2]["sqlstate"] for row in got], [None, "22004", "2200F", "54000", None])
    assert all(row[2]["message"] and row[2]["hint"] for row in got if row[2]), got
    got = alice.rows(BATCH + ")", ["a", "b"], mock.model("status=400"))
    equal([(row[1], row[2]["sqlstate"], row[2]["code"]) for row in got], [(None, "PC103", "provider_rejected_request")] * 2)
    got = alice.rows(BATCH + ")", ["a"], "no such model")
    equal(got[0][2]["sqlstate"], "42704")
    got = alice.rows(BATCH + ", options => '{\"max_tokens\": 5}', timeout_ms => 300)", ["a", "b"], mock.model("hang=head"))
    equal([row[2]["sqlstate"] for row in got], ["PC101", "PC101"])
    got = alice.rows(BATCH + ")", ["a"], mock.model("truncate=3&tokens=8"))
    equal(got[0][2]["sqlstate"], "PC109")


@test("what is wrong for every row is raised before anything is sent")
def raised():
    before = mock.stats()["requests"]
    fails("22004", alice.rows, "SELECT * FROM chat.llm_complete_batch(NULL)", hint=True)
    fails("22023", alice.rows, "SELECT * FROM chat.llm_complete_batch('{a}', concurrency => 0)", hint=True)
    fails("22023", alice.rows, "SELECT * FROM chat.llm_complete_batch('{a}', concurrency => 1001)", hint=True)
    fails("22023", alice.rows, "SELECT * FROM chat.llm_complete_batch('{a}', timeout_ms => -1)", hint=True)
    fails("PC002", alice.rows, "SELECT * FROM chat.llm_complete_batch('{a}', options => '{\"heat\": 1}')", hint=True)
    fails("PC002", alice.rows, "SELECT * FROM chat.llm_complete_batch('{a}', response_format => '7')", hint=True)
    fails("42704", alice.rows, "SELECT * FROM chat.llm_complete_batch('{a}', model => '')", hint=True)
    fails("28000", connect(user=role("pgchat_client")).execute, "SELECT * FROM chat.llm_complete_batch('{a}')", hint=True)
    equal(mock.stats()["requests"], before)
    equal(alice.rows("SELECT * FROM chat.llm_complete_batch('{}')"), [], "no prompts, no rows")
    equal(len(service().execute("SELECT * FROM chat.llm_complete_batch('{a,b}')").fetchall()), 2, "pgchat_service")


@test("in the select list rows come as they are answered; closing the cursor aborts what is in flight, and nothing else of the session")
def left_early():
    slow = mock.model("echo=1&latency_ms=60000")
    aborted = mock.stats()["aborted_by_client"]
    with alice.connection.transaction():
        alice.connection.execute("DECLARE beside CURSOR FOR SELECT (s).delta FROM (SELECT chat.llm_stream('x', %s) AS s OFFSET 0) x"
                                 .replace("%s", "'" + mock.model("tokens=6&rate=10") + "'"))
        alice.connection.execute("FETCH 1 FROM beside")
        alice.connection.execute(f"DECLARE early CURSOR FOR SELECT chat.llm_complete_batch(array_fill('x'::text, '{{100}}'), '{slow}', timeout_ms => 90000)")
        alice.connection.execute("SAVEPOINT waiting")
        alice.connection.execute("SET LOCAL statement_timeout = '500ms'")
        fails("57014", alice.connection.execute, "FETCH 1 FROM early")
        alice.connection.execute("ROLLBACK TO waiting")
        alice.connection.execute("CLOSE early")
        wait_until(lambda: mock.stats()["aborted_by_client"] == aborted + 100, "all 100 requests are aborted")
        rest = alice.rows("FETCH ALL FROM beside")
        equal(rest[-1][0], None, "the stream beside it went on to its end")
        assert "w5" in "".join(row[0] or "" for row in rest), rest
    idle()


@test("statement_timeout and cancelling end it, and abort every call")
def cancelled():
    slow = mock.model("echo=1&latency_ms=60000")
    aborted = mock.stats()["aborted_by_client"]
    alice.connection.execute("SET statement_timeout = '500ms'")
    fails("57014", alice.rows, BATCH + ")", ["x"] * 300, slow)
    alice.connection.execute("RESET statement_timeout")
    wait_until(lambda: mock.stats()["aborted_by_client"] == aborted + 256, "the 256 in flight are aborted")
    task = Task(alice.rows, BATCH + ")", ["x"] * 50, slow)
    wait_until(lambda: engine(admin)["calls_in_flight"] == 50, "50 calls")
    alice.connection.cancel()
    try:
        task.result()
        raise AssertionError("it was not cancelled")
    except Exception as error:
        equal(getattr(error, "sqlstate", error), "57014")
    idle()
    equal(alice.rows(BATCH + ")", ["works again"], mock.model("echo=1"))[0][1], "works again")


@test("1,000 large replies to a reader that stops reading stay out of memory beyond its window")
def backpressure():
    model = mock.model("tokens=2000")
    with alice.connection.transaction():
        alice.connection.execute(f"DECLARE slow CURSOR FOR SELECT chat.llm_complete_batch(array_fill('x'::text, '{{1000}}'), '{model}', concurrency => 8)")
        before = mock.stats()["requests"]
        alice.connection.execute("FETCH 1 FROM slow")
        idle()
        sent = mock.stats()["requests"] - before
        diag(f"{sent} of 1000 calls were made for one row read")
        assert sent <= 16, sent
        equal(len(alice.rows("FETCH ALL FROM slow")), 999)


@test("a table is enriched in one statement; every call leaves a usage event")
def enrichment():
    alice.connection.execute("CREATE TEMP TABLE review (id int, body text, summary text)")
    alice.connection.execute("INSERT INTO review SELECT i, 'review ' || i FROM generate_series(1, 30) i")
    before = value(admin, "SELECT count(*) FROM chat.usage_events WHERE user_id = %s", alice.id)
    alice.connection.execute("""
        UPDATE review r SET summary = b.response
        FROM (SELECT array_agg(id ORDER BY id) AS ids, array_agg('Summarise: ' || body ORDER BY id) AS prompts FROM review WHERE summary IS NULL) q,
             LATERAL chat.llm_complete_batch(q.prompts) b
        WHERE r.id = q.ids[b.idx] AND b.error IS NULL""")
    equal(alice.rows("SELECT id, summary FROM review ORDER BY id"), [(i, f"Summarise: review {i}") for i in range(1, 31)])
    wait_until(lambda: value(admin, "SELECT count(*) FROM chat.usage_events WHERE user_id = %s", alice.id) == before + 30, "30 usage events")
    alice.connection.execute("DROP TABLE review")


@test("EXPLAIN makes no call; two batches in one statement, and one inside a function, work")
def in_queries():
    before = mock.stats()["requests"]
    alice.rows("EXPLAIN SELECT * FROM chat.llm_complete_batch('{a,b}')")
    equal(mock.stats()["requests"], before)
    got = alice.rows("SELECT a.response, b.response FROM chat.llm_complete_batch('{a,b}') a JOIN chat.llm_complete_batch('{c,d}') b USING (idx) ORDER BY idx")
    equal(got, [("a", "c"), ("b", "d")])
    got = alice.rows("SELECT (chat.llm_complete_batch('{a,b}')).response, (chat.llm_complete_batch('{c,d}')).response")
    equal(got, [("a", "c"), ("b", "d")])
    got = alice.rows("SELECT response, error FROM chat.llm_complete_batch(ARRAY['a'], response_format => '{\"type\": \"json_object\"}', model => %s)",
                     mock.model("json=%7B%22a%22%3A1%7D"))
    equal((json.loads(got[0][0]) is not None, got[0][1]), (True, None))


run()
