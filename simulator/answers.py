"""Simulator, answers: what the endpoints share: query parameters, picked fields, JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qs

import orjson

from simulator.accounts import Number
from simulator.control_bodies import Body, Nothing
from simulator.errors import Refusal
from simulator.http import Request, Response
from simulator.shapes import ShapeError
from simulator.state import World

_MOST_DIGITS = 18
T = TypeVar("T")
ControlHandler = Callable[[World, Request, dict[str, Any]], Response | Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """What answers a control request, and the body it takes; None for one whose handler checks it itself."""

    handler: ControlHandler
    body: type[Body] | None = Nothing


def named(known: Mapping[str, T], ident: object, what: str) -> T:
    """Returns the object of this id; raises ShapeError when there is none."""
    found = known.get(str(ident))
    if found is None:
        raise ShapeError(f"there is no {what} {ident}")
    return found


def query_of(request: Request) -> dict[str, str]:
    """Returns the query's parameters, the last one of each name."""
    return {name: values[-1] for name, values in parse_qs(request.query, keep_blank_values=True).items()}


def first_number(world: World) -> Number:
    """Returns the number that is meant when none is named; raises ShapeError when the accounts have none."""
    for number in world.accounts.numbers.values():
        return number
    raise ShapeError("the accounts have no number")


def whole_number(query: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    """Returns a parameter of the query within its limits; raises ShapeError when it is no whole number."""
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or len(text) > _MOST_DIGITS:
        raise ShapeError(f"{name} is a whole number")
    return max(low, min(high, int(text)))


def pick(known: dict[str, Any], names: str) -> dict[str, Any]:
    """Returns the asked fields in the asked order, `id` always; refuses a field that does not exist."""
    chosen = {}
    for name in names.split(","):
        bare = name.strip().partition("{")[0].partition(".")[0]
        if bare and bare not in known:
            raise Refusal(100, title=f"(#100) Tried accessing nonexisting field ({bare})")
        # Graph leaves out what has no value.
        if bare and known[bare] not in (None, ""):
            chosen[bare] = known[bare]
    chosen["id"] = known["id"]
    return chosen


def json_response(value: object, *, status: int = 200) -> Response:
    """Returns a JSON answer."""
    return Response(status=status, body=orjson.dumps(value))
