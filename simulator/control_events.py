"""Simulator, control of events: a person writes or opts out, a template, a number or an account changes."""

from __future__ import annotations

from typing import Any, Final

from simulator import events, pacing
from simulator.accounts import Number, Template, Waba
from simulator.answers import ControlHandler, json_response
from simulator.effects import flag_number
from simulator.http import Request, Response
from simulator.inbound import receive
from simulator.phone import digits_of, wa_id_of
from simulator.seed import UPGRADED
from simulator.state import World


def _number_of(world: World, body: dict[str, Any]) -> Number:
    """Returns the number that is named, else the one that last wrote to the person, else the first."""
    if wanted := body.get("phone_number_id"):
        return world.accounts.numbers[str(wanted)]
    if body.get("context") == "last" and (last := world.ledger.last_to(wa_id_of(digits_of(str(body.get("from")))))):
        return last.number
    return next(iter(world.accounts.numbers.values()))


def _inbound(world: World, request: Request, body: dict[str, Any]) -> Response:
    return json_response({"id": receive(world, number=_number_of(world, body), body=body)})


def _preference(world: World, request: Request, body: dict[str, Any]) -> Response:
    value = body["value"]
    if value not in ("stop", "resume"):
        raise ValueError("value is stop or resume")
    wa_id = wa_id_of(digits_of(str(body["wa_id"])))
    events.set_preference(world, number=_number_of(world, body), wa_id=wa_id, value=value, time=world.clock.now())
    return json_response({"wa_id": wa_id, "value": value})


def _template_of(world: World, ident: str) -> tuple[Waba, Template]:
    """Finds a template by id, or by `name:language`."""
    if ident in world.accounts.templates:
        return world.accounts.templates[ident]
    name, _, language = ident.partition(":")
    for waba in world.accounts.wabas.values():
        if language in waba.by_name.get(name, {}):
            return waba, waba.by_name[name][language]
    raise KeyError("the template")


def _change_template(world: World, request: Request, body: dict[str, Any]) -> Response:
    waba, template = _template_of(world, body["_id"])
    now = world.clock.now()
    result: dict[str, Any] = {}
    if body.get("pause"):
        events.pause_template(world, waba=waba, template=template, time=now)
    if "status" in body:
        reason = body.get("reason", "NONE")
        events.set_template_status(world, waba=waba, template=template, status=body["status"], time=now, reason=reason)
    if "quality" in body:
        events.set_template_quality(world, waba=waba, template=template, quality=body["quality"], time=now)
    if "category" in body:
        events.set_template_category(world, waba=waba, template=template, category=body["category"], time=now)
    if "pacing" in body:
        result["held"] = _pace_template(world, waba, template, body["pacing"])
    state = {"id": template.id, "status": template.status, "quality": template.quality, "category": template.category}
    return json_response({**state, **result})


def _pace_template(world: World, waba: Waba, template: Template, verdict: str) -> int:
    if verdict == "hold":
        template.pacing = "hold"
        return len(world.held.get(template.id, ()))
    if verdict not in ("release", "drop"):
        raise ValueError("pacing is hold, release or drop")
    return pacing.decide(world, waba=waba, template=template, drop=verdict == "drop", time=world.clock.now())


def _change_number(world: World, request: Request, body: dict[str, Any]) -> Response:
    number = world.accounts.numbers[body["_id"]]
    now = world.clock.now()
    for name in ("quality", "status", "tier", "verified_name", "name_status"):
        if name in body:
            setattr(number, name, str(body[name]))
    if "refuse_code" in body:
        number.refuse_code = int(body["refuse_code"])
    if "throughput" in body:
        number.bucket.resize(float(body["throughput"]))
        number.throughput_level = "HIGH" if number.bucket.rate >= UPGRADED else "STANDARD"
    if body.get("upgrade"):
        events.begin_upgrade(world, number=number, rate=float(body.get("rate", UPGRADED)))
    if body.get("flag"):
        flag_number(world, number, now)
    if "event" in body:
        events.announce_number(world, number=number, event=str(body["event"]), time=now)
    return json_response({"id": number.id, "status": number.status, "quality": number.quality})


def _change_account(world: World, request: Request, body: dict[str, Any]) -> Response:
    """Sets a refusal code or the reach of the portfolio, and announces `account_update` or any other field."""
    waba = world.accounts.wabas[body["_id"]]
    now = world.clock.now()
    if "refuse_code" in body:
        waba.restriction = int(body["refuse_code"])
    if "marketing_disabled" in body:
        waba.marketing_disabled = bool(body["marketing_disabled"])
    if "tier" in body:
        waba.portfolio.tier = str(body["tier"])
        capability = {"max_daily_conversations_per_business": waba.portfolio.tier, "max_phone_numbers_per_waba": 25}
        events.announce(world, waba=waba, field="business_capability_update", value=capability, time=now)
    if "restrict_seconds" in body:
        events.announce_restriction(world, waba=waba, time=now, seconds=float(body["restrict_seconds"]))
    if "value" in body:
        field = str(body.get("field", "account_update"))
        events.announce(world, waba=waba, field=field, value=dict(body["value"]), time=now)
    return json_response({"id": waba.id, "refuse_code": waba.restriction, "tier": waba.portfolio.tier})


ROUTES: Final[dict[tuple[str, str], ControlHandler]] = {
    ("POST", "inbound"): _inbound,
    ("POST", "user_preferences"): _preference,
    ("POST", "templates/*"): _change_template,
    ("POST", "numbers/*"): _change_number,
    ("POST", "accounts/*"): _change_account,
}
