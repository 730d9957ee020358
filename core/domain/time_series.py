"""Numbers over time: buckets of a minute or an hour, none left out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from core.domain.errors import InvalidArgument, Violation

MOST_BUCKETS: Final = 1500
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT: Final = timedelta(microseconds=1)


class Bucket(StrEnum):
    """Says how wide a bucket is; hours are hours of UTC."""

    MINUTE = "MINUTE"
    HOUR = "HOUR"

    @property
    def width(self) -> timedelta:
        """The time a bucket spans."""
        return timedelta(minutes=1) if self is Bucket.MINUTE else timedelta(hours=1)

    @property
    def default_count(self) -> int:
        """How many buckets are shown when nobody says how many."""
        return 60 if self is Bucket.MINUTE else 48


class Milestone(StrEnum):
    """Names a step of a message that is counted by its own time."""

    ACCEPTED = "ACCEPTED"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    READ = "READ"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Selects the buckets from ``start_time`` (a bucket's first moment) to before ``end_time``."""

    bucket: Bucket
    start_time: datetime
    end_time: datetime

    def starts(self) -> list[datetime]:
        """Returns the first moment of each bucket, in order."""
        return [self.start_time + self.bucket.width * number for number in range(self.count)]

    @property
    def count(self) -> int:
        """How many buckets there are; one that is cut off by the end counts."""
        return -((self.start_time - self.end_time) // self.bucket.width)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Counts the messages that reached each milestone in one bucket."""

    start_time: datetime
    counts: Mapping[Milestone, int]


def choose_span(bucket: Bucket, *, start: datetime | None, end: datetime | None, now: datetime) -> Span:
    """Returns the buckets meant; refuses with ``TIME_RANGE_INVALID`` what ends before it starts, or is too long."""
    until = end or now
    try:
        first = _cut(start, bucket) if start is not None else _before(until, bucket)
    except OverflowError:
        raise _refuse_range() from None
    span = Span(bucket=bucket, start_time=first, end_time=until)
    if until <= (start or first) or span.count > MOST_BUCKETS:
        raise _refuse_range()
    return span


def fill(span: Span, counted: Mapping[datetime, Mapping[Milestone, int]]) -> list[Point]:
    """Returns a point for every bucket, in order; where nothing was counted it is empty."""
    return [Point(start_time=start, counts=counted.get(start, {})) for start in span.starts()]


def _cut(moment: datetime, bucket: Bucket) -> datetime:
    return moment - (moment - _EPOCH) % bucket.width


def _before(end: datetime, bucket: Bucket) -> datetime:
    return _cut(end - _INSTANT, bucket) - bucket.width * (bucket.default_count - 1)


def _refuse_range() -> InvalidArgument:
    text = f"The end lies after the start, and at most {MOST_BUCKETS} buckets lie between them."
    violation = Violation(field="end_time", description=text, reason="TIME_RANGE_INVALID")
    return InvalidArgument("TIME_RANGE_INVALID", text, violations=[violation])
