#!/usr/bin/python3
"""What ends a session ends it at the next statement of every connection that is using it."""

import contextlib
import time

from support.database import PASSWORD, Person, connect, fails, role, rows, value
from support.tap import Task, equal, run, test, wait_until

WHO = "SELECT chat.current_user_id()"
MINE = "SELECT count(*) FROM chat.conversations"
LOGIN = "SELECT session_token FROM chat.login(%s, %s)"


def person():
    """A person with a conversation and one warm connection."""
    someone = Person("revoked")
    someone.conversation()
    return someone


def client(token=None):
    connection = connect(user=role("pgchat_client"))
    if token:
        value(connection, "SELECT chat.authenticate(%s, false)", token)
    return connection


def session_of(admin, someone):
    return value(admin, "SELECT id FROM chat.sessions WHERE user_id = %s ORDER BY id DESC LIMIT 1", someone.id)


def in_force(connection, someone):
    equal((value(connection, WHO), value(connection, MINE)), (someone.id, 1), "in force")


def ended(connection):
    equal((value(connection, MINE), value(connection, WHO), value(connection, "SELECT chat.current_user_role()")), (0, None, None), "ended")
    fails("28000", connection.execute, "SELECT chat.create_conversation()")


@test("disabling a user, ending a session and deleting an account bite at the next statement of warm connections")
def _():
    with connect() as admin:
        for statement, undo in (
                ("UPDATE chat.users SET is_active = false WHERE id = %(user)s", "UPDATE chat.users SET is_active = true WHERE id = %(user)s"),
                ("DELETE FROM chat.sessions WHERE user_id = %(user)s AND id = %(session)s", None),
                ("UPDATE chat.sessions SET expires_at = now() WHERE user_id = %(user)s AND id = %(session)s", None),
                ("SELECT chat_private.end_sessions(%(user)s)", None),
                ("DELETE FROM chat.users WHERE id = %(user)s", None)):
            someone = person()
            names = {"user": someone.id, "session": session_of(admin, someone)}
            warm = [someone.connection] + [client(someone.token) for _ in range(3)]
            for connection in warm:
                in_force(connection, someone)
            admin.execute(statement, names)
            for connection in warm:
                ended(connection)
                fails("28000", connection.execute, "SELECT chat.authenticate(%s)", (someone.token,))
            if undo:
                admin.execute(undo, names)
                for connection in warm:
                    in_force(connection, someone)
            for connection in warm:
                connection.close()


@test("inside an open transaction too, of any isolation, and in parallel workers")
def _():
    with connect() as admin:
        for isolation in "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE":
            someone = person()
            with client(someone.token) as connection:
                connection.execute("SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;"
                                   " SET plan_cache_mode = force_generic_plan; SET enable_indexscan = off; SET enable_bitmapscan = off;"
                                   " SET enable_indexonlyscan = off")
                connection.execute(f"BEGIN ISOLATION LEVEL {isolation}")
                connection.execute(f"PREPARE mine AS {MINE}")
                plan = "\n".join(line for line, in rows(connection, "EXPLAIN EXECUTE mine"))
                if isolation != "SERIALIZABLE":
                    assert "Parallel" in plan, plan
                equal((value(connection, "EXECUTE mine"), value(connection, WHO)), (1, someone.id), "before")
                admin.execute("UPDATE chat.users SET is_active = false WHERE id = %s", (someone.id,))
                equal((value(connection, "EXECUTE mine"), value(connection, WHO)), (0, None), f"after, {isolation}")
                connection.execute("COMMIT")
                equal((value(connection, "EXECUTE mine"), value(connection, WHO)), (0, None), "and after COMMIT")


@test("a cursor that is open gives no further rows, nor does a loop over a query that has begun")
def _():
    with connect() as admin:
        someone = Person("fetching")
        for _ in range(3):
            someone.conversation()
        with someone.connect() as reader:
            for fetch in "FETCH 1 FROM mine", "FETCH ALL FROM mine", "MOVE 1 FROM mine":
                admin.execute("UPDATE chat.users SET is_active = true WHERE id = %s", (someone.id,))
                reader.execute("BEGIN")
                reader.execute("DECLARE mine CURSOR FOR SELECT id FROM chat.conversations")
                assert value(reader, "FETCH 1 FROM mine") is not None
                admin.execute("UPDATE chat.users SET is_active = false WHERE id = %s", (someone.id,))
                fails("28000", reader.execute, fetch, hint=True)
                reader.execute("ROLLBACK")
        for _ in range(100):
            admin.execute("INSERT INTO chat.conversations (user_id) VALUES (%s)", (someone.id,))
        admin.execute("UPDATE chat.users SET is_active = true WHERE id = %s", (someone.id,))
        with someone.connect() as looping:
            # A loop fetches 10 rows first, and later 50 at a time.
            loop = Task(fails, "28000", looping.execute,
                        "DO $$ DECLARE c record; BEGIN FOR c IN SELECT id FROM chat.conversations LOOP PERFORM pg_sleep(0.05); END LOOP; END $$")
            time.sleep(0.2)
            admin.execute("UPDATE chat.users SET is_active = false WHERE id = %s", (someone.id,))
            loop.result()


@test("what one connection has looked up counts for another, until anything is revoked")
def _():
    someone, other = person(), person()
    with connect() as admin:
        value(client(), "SELECT chat.authenticate(%s)", someone.token)
        # As nothing else can: without a word to anybody. Who looks does not find the session any more.
        admin.execute("SET session_replication_role = replica")
        admin.execute("DELETE FROM chat.sessions WHERE user_id = %s", (someone.id,))
        admin.execute("RESET session_replication_role")
        equal(value(client(), "SELECT chat.authenticate(%s)", someone.token), someone.id, "known")
        value(admin, "SELECT chat_private.end_sessions(%s)", other.id)
        fails("28000", client().execute, "SELECT chat.authenticate(%s)", (someone.token,))


@test("a revocation in a prepared transaction that another session commits")
def _():
    someone = person()
    with connect() as one, connect() as another:
        in_force(someone.connection, someone)
        one.execute("BEGIN")
        one.execute("UPDATE chat.users SET is_active = false WHERE id = %s", (someone.id,))
        one.execute("PREPARE TRANSACTION 'check_revocation'")
        in_force(someone.connection, someone)
        another.execute("COMMIT PREPARED 'check_revocation'")
        ended(someone.connection)


@test("a revocation that is rolled back ends nothing")
def _():
    with connect() as admin:
        someone = person()
        admin.execute("BEGIN")
        admin.execute("UPDATE chat.users SET is_active = false WHERE id = %s", (someone.id,))
        admin.execute("DELETE FROM chat.sessions WHERE user_id = %s", (someone.id,))
        in_force(someone.connection, someone)
        admin.execute("ROLLBACK")
        in_force(someone.connection, someone)
        # Nor does a session that was never committed become one by having been looked at.
        someone.connection.execute("BEGIN")
        token = someone.value(LOGIN, f"{someone.name}@example.com", PASSWORD)
        equal(someone.value("SELECT chat.authenticate(%s)", token), someone.id, "its own token, inside the transaction")
        someone.connection.execute("ROLLBACK")
        fails("28000", someone.value, "SELECT chat.authenticate(%s)", token)


@test("a role that is changed and changed back by ROLLBACK, or by a savepoint, is what it was")
def _():
    with connect() as admin:
        someone = person()
        session = session_of(admin, someone)
        role_now = "SELECT chat.current_user_role()"
        for back in "ROLLBACK TO s", "ROLLBACK":
            admin.execute("BEGIN")
            value(admin, "SELECT chat_private.set_identity(%s, 'user', %s, true)", someone.id, session)
            admin.execute("SAVEPOINT s")
            admin.execute("UPDATE chat.users SET role = 'admin' WHERE id = %s", (someone.id,))
            value(admin, "SELECT chat_private.set_identity(%s, 'admin', %s, true)", someone.id, session)
            equal(value(admin, role_now), "admin", "meanwhile")
            admin.execute(back)
            if back == "ROLLBACK":
                admin.execute("BEGIN")
                value(admin, "SELECT chat.authenticate(%s)", someone.token)
            equal(value(admin, role_now), "user", f"after {back}")
            admin.execute("ROLLBACK")


@test("within one transaction a deleted session's token is refused before COMMIT")
def _():
    someone = person()
    with client() as connection:
        equal(value(connection, "SELECT chat.authenticate(%s)", someone.token), someone.id, "known by now")
        connection.execute("BEGIN")
        value(connection, "SELECT chat.authenticate(%s)", someone.token)
        value(connection, "SELECT chat.logout()")
        fails("28000", connection.execute, "SELECT chat.authenticate(%s)", (someone.token,))
        connection.execute("ROLLBACK")
        equal(value(connection, "SELECT chat.authenticate(%s)", someone.token), someone.id, "after ROLLBACK it stands")


@test("a changed role is in force at the next statement")
def _():
    with connect() as admin:
        someone = person()
        admin.execute("UPDATE chat.users SET role = 'admin' WHERE id = %s", (someone.id,))
        equal(someone.value("SELECT chat.current_user_role()"), "admin", "promoted")
        someone.value("SELECT chat.admin_unlock_user(%s)", someone.id)
        admin.execute("UPDATE chat.users SET role = 'user' WHERE id = %s", (someone.id,))
        fails("42501", someone.value, "SELECT chat.admin_unlock_user(%s)", someone.id)
        equal(someone.value("SELECT chat.current_user_role()"), "user", "and demoted")


@test("ending all sessions but one spares that one, and ends signed tokens")
def _():
    with connect() as admin:
        someone = person()
        with client(value(someone.connection, LOGIN, f"{someone.name}@example.com", PASSWORD)) as other:
            spared = session_of(admin, someone)
            before = value(admin, "SELECT token_version FROM chat.users WHERE id = %s", someone.id)
            admin.execute("SELECT chat_private.end_sessions(%s, %s)", (someone.id, spared))
            in_force(other, someone)
            ended(someone.connection)
            equal(value(admin, "SELECT token_version FROM chat.users WHERE id = %s", someone.id), before + 1, "the version of tokens")


@test("a session ends when it is not used, and is kept by being used, also by reading only")
def _():
    with connect() as admin:
        someone = person()
        session = session_of(admin, someone)
        idle = "SELECT idle_expires_at - now() > interval '6 days 23 hours' FROM chat.sessions WHERE user_id = %s AND id = %s"
        equal(value(admin, idle, someone.id, session), True, "7 days from the login")
        # expires_at is named so that the change is announced: by itself, time does not pass for a session that is known for ten seconds.
        set_old = ("UPDATE chat.sessions SET last_activity_at = now() - interval '2 minutes', idle_expires_at = now() + interval '1 hour',"
                   " expires_at = expires_at WHERE user_id = %s AND id = %s")
        admin.execute(set_old, (someone.id, session))
        with client() as reader:
            reader.execute("BEGIN READ ONLY")
            value(reader, "SELECT chat.authenticate(%s)", someone.token)
            wait_until(lambda: value(admin, idle, someone.id, session), "a transaction that only reads put it off", 5)
            reader.execute("COMMIT")
        admin.execute("UPDATE chat.sessions SET idle_expires_at = now(), expires_at = expires_at WHERE user_id = %s AND id = %s", (someone.id, session))
        with client() as reader:
            fails("28000", reader.execute, "SELECT chat.authenticate(%s)", (someone.token,))
        admin.execute("UPDATE chat.sessions SET last_activity_at = now() - interval '2 minutes' WHERE user_id = %s", (someone.id,))
        time.sleep(0.2)
        equal(value(admin, "SELECT idle_expires_at <= now() FROM chat.sessions WHERE user_id = %s AND id = %s", someone.id, session), True,
              "what has ended is not put off")
        admin.execute("UPDATE chat.sessions SET expires_at = now() - interval '2 days' WHERE user_id = %s", (someone.id,))
        admin.execute("SET ROLE pgchat_engine")
        value(admin, "SELECT chat_private.tidy(1000)")
        admin.execute("RESET ROLE")
        equal(value(admin, "SELECT count(*) FROM chat.sessions WHERE user_id = %s", someone.id), 0, "and is removed a day later")


@test("two transactions of one session never wait for each other")
def _():
    with connect() as admin, contextlib.ExitStack() as stack:
        someone = person()
        admin.execute("UPDATE chat.sessions SET last_activity_at = now() - interval '2 minutes' WHERE user_id = %s", (someone.id,))
        one, two = (stack.enter_context(client()) for _ in range(2))
        for connection in one, two:
            connection.execute("SET statement_timeout = '3s'; BEGIN")
            equal(value(connection, "SELECT chat.authenticate(%s)", someone.token), someone.id, "authenticated")
        one.execute("COMMIT")
        two.execute("COMMIT")


@test("a session whose second factor is open is nobody")
def _():
    with connect() as admin:
        someone = person()
        session = session_of(admin, someone)
        admin.execute("UPDATE chat.sessions SET mfa_pending = true WHERE user_id = %s AND id = %s", (someone.id, session))
        ended(someone.connection)
        with client() as connection:
            connection.execute("BEGIN")
            equal(value(connection, "SELECT chat.authenticate(%s)", someone.token), None, "authenticate")
            ended_in = (value(connection, WHO), value(connection, MINE), value(connection, "SELECT current_setting('app.pending_user_id')"))
            equal(ended_in, (None, 0, str(someone.id)), "nobody, but it is known who it may be")
            connection.execute("COMMIT")
            equal(value(connection, "SELECT current_setting('app.pending_user_id')"), "", "until the transaction ends")
            for name in "app.pending_user_id", "app.pending_session_id", "app.current_token":
                fails("42501", connection.execute, f"SET {name} = '{someone.id}'")
        admin.execute("BEGIN")
        value(admin, "SELECT chat_private.act_as(%s)", someone.id)
        equal(value(admin, "SELECT chat_private.complete_session(%s, %s)", someone.id, session), True, "completed")
        equal(value(admin, "SELECT chat_private.complete_session(%s, %s)", someone.id, session), False, "once")
        admin.execute("COMMIT")
        in_force(someone.connection, someone)


@test("a session that expires ends for a warm connection, though nobody did anything")
def _():
    with connect() as admin:
        someone = person()
        for column in "expires_at", "idle_expires_at":
            admin.execute(f"UPDATE chat.sessions SET {column} = clock_timestamp() + interval '1 second' WHERE user_id = %s", (someone.id,))
            with client(someone.token) as connection:
                in_force(connection, someone)
                time.sleep(1.1)
                ended(connection)
            admin.execute(f"UPDATE chat.sessions SET {column} = clock_timestamp() + interval '1 day' WHERE user_id = %s", (someone.id,))


def refused_at_expiry(admin, someone, seconds):
    """Whether one statement that has authenticated before its session expires is refused once it has; None: it came too late for that."""
    ends = value(admin, "UPDATE chat.sessions SET expires_at = clock_timestamp() + make_interval(secs => %s) WHERE user_id = %s RETURNING expires_at",
                 seconds, someone.id)
    with client() as connection:
        connection.execute(f"""DO $$ BEGIN
            BEGIN
                PERFORM chat.authenticate('{someone.token}');
            EXCEPTION WHEN invalid_authorization_specification THEN
                RETURN;
            END;
            WHILE clock_timestamp() <= '{ends.isoformat()}' LOOP PERFORM pg_sleep(0.05); END LOOP;
            PERFORM set_config('check.refusal', 'none', false);
            PERFORM chat.authenticate('{someone.token}');
        EXCEPTION WHEN invalid_authorization_specification THEN
            PERFORM set_config('check.refusal', SQLSTATE, false);
        END $$""")
        return value(connection, "SELECT current_setting('check.refusal', true)")


@test("a session that expires during a statement is refused within it, though it was known when that began")
def _():
    someone = person()
    with connect() as admin:
        refusal = next(filter(None, (refused_at_expiry(admin, someone, seconds) for seconds in (1, 5, 25))))
    equal(refusal, "28000", "once expired")


run()
