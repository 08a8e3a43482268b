"""The fenced blocks of a Markdown page, and what their info strings say of running them."""

import dataclasses
import re

# How each language is run, where the block does not say; also the languages in which a complete page must label every block.
DEFAULT_RUNNER = {"sql": "psql", "python": "psycopg", "javascript": "node", "java": "jdbc", "sh": "sh"}
OTHER_NAMES = {"js": "javascript", "py": "python", "bash": "sh", "shell": "sh", "console": "sh", "postgresql": "sql", "psql": "sql"}
FENCE = re.compile(r"^( *)(`{3,}|~{3,})[ \t]*(.*?)[ \t]*$")
ATTRIBUTE = re.compile(r'([A-Za-z]\w*)(?:=(?:"([^"]*)"|([^\s"]+)))?(?:\s+|$)')
KNOWN = {"run", "norun", "file", "fails", "as", "needs", "output"}


@dataclasses.dataclass
class Block:
    """line: of the first line of its text, from 1. attributes: a name without a value has the value ''. output: of the block after it, or None."""

    page: str
    line: int
    language: str
    attributes: dict
    text: str
    output: str = None

    @property
    def name(self):
        return f"{self.page}:{self.line - 1} {self.language}"

    @property
    def runs(self):
        return "run" in self.attributes or "file" in self.attributes

    @property
    def runner(self):
        return "file" if "file" in self.attributes else self.attributes["run"] or DEFAULT_RUNNER.get(self.language)

    @property
    def needs(self):
        """Programs without which it cannot run."""
        return [program for program in self.attributes.get("needs", "").split(",") if program]

    @property
    def fails(self):
        """The SQLSTATE with which it is meant to fail, or None."""
        return self.attributes.get("fails")


def _attributes(info):
    """(language, attributes) of an info string; raises ValueError where it is not understood."""
    language, _, rest = info.partition(" ")
    attributes, position = {}, 0
    rest = rest.strip()
    while position < len(rest):
        found = ATTRIBUTE.match(rest, position)
        if not found:
            raise ValueError(f"cannot be read from here: {rest[position:]}")
        name = found.group(1)
        if name not in KNOWN:
            raise ValueError(f"unknown attribute {name}")
        attributes[name] = found.group(2) or found.group(3) or ""
        position = found.end()
    return language, attributes


def _fences(content):
    """(line of the text, info string, text, whether it follows the block before immediately) of each fence."""
    lines, number, between = content.splitlines(), 0, False
    while number < len(lines):
        opening = FENCE.match(lines[number])
        if not opening:
            between = between and not lines[number].strip()
            number += 1
            continue
        indent, fence, info = opening.groups()
        end = number + 1
        while end < len(lines) and not re.match(rf"^ *{re.escape(fence[0])}{{{len(fence)},}} *$", lines[end]):
            end += 1
        text = [line[len(indent):] if line.startswith(indent) else line.lstrip() for line in lines[number + 1:end]]
        yield number + 2, info, "\n".join(text), between
        number, between = end + 1, True


def parse(page, content):
    """(blocks, faults) of a page: faults are (line, message). A block of output is no block of its own."""
    blocks, faults, previous = [], [], None
    for line, info, text, follows in _fences(content):
        try:
            language, attributes = _attributes(info)
        except ValueError as error:
            faults.append((line - 1, f"the info string {error}"))
            previous = None
            continue
        if "output" in attributes:
            if previous and follows and previous.runs and previous.output is None:
                previous.output = text
            else:
                faults.append((line - 1, "output that follows no block which runs"))
            continue
        previous = Block(page, line, language, attributes, text)
        blocks.append(previous)
        faults += [(line - 1, message) for message in _wrong(previous)]
    return blocks, faults


def _wrong(block):
    if block.runs and "norun" in block.attributes:
        yield "both run and norun"
    if "file" in block.attributes and ("run" in block.attributes or not re.fullmatch(r"\w[\w.-]*", block.attributes["file"])):
        yield "file goes without run, and names a file of the working directory"
    if block.runs and not block.runner:
        yield f"nothing is known that runs {block.language}"
    if "norun" in block.attributes and not block.attributes["norun"]:
        yield "norun without a reason"
    if not block.runs and {"fails", "as", "needs"} & set(block.attributes):
        yield "fails, as and needs are for blocks that run"
    if "fails" in block.attributes and not re.fullmatch(r"[0-9A-Z]{5}", block.attributes["fails"]):
        yield "fails names no SQLSTATE"


def unlabelled(blocks):
    """(line, message) of each block that neither runs nor says why not."""
    for block in blocks:
        if block.language in OTHER_NAMES:
            yield block.line - 1, f"write {OTHER_NAMES[block.language]} for {block.language}"
        elif block.language in DEFAULT_RUNNER and not block.runs and "norun" not in block.attributes:
            yield block.line - 1, f"a block of {block.language} that says neither run nor norun"


def matches(wanted, got):
    """Whether what was printed is the output wanted; a line … there stands for any lines, and … within a line for any text."""
    pattern = ""
    for line in _lines(wanted):
        if line.strip() == "…":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += r"[^\n]*".join(re.escape(part) for part in line.split("…")) + r"\n"
    return re.fullmatch(pattern, "".join(line + "\n" for line in _lines(got))) is not None


def _lines(text):
    """Without blank lines at either end, and without spaces at the ends of lines."""
    lines = [line.rstrip() for line in text.splitlines()]
    while lines and not lines[0]:
        lines.pop(0)
    while lines and not lines[-1]:
        lines.pop()
    return lines
