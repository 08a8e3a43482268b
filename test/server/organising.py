#!/usr/bin/python3
"""What holds of conversations, folders and prompts when sessions act at once, and what the engine adds to it."""

import contextlib
import itertools
import json
import os
import subprocess
import threading

import psycopg

from support import mock
from support.database import Person, connect, fails, rows, service, value
from support.tap import Task, diag, equal, run, test, wait_until

NIL = "00000000-0000-0000-0000-000000000000"
LEVELS = "read committed", "repeatable read"
PROMPTS = f"SELECT name, is_default FROM chat.system_prompts WHERE user_id = '{NIL}'"


def at_once(steps, level="read committed"):
    """Runs each (connection, query, arguments) in a transaction of its own that has seen the database before all begin; gives the
    SQLSTATE that each raised, or None."""
    start = threading.Barrier(len(steps))

    def one(connection, query, *arguments):
        connection.execute(f"BEGIN ISOLATION LEVEL {level}")
        value(connection, "SELECT count(*) FROM chat.system_prompts")
        start.wait(60)
        try:
            value(connection, query, *arguments)
            connection.execute("COMMIT")
            return None
        except psycopg.Error as error:
            connection.execute("ROLLBACK")
            return error.sqlstate

    tasks = [Task(one, *step) for step in steps]
    return [task.result() for task in tasks]


def authenticated(stack, person, count):
    return [stack.enter_context(person.connect()) for _ in range(count)]


def set_rule(rule):
    with service() as operator:
        value(operator, "SELECT chat.admin_set_setting('title_rule', %s)", json.dumps(rule))


def tally(outcomes):
    return {outcome: outcomes.count(outcome) for outcome in set(outcomes)}


@test("50 conversations opened at once have 50 numbers, and the next one the next")
def _():
    set_rule("numbered")
    try:
        with contextlib.ExitStack() as stack:
            person = Person("numbered")
            steps = [(client, "SELECT chat.create_conversation()") for client in authenticated(stack, person, 50)]
            equal(at_once(steps), [None] * 50)
            titles = [title for title, in person.rows("SELECT title FROM chat.conversations")]
            equal(sorted(titles), sorted(f"Untitled {n}" for n in range(1, 51)))
            # With an older snapshot some fail; those that do not have numbers of their own.
            outcomes = at_once(steps[:20], "repeatable read")
            assert set(outcomes) <= {None, "40001"} and None in outcomes, outcomes
            titles = [title for title, in person.rows("SELECT title FROM chat.conversations")]
            equal(len(titles), 50 + outcomes.count(None))
            equal(sorted(titles), sorted(f"Untitled {n}" for n in range(1, len(titles) + 1)))
            with connect() as admin:
                last = value(admin, "SELECT title FROM chat.conversations WHERE id = %s", person.conversation())
            equal(last, f"Untitled {len(titles) + 1}")
    finally:
        set_rule("new_conversation")


@test("a plan of three conversations allows three, however many are opened at once and in whichever way")
def _():
    with service() as operator, connect() as admin:
        template = value(operator, "SELECT chat.admin_save_template('limits')")
        value(operator, "SELECT chat.admin_save_plan('three', 'Three', NULL, '{\"conversations\": 3}')")
        for level, query in itertools.product(LEVELS, ("SELECT chat.create_conversation()", f"SELECT chat.create_from_template('{template}')")):
            person = Person("three")
            value(operator, "SELECT chat.admin_set_plan(%s, 'three')", person.id)
            with contextlib.ExitStack() as stack:
                outcomes = at_once([(client, query) for client in authenticated(stack, person, 12)], level)
            assert set(outcomes) <= {None, "PC303", "40001"}, outcomes
            made = value(admin, "SELECT count(*) FROM chat.conversations WHERE user_id = %s", person.id)
            equal(made, outcomes.count(None))
            assert 1 <= made <= 3 and (made == 3 or level == "repeatable read"), (level, outcomes)


@test("administrators who choose, add and remove default prompts at once leave exactly one")
def _():
    outcomes = []
    with contextlib.ExitStack() as stack:
        operators = [stack.enter_context(service()) for _ in range(4)]
        for turn in range(16):
            level = LEVELS[turn % 2]
            with connect() as admin:
                admin.execute("DELETE FROM chat.system_prompts WHERE user_id = %s", (NIL,))
            one, two, three = (value(operators[0], "SELECT chat.admin_create_system_prompt(%s, 'x')", f"{name} {turn}") for name in ("one", "two", "three"))
            steps = [(operators[0], "SELECT chat.admin_set_default_system_prompt(%s)", two), (operators[1], "SELECT chat.admin_set_default_system_prompt(%s)", three),
                     (operators[2], "SELECT chat.admin_delete_system_prompt(%s)", (one, two)[turn // 2 % 2]),
                     (operators[3], "SELECT chat.admin_create_system_prompt(%s, 'x', is_default => true)", f"four {turn}")]
            outcomes += at_once(steps, level)
            with connect() as admin:
                equal([is_default for _, is_default in rows(admin, PROMPTS)].count(True), 1, level)
    # 40001 and 23505 come of the older snapshot alone; the default stays (55000), what was removed is gone (P0002).
    assert set(outcomes) <= {None, "55000", "P0002", "40001", "23505"}, tally(outcomes)
    diag(f"outcomes: {tally(outcomes)}")


@test("whoever writes to the table itself: the only default goes while another prompt comes, and one of the two is refused")
def _():
    outcomes = []
    with connect() as one, connect() as other:
        for turn in range(8):
            one.execute("DELETE FROM chat.system_prompts WHERE user_id = %s", (NIL,))
            one.execute("INSERT INTO chat.system_prompts (user_id, name, content) VALUES (%s, 'old', 'x')", (NIL,))
            outcomes += [tuple(sorted(at_once([
                (one, "DELETE FROM chat.system_prompts WHERE user_id = %s AND name = 'old' RETURNING 1", NIL),
                (other, "INSERT INTO chat.system_prompts (user_id, name, content) VALUES (%s, 'new', 'x') RETURNING 1", NIL)], LEVELS[turn % 2]), key=str))]
            found = rows(one, PROMPTS)
            equal([is_default for _, is_default in found].count(True), 1 if found else 0, LEVELS[turn % 2])
        one.execute("DELETE FROM chat.system_prompts WHERE user_id = %s", (NIL,))
    diag(f"outcomes: {tally(outcomes)}")


@test("prompts come back from a dump in any order, one statement a row or all in one")
def _():
    bindir = subprocess.run([os.environ.get("PG_CONFIG", "pg_config"), "--bindir"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    with service() as operator, connect() as admin:
        for name in "abc":
            value(operator, "SELECT chat.admin_create_system_prompt(%s, 'x', is_default => true)", name)
        wanted = rows(admin, PROMPTS + " ORDER BY name")
        equal(wanted, [("a", False), ("b", False), ("c", True)])
        for form in [], ["--inserts"]:
            admin.execute("DROP DATABASE IF EXISTS check_organising_restored WITH (FORCE)")
            admin.execute("CREATE DATABASE check_organising_restored")
            try:
                dump = subprocess.run([f"{bindir}/pg_dump", *form, os.environ["PGDATABASE"]], check=True, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, timeout=100).stdout
                done = subprocess.run([f"{bindir}/psql", "-Xq", "-v", "ON_ERROR_STOP=1", "check_organising_restored"], input=dump,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=100)
                equal(done.returncode, 0, done.stderr.decode())
                with connect(dbname="check_organising_restored") as restored:
                    equal(rows(restored, PROMPTS + " ORDER BY name"), wanted, str(form))
            finally:
                admin.execute("DROP DATABASE check_organising_restored WITH (FORCE)")
        admin.execute("DELETE FROM chat.system_prompts WHERE user_id = %s", (NIL,))


@test("folders that are put into each other at once make no circle")
def _():
    outcomes = []
    with contextlib.ExitStack() as stack, connect() as admin:
        person = Person("circles")
        clients = authenticated(stack, person, 3)
        for turn in range(16):
            size, level = 2 + turn // 2 % 2, LEVELS[turn % 2]
            folders = [person.value("SELECT chat.create_folder(%s)", f"{turn} {n}") for n in range(size)]
            steps = [(clients[n], "SELECT f.id FROM chat.update_folder(%s, parent_id => %s) f", folders[n], folders[(n + 1) % size]) for n in range(size)]
            outcomes += at_once(steps, level)
            listed = {folder for folder, in person.rows("SELECT id FROM chat.list_folders()")}
            assert set(folders) <= listed, f"{level}: a circle is not to be reached from the top"
        equal(value(admin, "SELECT count(*) FROM chat.folders WHERE user_id = %s", person.id), len(listed))
    assert set(outcomes) <= {None, "22023", "40001"} and "22023" in outcomes, tally(outcomes)
    diag(f"outcomes: {tally(outcomes)}")


@test("a folder that is removed while a conversation comes into it leaves none in a folder that there is not")
def _():
    outcomes = []
    with contextlib.ExitStack() as stack, connect() as admin:
        person = Person("moves")
        clients = authenticated(stack, person, 2)
        for turn in range(16):
            folder, conversation = person.value("SELECT chat.create_folder('f')"), person.conversation()
            outcomes += [tuple(at_once([(clients[0], "SELECT chat.move_conversation(%s, %s)", conversation, folder),
                                        (clients[1], "SELECT chat.delete_folder(%s, %s)", folder, turn // 2 % 2 == 0)], LEVELS[turn % 2]))]
            equal(value(admin, """SELECT count(*) FROM chat.conversations c WHERE c.user_id = %s AND c.folder_id IS NOT NULL AND NOT EXISTS
                                  (SELECT FROM chat.folders f WHERE f.user_id = c.user_id AND f.id = c.folder_id)""", person.id), 0, LEVELS[turn % 2])
            person.value("SELECT count(chat.delete_folder(id)) FROM chat.list_folders()")
    diag(f"outcomes: {tally(outcomes)}")


@test("removing a conversation ends its calls at the provider, takes its queue along and keeps what it used")
def _():
    person, model = Person("removes"), mock.model("tokens=4000&rate=20")
    doomed, other = person.conversation(model), person.conversation(model)
    aborted = mock.stats()["aborted_by_client"]
    person.send(doomed)
    kept = person.send(other)[1]
    with connect() as admin:
        state = "SELECT count(*) FROM chat_private.llm_requests WHERE user_id = %s AND state = 'running'"
        wait_until(lambda: value(admin, state, person.id) == 2 and mock.stats()["requests"] >= 2, "both calls are under way")
        wait_until(lambda: person.message(kept)["status"] == "streaming", "one streams")
        person.value("SELECT chat.delete_conversation(%s)", doomed)
        wait_until(lambda: mock.stats()["aborted_by_client"] == aborted + 1, "one call is aborted")
        wait_until(lambda: value(admin, "SELECT count(*) FROM chat.usage_events WHERE conversation_id = %s", doomed) == 1, "what it used is kept")
        for table, column in ("conversations", "id"), ("messages", "conversation_id"):
            equal(value(admin, f"SELECT count(*) FROM chat.{table} WHERE {column} = %s", doomed), 0)
        equal(value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE conversation_id = %s", doomed), 0)
        equal(person.message(kept)["status"], "streaming", "the other one goes on")
        person.value("SELECT chat.delete_conversation(%s)", other)
    fails("P0002", person.value, "SELECT chat.delete_conversation(%s)", doomed, hint=True)


@test("of a message that is sent and a removal at the same time nothing is left")
def _():
    outcomes, model = [], mock.model("tokens=3")
    with contextlib.ExitStack() as stack, connect() as admin:
        person = Person("races")
        clients = authenticated(stack, person, 4)
        for _ in range(10):
            conversation = person.conversation(model)
            steps = [(client, "SELECT request_id FROM chat.send_message(%s, 'x')", conversation) for client in clients[1:]]
            outcomes += at_once([(clients[0], "SELECT chat.delete_conversation(%s)", conversation), *steps])
            for table in "chat.messages", "chat_private.llm_requests":
                equal(value(admin, f"SELECT count(*) FROM {table} WHERE conversation_id = %s", conversation), 0, table)
    assert set(outcomes) <= {None, "P0002", "55006"}, tally(outcomes)
    diag(f"outcomes: {tally(outcomes)}")


@test("a conversation is unread once its reply has ended, until it is read or written to, and not after ask")
def _():
    person, model = Person("reads"), mock.model("tokens=3")
    conversation = person.conversation(model)

    def unread():
        return [row for row, in person.rows("SELECT id FROM chat.find_conversations(is_unread => true)")] == [conversation]

    person.send(conversation)
    wait_until(unread, "the reply has ended")
    person.value("SELECT chat.mark_conversation_read(%s)", conversation)
    assert not unread()
    person.send(conversation)
    wait_until(unread, "the next reply has ended")
    with person.connection.transaction():
        person.send(conversation)
        assert not unread(), "who writes has read"
    wait_until(unread, "and a third")
    person.value("SELECT chat.ask(%s, 'x')", conversation)
    assert not unread(), "who asks has read the answer"


@test("the end of a reply, and reading it, update the conversation in place")
def _():
    person, model = Person("hot"), mock.model("tokens=3")
    with connect() as admin:
        admin.execute("CREATE EXTENSION IF NOT EXISTS pageinspect")

        def is_heap_only(conversation):
            """Whether the row's newest version was written without a new entry in any index."""
            return value(admin, """SELECT i.t_infomask2 & 32768 > 0 FROM chat.conversations c, LATERAL (SELECT c.ctid::text::point AS place) p,
                                     heap_page_items(get_raw_page('chat.conversations', p.place[0]::integer)) i
                                   WHERE c.id = %s AND i.lp = p.place[1]::integer""", conversation)

        replied, read = [], []
        # Of several, for one may lie on a page that is full.
        for _ in range(5):
            conversation = person.conversation(model)
            equal(is_heap_only(conversation), False, "a new row")
            person.send(conversation)
            wait_until(lambda: value(admin, "SELECT last_reply_at IS NOT NULL FROM chat.conversations WHERE id = %s", conversation), "the reply has ended")
            replied.append(is_heap_only(conversation))
            person.value("SELECT chat.mark_conversation_read(%s)", conversation)
            read.append(is_heap_only(conversation))
        assert True in replied and True in read, (replied, read)
        diag(f"in place: {replied.count(True)} and {read.count(True)} of 5")


@test("ask titles by the first words, too")
def _():
    person, model = Person("asks"), mock.model("tokens=3")
    person.value("SELECT chat.update_settings(preferences => '{\"title_rule\": \"first_words\"}')")
    conversation = person.conversation(model)
    person.value("SELECT chat.ask(%s, %s)", conversation, "How do rivers form?\nIn short.")
    equal(person.rows("SELECT title, title_source FROM chat.conversations"), [("How do rivers form?", "rule")])


run()
