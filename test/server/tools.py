#!/usr/bin/python3
# Tools, thinking and images on all families: what is sent, what comes back, and the way back into the next request.
import json

from support import mock
from support.database import Person, fails
from support.scripted import Scripted
from support.tap import diag, equal, run, test, wait_until

alice = Person("alice")
provider = Scripted()
models = provider.register()
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "The weather of a place",
                                           "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}},
         {"type": "function", "function": {"name": "clock"}}]
PIXEL = "89504e470d0a1a0a0000000d4948445200000001000000010806000000"


def complete(messages, model, **options):
    return alice.value("SELECT chat.llm_complete_json(%s::jsonb, %s, options => %s)", json.dumps(messages), model, json.dumps(options))


def refused(model, **options):
    """The provider's API has nothing for these options."""
    fails("0A000", lambda: complete([{"role": "user", "content": "x"}], model, **options), hint=True)


@test("a tool is called, its result goes back, and the model answers: the same messages for every family")
def round_trip():
    for kind, model in models.items():
        provider.replies = [[("weather", {"city": "Oslo"}), ("clock", {})], "It is cold."]
        messages = [{"role": "user", "content": "How is Oslo?"}]
        got = complete(messages, model, tools=TOOLS)
        calls = got["tool_calls"]
        equal((got["finish_reason"], [call["function"]["name"] for call in calls]), ("tool_calls", ["weather", "clock"]), kind)
        equal(json.loads(calls[0]["function"]["arguments"]), {"city": "Oslo"}, kind)
        assert calls[0]["id"] != calls[1]["id"], calls
        messages += [{"role": "assistant", "content": got["content"], "tool_calls": calls},
                     {"role": "tool", "tool_call_id": calls[0]["id"], "content": "-3 degrees"},
                     {"role": "tool", "tool_call_id": calls[1]["id"], "content": "noon"}]
        equal(complete(messages, model, tools=TOOLS)["content"], "It is cold.", kind)
    openai, anthropic, ollama = provider.bodies[1::2][-3:]
    equal([message["role"] for message in openai["messages"]], ["user", "assistant", "tool", "tool"])
    equal(openai["messages"][2]["tool_call_id"], openai["messages"][1]["tool_calls"][0]["id"])
    results = anthropic["messages"][2]["content"]
    equal([(block["type"], block["content"]) for block in results], [("tool_result", "-3 degrees"), ("tool_result", "noon")])
    equal([message.get("tool_name") for message in ollama["messages"]], [None, None, "weather", "clock"])
    equal(ollama["tools"][1]["function"]["parameters"], {"type": "object", "properties": {}})


@test("in a conversation: a reply calls a tool, its result is sent, and the next reply knows both, in the engine's own words")
def conversation():
    for kind, model in models.items():
        provider.replies = [[("weather", {"city": "Oslo"})], "It is cold."]
        talk = alice.conversation(model)
        _, reply, _ = alice.send(talk, "How is Oslo?", tools=TOOLS)
        wait_until(lambda: alice.message(reply)["status"] == "complete", "the first reply")
        calls = alice.message(reply)["tool_calls"]
        results = json.dumps([{"tool_call_id": calls[0]["id"], "content": "-3 degrees"}])
        _, answer, _ = alice.rows("SELECT * FROM chat.send_tool_results(%s, %s, options => %s)", reply, results, json.dumps({"tools": TOOLS}))[0]
        wait_until(lambda: alice.message(answer)["status"] == "complete", "the second reply")
        equal((alice.message(answer)["content"], alice.message(answer)["model"]), ("It is cold.", model), kind)
        equal([message["role"] for message in provider.last()[0]["messages"]],
              {"anthropic": ["user", "assistant", "user"]}.get(kind, ["user", "assistant", "tool"]), kind)
        assert "-3 degrees" in json.dumps(provider.last()[0]["messages"][2]), provider.last()


@test("fragments of a streamed call are assembled, on every family")
def streamed():
    call = "SELECT (s).kind, (s).delta FROM (SELECT chat.llm_stream('x', %s, options => %s) AS s OFFSET 0) x"
    arguments = '{"city": "Bodø", "days": [1, 2, 3]}'
    for kind in ("openai", "anthropic", "ollama"):
        model = mock.model("tool=2&tool_name=weather&tool_args=%7B%22city%22%3A%20%22Bod%C3%B8%22%2C%20%22days%22%3A%20%5B1%2C%202%2C%203%5D%7D", kind)
        rows = alice.rows(call, model, json.dumps({"tools": TOOLS}))
        calls = [json.loads(delta) for name, delta in rows if name == "tool_calls"]
        equal(len(calls), 1, kind)
        equal([json.loads(one["function"]["arguments"]) for one in calls[0]], [json.loads(arguments)] * 2, kind)
        equal({one["function"]["name"] for one in calls[0]}, {"weather"}, kind)
    diag("assembled on openai, anthropic and ollama")


@test("the choice of a tool: each family's own form, and 0A000 where it has none")
def choice():
    named = {"type": "function", "function": {"name": "weather"}}
    for chosen, openai, anthropic in (("auto", "auto", {"type": "auto"}), ("none", "none", {"type": "none"}),
                                      ("required", "required", {"type": "any"}), (named, named, {"type": "tool", "name": "weather"})):
        complete([{"role": "user", "content": "x"}], models["openai"], tools=TOOLS, tool_choice=chosen)
        equal(provider.last()[0]["tool_choice"], openai)
        complete([{"role": "user", "content": "x"}], models["anthropic"], tools=TOOLS, tool_choice=chosen)
        equal(provider.last()[0]["tool_choice"], anthropic)
    complete([{"role": "user", "content": "x"}], models["ollama"], tools=TOOLS, tool_choice="none")
    equal("tools" in provider.last()[0], False)
    before = len(provider.bodies)
    for chosen in ("required", named):
        refused(models["ollama"], tools=TOOLS, tool_choice=chosen)
    refused(models["anthropic"], temperature=1.5)
    equal(len(provider.bodies), before, "nothing was sent")


@test("images: a bytea, a data URL, and an https URL where the family takes one")
def images():
    call = "SELECT chat.llm_complete('What is it?', %s, options => jsonb_build_object('images', jsonb_build_array(%s::bytea)))"
    for model in models.values():
        alice.value(call, model, "\\x" + PIXEL)
    openai, anthropic, ollama = provider.last(3)
    sent = openai["messages"][0]["content"][1]["image_url"]["url"]
    assert sent.startswith("data:image/png;base64,iVBORw0KGgo"), sent
    equal(anthropic["messages"][0]["content"][0]["source"]["media_type"], "image/png")
    equal(ollama["messages"][0]["images"][0], sent.split(",")[1])
    url = "https://images.example/cat.png"
    for kind in ("openai", "anthropic"):
        complete([{"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": url}}]}], models[kind])
        assert url in json.dumps(provider.last()[0]), kind
    refused(models["ollama"], images=[url])
    fails("PC002", alice.value, call, models["openai"], "\\x25504446", hint=True)


@test("thinking, stop, seed and extra in each family's own form")
def settings():
    options = {"stop": ["END"], "seed": 5, "max_tokens": 50, "temperature": 0.5, "top_p": 0.9, "thinking": {"effort": "high"}, "extra": {"top_k": 3}}
    for model in models.values():
        complete([{"role": "user", "content": "x"}], model, **options)
    openai, anthropic, ollama = provider.last(3)
    equal((openai["stop"], openai["seed"], openai["reasoning_effort"], openai["top_k"]), (["END"], 5, "high", 3))
    equal((anthropic["stop_sequences"], anthropic["thinking"], anthropic["output_config"]["effort"]), (["END"], {"type": "adaptive"}, "high"))
    equal("seed" in anthropic, False, "Anthropic's API has no seed: it is left out")
    equal((ollama["options"]["stop"], ollama["options"]["seed"], ollama["options"]["num_predict"], ollama["think"]), (["END"], 5, 50, "high"))
    for kind in ("openai", "anthropic", "ollama"):
        got = alice.value("SELECT chat.llm_complete_json('x', %s)", mock.model("thinking=4&tokens=2", kind))
        assert got["thinking"] and got["content"] == "w0 w1", got


run()
