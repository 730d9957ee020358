"""One seed is one run: two processes, the same traffic, the same ledger to the byte."""

import asyncio
from pathlib import Path

from tests.helpers.processes import Processes
from tests.integration.simulator.helpers import ACCESS_TOKEN, FAST_NUMBER, Meta, Receiver, until

PEOPLE = [f"+1555010{n:04d}" for n in (*range(200, 260), 9126, 9149, 9187, 9186, 9188, 7)]


async def _run(folder: Path, seed: int, receiver: Receiver) -> tuple[bytes, list[tuple[str, ...]]]:
    """Plays a day against a fresh process; returns its ledger, and what each message was told, in its order."""
    folder.mkdir()
    receiver.bodies.clear()
    settings = {
        "SIMULATOR_SEED": str(seed),
        "SIMULATOR_RUN_ID": "abc123",
        "SIMULATOR_START_TIME": "1760000000",
        "SIMULATOR_TIME_FACTOR": "0",
        "SIMULATOR_ACCESS_TOKEN": ACCESS_TOKEN,
        "SIMULATOR_WEBHOOK_URL": receiver.url,
        "SIMULATOR_APP_SECRET": "the-app-secret",
    }
    with Processes(directory=folder, settings={}) as processes:
        _, url = processes.start_simulator(settings=settings)
        async with Meta(url) as meta:
            await meta.sim(
                "PATCH", "settings", {"timeline": {"latency_median": 0, "slow_rate": 0, "failure_rate": 0.2}}
            )
            await meta.sim("PATCH", "settings", {"webhooks": {"duplicate_rate": 0.3, "reorder_rate": 0.3}})
            await meta.sim("POST", "rules", {"trigger": "probability", "rate": 0.2, "code": 2, "endpoint": "messages"})
            for person in PEOPLE:
                await asyncio.gather(meta.send(person, number=FAST_NUMBER), return_exceptions=True)
            return await _ledger_at_the_end_of_the_day(meta), sorted(_told(receiver))


async def _ledger_at_the_end_of_the_day(meta: Meta) -> bytes:
    for _ in range(24):
        await meta.sim("POST", "clock", {"advance": 3600})

    async def everything_is_told() -> bool:
        summary = await meta.summary()
        return bool(summary["planned"] == 0 and summary["undelivered_updates"] == 0)

    await until(everything_is_told)
    return (await meta.call("GET", "/_sim/accepted.ndjson")).raw


def _told(receiver: Receiver) -> list[tuple[str, ...]]:
    told: dict[str, list[str]] = {}
    for status in receiver.statuses():
        told.setdefault(status["id"], []).append(f"{status['status']} {status['timestamp']}")
    return [(wamid, *sorted(statuses)) for wamid, statuses in told.items()]


async def test_the_same_seed_gives_the_same_ledger_and_webhooks_and_another_seed_does_not(
    tmp_path: Path, receiver: Receiver
) -> None:
    first, first_told = await _run(tmp_path / "first", 42, receiver)
    second, second_told = await _run(tmp_path / "second", 42, receiver)
    other, _ = await _run(tmp_path / "other", 43, receiver)
    assert len(first.splitlines()) > 30
    assert first == second
    assert first_told == second_told
    assert first != other
