"""The one place that composes SQL: conditions made of constants and numbered parameters, never of input."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from core.domain.contact_lists import Entry
from core.domain.contacts import ContactFilter, MarketingConsent, WhatsappState

# The greatest character there is: a prefix followed by it ends the range of what begins with the prefix.
_LAST_LETTER: Final = "\U0010ffff"

# States are literals, so that the planner sees what an index holds.
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
_PHONE_PREFIX: Final = 'contacts.phone_number COLLATE "C" >= {} AND contacts.phone_number COLLATE "C" < {}'
_NAME_PREFIX: Final = (
    'lower(contacts.display_name) COLLATE "C" >= lower({}) AND lower(contacts.display_name) COLLATE "C" < lower({})'
)
# A subquery that yields a value is asked for each contact; EXISTS would be turned into a walk of the whole category.
_CATEGORY: Final = (
    "(SELECT true FROM category_contacts WHERE category_id = {} AND contact_id = contacts.id LIMIT 1) IS TRUE"
)
_AFTER: Final = {
    Entry.PHONE_NUMBER: 'contacts.phone_number COLLATE "C" > {}',
    Entry.DISPLAY_NAME: '(lower(contacts.display_name) COLLATE "C", contacts.id) > ({}, {})',
}
_AFTER_ID: Final = "contacts.id > {}"
_ORDERS: Final = {
    Entry.PHONE_NUMBER: 'contacts.phone_number COLLATE "C",',
    Entry.DISPLAY_NAME: 'lower(contacts.display_name) COLLATE "C",',
}

Condition = tuple[str, tuple[object, ...]]
Part = Callable[[ContactFilter], Iterator[Condition]]


@dataclass(slots=True)
class Composed:
    """A statement whose marks are filled one after another, and its arguments so far."""

    statement: str
    arguments: list[object] = field(default_factory=list)

    def fill(self, mark: str, conditions: Iterable[Condition]) -> "Composed":
        """Puts the conditions, each joined by AND, at every place of the mark."""
        written = []
        for condition, values in conditions:
            first = len(self.arguments) + 1
            written.append("AND " + condition.format(*(f"${first + each}" for each in range(len(values)))))
            self.arguments.extend(values)
        self.statement = self.statement.replace(f"/* {mark} */", "\n    ".join(written))
        return self

    def order(self, order: Entry) -> "Composed":
        """Says in which order the rows are wanted, before that of ids."""
        self.statement = self.statement.replace("/* order */", _ORDERS.get(order, ""))
        return self


def states(selected: ContactFilter) -> Iterator[Condition]:
    """Yields the conditions on states."""
    if selected.whatsapp_state is not None:
        yield _WHATSAPP_STATES[selected.whatsapp_state], ()
    if selected.marketing_consent is not None:
        yield _CONSENTS[selected.marketing_consent], ()


def category(selected: ContactFilter) -> Iterator[Condition]:
    """Yields the condition on the category."""
    if selected.category_id is not None:
        yield _CATEGORY, (selected.category_id,)


def phone_number(selected: ContactFilter) -> Iterator[Condition]:
    """Yields the condition on the number's beginning."""
    if selected.phone_number_prefix:
        yield _PHONE_PREFIX, range_of(selected.phone_number_prefix)


def display_name(selected: ContactFilter) -> Iterator[Condition]:
    """Yields the condition on the name's beginning."""
    if selected.display_name_prefix:
        yield _NAME_PREFIX, range_of(selected.display_name_prefix)


def after(order: Entry, key: tuple[str | UUID, ...] | None) -> Iterator[Condition]:
    """Yields the condition that a list in this order goes on behind the key."""
    if key is not None:
        yield _AFTER.get(order, _AFTER_ID), key


def conditions(selected: ContactFilter, *parts: Part) -> Iterator[Condition]:
    """Yields the conditions of some parts of the filter."""
    for part in parts:
        yield from part(selected)


def pairs_of_states(selected: ContactFilter) -> tuple[list[str], list[str]]:
    """Returns the consents and the WhatsApp states that match: the one asked for, or all there are."""
    consents = [selected.marketing_consent] if selected.marketing_consent else list(MarketingConsent)
    known = [selected.whatsapp_state] if selected.whatsapp_state else list(WhatsappState)
    return [str(consent) for consent in consents], [str(state) for state in known]


def range_of(prefix: str) -> tuple[str, str]:
    """Returns the first text that begins with the prefix and one behind the last."""
    return prefix, prefix + _LAST_LETTER
