"""A process that only listens, to be killed: python -m tests.helpers.listening URL FILE READY SECONDS PATIENCE."""

import asyncio
import signal
import sys
from pathlib import Path

from tests.helpers.bells import bell, hear, opened

SLOTS = 4


async def main(url: str, file: Path, ready: Path, seconds: float, patience: float) -> None:
    """Writes a line when a ring's work begins and another when it is done, which takes so many seconds."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    async def work(text: str) -> None:
        _write(file, f"begun {text}\n")
        await asyncio.sleep(seconds)  # noqa: TID251  # this is the work
        _write(file, f"done {text}\n")

    async with opened(url) as bells:
        ready.touch()
        await hear(bell(bells, ready.name, patience=patience), work, stop, limit=SLOTS)


def _write(file: Path, line: str) -> None:
    with file.open("a") as opened_file:
        opened_file.write(line)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5])))
