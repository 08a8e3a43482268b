#!/usr/bin/python3
"""Deliberations that meet limits of the account or of a provider, a disabled account, or somebody who dawdles: what they cost stays
within what is allowed, nothing is lost, and nobody else waits."""

import contextlib
import json

from support.board import TOKENS, Board
from support.database import PASSWORD, Person, connect, role, rows, settings, value
from support.databases import cluster, database, wait_for_engine
from support.tap import diag, equal, run, test, wait_until

PERSONAS = [f"persona_{n}" for n in range(1, 13)]
# What a call that goes well costs.
COST = (TOKENS[0] * 1.5 + TOKENS[1] * 7.25) / 1e6
ALL_ENDED = ("SELECT count(*) = 0 FROM chat.deliberations d WHERE d.id = ANY (%s) AND (d.status = 'active' OR EXISTS"
             " (SELECT FROM chat.deliberation_steps s WHERE s.deliberation_id = d.id AND s.state = 'open'))")


def person(name, personas=12):
    made = Person(name)
    for code in PERSONAS[:personas]:
        made.value("SELECT chat.save_persona(%s, %s, %s, %s)", code, code, "All about it", "You know all about it.")
    return made


def begin(owner, model="quick", personas=12, max_rounds=1, **options):
    given = {"decompose": False, "convergence": False, "moderator": False, "choices": ["Go", "Stay"], "call_options": {"max_tokens": 50}, **options}
    made = owner.value("SELECT chat.create_deliberation('Shall we go?', persona_codes => %s, max_rounds => %s, model => %s, options => %s)",
                       PERSONAS[:personas], max_rounds, model, json.dumps(given))
    owner.value("SELECT chat.start_deliberation(%s)", made)
    return made


def wait_for_end(deliberations, seconds=60):
    wait_until(lambda: value(admin, ALL_ENDED, deliberations), f"they have ended: {states(deliberations)}", seconds, 0.05)


def states(deliberations):
    return rows(admin, "SELECT DISTINCT status, pause_reason, error ->> 'code' FROM chat.deliberations WHERE id = ANY (%s)", deliberations)


def check_sums(deliberations):
    """What each has cost is what its steps have, and its usage; and every call that was answered is kept."""
    for total, of_steps, of_usage, answered, kept in rows(admin, """
        SELECT d.total_cost, (SELECT coalesce(sum(s.cost), 0) FROM chat.deliberation_steps s WHERE s.deliberation_id = d.id),
          (SELECT coalesce(sum(u.cost), 0) FROM chat.usage_events u WHERE u.deliberation_id = d.id),
          (SELECT count(*) FROM chat.deliberation_steps s WHERE s.deliberation_id = d.id AND s.state = 'complete' AND s.kind IN ('initial', 'contribute', 'vote')),
          (SELECT count(*) FROM chat.contributions c WHERE c.deliberation_id = d.id) + (SELECT count(*) FROM chat.votes v WHERE v.deliberation_id = d.id
            AND v.error IS NULL) FROM chat.deliberations d WHERE d.id = ANY (%s)""", deliberations):
        assert total == of_steps == of_usage, f"{total}, of steps {of_steps}, of usage {of_usage}"
        equal(kept, answered, "what was answered is kept")


def spent(owner):
    return float(value(admin, "SELECT coalesce(sum(cost), 0) FROM chat.usage_events WHERE user_id = %s", owner.id))


@test("204 calls of seventeen boards at once against a monthly budget for 10: at most 10 are sent, all are paused, nothing is lost, and all go on when there is more")
def budget():
    owner = person("spender")
    value(admin, "SELECT chat.admin_set_limits(%s, %s)", owner.id, json.dumps({"cost_per_month": round(10 * COST, 6)}))
    before = board.asked
    made = [begin(owner, "steady") for _ in range(17)]
    wait_for_end(made)
    equal(states(made), [("paused", "limit", None)])
    asked = board.asked
    diag(f"{asked - before} calls sent, spent {spent(owner):.6f} of {10 * COST:.6f}")
    assert 0 < asked - before <= 10, asked - before
    assert 0 < spent(owner) <= 10 * COST, spent(owner)
    check_sums(made)
    said = value(admin, "SELECT count(*) FROM chat.contributions WHERE deliberation_id = ANY (%s)", made)
    value(admin, "SELECT chat.admin_set_limits(%s, '{}')", owner.id)
    for one in made:
        owner.value("SELECT chat.resume_deliberation(%s)", one)
    wait_for_end(made)
    equal(states(made), [("completed", None, None)])
    check_sums(made)
    equal(board.asked - asked, 17 * 25 - said, "nobody is asked twice")


@test("the tokens of a day are used up in the middle of a round: paused, and what was said stays")
def tokens():
    owner = person("talker")
    value(admin, "SELECT chat.admin_set_limits(%s, '{\"tokens_per_day\": 1500}')", owner.id)
    made = begin(owner, "steady", max_rounds=2)
    wait_for_end([made])
    equal(states([made]), [("paused", "limit", None)])
    assert 0 < value(admin, "SELECT count(*) FROM chat.contributions WHERE deliberation_id = %s", made) < 12
    check_sums([made])
    value(admin, "SELECT chat.admin_set_limits(%s, '{}')", owner.id)
    owner.value("SELECT chat.resume_deliberation(%s)", made)
    wait_for_end([made])
    equal(states([made]), [("completed", None, None)])
    check_sums([made])


@test("an account that is disabled: its deliberations are paused with that, and go on when their owner resumes them")
def disabled():
    owner = person("suspect", 4)
    board.gate.clear()
    made = begin(owner, personas=4)
    wait_until(lambda: value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE user_id = %s AND state = 'running'", owner.id) == 4, "all are asked")
    value(admin, "SELECT chat.admin_set_active(%s, false)", owner.id)
    equal(states([made]), [("paused", "cancelled", None)])
    board.gate.set()
    wait_for_end([made])
    check_sums([made])
    value(admin, "SELECT chat.admin_set_active(%s, true)", owner.id)
    with connect(user=role("pgchat_client")) as client:
        owner.token = value(client, "SELECT session_token FROM chat.login(%s, %s)", f"{owner.name}@example.com", PASSWORD)
    owner.connection = owner.connect()
    owner.value("SELECT chat.resume_deliberation(%s)", made)
    wait_for_end([made])
    equal(states([made]), [("completed", None, None)])


@test("an account that is disabled while all its calls are in the queue: paused at once")
def disabled_in_queue():
    owner, other = person("suspect", 3), person("other", 2)
    with settings(pgchat__max_calls=1):
        board.gate.clear()
        first = begin(other, personas=2)
        wait_until(lambda: value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE user_id = %s AND state = 'running'", other.id) == 1, "there is no more room")
        made = begin(owner, personas=3)
        value(admin, "SELECT chat.admin_set_active(%s, false)", owner.id)
        equal(states([made]), [("paused", "cancelled", None)])
        equal(value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE user_id = %s", owner.id), 0, "requests left")
        board.gate.set()
        wait_for_end([first])
    check_sums([made])


@test("an owner who keeps a deliberation locked cannot keep the account from being disabled")
def disabled_while_locked():
    owner = person("clinger", 3)
    board.gate.clear()
    made = begin(owner, personas=3)
    with owner.connection.transaction():
        owner.value("SELECT chat.fork_deliberation(%s)", made)
        admin.execute("SET statement_timeout = '20s'")
        value(admin, "SELECT chat.admin_set_active(%s, false)", owner.id)
        admin.execute("RESET statement_timeout")
        board.gate.set()
    wait_for_end([made])
    equal(states([made]), [("paused", "cancelled", None)])
    check_sums([made])


@test("an administrator who dawdles while disabling an account keeps nobody's answers back")
def dawdling():
    owner, other = person("slowpoke", 6), person("other", 2)
    with settings(pgchat__max_calls=2):
        board.gate.clear()
        # Two are under way, the others are in the queue.
        made = begin(owner, personas=6)
        wait_until(lambda: value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE user_id = %s AND state = 'running'", owner.id) == 2, "two are asked")
        with connect() as dawdler, dawdler.transaction():
            # As chat.admin_set_active does, before it has come to those under way.
            rows(dawdler, "SELECT FROM chat_private.llm_requests WHERE user_id = %s AND state = 'queued' FOR UPDATE", owner.id)
            value(admin, "SELECT chat.admin_set_limits(%s, '{\"cost_per_month\": 0}')", owner.id)
            value(admin, "UPDATE chat.deliberations SET max_cost = 0.00000001 WHERE id = %s RETURNING true", made)
            board.gate.set()
            wait_until(lambda: value(admin, "SELECT count(*) FROM chat.deliberation_steps WHERE deliberation_id = %s AND state = 'complete'", made) == 2,
                       "what was answered is recorded")
            value(admin, "SELECT chat.admin_set_limits(%s, '{}')", owner.id)
            value(admin, "UPDATE chat.deliberations SET max_cost = NULL WHERE id = %s RETURNING true", made)
            second = begin(other, personas=2)
            wait_for_end([second])
            equal(states([second]), [("completed", None, None)])
    wait_for_end([made])
    equal(states([made]), [("completed", None, None)])
    check_sums([made])


@test("a provider that is left alone after failures: the steps rest, and go on when it can be asked again")
def suspended():
    owner = person("patient", 4)
    with settings(pgchat__breaker_failures=2, pgchat__breaker_pause="2s"):
        failing = begin(owner, "failing", personas=2)
        wait_until(lambda: value(admin, "SELECT count(*) FROM chat.usage_events WHERE deliberation_id = %s AND outcome = 'error'", failing) >= 2, "it has failed twice")
        owner.value("SELECT chat.kill_deliberation(%s)", failing)
        made = begin(owner, personas=4)
        wait_until(lambda: value(admin, "SELECT count(*) FROM chat.deliberation_steps WHERE deliberation_id = %s AND error ->> 'code' = 'provider_suspended'",
                                 made) >= 1, "it is told that it is left alone")
        equal(value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE user_id = %s AND state NOT IN ('waiting', 'running')", owner.id), 0, "none is asked at once")
        # As the engine does every minute.
        wait_until(lambda: value(admin, "SELECT chat_private.release_stranded() IS NOT NULL") and value(admin, ALL_ENDED, [made]), f"it has ended: {states([made])}", 60, 2.1)
    equal(states([made]), [("completed", None, None)])
    equal(value(admin, "SELECT count(*) FROM chat.contributions WHERE deliberation_id = %s", made), 4, "nobody is absent")
    check_sums([made])


@test("a board of 12 with 10 calls a minute: those above it rest, can be paused and killed meanwhile, and nobody is absent")
def rate():
    owner = person("hasty")
    value(admin, "SELECT chat.admin_set_limits(%s, '{\"requests_per_minute\": 10}')", owner.id)
    made = begin(owner)
    wait_until(lambda: value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE user_id = %s AND state = 'waiting'", owner.id) == 2
               and value(admin, "SELECT count(*) FROM chat.contributions WHERE deliberation_id = %s", made) == 10, "two rest", 30)
    forked = owner.value("SELECT chat.fork_deliberation(%s)", made)
    owner.value("SELECT chat.pause_deliberation(%s)", made)
    wait_for_end([made])
    owner.value("SELECT chat.start_deliberation(%s)", forked)
    wait_until(lambda: value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE user_id = %s AND state = 'waiting'", owner.id) == 2, "two rest again", 30)
    owner.value("SELECT chat.kill_deliberation(%s)", forked)
    wait_for_end([forked])
    equal(value(admin, "SELECT count(*) FROM chat_private.llm_requests WHERE user_id = %s", owner.id), 0)
    value(admin, "SELECT chat.admin_set_limits(%s, '{}')", owner.id)
    owner.value("SELECT chat.resume_deliberation(%s)", made)
    wait_for_end([made])
    equal(states([made]), [("completed", None, None)])
    equal(value(admin, "SELECT count(*) FROM chat.contributions WHERE deliberation_id = %s", made), 12, "nobody is absent")
    check_sums([made])


@test("8 boards of 12 whose calls end together: they go on bit by bit, and none is asked twice")
def together():
    owner = person("many")
    board.gate.clear()
    before = board.asked
    made = [begin(owner) for _ in range(8)]
    wait_until(lambda: board.asked - before == 96, "all are asked", 60)
    board.gate.set()
    wait_for_end(made, 120)
    equal(states(made), [("completed", None, None)])
    check_sums(made)
    equal(board.asked - before, 8 * 25)


@test("a client that starts a board of 12 looks everything up by indexes")
def indexes():
    owner = person("brisk")
    with owner.connection.transaction():
        begin(owner)
        found = {name for name, in owner.rows("SELECT relname::text FROM pg_stat_xact_user_tables WHERE schemaname IN ('chat', 'chat_private') AND seq_scan > 0")}
        diag(f"read as a whole: {found}")
        assert not found & {"models", "deliberations", "deliberation_steps", "deliberation_participants", "contributions", "llm_requests", "personas"}, found


stack = contextlib.ExitStack()
stack.enter_context(cluster("deliberation-limits", "--set", "pgchat.max_retries=0", "--set", "pgchat.breaker_failures=0"))
stack.enter_context(database("boards"))
wait_for_engine(seconds=30)
admin = connect()
board = Board(PERSONAS)
board.register()
run(stack.close)
