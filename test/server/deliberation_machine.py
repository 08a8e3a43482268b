#!/usr/bin/python3
"""The state machine of deliberations against scripted models: every transition, and that what they cost is counted exactly, at every moment."""

import time

from support import machine
from support.database import connect, rows
from support.machine import CHOICES, Case, begin, check_sums, check_whole, many, path, repeat, spread, steps, wait_for
from support.tap import diag, equal, run, test


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


@test("the board repeats itself: the moderator intervenes once, and the second time it stalls the vote comes")
def stalled():
    made = begin(Case(repeat), decompose=False, max_rounds=9, moderator=True, convergence={"focus": 0})
    row = wait_for(made, "completed", "failed")
    check_whole(made)
    equal((row["rounds_ended_by"], row["round_number"]), ("stalled", 3))
    equal(path(made)[1:5], ["initial_round 1", "deliberation 2", "moderator_intervention 2", "deliberation 3"])


@test("a provider that claims more tokens than there can be harms nobody: they are counted as the most there can be")
def claims():
    boasts, other = Case(), Case()
    boasts.tokens = 5_000_000_000
    ids = [begin(case, max_rounds=1, decompose=False, choices=CHOICES) for case in (boasts, other)]
    for made in ids:
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


close = machine.set_up("deliberation-machine")
run(close)
