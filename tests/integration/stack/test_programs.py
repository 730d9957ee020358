"""Our own programs as the stack starts them."""

from pathlib import Path

import psutil

from stack import programs
from stack.ports import answers
from tests.helpers.eventually import eventually
from tests.helpers.processes import Processes, freeze, port_of, thaw


def test_the_simulator_starts_where_it_was_told_and_stops(tmp_path: Path) -> None:
    with Processes(directory=tmp_path, settings={}) as processes:
        simulator, url = processes.start_simulator()
        port = port_of(simulator)
        assert url == f"http://127.0.0.1:{port}"
        assert answers(port)
    assert not answers(port)


async def test_a_frozen_process_goes_on_when_it_is_thawed(tmp_path: Path) -> None:
    with Processes(directory=tmp_path, settings={}) as processes:
        simulator, _ = processes.start_simulator()
        process = psutil.Process(simulator.pid)
        freeze(simulator)
        await eventually(lambda: process.status() == psutil.STATUS_STOPPED)
        thaw(simulator)
        await eventually(lambda: process.status() != psutil.STATUS_STOPPED)


def test_settings_of_the_shell_do_not_leak_into_the_stack() -> None:
    shell = {"PATH": "/bin", "CHAPPE_TLS_CERT_FILE": "/nowhere", "SIMULATOR_PROFILE": "nothing"}
    given = programs.environment({"CHAPPE_LOG_LEVEL": "DEBUG"}, shell=shell)
    assert given["PATH"] == "/bin"
    assert {name for name in given if name.startswith(("CHAPPE_", "SIMULATOR_"))} == {"CHAPPE_LOG_LEVEL"}
