#!/usr/bin/python3
"""A hot standby reads and authenticates, but sends nothing; once promoted, its engine takes up the queue."""

import contextlib
import os
import subprocess
import time

from support import mock
from support.cluster import ROOT, as_server
from support.database import Person, connect, engine, fails, role, rows, service, value
from support.databases import cluster, engine_pid, use, wait_for_engine, wait_until_final
from support.tap import diag, equal, run, skip_all, test, wait_until

NAME = "served"


@contextlib.contextmanager
def standby():
    """A standby of the cluster, in its folder; gives its port."""
    folder = os.path.realpath(FOLDER)
    port = subprocess.run(["bash", "-c", '. "$1"; cluster_free_port', "port", str(ROOT / "test/cluster/cluster.sh")], check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip()
    as_server("pg_basebackup", "-D", f"{folder}/standby", "-R", "-c", "fast", "-h", os.environ["PGHOST"], "-p", os.environ["PGPORT"],
              "-U", "postgres")
    as_server("pg_ctl", "-s", "-w", "-D", f"{folder}/standby", "-o", f"-p {port}", "-l", f"{folder}/standby.log", "start")
    primary = os.environ["PGPORT"]
    try:
        os.environ["PGPORT"] = port
        yield port
    finally:
        os.environ["PGPORT"] = primary
        as_server("pg_ctl", "-s", "-w", "-D", f"{folder}/standby", "-m", "immediate", "stop")


def on_primary(name="PRIMARY_PORT"):
    return connect(port=os.environ[name])


@test("a hot standby has no engine, reads and authenticates, and refuses calls; promoted, it sends what is queued")
def _():
    mock.reset()
    with connect(dbname="postgres") as admin:
        admin.execute(f"CREATE DATABASE {NAME}")
    use(NAME)
    with connect() as admin:
        admin.execute("CREATE EXTENSION pgchat")
        wait_for_engine()
        person = Person()
        done = person.reply_to("key:done", mock.model("text=before"))
        wait_until_final([done])
        # One call fills the engine, so that the next stays in the queue.
        running = person.reply_to("key:running", mock.model("hang=body&tokens=3"))
        wait_until(lambda: person.message(running)["status"] == "streaming", "the first reply has begun")
        token = person.value("SELECT chat.issue_jwt()")
        queued = person.reply_to("key:queued", mock.model("text=after"))
        wait_until(lambda: engine(admin)["queue_depth"] == 1, "the second request is queued")
    service().close()
    with standby():
        check_standby(person, done, queued)
        check_token(person, token)
        check_promotion(person, running, queued)


def check_standby(person, done, queued):
    wait_until(lambda: value(service(), "SELECT pg_is_in_recovery()"), "the standby is up")
    with service() as operator, person.connect() as client:
        fails("25006", value, operator, "SELECT chat.llm_complete('x')")
        fails("25006", value, client, "SELECT chat.llm_submit('x')")
        fails("25006", value, client, "SELECT chat.create_conversation()")
        fails("25006", value, client, "SELECT chat.totp_enroll()")
        read_key = "SELECT pg_read_file('pgchat_master.key')"
        equal(value(connect(), read_key), value(on_primary(), read_key), "a standby makes no master key, and has the primary's")
        equal(engine(operator)["state"], "none")
        equal(engine_pid(NAME), None)
        equal(value(client, "SELECT chat.current_user_id()"), person.id)
        equal(value(client, "SELECT content FROM chat.messages WHERE id = %s", done), "before")
        equal(value(client, "SELECT count(*) FROM chat.list_conversations()"), 3)
        equal([kind for kind, in rows(client, "SELECT (chat.stream_message(%s)).kind", done)], ["content", "done"])
        fails("25006", rows, client, "SELECT chat.stream_message(%s)", queued)
    with person.connect() as client, client.transaction():
        equal(value(client, "SELECT chat.authenticate(%s)", person.token), person.id)
    fails("28000", value, connect(), "SELECT chat.authenticate('nothing')")
    equal(mock.stats()["by_key"].get("key:queued"), None)


def check_token(person, token):
    """A signed token is verified from the public key alone; what must be written or signed is refused."""
    with connect(user=role("pgchat_client")) as client, client.transaction():
        equal(value(client, "SELECT chat.authenticate_jwt(%s)", token), person.id)
        equal(value(client, "SELECT count(*) FROM chat.list_conversations()"), 3)
    with connect(user=role("pgchat_client")) as client:
        fails("28000", value, client, "SELECT chat.authenticate_jwt(%s)", token + "x")
        equal(value(client, "SELECT jsonb_array_length(chat.jwks() -> 'keys')"), 1)
        value(client, "SELECT chat.authenticate(%s, false)", person.token)
        fails("25006", value, client, "SELECT chat.issue_jwt()")


def check_promotion(person, running, queued):
    with connect() as admin:
        began = time.monotonic()
        value(admin, "SELECT pg_promote()")
        diag(f"pg_promote: {time.monotonic() - began:.3f} s")
        began = time.monotonic()
        wait_for_engine()
        diag(f"promoted to a running engine: {time.monotonic() - began:.3f} s")
    person.connection = person.connect()
    wait_until(lambda: person.message(queued)["status"] == "complete", "the queued request is answered")
    equal(person.message(queued)["content"], "after")
    equal(person.message(running)["error"]["code"], "outcome_unknown")
    counts = mock.stats()["by_key"]
    equal((counts.get("key:running"), counts.get("key:queued")), (1, 1), "requests the provider got")
    with service() as operator:
        equal(value(operator, "SELECT chat.llm_complete('x', %s)", mock.model("text=before")), "before")


if not mock.PORT:
    skip_all("no mock provider")
stack = contextlib.ExitStack()
FOLDER = stack.enter_context(cluster("standby", "--set", "pgchat.max_calls=1"))
os.environ["PRIMARY_PORT"] = os.environ["PGPORT"]
run(stack.close)
