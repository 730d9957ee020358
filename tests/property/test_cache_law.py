"""With the cache or without, two replies differ only by age, and never by more than promised: whatever happens.

Real server processes, a real PostgreSQL, a real Valkey that is emptied, killed, frozen, cut off and made deaf in
between. Each control run switches one safeguard off, and then the same steps must break the law.
"""

import asyncio
from collections.abc import Iterator
from operator import methodcaller
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from stack.ports import Ports
from stack.valkey import CACHE, Valkey
from tests.helpers.servers import Databases
from tests.property.cache_law import LawBrokenError
from tests.property.cache_world import World, opened, play

PROCESSES = 3
_EXAMPLES = max(8, settings().max_examples // 20)  # the nightly profile plays for minutes
_CONTROL_EXAMPLES = 100  # it ends with the first broken promise, usually within ten


def steps(processes: int) -> st.SearchStrategy[list[methodcaller]]:
    """Draws what callers, workers and fate do."""
    process = st.integers(0, processes - 1)
    read = st.builds(
        lambda n, listed, sends_back, cached: methodcaller(
            "read", n, listed=listed, sends_back=sends_back, cached=cached
        ),
        process,
        st.booleans(),
        st.booleans(),
        st.sampled_from([True, True, True, False]),
    )
    calls = st.one_of(
        read,
        read,
        st.builds(lambda n: methodcaller("write", n), process),
        st.builds(lambda n: methodcaller("race", n), process),
        st.builds(lambda n: methodcaller("keep_late", n), process),
        st.builds(lambda n: methodcaller("read_stats", n), process),
        st.just(methodcaller("work")),
        st.builds(lambda seconds: methodcaller("wait", seconds), st.sampled_from([0.01, 0.05, 0.1, 0.12])),
    )
    blows = st.one_of(
        st.builds(lambda n: methodcaller("part", n), process),
        st.builds(lambda n: methodcaller("cut", n), process),
        st.builds(lambda n, seconds: methodcaller("freeze", n, seconds), process, st.sampled_from([0.3, 0.6])),
        st.just(methodcaller("empty")),
        st.just(methodcaller("kill")),
    )
    return st.lists(st.one_of(calls, calls, calls, calls, calls, blows), min_size=10, max_size=40)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A cache's server of the test's own, since it will be killed."""
    with Valkey(name="cache", directory=tmp_path, ports=Ports(), policy=CACHE) as server:
        yield server


def play_all(world: World, runner: asyncio.Runner, *, processes: int, examples: int) -> None:
    """Lets Hypothesis play; nothing is tried again to be made smaller, because it would not come out the same."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(steps(processes))
    def played(drawn: list[methodcaller]) -> None:
        runner.run(play(world, drawn))

    played()


def run(
    databases: Databases, queue_url: str, valkey: Valkey, directory: Path, *, without: tuple[str, ...]
) -> dict[str, int]:
    """Plays in a world of its own; returns how many hits each level had."""
    processes = 2 if without else PROCESSES
    with databases.copy() as database_url, asyncio.Runner() as runner:
        opening = opened(
            database_url=database_url,
            queue_url=queue_url,
            valkey=valkey,
            directory=directory,
            count=processes,
            without=without,
        )
        world = runner.run(opening.__aenter__())
        try:
            examples = _CONTROL_EXAMPLES if without else _EXAMPLES
            play_all(world, runner, processes=processes, examples=examples)
            return runner.run(world.hits())
        finally:
            runner.run(opening.__aexit__(None, None, None))


def test_whatever_happens_replies_differ_only_by_age(
    databases: Databases, queue_url: str, valkey: Valkey, tmp_path: Path
) -> None:
    hits = run(databases, queue_url, valkey, tmp_path, without=())
    assert hits["memory"] + hits["redis"] > _EXAMPLES  # it was the cache that answered
    assert hits["memory"] > 0


@pytest.mark.parametrize("safeguard", ["generation_check", "fill_check", "freshness_check"])
def test_without_a_safeguard_the_law_is_broken(
    databases: Databases, queue_url: str, valkey: Valkey, tmp_path: Path, safeguard: str
) -> None:
    with pytest.raises((LawBrokenError, Flaky)):
        run(databases, queue_url, valkey, tmp_path, without=(safeguard,))
