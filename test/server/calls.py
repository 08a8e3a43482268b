#!/usr/bin/python3
# Immediate calls wherever SQL can put them: plans, cursors, subtransactions, triggers, several at once.
import json
import time

import psycopg

from support import mock
from support.database import Person, connect, engine, fails, role, service, text_of, value
from support.tap import diag, equal, run, test, wait_until

alice = Person("alice")
admin = connect()
THREE = "w0 w1 w2"
mock.set_default(mock.model("tokens=3"))


def calls():
    return mock.stats()["requests"]


def idle():
    wait_until(lambda: engine(admin)["calls_in_flight"] == 0, "the engine is idle")


@test("EXPLAIN makes no call, EXPLAIN ANALYZE one; and planning alone makes none")
def explain():
    before = calls()
    plans = [alice.rows(f"EXPLAIN (VERBOSE) SELECT chat.{call}") for call in (
        "llm_complete('x')", "llm_complete_json('x')", "llm_stream('x')", "llm_submit('x')",
        "ask('00000000-0000-7000-8000-000000000001', 'x')", "llm_complete('[{\"role\": \"user\", \"content\": \"x\"}]'::jsonb)")]
    plans.append(alice.rows("EXPLAIN SELECT 1 WHERE chat.llm_complete('x') = 'y'"))
    alice.rows("EXPLAIN SELECT * FROM chat.llm_stream('x')")
    equal(calls(), before, "requests")
    diag("\n".join(row[0] for plan in plans[:2] for row in plan))
    diag("a filter with it is dear: " + plans[-1][0][0])
    alice.rows("EXPLAIN (ANALYZE) SELECT chat.llm_complete('x')")
    equal(calls(), before + 1, "requests after ANALYZE")


@test("PREPARE and EXECUTE: a call for each execution, with generic plans, too")
def prepared():
    before = calls()
    alice.connection.execute("PREPARE ask_it(text) AS SELECT chat.llm_complete($1)")
    equal([alice.value("EXECUTE ask_it('again')") for _ in range(8)], [THREE] * 8)
    equal(calls() - before, 8, "requests")
    alice.connection.execute("DEALLOCATE ask_it")
    with alice.connection.cursor() as cursor:
        got = [cursor.execute("SELECT chat.llm_complete(%s)", ("x",), prepare=True).fetchone()[0] for _ in range(3)]
    equal(got, [THREE] * 3)


@test("a query over rows makes a call for each of them; where the cheap condition fails, none")
def over_rows():
    before = calls()
    equal(alice.rows("SELECT i, chat.llm_complete('x' || i) FROM generate_series(1, 5) i"), [(i, THREE) for i in range(1, 6)])
    equal(calls() - before, 5, "requests")
    equal(alice.rows("SELECT i FROM generate_series(1, 100) i WHERE chat.llm_complete('x') = 'y' AND i < 3"), [])
    diag(f"{calls() - before - 5} calls for 100 rows of which 2 pass the cheap condition")
    equal(calls() - before, 7, "requests")


@test("inside a subtransaction: a failure is caught by its handler, and what follows works")
def subtransaction():
    alice.connection.execute("CREATE TEMP TABLE outcome (step int, result text)")
    alice.connection.execute(f"""DO $$
        BEGIN
            FOR step IN 1..20 LOOP
                BEGIN
                    INSERT INTO outcome VALUES (step, chat.llm_complete('x', CASE WHEN step % 2 = 0 THEN '{mock.model("status=400")}' END));
                EXCEPTION WHEN SQLSTATE 'PC103' THEN
                    INSERT INTO outcome VALUES (step, SQLSTATE);
                END;
            END LOOP;
        END $$""")
    got = alice.rows("SELECT step, result FROM outcome ORDER BY step")
    equal(got, [(step, "PC103" if step % 2 == 0 else THREE) for step in range(1, 21)])
    with alice.connection.transaction():
        alice.connection.execute("SAVEPOINT before_it")
        fails("PC103", alice.value, "SELECT chat.llm_complete('x', %s)", mock.model("status=400"))
        alice.connection.execute("ROLLBACK TO before_it")
        equal(alice.value("SELECT chat.llm_complete('x')"), THREE)
    alice.connection.execute("DROP TABLE outcome")
    idle()


@test("a stream that is left early, by closing its cursor or by an error in its loop, is aborted; the next call works")
def left_early():
    endless = "SELECT chat.llm_stream('x', '" + mock.model("tokens=1000&rate=20") + "')"
    aborted = mock.stats()["aborted_by_client"]
    with alice.connection.transaction():
        alice.connection.execute("DECLARE early CURSOR FOR " + endless)
        alice.connection.execute("FETCH 2 FROM early")
        alice.connection.execute("SAVEPOINT inside")
        fails("22012", alice.value, "SELECT 1 / 0")
        alice.connection.execute("ROLLBACK TO inside")
        alice.connection.execute("CLOSE early")
        equal(alice.value("SELECT chat.llm_complete('x')"), THREE)
        wait_until(lambda: mock.stats()["aborted_by_client"] == aborted + 1, "the closed cursor's HTTP request is aborted")
    loop = f"DO $$ DECLARE opened CURSOR FOR {endless}; BEGIN FOR event IN opened LOOP PERFORM 1 / 0; END LOOP; END $$"
    fails("22012", alice.connection.execute, loop)
    wait_until(lambda: mock.stats()["aborted_by_client"] == aborted + 2, "the failed loop's HTTP request is aborted")
    equal(alice.value("SELECT chat.llm_complete('x')"), THREE)
    idle()


@test("a cursor gives rows as they are fetched; WITH HOLD keeps them all past COMMIT; both may be left open")
def cursors():
    slow = "SELECT (s).seq, (s).kind, (s).delta FROM (SELECT chat.llm_stream('x', '" + mock.model("tokens=12&rate=20") + "') AS s OFFSET 0) x"
    with alice.connection.transaction():
        alice.connection.execute(f"DECLARE live NO SCROLL CURSOR FOR {slow}")
        begin = time.monotonic()
        got = alice.rows("FETCH 1 FROM live")
        first = time.monotonic() - begin
        equal(alice.value("SELECT chat.llm_complete('beside')"), THREE)
        got += alice.rows("FETCH ALL FROM live")
        whole = time.monotonic() - begin
    diag(f"the first row after {first:.3f} s, all {len(got)} after {whole:.3f} s")
    equal(text_of(got), " ".join(f"w{i}" for i in range(12)))
    equal([row[0] for row in got], list(range(1, len(got) + 1)))
    assert whole - first > 0.3, "the rows came together"
    with alice.connection.transaction():
        alice.connection.execute(f"DECLARE held CURSOR WITH HOLD FOR {slow}")
        before = alice.rows("FETCH 2 FROM held")
    rest = alice.rows("FETCH ALL FROM held")
    equal(text_of(before + rest), " ".join(f"w{i}" for i in range(12)), "held")
    alice.connection.execute("CLOSE held")
    with alice.connection.transaction():
        alice.connection.execute(f"DECLARE left_open CURSOR FOR {slow}")
        alice.connection.execute("FETCH 1 FROM left_open")
    idle()


@test("two llm_stream calls in one select list run beside each other")
def two_streams():
    begin = time.monotonic()
    got = alice.rows("SELECT chat.llm_stream('a', %s)::text, chat.llm_stream('b', %s)::text", mock.model("tokens=10&rate=20&text=a%20b%20c%20d%20e"),
                     mock.model("tokens=10&rate=20"))
    seconds = time.monotonic() - begin
    left, right = ([row[column] for row in got if row[column] is not None] for column in (0, 1))
    diag(f"{len(left)} and {len(right)} rows in {seconds:.2f} s; the first {got[0]}")
    assert "done" in left[-1] and "done" in right[-1], got[-1]
    assert len({row.strip("()").split(",")[-1] for row in left}) == 1 and left[0].split(",")[-1] != right[0].split(",")[-1], "request ids"
    assert "w9" in right[-2], right
    idle()


@test("llm_complete beside an open llm_stream, in the same select list and while its rows come")
def beside():
    got = alice.rows("SELECT (s).kind, (s).delta, chat.llm_complete('x' || (s).seq) FROM (SELECT chat.llm_stream('y', %s) AS s OFFSET 0) x",
                     mock.model("tokens=8&rate=30"))
    equal({row[2] for row in got}, {THREE})
    equal("".join(row[1] or "" for row in got if row[0] == "content"), " ".join(f"w{i}" for i in range(8)))
    diag(f"{len(got)} rows, each with a call of its own")
    reply = alice.reply_to("x", mock.model("tokens=8&rate=30"))
    got = alice.rows("SELECT (s).kind, (s).delta, chat.llm_complete('x') FROM (SELECT chat.stream_message(%s) AS s OFFSET 0) x", reply)
    equal("".join(row[1] or "" for row in got if row[0] == "content"), alice.message(reply)["content"])


@test("from a DO block, from a function and from a trigger, which also sees the user's identity")
def from_code():
    before = calls()
    alice.connection.execute("DO $$ BEGIN PERFORM chat.llm_complete('x'); END $$")
    alice.connection.execute("CREATE TEMP TABLE review (id int, note text, summary text, person uuid)")
    alice.connection.execute("""CREATE FUNCTION pg_temp.summarise() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.summary := chat.llm_complete('Summarise: ' || NEW.note);
            NEW.person := chat.current_user_id();
            RETURN NEW;
        END $$""")
    alice.connection.execute("CREATE TRIGGER summarise BEFORE INSERT ON review FOR EACH ROW EXECUTE FUNCTION pg_temp.summarise()")
    alice.connection.execute("INSERT INTO review (id, note) SELECT i, 'note ' || i FROM generate_series(1, 4) i")
    equal(alice.rows("SELECT id, summary, person FROM review ORDER BY id"), [(i, THREE, alice.id) for i in range(1, 5)])
    equal(calls() - before, 5, "requests")
    last = mock.requests(1)[0]["body"]
    equal(json.loads(last)["messages"], [{"role": "user", "content": "Summarise: note 4"}])
    alice.connection.execute("DROP TABLE review")


@test("REPEATABLE READ and SERIALIZABLE: calls and ask work; llm_result does not see what came later, as documented")
def isolation_levels():
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        with alice.connection.transaction():
            alice.connection.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
            equal(alice.value("SELECT chat.llm_complete('x')"), THREE, level)
            conversation = alice.conversation()
            equal(alice.value("SELECT chat.ask(%s, 'x')", conversation), THREE, level)
            equal(alice.value("SELECT count(*) FROM chat.list_messages(%s)", conversation), 2, level)
    reply = alice.reply_to("x", mock.model("latency_ms=300&tokens=3"))
    with alice.connection.transaction():
        alice.connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        equal(alice.value("SELECT status FROM chat.messages WHERE id = %s", reply), "pending")
        got = alice.rows("SELECT (s).kind, (s).delta FROM (SELECT chat.stream_message(%s) AS s OFFSET 0) x", reply)
        equal(("".join(row[1] or "" for row in got), got[-1][0]), (THREE, "done"))
    with alice.connection.transaction():
        alice.connection.execute("SET TRANSACTION READ ONLY")
        equal(alice.value("SELECT chat.llm_complete('x')"), THREE, "READ ONLY")
    with connect() as other:
        request = alice.value("SELECT chat.llm_submit('x', %s)", mock.model("latency_ms=300&tokens=3"))
        with alice.connection.transaction():
            alice.connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            equal(alice.value("SELECT chat.llm_result(%s, 10000)", request), None)
            state = value(other, "SELECT state FROM chat_private.llm_requests WHERE id = %s", request)
        equal(state, "complete")
    equal(alice.value("SELECT chat.llm_result(%s)", request)["content"], THREE)


@test("system_prompt, response_format and options arrive at the provider as they were given")
def arguments():
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    alice.value("SELECT chat.llm_complete('hi', %s, system_prompt => 'Be brief.', response_format => %s, options => %s)",
                mock.model("json=%7B%22a%22%3A1%7D"), json.dumps(schema),
                json.dumps({"temperature": 0.25, "max_tokens": 7, "seed": 11, "stop": ["END"], "extra": {"logit_bias": {"5": 1}}}))
    body = json.loads(mock.requests(1)[0]["body"])
    diag(body)
    equal(body["messages"], [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}])
    equal([body.get(name) for name in ("temperature", "seed", "stop", "logit_bias")], [0.25, 11, ["END"], {"5": 1}])
    equal(body.get("max_tokens") or body.get("max_completion_tokens"), 7)
    equal(body["response_format"]["json_schema"]["schema"], schema)


@test("without an identity a call is refused; a member of pgchat_service may call without one")
def who():
    nobody = connect(user=role("pgchat_client"))
    fails("28000", value, nobody, "SELECT chat.llm_complete('x')", hint=True)
    equal(value(service(), "SELECT chat.llm_complete('x')"), THREE)


@test("an ollama provider without base_url is the one on this machine, which may be asked by plain http")
def local_ollama():
    with service() as operator:
        operator.execute("SELECT chat.admin_register_provider('local', 'ollama')")
        operator.execute("SELECT chat.admin_register_model('local', 'local-model')")
    try:
        alice.value("SELECT chat.llm_complete('x', 'local-model')")
    except psycopg.Error as error:
        # Nobody listens there, or does not know the model: but the address was not refused.
        assert error.sqlstate in ("08001", "PC103"), (error.sqlstate, str(error))


run()
