#!/usr/bin/python3
"""What models are really told of conversations that do not fit: cut, summarised, refused; and titles that models write."""

import threading

from support import mock
from support.database import Person, connect, fails, value
from support.scripted import Scripted
from support.tap import Task, equal, run, test, wait_until

WORDS = "word " * 60  # 300 bytes: 108 tokens as they are counted here


class Writer(Scripted):
    """Answers requests for summaries and titles as such, and all else by "reply <n>"."""

    def __init__(self):
        super().__init__()
        self.title, self.summary, self.gate = "A Title", "summary", threading.Event()
        self.gate.set()
        self.lock = threading.Lock()
        self.counts = {"summary": 0, "title": 0, "reply": 0}

    def answer(self, path, body):
        kind = kind_of(body)
        with self.lock:
            self.counts[kind] += 1
            number = self.counts[kind]
        if kind == "summary":
            self.gate.wait(60)
        text = {"summary": self.summary and f"{self.summary} {number}", "title": self.title, "reply": f"reply {number}"}[kind]
        if text is None:
            return {"error": {"message": "no", "type": "invalid_request_error"}}
        self.replies = [text]
        return super().answer(path, body)

    def told(self, kind="reply"):
        """The messages of the last request of a kind: (role, text) of each."""
        return [(message["role"], message["content"]) for message in [body for body in list(self.bodies) if kind_of(body) == kind][-1]["messages"]]


def kind_of(body):
    first = body["messages"][0]
    if first["role"] == "system":
        return "summary" if first["content"].startswith("You keep the memory") else "title" if first["content"].startswith("Write a title") else "reply"
    return "reply"


alice = Person("alice")
admin = connect()
writer = Writer()
mock.register_provider("writer", writer.base_url + "/v1", "openai")
for name in ("small", "scribe"):
    mock.register_model("writer", name, provider_model=name, input_price=1, output_price=1, context_window=2000 if name == "small" else 100000)


def conversation(turns, strategy=None, person=alice, model="small"):
    """A conversation with so many turns of 216 tokens; gives its id and that of the last message."""
    talk = person.value("SELECT chat.create_conversation(model => %s)", model)
    if strategy:
        person.value("SELECT chat.set_context_strategy(%s, %s)", talk, strategy)
    with admin.cursor() as cursor:
        cursor.execute("""
            WITH made AS (
              INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, content)
              SELECT %s, id, %s, lag(id) OVER (ORDER BY n), CASE n %% 2 WHEN 1 THEN 'user' ELSE 'assistant' END, 'm' || n || ' ' || %s
              FROM (SELECT n, chat.uuid_v7() AS id FROM generate_series(1, %s) n OFFSET 0) t RETURNING id)
            SELECT id FROM made ORDER BY id DESC LIMIT 1""", (person.id, talk, WORDS, 2 * turns))
        leaf = cursor.fetchone()[0]
    admin.execute("UPDATE chat.conversations SET active_leaf_id = %s WHERE id = %s", (leaf, talk))
    return talk, leaf


def ended(message_id, person=alice, status="complete"):
    wait_until(lambda: person.message(message_id)["status"] not in ("pending", "streaming"), "the reply has ended", 30)
    found = person.message(message_id)
    equal(found["status"], status, str(found["error"]))
    return found


def numbers(told):
    """The messages by their number, others by their role."""
    return [text.split()[0] if text.startswith("m") else role for role, text in told]


def no_side_requests():
    wait_until(lambda: value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE purpose IS NOT NULL") == 0, "no side request is left", 90)


@test("the oldest messages are left out, at a user's message; what the last has of options is kept")
def truncated():
    talk, _ = conversation(20)
    _, reply, _ = alice.send(talk, "m41 now", max_tokens=1000)
    equal(ended(reply)["content"][:5], "reply")
    equal(numbers(writer.told()), [f"m{n}" for n in range(33, 42)])
    equal(alice.value("SELECT chat.ask(%s, 'm43 again', options => '{\"max_tokens\": 1000}')", talk)[:5], "reply")
    equal(numbers(writer.told()), ["m33", "m34", "m35", "m36", "m37", "m38", "m39", "m40", "m41", "assistant", "m43"])
    equal(alice.value("SELECT count(*) FROM chat.list_messages(%s)", talk), 44, "nothing is lost")


@test("a message that does not fit by itself: an error of the reply, without a call")
def too_long():
    talk, _ = conversation(1)
    before = len(writer.bodies)
    _, reply, _ = alice.send(talk, "x" * 6000)
    equal(ended(reply, status="error")["error"]["sqlstate"], "PC110")
    fails("PC110", alice.value, "SELECT chat.ask(%s, %s)", talk, "x" * 6000, hint=True)
    equal(len(writer.bodies), before, "requests")


@test("strategy error: refused when sent, and nothing is stored")
def refused():
    talk, _ = conversation(20, "error")
    fails("PC110", alice.send, talk, "x", hint=True)
    fails("PC110", alice.value, "SELECT chat.ask(%s, 'x')", talk, hint=True)
    equal(alice.value("SELECT count(*) FROM chat.list_messages(%s)", talk), 40)


@test("summarize: the summary is written first, the reply waits for it, and the next needs none")
def summarised():
    talk, _ = conversation(20, "summarize")
    writer.gate.clear()
    _, reply, request = alice.send(talk, "m41 now")
    wait_until(lambda: writer.counts["summary"], "the summary is asked for")
    equal(value(admin, "SELECT state FROM chat_private.llm_requests WHERE id = %s", request), "waiting")
    equal(alice.message(reply)["status"], "pending")
    side = value(admin, "SELECT id FROM chat_private.llm_requests WHERE purpose = 'summary'")
    fails("P0002", alice.value, "SELECT chat.llm_result(%s)", side)
    last_message_at = value(admin, "SELECT last_message_at FROM chat.conversations WHERE id = %s", talk)
    writer.gate.set()
    ended(reply)
    told = writer.told()
    assert told[0][0] == "system" and told[0][1].startswith("Summary of the earlier part") and "summary" in told[0][1], told[0]
    got = numbers(told)
    equal((got[0], got[1][0], got[-1]), ("system", "m", "m41"))
    # The summaries together were given all that is not told any more, each with the one before it.
    summaries = alice.rows("SELECT content, last_message_id, model FROM chat.list_summaries(%s)", talk)
    asked = [body["messages"][1]["content"] for body in writer.bodies if kind_of(body) == "summary"]
    equal(len(summaries), len(asked))
    for number in range(1, 41):
        assert any(f"m{number} " in text for text in asked) or f"m{number}" in got, f"m{number} is lost"
    for before, text in zip(summaries, asked[1:]):
        assert f"Earlier summary:\n{before[0]}\n" in text, text[:200]
    preview = alice.rows("SELECT source, role FROM chat.context_preview(%s)", talk)
    equal((preview[0], preview[1]), (("summary", "system"), ("message", "user")))
    equal(value(admin, "SELECT last_message_at FROM chat.conversations WHERE id = %s", talk), last_message_at)
    count = writer.counts["summary"]
    _, reply, _ = alice.send(talk, "m43 then")
    ended(reply)
    equal(writer.counts["summary"], count, "another summary is not needed yet")
    equal(numbers(writer.told())[0], "system")
    used = value(admin, "SELECT count(*) FROM chat.usage_events WHERE conversation_id = %s AND message_id IS NULL AND user_id = %s", talk, alice.id)
    equal(used, count, "their usage is the user's")
    no_side_requests()


@test("a summary is of a branch: another branch does not use it, one that goes through its end does")
def branches():
    talk, leaf = conversation(20, "summarize")
    _, reply, _ = alice.send(talk, "m41 now")
    ended(reply)
    count = writer.counts["summary"]
    _, reply, _ = alice.rows("SELECT * FROM chat.send_message(%s, 'm41 other', parent_id => %s)", talk, leaf)[0]
    ended(reply)
    equal(writer.counts["summary"], count, "no further summary")
    equal(numbers(writer.told())[0], "system")
    second = alice.value("SELECT parent_id FROM chat.messages WHERE id = (SELECT id FROM chat.list_messages(%s, %s) OFFSET 2 LIMIT 1)", talk, leaf)
    _, reply, _ = alice.rows("SELECT * FROM chat.send_message(%s, 'm3 beside', parent_id => %s)", talk, second)[0]
    ended(reply)
    equal(numbers(writer.told()), ["m1", "m2", "m3"], "a branch that fits needs none")


@test("chat.ask writes the summary first, in its own call, and stores it with the turn")
def asked():
    talk, _ = conversation(20, "summarize")
    count = writer.counts["summary"]
    assert alice.value("SELECT chat.ask(%s, 'm41 now')", talk).startswith("reply")
    assert writer.counts["summary"] > count
    told = writer.told()
    assert told[0][0] == "system" and f"summary {writer.counts['summary']}" in told[0][1], told[0]
    equal(numbers(told)[-1], "m41")
    equal(alice.value("SELECT count(*) FROM chat.list_summaries(%s)", talk), writer.counts["summary"] - count)
    count = writer.counts["summary"]
    assert alice.value("SELECT chat.ask(%s, 'm43 now')", talk).startswith("reply")
    equal(writer.counts["summary"], count)


@test("where a summary fails, the reply is told what fits, of chat.send_message and of chat.ask")
def failed():
    writer.summary = None
    try:
        talk, _ = conversation(20, "summarize")
        _, reply, _ = alice.send(talk, "m41 now", max_tokens=1000)
        ended(reply)
        equal(numbers(writer.told()), [f"m{n}" for n in range(33, 42)])
        assert alice.value("SELECT chat.ask(%s, 'm43 now', options => '{\"max_tokens\": 1000}')", talk).startswith("reply")
        equal(numbers(writer.told())[-1], "m43")
        equal(alice.value("SELECT count(*) FROM chat.list_summaries(%s)", talk), 0)
        no_side_requests()
    finally:
        writer.summary = "summary"


@test("the model of summaries is the conversation's, then the setting's")
def models():
    talk, _ = conversation(20)
    alice.value("SELECT chat.set_context_strategy(%s, 'summarize', NULL, 'scribe')", talk)
    _, reply, _ = alice.send(talk, "m41 now")
    ended(reply)
    asked_models = [body["model"] for body in writer.bodies if kind_of(body) == "summary"]
    equal(asked_models[-1], "scribe")
    equal(alice.value("SELECT count(*) FROM chat.list_summaries(%s)", talk), 1, "a large window takes all at once")


@test("two sends into different branches that both need a summary: both are answered, and one summary serves both")
def concurrent():
    talk, leaf = conversation(20, "summarize")
    count = writer.counts["summary"]
    writer.gate.clear()
    others = [alice.connect() for _ in range(4)]
    tasks = [Task(lambda connection=connection: connection.execute(
        "SELECT assistant_message_id FROM chat.send_message(%s, 'm41 now', parent_id => %s)", (talk, leaf)).fetchone()[0]) for connection in others]
    replies = [task.result() for task in tasks]
    queued = value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE conversation_id = %s AND purpose = 'summary'", talk)
    writer.gate.set()
    for reply in replies:
        ended(reply)
    equal(writer.counts["summary"] - count, queued)
    equal(alice.value("SELECT count(*) = count(DISTINCT last_message_id) FROM chat.list_summaries(%s)", talk), True, "none is written twice")


@test("a conversation that is deleted while its summary is written")
def deleted():
    talk, _ = conversation(20, "summarize")
    count = writer.counts["summary"]
    writer.gate.clear()
    alice.send(talk, "m41 now")
    wait_until(lambda: writer.counts["summary"] > count, "the summary is asked for")
    admin.execute("DELETE FROM chat.conversations WHERE id = %s", (talk,))
    writer.gate.set()
    no_side_requests()


def titled(talk, reply=None, model=None):
    return value(admin, "SELECT chat_private.queue_side_request(%s, %s, 'title', %s, %s)", alice.id, talk, reply, model)


def title_of(talk):
    return alice.rows("SELECT title, title_source FROM chat.conversations WHERE id = %s", talk)[0]


@test("a title by a model: after the reply, short and clean, once, and never over one that was given")
def titles():
    writer.title = '<think>hm</think>\n"**A Trip to Rome**"\nis what I propose'
    talk, leaf = conversation(1, model="small")
    request = titled(talk)
    no_side_requests()
    equal(title_of(talk), ("A Trip to Rome", "model"))
    told = writer.told("title")
    assert told[1][1].startswith("User:\nm1 ") and "Assistant:\nm2 " in told[1][1], told
    equal(value(admin, "SELECT count(*) FROM chat.usage_events WHERE request_id = %s AND conversation_id = %s AND user_id = %s", request, talk, alice.id), 1)
    equal(alice.value("SELECT is_unread FROM chat.conversations WHERE id = %s", talk), False, "a title is nothing new to read")
    count = writer.counts["title"]
    titled(talk)
    no_side_requests()
    equal(writer.counts["title"], count, "one that a model wrote is not written again")
    talk, _ = conversation(1)
    admin.execute("UPDATE chat.conversations SET title = 'Mine', title_source = 'given' WHERE id = %s", (talk,))
    titled(talk)
    no_side_requests()
    equal((title_of(talk), writer.counts["title"]), (("Mine", "given"), count))


@test("a title waits for the reply; what it fails by is nobody's trouble")
def title_waits():
    writer.title = "x" * 300
    talk, leaf = conversation(1)
    with connect() as held:
        held.autocommit = False
        value(held, "SELECT chat_private.act_as(%s)", alice.id)
        reply = value(held, "SELECT assistant_message_id FROM chat.send_message(%s, 'm3 hello')", talk)
        request = value(held, "SELECT chat_private.queue_side_request(%s, %s, 'title', %s, NULL)", alice.id, talk, reply)
        equal(value(held, "SELECT state FROM chat_private.llm_requests WHERE id = %s", request), "waiting")
        held.commit()
    ended(reply)
    no_side_requests()
    equal((len(title_of(talk)[0]), title_of(talk)[1]), (100, "model"))
    writer.title = None
    talk, _ = conversation(1)
    titled(talk)
    no_side_requests()
    equal(title_of(talk), ("New Conversation", "rule"))
    writer.title = "A Title"
    titled(talk, model="no such model")
    no_side_requests()
    equal(title_of(talk), ("A Title", "model"), "another model writes it where that one cannot be asked")


@test("an answer that comes while the conversation is locked is applied later")
def locked():
    writer.title = "Later"
    talk, _ = conversation(1)
    with connect() as held:
        held.autocommit = False
        held.execute("SELECT FROM chat.conversations WHERE id = %s FOR UPDATE", (talk,))
        request = titled(talk)
        wait_until(lambda: value(admin, "SELECT state FROM chat_private.llm_requests WHERE id = %s", request) == "complete", "the title is there")
        equal(title_of(talk)[0], "New Conversation")
        held.rollback()
    value(admin, "SELECT chat_private.tidy_side_requests(100)")
    wait_until(lambda: title_of(talk) == ("Later", "model"), "it is applied")
    no_side_requests()


@test("a user whose budget is used up gets no summary, and no error of it; side requests are no messages of a plan")
def limits():
    bob = Person("bob")
    talk, _ = conversation(20, "summarize", bob)
    mock.register_model("writer", "dear", provider_model="dear", input_price=1000000, output_price=1000000, context_window=100000)
    bob.value("SELECT chat.set_context_strategy(%s, 'summarize', NULL, 'dear')", talk)
    value(admin, "SELECT chat.admin_set_budget(%s, 1)", bob.id)
    count = writer.counts["summary"]
    _, reply, _ = bob.send(talk, "m41 now", max_tokens=1000)
    ended(reply, bob)
    equal((numbers(writer.told())[0], writer.counts["summary"]), ("m33", count))
    no_side_requests()
    carol, writer.title = Person("carol"), "A Title"
    value(admin, "SELECT chat.admin_save_plan('free', limits => '{\"messages_per_day\": 2}')")
    try:
        talk = carol.conversation("small")
        ended(carol.send(talk, "one")[1], carol)
        for other in [carol.conversation("small") for _ in range(3)]:
            assert value(admin, "SELECT chat_private.queue_side_request(%s, %s, 'title', NULL, 'small')", carol.id, other)
        assert value(admin, "SELECT chat_private.queue_side_request(%s, %s, 'title', NULL, 'small')", carol.id, talk)
        no_side_requests()
        equal(carol.value("SELECT title FROM chat.conversations WHERE id = %s", talk), "A Title")
        ended(carol.send(talk, "two")[1], carol)
        fails("PC303", carol.send, talk, "three")
    finally:
        value(admin, "SELECT chat.admin_save_plan('free', limits => '{}')")


run()
