#!/usr/bin/python3
"""A dump that is restored into a cluster which never had pgchat brings every row of every table, and all that people had goes
on: with the same master key their keys too, and with another one it is said which could not be opened."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile

from support.belongings import Owner
from support.catalogue import catalogue, checksums, differences, shipped
from support.cluster import control
from support.database import connect, fails, rows, service, value
from support.databases import cluster, database, use, wait_for_engine
from support.keyed import KeyedProvider
from support.tap import diag, equal, run, test, wait_until
from support.webhook import SECRET, deliver, event

BINDIR = pathlib.Path(subprocess.run([os.environ.get("PG_CONFIG", "pg_config"), "--bindir"], check=True, stdout=subprocess.PIPE,
                                     text=True).stdout.strip())
NIL = "00000000-0000-0000-0000-000000000000"
# The engine makes these rows anew from the others.
MADE_ANEW = ("chat_private.search_progress", "chat_private.search_chunks")
# So few processes leave none for an engine: what is counted is then what was restored, before anything goes on.
NO_ENGINE = ("--set", "max_worker_processes=1", "--set", "max_logical_replication_workers=0")


def furnish(owner):
    """What only SQL makes quickly: a deliberation that has ended, edited personas and prompts, and what an import noted; and a subscription."""
    with connect() as admin:
        value(admin, "SELECT chat.admin_save_persona('actuary', 'The actuary of ours')")
        value(admin, "SELECT chat.admin_save_persona('ours', 'Ours', 'All of it', 'You are ours')")
        admin.execute("UPDATE chat.deliberation_prompts SET prompt = prompt || ' Be brief.', is_default = false WHERE code = (SELECT min(code) FROM chat.deliberation_prompts)")
        admin.execute("INSERT INTO chat.personas (user_id, code, name, expertise, category, system_prompt) VALUES (%s, 'mine', 'Mine', 'x', 'own', 'x')", (owner.id,))
        deliberation = value(admin, """INSERT INTO chat.deliberations (user_id, problem_statement, status, phase, round_number, started_at, completed_at)
            VALUES (%s, 'Where to?', 'completed', 'synthesis', 1, now(), now()) RETURNING id""", owner.id)
        admin.execute("""INSERT INTO chat.deliberation_participants (user_id, deliberation_id, persona_code, seat, name, expertise, system_prompt, seq)
            VALUES (%s, %s, 'mine', 1, 'Mine', 'x', 'x', 1)""", (owner.id, deliberation))
        admin.execute("""INSERT INTO chat.contributions (user_id, deliberation_id, persona_code, round_number, phase, content, model, seq)
            VALUES (%s, %s, 'mine', 1, 'initial_round', 'To the harbour', 'kept', 1)""", (owner.id, deliberation))
        admin.execute("""INSERT INTO chat.votes (user_id, deliberation_id, persona_code, choice, confidence, seq)
            VALUES (%s, %s, 'mine', 'go', 0.5, 2)""", (owner.id, deliberation))
        admin.execute("""INSERT INTO chat.deliberation_steps (user_id, id, deliberation_id, kind, phase, round_number, model, state, finished_at)
            VALUES (%s, chat.uuid_v7(), %s, 'vote', 'voting', 1, 'kept', 'complete', now())""", (owner.id, deliberation))
        admin.execute("INSERT INTO chat.import_map (user_id, system, source_table, old_id, new_id) VALUES (%s, 'uru', 'users', '7', %s)", (owner.id, owner.id))
        admin.execute("INSERT INTO chat.import_findings (user_id, system, source_table, old_id, kind, reason) VALUES (%s, 'uru', 'users', '8', 'refused', 'duplicate_email')", (NIL,))
        value(admin, "SELECT chat.admin_set_webhook_secret('stripe', %s)", SECRET)
        value(admin, "SELECT chat.admin_save_plan_price('stripe', 'price_1', 'pro')")
        value(admin, "SELECT chat.admin_set_billing_customer(%s, 'stripe', 'cus_1')", owner.id)
    with service() as endpoint:
        equal(deliver(endpoint, subscribed(1, "active")), "applied")
        equal(deliver(endpoint, event("invoice.paid", 1, {"id": "in_1", "customer": "cus_1", "currency": "eur", "amount_paid": 999, "subscription": "sub_1"})), "applied")
        equal(deliver(endpoint, subscribed(1, "active", "cus_of_nobody_yet")), "customer_unknown")


def subscribed(at, status, customer="cus_1"):
    return event("customer.subscription.updated", at, {"id": "sub_1", "customer": customer, "status": status, "items": {"data": [{"price": {"id": "price_1"}}]}})


def check_billing(owner, at, error=None):
    """Subscription and payment are there, and webhooks go on: it ends and begins again. error: as in Owner.check."""
    with connect() as admin, service() as endpoint:
        equal(rows(admin, "SELECT u.plan, p.amount::text FROM chat.users u JOIN chat.payments p ON p.user_id = u.id WHERE u.id = %s", owner.id), [("pro", "9.99")])
        equal(value(admin, "SELECT count(*) FROM chat.admin_list_billing_events('customer_unknown') WHERE customer_id = 'cus_of_nobody_yet'"), 1)
        if error is not None:
            fails(error, deliver, endpoint, subscribed(at, "canceled"), hint=True)
            return
        for n, (status, plan) in enumerate((("canceled", "free"), ("active", "pro"))):
            equal(deliver(endpoint, subscribed(at + n, status)), "applied")
            equal(value(admin, "SELECT plan FROM chat.users WHERE id = %s", owner.id), plan)


def sequences(admin):
    names = [name for name, in rows(admin, "SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences WHERE schemaname IN ('chat', 'chat_private')")]
    return {name: rows(admin, f"SELECT last_value, is_called FROM {name}")[0] for name in names}


def run_tool(name, *arguments):
    done = subprocess.run([BINDIR / name, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    equal(done.returncode, 0, f"{name}: {done.stderr}")


def put_key(folder, content):
    """Puts the master key where a server of the folder looks for it."""
    file = folder / "data/pgchat_master.key"
    file.write_bytes(content)
    file.chmod(0o600)
    owner = (folder / "data").stat()
    shutil.chown(file, owner.st_uid, owner.st_gid)


class Source:
    """What was in a database that had everything, its dump, and the master key of its cluster."""

    def __init__(self, provider, folder):
        self.dump = folder / "dump"
        with cluster("restoring-from") as place, database("kept"):
            self.owner = Owner(provider)
            furnish(self.owner)
            self.key = (place / "data/pgchat_master.key").read_bytes()
            with connect() as admin:
                self.catalogue, self.shipped = catalogue(admin), shipped(admin)
                # The engine still tidies up: a dump counts of which nothing has changed meanwhile.
                wait_until(lambda: self._dump(admin), "a dump of what stays as it is")
            diag(f"{sum(count for count, _ in self.rows.values())} rows in {sum(1 for count, _ in self.rows.values() if count)} tables")

    def _dump(self, admin):
        before = kept_rows(admin), sequences(admin)
        run_tool("pg_dump", "-Fc", "-f", self.dump, "kept")
        self.rows, self.sequences = kept_rows(admin), sequences(admin)
        return before == (self.rows, self.sequences)


def kept_rows(admin):
    found = checksums(admin)
    for table in MADE_ANEW:
        found.pop(table)
    return found


@contextlib.contextmanager
def restored(source, name, key=None):
    """A cluster that never had pgchat, with the dump, and then an engine; gives what was counted before that began."""
    with cluster(name, *NO_ENGINE) as place, connect() as admin:
        equal(rows(admin, "SELECT rolname FROM pg_roles WHERE rolname LIKE 'pgchat%'"), [], "roles before")
        if key is not None:
            put_key(place, key)
        admin.execute("CREATE DATABASE back")
        run_tool("pg_restore", "--exit-on-error", "-d", "back", source.dump)
        with connect(dbname="back") as back:
            counted = kept_rows(back), sequences(back), catalogue(back)
        admin.execute("ALTER SYSTEM SET max_worker_processes = 8")
        control("restart", place)
        use("back")
        wait_for_engine()
        yield counted


@contextlib.contextmanager
def made():
    with KeyedProvider() as provider, tempfile.TemporaryDirectory() as folder:
        yield provider, Source(provider, pathlib.Path(folder))


@test("every row, sequence, object and role is back, and logins, sessions, keys, tokens and conversations go on")
def _():
    with made() as (provider, source):
        for table in ("chat.deliberations", "usage_events", "chat.contributions", "chat.votes", "chat.deliberation_steps", "chat.personas",
                      "chat.deliberation_prompts", "chat.import_map", "chat.import_findings", "chat.messages", "chat.plan_prices", "chat.subscriptions",
                      "chat.payments", "billing_customers", "billing_events", "webhook_secrets"):
            assert any(count for name, (count, _) in source.rows.items() if table in name), f"{table} has rows"
        with restored(source, "restoring-to", source.key) as (counted, numbers, found):
            equal({t: c for t, c in counted.items() if c != source.rows.get(t)}, {}, "tables that are not what they were")
            equal(set(counted), set(source.rows), "tables")
            equal(numbers, source.sequences, "sequences")
            told = differences(found, source.catalogue)
            assert not told, told
            source.owner.check(provider)
            check_billing(source.owner, 10)
            with connect() as admin:
                equal(value(admin, "SELECT to_jsonb(s) FROM chat.admin_master_key_status() s")["rows_unreadable"], 0)


@test("without the master key, or with another one, it is said what cannot be opened, nothing of it is lost, and the right key brings it back")
def _():
    with made() as (provider, source), restored(source, "restoring-to", None) as (counted, _, _):
        equal({t: c for t, c in counted.items() if c != source.rows.get(t)}, {}, "tables that are not what they were")
        place = pathlib.Path(os.environ["PGCHAT_CLUSTER"])
        source.owner.check(provider, error="PC201")
        check_billing(source.owner, 10, error="PC201")
        put_key(place, os.urandom(32).hex().encode())
        control("restart", place)
        wait_for_engine()
        source.owner.check(provider, error="PC202")
        check_billing(source.owner, 10, error="PC202")
        with connect() as admin:
            status = value(admin, "SELECT to_jsonb(s) FROM chat.admin_master_key_status() s")
            diag(status)
            assert status["rows_unreadable"] > 0, status
        put_key(place, source.key)
        control("restart", place)
        wait_for_engine()
        source.owner.check(provider)
        check_billing(source.owner, 10)


run()
