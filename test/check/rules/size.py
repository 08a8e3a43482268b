#!/usr/bin/env python3
"""A file of src has at most 400 lines, a function 80."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tree

MOST_FILE_LINES = 400
MOST_FUNCTION_LINES = 80
# The text between the last end of a statement or block and an opening brace that makes the block a function's body.
HEAD = re.compile(r"\)\s*(?:const|noexcept(?:\([^)]*\))?|override|final|mutable|&&?|->\s*[\w:<>,\s*&]+|\s|:\s*[^;{}]*(?:\{[^{}]*\}[^;{}]*)*)*$")
CONTROL = re.compile(r"^\s*(?:else\s+)?(?:if|for|while|switch|catch|do|try|namespace|extern|class|struct|enum|union)\b")

violations = []
for path in tree.files("src/**/*.hpp", "src/**/*.cpp"):
    content = tree.without_cpp_text(tree.text(path))
    lines = content.count("\n")
    if lines > MOST_FILE_LINES:
        violations.append((path, lines, f"{lines} lines; is there a second concept inside?"))
    end = -1
    for found in re.finditer(r"\{", content):
        if found.start() < end:
            continue
        head = content[max(content.rfind(mark, 0, found.start()) for mark in ";}{") + 1 : found.start()]
        if CONTROL.match(head) or not HEAD.search(head):
            continue
        end = tree.closing(content, found.start())
        length = content.count("\n", found.start(), end) + 1
        if length > MOST_FUNCTION_LINES:
            violations.append((path, tree.line_of(content, found.start()), f"a function of {length} lines"))
tree.finish(violations)
