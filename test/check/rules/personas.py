#!/usr/bin/env python3
"""docs/personas.md lists every persona of sql/install/personas/shipped_*.sql with its name, category and subject, and counts them."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tree

PAGE = "docs/personas.md"
ROW = re.compile(r"^    \('(\w+)', '((?:[^']|'')+)',\n     '((?:[^']|'')+)',$", re.M)

shipped = {}
violations = []
for path in tree.files("sql/install/personas/shipped_*.sql"):
    content = tree.text(path)
    category = path.stem.removeprefix("shipped_")
    found = list(ROW.finditer(content))
    if len(found) != content.count("$prompt$") / 2:
        violations.append((path, 1, "has personas that this rule cannot read"))
    for row in found:
        code, name, expertise = (part.replace("''", "'") for part in row.groups())
        if code in shipped:
            violations.append((path, tree.line_of(content, row.start()), f"{code} is shipped twice"))
        shipped[code] = (name, category, expertise.split(":")[0])
if not shipped:
    violations.append((PAGE, 1, "no personas found"))

listed = set()
page = tree.text(PAGE)
for number, line in enumerate(page.splitlines(), 1):
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    named = re.fullmatch(r"`(\w+)`", cells[0])
    if not named or len(cells) != 4:
        continue
    code = named.group(1)
    if code in listed:
        violations.append((PAGE, number, f"{code} is listed twice"))
    listed.add(code)
    if code not in shipped:
        violations.append((PAGE, number, f"{code} is not shipped"))
    elif tuple(cells[1:]) != shipped[code]:
        violations.append((PAGE, number, f"{code} is {' | '.join(shipped[code])}"))
for code in sorted(set(shipped) - listed):
    violations.append((PAGE, 1, f"{code} is missing"))
if f"comes with {len(shipped)} of them" not in page:
    violations.append((PAGE, 1, f"does not say that there are {len(shipped)}"))
tree.finish(violations)
