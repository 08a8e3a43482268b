"""Models for boards of personas: a provider on the loopback that answers each kind of step with what it asks for. A model's name says how
it behaves."""

import contextlib
import http.server
import json
import threading
import time

from support import mock

# Seconds before it answers, and the status.
MODELS = {"quick": (0.005, 200), "steady": (0.05, 200), "slow": (0.4, 200), "refusing": (0, 400), "failing": (0.01, 500), "rambling": (0, 200),
          "silent": (20, 200)}
GOOD = ("quick", "steady", "slow")
TOKENS = (100, 50)


def answer_to(schema_name, personas):
    """What a step of a deliberation asks for by that name."""
    return {"decompose": {"sub_problems": [{"title": "When", "description": "By when"}]}, "select": {"persona_codes": personas},
            "choices": {"choices": [{"id": "go", "label": "Go", "description": ""}, {"id": "stay", "label": "Stay", "description": ""}]},
            "vote": {"choice": None, "ranking": [], "approvals": [], "reasoning": "so", "confidence": None},
            "synthesize": {"summary": "We go.", "majority_view": "Go", "dissent": [], "open_risks": [], "recommendations": []}}[schema_name]


class Board:
    """asked: how many calls came; gate: while it is closed they wait, at most 60 s."""

    def __init__(self, personas):
        self.asked, self.lock, self.gate = 0, threading.Lock(), threading.Event()
        self.gate.set()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with owner.lock:
                    owner.asked += 1
                owner.gate.wait(60)
                seconds, status = MODELS[body["model"]]
                time.sleep(seconds)
                schema = body.get("response_format", {}).get("json_schema", {}).get("name")
                said = "We should go." if schema is None or body["model"] == "rambling" else json.dumps(answer_to(schema.removeprefix("deliberation_"), personas))
                self.write(status, {"error": {"message": "scripted"}} if status != 200 else {
                    "id": "c", "object": "chat.completion", "model": body["model"], "usage": dict(zip(("prompt_tokens", "completion_tokens"), TOKENS)),
                    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}]})

            def write(self, status, document):
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

            def handle_error(self, *_):
                # A connection that went away with the server.
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def register(self):
        mock.register_provider("board", f"http://127.0.0.1:{self._server.server_address[1]}/v1", "openai")
        for name in MODELS:
            mock.register_model("board", name, provider_model=name, input_price=1.5, output_price=7.25)
