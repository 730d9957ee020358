"""The parts of templates as WhatsApp lists them, the parameters to bind, and how they read filled."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")


class Part(StrEnum):
    """Names the part of a template in which a parameter stands."""

    HEADER = "HEADER"
    BODY = "BODY"
    BUTTON = "BUTTON"


class ParameterKind(StrEnum):
    """Says what a parameter is filled with."""

    TEXT = "TEXT"
    IMAGE = "IMAGE"
    VIDEO = "VIDEO"
    DOCUMENT = "DOCUMENT"
    PAYLOAD = "PAYLOAD"
    URL_SUFFIX = "URL_SUFFIX"
    COUPON_CODE = "COUPON_CODE"
    UNSUPPORTED = "UNSUPPORTED"


MEDIA = {kind: kind.lower() for kind in (ParameterKind.IMAGE, ParameterKind.VIDEO, ParameterKind.DOCUMENT)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """Is one button: its kind in WhatsApp's word, its label and what it opens."""

    kind: str
    text: str = ""
    url: str = ""
    phone_number: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """Is one part as WhatsApp lists it; ``format`` is a header's, ``examples`` are by parameter."""

    kind: str
    format: str = ""
    text: str = ""
    buttons: tuple[Button, ...] = ()
    examples: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """Is one place to fill; a quick reply's payload may be left out, all others are required."""

    component: Part
    button_index: int = 0
    parameter: str
    kind: ParameterKind
    example: str = ""

    @property
    def key(self) -> tuple[str, int, str]:
        """Returns what identifies it within its template."""
        return (self.component, self.button_index, self.parameter)

    @property
    def is_required(self) -> bool:
        """Tells whether WhatsApp refuses a message that leaves it out."""
        return self.kind is not ParameterKind.PAYLOAD


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedMessage:
    """Is a template as a person would see it; a media header is its link or id."""

    contact_id: UUID | None = None
    header: str = ""
    body: str = ""
    footer: str = ""
    buttons: tuple[str, ...] = ()


def parse_components(listed: Sequence[Mapping[str, Any]]) -> tuple[Component, ...]:
    """Reads the parts WhatsApp lists; what is unknown is kept by its kind."""
    return tuple(_component(part) for part in listed)


def find_parameters(components: Sequence[Component]) -> tuple[Parameter, ...]:
    """Returns every place to fill, in order of component, button and position."""
    found = [parameter for component in components for parameter in _parameters(component)]
    order = list(Part)
    return tuple(sorted(found, key=lambda parameter: (order.index(parameter.component), parameter.button_index)))


def render(
    components: Sequence[Component], values: Mapping[tuple[str, int, str], str], *, contact_id: UUID | None = None
) -> RenderedMessage:
    """Fills the parts with values by parameter key; a parameter without a value stays as it stands in the template."""
    texts = {component.kind: _fill(component, values) for component in components}
    buttons = (button.text for component in components for button in component.buttons)
    return RenderedMessage(
        contact_id=contact_id,
        header=texts.get("HEADER", ""),
        body=texts.get("BODY", ""),
        footer=texts.get("FOOTER", ""),
        buttons=tuple(buttons),
    )


def _component(part: Mapping[str, Any]) -> Component:
    return Component(
        kind=_text(part, "type").upper(),
        format=_text(part, "format").upper(),
        text=_text(part, "text"),
        buttons=tuple(_button(button) for button in part.get("buttons") or ()),
        examples=_examples(_text(part, "text"), part.get("example")),
    )


def _button(button: Mapping[str, Any]) -> Button:
    example = button.get("example")
    return Button(
        kind=_text(button, "type").upper(),
        text=_text(button, "text"),
        url=_text(button, "url"),
        phone_number=_text(button, "phone_number"),
        example=str(example[0] if isinstance(example, list) and example else example or ""),
    )


def _text(part: Mapping[str, Any], key: str) -> str:
    return str(part.get(key) or "")


def _examples(text: str, example: object) -> dict[str, str]:
    if not isinstance(example, Mapping):
        return {}
    named = [pair for key in ("header_text_named_params", "body_text_named_params") for pair in example.get(key) or ()]
    if named:
        return {str(pair.get("param_name")): str(pair.get("example", "")) for pair in named}
    values = example.get("body_text") or example.get("header_text") or example.get("header_handle") or []
    values = values[0] if values and isinstance(values[0], list) else values
    names = _placeholders(text) or [""]
    return {name: str(value) for name, value in zip(names, values, strict=False)}


def _placeholders(text: str) -> list[str]:
    names = list(dict.fromkeys(_PLACEHOLDER.findall(text)))
    return sorted(names, key=int) if all(name.isdecimal() for name in names) else names


def _parameters(component: Component) -> list[Parameter]:
    match component.kind:
        case "HEADER":
            return _header_parameters(component)
        case "BODY":
            return _text_parameters(component, Part.BODY)
        case "BUTTONS":
            buttons = enumerate(component.buttons)
            return [parameter for index, button in buttons if (parameter := _button_parameter(index, button))]
        case "FOOTER":
            return []
    return [Parameter(component=Part.BODY, parameter=component.kind.lower(), kind=ParameterKind.UNSUPPORTED)]


def _header_parameters(component: Component) -> list[Parameter]:
    if component.format in ("TEXT", ""):
        return _text_parameters(component, Part.HEADER)
    known = component.format in set(MEDIA)
    kind = ParameterKind(component.format) if known else ParameterKind.UNSUPPORTED
    example = component.examples.get("", "")
    return [Parameter(component=Part.HEADER, parameter=component.format.lower(), kind=kind, example=example)]


def _text_parameters(component: Component, part: Part) -> list[Parameter]:
    return [
        Parameter(component=part, parameter=name, kind=ParameterKind.TEXT, example=component.examples.get(name, ""))
        for name in _placeholders(component.text)
    ]


def _button_parameter(index: int, button: Button) -> Parameter | None:
    match button.kind:
        case "URL" if _PLACEHOLDER.search(button.url):
            return _button_part(index, button, _placeholders(button.url)[0], ParameterKind.URL_SUFFIX)
        case "OTP":
            return _button_part(index, button, "1", ParameterKind.URL_SUFFIX)
        case "COPY_CODE":
            return _button_part(index, button, "coupon_code", ParameterKind.COUPON_CODE)
        case "QUICK_REPLY":
            return _button_part(index, button, "payload", ParameterKind.PAYLOAD)
        case "MPM":
            return _button_part(index, button, "action", ParameterKind.UNSUPPORTED)
    return None


def _button_part(index: int, button: Button, parameter: str, kind: ParameterKind) -> Parameter:
    return Parameter(component=Part.BUTTON, button_index=index, parameter=parameter, kind=kind, example=button.example)


def _fill(component: Component, values: Mapping[tuple[str, int, str], str]) -> str:
    if component.kind == "HEADER" and component.format not in ("TEXT", ""):
        return values.get((Part.HEADER, 0, component.format.lower()), "")
    return _PLACEHOLDER.sub(lambda match: values.get((component.kind, 0, match[1]), match[0]), component.text)
