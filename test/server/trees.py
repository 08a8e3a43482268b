#!/usr/bin/python3
"""Random edits, regenerations, forks and choices of a branch, against a model of the tree: no message is lost, every leaf reaches the root."""

import os
import random

import psycopg

from support import mock
from support.database import Person, connect, rows, value
from support.tap import Task, diag, equal, run, skip_all, test, wait_until

SEED = int(os.environ.get("PGCHAT_SEED", "0")) or random.randrange(1, 10**6)
STEPS = 250


class Tree:
    """What one conversation must be: its messages by id, (parent, role, text), and its active leaf. Text None: whatever the model says."""

    def __init__(self, conversation):
        self.id, self.nodes, self.leaf = conversation, {}, None

    def add(self, message, parent, role, text=None):
        self.nodes[message] = (parent, role, text)
        self.leaf = message

    def siblings(self, message):
        parent = self.nodes[message][0]
        return sorted(other for other, node in self.nodes.items() if node[0] == parent)

    def branch(self, leaf):
        path = []
        while leaf is not None:
            path.append(leaf)
            leaf = self.nodes[leaf][0]
        return path[::-1]

    def newest_below(self, message):
        while True:
            children = [other for other, node in self.nodes.items() if node[0] == message]
            if not children:
                return message
            message = max(children)


class Walk:
    """A person who does random things in a few conversations, and what must have come of them."""

    def __init__(self, rng):
        self.rng, self.person = rng, Person("walker")
        self.trees = [Tree(self.person.conversation())]
        self.done = {}

    def settled(self, reply):
        """Waits for a reply's end, so that the next step finds no reply in progress."""
        wait_until(lambda: self.person.message(reply)["status"] not in ("pending", "streaming"), "the reply has ended")

    def pick(self, tree, *roles):
        found = sorted(message for message, node in tree.nodes.items() if node[1] in roles)
        return self.rng.choice(found) if found else None

    def text(self):
        return f"text {self.rng.randrange(10**9)}"

    def model(self):
        return mock.model(self.rng.choice(["tokens=2", "tokens=3&truncate=2&done=0", "status=400", "tokens=1&finish=length"]))

    def send(self, tree):
        parent, text = self.rng.choice([None, self.pick(tree, "assistant")]), self.text()
        question, reply, _ = self.person.rows("SELECT * FROM chat.send_message(%s, %s, %s, %s)", tree.id, text, parent, self.model())[0]
        tree.add(question, parent or tree.leaf, "user", text)
        tree.add(reply, question, "assistant")
        self.settled(reply)

    def edit(self, tree):
        message, text = self.pick(tree, "user", "assistant"), self.text()
        if message is None:
            return
        parent, role, _ = tree.nodes[message]
        question, reply, _ = self.person.rows("SELECT * FROM chat.edit_message(%s, %s)", message, text)[0]
        if role == "user":
            tree.add(question, parent, "user", text)
            tree.add(reply, question, "assistant")
            self.settled(reply)
        else:
            tree.add(reply, parent, "assistant", text)

    def regenerate(self, tree):
        message = self.pick(tree, "user", "assistant")
        if message is None:
            return
        parent, role, _ = tree.nodes[message]
        reply = self.person.value("SELECT assistant_message_id FROM chat.regenerate_message(%s, %s)", message, self.model())
        tree.add(reply, message if role == "user" else parent, "assistant")
        self.settled(reply)

    def carry_on(self, tree):
        """Retries, or continues, a reply; which of the two is possible depends on how it ended."""
        message = self.pick(tree, "assistant")
        if message is None:
            return
        status, content = self.person.rows("SELECT status, content FROM chat.messages WHERE id = %s", message)[0]
        for function, wanted in (("retry_message", status != "complete"), ("continue_message", status == "incomplete" and content != "")):
            try:
                reply = self.person.value(f"SELECT assistant_message_id FROM chat.{function}(%s)", message)
            except psycopg.Error as error:
                equal((error.sqlstate, wanted), ("55000", False), f"{function} of {status}")
                continue
            equal(wanted, True, f"{function} of {status}")
            tree.add(reply, message if function == "continue_message" else tree.nodes[message][0], "assistant")
            self.settled(reply)

    def select(self, tree):
        message = self.pick(tree, "user", "assistant")
        if message is not None:
            tree.leaf = tree.newest_below(message)
            equal(self.person.value("SELECT chat.select_branch(%s, %s)", tree.id, message), tree.leaf, "the leaf")

    def fork(self, tree):
        message = self.rng.choice([None, self.pick(tree, "user", "assistant")])
        copy = Tree(self.person.value("SELECT chat.fork_conversation(%s, %s)", tree.id, message))
        originals = tree.branch(message or tree.leaf) if message or tree.leaf else []
        copies = [row[0] for row in self.person.rows("SELECT id FROM chat.messages WHERE conversation_id = %s ORDER BY id", copy.id)]
        equal(len(copies), len(originals), "copies")
        texts = dict(self.person.rows("SELECT id, content FROM chat.messages WHERE conversation_id = %s", tree.id))
        for new, parent, old in zip(copies, [None, *copies], originals):
            copy.add(new, parent, tree.nodes[old][1], texts[old])
        self.trees.append(copy)

    def step(self):
        act = self.rng.choices([self.send, self.edit, self.regenerate, self.carry_on, self.select, self.fork], [6, 4, 4, 3, 3, 1])[0]
        tree = self.rng.choice(self.trees)
        act(tree)
        self.done[act.__name__] = self.done.get(act.__name__, 0) + 1
        return tree

    def check(self, tree):
        """The database has this tree, and no other message; its active leaf is a leaf."""
        stored = self.person.rows("SELECT id, parent_id, role, content FROM chat.messages WHERE conversation_id = %s", tree.id)
        equal({row[0] for row in stored}, set(tree.nodes), "messages")
        for message, parent, role, content in stored:
            expected = tree.nodes[message]
            equal((parent, role), expected[:2], "a message")
            assert expected[2] in (None, content), (expected, content)
        equal(self.person.value("SELECT active_leaf_id FROM chat.conversations WHERE id = %s", tree.id), tree.leaf, "the active leaf")
        if tree.leaf is not None:
            assert tree.leaf not in {node[0] for node in tree.nodes.values()}, "the active leaf has something below it"
        self.check_listing(tree, None)

    def check_listing(self, tree, leaf):
        end = leaf or tree.leaf
        path = tree.branch(end) if end else []
        listed = self.person.rows("SELECT id, sibling_count, sibling_index FROM chat.list_messages(%s, %s)", tree.id, leaf)
        equal(listed, [(message, len(tree.siblings(message)), tree.siblings(message).index(message) + 1) for message in path], "the branch")
        pages, last = [], end
        while last is not None:
            page = self.person.rows("SELECT id, parent_id FROM chat.list_messages(%s, %s, 3)", tree.id, last)
            pages, last = [row[0] for row in page] + pages, page[0][1]
        equal(pages, path, "the pages")


@test(f"{STEPS} random steps keep the tree; the seed is in PGCHAT_SEED")
def random_walk():
    diag(f"PGCHAT_SEED={SEED}")
    walk = Walk(random.Random(SEED))
    for _ in range(STEPS):
        walk.check(walk.step())
    for tree in walk.trees:
        walk.check(tree)
        for message in tree.nodes:
            if message not in {node[0] for node in tree.nodes.values()}:
                walk.check_listing(tree, message)
    total = sum(len(tree.nodes) for tree in walk.trees)
    equal(value(admin, "SELECT count(*) FROM chat.messages WHERE user_id = %s", walk.person.id), total, "messages of the user")
    equal(value(admin, """SELECT count(*) FROM chat.messages m WHERE m.user_id = %s AND m.parent_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM chat.messages p WHERE p.id = m.parent_id AND p.conversation_id = m.conversation_id AND p.id < m.id)""", walk.person.id), 0, "orphans")
    equal(value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE user_id = %s AND state IN ('waiting', 'queued', 'running')", walk.person.id), 0)
    diag(f"{total} messages in {len(walk.trees)} conversations; {walk.done}")


# Requests that are queued or sent while a reply above theirs is in progress.
OVERLAPS = """WITH RECURSIVE above AS (
    SELECT q.message_id AS reply, m.parent_id FROM chat_private.llm_requests q JOIN chat.messages m ON m.id = q.message_id
    WHERE q.conversation_id = %s AND q.state IN ('queued', 'running') AND m.status IN ('pending', 'streaming')
    UNION ALL
    SELECT a.reply, p.parent_id FROM above a JOIN chat.messages p ON p.id = a.parent_id)
  SELECT count(*) FROM above a JOIN chat.messages m ON m.id = a.parent_id WHERE m.status IN ('pending', 'streaming')"""


def storm(person, conversation, seed, steps):
    """Random acts on one conversation, of which those that meet a reply in progress may be refused; gives how often each came to what."""
    rng, connection, came_to = random.Random(seed), person.connect(), {}
    for step in range(steps):
        messages = rows(connection, "SELECT id, role FROM chat.messages WHERE conversation_id = %s ORDER BY id", conversation)
        replies = [message for message, role in messages if role == "assistant"][-8:]
        recent = [message for message, _ in messages][-12:]
        act, query, arguments = rng.choice([
            ("send", "SELECT chat.send_message(%s, %s, options => '{\"when_busy\": \"queue\"}')", (conversation, f"n{seed}-{step}")),
            ("send", "SELECT chat.send_message(%s, %s, %s, options => '{\"when_busy\": \"queue\"}')", (conversation, f"n{seed}-{step}", rng.choice(recent))),
            ("edit", "SELECT chat.edit_message(%s, %s)", (rng.choice(recent), f"e{seed}-{step}")),
            ("regenerate", "SELECT chat.regenerate_message(%s)", (rng.choice(recent),)),
            ("retry", "SELECT chat.retry_message(%s)", (rng.choice(replies),)),
            ("continue", "SELECT chat.continue_message(%s)", (rng.choice(replies),)),
            ("cancel", "SELECT chat.cancel_message(%s)", (rng.choice(replies),)),
            ("cancel", "SELECT chat.cancel_message(%s)", (replies[-1],)),
            ("select", "SELECT chat.select_branch(%s, %s)", (conversation, rng.choice(recent)))])
        try:
            connection.execute(query, arguments)
            outcome = "done"
        except psycopg.Error as error:
            outcome = error.sqlstate
        came_to[act, outcome] = came_to.get((act, outcome), 0) + 1
    connection.close()
    return came_to


@test("a storm of acts in one conversation: no branch has two replies under way at any moment, and all come to an end")
def one_at_a_time():
    person = Person("storm")
    conversation = person.conversation(mock.model("tokens=2&latency_ms=15"))
    person.send(conversation, "first")
    tasks = [Task(storm, person, conversation, SEED + n, 60) for n in range(5)]
    looks = 0
    while any(task.is_alive() for task in tasks):
        equal(value(admin, OVERLAPS, conversation), 0, "replies under way below one in progress")
        looks += 1
    came_to = {}
    for task in tasks:
        for key, count in task.result().items():
            came_to[key] = came_to.get(key, 0) + count
    diag(f"PGCHAT_SEED={SEED}; {looks} looks; {sorted(came_to.items())}")
    equal({outcome for _, outcome in came_to} - {"done", "55006", "55000", "22023"}, set(), "errors")
    wait_until(lambda: value(admin, "SELECT count(*) FROM chat.messages WHERE conversation_id = %s AND status IN ('pending', 'streaming')", conversation) == 0,
               "all replies have ended", 60)
    equal(value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE conversation_id = %s AND state IN ('waiting', 'queued', 'running')", conversation), 0)
    equal(value(admin, "SELECT count(*) FROM chat.messages m JOIN chat.conversations c ON c.active_leaf_id = m.parent_id WHERE c.id = %s", conversation), 0,
          "messages below the active leaf")
    branches = person.rows("SELECT id FROM chat.messages m WHERE conversation_id = %s AND NOT EXISTS (SELECT FROM chat.messages n WHERE n.parent_id = m.id)", conversation)
    reached = {row[0] for leaf, in branches for row in person.rows("SELECT id FROM chat.list_messages(%s, %s)", conversation, leaf)}
    equal(len(reached), value(admin, "SELECT count(*) FROM chat.messages WHERE conversation_id = %s", conversation), "messages that a branch leads to")


@test("a branch of 3,000 messages with 300 versions of each tenth of the last 100 lists, pages and forks right")
def long_branch():
    person = Person("long")
    conversation = person.conversation()
    admin.execute("""INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, content, content_hash)
        SELECT %(user)s, ids[n], %(conversation)s, ids[n - 1], CASE n %% 2 WHEN 1 THEN 'user' ELSE 'assistant' END, n::text, chat.content_hash(n::text)
        FROM (SELECT array_agg(i.id ORDER BY i.id) AS ids FROM (SELECT chat.uuid_v7() AS id FROM generate_series(1, 3000)) i) a, generate_series(1, 3000) n
        ORDER BY n""", {"user": person.id, "conversation": conversation})
    admin.execute("""INSERT INTO chat.messages (user_id, conversation_id, parent_id, role, content)
        SELECT m.user_id, m.conversation_id, m.parent_id, m.role, 'version' FROM chat.messages m, generate_series(1, 299)
        WHERE m.conversation_id = %s AND m.content::integer %% 10 = 0 AND m.content::integer > 2900""", (conversation,))
    leaf = value(admin, "SELECT id FROM chat.messages WHERE conversation_id = %s AND content = '2999'", conversation)
    equal(person.value("SELECT array_agg(content::integer) = ARRAY(SELECT generate_series(1, 2999)) FROM chat.list_messages(%s, %s)", conversation, leaf), True)
    page = person.rows("SELECT content::integer, sibling_count, sibling_index FROM chat.list_messages(%s, %s, 50)", conversation, leaf)
    equal(page, [(n, 300 if n % 10 == 0 else 1, 1) for n in range(2950, 3000)])
    copy = person.value("SELECT chat.fork_conversation(%s, %s)", conversation, leaf)
    equal(person.value("SELECT array_agg(content::integer) = ARRAY(SELECT generate_series(1, 2999)) FROM chat.list_messages(%s)", copy), True)
    equal(person.value("SELECT max(sibling_count) FROM chat.list_messages(%s)", copy), 1)


if not mock.PORT:
    skip_all("no mock provider")
admin = connect()
mock.set_default(mock.model("tokens=2"))
run()
