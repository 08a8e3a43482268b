#!/usr/bin/python3
"""Controlling deliberations while they run, and from two sessions at once: what a kill stops, what a pause leaves, and that of two who
decide together one does and the other is told."""

import json
import urllib.parse

from support import mock
from support.database import Person, connect, fails, outcome, role, rows, service, value
from support.tap import Task, diag, equal, run, test, wait_until

PERSONAS = ["growth_hacker_of_test", "lawyer_of_test", "engineer_of_test"]
START, PAUSE, RESUME, KILL = (f"SELECT chat.{name}_deliberation(%s)" for name in ("start", "pause", "resume", "kill"))
# What the personas say in every step, and what the model that concludes does.
VOTES = "text=" + urllib.parse.quote(json.dumps({"choice": "choice_1", "ranking": ["choice_1"], "approvals": [], "reasoning": "so", "confidence": 0.5}))
CONCLUDES = "text=" + urllib.parse.quote(json.dumps({"summary": "Go.", "majority_view": "Go", "dissent": [], "open_risks": [], "recommendations": []}))
OPTIONS = {"decompose": False, "convergence": False, "choices": ["Go", "Stay"], "call_timeout_ms": 120000}


def open_board(person, model, start=True, max_rounds=2, **options):
    """A deliberation of three personas with one model; gives its id."""
    made = person.value("SELECT chat.create_deliberation('Shall we go?', persona_codes => %s, max_rounds => %s, model => %s, options => %s)",
                        PERSONAS, max_rounds, model, json.dumps({**OPTIONS, **options}))
    if start:
        person.value(START, made)
    return made


def row(deliberation):
    return value(admin, "SELECT to_jsonb(d) FROM chat.deliberations d WHERE id = %s", deliberation)


def steps(deliberation, state):
    return value(admin, "SELECT count(*) FROM chat.deliberation_steps WHERE deliberation_id = %s AND state = %s", deliberation, state)


def under_way(deliberation):
    return value(admin, "SELECT count(*) FROM chat.deliberation_steps s JOIN chat_private.llm_requests q ON q.user_id = s.user_id AND q.id = s.id"
                        " WHERE s.deliberation_id = %s AND q.state = 'running'", deliberation)


def wait_for(deliberation, status):
    wait_until(lambda: row(deliberation)["status"] == status and steps(deliberation, "open") == 0, f"it is {status}: {row(deliberation)}", 60, 0.05)
    return row(deliberation)


def check_sums(deliberation):
    found = row(deliberation)
    equal((found["total_cost"], found["total_tokens"]), tuple(rows(
        admin, "SELECT coalesce(sum(cost), 0)::float, coalesce(sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)), 0)::integer"
               " FROM chat.deliberation_steps WHERE deliberation_id = %s", deliberation)[0]), "totals")


def at_once(deliberation, *statements, repeat=1):
    """Runs each statement on connections of their own, together; gives what each came to, sorted."""
    connections = [(alice.connect(), statement) for statement in statements for _ in range(repeat)]
    with connect() as gate:
        gate.execute("SELECT pg_advisory_lock(6)")
        tasks = [Task(outcome, connection, "WITH gate AS MATERIALIZED (SELECT pg_advisory_lock_shared(6)) " + statement + " FROM gate", deliberation)
                 for connection, statement in connections]
        wait_until(lambda: value(admin, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == len(tasks), "all are at the gate", 60)
        gate.execute("SELECT pg_advisory_unlock(6)")
        got = sorted(str(task.result()) for task in tasks)
    for connection, _ in connections:
        connection.close()
    return got


def history(deliberation):
    return [event for event, in rows(admin, "SELECT event FROM chat.deliberation_checkpoints WHERE deliberation_id = %s"
                                            " AND event NOT IN ('phase', 'step') ORDER BY seq", deliberation)]


@test("started from eight sessions at once: one starts it, the others are told; each persona is asked once")
def _():
    made = open_board(alice, mock.model("hang=head"), start=False)
    equal(at_once(made, START, repeat=8), ["55000"] * 7 + ["None"])
    equal(value(admin, "SELECT count(DISTINCT persona_code) = count(*) AND count(*) = 3 FROM chat.deliberation_steps WHERE deliberation_id = %s", made), True)
    alice.value(KILL, made)
    wait_for(made, "killed")


@test("a kill aborts the calls under way; nothing is asked afterwards")
def _():
    made = open_board(alice, mock.model("hang=head"))
    wait_until(lambda: under_way(made) == 3, "all three are asked", 60)
    alice.value("SELECT chat.kill_deliberation(%s, 'enough')", made)
    found = wait_for(made, "killed")
    equal((found["kill_reason"], found["killed_by"], found["active_since"]), ("enough", str(alice.id), None))
    diag(value(admin, "SELECT 'calls ended after ' || extract(epoch FROM max(s.finished_at) - d.killed_at) || ' s' FROM chat.deliberation_steps s"
                      " JOIN chat.deliberations d ON d.id = s.deliberation_id WHERE d.id = %s GROUP BY d.killed_at", made))
    equal(value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE purpose = 'deliberation' AND user_id = %s", alice.id), 0, "requests left")
    equal((steps(made, "complete"), history(made)[-1]), (0, "killed"))
    check_sums(made)


@test("killed by an administrator and by the service, calls under way included")
def _():
    with service() as operator:
        made = open_board(alice, mock.model("hang=head"))
        wait_until(lambda: under_way(made) == 3, "all three are asked", 60)
        value(operator, "SELECT chat.kill_deliberation(%s, 'operator')", made)
        equal(wait_for(made, "killed")["killed_by"], None)
    root = Person("root")
    value(admin, "SELECT chat.admin_set_role(%s, 'admin')", root.id)
    made = open_board(alice, mock.model("hang=head"))
    wait_until(lambda: under_way(made) == 3, "all three are asked", 60)
    fails("P0002", bob.value, KILL, made)
    with connect(user=role("pgchat_client")) as client:
        value(client, "SELECT chat.authenticate(%s, false)", value(client, "SELECT session_token FROM chat.login(%s, 'correct-horse-9')", f"{root.name}@example.com"))
        value(client, KILL, made)
        equal(value(client, "SELECT count(*) FROM chat.deliberations"), 0, "what an administrator reads of it")
    equal(wait_for(made, "killed")["killed_by"], str(root.id))


@test("a pause lets calls under way end, and count; resumed, nobody is asked twice")
def _():
    made = open_board(alice, mock.model("tokens=3&latency_ms=1500"))
    wait_until(lambda: under_way(made) == 3, "all three are asked", 60)
    alice.value(PAUSE, made)
    found = wait_for(made, "paused")
    equal((found["pause_reason"], steps(made, "complete")), ("requested", 3))
    equal(value(admin, "SELECT count(*) FROM chat.contributions WHERE deliberation_id = %s", made), 3, "contributions")
    check_sums(made)
    alice.value(RESUME, made)
    wait_until(lambda: row(made)["round_number"] == 2, "the next round begins", 60)
    equal(value(admin, "SELECT count(*) FROM chat.deliberation_steps WHERE deliberation_id = %s AND kind = 'initial'", made), 3, "first calls")
    alice.value(KILL, made)
    wait_for(made, "killed")


@test("paused, resumed and killed from many sessions at once: what is allowed happens once, and a kill is final")
def _():
    for number in range(3):
        made = open_board(alice, mock.model("hang=head"))
        got = at_once(made, PAUSE, RESUME, repeat=4)
        assert set(got) == {"None", "55000"}, got
        events = history(made)
        equal([event for event in events if event not in ("created", "started")],
              [("paused", "resumed")[n % 2] for n in range(len(events) - 2)], "pauses and resumptions alternate")
        got = at_once(made, KILL, PAUSE, RESUME, repeat=3)
        assert set(got) <= {"None", "55000"} and got.count("None") >= 1, got
        events = history(made)
        equal((events.count("killed"), events[-1]), (1, "killed"), f"kills in run {number}")
        wait_for(made, "killed")
        equal([outcome(alice.connection, statement, made) for statement in (START, PAUSE, RESUME, KILL)], ["55000"] * 4, "afterwards")
        check_sums(made)


@test("deleted while its calls are under way, and forked at the same time: nothing is left of it, and its fork runs")
def _():
    made = open_board(alice, mock.model("hang=head"))
    wait_until(lambda: under_way(made) == 3, "all three are asked", 60)
    fork = alice.value("SELECT chat.fork_deliberation(%s)", made)
    got = at_once(made, "SELECT chat.delete_deliberation(%s)", "SELECT chat.fork_deliberation(%s)", repeat=3)
    assert set(got) <= {"None", "P0002"} and got.count("None") >= 1, got
    equal(row(made), None)
    equal(value(admin, "SELECT count(*) FROM chat.deliberation_steps WHERE deliberation_id = %s", made), 0)
    wait_until(lambda: value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE purpose = 'deliberation' AND user_id = %s", alice.id) == 0, "no request is left")
    equal((row(fork)["phase"], row(fork)["round_number"], row(fork)["total_cost"]), ("initial_round", 1, 0))
    alice.value(START, fork)
    wait_until(lambda: under_way(fork) == 3, "the fork asks", 60)
    alice.value(KILL, fork)
    wait_for(fork, "killed")


@test("a fork in the middle of a round asks those who had not spoken, and pays for them alone")
def _():
    slow, quick = mock.model("hang=head"), mock.model("tokens=3")
    made = open_board(alice, quick, models={PERSONAS[1]: slow})
    wait_until(lambda: value(admin, "SELECT count(*) FROM chat.contributions WHERE deliberation_id = %s", made) == 2, "two have spoken", 60)
    fork = alice.value("SELECT chat.fork_deliberation(%s)", made)
    alice.value(KILL, made)
    equal(rows(admin, "SELECT persona_code, cost, copied_from IS NOT NULL FROM chat.contributions WHERE deliberation_id = %s ORDER BY 1", fork),
          [(code, 0, True) for code in sorted((PERSONAS[0], PERSONAS[2]))])
    alice.value(START, fork)
    wait_until(lambda: steps(fork, "open") == 1, "it asks", 60)
    equal(rows(admin, "SELECT kind, persona_code FROM chat.deliberation_steps WHERE deliberation_id = %s", fork), [("initial", PERSONAS[1])])
    alice.value(KILL, fork)
    wait_for(fork, "killed")
    wait_for(made, "killed")


@test("a fork from every checkpoint of a whole deliberation goes on to its end, with nothing twice and only what was missing asked")
def _():
    made = open_board(alice, mock.model(CONCLUDES), models={code: mock.model(VOTES) for code in PERSONAS}, moderator=False, convergence=False)
    wait_for(made, "completed")
    last = row(made)["last_seq"]
    asked = value(admin, "SELECT count(*) FROM chat.deliberation_steps WHERE deliberation_id = %s", made)
    equal(asked, 3 + 3 + 3 + 1, "calls of the whole")
    forks = [alice.value("SELECT chat.fork_deliberation(%s, %s)", made, seq) for seq in range(1, last + 1)]
    for fork in forks:
        alice.value(START, fork)
    for seq, fork in enumerate(forks, 1):
        wait_for(fork, "completed")
        check_sums(fork)
        kept = value(admin, "SELECT (SELECT count(*) FROM chat.contributions WHERE deliberation_id = %(f)s AND copied_from IS NOT NULL)"
                            " + (SELECT count(*) FROM chat.votes WHERE deliberation_id = %(f)s AND copied_from IS NOT NULL)".replace("%(f)s", f"'{fork}'"))
        equal((value(admin, "SELECT count(*) FROM chat.contributions WHERE deliberation_id = %s", fork),
               value(admin, "SELECT count(*) FROM chat.votes WHERE deliberation_id = %s AND NOT is_abstention", fork),
               value(admin, "SELECT count(*) FROM chat.deliberation_rounds WHERE deliberation_id = %s", fork),
               value(admin, "SELECT count(*) FROM chat.deliberation_steps WHERE deliberation_id = %s", fork) + kept),
              (6, 3, 2, asked), f"the fork at {seq}")


@test("an account that is removed takes its deliberations along, calls under way included")
def _():
    leaver = Person("leaver")
    made = open_board(leaver, mock.model("hang=head"))
    wait_until(lambda: under_way(made) == 3, "all three are asked", 60)
    leaver.value("SELECT chat.delete_my_account('correct-horse-9')")
    for table in ("chat.deliberations", "chat.deliberation_steps", "chat.deliberation_checkpoints", "chat_private.llm_requests"):
        equal(value(admin, f"SELECT count(*) FROM {table} WHERE user_id = %s", leaver.id), 0, table)
    wait_until(lambda: value(admin, "SELECT calls_in_flight = 0 FROM chat.engine_status()"), "no call is under way", 60)


admin = connect()
value(admin, "INSERT INTO chat.personas (user_id, code, name, expertise, category, system_prompt)"
             " SELECT '00000000-0000-0000-0000-000000000000', code, code, 'Knows.', 'tests', 'You are ' || code FROM unnest(%s::text[]) code RETURNING code", PERSONAS)
alice, bob = Person("alice"), Person("bob")
run()
