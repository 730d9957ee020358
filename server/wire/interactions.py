"""What people did, in the words of the contract."""

from collections.abc import Mapping
from typing import Any

from chappe.v1 import messages_pb2, messages_service_pb2
from google.protobuf.struct_pb2 import Struct

from core.domain.interactions import Interaction, InteractionCounts, InteractionKind
from server.wire import names, times

_Interaction = messages_pb2.Interaction
_KindCount = messages_service_pb2.CountInteractionsResponse.KindCount


def interaction(written: Interaction) -> messages_pb2.Interaction:
    """Writes an interaction."""
    return _Interaction(
        name=names.interaction_name(written.id),
        sender=names.sender_name(written.sender_id),
        contact=names.contact_name(written.contact_id) if written.contact_id else "",
        campaign=names.campaign_name(written.campaign_id) if written.campaign_id else "",
        message=_message(written),
        kind=_kind(written.kind),
        text=written.text,
        payload=_struct(written.payload),
        whatsapp_message_id=written.whatsapp_message_id,
        interaction_time=times.timestamp(written.interaction_time),
        create_time=times.timestamp(written.create_time),
    )


def interaction_counts(written: InteractionCounts) -> messages_service_pb2.CountInteractionsResponse:
    """Writes how many interactions there were, most first."""
    kinds = sorted(written.kinds.items(), key=lambda item: (-item[1], item[0]))
    return messages_service_pb2.CountInteractionsResponse(
        kinds=[_KindCount(kind=_kind(kind), interaction_count=count) for kind, count in kinds],
        interaction_count=written.interaction_count,
        contact_count=written.contact_count,
    )


def read_kind(value: messages_pb2.Interaction.Kind.ValueType) -> InteractionKind | None:
    """Reads a filter by kind; none given means any."""
    return InteractionKind(_Interaction.Kind.Name(value).removeprefix("KIND_")) if value else None


def _kind(kind: InteractionKind) -> messages_pb2.Interaction.Kind.ValueType:
    return _Interaction.Kind.Value(f"KIND_{kind}")


def _message(written: Interaction) -> str:
    if written.campaign_id is None or written.message_id is None:
        return ""
    return names.message_name(written.campaign_id, written.message_id)


def _struct(payload: Mapping[str, Any]) -> Struct:
    struct = Struct()
    struct.update(dict(payload))
    return struct
