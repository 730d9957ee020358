"""How many reads the cache answers while a campaign runs, some things are looked at more, and something is written."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any

import asyncpg
import grpc
from chappe.v1 import senders_pb2, templates_pb2
from chappe_client import Chappe, v1

from core.clock import SystemClock
from tests.bench.paced import moments
from tests.bench.read.reads import Read, read_of, reads_on, zipf
from tests.bench.read.rows import Row
from tests.bench.read.servers import Served
from tests.bench.read.underway import PER_SECOND, Underway, sending, underway

CLOCK = SystemClock()
_KEYS, _RATE = 200, 1000.0
Write = Callable[[], Awaitable[object]]


@dataclass(slots=True)
class _Seen:
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    writes: int = 0
    sent: float = 0.0

    @property
    def rate(self) -> float:
        """What part of the replies the cache gave."""
        return self.outcomes["hit"] / max(1, self.outcomes.total())

    def told(self) -> str:
        """Says how much was read and written, what the cache did, and by which codes calls failed."""
        outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(self.outcomes.items()))
        failed = ", ".join(f"{count} {code}" for code, count in self.failures.items()) or "none"
        return f"{self.outcomes.total():,} reads ({outcomes}) and {self.writes} writes, {failed} failed"


def hit_rate(served: Served, *, seconds: float) -> list[Row]:
    """Reads 1,000 times a second, Zipf 1.1 over 200 keys, writes once a second, and asks how the cache answered."""
    with sending(served) as (port, simulator):
        seen = asyncio.run(_measured(served, port, simulator, seconds))
    return [
        Row(name="hit rate", figure=seen.rate, text=seen.told(), least=0.9),
        Row(name="reads that failed meanwhile", figure=seen.failures.total(), text="", most=0),
        # That it runs; on the same two cores answers take long, and the limit of its number is kept where they arrive.
        Row(name="messages a second of the campaign beside it", figure=seen.sent, text="", least=0.5 * PER_SECOND),
    ]


async def _measured(served: Served, port: int, simulator: str, seconds: float) -> _Seen:
    async with underway(f"127.0.0.1:{port}", served.key, simulator, seconds=seconds) as campaign:
        reads = await _keys(served.database_url)
        before, begun = await campaign.accepted_count(), CLOCK.monotonic()
        seen = await _run(served, port, campaign, reads, seconds)
        seen.sent = (await campaign.accepted_count() - before) / (CLOCK.monotonic() - begun)
        return seen


async def _keys(database_url: str) -> list[Read]:
    """Returns reads of six collections, those of the newest campaign, which runs, likeliest."""
    connection = await asyncpg.connect(database_url)
    try:
        campaigns = await connection.fetch("SELECT id FROM campaigns WHERE kind = 'BULK' ORDER BY id DESC LIMIT 40")
        categories = await connection.fetch("SELECT id FROM categories ORDER BY id")
    finally:
        await connection.close()
    of_campaigns = [
        reads_on(f"campaigns/{campaign['id']}", f"categories/{category['id']}")
        for campaign, category in zip(campaigns, cycle(categories), strict=False)
    ]
    further = [
        read_of("senders", "SendersService/ListSenders", senders_pb2.ListSendersRequest()),
        read_of("templates", "TemplatesService/ListTemplates", templates_pb2.ListTemplatesRequest()),
    ]
    likely, *others = of_campaigns
    ordered = [*likely, *further, *(read for reads in others for read in reads)]
    return list({(read.method, read.request): read for read in ordered}.values())[:_KEYS]


async def _run(served: Served, port: int, campaign: Underway, reads: list[Read], seconds: float) -> _Seen:
    seen = _Seen()
    luck, weights = zipf(len(reads), exponent=1.1, seed=1)
    metadata = (("authorization", f"Bearer {served.key}"),)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        asks: dict[str, Any] = {read.method: channel.unary_unary(read.method) for read in reads}

        async def look(read: Read) -> None:
            call = asks[read.method](read.request, metadata=metadata, timeout=10)
            try:
                await call
            except grpc.aio.AioRpcError as error:
                seen.failures[error.code().name] += 1
                return
            seen.outcomes[dict(await call.trailing_metadata())["chappe-cache"]] += 1

        writing = asyncio.create_task(_write(campaign, seen, int(seconds)))
        chosen = iter(luck.choices(reads, weights, k=int(_RATE * seconds)))
        running = [asyncio.create_task(look(next(chosen))) async for _ in moments(int(_RATE * seconds), rate=_RATE)]
        await asyncio.gather(writing, *running)
    return seen


async def _write(campaign: Underway, seen: _Seen, count: int) -> None:
    """Changes one collection after the other, once a second."""
    writes = islice(cycle(_writes(campaign)), count)
    async for _ in moments(count, rate=1.0):
        await next(writes)()
        seen.writes += 1


def _writes(campaign: Underway) -> list[Write]:
    client, sender = campaign.walk.client, campaign.walk.sender
    stamps = (int(CLOCK.now().timestamp() * 1000) for _ in iter(int, 1))
    named = (f"Made {stamp}" for stamp in stamps)
    return [
        lambda: client.contacts.create_contact(v1.CreateContactRequest(contact=_person(next(stamps)))),
        lambda: client.categories.create_category(
            v1.CreateCategoryRequest(category=v1.Category(display_name=next(named)))
        ),
        lambda: client.campaigns.update_campaign(
            v1.UpdateCampaignRequest(campaign=v1.Campaign(name=campaign.campaign.name, display_name=next(named)))
        ),
        lambda: client.senders.update_sender(
            v1.UpdateSenderRequest(sender=v1.Sender(name=sender.name, display_name=next(named)))
        ),
        lambda: client.templates.sync_templates(v1.SyncTemplatesRequest(sender=sender.name)),
        lambda: _send(client, campaign, next(stamps)),
    ]


async def _send(client: Chappe, campaign: Underway, stamp: int) -> None:
    content = v1.SendMessageRequestTemplateContent(
        template=campaign.walk.template.name, bindings=campaign.walk.bindings()
    )
    number = _person(stamp).phone_number
    request = v1.SendMessageRequest(sender=campaign.walk.sender.name, phone_number=number, template_content=content)
    await client.messages.send_message(request)


def _person(stamp: int) -> v1.Contact:
    return v1.Contact(phone_number=f"+4930{stamp % 10**8:08d}")
