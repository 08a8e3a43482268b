#!/usr/bin/python3
"""A base backup with WAL goes back to a moment: calls that ran then end, those that were queued are sent, or called off by the
statements of docs/operations/backup.md. And what a dump leaves out is what that page says."""

import contextlib
import os
import re
import shutil
import subprocess

from support.cluster import ROOT, as_server
from support.database import Person, connect, rows, value
from support.databases import cluster, use, wait_for_engine, wait_for_server
from support.tap import diag, equal, run, test, wait_until

NAME = "saved"
PAGE = (ROOT / "docs/operations/backup.md").read_text(encoding="utf-8")
HANGS = '{"extra": {"echo": {"hang": true, "truncate_after": 2, "tokens_per_second": 20}}}'


def call_off():
    """The statements of the page, as they are there."""
    found = [block for block in re.findall(r"```sql run\n(.*?)```", PAGE, re.S) if "'cancelled'" in block]
    equal(len(found), 1, "blocks that call off")
    return found[0]


def furnish():
    """One call that runs and fills the engine, one that is queued, one that waits for it, and one of chat.llm_submit."""
    with connect() as admin:
        for statement in ("SELECT chat.admin_register_provider('echo', 'echo')", "SELECT chat.admin_register_model('echo', 'echo')",
                          "SELECT chat.admin_set_default_model('echo')"):
            value(admin, statement)
    person = Person()
    with person.connect() as client:
        def send(conversation, text, options="{}"):
            return value(client, "SELECT assistant_message_id FROM chat.send_message(%s, %s, options => %s::jsonb)", conversation, text, options)
        running = send(person.conversation(), "one two three four", HANGS)
        wait_until(lambda: person.message(running)["content"], "text of the reply that runs is saved")
        conversation = person.conversation()
        queued = send(conversation, "in the queue")
        waiting = send(conversation, "behind it", '{"when_busy": "queue"}')
        submitted = value(client, "SELECT chat.llm_submit('submitted')")
    return person, {"running": running, "queued": queued, "waiting": waiting, "submitted": submitted}


@contextlib.contextmanager
def restored(folder, backup, *options):
    """The backup, brought to the restore point and promoted; PGPORT leads to it. options: of the server that starts first."""
    place = f"{folder}/restored"
    shutil.copytree(backup, place, copy_function=shutil.copy2)
    port = subprocess.run(["bash", "-c", '. "$1"; cluster_free_port', "port", str(ROOT / "test/cluster/cluster.sh")], check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip()
    with open(f"{place}/postgresql.auto.conf", "a", encoding="utf-8") as settings:
        settings.write(f"restore_command = 'cp {folder}/archive/%f %p'\nrecovery_target_name = 'before_the_mistake'\n"
                       f"recovery_target_action = 'promote'\nport = {port}\narchive_mode = off\n")
    open(f"{place}/recovery.signal", "w", encoding="utf-8").close()
    owner = os.stat(backup)
    for at, folders, files in os.walk(place):
        for name in (".", *folders, *files):
            os.chown(os.path.join(at, name), owner.st_uid, owner.st_gid)
    as_server("pg_ctl", "-s", "-w", "-D", place, "-l", f"{folder}/restored.log", *options, "start")
    before = os.environ["PGPORT"]
    try:
        os.environ["PGPORT"] = port
        wait_for_server()
        with connect() as admin:
            wait_until(lambda: not value(admin, "SELECT pg_is_in_recovery()"), "the backup is promoted")
        yield place
    finally:
        os.environ["PGPORT"] = before
        as_server("pg_ctl", "-s", "-w", "-D", place, "-m", "immediate", "stop")
        shutil.rmtree(place)


def states(ids):
    with connect() as admin:
        found = {name: value(admin, "SELECT status FROM chat.messages WHERE id = %s", ids[name]) for name in ("running", "queued", "waiting")}
        found["submitted"] = value(admin, "SELECT state FROM chat_private.llm_requests WHERE id = %s", ids["submitted"])
    return found


def saved(folder):
    """A base backup, calls under way, the moment, and what was done after it; gives the ids of the calls and the backup's folder."""
    backup = f"{folder}/base"
    as_server("pg_basebackup", "-D", backup, "-c", "fast", "-X", "stream", "-h", os.environ["PGHOST"], "-p", os.environ["PGPORT"], "-U", "postgres")
    person, ids = furnish()
    with connect() as admin:
        value(admin, "SELECT pg_create_restore_point('before_the_mistake')")
        admin.execute("DELETE FROM chat.conversations")
        last = value(admin, "SELECT pg_walfile_name(pg_switch_wal())")
        wait_until(lambda: os.path.exists(f"{folder}/archive/{last}"), "the WAL is archived")
    return person, ids, backup


@test("brought back to a moment, what ran has ended, what was queued is sent or called off, and people and the audit log are as they were")
def _():
    with cluster("backup", "--set", "pgchat.max_calls=1", "--set", "archive_mode=on") as place:
        folder = os.path.realpath(place)
        os.mkdir(f"{folder}/archive")
        owner = os.stat(f"{folder}/data")
        os.chown(f"{folder}/archive", owner.st_uid, owner.st_gid)
        with connect(dbname="postgres") as admin:
            admin.execute(f"ALTER SYSTEM SET archive_command = 'cp %p {folder}/archive/%f'")
            admin.execute("SELECT pg_reload_conf()")
            admin.execute(f"CREATE DATABASE {NAME}")
        use(NAME)
        with connect() as admin:
            admin.execute("CREATE EXTENSION pgchat")
        wait_for_engine()
        person, ids, backup = saved(folder)
        with restored(folder, backup):
            wait_for_engine()
            wait_until(lambda: states(ids) == {"running": "incomplete", "queued": "complete", "waiting": "complete", "submitted": "complete"},
                       "the queue is sent", 30)
            with connect() as admin:
                content, error = rows(admin, "SELECT content, error ->> 'code' FROM chat.messages WHERE id = %s", ids["running"])[0]
                equal((bool(content), error), (True, "outcome_unknown"))
                equal(rows(admin, "SELECT first_bad_id, reason FROM chat.verify_audit_log()"), [(None, None)])
            with person.connect() as client:
                equal(value(client, "SELECT count(*) FROM chat.list_conversations()"), 2, "who was logged in is so, and sees what was deleted later")
        with restored(folder, backup, "-o", "-c shared_preload_libraries=''") as again:
            with connect() as admin:
                equal(states(ids), {"running": "streaming", "queued": "pending", "waiting": "pending", "submitted": "queued"}, "nothing goes on without the library")
                admin.execute(call_off())
            # A restart would keep the option.
            as_server("pg_ctl", "-s", "-w", "-D", again, "stop")
            as_server("pg_ctl", "-s", "-w", "-D", again, "-l", f"{folder}/restored.log", "start")
            wait_for_engine()
            wait_until(lambda: states(ids) == {"running": "incomplete", "queued": "cancelled", "waiting": "cancelled", "submitted": "cancelled"},
                       "nothing is sent that was called off")
            person.connection = person.connect()
            equal(person.message(ids["queued"])["error"]["code"], "cancelled")
            retried = person.value("SELECT assistant_message_id FROM chat.retry_message(%s)", ids["queued"])
            wait_until(lambda: person.message(retried)["status"] == "complete", "it can be asked for again")


@test("a dump has rights that were granted on pgchat's tables, and no policies, indexes and storage parameters of one's own")
def _():
    with connect() as admin:
        admin.execute("CREATE ROLE check_reporting NOLOGIN")
        try:
            for statement in ("GRANT SELECT ON chat.usage_events TO check_reporting", "CREATE POLICY reporting_rows ON chat.usage_events FOR SELECT TO check_reporting USING (true)",
                              "CREATE INDEX by_time ON chat.messages (created_at)", "ALTER TABLE chat.messages SET (autovacuum_vacuum_scale_factor = 0.02)"):
                admin.execute(statement)
            bindir = subprocess.run([os.environ.get("PG_CONFIG", "pg_config"), "--bindir"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
            dump = subprocess.run([f"{bindir}/pg_dump", "-s"], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120).stdout
            diag(f"{len(dump)} bytes")
            assert "GRANT SELECT ON TABLE chat.usage_events TO check_reporting" in dump, dump
            for left_out in "reporting_rows", "by_time", "autovacuum_vacuum_scale_factor":
                assert left_out not in dump, left_out
        finally:
            admin.execute("DROP OWNED BY check_reporting")
            admin.execute("DROP ROLE check_reporting")


run()
