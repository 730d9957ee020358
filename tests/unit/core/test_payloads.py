"""Bodies of template messages, as the Cloud API wants them."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.domain.messages import MessageRef
from core.whatsapp.payloads import TemplateForm, callback_data, clean, parse_callback_data, template_payload

REF = MessageRef(campaign_id=UUID(int=1), message_id=UUID(int=2), attempt=3)


def binding(component: str, kind: str, *, parameter: str = "", index: int = 0) -> dict[str, Any]:
    return {"component": component, "kind": kind, "parameter": parameter, "button_index": index}


def payload(
    *bindings: dict[str, Any], values: tuple[str, ...] = (), named: bool = False, phone: str | None = "+4917012345678"
) -> dict[str, Any]:
    form = TemplateForm(template_name="spring", language_code="en_US", named=named, bindings=bindings)
    return template_payload(form, ref=REF, parameters=values, phone_number=phone, whatsapp_user_id="US.1")


def test_a_static_template_has_no_components() -> None:
    assert payload()["template"] == {"name": "spring", "language": {"code": "en_US"}}


def test_a_number_keeps_its_plus_and_a_user_without_one_is_a_recipient() -> None:
    assert payload()["to"] == "+4917012345678"
    without = payload(phone=None)
    assert (without.get("to"), without["recipient"]) == (None, "US.1")


def test_positional_values_come_in_the_order_of_their_bindings() -> None:
    bindings = (binding("BODY", "TEXT", parameter="1"), binding("BODY", "TEXT", parameter="2"))
    body = payload(*bindings, values=("Ann", "25%"))["template"]["components"]
    assert body == [{"type": "body", "parameters": [{"type": "text", "text": "Ann"}, {"type": "text", "text": "25%"}]}]


def test_named_values_carry_their_names() -> None:
    body = payload(binding("BODY", "TEXT", parameter="first_name"), values=("Ann",), named=True)
    assert body["template"]["components"][0]["parameters"][0]["parameter_name"] == "first_name"


def test_header_media_is_a_link_or_an_id() -> None:
    by_link = payload(binding("HEADER", "IMAGE"), values=("https://example.com/a.png",))
    assert by_link["template"]["components"][0]["parameters"][0]["image"] == {"link": "https://example.com/a.png"}
    by_id = payload(binding("HEADER", "VIDEO"), values=("123",))
    assert by_id["template"]["components"][0]["parameters"][0]["video"] == {"id": "123"}


def test_buttons_name_their_place_as_text_and_come_last() -> None:
    bindings = (
        binding("BUTTON", "URL_SUFFIX", index=1),
        binding("BUTTON", "PAYLOAD", index=0),
        binding("BODY", "TEXT", parameter="1"),
    )
    components = payload(*bindings, values=("a b", "STOP", "Ann"))["template"]["components"]
    assert [(one["type"], one.get("sub_type"), one.get("index")) for one in components] == [
        ("body", None, None),
        ("button", "quick_reply", "0"),
        ("button", "url", "1"),
    ]
    assert components[2]["parameters"] == [{"type": "text", "text": "a%20b"}]


def test_values_that_do_not_fit_the_bindings_are_refused() -> None:
    with pytest.raises(ValueError, match="argument"):
        payload(binding("BODY", "TEXT", parameter="1"), values=())


@given(some.text())
def test_a_clean_value_breaks_no_rule_of_whatsapp(text: str) -> None:
    value = clean(text)
    assert not {"\n", "\r", "\t"} & set(value)
    assert "     " not in value


@given(some.uuids(), some.uuids(), some.integers(0, 999_999_999))
def test_callback_data_comes_back_as_it_went(campaign_id: UUID, message_id: UUID, attempt: int) -> None:
    text = callback_data(campaign_id, message_id, attempt)
    assert parse_callback_data(text) == MessageRef(campaign_id=campaign_id, message_id=message_id, attempt=attempt)
    assert len(text) <= 512


@given(some.text())
def test_callback_data_of_others_is_not_taken_for_ours(text: str) -> None:
    assert parse_callback_data(text) is None
