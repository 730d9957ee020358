"""What every bell must keep to, whatever its server goes through: the same tests for Redis and for NATS.

A ring only says that there is work, so it may come twice and it may come late. What a bell owes is that it goes on
being heard, that it does not grow, and that a kill loses no ring that somebody waits for.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from core.queue.bells import Bells
from stack.process import Command, Process
from stack.programs import environment
from tests.helpers.bells import STREAM, NatsServer, RedisServer, Server, bell, listener, notes, opened, ring
from tests.helpers.eventually import eventually
from tests.helpers.listening import SLOTS
from tests.helpers.nats import Nats
from tests.helpers.proxy import Proxy

pytestmark = pytest.mark.parametrize("kind", ["redis", "nats"])
PATIENCE = 1.0
_NUMBERS = count(1)


@pytest.fixture
async def url(kind: str, queue_url: str, nats_server: Nats) -> str:
    """The address of an emptied server."""
    if kind == "redis":
        return queue_url
    await NatsServer(nats_server.url).lose_everything()
    return nats_server.url


@pytest.fixture
def server(kind: str, url: str) -> Server:
    """The server, as its operator sees it."""
    return RedisServer(url) if kind == "redis" else NatsServer(url)


@pytest.fixture
async def bells(url: str) -> AsyncIterator[Bells]:
    """The bells at that address."""
    async with opened(url) as them:
        yield them


@contextmanager
def listening_process(url: str, directory: Path, *, seconds: float) -> Iterator[Process]:
    """Yields a process that listens in four slots, and writes into `work` what it begins and ends."""
    ready = directory / f"listener-{next(_NUMBERS)}"
    arguments = (url, str(directory / "work"), str(ready), str(seconds), str(PATIENCE))
    command = Command(
        name="listener",
        argv=(sys.executable, "-m", "tests.helpers.listening", *arguments),
        log_file=directory / "listener.log",
        ready=lambda _pid: ready.is_file(),
        env=environment({}),
    )
    with Process(command) as process:
        yield process


def written(directory: Path, what: str) -> list[str]:
    """Returns the rings whose work was begun, or done, in any process."""
    file = directory / "work"
    lines = file.read_text().splitlines() if file.exists() else []
    return [line.removeprefix(f"{what} ") for line in lines if line.startswith(what)]


async def test_what_a_killed_listener_left_is_heard_while_the_bell_is_quiet(
    url: str, bells: Bells, tmp_path: Path
) -> None:
    heard, note = notes()
    with listening_process(url, tmp_path, seconds=60) as process:
        await ring(bell(bells), *map(str, range(20)))
        await eventually(lambda: len(written(tmp_path, "begun")) == SLOTS)
        process.kill()
    async with listener(bell(bells, patience=PATIENCE), note):
        await eventually(lambda: sorted(heard, key=int) == list(map(str, range(20))), 15)


async def test_a_dropped_connection_neither_ends_the_listening_nor_cuts_a_task(url: str, bells: Bells) -> None:
    finished: list[str] = []
    gate, begun = asyncio.Event(), asyncio.Event()

    async def slow(text: str) -> None:
        begun.set()
        await gate.wait()
        finished.append(text)

    proxy = Proxy(url)
    await proxy.open()
    through = url.rpartition(":")[0] + f":{proxy.port}"
    async with opened(through) as cut, listener(bell(cut), slow):
        await ring(bell(bells), "long")
        await begun.wait()
        await proxy.close()
        await proxy.open()
        gate.set()
        await ring(bell(bells), "next")
        await eventually(lambda: finished == ["long", "next"], 15)
    await proxy.close()


async def test_what_was_rung_before_anybody_listened_is_heard(bells: Bells) -> None:
    heard, note = notes()
    await ring(bells.ringer(STREAM), "a", "b")
    async with listener(bell(bells), note):
        await eventually(lambda: sorted(heard) == ["a", "b"])


async def test_a_bell_whose_server_lost_everything_rings_again(bells: Bells, server: Server) -> None:
    heard, note = notes()
    ringer = bells.ringer(STREAM)
    async with listener(bell(bells), note):
        await ring(ringer, "before")
        await eventually(lambda: heard == ["before"])
        await server.lose_everything()
        await eventually(server.is_listened_to, message="who listens comes back before anybody rings")
        await ring(ringer, "after")
        await eventually(lambda: heard == ["before", "after"], 15)


async def test_answered_rings_are_deleted(bells: Bells, server: Server) -> None:
    heard, note = notes()
    async with listener(bell(bells), note):
        await ring(bell(bells), *map(str, range(200)))
        await eventually(lambda: len(heard) == 200)
        await eventually(lambda: _is_empty(server))
    assert len(set(heard)) == 200


async def test_a_bell_that_nobody_hears_keeps_to_its_length_and_rings_with_the_newest(
    bells: Bells, server: Server
) -> None:
    """What the trimmed rings were about is found by the keeper; they were about the same rows as the newest."""
    heard, note = notes()
    short = bell(bells, max_length=100)
    await ring(short, *map(str, range(500)))
    assert 100 <= await server.length() <= 250
    async with listener(short, note):
        await eventually(lambda: "499" in heard)
        await ring(bell(bells), "next")
        await eventually(lambda: "next" in heard)
        await eventually(lambda: _is_empty(server))


async def test_a_slow_task_keeps_no_others_waiting_and_doubles_none_of_them(kind: str, bells: Bells) -> None:
    """Rings are taken one by one as slots become free, so none waits behind the slow one until it counts as lost.

    The slow one itself, longer than the patience, stays one task on Redis, where the listener shows that it lives.
    Taskiq's broker for NATS has no word for "still at it": such a ring is heard again, and finds the lease taken.
    """
    heard, note = notes()
    gate = asyncio.Event()

    async def stuck(text: str) -> None:
        if text == "stuck":
            await gate.wait()
        await note(text)

    one, two = bell(bells, "one", patience=PATIENCE), bell(bells, "two", patience=PATIENCE)
    await ring(one, "stuck", *map(str, range(20)))
    async with listener(one, stuck, limit=1), listener(two, stuck, limit=1):
        await eventually(lambda: len(heard) == 20)
        await asyncio.sleep(3 * PATIENCE)  # noqa: TID251  # long enough to be taken for dead
        gate.set()
        await eventually(lambda: "stuck" in heard)
    assert sorted(set(heard)) == sorted(["stuck", *map(str, range(20))])
    assert len(heard) == 21 if kind == "redis" else heard.count("stuck") <= 4
    assert len([text for text in heard if text != "stuck"]) == 20


async def test_killed_again_and_again_no_ring_is_lost(url: str, bells: Bells, tmp_path: Path) -> None:
    """Some work is done twice: the second time it finds the row as the first left it."""
    rung = list(map(str, range(200)))
    await ring(bell(bells), *rung)
    for kill in range(4):
        with listening_process(url, tmp_path, seconds=0.02) as process:
            enough = 30 * (kill + 1)
            await eventually(lambda enough=enough: len(written(tmp_path, "done")) >= enough)  # type: ignore[misc]
            process.kill()
    with listening_process(url, tmp_path, seconds=0.02):
        await eventually(lambda: set(written(tmp_path, "done")) == set(rung), 20)


async def test_a_listener_that_stops_ends_what_it_began_and_gives_the_rest_back(bells: Bells) -> None:
    finished: list[str] = []
    heard, note = notes()
    gate, begun = asyncio.Event(), asyncio.Event()

    async def slow(text: str) -> None:
        begun.set()
        await gate.wait()
        finished.append(text)

    await ring(bell(bells), *map(str, range(10)))
    async with listener(bell(bells, "leaving"), slow, limit=2) as stop:
        await eventually(begun.is_set)
        stop.set()
        async with listener(bell(bells, "staying"), note):
            # Well before the minute after which a dead listener's rings would be heard again.
            await eventually(lambda: len(heard) >= 8)
            gate.set()
            await eventually(lambda: len(finished) + len(heard) == 10)
    assert sorted(finished + heard) == list(map(str, range(10)))


async def test_a_listener_that_is_stopping_takes_no_more_rings(bells: Bells) -> None:
    """Also when it has free slots, and was waiting for a ring when it was told."""
    heard, note = notes()
    gate, begun = asyncio.Event(), asyncio.Event()

    async def slow(text: str) -> None:
        begun.set()
        await gate.wait()

    await ring(bell(bells), "first")
    async with listener(bell(bells, "leaving"), slow) as stop:
        await eventually(begun.is_set)
        stop.set()
        await asyncio.sleep(0.2)  # noqa: TID251  # it has heard of it, and is busy for longer
        await ring(bell(bells), *map(str, range(8)))
        async with listener(bell(bells, "staying"), note):
            await eventually(lambda: sorted(heard) == list(map(str, range(8))))
            gate.set()


async def test_a_listener_stops_whenever_it_is_told(url: str) -> None:
    """Told in the very moment in which a command to the server ends, too: thirty moments of the first milliseconds."""
    _, note = notes()
    for milliseconds in range(30):
        async with opened(url) as them, asyncio.timeout(5), listener(bell(them), note):
            await asyncio.sleep(milliseconds / 1000)  # noqa: TID251  # the moment is what is tried


async def test_a_listener_may_come_before_its_server(url: str, bells: Bells) -> None:
    heard, note = notes()
    proxy = Proxy(url)
    await proxy.open()
    await proxy.close()
    async with opened(url.rpartition(":")[0] + f":{proxy.port}") as early, listener(bell(early), note):
        with pytest.raises(ConnectionError, match="does not answer"):
            await early.examine()
        await ring(bells.ringer(STREAM), "a")
        await proxy.open()
        await eventually(lambda: heard == ["a"], 15)
    await proxy.close()


async def _is_empty(server: Server) -> bool:
    return await server.length() == 0
