"""What the house tests walk over: our own source files, without what machines made."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE_ROOMS = ("core", "server", "workers", "simulator", "cli", "stack", "client")
GENERATED = ("gen/", "client/chappe_client/generated")


def python_files(*rooms: str) -> list[Path]:
    """Returns the Python files of the rooms (of all code rooms when none is named), in order."""
    chosen = rooms or CODE_ROOMS
    found = [path for room in chosen for path in sorted((ROOT / room).rglob("*.py"))]
    return [path for path in found if not relative(path).startswith(GENERATED)]


def relative(path: Path) -> str:
    """Returns the path as it is written in the repository."""
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yields each function's name and its length in lines, decorators left out."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1
