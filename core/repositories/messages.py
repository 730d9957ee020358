"""Reads messages on one connection, page by page; the engine's statements on them are in sending and receipts.

A list of a time begins at the one bound like a page behind another, and is cut at the other bound here: what is read of
it is a page, and its plan the same.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from core.db import Connection, Row
from core.domain.campaigns import CampaignState
from core.domain.contacts import Contact
from core.domain.errors import NotFound
from core.domain.message_lists import CampaignMessages, Message, MessageFilter
from core.domain.messages import MessageState
from core.domain.time_ranges import ANY_TIME, NEWEST, OLDEST, TimeRange
from core.queries import load
from core.repositories.campaigns import refuse_unknown
from core.repositories.contacts import read_contact

SQL = load("messages")
_MARK: Final = "/* filters */"
# States are literals, so that the planner sees that a partial index holds all that is asked for.
_STATES: Final = {state: f"AND messages.state = '{state}'" for state in MessageState}
_BY_NAME: Final = {str(state): state for state in MessageState}
# Columns are in the order of a message's fields.
_STATE: Final = Message._fields.index("state")
_OF_CAMPAIGN: Final = 2  # columns before those of a message, where its campaign is read too


class Messages:
    """Reads messages and the contacts they went to."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get_message(self, campaign_id: UUID, message_id: UUID) -> Message:
        """Reads one message; refuses with ``MESSAGE_NOT_FOUND``."""
        row = await self._connection.fetchrow(SQL["get_message"], campaign_id, message_id)
        if row is None:
            raise refuse_unknown_message(campaign_id, message_id)
        return _message(row)

    async def list_campaign_messages(
        self, campaign_id: UUID, selected: MessageFilter, *, limit: int, after: UUID | None = None
    ) -> CampaignMessages:
        """Lists messages of a campaign in the order they were planned; refuses with ``CAMPAIGN_NOT_FOUND``."""
        if selected.contact_id is not None:
            return await self.list_campaign_messages_of_contact(
                campaign_id, selected, selected.contact_id, limit=limit, after=after
            )
        statement = _filtered(SQL["list_campaign_messages"], selected.state)
        rows = await self._connection.fetch(statement, campaign_id, _after(selected.planned, after), limit)
        return _of_campaign(campaign_id, rows, end=selected.planned.end_id)

    async def list_campaign_messages_of_contact(
        self, campaign_id: UUID, selected: MessageFilter, contact_id: UUID, *, limit: int, after: UUID | None = None
    ) -> CampaignMessages:
        """Lists one contact's messages of a campaign; refuses with ``CAMPAIGN_NOT_FOUND``."""
        statement = _filtered(SQL["list_campaign_messages_of_contact"], selected.state)
        rows = await self._connection.fetch(statement, campaign_id, _after(selected.planned, after), limit, contact_id)
        return _of_campaign(campaign_id, rows, end=selected.planned.end_id)

    async def list_messages(self, *, limit: int, before: tuple[UUID, UUID] | None = None) -> list[Message]:
        """Lists messages of all campaigns, newest campaign first, before a message (its campaign's id, its own)."""
        rows = await self._connection.fetch(SQL["list_messages"], *(before or (NEWEST, NEWEST)), limit)
        return [_message(row) for row in rows]

    async def list_messages_between(
        self, planned: TimeRange, *, limit: int, before: tuple[UUID, UUID] | None = None
    ) -> list[Message]:
        """Lists messages of all campaigns that were planned in a time, newest campaign first."""
        place = before or (NEWEST, NEWEST)
        statement = SQL["list_messages_between"]
        rows = await self._connection.fetch(statement, *place, limit, planned.first_id, planned.end_id)
        return [_message(row) for row in rows]

    async def list_messages_by_state(
        self,
        state: MessageState,
        *,
        limit: int,
        before: tuple[UUID, UUID] | None = None,
        planned: TimeRange = ANY_TIME,
    ) -> list[Message]:
        """Lists messages of all campaigns that are in one state, newest campaign first."""
        place = before or (NEWEST, NEWEST)
        statement = SQL["list_messages_by_state"]
        rows = await self._connection.fetch(statement, *place, limit, planned.first_id, planned.end_id, state)
        return [_message(row) for row in rows]

    async def list_messages_of_contact(
        self, contact_id: UUID, selected: MessageFilter, *, limit: int, before: UUID | None = None
    ) -> list[Message]:
        """Lists messages to one contact that match, newest first, older than ``before``."""
        statement = _filtered(SQL["list_messages_of_contact"], selected.state)
        begin, end = selected.planned.first_id, min(selected.planned.end_id, before or NEWEST)
        rows = await self._connection.fetch(statement, contact_id, end, limit)
        return [_message(row) for row in rows if row["id"] >= begin]

    async def list_addressees(self, messages: Iterable[Message]) -> dict[UUID, Contact]:
        """Reads the contacts the messages went to as they are now, without their categories, by id."""
        contact_ids = {message.contact_id for message in messages if message.contact_id is not None}
        rows = await self._connection.fetch(SQL["list_addressees"], list(contact_ids))
        return {row["id"]: read_contact(row) for row in rows}


def refuse_unknown_message(campaign_id: UUID, message_id: UUID) -> NotFound:
    """Returns the refusal of an id that no message has."""
    name = f"campaigns/{campaign_id}/messages/{message_id}"
    return NotFound("MESSAGE_NOT_FOUND", "There is no such message.", name=name)


def _filtered(statement: str, state: MessageState | None) -> str:
    return statement.replace(_MARK, "" if state is None else _STATES[state])


def _after(planned: TimeRange, after: UUID | None) -> UUID:
    """Returns what the ids are above; what begins a range is no id itself."""
    return max(planned.first_id, after or OLDEST)


def _of_campaign(campaign_id: UUID, rows: Sequence[Row], *, end: UUID) -> CampaignMessages:
    if not rows:
        raise refuse_unknown(campaign_id)
    is_empty = rows[0]["id"] is None
    # They are in the order of their ids, so that a few looks find the end, instead of one at each.
    count = 0 if is_empty else bisect_left(rows, end, key=itemgetter("id"))
    return CampaignMessages(
        messages=tuple(_message(row[_OF_CAMPAIGN:]) for row in rows[:count]),
        campaign_state=CampaignState(rows[0]["campaign_state"]),
        campaign_end_time=rows[0]["campaign_end_time"],
    )


def _message(row: Row | tuple[Any, ...]) -> Message:
    columns = [*row]
    columns[_STATE] = _BY_NAME[columns[_STATE]]
    return Message._make(columns)
