#!/usr/bin/env python3
"""No paths of one machine, no unfinished-work markers, no commented-out code."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tree

MARKER = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b")
MACHINE_PATH = re.compile(r"(?<![\w.$}])/(home|root|work|Users)/\w")
CODE_IN_COMMENT = {
    ".cpp": re.compile(r"^\s*//+\s*(?:(?:if|for|while|switch)\s*\(.*[{;)]|return\b.*;|#\s*include\b.*|[\w:<>*&.,\->\[\] ]+(?:\(.*\)|=[^=].*)\s*;|\})\s*$"),
    ".sql": re.compile(
        r"^\s*--+\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|GRANT|REVOKE|PERFORM|RETURN|RAISE|END|IF)\b.*;\s*$|^\s*--+\s*\w+\s*:=.*;\s*$",
        re.I,
    ),
}
CODE_IN_COMMENT[".hpp"] = CODE_IN_COMMENT[".cpp"]

violations = []
for path, content in tree.text_files():
    if path.parts[:2] == ("test", "check"):
        continue
    code = CODE_IN_COMMENT.get(path.suffix) if path.parts[0] in ("src", "sql") else None
    for number, line in enumerate(content.splitlines(), 1):
        if MARKER.search(line):
            violations.append((path, number, "a marker of unfinished work; finish it or open an issue"))
        if MACHINE_PATH.search(line):
            violations.append((path, number, "a path that exists on one machine only"))
        if code and code.match(line):
            violations.append((path, number, "commented-out code"))
tree.finish(violations)
