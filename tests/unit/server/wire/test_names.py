"""Names of resources go to ids and back; anything else is refused without being repeated."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.errors import InvalidArgument
from server.wire import names

SINGLE = [
    (names.contact_name, names.parse_contact),
    (names.category_name, names.parse_category),
    (names.template_name, names.parse_template),
    (names.sender_name, names.parse_sender),
    (names.campaign_name, names.parse_campaign),
    (names.campaign_stats_name, names.parse_campaign_stats),
]


@pytest.mark.parametrize(("write", "read"), SINGLE)
@given(id_=st.uuids())
def test_a_name_comes_back_as_its_id(write: Callable[[UUID], str], read: Callable[[str], UUID], id_: UUID) -> None:
    assert read(write(id_)) == id_


@given(st.uuids(), st.uuids())
def test_a_message_is_named_within_its_campaign(campaign_id: UUID, message_id: UUID) -> None:
    assert names.parse_message(names.message_name(campaign_id, message_id)) == (campaign_id, message_id)


@pytest.mark.parametrize("read", [read for _, read in SINGLE] + [names.parse_message])
@pytest.mark.parametrize(
    "name",
    [
        "",
        "contacts/",
        "contacts/1",
        "contacts/0197F9A0-0000-7000-8000-000000000001",
        "contacts/0197f9a0000070008000000000000001",
        "people/0197f9a0-0000-7000-8000-000000000001",
        "contacts/0197f9a0-0000-7000-8000-000000000001/",
        "contacts/+33612345678",
    ],
)
def test_any_other_name_is_refused_and_not_repeated(read: Callable[[str], Any], name: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        read(name)
    assert refused.value.reason == "NAME_INVALID"
    assert "336" not in refused.value.message
