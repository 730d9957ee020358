"""A deploy leaves nothing in doubt: a worker told to stop waits for the answers it is owed, however slow they come."""

from functools import partial
from pathlib import Path

from stack import programs
from tests.helpers.eventually import eventually
from tests.helpers.processes import Processes
from tests.helpers.sending import CLOCK, Plan, numbers, planned
from tests.helpers.whatsapp import WhatsApp
from tests.helpers.workers import busy_worker

# Longer than the grace of other processes, shorter than a call may take.
_ANSWER_SECONDS = 6.0
_MESSAGES, _PER_SECOND = 40, 10


async def test_a_worker_replaced_while_answers_are_slow_leaves_nothing_in_doubt(
    fresh_database_url: str, worker_settings: dict[str, str], whatsapp_and_url: tuple[WhatsApp, str], tmp_path: Path
) -> None:
    simulator = whatsapp_and_url[0]
    await simulator.add_rule(endpoint="messages", action="delay", seconds=_ANSWER_SECONDS)
    async with planned(fresh_database_url, numbers(_MESSAGES), per_second=_PER_SECOND) as plan:
        with Processes(directory=tmp_path, settings=worker_settings) as processes:
            old = processes.start("worker", name="old")
            await eventually(simulator.accepted_count, 20, message="calls are on the wire")
            old.ask_to_stop()
            async with busy_worker(worker_settings):
                await eventually(lambda: not old.is_running(), 20, message="the old worker ends by itself")
                assert not await _ever_in_doubt(plan)
                await eventually(partial(plan.all_are, "ACCEPTED"), 40)
        assert not await _ever_in_doubt(plan)
        assert await simulator.accepted_count() == _MESSAGES


async def test_a_worker_with_nothing_on_the_wire_stops_at_once(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(3)) as plan:
        async with busy_worker(worker_settings):
            await eventually(partial(plan.all_are, "ACCEPTED"), 20)
            stopped = CLOCK.monotonic()
        assert CLOCK.monotonic() - stopped < 3


def test_a_stack_kills_no_worker_that_still_waits_for_answers(tmp_path: Path) -> None:
    patient = programs.chappe("worker", name="w", directory=tmp_path, settings={})
    told = {"CHAPPE_WHATSAPP_TIMEOUT_SECONDS": "90"}
    slow = programs.chappe("worker", name="w", directory=tmp_path, settings=told)
    assert patient.stop_seconds > 30 + 5
    assert slow.stop_seconds > 90 + 5
    assert programs.chappe("serve", name="s", directory=tmp_path, settings=told).stop_seconds < 30


async def _ever_in_doubt(plan: Plan) -> bool:
    return bool(await plan.value("count(*) FILTER (WHERE doubt_time IS NOT NULL) > 0"))
