"""Who someone was before, and is now, read from each way in which WhatsApp tells it."""

from typing import Any

import pytest

from core.domain.interactions import Person
from core.whatsapp.webhooks import Webhook, parse
from tests.helpers.receiving import NOW
from tests.helpers.webhook_bodies import body, user_id_update

OLD, NEW = "DE.Old1234567", "DE.New1234567"
SENTENCE = f"User Ann changed from {OLD} to {NEW}"


def told(words: str = SENTENCE, *, message: dict[str, Any] | None = None, **system: Any) -> Webhook:
    found = {"type": "user_changed_user_id", "body": words, "user_id": NEW, **system}
    notice = {"id": "wamid.s", "timestamp": str(int(NOW.timestamp())), "type": "system", "system": found}
    return parse(body(messages=[{**notice, **(message or {})}]))


@pytest.mark.parametrize(
    ("hook", "before"),
    [
        (told(), Person(whatsapp_user_id=OLD)),
        (told(f"User Ann changed from {OLD} to {NEW}."), Person(whatsapp_user_id=OLD)),
        (told(f"User changed from DE.Eve12345 to {NEW} changed from {OLD} to {NEW}"), Person(whatsapp_user_id=OLD)),
        (told("", previous_user_id=OLD), Person(whatsapp_user_id=OLD)),
        (told("", previous_user_id=OLD, message={"from_user_id": NEW}), Person(whatsapp_user_id=OLD)),
        (told(message={"from_user_id": NEW}), Person(whatsapp_user_id=OLD)),
        (told("", message={"from_user_id": OLD}), Person(whatsapp_user_id=OLD)),
        (told("", wa_id="491700000001"), Person(phone_number="+491700000001")),
        (told(wa_id="491700000001"), Person(phone_number="+491700000001", whatsapp_user_id=OLD)),
    ],
)
def test_who_someone_was_is_taken_from_wherever_it_is_told(hook: Webhook, before: Person) -> None:
    [change], [notice] = hook.identity_changes, hook.inbounds
    assert (change.before, change.after.whatsapp_user_id, hook.unknown) == (before, NEW, {})
    assert notice.person == before


@pytest.mark.parametrize(
    "words",
    [
        "",
        "User Ann has a new id",
        f"User Ann changed from Eve to {NEW}",
        f"User Ann changed from {NEW} to {NEW}",
        f"User Ann changed from {OLD} to {OLD}",
        f"User changed from {OLD} to {NEW} changed from 491700000001 to 491700000002",
    ],
)
def test_a_sentence_that_tells_no_old_id_is_counted(words: str) -> None:
    hook = told(words, message={"from_user_id": NEW})
    assert not hook.identity_changes
    assert hook.unknown == {"unreadable system user_changed_user_id": 1}
    assert len(hook.inbounds) == 1


def test_an_update_is_a_notice_of_its_own_that_is_the_same_each_time() -> None:
    raw = body(
        "user_id_update", user_id_update=[user_id_update(OLD, NEW, NOW, parent_user_id={"previous": "DE.ENT.1"})]
    )
    first, again = parse(raw), parse(raw)
    [change], [notice] = first.identity_changes, first.inbounds
    assert (change.before.whatsapp_user_id, change.after.whatsapp_user_id, change.event_time) == (OLD, NEW, NOW)
    assert (notice.whatsapp_message_id, notice.is_notice) == (change.whatsapp_message_id, True)
    assert OLD not in change.whatsapp_message_id
    assert again.identity_changes == first.identity_changes
    assert first.unknown == {}


@pytest.mark.parametrize(
    ("value", "unknown"),
    [
        ({"user_id_update": {"user_id": 7}}, {"unreadable user_id_update": 1}),
        ({"user_id_update": [{"timestamp": "1760000000"}]}, {"unreadable user_id_update": 1}),
        ({"user_id_update": [{"user_id": {"current": NEW}, "timestamp": "1"}]}, {"unreadable user_id_update": 1}),
        ({"user_id_update": [{"user_id": {"previous": OLD, "current": NEW}}]}, {"unreadable timestamp": 1}),
        ({"user_id_update": [{"redacted": True}], "mood": 1}, {"user_id_update mood": 1}),
    ],
)
def test_an_update_that_cannot_be_read_is_counted(value: dict[str, Any], unknown: dict[str, int]) -> None:
    hook = parse(body("user_id_update", **value))
    assert (hook.identity_changes, hook.inbounds, hook.unknown) == ((), (), unknown)
