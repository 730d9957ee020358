"""Simulator, the Graph side of the door: authentication first, then the object, the rules, and the endpoint."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import orjson

from simulator import media_api, messages, numbers, subscriptions, template_changes, templates
from simulator.accounts import Number, Template, Waba
from simulator.errors import Refusal, rest_error
from simulator.http import ANSWER, CLOSE, RESET, SILENCE, Request, Response
from simulator.limits import count_management_call, minutes_to_regain
from simulator.media import Media
from simulator.rules import Rule
from simulator.state import World
from simulator.timeline import latency

Headers = tuple[tuple[str, str], ...]
Endpoint = Callable[[World, Any, Request], Response | Awaitable[Response]]

_VERSION: Final = re.compile(r"v\d+\.\d+")
_DEFAULT_VERSION: Final = "v25.0"
_ENDINGS: Final = {"close": CLOSE, "drop": CLOSE, "reset": RESET, "silence": SILENCE}


def _marketing(world: World, number: Number, request: Request) -> Response:
    return messages.post_message(world, number, request, marketing=True)


# (kind of object, method, edge) → (the name rules use, what answers)
ROUTES: Final[dict[tuple[type, str, str], tuple[str, Endpoint]]] = {
    (Number, "POST", "messages"): ("messages", messages.post_message),
    (Number, "POST", "marketing_messages"): ("marketing_messages", _marketing),
    (Number, "POST", "media"): ("media", media_api.upload_media),
    (Number, "GET", ""): ("numbers", numbers.get_number),
    (Waba, "GET", ""): ("wabas", numbers.get_waba),
    (Waba, "GET", "phone_numbers"): ("numbers", numbers.list_numbers),
    (Waba, "GET", "message_templates"): ("templates", templates.list_templates),
    (Waba, "POST", "message_templates"): ("templates", template_changes.create_template),
    (Waba, "DELETE", "message_templates"): ("templates", template_changes.delete_templates),
    (Waba, "GET", "subscribed_apps"): ("subscribed_apps", subscriptions.list_subscriptions),
    (Waba, "POST", "subscribed_apps"): ("subscribed_apps", subscriptions.subscribe),
    (Waba, "DELETE", "subscribed_apps"): ("subscribed_apps", subscriptions.unsubscribe),
    (Template, "GET", ""): ("templates", templates.get_template),
    (Template, "POST", ""): ("templates", template_changes.edit_template),
    (Template, "POST", "unpause"): ("templates", template_changes.unpause_template),
    (Media, "GET", ""): ("media", media_api.get_media),
    (Media, "DELETE", ""): ("media", media_api.delete_media),
}


@dataclass(frozen=True, slots=True)
class _Call:
    """One authenticated request with the object it names and what answers it."""

    world: World
    request: Request
    found: Any
    endpoint: str
    handler: Endpoint
    version: str


def answer(world: World, request: Request, parts: list[str]) -> Response | Awaitable[Response]:
    """Answers a Graph request, whose path is given as its parts."""
    try:
        authenticate(world, request)
        if parts[0] == "_media":
            return media_api.download_media(world, parts)
        return _under_rules(_route(world, request, parts))
    except Refusal as refusal:
        return refused(world, refusal)


def authenticate(world: World, request: Request) -> None:
    """Refuses a request without one of the access tokens."""
    if request.headers.get(b"authorization") not in world.authorizations:
        raise Refusal(190, http=401)


def _route(world: World, request: Request, parts: list[str]) -> _Call:
    version = parts.pop(0) if _VERSION.fullmatch(parts[0]) else _DEFAULT_VERSION
    object_id, edge, *rest = (*parts, "", "")
    found = _find(world, object_id)
    route = None if any(rest) else ROUTES.get((type(found), request.method, edge))
    if route is None:
        raise Refusal(
            100,
            title=f"Unsupported {request.method.lower()} request. Object with ID '{object_id}' does not exist, "
            "cannot be loaded due to missing permissions, or does not support this operation.",
        )
    return _Call(world, request, found, route[0], route[1], version)


def _find(world: World, object_id: str) -> Number | Waba | Template | Media | None:
    accounts = world.accounts
    if (number := accounts.numbers.get(object_id)) is not None:
        return number
    if (waba := accounts.wabas.get(object_id)) is not None:
        return waba
    if (pair := accounts.templates.get(object_id)) is not None:
        return pair[1]
    return world.media.get(object_id, now=world.clock.now())


def _under_rules(call: _Call) -> Response | Awaitable[Response]:
    rule = call.world.rules.match(call.endpoint, call.found.id)
    if rule is None:
        return _perform(call)
    if (fault := _fault_instead(call, rule)) is not None:
        return fault
    result = _perform(call)
    if isinstance(result, Response):
        return _spoilt(call.world, result, rule)
    return _spoilt_later(call.world, result, rule)


def _fault_instead(call: _Call, rule: Rule) -> Response | None:
    """Returns the answer of a rule that keeps the request from being handled at all."""
    if rule.action in _ENDINGS:
        call.world.counters[f"unaccepted.{rule.action}"] += 1
        return Response(ending=_ENDINGS[rule.action], delay=rule.seconds)
    if rule.action != "refuse":
        return None
    refusal = Refusal(rule.code, rule.details or None, http=rule.http or None)
    response = refused(call.world, refusal, version=call.version)
    if rule.empty_body:
        response.body = b""
    response.headers += tuple(rule.headers.items())
    response.delay = rule.seconds
    return response


def _spoilt(world: World, response: Response, rule: Rule) -> Response:
    response.delay += rule.seconds
    response.headers += tuple(rule.headers.items())
    if rule.action.startswith("accept_and_") and response.status == HTTPStatus.OK and response.ending == ANSWER:
        response.ending = _ENDINGS[rule.action.removeprefix("accept_and_")]
        world.counters[f"accepted_unanswered.{response.ending}"] += 1
    return response


async def _spoilt_later(world: World, result: Awaitable[Response], rule: Rule) -> Response:
    return _spoilt(world, await result, rule)


def _perform(call: _Call) -> Response | Awaitable[Response]:
    usage: Headers = ()
    try:
        if type(call.found) is Waba:
            usage = _usage_header(call.world, call.found)
        result = call.handler(call.world, call.found, call.request)
    except Refusal as refusal:
        return _refused_with(call, refusal, usage)
    if not isinstance(result, Response):
        return _finished_later(call, result, usage)
    result.headers += _headers(call.world, call.version) + usage
    return result


async def _finished_later(call: _Call, result: Awaitable[Response], usage: Headers) -> Response:
    try:
        response = await result
    except Refusal as refusal:
        return _refused_with(call, refusal, usage)
    response.headers += _headers(call.world, call.version) + usage
    return response


def _refused_with(call: _Call, refusal: Refusal, usage: Headers) -> Response:
    response = refused(call.world, refusal, version=call.version)
    response.headers += usage
    return response


def _usage_header(world: World, waba: Waba) -> Headers:
    try:
        percent, minutes = count_management_call(world, waba)
    except Refusal as refusal:
        refusal.headers = _usage(waba, 100, minutes_to_regain(world, waba))
        raise
    return _usage(waba, percent, minutes)


def _usage(waba: Waba, percent: int, minutes: int) -> Headers:
    row = {
        "type": "whatsapp",
        "call_count": percent,
        "total_cputime": 1,
        "total_time": 1,
        "estimated_time_to_regain_access": minutes,
    }
    app = {name: row[name] for name in ("call_count", "total_cputime", "total_time")}
    return (
        ("x-business-use-case-usage", orjson.dumps({waba.id: [row]}).decode()),
        ("x-app-usage", orjson.dumps(app).decode()),
    )


def _headers(world: World, version: str) -> Headers:
    world.requests += 1
    trace = f"{world.run.hex()}{world.requests:010x}"
    return (("facebook-api-version", version), ("x-fb-request-id", trace), ("x-fb-trace-id", trace))


def refused(world: World, refusal: Refusal, *, version: str = _DEFAULT_VERSION) -> Response:
    """Returns the answer to a refused request, which takes as long as any, and counts it."""
    status = refusal.status
    world.counters[f"refused.{refusal.code}"] += 1
    world.counters[f"http.{status}"] += 1
    return Response(
        status=status,
        body=orjson.dumps(rest_error(refusal)),
        headers=_headers(world, version) + refusal.headers,
        delay=latency(world.draws(f"refused:{world.requests}"), world.settings.timeline),
        ending=ANSWER,
    )
