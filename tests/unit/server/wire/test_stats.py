"""Numbers on the wire: every state is there, sums hold, every failure says what it means."""

from datetime import UTC, datetime
from uuid import UUID

from chappe.v1 import messages_pb2, stats_service_pb2
from hypothesis import given
from hypothesis import strategies as st

from core.cache import CacheSnapshot, MethodCounts
from core.domain.messages import MessageState
from core.domain.stats import CampaignStats, FailureCount, MessageCounts, SkipCount, Tally, count_failures, count_states
from core.domain.time_series import Bucket, Milestone, Point
from server.wire import names, stats

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CODES = st.sampled_from([0, 100, 131026, 131049, 999999])
TALLIES = st.dictionaries(st.tuples(st.sampled_from(MessageState), CODES), st.integers(0, 10**9), max_size=20).map(
    lambda counted: [Tally(state=state, error_code=code, count=count) for (state, code), count in counted.items()]
)


@given(TALLIES)
def test_every_state_is_shown_once_and_they_add_up(tallies: list[Tally]) -> None:
    seen = stats.message_counts(count_states(tallies))
    assert [each.state for each in seen.states] == sorted(set(messages_pb2.Message.State.values()) - {0})
    assert sum(each.message_count for each in seen.states) == seen.message_count == sum(each.count for each in tallies)
    ends = seen.failed_count + seen.skipped_count + seen.cancelled_count + seen.unconfirmed_count
    assert seen.waiting_count + seen.accepted_count + ends == seen.message_count
    assert seen.accepted_count >= seen.sent_count >= seen.delivered_count >= seen.read_count


@given(TALLIES)
def test_failures_come_most_first_and_each_says_what_it_means(tallies: list[Tally]) -> None:
    failures = stats.failure_counts(count_failures(tallies))
    counts = [each.message_count for each in failures]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == count_states(tallies).among([MessageState.FAILED])
    assert all(each.error_title for each in failures)


def test_a_failure_of_our_own_is_not_blamed_on_whatsapp() -> None:
    (own,) = stats.failure_counts([FailureCount(error_code=0, message_count=1)])
    assert "token" not in own.error_title
    assert "Chappe" in own.error_title


def test_the_numbers_of_a_campaign_carry_its_name() -> None:
    campaign_id = UUID("0197f9a0-0000-7000-8000-000000000001")
    written = CampaignStats(
        campaign_id=campaign_id, counts=MessageCounts(states={}), failures=(), double_count=2, final=True,
        skips=(SkipCount(reason="OPTED_OUT", message_count=3),), snapshot_time=NOW,
    )  # fmt: skip
    seen = stats.campaign_stats(written)
    assert names.parse_campaign_stats(seen.name) == campaign_id
    assert (seen.skips[0].reason, seen.skips[0].message_count) == ("OPTED_OUT", 3)
    assert (seen.double_count, seen.final, seen.snapshot_time.ToDatetime(UTC)) == (2, True, NOW)


def test_the_share_of_hits_counts_no_bypass() -> None:
    counts = MethodCounts(method="chappe.v1.StatsService/GetDashboard", hit=6, miss=3, stale=1, bypass=90)
    seen = stats.cache_stats(CacheSnapshot(start_time=NOW, available=False, methods=(counts,)))
    assert (seen.hit_ratio, seen.available) == (0.6, False)
    assert seen.methods[0].method == "/chappe.v1.StatsService/GetDashboard"
    assert stats.cache_stats(CacheSnapshot(start_time=NOW, available=True, methods=())).hit_ratio == 0


def test_a_bucket_not_named_is_a_minute() -> None:
    TimeSeries = stats_service_pb2.TimeSeries  # noqa: N806  # a class
    assert stats.read_bucket(TimeSeries.BUCKET_UNSPECIFIED) is Bucket.MINUTE
    seen = stats.time_series(Bucket.HOUR, [Point(start_time=NOW, counts={Milestone.READ: 2})])
    assert (seen.bucket, seen.points[0].read_count, seen.points[0].sent_count) == (TimeSeries.BUCKET_HOUR, 2, 0)
