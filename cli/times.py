"""Times as people type and read them, in UTC."""

from datetime import UTC, datetime
from typing import Final

import typer
from typer.models import OptionInfo

_DAY: Final = "%Y-%m-%d"
_MOMENTS: Final = (f"{_DAY}T%H:%M", f"{_DAY}T%H:%M:%S", f"{_DAY}T%H:%M%z", f"{_DAY}T%H:%M:%S%z")


def time_option(text: str, *, takes_day: bool = True) -> OptionInfo:
    """Returns an option for a time, with an offset or without; also for a day that begins then, if it may be one."""
    formats = [_DAY, *_MOMENTS] if takes_day else [*_MOMENTS]
    made: OptionInfo = typer.Option(
        formats=formats, metavar="time", help=f"{text} Such as 2026-03-01T10:00; without an offset, in UTC."
    )
    return made


def as_utc(moment: datetime | None) -> datetime | None:
    """Returns what was typed with its offset, or else as UTC; None when there was nothing."""
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def in_utc(moment: object) -> str:
    """Returns a time as people read it, empty when there is none."""
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"
