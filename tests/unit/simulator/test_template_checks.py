"""What a send must bring for its template, and the codes when it does not."""

from typing import Any

import pytest

from simulator.accounts import Template
from simulator.errors import Refusal
from simulator.seed import build, demo_seed
from simulator.template_checks import check_parameters

TEMPLATES = {(t.name, t.language): t for _, t in build(demo_seed()).templates.values()}


def _text(*values: str, **names: str) -> list[dict[str, str]]:
    named = [{"type": "text", "parameter_name": name, "text": value} for name, value in names.items()]
    return [{"type": "text", "text": value} for value in values] + named


def _body(*values: str, **names: str) -> dict[str, Any]:
    return {"type": "body", "parameters": _text(*values, **names)}


def _button(sub_type: str, index: object, kind: str = "text", value: str = "A-1") -> dict[str, Any]:
    parameter = {"type": kind, kind: value}
    return {"type": "button", "sub_type": sub_type, "index": index, "parameters": [parameter]}


def _image(**media: str) -> dict[str, Any]:
    return {"type": "header", "parameters": [{"type": "image", "image": media}]}


def _template(name: str) -> Template:
    return TEMPLATES[name, "en_US"]


@pytest.mark.parametrize(
    ("name", "components"),
    [
        ("welcome", []),
        ("spring_sale", [_body("Ann", "25%")]),
        ("spring_sale", [_body("Ann", "25%"), _button("quick_reply", "0", "payload", "STOP")]),
        ("order_update", [_body(order_id="A-1", first_name="Ann")]),
        ("image_promo", [_image(id="4711"), _body("Ann")]),
        ("image_promo", [_image(link="https://example.com/a.jpg"), _body("Ann")]),
        (
            "order_update_positional",
            [{"type": "header", "parameters": _text("A-1")}, _body("Ann", "Friday"), _button("url", 0)],
        ),
        ("coupon_offer", [_body("Ann"), _button("copy_code", 0, "coupon_code", "SAVE20")]),
    ],
)
def test_a_complete_send_is_taken(name: str, components: list[dict[str, Any]]) -> None:
    check_parameters(_template(name), components)


@pytest.mark.parametrize(
    ("name", "components", "code"),
    [
        ("spring_sale", [_body("Ann")], 132000),
        ("spring_sale", [_body("Ann", "25%", "more")], 132000),
        ("spring_sale", [], 132000),
        ("welcome", [_body("Ann")], 132000),
        ("spring_sale", [_body("Ann", "")], 131008),
        ("spring_sale", [_body("Ann", "a\nb")], 132018),
        ("spring_sale", [_body("Ann", "a\tb")], 132018),
        ("spring_sale", [_body("Ann", "a     b")], 132018),
        ("spring_sale", [_body("Ann", "x" * 1024)], 132005),
        ("spring_sale", [{"type": "body", "parameters": [{"type": "image"}, {"type": "image"}]}], 132012),
        ("spring_sale", [_body("Ann", "25%"), _button("url", 0)], 132012),
        ("spring_sale", [_body("Ann", "25%"), _button("url", 7)], 132012),
        ("spring_sale", [{"parameters": []}], 131008),
        ("spring_sale", [{"type": "sidebar"}], 100),
        ("spring_sale", {"type": "body"}, 131008),
        ("order_update", [_body("Ann", "A-1")], 132012),
        ("order_update", [_body(first_name="Ann", wrong="A-1")], 132012),
        ("image_promo", [_body("Ann")], 132012),
        ("image_promo", [_image(), _body("Ann")], 132012),
        ("image_promo", [_image(id="1", link="https://a.b/c"), _body("Ann")], 132012),
        ("order_update_positional", [{"type": "header", "parameters": _text("A")}, _body("Ann", "Fri")], 131008),
        ("coupon_offer", [_body("Ann"), _button("copy_code", 0, "coupon_code", "X" * 16)], 131009),
    ],
)
def test_a_wrong_send_is_refused_with_its_code(name: str, components: list[dict[str, Any]], code: int) -> None:
    with pytest.raises(Refusal) as refused:
        check_parameters(_template(name), components)
    assert refused.value.code == code


def test_a_wrong_count_is_told_in_metas_words() -> None:
    with pytest.raises(Refusal) as refused:
        check_parameters(_template("spring_sale"), [_body("Ann")])
    assert refused.value.details is not None
    assert "localizable_params (1) does not match the expected number of params (2)" in refused.value.details
