"""More campaigns beside the one of a plan: of the same number, or of another one."""

from uuid import UUID

from core.db import Connection
from tests.helpers.campaign_rows import add_sender
from tests.helpers.sending import ACCOUNT, Plan

OTHER_SENDER = "100000000000001"
_CAMPAIGN = """
    INSERT INTO campaigns (display_name, sender_id, template_id, bindings, state, expand_complete_time)
    SELECT 'Rival', $2, template_id, bindings, 'RUNNING', now() FROM campaigns WHERE id = $1 RETURNING id"""
_MESSAGES = """
    WITH people AS (
        INSERT INTO contacts (phone_number)
        SELECT '+49171000' || (10000 + (SELECT count(*) FROM contacts) + n) FROM generate_series(1, $3::integer) AS n
        RETURNING id
    )
    INSERT INTO messages (campaign_id, contact_id, sender_id, occurrence, parameters)
    SELECT $1, id, $2, 1, '["Ann", "25%"]' FROM people ORDER BY id"""


async def add_rival(plan: Plan, count: int, *, sender_id: UUID | None = None) -> UUID:
    """Adds a running campaign with so many PENDING messages to people of its own."""
    campaign_id: UUID = await plan.connection.fetchval(_CAMPAIGN, plan.campaign_id, sender_id or plan.sender_id)
    await plan.connection.execute(_MESSAGES, campaign_id, sender_id or plan.sender_id, count)
    return campaign_id


async def add_other_sender(connection: Connection, *, per_second: float) -> UUID:
    """Adds the other number of the simulated account."""
    sender_id = await add_sender(connection, phone_number_id=OTHER_SENDER, account=ACCOUNT)
    statement = "UPDATE senders SET messages_per_second = $2, refresh_time = now() WHERE id = $1"
    await connection.execute(statement, sender_id, per_second)
    return sender_id


async def accepted(plan: Plan, campaign_id: UUID) -> int:
    """Counts the messages of a campaign that WhatsApp took."""
    statement = "SELECT count(*) FROM messages WHERE campaign_id = $1 AND state = 'ACCEPTED'"
    return int(await plan.connection.fetchval(statement, campaign_id))


async def seconds_to_last_accept(plan: Plan, campaign_id: UUID) -> float:
    """Returns from the first accept of all to the last one of a campaign."""
    statement = """
        SELECT extract(epoch FROM max(accept_time) FILTER (WHERE campaign_id = $1) - min(accept_time)) FROM messages"""
    return float(await plan.connection.fetchval(statement, campaign_id))
