"""Kept replies on two levels, outdated by generations: nothing here ever fails a caller, a cache in trouble is a miss.

``memory`` is the first level, in the process; ``replies`` the second, in Redis. ``generations`` knows what the numbers
of collections are now, ``outdating`` raises them. ``server`` is the way to Redis, spared by a breaker; ``aside``
does what no caller waits for. ``cache`` ties all.
"""

from core.cache.cache import Cache, Safeguards, is_behind
from core.cache.generations import BELIEVED_SECONDS
from core.cache.keys import Entry, campaign_generation
from core.cache.memory import Remembered
from core.cache.metrics import OUTCOMES, CacheMetrics, CacheSnapshot, LevelCounts, MethodCounts, Outcome
from core.cache.outdating import telling
from core.cache.replies import Found

__all__ = [
    "BELIEVED_SECONDS",
    "OUTCOMES",
    "Cache",
    "CacheMetrics",
    "CacheSnapshot",
    "Entry",
    "Found",
    "LevelCounts",
    "MethodCounts",
    "Outcome",
    "Remembered",
    "Safeguards",
    "campaign_generation",
    "is_behind",
    "telling",
]
