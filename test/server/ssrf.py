#!/usr/bin/python3
"""Where a hostile or careless address cannot lead the database server: a test for each rule, for calls and for lists of models."""

import contextlib
import json
import os

from support import cluster
from support.database import Person, connect, fails, rows, service, settings, value
from support.provider import Provider, completion
from support.tap import equal, run, skip_all, test

SLOW_DNS = cluster.ROOT / "build/servers/slow_dns.so"
HOME = cluster.ROOT / "build/ssrf-home"
served = Provider()
# A proxy that everything would go through if the environment had a say.
proxy = Provider()
# The key that the environment of this cluster holds, as somebody might paste it.
EVIL_API_KEY = "sk-1\r\nX-Injected: yes"
ENVIRONMENT = {name: proxy.url for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")} | {
    "no_proxy": "", "LD_PRELOAD": str(SLOW_DNS), "EVIL_API_KEY": EVIL_API_KEY, "GOOD_API_KEY": "sk-good-key-1", "HOME": str(HOME)}
operator = None


def register(url, kind="openai", auth_type="none", **options):
    """A provider at this address, with a model named `there`."""
    value(operator, "SELECT chat.admin_register_provider('there', %s, %s, %s, %s)", kind, url, auth_type, json.dumps(options))
    value(operator, "SELECT chat.admin_register_model('there', 'there')")


def call():
    return value(operator, "SELECT chat.llm_complete('hi', 'there', timeout_ms => 5000)")


def sync():
    return rows(operator, "SELECT * FROM chat.admin_sync_models('there')")


def refused(sqlstate, url, **options):
    """Neither a call nor the list of models gets there."""
    register(url, **options)
    for way in call, sync:
        fails(sqlstate, way, hint=True)


def welcome():
    served.forget()
    served.tell("/v1/chat/completions", completion())
    served.tell("/v1/models", {"data": []})


@contextlib.contextmanager
def reached(times):
    """So many requests arrive at the test's server, and none at the proxy, while the block runs."""
    welcome()
    proxy.forget()
    yield
    equal((len(served.requests), proxy.requests), (times, []))


@test("the way there is open: a trusted host by plain http, at a private address")
def _():
    with reached(2):
        register(served.url + "/v1")
        equal((call(), sync()), ("hello", [("there", "missing", None)]))


@test("every spelling of a private address is the address")
def _():
    port = served.port
    with settings(pgchat__trusted_hosts=""), reached(0):
        for host in ("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "0", "0.0.0.0", "[::1]", "[::]",
                     "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "169.254.169.254", "2852039166",
                     "0xa9fea9fe", "[fe80::1]", "[fd00:ec2::254]", "10.1", "192.168.0.1", "172.16.0.1", "100.64.0.1"):
            refused("PC102", f"https://{host}:{port}/v1")
        for host in "127.0.0.1", "localhost", "example.com":
            refused("PC102", f"http://{host}:{port}/v1")


@test("a name is what it resolves to at the moment of connecting, whatever it was before")
def _():
    with settings(pgchat__trusted_hosts="*.nowhere"), reached(0):
        # The look-up gives 127.0.0.1.
        refused("PC102", f"https://inside.loop.test:{served.port}/v1")
        register(f"https://inside.flip.test:{served.port}/v1")
        # In turn 127.0.0.1 and a documentation address: never let through, whichever comes.
        for _ in range(4):
            fails("PC102", call)
            fails("PC102", sync)
    with settings(pgchat__trusted_hosts="*.loop.test"), reached(2):
        register(f"http://inside.loop.test:{served.port}/v1")
        equal((call(), sync()), ("hello", [("there", "missing", None)]), "a name that the operator lists")


@test("redirects are not followed, wherever they lead")
def _():
    register(served.url + "/v1")
    for target in (served.url + "/v1/elsewhere", "http://127.0.0.1:1/", "file:///etc/passwd", "gopher://127.0.0.1:1/x", "//169.254.169.254/"):
        for status in 301, 302, 303, 307, 308:
            welcome()
            for path in "/v1/chat/completions", "/v1/models":
                served.tell(path, "", status, Location=target)
            error = fails("PC106", call, hint=True)
            assert "passwd" not in str(error) and "root:" not in str(error), error
            fails("PC106", sync, hint=True)
            equal(served.paths(), ["/v1/chat/completions", "/v1/models"], f"{status} to {target}")


@test("other schemes and odd URLs are refused when they are registered")
def _():
    for url in ("file:///etc/passwd", "gopher://127.0.0.1/x", "dict://127.0.0.1:11211/stat", "ftp://example.com/v1", "ldap://127.0.0.1/", "javascript:x",
                "/etc/passwd", "//127.0.0.1/v1", "127.0.0.1/v1", "https:///v1", "https://", "https://user:secret@127.0.0.1/v1", "https://a@b/v1",
                "https://example.com/v1#part", "https://example.com\\@127.0.0.1/", "https://exa mple.com/", "https://example.com/\r\nX: y",
                "https://[fe80::1%25eth0]/v1", "https://" + "x" * 3000):
        error = fails("22023", register, url, hint=True)
        assert "secret" not in str(error), error


@test("what gets into the table all the same is refused by the engine")
def _():
    register(served.url + "/v1")
    for url in "file:///etc/passwd", "gopher://127.0.0.1/x", "https://user:secret@127.0.0.1/v1", "https://127.0.0.1/\r\nX: y", "nothing":
        with reached(0), connect() as admin:
            admin.execute("UPDATE chat_private.provider_endpoints SET base_url = %s", (url,))
            for way in call, sync:
                error = fails("22023", way)
                assert "secret" not in str(error), error


@test("proxies of the environment are not asked, .netrc is not read")
def _():
    with reached(2):
        register(served.url + "/v1", auth_type="bearer", api_key_env="GOOD_API_KEY")
        call(), sync()
        equal({headers["Authorization"] for _, _, headers, _ in served.requests}, {"Bearer sk-good-key-1"})
    with reached(2):
        register(served.url + "/v1")
        call(), sync()
        equal({headers.get("Authorization") for _, _, headers, _ in served.requests}, {None})


@test("line ends in a key, a header or a model's name break out of nothing")
def _():
    with reached(0):
        for auth_type in "bearer", "x-api-key", "api-key", "query":
            register(served.url + "/v1", auth_type=auth_type, api_key_env="EVIL_API_KEY")
            for way in call, sync:
                error = fails("22023", way)
                assert "sk-1" not in str(error) and "Injected" not in str(error), error
        for text in "a\r\nX-Injected: yes", "a\nb", "a\rb", "a\u0001":
            for headers in {"X-Team": text}, {text: "x"}:
                fails("PC002", value, operator, "SELECT chat.admin_register_provider('there', 'openai', options => %s)", json.dumps({"headers": headers}))
            fails("22023", value, operator, "SELECT chat.admin_register_model('there', %s)", text)
            fails("PC002", value, operator, "SELECT chat.admin_register_model('there', 'm', options => %s)", json.dumps({"provider_model": text}))
        register(served.url + "/v1")
        with connect() as admin:
            admin.execute("UPDATE chat_private.provider_endpoints SET headers = %s", (json.dumps({"X": "a\r\nX-Injected: yes"}),))
            for way in call, sync:
                fails("22023", way)
            admin.execute("UPDATE chat_private.provider_endpoints SET headers = '{}'")
            admin.execute("UPDATE chat.models SET config = %s WHERE name = 'there'", (json.dumps({"provider_model": "a\r\nX: y"}),))
            fails("22023", call)


@test("only administrators say where providers are")
def _():
    somebody = Person("ssrf")
    for query in ("SELECT chat.admin_register_provider('mine', 'openai', 'http://127.0.0.1/')", "SELECT chat.admin_sync_models('there')",
                  "SELECT chat.admin_list_providers()", "SELECT * FROM chat_private.provider_endpoints", "UPDATE chat.providers SET kind = 'openai'",
                  "UPDATE chat.models SET config = '{}'"):
        fails("42501", somebody.value, query)


@contextlib.contextmanager
def private():
    """A cluster whose environment wants everything to go through the proxy."""
    global operator
    HOME.mkdir(parents=True, exist_ok=True)
    (HOME / ".netrc").write_text("machine 127.0.0.1 login netrc password netrc\n")
    with cluster.private("ssrf", ENVIRONMENT, pgchat__trusted_hosts="127.0.0.0/8", pgchat__max_retries=0):
        operator = service()
        yield
        operator.close()


if not SLOW_DNS.exists():
    skip_all(f"{SLOW_DNS.name} is not built")
run(around=private())
