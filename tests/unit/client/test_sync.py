"""The plain client, against gRPC's own played server."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import grpc
import grpc_testing
import pytest
from chappe.v1 import campaigns_service_pb2, contacts_service_pb2
from chappe_client import Incomplete, NotFound, RetryPolicy, SyncChappe, v1

from tests.unit.client.servicers import info, packed

T = TypeVar("T")
SERVICES = (
    contacts_service_pb2.DESCRIPTOR.services_by_name["ContactsService"],
    campaigns_service_pb2.DESCRIPTOR.services_by_name["CampaignsService"],
)
METHODS = {method.name: method for service in SERVICES for method in service.methods}


class Stage:
    """Holds a client and the channel on which the test plays the server."""

    def __init__(self) -> None:
        self.channel: Any = grpc_testing.channel(SERVICES, grpc_testing.strict_real_time())
        self.chappe = SyncChappe(key="a-key", retries=RetryPolicy(first_delay=0.001), channel=self.channel)

    def start(self, action: Callable[[], T]) -> "Future[T]":
        """Runs the client's side beside the test's."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(action())
            except Exception as failure:
                future.set_exception(failure)

        threading.Thread(target=run, daemon=True).start()
        return future

    def take(self, method: str, *, kind: str = "unary_unary") -> Any:
        """Returns what take_<kind> of the channel returns for the client's next call."""
        return getattr(self.channel, f"take_{kind}")(METHODS[method])


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_call_returns_the_reply_and_carries_the_key(stage: Stage) -> None:
    future = stage.start(lambda: stage.chappe.contacts.get_contact(v1.GetContactRequest(name="contacts/1")))
    metadata, request, call = stage.take("GetContact")
    call.terminate(v1.Contact(name=request.name), (), grpc.StatusCode.OK, "")
    assert future.result(timeout=5).name == "contacts/1"
    assert ("authorization", "Bearer a-key") in [tuple(pair) for pair in metadata]


def test_a_refusal_arrives_as_its_own_type(stage: Stage) -> None:
    future = stage.start(lambda: stage.chappe.contacts.get_contact(v1.GetContactRequest(name="contacts/1")))
    _, _, call = stage.take("GetContact")
    code = grpc.StatusCode.NOT_FOUND
    call.terminate(None, packed(code, info("CONTACT_NOT_FOUND")), code, "There is no such contact.")
    with pytest.raises(NotFound, match="CONTACT_NOT_FOUND"):
        future.result(timeout=5)


def test_an_unavailable_server_is_asked_again_with_the_same_request_id(stage: Stage) -> None:
    future = stage.start(lambda: stage.chappe.contacts.create_contact(v1.CreateContactRequest(contact=v1.Contact())))
    _, first, call = stage.take("CreateContact")
    call.terminate(None, (), grpc.StatusCode.UNAVAILABLE, "going down")
    _, second, call = stage.take("CreateContact")
    call.terminate(v1.Contact(name="contacts/1"), (), grpc.StatusCode.OK, "")
    assert future.result(timeout=5).name == "contacts/1"
    assert first.request_id == second.request_id != ""


def test_all_pages_are_read(stage: Stage) -> None:
    future = stage.start(lambda: [each.name for each in stage.chappe.contacts.list_all_contacts()])
    for token, following in (("", "t1"), ("t1", "")):
        _, request, call = stage.take("ListContacts")
        assert request.page_token == token
        page = v1.ListContactsResponse(contacts=[v1.Contact(name=f"contacts/{token}")], next_page_token=following)
        call.terminate(page, (), grpc.StatusCode.OK, "")
    assert future.result(timeout=5) == ["contacts/", "contacts/t1"]


@pytest.mark.parametrize(("row_count", "whole"), [(1, True), (2, False)])
def test_an_export_is_whole_only_with_its_footer(stage: Stage, *, row_count: int, whole: bool) -> None:
    future = stage.start(lambda: [each.name for each in stage.chappe.export_contacts()])
    _, _, call = stage.take("ExportContacts", kind="unary_stream")
    call.send_response(v1.ExportContactsResponse(contacts=[v1.Contact(name="contacts/1")]))
    call.send_response(v1.ExportContactsResponse(footer=v1.ExportFooter(row_count=row_count)))
    call.terminate((), grpc.StatusCode.OK, "")
    if whole:
        assert future.result(timeout=5) == ["contacts/1"]
    else:
        with pytest.raises(Incomplete):
            future.result(timeout=5)


def test_an_import_sends_the_file_and_returns_the_summary(stage: Stage) -> None:
    future = stage.start(lambda: list(stage.chappe.import_contacts([b"phone\n", b"+33612345678\n"])))
    _, call = stage.take("ImportContacts", kind="stream_stream")
    received = call.take_request().body.data + call.take_request().body.data
    call.requests_closed()
    call.send_response(v1.ImportContactsResponse(summary=v1.ImportContactsResponseSummary(encoding="utf-8")))
    call.terminate((), grpc.StatusCode.OK, "")
    assert received == b"phone\n+33612345678\n"
    assert future.result(timeout=5)[-1].summary is not None


def test_a_campaign_is_followed_until_its_state_is_final(stage: Stage) -> None:
    future = stage.start(lambda: [each.campaign for each in stage.chappe.follow_campaign("campaigns/1")])
    states = (v1.CampaignState.RUNNING, v1.CampaignState.CANCELLED)
    for state in states:
        _, _, call = stage.take("WatchCampaign", kind="unary_stream")
        call.send_response(v1.WatchCampaignResponse(campaign=v1.Campaign(state=state)))
        call.terminate((), grpc.StatusCode.OK, "")
    assert future.result(timeout=5) == [v1.Campaign(state=state) for state in states]
