#!/usr/bin/env python3
"""Takes in Stripe's webhooks and gives them to pgchat, which checks and applies them.

The database is that of PGHOST, PGDATABASE, PGUSER …, the role a member of pgchat_service. Listens on the loopback, port PORT (8787): put a
web server with TLS before it, and register its address with Stripe. The answer is 200 for whatever pgchat has taken in, 400 (413 for more
than 1 MiB) for what it never will, and 500 for what it may take in later. Stripe sends an event again after any answer but 2xx, for days."""

import http.server
import os
import sys
import threading

import psycopg

LONGEST_BODY = 1 << 20
LONGEST_SIGNATURE = 4096
NEVER = ("28000", "22023", "54000")  # a bad signature, no event, too long

# Anybody can post here: however many do, no more connections are open at once.
connections = threading.BoundedSemaphore(4)


def take_in(body, signature):
    """The status to answer with, and what became of the event."""
    if not signature or len(signature) > LONGEST_SIGNATURE:
        return 400, "it is not signed"
    try:
        with connections, psycopg.connect("", autocommit=True) as database:
            outcome, detail = database.execute(
                "SELECT outcome, detail FROM chat.billing_webhook('stripe', %s, %s)", (body.decode(), signature)).fetchone()
        return 200, f"{outcome} {detail or ''}"
    except UnicodeDecodeError:
        return 400, "the body is not UTF-8"
    except psycopg.Error as error:
        return 400 if error.sqlstate in NEVER else 500, f"{error.sqlstate} {error}"


class Endpoint(http.server.BaseHTTPRequestHandler):
    timeout = 30

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LONGEST_BODY:
            return self.send_error(413)
        # Byte for byte as it came: the signature is over that.
        status, became = take_in(self.rfile.read(int(length)), self.headers.get("Stripe-Signature", ""))
        print(status, became, file=sys.stderr, flush=True)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8787"))), Endpoint).serve_forever()
