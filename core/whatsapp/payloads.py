"""Bodies of what we send: a template with one contact's values, and the callback data that comes back in receipts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import quote
from uuid import UUID

from core.domain.messages import MessageRef

_BREAKS = re.compile(r"[\r\n\t\v\f\u0085\u2028\u2029]+")
_SPACES = re.compile(r" {5,}")
_CALLBACK = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{32})\.([0-9]{1,9})")
_MEDIA = frozenset({"IMAGE", "VIDEO", "DOCUMENT"})
_BUTTON_TYPES = {"PAYLOAD": "quick_reply", "URL_SUFFIX": "url", "COUPON_CODE": "copy_code"}


@dataclass(frozen=True, kw_only=True)
class TemplateForm:
    """The part of a template message that all its recipients share; `bindings` as in the campaign's row."""

    template_name: str
    language_code: str
    named: bool
    bindings: tuple[Mapping[str, Any], ...]

    @cached_property
    def components(self) -> tuple[tuple[tuple[str, int], tuple[int, ...]], ...]:
        """The components in WhatsApp's order, each with which bindings fill it: worked out once for all recipients."""
        groups: dict[tuple[str, int], list[int]] = {}
        for number, binding in enumerate(self.bindings):
            component = str(binding["component"])
            key = (component, int(binding.get("button_index") or 0) if component == "BUTTON" else 0)
            groups.setdefault(key, []).append(number)
        order = sorted(groups, key=lambda key: (("HEADER", "BODY", "BUTTON").index(key[0]), key[1]))
        return tuple((key, tuple(groups[key])) for key in order)


def callback_data(campaign_id: UUID, message_id: UUID, attempt: int) -> str:
    """Returns the text that names one attempt; WhatsApp echoes it in every receipt."""
    return f"{campaign_id.hex}.{message_id.hex}.{attempt}"


def parse_callback_data(text: str) -> MessageRef | None:
    """Reads callback data; None when it is not ours."""
    match = _CALLBACK.fullmatch(text)
    if match is None:
        return None
    campaign, message, attempt = match.groups()
    return MessageRef(campaign_id=_campaign(campaign), message_id=UUID(int=int(message, 16)), attempt=int(attempt))


@lru_cache(maxsize=1024)
def _campaign(digits: str) -> UUID:
    """Reads a campaign's id: thousands of receipts in a row name the same one."""
    return UUID(digits)


def clean(value: str) -> str:
    """Makes a value fit for a template: WhatsApp refuses line breaks, tabs and more than four spaces in a row."""
    return _SPACES.sub("    ", _BREAKS.sub(" ", value)).strip()


def template_payload(
    form: TemplateForm,
    *,
    ref: MessageRef,
    parameters: Sequence[str],
    phone_number: str | None,
    whatsapp_user_id: str | None,
) -> dict[str, Any]:
    """Returns the body of one template message; `parameters` are in the order of the form's bindings."""
    template: dict[str, Any] = {"name": form.template_name, "language": {"code": form.language_code}}
    components = _components(form, parameters)
    if components:
        template["components"] = components
    return _envelope("template", template, ref=ref, recipient=_recipient(phone_number, whatsapp_user_id))


def text_payload(
    text: str, *, ref: MessageRef, phone_number: str | None, whatsapp_user_id: str | None
) -> dict[str, Any]:
    """Returns the body of one text, which WhatsApp takes for 24 hours after the person wrote."""
    body = {"body": text, "preview_url": False}
    return _envelope("text", body, ref=ref, recipient=_recipient(phone_number, whatsapp_user_id))


def _envelope(
    kind: str, content: Mapping[str, Any], *, ref: MessageRef, recipient: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **recipient,
        "type": kind,
        kind: content,
        "biz_opaque_callback_data": callback_data(ref.campaign_id, ref.message_id, ref.attempt),
    }


def _recipient(phone_number: str | None, whatsapp_user_id: str | None) -> dict[str, str]:
    # Without its plus WhatsApp would put the sender's own country code before the number.
    if phone_number is not None:
        return {"to": phone_number}
    return {"recipient": whatsapp_user_id or ""}


def _components(form: TemplateForm, parameters: Sequence[str]) -> list[dict[str, Any]]:
    filled = [
        _parameter(binding, value, named=form.named) for binding, value in zip(form.bindings, parameters, strict=True)
    ]
    return [
        _component(key, str(form.bindings[numbers[-1]]["kind"]), [filled[number] for number in numbers])
        for key, numbers in form.components
    ]


def _component(key: tuple[str, int], kind: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    component, index = key
    if component != "BUTTON":
        return {"type": component.lower(), "parameters": parameters}
    return {
        "type": "button",
        "sub_type": _BUTTON_TYPES.get(kind, "url"),
        "index": str(index),
        "parameters": parameters,
    }


def _parameter(binding: Mapping[str, Any], value: str, *, named: bool) -> dict[str, Any]:
    kind = str(binding["kind"])
    if kind in _MEDIA:
        return _media(kind.lower(), value)
    if kind == "PAYLOAD":
        return {"type": "payload", "payload": value}
    if kind == "COUPON_CODE":
        return {"type": "coupon_code", "coupon_code": value}
    if kind == "URL_SUFFIX":
        return {"type": "text", "text": quote(value, safe="-._~/?&=")}
    text: dict[str, Any] = {"type": "text", "text": clean(value)}
    if named:
        text["parameter_name"] = str(binding["parameter"])
    return text


def _media(kind: str, value: str) -> dict[str, Any]:
    source = "link" if value.startswith(("https://", "http://")) else "id"
    return {"type": kind, kind: {source: value}}
