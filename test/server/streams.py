#!/usr/bin/python3
# Reading replies as they come: from any session, any sequence number, by many at once, and after the end.
import json
import time

from support import mock
from support.database import (EVENTS, Person, connect, engine, events, fails, read, read_new, rows, service, settings, text_of,
                              value)
from support.tap import Task, diag, equal, run, test, wait_until

GATEWAY = ("SELECT (g).message_id, (g).user_id, (g).seq, (g).kind, (g).delta"
           " FROM (SELECT chat.stream_gateway() AS g OFFSET 0) s")
alice, bob = Person("alice"), Person("bob")
admin = connect()


def words(count):
    return " ".join(f"w{i}" for i in range(count))


def status(message_id):
    return value(admin, "SELECT status FROM chat.messages WHERE id = %s", message_id)


def finished(message_id, seconds=30.0):
    return wait_until(lambda: status(message_id) not in ("pending", "streaming"), f"{message_id} has ended", seconds)


def no_gaps(event_rows, first=1):
    equal([event[0] for event in event_rows], list(range(first, first + len(event_rows))), "seq")


@test("long after the end, past pgchat.stream_retention, a reader gets the whole text as one snapshot")
def retention():
    # Comes first: streams that ended under a longer retention would keep later ones, too.
    with settings(pgchat__stream_retention="1s"):
        reply = alice.reply_to("old", mock.model("tokens=6&rate=40"))
        live = read(alice.connection, reply)
        equal(read_new(alice.connection, reply, 2), live[2:], "within the retention")
        old = wait_until(lambda: (lambda new: new if new[0][1] == "snapshot" else None)(read_new(alice.connection, reply, 2)),
                         "the deltas are gone")
    diag(f"live {live}; later {old}")
    equal(old, [(live[-1][0] - 1, "snapshot", words(6)), live[-1]])
    equal(read_new(alice.connection, reply, live[-1][0]), [], "after the last number")
    whole = read(alice.connection, reply)
    equal((text_of(whole), whole[-1]), (words(6), live[-1]), "from the start")


@test("read_stream gives what is new, waits for it, gives nothing where there is nothing, and says the end once")
def polling():
    reply = alice.reply_to("poll", mock.model("tokens=8&rate=4"))
    begin = time.monotonic()
    got = read_new(alice.connection, reply, 0, 10000)
    first_wait = time.monotonic() - begin
    equal(got[0][:2], (1, "content"))
    begin = time.monotonic()
    equal(read_new(alice.connection, reply, got[-1][0], 0), [], "nothing new")
    at_once = time.monotonic() - begin
    polls, waits = 1, []
    while got[-1][1] == "content":
        begin = time.monotonic()
        new = read_new(alice.connection, reply, got[-1][0], 10000)
        waits.append(time.monotonic() - begin)
        assert new, "nothing came in 10 s"
        got += new
        polls += 1
    diag(f"first after {first_wait:.3f} s, nothing new in {at_once:.4f} s, {polls} polls, longest wait {max(waits):.3f} s")
    no_gaps(got)
    equal(text_of(got), words(8))
    equal(got[-1][1], "done")
    assert polls > 3 and max(waits) < 5, waits
    begin = time.monotonic()
    equal(read_new(alice.connection, reply, got[-1][0], 10000), [], "after the end")
    equal(read_new(alice.connection, reply, 3, 10000), got[3:], "from seq 4, after the end")
    seconds = time.monotonic() - begin
    diag(f"both reads after the end took {seconds:.3f} s")
    assert seconds < 5, f"waited {seconds:.2f} s for a reply that has ended"


@test("read_stream waits no longer than wait_ms, and also before the reply has begun")
def wait_ends():
    reply = alice.reply_to("slow", mock.model("latency_ms=3000&tokens=2"))
    begin = time.monotonic()
    equal(read_new(alice.connection, reply, 0, 400), [])
    seconds = time.monotonic() - begin
    diag(f"400 ms took {seconds:.3f} s")
    assert 0.39 <= seconds < 2, seconds
    got = read_new(alice.connection, reply, 0, 20000)
    equal(got[0][:2], (1, "content"))
    equal(text_of(read(alice.connection, reply)), words(2))


@test("attaching from every seq gives exactly what follows it, live and after the end")
def from_any_seq():
    reply = alice.reply_to("suffixes", mock.model("tokens=20&rate=20"))
    readers = [Task(read, alice.connect(), reply, after) for after in (*range(12), 20, 21, 22, 100)]
    got = [reader.result() for reader in readers]
    no_gaps(got[0])
    equal(text_of(got[0]), words(20))
    for after, suffix in zip((*range(12), 20, 21, 22, 100), got):
        equal(suffix, got[0][after:], f"after {after}")
    for after in range(1, 25):
        equal(read(alice.connection, reply, after), got[0][after:], f"after {after}, after the end")
    diag(f"{len(got[0])} events, 16 readers")


@test("50 readers of one stream get byte-identical rows")
def many_readers():
    reply = alice.reply_to("crowd", mock.model("first_token_ms=1500&tokens=120&rate=60"))
    readers = [Task(read, alice.connect(), reply) for _ in range(50)]
    attached = wait_until(lambda: (lambda n: n if n == 50 else 0)(engine(admin)["readers"]), "50 readers", 20, 0.05)
    began = time.monotonic()
    got = [reader.result() for reader in readers]
    no_gaps(got[0])
    equal(text_of(got[0]), words(120))
    different = sum(one != got[0] for one in got)
    equal(different, 0, "readers that got other rows")
    diag(f"{attached} readers, {len(got[0])} events each, read to the end in {time.monotonic() - began:.2f} s")
    wait_until(lambda: engine(admin)["readers"] == 0, "no reader is left")


@test("stream_gateway sees every stream of two users, in order and complete")
def gateway():
    reader, got, ended = service(), [], []

    def follow():
        with reader.cursor() as cursor:
            for row in cursor.stream(GATEWAY):
                got.append(row)
                if row[3] == "done":
                    ended.append(row[0])
                if len(ended) == 20:
                    return

    task = Task(follow)
    wait_until(lambda: engine(admin)["readers"] == 1, "the gateway is open")
    sent = {}
    for number in range(10):
        for person in (alice, bob):
            sent[person.reply_to(f"gateway {number}", mock.model(f"tokens={number + 3}&rate=30"))] = (person.id, words(number + 3))
    task.result()
    equal({row[0] for row in got}, set(sent), "streams")
    for reply, (user_id, text) in sent.items():
        mine = [row[2:] for row in got if row[0] == reply]
        no_gaps(mine)
        equal(text_of(mine), text)
        equal({row[1] for row in got if row[0] == reply}, {user_id})
    switches = sum(a[0] != b[0] for a, b in zip(got, got[1:]))
    diag(f"20 streams, {len(got)} rows, {switches} changes of stream between rows")
    assert switches > 20, "the streams came one after the other"
    fails("42501", alice.rows, GATEWAY)


@test("a reader that stops reading delays nobody: not the same stream's other readers, nor other streams, nor the reply")
def stalled_reader():
    many = 250000
    reply = alice.reply_to("stall", mock.model(f"first_token_ms=500&tokens={many}"))
    stalled = alice.connect()
    stalled_pid = stalled.info.backend_pid
    stalled.pgconn.send_query(EVENTS.format(call=f"chat.stream_message('{reply}')").encode())
    stalled.pgconn.set_single_row_mode()
    wait_until(lambda: value(admin, "SELECT wait_event FROM pg_stat_activity WHERE pid = %s", stalled_pid) == "ClientWrite",
               "the reader's backend waits for its client", 30)
    begin = time.monotonic()
    other_stream = read(bob.connection, bob.reply_to("beside", mock.model("tokens=10&rate=100")))
    other_seconds = time.monotonic() - begin
    same_stream = read(alice.connection, reply)
    finished(reply)
    diag(f"other stream in {other_seconds:.2f} s, the same stream read in {time.monotonic() - begin:.2f} s: "
         f"{len(text_of(same_stream))} bytes in {len(same_stream)} events")
    equal(text_of(other_stream), words(10))
    assert other_seconds < 5, other_seconds
    equal(text_of(same_stream) == words(many), True, "the same stream's text is whole")
    equal(value(admin, "SELECT wait_event FROM pg_stat_activity WHERE pid = %s", stalled_pid), "ClientWrite", "still stalled")
    rest = []
    while (result := stalled.pgconn.get_result()) is not None:
        rest += [(int(result.get_value(i, 0)), result.get_value(i, 1).decode(), (result.get_value(i, 2) or b"").decode())
                 for i in range(result.ntuples)]
    equal(text_of(rest) == words(many), True, "the stalled reader's text, read at last")
    equal(rest[-1][1], "done")


@test("LIMIT ends the reading only: the reply goes on to its end")
def limit():
    reply = alice.reply_to("limit", mock.model("tokens=30&rate=20"))
    begin = time.monotonic()
    got = alice.rows("SELECT (s).seq FROM (SELECT chat.stream_message(%s) AS s OFFSET 0) x LIMIT 2", reply)
    seconds = time.monotonic() - begin
    equal([row[0] for row in got], [1, 2])
    during = status(reply)
    assert during in ("pending", "streaming"), during
    finished(reply)
    row = alice.message(reply)
    diag(f"two rows in {seconds:.2f} s, status then {during}; the reply took {row['latency_ms']} ms")
    equal((row["status"], row["content"]), ("complete", words(30)))


@test("flush_interval 0 sends each token; the default gathers them, but never the first")
def flush_interval():
    scenario = mock.model("tokens=200&rate=400")
    with settings(pgchat__flush_interval="0"):
        single = read(alice.connection, alice.reply_to("each", scenario))
    gathered = read(alice.connection, alice.reply_to("gathered", scenario))
    diag(f"{len(single) - 1} deltas with 0, {len(gathered) - 1} with 25 ms")
    equal(text_of(single), words(200))
    equal(text_of(gathered), words(200))
    # Tokens that came in one segment of the network go out together.
    assert len(single) > 3 * len(gathered) and len(gathered) < 60, (len(single), len(gathered))
    no_gaps(single)


@test("thinking and tool calls are events of their own, in each provider's form")
def kinds():
    scenario = 'thinking=3&tool=2&tool_name=look&tool_args={"q":"x y"}&tokens=4&text=See%20there'
    for kind in ("openai", "anthropic", "ollama"):
        reply = alice.reply_to("kinds", mock.model(scenario, kind))
        got = read(alice.connection, reply)
        row = alice.message(reply)
        diag(f"{kind}: {got}")
        no_gaps(got)
        by_kind = {name: "".join(delta or "" for _, event, delta in got if event == name) for name in {e[1] for e in got}}
        equal(set(by_kind), {"thinking", "content", "tool_calls", "done"}, kind)
        equal((row["content"], row["thinking"]), (by_kind["content"], by_kind["thinking"]), kind)
        assert by_kind["thinking"], kind
        calls = json.loads(by_kind["tool_calls"])
        equal(calls, row["tool_calls"], kind)
        equal(len(calls), 2, kind)
        assert all("look" in json.dumps(call) and "x y" in json.dumps(call) for call in calls), calls


@test("cancel_message from another session keeps the partial text, and aborts the HTTP request")
def cancel():
    aborted = mock.stats()["aborted_by_client"]
    reply = alice.reply_to("cancel", mock.model("tokens=1000&rate=20"))
    reader = Task(read, alice.connect(), reply)
    got = read_new(alice.connection, reply, 0, 10000)
    wait_until(lambda: (read_new(alice.connection, reply, 3, 1000)), "four events")
    begin = time.monotonic()
    equal(alice.value("SELECT chat.cancel_message(%s)", reply), True)
    seen = reader.result()
    seconds = time.monotonic() - begin
    finished(reply)
    row = alice.message(reply)
    diag(f"the reader ended {seconds * 1000:.1f} ms after the cancel, with {len(seen)} events: {row['content']!r}; {row['error']}")
    equal((row["status"], seen[-1][1]), ("cancelled", "cancelled"))
    equal(row["content"], text_of(seen))
    assert row["content"].startswith(text_of(got)) and words(1000).startswith(row["content"]), row["content"]
    equal(row["error"]["sqlstate"], "57014")
    wait_until(lambda: mock.stats()["aborted_by_client"] == aborted + 1, "the mock saw its request aborted")
    equal(alice.value("SELECT chat.cancel_message(%s)", reply), False, "a second time")
    equal(alice.rows("SELECT outcome FROM chat.usage_events WHERE message_id = %s", reply), [("cancelled",)])


@test("checkpoints: the row carries a growing part of the text while the reply is written")
def checkpoints():
    with settings(pgchat__checkpoint_interval="200ms"):
        reply = alice.reply_to("checkpoint", mock.model("tokens=60&rate=20"))
        seen = []

        def ended():
            state, content = rows(admin, "SELECT status, content FROM chat.messages WHERE id = %s", reply)[0]
            if state == "streaming" and content and content not in seen:
                seen.append(content)
            return state == "complete"

        wait_until(ended, "the reply is complete")
    diag(f"{len(seen)} checkpoints seen, of {[len(text) for text in seen]} bytes")
    assert len(seen) >= 4, seen
    assert all(words(60).startswith(text) for text in seen) and seen == sorted(seen, key=len), seen


@test("llm_cancel ends an llm_stream that runs in another session")
def cancel_call():
    aborted = mock.stats()["aborted_by_client"]
    call, ids = "chat.llm_stream('hi', %s)", []
    person = alice.connect()

    def stream():
        with person.cursor() as cursor:
            for row in cursor.stream(EVENTS.format(call=call), (mock.model("tokens=1000&rate=20"),)):
                ids.append(row[3])

    task = Task(stream)
    wait_until(lambda: len(ids) > 2, "three events")
    fails("P0002", bob.value, "SELECT chat.llm_cancel(%s)", ids[0])
    assert task.is_alive(), "another person ended it"
    begin = time.monotonic()
    equal(alice.value("SELECT chat.llm_cancel(%s)", ids[0]), True)
    error = fails("57014", task.result)
    diag(f"ended in {(time.monotonic() - begin) * 1000:.1f} ms after {len(ids)} rows: {error}")
    wait_until(lambda: mock.stats()["aborted_by_client"] == aborted + 1, "the mock saw its request aborted")
    equal(value(person, "SELECT 1"), 1, "the session goes on")


@test("llm_submit and llm_result: NULL while there is no answer, waits for it, and llm_cancel calls it off")
def submitted():
    request = alice.value("SELECT chat.llm_submit('hi', %s)", mock.model("latency_ms=700&tokens=3"))
    equal(alice.value("SELECT chat.llm_result(%s)", request), None)
    begin = time.monotonic()
    equal(alice.value("SELECT chat.llm_result(%s, 100)", request), None)
    short = time.monotonic() - begin
    answer = alice.value("SELECT chat.llm_result(%s, 20000)", request)
    seconds = time.monotonic() - begin
    diag(f"gave up after {short:.3f} s, answered after {seconds:.3f} s: {answer}")
    assert 0.09 < short < 0.7 and seconds < 10
    equal((answer["status"], answer["content"], answer["usage"]["output_tokens"], answer["request_id"]),
          ("complete", words(3), 3, str(request)))
    equal(alice.value("SELECT chat.llm_result(%s)", request), answer, "again")
    fails("P0002", bob.value, "SELECT chat.llm_result(%s)", request)
    hanging = alice.value("SELECT chat.llm_submit('hi', %s)", mock.model("hang=body"))
    wait_until(lambda: engine(admin)["calls_in_flight"] == 1, "it is under way")
    equal(alice.value("SELECT chat.llm_cancel(%s)", hanging), True)
    answer = alice.value("SELECT chat.llm_result(%s, 20000)", hanging)
    equal((answer["status"], answer["error"]["sqlstate"]), ("cancelled", "57014"))
    equal(alice.value("SELECT chat.llm_cancel(%s)", hanging), False, "a second time")


@test("idempotency_key: a message that is sent twice, also at once, is one message and one call")
def idempotency():
    mock.reset()
    conversation = alice.conversation(mock.model("latency_ms=300&tokens=2"))
    query = "SELECT * FROM chat.send_message(%s, 'key:once', idempotency_key => 'k')"
    twice = [Task(rows, alice.connect(), query, conversation) for _ in range(8)]
    ids = [task.result() for task in twice]
    equal(ids, ids[:1] * 8)
    finished(ids[0][0][1])
    equal(alice.rows(query, conversation), ids[0], "after the end")
    equal(alice.value("SELECT count(*) FROM chat.list_messages(%s)", conversation), 2, "messages")
    equal(mock.stats()["by_key"], {"key:once": 1}, "requests")


@test("the echo provider streams without a network, at the rate asked for")
def echo():
    mock.register_provider("echo-here", None, "echo")
    mock.register_model("echo-here", "echo-here")
    reply = alice.reply_to("one two three four", "echo-here")
    got = read(alice.connection, reply)
    no_gaps(got)
    diag(got)
    equal((text_of(got), got[-1][1]), (alice.message(reply)["content"], "done"))
    assert "one two three four" in text_of(got)


run()
