"""The contact: a person reachable on WhatsApp, and what may be sent to them."""

import hashlib
import hmac
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from core.domain.errors import InvalidArgument, Violation

LONGEST_NAME: Final = 256
LONGEST_TIME_ZONE: Final = 64
LONGEST_USER_ID: Final = 128
MOST_ATTRIBUTES: Final = 100
LONGEST_KEY: Final = 64
LONGEST_VALUE: Final = 1024
LANGUAGE_CODE: Final = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*")
LONGEST_LANGUAGE_CODE: Final = 35
# On so many days, with nothing that reached the contact in between, WhatsApp must have said that it cannot be reached.
ABSENT_AFTER_DAYS: Final = 2


class WhatsappState(StrEnum):
    """Says what is known of a contact's WhatsApp account."""

    UNKNOWN = "UNKNOWN"
    VERIFIED = "VERIFIED"
    ABSENT = "ABSENT"


class MarketingConsent(StrEnum):
    """Says whether the person agreed to marketing."""

    UNKNOWN = "UNKNOWN"
    OPTED_IN = "OPTED_IN"
    OPTED_OUT = "OPTED_OUT"


class ContactOutcome(StrEnum):
    """Says what was done with a contact that came in."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ContactDraft:
    """Is what a caller may say about a contact; an empty text says nothing."""

    phone_number: str = ""
    whatsapp_user_id: str = ""
    display_name: str = ""
    language_code: str = ""
    time_zone: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


class Contact(NamedTuple):
    """Is one person; ``phone_number`` (E.164) or ``whatsapp_user_id`` may be None, never both.

    Like a message it is a tuple because pages hold many.
    """

    id: UUID
    phone_number: str | None
    whatsapp_user_id: str | None
    display_name: str
    language_code: str
    time_zone: str
    attributes: Mapping[str, str]
    whatsapp_state: WhatsappState
    marketing_consent: MarketingConsent
    consent_time: datetime | None
    consent_source: str
    create_time: datetime
    update_time: datetime
    categories: tuple[UUID, ...] = ()

    def __repr__(self) -> str:
        """Names the contact by its id alone: names and numbers stay out of logs."""
        return f"Contact(id={self.id})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFilter:
    """Selects contacts: every part that is set must match."""

    category_id: UUID | None = None
    whatsapp_state: WhatsappState | None = None
    marketing_consent: MarketingConsent | None = None
    phone_number_prefix: str = ""
    display_name_prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ConsentRecord:
    """Is a person's yes or no to marketing, with where it was given and what proves it; see ``person_hash``.

    ``contact_id`` is None for a person who is no contact (any more).
    """

    contact_id: UUID | None
    person_hash: bytes
    consent: MarketingConsent
    source: str
    evidence: str = ""
    event_time: datetime


def may_receive(template_category: str, consent: MarketingConsent | str) -> bool:
    """Tells whether a template of that category may go to a contact of that consent; a no counts for marketing."""
    return template_category != "MARKETING" or consent != MarketingConsent.OPTED_OUT


def person_hash(key: bytes, identity: str) -> bytes:
    """Returns the keyed hash by which an erased person is known again.

    ``identity`` is the phone number in E.164 or, without one, WhatsApp's id of the person.
    """
    return hmac.digest(key, identity.encode(), hashlib.sha256)


def person_hashes(key: bytes, *identities: str | None) -> tuple[bytes, ...]:
    """Returns the hash of each identity a person has; the phone number comes first."""
    return tuple(person_hash(key, identity) for identity in identities if identity)


def merge_draft(contact: Contact, said: ContactDraft, *, changed: Set[str]) -> ContactDraft:
    """Returns all that callers may set of a contact, the changed fields as now said."""
    kept = {
        "phone_number": contact.phone_number or "",
        "whatsapp_user_id": contact.whatsapp_user_id or "",
        "display_name": contact.display_name,
        "language_code": contact.language_code,
        "time_zone": contact.time_zone,
    }
    texts = {field: getattr(said, field) if field in changed else value for field, value in kept.items()}
    attributes = said.attributes if "attributes" in changed else contact.attributes
    return ContactDraft(**texts, attributes=attributes)


def check_event_time(event_time: datetime, *, now: datetime) -> None:
    """Refuses a consent given in the future with ``EVENT_TIME_INVALID``."""
    if event_time > now:
        text = "A consent cannot have been given in the future."
        violation = Violation(field="event_time", description=text, reason="EVENT_TIME_INVALID")
        raise InvalidArgument("EVENT_TIME_INVALID", text, violations=[violation])


def check_reachable(draft: ContactDraft) -> None:
    """Refuses a contact without phone number and WhatsApp id with ``PHONE_NUMBER_MISSING``."""
    if not draft.phone_number and not draft.whatsapp_user_id:
        text = "A contact needs a phone_number or a whatsapp_user_id."
        violation = Violation(field="contact.phone_number", description=text, reason="PHONE_NUMBER_MISSING")
        raise InvalidArgument("PHONE_NUMBER_MISSING", text, violations=[violation])
