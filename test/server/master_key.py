#!/usr/bin/python3
"""The master key is changed while everything goes on, and nothing sealed is lost, whatever is killed meanwhile."""

import contextlib
import os
import signal
import time

import psycopg

from support import mock
from support.cluster import control, private, start
from support.database import Person, connect, engine, fails, role, rows, service, value
from support.databases import use, wait_for_engine, wait_for_server
from support.keyed import KeyedProvider
from support.tap import Task, diag, equal, run, test, wait_until
from support.webhook import SECRET, deliver, event

SEALED = """
  SELECT encode(substr(sealed, 2, 8), 'hex') AS key_id, count(*)
  FROM (SELECT sealed_key FROM chat_private.totp_factors UNION ALL SELECT sealed_private FROM chat_private.signing_keys
        UNION ALL SELECT sealed_key FROM chat_private.api_key_secrets UNION ALL SELECT sealed_key FROM chat_private.provider_keys
        UNION ALL SELECT sealed_secret FROM chat_private.webhook_secrets) s (sealed)
  GROUP BY 1"""
STATUS = "SELECT to_jsonb(s) FROM chat.admin_master_key_status() s"
ROTATE = "SELECT to_jsonb(s) FROM chat.admin_rotate_master_key(%s) s"


def register(provider, name="keyed"):
    with connect() as admin:
        value(admin, "SELECT chat.admin_register_provider(%s, 'openai', %s)", name, provider.base_url)
        value(admin, "SELECT chat.admin_set_provider_key(%s, %s)", name, f"sk-provider-{name}")
    mock.register_model(name, name)


def add_keys(count):
    """So many keys of a new user, sealed as chat.set_api_key seals them."""
    person = Person("many")
    with connect() as admin:
        admin.execute("""
            WITH made AS (
              INSERT INTO chat.api_keys (user_id, provider_id, name, is_active)
              SELECT %s, p.id, 'n' || n, false FROM chat.providers p, generate_series(1, %s) n WHERE p.name = 'keyed' RETURNING *)
            INSERT INTO chat_private.api_key_secrets (user_id, id, provider_id, sealed_key)
            SELECT user_id, id, provider_id, chat_private.seal('api_key:' || provider_id, user_id, id, 'sk-many') FROM made""", (person.id, count))
    return person


def keys_in(file):
    return file.read_text().split()


def last_key(provider, person, model="keyed"):
    person.value("SELECT chat.llm_complete('x', %s)", model)
    return provider.last()


def wait_until_rotated(file, seconds=30.0):
    """Waits until one key is left; gives its id."""
    wait_until(lambda: len(keys_in(file)) == 1, "one key is left", seconds)
    with connect() as admin:
        # The engine of another database may have dropped the old one, and be about to tell this one.
        wait_until(lambda: value(admin, STATUS)["old_keys"] == 0, "the engine has read it", seconds)
        state = value(admin, STATUS)
    equal((state["old_keys"], state["rows_left"], state["rows_unreadable"]), (0, 0, 0), "status")
    return state["key_id"]


@test("all that is sealed is sealed anew, while sessions go on using it, and the old key then goes")
def _():
    with private("master-key") as folder, KeyedProvider() as provider, connect() as admin:
        file = folder / "data/pgchat_master.key"
        register(provider)
        person = Person("owner")
        person.value("SELECT chat.set_api_key('keyed', 'sk-own')")
        person.value("SELECT secret FROM chat.totp_enroll()")
        token = person.value("SELECT chat.issue_jwt()")
        value(admin, "SELECT chat.admin_import_signing_key('HS256', %s)", os.urandom(32))
        value(admin, "SELECT chat.admin_set_webhook_secret('stripe', %s)", SECRET)
        add_keys(1000)
        before = dict(rows(admin, SEALED))
        equal(len(before), 1)
        stop, used = [], []

        def go_on():
            with connect(user=role("pgchat_client")) as mine:
                value(mine, "SELECT chat.authenticate(%s, false)", person.token)
                while not stop:
                    value(mine, "SELECT chat.llm_complete('x', 'keyed')")
                    used.append(provider.last())
                    value(mine, "SELECT chat.issue_jwt()")
                    value(mine, "SELECT chat.set_api_key('keyed', 'sk-own-again')")

        busy = Task(go_on)
        wait_until(lambda: len(used) > 2, "the session is busy")
        began = time.monotonic()
        state = value(admin, ROTATE, 20_000)
        diag(f"{state['rows_resealed']} rows in {time.monotonic() - began:.2f} s")
        key_id = wait_until_rotated(file)
        stop.append(True)
        busy.result()
        assert set(used) <= {"Bearer sk-own", "Bearer sk-own-again"}, set(used)
        assert key_id not in before, "a new key"
        equal([found for found, _ in rows(admin, SEALED)], [key_id], "all is sealed with it")
        equal(file.stat().st_mode & 0o7777, 0o600)
        assert state["rows_resealed"] >= 1000, state
        assert last_key(provider, person).startswith("Bearer sk-own")
        with service() as operator:
            value(operator, "SELECT chat.llm_complete('x', 'keyed')")
            equal(provider.last(), "Bearer sk-provider-keyed")
            equal(deliver(operator, event("payout.paid", 1, {})), "ignored", "a webhook")
        with connect(user=role("pgchat_client")) as client:
            equal(value(client, "SELECT chat.authenticate_jwt(%s)", token), person.id, "tokens of before")
        equal(value(admin, "SELECT outcome FROM chat.audit_log WHERE action = 'admin.rotate_master_key'"), "success")
        # With a new engine, which has opened nothing yet.
        control("restart", folder)
        wait_for_engine()
        with person.connect() as again:
            value(again, "SELECT chat.llm_complete('x', 'keyed')")
            assert provider.last().startswith("Bearer sk-own")
            value(again, "SELECT chat.issue_jwt()")


@test("killed with -9 at any point, the engine or the server, the change goes on by itself and loses nothing")
def _():
    with private("master-key", fsync="off") as folder, KeyedProvider() as provider:
        file = folder / "data/pgchat_master.key"
        register(provider)
        add_keys(6000)
        person = Person("owner")
        person.value("SELECT chat.set_api_key('keyed', 'sk-own')")
        with connect() as admin:
            total = sum(count for _, count in rows(admin, SEALED))
        unfinished = 0
        for crash in range(8):
            with contextlib.suppress(psycopg.Error), connect() as admin:
                value(admin, ROTATE, 0)
                time.sleep(0.02 * crash)
                if crash % 2 == 0:
                    pid = engine(admin)["pid"]
                    os.kill(pid, signal.SIGKILL)
            if crash % 2 == 0:
                wait_for_server()
                unfinished += len(keys_in(file)) > 1
                wait_for_engine(other_than=pid)
            else:
                control("stop", folder, "immediate")
                unfinished += len(keys_in(file)) > 1
                start(folder)
                wait_for_engine()
            key_id = wait_until_rotated(file)
            with connect() as admin:
                equal(rows(admin, SEALED), [(key_id, total)], f"after crash {crash}")
            with person.connect() as again:
                value(again, "SELECT chat.llm_complete('x', 'keyed')")
                equal(provider.last(), "Bearer sk-own", f"after crash {crash}")
        diag(f"{unfinished} of 8 crashes with both keys in the file")
        assert unfinished >= 1, "no crash came while there was something to do"
        with connect() as admin:
            state = value(admin, ROTATE, 30_000)
        equal((state["rows_resealed"], state["rows_left"], state["rows_unreadable"]), (total, 0, 0), "every one of them can still be opened")


@test("the old key stays while a transaction that has sealed with it is open, and while another database needs it")
def _():
    with private("master-key") as folder, KeyedProvider() as provider, connect() as admin:
        file = folder / "data/pgchat_master.key"
        register(provider)
        person, other = Person("owner"), Person("other")
        with connect(dbname="postgres") as super_user:
            super_user.execute("CREATE DATABASE check_second")
        use("check_second")
        with connect() as second:
            second.execute("CREATE EXTENSION pgchat")
            wait_for_engine()
            register(provider, "keyed-second")
            second_person = Person("owner")
            second_person.value("SELECT chat.set_api_key('keyed-second', 'sk-own-second')")
        use("check_private")

        equal(last_key(provider, other), "Bearer sk-provider-keyed")
        late = person.connect()
        late.execute("BEGIN")
        value(late, "SELECT chat.set_api_key('keyed', 'sk-own-late')")
        state = value(admin, ROTATE, 500)
        equal(state["old_keys"], 1, "somebody may still store what it sealed")
        equal(len(keys_in(file)), 2)
        other.value("SELECT chat.set_api_key('keyed', 'sk-own-other')")
        late.execute("COMMIT")
        wait_until_rotated(file)
        equal(last_key(provider, person), "Bearer sk-own-late")
        equal(last_key(provider, other), "Bearer sk-own-other")

        use("check_second")
        late = second_person.connect()
        late.execute("BEGIN")
        value(late, "SELECT chat.set_api_key('keyed-second', 'sk-own-later')")
        use("check_private")
        state = value(admin, ROTATE, 5_000)
        equal((state["rows_left"], state["old_keys"]), (0, 1), "this database is done, the other is not")
        time.sleep(0.5)
        equal(len(keys_in(file)), 2)
        late.execute("COMMIT")
        wait_until_rotated(file)
        use("check_second")
        equal(last_key(provider, second_person, "keyed-second"), "Bearer sk-own-later", "in the other database")
        with connect() as second:
            equal(len(rows(second, SEALED)), 1)
        use("check_private")
        equal(last_key(provider, person), "Bearer sk-own-late")


@test("where a command gives the keys, the first seals, the others open, and changing seals anew")
def _():
    with private("master-key") as folder, KeyedProvider() as provider, connect() as admin:
        file, command = folder / "data/pgchat_master.key", folder / "keys"

        def print_keys(*keys):
            command.write_text("".join(key + "\n" for key in keys))
            command.chmod(0o644)

        print_keys("1" * 64)
        admin.execute(f"ALTER SYSTEM SET pgchat.master_key_command = 'cat \"{command}\"'")
        admin.execute("SELECT pg_reload_conf()")
        register(provider)
        person = Person("owner")
        wait_until(lambda: value(admin, "SELECT setting FROM pg_settings WHERE name = 'pgchat.master_key_command'"), "the setting is read")
        time.sleep(0.5)
        register(provider)
        person.value("SELECT chat.set_api_key('keyed', 'sk-own')")
        file.unlink(missing_ok=True)
        fails("F0000", value, admin, ROTATE, 0, hint=True)
        print_keys("2" * 64, "1" * 64)
        state = value(admin, ROTATE, 10_000)
        equal((state["rows_resealed"], state["rows_left"], state["old_keys"]), (2, 0, 1))
        equal([found for found, _ in rows(admin, SEALED)], [state["key_id"]])
        equal(last_key(provider, person), "Bearer sk-own")
        print_keys("2" * 64)
        admin.execute("SELECT pg_reload_conf()")
        wait_until(lambda: value(admin, STATUS)["old_keys"] == 0, "the old one is gone")
        equal(value(admin, STATUS)["key_id"], state["key_id"])
        equal(last_key(provider, person), "Bearer sk-own")
        assert not file.exists(), "no file is made beside a command"


@test("a key file that is missing, open to others, or cannot be replaced: PC201 with a hint, for what needs it; the server runs on")
def _():
    with private("master-key") as folder, KeyedProvider() as provider, connect() as admin:
        file = folder / "data/pgchat_master.key"
        register(provider)
        person, other = Person("owner"), Person("other")
        person.value("SELECT chat.set_api_key('keyed', 'sk-own')")
        value(admin, "SELECT chat.admin_delete_provider_key('keyed')")
        good = file.read_text()

        def outcome(statement="SELECT chat.llm_complete('x', 'keyed')", who=person):
            try:
                return who.value(statement)
            except psycopg.Error as error:
                assert error.diag.message_hint, error
                return error.sqlstate

        def reload(wanted):
            admin.execute("SELECT pg_reload_conf()")
            wait_until(lambda: outcome() == wanted, f"{wanted}; got {outcome()}")
            equal(outcome(who=other), "seen", "who needs no key goes on")

        reload("seen")
        for spoil, sqlstate in [(lambda: file.chmod(0o644), "PC201"), (lambda: file.write_text("x" * 64), "PC201"),
                                (lambda: file.write_text("0" * 64), "PC202"), (file.unlink, "PC201")]:
            spoil()
            reload(sqlstate)
            if file.exists() and sqlstate == "PC201":
                equal(outcome("SELECT chat.set_api_key('keyed', 'sk-new', 'new')"), "PC201")
                fails("PC201", value, admin, ROTATE, 0, hint=True)
                fails("PC201", value, admin, STATUS, hint=True)
            file.unlink(missing_ok=True)
            file.write_text(good)
            os.chown(file, (folder / "data").stat().st_uid, (folder / "data").stat().st_gid)
            file.chmod(0o600)
            reload("seen")
        equal(provider.last(), None, "the other's, without a key")
        target = folder / "data/elsewhere.key"
        file.rename(target)
        file.symlink_to(target)
        error = fails("PC201", value, admin, ROTATE, 0, hint=True)
        assert "symbolic link" in str(error), error
        equal(outcome(), "seen")
        equal(len(keys_in(target)), 1)


@test("a lost key file is not replaced: what is stored keeps waiting for the copy, and what no key here has sealed is counted")
def _():
    with private("master-key") as folder, KeyedProvider() as provider:
        file, copy = folder / "data/pgchat_master.key", folder / "copy"
        with connect() as admin:
            value(admin, "SELECT chat.admin_register_provider('keyed', 'openai', %s)", provider.base_url)
            for statement, arguments in [(STATUS, ()), (ROTATE, (0,))]:
                fails("PC201", value, admin, statement, *arguments, hint=True)
                assert not file.exists(), "no key is made to look at it, or to change it"
        register(provider)
        person = Person("owner")
        person.value("SELECT chat.set_api_key('keyed', 'sk-own')")
        equal(last_key(provider, person), "Bearer sk-own")
        equal(len(keys_in(file)), 1, "made for the first secret")
        set_key = "SELECT chat.admin_set_provider_key('keyed', 'sk-new')"
        lost = "the master key file does not exist, and secrets are stored that were sealed with it"

        def is_refused():
            with connect() as admin:
                for statement, arguments in [(STATUS, ()), (ROTATE, (0,)), (set_key, ())]:
                    error = fails("PC201", value, admin, statement, *arguments, hint=True)
                equal(error.diag.message_primary, lost)
            assert not file.exists(), "none is made"

        def restart():
            control("restart", folder)
            wait_for_engine()

        file.rename(copy)
        restart()
        is_refused()
        copy.rename(file)
        with connect() as admin:
            admin.execute("SELECT pg_reload_conf()")
            wait_until(lambda: value(admin, STATUS)["rows_unreadable"] == 0, "the copy is back")
        with person.connect() as again:
            wait_until(lambda: value(again, "SELECT chat.llm_complete('x', 'keyed')") and provider.last() == "Bearer sk-own", "it opens the key")
        # Lost while the engine runs, and with nothing stored: it has sealed with the key, and somebody may be about to store that.
        file.rename(copy)
        with connect() as admin:
            admin.execute("SELECT pg_reload_conf()")
            admin.execute("DELETE FROM chat_private.api_key_secrets")
            admin.execute("DELETE FROM chat_private.provider_keys")
        time.sleep(0.5)
        is_refused()
        restart()
        with connect() as admin:
            value(admin, set_key)
            assert file.read_text() != copy.read_text(), "with the secrets removed, and a new engine, another key is made"
            equal(value(admin, STATUS)["rows_unreadable"], 0)
            # Another key is put in place by hand.
            file.write_text("a" * 64)
            admin.execute("SELECT pg_reload_conf()")
            wait_until(lambda: value(admin, STATUS)["rows_unreadable"] == 1, "what another key has sealed is counted")
            state = value(admin, ROTATE, 10_000)
            equal((state["rows_resealed"], state["rows_left"], state["rows_unreadable"]), (0, 0, 1))
            value(admin, set_key)
            equal(value(admin, STATUS)["rows_unreadable"], 0, "set anew")


run()
