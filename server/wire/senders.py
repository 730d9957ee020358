"""Senders in the words of the contract, both ways."""

from chappe.v1 import senders_pb2

from core.domain.senders import Sender, SenderDraft
from server.wire import names, times


def sender(written: Sender) -> senders_pb2.Sender:
    """Writes a sender."""
    return senders_pb2.Sender(
        name=names.sender_name(written.id),
        display_name=written.display_name,
        phone_number_id=written.phone_number_id,
        whatsapp_account_id=written.whatsapp_account_id,
        phone_number=written.phone_number,
        verified_name=written.verified_name,
        credential_reference=written.credential_reference,
        state=senders_pb2.Sender.State.Value(f"STATE_{written.state}"),
        pause_reason=written.pause_reason,
        quality=senders_pb2.Sender.Quality.Value(f"QUALITY_{written.quality}"),
        throughput_level=senders_pb2.Sender.ThroughputLevel.Value(f"THROUGHPUT_LEVEL_{written.throughput_level}"),
        messaging_limit=written.messaging_limit,
        messages_per_second=written.messages_per_second,
        refresh_time=times.timestamp(written.refresh_time),
        create_time=times.timestamp(written.create_time),
        update_time=times.timestamp(written.update_time),
    )


def read_sender(proto: senders_pb2.Sender) -> SenderDraft:
    """Reads what a caller may say about a sender."""
    return SenderDraft(
        display_name=proto.display_name,
        phone_number_id=proto.phone_number_id,
        whatsapp_account_id=proto.whatsapp_account_id,
        credential_reference=proto.credential_reference,
        messages_per_second=proto.messages_per_second,
    )
