"""What all of a worker's tasks stand on, put together once by the assembly."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from prometheus_client import CollectorRegistry

from core.clock import Clock
from core.domain.arrivals import Arrivals
from core.domain.breaker import Breakers
from core.metrics import SendingMetrics
from core.pace import Pace
from core.queue.wakeups import Wakeups
from core.repositories.doubts import Walk
from core.repositories.rooms import Store
from core.settings import Settings
from core.whatsapp.client import WhatsAppClient
from core.whatsapp.management import ManagementClient
from workers.drains import Drains
from workers.lateness import Lateness
from workers.lines import Lines
from workers.precedence import Precedence
from workers.unknown_codes import UnknownCodes
from workers.unwritten import Unwritten


@dataclass(frozen=True, slots=True, kw_only=True)
class Safeguards:
    """Mechanisms a control run switches off to see what they are good for; no setting reaches them."""

    lease_check: bool = True
    evidence: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Lends tasks the rows, the pace, the bell and the way to WhatsApp.

    - `store` tells the cache of the API what it should no longer show.
    - `client` sends; `management` asks what WhatsApp says of our numbers.
    - `holder` begins the names of its leases.
    - `luck` gives numbers in [0, 1).
    - `lines` bounds the calls open at once and shares them among senders.
    - `stopping` is set when the process must come to an end.
    - `lateness` compares how late receipts come with the grace.
    - `turns` says, by sender, which campaign had the last slot where there were too few for all; it outlives a run.
    - `arrivals` counts, by sender, what is on the wire; `drains` waits for what runs left there, and `unwritten` counts
      their outcomes until they stand in rows.
    - `answer_breakers` count answers of sends, and apart from them `receipt_breakers` what receipts tell: an accept
      says nothing of what comes.
    - `unknown_codes` warns of codes that the error table does not have.
    - `upgrading` holds the senders that WhatsApp was last heard to upgrade.
    - `doubts_walk` says where the next look at messages in doubt begins.
    - `precedence` has receipts wait while what a person may say stop in is applied.
    """

    settings: Settings
    store: Store
    clock: Clock
    pace: Pace
    client: WhatsAppClient
    management: ManagementClient
    wakeups: Wakeups
    holder: str
    luck: Callable[[], float]
    lines: Lines
    stopping: asyncio.Event
    lateness: Lateness
    safeguards: Safeguards = field(default_factory=Safeguards)
    metrics: SendingMetrics = field(default_factory=lambda: SendingMetrics(CollectorRegistry()))
    turns: dict[UUID, UUID] = field(default_factory=dict)
    arrivals: dict[UUID, Arrivals] = field(default_factory=dict)
    drains: Drains = field(default_factory=Drains)
    unwritten: Unwritten = field(default_factory=Unwritten)
    answer_breakers: Breakers = field(default_factory=Breakers)
    receipt_breakers: Breakers = field(default_factory=Breakers)
    unknown_codes: UnknownCodes = field(default_factory=UnknownCodes)
    upgrading: set[UUID] = field(default_factory=set)
    doubts_walk: Walk = field(default_factory=Walk)
    precedence: Precedence = field(default_factory=Precedence)
