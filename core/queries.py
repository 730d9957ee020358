"""Loads the named statements of ``sql/queries/<noun>.sql``; what they do is written there."""

import re
from collections.abc import Iterator, Mapping
from importlib import resources
from textwrap import indent
from types import MappingProxyType

_MARK = re.compile(r"^-- (name|part): ([a-z][a-z0-9_]*)$", re.MULTILINE)
_INSERT = re.compile(r"^( *)-- insert: ([a-z][a-z0-9_]*)$", re.MULTILINE)
_REMARKS = re.compile(r"(?:--.*\n)+")


def load(noun: str) -> Mapping[str, str]:
    """Reads all statements of one noun, by name; the name stays in the text, so that monitoring shows it."""
    text = resources.files("sql.queries").joinpath(f"{noun}.sql").read_text(encoding="utf-8")
    return MappingProxyType(parse(text))


def parse(text: str) -> dict[str, str]:
    """Splits a file of named statements; a name that stands twice is an error.

    A part stands once under ``-- part: x``, and without its remarks wherever a statement says ``-- insert: x``; it
    inserts no other.
    """
    found: dict[str, dict[str, str]] = {"name": {}, "part": {}}
    for kind, name, body in _blocks(text):
        if name in found[kind]:
            raise ValueError(f"The {'statement' if kind == 'name' else kind} {name} stands twice.")
        if kind == "part" and _INSERT.search(body):
            raise ValueError(f"The part {name} inserts another.")
        found[kind][name] = body
    parts = {name: _REMARKS.sub("", body, count=1) for name, body in found["part"].items()}
    return {name: _INSERT.sub(lambda at: indent(parts[at[2]], at[1]), body) for name, body in found["name"].items()}


def _blocks(text: str) -> Iterator[tuple[str, str, str]]:
    """Yields what kind each block is, its name and its text, from its mark on."""
    marks = list(_MARK.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    for mark, end in zip(marks, ends, strict=True):
        yield mark[1], mark[2], text[mark.start() : end].strip().removesuffix(";")
