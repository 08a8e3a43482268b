#!/usr/bin/env python3
"""No two source files of src share a base name, which is enough to find one."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tree

seen, violations = {}, []
for path in tree.files("src/**/*.cpp", "src/**/*.hpp"):
    other = seen.setdefault(path.name, path)
    if other != path:
        violations.append((path, 1, f"has the name of {other}"))
tree.finish(violations)
