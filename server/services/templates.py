"""TemplatesService: shows the templates that WhatsApp holds for the business."""

from chappe.v1 import templates_pb2
from chappe.v1.templates_pb2_grpc import TemplatesServiceServicer

from core.cache import campaign_generation
from core.clock import Clock
from core.domain.bindings import fill, match_bindings
from core.domain.template_parts import render
from core.repositories.rooms import Rooms, Store
from core.settings import Settings
from core.whatsapp.credentials import access_token
from core.whatsapp.errors import ENDS_WITH_APPROVAL
from core.whatsapp.management import ManagementClient
from server.mutations import Mutations
from server.wire import bindings, names
from server.wire import templates as wire
from server.wire.page_token import cut, read_page


class TemplatesService(TemplatesServiceServicer):
    """Serves templates as last synced; asks WhatsApp only when a sync is asked for."""

    def __init__(
        self,
        *,
        store: Store,
        mutations: Mutations,
        clock: Clock,
        settings: Settings,
        management: ManagementClient,
    ) -> None:
        """Takes where templates are kept, and who asks WhatsApp about them."""
        self._store = store
        self._mutations = mutations
        self._clock = clock
        self._settings = settings
        self._management = management

    async def GetTemplate(self, request: templates_pb2.GetTemplateRequest, context: object) -> templates_pb2.Template:
        """Returns one template."""
        async with self._store.connection() as rooms:
            return wire.template(await rooms.templates.get_template(names.parse_template(request.name)))

    async def ListTemplates(
        self, request: templates_pb2.ListTemplatesRequest, context: object
    ) -> templates_pb2.ListTemplatesResponse:
        """Returns one page of templates, oldest first."""
        page = read_page(request)
        chosen = wire.read_filter(request)
        async with self._store.connection() as rooms:
            found = await rooms.templates.list_templates(chosen, limit=page.size + 1, after=page.after_id)
        shown, token = cut(request, page, found)
        return templates_pb2.ListTemplatesResponse(
            templates=[wire.template(template) for template in shown], next_page_token=token
        )

    async def SyncTemplates(
        self, request: templates_pb2.SyncTemplatesRequest, context: object
    ) -> templates_pb2.SyncTemplatesResponse:
        """Reads all templates of a sender's account, then keeps them."""
        async with self._store.connection() as rooms:
            sender = await rooms.senders.get_sender(names.parse_sender(request.sender))
        account = sender.whatsapp_account_id
        token = access_token(self._settings, sender.credential_reference)
        # Before WhatsApp is asked: what it announces from now on is newer than its list.
        asked = self._clock.now()
        listed = await self._management.list_templates(whatsapp_account_id=account, token=token)

        async def apply(rooms: Rooms) -> templates_pb2.SyncTemplatesResponse:
            now = self._clock.now()
            counts = await rooms.templates.sync_templates(account, listed, at=asked)
            ids = [template.whatsapp_template_id for template in listed]
            codes = sorted(ENDS_WITH_APPROVAL)
            resumed = await rooms.resumptions.resume_template_campaigns(ids, codes=codes, at=now)
            if resumed:
                # Which these are the request does not say, so its policy cannot.
                rooms.outdate("campaigns", *map(campaign_generation, resumed))
            return wire.sync_counts(counts)

        reply_type = templates_pb2.SyncTemplatesResponse
        return await self._mutations.run(request, reply_type, apply, resource=lambda _: request.sender)

    async def PreviewTemplate(
        self, request: templates_pb2.PreviewTemplateRequest, context: object
    ) -> templates_pb2.PreviewTemplateResponse:
        """Shows a template filled for one contact, or with its examples."""
        async with self._store.connection() as rooms:
            template = await rooms.templates.get_template(names.parse_template(request.name))
            contact = (
                await rooms.contacts.get_contact(names.parse_contact(request.contact)) if request.contact else None
            )
        parameters = template.parameters
        bound = match_bindings(bindings.read_bindings(request.bindings), parameters)
        values, missing = fill(bound, parameters, contact)
        rendered = render(template.components, values, contact_id=contact.id if contact else None)
        return templates_pb2.PreviewTemplateResponse(
            rendered_message=wire.rendered_message(rendered),
            missing_parameters=[bindings.parameter(parameter) for parameter in missing],
        )
