"""The reasons of refusals: what code raises is promised by the contract, what the contract promises can be raised."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from core.domain import campaigns, errors
from core.domain.errors import Refusal
from tests.house.sources import ROOT, python_files

# Raised, but not to a caller of an rpc.
ELSEWHERE = {
    "ID_INVALID": "the wire says NAME_INVALID or PAGE_TOKEN_INVALID instead",
    "API_KEY_NOT_FOUND": "keys are revoked on the command line",
    "WEBHOOK_DOOR_FULL": "the webhook door speaks HTTP",
    "DATABASE_SLOW": "the webhook door speaks HTTP",
    "DATABASE_AWAY": "the webhook door speaks HTTP",
}
REFUSERS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Refusal)}
REASON = re.compile(r"[A-Z]+(_[A-Z]+)+")


def test_every_reason_that_is_raised_is_in_the_contract() -> None:
    promised = set(re.findall(r"`([A-Z_]+)`", _comments()))
    raised = {reason for path in python_files("core", "server") for reason in _raised(path)}
    assert len(raised) > len(ELSEWHERE)
    assert raised - promised == set(ELSEWHERE)


def test_every_reason_that_an_rpc_promises_is_somewhere_in_the_code() -> None:
    refusals = re.findall(r"(?:Refuses|refuse) with ((?:.(?!\. ))*.)", _comments())
    promised = {reason for text in refusals for reason in re.findall(r"`([A-Z_]+)`", text)}
    assert len(promised) > 40
    assert promised - _constants() - _verbs() == set()


def _comments() -> str:
    """Returns the comments of the contract, each in one line."""
    files = sorted((ROOT / "proto").rglob("*.proto"))
    lines = [line.strip() for file in files for line in file.read_text().splitlines()]
    return "".join(f" {line[3:]}" if line.startswith("//") else ".\n" for line in lines)


def _raised(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and node.args:
            name, first = ast.unparse(node.func).rpartition(".")[2], node.args[0]
            known = name in REFUSERS or name.endswith("Refused")
            if known and isinstance(first, ast.Constant) and REASON.fullmatch(str(first.value)):
                yield str(first.value)


def _constants() -> set[str]:
    nodes = [node for path in python_files("core", "server") for node in ast.walk(ast.parse(path.read_text()))]
    return {str(node.value) for node in nodes if isinstance(node, ast.Constant)}


def _verbs() -> set[str]:
    """Returns the refusals of verbs, which are made of the names of the rules."""
    return {f"CAMPAIGN_NOT_{name}" for name in vars(campaigns) if name.isupper()}
