#!/usr/bin/env python3
"""Checks the bytes of every scenario of mock_provider. Usage: mock_test.py [BINARY]; prints TAP."""
import email.utils
import os
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse

from raw_http import Connection, Server

HERE = os.path.dirname(os.path.abspath(__file__))
BINARY = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "../../build/servers/mock_provider")
OPENAI, ANTHROPIC, OLLAMA = "/v1/chat/completions", "/v1/messages", "/api/chat"
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def body(query="", stream=True, content="hello there", **more):
    model = "mock?" + query if query else "mock"
    return {"model": model, "stream": stream, "messages": [{"role": "user", "content": content}], **more}


def ask(server, query="", path=OPENAI, timeout=20.0, headers=(), **more):
    return Connection(server.port).call(path, body(query, **more), headers, timeout=timeout)


def equal(got, wanted):
    assert got == wanted, f"got {got!r}, wanted {wanted!r}"


def text_of(reply, path=OPENAI):
    """The text that the deltas of a stream make together."""
    pieces = []
    for event in reply.events():
        if path == OPENAI and event != "[DONE]":
            pieces += [choice["delta"].get("content") or "" for choice in event.get("choices", [])]
        if path == ANTHROPIC and event["type"] == "content_block_delta":
            pieces.append(event["delta"].get("text", ""))
        if path == OLLAMA:
            pieces.append(event.get("message", {}).get("content", ""))
    return "".join(pieces)


def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.01)


@test
def openai_stream(s):
    reply = ask(s, "tokens=3", stream_options={"include_usage": True})
    equal((reply.status, reply.headers["content-type"], reply.ended), (200, "text/event-stream", "complete"))
    events = reply.events()
    equal([e["choices"][0]["delta"] for e in events[:5]],
          [{"role": "assistant", "content": ""}, {"content": "w0"}, {"content": " w1"}, {"content": " w2"}, {}])
    equal(events[4]["choices"][0]["finish_reason"], "stop")
    equal((events[5]["choices"], events[5]["usage"]["prompt_tokens"], events[5]["usage"]["completion_tokens"]), ([], 2, 3))
    equal(events[6:], ["[DONE]"])
    assert all(chunk.startswith(b"data: ") and chunk.endswith(b"\n\n") for chunk in reply.chunks)
    equal(len(reply.chunks), len(events))
    assert "usage" not in ask(s, "tokens=1").body.decode(), "usage came without include_usage"


@test
def anthropic_stream(s):
    reply = ask(s, "tokens=2&thinking=1", ANTHROPIC, system="be nice now")
    equal([e["type"] for e in reply.events()],
          ["message_start", "ping", "content_block_start", "content_block_delta", "content_block_delta", "content_block_stop",
           "content_block_start", "content_block_delta", "content_block_delta", "content_block_stop", "message_delta",
           "message_stop"])
    events = reply.events()
    equal(events[0]["message"]["usage"]["input_tokens"], 5)
    equal([events[i]["delta"]["type"] for i in (3, 4, 7)], ["thinking_delta", "signature_delta", "text_delta"])
    equal((events[10]["delta"]["stop_reason"], events[10]["usage"]["output_tokens"]), ("end_turn", 3))
    names = [line[7:] for line in reply.body.decode().split("\n") if line.startswith("event: ")]
    equal(names, [e["type"] for e in events])


@test
def ollama_stream(s):
    request = body("tokens=2&thinking=1")
    del request["stream"]  # Ollama streams unless told otherwise
    reply = Connection(s.port).call(OLLAMA, request)
    equal(reply.headers["content-type"], "application/x-ndjson")
    events = reply.events()
    equal([e["done"] for e in events], [False, False, False, True])
    equal((events[0]["message"]["thinking"], text_of(reply, OLLAMA)), ("t0", "w0 w1"))
    equal((events[3]["prompt_eval_count"], events[3]["eval_count"], events[3]["done_reason"]), (2, 3, "stop"))


@test
def whole_replies(s):
    reply = ask(s, "tokens=2&thinking=1", stream=False).json()
    equal(reply["choices"][0]["message"], {"role": "assistant", "reasoning_content": "t0", "content": "w0 w1"})
    equal((reply["usage"]["prompt_tokens"], reply["usage"]["completion_tokens"]), (2, 3))
    reply = ask(s, "tokens=2&thinking=1", ANTHROPIC, stream=False).json()
    equal([(b["type"], b.get("text", b.get("thinking"))) for b in reply["content"]], [("thinking", "t0"), ("text", "w0 w1")])
    equal(reply["usage"]["output_tokens"], 3)
    reply = ask(s, "tokens=2", OLLAMA, stream=False).json()
    equal((reply["message"]["content"], reply["done"], reply["eval_count"]), ("w0 w1", True, 2))


@test
def tool_calls(s):
    events = ask(s, "tool=2&tool_name=f&tool_args=" + urllib.parse.quote('{"a":"é\\"x","bb":[1,2]}')).events()
    calls = [c for e in events[:-1] for choice in e["choices"] for c in choice["delta"].get("tool_calls", [])]
    for index in (0, 1):
        mine = [c for c in calls if c["index"] == index]
        equal(mine[0]["function"]["name"], "f")
        assert len(mine) > 3 and mine[0]["id"], mine
        equal("".join(c["function"]["arguments"] for c in mine), '{"a":"é\\"x","bb":[1,2]}')
    equal(events[-2]["choices"][0]["finish_reason"], "tool_calls")
    events = ask(s, "tool=1&text=let+me+see", ANTHROPIC).events()
    parts = [e["delta"]["partial_json"] for e in events if e.get("delta", {}).get("type") == "input_json_delta"]
    assert len(parts) > 1
    equal("".join(parts), '{"city":"Paris","unit":"celsius"}')
    equal([e["delta"]["stop_reason"] for e in events if e["type"] == "message_delta"], ["tool_use"])
    events = ask(s, "tool=1", OLLAMA).events()
    equal(events[0]["message"]["tool_calls"][0]["function"]["arguments"], {"city": "Paris", "unit": "celsius"})
    whole = ask(s, "tool=1", stream=False).json()["choices"][0]
    equal((whole["finish_reason"], whole["message"]["content"]), ("tool_calls", None))
    equal(ask(s, "tool=1", ANTHROPIC, stream=False).json()["content"][0]["input"], {"city": "Paris", "unit": "celsius"})


@test
def given_texts(s):
    text = 'a "quoted" word, ünd\nnew lines + 100%'
    for path in (OPENAI, ANTHROPIC, OLLAMA):
        equal(text_of(ask(s, "text=" + urllib.parse.quote(text), path), path), text)
        equal(text_of(ask(s, "echo=1", path, content=text), path), text)
        parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]
        equal(text_of(ask(s, "echo=1", path, content=parts), path), "one two")
        structured = '{"answer": 42, "why": "wïe"}'
        equal(text_of(ask(s, "json=" + urllib.parse.quote(structured), path), path), structured)
    equal(ask(s, "finish=length").events()[-2]["choices"][0]["finish_reason"], "length")


@test
def precedence_of_scenarios(s):
    with Server(BINARY, "--default", "tokens=1&text=default") as other:
        equal(text_of(ask(other)), "default")
        equal(text_of(ask(other, path="/x/s/text=path/v1/chat/completions")), "path")
        equal(text_of(ask(other, "text=model", path="/s/text=path/v1/chat/completions")), "model")
    escaped = b'{"model":"mock?text=a\\u0026tokens=2","stream":true,"messages":[]}'
    equal(text_of(Connection(s.port).call(OPENAI, escaped)), "a")
    reply = ask(s, "tokenz=2")
    equal(reply.status, 400)
    assert "tokenz" in reply.json()["error"]["message"]


@test
def times(s):
    start = time.monotonic()
    reply = ask(s, "latency_ms=200&first_token_ms=150&tokens=4&rate=10")
    at = {}
    for when, data in reply.segments:
        for mark in (b"HTTP/1.1", b'"w0"', b'" w1"', b'" w3"'):
            if mark in data:
                at[mark] = when - start
    for mark, wanted in ((b"HTTP/1.1", 0.2), (b'"w0"', 0.35), (b'" w1"', 0.45), (b'" w3"', 0.65)):
        assert wanted - 0.001 <= at[mark] < wanted + 0.5, (mark, at[mark])
    start = time.monotonic()
    ask(s, "latency_ms=100&tokens=3&rate=20", stream=False)
    assert time.monotonic() - start >= 0.199, "a whole reply must take as long as its stream"


@test
def stamps(s):
    before = time.time_ns()
    text = text_of(ask(s, "stamp=1&tokens=3"))
    stamped = [piece.split(":") for piece in text.split()]
    equal([int(i) for i, _ in stamped], [0, 1, 2])
    assert all(before <= int(t) <= time.time_ns() for _, t in stamped)


@test
def errors(s):
    reply = ask(s, "status=429&retry_after=7")
    equal((reply.status, reply.headers["retry-after"], "message" in reply.json()["error"]), (429, "7", True))
    reply = ask(s, "status=529&retry_after_date=100", ANTHROPIC)
    equal((reply.status, reply.json()["error"]["type"]), (529, "overloaded_error"))
    ahead = email.utils.parsedate_to_datetime(reply.headers["retry-after"]).timestamp() - time.time()
    assert 80 < ahead < 101, ahead
    equal(list(ask(s, "status=500", OLLAMA).json()), ["error"])
    reply = ask(s, "redirect=" + urllib.parse.quote("http://elsewhere/x", ""))
    equal((reply.status, reply.headers["location"]), (302, "http://elsewhere/x"))
    equal(ask(s, path="/nowhere").status, 404)
    equal(Connection(s.port).call(OPENAI, b"[1").status, 400)


@test
def failing_first(s):
    equal([ask(s, "fail_times=2&key=k1&status=502").status for _ in range(4)], [502, 502, 200, 200])
    equal([ask(s, "fail_times=1&key=k2").status for _ in range(2)], [503, 200])
    equal([ask(s, "fail_times=1&key=k3&reset=1").ended for _ in range(2)], ["reset", "complete"])
    equal([ask(s, "fail_times=1", user=u).status for u in ("u1", "u1", "u2")], [503, 200, 503])


@test
def error_in_the_stream(s):
    reply = ask(s, "error_mid=1&tokens=4")
    equal((reply.ended, len(reply.events()), "error" in reply.events()[-1]), ("complete", 4, True))
    equal(ask(s, "error_mid=1", ANTHROPIC).events()[-1]["type"], "error")
    equal(list(ask(s, "error_mid=1", OLLAMA).events()[-1]), ["error"])


@test
def hangs(s):
    equal((ask(s, "hang=head", timeout=0.3).raw, ask(s, "hang=accept", timeout=0.3).raw), (b"", b""))
    reply = ask(s, "hang=body", timeout=0.3)
    equal((reply.ended, text_of(reply)), ("timeout", "w0"))
    whole = ask(s, "hang=body", stream=False, timeout=0.3)
    assert whole.ended == "timeout" and 0 < len(whole.body) < int(whole.headers["content-length"])
    with Server(BINARY, "--default", "hang=accept") as deaf:
        equal((ask(deaf, timeout=0.3).ended), "timeout")


@test
def broken_ends(s):
    reply = ask(s, "truncate=2")
    equal((reply.ended, text_of(reply)), ("eof", "w0 w1"))
    equal(ask(s, "truncate=0").ended, "eof")
    whole = ask(s, "truncate=1", stream=False)
    equal((whole.ended, len(whole.body) < int(whole.headers["content-length"])), ("eof", True))
    reply = ask(s, "reset=1")
    equal((reply.ended, reply.raw), ("reset", b""))
    equal(ask(s, "reset=1&truncate=3&rate=50").ended, "reset")
    reply = ask(s, "garbage=1")
    assert reply.raw and not reply.raw.startswith(b"HTTP") and reply.ended == "eof"
    reply = ask(s, "html=1")
    equal((reply.status, reply.headers["content-type"], reply.body[:9]), (200, "text/html", b"<!DOCTYPE"))
    assert "[DONE]" not in ask(s, "done=0").events()
    assert ask(s, "done=0", ANTHROPIC).events()[-1]["type"] == "message_delta"
    assert not ask(s, "done=0", OLLAMA).events()[-1]["done"]
    assert b'"usage"' not in ask(s, "usage=0", stream=False).body + ask(s, "usage=0", ANTHROPIC).body


@test
def hostile_text(s):
    reply = ask(s, "badutf8=1&tokens=6")
    pieces = [chunk.partition(b'"content":"')[2].partition(b'"}')[0] for chunk in reply.chunks[1:7]]
    equal(pieces, [b"ok ", b"\xff\xfe", b"\xe2\x82", b"\xac", b" \xf0\x9f\x98\x80", b" w5"])
    assert any(data.endswith(b"\xf0\x9f") for _, data in reply.segments), "the character was not cut between segments"
    assert rb'" a\u0000b"' in ask(s, "nul=1").body and rb'" a\u0000b"' in ask(s, "nul=1", OLLAMA).body
    assert rb'" a\ud800b"' in ask(s, "surrogate=1", ANTHROPIC).body


@test
def odd_framing(s):
    reply = ask(s, "crlf=1&tokens=2")
    equal((reply.body.count(b"\n"), reply.body.count(b"\r\n")), (10, 10))
    reply = ask(s, "content_length=0&tokens=2")
    equal((reply.ended, reply.chunks, "transfer-encoding" in reply.headers, text_of(reply)), ("eof", [], False, "w0 w1"))
    reply = ask(s, "slow_bytes_ms=2&status=500")
    assert len(reply.segments) > len(reply.raw) * 0.8, (len(reply.segments), len(reply.raw))


@test
def endless(s):
    for stream in (True, False):
        connection = Connection(s.port)
        connection.send(OPENAI, body("endless=1", stream=stream))
        received = 0
        while received < 20_000_000:
            received += len(connection.socket.recv(1 << 20))
        equal(ask(s, "tokens=1").status, 200)  # others are still served
        connection.socket.close()


@test
def other_endpoints(s):
    c = Connection(s.port)
    equal(c.call("/v1/models", None, method="GET").json()["data"][0]["id"], "mock")
    equal(c.call("/v1/models", None, ["anthropic-version: x"], "GET").json()["data"][0]["type"], "model")
    equal(c.call("/api/tags", None, method="GET").json()["models"][0]["name"], "mock:latest")
    vectors = c.call("/v1/embeddings", {"model": "m?dims=5", "input": ["a b", "c", "a b"]}).json()
    equal([len(v["embedding"]) for v in vectors["data"]], [5, 5, 5])
    assert vectors["data"][0]["embedding"] == vectors["data"][2]["embedding"] != vectors["data"][1]["embedding"]
    equal(vectors["usage"]["prompt_tokens"], 5)
    equal(len(c.call("/v1/embeddings", {"model": "m", "input": "a", "dimensions": 3}).json()["data"][0]["embedding"]), 3)


@test
def http_details(s):
    c = Connection(s.port)
    pieces = [b'{"mod', b'el":"mock?tokens=1","stream":true', b"}", b""]
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    c.socket.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked)
    equal(text_of(c.read()), "w0")
    c.socket.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    equal(c.socket.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
    c.socket.sendall(b"{}")
    equal(c.read().status, 200)
    for _ in range(2):  # pipelined
        c.send(OPENAI, body("latency_ms=50", stream=False))
    c.socket.settimeout(10)
    data = b""
    while data.count(b"HTTP/1.1 200") < 2 or not data.endswith(b"}"):
        data += c.socket.recv(65536)
    reply = c.call(OPENAI, body(stream=False), ["Connection: close"])
    equal((reply.headers["connection"], c.socket.recv(1)), ("close", b""))
    c = Connection(s.port)
    c.socket.sendall(b"nonsense\r\n\r\n")
    assert c.socket.recv(100).startswith(b"HTTP/1.1 400")


@test
def books(_):
    with Server(BINARY) as s:
        ask(s, "tokens=3", user="k")
        ask(s, "truncate=1", headers=["Idempotency-Key: k", "X-Request-Key: x"])
        ask(s, content="key:abc", stream=False, metadata={"key": "m"})
        ask(s, content="key:abc", path=OLLAMA)
        waiting = [Connection(s.port) for _ in range(5)]
        for connection in waiting:
            connection.send(OPENAI, body("latency_ms=60000"))
        wait_for(lambda: s.admin("/stats")["in_flight"] == 5)
        for connection in waiting:
            connection.socket.close()
        wait_for(lambda: s.admin("/stats")["in_flight"] == 0)
        stats = s.admin("/stats")
        wanted = {"requests": 9, "max_in_flight": 5, "completed": 3, "cut_by_scenario": 1, "aborted_by_client": 5,
                  "tokens_sent": 3 + 1 + 8 + 8, "by_key": {"k": 1, "x": 1, "m": 1, "key:abc": 1}}
        equal({name: stats[name] for name in wanted}, wanted)
        raw = b'{"model":"mock?tokens=2","stream":true, "messages":[{"role":"user","content":"\xc3\xbc \\u00fc"}],"x":"\xff"}'
        Connection(s.port).call("/a/v1/messages", raw, ["X-Odd:  Value "])
        last = s.admin("/requests?last=2")
        equal(len(last), 2)
        equal(last[1]["body"].encode("utf-8", "surrogateescape"), raw)
        equal((last[1]["method"], last[1]["target"], last[1]["headers"][-1]), ("POST", "/a/v1/messages", ["X-Odd", "Value"]))
        timing = s.admin("/timing?last=1")[0]
        assert timing["requested_ns"] <= timing["head_ns"] <= timing["first_token_ns"] <= timing["last_token_ns"]
        equal((timing["tokens"], timing["outcome"]), (2, "completed"))
        s.admin("/reset", "POST")
        stats = s.admin("/stats")
        equal((stats["requests"], stats["tokens_sent"], stats["by_key"], s.admin("/timing?last=9")), (0, 0, {}, []))


@test
def keys(_):
    with Server(BINARY, "--require-key", "sesame") as s:
        equal([ask(s, headers=h).status for h in
               ([], ["Authorization: Bearer wrong"], ["Authorization: Bearer sesame"], ["x-api-key: sesame"], ["api-key: sesame"])],
              [401, 401, 200, 200, 200])


@test
def tls_and_threads(_):
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([os.path.join(HERE, "tls.sh"), directory], check=True, stdout=subprocess.DEVNULL)
        file = lambda name: os.path.join(directory, name)
        with Server(BINARY, "--tls", file("server.crt"), file("server.key"), "--threads", "2") as s:
            c = Connection(s.port, file("ca.crt"))
            equal([text_of(c.call(OPENAI, body("tokens=3&rate=100"))) for _ in range(3)], ["w0 w1 w2"] * 3)
            equal(len(c.call(OPENAI, body("tokens=100000", stream=False)).json()["choices"][0]["message"]["content"].split()), 100000)


@test
def many_streams_keep_time(s):
    late = []

    def one():
        start = time.monotonic()
        reply = ask(s, "tokens=33&rate=66&latency_ms=100")
        late.append(reply.segments[-1][0] - start - 0.1 - 32 / 66)

    threads = [threading.Thread(target=one) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(late) == 100 and min(late) > -0.001 and sorted(late)[50] < 1, (min(late), max(late))


@test
def ends_at_once(_):
    s = Server(BINARY)
    c = Connection(s.port)
    c.send(OPENAI, body("endless=1"))
    start = time.monotonic()
    s.__exit__()
    assert time.monotonic() - start < 5


def main():
    failed = 0
    print(f"1..{len(TESTS)}")
    with Server(BINARY) as server:
        for number, function in enumerate(TESTS, 1):
            try:
                function(server)
                print(f"ok {number} - {function.__name__}", flush=True)
            except Exception:
                failed += 1
                print(f"not ok {number} - {function.__name__}")
                print("# " + traceback.format_exc().replace("\n", "\n# "), flush=True)
    sys.exit(failed > 0)


main()
