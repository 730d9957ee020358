"""Receipts that come later than the grace are noticed, by our own clock."""

from datetime import timedelta

import pytest

from core.domain.messages import MessageRef
from tests.helpers.sending import CLOCK, numbers, planned
from tests.helpers.webhook_bodies import body, status
from tests.helpers.workers import idle_worker
from workers.tasks.receipts import apply_deliveries


async def test_how_late_messages_are_first_heard_of_goes_by_our_own_clock_and_is_said(
    fresh_database_url: str, worker_settings: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        planned(fresh_database_url, numbers(3)) as plan,
        idle_worker(worker_settings, CHAPPE_UNCONFIRMED_GRACE_SECONDS="3") as worker,
    ):
        await plan.connection.execute(
            "UPDATE messages SET state = 'ACCEPTED', attempt = 1, accept_time = now() - interval '90 seconds'"
        )
        ids = [row["id"] for row in await plan.connection.fetch("SELECT id FROM messages")]
        refs = [MessageRef(campaign_id=plan.campaign_id, message_id=message_id, attempt=1) for message_id in ids]
        # By WhatsApp's clock, a quarter of an hour ahead, none would be late; and what comes again is not late again.
        at = CLOCK.now() + timedelta(minutes=15)
        for word in ("sent", "sent", "delivered"):
            told = [status(word, at, wamid=f"wamid.{ref.message_id}", ref=ref) for ref in refs]
            async with worker.engine.store.connection() as rooms:
                await rooms.deliveries.append_deliveries([body(statuses=told)])
            await apply_deliveries(worker.engine)
        said = [vars(record) for record in caplog.records if "later than the grace" in record.getMessage()]
        assert [(one["count"], one["grace_seconds"]) for one in said] == [(3, 3)]
        assert 89 <= said[0]["seconds"] <= 120
