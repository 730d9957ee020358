"""Servicers that fail as often as told, and remember what they were sent."""
# ruff: noqa: N802 - rpcs are called as in the contract

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

import grpc
from chappe.v1 import (
    campaigns_pb2,
    campaigns_service_pb2,
    campaigns_service_pb2_grpc,
    contacts_import_pb2,
    contacts_pb2,
    contacts_service_pb2,
    contacts_service_pb2_grpc,
    stats_pb2,
)
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

Context = grpc.aio.ServicerContext[Any, Any]


def packed(code: grpc.StatusCode, *details: Message) -> tuple[tuple[str, bytes], ...]:
    """Returns trailing metadata with error details."""
    status = status_pb2.Status(code=code.value[0])
    for detail in details:
        status.details.add().Pack(detail)
    return (("grpc-status-details-bin", status.SerializeToString()),)


def info(reason: str, **metadata: str) -> error_details_pb2.ErrorInfo:
    return error_details_pb2.ErrorInfo(reason=reason, domain="chappe", metadata=metadata)


class Script:
    """Holds the refusals to come, first first, and what was received."""

    def __init__(self) -> None:
        self.refusals: list[tuple[grpc.StatusCode, tuple[Message, ...]]] = []
        self.requests: list[Message] = []
        self.answers = True
        self.metadata: list[dict[str, str | bytes]] = []

    def refuse(self, code: grpc.StatusCode, *details: Message) -> None:
        self.refusals.append((code, details))

    async def play(self, request: Message, context: Context) -> None:
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata() or ()))
        if not self.answers:
            await asyncio.Event().wait()
        if self.refusals:
            code, details = self.refusals.pop(0)
            await context.abort(code, "no", packed(code, *details))


class Contacts(Script, contacts_service_pb2_grpc.ContactsServiceServicer):
    """Plays the ContactsService."""

    def __init__(self) -> None:
        super().__init__()
        self.exported: list[contacts_service_pb2.ExportContactsResponse] = []
        self.break_export = False
        self.summarise = True
        self.received = b""

    async def GetContact(
        self, request: contacts_service_pb2.GetContactRequest, context: Context
    ) -> contacts_pb2.Contact:
        await self.play(request, context)
        return contacts_pb2.Contact(name=request.name)

    async def CreateContact(
        self, request: contacts_service_pb2.CreateContactRequest, context: Context
    ) -> contacts_pb2.Contact:
        await self.play(request, context)
        context.set_trailing_metadata((("chappe-generations", "contacts=7"),))
        return request.contact

    async def ListContacts(
        self, request: contacts_service_pb2.ListContactsRequest, context: Context
    ) -> contacts_service_pb2.ListContactsResponse:
        await self.play(request, context)
        page = int(request.page_token or "0")
        people = [contacts_pb2.Contact(display_name=f"{page}-{n}") for n in range(2)]
        return contacts_service_pb2.ListContactsResponse(
            contacts=people, next_page_token=str(page + 1) if page < 2 else ""
        )

    async def ExportContacts(
        self, request: contacts_service_pb2.ExportContactsRequest, context: Context
    ) -> AsyncIterator[contacts_service_pb2.ExportContactsResponse]:
        await self.play(request, context)
        for element in self.exported:
            yield element
        if self.break_export:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    async def ImportContacts(
        self, request_iterator: AsyncIterable[contacts_import_pb2.ImportContactsRequest], context: Context
    ) -> AsyncIterator[contacts_import_pb2.ImportContactsResponse]:
        async for request in request_iterator:
            self.requests.append(request)
            self.received += request.body.data
            totals = contacts_import_pb2.ImportContactsResponse.Totals(byte_count=len(self.received))
            yield contacts_import_pb2.ImportContactsResponse(progress=totals)
        if self.summarise:
            summary = contacts_import_pb2.ImportContactsResponse.Summary(encoding="utf-8")
            yield contacts_import_pb2.ImportContactsResponse(summary=summary)


class Campaigns(Script, campaigns_service_pb2_grpc.CampaignsServiceServicer):
    """Plays the CampaignsService: each watch ends after one element, the third shows it COMPLETED."""

    async def WatchCampaign(
        self, request: campaigns_service_pb2.WatchCampaignRequest, context: Context
    ) -> AsyncIterator[campaigns_service_pb2.WatchCampaignResponse]:
        await self.play(request, context)
        states = campaigns_pb2.Campaign
        state = states.STATE_COMPLETED if len(self.requests) >= 3 else states.STATE_RUNNING
        yield campaigns_service_pb2.WatchCampaignResponse(
            campaign=campaigns_pb2.Campaign(name=request.name, state=state),
            # Receipts may come for a day after the end; a watch does not wait for them.
            stats=stats_pb2.CampaignStats(final=False),
        )
        if len(self.requests) == 2:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "restarting")
