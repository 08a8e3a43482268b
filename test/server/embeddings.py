#!/usr/bin/python3
# chat.llm_embed: vectors of one text and of many, from all families that have them.
import json
import math

from support import mock
from support.database import Person, connect, engine, fails, role, service, value
from support.tap import Skip, diag, equal, run, test, wait_until

alice = Person("alice")
admin = connect()
mock.register_provider("echo", None, "echo")
mock.register_model("echo", "echo-embed", input_price=2)


def norm(vector):
    return math.sqrt(sum(component * component for component in vector))


def similar(left, right):
    return sum(a * b for a, b in zip(left, right)) / norm(left) / norm(right)


@test("one text: the same text has the same vector, and texts with words in common are nearer")
def one():
    fails("PC003", alice.value, "SELECT chat.llm_embed('x')", hint=True)
    fails("42704", value, admin, "SELECT chat.admin_set_setting('default_embedding_model', '\"no such\"')")
    value(admin, "SELECT chat.admin_set_setting('default_embedding_model', '\"echo-embed\"')")
    cat = alice.value("SELECT chat.llm_embed('the cat sat on the mat')")
    equal(len(cat), 16)
    assert abs(norm(cat) - 1) < 1e-5, norm(cat)
    equal(alice.value("SELECT chat.llm_embed('the cat sat on the mat', 'echo-embed')"), cat)
    near, far = (alice.value("SELECT chat.llm_embed(%s)", text) for text in ("the cat sat on the hat", "quarterly revenue grew"))
    diag(f"near {similar(cat, near):.3f}, far {similar(cat, far):.3f}")
    assert similar(cat, near) > similar(cat, far)
    equal(len(alice.value("SELECT chat.llm_embed('x', options => '{\"dimensions\": 256}')")), 256)
    equal(alice.value("SELECT pg_typeof(chat.llm_embed('x'))::text"), "real[]")


@test("many texts: in order, NULL for NULL, in requests of 128")
def many():
    got = alice.rows("SELECT * FROM chat.llm_embed(ARRAY['a b', NULL, 'c', 'a b'])")
    equal([row[0] for row in got], [1, 2, 3, 4])
    equal((got[1][1], got[0][1] == got[3][1], got[0][1] == got[2][1]), (None, True, False))
    before = mock.stats()["requests"]
    got = alice.rows("SELECT * FROM chat.llm_embed(%s::text[], %s)", [f"text {i}" for i in range(300)], mock.model("dims=4"))
    equal((len(got), {len(row[1]) for row in got}), (300, {4}))
    equal(mock.stats()["requests"] - before, 3, "requests")
    sizes = [len(json.loads(request["body"])["input"]) for request in mock.requests(3)]
    equal(sorted(sizes), [44, 128, 128])
    echoed = alice.rows("SELECT * FROM chat.llm_embed(%s::text[])", [f"text {i}" for i in range(300)])
    equal(echoed[290][1], alice.value("SELECT chat.llm_embed('text 290')"), "the vector of a late text")
    equal(alice.rows("SELECT * FROM chat.llm_embed('{}'::text[])"), [])
    equal(alice.rows("SELECT * FROM chat.llm_embed('{NULL}'::text[])"), [(1, None)])


@test("usage is recorded: tokens in, none out, and what they cost")
def usage():
    alice.value("SELECT chat.llm_embed('one two three four five six seven')")
    query = "SELECT output_tokens, cost, outcome, is_estimated FROM chat.usage_events WHERE user_id = %s AND input_tokens = 7"
    row = wait_until(lambda: admin.execute(query, (alice.id,)).fetchone(), "its usage event")
    equal((row[0], float(row[1]), row[2], row[3]), (0, 0.000014, "complete", False))


@test("what is wrong is refused before anything is sent, and what a family has not is 0A000")
def refused():
    fails("22004", alice.value, "SELECT chat.llm_embed(NULL::text)", hint=True)
    fails("2200F", alice.value, "SELECT chat.llm_embed(' ')", hint=True)
    fails("2200F", alice.rows, "SELECT * FROM chat.llm_embed(ARRAY['a', ''])", hint=True)
    fails("22004", alice.rows, "SELECT * FROM chat.llm_embed(NULL::text[])", hint=True)
    fails("42704", alice.value, "SELECT chat.llm_embed('x', 'no such model')", hint=True)
    fails("42704", alice.value, "SELECT chat.llm_embed('x', '')", hint=True)
    fails("22023", alice.value, "SELECT chat.llm_embed('x', timeout_ms => 0)", hint=True)
    for options in ('{"temperature": 1}', '{"dimensions": 0}', '{"dimensions": "many"}', '{"extra": 1}', "[]"):
        fails("PC002", alice.value, "SELECT chat.llm_embed('x', options => %s)", options, hint=True)
    fails("28000", value, connect(user=role("pgchat_client")), "SELECT chat.llm_embed('x')", hint=True)
    equal(len(value(service(), "SELECT chat.llm_embed('x')")), 16)
    fails("0A000", alice.value, "SELECT chat.llm_embed('x', %s)", mock.model(kind="anthropic"), hint=True)
    fails("PC103", alice.value, "SELECT chat.llm_embed('x', %s)", mock.model("status=400"))
    fails("PC101", alice.value, "SELECT chat.llm_embed('x', %s, timeout_ms => 300)", mock.model("hang=head"))
    wait_until(lambda: engine(admin)["calls_in_flight"] == 0, "the engine is idle")


@test("a vector casts to pgvector's type, and a table is searched by it")
def pgvector():
    if not value(admin, "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'"):
        raise Skip("pgvector is not installed")
    admin.execute("CREATE EXTENSION vector")
    alice.connection.execute("CREATE TEMP TABLE note (body text, place vector(16))")
    alice.connection.execute("""INSERT INTO note SELECT b.body, e.embedding::vector
        FROM (SELECT array_agg(body) AS bodies FROM unnest(ARRAY['red apples', 'green apples', 'fast cars']) body) q,
             LATERAL chat.llm_embed(q.bodies) e, LATERAL (SELECT q.bodies[e.idx] AS body) b""")
    equal(alice.value("SELECT body FROM note ORDER BY place <=> chat.llm_embed('fast green cars')::vector LIMIT 1"), "fast cars")


run()
