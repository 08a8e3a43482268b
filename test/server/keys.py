#!/usr/bin/python3
"""Whose key a call is made with, and that nobody but the engine ever holds one."""

import contextlib
import pathlib
import time
import uuid

import psycopg

from support import canaries, memory, mock
from support.cluster import private
from support.database import Person, connect, fails, role, service, value
from support.databases import engine_pid
from support.keyed import KeyedProvider
from support.tap import Skip, diag, equal, run, test, wait_until


def register(provider, name="keyed", auth_type="bearer", **options):
    """A provider of that name with one model of the same name."""
    with connect() as admin:
        value(admin, "SELECT chat.admin_register_provider(%s, 'openai', %s, %s, %s)", name, provider.base_url, auth_type,
              psycopg.types.json.Jsonb(options))
    mock.register_model(name, name)


def own_key(person, key, provider="keyed", name=None):
    return person.value("SELECT chat.set_api_key(%s, %s, %s)", provider, key, name)


def ask(person, model="keyed"):
    return person.value("SELECT chat.llm_complete('hello', %s)", model)


def key_of_call(provider, person, model="keyed"):
    """The key that the provider gets of a call."""
    ask(person, model)
    return provider.last()


def key_of_service(provider, model="keyed"):
    with service() as operator:
        value(operator, "SELECT chat.llm_complete('hello', %s)", model)
    return provider.last()


@test("the user's key comes before the provider's, and that before the environment's, whose names are tried in order")
def _():
    with private("keys", environment={"CHECK_SECOND_API_KEY": "sk-environment-2", "CHECK_THIRD_API_KEY": "sk-environment-3"}), \
            KeyedProvider() as provider, connect() as admin:
        register(provider, api_key_env="CHECK_FIRST_API_KEY")
        person, other = Person("owner"), Person("other")
        equal(key_of_call(provider, person), None, "there is none")
        register(provider, api_key_env="PGDATA")
        fails("F0000", key_of_call, provider, person, hint=True)
        register(provider, api_key_env=["CHECK_FIRST_API_KEY", "CHECK_SECOND_API_KEY", "CHECK_THIRD_API_KEY"])
        equal(key_of_call(provider, person), "Bearer sk-environment-2", "the environment's")
        value(admin, "SELECT chat.admin_set_provider_key('keyed', 'sk-provider')")
        equal(key_of_call(provider, person), "Bearer sk-provider", "the provider's")
        first = own_key(person, "sk-own-first")
        equal(key_of_call(provider, person), "Bearer sk-own-first", "the user's own")
        equal(key_of_call(provider, other), "Bearer sk-provider", "which is nobody else's")
        equal(key_of_service(provider), "Bearer sk-provider", "nor the service's")
        second = own_key(person, "sk-own-second", name="second")
        equal(key_of_call(provider, person), "Bearer sk-own-second", "the last that was set")
        person.value("SELECT chat.activate_api_key(%s)", first)
        equal(key_of_call(provider, person), "Bearer sk-own-first", "the one that was chosen")
        admin.execute("INSERT INTO chat.settings (key, value) VALUES ('user_keys_allowed', 'false')")
        equal(key_of_call(provider, person), "Bearer sk-provider", "while own keys are not allowed")
        admin.execute("DELETE FROM chat.settings WHERE key = 'user_keys_allowed'")
        equal(key_of_call(provider, person), "Bearer sk-own-first", "and again")
        person.value("SELECT chat.delete_api_key(%s)", first)
        equal(key_of_call(provider, person), "Bearer sk-provider", "after removing it no other is chosen")
        person.value("SELECT chat.activate_api_key(%s)", second)
        with person.connection.transaction(force_rollback=True):
            own_key(person, "sk-own-undone")
        equal(key_of_call(provider, person), "Bearer sk-own-second", "what was rolled back was never set")
        value(admin, "SELECT chat.admin_delete_provider_key('keyed')")
        equal(key_of_call(provider, other), "Bearer sk-environment-2", "without the provider's key")
        for auth_type, wanted in ("x_api_key", "sk-own-second"), ("api_key", "sk-own-second"), ("query", None), ("none", None):
            register(provider, auth_type=auth_type)
            equal(key_of_call(provider, person), wanted, auth_type)
            equal(provider.paths[-1].endswith("?key=sk-own-second"), auth_type == "query", auth_type)


@test("the key is used on every path, and when it was is noted at once and then once a minute at most")
def _():
    with private("keys") as folder, KeyedProvider() as provider:
        register(provider)
        person = Person("owner")
        own_key(person, "sk-own")
        last_used = "SELECT last_used_at FROM chat.list_api_keys()"
        equal(person.value(last_used), None)
        equal(key_of_call(provider, person), "Bearer sk-own")
        first = wait_until(lambda: person.value(last_used), "the use is noted", 5)
        for call in ("SELECT chat.llm_complete_json('x', 'keyed')", "SELECT chat.llm_result(chat.llm_submit('x', 'keyed'), 0)",
                     "SELECT chat.ask(chat.create_conversation(model => 'keyed'), 'x')"):
            before = len(provider.keys)
            person.value(call)
            wait_until(lambda: len(provider.keys) > before, call)
            equal(provider.last(), "Bearer sk-own", call)
        time.sleep(0.5)
        equal(person.value(last_used), first, "not with every call")


def swap(admin, table, column, row_a, row_b):
    """Exchanges a column's content between two rows, each given as a condition."""
    a, b = (value(admin, f"SELECT {column} FROM {table} WHERE {row}") for row in (row_a, row_b))
    admin.execute(f"UPDATE {table} SET {column} = CASE WHEN {row_a} THEN %s ELSE %s END WHERE {row_a} OR {row_b}", (b, a))


@test("a sealed key that was moved to another row, user, provider or column is not used: PC202, for these calls only")
def _():
    with private("keys"), KeyedProvider() as provider, connect() as admin:
        for name in "keyed", "other":
            register(provider, name)
            value(admin, "SELECT chat.admin_set_provider_key(%s, %s)", name, f"sk-provider-{name}")
        ids = {name: value(admin, "SELECT id FROM chat.providers WHERE name = %s", name) for name in ("keyed", "other")}
        alice, bob = Person("alice"), Person("bob")
        alices = {name: own_key(alice, f"sk-alice-{name}", name) for name in ids}
        bobs = own_key(bob, "sk-bob-keyed")

        def reread():
            # The engine keeps what it has opened, until something changes.
            for person in alice, bob:
                with person.connection.transaction():
                    person.value("SELECT chat.delete_api_key(%s)", own_key(person, "sk-unused", "other", "unused"))
                    person.connection.execute("SELECT chat.activate_api_key(id) FROM chat.list_api_keys() WHERE provider = 'other'")

        def ends_with(person, model, sqlstate):
            error = fails(sqlstate, ask, person, model, hint=True)
            assert "sk-" not in str(error), error

        def swap_secrets(row_a, row_b):
            swap(admin, "chat_private.api_key_secrets", "sealed_key", f"id = '{row_a}'", f"id = '{row_b}'")
            reread()

        equal(key_of_call(provider, alice), "Bearer sk-alice-keyed")
        swap_secrets(alices["keyed"], bobs)
        for person in alice, bob:
            ends_with(person, "keyed", "PC202")
        equal(key_of_call(provider, alice, "other"), "Bearer sk-alice-other", "another provider's goes on")
        equal(key_of_service(provider), "Bearer sk-provider-keyed", "and so do others")
        swap_secrets(alices["keyed"], bobs)
        equal(key_of_call(provider, bob), "Bearer sk-bob-keyed", "put back")

        swap_secrets(alices["keyed"], alices["other"])
        for name in ids:
            ends_with(alice, name, "PC202")
        swap_secrets(alices["keyed"], alices["other"])

        # A key sent to another provider would be given away.
        move = "UPDATE chat.api_keys SET provider_id = %s, is_active = true WHERE id = %s"
        admin.execute("UPDATE chat.api_keys SET is_active = false WHERE user_id = %s", (alice.id,))
        admin.execute("UPDATE chat.api_keys SET name = 'moved', provider_id = %s, is_active = true WHERE id = %s", (ids["other"], alices["keyed"]))
        ends_with(alice, "other", "PC202")
        admin.execute(move, (ids["keyed"], alices["keyed"]))
        equal(key_of_call(provider, alice), "Bearer sk-alice-keyed", "put back")

        swap(admin, "chat_private.provider_keys", "sealed_key", f"provider_id = '{ids['keyed']}'", f"provider_id = '{ids['other']}'")
        with service() as operator:
            for name in ids:
                fails("PC202", value, operator, "SELECT chat.llm_complete('x', %s)", name, hint=True)
        equal(key_of_call(provider, alice), "Bearer sk-alice-keyed", "who has their own needs no other")
        swap(admin, "chat_private.provider_keys", "sealed_key", f"provider_id = '{ids['keyed']}'", f"provider_id = '{ids['other']}'")
        equal(key_of_service(provider), "Bearer sk-provider-keyed")

        # Another column, with the same ids.
        admin.execute("UPDATE chat_private.provider_keys SET sealed_key = (SELECT sealed_key FROM chat_private.api_key_secrets WHERE id = %s)"
                      " WHERE provider_id = %s", (bobs, ids["keyed"]))
        with service() as operator:
            fails("PC202", value, operator, "SELECT chat.llm_complete('x', 'keyed')", hint=True)
            reply = value(operator, "SELECT chat.llm_submit('x', 'keyed')")
            wait_until(lambda: (value(operator, "SELECT chat.llm_result(%s) -> 'error' ->> 'sqlstate'", reply)) == "PC202", "a durable call too")


class Canaries:
    """Keys that occur nowhere else."""

    def __init__(self):
        self.own, self.shared, self.refused = (f"sk-Canary{uuid.uuid4().hex}" for _ in range(3))
        self.needles = {"own": self.own.encode(), "shared": self.shared.encode(), "refused": self.refused.encode()}


def set_and_use(canary, provider):
    """Sets both keys by bound parameters, on connections of their own, and calls; gives the caller's connection and the errors met."""
    errors = []
    with service() as operator:
        value(operator, "SELECT chat.admin_set_provider_key('keyed', %s)", canary.shared)
    person = Person("canary")
    setter = person.connect()
    value(setter, "SELECT chat.set_api_key('keyed', %s)", canary.own)
    for bad in canary.refused + "\n", canary.refused + "ü", canary.refused + "x" * 4096:
        with contextlib.suppress(psycopg.Error):
            try:
                value(setter, "SELECT chat.set_api_key('keyed', %s)", bad)
            except psycopg.Error as error:
                errors.append(" ".join(filter(None, (str(error), error.diag.message_detail, error.diag.context))))
                raise
    setters = [setter.info.backend_pid]
    setter.close()
    equal(key_of_call(provider, person), f"Bearer {canary.own}")
    equal(key_of_service(provider), f"Bearer {canary.shared}")
    return person, setters, errors


@test("a key is in no dump, WAL, table file, server log, statistics view, setting or error")
def _():
    with private("keys", **canaries.SETTINGS) as folder, KeyedProvider() as provider, connect() as admin:
        with contextlib.suppress(psycopg.errors.UndefinedFile):
            admin.execute("CREATE EXTENSION pg_stat_statements")
        register(provider)
        canary = Canaries()
        person, _, errors = set_and_use(canary, provider)
        waiting = connect(user=role("pgchat_client"))
        value(waiting, "SELECT chat.authenticate(%s, false)", person.token)
        value(waiting, "SELECT chat.set_api_key('keyed', %s, 'second')", canary.own)
        activity = canaries.activity_of_others(admin)
        found = canaries.places(admin, folder / "data", activity)
        found["pg_settings"] = "\n".join(str(row) for row in admin.execute("SELECT * FROM pg_settings").fetchall()).encode()
        found["api"] = str(person.rows("SELECT * FROM chat.list_api_keys()") + person.rows("SELECT * FROM chat.api_keys")
                           + person.rows("SELECT chat.export_my_data()")).encode()
        last_four = canary.own[-4:].encode()
        signs = {"dump": last_four, "wal": last_four, "tables": last_four, "log": b"SELECT chat.set_api_key('keyed', $1)",
                 "pg_stat_activity": b"chat.set_api_key(", "pg_stat_statements": b"chat.set_api_key(",
                 "pg_settings": b"pgchat.master_key_file", "api": last_four}
        canaries.check_absent(found, list(canary.needles.values()), signs)
        equal(len(errors), 3, "refusals")
        assert not any("Canary" in error for error in errors), errors
        diag(", ".join(f"{place} {len(content) // 1024} kB" for place, content in found.items()))


@test("a key is in the memory of the engine, and of no other process once the session that set it has gone; shared memory included")
def _():
    # With DSM in the main segment, which is not given back when a session ends.
    with private("keys", min_dynamic_shared_memory="4MB") as folder, KeyedProvider() as provider, connect() as admin:
        register(provider)
        canary = Canaries()
        person, setters, _ = set_and_use(canary, provider)
        wait_until(lambda: not value(admin, "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY (%s)", setters), "the setter has gone")
        # Whoever sets many has their keys all over the queue, also where it begins again.
        with person.connect() as busy:
            for n in range(40):
                value(busy, "SELECT chat.set_api_key('keyed', %s, %s)", canary.own[:-3] + "x" * 3000, f"n{n % 3}")
            pids = [busy.info.backend_pid]
        wait_until(lambda: not value(admin, "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY (%s)", pids), "and the busy one")
        needles = {**canary.needles, "long": canary.own[:-3].encode()}
        engine = engine_pid("check_private")
        own = memory.holds(engine, needles)
        if own is None:
            raise Skip("the engine's memory cannot be read")
        assert "shared" in own, f"the engine holds {own}"
        looked_at = 0
        for pid in memory.processes_of(folder / "data"):
            if pid == engine:
                continue
            found = memory.holds(pid, needles)
            if found is not None:
                equal(found, [], f"process {pid}: {pathlib.Path(f'/proc/{pid}/cmdline').read_bytes()[:80]!r}")
                looked_at += 1
        assert looked_at >= 5, looked_at
        diag(f"{looked_at} processes, the caller's among them: {person.connection.info.backend_pid}")


run()
