"""Reads `--bind` options: which parameter of the template takes which value; and names parameters as they do."""

import re

import typer
from chappe_client import v1

_BINDING = re.compile(
    r"(?P<component>header|body|button)(?P<index>\d?)\.(?P<parameter>\w+)=(?P<source>attribute|field|literal):(?P<value>.*)",
    re.DOTALL,
)
_COMPONENTS = {
    "header": v1.BindingComponent.HEADER,
    "body": v1.BindingComponent.BODY,
    "button": v1.BindingComponent.BUTTON,
}
_SOURCES = {
    "attribute": v1.BindingSource.ATTRIBUTE,
    "field": v1.BindingSource.CONTACT_FIELD,
    "literal": v1.BindingSource.LITERAL,
}


def parse_bindings(options: list[str]) -> list[v1.Binding]:
    """Returns one binding per option such as `body.1=attribute:first_name|friend`; raises BadParameter for others."""
    return [_binding(option) for option in options]


def name_parameter(parameter: v1.TemplateParameter) -> str:
    """Returns what `--bind` calls a parameter, such as body.1, header.image or button0.payload."""
    index = parameter.index if parameter.component == v1.BindingComponent.BUTTON else ""
    return f"{(parameter.component.name or '').lower()}{index}.{parameter.parameter}"


def _binding(option: str) -> v1.Binding:
    match = _BINDING.fullmatch(option)
    if match is None:
        raise typer.BadParameter(
            f"{option!r} is not component.parameter=source:value, such as body.1=attribute:first_name|friend"
        )
    value, default = match["value"], ""
    if match["source"] != "literal":
        value, _, default = value.partition("|")
    return v1.Binding(
        component=_COMPONENTS[match["component"]], index=int(match["index"] or 0), parameter=match["parameter"],
        source=_SOURCES[match["source"]], value=value, default_value=default,
    )  # fmt: skip
