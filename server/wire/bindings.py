"""Bindings and parameters in the words of the contract, both ways."""

from collections.abc import Sequence

from chappe.v1 import templates_pb2

from core.domain.bindings import Binding, Source
from core.domain.template_parts import Parameter, Part

_SOURCES = {
    Source.LITERAL: "SOURCE_LITERAL",
    Source.ATTRIBUTE: "SOURCE_ATTRIBUTE",
    Source.FIELD: "SOURCE_CONTACT_FIELD",
}
_READ_SOURCES = {templates_pb2.Binding.Source.Value(name): source for source, name in _SOURCES.items()}


def binding(written: Binding) -> templates_pb2.Binding:
    """Writes a binding."""
    return templates_pb2.Binding(
        component=templates_pb2.Binding.Component.Value(f"COMPONENT_{written.component}"),
        index=written.button_index,
        parameter=written.parameter,
        source=templates_pb2.Binding.Source.Value(_SOURCES[written.source]),
        value=written.value,
        default_value=written.default_value,
    )


def read_binding(proto: templates_pb2.Binding) -> Binding:
    """Reads a binding; its kind comes from the template it is matched with."""
    component = templates_pb2.Binding.Component.Name(proto.component)
    return Binding(
        component=Part(component.removeprefix("COMPONENT_")),
        button_index=proto.index,
        parameter=proto.parameter,
        source=_READ_SOURCES[proto.source],
        value=proto.value,
        default_value=proto.default_value,
    )


def read_bindings(protos: Sequence[templates_pb2.Binding]) -> tuple[Binding, ...]:
    """Reads bindings in their order."""
    return tuple(read_binding(proto) for proto in protos)


def parameter(written: Parameter) -> templates_pb2.TemplateParameter:
    """Writes a parameter of a template."""
    return templates_pb2.TemplateParameter(
        component=templates_pb2.Binding.Component.Value(f"COMPONENT_{written.component}"),
        index=written.button_index,
        parameter=written.parameter,
        example=written.example,
    )
