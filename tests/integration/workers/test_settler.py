"""Outcomes are written though one among them can never be."""

from uuid import UUID

from core.domain.messages import MessageRef, MessageState
from core.domain.outcomes import Settlement
from tests.helpers.sending import Plan, numbers, planned
from tests.helpers.workers import idle_worker
from workers.settler import Settler
from workers.tasks.upkeep import expire_leases

# A character that PostgreSQL keeps no text with, one that no text can be sent to it with, and what no index holds.
HOPELESS = ["wamid.\0", "wamid.\ud800", "".join(chr(0x4E00 + n * n % 20_000) for n in range(9000))]


async def test_what_cannot_be_stored_is_left_in_doubt_and_the_others_are_written(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(10)) as plan, idle_worker(worker_settings) as worker:
        ids = await _claim(plan)
        settler = Settler(worker.engine)
        for wamid, message_id in zip([*HOPELESS, *(f"wamid.{n}" for n in range(7))], ids, strict=True):
            ref = MessageRef(campaign_id=plan.campaign_id, message_id=message_id, attempt=1)
            settler.add(Settlement(ref=ref, state=MessageState.ACCEPTED, whatsapp_message_id=wamid))
        await settler.close()
        assert await plan.states() == {"ACCEPTED": 7, "SENDING": 3}
        await expire_leases(worker.engine)
        assert await plan.states() == {"ACCEPTED": 7, "UNCONFIRMED": 3}


async def _claim(plan: Plan) -> list[UUID]:
    """Makes all messages look claimed, by a lease that has just ended."""
    rows = await plan.connection.fetch(
        "UPDATE messages SET state = 'SENDING', attempt = 1, lease_expire_time = now() RETURNING id"
    )
    return [row["id"] for row in rows]
