#!/usr/bin/python3
"""Runs the snippets of the documentation and compares what they print. Prints TAP.

    snippets.py [PAGE…]      PAGE: part of the path of a page; without, all
    snippets.py --self-test  proves that what is wrong is found

A fenced block runs whose info string says so:

    ```sql run                         psql, as the superuser that PGUSER names; also sh (bash)
    ```sql run as=my_app               another role of the server; each role has a session of its own
    ```python run=psycopg              also javascript run=node, java run=jdbc
    ```sql run fails=22023             must fail with this SQLSTATE; of sh, with a status that is not 0, and must print the SQLSTATE
    ```sh run needs=pg_basebackup      a program, or several with commas; without it this and later blocks of the same session are skipped
    ```ini file=postgrest.conf         is written into this file of the working directory
    ```text output                     what the block before prints; a line … stands for any lines, and … in a line for any text
    ```sql norun="needs a key"         is not run, and why; in pages of COMPLETE every block of these languages says the one or the other

The blocks of a page run in order against one new database, the process of each language going on: psql's variables, the shell's and the
names of programs are there in the next block. What a block prints is compared only where output follows; of psql and sh that is
standard error, too, psql being quiet (-q), without context lines, and programs' standard output alone. A block without output must succeed.
Members of a Java block (static …, record …, class …) begin at the margin, and see each other but no local names.

What there is: the default model `echo` and the others of docs/cookbook/README.md, unless the page registers a provider; the login roles `my_app` (of pgchat_client) and
`my_service` (of pgchat_service), unless the page creates them; PGHOST, PGPORT, PGDATABASE and PGUSER, which is `postgres` for psql and sh, and
my_app for programs; PORT, a free port of the loopback for what the page serves; DATABASE_URL and JDBC_URL, which lead to my_app, and SERVICE_DATABASE_URL and SERVICE_JDBC_URL, which lead to my_service. The
working directory is empty and is removed. Databases and roles that a page makes are removed, and settings of ALTER SYSTEM are reset.
"""

import concurrent.futures
import contextlib
import fnmatch
import os
import pathlib
import re
import secrets
import socket
import sys
import tempfile
import time
import urllib.parse

import psycopg
from psycopg import sql

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "test/snippets"))
import blocks as markdown
from brought import bring
from programs import Jdbc, Node, Psycopg
from sessions import Files, Psql, Shell

# Pages in which every block of a language that can be run says whether it is.
COMPLETE = ("docs/quickstart.md", "docs/security_limits.md", "docs/operations/*.md", "docs/cookbook/*.md")
SESSIONS = {"psql": Psql, "sh": Shell, "psycopg": Psycopg, "node": Node, "jdbc": Jdbc, "file": Files}
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


def _free_port():
    """Of the loopback; below 32768, so that no client's own port is in its way."""
    while True:
        port = secrets.choice(range(20000, 32000))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Ground:
    """The database and roles of a page; what the page leaves behind is removed with them. Making and removing a database takes seconds, most
    of them waiting: while a page runs, that of the next one is made, and that of the one before removed."""

    _makers, _removers = concurrent.futures.ThreadPoolExecutor(1), concurrent.futures.ThreadPoolExecutor(1)
    _made, _removed = {}, []

    def __init__(self, name):
        self.database = self._database_of(name)
        self.password = secrets.token_hex(8)
        self.port = _free_port()
        # What all sessions of the page inherit.
        self.given = dict(os.environ)

    @staticmethod
    def _database_of(name):
        return "snippets_" + re.sub(r"\W+", "_", name.removesuffix(".md"))

    @classmethod
    def foresee(cls, name, text):
        """Begins to make the database of the page of that name, of which `text` is all that runs, as it is written."""
        database = cls._database_of(name)
        cls._made[database] = cls._makers.submit(cls._make_database, database, text)

    @classmethod
    def _make_database(cls, database, text):
        with connect() as admin:
            cls._remove(admin, [database], ())
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE check_template").format(sql.Identifier(database)))
        with connect(database) as admin:
            cls._wait_for_engine(admin)
            if "admin_register_provider" not in text:
                admin.execute(_models())

    def __enter__(self):
        with connect() as admin:
            self._remove(admin, (), ROLES)
            self._databases, self._roles = self._present(admin)
        return self

    def make(self, text):
        """text: as for foresee."""
        with connect() as admin:
            for role, group in ROLES.items():
                if not re.search(rf"CREATE (ROLE|USER) {role}\b", text, re.I):
                    admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE {}").format(*map(sql.Identifier, [role]), self.password, sql.Identifier(group)))
        made = self._made.pop(self.database, None) or self._makers.submit(self._make_database, self.database, text)
        made.result()

    @staticmethod
    def _wait_for_engine(admin):
        deadline = time.monotonic() + 30
        while admin.execute("SELECT state FROM chat.engine_status()").fetchone()[0] != "running":
            if time.monotonic() > deadline:
                raise RuntimeError("no engine runs in the page's database after 30 s")
            time.sleep(0.02)

    def environment(self, runner, role):
        given = dict(self.given, PGDATABASE=self.database, PORT=str(self.port), LC_ALL="C.UTF-8", PGTZ="UTC")
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
            self._remove(admin, databases - self._databases, ())
            # What has rights in the page's database goes after it.
            held = [role for role in roles - self._roles if not self._drop_role(admin, role)]
            if held:
                self._remove(admin, [self.database], held)
            else:
                self._removed.append(self._removers.submit(self._remove_database, self.database))

    @staticmethod
    def _drop_role(admin, role):
        try:
            admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
        except psycopg.errors.DependentObjectsStillExist:
            return False
        return True

    @classmethod
    def _remove_database(cls, database):
        with connect() as admin:
            cls._remove(admin, [database], ())

    @classmethod
    def finish(cls):
        """Waits until all is removed, foreseen pages that did not run included; gives what could not be, or NULL."""
        for database, made in cls._made.items():
            made.result()
            cls._removed.append(cls._removers.submit(cls._remove_database, database))
        errors = [str(removal.exception()) for removal in cls._removed if removal.exception()]
        return "\n".join(errors) or None

    @staticmethod
    def _present(admin):
        """(databases, without those of pages, roles)"""
        return ({name for name, in admin.execute("SELECT datname FROM pg_database WHERE NOT starts_with(datname, 'snippets_')")},
                {name for name, in admin.execute("SELECT rolname FROM pg_roles")})

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
        self._sessions, self._skipped, self._absent = {}, {}, {}

    @property
    def text(self):
        """All that runs."""
        return "\n".join(block.text for block in self.running)

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
                ground.make(self.text)
            self._folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pgchat-snippets."))
            for program in sorted({program for block in self.running for program in block.needs}):
                self._absent[program] = bring(program, ground.given, self._folder)
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
        for program in block.needs:
            if self._absent[program]:
                self._skipped.setdefault(block.runner, self._absent[program])
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
        return 1 if self.failed else 0


def main(arguments):
    if not os.environ.get("PGCHAT_CLUSTER"):
        sys.exit("snippets.py removes databases and roles: run it by `test/run.sh snippets`, or with the environment of a cluster of test/cluster/cluster.sh")
    report = Report()
    if arguments == ["--self-test"]:
        import selftest
        selftest.run(report, Page, Ground)
        report.add("what the self test has made is removed", Ground.finish())
        return report.end()
    chosen = [Page(name, (ROOT / name).read_text(encoding="utf-8"), is_complete(name)) for name in pages(arguments)]
    running = [page for page in chosen if page.running]
    for page in running[:1]:
        Ground.foresee(page.name, page.text)
    for page in chosen:
        began = time.monotonic()
        if page.running and page is not running[-1]:
            following = running[running.index(page) + 1]
            Ground.foresee(following.name, following.text)
        page.run()
        for outcome in page.outcomes:
            report.add(*outcome)
        if page.running:
            print(f"# {page.name}: {time.monotonic() - began:.1f} s", flush=True)
    if not running:
        report.add("some block runs", "no page of that name has one")
    report.add("what pages have made is removed", Ground.finish())
    return report.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
