"""Moments survive the wire to the microsecond."""

from datetime import UTC, datetime

import pytest
from chappe.v1 import contacts_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from core.domain.errors import InvalidArgument
from server.wire.times import read_field_time, read_time, timestamp


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_comes_back(moment: datetime) -> None:
    assert read_time(timestamp(moment)) == moment


def test_no_moment_leaves_the_field_unset() -> None:
    contact = contacts_pb2.Contact(create_time=timestamp(None))
    assert read_field_time(contact, "create_time") is None
    assert read_field_time(contacts_pb2.Contact(create_time=Timestamp(seconds=1)), "create_time") is not None


@pytest.mark.parametrize("odd", [Timestamp(seconds=-(10**12)), Timestamp(seconds=10**12), Timestamp(nanos=-5)])
def test_a_time_beyond_the_calendar_is_refused(odd: Timestamp) -> None:
    with pytest.raises(InvalidArgument) as refused:
        read_time(odd)
    assert refused.value.reason == "TIME_INVALID"
