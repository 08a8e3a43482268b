"""A provider's server of JSON on the loopback, for models that a test scripts."""

import contextlib
import http.server
import json
import sys
import threading


def serve(reply):
    """Answers each POST in a thread of its own, until the server that this gives is stopped, or the process ends; its address is in
    `address`. reply: makes (status, document) of the request's path, headers and document."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, document = reply(self.path, self.headers, asked)
            written = json.dumps(document).encode()
            with contextlib.suppress(ConnectionError):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(written)))
                self.end_headers()
                self.wfile.write(written)

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def stop(self):
            self.shutdown()
            self.server_close()

        def handle_error(self, request, client_address):
            # A connection that went away with the database server.
            if not isinstance(sys.exc_info()[1], ConnectionError):
                super().handle_error(request, client_address)

    server = Server(("127.0.0.1", 0), Handler)
    server.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def completion(model, said, input_tokens, output_tokens):
    """A whole reply in OpenAI's form."""
    return {"id": "c", "object": "chat.completion", "model": model, "usage": {"prompt_tokens": input_tokens, "completion_tokens": output_tokens},
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}]}
