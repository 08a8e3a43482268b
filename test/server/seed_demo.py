#!/usr/bin/python3
"""The demo data of `make seed-demo`: who can log in and what they see, what is in it, that it is made once, and only where nobody is."""

import os
import pathlib
import re
import subprocess
import time

from support.database import connect, fails, role, rows, value
from support.databases import database
from support.tap import diag, equal, run, test, wait_until

SOURCE = pathlib.Path(os.environ["PGCHAT_SOURCE"])
PASSWORD = "only-for-the-demo"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
CONVERSATIONS = {"admin": 0, "supervisor": 1, "worker": 4, "worker2": 2, "user": 5, "spender": 2, "new": 0}
SECOND_FACTOR = {"supervisor", "worker2"}
# What the engine writes when it comes to it.
OTHERS_WORK = {"sessions", "usage_rollups"}


def seed(**environment):
    return subprocess.run([SOURCE / "examples/seed_demo.sh"], env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)


def log_in(name):
    """A connection of somebody, who logs in the first time."""
    person = connect(user=role("pgchat_client"))
    if name not in logged_in:
        # Each code opens an account once: the next one is taken already, and was not used yet.
        code = value(person, "SELECT chat.totp_generate(%s, clock_timestamp() + interval '30 seconds')", TOTP_SECRET) if name in SECOND_FACTOR else None
        logged_in[name], needs_code = rows(person, "SELECT session_token, mfa_required FROM chat.login(%s, %s, %s)", f"{name}@demo.example", PASSWORD, code)[0]
        assert not needs_code, name
    value(person, "SELECT chat.authenticate(%s, false)", logged_in[name])
    return person


def contents():
    """A hash of each table's rows, and how much the engine was asked to do."""
    with connect() as admin:
        tables = [name for name, in rows(admin, "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'chat'::regnamespace AND c.relkind IN ('r', 'p')")]
        found = {name: value(admin, f"SELECT count(*) || ' ' || coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') FROM chat.{name} t")
                 for name in tables if name not in OTHERS_WORK}
        return found | {"sessions": value(admin, "SELECT count(*) FROM chat.sessions"), "calls": value(admin, "SELECT calls_total FROM chat.engine_status()")}


logged_in = {}
began = time.monotonic()
seeded = seed()
seconds = time.monotonic() - began


@test("an empty database is filled within 20 seconds")
def _():
    diag(f"filled in {seconds:.1f} s")
    equal((seeded.returncode, seeded.stderr), (0, ""))
    assert seconds < 20, seconds
    for name in (*CONVERSATIONS, "leaver"):
        assert f" {name}@demo.example" in seeded.stdout, name
    assert "never let others reach this database" in seeded.stdout
    code, left = re.search(r"code now: (\d{6}) \(for (\d+) more", seeded.stdout).groups()
    with connect() as admin:
        valid = [value(admin, "SELECT chat.totp_generate(%s, now() - make_interval(secs => %s))", TOTP_SECRET, 30 * n) for n in range(4)]
    assert code in valid and 1 <= int(left) <= 30, (code, left, valid)


@test("each line that it says to try does what it says")
def _():
    lines = [line.strip() for line in seeded.stdout.splitlines() if line.startswith("    ")]
    equal(len(lines), 6)
    done = [subprocess.run(["bash", "-c", line], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False) for line in lines]
    words, supervised, report, resumed, costs, refused = done
    equal([d.returncode for d in done], [0, 0, 0, 0, 0, 1], [d.stderr for d in done])
    assert words.stdout.count("\n") > 14 and " fifteenth\n" in words.stdout, words.stdout
    assert "Stand-up notes" in supervised.stdout and "Tuesday's till" in supervised.stdout and "winter blend" not in supervised.stdout, supervised.stdout
    assert "# Should Fog Harbour Coffee open" in report.stdout and "4,200 it needs 260 cups" in report.stdout, report.stdout
    assert "Hire students (plurality" in resumed.stdout, resumed.stdout
    assert "spender@demo.example" in costs.stdout, costs.stdout
    assert "budget of 0.5 a month" in refused.stderr, refused.stderr


@test("everybody logs in, two with a second factor, but who is disabled")
def _():
    stranger = connect(user=role("pgchat_client"))
    for name in SECOND_FACTOR:
        equal(value(stranger, "SELECT mfa_required FROM chat.login(%s, %s)", f"{name}@demo.example", PASSWORD), True)
    for name in CONVERSATIONS:
        person = log_in(name)
        equal(value(person, "SELECT email FROM chat.me()"), f"{name}@demo.example")
    fails("28P01", value, stranger, "SELECT chat.login('leaver@demo.example', %s)", PASSWORD)


@test("people see their own, a supervisor that of her workers, others what was shared with them")
def _():
    with connect() as admin:
        owner = dict(rows(admin, "SELECT c.id, split_part(u.email, '@', 1) FROM chat.conversations c JOIN chat.users u ON u.id = c.user_id"))
    for name, count in CONVERSATIONS.items():
        person = log_in(name)
        equal([owner[i] for i, in rows(person, "SELECT id FROM chat.conversations")], [name] * count)
        equal(value(person, "SELECT count(*) FROM chat.messages m WHERE NOT EXISTS (SELECT FROM chat.conversations c WHERE c.id = m.conversation_id)"), 0)
        below = {owner[i] for i, in rows(person, "SELECT id FROM chat.list_supervised_conversations()")}
        equal(below, {"worker", "worker2"} if name == "supervisor" else set())
        for other, whose in owner.items():
            call = lambda: rows(person, "SELECT content FROM chat.read_supervised_conversation(%s)", other)
            if name == "supervisor" and whose in below:
                assert call()
            else:
                fails("P0002", call)
        shared = rows(person, "SELECT title, permission FROM chat.list_shared_with_me()")
        equal(shared, {"worker": [("A name for the winter blend", "write")], "spender": [("Rent at the terminal", "read")]}.get(name, []))
    stranger = connect(user=role("pgchat_client"))
    equal(value(stranger, "SELECT count(*) FROM chat.conversations"), 0)
    link = re.search(r"stored nowhere: (\S+)", seeded.stdout).group(1)
    equal(rows(stranger, "SELECT content FROM chat.read_share(%s)", link)[-1], ("Plum, ember, last light home.",))


@test("a board has decided, another one stopped at its cap and went on")
def _():
    user = log_in("user")
    result, = rows(user, "SELECT chat.deliberation_result(d.id), d.id FROM chat.list_deliberations('completed') d")
    equal((result[0]["outcome"]["winner"], len(result[0]["votes"]), [v["is_abstention"] for v in result[0]["votes"]]), ("kiosk", 5, [False] * 5))
    equal({v["persona_code"] for v in result[0]["votes"] if v["choice"] == "kiosk"}, {"finance_director", "field_operator", "head_roaster"})
    assert result[0]["synthesis"]["recommendations"] and result[0]["totals"]["failed_calls"] == 0, result
    steps = value(user, "SELECT sum(cost) FROM chat.deliberation_steps WHERE deliberation_id = %s", result[1])
    assert steps > 0
    equal(value(user, "SELECT total_cost FROM chat.list_deliberations('completed')"), steps)
    with connect() as admin:
        wait_until(lambda: value(admin, "SELECT sum(cost) FROM chat.usage_events WHERE deliberation_id = %s", result[1]) == steps, "its calls are in the usage")
        equal(rows(admin, "SELECT event FROM chat.deliberation_checkpoints c JOIN chat.users u ON u.id = c.user_id WHERE u.email = 'worker@demo.example' AND event IN ('paused', 'resumed', 'completed') ORDER BY seq"),
              [("paused",), ("resumed",), ("completed",)])
    worker = log_in("worker")
    equal(value(worker, "SELECT outcome ->> 'winner' FROM chat.list_deliberations('completed')"), "students")


@test("models are open to whom they were given")
def _():
    equal({name: {model for model, in rows(log_in(name), "SELECT name FROM chat.list_models()")} for name in ("user", "worker", "worker2", "supervisor")},
          {"user": {"demo-echo", "demo-small", "demo-large"}, "worker": {"demo-echo", "demo-small", "demo-large"}, "worker2": {"demo-echo", "demo-small"},
           "supervisor": {"demo-echo", "demo-small", "demo-large"}})
    equal(rows(log_in("user"), "SELECT provider, name, last_four FROM chat.list_api_keys()"), [("demo-openai", "private", "0000")])


@test("branches, files, tools, thinking, folders, prompts and a reply to retry are there")
def _():
    user, worker = log_in("user"), log_in("worker")
    blend = value(user, "SELECT id FROM chat.conversations WHERE title = 'A name for the winter blend'")
    equal(rows(user, "SELECT role, sibling_index, sibling_count FROM chat.list_messages(%s)", blend), [("user", 1, 1), ("assistant", 3, 3), ("user", 2, 2), ("assistant", 1, 1)])
    picture = value(user, "SELECT f.attachment_id FROM chat.messages m, chat.list_message_attachments(m.id) f WHERE m.attachment_count > 0")
    equal(value(user, "SELECT chat.attachment_content(%s, 1, 3)", picture), b"PNG")
    equal(value(user, "SELECT count(*) FROM chat.messages WHERE thinking <> ''"), 2)
    equal(rows(user, "SELECT depth, name, conversations FROM chat.list_folders()"), [(0, "Plans", 0), (1, "Café", 3), (0, "Private", 0)])
    equal(value(worker, "SELECT count(*) FROM chat.messages t JOIN chat.messages c ON c.id = t.parent_id AND c.tool_calls #>> '{0,id}' = t.tool_call_id WHERE t.role = 'tool'"), 1)
    equal(value(user, "SELECT array_agg(name ORDER BY name) FROM chat.list_system_prompts()"), ["Careful analyst", "Haiku", "Llano", "Plain"])
    equal(value(user, "SELECT array_agg(name ORDER BY name) FROM chat.list_templates()"), ["Carta a un proveedor", "Letter to a supplier", "Tasting notes"])
    equal(value(log_in("worker2"), "SELECT is_unread FROM chat.list_conversations() WHERE title LIKE 'Allergens%%'"), True)
    failed = value(worker, "SELECT m.id FROM chat.messages m JOIN chat.conversations c ON c.active_leaf_id = m.id WHERE m.status = 'error'")
    again = value(worker, "SELECT assistant_message_id FROM chat.retry_message(%s)", failed)
    wait_until(lambda: value(worker, "SELECT status FROM chat.messages WHERE id = %s", again) == "complete", "the retried reply")


@test("models answer as they are scripted: a tool, thinking")
def _():
    worker = log_in("worker")
    conversation = value(worker, "SELECT chat.create_conversation(model => 'demo-small')")
    reply = value(worker, "SELECT assistant_message_id FROM chat.send_message(%s, 'What is the weather at the harbour?')", conversation)
    wait_until(lambda: value(worker, "SELECT status FROM chat.messages WHERE id = %s", reply) == "complete", "the call of a tool")
    equal(value(worker, "SELECT tool_calls #>> '{0,function,name}' FROM chat.messages WHERE id = %s", reply), "weather")
    last = value(worker, "SELECT assistant_message_id FROM chat.send_tool_results(%s, '[{\"tool_call_id\": \"call_weather\", \"content\": \"9 degrees, fog\"}]')", reply)
    wait_until(lambda: value(worker, "SELECT content FROM chat.messages WHERE id = %s AND status = 'complete'", last) == "At the harbour it is foggy, with little wind. Take a jacket.", "the answer")


@test("usage adds up to what the messages cost, over some weeks")
def _():
    with connect() as admin:
        for name, in rows(admin, "SELECT email FROM chat.users WHERE email LIKE '%%@demo.example'"):
            equal(value(admin, "SELECT coalesce(sum(e.cost), 0) FROM chat.usage_events e JOIN chat.users u ON u.id = e.user_id WHERE u.email = %s AND e.message_id IS NOT NULL", name),
                  value(admin, "SELECT coalesce(sum(m.cost), 0) FROM chat.messages m JOIN chat.users u ON u.id = m.user_id WHERE u.email = %s", name), name)
        all_cost, months = rows(admin, "SELECT sum(cost), count(DISTINCT date_trunc('month', created_at)) FROM chat.usage_events")[0]
        assert months >= 2, months
        equal(value(admin, "SELECT count(*) FROM chat.usage_events WHERE outcome = 'error'") > 0, True)
    equal(value(log_in("admin"), "SELECT sum(cost) FROM chat.admin_usage(now() - interval '90 days', group_by => 'user')"), all_cost)
    worker = log_in("worker")
    days = value(worker, "SELECT count(DISTINCT day) FROM chat.usage_by_day")
    assert days >= 28, days
    equal(value(worker, "SELECT chat.conversation_cost(c.id) FROM chat.conversations c WHERE title = 'Stand-up notes'"),
          value(worker, "SELECT sum(m.cost) FROM chat.messages m JOIN chat.conversations c ON c.id = m.conversation_id WHERE c.title = 'Stand-up notes'"))
    spender = log_in("spender")
    fails("PC307", value, spender, "SELECT chat.llm_complete('one more', 'demo-large')", hint=True)


@test("a second run changes nothing")
def _():
    # The engine has written what it had to: touched sessions, finished requests.
    before = wait_until(lambda: (now := contents()) == contents() and now, "nothing changes by itself")
    again = seed()
    equal((again.returncode, again.stderr), (0, ""))
    assert "nothing was changed" in again.stdout and "Five things to try" in again.stdout
    after = contents()
    equal({name: (before[name], after[name]) for name in before if before[name] != after[name]}, {})
    operator = seed(PGUSER=role("pgchat_service"))
    equal((operator.returncode, operator.stdout), (3, ""))
    assert "must be made by a superuser" in operator.stderr, operator.stderr


@test("a dump of it, restored, has all of it, and people log in there")
def _():
    copy = os.environ["PGDATABASE"] + "_copy"
    with connect(dbname="postgres") as admin:
        admin.execute(f"CREATE DATABASE {copy}")
    try:
        subprocess.run(["bash", "-c", f"set -o pipefail; pg_dump -Fc | pg_restore --exit-on-error -d {copy}"], check=True, timeout=100)
        with connect() as here, connect(dbname=copy) as there:
            for table in ("users", "conversations", "messages", "usage_events", "contributions", "votes", "attachments", "conversation_shares"):
                equal(value(there, f"SELECT count(*) FROM chat.{table}"), value(here, f"SELECT count(*) FROM chat.{table}"), table)
            wait_until(lambda: value(there, "SELECT state = 'running' FROM chat.engine_status()"), "its engine")
        with connect(user=role("pgchat_client"), dbname=copy) as person:
            value(person, "SELECT chat.authenticate((chat.login('user@demo.example', %s)).session_token, false)", PASSWORD)
            equal(value(person, "SELECT count(*) FROM chat.conversations"), CONVERSATIONS["user"])
    finally:
        with connect(dbname="postgres") as admin:
            admin.execute(f"DROP DATABASE {copy} WITH (FORCE)")


@test("it stays away where people are, unless it is told to come, and then leaves their settings alone")
def _():
    original = os.environ["PGDATABASE"]
    try:
        with database("check_seed_demo_inhabited") as name:
            with connect() as admin:
                value(admin, "SELECT chat.admin_create_user('ada@example.com', 'correct horse battery', 'admin')")
                settings = rows(admin, "SELECT key, value FROM chat.admin_settings()")
            refused = seed()
            equal((refused.returncode, refused.stdout), (3, ""))
            assert "this database has users already" in refused.stderr and "PGCHAT_DEMO_AMONG_USERS=1" in refused.stderr, refused.stderr
            with connect() as admin:
                equal(value(admin, "SELECT array_agg(email::text) FROM chat.users"), ["ada@example.com"])
            equal((told := seed(PGCHAT_DEMO_AMONG_USERS="1")).returncode, 0, told.stderr)
            with connect() as admin:
                equal(value(admin, "SELECT count(*) FROM chat.users"), len(CONVERSATIONS) + 2)
                equal(rows(admin, "SELECT key, value FROM chat.admin_settings()"), settings)
            assert f"PGDATABASE={name} psql " in told.stdout, told.stdout
        with database("check_seed_demo_bare", extension=False):
            bare = seed()
            equal((bare.returncode, bare.stdout), (3, ""))
            assert "CREATE EXTENSION pgchat" in bare.stderr, bare.stderr
            with connect() as admin:
                admin.execute("CREATE EXTENSION pgchat")
                value(admin, "SELECT chat.admin_set_setting('attachment_max_bytes', '10')")
            broken = seed()
            assert broken.returncode == 3 and "files are left out" in broken.stderr, broken.stderr
            with connect() as admin:
                equal(rows(admin, "SELECT (SELECT count(*) FROM chat.users), (SELECT count(*) FROM chat.providers)")[0], (0, 0), "an error leaves nothing")
                value(admin, "SELECT chat.admin_set_setting('attachment_max_bytes', NULL)")
            equal((mended := seed()).returncode, 0, mended.stderr)
    finally:
        os.environ["PGDATABASE"] = original


run()
