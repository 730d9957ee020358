"""The file by which a process says that it is ready, to whoever started it."""

import os
from pathlib import Path


def write_at_once(path: Path, text: str) -> None:
    """Writes a whole file at once: whoever waits for it must never read half of it."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="ascii")
    unfinished.replace(path)
