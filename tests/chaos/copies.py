"""A copy of the checkout with a mechanism taken out, for what no safeguard switches off."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from stack.programs import ROOT
from tests.chaos.mechanisms import Change


class StaleChangeError(Exception):
    """Says that the text a control run takes out is not there any more."""


def make(folder: Path, changes: Sequence[Change]) -> str:
    """Copies the checkout into the folder, makes the changes, and returns the PYTHONPATH of the copy."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "core", "workers", "cli", "sql", "server", "stack", "gen"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    for part in ("gen", "client"):
        shutil.copytree(ROOT / part, folder / part, dirs_exist_ok=True)
    for change in changes:
        _apply(folder / change.path, change)
    return os.pathsep.join(str(folder / part) for part in ("", "gen", "client"))


def _apply(path: Path, change: Change) -> None:
    text = path.read_text(encoding="utf-8")
    if text.count(change.old) != 1:
        raise StaleChangeError(f"the text to take out stands {text.count(change.old)} times in {change.path}")
    path.write_text(text.replace(change.old, change.new), encoding="utf-8")
