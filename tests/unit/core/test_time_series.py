"""Buckets: none missing, none twice, whatever the range."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.errors import InvalidArgument
from core.domain.time_series import MOST_BUCKETS, Bucket, Milestone, choose_span, fill

NOW = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
MOMENTS = st.integers(0, 10**15).map(lambda microseconds: NOW + timedelta(microseconds=microseconds))


@pytest.mark.parametrize("bucket", Bucket)
def test_without_a_range_the_last_buckets_end_with_the_present_one(bucket: Bucket) -> None:
    span = choose_span(bucket, start=None, end=None, now=NOW)
    starts = span.starts()
    assert len(starts) == bucket.default_count
    assert starts[-1] <= NOW < starts[-1] + bucket.width


@given(bucket=st.sampled_from(Bucket), start=MOMENTS, minutes=st.floats(0.01, 1400 * 60))
def test_buckets_cover_the_range_without_gap_or_overlap(bucket: Bucket, start: datetime, minutes: float) -> None:
    end = start + timedelta(minutes=minutes)
    if (end - start) / bucket.width > MOST_BUCKETS - 2:
        return
    starts = choose_span(bucket, start=start, end=end, now=NOW).starts()
    assert starts[0] <= start < starts[0] + bucket.width
    assert starts[-1] < end <= starts[-1] + bucket.width
    assert starts == [starts[0] + bucket.width * number for number in range(len(starts))]
    assert all(not (each.second or each.microsecond) for each in starts)


def test_what_was_counted_nowhere_is_an_empty_bucket() -> None:
    span = choose_span(Bucket.MINUTE, start=NOW - timedelta(minutes=2), end=NOW, now=NOW)
    second = span.starts()[1]
    points = fill(span, {second: {Milestone.READ: 4}})
    assert [point.counts.get(Milestone.READ, 0) for point in points] == [0, 4, 0]


@pytest.mark.parametrize(
    ("start", "end"), [(NOW, NOW), (NOW, NOW - timedelta(hours=1)), (NOW - timedelta(days=2), NOW)]
)
def test_an_empty_or_endless_range_is_refused(start: datetime, end: datetime) -> None:
    with pytest.raises(InvalidArgument) as refused:
        choose_span(Bucket.MINUTE, start=start, end=end, now=NOW)
    assert refused.value.reason == "TIME_RANGE_INVALID"
