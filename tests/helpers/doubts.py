"""Messages in doubt among others that were heard of, a door that beats, and a keeper that judges."""

import asyncio
from uuid import UUID

from tests.helpers.sending import CLOCK, Plan, settings
from workers.assembly import assembled
from workers.tasks import upkeep


async def doubt_one(plan: Plan) -> UUID:
    """Makes one message doubtful for half a minute and all others sent with a receipt, as a pump would have."""
    await plan.connection.execute("UPDATE messages SET state = 'SENDING', attempt = 1, lease_expire_time = now()")
    await plan.connection.execute("UPDATE messages SET state = 'ACCEPTED', accept_time = now()")
    await plan.connection.execute("UPDATE messages SET state = 'SENT', send_time = now()")
    return UUID(
        str(
            await plan.connection.fetchval(
                """UPDATE messages SET state = 'UNCONFIRMED', accept_time = NULL, send_time = NULL,
                    doubt_time = now() - interval '55 seconds'
                WHERE id = (SELECT id FROM messages ORDER BY id LIMIT 1) RETURNING id"""
            )
        )
    )


async def hear_the_door(plan: Plan, *, seconds: int = 30) -> None:
    """Lets the door beat until some seconds from now: a worker may take them to start."""
    await plan.connection.execute(
        """INSERT INTO webhook_heartbeats (beat_time)
        SELECT now() - make_interval(secs => n) FROM generate_series(-30, $1::integer) AS n""",
        seconds,
    )


async def judge(given: dict[str, str]) -> None:
    """Lets a keeper with these settings look at all doubts once."""
    async with assembled(settings=settings(**given), clock=CLOCK, stopping=asyncio.Event()) as worker:
        await upkeep.judge_doubts(worker.engine)
        await upkeep.decide_doubts(worker.engine)


async def state_of(plan: Plan, message_id: UUID) -> str:
    """Returns the state of one message."""
    return str(await plan.connection.fetchval("SELECT state FROM messages WHERE id = $1", message_id))
