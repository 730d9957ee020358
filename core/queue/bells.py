"""The bells at the queue's address: our own broker on Redis streams, or Taskiq's own on NATS JetStream."""

from collections.abc import Callable
from typing import Protocol

from taskiq import AsyncBroker

from core.queue.doorbell import RedisBells
from core.settings import SettingsError, is_nats


class Bells(Protocol):
    """Opens bells of one kind, by the name of their stream."""

    def ringer(self, stream: str) -> AsyncBroker:
        """Returns a bell that is only rung."""

    def listener(self, stream: str, *, name: str, luck: Callable[[], float]) -> AsyncBroker:
        """Returns a bell that is heard as well, by a process of that name."""

    async def examine(self) -> str:
        """Says what answers; raises SettingsError when it would lose rings, ConnectionError when nobody answers."""

    async def close(self) -> None:
        """Closes the connections."""


def open_bells(url: str) -> Bells:
    """Returns the bells at an address; raises SettingsError when what they need is not installed."""
    if not is_nats(url):
        return RedisBells(url)
    try:
        from core.queue.jetstream import JetStreamBells  # noqa: PLC0415  # only who uses NATS has to have it
    except ModuleNotFoundError as error:
        raise SettingsError("CHAPPE_QUEUE_URL names NATS, which is an extra: pip install 'chappe[nats]'") from error
    return JetStreamBells(url)
