#!/usr/bin/python3
"""Mails leave the database through examples/mail_sender.py, once each, and their tokens rest nowhere."""

import contextlib
import json
import os
import re
import subprocess
import sys
import time

from support.cluster import ROOT
from support.database import connect, fails, role, rows, service, value
from support.smtp import MailServer
from support.tap import diag, equal, run, test, wait_until

TOKEN = re.compile(r"pgt_[A-Za-z0-9_-]{64}")
PASSWORD = "staple-seven-9"


def setting(key, wanted):
    with service() as operator:
        value(operator, "SELECT chat.admin_set_setting(%s, %s)", key, None if wanted is None else json.dumps(wanted))


@contextlib.contextmanager
def senders(server, count=1):
    """So many senders at work; gives their processes."""
    environment = {**os.environ, "PGUSER": role("pgchat_service"), "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(server.port), "MAIL_FROM": "chat@example.com"}
    started = [subprocess.Popen([sys.executable, str(ROOT / "examples/mail_sender.py")], env=environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(count)]
    try:
        with connect() as admin:
            wait_until(lambda: value(admin, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%chat.outbox_claim%' AND datname = current_database()"
                                            " AND pid <> pg_backend_pid()") >= count, "the senders are at work")
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate(timeout=20)


def arrived(server, recipient, count=1, seconds=10.0):
    """Waits for so many mails to a recipient; gives the last."""
    mails = wait_until(lambda: len(found := server.mails(recipient)) >= count and found, f"mail to {recipient}", seconds)
    return mails[-1][1]


def text(mail):
    """The text of a mail, with the line ends it was given to the sender with."""
    return mail.get_content().replace("\r\n", "\n")


def state(kind_or_recipient):
    with connect() as admin:
        return rows(admin, "SELECT state, attempts FROM chat_private.outbox WHERE %s IN (kind, recipient) ORDER BY id", kind_or_recipient)


def make_due(recipient):
    """Lets the time pass until a mail is given out again, and wakes the senders."""
    with connect() as admin:
        admin.execute("UPDATE chat_private.outbox SET next_attempt_at = clock_timestamp() WHERE recipient = %s AND next_attempt_at IS NOT NULL", (recipient,))
        admin.execute("NOTIFY pgchat_outbox")


@test("a person registers, verifies the address and resets the password with what comes by mail")
def _():
    server = MailServer()
    setting("email_verification_required", True)
    setting("app_name", "Café Größe ✓")
    setting("app_url", "https://chat.example/")
    with senders(server), connect(user=role("pgchat_client")) as client:
        began = time.monotonic()
        user_id = value(client, "SELECT chat.register('mia@example.com', %s, 'mia', %s)", PASSWORD, "Mia\r\nBcc: evil@example.com")
        mail = arrived(server, "mia@example.com")
        seconds = time.monotonic() - began
        equal(mail["Subject"], "Confirm your e-mail address for Café Größe ✓")
        equal((mail["To"], mail["From"], mail["Bcc"]), ("mia@example.com", "chat@example.com", None))
        body = text(mail)
        assert "Hello Mia Bcc: evil@example.com,\n" in body, body
        token = TOKEN.search(body).group()
        assert f"https://chat.example/verify-email?token={token}\n" in body, body
        fails("PC302", value, client, "SELECT chat.login('mia', %s)", PASSWORD, hint=True)
        value(client, "SELECT chat.verify_email(%s)", token)
        equal(value(client, "SELECT user_id FROM chat.login('mia', %s)", PASSWORD), user_id)
        value(client, "SELECT chat.request_password_reset('mia@example.com')")
        token = TOKEN.search(text(arrived(server, "mia@example.com", 2))).group()
        value(client, "SELECT chat.reset_password(%s, 'quite another one')", token)
        equal(value(client, "SELECT user_id FROM chat.login('mia', 'quite another one')"), user_id)
        assert "was changed" in arrived(server, "mia@example.com", 3)["Subject"]
        wait_until(lambda: {found for found, _ in state("mia@example.com")} == {"sent"}, "all are sent")
    setting("email_verification_required", None)
    diag(f"from the call of register to the mail: {seconds * 1000:.0f} ms")


@test("several senders deliver each mail once")
def _():
    server = MailServer()
    with service() as operator, senders(server, 3):
        with operator.transaction():
            for n in range(60):
                value(operator, "SELECT chat.admin_invite(%s)", f"guest{n}@example.com")
        wait_until(lambda: len(server.mails()) >= 60, "60 mails")
        wait_until(lambda: value(operator, "SELECT count(*) FROM chat.invitations WHERE email LIKE 'guest%%' AND sent_count = 1") == 60, "each invitation counts one")
        time.sleep(0.5)
        equal(sorted(recipient for recipient, _ in server.mails()), sorted(f"guest{n}@example.com" for n in range(60)))
    tokens = {TOKEN.search(text(mail)).group() for _, mail in server.mails()}
    equal(len(tokens), 60, "tokens")
    with connect(user=role("pgchat_client")) as client:
        token = next(TOKEN.search(text(mail)).group() for recipient, mail in server.mails() if recipient == "guest7@example.com")
        value(client, "SELECT chat.register('guest7@example.com', %s, invitation_token => %s)", PASSWORD, token)
    with connect() as admin:
        counts = rows(admin, "SELECT state, count(*) FROM chat_private.outbox WHERE kind = 'invitation' GROUP BY state")
    equal(counts, [("sent", 60)])


@test("a mail that is refused is tried again, later each time, and given up in the end")
def _():
    server = MailServer()
    server.refusals = {"never@example.com": 550, "later@example.com": 451}
    setting("mail_max_attempts", 3)
    with service() as operator, connect() as admin, senders(server):
        for address in "never@example.com", "later@example.com":
            value(operator, "SELECT chat.admin_invite(%s)", address)
        pauses = []
        for attempt in 1, 2:
            wait_until(lambda: state("never@example.com") == [("queued", attempt)] and state("later@example.com") == [("queued", attempt)], f"attempt {attempt}")
            pauses.append(value(admin, "SELECT extract(epoch FROM next_attempt_at - clock_timestamp()) FROM chat_private.outbox WHERE recipient = 'never@example.com'"))
            if attempt == 2:
                server.refusals.pop("later@example.com")
            make_due("never@example.com")
            make_due("later@example.com")
        assert 20 < pauses[0] <= 30 and 110 < pauses[1] <= 120, pauses
        wait_until(lambda: state("never@example.com") == [("failed", 3)], "given up")
        wait_until(lambda: state("later@example.com") == [("sent", 3)], "delivered at last")
        assert "550" in value(admin, "SELECT error FROM chat_private.outbox WHERE recipient = 'never@example.com'")
        equal(len(server.mails("later@example.com")), 1)
        equal(value(operator, "SELECT count(*) FROM chat.outbox_claim()"), 0, "left to claim")
    setting("mail_max_attempts", None)


@test("a mail that its sender died with is given out again after its time, and only then")
def _():
    server = MailServer()
    with service() as dead, service() as operator, connect() as admin:
        value(operator, "SELECT chat.admin_invite('orphan@example.com')")
        mail = rows(dead, "SELECT id, recipient, body FROM chat.outbox_claim()")[0]
        dead.close()
        equal(value(operator, "SELECT count(*) FROM chat.outbox_claim()"), 0, "claimed a second time at once")
        pause = value(admin, "SELECT extract(epoch FROM next_attempt_at - clock_timestamp()) FROM chat_private.outbox WHERE id = %s", mail[0])
        assert 290 < pause <= 300, pause
        with senders(server):
            make_due("orphan@example.com")
            again = text(arrived(server, "orphan@example.com"))
            wait_until(lambda: state("orphan@example.com") == [("sent", 2)], "sent")
        assert TOKEN.search(again).group() != TOKEN.search(mail[2]).group()
        fails("P0002", value, operator, "SELECT chat.outbox_failed(%s, 'late')", mail[0], hint=True)
        fails("P0002", value, operator, "SELECT chat.outbox_sent(%s)", mail[0], hint=True)
        fails("22023", value, operator, "SELECT count(*) FROM chat.outbox_claim(0)", hint=True)
        # A claim that is rolled back is none.
        value(operator, "SELECT chat.admin_invite('undone@example.com')")
        operator.execute("BEGIN")
        equal(value(operator, "SELECT count(*) FROM chat.outbox_claim()"), 1)
        operator.execute("ROLLBACK")
        equal(value(operator, "SELECT count(*) FROM chat.outbox_claim()"), 1)


@test("expired mails are not sent, and finished ones go after 30 days")
def _():
    with service() as operator, connect() as admin:
        value(operator, "SELECT chat.admin_create_user('slow@example.com')")
        admin.execute("UPDATE chat_private.outbox SET expires_at = clock_timestamp() WHERE recipient = 'slow@example.com'")
        equal(value(operator, "SELECT count(*) FROM chat.outbox_claim()"), 0)
        equal(state("slow@example.com"), [("expired", 1)])
        admin.execute("UPDATE chat_private.outbox SET finished_at = finished_at - interval '31 days' WHERE recipient = 'slow@example.com'")
        equal(value(operator, "SELECT count(*) FROM chat.outbox_claim()"), 0)
        equal(state("slow@example.com"), [])


@test("a notification says an id and nothing more")
def _():
    with service() as operator, connect() as listener:
        heard = []
        listener.add_notify_handler(heard.append)
        listener.execute("LISTEN pgchat_outbox")
        value(operator, "SELECT chat.admin_invite('heard@example.com')")
        value(operator, "SELECT chat.request_password_reset('nobody-here@example.com')")
        wait_until(lambda: (listener.execute("SELECT 1"), len(heard) >= 2)[1], "two notifications")
        for notification in heard:
            assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", notification.payload), notification


@test("a token that was mailed is in no dump, table, log or list of statements")
def _():
    with service() as operator, connect() as admin, connect(user=role("pgchat_client")) as client:
        value(client, "SELECT chat.register('secret@example.com', %s)", PASSWORD)
        value(client, "SELECT chat.request_password_reset('secret@example.com')")
        body = value(operator, "SELECT body FROM chat.outbox_claim(100) WHERE recipient = 'secret@example.com'")
        token = TOKEN.search(body).group()
        bindir = subprocess.run([os.environ.get("PG_CONFIG", "pg_config"), "--bindir"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        dump = subprocess.run([f"{bindir}/pg_dump", os.environ["PGDATABASE"]], check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout
        assert "secret@example.com" in dump
        with open(os.environ["PGCHAT_SERVER_LOG"], encoding="utf-8", errors="replace") as log:
            logged = log.read()
        activity = str(rows(admin, "SELECT query FROM pg_stat_activity"))
        secret = token[4 + 22:]  # Past the prefix and what tells the user's id.
        for place, text in ("the dump", dump), ("the server's log", logged), ("pg_stat_activity", activity):
            assert secret not in text, f"the token is in {place}"
        value(client, "SELECT chat.reset_password(%s, 'quite another one')", token)


@test("a request to reset a password takes the same time whoever has an account")
def _():
    setting("mails_per_hour", 100000)
    took = {"secret@example.com": [], "nobody@example.com": []}
    with connect(user=role("pgchat_client")) as client, connect() as admin:
        for turn in range(220):
            for address, seconds in took.items():
                began = time.perf_counter()
                value(client, "SELECT chat.request_password_reset(%s)", address)
                if turn >= 20:
                    seconds.append(time.perf_counter() - began)
            # An account has asked for few mails within the hour, not for hundreds.
            admin.execute("DELETE FROM chat_private.outbox WHERE created_at < (SELECT max(created_at) - interval '1 s' FROM chat_private.outbox)"
                          " OR (SELECT count(*) > 4 FROM chat_private.outbox)")
    known, unknown = (sorted(seconds)[len(seconds) // 2] * 1000 for seconds in took.values())
    diag(f"medians of 200: {known:.3f} ms with an account, {unknown:.3f} ms without")
    assert 0.8 < known / unknown < 1.25, known / unknown
    setting("mails_per_hour", None)


run()
