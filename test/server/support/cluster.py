"""A private cluster of one test, with its own settings and environment, in build/check-<name>."""

import contextlib
import os
import pathlib
import subprocess

from support.database import connect

ROOT = pathlib.Path(os.environ.get("PGCHAT_SOURCE") or pathlib.Path(__file__).resolve().parents[3])
_SCRIPT = str(ROOT / "test/cluster/cluster.sh")
_TO_RESTORE = ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGCHAT_CLUSTER", "PGCHAT_SERVER_LOG", "PGPASSWORD")


def control(*arguments, environment=None):
    """Runs cluster.sh; gives what it printed."""
    done = subprocess.run([_SCRIPT, *map(str, arguments)], env={**os.environ, **(environment or {})}, timeout=120,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, f"cluster.sh {arguments}: {done.stdout}{done.stderr}"
    return done.stdout


def as_server(*command):
    """Runs a program of the server as the server's user."""
    script = '. "$1"; program=$2; shift 2; cluster_run "$(cluster_bindir)/$program" "$@"'
    done = subprocess.run(["bash", "-c", script, "as_server", _SCRIPT, *map(str, command)], timeout=60,
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"


@contextlib.contextmanager
def private(name, environment=None, **settings):
    """A running cluster with the extension in database `check_private`, to which PGHOST and the like point meanwhile; gives its folder.
    environment: of the server's processes. settings: a dot in a parameter's name is written as two underscores."""
    folder = ROOT / "build" / f"check-{name}"
    before = {key: os.environ.get(key) for key in _TO_RESTORE}
    control("remove", folder)
    options = [part for key, wanted in {"pgchat.bcrypt_cost": 4, **settings}.items()
               for part in ("--set", f"{key.replace('__', '.')}={wanted}")]
    try:
        # The server's output must not be a pipe of ours, or reading it would wait for the server's end.
        control("create", folder, *options)
        start(folder, environment)
        for line in control("env", folder).removeprefix("export ").split():
            key, _, wanted = line.partition("=")
            os.environ[key] = wanted
        with connect(dbname="postgres") as admin:
            admin.execute("CREATE DATABASE check_private")
        os.environ["PGDATABASE"] = "check_private"
        with connect() as admin:
            admin.execute("CREATE EXTENSION pgchat")
        yield folder
    finally:
        for key, wanted in before.items():
            os.environ.pop(key, None)
            if wanted is not None:
                os.environ[key] = wanted
        control("remove", folder)


def start(folder, environment=None):
    subprocess.run([_SCRIPT, "start", str(folder)], env={**os.environ, **(environment or {})}, check=True, timeout=120,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
