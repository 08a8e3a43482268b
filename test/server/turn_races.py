#!/usr/bin/python3
"""Turns of one conversation at the same time: one key, one text, one branch; and messages that wait for the reply before them."""

import contextlib
import json

import psycopg

from support import mock
from support.cluster import private
from support.database import Person, connect, fails, rows, value
from support.databases import kill_engine, wait_for_engine
from support.tap import Task, diag, equal, run, skip_all, test, wait_until

QUEUE = {"when_busy": "queue"}


def mark_counts(mark):
    """How often the provider got each user message that begins with the mark."""
    return {key: count for key, count in mock.stats()["by_key"].items() if key.startswith(mark)}


def messages(conversation):
    return rows(admin, "SELECT role, status, content FROM chat.messages WHERE conversation_id = %s ORDER BY id", conversation)


def told(body):
    return [message["content"] for message in json.loads(body)["messages"]]


def outcome(connection, query, *arguments):
    """The rows of a query, or the SQLSTATE of its error."""
    try:
        return rows(connection, query, *arguments)
    except psycopg.Error as error:
        return error.sqlstate


def together(count, query, *arguments):
    """Runs a query on so many connections of alice at once; gives what each came to."""
    connections = [alice.connect() for _ in range(count)]
    with connect() as gate:
        # They all queue up at a lock, so that they go together.
        gate.execute("SELECT pg_advisory_lock(1)")
        tasks = [Task(outcome, connection, "WITH gate AS MATERIALIZED (SELECT pg_advisory_lock_shared(1)) " + query, *arguments) for connection in connections]
        wait_until(lambda: value(admin, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == count, "all are at the gate", 60)
        gate.execute("SELECT pg_advisory_unlock(1)")
        got = [task.result() for task in tasks]
    for connection in connections:
        connection.close()
    return got


def wait_until_final(conversation, seconds=60):
    wait_until(lambda: value(admin, "SELECT bool_and(status NOT IN ('pending', 'streaming')) FROM chat.messages WHERE conversation_id = %s", conversation),
               "all replies have ended", seconds, 0.02)


@test("100 simultaneous sends with one key: one message, one reply, one call, and all get its ids")
def one_key():
    conversation = alice.conversation(mock.model("tokens=2"))
    got = together(100, "SELECT s.* FROM gate, chat.send_message(%s, 'key:once', idempotency_key => 'k') s", conversation)
    assert all(isinstance(one, list) for one in got), [one for one in got if not isinstance(one, list)][:5]
    equal(len({tuple(map(str, one[0])) for one in got}), 1, "different ids")
    wait_until_final(conversation)
    equal(messages(conversation), [("user", "complete", "key:once"), ("assistant", "complete", "w0 w1")])
    equal(mark_counts("key:once"), {"key:once": 1}, "calls")


@test("20 simultaneous sends of one text, where duplicates are refused: one passes")
def one_text():
    conversation = alice.conversation(mock.model("tokens=2"))
    options = json.dumps({"on_duplicate": "refuse", **QUEUE})
    got = together(20, "SELECT s.* FROM gate, chat.send_message(%s, 'key:text', options => %s) s", conversation, options)
    equal(sorted(one if isinstance(one, str) else "sent" for one in got), ["PC309"] * 19 + ["sent"])
    wait_until_final(conversation)
    equal((len(messages(conversation)), mark_counts("key:text")), (2, {"key:text": 1}))
    again = together(20, "SELECT s.* FROM gate, chat.send_message(%s, 'key:other', options => %s) s", conversation,
                     json.dumps({"on_duplicate": "return"}))
    equal(len({str(one) for one in again}), 1, "what return gives")
    wait_until_final(conversation)
    equal(mark_counts("key:other"), {"key:other": 1})


@test("two simultaneous asks of one text, where duplicates are refused: one is stored")
def asked_twice():
    conversation = alice.conversation(mock.model("tokens=2&latency_ms=300"))
    got = together(2, "SELECT chat.ask(%s, 'asked', options => '{\"on_duplicate\": \"refuse\"}') FROM gate", conversation)
    equal(sorted(one if isinstance(one, str) else "asked" for one in got), ["PC309", "asked"])
    equal(len(messages(conversation)), 2)


@test("20 simultaneous regenerations of one reply: one is made, the others are told that it is in progress")
def one_regeneration():
    conversation = alice.conversation(mock.model("hang=head"))
    question, reply, _ = alice.send(conversation, "x")
    alice.value("SELECT chat.cancel_message(%s)", reply)
    wait_until_final(conversation)
    got = together(20, "SELECT r.* FROM gate, chat.regenerate_message(%s) r", reply)
    equal(sorted(one if isinstance(one, str) else "made" for one in got), ["55006"] * 19 + ["made"])
    equal(value(admin, "SELECT count(*) FROM chat.messages WHERE parent_id = %s", question), 2)
    equal(outcome(alice.connection, "SELECT chat.retry_message(%s)", reply), "55006", "a retry beside it")
    alice.value("SELECT chat.cancel_message(active_leaf_id) FROM chat.conversations WHERE id = %s", conversation)
    wait_until_final(conversation)


@test("edits and sends at the same time: every message is there, each on a branch of its own or refused")
def edit_against_send():
    conversation = alice.conversation(mock.model("tokens=1&latency_ms=100"))
    question, reply, _ = alice.send(conversation, "first")
    wait_until_final(conversation)
    connections = [alice.connect() for _ in range(16)]
    tasks = [Task(outcome, connection, "SELECT e.user_message_id FROM chat.edit_message(%s, %s) e" if number % 2 else
                  "SELECT s.user_message_id FROM chat.send_message(%s, %s, parent_id => '" + str(reply) + "') s",
                  question if number % 2 else conversation, f"n{number}") for number, connection in enumerate(connections)]
    got = [task.result() for task in tasks]
    equal([one for one in got if isinstance(one, str)], [], "edits and sends below a final reply are no conflict")
    wait_until_final(conversation)
    found = rows(admin, "SELECT m.content, m.parent_id FROM chat.messages m WHERE m.conversation_id = %s AND m.role = 'user' ORDER BY m.content", conversation)
    equal(len(found), 17, "messages")
    equal({parent for content, parent in found if content == "first" or int(content[1:]) % 2}, {None}, "edits are beginnings")
    equal({parent for content, parent in found if content != "first" and int(content[1:]) % 2 == 0}, {reply}, "sends follow the reply")
    equal(alice.value("SELECT max(sibling_count) FROM chat.list_messages(%s, %s)", conversation, reply), 9)
    leaf = value(admin, "SELECT active_leaf_id FROM chat.conversations WHERE id = %s", conversation)
    equal(value(admin, "SELECT count(*) FROM chat.messages WHERE parent_id = %s", leaf), 0, "the active leaf is one")


@test("20 simultaneous sends that may wait make one chain, which is answered in its order, one at a time")
def simultaneous_chain():
    conversation = alice.conversation(mock.model("tokens=1"))
    got = together(20, "SELECT s.* FROM gate, chat.send_message(%s, 'same', options => %s) s", conversation, json.dumps(QUEUE))
    assert all(isinstance(one, list) for one in got), got
    wait_until_final(conversation)
    branch = alice.rows("SELECT role, status FROM chat.list_messages(%s)", conversation)
    equal(branch, [("user", "complete"), ("assistant", "complete")] * 20)
    overlaps = value(admin, """SELECT count(*) FROM chat_private.llm_requests a JOIN chat_private.llm_requests b ON a.id < b.id
        AND a.conversation_id = b.conversation_id AND a.started_at < b.finished_at AND b.started_at < a.finished_at WHERE a.conversation_id = %s""", conversation)
    equal(overlaps, 0, "replies that were in progress together")


@test("five messages that wait are answered in their order; each is told all that came before")
def chain():
    mock.reset()
    conversation = alice.conversation(mock.model("echo=1"))
    first = alice.rows("SELECT * FROM chat.send_message(%s, 'key:c0', model => %s)", conversation, mock.model("hang=head"))[0]
    sent = [alice.send(conversation, f"key:c{n}", **QUEUE) for n in range(1, 6)]
    equal([state for state, in rows(admin, "SELECT state FROM chat_private.llm_requests WHERE id = ANY (%s) ORDER BY id", [one[2] for one in sent])],
          ["waiting"] * 5)
    fails("55006", alice.send, conversation, "refused", hint=True)
    equal(alice.value("SELECT chat.cancel_message(%s)", first[1]), True)
    wait_until_final(conversation)
    equal(alice.rows("SELECT role, status, content FROM chat.list_messages(%s)", conversation),
          [("user", "complete", "key:c0"), ("assistant", "cancelled", "")]
          + [row for n in range(1, 6) for row in (("user", "complete", f"key:c{n}"), ("assistant", "complete", f"key:c{n}"))])
    equal([told(request["body"]) for request in mock.requests(5)],
          [["key:c0"] + [f"key:c{k}" for k in range(1, n) for _ in (0, 1)] + [f"key:c{n}"] for n in range(1, 6)])
    equal(alice.value("SELECT chat.llm_result(%s) ->> 'status'", sent[4][2]), "complete")


@test("a reply that waits is read like any other: stream_message begins when it does")
def stream_of_waiting():
    conversation = alice.conversation(mock.model("tokens=3&latency_ms=300"))
    alice.send(conversation, "x")
    reply = alice.send(conversation, "y", **QUEUE)[1]
    equal("".join(delta for kind, delta in alice.rows("SELECT (s).kind, (s).delta FROM (SELECT chat.stream_message(%s) AS s OFFSET 0) x", reply)
                  if kind == "content"), "w0 w1 w2")


@test("send_and_wait that may wait returns its own reply; cancelling what is in progress lets the next go, and keeps what had arrived")
def cancel_lets_go():
    conversation = alice.conversation(mock.model("tokens=3&rate=0&hang=body"))
    stuck = alice.send(conversation, "x")[1]
    wait_until(lambda: alice.message(stuck)["status"] == "streaming", "the first token is saved")
    kept = alice.message(stuck)["content"]
    assert kept, "no text"
    second = alice.connect()
    task = Task(value, second, "CALL chat.send_and_wait(%s, 'y', NULL, NULL, %s, options => %s)", conversation, mock.model("tokens=2"), json.dumps(QUEUE))
    wait_until(lambda: value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE state = 'waiting' AND conversation_id = %s", conversation) == 1, "it waits")
    equal(alice.value("SELECT chat.cancel_message(%s)", stuck), True)
    equal(task.result(), "w0 w1")
    equal((alice.message(stuck)["status"], alice.message(stuck)["content"]), ("cancelled", kept))


@test("a failed reply lets the next go, and is not told")
def failure_lets_go():
    conversation = alice.conversation(mock.model("status=400&latency_ms=300"))
    failing = alice.send(conversation, "key:f0")[1]
    reply = alice.rows("SELECT * FROM chat.send_message(%s, 'key:f1', model => %s, options => %s)", conversation, mock.model("echo=1"), json.dumps(QUEUE))[0][1]
    wait_until_final(conversation)
    equal((alice.message(failing)["status"], alice.message(reply)["content"]), ("error", "key:f1"))
    equal(told(mock.requests(1)[0]["body"]), ["key:f0", "key:f1"])


@test("while a client holds a reply's end back, what waits for it stays; it goes when the reply has ended")
def held_by_client():
    conversation = alice.conversation(mock.model("hang=head"))
    aborted = mock.stats()["aborted_by_client"]
    reply = alice.send(conversation, "key:held")[1]
    wait_until(lambda: mark_counts("key:held"), "the provider has the request")
    other = alice.connect()
    with other.transaction():
        waiting = rows(other, "SELECT * FROM chat.send_message(%s, 'y', model => %s, options => %s)", conversation, mock.model("tokens=1"), json.dumps(QUEUE))[0]
        equal(alice.value("SELECT chat.cancel_message(%s)", reply), True)
        wait_until(lambda: mock.stats()["aborted_by_client"] > aborted, "the call is aborted")
        equal(alice.message(reply)["status"], "pending", "what cannot be recorded yet")
    wait_until_final(conversation)
    equal((alice.message(reply)["status"], alice.message(waiting[1])["status"]), ("cancelled", "complete"))


@test("cancelling neighbours of a chain at the same time ends them all, and what remains is answered")
def cancel_together():
    for _ in range(10):
        conversation = alice.conversation(mock.model("hang=head"))
        replies = [alice.send(conversation, f"n{n}", **QUEUE)[1] for n in range(7)]
        last = alice.rows("SELECT * FROM chat.send_message(%s, 'last', model => %s, options => %s)", conversation, mock.model("tokens=1"), json.dumps(QUEUE))[0]
        connections = [alice.connect() for _ in replies[1:]]
        tasks = [Task(outcome, connection, "SELECT chat.cancel_message(%s)", reply) for connection, reply in zip(connections, replies[1:])]
        equal([task.result() for task in tasks], [[(True,)]] * 6)
        equal(value(admin, "SELECT (state, waits_for)::text FROM chat_private.llm_requests WHERE id = %s", last[2]), f"(waiting,{replies[0]})")
        equal(alice.value("SELECT chat.cancel_message(%s)", replies[0]), True)
        wait_until_final(conversation)
        equal([alice.message(reply)["status"] for reply in [*replies, last[1]]], ["cancelled"] * 7 + ["complete"])


@test("a disabled account's waiting requests are called off with the others")
def disabled():
    bob = Person("bob")
    conversation = bob.conversation(mock.model("hang=head"))
    bob.send(conversation, "x")
    for _ in range(3):
        bob.send(conversation, "y", **QUEUE)
    value(admin, "SELECT chat.admin_set_active(%s, false)", bob.id)
    wait_until_final(conversation)
    equal({status for role, status, _ in messages(conversation) if role == "assistant"}, {"cancelled"})


@test("kill -9 of the engine while one reply is under way and three wait: the three are answered, each once")
def killed():
    with private("turn_races"):
        mock._registered.clear()
        wait_for_engine()
        mock.reset()
        carol = Person("carol")
        conversation = carol.conversation(mock.model("hang=body&tokens=3"))
        carol.send(conversation, "key:k0")
        waiting = [carol.rows("SELECT * FROM chat.send_message(%s, %s, model => %s, options => %s)", conversation, f"key:k{n}", mock.model("echo=1"),
                              json.dumps(QUEUE))[0][1] for n in range(1, 4)]
        wait_until(lambda: mark_counts("key:k") == {"key:k0": 1}, "the first is under way")
        kill_engine()
        with connect() as new:
            wait_until(lambda: value(new, "SELECT count(*) FROM chat.messages WHERE id = ANY (%s) AND status = 'complete'", waiting) == 3, "the three are answered", 60)
            equal(rows(new, "SELECT content FROM chat.messages WHERE id = ANY (%s) ORDER BY id", waiting), [(f"key:k{n}",) for n in range(1, 4)])
            diag(rows(new, "SELECT status, error ->> 'code' FROM chat.messages WHERE role = 'assistant' ORDER BY id LIMIT 1"))
        equal(mark_counts("key:k"), {f"key:k{n}": 1 for n in range(4)})
    mock._registered.clear()


if not mock.PORT:
    skip_all("no mock provider")
admin = connect()
alice = Person("alice")
with contextlib.suppress(Exception):
    mock.reset()
run()
