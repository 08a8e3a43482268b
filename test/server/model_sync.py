#!/usr/bin/python3
"""Taking a provider's list of models over: each family's form, what an administrator has set, and hostile lists."""

import json
import time

from support.database import connect, fails, role, rows, service, value
from support.provider import Provider
from support.tap import Task, diag, equal, run, test

served = Provider()
operator = service()


def provider(name, kind="openai", path="/v1", **options):
    """Registers the test's server under a name; forgets what it was told."""
    served.forget()
    value(operator, "SELECT chat.admin_register_provider(%s, %s, %s, options => %s)", name, kind, served.url + path, json.dumps(options))
    return name


def sync(name, activate=False):
    """What became of each model, as a dictionary."""
    return dict(rows(operator, "SELECT model, action FROM chat.admin_sync_models(%s, %s)", name, activate))


def model(name):
    found = rows(operator, "SELECT display_name, description, capabilities, context_window, is_active, config FROM chat.admin_list_models()"
                           " WHERE name = %s", name)
    return found[0] if found else None


def count(name):
    return value(operator, "SELECT count(*) FROM chat.admin_list_models() WHERE provider = %s", name)


def listed(*names):
    return {"object": "list", "data": [{"id": name, "object": "model"} for name in names]}


@test("OpenAI's list is taken over, inactive unless asked otherwise, and the second time nothing changes")
def _():
    name = provider("sync-openai")
    served.tell("/v1/models", {"object": "list", "data": [
        {"id": "a", "object": "model", "created": 1, "owned_by": "x"},
        {"id": "b", "name": "Model B", "description": "the second", "context_length": 4096, "supported_parameters": ["tools", "response_format"],
         "architecture": {"input_modalities": ["text", "image"]}}]})
    equal(sync(name), {"a": "added", "b": "added"})
    equal(model("a"), ("a", None, [], None, False, {}))
    equal(model("b"), ("Model B", "the second", ["tools", "json", "vision"], 4096, False, {}))
    equal(sync(name), {"a": "unchanged", "b": "unchanged"})
    equal({method for method, *_ in served.requests}, {"GET"})
    served.tell("/v1/models", listed("b", "c"))
    equal(sync(name, True), {"a": "missing", "b": "unchanged", "c": "added"})
    equal((model("a")[4], model("c")[4]), (False, True), "what is missing stays, what is added can be asked")


@test("what an administrator has set is never changed; what is not known is filled in; other names are followed")
def _():
    name = provider("sync-own")
    value(operator, "SELECT chat.admin_register_model(%s, 'mine', 'My name', %s)", name,
          json.dumps({"provider_model": "theirs", "context_window": 100, "is_open": False, "input_price": 2}))
    served.tell("/v1/models", {"data": [{"id": "theirs", "name": "Theirs", "description": "told", "context_window": 9, "capabilities": {"vision": True}}]})
    equal(sync(name), {"mine": "updated"})
    equal(model("mine"), ("My name", "told", ["vision"], 100, True, {"provider_model": "theirs"}))
    equal(rows(operator, "SELECT is_open, input_price FROM chat.admin_list_models() WHERE name = 'mine'"), [(False, 2)])
    equal(count(name), 1, "no second model for the same")


@test("Anthropic's list is read page by page, with the key and its headers")
def _():
    name = provider("sync-anthropic", "anthropic", "", api_key_env="HOME")

    def page(path):
        later = "after_id=page%2F1" in path
        return 200, json.dumps({"data": [{"type": "model", "id": "opus" if later else "sonnet", "display_name": "Opus" if later else "Sonnet",
                                         "max_input_tokens": 200000, "capabilities": {"image_input": {"supported": True}, "thinking": {"supported": False}}}],
                                "has_more": not later, "first_id": "x", "last_id": "page/1"}), {}

    served.answer["/v1/models"] = page
    equal(sync(name), {"sonnet": "added", "opus": "added"})
    equal(model("opus")[:4], ("Opus", None, ["vision"], 200000))
    equal(served.paths(), ["/v1/models?limit=1000", "/v1/models?limit=1000&after_id=page%2F1"])
    sent = {key.lower(): content for key, content in served.requests[0][2].items()}
    equal(sent["anthropic-version"], "2023-06-01")
    assert sent["x-api-key"], "no key was sent"


@test("the key that an administrator has set for the provider is the one that is sent")
def _():
    name = provider("sync-key", api_key_env="HOME")
    value(operator, "SELECT chat.admin_set_provider_key(%s, 'sk-of-the-provider')", name)
    served.tell("/v1/models", listed())
    equal(sync(name), {})
    equal(served.requests[0][2]["Authorization"], "Bearer sk-of-the-provider")


@test("pages that lead nowhere are refused, and nothing is added")
def _():
    name = provider("sync-loop", "anthropic", "")
    served.tell("/v1/models", {"data": [{"id": "looping"}], "has_more": True, "last_id": "same"})
    with connect(user=role("pgchat_service")) as connection:
        fails("PC107", sync, name, hint=True)
        equal(value(connection, "SELECT count(*) FROM chat.admin_list_models() WHERE provider = %s", name), 0)
    equal(len(served.requests), 2)
    served.answer["/v1/models"] = lambda path: (200, json.dumps({"data": [], "has_more": True, "last_id": str(time.monotonic())}), {})
    began = time.monotonic()
    fails("PC107", sync, name)
    diag(f"endless pages: {len(served.requests) - 2} asked for, {time.monotonic() - began:.2f} s")


@test("Ollama's list is taken over")
def _():
    name = provider("sync-ollama", "ollama", "")
    served.tell("/api/tags", {"models": [{"name": "llama3:8b", "model": "llama3:8b", "size": 5, "details": {"family": "llama"},
                                          "capabilities": ["completion", "tools", "embedding"]}]})
    equal(sync(name), {"llama3:8b": "added"})
    equal(model("llama3:8b")[:3], ("llama3:8b", None, ["tools", "embeddings"]))


@test("bad names are refused one by one, and the good ones come in")
def _():
    name = provider("sync-names")
    served.tell("/v1/models", json.dumps({"data": [
        {"id": "good"}, {"id": "good"}, {"id": "evil\r\nX-Key: 1"}, {"id": "nul\u0000"}, {"id": "x" * 201}, {"id": ""}, {"id": 7}, {"object": "model"},
        {"id": "hidden\u200bspace"}, {"id": "\u202egpt"}, {"id": "b"}, 5, {"id": "é" * 200}, {"id": "lone\ud800"}]}))
    found = rows(operator, "SELECT model, action, detail FROM chat.admin_sync_models(%s)", name)
    equal(sorted(shown for shown, action, _ in found if action == "added"), ["good", "é" * 200])
    refused = {shown: detail for shown, action, detail in found if action == "refused"}
    assert all(refused.values()), refused
    equal(refused["b"], "another model has this name: register it under one of its own, with provider_model")
    assert not any(character < " " for shown in refused for character in shown), refused
    equal(count(name), 2)
    equal(rows(operator, "SELECT provider FROM chat.admin_list_models() WHERE name = 'b'"), [("sync-openai",)], "the other's model stays its own")


@test("lists that are none, too long or too large are refused whole")
def _():
    name = provider("sync-hostile")
    value(operator, "SELECT chat.admin_register_model(%s, 'stays')", name)
    for document, sqlstate in (("not json", "PC107"), ("", "PC107"), ({"data": {"id": "x"}}, "PC107"), ({"models": []}, "PC107"), ("[" * 100000, "PC107"),
                               (listed(*(f"m{n}" for n in range(10001))), "PC108"), (listed(*(f"m{n}" for n in range(1_000_000))), "PC108"),
                               ({"data": [{"id": "big", "description": "x" * (5 << 20)}]}, "PC108")):
        served.tell("/v1/models", document)
        began = time.monotonic()
        fails(sqlstate, sync, name, hint=True)
        equal(rows(operator, "SELECT name, is_active FROM chat.admin_list_models() WHERE provider = %s", name), [("stays", True)], "half done")
        diag(f"{str(document)[:40]}: {time.monotonic() - began:.2f} s")
    served.tell("/v1/models", listed(*(f"many{n}" for n in range(9000))))
    began = time.monotonic()
    equal(len(sync(name)), 9001)
    diag(f"9000 models: {time.monotonic() - began:.2f} s")
    value(operator, "SELECT chat.admin_delete_provider(%s)", name)


@test("what the provider answers instead has its own SQLSTATE, and no key in the message")
def _():
    name = provider("sync-status", api_key_env="HOME")
    for status, sqlstate in ((401, "PC104"), (403, "PC104"), (404, "PC103"), (429, "PC105"), (500, "PC106"), (302, "PC106"), (204, "PC106")):
        served.tell("/v1/models", {"error": {"message": "said so"}} if status != 204 else "", status, Location=served.url + "/v1/elsewhere")
        error = fails(sqlstate, sync, name)
        assert "said so" in str(error) or status == 204, error
    equal(set(served.paths()), {"/v1/models"}, "redirects are not followed")


@test("a provider that is not there, not committed, not active, or has no list")
def _():
    fails("42704", sync, "sync-nowhere", hint=True)
    value(operator, "SELECT chat.admin_register_provider('sync-echo', 'echo')")
    fails("0A000", sync, "sync-echo", hint=True)
    name = provider("sync-off")
    value(operator, "SELECT chat.admin_set_provider_active(%s, false)", name)
    fails("55000", sync, name, hint=True)
    with service() as connection:
        connection.execute("BEGIN")
        value(connection, "SELECT chat.admin_register_provider('sync-new', 'openai', %s)", served.url)
        fails("P0002", value, connection, "SELECT chat.admin_sync_models('sync-new')", hint=True)
    fails("22004", value, operator, "SELECT chat.admin_sync_models(NULL)")
    value(operator, "SELECT chat.admin_register_provider('sync-gone', 'openai', 'http://127.0.0.1:1/v1')")
    fails("08001", sync, "sync-gone", hint=True)
    value(operator, "SELECT chat.admin_register_provider('sync-inside', 'openai', 'https://169.254.169.254/v1')")
    fails("PC102", sync, "sync-inside", hint=True)


@test("two who take the same list over at once both end, and each model is there once")
def _():
    name = provider("sync-twice")
    served.tell("/v1/models", listed(*(f"twin{n}" for n in range(50))))

    def once():
        with service() as connection:
            return dict(rows(connection, "SELECT model, action FROM chat.admin_sync_models(%s)", name))

    outcomes = [task.result() for task in [Task(once), Task(once)]]
    equal(sorted(action for one in outcomes for action in one.values()), ["added"] * 50 + ["unchanged"] * 50)
    equal(count(name), 50)


@test("a slow list holds up no stream, and who waits for it can be cancelled")
def _():
    name = provider("sync-slow")
    served.answer["/v1/models"] = lambda path: (time.sleep(5), (200, "{}", {}))[1]
    with service() as connection:
        connection.execute("SET statement_timeout = '300ms'")
        began = time.monotonic()
        waiting = Task(fails, "57014", value, connection, "SELECT chat.admin_sync_models(%s)", name)
        value(operator, "SELECT chat.admin_register_model('sync-echo', 'sync-echo')")
        equal(value(operator, "SELECT chat.llm_complete('hi', 'sync-echo')"), "hi")
        assert time.monotonic() - began < 2
        waiting.result()
        assert time.monotonic() - began < 3


run(clean_up=served.stop)
