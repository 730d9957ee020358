"""The one place that composes SQL: conditions made of constants and numbered parameters, never of input."""

from collections.abc import Iterator
from typing import Final

from core.domain.contacts import ContactFilter, MarketingConsent, WhatsappState

_MARK: Final = "/* filters */"
# The greatest character there is: a prefix followed by it ends the range of what begins with the prefix.
_LAST_LETTER: Final = "\U0010ffff"

# States are literals, so that the planner sees that a partial index holds all that is asked for.
_WHATSAPP_STATES: Final = {
    WhatsappState.UNKNOWN: "contacts.whatsapp_state = 'UNKNOWN'",
    WhatsappState.VERIFIED: "contacts.whatsapp_state = 'VERIFIED'",
    WhatsappState.ABSENT: "contacts.whatsapp_state = 'ABSENT'",
}
_CONSENTS: Final = {
    MarketingConsent.UNKNOWN: "contacts.marketing_consent = 'UNKNOWN'",
    MarketingConsent.OPTED_IN: "contacts.marketing_consent = 'OPTED_IN'",
    MarketingConsent.OPTED_OUT: "contacts.marketing_consent = 'OPTED_OUT'",
}
_PHONE_PREFIX: Final = "contacts.phone_number ~>=~ ${0} AND contacts.phone_number ~<~ ${1}"
_NAME_PREFIX: Final = "lower(contacts.display_name) ~>=~ lower(${0}) AND lower(contacts.display_name) ~<~ lower(${1})"


def filter_contacts(statement: str, selected: ContactFilter, *arguments: object) -> tuple[str, list[object]]:
    """Returns the statement with the filter's conditions at its mark, and all its arguments."""
    conditions: list[str] = []
    values = list(arguments)
    for condition, extra in _contact_conditions(selected):
        conditions.append("AND " + condition.format(len(values) + 1, len(values) + 2))
        values.extend(extra)
    return statement.replace(_MARK, "\n    ".join(conditions)), values


def _contact_conditions(selected: ContactFilter) -> Iterator[tuple[str, tuple[str, ...]]]:
    if selected.whatsapp_state is not None:
        yield _WHATSAPP_STATES[selected.whatsapp_state], ()
    if selected.marketing_consent is not None:
        yield _CONSENTS[selected.marketing_consent], ()
    if selected.phone_number_prefix:
        yield _PHONE_PREFIX, _range(selected.phone_number_prefix)
    if selected.display_name_prefix:
        yield _NAME_PREFIX, _range(selected.display_name_prefix)


def _range(prefix: str) -> tuple[str, str]:
    return prefix, prefix + _LAST_LETTER
