"""What WhatsApp charges for a message is kept in its row, as receipts tell it, whatever their order."""

from collections.abc import AsyncIterator, Mapping
from itertools import permutations

import pytest

from core.domain.messages import MessageRef
from tests.helpers.receiving import NOW, Desk, desk
from tests.helpers.webhook_bodies import body, status

PRICE = "SELECT is_billable, price_category FROM messages"
FREE = {"billable": False, "pricing_model": "PMP", "type": "free_customer_service", "category": "utility"}
CHARGED = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "marketing"}


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, ["+491700000001"]) as opened:
        yield opened


def told(word: str, ref: MessageRef, *pricing: Mapping[str, object], lost: bool = False) -> bytes:
    whose = None if lost else ref
    found = status(word, NOW, wamid=f"wamid.{ref.message_id}", ref=whose)
    return body(statuses=[{**found, **({"pricing": pricing[0]} if pricing else {})}])


async def price(at: Desk) -> tuple[object, ...]:
    (row,) = await at.plan.connection.fetch(PRICE)
    return tuple(row.values())


async def test_the_price_is_kept_from_whichever_receipt_tells_it(at: Desk) -> None:
    (ref,) = await at.sent()
    await at.deliver(told("delivered", ref))
    assert await price(at) == (None, None)
    await at.deliver(told("sent", ref, CHARGED))
    await at.deliver(told("read", ref))
    assert await price(at) == (True, "marketing")
    assert (await at.message(ref))["state"] == "READ"


@pytest.mark.parametrize("order", list(permutations((("sent", FREE), ("delivered", CHARGED)))))
@pytest.mark.parametrize("at_once", [True, False])
async def test_of_two_prices_the_one_that_is_charged_counts(
    at: Desk, order: tuple[tuple[str, Mapping[str, object]], ...], *, at_once: bool
) -> None:
    (ref,) = await at.sent()
    bodies = [told(word, ref, pricing) for word, pricing in order]
    for batch in [bodies] if at_once else [[each] for each in bodies]:
        await at.deliver(*batch)
    assert await price(at) == (True, "marketing")


async def test_a_receipt_that_was_parked_brings_its_price_along(at: Desk) -> None:
    (ref,) = await at.sent()
    await at.value("UPDATE messages SET whatsapp_message_id = NULL")
    await at.deliver(told("sent", ref, CHARGED, lost=True))
    assert await at.value("SELECT count(*) FROM parked_receipts") == 1
    await at.value("UPDATE messages SET whatsapp_message_id = $1", f"wamid.{ref.message_id}")
    await at.value("UPDATE parked_receipts SET not_before_time = $1", NOW)
    await at.retry(now=NOW)
    assert await price(at) == (True, "marketing")
