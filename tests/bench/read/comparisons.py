"""Our reads beside the least that could answer them: the same bytes, the same query, one process, fewer rows."""

import asyncio
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from uuid import UUID

import asyncpg
import psutil
from chappe.v1 import messages_service_pb2

from core.clock import SystemClock
from core.queries import load
from tests.bench.calls import Load, calls_per_second, write_reply
from tests.bench.gets import gets_per_second
from tests.bench.read.reads import Latency, Read, messages_page, often, timed_in_turns
from tests.bench.read.rows import ROUNDS, Row, ratio_of
from tests.bench.read.servers import Served

CLOCK = SystemClock()
_PAGE, _POOL = 500, 10
_PROCESSES, _MANY_CONNECTIONS = 2, 64


def cached_beside_bare(served: Served, port: int, read: Read, *, calls: int) -> Row:
    """Compares a hit with a handler that returns the same bytes."""
    load_ = _load(served, read, calls=calls)
    reply = write_reply(load_, port, served.directory)
    bare = served.beside("tests.bench.bare", "--method", read.method, "--reply-file", str(reply))
    return ratio_of(
        "cached contacts beside a bare handler",
        lambda: calls_per_second(load_, port),
        lambda: calls_per_second(load_, bare),
        least=0.9,
        turns=12,
    )


def uncached_beside_minimal(served: Served, port: int, read: Read, *, calls: int) -> Row:
    """Compares a read that is not cached with a handler of the same query and reply."""
    load_ = _load(served, read, calls=calls)
    minimal = served.beside("tests.bench.read.minimal", "--database-url", served.database_url)
    return ratio_of(
        "uncached contacts, page of 50, beside a minimal handler",
        lambda: calls_per_second(load_, port),
        lambda: calls_per_second(load_, minimal),
        least=0.8,
    )


def beside_old_stack(
    served: Served, cached: int, uncached: int, reads: Mapping[str, Read], *, calls: int
) -> Iterator[Row]:
    """Compares numbers from the cache, and contacts without one, with FastAPI, Redis and asyncpg."""
    arguments = ("--database-url", served.database_url, "--redis-url", served.cache.url())
    old = f"http://127.0.0.1:{served.beside('tests.bench.read.old_stack', *arguments)}"
    for name, port, read, path in (
        ("cached message stats", cached, reads["message stats"], "/messages/stats"),
        ("uncached contacts, page of 50,", uncached, reads["contacts"], "/contacts?page_size=50"),
    ):
        load_ = _load(served, read, calls=calls)
        yield ratio_of(
            f"{name} beside the old stack",
            partial(calls_per_second, load_, port),
            partial(gets_per_second, f"{old}{path}", calls=calls),
            least=None,
        )


def processes_beside_one(served: Served, cached: int, uncached: int, read: Read, *, calls: int) -> Iterator[Row]:
    """Compares two processes with one, by many connections, since the kernel gives each to either by chance.

    What decides is how many calls a process answers for each second of CPU that it gets: 0.8 of what one answers is the
    goal. As a rate, 0.8 for each process, it cannot be had on as many cores as there are processes: the load takes its
    share of them, and for an uncached page PostgreSQL too, so that the rates are there for reading.
    """
    load_ = replace(_load(served, read, calls=calls), connections=_MANY_CONNECTIONS, streams=1)
    for kind, one in (("cached", cached), ("uncached", uncached)):
        many = served.ours(f"two-{kind}", processes=_PROCESSES, cached=kind == "cached")
        name = f"{kind} contacts, {_PROCESSES} processes beside one"
        yield ratio_of(
            name,
            partial(calls_per_second, load_, many),
            partial(calls_per_second, load_, one),
            least=None,
            note=f"not judged: the load shares the {psutil.cpu_count()} cores",
        )
        if kind == "cached":
            yield ratio_of(
                f"{name}, for each second of CPU",
                partial(_calls_per_cpu_second, served, load_, many),
                partial(_calls_per_cpu_second, served, load_, one),
                least=0.8,
            )


def _calls_per_cpu_second(served: Served, load_: Load, port: int) -> float:
    begun = served.cpu_seconds(port)
    calls_per_second(load_, port)
    return load_.calls / (served.cpu_seconds(port) - begun)


def messages_beside_statements(served: Served, port: int, read: Read, *, calls: int) -> Row:
    """Compares messages with contacts, in rows a second, with the two statements by themselves."""
    page = messages_page(read, _PAGE)
    load_ = _load(served, page, calls=calls)
    calls_per_second(load_, port)
    return ratio_of(
        f"messages with contacts, page of {_PAGE}, beside their two statements (rows)",
        lambda: calls_per_second(load_, port) * _PAGE,
        lambda: asyncio.run(_statements(served.database_url, page, calls=calls)) * _PAGE,
        least=0.5,
        turns=6,
    )


def large_beside_small(
    served: Served, large: int, small: tuple[Served, int], pairs: list[tuple[Read, Read]], *, calls: int
) -> Iterator[Row]:
    """Compares numbers over all messages with the same numbers over few."""
    other, small_port = small
    for read, few in pairs:
        many, little = often(read, served.key, calls=calls), often(few, other.key, calls=calls)
        rounds = [timed_in_turns(many, little, (large, small_port)) for _ in range(ROUNDS)]
        yield _growth(read.name, rounds)


def _growth(name: str, rounds: list[tuple[Latency, Latency]]) -> Row:
    figure = statistics.median(large.p99 / small.p99 for large, small in rounds)
    large, small = (statistics.median(each.p99 for each in side) for side in zip(*rounds, strict=True))
    return Row(name=f"{name}, p99 of many beside few", figure=figure, text=f"{large:.1f} ms, {small:.1f} ms", most=1.2)


async def _statements(database_url: str, page: Read, *, calls: int) -> float:
    """Runs the two statements alone, as often over as many connections as the calls; returns pages a second."""
    request = messages_service_pb2.ListMessagesRequest.FromString(page.request)
    campaign_id = UUID(request.parent.partition("/")[2])
    first, second = load("messages")["list_campaign_messages"], load("messages")["list_addressees"]
    async with asyncpg.create_pool(database_url, min_size=_POOL, max_size=_POOL) as pool:

        async def work(waiting: Iterator[int]) -> None:
            async with pool.acquire() as connection:
                for _ in waiting:
                    rows = await connection.fetch(first, campaign_id, UUID(int=0), _PAGE + 1)
                    await connection.fetch(second, [row["contact_id"] for row in rows])

        # Like the server's, connections have met both statements before.
        await asyncio.gather(*(work(iter(range(1))) for _ in range(_POOL)))
        waiting, begun = iter(range(calls)), CLOCK.monotonic()
        await asyncio.gather(*(work(waiting) for _ in range(_POOL)))
        return calls / (CLOCK.monotonic() - begun)


def _load(served: Served, read: Read, *, calls: int) -> Load:
    return Load(method=read.method, request=read.request, key=served.key, calls=calls)
