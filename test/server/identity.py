#!/usr/bin/python3
"""The identity comes from chat.authenticate alone, ends when its transaction does, and reaches parallel workers and pooled clients right."""

import contextlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile

import psycopg

from support.cluster import ROOT, control, start
from support.database import Person, connect, fails, role, rows, value
from support.databases import cluster
from support.tap import Skip, diag, equal, run, test

PARAMETER = "app.current_user_id"
WHO = "SELECT chat.current_user_id()"
COUNT = "SELECT count(*) FROM chat.conversations"


def client(**more):
    """A connection with the rights of a client and no identity."""
    return connect(user=role("pgchat_client"), **more)


def nobody(connection, what):
    """The connection has no identity, and sees nothing."""
    equal((value(connection, WHO), value(connection, "SELECT chat.current_user_role()"), value(connection, COUNT)), (None, None, 0), what)


def raw_startup(user, parameters):
    """Connects with these parameters in the start-up packet; gives what the server answers to `WHO`, or its SQLSTATE."""
    packet = struct.pack("!i", 196608)
    for name, given in {"user": user, "database": os.environ["PGDATABASE"], **parameters}.items():
        packet += name.encode() + b"\0" + given.encode() + b"\0"
    query = WHO.encode() + b"\0"
    with socket.socket(socket.AF_UNIX) as server:
        server.settimeout(10)
        server.connect(f"{os.environ['PGHOST']}/.s.PGSQL.{os.environ['PGPORT']}")
        server.sendall(struct.pack("!i", len(packet) + 5) + packet + b"\0")
        server.sendall(b"Q" + struct.pack("!i", len(query) + 4) + query)
        answer, kind = server.makefile("rb"), None
        ready = 0
        while ready < 2:
            kind, size = answer.read(1), struct.unpack("!i", answer.read(4))[0]
            body = answer.read(size - 4)
            if kind == b"E":
                return next(field[1:].decode() for field in body.split(b"\0") if field[:1] == b"C")
            if kind == b"D":
                length = struct.unpack("!i", body[2:6])[0]
                return None if length < 0 else body[6:6 + length].decode()
            ready += kind == b"Z"
    raise AssertionError("no answer")


@test("a client cannot set the identity by any statement, option or default")
def _():
    victim, thief = Person("victim"), role("pgchat_client")
    victim.conversation()
    with connect() as admin:
        admin.execute(f"CREATE DATABASE owned_by_thief OWNER {thief}")
    with client() as connection:
        for name, wanted in (PARAMETER, victim.id), ("app.current_user_role", "admin"), ("app.current_session_id", victim.id):
            for statement in (
                    f"SET {name} = '{wanted}'", f"SET SESSION {name} = '{wanted}'", f"BEGIN; SET LOCAL {name} = '{wanted}'",
                    f"SELECT set_config('{name}', '{wanted}', false)", f"SELECT set_config('{name}', '{wanted}', true)",
                    f"SELECT set_config('{name.upper()}', '{wanted}', false)",
                    f"UPDATE pg_settings SET setting = '{wanted}' WHERE name = '{name}'",
                    f"ALTER ROLE {thief} SET {name} = '{wanted}'", f"ALTER ROLE CURRENT_USER SET {name} = '{wanted}'",
                    f"ALTER DATABASE owned_by_thief SET {name} = '{wanted}'", f"ALTER ROLE {thief} IN DATABASE owned_by_thief SET {name} = '{wanted}'",
                    f"ALTER SYSTEM SET {name} = '{wanted}'", f"GRANT SET ON PARAMETER {name} TO {thief}",
                    f"DO $$BEGIN PERFORM set_config('{name}', '{wanted}', true); END$$",
                    f"CREATE FUNCTION pg_temp.f() RETURNS uuid LANGUAGE sql SET {name} = '{wanted}' AS '{WHO}'; SELECT pg_temp.f()"):
                error = fails("42501", connection.execute, statement)
                connection.execute("ROLLBACK")
                nobody(connection, statement)
    for options in f"-c {PARAMETER}={victim.id}", f"--{PARAMETER}={victim.id}":
        try:
            with psycopg.connect("", user=thief, options=options) as connection:
                nobody(connection, options)
            diag(f"options '{options.split('=')[0]}=…': ignored")
        except psycopg.OperationalError as error:
            assert "permission denied" in str(error), error
            diag(f"options '{options.split('=')[0]}=…': {str(error).splitlines()[-1].strip()}")
    environment = {**os.environ, "PGOPTIONS": f"-c {PARAMETER}={victim.id}", "PGUSER": thief}
    shown = subprocess.run(["psql", "-XAtc", WHO], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, timeout=20).stdout.strip()
    diag(f"PGOPTIONS: {shown or 'ignored'}")
    assert str(victim.id) not in shown, shown
    shown = raw_startup(thief, {PARAMETER: str(victim.id)})
    diag(f"a parameter of the start-up packet: {shown or 'ignored'}")
    assert shown in (None, "42501"), shown
    with connect() as admin:
        admin.execute("DROP DATABASE owned_by_thief")


@test("the identity ends with COMMIT, ROLLBACK, an error and PREPARE TRANSACTION, and ROLLBACK TO restores it")
def _():
    person, other = Person("person"), Person("other")
    person.conversation()
    authenticate = "SELECT chat.authenticate(%s)"
    with client() as connection:
        for ending in "COMMIT", "ROLLBACK", "COMMIT AND CHAIN", "ROLLBACK AND CHAIN", "SELECT 1 / 0", "PREPARE TRANSACTION 'check_identity'":
            connection.execute("BEGIN")
            equal(value(connection, authenticate, person.token), person.id)
            equal((value(connection, WHO), value(connection, COUNT)), (person.id, 1))
            with contextlib.suppress(psycopg.errors.DivisionByZero):
                connection.execute(ending)
            if connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR:
                connection.execute("ROLLBACK")
            nobody(connection, ending)
            connection.execute("ROLLBACK")
        connection.execute("COMMIT PREPARED 'check_identity'")
        nobody(connection, "COMMIT PREPARED")
        value(connection, authenticate, person.token)
        nobody(connection, "the statement after one in autocommit mode")

        connection.execute("BEGIN")
        value(connection, authenticate, person.token)
        connection.execute("SAVEPOINT s")
        value(connection, authenticate, other.token)
        equal((value(connection, WHO), value(connection, COUNT)), (other.id, 0), "the second identity")
        connection.execute("ROLLBACK TO s")
        equal((value(connection, WHO), value(connection, COUNT)), (person.id, 1), "after ROLLBACK TO")
        fails("28000", value, connection, authenticate, "no token")
        connection.execute("ROLLBACK TO s")
        equal(value(connection, WHO), person.id, "after a refused token and ROLLBACK TO")
        connection.execute("COMMIT")
        nobody(connection, "COMMIT after ROLLBACK TO")


@test("authenticate(token, false) lasts for the session, until DISCARD ALL or RESET ALL")
def _():
    person = Person()
    person.conversation()
    with client() as connection:
        connection.prepare_threshold = None
        connection.execute("BEGIN")
        value(connection, "SELECT chat.authenticate(%s, false)", person.token)
        connection.execute("ROLLBACK")
        nobody(connection, "a session's identity that was rolled back")
        for ending in "DISCARD ALL", "RESET ALL", "RESET " + PARAMETER:
            equal(value(connection, "SELECT chat.authenticate(%s, false)", person.token), person.id)
            for statement in "SELECT 1", "BEGIN", "SELECT 1", "COMMIT", "BEGIN", "ROLLBACK":
                connection.execute(statement)
                equal((value(connection, WHO), value(connection, COUNT)), (person.id, 1), statement)
            try:
                connection.execute(ending)
                nobody(connection, ending)
            except psycopg.errors.InsufficientPrivilege:
                equal(ending, "RESET " + PARAMETER, "refused")
    with connect() as admin:
        value(admin, "SELECT chat.authenticate(%s, false)", person.token)
        for statement in f"SET ROLE {role('pgchat_client')}", f"SET SESSION AUTHORIZATION {role('pgchat_client')}", "SET ROLE pgchat_client":
            admin.execute(statement)
            equal((value(admin, WHO), value(admin, COUNT)), (person.id, 1), statement)
        fails("42501", admin.execute, f"SET {PARAMETER} = ''")
        admin.execute("RESET SESSION AUTHORIZATION")


@test("a forced parallel plan returns what the serial one does")
def _():
    people = [Person("reader"), Person("neighbour")]
    with connect() as admin:
        for person in people:
            conversation = person.conversation()
            admin.execute("INSERT INTO chat.messages (user_id, conversation_id, role, content)"
                          " SELECT %s, %s, 'user', 'message ' || n FROM generate_series(1, 50000) n", (person.id, conversation))
        admin.execute("ANALYZE chat.messages")
        force = "debug_parallel_query" if admin.info.server_version >= 160000 else "force_parallel_mode"
    query = ("SELECT count(*), sum(length(content)), bit_xor(hashtext(id::text)), min(chat.current_user_id()::text), min(chat.current_user_role())"
             " FROM chat.messages WHERE content LIKE 'message %'")
    for person in people:
        settings = {"max_parallel_workers_per_gather": 0}
        serial = rows_under(person, settings, query)
        settings = {"max_parallel_workers_per_gather": 4, "parallel_setup_cost": 0, "parallel_tuple_cost": 0, "enable_indexscan": "off",
                    "enable_bitmapscan": "off", "min_parallel_table_scan_size": 0, "min_parallel_index_scan_size": 0, force: "on"}
        parallel = rows_under(person, settings, query)
        plan = "\n".join(line for line, in rows_under(person, settings, "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " + query))
        launched = [line.strip() for line in plan.splitlines() if "Workers Launched" in line]
        assert launched and "Launched: 0" not in launched[0], plan
        equal(parallel, serial)
        equal((serial[0][0], serial[0][3]), (50000, str(person.id)))
        diag(f"{serial[0][:3]} of 100,000 rows; {launched[0]}")


def rows_under(person, settings, query):
    with person.connect() as connection:
        for name, wanted in settings.items():
            connection.execute(f"SET {name} = {wanted}")
        return rows(connection, query)


@contextlib.contextmanager
def pgbouncer():
    """pgbouncer in transaction mode with one server connection; gives its port."""
    if not shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin"):
        raise Skip("pgbouncer is not installed")
    folder = tempfile.mkdtemp(prefix="pgchat-pgbouncer.")
    os.chmod(folder, 0o755)
    port = subprocess.run(["bash", "-c", '. "$1"; cluster_free_port', "port", str(ROOT / "test/cluster/cluster.sh")], check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip()
    done = subprocess.run([ROOT / "test/servers/pgbouncer.sh", os.environ["PGHOST"], os.environ["PGPORT"], os.environ["PGDATABASE"], port,
                           folder, role("pgchat_client")], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=30)
    assert done.returncode == 0, "pgbouncer does not start"
    try:
        yield port
    finally:
        os.kill(int(done.stdout), signal.SIGTERM)
        shutil.rmtree(folder, ignore_errors=True)


@test("pgbouncer in transaction mode with one server connection leaks nothing between clients")
def _():
    people = [Person("left"), Person("right")]
    for person in people:
        person.mine = person.conversation()
    with pgbouncer() as port, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(psycopg.connect("", host="127.0.0.1", port=port, user=role("pgchat_client"), autocommit=True,
                                                       prepare_threshold=None)) for _ in range(3)]
        backends = set()
        for turn in range(60):
            person, connection, stranger = people[turn % 2], clients[turn % 2], clients[2]
            connection.execute("BEGIN")
            value(connection, "SELECT chat.authenticate(%s)", person.token)
            equal(rows(connection, "SELECT id FROM chat.conversations"), [(person.mine,)], f"turn {turn}")
            backends.add(value(connection, "SELECT pg_backend_pid()"))
            with contextlib.suppress(psycopg.errors.DivisionByZero):
                connection.execute(("COMMIT", "ROLLBACK", "SELECT 1 / 0")[turn % 3])
            if turn % 3 == 2:
                connection.execute("ROLLBACK")
            nobody(stranger, f"a stranger after turn {turn}")
            nobody(clients[1 - turn % 2], f"the other client after turn {turn}")
            with connection.pipeline():
                cursors = [connection.execute("SELECT chat.authenticate(%s)", (person.token,)), connection.execute(WHO)]
            equal([cursor.fetchone()[0] for cursor in cursors], [person.id] * 2, "authenticate as the first statement of a pipeline")
            nobody(stranger, "a stranger after a pipeline")
        equal(len(backends), 1, "server connections")
    diag("60 turns of two clients and a stranger on one server connection")


@test("a parameter made before the library is loaded is not trusted")
def _():
    with cluster("identity", "--no-preload") as folder:
        with connect() as admin:
            admin.execute("CREATE ROLE thief LOGIN")
            admin.execute("CREATE DATABASE target OWNER thief")
        os.environ["PGDATABASE"] = "target"
        victim = "00000000-0000-7000-8000-000000000001"
        with connect(user="thief") as thief:
            thief.execute(f"SET {PARAMETER} = '{victim}'")
            equal(value(thief, f"SELECT current_setting('{PARAMETER}')"), victim, "without the library it is anybody's")
            for statement in f"ALTER ROLE thief SET {PARAMETER} = '{victim}'", f"ALTER DATABASE target SET {PARAMETER} = '{victim}'":
                try:
                    thief.execute(statement)
                    diag(f"{statement.split(' SET')[0]} SET: allowed by this server")
                except psycopg.errors.InsufficientPrivilege as error:
                    diag(f"{statement.split(' SET')[0]} SET: {error}")
            with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
                thief.execute(f"CREATE FUNCTION public.as_victim() RETURNS uuid LANGUAGE sql SET {PARAMETER} = '{victim}'"
                              f" SET check_function_bodies = off AS '{WHO}'")
        preload(folder, "pgchat")
        with connect() as admin:
            admin.execute("CREATE EXTENSION pgchat")
            admin.execute("GRANT pgchat_client TO thief")
            admin.execute("INSERT INTO chat.users (id, email) VALUES (%s, 'victim@example.com')", (victim,))
        with connect(user="thief") as thief:
            equal(value(thief, WHO), None)
            equal(rows(thief, "SELECT id FROM chat.users"), [])
            if value(thief, "SELECT to_regproc('public.as_victim') IS NOT NULL"):
                fails("42501", value, thief, "SELECT public.as_victim()")
            fails("42501", thief.execute, f"SET {PARAMETER} = '{victim}'")
        preload(folder, "")
        with connect(user="thief") as thief:
            thief.execute(f"SET {PARAMETER} = '{victim}'")
            for statement in WHO, "SELECT id FROM chat.users", "SELECT chat.me()", "SELECT chat.current_user_role()":
                error = fails("57P03", rows, thief, statement)
            diag(f"once loaded by a call: {error}")
            with contextlib.suppress(psycopg.Error):
                thief.execute("LOAD '$libdir/pgchat'")
            fails("57P03", rows, thief, "SELECT id FROM chat.users")


def preload(folder, libraries):
    """Restarts the cluster with these libraries."""
    with connect() as admin:
        admin.execute(f"ALTER SYSTEM SET shared_preload_libraries = '{libraries}'" if libraries else "ALTER SYSTEM RESET ALL")
    control("stop", folder)
    start(folder)


run()
