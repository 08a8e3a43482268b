"""Deliberations against scripted models: what they say in each, how the machine is set going, and what must be true of what it left."""

import contextlib
import itertools
import json
import threading
import time

from support import json_server, mock
from support.database import Person, connect, rows, value
from support.databases import cluster, database, wait_for_engine
from support.tap import equal, wait_until

BOARD = ["growth_hacker", "risk_officer", "engineer", "lawyer"]
CHOICES = [{"id": "go", "label": "Go", "description": ""}, {"id": "stay", "label": "Stay", "description": ""}]
OPENINGS = ["alpha amber anchor apple arrow", "bravo bronze beacon berry bridge", "cobalt canyon carrot cedar copper", "delta dagger denim dune dragon"]
# What set_up fills: the provider, two people with a board each, and the cluster's folder.
models = alice = bob = folder = None
NONSENSE = "neither JSON nor anything that was asked for"
_numbers = itertools.count(1)


class Failure:
    """An answer that is none. status: of HTTP; seconds: how long the model says nothing first."""

    def __init__(self, status=400, seconds=0.0):
        self.status, self.seconds = status, seconds


class Case:
    """What the models say in one deliberation: answer(kind, who, number), where number counts the calls of that kind by that
    model from 1; text, a Failure, or None for what is said where all goes well. While the gate is closed calls wait at it; held: only those
    of a kind, after so many."""

    def __init__(self, answer=lambda kind, who, number: None, held=None):
        self.mark = f"case-{next(_numbers)}-"
        self.answer, self.held, self.asked, self.seconds, self.tokens = answer, held, [], 0.0, 100
        self.gate, self.lock = threading.Event(), threading.Lock()
        self.gate.set()

    def reply(self, kind, who):
        with self.lock:
            self.asked.append((kind, who, time.monotonic()))
            number = sum(1 for k, w, _ in self.asked if (k, w) == (kind, who))
            is_held = self.held is None or kind == self.held[0] and self.count(kind) > self.held[1]
        if is_held:
            self.gate.wait(60)
        time.sleep(self.seconds)
        said = self.answer(kind, who, number)
        return usual(kind, who, number) if said is None else said

    def count(self, kind):
        return sum(1 for k, _, _ in self.asked if k == kind)


def spread(who, number):
    """A text that shares its subject, and little more, with the others' and with the same persona's before."""
    words = " ".join(f"{who}{number}w{n}" for n in range(30))
    return f"We should move the office to the harbour, and the reasons are: {words}"


def usual(kind, who, number):
    return {"decompose": lambda: json.dumps({"sub_problems": [{"title": "Where", "description": "Where to"}, {"title": "When", "description": "By when"}]}),
            "select": lambda: json.dumps({"persona_codes": BOARD}),
            "choices": lambda: json.dumps({"choices": CHOICES}),
            "vote": lambda: json.dumps({"choice": "go", "ranking": ["go", "stay"], "approvals": ["go"], "reasoning": "for growth", "confidence": 0.75}),
            "synthesize": lambda: json.dumps({"summary": "We go.", "majority_view": "Go", "dissent": [], "open_risks": [], "recommendations": ["Go"]}),
            "text": lambda: spread(who, number)}[kind]()


def repeat(kind, who, number):
    return spread(who, 1).replace("We should move the office to the harbour", OPENINGS[BOARD.index(who)]) if kind == "text" and who in BOARD else None


class Models:
    """A provider whose models are the personas; the problem's mark says which case a call belongs to."""

    def __init__(self):
        self.cases = {}
        self._address = json_server.serve(lambda path, headers, body: self._reply(body)).address

    def _reply(self, body):
        told = json.dumps(body["messages"])
        case = next((case for mark, case in self.cases.items() if mark in told), None)
        name = body.get("response_format", {}).get("json_schema", {}).get("name", "text").removeprefix("deliberation_")
        said = case.reply(name, body["model"]) if case else "nothing"
        if isinstance(said, Failure):
            time.sleep(said.seconds)
            return said.status, {"error": {"message": "scripted"}}
        return 200, json_server.completion(body["model"], said, case.tokens if case else 1, 50)

    def register(self, personas):
        mock.register_provider("models", self._address + "/v1", "openai")
        for name in ["board", "moderator", *personas]:
            mock.register_model("models", name, provider_model=name, input_price=1.5, output_price=7.25)


def many(count):
    return [f"persona_{n}" for n in range(1, count + 1)]


def begin(case, personas=BOARD, start=True, max_rounds=3, max_cost=None, max_duration=None, by=None, **options):
    """Creates a deliberation of alice, or of who is given, and starts it; gives its id."""
    by = by or alice
    models.cases[case.mark] = case
    given = {"models": {code: code for code in personas or BOARD}, "moderator_model": "moderator", "moderator": False, "convergence": False, **options}
    made = by.value("SELECT chat.create_deliberation(%s, persona_codes => %s, max_rounds => %s, model => 'board', max_cost => %s::numeric,"
                    " max_duration => %s, options => %s)",
                    f"Should we move the office to the harbour? {case.mark}", personas, max_rounds, max_cost, max_duration, json.dumps(given))
    if start:
        by.value("SELECT chat.start_deliberation(%s)", made)
    return made


def state(deliberation):
    with connect() as admin:
        return value(admin, "SELECT to_jsonb(d) FROM chat.deliberations d WHERE id = %s", deliberation)


def wait_for(deliberation, *statuses, seconds=60):
    """Waits until it has one of the statuses and nothing is under way; gives its row."""
    with connect() as admin:
        wait_until(lambda: value(admin, "SELECT status = ANY (%s) AND NOT EXISTS (SELECT FROM chat.deliberation_steps s WHERE s.deliberation_id = d.id"
                                        " AND s.state = 'open') FROM chat.deliberations d WHERE id = %s", list(statuses), deliberation),
                   f"the deliberation is {' or '.join(statuses)}: {state(deliberation)}", seconds, 0.05)
    return state(deliberation)


def path(deliberation):
    """The phases and rounds it went through, as its history tells them."""
    with connect() as admin:
        return [f"{phase} {number}" for phase, number in
                rows(admin, "SELECT phase, round_number FROM chat.deliberation_checkpoints WHERE deliberation_id = %s AND event = 'phase' ORDER BY seq", deliberation)]


def steps(deliberation):
    """How many steps of each kind there are in each state."""
    with connect() as admin:
        return {f"{kind} {standing}": count for kind, standing, count in
                rows(admin, "SELECT kind, state, count(*) FROM chat.deliberation_steps WHERE deliberation_id = %s GROUP BY 1, 2", deliberation)}


SUMS = """SELECT d.id, d.status, d.total_cost, d.total_tokens,
  (SELECT coalesce(sum(s.cost), 0) FROM chat.deliberation_steps s WHERE s.deliberation_id = d.id),
  (SELECT coalesce(sum(coalesce(s.input_tokens, 0)::bigint + coalesce(s.output_tokens, 0)), 0) FROM chat.deliberation_steps s WHERE s.deliberation_id = d.id),
  (SELECT coalesce(sum(u.cost), 0) FROM chat.usage_events u WHERE u.deliberation_id = d.id),
  (SELECT c.total_cost FROM chat.deliberation_checkpoints c WHERE c.deliberation_id = d.id AND c.seq = d.last_seq)
  FROM chat.deliberations d"""


def check_sums():
    """In one snapshot: of each deliberation the total is the sum of its steps, of its usage, and what its last checkpoint says."""
    with connect() as admin:
        found = rows(admin, SUMS)
    for key, status, cost, tokens, of_steps, step_tokens, of_usage, last in found:
        assert cost == of_steps == of_usage == last and tokens == step_tokens, f"{key} {status}: {cost} {of_steps} {of_usage} {last}, {tokens} {step_tokens}"
    return found


def check_whole(deliberation, personas=BOARD, sums=True):
    """A completed one: nothing twice, which the keys see to, and nothing missing."""
    row = state(deliberation)
    equal(row["status"], "completed", str(row["error"]))
    with connect() as admin:
        equal(value(admin, "SELECT count(*) FROM chat.contributions WHERE deliberation_id = %s AND phase <> 'moderator_intervention'", deliberation),
              row["round_number"] * len(personas), "everybody spoke in each round, once")
        equal(value(admin, "SELECT count(*) FROM chat.votes WHERE deliberation_id = %s", deliberation), len(personas))
        equal(value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE purpose = 'deliberation' AND id IN"
                           " (SELECT id FROM chat.deliberation_steps WHERE deliberation_id = %s)", deliberation), 0, "no request stays")
        equal(value(admin, "SELECT array_agg(seq ORDER BY seq) = array_agg(n) FROM (SELECT seq, row_number() OVER (ORDER BY seq)::integer AS n"
                           " FROM chat.deliberation_checkpoints WHERE deliberation_id = %s) c", deliberation), True, "the history has no gap")
    if sums:
        check_sums()
    return row


def set_up(name):
    """A cluster of that name with a database of boards; gives what removes it."""
    global models, alice, bob, folder
    models = Models()
    stack = contextlib.ExitStack()
    folder = stack.enter_context(cluster(name, "--set", "pgchat.max_retries=0"))
    stack.enter_context(database("boards"))
    wait_for_engine()
    models.register([*BOARD, *many(12)])
    alice, bob = Person("alice"), Person("bob")
    for person, codes in ((alice, [*BOARD, *many(12)]), (bob, BOARD)):
        for code in codes:
            person.value("SELECT chat.save_persona(%s, %s, %s, %s)", code, code.replace("_", " ").title(), f"All about {code}", f"You are {code}. Say what you think.")
    return stack.close
