#!/usr/bin/python3
"""The engine's plans follow tables that grow under it, before autovacuum has looked at them."""

import time

from support.database import Person, connect, value
from support.tap import diag, run, test, wait_until

CONVERSATIONS = 20_000
SENT = 1_500
# Where each of these messages is looked for among all conversations, it takes ten times as long.
MOST_SECONDS = 8

SEND = """SELECT count(s.request_id) FROM (SELECT id FROM chat.conversations WHERE user_id = %s ORDER BY id LIMIT %s) c,
          LATERAL chat.send_message(c.id, 'hello', model => 'growth') s"""


def settled(admin, count):
    ended = "SELECT count(*) FROM chat.messages WHERE role = 'assistant' AND status = 'complete'"
    wait_until(lambda: value(admin, ended) >= count, f"{count} replies", 60)


@test("replies are stored as fast after a bulk import as before it")
def _():
    with connect() as admin:
        value(admin, "SELECT chat.admin_register_provider('growth', 'echo')")
        value(admin, "SELECT chat.admin_register_model('growth', 'growth')")
        admin.execute("VACUUM (ANALYZE) chat.conversations, chat.messages, chat_private.llm_requests")
        person = Person("growing")
        for _ in range(12):  # As often as it takes for the engine's plans to be kept.
            request = value(admin, "SELECT chat.llm_submit('hello', 'growth')")
            value(admin, "SELECT chat.llm_result(%s, 20000)", request)
        admin.execute("INSERT INTO chat.conversations (user_id) SELECT %s FROM generate_series(1, %s)", (person.id, CONVERSATIONS))
        began = time.monotonic()
        person.value(SEND, person.id, SENT)
        settled(admin, SENT)
        seconds = time.monotonic() - began
        diag(f"{SENT} replies among {CONVERSATIONS:,} conversations in {seconds:.2f} s")
        assert seconds < MOST_SECONDS


run()
