"""A worker's lines: as many connections as it is set to have, also where files are limited, and shown."""

import resource
from collections.abc import Iterator

import pytest

from tests.helpers.workers import idle_worker

_FEW = 512


@pytest.fixture
def few_files() -> Iterator[None]:
    """Lets this process open few files, until somebody raises that."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FEW, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("few_files")
async def test_a_worker_may_open_a_file_for_each_of_its_lines_and_others(worker_settings: dict[str, str]) -> None:
    async with idle_worker(worker_settings, CHAPPE_WORKER_CONCURRENCY="700") as worker:
        assert worker.engine.lines.count == 700
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 700 + 50


async def test_there_are_lines_for_a_number_of_a_thousand_a_second_whose_answers_take_a_second(
    worker_settings: dict[str, str],
) -> None:
    async with idle_worker(worker_settings) as worker:
        assert worker.engine.lines.count * 4 / 5 >= 1000
