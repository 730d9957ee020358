"""Names of resources on the wire: `contacts/{id}` and the like, to ids and back."""

from uuid import UUID

from core.domain.errors import InvalidArgument, Violation
from core.domain.ids import parse_id

# Ids are written as texts (`!s`), which takes half as long as asking each how it is to be formatted: a page of messages
# holds thousands.


def contact_name(contact_id: UUID) -> str:
    """Names a contact."""
    return f"contacts/{contact_id!s}"


def category_name(category_id: UUID) -> str:
    """Names a category."""
    return f"categories/{category_id!s}"


def template_name(template_id: UUID) -> str:
    """Names a template."""
    return f"templates/{template_id!s}"


def sender_name(sender_id: UUID) -> str:
    """Names a sender."""
    return f"senders/{sender_id!s}"


def campaign_name(campaign_id: UUID) -> str:
    """Names a campaign."""
    return f"campaigns/{campaign_id!s}"


def message_name(campaign_id: UUID, message_id: UUID) -> str:
    """Names a message, which lives in its campaign."""
    return message_in(campaign_name(campaign_id), message_id)


def message_in(campaign: str, message_id: UUID) -> str:
    """Names a message of the campaign with that name."""
    return f"{campaign}/messages/{message_id!s}"


def campaign_stats_name(campaign_id: UUID) -> str:
    """Names the statistics of a campaign."""
    return f"campaigns/{campaign_id!s}/stats"


def interaction_name(interaction_id: UUID) -> str:
    """Names an interaction."""
    return f"interactions/{interaction_id!s}"


def parse_contact(name: str) -> UUID:
    """Reads the name of a contact; refuses with ``NAME_INVALID``."""
    return _parse(name, "contacts/{id}")[0]


def parse_category(name: str) -> UUID:
    """Reads the name of a category; refuses with ``NAME_INVALID``."""
    return _parse(name, "categories/{id}")[0]


def parse_template(name: str) -> UUID:
    """Reads the name of a template; refuses with ``NAME_INVALID``."""
    return _parse(name, "templates/{id}")[0]


def parse_sender(name: str) -> UUID:
    """Reads the name of a sender; refuses with ``NAME_INVALID``."""
    return _parse(name, "senders/{id}")[0]


def parse_campaign(name: str) -> UUID:
    """Reads the name of a campaign; refuses with ``NAME_INVALID``."""
    return _parse(name, "campaigns/{id}")[0]


def parse_message(name: str) -> tuple[UUID, UUID]:
    """Reads the name of a message as ids of campaign and message; refuses with ``NAME_INVALID``."""
    campaign_id, message_id = _parse(name, "campaigns/{id}/messages/{id}")
    return campaign_id, message_id


def parse_campaign_stats(name: str) -> UUID:
    """Reads the name of a campaign's statistics as the campaign's id; refuses with ``NAME_INVALID``."""
    return _parse(name, "campaigns/{id}/stats")[0]


def _parse(name: str, pattern: str) -> list[UUID]:
    parts, wanted = name.split("/"), pattern.split("/")
    fits = len(parts) == len(wanted) and all(want in (part, "{id}") for part, want in zip(parts, wanted, strict=True))
    if not fits:
        raise _invalid(pattern)
    try:
        return [parse_id(part) for part, want in zip(parts, wanted, strict=True) if want == "{id}"]
    except InvalidArgument:
        raise _invalid(pattern) from None


def _invalid(pattern: str) -> InvalidArgument:
    # What was sent is not repeated: it may hold anything, a phone number too.
    description = f"A name of the form {pattern} is needed; ids are lower-case UUIDs."
    violation = Violation(field="name", description=description, reason="NAME_INVALID")
    return InvalidArgument("NAME_INVALID", description, violations=[violation], pattern=pattern)
