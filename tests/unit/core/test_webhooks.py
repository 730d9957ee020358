"""The zoo of webhook bodies: each shape in a file of its own, read as what it is; what is unknown is counted."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.interactions import Inbound, InteractionKind
from core.domain.messages import MessageRef, ReceiptState
from core.domain.receipts import Price, Receipt
from core.whatsapp.webhooks import UnreadableBody, Webhook, parse
from tests.helpers.webhook_bodies import body, reply, status

ZOO = Path(__file__).parent / "webhooks"
FILES = sorted(path.stem for path in ZOO.glob("*.json"))
TOLD_AT = datetime.fromtimestamp(1760000010, UTC)


def read(name: str) -> Webhook:
    return parse((ZOO / f"{name}.json").read_bytes())


def receipt(name: str) -> Receipt:
    (found,) = read(name).receipts
    return found


def inbound(name: str) -> Inbound:
    (found,) = read(name).inbounds
    return found


@pytest.mark.parametrize("name", FILES)
def test_every_shape_is_read_without_an_error(name: str) -> None:
    assert isinstance(read(name), Webhook)


def test_a_receipt_carries_our_words_back() -> None:
    found = receipt("receipt_sent")
    assert (found.state, found.whatsapp_message_id, found.receipt_time) == (ReceiptState.SENT, "wamid.A", TOLD_AT)
    assert found.reference == MessageRef(campaign_id=UUID(int=1), message_id=UUID(int=2), attempt=3)


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("receipt_delivered_numeric_time", "DELIVERED"),
        ("receipt_played", "READ"),
        ("receipt_failed", "FAILED"),
        ("receipt_failed_without_errors", "FAILED"),
        ("receipt_user_id_only", "DELIVERED"),
        ("standby_receipt", "DELIVERED"),
    ],
)
def test_receipts_of_every_kind(name: str, state: str) -> None:
    assert (receipt(name).state, receipt(name).receipt_time) == (state, TOLD_AT)


def test_milliseconds_are_told_from_seconds() -> None:
    assert receipt("receipt_read_milliseconds").receipt_time == TOLD_AT.replace(microsecond=123000)


@pytest.mark.parametrize("name", ["receipt_sent", "text", "preference_stop"])
def test_what_has_not_happened_yet_is_taken_to_happen_as_it_comes_and_is_counted(name: str) -> None:
    raw = (ZOO / f"{name}.json").read_bytes()
    found = parse(re.sub(rb"17600000\d\d", b"99999999999", raw), received=TOLD_AT)
    times = [*(one.receipt_time for one in found.receipts), *(one.interaction_time for one in found.inbounds)]
    assert [*times, *(one.event_time for one in found.preferences)] == [TOLD_AT]
    assert found.unknown == {"future timestamp": 1}


def test_whatsapps_clock_may_be_ahead_of_ours() -> None:
    found = parse((ZOO / "receipt_sent.json").read_bytes(), received=TOLD_AT - timedelta(minutes=59))
    assert (found.receipts[0].receipt_time, found.unknown) == (TOLD_AT, {})


def test_a_failure_has_its_code_and_title_and_foreign_callback_data_is_nobodys() -> None:
    found = receipt("receipt_failed")
    assert (found.error_code, found.error_title, found.reference) == (131049, "Healthy ecosystem. (...)", None)


def test_what_whatsapp_charges_for_a_message_is_read_with_its_receipt() -> None:
    assert receipt("receipt_sent").price == Price(is_billable=True, category="marketing")
    assert receipt("receipt_read_milliseconds").price is None


@pytest.mark.parametrize(
    ("pricing", "is_billable"),
    [
        ({"type": "regular"}, True),
        ({"type": "free_customer_service"}, False),
        ({"billable": False, "type": "regular"}, False),
        ({}, False),
    ],
)
def test_a_price_that_does_not_say_whether_it_is_charged_says_so_by_its_type(
    pricing: dict[str, object], *, is_billable: bool
) -> None:
    told = {**status("sent", TOLD_AT, wamid="wamid.A"), "pricing": {"category": "utility", **pricing}}
    (found,) = parse(body(statuses=[told])).receipts
    assert found.price == Price(is_billable=is_billable, category="utility")


@pytest.mark.parametrize("more", [{}, {"type": ""}, {"type": "message"}, {"type": None}])
def test_a_receipt_may_say_that_it_is_of_a_message(more: dict[str, object]) -> None:
    hook = parse(body(statuses=[{**status("failed", TOLD_AT, wamid="wamid.A"), **more}]))
    assert (len(hook.receipts), hook.unknown) == (1, {})


def test_what_failed_beside_a_message_is_no_receipt_of_it() -> None:
    told = {**status("failed", TOLD_AT, wamid="wamid.A"), "type": "payment", "payment": {"sender": "491700000001"}}
    hook = parse(body(statuses=[told]))
    assert (hook.receipts, hook.unknown) == ((), {"receipt payment": 1})
    assert "491700000001" in hook.mentioned


def test_who_of_a_group_got_a_message_is_known_and_found() -> None:
    person = {"recipient_participant_id": "491700000001", "recipient_participant_user_id": "DE.Ann12345"}
    told = {**status("read", TOLD_AT, wamid="wamid.A"), **person, "recipient_identity_key_hash": "x"}
    hook = parse(body(statuses=[told]))
    assert (len(hook.receipts), hook.unknown) == (1, {})
    assert hook.mentioned >= {"491700000001", "DE.Ann12345"}


def test_a_card_that_someone_was_asked_for_is_known() -> None:
    told = {**reply("", TOLD_AT, wamid="wamid.A", phone="+491700000001"), "type": "contacts", "contacts": []}
    del told["text"]
    assert parse(body(messages=[{**told, "origin": "contact_request"}])).unknown == {}


@pytest.mark.parametrize(
    "pricing", [None, 7, [], {}, {"category": 7}, {"category": ["marketing"]}, {"category": "\x00"}]
)
def test_a_price_that_is_none_leaves_the_receipt_as_it_is(pricing: object) -> None:
    document = orjson.loads((ZOO / "receipt_sent.json").read_bytes())
    document["entry"][0]["changes"][0]["value"]["statuses"][0]["pricing"] = pricing
    (found,) = parse(orjson.dumps(document)).receipts
    assert (found.state, found.price) == (ReceiptState.SENT, None)


@pytest.mark.parametrize(
    ("name", "unknown"),
    [
        ("receipt_deleted_legacy", {"legacy receipt": 1}),
        ("receipt_of_unknown_word", {"receipt teleported": 1}),
        ("receipt_without_id", {"unreadable id": 1}),
        ("receipt_with_broken_time", {"unreadable timestamp": 1}),
        ("message_without_id", {"unreadable id": 1}),
        ("field_of_the_future", {"field smart_glasses": 1}),
        ("system_error", {"error 130429": 1}),
        ("preference_signup", {"preference signup": 1}),
        ("standby_receipt", {}),
        ("standby_message", {}),
        ("standby_echo", {"standby message_echoes": 1}),
        ("call_permission_reply", {}),
        ("keys_of_the_future", {"receipt key mood": 1, "message key hologram": 1, "message key weight": 1}),
        ("everything_beside", {}),
        ("image", {}),
        ("system_number_changed", {}),
        ("text", {}),
        ("text_from_hidden_number", {}),
        ("receipt_user_id_only", {}),
    ],
)
def test_what_is_unknown_is_counted(name: str, unknown: dict[str, int]) -> None:
    assert read(name).unknown == unknown


def test_a_broken_item_does_not_keep_its_neighbour_back() -> None:
    assert receipt("receipt_with_broken_time").whatsapp_message_id == "wamid.B"


@pytest.mark.parametrize(
    ("name", "kind", "text", "context"),
    [
        ("text", "TEXT", "Hello", "wamid.A"),
        ("text_with_nul", "TEXT", "ab", ""),
        ("button", "BUTTON", "Stop promotions", "wamid.A"),
        ("button_reply", "BUTTON", "Yes", ""),
        ("list_reply", "BUTTON", "Row", ""),
        ("form_reply", "BUTTON", "Sent", ""),
        ("interactive_unknown", "OTHER", "", ""),
        ("image", "MEDIA", "stop", ""),
        ("audio", "MEDIA", "", ""),
        ("sticker", "MEDIA", "", ""),
        ("reaction", "REACTION", "\U0001f44d", "wamid.A"),
        ("reaction_removed", "REACTION", "", "wamid.A"),
        ("location", "LOCATION", "Paris", ""),
        ("contact_cards", "CONTACTS", "", ""),
        ("order", "ORDER", "please", ""),
        ("system_number_changed", "OTHER", "", ""),
        ("unsupported", "OTHER", "", ""),
        ("revoke", "OTHER", "", ""),
        ("standby_message", "TEXT", "stop", ""),
        ("edit_to_stop", "TEXT", "STOP", ""),
        ("call_permission_reply", "OTHER", "", ""),
        ("type_of_the_future", "OTHER", "", ""),
        ("message_without_type", "OTHER", "", ""),
    ],
)
def test_messages_of_every_kind(name: str, kind: str, text: str, context: str) -> None:
    found = inbound(name)
    assert (found.kind, found.text, found.context) == (InteractionKind(kind), text, context)


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("button", "payload", "STOP"),
        ("button_reply", "payload", "yes"),
        ("form_reply", "response_json", '{"a":1}'),
        ("document", "filename", "a.pdf"),
        ("location", "latitude", 48.85),
        ("contact_cards", "count", 2),
        ("order", "catalog_id", "c1"),
        ("reaction_removed", "removed", True),
        ("unsupported", "type", "unsupported"),
        ("unsupported", "unsupported_type", "poll_creation"),
        ("edit_to_stop", "edited", "wamid.X"),
        ("call_permission_reply", "response", "reject"),
        ("list_reply", "description", "First"),
        ("unsupported", "errors", [{"code": 131051, "title": "Unsupported"}]),
        ("everything_beside", "forwarded", True),
        ("everything_beside", "frequently_forwarded", True),
        ("everything_beside", "referred_product", {"catalog_id": "c1", "product_retailer_id": "p1"}),
        ("everything_beside", "url", "https://lookaside.fbsbx.com/m"),
        (
            "everything_beside",
            "errors",
            [{"code": 131052, "title": "Media download error", "details": "Gone.", "href": "/docs"}],
        ),
        (
            "everything_beside",
            "referral",
            {
                "source_url": "https://fb.me/x", "source_id": "1", "source_type": "ad", "ctwa_clid": "c",
                "headline": "Sale", "body": "All must go", "media_type": "image", "image_url": "https://fb.me/i",
            },
        ),
    ],
)  # fmt: skip
def test_what_else_was_told_is_in_the_payload(name: str, key: str, value: object) -> None:
    assert inbound(name).payload[key] == value


def test_a_person_is_known_by_number_id_and_name() -> None:
    person = inbound("text").person
    assert (person.phone_number, person.whatsapp_user_id, person.display_name) == ("+15550002222", "US.1234", "Ann Lee")


def test_a_person_who_hides_their_number_is_known_by_whatsapps_id() -> None:
    person = inbound("text_from_hidden_number").person
    assert (person.phone_number, person.whatsapp_user_id) == ("", "US.1234")


def test_nothing_personal_is_printed() -> None:
    printed = repr(inbound("text"))
    assert "Hello" not in printed
    assert "5550002222" not in printed


@pytest.mark.parametrize(("name", "consent"), [("preference_stop", "OPTED_OUT"), ("preference_resume", "OPTED_IN")])
def test_a_choice_made_in_whatsapp_is_a_consent(name: str, consent: str) -> None:
    (found,) = read(name).preferences
    assert (found.consent, found.person.phone_number) == (consent, "+15550002222")


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("template_paused", "PAUSED"),
        ("template_rejected", "REJECTED"),
        ("template_quality", "YELLOW"),
        ("template_category", "MARKETING"),
    ],
)
def test_events_of_templates(name: str, event: str) -> None:
    (found,) = read(name).template_events
    assert (found.event, found.event_time) == (event, datetime.fromtimestamp(1760000030, UTC))


@pytest.mark.parametrize("name", ["number_quality", "capability", "account_restricted", "account_banned"])
def test_events_of_accounts_and_numbers(name: str) -> None:
    (found,) = read(name).account_events
    assert found.whatsapp_account_id == "200300"


def test_one_body_may_hold_several_numbers() -> None:
    found = read("two_numbers_in_one_body")
    assert [item.whatsapp_message_id for item in found.receipts] == ["wamid.A", "wamid.B", "wamid.C"]
    assert found.inbounds[0].phone_number_id == "999"


def test_half_a_character_does_not_lose_the_body() -> None:
    whole = (ZOO / "text.json").read_bytes()
    found = parse(whole.replace(b"Hello", b"hi \\ud83d"))
    assert found.inbounds[0].text.startswith("hi ")
    found.inbounds[0].text.encode()


@pytest.mark.parametrize("raw", [b"", b"<html>", b"[]", b"7", b'{"entry":', b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(UnreadableBody):
        parse(raw)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "type", "timestamp", "text", "status"]), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(statuses=json_values, messages=st.lists(json_values, max_size=3), value=json_values)
def test_no_shape_whatever_breaks_the_reader(statuses: object, messages: object, value: object) -> None:
    inner = {
        "statuses": statuses,
        "messages": messages,
        "metadata": {"phone_number_id": "1"},
        "user_preferences": messages,
    }
    changes = [{"field": field, "value": inner} for field in ("messages", "user_preferences", "account_update")]
    parse(orjson.dumps({"entry": [{"id": value, "time": value, "changes": [*changes, value]}, value]}))
