"""Whoever applies what WhatsApp told keeps erasures waiting, from the first statement of each transaction on."""

import ast
from typing import Final

from tests.house.sources import ROOT

_APPLYING: Final = ("workers/tasks/receipts.py", "workers/tasks/park.py", "workers/tasks/urgent.py")


def test_each_transaction_that_applies_begins_by_holding_erasures_off() -> None:
    bodies = [body for path in _APPLYING for body in _transactions(ast.parse((ROOT / path).read_text()))]
    assert len(bodies) > 5
    assert [ast.unparse(body[0]) for body in bodies] == ["await rooms.erasure.hold_off()"] * len(bodies)


def _transactions(tree: ast.Module) -> list[list[ast.stmt]]:
    held = (node for node in ast.walk(tree) if isinstance(node, ast.AsyncWith))
    return [node.body for node in held if "transaction()" in ast.unparse(node.items[0])]
