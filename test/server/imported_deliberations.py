#!/usr/bin/python3
"""Deliberations that were moved in from a Board of One: going on with them to their end, and what comes from there later."""

import json
import os
import pathlib
import subprocess

from support.database import connect, role, rows, value
from support.scripted import Scripted
from support.tap import equal, run, test, wait_until

SOURCE = pathlib.Path(os.environ["PGCHAT_SOURCE"])


class Board(Scripted):
    """Answers as a board does: JSON where a schema is given, else a speech."""

    def answer(self, path, body):
        kind = body.get("response_format", {}).get("json_schema", {}).get("name", "").removeprefix("deliberation_")
        self.replies = [{"choices": lambda: json.dumps({"choices": [{"id": "small", "label": "Small", "description": ""}, {"id": "large", "label": "Large", "description": ""}]}),
                         "vote": lambda: json.dumps({"choice": "small", "ranking": ["small", "large"], "approvals": ["small"], "reasoning": "it is safer", "confidence": 0.5}),
                         "synthesize": lambda: json.dumps({"summary": "We begin small.", "majority_view": "Small", "dissent": [], "open_risks": [], "recommendations": ["Begin"]}),
                         }.get(kind, lambda: f"Speech {len(self.bodies)}: " + " ".join(f"word{len(self.bodies)}x{n}" for n in range(30)))()]
        return super().answer(path, body)


def psql(*files, **variables):
    arguments = [word for name, given in variables.items() for word in ("-v", f"{name}={given}")]
    arguments += [word for file in files for word in ("-f", str(SOURCE / file))]
    done = subprocess.run(["psql", "-Xq", *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def move_in():
    """Gives what was written, by table."""
    lines = [[cell.strip() for cell in line.split("|")] for line in psql("sql/import/board_of_one.sql", source="old").splitlines() if "|" in line]
    last = next(n for n, line in enumerate(lines) if line[:2] == ["source_table", "kind"])
    return {line[0]: int(line[2]) for line in lines[1:last]}


def here(table, old_id):
    with connect() as admin:
        return value(admin, "SELECT new_id FROM chat.import_map WHERE source_table = %s AND old_id = %s", table, old_id)


def findings(table, old_id):
    with connect() as admin:
        return {reason for reason, in rows(admin, "SELECT reason FROM chat.import_findings WHERE source_table = %s AND old_id = %s", table, old_id)}


def state(deliberation):
    with connect() as admin:
        return value(admin, "SELECT to_jsonb(d) FROM chat.deliberations d WHERE id = %s", deliberation)


def balance(deliberation):
    """What all that counts its cost says of it, which is one figure."""
    with connect() as admin:
        wait_until(lambda: value(admin, "SELECT count(*) = 1 FROM (SELECT total_cost FROM chat.deliberations WHERE id = %s UNION SELECT sum(cost) FROM chat.deliberation_steps WHERE deliberation_id = %s"
                                        " UNION SELECT sum(cost) FROM chat.usage_events WHERE deliberation_id = %s) t", deliberation, deliberation, deliberation), "its sums are equal")


def add(table, **row):
    with connect() as admin:
        admin.execute(f"INSERT INTO old.{table} ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})", tuple(row.values()))


psql("test/systems/schema/board_of_one.sql", "test/systems/generate/board_of_one.sql", ON_ERROR_STOP=1, source="old", users=12, messages=800)
written = move_in()
board = Board()
model = board.register()["openai"]
with connect() as setup:
    value(setup, "SELECT chat.admin_set_default_model(%s)", model)
    token = value(setup, "SELECT token FROM chat_private.open_session(%s, NULL, NULL, NULL, false)", here("users", "dirty"))
dirty = connect(user=role("pgchat_client"))
value(dirty, "SELECT chat.authenticate(%s, false)", token)


@test("a second run writes nothing")
def _():
    assert written["contributions"] > 800, written
    equal(move_in(), dict.fromkeys(written, 0))


@test("what comes there later comes here later")
def _():
    half = here("sessions", "dirty-12")
    add("contributions", id=910000, session_id="dirty-12", persona_code="expert_4", content="I would wait.", round_number=2, phase="deliberation", cost="0.4", tokens=40, model="m")
    with connect() as admin:
        admin.execute("UPDATE old.sessions SET total_cost = 1.25, total_tokens = 125, max_rounds = 2 WHERE id = 'dirty-12'")
    report = move_in()
    equal((report["contributions"], report["sessions"]), (1, 0))
    after = state(half)
    equal((after["status"], after["round_number"], after["total_cost"], after["total_tokens"]), ("paused", 2, 1.25, 125))
    balance(half)
    with connect() as admin:
        equal(rows(admin, "SELECT persona_code, seat FROM chat.deliberation_participants WHERE deliberation_id = %s ORDER BY seat", half),
              [("moderator", 0), ("expert_2", 1), ("expert_3", 2), ("expert_4", 3)])
        equal(value(admin, "SELECT count(*) = max(seq) FROM chat.deliberation_checkpoints WHERE deliberation_id = %s", half), True)
    equal(move_in(), dict.fromkeys(written, 0))


@test("one that was paused in the middle of a round is resumed, and goes on to its end")
def _():
    half = here("sessions", "dirty-12")
    value(dirty, "SELECT chat.resume_deliberation(%s)", half)
    with connect() as admin:
        wait_until(lambda: value(admin, "SELECT status IN ('completed', 'failed') FROM chat.deliberations WHERE id = %s", half), "it has ended")
    ended = state(half)
    equal((ended["status"], ended["phase"], ended["error"]), ("completed", "synthesis", None))
    equal(ended["synthesis"]["summary"], "We begin small.")
    equal(ended["outcome"]["winner"], "small")
    with connect() as admin:
        equal(rows(admin, "SELECT persona_code FROM chat.contributions WHERE deliberation_id = %s AND round_number = 2 AND model <> 'm'", half), [("expert_3",)], "only who had not spoken was asked")
        equal(value(admin, "SELECT count(*) FROM chat.votes WHERE deliberation_id = %s AND choice = 'small'", half), 3)
    balance(half)
    told = json.dumps(board.bodies[-1])
    assert "I would begin small" in told or "Small, I said" in told, "what was said there is told to the models"


@test("with what people have gone on here, later rows from there are reported and not mixed in")
def _():
    before = state(here("sessions", "dirty-12"))
    add("contributions", id=910001, session_id="dirty-12", persona_code="expert_5", content="Too late.", round_number=2, phase="deliberation", cost="0.1", tokens=10, model="m")
    equal(move_in()["contributions"], 0)
    equal(findings("contributions", "910001"), {"session_went_on"})
    equal(state(here("sessions", "dirty-12")), before)
    value(dirty, "SELECT chat.delete_deliberation(%s)", here("sessions", "dirty-08"))
    add("contributions", id=910002, session_id="dirty-08", persona_code="expert_5", content="Too late.", round_number=0, phase="initial_round", cost="0.1", tokens=10, model="m")
    equal(move_in()["contributions"], 0)
    equal(findings("contributions", "910002"), {"session_gone"})


@test("one that was completed can be forked, and gets a synthesis")
def _():
    with connect() as admin:
        done, owner = rows(admin, "SELECT id, user_id FROM chat.deliberations WHERE status = 'completed' AND synthesis IS NULL AND choices IS NOT NULL ORDER BY id LIMIT 1")[0]
        key = value(admin, "SELECT token FROM chat_private.open_session(%s, NULL, NULL, NULL, false)", owner)
    person = connect(user=role("pgchat_client"))
    value(person, "SELECT chat.authenticate(%s, false)", key)
    fork = value(person, "SELECT chat.fork_deliberation(%s)", done)
    person.execute("CALL chat.run_deliberation(%s)", (fork,))
    equal(state(fork)["synthesis"]["summary"], "We begin small.")
    balance(fork)


@test("usage is rolled up, and the chain of the audit log goes on")
def _():
    with connect() as admin:
        wait_until(lambda: value(admin, "SELECT sum(cost) FROM chat.usage_rollups") == value(admin, "SELECT sum(cost) FROM chat.usage_events"), "all events are rolled up")
        equal(value(admin, "SELECT sum(cost) FROM chat.usage_by_model"), value(admin, "SELECT sum(cost) FROM chat.usage_events"))
        equal(rows(admin, "SELECT first_bad_id, reason FROM chat.verify_audit_log()"), [(None, None)])


run()
