"""A provider that notes the key of each request, and answers in OpenAI's form."""

import http.server
import json
import threading

_REPLY = json.dumps({"id": "x", "object": "chat.completion", "model": "keyed",
                     "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "seen"}}],
                     "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}).encode()


class KeyedProvider:
    """Serves on a port of its own until closed; `keys` are the headers that carried keys, in order, and `paths` the URLs' paths."""

    def __init__(self):
        self.keys, self.paths, noted = [], [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", "0")))
                noted.keys.append(self.headers.get("Authorization") or self.headers.get("x-api-key") or self.headers.get("api-key"))
                noted.paths.append(self.path)
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(_REPLY)))
                self.end_headers()
                self.wfile.write(_REPLY)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.base_url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def last(self):
        """The key of the last request; None for a request without one."""
        return self.keys[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
