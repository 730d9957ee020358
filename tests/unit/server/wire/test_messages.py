"""Messages and interactions on the wire: whatever a row may hold can be written, and nothing of it gets lost."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from chappe.v1 import messages_pb2, messages_service_pb2
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st

from core.domain.contacts import Contact, MarketingConsent, WhatsappState
from core.domain.interactions import Interaction, InteractionCounts, InteractionKind
from core.domain.message_lists import Message
from core.domain.messages import MessageState
from core.whatsapp.errors import words
from server.wire import interactions, messages, names, times

NOW = datetime(2026, 1, 1, tzinfo=UTC)
IDS = st.uuids(version=None)
MOMENTS = st.integers(0, 10**15).map(lambda microseconds: NOW + timedelta(microseconds=microseconds))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
MESSAGES = st.builds(
    Message,
    campaign_id=IDS,
    id=IDS,
    contact_id=st.none() | IDS,
    sender_id=IDS,
    template_id=st.none() | IDS,
    state=st.sampled_from(MessageState),
    reason=TEXTS,
    error_code=st.integers(0, 2**31 - 1),
    error_title=TEXTS,
    attempt=st.integers(0, 100),
    retry_count=st.integers(0, 100),
    whatsapp_message_id=st.none() | TEXTS,
    not_before_time=MOMENTS,
    create_time=MOMENTS,
    **{
        name: st.none() | MOMENTS
        for name in ("doubt_time", "accept_time", "send_time", "deliver_time", "read_time", "fail_time")
    },
)
INTERACTIONS = st.builds(
    Interaction,
    id=IDS,
    whatsapp_message_id=TEXTS,
    sender_id=IDS,
    contact_id=st.none() | IDS,
    campaign_id=st.none() | IDS,
    message_id=st.none() | IDS,
    kind=st.sampled_from(InteractionKind),
    text=TEXTS,
    payload=st.dictionaries(TEXTS, JSON, max_size=3),
    interaction_time=MOMENTS,
    create_time=MOMENTS,
)


def contact(contact_id: UUID) -> Contact:
    return Contact(
        id=contact_id, phone_number="+4917000000", whatsapp_user_id=None, display_name="Ann", language_code="",
        time_zone="", attributes={}, whatsapp_state=WhatsappState.UNKNOWN, marketing_consent=MarketingConsent.UNKNOWN,
        consent_time=None, consent_source="", create_time=NOW, update_time=NOW,
    )  # fmt: skip


@given(MESSAGES)
def test_a_message_says_on_the_wire_what_its_row_says(written: Message) -> None:
    seen = messages.message(written, None)
    assert names.parse_message(seen.name) == (written.campaign_id, written.id)
    assert (names.parse_contact(seen.contact) if seen.contact else None) == written.contact_id
    assert (names.parse_template(seen.template) if seen.template else None) == written.template_id
    assert messages.read_state(seen.state) is written.state
    assert (seen.reason, seen.error_code, seen.attempt) == (written.reason, written.error_code, written.attempt)
    assert (seen.retry_count, seen.whatsapp_message_id) == (written.retry_count, written.whatsapp_message_id or "")
    assert names.parse_sender(seen.sender) == written.sender_id
    for name in ("doubt_time", "accept_time", "send_time", "deliver_time", "read_time", "fail_time", "create_time"):
        assert times.read_field_time(seen, name) == getattr(written, name)
    assert seen.error_title == (written.error_title or (words(written.error_code) if written.error_code else ""))
    next_try = written.not_before_time if written.state is MessageState.PENDING else None
    assert times.read_field_time(seen, "not_before_time") == next_try


@given(st.lists(MESSAGES, max_size=4))
def test_each_message_of_a_page_gets_the_contact_it_went_to(written: list[Message]) -> None:
    known = {each.contact_id: contact(each.contact_id) for each in written[::2] if each.contact_id is not None}
    page = messages_service_pb2.ListMessagesResponse(messages=messages.messages(written, known)).messages
    for before, seen in zip(written, page, strict=True):
        addressee = known.get(before.contact_id) if before.contact_id else None
        assert seen == messages.message(before, addressee)
        assert seen.HasField("contact_detail") == (addressee is not None)
        assert seen.contact_detail.name == (names.contact_name(addressee.id) if addressee else "")


@given(INTERACTIONS)
def test_an_interaction_says_on_the_wire_what_its_row_says(written: Interaction) -> None:
    seen = interactions.interaction(written)
    assert seen.name == f"interactions/{written.id}"
    assert interactions.read_kind(seen.kind) is written.kind
    assert (seen.text, MessageToDict(seen.payload)) == (written.text, as_numbers(written.payload))
    is_attributed = written.campaign_id is not None and written.message_id is not None
    assert bool(seen.message) == is_attributed
    assert times.read_field_time(seen, "interaction_time") == written.interaction_time


def test_a_filter_that_is_not_set_means_any() -> None:
    assert messages.read_state(messages_pb2.Message.STATE_UNSPECIFIED) is None
    assert interactions.read_kind(messages_pb2.Interaction.KIND_UNSPECIFIED) is None


def test_kinds_are_counted_most_first() -> None:
    kinds = {InteractionKind.TEXT: 2, InteractionKind.ORDER: 5, InteractionKind.BUTTON: 2}
    seen = interactions.interaction_counts(InteractionCounts(kinds=kinds, interaction_count=9, contact_count=4))
    assert [each.interaction_count for each in seen.kinds] == [5, 2, 2]
    assert (seen.interaction_count, seen.contact_count) == (9, 4)


def as_numbers(value: Any) -> Any:
    """Turns whole numbers into what JSON's one kind of number makes of them."""
    match value:
        case bool():
            return value
        case int():
            return float(value)
        case dict():
            return {key: as_numbers(each) for key, each in value.items()}
        case list():
            return [as_numbers(each) for each in value]
        case _:
            return value
