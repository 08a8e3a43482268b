#!/usr/bin/python3
# The main job on a real model: a person registers, logs in, sends messages and watches the tokens; nobody else sees any.
import json
import os
import time

from support import mock
from support.database import (EVENTS, PASSWORD, Person, connect, events, fails, read, role, rows, service, text_of, value)
from support.tap import Task, diag, equal, run, skip_all, test, wait_until

if "PGCHAT_LLAMA_PORT" not in os.environ:
    skip_all(os.environ.get("PGCHAT_LLAMA_SKIP", "there is no llama-server"))

LLAMA = f"http://127.0.0.1:{os.environ['PGCHAT_LLAMA_PORT']}"
GREEDY = {"temperature": 0, "max_tokens": 60}
LONG = {"temperature": 0, "max_tokens": 400, "extra": {"ignore_eos": True}}
START = "Once upon a time"
mock.register_provider("llama", LLAMA + "/v1")
mock.register_model("llama", "stories")
mock.set_default("stories")
alice, bob = Person("alice"), Person("bob")


@test("register, login, authenticate, create_conversation and ask: the model writes of Lily")
def first_turn():
    client = connect(user=role("pgchat_client"))
    address = f"carol{time.time_ns()}@example.com"
    user_id = value(client, "SELECT chat.register(%s, %s)", address, PASSWORD)
    token, logged_in, expires_at, mfa = rows(client, "SELECT * FROM chat.login(%s, %s)", address, PASSWORD)[0]
    equal((logged_in, mfa), (user_id, False))
    with client.transaction():
        equal(value(client, "SELECT chat.authenticate(%s)", token), user_id)
        conversation = value(client, "SELECT chat.create_conversation('A story')")
        reply = value(client, "SELECT chat.ask(%s, %s, options => %s)", conversation, START, json.dumps(GREEDY))
    diag(f"reply: {reply!r}; the session ends {expires_at}")
    assert "Lily" in reply, reply
    equal(value(client, "SELECT chat.current_user_id()"), None, "the identity after COMMIT")


@test("a second turn carries the first: its input tokens are more")
def second_turn():
    conversation = alice.conversation()
    for content in (START, "What did Lily do then?"):
        alice.value("SELECT chat.ask(%s, %s, options => %s)", conversation, content, json.dumps(GREEDY))
    turns = alice.rows("SELECT role, content, input_tokens, output_tokens, status FROM chat.list_messages(%s)", conversation)
    equal([turn[0] for turn in turns], ["user", "assistant", "user", "assistant"])
    equal([turn[4] for turn in turns], ["complete"] * 4)
    diag(f"input tokens {turns[1][2]} then {turns[3][2]}; output tokens {turns[1][3]} and {turns[3][3]}")
    assert turns[3][2] >= turns[1][2] + turns[1][3], turns


@test("stream_message: the first delta reaches a row-by-row client before the last is generated")
def live_tokens():
    reply = alice.reply_to(START, **LONG)
    got = list(events(alice.connection, reply))
    first, last = got[0][3], got[-1][3]
    generated = alice.value("SELECT extract(epoch FROM updated_at)::float8 FROM chat.messages WHERE id = %s", reply)
    for event in got[:3] + got[-2:]:
        diag(f"seq {event[0]:3} at +{(event[3] - first) * 1000:8.2f} ms {event[1]} {event[2]!r}")
    diag(f"{len(got)} events; first {first:.6f}, last {last:.6f}, reply stored {generated:.6f}")
    row = alice.message(reply)
    equal(text_of(got), row["content"], "the deltas together")
    assert len(got) > 2, "too few events to say anything"
    # Half of the model's own time, which is long against a round trip.
    assert last - first > (row["latency_ms"] - row["first_token_ms"]) / 2000, "the events came together"
    assert first < generated and first + 0.05 < last, "the first came with the last"


def early_and_late():
    """A reply, its status when the second reader had its first row, and what each of the two saw."""
    # Connected beforehand: the late one attaches after the first events, while the reply is not finished.
    early_connection, late_connection, seen = alice.connect(), alice.connect(), []
    reply = alice.reply_to(START, **LONG)

    def early():
        for event in events(early_connection, reply):
            seen.append(event[:3])

    def late():
        wait_until(lambda: len(seen) >= 2 or not first.is_alive(), "two events at the early reader", pause=0.001)
        got, status, attached = [], None, None
        for event in events(late_connection, reply):
            if not got:
                status, attached = alice.message(reply)["status"], time.time()
            got.append(event[:3])
        return status, attached, got

    first = Task(early)
    second = Task(late)
    first.result()
    status, attached, got = second.result()
    diag(f"{len(seen)} and {len(got)} events; the late one had its first when the status was {status}, at {attached:.6f}")
    return reply, status, seen, got


@test("two sessions read one reply at once, one of them attaching late: byte-identical rows")
def two_readers():
    # The model is fast: another reply is looked at where one was finished before the late reader was there.
    for _ in range(10):
        reply, status, seen, got = early_and_late()
        if status in ("pending", "streaming"):
            break
    assert status in ("pending", "streaming"), "each reply was finished before the late one attached"
    equal(got, seen)
    equal([event[0] for event in seen], list(range(1, len(seen) + 1)), "seq")
    equal(text_of(seen), alice.message(reply)["content"])
    after = read(alice.connect(), reply)
    equal((text_of(after), after[-1]), (text_of(seen), seen[-1]), "a third reader, after the end")
    equal(read(alice.connect(), reply, 3), seen[3:], "a fourth, from seq 4, after the end")


@test("a turn reads back through list_messages, as ids, text, hash and tokens")
def read_back():
    conversation = alice.conversation(system_prompt="You tell stories.")
    question, reply, _ = alice.send(conversation, START, **GREEDY)
    got = read(alice.connection, reply)
    found = alice.rows("SELECT id, role, status, content, content_hash = sha256(content::bytea), parent_id, finish_reason, output_tokens"
                       " FROM chat.list_messages(%s)", conversation)
    diag(found[1])
    equal(found[0][:6], (question, "user", "complete", START, True, None))
    equal(found[1][:6], (reply, "assistant", "complete", text_of(got), True, question))
    assert found[1][6] in ("stop", "length") and found[1][7] > 0, found[1]


@test("llm_complete, llm_complete_json and llm_stream agree at temperature 0")
def immediate_calls():
    options = json.dumps(GREEDY)
    text = alice.value("SELECT chat.llm_complete(%s, options => %s)", START, options)
    whole = alice.value("SELECT chat.llm_complete_json(%s, options => %s)", START, options)
    call = "chat.llm_stream(%s, options => %s)"
    streamed = alice.rows(EVENTS.format(call=call), START, options)
    equal(set(whole), {"content", "thinking", "tool_calls", "finish_reason", "model", "usage", "cost", "latency_ms", "request_id"})
    equal(whole["content"], text)
    equal(text_of(streamed), text)
    equal(streamed[-1][1], "done")
    equal(len({event[3] for event in streamed}), 1, "request ids")
    by_messages = alice.value("SELECT chat.llm_complete(%s::jsonb, options => %s)",
                              json.dumps([{"role": "user", "content": START}]), options)
    equal(by_messages, text)
    diag(f"{len(streamed)} events, usage {whole['usage']}, {whole['latency_ms']} ms, {whole['finish_reason']}")
    assert "Lily" in text and whole["usage"]["input_tokens"] > 0 and 0 < whole["usage"]["output_tokens"] <= 60


@test("structured output: the reply is JSON of the schema asked for")
def structured():
    schema = {"type": "object", "properties": {"name": {"type": "string", "enum": ["Lily", "Tom"]}}, "required": ["name"],
              "additionalProperties": False}
    text = alice.value("SELECT chat.llm_complete(%s, response_format => %s, options => %s)", START, json.dumps(schema),
                       json.dumps(GREEDY))
    diag(text)
    assert json.loads(text)["name"] in ("Lily", "Tom")


@test("the Anthropic form, against the same server: the same words, streamed and whole")
def anthropic_form():
    mock.register_provider("llama-anthropic", LLAMA, "anthropic")
    mock.register_model("llama-anthropic", "stories-anthropic", provider_model="stories")
    conversation = alice.conversation("stories-anthropic")
    reply = alice.value("SELECT chat.ask(%s, %s, options => %s)", conversation, START, json.dumps(GREEDY))
    assert "Lily" in reply, reply
    streamed = alice.reply_to(START, "stories-anthropic", **GREEDY)
    got = read(alice.connection, streamed)
    row = alice.message(streamed)
    diag(f"{len(got)} events, {row['input_tokens']} and {row['output_tokens']} tokens, {row['finish_reason']}: {reply!r}")
    equal(text_of(got), reply)
    assert got[-1][1] == "done" and row["input_tokens"] > 0 and row["output_tokens"] > 0


@test("a second user is refused everywhere, and nobody without an identity sees anything")
def second_user():
    conversation = alice.conversation()
    question, reply, request = alice.send(conversation, START, **GREEDY)
    read(alice.connection, reply)
    equal(bob.rows("SELECT * FROM chat.list_conversations() WHERE id = %s", conversation), [])
    for relation in ("conversations", "messages"):
        key = "id = %s" if relation == "conversations" else "conversation_id = %s"
        equal(bob.value(f"SELECT count(*) FROM chat.{relation} WHERE {key}", conversation), 0, relation)
        equal(alice.value(f"SELECT count(*) > 0 FROM chat.{relation} WHERE {key}", conversation), True, relation)
    equal(bob.connection.execute("UPDATE chat.conversations SET title = 'mine' WHERE id = %s", (conversation,)).rowcount, 0)
    refused = [("P0002", query, key) for query, key in (
        ("SELECT chat.list_messages(%s)", conversation), ("SELECT chat.ask(%s, 'x')", conversation),
        ("SELECT chat.send_message(%s, 'x')", conversation), ("CALL chat.send_and_wait(%s, 'x')", conversation),
        ("SELECT chat.stream_message(%s)", reply), ("SELECT chat.read_stream(%s)", reply),
        ("SELECT chat.cancel_message(%s)", reply), ("SELECT chat.retry_message(%s)", reply),
        ("SELECT chat.llm_result(%s)", request), ("SELECT chat.llm_cancel(%s)", request))]
    refused += [("42501", query, None) for query in (
        "SELECT chat.stream_gateway()", "SELECT chat.engine_status()", "SELECT chat.admin_set_default_model('stories')",
        "SELECT 1 FROM chat_private.llm_requests", "DELETE FROM chat.messages")]
    for sqlstate, query, key in refused:
        arguments = (key,) if key else ()
        error = fails(sqlstate, bob.rows, query, *arguments)
        diag(f"{sqlstate} {query}: {str(error).splitlines()[0]}")
    nobody = connect(user=role("pgchat_client"))
    for sqlstate, query, key in refused[:10]:
        fails("28000", rows, nobody, query, key)
    equal(value(nobody, "SELECT count(*) FROM chat.messages"), 0)
    before = alice.rows("SELECT id, content, status FROM chat.list_messages(%s)", conversation)
    equal([row[0] for row in before], [question, reply], "alice's turn, untouched")


@test("the gateway shows a service the same events that the user sees")
def gateway():
    reader = service()
    reader.execute("SET statement_timeout = '30s'")
    got, opened = [], []

    def follow():
        with reader.cursor() as cursor:
            for row in cursor.stream("SELECT (g).message_id, (g).user_id, (g).seq, (g).kind, (g).delta"
                                     " FROM (SELECT chat.stream_gateway() AS g OFFSET 0) s"):
                got.append(row)
                if opened and row[0] == opened[0] and row[3] == "done":
                    return

    before = value(connect(), "SELECT readers FROM chat.engine_status()")
    task = Task(follow)
    wait_until(lambda: value(connect(), "SELECT readers FROM chat.engine_status()") > before, "the gateway is open")
    conversation = alice.conversation()
    alice.connection.execute("BEGIN")
    reply = alice.send(conversation, START, **GREEDY)[1]
    opened.append(reply)
    alice.connection.execute("COMMIT")
    mine = read(alice.connection, reply)
    task.result()
    equal([row[2:] for row in got if row[0] == reply], mine)
    equal({row[1] for row in got if row[0] == reply}, {alice.id})
    diag(f"{len(mine)} events")


run()
