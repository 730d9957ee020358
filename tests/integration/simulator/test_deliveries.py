"""How deliveries are made: their headers, how many at once, how often again, and in which order."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from simulator.settings import Settings
from tests.helpers.eventually import eventually
from tests.integration.simulator.helpers import Meta, Receiver, until

RANK = ["sent", "delivered", "read"]
BODY = [{"type": "BODY", "text": "Hello"}]


async def test_a_delivery_has_the_headers_of_meta(meta: Meta, receiver: Receiver) -> None:
    await meta.send("+15550109185")
    await eventually(lambda: receiver.names() == ["sent"])
    (headers,) = receiver.headers
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"].startswith("facebookexternalua")
    assert len(headers["X-Hub-Signature-256"]) == 71
    assert receiver.refused == 0


async def test_no_more_deliveries_are_under_way_than_the_setting_says(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("PATCH", "settings", {"webhooks": {"concurrency": 3, "batch_max": 1}})
    receiver.answering.clear()
    await asyncio.gather(*(meta.send(f"+1555010{n:04d}") for n in range(10)))

    async def all_are_told() -> bool:
        return bool((await meta.sim("GET", "webhooks"))["offered"] == 30 and receiver.open == 3)

    await until(all_are_told)
    assert (await meta.sim("GET", "webhooks"))["in_flight"] == 3
    receiver.answering.set()
    await eventually(lambda: len(receiver.statuses()) == 30)
    assert receiver.most_open == 3


async def test_a_delivery_is_tried_again_as_meta_does(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("POST", "clock", {"factor": 0})
    await meta.sim("PATCH", "settings", {"webhooks": {"retry_delays": Settings().webhooks.retry_delays}})
    receiver.answers = [500] * 9
    await meta.sim("POST", "inbound", {"from": "15550100777"})
    await until(_waiting(meta, 2))
    for posts, seconds in enumerate((5, 30, 120, 600, 3600, 3600, 3600), start=2):
        await meta.sim("POST", "clock", {"advance": seconds - 1})
        assert await _waiting(meta, posts)()
        await meta.sim("POST", "clock", {"advance": 1.01})
        await until(_waiting(meta, posts + 1))
    await meta.sim("POST", "clock", {"advance": 3600})
    await eventually(receiver.inbound)
    attempts = [row["attempt"] for row in (await meta.sim("GET", "webhooks/log"))["data"]]
    assert attempts == list(range(1, 11))


def _waiting(meta: Meta, posts: int) -> Callable[[], Awaitable[bool]]:
    """Tells whether so many attempts were made and the next one waits for its time."""

    async def it_waits() -> bool:
        state = await meta.sim("GET", "webhooks")
        return (state["posts"], state["waiting_retries"], state["in_flight"]) == (posts, 1, 0)

    return it_waits


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a callback that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


async def test_a_callback_that_hangs_holds_up_no_other(meta: Meta, receiver: Receiver, silent: str) -> None:
    template = {"name": "hi", "language": "en_US", "category": "UTILITY", "components": BODY}
    accounts: list[dict[str, Any]] = [
        {
            "id": "7",
            "phone_numbers": [{"id": "17", "display_phone_number": "+1 555 010 0007"}],
            "templates": [template],
        },
        {
            "id": "8",
            "phone_numbers": [{"id": "18", "display_phone_number": "+1 555 010 0008"}],
            "templates": [template],
        },
    ]
    accounts[0]["callback_url"] = silent
    webhooks = {"timeout": 60.0, "concurrency": 2, "batch_max": 1}
    await meta.sim("POST", "scenario", {"accounts": {"wabas": accounts}, "settings": {"webhooks": webhooks}})
    for n in range(4):
        await meta.send(f"+1555010{n:04d}", number="17", name="hi", values=())

    async def both_hang() -> bool:
        return bool((await meta.sim("GET", "webhooks"))["in_flight"] == 2)

    await until(both_hang)
    reply = await meta.send(number="18", name="hi", values=())
    await eventually(lambda: receiver.names(reply.wamid) == RANK)


async def test_the_rates_of_disorder_and_doubles_are_what_arrives(meta: Meta, receiver: Receiver) -> None:
    defaults = Settings()
    rates = {"reorder_rate": 0.03, "reorder_delay": [0.5, 5.0], "duplicate_rate": 0.02}
    assert rates["reorder_rate"] == defaults.webhooks.reorder_rate
    assert rates["duplicate_rate"] == defaults.webhooks.duplicate_rate
    await meta.sim("POST", "clock", {"factor": 0})
    await meta.sim("PATCH", "settings", {"webhooks": {**rates, "concurrency": 1}, "limits": {"throughput": False}})
    timeline = {name: getattr(defaults.timeline, name) for name in ("sent_delay", "delivered_delay")}
    timeline["read_delay"] = (3600, 14_400)
    await meta.sim("PATCH", "settings", {"timeline": timeline, "suffixes": False})
    for start in range(0, 1000, 200):
        await asyncio.gather(*(meta.send(f"+155502{n:05d}00") for n in range(start, start + 200)))
    for seconds in (*[0.5] * 30, 86_400, 60):
        await meta.sim("POST", "clock", {"advance": seconds})
    state = await meta.sim("GET", "webhooks")
    await eventually(lambda: len(receiver.statuses()) == 3000 + state["duplicated"])
    assert 0.01 < state["duplicated"] / 3000 < 0.03
    # One whose double was not late arrived in order all the same.
    assert state["reordered"] * 0.95 <= _disordered(receiver) <= state["reordered"]
    assert 0.02 < state["reordered"] / 2000 < 0.04


def _disordered(receiver: Receiver) -> int:
    """Returns how many statuses arrived after the one that followed them."""
    places: dict[str, dict[str, int]] = {}
    for place, status in enumerate(receiver.statuses()):
        places.setdefault(status["id"], {}).setdefault(status["status"], place)
    return sum(each[first] > each[second] for each in places.values() for first, second in pairwise(RANK))
