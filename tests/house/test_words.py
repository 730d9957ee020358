"""One word, one meaning: names that the glossary replaced by others are not used for our own things."""

import ast
import re
from pathlib import Path

import pytest

from tests.house.sources import ROOT, python_files, relative

# In names of ours: the left word is said with the right one. The simulator speaks Meta's language, not ours.
REPLACED = {
    "broadcast": "campaign",
    "recipient_list": "audience",
    "subscriber": "contact",
    "unsubscribe": "opt-out",
    "job": "task",
    "tenant": "(one deployment serves one business)",
}
ROOMS = ("core", "server", "workers", "cli", "stack")


@pytest.mark.parametrize("path", python_files(*ROOMS), ids=relative)
def test_names_use_the_glossary(path: Path) -> None:
    words = {word for name in _names(path) for word in re.split(r"[_\W]+", _snake(name)) if word}
    assert not words & set(REPLACED)


def test_columns_use_the_glossary() -> None:
    schema = (ROOT / "sql/schema.sql").read_text()
    for word in (*REPLACED, "status", "created_at", "updated_at", "sent_at"):
        assert not re.search(rf"^\s+{word} ", schema, re.MULTILINE), word


@pytest.mark.parametrize("path", python_files("core", "server", "workers", "simulator", "cli", "stack"), ids=relative)
def test_each_file_says_which_room_it_is(path: Path) -> None:
    if path.stat().st_size:
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def _names(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
