"""A child process and its end."""

import signal
import sys
from pathlib import Path

import psutil
import pytest

from stack.process import Command, Process, StartError
from stack.ready import by_port_file
from tests.helpers.eventually import eventually

_READY = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text('1'); "
_STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + _READY + "time.sleep(60)"
_FAMILY = "import subprocess; subprocess.Popen(['sleep', '60']); " + _READY + "time.sleep(60)"
_WAITING = _READY + "time.sleep(60)"


def _process(tmp_path: Path, program: str, *, start_seconds: float = 20.0, stop_seconds: float = 5.0) -> Process:
    port_file = tmp_path / "port"
    return Process(
        Command(
            name="program",
            argv=(sys.executable, "-c", program, str(port_file)),
            log_file=tmp_path / "log",
            ready=by_port_file(port_file),
            port_file=port_file,
            start_seconds=start_seconds,
            stop_seconds=stop_seconds,
        )
    )


def test_a_program_that_ends_too_soon_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"(?s)program ended before it was ready.*out of coal"):
        _process(tmp_path, "raise SystemExit('out of coal')").start()


def test_a_program_that_is_never_ready_is_quoted_and_stopped(tmp_path: Path) -> None:
    process = _process(tmp_path, "import time; print('hm', flush=True); time.sleep(60)", start_seconds=1.0)
    with pytest.raises(StartError, match=r"(?s)not ready after 1 s.*hm"):
        process.start()
    assert not process.is_running()


def test_what_a_former_run_left_does_not_count_as_ready(tmp_path: Path) -> None:
    (tmp_path / "port").write_text("1")
    with pytest.raises(StartError):
        _process(tmp_path, "raise SystemExit(3)").start()


def test_a_program_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    with _process(tmp_path, _STUBBORN, stop_seconds=0.2) as process:
        child = psutil.Process(process.pid)
    assert not child.is_running()


async def test_what_a_program_started_ends_with_it(tmp_path: Path) -> None:
    with _process(tmp_path, _FAMILY) as process:
        family = psutil.Process(process.pid).children()
        assert len(family) == 1
    await eventually(lambda: not any(_lives(child) for child in family))


def test_a_frozen_program_can_be_stopped(tmp_path: Path) -> None:
    with _process(tmp_path, _WAITING) as process:
        process.send(signal.SIGSTOP)
        child = psutil.Process(process.pid)
    assert not child.is_running()


def test_a_killed_program_can_be_started_again(tmp_path: Path) -> None:
    with _process(tmp_path, _WAITING) as process:
        first = process.pid
        process.kill()
        assert not process.is_running()
        assert process.start().pid != first


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
