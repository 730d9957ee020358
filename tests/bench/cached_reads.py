"""How near a cached read comes to a bare handler that returns the same bytes: `python -m tests.bench.cached_reads`.

The real server, all interceptors, beside ``tests.bench.bare``; rounds alternate. CPU per call is the server's own, so
it says something also where the machine is busy with other things.
"""

import argparse
import asyncio
import statistics
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
from chappe.v1 import contacts_service_pb2, stats_service_pb2

from core.db import Database
from core.repositories.rooms import Store
from server.keys import create_key
from stack import programs
from stack.process import Command, Process
from stack.ready import by_port_file
from tests.bench.calls import Load, calls_per_second, reply_of, write_reply
from tests.helpers import servers
from tests.helpers.servers import Databases

METHOD = "/chappe.v1.ContactsService/ListContacts"
_CACHE_STATS = "/chappe.v1.StatsService/GetCacheStats"
ROUNDS = 5
# The second sends the metadata too that the contract promises: a request id, and what the cache did.
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
    with _servers(calls=chosen.calls, processes=chosen.processes) as (load, ours, bare, telling):
        sides = {name: (process, Measured()) for name, process in zip(_SIDES, (bare, telling, ours), strict=True)}
        for _ in range(ROUNDS):
            for process, measured in sides.values():
                _measure(load, process, measured)
        levels = _levels(load, ours)
    _print({name: measured for name, (_, measured) in sides.items()})
    print(levels)


def _measure(load: Load, process: Process, measured: Measured) -> None:
    reply_of(load, _port(process))  # outlived entries and idle connections are not what is measured
    before = _cpu_seconds(process.pid)
    measured.rates.append(calls_per_second(load, _port(process)))
    measured.cpu.append((_cpu_seconds(process.pid) - before) / load.calls * 1e6)


def _levels(load: Load, process: Process) -> str:
    """Says what the first level had for the calls: where it could not be asked, the process was too busy to follow."""
    asking = replace(load, method=_CACHE_STATS, request=b"")
    stats = stats_service_pb2.CacheStats.FromString(reply_of(asking, _port(process)))
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
        print(f"beside {name}: rates {statistics.median(ratios):.3f} (median of {ROUNDS} rounds), CPU {cpu:.3f}")


@contextmanager
def _servers(*, calls: int, processes: int) -> Iterator[tuple[Load, Process, Process, Process]]:
    with ExitStack() as stack:
        directory = stack.enter_context(servers.temporary_directory())
        postgres = stack.enter_context(servers.postgres())
        queue, cache = stack.enter_context(servers.valkeys())
        url = stack.enter_context(Databases(postgres).copy())
        key = asyncio.run(_prepare(url))
        urls = {"DATABASE_URL": url, "QUEUE_URL": queue.url(), "CACHE_URL": cache.url(), "GRPC_PORT": "0"}
        settings = {f"CHAPPE_{name}": value for name, value in urls.items()}
        ours = _process("server", directory, settings, "-m", "server", "--processes", str(processes))
        stack.enter_context(ours)
        request = contacts_service_pb2.ListContactsRequest(page_size=50).SerializeToString()
        load = Load(method=METHOD, request=request, key=key, calls=calls)
        reply = str(write_reply(load, _port(ours), directory))
        bare = stack.enter_context(_process("bare", directory, {}, *_bare("bare", reply, directory)))
        telling = _process("telling", directory, {}, *_bare("telling", reply, directory), "--tells")
        yield load, ours, bare, stack.enter_context(telling)


def _bare(name: str, reply: str, directory: Path) -> tuple[str, ...]:
    port_file = str(directory / f"{name}.port")
    return "-m", "tests.bench.bare", "--method", METHOD, "--reply-file", reply, "--port-file", port_file


async def _prepare(url: str) -> str:
    async with Database(url=url, pool_size=1) as database:
        async with database.connection() as connection:
            await connection.execute(_ADD_CONTACTS)
        return await create_key(Store(database), role="VIEWER")


def _process(name: str, directory: Path, settings: dict[str, str], *arguments: str) -> Process:
    port_file = directory / f"{name}.port"
    own = {**settings, "CHAPPE_PORT_FILE": str(port_file)} if settings else {}
    return Process(
        Command(
            name=name,
            argv=(sys.executable, *arguments),
            log_file=directory / f"{name}.log",
            ready=by_port_file(port_file),
            port_file=port_file,
            env=programs.environment(own),
        )
    )


def _port(process: Process) -> int:
    assert process.command.port_file is not None
    return int(process.command.port_file.read_text())


def _cpu_seconds(pid: int) -> float:
    parent = psutil.Process(pid)
    times = [each.cpu_times() for each in (parent, *parent.children(recursive=True))]
    return float(sum(spent.user + spent.system for spent in times))


if __name__ == "__main__":
    main()
