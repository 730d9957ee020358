"""Lists of what people did: by campaign and message the last done first, otherwise the last learned of."""

from collections.abc import Sequence

from chappe.v1 import messages_service_pb2

from core.domain.interaction_lists import InteractionFilter
from core.domain.interactions import Interaction
from core.repositories.rooms import Rooms
from server.wire import interactions as wire
from server.wire import names
from server.wire.list_keys import after_time, write_time
from server.wire.page_token import Page, cut, key_of_id, read_page
from server.wire.times import read_range


async def list_interactions(
    rooms: Rooms, request: messages_service_pb2.ListInteractionsRequest
) -> messages_service_pb2.ListInteractionsResponse:
    """Returns one page of interactions: of a campaign, of a message, or of all."""
    page = read_page(request)
    found = await _list(rooms, request, page)
    shown, token = cut(request, page, found, key=_key_by_time if request.parent else key_of_id)
    return messages_service_pb2.ListInteractionsResponse(
        interactions=[wire.interaction(each) for each in shown], next_page_token=token
    )


async def _list(
    rooms: Rooms, request: messages_service_pb2.ListInteractionsRequest, page: Page
) -> Sequence[Interaction]:
    selected, limit = _filter(request), page.size + 1
    if not request.parent:
        return await rooms.interactions.list_interactions(selected, limit=limit, before=page.after_id)
    if "/messages/" in request.parent:
        campaign_id, message_id = names.parse_message(request.parent)
        return await rooms.interactions.list_message_interactions(
            campaign_id, message_id, selected, limit=limit, before=after_time(page)
        )
    campaign_id = names.parse_campaign(request.parent)
    return await rooms.interactions.list_campaign_interactions(
        campaign_id, selected, limit=limit, before=after_time(page)
    )


def _filter(request: messages_service_pb2.ListInteractionsRequest) -> InteractionFilter:
    return InteractionFilter(
        kind=wire.read_kind(request.kind),
        contact_id=names.parse_contact(request.contact) if request.contact else None,
        time=read_range(request),
    )


def _key_by_time(last: Interaction) -> tuple[str, ...]:
    return write_time(last.interaction_time), str(last.id)
