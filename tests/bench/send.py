"""How fast a campaign leaves and is accounted for, and what it costs: `python -m tests.bench.send --messages 100000`.

Everything runs on this machine, the simulator and three receipts per message included. The bare HTTP client in a loop
against the same simulator stands beside, for reading.
"""

import argparse
import asyncio
from dataclasses import dataclass

import aiohttp
from chappe_client import Chappe, v1

from core.clock import SystemClock
from core.db import Database
from core.domain.outcomes import Accepted
from core.repositories.rooms import Store
from core.whatsapp.client import WhatsAppClient
from core.whatsapp.http import Http
from server.keys import create_key
from stack.stack import Stack
from tests.bench.cpu import OURS, cpu_seconds, resident_bytes
from tests.helpers.walk import SENDER_ID, Walk

CLOCK = SystemClock()
SETTINGS = {"CHAPPE_WORKER_CONCURRENCY": "512"}
# Fast receipts and no faults; suffixes off, since every number is used.
SIMULATOR = {"SIMULATOR_PROFILE": "fast"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Holds what one run measured; times in seconds, CPU by kind of process in seconds."""

    messages: int
    send_seconds: float
    settled_seconds: float
    cpu: dict[str, float]
    worker_bytes: int


def main() -> None:
    """Runs the benchmark and prints its figures as a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--campaigns", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--bare", type=int, default=10_000, help="messages of the bare client; 0 leaves it out")
    chosen = parser.parse_args()
    with Stack(workers=chosen.workers, settings=SETTINGS, simulator_settings=SIMULATOR) as stack:
        figures = asyncio.run(_measure(stack, chosen.messages, chosen.campaigns))
        _print(figures)
        if chosen.bare:
            asyncio.run(_measure_bare(stack, chosen.bare))


async def _measure(stack: Stack, messages: int, campaigns: int) -> Figures:
    async with Database(url=stack.servers.postgres.url(), pool_size=1) as database:
        key = await create_key(Store(database), role="ADMIN", display_name="bench")
    async with aiohttp.ClientSession(stack.simulator_url) as session:
        await session.patch("/_sim/settings", json={"suffixes": False}, raise_for_status=True)
    async with Chappe(stack.api_address, key=key, cached=False, timeout=60) as client:
        walk = await Walk.begin(client)
        each = messages // campaigns
        made = [await _campaign(walk, each, number * each) for number in range(campaigns)]
        before, began = cpu_seconds(stack), CLOCK.monotonic()
        for campaign in made:
            await walk.start(campaign)
        await _until(walk, made, messages, read=False)
        sent = CLOCK.monotonic() - began
        await _until(walk, made, messages, read=True)
        settled = CLOCK.monotonic() - began
        after = cpu_seconds(stack)
    cpu = {kind: after[kind] - before[kind] for kind in after}
    return Figures(
        messages=messages, send_seconds=sent, settled_seconds=settled, cpu=cpu,
        worker_bytes=resident_bytes(stack, "worker"),
    )  # fmt: skip


async def _campaign(walk: Walk, size: int, first: int) -> v1.Campaign:
    numbers = [f"+336{first + number:08d}" for number in range(size)]
    return await walk.create_campaign(await walk.import_numbers(numbers))


async def _until(walk: Walk, made: list[v1.Campaign], messages: int, *, read: bool) -> None:
    """Waits until all messages are accepted, or read."""
    while True:
        counts = [await walk.counts(campaign) for campaign in made]
        done = sum(count.read_count if read else count.accepted_count for count in counts)
        if done >= messages:
            return
        await asyncio.sleep(0.25)


async def _measure_bare(stack: Stack, messages: int) -> None:
    """Posts the same kind of message in a loop, with the worker's own client and nothing else."""
    payloads = [_payload(number) for number in range(messages)]
    token = stack.settings["CHAPPE_WHATSAPP_ACCESS_TOKEN"]
    gate = asyncio.Semaphore(int(SETTINGS["CHAPPE_WORKER_CONCURRENCY"]))
    async with Http(timeout_seconds=30, max_connections=256) as http:
        client = WhatsAppClient(http=http, base_url=stack.simulator_url, api_version="v25.0")

        async def post(payload: dict[str, object]) -> bool:
            async with gate:
                return isinstance(await client.send(phone_number_id=SENDER_ID, token=token, payload=payload), Accepted)

        began = CLOCK.monotonic()
        accepted = sum(await asyncio.gather(*(post(payload) for payload in payloads)))
        seconds = CLOCK.monotonic() - began
    print(f"| bare client, {messages:,} POSTs | {messages / seconds:,.0f}/s offered, {accepted:,} accepted |")


def _payload(number: int) -> dict[str, object]:
    parameters = [{"type": "text", "text": "25"}, {"type": "text", "text": "25"}]
    return {
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": f"+337{number:08d}", "type": "template",
        "template": {
            "name": "spring_sale", "language": {"code": "en_US"},
            "components": [{"type": "body", "parameters": parameters}],
        },
        "biz_opaque_callback_data": f"bare-{number}",
    }  # fmt: skip


def _print(figures: Figures) -> None:
    ours = sum(figures.cpu[kind] for kind in (*OURS, "postgres"))
    rows = {
        "messages": f"{figures.messages:,}",
        "accepted, from the start on": f"{figures.messages / figures.send_seconds:,.0f}/s",
        "read, from the start on": f"{figures.messages / figures.settled_seconds:,.0f}/s",
        "CPU per message, ours and PostgreSQL": f"{1000 * ours / figures.messages:.2f} ms",
        **{f"CPU per message, {kind}": f"{1000 * s / figures.messages:.2f} ms" for kind, s in figures.cpu.items()},
        "memory of a worker": f"{figures.worker_bytes / 1e6:.0f} MB",
    }
    print("| what | figure |\n| --- | --- |")
    for what, figure in rows.items():
        print(f"| {what} | {figure} |")


if __name__ == "__main__":
    main()
