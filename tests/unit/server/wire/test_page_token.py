"""Page tokens: they lead on, only for the request that got them, and no forgery gets further than a refusal."""

import base64
from collections.abc import Callable
from contextlib import suppress

import pytest
from chappe.v1 import campaigns_service_pb2, contacts_service_pb2
from hypothesis import given
from hypothesis import strategies as st

from core.domain.contact_lists import Entry
from core.domain.errors import InvalidArgument
from server.wire.list_keys import after_contact, after_ids, after_time
from server.wire.page_token import Page, next_token, read_page

ID = "0197f9a0-0000-7000-8000-000000000001"


def request(prefix: str = "+33", **fields: object) -> contacts_service_pb2.ListContactsRequest:
    filter_ = contacts_service_pb2.ContactFilter(phone_number_prefix=prefix)
    return contacts_service_pb2.ListContactsRequest(filter=filter_, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(("asked", "given_size"), [(0, 50), (1, 1), (1000, 1000), (5000, 1000)])
def test_sizes_are_clamped(asked: int, given_size: int) -> None:
    page = read_page(request(page_size=asked))
    assert (page.size, page.after) == (given_size, None)


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(InvalidArgument) as refused:
        read_page(request(page_size=-1))
    assert refused.value.reason == "PAGE_SIZE_INVALID"


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1, max_size=3))
def test_a_token_leads_to_the_key_it_was_made_of(key: list[str]) -> None:
    token = next_token(request(page_size=10), last=tuple(key))
    assert read_page(request(page_size=20, page_token=token)).after == tuple(key)


def test_an_id_comes_back_as_an_id() -> None:
    assert str(read_page(request(page_token=next_token(request(), last=(ID,)))).after_id) == ID


def test_a_token_is_refused_with_other_arguments_or_another_rpc() -> None:
    token = next_token(request("+33"), last=(ID,))
    with pytest.raises(InvalidArgument):
        read_page(request("+49", page_token=token))
    token = next_token(contacts_service_pb2.ListContactsRequest(), last=(ID,))
    with pytest.raises(InvalidArgument):
        read_page(campaigns_service_pb2.ListCampaignsRequest(page_token=token))


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode())))
def test_no_text_does_more_than_be_refused(token: str) -> None:
    if not token:
        return
    with pytest.raises(InvalidArgument) as refused:
        read_page(request(page_token=token))
    assert refused.value.reason == "PAGE_TOKEN_INVALID"


@given(st.text(), st.integers(0, 400))
def test_a_token_changed_anywhere_is_refused_or_still_an_id(other: str, at: int) -> None:
    token = next_token(request(), last=(ID,))
    changed = request(page_token=token[: at % len(token)] + other + token[at % len(token) + 1 :])
    with suppress(InvalidArgument):  # which any other exception is not
        assert read_page(changed).after_id is None or changed.page_token


@pytest.mark.parametrize("key", [("not-an-id",), (ID, ID), ("\0",)])
def test_a_well_made_token_with_a_wrong_key_is_refused(key: tuple[str, ...]) -> None:
    token = next_token(request(), last=key)
    with pytest.raises(InvalidArgument) as refused:
        _ = read_page(request(page_token=token)).after_id
    assert refused.value.reason == "PAGE_TOKEN_INVALID"


@pytest.mark.parametrize("key", [("not-an-id",), (ID,), (ID, "no"), (ID, ID, ID)])
@pytest.mark.parametrize("read", [after_ids, after_time, lambda page: after_contact(page, Entry.DISPLAY_NAME)])
def test_a_wrong_key_of_several_parts_is_refused_like_any_other(
    key: tuple[str, ...], read: Callable[[Page], object]
) -> None:
    page = read_page(request(page_token=next_token(request(), last=key)))
    with pytest.raises(InvalidArgument) as refused:
        read(page)
    assert [(each.field, each.reason) for each in refused.value.violations] == [("page_token", "PAGE_TOKEN_INVALID")]
