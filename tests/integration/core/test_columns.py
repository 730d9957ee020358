"""Messages and contacts are read by position: each statement on them returns their fields first, in their order."""

from typing import Final

import asyncpg
import pytest

from core.domain.contacts import Contact
from core.domain.message_lists import Message
from core.queries import load

_COUNTING: Final = ("measure_contacts", "count_contacts", "count_contacts_in_category")
_CONTACTS: Final = {
    **load("contacts"),
    **{name: text for name, text in load("contact_lists").items() if name not in _COUNTING},
    "list_addressees": load("messages")["list_addressees"],
}
_MESSAGES: Final = {name: text for name, text in load("messages").items() if name != "list_addressees"}
_CAMPAIGN: Final = ("campaign_state", "campaign_end_time")


async def _columns(connection: "asyncpg.Connection[asyncpg.Record]", statement: str) -> tuple[str, ...]:
    prepared = await connection.prepare(statement)
    return tuple(attribute.name for attribute in prepared.get_attributes())


@pytest.mark.parametrize("name", _MESSAGES)
async def test_a_statement_on_messages_returns_their_fields(
    connection: "asyncpg.Connection[asyncpg.Record]", name: str
) -> None:
    before = _CAMPAIGN if name.startswith("list_campaign") else ()
    assert await _columns(connection, _MESSAGES[name]) == before + Message._fields


@pytest.mark.parametrize("name", _CONTACTS)
async def test_a_statement_on_contacts_returns_their_fields_first(
    connection: "asyncpg.Connection[asyncpg.Record]", name: str
) -> None:
    columns = await _columns(connection, _CONTACTS[name])
    assert columns[: len(Contact._fields)] == Contact._fields
