"""Contacts on the wire: what a row says is said, field by field, alone and on a page."""

from datetime import UTC, datetime, timedelta

from chappe.v1 import contacts_pb2, contacts_service_pb2
from hypothesis import given
from hypothesis import strategies as st

from core.domain.contacts import Contact, MarketingConsent, WhatsappState
from server.wire import contacts, names, times

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 10**15).map(lambda microseconds: NOW + timedelta(microseconds=microseconds))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SAME = ("display_name", "language_code", "time_zone", "attributes", "consent_source")
TIMES = ("consent_time", "create_time", "update_time")
CONTACTS = st.builds(
    Contact,
    id=st.uuids(),
    phone_number=st.none() | TEXTS,
    whatsapp_user_id=st.none() | TEXTS,
    display_name=TEXTS,
    language_code=TEXTS,
    time_zone=TEXTS,
    attributes=st.dictionaries(TEXTS, TEXTS, max_size=3),
    whatsapp_state=st.sampled_from(WhatsappState),
    marketing_consent=st.sampled_from(MarketingConsent),
    consent_time=st.none() | MOMENTS,
    consent_source=TEXTS,
    create_time=MOMENTS,
    update_time=MOMENTS,
    categories=st.lists(st.uuids(), max_size=3).map(tuple),
)


@given(CONTACTS)
def test_a_contact_says_on_the_wire_what_its_row_says(written: Contact) -> None:
    seen = contacts.contact(written)
    assert names.parse_contact(seen.name) == written.id
    assert (seen.phone_number, seen.whatsapp_user_id) == (written.phone_number or "", written.whatsapp_user_id or "")
    assert {name: getattr(seen, name) for name in SAME} == {name: getattr(written, name) for name in SAME}
    assert {name: times.read_field_time(seen, name) for name in TIMES} == {
        name: getattr(written, name) for name in TIMES
    }
    assert tuple(names.parse_category(name) for name in seen.categories) == written.categories
    asked = contacts_service_pb2.ContactFilter(
        whatsapp_state=seen.whatsapp_state, marketing_consent=seen.marketing_consent
    )
    read = contacts.read_filter(asked)
    assert (read.whatsapp_state, read.marketing_consent) == (written.whatsapp_state, written.marketing_consent)


@given(st.lists(CONTACTS, max_size=3))
def test_a_page_says_of_each_contact_what_it_says_alone(written: list[Contact]) -> None:
    page = contacts_service_pb2.ListContactsResponse(contacts=contacts.contacts(written))
    assert list(page.contacts) == [contacts.contact(each) for each in written]


def test_every_field_of_a_contact_is_written() -> None:
    known = {field.name for field in contacts_pb2.Contact.DESCRIPTOR.fields}
    blank = Contact(
        id=names.parse_contact("contacts/0197f9a0-0000-7000-8000-000000000001"), phone_number=None,
        whatsapp_user_id=None, display_name="", language_code="", time_zone="", attributes={},
        whatsapp_state=WhatsappState.UNKNOWN, marketing_consent=MarketingConsent.UNKNOWN, consent_time=None,
        consent_source="", create_time=NOW, update_time=NOW,
    )  # fmt: skip
    assert set(contacts.contact_fields(blank, times.repeated())) == known
