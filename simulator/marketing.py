"""Simulator, the marketing endpoint: who may use it, and when a message falls back to the plain Cloud API."""

from __future__ import annotations

from typing import Any, Final

from simulator.accounts import Number, Template
from simulator.errors import Refusal

_FALL_BACK: Final = "CLOUD_API_FALLBACK"
_POLICIES: Final = (_FALL_BACK, "STRICT")


def goes_as_marketing(number: Number, body: dict[str, Any], template: Template, *, now: float) -> bool:
    """Returns False for a message that falls back to the plain API; refuses one that must not or may not."""
    policy = body.get("product_policy", _FALL_BACK)
    if policy not in _POLICIES:
        raise Refusal(100, f"Parameter 'product_policy' is one of {', '.join(_POLICIES)}.")
    if not isinstance(body.get("message_activity_sharing", False), bool):
        raise Refusal(100, "Parameter 'message_activity_sharing' is true or false.")
    if template.category != "MARKETING":
        raise Refusal(131055)
    if number.waba.marketing_onboarded and template.synchronised_time <= now:
        return True
    if policy != _FALL_BACK:
        raise Refusal(134101 if number.waba.marketing_onboarded else 134102)
    if number.waba.marketing_disabled:
        raise Refusal(131063)
    return False
