"""The rules of bindings: each fills one parameter of the template, from a place that can have a value."""

import pytest

from core.domain.bindings import Binding, Source, dump_bindings, fill, find_unbound, load_bindings, match_bindings
from core.domain.errors import InvalidArgument
from core.domain.template_parts import ParameterKind, Part, find_parameters, parse_components

PARAMETERS = find_parameters(
    parse_components(
        [
            {"type": "HEADER", "format": "IMAGE"},
            {"type": "BODY", "text": "Hi {{1}}, {{2}}", "example": {"body_text": [["Ann", "Rome"]]}},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Stop"}]},
        ]
    )
)
IMAGE = Binding(component=Part.HEADER, parameter="image", source=Source.LITERAL, value="https://x.y/a.png")
NAME = Binding(component=Part.BODY, parameter="1", source=Source.FIELD, value="display_name")
CITY = Binding(component=Part.BODY, parameter="2", source=Source.ATTRIBUTE, value="city", default_value="town")


def test_bindings_take_the_order_and_the_kinds_of_the_template() -> None:
    matched = match_bindings([CITY, NAME, IMAGE], PARAMETERS)
    assert [(binding.parameter, binding.kind) for binding in matched] == [
        ("image", ParameterKind.IMAGE),
        ("1", ParameterKind.TEXT),
        ("2", ParameterKind.TEXT),
    ]


def test_bindings_come_back_from_the_row_as_they_went_in() -> None:
    matched = match_bindings([IMAGE, NAME, CITY], PARAMETERS)
    assert load_bindings(dump_bindings(matched)) == matched


def test_what_is_required_and_not_bound_is_found_and_a_payload_is_not_required() -> None:
    assert [parameter.parameter for parameter in find_unbound([NAME], PARAMETERS)] == ["image", "2"]


@pytest.mark.parametrize(
    ("binding", "told"),
    [
        (Binding(component=Part.BODY, parameter="3", source=Source.LITERAL, value="x"), "no parameter BODY 3"),
        (Binding(component=Part.BODY, parameter="1", source=Source.FIELD, value="email"), "no field 'email'"),
        (Binding(component=Part.BODY, parameter="1", source=Source.ATTRIBUTE, value=""), "key is missing"),
        (Binding(component=Part.BODY, parameter="1", source=Source.LITERAL, value=" "), "literal value is empty"),
    ],
)
def test_a_binding_that_can_never_work_is_refused_and_named(binding: Binding, told: str) -> None:
    with pytest.raises(InvalidArgument, match=told) as refused:
        match_bindings([binding], PARAMETERS)
    assert refused.value.reason == "BINDING_INVALID"
    assert refused.value.violations[0].field.startswith("campaign.bindings[0].")


def test_a_parameter_bound_twice_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="bound twice"):
        match_bindings([NAME, NAME], PARAMETERS)


def test_without_a_contact_the_examples_show() -> None:
    values, missing = fill([IMAGE, NAME, CITY], PARAMETERS, None)
    assert values[IMAGE.key] == "https://x.y/a.png"
    assert values[NAME.key] == "Ann"
    assert missing == []
