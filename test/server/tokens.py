#!/usr/bin/python3
"""Signed tokens and refresh tokens between real sessions: races, ROLLBACK, warm connections, and secrets that stay secret."""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import subprocess
import threading
import time

from support.cluster import control
from support.database import PASSWORD, Person, connect, fails, role, rows, service, value
from support.databases import cluster, database, use, wait_for_engine
from support.tap import diag, equal, run, test, wait_until

HOME = os.environ["PGDATABASE"]
REFUSAL = "the token is not valid"
REFRESH = "SELECT access_token, refresh_token, expires_at FROM chat.refresh_jwt(%s)"


def client():
    return connect(user=role("pgchat_client"))


def refused(connection, query, *arguments):
    """The one answer that every bad token gets."""
    error = fails("28000", value, connection, query, *arguments, hint=True)
    equal(error.diag.message_primary, REFUSAL)
    return error


@contextlib.contextmanager
def new_database(name):
    """A database of its own, with an engine that runs."""
    with database(name):
        wait_for_engine()
        yield
    use(HOME)


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def hs256(secret, claims):
    """A token as any other library would make it."""
    signed = encoded(b'{"alg":"HS256","typ":"JWT"}') + "." + encoded(json.dumps(claims).encode())
    return signed + "." + encoded(hmac.new(secret, signed.encode(), hashlib.sha256).digest())


def claims_of(person, **more):
    return {"iss": "pgchat", "aud": "pgchat", "sub": str(person.id), "token_version": 1, "exp": int(time.time()) + 600, **more}


def audited(admin, action, session):
    return rows(admin, "SELECT outcome, details FROM chat.audit_log WHERE action = %s AND resource = %s ORDER BY id", action, f"session:{session}")


@test("of many requests that use one refresh token at the same time exactly one succeeds, and nobody loses the session")
def _():
    person = Person()
    token = person.value("SELECT chat.issue_refresh_token()")
    outcomes = []

    def refresh(connection, barrier):
        barrier.wait()
        try:
            outcomes.append(rows(connection, REFRESH, token)[0])
        except Exception as error:  # all of them are looked at below
            outcomes.append(error)

    for _round in range(10):
        outcomes.clear()
        barrier = threading.Barrier(8)
        connections = [client() for _ in range(8)]
        threads = [threading.Thread(target=refresh, args=(connection, barrier)) for connection in connections]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for connection in connections:
            connection.close()
        winners = [outcome for outcome in outcomes if isinstance(outcome, tuple)]
        equal((len(winners), len(outcomes)), (1, 8), "winners")
        for outcome in outcomes:
            if not isinstance(outcome, tuple):
                equal((outcome.sqlstate, outcome.diag.message_primary), ("28000", REFUSAL))
        with client() as connection:
            equal(value(connection, "SELECT chat.authenticate_jwt(%s)", winners[0][0]), person.id)
        token = winners[0][1]
    equal(person.value("SELECT chat.current_user_id()"), person.id, "the session stands")
    diag("10 rounds of 8 requests: one winner each")


@test("a refresh token in use waits: COMMIT refuses the second, ROLLBACK lets it through")
def _():
    person = Person()
    for ending, succeeds in ("ROLLBACK", True), ("COMMIT", False):
        token = person.value("SELECT chat.issue_refresh_token()")
        with client() as first, client() as second:
            first.execute("BEGIN")
            rows(first, REFRESH, token)
            result = []

            def other(token=token, second=second, result=result):
                try:
                    result.append(rows(second, REFRESH, token)[0])
                except Exception as error:  # looked at below
                    result.append(error)

            thread = threading.Thread(target=other)
            thread.start()
            with connect() as admin:
                wait_until(lambda: value(admin, "SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s", second.info.backend_pid) == "Lock",
                           "the second request waits")
            first.execute(ending)
            thread.join()
            equal(isinstance(result[0], tuple), succeeds, ending)


@test("using an old refresh token ends its session for good, whatever becomes of the transaction")
def _():
    for ending in "COMMIT", "ROLLBACK":
        person = Person()
        session = person.value("SELECT current_setting('app.current_session_id')")
        stolen = person.value("SELECT chat.issue_refresh_token()")
        with client() as connection, connect() as admin:
            access, second, _ = rows(connection, REFRESH, stolen)[0]
            access, third, _ = rows(connection, REFRESH, second)[0]
            equal(value(connection, "SELECT chat.authenticate_jwt(%s)", access), person.id)
            connection.execute("BEGIN")
            refused(connection, REFRESH, stolen)
            connection.execute(ending)
            for query, token in (REFRESH, third), (REFRESH, stolen), ("SELECT chat.authenticate_jwt(%s)", access):
                refused(connection, query, token)
            fails("28000", value, connection, "SELECT chat.authenticate(%s)", person.token)
            equal(person.value("SELECT chat.current_user_id()"), None, "a warm connection of that session")
            equal(audited(admin, "token.reuse", session), [("refused", {"session_ended": True})])
            equal(value(admin, "SELECT first_bad_id FROM chat.verify_audit_log()"), None)


@test("a second use within seconds is refused without consequence, and ends the session once the token after it was used")
def _():
    person = Person()
    session = person.value("SELECT current_setting('app.current_session_id')")
    first = person.value("SELECT chat.issue_refresh_token()")
    with client() as connection, connect() as admin:
        _, second, _ = rows(connection, REFRESH, first)[0]
        refused(connection, REFRESH, first)
        equal(audited(admin, "token.refresh", session), [("success", {}), ("refused", {"reason": "concurrent"})])
        _, third, _ = rows(connection, REFRESH, second)[0]
        refused(connection, REFRESH, first)
        refused(connection, REFRESH, third)
    person = Person()
    first = person.value("SELECT chat.issue_refresh_token()")
    with client() as connection, connect() as admin:
        _, second, _ = rows(connection, REFRESH, first)[0]
        admin.execute("UPDATE chat_private.refresh_tokens SET used_at = used_at - interval '11 seconds' WHERE used_at IS NOT NULL")
        refused(connection, REFRESH, first)
        refused(connection, REFRESH, second)


@test("disabling a user, changing a password and logging out bite every warm connection at its next statement")
def _():
    endings = {
        "disabled": lambda person: value(service(), "SELECT chat.admin_set_active(%s, false)", person.id),
        "password": lambda person: person.value("SELECT chat.change_password(%s, 'another-horse-10')", PASSWORD),
        "logout": lambda person: person.value("SELECT chat.logout()"),
        "revoked": lambda person: person.value("SELECT chat.revoke_session(current_setting('app.current_session_id')::uuid)"),
    }
    for name, end in endings.items():
        person = Person()
        token = person.value("SELECT chat.issue_jwt()")
        with client() as for_session, client() as for_transaction:
            value(for_session, "SELECT chat.authenticate_jwt(%s, false)", token)
            for connection in for_session, for_transaction:
                equal(value(connection, "SELECT chat.jwt_verify(%s) ->> 'sub'", token), str(person.id), "the key is cached")
            equal(value(for_session, "SELECT chat.current_user_id()"), person.id)
            end(person)
            equal(value(for_session, "SELECT chat.current_user_id()"), None, f"{name}: a connection that was authenticated")
            refused(for_transaction, "SELECT chat.authenticate_jwt(%s)", token)
            refused(for_session, "SELECT chat.authenticate_jwt(%s, false)", token)


@test("an identity for the connection ends when its token expires")
def _():
    person = Person()
    with connect() as admin, client() as connection:
        claims = claims_of(person, exp=int(time.time()) - 28)
        token = value(admin, "SELECT chat.jwt_sign(%s::jsonb)", json.dumps(claims))
        equal(value(connection, "SELECT chat.authenticate_jwt(%s, false)", token), person.id)
        equal(value(connection, "SELECT chat.current_user_id()"), person.id)
        wait_until(lambda: value(connection, "SELECT chat.current_user_id()") is None, "it is nobody's", 10)


@test("keys: the first use makes one that a ROLLBACK does not undo; revoking and rotating reach warm sessions at once")
def _():
    with new_database("keys_check"), connect() as admin:
        admin.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        equal(value(admin, "SELECT jsonb_array_length(chat.jwks() -> 'keys')"), 0)
        token = value(admin, "SELECT chat.jwt_sign('{\"exp\": 4000000000}')")
        equal(value(admin, "SELECT chat.jwt_verify(%s) ->> 'exp'", token), "4000000000", "in a transaction whose snapshot is older")
        admin.execute("ROLLBACK")
        equal(value(admin, "SELECT chat.jwt_verify(%s) ->> 'exp'", token), "4000000000")
        kid = value(admin, "SELECT kid FROM chat.admin_list_signing_keys()")
        with connect() as warm:
            value(warm, "SELECT chat.jwt_verify(%s)", token)
            value(admin, "SELECT chat.admin_rotate_signing_key()")
            fresh = value(warm, "SELECT chat.jwt_sign('{\"exp\": 4000000000}')")
            assert fresh.split(".")[0] != token.split(".")[0], "signed with the new key"
            value(warm, "SELECT chat.jwt_verify(%s)", token)
            value(admin, "SELECT chat.admin_revoke_signing_key(%s)", kid)
            refused(warm, "SELECT chat.jwt_verify(%s)", token)
            value(warm, "SELECT chat.jwt_verify(%s)", fresh)
        makers = [threading.Thread(target=lambda: value(connect(), "SELECT chat_private.sign_token('{}', 'ES256')")) for _ in range(6)]
        for maker in makers:
            maker.start()
        for maker in makers:
            maker.join()
        equal(value(admin, "SELECT count(*) FROM chat.admin_list_signing_keys() WHERE algorithm = 'ES256'"), 1, "keys that six made at once")


@test("a key that the engine cannot open is reported, and signs again once it is revoked")
def _():
    with new_database("damaged"), connect() as admin:
        token = value(admin, "SELECT chat.jwt_sign('{\"exp\": 4000000000}')")
        admin.execute("UPDATE chat_private.signing_keys SET sealed_private = substr(sealed_private, 1, 40) || '\\x00'::bytea")
        error = fails("PC202", value, admin, "SELECT chat.jwt_sign('{}')", hint=True)
        diag(error.diag.message_primary)
        equal(value(admin, "SELECT chat.jwt_verify(%s) ->> 'exp'", token), "4000000000", "verifying needs no secret")
        value(admin, "SELECT chat.admin_revoke_signing_key(kid) FROM chat.admin_list_signing_keys()")
        value(admin, "SELECT chat.jwt_sign('{}')")
        equal(rows(admin, "SELECT state FROM chat.admin_list_signing_keys()"), [("revoked",), ("active",)])


@test("an imported HS256 secret: tokens of others authenticate, ours are what they expect, and the engine alone knows it")
def _():
    person, secret = Person(), secrets.token_bytes(48)
    with service() as operator, connect() as admin, client() as connection:
        value(operator, "SELECT chat.admin_import_signing_key('HS256', %s::bytea)", secret)
        equal(value(connection, "SELECT chat.authenticate_jwt(%s)", hs256(secret, claims_of(person))), person.id)
        refused(connection, "SELECT chat.authenticate_jwt(%s)", hs256(secret[:-1] + b"x", claims_of(person)))
        refused(connection, "SELECT chat.authenticate_jwt(%s)", hs256(secret, claims_of(person, exp=int(time.time()) - 120)))
        value(admin, "INSERT INTO chat.settings (key, value) VALUES ('jwt_algorithm', '\"HS256\"') RETURNING 1")
        try:
            token = person.value("SELECT chat.issue_jwt()")
        finally:
            admin.execute("DELETE FROM chat.settings WHERE key = 'jwt_algorithm'")
        header, payload, signature = token.split(".")
        equal(encoded(hmac.new(secret, f"{header}.{payload}".encode(), hashlib.sha256).digest()), signature)
        equal(json.loads(base64.urlsafe_b64decode(header + "==")), {"alg": "HS256", "typ": "JWT"})
        value(operator, "SELECT chat.admin_rotate_signing_key('HS256')")
        equal(value(connection, "SELECT chat.authenticate_jwt(%s)", token), person.id, "after a rotation")


def text_of(*command):
    return subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60).stdout


@test("secrets are in no dump, no WAL, no log with bind parameters, and no row of others")
def _():
    with cluster("tokens", "--set", "log_statement=all", "--set", "log_parameter_max_length=0", "--set", "log_parameter_max_length_on_error=0") as folder:
        os.environ["PGDATABASE"] = "postgres"
        with connect() as admin:
            admin.execute("CREATE EXTENSION pgchat")
            wait_for_engine()
            person, secret = Person(), secrets.token_urlsafe(48)
            with service() as operator:
                value(operator, "SELECT chat.admin_import_signing_key('HS256', %s::text)", secret)
            refresh = person.value("SELECT chat.issue_refresh_token()")
            access, second, _ = rows(client(), REFRESH, refresh)[0]
            token = hs256(secret.encode(), claims_of(person))
            equal(value(client(), "SELECT chat.authenticate_jwt(%s)", token), person.id)
            seed = value(admin, "SELECT sealed_private FROM chat_private.signing_keys WHERE algorithm = 'EdDSA'")
            assert len(seed) > 48, "sealed"
            activity = json.dumps(value(admin, "SELECT json_agg(query) FROM pg_stat_activity"))
        canaries = [secret, refresh, second, access, token, person.token]
        canaries += [base64.b64encode(secret.encode()).decode(), secret.encode().hex()]
        dump = text_of("pg_dump", "postgres") + activity.encode()
        control("stop", folder)
        home = os.path.realpath(folder)
        # A private key in PKCS #8 begins so, whatever the key; sealed, it does not show.
        pkcs8 = bytes.fromhex("302e020100300506032b657004220420")
        found, address_found = [], False
        for path in [os.path.join(home, "server.log")] + [os.path.join(base, name) for base, _, names in os.walk(home) for name in names]:
            with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
                content = file.read()
                address_found |= "pg_wal" in path and person.name.encode() in content
                found += [(path, canary[:12]) for canary in canaries if canary.encode() in content]
                found += [(path, "pkcs8")] if pkcs8 in content else []
        found += [("dump", canary[:12]) for canary in canaries if canary.encode() in dump or canary.encode().hex().encode() in dump]
        equal(found, [])
        assert address_found, "the WAL was read: it has the person's address"


@test("a dump restored under the same master key has the keys and goes on verifying")
def _():
    with new_database("dumped"), connect() as admin:
        token = value(admin, "SELECT chat.jwt_sign('{\"exp\": 4000000000}')")
        with service() as operator:
            value(operator, "SELECT chat.admin_import_signing_key('HS256', %s::text)", "s" * 40)
        dump = text_of("pg_dump", "dumped").decode()
        with connect(dbname="postgres") as other:
            other.execute("CREATE DATABASE restored")
        try:
            subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "restored"], input=dump, text=True, check=True, stdout=subprocess.DEVNULL, timeout=60)
            with connect(dbname="restored") as restored:
                equal(value(restored, "SELECT chat.jwt_verify(%s) ->> 'exp'", token), "4000000000")
                again = value(restored, "SELECT chat.jwt_sign('{\"exp\": 4000000001}')")
                equal(again.split(".")[0], token.split(".")[0], "the same key")
                foreign = hs256(b"s" * 40, {"iss": "pgchat", "aud": "pgchat", "exp": 4000000000})
                equal(value(restored, "SELECT chat.jwt_verify(%s) ->> 'exp'", foreign), "4000000000")
        finally:
            with connect(dbname="postgres") as other:
                other.execute("DROP DATABASE restored WITH (FORCE)")


@test("a token of a megabyte is refused within 10 ms")
def _():
    with client() as connection:
        token = "e30." + "A" * 1_000_000 + ".AAAA"
        times = []
        for _ in range(20):
            began = time.monotonic()
            refused(connection, "SELECT chat.jwt_verify(%s)", token)
            times.append(time.monotonic() - began)
    diag(f"fastest {min(times) * 1000:.2f} ms, of which most is the way to the server")
    assert min(times) < 0.010, times


run()
