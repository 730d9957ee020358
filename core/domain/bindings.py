"""The rules of bindings: where each parameter of a campaign's template takes its value from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.domain.contacts import Contact
from core.domain.errors import InvalidArgument, Violation
from core.domain.template_parts import Parameter, ParameterKind, Part

CONTACT_FIELDS = ("display_name", "phone_number", "language_code", "time_zone", "whatsapp_user_id")


class Source(StrEnum):
    """Says what a binding's value means: the text itself, an attribute's key, or a contact's field."""

    LITERAL = "LITERAL"
    ATTRIBUTE = "ATTRIBUTE"
    FIELD = "FIELD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Binds one parameter; ``kind`` is TEXT until it is matched with the template's own."""

    component: Part
    button_index: int = 0
    parameter: str
    kind: ParameterKind = ParameterKind.TEXT
    source: Source
    value: str
    default_value: str = ""

    @property
    def key(self) -> tuple[str, int, str]:
        """Returns the key of the parameter it fills."""
        return (self.component, self.button_index, self.parameter)


def dump_bindings(bindings: Sequence[Binding]) -> list[dict[str, Any]]:
    """Returns bindings as they stand in the campaign's row."""
    return [
        {
            "component": binding.component,
            "button_index": binding.button_index,
            "parameter": binding.parameter,
            "kind": binding.kind,
            "source": binding.source,
            "value": binding.value,
            "default_value": binding.default_value,
        }
        for binding in bindings
    ]


def load_bindings(rows: Sequence[Mapping[str, Any]]) -> tuple[Binding, ...]:
    """Reads bindings from the campaign's row."""
    return tuple(
        Binding(
            component=Part(row["component"]),
            button_index=row["button_index"],
            parameter=row["parameter"],
            kind=ParameterKind(row["kind"]),
            source=Source(row["source"]),
            value=row["value"],
            default_value=row["default_value"],
        )
        for row in rows
    )


def match_bindings(bindings: Sequence[Binding], parameters: Sequence[Parameter]) -> tuple[Binding, ...]:
    """Returns the bindings in the parameters' order, each with its parameter's kind.

    Refuses with ``BINDING_INVALID`` what fills no parameter, fills one twice, or can never have a value.
    """
    known = {parameter.key: parameter for parameter in parameters}
    violations = [v for index, binding in enumerate(bindings) for v in _violations(index, binding, bindings, known)]
    if violations:
        raise InvalidArgument("BINDING_INVALID", violations[0].description, violations=violations)
    by_key = {binding.key: binding for binding in bindings}
    return tuple(_of_kind(by_key[key], parameter.kind) for key, parameter in known.items() if key in by_key)


def find_unbound(bindings: Sequence[Binding], parameters: Sequence[Parameter]) -> list[Parameter]:
    """Returns the required parameters that no binding fills."""
    bound = {binding.key for binding in bindings}
    return [parameter for parameter in parameters if parameter.is_required and parameter.key not in bound]


def describe(key: tuple[str, int, str]) -> str:
    """Names a parameter for people: ``BODY 1``, ``BUTTON 0 payload``."""
    component, button_index, parameter = key
    return f"{component} {button_index} {parameter}" if component == Part.BUTTON else f"{component} {parameter}"


def resolve(binding: Binding, contact: Contact | None) -> str:
    """Returns a binding's value for a contact; empty when it has none and there is no default."""
    found: str | None = None
    if binding.source is Source.LITERAL:
        found = binding.value
    elif contact is not None and binding.source is Source.ATTRIBUTE:
        found = contact.attributes.get(binding.value)
    elif contact is not None:
        found = getattr(contact, binding.value)
    return (found or "").strip(" ") or binding.default_value


def fill(
    bindings: Sequence[Binding], parameters: Sequence[Parameter], contact: Contact | None
) -> tuple[dict[tuple[str, int, str], str], list[Parameter]]:
    """Returns the values of parameters by key, and the parameters that the contact has no value for.

    Without a contact only literals are filled in; what is not bound, or not filled, shows its example.
    """
    values = {parameter.key: parameter.example for parameter in parameters}
    known = {parameter.key: parameter for parameter in parameters}
    missing: list[Parameter] = []
    for binding in bindings:
        if contact is None and binding.source is not Source.LITERAL:
            continue
        values[binding.key] = resolve(binding, contact)
        if not values[binding.key]:
            missing.append(known[binding.key])
    return values, missing


def _of_kind(binding: Binding, kind: ParameterKind) -> Binding:
    return Binding(
        component=binding.component,
        button_index=binding.button_index,
        parameter=binding.parameter,
        kind=kind,
        source=binding.source,
        value=binding.value,
        default_value=binding.default_value,
    )


def _violations(
    index: int, binding: Binding, bindings: Sequence[Binding], known: Mapping[tuple[str, int, str], Parameter]
) -> list[Violation]:
    field = f"campaign.bindings[{index}]"
    name = describe(binding.key)
    parameter = known.get(binding.key)
    found = []
    if parameter is None:
        found.append(Violation(field=f"{field}.parameter", description=f"The template has no parameter {name}."))
    elif parameter.kind is ParameterKind.UNSUPPORTED:
        found.append(Violation(field=f"{field}.parameter", description=f"The parameter {name} cannot be filled yet."))
    if any(other.key == binding.key for other in bindings[:index]):
        found.append(Violation(field=f"{field}.parameter", description=f"The parameter {name} is bound twice."))
    if problem := _value_problem(binding):
        found.append(Violation(field=f"{field}.value", description=problem))
    return found


def _value_problem(binding: Binding) -> str:
    if binding.source is Source.FIELD and binding.value not in CONTACT_FIELDS:
        return f"A contact has no field {binding.value!r}; it has {', '.join(CONTACT_FIELDS)}."
    if binding.source is Source.ATTRIBUTE and not binding.value:
        return "The attribute's key is missing."
    if binding.source is Source.LITERAL and not binding.value.strip() and not binding.default_value:
        return "The literal value is empty."
    return ""
