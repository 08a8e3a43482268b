#!/usr/bin/env python3
"""Fetches the real llama-server, starts it and checks what it answers. Usage: llama_test.py [DIR]; prints TAP.

Where the packages cannot be had the test is skipped. DIR (default: build/llama) keeps what was fetched.
"""
import os
import random
import socket
import subprocess
import sys

from raw_http import Connection

HERE = os.path.dirname(os.path.abspath(__file__))
LLAMA = os.path.join(HERE, "llama")
DIRECTORY = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "../../build/llama"))
STORY = ", there was a little girl named Lily"


def request(stream):
    return {"model": "stories260K", "messages": [{"role": "user", "content": "Once upon a time"}], "temperature": 0,
            "max_tokens": 24, "stream": stream}


def openai_text(reply):
    events = reply.events()
    assert events[-1] == "[DONE]", events[-1]
    return "".join(choice["delta"].get("content") or "" for event in events[:-1] for choice in event["choices"])


def anthropic_text(reply):
    events = reply.events()
    assert events[-1]["type"] == "message_stop", events[-1]
    return "".join(event["delta"].get("text", "") for event in events if event["type"] == "content_block_delta")


def free_port():
    """Below the ephemeral range: a poll of an unopened port inside it can connect to itself."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def main():
    fetched = subprocess.run([os.path.join(LLAMA, "fetch.sh"), DIRECTORY], stderr=subprocess.PIPE, text=True)
    if fetched.returncode == 75:
        print(f"1..0 # SKIP {fetched.stderr.strip()}")
        return
    fetched.check_returncode()
    port = free_port()
    pid = subprocess.run([os.path.join(LLAMA, "start.sh"), DIRECTORY, str(port)], stdout=subprocess.PIPE, text=True,
                         check=True).stdout.strip()
    checks = [
        ("/v1/chat/completions", False, lambda reply: reply.json()["choices"][0]["message"]["content"]),
        ("/v1/chat/completions", True, openai_text),
        ("/v1/messages", False, lambda reply: reply.json()["content"][0]["text"]),
        ("/v1/messages", True, anthropic_text),
    ]
    failed = 0
    print(f"1..{len(checks)}")
    try:
        for number, (path, stream, text) in enumerate(checks, 1):
            got = text(Connection(port).call(path, request(stream)))
            good = got.startswith(STORY)
            failed += not good
            print(f"{'' if good else 'not '}ok {number} - {path} {'streams' if stream else 'answers'}: {got!r}")
    finally:
        subprocess.run([os.path.join(LLAMA, "stop.sh"), pid], check=True)
    sys.exit(failed > 0)


main()
