"""How many statuses the webhook door makes durable, and how fast: `python -m tests.bench.webhook_load`.

Starts PostgreSQL (with fsync), Valkey and one door process; sends signed bodies at a fixed rate from this process,
which shares the machine with them. With --apply it also measures how fast a worker applies what came in.
"""

import argparse
import asyncio
import itertools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from io import BytesIO
from uuid import UUID

import aiohttp

from core.clock import SystemClock
from core.db import Database
from core.domain.messages import MessageRef
from core.repositories.rooms import Store
from server.webhooks.signature import sign
from stack.ports import Ports
from stack.valkey import QUEUE, Valkey
from tests.bench.paced import moments
from tests.helpers import servers
from tests.helpers.processes import Processes, port_of
from tests.helpers.receiving import KEY, NOW
from tests.helpers.sending import numbers, plan
from tests.helpers.servers import Databases
from tests.helpers.webhook_bodies import body, status
from workers.assembly import planned_each_time
from workers.tasks.receipts import apply_batch

SECRET = b"bench-secret"
CLOCK = SystemClock()


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorFigures:
    """Holds what one load measured: bodies, commits, and the latency of a POST in milliseconds."""

    statuses_per_second: float
    sent: int
    stored: int
    commits: int
    p50_ms: float
    p99_ms: float
    worst_ms: float
    applied_per_second: float = 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--statuses-per-second", type=int, default=3000)
    parser.add_argument("--per-body", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--apply", action="store_true")
    chosen = parser.parse_args()
    for name, value in asdict(measure(**vars(chosen))).items():
        print(f"{name} {value:,.1f}")


def measure(*, statuses_per_second: int, per_body: int, seconds: int, apply: bool = False) -> DoorFigures:
    """Starts a door and loads it for some seconds; with `apply` one worker then applies what came in."""
    with door() as (database_url, port):
        return asyncio.run(
            _run(database_url, port, rate=statuses_per_second, per_body=per_body, seconds=seconds, apply=apply)
        )


@contextmanager
def door() -> Iterator[tuple[str, int]]:
    """Yields the address of a durable, migrated database and the port of a door in front of it."""
    with ExitStack() as stack:
        directory = stack.enter_context(servers.temporary_directory())
        database_url = stack.enter_context(Databases(stack.enter_context(servers.postgres(durable=True))).copy())
        queue = stack.enter_context(Valkey(name="queue", directory=directory, ports=Ports(), policy=QUEUE))
        settings = {
            "CHAPPE_DATABASE_URL": database_url, "CHAPPE_QUEUE_URL": queue.url(), "CHAPPE_WEBHOOKS_PORT": "0",
            "CHAPPE_WHATSAPP_APP_SECRET": SECRET.decode(), "CHAPPE_LOG_LEVEL": "WARNING",
        }  # fmt: skip
        processes = stack.enter_context(Processes(directory=directory, settings=settings))
        yield database_url, port_of(processes.start("webhooks"))


async def _run(database_url: str, port: int, *, rate: int, per_body: int, seconds: int, apply: bool) -> DoorFigures:
    total = rate * seconds
    async with Database(url=planned_each_time(database_url), pool_size=2) as database:
        bodies = make_bodies(*await _accepted(database, total), total=total, per_body=per_body)
        latencies, took = await load(bodies, port, rate=rate / per_body)
        async with database.connection() as connection:
            stored = await connection.fetchval("SELECT count(*) FROM webhook_deliveries")
            commits = await connection.fetchval("SELECT count(DISTINCT xmin::text) FROM webhook_deliveries")
        applied = await measure_applying(Store(database), total) if apply else 0.0
    p50, p99, worst = percentiles(latencies)
    return DoorFigures(
        statuses_per_second=total / took, sent=len(bodies), stored=stored, commits=commits,
        p50_ms=p50, p99_ms=p99, worst_ms=worst, applied_per_second=applied,
    )  # fmt: skip


async def _accepted(database: Database, statuses: int) -> tuple[list[UUID], UUID]:
    """Makes accepted messages, enough for so many statuses; returns them and their campaign."""
    async with database.connection() as connection:
        planned = await plan(connection, numbers(1 + statuses * 10 // 27))
        statement = "UPDATE messages SET state = 'ACCEPTED', attempt = 1, accept_time = $1 RETURNING id"
        return [row["id"] for row in await connection.fetch(statement, NOW)], planned.campaign_id


def make_bodies(ids: list[UUID], campaign_id: UUID, *, total: int, per_body: int) -> list[bytes]:
    """Makes three receipts per message, in bodies of some statuses each, with the escapes WhatsApp writes."""
    told = (
        status(word, NOW, wamid=f"wamid.{id_}", ref=MessageRef(campaign_id=campaign_id, message_id=id_, attempt=1))
        for word in ("sent", "delivered", "read")
        for id_ in ids
    )
    some = itertools.islice(told, total)
    return [body(statuses=part) for part in iter(lambda: list(itertools.islice(some, per_body)), [])]


async def load(bodies: list[bytes], port: int, *, rate: float) -> tuple[list[float], float]:
    """Sends the bodies at the rate (per second), whatever the answers take; returns latencies and the time used."""
    url = f"http://127.0.0.1:{port}/webhooks/whatsapp"
    latencies: list[float] = []

    async def post(session: aiohttp.ClientSession, raw: bytes) -> None:
        began = CLOCK.monotonic()
        headers = {"X-Hub-Signature-256": sign(raw, SECRET).decode(), "Content-Type": "application/json"}
        async with session.post(url, data=BytesIO(raw), headers=headers) as reply:
            assert reply.status == 200, reply.status
        latencies.append(CLOCK.monotonic() - began)

    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=200)) as session,
        asyncio.TaskGroup() as group,
    ):
        started = CLOCK.monotonic()
        waiting = iter(bodies)
        async for _ in moments(len(bodies), rate=rate):
            group.create_task(post(session, next(waiting)))
    return latencies, CLOCK.monotonic() - started


def percentiles(latencies: list[float]) -> tuple[float, float, float]:
    """Returns the middle, the 99th hundredth and the worst, in milliseconds."""
    ordered = sorted(latencies)
    p50, p99, worst = (1000 * ordered[int((len(ordered) - 1) * share)] for share in (0.5, 0.99, 1))
    return p50, p99, worst


async def measure_applying(store: Store, total: int) -> float:
    """Returns how many statuses a second one worker applies."""
    started, count = CLOCK.monotonic(), 1
    while count:
        count = (await apply_batch(store, now=NOW, hash_key=KEY)).delivery_count
    return total / (CLOCK.monotonic() - started)


if __name__ == "__main__":
    main()
