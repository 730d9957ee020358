"""Moments on the wire: aware datetimes to Timestamp and back."""

from datetime import UTC, datetime
from typing import overload

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from core.domain.errors import InvalidArgument, Violation


@overload
def timestamp(moment: datetime) -> Timestamp: ...
@overload
def timestamp(moment: None) -> None: ...
@overload
def timestamp(moment: datetime | None) -> Timestamp | None: ...
def timestamp(moment: datetime | None) -> Timestamp | None:
    """Writes a moment; none stays none, which leaves a field unset."""
    if moment is None:
        return None
    written = Timestamp()
    written.FromDatetime(moment)
    return written


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
