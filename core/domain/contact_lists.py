"""Lists of contacts: in which order, by which of several filters they are entered, and where a page ends.

A list with a prefix is in the order of what is searched, any other the oldest first. Filters together may match few of
very many contacts; so a list is entered by a filter that few match, if there is one, and otherwise walked in its order,
never more than ``MOST_WALKED`` contacts for a page: such a page may end early, and the next goes on where it ended.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from core.domain.contacts import Contact, ContactFilter

# Looking at this many takes some 10 ms; the statements that measure and walk name the same number.
MOST_WALKED: Final = 5_000
# A category above this is not walked for those of its members that are in a state, the state is, for its members.
_LARGE_CATEGORY: Final = 100_000


class Entry(StrEnum):
    """Names what a list is entered by; the FEW are collected and then put in order, the others walked in order."""

    ALL = "ALL"
    STATES = "STATES"
    CATEGORY = "CATEGORY"
    PHONE_NUMBER = "PHONE_NUMBER"
    DISPLAY_NAME = "DISPLAY_NAME"
    FEW_IN_CATEGORY = "FEW_IN_CATEGORY"
    FEW_IN_STATES = "FEW_IN_STATES"


@dataclass(frozen=True, slots=True, kw_only=True)
class Widths:
    """Says how many contacts are in the category, and how many, up to ``MOST_WALKED``, are in the states."""

    category: int = 0
    states: int = 0


# Where a list goes on: behind an id, a phone number, or a name in lower case and an id.
ContactKey = tuple[str | UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPage:
    """Holds some contacts and the key of the last one looked at; no key: there are no more."""

    contacts: tuple[Contact, ...]
    next_key: ContactKey | None


def has_states(selected: ContactFilter) -> bool:
    """Tells whether a state is asked for."""
    return selected.whatsapp_state is not None or selected.marketing_consent is not None


def needs_widths(selected: ContactFilter) -> bool:
    """Tells whether it takes the widths to choose an entry: with one filter, or two prefixes, there is one choice."""
    is_searched = bool(selected.phone_number_prefix or selected.display_name_prefix)
    return (selected.category_id is not None) + has_states(selected) + is_searched > 1


def choose_entry(selected: ContactFilter, widths: Widths) -> Entry:
    """Chooses the entry: a category or a state that few match, else the order of the list."""
    if needs_widths(selected):
        if selected.category_id is not None and widths.category < MOST_WALKED:
            return Entry.FEW_IN_CATEGORY
        if has_states(selected) and widths.states < MOST_WALKED:
            return Entry.FEW_IN_STATES
    order = order_of(selected)
    if order is Entry.CATEGORY and has_states(selected) and widths.category > _LARGE_CATEGORY:
        return Entry.STATES
    return order


def order_of(selected: ContactFilter) -> Entry:
    """Names the entry whose order the list has; unless something is searched it is the order of ids."""
    if selected.phone_number_prefix:
        return Entry.PHONE_NUMBER
    if selected.display_name_prefix:
        return Entry.DISPLAY_NAME
    if selected.category_id is not None:
        return Entry.CATEGORY
    return Entry.STATES if has_states(selected) else Entry.ALL
