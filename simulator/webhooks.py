"""Simulator, the sender of webhooks: batches updates, signs the bytes, delivers concurrently, tries again later."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter, deque
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from simulator.clock import Agenda, Clock
from simulator.draws import Draws
from simulator.settings import Webhooks
from simulator.webhook_bodies import Update, render, sign
from simulator.webhook_client import WebhookClient
from simulator.webhook_lanes import Delivery, Lane

_log = logging.getLogger("simulator.webhooks")
_USER_AGENT: Final = "facebookexternalua"
_LOG_ROWS: Final = 1000
_LAGS: Final = 4096
_PROBE_SECONDS: Final = 0.1
# Where each decision takes its random number.
_DUPLICATE, _DUPLICATE_BY, _REORDER, _REORDER_BY = range(4)


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
        # By the callback a WABA has of its own; empty for the default one, wherever that is.
        self._lanes: dict[str, Lane] = {}
        self._waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._linger: asyncio.TimerHandle | None = None
        self._paused = False

    # what others call

    def offer(self, update: Update, *, next_time: float | None = None) -> None:
        """Announces an update, by the rates twice, or after the one that follows at `next_time`."""
        settings = self.settings
        if not settings.duplicate_rate and not settings.reorder_rate:
            self._enqueue(update)
            return
        draws = Draws(seed=self._seed, subject=self._subject(update))
        if draws.chance(_DUPLICATE, settings.duplicate_rate):
            self.counters["duplicated"] += 1
            self._later(update, draws.between(_DUPLICATE_BY, settings.duplicate_delay))
        if draws.chance(_REORDER, settings.reorder_rate):
            # The last status of a message is late as well, but has none of its own that could overtake it.
            self.counters["reordered"] += update.message is None or next_time is not None
            self._later(update, draws.between(_REORDER_BY, settings.reorder_delay), after=next_time)
        else:
            self._enqueue(update)

    def pause(self, *, paused: bool) -> None:
        """Holds back every delivery, or lets them go."""
        self._paused = paused
        self._flush_all()

    def summary(self) -> dict[str, Any]:
        """Returns counts, what is still to be delivered, and the lag between event and delivery in real seconds."""
        return {
            "url": self.url,
            "paused": self._paused,
            "pending_updates": sum(len(lane.pending) for lane in self._lanes.values()),
            "waiting_retries": self._waiting + sum(len(lane.retries) for lane in self._lanes.values()),
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
        for lane in self._lanes.values():
            lane.forget()
        self._waiting = 0
        self.counters.clear()
        self.log.clear()
        self.lags.clear()
        self.last_body = b""

    async def stop(self) -> None:
        """Ends the deliveries in flight and closes the connections."""
        self.forget(seed=0)
        for lane in self._lanes.values():
            lane.stop()
        if self._linger is not None:
            self._linger.cancel()
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

    def _later(self, update: Update, delay: float, *, after: float | None = None) -> None:
        start = self._clock.now() if after is None else after
        self._agenda.at(start + delay, lambda _: self._enqueue(update))

    def _enqueue(self, update: Update) -> None:
        if not self._url_of(update) or not update.waba.subscribed:
            self.counters["unsubscribed"] += 1
            return
        self.counters["offered"] += 1
        lane = self._lane_of(update)
        lane.pending.append(update)
        if self.backlog > self.settings.backlog_limit:
            self._drop_oldest()
        if len(lane.pending) >= self.settings.batch_max:
            self._flush(lane)
        elif self._linger is None:
            self._linger = asyncio.get_running_loop().call_later(self.settings.linger, self._linger_over)

    def _lane_of(self, update: Update) -> Lane:
        own = update.waba.callback_url
        lane = self._lanes.get(own)
        if lane is None:
            lane = self._lanes[own] = Lane()
        return lane

    def _drop_oldest(self) -> None:
        """Drops the oldest update of the callback for which most are waiting."""
        pending = max((lane.pending for lane in self._lanes.values()), key=len)
        if len(pending) > 1:
            pending.popleft()
            self.counters["dropped"] += 1

    def _linger_over(self) -> None:
        self._linger = None
        self._flush_all()

    def _flush_all(self) -> None:
        for lane in tuple(self._lanes.values()):
            self._flush(lane)

    def _flush(self, lane: Lane) -> None:
        while not self._paused and lane.has_room(self.settings.concurrency):
            delivery = lane.retries.popleft() if lane.retries else self._next_batch(lane.pending)
            if delivery is None:
                return
            lane.under_way += 1
            task = asyncio.ensure_future(self._deliver(lane, delivery))
            self._tasks.add(task)
            task.add_done_callback(partial(self._delivered, lane))

    def _probe_later(self, lane: Lane) -> None:
        if lane.probe is None:
            lane.probe = asyncio.get_running_loop().call_later(_PROBE_SECONDS, self._probe_now, lane)

    def _probe_now(self, lane: Lane) -> None:
        lane.probe = None
        self._flush(lane)

    def _delivered(self, lane: Lane, task: asyncio.Task[None]) -> None:
        lane.under_way -= 1
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a delivery failed inside the simulator", exc_info=error)
        self._flush(lane)

    def _next_batch(self, pending: deque[Update]) -> Delivery | None:
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

    async def _deliver(self, lane: Lane, delivery: Delivery) -> None:
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
        lane.unanswered = status == 0
        if lane.unanswered:
            self._probe_later(lane)
        if status == HTTPStatus.OK:
            self.last_body = body
            self.counters["delivered"] += len(delivery.updates)
            factor = self._clock.factor or 1.0
            self.lags.append(max(0.0, (self._clock.now() - delivery.updates[0].time) / factor))
        else:
            self.counters["failed_posts"] += 1
            self._retry(lane, delivery)

    def _retry(self, lane: Lane, delivery: Delivery) -> None:
        delays = self.settings.retry_delays
        now = self._clock.now()
        if not delays or now - delivery.first_time > self.settings.give_up_after:
            self.counters["dropped"] += len(delivery.updates)
            return
        self._waiting += 1
        delay = delays[min(delivery.attempts, len(delays)) - 1]
        self._agenda.at(now + delay, lambda _: self._retry_now(lane, delivery))

    def _retry_now(self, lane: Lane, delivery: Delivery) -> None:
        self._waiting -= 1
        lane.retries.append(delivery)
        self._flush(lane)

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
