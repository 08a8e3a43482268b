"""The settings of a configuration file in PostgREST's form, and of the environment, which comes first."""

import os
import re

DEFAULTS = {"db-uri": "postgresql://", "db-schemas": "public", "db-anon-role": "", "db-pre-request": "", "db-pool": "10", "db-max-rows": "",
            "db-extra-search-path": "public", "jwt-secret": "", "jwt-aud": "", "server-host": "127.0.0.1", "server-port": "3000"}


def read_settings(path):
    given = dict(DEFAULTS)
    if path:
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                found = re.fullmatch(r'\s*([a-z-]+)\s*=\s*(?:"([^"]*)"|(\w+))\s*(?:#.*)?', line.rstrip("\n"))
                if found and found.group(1) not in given:
                    raise SystemExit(f"the stand-in has no setting {found.group(1)}")
                if not found and line.split("#")[0].strip():
                    raise SystemExit(f"{path}: {line}")
                if found:
                    given[found.group(1)] = found.group(2) if found.group(2) is not None else found.group(3)
    for name in given:
        given[name] = os.environ.get("PGRST_" + name.upper().replace("-", "_"), given[name])
    if given["jwt-secret"].startswith("@"):
        with open(given["jwt-secret"][1:], encoding="utf-8") as secret:
            given["jwt-secret"] = secret.read().strip()
    return given
