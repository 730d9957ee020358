"""Numbers in the words of the contract."""

from collections.abc import Iterable, Mapping

from chappe.v1 import campaigns_pb2, messages_pb2, stats_pb2, stats_service_pb2

from core.cache import CacheSnapshot, LevelCounts, MethodCounts
from core.domain.campaigns import CampaignState
from core.domain.messages import MessageState
from core.domain.stats import (
    DELIVERED,
    MOST_LINES,
    READ,
    SENT,
    WAITING,
    CampaignLine,
    CampaignStats,
    Dashboard,
    FailureCount,
    MessageCounts,
    MessageStats,
    SkipCount,
)
from core.domain.time_series import Bucket, Milestone, Point
from core.whatsapp.errors import words
from server.wire import campaigns, names, times

_Dashboard = stats_service_pb2.Dashboard
_TimeSeries = stats_service_pb2.TimeSeries
_CacheStats = stats_service_pb2.CacheStats
_OWN_FAILURE = "Chappe gave the message up by itself; its reason says why."


def message_counts(written: MessageCounts) -> stats_pb2.MessageCounts:
    """Writes counts of messages, every state in the order of the contract."""
    return stats_pb2.MessageCounts(
        message_count=written.message_count,
        states=[
            stats_pb2.StateCount(state=number, message_count=written.among([_state(name)]))
            for name, number in messages_pb2.Message.State.items()
            if number
        ],
        waiting_count=written.among(WAITING),
        accepted_count=written.accepted_count,
        sent_count=written.among(SENT),
        delivered_count=written.among(DELIVERED),
        read_count=written.among(READ),
        failed_count=written.among([MessageState.FAILED]),
        skipped_count=written.among([MessageState.SKIPPED]),
        cancelled_count=written.among([MessageState.CANCELLED]),
        unconfirmed_count=written.among([MessageState.UNCONFIRMED]),
        replied_count=written.replied_count,
    )


def error_title(error_code: int) -> str:
    """Says what an error code means; 0 is a failure of our own."""
    return words(error_code) if error_code else _OWN_FAILURE


def failure_counts(written: Iterable[FailureCount]) -> list[stats_pb2.FailureCount]:
    """Writes failures by error, each with what its code means."""
    return [
        stats_pb2.FailureCount(
            error_code=failure.error_code,
            error_title=error_title(failure.error_code),
            message_count=failure.message_count,
        )
        for failure in written
    ]


def skip_counts(written: Iterable[SkipCount]) -> list[stats_pb2.SkipCount]:
    """Writes skips by reason."""
    return [stats_pb2.SkipCount(reason=skip.reason, message_count=skip.message_count) for skip in written]


def campaign_stats(written: CampaignStats) -> stats_pb2.CampaignStats:
    """Writes the numbers of a campaign."""
    return stats_pb2.CampaignStats(
        name=names.campaign_stats_name(written.campaign_id),
        counts=message_counts(written.counts),
        failures=failure_counts(written.failures),
        skips=skip_counts(written.skips),
        double_count=written.double_count,
        final=written.final,
        snapshot_time=times.timestamp(written.snapshot_time),
    )


def message_stats(written: MessageStats) -> stats_pb2.MessageStats:
    """Writes the numbers of the deployment."""
    return stats_pb2.MessageStats(
        counts=message_counts(written.counts),
        failures=failure_counts(written.failures),
        double_count=written.double_count,
        difference_count=written.difference_count,
        snapshot_time=times.timestamp(written.snapshot_time),
    )


def dashboard(written: Dashboard, lines: Iterable[CampaignLine]) -> stats_service_pb2.Dashboard:
    """Writes what a first screen shows."""
    return _Dashboard(
        counts=message_counts(written.counts),
        failures=failure_counts(written.failures[:MOST_LINES]),
        campaign_states=_campaign_states(written.campaign_states),
        campaigns=[
            _Dashboard.CampaignLine(campaign=campaigns.campaign(line.campaign), counts=message_counts(line.counts))
            for line in lines
        ],
        accepted_last_hour_count=written.accepted_last_hour_count,
        snapshot_time=times.timestamp(written.snapshot_time),
    )


def read_bucket(value: stats_service_pb2.TimeSeries.Bucket.ValueType) -> Bucket:
    """Reads the width of a bucket; none given means a minute."""
    return Bucket(_TimeSeries.Bucket.Name(value).removeprefix("BUCKET_")) if value else Bucket.MINUTE


def time_series(bucket: Bucket, points: Iterable[Point]) -> stats_service_pb2.TimeSeries:
    """Writes numbers over time."""
    return _TimeSeries(bucket=_TimeSeries.Bucket.Value(f"BUCKET_{bucket}"), points=[_point(point) for point in points])


def cache_stats(written: CacheSnapshot) -> stats_service_pb2.CacheStats:
    """Writes what the cache did."""
    return _CacheStats(
        methods=[_method_stats(counts) for counts in written.methods],
        hit_ratio=written.hit_ratio,
        available=written.available,
        start_time=times.timestamp(written.start_time),
        memory_bytes=written.memory_bytes,
        failure_count=written.failure_count,
    )


def _state(name: str) -> MessageState:
    return MessageState(name.removeprefix("STATE_"))


def _campaign_states(counts: Mapping[CampaignState, int]) -> list[stats_service_pb2.Dashboard.CampaignStateCount]:
    return [
        _Dashboard.CampaignStateCount(
            state=number, campaign_count=counts.get(CampaignState(name.removeprefix("STATE_")), 0)
        )
        for name, number in campaigns_pb2.Campaign.State.items()
        if number
    ]


def _point(point: Point) -> stats_service_pb2.TimeSeries.Point:
    counts = point.counts
    return _TimeSeries.Point(
        start_time=times.timestamp(point.start_time),
        accepted_count=counts.get(Milestone.ACCEPTED, 0),
        sent_count=counts.get(Milestone.SENT, 0),
        delivered_count=counts.get(Milestone.DELIVERED, 0),
        read_count=counts.get(Milestone.READ, 0),
        failed_count=counts.get(Milestone.FAILED, 0),
    )


def _method_stats(counts: MethodCounts) -> stats_service_pb2.CacheStats.MethodStats:
    return _CacheStats.MethodStats(
        method=f"/{counts.method}",
        hit_count=counts.hit,
        miss_count=counts.miss,
        stale_count=counts.stale,
        bypass_count=counts.bypass,
        levels=[_level_stats(level) for level in counts.levels],
    )


def _level_stats(counts: LevelCounts) -> stats_service_pb2.CacheStats.LevelStats:
    return _CacheStats.LevelStats(
        level=_CacheStats.Level.Value(f"LEVEL_{counts.level.upper()}"),
        hit_count=counts.hit,
        miss_count=counts.miss,
        stale_count=counts.stale,
        bypass_count=counts.bypass,
        hit_bytes=counts.bytes,
    )
