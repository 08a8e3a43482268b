"""Connections to the test's database: a superuser's, and those of people who logged in."""

import contextlib
import json
import time
import uuid

import psycopg

from support.tap import wait_until

PASSWORD = "correct-horse-9"
STATEMENT_TIMEOUT = "60s"
EVENTS = "SELECT (s).seq, (s).kind, (s).delta, (s).request_id FROM (SELECT {call} AS s OFFSET 0) x"


def connect(user=None, dbname=None, **more):
    """A connection in autocommit mode to what PGHOST, PGPORT and PGDATABASE name; a superuser's unless `user` is given."""
    given = {"user": user, "dbname": dbname, **more}
    return psycopg.connect(
        "", autocommit=True, options=f"-c statement_timeout={STATEMENT_TIMEOUT}", **{k: v for k, v in given.items() if v})


def value(connection, query, *arguments):
    """The first column of the first row, or None."""
    row = connection.execute(query, arguments or None).fetchone()
    return row[0] if row else None


def rows(connection, query, *arguments):
    return connection.execute(query, arguments or None).fetchall()


def fails(sqlstate, function, *arguments, hint=None):
    """Calls the function, which must raise a database error with that SQLSTATE; returns the error. hint: one must be there."""
    try:
        got = function(*arguments)
    except psycopg.Error as error:
        assert error.sqlstate == sqlstate, f"got {error.sqlstate}: {error}, wanted {sqlstate}"
        assert not hint or error.diag.message_hint, f"{sqlstate} without a hint: {error}"
        return error
    raise AssertionError(f"no error, wanted {sqlstate}; got {got!r}")


def outcome(connection, statement, *arguments):
    """None, or the SQLSTATE of the statement's error."""
    try:
        connection.execute(statement, arguments or None)
    except psycopg.Error as error:
        return error.sqlstate


def is_blocked(connection):
    """Whether its statement waits for a lock that somebody else has."""
    with connect() as admin:
        return value(admin, "SELECT cardinality(pg_blocking_pids(%s)) > 0", connection.info.backend_pid)


def role(member_of):
    """The name of a login role that is a member of the given one."""
    name = "check_" + member_of
    with connect() as admin, contextlib.suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        if not value(admin, "SELECT true FROM pg_roles WHERE rolname = %s", name):
            admin.execute(f"CREATE ROLE {name} LOGIN IN ROLE {member_of}")
    return name


def service():
    """A connection as a member of pgchat_service."""
    return connect(user=role("pgchat_service"))


@contextlib.contextmanager
def settings(**wanted):
    """Parameters of the whole server while the block runs; two underscores stand for the dot in a name."""
    names = [name.replace("__", ".") for name in wanted]

    def loaded_at():
        """When the postmaster last read its files; it then tells all processes at once."""
        with connect() as newest:
            return value(newest, "SELECT pg_conf_load_time()")

    def in_force(admin, expected):
        before_reload = loaded_at()
        admin.execute("SELECT pg_reload_conf()")
        wait_until(lambda: [value(admin, "SELECT setting FROM pg_file_settings WHERE name = %s AND applied", name)
                            for name in names] == expected and loaded_at() > before_reload, f"settings {wanted} are read")
        # The engine has read them once it has answered a request that came after.
        calls = value(admin, "SELECT calls_total FROM chat.engine_status()")
        value(admin, "SELECT chat.llm_complete('settings', 'check-echo')")
        wait_until(lambda: value(admin, "SELECT calls_total FROM chat.engine_status()") > calls, "the engine goes on")

    with connect() as admin:
        value(admin, "SELECT chat.admin_register_provider('check-echo', 'echo')")
        value(admin, "SELECT chat.admin_register_model('check-echo', 'check-echo')")
        before = [value(admin, "SELECT setting FROM pg_file_settings WHERE name = %s AND applied", name) for name in names]
        try:
            for name, setting in zip(names, wanted.values()):
                admin.execute(f"ALTER SYSTEM SET {name} = '{setting}'")
            in_force(admin, [str(setting) for setting in wanted.values()])
            yield
        finally:
            for name in names:
                admin.execute(f"ALTER SYSTEM RESET {name}")
            in_force(admin, before)


class Person:
    """A registered user. Each connection made here has the rights of a client and this user's identity."""

    def __init__(self, name="person"):
        self.name = f"{name}_{uuid.uuid4().hex[:8]}"
        with connect(user=role("pgchat_client")) as client:
            self.id = value(client, "SELECT chat.register(%s, %s)", f"{self.name}@example.com", PASSWORD)
            self.token = value(client, "SELECT session_token FROM chat.login(%s, %s)", f"{self.name}@example.com", PASSWORD)
        self.connection = self.connect()

    def connect(self):
        connection = connect(user=role("pgchat_client"))
        value(connection, "SELECT chat.authenticate(%s, false)", self.token)
        return connection

    def value(self, query, *arguments):
        return value(self.connection, query, *arguments)

    def rows(self, query, *arguments):
        return rows(self.connection, query, *arguments)

    def conversation(self, model=None, system_prompt=None):
        return self.value("SELECT chat.create_conversation(model => %s, system_prompt => %s)", model, system_prompt)

    def send(self, conversation, content="hello there", **options):
        """Sends a message; gives its id, the reply's id and the request's id."""
        return self.rows("SELECT * FROM chat.send_message(%s, %s, options => %s)", conversation, content, json.dumps(options))[0]

    def reply_to(self, content="hello there", model=None, **options):
        """Sends a message in a new conversation; gives the reply's id."""
        return self.send(self.conversation(model), content, **options)[1]

    def message(self, message_id):
        """The row of a message, as a dictionary."""
        found = self.value("SELECT to_jsonb(m) FROM chat.messages m WHERE id = %s", message_id)
        assert found, f"message {message_id} is not to be seen"
        return found


def read_new(connection, message_id, after_seq=0, wait_ms=0):
    """What chat.read_stream gives: a list of (seq, kind, delta)."""
    return rows(connection, "SELECT seq, kind, delta FROM chat.read_stream(%s, %s, %s)", message_id, after_seq, wait_ms)


def events(connection, message_id, after_seq=0, size=None):
    """Reads a reply row by row as it comes: yields (seq, kind, delta, time it came)."""
    call = "chat.stream_message(%s, %s)"
    with connection.cursor() as cursor:
        for seq, kind, delta, _ in cursor.stream(EVENTS.format(call=call), (message_id, after_seq)):
            yield seq, kind, delta, time.time()
            size = None if size is None else size - 1
            if size == 0:
                return


def read(connection, message_id, after_seq=0):
    """All of a reply, to its end: a list of (seq, kind, delta)."""
    return [event[:3] for event in events(connection, message_id, after_seq)]


def text_of(event_rows):
    """The text that content rows make together; a snapshot replaces what was before."""
    text = ""
    for row in event_rows:
        if row[1] == "snapshot":
            text = row[2]
        elif row[1] == "content":
            text += row[2]
    return text


def engine(connection=None):
    """The row of chat.engine_status(), as a dictionary."""
    with contextlib.ExitStack() as stack:
        admin = connection or stack.enter_context(connect())
        return value(admin, "SELECT to_jsonb(s) FROM chat.engine_status() s")
