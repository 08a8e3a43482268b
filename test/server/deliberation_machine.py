#!/usr/bin/python3
"""The state machine of deliberations against scripted models: every transition, failures in every phase, caps, kills, crashes
of the engine and restarts of the server; and that what they cost is counted exactly, at every moment."""

import contextlib
import http.server
import itertools
import json
import threading
import time

from support import mock
from support.cluster import control, start
from support.database import Person, connect, fails, rows, settings, value
from support.databases import cluster, database, kill_engine, wait_for_engine
from support.tap import diag, equal, run, test, wait_until

BOARD = ["growth_hacker", "risk_officer", "engineer", "lawyer"]
CHOICES = [{"id": "go", "label": "Go", "description": ""}, {"id": "stay", "label": "Stay", "description": ""}]
OPENINGS = ["alpha amber anchor apple arrow", "bravo bronze beacon berry bridge", "cobalt canyon carrot cedar copper", "delta dagger denim dune dragon"]
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


class Models:
    """A provider whose models are the personas; the problem's mark says which case a call belongs to."""

    def __init__(self):
        self.cases = {}
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told = json.dumps(body["messages"])
                case = next((case for mark, case in owner.cases.items() if mark in told), None)
                name = body.get("response_format", {}).get("json_schema", {}).get("name", "text").removeprefix("deliberation_")
                said = case.reply(name, body["model"]) if case else "nothing"
                if isinstance(said, Failure):
                    time.sleep(said.seconds)
                    self.write(said.status, {"error": {"message": "scripted"}})
                    return
                self.write(200, {"id": "c", "object": "chat.completion", "model": body["model"],
                                 "usage": {"prompt_tokens": case.tokens if case else 1, "completion_tokens": 50},
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

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def register(self, personas):
        mock.register_provider("models", self.base_url, "openai")
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


@test("a whole run: decomposed, chosen by a model, three rounds, choices, votes, synthesis")
def whole():
    case = Case()
    made = begin(case, personas=None)
    row = wait_for(made, "completed", "failed")
    check_whole(made)
    equal(path(made), ["persona_selection 0", "initial_round 1", "deliberation 2", "deliberation 3", "voting 3", "synthesis 3"])
    equal(row["rounds_ended_by"], "max_rounds")
    equal(row["synthesis"]["summary"], "We go.")
    equal(len(row["sub_problems"]), 2)
    equal(steps(made), {"decompose complete": 1, "select complete": 1, "initial complete": 4, "contribute complete": 8, "choices complete": 1,
                        "vote complete": 4, "synthesize complete": 1})


@test("what is given is not asked for: personas, choices, no decomposition")
def given():
    case = Case()
    made = begin(case, max_rounds=1, decompose=False, choices=CHOICES)
    row = wait_for(made, "completed", "failed")
    check_whole(made)
    equal(path(made), ["persona_selection 0", "initial_round 1", "voting 1", "synthesis 1"])
    equal(steps(made), {"initial complete": 4, "vote complete": 4, "synthesize complete": 1})
    equal(len(row["sub_problems"]), 1)
    equal([c["id"] for c in row["choices"]], ["go", "stay"])


@test("the board agrees: converged, though there are rounds left")
def converged():
    case = Case(lambda kind, who, number: spread("all", 1) if kind == "text" else None)
    made = begin(case, max_rounds=8, decompose=False, convergence={})
    row = wait_for(made, "completed", "failed")
    check_whole(made)
    equal((row["rounds_ended_by"], row["round_number"]), ("converged", 2))


@test("the board is of one opinion at once: the moderator intervenes, and the deliberation goes on")
def one_sided():
    case = Case(lambda kind, who, number: spread("all", 1) if kind == "text" and who != "moderator" and number == 1 else None)
    made = begin(case, decompose=False, moderator=True, convergence={})
    wait_for(made, "completed", "failed")
    check_whole(made)
    equal(path(made)[1:4], ["initial_round 1", "moderator_intervention 1", "deliberation 2"])
    equal(steps(made)["moderate complete"], 1)


def repeat(kind, who, number):
    return spread(who, 1).replace("We should move the office to the harbour", OPENINGS[BOARD.index(who)]) if kind == "text" and who in BOARD else None


@test("the board repeats itself: the moderator intervenes once, and the second time it stalls the vote comes")
def stalled():
    made = begin(Case(repeat), decompose=False, max_rounds=9, moderator=True, convergence={"focus": 0})
    row = wait_for(made, "completed", "failed")
    check_whole(made)
    equal((row["rounds_ended_by"], row["round_number"]), ("stalled", 3))
    equal(path(made)[1:5], ["initial_round 1", "deliberation 2", "moderator_intervention 2", "deliberation 3"])


@test("a moderator who fails is left out")
def no_moderator():
    case = Case(lambda kind, who, number: Failure() if who == "moderator" else repeat(kind, who, number))
    made = begin(case, decompose=False, max_rounds=3, moderator=True, convergence={"focus": 0})
    row = wait_for(made, "completed", "failed")
    check_whole(made)
    equal(row["rounds_ended_by"], "max_rounds")
    assert steps(made)["moderate failed"] >= 1, steps(made)


FAILURES = {"refused": Failure(400), "failed": Failure(500), "nonsense": NONSENSE, "empty": ""}


@test("a call fails once in each kind of step: it is made again, and nothing is missing")
def fails_once():
    def answer(kind, who, number):
        return Failure(500) if number == 1 and (kind != "text" or who == "engineer") else None

    made = begin(Case(answer), personas=None)
    wait_for(made, "completed", "failed")
    check_whole(made)
    found = steps(made)
    equal({kind: found.get(f"{kind} failed") for kind in ("decompose", "select", "initial", "choices", "vote", "synthesize")},
          {"decompose": 1, "select": 1, "initial": 1, "choices": 1, "vote": 4, "synthesize": 1})


@test("one persona fails, times out, or answers nothing, for good: the others go on")
def persona_fails():
    for name, failure in {**FAILURES, "slow": Failure(200, 5)}.items():
        if name == "nonsense":
            continue  # A text is a text.
        case = Case(lambda kind, who, number, failure=failure: failure if who == "lawyer" else None)
        made = begin(case, decompose=False, max_rounds=2, choices=CHOICES, call_timeout_ms=2000 if name == "slow" else 60000)
        row = wait_for(made, "completed", "failed")
        equal(row["status"], "completed", f"{name}: {row['error']}")
        with connect() as admin:
            equal(value(admin, "SELECT count(*) FROM chat.contributions WHERE deliberation_id = %s", made), 6, name)
            equal(rows(admin, "SELECT persona_code, error ->> 'code' IS NOT NULL FROM chat.votes WHERE deliberation_id = %s AND is_abstention", made),
                  [("lawyer", True)], name)
        # What cannot pass is asked once, all else twice.
        equal(steps(made)["vote failed"], 1 if name == "refused" else steps(made)["vote failed"], name)
        check_sums()


@test("nonsense for good in each structured step")
def nonsense():
    for kind, status in {"decompose": "completed", "select": "failed", "choices": "completed", "vote": "completed", "synthesize": "completed"}.items():
        case = Case(lambda asked, who, number, kind=kind: NONSENSE if asked == kind else None)
        made = begin(case, personas=None, max_rounds=1)
        row = wait_for(made, "completed", "failed")
        equal(row["status"], status, f"{kind}: {row['error']}")
        if status == "failed":
            equal(row["error"]["code"], "invalid_structured_reply", kind)
        if kind == "decompose":
            equal(len(row["sub_problems"]), 1)
        if kind == "choices":
            equal((row["choices"], row["outcome"]["reason"], row["outcome"]["winner"]), (None, "no_choices", None))
        if kind == "synthesize":
            # Asked for as text, in which nothing can be out of form.
            equal((row["synthesis"]["is_text"], row["synthesis"]["dissent"]), (True, None))
            assert row["synthesis"]["summary"].startswith("We should move the office"), row["synthesis"]
            equal((steps(made)["synthesize failed"], steps(made)["synthesize complete"]), (1, 1))
        if kind == "vote":
            with connect() as admin:
                equal(value(admin, "SELECT count(*) FROM chat.votes WHERE deliberation_id = %s AND is_abstention AND error IS NOT NULL", made), 4)
        check_sums()


@test("a model that says nothing of the conclusion: it fails, and resuming asks for it in its form again")
def no_conclusion():
    case = Case(lambda kind, who, number: (NONSENSE if kind == "synthesize" else "" if kind == "text" and who == "board" else None))
    made = begin(case, max_rounds=1)
    row = wait_for(made, "completed", "failed")
    equal((row["status"], row["phase"], row["synthesis"]), ("failed", "synthesis", None))
    case.answer = lambda kind, who, number: None
    asked = case.count("synthesize")
    alice.value("SELECT chat.resume_deliberation(%s)", made)
    row = wait_for(made, "completed", "failed")
    equal((row["status"], row["synthesis"]["summary"], row["synthesis"].get("is_text")), ("completed", "We go.", None))
    equal(case.count("synthesize"), asked + 1)
    check_whole(made)


@test("too few speak in a round: it fails with the reason, and resuming asks them again")
def quorum():
    broken = {"yes": True}
    case = Case(lambda kind, who, number: Failure() if broken["yes"] and who in BOARD[1:] and kind == "text" and number > 1 else None)
    made = begin(case, max_rounds=2, decompose=False)
    row = wait_for(made, "completed", "failed")
    equal((row["status"], row["phase"], row["round_number"], row["error"]["code"]), ("failed", "deliberation", 2, "provider_rejected_request"))
    check_sums()
    broken["yes"] = False
    alice.value("SELECT chat.resume_deliberation(%s)", made)
    wait_for(made, "completed", "failed")
    check_whole(made)
    equal(case.count("synthesize"), 1)


@test("a cap on the cost: it pauses before what it could not pay, and goes on when there is more")
def max_cost():
    case = Case()
    made = begin(case, max_cost=0.0000001)
    row = wait_for(made, "paused", "completed", "failed")
    equal((row["status"], row["pause_reason"], float(row["total_cost"]), len(case.asked)), ("paused", "max_cost", 0.0, 0))
    alice.value("SELECT chat.resume_deliberation(%s, max_cost => 0.08)", made)
    row = wait_for(made, "paused", "completed", "failed")
    equal((row["status"], row["pause_reason"]), ("paused", "max_cost"))
    assert 0 < row["total_cost"] <= 0.08, row["total_cost"]
    with connect() as admin:
        # Never more than was set aside when the last steps were queued.
        equal(value(admin, "SELECT bool_and(cost <= reserved_cost) FROM chat.deliberation_steps WHERE deliberation_id = %s", made), True)
    alice.value("SELECT chat.resume_deliberation(%s, max_cost => 100)", made)
    wait_for(made, "completed", "failed")
    check_whole(made)


@test("a cap is reached in the middle of a round, for calls cost more than was thought: what is not sent is not sent")
def cap_in_round():
    case = Case()
    case.tokens = 1000000  # 1.5 each
    with settings(pgchat__max_calls=3):
        case.gate.clear()
        made = begin(case, personas=many(12), decompose=False, max_rounds=1, choices=CHOICES, max_cost=1)
        wait_until(lambda: case.count("text") == 3, "as many are sent as there is room for")
        case.gate.set()
        row = wait_for(made, "paused", "completed", "failed")
    equal((row["status"], row["pause_reason"]), ("paused", "max_cost"))
    sent = case.count("text")
    with connect() as admin:
        equal(value(admin, "SELECT count(*) FROM chat.contributions WHERE deliberation_id = %s", made), sent, "what was sent is recorded")
        equal(rows(admin, "SELECT state, count(*), sum(cost) > 0 FROM chat.deliberation_steps WHERE deliberation_id = %s GROUP BY 1 ORDER BY 1", made),
              [("cancelled", 12 - sent, False), ("complete", sent, True)])
        equal(value(admin, "SELECT count(*) FROM chat.usage_events WHERE deliberation_id = %s", made), sent)
    case.tokens = 100
    alice.value("SELECT chat.resume_deliberation(%s, max_cost => 100)", made)
    wait_for(made, "completed", "failed")
    check_whole(made, many(12))
    equal(case.count("text"), 12, "nobody is asked twice")
    with connect() as admin:
        equal(value(admin, "SELECT max(attempt) FROM chat.deliberation_steps WHERE deliberation_id = %s", made), 1)


@test("a cap on the time: calls are cut off at it, and it pauses")
def max_duration():
    case = Case()
    case.seconds = 6
    made = begin(case, decompose=False, max_duration="2 seconds")
    row = wait_for(made, "paused", "completed", "failed")
    equal((row["status"], row["pause_reason"]), ("paused", "max_duration"))
    case.seconds = 0
    alice.value("SELECT chat.resume_deliberation(%s, max_duration => '1 hour')", made)
    wait_for(made, "completed", "failed")
    check_whole(made)


@test("a limit of the account pauses it")
def account_limit():
    with connect() as admin:
        value(admin, "SELECT chat.admin_set_limits(%s, '{\"tokens_per_day\": 1}')", alice.id)
        made = begin(Case())
        row = wait_for(made, "paused", "completed", "failed")
        equal((row["status"], row["pause_reason"]), ("paused", "limit"))
        value(admin, "SELECT chat.admin_set_limits(%s, '{}')", alice.id)
    alice.value("SELECT chat.resume_deliberation(%s)", made)
    wait_for(made, "completed", "failed")
    check_whole(made)


@test("the plan's messages a day count for its calls, too: it pauses when they are made")
def message_limit():
    with connect() as admin:
        value(admin, "SELECT chat.admin_save_plan('few', 'Few', limits => '{\"messages_per_day\": 3}')")
        plan = value(admin, "SELECT plan FROM chat.users WHERE id = %s", bob.id)
        value(admin, "SELECT chat.admin_set_plan(%s, 'few')", bob.id)
        case = Case()
        made = begin(case, max_rounds=3, decompose=False, choices=CHOICES, by=bob)
        row = wait_for(made, "paused", "completed", "failed")
        equal((row["status"], row["pause_reason"], case.count("text")), ("paused", "limit", 4))
        fails("PC303", lambda: bob.value("SELECT chat.resume_deliberation(%s)", made))
        value(admin, "SELECT chat.admin_set_plan(%s, %s)", bob.id, plan)
    bob.value("SELECT chat.resume_deliberation(%s)", made)
    wait_for(made, "completed", "failed")
    check_whole(made)


@test("a provider that claims more tokens than there can be harms nobody: they are counted as the most there can be")
def claims():
    boasts, other = Case(), Case()
    boasts.tokens = 5_000_000_000
    ids = [begin(case, max_rounds=1, decompose=False, choices=CHOICES) for case in (boasts, other)]
    for made in ids:
        wait_for(made, "completed", "failed")
        check_whole(made)


@test("paused: what is under way is recorded, nothing more is sent; resumed: nobody is asked twice")
def paused():
    case = Case()
    case.gate.clear()
    made = begin(case, decompose=False)
    wait_until(lambda: case.count("text") == 4, "the round is under way")
    alice.value("SELECT chat.pause_deliberation(%s)", made)
    case.gate.set()
    row = wait_for(made, "paused")
    equal((row["pause_reason"], len(case.asked)), ("requested", 4))
    with connect() as admin:
        equal(value(admin, "SELECT count(*) FROM chat.contributions WHERE deliberation_id = %s", made), 4)
    alice.value("SELECT chat.resume_deliberation(%s)", made)
    wait_for(made, "completed", "failed")
    check_whole(made)
    equal(case.count("text"), 12)


@test("killed: calls under way end at once, what they cost is counted, and nothing is said")
def killed():
    case = Case()
    case.gate.clear()
    made = begin(case, personas=many(12), decompose=False)
    wait_until(lambda: case.count("text") == 12, "the round is under way")
    began = time.monotonic()
    alice.value("SELECT chat.kill_deliberation(%s, 'enough')", made)
    row = wait_for(made, "killed")
    diag(f"{time.monotonic() - began:.3f} s from the kill to the last step's end")
    case.gate.set()
    equal(steps(made), {"initial cancelled": 12})
    with connect() as admin:
        equal(value(admin, "SELECT count(*) FROM chat.contributions WHERE deliberation_id = %s", made), 0)
        equal(value(admin, "SELECT count(*) FROM chat.usage_events WHERE deliberation_id = %s AND outcome = 'cancelled'", made), 12)
    check_sums()
    equal(row["killed_by"], str(alice.id))


@test("somebody holds a deliberation while its calls end: others' are recorded, and its own when it is let go")
def held():
    case, other = Case(), Case()
    case.gate.clear()
    made = begin(case, decompose=False, max_rounds=1, choices=CHOICES)
    wait_until(lambda: case.count("text") == 4, "the round is under way")
    with connect() as holder, holder.transaction():
        holder.execute("SELECT FROM chat.deliberations WHERE id = %s FOR UPDATE", (made,))
        case.gate.set()
        check_whole((wait_for(begin(other), "completed", "failed"))["id"])
        equal(steps(made), {"initial open": 4})
    wait_for(made, "completed", "failed")
    check_whole(made)


@test("what fails inside the machine ends that deliberation alone")
def broken():
    case, other = Case(), Case()
    made, fine = begin(case, start=False, decompose=False), begin(other, start=False, decompose=False)
    with connect() as admin:
        admin.execute("CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no'; END$$")
        admin.execute(f"CREATE TRIGGER refuse BEFORE INSERT ON chat.contributions FOR EACH ROW WHEN (NEW.deliberation_id = '{made}') EXECUTE FUNCTION public.refuse()")
        try:
            for one in (made, fine):
                alice.value("SELECT chat.start_deliberation(%s)", one)
            row = wait_for(made, "failed", "completed")
            wait_for(fine, "completed", "failed")
        finally:
            admin.execute("DROP FUNCTION public.refuse() CASCADE")
    equal((row["status"], row["error"]["code"]), ("failed", "internal"))
    check_whole(fine)
    alice.value("SELECT chat.resume_deliberation(%s)", made)
    wait_for(made, "completed", "failed")
    check_whole(made)


@test("20 deliberations at once, and the sums are right at every moment")
def at_once():
    cases = [Case() for _ in range(20)]
    for case in cases:
        case.seconds = 0.05
    made = [begin(case, personas=None) for case in cases]
    looks = 0
    while any(status == "active" for key, status, *_ in check_sums() if str(key) in map(str, made)):
        looks += 1
        assert looks < 2000, "they do not end"
        time.sleep(0.05)
    for one in made:
        wait_for(one, "completed", "failed")
        check_whole(one, sums=False)
    diag(f"{looks} looks at the sums meanwhile")


@test("a round of 12 personas against models that take a second")
def in_parallel():
    case = Case()
    case.seconds = 1.0
    made = begin(case, personas=many(12), decompose=False, max_rounds=2, choices=CHOICES)
    wait_for(made, "completed", "failed")
    check_whole(made, many(12))
    with connect() as admin:
        took = [float(seconds) for seconds, in rows(admin, "SELECT extract(epoch FROM max(finished_at) - min(created_at)) FROM chat.deliberation_steps"
                                                           " WHERE deliberation_id = %s AND kind IN ('initial', 'contribute', 'vote') GROUP BY kind, round_number", made)]
    diag(f"rounds took {', '.join(f'{seconds:.3f}' for seconds in took)} s")
    # One after the other they would take 12.
    assert max(took) < 6, took


@test("kill -9 of the engine in each phase: it goes on, nothing twice, nothing lost, each cost once")
def crashes():
    # Of each stage the kind of its calls, and which of them, from and to, are held.
    stages = {"decompose": ("decompose", 1, 1), "select": ("select", 1, 1), "initial": ("text", 1, 4), "moderate": ("text", 5, 5),
              "contribute": ("text", 6, 9), "choices": ("choices", 1, 1), "vote": ("vote", 1, 4), "synthesize": ("synthesize", 1, 1)}
    cases = {}
    for stage, (kind, first, last) in stages.items():
        case = Case(lambda kind, who, number: spread("all", 1) if kind == "text" and who != "moderator" and number == 1 else None, held=(kind, first - 1))
        case.gate.clear()
        cases[stage] = (case, begin(case, personas=None, max_rounds=2, moderator=True))
    for stage, (case, made) in cases.items():
        wait_until(lambda: case.count(stages[stage][0]) >= stages[stage][2], f"{stage} is under way: {steps(made)}", 60)
    kill_engine()
    check_sums()
    alice.connection = alice.connect()
    for case, _ in cases.values():
        case.gate.set()
    for stage, (case, made) in cases.items():
        wait_for(made, "completed", "failed", seconds=90)
        check_whole(made)
        with connect() as admin:
            lost = rows(admin, "SELECT kind, count(*) FROM chat.deliberation_steps WHERE deliberation_id = %s AND error ->> 'code' = 'outcome_unknown'"
                               " AND cost > 0 GROUP BY kind", made)
        equal(lost, [(stage, stages[stage][2] - stages[stage][1] + 1)], f"{stage}: what was under way is paid for")


@test("paused over a restart of the server, and running over one")
def restart():
    waits, goes = Case(), Case()
    waits.gate.clear()
    paused_one, running_one = begin(waits, decompose=False), begin(goes, start=False)
    wait_until(lambda: waits.count("text") == 4, "the round is under way")
    alice.value("SELECT chat.pause_deliberation(%s)", paused_one)
    waits.gate.set()
    wait_for(paused_one, "paused")
    goes.gate.clear()
    alice.value("SELECT chat.start_deliberation(%s)", running_one)
    wait_until(lambda: goes.count("decompose") == 1, "it is under way")
    control("stop", folder)
    goes.gate.set()
    start(folder)
    wait_for_engine(seconds=30)
    alice.connection = alice.connect()
    wait_for(running_one, "completed", "failed")
    check_whole(running_one)
    equal(state(paused_one)["status"], "paused")
    alice.value("SELECT chat.resume_deliberation(%s)", paused_one)
    wait_for(paused_one, "completed", "failed")
    check_whole(paused_one)
    equal(waits.count("text"), 12)


models = Models()
stack = contextlib.ExitStack()
folder = stack.enter_context(cluster("deliberation-machine", "--set", "pgchat.max_retries=0"))
stack.enter_context(database("boards"))
wait_for_engine()
models.register([*BOARD, *many(12)])
alice, bob = Person("alice"), Person("bob")
for person, codes in ((alice, [*BOARD, *many(12)]), (bob, BOARD)):
    for code in codes:
        person.value("SELECT chat.save_persona(%s, %s, %s, %s)", code, code.replace("_", " ").title(), f"All about {code}", f"You are {code}. Say what you think.")
run(stack.close)
