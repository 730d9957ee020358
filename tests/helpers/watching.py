"""What a process shows of itself over HTTP, as whoever watches it sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True, slots=True)
class Watched:
    """Asks the metrics door on one port."""

    port: int

    async def ask(self, path: str, *, method: str = "GET") -> tuple[int, Any]:
        """Returns the status and the JSON of an answer."""
        url = f"http://127.0.0.1:{self.port}{path}"
        async with aiohttp.ClientSession() as session, session.request(method, url) as reply:
            return reply.status, await reply.json()

    async def text(self) -> str:
        """Returns all metrics as Prometheus reads them."""
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{self.port}/metrics") as reply:
            assert reply.status == 200
            return await reply.text()

    async def value(self, name: str, **labels: str) -> float | None:
        """Returns the sum of a metric's samples that carry these labels; None where there is none."""
        found = [sample.value for sample in samples(await self.text(), name) if _carries(sample.labels, labels)]
        return sum(found) if found else None


def samples(text: str, name: str) -> list[Any]:
    """Returns the samples of that name."""
    families = text_string_to_metric_families(text)
    return [sample for family in families for sample in family.samples if sample.name == name]


def _carries(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(labels.get(name) == value for name, value in wanted.items())
