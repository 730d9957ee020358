"""The rules of the contract are kept before a service sees a request."""

from typing import Any

import grpc
import pytest
from chappe.v1 import contacts_pb2, contacts_service_pb2, contacts_service_pb2_grpc
from google.protobuf.message import Message

from server.interceptors.base import Chain
from server.interceptors.errors import Errors
from server.interceptors.validation import Validation
from server.policies import read_policies
from tests.helpers.doors import Context, call, details, listening

SERVICE = "/chappe.v1.ContactsService"
GOOD = "contacts/0197f9a0-0000-7000-8000-000000000001"


class Contacts(contacts_service_pb2_grpc.ContactsServiceServicer):
    async def GetContact(  # noqa: N802  # named by the contract
        self, request: contacts_service_pb2.GetContactRequest, _context: Context
    ) -> contacts_pb2.Contact:
        return contacts_pb2.Contact(name=request.name)


async def get(method: str, request: Message, reply: type[Message] = contacts_pb2.Contact) -> Message:
    policies = read_policies([contacts_service_pb2.DESCRIPTOR.services_by_name["ContactsService"]])
    guarded: Any = Chain([Errors(), Validation()], policies=policies)
    contacts_service_pb2_grpc.add_ContactsServiceServicer_to_server(Contacts(), guarded)  # type: ignore[no-untyped-call, unused-ignore]
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((guarded,))
    async with listening(server) as channel:
        got, _ = await call(channel, f"{SERVICE}/{method}", request, reply)
    assert isinstance(got, Message)
    return got


async def test_a_good_request_passes() -> None:
    request = contacts_service_pb2.GetContactRequest(name=GOOD)
    assert await get("GetContact", request) == contacts_pb2.Contact(name=GOOD)


async def test_a_bad_request_is_refused_with_the_field_and_the_rule() -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await get("GetContact", contacts_service_pb2.GetContactRequest(name="contacts/nobody"))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    found = details(refused.value)
    assert found["ErrorInfo"].reason == "REQUEST_INVALID"
    violation = found["BadRequest"].field_violations[0]
    assert (violation.field, violation.reason) == ("name", "string.pattern")
    assert violation.description == "must be a name like contacts/{id}, each id a UUID in lower case"
    assert refused.value.details() == f"The field name breaks a rule: {violation.description}."


@pytest.mark.parametrize(
    ("method", "request_", "words"),
    [
        (
            "RecordConsent",
            contacts_service_pb2.RecordConsentRequest(name=GOOD, source="phone"),
            "must be MARKETING_CONSENT_OPTED_IN or MARKETING_CONSENT_OPTED_OUT",
        ),
        ("ListContacts", contacts_service_pb2.ListContactsRequest(page_size=-1), "must be greater than or equal to 0"),
    ],
)
async def test_a_rule_is_told_in_words(method: str, request_: Message, words: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await get(method, request_)
    assert details(refused.value)["BadRequest"].field_violations[0].description == words


async def test_elements_and_keys_are_told_apart() -> None:
    request = contacts_service_pb2.BatchGetContactsRequest(names=[GOOD, "x"])
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await get("BatchGetContacts", request)
    assert details(refused.value)["BadRequest"].field_violations[0].field == "names[1]"
    contact = contacts_pb2.Contact(phone_number="+33612345678", attributes={"city": "x" * 5000})
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await get("CreateContact", contacts_service_pb2.CreateContactRequest(contact=contact))
    assert details(refused.value)["BadRequest"].field_violations[0].field == 'contact.attributes["city"]'


async def test_what_a_servicer_leaves_out_is_unimplemented() -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await get("DeleteContact", contacts_service_pb2.DeleteContactRequest(name=GOOD))
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
