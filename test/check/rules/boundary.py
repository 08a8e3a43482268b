#!/usr/bin/env python3
"""The whole body of every SQL-callable C++ function is `return entry(…);` or `bare_entry`, so that no exception reaches PostgreSQL."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tree

violations = []
for path in tree.files("src/**/*.cpp"):
    content = tree.without_cpp_text(tree.text(path))
    for declared in re.finditer(r"PG_FUNCTION_INFO_V1\((\w+)\)", content):
        name, line = declared.group(1), tree.line_of(content, declared.start())
        defined = re.search(rf"\bDatum\s+{name}\s*\(\s*PG_FUNCTION_ARGS\s*\)\s*\{{", content)
        if not defined:
            violations.append((path, line, f"{name} is declared here, but not defined in this file"))
            continue
        end = tree.closing(content, defined.end() - 1)
        body = content[defined.end() : end].strip()
        opening = body.find("(")
        if not re.match(r"return (?:bare_)?entry\(", body) or body[tree.closing(body, opening) + 1 :].strip() != ";":
            violations.append((path, tree.line_of(content, defined.start()), f"the body of {name} is not one `return entry(…);`"))
tree.finish(violations)
