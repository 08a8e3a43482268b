#!/usr/bin/env python3
"""The version is written in META.json alone; the change log names it in its headings."""

import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tree

version = json.loads(tree.text("META.json"))["version"]
pattern = re.compile(rf"(?<![\d.]){re.escape(version)}(?![\d.]*\d)")
violations = []
for path, content in tree.text_files():
    # An upgrade script is named by its versions; what is inside it is checked like the rest.
    # A lock file has the versions of others.
    if path.name in ("META.json", "CHANGELOG.md", "package-lock.json"):
        continue
    for found in pattern.finditer(content):
        violations.append((path, tree.line_of(content, found.start()), f"writes the version {version}; META.json is its only place"))
tree.finish(violations)
