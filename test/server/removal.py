#!/usr/bin/python3
"""What somebody does, and others do to them, in the moment in which their account is removed: it is refused, with a reason they know."""

import time

from support import mock
from support.database import PASSWORD, Person, connect, engine, is_blocked, outcome, rows, service, value
from support.tap import Task, equal, run, skip_all, test, wait_until

# What a person does, with names that cast() fills in.
OWN_ACTS = (
    "SELECT chat.create_conversation()",
    "SELECT chat.create_conversation('title')",
    "SELECT chat.send_message('{conversation}', 'late')",
    "SELECT chat.ask('{conversation}', 'late')",
    "SELECT chat.update_conversation('{conversation}', title => 'late')",
    "SELECT chat.set_conversation_tags('{conversation}', ARRAY['late'])",
    "SELECT chat.grant_conversation('{conversation}', '{other}')",
    "SELECT chat.fork_conversation('{conversation}')",
    "SELECT chat.create_folder('late')",
    "SELECT chat.save_template('late', 'You are late.')",
    "SELECT chat.save_system_prompt('late', 'You are late.')",
    "SELECT chat.save_persona('late', 'Late', 'Lateness', 'You are late.')",
    "SELECT chat.create_deliberation('Late?', model => '{model}')",
    "SELECT chat.fork_deliberation('{deliberation}')",
    "SELECT chat.add_attachment('late'::bytea)",
    "SELECT chat.set_api_key('mock-openai', 'sk-late-0123456789')",
    "SELECT chat.llm_submit('late', '{model}')",
    "SELECT chat.import_conversations(chat.export_conversation('{conversation}'))",
    "SELECT chat.totp_enroll()",
    "SELECT chat.issue_refresh_token()",
    "SELECT chat.change_password('{password}', '{password}-2')",
    "SELECT chat.update_settings(preferences => '{{\"late\": 1}}')",
    "SELECT chat.update_profile('Late')",
    "SELECT chat.accept_terms()",
)
# What is answered alike for everybody, with or without an account.
MAIL_REQUESTS = ("SELECT chat.request_email_verification()", "SELECT chat.request_password_reset('{address}')")
GRANT = "SELECT chat.grant_conversation('{other_conversation}', '{address}')"
# What others do to them.
ACTS_OF_OTHERS = (
    "SELECT chat.admin_set_role('{user}', 'supervisor')",
    "SELECT chat.admin_set_active('{user}', false)",
    "SELECT chat.admin_set_plan('{user}', 'default')",
    "SELECT chat.admin_set_budget('{user}', 1)",
    "SELECT chat.admin_set_limits('{user}', '{{\"requests_per_minute\": 1}}')",
    "SELECT chat.admin_grant_model('{model}', '{user}')",
    "SELECT chat.admin_set_supervisor('{user}', '{supervisor}')",
    "SELECT chat.admin_set_supervisor('{other_id}', '{user}')",
    "SELECT chat.admin_reassign_conversation('{other_conversation}', '{user}')",
    "SELECT chat.admin_reset_password('{user}', false)",
    "SELECT chat.admin_import_totp('{user}', 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP')",
    "SELECT chat.admin_set_billing_customer('{user}', 'stripe', 'cus_late')",
)


def left_over(user_id):
    """Tables that have rows of a person who was removed, and should not; the engine has a moment to record and tidy what was under way."""
    with connect() as admin:
        tables = rows(admin, "SELECT name, owner_column FROM chat_private.personal_tables() WHERE at_removal <> 'keep' ORDER BY 1")
        tables += [("chat_private.llm_requests", "user_id"), ("chat.conversation_shares", "grantee_id")]
        for _ in range(20):
            value(admin, "SELECT chat_private.tidy(500)")
            found = [name for name, owner in tables
                     if value(admin, f"SELECT true FROM {name} WHERE {owner} = %s LIMIT 1", user_id)]
            if not found:
                break
            time.sleep(0.1)
        return found


def cast():
    """Somebody who can do all of OWN_ACTS and have all of ACTS_OF_OTHERS done to them, and what is filled in there."""
    old = Person("old")
    conversation = old.conversation(MODEL)
    for code in ("own_one", "own_two"):
        old.value("SELECT chat.save_persona(%s, %s, 'x', 'You are x.')", code, code)
    return old, {"conversation": conversation, "user": old.id, "model": MODEL, "other": f"{OTHER.name}@example.com", "other_id": OTHER.id,
                 "other_conversation": OTHERS_CONVERSATION, "supervisor": SUPERVISOR.id, "address": f"{old.name}@example.com", "password": PASSWORD,
                 "deliberation": old.value("SELECT chat.create_deliberation('Shall we?', persona_codes => ARRAY['own_one', 'own_two'], model => %s)", MODEL)}


def while_removed(statement, connect_as):
    """The outcome of a statement that begins when its person is removed, but that is not committed yet; and what is left of them."""
    old, names = cast()
    with connect() as admin, connect_as(old) as late:
        admin.execute("BEGIN")
        value(admin, "SELECT chat.admin_delete_user(%s)", old.id)
        task = Task(outcome, late, statement.format(**names))
        wait_until(lambda: not task.is_alive() or is_blocked(late), "it waits for the removal, or has ended")
        admin.execute("COMMIT")
        return task.result(), left_over(old.id)


def before_removal(statement, connect_as):
    """The outcomes of a statement and of a removal that begins before the statement is committed; and what is left of the person."""
    old, names = cast()
    with connect() as admin, connect_as(old) as first:
        first.execute("BEGIN")
        got = outcome(first, statement.format(**names))
        removal = Task(outcome, admin, "SELECT chat.admin_delete_user(%s)", old.id)
        wait_until(lambda: not removal.is_alive() or is_blocked(admin), "the removal waits, or has ended")
        first.execute("COMMIT")
        return got, removal.result(), left_over(old.id)


def surprises(statements, function, *expected):
    got = [(statement, *function(statement)) for statement in statements]
    return [one for one in got if not all(came in wanted for came, wanted in zip(one[1:], expected))]


@test("what somebody does while their account is removed is refused, and leaves nothing")
def _():
    equal(surprises(OWN_ACTS, lambda act: while_removed(act, Person.connect), {"28000", "P0002"}, [[]]), [])


@test("what others do to somebody while their account is removed finds nobody")
def _():
    equal(surprises(ACTS_OF_OTHERS, lambda act: while_removed(act, lambda _: connect()), {"P0002"}, [[]]), [])
    equal(while_removed(GRANT, lambda _: OTHER.connect()), ("P0002", []))
    equal(while_removed("SELECT chat.login('{address}', '{password}')", lambda _: connect()), ("28P01", []))
    equal(surprises(MAIL_REQUESTS, lambda act: while_removed(act, Person.connect), {None}, [[]]), [])


@test("what somebody adds before their account is removed goes with it")
def _():
    equal(surprises(OWN_ACTS + MAIL_REQUESTS, lambda act: before_removal(act, Person.connect), {None}, {None}, [[]]), [])
    equal(before_removal(GRANT, lambda _: OTHER.connect()), (None, None, []))


@test("a conversation that is deleted while chat.ask waits for its reply is not found")
def _():
    old = Person("old")
    conversation = old.conversation(mock.model("text=x&latency_ms=500"))
    with old.connect() as asker, connect() as deleter:
        task = Task(outcome, asker, "SELECT chat.ask(%s, 'late')", conversation)
        wait_until(lambda: engine()["calls_in_flight"] == 1, "the model is asked")
        deleter.execute("BEGIN")
        deleter.execute("DELETE FROM chat.conversations WHERE id = %s", (conversation,))
        wait_until(lambda: is_blocked(asker), "its rows wait")
        deleter.execute("COMMIT")
        equal(task.result(), "P0002")


@test("of what is under way when an account is removed its requests are aborted, and what was used becomes nobody's")
def _():
    old = Person("old")
    conversation = old.conversation(mock.model("tokens=3000&rate=50"))
    with connect() as admin, old.connect() as caller:
        reply = old.send(conversation)[1]
        call = Task(outcome, caller, "SELECT chat.llm_complete('late', %s)", mock.model("tokens=50&rate=50"))
        wait_until(lambda: engine()["calls_in_flight"] == 2 and old.rows("SELECT * FROM chat.read_stream(%s)", reply), "both are under way")
        value(admin, "SELECT chat.admin_delete_user(%s)", old.id)
        call.result()
        wait_until(lambda: engine()["calls_in_flight"] == 0, "the request is aborted", 5)
        equal(left_over(old.id), [])


@test("mails of somebody who is being removed are not sent, and not lost should that be undone")
def _():
    old = Person("old")
    with connect() as admin, service() as sender:
        value(admin, "SELECT chat.request_password_reset(%s)", f"{old.name}@example.com")
        admin.execute("BEGIN")
        value(admin, "SELECT chat_private.open_gate()")
        value(admin, "SELECT id FROM chat.users WHERE id = %s FOR UPDATE", old.id)
        claimed = rows(sender, "SELECT recipient FROM chat.outbox_claim(1000)")
        admin.execute("ROLLBACK")
        assert (f"{old.name}@example.com",) not in claimed, claimed
        equal(value(admin, "SELECT state FROM chat_private.outbox WHERE user_id = %s", old.id), "sending")
        admin.execute("UPDATE chat_private.outbox SET next_attempt_at = now() WHERE user_id = %s", (old.id,))
        assert (f"{old.name}@example.com",) in rows(sender, "SELECT recipient FROM chat.outbox_claim(1000)"), "it is sent later"


if not mock.PORT:
    skip_all("no mock provider")
MODEL = mock.model("text=x")
OTHER, SUPERVISOR = Person("other"), Person("supervisor")
OTHERS_CONVERSATION = OTHER.conversation(MODEL)
with connect() as connection:
    value(connection, "SELECT chat.admin_set_role(%s, 'supervisor')", SUPERVISOR.id)
run()
