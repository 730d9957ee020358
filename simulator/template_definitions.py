"""Simulator, definitions of templates: what a caller may define, with Meta's limits of texts and buttons."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from simulator.errors import Refusal

CATEGORIES: Final = ("MARKETING", "UTILITY", "AUTHENTICATION")
_FORMATS: Final = ("POSITIONAL", "NAMED")
_MOST_TEXT: Final = {"BODY": 1024, "HEADER": 60, "FOOTER": 60}
_MOST_BUTTONS: Final = 10
_MOST_OF_KIND: Final = {"QUICK_REPLY": 10, "URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1}
_MOST_LABEL: Final = 25


def check_definition(body: dict[str, Any]) -> None:
    """Refuses a definition whose optional fields are not of their type."""
    if body.get("parameter_format", "POSITIONAL") not in _FORMATS:
        raise Refusal(100, f"Parameter 'parameter_format' is one of {', '.join(_FORMATS)}.")
    for name in ("sub_category", "library_template_name"):
        if not isinstance(body.get(name, ""), str):
            raise Refusal(100, f"Parameter '{name}' is not a text.")
    seconds = body.get("message_send_ttl_seconds", 0)
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise Refusal(100, "Parameter 'message_send_ttl_seconds' is not a whole number.")


def check_components(components: object) -> None:
    """Refuses components without exactly one body, or with texts or buttons beyond the limits."""
    if not isinstance(components, list) or not all(isinstance(part, dict) for part in components):
        raise Refusal(100, "Parameter 'components' must be a list of objects.")
    bodies = [part for part in components if _type_of(part) == "BODY"]
    if len(bodies) != 1:
        raise Refusal(100, "A template needs exactly one BODY component.")
    for part in components:
        most = _MOST_TEXT.get(_type_of(part))
        if most and len(str(part.get("text", ""))) > most:
            raise Refusal(100, f"The text of {part['type']} has at most {most} characters.")
        if "buttons" in part:
            _check_buttons(part["buttons"])


def _type_of(part: dict[str, Any]) -> str:
    return str(part.get("type", "")).upper()


def _check_buttons(buttons: object) -> None:
    if not isinstance(buttons, list) or not all(isinstance(button, dict) for button in buttons):
        raise Refusal(100, "Parameter 'buttons' must be a list of objects.")
    if len(buttons) > _MOST_BUTTONS:
        raise Refusal(100, f"A template has at most {_MOST_BUTTONS} buttons.")
    for kind, count in Counter(map(_type_of, buttons)).items():
        if count > _MOST_OF_KIND.get(kind, _MOST_BUTTONS):
            raise Refusal(100, f"A template has at most {_MOST_OF_KIND[kind]} buttons of type {kind}.")
    if any(len(str(button.get("text", ""))) > _MOST_LABEL for button in buttons):
        raise Refusal(100, f"A button's label has at most {_MOST_LABEL} characters.")
