"""A process told to stop does so also when a server it uses is silent: no connection is waited for without end."""

import signal
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import pytest

from stack.postgres import Postgres
from stack.valkey import Valkey
from tests.helpers.frozen import frozen
from tests.helpers.processes import Processes


@pytest.fixture
def given(database_url: str, queue_url: str, cache_url: str) -> dict[str, str]:
    settings = {"DATABASE_URL": database_url, "QUEUE_URL": queue_url, "CACHE_URL": cache_url}
    ports = {"GRPC_PORT": "0", "WEBHOOKS_PORT": "0"}
    return {f"CHAPPE_{name}": value for name, value in {**settings, **ports}.items()}


@pytest.fixture
def silence(postgres: Postgres, valkeys: tuple[Valkey, Valkey], silent: str) -> AbstractContextManager[None]:
    servers: dict[str, Postgres | Valkey] = {"database": postgres, "queue": valkeys[0], "cache": valkeys[1]}
    return frozen(servers[silent])


@pytest.mark.parametrize("silent", ["database", "queue", "cache"])
@pytest.mark.parametrize("verb", ["serve", "webhooks", "worker"])
async def test_it_stops_well_while_a_server_is_frozen(
    given: dict[str, str], tmp_path: Path, verb: str, silence: AbstractContextManager[None]
) -> None:
    with Processes(directory=tmp_path, settings=given) as processes:
        process = processes.start(verb)
        child = psutil.Process(process.pid)
        with silence:
            process.send(signal.SIGTERM)
            assert child.wait(timeout=6) == 0
