"""What services are made of, put together once by the assembly."""

from dataclasses import dataclass

from core.cache import CacheMetrics
from core.clock import Clock
from core.pace import Pace
from core.queue.wakeups import Wakeups
from core.repositories.rooms import Store
from core.settings import Settings
from core.whatsapp.management import ManagementClient
from server.mutations import Mutations


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Holds what services are made of."""

    settings: Settings
    clock: Clock
    store: Store
    mutations: Mutations
    wakeups: Wakeups
    pace: Pace
    management: ManagementClient
    cache_metrics: CacheMetrics
