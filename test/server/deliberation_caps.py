#!/usr/bin/python3
"""What a deliberation may cost and how long it may take: caps of its own, and the limits of its account."""

from support import machine
from support.database import connect, fails, rows, settings, value
from support.machine import CHOICES, Case, begin, check_whole, many, wait_for
from support.tap import equal, run, test, wait_until


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


@test("models without prices: nothing is set aside, nothing costs, and the cap does not stop it")
def no_prices():
    with connect() as admin:
        before = rows(admin, "SELECT name, input_price, output_price FROM chat.models")
        admin.execute("UPDATE chat.models SET input_price = NULL, output_price = NULL")
        try:
            made = begin(Case(), max_rounds=1, decompose=False, choices=CHOICES, max_cost=0.0000001)
            equal(wait_for(made, "completed", "failed", "paused")["total_cost"], 0)
            check_whole(made)
        finally:
            for name, input_price, output_price in before:
                admin.execute("UPDATE chat.models SET input_price = %s, output_price = %s WHERE name = %s", (input_price, output_price, name))


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


close = machine.set_up("deliberation-caps")
alice, bob = machine.alice, machine.bob
run(close)
