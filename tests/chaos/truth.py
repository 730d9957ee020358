"""What WhatsApp itself knows, read from the simulator's control side."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Every message WhatsApp took: how often each contact got one, and when (Unix time, ascending)."""

    times_by_contact: Counter[str]
    accept_times: tuple[float, ...]


class Truth:
    """Sets the conditions of a run and tells afterwards what happened in it."""

    def __init__(self, session: aiohttp.ClientSession, *, phone_number_id: str) -> None:
        """Takes a session on the control side's address."""
        self._session = session
        self._phone_number_id = phone_number_id

    async def set_conditions(self, conditions: dict[str, object], *, lost_answer_rate: float) -> None:
        """Lets webhooks come in disorder, and answers get lost after the message was accepted."""
        await self._call("PATCH", "settings", conditions)
        rule = {"endpoint": "messages", "action": "accept_and_drop", "trigger": "probability"}
        if lost_answer_rate:
            await self._call("POST", "rules", {**rule, "rate": lost_answer_rate})

    async def stop_losing_answers(self) -> int:
        """Ends the fault and returns how many answers were lost."""
        rules = (await self._call("GET", "rules"))["rules"]
        await self._call("DELETE", "rules")
        return sum(int(rule["matched"]) for rule in rules)

    async def accepted_contacts(self) -> int:
        """Returns how many contacts were sent at least one message."""
        return int((await self._call("GET", "summary"))["recipients"])

    async def is_quiet(self) -> bool:
        """Tells whether no receipt is planned or under way any more."""
        summary = await self._call("GET", "summary")
        return bool(summary["planned"] == 0 and summary["undelivered_updates"] == 0)

    async def disordered_webhooks(self) -> tuple[int, int]:
        """Returns how many statuses were delivered twice, and how many late and out of order."""
        summary = await self._call("GET", "webhooks")
        return int(summary["duplicated"]), int(summary["reordered"])

    async def most_in_a_second(self) -> int:
        """Returns the most messages accepted in any window of one second."""
        return int((await self._call("GET", "pace"))["numbers"][self._phone_number_id]["most_in_any_window"])

    async def throttled(self) -> int:
        """Returns how often WhatsApp refused a message because they came too fast."""
        return int((await self._call("GET", "counters")).get("refused.130429", 0))

    async def accepted(self) -> Accepted:
        """Returns everything that was accepted."""
        contacts: Counter[str] = Counter()
        times: list[float] = []
        async with self._session.get("accepted.ndjson") as reply:
            reply.raise_for_status()
            async for line in reply.content:
                row = orjson.loads(line)
                contacts[row["to"]] += 1
                times.append(row["accept_time"])
        return Accepted(times_by_contact=contacts, accept_times=tuple(sorted(times)))

    async def _call(self, method: str, path: str, body: dict[str, object] | None = None) -> dict[str, Any]:
        async with self._session.request(method, path, json=body or {}) as reply:
            answer = await reply.json()
            assert reply.ok, answer
            return dict(answer)
