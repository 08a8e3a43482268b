"""What PostgREST does in the database for a request: one transaction, whose parameters say what was asked, by whom, and how."""

import contextlib
import json
import queue

import psycopg

from failures import Refusal, of_database


class Pool:
    """Connections that are used again, as those of PostgREST are."""

    def __init__(self, uri, size):
        self._uri, self._free = uri, queue.LifoQueue()
        for _ in range(size):
            self._free.put(None)

    @contextlib.contextmanager
    def connection(self):
        taken = self._free.get()
        try:
            if taken is None or taken.closed:
                taken = psycopg.connect(self._uri, autocommit=True, application_name="postgrest")
            yield taken
        finally:
            self._free.put(taken)


def run(connection, settings, request, schema, claims, is_read_only, statement):
    """The row of the main statement. Commits, or rolls back and refuses."""
    role = claims.get("role", settings["db-anon-role"])
    if not role:
        raise Refusal(401, "PGRST302", "Anonymous access is disabled", headers=[("WWW-Authenticate", "Bearer")])
    path = ", ".join(f'"{name}"' for name in (schema, *settings["db-extra-search-path"].split(",")))
    parameters = {"search_path": path, "role": role, "request.jwt.claims": json.dumps({**claims, "role": role}), "request.method": request.command,
                  "request.path": request.path.split("?")[0], "request.headers": json.dumps(request.lower_headers),
                  "request.cookies": json.dumps(request.cookies)}
    try:
        connection.execute(f"BEGIN ISOLATION LEVEL READ COMMITTED {'READ ONLY' if is_read_only else 'READ WRITE'}")
        connection.execute("select " + ", ".join("set_config(%s, %s, true)" for _ in parameters), [each for pair in parameters.items() for each in pair])
        if settings["db-pre-request"]:
            connection.execute("select " + ".".join(f'"{part}"' for part in settings["db-pre-request"].split(".")) + "()")
        row = connection.execute(*statement).fetchone()
        connection.execute("COMMIT")
        return row
    except psycopg.Error as error:
        raise of_database(error, role == settings["db-anon-role"]) from error
    finally:
        if not connection.closed and connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            connection.execute("ROLLBACK")
