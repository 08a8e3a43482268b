"""Programs that a page's `needs` names and the tests bring where the machine has none: PostGraphile from npm, and a stand-in for PostgREST."""

import os
import pathlib
import re
import shutil
import subprocess

from programs import BUILD, ROOT, Node

STAND_IN = ROOT / "test/servers/postgrest_stand_in"
MODULES = BUILD / "node/node_modules"


def bring(program, environment, folder):
    """Has the environment find the program; the reason why it cannot, or None."""
    if program == "postgraphile":
        reason = _postgraphile(environment, folder)
        if reason:
            return reason
    if program == "postgrest":
        _append(environment, STAND_IN)
    found = shutil.which(program, path=environment["PATH"])
    if not found:
        return f"there is no {program}"
    print(f"# {program}: {found}")
    return None


def _append(environment, folder):
    """Behind what the machine has itself."""
    environment["PATH"] += os.pathsep + str(folder)


def _postgraphile(environment, folder):
    missing = Node.missing()
    if missing:
        return missing
    version = subprocess.run(["node", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    major = int(re.match(r"v(\d+)", version).group(1))
    if major < 20:
        return f"PostGraphile needs Node 22, and there is {version.strip()}"
    if major < 22:
        environment["NODE_OPTIONS"] = f"--require={ROOT / 'test/snippets/node/node22.cjs'}"
    modules = pathlib.Path(folder, "node_modules")
    if not modules.exists():
        modules.symlink_to(MODULES)
    _append(environment, MODULES / ".bin")
    return None
