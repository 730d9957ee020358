"""A range of time holds exactly the ids made in it, to the millisecond."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from core.domain.time_ranges import ANY_TIME, NEWEST, OLDEST, TimeRange, first_id

_MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  # made aware by the strategy
_RANDOM_BITS = 80


def _cut(moment: datetime) -> datetime:
    return moment - timedelta(microseconds=moment.microsecond % 1000)


def _id(made: datetime, random: int) -> UUID:
    """Makes an id as PostgreSQL does: 48 bits of milliseconds, then version, variant and chance."""
    milliseconds = (made - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return UUID(int=milliseconds << _RANDOM_BITS | 7 << 76 | 2 << 62 | random)


@given(_MOMENTS, _MOMENTS, _MOMENTS, st.integers(0, 2**62 - 1))
def test_an_id_is_in_a_range_as_its_moment_is(start: datetime, end: datetime, made: datetime, random: int) -> None:
    asked, found = TimeRange(start=start, end=end), _id(made, random)
    assert (asked.first_id <= found < asked.end_id) == (_cut(start) <= _cut(made) < _cut(end))
    assert asked.first_id != found


@given(_MOMENTS, _MOMENTS, st.integers(0, 2**62 - 1))
def test_of_two_ranges_that_meet_exactly_one_holds_an_id(border: datetime, made: datetime, random: int) -> None:
    before, after, found = TimeRange(end=border), TimeRange(start=border), _id(made, random)
    assert (before.first_id <= found < before.end_id) != (after.first_id <= found < after.end_id)


def test_without_bounds_every_id_is_in_it() -> None:
    assert ANY_TIME.is_open
    assert (ANY_TIME.first_id, ANY_TIME.end_id) == (OLDEST, NEWEST)
    assert not TimeRange(start=datetime(2026, 1, 1, tzinfo=UTC)).is_open


def test_before_1970_no_id_was_made() -> None:
    assert first_id(datetime(1, 1, 1, tzinfo=UTC)) == OLDEST
