#!/usr/bin/python3
"""Passwords that people type, right, wrong or refused, are written down nowhere and repeated in no error."""

import contextlib
import pathlib
import re
import uuid

import psycopg

from support import canaries
from support.cluster import private
from support.database import connect, role, service, value
from support.tap import diag, run, test



def data_directory(admin):
    return pathlib.Path(value(admin, "SELECT current_setting('data_directory')"))


class Typist:
    """Types passwords that occur nowhere else, and keeps them and the errors they met."""

    def __init__(self):
        self.passwords, self.errors = [], []
        self.connection = connect(user=role("pgchat_client"))

    def password(self, template="Canary-{}"):
        self.passwords.append(template.format(uuid.uuid4().hex[:20]))
        return self.passwords[-1]

    def call(self, query, *arguments):
        try:
            return value(self.connection, query, *arguments)
        except psycopg.Error as error:
            self.errors.append(" ".join(filter(None, (str(error), error.diag.message_detail, error.diag.context, error.diag.internal_query))))
            return None


def type_everywhere(typist, operator):
    """Every function that takes a password, with ones that it takes and ones that it refuses; returns the last valid one."""
    first, second, third = typist.password(), typist.password(), typist.password()
    typist.call("SELECT chat.register('canary@example.com', %s)", first)
    typist.call("SELECT chat.register('canary@example.com', %s)", typist.password())
    typist.call("SELECT chat.register('no address', %s)", typist.password())
    typist.call("SELECT chat.register('long@example.com', %s)", typist.password("Canary-{}" + "x" * 80))
    typist.call("SELECT session_token FROM chat.login('canary@example.com', %s)", typist.password())
    typist.call("SELECT session_token FROM chat.login('nobody@example.com', %s)", typist.password())
    token = typist.call("SELECT session_token FROM chat.login('canary@example.com', %s)", first)
    typist.call("SELECT chat.authenticate(%s, false)", token)
    typist.call("SELECT chat.change_password(%s, %s)", typist.password(), typist.password())
    typist.call("SELECT chat.change_password(%s, %s)", first, second)
    typist.call("SELECT chat.totp_disable(%s)", typist.password())
    typist.call("SELECT chat.delete_my_account(%s)", typist.password())
    typist.call("SELECT chat.request_password_reset('canary@example.com')")
    mail = value(operator, "SELECT body FROM chat.outbox_claim(100) WHERE recipient = 'canary@example.com' AND kind = 'reset_password'")
    reset = re.search(r"token=([\w-]+)", mail).group(1)
    typist.call("SELECT chat.reset_password(%s, %s)", reset + "x", typist.password())
    typist.call("SELECT chat.reset_password(%s, %s)", reset, third)
    with contextlib.suppress(psycopg.Error):
        operator.execute("SELECT chat.admin_create_user('canary@example.com', %s)", (typist.password(),))
    operator.execute("SELECT chat.admin_create_user('other-canary@example.com', %s)", (typist.password(),))
    assert typist.call("SELECT session_token FROM chat.login('canary@example.com', %s)", third), typist.errors
    return token, reset


@test("a password, a session token and a token that was mailed are in no dump, WAL, table file, log, statistics view or error")
def _():
    with private("canaries", **canaries.SETTINGS), connect() as admin, service() as operator:
        with contextlib.suppress(psycopg.errors.UndefinedFile):
            admin.execute("CREATE EXTENSION pg_stat_statements")
        typist = Typist()
        token, reset = type_everywhere(typist, operator)
        activity = canaries.activity_of_others(admin)
        found = canaries.places(admin, data_directory(admin), activity)
        # Without the part that says whose it is, which is no secret.
        secrets = [text.encode() for text in (*typist.passwords, token[-43:], reset[-22:])]
        address = b"canary@example.com"
        signs = {"dump": address, "wal": address, "tables": address, "log": b"SELECT chat.change_password($1, $2)",
                 "pg_stat_activity": b"chat.login(", "pg_stat_statements": b"SELECT chat.change_password($1, $2)"}
        canaries.check_absent(found, secrets, signs)
        assert len(typist.errors) >= 8, typist.errors
        for error in typist.errors:
            assert not any(secret.decode() in error for secret in secrets), error
        diag(", ".join(f"{place} {len(content) // 1024} kB" for place, content in found.items()) +
             f"; {len(secrets)} secrets, {len(typist.errors)} errors")


run()
