"""Calls of the asynchronous client: errors by type, retries where they help, the key and the mark of own writes."""

import grpc
import pytest
from chappe.v1 import contacts_service_pb2
from chappe_client import (
    AlreadyExists,
    Chappe,
    ChappeError,
    Conflict,
    DeadlineExceeded,
    InvalidArgument,
    LimitReached,
    NotAllowed,
    NotFound,
    RetryPolicy,
    Unauthenticated,
    Unavailable,
    Unimplemented,
    WrongState,
    v1,
)
from chappe_client.session import Session
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2

from tests.unit.client.servicers import Contacts, info

ASK = v1.GetContactRequest(name="contacts/1")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, InvalidArgument),
        (grpc.StatusCode.NOT_FOUND, NotFound),
        (grpc.StatusCode.ALREADY_EXISTS, AlreadyExists),
        (grpc.StatusCode.FAILED_PRECONDITION, WrongState),
        (grpc.StatusCode.ABORTED, Conflict),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, LimitReached),
        (grpc.StatusCode.PERMISSION_DENIED, NotAllowed),
        (grpc.StatusCode.UNAUTHENTICATED, Unauthenticated),
        (grpc.StatusCode.UNIMPLEMENTED, Unimplemented),
        (grpc.StatusCode.INTERNAL, ChappeError),
    ],
)
async def test_each_refusal_arrives_as_its_own_type_with_its_reason(
    chappe: Chappe, contacts: Contacts, code: grpc.StatusCode, kind: type[ChappeError]
) -> None:
    contacts.refuse(code, info("SOME_REASON", contact="contacts/1"))
    with pytest.raises(ChappeError) as caught:
        await chappe.contacts.get_contact(ASK)
    assert type(caught.value) is kind
    assert caught.value.reason == "SOME_REASON"
    assert caught.value.metadata == {"contact": "contacts/1"}
    assert len(contacts.requests) == 1, "a refusal is an answer, not something to try again"


async def test_a_bad_request_says_which_fields_are_wrong(chappe: Chappe, contacts: Contacts) -> None:
    bad = error_details_pb2.BadRequest()
    bad.field_violations.add(field="contact.phone_number", description="is no number", reason="PHONE_NUMBER_INVALID")
    contacts.refuse(grpc.StatusCode.INVALID_ARGUMENT, info("INVALID"), bad)
    with pytest.raises(InvalidArgument) as caught:
        await chappe.contacts.get_contact(ASK)
    assert [violation.field for violation in caught.value.violations] == ["contact.phone_number"]


async def test_an_unavailable_server_is_asked_again_until_it_answers(chappe: Chappe, contacts: Contacts) -> None:
    contacts.refuse(grpc.StatusCode.UNAVAILABLE)
    contacts.refuse(grpc.StatusCode.UNAVAILABLE)
    contact = await chappe.contacts.get_contact(ASK)
    assert contact.name == "contacts/1"
    assert len(contacts.requests) == 3


async def test_a_call_that_a_stopping_server_cancelled_is_made_again(chappe: Chappe, contacts: Contacts) -> None:
    contacts.refuse(grpc.StatusCode.CANCELLED)
    await chappe.contacts.get_contact(ASK)
    assert len(contacts.requests) == 2


async def test_attempts_come_to_an_end(chappe: Chappe, contacts: Contacts) -> None:
    for _ in range(9):
        contacts.refuse(grpc.StatusCode.UNAVAILABLE)
    with pytest.raises(Unavailable):
        await chappe.contacts.get_contact(ASK)
    assert len(contacts.requests) == 5


async def test_a_limit_is_asked_again_only_when_the_server_says_when(chappe: Chappe, contacts: Contacts) -> None:
    soon = error_details_pb2.RetryInfo(retry_delay=Duration(nanos=1_000_000))
    contacts.refuse(grpc.StatusCode.RESOURCE_EXHAUSTED, info("TOO_FAST"), soon)
    await chappe.contacts.get_contact(ASK)
    assert len(contacts.requests) == 2


async def test_a_repeated_write_carries_one_request_id(chappe: Chappe, contacts: Contacts) -> None:
    contacts.refuse(grpc.StatusCode.UNAVAILABLE)
    request = v1.CreateContactRequest(contact=v1.Contact(display_name="Ann"))
    await chappe.contacts.create_contact(request)
    await chappe.contacts.create_contact(request)
    ids = [sent.request_id for sent in contacts.requests if isinstance(sent, contacts_service_pb2.CreateContactRequest)]
    assert ids[0] == ids[1] != ""
    assert ids[2] != ids[0], "another call is another write"
    assert request.request_id == "", "the caller's request stays as it was"


async def test_a_callers_own_request_id_is_kept(chappe: Chappe, contacts: Contacts) -> None:
    await chappe.contacts.create_contact(v1.CreateContactRequest(contact=v1.Contact(), request_id="mine"))
    (sent,) = contacts.requests
    assert isinstance(sent, contacts_service_pb2.CreateContactRequest)
    assert sent.request_id == "mine"


async def test_every_call_carries_the_key(chappe: Chappe, contacts: Contacts) -> None:
    await chappe.contacts.get_contact(ASK)
    assert contacts.metadata[0]["authorization"] == "Bearer a-key"


async def test_a_read_after_a_write_carries_the_mark_of_the_write(chappe: Chappe, contacts: Contacts) -> None:
    await chappe.contacts.get_contact(ASK)
    await chappe.contacts.create_contact(v1.CreateContactRequest(contact=v1.Contact()))
    await chappe.contacts.get_contact(ASK)
    assert "chappe-generations" not in contacts.metadata[0]
    assert contacts.metadata[2]["chappe-generations"] == "contacts=7"


async def test_the_deadline_bounds_all_attempts_together(address: str, contacts: Contacts) -> None:
    for _ in range(9):
        contacts.refuse(grpc.StatusCode.UNAVAILABLE)
    slow = RetryPolicy(first_delay=60.0, longest_delay=60.0)
    async with Chappe(address, retries=slow, timeout=5.0) as client:
        with pytest.raises(Unavailable):
            await client.contacts.get_contact(ASK)
    assert len(contacts.requests) == 1


async def test_a_server_that_does_not_answer_in_time_is_told_from_one_that_is_away(
    chappe: Chappe, contacts: Contacts
) -> None:
    contacts.answers = False
    with pytest.raises(DeadlineExceeded):
        await chappe.contacts.get_contact(ASK, timeout=0.05)


async def test_nobody_listening_is_unavailable() -> None:
    async with Chappe("127.0.0.1:1", retries=RetryPolicy(attempts=1)) as client:
        with pytest.raises(Unavailable):
            await client.contacts.get_contact(ASK)


def test_the_marks_of_writes_to_several_collections_are_all_sent_back() -> None:
    session = Session(key=None)
    session.learn((("chappe-generations", "contacts=7,categories=3"),))
    session.learn((("chappe-generations", "contacts=8"),))
    assert dict(session.metadata()) == {"chappe-generations": "categories=3,contacts=8"}
    session.learn((("chappe-generations", "contacts=7,odd,categories=x"),))  # the answer to an older call comes last
    assert dict(session.metadata()) == {"chappe-generations": "categories=3,contacts=8"}


def test_a_client_that_wants_no_cached_replies_says_so_with_every_call() -> None:
    assert ("cache-control", "no-cache") in Session(key="k", cached=False).metadata()
    assert ("cache-control", "no-cache") not in Session(key="k").metadata()
