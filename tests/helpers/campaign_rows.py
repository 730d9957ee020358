"""Rows that tests of campaigns stand on: a sender, a template, contacts, categories and a campaign."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from core.db import Connection

NAME = {
    "component": "BODY",
    "button_index": 0,
    "parameter": "1",
    "kind": "TEXT",
    "source": "FIELD",
    "value": "display_name",
    "default_value": "",
}
CITY = NAME | {"parameter": "2", "source": "ATTRIBUTE", "value": "city"}
COMPONENTS = [{"type": "BODY", "text": "Hi {{1}} in {{2}}", "example": {"body_text": [["Ann", "Rome"]]}}]


async def add_sender(connection: Connection, *, phone_number_id: str = "100", account: str = "200") -> UUID:
    """Adds an active sender."""
    statement = "INSERT INTO senders (phone_number_id, whatsapp_account_id) VALUES ($1, $2) RETURNING id"
    return UUID(str(await connection.fetchval(statement, phone_number_id, account)))


async def add_template(
    connection: Connection,
    *,
    name: str = "spring_sale",
    account: str = "200",
    category: str = "MARKETING",
    state: str = "APPROVED",
    components: Sequence[Any] = COMPONENTS,
) -> UUID:
    """Adds a template of the account."""
    statement = """
        INSERT INTO templates (whatsapp_account_id, whatsapp_template_id, template_name, language_code,
            template_category, state, components)
        VALUES ($1, '900', $2, 'en_US', $3, $4, $5) RETURNING id"""
    return UUID(str(await connection.fetchval(statement, account, name, category, state, list(components))))


async def add_contacts(connection: Connection, count: int, *, city: str = "Rome") -> list[UUID]:
    """Adds contacts that may be sent to, in id order."""
    statement = """
        INSERT INTO contacts (phone_number, display_name, attributes)
        SELECT '+49' || (1700000000 + (SELECT count(*) FROM contacts) + n), 'Name ' || n,
            jsonb_build_object('city', $2::text)
        FROM generate_series(1, $1::integer) AS n ORDER BY n RETURNING id"""
    return sorted(row["id"] for row in await connection.fetch(statement, count, city))


async def add_category(connection: Connection, contact_ids: Sequence[UUID], *, name: str) -> UUID:
    """Adds a category that holds the contacts."""
    statement = "INSERT INTO categories (display_name) VALUES ($1) RETURNING id"
    category_id = UUID(str(await connection.fetchval(statement, name)))
    statement = "INSERT INTO category_contacts (category_id, contact_id) SELECT $1, unnest($2::uuid[])"
    await connection.execute(statement, category_id, list(contact_ids))
    return category_id


async def add_campaign(
    connection: Connection,
    *,
    sender_id: UUID,
    template_id: UUID,
    state: str = "RUNNING",
    bindings: Sequence[Any] = (NAME, CITY),
    categories: Sequence[UUID] | None = None,
    excluded: Sequence[UUID] = (),
) -> UUID:
    """Adds a campaign in any state; without categories it reaches all contacts."""
    statement = """
        INSERT INTO campaigns (display_name, sender_id, template_id, state, schedule_time, bindings, all_contacts,
            category_ids, excluded_category_ids)
        VALUES ('Spring', $1, $2, $3, now(), $4, $5, $6, $7) RETURNING id"""
    everyone = categories is None
    chosen = list(categories or ())
    values = (sender_id, template_id, state, list(bindings), everyone, chosen, list(excluded))
    return UUID(str(await connection.fetchval(statement, *values)))


async def add_messages(connection: Connection, campaign_id: UUID, *, sender_id: UUID, states: Sequence[str]) -> None:
    """Adds a message without a contact for each state, with the times that its state asks for."""
    statement = """
        INSERT INTO messages (campaign_id, sender_id, state, lease_expire_time, doubt_time)
        SELECT $1, $2, state, now(), now() FROM unnest($3::text[]) AS state"""
    await connection.execute(statement, campaign_id, sender_id, list(states))
