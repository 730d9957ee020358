"""Times as people type them."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from cli.times import as_utc, time_option

AT_TEN = datetime(2026, 3, 1, 10, tzinfo=UTC)
MIDNIGHT = AT_TEN - timedelta(hours=10)


def read(typed: str, *, takes_day: bool = True) -> datetime | None:
    app, seen = typer.Typer(), []

    @app.command()
    def look(at: Annotated[datetime | None, time_option("Then.", takes_day=takes_day)] = None) -> None:
        seen.append(as_utc(at))

    CliRunner().invoke(app, ["--at", typed])
    return seen[0] if seen else None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-03-01", MIDNIGHT),
        ("2026-03-01T10:00", AT_TEN),
        ("2026-03-01T10:00:00", AT_TEN),
        ("2026-03-01T10:00Z", AT_TEN),
        ("2026-03-01T11:00:00+01:00", AT_TEN),
        ("yesterday", None),
    ],
)
def test_a_time_is_read_with_its_offset_or_in_utc(typed: str, meant: datetime | None) -> None:
    assert read(typed) == meant


def test_a_day_is_no_moment_to_start_at() -> None:
    assert (read("2026-03-01", takes_day=False), read("2026-03-01T10:00", takes_day=False)) == (None, AT_TEN)
