"""What the rules share: which files there are, C++ and SQL text without what is not code, and how a violation is said."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
GENERATED = ("build", "results", ".git", ".cache", "node_modules", "tmp_check", "output_iso")


def files(*patterns):
    """The project's files that match one of the glob patterns, relative to the root, sorted; generated ones left out."""
    found = set()
    for pattern in patterns:
        for path in ROOT.glob(pattern):
            relative = path.relative_to(ROOT)
            generated_sql = relative.match("sql/pgchat--*.sql") or relative.name == "pgchat.control"
            if path.is_file() and relative.parts[0] not in GENERATED and "__pycache__" not in relative.parts and not generated_sql:
                found.add(relative)
    return sorted(found)


def text(path):
    return (ROOT / path).read_text(encoding="utf-8")


def text_files():
    """Every file of the project that is text."""
    binary = {".gguf", ".o", ".so", ".d", ".pem", ".bin", ".gz"}
    for path in files("*", ".*", ".ci/*", "*/**/*"):
        if path.suffix in binary:
            continue
        try:
            yield path, text(path)
        except UnicodeDecodeError:
            continue


def line_of(content, offset):
    return content.count("\n", 0, offset) + 1


def without_cpp_text(content):
    """C++ source with comments and literals blanked, line breaks and offsets kept."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.S)
    return pattern.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), content)


def closing(content, opening):
    """The offset of the bracket that closes the one at `opening`, or -1."""
    pairs = {"(": ")", "{": "}", "[": "]"}
    left, right = content[opening], pairs[content[opening]]
    depth = 0
    for offset in range(opening, len(content)):
        if content[offset] == left:
            depth += 1
        elif content[offset] == right:
            depth -= 1
            if depth == 0:
                return offset
    return -1


def sql_statements(content):
    """(offset, statement) of each SQL statement; knows quotes, dollar quotes and comments."""
    token = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:''|[^'])*'|\"(?:\"\"|[^\"])*\"|(\$\w*\$).*?\1|BEGIN\s+ATOMIC.*?\bEND\s*;|;", re.S | re.I)
    start = 0
    for found in token.finditer(content):
        if found.group() == ";" or found.group().upper().startswith("BEGIN"):
            statement = content[start : found.end()]
            lead = len(statement) - len(statement.lstrip())
            yield start + lead, statement.strip()
            start = found.end()


def finish(violations):
    """Prints (path, line, message) triples and ends the rule."""
    for path, line, message in violations:
        print(f"{path}:{line}: {message}")
    sys.exit(1 if violations else 0)
