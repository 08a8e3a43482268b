#!/usr/bin/python3
"""Deliberations that are paused, killed, held by somebody, or lose the engine or the server: nothing twice, nothing lost, each cost once."""

import time

from support import machine
from support.cluster import control, start
from support.database import connect, role, rows, value
from support.databases import kill_engine, wait_for_engine
from support.machine import CHOICES, Case, begin, check_sums, check_whole, many, spread, state, steps, wait_for
from support.tap import diag, equal, run, test, wait_until


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
        wait_until(lambda: value(admin, "SELECT count(*) FROM chat.usage_events WHERE deliberation_id = %s AND outcome = 'cancelled'", made) == 12,
                   "the usage of the calls is written")
    check_sums()
    equal(row["killed_by"], str(alice.id))


@test("whoever listens is told of each that ends or pauses, by its id, and of nothing that is undone")
def told():
    with connect(user=role("pgchat_client")) as listener:
        listener.execute("LISTEN pgchat_deliberations")
        case, gated = Case(), Case()
        gated.gate.clear()
        done, paused_one = begin(case, max_rounds=1, decompose=False, choices=CHOICES), begin(gated, max_rounds=1, decompose=False, choices=CHOICES)
        wait_until(lambda: gated.count("text") == 4, "the round is under way")
        with alice.connection.transaction(force_rollback=True):
            alice.value("SELECT chat.pause_deliberation(%s)", paused_one)
        heard = []
        listener.add_notify_handler(lambda notice: heard.append(notice.payload))

        def has_heard(*wanted):
            listener.execute("SELECT 1")
            return sorted(heard) == sorted(str(one) for one in wanted)

        wait_for(done, "completed", "failed")
        wait_until(lambda: has_heard(done), f"the end is told, and nothing else: {heard}")
        alice.value("SELECT chat.pause_deliberation(%s)", paused_one)
        wait_until(lambda: has_heard(done, paused_one), "the pause is told")
        alice.value("SELECT chat.kill_deliberation(%s)", paused_one)
        wait_until(lambda: has_heard(done, paused_one, paused_one), "the kill is told")
        gated.gate.set()
        wait_for(paused_one, "killed")


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

@test("the time that the server is down does not count for max_duration")
def downtime():
    case = Case()
    case.gate.clear()
    made = begin(case, decompose=False, max_rounds=1, choices=CHOICES, max_duration="90 minutes")
    wait_until(lambda: case.count("text") == 4, "the round is under way")
    # As if the server went down an hour ago, and came up only now.
    with connect() as admin:
        admin.execute("UPDATE chat.deliberations SET active_since = active_since - interval '2 hours', updated_at = updated_at - interval '1 hour' WHERE id = %s", (made,))
        admin.execute("UPDATE chat_private.llm_requests SET started_at = started_at - interval '1 hour' WHERE purpose = 'deliberation'")
    control("stop", folder, "immediate")
    case.gate.set()
    start(folder)
    wait_for_engine(seconds=30)
    alice.connection = alice.connect()
    row = wait_for(made, "completed", "failed", "paused")
    equal((row["status"], row["pause_reason"]), ("completed", None))
    # An hour before the server went down counts.
    assert 3_600_000 <= row["active_ms"] < 5_400_000, row["active_ms"]


close = machine.set_up("deliberation-crashes")
alice, folder = machine.alice, machine.folder
run(close)
