#!/usr/bin/python3
"""A storm over deliberations: owners, administrators, crashes and a changing catalogue, at random and at once; at every moment what
each has cost is what its calls have, and afterwards each has ended, with nothing twice and nothing left over. STORM_SEED repeats one."""

import collections
import contextlib
import json
import os
import random
import signal
import threading
import time

import psycopg

from support.board import GOOD, MODELS, Board
from support.database import PASSWORD, Person, connect, engine, role, rows, value
from support.databases import cluster, crash_server, database, wait_for_engine
from support.tap import Task, diag, equal, run, test, wait_until

SEED = os.environ.get("STORM_SEED") or str(time.time_ns())
VOICES = [*GOOD, *GOOD, *MODELS]
PERSONAS = [f"persona_{n}" for n in range(1, 13)]
# What a caller may be told in a storm: wrong state, not there, refused, disabled, no engine, or that the server is going down.
TOLD = {"55000", "P0002", "22023", "28000", "28P01", "42501", "42704", "22004", "57P03", "PC003", "57P01", "57P02", "25006"}
SUMS = """SELECT d.id, d.status, d.total_cost, (SELECT coalesce(sum(s.cost), 0) FROM chat.deliberation_steps s WHERE s.deliberation_id = d.id),
  (SELECT coalesce(sum(u.cost), 0) FROM chat.usage_events u WHERE u.deliberation_id = d.id),
  (SELECT c.total_cost FROM chat.deliberation_checkpoints c WHERE c.deliberation_id = d.id AND c.seq = d.last_seq) FROM chat.deliberations d"""


class Owner:
    """Somebody with deliberations, from several sessions at once; may be disabled, enabled, or replaced by another one."""

    def __init__(self, number):
        self.number = number
        self.renew()

    def renew(self):
        self.person, self.token = Person(f"owner{self.number}"), None
        with self.person.connection as connection:
            for code in PERSONAS:
                value(connection, "SELECT chat.save_persona(%s, %s, %s, %s)", code, code, "All about it", "You know all about it.")

    def connect(self):
        with connect(user=role("pgchat_client")) as client:
            token = value(client, "SELECT session_token FROM chat.login(%s, %s)", f"{self.person.name}@example.com", PASSWORD)
        connection = connect(user=role("pgchat_client"))
        value(connection, "SELECT chat.authenticate(%s, false)", token)
        return connection


class Storm:
    def __init__(self, seconds):
        self.ends_at = time.monotonic() + seconds
        self.owners = [Owner(n) for n in range(3)]
        self.counts, self.surprises = collections.Counter(), []
        self.lock = threading.Lock()

    def is_over(self):
        return time.monotonic() > self.ends_at

    def count(self, name, outcome):
        with self.lock:
            self.counts[f"{name} {outcome}"] += 1
            # Whether an act is in the audit log is not known where the engine dies while it writes it.
            is_audited = outcome == "08007" and name in ("disable", "remove", "change_catalogue")
            if outcome not in TOLD and outcome not in ("done", "gone") and not is_audited:
                self.surprises.append(f"{name}: {outcome}")

    def attempt(self, name, function, *arguments):
        try:
            function(*arguments)
            self.count(name, "done")
        except psycopg.OperationalError as error:
            self.count(name, error.sqlstate or "gone")
            raise
        except psycopg.InterfaceError:
            self.count(name, "gone")
            raise
        except psycopg.Error as error:
            self.count(name, error.sqlstate)
            if error.sqlstate in ("28000", "28P01"):
                raise
        except AssertionError as error:
            self.count(name, str(error))
            raise

    def repeat(self, number, connect_as, acts, pause):
        """Until the storm is over: one of the acts, each given a connection and the source of chance."""
        chance = random.Random(f"{SEED} {number}")
        while not self.is_over():
            try:
                with connect_as() as connection:
                    while not self.is_over():
                        act = chance.choices(list(acts), list(acts.values()))[0]
                        self.attempt(act.__name__, act, connection, chance)
                        time.sleep(chance.random() * pause)
            except (psycopg.Error, AssertionError):
                time.sleep(0.1)


def any_of(connection, chance, status=""):
    found = [key for key, in rows(connection, "SELECT id FROM chat.deliberations WHERE status LIKE %s || '%%'", status)]
    return chance.choice(found) if found else None


def begin(connection, chance):
    codes = chance.choice([None, PERSONAS, PERSONAS[:chance.randint(2, 5)]])
    options = {"decompose": chance.random() < 0.3, "convergence": chance.random() < 0.3 and None or False, "moderator": chance.random() < 0.5,
               "call_timeout_ms": 3000, "models": {code: chance.choice(VOICES) for code in codes or []}}
    options = {key: wanted for key, wanted in options.items() if wanted is not None}
    if chance.random() < 0.5:
        options["choices"] = ["Go", "Stay"]
    if chance.random() < 0.3:
        options["call_options"] = {"fallback_models": [GOOD[0]]}
    if value(connection, "SELECT count(*) FROM chat.deliberations WHERE status = 'active'") > 5:
        return
    made = value(connection, "SELECT chat.create_deliberation('Shall we go?', persona_codes => %s, max_rounds => %s, model => %s, max_cost => %s::numeric,"
                             " max_duration => %s, options => %s)", codes, chance.randint(1, 4), chance.choice(GOOD),
                 chance.choice([None, 0.05, 0.2, 1]), chance.choice([None, "1 second", "1 hour"]), json.dumps(options))
    value(connection, "SELECT chat.start_deliberation(%s)", made)


def pause(connection, chance):
    value(connection, "SELECT chat.pause_deliberation(%s)", any_of(connection, chance, "active"))


def resume(connection, chance):
    value(connection, "SELECT chat.resume_deliberation(%s, max_cost => %s::numeric, max_duration => '1 hour')", any_of(connection, chance, chance.choice(["paused", "failed"])),
          chance.choice([0.3, 2, 100]))


def kill(connection, chance):
    value(connection, "SELECT chat.kill_deliberation(%s)", any_of(connection, chance))


def delete(connection, chance):
    value(connection, "SELECT chat.delete_deliberation(%s)", any_of(connection, chance))


def fork(connection, chance):
    origin = any_of(connection, chance)
    seq = value(connection, "SELECT last_seq FROM chat.deliberations WHERE id = %s", origin)
    made = value(connection, "SELECT chat.fork_deliberation(%s, %s)", origin, chance.randint(1, seq or 1))
    value(connection, "SELECT chat.start_deliberation(%s)", made)


def look(connection, chance):
    rows(connection, "SELECT * FROM chat.deliberation_progress(%s)", any_of(connection, chance, "active"))


def follow(connection, chance):
    """For a while only: the time-out ends it as a client does that goes away."""
    connection.execute("SET statement_timeout = '300ms'")
    try:
        rows(connection, "SELECT * FROM chat.follow_deliberation(%s)", any_of(connection, chance, "active"))
    except psycopg.errors.QueryCanceled:
        pass
    finally:
        with contextlib.suppress(psycopg.Error):
            connection.execute("SET statement_timeout = '60s'")


def hold(connection, chance):
    """A client that dawdles in its transaction, and does or does not commit."""
    act = chance.choice([pause, resume, kill, fork, delete])
    with contextlib.suppress(psycopg.Rollback), connection.transaction():
        act(connection, chance)
        time.sleep(chance.random() * 0.6)
        if chance.random() < 0.5:
            raise psycopg.Rollback


def disable(admin, chance):
    owner = chance.choice(storm.owners)
    value(admin, "SELECT chat.admin_set_active(%s, false)", owner.person.id)
    time.sleep(chance.random() * 0.3)
    value(admin, "SELECT chat.admin_set_active(%s, true)", owner.person.id)


def remove(admin, chance):
    owner = chance.choice(storm.owners)
    value(admin, "SELECT chat.admin_delete_user(%s)", owner.person.id)
    owner.renew()


def change_catalogue(admin, chance):
    name = chance.choice(VOICES)
    if chance.random() < 0.5:
        value(admin, "SELECT chat.admin_set_model_active(%s, false)", name)
        time.sleep(chance.random() * 0.3)
        value(admin, "SELECT chat.admin_set_model_active(%s, true)", name)
    else:
        board.register()


def tidy(admin, chance):
    """As the engine does every minute."""
    value(admin, "SELECT chat_private.tidy(500)")


def check(admin, chance):
    for key, status, total, of_steps, of_usage, last in rows(admin, SUMS):
        assert total == of_steps == of_usage == last, f"{key} {status}: {total}, of steps {of_steps}, of usage {of_usage}, last {last}"


def crash(admin, chance):
    time.sleep(1 + 3 * chance.random())
    if chance.random() < 0.5:
        crash_server(engine()["pid"])
    else:
        os.kill(value(admin, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'pgchat engine' AND datname = current_database()"), signal.SIGTERM)


def cut(admin, chance):
    """Backends of clients end in the middle of whatever they do."""
    rows(admin, "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity WHERE usename = 'check_pgchat_client' ORDER BY random() LIMIT 1) p")


OWNERS_ACTS = {begin: 8, pause: 3, resume: 6, kill: 2, delete: 1, fork: 3, look: 2, follow: 2, hold: 3}

AFTERWARDS = {
    "open steps": "SELECT count(*) FROM chat.deliberation_steps WHERE state = 'open'",
    "requests": "SELECT count(*) FROM chat_private.llm_requests WHERE purpose = 'deliberation'",
    "gaps in histories": "SELECT count(*) FROM chat.deliberations d WHERE d.last_seq <> (SELECT count(*) FROM chat.deliberation_checkpoints c WHERE c.deliberation_id = d.id)"
                         " OR d.last_seq <> (SELECT max(seq) FROM chat.deliberation_checkpoints c WHERE c.deliberation_id = d.id)",
    "contributions twice": "SELECT count(*) FROM (SELECT FROM chat.contributions GROUP BY deliberation_id, round_number, phase, persona_code HAVING count(*) > 1) c",
    "votes of nobody": "SELECT count(*) FROM chat.votes v WHERE NOT EXISTS (SELECT FROM chat.deliberation_participants p WHERE p.deliberation_id = v.deliberation_id"
                       " AND p.persona_code = v.persona_code AND p.seat > 0)",
    "steps twice": "SELECT count(*) FROM (SELECT FROM chat.deliberation_steps WHERE state = 'complete' GROUP BY deliberation_id, kind, round_number, persona_code"
                   " HAVING count(*) > 1) s",
    "ended without all votes": "SELECT count(*) FROM chat.deliberations d WHERE status = 'completed' AND choices IS NOT NULL AND"
                               " (SELECT count(*) FROM chat.votes v WHERE v.deliberation_id = d.id) <> (SELECT count(*) FROM chat.deliberation_participants p"
                               " WHERE p.deliberation_id = d.id AND p.seat > 0)",
    "failed inside": "SELECT count(*) FROM chat.deliberations WHERE error ->> 'code' = 'internal'",
    "costs more than was set aside": "SELECT count(*) FROM chat.deliberation_steps WHERE cost > reserved_cost",
    "caps overshot": "SELECT count(*) FROM chat.deliberations WHERE total_cost > max_cost",
}


def settle(seconds):
    with connect() as admin:
        wait_until(lambda: value(admin, "SELECT count(*) FROM chat.deliberations WHERE active_since IS NOT NULL") == 0
                   and value(admin, AFTERWARDS["open steps"]) == 0 and value(admin, AFTERWARDS["requests"]) == 0,
                   "all have ended", seconds, 0.1)


@test("everybody does everything at once")
def everything():
    global storm
    storm = Storm(12)
    tasks = [Task(storm.repeat, n, storm.owners[n % 3].connect, OWNERS_ACTS, 0.1) for n in range(9)]
    for n, (acts, pause_s) in enumerate([({check: 1}, 0.1), ({disable: 3, remove: 1}, 4), ({change_catalogue: 1}, 0.5), ({tidy: 1}, 1), ({crash: 1}, 8), ({cut: 1}, 3)]):
        tasks.append(Task(storm.repeat, f"admin {n}", connect, acts, pause_s))
    for task in tasks:
        task.result(120)
    diag(f"seed {SEED}")
    diag(", ".join(f"{name}: {count}" for name, count in sorted(storm.counts.items())))
    wait_for_engine(seconds=30)
    began = time.monotonic()
    settle(120)
    diag(f"{time.monotonic() - began:.1f} s until all had ended")
    with connect() as admin:
        check(admin, None)
        diag(str(rows(admin, "SELECT status, pause_reason, error ->> 'code', count(*) FROM chat.deliberations GROUP BY 1, 2, 3 ORDER BY 1, 2, 3")))
        equal({name: count for name, query in AFTERWARDS.items() if (count := value(admin, query))}, {}, "what is left")
    equal(storm.surprises, [])


storm = None
stack = contextlib.ExitStack()
folder = stack.enter_context(cluster("deliberation-storm", "--set", "pgchat.max_retries=0", "--set", "pgchat.breaker_failures=0", "--set", "max_connections=60"))
stack.enter_context(database("boards"))
wait_for_engine(seconds=30)
board = Board(PERSONAS[:4])
board.register()
run(stack.close)
