"""Lists and counts contacts on one connection, whatever filters come together."""

from collections.abc import Sequence

from core.db import Connection, Row
from core.domain.contact_lists import (
    MOST_WALKED,
    ContactKey,
    ContactPage,
    Entry,
    Widths,
    choose_entry,
    needs_widths,
    order_of,
)
from core.domain.contacts import ContactFilter
from core.domain.time_ranges import OLDEST
from core.queries import load
from core.repositories import filters
from core.repositories.contacts import read_contact
from core.repositories.filters import Composed, conditions, range_of

SQL = load("contact_lists")


class ContactLists:
    """Reads pages of contacts: two statements where several filters come together, else one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def read_page(self, selected: ContactFilter, *, size: int, after: ContactKey | None = None) -> ContactPage:
        """Lists contacts that match, behind the key ``after``; see ``core.domain.contact_lists`` for their order."""
        widths = await self.measure_contacts(selected) if needs_widths(selected) else Widths()
        enter = {
            Entry.ALL: self.list_contacts,
            Entry.STATES: self.list_contacts_in_states,
            Entry.CATEGORY: self.list_contacts_in_category,
            Entry.PHONE_NUMBER: self.list_contacts_by_phone_number,
            Entry.DISPLAY_NAME: self.list_contacts_by_display_name,
            Entry.FEW_IN_CATEGORY: self.list_few_contacts_in_category,
            Entry.FEW_IN_STATES: self.list_few_contacts_in_states,
        }[choose_entry(selected, widths)]
        return await enter(selected, size=size, after=after)

    async def list_contacts(
        self, selected: ContactFilter, *, size: int, after: ContactKey | None = None
    ) -> ContactPage:
        """Walks all."""
        composed = Composed(SQL["list_contacts"], [after[0] if after else OLDEST, size + 1])
        return await self._page(composed, selected, size)

    async def measure_contacts(self, selected: ContactFilter) -> Widths:
        """Counts how many contacts match each filter by itself, up to ``MOST_WALKED``."""
        pairs = filters.pairs_of_states(selected)
        row = await self._connection.fetchrow(SQL["measure_contacts"], selected.category_id, *pairs)
        if row is None:
            raise LookupError("The statement returned no widths.")
        return Widths(category=row["category"], states=row["states"])

    async def list_contacts_in_states(
        self, selected: ContactFilter, *, size: int, after: ContactKey | None = None
    ) -> ContactPage:
        """Walks one state, or two together."""
        first = after[0] if after else OLDEST
        most = size + 1 if selected.category_id is None else MOST_WALKED
        composed = Composed(SQL["list_contacts_in_states"], [first, size + 1, most, *filters.pairs_of_states(selected)])
        return await self._page(composed.fill("filters", filters.category(selected)), selected, size)

    async def list_contacts_in_category(
        self, selected: ContactFilter, *, size: int, after: ContactKey | None = None
    ) -> ContactPage:
        """Walks a category."""
        first = after[0] if after else OLDEST
        composed = Composed(SQL["list_contacts_in_category"], [first, size + 1, selected.category_id])
        return await self._page(composed.fill("filters", filters.states(selected)), selected, size)

    async def list_contacts_by_phone_number(
        self, selected: ContactFilter, *, size: int, after: ContactKey | None = None
    ) -> ContactPage:
        """Walks the numbers that begin with the prefix."""
        first = after[0] if after else ""
        arguments: list[object] = [first, size + 1, *range_of(selected.phone_number_prefix)]
        composed = Composed(SQL["list_contacts_by_phone_number"], arguments)
        others = conditions(selected, filters.states, filters.display_name, filters.category)
        return await self._page(composed.fill("filters", others), selected, size)

    async def list_contacts_by_display_name(
        self, selected: ContactFilter, *, size: int, after: ContactKey | None = None
    ) -> ContactPage:
        """Walks the names that begin with the prefix."""
        start, end = range_of(selected.display_name_prefix)
        arguments: list[object] = [*(after or (start, OLDEST)), size + 1, end]
        composed = Composed(SQL["list_contacts_by_display_name"], arguments)
        others = conditions(selected, filters.display_name, filters.states, filters.category)
        return await self._page(composed.fill("filters", others), selected, size)

    async def list_few_contacts_in_category(
        self, selected: ContactFilter, *, size: int, after: ContactKey | None = None
    ) -> ContactPage:
        """Collects a category."""
        composed = Composed(SQL["list_few_contacts_in_category"], [size + 1, selected.category_id])
        return await self._few(composed, selected, size, after, filters.states)

    async def list_few_contacts_in_states(
        self, selected: ContactFilter, *, size: int, after: ContactKey | None = None
    ) -> ContactPage:
        """Collects who is in the states."""
        arguments: list[object] = [size + 1, *filters.pairs_of_states(selected)]
        composed = Composed(SQL["list_few_contacts_in_states"], arguments)
        return await self._few(composed, selected, size, after, filters.category)

    async def count_contacts(self, selected: ContactFilter) -> int:
        """Counts the contacts that match."""
        if selected.category_id is not None:
            return await self.count_contacts_in_category(selected)
        composed = Composed(SQL["count_contacts"])
        return await self._count(composed, selected)

    async def count_contacts_in_category(self, selected: ContactFilter) -> int:
        """Counts the contacts of one category that match."""
        return await self._count(Composed(SQL["count_contacts_in_category"], [selected.category_id]), selected)

    async def _count(self, composed: Composed, selected: ContactFilter) -> int:
        composed.fill("filters", conditions(selected, filters.states, filters.phone_number, filters.display_name))
        return int(await self._connection.fetchval(composed.statement, *composed.arguments))

    async def _few(
        self, composed: Composed, selected: ContactFilter, size: int, after: ContactKey | None, others: filters.Part
    ) -> ContactPage:
        order = order_of(selected)
        composed.fill("filters", _few_conditions(selected, order, after, others)).order(order)
        return await self._page(composed, selected, size)

    async def _page(self, composed: Composed, selected: ContactFilter, size: int) -> ContactPage:
        rows = await self._connection.fetch(composed.statement, *composed.arguments)
        return _page_of(rows, order_of(selected), size)


def _few_conditions(
    selected: ContactFilter, order: Entry, after: ContactKey | None, others: filters.Part
) -> list[filters.Condition]:
    searched = conditions(selected, others, filters.phone_number, filters.display_name)
    return [*searched, *filters.after(order, after)]


def _page_of(rows: Sequence[Row], order: Entry, size: int) -> ContactPage:
    """A row more than a page says that there is another; so does the last that was walked."""
    shown = rows[:size]
    has_more = len(rows) > size or bool(rows and rows[-1].get("is_last_walked"))
    return ContactPage(
        contacts=tuple(read_contact(row) for row in shown if row.get("is_match", True)),
        next_key=_key_of(shown[-1], order) if has_more else None,
    )


def _key_of(row: Row, order: Entry) -> ContactKey:
    match order:
        case Entry.PHONE_NUMBER:
            return (row["phone_number"],)
        case Entry.DISPLAY_NAME:
            return row["lower_name"], row["id"]
        case _:
            return (row["id"],)
