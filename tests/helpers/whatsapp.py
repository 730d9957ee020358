"""The simulator as tests see it: what it accepted, and how to make it misbehave."""

from types import TracebackType
from typing import Any, Self

import aiohttp


class WhatsApp:
    """Speaks to the simulator's control side."""

    def __init__(self, url: str) -> None:
        self._session = aiohttp.ClientSession(base_url=f"{url}/_sim/")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def reset(self) -> None:
        """Forgets messages, rules and outcomes; accounts, templates and the webhook's address stay."""
        await self._call("POST", "reset")

    async def accepted_count(self) -> int:
        """Returns how many messages were accepted."""
        return int((await self._call("GET", "summary"))["accepted"])

    async def accepted(self, *, to: str = "") -> list[dict[str, Any]]:
        """Returns the first messages that were accepted, in order; of one person where a number is given."""
        person = f"&to={to.removeprefix('+')}" if to else ""
        return list((await self._call("GET", f"accepted?limit=10000{person}"))["data"])

    async def now(self) -> float:
        """Returns the time by which accepts are noted."""
        return float((await self._call("GET", "summary"))["now"])

    async def doubled_count(self) -> int:
        """Returns how many contacts were sent more than one message."""
        return int((await self._call("GET", "summary"))["recipients_with_more_than_one"])

    async def is_quiet(self) -> bool:
        """Tells whether no status is planned or under way any more."""
        summary = await self._call("GET", "summary")
        return bool(summary["planned"] == 0 and summary["undelivered_updates"] == 0)

    async def hold_webhooks(self) -> None:
        """Keeps all webhooks back until they are resumed."""
        await self._call("POST", "webhooks/pause")

    async def resume_webhooks(self) -> None:
        """Delivers what was kept back."""
        await self._call("POST", "webhooks/resume")

    async def set_outcome(self, number: str, **outcome: object) -> None:
        """Decides what becomes of messages to a number."""
        await self._call("POST", "outcomes", {"recipients": [number], "outcome": outcome})

    async def add_rule(self, **rule: object) -> None:
        """Makes requests fail, or answers late, by endpoint."""
        await self._call("POST", "rules", rule)

    async def clear_rules(self) -> None:
        """Ends what `add_rule` began."""
        await self._call("DELETE", "rules")

    async def change_template(self, template: str, **changes: object) -> None:
        """Lets something happen to a template, named by its id or `name:language`."""
        await self._call("POST", f"templates/{template}", changes)

    async def change_number(self, number: str, **changes: object) -> None:
        """Lets something happen to one of our numbers, named by its id."""
        await self._call("POST", f"numbers/{number}", changes)

    async def change_account(self, account: str, **changes: object) -> None:
        """Lets something happen to an account: what it refuses, and what it announces."""
        await self._call("POST", f"accounts/{account}", changes)

    async def change_settings(self, changes: dict[str, object]) -> None:
        """Changes how the simulated WhatsApp behaves, until it is told otherwise."""
        await self._call("PATCH", "settings", changes)

    async def receive(self, **message: object) -> None:
        """Lets a person write to one of our numbers."""
        await self._call("POST", "inbound", message)

    async def _call(self, method: str, path: str, body: dict[str, object] | None = None) -> dict[str, Any]:
        async with self._session.request(method, path, json=body or {}) as reply:
            answer = await reply.json()
            assert reply.ok, answer
            return dict(answer)
