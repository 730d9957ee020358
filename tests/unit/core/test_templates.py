"""The parts of templates: what has to be bound, and how a template reads when it is filled."""

from typing import Any

import pytest

from core.domain.template_parts import ParameterKind, Part, find_parameters, parse_components, render

SALE: list[dict[str, Any]] = [
    {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["https://x.y/a.png"]}},
    {"type": "BODY", "text": "Hi {{2}}, {{1}} off, {{2}}!", "example": {"body_text": [["25%", "Ann"]]}},
    {"type": "FOOTER", "text": "Reply STOP"},
    {
        "type": "BUTTONS",
        "buttons": [
            {"type": "QUICK_REPLY", "text": "Stop promotions"},
            {"type": "URL", "text": "Shop", "url": "https://x.y/{{1}}", "example": ["abc"]},
            {"type": "URL", "text": "Home", "url": "https://x.y/"},
            {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+15551234567"},
            {"type": "COPY_CODE", "example": "250FF"},
        ],
    },
]
NAMED = [
    {
        "type": "BODY",
        "text": "Hi {{first_name}} of {{city}}",
        "example": {"body_text_named_params": [{"param_name": "first_name", "example": "Ann"}]},
    }
]


def test_each_place_to_fill_is_found_once_in_order_with_its_example() -> None:
    found = [
        (parameter.component, parameter.button_index, parameter.parameter, parameter.kind, parameter.example)
        for parameter in find_parameters(parse_components(SALE))
    ]
    assert found == [
        (Part.HEADER, 0, "image", ParameterKind.IMAGE, "https://x.y/a.png"),
        (Part.BODY, 0, "1", ParameterKind.TEXT, "25%"),
        (Part.BODY, 0, "2", ParameterKind.TEXT, "Ann"),
        (Part.BUTTON, 0, "payload", ParameterKind.PAYLOAD, ""),
        (Part.BUTTON, 1, "1", ParameterKind.URL_SUFFIX, "abc"),
        (Part.BUTTON, 4, "coupon_code", ParameterKind.COUPON_CODE, "250FF"),
    ]


def test_named_parameters_keep_their_names_and_the_order_of_the_text() -> None:
    found = find_parameters(parse_components(NAMED))
    assert [(parameter.parameter, parameter.example) for parameter in found] == [("first_name", "Ann"), ("city", "")]


def test_only_a_quick_reply_payload_may_be_left_out() -> None:
    optional = [part.kind for part in find_parameters(parse_components(SALE)) if not part.is_required]
    assert optional == [ParameterKind.PAYLOAD]


@pytest.mark.parametrize("kind", ["CAROUSEL", "LIMITED_TIME_OFFER", "SOMETHING_NEW"])
def test_a_part_that_cannot_be_filled_yet_is_a_parameter_nobody_can_bind(kind: str) -> None:
    [parameter] = find_parameters(parse_components([{"type": kind}]))
    assert parameter.kind is ParameterKind.UNSUPPORTED
    assert parameter.is_required


def test_a_filled_template_reads_as_a_person_would_see_it() -> None:
    values: dict[tuple[str, int, str], str] = {
        (Part.HEADER, 0, "image"): "https://x.y/b.png",
        (Part.BODY, 0, "1"): "30%",
        (Part.BODY, 0, "2"): "Bob {{1}}",
    }
    rendered = render(parse_components(SALE), values)
    assert rendered.header == "https://x.y/b.png"
    assert rendered.body == "Hi Bob {{1}}, 30% off, Bob {{1}}!"
    assert rendered.footer == "Reply STOP"
    assert rendered.buttons == ("Stop promotions", "Shop", "Home", "Call", "")


@pytest.mark.parametrize(
    "listed",
    [
        [{"type": "BODY", "text": None}],
        [{"type": "BODY", "text": "{{1}}", "example": {"body_text": []}}],
        [{"type": "BODY", "text": "{{1}}", "example": "odd"}],
        [{"type": "BUTTONS", "buttons": None}],
        [{"type": None}],
    ],
)
def test_what_whatsapp_leaves_out_or_lists_oddly_is_read_all_the_same(listed: list[dict[str, Any]]) -> None:
    render(parse_components(listed), {})
