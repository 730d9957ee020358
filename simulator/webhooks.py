"""Simulator, the sender of webhooks: batches updates, signs the bytes, delivers concurrently, tries again later."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter, deque
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from simulator.clock import Agenda, Clock
from simulator.draws import Draws
from simulator.settings import Webhooks
from simulator.webhook_bodies import Update, render, sign
from simulator.webhook_client import WebhookClient

_log = logging.getLogger("simulator.webhooks")
_USER_AGENT: Final = "facebookexternalua"
_LOG_ROWS: Final = 1000
_LAGS: Final = 4096
_PROBE_SECONDS: Final = 0.1
# Where each decision takes its random number.
_DUPLICATE, _DUPLICATE_BY, _REORDER, _REORDER_BY = range(4)


@dataclass(slots=True, eq=False)
class Delivery:
    """One POST to be made; the updates are kept instead of the bytes, which are made again for each attempt."""

    updates: list[Update]
    first_time: float
    attempts: int = 0


class WebhookSender:
    """Delivers updates to the callback of their WABA, else to the default one."""

    def __init__(
        self, *, clock: Clock, agenda: Agenda, settings: Webhooks, app_secret: str, url: str, seed: int
    ) -> None:
        self.url = url
        self.settings = settings
        self.client = WebhookClient(settings)
        self.counters: Counter[str] = Counter()
        self.log: deque[dict[str, Any]] = deque(maxlen=_LOG_ROWS)
        self.lags: deque[float] = deque(maxlen=_LAGS)
        self.last_body = b""
        self._secret = app_secret.encode()
        self._clock = clock
        self._agenda = agenda
        self._seed = seed
        self._events = 0
        self._random = random.Random(seed)
        self._pending: deque[Update] = deque()
        self._retries: deque[Delivery] = deque()
        self._waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._linger: asyncio.TimerHandle | None = None
        self._paused = False
        self._unanswered = False
        self._probe: asyncio.TimerHandle | None = None

    # what others call

    def offer(self, update: Update) -> None:
        """Announces an update, perhaps late and perhaps twice, as the rates say."""
        settings = self.settings
        if not settings.duplicate_rate and not settings.reorder_rate:
            self._enqueue(update)
            return
        draws = Draws(seed=self._seed, subject=self._subject(update))
        if draws.chance(_DUPLICATE, settings.duplicate_rate):
            self.counters["duplicated"] += 1
            self._later(update, draws.between(_DUPLICATE_BY, settings.duplicate_delay))
        if draws.chance(_REORDER, settings.reorder_rate):
            self.counters["reordered"] += 1
            self._later(update, draws.between(_REORDER_BY, settings.reorder_delay))
        else:
            self._enqueue(update)

    def pause(self, *, paused: bool) -> None:
        """Holds back every delivery, or lets them go."""
        self._paused = paused
        self._flush()

    def summary(self) -> dict[str, Any]:
        """Returns counts, what is still to be delivered, and the lag between event and delivery in real seconds."""
        return {
            "url": self.url,
            "paused": self._paused,
            "pending_updates": len(self._pending),
            "waiting_retries": self._waiting + len(self._retries),
            "in_flight": len(self._tasks),
            "undelivered": self.backlog,
            "lag_seconds": self.lag(),
            **{name: self.counters[name] for name in _COUNTED},
        }

    def lag(self) -> dict[str, float]:
        """Returns the real seconds between an event and its delivery: median, p99 and the most of the last ones."""
        lags = sorted(self.lags) or [0.0]
        places = {"median": len(lags) // 2, "p99": int(len(lags) * 0.99), "max": len(lags) - 1}
        return {name: round(lags[place], 4) for name, place in places.items()}

    @property
    def backlog(self) -> int:
        """The number of updates offered and neither delivered nor given up."""
        return self.counters["offered"] - self.counters["delivered"] - self.counters["dropped"]

    def forget(self, *, seed: int) -> None:
        """Drops everything undelivered and all counts, and starts its chance over."""
        self._seed, self._events = seed, 0
        self._random = random.Random(seed)
        for task in tuple(self._tasks):
            task.cancel()
        self._pending.clear()
        self._retries.clear()
        self._waiting = 0
        self.counters.clear()
        self.log.clear()
        self.lags.clear()
        self.last_body = b""

    async def stop(self) -> None:
        """Ends the deliveries in flight and closes the connections."""
        self.forget(seed=0)
        for timer in (self._linger, self._probe):
            if timer is not None:
                timer.cancel()
        await self.client.close()

    def headers_for(self, body: bytes) -> dict[str, str]:
        """Returns the headers of an honest delivery."""
        return {
            "Content-Type": "application/json",
            "User-Agent": _USER_AGENT,
            "X-Hub-Signature-256": sign(body, self._secret),
        }

    # how it is done

    def _subject(self, update: Update) -> str:
        """Names an update by what it is about, so that its luck does not depend on the order of arrival."""
        if update.message is not None:
            return f"{update.message.key}:{len(update.message.history)}"
        self._events += 1
        return f"{update.field}:{self._events}"

    def _url_of(self, update: Update) -> str:
        return update.waba.callback_url or self.url

    def _later(self, update: Update, delay: float) -> None:
        self._agenda.at(self._clock.now() + delay, lambda _: self._enqueue(update))

    def _enqueue(self, update: Update) -> None:
        if not self._url_of(update) or not update.waba.subscribed:
            self.counters["unsubscribed"] += 1
            return
        self.counters["offered"] += 1
        self._pending.append(update)
        if self.backlog > self.settings.backlog_limit and len(self._pending) > 1:
            self._pending.popleft()
            self.counters["dropped"] += 1
        if len(self._pending) >= self.settings.batch_max:
            self._flush()
        elif self._linger is None:
            self._linger = asyncio.get_running_loop().call_later(self.settings.linger, self._linger_over)

    def _linger_over(self) -> None:
        self._linger = None
        self._flush()

    def _flush(self) -> None:
        while not self._paused and len(self._tasks) < self._slots():
            delivery = self._retries.popleft() if self._retries else self._next_batch()
            if delivery is None:
                return
            task = asyncio.ensure_future(self._deliver(delivery))
            self._tasks.add(task)
            task.add_done_callback(self._delivered)

    def _slots(self) -> int:
        """Returns how many deliveries may be under way: while nobody answers, one probe every tenth of a second."""
        if not self._unanswered:
            return self.settings.concurrency
        return 0 if self._probe is not None else 1

    def _probe_later(self) -> None:
        if self._probe is None:
            self._probe = asyncio.get_running_loop().call_later(_PROBE_SECONDS, self._probe_now)

    def _probe_now(self) -> None:
        self._probe = None
        self._flush()

    def _delivered(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a delivery failed inside the simulator", exc_info=error)
        self._flush()

    def _next_batch(self) -> Delivery | None:
        pending = self._pending
        if not pending:
            return None
        size = self.settings.batch_max
        if self.settings.batch_random:
            size = self._random.randint(1, size)
        url = self._url_of(pending[0])
        updates = [pending.popleft()]
        while pending and len(updates) < size and self._url_of(pending[0]) == url:
            updates.append(pending.popleft())
        return Delivery(updates=updates, first_time=self._clock.now())

    async def _deliver(self, delivery: Delivery) -> None:
        body = render(delivery.updates, self.settings)
        delivery.attempts += 1
        self.counters["posts"] += 1
        self.counters["retries"] += delivery.attempts > 1
        started = self._clock.real()
        status, _ = await self.client.post(
            url=self._url_of(delivery.updates[0]), body=body, headers=self.headers_for(body)
        )
        took = self._clock.real() - started
        self._note(delivery, status, len(body), took)
        self._unanswered = status == 0
        if self._unanswered:
            self._probe_later()
        if status == HTTPStatus.OK:
            self.last_body = body
            self.counters["delivered"] += len(delivery.updates)
            factor = self._clock.factor or 1.0
            self.lags.append(max(0.0, (self._clock.now() - delivery.updates[0].time) / factor))
        else:
            self.counters["failed_posts"] += 1
            self._retry(delivery)

    def _retry(self, delivery: Delivery) -> None:
        delays = self.settings.retry_delays
        now = self._clock.now()
        if not delays or now - delivery.first_time > self.settings.give_up_after:
            self.counters["dropped"] += len(delivery.updates)
            return
        self._waiting += 1
        delay = delays[min(delivery.attempts, len(delays)) - 1]
        self._agenda.at(now + delay, lambda _: self._retry_now(delivery))

    def _retry_now(self, delivery: Delivery) -> None:
        self._waiting -= 1
        self._retries.append(delivery)
        self._flush()

    def _note(self, delivery: Delivery, status: int, size: int, took: float) -> None:
        self.log.append(
            {
                "time": round(self._clock.now(), 3),
                "updates": len(delivery.updates),
                "bytes": size,
                "attempt": delivery.attempts,
                "http": status,
                "seconds": round(took, 4),
            }
        )


_COUNTED: Final = (
    "offered",
    "delivered",
    "dropped",
    "unsubscribed",
    "posts",
    "failed_posts",
    "retries",
    "duplicated",
    "reordered",
)
