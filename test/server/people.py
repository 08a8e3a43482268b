#!/usr/bin/python3
"""Rules about people hold between sessions that act at once, and what an administrator has set survives dump and restore."""

import contextlib
import json
import os
import subprocess
import threading
import uuid

import psycopg

from support import mock
from support.database import PASSWORD, Person, connect, fails, is_blocked, role, rows, service, value
from support.tap import Task, diag, equal, run, test, wait_until


def create(role_name, prefix="made"):
    """An account with a role; gives its id and address."""
    address = f"{prefix}_{uuid.uuid4().hex[:8]}@example.com"
    with service() as operator:
        return value(operator, "SELECT chat.admin_create_user(%s, %s, %s)", address, PASSWORD, role_name), address


def both(first, second):
    """Runs two functions that start together; gives the SQLSTATE that each raised, or None."""
    start = threading.Barrier(2)

    def one(function):
        start.wait(20)
        try:
            function()
            return None
        except psycopg.Error as error:
            return error.sqlstate

    tasks = [Task(one, function) for function in (first, second)]
    return [task.result() for task in tasks]


def calls(query, *arguments, level="read committed"):
    """A function that runs the query in a transaction of its own, at this isolation level, as pgchat_service."""

    def call():
        with service() as operator:
            operator.execute(f"BEGIN ISOLATION LEVEL {level}")
            value(operator, "SELECT count(*) FROM chat.users")
            value(operator, query, *arguments)
            operator.execute("COMMIT")

    return call


@test("a disabled account is refused by the next statement of every connection that knows it")
def _():
    person = Person("disabled")
    person.conversation()
    with contextlib.ExitStack() as stack, service() as operator:
        clients = [stack.enter_context(connect(user=role("pgchat_client"))) for _ in range(4)]
        for client in clients:
            for _ in range(8):  # As often as it takes for plans to be kept.
                with client.transaction():
                    equal(value(client, "SELECT chat.authenticate(%s)", person.token), person.id)
                    equal(value(client, "SELECT count(*) FROM chat.list_conversations()"), 1)
        value(operator, "SELECT chat.admin_set_active(%s, false)", person.id)
        equal(person.rows("SELECT chat.current_user_id(), count(*) FROM chat.conversations"), [(None, 0)], "a connection that was authenticated as a whole")
        fails("28000", person.value, "SELECT chat.create_conversation()", hint=True)
        for client in clients:
            fails("28000", value, client, "SELECT chat.authenticate(%s)", person.token, hint=True)
        value(operator, "SELECT chat.admin_set_active(%s, true)", person.id)
        for client in clients:
            fails("28000", value, client, "SELECT chat.authenticate(%s)", person.token)


@test("the provider sees the calls of an account end that is disabled or removed, and its queue is empty")
def _():
    for act in "SELECT chat.admin_set_active(%s, false)", "SELECT chat.admin_delete_user(%s)":
        person, model = Person("leaves"), mock.model("tokens=1000&rate=20")
        aborted = mock.stats()["aborted_by_client"]
        person.value("SELECT assistant_message_id FROM chat.send_message(%s, 'x')", person.conversation(model))
        person.value("SELECT chat.llm_submit('x', %s)", model)
        with connect() as admin, service() as operator:
            left = "SELECT count(*) FROM chat_private.llm_requests WHERE user_id = %s AND state IN ('queued', 'running')"
            wait_until(lambda: value(admin, left + " AND started_at < now() - interval '0.3 s'", person.id) == 2, "two calls are under way")
            value(operator, act, person.id)
            wait_until(lambda: mock.stats()["aborted_by_client"] == aborted + 2, "both are aborted")
            wait_until(lambda: value(admin, left, person.id) == 0, "and have ended")


@test("two administrators who remove each other at once leave one")
def _():
    with connect() as admin:
        admin.execute("UPDATE chat.users SET role = 'user' WHERE role = 'admin'")
    outcomes = []
    for turn in range(24):
        (one, _), (other, _) = create("admin"), create("admin")
        statement, *rest = (("SELECT chat.admin_set_role(%s, 'user')",), ("SELECT chat.admin_set_active(%s, false)",), ("SELECT chat.admin_delete_user(%s)",))[turn % 3]
        level = ("read committed", "repeatable read")[turn // 3 % 2]
        outcomes.append(tuple(sorted(both(calls(statement, one, level=level), calls(statement, other, level=level)), key=str)))
        with connect() as admin:
            equal(value(admin, "SELECT count(*) FROM chat.users WHERE role = 'admin' AND is_active"), 1, f"{statement} at {level}")
            admin.execute("UPDATE chat.users SET role = 'user' WHERE role = 'admin'")
    assert set(outcomes) <= {("55000", None), ("40001", None), ("40P01", None)}, outcomes
    diag(f"outcomes: { {pair: outcomes.count(pair) for pair in set(outcomes)} }")


@test("a login waits for whoever removes the account, holding nothing that the removal waits for, and is refused")
def _():
    user_id, address = create("user")
    with service() as operator, connect(user=role("pgchat_client")) as client:
        operator.execute("BEGIN")
        # As the removal begins: what follows takes longer with many rows.
        value(operator, "SELECT id FROM chat.users WHERE id = %s FOR NO KEY UPDATE", user_id)
        login = Task(fails, "28P01", value, client, "SELECT session_token FROM chat.login(%s, %s)", address, PASSWORD)
        wait_until(lambda: is_blocked(client), "the login waits")
        value(operator, "SELECT chat.admin_delete_user(%s)", user_id)
        operator.execute("COMMIT")
        login.result()


@test("two supervisors put under each other at once do not make a circle")
def _():
    outcomes = []
    for turn in range(16):
        (one, _), (other, _) = create("supervisor"), create("supervisor")
        statement, level = "SELECT chat.admin_set_supervisor(%s, %s)", ("read committed", "repeatable read")[turn % 2]
        outcomes += [tuple(sorted(both(calls(statement, one, other, level=level), calls(statement, other, one, level=level)), key=str))]
        with connect() as admin:
            equal(value(admin, "SELECT count(*) FROM chat.users WHERE id IN (%s, %s) AND supervisor_id IS NOT NULL", one, other), 1, level)
    diag(f"outcomes: { {pair: outcomes.count(pair) for pair in set(outcomes)} }")


@test("an invitation and a token that resets a password are used once, by two sessions at once, too")
def _():
    for _ in range(6):
        address = f"invited_{uuid.uuid4().hex[:8]}@example.com"
        with service() as operator:
            invitation = value(operator, "SELECT chat.admin_invite(%s)", address)
            token = value(operator, "SELECT chat.admin_resend_invitation(%s, false)", invitation)
        accept = calls("SELECT chat.register(%s, %s, invitation_token => %s)", address, PASSWORD, token)
        outcome = both(accept, accept)
        assert outcome.count(None) == 1 and set(outcome) <= {None, "PC301", "23505"}, outcome
        user_id, _ = create("user")
        with service() as operator:
            token = value(operator, "SELECT chat.admin_reset_password(%s, false)", user_id)
        reset = [calls("SELECT chat.reset_password(%s, %s)", token, f"another-{n}-password") for n in range(2)]
        equal(sorted(both(*reset), key=str), [None, "PC301"])


@test("a person who is removed while a reply is written leaves nothing but usage without a name")
def _():
    with connect() as admin:
        value(admin, "SELECT chat.admin_register_provider('check-echo', 'echo')")
        value(admin, "SELECT chat.admin_register_model('check-echo', 'check-echo')")
    person = Person("leaving")
    for _ in range(5):
        person.send(person.conversation("check-echo"), "some words")
    with connect() as admin:
        wait_until(lambda: value(admin, "SELECT count(*) FROM chat.usage_events WHERE user_id = %s", person.id) == 5, "five replies")
        person.send(person.conversation("check-echo"), "last words")
        person.value("SELECT chat.delete_my_account(%s)", PASSWORD)
        equal(person.value("SELECT chat.current_user_id()"), None, "the connection's identity")
        for name, column in rows(admin, "SELECT name, owner_column FROM chat_private.personal_tables() WHERE at_removal NOT IN ('keep', 'anonymise')"):
            equal(value(admin, f"SELECT count(*) FROM {name} WHERE {column} = %s", person.id), 0, name)
        equal(value(admin, "SELECT count(*) >= 5 FROM chat.usage_events WHERE user_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'"), True)
        assert value(admin, "SELECT state FROM chat.engine_status()") == "running"


@test("two personas that are saved at once are no more than the setting allows")
def _():
    outcomes = []
    with service() as operator:
        value(operator, "SELECT chat.admin_set_setting('personas_per_user', '2')")
        for turn in range(6):
            person = Person(f"saver{turn}")
            person.value("SELECT chat.save_persona('first', 'F', 'F.', 'You are F.')")
            with person.connect() as one, person.connect() as other:
                outcomes.append(sorted(both(lambda: one.execute("SELECT chat.save_persona('a', 'A', 'A.', 'You are A.')"),
                                            lambda: other.execute("SELECT chat.save_persona('b', 'B', 'B.', 'You are B.')")), key=str))
            equal(len(person.rows("SELECT code FROM chat.list_personas() WHERE is_personal")), 2)
        value(operator, "SELECT chat.admin_set_setting('personas_per_user', NULL)")
    equal(outcomes, [["54000", None]] * 6)


@test("what an administrator has set survives dump and restore, and what they have not is as installed")
def _():
    with service() as operator:
        value(operator, "SELECT chat.admin_save_plan('pro', 'Professional', limits => '{\"messages_per_day\": 5000}')")
        value(operator, "SELECT chat.admin_save_plan('team')")
        value(operator, "SELECT chat.admin_save_plan('enterprise', is_active => false)")
        value(operator, "SELECT chat.admin_set_mail_template('invitation', 'en', 'Come in', 'Here: {{token}}')")
        value(operator, "SELECT chat.admin_set_mail_template('invitation', 'de', 'Komm', 'Hier: {{token}}')")
        member = Person("member")
        member.value("SELECT chat.save_persona('growth_hacker', 'Mine', 'Grows mine.', 'You are mine.')")
        value(operator, "SELECT chat.admin_save_persona('growth_hacker', expertise => 'Edited.')")
        value(operator, "SELECT chat.admin_save_persona('of_the_house', 'House', 'Knows the house.', 'You are the house.')")
        value(operator, "SELECT chat.admin_set_persona_active('actuary', false)")
        value(operator, "SELECT chat.admin_set_setting('registration_domains', %s)", json.dumps(["example.org"]))
        value(operator, "SELECT chat.admin_invite('restored@example.com')")
    queries = ("SELECT code, name, description, limits, is_active, is_default FROM chat.plans ORDER BY code",
               "SELECT kind, language, subject, body, is_default FROM chat.mail_templates ORDER BY kind, language",
               "SELECT user_id, code, name, expertise, category, system_prompt, model, is_active, is_default FROM chat.personas ORDER BY user_id, code",
               "SELECT key, value FROM chat.settings ORDER BY key", "SELECT * FROM chat.users ORDER BY id",
               "SELECT * FROM chat.invitations ORDER BY id", "SELECT * FROM chat_private.outbox ORDER BY id",
               "SELECT * FROM chat_private.account_tokens ORDER BY token_hash", "SELECT * FROM chat_private.login_names ORDER BY name")
    bindir = subprocess.run([os.environ.get("PG_CONFIG", "pg_config"), "--bindir"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    with connect() as admin:
        before = [rows(admin, query) for query in queries]
        admin.execute("DROP DATABASE IF EXISTS check_people_restored WITH (FORCE)")
        admin.execute("CREATE DATABASE check_people_restored")
        try:
            dump = subprocess.run([f"{bindir}/pg_dump", os.environ["PGDATABASE"]], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=100).stdout
            done = subprocess.run([f"{bindir}/psql", "-Xq", "-v", "ON_ERROR_STOP=1", "check_people_restored"], input=dump, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, timeout=100)
            equal(done.returncode, 0, done.stderr.decode())
            with connect(dbname="check_people_restored") as restored:
                for query, wanted in zip(queries, before):
                    equal(rows(restored, query), wanted, query)
                equal(value(restored, "SELECT count(*) FROM chat.personas WHERE user_id = %s", member.id), 1)
                equal(rows(restored, "SELECT is_default, count(*) FROM chat.personas WHERE user_id = '00000000-0000-0000-0000-000000000000' GROUP BY 1 ORDER BY 1"),
                      [(False, 3), (True, 43)])
                equal(value(restored, "SELECT chat_private.ship_personas()"), 0)
                value(restored, "SELECT chat.admin_save_plan('free', description => 'changed')")
                equal(value(restored, "SELECT count(*) FROM chat.plans"), 5)
        finally:
            admin.execute("DROP DATABASE check_people_restored WITH (FORCE)")


run()
