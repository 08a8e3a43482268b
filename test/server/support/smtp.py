"""A mail server on the loopback that keeps what it is given, and refuses what it is told to."""

import contextlib
import email
import email.policy
import socketserver
import threading


class _Session(socketserver.StreamRequestHandler):
    def handle(self):
        # A sender that was refused closes without a word.
        with contextlib.suppress(ConnectionError):
            self._converse()

    def _converse(self):
        self._say(220, "ready")
        recipient = None
        for line in self.rfile:
            command, _, argument = line.decode().strip().partition(" ")
            command = command.upper()
            if command == "RCPT":
                recipient = argument.partition("<")[2].partition(">")[0]
                code = self.server.refusals.get(recipient)
                self._say(code, "refused") if code else self._say(250, "ok")
            elif command == "DATA":
                self._say(354, "go on")
                self.server.take(recipient, self._data())
                self._say(250, "taken")
            elif command == "QUIT":
                self._say(221, "bye")
                return
            else:
                self._say(250, "ok")

    def _say(self, code, text):
        self.wfile.write(f"{code} {text}\r\n".encode())

    def _data(self):
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)


class MailServer(socketserver.ThreadingTCPServer):
    """Listens on a port that the kernel chooses, as `port`. refusals: recipients and the code each gets."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Session)
        self.port = self.server_address[1]
        self.refusals = {}
        self._taken = []
        self._lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def take(self, recipient, data):
        with self._lock:
            self._taken.append((recipient, email.message_from_bytes(data, policy=email.policy.default)))

    def mails(self, recipient=None):
        """The mails that came, for one recipient or for all, as (recipient, message)."""
        with self._lock:
            return [mail for mail in self._taken if recipient in (None, mail[0])]
