"""The two Valkeys as the stack runs them."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from stack.ports import Ports
from stack.valkey import CACHE, QUEUE, Valkey
from tests.helpers.servers import temporary_directory


@pytest.mark.parametrize(
    ("index", "name", "expected"),
    [
        (0, "maxmemory-policy", "noeviction"),
        (0, "appendonly", "yes"),
        (0, "appendfsync", "everysec"),
        (1, "maxmemory-policy", "volatile-lfu"),
        (1, "appendonly", "no"),
        (1, "save", ""),
    ],
)
def test_each_server_keeps_its_policy(valkeys: tuple[Valkey, Valkey], index: int, name: str, expected: str) -> None:
    with redis.Redis.from_url(valkeys[index].url(), decode_responses=True) as connection:
        assert connection.config_get(name) == {name: expected}


def test_the_queue_survives_a_stop_and_the_cache_does_not() -> None:
    with temporary_directory() as directory:
        for policy in (QUEUE, CACHE):
            with _server(directory, policy) as server, _connect(server) as connection:
                connection.set("bell", "rung")
        with _server(directory, QUEUE) as server, _connect(server) as connection:
            assert connection.get("bell") == "rung"
        with _server(directory, CACHE) as server, _connect(server) as connection:
            assert connection.get("bell") is None


def test_nobody_enters_without_the_password(valkeys: tuple[Valkey, Valkey]) -> None:
    once = Retry(NoBackoff(), 0)
    with redis.Redis(port=valkeys[0].port, retry=once) as connection, pytest.raises(redis.AuthenticationError):
        connection.ping()


def _server(directory: Path, policy: Mapping[str, str]) -> Valkey:
    return Valkey(name=policy["maxmemory-policy"], directory=directory, ports=Ports(), policy=policy)


def _connect(server: Valkey) -> redis.Redis:
    return redis.Redis.from_url(server.url(), decode_responses=True)
