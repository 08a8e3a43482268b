#!/usr/bin/python3
"""A refused login tells nothing of why, neither by its error nor by its time."""

import random
import statistics
import time
import uuid

import psycopg

from support.database import PASSWORD, connect, fails, role, settings, value
from support.tap import diag, equal, run, test

TRIES = 200
COST = "9"
WRONG = "wrong-password"


def account(admin, client, change=None):
    """The name of a new account, changed by a statement."""
    name = f"timed_{uuid.uuid4().hex[:8]}"
    user_id = value(client, "SELECT chat.register(%s, %s, %s)", f"{name}@example.com", PASSWORD, name)
    if change:
        admin.execute(change, {"id": user_id, "password": PASSWORD})
    return name


def refuse(client, name, password):
    """The seconds a refused login took, and all that its error says to the client."""
    began = time.perf_counter()
    try:
        client.execute("SELECT chat.login(%s, %s, NULL, '192.0.2.1', 'test')", (name, password))
    except psycopg.Error as error:
        seconds = time.perf_counter() - began
        shown = error.diag
        return seconds, (shown.sqlstate, shown.message_primary, shown.message_detail, shown.message_hint, shown.context)
    raise AssertionError(f"{name} was let in")


@test("unknown, locked, disabled, without a password, wrong and with an old hash: one error, in one time")
def _():
    with settings(pgchat__bcrypt_cost=COST), connect() as admin, connect(user=role("pgchat_client")) as client:
        admin.execute("INSERT INTO chat.settings VALUES ('lockout_account_failures', '\"1000000\"'), ('lockout_address_failures', '\"1000000\"')")
        wrong = account(admin, client)
        cases = {
            "wrong": lambda: (wrong, WRONG),
            "unknown": lambda: (f"nobody_{uuid.uuid4().hex[:8]}", PASSWORD),
            "locked": lambda name=account(admin, client, (
                "INSERT INTO chat_private.login_attempts VALUES ('account', uuid_send(%(id)s), 9, now(), now() + interval '1 day')")):
                (name, PASSWORD),
            "disabled": lambda name=account(admin, client, "UPDATE chat.users SET is_active = false WHERE id = %(id)s"): (name, PASSWORD),
            "without a password": lambda name=account(
                admin, client, "DELETE FROM chat_private.credentials WHERE user_id = %(id)s"): (name, PASSWORD),
            "an old hash": lambda name=account(
                admin, client, "UPDATE chat_private.credentials SET password_hash = chat.bcrypt_hash(%(password)s, 4) WHERE user_id = %(id)s"):
                (name, WRONG),
        }
        took = {case: [] for case in cases}
        errors = set()
        for _ in range(TRIES):
            for case in random.sample(list(cases), len(cases)):
                seconds, error = refuse(client, *cases[case]())
                took[case].append(seconds)
                errors.add(error)
        equal(len(errors), 1, f"what the client is told: {errors}")
        # The quicker ones, as what else the machine does only adds time: a tenth of the tries is not disturbed.
        quicker = {case: statistics.quantiles(times, n=10)[0] for case, times in took.items()}
        for case, times in took.items():
            diag(f"{case}: of {TRIES} a tenth in {quicker[case] * 1000:.2f} ms, half in {statistics.median(times) * 1000:.2f} ms")
        for case, seconds in quicker.items():
            assert abs(seconds / quicker["wrong"] - 1) < 0.1, (case, seconds, quicker["wrong"])


@test("a password of a megabyte, or of 73 bytes, is refused in less than 10 ms, with the same error")
def _():
    with settings(pgchat__bcrypt_cost="12"), connect() as admin, connect(user=role("pgchat_client")) as client:
        name = account(admin, client)
        hashed = [refuse(client, name, WRONG) for _ in range(5)]
        usual, hash_time = hashed[0][1], statistics.median(seconds for seconds, _ in hashed)

        def quick(what, seconds, most):
            """Others use the machine, too: the best of some tries tells what it takes, and half of them are far from a hash's time."""
            best, median = min(seconds), statistics.median(seconds)
            diag(f"{what}: best {best * 1000:.2f} ms, median {median * 1000:.2f} ms; a wrong password {hash_time * 1000:.2f} ms")
            assert best < most and median < hash_time / 4, (best, median, hash_time)

        for password in "x" * 1_000_000, "x" * 73:
            for tried in name, "nobody":
                results = [refuse(client, tried, password) for _ in range(21)]
                quick(f"{len(password)} bytes", [seconds for seconds, _ in results], 0.010)
                equal({error[:4] for _, error in results}, {usual[:4]}, "the error")
        quick("a name of a megabyte", [refuse(client, "y" * 1_000_000, "x" * 73)[0] for _ in range(21)], 0.020)
        fails("22023", client.execute, "SELECT chat.register('long@example.com', %s)", ("x" * 1_000_000,))


run()
