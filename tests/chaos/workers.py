"""The workers of a run: as they are, or with one mechanism taken out."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from stack import programs
from stack.process import Command
from tests.chaos import copies
from tests.chaos.mechanisms import MECHANISMS


def commands(count: int, *, directory: Path, settings: Mapping[str, str], without: str) -> list[Command]:
    """Returns a command for each worker; `without` names the mechanism to do without, or is empty."""
    usual = [
        programs.chappe("worker", name=f"worker-{number}", directory=directory, settings=settings)
        for number in range(1, count + 1)
    ]
    if not without:
        return usual
    mechanism = MECHANISMS[without]
    if mechanism.safeguard:
        arguments = ("-m", "tests.chaos.worker", "--without", mechanism.safeguard)
        return [replace(command, argv=(sys.executable, *arguments), cwd=programs.ROOT) for command in usual]
    folder = directory / "copy"
    path = copies.make(folder, mechanism.changes)
    return [replace(command, env={**command.env, "PYTHONPATH": path}, cwd=folder) for command in usual]
