"""How the rest of a transaction goes about its statements: for as long as it lasts, and for it alone."""

from datetime import timedelta

from core.db import Connection
from core.queries import load

SQL = load("transactions")

# Who holds campaigns or senders and is frozen keeps people from pausing them for no longer than this.
_STANDSTILL = timedelta(milliseconds=500)


class Transactions:
    """Sets what holds until the transaction of one connection ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def enter_by_keys(self) -> None:
        """Keeps the rest of the transaction from reading a table from end to end."""
        await self._connection.execute(SQL["enter_by_keys"])

    async def bound_waits(self, wait: timedelta) -> None:
        """Has the rest of the transaction wait for no lock longer."""
        await self._connection.execute(SQL["bound_waits"], _milliseconds(wait))

    async def bound_standstill(self, standstill: timedelta = _STANDSTILL) -> None:
        """Has the rest of the transaction taken back, with its connection, once it does nothing for so long.

        Half a second is for who is about to lock campaigns or senders: whoever pauses them waits for it, also when it
        is frozen. Who thinks for longer than five seconds between two statements has to say so, too.
        """
        await self._connection.execute(SQL["bound_standstill"], _milliseconds(standstill))


def _milliseconds(time: timedelta) -> str:
    return f"{time / timedelta(milliseconds=1):.0f}ms"
