#!/usr/bin/python3
"""Moving another system in: who may and from where, again after more has come, and what people have changed meanwhile."""

import os
import pathlib
import re
import subprocess

from support.database import connect, role, rows, value
from support.tap import diag, equal, run, test, wait_until

SOURCE = pathlib.Path(os.environ["PGCHAT_SOURCE"])
PASSWORD = "old-password-1"


def psql(*files, user=None, **variables):
    """Runs files of the project; gives the exit status and what was printed."""
    arguments = [word for name, given in variables.items() for word in ("-v", f"{name}={given}")]
    arguments += [word for file in files for word in ("-f", str(SOURCE / file))]
    done = subprocess.run(["psql", "-Xq", *arguments], capture_output=True, text=True, timeout=120, check=False,
                          env=os.environ | ({"PGUSER": user} if user else {}))
    return done.returncode, done.stdout + done.stderr


def make_source(system, schema):
    """A small database of that system, in a schema of its own."""
    status, output = psql(f"test/systems/schema/{system}.sql", f"test/systems/generate/{system}.sql", ON_ERROR_STOP=1, source=schema, users=12, messages=1200)
    assert status == 0, output


def import_from(system, schema, **variables):
    """Moves it in; gives the report: {source_table: {column: rows}}."""
    status, output = psql(f"sql/import/{system}.sql", source=schema, **variables)
    assert status == 0, output
    lines = [[cell.strip() for cell in line.split("|")] for line in output.splitlines() if "|" in line]
    last = next(n for n, line in enumerate(lines) if line[:2] == ["source_table", "kind"])
    return {line[0]: dict(zip(lines[0][1:], map(int, line[1:]))) for line in lines[1:last]}


def here(table, old_id, system="energyapp"):
    with connect() as admin:
        return value(admin, "SELECT new_id FROM chat.import_map WHERE system = %s AND source_table = %s AND old_id = %s", system, table, str(old_id))


def findings(table, old_id):
    with connect() as admin:
        return {reason for reason, in rows(admin, "SELECT reason FROM chat.import_findings WHERE source_table = %s AND old_id = %s", table, str(old_id))}


def fingerprint():
    """All that imports write, as one value for each table."""
    with connect() as admin:
        return {table: value(admin, f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t") for table in (
            "chat.users", "chat.user_settings", "chat.sessions", "chat.conversations", "chat.messages", "chat.system_prompts", "chat.import_map", "chat.import_findings",
            "chat_private.credentials", "chat_private.login_names", "chat_private.imported_tokens", "chat_private.totp_factors")}


class Mover:
    """Somebody who moved in, as a client."""

    def __init__(self, email):
        self.connection = connect(user=role("pgchat_client"))
        token = value(self.connection, "SELECT session_token FROM chat.login(%s, %s)", email, PASSWORD)
        self.id = value(self.connection, "SELECT chat.authenticate(%s, false)", token)

    def contents(self, conversation):
        return [content for content, in rows(self.connection, "SELECT content FROM chat.list_messages(%s)", conversation)]


def add_message(schema, conversation, content, at="2025-01-01"):
    with connect() as admin:
        return value(admin, f"INSERT INTO {schema}.messages (id, conversation_id, role, content, created_at)"
                            f" SELECT max(id) + 1, %s, 'user', %s, %s FROM {schema}.messages RETURNING id", conversation, content, at)


@test("only a superuser moves a system in, from a schema that has what is documented")
def _():
    make_source("energyapp", "old")
    before = fingerprint()
    with connect() as admin:
        admin.execute("CREATE SCHEMA partly; CREATE TABLE partly.users (LIKE old.users)")
        for user, variables, wanted in (
                (role("pgchat_service"), {"source": "old"}, "must be run by a superuser"),
                (None, {}, "the variable source is not set"),
                (None, {"source": "nowhere"}, 'schema "nowhere" does not exist'),
                (None, {"source": "partly"}, 'table "sessions" is missing in schema "partly"')):
            status, output = psql("sql/import/energyapp.sql", user=user, **variables)
            assert status == 3 and wanted in output and "HINT:" in output, (status, output)
        admin.execute("CREATE TABLE partly.sessions (LIKE old.sessions); ALTER TABLE partly.users DROP totp_secret, DROP full_name")
        status, output = psql("sql/import/energyapp.sql", source="partly")
        assert status == 3 and 'table "users" has no column full_name, totp_secret' in output, (status, output)
    equal(fingerprint(), before, "nothing is written")


@test("addresses that are somebody's here stay theirs, with all that hangs on them")
def _():
    with connect() as admin:
        mine = value(admin, "SELECT chat.register('USER7@alvaradomazzei.cl', 'a password of mine')")
    report = import_from("energyapp", "old")
    equal(findings("users", 7), {"taken_email"})
    equal(here("users", 7), None)
    with connect() as admin:
        equal(rows(admin, "SELECT count(*) FROM chat.conversations WHERE user_id = %s", mine), [(0,)])
        wanted = value(admin, "SELECT count(*) FROM old.conversations WHERE user_id IN (7, 900001)")
        equal(value(admin, "SELECT count(*) FROM chat.import_findings WHERE source_table = 'conversations' AND reason = 'owner_refused'"), wanted)
        equal(value(admin, "SELECT count(*) FROM chat.audit_log WHERE action = 'admin.import'"), 1, "audited")
    for table, counts in report.items():
        equal(counts["read"], counts["written"] + counts["refused"] + counts["kept_aside"], table)
        assert counts["written"] > 0, (table, counts)


@test("a second run writes nothing")
def _():
    before = fingerprint()
    report = import_from("energyapp", "old")
    equal({table: counts["written"] for table, counts in report.items()}, dict.fromkeys(report, 0))
    equal(fingerprint(), before)


@test("what comes later is brought later, and leaves alone what people did here")
def _():
    movers = {n: Mover(f"user{n}@{'alvaradomazzei' if n % 2 else 'inacapmail'}.cl") for n in (2, 3)}
    with connect() as admin:
        own = [old for old, in rows(admin, "SELECT id FROM old.conversations WHERE user_id = 2 ORDER BY id")] + \
              [old for old, in rows(admin, "SELECT id FROM old.conversations WHERE user_id = 3 ORDER BY id")]
        quiet, busy, given = own[0], own[1], own[2]
        assert len(own) >= 3, own
        deleted = value(admin, "SELECT id FROM old.conversations WHERE user_id = 6 ORDER BY id LIMIT 1")
        value(admin, "SELECT chat.admin_register_provider('local', 'echo')")
        value(admin, "SELECT chat.admin_register_model('local', 'local')")
        value(admin, "SELECT chat.admin_set_default_model('local')")
        movers_of = {old: value(admin, "SELECT user_id FROM old.conversations WHERE id = %s", old) for old in own}
    owner = {old: movers[n] for old, n in movers_of.items()}
    before = {old: owner[old].contents(here("conversations", old)) for old in (quiet, busy, given)}
    value(owner[busy].connection, "SELECT chat.ask(%s, 'asked here')", here("conversations", busy))
    went_on = owner[busy].contents(here("conversations", busy))
    with connect() as admin:
        value(admin, "SELECT chat.admin_reassign_conversation(%s, %s)", here("conversations", given), movers[2].id)
        deleted_here = here("conversations", deleted)
        owner_id = value(admin, "SELECT user_id FROM chat.conversations WHERE id = %s", deleted_here)
        admin.execute("DELETE FROM chat.conversations WHERE user_id = %s AND id = %s", (owner_id, deleted_here))
    added = {old: [add_message("old", old, f"later {n} in {old}") for n in (1, 2)] for old in (quiet, busy, given, deleted)}
    report = import_from("energyapp", "old")
    equal((report["messages"]["written"], report["conversations"]["written"], report["users"]["written"]), (6, 0, 0))
    equal(movers[2].contents(here("conversations", quiet)), before[quiet] + [f"later 1 in {quiet}", f"later 2 in {quiet}"], "a quiet one goes on")
    equal(owner[busy].contents(here("conversations", busy)), went_on, "one that was continued here shows what it showed")
    with connect() as admin:
        leaf = here("messages", added[busy][1])
        beside = [content for content, in rows(owner[busy].connection, "SELECT content FROM chat.list_messages(%s, %s)", here("conversations", busy), leaf)]
        equal(beside, before[busy] + [f"later 1 in {busy}", f"later 2 in {busy}"], "and has the later ones in a branch beside")
    equal(movers[2].contents(here("conversations", given)), before[given] + [f"later 1 in {given}", f"later 2 in {given}"], "one that was given away goes on with its new owner")
    equal(findings("messages", added[deleted][0]), {"conversation_gone"}, "one that was deleted stays deleted")


@test("what was refused comes when it has been mended, and its finding goes")
def _():
    equal(findings("users", 900002), {"email_invalid"})
    with connect() as admin:
        admin.execute("UPDATE old.users SET email = 'mended@inacapmail.cl' WHERE id = 900002")
        admin.execute("UPDATE old.conversations SET user_id = 900002 WHERE id = 900002")
    report = import_from("energyapp", "old")
    equal((report["users"]["written"], report["conversations"]["written"], report["messages"]["written"]), (1, 1, 1))
    equal(findings("users", 900002) - {"password_hash_unusable"}, set())
    equal(findings("conversations", 900002), set())
    equal(findings("messages", 900004), set())


@test("the variables: time zone, and that addresses are verified")
def _():
    make_source("uru", "other")
    with connect() as admin:
        admin.execute("ALTER TABLE other.users ALTER created_at TYPE timestamp USING created_at AT TIME ZONE 'UTC'")
    import_from("uru", "other", timezone="America/Santiago", emails_verified="true")
    with connect() as admin:
        equal(value(admin, "SELECT u.created_at = o.created_at AT TIME ZONE 'America/Santiago' AND u.email_verified_at IS NOT NULL FROM chat.users u, other.users o"
                           " WHERE u.id = %s AND o.id = 1", here("users", 1, "uru")), True)
        equal(value(admin, "SELECT email_verified_at FROM chat.users WHERE id = %s", here("users", 1)), None, "else they are not")
        equal(value(admin, "SELECT count(*) FROM chat.settings WHERE key IN ('registration', 'title_rule')"), 0, "settings are left alone")
    import_from("uru", "other", apply_rules="true")
    with connect() as admin:
        equal(rows(admin, "SELECT value FROM chat.settings WHERE key IN ('registration', 'title_rule') ORDER BY key"), [("open",), ("numbered",)], "unless it is asked for")


SAMPLE = r"""
\set system sample
\set source public
\i COMMON/begin.sql
INSERT INTO staged_users (old_id, email, username, avatar_url, role, given_role, is_active, preferences, password_hash, created_at) VALUES
  ('6f0d8c1e-2f5b-4a57-9d5e-0b7a4b1c0001', NULL, 'only_a_name', 'https://example.com/a.png', 'user', 'user', true, 'null', 'HASH', '2020-01-01'),
  ('6f0d8c1e-2f5b-4a57-9d5e-0b7a4b1c0002', 'name@example.com', 'ONLY_A_NAME', 'javascript:x', 'admin', 'admin', true, NULL, NULL, '2019-01-01'),
  ('6f0d8c1e-2f5b-4a57-9d5e-0b7a4b1c0003', 'other@example.com', 'with space', NULL, 'guest', 'guest', true, NULL, NULL, '2019-01-01'),
  ('6f0d8c1e-2f5b-4a57-9d5e-0b7a4b1c0004', NULL, 'Only_A_Name', NULL, 'user', 'user', true, NULL, NULL, '2021-01-01'),
  ('6f0d8c1e-2f5b-4a57-9d5e-0b7a4b1c0005', NULL, 'with@sign', NULL, 'user', 'user', true, NULL, NULL, '2021-01-01'),
  ('00000000-0000-0000-0000-000000000000', NULL, 'only_noughts', NULL, 'user', 'user', true, NULL, NULL, '2021-01-01'),
  ('FFFFFFFF-ffff-ffff-ffff-ffffffffffff', NULL, 'only_ones', NULL, 'user', 'user', true, NULL, NULL, '2021-01-01');
\i COMMON/users.sql
INSERT INTO staged_conversations (old_id, user_old_id, title, metadata) VALUES
  ('7f0d8c1e-2f5b-4a57-9d5e-0b7a4b1c0001', '6f0d8c1e-2f5b-4a57-9d5e-0b7a4b1c0001', 'files', '{"kept": true}');
\i COMMON/conversations.sql
INSERT INTO staged_messages (old_id, conversation_old_id, role, content, tool_calls, can_be_empty, created_at)
SELECT t.id, '7f0d8c1e-2f5b-4a57-9d5e-0b7a4b1c0001', t.role, t.content, t.calls::jsonb, t.can_be_empty, '2020-01-01' FROM (VALUES
  ('1', 'user', '', NULL, true), ('2', 'assistant', '', '[{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]', false),
  ('3', 'tool', '', NULL, false), ('4', 'assistant', 'Thus.', NULL, false)) t (id, role, content, calls, can_be_empty);
\i COMMON/messages.sql
INSERT INTO staged_attachments (old_id, message_old_id, position, data, name) VALUES
  ('1:0', '1', 0, encode('first text', 'base64'), 'a.txt'), ('1:1', '1', 1, '*** no base64 ***', NULL),
  ('1:2', '1', 2, 'data:text/plain;base64,' || encode('second text', 'base64'), 'b.txt'), ('1:3', '1', 3, encode('first text', 'base64'), 'c.txt'),
  ('1:4', '1', 4, 'data:image/png;base64,' || encode('no picture', 'base64'), NULL), ('3:0', '3', 0, encode('x', 'base64'), NULL),
  ('9:0', '9', 0, encode('x', 'base64'), NULL), ('1:5', '1', 5, '', NULL);
\i COMMON/attachments.sql
\i COMMON/report.sql
"""


@test("the common parts: names, UUIDs, files, and messages without text")
def _():
    script = SAMPLE.replace("COMMON", f"{SOURCE}/sql/import/common").replace("HASH", "$2b$04$abcdefghijklmnopqrstuuyaj3/3I0gzt3bGyRB7AbXWcmYRm3w4u")

    def move_in(script):
        done = subprocess.run(["psql", "-Xq"], input=script, capture_output=True, text=True, timeout=120, check=False)
        equal(done.returncode, 0, done.stderr)

    move_in(script)
    move_in(script)
    user, conversation = ("6f0d8c1e-2f5b-4a57-9d5e-0b7a4b1c000%s", "7f0d8c1e-2f5b-4a57-9d5e-0b7a4b1c0001")
    equal([findings("users", user % n) for n in range(1, 6)],
          [set(), {"username_taken", "avatar_url_invalid"}, {"username_invalid"}, {"duplicate_username"}, {"username_invalid"}])
    equal(str(here("users", user % 1, "sample")), user % 1, "its UUID is kept")
    for nobody in "00000000-0000-0000-0000-000000000000", "FFFFFFFF-ffff-ffff-ffff-ffffffffffff":
        assert str(here("users", nobody, "sample")) not in (nobody.lower(), "None"), f"{nobody} comes as somebody"
    mover = Mover("only_a_name")
    equal(str(mover.id), user % 1)
    with connect() as admin:
        equal(rows(admin, "SELECT username, avatar_url, role FROM chat.users WHERE id = ANY (%s) ORDER BY id", [user % 1, user % 2, user % 3]),
              [("only_a_name", "https://example.com/a.png", "user"), (None, None, "admin"), (None, None, "guest")])
        equal(rows(admin, "SELECT id::text, metadata FROM chat.conversations WHERE user_id = %s", user % 1), [(conversation, {"kept": True})], "and the conversation's")
        equal({row: findings("messages.images", row) for row in ("1:0", "1:1", "1:2", "1:3", "1:4", "3:0", "9:0", "1:5")},
              {"1:0": set(), "1:1": {"base64_broken"}, "1:2": set(), "1:3": set(), "1:4": {"file_damaged"}, "3:0": {"message_refused"}, "9:0": {"message_missing"},
               "1:5": {"base64_broken"}})
        equal(rows(admin, "SELECT m.role, m.attachment_count, m.tool_calls -> 0 ->> 'id' FROM chat.messages m WHERE m.user_id = %s ORDER BY m.id", user % 1),
              [("user", 3, None), ("assistant", 0, "a"), ("assistant", 0, None)], "a message can do without text, but not without anything")
    equal(rows(mover.connection, "SELECT f.name, convert_from(chat.attachment_content(f.attachment_id), 'UTF8') FROM chat.message_attachments f ORDER BY f.position"),
          [("a.txt", "first text"), ("b.txt", "second text"), ("c.txt", "first text")])
    equal(value(mover.connection, "SELECT count(*) FROM chat.attachments"), 2, "what is there twice is stored once")
    move_in(script.replace("*** no base64 ***", "bWVuZGVk"))
    equal(rows(mover.connection, "SELECT convert_from(chat.attachment_content(f.attachment_id), 'UTF8') FROM chat.message_attachments f WHERE f.position > 3"),
          [("mended",)], "what was broken comes when it is mended")
    equal(value(mover.connection, "SELECT max(attachment_count) FROM chat.messages"), 4)


@test("a failure leaves nothing behind")
def _():
    make_source("uru", "broken")
    before = fingerprint()
    with connect() as admin:
        admin.execute("UPDATE broken.users SET email = 'broken-' || email WHERE id < 900000")
        admin.execute("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'disk full'; END$$")
        admin.execute("CREATE TRIGGER refuse BEFORE INSERT ON chat.messages EXECUTE FUNCTION refuse()")
        # As another system, for ids that are here are not brought again.
        script = re.sub("system uru", "system uru2", (SOURCE / "sql/import/uru.sql").read_text()).replace("\\ir common", f"\\i {SOURCE}/sql/import/common")
        done = subprocess.run(["psql", "-Xq", "-v", "source=broken"], input=script, capture_output=True, text=True, timeout=120, check=False)
        admin.execute("DROP TRIGGER refuse ON chat.messages; DROP FUNCTION refuse")
    assert done.returncode == 3 and "disk full" in done.stderr, (done.returncode, done.stderr)
    equal(fingerprint(), before)


@test("what was moved in is filed for searches")
def _():
    with connect() as admin:
        person = value(admin, "SELECT user_id FROM chat.messages GROUP BY user_id ORDER BY count(*) DESC LIMIT 1")
        messages = value(admin, "SELECT count(*) FROM chat.messages WHERE user_id = %s", person)

        def filed():
            # The engine leaves few messages for later, and a transaction that is under way hides the newest.
            value(admin, "SELECT chat_private.file_messages(%s, 1)", person)
            return value(admin, "SELECT sum((length(head) - 16) / 20) FROM chat_private.search_chunks WHERE user_id = %s", person)

        wait_until(lambda: filed() == messages, "all messages are filed")
        diag(f"{value(admin, 'SELECT count(*) FROM chat.messages')} messages were moved in")


run()
