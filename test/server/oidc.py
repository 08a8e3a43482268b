#!/usr/bin/python3
"""Logging in with a real OpenID provider on the loopback: who gets in, to which account, and which tokens do not."""

import base64
import contextlib
import http.cookiejar
import http.server
import json
import os
import pathlib
import secrets
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from support.database import PASSWORD, Person, connect, fails, role, rows, service, value
from support.npm import install
from support.tap import diag, equal, run, skip_all, test

SOURCE = pathlib.Path(os.environ["PGCHAT_SOURCE"]) / "test/servers/oidc"
FOLDER = pathlib.Path(os.environ["PGCHAT_BUILD"]) / "oidc"
LOGIN = "SELECT session_token, user_id, mfa_required FROM chat.login_oidc(%s, %s, %s)"
REFUSAL = "the token is not valid"


class Provider:
    """The provider's process, registered in the database for each algorithm."""

    def __init__(self):
        self.process = subprocess.Popen(["node", "server.mjs"], cwd=FOLDER, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.issuer = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def register(self, name, algorithm="RS256", **more):
        given = {"name": name, "issuer": self.issuer, "client_id": f"client-{algorithm}", **more}
        with service() as operator:
            arguments = ", ".join(f"{key} => %s" for key in given)
            value(operator, f"SELECT chat.admin_register_oidc_provider({arguments})", *given.values())

    def tokens(self, subject, email="", verified=False, org="", algorithm="RS256", nonce=None):
        """Goes the way of a browser and an application; gives the ID token, its nonce and the access token."""
        nonce, client = nonce or secrets.token_urlsafe(16), f"client-{algorithm}"
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        question = urllib.parse.urlencode({
            "client_id": client, "redirect_uri": f"{self.issuer}/callback", "response_type": "code", "scope": "openid email profile",
            "nonce": nonce, "login_hint": f"{subject};{email};{str(verified).lower()};{org}"})
        try:
            arrived = browser.open(f"{self.issuer}/auth?{question}", timeout=10).geturl()
        except urllib.error.HTTPError as error:  # nothing answers at the callback
            arrived = error.url
        code = urllib.parse.parse_qs(urllib.parse.urlparse(arrived).query)["code"][0]
        body = urllib.parse.urlencode({"grant_type": "authorization_code", "code": code, "redirect_uri": f"{self.issuer}/callback"}).encode()
        credentials = base64.b64encode(f"{client}:test".encode()).decode()
        request = urllib.request.Request(f"{self.issuer}/token", body, {"Authorization": f"Basic {credentials}"})
        with urllib.request.urlopen(request, timeout=10) as response:
            answer = json.load(response)
        return answer["id_token"], nonce, answer["access_token"]


def client():
    return connect(user=role("pgchat_client"))


def log_in(name, token, nonce):
    with client() as connection:
        return rows(connection, LOGIN, name, token, nonce)[0]


def refused(name, token, nonce, sqlstate="28000"):
    with client() as connection:
        error = fails(sqlstate, rows, connection, LOGIN, name, token, nonce)
    if sqlstate == "28000":
        equal(error.diag.message_primary, REFUSAL)
    return error


def unique(name):
    return f"{name}-{secrets.token_hex(4)}"


@test("a new person gets an account without a password, and the same account the next time, by every algorithm")
def _():
    for algorithm in "RS256", "ES256", "EdDSA":
        subject = unique("new")
        address = f"{subject}@example.org"
        idp.register(algorithm.lower(), algorithm)
        began = time.monotonic()
        session, user, mfa = log_in(algorithm.lower(), *idp.tokens(subject, address, True, algorithm=algorithm)[:2])
        diag(f"{algorithm}: first login {1000 * (time.monotonic() - began):.0f} ms")
        equal(mfa, False)
        with client() as connection:
            equal(value(connection, "SELECT chat.authenticate(%s)", session), user)
            connection.execute("BEGIN")
            value(connection, "SELECT chat.authenticate(%s)", session)
            equal(rows(connection, "SELECT email, role, email_verified_at IS NOT NULL FROM chat.me()"), [(address, "user", True)])
            equal(rows(connection, "SELECT provider, subject, email, email_verified FROM chat.identities"), [(algorithm.lower(), subject, address, True)])
            connection.execute("COMMIT")
            fails("28P01", value, connection, "SELECT chat.login(%s, %s)", address, PASSWORD)
        equal(log_in(algorithm.lower(), *idp.tokens(subject, address, True, algorithm=algorithm)[:2])[1], user, "the second login")


@test("an address that the provider does not vouch for is not taken")
def _():
    idp.register("idp")
    victim, subject = Person("victim"), unique("thief")
    with connect() as admin:
        admin.execute("UPDATE chat.users SET email_verified_at = now() WHERE id = %s", (victim.id,))
        _, user, _ = log_in("idp", *idp.tokens(subject, f"{victim.name}@example.com", False)[:2])
        assert user != victim.id
        equal(rows(admin, "SELECT email, username FROM chat.users WHERE id = %s", user), [(None, None)])


@test("an identity joins the account of its address only where both sides have verified it")
def _():
    idp.register("idp")
    idp.register("never", linking="never")
    person = Person()
    address = f"{person.name}@example.com"
    refused("idp", *idp.tokens(unique("x"), address, True)[:2], sqlstate="23505")
    with connect() as admin:
        admin.execute("UPDATE chat.users SET email_verified_at = now() WHERE id = %s", (person.id,))
    refused("never", *idp.tokens(unique("x"), address, True)[:2], sqlstate="23505")
    subject = unique("joined")
    equal(log_in("idp", *idp.tokens(subject, address.upper(), True)[:2])[1], person.id)
    equal(log_in("idp", *idp.tokens(subject, "", False)[:2])[1], person.id, "whatever the address is later")
    with connect() as admin:
        actions = [action for action, in rows(admin, "SELECT action FROM chat.audit_log WHERE user_id = %s ORDER BY id", person.id)]
        assert actions[-3:] == ["identity.link", "login", "login"], actions


@test("several identities, joined and removed, but never the last way in; a password added later")
def _():
    idp.register("idp")
    idp.register("es256", "ES256")
    first, second = unique("one"), unique("two")
    session, user, _ = log_in("idp", *idp.tokens(first, f"{first}@example.org", True)[:2])
    with client() as connection:
        value(connection, "SELECT chat.authenticate(%s, false)", session)
        mine = "SELECT id FROM chat.identities ORDER BY id"
        fails("55000", value, connection, "SELECT chat.unlink_identity(%s)", value(connection, mine))
        value(connection, "SELECT chat.link_identity(%s, %s, %s)", "es256", *idp.tokens(second, algorithm="ES256")[:2])
        equal(log_in("es256", *idp.tokens(second, algorithm="ES256")[:2])[1], user)
        stranger = Person()
        fails("23505", stranger.value, "SELECT chat.link_identity(%s, %s, %s)", "es256", *idp.tokens(second, algorithm="ES256")[:2])
        fails("P0002", stranger.value, "SELECT chat.unlink_identity(%s)", value(connection, mine))
        value(connection, "SELECT chat.unlink_identity(%s)", value(connection, mine))
        fails("55000", value, connection, "SELECT chat.unlink_identity(%s)", value(connection, mine))
        value(connection, "SELECT chat.set_password(%s)", PASSWORD)
        fails("55000", value, connection, "SELECT chat.set_password(%s)", "another-horse-10")
        equal(value(connection, "SELECT user_id FROM chat.login(%s, %s)", f"{first}@example.org", PASSWORD), user)
        value(connection, "SELECT chat.unlink_identity(%s)", value(connection, mine))
        equal(value(connection, "SELECT count(*) FROM chat.identities"), 0)
    other = log_in("es256", *idp.tokens(second, algorithm="ES256")[:2])[1]
    assert other != user, "a removed identity leads to its old account no more"


@test("two sessions that each remove one of two identities leave one")
def _():
    idp.register("idp")
    subject = unique("racer")
    session, user, _ = log_in("idp", *idp.tokens(subject)[:2])
    with client() as first, client() as second:
        for connection in first, second:
            value(connection, "SELECT chat.authenticate(%s, false)", session)
        value(first, "SELECT chat.link_identity('idp', %s, %s)", *idp.tokens(unique("racer"))[:2])
        ids = [identity for identity, in rows(first, "SELECT id FROM chat.identities ORDER BY id")]
        first.execute("BEGIN")
        value(first, "SELECT chat.unlink_identity(%s)", ids[0])
        errors = []
        thread = threading.Thread(target=lambda: errors.append(fails("55000", value, second, "SELECT chat.unlink_identity(%s)", ids[1])))
        thread.start()
        time.sleep(0.3)
        first.execute("COMMIT")
        thread.join()
        equal((len(errors), value(first, "SELECT count(*) FROM chat.identities")), (1, 1))


@test("tokens that are not for this login are refused with one answer")
def _():
    idp.register("idp")
    idp.register("es256", "ES256")
    idp.register("only-es256", "RS256", algorithms=["ES256"])
    token, nonce, access = idp.tokens(unique("x"))
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "admin"}).encode()).rstrip(b"=").decode()
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    for name, given in {
            "another nonce": ("idp", token, nonce + "x"), "an empty nonce": ("idp", token, ""), "another client": ("es256", token, nonce),
            "changed claims": ("idp", f"{header}.{forged}.{signature}", nonce), "alg none": ("idp", f"{none}.{payload}.", nonce),
            "another algorithm": ("only-es256", token, nonce), "an access token": ("idp", access, nonce), "nothing": ("idp", "", nonce),
            "a megabyte": ("idp", header + "." + "A" * 1_000_000 + "." + signature, nonce)}.items():
        diag(name)
        refused(*given)
    with client() as connection:
        fails("P0002", rows, connection, LOGIN, "unknown", token, nonce)
        fails("22004", rows, connection, LOGIN, "idp", token, None)
        fails("28000", value, connection, "SELECT chat.login_oidc('idp', %s, %s, access_token => 'other')", token, nonce) if "at_hash" in claims else None
        fails("42501", value, connection, "SELECT chat.admin_register_oidc_provider('a', 'https://a.example', 'c')")
        fails("42501", rows, connection, "SELECT * FROM chat_private.oidc_providers")
    equal(log_in("idp", token, nonce)[2], False, "the token itself was right")


@test("organisations, registration, deactivation and second factors are heeded")
def _():
    idp.register("acme", organisation_claim="org", organisations=["acme"])
    refused("acme", *idp.tokens(unique("x"), org="other")[:2])
    refused("acme", *idp.tokens(unique("x"))[:2])
    subject = unique("worker")
    _, user, _ = log_in("acme", *idp.tokens(subject, org="acme")[:2])
    with connect() as admin, service() as operator:
        equal(value(admin, "SELECT organisation FROM chat.identities WHERE user_id = %s", user), "acme")
        value(operator, "SELECT chat.admin_set_setting('registration', '\"closed\"')")
        refused("acme", *idp.tokens(unique("x"), org="acme")[:2], sqlstate="42501")
        equal(log_in("acme", *idp.tokens(subject, org="acme")[:2])[1], user, "who has an account gets in")
        value(operator, "SELECT chat.admin_set_setting('registration', '\"open\"')")
        value(operator, "SELECT chat.admin_set_setting('totp_required_roles', '[\"user\"]')")
        session, _, mfa = log_in("acme", *idp.tokens(subject, org="acme")[:2])
        value(operator, "SELECT chat.admin_set_setting('totp_required_roles', '[]')")
        equal(mfa, True)
        with client() as connection:
            equal(value(connection, "SELECT chat.authenticate(%s)", session), None)
        value(operator, "SELECT chat.admin_set_active(%s, false)", user)
        refused("acme", *idp.tokens(subject, org="acme")[:2])
        equal(rows(admin, "SELECT outcome, details ->> 'reason' FROM chat.audit_log WHERE action = 'login' ORDER BY id DESC LIMIT 1"), [("refused", "disabled")])


class Stub(http.server.BaseHTTPRequestHandler):
    """Answers discovery documents that are wrong, and counts."""

    hits, document, status = 0, b"{}", 200

    def do_GET(self):
        Stub.hits += 1
        self.send_response(Stub.status)
        self.send_header("Content-Length", str(len(Stub.document)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(Stub.document)

    def log_message(self, *arguments):
        pass


@test("a provider that is down, lies or sends too much fails with its own error, and is not asked again and again")
def _():
    token, nonce, _ = idp.tokens(unique("x"))
    stub = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    threading.Thread(target=stub.serve_forever, daemon=True).start()
    port = stub.server_address[1]
    closed = http.server.HTTPServer(("127.0.0.1", 0), Stub)
    closed.server_close()
    idp.register("down", issuer=f"http://127.0.0.1:{closed.server_address[1]}")
    refused("down", token, nonce, sqlstate="08001")
    for number, (document, status, sqlstate) in enumerate([(b"{}", 200, "PC107"), (b"<html>", 200, "PC107"), (b"no", 500, "PC106"),
                                                           (b"x" * 300_000, 200, "PC108"), (json.dumps({"issuer": idp.issuer, "jwks_uri": idp.issuer}).encode(), 200, "PC107")]):
        Stub.hits, Stub.document, Stub.status = 0, document, status
        idp.register("stub", issuer=f"http://127.0.0.1:{port}/{number}")
        for _ in range(5):
            refused("stub", token, nonce, sqlstate=sqlstate)
        equal(Stub.hits, 1, f"{status} {document[:10]}: requests")
    idp.register("inside", issuer="https://10.0.0.1")
    refused("inside", token, nonce, sqlstate="PC102")
    idp.register("plain", issuer="http://idp.example")
    refused("plain", token, nonce, sqlstate="PC102")
    stub.shutdown()


@test("keys are fetched once for all sessions, and an unknown one does not make the provider busy")
def _():
    other = Provider()
    token, nonce, _ = other.tokens(unique("x"))
    idp.register("cached")
    log_in("cached", *idp.tokens(unique("x"))[:2])
    for _ in range(20):
        refused("cached", token, nonce)
    other.stop()
    began = time.monotonic()
    given = [idp.tokens(unique("x"))[:2] for _ in range(20)]
    fetched = time.monotonic()
    for pair in given:
        log_in("cached", *pair)
    diag(f"20 logins: {(time.monotonic() - fetched) * 50:.1f} ms each; the provider's part {(fetched - began) * 50:.1f} ms")


reason = install("oidc-provider", SOURCE, FOLDER, "server.mjs")
if reason:
    skip_all(reason)
idp = Provider()
run(idp.stop)
