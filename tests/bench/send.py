"""How fast campaigns leave and are accounted for, and what that costs: `python -m tests.bench.send --messages 100000`.

Everything runs on this machine, the simulator and three receipts per message in POSTs of 1 to 50 statuses included. One
number is paced at 1,000 messages a second; two show what the machine sustains. `tests.bench.suite` runs whole series.
"""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import aiohttp
from chappe_client import Chappe, v1
from chappe_client.imports import ImportOptions

from core.clock import SystemClock
from core.db import Database
from core.repositories.rooms import Store
from server.keys import create_key
from stack.stack import Stack
from tests.bench.bare_client import measure_bare
from tests.bench.cpu import OURS, cpu_seconds, resident_bytes
from tests.helpers.walk import ACCOUNT_ID, SENDER_ID, Walk

CLOCK = SystemClock()
SETTINGS = {"CHAPPE_LOG_LEVEL": "WARNING"}
# Fast receipts and no faults.
SIMULATOR = {"SIMULATOR_PROFILE": "fast"}
# Suffixes off, since every number is used; bodies of 1 to 50 statuses, as many at random.
_WORLD = {"suffixes": False, "webhooks": {"batch_random": True, "batch_max": 50}}
_NUMBERS = (SENDER_ID, "100000000000001")
_PER_SECOND = 1000
_UNLIMITED = 1_000_000
_LOOK_SECONDS = 0.25
_SAY_SECONDS = 10.0
_IMPORT_SIZE = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Says what to send: so many messages in so many campaigns, spread over workers and numbers of 1,000/s each."""

    messages: int = 100_000
    campaigns: int = 1
    workers: int = 2
    numbers: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Says how many milliseconds the simulator takes to answer, a log-normal distribution; none: at once."""

    median: int = 0
    p99: int = 0


_AT_ONCE = Answers()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Holds what one run measured; CPU in milliseconds a message by kind of process, memory in bytes at its peak.

    `fullest_second` is the most that WhatsApp accepted of one number in any second.
    """

    accepted_per_second: float
    read_per_second: float
    cpu: dict[str, float]
    worker_bytes: int
    fullest_second: int = 0
    bare_per_second: float = 0.0

    @property
    def cpu_ms(self) -> float:
        """Returns the CPU time a message takes of our processes and PostgreSQL."""
        return sum(self.cpu[kind] for kind in (*OURS, "postgres"))


def main() -> None:
    """Runs the benchmark and prints its figures as a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in asdict(Setup()).items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--bare", type=int, default=10_000, help="messages of the bare client; 0 leaves it out")
    for name in asdict(_AT_ONCE):
        parser.add_argument(f"--{name}", type=int, default=0, help=f"of the simulator's answers in ms, the {name}")
    chosen = vars(parser.parse_args())
    setup = Setup(**{name: chosen[name] for name in asdict(Setup())})
    answers = Answers(**{name: chosen[name] for name in asdict(_AT_ONCE)})
    show(measure(setup, bare=chosen["bare"], answers=answers))


def measure(setup: Setup, *, bare: int = 0, answers: Answers = _AT_ONCE) -> Figures:
    """Starts everything, sends, waits for the last receipt, and returns the figures."""
    with Stack(workers=setup.workers, settings=SETTINGS, simulator_settings=SIMULATOR) as stack:
        asyncio.run(_prepare_world(stack, setup, answers))
        figures = asyncio.run(_send(stack, setup))
        offered = asyncio.run(_bare(stack, bare)) if bare else 0.0
    return Figures(**{**asdict(figures), "bare_per_second": offered})


def show(figures: Figures) -> None:
    """Prints figures as a table."""
    rows = {
        "accepted, from the start on": f"{figures.accepted_per_second:,.0f}/s",
        "read, from the start on": f"{figures.read_per_second:,.0f}/s",
        "CPU per message, ours and PostgreSQL": f"{figures.cpu_ms:.2f} ms",
        **{f"CPU per message, {kind}": f"{spent:.2f} ms" for kind, spent in figures.cpu.items()},
        "memory of a worker at its peak": f"{figures.worker_bytes / 1e6:.0f} MB",
        "most of a number accepted in any second": f"{figures.fullest_second:,}",
        "the bare client beside it, accepted": f"{figures.bare_per_second:,.0f}/s",
    }
    print("| what | figure |\n| --- | --- |")
    for what, figure in rows.items():
        print(f"| {what} | {figure} |")


async def _prepare_world(stack: Stack, setup: Setup, answers: Answers) -> None:
    latency = {f"latency_{name}": milliseconds / 1000 for name, milliseconds in asdict(answers).items()}
    async with aiohttp.ClientSession(stack.simulator_url) as session:
        await session.patch("/_sim/settings", json={**_WORLD, "timeline": latency}, raise_for_status=True)
    for number in _NUMBERS[: setup.numbers]:
        await _set_throughput(stack, number, _PER_SECOND)


async def _set_throughput(stack: Stack, number: str, per_second: int) -> None:
    async with aiohttp.ClientSession(stack.simulator_url) as session:
        await session.post(f"/_sim/numbers/{number}", json={"throughput": per_second}, raise_for_status=True)


async def _fullest_second(stack: Stack) -> int:
    async with (
        aiohttp.ClientSession(stack.simulator_url) as session,
        session.get("/_sim/pace", raise_for_status=True) as reply,
    ):
        numbers = (await reply.json())["numbers"]
    return max(int(number["most_in_any_window"]) for number in numbers.values())


async def _bare(stack: Stack, messages: int) -> float:
    await _set_throughput(stack, SENDER_ID, _UNLIMITED)
    token = stack.settings["CHAPPE_WHATSAPP_ACCESS_TOKEN"]
    return await measure_bare(stack.simulator_url, token=token, messages=messages)


async def _send(stack: Stack, setup: Setup) -> Figures:
    async with Database(url=stack.servers.postgres.url(), pool_size=1) as database:
        key = await create_key(Store(database), role="ADMIN", display_name="bench")
    async with Chappe(stack.api_address, key=key, cached=False, timeout=60) as client:
        walks = await _walks(client, setup.numbers)
        each = setup.messages // setup.campaigns
        made = [await _campaign(walks[number % len(walks)], each, number) for number in range(setup.campaigns)]
        run = _Run(stack=stack, walk=walks[0], made=made, messages=each * setup.campaigns)
        return await run.measure()


@dataclass(slots=True, kw_only=True)
class _Run:
    """One measurement under way; looks at the counters and at the workers' memory several times a second."""

    stack: Stack
    walk: Walk
    made: Sequence[v1.Campaign]
    messages: int
    worker_bytes: int = 0
    said: float = 0.0

    async def measure(self) -> Figures:
        before, began = cpu_seconds(self.stack), CLOCK.monotonic()
        for campaign in self.made:
            await self.walk.start(campaign)
        await self._until("accepted_count")
        accepted = CLOCK.monotonic() - began
        await self._until("read_count")
        read = CLOCK.monotonic() - began
        after = cpu_seconds(self.stack)
        return Figures(
            accepted_per_second=self.messages / accepted,
            read_per_second=self.messages / read,
            cpu={kind: 1000 * (after[kind] - before[kind]) / self.messages for kind in after},
            worker_bytes=self.worker_bytes,
            fullest_second=await _fullest_second(self.stack),
        )

    async def _until(self, count: str) -> None:
        """Waits until that count is whole."""
        while True:
            done = sum([getattr(await self.walk.counts(campaign), count) for campaign in self.made])
            self.worker_bytes = max(self.worker_bytes, resident_bytes(self.stack, "worker"))
            self._say(count, done)
            if done >= self.messages:
                return
            await asyncio.sleep(_LOOK_SECONDS)

    def _say(self, count: str, done: int) -> None:
        now = CLOCK.monotonic()
        if now - self.said > _SAY_SECONDS:
            self.said = now
            print(f"  {done:,} of {self.messages:,} {count.removesuffix('_count')}", flush=True)


async def _walks(client: Chappe, numbers: int) -> list[Walk]:
    """Returns a walk for each number; the templates are the account's, so one sync is enough."""
    first = await Walk.begin(client)
    walks = [first]
    for number in _NUMBERS[1:numbers]:
        sender = v1.Sender(phone_number_id=number, whatsapp_account_id=ACCOUNT_ID, display_name=f"Shop {number}")
        made = await client.senders.create_sender(v1.CreateSenderRequest(sender=sender))
        fresh = await client.senders.refresh_sender(v1.RefreshSenderRequest(name=made.name))
        walks.append(Walk(client, fresh, first.template))
    return walks


async def _campaign(walk: Walk, size: int, number: int) -> v1.Campaign:
    options = ImportOptions(categories=[f"Audience {number + 1} of this run"])
    category = ""
    for start in range(0, size, _IMPORT_SIZE):
        rows = range(number * size + start, number * size + min(size, start + _IMPORT_SIZE))
        body = "phone_number,display_name\n" + "".join(f"+336{row:08d},Contact\n" for row in rows)
        async for element in walk.client.import_contacts(body.encode(), options):
            category = element.summary.categories[0] if element.summary else category
    return await walk.create_campaign(category)


if __name__ == "__main__":
    main()
