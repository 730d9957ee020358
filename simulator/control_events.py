"""Simulator, control of events: a person writes or opts out, a template, a number or an account changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from simulator import control_bodies, events, pacing
from simulator.accounts import Number, Template, Waba
from simulator.answers import Route, first_number, json_response, named
from simulator.effects import flag_number
from simulator.http import Request, Response
from simulator.inbound import receive
from simulator.phone import person_of
from simulator.seed import UPGRADED
from simulator.shapes import ShapeError
from simulator.state import World


def _number_of(world: World, body: dict[str, Any]) -> Number:
    """Returns the number that is named, else the one whose last message is answered, else the first."""
    if wanted := body.get("phone_number_id"):
        return named(world.accounts.numbers, wanted, "number")
    if body.get("context") == "last" and (last := world.ledger.last_to(person_of(body["from"]))):
        return last.number
    return first_number(world)


def _inbound(world: World, request: Request, body: dict[str, Any]) -> Response:
    return json_response({"id": receive(world, number=_number_of(world, body), body=body)})


def _preference(world: World, request: Request, body: dict[str, Any]) -> Response:
    value, person = body["value"], person_of(body["wa_id"])
    if not person:
        raise ShapeError("wa_id is neither a phone number nor a user id")
    events.set_preference(world, number=_number_of(world, body), person=person, value=value, time=world.clock.now())
    return json_response({"wa_id": person, "value": value})


def _template_of(world: World, ident: str) -> tuple[Waba, Template]:
    """Finds a template by id, or by `name:language`."""
    if ident in world.accounts.templates:
        return world.accounts.templates[ident]
    name, _, language = ident.partition(":")
    for waba in world.accounts.wabas.values():
        if language in waba.by_name.get(name, {}):
            return waba, waba.by_name[name][language]
    raise ShapeError(f"there is no template {ident}")


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
    return pacing.decide(world, waba=waba, template=template, drop=verdict == "drop", time=world.clock.now())


def _change_number(world: World, request: Request, body: dict[str, Any]) -> Response:
    number = named(world.accounts.numbers, body["_id"], "number")
    now = world.clock.now()
    before = replace(number)
    for name in ("quality", "status", "tier", "verified_name", "name_status", "refuse_code"):
        if name in body:
            setattr(number, name, body[name])
    if "throughput" in body:
        number.bucket.resize(body["throughput"])
        number.throughput_level = "HIGH" if number.bucket.rate >= UPGRADED else "STANDARD"
    if "event" not in body:
        events.announce_changes(world, before=before, number=number, time=now)
    if body.get("upgrade"):
        events.begin_upgrade(world, number=number, rate=body.get("rate", float(UPGRADED)))
    if body.get("flag"):
        flag_number(world, number, now)
    if "event" in body:
        events.announce_number(world, number=number, event=body["event"], time=now)
    return json_response({"id": number.id, "status": number.status, "quality": number.quality})


def _change_account(world: World, request: Request, body: dict[str, Any]) -> Response:
    """Sets a refusal code or the reach of the portfolio, and announces `account_update` or any other field."""
    waba = named(world.accounts.wabas, body["_id"], "account")
    now = world.clock.now()
    if "refuse_code" in body:
        waba.restriction = body["refuse_code"]
        # 0 lets it send again, whatever it was that kept it from that.
        waba.restricted_until = waba.restricted_until if waba.restriction else 0.0
    for name in ("marketing_disabled", "marketing_onboarded"):
        if name in body:
            setattr(waba, name, body[name])
    if "tier" in body:
        waba.portfolio.tier = body["tier"]
        capability = {"max_daily_conversations_per_business": waba.portfolio.tier, "max_phone_numbers_per_waba": 25}
        events.announce(world, waba=waba, field="business_capability_update", value=capability, time=now)
    if "restrict_seconds" in body:
        events.announce_restriction(world, waba=waba, time=now, seconds=body["restrict_seconds"])
    if "value" in body:
        events.announce(world, waba=waba, field=body.get("field", "account_update"), value=body["value"], time=now)
    return json_response({"id": waba.id, "refuse_code": waba.restriction, "tier": waba.portfolio.tier})


ROUTES: Final[dict[tuple[str, str], Route]] = {
    ("POST", "inbound"): Route(_inbound, control_bodies.Inbound),
    ("POST", "user_preferences"): Route(_preference, control_bodies.Preference),
    ("POST", "templates/*"): Route(_change_template, control_bodies.TemplateChange),
    ("POST", "numbers/*"): Route(_change_number, control_bodies.NumberChange),
    ("POST", "accounts/*"): Route(_change_account, control_bodies.AccountChange),
}
