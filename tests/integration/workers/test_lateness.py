"""Receipts that come later than the grace are noticed, by our own clock."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.domain.messages import MessageRef
from tests.helpers.sending import CLOCK, Plan, numbers, planned
from tests.helpers.webhook_bodies import body, status
from tests.helpers.workers import idle_worker
from workers.assembly import Worker
from workers.tasks.receipts import apply_deliveries


async def test_how_late_messages_are_first_heard_of_goes_by_our_own_clock_and_is_said(
    fresh_database_url: str, worker_settings: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        planned(fresh_database_url, numbers(3)) as plan,
        idle_worker(worker_settings, CHAPPE_UNCONFIRMED_GRACE_SECONDS="3") as worker,
    ):
        refs = await _taken(plan, attempt=1)
        # By WhatsApp's clock, a quarter of an hour ahead, none would be late; and what comes again is not late again.
        at = CLOCK.now() + timedelta(minutes=15)
        for word in ("sent", "sent", "delivered"):
            await _tell(worker, word, at, refs)
        said = _said(caplog)
        assert [(one["count"], one["grace_seconds"]) for one in said] == [(3, 3)]
        assert 89 <= said[0]["seconds"] <= 120


async def test_a_receipt_of_an_earlier_attempt_says_nothing_of_how_late_those_of_the_newest_come(
    fresh_database_url: str, worker_settings: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        planned(fresh_database_url, numbers(3)) as plan,
        idle_worker(worker_settings, CHAPPE_UNCONFIRMED_GRACE_SECONDS="3") as worker,
    ):
        newest = await _taken(plan, attempt=2)
        await _tell(worker, "sent", CLOCK.now(), [replace(ref, attempt=1) for ref in newest])
        assert (await plan.states())["SENT"] == 3
        assert not _said(caplog)


async def _taken(plan: Plan, *, attempt: int) -> list[MessageRef]:
    """Has WhatsApp take this attempt of all messages, a minute and a half ago."""
    await plan.connection.execute(
        "UPDATE messages SET state = 'ACCEPTED', attempt = $1, accept_time = now() - interval '90 seconds'", attempt
    )
    ids = [row["id"] for row in await plan.connection.fetch("SELECT id FROM messages")]
    return [MessageRef(campaign_id=plan.campaign_id, message_id=message_id, attempt=attempt) for message_id in ids]


async def _tell(worker: Worker, word: str, at: datetime, refs: Sequence[MessageRef]) -> None:
    told = [status(word, at, wamid=f"wamid.{ref.message_id}.{ref.attempt}", ref=ref) for ref in refs]
    async with worker.engine.store.connection() as rooms:
        await rooms.deliveries.append_deliveries([body(statuses=told)])
    await apply_deliveries(worker.engine)


def _said(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(record) for record in caplog.records if "later than the grace" in record.getMessage()]
