"""A deployment: every process is restarted, one after another, while a campaign runs and callers call."""

from collections.abc import Iterator

import pytest

from stack.stack import Stack
from tests.helpers.rolling import SETTINGS, Restart


@pytest.fixture
def own_stack() -> Iterator[Stack]:
    """Two API processes behind Envoy, two workers, and a simulator of its own."""
    with Stack(
        durable=False, apis=2, workers=2, settings=SETTINGS, simulator_settings={"SIMULATOR_PROFILE": "fast"}
    ) as running:
        yield running


async def test_nobody_notices_a_rolling_restart(own_stack: Stack) -> None:
    figures = await Restart(stack=own_stack, messages=2000, rate=60).run(rounds=1)
    assert figures.restarts == 5
    assert figures.calls > 100
    assert (figures.failures, figures.most_in_doubt, figures.resent) == ([], 0, 0)
    assert (figures.accepted, figures.contacts_with_two, figures.read) == (2000, 0, 2000)
    assert sorted(figures.found) == sorted(figures.made)
