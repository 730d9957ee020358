"""One stack per folder: a lock the kernel takes back when its holder dies."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack.process import StartError


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Holds the folder for the block; raises StartError when another stack runs there."""
    with (directory / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(f"a stack is already running in {directory}") from None
        yield
