"""Simulator, webhook faults: one delivery, wrong in one named way, made now, and what the receiver answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from simulator import phone, wamid
from simulator.accounts import Number
from simulator.answers import first_number, named
from simulator.shapes import ShapeError
from simulator.state import World
from simulator.webhook_bodies import contact_of, escape

_BIG: Final = 3 * 1024 * 1024


async def deliver(world: World, *, mode: str, body: dict[str, Any]) -> dict[str, Any]:
    """Makes the delivery and returns what the receiver answered; `http` is 0 when it did not."""
    wanted = body.get("phone_number_id")
    number = named(world.accounts.numbers, wanted, "number") if wanted else first_number(world)
    raw = _replayed(world) if mode == "replay" else escape(MODES[mode](world, number, body))
    headers = world.webhooks.headers_for(raw)
    if mode == "wrong_signature":
        headers["X-Hub-Signature-256"] = "sha256=" + "0" * 64
    elif mode == "missing_signature":
        del headers["X-Hub-Signature-256"]
    elif mode == "altered_body":
        # The same JSON in other bytes: a receiver that re-serialises before it hashes would take it.
        raw = raw.replace(b"\\/", b"/") + b" "
    url = number.waba.callback_url or world.webhooks.url
    status, text = await world.webhooks.client.post(url=url, body=raw, headers=headers)
    world.counters[f"bad_webhook.{mode}"] += 1
    return {"mode": mode, "http": status, "answer": text, "bytes": len(raw)}


def _envelope(number: Number, value: dict[str, Any], field: str = "messages") -> dict[str, Any]:
    address = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": number.digits, "phone_number_id": number.id},
    }
    change = {"value": {**address, **value}, "field": field}
    return {"object": "whatsapp_business_account", "entry": [{"id": number.waba.id, "changes": [change]}]}


def _status(world: World, body: dict[str, Any], **changes: object) -> dict[str, Any]:
    """Returns a status of the message named by `wamid`, of the newest to `to`, else of one that never existed."""
    person = phone.person_of(body.get("to", "")) or "15550100199"
    message = world.ledger.find(body["wamid"]) if "wamid" in body else world.ledger.last_to(person)
    status: dict[str, Any] = {
        "id": message.wamid if message else _strange_id(world, person),
        "status": "delivered",
        "timestamp": str(int(world.clock.now())),
    }
    if message is None or message.wa_id:
        status["recipient_id"] = message.wa_id if message else person
    else:
        status["recipient_user_id"] = message.user_id
    if message is not None and message.callback_data:
        status["biz_opaque_callback_data"] = message.callback_data
    return {**status, **changes}


def _strange_id(world: World, person: str) -> str:
    return wamid.outgoing(digits=person.rpartition(".")[2], nonce=world.nonce(b"\x00" * 8))


def _plain(world: World, number: Number, body: dict[str, Any]) -> dict[str, Any]:
    return _envelope(number, {"statuses": [_status(world, body)]})


def _unknown_wamid(world: World, number: Number, body: dict[str, Any]) -> dict[str, Any]:
    return _envelope(number, {"statuses": [_status(world, {}, id=_strange_id(world, "15550100199"))]})


def _unknown_field(world: World, number: Number, body: dict[str, Any]) -> dict[str, Any]:
    return _envelope(number, {"something_new": {"id": "1"}}, field="a_field_of_next_year")


def _unknown_status(world: World, number: Number, body: dict[str, Any]) -> dict[str, Any]:
    return _envelope(number, {"statuses": [_status(world, body, status="teleported")]})


def _numeric_timestamp(world: World, number: Number, body: dict[str, Any]) -> dict[str, Any]:
    return _envelope(number, {"statuses": [_status(world, body, timestamp=int(world.clock.now()))]})


def _millisecond_timestamp(world: World, number: Number, body: dict[str, Any]) -> dict[str, Any]:
    return _envelope(number, {"statuses": [_status(world, body, timestamp=str(int(world.clock.now() * 1000)))]})


def _bsuid_only(world: World, number: Number, body: dict[str, Any]) -> dict[str, Any]:
    status = _status(world, body)
    user_id = status.get("recipient_user_id") or phone.user_id_of(status.pop("recipient_id"))
    status["recipient_user_id"] = user_id
    return _envelope(number, {"statuses": [status], "contacts": [contact_of("", user_id)]})


def _big_body(world: World, number: Number, body: dict[str, Any]) -> dict[str, Any]:
    value: dict[str, Any] = {"statuses": [_status(world, body)]}
    missing = _BIG - len(escape(_envelope(number, value))) - len(',"padding":""')
    return _envelope(number, {**value, "padding": "x" * missing})


def _two_numbers(world: World, number: Number, body: dict[str, Any]) -> dict[str, Any]:
    others = [other for other in world.accounts.numbers.values() if other is not number] or [number]
    first = _envelope(number, {"statuses": [_status(world, body)]})
    second = _envelope(others[0], {"statuses": [_status(world, body)]})
    first["entry"].extend(second["entry"])
    return first


def _app_error(world: World, number: Number, body: dict[str, Any]) -> dict[str, Any]:
    error = {"code": 130429, "title": "Rate limit hit", "message": "Rate limit hit", "error_data": {"details": "Later"}}
    return _envelope(number, {"errors": [error]})


def _replayed(world: World) -> bytes:
    """Returns the body that was last taken, byte for byte."""
    if not world.webhooks.last_body:
        raise ShapeError("nothing was delivered yet that could be replayed")
    return world.webhooks.last_body


def _old(world: World, number: Number, body: dict[str, Any]) -> dict[str, Any]:
    old = str(int(world.clock.now() - body.get("age_seconds", 86_400)))
    return _envelope(number, {"statuses": [_status(world, body, timestamp=old)]})


MODES: Final[dict[str, Callable[[World, Number, dict[str, Any]], dict[str, Any]]]] = {
    "plain": _plain,
    "wrong_signature": _plain,
    "missing_signature": _plain,
    "altered_body": _plain,
    "replay": _plain,
    "old": _old,
    "unknown_wamid": _unknown_wamid,
    "unknown_field": _unknown_field,
    "unknown_status": _unknown_status,
    "numeric_timestamp": _numeric_timestamp,
    "millisecond_timestamp": _millisecond_timestamp,
    "bsuid_only": _bsuid_only,
    "big_body": _big_body,
    "two_numbers": _two_numbers,
    "app_error": _app_error,
}
