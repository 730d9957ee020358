"""Settling and receipts meet on the same rows: both lock them in key order, so neither ever waits in a ring."""

import asyncio
from random import Random  # noqa: TID251  # the orders come from fixed seeds

from core.domain.messages import MessageRef, MessageState
from core.domain.outcomes import Settlement
from tests.helpers.receiving import Desk, desk

WRITERS = 3
ROUNDS = 12
NUMBERS = [f"+4917{number:08d}" for number in range(300)]


async def test_settling_and_receipts_on_the_same_rows_never_deadlock(fresh_database_url: str) -> None:
    async with desk(fresh_database_url, NUMBERS) as at:
        refs = await at.sent("SENDING")
        settling = [_settle(at, refs, Random(seed)) for seed in range(WRITERS)]
        receiving = [_lock_as_receipts_do(at, refs, Random(seed)) for seed in range(WRITERS, 2 * WRITERS)]
        await asyncio.gather(*settling, *receiving)  # a deadlock would raise TRANSACTION_CONFLICT
        assert await at.value("SELECT count(*) FROM messages WHERE state = 'ACCEPTED'") == len(NUMBERS)


async def _settle(at: Desk, refs: list[MessageRef], luck: Random) -> None:
    for _ in range(ROUNDS):
        shuffled = luck.sample(refs, len(refs))
        async with at.store.transaction() as rooms:
            await rooms.sending.settle_messages(
                [
                    Settlement(ref=ref, state=MessageState.ACCEPTED, whatsapp_message_id=f"wamid.{ref.message_id}")
                    for ref in shuffled
                ]
            )


async def _lock_as_receipts_do(at: Desk, refs: list[MessageRef], luck: Random) -> None:
    for _ in range(ROUNDS):
        async with at.store.transaction() as rooms:
            assert len(await rooms.receipts.lock_messages(luck.sample(refs, len(refs)))) == len(refs)
