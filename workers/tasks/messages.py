"""The task that sends: one sender's due messages, for some seconds."""

from uuid import UUID

from workers.engine import Engine
from workers.pump import pump_sender


async def pump_messages(engine: Engine, sender_id: UUID) -> None:
    """Sends what is due for a sender; quiet when nothing is, or when another process does."""
    await pump_sender(engine, sender_id)
