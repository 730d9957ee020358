"""The bell on NATS JetStream: Taskiq's own broker, on a stream whose kind is checked, replaced when it fails."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial

from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NoStreamResponseError
from taskiq import AckableMessage, AsyncBroker, BrokerMessage
from taskiq.utils import maybe_awaitable
from taskiq_nats import PullBasedJetStreamBroker

from core.cancellation import end, was_cancelled
from core.leaving import leave
from core.queue.listening import MAX_DELIVERIES, MAX_LENGTH, Backoff, acknowledgement, tell_unheard
from core.settings import SettingsError, single_urls

_log = logging.getLogger(__name__)

CONSUMER = "workers"
_MAX_AGE_SECONDS = 3600.0
# Longer than a pump's run: what takes longer still rings once more, and finds the lease taken.
_ACK_SECONDS = 30.0
# A request for a ring dies with the connection, so it must end by itself and be made again.
_FETCH_SECONDS = 1.0
_RECONNECT_SECONDS = 0.5
_EXAMINE_SECONDS = 2.0
_FAULTS = (NatsError, OSError, TimeoutError)


class ForeignStreamError(SettingsError):
    """A stream of our name exists and is of another kind."""


class JetStreamBell(AsyncBroker):
    """Rings and hears one stream; the server may go away, lose everything and come back meanwhile."""

    def __init__(
        self,
        *,
        servers: list[str],
        stream: str,
        luck: Callable[[], float],
        ack_seconds: float = _ACK_SECONDS,
        max_length: int = MAX_LENGTH,
    ) -> None:
        """Takes addresses, the stream, a source of numbers in [0, 1), and when an unanswered ring rings again."""
        super().__init__()
        self._servers = servers
        self._stream = stream
        self._backoff = Backoff(luck)
        self._ack_seconds = ack_seconds
        self._max_length = max_length
        self._starting: asyncio.Task[PullBasedJetStreamBroker] | None = None
        self._fault = ""

    async def kick(self, message: BrokerMessage) -> None:
        """Rings; raises when NATS is away."""
        broker = await self._broker()
        try:
            await broker.kick(message)
        except NoStreamResponseError:
            # The server has lost the stream: it is made again with the broker.
            await self._give_up(broker)
            await (await self._broker()).kick(message)

    async def listen(self) -> AsyncGenerator[AckableMessage, None]:
        """Yields rings for ever."""
        while True:
            try:
                async with aclosing(self._hear()) as rings:
                    async for ring in rings:
                        self._backoff.reset()
                        yield ring
            except (*_FAULTS, ForeignStreamError) as error:
                tell_unheard(error)
            if was_cancelled():
                return
            await self._backoff.wait()

    async def shutdown(self) -> None:
        """Closes the connection."""
        starting, self._starting = self._starting, None
        if starting is not None:
            await end(starting)
            if (broker := _result(starting)) is not None:
                await leave(broker.shutdown())
        await super().shutdown()

    async def examine(self) -> None:
        """Raises ForeignStreamError, and ConnectionError when nobody answers in time."""
        try:
            async with asyncio.timeout(_EXAMINE_SECONDS):
                await self._broker()
        except _FAULTS as error:
            raise ConnectionError(f"NATS does not answer: {self._fault or type(error).__name__}") from error

    async def _hear(self) -> AsyncGenerator[AckableMessage, None]:
        broker = await self._broker()
        try:
            async with aclosing(broker.listen()) as rings:
                async for ring in rings:
                    yield AckableMessage(data=ring.data, ack=acknowledgement(partial(_answer, ring), faults=_FAULTS))
        except _FAULTS:
            await self._give_up(broker)
            raise
        finally:
            await _give_back(broker.consumer)

    async def _broker(self) -> PullBasedJetStreamBroker:
        """Returns the broker of this moment; whoever stops waiting for it leaves it to be found by the next."""
        if self._starting is None or _is_over(self._starting):
            self._starting = asyncio.create_task(self._start())
        return await asyncio.shield(self._starting)

    async def _start(self) -> PullBasedJetStreamBroker:
        broker = self._stock_broker()
        try:
            await broker.startup()
            await _refuse_foreign(broker.js, broker.stream_config)
        except BaseException:
            await leave(broker.shutdown())
            raise
        return broker

    async def _give_up(self, broker: PullBasedJetStreamBroker) -> None:
        if self._starting is not None and self._starting.done() and _result(self._starting) is broker:
            self._starting = None
        await leave(broker.shutdown())

    def _stock_broker(self) -> PullBasedJetStreamBroker:
        subject = self._stream.replace(":", ".")
        return PullBasedJetStreamBroker(
            self._servers,
            subject=subject,
            durable=CONSUMER,
            stream_config=_stream_config(self._stream, subject, self._max_length),
            consumer_config=ConsumerConfig(
                durable_name=CONSUMER, filter_subject=subject, ack_wait=self._ack_seconds, max_deliver=MAX_DELIVERIES
            ),
            pull_consume_batch=1,
            pull_consume_timeout=_FETCH_SECONDS,
            error_cb=self._note,
            max_reconnect_attempts=-1,
            reconnect_time_wait=_RECONNECT_SECONDS,
        )

    async def _note(self, error: Exception) -> None:
        self._fault = type(error).__name__
        _log.debug("NATS is away", extra={"error": self._fault})


class JetStreamBells:
    """Opens bells on NATS JetStream; nothing is asked before the first ring."""

    def __init__(self, url: str) -> None:
        """Takes the address of a server, or of several of one cluster, separated by commas."""
        self._servers = single_urls(url)
        self._bells: list[JetStreamBell] = []

    def ringer(self, stream: str) -> JetStreamBell:
        """Returns a bell that is only rung."""
        return self.listener(stream, name="", luck=lambda: 0.0)

    def listener(
        self,
        stream: str,
        *,
        name: str,
        luck: Callable[[], float],
        patience_seconds: float = _ACK_SECONDS,
        max_length: int = MAX_LENGTH,
    ) -> JetStreamBell:
        """Returns a bell that is heard as well; an unanswered ring rings again after that patience."""
        del name  # all listeners are one consumer here
        bell = JetStreamBell(
            servers=self._servers, stream=stream, luck=luck, ack_seconds=patience_seconds, max_length=max_length
        )
        self._bells.append(bell)
        return bell

    async def examine(self) -> str:
        """Says what answers; raises ForeignStreamError, and ConnectionError when nobody does."""
        for bell in self._bells:
            await bell.examine()
        return "NATS JetStream, work queues"

    async def close(self) -> None:
        """Closes the connections."""
        for bell in self._bells:
            await bell.shutdown()


def stream_name(stream: str) -> str:
    """Returns what a stream of ours is called in NATS."""
    return "chappe_" + stream.replace(":", "_")


def _stream_config(stream: str, subject: str, max_length: int) -> StreamConfig:
    return StreamConfig(
        name=stream_name(stream),
        subjects=[subject],
        # An answered ring is deleted; of too many the oldest go, and none outlives its use.
        retention=RetentionPolicy.WORK_QUEUE,
        discard=DiscardPolicy.OLD,
        max_msgs=max_length,
        max_age=_MAX_AGE_SECONDS,
        storage=StorageType.FILE,
    )


async def _refuse_foreign(js: JetStreamContext, expected: StreamConfig) -> None:
    """Limits and replicas are the operator's to choose; what a ring relies on is not."""
    found = (await js.stream_info(str(expected.name))).config
    for name in ("retention", "discard", "subjects"):
        if getattr(found, name) != getattr(expected, name):
            raise ForeignStreamError(f"the stream {expected.name} exists in NATS with another {name}: delete it")


async def _answer(ring: AckableMessage) -> None:
    await maybe_awaitable(ring.ack())


async def _give_back(consumer: JetStreamContext.PullSubscription) -> None:
    """Lets others have what arrived after the last look; what is still on its way waits for its time to be over."""
    with contextlib.suppress(*_FAULTS):
        await consumer.unsubscribe()
        while consumer.pending_msgs:
            for message in await consumer.fetch(batch=1, timeout=_FETCH_SECONDS):
                await message.nak()


def _is_over(starting: asyncio.Task[PullBasedJetStreamBroker]) -> bool:
    broker = _result(starting) if starting.done() else None
    return starting.done() and (broker is None or broker.client.is_closed)


def _result(started: asyncio.Task[PullBasedJetStreamBroker]) -> PullBasedJetStreamBroker | None:
    return None if started.cancelled() or started.exception() is not None else started.result()
