"""A process told to stop does so also when its database is silent: no connection is waited for without end."""

import signal
from pathlib import Path

import psutil
import pytest

from stack.postgres import Postgres
from tests.helpers.frozen import frozen
from tests.helpers.processes import Processes


@pytest.mark.parametrize("verb", ["serve", "webhooks", "worker"])
async def test_it_stops_well_while_its_database_is_frozen(
    postgres: Postgres, database_url: str, queue_url: str, tmp_path: Path, verb: str
) -> None:
    settings = {"DATABASE_URL": database_url, "QUEUE_URL": queue_url, "GRPC_PORT": "0", "WEBHOOKS_PORT": "0"}
    given = {f"CHAPPE_{name}": value for name, value in settings.items()}
    with Processes(directory=tmp_path, settings=given) as processes:
        process = processes.start(verb)
        child = psutil.Process(process.pid)
        with frozen(postgres):
            process.send(signal.SIGTERM)
            assert child.wait(timeout=6) == 0
