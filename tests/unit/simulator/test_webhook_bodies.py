"""The exact bytes of webhooks and their signature."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from simulator.accounts import Number
from simulator.ledger import Message
from simulator.seed import build, demo_seed
from simulator.settings import Settings, Webhooks, patch
from simulator.webhook_bodies import Update, escape, render, sign

ACCOUNTS = build(demo_seed())


def _message(number: Number, *, wa_id: str = "15550100777", user_id: str = "", callback_data: str = "ü/1") -> Message:
    return Message(
        index=0,
        wamid="wamid.A",
        number=number,
        to="15550100777",
        person="15550100777",
        wa_id=wa_id,
        user_id=user_id,
        kind="template",
        category="marketing",
        callback_data=callback_data,
        accept_time=0.0,
    )


def _update(message: Message, status: str, code: int = 0) -> Update:
    return Update(
        waba=message.number.waba, number=message.number, time=1_760_000_000.9, message=message, status=status, code=code
    )


def _numbers() -> list[Number]:
    return list(ACCOUNTS.numbers.values())


def test_a_body_is_ascii_with_the_escapes_of_meta() -> None:
    body = escape({"a": "ä/<%@>\u20ac\n"})
    assert body == b'{"a":"\\u00e4\\/\\u003C\\u0025\\u0040>\\u20ac\\n"}'
    assert json.loads(body) == {"a": "ä/<%@>\u20ac\n"}


def test_a_backslash_before_a_slash_survives_the_escapes() -> None:
    assert json.loads(escape({"a": "\\/ \\u003C"})) == {"a": "\\/ \\u003C"}


def test_the_signature_is_over_the_exact_bytes() -> None:
    body = escape({"url": "https://example.com/ü"})
    expected = hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    assert sign(body, b"secret") == f"sha256={expected}"
    assert sign(json.dumps(json.loads(body)).encode(), b"secret") != sign(body, b"secret")


def test_statuses_of_one_number_share_a_change_up_to_the_setting() -> None:
    message = _message(_numbers()[0])
    updates = [_update(message, "sent") for _ in range(5)]
    body = json.loads(render(updates, Webhooks(statuses_per_change=2)))
    (entry,) = body["entry"]
    assert [len(change["value"]["statuses"]) for change in entry["changes"]] == [2, 2, 1]


def test_two_numbers_of_one_account_get_a_change_each() -> None:
    first, second = _numbers()
    body = json.loads(render([_update(_message(first), "sent"), _update(_message(second), "sent")], Webhooks()))
    changes = body["entry"][0]["changes"]
    assert [change["value"]["metadata"]["phone_number_id"] for change in changes] == [first.id, second.id]


def test_a_failed_status_has_errors_and_no_contact() -> None:
    value = _value_of("failed", code=131026)
    assert "contacts" not in value
    assert value["statuses"][0]["errors"][0]["code"] == 131026
    assert value["statuses"][0]["biz_opaque_callback_data"] == "ü/1"


def test_a_sent_status_has_a_price_and_a_contact() -> None:
    value = _value_of("sent")
    assert value["statuses"][0]["pricing"]["category"] == "marketing"
    assert value["contacts"][0]["wa_id"] == "15550100777"


def _value_of(status: str, *, code: int = 0, **changes: str) -> dict[str, Any]:
    body = render([_update(_message(_numbers()[0], **changes), status, code)], Webhooks())
    return dict(json.loads(body)["entry"][0]["changes"][0]["value"])


def test_a_price_is_on_the_first_of_delivered_and_read_only() -> None:
    message = _message(_numbers()[0])
    message.history.extend(["sent", 1.0, "delivered", 2.0, "read", 3.0])
    updates = [_update(message, status) for status in ("delivered", "read")]
    statuses = json.loads(render(updates, Webhooks()))["entry"][0]["changes"][0]["value"]["statuses"]
    assert ["pricing" in status for status in statuses] == [True, False]


def test_a_person_known_by_user_id_only_has_no_recipient_id() -> None:
    status = _value_of("sent", wa_id="", user_id="US.123")["statuses"][0]
    assert "recipient_id" not in status
    assert status["recipient_user_id"] == "US.123"


def _webhooks(style: str) -> Webhooks:
    settings = Settings()
    patch(settings, {"webhooks": {"timestamps": style}})
    return settings.webhooks


@pytest.mark.parametrize(
    ("style", "expected"), [("seconds", "1760000000"), ("number", 1760000000), ("milliseconds", "1760000000900")]
)
def test_timestamps_can_be_written_in_three_ways(style: str, expected: object) -> None:
    body = render([_update(_message(_numbers()[0]), "sent")], _webhooks(style))
    assert json.loads(body)["entry"][0]["changes"][0]["value"]["statuses"][0]["timestamp"] == expected


def test_the_time_of_an_entry_is_on_account_fields_only() -> None:
    number = _numbers()[0]
    update = Update(waba=number.waba, number=None, time=1_760_000_000.5, field="account_update", value={"event": "X"})
    (entry,) = json.loads(render([update], Webhooks()))["entry"]
    assert entry["time"] == 1_760_000_000
    assert entry["changes"] == [{"value": {"event": "X"}, "field": "account_update"}]
