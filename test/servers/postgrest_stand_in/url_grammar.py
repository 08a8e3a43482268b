"""What the query of a URL asks for: columns and embedded tables, filters, order, limit and offset."""

import dataclasses
import re

from failures import Refusal, unknown

RESERVED = ("select", "order", "limit", "offset")
OPERATORS = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "like": "LIKE", "ilike": "ILIKE", "cs": "@>", "cd": "<@", "in": None, "is": None}
FIELD = re.compile(r"(?:(?P<alias>\w+):)?(?P<name>\w+|\*)(?P<path>(?:->>?\w+)*)(?:::(?P<cast>\w+))?")
EMBED = re.compile(r"(?:(?P<alias>\w+):)?(?P<name>\w+)(?P<inner>!inner)?\((?P<select>.*)\)", re.S)


@dataclasses.dataclass
class Field:
    name: str
    path: str = ""
    alias: str = None
    cast: str = None


@dataclasses.dataclass
class Filter:
    field: Field
    operator: str
    value: str
    is_negated: bool


@dataclasses.dataclass
class Read:
    """Of a table, or of what a function returns. embedded: by the name in the answer."""

    table: str
    fields: list = dataclasses.field(default_factory=list)
    embedded: dict = dataclasses.field(default_factory=dict)
    filters: list = dataclasses.field(default_factory=list)
    order: list = dataclasses.field(default_factory=list)
    limit: int = None
    offset: int = 0
    is_inner: bool = False


def _wrong(text):
    return Refusal(400, "PGRST100", f'"failed to parse ({text})" (line 1, column 1)')


def _items(text):
    """Parts between commas that are in no brackets."""
    items, depth, begin = [], 0, 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            items.append(text[begin:at])
            begin = at + 1
    return [item.strip() for item in (*items, text[begin:]) if item.strip()]


def _field(text):
    found = FIELD.fullmatch(text)
    if not found:
        raise _wrong(text)
    return Field(found["name"], found["path"], found["alias"], found["cast"])


def _select(read, text):
    for item in _items(text):
        found = EMBED.fullmatch(item)
        if found:
            inner = Read(found["name"], is_inner=bool(found["inner"]))
            _select(inner, found["select"])
            read.embedded[found["alias"] or found["name"]] = inner
        else:
            read.fields.append(_field(item))


def _filter(field, text):
    found = re.fullmatch(r"(not\.)?(\w+)\.(.*)", text, re.S)
    if not found:
        raise _wrong(text)
    if found[2] not in OPERATORS:
        raise unknown(f"operator {found[2]}")
    return Filter(_field(field), found[2], found[3], bool(found[1]))


def _order(text):
    found = re.fullmatch(r"(.+?)(?:\.(asc|desc))?(?:\.(nullsfirst|nullslast))?", text)
    return _field(found[1]), found[2] or "asc", {"nullsfirst": " NULLS FIRST", "nullslast": " NULLS LAST"}.get(found[3], "")


def _apply(read, key, value):
    if key == "order":
        read.order = [_order(item) for item in _items(value)]
    elif key in ("limit", "offset"):
        if not value.isdigit():
            raise _wrong(value)
        setattr(read, key, int(value))
    elif key in ("or", "and", "columns", "on_conflict"):
        raise unknown(key)
    else:
        read.filters.append(_filter(key, value))


def parse(table, pairs):
    """The Read of the table that the (key, value) pairs of the query describe."""
    read = Read(table)
    for key, value in pairs:
        if key == "select":
            _select(read, value)
    for key, value in pairs:
        *way, last = key.split(".")
        target = read
        for name in way:
            if name not in target.embedded:
                raise Refusal(400, "PGRST108", f"'{name}' is not an embedded resource in this request", None, f"Verify that '{name}' is included in the 'select' query parameter.")
            target = target.embedded[name]
        if key != "select":
            _apply(target, last, value)
    return read


def ranged(read, header):
    """The Read within the header Range as well."""
    found = re.fullmatch(r"(\d+)-(\d*)", header or "")
    if found:
        read.offset = max(read.offset, int(found[1]))
        if found[2]:
            size = max(0, int(found[2]) - int(found[1]) + 1)
            read.limit = size if read.limit is None else min(read.limit, size)
    return read
