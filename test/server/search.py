#!/usr/bin/python3
"""Messages are found as soon as they are there; the engine files them in the background, also after a crash."""

import contextlib

from support import mock
from support.database import Person, connect, engine, value
from support.databases import cluster, crash_server, database, wait_for_engine, wait_until_final
from support.tap import diag, equal, run, skip_all, test, wait_until

FILED = """
  SELECT coalesce(sum((length(head) - 16) / 20), 0)::integer FROM chat_private.search_chunks WHERE user_id = %s AND NOT is_stale"""
# Rounds of the engine rest for 10 s, and this machine may be busy.
SECONDS = 90


def found(person, query, mode="words"):
    return person.rows("SELECT message_id, snippet FROM chat.search_messages(%s, mode => %s, page_size => 100)", query, mode)


def write(person, conversation, first, last):
    """Messages as they would be after so many turns, a minute old, as the horizon of filing leaves out the newest."""
    with connect() as admin:
        admin.execute(
            "INSERT INTO chat.messages (user_id, id, conversation_id, role, content)"
            " SELECT %s, overlay(chat.uuid_v7()::text PLACING left(stamp, 8) || '-' || right(stamp, 4) FROM 1 FOR 13)::uuid, %s, 'user',"
            "        'note number' || n || ' über 数据' || n"
            " FROM generate_series(%s::integer, %s) n,"
            "      LATERAL lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint - 60000), 12, '0') stamp",
            (person.id, conversation, first, last))


def filed(person):
    with connect() as admin:
        return value(admin, FILED, person.id)


@test("a message and its reply are found at once, and by nobody else")
def _():
    with database("sent"):
        wait_for_engine()
        person, other = Person("sender"), Person("other")
        conversation = person.conversation(mock.model("text=zebras"))
        sent, reply, _ = person.send(conversation, "where do okapis graze?")
        equal([row[0] for row in found(person, "okapis")], [sent])
        wait_until_final([reply])
        text = person.message(reply)["content"].split()[0]
        assert reply in [row[0] for row in found(person, text)], text
        equal([row[1] for row in found(person, "OKAPI", "substring")], ["where do <mark>okapi</mark>s graze?"])
        equal(found(other, "okapis"), [])


@test("the engine files what is there, what comes later, and what it had not filed when it was killed; all is found meanwhile")
def _():
    with database("filed"):
        wait_for_engine()
        person = Person("writer")
        conversation = person.conversation()
        write(person, conversation, 1, 300)
        equal(len(found(person, "number7 or number299")), 2, "before")
        wait_until(lambda: filed(person) >= 256, "two chunks are filed", SECONDS, 0.2)
        equal(filed(person), 256)
        for query, mode in ("number7", "words"), ("NUMBER299", "words"), ("über 数据12", "substring"), ("据300", "substring"):
            assert found(person, query, mode), f"{query} is not found once filed"
        pid = engine()["pid"]
        crash_server(pid)
        person.connection = person.connect()
        write(person, conversation, 301, 500)
        equal(len(found(person, "number7 or number299 or number500")), 3, "after the crash")
        wait_for_engine(other_than=pid)
        wait_until(lambda: filed(person) >= 384, "the next chunk is filed", SECONDS, 0.2)
        equal([row[0] for row in found(person, "number500")], [row[0] for row in found(person, "number500", "substring")])
        equal(len(found(person, "note")), 100, "a page")


@test("a message that is committed after later ones were filed is found, and filed")
def _():
    with database("late"):
        wait_for_engine()
        person = Person("importer")
        conversation = person.conversation()
        with connect() as slow:
            slow.autocommit = False
            slow.execute("INSERT INTO chat.messages (user_id, conversation_id, role, content) VALUES (%s, %s, 'user', 'slowly imported')",
                         (person.id, conversation))
            write(person, conversation, 1, 200)
            wait_until(lambda: filed(person) >= 128, "older ones are filed", SECONDS, 0.2)
            equal(found(person, "imported"), [], "not committed")
            slow.commit()
        equal(len(found(person, "imported")), 1)
        with connect() as admin:
            while value(admin, "SELECT chat_private.file_messages(%s, 1)", person.id):
                diag("a chunk more")
        equal(len(found(person, "imported")), 1)


@test("another language, and what is deleted, are filed anew")
def _():
    with database("anew"):
        wait_for_engine()
        person = Person("linguist")
        kept, deleted = person.conversation(), person.conversation()
        write(person, kept, 1, 100)
        write(person, deleted, 101, 200)
        wait_until(lambda: filed(person) == 128, "a chunk is filed", SECONDS, 0.2)
        equal(found(person, "notes"), [], "no language, no forms of words")
        person.value("SELECT chat.update_settings(preferences => '{\"language\": \"en\"}')")
        wait_until(lambda: len(found(person, "notes")) == 100, "words in the language that was chosen", SECONDS, 0.2)
        with connect() as admin:
            admin.execute("DELETE FROM chat.conversations WHERE id = %s", (deleted,))
        equal(found(person, "number150"), [], "at once")
        wait_until(lambda: filed(person) == 100, "the chunk without what is deleted", SECONDS, 0.2)
        equal(len(found(person, "notes")), 100)


if not mock.PORT:
    skip_all("no mock provider")
stack = contextlib.ExitStack()
FOLDER = stack.enter_context(cluster("search"))
run(stack.close)
