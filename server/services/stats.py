"""StatsService: answers with numbers that were counted as they came about."""

from uuid import UUID

from chappe.v1 import stats_pb2, stats_service_pb2
from chappe.v1.stats_service_pb2_grpc import StatsServiceServicer

from core.cache import CacheMetrics
from core.clock import Clock
from core.domain.stats import DEPLOYMENT, MOST_LINES
from core.domain.time_series import choose_span, fill
from core.repositories.rooms import Rooms, Store
from server.call import mark_final
from server.wire import names, times
from server.wire import stats as wire


class StatsService(StatsServiceServicer):
    """Serves the numbers of campaigns, of the deployment, and of this process's cache."""

    def __init__(self, *, store: Store, clock: Clock, cache_metrics: CacheMetrics) -> None:
        """Takes where the counters are, and what counts the cache's hits."""
        self._store = store
        self._clock = clock
        self._cache_metrics = cache_metrics

    async def GetCampaignStats(
        self, request: stats_service_pb2.GetCampaignStatsRequest, context: object
    ) -> stats_pb2.CampaignStats:
        """Returns the numbers of one campaign."""
        campaign_id = names.parse_campaign_stats(request.name)
        async with self._store.connection() as rooms:
            stats = await rooms.stats.get_campaign_stats(campaign_id, at=self._clock.now())
        if stats.final:
            mark_final()
        return wire.campaign_stats(stats)

    async def BatchGetCampaignStats(
        self, request: stats_service_pb2.BatchGetCampaignStatsRequest, context: object
    ) -> stats_service_pb2.BatchGetCampaignStatsResponse:
        """Returns the numbers of several campaigns, in the order asked."""
        campaign_ids = [names.parse_campaign_stats(name) for name in request.names]
        async with self._store.connection() as rooms:
            found = await rooms.stats.batch_get_campaign_stats(campaign_ids, at=self._clock.now())
        return stats_service_pb2.BatchGetCampaignStatsResponse(stats=[wire.campaign_stats(stats) for stats in found])

    async def GetMessageStats(
        self, request: stats_service_pb2.GetMessageStatsRequest, context: object
    ) -> stats_pb2.MessageStats:
        """Returns the numbers of the whole deployment."""
        async with self._store.connection() as rooms:
            return wire.message_stats(await rooms.stats.get_message_stats(at=self._clock.now()))

    async def GetDashboard(
        self, request: stats_service_pb2.GetDashboardRequest, context: object
    ) -> stats_service_pb2.Dashboard:
        """Returns what a first screen shows."""
        async with self._store.connection() as rooms:
            dashboard = await rooms.stats.get_dashboard(at=self._clock.now())
            return wire.dashboard(dashboard, await rooms.stats.list_campaign_lines(limit=MOST_LINES))

    async def GetTimeSeries(
        self, request: stats_service_pb2.GetTimeSeriesRequest, context: object
    ) -> stats_service_pb2.TimeSeries:
        """Returns how many messages reached each milestone, bucket by bucket."""
        span = choose_span(
            wire.read_bucket(request.bucket),
            start=times.read_field_time(request, "start_time"),
            end=times.read_field_time(request, "end_time"),
            now=self._clock.now(),
        )
        async with self._store.connection() as rooms:
            counted = await rooms.stats.count_series(await _scope(rooms, request.campaign), span)
        return wire.time_series(span.bucket, fill(span, counted))

    async def GetCacheStats(
        self, request: stats_service_pb2.GetCacheStatsRequest, context: object
    ) -> stats_service_pb2.CacheStats:
        """Returns what the cache did in this process."""
        return wire.cache_stats(self._cache_metrics.snapshot())


async def _scope(rooms: Rooms, campaign: str) -> UUID:
    if not campaign:
        return DEPLOYMENT
    return (await rooms.campaigns.get_campaign(names.parse_campaign(campaign))).id
