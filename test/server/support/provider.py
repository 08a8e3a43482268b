"""A provider of one test: an HTTP server on the loopback that answers as it is told and remembers what it was asked."""

import contextlib
import http.server
import json
import sys
import threading


class Provider:
    """`answer` maps a path (without its query) to (status, body, headers) or to a function of the request's path that gives
    them; what is not there is 404. `requests` are (method, path with query, headers, body)."""

    def __init__(self, host="127.0.0.1"):
        self.answer, self.requests = {}, []
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                provider.requests.append((self.command, self.path, dict(self.headers.items()), body))
                told = provider.answer.get(self.path.split("?")[0], (404, "{}", {}))
                status, text, headers = told(self.path) if callable(told) else told
                data = text if isinstance(text, bytes) else text.encode()
                self.send_response(status)
                for name, content in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
                    self.send_header(name, content)
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # who asked may have had enough
                    self.wfile.write(data)

            do_POST = do_GET

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                if not isinstance(sys.exc_info()[1], ConnectionError):
                    super().handle_error(request, client_address)

        self.server = Server((host, 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://{host}:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def tell(self, path, document, status=200, **headers):
        """Answers the path with a document: text as it is, all else as JSON."""
        text = document if isinstance(document, (str, bytes)) else json.dumps(document)
        self.answer[path] = (status, text, {name.replace("_", "-"): content for name, content in headers.items()})

    def paths(self):
        return [path for _, path, _, _ in self.requests]

    def forget(self):
        self.answer.clear()
        self.requests.clear()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def completion(text="hello"):
    """A whole reply in OpenAI's form."""
    return {"id": "1", "object": "chat.completion", "model": "m", "usage": {"prompt_tokens": 1, "completion_tokens": 1},
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}]}
