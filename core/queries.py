"""Loads the named statements of ``sql/queries/<noun>.sql``; what they do is written there."""

import re
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

_NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)$", re.MULTILINE)


def load(noun: str) -> Mapping[str, str]:
    """Reads all statements of one noun, by name; the name stays in the text, so that monitoring shows it."""
    text = resources.files("sql.queries").joinpath(f"{noun}.sql").read_text(encoding="utf-8")
    return MappingProxyType(parse(text))


def parse(text: str) -> dict[str, str]:
    """Splits a file of named statements; a name that stands twice is an error."""
    marks = list(_NAME.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    statements: dict[str, str] = {}
    for mark, end in zip(marks, ends, strict=True):
        name = mark.group(1)
        if name in statements:
            raise ValueError(f"The statement {name} stands twice.")
        statements[name] = text[mark.start() : end].strip().removesuffix(";")
    return statements
