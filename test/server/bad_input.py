#!/usr/bin/python3
# What a caller can do wrong: each bad argument gets its SQLSTATE and a hint, stores nothing, and costs no call.
from support import mock
from support.database import Person, connect, fails, value
from support.tap import diag, equal, run, test, wait_until

alice, bob = Person("alice"), Person("bob")
admin = connect()


def count(table):
    return value(admin, f"SELECT count(*) FROM {table}")


LONG = "x" * (1024 * 1024 + 1)
BAD_MESSAGES = ("{}", "[]", "[1]", '"x"', '[{"role": "user"}]', '[{"role": "who", "content": "x"}]', '[{"role": "user", "content": 5}]',
                '[{"content": "x"}]')
BAD_OPTIONS = ("[]", "1", '{"temprature": 1}', '{"temperature": "hot"}', '{"max_tokens": -1}', '{"stop": 5}')


def bad_arguments():
    """(SQLSTATE, statement, arguments) for all forms."""
    for name in ("llm_complete", "llm_complete_json", "llm_stream", "llm_submit"):
        call = f"SELECT chat.{name}"
        yield "22004", f"{call}(NULL::text)", ()
        yield "22004", f"{call}(NULL::jsonb)", ()
        yield "2200F", f"{call}('')", ()
        yield "2200F", f"{call}(E' \\n\\t')", ()
        yield "2200F", f"{call}(%s::jsonb)", ('[{"role": "user", "content": ""}]',)
        yield "54000", f"{call}(%s)", (LONG,)
        yield "42704", f"{call}('x', 'nope')", ()
        yield "22023", f"{call}('x', timeout_ms => -1)", ()
        yield "22023", f"{call}('x', timeout_ms => 0)", ()
        yield "PC002", f"{call}('x', response_format => '5')", ()
        for messages in BAD_MESSAGES:
            yield "PC001", f"{call}(%s::jsonb)", (messages,)
        for options in BAD_OPTIONS:
            yield "PC002", f"{call}('x', options => %s)", (options,)
    mine, other = alice.conversation(), bob.conversation()
    for call in ("SELECT chat.send_message", "SELECT chat.ask", "CALL chat.send_and_wait"):
        yield "22004", f"{call}(%s, NULL)", (mine,)
        yield "22004", f"{call}(NULL, 'x')", ()
        yield "2200F", f"{call}(%s, '')", (mine,)
        yield "2200F", f"{call}(%s, '  ')", (mine,)
        yield "54000", f"{call}(%s, %s)", (mine, LONG)
        yield "42704", f"{call}(%s, 'x', model => 'nope')", (mine,)
        yield "P0002", f"{call}(%s, 'x')", (other,)
        yield "P0002", f"{call}(%s, 'x', parent_id => %s)", (mine, mine)
        yield "22023", f"{call}(%s, 'x', idempotency_key => '')", (mine,)
        for options in BAD_OPTIONS:
            yield "PC002", f"{call}(%s, 'x', options => %s)", (mine, options)
    yield "22023", "SELECT chat.ask(%s, 'x', timeout_ms => -1)", (mine,)


@test("bad arguments: each gets its SQLSTATE and a hint, stores nothing, and makes no call")
def bad_input():
    mock.set_default(mock.model("tokens=2"))
    # Usage is written a little after its call, in the order of the calls: with the last one's, all of the earlier tests' is there.
    last = mock.model("tokens=1&text=last")
    alice.value("SELECT chat.llm_complete('x', %s)", last)
    wait_until(lambda: value(admin, "SELECT count(*) FROM chat.usage_events WHERE model = %s", last) == 1, "the usage of the last call")
    mock.reset()
    cases, tables = list(bad_arguments()), ("chat.messages", "chat_private.llm_requests", "chat.usage_events")
    before = [count(table) for table in tables]
    wrong = []
    for sqlstate, query, arguments in cases:
        try:
            fails(sqlstate, alice.rows, query, *arguments, hint=True)
        except AssertionError as error:
            wrong.append(f"{query} {str(arguments)[:80]}: {str(error)[:160]}")
    diag(f"{len(cases)} cases")
    equal([count(table) for table in tables], before, "rows stored")
    equal(mock.stats()["requests"], 0, "requests")
    assert not wrong, "\n".join(wrong)


@test("no default model: PC003 and a hint in every form, nothing stored")
def no_default():
    admin.execute("DELETE FROM chat.settings WHERE key = 'default_model'")
    conversation, before = alice.conversation(), count("chat.messages")
    for query in ("SELECT chat.llm_complete('x')", "SELECT chat.llm_complete_json('x')", "SELECT chat.llm_stream('x')",
                  "SELECT chat.llm_submit('x')"):
        fails("PC003", alice.rows, query, hint=True)
    for query in ("SELECT chat.send_message(%s, 'x')", "SELECT chat.ask(%s, 'x')", "CALL chat.send_and_wait(%s, 'x')"):
        fails("PC003", alice.rows, query, conversation, hint=True)
    equal(count("chat.messages"), before)


run()
