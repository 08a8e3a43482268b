#!/usr/bin/python3
"""Webhooks of a payment provider that come twice, at once, out of order, before their customer is known, or while other things change."""

import contextlib
import http.client
import json
import os
import random
import socket
import subprocess
import sys
import time
import uuid

from support.cluster import ROOT
from support.database import PASSWORD, Person, connect, fails, is_blocked, outcome, role, rows, service, value
from support.tap import Task, diag, equal, run, test, wait_until
from support.webhook import BEGAN, SECRET, deliver, event, signature


def subscription(customer, status, price="price_pro", name="sub_1", **more):
    return {"id": name, "customer": customer, "status": status, "start_date": BEGAN, "items": {"data": [{"price": {"id": price}}]}, **more}


def invoice(customer, cents, name="in_1"):
    return {"id": name, "customer": customer, "currency": "eur", "amount_paid": cents, "subscription": "sub_1"}


def waits_for(holder, blocked, function, *arguments, end="COMMIT"):
    """Calls a function that uses a connection while another has an open transaction in its way; ends that once it waits."""
    task = Task(function, *arguments)
    wait_until(lambda: is_blocked(blocked), "the second waits for the first")
    holder.execute(end)
    return task.result()


def look(query, *arguments):
    with connect() as admin:
        return value(admin, query, *arguments)


def plan_of(person):
    return look("SELECT plan FROM chat.users WHERE id = %s", person.id)


def payer():
    """A person, and the customer that is theirs."""
    person, customer = Person("payer"), f"cus_{uuid.uuid4().hex}"
    with connect() as admin:
        value(admin, "SELECT chat.admin_set_billing_customer(%s, 'stripe', %s)", person.id, customer)
    return person, customer


@contextlib.contextmanager
def prepared():
    with connect() as admin:
        value(admin, "SELECT chat.admin_set_webhook_secret('stripe', %s)", SECRET)
        value(admin, "SELECT chat.admin_save_plan_price('stripe', 'price_pro', 'pro')")
        value(admin, "SELECT chat.admin_save_plan_price('stripe', 'price_big', 'enterprise')")
    yield


@test("one event that is delivered many times at once counts once")
def _():
    person, customer = payer()
    body = event("invoice.paid", 1, invoice(customer, 999))
    endpoints = [service() for _ in range(8)]
    outcomes = [task.result() for task in [Task(deliver, endpoint, body) for endpoint in endpoints]]
    equal(sorted(outcomes), ["applied"] + ["repeated"] * 7)
    equal(look("SELECT deliveries FROM chat_private.billing_events WHERE event_id = %s", json.loads(body)["id"]), 8)
    equal(person.value("SELECT sum(amount)::text FROM chat.payments"), "9.99")


@test("a delivery waits for the same one under way, and takes its place where that fails")
def _():
    _, customer = payer()
    for end, wanted in ("COMMIT", "repeated"), ("ROLLBACK", "applied"):
        body = event("invoice.paid", 1, invoice(customer, 100, f"in_{end}"))
        with service() as first, service() as second:
            first.execute("BEGIN")
            equal(deliver(first, body), "applied")
            equal(waits_for(first, second, deliver, second, body, end=end), wanted)
    equal(look("SELECT count(*) FROM chat.payments WHERE customer = %s", customer), 2)


@test("whatever the order in which events arrive, the last one counts")
def _():
    endpoints = [service() for _ in range(4)]
    for _ in range(5):
        person, customer = payer()
        bodies = [event("customer.subscription.updated", at, subscription(customer, "past_due" if at % 2 else "active", "price_big" if at % 3 else "price_pro"))
                  for at in range(1, 12)]
        bodies.append(event("customer.subscription.deleted", 12, subscription(customer, "canceled")))
        random.shuffle(bodies)

        def send(endpoint, share):
            return [deliver(endpoint, body) for body in share]

        outcomes = [o for task in [Task(send, endpoint, bodies[n::4]) for n, endpoint in enumerate(endpoints)] for o in task.result()]
        assert set(outcomes) <= {"applied", "stale"}, outcomes
        equal(person.rows("SELECT status, gives_plan FROM chat.my_subscription()"), [("canceled", False)])
        equal(plan_of(person), "free")
        equal(look("SELECT count(*) FROM chat.subscriptions WHERE user_id = %s", person.id), 1)


@test("an event and the word whose its customer is, in either order, are never lost to each other")
def _():
    tie = "SELECT chat.admin_set_billing_customer(%s, 'stripe', %s)"
    for event_first in True, False:
        person, customer = Person("late"), f"cus_{uuid.uuid4().hex}"
        body = event("customer.subscription.created", 1, subscription(customer, "active"))
        with service() as endpoint, connect() as admin:
            if event_first:
                endpoint.execute("BEGIN")
                equal(deliver(endpoint, body), "customer_unknown")
                equal(waits_for(endpoint, admin, outcome, admin, tie, person.id, customer), None)
            else:
                admin.execute("BEGIN")
                admin.execute(tie, (person.id, customer))
                equal(waits_for(admin, endpoint, deliver, endpoint, body), "applied")
        equal(plan_of(person), "pro")
    equal(look("SELECT count(*) FROM chat_private.billing_events WHERE event IS NOT NULL"), 0, "events that wait")
    rounds = 20
    with service() as endpoint, service() as checkout, connect() as admin:
        for _ in range(rounds):
            person, customer = Person("late"), f"cus_{uuid.uuid4().hex}"
            tasks = [Task(deliver, endpoint, event("customer.subscription.created", 1, subscription(customer, "active"))),
                     Task(deliver, checkout, event("checkout.session.completed", 1, {"customer": customer, "client_reference_id": str(person.id)})),
                     Task(outcome, admin, tie, person.id, customer)]
            got = [task.result() for task in tasks]
            assert got[0] in ("applied", "customer_unknown") and got[1:] == ["applied", None], got
            equal(plan_of(person), "pro")
    equal(look("SELECT count(*) FROM chat_private.billing_events WHERE event IS NOT NULL"), 0, "events that wait")


@test("of two who claim a customer at once one has it")
def _():
    one, other = Person("one"), Person("other")
    customer = f"cus_{uuid.uuid4().hex}"
    tie = "SELECT chat.admin_set_billing_customer(%s, 'stripe', %s)"
    with connect() as first, connect() as second:
        first.execute("BEGIN")
        first.execute(tie, (one.id, customer))
        equal(waits_for(first, second, outcome, second, tie, other.id, customer), "55000")


@test("a price that is saved while it is bought gives its plan")
def _():
    person, customer = payer()
    save = "SELECT chat.admin_save_plan_price('stripe', 'price_of_now', 'enterprise')"
    with service() as endpoint, connect() as admin:
        endpoint.execute("BEGIN")
        deliver(endpoint, event("customer.subscription.created", 1, subscription(customer, "active", "price_of_now")))
        equal(waits_for(endpoint, admin, outcome, admin, save), None)
    equal(plan_of(person), "enterprise")
    person, customer = payer()
    with service() as endpoint, connect() as admin:
        admin.execute("BEGIN")
        admin.execute(save.replace("price_of_now", "price_of_then"))
        body = event("customer.subscription.created", 1, subscription(customer, "active", "price_of_then"))
        equal(waits_for(admin, endpoint, deliver, endpoint, body), "applied")
    equal(plan_of(person), "enterprise")


@test("no lock that a client may take delays an event, a price or a secret")
def _():
    person, customer = payer()
    names = "chat.plan_prices", "chat_private.webhook_secrets"
    modes = "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"
    taken = []
    with person.connect() as client, connect() as admin, service() as endpoint:
        client.execute("BEGIN")
        for name in names:
            for mode in modes:
                client.execute("SAVEPOINT before")
                if outcome(client, f"LOCK TABLE {name} IN {mode} MODE") is None:
                    taken.append((name, mode))
                else:
                    client.execute("ROLLBACK TO before")
            oid = value(admin, f"SELECT '{name}'::regclass::oid::bigint")
            for call in f"{oid}", f"0, {oid}", f"{oid}, 0":
                client.execute(f"SELECT pg_advisory_lock({call})")
        assert ("chat.plan_prices", "ACCESS SHARE") in taken, taken
        fails("42501", rows, person.connection, "SELECT FROM chat.plan_prices FOR KEY SHARE")
        admin.execute("SET lock_timeout = '10s'")
        endpoint.execute("SET lock_timeout = '10s'")
        equal(deliver(endpoint, event("customer.subscription.created", 1, subscription(customer, "active"))), "applied")
        equal(outcome(admin, "SELECT chat.admin_save_plan_price('stripe', 'price_pro', 'pro')"), None)
        equal(outcome(admin, "SELECT chat.admin_set_webhook_secret('stripe', %s)", SECRET), None)
        equal(outcome(admin, "SELECT chat.admin_set_billing_customer(%s, 'stripe', %s)", person.id, customer), None)


@test("of two who set the secret at once one waits, and the master key can change meanwhile")
def _():
    set_secret = "SELECT chat.admin_set_webhook_secret('stripe', %s)"
    with connect() as first, connect() as second, connect() as other:
        first.execute("BEGIN")
        first.execute(set_secret, (SECRET,))
        assert value(other, "SELECT key_id FROM chat.admin_rotate_master_key(0)")
        equal(waits_for(first, second, outcome, second, set_secret, SECRET), None)
        wait_until(lambda: value(other, "SELECT rows_left FROM chat.admin_master_key_status()") == 0, "all is sealed anew")
    equal(look("SELECT count(*) FROM chat_private.webhook_secrets WHERE valid_until IS NULL"), 1)
    _, customer = payer()
    with service() as endpoint:
        equal(deliver(endpoint, event("invoice.paid", 1, invoice(customer, 100, "in_after_the_change"))), "applied")


@test("an account that is removed while its customer is being tied takes the customer with it")
def _():
    tie, remove = "SELECT chat.admin_set_billing_customer(%s, 'stripe', %s)", "SELECT chat.delete_my_account(%s)"
    for tie_first in True, False:
        person, customer = Person("leaving"), f"cus_{uuid.uuid4().hex}"
        with connect() as admin, service() as endpoint:
            if tie_first:
                admin.execute("BEGIN")
                admin.execute(tie, (person.id, customer))
                equal(waits_for(admin, person.connection, outcome, person.connection, remove, PASSWORD), None)
                equal(look("SELECT user_id FROM chat_private.billing_customers WHERE customer_id = %s", customer), uuid.UUID("f" * 32))
            else:
                person.connection.execute("BEGIN")
                person.connection.execute(remove, (PASSWORD,))
                equal(waits_for(person.connection, admin, outcome, admin, tie, person.id, customer), "P0002")
            equal(look("SELECT count(*) FROM chat.users WHERE id = %s", person.id), 0)
            equal(deliver(endpoint, event("customer.subscription.created", 1, subscription(customer, "active"))), "ignored" if tie_first else "customer_unknown")
            admin.execute("DELETE FROM chat_private.billing_events WHERE event IS NOT NULL")


def guest():
    """The token and the id of a guest, and their customer."""
    customer = f"cus_{uuid.uuid4().hex}"
    with connect(user=role("pgchat_client")) as client:
        token, guest_id = rows(client, "SELECT session_token, user_id FROM chat.register_guest()")[0]
    with connect() as admin:
        value(admin, "SELECT chat.admin_set_billing_customer(%s, 'stripe', %s)", guest_id, customer)
    return token, guest_id, customer


@test("a guest whose payment arrives meanwhile registers with the plan that is paid for, and is not lost")
def _():
    for lost in False, True:
        token, guest_id, customer = guest()
        with service() as endpoint, connect(user=role("pgchat_client")) as client, connect() as admin:
            value(client, "SELECT chat.authenticate(%s, false)", token)
            if lost:
                admin.execute("UPDATE chat.users SET created_at = now() - interval '60 days' WHERE id = %s", (guest_id,))
                admin.execute("UPDATE chat.sessions SET last_activity_at = now() - interval '60 days' WHERE user_id = %s", (guest_id,))
            endpoint.execute("BEGIN")
            equal(deliver(endpoint, event("customer.subscription.created", 1, subscription(customer, "active"))), "applied")
            if lost:
                equal(waits_for(endpoint, admin, value, admin, "SELECT chat.admin_remove_lost_guests()"), 0)
            else:
                equal(waits_for(endpoint, client, outcome, client, "SELECT chat.upgrade_guest(%s, %s)", f"{guest_id}@example.com", PASSWORD), None)
        equal(look("SELECT plan FROM chat.users WHERE id = %s", guest_id), "pro")


@test("payments of an account that is removed meanwhile are nobody's")
def _():
    nobody = uuid.UUID("f" * 32)
    for event_first in True, False:
        person, customer = payer()
        name = f"in_{uuid.uuid4().hex}"
        body = event("invoice.paid", 1, invoice(customer, 500, name))
        remove = "SELECT chat.admin_delete_user(%s)"
        with service() as endpoint, connect() as admin:
            if event_first:
                endpoint.execute("BEGIN")
                deliver(endpoint, body)
                equal(waits_for(endpoint, admin, outcome, admin, remove, person.id), None)
            else:
                admin.execute("BEGIN")
                admin.execute(remove, (person.id,))
                equal(waits_for(admin, endpoint, deliver, endpoint, body), "applied")
            equal(rows(admin, "SELECT user_id, amount::text, customer, subscription FROM chat.payments WHERE split_part(external_id, '#', 1) = %s", name), [(nobody, "5.00", None, None)])
            equal(deliver(endpoint, event("customer.subscription.created", 2, subscription(customer, "active"))), "ignored")


@test("in a transaction that sees an older state, an event fails rather than be lost")
def _():
    person, customer = Person("older"), f"cus_{uuid.uuid4().hex}"
    with service() as endpoint, connect() as admin:
        endpoint.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        endpoint.execute("SELECT 1 FROM chat.plans")
        value(admin, "SELECT chat.admin_set_billing_customer(%s, 'stripe', %s)", person.id, customer)
        fails("40001", deliver, endpoint, event("customer.subscription.created", 1, subscription(customer, "active")))
        endpoint.execute("ROLLBACK")


@test("a large body is checked to its last byte")
def _():
    _, customer = payer()
    body = event("invoice.paid", 1, invoice(customer, 700, "in_large"), padding="é" * 400_000)
    with service() as endpoint:
        fails("28000", value, endpoint, "SELECT outcome FROM chat.billing_webhook('stripe', %s, %s)", body[:-1] + " }", signature(body), hint=True)
        begin = time.monotonic()
        equal(deliver(endpoint, body), "applied")
        diag(f"{len(body.encode()) / 1e6:.2f} MB in {(time.monotonic() - begin) * 1000:.0f} ms")


@contextlib.contextmanager
def endpoint(**environment):
    """The example's endpoint as a process; gives a function that posts to it and returns the status."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, str(ROOT / "examples/billing_endpoint.py")], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env={**os.environ, "PGUSER": role("pgchat_service"), "PORT": str(port), **environment})

    def listens():
        with socket.socket() as attempt:
            return attempt.connect_ex(("127.0.0.1", port)) == 0

    def post(body, header, length=None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        with contextlib.closing(connection):
            headers = {"Content-Length": str(len(body) if length is None else length), **({"Stripe-Signature": header} if header else {})}
            connection.request("POST", "/", body, headers)
            return connection.getresponse().status

    try:
        wait_until(listens, "the endpoint listens")
        yield post
    finally:
        process.kill()
        process.wait(20)


@test("examples/billing_endpoint.py takes webhooks in, and answers so that the provider sends again what must be")
def _():
    person, customer = payer()
    body = event("customer.subscription.created", 1, subscription(customer, "active"), name_of_the_payer="José").encode()
    with endpoint() as post:
        equal(post(body, signature(body.decode())), 200)
        equal(plan_of(person), "pro")
        equal(post(body, signature(body.decode())), 200, "again")
        equal(post(body, signature(body.decode(), "whsec_of-somebody-else")), 400, "a forged one")
        equal(post(body, None), 400, "one that is not signed")
        equal(post(body, "x" * 4097), 400, "one with a header that is too long")
        equal(post(b"{}", signature("{}")), 400, "no event")
        equal(post(b"\xff", "t=1,v1=a"), 400, "no text")
        equal(post(b"", "t=1,v1=a", (1 << 20) + 1), 413, "too much")
        with connect() as admin:
            admin.execute("BEGIN")
            admin.execute("DELETE FROM chat_private.webhook_secrets")
            admin.execute("COMMIT")
            equal(post(body, signature(body.decode())), 500, "one that cannot be checked now")
            value(admin, "SELECT chat.admin_set_webhook_secret('stripe', %s)", SECRET)
        equal(post(body, signature(body.decode())), 200)


@test("examples/billing_endpoint.py opens a few connections at most, and none for what is not signed")
def _():
    count = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND query LIKE '%%billing_webhook%%' AND datname = current_database() AND application_name = 'endpoint'"
    _, customer = payer()
    body = event("invoice.paid", 1, invoice(customer, 100, "in_waited")).encode()
    with connect() as holder, endpoint(PGAPPNAME="endpoint") as post:
        holder.execute("BEGIN")
        holder.execute("LOCK TABLE chat.plan_prices IN ACCESS EXCLUSIVE MODE")
        tasks = [Task(post, body, signature(body.decode())) for _ in range(12)]
        wait_until(lambda: look(count, role("pgchat_service")) == 4, "four of them are asked")
        # These neither wait for the others nor ask.
        equal(post(body, None), 400)
        equal(post(body, "x" * 4097), 400)
        equal(look(count, role("pgchat_service")), 4)
        holder.execute("COMMIT")
        equal([task.result() for task in tasks], [200] * 12)


@test("plans that follow reach the engine at once")
def _():
    person, customer = payer()
    with connect() as admin, service() as endpoint:
        value(admin, "SELECT chat.admin_register_provider('paid', 'echo')")
        value(admin, "SELECT chat.admin_register_model('paid', 'paid')")
        value(admin, "SELECT chat.admin_save_plan('free', limits => '{\"tokens_per_day\": 0}')")
        fails("PC306", person.value, "SELECT chat.llm_complete('x', 'paid')")
        equal(deliver(endpoint, event("customer.subscription.created", 1, subscription(customer, "active"))), "applied")
        assert person.value("SELECT chat.llm_complete('x', 'paid')"), "the plan that is paid for allows it"
        equal(deliver(endpoint, event("customer.subscription.deleted", 2, subscription(customer, "canceled"))), "applied")
        fails("PC306", person.value, "SELECT chat.llm_complete('x', 'paid')")


run(around=prepared())
