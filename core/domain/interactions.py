"""What a person did: wrote, tapped, reacted. Rules of attribution and of the 24 hours in which we may answer freely."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

# How long after a person wrote their contact may be sent free-form messages.
SERVICE_WINDOW: Final = timedelta(hours=24)

# A reply that quotes nothing belongs to the latest message the contact got from that sender within this time.
ATTRIBUTION_WINDOW: Final = timedelta(hours=72)


class InteractionKind(StrEnum):
    """Names what the person did."""

    TEXT = "TEXT"
    BUTTON = "BUTTON"
    REACTION = "REACTION"
    MEDIA = "MEDIA"
    LOCATION = "LOCATION"
    CONTACTS = "CONTACTS"
    ORDER = "ORDER"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Says who someone is to WhatsApp: a phone number in E.164, a WhatsApp user id, or both; empty when unknown."""

    phone_number: str = field(default="", repr=False)
    whatsapp_user_id: str = field(default="", repr=False)
    display_name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """Holds one thing a person did, as WhatsApp told it; `context` is the id of what it answers, empty if none.

    A notice is WhatsApp's own word about a person or an earlier message: it opens no window and makes no contact.
    """

    whatsapp_message_id: str
    phone_number_id: str
    person: Person
    kind: InteractionKind
    interaction_time: datetime
    text: str = field(default="", repr=False)
    payload: Mapping[str, Any] = field(default_factory=dict, repr=False)
    context: str = ""
    is_notice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInteraction:
    """Holds an interaction about to be kept, with all that it is attributed to."""

    whatsapp_message_id: str
    sender_id: UUID
    kind: InteractionKind
    interaction_time: datetime
    contact_id: UUID | None = None
    campaign_id: UUID | None = None
    message_id: UUID | None = None
    text: str = field(default="", repr=False)
    payload: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """Holds one interaction as it is kept."""

    id: UUID
    whatsapp_message_id: str
    sender_id: UUID
    contact_id: UUID | None
    campaign_id: UUID | None
    message_id: UUID | None
    kind: InteractionKind
    text: str = field(repr=False)
    payload: Mapping[str, Any] = field(repr=False)
    interaction_time: datetime
    create_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionCounts:
    """Counts the interactions of one campaign: by kind, in all, and the different contacts behind them."""

    kinds: Mapping[InteractionKind, int]
    interaction_count: int
    contact_count: int
