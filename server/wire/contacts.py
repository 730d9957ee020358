"""Contacts in the words of the contract, both ways."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from chappe.v1 import contacts_pb2, contacts_service_pb2

from core.domain.contacts import Contact, ContactDraft, ContactFilter, ContactOutcome, MarketingConsent, WhatsappState
from core.domain.errors import InvalidArgument, Violation
from core.domain.phone import parse_phone
from server.wire import names, times

SETTABLE: Final = frozenset(
    {"phone_number", "whatsapp_user_id", "display_name", "language_code", "time_zone", "attributes"}
)
# Looked up for each row of a page: asking the descriptor takes ten times as long.
_WHATSAPP_STATES: Final = {
    state: contacts_pb2.Contact.WhatsappState.Value(f"WHATSAPP_STATE_{state}") for state in WhatsappState
}
_CONSENTS: Final = {
    consent: contacts_pb2.Contact.MarketingConsent.Value(f"MARKETING_CONSENT_{consent}") for consent in MarketingConsent
}


def contact(written: Contact) -> contacts_pb2.Contact:
    """Writes a contact."""
    return contacts_pb2.Contact(**contact_fields(written, times.repeated()))


def contacts(written: Iterable[Contact]) -> Iterator[Any]:
    """Writes contacts for a reply that holds many: as mappings, which protobuf builds where they belong.

    Built one by one they would be copied into the reply, and each of their times into them before. Each mapping is
    made when protobuf takes it and gone before the next, so that a page is never held three times over.
    """
    moments = times.repeated()
    return (contact_fields(each, moments) for each in written)


def contact_fields(written: Contact, moments: times.RepeatedMoments) -> dict[str, Any]:
    """Writes the fields of a contact; None leaves a field as it is, which costs less than writing nothing into it."""
    (
        contact_id, phone_number, whatsapp_user_id, display_name, language_code, time_zone, attributes, whatsapp_state,
        marketing_consent, consent_time, consent_source, create_time, update_time, categories,
    ) = written  # fmt: skip
    return {
        "name": names.contact_name(contact_id),
        "phone_number": phone_number,
        "whatsapp_user_id": whatsapp_user_id,
        "display_name": display_name or None,
        "language_code": language_code or None,
        "time_zone": time_zone or None,
        "attributes": attributes or None,
        "whatsapp_state": _WHATSAPP_STATES[whatsapp_state],
        "marketing_consent": _CONSENTS[marketing_consent],
        "consent_time": moments.write(consent_time),
        "consent_source": consent_source or None,
        "categories": [names.category_name(category_id) for category_id in categories] if categories else None,
        "create_time": moments.write(create_time),
        "update_time": moments.write(update_time),
    }


def read_contact(proto: contacts_pb2.Contact) -> ContactDraft:
    """Reads what a caller may say about a contact; refuses with ``PHONE_NUMBER_INVALID``."""
    return ContactDraft(
        phone_number=read_phone_number(proto.phone_number),
        whatsapp_user_id=proto.whatsapp_user_id,
        display_name=proto.display_name,
        language_code=proto.language_code,
        time_zone=proto.time_zone,
        attributes=dict(proto.attributes),
    )


def read_phone_number(text: str) -> str:
    """Reads a phone number that begins with +, or none; refuses with ``PHONE_NUMBER_INVALID``."""
    if not text:
        return ""
    try:
        return parse_phone(text)
    except InvalidArgument as refusal:
        described = refusal.message
    if not text.strip().startswith("+"):
        described = "A phone number begins with + and the country code."
    violation = Violation(field="contact.phone_number", description=described, reason="PHONE_NUMBER_INVALID")
    raise InvalidArgument("PHONE_NUMBER_INVALID", described, violations=[violation])


def read_filter(proto: contacts_service_pb2.ContactFilter) -> ContactFilter:
    """Reads which contacts are wanted."""
    return ContactFilter(
        category_id=names.parse_category(proto.category) if proto.category else None,
        whatsapp_state=_whatsapp_state(proto.whatsapp_state) if proto.whatsapp_state else None,
        marketing_consent=read_consent(proto.marketing_consent) if proto.marketing_consent else None,
        phone_number_prefix=proto.phone_number_prefix,
        display_name_prefix=proto.display_name_prefix,
    )


def read_consent(value: contacts_pb2.Contact.MarketingConsent.ValueType) -> MarketingConsent:
    """Reads a consent; what says nothing is UNKNOWN."""
    if not value:
        return MarketingConsent.UNKNOWN
    name = contacts_pb2.Contact.MarketingConsent.Name(value)
    return MarketingConsent(name.removeprefix("MARKETING_CONSENT_"))


def outcome(written: ContactOutcome) -> contacts_service_pb2.ContactOutcome.ValueType:
    """Writes what was done with a contact."""
    return contacts_service_pb2.ContactOutcome.Value(f"CONTACT_OUTCOME_{written}")


def _whatsapp_state(value: contacts_pb2.Contact.WhatsappState.ValueType) -> WhatsappState:
    return WhatsappState(contacts_pb2.Contact.WhatsappState.Name(value).removeprefix("WHATSAPP_STATE_"))
