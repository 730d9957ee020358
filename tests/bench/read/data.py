"""The rows that reading is measured on: made once, kept in `.chappe/bench-data`, removed by `make clean`."""

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from core.db import Database
from core.domain.stats import DEPLOYMENT
from core.migrate import migrate
from core.repositories.rooms import Store
from stack import homes
from stack.ports import Ports
from stack.postgres import Postgres
from stack.programs import ROOT
from tests.helpers.volume import Volume, fill, know

FULL: Final = Volume(messages=10_000_000, contacts=1_000_000)
QUICK: Final = Volume(messages=100_000, contacts=20_000)
# Beside which the large one must not be slower.
SMALL: Final = Volume(messages=10_000, contacts=1_000)
_CAMPAIGNS: Final = 1000  # far more than there are
_FOLDER = ROOT / ".chappe" / "bench-data"
_LARGE, _SMALL = "chappe", "small"


@contextmanager
def databases(volume: Volume) -> Iterator[tuple[str, str]]:
    """Yields the addresses of a database with the volume and of a small one, filling both where they are not there."""
    folder = _FOLDER / f"{volume.messages}"
    mark = folder / "filled"
    if not (mark.is_file() and mark.read_text() == _recipe()):
        _begin(folder, volume)
        mark.write_text(_recipe())
    # Writes are measured too, and wait for the disk.
    with Postgres(directory=folder, ports=Ports()) as postgres:
        for name in (_LARGE, _SMALL):
            migrate(postgres.url(name))
            asyncio.run(_keep(postgres.url(name)))
        yield postgres.url(_LARGE), postgres.url(_SMALL)


async def _keep(url: str) -> None:
    """Folds the counters of campaigns that are over, by the keeper's own statements: no keeper has seen these rows."""
    async with Database(url=url, pool_size=1) as database, Store(database).connection() as rooms:
        await rooms.shards.fold_state_counters(after=DEPLOYMENT, limit=_CAMPAIGNS)
        await rooms.shards.fold_reply_counters(after=DEPLOYMENT, limit=_CAMPAIGNS)


def _begin(folder: Path, volume: Volume) -> None:
    homes.remove(folder)
    folder.mkdir(parents=True)
    with Postgres(directory=folder, ports=Ports(), durable=False) as postgres:
        _make(postgres, volume)


def _make(postgres: Postgres, volume: Volume) -> None:
    postgres.execute("ALTER SYSTEM SET max_wal_size = '8GB'")
    postgres.execute("SELECT pg_reload_conf()")
    postgres.execute(f"CREATE DATABASE {_SMALL}")
    for name, each in ((_SMALL, SMALL), (_LARGE, volume)):
        migrate(postgres.url(name))
        asyncio.run(fill(postgres.url(name), each, say=_say))
        asyncio.run(know(postgres.url(name)))
    postgres.execute("CHECKPOINT")  # it is not stopped, only ended: the next start would go through all of it again


def _say(step: str) -> None:
    print(f"filling: {step}", flush=True)


def _recipe() -> str:
    """Names how the rows are made: rows made otherwise are made anew, a later schema is only migrated to."""
    files = sorted((ROOT / "tests/helpers").glob("volume.*"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
