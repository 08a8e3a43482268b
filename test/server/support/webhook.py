"""Webhooks as a payment provider sends them, signed here and not by what is tested."""

import hashlib
import hmac
import json
import time
import uuid

from support.database import value

SECRET = "whsec_of-this-endpoint"
BEGAN = 1767225600


def event(kind, at, thing, name=None, **more):
    """The body of a webhook. at: seconds after the first."""
    body = {"id": name or f"evt_{uuid.uuid4().hex}", "type": kind, "created": BEGAN + at, "data": {"object": thing}, **more}
    return json.dumps(body, ensure_ascii=False)


def signature(body, secret=SECRET):
    at = int(time.time())
    return f"t={at},v1=" + hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()


def deliver(connection, body, secret=SECRET):
    """What an application's endpoint does; gives the outcome."""
    return value(connection, "SELECT outcome FROM chat.billing_webhook('stripe', %s, %s)", body, signature(body, secret))
