#!/usr/bin/env python3
"""docs/configuration.md lists every parameter of src/pg/settings.cpp with the same default and the same way to change it."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tree

SOURCE, PAGE = "src/pg/settings.cpp", "docs/configuration.md"
UNITS = {"GUC_UNIT_KB": ("kB", {"kB": 1, "MB": 1024, "GB": 1048576}), "GUC_UNIT_MS": ("ms", {"ms": 1, "s": 1000, "min": 60000}), "GUC_UNIT_S": ("s", {"s": 1, "min": 60, "h": 3600})}
CHANGED_BY = {"PGC_POSTMASTER": "restart", "PGC_SIGHUP": "reload", "PGC_SUSET": "superuser", "PGC_USERSET": "anyone"}

content = tree.text(SOURCE)
LITERAL = r'"((?:[^"\\]|\\.)*)"'
INTEGER = re.compile(rf'\{{"(pgchat\.\w+)",\s*{LITERAL},\s*&[\w.]+,\s*(-?\d+),\s*[^,]+,\s*[^,]+,\s*(PGC_\w+),\s*(\w+)\}}')
BOOLEAN = re.compile(rf'\{{"(pgchat\.\w+)",\s*{LITERAL},\s*&[\w.]+,\s*(true|false),\s*(PGC_\w+)\}}')
STRING = re.compile(rf'\{{"(pgchat\.\w+)",\s*{LITERAL},\s*&[\w.]+,\s*{LITERAL},\s*(PGC_\w+),\s*\w+\}}')

defined = {}
for name, _, initial, context, unit in INTEGER.findall(content):
    defined[name] = (int(initial), unit, CHANGED_BY[context])
for name, _, initial, context in STRING.findall(content):
    defined[name] = (initial, None, CHANGED_BY[context])
for name, _, initial, context in BOOLEAN.findall(content):
    defined[name] = ("on" if initial == "true" else "off", None, CHANGED_BY[context])

violations = []
for name in sorted(set(re.findall(r'"(pgchat\.\w+)"', content)) - set(defined)):
    violations.append((SOURCE, 1, f"{name} is defined in a way that this rule cannot read"))
if not defined:
    violations.append((SOURCE, 1, "no table of parameters found"))


def in_base_unit(written, unit):
    found = re.fullmatch(r"(-?\d+)\s*([A-Za-z]*)", written)
    if not found:
        return None
    if unit not in UNITS:
        return int(found.group(1)) if not found.group(2) else None
    return int(found.group(1)) * UNITS[unit][1].get(found.group(2), 0)


listed = set()
for number, line in enumerate(tree.text(PAGE).splitlines(), 1):
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    named = re.fullmatch(r"`(pgchat\.\w+)`", cells[0])
    if not named:
        continue
    name = named.group(1)
    listed.add(name)
    if name not in defined:
        violations.append((PAGE, number, f"{name} does not exist"))
        continue
    initial, unit, changed_by = defined[name]
    default = cells[1].strip("`")
    same = default == (initial or "empty") if unit is None else in_base_unit(default, unit) == initial
    if not same:
        violations.append((PAGE, number, f"the default of {name} is {initial}{UNITS.get(unit, ('',))[0]}, not {default}"))
    if cells[2] != changed_by:
        violations.append((PAGE, number, f"{name} is changed by {changed_by}, not {cells[2]}"))
for name in sorted(set(defined) - listed):
    violations.append((PAGE, 1, f"{name} is missing"))
tree.finish(violations)
