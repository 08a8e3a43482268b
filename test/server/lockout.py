#!/usr/bin/python3
"""Failed logins are counted before the password is looked at, whatever the caller does then; few hash at once."""

import statistics
import time
import uuid

import psycopg

from support.database import PASSWORD, connect, fails, role, rows, service, settings, value
from support.tap import Task, diag, equal, run, test, wait_until

LOGIN = "SELECT session_token FROM chat.login(%s, %s, NULL, %s, 'test')"
WRONG = "wrong-password"


class Account:
    """A registered user without a session."""

    def __init__(self):
        self.name = f"locked_{uuid.uuid4().hex[:8]}"
        with client() as connection:
            self.id = value(connection, "SELECT chat.register(%s, %s, %s)", f"{self.name}@example.com", PASSWORD, self.name)

    def attempts(self):
        """How many failures are counted, and for how many seconds more the account is locked."""
        with connect() as admin:
            found = rows(admin, "SELECT failures, extract(epoch FROM locked_until - clock_timestamp())::float8 FROM"
                         " chat_private.login_attempts WHERE kind = 'account' AND key = uuid_send(%s)", self.id)
        return found[0] if found else (0, None)

    def failures(self):
        return self.attempts()[0]

    def reasons(self):
        """Why logins were refused, in their order."""
        with connect() as admin:
            return [reason for reason, in rows(admin, "SELECT coalesce(details ->> 'reason', action) FROM chat.audit_log"
                                               " WHERE user_id = %s AND action LIKE 'login%%' AND action <> 'login.lock' ORDER BY id", self.id)]


def client():
    return connect(user=role("pgchat_client"))


def log_in(name, password, address=None):
    """A token, or the SQLSTATE of the refusal."""
    with client() as connection:
        try:
            return value(connection, LOGIN, name, password, address)
        except psycopg.Error as error:
            return error.sqlstate


def set_up(**wanted):
    """Settings of the installation, until set again."""
    with connect() as admin:
        for key, setting in wanted.items():
            admin.execute("INSERT INTO chat.settings VALUES (%s, to_jsonb(%s::text)) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                          (key, setting))


@test("a failure stays counted after ROLLBACK, a savepoint, an exception block, statement_timeout and disconnecting")
def _():
    account = Account()
    with client() as thief:
        thief.execute("BEGIN")
        fails("28P01", thief.execute, LOGIN, (account.name, WRONG, None))
        thief.execute("ROLLBACK")
        equal(account.failures(), 1, "after ROLLBACK")
        thief.execute("BEGIN; SAVEPOINT s")
        fails("28P01", thief.execute, LOGIN, (account.name, WRONG, None))
        thief.execute("ROLLBACK TO s; COMMIT")
        equal(account.failures(), 2, "after a savepoint")
        thief.execute(f"DO $$BEGIN PERFORM chat.login('{account.name}', '{WRONG}'); EXCEPTION WHEN OTHERS THEN END$$")
        equal(account.failures(), 3, "after an exception block")
        with settings(pgchat__bcrypt_cost="14"):
            thief.execute("SET statement_timeout = '200ms'")
            fails("57014", thief.execute, LOGIN, (account.name, PASSWORD, None))
            equal(account.failures(), 4, "after statement_timeout, of a right password even")
            leaving = client()
            task = Task(leaving.execute, LOGIN, (account.name, PASSWORD, None))
            wait_until(lambda: account.failures() == 5, "it is counted while the password is being looked at")
            with connect() as admin:
                value(admin, "SELECT pg_terminate_backend(%s)", leaving.info.backend_pid)
            try:
                task.result()
                raise AssertionError("a login on a terminated connection")
            except psycopg.OperationalError:
                pass
    equal(account.failures(), 5, "after disconnecting")
    equal(log_in(account.name, PASSWORD), "28P01", "and so the account is locked, for the right password too")


@test("of 16 logins at once no more are looked at than the limit allows")
def _():
    account = Account()
    tasks = [Task(log_in, account.name, WRONG) for _ in range(16)]
    equal([task.result() for task in tasks], ["28P01"] * 16, "all are refused alike")
    reasons = account.reasons()
    equal((reasons.count("wrong"), reasons.count("locked")), (5, 11), "looked at and not")
    with connect() as admin:
        locks = rows(admin, "SELECT details ->> 'kind', (details ->> 'failures')::int FROM chat.audit_log WHERE user_id = %s"
                     " AND action = 'login.lock'", account.id)
        assert ("account", 5) in locks, locks


@test("a lock lasts a while that doubles to a limit, and a right password after it forgets all")
def _():
    account = Account()
    set_up(lockout_first="1 second", lockout_longest="3 seconds")
    try:
        for _ in range(4):
            equal(log_in(account.name, WRONG), "28P01")
        equal(account.attempts()[1], None, "not locked before the fifth")
        for longest in 1, 2, 3, 3:
            equal(log_in(account.name, WRONG), "28P01")
            left = account.attempts()[1]
            assert longest - 0.6 < left <= longest, (left, longest)
            equal(log_in(account.name, PASSWORD), "28P01", "locked")
            wait_until(lambda: account.attempts()[1] < 0, "the lock is over")
        assert log_in(account.name, PASSWORD).startswith("pgc_"), "a login"
        equal(account.attempts(), (0, None), "forgotten")
    finally:
        set_up(lockout_first="1 minute", lockout_longest="1 hour")


@test("failures are forgotten when they are old, and rows that no longer count are removed")
def _():
    account = Account()
    for _ in range(4):
        log_in(account.name, WRONG)
    with connect() as admin:
        admin.execute("UPDATE chat_private.login_attempts SET first_failed_at = now() - interval '25 hours' WHERE key = uuid_send(%s)",
                      (account.id,))
        log_in(account.name, WRONG)
        equal(account.failures(), 1, "counted anew")
        admin.execute("UPDATE chat_private.login_attempts SET first_failed_at = now() - interval '25 hours' WHERE key = uuid_send(%s)",
                      (account.id,))
        admin.execute("SET ROLE pgchat_engine")
        value(admin, "SELECT chat_private.tidy(10000)")
    equal(account.failures(), 0, "removed")


@test("an unknown name is locked as a known one")
def _():
    name = f"nobody_{uuid.uuid4().hex[:8]}"
    with connect() as admin:
        for written in name, name.upper(), f" {name} ", name, name, name:
            equal(log_in(written, WRONG), "28P01")
        found = rows(admin, "SELECT failures, locked_until > now() FROM chat_private.login_attempts WHERE kind = 'name'"
                     " AND key = sha256(convert_to(%s, 'UTF8'))", name)
        equal(found, [(5, True)], "counted in whatever case it is written")


@test("an address is locked after 50 failures of whatever names; a right password there is no way around it")
def _():
    account, other = Account(), Account()
    with client() as thief, connect() as admin:
        for number in range(49):
            fails("28P01", thief.execute, LOGIN, (f"nobody_{uuid.uuid4().hex[:8]}", WRONG, "2001:db8:7::%x" % (number + 1)))
        assert log_in(account.name, PASSWORD, "2001:db8:7::ffff").startswith("pgc_"), "the fiftieth is right"
        count = "SELECT failures FROM chat_private.login_attempts WHERE kind = 'address' AND key = '2001:db8:7::/64'"
        equal(value(admin, count), 49, "it does not forget those before it")
        fails("28P01", thief.execute, LOGIN, (other.name, WRONG, "2001:db8:7::1"))
        equal(log_in(account.name, PASSWORD, "2001:db8:7::2"), "28P01", "locked for the whole /64")
        assert log_in(account.name, PASSWORD, "2001:db8:8::2").startswith("pgc_"), "not for others"


@test("an operator unlocks an account; others cannot")
def _():
    account = Account()
    for _ in range(6):
        log_in(account.name, WRONG)
    equal(log_in(account.name, PASSWORD), "28P01", "locked")
    with client() as thief:
        fails("42501", thief.execute, "SELECT chat.admin_unlock_user(%s)", (account.id,))
    with service() as operator:
        equal(value(operator, "SELECT chat.admin_unlock_user(%s)", account.id), True, "there was something to forget")
        equal(value(operator, "SELECT chat.admin_unlock_user(%s)", account.id), False, "and then nothing")
    assert log_in(account.name, PASSWORD).startswith("pgc_"), "unlocked"


@test("re-authenticating counts like logging in")
def _():
    account = Account()
    with connect() as admin:
        for _ in range(5):
            admin.execute("BEGIN")
            value(admin, "SELECT chat_private.set_identity(%s, 'user', NULL, true)", account.id)
            fails("28P01", admin.execute, "SELECT chat_private.reauthenticate(%s)", (WRONG,))
            admin.execute("ROLLBACK")
        equal(log_in(account.name, PASSWORD), "28P01", "locked")


@test("no more sessions hash at once than pgchat.max_concurrent_hashes; cancelled and terminated ones leave their place")
def _():
    many = "SELECT count(chat_private.hash_password(n::text || ' password')) FROM generate_series(1, 1000) n"
    for places in 1, 3:
        with settings(pgchat__bcrypt_cost="10", pgchat__max_concurrent_hashes=str(places)), connect() as admin:
            sessions = [connect() for _ in range(6)]
            pids = [session.info.backend_pid for session in sessions]
            tasks = [Task(value, session, many) for session in sessions]
            time.sleep(0.3)
            at_work = []
            for _ in range(31):
                at_work.append(value(admin, "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY (%s) AND wait_event IS NULL", pids))
                time.sleep(0.02)
            diag(f"{places} places: at work {sorted(at_work)}")
            equal(statistics.median(at_work), places, "sessions at work")
            # Whoever waits can be cancelled, and whoever hashes or waits can go.
            for number, pid in enumerate(pids):
                value(admin, f"SELECT {'pg_cancel_backend' if number % 2 else 'pg_terminate_backend'}(%s)", pid)
            for task in tasks:
                try:
                    task.result(10)
                    raise AssertionError("it went on")
                except psycopg.OperationalError as error:
                    assert error.sqlstate in ("57014", "57P01", None), error
            admin.execute("SET statement_timeout = '5s'")
            for _ in range(places + 1):
                value(admin, "SELECT chat_private.hash_password('some password')")


@test("hashes of other makes and costs let in, and are made anew at the cost of today")
def _():
    with connect() as admin, settings(pgchat__bcrypt_cost="6"):
        for kind in "a", "b", "y":
            for cost in 4, 5, 6, 7:
                account = Account()
                made = value(admin, "SELECT chat.bcrypt_hash(%s, %s)", PASSWORD, cost)
                admin.execute("UPDATE chat_private.credentials SET password_hash = %s WHERE user_id = %s",
                              (f"$2{kind}{made[3:]}", account.id))
                equal(log_in(account.name, WRONG), "28P01")
                assert log_in(account.name, PASSWORD).startswith("pgc_"), (kind, cost)
                now = value(admin, "SELECT password_hash FROM chat_private.credentials WHERE user_id = %s", account.id)
                equal(now[4:6], "06", f"cost, from {kind} {cost}")
                assert log_in(account.name, PASSWORD).startswith("pgc_"), "and again"


run()
