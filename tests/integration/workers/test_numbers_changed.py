"""People who change their number: the contact moves with all that is known of it, and nobody is overwritten."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from core.clock import SystemClock
from core.domain.contacts import person_hash
from tests.helpers.receiving import KEY, Desk, desk
from tests.helpers.webhook_bodies import body, reply, status

OLD, NEW, OTHER = "+491700000001", "+491700000009", "+491700000002"


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, [OLD, OTHER]) as made:
        yield made


def changed(before: str = OLD, after: str = NEW, *, wamid: str = "wamid.sys", **system: Any) -> bytes:
    told = {"type": "user_changed_number", "body": "changed", "wa_id": after[1:], **system}
    message = reply("", SystemClock().now(), wamid=wamid, phone=before)
    return body(messages=[{**message, "type": "system", "system": told}])


async def contact(at: Desk, number: str) -> dict[str, Any] | None:
    row = await at.plan.connection.fetchrow("SELECT * FROM contacts WHERE phone_number = $1", number)
    return dict(row) if row else None


async def test_a_contact_moves_to_the_new_number_with_its_choice_and_the_proof_of_it(at: Desk) -> None:
    await at.value(
        "UPDATE contacts SET display_name = 'Ann', whatsapp_user_id = 'DE.old', marketing_consent = 'OPTED_OUT',"
        " consent_source = 'phone', consent_time = now() WHERE phone_number = $1", OLD,
    )  # fmt: skip
    before = await contact(at, OLD)
    assert before is not None
    await at.deliver(changed(user_id="DE.new"))
    moved = await contact(at, NEW)
    assert moved is not None
    assert (moved["id"], moved["display_name"], moved["whatsapp_user_id"]) == (before["id"], "Ann", "DE.new")
    assert (moved["marketing_consent"], moved["consent_source"]) == ("OPTED_OUT", "phone")
    assert await contact(at, OLD) is None
    query = "SELECT count(*) FROM consent_events WHERE person_hash = $1 AND evidence = 'wamid.sys'"
    assert await at.value(query, person_hash(KEY, NEW)) == 1


async def test_an_opt_out_that_is_known_of_the_new_number_alone_counts_for_the_contact(at: Desk) -> None:
    choice = {"wa_id": NEW[1:], "value": "stop", "timestamp": int(SystemClock().now().timestamp())}
    await at.deliver(body("user_preferences", user_preferences=[choice]))
    await at.value(
        """UPDATE contacts SET marketing_consent = 'OPTED_IN', consent_time = now() - interval '1 hour'
        WHERE phone_number = $1""",
        OLD,
    )
    await at.deliver(changed())
    moved = await contact(at, NEW)
    assert moved is not None
    assert moved["marketing_consent"] == "OPTED_OUT"
    states = "SELECT messages.state || ' ' || reason FROM messages WHERE contact_id = $1"
    assert await at.value(states, moved["id"]) == "SKIPPED OPTED_OUT"


async def test_it_moves_once_however_often_it_is_told(at: Desk) -> None:
    await at.deliver(changed(), changed())
    assert await contact(at, NEW) is not None
    await at.deliver(changed(before=NEW, after=OLD, wamid="wamid.back"))
    await at.deliver(changed())
    assert await contact(at, OLD) is not None
    assert await contact(at, NEW) is None


async def test_where_the_new_number_is_a_contact_already_that_one_stands_in_for_both(at: Desk) -> None:
    await at.value(
        """WITH made AS (INSERT INTO categories (display_name) VALUES ('VIP') RETURNING id)
        INSERT INTO category_contacts SELECT made.id, contacts.id FROM made, contacts WHERE phone_number = $1""", OLD,
    )  # fmt: skip
    await at.value(
        "UPDATE contacts SET marketing_consent = 'OPTED_OUT', consent_time = now() WHERE phone_number = $1", OLD
    )
    await at.deliver(changed(after=OTHER))
    old, heir = await contact(at, OLD), await contact(at, OTHER)
    assert old is not None
    assert heir is not None
    assert (old["whatsapp_state"], heir["marketing_consent"]) == ("ABSENT", "OPTED_OUT")
    assert await at.value("SELECT count(*) FROM category_contacts WHERE contact_id = $1", heir["id"]) == 1


async def test_nothing_that_waits_for_a_number_given_up_is_sent(at: Desk) -> None:
    await at.value("UPDATE templates SET template_category = 'UTILITY'")
    await at.deliver(changed(after=OTHER))
    states = """SELECT messages.state || ' ' || reason FROM messages JOIN contacts ON contacts.id = contact_id
        WHERE phone_number = $1"""
    assert (await at.value(states, OLD), await at.value(states, OTHER)) == ("SKIPPED NO_WHATSAPP", "PENDING ")


async def test_words_from_the_old_number_beside_the_change_do_not_bring_it_back(at: Desk) -> None:
    words = body(messages=[reply("I have a new number", SystemClock().now(), wamid="wamid.in", phone=OLD)])
    await at.deliver(words, changed(after=OTHER))
    await at.deliver(words)
    old = await contact(at, OLD)
    assert old is not None
    assert old["whatsapp_state"] == "ABSENT"


async def test_what_the_old_number_got_before_does_not_bring_it_back_however_often_it_is_told(at: Desk) -> None:
    refs = await at.sent()
    got = [status("delivered", SystemClock().now(), wamid=f"wamid.{ref.message_id}", ref=ref) for ref in refs]
    await at.deliver(body(statuses=got))
    await at.deliver(changed(after=OTHER))
    await at.deliver(body(statuses=got))
    old = await contact(at, OLD)
    assert old is not None
    assert old["whatsapp_state"] == "ABSENT"


async def test_a_new_id_alone_leaves_the_number(at: Desk) -> None:
    await at.value("UPDATE contacts SET whatsapp_user_id = 'DE.old' WHERE phone_number = $1", OLD)
    message = {"id": "wamid.sys", "timestamp": str(int(SystemClock().now().timestamp())), "type": "system"}
    system = {"type": "user_changed_user_id", "previous_user_id": "DE.old", "user_id": "DE.new"}
    await at.deliver(body(messages=[{**message, "system": system}]))
    moved = await contact(at, OLD)
    assert moved is not None
    assert moved["whatsapp_user_id"] == "DE.new"


async def test_a_notice_opens_no_window_and_makes_no_contact(at: Desk) -> None:
    await at.deliver(changed(), changed(before="+491788888888", after="+491799999999", wamid="wamid.other"))
    assert await at.value("SELECT count(*) FROM service_windows") == 0
    assert await at.value("SELECT count(*) FROM contacts") == 2
