#!/usr/bin/python3
# Following a deliberation while it runs, and waiting for its end in a procedure.
import json
import os
import socket
import statistics
import time

import psycopg

from support import mock
from support.database import Person, connect, engine, fails, rows, value
from support.tap import Skip, Task, diag, equal, run, test, wait_until

FOLLOW = ("SELECT (f).seq, (f).event, (f).kind, (f).phase, (f).round_number, (f).persona_code, (f).name, (f).content"
          " FROM (SELECT chat.follow_deliberation(%s, %s) AS f OFFSET 0) s")
RUN = "CALL chat.run_deliberation(%s)"
TABLES = ("SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace"
          " WHERE l.pid = %s AND n.nspname IN ('chat', 'chat_private')")
# Rows written by hand, as the machine writes them.
BY_HAND = """
CREATE FUNCTION public.checkpoint(d uuid, event text, kind text, persona text, phase text, round_number integer, status text) RETURNS integer
LANGUAGE sql SECURITY DEFINER AS $$
  WITH x AS (
    UPDATE chat.deliberations t SET last_seq = last_seq + 1, status = $7, phase = $5, round_number = $6,
      pause_reason = CASE $7 WHEN 'paused' THEN 'max_cost' END, completed_at = CASE $7 WHEN 'completed' THEN now() END,
      killed_at = CASE $7 WHEN 'killed' THEN now() END, kill_reason = CASE $7 WHEN 'killed' THEN 'enough' END,
      error = CASE $7 WHEN 'failed' THEN jsonb '{"code": "request_timeout", "sqlstate": "PC101", "message": "too slow"}' END
    WHERE t.id = $1 RETURNING t.*)
  INSERT INTO chat.deliberation_checkpoints (user_id, deliberation_id, seq, event, kind, persona_code, phase, round_number, status, state,
                                             total_cost, total_tokens)
  SELECT user_id, id, last_seq, $2, $3, $4, phase, round_number, status, '{}', total_cost, total_tokens FROM x RETURNING seq $$;
CREATE FUNCTION public.say(d uuid, persona text, content text) RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
  INSERT INTO chat.contributions (user_id, deliberation_id, persona_code, round_number, phase, content, model, seq)
  SELECT t.user_id, t.id, $2, 1, 'initial_round', $3, 'm', public.checkpoint($1, 'step', 'initial', $2, 'initial_round', 1, 'active')
  FROM chat.deliberations t WHERE t.id = $1 $$;
-- What a request of an open step brings is stored in the transaction that stores its result.
CREATE FUNCTION public.apply_step() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  step chat.deliberation_steps;
BEGIN
  UPDATE chat.deliberation_steps s SET state = 'complete', finished_at = clock_timestamp()
  WHERE s.user_id = NEW.user_id AND s.id = NEW.id AND s.state = 'open' RETURNING s.* INTO step;
  IF FOUND THEN
    PERFORM public.say(step.deliberation_id, step.persona_code, extract(epoch FROM clock_timestamp())::text);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER apply_step AFTER UPDATE ON chat_private.llm_requests FOR EACH ROW
  WHEN (NEW.state = 'complete' AND NEW.purpose IS NULL) EXECUTE FUNCTION public.apply_step();
"""
alice, bob = Person("alice"), Person("bob")
admin = connect()
MACHINE = value(admin, "SELECT to_regproc('chat.create_deliberation') IS NOT NULL AND to_regproc('chat_private.drive_deliberation') IS NOT NULL")
admin.execute(BY_HAND)


def board(personas=12, started=True):
    """A deliberation of Alice's in its initial round."""
    made = value(admin, "INSERT INTO chat.deliberations (user_id, problem_statement, phase, round_number, started_at)"
                 " VALUES (%s, 'Where to dig?', 'initial_round', 1, CASE WHEN %s THEN now() END) RETURNING id", alice.id, started)
    admin.execute("INSERT INTO chat.deliberation_participants (user_id, deliberation_id, persona_code, seat, name, expertise,"
                  " system_prompt, seq) SELECT %s, %s, 'p' || n, n, 'Persona ' || n, 'e', 's', 1 FROM generate_series(1, %s) n",
                  (alice.id, made, personas))
    return made


def say(made, persona, content):
    value(admin, "SELECT public.say(%s, %s, %s)", made, persona, content)


def end(made, status, phase="synthesis"):
    value(admin, "SELECT public.checkpoint(%s, %s, NULL, NULL, %s, 1, %s)", made, status, phase, status)


class Follower:
    """Follows in a thread and keeps what came."""

    def __init__(self, made, after_seq=0, connection=None, before=()):
        self.connection = connection or alice.connect()
        self.pid = self.connection.info.backend_pid
        for statement in before:
            self.connection.execute(statement)
        self.rows, self.times = [], []
        self.task = Task(self._read, made, after_seq)

    def _read(self, made, after_seq):
        with self.connection.cursor() as cursor:
            for row in cursor.stream(FOLLOW, (made, after_seq)):
                self.times.append(time.time())
                self.rows.append(row)

    def await_rows(self, count):
        wait_until(lambda: len(self.rows) >= count or not self.task.is_alive(), f"{count} rows, of {len(self.rows)}")
        equal(len(self.rows), count, "rows")


def waits(pid):
    """True once the session has nothing to do but wait."""
    return wait_until(lambda: value(admin, "SELECT wait_event_type IN ('Extension', 'IPC') FROM pg_stat_activity WHERE pid = %s", pid),
                      f"{pid} waits")


@test("what is there comes at once, then what happens as it is committed, and the end ends it")
def history_and_live():
    for status, reason in (("completed", "none, for there was nothing to vote on"), ("failed", "too slow"), ("killed", "enough"),
                           ("paused", "max_cost")):
        made = board()
        say(made, "p1", "one")
        follower = Follower(made)
        follower.await_rows(1)
        waits(follower.pid)
        say(made, "p2", "two")
        follower.await_rows(2)
        end(made, status)
        follower.task.result()
        equal(follower.rows, [
            (1, "step", "initial", "initial_round", 1, "p1", "Persona 1", "one"),
            (2, "step", "initial", "initial_round", 1, "p2", "Persona 2", "two"),
            (3, status, None, "synthesis", 1, None, None, reason)], status)
        equal(rows(alice.connection, FOLLOW, made, 1), follower.rows[1:], "after its end, from a number on")
        equal(rows(alice.connection, FOLLOW, made, 3), [], "after the last")


@test("a history longer than a look takes comes whole, and several contributions of one checkpoint are a row each")
def long_history():
    made = board()
    for number in range(250):
        value(admin, "SELECT public.checkpoint(%s, 'phase', NULL, NULL, 'deliberation', %s, 'active')", made, number)
    for persona in ("p2", "p1", "p12"):
        admin.execute("INSERT INTO chat.contributions (user_id, deliberation_id, persona_code, round_number, phase, content, model, seq)"
                      " VALUES (%s, %s, %s, 1, 'initial_round', 'copied', 'm', 105)", (alice.id, made, persona))
    end(made, "paused")
    got = rows(alice.connection, FOLLOW, made, 0)
    equal([row[0] for row in got], sorted([*range(1, 252), 105, 105]))
    equal([row[2:6] for row in got if row[0] == 105],
          [("initial", "initial_round", 1, code) for code in ("p1", "p2", "p12")])


@test("12 steps that the engine works on wake the reader, each when its result is committed")
def woken():
    late = []
    for _ in range(3):
        made = board()
        follower = Follower(made)
        waits(follower.pid)
        for n in range(1, 13):
            with alice.connection.transaction():
                step = alice.value("SELECT chat.llm_submit('x', %s)", mock.model(f"latency_ms={1000 + 40 * n}&tokens=1"))
                admin.execute("INSERT INTO chat.deliberation_steps (user_id, id, deliberation_id, kind, phase, round_number, persona_code,"
                              " model) VALUES (%s, %s, %s, 'initial', 'initial_round', 1, %s, 'm')", (alice.id, step, made, f"p{n}"))
        follower.await_rows(12)
        late += [arrived - float(row[7]) for arrived, row in zip(follower.times, follower.rows)]
        end(made, "completed")
        follower.task.result()
        equal(sorted(row[5] for row in follower.rows[:-1]), sorted(f"p{n}" for n in range(1, 13)))
    # The figure: from the trigger, which is before the commit, to the row in the client.
    diag(f"{len(late)} contributions: half within {statistics.median(late) * 1000:.1f} ms, the last {max(late) * 1000:.1f} ms after")
    assert max(late) < 20, late


@test("cancelling, statement_timeout and leaving end it; the deliberation goes on")
def leaving():
    made = board()
    follower = Follower(made)
    waits(follower.pid)
    began = time.monotonic()
    follower.connection.cancel()
    fails("57014", follower.task.result)
    diag(f"cancelled after {time.monotonic() - began:.3f} s")
    hurried = Follower(made, before=["SET statement_timeout = '300ms'"])
    fails("57014", hurried.task.result)
    leaver = Follower(made)
    waits(leaver.pid)
    began = time.monotonic()
    # The thread keeps its own descriptor; this ends the connection itself.
    with socket.socket(fileno=os.dup(leaver.connection.fileno())) as connection:
        connection.shutdown(socket.SHUT_RDWR)
    wait_until(lambda: not rows(admin, "SELECT FROM pg_stat_activity WHERE pid = %s", leaver.pid), "the session has gone")
    diag(f"gone after {time.monotonic() - began:.3f} s")
    equal(value(admin, "SELECT status FROM chat.deliberations WHERE id = %s", made), "active")


@test("a reader who waits holds no lock on a table, and reads on when another engine comes")
def engine_dies():
    made = board()
    admin.execute("INSERT INTO chat.deliberation_steps (user_id, id, deliberation_id, kind, phase, round_number, model)"
                  " VALUES (%s, chat.uuid_v7(), %s, 'initial', 'initial_round', 1, 'm')", (alice.id, made))
    follower = Follower(made)
    waits(follower.pid)
    wait_until(lambda: value(admin, TABLES, follower.pid) == 0, "no table is locked")
    died = engine(admin)["pid"]
    assert value(admin, "SELECT pg_terminate_backend(%s)", died)
    wait_until(lambda: engine(admin)["pid"] != died, "the engine has gone")
    say(made, "p1", "meanwhile")
    follower.await_rows(1)
    wait_until(lambda: engine(admin)["state"] == "running", "another engine", 60)
    end(made, "completed")
    follower.task.result()
    equal([row[1] for row in follower.rows], ["step", "completed"])


@test("only its owner follows and waits, while the session lasts and the deliberation exists, at READ COMMITTED")
def whose():
    made = board()
    for statement in (FOLLOW, "SELECT * FROM chat.deliberation_progress(%s)", RUN):
        arguments = (made, 0) if statement == FOLLOW else (made,)
        fails("P0002", rows, bob.connection, statement, *arguments, hint=True)
        with connect(user="check_pgchat_client") as nobody:
            fails("28000", rows, nobody, statement, *arguments, hint=True)
    with alice.connection.transaction():
        alice.connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with alice.connection.transaction():
            fails("0A000", rows, alice.connection, FOLLOW, made, 0, hint=True)
            raise psycopg.Rollback
    leaver = Person("leaver")
    theirs = value(admin, "INSERT INTO chat.deliberations (user_id, problem_statement, started_at) VALUES (%s, 'p', now()) RETURNING id", leaver.id)
    follower = Follower(theirs, connection=leaver.connect())
    waits(follower.pid)
    leaver.value("SELECT chat.logout()")
    fails("28000", follower.task.result)
    leaver = Person("expiring")
    theirs = value(admin, "INSERT INTO chat.deliberations (user_id, problem_statement, started_at) VALUES (%s, 'p', now()) RETURNING id", leaver.id)
    with admin.transaction():
        admin.execute("UPDATE chat.sessions SET expires_at = clock_timestamp() + interval '4 s' WHERE user_id = %s", (leaver.id,))
        # Has all look again.
        admin.execute("DELETE FROM chat.sessions WHERE false")
    follower = Follower(theirs, connection=leaver.connect())
    waits(follower.pid)
    fails("28000", follower.task.result)
    follower = Follower(made)
    waits(follower.pid)
    admin.execute("DELETE FROM chat.deliberations WHERE id = %s", (made,))
    fails("P0002", follower.task.result)


def call(made, connection=None):
    """Runs the deliberation in a thread: its task, session and notices."""
    connection, told = connection or alice.connect(), []
    connection.add_notice_handler(lambda notice: told.append(notice.message_primary))
    return Task(connection.execute, RUN, (made,)), connection, told


@test("run_deliberation tells of phases and rounds, and of the decision, and raises what ended it")
def run_ends():
    for status, sqlstate in (("completed", None), ("failed", "PC101"), ("killed", "57014"), ("paused", "55000")):
        made = board(2)
        value(admin, "SELECT public.checkpoint(%s, 'started', NULL, NULL, 'initial_round', 1, 'active')", made)
        task, connection, told = call(made)
        waits(connection.info.backend_pid)
        say(made, "p1", "one")
        value(admin, "SELECT public.checkpoint(%s, 'phase', NULL, NULL, 'deliberation', 2, 'active')", made)
        wait_until(lambda: len(told) == 2, f"two notices, of {told}")
        admin.execute("UPDATE chat.deliberations SET choices = '[{\"id\": \"a\", \"label\": \"Here\"}]', outcome ="
                      " '{\"winner\": \"a\", \"method\": \"plurality\", \"voters\": 2, \"abstentions\": 0}' WHERE id = %s", (made,))
        end(made, status, "deliberation")
        if sqlstate:
            error = fails(sqlstate, task.result, hint=True)
            fails(sqlstate, rows, alice.connection, RUN, made, hint=True)
            diag(error.diag.message_primary)
        else:
            task.result()
            equal(told[2:], ["decision: Here (plurality, 2 votes, 0 abstentions)"])
            alice.connection.execute(RUN, (made,))
        diag("; ".join(told))
        assert told[0].startswith("initial round, round 1 of 10: 0 of ") and told[1].startswith("deliberation, round 2 of 10: 1 of "), told


@test("a session in run_deliberation holds no snapshot and no lock; cancelling it leaves the deliberation running")
def run_holds_nothing():
    made = board(2)
    for level in ("read committed", "repeatable read", "serializable"):
        connection = alice.connect()
        connection.execute(f"SET default_transaction_isolation = '{level}'")
        task, connection, _ = call(made, connection)
        pid = connection.info.backend_pid
        waits(pid)
        wait_until(lambda: rows(admin, "SELECT backend_xmin, backend_xid FROM pg_stat_activity WHERE pid = %s", pid) == [(None, None)]
                   and value(admin, TABLES, pid) == 0, "nothing is held")
        connection.cancel()
        fails("57014", task.result)
        equal(value(admin, "SELECT status FROM chat.deliberations WHERE id = %s", made), "active")
    fails("22023", in_block, made, hint=True)


@test("an identity of one transaction lasts to the end of the procedure, and no longer")
def identity_is_kept():
    made = board(2)
    with connect(user="check_pgchat_client") as connection:

        def in_a_pipeline():
            with connection.pipeline():
                connection.execute("SELECT chat.authenticate(%s)", (alice.token,))
                connection.execute(RUN, (made,))

        task = Task(in_a_pipeline)
        waits(connection.info.backend_pid)
        say(made, "p1", "one")
        end(made, "completed")
        task.result()
        fails("28000", rows, connection, RUN, made)


def in_block(made):
    with alice.connection.transaction():
        alice.connection.execute(RUN, (made,))


@test("a deliberation of the engine's: every checkpoint comes once and in order, and the procedure returns when it is complete")
def real_run():
    if not MACHINE:
        raise Skip("the state machine is not there")
    model = mock.model("tokens=20&rate=200")
    made = alice.value(
        "SELECT chat.create_deliberation('Where to dig?', persona_codes => (SELECT array_agg(code) FROM (SELECT code FROM chat.personas"
        " WHERE user_id = '00000000-0000-0000-0000-000000000000' ORDER BY code LIMIT 4) p), max_rounds => 3, model => %s, options => %s)",
        model, json.dumps({"decompose": False, "convergence": False, "max_interventions": 0,
                           "choices": [{"id": "here", "label": "Here"}, {"id": "there", "label": "There"}]}))
    follower = Follower(made)
    task, _, told = call(made)
    error = None
    try:
        task.result(120)
    except psycopg.Error as raised:
        error = raised
    follower.task.result()
    status = value(admin, "SELECT status FROM chat.deliberations WHERE id = %s", made)
    diag("; ".join(told) + (f"; {error.sqlstate} {error}" if error else ""))
    equal([row[0] for row in follower.rows],
          [seq for seq, in rows(admin, "SELECT seq FROM chat.deliberation_checkpoints WHERE deliberation_id = %s ORDER BY seq", made)])
    contributions = rows(admin, "SELECT seq, persona_code, content, extract(epoch FROM created_at)::float8 FROM chat.contributions"
                         " WHERE deliberation_id = %s ORDER BY seq", made)
    equal(len(contributions), 12, "contributions")
    shown = {row[0]: (row, came) for row, came in zip(follower.rows, follower.times)}
    for seq, code, content, _ in contributions:
        equal((shown[seq][0][5], shown[seq][0][7]), (code, content))
    late = [shown[seq][1] - said for seq, _, _, said in contributions]
    diag(f"from its row to the reader: median {statistics.median(late) * 1000:.1f} ms, most {max(late) * 1000:.1f} ms")
    stages = [line.split(":")[0] for line in told]
    rounds = [stage for stage in stages if "round" in stage][:4]
    equal(rounds, ["initial round, round 1 of 3", "deliberation, round 2 of 3", "deliberation, round 3 of 3", "voting, round 3 of 3"])
    # The mock's plain text is no synthesis, so that it may well fail: then the procedure says so.
    equal((follower.rows[-1][1], error is None), (status, status == "completed"))
    equal(stages[-1] == "decision", status == "completed")



run()
