"""Simulator, answers: what the endpoints share: query parameters, picked fields, JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import orjson

from simulator.errors import Refusal
from simulator.http import Request, Response
from simulator.state import World

ControlHandler = Callable[[World, Request, dict[str, Any]], Response | Awaitable[Response]]


def query_of(request: Request) -> dict[str, str]:
    """Returns the query's parameters, the last one of each name."""
    return {name: values[-1] for name, values in parse_qs(request.query, keep_blank_values=True).items()}


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
