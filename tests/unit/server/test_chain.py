"""The order of the interceptors, with its reasons."""

from prometheus_client import CollectorRegistry

from core.cache import Cache
from core.clock import SystemClock
from core.db import Database
from core.metrics import RpcMetrics
from core.repositories.rooms import Store
from core.settings import Settings
from server.assembly import interceptors
from server.interceptors.auth import Auth
from server.interceptors.cache import Caching
from server.interceptors.deadline import Deadline
from server.interceptors.errors import Errors
from server.interceptors.telemetry import Telemetry
from server.interceptors.validation import Validation

REASONS = {
    Telemetry: "it sees every final code, refusals included, and names the call for all that follows",
    Errors: "everything inside may simply raise",
    Deadline: "it bounds all that waits: for keys, the cache, the database",
    Auth: "nothing is spent on a stranger, and nothing kept is shown to one",
    Caching: "a hit is answered before anything is parsed; only replies to valid requests were ever kept",
    Validation: "it is the last before the service, which may trust what it reads",
}


def test_each_interceptor_stands_where_it_must() -> None:
    clock, settings = SystemClock(), Settings()
    chain = interceptors(
        settings=settings,
        clock=clock,
        store=Store(Database(url=settings.database_url)),
        cache=Cache(url=settings.cache_url, clock=clock, timeout_seconds=1),
        deadline=Deadline(default_seconds=1),
        metrics=RpcMetrics(CollectorRegistry()),
    )
    assert [type(interceptor) for interceptor in chain] == list(REASONS)
