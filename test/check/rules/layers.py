#!/usr/bin/env python3
"""src/core knows nothing of PostgreSQL, and only src/pg/postgres.hpp opens postgres.h."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tree

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
SERVER = re.compile(r"^(postgres|fmgr|libpq|utils/|access/|catalog/|storage/|executor/|nodes/|commands/|miscadmin|funcapi|pg_config)")

violations = []
for path in tree.files("src/**/*.hpp", "src/**/*.cpp"):
    content = tree.text(path)
    for found in INCLUDE.finditer(content):
        quote, name = found.groups()
        line = tree.line_of(content, found.start())
        if path.parts[1] == "core":
            if quote == '"' and not name.startswith("core/"):
                violations.append((path, line, f'src/core includes "{name}"; only "core/…" is allowed'))
            elif SERVER.match(name):
                violations.append((path, line, f"src/core includes the server's header {name}"))
        if name == "postgres.h" and path != pathlib.Path("src/pg/postgres.hpp"):
            violations.append((path, line, 'include "pg/postgres.hpp" in place of postgres.h'))
tree.finish(violations)
