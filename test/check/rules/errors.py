#!/usr/bin/env python3
"""docs/errors.md lists every error of src/core/error.cpp with its SQLSTATE, and every other SQLSTATE that sql and src raise."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tree

SOURCE, PAGE = "src/core/error.cpp", "docs/errors.md"

coded = {}
for found in re.finditer(r'PGCHAT_ERROR\((\w+), "([0-9A-Z]{5})"\)', tree.text(SOURCE)):
    coded[found.group(1)] = found.group(2)

documented, standard, violations = {}, set(), []
for number, line in enumerate(tree.text(PAGE).splitlines(), 1):
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    named = re.fullmatch(r"`(\w+)`", cells[0])
    state = re.fullmatch(r"`([0-9A-Z]{5})`", cells[1] if len(cells) > 1 else "")
    if not named or not state:
        continue
    if len(cells) < 4 or not cells[2] or not cells[3]:
        violations.append((PAGE, number, f"{named.group(1)} lacks its meaning or what to do"))
    if named.group(1) in coded:
        documented[named.group(1)] = state.group(1)
        if coded[named.group(1)] != state.group(1):
            violations.append((PAGE, number, f"{named.group(1)} is {coded[named.group(1)]} in {SOURCE}"))
    else:
        standard.add(state.group(1))

for name, state in coded.items():
    if name not in documented:
        violations.append((PAGE, 1, f"{name} ({state}) is missing"))

known = set(coded.values()) | standard
RAISED = re.compile(r"ERRCODE\s*(?:=|:=)\s*'([^']+)'|SQLSTATE\s+'([0-9A-Z]{5})'|MAKE_SQLSTATE\(([^)]*)\)", re.I)
raised = 0
for path in tree.files("sql/**/*.sql", "src/**/*.cpp", "src/**/*.hpp"):
    content = tree.text(path)
    for found in RAISED.finditer(content):
        state = found.group(1) or found.group(2) or "".join(re.findall(r"'(.)'", found.group(3)))
        if not state:
            continue
        raised += 1
        if state not in known:
            violations.append((path, tree.line_of(content, found.start()), f"raises {state}, which {PAGE} does not list"))
if not coded:
    violations.append((SOURCE, 1, "no error table found"))
tree.finish(violations)
