#!/usr/bin/python3
"""Each code of the second factor works once, whatever sessions and transactions do; and its secrets are nowhere to be read."""

import base64
import contextlib
import hashlib
import hmac
import os
import pathlib
import struct
import threading
import time
import uuid

import psycopg

from support import canaries
from support.cluster import control, private
from support.database import PASSWORD, Person, connect, fails, role, rows, value
from support.databases import engine_pid
from support.tap import Skip, Task, diag, equal, run, test, wait_until

PERIOD = 30


def code(secret, steps_later=0):
    """The one-time code, computed here and not by what is tested."""
    counter = struct.pack(">Q", int(time.time()) // PERIOD + steps_later)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset:offset + 4])[0] & 0x7fffffff) % 10 ** 6:06d}"


def await_fresh_step(seconds=12):
    """Waits where the step would end within so many seconds."""
    left = PERIOD - time.time() % PERIOD
    if left < seconds:
        time.sleep(left + 0.05)


class Enrolled(Person):
    """A person with an authenticator app, confirmed by the code of the step before."""

    def __init__(self, name="enrolled"):
        super().__init__(name)
        self.secret = self.value("SELECT secret FROM chat.totp_enroll()")
        self.value("SELECT chat.totp_verify(%s)", code(self.secret, -1))

    def half(self):
        """A connection whose session still needs the second factor."""
        connection = connect(user=role("pgchat_client"))
        token, wanted = rows(connection, "SELECT session_token, mfa_required FROM chat.login(%s, %s)", f"{self.name}@example.com", PASSWORD)[0]
        equal(wanted, True, "mfa_required")
        equal(value(connection, "SELECT chat.authenticate(%s, false)", token), None, "half a login is nobody")
        return connection


def verify(connection, one_code):
    """The SQLSTATE of chat.totp_verify, None where it succeeds."""
    try:
        connection.execute("SELECT chat.totp_verify(%s)", (one_code,))
    except psycopg.Error as error:
        return error.sqlstate
    return None


def at_once(connections, one_code):
    """What chat.totp_verify gives in several sessions that call it together."""
    barrier = threading.Barrier(len(connections))

    def attempt(connection):
        barrier.wait()
        return verify(connection, one_code)

    return [task.result() for task in [Task(attempt, connection) for connection in connections]]


@test("a code that several sessions give at once is accepted in one of them; a recovery code too")
def _():
    await_fresh_step()
    for kind in "app", "app", "app", "recovery", "recovery":
        person = Enrolled()
        one_code = code(person.secret) if kind == "app" else person.value("SELECT chat.generate_recovery_codes() LIMIT 1")
        connections = [person.half() for _ in range(4)]
        outcomes = at_once(connections, one_code)
        equal(sorted(map(str, outcomes)), ["28P01"] * 3 + ["None"], f"{kind}: outcomes")
        full = [value(connection, "SELECT count(*) FROM chat.sessions WHERE id = current_setting('app.pending_session_id')::uuid"
                      " AND NOT mfa_pending") for connection in connections]
        equal(sum(full), 0, "a connection sees nothing before it authenticates again")
        with connect() as admin:
            equal(value(admin, "SELECT count(*) FROM chat.sessions WHERE user_id = %s AND NOT mfa_pending", person.id), 2, "full sessions")
        for connection in connections:
            connection.close()


@test("a code whose acceptance was rolled back, or whose client went away, stays used")
def _():
    await_fresh_step()
    person = Enrolled()
    app_code = code(person.secret)
    recovery_codes = [one for one, in person.rows("SELECT chat.generate_recovery_codes()")]
    with person.half() as half:
        half.execute("BEGIN")
        equal(verify(half, app_code), None)
        equal(value(half, "SELECT (chat.me()).id"), person.id, "accepted")
        half.execute("ROLLBACK")
        fails("28000", value, half, "SELECT chat.me()")
        equal(verify(half, app_code), "28P01", "after ROLLBACK")
        half.execute("BEGIN")
        half.execute("SAVEPOINT a")
        equal(verify(half, recovery_codes[0]), None)
        half.execute("ROLLBACK TO a")
        equal(verify(half, recovery_codes[0]), "28P01", "after ROLLBACK TO")
        half.execute("ROLLBACK")
    with person.half() as half:
        half.execute("BEGIN")
        equal(verify(half, recovery_codes[1]), None)
        half.close()
    with person.half() as half:
        equal(verify(half, recovery_codes[1]), "28P01", "after the client has gone")
        fails("57014", half.execute, "SET statement_timeout = '300ms'; SELECT chat.totp_verify('" + recovery_codes[2] + "'), pg_sleep(5)")
        half.execute("SET statement_timeout = '60s'")
        equal(verify(half, recovery_codes[2]), "28P01", "after statement_timeout")
        equal(verify(half, recovery_codes[3]), None, "one that nobody has used")
    equal(person.value("SELECT recovery_codes_left FROM chat.mfa_status()"), 6)


@test("whoever keeps their own rows locked keeps nobody else from logging in")
def _():
    person, other = Enrolled(), Person("other")
    used = [one for one, in person.rows("SELECT chat.generate_recovery_codes()")][0]
    with person.half() as half:
        equal(verify(half, used), None)
    log_in = "SELECT session_token FROM chat.login(%s, %s, %s)"
    # The engine's insert meets a row that a transaction which has not ended removes.
    with person.connection.transaction(force_rollback=True):
        person.rows("SELECT chat.generate_recovery_codes()")
        waiting = [connect(user=role("pgchat_client")) for _ in range(4)]
        tasks = [Task(connection.execute, log_in, (f"{person.name}@example.com", PASSWORD, used)) for connection in waiting]
        time.sleep(0.3)
        slowest = 0.0
        with connect(user=role("pgchat_client")) as client:
            for _ in range(10):
                began = time.monotonic()
                value(client, log_in, f"{other.name}@example.com", PASSWORD, None)
                slowest = max(slowest, time.monotonic() - began)
        diag(f"slowest login of somebody else: {slowest * 1000:.0f} ms")
        assert slowest < 1.5, slowest
        for task in tasks:
            fails("57P03", task.result)
    with connect(user=role("pgchat_client")) as client:
        fails("28P01", value, client, log_in, f"{person.name}@example.com", PASSWORD, used)


@test("enrolling and confirming in one transaction works, and a ROLLBACK leaves no app")
def _():
    person = Person("undecided")
    with contextlib.suppress(ZeroDivisionError), person.connection.transaction():
        secret = person.value("SELECT secret FROM chat.totp_enroll()")
        equal(verify(person.connection, code(secret)), None)
        equal(person.value("SELECT state FROM chat.mfa_status()"), "enrolled")
        equal(len(person.rows("SELECT chat.generate_recovery_codes()")), 10)
        raise ZeroDivisionError
    equal(person.value("SELECT state || recovery_codes_left FROM chat.mfa_status()"), "none0")


@test("guessing codes locks the account, also when each guess is rolled back")
def _():
    person = Enrolled()
    with person.half() as half:
        wrong = [one for one in (f"{n:06d}" for n in range(20)) if one not in [code(person.secret, n) for n in range(-2, 4)]]
        for guess in wrong[:5]:
            with contextlib.suppress(psycopg.Error), half.transaction():
                half.execute("SELECT chat.totp_verify(%s)", (guess,))
        equal(verify(half, code(person.secret, 1)), "28P01", "the right code, after five wrong ones")
        with connect() as admin:
            value(admin, "SELECT chat.admin_unlock_user(%s)", person.id)
        equal(verify(half, code(person.secret, 1)), None, "it was not used up by that")


# What follows changes the master key, and so has a cluster of its own.


class Key:
    """The master key of the private cluster, as the file that holds it."""

    def __init__(self, folder):
        self.data = pathlib.Path(folder) / "data"
        self.file = self.data / "pgchat_master.key"

    def write(self, text, path=None, mode=0o600):
        path = path or self.file
        path.write_text(text)
        owner = self.data.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
        path.chmod(mode)


def sealed_with(admin):
    """The id of the key that something is sealed with now, or the SQLSTATE and message of the refusal."""
    try:
        return value(admin, "SELECT encode(substr(chat_private.seal('test', gen_random_uuid(), gen_random_uuid(), 'x'), 2, 8), 'hex')")
    except psycopg.Error as error:
        assert error.diag.message_hint, f"{error} has no hint"
        return f"{error.sqlstate} {error.diag.message_primary}"


def reload(admin, wanted):
    """Has the configuration read again, and waits until sealing gives what is wanted."""
    admin.execute("SELECT pg_reload_conf()")
    wait_until(lambda: wanted in (sealed_with(admin) or ""), f"{wanted}; got {sealed_with(admin)}")


def check_code(admin, person):
    """What the engine says to a right code of the person's app: a step, or an SQLSTATE. Charges and uses up nothing."""
    try:
        return value(admin, "SELECT chat_private.check_totp_code(f.user_id, f.id, f.sealed_key, f.algorithm, f.digits, %s)"
                     " FROM chat_private.totp_factors f WHERE f.user_id = %s", code(person.secret), person.id)
    except psycopg.Error as error:
        assert error.diag.message_hint, f"{error} has no hint"
        return error.sqlstate


@test("a master key that is missing, malformed, another, or open to others: calls say so, and the server runs on")
def _():
    with private("second-factor") as folder, connect() as admin:
        key = Key(folder)
        assert not key.file.exists(), "nothing is sealed yet"
        person = Person("early")
        assert not key.file.exists(), "an account needs no key"
        person = Enrolled()
        equal(key.file.stat().st_mode & 0o7777, 0o600, "mode")
        equal(key.file.stat().st_uid, key.data.stat().st_uid, "owner")
        first, first_id = key.file.read_text(), sealed_with(admin)
        equal(len(first), 65)
        assert isinstance(check_code(admin, person), int)

        key.file.chmod(0o640)
        reload(admin, "PC201 the master key file can be read or written by others than its owner")
        equal(check_code(admin, person), "PC201")
        fails("PC201", Person("late").value, "SELECT chat.totp_enroll()", hint=True)
        waiting = person.half()
        equal([verify(waiting, code(person.secret)) for _ in range(6)], ["PC201"] * 6, "which nobody is locked out for")
        equal(person.value("SELECT (chat.me()).id"), person.id, "what needs no key goes on")
        recovery = person.value("SELECT chat.generate_recovery_codes() LIMIT 1")
        with person.half() as half:
            equal(verify(half, recovery), None, "a recovery code needs none")
        key.write("not a key")
        reload(admin, "PC201 the master key is malformed")
        key.write(first.upper().strip())
        reload(admin, first_id)
        equal(verify(waiting, code(person.secret)), None, "with the key put right")

        key.file.unlink()
        admin.execute("SELECT pg_reload_conf()")
        wait_until(lambda: check_code(admin, person) == "PC201", "the key is gone")
        assert not key.file.exists(), "none is made to open what another has sealed"
        equal(sealed_with(admin), "PC201 the master key file does not exist, and secrets are stored that were sealed with it")
        assert not key.file.exists(), "nor in its place"
        key.write("cd" * 32)
        admin.execute("SELECT pg_reload_conf()")
        wait_until(lambda: check_code(admin, person) == "PC202", "another key than it was sealed with")
        key.write(first)
        reload(admin, first_id)
        assert isinstance(check_code(admin, person), int)

        control("restart", folder)
        with connect() as again:
            wait_until(lambda: engine_pid("check_private"), "an engine runs")
            equal(sealed_with(again), first_id, "after a restart")
            assert isinstance(check_code(again, person), int)


@test("the key may come from another file, which is never made, or from a command")
def _():
    with private("second-factor") as folder, connect() as admin:
        key = Key(folder)
        other = key.data.parent / "other.key"
        admin.execute(f"ALTER SYSTEM SET pgchat.master_key_file = '{other}'")
        reload(admin, "PC201 the master key file does not exist")
        # Made where something was sealed before the engine had read the new configuration.
        key.file.unlink(missing_ok=True)
        key.write("ab" * 32, other)
        reload(admin, "")
        wait_until(lambda: not sealed_with(admin).startswith("PC"), "the file is found")
        the_id = sealed_with(admin)
        admin.execute("ALTER SYSTEM SET pgchat.master_key_command = 'exit 3'")
        reload(admin, "PC201 no master key from pgchat.master_key_command: the command ended with status 3")
        admin.execute(f"ALTER SYSTEM SET pgchat.master_key_command = 'cat \"{other}\"'")
        admin.execute("ALTER SYSTEM RESET pgchat.master_key_file")
        reload(admin, the_id)
        assert not key.file.exists(), "no file is made beside a command"
        began = time.monotonic()
        admin.execute("ALTER SYSTEM SET pgchat.master_key_command = 'sleep 60'")
        reload(admin, "PC201 no master key from pgchat.master_key_command: the command did not end in time")
        assert time.monotonic() - began < 15, "the engine does not wait for ever"
        with connect(user=role("pgchat_client")) as client:
            fails("42501", value, client, "SHOW pgchat.master_key_command")
            equal(value(client, "SELECT count(*) FROM pg_settings WHERE name LIKE 'pgchat.master%%'"), 0)


def memory_of(pid):
    """What a process can write to, of its own memory."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            addresses, rights = line.split()[:2]
            if not rights.startswith("rw") or "/dev/shm" in line or "[v" in line:
                continue
            begin, end = (int(address, 16) for address in addresses.split("-"))
            with contextlib.suppress(OSError):
                memory.seek(begin)
                yield memory.read(end - begin)


@test("the master key is in the memory of the engine, and of no backend")
def _():
    with private("second-factor") as folder:
        person = Enrolled()
        key = bytes.fromhex(Key(folder).file.read_text())
        sealing_key = hmac.new(key, b"pgchat 1 sealing", hashlib.sha256).digest()
        needles = {"key": key, "key in hex": key.hex().encode(), "sealing key": sealing_key}

        def found_in(pid):
            try:
                parts = list(memory_of(pid))
            except PermissionError:
                raise Skip("this user may not look into the server's processes") from None
            assert sum(map(len, parts)) > 100_000, f"too little of process {pid} was read"
            return sorted(name for name, needle in needles.items() if any(needle in part for part in parts))

        equal(found_in(engine_pid("check_private")), ["sealing key"], "in the engine")
        with person.half() as half:
            equal(verify(half, code(person.secret)), None)
            for connection in half, person.connection:
                equal(found_in(connection.info.backend_pid), [], "in a backend")


@test("the app's secret, recovery codes and the master key are in no dump, WAL, table file, server log or statistics view")
def _():
    with private("second-factor", **canaries.SETTINGS) as folder, connect() as admin:
        with contextlib.suppress(psycopg.errors.UndefinedFile):
            admin.execute("CREATE EXTENSION pg_stat_statements")
        person = Enrolled("canary")
        codes = [one for one, in person.rows("SELECT chat.generate_recovery_codes()")]
        others = person.half()
        others.execute("BEGIN")
        equal(verify(others, codes[0]), None)
        equal(verify(person.half(), codes[0]), "28P01")
        key = Key(folder).file.read_text().strip()
        raw = base64.b32decode(person.secret)
        secrets = {person.secret.encode(), raw, raw.hex().encode(), key.encode(), bytes.fromhex(key), base64.b64encode(raw),
                   *(one.encode() for one in codes), *(one.replace("-", "").encode() for one in codes)}

        activity = canaries.activity_of_others(admin)
        others.execute("COMMIT")
        found = canaries.places(admin, Key(folder).data, activity)
        hash_of_code = hashlib.sha256(uuid.UUID(str(person.id)).bytes + codes[0].replace("-", "").encode())
        signs = {"dump": hash_of_code.hexdigest().encode(), "wal": hash_of_code.digest(), "tables": hash_of_code.digest(),
                 "log": b"SELECT chat.totp_verify($1)", "pg_stat_activity": b"SELECT chat.totp_verify($1)",
                 "pg_stat_statements": b"SELECT chat.totp_verify($1)"}
        canaries.check_absent(found, secrets, signs)
        diag(", ".join(f"{place} {len(content) // 1024} kB" for place, content in found.items()) + f"; {len(secrets)} forms of secrets")


run()
