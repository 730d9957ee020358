"""SendersService: keeps the numbers that messages go out from."""

from chappe.v1 import senders_pb2
from chappe.v1.senders_pb2_grpc import SendersServiceServicer
from google.protobuf.empty_pb2 import Empty

from core.clock import Clock
from core.domain.senders import SETTABLE_FIELDS, with_defaults
from core.queue.wakeups import Wakeups
from core.repositories.rooms import Rooms, Store
from core.settings import Settings
from core.whatsapp.credentials import access_token
from core.whatsapp.management import ManagementClient
from server.mutations import Mutations
from server.wire import names
from server.wire import senders as wire
from server.wire.field_mask import changed_fields
from server.wire.page_token import cut, read_page


class SendersService(SendersServiceServicer):
    """Serves senders; asks WhatsApp only when a refresh is asked for."""

    def __init__(
        self,
        *,
        store: Store,
        mutations: Mutations,
        wakeups: Wakeups,
        clock: Clock,
        settings: Settings,
        management: ManagementClient,
    ) -> None:
        """Takes where senders are kept, and who asks WhatsApp about them."""
        self._store = store
        self._mutations = mutations
        self._wakeups = wakeups
        self._clock = clock
        self._settings = settings
        self._management = management

    async def GetSender(self, request: senders_pb2.GetSenderRequest, context: object) -> senders_pb2.Sender:
        """Returns one sender."""
        async with self._store.connection() as rooms:
            return wire.sender(await rooms.senders.get_sender(names.parse_sender(request.name)))

    async def ListSenders(
        self, request: senders_pb2.ListSendersRequest, context: object
    ) -> senders_pb2.ListSendersResponse:
        """Returns one page of senders, oldest first."""
        page = read_page(request)
        async with self._store.connection() as rooms:
            found = await rooms.senders.list_senders(limit=page.size + 1, after=page.after_id)
        shown, token = cut(request, page, found)
        return senders_pb2.ListSendersResponse(senders=[wire.sender(sender) for sender in shown], next_page_token=token)

    async def CreateSender(self, request: senders_pb2.CreateSenderRequest, context: object) -> senders_pb2.Sender:
        """Creates a sender."""

        async def apply(rooms: Rooms) -> senders_pb2.Sender:
            draft = with_defaults(wire.read_sender(request.sender))
            return wire.sender(await rooms.senders.create_sender(draft, at=self._clock.now()))

        return await self._mutations.run(request, senders_pb2.Sender, apply)

    async def UpdateSender(self, request: senders_pb2.UpdateSenderRequest, context: object) -> senders_pb2.Sender:
        """Changes the named fields of a sender."""
        sender_id = names.parse_sender(request.sender.name)
        changed = changed_fields(request.update_mask, request.sender, SETTABLE_FIELDS)
        draft = with_defaults(wire.read_sender(request.sender))

        async def apply(rooms: Rooms) -> senders_pb2.Sender:
            rate = None
            if "messages_per_second" in changed:
                rate = (await rooms.senders.lock_rate(sender_id)).choose(draft.messages_per_second)
            updated = await rooms.senders.update_sender(
                sender_id,
                display_name=draft.display_name if "display_name" in changed else None,
                credential_reference=draft.credential_reference if "credential_reference" in changed else None,
                rate=rate,
                at=self._clock.now(),
            )
            return wire.sender(updated)

        return await self._mutations.run(request, senders_pb2.Sender, apply)

    async def DeleteSender(self, request: senders_pb2.DeleteSenderRequest, context: object) -> Empty:
        """Deletes a sender that was never used."""
        sender_id = names.parse_sender(request.name)

        async def apply(rooms: Rooms) -> Empty:
            await rooms.senders.delete_sender(sender_id)
            return Empty()

        return await self._mutations.run(request, Empty, apply)

    async def PauseSender(self, request: senders_pb2.PauseSenderRequest, context: object) -> senders_pb2.Sender:
        """Stops everything a sender has to send."""
        sender_id = names.parse_sender(request.name)

        async def apply(rooms: Rooms) -> senders_pb2.Sender:
            paused = await rooms.senders.pause_sender(sender_id, reason=request.pause_reason, at=self._clock.now())
            return wire.sender(paused)

        return await self._mutations.run(request, senders_pb2.Sender, apply)

    async def ResumeSender(self, request: senders_pb2.ResumeSenderRequest, context: object) -> senders_pb2.Sender:
        """Lets a sender send again."""
        sender_id = names.parse_sender(request.name)

        async def apply(rooms: Rooms) -> senders_pb2.Sender:
            return wire.sender(await rooms.senders.resume_sender(sender_id, at=self._clock.now()))

        reply = await self._mutations.run(request, senders_pb2.Sender, apply)
        await self._wakeups.pump_sender(sender_id)
        return reply

    async def RefreshSender(self, request: senders_pb2.RefreshSenderRequest, context: object) -> senders_pb2.Sender:
        """Asks WhatsApp about a sender, then keeps what it said."""
        sender_id = names.parse_sender(request.name)
        async with self._store.connection() as rooms:
            sender = await rooms.senders.get_sender(sender_id)
        token = access_token(self._settings, sender.credential_reference)
        info = await self._management.get_number(phone_number_id=sender.phone_number_id, token=token)

        async def apply(rooms: Rooms) -> senders_pb2.Sender:
            rate = (await rooms.senders.lock_rate(sender_id)).refresh(info.throughput_level)
            return wire.sender(
                await rooms.senders.refresh_sender(
                    sender_id, info, rate=rate, asked=sender.update_time, at=self._clock.now()
                )
            )

        return await self._mutations.run(request, senders_pb2.Sender, apply)
