"""Raw HTTP for tests: sends a request over a socket and keeps the reply's bytes and their arrival times."""
import json
import os
import socket
import ssl
import subprocess
import tempfile
import time


class Server:
    """A mock_provider of its own on a port the kernel chooses; ends with the with-block."""

    def __init__(self, binary, *arguments):
        self.directory = tempfile.TemporaryDirectory()
        port_file = os.path.join(self.directory.name, "port")
        self.process = subprocess.Popen([binary, "--port-file", port_file, *arguments], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not os.path.exists(port_file):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the mock provider did not start")
            time.sleep(0.01)
        with open(port_file) as file:
            self.port = int(file.read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.directory.cleanup()

    def admin(self, path, method="GET"):
        return json.loads(Connection(self.port).call(path, None, method=method).body)


class Reply:
    def __init__(self):
        self.raw = b""        # everything that came
        self.segments = []    # (time, bytes) of each receive
        self.status = 0
        self.headers = {}
        self.body = b""       # without the chunked coding
        self.chunks = []      # the chunks, where there were any
        self.ended = "open"   # complete, eof, reset, timeout

    def events(self):
        """The data of the SSE events, or the lines of NDJSON, as parsed JSON; [DONE] as a string."""
        text = self.body.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
        if "json" in self.headers.get("content-type", ""):
            return [json.loads(line) for line in text.splitlines()]
        data = [line[6:] for line in text.split("\n") if line.startswith("data: ")]
        return [line if line == "[DONE]" else json.loads(line) for line in data]

    def json(self):
        return json.loads(self.body)


class Connection:
    """One keep-alive connection."""

    def __init__(self, port, tls_ca=None):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls_ca:
            self.socket = ssl.create_default_context(cafile=tls_ca).wrap_socket(self.socket, server_hostname="localhost")

    def send(self, path, body, headers=(), method="POST"):
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: mock", f"Content-Length: {len(data)}", *headers]
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + data)

    def call(self, path, body, headers=(), method="POST", timeout=20.0):
        self.send(path, body, headers, method)
        return self.read(timeout)

    def read(self, timeout=20.0):
        """Reads one reply, until it is complete, the connection ends, or `timeout` seconds pass without a byte."""
        reply = Reply()
        self.socket.settimeout(timeout)
        while not _complete(reply):
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                reply.ended = "timeout"
                break
            except ConnectionResetError:
                reply.ended = "reset"
                break
            if not data:
                reply.ended = "eof"
                break
            reply.segments.append((time.monotonic(), data))
            reply.raw += data
        return reply


def _complete(reply):
    """Parses what has come so far; true when the reply is whole."""
    head, found, rest = reply.raw.partition(b"\r\n\r\n")
    if not found or not head.startswith(b"HTTP/1."):
        return False
    lines = head.decode("latin-1").split("\r\n")
    reply.status = int(lines[0].split()[1])
    reply.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if reply.headers.get("transfer-encoding") == "chunked":
        done = _read_chunks(reply, rest)
    elif "content-length" in reply.headers:
        reply.body = rest
        done = len(rest) >= int(reply.headers["content-length"])
    else:
        reply.body = rest
        done = False
    if done:
        reply.ended = "complete"
    return done


def _read_chunks(reply, rest):
    reply.chunks = []
    done = False
    while True:
        size, found, rest = rest.partition(b"\r\n")
        length = int(size, 16) if found else 0
        if not found or len(rest) < length + 2:
            break
        if length == 0:
            done = True
            break
        reply.chunks.append(rest[:length])
        rest = rest[length + 2:]
    reply.body = b"".join(reply.chunks)
    return done
