"""Bodies that waited while a person was erased: applied, set aside or unreadable, they tell of the person no more."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from tests.helpers.erasing import AFTER, ANN, BEFORE, BOB, NOW, bodies, erase
from tests.helpers.receiving import Desk, desk
from tests.helpers.webhook_bodies import body, reply, status


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, [ANN, BOB]) as made:
        yield made


def mentions() -> dict[str, bytes]:
    """Bodies that name Ann in what no receipt, message or choice is."""
    receipt = {**status("delivered", NOW, wamid="wamid.m"), "recipient_id": ANN[1:]}
    card = {"wa_id": ANN[1:], "profile": {"name": "Ann"}}
    return {
        "a receipt of old": body(statuses=[{**receipt, "status": "deleted"}]),
        "a receipt to come": body(statuses=[{**receipt, "status": "teleported"}]),
        "a receipt without a time": body(statuses=[{**receipt, "timestamp": "soon"}]),
        "a field to come": body(field="calls", calls=[{"id": "call", "from": ANN[1:]}]),
        "a field with a number for a name": body(field="calls", calls={ANN[1:]: {"event": "connect"}}),
        "beside a change": around(change={"by": ANN[1:]}),
        "beside an entry's changes": around(entry={"by": {"wa_id": ANN[1:]}}),
        "beside the entries": around(document={"sent": [{"to": ANN[1:]}]}),
        "a card beside a receipt to come": body(statuses=[{"id": "wamid.m", "status": "teleported"}], contacts=[card]),
        "another level": body(standby={"statuses": [receipt]}),
        "a level that is none": body(field="standby", standby=[{"from": ANN[1:]}]),
        "a level in another's shadow": body(field="standby", messages=[{"from": ANN[1:]}], standby={"messages": []}),
        "a number for a key around it": around(document={ANN: 1}),
        "deeper than can be written": deep(ANN),
        "a field that is the person": body(field="of_people", wa_id=ANN[1:]),
        "a field that is a list": body_with(value=[{"from": ANN[1:]}]),
        "a field that is a number": body_with(value=int(ANN[1:])),
        "a card": body(contacts=[card]),
        "a card alone": body(contacts=card),
        "a conversation elsewhere": body(field="standby", standby={"contacts": [card]}),
        "a choice to come": body(field="user_preferences", user_preferences=[{"wa_id": ANN[1:], "value": "maybe"}]),
        "no object": b'{"entry": "' + ANN[1:].encode(),
    }


def around(
    *,
    document: Mapping[str, Any] | None = None,
    entry: Mapping[str, Any] | None = None,
    change: Mapping[str, Any] | None = None,
) -> bytes:
    """Returns a body with something beside its change, its entry's changes or its entries."""
    inner = {"field": "messages", "value": {}, **(change or {})}
    return json.dumps({"entry": [{"id": "1", "changes": [inner], **(entry or {})}], **(document or {})}).encode()


def deep(number: str, levels: int = 300) -> bytes:
    """Returns a body that can be read, but not be written again."""
    return body_with(value=[{"from": number[1:]}, "deep"]).replace(b'"deep"', b"[" * levels + b"]" * levels)


def body_with(*, value: object) -> bytes:
    """Returns a body whose only change is of a field nobody knows."""
    return json.dumps({"entry": [{"id": "1", "changes": [{"field": "calls", "value": value}]}]}).encode()


@pytest.mark.parametrize("kind", mentions())
async def test_what_waited_while_its_person_was_erased_is_applied_without_them(at: Desk, kind: str) -> None:
    async with at.store.connection() as rooms:
        await rooms.deliveries.append_deliveries(
            [mentions()[kind], mentions()[kind].replace(ANN[1:].encode(), BOB[1:].encode())]
        )
    await erase(at)
    await at.apply()
    kept = await bodies(at)
    assert ANN[1:].encode() not in kept
    assert BOB[1:].encode() in kept


async def test_what_names_someone_who_wrote_since_stays(at: Desk) -> None:
    await erase(at)
    await at.deliver(body(messages=[reply("hello again", AFTER, wamid="wamid.d", phone=ANN)]))
    await at.deliver(mentions()["a field to come"])
    assert b"calls" in await bodies(at)
    assert (await bodies(at)).count(ANN[1:].encode()) == 2
    await erase(at)
    assert ANN[1:].encode() not in await bodies(at)


async def test_nothing_tells_by_whom_a_body_was_that_is_redacted_when_applied(at: Desk) -> None:
    await erase(at)
    await at.deliver(mentions()["a field to come"])
    assert await at.value("SELECT traces FROM webhook_deliveries") == []


async def test_a_body_that_fails_again_and_again_is_set_aside_without_the_person(at: Desk) -> None:
    await at.plan.connection.execute("ALTER TABLE interactions ADD CONSTRAINT refuse CHECK (text <> 'spoils')")
    async with at.store.connection() as rooms:
        await rooms.deliveries.append_deliveries([spoiling(ANN), spoiling(BOB)])
    await erase(at)
    await at.apply()
    while (await at.retry_failed()).delivery_count:
        pass
    assert await at.value("SELECT count(*) FROM webhook_deliveries WHERE apply_time IS NULL") == 0
    assert ANN[1:].encode() not in await bodies(at)
    assert BOB[1:].encode() in await bodies(at)


def spoiling(number: str) -> bytes:
    """Returns a body that no table takes, and that names someone beside."""
    return body(
        messages=[reply("spoils", AFTER, wamid="wamid.s" + number[-1], phone="+491700000009")],
        calls=[{"to": number[1:]}],
    )


async def test_a_body_that_was_set_aside_is_emptied_when_it_tells_of_the_person(at: Desk) -> None:
    await at.deliver(b'{"entry": "' + ANN[1:].encode(), b'{"entry": "' + BOB[1:].encode())
    await erase(at)
    assert ANN[1:].encode() not in await bodies(at)
    assert BOB[1:].encode() in await bodies(at)


@pytest.mark.parametrize("waits", [True, False])
async def test_a_number_of_before_goes_with_its_person(at: Desk, *, waits: bool) -> None:
    change = "UPDATE contacts SET phone_number = '+491700000003', whatsapp_user_id = $2 WHERE phone_number = $1"
    old = [
        mentions()["a card"],
        mentions()["a choice to come"],
        body(messages=[reply("Hi", BEFORE, wamid="wamid.q", phone=ANN)]),
    ]
    if waits:
        await at.plan.connection.execute(change, ANN, None)
        async with at.store.connection() as rooms:
            await rooms.deliveries.append_deliveries(old)
    else:
        await at.deliver(*old)
        await at.plan.connection.execute(change, ANN, "DE.Ann12345")
    await erase(at, "+491700000003")
    await at.apply()
    assert ANN[1:].encode() not in await bodies(at)
    assert await at.value("SELECT count(*) FROM contacts WHERE phone_number = $1", ANN) == 0
