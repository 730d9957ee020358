"""Whether a process lives and is ready: how late its loop is, and what answers of all it stands on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from core.clock import Clock

_log = logging.getLogger(__name__)

_BEAT_SECONDS: Final = 0.25
_LATEST_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 2.0

# Raises, or does not return in time, when what it asks is away.
Check = Callable[[], Awaitable[object]]


class LoopLag:
    """Measures four times a second how late this process's loop comes; use as an async context manager."""

    def __init__(self, *, clock: Clock, observe: Callable[[float], None]) -> None:
        """Takes what is told each lag, in seconds."""
        self._clock = clock
        self._observe = observe
        self._task: asyncio.Task[None] | None = None
        self.seconds = 0.0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def is_alive(self) -> bool:
        """Whether the loop came round in time when it was last measured."""
        return self.seconds < _LATEST_SECONDS

    async def _run(self) -> None:
        while True:
            due = self._clock.monotonic() + _BEAT_SECONDS
            await asyncio.sleep(_BEAT_SECONDS)  # noqa: TID251  # cancelled when the process ends
            self.seconds = max(0.0, self._clock.monotonic() - due)
            self._observe(self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Says what is away: without one of the needed, or while it drains, a process is not ready."""

    draining: bool
    missing: tuple[str, ...]
    degraded: tuple[str, ...]

    @property
    def is_ready(self) -> bool:
        """Whether calls may come."""
        return not self.draining and not self.missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Asks what a process cannot do without (`needed`), and what it only does worse without (`wanted`), by name."""

    needed: Mapping[str, Check]
    wanted: Mapping[str, Check] = field(default_factory=dict)
    is_draining: Callable[[], bool] = lambda: False

    async def look(self) -> Report:
        """Asks all at once, each for two seconds at most."""
        checks = {**self.needed, **self.wanted}
        answers = await asyncio.gather(*(_answers(name, check) for name, check in checks.items()))
        away = [name for name, answered in zip(checks, answers, strict=True) if not answered]
        return Report(
            draining=self.is_draining(),
            missing=tuple(name for name in away if name in self.needed),
            degraded=tuple(name for name in away if name not in self.needed),
        )


async def _answers(name: str, check: Check) -> bool:
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            await check()
    except Exception as error:  # whatever it is, it does not answer as it should
        _log.info("something is away", extra={"what": name, "error": type(error).__name__})
        return False
    return True
