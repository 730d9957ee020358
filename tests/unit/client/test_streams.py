"""Streams of the asynchronous client: pages, exports, imports and watches; what is incomplete says so."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from chappe.v1 import contacts_pb2, contacts_service_pb2
from chappe_client import Chappe, Incomplete, NotAllowed, Unavailable, v1
from chappe_client.imports import CHUNK, ImportOptions

from tests.unit.client.servicers import Campaigns, Contacts

Element = contacts_service_pb2.ExportContactsResponse


def people(*names: str) -> Element:
    return Element(contacts=[contacts_pb2.Contact(display_name=name) for name in names])


def footer(row_count: int) -> Element:
    return Element(footer=contacts_service_pb2.ExportFooter(row_count=row_count))


async def test_all_pages_are_read_one_after_the_other(chappe: Chappe, contacts: Contacts) -> None:
    request = v1.ListContactsRequest(page_size=2, filter=v1.ContactFilter(display_name_prefix="a"))
    names = [contact.display_name async for contact in chappe.contacts.list_all_contacts(request)]
    assert names == ["0-0", "0-1", "1-0", "1-1", "2-0", "2-1"]
    sent = [each for each in contacts.requests if isinstance(each, contacts_service_pb2.ListContactsRequest)]
    assert [each.page_token for each in sent] == ["", "1", "2"]
    assert {each.filter.display_name_prefix for each in sent} == {"a"}


async def test_an_export_is_whole_when_its_footer_counts_as_many(chappe: Chappe, contacts: Contacts) -> None:
    contacts.exported = [people("Ann", "Bea"), people("Cid"), footer(3)]
    assert [contact.display_name async for contact in chappe.export_contacts()] == ["Ann", "Bea", "Cid"]


@pytest.mark.parametrize("end", [[], [footer(4)]])
async def test_an_export_that_lost_rows_is_not_taken_for_whole(
    chappe: Chappe, contacts: Contacts, end: list[Element]
) -> None:
    contacts.exported = [people("Ann", "Bea"), *end]
    with pytest.raises(Incomplete):
        _ = [contact async for contact in chappe.export_contacts()]


async def test_a_stream_is_begun_again_only_before_its_first_element(chappe: Chappe, contacts: Contacts) -> None:
    contacts.exported = [people("Ann"), footer(1)]
    contacts.refuse(grpc.StatusCode.UNAVAILABLE)
    assert len([contact async for contact in chappe.export_contacts()]) == 1
    contacts.break_export = True
    contacts.exported = [people("Ann")]
    with pytest.raises(Unavailable):
        _ = [contact async for contact in chappe.export_contacts()]
    assert len(contacts.requests) == 3, "once refused, once whole, once broken and left"


async def test_a_file_is_imported_to_the_last_byte(chappe: Chappe, contacts: Contacts, tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    file.write_bytes(b"phone\n" + b"+33612345678\n" * 50_000)
    options = ImportOptions(categories=["Customers"], default_region="FR")
    elements = [element async for element in chappe.import_contacts(file, options)]
    assert contacts.received == file.read_bytes()
    assert elements[-1].summary is not None
    first, second = contacts.requests[:2]
    assert (list(first.categories), first.default_region) == (["Customers"], "FR")  # type: ignore[attr-defined]
    assert list(second.categories) == [], "the configuration counts in the first message"  # type: ignore[attr-defined]
    assert all(len(each.body.data) <= CHUNK for each in contacts.requests)  # type: ignore[attr-defined]


async def test_an_import_without_summary_is_not_taken_for_whole(chappe: Chappe, contacts: Contacts) -> None:
    contacts.summarise = False
    with pytest.raises(Incomplete):
        _ = [element async for element in chappe.import_contacts(b"phone\n")]


async def test_an_empty_file_is_still_an_import(chappe: Chappe, contacts: Contacts) -> None:
    elements = [element async for element in chappe.import_contacts(b"")]
    assert elements[-1].summary is not None
    assert len(contacts.requests) == 1


async def test_a_source_that_breaks_is_told_as_what_broke_it(chappe: Chappe) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"phone\n"
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        _ = [element async for element in chappe.import_contacts(broken())]


async def test_a_campaign_is_followed_to_its_end_through_restarts(chappe: Chappe, campaigns: Campaigns) -> None:
    async with asyncio.timeout(10):
        seen = [element async for element in chappe.follow_campaign("campaigns/1")]
    states = [element.campaign.state for element in seen if element.campaign is not None]
    assert states == [v1.CampaignState.RUNNING, v1.CampaignState.RUNNING, v1.CampaignState.COMPLETED]
    assert len(campaigns.requests) == 3


async def test_following_ends_when_it_is_refused(chappe: Chappe, campaigns: Campaigns) -> None:
    campaigns.refuse(grpc.StatusCode.PERMISSION_DENIED)
    with pytest.raises(NotAllowed):
        _ = [element async for element in chappe.follow_campaign("campaigns/1")]
