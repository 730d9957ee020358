"""What was measured, kept as one JSON line each: the figures with the machine, the commit and the time they are of."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FILE = Path("docs/benchmarks/sending.jsonl")


def this_commit() -> str:
    """Names the commit that is measured; a plus says that files were changed since."""
    name = _git("rev-parse", "--short", "HEAD")
    return name + ("+" if _git("status", "--porcelain", "--", ":!docs/benchmarks") else "")


def this_machine() -> str:
    """Names the processor, its cores and the interpreter."""
    cpus = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return f"{os.cpu_count()} cores, {cpus[0] if cpus else platform.machine()}, Python {platform.python_version()}"


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text(encoding="utf-8").splitlines() if file.is_file() else []


def _git(*arguments: str) -> str:
    return subprocess.run(("git", *arguments), capture_output=True, text=True, check=False).stdout.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Holds one measurement: of what (`kind` and `setup`), its `figures`, and where and when."""

    kind: str
    setup: Mapping[str, Any]
    figures: Mapping[str, Any]
    commit: str = field(default_factory=this_commit)
    machine: str = field(default_factory=this_machine)
    time: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def name(self) -> str:
        """Returns what was measured, the same for each time it is measured."""
        return " ".join([self.kind, *(f"{key}={value}" for key, value in self.setup.items())])


def append(record: Record, file: Path = FILE) -> None:
    """Adds a measurement at the end of the file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(asdict(record)) + "\n")


def read(file: Path = FILE) -> list[Record]:
    """Returns all measurements, the oldest first; none when there is no file."""
    if not file.is_file():
        return []
    return [Record(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines() if line]


def latest(records: list[Record]) -> dict[str, Record]:
    """Returns the newest measurement of each name."""
    return {record.name: record for record in records}
