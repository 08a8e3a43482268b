#!/usr/bin/python3
# Moving conversations where others do things at the same time, and going on with what was imported.
import copy
import json
import random

import psycopg

from support.database import Person, connect, value
from support.scripted import Scripted
from support.tap import Task, diag, equal, run, test, wait_until

alice, bob = Person("alice"), Person("bob")
admin = connect()
provider = Scripted()
models = provider.register()
IMPORT = "SELECT status, messages, reason FROM chat.import_conversations(%s::text)"


def document(name, count=2):
    messages = [{"id": str(n), "parent_id": str(n - 1) if n else None, "role": ("user", "assistant")[n % 2], "content": f"{name} {n}"} for n in range(count)]
    return json.dumps({"format": "pgchat", "version": 1, "id": name, "title": name, "messages": messages})


def conversations(person):
    return value(admin, "SELECT count(*) FROM chat.conversations WHERE user_id = %s", person.id)


def second_of_two(name, ending):
    """What an import gives that begins while another of the same file is under way, which then ends so."""
    one, two = alice.connect(), alice.connect()
    two_pid = value(two, "SELECT pg_backend_pid()")
    one.execute("BEGIN")
    equal(one.execute(IMPORT, (document(name),)).fetchall(), [("imported", 2, None)])
    late = Task(lambda: two.execute(IMPORT, (document(name),)).fetchall())
    wait_until(lambda: value(admin, "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s", two_pid), "the second one waits")
    one.execute(ending)
    return late.result()


@test("two imports of one file at the same time make one conversation, also where the first is undone")
def at_once():
    before = conversations(alice)
    equal(second_of_two("committed", "COMMIT"), [("unchanged", 0, None)])
    equal(second_of_two("undone", "ROLLBACK"), [("imported", 2, None)])
    equal(conversations(alice) - before, 2)


@test("an import that is cancelled leaves nothing")
def cancelled():
    before = conversations(bob)
    file = "[" + ",".join(document(f"many {n}", 10) for n in range(5000)) + "]"
    connection = bob.connect()
    connection.execute("SET statement_timeout = '100ms'")
    try:
        connection.execute(IMPORT, (file,))
        raise AssertionError("5000 conversations in 100 ms")
    except psycopg.errors.QueryCanceled as error:
        diag(str(error).splitlines()[0])
    equal(conversations(bob), before)


@test("all conversations come out through COPY, a line each, and go in as they are")
def lines():
    bob.rows(IMPORT, "[" + ",".join(document(f"line {n}", 20) for n in range(50)) + "]")
    with bob.connection.cursor() as cursor, cursor.copy("COPY (SELECT chat.export_conversations()) TO STDOUT") as copy:
        copy.set_types(["text"])
        texts = [row[0] for row in copy.rows()]
    equal(len(texts), conversations(bob))
    equal(sum(len(json.loads(text)["messages"]) for text in texts), value(admin, "SELECT count(*) FROM chat.messages WHERE user_id = %s", bob.id))
    carol = Person("carol")
    equal({row[0] for row in carol.rows(IMPORT, "\n".join(texts))}, {"imported"})
    equal(carol.value("SELECT count(*) FROM chat.export_conversations()"), len(texts))


@test("a conversation of ChatGPT with a tool is continued by every family of models, with all that was said")
def continued():
    nodes = [("user", "all", "text", "What is 6 * 7?"), ("assistant", "python", "code", "print(6 * 7)"), ("tool", "all", "execution_output", "42"),
             ("assistant", "all", "text", "It is 42.")]
    mapping = {str(n): {"parent": str(n - 1) if n else None, "children": [str(n + 1)], "message": {
        "author": {"role": role}, "recipient": recipient, "create_time": 1700000000 + n,
        "content": {"content_type": kind, **({"parts": [text]} if kind == "text" else {"text": text})}}} for n, (role, recipient, kind, text) in enumerate(nodes)}
    for kind, model in models.items():
        got = alice.rows("SELECT conversation_id, status, messages FROM chat.import_conversations(%s::text)",
                         json.dumps([{"title": "sums", "conversation_id": kind, "current_node": "3", "mapping": mapping}]))
        equal(got[0][1:], ("imported", 4))
        provider.replies = ["So I said."]
        _, reply, _ = alice.rows("SELECT * FROM chat.send_message(%s, 'Sure?', model => %s)", got[0][0], model)[0]
        wait_until(lambda: alice.message(reply)["status"] == "complete", f"{kind} answers")
        told = provider.bodies[-1]["messages"]
        equal((told[0]["role"], told[-1]["role"]), ("user", "user"), kind)
        assert "print(6 * 7)" in json.dumps(told) and "It is 42." in json.dumps(told) and "Sure?" in json.dumps(told[-1]), told
    openai = provider.bodies[-len(models)]["messages"]
    equal([message["role"] for message in openai], ["user", "assistant", "tool", "assistant", "user"])
    equal(openai[2]["tool_call_id"], openai[1]["tool_calls"][0]["id"])


def places(node, path=()):
    """The paths to all values of a document but itself."""
    for key in node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        yield (*path, key)
        yield from places(node[key], (*path, key))


JUNK = (None, 0, -1, 1e300, 10**30, "", "1", "x", "9999-99-99", "infinity", True, [], {}, [None], [{}], {"a": None}, "data:image/png;base64,!!")
CHATGPT = {"title": "t", "conversation_id": "g", "create_time": 1.5, "current_node": "b", "mapping": {
    "a": {"parent": None, "children": ["b"], "message": {"author": {"role": "user"}, "create_time": 1, "content": {"content_type": "text", "parts": ["x"]}, "metadata": {"attachments": [{"name": "n"}]}}},
    "b": {"parent": "a", "children": [], "message": {"author": {"role": "assistant"}, "recipient": "python", "content": {"content_type": "code", "text": "x"}}}}}
OPEN_WEBUI = {"id": "o", "title": "t", "created_at": 1, "meta": {"tags": ["t"]}, "chat": {"history": {"currentId": "a", "messages": {
    "a": {"parentId": None, "role": "user", "content": "x", "timestamp": 1, "files": [{"type": "image", "url": "data:text/plain;base64,eHh4"}], "usage": {"prompt_tokens": 1}}}}}}


@test("whatever stands where in a file, each item is imported wholly or fails by itself, and what was imported can be exported")
def damaged():
    chance = random.Random(5)
    erin = Person("erin")
    ours = {**json.loads(document("ours")), "folder": ["f"], "tags": ["t"], "created_at": "2024-01-01T00:00:00Z", "context_reserve": 5, "active_leaf_id": "1",
            "summaries": [{"last_message_id": "1", "content": "s"}], "attachments": [{"sha256": "l", "media_type": "text/plain", "data": "eHh4"}]}
    ours["messages"][0]["attachments"] = [{"sha256": "l", "name": "n"}]
    items = []
    for n in range(600):
        item = copy.deepcopy(chance.choice((CHATGPT, OPEN_WEBUI, ours)))
        item["conversation_id" if "mapping" in item else "id"] = f"damaged {n}"
        for _ in range(chance.randint(1, 4)):
            path = chance.choice(list(places(item)))
            within = item
            for key in path[:-1]:
                within = within[key]
            within[path[-1]] = copy.deepcopy(chance.choice(JUNK))
        items.append(item)
    got = erin.rows("SELECT status, conversation_id, messages, reason FROM chat.import_conversations(%s::text) ORDER BY idx", json.dumps(items))
    equal(len(got), len(items))
    stored = {row[1]: row[2] for row in got if row[0] == "imported"}
    diag(f"{len(stored)} of {len(items)} imported")
    assert 100 < len(stored) < len(items), got[:20]
    for status, conversation, messages, reason in got:
        equal((conversation is None, messages == 0 or status == "imported", reason is not None or status != "failed"), (status == "failed", True, True), str(reason))
    equal(value(admin, "SELECT count(*) FROM chat.conversations WHERE user_id = %s", erin.id), len(stored))
    for conversation, messages in stored.items():
        exported = json.loads(erin.value("SELECT chat.export_conversation(%s)", conversation))
        equal(len(exported["messages"]), messages)
        erin.value("SELECT chat.export_conversation(%s, 'markdown') || chat.export_conversation(%s, 'openai')", conversation, conversation)


@test("a thousand conversations of twenty messages are imported in seconds")
def many():
    dave = Person("dave")
    file = "[" + ",".join(document(f"bulk {n}", 20) for n in range(1000)) + "]"
    equal(dave.rows("SELECT status, count(*), sum(messages) FROM chat.import_conversations(%s::text) GROUP BY 1", file), [("imported", 1000, 20000)])


run()
