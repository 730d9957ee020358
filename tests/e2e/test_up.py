"""`chappe up` in a terminal: what dies under it is started again, and said."""

import asyncio
import signal
import sys
from functools import partial
from pathlib import Path

import psutil

from stack import programs
from tests.helpers.eventually import eventually


async def test_what_is_killed_under_a_running_stack_is_started_again_and_named(tmp_path: Path) -> None:
    up = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli", "up", "--directory", str(tmp_path / "data"), "--workers", "1",
        cwd=programs.ROOT, env=programs.environment({}), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        await _said(up, "Ctrl-C stops everything")
        for program in ("worker", "valkey-server"):
            victim = _running(up.pid, program)[0]
            victim.kill()
            await _said(up, "started again")
            assert await eventually(partial(_is_back, up.pid, program, victim), timeout=30)
    finally:
        up.send_signal(signal.SIGINT)
        await up.communicate()


async def _said(process: asyncio.subprocess.Process, words: str) -> None:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while line := (await process.stdout.readline()).decode():
            if words in line:
                return
    raise AssertionError(f"it ended without saying: {words}")


def _is_back(parent: int, word: str, victim: psutil.Process) -> bool:
    running = _running(parent, word)
    return bool(running) and victim not in running


def _running(parent: int, word: str) -> list[psutil.Process]:
    children = psutil.Process(parent).children(recursive=True)
    return [each for each in children if any(word in part for part in _words(each))]


def _words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())[:4]
    except psutil.Error:  # it ended while we looked
        return []
