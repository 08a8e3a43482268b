"""Further llama-servers of one test, with arguments of its own, beside the one that the tests share."""

import os
import pathlib
import random
import socket
import subprocess

_SCRIPTS = pathlib.Path(os.environ["PGCHAT_SOURCE"]) / "test/servers/llama"
_started = []


def _free_port():
    """Below the ephemeral range: a poll of an unopened port inside it can connect to itself."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def start(*arguments):
    """Starts a server with these arguments; gives its address."""
    port = _free_port()
    done = subprocess.run([_SCRIPTS / "start.sh", pathlib.Path(os.environ["PGCHAT_BUILD"]) / "llama", str(port), *arguments], text=True,
                          stdout=subprocess.PIPE, check=True, timeout=60)
    _started.append(done.stdout.strip())
    return f"http://127.0.0.1:{port}"


def stop_all():
    """Stops what was started here."""
    for pid in _started:
        subprocess.run([_SCRIPTS / "stop.sh", pid], check=True)
