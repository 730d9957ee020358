"""What import-linter cannot say: a list of all that a room may import."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.house.sources import ROOT, relative


def test_the_rules_import_nothing_but_rules_and_the_standard_library() -> None:
    allowed = {"phonenumbers", *sys.stdlib_module_names}
    strange = {
        f"{relative(path)}: {name}"
        for path in sorted((ROOT / "core/domain").rglob("*.py"))
        for name in _imports(path)
        if not name.startswith("core.domain") and name.partition(".")[0] not in allowed
    }
    assert not strange


def test_proto_is_no_package() -> None:
    assert not (ROOT / "proto/__init__.py").exists()


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module if node.module != "core" else f"core.{node.names[0].name}"
