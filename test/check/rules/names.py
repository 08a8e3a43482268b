#!/usr/bin/env python3
"""What a source file declares for itself is called otherwise in every other file of its folder: they are compiled together."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tree

MACRO = re.compile(r"^#define (\w+)")
# The formatter begins declarations of a namespace, and nothing else, in the first column.
NO_DECLARATION = re.compile(r"^(?:\s|template\b|#|[})]|using namespace\b|static_assert\b|(?:public|private|protected):|enum \{|$)")
ALIAS = re.compile(r"^using (?:(\w+) = |[\w:]*::)(\w.*)")
TYPE = re.compile(r"^(?:struct|class|union|enum(?: class)?|namespace) (\w+)")
# After a type comes the name, and then what it is or takes. What is in capitals is a macro's use.
NAME = re.compile(r"^[^({=;\[]*?(\w+)\s*(?:[({=;\[]|$)")


def without_brackets(line):
    """The line without attributes and arguments of templates."""
    shorter = re.sub(r"<[^<>()]*>|^\[\[\w+\]\] ", "", line)
    return line if shorter == line else without_brackets(shorter)


def own_names(content):
    """(line, name, meaning) of each macro, and of what anonymous namespaces declare; only aliases have a meaning."""
    inside = False
    code = tree.without_cpp_text(content).splitlines()
    for number, (line, raw) in enumerate(zip(map(str.rstrip, code), content.splitlines()), 1):
        if raw == "namespace {":
            inside = True
        elif raw.startswith("}  // namespace"):
            inside = False
        elif found := MACRO.match(line):
            yield number, found.group(1), None
        elif (inside or line.startswith("static ")) and not NO_DECLARATION.match(line):
            if found := ALIAS.match(line):
                yield number, found.group(1) or found.group(2).rstrip(";"), line
            elif (found := TYPE.match(line) or NAME.match(without_brackets(line))) and not found.group(1).isupper():
                yield number, found.group(1), None


violations, first = [], {}
for path in tree.files("src/**/*.cpp", "test/unit/*.cpp"):
    for line, name, meaning in own_names(tree.text(path)):
        other, what = first.setdefault((path.parent, name), (path, meaning))
        if other != path and (meaning is None or meaning != what):
            violations.append((path, line, f"{name} is in {other.name}, too"))
tree.finish(violations)
