"""Simulator, control of the ledger: the accepted messages, the summary, doubles and pace."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import orjson

from simulator.accounts import Number
from simulator.answers import Route, json_response, named, query_of, whole_number
from simulator.http import Request, Response
from simulator.ledger import Message
from simulator.phone import person_of
from simulator.shapes import ShapeError
from simulator.state import World

_DEFAULT_LIMIT: Final = 100
_MOST: Final = 10_000
_LINES_PER_CHUNK: Final = 500
_LONGEST_WINDOW: Final = 3600


def _list_accepted(world: World, request: Request, body: dict[str, Any]) -> Response:
    query = query_of(request)
    limit = whole_number(query, "limit", _DEFAULT_LIMIT, low=1, high=_MOST)
    rows = list(islice(_filtered(world, query), limit + 1))
    answer: dict[str, Any] = {"data": [row.as_json() for row in rows[:limit]], "forgotten": world.ledger.forgotten}
    if len(rows) > limit:
        answer["next"] = rows[limit - 1].index
    return json_response(answer)


def _filtered(world: World, query: dict[str, str]) -> Iterator[Message]:
    number_id = query.get("phone_number_id")
    callback_data = query.get("callback_data")
    # In a query a plus sign arrives as a space; both are punctuation.
    person = person_of(query["to"]) or query["to"] if "to" in query else None
    first = whole_number(query, "after", 0, low=0, high=world.ledger.accepted) + 1 if "after" in query else 0
    for row in world.ledger.since(first):
        if number_id is not None and row.number.id != number_id:
            continue
        if callback_data is not None and row.callback_data != callback_data:
            continue
        if person is not None and person != row.person:
            continue
        yield row


def _export(world: World, request: Request, body: dict[str, Any]) -> Response:
    rows = _filtered(world, query_of(request))
    return Response(content_type="application/x-ndjson", chunks=_lines(rows))


def _lines(rows: Iterator[Message]) -> Iterator[bytes]:
    while chunk := b"".join(orjson.dumps(row.as_json()) + b"\n" for row in islice(rows, _LINES_PER_CHUNK)):
        yield chunk


def _summary(world: World, request: Request, body: dict[str, Any]) -> Response:
    ledger = world.ledger
    prefix = "status."
    statuses = {name[len(prefix) :]: count for name, count in ledger.counters.items() if name.startswith(prefix)}
    return json_response(
        {
            "accepted": ledger.accepted,
            "recipients": len(ledger.recipients),
            "recipients_with_more_than_one": ledger.doubled,
            "statuses": statuses,
            "forgotten": ledger.forgotten,
            "planned": len(world.agenda),
            "held": sum(map(len, world.held.values())),
            "undelivered_updates": world.webhooks.backlog,
            "now": world.clock.now(),
        }
    )


def _doubled(world: World, request: Request, body: dict[str, Any]) -> Response:
    people = set(world.ledger.doubles())
    messages: dict[str, list[dict[str, Any]]] = {}
    if people:
        for row in world.ledger.since(0):
            if row.person in people:
                messages.setdefault(row.person, []).append(row.as_json())
    return json_response({"recipients": len(people), "messages": messages})


def _pace(world: World, request: Request, body: dict[str, Any]) -> Response:
    query = query_of(request)
    seconds = float(query.get("seconds", 1.0))
    if not 0 < seconds <= _LONGEST_WINDOW:
        raise ShapeError("seconds is more than 0 and at most an hour")
    chosen = query.get("phone_number_id")
    numbers = [named(world.accounts.numbers, chosen, "number")] if chosen else list(world.accounts.numbers.values())
    return json_response({"numbers": {number.id: _pace_of(number, seconds) for number in numbers}})


def _pace_of(number: Number, seconds: float) -> dict[str, Any]:
    """Returns accepts per full second since the first one, and the most within any window of that length."""
    times = number.accept_times
    per_second: dict[int, int] = {}
    most = first = 0
    for last, time in enumerate(times):
        per_second[int(time - times[0])] = per_second.get(int(time - times[0]), 0) + 1
        while times[first] <= time - seconds:
            first += 1
        most = max(most, last - first + 1)
    span = times[-1] - times[0] if times else 0.0
    return {
        "accepted": len(times),
        "span_seconds": round(span, 3),
        "most_in_any_window": most,
        "window_seconds": seconds,
        "per_second": [per_second.get(second, 0) for second in range(int(span) + 1)] if times else [],
    }


def _counters(world: World, request: Request, body: dict[str, Any]) -> Response:
    webhooks = {f"webhooks.{name}": value for name, value in world.webhooks.counters.items()}
    lag = {f"webhooks.lag_{name}": value for name, value in world.webhooks.lag().items()}
    own = {"requests": world.requests}
    return json_response({**world.ledger.counters, **world.counters, **webhooks, **lag, **own})


ROUTES: Final[dict[tuple[str, str], Route]] = {
    ("GET", "accepted"): Route(_list_accepted),
    ("GET", "accepted.ndjson"): Route(_export),
    ("GET", "summary"): Route(_summary),
    ("GET", "doubled"): Route(_doubled),
    ("GET", "pace"): Route(_pace),
    ("GET", "counters"): Route(_counters),
}
