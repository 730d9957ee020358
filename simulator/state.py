"""Simulator, the world: everything that is simulated, held together and started over by one object."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from simulator.clock import Agenda, Clock
from simulator.draws import Draws
from simulator.ledger import Ledger, Message
from simulator.media import MediaStore
from simulator.outcomes import Outcome, Outcomes
from simulator.rules import Rules
from simulator.seed import build
from simulator.settings import Settings, as_json
from simulator.webhook_bodies import Update
from simulator.webhooks import WebhookSender

# A message that waits for the verdict about its template, and the fate it was accepted with.
Held = tuple[Message, Outcome | None]


_FIRST_MEDIA_ID: Final = 4 * 10**14
_MEDIA_OF_A_RUN: Final = 10**6


@dataclass(slots=True)
class Credentials:
    """The secrets of the app; they are in no repr, log or answer."""

    app_secret: str = field(repr=False)
    verify_token: str = field(repr=False)
    access_tokens: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Beginning:
    """What the world was started with."""

    settings: dict[str, Any]
    accounts: dict[str, Any]
    factor: float


class World:
    """Accounts, clock, plans, ledger, faults and the webhook sender of one simulated Meta."""

    def __init__(
        self,
        *,
        settings: Settings,
        credentials: Credentials,
        seed: dict[str, Any],
        webhook_url: str = "",
        clock: Clock | None = None,
        run: bytes | None = None,
    ) -> None:
        self.settings = settings
        self.credentials = credentials
        self.clock = clock or Clock()
        self.agenda = Agenda(self.clock)
        self.authorizations = {b"Bearer " + token.encode() for token in credentials.access_tokens}
        # Ids must not repeat those of an earlier process, whose messages a client may still remember.
        self.run = os.urandom(4) if run is None else run
        self.webhooks = WebhookSender(
            clock=self.clock,
            agenda=self.agenda,
            settings=settings.webhooks,
            app_secret=credentials.app_secret,
            url=webhook_url,
            seed=settings.seed,
        )
        self._seed = seed
        self._serial = 0
        self._media_ids = itertools.count(_FIRST_MEDIA_ID + int.from_bytes(self.run[:3]) * _MEDIA_OF_A_RUN + 1)
        # What a scenario begins from, whatever was changed before it.
        self.beginning = Beginning(settings=as_json(settings), accounts=seed, factor=self.clock.factor)
        self._tasks: set[asyncio.Task[None]] = set()
        self.requests = 0
        self._begin()

    def _begin(self) -> None:
        self.accounts = build(self._seed)
        self.ledger = Ledger()
        self.outcomes = Outcomes()
        self.rules = Rules(seed=self.settings.seed)
        self.media = MediaStore(self._media_ids)
        self.opted_out: set[tuple[str, str]] = set()
        self.marketing_times: dict[tuple[str, str], list[float]] = {}
        self.marketing_blocks: dict[tuple[str, str], float] = {}
        self.held: dict[str, list[Held]] = {}
        self.counters: Counter[str] = Counter()

    def reset(self, *, seed: int | None = None, accounts: dict[str, Any] | None = None) -> None:
        """Starts over with the accounts of the seed, or with others; settings and the clock stay as they are."""
        if seed is not None:
            self.settings.seed = seed
        if accounts is not None:
            self._seed = accounts
        self.agenda.clear()
        self.webhooks.forget(seed=self.settings.seed)
        self._begin()

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Keeps a task alive until it is done, or the simulator stops."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Ends everything that is planned or under way."""
        self.agenda.clear()
        for task in tuple(self._tasks):
            task.cancel()
        await self.webhooks.stop()

    def draws(self, subject: str) -> Draws:
        """Returns the random numbers of a subject."""
        return Draws(seed=self.settings.seed, subject=subject)

    def nonce(self, digest: bytes) -> bytes:
        """Returns ten bytes for a message id, unique in its first nine, also after a reset."""
        self._serial += 1
        return self.run[:3] + digest[-2:] + self._serial.to_bytes(4, "big") + digest[:1]

    def announce(
        self, message: Message, status: str, time: float, code: int = 0, *, next_time: float | None = None
    ) -> None:
        """Writes a status down and hands it to the webhook sender; the message's next one follows at `next_time`."""
        self.ledger.note(message, status, time)
        if code:
            self.counters[f"failed.{code}"] += 1
            message.number.waba.portfolio.give_back(message.person, message.index)
        self.webhooks.offer(
            Update(
                waba=message.number.waba,
                number=message.number,
                time=time,
                message=message,
                status=status,
                code=code,
            ),
            next_time=next_time,
        )
