"""Receipts that wait for their message are tried again in each turn, also while others keep coming."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from core.clock import SystemClock
from core.domain.messages import ReceiptState
from core.domain.receipts import Receipt
from core.repositories.receipts import Parked
from core.repositories.rooms import Store
from tests.helpers.receiving import NOW, desk
from tests.helpers.sending import numbers
from tests.helpers.workers import idle_worker
from workers.tasks.parked_codec import pack
from workers.tasks.receipts import apply_deliveries


@dataclass
class HastyClock:
    """A clock by which each look takes six seconds: a turn is over after two."""

    seconds: float = 0.0

    def now(self) -> datetime:
        """Returns the moment."""
        return SystemClock().now()

    def monotonic(self) -> float:
        """Returns six seconds more each time."""
        self.seconds += 6.0
        return self.seconds


async def test_what_is_parked_is_tried_though_the_load_has_no_end(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with desk(fresh_database_url, numbers(1)) as at, idle_worker(worker_settings) as worker:
        (ref,) = await at.sent()
        read = Receipt(whatsapp_message_id="wamid.1", state=ReceiptState.READ, receipt_time=NOW, reference=ref)
        parked = Parked(
            delivery_id=UUID(int=1),
            receipt=pack(read),
            try_count=1,
            expire_time=SystemClock().now() + timedelta(hours=1),
            not_before_time=NOW,
        )
        async with at.store.connection() as rooms:
            await rooms.receipts.park_receipts([parked])
            await rooms.deliveries.append_deliveries([b"{}"])
        await apply_deliveries(replace(worker.engine, clock=HastyClock()))
        assert await at.plan.states() == {"READ": 1}


async def test_one_that_cannot_be_applied_holds_up_no_other_and_is_given_up_in_the_end(fresh_database_url: str) -> None:
    async with desk(fresh_database_url, numbers(1)) as at:
        (ref,) = await at.sent()
        read = Receipt(whatsapp_message_id="wamid.1", state=ReceiptState.READ, receipt_time=NOW, reference=ref)
        good = Parked(
            delivery_id=UUID(int=1),
            receipt=pack(read),
            try_count=1,
            expire_time=NOW + timedelta(hours=1),
            not_before_time=NOW,
        )
        await _park(at.store, good, replace(good, receipt={**good.receipt, "state": "UNHEARD_OF"}))
        await at.retry(now=NOW)
        assert await at.plan.states() == {"READ": 1}
        waits = "SELECT not_before_time > $1 AND try_count = 2 FROM parked_receipts"
        assert await at.value(waits, NOW)
        await at.retry(now=NOW + timedelta(hours=2))
        assert await at.value("SELECT count(*) FROM parked_receipts") == 0


async def _park(store: Store, *parked: Parked) -> None:
    async with store.connection() as rooms:
        await rooms.receipts.park_receipts(parked)
