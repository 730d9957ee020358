"""Simulator, template checks: what a send must bring for a template, compiled once, and the codes when it does not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from simulator.accounts import Template
from simulator.errors import Refusal

_PLACEHOLDER: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_FORBIDDEN: Final = re.compile(r"[\n\r\t]| {5,}")
_TEXTS: Final = ("text", "currency", "date_time")
_MEDIA: Final = ("IMAGE", "VIDEO", "DOCUMENT", "GIF")
_MOST_COUPON: Final = 15
_MOST_TEXT: Final = {"body": 1024, "header": 60}
MISSING: Final[dict[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class ButtonNeed:
    """A button of the template; `variable` when the send must give it a parameter."""

    kind: str
    variable: bool


@dataclass(frozen=True, slots=True)
class Needs:
    """What a template expects: placeholder names by component, the header's format, the buttons."""

    named: bool
    body: tuple[str, ...]
    body_length: int
    header: tuple[str, ...]
    header_format: str
    buttons: tuple[ButtonNeed, ...]
    carousel: bool


def compile_needs(template: Template) -> Needs:
    """Returns what sends of a template must bring."""
    parts = {str(part.get("type", "")).upper(): part for part in template.components}
    header, body = parts.get("HEADER", MISSING), parts.get("BODY", MISSING)
    body_text = str(body.get("text", ""))
    return Needs(
        named=template.parameter_format == "NAMED",
        body=_names(body_text),
        body_length=len(_PLACEHOLDER.sub("", body_text)),
        header=_names(str(header.get("text", ""))),
        header_format=str(header.get("format", "")).upper(),
        buttons=tuple(map(_button, parts.get("BUTTONS", MISSING).get("buttons") or ())),
        carousel="CAROUSEL" in parts,
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(text)))


def _button(button: dict[str, Any]) -> ButtonNeed:
    kind = str(button.get("type", "")).upper()
    return ButtonNeed(kind=kind, variable=kind == "COPY_CODE" or (kind == "URL" and "{{" in str(button.get("url", ""))))


def check_parameters(template: Template, components: object) -> None:
    """Refuses a send whose components do not fit the template."""
    if template.checks is None:
        template.checks = compile_needs(template)
    needs: Needs = template.checks
    if not isinstance(components, list):
        raise Refusal(131008, "Parameter 'components' must be a list.")
    given, buttons = _sort(components)
    _check_header(needs, given.get("header", MISSING))
    _check_texts("body", needs.body, needs, _parameters(given.get("body", MISSING)), needs.body_length)
    _check_buttons(needs, buttons)
    if needs.carousel and "carousel" not in given:
        raise Refusal(132012, "carousel: the template needs a carousel component.")


def _sort(components: list[Any]) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    given: dict[str, dict[str, Any]] = {}
    buttons: list[dict[str, Any]] = []
    for component in components:
        if not isinstance(component, dict) or not isinstance(component.get("type"), str):
            raise Refusal(131008, "Every component needs a type.")
        kind = component["type"].lower()
        if kind == "button":
            buttons.append(component)
        elif kind in ("header", "body", "carousel", "limited_time_offer", "order_status"):
            given[kind] = component
        else:
            raise Refusal(100, f"Component type {kind} is not known.")
    return given, buttons


def _parameters(component: dict[str, Any]) -> list[dict[str, Any]]:
    parameters = component.get("parameters", [])
    if not isinstance(parameters, list) or not all(isinstance(item, dict) for item in parameters):
        raise Refusal(131008, "Parameter 'parameters' must be a list of objects.")
    return parameters


def _check_header(needs: Needs, component: dict[str, Any]) -> None:
    parameters = _parameters(component)
    wanted = needs.header_format
    if wanted in _MEDIA or wanted == "LOCATION":
        kind = str(parameters[0].get("type", "")).upper() if parameters else "UNKNOWN"
        if len(parameters) != 1 or kind not in (wanted, "VIDEO" if wanted == "GIF" else wanted):
            raise Refusal(132012, f"header: Format mismatch, expected {wanted}, received {kind}")
        if wanted != "LOCATION":
            check_media(parameters[0].get(kind.lower()), "header")
        return
    _check_texts("header", needs.header, needs, parameters, 0)


def check_media(media: object, where: str) -> None:
    """Refuses a media object that does not have exactly one of id and link."""
    if not isinstance(media, dict) or bool(media.get("id")) == bool(media.get("link")):
        raise Refusal(132012 if where == "header" else 100, f"{where}: exactly one of id and link must be given.")
    link = media.get("link")
    if link and not str(link).startswith(("https://", "http://")):
        raise Refusal(131009, f"{where}: the link is not a valid URL.")


def _check_texts(
    where: str, names: tuple[str, ...], needs: Needs, parameters: list[dict[str, Any]], length: int
) -> None:
    if len(parameters) != len(names):
        raise Refusal(
            132000,
            f"{where}: number of localizable_params ({len(parameters)}) does not match the expected number of params "
            f"({len(names)})",
        )
    for parameter in parameters:
        if parameter.get("type") not in _TEXTS:
            raise Refusal(132012, f"{where}: a parameter of type {parameter.get('type')} is not allowed here.")
        length += len(_text_of(parameter, where))
    if needs.named and {str(parameter.get("parameter_name")) for parameter in parameters} != set(names):
        raise Refusal(132012, f"{where}: every value needs the parameter_name of the template.")
    if names and length > _MOST_TEXT[where]:
        raise Refusal(132005, f"{where}: the text is longer than {_MOST_TEXT[where]} characters after substitution.")


def _text_of(parameter: dict[str, Any], where: str) -> str:
    kind = parameter["type"]
    value = parameter.get(kind)
    text = value.get("fallback_value") if isinstance(value, dict) else value
    if not isinstance(text, str) or not text:
        raise Refusal(131008, f"{where}: a parameter of type {kind} is missing its {kind} value.")
    if _FORBIDDEN.search(text):
        raise Refusal(132018, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces")
    return text


def _check_buttons(needs: Needs, components: list[dict[str, Any]]) -> None:
    answered: set[int] = set()
    for component in components:
        index = _index(component)
        if not 0 <= index < len(needs.buttons):
            raise Refusal(132012, f"button: there is no button at index {index}.")
        _check_button(needs.buttons[index], str(component.get("sub_type", "")).upper(), _parameters(component), index)
        answered.add(index)
    for index, button in enumerate(needs.buttons):
        if button.variable and index not in answered:
            raise Refusal(131008, f"buttons: Button at index {index} of type {button.kind} requires a parameter")


def _index(component: dict[str, Any]) -> int:
    try:
        return int(component.get("index", -1))
    except (TypeError, ValueError):
        return -1


def _check_button(button: ButtonNeed, sub_type: str, parameters: list[dict[str, Any]], index: int) -> None:
    if sub_type != button.kind:
        raise Refusal(132012, f"button: index {index} is of type {button.kind}, received {sub_type or 'UNKNOWN'}.")
    if button.variable and len(parameters) != 1:
        raise Refusal(132000, f"button: index {index} takes one parameter, received {len(parameters)}.")
    for parameter in parameters:
        value = parameter.get(str(parameter.get("type", "")))
        if value in (None, ""):
            raise Refusal(131008, f"button: the parameter at index {index} has no value.")
        if button.kind == "COPY_CODE" and len(str(value)) > _MOST_COUPON:
            raise Refusal(131009, f"button: a coupon code has at most {_MOST_COUPON} characters.")
        if button.kind == "URL" and _FORBIDDEN.search(str(value)):
            raise Refusal(132018, "button: the URL value cannot have new-line/tab characters.")
