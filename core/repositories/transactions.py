"""How the rest of a transaction goes about its statements: for as long as it lasts, and for it alone."""

from datetime import timedelta

from core.db import Connection
from core.queries import load

SQL = load("transactions")


class Transactions:
    """Sets what holds until the transaction of one connection ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def enter_by_keys(self) -> None:
        """Keeps the rest of the transaction from reading a table from end to end."""
        await self._connection.execute(SQL["enter_by_keys"])

    async def bound_waits(self, wait: timedelta) -> None:
        """Has the rest of the transaction wait for no lock longer."""
        await self._connection.execute(SQL["bound_waits"], f"{wait / timedelta(milliseconds=1):.0f}ms")
