"""People whose WhatsApp id changes: who is known by it alone stays the same contact, and a stop of theirs holds."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from core.clock import SystemClock
from core.domain.contacts import person_hash
from core.whatsapp.bodies import may_say_stop
from tests.helpers.erasing import bodies, erase_contact
from tests.helpers.receiving import KEY, Desk, desk
from tests.helpers.webhook_bodies import body, reply, status, user_id_update
from workers.tasks.urgent import UrgentLane

ANN, BOB = "+491700000001", "+491700000002"
OLD, NEW = "DE.Old1234567", "DE.New1234567"
NAME = "Ann Lee"


def now(seconds: int = 0) -> datetime:
    return SystemClock().now() + timedelta(seconds=seconds)


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, [ANN, BOB]) as made:
        await made.value(
            "UPDATE contacts SET whatsapp_user_id = $2, phone_number = NULL WHERE phone_number = $1", ANN, OLD
        )
        yield made


def updated(before: str = OLD, after: str = NEW, *, at: datetime | None = None, **more: Any) -> bytes:
    told = user_id_update(before, after, at or now(), **more)
    return body("user_id_update", user_id_update=[told], contacts=[{"profile": {"name": NAME}}])


def noticed(words: str = f"User {NAME} changed from {OLD} to {NEW}", *, wamid: str = "wamid.sys", **more: Any) -> bytes:
    system = {"type": "user_changed_user_id", "body": words, "user_id": NEW}
    message = {"id": wamid, "timestamp": str(int(now().timestamp())), "type": "system", "system": system}
    return body(messages=[{**message, **more}])


def wrote(user_id: str, words: str = "hello", *, wamid: str = "wamid.in") -> bytes:
    told = reply(words, now(), wamid=wamid, phone="", from_user_id=user_id)
    return body(messages=[{key: value for key, value in told.items() if value}])


def beside(one: bytes, other: bytes) -> bytes:
    document = orjson.loads(one)
    document["entry"] += orjson.loads(other)["entry"]
    return orjson.dumps(document)


async def contact(at: Desk, user_id: str) -> dict[str, Any] | None:
    row = await at.plan.connection.fetchrow("SELECT * FROM contacts WHERE whatsapp_user_id = $1", user_id)
    return dict(row) if row else None


async def opt_out(at: Desk, user_id: str = OLD) -> None:
    await at.value(
        "UPDATE contacts SET marketing_consent = 'OPTED_OUT', consent_source = 'phone', consent_time = now()"
        " WHERE whatsapp_user_id = $1", user_id,
    )  # fmt: skip


@pytest.mark.parametrize("tell", [updated, noticed], ids=["update", "sentence"])
async def test_who_is_known_by_the_old_id_alone_stays_the_same_contact_with_their_stop(
    at: Desk, tell: Callable[[], bytes]
) -> None:
    await opt_out(at)
    before = await contact(at, OLD)
    assert before is not None
    await at.deliver(tell())
    await at.deliver(wrote(NEW))
    moved = await contact(at, NEW)
    assert moved is not None
    assert (moved["id"], moved["marketing_consent"]) == (before["id"], "OPTED_OUT")
    assert await at.value("SELECT count(*) FROM contacts") == 2
    proof = "SELECT count(*) FROM consent_events WHERE person_hash = $1 AND consent = 'OPTED_OUT'"
    assert await at.value(proof, person_hash(KEY, NEW)) == 1


async def test_who_wrote_from_the_new_id_first_takes_over_the_stop(at: Desk) -> None:
    await opt_out(at)
    await at.deliver(wrote(NEW))
    await at.deliver(updated())
    heir, old = await contact(at, NEW), await contact(at, OLD)
    assert heir is not None
    assert old is not None
    assert (heir["marketing_consent"], old["whatsapp_state"]) == ("OPTED_OUT", "ABSENT")


async def test_both_tellings_of_one_change_move_once(at: Desk) -> None:
    await at.deliver(noticed(), updated())
    await at.deliver(updated(), noticed())
    assert await contact(at, NEW) is not None
    assert await at.value("SELECT count(*) FROM contacts") == 2
    assert await at.value("SELECT count(*) FROM service_windows") == 0


async def test_a_change_that_comes_again_undoes_no_later_one(at: Desk) -> None:
    first, back = updated(at=now()), updated(NEW, OLD, at=now(5))
    await at.deliver(first)
    await at.deliver(back)
    await at.deliver(first)
    assert await contact(at, OLD) is not None
    assert await contact(at, NEW) is None


async def test_the_number_told_beside_the_ids_tells_who_it_is(at: Desk) -> None:
    await at.deliver(updated("DE.Bob1234567", "DE.Bob7654321", wa_id=BOB[1:]))
    bob = await contact(at, "DE.Bob7654321")
    assert bob is not None
    assert bob["phone_number"] == BOB


async def test_the_old_id_counts_before_the_number_told_beside_it(at: Desk) -> None:
    await opt_out(at)
    await at.deliver(updated(wa_id=BOB[1:]))
    heir = await contact(at, NEW)
    assert heir is not None
    assert (heir["phone_number"], heir["marketing_consent"]) == (BOB, "OPTED_OUT")


async def test_a_new_id_that_another_contact_has_spoils_no_body(at: Desk) -> None:
    await at.value("UPDATE contacts SET phone_number = $2 WHERE whatsapp_user_id = $1", OLD, ANN)
    await opt_out(at)
    await at.deliver(wrote(NEW))
    await at.deliver(updated(wa_id=ANN[1:]))
    assert await at.value("SELECT count(*) FROM webhook_deliveries WHERE error <> ''") == 0
    heir = await contact(at, NEW)
    assert heir is not None
    assert heir["marketing_consent"] == "OPTED_OUT"


async def test_a_sentence_that_does_not_plainly_tell_the_old_id_moves_nobody(at: Desk) -> None:
    await at.deliver(
        noticed(f"{OLD}, now {NEW}"), noticed(f"User {NAME} changed from {OLD} to DE.Other1234", wamid="w")
    )
    assert await contact(at, NEW) is None
    counted = "SELECT sum((unknown ->> 'unreadable system user_changed_user_id')::integer) FROM webhook_deliveries"
    assert await at.value(counted) == 2


async def test_a_stop_from_the_new_id_is_not_undone_by_the_change(at: Desk) -> None:
    await at.value(
        "UPDATE contacts SET marketing_consent = 'OPTED_IN', consent_time = now() - interval '1 hour'"
        " WHERE whatsapp_user_id = $1", OLD,
    )  # fmt: skip
    await at.deliver(wrote(NEW, "STOP"))
    await at.deliver(updated())
    heir = await contact(at, NEW)
    assert heir is not None
    assert heir["marketing_consent"] == "OPTED_OUT"


@pytest.mark.parametrize("is_heard", [False, True], ids=["applied", "heard"])
async def test_who_said_stop_keeps_it_in_the_lane_of_stops_too(at: Desk, *, is_heard: bool) -> None:
    await opt_out(at)
    told = [updated(), wrote(NEW)]
    if is_heard:
        [ref, _] = await at.sent()
        receipts = body(statuses=[status("delivered", now(), wamid="wamid.A", ref=ref)])
        told = [beside(receipts, each) for each in told]
    async with at.store.connection() as rooms:
        await rooms.deliveries.append_deliveries(told, urgent=[may_say_stop(raw) for raw in told])
    await UrgentLane(at.store, now=now(), hash_key=KEY).take_turn(is_patient=not is_heard)
    heir = await contact(at, NEW)
    assert heir is not None
    assert heir["marketing_consent"] == "OPTED_OUT"
    waiting = "SELECT count(*) FROM webhook_deliveries WHERE apply_time IS NULL"
    assert await at.value(waiting) == (2 if is_heard else 0)
    await at.apply()
    assert (await at.value(waiting), await contact(at, NEW)) == (0, heir)


@pytest.mark.parametrize("tell", [updated, noticed], ids=["update", "sentence"])
async def test_who_is_erased_after_the_change_is_taken_out_of_what_told_it(at: Desk, tell: Callable[[], bytes]) -> None:
    await at.deliver(tell())
    moved = await contact(at, NEW)
    assert moved is not None
    await erase_contact(at, moved["id"])
    left = await bodies(at)
    for word in (OLD, NEW, NAME):
        assert word.encode() not in left


@pytest.mark.parametrize("tell", [updated, noticed], ids=["update", "sentence"])
async def test_who_is_nobody_to_us_is_taken_out_at_once(at: Desk, tell: Callable[[], bytes]) -> None:
    known = await contact(at, OLD)
    assert known is not None
    await erase_contact(at, known["id"])
    await at.deliver(tell())
    assert await at.value("SELECT count(*) FROM interactions") == 0
    left = await bodies(at)
    for word in (OLD, NEW, NAME):
        assert word.encode() not in left
