#!/usr/bin/python3
"""Models of a board that fail: what is asked again, who is left out, and what becomes of the deliberation."""

from support import machine
from support.database import connect, rows, value
from support.machine import BOARD, CHOICES, NONSENSE, Case, Failure, begin, check_sums, check_whole, repeat, steps, wait_for
from support.tap import equal, run, test


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


close = machine.set_up("deliberation-failures")
alice = machine.alice
run(close)
