#!/usr/bin/env python3
"""Every SECURITY DEFINER function and every PL/pgSQL function pins search_path to pg_catalog, pg_temp."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tree

CREATE = re.compile(r"^(?:(?:--[^\n]*|/\*.*?\*/)\s*)*CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE)\s+([\w.\"]+)", re.I | re.S)
PINNED = re.compile(r"\bSET\s+search_path\s*(?:=|TO)\s*pg_catalog\s*,\s*pg_temp\b", re.I)
BOUND = re.compile(r"SECURITY\s+DEFINER|LANGUAGE\s+'?plpgsql", re.I)

violations = []
for path in tree.files("sql/**/*.sql"):
    content = tree.text(path)
    for offset, statement in tree.sql_statements(content):
        created = CREATE.match(statement)
        outside_body = re.sub(r"--[^\n]*|/\*.*?\*/|(\$\w*\$).*?\1", "", statement, flags=re.S)
        if created and BOUND.search(outside_body) and not PINNED.search(outside_body):
            violations.append((path, tree.line_of(content, offset), f"{created.group(1)} does not SET search_path = pg_catalog, pg_temp"))
tree.finish(violations)
