#!/usr/bin/python3
# What a real llama-server makes of our requests: JSON under a schema, stop, tools, embeddings, a bearer key.
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from support import llama, mock
from support.cluster import private
from support.database import Person, fails, service, value
from support.tap import diag, equal, run, skip_all, test

if "PGCHAT_LLAMA_PORT" not in os.environ:
    skip_all(os.environ.get("PGCHAT_LLAMA_SKIP", "there is no llama-server"))

LLAMA = f"http://127.0.0.1:{os.environ['PGCHAT_LLAMA_PORT']}"
KEY = "a-key-of-this-test"
START = "Once upon a time"
SCHEMA = {"type": "object", "properties": {"name": {"enum": ["Lily", "Tom"]}, "age": {"type": "integer", "minimum": 1, "maximum": 9},
                                           "likes": {"type": "array", "items": {"enum": ["play", "read"]}, "minItems": 1, "maxItems": 2}},
          "required": ["name", "age", "likes"], "additionalProperties": False}
mock.register_provider("llama", LLAMA + "/v1")
mock.register_model("llama", "stories")
mock.register_provider("llama-messages", LLAMA + "/v1", "anthropic")
mock.register_model("llama-messages", "stories-messages")
alice = Person("alice")


def certificate(folder):
    """An authority and a certificate of 127.0.0.1 that it has signed; gives the arguments of a server that uses them."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=An authority of this test")
    openssl("req", *curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1")
    pathlib.Path(folder, "names").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.pem",
            "-days", "2", "-extfile", "names")
    return "--ssl-key-file", f"{folder}/server.key", "--ssl-cert-file", f"{folder}/server.pem"


@test("a schema binds the model: every reply is valid, alone, in a batch, and streamed")
def schema():
    options = json.dumps({"temperature": 1, "max_tokens": 200})
    got = alice.value("SELECT chat.llm_complete_json(%s, 'stories', response_format => %s, options => %s)", START, json.dumps(SCHEMA), options)
    diag(got["content"])
    assert got["json"]["name"] in ("Lily", "Tom") and 1 <= got["json"]["age"] <= 9, got
    rows = alice.rows("SELECT response::jsonb, error FROM chat.llm_complete_batch(%s, 'stories', response_format => %s, options => %s)",
                      [START] * 5, json.dumps(SCHEMA), options)
    equal([row[1] for row in rows], [None] * 5)
    assert all(set(row[0]) == {"name", "age", "likes"} for row in rows), rows
    rows = alice.rows("SELECT (s).kind FROM (SELECT chat.llm_stream(%s, 'stories', response_format => %s, options => %s) AS s OFFSET 0) x",
                      START, json.dumps(SCHEMA), options)
    equal(rows[-1][0], "done")


@test("a reply cut short by max_tokens is no JSON: PC112 says so")
def cut():
    error = fails("PC112", alice.value, "SELECT chat.llm_complete(%s, 'stories', response_format => %s, options => '{\"max_tokens\": 3}')",
                  START, json.dumps(SCHEMA), hint=True)
    assert "max_tokens" in error.diag.message_hint, error.diag.message_hint


@test("stop ends the reply on both shapes, seed repeats it")
def stop():
    for model in ("stories", "stories-messages"):
        options = {"temperature": 0, "max_tokens": 60, "stop": ["Lily"]}
        got = alice.value("SELECT chat.llm_complete_json(%s, %s, options => %s)", START, model, json.dumps(options))
        assert got["content"].startswith(", there was a little girl named") and "Lily" not in got["content"], got
        equal(got["finish_reason"], "stop", model)
    options = json.dumps({"temperature": 1.5, "max_tokens": 20, "seed": 11, "extra": {"cache_prompt": False}})
    first, second = (alice.value("SELECT chat.llm_complete(%s, 'stories', options => %s)", START, options) for _ in range(2))
    equal(first, second, "the same seed")


@test("a bearer key lets in, another one is PC104, and appears in no message")
def bearer():
    address = llama.start("--api-key", KEY)
    for name, key in (("with-key", KEY), ("wrong-key", "sk-another-key-of-this-test")):
        mock.register_provider(name, address + "/v1", options={"headers": {"Authorization": f"Bearer {key}"}})
        mock.register_model(name, f"{name}-stories")
    assert "Lily" in alice.value("SELECT chat.llm_complete(%s, 'with-key-stories', options => '{\"temperature\": 0, \"max_tokens\": 30}')", START)
    error = fails("PC104", alice.value, "SELECT chat.llm_complete('x', 'wrong-key-stories')")
    assert "another-key" not in str(error) + (error.diag.message_hint or ""), error


@test("TLS with an authority of one's own: trusted where pgchat.ca_file names it, refused where it does not")
def tls():
    folder = tempfile.mkdtemp(prefix="pgchat-tls-")
    os.chmod(folder, 0o755)
    try:
        address = llama.start(*certificate(folder)).replace("http://", "https://")
        for ca_file in "", f"{folder}/ca.pem":
            with private("tls", pgchat__ca_file=ca_file):
                mock.register_provider("llama-tls", address + "/v1")
                mock.register_model("llama-tls", "stories-tls")
                with service() as operator:
                    asked = "SELECT chat.llm_complete(%s, 'stories-tls', options => '{\"temperature\": 0, \"max_tokens\": 30}')"
                    if ca_file:
                        assert "Lily" in value(operator, asked, START)
                    else:
                        fails("08001", value, operator, asked, START)
    finally:
        shutil.rmtree(folder)


@test("embeddings of a real model: one request for many texts, the same text near itself")
def embeddings():
    mock.register_provider("llama-embed", llama.start("--embeddings", "--pooling", "mean") + "/v1")
    mock.register_model("llama-embed", "stories-embed")
    with service() as operator:
        value(operator, "SELECT chat.admin_set_setting('default_embedding_model', '\"stories-embed\"')")
    rows = alice.rows("SELECT * FROM chat.llm_embed(%s::text[])", ["a little girl", "a little girl", "the dog ran"])
    equal([len(row[1]) for row in rows], [64, 64, 64])
    distances = [sum((a - b) ** 2 for a, b in zip(rows[0][1], rows[n][1])) for n in (1, 2)]
    diag(f"squared distances {distances}")
    assert distances[0] < 1e-6 < distances[1], distances


run(llama.stop_all)
