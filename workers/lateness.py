"""How late WhatsApp's first words of messages come: later than the grace, silence about a message proves nothing."""

import logging
from collections.abc import Sequence
from typing import Final

from core.clock import Clock
from core.metrics import SendingMetrics

_log = logging.getLogger(__name__)

_SAID_EVERY_SECONDS: Final = 60.0


class Lateness:
    """Measures first receipts against the grace (seconds), and says once a minute at most that it is too short."""

    def __init__(self, *, clock: Clock, metrics: SendingMetrics, grace_seconds: float) -> None:
        self._clock = clock
        self._metrics = metrics
        self._grace_seconds = grace_seconds
        self._late_count = 0
        self._latest_seconds = 0.0
        self._said_at: float | None = None

    def heard(self, delays: Sequence[float]) -> None:
        """Notes how many seconds after WhatsApp's answers it was first heard of some messages."""
        late = [seconds for seconds in delays if seconds > self._grace_seconds]
        self._metrics.first_heard(delays, late_count=len(late))
        if late:
            self._late_count += len(late)
            self._latest_seconds = max(self._latest_seconds, *late)
            self._say()

    def _say(self) -> None:
        now = self._clock.monotonic()
        if self._said_at is not None and now - self._said_at < _SAID_EVERY_SECONDS:
            return
        facts = {
            "count": self._late_count,
            "seconds": round(self._latest_seconds),
            "grace_seconds": self._grace_seconds,
        }
        _log.warning("receipts come later than the grace: messages in doubt may be sent twice", extra=facts)
        self._late_count, self._latest_seconds, self._said_at = 0, 0.0, now
