"""Moments on the wire: aware datetimes to Timestamp and back."""

from datetime import UTC, datetime
from typing import Final, TypeAlias, overload

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from core.domain.errors import InvalidArgument, Violation
from core.domain.time_ranges import TimeRange
from server.wire.repeated import Repeated

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_PER_DAY: Final = 86_400

RepeatedMoments: TypeAlias = Repeated[datetime, dict[str, int]]


@overload
def timestamp(moment: datetime) -> Timestamp: ...
@overload
def timestamp(moment: None) -> None: ...
@overload
def timestamp(moment: datetime | None) -> Timestamp | None: ...
def timestamp(moment: datetime | None) -> Timestamp | None:
    """Writes a moment; none stays none, which leaves a field unset."""
    return None if moment is None else Timestamp(**timestamp_fields(moment))


@overload
def timestamp_fields(moment: datetime) -> dict[str, int]: ...
@overload
def timestamp_fields(moment: datetime | None) -> dict[str, int] | None: ...
def timestamp_fields(moment: datetime | None) -> dict[str, int] | None:
    """Writes a moment as the fields of a Timestamp, for a message that is built from mappings; none stays none."""
    if moment is None:
        return None
    # A page of messages holds thousands of moments, and FromDatetime takes three times as long.
    since = moment - _EPOCH
    return {
        "seconds": since.days * _SECONDS_PER_DAY + since.seconds,
        "nanos": since.microseconds * 1000,
    }


def repeated() -> RepeatedMoments:
    """Returns what writes the moments of many rows like ``timestamp_fields``."""
    return Repeated(timestamp_fields)


def read_time(written: Timestamp) -> datetime:
    """Reads a moment in UTC, to the microsecond; refuses what no calendar holds with ``TIME_INVALID``."""
    try:
        return written.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        description = "A time lies between the years 1 and 9999."
        violation = Violation(field="", description=description, reason="TIME_INVALID")
        raise InvalidArgument("TIME_INVALID", description, violations=[violation]) from None


def read_field_time(message: Message, field: str) -> datetime | None:
    """Reads a field's moment; none when the field is not set."""
    return read_time(getattr(message, field)) if message.HasField(field) else None


def read_range(request: Message) -> TimeRange:
    """Reads the time a list is asked for from start_time and end_time; what is not set has no bound."""
    return TimeRange(start=read_field_time(request, "start_time"), end=read_field_time(request, "end_time"))
