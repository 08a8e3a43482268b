#!/usr/bin/python3
"""Reassigning a conversation while somebody sends into it, deletes it, or gives it to somebody else."""

import itertools

import psycopg

from support import mock
from support.database import Person, connect, is_blocked, outcome, rows, value
from support.databases import wait_until_final
from support.tap import Task, diag, equal, run, skip_all, test, wait_until

MOVE = "SELECT chat.admin_reassign_conversation(%s, %s)"


def owners(conversation):
    """Whose the conversation is, and whose its parts are, as a set."""
    with connect() as admin:
        return {owner for owner, in admin.execute(
            "SELECT user_id FROM chat.conversations WHERE id = %(c)s UNION SELECT user_id FROM chat.messages WHERE conversation_id = %(c)s"
            " UNION SELECT user_id FROM chat_private.llm_requests WHERE conversation_id = %(c)s"
            " UNION SELECT user_id FROM chat.conversation_shares WHERE conversation_id = %(c)s", {"c": conversation})}


def finished_conversation(person, turns=1):
    conversation = person.conversation(mock.model("text=answer"))
    for turn in range(turns):
        wait_until_final([person.send(conversation, f"question {turn}")[1]])
    return conversation


def waits_then(holder, blocked, statement, *arguments):
    """Runs a statement on a connection while another has an open transaction in its way; commits that once it waits."""
    task = Task(outcome, blocked, statement, *arguments)
    wait_until(lambda: is_blocked(blocked), "the second waits for the first")
    holder.execute("COMMIT")
    return task.result()


@test("a message that is sent while its conversation is given away finds it gone")
def _():
    old, new = Person("old"), Person("new")
    for statement in ("SELECT chat.send_message(%s, 'late')", "SELECT chat.send_message(%s, 'late', idempotency_key => 'k')",
                      "DELETE FROM chat.conversations WHERE id = %s"):
        conversation = finished_conversation(old)
        with connect() as admin, connect() if statement.startswith("DELETE") else old.connect() as second:
            admin.execute("BEGIN")
            admin.execute(MOVE, (conversation, new.id))
            if statement.startswith("DELETE"):
                second.execute("SET app.current_user_id = '%s'" % old.id)
                second.execute("SET ROLE pgchat_owner")
            got = waits_then(admin, second, statement, conversation)
        equal(got, None if statement.startswith("DELETE") else "P0002", statement)
        equal(owners(conversation), {new.id})
        equal(len(new.rows("SELECT * FROM chat.list_messages(%s)", conversation)), 2, "messages")


@test("a conversation is not given away while a message is sent into it, and is once the reply has ended")
def _():
    old, new = Person("old"), Person("new")
    conversation = finished_conversation(old)
    slow = mock.model("text=answer&latency_ms=60000")
    with old.connect() as sender, connect() as admin:
        sender.execute("BEGIN")
        reply = value(sender, "SELECT assistant_message_id FROM chat.send_message(%s, 'early', model => %s)", conversation, slow)
        equal(waits_then(sender, admin, MOVE, conversation, new.id), "55006")
        value(sender, "SELECT chat.cancel_message(%s)", reply)
        wait_until_final([reply])
        # The reply's row may be seen before its request's: both are of one transaction, but looked at one after the other.
        wait_until(lambda: outcome(admin, MOVE, conversation, new.id) is None, "it is given away")
    equal(owners(conversation), {new.id})
    equal(new.value("SELECT string_agg(content, ',') FROM chat.list_messages(%s)", conversation), "question 0,answer,early,")


@test("what is deleted first is not given away")
def _():
    old, new = Person("old"), Person("new")
    conversation = finished_conversation(old)
    with connect() as deleter, connect() as admin:
        deleter.execute("BEGIN")
        deleter.execute("DELETE FROM chat.conversations WHERE id = %s", (conversation,))
        equal(waits_then(deleter, admin, MOVE, conversation, new.id), "P0002")
    equal(owners(conversation), set())


@test("of two who give a conversation away at once the second has the last word")
def _():
    old, first, second = Person("old"), Person("first"), Person("second")
    conversation = finished_conversation(old, 2)
    with connect() as one, connect() as other:
        one.execute("BEGIN")
        one.execute(MOVE, (conversation, first.id))
        equal(waits_then(one, other, MOVE, conversation, second.id), None)
    equal(owners(conversation), {second.id})
    equal(second.value("SELECT former_owner_ids FROM chat.conversations WHERE id = %s", conversation), [old.id, first.id])


@test("a supervisor who waits for another to give it away may no more")
def _():
    old, other, supervisor = Person("old"), Person("other"), Person("supervisor")
    conversation = finished_conversation(old)
    with connect() as admin:
        admin.execute("SELECT chat.admin_set_role(%s, 'supervisor')", (supervisor.id,))
        admin.execute("SELECT chat.admin_set_supervisor(%s, %s)", (old.id, supervisor.id))
        with supervisor.connect() as above:
            admin.execute("BEGIN")
            admin.execute(MOVE, (conversation, other.id))
            equal(waits_then(admin, above, MOVE, conversation, supervisor.id), "P0002")
    equal(owners(conversation), {other.id})


@test("moved to and fro while its owners send and share, nothing is lost and nothing stays behind")
def _():
    people = [Person(f"person{number}") for number in range(3)]
    conversation = finished_conversation(people[0])
    with connect() as admin:
        moves, sent = 0, []
        stop = []

        def send(person):
            with person.connect() as own:
                while not stop:
                    try:
                        sent.append(value(own, "SELECT user_message_id FROM chat.send_message(%s, 'again')", conversation))
                    except psycopg.Error as error:
                        assert error.sqlstate in ("P0002", "55006"), error

        senders = [Task(send, person) for person in people]
        for person in itertools.islice(itertools.cycle(people[1:] + people[:1]), 12):
            before = moves
            wait_until(lambda: outcome(admin, MOVE, conversation, person.id) is None, "it is given away", 60)
            moves = before + 1
            wanted = len(sent) + 1
            wait_until(lambda: len(sent) >= wanted, "its owner sends", 60)
        stop.append(True)
        for sender in senders:
            sender.result()
        wait_until(lambda: value(admin, "SELECT count(*) = 0 FROM chat.messages WHERE conversation_id = %s AND status IN ('pending', 'streaming')", conversation),
                   "all replies have ended", 60)
        equal(owners(conversation), {people[0].id})
        equal(value(admin, "SELECT count(*) FROM chat.messages WHERE id = ANY (%s) AND conversation_id = %s", sent, conversation), len(sent), "messages")
        equal(len(people[0].rows("SELECT * FROM chat.list_messages(%s)", conversation)), 2 + 2 * len(sent), "messages of the branch")
        diag(f"{moves} moves, {len(sent)} messages")


@test("a conversation of 5,000 messages with 50 files is given away in one transaction")
def _():
    old, new = Person("old"), Person("new")
    conversation = old.conversation(mock.model("text=x"))
    with connect() as admin:
        admin.execute("""
            WITH RECURSIVE n AS (SELECT 1 AS i, chat.uuid_v7() AS id, NULL::uuid AS parent UNION ALL SELECT i + 1, chat.uuid_v7(), id FROM n WHERE i < 5000)
            INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, content, attachment_count)
            SELECT %s, id, %s, parent, 'user', 'text ' || i, CASE WHEN i %% 100 = 0 THEN 1 ELSE 0 END FROM n""", (old.id, conversation))
        admin.execute("""
            WITH f AS (INSERT INTO chat.attachments (user_id, id, sha256, media_type, byte_size)
              SELECT user_id, id, sha256(convert_to(content, 'UTF8')), 'text/plain', 9 FROM chat.messages WHERE conversation_id = %s AND attachment_count = 1 RETURNING user_id, id),
            d AS (INSERT INTO chat_private.attachment_data (user_id, attachment_id, data) SELECT user_id, id, 'some text' FROM f)
            INSERT INTO chat.message_attachments (user_id, message_id, position, attachment_id) SELECT user_id, id, 1, id FROM f""", (conversation,))
        task = Task(outcome, admin, MOVE, conversation, new.id)
        equal(task.result(), None)
        diag(f"{task.seconds:.2f} s")
        equal(owners(conversation), {new.id})
        equal(rows(admin, "SELECT user_id, count(*) FROM chat_private.attachment_data GROUP BY 1"), [(new.id, 50)])


if not mock.PORT:
    skip_all("no mock provider")
run()
