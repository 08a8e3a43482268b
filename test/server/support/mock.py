"""The mock provider, as a provider of the test's database; its models are scenarios."""

import json
import os
import urllib.request

from support.database import connect, value

PORT = int(os.environ.get("PGCHAT_MOCK_PORT", "0"))
BASE_URL = f"http://127.0.0.1:{PORT}"
_registered = set()


def register_provider(name, base_url, kind="openai", options=None):
    with connect() as admin:
        value(admin, "SELECT chat.admin_register_provider(%s, %s, %s, options => %s)", name, kind, base_url,
              json.dumps(options or {}))


def register_model(provider, name, **options):
    with connect() as admin:
        value(admin, "SELECT chat.admin_register_model(%s, %s, options => %s)", provider, name, json.dumps(options))


def set_default(name):
    with connect() as admin:
        value(admin, "SELECT chat.admin_set_default_model(%s)", name)


def model(scenario="", kind="openai"):
    """The name of a model that plays the scenario; registered on first use."""
    provider = f"mock-{kind}"
    name = f"{provider}?{scenario}"
    if provider not in _registered:
        register_provider(provider, BASE_URL if kind == "ollama" else BASE_URL + "/v1", kind)
        _registered.add(provider)
    if name not in _registered:
        register_model(provider, name, provider_model="mock?" + scenario if scenario else "mock")
        _registered.add(name)
    return name


def _get(path, method="GET"):
    with urllib.request.urlopen(urllib.request.Request(BASE_URL + path, method=method), timeout=20) as reply:
        return json.loads(reply.read() or b"null")


def stats():
    """The mock's counters."""
    return _get("/stats")


def requests(last=100):
    return _get(f"/requests?last={last}")


def reset():
    urllib.request.urlopen(urllib.request.Request(BASE_URL + "/reset", method="POST"), timeout=20).read()
