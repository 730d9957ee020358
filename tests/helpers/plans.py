"""How the database carries out what a repository asks: which indexes it walks, and how many rows it looks at."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from core.db import Connection, Row

_EXPLAIN = "EXPLAIN (ANALYZE, FORMAT JSON) "
_REMOVED = ("Rows Removed by Filter", "Rows Removed by Index Recheck", "Rows Removed by Join Filter")


@dataclass(frozen=True, slots=True)
class Plan:
    """Is what was done for one statement."""

    root: dict[str, Any]

    def scanned_whole(self) -> set[str]:
        """Returns the tables that were read from end to end."""
        return {node["Relation Name"] for node in _nodes(self.root) if node["Node Type"] == "Seq Scan"}

    def indexes(self) -> set[str]:
        """Returns the indexes that were walked."""
        return {node["Index Name"] for node in _nodes(self.root) if "Index Name" in node}

    def rows_read(self) -> int:
        """Returns the rows of tables that were looked at, also those that did not match."""
        return int(sum(_rows(node) for node in _nodes(self.root) if "Relation Name" in node))


@dataclass(slots=True)
class Explaining:
    """A connection that explains each statement before it lets it pass."""

    connection: Connection
    plans: list[Plan] = field(default_factory=list)

    async def fetch(self, statement: str, /, *arguments: object) -> list[Row]:
        """Explains and fetches."""
        await self._explain(statement, arguments)
        return await self.connection.fetch(statement, *arguments)

    async def fetchrow(self, statement: str, /, *arguments: object) -> Row | None:
        """Explains and fetches one row."""
        await self._explain(statement, arguments)
        return await self.connection.fetchrow(statement, *arguments)

    @property
    def last(self) -> Plan:
        """The plan of the last statement."""
        return self.plans[-1]

    async def _explain(self, statement: str, arguments: tuple[object, ...]) -> None:
        (explained,) = await self.connection.fetchval(_EXPLAIN + statement, *arguments)
        self.plans.append(Plan(explained["Plan"]))


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def _rows(node: dict[str, Any]) -> float:
    return float((node["Actual Rows"] + sum(node.get(removed, 0) for removed in _REMOVED)) * node["Actual Loops"])


def entered(plan: dict[str, Any], tables: frozenset[str]) -> set[str]:
    """Returns the indexes by which a plan enters any of the tables, and the tables that it reads from end to end."""
    found = set()
    for node in _nodes(plan):
        index, table = node.get("Index Name", ""), node.get("Relation Name", "")
        if index and (table in tables or any(index.startswith(f"{each}_") for each in tables)):
            found.add(index)
        if node["Node Type"] == "Seq Scan" and table in tables:
            found.add(table)
    return found
