"""A place on the terminal that shows the newest picture; where there is no terminal, a line now and then."""

from types import TracebackType
from typing import Self

from chappe_client import v1
from rich.live import Live

from cli.output import console, say
from cli.picture import line, picture
from core.clock import Clock

_SECONDS_BETWEEN_LINES = 5.0


class Display:
    """Shows how a campaign goes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._live = Live(console=console, refresh_per_second=4) if console.is_terminal else None
        self._next_line = 0.0
        self._seen: v1.WatchCampaignResponse | None = None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leaves the last picture standing."""
        if self._live is not None:
            self._live.stop()
        elif self._seen is not None:
            say(line(self._seen))

    def show(self, seen: v1.WatchCampaignResponse) -> None:
        """Shows one moment."""
        self._seen = seen
        if self._live is not None:
            self._live.update(picture(seen))
        elif self._clock.monotonic() >= self._next_line:
            self._next_line = self._clock.monotonic() + _SECONDS_BETWEEN_LINES
            say(line(seen))
