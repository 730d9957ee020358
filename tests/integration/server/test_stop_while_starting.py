"""A process told to stop while it still starts does so at once, however long what it waits for is silent."""

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from core.clock import SystemClock
from core.settings import Settings
from server.assembly import assembled
from stack import programs
from stack.ports import Ports, answers
from stack.postgres import Postgres
from stack.process import Process
from tests.helpers.eventually import eventually
from tests.helpers.frozen import frozen
from tests.helpers.proxy import Proxy


class Silence:
    """A server that takes connections and never says a word."""

    def __init__(self) -> None:
        self.callers = 0
        self._writers: list[asyncio.StreamWriter] = []  # else they would be closed with nobody to hold them

    def take(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self.callers += 1

    def close(self) -> None:
        for writer in self._writers:
            writer.close()


@pytest.fixture
async def silence() -> AsyncIterator[tuple[Silence, str]]:
    """Yields the silence and its address as that of a database."""
    silence = Silence()
    async with await asyncio.start_server(silence.take, "127.0.0.1", 0) as server:
        yield silence, f"postgresql://chappe@127.0.0.1:{server.sockets[0].getsockname()[1]}/chappe"
        silence.close()


@pytest.fixture
def settings(silence: tuple[Silence, str], cache_url: str, queue_url: str) -> dict[str, str]:
    urls = {"DATABASE_URL": silence[1], "CACHE_URL": cache_url, "QUEUE_URL": queue_url}
    return {f"CHAPPE_{name}": given for name, given in {**urls, "GRPC_PORT": "0", "WEBHOOKS_PORT": "0"}.items()}


def launched(line: str, *, directory: Path, settings: dict[str, str]) -> Process:
    """Starts a verb of `chappe` with its arguments, without waiting for it."""
    verb, *arguments = line.split()
    command = programs.chappe(verb, name=verb, directory=directory, settings=settings)
    process = Process(replace(command, argv=(*command.argv, *arguments)))
    process.launch()
    return process


@pytest.mark.parametrize(
    ("line", "callers"),
    [
        ("serve", 1),
        ("serve --processes 2", 2),
        ("serve --processes 2 --ports-apart", 2),
        ("webhooks", 1),
        ("worker", 1),
    ],
)
async def test_it_stops_well_and_leaves_nobody_while_its_database_is_silent(
    silence: tuple[Silence, str], settings: dict[str, str], tmp_path: Path, line: str, callers: int
) -> None:
    process = launched(line, directory=tmp_path, settings=settings)
    try:
        assert await eventually(lambda: silence[0].callers == callers)
        parent = psutil.Process(process.pid)
        family = [parent, *parent.children(recursive=True)]
        process.send(signal.SIGTERM)
        gone, alive = await asyncio.to_thread(psutil.wait_procs, family, 3)
    finally:
        process.stop()
    assert alive == []
    assert [each.returncode for each in gone if each == parent] == [0], process.last_lines()


async def test_it_stops_well_while_its_door_is_half_open_and_nobody_was_let_in(
    settings: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    port = Ports().take()
    wire = Proxy(database_url)
    wire.deafening = b"SELECT 1"  # the sign of life that a door asks for before it serves
    await wire.open()
    given = settings | {"CHAPPE_DATABASE_URL": wire.through(database_url), "CHAPPE_GRPC_PORT": str(port)}
    process = launched("serve", directory=tmp_path, settings=given)
    try:
        assert await eventually(lambda: wire.is_deaf)
        parent = psutil.Process(process.pid)
        process.send(signal.SIGTERM)
        assert not answers(port)
        assert await asyncio.to_thread(parent.wait, 3) == 0, process.last_lines()
    finally:
        process.stop()
        await wire.close()
    assert "serving" not in process.last_lines()
    assert "Traceback" not in process.last_lines()


@pytest.mark.parametrize("is_begun", [False, True])
async def test_a_door_is_closed_however_far_it_was_open(
    postgres: Postgres, database_url: str, cache_url: str, queue_url: str, is_begun: bool
) -> None:
    settings = Settings(database_url=database_url, cache_url=cache_url, queue_url=queue_url, grpc_port=0)
    async with assembled(settings=settings, clock=SystemClock()) as door:
        if is_begun:
            with frozen(postgres):
                opening = asyncio.ensure_future(door.open())
                await asyncio.wait([opening], timeout=0.1)
                opening.cancel()
                await asyncio.wait([opening])
        await asyncio.wait_for(door.close(), 3)
