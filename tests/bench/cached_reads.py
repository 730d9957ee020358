"""How near a cached read comes to a bare handler that returns the same bytes: `python -m tests.bench.cached_reads`.

The real server, all interceptors, beside ``tests.bench.bare``; rounds alternate. CPU per call is the server's own, so
it says something also where the machine is busy with other things.
"""

import argparse
import asyncio
import statistics
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from chappe.v1 import contacts_service_pb2, stats_service_pb2

from core.db import Database
from tests.bench.calls import Load, calls_per_second, reply_of, write_reply
from tests.bench.cpu import tree_seconds
from tests.bench.read.rows import ROUNDS
from tests.bench.read.servers import Served
from tests.helpers import servers
from tests.helpers.servers import Databases

METHOD = "/chappe.v1.ContactsService/ListContacts"
_CACHE_STATS = "/chappe.v1.StatsService/GetCacheStats"
# The second sends the metadata too that ours sends: what the cache did.
_SIDES = ("bare handler", "with metadata", "cached read")
_ADD_CONTACTS = """
    INSERT INTO contacts (phone_number, display_name)
    SELECT '+336' || lpad(n::text, 8, '0'), 'Contact ' || n FROM generate_series(1, 50) AS n"""


@dataclass(slots=True)
class Measured:
    """Collects what each round measured: calls per second, microseconds of the server's CPU per call."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def main() -> None:
    """Runs the rounds and prints medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=1)
    chosen = parser.parse_args()
    with _served() as served:
        ours = served.ours("server", processes=chosen.processes)
        request = contacts_service_pb2.ListContactsRequest(page_size=50).SerializeToString()
        load = Load(method=METHOD, request=request, key=served.key, calls=chosen.calls)
        ports = (*_bare(served, load, ours), ours)
        sides = {name: (port, Measured()) for name, port in zip(_SIDES, ports, strict=True)}
        for _ in range(ROUNDS):
            for port, measured in sides.values():
                _measure(load, port, served.pids[port], measured)
        levels = _levels(load, ours)
    _print({name: measured for name, (_, measured) in sides.items()})
    print(levels)


def _measure(load: Load, port: int, pid: int, measured: Measured) -> None:
    reply_of(load, port)  # outlived entries and idle connections are not what is measured
    before = tree_seconds(pid)
    measured.rates.append(calls_per_second(load, port))
    measured.cpu.append((tree_seconds(pid) - before) / load.calls * 1e6)


def _levels(load: Load, port: int) -> str:
    """Says what the first level had for the calls: where it could not be asked, the process was too busy to follow."""
    asking = replace(load, method=_CACHE_STATS, request=b"")
    stats = stats_service_pb2.CacheStats.FromString(reply_of(asking, port))
    memory = next(each.levels[0] for each in stats.methods if each.method == load.method)
    return f"first level: {memory.hit_count} hits, {memory.miss_count} misses, {memory.bypass_count} not to be asked"


def _print(sides: dict[str, Measured]) -> None:
    print(f"{'':14}{'calls/s':>10}{'CPU µs/call':>14}")
    for name, measured in sides.items():
        print(f"{name:14}{statistics.median(measured.rates):>10.0f}{statistics.median(measured.cpu):>14.1f}")
    *others, (_, ours) = sides.items()
    for name, other in others:
        ratios = [mine / theirs for mine, theirs in zip(ours.rates, other.rates, strict=True)]
        cpu = statistics.median(other.cpu) / statistics.median(ours.cpu)
        rate = statistics.median(ratios)
        print(f"beside {name}: {rate:.3f} of its calls/s (median of {ROUNDS} rounds), its CPU {cpu:.3f} of ours")


@contextmanager
def _served() -> Iterator[Served]:
    with ExitStack() as exits:
        directory = exits.enter_context(servers.temporary_directory())
        url = exits.enter_context(Databases(exits.enter_context(servers.postgres())).copy())
        asyncio.run(_fill(url))
        yield Served.begin(exits, directory, url)


async def _fill(url: str) -> None:
    async with Database(url=url, pool_size=1) as database, database.connection() as connection:
        await connection.execute(_ADD_CONTACTS)


def _bare(served: Served, load: Load, ours: int) -> tuple[int, int]:
    """Starts what returns the bytes of our reply: a handler, and one that sends the metadata too."""
    reply = str(write_reply(load, ours, served.directory))
    arguments = ("tests.bench.bare", "--method", METHOD, "--reply-file", reply)
    return served.beside(*arguments), served.beside(*arguments, "--tells", name="telling")


if __name__ == "__main__":
    main()
