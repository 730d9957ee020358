"""A named statement and the repository method that runs it carry one name, both ways."""

import ast
import re
from pathlib import Path

import pytest

from core.queries import parse
from tests.house.sources import ROOT

QUERIES = sorted((ROOT / "sql/queries").glob("*.sql"))


@pytest.mark.parametrize("file", QUERIES, ids=lambda path: path.stem)
def test_each_statement_is_run_by_the_repository_of_its_noun(file: Path) -> None:
    statements = set(parse(file.read_text()))
    assert statements == _statements_used_by(ROOT / f"core/repositories/{file.stem}.py")


@pytest.mark.parametrize("file", QUERIES, ids=lambda path: path.stem)
def test_each_statement_is_a_method(file: Path) -> None:
    source = ast.parse((ROOT / f"core/repositories/{file.stem}.py").read_text())
    methods = {node.name for node in ast.walk(source) if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)}
    assert set(parse(file.read_text())) <= methods | {name.removeprefix("_") for name in methods}


def test_each_statement_says_what_it_does() -> None:
    silent = [
        f"{file.stem}.{name}"
        for file in QUERIES
        for name, text in parse(file.read_text()).items()
        if not text.splitlines()[1].startswith("-- ")
    ]
    assert not silent


def test_no_statement_leaves_anything_behind_in_its_session() -> None:
    """Connections go back to their pool as they are: what a statement sets or locks must end with its transaction."""
    lasting = re.compile(
        r"^(SET|LISTEN|PREPARE|DECLARE)\b|\bpg_(try_)?advisory_lock(_shared)?\(|\bset_config\([^()]*, false\)"
        r"|\bTEMP(ORARY)? TABLE\b(?!.*\bON COMMIT\b)",
        re.DOTALL,
    )
    found = {
        f"{file.stem}.{name}"
        for file in QUERIES
        for name, text in parse(file.read_text()).items()
        if lasting.search(_without_comments(text).strip())
    }
    assert not found


def _without_comments(text: str) -> str:
    return re.sub(r"--.*", "", text)


def _statements_used_by(repository: Path) -> set[str]:
    """Finds the string keys of every ``SQL["…"]`` in a repository."""
    return {
        node.slice.value
        for node in ast.walk(ast.parse(repository.read_text()))
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == "SQL"
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    }
