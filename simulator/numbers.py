"""Simulator, numbers and accounts: the read endpoints of a phone number, a WABA and its numbers."""

from __future__ import annotations

from typing import Any, Final

from simulator.accounts import Number, Waba
from simulator.answers import json_response, pick, query_of
from simulator.http import Request, Response
from simulator.limits import UNUSABLE
from simulator.state import World

_DEFAULT_FIELDS: Final = (
    "verified_name,code_verification_status,display_phone_number,quality_rating,platform_type,throughput,id"
)


def get_number(world: World, number: Number, request: Request) -> Response:
    """Answers `GET /{phone_number_id}`."""
    return json_response(pick(_number_json(world, number), query_of(request).get("fields", _DEFAULT_FIELDS)))


def list_numbers(world: World, waba: Waba, request: Request) -> Response:
    """Answers `GET /{waba_id}/phone_numbers`; all of them fit on one page."""
    names = query_of(request).get("fields", _DEFAULT_FIELDS)
    data = [pick(_number_json(world, number), names) for number in waba.numbers.values()]
    return json_response({"data": data, "paging": {"cursors": {"before": "QUZE", "after": "QUZE"}}})


def get_waba(world: World, waba: Waba, request: Request) -> Response:
    """Answers `GET /{waba_id}`."""
    known = {
        "id": waba.id,
        "name": waba.name,
        "currency": "EUR",
        "timezone_id": "1",
        "message_template_namespace": f"namespace_{waba.id}",
        "account_review_status": "APPROVED",
        "whatsapp_business_manager_messaging_limit": waba.portfolio.tier,
        "health_status": _health([("WABA", waba.id, _account_state(world, waba))]),
    }
    return json_response(pick(known, query_of(request).get("fields", "id,name,currency,timezone_id")))


def _number_json(world: World, number: Number) -> dict[str, Any]:
    account = _account_state(world, number.waba)
    return {
        "id": number.id,
        "display_phone_number": number.display_phone_number,
        "verified_name": number.verified_name,
        "quality_rating": number.quality,
        "quality_score": {"score": number.quality},
        "throughput": {"level": number.throughput_level},
        "whatsapp_business_manager_messaging_limit": number.limit,
        "messaging_limit_tier": number.limit,
        "name_status": number.name_status,
        "code_verification_status": number.code_verification_status,
        "status": number.status,
        "platform_type": number.platform_type,
        "account_mode": number.account_mode,
        "is_official_business_account": False,
        "health_status": _health(
            [("PHONE_NUMBER", number.id, _number_state(number)), ("WABA", number.waba.id, account)]
        ),
    }


def _number_state(number: Number) -> str:
    if number.refuse_code or number.status in UNUSABLE:
        return "BLOCKED"
    return "AVAILABLE" if number.status == "CONNECTED" else "LIMITED"


def _account_state(world: World, waba: Waba) -> str:
    if waba.restriction:
        return "BLOCKED"
    return "LIMITED" if waba.restricted_until > world.clock.now() else "AVAILABLE"


def _health(entities: list[tuple[str, str, str]]) -> dict[str, Any]:
    rank = ("AVAILABLE", "LIMITED", "BLOCKED")
    worst = max((state for _, _, state in entities), key=rank.index)
    listed = [{"entity_type": kind, "id": ident, "can_send_message": state} for kind, ident, state in entities]
    return {"can_send_message": worst, "entities": listed}
