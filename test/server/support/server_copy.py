"""A copy of the server's programs whose library of pgchat can be another one: servers that others run keep theirs."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from support.cluster import ROOT

PROGRAMS = ("postgres", "initdb", "pg_ctl")


def config(name):
    """A folder that PG_CONFIG knows: bindir, pkglibdir, sharedir."""
    return pathlib.Path(subprocess.run([os.environ.get("PG_CONFIG", "pg_config"), f"--{name}"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip())


def build_library(folder, version, hidden=()):
    """Makes this library as one of another version in a folder of its own; only what knows the version is compiled. hidden: functions that
    it has not. Gives the file."""
    tree = pathlib.Path(folder) / version
    for part in "src", "sql", "build/units":
        shutil.copytree(ROOT / part, tree / part)
    for file in "Makefile", "build/exports.map", "build/server_headers":
        shutil.copy2(ROOT / file, tree / file)
    meta = (ROOT / "META.json").read_text()
    (tree / "META.json").write_text(meta.replace(f'"version": "{json.loads(meta)["version"]}"', f'"version": "{version}"', 1))
    if hidden:
        names = "".join(f" {name}; pg_finfo_{name};" for name in hidden)
        (tree / "build/exports.map").write_text((ROOT / "build/exports.map").read_text().replace("local:", "local:" + names))
    clean = {name: wanted for name, wanted in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    done = subprocess.run(["make", "-s", "pgchat.so"], cwd=tree, env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    return tree / "pgchat.so"


class ServerCopy:
    """root: its folder. The server finds its other files relative to where it is, so they lie to each other as in the original."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.bin, self.lib, share = (self._place(config(name)) for name in ("bindir", "pkglibdir", "sharedir"))
        self.scripts = share / "extension"
        self.own_library = config("pkglibdir") / "pgchat.so"
        for program in PROGRAMS:
            # No link: the server looks where the file itself is.
            shutil.copy2(config("bindir") / program, self.bin / program)
        self._link(config("pkglibdir"), self.lib, lambda name: name != "pgchat.so")
        self._link(config("sharedir"), share, lambda name: name != "extension")
        self.scripts.mkdir()
        self._link(config("sharedir") / "extension", self.scripts, lambda name: True)
        self.pg_config = self.root / "pg_config"
        self.pg_config.write_text(f'#!/bin/sh\nif [ "$1" = --bindir ]; then echo {self.bin}; else exec {os.environ.get("PG_CONFIG", "pg_config")} "$@"; fi\n')
        self.pg_config.chmod(0o755)
        self.load(self.own_library)

    def load(self, library):
        """The server has this library when it is started the next time. A new file, for the one that is loaded must stay as it is."""
        new = self.lib / "pgchat.new"
        shutil.copy(library, new)
        new.chmod(0o755)
        new.rename(self.lib / "pgchat.so")

    def _place(self, folder):
        place = self.root / folder.relative_to("/")
        place.mkdir(parents=True)
        return place

    def _link(self, source, target, is_wanted):
        for entry in source.iterdir():
            if is_wanted(entry.name):
                (target / entry.name).symlink_to(entry)


@contextlib.contextmanager
def server_copy():
    """A copy that cluster.sh uses meanwhile."""
    before = os.environ.get("PG_CONFIG")
    with tempfile.TemporaryDirectory(prefix="pgchat-server.") as root:
        os.chmod(root, 0o755)
        copy = ServerCopy(root)
        os.environ["PG_CONFIG"] = str(copy.pg_config)
        try:
            yield copy
        finally:
            del os.environ["PG_CONFIG"]
            if before is not None:
                os.environ["PG_CONFIG"] = before
