"""Parameters are named as `--bind` wants them."""

import pytest
from chappe_client import v1

from cli.binding_options import name_parameter, parse_bindings


@pytest.mark.parametrize(
    ("component", "index", "parameter", "name"),
    [
        (v1.BindingComponent.BODY, 0, "1", "body.1"),
        (v1.BindingComponent.HEADER, 0, "image", "header.image"),
        (v1.BindingComponent.BUTTON, 2, "payload", "button2.payload"),
    ],
)
def test_a_shown_parameter_can_be_bound_by_its_name(
    component: v1.BindingComponent, index: int, parameter: str, name: str
) -> None:
    shown = name_parameter(v1.TemplateParameter(component=component, index=index, parameter=parameter))
    [bound] = parse_bindings([f"{shown}=literal:x"])
    assert shown == name
    assert (bound.component, bound.index, bound.parameter) == (component, index, parameter)
