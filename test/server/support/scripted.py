"""A provider on the loopback that says what a test tells it to, in the form of each family, and keeps what it was asked."""

import json

from support import json_server, mock


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
        self.base_url = json_server.serve(self._reply).address

    def _reply(self, path, headers, body):
        self.bodies.append(body)
        self.paths.append(path)
        return 200, self.answer(path, body)

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
