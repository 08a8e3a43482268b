#!/usr/bin/python3
# Replies that must be JSON: each family is asked in its own way, what comes is checked, and mended once.
import json

from support.database import Person, connect, fails, text_of
from support.scripted import Scripted
from support.tap import diag, equal, run, test, wait_until

alice = Person("alice")
admin = connect()
provider = Scripted()
models = provider.register()
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "heat": {"type": "integer", "minimum": -90}},
          "required": ["city", "heat"], "additionalProperties": False}
GOOD = '{"city": "Oslo", "heat": -3}'
JSON_CALL = "SELECT chat.llm_complete_json('Which?', %s, response_format => %s)"


def recorded(request_id):
    """What the usage events of the call have, tokens in and out together."""
    query = "SELECT sum(input_tokens)::int, sum(output_tokens)::int FROM chat.usage_events WHERE request_id = %s HAVING count(*) > 0"
    return wait_until(lambda: admin.execute(query, (request_id,)).fetchone(), "a usage event")


@test("a valid reply comes back as text, and with its value as member json; each family is told the schema in its own form")
def valid():
    for kind, model in models.items():
        provider.replies = [GOOD]
        got = alice.value(JSON_CALL, model, json.dumps(SCHEMA))
        equal((got["content"], got["json"]), (GOOD, {"city": "Oslo", "heat": -3}), kind)
    openai, anthropic, ollama = provider.last(3)
    equal(openai["response_format"], {"type": "json_schema", "json_schema": {"name": "response", "schema": SCHEMA, "strict": True}})
    sent = anthropic["output_config"]["format"]
    equal((sent["type"], sent["schema"]["properties"]["heat"]), ("json_schema", {"type": "integer", "description": "(minimum: -90)"}))
    equal(ollama["format"], SCHEMA)
    equal("json" in alice.value("SELECT chat.llm_complete_json('x', %s)", models["openai"]), False, "nothing was asked for")


@test("an invalid reply is mended once: the model sees it and what is wrong, and both replies are paid for")
def mended():
    for kind, model in models.items():
        provider.replies = ["Oslo, -3", GOOD]
        got = alice.value(JSON_CALL, model, json.dumps(SCHEMA))
        equal((got["json"]["heat"], got["usage"]["input_tokens"], got["usage"]["output_tokens"]), (-3, 20, 20), kind)
        equal(float(got["cost"]), 0.00004, kind)
        first, second = (body["messages"] for body in provider.last(2))
        equal((len(second) - len(first), second[-2]["role"], second[-2]["content"]), (2, "assistant", "Oslo, -3"), kind)
        assert "not valid JSON" in second[-1]["content"], second[-1]
        equal(tuple(recorded(got["request_id"])), (20, 20), kind)
    provider.replies = ['{"city": "Oslo", "heat": -300}', GOOD]
    alice.value(JSON_CALL, models["openai"], json.dumps(SCHEMA))
    assert "$.heat: must be at least -90" in provider.last()[0]["messages"][-1]["content"], provider.last()


@test("a reply that stays invalid is PC112, on every way; nothing is asked a third time")
def refused():
    before = len(provider.bodies)
    provider.replies = ["one", "two"]
    diag(fails("PC112", alice.value, JSON_CALL, models["openai"], json.dumps(SCHEMA), hint=True))
    provider.replies = ["[1]", "[2]"]
    fails("PC112", alice.value, "SELECT chat.llm_complete('x', %s, response_format => '{\"type\": \"json_object\"}')", models["ollama"], hint=True)
    equal(len(provider.bodies) - before, 4)
    provider.replies = ["one", "two"]
    got = alice.rows("SELECT * FROM chat.llm_complete_batch('{x}', %s, response_format => %s)", models["anthropic"], json.dumps(SCHEMA))
    equal((got[0][1], got[0][2]["sqlstate"], got[0][2]["code"]), ("two", "PC112", "invalid_structured_reply"))
    provider.replies = ["one", "two"]
    request = alice.value("SELECT chat.llm_submit('x', %s, response_format => %s)", models["openai"], json.dumps(SCHEMA))
    got = alice.value("SELECT chat.llm_result(%s, 10000)", request)
    equal((got["status"], got["error"]["sqlstate"], "json" in got), ("incomplete", "PC112", False))
    provider.replies = ["one", GOOD]
    request = alice.value("SELECT chat.llm_submit('x', %s, response_format => %s)", models["openai"], json.dumps(SCHEMA))
    got = alice.value("SELECT chat.llm_result(%s, 10000)", request)
    equal((got["status"], got["json"]), ("complete", json.loads(GOOD)))


@test("a stream is checked, too, but not mended: its text is out")
def streamed():
    before = len(provider.bodies)
    provider.replies = ["one"]
    rows = []
    call = "SELECT (s).seq, (s).kind, (s).delta FROM (SELECT chat.llm_stream('x', %s, response_format => %s) AS s OFFSET 0) x"

    def read():
        with alice.connection.cursor() as cursor:
            for row in cursor.stream(call, (models["openai"], json.dumps(SCHEMA))):
                rows.append(row)

    fails("PC112", read, hint=True)
    equal((text_of(rows), len(provider.bodies) - before), ("one", 1))
    provider.replies = [GOOD]
    equal(text_of(alice.rows(call, models["openai"], json.dumps(SCHEMA))), GOOD)


@test("calls of tools are no JSON, and none is asked for; a schema that is none, or cannot be read, is PC002")
def others():
    provider.replies = [[("weather", {"city": "Oslo"})]]
    tools = json.dumps({"tools": [{"type": "function", "function": {"name": "weather"}}]})
    got = alice.value("SELECT chat.llm_complete_json('x', %s, response_format => %s, options => %s)", models["openai"], json.dumps(SCHEMA), tools)
    equal((got["json"], got["tool_calls"][0]["function"]["name"]), (None, "weather"))
    for wrong in ("7", "[]", '"text"'):
        fails("PC002", alice.value, "SELECT chat.llm_complete('x', %s, response_format => %s)", models["openai"], wrong, hint=True)


@test("a schema that never ends, and one that branches without end, hold the engine up for no time that counts")
def bombs():
    doubling = {"$ref": "#/$defs/0", "$defs": {str(n): {"anyOf": [{"$ref": f"#/$defs/{n + 1}"}] * 2} for n in range(60)}}
    doubling["$defs"]["60"] = False
    for schema in ({"$ref": "#"}, doubling, {"type": "string", "pattern": "^(a+)+$"}):
        provider.replies = ['"' + "a" * 40 + '!"'] * 2
        try:
            got = alice.value("SELECT chat.llm_complete_json('x', %s, response_format => %s, timeout_ms => 20000)", models["openai"], json.dumps(schema))
            diag(f"taken in {got['latency_ms']} ms")
            equal("pattern" in schema, True)
        except Exception as error:
            equal(getattr(error, "sqlstate", error), "PC112")
            equal("$ref" in schema, True)


run()
