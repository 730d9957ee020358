"""MessagesService: shows for every contact what happened to their message and what they did then; sends single ones."""

from collections.abc import AsyncIterator, Sequence

from chappe.v1 import contacts_service_pb2, messages_pb2, messages_service_pb2
from chappe.v1.messages_service_pb2_grpc import MessagesServiceServicer

from core.clock import Clock
from core.domain.message_lists import Message, MessageFilter
from core.queue.wakeups import Wakeups
from core.repositories.rooms import Rooms, Store
from core.settings import Settings
from server.call import mark_final
from server.mutations import Mutations
from server.services.direct_messages import Addressing, send_message
from server.services.interactions import list_interactions
from server.wire import interactions, names
from server.wire import messages as wire
from server.wire.list_keys import after_ids
from server.wire.page_token import LARGEST_SIZE, Page, cut, key_of_id, read_page
from server.wire.times import read_range


class MessagesService(MessagesServiceServicer):
    """Serves messages with their contacts: two statements, whatever the page."""

    def __init__(
        self, *, store: Store, mutations: Mutations, wakeups: Wakeups, clock: Clock, settings: Settings
    ) -> None:
        """Takes where messages are kept, and the bell that is rung when there is one to send."""
        self._store = store
        self._mutations = mutations
        self._wakeups = wakeups
        self._clock = clock
        self._addressing = Addressing(
            hash_key=settings.hash_key.get_secret_value().encode(), default_region=settings.default_region
        )

    async def GetMessage(
        self, request: messages_service_pb2.GetMessageRequest, context: object
    ) -> messages_pb2.Message:
        """Returns one message with its contact."""
        campaign_id, message_id = names.parse_message(request.name)
        async with self._store.connection() as rooms:
            message = await rooms.messages.get_message(campaign_id, message_id)
            addressees = await rooms.messages.list_addressees([message])
        return wire.message(message, next(iter(addressees.values()), None))

    async def ListMessages(
        self, request: messages_service_pb2.ListMessagesRequest, context: object
    ) -> messages_service_pb2.ListMessagesResponse:
        """Returns one page of messages with their contacts."""
        page = read_page(request)
        async with self._store.connection() as rooms:
            found = await self._list(rooms, request, page)
            # Within a campaign or a contact the id says enough.
            is_by_id = bool(request.parent or request.contact)
            shown, token = cut(request, page, found, key=key_of_id if is_by_id else _key_in_all)
            addressees = await rooms.messages.list_addressees(shown)
        return messages_service_pb2.ListMessagesResponse(
            messages=wire.messages(shown, addressees), next_page_token=token
        )

    async def SendMessage(
        self, request: messages_service_pb2.SendMessageRequest, context: object
    ) -> messages_pb2.Message:
        """Plans one message, to be sent ahead of all campaigns."""

        async def apply(rooms: Rooms) -> messages_pb2.Message:
            return await send_message(rooms, request, addressing=self._addressing, at=self._clock.now())

        reply = await self._mutations.run(
            request, messages_pb2.Message, apply, contact_id=lambda reply: names.parse_contact(reply.contact)
        )
        await self._wakeups.pump_sender(names.parse_sender(reply.sender))
        return reply

    async def ExportMessages(
        self, request: messages_service_pb2.ExportMessagesRequest, context: object
    ) -> AsyncIterator[messages_service_pb2.ExportMessagesResponse]:
        """Streams the messages of a campaign, a page at a time, then their number."""
        campaign_id = names.parse_campaign(request.parent)
        selected = MessageFilter(state=wire.read_state(request.state))
        row_count, after, is_last = 0, None, False
        while not is_last:
            # No connection is held while a slow caller reads.
            async with self._store.connection() as rooms:
                listed = await rooms.messages.list_campaign_messages(
                    campaign_id, selected, limit=LARGEST_SIZE, after=after
                )
                addressees = await rooms.messages.list_addressees(listed.messages)
            if listed.messages:
                yield messages_service_pb2.ExportMessagesResponse(messages=wire.messages(listed.messages, addressees))
                after = listed.messages[-1].id
            row_count += len(listed.messages)
            is_last = len(listed.messages) < LARGEST_SIZE
        footer = contacts_service_pb2.ExportFooter(row_count=row_count)
        yield messages_service_pb2.ExportMessagesResponse(footer=footer)

    async def ListInteractions(
        self, request: messages_service_pb2.ListInteractionsRequest, context: object
    ) -> messages_service_pb2.ListInteractionsResponse:
        """Returns one page of what people did."""
        async with self._store.connection() as rooms:
            return await list_interactions(rooms, request)

    async def CountInteractions(
        self, request: messages_service_pb2.CountInteractionsRequest, context: object
    ) -> messages_service_pb2.CountInteractionsResponse:
        """Counts what people did in answer to a campaign."""
        async with self._store.connection() as rooms:
            counts = await rooms.interactions.count_interactions(names.parse_campaign(request.parent))
        return interactions.interaction_counts(counts)

    async def _list(
        self, rooms: Rooms, request: messages_service_pb2.ListMessagesRequest, page: Page
    ) -> Sequence[Message]:
        selected, limit = _filter(request), page.size + 1
        if not request.parent:
            return await _list_all(rooms, selected, page, limit=limit)
        campaign_id = names.parse_campaign(request.parent)
        listed = await rooms.messages.list_campaign_messages(campaign_id, selected, limit=limit, after=page.after_id)
        if listed.is_quiet(at=self._clock.now()):
            mark_final()
        return listed.messages


async def _list_all(rooms: Rooms, selected: MessageFilter, page: Page, *, limit: int) -> Sequence[Message]:
    if selected.contact_id is not None:
        return await rooms.messages.list_messages_of_contact(
            selected.contact_id, selected, limit=limit, before=page.after_id
        )
    if selected.state is not None:
        return await rooms.messages.list_messages_by_state(
            selected.state, limit=limit, before=after_ids(page), planned=selected.planned
        )
    if not selected.planned.is_open:
        return await rooms.messages.list_messages_between(selected.planned, limit=limit, before=after_ids(page))
    return await rooms.messages.list_messages(limit=limit, before=after_ids(page))


def _filter(request: messages_service_pb2.ListMessagesRequest) -> MessageFilter:
    return MessageFilter(
        state=wire.read_state(request.state),
        contact_id=names.parse_contact(request.contact) if request.contact else None,
        planned=read_range(request),
    )


def _key_in_all(last: Message) -> tuple[str, ...]:
    return str(last.campaign_id), str(last.id)
