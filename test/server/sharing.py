#!/usr/bin/python3
"""Sharing on real connections: the reply that a grantee asked for, streams read by others, and what ends while somebody waits."""

import psycopg

from support import mock
from support.database import Person, connect, fails, read_new, rows, text_of, value
from support.tap import Task, diag, equal, run, skip_all, test, wait_until

READ = "SELECT seq, kind, delta FROM chat.read_shared_stream(%s, %s, %s, %s)"


def granted(owner, conversation, person, permission="read", **more):
    """Shares a conversation with a person; gives the share's id."""
    return owner.value("SELECT chat.grant_conversation(%s, %s, %s, %s::interval)", conversation, str(person.id), permission,
                       more.get("expires_in"))


def read_shared(person, share, reply, seconds=30):
    """Reads a reply through a share to its end; gives the events."""
    got = []
    while not got or got[-1][1] not in ("done", "incomplete", "error", "cancelled"):
        got += person.rows(READ, share, reply, got[-1][0] if got else 0, seconds * 1000)
    return got


def waits(person):
    """Whether the person's connection waits for the engine."""
    with connect() as admin:
        return value(admin, "SELECT state = 'active' AND wait_event_type = 'Extension' FROM pg_stat_activity WHERE pid = %s",
                     person.connection.info.backend_pid)


@test("a grantee sends, a model answers in the owner's name, and grantee, owner and reader read the same stream")
def _():
    owner, writer, reader = Person("owner"), Person("writer"), Person("reader")
    conversation = owner.conversation(mock.model("tokens=10&rate=20"))
    share = granted(owner, conversation, writer, "write")
    to_read = granted(owner, conversation, reader)
    message, reply, request = writer.rows("SELECT * FROM chat.send_to_shared(%s, 'hello')", share)[0]
    readers = [Task(read_shared, writer, share, reply), Task(read_shared, reader, to_read, reply)]
    got = [task.result() for task in readers]
    equal(got[0], got[1], "what grantees read")
    equal(text_of(got[0]), text_of(read_new(owner.connection, reply)), "what the owner reads")
    equal([event[0] for event in got[0]], list(range(1, len(got[0]) + 1)), "seq")
    with connect() as admin:
        equal(rows(admin, "SELECT user_id, author_id, content FROM chat.messages WHERE id IN (%s, %s) ORDER BY id", message, reply),
              [(owner.id, writer.id, "hello"), (owner.id, None, text_of(got[0]))])
        wait_until(lambda: value(admin, "SELECT count(*) FROM chat.usage_events WHERE request_id = %s", request) == 1, "usage is recorded")
        equal(value(admin, "SELECT user_id FROM chat.usage_events WHERE request_id = %s", request), owner.id, "who pays")
    diag(f"{len(got[0])} events")
    fails("P0002", writer.rows, "SELECT * FROM chat.read_stream(%s)", reply)


@test("who is granted writing stops a reply that is under way")
def _():
    owner, writer = Person("owner"), Person("writer")
    share = granted(owner, owner.conversation(mock.model("tokens=4000&rate=10")), writer, "write")
    reply = writer.rows("SELECT * FROM chat.send_to_shared(%s, 'hello')", share)[0][1]
    first = writer.rows(READ, share, reply, 0, 30000)
    assert first, "nothing came in 30 s"
    equal(writer.value("SELECT chat.cancel_shared_message(%s, %s)", share, reply), True)
    equal(read_shared(writer, share, reply)[-1][1], "cancelled")


@test("a share that is revoked while a grantee waits for a stream gives nothing more")
def _():
    owner, reader = Person("owner"), Person("reader")
    conversation = owner.conversation(mock.model("latency_ms=4000&text=secret"))
    share = granted(owner, conversation, reader)
    reply = owner.send(conversation)[1]
    task = Task(reader.rows, READ, share, reply, 0, 30000)
    wait_until(lambda: waits(reader), "the reader waits")
    owner.value("SELECT chat.revoke_share(%s)", share)
    fails("P0002", task.result)
    fails("P0002", reader.rows, "SELECT * FROM chat.read_shared_conversation(%s)", share)


@test("who leaves a share is in the audit log, which nobody waits for")
def leaving():
    owner, reader = Person("owner"), Person("reader")
    share = granted(owner, owner.conversation(mock.model()), reader)
    reader.value("SELECT chat.leave_shared(%s)", share)
    with connect() as admin:
        wait_until(lambda: rows(admin, "SELECT user_id, outcome FROM chat.audit_log WHERE action = 'share.leave' AND details ->> 'share' = %s",
                                str(share)) == [(reader.id, "success")], "it is audited")


@test("revoking and expiring bite at the next statement of an open transaction")
def _():
    owner, reader = Person("owner"), Person("reader")
    conversation = owner.conversation(mock.model("text=answer"))
    owner.value("SELECT chat.ask(%s, 'question')", conversation)
    for end in ("SELECT chat.revoke_share(%s)", "UPDATE chat.conversation_shares SET expires_at = clock_timestamp() WHERE id = %s",
                "DELETE FROM chat.conversations WHERE id = (SELECT conversation_id FROM chat.conversation_shares WHERE id = %s)"):
        share = granted(owner, conversation, reader)
        link, token = owner.rows("SELECT * FROM chat.share_conversation(%s)", conversation)[0]
        with reader.connection.transaction():
            reader.value("SELECT chat.authenticate(%s)", reader.token)
            equal(len(reader.rows("SELECT * FROM chat.read_shared_conversation(%s)", share)), 2)
            equal(len(reader.rows("SELECT * FROM chat.read_share(%s)", token)), 2)
            for ended in share, link:
                if end.startswith("SELECT"):
                    owner.value(end, ended)
                else:
                    with connect() as admin:
                        admin.execute(end, (ended,))
            for statement, argument in (("read_shared_conversation(%s)", share), ("read_share(%s)", token)):
                fails("P0002", in_savepoint, reader, "SELECT * FROM chat." + statement, argument)


def in_savepoint(person, statement, argument):
    with person.connection.transaction():
        return person.rows(statement, argument)


@test("an older snapshot keeps no share open: neither for reading streams nor for sending")
def _():
    owner, writer = Person("owner"), Person("writer")
    conversation = owner.conversation(mock.model("text=answer"))
    owner.value("SELECT chat.ask(%s, 'question')", conversation)
    share = granted(owner, conversation, writer, "write")
    link, token = owner.rows("SELECT * FROM chat.share_conversation(%s)", conversation)[0]
    writer.connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    with writer.connection.transaction():
        equal(len(writer.rows("SELECT * FROM chat.read_shared_conversation(%s)", share)), 2)
        owner.value("SELECT chat.update_share(%s, permission => 'read')", share)
        fails("42501", in_savepoint, writer, "SELECT * FROM chat.send_to_shared(%s, 'late')", share)
        reply = owner.send(conversation)[1]
        for ended in share, link:
            owner.value("SELECT chat.revoke_share(%s)", ended)
        fails("P0002", in_savepoint, writer, "SELECT * FROM chat.send_to_shared(%s, 'late')", share)
        fails("P0002", in_savepoint, writer, f"SELECT * FROM chat.read_shared_stream(%s, '{reply}')", share)
        fails("P0002", in_savepoint, writer, "SELECT * FROM chat.read_share(%s)", token)


@test("who waits for the conversation to send sends nothing once the share has ended")
def _():
    owner, writer = Person("owner"), Person("writer")
    conversation = owner.conversation(mock.model("text=answer"))
    share = granted(owner, conversation, writer, "write")
    with connect() as admin:
        with admin.transaction():
            admin.execute("SELECT FROM chat.conversations WHERE id = %s FOR UPDATE", (conversation,))
            task = Task(writer.rows, "SELECT * FROM chat.send_to_shared(%s, 'late')", share)
            with connect() as other:
                wait_until(lambda: value(other, "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s",
                                         writer.connection.info.backend_pid), "the writer waits")
            owner.value("SELECT chat.revoke_share(%s)", share)
        fails("P0002", task.result)
        equal(value(admin, "SELECT count(*) FROM chat.messages WHERE user_id = %s", owner.id), 0)


@test("a grantee is not told the owner's limits nor what the provider says of the owner")
def _():
    owner, writer = Person("owner"), Person("writer")
    for model in "status=400", "tokens=3":
        share = granted(owner, owner.conversation(mock.model(model)), writer, "write")
        reply = writer.rows("SELECT * FROM chat.send_to_shared(%s, 'hello')", share)[0][1]
        equal(read_shared(writer, share, reply)[-1][1:], ("error", "the reply failed; its owner can see why"))
        assert read_new(owner.connection, reply)[-1][2] != "the reply failed; its owner can see why", "the owner is told why"
        with connect() as admin:
            admin.execute("SELECT chat.admin_set_limits(%s, '{\"tokens_per_day\": 1}')", (owner.id,))


@test("a supervisor moves no conversation of who has left their team, whatever their transaction sees")
def _():
    worker, other, supervisor = Person("worker"), Person("other"), Person("supervisor")
    conversation = worker.conversation(mock.model("text=answer"))
    with connect() as admin:
        admin.execute("SELECT chat.admin_set_role(%s, 'supervisor')", (supervisor.id,))
        for person in worker, other:
            admin.execute("SELECT chat.admin_set_supervisor(%s, %s)", (person.id, supervisor.id))
        move = f"SELECT chat.admin_reassign_conversation(%s, '{other.id}')"
        with supervisor.connect() as above:
            above.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            with above.transaction(force_rollback=True):
                equal(len(rows(above, "SELECT * FROM chat.list_supervised_conversations()")), 1)
                admin.execute("SELECT chat.admin_set_supervisor(%s, NULL)", (worker.id,))
                equal(state_of(above, move, conversation), "40001")
        admin.execute("SELECT chat.admin_set_supervisor(%s, %s)", (worker.id, supervisor.id))
        with supervisor.connect() as above:
            with admin.transaction():
                admin.execute("SELECT FROM chat.conversations WHERE id = %s FOR UPDATE", (conversation,))
                task = Task(state_of, above, move, conversation)
                with connect() as third:
                    wait_until(lambda: value(third, "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s",
                                             above.info.backend_pid), "the supervisor waits")
                    third.execute("SELECT chat.admin_set_supervisor(%s, NULL)", (worker.id,))
            equal(task.result(), "P0002")
        equal(value(admin, "SELECT user_id FROM chat.conversations WHERE id = %s", conversation), worker.id)


@test("a supervisor who is demoted, disabled or moved sees nothing with the next statement of an open transaction")
def _():
    worker, supervisor = Person("worker"), Person("supervisor")
    conversation = worker.conversation(mock.model("text=answer"))
    worker.value("SELECT chat.ask(%s, 'question')", conversation)
    look = "SELECT * FROM chat.read_supervised_conversation(%s)"
    for end, outcome in (("SELECT chat.admin_set_supervisor(%(worker)s, NULL)", "P0002"), ("SELECT chat.admin_set_role(%(supervisor)s, 'user')", "28000"),
                         ("SELECT chat.admin_set_active(%(supervisor)s, false)", "28000")):
        people = {"worker": worker.id, "supervisor": supervisor.id}
        with connect() as admin:
            admin.execute("SELECT chat.admin_set_role(%(supervisor)s, 'supervisor')", people)
            admin.execute("SELECT chat.admin_set_supervisor(%(worker)s, %(supervisor)s)", people)
            with supervisor.connect() as above, above.transaction(force_rollback=True):
                equal(len(rows(above, look, conversation)), 2)
                admin.execute(end, people)
                error = state_of(above, look, conversation)
                assert error in (outcome, "P0002"), f"after {end}: {error}"


def state_of(connection, statement, argument):
    """The SQLSTATE with which a statement fails."""
    try:
        got = rows(connection, statement, argument)
    except psycopg.Error as error:
        return error.sqlstate
    raise AssertionError(f"no error; got {got!r}")


@test("of 20 grants to one user at once there is one")
def _():
    owner, reader = Person("owner"), Person("reader")
    conversation = owner.conversation(mock.model("text=x"))
    connections = [owner.connect() for _ in range(20)]
    tasks = [Task(value, connection, "SELECT chat.grant_conversation(%s, %s)", conversation, str(reader.id)) for connection in connections]
    equal(len({task.result() for task in tasks}), 1, "shares")
    for connection in connections:
        connection.close()
    equal(len(reader.rows("SELECT * FROM chat.list_shared_with_me()")), 1)


if not mock.PORT:
    skip_all("no mock provider")
run()
