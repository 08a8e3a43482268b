#!/usr/bin/python3
# All families against a mock that others wrote: text, streams, calls of tools and their results, JSON, embeddings.
import atexit
import json
import os
import pathlib
import subprocess

from support import mock
from support.database import Person, text_of
from support.npm import install
from support.tap import equal, run, skip_all, test

SOURCE = pathlib.Path(os.environ["PGCHAT_SOURCE"]) / "test/servers/aimock"
FOLDER = pathlib.Path(os.environ["PGCHAT_BUILD"]) / "aimock"
HELLO = "Hello from a mock that others wrote."
TOOLS = json.dumps({"tools": [{"type": "function", "function": {"name": "weather", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}}}}]})


def start():
    """Starts the mock on a port that the kernel chooses; gives its address."""
    process = subprocess.Popen(["node", "node_modules/@copilotkit/aimock/dist/cli.js", "-p", "0", "-f", "talk.json"], cwd=FOLDER,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    atexit.register(process.terminate)
    for line in process.stdout:
        if "listening on " in line:
            return line.split("listening on ")[1].strip(), process
    raise AssertionError("the mock did not start")


reason = install("@copilotkit/aimock", SOURCE, FOLDER, "talk.json")
if reason:
    skip_all(reason)
base_url, process = start()
alice = Person("alice")
models = {}
for kind in "openai", "anthropic", "ollama":
    mock.register_provider(f"aimock-{kind}", base_url + ("" if kind == "ollama" else "/v1"), kind)
    models[kind] = f"aimock-{kind}-model"
    mock.register_model(f"aimock-{kind}", models[kind], provider_model="m")


@test("text, whole and streamed")
def text():
    for kind, model in models.items():
        equal(alice.value("SELECT chat.llm_complete('hello', %s)", model), HELLO, kind)
        rows = alice.rows("SELECT (s).seq, (s).kind, (s).delta FROM (SELECT chat.llm_stream('hello', %s) AS s OFFSET 0) x", model)
        equal((text_of(rows), rows[-1][1]), (HELLO, "done"), kind)


@test("a tool is called, whole and streamed, and its result is understood")
def tools():
    for kind, model in models.items():
        got = alice.value("SELECT chat.llm_complete_json('weather', %s, options => %s)", model, TOOLS)
        call = got["tool_calls"][0]
        equal((call["function"]["name"], json.loads(call["function"]["arguments"])), ("weather", {"city": "Bodø", "days": [1, 2]}), kind)
        equal(got["finish_reason"], "tool_calls", kind)
        rows = alice.rows("SELECT (s).kind, (s).delta FROM (SELECT chat.llm_stream('weather', %s, options => %s) AS s OFFSET 0) x", model, TOOLS)
        streamed = [json.loads(delta) for name, delta in rows if name == "tool_calls"][0][0]["function"]
        equal(json.loads(streamed["arguments"]), {"city": "Bodø", "days": [1, 2]}, kind)
        messages = [{"role": "user", "content": "weather"}, {"role": "assistant", "content": None, "tool_calls": got["tool_calls"]},
                    {"role": "tool", "tool_call_id": call["id"], "content": "-3 degrees"}]
        equal(alice.value("SELECT chat.llm_complete(%s::jsonb, %s, options => %s)", json.dumps(messages), model, TOOLS), "It is cold in Bodø.", kind)


@test("a reply that is JSON, in a batch, and embeddings")
def others():
    schema = json.dumps({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False})
    for kind, model in models.items():
        rows = alice.rows("SELECT response, error FROM chat.llm_complete_batch(ARRAY['place', 'place'], %s, response_format => %s)", model, schema)
        equal(rows, [('{"city": "Oslo"}', None)] * 2, kind)
    equal(alice.value("SELECT chat.llm_embed('embed me', %s)", models["openai"]), [0.25, 0.5, -1])


run(process.terminate)
