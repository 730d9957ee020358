"""The whole stack ends with whoever started it, however that one ends."""

import asyncio
import signal
import sys
from pathlib import Path

import psutil
import pytest

from stack import homes
from tests.helpers.eventually import eventually

# A script's shell starts what it puts in the background with Ctrl-C ignored.
_PARENT = """
import signal
from stack.stack import Stack

signal.signal(signal.SIGINT, signal.SIG_IGN)
with Stack(durable=False, workers=1) as stack:
    print(stack.directory, flush=True)
    signal.pause()
"""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_everything_that_was_started_is_stopped(ending: signal.Signals) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PARENT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert parent.stdout is not None
    directory = Path((await parent.stdout.readline()).decode().strip())
    family = psutil.Process(parent.pid).children(recursive=True)
    assert len(family) >= 8
    parent.send_signal(ending)
    await parent.wait()
    await eventually(lambda: not any(_lives(each) for each in family), timeout=30)
    if ending is signal.SIGKILL:
        homes.remove(directory)
    assert not directory.exists()


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
