"""A provider on the loopback that says what a test tells it to, in the form of each family, and keeps what it was asked."""

import http.server
import json
import threading

from support import mock


def _usage(tokens):
    return {"prompt_tokens": tokens, "completion_tokens": tokens, "total_tokens": 2 * tokens}


def _openai(content, calls):
    message = {"role": "assistant", "content": content}
    if calls:
        message["tool_calls"] = [{"id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
                                 for n, (name, arguments) in enumerate(calls)]
    return {"id": "c", "object": "chat.completion", "model": "scripted", "usage": _usage(10),
            "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}]}


def _anthropic(content, calls):
    blocks = [{"type": "text", "text": content}] if content else []
    blocks += [{"type": "tool_use", "id": f"call_{n}", "name": name, "input": arguments} for n, (name, arguments) in enumerate(calls)]
    return {"id": "m", "type": "message", "role": "assistant", "model": "scripted", "content": blocks,
            "stop_reason": "tool_use" if calls else "end_turn", "usage": {"input_tokens": 10, "output_tokens": 10}}


def _ollama(content, calls):
    message = {"role": "assistant", "content": content or ""}
    if calls:
        message["tool_calls"] = [{"function": {"name": name, "arguments": arguments}} for name, arguments in calls]
    return {"model": "scripted", "message": message, "done": True, "done_reason": "stop", "prompt_eval_count": 10, "eval_count": 10}


FORMS = {"openai": ("/chat/completions", _openai), "anthropic": ("/messages", _anthropic), "ollama": ("/api/chat", _ollama)}


class Scripted:
    """`replies`: what is answered next, texts or lists of (function, arguments); `bodies`: the requests, as JSON."""

    def __init__(self):
        self.replies, self.bodies, self.paths = [], [], []
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.bodies.append(body)
                owner.paths.append(self.path)
                written = json.dumps(owner.answer(self.path, body)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(written)))
                self.end_headers()
                self.wfile.write(written)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, path, body):
        if path.endswith("/embeddings"):
            return {"object": "list", "model": "scripted", "usage": _usage(3),
                    "data": [{"object": "embedding", "index": n, "embedding": [float(n), 1.0]} for n in range(len(body["input"]))]}
        if path.endswith("/api/embed"):
            return {"model": "scripted", "embeddings": [[float(n), 1.0] for n in range(len(body["input"]))], "prompt_eval_count": 3}
        reply = self.replies.pop(0) if self.replies else "fine"
        form = next(form for ending, form in FORMS.values() if path.endswith(ending))
        return form(None, reply) if isinstance(reply, list) else form(reply, [])

    def register(self, prefix="scripted", **options):
        """Registers a provider and a model of each family; gives the models' names by family."""
        models = {}
        for kind in FORMS:
            mock.register_provider(f"{prefix}-{kind}", self.base_url + ("" if kind == "ollama" else "/v1"), kind, options)
            models[kind] = f"{prefix}-{kind}-model"
            mock.register_model(f"{prefix}-{kind}", models[kind], provider_model="scripted", input_price=1, output_price=1)
        return models

    def last(self, count=1):
        return self.bodies[-count:]
