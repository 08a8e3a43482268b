#!/usr/bin/python3
"""Moving systems in whose programs spell the documented names otherwise, again after more has come, and while the engine counts usage."""

import os
import pathlib
import re
import subprocess

from support.database import connect, role, rows, value
from support.tap import equal, run, test, wait_until

SOURCE = pathlib.Path(os.environ["PGCHAT_SOURCE"])


def psql(*files, **variables):
    """Runs files of the project; gives the exit status and what was printed."""
    arguments = [word for name, given in variables.items() for word in ("-v", f"{name}={given}")]
    arguments += [word for file in files for word in ("-f", str(SOURCE / file))]
    done = subprocess.run(["psql", "-Xq", *arguments], capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def make_source(system, schema):
    status, output = psql(f"test/systems/schema/{system}.sql", f"test/systems/generate/{system}.sql", ON_ERROR_STOP=1, source=schema, users=12, messages=400)
    assert status == 0, output


def import_from(system, schema):
    """Moves it in; gives the report: {source_table: {column: rows}}."""
    status, output = psql(f"sql/import/{system}.sql", source=schema)
    assert status == 0, output
    lines = [[cell.strip() for cell in line.split("|")] for line in output.splitlines() if "|" in line]
    last = next((n for n, line in enumerate(lines) if line[:2] == ["source_table", "kind"]), len(lines))
    return {line[0]: dict(zip(lines[0][1:], map(int, line[1:]))) for line in lines[1:last]}


def plain(name):
    return re.sub("([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def rename(schema, plural):
    """Spells all names as programs in Python do."""
    with connect() as admin:
        columns = rows(admin, "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s", schema)
        for table, column in columns:
            if plain(column) != column:
                admin.execute(f'ALTER TABLE "{schema}"."{table}" RENAME "{column}" TO "{plain(column)}"')
        for table in {table for table, _ in columns}:
            admin.execute(f'ALTER TABLE "{schema}"."{table}" RENAME TO "{plain(table)}{plural}"')


def totals():
    with connect() as admin:
        return {table: value(admin, f"SELECT count(*) FROM {table}") for table in (
            "chat.users", "chat.providers", "chat.models", "chat.user_model_access", "chat.api_keys", "chat.conversations", "chat.messages",
            "chat.message_attachments", "chat.usage_events", "chat.import_map", "chat.import_findings")}


@test("names are found in other spellings, and what was brought under one is there under the other")
def _():
    for system, plural in (("rovertchat", ""), ("vibebot", "s")):
        make_source(system, system)
        report = import_from(system, system)
        for table, counts in report.items():
            equal(counts["read"], counts["written"] + counts["refused"] + counts["kept_aside"], table)
            assert counts["written"] > 0, (table, counts)
        before = totals()
        rename(system, plural)
        again = import_from(system, system)
        equal({table: counts["written"] for table, counts in again.items()}, dict.fromkeys(report, 0), system)
        equal({table: counts["read"] for table, counts in again.items()}, {table: counts["read"] for table, counts in report.items()}, system)
        equal(totals(), before, system)


@test("what is missing is named")
def _():
    with connect() as admin:
        admin.execute("ALTER TABLE vibebot.messages DROP metadata")
        status, output = psql("sql/import/vibebot.sql", source="vibebot")
        assert status == 3 and 'table "messages" has no column metadata' in output, (status, output)
        admin.execute("DROP TABLE vibebot.messages")
        status, output = psql("sql/import/vibebot.sql", source="vibebot")
        assert status == 3 and 'table "Message" is missing in schema "vibebot"' in output, (status, output)


@test("sums of usage have each imported event, whatever the engine counts meanwhile")
def _():
    with connect() as admin:
        value(admin, "SELECT chat.admin_register_provider('local', 'echo')")
        value(admin, "SELECT chat.admin_register_model('local', 'local', NULL, %s)", '{"is_open": true}')
        value(admin, "SELECT chat.llm_complete('count me', 'local')")
        make_source("rovertchat", "late")
        # Others than those that are here already.
        admin.execute("UPDATE late.\"Users\" SET email = 'late-' || email, username = 'late-' || username")
        for table, column in (("Users", "id"), ("UserSettings", "user_id"), ("Chats", "user_id"), ("UserModelAccess", "user_id"), ("Chats", "id"), ("Messages", "chat_id"),
                              ("Messages", "id"), ("UserModelAccess", "id")):
            admin.execute(f'SET session_replication_role = replica; UPDATE late."{table}" SET {column} = md5(\'late\' || {column})::uuid')
        report = import_from("rovertchat", "late")
        assert report["Messages.tokens_used"]["written"] > 100, report
        value(admin, "SELECT chat.llm_complete('count me, too', 'local')")
        equal(value(admin, "SELECT count(*) FROM chat.usage_events WHERE created_at < '2025-01-01'"),
              value(admin, "SELECT count(*) FROM chat.messages WHERE role = 'assistant' AND num_nonnulls(output_tokens, cost) > 0 AND created_at < '2025-01-01'"))

        def all_are_in():
            # The engine does so now and then.
            value(admin, "SELECT chat_private.roll_up_usage(100000)")
            return rows(admin, "SELECT sum(attempts), sum(output_tokens) FROM chat_private.usage_totals WHERE kind = 'all'") == \
                rows(admin, "SELECT count(*)::numeric, sum(coalesce(output_tokens, 0))::numeric FROM chat.usage_events")

        wait_until(all_are_in, "all events are in the sums")


@test("a grant and a message that come later are brought, settings of who is here are not")
def _():
    with connect() as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute("INSERT INTO late.\"UserSettings\" (user_id, display_name) SELECT id, 'Later' FROM late.\"Users\" WHERE username = 'late-Rover3'")
        admin.execute("INSERT INTO late.\"UserModelAccess\" SELECT gen_random_uuid(), u.id, m.id, NULL, now(), true FROM late.\"Users\" u, late.\"Models\" m"
                      " WHERE u.username = 'late-Rover5' AND m.name = 'claude-sonnet'")
        admin.execute("INSERT INTO late.\"Messages\" (id, chat_id, role, content, created_at) SELECT gen_random_uuid(), c.id, 'user', 'later', '2025-01-01'"
                      " FROM late.\"Chats\" c WHERE c.title = 'Chat 4'")
    report = import_from("rovertchat", "late")
    equal({table: counts["written"] for table, counts in report.items() if counts["written"]}, {"UserModelAccess": 1, "Messages": 1})
    with connect() as admin:
        equal(value(admin, "SELECT count(*) FROM chat.import_findings WHERE reason = 'owner_there'"), 1)
    with connect(user=role("pgchat_client")) as person:
        token = value(person, "SELECT session_token FROM chat.login('late-rover5', 'old-password-1')")
        value(person, "SELECT chat.authenticate(%s, false)", token)
        equal([content for content, in rows(person, "SELECT content FROM chat.list_messages((SELECT id FROM chat.conversations WHERE title = 'Chat 4'))")][-1], "later")
        assert ("claude-sonnet",) in rows(person, "SELECT name FROM chat.list_models()")


run()
