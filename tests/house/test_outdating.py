"""A worker that changes what replies are kept of without a bound says so: nobody else would outdate them."""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from chappe.v1 import options_pb2

from core.queries import parse
from tests.house.sources import ROOT, python_files, relative
from tests.house.test_contract import methods, policy

# The collections whose replies are kept without a bound, with the tables they are read from.
TABLES: Final = {
    "templates": {"templates"},
    "senders": {"senders"},
    "categories": {"categories", "category_contacts"},
}
_WRITES: Final = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)")


def test_these_are_the_collections_whose_replies_are_kept_without_a_bound() -> None:
    kept = [policy(method).cached for method in methods() if policy(method).WhichOneof("access") == "cached"]
    unbounded = {collection for cached in kept if not cached.bounded for collection in cached.collections}
    names = {options_pb2.Collection.Name(each).removeprefix("COLLECTION_").lower() for each in unbounded}
    assert names == set(TABLES)


def test_a_worker_that_changes_such_rows_outdates_what_is_kept_of_them() -> None:
    changes = dict(_changes())
    silent = [f"{place}: {missing}" for place, (changed, noted) in changes.items() if (missing := changed - noted)]
    assert len(changes) > 5
    assert not silent


def _changes() -> Iterator[tuple[str, tuple[set[str], set[str]]]]:
    """Yields each function of workers that changes such rows: the collections it changes, and those it notes."""
    written = dict(_statements())
    for path in python_files("workers"):
        for function in _functions(path):
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            changed = {each for call in calls for each in written.get(ast.unparse(call.func), ())}
            if changed:
                yield f"{relative(path)}::{function.name}", (changed, set(_noted(calls)))


def _statements() -> Iterator[tuple[str, set[str]]]:
    """Yields the statements that change such rows, as a task calls them, with the collections they change."""
    for file in sorted((ROOT / "sql/queries").glob("*.sql")):
        for name, text in parse(file.read_text()).items():
            tables = set(_WRITES.findall(text))
            yield f"rooms.{file.stem}.{name}", {each for each, its in TABLES.items() if its & tables}


def _functions(path: Path) -> Iterator[ast.AsyncFunctionDef]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.AsyncFunctionDef))


def _noted(calls: Sequence[ast.Call]) -> Iterator[str]:
    for call in calls:
        if ast.unparse(call.func) == "rooms.outdate":
            yield from (str(argument.value) for argument in call.args if isinstance(argument, ast.Constant))
