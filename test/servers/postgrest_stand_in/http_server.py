"""The HTTP side: which request is which call or table, what it is answered, and notifications to read the settings again."""

import http.cookies
import http.server
import json
import threading
import urllib.parse

import psycopg

from catalogue import Catalogue
from failures import Refusal, unknown
from statements import Writer
from tokens import claims_of
from transaction import Pool, run
from url_grammar import RESERVED, parse, ranged

OBJECT = "application/vnd.pgrst.object+json"


class State:
    def __init__(self, read):
        self._read, self.settings = read, read()
        self.pool = Pool(self.settings["db-uri"], int(self.settings["db-pool"]))
        self.read_catalogue()

    def read_catalogue(self):
        with self.pool.connection() as connection:
            self.catalogues = {schema.strip(): Catalogue(connection, schema.strip()) for schema in self.settings["db-schemas"].split(",")}

    def catalogue(self, wanted):
        """Of the schema that the request names, or the first."""
        if wanted and wanted not in self.catalogues:
            raise Refusal(406, "PGRST106", f"Invalid schema: {wanted}", None, f"Only the following schemas are exposed: {', '.join(self.catalogues)}")
        return self.catalogues[wanted] if wanted else next(iter(self.catalogues.values()))

    def listen(self):
        with psycopg.connect(self.settings["db-uri"], autocommit=True) as connection:
            connection.execute("LISTEN pgrst")
            for notice in connection.notifies():
                if notice.payload in ("", "reload config"):
                    self.settings = self._read()
                if notice.payload in ("", "reload schema"):
                    self.read_catalogue()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state = None

    def do_GET(self):
        self._answer()

    do_HEAD = do_POST = do_PATCH = do_GET

    def _answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length).decode() if length else ""
        try:
            status, headers, body = self._run()
        except Refusal as refused:
            status, headers, body = refused.status, [*refused.headers, ("Content-Type", "application/json; charset=utf-8")], refused.body
        self.send_response(status)
        for header in headers:
            self.send_header(*header)
        if status != 204:
            self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        if status != 204 and self.command != "HEAD":
            self.wfile.write(body.encode())

    def _run(self):
        self.settings = self.state.settings
        self.is_get = self.command in ("GET", "HEAD")
        self.catalogue = self.state.catalogue(self.headers.get("Accept-Profile" if self.is_get else "Content-Profile"))
        self.lower_headers = {name.lower(): value for name, value in self.headers.items() if name.lower() != "cookie"}
        self.cookies = {name: each.value for name, each in http.cookies.SimpleCookie(self.headers.get("Cookie", "")).items()}
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        claims = claims_of(token.strip(), self.settings) if scheme.lower() == "bearer" else {}
        url = urllib.parse.urlsplit(self.path)
        pairs = urllib.parse.parse_qsl(url.query, keep_blank_values=True)
        preferences = {preference.strip() for preference in self.headers.get("Prefer", "").split(",")}
        parts = url.path.strip("/").split("/")
        if parts[0] == "rpc" and len(parts) == 2:
            return self._call(parts[1], pairs, preferences, claims)
        if len(parts) == 1 and parts[0]:
            return self._table(parts[0], pairs, preferences, claims)
        raise unknown(self.path)

    def _call(self, name, pairs, preferences, claims):
        if self.command == "PATCH":
            raise Refusal(405, "PGRST101", f"Cannot use the {self.command} method on RPC")
        known = {each for function in self.catalogue.functions if function.name == name for each in function.arguments}
        arguments = {key: value for key, value in pairs if key in known and key not in RESERVED} if self.is_get else {}
        body = None if self.is_get else self.body or "{}"
        names = arguments
        if body is not None:
            try:
                names = json.loads(body)
            except ValueError as error:
                raise Refusal(400, "PGRST102", "Empty or invalid json") from error
        function = self.catalogue.function(name, names)
        if not function:
            schema = self.catalogue.schema
            told = ", ".join(sorted(names))
            raise Refusal(404, "PGRST202", f"Could not find the function {schema}.{name}{f'({told})' if told else ' without parameters'} in the schema cache",
                          f"Searched for the function {schema}.{name} with parameters {told}, but no matches were found in the schema cache.")
        read = self._ranged(parse(name, [pair for pair in pairs if pair[0] not in arguments]))
        statement = Writer(self.catalogue).call(function, arguments, body, read, "count=exact" in preferences)
        row = self._transact(claims, self.is_get or function.volatility != "v", statement)
        if function.result == "void":
            return 204, [("Content-Range", "*/*")], ""
        return self._rows(row, read)

    def _table(self, name, pairs, preferences, claims):
        if name not in self.catalogue.tables:
            raise Refusal(404, "PGRST205", f"Could not find the table '{self.catalogue.schema}.{name}' in the schema cache")
        read = self._ranged(parse(name, pairs))
        writer = Writer(self.catalogue)
        if self.command == "PATCH":
            is_returned = "return=representation" in preferences
            row = self._transact(claims, False, writer.update(read, self.body, is_returned))
            return self._rows(row, read) if is_returned else (204, [("Content-Range", f"0-{row[1] - 1}/*" if row[1] else "*/*")], "")
        if self.command == "POST":
            raise unknown("POST to a table")
        return self._rows(self._transact(claims, True, writer.table(read, "count=exact" in preferences)), read)

    def _ranged(self, read):
        return ranged(read, self.headers.get("Range")) if self.command == "GET" else read

    def _transact(self, claims, is_read_only, statement):
        with self.state.pool.connection() as connection:
            return run(connection, self.settings, self, self.catalogue.schema, claims, is_read_only, statement)

    def _rows(self, row, read):
        total, size, body, headers, status = row
        last = read.offset + size - 1
        shown = f"{read.offset}-{last}" if size and total != 0 else "*"
        made = 200 if total is None else 416 if read.offset > total else 206 if size < total else 200
        if made == 416:
            raise Refusal(416, "PGRST103", "Requested range not satisfiable", f"An offset of {read.offset} was requested, but there are only {total} rows.",
                          headers=[("Content-Range", f"*/{total}")])
        answer = [("Content-Range", f"{shown}/{'*' if total is None else total}")]
        accepted = self.headers.get("Accept", "")
        if OBJECT in accepted and body.startswith("["):
            if size != 1:
                raise Refusal(406, "PGRST116", "Cannot coerce the result to a single JSON object", f"The result contains {size} rows")
            body = json.dumps(json.loads(body)[0], ensure_ascii=False, separators=(",", ":"))
        answer.append(("Content-Type", f"{OBJECT if OBJECT in accepted else 'application/json'}; charset=utf-8"))
        given = [tuple(header.items())[0] for header in json.loads(headers)] if headers else []
        return int(status or made), answer + given, body

    def log_message(self, format, *arguments):  # noqa: A002 - the name is the base class's
        pass


def serve(read):
    Handler.state = State(read)
    server = http.server.ThreadingHTTPServer((Handler.state.settings["server-host"], int(Handler.state.settings["server-port"])), Handler)
    server.daemon_threads = True
    threading.Thread(target=Handler.state.listen, daemon=True).start()
    print(f"Listening on port {server.server_port}", flush=True)
    server.serve_forever()
