"""The servers together, in one folder."""

import os
from pathlib import Path

import pytest

from stack import homes
from stack.ports import Ports
from stack.process import StartError
from stack.servers import Servers
from tests.helpers.servers import temporary_directory


def test_a_temporary_stack_leaves_nothing_behind() -> None:
    with Servers(directory=None, ports=Ports(), durable=False) as servers:
        assert servers.directory.is_dir()
    assert not servers.directory.exists()
    assert not homes.house_of(servers.directory).exists()


def test_a_stack_with_a_folder_keeps_all_it_has_in_there() -> None:
    with temporary_directory() as directory:
        for expected in ("", "kept"):
            with Servers(directory=directory, ports=Ports()) as servers:
                assert servers.postgres.execute("SELECT to_regclass('kept')", database="chappe").strip() == expected
                servers.postgres.execute("CREATE TABLE IF NOT EXISTS kept ()", database="chappe")
            assert (directory / "postgres" / "data" / "PG_VERSION").is_file()
            assert not homes.house_of(directory).exists()


def test_one_folder_takes_one_stack() -> None:
    with temporary_directory() as directory, Servers(directory=directory, ports=Ports(), durable=False):
        second = Servers(directory=directory, ports=Ports(), durable=False)
        with pytest.raises(StartError, match="already running"):
            second.__enter__()


@pytest.mark.skipif(os.geteuid() != 0, reason="others keep everything in the folder itself")
def test_a_house_of_somebody_else_is_not_entered(tmp_path: Path) -> None:
    house = homes.house_of(tmp_path)
    house.mkdir()
    try:
        os.chown(house, 65534, 65534)
        with pytest.raises(StartError, match="belongs to somebody else"):
            homes.move_in(tmp_path, name="postgres")
    finally:
        house.rmdir()
