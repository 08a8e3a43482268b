#!/usr/bin/python3
"""Runs the snippets of the documentation and compares what they print. Prints TAP.

    snippets.py [PAGE…]      PAGE: part of the path of a page; without, all
    snippets.py --self-test  proves that what is wrong is found

A fenced block runs whose info string says so:

    ```sql run                         psql, as the superuser that PGUSER names; also sh (bash)
    ```sql run as=my_app               another role of the server; each role has a session of its own
    ```python run=psycopg              also javascript run=node, java run=jdbc, graphql run (with a session in test/snippets)
    ```sql run fails=22023             must fail with this SQLSTATE; of sh, with a status that is not 0, and must print the SQLSTATE
    ```sh run needs=pg_basebackup      a program, or several with commas; without it this and later blocks of the same session are skipped
    ```text output                     what the block before prints; a line … stands for any lines, and … in a line for any text
    ```sql norun="needs a key"         is not run, and why; in pages of COMPLETE every block of these languages says the one or the other

The blocks of a page run in order against one new database, the process of each language going on: psql's variables, the shell's and the
names of programs are there in the next block. What a block prints is compared only where output follows; of psql and sh that is
standard error, too, psql being quiet (-q), without context lines, and programs' standard output alone. A block without output must succeed.
Members of a Java block (static …, record …, class …) begin at the margin, and see each other but no local names.

What there is: the default model `echo` and the others of docs/cookbook/README.md, unless the page registers a provider; the login roles `my_app` (of pgchat_client) and
`my_service` (of pgchat_service), unless the page creates them; PGHOST, PGPORT, PGDATABASE and PGUSER, which is `postgres` for psql and sh, and
my_app for programs; DATABASE_URL and JDBC_URL, which lead to my_app, and SERVICE_DATABASE_URL and SERVICE_JDBC_URL, which lead to my_service. The
working directory is empty and is removed. Databases and roles that a page makes are removed, and settings of ALTER SYSTEM are reset.
"""

import contextlib
import fnmatch
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

import psycopg
from psycopg import sql

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "test/snippets"))
import blocks as markdown
from programs import Jdbc, Node, Psycopg
from sessions import Psql, Shell

# Pages in which every block of a language that can be run says whether it is.
COMPLETE = ("docs/quickstart.md", "docs/security_limits.md", "docs/operations.md", "docs/operations/*.md", "docs/cookbook/*.md")
SESSIONS = {"psql": Psql, "sh": Shell, "psycopg": Psycopg, "node": Node, "jdbc": Jdbc}
PROGRAMS = ("psycopg", "node", "jdbc")
ROLES = {"my_app": "pgchat_client", "my_service": "pgchat_service"}
# The page whose models others have, unless they register their own.
MODELS = "docs/cookbook/README.md"


def pages(wanted):
    found = sorted(path.relative_to(ROOT) for path in (*ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md")))
    return [str(path) for path in found if not wanted or any(part in str(path) for part in wanted)]


def is_complete(page):
    return any(fnmatch.fnmatch(page, pattern) for pattern in COMPLETE)


def _models():
    """The statements of MODELS that register models."""
    blocks, _ = markdown.parse(MODELS, (ROOT / MODELS).read_text(encoding="utf-8"))
    return next(block.text for block in blocks if block.runs and "admin_register_provider" in block.text)


def connect(dbname="postgres"):
    return psycopg.connect(dbname=dbname, autocommit=True)


class Ground:
    """The database and roles of a page; what the page leaves behind is removed with them."""

    def __init__(self, name):
        self.database = "snippets_" + re.sub(r"\W+", "_", name.removesuffix(".md"))
        self.password = secrets.token_hex(8)

    def __enter__(self):
        with connect() as admin:
            self._remove(admin, [self.database], ROLES)
            self._databases, self._roles = self._present(admin)
        return self

    def make(self, text):
        """text: all that runs in the page, as it is written."""
        with connect() as admin:
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE check_template").format(sql.Identifier(self.database)))
            for role, group in ROLES.items():
                if not re.search(rf"CREATE (ROLE|USER) {role}\b", text, re.I):
                    admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE {}").format(*map(sql.Identifier, [role]), self.password, sql.Identifier(group)))
        with connect(self.database) as admin:
            self._wait_for_engine(admin)
            if "admin_register_provider" not in text:
                admin.execute(_models())

    @staticmethod
    def _wait_for_engine(admin):
        deadline = time.monotonic() + 30
        while admin.execute("SELECT state FROM chat.engine_status()").fetchone()[0] != "running":
            if time.monotonic() > deadline:
                raise RuntimeError("no engine runs in the page's database after 30 s")
            time.sleep(0.02)

    def environment(self, runner, role):
        given = dict(os.environ, PGDATABASE=self.database, LC_ALL="C.UTF-8", PGTZ="UTC")
        host, port = urllib.parse.quote(given["PGHOST"], safe=""), given["PGPORT"]
        for prefix, name in (("", "my_app"), ("SERVICE_", "my_service")):
            given[prefix + "DATABASE_URL"] = f"postgresql://{name}:{self.password}@/{self.database}?host={host}&port={port}"
            given[prefix + "JDBC_URL"] = f"jdbc:postgresql://127.0.0.1:{port}/{self.database}?user={name}&password={self.password}"
        if runner in PROGRAMS:
            role = role or "my_app"
        if role:
            given.update(PGUSER=role, PGPASSWORD=self.password)
        return given

    def __exit__(self, *_):
        with connect() as admin:
            if admin.execute("SELECT true FROM pg_file_settings WHERE sourcefile LIKE '%postgresql.auto.conf'").fetchone():
                admin.execute("ALTER SYSTEM RESET ALL")
                admin.execute("SELECT pg_reload_conf()")
            databases, roles = self._present(admin)
            self._remove(admin, databases - self._databases, roles - self._roles)

    @staticmethod
    def _present(admin):
        return ({name for name, in admin.execute("SELECT datname FROM pg_database")}, {name for name, in admin.execute("SELECT rolname FROM pg_roles")})

    @staticmethod
    def _remove(admin, databases, roles):
        for name in databases:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        for name in roles:
            admin.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))


class Page:
    """Runs a page; `outcomes` are (what, NULL or the fault, NULL or why it was skipped)."""

    def __init__(self, name, content, complete):
        self.name = name
        self.blocks, faults = markdown.parse(name, content)
        self.running = [block for block in self.blocks if block.runs and block.runner]
        if complete:
            faults = sorted(faults + list(markdown.unlabelled(self.blocks)))
        self.outcomes = []
        if self.running or faults or complete:
            self.outcomes.append((f"{name}: its blocks are labelled", "\n".join(f"{name}:{line}: {message}" for line, message in faults) or None, None))
        self._sessions, self._skipped = {}, {}

    def run(self, ground=None):
        """ground: one that is there already, for the self test."""
        for block in self.running:
            self._find_missing(block)
        if all(block.runner in self._skipped for block in self.running):
            self.outcomes += [(block.name, None, self._skipped[block.runner]) for block in self.running]
            return
        with contextlib.ExitStack() as stack:
            if not ground:
                ground = stack.enter_context(Ground(self.name))
                ground.make("\n".join(block.text for block in self.running))
            self._folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pgchat-snippets."))
            # The processes end before the database is dropped.
            stack.callback(self._close)
            stopped = None
            for block in self.running:
                fault, skipped = (f"not run, because {stopped} failed", None) if stopped else self._run_block(block, ground)
                self.outcomes.append((block.name, fault, skipped))
                if fault and not stopped:
                    stopped = block.name

    def _find_missing(self, block):
        if block.runner not in self._sessions:
            kind = SESSIONS.get(block.runner)
            reason = kind.missing() if kind else None
            self._sessions[block.runner] = {}
            if reason:
                self._skipped[block.runner] = reason

    def _run_block(self, block, ground):
        """(fault, why it was skipped), at most one of them."""
        if block.runner not in SESSIONS:
            return f"there is no session for run={block.runner}", None
        for program in filter(None, block.attributes.get("needs", "").split(",")):
            if not shutil.which(program):
                self._skipped.setdefault(block.runner, f"there is no {program}")
        if block.runner in self._skipped:
            return None, self._skipped[block.runner]
        role = block.attributes.get("as")
        sessions = self._sessions[block.runner]
        if role not in sessions:
            mine = [other for other in self.running if other.runner == block.runner and other.attributes.get("as") == role]
            sessions[role] = SESSIONS[block.runner](mine, ground.environment(block.runner, role), self._folder)
        return self._judge(block, sessions[role].run(block)), None

    @staticmethod
    def _judge(block, result):
        if block.fails and result.sqlstate != block.fails:
            got = "it did not fail" if result.sqlstate == "00000" and not result.failed else f"it failed with {result.sqlstate}"
            return f"wanted to fail with {block.fails}, {got}\n{result.failed or ''}\n{result.output}"
        if not block.fails and result.failed:
            return f"{result.failed}\n{result.output}"
        if block.output is not None and not markdown.matches(block.output, result.output):
            return f"what it prints is not what the page says\nwanted:\n{block.output}\ngot:\n{result.output}"
        return None

    def _close(self):
        for sessions in self._sessions.values():
            for session in sessions.values():
                session.close()


class Report:
    """TAP on standard output."""

    def __init__(self):
        self.number = self.failed = 0

    def add(self, what, fault=None, skipped=None):
        self.number += 1
        self.failed += fault is not None
        print(f"{'ok' if fault is None else 'not ok'} {self.number} - {what}{' # SKIP ' + skipped if skipped else ''}")
        for line in (fault or "").splitlines():
            print("#", line)
        sys.stdout.flush()

    def end(self):
        print(f"1..{self.number}")
        return 1 if self.failed or not self.number else 0


def main(arguments):
    if not os.environ.get("PGCHAT_CLUSTER"):
        sys.exit("snippets.py removes databases and roles: run it by `test/run.sh snippets`, or with the environment of a cluster of test/cluster/cluster.sh")
    report = Report()
    if arguments == ["--self-test"]:
        import selftest
        selftest.run(report, Page, Ground)
        return report.end()
    for name in pages(arguments):
        began = time.monotonic()
        page = Page(name, (ROOT / name).read_text(encoding="utf-8"), is_complete(name))
        page.run()
        for outcome in page.outcomes:
            report.add(*outcome)
        if page.running:
            print(f"# {name}: {time.monotonic() - began:.1f} s", flush=True)
    return report.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
