"""client: the asynchronous client."""

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

import grpc

from chappe_client.calls import Calls
from chappe_client.connection import Tls, open_channel
from chappe_client.errors import Incomplete, Unavailable
from chappe_client.generated import services
from chappe_client.generated.chappe import v1
from chappe_client.imports import IMPORT_UNFINISHED, AsyncSource, ImportOptions, async_requests
from chappe_client.retries import RetryPolicy
from chappe_client.session import Session
from chappe_client.streams import MOST_FAILURES, confirm, is_over


class Chappe:
    """Calls Chappe at host:port: `async with Chappe("localhost:8080", key=key) as chappe: ...`.

    timeout, in seconds, bounds a call and its retries; streams have none. cached=False asks for replies that are
    not from the server's cache. channel replaces target and tls.
    """

    def __init__(
        self,
        target: str = "",
        *,
        key: str | None = None,
        tls: Tls | None = None,
        timeout: float = 10.0,
        cached: bool = True,
        retries: RetryPolicy | None = None,
        channel: grpc.aio.Channel | None = None,
    ) -> None:
        self._channel = channel or open_channel(target, tls=tls)
        retries = retries or RetryPolicy()
        calls = Calls(channel=self._channel, session=Session(key=key, cached=cached), retries=retries, timeout=timeout)
        self._calls = calls
        self.contacts = services.ContactsService(calls)
        self.categories = services.CategoriesService(calls)
        self.templates = services.TemplatesService(calls)
        self.senders = services.SendersService(calls)
        self.campaigns = services.CampaignsService(calls)
        self.messages = services.MessagesService(calls)
        self.stats = services.StatsService(calls)

    async def __aenter__(self) -> Self:
        """Returns itself; nothing is connected before the first call."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the connection."""
        await self.close()

    async def close(self) -> None:
        """Closes the connection; calls under way are cancelled."""
        await self._channel.close()

    async def import_contacts(
        self, source: AsyncSource, options: ImportOptions | None = None
    ) -> AsyncIterator[v1.ImportContactsResponse]:
        """Imports a CSV file (its path, bytes, or pieces) and yields progress, rejects and last the summary.

        Raises Incomplete when no summary comes; importing the same file again is then safe.
        """
        element = None
        async for element in self.contacts.import_contacts(async_requests(source, options or ImportOptions())):
            yield element
        if element is None or element.summary is None:
            raise Incomplete(IMPORT_UNFINISHED)

    async def export_contacts(self, request: v1.ExportContactsRequest | None = None) -> AsyncIterator[v1.Contact]:
        """Yields every contact that matches; raises Incomplete when the footer does not confirm their number."""
        count, footer = 0, None
        async for element in self.contacts.export_contacts(request or v1.ExportContactsRequest()):
            for contact in element.contacts:
                yield contact
            count, footer = count + len(element.contacts), element.footer
        confirm(count, footer)

    async def export_messages(self, request: v1.ExportMessagesRequest) -> AsyncIterator[v1.Message]:
        """Yields every message that matches; raises Incomplete when the footer does not confirm their number."""
        count, footer = 0, None
        async for element in self.messages.export_messages(request):
            for message in element.messages:
                yield message
            count, footer = count + len(element.messages), element.footer
        confirm(count, footer)

    async def follow_campaign(self, name: str) -> AsyncIterator[v1.WatchCampaignResponse]:
        """Yields how a campaign goes until it is over, however often the watch has to be begun again."""
        failures = 0
        while True:
            try:
                async for element in self.campaigns.watch_campaign(v1.WatchCampaignRequest(name=name)):
                    failures = 0
                    yield element
                    if is_over(element):
                        return
            except Unavailable:
                failures += 1
                if failures > MOST_FAILURES:
                    raise
                await self._calls.again_later(failures)
