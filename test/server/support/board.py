"""Models for boards of personas: a provider on the loopback that answers each kind of step with what it asks for. A model's name says how
it behaves."""

import json
import threading
import time

from support import json_server, mock

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
        self._address = json_server.serve(lambda path, headers, body: self._reply(body, personas)).address

    def _reply(self, body, personas):
        with self.lock:
            self.asked += 1
        self.gate.wait(60)
        seconds, status = MODELS[body["model"]]
        time.sleep(seconds)
        if status != 200:
            return status, {"error": {"message": "scripted"}}
        schema = body.get("response_format", {}).get("json_schema", {}).get("name")
        said = "We should go." if schema is None or body["model"] == "rambling" else json.dumps(answer_to(schema.removeprefix("deliberation_"), personas))
        return status, json_server.completion(body["model"], said, *TOKENS)

    def register(self):
        mock.register_provider("board", self._address + "/v1", "openai")
        for name in MODELS:
            mock.register_model("board", name, provider_model=name, input_price=1.5, output_price=7.25)
