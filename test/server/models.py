#!/usr/bin/python3
"""Which models people may use, on every way to a model, and from when on; and the model of each turn of a conversation."""

import json

from support import mock
from support.database import Person, connect, fails, read, role, rows, service, value
from support.tap import equal, run, test, wait_until

operator = service()
alice, bob = Person("alice"), Person("bob")
with connect() as set_up:
    value(set_up, "SELECT chat.admin_register_provider('models', 'echo')")
    for name, options in (("open", {}), ("closed", {"is_open": False}), ("other", {})):
        value(set_up, "SELECT chat.admin_register_model('models', %s, options => %s)", name, json.dumps(options))

# Ways to a model that the engine alone can refuse: they never look at the tables.
IMMEDIATE = ("SELECT chat.llm_complete('hi', %s)", "SELECT chat.llm_complete_json('hi', %s)", "SELECT chat.llm_stream('hi', %s)",
             "SELECT chat.llm_complete('[{\"role\": \"user\", \"content\": \"hi\"}]'::jsonb, %s)")


def set_default(name):
    value(operator, "SELECT chat.admin_set_default_model(%s)", name)


@test("calls that go straight to the engine are refused, and allowed from the grant's commit to that of its end")
def _():
    for query in IMMEDIATE:
        fails("42501", alice.value, query, "closed", hint=True)
        assert alice.value(query, "open"), query
    with service() as admin:
        admin.execute("BEGIN")
        value(admin, "SELECT chat.admin_grant_model('closed', %s)", alice.id)
        fails("42501", alice.value, IMMEDIATE[0], "closed")
        admin.execute("COMMIT")
    for query in IMMEDIATE:
        assert alice.value(query, "closed"), query
        fails("42501", bob.value, query, "closed")
    value(operator, "SELECT chat.admin_revoke_model('closed', %s)", alice.id)
    for query in IMMEDIATE:
        fails("42501", alice.value, query, "closed")


@test("a role and a plan give models, and what changes them takes effect at the next call")
def _():
    value(operator, "SELECT chat.admin_grant_model('closed', plan => 'pro')")
    fails("42501", bob.value, IMMEDIATE[0], "closed")
    value(operator, "SELECT chat.admin_set_plan(%s, 'pro')", bob.id)
    equal(bob.value(IMMEDIATE[0], "closed"), "hi")
    value(operator, "SELECT chat.admin_set_plan(%s, 'free')", bob.id)
    fails("42501", bob.value, IMMEDIATE[0], "closed")
    value(operator, "SELECT chat.admin_revoke_model('closed', plan => 'pro')")
    value(operator, "SELECT chat.admin_grant_model('closed', role => 'user')")
    equal(bob.value(IMMEDIATE[0], "closed"), "hi")
    value(operator, "SELECT chat.admin_revoke_model('closed', role => 'user')")


@test("closing a model, or all, takes effect at the next call, the default's included")
def _():
    set_default("open")
    equal(alice.value("SELECT chat.llm_complete('hi')"), "hi")
    value(operator, "SELECT chat.admin_set_model_open('open', false)")
    fails("42501", alice.value, "SELECT chat.llm_complete('hi')", hint=True)
    value(operator, "SELECT chat.admin_set_model_open('open', NULL)")
    equal(alice.value("SELECT chat.llm_complete('hi')"), "hi")
    value(operator, "SELECT chat.admin_set_setting('models_open_by_default', 'false')")
    for name in "open", "other":
        fails("42501", alice.value, IMMEDIATE[0], name)
    equal(alice.rows("SELECT * FROM chat.list_models()"), [])
    value(operator, "SELECT chat.admin_set_setting('models_open_by_default', NULL)")
    equal(alice.value(IMMEDIATE[0], "other"), "hi")


@test("a trusted backend without a user may use every model, and with one what that user may")
def _():
    equal(value(operator, IMMEDIATE[0], "closed"), "hi")
    with connect(user=role("pgchat_service")) as backend:
        value(backend, "SELECT chat.authenticate(%s, false)", alice.token)
        fails("42501", value, backend, IMMEDIATE[0], "closed")


@test("what was taken back between sending and dispatch is not asked")
def _():
    taken_back = mock.model("text=taken")
    conversation = alice.conversation(taken_back)
    asked = mock.stats()["requests"]
    with alice.connect() as sender:
        sender.execute("BEGIN")
        reply = rows(sender, "SELECT assistant_message_id FROM chat.send_message(%s, 'hi')", conversation)[0][0]
        request = value(sender, "SELECT chat.llm_submit('hi', %s)", taken_back)
        value(operator, "SELECT chat.admin_set_model_open(%s, false)", taken_back)
        sender.execute("COMMIT")
    wait_until(lambda: alice.message(reply)["status"] == "error", "the reply is refused")
    error = alice.message(reply)["error"]
    equal((error["sqlstate"], error["code"], bool(error["hint"])), ("42501", "permission_denied", True))
    equal(alice.value("SELECT chat.llm_result(%s, 5000) -> 'error' ->> 'sqlstate'", request), "42501")
    equal(mock.stats()["requests"], asked, "the provider was asked")
    fails("42501", alice.value, "SELECT chat.retry_message(%s)", reply)


@test("a model or a provider that is switched off is not asked any more")
def _():
    value(operator, "SELECT chat.admin_set_model_active('other', false)")
    for query in IMMEDIATE:
        fails("42704", alice.value, query, "other", hint=True)
    value(operator, "SELECT chat.admin_set_model_active('other', true)")
    value(operator, "SELECT chat.admin_set_provider_active('models', false)")
    fails("42704", alice.value, IMMEDIATE[0], "other")
    value(operator, "SELECT chat.admin_set_provider_active('models', true)")
    equal(alice.value(IMMEDIATE[0], "other"), "hi")


@test("the model can change at any turn, and each message keeps the one that answered")
def _():
    first, second = mock.model("text=one"), mock.model("text=two")
    conversation = alice.conversation(first)
    for name in (None, second, "open", None):
        reply = alice.rows("SELECT assistant_message_id FROM chat.send_message(%s, 'hi', model => %s)", conversation, name)[0][0]
        read(alice.connection, reply)
    alice.value("SELECT chat.ask(%s, 'hi', model => 'other')", conversation)
    answers = alice.rows("SELECT model FROM chat.list_messages(%s) WHERE role = 'assistant'", conversation)
    equal([name for name, in answers], [first, second, "open", first, "other"])
    value(operator, "SELECT chat.admin_register_model('models', 'short-lived')")
    alice.value("SELECT chat.ask(%s, 'hi', model => 'short-lived')", conversation)
    value(operator, "SELECT chat.admin_delete_model('short-lived')")
    equal(alice.rows("SELECT model FROM chat.list_messages(%s) WHERE role = 'assistant'", conversation)[-1], ("short-lived",), "a removed one, too")
    fails("42704", alice.value, "SELECT chat.ask(%s, 'hi', model => 'short-lived')", conversation)
    equal(alice.value("SELECT chat.ask(%s, 'hi', model => 'open')", conversation), "hi")


run(clean_up=lambda: value(operator, "SELECT chat.admin_set_setting('default_model', NULL)"))
