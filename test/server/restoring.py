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
from support.catalogue import catalogue, checksums, differences
from support.database import connect, rows, value
from support.databases import cluster, database, use, wait_for_engine
from support.keyed import KeyedProvider
from support.tap import diag, equal, run, test, wait_until

BINDIR = pathlib.Path(subprocess.run([os.environ.get("PG_CONFIG", "pg_config"), "--bindir"], check=True, stdout=subprocess.PIPE,
                                     text=True).stdout.strip())
NIL = "00000000-0000-0000-0000-000000000000"
# The engine makes these rows anew from the others.
MADE_ANEW = ("chat_private.search_progress", "chat_private.search_chunks")
# So few processes leave none for an engine: what is counted is then what was restored, before anything goes on.
NO_ENGINE = ("--set", "max_worker_processes=1", "--set", "max_logical_replication_workers=0")


def furnish(owner):
    """What only SQL makes quickly: a deliberation that has ended, edited personas and prompts, and what an import noted."""
    with connect() as admin:
        value(admin, "SELECT chat.admin_save_persona('actuary', 'The actuary of ours')")
        value(admin, "SELECT chat.admin_save_persona('ours', 'Ours', 'All of it', 'You are ours')")
        value(admin, "SELECT chat.admin_set_persona_active('auditor', false)") if value(
            admin, "SELECT true FROM chat.personas WHERE code = 'auditor'") else None
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
        return deliberation


def sequences(admin):
    names = [name for name, in rows(admin, "SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences WHERE schemaname IN ('chat', 'chat_private')")]
    return {name: rows(admin, f"SELECT last_value, is_called FROM {name}")[0] for name in names}


def run_tool(name, *arguments):
    done = subprocess.run([BINDIR / name, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    equal(done.returncode, 0, f"{name}: {done.stderr}")


@contextlib.contextmanager
def key_file(folder, content):
    """Puts the master key where a server of the folder looks for it."""
    file = folder / "data/pgchat_master.key"
    file.write_bytes(content)
    os.chmod(file, 0o600)
    owner = (folder / "data").stat()
    shutil.chown(file, owner.st_uid, owner.st_gid)
    yield


class Source:
    """A database with all there is, its dumps, and what must come back."""

    def __init__(self, provider, folder):
        with cluster("restoring-from") as place, database("kept"):
            self.owner = Owner(provider)
            self.deliberation = furnish(self.owner)
            self.key = (place / "data/pgchat_master.key").read_bytes()
            use("kept")
            with connect() as admin:
                self.catalogue = catalogue(admin)
                # What is counted is what is dumped: nobody works any more, and neither does the engine after this.
                admin.execute("SELECT pg_sleep(0)")
                self.dump = folder / "custom.dump"
                before = None
                while before != (before := (checksums(admin), sequences(admin))) or not self.dump.exists():
                    run_tool("pg_dump", "-Fc", "-f", self.dump, "kept")
                    after = (checksums(admin), sequences(admin))
                    if after == before:
                        break
                    before = None
                self.rows, self.sequences = after
        for table in MADE_ANEW:
            self.rows.pop(table, None)


def restored(source, name, *options, key=None):
    pass


@test("every row, sequence and object is back, and logins, sessions, keys and conversations go on")
def _():
    pass


run()
