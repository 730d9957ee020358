"""What is measured, part by part: a part has a name to ask for it by, and gives a row or several."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tests.bench.read.comparisons import (
    beside_old_stack,
    cached_beside_bare,
    large_beside_small,
    messages_beside_statements,
    processes_beside_one,
    uncached_beside_minimal,
)
from tests.bench.read.hits import hit_rate
from tests.bench.read.last_pages import last_pages
from tests.bench.read.outage import redis_killed
from tests.bench.read.reads import Read, reads_of
from tests.bench.read.rows import Row
from tests.bench.read.servers import Served
from tests.bench.read.tails import tails
from tests.bench.read.writes import writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Is what the parts stand on: two servers on the large database by their ports, the small one, how much is done."""

    served: Served
    reads: Mapping[str, Read]
    cached: int
    uncached: int
    small_url: str
    calls: int
    seconds: float

    @classmethod
    def begin(cls, exits: ExitStack, folder: Path, urls: tuple[str, str], *, calls: int, seconds: float) -> "Ground":
        """Starts what all parts need on the databases, the large one first."""
        served = Served.begin(exits, folder / "large", urls[0])
        return cls(
            served=served, reads=_reads(served), cached=served.ours("cached"),
            uncached=served.ours("uncached", cached=False), small_url=urls[1], calls=calls, seconds=seconds,
        )  # fmt: skip


Part = Callable[[Ground], Iterable[Row]]


def chosen(fragment: str) -> list[Part]:
    """Returns the parts whose names hold that text, in the order they are measured; all for an empty text."""
    return [part for name, part in PARTS.items() if fragment.casefold() in name.casefold()]


def _reads(served: Served) -> dict[str, Read]:
    return {read.name: read for read in asyncio.run(reads_of(served.database_url))}


def _cached(on: Ground) -> Iterator[Row]:
    yield cached_beside_bare(on.served, on.cached, on.reads["contacts"], calls=3 * on.calls)


def _uncached(on: Ground) -> Iterator[Row]:
    yield uncached_beside_minimal(on.served, on.uncached, on.reads["contacts"], calls=3 * on.calls)


def _messages(on: Ground) -> Iterator[Row]:
    read = on.reads["messages of a campaign"]
    yield messages_beside_statements(on.served, on.uncached, read, calls=on.calls // 4)


def _old_stack(on: Ground) -> Iterator[Row]:
    return beside_old_stack(on.served, on.cached, on.uncached, on.reads, calls=3 * on.calls)


def _many_beside_few(on: Ground) -> Iterator[Row]:
    small = Served.begin(on.served.exits, on.served.directory.with_name("small"), on.small_url)
    few, port = _reads(small), small.ours("small", cached=False)
    pairs = [(on.reads[name], few[name]) for name in ("campaign stats", "dashboard", "message stats")]
    return large_beside_small(on.served, on.uncached, (small, port), pairs, calls=on.calls)


def _processes(on: Ground) -> Iterator[Row]:
    return processes_beside_one(on.served, on.cached, on.uncached, on.reads["contacts"], calls=5 * on.calls)


def _tails(on: Ground) -> Iterator[Row]:
    return tails(list(on.reads.values()), on.cached, on.served.key, calls=on.calls)


def _last_pages(on: Ground) -> Iterator[Row]:
    return last_pages(on.served, on.cached, on.uncached, calls=on.calls // 4)


def _hit_rate(on: Ground) -> Iterable[Row]:
    return hit_rate(on.served, seconds=on.seconds)


def _writes(on: Ground) -> Iterator[Row]:
    return writes(on.served, on.cached, calls=on.calls)


def _redis_killed(on: Ground) -> Iterable[Row]:
    return redis_killed(on.served, on.cached, on.uncached, on.reads["contacts"], seconds=on.seconds)


PARTS: Final[Mapping[str, Part]] = MappingProxyType(
    {
        "cached contacts beside a bare handler": _cached,
        "uncached contacts, page of 50, beside a minimal handler": _uncached,
        "messages with contacts, page of 500, beside their two statements": _messages,
        "cached message stats and uncached contacts beside the old stack": _old_stack,
        "p99 of many beside few": _many_beside_few,
        "contacts, 2 processes beside one": _processes,
        "p99 of each read, uncached and cached": _tails,
        "last pages beside the first": _last_pages,
        "hit rate": _hit_rate,
        "p99 of writes": _writes,
        "Redis killed": _redis_killed,  # the last: its cache is gone then
    }
)
